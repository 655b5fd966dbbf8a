/* store_front -- the part of the store that both back ends share: argument checks, the batch, the
 * latch, the cutting of iterators to their prefix.
 *
 * A batch is kept as one flat run of operations and given to the back end only at commit, so that
 * running out of memory while it fills is a status (RocksDB's own batch would abort the process)
 * and the two back ends store the same bytes:
 *
 *     u8 table * 2 + is_put | u32 key size | u32 value size | key | value
 */
#include "vm/state/store_back.h"

#include <assert.h>
#include <string.h>

struct tw_batch {
    tw_writer ops;
    size_t count;
    bool unusable; /* was given a key or a value outside the limits: a fault of our own code */
};

static const size_t value_max = (size_t)1 << 30;

static bool key_is_usable(tw_table table, tw_bytes key)
{
    const size_t size_max = table == TW_TABLE_HIST ? TW_STORE_ROW_MAX : TW_STORE_KEY_MAX;
    return key.size > 0 && key.size <= size_max;
}

void tw_store_close(tw_store *store)
{
    if (store != NULL) store->back->close(store);
}

tw_status tw_store_settle(tw_store *store, tw_err *err)
{
    if (store == NULL || tw_store_is_broken(store) || store->back->settle == NULL) return TW_OK;
    const tw_status status = store->back->settle(store, err);
    if (status == TW_ERR_STORE) atomic_store(&store->broken, true);
    return status;
}

tw_status tw_store_set_landmark(tw_store *store, tw_bytes landmark, bool sync, tw_err *err)
{
    assert(landmark.size <= TW_LANDMARK_MAX);
    if (store->back->set_landmark == NULL) return TW_OK;
    const tw_status status = store->back->set_landmark(store, landmark, sync, err);
    if (status == TW_ERR_STORE) atomic_store(&store->broken, true);
    return status;
}

size_t tw_store_landmark(tw_store *store, uint8_t ret_landmark[TW_LANDMARK_MAX])
{
    return store->back->landmark != NULL ? store->back->landmark(store, ret_landmark) : 0;
}

tw_status tw_store_get(tw_store *store, tw_table table, tw_bytes key, tw_arena *arena,
                       tw_bytes *ret_value, bool *ret_found)
{
    assert(table < TW_TABLE_COUNT);
    if (!key_is_usable(table, key)) return TW_ERR_INTERNAL;
    return store->back->get(store, table, key, arena, ret_value, ret_found);
}

void tw_store_note(tw_store *store, const char *text)
{
    int expected = 0;
    if (!atomic_compare_exchange_strong(&store->failure_state, &expected, 1)) return;
    const size_t size = strnlen(text, TW_STORE_FAILURE_SIZE - 1);
    memcpy(store->failure, text, size);
    store->failure[size] = '\0';
    atomic_store(&store->failure_state, 2);
}

const char *tw_store_failure(const tw_store *store)
{
    return atomic_load(&store->failure_state) == 2 ? store->failure : "";
}

bool tw_store_is_broken(const tw_store *store)
{
    return atomic_load(&store->broken);
}

bool tw_store_is_shared(const tw_store *store)
{
    return store->back->shared;
}

size_t tw_store_nodes_size(const tw_store *store)
{
    return store->nodes_size;
}

void tw_store_break(tw_store *store, const char *text)
{
    tw_store_note(store, text);
    atomic_store(&store->broken, true);
}

void tw_store_set_floor(tw_store *store, uint64_t bytes)
{
    store->floor = bytes;
}

tw_status tw_store_room(tw_store *store, tw_err *err)
{
    enum { MIB = 1024 * 1024 };
    uint64_t room = 0;
    if (store->floor == 0 || store->back->room == NULL || !store->back->room(store, &room) ||
        room >= store->floor) {
        return TW_OK;
    }
    return tw_err_set(
        err, TW_ERR_SPACE,
        "the ledger's disk has %llu MiB free, which is under the floor of %llu MiB: no "
        "block is begun; make room, or set another floor with --free-min",
        (unsigned long long)(room / MIB), (unsigned long long)(store->floor / MIB));
}

tw_status tw_store_copy(tw_store *store, const char *path, tw_err *err)
{
    if (store->back->copy == NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "this store cannot be copied to a folder");
    }
    return store->back->copy(store, path, err);
}

tw_status tw_store_open_still(tw_store *store, tw_store **ret_store, tw_err *err)
{
    if (store->back->still == NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "only a store in a folder can be read as it was, and not through a view");
    }
    const tw_status status = store->back->still(store, ret_store);
    return status == TW_OK ? TW_OK : tw_err_set(err, status, "no memory for a view");
}

tw_batch *tw_batch_new(size_t size_max)
{
    tw_batch *batch = tw_mem_new(sizeof *batch);
    if (batch != NULL) batch->ops = tw_writer_new(size_max);
    return batch;
}

void tw_batch_free(tw_batch *batch)
{
    if (batch == NULL) return;
    tw_writer_free(&batch->ops);
    tw_mem_free(batch);
}

void tw_batch_clear(tw_batch *batch)
{
    tw_writer_clear(&batch->ops);
    batch->count = 0;
    batch->unusable = false;
}

static void add(tw_batch *batch, tw_table table, bool is_put, tw_bytes key, tw_bytes value)
{
    assert(table < TW_TABLE_COUNT);
    if (!key_is_usable(table, key) || value.size > value_max) {
        batch->unusable = true;
        return;
    }
    tw_write_u8(&batch->ops, (uint8_t)((unsigned)table * 2 + (is_put ? 1 : 0)));
    tw_write_u32(&batch->ops, (uint32_t)key.size);
    tw_write_u32(&batch->ops, (uint32_t)value.size);
    tw_write_raw(&batch->ops, key.data, key.size);
    tw_write_raw(&batch->ops, value.data, value.size);
    batch->count++;
}

void tw_batch_put(tw_batch *batch, tw_table table, tw_bytes key, tw_bytes value)
{
    add(batch, table, true, key, value);
}

void tw_batch_delete(tw_batch *batch, tw_table table, tw_bytes key)
{
    add(batch, table, false, key, tw_bytes_of(NULL, 0));
}

size_t tw_batch_count(const tw_batch *batch)
{
    return batch->count;
}

size_t tw_batch_size(const tw_batch *batch)
{
    return batch->ops.size;
}

bool tw_batch_next(const tw_batch *batch, size_t *at, tw_batch_op *ret_op)
{
    tw_reader r = tw_reader_of(tw_writer_bytes(&batch->ops));
    r.at = *at;
    if (tw_reader_left(&r) == 0) return false;
    const uint8_t kind = tw_read_u8(&r);
    const size_t key_size = tw_read_u32(&r);
    const size_t value_size = tw_read_u32(&r);
    ret_op->table = (tw_table)(kind / 2);
    ret_op->is_put = kind % 2 != 0;
    ret_op->key = tw_bytes_of(tw_read_raw(&r, key_size), key_size);
    ret_op->value = tw_bytes_of(tw_read_raw(&r, value_size), value_size);
    assert(!r.bad);
    *at = r.at;
    return true;
}

tw_status tw_store_commit(tw_store *store, const tw_batch *batch, bool sync, tw_err *err)
{
    if (batch->unusable) {
        return tw_err_set(err, TW_ERR_INTERNAL, "the block's batch holds a key that is too long");
    }
    if (batch->ops.bad) {
        return tw_err_set(err, TW_ERR_MEMORY, "the block's batch does not fit its memory limit");
    }
    if (tw_store_is_broken(store)) {
        return tw_err_set(err, TW_ERR_STORE,
                          "the store takes no writes since an earlier one failed (%s); mend the "
                          "cause, then start again",
                          tw_store_failure(store));
    }
    const tw_status status = store->back->commit(store, batch, sync, err);
    if (status == TW_ERR_STORE) atomic_store(&store->broken, true);
    return status;
}

/* The smallest key above all that begin with the prefix: its last byte that can be raised is, and
 * what follows is cut. Empty when every byte is 0xff. */
static tw_bytes limit_of(tw_bytes prefix, uint8_t *memory)
{
    size_t size = prefix.size;
    while (size > 0 && prefix.data[size - 1] == 0xff) size--;
    if (size == 0) return tw_bytes_of(NULL, 0);
    memcpy(memory, prefix.data, size);
    memory[size - 1]++;
    return tw_bytes_of(memory, size);
}

static tw_status open_iter(tw_store *store, tw_table table, tw_bytes prefix, bool scan,
                           tw_iter **ret_iter)
{
    assert(table < TW_TABLE_COUNT);
    if (prefix.size > TW_STORE_ROW_MAX) return TW_ERR_INTERNAL;
    const size_t own = store->back->iter_size;
    uint8_t *memory = tw_mem_new(own + 2 * prefix.size);
    if (memory == NULL) return TW_ERR_MEMORY;
    tw_iter *iter = (tw_iter *)(void *)memory;
    if (prefix.size > 0) memcpy(memory + own, prefix.data, prefix.size);
    iter->store = store;
    iter->table = table;
    iter->prefix = tw_bytes_of(memory + own, prefix.size);
    iter->limit = limit_of(iter->prefix, memory + own + prefix.size);
    iter->scan = scan;
    const tw_status status = store->back->iter_open(iter);
    if (status != TW_OK) {
        tw_mem_free(memory);
        return status;
    }
    *ret_iter = iter;
    return TW_OK;
}

tw_status tw_iter_open(tw_store *store, tw_table table, tw_bytes prefix, tw_iter **ret_iter)
{
    return open_iter(store, table, prefix, false, ret_iter);
}

tw_status tw_iter_open_scan(tw_store *store, tw_table table, tw_iter **ret_iter)
{
    return open_iter(store, table, tw_bytes_of(NULL, 0), true, ret_iter);
}

void tw_iter_close(tw_iter *iter)
{
    if (iter == NULL) return;
    iter->store->back->iter_close(iter);
    tw_mem_free(iter);
}

/* Moves, and leaves the iterator nowhere when it came out of its prefix. */
static tw_status move_to(tw_iter *iter, tw_iter_move move, tw_bytes key)
{
    TW_TRY(iter->store->back->iter_move(iter, move, key));
    if (!iter->here) return TW_OK;
    if (!key_is_usable(iter->table, iter->key)) { /* nobody here wrote it: readers have no room */
        iter->here = false;
        return TW_ERR_CORRUPT;
    }
    const tw_bytes prefix = iter->prefix;
    if (iter->key.size < prefix.size ||
        (prefix.size > 0 && memcmp(iter->key.data, prefix.data, prefix.size) != 0)) {
        iter->here = false;
    }
    return TW_OK;
}

tw_status tw_iter_seek(tw_iter *iter, tw_bytes from)
{
    const bool before_range = tw_bytes_compare(from, iter->prefix) < 0;
    return move_to(iter, TW_ITER_SEEK, before_range ? iter->prefix : from);
}

tw_status tw_iter_first(tw_iter *iter)
{
    return move_to(iter, TW_ITER_SEEK, iter->prefix);
}

tw_status tw_iter_last(tw_iter *iter)
{
    const tw_iter_move move = iter->limit.size > 0 ? TW_ITER_BEFORE : TW_ITER_LAST;
    return move_to(iter, move, iter->limit);
}

tw_status tw_iter_next(tw_iter *iter)
{
    if (!iter->here) return TW_ERR_INTERNAL;
    return move_to(iter, TW_ITER_NEXT, tw_bytes_of(NULL, 0));
}

tw_status tw_iter_previous(tw_iter *iter)
{
    if (!iter->here) return TW_ERR_INTERNAL;
    return move_to(iter, TW_ITER_PREVIOUS, tw_bytes_of(NULL, 0));
}

bool tw_iter_here(const tw_iter *iter, tw_bytes *ret_key, tw_bytes *ret_value)
{
    if (!iter->here) return false;
    if (ret_key != NULL) *ret_key = iter->key;
    if (ret_value != NULL) *ret_value = iter->value;
    return true;
}
