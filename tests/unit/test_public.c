/* test_public -- what an embedding program does through twvm.h: requests become transactions,
 * blocks and receipts are bytes that are taken apart, questions are asked by name, facts are
 * proved; and what is wrong is refused with nothing changed. */
#include "tests/unit/ledger_fixture.h"

enum { ANN, BEN, PERSONS, SHOP_EUR = 10000, PRICE = 1250 };

static const char shop_source[] =
    "contract Shop version 1 {\n"
    "  role owner\n"
    "  currency EUR decimals 2\n"
    "  asset Machine { serial: text(12), hours: duration }\n"
    "  registry machines : Machine by serial max 8\n"
    "  map scores : text(12) -> int max 8\n"
    "  var level : int = 7\n"
    "  purse till : EUR falls to owner after 300 days\n"
    "  phases Open -> Shut\n"
    "  event Paid(n: int)\n"
    "  error TooMuch(n: int)\n"
    "  action make(serial: text(12)) by owner {\n"
    "    create Machine(serial: serial, hours: 0 h) in machines owned by caller\n"
    "  }\n"
    "  action score(name: text(12), n: int) by owner\n"
    "    needs n <= 100 else TooMuch(n)\n"
    "  { scores[name] = n }\n"
    "  action pay() by anyone receives 12.50 EUR into till { emit Paid(n: level) }\n"
    "  action look() by owner { history Looked(level: level) }\n"
    "  action work(serial: text(12), ran: duration) by owner {\n"
    "    machines[serial].hours += ran\n"
    "    history Serviced(ran: ran) of machines[serial]\n"
    "  }\n"
    "  action close() by owner { go Shut }\n"
    "  action out() by owner { pay rest of till to caller }\n"
    "  view level_plus(n: int) -> int { return level + n }\n"
    "  view of(name: text(12)) -> int { return scores[name] }\n"
    "}\n";

/* ---- a shop on a ledger, through the header alone ---- */

typedef struct shop {
    tw_store *store;
    tw_ledger *ledger;
    tw_arena *arena;
    tw_hash contract, eur;
    tw_secret secrets[PERSONS];
    tw_account accounts[PERSONS];
    uint64_t nonces[PERSONS];
    tw_bytes receipt; /* the newest, in the arena */
    uint8_t memory[TW_TX_SIZE_MAX];
    tw_err err;
} shop;

static tw_bytes kept(shop *s, tw_bytes bytes)
{
    return tw_bytes_of(tw_arena_copy(s->arena, bytes.data, bytes.size), bytes.size);
}

/* Signed by one person; in s->memory. */
static tw_bytes sign(shop *s, tw_request *request, int person)
{
    size_t size = 0;
    request->chain = *tw_ledger_chain(s->ledger);
    request->signers = &s->accounts[person];
    request->signer_count = 1;
    request->nonce = s->nonces[person];
    if (request->gas_limit == 0) {
        const tw_status bounded =
            tw_ledger_request_gas(s->ledger, request, &request->gas_limit, &s->err);
        cr_assert_eq(bounded, TW_OK, "%s", s->err.text);
    }
    cr_assert_eq(
        tw_request_sign(request, &s->secrets[person], s->memory, sizeof s->memory, &size, NULL),
        TW_OK);
    return tw_bytes_of(s->memory, size);
}

/* In a block of its own, a minute after the last: what became of it. */
static tw_status run_one(shop *s, tw_request *request, int person)
{
    tw_bytes receipt;
    tw_receipt_parts parts;
    const tw_bytes bytes = sign(s, request, person);
    const int64_t time = tw_ledger_head(s->ledger)->time + MINUTE;
    cr_assert_eq(tw_ledger_check(s->ledger, bytes, &s->err), TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_block_begin(s->ledger, time, &s->err), TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_block_execute(s->ledger, bytes, &receipt, &s->err), TW_OK, "%s", s->err.text);
    s->receipt = kept(s, receipt);
    s->nonces[person]++;
    cr_assert_eq(tw_block_commit(s->ledger, NULL, &s->err), TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_receipt_read(s->receipt, &parts), TW_OK);
    return parts.run.status;
}

/* `arguments` as they stand in a transaction. */
static tw_status act(shop *s, int person, const char *action, tw_bytes arguments)
{
    const tw_request_spend spend = {s->eur, PRICE};
    tw_request request = {.kind = TW_TX_CALL,
                          .contract = s->contract,
                          .action = action,
                          .arguments = arguments,
                          .spends = &spend,
                          .spend_count = strcmp(action, "pay") == 0};
    return run_one(s, &request, person);
}

/* A text of at most 12 bytes, then a number unless it is 0, as their canonical encodings. */
static tw_bytes encoded(shop *s, const char *word, int64_t number)
{
    uint8_t memory[32];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    if (word != NULL) tw_write_text(&w, word);
    if (number != 0) tw_write_i64(&w, number);
    cr_assert_not(w.bad);
    return kept(s, tw_writer_bytes(&w));
}

static shop *shop_on(tw_store *store)
{
    shop *s = tw_mem_new(sizeof *s);
    static const char *const names[] = {"ann", "ben"};
    s->store = store;
    s->arena = tw_arena_new(64 * MIB);
    for (int i = 0; i < PERSONS; i++) {
        tw_secret_from_seed(names[i], &s->secrets[i]);
        cr_assert(tw_secret_account(&s->secrets[i], &s->accounts[i]));
    }
    const tw_genesis_holder holder = {s->accounts[BEN], SHOP_EUR};
    const tw_genesis_asset asset = {"EUR", 2, &holder, 1};
    const tw_genesis genesis = {
        .name = "test", .time = start_time, .assets = &asset, .asset_count = 1};
    cr_assert_eq(tw_ledger_create(store, &genesis, &s->err), TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_ledger_open(store, NULL, &s->ledger, &s->err), TW_OK, "%s", s->err.text);
    s->eur = tw_ledger_asset_named(s->ledger, "EUR");
    return s;
}

static void shop_free(shop *s)
{
    tw_ledger_close(s->ledger);
    tw_store_close(s->store);
    tw_arena_free(s->arena);
    tw_mem_free(s);
}

static shop *shop_opened(tw_store *store)
{
    shop *s = shop_on(store);
    const tw_tx_role role = {&s->accounts[ANN], 1};
    tw_request request = {.kind = TW_TX_DEPLOY,
                          .module = compile(shop_source, s->arena),
                          .roles = &role,
                          .role_count = 1,
                          .currencies = &s->eur,
                          .currency_count = 1};
    cr_assert_eq(run_one(s, &request, ANN), TW_OK);
    cr_assert_eq(tw_request_contract(&request, &s->contract), TW_OK);
    return s;
}

/* With something under every name. */
static shop *shop_used(tw_store *store)
{
    shop *s = shop_opened(store);
    cr_assert_eq(act(s, ANN, "make", encoded(s, "M-1", 0)), TW_OK);
    cr_assert_eq(act(s, ANN, "score", encoded(s, "zoe", 42)), TW_OK);
    cr_assert_eq(act(s, BEN, "pay", tw_bytes_of(NULL, 0)), TW_OK);
    cr_assert_eq(act(s, ANN, "look", tw_bytes_of(NULL, 0)), TW_OK);
    cr_assert_eq(act(s, ANN, "work", encoded(s, "M-1", HOUR)), TW_OK);
    cr_assert_eq(act(s, ANN, "look", tw_bytes_of(NULL, 0)), TW_OK);
    return s;
}

static tw_bytes key_named(shop *s, const char *name, tw_bytes key)
{
    tw_bytes bytes;
    cr_assert_eq(tw_ledger_key(s->ledger, &s->contract, name, key, &bytes, &s->err), TW_OK, "%s",
                 s->err.text);
    return kept(s, bytes);
}

static const tw_bytes none = {NULL, 0};

/* ---- tests ---- */

Test(public, says_what_it_is)
{
    cr_expect_str_eq(tw_version(), TW_RELEASE);
    cr_expect_eq(tw_abi_version(), TW_ABI_VERSION);
    cr_expect_str_eq(tw_status_name(TW_ERR_SPACE), "ERR_SPACE");
    cr_expect(tw_status_is_host_failure(TW_ERR_SPACE) && tw_status_is_outcome(TW_OK));
}

Test(public, a_transaction_is_checked_and_nothing_happens)
{
    shop *s = shop_opened(store_in_memory());
    tw_request request = {.kind = TW_TX_CALL, .contract = s->contract, .action = "look"};
    const tw_bytes good = kept(s, sign(s, &request, ANN));
    const tw_hash head = tw_ledger_head(s->ledger)->hash;
    for (int round = 0; round < 2; round++) {
        cr_expect_eq(tw_ledger_check(s->ledger, good, &s->err), TW_OK, "%s", s->err.text);
    }
    for (size_t i = 0; i < good.size; i++) {
        tw_bytes bad = kept(s, good);
        ((uint8_t *)(uintptr_t)bad.data)[i] ^= 1;
        cr_expect_geq((int)tw_ledger_check(s->ledger, bad, &s->err), 100, "byte %zu", i);
        bad.size = i;
        cr_expect_geq((int)tw_ledger_check(s->ledger, bad, &s->err), 100, "cut at %zu", i);
    }
    s->nonces[ANN]++;
    cr_expect_eq(tw_ledger_check(s->ledger, sign(s, &request, ANN), &s->err), TW_REFUSED_NONCE);
    s->nonces[ANN]--;
    request.gas_limit--;
    cr_expect_eq(tw_ledger_check(s->ledger, sign(s, &request, ANN), &s->err), TW_REFUSED_GAS_LIMIT);
    cr_expect(tw_hash_equal(&head, &tw_ledger_head(s->ledger)->hash));
    cr_expect_eq(act(s, ANN, "look", none), TW_OK);
    shop_free(s);
}

Test(public, requests_that_make_no_transaction_are_refused)
{
    shop *s = shop_opened(store_in_memory());
    size_t size = 77;
    tw_request_spend spends[TW_TX_SIGNERS_MAX * 5] = {0};
    const tw_request good = {.kind = TW_TX_CALL,
                             .chain = *tw_ledger_chain(s->ledger),
                             .signers = s->accounts,
                             .signer_count = 1,
                             .contract = s->contract,
                             .action = "look",
                             .spends = spends};
    tw_request bad = good;
    bad.signer_count = 0;
    cr_expect_eq(tw_request_sign(&bad, s->secrets, s->memory, sizeof s->memory, &size, NULL),
                 TW_REFUSED_ARGUMENT);
    bad.signer_count = TW_TX_SIGNERS_MAX + 1;
    cr_expect_eq(tw_request_sign(&bad, s->secrets, s->memory, sizeof s->memory, &size, NULL),
                 TW_REFUSED_LIMIT);
    bad = good;
    bad.spend_count = 65;
    cr_expect_eq(tw_request_sign(&bad, s->secrets, s->memory, sizeof s->memory, &size, NULL),
                 TW_REFUSED_LIMIT);
    bad = good;
    bad.kind = (tw_tx_kind)8;
    cr_expect_eq(tw_request_sign(&bad, s->secrets, s->memory, sizeof s->memory, &size, NULL),
                 TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_request_sign(&good, s->secrets, s->memory, 100, &size, NULL), TW_REFUSED_LIMIT);
    const tw_secret zero = {{0}};
    cr_expect_eq(tw_request_sign(&good, &zero, s->memory, sizeof s->memory, &size, NULL),
                 TW_REFUSED_KEY);
    tw_hash id;
    cr_expect_eq(tw_request_contract(&good, &id), TW_REFUSED_ARGUMENT);
    cr_expect_eq(size, 77, "outputs of what failed stay as they were");
    tw_pack pack = {.field_count = TW_PACK_FIELDS_MAX + 1};
    cr_expect_eq(tw_pack_sign(&pack, &id, s->secrets, s->memory, sizeof s->memory, &size),
                 TW_REFUSED_LIMIT);
    cr_expect_eq(tw_file_module(tw_bytes_of("TWMF\1\0\0\0\x09", 9), &bad.module, &s->err),
                 TW_REFUSED_ENCODING);
    shop_free(s);
}

Test(public, receipts_are_taken_apart)
{
    shop *s = shop_used(store_in_memory());
    tw_receipt_parts parts;
    tw_run run;
    tw_event event;
    const char *name = NULL;
    cr_expect_eq(act(s, ANN, "score", encoded(s, "zoe", 101)), TW_FAIL_ERROR);
    cr_assert_eq(tw_receipt_read(s->receipt, &parts), TW_OK);
    const uint64_t height = tw_ledger_head(s->ledger)->height;
    cr_assert_eq(tw_ledger_name(s->ledger, &s->contract, height, 0, TW_NAME_ERROR, parts.run.index,
                                &name, &s->err),
                 TW_OK);
    cr_expect_str_eq(name, "TooMuch");
    cr_expect_eq(tw_load_u64(parts.run.fields.data), 101);
    cr_assert_eq(tw_ledger_name(s->ledger, &s->contract, height, 0, TW_NAME_ENTRY, parts.run.entry,
                                &name, &s->err),
                 TW_OK);
    cr_expect_str_eq(name, "score");
    for (int kind = TW_NAME_ENTRY; kind <= TW_NAME_REGISTRY; kind++) {
        cr_expect_eq(tw_ledger_name(s->ledger, &s->contract, height, 0, (tw_name_kind)kind, 500,
                                    &name, &s->err),
                     TW_REFUSED_NOT_FOUND);
    }
    cr_expect_eq(tw_receipt_handler(s->receipt, 0, &run), TW_REFUSED_NOT_FOUND);
    for (size_t cut = 0; cut < s->receipt.size; cut++) {
        cr_expect_eq(tw_receipt_read(tw_bytes_of(s->receipt.data, cut), &parts),
                     TW_REFUSED_ENCODING);
    }
    cr_assert_eq(act(s, BEN, "pay", none), TW_OK);
    cr_assert_eq(tw_receipt_read(s->receipt, &parts), TW_OK);
    tw_bytes notices = parts.run.notices;
    bool paid = false, moved = false;
    while (tw_event_next(&notices, &event)) {
        paid = paid || (event.kind == TW_EVENT_SENT && tw_load_u64(event.fields.data) == 7);
        moved = moved || (event.kind == TW_EVENT_MONEY && event.amount == PRICE && event.way == 1 &&
                          event.from_purse == 0xFFFF && event.to_purse == 0 &&
                          tw_account_equal(&event.from, &s->accounts[BEN]));
    }
    cr_expect(paid && moved && notices.size == 0);
    notices = tw_bytes_of("\x09\x00", 2);
    cr_expect(!tw_event_next(&notices, &event) && notices.size == 2);
    shop_free(s);
}

Test(public, blocks_are_bytes_that_another_ledger_executes)
{
    shop *s = shop_used(store_in_memory());
    shop *other = shop_on(store_in_memory());
    tw_block_parts parts;
    tw_bytes block, item;
    const uint64_t newest = tw_ledger_head(s->ledger)->height;
    for (uint64_t h = 1; h <= newest; h++) {
        cr_assert_eq(tw_ledger_block_bytes(s->ledger, h, &block, &s->err), TW_OK);
        block = kept(s, block);
        cr_assert_eq(tw_block_read(block, &parts), TW_OK);
        cr_expect_eq(parts.info.height, h);
        cr_expect(parts.transactions.left == 1 && parts.receipts.left == 1);
        cr_expect(tw_items_next(&parts.transactions, &item) && item.size > 100);
        cr_expect_not(tw_items_next(&parts.transactions, &item));
        uint8_t *bytes = (uint8_t *)(uintptr_t)block.data;
        for (size_t at = h; at < block.size; at += 37) {
            bytes[at] ^= 4;
            const tw_status status = tw_ledger_replay(other->ledger, block, &s->err);
            cr_expect(status == TW_ERR_CORRUPT || (int)status >= 100, "byte %zu: %d", at, status);
            bytes[at] ^= 4;
            cr_expect_eq(tw_block_read(tw_bytes_of(block.data, at), &parts), TW_REFUSED_ENCODING);
        }
        cr_assert_eq(tw_ledger_replay(other->ledger, block, &s->err), TW_OK, "%s", s->err.text);
        cr_expect_eq(tw_ledger_replay(other->ledger, block, &s->err), TW_REFUSED_ARGUMENT);
    }
    cr_expect_eq(tw_ledger_settle(other->ledger, &s->err), TW_OK);
    cr_expect(
        tw_hash_equal(&tw_ledger_head(s->ledger)->hash, &tw_ledger_head(other->ledger)->hash));
    const tw_bytes before = block;
    cr_expect_eq(tw_ledger_block_bytes(s->ledger, newest + 1, &block, &s->err),
                 TW_REFUSED_NOT_FOUND);
    cr_expect(block.data == before.data && block.size == before.size, "written on TW_OK only");
    cr_assert_eq(tw_ledger_block_bytes(s->ledger, newest, &block, &s->err), TW_OK);
    cr_expect_eq(s->err.text[0], '\0', "no sentence of the question before");
    shop_free(other);
    shop_free(s);
}

static tw_status ask(shop *s, const char *view, tw_bytes arguments, tw_answer *ret_answer)
{
    return tw_ledger_ask(s->ledger, &s->contract, view, arguments, tw_ledger_head(s->ledger)->time,
                         ret_answer, &s->err);
}

Test(public, views_are_asked_by_name)
{
    shop *s = shop_used(store_in_memory());
    tw_answer answer;
    const tw_hash nobody = {{1}};
    cr_assert_eq(ask(s, "level_plus", encoded(s, NULL, 5), &answer), TW_OK);
    cr_expect(answer.status == TW_OK && tw_load_u64(answer.result.data) == 12 && answer.gas > 0);
    cr_assert_eq(ask(s, "of", encoded(s, "zoe", 0), &answer), TW_OK);
    cr_expect_eq(tw_load_u64(answer.result.data), 42);
    cr_assert_eq(ask(s, "of", encoded(s, "kim", 0), &answer), TW_OK);
    cr_expect(answer.status == TW_TRAP_NO_KEY && answer.result.size == 0);
    cr_expect_eq(ask(s, "look", none, &answer), TW_REFUSED_NOT_FOUND, "an action is no view");
    cr_expect_eq(ask(s, "of", none, &answer), TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_ledger_ask(s->ledger, &nobody, "of", none, start_time, &answer, &s->err),
                 TW_REFUSED_NOT_FOUND);
    cr_expect_eq(
        tw_ledger_ask(s->ledger, &s->contract, "of", encoded(s, "zoe", 0), -1, &answer, &s->err),
        TW_REFUSED_TIME);
    tw_asset_info info;
    bool found = false;
    int64_t amount = 0;
    cr_assert_eq(tw_ledger_asset_info(s->ledger, &s->eur, &info, &found), TW_OK);
    cr_expect(found && info.supply == SHOP_EUR && info.decimals == 2);
    cr_expect_str_eq(info.name, "EUR");
    cr_expect_eq(tw_ledger_asset_info(s->ledger, &nobody, &info, &found), TW_OK);
    cr_expect_not(found);
    cr_expect_eq(tw_ledger_balance(s->ledger, &s->eur, &s->accounts[BEN], &amount), TW_OK);
    cr_expect_eq(amount, SHOP_EUR - PRICE);
    shop_free(s);
}

Test(public, what_a_contract_holds_has_keys)
{
    shop *s = shop_used(store_in_memory());
    tw_bytes value, key;
    bool found = false;
    cr_assert_eq(
        tw_ledger_get(s->ledger, key_named(s, "machines", encoded(s, "M-1", 0)), &value, &found),
        TW_OK);
    cr_expect(found && value.data[0] == 1);
    cr_assert_eq(tw_ledger_get(s->ledger, key_named(s, "level", none), &value, &found), TW_OK);
    cr_expect(found && tw_load_u64(value.data + 1) == 7);
    cr_assert_eq(
        tw_ledger_get(s->ledger, key_named(s, "scores", encoded(s, "zoe", 0)), &value, &found),
        TW_OK);
    cr_expect(found && tw_load_u64(value.data + 1) == 42);
    cr_assert_eq(tw_ledger_get(s->ledger, key_named(s, "till", none), &value, &found), TW_OK);
    cr_expect(found && tw_load_u64(value.data + 1) == PRICE);
    cr_assert_eq(
        tw_ledger_get(s->ledger, key_named(s, "scores", encoded(s, "kim", 0)), &value, &found),
        TW_OK);
    cr_expect_not(found);
    cr_assert_eq(tw_ledger_get(s->ledger, key_named(s, "phase", none), &value, &found), TW_OK);
    cr_expect(found);
    cr_assert_eq(tw_ledger_balance_key(s->ledger, &s->eur, &s->accounts[BEN], &key), TW_OK);
    cr_assert_eq(tw_ledger_get(s->ledger, kept(s, key), &value, &found), TW_OK);
    cr_expect(found && tw_load_u64(value.data + 1) == SHOP_EUR - PRICE);
    cr_expect_eq(tw_ledger_key(s->ledger, &s->contract, "nothing", none, &key, &s->err),
                 TW_REFUSED_NOT_FOUND);
    cr_expect_eq(tw_ledger_key(s->ledger, &s->contract, "level", encoded(s, "a", 0), &key, &s->err),
                 TW_REFUSED_ARGUMENT);
    cr_expect_eq(
        tw_ledger_key(s->ledger, &s->contract, "scores", encoded(s, NULL, 3), &key, &s->err),
        TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_ledger_key(s->ledger, &s->contract, "till", encoded(s, "a", 0), &key, &s->err),
                 TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_ledger_get(s->ledger, none, &value, &found), TW_REFUSED_ARGUMENT);
    shop_free(s);
}

Test(public, the_state_is_read_in_order)
{
    shop *s = shop_used(store_in_memory());
    tw_bytes key = none, value;
    tw_bytes last = none;
    bool found = true;
    uint32_t count = 0, below = 0;
    const tw_bytes prefix = tw_bytes_of(s->contract.bytes, 0);
    for (;; count++) {
        cr_assert_eq(tw_ledger_next(s->ledger, prefix, key, &key, &value, &found), TW_OK);
        if (!found) break;
        cr_expect(value.size > 0 && tw_bytes_compare(last, key) < 0);
        last = kept(s, key);
        below += key.data[0] == 0x10;
    }
    tw_iter *iter = NULL;
    uint32_t rows = 0;
    cr_assert_eq(tw_iter_open(s->store, TW_TABLE_STATE, none, &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    for (; tw_iter_here(iter, NULL, NULL); rows++) cr_assert_eq(tw_iter_next(iter), TW_OK);
    tw_iter_close(iter);
    cr_expect_eq(count, rows);
    const tw_bytes contracts = tw_bytes_of("\x10", 1);
    cr_assert_eq(tw_ledger_next(s->ledger, contracts, none, &key, &value, &found), TW_OK);
    cr_expect(found && key.size == 33 && below == 1);
    cr_assert_eq(tw_ledger_next(s->ledger, contracts, key, &key, &value, &found), TW_OK);
    cr_expect_not(found);
    shop_free(s);
}

Test(public, facts_and_histories_are_proved)
{
    shop *s = shop_used(store_in_memory());
    tw_bytes file;
    tw_proof_fact fact;
    const tw_block_info head = *tw_ledger_head(s->ledger);
    tw_hash other = head.state_root;
    other.bytes[31] ^= 1;
    cr_assert_eq(tw_ledger_proof(s->ledger, key_named(s, "level", none), false, &file, &s->err),
                 TW_OK);
    cr_expect_eq(tw_proof_file_check(file, &head.state_root, NULL, &fact, &s->err), TW_OK);
    cr_expect_eq(tw_proof_file_check(file, NULL, &head.hash, &fact, &s->err), TW_OK);
    cr_expect(fact.found && tw_load_u64(fact.value.data + 1) == 7 && !fact.is_history);
    cr_expect_eq(fact.block.height, head.height);
    cr_expect_eq(tw_proof_file_check(file, &other, NULL, &fact, &s->err), TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_proof_file_check(file, NULL, NULL, &fact, &s->err), TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_proof_file_check(tw_bytes_of(file.data, file.size - 1), NULL, &head.hash, &fact,
                                     &s->err),
                 TW_REFUSED_ENCODING);
    const tw_bytes absent = key_named(s, "scores", encoded(s, "kim", 0));
    cr_assert_eq(tw_ledger_proof(s->ledger, absent, true, &file, &s->err), TW_OK);
    cr_assert_eq(tw_proof_file_check(file, NULL, &head.hash, &fact, &s->err), TW_OK);
    cr_expect_not(fact.found);
    cr_expect_eq(tw_ledger_proof_ics23(s->ledger, absent, &file, &s->err), TW_OK);
    cr_expect(file.size > 100);
    cr_expect_eq(tw_ledger_proof(s->ledger, none, true, &file, &s->err), TW_REFUSED_ARGUMENT);
    cr_assert_eq(tw_ledger_history_proof(s->ledger, &s->contract, NULL, none, &file, &s->err),
                 TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_proof_file_check(file, NULL, &head.hash, &fact, &s->err), TW_OK);
    cr_expect(fact.is_history && fact.entry_count == 2);
    cr_assert_eq(tw_ledger_history_proof(s->ledger, &s->contract, "machines", encoded(s, "M-1", 0),
                                         &file, &s->err),
                 TW_OK, "%s", s->err.text);
    cr_assert_eq(tw_proof_file_check(file, NULL, &head.hash, &fact, &s->err), TW_OK, "%s",
                 s->err.text);
    cr_expect(fact.is_history && fact.entry_count == 1);
    cr_expect_eq(tw_ledger_history_proof(s->ledger, &s->contract, "scores", encoded(s, "zoe", 0),
                                         &file, &s->err),
                 TW_REFUSED_NOT_FOUND);
    shop_free(s);
}

static void hear(void *context, const char *sentence)
{
    (void)sentence;
    ++*(int *)context;
}

static void see(void *context, const char *what, uint64_t done)
{
    (void)context;
    (void)what;
    (void)done;
}

Test(public, a_view_stands_still_and_only_reads)
{
    char path[64];
    folder_make(path);
    shop *s = shop_used(store_on_disk(path));
    tw_ledger *view = NULL, *past = NULL;
    tw_answer answer;
    tw_bytes value;
    bool found = false;
    uint64_t count = 0;
    cr_assert_eq(tw_ledger_open_view(s->ledger, &view, &s->err), TW_OK, "%s", s->err.text);
    const tw_block_info head = *tw_ledger_head(view);
    const tw_bytes key = key_named(s, "scores", encoded(s, "zoe", 0));
    cr_assert_eq(act(s, ANN, "score", encoded(s, "zoe", 43)), TW_OK);
    cr_assert_eq(act(s, ANN, "score", encoded(s, "kim", 1)), TW_OK);
    cr_assert_eq(tw_ledger_prune(s->ledger, 1, 100, &count, &s->err), TW_OK);
    cr_expect(tw_hash_equal(&head.hash, &tw_ledger_head(view)->hash));
    cr_assert_eq(tw_ledger_get(view, key, &value, &found), TW_OK);
    cr_expect(found && tw_load_u64(value.data + 1) == 42);
    cr_assert_eq(tw_ledger_open_past(view, 2, &past, &s->err), TW_OK, "%s", s->err.text);
    cr_assert_eq(
        tw_ledger_ask(past, &s->contract, "of", encoded(s, "zoe", 0), start_time, &answer, &s->err),
        TW_OK);
    cr_expect_eq(answer.status, TW_TRAP_NO_KEY, "in block 2 nobody had a score");
    for (int i = 0; i < 2; i++) {
        tw_ledger *reads = i == 0 ? view : past;
        tw_ledger *again = NULL;
        cr_expect_eq(tw_block_begin(reads, head.time + DAY, &s->err), TW_REFUSED_ARGUMENT);
        cr_expect_eq(tw_ledger_rollback(reads, &s->err), TW_REFUSED_ARGUMENT);
        cr_expect_eq(tw_ledger_prune(reads, 1, 1, &count, &s->err), TW_REFUSED_ARGUMENT);
        cr_expect_eq(tw_ledger_open_view(reads, &again, &s->err), TW_REFUSED_ARGUMENT);
    }
    tw_ledger_close(past);
    tw_ledger_close(view);
    uint64_t problems = 1;
    int heard = 0;
    cr_expect_eq(tw_store_audit(s->store, 64 * MIB, hear, see, &heard, &problems, &s->err), TW_OK);
    cr_expect(problems == 0 && heard == 0);
    shop_free(s);
    folder_remove(path);
    s = shop_opened(store_in_memory());
    cr_expect_eq(tw_ledger_open_view(s->ledger, &view, &s->err), TW_REFUSED_ARGUMENT);
    shop_free(s);
}

Test(public, what_an_audit_finds_is_told)
{
    shop *s = shop_used(store_in_memory());
    uint64_t problems = 0;
    int heard = 0;
    tw_batch *batch = tw_batch_new(MIB);
    tw_batch_put(batch, TW_TABLE_STATE, key_named(s, "level", none),
                 tw_bytes_of("\1\0\0\0\0\0\0\0\x08", 9));
    cr_assert_eq(tw_store_commit(s->store, batch, false, &s->err), TW_OK);
    tw_batch_free(batch);
    cr_expect_eq(tw_store_audit(s->store, 64 * MIB, hear, NULL, &heard, &problems, &s->err), TW_OK);
    cr_expect(problems > 0 && (uint64_t)heard == problems);
    shop_free(s);
}

Test(public, a_device_signs_its_readings)
{
    rig *r = rig_deployed();
    static uint8_t packed[4096], memory[4096];
    size_t size = 0;
    tw_bytes receipt;
    tw_receipt_parts parts;
    tw_pack_item item = {0, start_time + MINUTE, LOW_UM};
    const tw_pack pack = pack_of(r, &item, 1);
    cr_assert_eq(tw_pack_sign(&pack, tw_ledger_chain(r->ledger), &r->secrets[SENSOR_1], packed,
                              sizeof packed, &size),
                 TW_OK);
    tw_request request = {.kind = TW_TX_PACK,
                          .chain = *tw_ledger_chain(r->ledger),
                          .signers = &r->accounts[STRANGER],
                          .signer_count = 1,
                          .pack = tw_bytes_of(packed, size)};
    cr_assert_eq(tw_ledger_request_gas(r->ledger, &request, &request.gas_limit, &r->err), TW_OK);
    cr_assert_eq(
        tw_request_sign(&request, &r->secrets[STRANGER], memory, sizeof memory, &size, NULL),
        TW_OK);
    begin(r, start_time + MINUTE);
    cr_assert_eq(tw_block_execute(r->ledger, tw_bytes_of(memory, size), &receipt, &r->err), TW_OK,
                 "%s", r->err.text);
    cr_assert_eq(tw_receipt_read(receipt, &parts), TW_OK);
    cr_expect(parts.is_pack && parts.accepted == 1 && parts.refused == 0);
    (void)commit(r);
    rig_free(r);
}
