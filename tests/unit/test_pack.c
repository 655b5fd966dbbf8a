/* test_pack -- packs refused whole and readings refused one by one, each for its reason and with
 * nothing else changed; what readings do to stamps and alarms; what becomes of edges. */
#include "tests/unit/ledger_fixture.h"
#include "vm/exec/window.h"

#include <criterion/criterion.h>

static const who owner = OWNER;
static const who stranger = STRANGER;

/* ---- refused whole ---- */

/* The pack fails with `status`, and all it leaves is the carrier's nonce: the state is that of a
 * ledger with the same past in which the same carrier called nothing. */
static void fails_whole(const tw_pack *pack, who device, tw_status status, rig *r, rig *twin)
{
    const int64_t time = tw_ledger_head(r->ledger)->time;
    tw_tx nothing = call_of(twin, "nothing", text(""));
    begin(r, time);
    cr_assert_eq(carry(r, pack, device), status, "%s instead of %s",
                 tw_status_name(r->receipt.run.status), tw_status_name(status));
    cr_assert(!r->receipt.has_intake && r->receipt.run.writes == 0);
    const tw_block_info a = commit(r);
    begin(twin, time);
    (void)run(twin, &nothing, &stranger, 1);
    const tw_block_info b = commit(twin);
    cr_assert(tw_hash_equal(&a.state_root, &b.state_root), "%s", tw_status_name(status));
}

typedef struct twins {
    rig *r, *twin;
    tw_pack_item items[3];
    tw_pack pack; /* a good one: the next after those that were taken */
} twins;

static twins twins_make(void)
{
    twins t = {.r = rig_deployed(), .twin = rig_deployed()};
    (void)feed_for(t.r, start_time, 3, LOW_UM);
    (void)feed_for(t.twin, start_time, 3, LOW_UM);
    return t;
}

static void renew(twins *t)
{
    for (int i = 0; i < 3; i++) t->items[i] = (tw_pack_item){0, start_time + 3000, LOW_UM};
    t->pack = pack_of(t->r, t->items, 3);
}

static void twins_free(twins *t)
{
    rig_free(t->r);
    rig_free(t->twin);
}

Test(pack, a_device_must_be_a_member_and_sign)
{
    twins t = twins_make();
    renew(&t);
    t.pack.device = t.r->accounts[SENSOR_2];
    fails_whole(&t.pack, SENSOR_2, TW_PACK_NOT_MEMBER, t.r, t.twin);
    t.pack.device = t.r->accounts[OWNER]; /* has a role, but not a sensor's */
    fails_whole(&t.pack, OWNER, TW_PACK_NOT_MEMBER, t.r, t.twin);
    renew(&t);
    fails_whole(&t.pack, SENSOR_2, TW_PACK_BAD_SIGNATURE, t.r, t.twin);
    fails_whole(&t.pack, STRANGER, TW_PACK_BAD_SIGNATURE, t.r, t.twin);
    t.pack.contract.bytes[0] ^= 1;
    fails_whole(&t.pack, SENSOR_1, TW_TX_NO_CONTRACT, t.r, t.twin);
    twins_free(&t);
}

Test(pack, a_pack_is_signed_for_one_chain)
{
    twins t = twins_make();
    renew(&t);
    tw_hash chain = *tw_ledger_chain(t.r->ledger);
    chain.bytes[0] ^= 1;
    tw_writer w = tw_writer_new(MIB);
    cr_assert_eq(tw_pack_encode(&t.pack, &chain, &t.r->secrets[SENSOR_1], &w), TW_OK);
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&w)};
    begin(t.r, start_time + 3000);
    cr_assert_eq(run(t.r, &tx, &stranger, 1), TW_PACK_BAD_SIGNATURE);
    (void)commit(t.r);
    tw_writer_free(&w);
    twins_free(&t);
}

Test(pack, sequence_numbers_go_up_by_one)
{
    static const struct {
        uint64_t sequence;
        tw_status status;
    } cases[] = {
        {0, TW_PACK_REPLAYED}, {1, TW_PACK_REPLAYED}, {3, TW_PACK_REPLAYED},
        {5, TW_PACK_GAP},      {6, TW_PACK_GAP},      {UINT64_MAX, TW_PACK_GAP},
    };
    twins t = twins_make(); /* has taken the numbers 1, 2 and 3 */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        renew(&t);
        t.pack.sequence = cases[i].sequence;
        fails_whole(&t.pack, SENSOR_1, cases[i].status, t.r, t.twin);
    }
    renew(&t);
    t.items[0].time += 1000;
    t.items[1].time += 2000;
    t.items[2].time += 3000;
    begin(t.r, start_time + 6000);
    cr_assert_eq(carry(t.r, &t.pack, SENSOR_1), TW_OK, "none of these took the number");
    cr_assert_eq(t.r->receipt.intake.accepted, 3);
    cr_assert_eq(carry(t.r, &t.pack, SENSOR_1), TW_PACK_REPLAYED, "also in the same block");
    (void)commit(t.r);
    twins_free(&t);
}

Test(pack, no_reading_is_later_than_the_block)
{
    twins t = twins_make();
    for (int place = 0; place < 3; place++) {
        renew(&t);
        t.items[place].time = start_time + 3001;
        fails_whole(&t.pack, SENSOR_1, TW_PACK_IN_FUTURE, t.r, t.twin);
        t.items[place].time = ((int64_t)1 << 52) - 1;
        fails_whole(&t.pack, SENSOR_1, TW_PACK_IN_FUTURE, t.r, t.twin);
    }
    twins_free(&t);
}

/* The checks go in the order in which the language names them. */
Test(pack, the_first_reason_is_the_one_that_is_told)
{
    twins t = twins_make();
    renew(&t);
    t.items[0].time = start_time + 99000;
    t.pack.sequence = 9;
    fails_whole(&t.pack, SENSOR_1, TW_PACK_GAP, t.r, t.twin);
    t.pack.grant = 9;
    fails_whole(&t.pack, SENSOR_1, TW_PACK_OLD_GRANT, t.r, t.twin);
    fails_whole(&t.pack, SENSOR_2, TW_PACK_BAD_SIGNATURE, t.r, t.twin);
    t.pack.device = t.r->accounts[SENSOR_2];
    fails_whole(&t.pack, SENSOR_1, TW_PACK_NOT_MEMBER, t.r, t.twin);
    twins_free(&t);
}

/* After revoke and grant the old sequence numbers stay closed. */
Test(pack, a_new_grant_closes_the_old_packs)
{
    rig *r = rig_deployed();
    tw_pack_item item = {0, start_time + 1000, LOW_UM};
    const tw_pack old = pack_of(r, &item, 1);
    (void)feed_for(r, start_time, 1, LOW_UM);
    cr_assert_eq(swap_sensor(r, start_time + 2000, SENSOR_1, SENSOR_2), TW_OK);
    begin(r, start_time + 3000);
    cr_assert_eq(carry(r, &old, SENSOR_1), TW_PACK_NOT_MEMBER);
    (void)commit(r);
    cr_assert_eq(swap_sensor(r, start_time + 4000, SENSOR_2, SENSOR_1), TW_OK);
    begin(r, start_time + 5000);
    cr_assert_eq(carry(r, &old, SENSOR_1), TW_PACK_OLD_GRANT);
    tw_pack next = old;
    next.grant = 2; /* that of the other device */
    cr_assert_eq(carry(r, &next, SENSOR_1), TW_PACK_OLD_GRANT);
    next.grant = 3;
    item.time = start_time + 4000;
    cr_assert_eq(carry(r, &next, SENSOR_1), TW_OK);
    cr_assert_eq(r->receipt.intake.accepted, 1, "its window is empty, its number is 1 again");
    (void)commit(r);
    rig_free(r);
}

/* ---- refused one by one ---- */

/* One reading at a time into a block at `now`: taken, or the reason. */
static tw_refusal give(rig *r, int64_t now, int64_t time, int64_t value)
{
    tw_pack_item item = {0, time, value};
    const tw_pack pack = pack_of(r, &item, 1);
    begin(r, now);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    const tw_intake *intake = &r->receipt.intake;
    cr_assert_eq(intake->accepted + intake->refused_count, 1);
    const tw_refusal reason =
        intake->accepted == 1 ? TW_REFUSAL_NONE : (tw_refusal)intake->refused[0].reason;
    (void)commit(r);
    return reason;
}

Test(pack, readings_are_refused_by_range)
{
    static const int64_t values[] = {-1000000, -1000001, 10000000, 10000001, INT64_MIN, INT64_MAX};
    rig *r = rig_deployed();
    int64_t now = start_time;
    for (int i = 0; i < 6; i++) {
        now += 1000;
        cr_assert_eq(give(r, now, now, values[i]),
                     i == 0 || i == 2 ? TW_REFUSAL_NONE : TW_REFUSAL_RANGE, "%lld",
                     (long long)values[i]);
    }
    rig_free(r);
}

Test(pack, readings_are_refused_by_age)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + HOUR;
    (void)wait_until(r, now);
    cr_assert_eq(give(r, now, now - MINUTE - 1, 0), TW_REFUSAL_AGE);
    cr_assert_eq(give(r, now, 0, 0), TW_REFUSAL_AGE);
    cr_assert_eq(give(r, now, now - MINUTE, 0), TW_REFUSAL_NONE);
    rig_free(r);
}

Test(pack, readings_are_refused_out_of_order)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + 50000;
    cr_assert_eq(give(r, now, start_time + 10000, 0), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, start_time + 9999, 0), TW_REFUSAL_ORDER);
    cr_assert_eq(give(r, now, start_time + 10000, 0), TW_REFUSAL_NONE, "the same time is in order");
    cr_assert_eq(give(r, now, start_time + 20000, INT64_MAX), TW_REFUSAL_RANGE);
    cr_assert_eq(give(r, now, start_time + 11000, 0), TW_REFUSAL_NONE,
                 "only accepted ones count for the order");
    rig_free(r);
}

/* Two per second: at most two in (t - 1 s, t]. */
Test(pack, readings_are_refused_by_rate)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + 50000;
    const int64_t t = start_time + 10000;
    cr_assert_eq(give(r, now, t, 0), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, t + 400, 0), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, t + 400, 0), TW_REFUSAL_RATE);
    cr_assert_eq(give(r, now, t + 999, 0), TW_REFUSAL_RATE);
    cr_assert_eq(give(r, now, t + 1000, 0), TW_REFUSAL_NONE, "t itself is a second ago");
    cr_assert_eq(give(r, now, t + 1399, 0), TW_REFUSAL_RATE);
    cr_assert_eq(give(r, now, t + 1400, 0), TW_REFUSAL_NONE);
    rig_free(r);
}

/* A reading with several faults is refused for the first in the order of the language. */
Test(pack, the_first_reason_of_a_reading_counts)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + HOUR;
    (void)wait_until(r, now);
    cr_assert_eq(give(r, now, now, 0), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, now, 0), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, now - 2 * MINUTE, INT64_MAX), TW_REFUSAL_ORDER);
    cr_assert_eq(give(r, now, now, INT64_MAX), TW_REFUSAL_RANGE, "before rate");
    cr_assert_eq(give(r, now, now, 0), TW_REFUSAL_RATE);
    (void)wait_until(r, now + 10 * MINUTE);
    cr_assert_eq(give(r, now + 10 * MINUTE, now, INT64_MAX), TW_REFUSAL_AGE, "before range");
    rig_free(r);
}

static const uint8_t *record_of(rig *r, who device)
{
    const uint8_t *record = NULL;
    bool found = false;
    cr_assert_eq(tw_device_get(look(r), &r->accounts[device], &record, &found), TW_OK);
    cr_assert(found);
    return record;
}

Test(pack, one_pack_with_every_kind_of_reading)
{
    rig *r = rig_deployed();
    (void)wait_until(r, start_time + HOUR);
    const int64_t now = start_time + HOUR;
    tw_pack_item items[] = {
        {1, now, 5},                /* no such field */
        {0, now - 2 * MINUTE, 5},   /* too old */
        {0, now - 30000, 40},       /* taken */
        {0, now - 40000, 5},        /* out of order */
        {0, now - 20000, 99999999}, /* out of range */
        {0, now - 10000, 50},       /* taken */
        {0, now - 9999, 60},        /* taken */
        {0, now - 9998, 70},        /* too many */
        {1, now - 9998, 80},        /* no such field */
    };
    static const tw_refused refused[] = {
        {0, TW_REFUSAL_FIELD}, {1, TW_REFUSAL_AGE},  {3, TW_REFUSAL_ORDER},
        {4, TW_REFUSAL_RANGE}, {7, TW_REFUSAL_RATE}, {8, TW_REFUSAL_FIELD},
    };
    tw_pack pack = pack_of(r, items, sizeof items / sizeof items[0]);
    pack.fields[1] = text("heat");
    pack.field_count = 2;
    begin(r, now);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    cr_assert_eq(r->receipt.intake.accepted, 3);
    cr_assert_eq(r->receipt.intake.refused_count, 6);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(r->receipt.intake.refused[i].place, refused[i].place);
        cr_assert_eq(r->receipt.intake.refused[i].reason, refused[i].reason);
    }
    (void)commit(r);
    const uint8_t *record = record_of(r, SENSOR_1);
    for (int reason = 1; reason < TW_REFUSAL_COUNT; reason++) {
        cr_assert_eq(tw_load_u64(record + TW_DEVICE_REFUSED + 8 * reason),
                     reason == TW_REFUSAL_FIELD ? 2 : 1);
    }
    cr_assert_eq(tw_load_u64(record + TW_DEVICE_SEQUENCE), 1);
    cr_assert_eq(tw_load_u64(record + tw_device_reading(0)), 3);
    cr_assert_eq(view_int(r, "peak", text(""), now), 60);
    rig_free(r);
}

/* ---- gas ---- */

static void pack_at_the_bound(rig *r, uint16_t count, int64_t value)
{
    static tw_pack_item items[TW_PACK_READINGS_MAX];
    const int64_t now = tw_ledger_head(r->ledger)->time + HOUR;
    for (uint16_t i = 0; i < count; i++) {
        items[i] = (tw_pack_item){0, now - 500 * (int64_t)(count - i), value};
    }
    const tw_pack pack = pack_of(r, items, count);
    uint64_t bound = 0;
    tw_hash id;
    tw_writer p = tw_writer_new(MIB);
    tw_writer w = tw_writer_new(MIB);
    cr_assert_eq(tw_pack_encode(&pack, tw_ledger_chain(r->ledger), &r->secrets[SENSOR_1], &p),
                 TW_OK);
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&p), .signer_count = 1};
    tx.signers[0] = r->accounts[STRANGER];
    cr_assert_eq(tw_tx_encode(&tx, &r->secrets[STRANGER], &w, &id), TW_OK);
    cr_assert_eq(tw_ledger_gas_bound(r->ledger, &tx, w.size, &bound, &r->err), TW_OK);
    begin(r, now);
    tx.gas_limit = bound - 1;
    cr_assert_eq(add(r, &tx, &stranger, 1), TW_REFUSED_GAS_LIMIT);
    tx.gas_limit = bound;
    cr_assert_eq(run(r, &tx, &stranger, 1), TW_OK);
    cr_assert_leq(r->receipt.run.gas, bound);
    cr_assert_eq(r->receipt.intake.accepted + r->receipt.intake.refused_count, count);
    r->sequence++;
    (void)commit(r);
    tw_writer_free(&p);
    tw_writer_free(&w);
}

Test(pack, packs_of_all_sizes_stay_in_their_bound)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    pack_at_the_bound(r, 1, LOW_UM);
    pack_at_the_bound(r, 110, HIGH_UM); /* raises the alarm and runs its handler */
    cr_assert_eq(r->receipt.handler_count, 1);
    pack_at_the_bound(r, 120, LOW_UM); /* goes round the window's ring */
    pack_at_the_bound(r, TW_PACK_READINGS_MAX, LOW_UM);
    rig_free(r);
}

/* ---- alarms ---- */

static const tw_alarm_state *alarm_of(rig *r)
{
    return &look(r)->control.alarms[0];
}

Test(pack, an_alarm_rises_when_its_condition_has_held)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    tw_block block = feed_for(r, start_time, 10, HIGH_UM); /* nine seconds from first to last */
    cr_assert_eq(block.receipts[0].intake.edge_count, 0);
    cr_assert_not(alarm_of(r)->up);
    block = feed_for(r, start_time + 10000, 1, HIGH_UM);
    const tw_intake *intake = &block.receipts[0].intake;
    cr_assert_eq(intake->edge_count, 1);
    cr_assert(intake->edges[0].alarm == 0 && intake->edges[0].edge == TW_EDGE_RAISED);
    cr_assert_eq(intake->edges[0].time, start_time + 11000);
    cr_assert(alarm_of(r)->up && alarm_of(r)->edge == TW_EDGE_NONE, "handed over at once");
    cr_assert_eq(block.receipts[0].handler_count, 1);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    block = feed_for(r, start_time + 11000, 20, HIGH_UM);
    cr_assert_eq(block.receipts[0].intake.edge_count, 0, "an alarm is latched");
    rig_free(r);
}

Test(pack, a_level_is_above_not_at)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 20, LIMIT_UM);
    cr_assert_not(alarm_of(r)->up);
    (void)feed_for(r, start_time + 20000, 11, LIMIT_UM + 1);
    cr_assert(alarm_of(r)->up);
    (void)feed_for(r, start_time + 31000, 20, LIMIT_UM - 10000);
    cr_assert(alarm_of(r)->up, "below is below, too");
    (void)feed_for(r, start_time + 51000, 2, LIMIT_UM - 10001);
    cr_assert_not(alarm_of(r)->up);
    rig_free(r);
}

static bool high_at(rig *r, int64_t now)
{
    tw_outcome outcome;
    cr_assert_eq(tw_ledger_view(r->ledger, &r->contract, NULL,
                                entry_of(r, TW_ENTRY_VIEW, "high_now"), text(""), now, &outcome,
                                &r->err),
                 TW_OK);
    cr_assert(outcome.status == TW_OK && outcome.fields.size == 1);
    return outcome.fields.data[0] == 1;
}

/* A level holds from the reading on until max_age after it. */
Test(pack, a_level_is_forgotten_after_max_age)
{
    rig *r = rig_deployed();
    cr_assert_not(high_at(r, start_time), "nothing is above without a reading");
    (void)feed(r, start_time + 1000, HIGH_UM);
    cr_assert(high_at(r, start_time + 1000));
    cr_assert(high_at(r, start_time + 1000 + MINUTE));
    cr_assert_not(high_at(r, start_time + 1001 + MINUTE));
    (void)feed(r, start_time + 2000, LIMIT_UM);
    cr_assert_not(high_at(r, start_time + 2000));
    rig_free(r);
}

Test(pack, a_dip_or_a_pause_breaks_the_run)
{
    rig *r = rig_deployed();
    int64_t now = start_time;
    (void)feed_for(r, now, 10, HIGH_UM);
    now += 10000;
    (void)feed_for(r, now, 1, LIMIT_UM); /* the dip */
    now += 1000;
    (void)feed_for(r, now, 10, HIGH_UM);
    now += 10000;
    cr_assert_not(alarm_of(r)->up);
    now += 20001; /* longer than `gap` */
    (void)feed(r, now, HIGH_UM);
    cr_assert_not(alarm_of(r)->up);
    now += 20000; /* not longer */
    (void)feed(r, now, HIGH_UM);
    cr_assert(alarm_of(r)->up);
    rig_free(r);
}

Test(pack, refused_readings_touch_neither_stamps_nor_alarms)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 10, HIGH_UM);
    const int64_t now = start_time + 10500;
    cr_assert_eq(give(r, now, now, 10000001), TW_REFUSAL_RANGE);
    cr_assert_eq(give(r, now, now - 5000, LOW_UM), TW_REFUSAL_ORDER);
    cr_assert_eq(give(r, now, now, HIGH_UM), TW_REFUSAL_NONE);
    cr_assert_eq(give(r, now, now, LOW_UM), TW_REFUSAL_RATE);
    (void)feed(r, start_time + 11000, HIGH_UM);
    cr_assert(alarm_of(r)->up);
    rig_free(r);
}

/* ---- edges ---- */

Test(pack, an_edge_without_a_handler_waits_for_a_phase_that_has_one)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 11, HIGH_UM); /* Idle has no handler */
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_RAISED);
    cr_assert_eq(alarm_of(r)->time, start_time + 11000);
    tw_block block = wait_until(r, start_time + 12000);
    cr_assert_eq(block.receipt_count, 0, "not yet");
    cr_assert_eq(call(r, start_time + 13000, KEEPER_1, "open", text("")), TW_OK);
    block = newest(r);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 0, "a call hands nothing over");
    block = wait_until(r, start_time + 13000);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 1);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_NONE);
    block = wait_until(r, start_time + 14000);
    cr_assert_eq(block.receipt_count, 0, "once");
    rig_free(r);
}

/* Spans of a handler end at the reading that caused the edge, however late it is handed over. */
Test(pack, a_handler_looks_back_from_its_edge)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 11, HIGH_UM);
    (void)feed_for(r, start_time + 11000, 5, 2 * HIGH_UM);
    cr_assert_eq(call(r, start_time + 50000, KEEPER_1, "open", text("")), TW_OK);
    const tw_block block = wait_until(r, start_time + 51000);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 1);
    tw_reader reader = tw_reader_of(block.receipts[0].run.notices);
    tw_notice_view notice;
    cr_assert(tw_notice_read(&reader, &notice) && notice.index == EVENT_RAISED);
    cr_assert_eq(tw_load_u64(notice.fields.data), HIGH_UM);
    cr_assert_eq(tw_load_u64(notice.fields.data + 8), (uint64_t)start_time + 51000, "now is now");
    rig_free(r);
}

Test(pack, a_waiting_edge_goes_with_the_next_pack_as_well)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 11, HIGH_UM);
    tw_pack_item item = {0, start_time + 12000, HIGH_UM};
    const tw_pack pack = pack_of(r, &item, 1);
    const who opener = KEEPER_1;
    tw_tx open = call_of(r, "open", text(""));
    begin(r, start_time + 12000);
    cr_assert_eq(run(r, &open, &opener, 1), TW_OK);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    cr_assert_eq(r->receipt.handler_count, 1);
    (void)commit(r);
    const tw_block block = newest(r);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    cr_assert_eq(wait_until(r, start_time + 13000).receipt_count, 0);
    rig_free(r);
}

Test(pack, a_clear_that_meets_a_pending_raise_removes_both)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 11, HIGH_UM);
    const tw_block block = feed_for(r, start_time + 11000, 2, LOW_UM);
    cr_assert_eq(block.receipts[0].intake.edge_count, 1, "the receipt still shows the edge");
    cr_assert_eq(block.receipts[0].intake.edges[0].edge, TW_EDGE_CLEARED);
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_NONE);
    cr_assert_eq(call(r, start_time + 14000, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(wait_until(r, start_time + 15000).receipt_count, 0);
    rig_free(r);
}

/* Both edges in one pack: when its handlers run, there is nothing to hand over. */
Test(pack, an_alarm_that_rises_and_falls_in_one_pack)
{
    rig *r = rig_deployed();
    tw_pack_item items[14];
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    for (int i = 0; i < 14; i++) {
        items[i] = (tw_pack_item){0, start_time + 1000 * (i + 1), i < 11 ? HIGH_UM : LOW_UM};
    }
    const tw_pack pack = pack_of(r, items, 14);
    begin(r, start_time + 14000);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    cr_assert_eq(r->receipt.intake.edge_count, 2);
    cr_assert_eq(r->receipt.handler_count, 0);
    (void)commit(r);
    cr_assert_eq(wait_until(r, start_time + 15000).receipt_count, 0);
    rig_free(r);
}

Test(pack, a_handler_that_fails_keeps_the_readings_and_the_edge)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    const tw_block block = feed_for(r, start_time, 11, HIGH_UM);
    const tw_receipt *receipt = &block.receipts[0];
    cr_assert(receipt->run.status == TW_OK && receipt->intake.accepted == 1);
    cr_assert_eq(receipt->handler_count, 1);
    cr_assert_eq(receipt->handlers[0].status, TW_FAIL_ERROR);
    cr_assert_eq(receipt->handlers[0].fields.size, 8, "the error's own fields are there");
    cr_assert(receipt->handlers[0].notices.size == 0 && receipt->handlers[0].writes == 0);
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_RAISED);
    cr_assert_eq(alarm_of(r)->attempts, 1);
    cr_assert_eq(alarm_of(r)->due, start_time + 11000 + MINUTE);
    cr_assert_eq(feed_for(r, start_time + 11000, 1, HIGH_UM).receipts[0].handler_count, 0,
                 "not before it is due again");
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(0)), 12);
    rig_free(r);
}

/* A failed clear waits; the raise that comes meanwhile takes its place. */
Test(pack, a_newer_edge_replaces_an_older_one)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    (void)feed_for(r, start_time, 11, HIGH_UM);
    cr_assert_eq(call_flag(r, start_time + 11000, "break_it", true), TW_OK);
    (void)feed_for(r, start_time + 11000, 2, LOW_UM);
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_CLEARED);
    cr_assert_eq(call_flag(r, start_time + 13000, "break_it", false), TW_OK);
    const tw_block block = feed_for(r, start_time + 13000, 11, HIGH_UM);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    cr_assert_eq(alarm_of(r)->edge, TW_EDGE_NONE);
    const tw_block later = wait_until(r, start_time + 5 * MINUTE);
    cr_assert_eq(receipts_of(&later, TW_RECEIPT_HANDLER), 0, "the clear is forgotten");
    rig_free(r);
}

/* Alarms are the contract's: they outlive the device that raised them. */
Test(pack, a_new_device_starts_with_empty_windows_under_the_old_alarm)
{
    rig *r = rig_deployed();
    (void)feed_for(r, start_time, 11, HIGH_UM);
    cr_assert_eq(swap_sensor(r, start_time + 12000, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert(alarm_of(r)->up && alarm_of(r)->edge == TW_EDGE_RAISED);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(0)), 0);
    cr_assert_eq(swap_sensor(r, start_time + 13000, SENSOR_2, SENSOR_1), TW_OK);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(0)), 0);
    tw_window window;
    cr_assert_eq(tw_window_open(look(r), 0, &r->accounts[SENSOR_1], &window), TW_OK);
    cr_assert_eq(window.total, 0);
    (void)feed(r, start_time + 14000, HIGH_UM); /* no run from before the revoke goes on */
    (void)feed_for(r, start_time + 14000, 2, LOW_UM);
    cr_assert_not(alarm_of(r)->up);
    rig_free(r);
}

/* ---- other contracts ---- */

static const char flicker_source[] =
    "contract Flicker version 1 {\n"
    "  role owner\n"
    "  role sensor\n"
    "  reading x : length from sensor field \"x\"\n"
    "    range 0 mm .. 1 m rate 4096 per 1 s keep 4096 max_age 1 min\n"
    "  alarm a0 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a1 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a2 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a3 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a4 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a5 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a6 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a7 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a8 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm a9 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b0 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b1 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b2 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b3 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b4 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b5 raise when x above 500 mm clear when x below 500 mm\n"
    "  alarm b6 raise when x above 500 mm clear when x below 500 mm\n"
    "  event Up()\n"
    "  on a0 raised { emit Up() }\n"
    "  action swap(old: account, new: account) by owner {\n"
    "    revoke sensor from old\n"
    "    grant sensor to new\n"
    "  }\n"
    "}\n";

/* 4,096 readings turn 17 alarms each: more edges than 16 bits count. */
Test(pack, more_edges_than_16_bits_count)
{
    enum { ALARMS = 17 };
    static tw_pack_item items[TW_PACK_READINGS_MAX];
    const tw_genesis genesis = {.name = "flicker", .time = start_time};
    rig *r = rig_on(store_in_memory(), flicker_source, &genesis);
    crew c;
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = c.roles[2]; /* owner and sensor only */
    tx.role_count = 2;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK);
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    for (int i = 0; i < TW_PACK_READINGS_MAX; i++) {
        items[i] = (tw_pack_item){0, start_time, i % 2 == 0 ? 900000 : 100000};
    }
    tw_pack pack = pack_of(r, items, TW_PACK_READINGS_MAX);
    pack.fields[0] = text("x");
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    (void)commit(r);
    const tw_block block = newest(r);
    const tw_intake *intake = &block.receipts[1].intake;
    cr_assert_eq(intake->accepted, TW_PACK_READINGS_MAX);
    cr_assert_eq(intake->edge_count, ALARMS * TW_PACK_READINGS_MAX);
    for (uint32_t i = 0; i < intake->edge_count; i++) {
        cr_assert_eq(intake->edges[i].alarm, i % ALARMS);
        cr_assert_eq(intake->edges[i].edge, i / ALARMS % 2 == 0 ? TW_EDGE_RAISED : TW_EDGE_CLEARED);
    }
    rig_free(r);
}

static const char two_source[] = "contract Two version 1 {\n"
                                 "  role owner\n"
                                 "  role inlet\n"
                                 "  role outlet\n"
                                 "  reading warm : temperature from inlet field \"temp\"\n"
                                 "    range 0 °C .. 90 °C rate 1 per 1 s keep 10 max_age 1 min\n"
                                 "  reading cold : temperature from outlet field \"temp\"\n"
                                 "    range 0 °C .. 50 °C rate 1 per 1 s keep 10 max_age 1 min\n"
                                 "  event Quiet()\n"
                                 "  on warm silent for 5 min { emit Quiet() }\n"
                                 "  on cold silent for 5 min { emit Quiet() }\n"
                                 "  action move(old: account, new: account) by owner {\n"
                                 "    revoke outlet from old\n"
                                 "    grant outlet to new\n"
                                 "  }\n"
                                 "  action move_in(old: account, new: account) by owner {\n"
                                 "    revoke inlet from old\n"
                                 "    grant inlet to new\n"
                                 "  }\n"
                                 "}\n";

static rig *two_deployed(void)
{
    const tw_genesis genesis = {.name = "two", .time = start_time};
    rig *r = rig_on(store_in_memory(), two_source, &genesis);
    crew c;
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = (tw_tx_role){&r->accounts[SENSOR_1], 1};
    c.roles[2] = (tw_tx_role){&r->accounts[SENSOR_2], 1};
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK);
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    return r;
}

static tw_status move(rig *r, const char *action, int64_t time, who from, who to)
{
    tw_account both[2] = {r->accounts[from], r->accounts[to]};
    return call(r, time, OWNER, action, tw_bytes_of(both, sizeof both));
}

static uint32_t give_temp(rig *r, who device, uint64_t sequence, int64_t time)
{
    tw_pack_item item = {0, time, 300000}; /* 26.85 °C */
    tw_pack pack = pack_of(r, &item, 1);
    pack.device = r->accounts[device];
    pack.grant = tw_load_u64(record_of(r, device) + TW_DEVICE_GRANT);
    pack.sequence = sequence;
    pack.fields[0] = text("temp");
    begin(r, time);
    cr_assert_eq(carry(r, &pack, device), TW_OK);
    const uint32_t accepted = r->receipt.intake.accepted;
    (void)commit(r);
    return accepted;
}

/* Two roles may name their fields alike: the device's role says which reading is meant. */
Test(pack, a_field_belongs_to_the_role_of_the_device)
{
    rig *r = two_deployed();
    cr_assert_eq(give_temp(r, SENSOR_1, 1, start_time + 1000), 1);
    cr_assert_eq(give_temp(r, SENSOR_2, 1, start_time + 2000), 1);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(0)), 1);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(1)), 0);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(0)), 0);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(1)), 1);
    rig_free(r);
}

/* A device that gets a second role keeps its numbers, and what it measures in the first. */
Test(pack, a_device_with_two_roles)
{
    rig *r = two_deployed();
    cr_assert_eq(give_temp(r, SENSOR_1, 1, start_time + 1000), 1);
    cr_assert_eq(move(r, "move", start_time + 2000, SENSOR_2, SENSOR_1), TW_OK);
    cr_assert_eq(give_temp(r, SENSOR_1, 2, start_time + 3000), 1);
    cr_assert_eq(move(r, "move", start_time + 4000, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert_eq(give_temp(r, SENSOR_1, 3, start_time + 5000), 1);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(0)), 3);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_1) + tw_device_reading(1)), 0);
    rig_free(r);
}

/* A role that comes back comes with an empty window, whatever the device held in between. */
Test(pack, a_second_role_comes_back_empty)
{
    rig *r = two_deployed();
    cr_assert_eq(move(r, "move_in", start_time, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert_eq(give_temp(r, SENSOR_2, 1, start_time + 1000), 1);
    cr_assert_eq(move(r, "move_in", start_time + 2000, SENSOR_2, SENSOR_1), TW_OK);
    cr_assert_eq(give_temp(r, SENSOR_2, 2, start_time + 3000), 1);
    cr_assert_eq(move(r, "move_in", start_time + 4000, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(0)), 0);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(1)), 1);
    cr_assert_eq(move(r, "move", start_time + 5000, SENSOR_2, SENSOR_1), TW_OK);
    cr_assert_eq(move(r, "move", start_time + 6000, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert_eq(tw_load_u64(record_of(r, SENSOR_2) + tw_device_reading(1)), 0);
    cr_assert_eq(give_temp(r, SENSOR_2, 3, start_time + 7000), 1);
    rig_free(r);
}

/* Both filed under the same early time; the true times lie apart, in either order. */
Test(pack, the_next_of_two_silences)
{
    for (int order = 0; order < 2; order++) {
        rig *r = two_deployed();
        const who first = order == 0 ? SENSOR_1 : SENSOR_2;
        const who second = order == 0 ? SENSOR_2 : SENSOR_1;
        int64_t due = 0;
        bool found = false;
        cr_assert_eq(give_temp(r, first, 1, start_time + 2 * MINUTE), 1);
        cr_assert_eq(give_temp(r, second, 1, start_time + 4 * MINUTE), 1);
        cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
        cr_assert(found && due == start_time + 7 * MINUTE, "%lld", (long long)(due - start_time));
        rig_free(r);
    }
}

/* Silence is counted from the grant of the role that the reading comes from. */
Test(pack, silence_of_a_second_role_counts_from_its_own_grant)
{
    rig *r = two_deployed();
    const int64_t later = start_time + 4 * MINUTE;
    cr_assert_eq(move(r, "move", later, SENSOR_2, SENSOR_1), TW_OK);
    tw_block block = wait_until(r, start_time + 5 * MINUTE);
    cr_assert_eq(events_of(&block, 0), 1, "the first role has been silent since the deploy");
    block = wait_until(r, later + 5 * MINUTE - 1);
    cr_assert_eq(events_of(&block, 0), 0);
    block = wait_until(r, later + 5 * MINUTE);
    cr_assert_eq(events_of(&block, 0), 1);
    rig_free(r);
}

/* ---- what people read ---- */

Test(pack, each_reason_has_its_words)
{
    for (int i = 0; i < TW_REFUSAL_COUNT; i++) {
        const char *words = tw_refusal_text((tw_refusal)i);
        cr_expect_neq(words[0], '\0', "%d", i);
        for (int k = 0; k < i; k++) cr_expect_str_neq(words, tw_refusal_text((tw_refusal)k));
    }
    cr_expect_str_eq(tw_refusal_text(TW_REFUSAL_RATE), "more than rate");
    cr_expect_str_eq(tw_refusal_text((tw_refusal)200), "unknown", "of a receipt that is damaged");
}
