/* test_past -- the past of the state against a plain copy of each height; pruning and undoing. */
#include "tests/unit/state_fixture.h"
#include "vm/state/commit.h"
#include "vm/state/past.h"

#include <criterion/criterion.h>

enum { KEYS = 24, HEIGHTS = 60, VALUE_SIZE = 12 };

/* Keys that are beginnings of each other, with the bytes that escaping is about. */
static tw_bytes key_number(size_t number, uint8_t memory[8])
{
    static const uint8_t bytes[4] = {0x00, 0xff, 0x01, 0x7f};
    size_t size = 0;
    for (size_t rest = number + 1; rest > 0; rest /= 4) memory[size++] = bytes[rest % 4];
    return tw_bytes_of(memory, size);
}

/* Value of each key at each height; an empty text: not there. */
typedef struct world {
    tw_store *store;
    tw_overlay *overlay;
    tw_commit *commit;
    tw_arena *arena;
    uint64_t seed;
    char values[HEIGHTS][KEYS][VALUE_SIZE];
} world;

static world *world_make(tw_store *store)
{
    world *w = tw_mem_new(sizeof *w);
    tw_err err = {0};
    w->store = store;
    w->overlay = tw_overlay_new(store, 64 * MIB);
    w->arena = tw_arena_new(64 * MIB);
    w->seed = 7;
    cr_assert_eq(tw_commit_open(store, 64 * MIB, &w->commit, &err), TW_OK);
    return w;
}

static void world_free(world *w)
{
    tw_commit_close(w->commit);
    tw_overlay_free(w->overlay);
    tw_arena_free(w->arena);
    tw_store_close(w->store);
    tw_mem_free(w);
}

static void add_block(world *w, uint64_t height)
{
    uint8_t memory[8];
    tw_hash root;
    tw_err err = {0};
    if (height > 0) memcpy(w->values[height], w->values[height - 1], sizeof w->values[height]);
    for (size_t n = random_below(&w->seed, 8); n > 0; n--) {
        const size_t k = random_below(&w->seed, KEYS);
        const tw_bytes key = key_number(k, memory);
        char *value = w->values[height][k];
        value[0] = '\0';
        if (random_below(&w->seed, 3) > 0) {
            (void)snprintf(value, VALUE_SIZE, "%llu", (unsigned long long)(height * KEYS + k));
            cr_assert_eq(tw_overlay_put(w->overlay, key, text(value)), TW_OK);
        } else {
            cr_assert_eq(tw_overlay_delete(w->overlay, key), TW_OK);
        }
    }
    cr_assert_eq(tw_commit_prepare(w->commit, w->overlay, height, &root, &err), TW_OK);
    cr_assert_eq(tw_commit_write(w->commit, text(""), false, &err), TW_OK);
    tw_overlay_clear(w->overlay, height);
}

/* Each key alone, and all in order, through an overlay on the store of that height. */
static void check_height(world *w, uint64_t height)
{
    uint8_t memory[8];
    tw_store *past = NULL;
    cr_assert_eq(tw_store_open_past(w->store, height, &past), TW_OK);
    size_t there = 0;
    for (size_t k = 0; k < KEYS; k++) {
        tw_bytes value;
        bool found = false;
        tw_arena_clear(w->arena);
        cr_assert_eq(tw_past_get(w->store, key_number(k, memory), height, w->arena, &value, &found),
                     TW_OK);
        cr_assert_eq(found, w->values[height][k][0] != '\0', "key %zu height %llu", k,
                     (unsigned long long)height);
        if (found) cr_assert(is_text(value, w->values[height][k]));
        there += found;
    }
    tw_overlay *overlay = tw_overlay_new(past, 16 * MIB);
    uint8_t after[TW_STORE_KEY_MAX + 1];
    tw_bytes key = {NULL, 0};
    tw_bytes from = {NULL, 0};
    tw_bytes value;
    size_t met = 0;
    for (;;) {
        bool found = false;
        bool known = false;
        cr_assert_eq(tw_overlay_next(overlay, text(""), from, &key, &value, &found), TW_OK);
        if (!found) break;
        cr_assert(tw_bytes_compare(key, from) >= 0);
        for (size_t k = 0; k < KEYS; k++) {
            if (!tw_bytes_equal(key, key_number(k, memory))) continue;
            known = true;
            cr_assert(is_text(value, w->values[height][k]));
        }
        cr_assert(known);
        met++;
        from = tw_key_after(key, after);
    }
    cr_assert_eq(met, there);
    tw_overlay_free(overlay);
    tw_store_close(past);
}

/* All rows of a table, in the arena. */
static tw_bytes rows_of(tw_store *store, tw_table table, tw_arena *arena)
{
    tw_writer w = tw_writer_new(16 * MIB);
    tw_iter *iter = NULL;
    tw_bytes key;
    tw_bytes value;
    cr_assert_eq(tw_iter_open(store, table, text(""), &iter), TW_OK);
    for (tw_status s = tw_iter_first(iter); s == TW_OK && tw_iter_here(iter, &key, &value);
         s = tw_iter_next(iter)) {
        tw_write_long(&w, key);
        tw_write_long(&w, value);
    }
    tw_iter_close(iter);
    const char *copy = tw_arena_copy(arena, w.data, w.size);
    const tw_bytes rows = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    return rows;
}

static void check_past(tw_store *store)
{
    world *w = world_make(store);
    for (uint64_t h = 0; h < HEIGHTS; h++) add_block(w, h);
    for (uint64_t h = 0; h < HEIGHTS; h++) check_height(w, h);
    world_free(w);
}

Test(past, is_as_it_was_in_memory)
{
    check_past(store_in_memory());
}

Test(past, is_as_it_was_on_disk)
{
    char path[64];
    folder_make(path);
    check_past(store_on_disk(path));
    folder_remove(path);
}

Test(past, later_heights_outlive_pruning)
{
    world *w = world_make(store_in_memory());
    tw_batch *batch = tw_batch_new(16 * MIB);
    tw_err err = {0};
    for (uint64_t h = 0; h < HEIGHTS; h++) add_block(w, h);
    for (uint64_t h = 1; h < HEIGHTS; h++) {
        tw_batch_clear(batch);
        tw_arena_clear(w->arena);
        cr_assert_eq(tw_past_prune(w->store, h, w->arena, batch), TW_OK);
        cr_assert_eq(tw_store_commit(w->store, batch, false, &err), TW_OK);
        for (uint64_t later = h; later < HEIGHTS; later += 7) check_height(w, later);
    }
    /* nothing is left but the names of the keys that are there */
    tw_arena_clear(w->arena);
    cr_assert_eq(rows_of(w->store, TW_TABLE_HIST, w->arena).size, 0);
    uint8_t memory[8];
    for (size_t k = 0; k < KEYS; k++) {
        const tw_bytes key = key_number(k, memory);
        const tw_hash hash = tw_sha256(key.data, key.size);
        tw_bytes name;
        bool found = false;
        cr_assert_eq(tw_past_key(w->store, hash.bytes, w->arena, &name, &found), TW_OK);
        cr_assert_eq(found, w->values[HEIGHTS - 1][k][0] != '\0');
        if (found) cr_assert(tw_bytes_equal(name, key));
    }
    tw_batch_free(batch);
    world_free(w);
}

/* Undoing a block gives back the tables as they were, byte for byte. */
Test(past, a_block_undone_was_never_there)
{
    static const tw_table tables[3] = {TW_TABLE_STATE, TW_TABLE_HIST, TW_TABLE_PRE};
    world *w = world_make(store_in_memory());
    tw_arena *memory = tw_arena_new(256 * MIB);
    tw_batch *batch = tw_batch_new(16 * MIB);
    tw_err err = {0};
    tw_bytes rows[HEIGHTS][3];
    for (uint64_t h = 0; h < HEIGHTS; h++) {
        add_block(w, h);
        for (size_t t = 0; t < 3; t++) rows[h][t] = rows_of(w->store, tables[t], memory);
    }
    for (uint64_t h = HEIGHTS - 1; h > 0; h--) {
        tw_batch_clear(batch);
        tw_arena_clear(w->arena);
        cr_assert_eq(tw_past_undo(w->store, h, w->arena, batch), TW_OK);
        cr_assert_eq(tw_store_commit(w->store, batch, false, &err), TW_OK);
        for (size_t t = 0; t < 3; t++) {
            cr_assert(tw_bytes_equal(rows_of(w->store, tables[t], w->arena), rows[h - 1][t]),
                      "table %zu height %llu", t, (unsigned long long)h);
        }
    }
    tw_batch_free(batch);
    tw_arena_free(memory);
    world_free(w);
}

Test(past, can_only_be_read_forward)
{
    world *w = world_make(store_in_memory());
    tw_store *past = NULL;
    tw_iter *iter = NULL;
    tw_err err = {0};
    tw_batch *batch = tw_batch_new(MIB);
    add_block(w, 0);
    add_block(w, 1);
    cr_assert_eq(tw_store_open_past(w->store, 0, &past), TW_OK);
    tw_batch_put(batch, TW_TABLE_STATE, text("k"), text("v"));
    cr_assert_eq(tw_store_commit(past, batch, false, &err), TW_ERR_INTERNAL);
    cr_assert_eq(tw_iter_open(past, TW_TABLE_STATE, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_last(iter), TW_ERR_INTERNAL);
    tw_iter_close(iter);
    tw_store_close(past);
    tw_batch_free(batch);
    world_free(w);
}
