/* snapshot -- see the header.
 *
 * Making goes over PRE, which has the names of keys in the order of their hashes, and asks the
 * state for each; nothing is believed: every chunk must give the root with the borders that the
 * tree says, and all leaves together must give it too. Loading does the same with what the file
 * says, and the tree it builds on the way is the one that is stored.
 */
#include "vm/ledger/snapshot.h"

#include "vm/ledger/node.h"
#include "vm/state/tree_build.h"

#include <assert.h>
#include <string.h>

enum {
    FORMAT = 1,
    PAIR_SIZE_MIN = 2 + 1 + 4 + 1, /* neither keys nor values are empty */
    PAIRS_MAX = TW_SNAPSHOT_PAIRS_SIZE / PAIR_SIZE_MIN,
    PAIR_MEMORY = 2 * TW_STORE_VALUE_MAX,
    TREE_MEMORY = 16 * 1024 * 1024,
    BATCH_MEMORY = 64 * 1024 * 1024, /* of a chunk: pairs, names of keys, nodes */
};

static_assert((int)TW_SNAPSHOT_HEAD_SIZE == 5 + (int)TW_HEADER_SIZE + (int)TW_HASH_SIZE, "");
static_assert((int)TW_SNAPSHOT_CHUNK_MAX ==
                  4 + (int)TW_RANGE_SIZE_MAX + 4 + (int)TW_SNAPSHOT_PAIR_MAX,
              "number, range, count and the longest pair");

static const uint8_t magic[4] = {'T', 'W', 'S', 'S'};

static size_t pair_size(tw_bytes key, tw_bytes value)
{
    return 2 + key.size + 4 + value.size;
}

static tw_hash head_hash(const uint8_t *head)
{
    const tw_bytes bytes = tw_bytes_of(head, TW_SNAPSHOT_HEAD_SIZE - TW_HASH_SIZE);
    return tw_hash_tagged("twvm/snapshot", &bytes, 1);
}

/* ---- making ---- */

typedef struct saving {
    tw_ledger *ledger;
    tw_tree_root root;
    tw_snapshot_sink sink;
    void *context;
    tw_snapshot_info *info;
    tw_tree *tree;
    tw_tree_build *build; /* for the root of all leaves */
    tw_arena *arena;      /* of one pair */
    tw_writer before;     /* what stands before the pairs of a chunk */
    tw_writer pairs;
    tw_leaf leaves[PAIRS_MAX];
    size_t count;
    tw_range range;
} saving;

static tw_status give(saving *s, tw_bytes bytes)
{
    TW_TRY(s->sink(s->context, bytes));
    s->info->size += bytes.size;
    return TW_OK;
}

static tw_status save_head(saving *s)
{
    uint8_t head[TW_SNAPSHOT_HEAD_SIZE];
    memcpy(head, magic, sizeof magic);
    head[sizeof magic] = FORMAT;
    tw_node_header(&s->info->block, head + sizeof magic + 1);
    const tw_hash hash = head_hash(head);
    memcpy(head + sizeof head - TW_HASH_SIZE, hash.bytes, TW_HASH_SIZE);
    return give(s, tw_bytes_of(head, sizeof head));
}

static tw_status save_chunk(saving *s)
{
    tw_hash root;
    TW_TRY(tw_range_find(s->tree, &s->root, &s->leaves[0], &s->leaves[s->count - 1], &s->range));
    if (!tw_range_root(&s->range, s->leaves, s->count, &root) ||
        !tw_hash_equal(&root, &s->root.hash)) {
        return TW_ERR_CORRUPT;
    }
    tw_writer_clear(&s->before);
    tw_write_u32(&s->before, 0);
    tw_write_u32(&s->before, (uint32_t)s->info->chunks);
    tw_range_encode(&s->range, &s->before);
    tw_write_u32(&s->before, (uint32_t)s->count);
    if (s->before.bad || s->pairs.bad) return TW_ERR_MEMORY;
    tw_store_u32(s->before.data, (uint32_t)(s->before.size - 4 + s->pairs.size));
    TW_TRY(give(s, tw_writer_bytes(&s->before)));
    TW_TRY(give(s, tw_writer_bytes(&s->pairs)));
    s->info->chunks++;
    s->info->keys += s->count;
    s->count = 0;
    tw_writer_clear(&s->pairs);
    return TW_OK;
}

static tw_status save_pair(saving *s, tw_bytes key, tw_bytes value)
{
    if (s->count > 0 && s->pairs.size + pair_size(key, value) > TW_SNAPSHOT_PAIRS_SIZE) {
        TW_TRY(save_chunk(s));
    }
    if (value.size == 0 || value.size > TW_STORE_VALUE_MAX) return TW_ERR_CORRUPT;
    assert(s->count < PAIRS_MAX);
    tw_leaf *leaf = &s->leaves[s->count++];
    leaf->key_hash = tw_sha256(key.data, key.size);
    leaf->hash = tw_tree_leaf(&leaf->key_hash, value);
    tw_write_short(&s->pairs, key);
    tw_write_long(&s->pairs, value);
    /* out of order: a name that stands in the place of another */
    return tw_tree_build_add(s->build, leaf, NULL) == TW_OK ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status save_pairs(saving *s, tw_iter *names)
{
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    tw_status status = tw_iter_first(names);
    while (status == TW_OK && tw_iter_here(names, NULL, &key)) {
        bool found = false;
        if (key.size == 0 || key.size > TW_STORE_KEY_MAX) return TW_ERR_CORRUPT;
        tw_arena_clear(s->arena);
        TW_TRY(tw_store_get(s->ledger->store, TW_TABLE_STATE, key, s->arena, &value, &found));
        if (found) TW_TRY(save_pair(s, key, value)); /* else it was there at another height */
        status = tw_iter_next(names);
    }
    return status;
}

static tw_status save_all(saving *s)
{
    tw_iter *names = NULL;
    tw_tree_root root;
    s->tree = tw_tree_new(s->ledger->store, TREE_MEMORY);
    s->build = tw_tree_build_new(0);
    s->arena = tw_arena_new(PAIR_MEMORY);
    if (s->tree == NULL || s->build == NULL || s->arena == NULL) return TW_ERR_MEMORY;
    TW_TRY(save_head(s));
    TW_TRY(tw_iter_open(s->ledger->store, TW_TABLE_PRE, tw_bytes_of(NULL, 0), &names));
    const tw_status status = save_pairs(s, names);
    tw_iter_close(names);
    TW_TRY(status);
    tw_tree_build_end(s->build, NULL, &root);
    if (s->count == 0 || !tw_hash_equal(&root.hash, &s->root.hash)) return TW_ERR_CORRUPT;
    return save_chunk(s);
}

tw_status tw_snapshot_save(tw_ledger *l, tw_snapshot_sink sink, void *context,
                           tw_snapshot_info *ret_info, tw_err *err)
{
    assert(!l->open);
    TW_TRY(tw_ledger_settle(l, err));
    saving *s = tw_mem_new(sizeof *s);
    if (s == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the snapshot");
    *ret_info = (tw_snapshot_info){.block = l->head};
    s->ledger = l;
    s->root = l->commit != NULL ? tw_commit_head(l->commit)->root : l->root;
    s->sink = sink;
    s->context = context;
    s->info = ret_info;
    s->before = tw_writer_new(TW_SNAPSHOT_CHUNK_MAX);
    s->pairs = tw_writer_new(TW_SNAPSHOT_CHUNK_MAX);
    const tw_status status = save_all(s);
    tw_tree_free(s->tree);
    tw_tree_build_free(s->build);
    tw_arena_free(s->arena);
    tw_writer_free(&s->before);
    tw_writer_free(&s->pairs);
    tw_mem_free(s);
    if (status != TW_ERR_CORRUPT && status != TW_ERR_MEMORY) return status;
    return tw_err_set(err, status, "the state after block %llu cannot be written down: %s",
                      (unsigned long long)l->head.height, tw_status_text(status));
}

/* ---- loading ---- */

struct tw_snapshot {
    tw_store *store;
    tw_commit *commit;
    tw_batch *batch;
    tw_tree_build *build;
    tw_tree_root root; /* of what was built, once whole */
    tw_snapshot_info info;
    bool whole;        /* the last chunk is in */
    size_t pairs_size; /* of the chunk before, and of the one at hand */
    size_t pairs_now;
    tw_hash last; /* key hash of its last leaf */
    tw_leaf leaves[PAIRS_MAX];
    tw_range range;
};

/* Heights and times of blocks after this one can be counted. With a root alone they are whatever
 * the file says. */
static bool can_go_on(const tw_block_info *info)
{
    return info->height < (uint64_t)1 << 62 && info->time >= 0 &&
           info->time < (int64_t)1 << TW_RANGE_BITS;
}

static tw_status check_head(tw_bytes head, const tw_hash *root, const tw_hash *block,
                            tw_block_info *ret_info, tw_err *err)
{
    char is[2 * TW_HASH_SIZE + 1], wanted[2 * TW_HASH_SIZE + 1];
    if (head.size != TW_SNAPSHOT_HEAD_SIZE || memcmp(head.data, magic, sizeof magic) != 0) {
        return tw_err_set(err, TW_REFUSED_ENCODING, "the file is no snapshot of a ledger");
    }
    if (head.data[sizeof magic] != FORMAT) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "the snapshot has format %u, and this program reads format %d; use the "
                          "program that made it",
                          head.data[sizeof magic], FORMAT);
    }
    const tw_hash hash = head_hash(head.data);
    tw_reader r = tw_reader_of(tw_bytes_of(head.data, head.size - TW_HASH_SIZE));
    (void)tw_read_raw(&r, sizeof magic + 1);
    if (memcmp(head.data + head.size - TW_HASH_SIZE, hash.bytes, TW_HASH_SIZE) != 0 ||
        tw_node_read_header(&r, ret_info) != TW_OK || !can_go_on(ret_info)) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "the snapshot's first bytes are damaged; take another copy of it");
    }
    const bool by_root = root != NULL && !tw_hash_equal(root, &ret_info->state_root);
    if (!by_root && (block == NULL || tw_hash_equal(block, &ret_info->hash))) return TW_OK;
    tw_hex_encode(by_root ? ret_info->state_root.bytes : ret_info->hash.bytes, TW_HASH_SIZE, is);
    tw_hex_encode(by_root ? root->bytes : block->bytes, TW_HASH_SIZE, wanted);
    return tw_err_set(
        err, TW_REFUSED_ARGUMENT, "the snapshot is that of block %llu with %s %s, not %s",
        (unsigned long long)ret_info->height, by_root ? "the root" : "the hash", is, wanted);
}

tw_status tw_snapshot_begin(tw_store *store, tw_bytes head, const tw_hash *root,
                            const tw_hash *block, tw_snapshot **ret_snapshot, tw_err *err)
{
    tw_block_info info;
    assert(root != NULL || block != NULL);
    TW_TRY(check_head(head, root, block, &info, err));
    tw_snapshot *s = tw_mem_new(sizeof *s);
    if (s == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the snapshot");
    s->store = store;
    s->info.block = info;
    s->info.size = head.size;
    s->batch = tw_batch_new(BATCH_MEMORY);
    s->build = tw_tree_build_new(info.height);
    tw_status status = TW_OK;
    if (s->batch == NULL || s->build == NULL) {
        status = tw_err_set(err, TW_ERR_MEMORY, "no memory for the snapshot");
    }
    if (status == TW_OK) status = tw_commit_open(store, TW_LEDGER_MEMORY_MAX, &s->commit, err);
    if (status == TW_OK) status = tw_node_store_is_empty(store, s->commit, err);
    if (status != TW_OK) {
        tw_snapshot_free(s);
        return status;
    }
    *ret_snapshot = s;
    return TW_OK;
}

void tw_snapshot_free(tw_snapshot *s)
{
    if (s == NULL) return;
    tw_commit_close(s->commit);
    tw_batch_free(s->batch);
    tw_tree_build_free(s->build);
    tw_mem_free(s);
}

/* Pairs into the batch and their leaves into s->leaves; the reader is bad when they are none. */
static void read_pairs(tw_snapshot *s, tw_reader *r, uint32_t count)
{
    const size_t start = r->at;
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        const tw_bytes key = tw_read_short(r, TW_STORE_KEY_MAX);
        const tw_bytes value = tw_read_long(r, TW_STORE_VALUE_MAX);
        if (r->bad || key.size == 0 || value.size == 0) {
            r->bad = true;
            return;
        }
        /* a chunk is as full as it can be */
        const bool fits = s->pairs_size + pair_size(key, value) <= TW_SNAPSHOT_PAIRS_SIZE;
        if (i == 0 && s->info.chunks > 0 && fits) r->bad = true;
        tw_leaf *leaf = &s->leaves[i];
        leaf->key_hash = tw_sha256(key.data, key.size);
        leaf->hash = tw_tree_leaf(&leaf->key_hash, value);
        tw_batch_put(s->batch, TW_TABLE_STATE, key, value);
        tw_batch_put(s->batch, TW_TABLE_PRE, tw_bytes_of(leaf->key_hash.bytes, TW_HASH_SIZE), key);
    }
    s->pairs_now = r->at - start;
    if (count > 1 && s->pairs_now > TW_SNAPSHOT_PAIRS_SIZE) r->bad = true;
}

/* True when the chunk is the next one of the state of the header's root. */
static bool take_apart(tw_snapshot *s, tw_bytes chunk, uint32_t *ret_count)
{
    tw_hash root;
    tw_reader r = tw_reader_of(chunk);
    if (chunk.size > TW_SNAPSHOT_CHUNK_MAX || s->whole) return false;
    const uint32_t number = tw_read_u32(&r);
    tw_range_decode(&r, &s->range);
    const uint32_t count = tw_read_u32(&r);
    const bool first = s->info.chunks == 0;
    if (r.bad || number != s->info.chunks || count == 0 || count > PAIRS_MAX ||
        first != (s->range.left.depth == 0)) {
        return false;
    }
    read_pairs(s, &r, count);
    *ret_count = count;
    if (!tw_reader_done(&r)) return false;
    if (!first && memcmp(s->last.bytes, s->leaves[0].key_hash.bytes, TW_HASH_SIZE) >= 0) {
        return false;
    }
    return tw_range_root(&s->range, s->leaves, count, &root) &&
           tw_hash_equal(&root, &s->info.block.state_root);
}

/* Nodes that the leaves complete, and after the last of them the rest. */
static tw_status build(tw_snapshot *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        TW_TRY(tw_tree_build_add(s->build, &s->leaves[i], s->batch));
    }
    if (s->range.right.depth > 0) return TW_OK;
    tw_tree_build_end(s->build, s->batch, &s->root);
    s->whole = true;
    return TW_OK;
}

tw_status tw_snapshot_add(tw_snapshot *s, tw_bytes chunk, tw_err *err)
{
    uint32_t count = 0;
    tw_batch_clear(s->batch);
    if (!take_apart(s, chunk, &count)) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "chunk %llu of the snapshot, at byte %llu, is not the next part of the "
                          "state with this root; the file is damaged, or not what it says; take "
                          "another copy of it",
                          (unsigned long long)s->info.chunks, (unsigned long long)s->info.size);
    }
    TW_TRY(tw_store_room(s->store, err));
    TW_TRY(build(s, count));
    TW_TRY(tw_store_commit(s->store, s->batch, false, err));
    s->last = s->leaves[count - 1].key_hash;
    s->pairs_size = s->pairs_now;
    s->info.keys += count;
    s->info.chunks++;
    s->info.size += 4 + chunk.size;
    return TW_OK;
}

tw_status tw_snapshot_end(tw_snapshot *s, tw_err *err)
{
    uint8_t height[8];
    uint8_t header[TW_HEADER_SIZE + 8] = {0}; /* block 0 is known: it has no transactions */
    if (!s->whole) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "the snapshot is cut short after %llu chunks, at byte %llu; take another "
                          "copy of it",
                          (unsigned long long)s->info.chunks, (unsigned long long)s->info.size);
    }
    if (!tw_hash_equal(&s->root.hash, &s->info.block.state_root)) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "the snapshot leaves out a part of the state; it is not what it says");
    }
    TW_TRY(tw_commit_prepare_filled(s->commit, s->info.block.height, &s->root, err));
    tw_node_header(&s->info.block, header);
    tw_store_u64(height, s->info.block.height);
    tw_batch_put(
        tw_commit_batch(s->commit), TW_TABLE_BLOCK, tw_bytes_of(height, sizeof height),
        tw_bytes_of(header, s->info.block.height > 0 ? TW_HEADER_SIZE : TW_HEADER_SIZE + 8));
    return tw_commit_write(s->commit, tw_bytes_of(header, TW_HEADER_SIZE), true, err);
}

const tw_snapshot_info *tw_snapshot_told(const tw_snapshot *s)
{
    return &s->info;
}

/* ---- loading from a file ---- */

static tw_status load_chunks(tw_snapshot *s, tw_snapshot_source source, void *context,
                             uint8_t *memory, tw_snapshot_info *ret_info, tw_err *err)
{
    for (;;) {
        uint8_t size[4];
        size_t got = 0;
        *ret_info = s->info;
        TW_TRY(source(context, size, sizeof size, &got));
        if (got == 0) return tw_snapshot_end(s, err);
        const uint32_t wanted = got == sizeof size ? tw_load_u32(size) : 0;
        if (wanted > 0 && wanted <= TW_SNAPSHOT_CHUNK_MAX) {
            TW_TRY(source(context, memory, wanted, &got));
        }
        /* no chunk is empty, so one that is cut short or too long is refused as such */
        TW_TRY(tw_snapshot_add(s, tw_bytes_of(memory, got == wanted ? got : 0), err));
    }
}

tw_status tw_snapshot_load(tw_store *store, tw_snapshot_source source, void *context,
                           const tw_hash *root, const tw_hash *block, tw_snapshot_info *ret_info,
                           tw_err *err)
{
    uint8_t head[TW_SNAPSHOT_HEAD_SIZE];
    size_t got = 0;
    tw_snapshot *s = NULL;
    TW_TRY(source(context, head, sizeof head, &got));
    TW_TRY(tw_snapshot_begin(store, tw_bytes_of(head, got), root, block, &s, err));
    uint8_t *memory = tw_mem_new(TW_SNAPSHOT_CHUNK_MAX);
    const tw_status status = memory != NULL
                                 ? load_chunks(s, source, context, memory, ret_info, err)
                                 : tw_err_set(err, TW_ERR_MEMORY, "no memory for the snapshot");
    *ret_info = s->info;
    tw_mem_free(memory);
    tw_snapshot_free(s);
    return status;
}
