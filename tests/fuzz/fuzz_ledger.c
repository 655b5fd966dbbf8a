/* fuzz_ledger -- bytes as a day in the life of a ledger: each says what happens next, calls, packs
 * good and bad, time that passes, blocks given up, the ledger closed and opened.
 *
 * After each block the index of timers and of waiting edges must be that of the contract's control
 * record, the contract's invariant must hold, and balances and fuel must be all that there is; at
 * the end the blocks are replayed on a second ledger, which must come to the same head. Inputs of
 * odd size are days on a ledger that takes fees.
 */
#include "compiler/twc.h"
#include "tests/fuzz/check.h"
#include "tests/unit/rig_source.h"
#include "vm/exec/device.h"
#include "vm/ledger/ledger.h"

#include <string.h>

enum { MEMORY_MAX = 256 * 1024 * 1024, STEPS_MAX = 60, ITEMS_MAX = 12, PEOPLE = 7 };
enum { GAS_PRICE = 70, FORTUNE = 1000000000 };
enum { OWNER, KEEPER, SENSOR_1, SENSOR_2, STRANGER, NOBODY, KEEPER_2 };

static const int64_t start_time = 1767225600000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct life {
    tw_reader r; /* what happens next */
    tw_store *store;
    tw_ledger *ledger;
    tw_arena *arena;
    tw_secret secrets[PEOPLE];
    tw_account accounts[PEOPLE];
    tw_hash contract;
    tw_hash money;
    int64_t now;
    bool open;
    bool priced; /* the ledger takes fees */
} life;

static uint32_t pick(life *l, uint32_t limit)
{
    return tw_read_u8(&l->r) % limit;
}

static void ledger_open(life *l)
{
    const tw_ledger_options options = {.no_sync = true};
    tw_err err;
    check(tw_ledger_open(l->store, &options, &l->ledger, &err) == TW_OK);
}

static void ledger_new(life *l)
{
    static const char *const names[PEOPLE] = {"o", "k", "s1", "s2", "x", "n", "k2"};
    tw_genesis_holder holders[PEOPLE];
    tw_err err;
    for (int i = 0; i < PEOPLE; i++) {
        tw_secret_from_seed(names[i], &l->secrets[i]);
        (void)tw_secret_account(&l->secrets[i], &l->accounts[i]);
        holders[i] = (tw_genesis_holder){l->accounts[i], FORTUNE};
    }
    const tw_genesis_asset asset = {"EUR", 2, holders, PEOPLE};
    const tw_genesis genesis = {.name = "fuzz",
                                .time = start_time,
                                .assets = &asset,
                                .asset_count = 1,
                                .gas_price = l->priced ? GAS_PRICE : 0,
                                .fee_account = l->accounts[NOBODY]};
    l->money = tw_bank_chain_asset("fuzz", "EUR");
    l->arena = tw_arena_new(MEMORY_MAX);
    check(tw_store_open_memory(MEMORY_MAX, &l->store) == TW_OK);
    check(tw_ledger_create(l->store, &genesis, &err) == TW_OK);
    ledger_open(l);
    l->now = start_time;
}

static void ledger_free(life *l)
{
    tw_ledger_close(l->ledger);
    tw_store_close(l->store);
    tw_arena_free(l->arena);
}

/* ---- transactions ---- */

/* Whatever is asked for, the block takes it: it can be done, or fail. */
static void add(life *l, tw_tx *tx, int sender)
{
    tw_receipt receipt;
    tw_err err;
    tw_hash id;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tx->chain = *tw_ledger_chain(l->ledger);
    check(tw_ledger_nonce(l->ledger, &l->accounts[sender], &tx->nonce) == TW_OK);
    tx->gas_limit = 20000000000;
    tx->signer_count = 1;
    tx->signers[0] = l->accounts[sender];
    check(tw_tx_encode(tx, &l->secrets[sender], &w, &id) == TW_OK);
    check(tw_block_add(l->ledger, tw_writer_bytes(&w), &receipt, &err) == TW_OK);
    check(receipt.run.gas <= tx->gas_limit && tw_status_is_outcome(receipt.run.status));
    check(tw_block_add(l->ledger, tw_writer_bytes(&w), &receipt, &err) == TW_REFUSED_NONCE);
    tw_writer_free(&w);
}

static void deploy(life *l, tw_bytes module)
{
    tw_account keepers[2] = {l->accounts[KEEPER], l->accounts[KEEPER_2]};
    if (tw_account_compare(&keepers[0], &keepers[1]) > 0) {
        keepers[0] = l->accounts[KEEPER_2];
        keepers[1] = l->accounts[KEEPER];
    }
    const tw_tx_role roles[3] = {
        {&l->accounts[OWNER], 1}, {keepers, 2}, {&l->accounts[SENSOR_1], 1}};
    tw_tx tx = {.kind = TW_TX_DEPLOY, .module = module, .role_count = 3};
    tw_tx_role copy[3];
    bool found = false;
    tw_err err;
    memcpy(copy, roles, sizeof copy);
    tx.roles = copy;
    check(tw_block_begin(l->ledger, start_time, &err) == TW_OK);
    add(l, &tx, OWNER);
    check(tw_block_commit(l->ledger, NULL, &err) == TW_OK);
    check(tw_ledger_next_contract(l->ledger, NULL, &l->contract, &found) == TW_OK && found);
}

static void call(life *l, int sender, const char *entry, const void *arguments, size_t size)
{
    tw_tx tx = {.kind = TW_TX_CALL,
                .contract = l->contract,
                .entry = tw_bytes_of(entry, strlen(entry)),
                .arguments = tw_bytes_of(arguments, size)};
    add(l, &tx, sender);
}

/* A tick, fuel of a few amounts, or a transfer. */
static void move(life *l, uint8_t what)
{
    static const int64_t amounts[] = {1, 10, 100, 1000, FORTUNE, INT64_MAX};
    tw_tx tx = {.kind = TW_TX_TICK, .contract = l->contract};
    if (what == 2) tx.kind = TW_TX_FUEL;
    if (what == 3) tx.kind = TW_TX_TRANSFER;
    tx.asset = l->money;
    tx.payee = l->accounts[pick(l, PEOPLE)];
    tx.amount = amounts[pick(l, 6)];
    add(l, &tx, STRANGER);
}

static void swap(life *l)
{
    const uint32_t from = SENSOR_1 + pick(l, 2);
    tw_account both[2] = {l->accounts[from], l->accounts[SENSOR_1 + pick(l, 2)]};
    call(l, OWNER, "swap", both, sizeof both);
}

static const uint8_t *record_of(life *l, int device)
{
    tw_contract *c = NULL;
    tw_err err;
    const uint8_t *record = NULL;
    bool found = false;
    check(tw_ledger_contract(l->ledger, &l->contract, l->arena, &c, &err) == TW_OK);
    check(tw_device_get(c, &l->accounts[device], &record, &found) == TW_OK);
    return found ? record : NULL;
}

/* A pack of either sensor; one in eight is signed, numbered or dated wrongly. */
static void pack(life *l)
{
    static const int64_t values[] = {50000, 90000, 89999, 100000, 100001, 150000, 10000001, -1};
    static const int64_t steps[] = {0, 1, 400, 1000, 1000, 1000, 9000, 20001};
    const int device = SENSOR_1 + (int)pick(l, 2);
    const uint8_t *record = record_of(l, device);
    const uint32_t fault = pick(l, 32);
    tw_pack_item items[ITEMS_MAX];
    const uint16_t count = (uint16_t)(1 + pick(l, ITEMS_MAX));
    const int64_t step = steps[pick(l, 8)];
    const int64_t value = values[pick(l, 8)];
    for (uint16_t i = 0; i < count; i++) {
        items[i] = (tw_pack_item){0, l->now - step * (count - 1 - i), value};
    }
    if (fault == 1) items[count - 1].time++;
    tw_pack p = {.contract = l->contract,
                 .device = l->accounts[device],
                 .grant = record != NULL ? tw_load_u64(record + TW_DEVICE_GRANT) : 1,
                 .sequence = record != NULL ? tw_load_u64(record + TW_DEVICE_SEQUENCE) + 1 : 1,
                 .fields = {tw_bytes_of("level", fault == 2 ? 4 : 5)},
                 .field_count = 1,
                 .items = items,
                 .item_count = count};
    p.sequence += (fault == 3) - (uint64_t)(fault == 4);
    p.grant += fault == 5;
    const int signer = fault == 6 ? NOBODY : device;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    check(tw_pack_encode(&p, tw_ledger_chain(l->ledger), &l->secrets[signer], &w) == TW_OK);
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&w)};
    add(l, &tx, STRANGER);
    tw_writer_free(&w);
}

/* ---- blocks ---- */

static void begin(life *l)
{
    static const int64_t steps[] = {0,     1,     1000,   5000,   10000,   59999,
                                    60000, 60001, 300000, 600000, 3600000, 90000000};
    tw_err err;
    l->now += steps[pick(l, sizeof steps / sizeof steps[0])];
    check(tw_block_begin(l->ledger, l->now, &err) == TW_OK);
    l->open = true;
}

/* Keys of one index: each names what the control record says, and there are no others. */
static void check_index(life *l, const tw_contract *c, tw_space space, uint32_t wanted)
{
    const tw_key prefix = tw_key_start(space);
    tw_iter *iter = NULL;
    tw_bytes key;
    uint32_t count = 0;
    check(tw_iter_open(l->store, TW_TABLE_STATE, tw_key_bytes(&prefix), &iter) == TW_OK);
    check(tw_iter_first(iter) == TW_OK);
    while (tw_iter_here(iter, &key, NULL)) {
        const int64_t due = (int64_t)tw_load_u64(key.data + 1);
        const uint16_t what = (uint16_t)(key.data[41] << 8 | key.data[42]);
        check(key.size == 43);
        if (space == TW_SPACE_TIMER) check(c->control.timers[what].due == due);
        if (space == TW_SPACE_PENDING) {
            check(c->control.alarms[what].indexed == due);
            check(c->control.alarms[what].due == due);
            check(tw_pending_handler(c, what) != TW_NONE);
        }
        count++;
        check(tw_iter_next(iter) == TW_OK);
    }
    check(count == wanted);
    tw_iter_close(iter);
}

static void check_money(life *l)
{
    int64_t sum = 0;
    check(tw_ledger_fuel(l->ledger, &l->contract, &sum) == TW_OK);
    for (int i = 0; i < PEOPLE; i++) {
        int64_t amount = 0;
        check(tw_ledger_balance(l->ledger, &l->money, &l->accounts[i], &amount) == TW_OK);
        sum += amount;
    }
    check(sum == (int64_t)PEOPLE * FORTUNE);
}

static void check_state(life *l)
{
    tw_contract *c = NULL;
    tw_err err;
    tw_outcome outcome;
    const uint8_t zero[8] = {0};
    tw_arena_clear(l->arena);
    check(tw_ledger_contract(l->ledger, &l->contract, l->arena, &c, &err) == TW_OK);
    const tw_module *m = c->code->module;
    uint32_t timers = 0;
    uint32_t edges = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        bool waits = false;
        check(tw_ledger_timer_waits(l->ledger, c, i, &waits) == TW_OK);
        check(!waits || (l->priced && c->control.timers[i].due <= l->now));
        timers += c->control.timers[i].due != TW_NEVER && !waits;
    }
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        const tw_alarm_state *a = &c->control.alarms[i];
        const bool waits = tw_ledger_edge_waits(c, i);
        check(!waits || (l->priced && a->due <= l->now));
        edges += a->edge != TW_EDGE_NONE && tw_pending_handler(c, i) != TW_NONE && !waits;
        if (a->edge == TW_EDGE_RAISED) check(a->up);
        if (a->edge == TW_EDGE_CLEARED) check(!a->up);
    }
    check_index(l, c, TW_SPACE_TIMER, timers);
    check_index(l, c, TW_SPACE_PENDING, edges);
    const uint16_t total = tw_module_entry(m, TW_ENTRY_VIEW, "total");
    check(tw_ledger_view(l->ledger, &l->contract, NULL, total, tw_bytes_of(zero, 8), l->now,
                         &outcome, &err) == TW_OK);
    check(outcome.status == TW_OK && (int64_t)tw_load_u64(outcome.fields.data) <= 5);
    int64_t due = 0;
    bool found = false;
    check(tw_ledger_next_due(l->ledger, &due, &found) == TW_OK);
    /* fuel puts back what was due */
    check(!found || due > l->now || due > tw_ledger_head(l->ledger)->time || l->priced);
    check_money(l);
}

static void end(life *l, bool keep)
{
    tw_err err;
    l->open = false;
    if (keep) {
        check(tw_block_commit(l->ledger, NULL, &err) == TW_OK);
    } else {
        tw_block_abort(l->ledger);
        l->now = tw_ledger_head(l->ledger)->time;
    }
    check_state(l);
}

static void step(life *l)
{
    uint8_t number[8];
    const uint32_t what = pick(l, 16);
    if (what == 15 && l->open) {
        end(l, pick(l, 4) != 0);
        return;
    }
    if (what == 14 && !l->open) {
        tw_ledger_close(l->ledger);
        ledger_open(l);
        return;
    }
    if (!l->open) begin(l);
    tw_store_u64(number, pick(l, 8));
    number[0] = what == 0 ? 0xFF : 0;
    if (what <= 1) call(l, OWNER, "add", number, 8);
    if (what == 2) call(l, KEEPER, "open", "", 0);
    if (what == 3 && number[7] == 0) call(l, OWNER, "halt", "", 0);
    if (what == 3 && number[7] > 0 && number[7] < 4) move(l, number[7]);
    if (what == 4) call(l, OWNER, "break_it", number + 7, 1);
    if (what == 5) swap(l);
    if (what >= 6 && what < 12) pack(l);
    if (what >= 12 && what < 15) end(l, true);
}

static void replay(life *l)
{
    life other = {.priced = l->priced};
    tw_err err;
    ledger_new(&other);
    const uint64_t height = tw_ledger_head(l->ledger)->height;
    for (uint64_t i = 1; i <= height; i++) {
        tw_block block;
        check(tw_ledger_block(l->ledger, i, l->arena, &block, &err) == TW_OK);
        check(tw_ledger_replay_block(other.ledger, &block, &err) == TW_OK);
        tw_arena_clear(l->arena);
    }
    const tw_block_info *a = tw_ledger_head(l->ledger);
    const tw_block_info *b = tw_ledger_head(other.ledger);
    check(tw_hash_equal(&a->hash, &b->hash));
    ledger_free(&other);
}

/* Compiled once: the compiler is not what is tried here. */
static tw_bytes rig_module(void)
{
    static uint8_t module[TW_MODULE_SIZE_MAX];
    static size_t module_size;
    if (module_size == 0) {
        twc_result *result = twc_compile("rig.twc", rig_source, sizeof rig_source - 1);
        check(result != NULL && twc_result_unit_count(result) == 1);
        const tw_bytes bytes = twc_result_unit(result, 0)->module;
        memcpy(module, bytes.data, bytes.size);
        module_size = bytes.size;
        twc_result_free(result);
    }
    return tw_bytes_of(module, module_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    life l = {.r = tw_reader_of(tw_bytes_of(data, size)), .priced = size % 2 == 1};
    const tw_bytes module = rig_module();
    ledger_new(&l);
    deploy(&l, module);
    for (int i = 0; i < STEPS_MAX && tw_reader_left(&l.r) > 0; i++) step(&l);
    if (l.open) end(&l, true);
    replay(&l);
    ledger_free(&l);
    return 0;
}
