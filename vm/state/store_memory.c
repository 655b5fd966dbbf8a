/* store_memory -- the store in memory: one ordered index a table, all in one arena.
 *
 * A test makes one each, so making it allocates the object and nothing else. A commit makes the
 * nodes of all its puts first and links them only when all are there, so it cannot stop half way.
 * Iterators hold a pointer into the index; the generation tells those that a commit made stale.
 */
#include "vm/base/hash.h"
#include "vm/state/order.h"
#include "vm/state/pool.h"
#include "vm/state/store_back.h"

#include <assert.h>
#include <string.h>

typedef struct memory_store {
    tw_store base;
    tw_pool pool;
    uint64_t generation; /* commits so far */
    bool marked;         /* the records before the mark are kept, and `undo` says where they go */
    struct undo *undo;   /* newest first */
    tw_order tables[TW_TABLE_COUNT];
} memory_store;

/* One pool buffer: this header, the node with its links, the key, the value. */
typedef struct record {
    struct record *staged_next; /* while a commit prepares */
    size_t size;                /* of the whole buffer */
    tw_bytes value;
    tw_table table;
    tw_order_node *node;
} record;

static_assert(sizeof(record) % sizeof(void *) == 0, "the node after a record must be aligned");

typedef struct memory_iter {
    tw_iter base;
    tw_order_node *at;
    uint64_t generation;
} memory_iter;

/* What one operation of a commit changed since the mark; the key follows. */
typedef struct undo {
    struct undo *next;
    size_t size; /* of the whole buffer */
    tw_table table;
    record *before; /* NULL: there was none */
    size_t key_size;
} undo;

static memory_store *of_store(tw_store *store)
{
    return (memory_store *)(void *)store;
}

static tw_status memory_get(tw_store *store, tw_table table, tw_bytes key, tw_arena *arena,
                            tw_bytes *ret_value, bool *ret_found)
{
    const tw_order_node *node = tw_order_seek(&of_store(store)->tables[table], key);
    if (node == NULL || !tw_bytes_equal(node->key, key)) {
        *ret_value = tw_bytes_of(NULL, 0);
        *ret_found = false;
        return TW_OK;
    }
    const record *found = node->item;
    const char *copy = tw_arena_copy(arena, found->value.data, found->value.size);
    if (copy == NULL) return TW_ERR_MEMORY;
    *ret_value = tw_bytes_of(copy, found->value.size);
    *ret_found = true;
    return TW_OK;
}

static record *make_record(memory_store *store, const tw_batch_op *op)
{
    const uint32_t height = tw_order_height(tw_hash_table(op->key.data, op->key.size));
    const size_t node_size = tw_order_node_size(height);
    const size_t size = sizeof(record) + node_size + op->key.size + op->value.size;
    uint8_t *memory = tw_pool_get(&store->pool, size);
    if (memory == NULL) return NULL;
    record *made = (record *)(void *)memory;
    tw_order_node *node = (tw_order_node *)(void *)(made + 1);
    uint8_t *key = memory + sizeof(record) + node_size;
    uint8_t *value = key + op->key.size;
    memcpy(key, op->key.data, op->key.size);
    if (op->value.size > 0) memcpy(value, op->value.data, op->value.size);
    node->key = tw_bytes_of(key, op->key.size);
    node->item = made;
    node->height = height;
    *made = (record){NULL, size, tw_bytes_of(value, op->value.size), op->table, node};
    return made;
}

static void drop_record(memory_store *store, record *dropped)
{
    tw_pool_put(&store->pool, dropped, dropped->size);
}

static undo *make_undo(memory_store *store, const tw_batch_op *op)
{
    const size_t size = sizeof(undo) + op->key.size;
    undo *made = tw_pool_get(&store->pool, size);
    if (made == NULL) return NULL;
    *made = (undo){.size = size, .table = op->table, .key_size = op->key.size};
    memcpy(made + 1, op->key.data, op->key.size);
    return made;
}

/* An undo for each operation of the batch, the first one first; false as below. */
static bool stage_undo(memory_store *store, const tw_batch *batch, undo **ret_first)
{
    undo *first = NULL;
    undo **end = &first;
    tw_batch_op op;
    for (size_t at = 0; tw_batch_next(batch, &at, &op);) {
        *end = make_undo(store, &op);
        if (*end == NULL) {
            while (first != NULL) {
                undo *next = first->next;
                tw_pool_put(&store->pool, first, first->size);
                first = next;
            }
            return false;
        }
        end = &(*end)->next;
    }
    *ret_first = first;
    return true;
}

/* The records of all puts in order; false when memory ran out, with nothing left behind. */
static bool stage(memory_store *store, const tw_batch *batch, record **ret_first)
{
    record *first = NULL;
    record **end = &first;
    tw_batch_op op;
    for (size_t at = 0; tw_batch_next(batch, &at, &op);) {
        if (!op.is_put) continue;
        record *made = make_record(store, &op);
        if (made == NULL) {
            while (first != NULL) {
                record *next = first->staged_next;
                drop_record(store, first);
                first = next;
            }
            return false;
        }
        *end = made;
        end = &made->staged_next;
    }
    *ret_first = first;
    return true;
}

static tw_status memory_commit(tw_store *base, const tw_batch *batch, bool sync, tw_err *err)
{
    (void)sync;
    memory_store *store = of_store(base);
    record *staged = NULL;
    undo *undos = NULL;
    if (store->marked && !stage_undo(store, batch, &undos)) {
        return tw_err_set(err, TW_ERR_MEMORY, "the memory store is full");
    }
    if (!stage(store, batch, &staged)) {
        while (undos != NULL) {
            undo *next = undos->next;
            tw_pool_put(&store->pool, undos, undos->size);
            undos = next;
        }
        return tw_err_set(err, TW_ERR_MEMORY, "the memory store is full");
    }
    tw_batch_op op;
    for (size_t at = 0; tw_batch_next(batch, &at, &op);) {
        tw_order *table = &store->tables[op.table];
        tw_order_node *old = NULL;
        if (op.is_put) {
            record *next = staged->staged_next;
            old = tw_order_insert(table, staged->node);
            staged = next;
        } else {
            old = tw_order_remove(table, op.key);
        }
        if (store->marked) {
            undo *made = undos;
            undos = made->next;
            made->before = old != NULL ? old->item : NULL;
            made->next = store->undo;
            store->undo = made;
        } else if (old != NULL) {
            drop_record(store, old->item);
        }
    }
    assert(staged == NULL && undos == NULL);
    store->generation++;
    return TW_OK;
}

/* The changes since the mark, newest first: each is taken back, or (kept) only forgotten. */
static void end_undo(memory_store *store, bool kept)
{
    while (store->undo != NULL) {
        undo *last = store->undo;
        tw_order_node *gone = NULL;
        store->undo = last->next;
        if (kept) {
            if (last->before != NULL) drop_record(store, last->before);
        } else if (last->before != NULL) {
            gone = tw_order_insert(&store->tables[last->table], last->before->node);
        } else {
            gone =
                tw_order_remove(&store->tables[last->table], tw_bytes_of(last + 1, last->key_size));
        }
        if (gone != NULL) drop_record(store, gone->item);
        tw_pool_put(&store->pool, last, last->size);
    }
    store->generation++;
}

static void memory_close(tw_store *base)
{
    tw_arena_free(of_store(base)->pool.arena);
    tw_mem_free(base);
}

static tw_status memory_iter_open(tw_iter *iter)
{
    (void)iter;
    return TW_OK;
}

static void memory_iter_close(tw_iter *iter)
{
    (void)iter;
}

static tw_status memory_iter_move(tw_iter *base, tw_iter_move move, tw_bytes key)
{
    memory_iter *iter = (memory_iter *)(void *)base;
    const memory_store *store = of_store(base->store);
    const tw_order *order = &store->tables[base->table];
    const bool stale = iter->generation != store->generation;
    iter->generation = store->generation;
    switch (move) {
    case TW_ITER_SEEK: iter->at = tw_order_seek(order, key); break;
    case TW_ITER_BEFORE: iter->at = tw_order_before(order, key); break;
    case TW_ITER_LAST: iter->at = tw_order_last(order); break;
    case TW_ITER_NEXT:
        if (stale) return TW_ERR_INTERNAL;
        iter->at = iter->at->next[0];
        break;
    case TW_ITER_PREVIOUS:
        if (stale) return TW_ERR_INTERNAL;
        iter->at = tw_order_before(order, iter->at->key);
        break;
    }
    base->here = iter->at != NULL;
    if (base->here) {
        base->key = iter->at->key;
        base->value = ((const record *)iter->at->item)->value;
    }
    return TW_OK;
}

static const tw_store_back memory_back = {
    .get = memory_get,
    .commit = memory_commit,
    .close = memory_close,
    .iter_size = sizeof(memory_iter),
    .iter_open = memory_iter_open,
    .iter_move = memory_iter_move,
    .iter_close = memory_iter_close,
};

void tw_store_memory_mark(tw_store *base)
{
    assert(base->back == &memory_back);
    end_undo(of_store(base), true);
    of_store(base)->marked = true;
}

void tw_store_memory_back(tw_store *base)
{
    assert(base->back == &memory_back && of_store(base)->marked);
    end_undo(of_store(base), false);
}

tw_status tw_store_open_memory(size_t size_max, tw_store **ret_store)
{
    memory_store *store = tw_mem_new(sizeof *store);
    if (store == NULL) return TW_ERR_MEMORY;
    store->base.back = &memory_back;
    store->pool.arena = tw_arena_new(size_max);
    if (store->pool.arena == NULL) {
        tw_mem_free(store);
        return TW_ERR_MEMORY;
    }
    *ret_store = &store->base;
    return TW_OK;
}
