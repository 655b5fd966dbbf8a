/* test_fees -- a ledger that takes fees: what is charged, to whom, and that nothing of it is lost;
 * timers and edges that wait for fuel; ticks and transfers. */
#include "tests/unit/fees_fixture.h"

/* ---- what gas costs ---- */

static bool price_of(int64_t price, uint64_t gas, int64_t *ret_fee)
{
    world w;
    world_make(&w, price);
    rig *r = rig_on(store_in_memory(), meter_source, &w.genesis);
    const bool good = tw_ledger_fee(r->ledger, gas, ret_fee);
    rig_free(r);
    return good;
}

Test(fees, gas_is_rounded_up_to_the_smallest_unit)
{
    const struct {
        int64_t price;
        uint64_t gas;
        int64_t fee;
    } cases[] = {
        {1, 0, 0},
        {1, 1, 1},
        {1, 1000000, 1},
        {1, 1000001, 2},
        {70, 14285, 1},
        {70, 14286, 2},
        {1000000, 17, 17},
        {999999, 1000000, 999999},
        {1, UINT64_MAX, 18446744073710},
        {INT64_MAX, 1000000, INT64_MAX},
        {INT64_MAX, 1, 9223372036855},
        {500000, UINT64_MAX - 1, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t fee = -1;
        cr_assert(price_of(cases[i].price, cases[i].gas, &fee), "case %zu", i);
        cr_assert_eq(fee, cases[i].fee, "case %zu: %lld", i, (long long)fee);
    }
}

Test(fees, more_than_there_can_be_is_no_fee)
{
    int64_t fee = 0;
    cr_assert(!price_of(INT64_MAX, 1000001, &fee));
    cr_assert(!price_of(INT64_MAX, UINT64_MAX, &fee));
    cr_assert(!price_of(500000, UINT64_MAX, &fee), "half of 2^64 - 1, rounded up, is 2^63");
    cr_assert(!price_of(1000000, UINT64_MAX, &fee));
}

Test(fees, what_a_genesis_may_say_of_fees)
{
    world w;
    tw_store *store = store_in_memory();
    tw_err err = {0};
    world_make(&w, -1);
    cr_assert_eq(tw_ledger_create(store, &w.genesis, &err), TW_REFUSED_ARGUMENT);
    world_make(&w, PRICE);
    w.genesis.fee_asset = 2;
    cr_assert_eq(tw_ledger_create(store, &w.genesis, &err), TW_REFUSED_ARGUMENT);
    world_make(&w, PRICE);
    w.genesis.asset_count = 0;
    w.genesis.fee_asset = 0;
    cr_assert_eq(tw_ledger_create(store, &w.genesis, &err), TW_REFUSED_ARGUMENT);
    world_make(&w, PRICE);
    memset(w.genesis.fee_account.bytes, 0xFF, sizeof w.genesis.fee_account.bytes);
    cr_assert_eq(tw_ledger_create(store, &w.genesis, &err), TW_REFUSED_ARGUMENT);
    world_make(&w, PRICE);
    cr_assert_eq(tw_ledger_create(store, &w.genesis, &err), TW_OK, "%s", err.text);
    tw_store_close(store);
}

static tw_hash chain_of(const tw_genesis *genesis)
{
    rig *r = rig_on(store_in_memory(), meter_source, genesis);
    const tw_hash chain = *tw_ledger_chain(r->ledger);
    const tw_genesis *read = tw_ledger_genesis(r->ledger);
    cr_assert_eq(read->gas_price, genesis->gas_price);
    if (genesis->gas_price > 0) {
        cr_assert_eq(read->fee_asset, genesis->fee_asset);
        cr_assert(tw_account_equal(&read->fee_account, &genesis->fee_account));
    }
    cr_assert_eq(tw_ledger_fee_asset(r->ledger) != NULL, genesis->gas_price > 0);
    rig_free(r);
    return chain;
}

/* The chain's id is that of its whole genesis; what has no meaning does not stand in it. */
Test(fees, the_chain_is_known_by_its_price)
{
    world w;
    world_make(&w, 0);
    const tw_hash free_chain = chain_of(&w.genesis);
    w.genesis.fee_asset = 0;
    w.genesis.fee_account = account_of(OWNER);
    tw_hash chain = chain_of(&w.genesis);
    cr_assert(tw_hash_equal(&chain, &free_chain));
    world_make(&w, PRICE);
    const tw_hash paid_chain = chain_of(&w.genesis);
    cr_assert(!tw_hash_equal(&paid_chain, &free_chain));
    w.genesis.fee_account = account_of(OWNER);
    chain = chain_of(&w.genesis);
    cr_assert(!tw_hash_equal(&chain, &paid_chain));
}

/* ---- who pays ---- */

static tw_status put(rig *r, const world *w, int64_t amount)
{
    uint8_t bytes[8];
    const tw_spend spend = {w->eur, FORTUNE};
    tw_store_u64(bytes, (uint64_t)amount);
    tw_tx tx = call_of(r, "put", tw_bytes_of(bytes, sizeof bytes));
    tx.spends = &spend;
    tx.spend_count = 1;
    return send(r, &tx, OWNER);
}

Test(fees, the_sender_pays_for_what_was_used)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t deploy_fee = FORTUNE - has(r, &w, OWNER);
    cr_assert_eq(has(r, &w, KEEPER_3), FORTUNE + deploy_fee);
    cr_assert_eq(newest(r).receipts[0].fee, deploy_fee, "the receipt in the block says so");
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    const int64_t fee = fee_of(r, r->receipt.run.gas);
    cr_assert(fee > 0 && fee < fee_of(r, GAS_LIMIT));
    cr_assert_eq(r->receipt.fee, fee);
    cr_assert_eq(has(r, &w, OWNER), FORTUNE - deploy_fee - fee);
    cr_assert_eq(has(r, &w, KEEPER_3), FORTUNE + deploy_fee + fee);
    check_whole(r);
    rig_free(r);
}

Test(fees, what_failed_is_paid_as_well)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t before = has(r, &w, STRANGER);
    cr_assert_eq(call(r, start_time, STRANGER, "sleep", text("")), TW_TRAP_NOT_CALLER);
    cr_assert_eq(r->receipt.fee, fee_of(r, r->receipt.run.gas));
    cr_assert_eq(has(r, &w, STRANGER), before - r->receipt.fee);
    cr_assert_eq(r->receipt.run.writes, 0);
    const int64_t first = r->receipt.fee;
    cr_assert_eq(call(r, start_time, STRANGER, "nothing", text("")), TW_TX_NO_ENTRY);
    cr_assert_eq(has(r, &w, STRANGER), before - first - r->receipt.fee);
    check_whole(r);
    rig_free(r);
}

/* Only who can pay for the whole limit gets into a block. */
Test(fees, who_cannot_pay_the_limit_is_refused)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t limit_fee = fee_of(r, GAS_LIMIT);
    const int64_t rest = has(r, &w, STRANGER) - limit_fee;
    tw_tx poor = call_of(r, "sleep", text(""));
    cr_assert_eq(transfer(r, &w.eur, STRANGER, &r->accounts[OWNER], rest), TW_OK);
    cr_assert(has(r, &w, STRANGER) < limit_fee);
    const tw_hash root = tw_ledger_head(r->ledger)->state_root;
    begin(r, start_time);
    cr_assert_eq(add(r, &poor, &stranger, 1), TW_REFUSED_FEE);
    poor.gas_limit = UINT64_MAX;
    cr_assert_eq(add(r, &poor, &stranger, 1), TW_REFUSED_FEE);
    const tw_block_info info = commit(r);
    cr_assert(tw_hash_equal(&info.state_root, &root), "no trace");
    const int64_t missing = limit_fee - has(r, &w, STRANGER);
    cr_assert_eq(transfer(r, &w.eur, OWNER, &r->accounts[STRANGER], missing - 1), TW_OK);
    begin(r, start_time);
    poor.gas_limit = GAS_LIMIT;
    cr_assert_eq(add(r, &poor, &stranger, 1), TW_REFUSED_FEE, "one cent less");
    (void)commit(r);
    cr_assert_eq(transfer(r, &w.eur, OWNER, &r->accounts[STRANGER], 1), TW_OK);
    cr_assert_eq(send(r, &poor, STRANGER), TW_TRAP_NOT_CALLER, "exactly enough");
    check_whole(r);
    rig_free(r);
}

/* What is held for the limit is not there to be spent while the transaction runs. */
Test(fees, the_fee_comes_before_what_is_spent)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t free = has(r, &w, OWNER) - fee_of(r, GAS_LIMIT);
    cr_assert_eq(put(r, &w, free + 1), TW_TRAP_NOT_ENOUGH);
    cr_assert_eq(put(r, &w, free + 1 - r->receipt.fee), TW_TRAP_NOT_ENOUGH);
    const int64_t left = has(r, &w, OWNER) - fee_of(r, GAS_LIMIT);
    cr_assert_eq(put(r, &w, left), TW_OK);
    cr_assert_eq(has(r, &w, OWNER), fee_of(r, GAS_LIMIT) - r->receipt.fee);
    check_whole(r);
    rig_free(r);
}

Test(fees, who_gets_the_fees_pays_them_too)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t before = has(r, &w, KEEPER_3);
    cr_assert_eq(call(r, start_time, KEEPER_3, "sleep", text("")), TW_TRAP_NOT_CALLER);
    cr_assert_gt(r->receipt.fee, 0);
    cr_assert_eq(has(r, &w, KEEPER_3), before);
    rig_free(r);
}

Test(fees, the_carrier_pays_for_a_pack_and_its_handlers)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t device = has(r, &w, SENSOR_1);
    cr_assert_eq(call(r, start_time, OWNER, "sleep", text("")), TW_OK);
    const int64_t carrier = has(r, &w, STRANGER);
    const tw_block block = feed(r, start_time + 1000, HIGH_UM);
    cr_assert_eq(events_of(&block, EVENT_HIGH), 1);
    cr_assert_eq(r->receipt.fee, fee_of(r, r->receipt.run.gas));
    cr_assert_eq(has(r, &w, STRANGER), carrier - r->receipt.fee);
    cr_assert_eq(has(r, &w, SENSOR_1), device);
    cr_assert_eq(fuel_of(r), 0);
    rig_free(r);
}

/* A receipt has one form: no fee takes no bytes, and only a fee has a part for it. */
Test(fees, a_fee_in_a_receipt_is_above_zero)
{
    tw_arena *arena = tw_arena_new(MIB);
    tw_writer w = tw_writer_new(MIB);
    tw_receipt receipt = {.kind = TW_RECEIPT_TIMER};
    tw_receipt_encode(&receipt, &w);
    const size_t without = w.size;
    const size_t parts = without - 3; /* before the number of handlers */
    tw_writer_clear(&w);
    receipt.fee = 0x0102030405060708;
    tw_receipt_encode(&receipt, &w);
    cr_assert_eq(w.size, without + 8);
    for (int value = 0; value < 256; value++) {
        tw_receipt got;
        tw_reader r = tw_reader_of(tw_writer_bytes(&w));
        w.data[parts] = (uint8_t)value;
        const bool good = tw_receipt_decode(&r, arena, &got) == TW_OK && tw_reader_done(&r);
        cr_assert_eq(good, value == 2, "parts %d", value);
        if (good) cr_assert_eq(got.fee, receipt.fee);
    }
    w.data[parts] = 2;
    for (int sign = 0; sign < 2; sign++) {
        tw_receipt got;
        tw_reader r = tw_reader_of(tw_writer_bytes(&w));
        memset(w.data + parts + 1, sign == 0 ? 0 : 0xFF, 8);
        cr_assert_eq(tw_receipt_decode(&r, arena, &got), TW_REFUSED_ENCODING);
    }
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* ---- transfers ---- */

Test(fees, money_moves_between_accounts)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const int64_t from = has(r, &w, STRANGER);
    const int64_t to = has(r, &w, KEEPER_1);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, &r->accounts[KEEPER_1], 1234), TW_OK);
    cr_assert_eq(has(r, &w, KEEPER_1), to + 1234);
    cr_assert_eq(has(r, &w, STRANGER), from - 1234 - r->receipt.fee);
    cr_assert_eq(r->receipt.run.writes, 2);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, &r->accounts[STRANGER], 17), TW_OK);
    cr_assert_eq(has(r, &w, STRANGER), from - 1234 - 2 * r->receipt.fee, "to oneself");
    check_whole(r);
    rig_free(r);
}

Test(fees, what_cannot_be_transferred)
{
    world w;
    rig *r = meter_new(&w, 0); /* without fees it is the same */
    tw_account nobody;
    tw_account contract;
    const tw_hash unknown = {{7}};
    memset(nobody.bytes, 0xFF, sizeof nobody.bytes);
    memcpy(contract.bytes, r->contract.bytes, sizeof contract.bytes);
    const tw_account *to = &r->accounts[KEEPER_1];
    cr_assert_eq(transfer(r, &w.eur, STRANGER, to, FORTUNE + 1), TW_TRAP_NOT_ENOUGH);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, to, INT64_MAX), TW_TRAP_NOT_ENOUGH);
    cr_assert_eq(transfer(r, &unknown, STRANGER, to, 1), TW_TRAP_NOT_ENOUGH);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, &nobody, 1), TW_TX_BAD_PAYEE);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, &contract, 1), TW_TX_BAD_PAYEE);
    cr_assert_eq(has(r, &w, STRANGER), FORTUNE);
    cr_assert_eq(transfer(r, &w.eur, STRANGER, to, FORTUNE), TW_OK);
    cr_assert_eq(has(r, &w, STRANGER), 0);
    check_whole(r);
    rig_free(r);
}

/* ---- fuel ---- */

Test(fees, fuel_is_for_contracts_of_ledgers_that_take_fees)
{
    world w;
    rig *r = meter_new(&w, 0);
    cr_assert_eq(fill(r, STRANGER, 1), TW_TX_NO_FEES);
    rig_free(r);
    r = meter_new(&w, PRICE);
    cr_assert_eq(fill(r, STRANGER, INT64_MAX), TW_TRAP_NOT_ENOUGH);
    const int64_t before = has(r, &w, STRANGER);
    cr_assert_eq(fill(r, STRANGER, 500), TW_OK);
    cr_assert_eq(has(r, &w, STRANGER), before - 500 - r->receipt.fee);
    cr_assert_eq(fill(r, OWNER, 50), TW_OK);
    cr_assert_eq(fuel_of(r), 550);
    check_whole(r);
    const tw_hash contract = r->contract;
    r->contract.bytes[0] ^= 1;
    cr_assert_eq(fill(r, STRANGER, 1), TW_TX_NO_CONTRACT);
    r->contract = contract;
    rig_free(r);
}

Test(fees, timers_run_on_fuel)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    const int64_t fees = has(r, &w, KEEPER_3);
    const tw_block block = wait_until(r, start_time + 4 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_FAST), 1);
    const int64_t fee = fee_of(r, block.receipts[0].run.gas);
    cr_assert_gt(fee, 0);
    cr_assert_eq(block.receipts[0].fee, fee);
    cr_assert_eq(fuel_of(r), 10000 - fee);
    cr_assert_eq(has(r, &w, KEEPER_3), fees + fee);
    check_whole(r);
    rig_free(r);
}

/* A run that fails has cost what it has cost. */
Test(fees, timers_that_fail_are_paid_as_well)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)wait_until(r, start_time + 8 * MINUTE);
    const int64_t before = fuel_of(r);
    const tw_block block = wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(block.receipts[0].run.status, TW_FAIL_ERROR);
    cr_assert_gt(block.receipts[0].fee, 0);
    cr_assert_eq(fuel_of(r), before - block.receipts[0].fee);
    cr_assert_eq(next_due(r), start_time + 11 * MINUTE, "and is tried again");
    rig_free(r);
}

static bool timer_waits(rig *r, uint16_t entry)
{
    bool waits = false;
    cr_assert_eq(tw_ledger_timer_waits(r->ledger, look(r), entry, &waits), TW_OK);
    return waits;
}

static uint32_t timers_waiting(rig *r)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < r->code->module->entry_count; i++) count += timer_waits(r, i);
    return count;
}

Test(fees, a_timer_without_fuel_waits_and_is_told_once)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    tw_block block = wait_until(r, start_time + 4 * MINUTE);
    cr_assert_eq(block.receipt_count, 1);
    cr_assert_eq(waiting_in(&block), 1);
    cr_assert_eq(timers_waiting(r), 1);
    cr_assert_eq(next_due(r), start_time + 10 * MINUTE, "nobody need make a block for it");
    block = wait_until(r, start_time + 5 * MINUTE);
    cr_assert_eq(block.receipt_count, 0, "no block looks at it again");
    cr_assert_eq(call_flag(r, start_time + 5 * MINUTE, "break_it", true), TW_TRAP_TIMER_DUE);
    block = wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(waiting_in(&block), 1, "the other one comes after it");
    cr_assert_eq(timers_waiting(r), 2);
    cr_assert_eq(next_due(r), start_time + hour);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    cr_assert_eq(timers_waiting(r), 0);
    cr_assert_eq(next_due(r), start_time + 4 * MINUTE);
    block = wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(waiting_in(&block), 0);
    cr_assert_eq(events_in(block.receipts[0].run.notices, EVENT_FAST), 1, "in their order");
    cr_assert_eq(events_in(block.receipts[1].run.notices, EVENT_SLOW), 1);
    cr_assert_eq(next_due(r), start_time + 12 * MINUTE, "the beat goes on");
    cr_assert_eq(call_flag(r, start_time + 10 * MINUTE, "break_it", true), TW_OK);
    check_whole(r);
    rig_free(r);
}

/* Exactly the worst case is enough; a cent less is not. */
Test(fees, fuel_must_cover_the_worst_case)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    const tw_module *m = r->code->module;
    int64_t worst = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (m->entries[i].kind != TW_ENTRY_EVERY) continue;
        worst = fee_of(r, r->code->facts->entries[i].gas); /* the second is that of 4 minutes */
    }
    cr_assert_eq(fill(r, STRANGER, worst - 1), TW_OK);
    tw_block block = wait_until(r, start_time + 4 * MINUTE);
    cr_assert_eq(waiting_in(&block), 1);
    cr_assert_eq(fill(r, STRANGER, 1), TW_OK);
    block = wait_until(r, start_time + 4 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_FAST), 1);
    rig_free(r);
}

/* The timer of `silent` may be filed too early: that it is moved costs the contract nothing. */
Test(fees, readings_move_the_time_of_silence_without_fuel)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    (void)feed(r, start_time + 2 * MINUTE, LOW_UM);
    for (int64_t m = 4; m < 60; m++) (void)wait_until(r, start_time + m * MINUTE);
    const uint32_t before = timers_waiting(r);
    cr_assert_eq(before, 2);
    tw_block block = wait_until(r, start_time + hour);
    cr_assert_eq(block.receipt_count, 0);
    cr_assert_eq(next_due(r), start_time + hour + 2 * MINUTE);
    block = wait_until(r, start_time + hour + 2 * MINUTE);
    cr_assert_eq(waiting_in(&block), 1);
    (void)feed(r, start_time + hour + 3 * MINUTE, LOW_UM); /* it is not due after all */
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    block = wait_until(r, start_time + hour + 3 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_STILL), 0);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 2);
    rig_free(r);
}

static const char watch_source[] =
    "contract Watch version 1 {\n"
    "  role owner\n"
    "  role sensor\n"
    "  reading level : length from sensor field \"level\"\n"
    "    range 0 mm .. 1 m rate 1 per 1 s keep 10 max_age 1 min\n"
    "  var broken : bool = yes\n"
    "  event Beat()\n"
    "  event Gone()\n"
    "  error Broken()\n"
    "  every 1 min { emit Beat() }\n"
    "  on level silent for 2 min { needs not broken else Broken() emit Gone() }\n"
    "  action break_it(b: bool) by owner { broken = b }\n"
    "}\n";
enum { EVENT_BEAT, EVENT_GONE };

/* A silence that is tried again does not stand before what is due with it. */
Test(fees, a_silence_that_failed_lets_others_run)
{
    world w;
    crew c;
    world_make(&w, PRICE);
    rig *r = rig_on(store_in_memory(), watch_source, &w.genesis);
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = c.roles[2];
    tx.role_count = 2;
    r->gas_limit = GAS_LIMIT;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    tw_block block = wait_until(r, start_time + 2 * MINUTE);
    cr_assert_eq(block.receipt_count, 2);
    cr_assert_eq(block.receipts[1].run.status, TW_FAIL_ERROR);
    block = wait_until(r, start_time + 3 * MINUTE);
    cr_assert_eq(waiting_in(&block), 0);
    cr_assert_eq(events_of(&block, EVENT_BEAT), 1);
    cr_assert_eq(block.receipt_count, 2);
    cr_assert_eq(call_flag(r, start_time + 3 * MINUTE, "break_it", false), TW_OK);
    block = wait_until(r, start_time + 5 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_GONE), 1);
    check_whole(r);
    rig_free(r);
}

/* ---- another version ---- */

/* The source as version `version`, by the owner's leave. */
static tw_bytes meter_version(rig *r, char version)
{
    static const char clause[] = "  upgrade signed by 1 of owner\n}\n";
    char source[sizeof meter_source + sizeof clause];
    memcpy(source, meter_source, sizeof meter_source);
    memcpy(source + strlen(meter_source) - 2, clause, sizeof clause);
    char *number = strchr(source, '1');
    *number = version;
    return compile(source, r->arena);
}

static tw_status upgrade(rig *r, tw_bytes module)
{
    tw_tx tx = {.kind = TW_TX_UPGRADE, .contract = r->contract, .module = module};
    return send(r, &tx, OWNER);
}

/* `pot` of either token has the same four bytes as its id: the names were looked for. */
#define PURSE_OF(version, money)                                                                   \
    "contract Trick version " version " {\n"                                                       \
    "  token AEDM decimals 2 supply 1_000.00 AEDM\n"                                               \
    "  token BASU decimals 2 supply 1_000.00 BASU\n"                                               \
    "  role owner\n"                                                                               \
    "  purse pot : " money " falls to owner after 90 days\n"                                       \
    "  action mint_it() by owner { mint 5.00 AEDM to caller }\n"                                   \
    "  action put(m: " money ") by owner receives m into pot { }\n"                                \
    "  action out() by owner { pay rest of pot to owner }\n"                                       \
    "  upgrade signed by 1 of owner\n"                                                             \
    "}\n"

/* Whether there is money in it or not: it is there again under the same key. */
Test(fees, a_purse_is_not_turned_into_one_of_other_money)
{
    world w;
    world_make(&w, PRICE);
    rig *r = rig_on(store_in_memory(), PURSE_OF("1", "AEDM"), &w.genesis);
    const tw_bytes same = compile(PURSE_OF("2", "AEDM"), r->arena);
    const tw_bytes other = compile(PURSE_OF("3", "BASU"), r->arena);
    tw_module *module = NULL;
    tw_tx_role owners = {&r->accounts[OWNER], 1};
    tw_tx tx = {.kind = TW_TX_DEPLOY, .module = r->module, .roles = &owners, .role_count = 1};
    r->gas_limit = GAS_LIMIT;
    cr_assert_eq(tw_module_decode(other, r->arena, &module, &r->err), TW_OK);
    cr_assert_eq(module->purses[0].id, r->code->module->purses[0].id, "the trick has gone");
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    cr_assert_eq(upgrade(r, other), TW_TX_BAD_UPGRADE);
    cr_assert_eq(call(r, start_time, OWNER, "mint_it", (tw_bytes){0}), TW_OK);
    cr_assert_eq(upgrade(r, other), TW_TX_BAD_UPGRADE);
    tw_err err = {0};
    cr_assert_eq(tw_ledger_upgrade_fits(r->ledger, &r->contract, other, &err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(err.text, "have the same id: rename the new one"), "%s", err.text);
    cr_assert_eq(upgrade(r, same), TW_OK);
    check_whole(r);
    rig_free(r);
}

/* What waits is due, so it goes before another version; fuel and what is filed come over. */
Test(fees, an_upgrade_waits_for_what_waits)
{
    world w;
    world_make(&w, PRICE);
    rig *r = rig_on(store_in_memory(), meter_source, &w.genesis);
    r->gas_limit = GAS_LIMIT;
    r->module = meter_version(r, '1');
    meter_deploy(r, &w);
    const tw_bytes next = meter_version(r, '2');
    (void)wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(timers_waiting(r), 2);
    cr_assert_eq(upgrade(r, next), TW_TRAP_TIMER_DUE);
    cr_assert_eq(timers_waiting(r), 2, "all is as it was");
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    cr_assert_eq(upgrade(r, next), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    cr_assert_eq(timers_waiting(r), 0);
    cr_assert_eq(next_due(r), start_time + 12 * MINUTE);
    tw_block block = wait_until(r, start_time + 12 * MINUTE);
    cr_assert_eq(waiting_in(&block), 1);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    block = wait_until(r, start_time + 12 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_FAST), 1);
    cr_assert_eq(upgrade(r, meter_version(r, '3')), TW_OK);
    cr_assert_eq(fuel_of(r), 10000 - block.receipts[0].fee);
    check_whole(r);
    rig_free(r);
}

/* A timer of `silent` that has waited, and is not due after all: nothing of it stays behind. */
Test(fees, an_upgrade_leaves_no_trace_of_what_waited)
{
    world w;
    world_make(&w, PRICE);
    rig *r = rig_on(store_in_memory(), meter_source, &w.genesis);
    r->gas_limit = GAS_LIMIT;
    r->module = meter_version(r, '1');
    meter_deploy(r, &w);
    for (int64_t m = 4; m <= 60; m += 4) {
        (void)wait_until(r, start_time + m * MINUTE);
    }
    cr_assert_eq(timers_waiting(r), 3);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    (void)feed(r, start_time + hour + 1000, LOW_UM);
    cr_assert_eq(timers_waiting(r), 1);
    cr_assert_eq(upgrade(r, meter_version(r, '2')), TW_OK);
    cr_assert_eq(timers_waiting(r), 0);
    check_whole(r);
    rig_free(r);
}

/* ---- edges ---- */

/* Both alarms are up, and the phase has come that handles them. */
static void both_edges(rig *r, int64_t now)
{
    (void)feed(r, now - 2000, HIGH_UM);
    (void)feed(r, now - 1000, LOW_UM - 40000); /* clears the first and raises the second */
    (void)feed(r, now, HIGH_UM);
    cr_assert_eq(call(r, now, OWNER, "sleep", text("")), TW_OK);
}

Test(fees, edges_at_the_start_of_a_block_run_on_fuel)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
    both_edges(r, start_time + 3000);
    const tw_block block = wait_until(r, start_time + 3000);
    cr_assert_eq(events_of(&block, EVENT_HIGH), 1);
    cr_assert_eq(block.receipts[0].kind, TW_RECEIPT_HANDLER);
    cr_assert_gt(block.receipts[0].fee, 0);
    cr_assert_eq(fuel_of(r), 10000 - block.receipts[0].fee);
    check_whole(r);
    rig_free(r);
}

static uint32_t edges_waiting(rig *r)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < 2; i++) count += tw_ledger_edge_waits(look(r), i);
    return count;
}

Test(fees, an_edge_without_fuel_waits_for_fuel_or_a_pack)
{
    world w;
    for (int with_pack = 0; with_pack < 2; with_pack++) {
        rig *r = meter_new(&w, PRICE);
        both_edges(r, start_time + 3000);
        tw_block block = wait_until(r, start_time + 3000);
        cr_assert_eq(waiting_in(&block), 1);
        cr_assert_eq(edges_waiting(r), 1);
        block = wait_until(r, start_time + 4000);
        cr_assert_eq(block.receipt_count, 0);
        if (with_pack == 1) {
            block = feed(r, start_time + 5000, HIGH_UM);
            cr_assert_eq(block.receipts[0].handler_count, 1, "the carrier pays");
        } else {
            cr_assert_eq(fill(r, STRANGER, 10000), TW_OK);
            block = wait_until(r, start_time + 5000);
            cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 1);
        }
        cr_assert_eq(events_of(&block, EVENT_HIGH), 1);
        cr_assert_eq(edges_waiting(r), 0);
        check_whole(r);
        rig_free(r);
    }
}

/* ---- ticks ---- */

Test(fees, a_tick_runs_the_first_timer_at_the_senders_cost)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    cr_assert_eq(tick(r, STRANGER), TW_TX_NOT_DUE);
    (void)wait_until(r, start_time + 10 * MINUTE);
    const int64_t before = has(r, &w, STRANGER);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    tw_block block = newest(r);
    cr_assert_eq(block.receipts[0].handler_count, 1);
    cr_assert_eq(events_of(&block, EVENT_FAST), 1);
    cr_assert_gt(r->receipt.run.gas, block.receipts[0].handlers[0].gas);
    cr_assert_eq(has(r, &w, STRANGER), before - fee_of(r, r->receipt.run.gas));
    cr_assert_eq(fuel_of(r), 0);
    cr_assert_eq(call_flag(r, start_time + 10 * MINUTE, "break_it", true), TW_TRAP_TIMER_DUE);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    block = newest(r);
    cr_assert_eq(events_of(&block, EVENT_SLOW), 1);
    cr_assert_eq(tick(r, STRANGER), TW_TX_NOT_DUE);
    cr_assert_eq(timers_waiting(r), 0);
    cr_assert_eq(call_flag(r, start_time + 10 * MINUTE, "break_it", true), TW_OK);
    r->contract.bytes[0] ^= 1;
    cr_assert_eq(tick(r, STRANGER), TW_TX_NO_CONTRACT);
    rig_free(r);
}

/* A timer that fails has been tried: the contract is not locked by it. */
Test(fees, a_tick_of_a_timer_that_fails_has_tried_it)
{
    world w;
    rig *r = meter_new(&w, PRICE);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    const tw_block block = newest(r);
    cr_assert_eq(block.receipts[0].handlers[0].status, TW_FAIL_ERROR);
    cr_assert_eq(call_flag(r, start_time + 10 * MINUTE, "break_it", false), TW_OK);
    (void)wait_until(r, start_time + 11 * MINUTE);
    cr_assert_eq(timers_waiting(r), 1, "due again after a minute");
    cr_assert_eq(tick(r, STRANGER), TW_OK);
    cr_assert_eq(events_in(newest(r).receipts[0].handlers[0].notices, EVENT_SLOW), 1);
    rig_free(r);
}

static const char beat_source[] = "contract Beat version 1 {\n"
                                  "  role owner\n"
                                  "  event Beat()\n"
                                  "  every 4 min { emit Beat() }\n"
                                  "  every 5 min { emit Beat() }\n"
                                  "  action nothing() by owner { }\n"
                                  "}\n";

/* The timers of a block may be more than its budget: a tick does not wait for the next one. */
Test(fees, a_tick_needs_no_fees)
{
    crew c;
    const tw_genesis genesis = {.name = "beat", .time = start_time, .timer_gas_max = 4000000};
    rig *r = rig_on(store_in_memory(), beat_source, &genesis);
    tw_tx tx = deploy_of(r, &c);
    tx.role_count = 1;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    begin(r, start_time + 20 * MINUTE); /* one of the two that are due */
    tx = (tw_tx){.kind = TW_TX_TICK, .contract = r->contract};
    cr_assert_eq(run(r, &tx, &stranger, 1), TW_OK);
    cr_assert_eq(run(r, &tx, &stranger, 1), TW_TX_NOT_DUE);
    (void)commit(r);
    const tw_block block = newest(r);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1);
    cr_assert_eq(events_of(&block, 0), 2);
    cr_assert_eq(r->receipt.fee, 0);
    rig_free(r);
}
