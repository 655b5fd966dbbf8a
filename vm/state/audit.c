/* audit -- see the header.
 *
 * Whether all is whole is told by reading the tables from end to end (audit_whole.c). Only when it
 * is not, each thing is looked up, to say where: key hashes and leaves of the state are collected
 * in parts that fit into memory (a part is a range of key hashes), sorted, and go three ways: into
 * the root, beside the leaves of the stored tree, and beside PRE, whose rows have the same order.
 * The past is looked at value by value: each must hang in the tree of its height.
 */
#include "vm/state/audit.h"

#include "vm/state/audit_leaf.h"
#include "vm/state/audit_whole.h"
#include "vm/state/past.h"
#include "vm/state/tree_node.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    SENTENCE_SIZE = 480,
    NAME_SIZE = 80,
    STEP = 1 << 16,
    TREE_MEMORY_MAX = 64 * 1024 * 1024,
};

#define AGAIN                                                                                      \
    "twvm replay --to DIR2 makes it again from the blocks, twvm snapshot load from a snapshot"

/* One part of the state. */
typedef struct part {
    tw_audit *audit;
    unsigned bits; /* how many first bits of a key hash name the part */
    uint32_t number;
    tw_audit_leaf *leaves, *spare;
    size_t count, capacity;
    size_t at; /* the next that the stored tree must have */
    uint64_t reached;
} part;

void tw_audit_say(tw_audit *a, const char *format, ...)
{
    char text[SENTENCE_SIZE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    a->problems++;
    a->found(a->context, text);
}

tw_status tw_audit_end(tw_audit *a, const char *what, tw_status status)
{
    if (status == TW_OK || status == TW_ERR_MEMORY) return status;
    const char *why = tw_store_failure(a->store);
    tw_audit_say(a, "%s: cannot be read to the end (%s); put back a copy of the folder", what,
                 why[0] != '\0' ? why : tw_status_text(status));
    return TW_OK;
}

void tw_audit_step(const tw_audit *a, const char *what, uint64_t done)
{
    if (a->progress != NULL && done % STEP == 0) a->progress(a->context, what, done);
}

static tw_bytes hash_bytes(const tw_hash *hash)
{
    return tw_bytes_of(hash->bytes, TW_HASH_SIZE);
}

/* The beginning of some bytes in hex. */
static const char *name_of(tw_bytes bytes, char ret_text[NAME_SIZE])
{
    const size_t most = (NAME_SIZE - 4) / 2;
    const size_t size = bytes.size < most ? bytes.size : most;
    tw_hex_encode(bytes.data, size, ret_text);
    if (size < bytes.size) memcpy(ret_text + 2 * size, "...", 4);
    return ret_text;
}

/* ---- the hashes of the state ---- */

static tw_status count_keys(tw_audit *a)
{
    tw_iter *iter = NULL;
    a->keys = 0;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_STATE, &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, NULL, NULL); status = tw_iter_next(iter)) {
        a->keys++;
    }
    tw_iter_close(iter);
    return status;
}

static tw_status read_part(part *p)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    uint64_t done = 0;
    p->count = 0;
    p->at = 0;
    TW_TRY(tw_iter_open_scan(p->audit->store, TW_TABLE_STATE, &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, &key, &value); status = tw_iter_next(iter)) {
        const tw_audit_leaf l = tw_audit_leaf_of(key, value);
        tw_audit_step(p->audit, "state", ++done);
        if (tw_audit_part(&l.key_hash, p->bits) != p->number) continue;
        if (p->count == p->capacity) {
            status = TW_ERR_MEMORY; /* SHA-256 spreads keys evenly: far more than a part's share */
            break;
        }
        p->leaves[p->count++] = l;
    }
    tw_iter_close(iter);
    if (status == TW_OK) tw_audit_sort(&p->leaves, &p->spare, p->count);
    return status;
}

/* ---- the stored tree beside it ---- */

/* The leaves of the state before `until` (NULL: all that are left) have no leaf in the tree. */
static void missing_leaves(part *p, const tw_hash *until)
{
    char name[NAME_SIZE];
    for (; p->at < p->count; p->at++) {
        const tw_hash *hash = &p->leaves[p->at].key_hash;
        if (until != NULL && memcmp(hash->bytes, until->bytes, TW_HASH_SIZE) >= 0) return;
        tw_audit_say(p->audit,
                     "STATE: the key with hash %s is not in the tree under the root; " AGAIN,
                     name_of(hash_bytes(hash), name));
    }
}

static void meet_leaf(part *p, const tw_tree_slot *slot)
{
    char name[NAME_SIZE];
    if (tw_audit_part(&slot->key_hash, p->bits) != p->number) return;
    missing_leaves(p, &slot->key_hash);
    const bool there =
        p->at < p->count && tw_hash_equal(&p->leaves[p->at].key_hash, &slot->key_hash);
    name_of(hash_bytes(&slot->key_hash), name);
    if (!there) {
        tw_audit_say(p->audit, "STATE: the key with hash %s is in the tree and not there; " AGAIN,
                     name);
        return;
    }
    if (!tw_hash_equal(&p->leaves[p->at].hash, &slot->hash)) {
        tw_audit_say(p->audit,
                     "STATE: the key with hash %s has another value than in the tree; " AGAIN,
                     name);
    }
    p->at++;
}

static void set_nibble(tw_hash *path, unsigned depth, unsigned nibble)
{
    uint8_t *byte = &path->bytes[depth / 2];
    *byte = (uint8_t)(depth % 2 == 0 ? (*byte & 0x0f) | nibble << 4 : (*byte & 0xf0) | nibble);
}

/* Reads a node and compares it with what its parent says. False: its leaves can't be known. */
static tw_status read_node(part *p, const tw_hash *path, unsigned depth, const tw_tree_slot *slot,
                           tw_tree_node *ret_node, bool *ret_good)
{
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    char name[NAME_SIZE];
    tw_audit *a = p->audit;
    tw_bytes bytes = {NULL, 0};
    bool found = false;
    const size_t size = tw_tree_node_key(slot->version, path, depth, key);
    const bool mine = tw_audit_part(path, p->bits) == p->number; /* else another part tells */
    const tw_mark mark = tw_arena_mark(a->arena);
    TW_TRY(tw_store_get(a->store, TW_TABLE_NODE, tw_bytes_of(key, size), a->arena, &bytes, &found));
    *ret_good = found && tw_tree_node_decode(bytes, slot->version, ret_node);
    tw_arena_reset(a->arena, mark);
    name_of(tw_bytes_of(key, size), name);
    if (mine) tw_audit_step(a, "tree", ++p->reached);
    if (!*ret_good) {
        if (mine) {
            tw_audit_say(a, "NODE %s: %s; " AGAIN, name,
                         found ? "its checksum or form is wrong" : "is missing");
        }
        return TW_OK;
    }
    const tw_hash hash = tw_tree_node_hash(ret_node);
    if (mine && !tw_hash_equal(&hash, &slot->hash)) {
        tw_audit_say(a, "NODE %s: has another hash than the node above it says; " AGAIN, name);
    }
    return TW_OK;
}

/* The leaves of the part that hang under a damaged node are passed over. */
static void pass_over(part *p, const tw_hash *path, unsigned depth)
{
    missing_leaves(p, path);
    for (; p->at < p->count; p->at++) {
        for (unsigned d = 0; d < depth; d++) {
            if (tw_tree_nibble(&p->leaves[p->at].key_hash, d) != tw_tree_nibble(path, d)) return;
        }
    }
}

/* Whether some key hash of the part begins with the first `depth` nibbles of `path`. */
static bool meets_part(const part *p, const tw_hash *path, unsigned depth)
{
    const unsigned bits = 4 * depth < p->bits ? 4 * depth : p->bits;
    return tw_audit_part(path, bits) == p->number >> (p->bits - bits);
}

/* In order of the key hashes; as deep as the tree, at most 64. `path` is zero behind `depth`. */
static tw_status walk(part *p, tw_hash *path, unsigned depth, const tw_tree_slot *slot)
{
    tw_tree_node node;
    bool good = false;
    if (depth == TW_TREE_DEPTH_MAX) return TW_OK; /* its parent has the wrong hash, and was named */
    TW_TRY(read_node(p, path, depth, slot, &node, &good));
    if (!good) {
        pass_over(p, path, depth);
        return TW_OK;
    }
    for (unsigned i = 0; i < TW_TREE_FANOUT; i++) {
        if (node.slots[i].kind == TW_TREE_LEAF) meet_leaf(p, &node.slots[i]);
        if (node.slots[i].kind != TW_TREE_INNER) continue;
        set_nibble(path, depth, i);
        if (meets_part(p, path, depth + 1)) TW_TRY(walk(p, path, depth + 1, &node.slots[i]));
        set_nibble(path, depth, 0);
    }
    return TW_OK;
}

static tw_status compare_tree(part *p)
{
    const tw_head *head = &p->audit->head;
    tw_hash path = {{0}};
    if (!tw_hash_is_zero(&head->root.hash)) {
        const tw_tree_slot root = {
            .kind = TW_TREE_INNER, .hash = head->root.hash, .version = head->root.version};
        TW_TRY(walk(p, &path, 0, &root));
    }
    missing_leaves(p, NULL);
    return TW_OK;
}

/* ---- PRE beside it ---- */

/* A name without a key in the state must have been one in the past that is kept. */
static tw_status name_of_the_past(tw_audit *a, tw_iter *hist, tw_bytes key)
{
    char name[NAME_SIZE];
    uint64_t height = 0;
    bool found = false;
    TW_TRY(tw_past_record(hist, key, 0, &height, &found));
    if (!found) {
        tw_audit_say(a, "PRE: names the key %s, which never was; it only takes space",
                     name_of(key, name));
    }
    return TW_OK;
}

static tw_status compare_name(part *p, tw_iter *hist, tw_bytes row, tw_bytes name_row, size_t *at)
{
    char name[NAME_SIZE];
    tw_hash row_hash;
    const tw_hash hash = tw_sha256(name_row.data, name_row.size);
    if (row.size != TW_HASH_SIZE || !tw_bytes_equal(row, hash_bytes(&hash))) {
        tw_audit_say(p->audit, "PRE %s: the key there has another hash; " AGAIN,
                     name_of(row, name));
        if (row.size != TW_HASH_SIZE) return TW_OK;
    }
    memcpy(row_hash.bytes, row.data, TW_HASH_SIZE);
    if (tw_audit_part(&row_hash, p->bits) != p->number) return TW_OK;
    int order = -1;
    for (; *at < p->count; (*at)++) {
        order = memcmp(p->leaves[*at].key_hash.bytes, row_hash.bytes, TW_HASH_SIZE);
        if (order >= 0) break;
        tw_audit_say(p->audit, "PRE %s: a key of the state has no name; " AGAIN,
                     name_of(hash_bytes(&p->leaves[*at].key_hash), name));
    }
    if (*at == p->count || order > 0) return name_of_the_past(p->audit, hist, name_row);
    (*at)++;
    return TW_OK;
}

static tw_status compare_names(part *p)
{
    tw_iter *iter = NULL;
    tw_iter *hist = NULL;
    tw_bytes row = {NULL, 0};
    tw_bytes key = {NULL, 0};
    size_t at = 0;
    TW_TRY(tw_iter_open(p->audit->store, TW_TABLE_HIST, tw_bytes_of(NULL, 0), &hist));
    tw_status status = tw_iter_open_scan(p->audit->store, TW_TABLE_PRE, &iter);
    if (status == TW_OK) status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, &row, &key);) {
        status = compare_name(p, hist, row, key, &at);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    for (; status == TW_OK && at < p->count; at++) {
        char name[NAME_SIZE];
        tw_audit_say(p->audit, "PRE %s: a key of the state has no name; " AGAIN,
                     name_of(hash_bytes(&p->leaves[at].key_hash), name));
    }
    tw_iter_close(iter);
    tw_iter_close(hist);
    return status;
}

/* ---- the state, part by part ---- */

/* `sums` are those of the parts; joined in place. */
static void check_root(tw_audit *a, tw_audit_sum *sums, size_t count)
{
    char wanted[NAME_SIZE], computed[NAME_SIZE];
    const tw_hash root = tw_audit_join(sums, count);
    if (tw_hash_equal(&root, &a->head.root.hash)) return;
    tw_audit_say(a, "STATE: its keys and values have the root %s, and the head says %s; " AGAIN,
                 name_of(hash_bytes(&root), computed),
                 name_of(hash_bytes(&a->head.root.hash), wanted));
}

static tw_status check_part(part *p, tw_audit_sum *ret_sum)
{
    TW_TRY(read_part(p));
    *ret_sum = tw_audit_sum_of(p->leaves, p->count, p->bits);
    TW_TRY(tw_audit_end(p->audit, "NODE", compare_tree(p)));
    return tw_audit_end(p->audit, "PRE", compare_names(p));
}

static tw_status check_state(tw_audit *a, uint64_t *ret_reached)
{
    part p = {.audit = a};
    TW_TRY(count_keys(a));
    /* half as much again as a part's share, for parts are not quite alike */
    while (p.bits < TW_AUDIT_PART_BITS_MAX &&
           (a->keys >> p.bits) * 3 / 2 > a->memory_max / (2 * sizeof(tw_audit_leaf))) {
        p.bits++;
    }
    const size_t parts = (size_t)1 << p.bits;
    p.capacity = p.bits == 0 ? (size_t)a->keys : (size_t)(a->keys >> p.bits) * 3 / 2 + 1024;
    tw_audit_leaf *memory = tw_mem_new(2 * (p.capacity + 1) * sizeof(tw_audit_leaf));
    tw_audit_sum *sums = tw_mem_new(parts * sizeof(tw_audit_sum));
    p.leaves = memory;
    tw_status status = memory != NULL && sums != NULL ? TW_OK : TW_ERR_MEMORY;
    if (status == TW_OK) p.spare = memory + p.capacity + 1;
    for (; p.number < parts && status == TW_OK; p.number++) {
        status = check_part(&p, &sums[p.number]);
    }
    if (status == TW_OK) check_root(a, sums, parts);
    *ret_reached = p.reached;
    tw_mem_free(memory);
    tw_mem_free(sums);
    return status;
}

/* ---- what was superseded ---- */

static tw_status has_row(tw_audit *a, tw_table table, tw_bytes key, bool *ret_found)
{
    tw_bytes value = {NULL, 0};
    const tw_mark mark = tw_arena_mark(a->arena);
    TW_TRY(tw_store_get(a->store, table, key, a->arena, &value, ret_found));
    tw_arena_reset(a->arena, mark);
    return TW_OK;
}

/* The nodes that block `height` superseded. */
static tw_status check_stale_nodes(tw_audit *a, uint64_t height, tw_bytes list, uint64_t *count)
{
    char name[NAME_SIZE];
    while (list.size > 0) {
        bool found = false;
        const size_t size = tw_tree_node_key_size(list);
        if (size == 0 || tw_load_u64(list.data) >= height) {
            tw_audit_say(a, "STALE %llu: the list of nodes is damaged; " AGAIN,
                         (unsigned long long)height);
            return TW_OK;
        }
        const tw_bytes key = tw_bytes_of(list.data, size);
        TW_TRY(has_row(a, TW_TABLE_NODE, key, &found));
        if (!found) {
            tw_audit_say(a, "NODE %s: is missing, for the state before block %llu; " AGAIN,
                         name_of(key, name), (unsigned long long)height);
        }
        (*count) += found;
        list = tw_bytes_of(list.data + size, list.size - size);
    }
    return TW_OK;
}

/* The keys that block `height` changed, each with its value before. */
static tw_status check_stale_keys(tw_audit *a, tw_iter *hist, uint64_t height, tw_bytes list,
                                  uint64_t *count)
{
    char name[NAME_SIZE];
    tw_reader r = tw_reader_of(list);
    while (tw_reader_left(&r) > 0) {
        uint64_t last = 0;
        bool found = false;
        const tw_bytes key = tw_read_short(&r, TW_STORE_KEY_MAX);
        if (r.bad || key.size == 0 || height == 0) {
            tw_audit_say(a, "STALE %llu: the list of keys is damaged; " AGAIN,
                         (unsigned long long)height);
            return TW_OK;
        }
        TW_TRY(tw_past_record(hist, key, height - 1, &last, &found));
        if (!found || last != height - 1) {
            tw_audit_say(a, "HIST: the value of key %s before block %llu is missing; " AGAIN,
                         name_of(key, name), (unsigned long long)height);
            continue;
        }
        (*count)++;
    }
    return TW_OK;
}

static tw_status check_stale(tw_audit *a, const tw_audit_doubts *d, uint64_t *ret_nodes,
                             uint64_t *ret_values)
{
    tw_iter *iter = NULL;
    tw_iter *hist = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes list = {NULL, 0};
    TW_TRY(tw_iter_open(a->store, TW_TABLE_HIST, tw_bytes_of(NULL, 0), &hist));
    tw_status status = tw_iter_open_scan(a->store, TW_TABLE_STALE, &iter);
    if (status == TW_OK) status = tw_iter_first(iter);
    while (status == TW_OK && tw_iter_here(iter, &key, &list)) {
        const uint64_t height = key.size >= 8 ? tw_load_u64(key.data) : 0;
        const bool keys = key.size == 9 && key.data[8] == 1;
        if ((key.size != 8 && !keys) || height <= a->oldest || height > a->head.height) {
            char name[NAME_SIZE];
            tw_audit_say(a, "STALE %s: belongs to no block that is kept; " AGAIN,
                         name_of(key, name));
        } else if (keys && d->past) {
            status = check_stale_keys(a, hist, height, list, ret_values);
        } else if (!keys && d->nodes) {
            status = check_stale_nodes(a, height, list, ret_nodes);
        }
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    tw_iter_close(hist);
    return status;
}

/* Every node there is: its checksum, and that it is of the tree or was. */
static tw_status check_nodes(tw_audit *a, uint64_t known)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    tw_tree_node node;
    char name[NAME_SIZE];
    a->nodes = 0;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_NODE, &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, &key, &value); status = tw_iter_next(iter)) {
        const bool good = key.size > 8 && tw_tree_node_key_size(key) == key.size &&
                          tw_tree_node_decode(value, tw_load_u64(key.data), &node);
        tw_audit_step(a, "nodes", ++a->nodes);
        if (good) continue;
        tw_audit_say(a, "NODE %s: its checksum or form is wrong; " AGAIN, name_of(key, name));
    }
    tw_iter_close(iter);
    if (status == TW_OK && a->nodes > known) {
        tw_audit_say(a, "NODE: %llu nodes belong to no state that is kept; they only take space",
                     (unsigned long long)(a->nodes - known));
    }
    return status;
}

/* ---- the past ---- */

/* The value must hang in the tree of its last height; of a key that is in no doubt it does. */
static tw_status check_value(tw_audit *a, tw_tree *tree, const tw_audit_doubts *d, tw_bytes row,
                             tw_bytes record)
{
    uint8_t memory[TW_STORE_KEY_MAX];
    char name[NAME_SIZE];
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    uint64_t height = 0;
    tw_tree_root root;
    tw_tree_way way;
    bool found = false;
    if (!tw_past_read(row, record, memory, &key, &height, &value) || height >= a->head.height ||
        height < a->oldest) {
        tw_audit_say(a, "HIST %s: is no value of a block that is kept; " AGAIN, name_of(row, name));
        return TW_OK;
    }
    const tw_audit_leaf l = tw_audit_leaf_of(key, value);
    if (!d->values[tw_audit_part(&l.key_hash, TW_AUDIT_GROUP_BITS)]) return TW_OK;
    tw_status status = tw_root_read(a->store, height, a->arena, &root, &found);
    if (status == TW_ERR_CORRUPT || (status == TW_OK && !found)) return TW_OK; /* was named */
    if (status == TW_OK) status = tw_tree_find(tree, &root, &l.key_hash, &way);
    if (status == TW_ERR_CORRUPT) return TW_OK; /* the node is named */
    TW_TRY(status);
    const bool there = way.leaf && tw_hash_equal(&way.key_hash, &l.key_hash);
    if (there == (value.size > 0) && (!there || tw_hash_equal(&way.hash, &l.hash))) return TW_OK;
    tw_audit_say(a, "HIST: the key %s had another value at block %llu, by its root; " AGAIN,
                 name_of(key, name), (unsigned long long)height);
    return TW_OK;
}

/* `known`: how many the lists of keys name; looked at when that is in doubt. */
static tw_status check_values(tw_audit *a, tw_tree *tree, const tw_audit_doubts *d, uint64_t known)
{
    tw_iter *iter = NULL;
    tw_bytes row = {NULL, 0};
    tw_bytes record = {NULL, 0};
    a->values = 0;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_HIST, &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && tw_iter_here(iter, &row, &record)) {
        tw_audit_step(a, "history", ++a->values);
        status = check_value(a, tree, d, row, record);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    if (status == TW_OK && d->past && a->values > known) {
        tw_audit_say(a, "HIST: %llu values belong to no block that is kept; " AGAIN,
                     (unsigned long long)(a->values - known));
    }
    return status;
}

/* ---- the roots ---- */

/* No row for the heights from `from` to before `to`. */
static void missing_roots(tw_audit *a, uint64_t from, uint64_t to)
{
    if (to - from == 1) {
        tw_audit_say(a, "META root/%llu: is missing; " AGAIN, (unsigned long long)from);
    } else if (to > from) {
        tw_audit_say(a, "META root/%llu to root/%llu: are missing; " AGAIN,
                     (unsigned long long)from, (unsigned long long)(to - 1));
    }
}

/* A row of META that is to be the root of height *at, or of one behind it. */
static tw_status check_root_row(tw_audit *a, tw_tree *tree, tw_bytes key, tw_bytes bytes,
                                uint64_t *at, tw_tree_root *root)
{
    char name[NAME_SIZE];
    const size_t prefix = tw_root_prefix().size;
    const uint64_t height = key.size == prefix + 8 ? tw_load_u64(key.data + prefix) : 0;
    uint64_t read = 0;
    if (key.size != prefix + 8 || height > a->head.height) {
        tw_audit_say(a, "META %s: is the root of no block; " AGAIN, name_of(key, name));
        return TW_OK;
    }
    missing_roots(a, *at, height);
    *at = height + 1;
    if (!tw_root_decode(key, bytes, &read, root)) {
        tw_audit_say(a, "META root/%llu: is damaged; " AGAIN, (unsigned long long)height);
        return TW_OK;
    }
    const tw_status node = tw_tree_check_root(tree, root);
    if (node == TW_ERR_CORRUPT) {
        tw_audit_say(a, "META root/%llu: its node is missing or another one; " AGAIN,
                     (unsigned long long)height);
    }
    return node == TW_ERR_CORRUPT ? TW_OK : node;
}

static tw_status check_roots(tw_audit *a, tw_tree *tree)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes bytes = {NULL, 0};
    tw_tree_root root = {0};
    uint64_t at = a->oldest;
    TW_TRY(tw_iter_open(a->store, TW_TABLE_META, tw_root_prefix(), &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && tw_iter_here(iter, &key, &bytes)) {
        status = check_root_row(a, tree, key, bytes, &at, &root);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    TW_TRY(status);
    if (at <= a->head.height) missing_roots(a, at, a->head.height + 1);
    if (!tw_hash_equal(&root.hash, &a->head.root.hash) || root.version != a->head.root.version) {
        tw_audit_say(a, "META: the head and the newest root do not agree; " AGAIN);
    }
    return TW_OK;
}

/* Looks up what is in doubt. */
static tw_status look_up(tw_audit *a, tw_tree *tree, const tw_audit_doubts *d)
{
    uint64_t reached = 0;
    uint64_t stale = 0;
    uint64_t values = 0;
    TW_TRY(tw_audit_end(a, "META", tw_root_oldest(a->store, &a->oldest)));
    TW_TRY(tw_audit_end(a, "META", check_roots(a, tree)));
    if (d->keys || d->nodes) TW_TRY(tw_audit_end(a, "STATE", check_state(a, &reached)));
    TW_TRY(tw_audit_end(a, "STALE", check_stale(a, d, &stale, &values)));
    if (d->nodes) TW_TRY(tw_audit_end(a, "NODE", check_nodes(a, reached + stale)));
    return tw_audit_end(a, "HIST", check_values(a, tree, d, values));
}

static tw_status name_problems(tw_audit *a, tw_audit_doubts *d)
{
    if (d->all) {
        d->keys = d->nodes = d->past = true;
        memset(d->values, true, sizeof d->values);
    }
    tw_tree *tree = tw_tree_new(a->store, TREE_MEMORY_MAX);
    const tw_status status = tree != NULL ? look_up(a, tree, d) : TW_ERR_MEMORY;
    tw_tree_free(tree);
    return status;
}

/* Two sums may differ by chance where nothing is wrong (two names with one hash), once in some
 * 10^10 runs: a problem that cannot be named is asked for again. */
static tw_status check_all(tw_audit *a)
{
    const uint64_t before = a->problems;
    tw_audit_doubts doubts;
    TW_TRY(tw_audit_whole(a, &doubts));
    if (!doubts.any) return TW_OK;
    TW_TRY(name_problems(a, &doubts));
    if (a->problems > before) return TW_OK;
    TW_TRY(tw_audit_whole(a, &doubts));
    if (doubts.any) {
        tw_audit_say(a, "NODE: nodes of the past do not fit each other, HIST or STALE; " AGAIN);
    }
    return TW_OK;
}

tw_status tw_audit_state(tw_audit *a)
{
    tw_err err = {0};
    tw_status status = tw_head_read(a->store, a->arena, &a->head, &err);
    if (status == TW_OK && tw_head_check(a->store, &a->head, &err) != TW_OK) {
        tw_audit_say(a, "META head: %s", err.text);
    }
    if (status == TW_OK && !a->head.exists) {
        status = tw_err_set(&err, TW_REFUSED_NOT_FOUND,
                            "there is no head; put back a copy of the "
                            "folder");
    }
    if (status == TW_OK) status = check_all(a);
    if (status == TW_OK || status == TW_ERR_MEMORY) return status;
    tw_audit_say(a, "META head: %s", err.text);
    return TW_OK;
}
