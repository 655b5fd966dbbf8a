/* ledger_fixture -- what the tests of vm/ledger share: a ledger in memory, people with keys, a
 * contract compiled from source, and short ways to deploy, call and send packs. */
#ifndef TW_TESTS_LEDGER_FIXTURE_H
#define TW_TESTS_LEDGER_FIXTURE_H

#include "compiler/twc.h"
#include "tests/unit/rig_source.h"
#include "tests/unit/state_fixture.h"
#include "vm/exec/device.h"
#include "vm/ledger/ledger.h"

#include <criterion/criterion.h>

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const int64_t start_time = 1767225600000; /* 2026-01-01T00:00:00Z */

typedef enum who { OWNER, KEEPER_1, KEEPER_2, KEEPER_3, SENSOR_1, SENSOR_2, STRANGER, WHO_END } who;

/* The rig's events, in the order of the page. */
enum { EVENT_RAISED, EVENT_LOWERED, EVENT_QUIET, EVENT_WAITED };
enum { LIMIT_UM = 100000, HIGH_UM = 150000, LOW_UM = 50000 }; /* micrometres */

typedef struct rig {
    tw_store *store;
    tw_ledger *ledger;
    tw_arena *arena;
    tw_secret secrets[WHO_END];
    tw_account accounts[WHO_END];
    uint64_t nonces[WHO_END];
    uint64_t gas_limit; /* of transactions that name none; 0: none at all */
    tw_bytes module;    /* in the arena */
    tw_code *code;
    tw_hash contract;
    uint64_t grant;    /* of the device that `feed` speaks for */
    uint64_t sequence; /* of its last pack */
    tw_receipt receipt;
    tw_err err;
} rig;

static inline tw_bytes compile(const char *source, tw_arena *arena)
{
    twc_result *result = twc_compile("rig.twc", source, strlen(source));
    cr_assert_not_null(result);
    cr_assert_eq(twc_result_error_count(result), 0, "%s", twc_result_report(result, false));
    const tw_bytes module = twc_result_unit(result, 0)->module;
    const tw_bytes copy = tw_bytes_of(tw_arena_copy(arena, module.data, module.size), module.size);
    twc_result_free(result);
    return copy;
}

/* A ledger at its genesis on a store that it takes over. */
static inline rig *rig_on(tw_store *store, const char *source, const tw_genesis *genesis)
{
    static const char *const names[WHO_END] = {"owner",    "keeper 1", "keeper 2", "keeper 3",
                                               "sensor 1", "sensor 2", "stranger"};
    rig *r = tw_mem_new(sizeof *r);
    const tw_ledger_options options = {.no_sync = true};
    r->store = store;
    r->arena = tw_arena_new(64 * MIB);
    for (int i = 0; i < WHO_END; i++) {
        tw_secret_from_seed(names[i], &r->secrets[i]);
        cr_assert(tw_secret_account(&r->secrets[i], &r->accounts[i]));
    }
    cr_assert_eq(tw_ledger_create(r->store, genesis, &r->err), TW_OK, "%s", r->err.text);
    cr_assert_eq(tw_ledger_open(r->store, &options, &r->ledger, &r->err), TW_OK, "%s", r->err.text);
    r->module = compile(source, r->arena);
    cr_assert_eq(tw_code_new(r->module, NULL, &r->code, &r->err), TW_OK, "%s", r->err.text);
    return r;
}

static inline rig *rig_new(void)
{
    const tw_genesis genesis = {.name = "test", .time = start_time};
    return rig_on(store_in_memory(), rig_source, &genesis);
}

static inline void rig_free(rig *r)
{
    tw_ledger_close(r->ledger);
    tw_store_close(r->store);
    tw_code_free(r->code);
    tw_arena_free(r->arena);
    tw_mem_free(r);
}

/* ---- blocks ---- */

static inline void begin(rig *r, int64_t time)
{
    cr_assert_eq(tw_block_begin(r->ledger, time, &r->err), TW_OK, "%s", r->err.text);
}

static inline tw_block_info commit(rig *r)
{
    tw_block_info info;
    cr_assert_eq(tw_block_commit(r->ledger, &info, &r->err), TW_OK, "%s", r->err.text);
    return info;
}

/* The newest block, with everything in the rig's arena. */
static inline tw_block newest(rig *r)
{
    tw_block block;
    cr_assert_eq(
        tw_ledger_block(r->ledger, tw_ledger_head(r->ledger)->height, r->arena, &block, &r->err),
        TW_OK, "%s", r->err.text);
    return block;
}

/* A block without transactions. */
static inline tw_block wait_until(rig *r, int64_t time)
{
    begin(r, time);
    (void)commit(r);
    return newest(r);
}

/* ---- transactions ---- */

/* Signed by `signers`, the sender first, the others as they come; to the open block. */
static inline tw_status add(rig *r, tw_tx *tx, const who *signers, uint8_t count)
{
    tw_secret secrets[TW_TX_SIGNERS_MAX];
    tw_hash id;
    tx->chain = *tw_ledger_chain(r->ledger);
    tx->nonce = r->nonces[signers[0]];
    if (tx->gas_limit == 0) tx->gas_limit = r->gas_limit != 0 ? r->gas_limit : UINT64_MAX;
    tx->signer_count = count;
    for (uint8_t i = 0; i < count; i++) {
        tx->signers[i] = r->accounts[signers[i]];
        secrets[i] = r->secrets[signers[i]];
    }
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    cr_assert_eq(tw_tx_encode(tx, secrets, &w, &id), TW_OK);
    const tw_status status = tw_block_add(r->ledger, tw_writer_bytes(&w), &r->receipt, &r->err);
    if (status == TW_OK) r->nonces[signers[0]]++;
    tw_writer_free(&w);
    return status;
}

/* The same where it must get into the block: what became of it there. */
static inline tw_status run(rig *r, tw_tx *tx, const who *signers, uint8_t count)
{
    const tw_status status = add(r, tx, signers, count);
    cr_assert_eq(status, TW_OK, "refused, %s: %s", tw_status_name(status), r->err.text);
    return r->receipt.run.status;
}

static inline tw_tx call_of(const rig *r, const char *entry, tw_bytes arguments)
{
    return (tw_tx){
        .kind = TW_TX_CALL, .contract = r->contract, .entry = text(entry), .arguments = arguments};
}

/* In a block of its own. */
static inline tw_status call(rig *r, int64_t time, who sender, const char *entry,
                             tw_bytes arguments)
{
    tw_tx tx = call_of(r, entry, arguments);
    begin(r, time);
    const tw_status status = run(r, &tx, &sender, 1);
    (void)commit(r);
    return status;
}

static inline tw_status call_flag(rig *r, int64_t time, const char *entry, bool flag)
{
    return call(r, time, OWNER, entry, tw_bytes_of(flag ? "\x01" : "\x00", 1));
}

static inline tw_status call_int(rig *r, int64_t time, const char *entry, int64_t value)
{
    uint8_t bytes[8];
    tw_store_u64(bytes, (uint64_t)value);
    return call(r, time, OWNER, entry, tw_bytes_of(bytes, sizeof bytes));
}

static inline tw_status swap_sensor(rig *r, int64_t time, who from, who to)
{
    tw_account both[2] = {r->accounts[from], r->accounts[to]};
    const tw_status status = call(r, time, OWNER, "swap", tw_bytes_of(both, sizeof both));
    if (status == TW_OK) {
        r->grant++;
        r->sequence = 0;
    }
    return status;
}

typedef struct crew {
    tw_account keepers[3];
    tw_tx_role roles[3];
} crew;

/* The rig's roles: owner, three keepers in ascending order, the first sensor. */
static inline void crew_make(const rig *r, crew *c)
{
    memcpy(c->keepers, &r->accounts[KEEPER_1], sizeof c->keepers);
    for (int i = 0; i < 3; i++) {
        for (int k = i; k > 0 && tw_account_compare(&c->keepers[k - 1], &c->keepers[k]) > 0; k--) {
            const tw_account swapped = c->keepers[k];
            c->keepers[k] = c->keepers[k - 1];
            c->keepers[k - 1] = swapped;
        }
    }
    c->roles[0] = (tw_tx_role){&r->accounts[OWNER], 1};
    c->roles[1] = (tw_tx_role){c->keepers, 3};
    c->roles[2] = (tw_tx_role){&r->accounts[SENSOR_1], 1};
}

/* Two signers beside the sender stand in ascending order: these are the keepers 1 and 2 so. */
static inline void two_keepers(const rig *r, who *ret_first, who *ret_second)
{
    const bool ascending = tw_account_compare(&r->accounts[KEEPER_1], &r->accounts[KEEPER_2]) < 0;
    *ret_first = ascending ? KEEPER_1 : KEEPER_2;
    *ret_second = ascending ? KEEPER_2 : KEEPER_1;
}

static inline tw_tx deploy_of(const rig *r, crew *c)
{
    crew_make(r, c);
    return (tw_tx){.kind = TW_TX_DEPLOY, .module = r->module, .roles = c->roles, .role_count = 3};
}

/* Deploys the rig in a block at the start time. */
static inline void deploy(rig *r)
{
    crew c;
    const who sender = OWNER;
    tw_tx tx = deploy_of(r, &c);
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &sender, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    (void)commit(r);
}

static inline rig *rig_deployed(void)
{
    rig *r = rig_new();
    deploy(r);
    return r;
}

/* ---- packs ---- */

static inline tw_pack pack_of(const rig *r, tw_pack_item *items, uint16_t count)
{
    return (tw_pack){.contract = r->contract,
                     .device = r->accounts[SENSOR_1],
                     .grant = r->grant,
                     .sequence = r->sequence + 1,
                     .fields = {text("level")},
                     .field_count = 1,
                     .items = items,
                     .item_count = count};
}

/* Signs the pack as `device` and lets the stranger carry it into the open block. */
static inline tw_status carry(rig *r, const tw_pack *pack, who device)
{
    const who carrier = STRANGER;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    cr_assert_eq(tw_pack_encode(pack, tw_ledger_chain(r->ledger), &r->secrets[device], &w), TW_OK);
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&w)};
    const tw_status status = run(r, &tx, &carrier, 1);
    tw_writer_free(&w);
    if (status == TW_OK) r->sequence = pack->sequence;
    return status;
}

/* One reading in a block of its own at its device time; it must be taken. */
static inline tw_block feed(rig *r, int64_t time, int64_t value)
{
    tw_pack_item item = {0, time, value};
    const tw_pack pack = pack_of(r, &item, 1);
    begin(r, time);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    cr_assert(r->receipt.has_intake && r->receipt.intake.accepted == 1);
    (void)commit(r);
    return newest(r);
}

/* A reading a second, the last one at `time` + `seconds`: the last block. */
static inline tw_block feed_for(rig *r, int64_t time, int64_t seconds, int64_t value)
{
    tw_block block = {0};
    for (int64_t i = 1; i <= seconds; i++) block = feed(r, time + 1000 * i, value);
    return block;
}

/* ---- looking ---- */

static inline tw_contract *look(rig *r)
{
    tw_contract *c = NULL;
    cr_assert_eq(tw_ledger_contract(r->ledger, &r->contract, r->arena, &c, &r->err), TW_OK, "%s",
                 r->err.text);
    return c;
}

/* How many events of the kind stand in the notices. */
static inline uint32_t events_in(tw_bytes notices, uint16_t event)
{
    tw_reader reader = tw_reader_of(notices);
    tw_notice_view notice;
    uint32_t count = 0;
    while (tw_notice_read(&reader, &notice)) {
        count += notice.kind == TW_NOTICE_EVENT && notice.index == event;
    }
    cr_assert(tw_reader_done(&reader));
    return count;
}

static inline uint32_t events_of(const tw_block *block, uint16_t event)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        const tw_receipt *receipt = &block->receipts[i];
        count += events_in(receipt->run.notices, event);
        for (uint16_t k = 0; k < receipt->handler_count; k++) {
            count += events_in(receipt->handlers[k].notices, event);
        }
    }
    return count;
}

/* Receipts of timers or of edges handed over at the start of the block. */
static inline uint32_t receipts_of(const tw_block *block, tw_receipt_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        count += block->receipts[i].kind == (uint8_t)kind;
    }
    return count;
}

static inline uint16_t entry_of(const rig *r, tw_entry_kind kind, const char *name)
{
    const uint16_t entry = tw_module_entry(r->code->module, kind, name);
    cr_assert_neq(entry, TW_NONE, "%s", name != NULL ? name : "?");
    return entry;
}

/* The number that a view of an int gives. */
static inline int64_t view_int(rig *r, const char *name, tw_bytes arguments, int64_t now)
{
    tw_outcome outcome;
    cr_assert_eq(tw_ledger_view(r->ledger, &r->contract, NULL, entry_of(r, TW_ENTRY_VIEW, name),
                                arguments, now, &outcome, &r->err),
                 TW_OK, "%s", r->err.text);
    cr_assert_eq(outcome.status, TW_OK, "%s", tw_status_text(outcome.status));
    cr_assert_eq(outcome.fields.size, 8);
    return (int64_t)tw_load_u64(outcome.fields.data);
}

static inline int64_t score(rig *r)
{
    const uint8_t zero[8] = {0};
    return view_int(r, "total", tw_bytes_of(zero, sizeof zero), tw_ledger_head(r->ledger)->time);
}

#endif
