/* test_fees -- a ledger that takes fees: what is charged, to whom, and that nothing of it is lost;
 * timers and edges that wait for fuel; ticks and transfers. */
#include "tests/unit/ledger_fixture.h"
#include "vm/ledger/audit.h"

enum {
    PRICE = 70,           /* of a million gas, in cents */
    FORTUNE = 1000000000, /* cents that each of the people has at first */
    GAS_LIMIT = 40000000,
    DRAWS = 400,
};

static const who owner = OWNER;
static const who stranger = STRANGER;
static const int64_t hour = HOUR;

static const char meter_source[] =
    "contract Meter version 1 {\n"
    "  currency EUR decimals 2\n"
    "  role owner\n"
    "  role sensor\n"
    "  reading x : length from sensor field \"level\"\n"
    "    range 0 mm .. 1 m rate 1 per 1 s keep 10 max_age 1 min\n"
    "  phases On -> Off -> On\n"
    "  alarm high raise when x above 100 mm clear when x below 60 mm\n"
    "  alarm low raise when x below 40 mm clear when x above 60 mm\n"
    "  purse pot : EUR falls to owner after 30 days\n"
    "  var broken : bool = no\n"
    "  event Slow()\n"
    "  event Fast()\n"
    "  event High()\n"
    "  event Low()\n"
    "  event Quiet()\n"
    "  error Broken()\n"
    "  every 10 min { needs not broken else Broken() emit Slow() }\n"
    "  every 4 min { emit Fast() }\n"
    "  on high raised in Off { needs not broken else Broken() emit High() }\n"
    "  on low raised in Off { emit Low() }\n"
    "  on x silent for 1 h { emit Quiet() }\n"
    "  action put(amount: EUR) by owner receives amount into pot { }\n"
    "  action take() by owner { pay rest of pot to owner }\n"
    "  action break_it(b: bool) by owner { broken = b }\n"
    "  action sleep() by owner in On { go Off }\n"
    "  action wake() by owner in Off { go On }\n"
    "  action swap(old: account, new: account) by owner {\n"
    "    revoke sensor from old\n"
    "    grant sensor to new\n"
    "  }\n"
    "}\n";
enum { EVENT_SLOW, EVENT_FAST, EVENT_HIGH, EVENT_LOW, EVENT_STILL };

static const char *const people[WHO_END] = {"owner",    "keeper 1", "keeper 2", "keeper 3",
                                            "sensor 1", "sensor 2", "stranger"};

static tw_account account_of(who whose)
{
    tw_secret secret;
    tw_account account;
    tw_secret_from_seed(people[whose], &secret);
    cr_assert(tw_secret_account(&secret, &account));
    return account;
}

/* Each of the people has a fortune of EUR, the fees go to keeper 3. */
typedef struct world {
    tw_genesis_holder holders[WHO_END];
    tw_genesis_asset assets[2];
    tw_genesis genesis;
    tw_hash eur;
} world;

static void world_make(world *w, int64_t price)
{
    for (int i = 0; i < WHO_END; i++) {
        w->holders[i] = (tw_genesis_holder){account_of((who)i), FORTUNE};
    }
    w->assets[0] = (tw_genesis_asset){"NIL", 0, w->holders, 1};
    w->assets[1] = (tw_genesis_asset){"EUR", 2, w->holders, WHO_END};
    w->genesis = (tw_genesis){.name = "fees",
                              .time = start_time,
                              .assets = w->assets,
                              .asset_count = 2,
                              .gas_price = price,
                              .fee_asset = 1,
                              .fee_account = account_of(KEEPER_3)};
    w->eur = tw_bank_chain_asset("fees", "EUR");
}

static int64_t has(rig *r, const world *w, who whose)
{
    int64_t amount = 0;
    cr_assert_eq(tw_ledger_balance(r->ledger, &w->eur, &r->accounts[whose], &amount), TW_OK);
    return amount;
}

static int64_t fuel_of(rig *r)
{
    int64_t amount = 0;
    cr_assert_eq(tw_ledger_fuel(r->ledger, &r->contract, &amount), TW_OK);
    return amount;
}

static int64_t fee_of(rig *r, uint64_t gas)
{
    int64_t fee = 0;
    cr_assert(tw_ledger_fee(r->ledger, gas, &fee));
    return fee;
}

static void hear(void *context, const char *sentence)
{
    (void)context;
    cr_assert(false, "%s", sentence);
}

/* Balances, purses and fuel together are what there is. */
static void check_whole(rig *r)
{
    tw_audit a = {.store = r->store, .memory_max = 64 * MIB, .found = hear};
    cr_assert_eq(tw_audit_ledger(&a, &r->err), TW_OK, "%s", r->err.text);
}

static void meter_deploy(rig *r, const world *w)
{
    crew c;
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = c.roles[2];
    tx.role_count = 2;
    tx.currencies = &w->eur;
    tx.currency_count = 1;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    (void)commit(r);
}

static rig *meter_new(world *w, int64_t price)
{
    world_make(w, price);
    rig *r = rig_on(store_in_memory(), meter_source, &w->genesis);
    r->gas_limit = GAS_LIMIT;
    meter_deploy(r, w);
    return r;
}

/* In a block of its own at the head's time; what became of it. */
static tw_status send(rig *r, tw_tx *tx, who sender)
{
    begin(r, tw_ledger_head(r->ledger)->time);
    const tw_status status = run(r, tx, &sender, 1);
    (void)commit(r);
    return status;
}

static tw_status fill(rig *r, who sender, int64_t amount)
{
    tw_tx tx = {.kind = TW_TX_FUEL, .contract = r->contract, .amount = amount};
    return send(r, &tx, sender);
}

static tw_status tick(rig *r, who sender)
{
    tw_tx tx = {.kind = TW_TX_TICK, .contract = r->contract};
    return send(r, &tx, sender);
}

static tw_status transfer(rig *r, const tw_hash *asset, who from, const tw_account *to,
                          int64_t amount)
{
    tw_tx tx = {.kind = TW_TX_TRANSFER, .asset = *asset, .payee = *to, .amount = amount};
    return send(r, &tx, from);
}

static int64_t next_due(rig *r)
{
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
    return found ? due : -1;
}

/* Receipts of the block that say that there was no fuel. */
static uint32_t waiting_in(const tw_block *block)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        const tw_receipt *receipt = &block->receipts[i];
        if (receipt->run.status != TW_TX_NO_FUEL) continue;
        cr_assert(receipt->run.gas == 0 && receipt->fee == 0 && receipt->kind != TW_RECEIPT_TX);
        count++;
    }
    return count;
}

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
    const tw_genesis genesis = {.name = "beat", .time = start_time, .timer_gas_max = 40000};
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

/* ---- all of it at random ---- */

typedef struct day {
    rig *r;
    world w;
    uint64_t seed;
    int64_t now;
    int64_t fees; /* that the receipts say */
    uint32_t waited, ran, ticked, refused;
} day;

/* Anybody but who gets the fees, so that he has them and nothing else. */
static who somebody(day *d)
{
    const who one = (who)random_below(&d->seed, WHO_END);
    return one == KEEPER_3 ? KEEPER_2 : one;
}

static int64_t balances_of(rig *r, const world *w)
{
    int64_t sum = 0;
    for (int i = 0; i < WHO_END; i++) sum += has(r, w, (who)i);
    return sum;
}

static int64_t pot_of(rig *r)
{
    const tw_contract *c = look(r);
    const tw_key key = tw_purse_key(&c->id, &r->code->module->purses[0], NULL);
    int64_t amount = 0;
    cr_assert_eq(tw_bank_amount(c->overlay, &key, &amount), TW_OK);
    return amount;
}

/* Most are good; some are too dear, too much, or of nobody. */
static tw_tx draw(day *d, uint8_t bytes[64], tw_spend *spend)
{
    rig *r = d->r;
    static const char *const entries[] = {"put", "take", "break_it", "sleep", "wake", "nothing"};
    const int64_t amounts[] = {1, 7, 1000, FORTUNE / 2, FORTUNE, INT64_MAX};
    tw_tx tx = {.contract = r->contract, .amount = amounts[random_below(&d->seed, 6)]};
    if (random_below(&d->seed, 20) == 0) tx.contract.bytes[0] ^= 1;
    switch (random_below(&d->seed, 4)) {
    case 0: tx.kind = TW_TX_FUEL; break;
    case 1: tx.kind = TW_TX_TICK; break;
    case 2:
        tx.kind = TW_TX_TRANSFER;
        tx.asset = d->w.eur;
        tx.payee = r->accounts[somebody(d)];
        break;
    default: {
        const size_t entry = random_below(&d->seed, 6);
        tx.kind = TW_TX_CALL;
        tx.entry = text(entries[entry]);
        tw_store_u64(bytes, (uint64_t)tx.amount);
        bytes[8] = random_below(&d->seed, 3) == 0;
        if (entry == 0) tx.arguments = tw_bytes_of(bytes, 8);
        if (entry == 2) tx.arguments = tw_bytes_of(bytes + 8, 1);
        *spend = (tw_spend){d->w.eur, FORTUNE};
        tx.spends = spend;
        tx.spend_count = 1;
    }
    }
    tx.gas_limit = random_below(&d->seed, 30) == 0 ? UINT64_MAX : GAS_LIMIT;
    return tx;
}

static void add_one(day *d)
{
    rig *r = d->r;
    uint8_t bytes[64];
    tw_spend spend;
    const who sender = random_below(&d->seed, 2) == 0 ? OWNER : somebody(d);
    tw_tx tx = draw(d, bytes, &spend);
    const int64_t before = has(r, &d->w, sender);
    const tw_status status = add(r, &tx, &sender, 1);
    if (status == TW_OK) {
        cr_assert_eq(r->receipt.fee, fee_of(r, r->receipt.run.gas));
        return;
    }
    cr_assert_eq(status, TW_REFUSED_FEE, "%s", tw_status_name(status));
    cr_assert_eq(has(r, &d->w, sender), before);
    d->refused++;
}

static void add_pack(day *d)
{
    rig *r = d->r;
    static const int64_t values[] = {5000, 50000, 90000, 150000};
    tw_pack_item item = {0, d->now, values[random_below(&d->seed, 4)]};
    const tw_pack pack = pack_of(r, &item, 1);
    if (has(r, &d->w, STRANGER) < fee_of(r, GAS_LIMIT)) return;
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
}

/* What the block says of fees is what their account has more, and nothing is lost. */
static void check_block(day *d)
{
    rig *r = d->r;
    const tw_mark mark = tw_arena_mark(r->arena);
    const tw_block block = newest(r);
    int64_t fees = 0;
    for (uint32_t i = 0; i < block.receipt_count; i++) {
        const tw_receipt *receipt = &block.receipts[i];
        fees += receipt->fee;
        d->ran += receipt->kind != TW_RECEIPT_TX && receipt->fee > 0;
        d->ticked +=
            receipt->kind == TW_RECEIPT_TX && !receipt->has_intake && receipt->handler_count > 0;
    }
    d->waited += waiting_in(&block);
    d->fees += fees;
    cr_assert_eq(has(r, &d->w, KEEPER_3), FORTUNE + d->fees);
    cr_assert_eq(balances_of(r, &d->w) + pot_of(r) + fuel_of(r), (int64_t)WHO_END * FORTUNE);
    tw_arena_reset(r->arena, mark);
}

static void one_block(day *d)
{
    rig *r = d->r;
    static const int64_t steps[] = {0, 1000, MINUTE, 4 * MINUTE, 10 * MINUTE, HOUR};
    d->now += steps[random_below(&d->seed, 6)];
    begin(r, d->now);
    for (size_t i = random_below(&d->seed, 4); i > 0; i--) add_one(d);
    if (random_below(&d->seed, 3) == 0) add_pack(d);
    if (random_below(&d->seed, 15) != 0) {
        (void)commit(r);
        check_block(d);
        return;
    }
    tw_block_abort(r->ledger);
    for (int i = 0; i < WHO_END; i++) {
        cr_assert_eq(tw_ledger_nonce(r->ledger, &r->accounts[i], &r->nonces[i]), TW_OK);
    }
    const uint8_t *record = NULL;
    bool found = false;
    cr_assert_eq(tw_device_get(look(r), &r->accounts[SENSOR_1], &record, &found), TW_OK);
    r->sequence = tw_load_u64(record + TW_DEVICE_SEQUENCE);
    d->now = tw_ledger_head(r->ledger)->time;
}

/* A second ledger made from the blocks; what it has at each height is what this one says it had. */
static void replay(day *d)
{
    rig *other = rig_on(store_in_memory(), meter_source, &d->w.genesis);
    tw_ledger *past = NULL;
    other->contract = d->r->contract;
    for (uint64_t h = 1; h <= tw_ledger_head(d->r->ledger)->height; h++) {
        tw_block block;
        int64_t then = 0;
        const tw_mark mark = tw_arena_mark(d->r->arena);
        cr_assert_eq(tw_ledger_block(d->r->ledger, h, d->r->arena, &block, &d->r->err), TW_OK);
        cr_assert_eq(tw_ledger_replay_block(other->ledger, &block, &other->err), TW_OK, "%s",
                     other->err.text);
        tw_arena_reset(d->r->arena, mark);
        if (h % 16 != 0) continue;
        cr_assert_eq(tw_ledger_open_past(d->r->ledger, h, &past, &d->r->err), TW_OK);
        cr_assert_eq(tw_ledger_fuel(past, &d->r->contract, &then), TW_OK);
        cr_assert_eq(fuel_of(other), then);
        tw_ledger_close(past);
    }
    rig_free(other);
}

static void random_day(uint64_t seed)
{
    day d = {.seed = seed, .now = start_time};
    d.r = meter_new(&d.w, PRICE);
    d.fees = has(d.r, &d.w, KEEPER_3) - FORTUNE; /* of the deploy */
    cr_log_info("seed %llu", (unsigned long long)seed);
    for (int i = 0; i < DRAWS; i++) one_block(&d);
    cr_assert(d.waited > 0 && d.ran > 0 && d.ticked > 0 && d.refused > 0, "%u %u %u %u", d.waited,
              d.ran, d.ticked, d.refused);
    check_whole(d.r);
    replay(&d);
    rig_free(d.r);
}

Test(fees, nothing_is_lost_at_random)
{
    for (uint64_t seed = 1; seed <= 4; seed++) random_day(seed);
}
