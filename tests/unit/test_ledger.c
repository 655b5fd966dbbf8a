/* test_ledger -- genesis, blocks, deploys, calls, views; what is refused and leaves no trace, what
 * fails and leaves only its nonce; the same script gives the same bytes, and replay sees a change
 * of any byte. Packs and the clock are in test_pack.c and test_due.c. */
#include "tests/unit/ledger_fixture.h"
#include "vm/state/commit.h"

#include <criterion/criterion.h>

static const who owner = OWNER;
static const who keeper = KEEPER_1;

/* Two ledgers with the same past. */
typedef struct pair {
    rig *a, *b;
} pair;

static pair pair_new(void)
{
    return (pair){rig_deployed(), rig_deployed()};
}

static void pair_free(pair *p)
{
    rig_free(p->a);
    rig_free(p->b);
}

/* Both end their block: is everything in it the same, and the state after it? */
static bool same_block(pair *p)
{
    const tw_block_info a = commit(p->a);
    const tw_block_info b = commit(p->b);
    return tw_hash_equal(&a.hash, &b.hash);
}

static bool same_state(pair *p)
{
    const tw_block_info a = commit(p->a);
    const tw_block_info b = commit(p->b);
    return tw_hash_equal(&a.state_root, &b.state_root);
}

/* ---- genesis ---- */

static tw_status create(const tw_genesis *genesis)
{
    tw_store *store = store_in_memory();
    tw_err err = {0};
    const tw_status status = tw_ledger_create(store, genesis, &err);
    tw_store_close(store);
    return status;
}

Test(ledger, a_genesis_in_range)
{
    char name[66];
    memset(name, 'n', 65);
    name[65] = '\0';
    const int64_t end = (int64_t)1 << 52;
    cr_assert_eq(create(&(tw_genesis){.name = "x"}), TW_OK);
    cr_assert_eq(create(&(tw_genesis){.name = name + 1, .time = end - 1}), TW_OK);
    cr_assert_eq(create(&(tw_genesis){.name = name}), TW_REFUSED_ARGUMENT);
    cr_assert_eq(create(&(tw_genesis){.name = ""}), TW_REFUSED_ARGUMENT);
    cr_assert_eq(create(&(tw_genesis){.name = NULL}), TW_REFUSED_ARGUMENT);
    cr_assert_eq(create(&(tw_genesis){.name = "a\nb"}), TW_REFUSED_ARGUMENT);
    cr_assert_eq(create(&(tw_genesis){.name = "\xFF"}), TW_REFUSED_ARGUMENT);
    cr_assert_eq(create(&(tw_genesis){.name = "x", .time = -1}), TW_REFUSED_TIME);
    cr_assert_eq(create(&(tw_genesis){.name = "x", .time = end}), TW_REFUSED_TIME);
}

/* The store of a new ledger whose genesis record has another byte `at`. */
static tw_store *store_changed(size_t at)
{
    enum { MEMORY = 4 * 1024 * 1024 };
    tw_store *const stores[2] = {store_in_memory(), store_in_memory()};
    tw_key key = tw_key_start(TW_SPACE_CHAIN);
    uint8_t record[400], extra[TW_HEAD_EXTRA_MAX];
    size_t record_size = 0;
    size_t extra_size = 0;
    tw_err err = {0};
    tw_key_raw(&key, "genesis", 7);
    cr_assert_eq(tw_ledger_create(stores[0], &(tw_genesis){.name = "x"}, &err), TW_OK);
    for (int i = 0; i < 2; i++) {
        tw_overlay *overlay = tw_overlay_new(stores[i], MEMORY);
        tw_commit *c = NULL;
        tw_bytes value = {0};
        tw_hash root;
        bool found = false;
        cr_assert_not_null(overlay);
        cr_assert_eq(tw_commit_open(stores[i], MEMORY, &c, &err), TW_OK, "%s", err.text);
        tw_overlay_clear(overlay, 0);
        if (i == 0) {
            cr_assert_eq(tw_overlay_get(overlay, tw_key_bytes(&key), &value, &found), TW_OK);
            cr_assert(found && value.size <= sizeof record);
            record_size = value.size;
            memcpy(record, value.data, value.size);
            extra_size = tw_commit_head(c)->extra.size;
            memcpy(extra, tw_commit_head(c)->extra.data, extra_size);
        } else {
            if (at < record_size) record[at] += 7; /* one that nobody knows */
            value = tw_bytes_of(record, record_size);
            cr_assert_eq(tw_overlay_put(overlay, tw_key_bytes(&key), value), TW_OK);
            cr_assert_eq(tw_commit_prepare(c, overlay, 0, &root, &err), TW_OK, "%s", err.text);
            cr_assert_eq(tw_commit_write(c, tw_bytes_of(extra, extra_size), false, &err), TW_OK);
        }
        tw_commit_close(c);
        tw_overlay_free(overlay);
    }
    tw_store_close(stores[0]);
    return stores[1];
}

/* What instructions mean and cost is part of the state: a ledger of other ids is not touched. */
Test(ledger, of_another_semantics_or_gas_schedule)
{
    enum { FORMAT_AT = 1, SEMANTICS_AT = 2, GAS_AT = 3, UNCHANGED = 1000 };
    const size_t places[] = {UNCHANGED, FORMAT_AT, SEMANTICS_AT, GAS_AT};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        tw_store *store = store_changed(places[i]);
        tw_ledger *ledger = NULL;
        tw_err err = {0};
        const tw_status status = tw_ledger_open(store, NULL, &ledger, &err);
        cr_expect_eq(status, places[i] == UNCHANGED ? TW_OK : TW_ERR_CORRUPT, "%zu: %s", i,
                     err.text);
        const char *const why = "the ledger was made by another version (format";
        cr_expect_eq(strstr(err.text, why) != NULL, places[i] != UNCHANGED, "%s", err.text);
        tw_ledger_close(ledger);
        tw_store_close(store);
    }
}

Test(ledger, a_store_holds_one_ledger)
{
    tw_store *store = store_in_memory();
    tw_ledger *ledger = NULL;
    tw_err err = {0};
    const tw_genesis genesis = {.name = "first", .time = 5, .entry_gas_max = 7};
    cr_assert_eq(tw_ledger_open(store, NULL, &ledger, &err), TW_REFUSED_NOT_FOUND);
    cr_assert_eq(tw_ledger_create(store, &genesis, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_ledger_create(store, &genesis, &err), TW_REFUSED_ARGUMENT);
    cr_assert_eq(tw_ledger_open(store, NULL, &ledger, &err), TW_OK, "%s", err.text);
    cr_assert_str_eq(tw_ledger_genesis(ledger)->name, "first");
    cr_assert_eq(tw_ledger_genesis(ledger)->time, 5);
    cr_assert_eq(tw_ledger_genesis(ledger)->entry_gas_max, 7);
    cr_assert_eq(tw_ledger_genesis(ledger)->block_gas_max, 20000000000);
    cr_assert_eq(tw_ledger_genesis(ledger)->timer_gas_max, 10000000000);
    cr_assert_eq(tw_ledger_head(ledger)->height, 0);
    tw_ledger_close(ledger);
    tw_ledger_close(NULL);
    tw_store_close(store);
}

Test(ledger, each_part_of_the_genesis_makes_another_chain)
{
    const tw_genesis geneses[] = {
        {.name = "x"},
        {.name = "y"},
        {.name = "x", .time = 1},
        {.name = "x", .entry_gas_max = 1},
        {.name = "x", .block_gas_max = 1},
        {.name = "x", .timer_gas_max = 1},
    };
    enum { COUNT = sizeof geneses / sizeof geneses[0] };
    tw_hash chains[COUNT];
    for (int i = 0; i < COUNT; i++) {
        rig *r = rig_on(store_in_memory(), rig_source, &geneses[i]);
        chains[i] = *tw_ledger_chain(r->ledger);
        for (int k = 0; k < i; k++) cr_assert_not(tw_hash_equal(&chains[i], &chains[k]));
        rig_free(r);
    }
}

/* ---- blocks ---- */

Test(ledger, the_time_of_a_block_never_goes_back)
{
    rig *r = rig_deployed();
    cr_assert_eq(tw_block_begin(r->ledger, start_time - 1, &r->err), TW_REFUSED_TIME);
    cr_assert_eq(tw_block_begin(r->ledger, -1, &r->err), TW_REFUSED_TIME);
    cr_assert_eq(tw_block_begin(r->ledger, INT64_MIN, &r->err), TW_REFUSED_TIME);
    cr_assert_eq(tw_block_begin(r->ledger, (int64_t)1 << 52, &r->err), TW_REFUSED_TIME);
    cr_assert_eq(tw_block_begin(r->ledger, INT64_MAX, &r->err), TW_REFUSED_TIME);
    begin(r, start_time); /* the same time is fine */
    (void)commit(r);
    begin(r, ((int64_t)1 << 52) - 1);
    (void)commit(r);
    rig_free(r);
}

Test(ledger, blocks_form_a_chain)
{
    rig *r = rig_deployed();
    tw_block_info before = *tw_ledger_head(r->ledger);
    for (int i = 0; i < 5; i++) {
        begin(r, start_time + i);
        const tw_block_info info = commit(r);
        cr_assert_eq(info.height, before.height + 1);
        cr_assert(tw_hash_equal(&info.parent, &before.hash));
        cr_assert(tw_hash_equal(&info.state_root, &before.state_root), "nothing happened");
        cr_assert_not(tw_hash_equal(&info.hash, &before.hash));
        before = info;
    }
    tw_block block;
    cr_assert_eq(tw_ledger_block(r->ledger, before.height + 1, r->arena, &block, &r->err),
                 TW_REFUSED_NOT_FOUND);
    rig_free(r);
}

Test(ledger, a_block_remembers_its_transactions)
{
    rig *r = rig_deployed();
    begin(r, start_time + 1);
    tw_hash ids[3];
    for (int i = 0; i < 3; i++) {
        tw_tx tx = call_of(r, "nothing", text(""));
        cr_assert_eq(run(r, &tx, &owner, 1), TW_TX_NO_ENTRY);
        ids[i] = r->receipt.transaction;
    }
    (void)commit(r);
    const tw_block block = newest(r);
    cr_assert(block.transaction_count == 3 && block.receipt_count == 3);
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t height = 0;
        uint32_t place = 99;
        bool found = false;
        tw_tx tx;
        cr_assert_eq(tw_ledger_find(r->ledger, &ids[i], &height, &place, &found), TW_OK);
        cr_assert(found && height == 2 && place == i);
        cr_assert_eq(tw_tx_decode(block.transactions[i], r->arena, &tx), TW_OK);
        cr_assert(tw_hash_equal(&tx.id, &ids[i]));
        cr_assert(tw_hash_equal(&block.receipts[i].transaction, &ids[i]));
    }
    bool found = true;
    uint64_t height = 0;
    uint32_t place = 0;
    ids[0].bytes[0] ^= 1;
    cr_assert_eq(tw_ledger_find(r->ledger, &ids[0], &height, &place, &found), TW_OK);
    cr_assert_not(found);
    rig_free(r);
}

Test(ledger, an_aborted_block_leaves_no_trace)
{
    pair p = pair_new();
    crew c;
    begin(p.a, start_time + HOUR); /* also runs the silent timer */
    tw_tx tx = call_of(p.a, "open", text(""));
    cr_assert_eq(run(p.a, &tx, &keeper, 1), TW_OK);
    tx = deploy_of(p.a, &c);
    cr_assert_eq(run(p.a, &tx, &owner, 1), TW_OK);
    tw_block_abort(p.a->ledger);
    p.a->nonces[OWNER] = p.b->nonces[OWNER];
    p.a->nonces[KEEPER_1] = p.b->nonces[KEEPER_1];
    cr_assert_eq(tw_ledger_head(p.a->ledger)->height, 1);
    cr_assert_eq(look(p.a)->control.phase, 0);
    for (int64_t at = 1; at < 3; at++) {
        cr_assert_eq(call(p.a, start_time + at, KEEPER_1, "open", text("")),
                     call(p.b, start_time + at, KEEPER_1, "open", text("")));
        cr_assert(
            tw_hash_equal(&tw_ledger_head(p.a->ledger)->hash, &tw_ledger_head(p.b->ledger)->hash));
    }
    tw_block_abort(p.a->ledger); /* safe without an open block */
    pair_free(&p);
}

/* ---- refused: no trace ---- */

typedef struct refusal {
    const char *what;
    tw_status status;
} refusal;

static const refusal refusals[] = {
    {"another chain", TW_REFUSED_CHAIN},       {"a nonce too high", TW_REFUSED_NONCE},
    {"a nonce used before", TW_REFUSED_NONCE}, {"somebody else's key", TW_REFUSED_SIGNATURE},
    {"a limit of 0", TW_REFUSED_GAS_LIMIT},    {"a byte too few", TW_REFUSED_ENCODING},
    {"a byte too many", TW_REFUSED_ENCODING},  {"no bytes", TW_REFUSED_ENCODING},
};

static tw_status try_refusal(rig *r, size_t index)
{
    tw_tx tx = call_of(r, "open", text(""));
    tw_hash id;
    tw_writer w = tw_writer_new(MIB);
    tx.chain = *tw_ledger_chain(r->ledger);
    tx.chain.bytes[31] ^= index == 0;
    tx.nonce = r->nonces[OWNER] + (index == 1) - (index == 2);
    tx.gas_limit = index == 4 ? 0 : UINT64_MAX;
    tx.signer_count = 1;
    tx.signers[0] = r->accounts[OWNER];
    cr_assert_eq(tw_tx_encode(&tx, &r->secrets[index == 3 ? STRANGER : OWNER], &w, &id), TW_OK);
    if (index == 5) w.size--;
    if (index == 6) tw_write_u8(&w, 0);
    if (index == 7) w.size = 0;
    const tw_status status = tw_block_add(r->ledger, tw_writer_bytes(&w), &r->receipt, &r->err);
    tw_writer_free(&w);
    return status;
}

Test(ledger, what_is_refused_leaves_no_trace)
{
    pair p = pair_new();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        begin(p.a, start_time + 1);
        begin(p.b, start_time + 1);
        cr_assert_eq(try_refusal(p.a, i), refusals[i].status, "%s", refusals[i].what);
        cr_assert(same_block(&p), "%s left a trace", refusals[i].what);
    }
    pair_free(&p);
}

Test(ledger, a_refused_transaction_may_come_again)
{
    rig *r = rig_deployed();
    begin(r, start_time + 1);
    tw_tx tx = call_of(r, "open", text(""));
    tx.gas_limit = 1;
    cr_assert_eq(add(r, &tx, &keeper, 1), TW_REFUSED_GAS_LIMIT);
    tx.gas_limit = UINT64_MAX;
    cr_assert_eq(run(r, &tx, &keeper, 1), TW_OK);
    cr_assert_eq(add(r, &tx, &keeper, 1), TW_OK, "with the next nonce it is another one");
    r->nonces[KEEPER_1]--;
    cr_assert_eq(add(r, &tx, &keeper, 1), TW_REFUSED_NONCE, "a transaction is taken once");
    (void)commit(r);
    rig_free(r);
}

/* The limit is good at the bound, and the bound is never passed. */
static void at_the_bound(rig *r, tw_tx *tx, const who *signers, uint8_t count)
{
    uint64_t bound = 0;
    tw_hash id;
    tw_secret secrets[2];
    tw_writer w = tw_writer_new(MIB);
    tx->signer_count = count;
    for (uint8_t i = 0; i < count; i++) {
        tx->signers[i] = r->accounts[signers[i]];
        secrets[i] = r->secrets[signers[i]];
    }
    cr_assert_eq(tw_tx_encode(tx, secrets, &w, &id), TW_OK);
    cr_assert_eq(tw_ledger_gas_bound(r->ledger, tx, w.size, &bound, &r->err), TW_OK, "%s",
                 r->err.text);
    tw_writer_free(&w);
    begin(r, tw_ledger_head(r->ledger)->time);
    tx->gas_limit = bound - 1;
    cr_assert_eq(add(r, tx, signers, count), TW_REFUSED_GAS_LIMIT);
    tx->gas_limit = bound;
    (void)run(r, tx, signers, count);
    cr_assert_leq(r->receipt.run.gas, bound);
    (void)commit(r);
}

Test(ledger, the_gas_limit_is_good_at_the_bound_and_refused_one_below)
{
    rig *r = rig_deployed();
    crew c;
    const uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    tw_tx tx = call_of(r, "open", text(""));
    at_the_bound(r, &tx, &keeper, 1);
    tx = call_of(r, "add", tw_bytes_of(one, sizeof one));
    at_the_bound(r, &tx, &owner, 1);
    tx = call_of(r, "both", text(""));
    const who signers[2] = {OWNER, KEEPER_2};
    at_the_bound(r, &tx, signers, 2);
    tw_account accounts[2] = {r->accounts[SENSOR_1], r->accounts[SENSOR_2]};
    tx = call_of(r, "swap", tw_bytes_of(accounts, sizeof accounts));
    at_the_bound(r, &tx, &owner, 1);
    tx = call_of(r, "no such action", text(""));
    at_the_bound(r, &tx, &owner, 1);
    tx = call_of(r, "open", text(""));
    tx.contract.bytes[0] ^= 1;
    at_the_bound(r, &tx, &owner, 1);
    tx = deploy_of(r, &c);
    at_the_bound(r, &tx, &owner, 1);
    tx.module = text("no module");
    at_the_bound(r, &tx, &owner, 1);
    rig_free(r);
}

Test(ledger, a_full_block_takes_no_more)
{
    const tw_genesis genesis = {.name = "small", .time = start_time, .block_gas_max = 60000000};
    rig *r = rig_on(store_in_memory(), rig_source, &genesis);
    deploy(r);
    begin(r, start_time);
    uint64_t used = 0;
    tw_status status = TW_OK;
    for (int i = 0; i < 100 && status == TW_OK; i++) {
        tw_tx tx = call_of(r, "open", text(""));
        status = add(r, &tx, &keeper, 1);
        if (status == TW_OK) used += r->receipt.run.gas;
    }
    cr_assert_eq(status, TW_REFUSED_BLOCK_FULL);
    cr_assert_leq(used, 60000000);
    (void)commit(r);
    cr_assert_eq(call(r, start_time, OWNER, "halt", text("")), TW_OK, "the next one has room");
    rig_free(r);
}

/* ---- deploy ---- */

static tw_status try_deploy(rig *r, tw_tx *tx)
{
    begin(r, tw_ledger_head(r->ledger)->time);
    const tw_status status = run(r, tx, &owner, 1);
    cr_assert(status == TW_OK || r->receipt.run.writes == 0);
    (void)commit(r);
    return status;
}

Test(ledger, a_deploy_needs_roles_that_fit)
{
    rig *r = rig_new();
    crew c;
    tw_tx tx = deploy_of(r, &c);
    tx.role_count = 2;
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY, "a role too few");
    tw_tx_role four[4] = {c.roles[0], c.roles[1], c.roles[2], c.roles[0]};
    tx.roles = four;
    tx.role_count = 4;
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY, "a role too many");
    tx = deploy_of(r, &c);
    c.roles[0].count = 0;
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY, "nobody, and never granted");
    tx = deploy_of(r, &c);
    c.roles[0] = (tw_tx_role){c.keepers, 2};
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY, "one over max");
    tx = deploy_of(r, &c);
    c.keepers[0] = (tw_account){{0}}; /* ascending, but no key */
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY, "no key");
    tx = deploy_of(r, &c);
    c.roles[1].count = 2;
    cr_assert_eq(try_deploy(r, &tx), TW_OK);
    tx = deploy_of(r, &c);
    c.roles[2].count = 0;
    cr_assert_eq(try_deploy(r, &tx), TW_OK, "the contract grants this one itself");
    rig_free(r);
}

static tw_status deploy_with(rig *r, uint16_t index, const void *value, size_t size)
{
    crew c;
    tw_tx_param param = {index, tw_bytes_of(value, size)};
    tw_tx tx = deploy_of(r, &c);
    tx.params = &param;
    tx.param_count = 1;
    return try_deploy(r, &tx);
}

static tw_status deploy_param(rig *r, uint16_t index, int64_t value)
{
    uint8_t bytes[8];
    tw_store_u64(bytes, (uint64_t)value);
    return deploy_with(r, index, bytes, sizeof bytes);
}

Test(ledger, params_lie_in_their_range)
{
    rig *r = rig_new();
    cr_assert_eq(deploy_param(r, 0, 10000), TW_OK); /* 10 mm */
    cr_assert_eq(deploy_param(r, 0, 899999), TW_OK);
    cr_assert_eq(deploy_param(r, 0, 9999), TW_FAIL_PARAM_RANGE);
    cr_assert_eq(r->receipt.run.index, 0);
    cr_assert_eq(deploy_param(r, 0, 1000001), TW_FAIL_PARAM_RANGE);
    cr_assert_eq(deploy_param(r, 0, INT64_MIN), TW_FAIL_PARAM_RANGE);
    cr_assert_eq(deploy_param(r, 1, 60001), TW_FAIL_PARAM_RANGE);
    cr_assert_eq(r->receipt.run.index, 1);
    cr_assert_eq(deploy_param(r, 1, 60000), TW_OK);
    cr_assert_eq(deploy_param(r, 2, 1), TW_TX_BAD_DEPLOY, "there is no third param");
    cr_assert_eq(deploy_with(r, 0, "\0\0\0\0\1\0\0", 7), TW_TX_BAD_DEPLOY);
    cr_assert_eq(deploy_with(r, 0, "\0\0\0\0\0\1\0\0\0", 9), TW_TX_BAD_DEPLOY);
    cr_assert_eq(deploy_with(r, 0, "", 0), TW_TX_BAD_DEPLOY);
    rig_free(r);
}

Test(ledger, a_check_refuses_a_deploy)
{
    rig *r = rig_new();
    cr_assert_eq(deploy_param(r, 0, 900000), TW_FAIL_CHECK); /* in its range, against the check */
    cr_assert_eq(r->receipt.run.index, 0);
    tw_hash id;
    bool found = true;
    cr_assert_eq(tw_ledger_next_contract(r->ledger, NULL, &id, &found), TW_OK);
    cr_assert_not(found);
    rig_free(r);
}

/* A module cut short or changed at any byte is deployed only if it verifies, and never breaks the
 * ledger. */
Test(ledger, bad_modules_fail)
{
    rig *r = rig_new();
    crew c;
    uint8_t *copy = (uint8_t *)tw_arena_copy(r->arena, r->module.data, r->module.size);
    tw_tx tx = deploy_of(r, &c);
    uint32_t refused = 0;
    tx.module = text("");
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_MODULE);
    tx.module = tw_bytes_of(copy, r->module.size - 1);
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_MODULE);
    tx.module.size++;
    begin(r, start_time);
    for (size_t at = 0; at < r->module.size; at += 7) {
        copy[at] ^= 1;
        const tw_status status = run(r, &tx, &owner, 1);
        refused += status == TW_TX_BAD_MODULE;
        copy[at] ^= 1;
    }
    cr_assert_gt(refused, 200);
    (void)commit(r);
    cr_assert_eq(try_deploy(r, &tx), TW_OK);
    rig_free(r);
}

Test(ledger, entries_over_the_limits_of_the_ledger_are_not_deployed)
{
    const tw_genesis entries = {.name = "e", .time = start_time, .entry_gas_max = 9000000};
    const tw_genesis timers = {.name = "t", .time = start_time, .timer_gas_max = 4000000};
    rig *r = rig_on(store_in_memory(), rig_source, &entries);
    crew c;
    tw_tx tx = deploy_of(r, &c);
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY);
    rig_free(r);
    r = rig_on(store_in_memory(), rig_source, &timers);
    tx = deploy_of(r, &c);
    cr_assert_eq(try_deploy(r, &tx), TW_TX_BAD_DEPLOY);
    rig_free(r);
}

/* A pack of one reading that no block has room for: the contract would never hear of anything. */
Test(ledger, a_contract_whose_packs_fit_no_block_is_not_deployed)
{
    char source[8000];
    const char *keep = strstr(rig_source, "keep 130 ");
    cr_assert_not_null(keep);
    (void)snprintf(source, sizeof source, "%.*skeep 4096 %s", (int)(keep - rig_source), rig_source,
                   keep + strlen("keep 130 "));
    rig *r = rig_on(store_in_memory(), source, &(tw_genesis){.name = "p", .time = start_time});
    const tw_facts *facts = r->code->facts;
    uint64_t most = 0;
    for (uint16_t i = 0; i < r->code->module->reading_count; i++) {
        if (facts->intake_gas[i] > most) most = facts->intake_gas[i];
    }
    cr_assert_gt(most, 0);
    const uint64_t room =
        facts->pack.gas + most + TW_GAS_TX + TW_GAS_SIGNATURE + 400 * TW_GAS_TX_BYTE;
    rig_free(r);
    for (uint64_t less = 0; less < 2; less++) {
        const tw_genesis genesis = {.name = "p", .time = start_time, .block_gas_max = room - less};
        crew c;
        r = rig_on(store_in_memory(), source, &genesis);
        tw_tx tx = deploy_of(r, &c);
        cr_assert_eq(try_deploy(r, &tx), less == 0 ? TW_OK : TW_TX_BAD_DEPLOY);
        rig_free(r);
    }
}

Test(ledger, one_module_many_contracts)
{
    rig *r = rig_new();
    crew c;
    tw_hash before = {{0}};
    bool found = false;
    for (int i = 0; i < 5; i++) {
        tw_tx tx = deploy_of(r, &c);
        cr_assert_eq(try_deploy(r, &tx), TW_OK);
    }
    for (int i = 0; i < 5; i++) {
        tw_hash id;
        cr_assert_eq(tw_ledger_next_contract(r->ledger, i > 0 ? &before : NULL, &id, &found),
                     TW_OK);
        cr_assert(found && memcmp(id.bytes, before.bytes, TW_HASH_SIZE) > 0);
        before = id;
    }
    cr_assert_eq(tw_ledger_next_contract(r->ledger, &before, &before, &found), TW_OK);
    cr_assert_not(found);
    rig_free(r);
}

/* ---- calls ---- */

Test(ledger, a_call_needs_a_contract_an_action_and_its_arguments)
{
    rig *r = rig_deployed();
    static const struct {
        const char *entry;
        const char *arguments;
        size_t size;
        tw_status status;
    } cases[] = {
        {"add", "\0\0\0\0\0\0\0\1", 8, TW_OK},
        {"add", "\0\0\0\0\0\0\0", 7, TW_TX_BAD_ARGUMENT},
        {"add", "\0\0\0\0\0\0\0\1\0", 9, TW_TX_BAD_ARGUMENT},
        {"add", "", 0, TW_TX_BAD_ARGUMENT},
        {"break_it", "\2", 1, TW_TX_BAD_ARGUMENT},
        {"open", "\0", 1, TW_TX_BAD_ARGUMENT},
        {"", "", 0, TW_TX_NO_ENTRY},
        {"ad", "", 0, TW_TX_NO_ENTRY},
        {"addd", "", 0, TW_TX_NO_ENTRY},
        {"total", "\0\0\0\0\0\0\0\1", 8, TW_TX_NO_ENTRY}, /* a view */
        {"high raised", "", 0, TW_TX_NO_ENTRY},
        {"deploy", "", 0, TW_TX_NO_ENTRY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(call(r, start_time + 1, OWNER, cases[i].entry,
                          tw_bytes_of(cases[i].arguments, cases[i].size)),
                     cases[i].status, "case %zu", i);
    }
    r->contract.bytes[5] ^= 1;
    cr_assert_eq(call(r, start_time + 1, OWNER, "open", text("")), TW_TX_NO_CONTRACT);
    cr_assert(tw_hash_is_zero(&r->receipt.run.contract));
    r->contract.bytes[5] ^= 1;
    cr_assert_eq(score(r), 1);
    rig_free(r);
}

Test(ledger, callers_signers_and_phases_are_checked)
{
    rig *r = rig_deployed();
    who first;
    who second;
    two_keepers(r, &first, &second);
    cr_assert_eq(call(r, start_time, STRANGER, "open", text("")), TW_TRAP_NOT_CALLER);
    cr_assert_eq(call(r, start_time, OWNER, "halt", text("")), TW_TRAP_WRONG_PHASE);
    cr_assert_eq(call(r, start_time, OWNER, "both", text("")), TW_TRAP_NOT_SIGNED);
    const struct {
        const char *entry;
        who signers[3];
        uint8_t count;
        tw_status status;
    } cases[] = {
        {"both", {OWNER, KEEPER_3}, 2, TW_OK},
        {"both", {OWNER, STRANGER}, 2, TW_TRAP_NOT_SIGNED},
        {"both", {KEEPER_1, OWNER}, 2, TW_TRAP_NOT_CALLER},
        {"two", {STRANGER, first, second}, 3, TW_OK},
        {"two", {first, second}, 2, TW_OK},
        {"two", {first, OWNER}, 2, TW_TRAP_NOT_SIGNED},
        {"two", {OWNER, first}, 2, TW_TRAP_NOT_SIGNED},
        {"two", {first}, 1, TW_TRAP_NOT_SIGNED},
    };
    begin(r, start_time);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_tx tx = call_of(r, cases[i].entry, text(""));
        cr_assert_eq(run(r, &tx, cases[i].signers, cases[i].count), cases[i].status, "case %zu", i);
    }
    (void)commit(r);
    cr_assert_eq(score(r), 5);
    rig_free(r);
}

Test(ledger, what_fails_leaves_only_its_nonce)
{
    pair p = pair_new();
    begin(p.a, start_time + 1);
    begin(p.b, start_time + 1);
    const uint8_t six[8] = {0, 0, 0, 0, 0, 0, 0, 6};
    tw_tx fails = call_of(p.a, "add", tw_bytes_of(six, sizeof six));
    cr_assert_eq(run(p.a, &fails, &owner, 1), TW_FAIL_INVARIANT);
    cr_assert_eq(p.a->receipt.run.index, 0);
    cr_assert_eq(p.a->receipt.run.writes, 0);
    cr_assert_gt(p.a->receipt.run.gas, 0);
    tw_tx other = call_of(p.b, "no such action", text(""));
    cr_assert_eq(run(p.b, &other, &owner, 1), TW_TX_NO_ENTRY);
    cr_assert(same_state(&p));
    cr_assert_eq(score(p.a), 0);
    pair_free(&p);
}

Test(ledger, traps_of_arithmetic_are_named)
{
    rig *r = rig_deployed();
    cr_assert_eq(call_int(r, start_time, "add", -5), TW_OK);
    cr_assert_eq(call_int(r, start_time, "add", INT64_MIN), TW_TRAP_OVERFLOW);
    cr_assert_eq(call_int(r, start_time, "add", INT64_MAX), TW_FAIL_INVARIANT);
    cr_assert_eq(call_int(r, start_time, "add", 10), TW_OK);
    cr_assert_eq(score(r), 5);
    rig_free(r);
}

/* ---- views ---- */

static tw_status try_view(rig *r, uint16_t entry, tw_bytes arguments, int64_t now)
{
    tw_outcome outcome;
    return tw_ledger_view(r->ledger, &r->contract, NULL, entry, arguments, now, &outcome, &r->err);
}

Test(ledger, views_answer_and_change_nothing)
{
    rig *r = rig_deployed();
    const tw_block_info before = *tw_ledger_head(r->ledger);
    const uint8_t seven[8] = {0, 0, 0, 0, 0, 0, 0, 7};
    const uint16_t total = entry_of(r, TW_ENTRY_VIEW, "total");
    cr_assert_eq(call_int(r, start_time, "add", 3), TW_OK);
    cr_assert_eq(view_int(r, "total", tw_bytes_of(seven, 8), start_time), 10);
    cr_assert_eq(view_int(r, "wait", text(""), start_time + 77), 77);
    cr_assert_eq(try_view(r, total, tw_bytes_of(seven, 7), start_time), TW_REFUSED_ARGUMENT);
    cr_assert_eq(try_view(r, total, text(""), start_time), TW_REFUSED_ARGUMENT);
    cr_assert_eq(try_view(r, entry_of(r, TW_ENTRY_ACTION, "open"), text(""), start_time),
                 TW_REFUSED_NOT_FOUND);
    cr_assert_eq(try_view(r, 0xFFFF, text(""), start_time), TW_REFUSED_NOT_FOUND);
    r->contract.bytes[0] ^= 1;
    cr_assert_eq(try_view(r, total, tw_bytes_of(seven, 8), start_time), TW_REFUSED_NOT_FOUND);
    r->contract.bytes[0] ^= 1;
    begin(r, start_time);
    const tw_block_info after = commit(r);
    cr_assert_eq(after.height, before.height + 2);
    rig_free(r);
}

/* A time is a time: whoever asks gives one that a block could have. */
Test(ledger, views_at_times_that_no_block_can_have)
{
    rig *r = rig_deployed();
    const uint16_t wait = entry_of(r, TW_ENTRY_VIEW, "wait");
    cr_assert_eq(try_view(r, wait, text(""), INT64_MIN), TW_REFUSED_TIME);
    cr_assert_eq(try_view(r, wait, text(""), -1), TW_REFUSED_TIME);
    cr_assert_eq(try_view(r, wait, text(""), (int64_t)1 << 52), TW_REFUSED_TIME);
    cr_assert_eq(try_view(r, wait, text(""), INT64_MAX), TW_REFUSED_TIME);
    cr_assert_eq(try_view(r, wait, text(""), ((int64_t)1 << 52) - 1), TW_OK);
    cr_assert_eq(try_view(r, wait, text(""), 0), TW_OK);
    rig_free(r);
}

/* ---- the same script, the same bytes ---- */

/* Deploys, calls that do and fail, packs, edges, timers, a new sensor. */
static void script(rig *r)
{
    deploy(r);
    (void)feed_for(r, start_time, 20, HIGH_UM);
    cr_assert_eq(call(r, start_time + 21000, KEEPER_2, "open", text("")), TW_OK);
    (void)wait_until(r, start_time + 22000);
    cr_assert_eq(call_int(r, start_time + 22000, "add", 99), TW_FAIL_INVARIANT);
    cr_assert_eq(call_flag(r, start_time + 23000, "break_it", true), TW_OK);
    (void)feed_for(r, start_time + 23000, 5, LOW_UM);
    (void)wait_until(r, start_time + 20 * MINUTE);
    cr_assert_eq(call_flag(r, start_time + 20 * MINUTE, "break_it", false), TW_OK);
    cr_assert_eq(swap_sensor(r, start_time + 21 * MINUTE, SENSOR_1, SENSOR_2), TW_OK);
    (void)wait_until(r, start_time + 2 * HOUR);
}

static tw_bytes block_bytes(rig *r, uint64_t height)
{
    uint8_t key[8];
    tw_bytes record;
    bool found = false;
    tw_store_u64(key, height);
    cr_assert_eq(
        tw_store_get(r->store, TW_TABLE_BLOCK, tw_bytes_of(key, 8), r->arena, &record, &found),
        TW_OK);
    cr_assert(found);
    return record;
}

static void same_chain(rig *a, rig *b)
{
    const uint64_t height = tw_ledger_head(a->ledger)->height;
    cr_assert_eq(tw_ledger_head(b->ledger)->height, height);
    for (uint64_t i = 0; i <= height; i++) {
        cr_assert(tw_bytes_equal(block_bytes(a, i), block_bytes(b, i)), "block %llu",
                  (unsigned long long)i);
    }
}

Test(ledger, the_same_script_gives_the_same_bytes)
{
    rig *a = rig_new();
    rig *b = rig_new();
    script(a);
    script(b);
    same_chain(a, b);
    rig_free(a);
    rig_free(b);
}

Test(ledger, on_disk_as_in_memory)
{
    char path[64];
    const tw_genesis genesis = {.name = "test", .time = start_time};
    folder_make(path);
    rig *a = rig_new();
    rig *b = rig_on(store_on_disk(path), rig_source, &genesis);
    script(a);
    script(b);
    same_chain(a, b);
    rig_free(a);
    rig_free(b);
    folder_remove(path);
}

Test(ledger, opened_again_it_goes_on_where_it_stood)
{
    rig *a = rig_new();
    rig *b = rig_new();
    deploy(a);
    deploy(b);
    (void)feed_for(a, start_time, 20, HIGH_UM);
    (void)feed_for(b, start_time, 20, HIGH_UM);
    tw_ledger_close(b->ledger);
    cr_assert_eq(tw_ledger_open(b->store, NULL, &b->ledger, &b->err), TW_OK, "%s", b->err.text);
    for (int i = 0; i < 2; i++) {
        rig *r = i == 0 ? a : b;
        cr_assert_eq(call(r, start_time + 21000, KEEPER_1, "open", text("")), TW_OK);
        (void)wait_until(r, start_time + HOUR);
    }
    same_chain(a, b);
    rig_free(a);
    rig_free(b);
}

/* ---- replay ---- */

static tw_status replay_one(rig *from, rig *to, uint64_t height)
{
    tw_block block;
    cr_assert_eq(tw_ledger_block(from->ledger, height, from->arena, &block, &from->err), TW_OK);
    return tw_ledger_replay_block(to->ledger, &block, &to->err);
}

Test(ledger, a_replay_gives_the_same_chain)
{
    rig *a = rig_new();
    rig *b = rig_new();
    script(a);
    for (uint64_t i = 1; i <= tw_ledger_head(a->ledger)->height; i++) {
        cr_assert_eq(replay_one(a, b, i), TW_OK, "block %llu: %s", (unsigned long long)i,
                     b->err.text);
    }
    same_chain(a, b);
    cr_assert_neq(replay_one(a, b, 3), TW_OK, "a block of the past is not the next one");
    rig_free(a);
    rig_free(b);
}

/* A ledger that has replayed the script up to a block with a transaction, a handler and edges. */
static rig *replayed_until(rig *from, uint64_t height)
{
    rig *r = rig_new();
    for (uint64_t i = 1; i < height; i++) cr_assert_eq(replay_one(from, r, i), TW_OK);
    return r;
}

static void replay_refuses(rig *r, const tw_block *block, const char *what)
{
    const tw_block_info before = *tw_ledger_head(r->ledger);
    const tw_status status = tw_ledger_replay_block(r->ledger, block, &r->err);
    cr_assert(status == TW_ERR_CORRUPT || status == TW_REFUSED_TIME, "%s: %s", what,
              tw_status_name(status));
    cr_assert(tw_hash_equal(&tw_ledger_head(r->ledger)->hash, &before.hash), "%s", what);
}

static void changed_headers(rig *r, const tw_block *good)
{
    for (int part = 0; part < 7; part++) {
        tw_block block = *good;
        if (part == 0) block.info.height++;
        if (part == 1) block.info.time++;
        if (part == 2) block.info.parent.bytes[0] ^= 1;
        if (part == 3) block.info.transactions_root.bytes[9] ^= 1;
        if (part == 4) block.info.receipts_root.bytes[31] ^= 1;
        if (part == 5) block.info.state_root.bytes[0] ^= 1;
        if (part == 6) block.info.hash.bytes[0] ^= 1;
        replay_refuses(r, &block, "a header");
    }
}

static void changed_transactions(rig *r, const tw_block *good)
{
    const tw_bytes tx = good->transactions[0];
    uint8_t *copy = (uint8_t *)tw_arena_copy(r->arena, tx.data, tx.size);
    tw_bytes changed = tw_bytes_of(copy, tx.size);
    tw_block block = *good;
    block.transactions = &changed;
    for (size_t at = 0; at < tx.size; at++) {
        copy[at] ^= 0x10;
        replay_refuses(r, &block, "a transaction");
        copy[at] ^= 0x10;
    }
    block.transaction_count = 0;
    replay_refuses(r, &block, "no transaction");
    tw_bytes twice[2] = {tx, tx};
    block.transactions = twice;
    block.transaction_count = 2;
    replay_refuses(r, &block, "a transaction twice");
}

static void changed_receipts(rig *r, const tw_block *good)
{
    for (int part = 0; part < 10; part++) {
        tw_block block = *good;
        tw_receipt *receipts = TW_NEW_ARRAY(r->arena, tw_receipt, good->receipt_count + 1);
        memcpy(receipts, good->receipts, good->receipt_count * sizeof *receipts);
        tw_receipt *last = &receipts[good->receipt_count - 1];
        block.receipts = receipts;
        if (part == 0) last->run.gas++;
        if (part == 1) last->run.status = TW_TRAP_FULL;
        if (part == 2) last->run.writes++;
        if (part == 3) last->transaction.bytes[0] ^= 1;
        if (part == 4) last->intake.accepted++;
        if (part == 5) last->run.contract.bytes[3] ^= 1;
        if (part == 6) last->handler_count = 0;
        if (part == 7) block.receipt_count--;
        if (part == 8) receipts[block.receipt_count++] = good->receipts[0];
        if (part == 9) last->fee++;
        replay_refuses(r, &block, "a receipt");
    }
}

Test(ledger, a_replay_sees_every_change)
{
    rig *a = rig_new();
    deploy(a);
    cr_assert_eq(call(a, start_time, KEEPER_1, "open", text("")), TW_OK);
    const tw_block block = feed_for(a, start_time, 11, HIGH_UM);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    rig *b = replayed_until(a, block.info.height);
    changed_headers(b, &block);
    changed_transactions(b, &block);
    changed_receipts(b, &block);
    cr_assert_eq(tw_ledger_replay_block(b->ledger, &block, &b->err), TW_OK, "%s", b->err.text);
    same_chain(a, b);
    rig_free(a);
    rig_free(b);
}

static void store_block(rig *r, uint64_t height, tw_bytes record)
{
    uint8_t key[8];
    tw_batch *batch = tw_batch_new(MIB);
    tw_store_u64(key, height);
    tw_batch_put(batch, TW_TABLE_BLOCK, tw_bytes_of(key, 8), record);
    cr_assert_eq(tw_store_commit(r->store, batch, false, NULL), TW_OK);
    tw_batch_free(batch);
}

/* Whatever byte of a stored block is damaged or missing: reading it tells, or replaying it does. */
Test(ledger, a_damaged_block_is_found_out)
{
    rig *a = rig_new();
    deploy(a);
    cr_assert_eq(call(a, start_time, KEEPER_1, "open", text("")), TW_OK);
    const tw_block good = feed_for(a, start_time, 11, HIGH_UM);
    const uint64_t height = good.info.height;
    rig *b = replayed_until(a, height);
    const tw_bytes record = block_bytes(a, height);
    uint8_t *copy = (uint8_t *)tw_arena_copy(a->arena, record.data, record.size);
    for (size_t at = 0; at < 2 * record.size; at++) {
        const bool cut = at >= record.size;
        tw_block block;
        copy[at % record.size] ^= cut ? 0 : 0x04;
        store_block(a, height, tw_bytes_of(copy, cut ? at - record.size : record.size));
        const tw_mark mark = tw_arena_mark(a->arena);
        const tw_status status = tw_ledger_block(a->ledger, height, a->arena, &block, &a->err);
        cr_assert(status == TW_ERR_CORRUPT || (status == TW_OK && !cut), "byte %zu", at);
        if (status == TW_OK) replay_refuses(b, &block, "a damaged block");
        tw_arena_reset(a->arena, mark);
        copy[at % record.size] ^= cut ? 0 : 0x04;
    }
    rig_free(a);
    rig_free(b);
}

/* A node runs no code but that of the contract, whatever its disk gives it. */
Test(ledger, a_damaged_code_is_found_out)
{
    rig *r = rig_new();
    deploy(r);
    const tw_hash hash = r->code->hash;
    const tw_code *code = NULL;
    tw_key key = tw_key_start(TW_SPACE_CODE);
    tw_key_raw(&key, hash.bytes, TW_HASH_SIZE);
    tw_bytes record = {0};
    bool found = false;
    cr_assert_eq(
        tw_store_get(r->store, TW_TABLE_STATE, tw_key_bytes(&key), r->arena, &record, &found),
        TW_OK);
    cr_assert(found);
    uint8_t *copy = (uint8_t *)tw_arena_copy(r->arena, record.data, record.size);
    for (int damaged = 0; damaged < 2; damaged++) {
        tw_ledger_close(r->ledger);
        copy[record.size / 2] ^= damaged ? 0x04 : 0;
        tw_batch *batch = tw_batch_new(MIB);
        tw_batch_put(batch, TW_TABLE_STATE, tw_key_bytes(&key), tw_bytes_of(copy, record.size));
        cr_assert_eq(tw_store_commit(r->store, batch, false, NULL), TW_OK);
        tw_batch_free(batch);
        cr_assert_eq(tw_ledger_open(r->store, NULL, &r->ledger, &r->err), TW_OK);
        cr_expect_eq(tw_ledger_code(r->ledger, &hash, &code, &r->err),
                     damaged ? TW_ERR_CORRUPT : TW_OK);
    }
    rig_free(r);
}
