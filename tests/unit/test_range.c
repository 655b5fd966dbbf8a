/* test_range -- runs of leaves shown against a root, and trees built from leaves in order. */
#include "tests/unit/state_fixture.h"
#include "vm/state/commit.h"
#include "vm/state/tree_build.h"

#include <criterion/criterion.h>

enum { LEAVES_MAX = 3000 };

/* A tree of random keys, written as one block. */
typedef struct world {
    tw_store *store;
    tw_tree *tree;
    tw_tree_root root;
    tw_leaf leaves[LEAVES_MAX]; /* ascending */
    size_t count;
    tw_range range;
    tw_writer bytes;
} world;

static void take_leaves(world *w)
{
    tw_iter *iter = NULL;
    tw_bytes key, value, hash;
    bool found = false;
    tw_arena *arena = tw_arena_new(4 * MIB);
    cr_assert_eq(tw_iter_open(w->store, TW_TABLE_PRE, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    while (tw_iter_here(iter, &hash, &key)) {
        cr_assert_eq(tw_store_get(w->store, TW_TABLE_STATE, key, arena, &value, &found), TW_OK);
        cr_assert(found);
        tw_leaf *leaf = &w->leaves[w->count++];
        leaf->key_hash = tw_sha256(key.data, key.size);
        leaf->hash = tw_tree_leaf(&leaf->key_hash, value);
        cr_assert_eq(tw_iter_next(iter), TW_OK);
    }
    tw_iter_close(iter);
    tw_arena_free(arena);
}

static world *world_of(size_t count, uint64_t *seed)
{
    tw_err err = {0};
    tw_commit *commit = NULL;
    world *w = tw_mem_new(sizeof *w);
    w->store = store_in_memory();
    w->tree = tw_tree_new(w->store, 16 * MIB);
    w->bytes = tw_writer_new(MIB);
    tw_overlay *overlay = tw_overlay_new(w->store, 64 * MIB);
    cr_assert_eq(tw_commit_open(w->store, 64 * MIB, &commit, &err), TW_OK);
    for (size_t i = 0; i < count; i++) {
        uint8_t key[16];
        tw_store_u64(key, random_next(seed));
        tw_store_u64(key + 8, i);
        cr_assert_eq(tw_overlay_put(overlay, tw_bytes_of(key, sizeof key), tw_bytes_of(key, 9)),
                     TW_OK);
    }
    cr_assert_eq(tw_commit_prepare(commit, overlay, 7, &w->root.hash, &err), TW_OK);
    cr_assert_eq(tw_commit_write(commit, text(""), false, &err), TW_OK);
    w->root = tw_commit_head(commit)->root;
    tw_commit_close(commit);
    tw_overlay_free(overlay);
    take_leaves(w);
    cr_assert_eq(w->count, count);
    return w;
}

static void world_free(world *w)
{
    tw_writer_free(&w->bytes);
    tw_tree_free(w->tree);
    tw_store_close(w->store);
    tw_mem_free(w);
}

static bool holds(const world *w, const tw_range *range, const tw_leaf *leaves, size_t count)
{
    tw_hash root;
    return tw_range_root(range, leaves, count, &root) && tw_hash_equal(&root, &w->root.hash);
}

/* The range of leaves [start, start + count), which must hold and come back from its bytes. */
static void prove(world *w, size_t start, size_t count)
{
    tw_range again;
    const tw_leaf *leaves = w->leaves + start;
    cr_assert_eq(tw_range_find(w->tree, &w->root, leaves, leaves + count - 1, &w->range), TW_OK);
    cr_assert(holds(w, &w->range, leaves, count), "%zu of %zu at %zu", count, w->count, start);
    cr_assert_eq(w->range.left.depth == 0, start == 0);
    cr_assert_eq(w->range.right.depth == 0, start + count == w->count);
    tw_writer_clear(&w->bytes);
    tw_range_encode(&w->range, &w->bytes);
    tw_reader r = tw_reader_of(tw_writer_bytes(&w->bytes));
    tw_range_decode(&r, &again);
    cr_assert(tw_reader_done(&r));
    cr_assert(holds(w, &again, leaves, count));
}

Test(range, each_run_of_a_small_tree)
{
    uint64_t seed = 1;
    for (size_t count = 1; count <= 24; count++) {
        world *w = world_of(count, &seed);
        for (size_t start = 0; start < count; start++) {
            for (size_t size = 1; size <= count - start; size++) prove(w, start, size);
        }
        world_free(w);
    }
}

static world *large;

static void make_large(void)
{
    uint64_t seed = 2;
    large = world_of(LEAVES_MAX, &seed);
}

static void free_large(void)
{
    world_free(large);
}

Test(range, runs_of_a_large_tree, .init = make_large, .fini = free_large)
{
    uint64_t seed = 3;
    prove(large, 0, LEAVES_MAX);
    for (int i = 0; i < 300; i++) {
        const size_t start = random_below(&seed, LEAVES_MAX);
        prove(large, start, 1 + random_below(&seed, LEAVES_MAX - start));
    }
}

/* Leaves left out, put in, swapped, changed or of another place: none holds. */
Test(range, no_other_leaves, .init = make_large, .fini = free_large)
{
    enum { RUN_MAX = 60 };
    static tw_leaf run[RUN_MAX + 1];
    uint64_t seed = 4;
    for (int i = 0; i < 2000; i++) {
        const size_t start = random_below(&seed, LEAVES_MAX - RUN_MAX);
        const size_t count = 2 + random_below(&seed, RUN_MAX - 2);
        const size_t at = random_below(&seed, count);
        prove(large, start, count);
        memcpy(run, large->leaves + start, count * sizeof *run);
        run[at].hash.bytes[random_below(&seed, 32)] ^= 1;
        cr_assert_not(holds(large, &large->range, run, count));
        run[at] = large->leaves[start + at];
        run[at].key_hash.bytes[31] ^= 1; /* the place stays, so nothing else changes */
        cr_assert_eq(holds(large, &large->range, run, count), true);
        memmove(run + at, run + at + 1, (count - at - 1) * sizeof *run);
        cr_assert_not(holds(large, &large->range, run, count - 1)); /* one is left out */
        memcpy(run, large->leaves + start, count * sizeof *run);
        memmove(run + at + 1, run + at, (count - at) * sizeof *run);
        run[at].key_hash.bytes[31] -= 1; /* one more */
        cr_assert_not(holds(large, &large->range, run, count + 1));
        memcpy(run, large->leaves + start + 1, count * sizeof *run); /* the run beside */
        cr_assert_not(holds(large, &large->range, run, count));
        run[0] = large->leaves[start + 1];
        run[1] = large->leaves[start];
        cr_assert_not(holds(large, &large->range, run, 2));
    }
    cr_assert_not(holds(large, &large->range, run, 0));
}

/* Each bit of the borders is needed, and each byte string that passes is the one. */
Test(range, no_other_borders, .init = make_large, .fini = free_large)
{
    static tw_range other;
    uint64_t seed = 5;
    for (int i = 0; i < 20; i++) {
        const size_t start = random_below(&seed, LEAVES_MAX - 10);
        prove(large, start, 10);
        for (size_t at = 0; at < large->bytes.size; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                large->bytes.data[at] ^= (uint8_t)(1u << bit);
                tw_reader r = tw_reader_of(tw_writer_bytes(&large->bytes));
                tw_range_decode(&r, &other);
                cr_assert(!tw_reader_done(&r) || !holds(large, &other, large->leaves + start, 10),
                          "byte %zu bit %u", at, bit);
                large->bytes.data[at] ^= (uint8_t)(1u << bit);
            }
        }
        for (size_t size = 0; size < large->bytes.size; size++) {
            tw_reader r = tw_reader_of(tw_bytes_of(large->bytes.data, size));
            tw_range_decode(&r, &other);
            cr_assert_not(tw_reader_done(&r));
        }
    }
}

Test(range, leaves_that_the_tree_does_not_have)
{
    uint64_t seed = 6;
    world *w = world_of(20, &seed);
    tw_leaf other = w->leaves[3];
    other.hash.bytes[0] ^= 1;
    cr_assert_eq(tw_range_find(w->tree, &w->root, &other, &w->leaves[5], &w->range),
                 TW_ERR_CORRUPT);
    cr_assert_eq(tw_range_find(w->tree, &w->root, &w->leaves[3], &other, &w->range),
                 TW_ERR_CORRUPT);
    other = w->leaves[3];
    other.key_hash.bytes[31] ^= 1;
    cr_assert_eq(tw_range_find(w->tree, &w->root, &other, &w->leaves[5], &w->range),
                 TW_ERR_CORRUPT);
    world_free(w);
}

/* ---- building ---- */

/* The rows of NODE are those of the tree that was written as one block. */
static void same_nodes(const tw_store *expected, tw_batch *batch)
{
    tw_store *built = store_in_memory();
    tw_err err = {0};
    tw_iter *a = NULL, *b = NULL;
    tw_bytes key_a, key_b, value_a, value_b;
    cr_assert_eq(tw_store_commit(built, batch, false, &err), TW_OK);
    cr_assert_eq(tw_iter_open((tw_store *)(uintptr_t)expected, TW_TABLE_NODE, text(""), &a), TW_OK);
    cr_assert_eq(tw_iter_open(built, TW_TABLE_NODE, text(""), &b), TW_OK);
    cr_assert_eq(tw_iter_first(a), TW_OK);
    cr_assert_eq(tw_iter_first(b), TW_OK);
    while (tw_iter_here(a, &key_a, &value_a)) {
        cr_assert(tw_iter_here(b, &key_b, &value_b));
        cr_assert(tw_bytes_equal(key_a, key_b) && tw_bytes_equal(value_a, value_b));
        cr_assert_eq(tw_iter_next(a), TW_OK);
        cr_assert_eq(tw_iter_next(b), TW_OK);
    }
    cr_assert_not(tw_iter_here(b, NULL, NULL));
    tw_iter_close(a);
    tw_iter_close(b);
    tw_store_close(built);
}

Test(range, a_tree_from_its_leaves_in_order)
{
    static const size_t counts[] = {0, 1, 2, 3, 5, 16, 17, 100, 999, LEAVES_MAX};
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        world *w = world_of(counts[i], &seed);
        tw_tree_build *build = tw_tree_build_new(7);
        tw_batch *batch = tw_batch_new(16 * MIB);
        tw_tree_root root;
        for (size_t k = 0; k < w->count; k++) {
            cr_assert_eq(tw_tree_build_add(build, &w->leaves[k], batch), TW_OK);
        }
        tw_tree_build_end(build, batch, &root);
        cr_assert(tw_hash_equal(&root.hash, &w->root.hash), "%zu leaves", counts[i]);
        cr_assert_eq(root.version, w->root.version);
        same_nodes(w->store, batch);
        tw_batch_free(batch);
        tw_tree_build_free(build);
        world_free(w);
    }
}

Test(range, leaves_out_of_order_build_nothing)
{
    uint64_t seed = 8;
    world *w = world_of(2, &seed);
    tw_tree_build *build = tw_tree_build_new(7);
    cr_assert_eq(tw_tree_build_add(build, &w->leaves[1], NULL), TW_OK);
    cr_assert_eq(tw_tree_build_add(build, &w->leaves[0], NULL), TW_ERR_INTERNAL);
    cr_assert_eq(tw_tree_build_add(build, &w->leaves[1], NULL), TW_ERR_INTERNAL);
    tw_tree_build_free(build);
    tw_tree_build_free(NULL);
    world_free(w);
}
