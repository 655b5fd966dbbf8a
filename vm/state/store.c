/* store -- the RocksDB back end, and the only file of the project that names RocksDB.
 *
 * Each table is a column family; META is the default one. What the options rest on:
 * - A batch over several families is one record of the log, so it is atomic; atomic_flush keeps
 *   the families together when memory is flushed, and max_bgerror_resume_count=0 keeps RocksDB
 *   from mending a failed write behind our back, which has torn such batches before.
 * - The log is always written and never recycled; recovery takes it up to the first damaged
 *   record (point in time), which after a crash is the last block that was whole. Whether it is
 *   the last that was acknowledged, the landmark says, a file beside it (commit.c).
 * - Memory and files are bounded: block cache with index and filter blocks in it, write buffers,
 *   log size, open files.
 * - RocksDB's own text log stays empty: the process ends in an assertion when a line of it cannot
 *   be written, as on a full disk. It must not be given a size to roll at, or it has a head of
 *   lines whatever the level. What fails is told by each call anyway.
 * - Index and filters are in parts of a block's size, found by a small index on top that stays in
 *   memory: whole ones are about a megabyte a file, and once they do not fit the cache each read
 *   would fetch one (bench/bench_state: five times slower).
 * - Nodes of the tree are most of what a block writes, and a flush takes all families, so the files
 *   of level 0 are small in the others: there are eight of them before they are compacted, not
 *   four, which saves every seventh byte that is written, and look-ups are as fast. There are
 *   sixteen of those that are written with each key and read by few (HIST, PRE): it saves every
 *   second compaction of them. Nodes are only moved: files of other versions do not overlap.
 * - One table may take three quarters of the write buffers, or a flush would come when the nodes
 *   have filled half of them, with the rest of the other half still empty.
 * - Rows of a table come in order in a batch, mostly: the place of the one before is where the
 *   search of a memory table for the next one begins (the hint, by a first byte they share).
 * - Values of the state that were read or written lately are remembered here: a look-up in RocksDB
 *   takes some microseconds even where all it needs is in memory.
 *
 * RocksDB's C interface reports errors as text only; their kind is the text's beginning.
 */
#include "vm/base/hash.h"
#include "vm/state/recall.h"
#include "vm/state/store_back.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    MIB = 1024 * 1024,
    CACHE_SIZE = 64 * MIB,
    BUFFERS_SIZE = 64 * MIB,
    LOG_SIZE_MAX = 256 * MIB, /* of the write-ahead log */
    OPEN_FILES_MAX = 1000,
    FILTER_BITS = 10, /* a key: about one look-up in a hundred reads a block in vain */
    BLOCK_SIZE = 8 * 1024,
    PATH_SIZE_MAX = 4096,
    COMPACT_FILES = 8, /* of level 0 that make work for compaction */
    COMPACT_LATE = 2 * COMPACT_FILES,
    SLOW_FILES = 2 * COMPACT_LATE, /* of level 0 that make RocksDB slow writing down */
    LEVEL_FATAL = 4,               /* of RocksDB's text log */
    SCAN_AHEAD = 2 * MIB,          /* of each file, by who reads a table to its end */
};

typedef struct table_plan {
    const char *name;
    bool compress;
    bool late; /* is compacted late */
} table_plan;

/* By tw_table. Names are part of the store's format. Hashes do not compress. */
static const table_plan plans[TW_TABLE_COUNT] = {
    [TW_TABLE_META] = {"default", false, false}, [TW_TABLE_STATE] = {"state", true, false},
    [TW_TABLE_NODE] = {"node", false, false},    [TW_TABLE_STALE] = {"stale", false, false},
    [TW_TABLE_HIST] = {"hist", true, true},      [TW_TABLE_PRE] = {"pre", false, true},
    [TW_TABLE_BLOCK] = {"blk", true, false},     [TW_TABLE_TX] = {"tx", false, false},
};

typedef struct rocks_store {
    tw_store base;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *tables[TW_TABLE_COUNT];
    rocksdb_readoptions_t *read;
    rocksdb_readoptions_t *scan; /* see tw_iter_open_scan; NULL in a still one */
    rocksdb_writeoptions_t *write_sync;
    rocksdb_writeoptions_t *write_lazy;
    rocksdb_writebatch_t *batch;        /* the one writer's, reused */
    const rocksdb_snapshot_t *snapshot; /* of a still one, which has another's db and tables */
    bool write_failed;
    char path[PATH_SIZE_MAX];
    int landmark; /* the open file, or -1: it is made with the first block */
    /* Values of STATE, under `guard`. `changes` counts the batches that were written: a value that
     * was read while one was may be the one before, and is not remembered. */
    tw_recall *values;
    pthread_mutex_t guard;
    uint64_t changes;
    bool compacts[TW_TABLE_COUNT];
    size_t written, compact_at; /* bytes since it was opened; from where on all tables compact */
} rocks_store;

typedef struct rocks_iter {
    tw_iter base;
    rocksdb_iterator_t *at;
} rocks_iter;

static rocks_store *of_store(tw_store *store)
{
    return (rocks_store *)(void *)store;
}

static bool begins_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Takes over `error` (from RocksDB), keeps its text, and says what kind it was. */
static tw_status take_error(rocks_store *store, char *error)
{
    const tw_status status = begins_with(error, "Corruption") ? TW_ERR_CORRUPT : TW_ERR_STORE;
    tw_store_note(&store->base, error);
    rocksdb_free(error);
    return status;
}

/* ---- the values that are remembered ---- */

/* True when the value is remembered: it is copied, or *ret_value has no data for want of memory.
 * Else *ret_changes is for remember. */
static bool recall(rocks_store *store, tw_bytes key, tw_arena *arena, tw_bytes *ret_value,
                   uint64_t *ret_changes)
{
    tw_bytes value = {NULL, 0};
    pthread_mutex_lock(&store->guard);
    const bool found = tw_recall_get(store->values, key, &value);
    if (found) *ret_value = tw_bytes_of(tw_arena_copy(arena, value.data, value.size), value.size);
    *ret_changes = store->changes;
    pthread_mutex_unlock(&store->guard);
    return found;
}

static void keep(rocks_store *store, tw_bytes key, tw_bytes value)
{
    uint8_t *row = tw_recall_put(store->values, key, value.size);
    if (row != NULL) memcpy(row, value.data, value.size);
}

/* A value that was read since recall, unless a batch was written meanwhile. */
static void remember(rocks_store *store, tw_bytes key, tw_bytes value, uint64_t changes)
{
    pthread_mutex_lock(&store->guard);
    if (store->changes == changes) keep(store, key, value);
    pthread_mutex_unlock(&store->guard);
}

/* A batch was written. Until its values are all here a reader may get one from before it, as if it
 * had come earlier. */
static void remember_batch(rocks_store *store, const tw_batch *batch)
{
    tw_batch_op op;
    if (store->values == NULL) return;
    pthread_mutex_lock(&store->guard);
    store->changes++;
    pthread_mutex_unlock(&store->guard);
    for (size_t at = 0; tw_batch_next(batch, &at, &op);) {
        if (op.table != TW_TABLE_STATE) continue;
        pthread_mutex_lock(&store->guard);
        if (op.is_put) {
            keep(store, op.key, op.value);
        } else {
            tw_recall_drop(store->values, op.key);
        }
        pthread_mutex_unlock(&store->guard);
    }
}

/* ---- reading and writing ---- */

static tw_status rocks_get(tw_store *base, tw_table table, tw_bytes key, tw_arena *arena,
                           tw_bytes *ret_value, bool *ret_found)
{
    rocks_store *store = of_store(base);
    const bool remembers = table == TW_TABLE_STATE && store->values != NULL;
    uint64_t changes = 0;
    char *error = NULL;
    if (remembers && recall(store, key, arena, ret_value, &changes)) {
        *ret_found = ret_value->data != NULL;
        return *ret_found ? TW_OK : TW_ERR_MEMORY;
    }
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(
        store->db, store->read, store->tables[table], (const char *)key.data, key.size, &error);
    if (error != NULL) {
        rocksdb_pinnableslice_destroy(pinned);
        return take_error(store, error);
    }
    if (pinned == NULL) {
        *ret_value = tw_bytes_of(NULL, 0);
        *ret_found = false;
        return TW_OK;
    }
    size_t size = 0;
    const char *value = rocksdb_pinnableslice_value(pinned, &size);
    const char *copy = tw_arena_copy(arena, value, size);
    rocksdb_pinnableslice_destroy(pinned);
    if (copy == NULL) return TW_ERR_MEMORY;
    *ret_value = tw_bytes_of(copy, size);
    *ret_found = true;
    if (remembers) remember(store, key, *ret_value, changes);
    return TW_OK;
}

/* Compaction is off when a store is opened, until its files were looked at (check_files), and then
 * comes on where it has work to do. An error is one of the file that keeps the options: they hold
 * without it, and a disk that fails shows in the next commit. */
static void let_compact(rocks_store *store, size_t table)
{
    static const char *const name = "disable_auto_compactions";
    static const char *const value = "false";
    char *error = NULL;
    if (store->compacts[table]) return;
    store->compacts[table] = true;
    rocksdb_set_options_cf(store->db, store->tables[table], 1, &name, &value, &error);
    rocksdb_free(error);
}

/* Before so much is written that buffers are flushed. */
static void note_written(rocks_store *store, size_t size)
{
    store->written += size;
    if (store->written < store->compact_at) return;
    for (size_t t = 0; t < TW_TABLE_COUNT; t++) let_compact(store, t);
}

/* A flush or a compaction failed since the store was opened. When the disk was full RocksDB goes on
 * by itself once there is room, with tables of which nobody saw what they missed. */
static tw_status check_behind(rocks_store *store, tw_err *err)
{
    uint64_t failures = 0;
    if (rocksdb_property_int(store->db, "rocksdb.background-errors", &failures) != 0 ||
        failures == 0) {
        return TW_OK;
    }
    tw_store_note(&store->base, "IO error: a table or a list of tables could not be written");
    store->write_failed = true;
    return tw_err_set(err, TW_ERR_STORE,
                      "what is written behind the blocks failed %llu times; each block that was "
                      "acknowledged is in the log: free disk space or mend the disk, then start "
                      "again",
                      (unsigned long long)failures);
}

static tw_status rocks_settle(tw_store *base, tw_err *err)
{
    rocks_store *store = of_store(base);
    rocksdb_cancel_all_background_work(store->db, 1);
    return check_behind(store, err);
}

static tw_status rocks_commit(tw_store *base, const tw_batch *batch, bool sync, tw_err *err)
{
    rocks_store *store = of_store(base);
    TW_TRY(check_behind(store, err));
    rocksdb_writebatch_clear(store->batch);
    tw_batch_op op;
    for (size_t at = 0; tw_batch_next(batch, &at, &op);) {
        const char *key = (const char *)op.key.data;
        if (op.is_put) {
            rocksdb_writebatch_put_cf(store->batch, store->tables[op.table], key, op.key.size,
                                      (const char *)op.value.data, op.value.size);
        } else {
            rocksdb_writebatch_delete_cf(store->batch, store->tables[op.table], key, op.key.size);
        }
    }
    char *error = NULL;
    rocksdb_write(store->db, sync ? store->write_sync : store->write_lazy, store->batch, &error);
    rocksdb_writebatch_clear(store->batch);
    if (error == NULL) {
        remember_batch(store, batch);
        note_written(store, tw_batch_size(batch));
        return TW_OK;
    }
    (void)take_error(store, error);
    store->write_failed = true;
    /* Whatever the kind: after a failed write nobody knows what is on the disk. */
    return tw_err_set(err, TW_ERR_STORE,
                      "the block could not be written (%s); free disk space or mend the disk, then "
                      "start again: the ledger goes on from its last whole block",
                      tw_store_failure(base));
}

static int open_landmark(const rocks_store *store, int flags)
{
    char name[PATH_SIZE_MAX];
    const int size = snprintf(name, sizeof name, "%s/LANDMARK", store->path);
    if (size < 0 || (size_t)size >= sizeof name) return -1;
    return open(name, flags | O_CLOEXEC, 0666);
}

/* The file and its name, which may be new. */
static bool sync_landmark(const rocks_store *store)
{
    if (fdatasync(store->landmark) != 0) return false;
    const int folder = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    const bool fine = fsync(folder) == 0;
    close(folder);
    return fine;
}

/* u8 size | the bytes | u32 checksum; in one write, which ends within a sector. */
static tw_status rocks_set_landmark(tw_store *base, tw_bytes landmark, bool sync, tw_err *err)
{
    rocks_store *store = of_store(base);
    uint8_t memory[1 + TW_LANDMARK_MAX + 4];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&w, (uint8_t)landmark.size);
    tw_write_raw(&w, landmark.data, landmark.size);
    tw_write_u32(&w, tw_checksum(memory, w.size));
    if (store->landmark < 0) store->landmark = open_landmark(store, O_WRONLY | O_CREAT);
    if (store->landmark >= 0 && pwrite(store->landmark, memory, w.size, 0) == (ssize_t)w.size &&
        (!sync || sync_landmark(store))) {
        return TW_OK;
    }
    tw_store_note(base, "IO error: the file LANDMARK could not be written");
    store->write_failed = true;
    return tw_err_set(err, TW_ERR_STORE,
                      "the file LANDMARK of the store could not be written: free disk space or "
                      "mend the disk, then start again");
}

static size_t rocks_landmark(tw_store *base, uint8_t ret_landmark[TW_LANDMARK_MAX])
{
    uint8_t memory[1 + TW_LANDMARK_MAX + 4];
    const int file = open_landmark(of_store(base), O_RDONLY);
    if (file < 0) return 0;
    const ssize_t got = pread(file, memory, sizeof memory, 0);
    close(file);
    const size_t size = got > 0 ? memory[0] : 0;
    if (size > TW_LANDMARK_MAX || got < (ssize_t)(1 + size + 4) ||
        tw_load_u32(memory + 1 + size) != tw_checksum(memory, 1 + size)) {
        return 0;
    }
    memcpy(ret_landmark, memory + 1, size);
    return size;
}

static void rocks_close(tw_store *base)
{
    rocks_store *store = of_store(base);
    tw_recall_free(store->values);
    pthread_mutex_destroy(&store->guard);
    if (store->landmark >= 0) close(store->landmark);
    if (store->batch != NULL) rocksdb_writebatch_destroy(store->batch);
    if (store->write_lazy != NULL) rocksdb_writeoptions_destroy(store->write_lazy);
    if (store->write_sync != NULL) rocksdb_writeoptions_destroy(store->write_sync);
    if (store->read != NULL) rocksdb_readoptions_destroy(store->read);
    if (store->scan != NULL) rocksdb_readoptions_destroy(store->scan);
    if (store->write_failed) {
        /* Closing a database whose log could not be written ends in an assertion of RocksDB 7.8,
         * so it is left to the end of the process, which is near. Its threads that flush rest then;
         * the one that tries to recover may not (see tw_store_close). */
        rocksdb_cancel_all_background_work(store->db, 1);
        tw_mem_free(store);
        return;
    }
    for (size_t i = 0; i < TW_TABLE_COUNT; i++) {
        if (store->tables[i] != NULL) rocksdb_column_family_handle_destroy(store->tables[i]);
    }
    if (store->db != NULL) rocksdb_close(store->db);
    tw_mem_free(store);
}

static bool rocks_room(tw_store *base, uint64_t *ret_bytes)
{
    struct statvfs disk;
    if (statvfs(of_store(base)->path, &disk) != 0) return false;
    if (__builtin_mul_overflow((uint64_t)disk.f_bavail, (uint64_t)disk.f_frsize, ret_bytes)) {
        *ret_bytes = UINT64_MAX;
    }
    return true;
}

static tw_status rocks_copy(tw_store *base, const char *path, tw_err *err)
{
    rocks_store *store = of_store(base);
    char *error = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(store->db, &error);
    /* 0: what is in memory is written to files first, so that the copy does not share the log */
    if (error == NULL) rocksdb_checkpoint_create(checkpoint, path, 0, &error);
    if (checkpoint != NULL) rocksdb_checkpoint_object_destroy(checkpoint);
    if (error == NULL) return TW_OK;
    (void)tw_err_set(err, TW_ERR_IO,
                     "the copy in %.200s could not be made (%.200s); see that the folder is new, "
                     "can be written to, and that the disk has room",
                     path, error);
    rocksdb_free(error);
    return TW_ERR_IO;
}

static tw_status rocks_iter_open(tw_iter *base)
{
    rocks_store *store = of_store(base->store);
    rocks_iter *iter = (rocks_iter *)(void *)base;
    const rocksdb_readoptions_t *read =
        base->scan && store->scan != NULL ? store->scan : store->read;
    iter->at = rocksdb_create_iterator_cf(store->db, read, store->tables[base->table]);
    return iter->at != NULL ? TW_OK : TW_ERR_MEMORY;
}

static void rocks_iter_close(tw_iter *base)
{
    rocksdb_iter_destroy(((rocks_iter *)(void *)base)->at);
}

static tw_status rocks_iter_move(tw_iter *base, tw_iter_move move, tw_bytes key)
{
    rocksdb_iterator_t *at = ((rocks_iter *)(void *)base)->at;
    const char *data = key.data != NULL ? (const char *)key.data : "";
    base->here = false;
    switch (move) {
    case TW_ITER_SEEK: rocksdb_iter_seek(at, data, key.size); break;
    case TW_ITER_BEFORE: rocksdb_iter_seek_for_prev(at, data, key.size); break;
    case TW_ITER_LAST: rocksdb_iter_seek_to_last(at); break;
    case TW_ITER_NEXT: rocksdb_iter_next(at); break;
    case TW_ITER_PREVIOUS: rocksdb_iter_prev(at); break;
    }
    if (rocksdb_iter_valid(at)) {
        base->key.data = (const uint8_t *)rocksdb_iter_key(at, &base->key.size);
        /* seek_for_prev stops at the key itself too */
        if (move == TW_ITER_BEFORE && tw_bytes_equal(base->key, key)) rocksdb_iter_prev(at);
    }
    if (rocksdb_iter_valid(at)) {
        base->key.data = (const uint8_t *)rocksdb_iter_key(at, &base->key.size);
        base->value.data = (const uint8_t *)rocksdb_iter_value(at, &base->value.size);
        base->here = true;
        return TW_OK;
    }
    char *error = NULL;
    rocksdb_iter_get_error(at, &error);
    return error == NULL ? TW_OK : take_error(of_store(base->store), error);
}

/* ---- a store that stands still ---- */

static tw_status still_commit(tw_store *base, const tw_batch *batch, bool sync, tw_err *err)
{
    (void)base;
    (void)batch;
    (void)sync;
    return tw_err_set(err, TW_ERR_INTERNAL, "a view can't be written to");
}

static void still_close(tw_store *base)
{
    rocks_store *store = of_store(base);
    rocksdb_readoptions_destroy(store->read);
    rocksdb_release_snapshot(store->db, store->snapshot);
    tw_mem_free(store);
}

static const tw_store_back still_back = {
    .get = rocks_get,
    .commit = still_commit,
    .close = still_close,
    .iter_size = sizeof(rocks_iter),
    .iter_open = rocks_iter_open,
    .iter_move = rocks_iter_move,
    .iter_close = rocks_iter_close,
};

/* Reads only what does not change after the store was opened, so any thread may call. */
static tw_status rocks_still(tw_store *base, tw_store **ret_store)
{
    const rocks_store *present = of_store(base);
    rocks_store *store = tw_mem_new(sizeof *store);
    if (store == NULL) return TW_ERR_MEMORY;
    store->base.back = &still_back;
    store->db = present->db;
    memcpy(store->tables, present->tables, sizeof store->tables);
    store->snapshot = rocksdb_create_snapshot(store->db);
    store->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(store->read, store->snapshot);
    *ret_store = &store->base;
    return TW_OK;
}

static const tw_store_back rocks_back = {
    .shared = true,
    .get = rocks_get,
    .commit = rocks_commit,
    .settle = rocks_settle,
    .close = rocks_close,
    .set_landmark = rocks_set_landmark,
    .landmark = rocks_landmark,
    .room = rocks_room,
    .copy = rocks_copy,
    .still = rocks_still,
    .iter_size = sizeof(rocks_iter),
    .iter_open = rocks_iter_open,
    .iter_move = rocks_iter_move,
    .iter_close = rocks_iter_close,
};

/* The options of the database, which are also the start of each table's. Those that the C
 * interface has no function for are set by text. NULL with *ret_error when that fails. */
static rocksdb_options_t *database_options(const tw_store_options *wanted, char **ret_error)
{
    rocksdb_options_t *plain = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(plain, wanted->create ? 1 : 0);
    rocksdb_options_set_create_missing_column_families(plain, 1);
    rocksdb_options_set_paranoid_checks(plain, 1);
    rocksdb_options_set_atomic_flush(plain, 1);
    rocksdb_options_set_disable_auto_compactions(plain, 1); /* see let_compact */
    rocksdb_options_set_level0_slowdown_writes_trigger(plain, SLOW_FILES);
    rocksdb_options_set_level0_stop_writes_trigger(plain, SLOW_FILES + COMPACT_FILES);
    rocksdb_options_set_wal_recovery_mode(plain, rocksdb_point_in_time_recovery);
    rocksdb_options_set_max_total_wal_size(plain, LOG_SIZE_MAX);
    rocksdb_options_set_max_open_files(plain, OPEN_FILES_MAX);
    rocksdb_options_set_max_background_jobs(plain, 2);
    rocksdb_options_set_info_log_level(plain, LEVEL_FATAL);
    rocksdb_options_set_keep_log_file_num(plain, 1);
    rocksdb_options_set_stats_dump_period_sec(plain, 0);
    const size_t buffers = wanted->buffers_size > 0 ? wanted->buffers_size : BUFFERS_SIZE;
    rocksdb_options_set_db_write_buffer_size(plain, buffers);
    rocksdb_options_set_write_buffer_size(plain, buffers - buffers / 4);
    rocksdb_options_set_max_write_buffer_number(plain, 3);
    rocksdb_options_t *full = rocksdb_options_create();
    rocksdb_get_options_from_string(plain,
                                    "max_bgerror_resume_count=0;"
                                    "memtable_protection_bytes_per_key=8;"
                                    "memtable_insert_with_hint_prefix_extractor="
                                    "rocksdb.FixedPrefix.1;"
                                    "persist_stats_to_disk=false;stats_persist_period_sec=0",
                                    full, ret_error);
    rocksdb_options_destroy(plain);
    if (*ret_error == NULL) return full;
    rocksdb_options_destroy(full);
    return NULL;
}

static rocksdb_options_t *table_options(const rocksdb_options_t *start, rocksdb_cache_t *cache,
                                        const table_plan *plan)
{
    rocksdb_options_t *options = rocksdb_options_create_copy((rocksdb_options_t *)(uintptr_t)start);
    rocksdb_block_based_table_options_t *blocks = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(blocks, cache);
    rocksdb_block_based_options_set_block_size(blocks, BLOCK_SIZE);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(blocks, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(blocks, 1);
    rocksdb_block_based_options_set_index_type(
        blocks, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(blocks, 1);
    rocksdb_block_based_options_set_metadata_block_size(blocks, BLOCK_SIZE);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(blocks, 1);
    rocksdb_block_based_options_set_whole_key_filtering(blocks, 1);
    rocksdb_block_based_options_set_filter_policy(
        blocks, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS));
    rocksdb_options_set_block_based_table_factory(options, blocks);
    rocksdb_block_based_options_destroy(blocks);
    rocksdb_options_set_compression(options, plan->compress ? rocksdb_lz4_compression
                                                            : rocksdb_no_compression);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, plan->late ? COMPACT_LATE
                                                                               : COMPACT_FILES);
    return options;
}

/* Fills db and tables; the error text or NULL. */
static char *open_tables(rocks_store *store, const char *path, const tw_store_options *wanted)
{
    char *error = NULL;
    rocksdb_options_t *options = database_options(wanted, &error);
    if (options == NULL) return error;
    const size_t cache_size = wanted->cache_size > 0 ? wanted->cache_size : CACHE_SIZE;
    store->base.nodes_size = cache_size / 2;
    store->values = tw_recall_new(cache_size / 4);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(cache_size / 4);
    const char *names[TW_TABLE_COUNT];
    rocksdb_options_t *each[TW_TABLE_COUNT];
    const rocksdb_options_t *each_const[TW_TABLE_COUNT];
    for (size_t i = 0; i < TW_TABLE_COUNT; i++) {
        names[i] = plans[i].name;
        each[i] = table_options(options, cache, &plans[i]);
        each_const[i] = each[i];
    }
    store->db = rocksdb_open_column_families(options, path, TW_TABLE_COUNT, names, each_const,
                                             store->tables, &error);
    for (size_t i = 0; i < TW_TABLE_COUNT; i++) rocksdb_options_destroy(each[i]);
    rocksdb_cache_destroy(cache); /* the tables hold it */
    rocksdb_options_destroy(options);
    return error;
}

static char *check_file(rocks_store *store, size_t table, const rocksdb_livefiles_t *files, int i)
{
    size_t size = 0;
    char *error = NULL;
    const char *smallest = rocksdb_livefiles_smallestkey(files, i, &size);
    rocksdb_iterator_t *at =
        rocksdb_create_iterator_cf(store->db, store->read, store->tables[table]);
    rocksdb_iter_seek(at, smallest, size);
    rocksdb_iter_get_error(at, &error);
    rocksdb_iter_destroy(at);
    return error;
}

/* By name; TW_TABLE_COUNT for none of ours. */
static size_t table_of(const char *name)
{
    size_t t = 0;
    while (t < TW_TABLE_COUNT && strcmp(name, plans[t].name) != 0) t++;
    return t;
}

/* Looks at the first block of each file below level 0. When it is damaged, an iterator of RocksDB
 * 7.8 that comes from the file before goes on behind the file and reports nothing, and compaction
 * drops its rows for good (mended in 8.7). To seek the block reports it: at open, before anything
 * else is read and before anything is compacted. The error text or NULL. */
static char *check_files(rocks_store *store)
{
    char *error = NULL;
    size_t fresh[TW_TABLE_COUNT + 1] = {0}; /* files of level 0 */
    const rocksdb_livefiles_t *files = rocksdb_livefiles(store->db);
    const int count = rocksdb_livefiles_count(files);
    for (int i = 0; i < count && error == NULL; i++) {
        const size_t table = table_of(rocksdb_livefiles_column_family_name(files, i));
        if (rocksdb_livefiles_level(files, i) == 0) {
            fresh[table]++;
        } else if (table < TW_TABLE_COUNT) {
            error = check_file(store, table, files, i);
        }
    }
    rocksdb_livefiles_destroy(files);
    for (size_t t = 0; t < TW_TABLE_COUNT && error == NULL; t++) {
        if (fresh[t] >= COMPACT_FILES) let_compact(store, t);
    }
    return error;
}

/* The process that holds the lock of the store, or 0. RocksDB locks a file by fcntl, so the kernel
 * knows. Never asked where this process may be the holder: to close the file would give up its
 * lock. */
static long holder_of(const char *path)
{
    char name[PATH_SIZE_MAX];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int size = snprintf(name, sizeof name, "%s/LOCK", path);
    if (size < 0 || (size_t)size >= sizeof name) return 0;
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    const bool held = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(file);
    return held && lock.l_pid > 0 ? (long)lock.l_pid : 0;
}

/* Frees `error`. */
static tw_status explain_lock(const char *path, char *error, tw_err *err)
{
    const bool own = strstr(error, "lock hold by current process") != NULL;
    const long holder = own ? 0 : holder_of(path);
    char who[48] = "another process";
    if (own) (void)snprintf(who, sizeof who, "this process");
    if (holder > 0) (void)snprintf(who, sizeof who, "another process, %ld,", holder);
    (void)tw_err_set(err, TW_ERR_LOCKED,
                     "the ledger is locked: %s has the store in %.200s open; end that, or wait "
                     "until it ends, then try again",
                     who, path);
    rocksdb_free(error);
    return TW_ERR_LOCKED;
}

/* What RocksDB says about a failed open, as a status and a sentence. Frees `error`. */
static tw_status explain_open(const char *path, char *error, tw_err *err)
{
    tw_status status = TW_ERR_IO;
    const char *remedy = "see that the folder can be written to and that the disk has room";
    if (strstr(error, "lock hold by") != NULL || strstr(error, "/LOCK: Resource temp") != NULL) {
        return explain_lock(path, error, err);
    }
    if (begins_with(error, "Corruption")) {
        status = TW_ERR_CORRUPT;
        remedy = "it is not whole: put back a copy of the folder, or make it anew with twvm "
                 "snapshot load; twvm fsck looks at one that opens";
    } else if (begins_with(error, "Invalid argument")) {
        status = TW_ERR_CORRUPT;
        remedy = "the folder holds something else, or a store of another version";
    }
    (void)tw_err_set(err, status, "cannot open the store in %.200s: %s (%.200s)", path, remedy,
                     error);
    rocksdb_free(error);
    return status;
}

/* Decides what open may do before RocksDB makes files: it writes its log even into a folder that
 * it then refuses. */
static tw_status check_place(const char *path, const tw_store_options *wanted, tw_err *err)
{
    char current[PATH_SIZE_MAX];
    const int size = snprintf(current, sizeof current, "%s/CURRENT", path);
    if (size < 0 || (size_t)size >= sizeof current) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the path of the store is too long");
    }
    const bool exists = access(current, F_OK) == 0;
    if (!exists && errno != ENOENT && errno != ENOTDIR) {
        return tw_err_set(err, TW_ERR_IO,
                          "cannot look into %.300s: see that its folders may be read", path);
    }
    if (!exists && !wanted->create) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                          "there is no ledger in %.300s; make one with `twvm init`", path);
    }
    char landmark[PATH_SIZE_MAX + 16];
    (void)snprintf(landmark, sizeof landmark, "%s/LANDMARK", path);
    if (!exists && access(landmark, F_OK) == 0) {
        /* RocksDB would begin anew, and delete the tables that it knows nothing of */
        return tw_err_set(err, TW_ERR_CORRUPT,
                          "the store in %.300s has blocks, and has lost its file CURRENT: put back "
                          "a copy of the folder, or make it anew with twvm snapshot load",
                          path);
    }
    if (exists && wanted->create && wanted->must_be_new) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "there is a ledger in %.300s already", path);
    }
    return TW_OK;
}

tw_status tw_store_open(const char *path, const tw_store_options *options, tw_store **ret_store,
                        tw_err *err)
{
    const tw_store_options wanted = options != NULL ? *options : (tw_store_options){0};
    TW_TRY(check_place(path, &wanted, err));
    rocks_store *store = tw_mem_new(sizeof *store);
    if (store == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory to open the store");
    store->base.back = &rocks_back;
    store->landmark = -1;
    if (pthread_mutex_init(&store->guard, NULL) != 0) {
        tw_mem_free(store);
        return tw_err_set(err, TW_ERR_MEMORY, "no memory to open the store");
    }
    store->compact_at = (wanted.buffers_size > 0 ? wanted.buffers_size : BUFFERS_SIZE) / 8;
    store->read = rocksdb_readoptions_create();
    store->scan = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(store->scan, 0);
    rocksdb_readoptions_set_readahead_size(store->scan, SCAN_AHEAD);
    store->base.floor = TW_STORE_FLOOR;
    (void)snprintf(store->path, sizeof store->path, "%s", path);
    char *error = open_tables(store, path, &wanted);
    if (error == NULL) error = check_files(store);
    if (error != NULL) {
        rocks_close(&store->base);
        return explain_open(path, error, err);
    }
    store->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(store->write_sync, 1);
    store->write_lazy = rocksdb_writeoptions_create();
    store->batch = rocksdb_writebatch_create();
    *ret_store = &store->base;
    return TW_OK;
}
