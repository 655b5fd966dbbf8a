/* test_full -- what fills a block beside gas: bytes of receipts, and of values put. However cheap
 * they are, a block stays as large as every node can keep it, and what waits comes in the next. */
#include "tests/unit/ledger_fixture.h"

#include <criterion/criterion.h>

enum {
    TIMERS = 24,
    EACH = 3850 * 1000,     /* bytes of the events of one run, about */
    BYTES = 128 * MIB,      /* of a block; half of them for timers */
    PUT = 256 * MIB,        /* of values */
    PUT_EACH = 200 * 28800, /* by one call, about */
};

static const who owner = OWNER;

#define LETTERS "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define EMIT                                                                                       \
    "{ let s = t repeat 1000 times { emit E(a: s, b: s, c: s, d: s, e: s, f: s, g: s, h: s) } }"
#define EVERY "  every 1 min " EMIT "\n"
#define EVERY_6 EVERY EVERY EVERY EVERY EVERY EVERY

static const char big_source[] =
    "contract Big version 1 {\n"
    "  role owner\n"
    "  var t : text(500) = \"" LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS "\"\n"
    "  var many : list of text(500) max 60 = []\n"
    "  event E(a: text(500), b: text(500), c: text(500), d: text(500), e: text(500),\n"
    "          f: text(500), g: text(500), h: text(500))\n"
    "  action say() by owner " EMIT "\n"
    "  action grow() by owner { let s = t repeat 60 times { push s to many } }\n"
    "  action put() by owner {\n"
    "    let last = many\n"
    "    repeat 200 times { many = last }\n"
    "  }\n" EVERY_6 EVERY_6 EVERY_6 EVERY_6 "}\n";

static rig *big(void)
{
    rig *r =
        rig_on(store_in_memory(), big_source, &(tw_genesis){.name = "big", .time = start_time});
    tw_tx_role owners = {&r->accounts[OWNER], 1};
    tw_tx tx = {.kind = TW_TX_DEPLOY, .module = r->module, .roles = &owners, .role_count = 1};
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    return r;
}

/* Calls of the action until the block has no room: how many came in. */
static uint32_t calls_until_full(rig *r, const char *action)
{
    uint32_t count = 0;
    for (;;) {
        tw_tx tx = call_of(r, action, (tw_bytes){0});
        const tw_status status = add(r, &tx, &owner, 1);
        if (status == TW_REFUSED_BLOCK_FULL) return count;
        cr_assert_eq(status, TW_OK, "%s", r->err.text);
        cr_assert_eq(r->receipt.run.status, TW_OK, "%s", tw_status_text(r->receipt.run.status));
        count++;
    }
}

Test(full, receipts)
{
    rig *r = big();
    tw_bytes block;
    begin(r, start_time);
    const uint32_t count = calls_until_full(r, "say");
    cr_assert(count > 1 && (uint64_t)(count - 1) * EACH < BYTES, "%u", count);
    cr_assert((uint64_t)count * (EACH + EACH / 20) >= BYTES, "%u", count);
    (void)commit(r);
    cr_assert_eq(tw_ledger_block_bytes(r->ledger, 2, &block, &r->err), TW_OK, "%s", r->err.text);
    cr_assert_geq(block.size, BYTES);
    begin(r, start_time);
    tw_tx tx = call_of(r, "say", (tw_bytes){0});
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "the next block has room");
    (void)commit(r);
    rig_free(r);
}

static uint32_t receipts_in_newest(rig *r)
{
    tw_block block;
    tw_arena *arena = tw_arena_new(4 * BYTES);
    const uint64_t height = tw_ledger_head(r->ledger)->height;
    cr_assert_eq(tw_ledger_block(r->ledger, height, arena, &block, &r->err), TW_OK, "%s",
                 r->err.text);
    tw_arena_free(arena);
    return block.receipt_count;
}

Test(full, timers_go_on_in_the_next_block)
{
    rig *r = big();
    begin(r, start_time + MINUTE);
    (void)commit(r);
    const uint32_t first = receipts_in_newest(r);
    cr_assert((uint64_t)(first - 1) * EACH < BYTES / 2, "%u", first);
    cr_assert((uint64_t)first * (EACH + EACH / 20) >= BYTES / 2, "%u", first);
    begin(r, start_time + MINUTE);
    tw_tx tx = call_of(r, "say", (tw_bytes){0});
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "none is due any more");
    (void)commit(r);
    cr_assert_eq(receipts_in_newest(r), TIMERS - first + 1);
    rig_free(r);
}

Test(full, values_put)
{
    rig *r = big();
    cr_assert_eq(call(r, start_time, OWNER, "grow", (tw_bytes){0}), TW_OK);
    begin(r, start_time);
    const uint32_t count = calls_until_full(r, "put");
    cr_assert(count > 1 && (uint64_t)(count - 1) * PUT_EACH < PUT, "%u", count);
    (void)commit(r);
    rig_free(r);
}
