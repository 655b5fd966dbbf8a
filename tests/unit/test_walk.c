/* test_walk -- ordered reading of the overlay past keys that were deleted: what it finds, against
 * a plain table, and that it costs what reading costs where nothing was deleted, however the
 * deletions came about. */
#include "tests/unit/state_fixture.h"
#include "vm/state/overlay.h"

#include <criterion/criterion.h>
#include <time.h>

enum { KEYS = 4000, READS = 8000, PLACES = 200, STEPS = 20000, DEPTH_MAX = 4 };

static tw_bytes key_of(uint32_t index, uint8_t memory[5])
{
    memory[0] = 'k';
    for (int i = 0; i < 4; i++) memory[1 + i] = (uint8_t)(index >> (24 - 8 * i));
    return tw_bytes_of(memory, 5);
}

static void put(tw_overlay *o, uint32_t index)
{
    uint8_t memory[5];
    cr_assert_eq(tw_overlay_put(o, key_of(index, memory), text("v")), TW_OK);
}

static void delete (tw_overlay *o, uint32_t index)
{
    uint8_t memory[5];
    cr_assert_eq(tw_overlay_delete(o, key_of(index, memory)), TW_OK);
}

/* The first index >= `index` that has a value; UINT32_MAX when none has. */
static uint32_t next(tw_overlay *o, uint32_t index)
{
    uint8_t memory[5];
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_overlay_next(o, text("k"), key_of(index, memory), &key, &value, &found), TW_OK);
    if (!found) return UINT32_MAX;
    cr_assert(key.size == 5 && is_text(value, "v"));
    return (uint32_t)key.data[1] << 24 | (uint32_t)key.data[2] << 16 | (uint32_t)key.data[3] << 8 |
           key.data[4];
}

/* A store with the keys [0, count). */
static tw_store *store_with(uint32_t count)
{
    uint8_t memory[5];
    tw_store *store = store_in_memory();
    tw_batch *batch = tw_batch_new(MIB);
    for (uint32_t i = 0; i < count; i++) {
        tw_batch_put(batch, TW_TABLE_STATE, key_of(i, memory), text("v"));
    }
    cr_assert_eq(tw_store_commit(store, batch, true, NULL), TW_OK);
    tw_batch_free(batch);
    return store;
}

/* ---- the price ---- */

typedef enum removal {
    NOTHING,    /* is deleted */
    ASCENDING,  /* keys of the store, all deleted before the reading */
    DESCENDING, /* so, and read from behind */
    BELOW,      /* deleted by the block below */
    OWN,        /* made and deleted by this block */
    UNDONE,     /* made by this block, and undone */
    PARTED,     /* a key among the deleted comes and goes at each reading */
    REVIVED     /* the deletion of some is undone at each reading */
} removal;

static void remove_all(tw_overlay *o, removal how)
{
    tw_savepoint savepoint;
    cr_assert_eq(tw_overlay_mark(o, &savepoint), TW_OK);
    for (uint32_t i = 0; i < KEYS; i++) {
        if (how == OWN || how == UNDONE) put(o, i);
        if (how != UNDONE && how != NOTHING) delete (o, i);
    }
    if (how == UNDONE) {
        tw_overlay_undo(o, savepoint);
    } else {
        tw_overlay_keep(o, savepoint);
    }
    put(o, KEYS + 1);
}

static void read_once(tw_overlay *o, removal how, uint32_t i)
{
    const uint32_t middle = 1 + i * 7 % (KEYS - 2);
    uint32_t expected = KEYS + 1;
    if (how == NOTHING) expected = 0;
    if (how == DESCENDING) {
        cr_assert_eq(next(o, KEYS - 1 - i % KEYS), expected);
        return;
    }
    if (how == PARTED) {
        put(o, middle);
        cr_assert_eq(next(o, 0), middle);
        delete (o, middle);
    }
    if (how == REVIVED) {
        tw_savepoint savepoint;
        cr_assert_eq(tw_overlay_mark(o, &savepoint), TW_OK);
        put(o, middle);
        tw_savepoint inner;
        cr_assert_eq(tw_overlay_mark(o, &inner), TW_OK);
        delete (o, middle);
        cr_assert_eq(next(o, 0), KEYS + 1);
        tw_overlay_undo(o, inner);
        cr_assert_eq(next(o, 0), middle);
        tw_overlay_undo(o, savepoint);
    }
    cr_assert_eq(next(o, 0), expected);
}

/* The CPU nanoseconds of READS readings from the first key on, or of what stands for them. */
static int64_t time_of(removal how)
{
    struct timespec begun;
    struct timespec done;
    tw_store *store = store_with(how == OWN || how == UNDONE ? 0 : KEYS);
    tw_overlay *below = tw_overlay_new(store, 64 * MIB);
    tw_overlay *o = tw_overlay_new(store, 64 * MIB);
    if (how == BELOW) {
        remove_all(below, how);
        tw_overlay_stack(o, below);
    } else {
        remove_all(o, how);
    }
    cr_assert_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun), 0);
    for (uint32_t i = 0; i < READS; i++) read_once(o, how, i);
    cr_assert_eq(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &done), 0);
    tw_overlay_free(o);
    tw_overlay_free(below);
    tw_store_close(store);
    return (done.tv_sec - begun.tv_sec) * 1000000000 + done.tv_nsec - begun.tv_nsec;
}

/* The best of five, taken in turn with READS readings where nothing is deleted. The first reading
 * does pass the keys, and some do more than one thing, hence `times`; to pass them at each reading
 * would be a thousand times as much. */
static void expect_price(removal how, int64_t times)
{
    int64_t plain = INT64_MAX;
    int64_t behind = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        const int64_t a = time_of(NOTHING);
        const int64_t b = time_of(how);
        plain = a < plain ? a : plain;
        behind = b < behind ? b : behind;
    }
    cr_expect_lt(behind, plain * times, "%lld ns against %lld", (long long)behind,
                 (long long)plain);
}

Test(walk, behind_keys_of_the_store)
{
    expect_price(ASCENDING, 12);
}
Test(walk, from_behind)
{
    expect_price(DESCENDING, 24);
}
Test(walk, behind_keys_deleted_below)
{
    expect_price(BELOW, 12);
}
Test(walk, behind_keys_of_its_own)
{
    expect_price(OWN, 12);
}
Test(walk, behind_keys_that_were_undone)
{
    expect_price(UNDONE, 12);
}
Test(walk, a_key_comes_and_goes)
{
    expect_price(PARTED, 80);
}
Test(walk, a_key_is_undone)
{
    expect_price(REVIVED, 80);
}

/* ---- what it finds, at random ---- */

typedef struct model {
    bool now[PLACES];
    bool at_mark[DEPTH_MAX][PLACES];
    tw_savepoint marks[DEPTH_MAX];
    uint32_t depth;
    uint64_t seed;
} model;

static void model_read(model *m, tw_overlay *o)
{
    const uint32_t from = (uint32_t)random_below(&m->seed, PLACES);
    uint32_t expected = from;
    while (expected < PLACES && !m->now[expected]) expected++;
    cr_assert_eq(next(o, from), expected < PLACES ? expected : UINT32_MAX);
}

static void model_mark(model *m, tw_overlay *o)
{
    const size_t kind = random_below(&m->seed, 3);
    if (kind == 0 && m->depth < DEPTH_MAX) {
        memcpy(m->at_mark[m->depth], m->now, sizeof m->now);
        cr_assert_eq(tw_overlay_mark(o, &m->marks[m->depth++]), TW_OK);
    } else if (kind == 1 && m->depth > 0) {
        tw_overlay_keep(o, m->marks[--m->depth]);
    } else if (kind == 2 && m->depth > 0) {
        m->depth = (uint32_t)random_below(&m->seed, m->depth);
        tw_overlay_undo(o, m->marks[m->depth]);
        memcpy(m->now, m->at_mark[m->depth], sizeof m->now);
    }
}

/* Runs of neighbours come and go, so that what is deleted is long and is parted often. */
static void model_change(model *m, tw_overlay *o)
{
    const uint32_t start = (uint32_t)random_below(&m->seed, PLACES);
    const uint32_t count = 1 + (uint32_t)random_below(&m->seed, 40);
    const bool back = random_below(&m->seed, 2) == 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint32_t i = start + (back ? count - 1 - k : k);
        if (i >= PLACES) continue;
        m->now[i] = false;
        delete (o, i);
    }
    const uint32_t one = (uint32_t)random_below(&m->seed, PLACES);
    m->now[one] = true;
    put(o, one);
}

static void store_changes(tw_store *store, const tw_overlay *o)
{
    tw_arena *arena = tw_arena_new(MIB);
    tw_batch *batch = tw_batch_new(MIB);
    tw_change *changes = NULL;
    size_t count = 0;
    cr_assert_eq(tw_overlay_changes(o, arena, &changes, &count), TW_OK);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].deleted) {
            tw_batch_delete(batch, TW_TABLE_STATE, changes[i].key);
        } else {
            tw_batch_put(batch, TW_TABLE_STATE, changes[i].key, changes[i].value);
        }
    }
    cr_assert_eq(tw_store_commit(store, batch, false, NULL), TW_OK);
    tw_batch_free(batch);
    tw_arena_free(arena);
}

/* Blocks over blocks: each stacked on the one before, which the store has taken up or not yet. */
static void run_model(uint64_t seed)
{
    tw_store *store = store_with(PLACES);
    tw_overlay *overlays[2] = {tw_overlay_new(store, 64 * MIB), tw_overlay_new(store, 64 * MIB)};
    model *m = tw_mem_new(sizeof *m);
    bool pending = false;
    m->seed = seed;
    memset(m->now, true, sizeof m->now);
    for (uint32_t step = 0; step < STEPS; step++) {
        tw_overlay *o = overlays[step / 400 % 2];
        tw_overlay *other = overlays[1 - step / 400 % 2];
        if (step % 400 == 0 && step > 0) {
            if (pending) store_changes(store, o);
            pending = random_below(&m->seed, 2) == 0;
            if (!pending) store_changes(store, other);
            tw_overlay_clear(o, random_next(&m->seed));
            tw_overlay_stack(o, other);
            m->depth = 0;
        }
        const size_t kind = random_below(&m->seed, 10);
        if (kind < 2) {
            model_change(m, o);
        } else if (kind < 4) {
            model_mark(m, o);
        } else {
            model_read(m, o);
        }
    }
    tw_overlay_free(overlays[0]);
    tw_overlay_free(overlays[1]);
    tw_store_close(store);
    tw_mem_free(m);
}

Test(walk, random_blocks_on_blocks)
{
    for (uint64_t seed = 1; seed <= 20; seed++) run_model(seed);
}
