/* test_tree -- the tree: fixed values, the node's bytes, and random batches against a plain
 * recursion over the bits of the sorted key hashes, which shares nothing with the tree but SHA-256.
 */
#include "tests/fault/naive_tree.h"
#include "tests/unit/state_fixture.h"
#include "vm/state/tree.h"
#include "vm/state/tree_node.h"

#include <criterion/criterion.h>

/* -- a set of numbered keys, in a tree and beside it -- */

enum { KEYS_MAX = 3000, REMEMBERED = 40 * 1024 /* some thirty nodes, for which more compete */ };

typedef struct set {
    tw_store *store;
    tw_tree *tree;
    tw_batch *batch;
    tw_tree_root root;
    uint64_t version;
    uint64_t values[KEYS_MAX]; /* 0: not there */
    uint64_t key_bytes[KEYS_MAX];
    uint64_t value_bytes[KEYS_MAX];
    tw_change changes[KEYS_MAX];
    size_t change_count;
} set;

static set *set_make(void)
{
    set *s = tw_mem_new(sizeof *s);
    s->store = store_in_memory();
    s->tree = tw_tree_new(s->store, 64 * MIB);
    tw_tree_remember(s->tree, REMEMBERED);
    s->batch = tw_batch_new(64 * MIB);
    return s;
}

static void set_free(set *s)
{
    tw_batch_free(s->batch);
    tw_tree_free(s->tree);
    tw_store_close(s->store);
    tw_mem_free(s);
}

/* Adds one change to the next batch; value 0 deletes. A key at most once a batch. */
static void set_change(set *s, size_t key, uint64_t value)
{
    s->key_bytes[key] = key;
    s->value_bytes[key] = value;
    s->values[key] = value;
    tw_change *c = &s->changes[s->change_count++];
    c->key = tw_bytes_of(&s->key_bytes[key], 8);
    c->deleted = value == 0;
    c->value = tw_bytes_of(&s->value_bytes[key], c->deleted ? 0 : 8);
}

static void set_commit(set *s)
{
    s->version++;
    tw_batch_clear(s->batch);
    cr_assert_eq(tw_tree_update(s->tree, &s->root, s->version, s->changes, s->change_count,
                                s->batch, &s->root),
                 TW_OK);
    cr_assert_eq(tw_store_commit(s->store, s->batch, false, NULL), TW_OK);
    s->change_count = 0;
}

static tw_hash set_oracle(const set *s)
{
    static naive_leaf leaves[KEYS_MAX];
    size_t count = 0;
    for (uint64_t key = 0; key < KEYS_MAX; key++) {
        if (s->values[key] == 0) continue;
        naive_insert(leaves, count++, tw_bytes_of(&key, 8), tw_bytes_of(&s->values[key], 8));
    }
    return naive_root(leaves, count, 0);
}

static void set_check(set *s)
{
    const tw_hash expected = set_oracle(s);
    cr_assert(tw_hash_equal(&s->root.hash, &expected), "version %llu",
              (unsigned long long)s->version);
    cr_assert_eq(tw_tree_check_root(s->tree, &s->root), TW_OK);
}

Test(tree, small_trees_by_hand)
{
    set *s = set_make();
    set_commit(s);
    cr_assert(tw_hash_is_zero(&s->root.hash)); /* empty: zeros */
    set_change(s, 1, 11);
    set_commit(s);
    const uint64_t key = 1;
    const uint64_t value = 11;
    const tw_hash key_hash = tw_sha256(&key, 8);
    const tw_hash value_hash = tw_sha256(&value, 8);
    const tw_hash alone = naive_two(0, &key_hash, &value_hash);
    cr_assert(tw_hash_equal(&s->root.hash, &alone)); /* one leaf: its hash */
    const tw_hash same = tw_tree_leaf(&key_hash, tw_bytes_of(&value, 8));
    cr_assert(tw_hash_equal(&same, &alone));
    set_check(s);
    set_change(s, 2, 22);
    set_commit(s);
    set_check(s);
    set_change(s, 1, 0);
    set_change(s, 2, 0);
    set_commit(s);
    cr_assert(tw_hash_is_zero(&s->root.hash));
    set_free(s);
}

/* The root of a fixed set, computed once by an independent program (Python hashlib). */
Test(tree, fixed_root)
{
    set *s = set_make();
    tw_change changes[5];
    static const char *const keys[5] = {"alpha", "beta", "gamma", "delta", "epsilon"};
    static const char *const values[5] = {"\1one", "\1two", "\1three", "\1four", "\1five"};
    for (size_t i = 0; i < 5; i++) {
        changes[i] = (tw_change){.key = text(keys[i]), .value = text(values[i])};
    }
    tw_tree_root root = {0};
    cr_assert_eq(tw_tree_update(s->tree, &s->root, 1, changes, 5, s->batch, &root), TW_OK);
    char hex[65];
    tw_hex_encode(root.hash.bytes, 32, hex);
    cr_assert_str_eq(hex, "0ea9e62bc037a35ec6452348821c9d02c64a09c1d805a5e0f6fe7699b96c4688");
    set_free(s);
}

Test(tree, random_batches_agree_with_the_oracle)
{
    static const size_t batch_sizes[] = {1, 2, 5, 40, 400, 1500};
    for (uint64_t run = 1; run <= 6; run++) {
        set *s = set_make();
        uint64_t seed = run;
        const size_t keys = run % 2 == 0 ? KEYS_MAX : 60; /* few keys: many deletes to nothing */
        for (size_t round = 0; round < 40; round++) {
            const size_t size = batch_sizes[random_below(&seed, 6)] % keys + 1;
            const size_t start = random_below(&seed, keys);
            const size_t deletes = random_below(&seed, 5); /* of 4 */
            for (size_t i = 0; i < size; i++) {
                const bool delete = random_below(&seed, 4) < deletes;
                /* few values, so that changes without effect happen */
                set_change(s, (start + i) % keys, delete ? 0 : 1 + random_below(&seed, 3));
            }
            set_commit(s);
            set_check(s);
        }
        set_free(s);
    }
}

Test(tree, depends_on_the_set_alone)
{
    uint64_t seed = 5;
    tw_hash first = {0};
    for (size_t run = 0; run < 6; run++) {
        set *s = set_make();
        size_t order[500];
        for (size_t i = 0; i < 500; i++) {
            const size_t at = random_below(&seed, i + 1);
            order[i] = order[at];
            order[at] = i;
        }
        const size_t part = run == 0 ? 500 : 1 + random_below(&seed, 100);
        for (size_t i = 0; i < 500; i++) {
            set_change(s, order[i], order[i] + 7);
            if ((i + 1) % part == 0) {
                set_commit(s);
                set_change(s, 600 + i, 1); /* comes and goes */
                set_commit(s);
                set_change(s, 600 + i, 0);
            }
        }
        set_commit(s);
        if (run == 0) first = s->root.hash;
        cr_assert(tw_hash_equal(&first, &s->root.hash));
        set_free(s);
    }
}

static size_t node_count(set *s)
{
    size_t count = 0;
    tw_iter *iter = NULL;
    cr_assert_eq(tw_iter_open(s->store, TW_TABLE_NODE, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    for (; tw_iter_here(iter, NULL, NULL); count++) cr_assert_eq(tw_iter_next(iter), TW_OK);
    tw_iter_close(iter);
    return count;
}

Test(tree, insert_and_delete_is_identity)
{
    set *s = set_make();
    for (size_t i = 0; i < 1000; i++) set_change(s, i, i + 1);
    set_commit(s);
    const tw_tree_root before = s->root;
    for (size_t i = 1000; i < 1500; i++) set_change(s, i, i + 1);
    set_commit(s);
    cr_assert_not(tw_hash_equal(&before.hash, &s->root.hash));
    for (size_t i = 1000; i < 1500; i++) set_change(s, i, 0);
    set_commit(s);
    cr_assert(tw_hash_equal(&before.hash, &s->root.hash));

    /* Without effect: no new root version, nothing written. */
    const tw_tree_root now = s->root;
    for (size_t i = 0; i < 10; i++) set_change(s, i, i + 1);
    for (size_t i = 2000; i < 2010; i++) set_change(s, i, 0);
    set_commit(s);
    cr_assert_eq(now.version, s->root.version);
    cr_assert_eq(tw_batch_count(s->batch), 0);
    set_free(s);
}

/* After pruning every version, exactly the nodes of the newest tree are left, and it reads well
 * with an empty cache. */
Test(tree, prune_leaves_the_newest_tree)
{
    set *s = set_make();
    uint64_t seed = 3;
    for (size_t round = 0; round < 30; round++) {
        const size_t start = random_below(&seed, KEYS_MAX);
        for (size_t i = 0; i < 100; i++) {
            set_change(s, (start + i * 7) % KEYS_MAX, random_below(&seed, 3));
        }
        set_commit(s);
    }
    tw_batch_clear(s->batch);
    for (uint64_t v = 0; v <= s->version; v++) {
        cr_assert_eq(tw_tree_prune(s->tree, v, s->batch), TW_OK);
    }
    cr_assert_eq(tw_store_commit(s->store, s->batch, false, NULL), TW_OK);

    set *fresh = set_make(); /* the same set, built at once */
    for (size_t i = 0; i < KEYS_MAX; i++) {
        if (s->values[i] != 0) set_change(fresh, i, s->values[i]);
    }
    set_commit(fresh);
    cr_assert(tw_hash_equal(&fresh->root.hash, &s->root.hash));
    cr_assert_eq(node_count(fresh), node_count(s));
    set_free(fresh);

    tw_tree_free(s->tree);
    s->tree = tw_tree_new(s->store, 64 * MIB);
    for (size_t i = 0; i < KEYS_MAX; i++) set_change(s, i, 9);
    set_commit(s);
    set_check(s);
    set_free(s);
}

/* An update whose batch is dropped never happened, though it went through the cache. */
Test(tree, dropped_updates_leave_no_trace)
{
    set *s = set_make();
    for (size_t i = 0; i < 500; i++) set_change(s, i, i + 1);
    set_commit(s);
    uint64_t seed = 8;
    for (size_t round = 0; round < 20; round++) {
        tw_change other[3];
        uint64_t keys[3];
        for (size_t i = 0; i < 3; i++) {
            keys[i] = random_below(&seed, 500) + 500 * i; /* distinct */
            other[i] = (tw_change){.key = tw_bytes_of(&keys[i], 8), .value = text("other")};
        }
        tw_tree_root dropped = {0};
        tw_batch_clear(s->batch);
        cr_assert_eq(
            tw_tree_update(s->tree, &s->root, s->version + 1, other, 3, s->batch, &dropped), TW_OK);
        cr_assert_not(tw_hash_equal(&dropped.hash, &s->root.hash));
        for (size_t i = 0; i < 20; i++) set_change(s, (round * 20 + i) % 500, round + 1000 + i);
        set_commit(s);
        set_check(s);
    }
    set_free(s);
}

Test(tree, refuses_misuse)
{
    set *s = set_make();
    set_change(s, 1, 1);
    set_change(s, 2, 1);
    set_commit(s);
    tw_tree_root root = {0};
    tw_change twice[2] = {{.key = text("k"), .value = text("1")},
                          {.key = text("k"), .value = text("2")}};
    cr_assert_eq(tw_tree_update(s->tree, &s->root, 2, twice, 2, s->batch, &root), TW_ERR_INTERNAL);
    cr_assert_eq(tw_tree_update(s->tree, &s->root, 1, twice, 1, s->batch, &root), TW_ERR_INTERNAL);
    const tw_change no_value = {.key = text("k"), .value = text("")};
    cr_assert_eq(tw_tree_update(s->tree, &s->root, 2, &no_value, 1, s->batch, &root),
                 TW_ERR_INTERNAL);
    cr_assert(tw_hash_is_zero(&root.hash));
    for (size_t limit = 0; limit <= 1200; limit += 100) {
        tw_tree *small = tw_tree_new(s->store, limit);
        cr_assert_not_null(small);
        cr_assert_eq(tw_tree_update(small, &s->root, 2, twice, 1, s->batch, &root), TW_ERR_MEMORY);
        tw_tree_free(small);
    }
    tw_tree_free(NULL);
    set_free(s);
}

/* -- damage -- */

/* Changes every byte of every stored node in turn: each is found. */
Test(tree, damage_is_found)
{
    set *s = set_make();
    for (size_t i = 0; i < 20; i++) set_change(s, i, i + 1);
    set_commit(s);
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    const size_t key_size = tw_tree_node_key(s->root.version, &s->root.hash, 0, key);
    tw_arena *arena = tw_arena_new(MIB);
    tw_bytes whole = {NULL, 0};
    bool found = false;
    cr_assert_eq(
        tw_store_get(s->store, TW_TABLE_NODE, tw_bytes_of(key, key_size), arena, &whole, &found),
        TW_OK);
    cr_assert(found);
    uint8_t bytes[TW_TREE_NODE_SIZE_MAX];
    for (size_t i = 0; i < whole.size; i++) {
        memcpy(bytes, whole.data, whole.size);
        bytes[i] ^= (uint8_t)(1u << i % 8);
        tw_batch_clear(s->batch);
        tw_batch_put(s->batch, TW_TABLE_NODE, tw_bytes_of(key, key_size),
                     tw_bytes_of(bytes, whole.size));
        cr_assert_eq(tw_store_commit(s->store, s->batch, false, NULL), TW_OK);
        cr_assert_eq(tw_tree_check_root(s->tree, &s->root), TW_ERR_CORRUPT);
        if (i > 0) continue;
        tw_tree *cold = tw_tree_new(s->store, MIB);
        const tw_change change = {.key = text("k"), .value = text("v")};
        tw_tree_root root = {0};
        cr_assert_eq(tw_tree_update(cold, &s->root, 2, &change, 1, s->batch, &root),
                     TW_ERR_CORRUPT);
        tw_tree_free(cold);
    }
    tw_batch_clear(s->batch);
    tw_batch_delete(s->batch, TW_TABLE_NODE, tw_bytes_of(key, key_size));
    cr_assert_eq(tw_store_commit(s->store, s->batch, false, NULL), TW_OK);
    cr_assert_eq(tw_tree_check_root(s->tree, &s->root), TW_ERR_CORRUPT);
    tw_arena_free(arena);
    set_free(s);
}

/* Bytes with a good checksum that encode would not have written. */
Test(tree, only_canonical_nodes_decode)
{
    tw_tree_node node = {0};
    for (size_t i = 0; i < TW_TREE_FANOUT; i += 3) {
        node.slots[i].kind = i % 2 == 0 ? TW_TREE_INNER : TW_TREE_LEAF;
        node.slots[i].hash = tw_sha256(&i, 1);
        if (i % 2 == 0) node.slots[i].version = i * 1000;
        if (i % 2 != 0) node.slots[i].key_hash = tw_sha256(&i, 2);
    }
    uint8_t bytes[TW_TREE_NODE_SIZE_MAX + 16];
    const size_t size = tw_tree_node_encode(&node, 1000000, bytes);
    tw_tree_node back;
    cr_assert(tw_tree_node_decode(tw_bytes_of(bytes, size), 1000000, &back));
    for (size_t i = 0; i < TW_TREE_FANOUT; i++) {
        cr_assert(tw_tree_slot_equal(&node.slots[i], &back.slots[i]));
    }
    for (size_t cut = 0; cut < size; cut++) {
        cr_assert_not(tw_tree_node_decode(tw_bytes_of(bytes, cut), 1000000, &back));
    }
    cr_assert_not(tw_tree_node_decode(tw_bytes_of(bytes, size), 5, &back)); /* child is newer */
    uint64_t seed = 4;
    for (size_t i = 0; i < 20000; i++) {
        uint8_t changed[TW_TREE_NODE_SIZE_MAX + 16];
        size_t body = size - 4;
        memcpy(changed, bytes, body);
        if (i % 4 == 0) {
            body = i % 8 == 0 ? body + 1 : body - 1;
            changed[size - 4] = 0;
        } else {
            changed[random_below(&seed, i % 4 == 1 ? 5 : body)] ^=
                (uint8_t)random_below(&seed, 256);
        }
        tw_store_u32(changed + body, tw_checksum(changed, body));
        if (!tw_tree_node_decode(tw_bytes_of(changed, body + 4), 1000000, &back)) continue;
        uint8_t again[TW_TREE_NODE_SIZE_MAX];
        cr_assert_eq(tw_tree_node_encode(&back, 1000000, again), body + 4);
        cr_assert_arr_eq(again, changed, body + 4);
    }
}
