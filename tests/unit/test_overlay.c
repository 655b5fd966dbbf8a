/* test_overlay -- the overlay: by hand for each rule, then at random against a plain table that is
 * copied whole at each savepoint. */
#include "tests/unit/state_fixture.h"
#include "vm/state/overlay.h"

#include <criterion/criterion.h>

typedef struct fixture {
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena;
} fixture;

/* An overlay over a store that holds the keys and values given, NULL-terminated. */
static fixture fixture_make(const char *const *pairs)
{
    fixture f = {store_in_memory(), NULL, tw_arena_new(16 * MIB)};
    tw_batch *batch = tw_batch_new(MIB);
    for (size_t i = 0; pairs[i] != NULL; i += 2) {
        tw_batch_put(batch, TW_TABLE_STATE, text(pairs[i]), text(pairs[i + 1]));
    }
    cr_assert_eq(tw_store_commit(f.store, batch, true, NULL), TW_OK);
    tw_batch_free(batch);
    f.overlay = tw_overlay_new(f.store, 64 * MIB);
    cr_assert_not_null(f.overlay);
    return f;
}

static void fixture_free(fixture *f)
{
    tw_overlay_free(f->overlay);
    tw_store_close(f->store);
    tw_arena_free(f->arena);
}

static void put(fixture *f, const char *key, const char *value)
{
    cr_assert_eq(tw_overlay_put(f->overlay, text(key), text(value)), TW_OK);
}

static void delete (fixture *f, const char *key)
{
    cr_assert_eq(tw_overlay_delete(f->overlay, text(key)), TW_OK);
}

static tw_savepoint mark(fixture *f)
{
    tw_savepoint savepoint;
    cr_assert_eq(tw_overlay_mark(f->overlay, &savepoint), TW_OK);
    return savepoint;
}

static void expect(fixture *f, const char *key, const char *value)
{
    tw_bytes got = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_overlay_get(f->overlay, text(key), &got, &found), TW_OK);
    cr_assert_eq(found, value != NULL, "%s", key);
    if (value != NULL) {
        cr_assert(is_text(got, value), "%s: %.*s", key, (int)got.size, (const char *)got.data);
    }
}

/* All keys of a prefix from a place on, as "key=value " in one text. */
static void expect_scan(fixture *f, const char *prefix, const char *from, const char *expected)
{
    char got[512] = "";
    uint8_t after[TW_STORE_KEY_MAX + 1];
    tw_bytes at = text(from);
    for (;;) {
        tw_bytes key = {NULL, 0};
        tw_bytes value = {NULL, 0};
        bool found = false;
        cr_assert_eq(tw_overlay_next(f->overlay, text(prefix), at, &key, &value, &found), TW_OK);
        if (!found) break;
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s=%.*s ", (int)key.size,
                       (const char *)key.data, (int)value.size, (const char *)value.data);
        at = tw_key_after(key, after);
    }
    cr_assert_str_eq(got, expected);
}

/* The net changes as "key=value " or "key- ". */
static void expect_changes(fixture *f, const char *expected)
{
    tw_change *changes = NULL;
    size_t count = 0;
    char got[512] = "";
    cr_assert_eq(tw_overlay_changes(f->overlay, f->arena, &changes, &count), TW_OK);
    for (size_t i = 0; i < count; i++) {
        const tw_change *c = &changes[i];
        cr_assert_eq(c->deleted, c->value.size == 0);
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s%s%.*s ", (int)c->key.size,
                       (const char *)c->key.data, c->deleted ? "-" : "=", (int)c->value.size,
                       (const char *)c->value.data);
    }
    cr_assert_str_eq(got, expected);
}

static const char *const some[] = {"a", "1", "b", "2", "ba", "3", "c", "4", NULL};
static const char *const none[] = {NULL};

Test(overlay, reads_and_writes)
{
    fixture f = fixture_make(some);
    expect(&f, "a", "1");
    expect(&f, "x", NULL);
    expect(&f, "x", NULL);
    put(&f, "x", "new");
    put(&f, "a", "changed");
    delete (&f, "b");
    delete (&f, "y"); /* not there: nothing */
    expect(&f, "x", "new");
    expect(&f, "a", "changed");
    expect(&f, "b", NULL);
    expect_changes(&f, "a=changed b- x=new ");
    put(&f, "b", "2");
    put(&f, "a", "1");
    delete (&f, "x");
    expect_changes(&f, ""); /* all back as stored */
    fixture_free(&f);
}

Test(overlay, refuses_bad_sizes)
{
    fixture f = fixture_make(none);
    static uint8_t zeros[TW_STORE_VALUE_MAX + 1];
    uint8_t *bytes = NULL;
    tw_bytes value = {NULL, 0};
    bool found = false;
    const tw_bytes long_key = tw_bytes_of(zeros, TW_STORE_KEY_MAX + 1);
    const tw_bytes last_key = tw_bytes_of(zeros, TW_STORE_KEY_MAX);
    cr_assert_eq(tw_overlay_put(f.overlay, text("k"), text("")), TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_put(f.overlay, text(""), text("v")), TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_put(f.overlay, long_key, text("v")), TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_put(f.overlay, text("k"), tw_bytes_of(zeros, sizeof zeros)),
                 TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_resize(f.overlay, text("k"), 0, &bytes), TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_resize(f.overlay, text("k"), sizeof zeros, &bytes), TW_ERR_INTERNAL);
    cr_assert_eq(tw_overlay_get(f.overlay, long_key, &value, &found), TW_ERR_INTERNAL);
    expect_changes(&f, "");
    cr_assert_eq(tw_overlay_put(f.overlay, last_key, tw_bytes_of(zeros, sizeof zeros - 1)), TW_OK);
    cr_assert_eq(tw_overlay_get(f.overlay, last_key, &value, &found), TW_OK);
    cr_assert(found && value.size == TW_STORE_VALUE_MAX);
    uint8_t after[TW_STORE_KEY_MAX + 1];
    tw_bytes key = {NULL, 0};
    cr_assert_eq(
        tw_overlay_next(f.overlay, text(""), tw_key_after(last_key, after), &key, &value, &found),
        TW_OK);
    cr_assert_not(found);
    fixture_free(&f);
}

Test(overlay, edits_in_place)
{
    fixture f = fixture_make(some);
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool found = true;
    cr_assert_eq(tw_overlay_edit(f.overlay, text("x"), &bytes, &size, &found), TW_OK);
    cr_assert_not(found);
    put(&f, "w", "window of readings");
    const tw_savepoint s = mark(&f);
    cr_assert_eq(tw_overlay_edit(f.overlay, text("w"), &bytes, &size, &found), TW_OK);
    cr_assert(found && size == strlen("window of readings"));
    memcpy(bytes, "W", 1);
    const uint8_t *first = bytes;
    cr_assert_eq(tw_overlay_edit(f.overlay, text("w"), &bytes, &size, &found), TW_OK);
    cr_assert_eq(bytes, first); /* saved once a savepoint */
    expect(&f, "w", "Window of readings");
    cr_assert_eq(tw_overlay_writes(f.overlay, s), 1);
    tw_overlay_undo(f.overlay, s);
    expect(&f, "w", "window of readings");

    cr_assert_eq(tw_overlay_edit(f.overlay, text("a"), &bytes, &size, &found), TW_OK);
    bytes[0] = '9';
    expect(&f, "a", "9");
    bytes[0] = '1';
    expect_changes(&f, "w=window of readings "); /* a is again as stored */

    cr_assert_eq(tw_overlay_resize(f.overlay, text("a"), 3, &bytes), TW_OK);
    cr_assert_arr_eq(bytes, "1\0\0", 3);
    memcpy(bytes, "123", 3);
    cr_assert_eq(tw_overlay_resize(f.overlay, text("a"), 2, &bytes), TW_OK);
    expect(&f, "a", "12");
    cr_assert_eq(tw_overlay_resize(f.overlay, text("a"), 3, &bytes), TW_OK);
    cr_assert_arr_eq(bytes, "12\0", 3); /* what was cut does not come back */
    cr_assert_eq(tw_overlay_resize(f.overlay, text("z"), 2, &bytes), TW_OK);
    cr_assert_arr_eq(bytes, "\0\0", 2);
    fixture_free(&f);
}

Test(overlay, put_from_its_own_value)
{
    fixture f = fixture_make(some);
    put(&f, "k", "abcdefghijklmnopqrstuvwxyz");
    tw_bytes value = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_overlay_get(f.overlay, text("k"), &value, &found), TW_OK);
    cr_assert_eq(tw_overlay_put(f.overlay, text("k"), tw_bytes_of(value.data + 3, 20)), TW_OK);
    expect(&f, "k", "defghijklmnopqrstuvw"); /* the same buffer */
    cr_assert_eq(tw_overlay_get(f.overlay, text("k"), &value, &found), TW_OK);
    cr_assert_eq(tw_overlay_put(f.overlay, text("k"), tw_bytes_of(value.data + 1, 2)), TW_OK);
    expect(&f, "k", "ef"); /* another one */
    fixture_free(&f);
}

Test(overlay, savepoints_nest)
{
    fixture f = fixture_make(some);
    const tw_savepoint block = mark(&f);
    put(&f, "a", "10");
    const tw_savepoint tx = mark(&f);
    put(&f, "a", "11");
    delete (&f, "c");
    const tw_savepoint handler = mark(&f);
    put(&f, "a", "12");
    put(&f, "n", "13");
    cr_assert_eq(tw_overlay_writes(f.overlay, handler), 2);
    tw_overlay_undo(f.overlay, handler);
    expect(&f, "a", "11");
    expect(&f, "n", NULL);
    cr_assert_eq(tw_overlay_writes(f.overlay, tx), 2);
    const tw_savepoint second = mark(&f);
    put(&f, "a", "14");
    put(&f, "c", "15");
    put(&f, "d", "16");
    tw_overlay_keep(f.overlay, second);
    cr_assert_eq(tw_overlay_writes(f.overlay, tx), 3); /* a, c, d: each once */
    expect_changes(&f, "a=14 c=15 d=16 ");
    (void)mark(&f); /* left open: the outer undo ends it too */
    put(&f, "d", "17");
    tw_overlay_undo(f.overlay, tx);
    expect(&f, "a", "10");
    expect(&f, "c", "4");
    expect(&f, "d", NULL);
    expect_changes(&f, "a=10 ");
    cr_assert_eq(tw_overlay_writes(f.overlay, block), 1);
    tw_overlay_keep(f.overlay, block);
    expect_changes(&f, "a=10 ");
    fixture_free(&f);
}

/* A cell is the key itself: what either changes the other sees, whatever is undone or grows. */
Test(overlay, a_cell_stays_good)
{
    fixture f = fixture_make(some);
    tw_cell *stored = NULL;
    tw_cell *fresh = NULL;
    cr_assert_eq(tw_overlay_seek(f.overlay, text("a"), &stored), TW_OK);
    cr_assert_eq(tw_overlay_seek(f.overlay, text("x"), &fresh), TW_OK);
    cr_assert(is_text(tw_cell_get(stored), "1"));
    cr_assert_null(tw_cell_get(fresh).data);
    cr_assert_eq(tw_overlay_seek(f.overlay, text(""), &fresh), TW_ERR_INTERNAL);
    const tw_savepoint outer = mark(&f);
    cr_assert_eq(tw_cell_put(f.overlay, fresh, text("new")), TW_OK);
    cr_assert_eq(tw_cell_put(f.overlay, fresh, text("")), TW_ERR_INTERNAL);
    expect(&f, "x", "new");
    const tw_savepoint inner = mark(&f);
    cr_assert_eq(tw_cell_delete(f.overlay, stored), TW_OK);
    cr_assert_eq(tw_cell_delete(f.overlay, stored), TW_OK);
    cr_assert_eq(tw_overlay_writes(f.overlay, inner), 1);
    put(&f, "x", "a value that needs a larger buffer than the one that it is in");
    for (int i = 0; i < 1000; i++) { /* the indexes grow */
        char key[16];
        (void)snprintf(key, sizeof key, "m%d", i);
        expect(&f, key, NULL);
    }
    expect_changes(&f, "a- x=a value that needs a larger buffer than the one that it is in ");
    tw_overlay_undo(f.overlay, inner);
    cr_assert(is_text(tw_cell_get(stored), "1"));
    cr_assert(is_text(tw_cell_get(fresh), "new"));
    put(&f, "a", "2");
    cr_assert(is_text(tw_cell_get(stored), "2"));
    tw_overlay_undo(f.overlay, outer);
    cr_assert_null(tw_cell_get(fresh).data);
    expect_changes(&f, "");
    fixture_free(&f);
}

Test(overlay, savepoints_have_a_limit)
{
    fixture f = fixture_make(none);
    tw_savepoint last = {0};
    for (size_t i = 0; i < TW_SAVEPOINTS_MAX; i++) {
        last = mark(&f);
        char value[8];
        (void)snprintf(value, sizeof value, "%zu", i);
        put(&f, "k", value);
    }
    tw_savepoint more;
    cr_assert_eq(tw_overlay_mark(f.overlay, &more), TW_ERR_INTERNAL);
    tw_overlay_undo(f.overlay, last);
    expect(&f, "k", "254");
    tw_overlay_keep(f.overlay, (tw_savepoint){1});
    expect(&f, "k", "254");
    tw_overlay_undo(f.overlay, (tw_savepoint){0});
    expect(&f, "k", NULL);
    fixture_free(&f);
}

Test(overlay, ordered_reading_merges)
{
    fixture f = fixture_make(some);
    expect_scan(&f, "", "", "a=1 b=2 ba=3 c=4 ");
    expect_scan(&f, "b", "", "b=2 ba=3 ");
    put(&f, "aa", "5");
    put(&f, "bb", "6");
    put(&f, "ba", "7");
    delete (&f, "b");
    expect_scan(&f, "", "", "a=1 aa=5 ba=7 bb=6 c=4 ");
    expect_scan(&f, "b", "", "ba=7 bb=6 ");
    expect_scan(&f, "b", "a", "ba=7 bb=6 "); /* from before the prefix */
    expect_scan(&f, "b", "bab", "bb=6 ");
    expect_scan(&f, "b", "c", ""); /* from after it */
    expect_scan(&f, "d", "", "");
    const tw_savepoint s = mark(&f);
    delete (&f, "a");
    delete (&f, "aa");
    delete (&f, "bb");
    delete (&f, "c");
    expect_scan(&f, "", "", "ba=7 ");
    tw_overlay_undo(f.overlay, s);
    expect_scan(&f, "", "", "a=1 aa=5 ba=7 bb=6 c=4 ");
    fixture_free(&f);
}

Test(overlay, clear_starts_anew)
{
    fixture f = fixture_make(some);
    put(&f, "a", "9");
    (void)mark(&f);
    delete (&f, "b");
    expect_scan(&f, "", "", "a=9 ba=3 c=4 ");
    tw_overlay_clear(f.overlay, 12345);
    expect_changes(&f, "");
    expect_scan(&f, "", "", "a=1 b=2 ba=3 c=4 ");
    tw_overlay_clear(f.overlay, 12345);
    tw_overlay_clear(f.overlay, 1);
    expect(&f, "a", "1");
    fixture_free(&f);
    tw_overlay_free(NULL);
}

Test(overlay, memory_has_a_limit)
{
    fixture f = fixture_make(some);
    for (size_t limit = 0; limit < 300000; limit += limit < 3000 ? 16 : 9973) {
        tw_overlay *small = tw_overlay_new(f.store, limit);
        cr_assert_not_null(small);
        tw_status status = TW_OK;
        for (size_t i = 0; i < 2000 && status == TW_OK; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "key %zu", i);
            status = tw_overlay_put(small, text(key), text("a value of some size"));
        }
        cr_assert(limit > 250000 || status == TW_ERR_MEMORY, "%zu", limit);
        cr_assert_leq(tw_overlay_memory(small), limit + 16);
        tw_overlay_clear(small, 0);
        tw_overlay_free(small);
    }
    fixture_free(&f);
}

/* A page that is edited under a savepoint for each reading takes memory once, not each time. */
Test(overlay, kept_savepoints_give_memory_back)
{
    fixture f = fixture_make(none);
    static const uint8_t page[2048] = {1};
    cr_assert_eq(tw_overlay_put(f.overlay, text("page"), tw_bytes_of(page, sizeof page)), TW_OK);
    const tw_savepoint pack = mark(&f);
    for (size_t i = 0; i < 20000; i++) {
        const tw_savepoint reading = mark(&f);
        uint8_t *bytes = NULL;
        size_t size = 0;
        bool found = false;
        cr_assert_eq(tw_overlay_edit(f.overlay, text("page"), &bytes, &size, &found), TW_OK);
        bytes[i % size]++;
        if (i % 3 == 0) {
            tw_overlay_undo(f.overlay, reading);
        } else {
            tw_overlay_keep(f.overlay, reading);
        }
    }
    cr_assert_eq(tw_overlay_writes(f.overlay, pack), 1);
    cr_assert_lt(tw_overlay_memory(f.overlay), 64 * 1024);
    tw_overlay_undo(f.overlay, pack);
    tw_bytes value = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_overlay_get(f.overlay, text("page"), &value, &found), TW_OK);
    cr_assert(tw_bytes_equal(value, tw_bytes_of(page, sizeof page)));
    fixture_free(&f);
}

/* -- at random, against a model -- */

enum { KEYS = 48, VALUE_MAX = 300, DEPTH_MAX = 5 };

typedef struct cell {
    size_t size; /* 0: not there */
    uint8_t bytes[VALUE_MAX];
} cell;

typedef struct model {
    cell now[KEYS];
    cell stored[KEYS];
    cell at_mark[DEPTH_MAX][KEYS];
    bool touched[DEPTH_MAX + 1][KEYS]; /* since each mark */
    tw_savepoint marks[DEPTH_MAX];
    size_t depth;
    uint64_t seed;
} model;

/* Key i of KEYS, ascending with i: three prefixes, sixteen keys each. */
static tw_bytes model_key(size_t i, char memory[8])
{
    (void)snprintf(memory, 8, "%c%02zu%s", (char)('p' + i / 16), i % 16, i % 3 == 0 ? "x" : "");
    return text(memory);
}

static void model_check(const model *m, fixture *f)
{
    char memory[8];
    for (size_t i = 0; i < KEYS; i++) {
        tw_bytes value = {NULL, 0};
        bool found = false;
        cr_assert_eq(tw_overlay_get(f->overlay, model_key(i, memory), &value, &found), TW_OK);
        cr_assert_eq(found, m->now[i].size > 0);
        cr_assert(tw_bytes_equal(value, tw_bytes_of(m->now[i].bytes, m->now[i].size)));
    }
    tw_change *changes = NULL;
    size_t count = 0;
    size_t at = 0;
    tw_arena_clear(f->arena);
    cr_assert_eq(tw_overlay_changes(f->overlay, f->arena, &changes, &count), TW_OK);
    for (size_t i = 0; i < KEYS; i++) {
        const tw_bytes now = tw_bytes_of(m->now[i].bytes, m->now[i].size);
        if (tw_bytes_equal(now, tw_bytes_of(m->stored[i].bytes, m->stored[i].size))) continue;
        cr_assert_lt(at, count);
        cr_assert(tw_bytes_equal(changes[at].key, model_key(i, memory)));
        cr_assert_eq(changes[at].deleted, m->now[i].size == 0);
        cr_assert(tw_bytes_equal(changes[at].value, now));
        at++;
    }
    cr_assert_eq(at, count);
}

/* One next from a random place under a random prefix. */
static void model_next(model *m, fixture *f)
{
    char memory[8];
    char from_memory[8];
    const size_t group = random_below(&m->seed, 4); /* 3: the empty prefix */
    const char letter = (char)('p' + group);
    const tw_bytes prefix = tw_bytes_of(&letter, group == 3 ? 0 : 1);
    const size_t from_index = random_below(&m->seed, KEYS);
    const bool from_start = random_below(&m->seed, 8) == 0;
    tw_bytes from = from_start ? text("") : model_key(from_index, from_memory);
    size_t expected = from_start ? 0 : from_index;
    while (expected < KEYS &&
           (m->now[expected].size == 0 || (group < 3 && expected / 16 < group))) {
        expected++;
    }
    const bool exists = expected < KEYS && (group == 3 || expected / 16 == group);
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_overlay_next(f->overlay, prefix, from, &key, &value, &found), TW_OK);
    cr_assert_eq(found, exists);
    if (!exists) return;
    cr_assert(tw_bytes_equal(key, model_key(expected, memory)));
    cr_assert(tw_bytes_equal(value, tw_bytes_of(m->now[expected].bytes, m->now[expected].size)));
}

static void model_write(model *m, fixture *f)
{
    char memory[8];
    const size_t i = random_below(&m->seed, KEYS);
    const tw_bytes key = model_key(i, memory);
    cell *c = &m->now[i];
    const size_t size = 1 + random_below(&m->seed, VALUE_MAX);
    uint8_t *bytes = NULL;
    size_t edit_size = 0;
    bool found = false;
    bool touched = true;
    switch (random_below(&m->seed, 4)) {
    case 0:
        c->size = size;
        memset(c->bytes, (int)random_below(&m->seed, 256), size);
        cr_assert_eq(tw_overlay_put(f->overlay, key, tw_bytes_of(c->bytes, size)), TW_OK);
        break;
    case 1:
        touched = c->size > 0;
        c->size = 0;
        cr_assert_eq(tw_overlay_delete(f->overlay, key), TW_OK);
        break;
    case 2:
        touched = c->size > 0;
        cr_assert_eq(tw_overlay_edit(f->overlay, key, &bytes, &edit_size, &found), TW_OK);
        cr_assert_eq(edit_size, c->size);
        if (!touched) break;
        bytes[size % edit_size] ^= 1;
        c->bytes[size % edit_size] ^= 1;
        break;
    default:
        if (size > c->size) memset(c->bytes + c->size, 0, size - c->size);
        c->size = size;
        cr_assert_eq(tw_overlay_resize(f->overlay, key, size, &bytes), TW_OK);
        cr_assert_arr_eq(bytes, c->bytes, size);
        break;
    }
    if (touched) m->touched[m->depth][i] = true;
}

static void model_savepoint(model *m, fixture *f)
{
    const size_t kind = random_below(&m->seed, 3);
    if (kind == 0 && m->depth < DEPTH_MAX) {
        m->marks[m->depth] = mark(f);
        memcpy(m->at_mark[m->depth], m->now, sizeof m->now);
        m->depth++;
        memset(m->touched[m->depth], 0, sizeof m->touched[m->depth]);
        return;
    }
    if (m->depth == 0) return;
    size_t writes = 0;
    for (size_t i = 0; i < KEYS; i++) writes += m->touched[m->depth][i] ? 1 : 0;
    cr_assert_eq(tw_overlay_writes(f->overlay, m->marks[m->depth - 1]), writes);
    const size_t to = m->depth - 1 - random_below(&m->seed, m->depth < 3 ? m->depth : 2);
    if (kind == 1) {
        tw_overlay_undo(f->overlay, m->marks[to]);
        memcpy(m->now, m->at_mark[to], sizeof m->now);
    } else {
        tw_overlay_keep(f->overlay, m->marks[to]);
        for (size_t d = m->depth; d > to; d--) {
            for (size_t i = 0; i < KEYS; i++) m->touched[d - 1][i] |= m->touched[d][i];
        }
    }
    m->depth = to;
}

/* Commits the changes and starts the next block. */
static void model_commit(model *m, fixture *f)
{
    tw_change *changes = NULL;
    size_t count = 0;
    tw_batch *batch = tw_batch_new(MIB);
    tw_arena_clear(f->arena);
    cr_assert_eq(tw_overlay_changes(f->overlay, f->arena, &changes, &count), TW_OK);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].deleted) {
            tw_batch_delete(batch, TW_TABLE_STATE, changes[i].key);
        } else {
            tw_batch_put(batch, TW_TABLE_STATE, changes[i].key, changes[i].value);
        }
    }
    cr_assert_eq(tw_store_commit(f->store, batch, false, NULL), TW_OK);
    tw_batch_free(batch);
    tw_overlay_clear(f->overlay, random_next(&m->seed));
    memcpy(m->stored, m->now, sizeof m->now);
    memset(m->touched, 0, sizeof m->touched);
    m->depth = 0;
}

static void run_model(fixture *f, uint64_t seed, size_t steps)
{
    model *m = tw_mem_new(sizeof *m);
    m->seed = seed;
    for (size_t step = 0; step < steps; step++) {
        const size_t kind = random_below(&m->seed, 100);
        if (kind < 50) {
            model_write(m, f);
        } else if (kind < 80) {
            model_next(m, f);
        } else if (kind < 98) {
            model_savepoint(m, f);
        } else {
            model_check(m, f);
        }
        if (step % 500 == 499) model_commit(m, f);
    }
    model_check(m, f);
    tw_mem_free(m);
}

Test(overlay, random_operations_in_memory)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        fixture f = fixture_make(none);
        run_model(&f, seed, 10000);
        fixture_free(&f);
    }
}

Test(overlay, random_operations_on_disk)
{
    char path[64];
    folder_make(path);
    fixture f = {store_on_disk(path), NULL, tw_arena_new(16 * MIB)};
    f.overlay = tw_overlay_new(f.store, 64 * MIB);
    run_model(&f, 99, 20000);
    fixture_free(&f);
    folder_remove(path);
}

/* What was there counts once, what is put each time, what is edited in place not again. */
Test(overlay, bytes_put)
{
    fixture f = fixture_make((const char *const[]){"a", "four", NULL});
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool found = false;
    expect(&f, "a", "four");
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 0);
    put(&f, "a", "longer");
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 4 + 6);
    put(&f, "a", "longer");
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 4 + 12);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(tw_overlay_edit(f.overlay, text("a"), &bytes, &size, &found), TW_OK);
    }
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 4 + 12);
    tw_overlay_clear(f.overlay, 1);
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 0);
    delete (&f, "a");
    cr_assert_eq(tw_overlay_put_bytes(f.overlay), 4);
    fixture_free(&f);
}
