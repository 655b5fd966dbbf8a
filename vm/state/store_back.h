/* store_back -- what a back end of the store has to do; only the store's own files include it.
 *
 * The front (store_front.c) checks arguments, keeps the latch, holds the batch and cuts iterators
 * to their prefix, so that both back ends behave the same and stay small.
 */
#ifndef TW_STATE_STORE_BACK_H
#define TW_STATE_STORE_BACK_H

#include "vm/state/store.h"

#include <stdatomic.h>

typedef enum tw_iter_move {
    TW_ITER_SEEK,   /* to the smallest key >= the given one */
    TW_ITER_BEFORE, /* to the largest key < the given one */
    TW_ITER_LAST,
    TW_ITER_NEXT,
    TW_ITER_PREVIOUS,
} tw_iter_move;

typedef struct tw_store_back {
    bool shared; /* see tw_store_is_shared */
    tw_status (*get)(tw_store *store, tw_table table, tw_bytes key, tw_arena *arena,
                     tw_bytes *ret_value, bool *ret_found);
    /* All or nothing; the front latches on TW_ERR_STORE. */
    tw_status (*commit)(tw_store *store, const tw_batch *batch, bool sync, tw_err *err);
    /* What goes on behind the commits ends; the front latches as above. NULL: nothing does. */
    tw_status (*settle)(tw_store *store, tw_err *err);
    void (*close)(tw_store *store);
    /* See tw_store_set_landmark; both or neither. The front latches on TW_ERR_STORE. */
    tw_status (*set_landmark)(tw_store *store, tw_bytes landmark, bool sync, tw_err *err);
    size_t (*landmark)(tw_store *store, uint8_t ret_landmark[TW_LANDMARK_MAX]);
    /* Bytes that the disk has free; false when that cannot be known. NULL: there is no disk. */
    bool (*room)(tw_store *store, uint64_t *ret_bytes);
    tw_status (*copy)(tw_store *store, const char *path, tw_err *err); /* may be NULL */
    tw_status (*still)(tw_store *store, tw_store **ret_store);         /* may be NULL */
    /* A zeroed iterator of the back end's own size, `base` filled by the front. */
    size_t iter_size;
    tw_status (*iter_open)(tw_iter *iter);
    /* Sets iter->here, key and value. */
    tw_status (*iter_move)(tw_iter *iter, tw_iter_move move, tw_bytes key);
    void (*iter_close)(tw_iter *iter);
} tw_store_back;

enum { TW_STORE_FAILURE_SIZE = 320 };

/* First member of each back end's store. */
struct tw_store {
    const tw_store_back *back;
    atomic_bool broken;
    uint64_t floor;
    size_t nodes_size;        /* tw_store_nodes_size */
    atomic_int failure_state; /* 0 none, 1 being written, 2 there */
    char failure[TW_STORE_FAILURE_SIZE];
};

/* First member of each back end's iterator. */
struct tw_iter {
    tw_store *store;
    tw_table table;
    tw_bytes prefix;
    tw_bytes limit; /* smallest key after the prefix's range; empty when there is none */
    bool scan;      /* see tw_iter_open_scan; a back end may take no notice */
    bool here;
    tw_bytes key;
    tw_bytes value;
};

/* One operation of a batch. */
typedef struct tw_batch_op {
    tw_table table;
    bool is_put;
    tw_bytes key;
    tw_bytes value;
} tw_batch_op;

/* Walks a batch: *at begins at 0; false at the end. */
bool tw_batch_next(const tw_batch *batch, size_t *at, tw_batch_op *ret_op);

/* Remembers the first failure for tw_store_failure. */
void tw_store_note(tw_store *store, const char *text);

#endif
