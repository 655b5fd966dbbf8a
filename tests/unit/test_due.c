/* test_due -- what the clock starts: silent, after and every, when they are due to the millisecond,
 * their order, their budget, and how a run that fails is tried again. */
#include "tests/unit/ledger_fixture.h"
#include "vm/exec/exec.h"
#include "vm/exec/intake.h"

#include <criterion/criterion.h>

static const who owner = OWNER;

static const int64_t quiet = 5 * (int64_t)MINUTE; /* `silent for` of the rig */
static const int64_t wait = 10 * (int64_t)MINUTE; /* its `after` */

static int64_t next_due(rig *r)
{
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
    return found ? due : -1;
}

/* ---- silent ---- */

Test(due, silence_is_told_to_the_millisecond_and_once)
{
    rig *r = rig_deployed();
    cr_assert_eq(next_due(r), start_time + quiet);
    cr_assert_eq(wait_until(r, start_time + quiet - 1).receipt_count, 0);
    cr_assert_eq(next_due(r), start_time + quiet);
    tw_block block = wait_until(r, start_time + quiet);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    cr_assert_eq(next_due(r), -1);
    block = wait_until(r, start_time + 3 * quiet);
    cr_assert_eq(block.receipt_count, 0, "once");
    (void)feed(r, start_time + 3 * quiet + 7, LOW_UM);
    cr_assert_eq(next_due(r), start_time + 4 * quiet + 7, "a reading arms it again");
    block = wait_until(r, start_time + 9 * quiet);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    rig_free(r);
}

/* Readings move the time of silence; the index learns of it when it is looked at. */
Test(due, readings_move_the_time_of_silence)
{
    rig *r = rig_deployed();
    const int64_t last = start_time + 2 * MINUTE;
    (void)feed(r, last, LOW_UM);
    cr_assert_eq(look(r)->control.timers[entry_of(r, TW_ENTRY_SILENT, NULL)].due,
                 start_time + quiet, "a pack writes no index");
    cr_assert_eq(next_due(r), last + quiet, "whoever asks gets the right time");
    cr_assert_eq(wait_until(r, start_time + quiet).receipt_count, 0, "filed anew, not run");
    cr_assert_eq(next_due(r), last + quiet);
    cr_assert_eq(wait_until(r, last + quiet - 1).receipt_count, 0);
    const tw_block block = wait_until(r, last + quiet);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    rig_free(r);
}

/* What counts is the device's time, not the block's; a reading of long ago is late already. */
Test(due, silence_counts_device_time)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + 4 * MINUTE;
    tw_pack_item item = {0, now - MINUTE, LOW_UM};
    const tw_pack pack = pack_of(r, &item, 1);
    begin(r, now);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    (void)commit(r);
    cr_assert_eq(next_due(r), now - MINUTE + quiet);
    rig_free(r);
}

Test(due, refused_readings_break_no_silence)
{
    rig *r = rig_deployed();
    tw_pack_item item = {0, start_time + 4 * MINUTE, INT64_MAX};
    const tw_pack pack = pack_of(r, &item, 1);
    begin(r, start_time + 4 * MINUTE);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    cr_assert_eq(r->receipt.intake.accepted, 0);
    (void)commit(r);
    cr_assert_eq(next_due(r), start_time + quiet);
    rig_free(r);
}

Test(due, a_new_device_gets_its_time)
{
    rig *r = rig_deployed();
    const int64_t now = start_time + 3 * MINUTE;
    cr_assert_eq(swap_sensor(r, now, SENSOR_1, SENSOR_2), TW_OK);
    cr_assert_eq(next_due(r), now + quiet);
    cr_assert_eq(wait_until(r, now + quiet - 1).receipt_count, 0);
    const tw_block block = wait_until(r, now + quiet);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    cr_assert_eq(swap_sensor(r, now + 2 * quiet, SENSOR_2, SENSOR_1), TW_OK);
    cr_assert_eq(next_due(r), now + 3 * quiet, "told once a device");
    rig_free(r);
}

/* Nobody is a sensor: silent since the deploy. The first one that comes starts anew. */
Test(due, a_first_device_gets_its_time_as_well)
{
    rig *r = rig_new();
    crew c;
    tw_tx tx = deploy_of(r, &c);
    c.roles[2].count = 0;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK);
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    tw_block block = wait_until(r, start_time + quiet);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    cr_assert_eq(next_due(r), -1);
    const int64_t hired = start_time + quiet + 7;
    cr_assert_eq(call(r, hired, OWNER, "hire", tw_bytes_of(r->accounts[SENSOR_1].bytes, 32)),
                 TW_OK);
    cr_assert_eq(next_due(r), hired + quiet);
    cr_assert_eq(call(r, hired, OWNER, "hire", tw_bytes_of(r->accounts[SENSOR_1].bytes, 32)),
                 TW_TRAP_ALREADY_MEMBER);
    cr_assert_eq(call(r, hired, OWNER, "hire", tw_bytes_of(r->accounts[SENSOR_2].bytes, 32)),
                 TW_TRAP_FULL);
    cr_assert_eq(swap_sensor(r, hired, SENSOR_2, SENSOR_1), TW_TRAP_NOT_MEMBER);
    cr_assert_eq(swap_sensor(r, hired, SENSOR_1, SENSOR_1), TW_OK);
    block = wait_until(r, hired + quiet);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    rig_free(r);
}

Test(due, silence_in_a_phase_without_its_handler_is_dropped)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call(r, start_time, OWNER, "halt", text("")), TW_OK);
    cr_assert_eq(wait_until(r, start_time + quiet).receipt_count, 0);
    cr_assert_eq(next_due(r), -1);
    (void)feed(r, start_time + 2 * quiet, LOW_UM);
    cr_assert_eq(next_due(r), start_time + 3 * quiet, "armed by a reading even so");
    rig_free(r);
}

/* ---- after ---- */

Test(due, after_counts_from_each_time_the_phase_is_entered)
{
    rig *r = rig_deployed();
    const int64_t opened = start_time + 1234;
    cr_assert_eq(call(r, opened, KEEPER_1, "open", text("")), TW_OK);
    (void)feed_for(r, opened, 11, HIGH_UM);
    (void)feed_for(r, opened + 11000, 2, LOW_UM); /* back to Idle */
    cr_assert_eq(look(r)->control.phase, 0);
    const int64_t again = opened + 5 * MINUTE - 60000;
    cr_assert_eq(call(r, again, KEEPER_1, "open", text("")), TW_OK);
    tw_block block = wait_until(r, opened + wait);
    cr_assert_eq(events_of(&block, EVENT_WAITED), 0, "the first wait has ended with the phase");
    block = wait_until(r, again + wait - 1);
    cr_assert_eq(events_of(&block, EVENT_WAITED), 0);
    block = wait_until(r, again + wait);
    cr_assert_eq(events_of(&block, EVENT_WAITED), 1);
    block = wait_until(r, again + 5 * wait);
    cr_assert_eq(events_of(&block, EVENT_WAITED), 0, "once for each time");
    rig_free(r);
}

Test(due, leaving_the_phase_stops_its_timer)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call(r, start_time + 1000, OWNER, "halt", text("")), TW_OK);
    const tw_block block = wait_until(r, start_time + DAY);
    cr_assert_eq(block.receipt_count, 0);
    cr_assert_eq(next_due(r), -1);
    rig_free(r);
}

/* ---- retries ---- */

Test(due, the_delay_doubles_from_a_minute_to_a_day)
{
    int64_t delay = MINUTE;
    for (int attempt = 1; attempt <= UINT8_MAX; attempt++) {
        cr_assert_eq(tw_retry_delay((uint8_t)attempt), delay, "attempt %d", attempt);
        delay = delay * 2 < DAY ? delay * 2 : DAY;
    }
}

/* Runs the ledger block by block at each time it asks for, and gives those times from `from` on. */
static void follow(rig *r, int64_t from, const int64_t *delays, size_t count, uint8_t kind)
{
    for (size_t i = 0; i < count; i++) {
        from += delays[i];
        cr_assert_eq(next_due(r), from, "try %zu", i);
        cr_assert_eq(wait_until(r, from - 1).receipt_count, 0);
        const tw_block block = wait_until(r, from);
        cr_assert_eq(block.receipt_count, 1);
        cr_assert_eq(block.receipts[0].kind, kind);
        cr_assert_eq(block.receipts[0].run.status, TW_FAIL_ERROR);
        cr_assert_eq(block.receipts[0].run.notices.size, 0);
        cr_assert_eq(block.receipts[0].run.writes, 0);
    }
}

static const int64_t doubling[] = {
    1 * MINUTE,   2 * MINUTE,   4 * MINUTE,   8 * MINUTE,    16 * MINUTE, 32 * MINUTE, 64 * MINUTE,
    128 * MINUTE, 256 * MINUTE, 512 * MINUTE, 1024 * MINUTE, DAY,         DAY,         DAY,
};
enum { DOUBLINGS = sizeof doubling / sizeof doubling[0] };

Test(due, a_timer_that_fails_is_tried_again)
{
    rig *r = rig_deployed();
    const int64_t first[] = {quiet};
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    follow(r, start_time, first, 1, TW_RECEIPT_TIMER);
    follow(r, start_time + quiet, doubling, DOUBLINGS, TW_RECEIPT_TIMER);
    const int64_t now = tw_ledger_head(r->ledger)->time;
    cr_assert_eq(call_flag(r, now, "break_it", false), TW_OK);
    const tw_block block = wait_until(r, now + DAY);
    cr_assert_eq(events_of(&block, EVENT_QUIET), 1);
    cr_assert_eq(next_due(r), -1);
    cr_assert_eq(look(r)->control.timers[entry_of(r, TW_ENTRY_SILENT, NULL)].attempts, 0);
    rig_free(r);
}

/* A failed silence whose reading came meanwhile is no silence any more. */
Test(due, a_reading_ends_the_retries_of_silence)
{
    rig *r = rig_deployed();
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)wait_until(r, start_time + quiet);
    const int64_t heard = start_time + quiet + 30000;
    (void)feed(r, heard, LOW_UM);
    cr_assert_eq(call_flag(r, heard, "break_it", false), TW_OK);
    const tw_block block = wait_until(r, start_time + quiet + MINUTE);
    cr_assert_eq(block.receipt_count, 0);
    cr_assert_eq(next_due(r), heard + quiet);
    rig_free(r);
}

Test(due, an_after_that_fails_is_tried_again_until_its_phase_ends)
{
    rig *r = rig_deployed();
    (void)wait_until(r, start_time + quiet); /* the silence is told and out of the way */
    const int64_t opened = start_time + quiet;
    const int64_t first[] = {wait};
    cr_assert_eq(call(r, opened, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call_flag(r, opened, "break_it", true), TW_OK);
    follow(r, opened, first, 1, TW_RECEIPT_TIMER);
    follow(r, opened + wait, doubling, 3, TW_RECEIPT_TIMER);
    cr_assert_eq(call(r, opened + wait + 8 * MINUTE, OWNER, "halt", text("")), TW_OK);
    cr_assert_eq(next_due(r), -1);
    rig_free(r);
}

Test(due, an_edge_that_fails_is_tried_again)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)feed_for(r, start_time, 11, HIGH_UM); /* the first try fails with the pack */
    follow(r, start_time + 11000, doubling, 2, TW_RECEIPT_HANDLER);
    const int64_t now = start_time + 11000 + 3 * MINUTE;
    cr_assert_eq(call_flag(r, now, "break_it", false), TW_OK);
    cr_assert_eq(next_due(r), start_time + quiet + 11000, "silence comes first");
    const tw_block block = wait_until(r, now + 4 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    cr_assert_eq(look(r)->control.alarms[0].edge, TW_EDGE_NONE);
    rig_free(r);
}

/* A newer edge is tried from the first minute on, however often the older one has failed. */
Test(due, a_new_edge_starts_its_own_retries)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)feed_for(r, start_time, 11, HIGH_UM);
    follow(r, start_time + 11000, doubling, 2, TW_RECEIPT_HANDLER);
    const int64_t now = start_time + 11000 + 3 * MINUTE;
    (void)feed_for(r, now, 2, LOW_UM); /* meets the raise: both are gone */
    (void)feed_for(r, now + 2000, 11, HIGH_UM);
    cr_assert_eq(look(r)->control.alarms[0].attempts, 1);
    cr_assert_eq(next_due(r), now + 13000 + MINUTE);
    rig_free(r);
}

/* A failed edge waits for its minute; then the start of a block takes it, before any pack. */
Test(due, a_pack_does_not_hurry_a_retry)
{
    rig *r = rig_deployed();
    cr_assert_eq(call(r, start_time, KEEPER_1, "open", text("")), TW_OK);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)feed_for(r, start_time, 11, HIGH_UM);
    cr_assert_eq(call_flag(r, start_time + 11000, "break_it", false), TW_OK);
    tw_block block = feed(r, start_time + 11000 + MINUTE - 1, HIGH_UM);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 0);
    block = feed(r, start_time + 11000 + MINUTE, HIGH_UM);
    cr_assert_eq(events_of(&block, EVENT_RAISED), 1);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 1, "the block's start comes first");
    rig_free(r);
}

/* ---- every ---- */

static const char beat_source[] = "contract Beat version 1 {\n"
                                  "  role owner\n"
                                  "  role sensor\n"
                                  "  reading x : length from sensor field \"x\"\n"
                                  "    range 0 mm .. 1 m rate 1 per 1 s keep 700 max_age 1 min\n"
                                  "  var broken : bool = no\n"
                                  "  event Slow(taken: int)\n"
                                  "  event Fast()\n"
                                  "  error Broken()\n"
                                  "  every 10 min {\n"
                                  "    needs not broken else Broken()\n"
                                  "    emit Slow(taken: count(x over 10 min))\n"
                                  "  }\n"
                                  "  every 4 min { emit Fast() }\n"
                                  "  action break_it(b: bool) by owner { broken = b }\n"
                                  "  action swap(old: account, new: account) by owner {\n"
                                  "    revoke sensor from old\n"
                                  "    grant sensor to new\n"
                                  "  }\n"
                                  "}\n";
enum { EVENT_SLOW, EVENT_FAST };

static void beat_deploy(rig *r, int64_t time)
{
    crew c;
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = c.roles[2];
    tx.role_count = 2;
    begin(r, time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    r->sequence = 0;
    (void)commit(r);
}

static rig *beat_new(uint64_t timer_gas_max)
{
    const tw_genesis genesis = {.name = "beat", .time = start_time, .timer_gas_max = timer_gas_max};
    rig *r = rig_on(store_in_memory(), beat_source, &genesis);
    beat_deploy(r, start_time);
    return r;
}

Test(due, every_beats_from_the_deploy_on)
{
    rig *r = beat_new(0);
    uint32_t slow = 0;
    uint32_t fast = 0;
    for (int64_t now = start_time + 1; now <= start_time + HOUR; now = next_due(r)) {
        const tw_block block = wait_until(r, now);
        slow += events_of(&block, EVENT_SLOW);
        fast += events_of(&block, EVENT_FAST);
        cr_assert_eq(events_of(&block, EVENT_SLOW), (now - start_time) % (10 * MINUTE) == 0);
        cr_assert_eq(events_of(&block, EVENT_FAST), (now - start_time) % (4 * MINUTE) == 0);
    }
    cr_assert(slow == 6 && fast == 15);
    rig_free(r);
}

/* One run covers all that was missed; the next one keeps the beat. */
Test(due, missed_periods_are_covered_by_one_run)
{
    rig *r = beat_new(0);
    const tw_block block = wait_until(r, start_time + 3 * DAY + 123456);
    cr_assert_eq(events_of(&block, EVENT_SLOW), 1);
    cr_assert_eq(events_of(&block, EVENT_FAST), 1);
    cr_assert_eq(next_due(r), start_time + 3 * DAY + 4 * MINUTE);
    rig_free(r);
}

/* What the block's slow beat has counted. */
static uint64_t slow_count(const tw_block *block)
{
    cr_assert_eq(events_of(block, EVENT_SLOW), 1);
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        tw_reader reader = tw_reader_of(block->receipts[i].run.notices);
        tw_notice_view notice;
        if (!tw_notice_read(&reader, &notice) || notice.index != EVENT_SLOW) continue;
        return tw_load_u64(notice.fields.data);
    }
    return 0;
}

/* [end - D, end), where end is when the run was due: neighbours share no reading, lose none. */
Test(due, periods_of_every_share_nothing)
{
    rig *r = beat_new(0);
    tw_pack_item items[3] = {
        {0, start_time + 10 * MINUTE - 1000, 1},
        {0, start_time + 10 * MINUTE, 2},
        {0, start_time + 10 * MINUTE + 1000, 3},
    };
    tw_pack pack = pack_of(r, items, 3);
    pack.fields[0] = text("x");
    (void)wait_until(r, start_time + 10 * MINUTE - 500);
    pack.item_count = 1;
    begin(r, start_time + 10 * MINUTE - 500);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    (void)commit(r);
    tw_block block = wait_until(r, start_time + 10 * MINUTE + 2000); /* a late block */
    cr_assert_eq(slow_count(&block), 1);
    pack.items = items + 1;
    pack.item_count = 2;
    pack.sequence++;
    begin(r, start_time + 10 * MINUTE + 2000);
    cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
    (void)commit(r);
    (void)wait_until(r, start_time + 16 * MINUTE);
    block = wait_until(r, start_time + 20 * MINUTE);
    cr_assert_eq(slow_count(&block), 2);
    rig_free(r);
}

Test(due, an_every_that_fails_is_tried_again_and_finds_its_beat)
{
    rig *r = beat_new(0);
    cr_assert_eq(call_flag(r, start_time, "break_it", true), TW_OK);
    (void)wait_until(r, start_time + 8 * MINUTE);
    tw_block block = wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(block.receipts[0].run.status, TW_FAIL_ERROR);
    cr_assert_eq(next_due(r), start_time + 11 * MINUTE);
    cr_assert_eq(call_flag(r, start_time + 10 * MINUTE, "break_it", false), TW_OK);
    block = wait_until(r, start_time + 11 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_SLOW), 1);
    (void)wait_until(r, start_time + 19 * MINUTE);
    block = wait_until(r, start_time + 20 * MINUTE);
    cr_assert_eq(events_of(&block, EVENT_SLOW), 1);
    rig_free(r);
}

/* ---- records that nobody has written ---- */

/* Puts other numbers into the contract's record in the store, as a disk might. */
static void plant(rig *r, int64_t deployed_at, int64_t delay)
{
    tw_contract *c = look(r);
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, &r->contract);
    tw_batch *batch = tw_batch_new(MIB);
    tw_bytes value;
    bool found = false;
    c->deployed_at = deployed_at;
    for (uint16_t i = 0; i < c->code->module->deployed_count; i++) {
        if (c->deployed[i] == 4 * MINUTE) c->deployed[i] = delay;
    }
    cr_assert_eq(tw_contract_save(c), TW_OK);
    cr_assert_eq(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, &found), TW_OK);
    tw_batch_put(batch, TW_TABLE_STATE, tw_key_bytes(&key), value);
    cr_assert(found && tw_store_commit(r->store, batch, false, &r->err) == TW_OK);
    tw_batch_free(batch);
}

/* `every` divides by its delay, and times are added up: what could not have been deployed is found
 * out when it is read, and the error says what to do. */
Test(due, a_record_with_times_that_are_none_is_damaged)
{
    const struct {
        int64_t deployed_at, delay;
        bool whole;
    } rows[] = {
        {start_time, 4 * MINUTE, true}, {start_time, 0, false},
        {start_time, -1, false},        {start_time, MINUTE - 1, false},
        {start_time, INT64_MAX, false}, {start_time, INT64_MIN, false},
        {-1, 4 * MINUTE, false},        {INT64_MIN, 4 * MINUTE, false},
        {INT64_MAX, 4 * MINUTE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rig *r = beat_new(0);
        tw_arena *arena = tw_arena_new(MIB);
        tw_contract *c = NULL;
        plant(r, rows[i].deployed_at, rows[i].delay);
        r->err.text[0] = '\0';
        const tw_status wanted = rows[i].whole ? TW_OK : TW_ERR_CORRUPT;
        const tw_status status = tw_block_begin(r->ledger, start_time + 5 * MINUTE, &r->err);
        cr_expect_eq(status, wanted, "row %zu: %s", i, r->err.text);
        cr_expect_eq(strstr(r->err.text, "twvm fsck") == NULL, rows[i].whole, "row %zu: %s", i,
                     r->err.text);
        if (status == TW_OK) (void)commit(r);
        cr_expect_eq(tw_ledger_contract(r->ledger, &r->contract, arena, &c, &r->err), wanted);
        tw_arena_free(arena);
        rig_free(r);
    }
}

static const char mean_source[] = "contract Mean version 1 {\n"
                                  "  role owner\n"
                                  "  role keeper max 3\n"
                                  "  role sensor\n"
                                  "  reading level : length from sensor field \"level\"\n"
                                  "    range -1 m .. 10 m rate 2 per 1 s keep 130 max_age 1 min\n"
                                  "  alarm high\n"
                                  "    raise when (avg(level over 1 min) otherwise 0 mm) > 100 mm\n"
                                  "    clear when (avg(level over 1 min) otherwise 0 mm) < 90 mm\n"
                                  "  phases One -> Two -> One\n"
                                  "  action change() by owner in One { go Two }\n"
                                  "  action back() by owner in Two { go One }\n"
                                  "}\n";

/* Role 2's record, with this holder or cut behind the number of its members. */
static void plant_holder(tw_contract *c, const tw_account *holder)
{
    uint8_t bytes[1 + 4 + 32] = {TW_STATE_TAG, 0, 0, 0, 1};
    tw_key key = tw_key_of(TW_SPACE_ROLE, &c->id);
    tw_key_u8(&key, 2);
    if (holder != NULL) memcpy(bytes + 5, holder->bytes, 32);
    const tw_bytes value = tw_bytes_of(bytes, holder != NULL ? 37 : 5);
    cr_assert_eq(tw_overlay_put(c->overlay, tw_key_bytes(&key), value), TW_OK);
}

/* The alarm's statistic looks into the window of a device that sends nothing; the pack goes into
 * that of another. */
Test(due, a_role_whose_record_names_another_device)
{
    const tw_genesis genesis = {.name = "mean", .time = start_time};
    rig *r = rig_on(store_in_memory(), mean_source, &genesis);
    deploy(r);
    const tw_block block = feed_for(r, start_time, 5, LOW_UM);
    cr_assert_eq(block.receipt_count, 1);
    tw_contract *c = look(r);
    tw_exec *x = tw_exec_new();
    const int64_t now = start_time + 9000;
    const tw_pack_reading items[3] = {{0, now, LOW_UM}, {0, now, LOW_UM}, {0, now, LOW_UM}};
    tw_intake taken;
    tw_account holder;
    uint32_t count = 0;
    plant_holder(c, &r->accounts[STRANGER]);
    cr_assert_eq(tw_intake_run(x, c, &r->accounts[SENSOR_1], items, 3, now, r->arena, &taken),
                 TW_OK);
    cr_expect_eq(taken.accepted, 2);
    cr_assert_eq(taken.refused_count, 1);
    cr_expect_eq(taken.refused[0].reason, TW_REFUSAL_RATE);
    plant_holder(c, NULL);
    cr_expect_eq(tw_role_read(c, 2, &count, &holder), TW_ERR_CORRUPT);
    tw_exec_free(x);
    rig_free(r);
}

/* ---- order and budget ---- */

/* By due time, then contract, then the order of the page. */
Test(due, timers_run_in_one_order)
{
    rig *r = beat_new(0);
    for (int i = 0; i < 4; i++) beat_deploy(r, start_time);
    const tw_block block = wait_until(r, start_time + 20 * MINUTE);
    cr_assert_eq(block.receipt_count, 10);
    for (uint32_t i = 1; i < 10; i++) {
        const tw_run *a = &block.receipts[i - 1].run;
        const tw_run *b = &block.receipts[i].run;
        const int order = memcmp(a->contract.bytes, b->contract.bytes, TW_HASH_SIZE);
        if (i != 5) cr_assert_lt(order, 0, "receipt %u", i);
        const bool first_half = i < 5; /* due after 4 minutes, the others after 10 */
        cr_assert_eq(events_in(b->notices, EVENT_FAST), first_half ? 1 : 0);
    }
    rig_free(r);
}

/* What the budget of a block does not cover stays due; its contract's actions wait for it. */
Test(due, a_budget_of_timers)
{
    rig *r = beat_new(12000000); /* one slow beat */
    const tw_hash first = r->contract;
    beat_deploy(r, start_time);
    const tw_hash second = r->contract;
    const bool ascending = memcmp(first.bytes, second.bytes, TW_HASH_SIZE) < 0;
    const int64_t now = start_time + 10 * MINUTE;
    (void)wait_until(r, start_time + 8 * MINUTE);
    begin(r, now);
    for (int i = 0; i < 2; i++) {
        r->contract = (i == 0) == ascending ? first : second;
        tw_tx tx = call_of(r, "break_it", text("\x01"));
        cr_assert_eq(run(r, &tx, &owner, 1), i == 0 ? TW_OK : TW_TRAP_TIMER_DUE);
    }
    (void)commit(r);
    tw_block block = newest(r);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1);
    cr_assert_eq(next_due(r), now, "the other one is still due");
    block = wait_until(r, now);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1);
    cr_assert_eq(next_due(r), start_time + 12 * MINUTE);
    cr_assert_eq(call_flag(r, now, "break_it", true), TW_OK);
    rig_free(r);
}

/* ---- what a pack may write ---- */

static const char edges_source[] =
    "contract Edges version 1 {\n"
    "  role owner\n"
    "  role sensor\n"
    "  reading x : length from sensor field \"level\"\n"
    "    range 0 mm .. 1 m rate 1 per 1 s keep 10 max_age 1 min\n"
    "  alarm high raise when x above 100 mm clear when x below 60 mm\n"
    "  alarm higher raise when x above 120 mm clear when x below 50 mm\n"
    "  error Broken()\n"
    "  var broken : bool = yes\n"
    "  on high raised { needs not broken else Broken() }\n"
    "  on high cleared { needs not broken else Broken() }\n"
    "  on higher raised { needs not broken else Broken() }\n"
    "  on higher cleared { needs not broken else Broken() }\n"
    "  action mend() by owner { broken = no }\n"
    "}\n";

/* The edge of each alarm waits, as its handler fails, and the next pack clears and raises it anew:
 * two keys for each, which the bound of a pack has room for: both engines' runs are held to it. */
Test(due, edges_take_the_places_of_others)
{
    crew c;
    const tw_genesis genesis = {.name = "edges", .time = start_time};
    rig *r = rig_on(store_in_memory(), edges_source, &genesis);
    tw_tx tx = deploy_of(r, &c);
    c.roles[1] = c.roles[2];
    tx.role_count = 2;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &owner, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    (void)commit(r);
    for (int64_t i = 1; i <= 3; i++) {
        const int64_t now = start_time + 2000 * i;
        tw_pack_item items[2] = {{0, now - 1000, 10000}, {0, now, 900000}};
        const tw_pack pack = pack_of(r, items, 2);
        begin(r, now);
        cr_assert_eq(carry(r, &pack, SENSOR_1), TW_OK);
        cr_assert_eq(r->receipt.handler_count, 2);
        cr_assert_eq(r->receipt.handlers[0].status, TW_FAIL_ERROR);
        (void)commit(r);
    }
    cr_assert_eq(call(r, start_time + 6000, OWNER, "mend", (tw_bytes){0}), TW_OK);
    const tw_block block = wait_until(r, start_time + 10 * MINUTE);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 2);
    cr_assert_eq(block.receipts[0].run.status, TW_OK);
    rig_free(r);
}
