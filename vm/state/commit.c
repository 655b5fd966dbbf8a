/* commit -- see the header.
 *
 * The head is the last record of the batch and the first that is read; since a batch is whole or
 * absent, a head that reads well speaks for the block behind it. Checking its root node at open
 * finds a store whose tables come from different times. The landmark finds a log that was cut off
 * by damage: it is written when a block was synced, and before one is taken off, so it is never
 * newer than what was on the disk. Going forward it is not synced: a power cut within the seconds
 * until the system writes it leaves an older one, which is true as well and says less. Before a
 * block is taken off it is synced, since what an older one says would then be too much: it would
 * stand before a whole ledger that is a block short of it.
 */
#include "vm/state/commit.h"

#include "vm/state/past.h"

#include <assert.h>
#include <string.h>

enum { LANDMARK_SIZE = 8 + TW_HASH_SIZE };
enum { FORMAT = 2, CHECKSUM_SIZE = 4, ROOT_KEY_SIZE = 5 + 8, HEAD_MEMORY_MAX = 64 * 1024 };

static const char head_key[] = "head";
static const char root_prefix[] = "root/";

struct tw_commit {
    tw_store *store;
    tw_tree *tree;
    tw_batch *batch;
    tw_arena *scratch; /* list of changes, values read */
    tw_head head;
    uint8_t extra[TW_HEAD_EXTRA_MAX];
    bool prepared;
    uint64_t next_height;
    tw_tree_root next_root;
};

static tw_bytes head_key_bytes(void)
{
    return tw_bytes_of(head_key, sizeof head_key - 1);
}

static tw_bytes root_key(uint64_t height, uint8_t memory[ROOT_KEY_SIZE])
{
    memcpy(memory, root_prefix, 5);
    tw_store_u64(memory + 5, height);
    return tw_bytes_of(memory, ROOT_KEY_SIZE);
}

/* Reads a root: hash and version. */
static tw_tree_root read_root(tw_reader *r)
{
    tw_tree_root root = {0};
    tw_read_copy(r, root.hash.bytes, TW_HASH_SIZE);
    root.version = tw_read_u64(r);
    return root;
}

tw_bytes tw_root_prefix(void)
{
    return tw_bytes_of(root_prefix, sizeof root_prefix - 1);
}

bool tw_root_decode(tw_bytes key, tw_bytes bytes, uint64_t *ret_height, tw_tree_root *ret_root)
{
    tw_reader r = tw_reader_of(bytes);
    const tw_tree_root root = read_root(&r);
    if (key.size != ROOT_KEY_SIZE || !tw_reader_done(&r)) return false;
    *ret_height = tw_load_u64(key.data + key.size - 8);
    *ret_root = root;
    return true;
}

static bool head_is_whole(tw_bytes bytes)
{
    if (bytes.size <= CHECKSUM_SIZE) return false;
    const size_t size = bytes.size - CHECKSUM_SIZE;
    return tw_checksum(bytes.data, size) == tw_load_u32(bytes.data + size);
}

static bool parse_head(tw_bytes bytes, tw_head *ret_head)
{
    tw_reader r = tw_reader_of(tw_bytes_of(bytes.data, bytes.size - CHECKSUM_SIZE));
    const uint8_t format = tw_read_u8(&r);
    tw_head head = {.exists = true};
    head.height = tw_read_u64(&r);
    head.root = read_root(&r);
    head.extra = tw_read_long(&r, TW_HEAD_EXTRA_MAX);
    if (format != FORMAT || !tw_reader_done(&r)) return false;
    *ret_head = head;
    return true;
}

tw_status tw_head_read(tw_store *store, tw_arena *arena, tw_head *ret_head, tw_err *err)
{
    tw_bytes bytes = {NULL, 0};
    bool found = false;
    const tw_status status =
        tw_store_get(store, TW_TABLE_META, head_key_bytes(), arena, &bytes, &found);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the head of the ledger cannot be read (%s)",
                          tw_store_failure(store));
    }
    *ret_head = (tw_head){0};
    if (!found) return TW_OK;
    const bool whole = head_is_whole(bytes);
    if (whole && bytes.data[0] != FORMAT) {
        return tw_err_set(
            err, TW_REFUSED_ARGUMENT,
            "the ledger's folder has format %u, and this program reads format %d; use "
            "the program that made it",
            bytes.data[0], FORMAT);
    }
    if (!whole || !parse_head(bytes, ret_head)) {
        return tw_err_set(err, TW_ERR_CORRUPT,
                          "the head of the ledger is damaged: it is not whole, and is not "
                          "begun; " TW_HEAD_REMEDY);
    }
    return TW_OK;
}

static tw_status note_landmark(tw_commit *c, bool sync, tw_err *err)
{
    uint8_t memory[LANDMARK_SIZE];
    tw_store_u64(memory, c->next_height);
    memcpy(memory + 8, c->next_root.hash.bytes, TW_HASH_SIZE);
    return tw_store_set_landmark(c->store, tw_bytes_of(memory, sizeof memory), sync, err);
}

tw_status tw_head_check(tw_store *store, const tw_head *head, tw_err *err)
{
    uint8_t landmark[TW_LANDMARK_MAX];
    if (tw_store_landmark(store, landmark) != LANDMARK_SIZE) return TW_OK;
    const uint64_t height = tw_load_u64(landmark);
    if (head->exists && height < head->height) return TW_OK;
    if (head->exists && height == head->height &&
        memcmp(landmark + 8, head->root.hash.bytes, TW_HASH_SIZE) == 0) {
        return TW_OK;
    }
    return tw_err_set(
        err, TW_ERR_CORRUPT,
        "block %llu was acknowledged, and the ledger's log ends damaged at block %llu: "
        "put back a copy of the folder, or make it anew with twvm snapshot load; to "
        "go on from there without what came after, delete the file LANDMARK in its "
        "store",
        (unsigned long long)height, (unsigned long long)head->height);
}

static tw_status load_head(tw_commit *c, tw_err *err)
{
    tw_head head;
    TW_TRY(tw_head_read(c->store, c->scratch, &head, err));
    if (head.extra.size > 0) memcpy(c->extra, head.extra.data, head.extra.size);
    head.extra = tw_bytes_of(c->extra, head.extra.size);
    c->head = head;
    TW_TRY(tw_head_check(c->store, &head, err));
    if (!head.exists) return TW_OK;
    const tw_status status = tw_tree_check_root(c->tree, &c->head.root);
    if (status != TW_OK) {
        return tw_err_set(
            err, status,
            "the state root of block %llu is missing or damaged: the ledger is not whole, and is "
            "not begun; " TW_HEAD_REMEDY,
            (unsigned long long)c->head.height);
    }
    return TW_OK;
}

tw_status tw_commit_open(tw_store *store, size_t memory_max, tw_commit **ret_commit, tw_err *err)
{
    tw_commit *c = tw_mem_new(sizeof *c);
    if (c == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory to open the ledger");
    c->store = store;
    c->tree = tw_tree_new(store, memory_max);
    c->batch = tw_batch_new(memory_max);
    c->scratch = tw_arena_new(memory_max > HEAD_MEMORY_MAX ? memory_max : HEAD_MEMORY_MAX);
    tw_status status = TW_OK;
    if (c->tree == NULL || c->batch == NULL || c->scratch == NULL) {
        status = tw_err_set(err, TW_ERR_MEMORY, "no memory to open the ledger");
    }
    if (status == TW_OK) {
        tw_tree_remember(c->tree, tw_store_nodes_size(store));
        status = load_head(c, err);
    }
    if (status != TW_OK) {
        tw_commit_close(c);
        return status;
    }
    *ret_commit = c;
    return TW_OK;
}

void tw_commit_close(tw_commit *commit)
{
    if (commit == NULL) return;
    tw_tree_free(commit->tree);
    tw_batch_free(commit->batch);
    tw_arena_free(commit->scratch);
    tw_mem_free(commit);
}

void tw_commit_use(tw_commit *commit, tw_crew *crew)
{
    tw_tree_use(commit->tree, crew);
}

const tw_head *tw_commit_head(const tw_commit *commit)
{
    return &commit->head;
}

tw_batch *tw_commit_batch(tw_commit *commit)
{
    assert(commit->prepared);
    return commit->batch;
}

void tw_commit_drop(tw_commit *commit)
{
    tw_batch_clear(commit->batch);
    commit->prepared = false;
}

static void put_state(tw_batch *batch, const tw_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (changes[i].deleted) {
            tw_batch_delete(batch, TW_TABLE_STATE, changes[i].key);
        } else {
            tw_batch_put(batch, TW_TABLE_STATE, changes[i].key, changes[i].value);
        }
    }
}

tw_status tw_commit_prepare(tw_commit *commit, const tw_overlay *overlay, uint64_t height,
                            tw_hash *ret_root, tw_err *err)
{
    if (commit->head.exists && height <= commit->head.height) {
        return tw_err_set(err, TW_ERR_INTERNAL, "block %llu is not after the newest one",
                          (unsigned long long)height);
    }
    tw_commit_drop(commit);
    tw_arena_clear(commit->scratch);
    tw_change *changes = NULL;
    size_t count = 0;
    tw_tree_root root = {0};
    tw_status status = tw_overlay_changes(overlay, commit->scratch, &changes, &count);
    if (status == TW_OK) {
        put_state(commit->batch, changes, count);
        status = tw_past_note(changes, count, height, commit->batch);
    }
    if (status == TW_OK) {
        status = tw_tree_update(commit->tree, &commit->head.root, height, changes, count,
                                commit->batch, &root);
    }
    if (status != TW_OK) {
        tw_commit_drop(commit);
        return tw_err_set(err, status, "the state root of block %llu cannot be computed: %s",
                          (unsigned long long)height, tw_status_text(status));
    }
    commit->prepared = true;
    commit->next_height = height;
    commit->next_root = root;
    *ret_root = root.hash;
    return TW_OK;
}

tw_status tw_commit_prepare_filled(tw_commit *commit, uint64_t height, const tw_tree_root *root,
                                   tw_err *err)
{
    tw_commit_drop(commit);
    if (commit->head.exists) {
        return tw_err_set(err, TW_ERR_INTERNAL, "the store has a head already");
    }
    const tw_status status = tw_tree_check_root(commit->tree, root);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the root that was written cannot be read back: %s",
                          tw_status_text(status));
    }
    commit->prepared = true;
    commit->next_height = height;
    commit->next_root = *root;
    return TW_OK;
}

/* All nodes that were written at this version. */
static tw_status drop_nodes(tw_commit *c, const uint8_t version[8])
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    TW_TRY(tw_iter_open(c->store, TW_TABLE_NODE, tw_bytes_of(version, 8), &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, &key, NULL); status = tw_iter_next(iter)) {
        tw_batch_delete(c->batch, TW_TABLE_NODE, key);
    }
    tw_iter_close(iter);
    return status;
}

tw_status tw_commit_prepare_undo(tw_commit *commit, tw_err *err)
{
    const uint64_t height = commit->head.height;
    uint8_t version[8];
    uint8_t key[ROOT_KEY_SIZE];
    bool found = false;
    tw_commit_drop(commit);
    if (commit->head.exists && height > 0) {
        TW_TRY(tw_commit_root_at(commit, height - 1, &commit->next_root, &found));
    }
    if (!found) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                          "the state before block %llu is not kept: it can't be taken off",
                          (unsigned long long)height);
    }
    tw_arena_clear(commit->scratch);
    tw_store_u64(version, height);
    tw_batch_delete(commit->batch, TW_TABLE_META, root_key(height, key));
    tw_batch_delete(commit->batch, TW_TABLE_STALE, tw_bytes_of(version, sizeof version));
    tw_status status = drop_nodes(commit, version);
    if (status == TW_OK) {
        status = tw_past_undo(commit->store, height, commit->scratch, commit->batch);
    }
    if (status != TW_OK) {
        tw_commit_drop(commit);
        return tw_err_set(err, status, "block %llu can't be taken off: %s",
                          (unsigned long long)height, tw_status_text(status));
    }
    commit->prepared = true;
    commit->next_height = height - 1;
    return TW_OK;
}

/* The state of the oldest block goes: what the next one superseded, and its root. */
static tw_status prune_one(tw_commit *c, uint64_t oldest, tw_err *err)
{
    uint8_t key[ROOT_KEY_SIZE];
    tw_batch_clear(c->batch);
    tw_arena_clear(c->scratch);
    TW_TRY(tw_tree_prune(c->tree, oldest + 1, c->batch));
    TW_TRY(tw_past_prune(c->store, oldest + 1, c->scratch, c->batch));
    tw_batch_delete(c->batch, TW_TABLE_META, root_key(oldest, key));
    return tw_store_commit(c->store, c->batch, false, err);
}

tw_status tw_commit_prune(tw_commit *commit, uint64_t keep, uint64_t blocks_max,
                          uint64_t *ret_count, tw_err *err)
{
    uint64_t oldest = 0;
    uint64_t count = 0;
    assert(keep > 0 && !commit->prepared);
    tw_status status = tw_root_oldest(commit->store, &oldest);
    while (status == TW_OK && count < blocks_max && commit->head.height - oldest >= keep) {
        status = prune_one(commit, oldest, err);
        if (status != TW_OK) break;
        count++;
        oldest++;
    }
    tw_batch_clear(commit->batch);
    *ret_count = count;
    if (status == TW_OK) return TW_OK;
    return tw_err_set(err, status, "the state of block %llu can't be pruned: %s",
                      (unsigned long long)oldest, tw_status_text(status));
}

/* Adds the records of META. The head comes last. */
static tw_status put_meta(tw_commit *c, tw_bytes extra)
{
    uint8_t memory[1 + 8 + 40 + 4 + TW_HEAD_EXTRA_MAX + CHECKSUM_SIZE];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_raw(&w, c->next_root.hash.bytes, TW_HASH_SIZE);
    tw_write_u64(&w, c->next_root.version);
    uint8_t key[ROOT_KEY_SIZE];
    tw_batch_put(c->batch, TW_TABLE_META, root_key(c->next_height, key), tw_writer_bytes(&w));
    tw_writer_clear(&w);
    tw_write_u8(&w, FORMAT);
    tw_write_u64(&w, c->next_height);
    tw_write_raw(&w, c->next_root.hash.bytes, TW_HASH_SIZE);
    tw_write_u64(&w, c->next_root.version);
    tw_write_long(&w, extra);
    tw_write_u32(&w, tw_checksum(w.data, w.size));
    if (w.bad) return TW_ERR_INTERNAL;
    tw_batch_put(c->batch, TW_TABLE_META, head_key_bytes(), tw_writer_bytes(&w));
    return TW_OK;
}

tw_status tw_commit_write(tw_commit *commit, tw_bytes extra, bool sync, tw_err *err)
{
    if (!commit->prepared || extra.size > TW_HEAD_EXTRA_MAX) {
        return tw_err_set(err, TW_ERR_INTERNAL, "no block is prepared, or its head is too long");
    }
    const bool goes_back = commit->head.exists && commit->next_height <= commit->head.height;
    tw_status status = put_meta(commit, extra);
    if (status == TW_OK && goes_back) status = note_landmark(commit, true, err);
    if (status == TW_OK) status = tw_store_commit(commit->store, commit->batch, sync, err);
    if (status == TW_OK && sync && !goes_back) status = note_landmark(commit, false, err);
    if (status == TW_OK) {
        if (extra.size > 0) memmove(commit->extra, extra.data, extra.size);
        commit->head = (tw_head){.exists = true,
                                 .height = commit->next_height,
                                 .root = commit->next_root,
                                 .extra = tw_bytes_of(commit->extra, extra.size)};
    }
    tw_commit_drop(commit);
    return status;
}

tw_status tw_root_read(tw_store *store, uint64_t height, tw_arena *arena, tw_tree_root *ret_root,
                       bool *ret_found)
{
    uint8_t key[ROOT_KEY_SIZE];
    tw_bytes bytes = {NULL, 0};
    const tw_mark mark = tw_arena_mark(arena);
    TW_TRY(tw_store_get(store, TW_TABLE_META, root_key(height, key), arena, &bytes, ret_found));
    tw_reader r = tw_reader_of(bytes);
    const tw_tree_root root = read_root(&r);
    const bool good = tw_reader_done(&r);
    tw_arena_reset(arena, mark);
    if (!*ret_found) return TW_OK;
    if (!good) return TW_ERR_CORRUPT;
    *ret_root = root;
    return TW_OK;
}

tw_status tw_commit_root_at(tw_commit *commit, uint64_t height, tw_tree_root *ret_root,
                            bool *ret_found)
{
    tw_arena_clear(commit->scratch);
    return tw_root_read(commit->store, height, commit->scratch, ret_root, ret_found);
}

tw_status tw_root_oldest(tw_store *store, uint64_t *ret_height)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    const tw_bytes prefix = tw_bytes_of(root_prefix, sizeof root_prefix - 1);
    TW_TRY(tw_iter_open(store, TW_TABLE_META, prefix, &iter));
    tw_status status = tw_iter_first(iter);
    if (status == TW_OK) {
        const bool good = tw_iter_here(iter, &key, NULL) && key.size == ROOT_KEY_SIZE;
        if (good) *ret_height = tw_load_u64(key.data + prefix.size);
        status = good ? TW_OK : TW_ERR_CORRUPT;
    }
    tw_iter_close(iter);
    return status;
}
