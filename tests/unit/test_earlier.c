/* test_earlier -- a ledger as it was: against what it said when that block was the newest. */
#include "tests/unit/ledger_fixture.h"
#include "vm/ledger/audit.h"

enum { BLOCKS = 40 };

/* What is asked of the rig at each height. */
typedef struct said {
    int64_t score, wait, peak;
    uint64_t nonce;
    uint16_t phase;
    int64_t due;
    tw_hash root;
} said;

static said ask(rig *r)
{
    said s = {.score = score(r), .root = tw_ledger_head(r->ledger)->state_root};
    const int64_t now = tw_ledger_head(r->ledger)->time;
    bool found = false;
    s.wait = view_int(r, "wait", text(""), now);
    s.peak = view_int(r, "peak", text(""), now);
    s.phase = (uint16_t)look(r)->control.phase;
    cr_assert_eq(tw_ledger_nonce(r->ledger, &r->accounts[OWNER], &s.nonce), TW_OK);
    cr_assert_eq(tw_ledger_next_due(r->ledger, &s.due, &found), TW_OK);
    if (!found) s.due = -1;
    return s;
}

/* The rig with its ledger at another height. */
static said ask_at(rig *r, uint64_t height)
{
    tw_ledger *present = r->ledger;
    cr_assert_eq(tw_ledger_open_past(present, height, &r->ledger, &r->err), TW_OK, "%s",
                 r->err.text);
    cr_assert_eq(tw_ledger_head(r->ledger)->height, height);
    cr_assert(tw_hash_equal(tw_ledger_chain(r->ledger), tw_ledger_chain(present)));
    const said s = ask(r);
    tw_ledger_close(r->ledger);
    r->ledger = present;
    return s;
}

static void hear(void *context, const char *sentence)
{
    (void)context;
    cr_assert(false, "%s", sentence);
}

static void check_whole(rig *r)
{
    tw_audit a = {.store = r->store, .memory_max = 64 * MIB, .found = hear};
    cr_assert_eq(tw_audit_ledger(&a, &r->err), TW_OK);
}

static bool same(const said *a, const said *b)
{
    return a->score == b->score && a->wait == b->wait && a->peak == b->peak &&
           a->nonce == b->nonce && a->phase == b->phase && a->due == b->due &&
           tw_hash_equal(&a->root, &b->root);
}

static rig *rig_with_a_past(said *all)
{
    rig *r = rig_deployed();
    all[1] = ask(r);
    for (uint64_t h = 2; h <= BLOCKS; h++) {
        const int64_t time = start_time + (int64_t)h * MINUTE;
        if (h % 4 == 0) {
            (void)feed(r, time, h % 3 == 0 ? HIGH_UM : LOW_UM);
        } else if (h % 4 == 1) {
            (void)call(r, time, KEEPER_1, "open", text(""));
        } else {
            (void)call_int(r, time, "add", h % 8 < 4 ? 1 : -1);
        }
        all[h] = ask(r);
    }
    return r;
}

Test(earlier, each_height_says_what_it_said)
{
    said all[BLOCKS + 1];
    rig *r = rig_with_a_past(all);
    size_t differing = 0;
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        const said s = ask_at(r, h);
        cr_assert(same(&s, &all[h]), "height %llu", (unsigned long long)h);
        differing += !same(&all[h], &all[BLOCKS]);
    }
    cr_assert_eq(differing, BLOCKS - 1); /* the roots at least */
    const said now = ask(r);
    cr_assert(same(&now, &all[BLOCKS]));
    rig_free(r);
}

Test(earlier, it_makes_no_blocks_and_knows_no_later_ones)
{
    said all[BLOCKS + 1];
    rig *r = rig_with_a_past(all);
    tw_ledger *past = NULL;
    tw_block block;
    const tw_block last = newest(r);
    bool found = false;
    uint64_t height = 0;
    uint32_t place = 0;
    tw_hash id = r->receipt.transaction;
    cr_assert_eq(tw_ledger_open_past(r->ledger, 7, &past, &r->err), TW_OK);
    cr_assert_eq(tw_block_begin(past, start_time + DAY, &r->err), TW_REFUSED_ARGUMENT);
    cr_assert_neq(strstr(r->err.text, "can only be read"), NULL);
    cr_assert_eq(tw_ledger_replay_block(past, &last, &r->err), TW_REFUSED_ARGUMENT);
    tw_block_abort(past);
    cr_assert_eq(tw_ledger_block(past, 7, r->arena, &block, &r->err), TW_OK);
    cr_assert_eq(tw_ledger_block(past, 8, r->arena, &block, &r->err), TW_REFUSED_NOT_FOUND);
    cr_assert_eq(tw_ledger_find(r->ledger, &id, &height, &place, &found), TW_OK);
    cr_assert(found && height == BLOCKS);
    cr_assert_eq(tw_ledger_find(past, &id, &height, &place, &found), TW_OK);
    cr_assert_not(found);
    tw_ledger_close(past);
    cr_assert_eq(tw_ledger_open_past(r->ledger, BLOCKS + 1, &past, &r->err), TW_REFUSED_NOT_FOUND);
    cr_assert_neq(strstr(r->err.text, "the newest is 40"), NULL, "%s", r->err.text);
    rig_free(r);
}

Test(earlier, genesis_has_no_contract)
{
    rig *r = rig_deployed();
    tw_ledger *past = NULL;
    tw_contract *c = NULL;
    tw_hash id;
    bool found = true;
    cr_assert_eq(tw_ledger_open_past(r->ledger, 0, &past, &r->err), TW_OK);
    cr_assert_eq(tw_ledger_contract(past, &r->contract, r->arena, &c, &r->err),
                 TW_REFUSED_NOT_FOUND);
    cr_assert_eq(tw_ledger_next_contract(past, NULL, &id, &found), TW_OK);
    cr_assert_not(found);
    tw_ledger_close(past);
    rig_free(r);
}

/* All rows of all tables. */
static tw_bytes rows_of(rig *r)
{
    tw_writer w = tw_writer_new(64 * MIB);
    for (int table = 0; table < TW_TABLE_COUNT; table++) {
        tw_iter *iter = NULL;
        tw_bytes key, value;
        cr_assert_eq(tw_iter_open(r->store, (tw_table)table, text(""), &iter), TW_OK);
        for (tw_status s = tw_iter_first(iter); s == TW_OK && tw_iter_here(iter, &key, &value);
             s = tw_iter_next(iter)) {
            tw_write_u8(&w, (uint8_t)table);
            tw_write_long(&w, key);
            tw_write_long(&w, value);
        }
        tw_iter_close(iter);
    }
    const tw_bytes rows = tw_bytes_of(tw_arena_copy(r->arena, w.data, w.size), w.size);
    cr_assert(!w.bad && rows.data != NULL);
    tw_writer_free(&w);
    return rows;
}

/* Every row is as it was before the block, after each of them; and the ledger goes on from there
 * as it did. */
Test(earlier, a_block_taken_off_was_never_there)
{
    tw_bytes rows[BLOCKS + 1];
    tw_block blocks[BLOCKS + 1];
    rig *r = rig_new();
    rows[0] = rows_of(r);
    deploy(r);
    rows[1] = rows_of(r);
    blocks[1] = newest(r);
    for (uint64_t h = 2; h <= BLOCKS; h++) {
        const int64_t time = start_time + (int64_t)h * MINUTE;
        if (h % 4 == 0) {
            (void)feed(r, time, h % 3 == 0 ? HIGH_UM : LOW_UM);
        } else if (h % 4 == 1) {
            (void)call(r, time, KEEPER_1, "open", text(""));
        } else {
            (void)call_int(r, time, "add", h % 8 < 4 ? 1 : -1);
        }
        rows[h] = rows_of(r);
        blocks[h] = newest(r);
    }
    for (uint64_t h = BLOCKS; h > 0; h--) {
        cr_assert_eq(tw_ledger_rollback(r->ledger, &r->err), TW_OK, "%s", r->err.text);
        cr_assert_eq(tw_ledger_head(r->ledger)->height, h - 1);
        cr_assert(tw_bytes_equal(rows_of(r), rows[h - 1]), "height %llu", (unsigned long long)h);
        if (h % 8 != 0) continue;
        cr_assert_eq(tw_ledger_replay_block(r->ledger, &blocks[h], &r->err), TW_OK, "%s",
                     r->err.text);
        cr_assert(tw_bytes_equal(rows_of(r), rows[h]));
        cr_assert_eq(tw_ledger_rollback(r->ledger, &r->err), TW_OK, "%s", r->err.text);
    }
    cr_assert_eq(tw_ledger_rollback(r->ledger, &r->err), TW_REFUSED_ARGUMENT);
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        cr_assert_eq(tw_ledger_replay_block(r->ledger, &blocks[h], &r->err), TW_OK, "%s",
                     r->err.text);
    }
    cr_assert(tw_bytes_equal(rows_of(r), rows[BLOCKS]));
    rig_free(r);
}

/* With a window every state in it says what it said, and those before it are refused; nodes and
 * values that no state of the window needs are gone (the audit counts them). */
Test(earlier, a_window_of_states)
{
    enum { KEEP = 5 };
    said all[BLOCKS + 1];
    rig *r = rig_with_a_past(all);
    const tw_ledger_options options = {.no_sync = true, .keep = KEEP};
    tw_ledger *past = NULL;
    uint64_t oldest = 0;
    tw_ledger_close(r->ledger);
    cr_assert_eq(tw_ledger_open(r->store, &options, &r->ledger, &r->err), TW_OK);
    for (uint64_t h = 1; h <= 12; h++) {
        (void)wait_until(r, start_time + DAY + (int64_t)h * MINUTE);
        cr_assert_eq(tw_ledger_oldest(r->ledger, &oldest), TW_OK);
        const uint64_t window = BLOCKS + h - KEEP + 1;
        cr_assert_eq(oldest, 4 * h < window ? 4 * h : window); /* it catches up, four a block */
        for (uint64_t at = oldest; at <= BLOCKS; at++) {
            const said s = ask_at(r, at);
            cr_assert(same(&s, &all[at]), "height %llu", (unsigned long long)at);
        }
        cr_assert_eq(tw_ledger_open_past(r->ledger, oldest - 1, &past, &r->err),
                     TW_REFUSED_NOT_FOUND);
        cr_assert_neq(strstr(r->err.text, "is not kept any more"), NULL);
        check_whole(r);
    }
    rig_free(r);
}

/* Several blocks may have one time. */
Test(earlier, the_newest_block_that_is_not_later)
{
    rig *r = rig_new();
    int64_t times[BLOCKS + 1] = {start_time};
    uint64_t seed = 11;
    uint64_t found = 0;
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        times[h] = times[h - 1] + (int64_t)random_below(&seed, 3);
        (void)wait_until(r, times[h]);
    }
    for (int64_t time = start_time; time <= times[BLOCKS] + 2; time++) {
        uint64_t wanted = BLOCKS;
        while (times[wanted] > time) wanted--;
        cr_assert_eq(tw_ledger_height_at(r->ledger, time, &found, &r->err), TW_OK);
        cr_assert_eq(found, wanted, "seed 11, time %lld", (long long)(time - start_time));
    }
    cr_assert_eq(tw_ledger_height_at(r->ledger, start_time - 1, &found, &r->err),
                 TW_REFUSED_NOT_FOUND);
    rig_free(r);
}
