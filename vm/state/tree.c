/* tree -- the batch update of SMT16; see the header for the tree itself.
 *
 * The changes are hashed, sorted by key hash and pushed down together: each call takes the part
 * of them that lies under one slot and gives back what the slot became. A node is written on the
 * way up, once everything under it is known, so a subtree that shrinks to one leaf passes the leaf
 * up and writes nothing; a slot that ends as it began makes nobody above it dirty. At most one
 * call a depth is active, so the nodes at work are one array. What was written is kept by depth
 * and put into the batch in key order at the end.
 *
 * Under the root the two halves, nibbles 0 to 7 and 8 to 15, have nothing in common: each is done
 * with memory of its own (a lane), the second one by another thread when there is a crew. The root
 * itself comes after both, and the lists of the second half behind those of the first, so batch and
 * root are the same byte for byte.
 *
 * The cache holds the nodes of the top four levels by their place, and (tw_tree_remember) as many
 * of those below as it may, by their bytes: a look-up in RocksDB costs more than all hashing of a
 * node. An entry counts only when version and hash are those that the parent names; every node
 * that is written goes through it, so an update whose block was dropped leaves entries that nobody
 * asks for or that are overwritten. Each half of the nibbles has memory of its own.
 */
#include "vm/state/tree.h"

#include "vm/state/recall.h"
#include "vm/state/tree_node.h"

#include <assert.h>
#include <string.h>

enum {
    CACHE_DEPTHS = 4,
    CACHE_COUNT = 1 + 16 + 256 + 4096,
    LOAD_MEMORY_MAX = 64 * 1024,
    CACHE_MEMORY_MAX = 8 * 1024 * 1024,
    LANES = 2,
    SPLIT_MIN = 32,               /* changes; below, waking a thread costs more than it saves */
    DEEP_HEAD = 8 + TW_HASH_SIZE, /* version and hash, before a deep node's bytes */
};

typedef struct cached {
    tw_hash hash;
    uint64_t version;
    tw_tree_node node;
} cached;

static_assert(CACHE_COUNT * sizeof(cached) < 6 * 1024 * 1024, "the header promises it");

/* Memory of one half of an update. All else is done in the first. */
typedef struct lane {
    tw_arena *scratch; /* of one update */
    tw_arena *load;    /* of one node's bytes */
    tw_arena *cache_memory;
} lane;

struct tw_tree {
    tw_store *store;
    tw_crew *crew; /* NULL: none */
    lane lanes[LANES];
    cached *cache[CACHE_COUNT]; /* NULL until first used */
    tw_recall *deep[LANES];     /* those below, by their place; NULL: none */
};

/* One change, ready for the tree. */
typedef struct leaf_change {
    tw_hash key_hash;
    tw_hash leaf;
    bool deleted;
} leaf_change;

/* A node to be written. */
typedef struct written {
    struct written *next;
    size_t key_size;
    size_t size;
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    uint8_t bytes[];
} written;

/* One half. */
typedef struct update {
    tw_tree *tree;
    lane *lane;
    uint64_t version;
    const leaf_change **changes; /* ascending by key hash */
    tw_tree_node *nodes[TW_TREE_DEPTH_MAX];
    written *first[TW_TREE_DEPTH_MAX];
    written *last[TW_TREE_DEPTH_MAX];
    tw_writer stale;
} update;

tw_tree *tw_tree_new(tw_store *store, size_t memory_max)
{
    tw_tree *tree = tw_mem_new(sizeof *tree);
    if (tree == NULL) return NULL;
    tree->store = store;
    for (int i = 0; i < LANES; i++) {
        lane *l = &tree->lanes[i];
        l->scratch = tw_arena_new(memory_max);
        l->load = tw_arena_new(LOAD_MEMORY_MAX);
        l->cache_memory = tw_arena_new(CACHE_MEMORY_MAX);
        /* all of it at once: later, what does not fit is no node, and never a host without memory
         */
        const bool room = l->load != NULL && tw_arena_get(l->load, LOAD_MEMORY_MAX) != NULL;
        if (l->scratch == NULL || !room || l->cache_memory == NULL) {
            tw_tree_free(tree);
            return NULL;
        }
    }
    return tree;
}

void tw_tree_use(tw_tree *tree, tw_crew *crew)
{
    tree->crew = crew;
}

void tw_tree_remember(tw_tree *tree, size_t size)
{
    for (int i = 0; i < LANES; i++) {
        assert(tree->deep[i] == NULL);
        tree->deep[i] = tw_recall_new(size / LANES);
    }
}

void tw_tree_free(tw_tree *tree)
{
    if (tree == NULL) return;
    for (int i = 0; i < LANES; i++) {
        tw_recall_free(tree->deep[i]);
        tw_arena_free(tree->lanes[i].scratch);
        tw_arena_free(tree->lanes[i].load);
        tw_arena_free(tree->lanes[i].cache_memory);
    }
    tw_mem_free(tree);
}

/* -- cache and store -- */

/* The cache entry of a place in the top levels. */
static cached **top_at(tw_tree *tree, const tw_hash *path, unsigned depth)
{
    size_t start = 0;
    size_t index = 0;
    for (unsigned d = 0; d < depth; d++) {
        start = start * 16 + 1;
        index = index * 16 + tw_tree_nibble(path, d);
    }
    assert(start + index < CACHE_COUNT);
    return &tree->cache[start + index];
}

/* What is remembered of deep nodes in the half of this path, or NULL; *ret_key: what the one at
 * this depth is remembered under. */
static tw_recall *deep_at(const tw_tree *tree, const tw_hash *path, unsigned depth,
                          uint8_t memory[TW_TREE_KEY_SIZE_MAX], tw_bytes *ret_key)
{
    const size_t size = tw_tree_node_key(0, path, depth, memory);
    *ret_key = tw_bytes_of(memory + 8, size - 8);
    return tree->deep[path->bytes[0] >> 7];
}

/* The node that a slot names, if it is remembered. */
static bool cache_get(tw_tree *tree, const tw_hash *path, unsigned depth, const tw_tree_slot *slot,
                      tw_tree_node *ret_node)
{
    if (depth < CACHE_DEPTHS) {
        const cached *at = *top_at(tree, path, depth);
        const bool good =
            at != NULL && at->version == slot->version && tw_hash_equal(&at->hash, &slot->hash);
        if (good) *ret_node = at->node;
        return good;
    }
    uint8_t memory[TW_TREE_KEY_SIZE_MAX];
    tw_bytes key;
    tw_bytes row;
    tw_recall *deep = deep_at(tree, path, depth, memory, &key);
    if (deep == NULL || !tw_recall_get(deep, key, &row)) return false;
    return tw_load_u64(row.data) == slot->version &&
           memcmp(row.data + 8, slot->hash.bytes, TW_HASH_SIZE) == 0 &&
           tw_tree_node_decode(tw_bytes_of(row.data + DEEP_HEAD, row.size - DEEP_HEAD),
                               slot->version, ret_node);
}

/* Remembers a node, if there is memory for it. `bytes` are its own. */
static void cache_put(tw_tree *tree, lane *own, const tw_hash *path, unsigned depth,
                      const tw_tree_slot *slot, const tw_tree_node *node, tw_bytes bytes)
{
    if (depth < CACHE_DEPTHS) {
        cached **top = top_at(tree, path, depth);
        if (*top == NULL) *top = TW_NEW(own->cache_memory, cached);
        if (*top != NULL) **top = (cached){slot->hash, slot->version, *node};
        return;
    }
    uint8_t memory[TW_TREE_KEY_SIZE_MAX];
    tw_bytes key;
    tw_recall *deep = deep_at(tree, path, depth, memory, &key);
    uint8_t *row = deep != NULL ? tw_recall_put(deep, key, DEEP_HEAD + bytes.size) : NULL;
    if (row == NULL) return;
    tw_store_u64(row, slot->version);
    memcpy(row + 8, slot->hash.bytes, TW_HASH_SIZE);
    memcpy(row + DEEP_HEAD, bytes.data, bytes.size);
}

/* *ret_bytes are borrowed from the lane until the next call. */
static tw_status load_stored(tw_tree *tree, lane *own, const tw_hash *path, unsigned depth,
                             uint64_t version, tw_tree_node *ret_node, tw_bytes *ret_bytes)
{
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    const size_t key_size = tw_tree_node_key(version, path, depth, key);
    bool found = false;
    tw_arena_clear(own->load);
    const tw_status status = tw_store_get(tree->store, TW_TABLE_NODE, tw_bytes_of(key, key_size),
                                          own->load, ret_bytes, &found);
    /* A node is far below the limit of this arena, so a value that does not fit is no node. */
    if (status == TW_ERR_MEMORY) return TW_ERR_CORRUPT;
    TW_TRY(status);
    if (!found || !tw_tree_node_decode(*ret_bytes, version, ret_node)) return TW_ERR_CORRUPT;
    return TW_OK;
}

/* The node that a slot names, from the cache or the store. */
static tw_status load(tw_tree *tree, lane *own, const tw_hash *path, unsigned depth,
                      const tw_tree_slot *slot, tw_tree_node *ret_node)
{
    assert(slot->kind == TW_TREE_INNER);
    if (cache_get(tree, path, depth, slot, ret_node)) return TW_OK;
    tw_bytes bytes = {NULL, 0};
    TW_TRY(load_stored(tree, own, path, depth, slot->version, ret_node, &bytes));
    cache_put(tree, own, path, depth, slot, ret_node, bytes);
    return TW_OK;
}

/* -- preparing the changes -- */

static bool is_after(const leaf_change *a, const leaf_change *b)
{
    return memcmp(a->key_hash.bytes, b->key_hash.bytes, TW_HASH_SIZE) > 0;
}

/* Merges the sorted runs [start, middle) and [middle, end) of `from` into `to`. */
static void merge(const leaf_change **from, size_t start, size_t middle, size_t end,
                  const leaf_change **to)
{
    size_t left = start;
    size_t right = middle;
    for (size_t i = start; i < end; i++) {
        const bool take_right =
            left == middle || (right < end && is_after(from[left], from[right]));
        to[i] = take_right ? from[right++] : from[left++];
    }
}

/* Merge sort from the bottom up; returns whichever array holds the result. */
static const leaf_change **sort(const leaf_change **array, const leaf_change **spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            const size_t middle = count - start < width ? count : start + width;
            const size_t end = count - start < 2 * width ? count : start + 2 * width;
            merge(array, start, middle, end, spare);
        }
        const leaf_change **result = spare;
        spare = array;
        array = result;
    }
    return array;
}

/* Hashes of changes [start, end): half of them, or all. */
typedef struct hashing {
    const tw_change *changes;
    leaf_change *leaves;
    size_t start, end;
    tw_status status;
} hashing;

static void hash_changes(void *context)
{
    hashing *h = context;
    h->status = TW_OK;
    for (size_t i = h->start; i < h->end; i++) {
        const tw_change *change = &h->changes[i];
        leaf_change *leaf = &h->leaves[i];
        if (change->key.size == 0 || (!change->deleted && change->value.size == 0)) {
            h->status = TW_ERR_INTERNAL;
            return;
        }
        leaf->key_hash = tw_sha256(change->key.data, change->key.size);
        leaf->deleted = change->deleted;
        if (!change->deleted) leaf->leaf = tw_tree_leaf(&leaf->key_hash, change->value);
    }
}

/* Does both: the second one by the crew, if there is one and it is worth it. */
static void do_both(tw_tree *tree, void (*run)(void *), void *first, void *second, size_t count)
{
    tw_job job = {.run = run, .context = second};
    const bool shared = tw_crew_threads(tree->crew) > 0 && count >= SPLIT_MIN;
    if (shared) tw_crew_give(tree->crew, &job, true);
    run(first);
    if (shared) {
        tw_crew_wait(tree->crew, &job);
    } else {
        run(second);
    }
}

static tw_status prepare(update *u, const tw_change *changes, size_t count)
{
    tw_arena *arena = u->lane->scratch;
    leaf_change *leaves = TW_NEW_ARRAY(arena, leaf_change, count);
    const leaf_change **array = TW_NEW_ARRAY(arena, const leaf_change *, count);
    const leaf_change **spare = TW_NEW_ARRAY(arena, const leaf_change *, count);
    if (leaves == NULL || array == NULL || spare == NULL) return TW_ERR_MEMORY;
    hashing first = {changes, leaves, 0, count / 2, TW_OK};
    hashing second = {changes, leaves, count / 2, count, TW_OK};
    do_both(u->tree, hash_changes, &first, &second, count);
    TW_TRY(first.status);
    TW_TRY(second.status);
    for (size_t i = 0; i < count; i++) array[i] = &leaves[i];
    u->changes = sort(array, spare, count);
    return TW_OK;
}

/* -- the update -- */

/* Notes the node of a slot as superseded. */
static tw_status retire(update *u, const tw_hash *path, unsigned depth, const tw_tree_slot *slot)
{
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    tw_write_raw(&u->stale, key, tw_tree_node_key(slot->version, path, depth, key));
    return u->stale.bad ? TW_ERR_MEMORY : TW_OK;
}

static tw_status write_node(update *u, const tw_hash *path, unsigned depth,
                            const tw_tree_node *node, tw_tree_slot *ret_slot)
{
    uint8_t bytes[TW_TREE_NODE_SIZE_MAX];
    const size_t size = tw_tree_node_encode(node, u->version, bytes);
    written *w = tw_arena_get(u->lane->scratch, sizeof *w + size);
    if (w == NULL) return TW_ERR_MEMORY;
    w->key_size = tw_tree_node_key(u->version, path, depth, w->key);
    w->size = size;
    memcpy(w->bytes, bytes, size);
    if (u->last[depth] != NULL) {
        u->last[depth]->next = w;
    } else {
        u->first[depth] = w;
    }
    u->last[depth] = w;
    *ret_slot = (tw_tree_slot){.kind = TW_TREE_INNER, .version = u->version};
    ret_slot->hash = tw_tree_node_hash(node);
    cache_put(u->tree, u->lane, path, depth, ret_slot, node, tw_bytes_of(bytes, size));
    return TW_OK;
}

/* What a changed node is to its parent: nothing, a lone leaf, or a new node. The root stays a node
 * even with one leaf, so that a root always names a node. */
static tw_status settle(update *u, const tw_hash *path, unsigned depth, const tw_tree_node *node,
                        tw_tree_slot *ret_slot)
{
    size_t count = 0;
    const tw_tree_slot *only = NULL;
    for (size_t i = 0; i < TW_TREE_FANOUT; i++) {
        if (node->slots[i].kind == TW_TREE_EMPTY) continue;
        only = &node->slots[i];
        count++;
    }
    if (count == 0) {
        *ret_slot = (tw_tree_slot){0};
        return TW_OK;
    }
    if (count == 1 && only->kind == TW_TREE_LEAF && depth > 0) {
        *ret_slot = *only;
        return TW_OK;
    }
    return write_node(u, path, depth, node, ret_slot);
}

/* One change on a slot without a node below it, if that needs none afterwards either. */
static bool apply_to_leaf(const leaf_change *change, tw_tree_slot *slot)
{
    const bool same =
        slot->kind == TW_TREE_LEAF && tw_hash_equal(&slot->key_hash, &change->key_hash);
    if (change->deleted) {
        if (same) *slot = (tw_tree_slot){0};
        return true;
    }
    if (slot->kind == TW_TREE_LEAF && !same) return false;
    *slot =
        (tw_tree_slot){.kind = TW_TREE_LEAF, .hash = change->leaf, .key_hash = change->key_hash};
    return true;
}

/* The node to work on at this depth: the slot's own, or one that holds just the slot's leaf. */
static tw_status open_node(update *u, const tw_hash *path, unsigned depth, const tw_tree_slot *slot,
                           tw_tree_node **ret_node)
{
    if (u->nodes[depth] == NULL) u->nodes[depth] = TW_NEW(u->lane->scratch, tw_tree_node);
    tw_tree_node *node = u->nodes[depth];
    if (node == NULL) return TW_ERR_MEMORY;
    *ret_node = node;
    if (slot->kind == TW_TREE_INNER) return load(u->tree, u->lane, path, depth, slot, node);
    *node = (tw_tree_node){0};
    if (slot->kind == TW_TREE_LEAF) node->slots[tw_tree_nibble(&slot->key_hash, depth)] = *slot;
    return TW_OK;
}

static tw_status apply(update *u, unsigned depth, size_t start, size_t end, tw_tree_slot *slot);

/* Applies the changes [start, end) to the slots of a node at this depth. */
static tw_status apply_to_node(update *u, unsigned depth, size_t start, size_t end,
                               tw_tree_node *node, bool *changed)
{
    for (size_t at = start; at < end;) {
        const unsigned nibble = tw_tree_nibble(&u->changes[at]->key_hash, depth);
        size_t after = at + 1;
        while (after < end && tw_tree_nibble(&u->changes[after]->key_hash, depth) == nibble) {
            after++;
        }
        tw_tree_slot child = node->slots[nibble];
        TW_TRY(apply(u, depth + 1, at, after, &child));
        if (!tw_tree_slot_equal(&child, &node->slots[nibble])) {
            node->slots[nibble] = child;
            *changed = true;
        }
        at = after;
    }
    return TW_OK;
}

/* Applies the changes [start, end), which all lie under `slot`, `depth` nibbles down: 1 or more. */
static tw_status apply(update *u, unsigned depth, size_t start, size_t end, tw_tree_slot *slot)
{
    assert(start < end && depth > 0);
    const bool has_node = slot->kind == TW_TREE_INNER;
    if (end - start == 1 && !has_node && apply_to_leaf(u->changes[start], slot)) return TW_OK;
    /* Only two changes of the same key get here: the caller broke the contract. */
    if (depth == TW_TREE_DEPTH_MAX) return TW_ERR_INTERNAL;
    const tw_hash *path = &u->changes[start]->key_hash;
    tw_tree_node *node = NULL;
    TW_TRY(open_node(u, path, depth, slot, &node));
    bool changed = false;
    TW_TRY(apply_to_node(u, depth, start, end, node, &changed));
    if (!changed) return TW_OK;
    if (has_node) TW_TRY(retire(u, path, depth, slot));
    return settle(u, path, depth, node, slot);
}

/* What one half does under the root's node, of which it touches its own slots only. */
typedef struct half {
    update *u;
    tw_tree_node *root;
    size_t start, end;
    bool changed;
    tw_status status;
} half;

static void apply_half(void *context)
{
    half *h = context;
    h->status = apply_to_node(h->u, 0, h->start, h->end, h->root, &h->changed);
}

/* All changes, 1 or more, from the root's slot on: each half in its own update. */
static tw_status apply_all(update u[LANES], size_t count, tw_tree_slot *slot)
{
    const tw_hash *path = &u[0].changes[0]->key_hash;
    const bool has_node = slot->kind == TW_TREE_INNER;
    tw_tree_node *root = NULL;
    size_t middle = 0;
    TW_TRY(open_node(&u[0], path, 0, slot, &root));
    while (middle < count && tw_tree_nibble(&u[0].changes[middle]->key_hash, 0) < 8) middle++;
    half low = {.u = &u[0], .root = root, .end = middle};
    half high = {.u = &u[1], .root = root, .start = middle, .end = count};
    do_both(u[0].tree, apply_half, &low, &high, count);
    TW_TRY(low.status);
    TW_TRY(high.status);
    tw_write_raw(&u[0].stale, u[1].stale.data, u[1].stale.size);
    if (u[0].stale.bad) return TW_ERR_MEMORY;
    if (!low.changed && !high.changed) return TW_OK;
    if (has_node) TW_TRY(retire(&u[0], path, 0, slot));
    return settle(&u[0], path, 0, root, slot);
}

/* Puts the new nodes and the record of the old ones into the batch. */
static void emit(const update u[LANES], tw_batch *batch)
{
    for (size_t i = 0; i < (size_t)LANES * TW_TREE_DEPTH_MAX; i++) {
        const written *w = u[i % LANES].first[i / LANES];
        for (; w != NULL; w = w->next) {
            tw_batch_put(batch, TW_TABLE_NODE, tw_bytes_of(w->key, w->key_size),
                         tw_bytes_of(w->bytes, w->size));
        }
    }
    if (u->stale.size == 0) return;
    uint8_t key[8];
    tw_store_u64(key, u->version);
    tw_batch_put(batch, TW_TABLE_STALE, tw_bytes_of(key, sizeof key), tw_writer_bytes(&u->stale));
}

static tw_tree_slot slot_of_root(const tw_tree_root *root)
{
    if (tw_hash_is_zero(&root->hash)) return (tw_tree_slot){0};
    return (tw_tree_slot){.kind = TW_TREE_INNER, .hash = root->hash, .version = root->version};
}

tw_status tw_tree_update(tw_tree *tree, const tw_tree_root *root, uint64_t version,
                         const tw_change *changes, size_t count, tw_batch *batch,
                         tw_tree_root *ret_root)
{
    tw_tree_slot slot = slot_of_root(root);
    if (slot.kind == TW_TREE_INNER && version <= root->version) return TW_ERR_INTERNAL;
    const tw_tree_slot before = slot;
    update u[LANES];
    for (int i = 0; i < LANES; i++) {
        tw_arena_clear(tree->lanes[i].scratch);
        u[i] = (update){.tree = tree, .lane = &tree->lanes[i], .version = version};
        u[i].stale = tw_writer_new(SIZE_MAX / 2);
    }
    tw_status status = prepare(&u[0], changes, count);
    u[1].changes = u[0].changes;
    if (status == TW_OK && count > 0) status = apply_all(u, count, &slot);
    if (status == TW_OK) {
        emit(u, batch);
        const bool same = tw_tree_slot_equal(&before, &slot);
        *ret_root = same ? *root : (tw_tree_root){slot.hash, slot.version};
    }
    for (int i = 0; i < LANES; i++) tw_writer_free(&u[i].stale);
    return status;
}

static void set_nibble(tw_hash *path, unsigned depth, unsigned nibble)
{
    uint8_t *byte = &path->bytes[depth / 2];
    *byte = (uint8_t)(depth % 2 == 0 ? (*byte & 0x0f) | nibble << 4 : (*byte & 0xf0) | nibble);
}

tw_status tw_tree_find(tw_tree *tree, const tw_tree_root *root, const tw_hash *key_hash,
                       tw_tree_way *ret_way)
{
    tw_tree_slot slot = slot_of_root(root);
    tw_tree_node node;
    *ret_way = (tw_tree_way){0};
    for (unsigned depth = 0; slot.kind == TW_TREE_INNER; depth++) {
        if (depth == TW_TREE_DEPTH_MAX) return TW_ERR_CORRUPT;
        TW_TRY(load(tree, &tree->lanes[0], key_hash, depth, &slot, &node));
        const unsigned nibble = tw_tree_nibble(key_hash, depth);
        ret_way->depth += tw_tree_node_way(&node, nibble, ret_way->beside + ret_way->depth, &slot);
    }
    ret_way->leaf = slot.kind == TW_TREE_LEAF;
    ret_way->key_hash = slot.key_hash;
    ret_way->hash = slot.hash;
    return TW_OK;
}

/* The first (or last) leaf under a slot. `path` is that of the slot, and changed. */
static tw_status outermost(tw_tree *tree, tw_hash *path, unsigned depth, tw_tree_slot slot,
                           bool first, tw_hash *ret_key_hash)
{
    tw_tree_node node;
    for (; slot.kind == TW_TREE_INNER; depth++) {
        if (depth == TW_TREE_DEPTH_MAX) return TW_ERR_CORRUPT;
        TW_TRY(load(tree, &tree->lanes[0], path, depth, &slot, &node));
        unsigned nibble = first ? 0 : TW_TREE_FANOUT - 1;
        for (unsigned i = 1; i < TW_TREE_FANOUT; i++) {
            if (node.slots[nibble].kind != TW_TREE_EMPTY) break;
            nibble += first ? 1u : -1u;
        }
        slot = node.slots[nibble];
        set_nibble(path, depth, nibble);
    }
    *ret_key_hash = slot.key_hash;
    return slot.kind == TW_TREE_LEAF ? TW_OK : TW_ERR_CORRUPT;
}

/* Down the way of the key hash; the nearest neighbour hangs off the deepest node that has one. */
tw_status tw_tree_near(tw_tree *tree, const tw_tree_root *root, const tw_hash *key_hash, bool above,
                       tw_hash *ret_key_hash, bool *ret_found)
{
    tw_tree_slot slot = slot_of_root(root);
    tw_tree_slot best = {0};
    tw_tree_node node;
    tw_hash path = *key_hash;
    unsigned best_depth = 0;
    for (unsigned depth = 0; slot.kind == TW_TREE_INNER; depth++) {
        if (depth == TW_TREE_DEPTH_MAX) return TW_ERR_CORRUPT;
        TW_TRY(load(tree, &tree->lanes[0], key_hash, depth, &slot, &node));
        const int own = (int)tw_tree_nibble(key_hash, depth);
        const int step = above ? 1 : -1;
        for (int n = own + step; n >= 0 && n < TW_TREE_FANOUT; n += step) {
            if (node.slots[n].kind == TW_TREE_EMPTY) continue;
            best = node.slots[n];
            best_depth = depth + 1;
            path = *key_hash;
            set_nibble(&path, depth, (unsigned)n);
            break;
        }
        slot = node.slots[own];
    }
    if (slot.kind == TW_TREE_LEAF) {
        const int order = memcmp(slot.key_hash.bytes, key_hash->bytes, TW_HASH_SIZE);
        if (above ? order > 0 : order < 0) best = slot;
    }
    *ret_found = best.kind != TW_TREE_EMPTY;
    return *ret_found ? outermost(tree, &path, best_depth, best, above, ret_key_hash) : TW_OK;
}

tw_status tw_tree_check_root(tw_tree *tree, const tw_tree_root *root)
{
    if (tw_hash_is_zero(&root->hash)) return TW_OK;
    tw_tree_node node;
    tw_bytes bytes = {NULL, 0};
    TW_TRY(load_stored(tree, &tree->lanes[0], &root->hash, 0, root->version, &node, &bytes));
    const tw_hash hash = tw_tree_node_hash(&node);
    return tw_hash_equal(&hash, &root->hash) ? TW_OK : TW_ERR_CORRUPT;
}

tw_status tw_tree_prune(tw_tree *tree, uint64_t version, tw_batch *batch)
{
    uint8_t key[8];
    tw_store_u64(key, version);
    tw_bytes stale = {NULL, 0};
    bool found = false;
    tw_arena_clear(tree->lanes[0].scratch);
    TW_TRY(tw_store_get(tree->store, TW_TABLE_STALE, tw_bytes_of(key, sizeof key),
                        tree->lanes[0].scratch, &stale, &found));
    if (!found) return TW_OK;
    while (stale.size > 0) {
        const size_t size = tw_tree_node_key_size(stale);
        if (size == 0) return TW_ERR_CORRUPT;
        tw_batch_delete(batch, TW_TABLE_NODE, tw_bytes_of(stale.data, size));
        stale = tw_bytes_of(stale.data + size, stale.size - size);
    }
    tw_batch_delete(batch, TW_TABLE_STALE, tw_bytes_of(key, sizeof key));
    return TW_OK;
}
