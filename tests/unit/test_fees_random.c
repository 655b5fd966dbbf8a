/* test_fees_random -- days on a ledger that takes fees, drawn at random: after each block all
 * balances, purses and fuel are what there was at first, and the fees are where they belong. */
#include "tests/unit/fees_fixture.h"

enum { DRAWS = 400 };

typedef struct day {
    rig *r;
    world w;
    uint64_t first; /* what the seed was */
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
    const unsigned long long seed = d->first;
    const unsigned long long height = tw_ledger_head(r->ledger)->height;
    cr_assert_eq(has(r, &d->w, KEEPER_3), FORTUNE + d->fees, "seed %llu, block %llu", seed, height);
    cr_assert_eq(balances_of(r, &d->w) + pot_of(r) + fuel_of(r), (int64_t)WHO_END * FORTUNE,
                 "seed %llu, block %llu", seed, height);
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
    day d = {.first = seed, .seed = seed, .now = start_time};
    d.r = meter_new(&d.w, PRICE);
    d.fees = has(d.r, &d.w, KEEPER_3) - FORTUNE; /* of the deploy */
    for (int i = 0; i < DRAWS; i++) one_block(&d);
    cr_assert(d.waited > 0 && d.ran > 0 && d.ticked > 0 && d.refused > 0, "seed %llu: %u %u %u %u",
              (unsigned long long)seed, d.waited, d.ran, d.ticked, d.refused);
    check_whole(d.r);
    replay(&d);
    rig_free(d.r);
}

Test(fees, nothing_is_lost_at_random)
{
    for (uint64_t seed = 1; seed <= 4; seed++) random_day(seed);
}
