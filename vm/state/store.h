/* store -- an ordered key/value store of a few tables, with two back ends behind one interface:
 * RocksDB (store.c, the only file that names it) and memory (store_memory.c, for tests and the
 * test runner).
 *
 * Called by the overlay, the tree, the commit and the ledger. Keys are compared as bytes. All
 * writing goes through one tw_batch per block, which is stored whole or not at all: after a crash
 * at any point the store holds the batch or does not. One writer; get and iterators may be used by
 * other threads, each with its own arena and iterator (RocksDB only: the memory back end is for
 * one thread).
 *
 * How a store is opened, closed and copied, and what a failed write does to it, stands in twvm.h.
 * Iterators are closed before their store.
 */
#ifndef TW_STATE_STORE_H
#define TW_STATE_STORE_H

#include "vm/base/arena.h"
#include "vm/base/bytes.h"
#include "vm/base/status.h"

enum {
    TW_STORE_KEY_MAX = 1024, /* bytes of a key of the state; a key is never empty */
    TW_STORE_ROW_MAX = 2 * TW_STORE_KEY_MAX + 10, /* of a key of HIST */
    TW_STORE_VALUE_MAX = 512 * 1024,   /* bytes of a value of the overlay; other tables: 1 GiB */
    TW_STORE_FLOOR = 64 * 1024 * 1024, /* bytes that stay free on the disk */
    TW_LANDMARK_MAX = 60,              /* bytes of a landmark */
};

typedef enum tw_table {
    TW_TABLE_META,  /* head and roots: written by commit.c, the runner may add its own keys */
    TW_TABLE_STATE, /* raw key -> value: the only table that execution reads */
    TW_TABLE_NODE,  /* nodes of the tree, by version */
    TW_TABLE_STALE, /* by version, what it superseded: nodes (tree.h), values (past.h) */
    TW_TABLE_HIST,  /* values of the past: past.h */
    TW_TABLE_PRE,   /* SHA-256 of a key -> the key: past.h */
    TW_TABLE_BLOCK, /* blocks and receipts, by height */
    TW_TABLE_TX,    /* transaction id -> where it is */
    TW_TABLE_COUNT,
} tw_table;

typedef struct tw_batch tw_batch;
typedef struct tw_iter tw_iter;

/* For tests that start many times from one state, memory stores only: mark remembers the store as
 * it is now, back makes it so again (what was committed since is gone) and may be called again. At
 * the cost of what changed. Readers must look anew afterwards: tw_ledger_reload. */
void tw_store_memory_mark(tw_store *store);
void tw_store_memory_back(tw_store *store);

/* The value is copied into `arena`. When there is none, *ret_found is false and *ret_value is
 * empty. */
TW_MUST_USE tw_status tw_store_get(tw_store *store, tw_table table, tw_bytes key, tw_arena *arena,
                                   tw_bytes *ret_value, bool *ret_found);

/* TW_ERR_SPACE with a sentence when the disk has less free than the floor. Asked before a block:
 * one that is begun fits, and nothing is broken by a full disk in the middle of one. */
TW_MUST_USE tw_status tw_store_room(tw_store *store, tw_err *err);

/* A few bytes that stand in a file of their own beside the tables and their log, where the writer
 * of blocks notes what it has acknowledged: a log that is damaged is cut off there, and comes to a
 * state that is whole and too old. set: with `sync` they are on the disk after TW_OK; without, a
 * power cut may leave older bytes, or none. TW_ERR_STORE breaks the store, as a failed commit; a
 * store without a disk has none. landmark: as many bytes as there are, 0 when none are there or not
 * whole. */
TW_MUST_USE tw_status tw_store_set_landmark(tw_store *store, tw_bytes landmark, bool sync,
                                            tw_err *err);
size_t tw_store_landmark(tw_store *store, uint8_t ret_landmark[TW_LANDMARK_MAX]);

/* A store that can only be read, with the rows as they are now, whatever is written later; for one
 * thread, which may be another than the writer's. `store` is borrowed and must outlive it. RocksDB
 * only: TW_REFUSED_ARGUMENT otherwise. */
TW_MUST_USE tw_status tw_store_open_still(tw_store *store, tw_store **ret_store, tw_err *err);

/* Bytes of the caches that are for nodes of the tree; 0 in memory, where reading costs nothing. */
size_t tw_store_nodes_size(const tw_store *store);

/* Makes the store broken from now on, as a failed write does: for the fault tests. */
void tw_store_break(tw_store *store, const char *text);

/* Whether one thread may read while another one commits (RocksDB: yes, in memory: no). */
bool tw_store_is_shared(const tw_store *store);

/* -- writing -- */

/* An empty batch of at most `size_max` bytes; made once and cleared for each block. NULL without
 * memory. */
tw_batch *tw_batch_new(size_t size_max);
void tw_batch_free(tw_batch *batch); /* NULL is allowed */
void tw_batch_clear(tw_batch *batch);

/* Later operations on a key win. A batch that runs out of memory latches that, and its commit
 * writes nothing and gives TW_ERR_MEMORY. Key and value are copied. */
void tw_batch_put(tw_batch *batch, tw_table table, tw_bytes key, tw_bytes value);
void tw_batch_delete(tw_batch *batch, tw_table table, tw_bytes key);
size_t tw_batch_count(const tw_batch *batch); /* operations */
size_t tw_batch_size(const tw_batch *batch);  /* bytes */

/* Writes the batch as one. With `sync` it is on the disk after TW_OK. The batch is left as it
 * was; the caller clears it. Values borrowed from iterators are invalid afterwards. */
TW_MUST_USE tw_status tw_store_commit(tw_store *store, const tw_batch *batch, bool sync,
                                      tw_err *err);

/* -- ordered reading -- */

/* An iterator over the keys of `table` that begin with `prefix` (copied; may be empty). It stands
 * nowhere until the first seek, first or last. It shows the store as it was when opened; after a
 * commit it must be closed, or moved by seek, first or last before anything else, and may then
 * show either version. */
TW_MUST_USE tw_status tw_iter_open(tw_store *store, tw_table table, tw_bytes prefix,
                                   tw_iter **ret_iter);
void tw_iter_close(tw_iter *iter); /* NULL is allowed */

/* One over the whole table for who reads it from the first key to the last, once: it reads ahead,
 * and what it reads takes no room in the caches. */
TW_MUST_USE tw_status tw_iter_open_scan(tw_store *store, tw_table table, tw_iter **ret_iter);

/* Each move gives TW_OK also when it leaves the range: then the iterator stands nowhere. next and
 * previous need an iterator that stands on a key. */
TW_MUST_USE tw_status tw_iter_seek(tw_iter *iter, tw_bytes from); /* smallest key >= from */
TW_MUST_USE tw_status tw_iter_first(tw_iter *iter);
TW_MUST_USE tw_status tw_iter_last(tw_iter *iter);
TW_MUST_USE tw_status tw_iter_next(tw_iter *iter);
TW_MUST_USE tw_status tw_iter_previous(tw_iter *iter);

/* True when the iterator stands on a key; key and value (both may be NULL) are borrowed until the
 * next move, commit or close. */
bool tw_iter_here(const tw_iter *iter, tw_bytes *ret_key, tw_bytes *ret_value);

#endif
