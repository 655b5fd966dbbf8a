/* fees_fixture -- what the tests of fees share: a ledger that takes fees, people with a fortune, a
 * contract with timers, alarms and a purse, and short ways to fill, tick and transfer. */
#ifndef TW_TESTS_FEES_FIXTURE_H
#define TW_TESTS_FEES_FIXTURE_H

#include "tests/unit/ledger_fixture.h"
#include "vm/ledger/audit.h"

enum {
    PRICE = 7,            /* of a million gas, in cents */
    FORTUNE = 1000000000, /* cents that each of the people has at first */
    GAS_LIMIT = 400000000,
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

static inline tw_account account_of(who whose)
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

static inline void world_make(world *w, int64_t price)
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

static inline int64_t has(rig *r, const world *w, who whose)
{
    int64_t amount = 0;
    cr_assert_eq(tw_ledger_balance(r->ledger, &w->eur, &r->accounts[whose], &amount), TW_OK);
    return amount;
}

static inline int64_t fuel_of(rig *r)
{
    int64_t amount = 0;
    cr_assert_eq(tw_ledger_fuel(r->ledger, &r->contract, &amount), TW_OK);
    return amount;
}

static inline int64_t fee_of(rig *r, uint64_t gas)
{
    int64_t fee = 0;
    cr_assert(tw_ledger_fee(r->ledger, gas, &fee));
    return fee;
}

static inline void hear(void *context, const char *sentence)
{
    (void)context;
    cr_assert(false, "%s", sentence);
}

/* Balances, purses and fuel together are what there is. */
static inline void check_whole(rig *r)
{
    tw_audit a = {.store = r->store, .memory_max = 64 * MIB, .found = hear};
    cr_assert_eq(tw_audit_ledger(&a, &r->err), TW_OK, "%s", r->err.text);
}

static inline void meter_deploy(rig *r, const world *w)
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

static inline rig *meter_new(world *w, int64_t price)
{
    world_make(w, price);
    rig *r = rig_on(store_in_memory(), meter_source, &w->genesis);
    r->gas_limit = GAS_LIMIT;
    meter_deploy(r, w);
    return r;
}

/* In a block of its own at the head's time; what became of it. */
static inline tw_status send(rig *r, tw_tx *tx, who sender)
{
    begin(r, tw_ledger_head(r->ledger)->time);
    const tw_status status = run(r, tx, &sender, 1);
    (void)commit(r);
    return status;
}

static inline tw_status fill(rig *r, who sender, int64_t amount)
{
    tw_tx tx = {.kind = TW_TX_FUEL, .contract = r->contract, .amount = amount};
    return send(r, &tx, sender);
}

static inline tw_status tick(rig *r, who sender)
{
    tw_tx tx = {.kind = TW_TX_TICK, .contract = r->contract};
    return send(r, &tx, sender);
}

static inline tw_status transfer(rig *r, const tw_hash *asset, who from, const tw_account *to,
                                 int64_t amount)
{
    tw_tx tx = {.kind = TW_TX_TRANSFER, .asset = *asset, .payee = *to, .amount = amount};
    return send(r, &tx, from);
}

static inline int64_t next_due(rig *r)
{
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
    return found ? due : -1;
}

/* Receipts of the block that say that there was no fuel. */
static inline uint32_t waiting_in(const tw_block *block)
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

#endif
