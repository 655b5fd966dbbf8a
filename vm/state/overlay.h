/* overlay -- the uncommitted changes of one block over the STATE table of a store.
 *
 * Called by the interpreter and the ledger for every read and write of state; the only thing
 * between them and the store. Reads each key from the store at most once a block (also keys that
 * are not there). A journal undoes exactly to any open savepoint. Single-threaded; the store must
 * not change under it: after a commit, clear it before anything else.
 *
 *     hash index (XXH3) ---> entry: key, value now, value in the store, last journal record
 *     ordered index -------> the entries that were ever changed in this block
 *     gaps ----------------> stretches without a value that a reading has passed before
 *     journal -------------> (entry, its value before), at most one a key and savepoint
 *
 * Memory comes from one arena with a limit: beyond it TW_ERR_MEMORY, and the caller abandons the
 * block (clear). Once warm, nothing is allocated from the host for each operation.
 *
 * Keys have 1 to TW_STORE_KEY_MAX bytes, values 1 to TW_STORE_VALUE_MAX (the first is a format tag
 * that callers put there; the tree needs values that are not empty); anything else is
 * TW_ERR_INTERNAL.
 */
#ifndef TW_STATE_OVERLAY_H
#define TW_STATE_OVERLAY_H

#include "vm/state/store.h"

typedef struct tw_overlay tw_overlay;

/* The net effect on one key. */
typedef struct tw_change {
    tw_bytes key;
    tw_bytes value; /* empty when deleted */
    bool deleted;
    tw_bytes before; /* in the store; data NULL: it was not there */
} tw_change;

/* NULL without memory. `store` is borrowed and must outlive the overlay. */
tw_overlay *tw_overlay_new(tw_store *store, size_t memory_max);
void tw_overlay_free(tw_overlay *overlay); /* NULL is allowed */

/* Forgets everything, savepoints too, and keeps the memory: the start of each block. `seed`
 * changes the places in the indexes, never a result; take bytes of the parent's state root, so
 * that nobody can prepare keys that collide. */
void tw_overlay_clear(tw_overlay *overlay, uint64_t seed);

/* Right after clear: reads keys that were not changed here through `below` first, another overlay
 * of the same store, which must stay as it is until this one is cleared. So a block can begin while
 * the changes of the one before it are on their way to the store, which may show them or not. */
void tw_overlay_stack(tw_overlay *overlay, tw_overlay *below);

/* -- reading and writing -- */

/* Where a key stands in the overlay, whether it has a value or not: found once, then read and
 * changed without looking for it again. Good until clear. */
typedef struct tw_cell tw_cell;

TW_MUST_USE tw_status tw_overlay_seek(tw_overlay *overlay, tw_bytes key, tw_cell **ret_cell);

/* As get, put and delete say; without a value, data is NULL. */
tw_bytes tw_cell_get(const tw_cell *cell);
TW_MUST_USE tw_status tw_cell_put(tw_overlay *overlay, tw_cell *cell, tw_bytes value);
TW_MUST_USE tw_status tw_cell_delete(tw_overlay *overlay, tw_cell *cell);

/* The bytes stay valid until this key is changed, or a savepoint is undone, or clear. */
TW_MUST_USE tw_status tw_overlay_get(tw_overlay *overlay, tw_bytes key, tw_bytes *ret_value,
                                     bool *ret_found);

/* The same without keeping it: a value that the overlay does not have yet is in `arena` alone. For
 * large ones that are looked at once, so that those of a whole block need not fit the memory. */
TW_MUST_USE tw_status tw_overlay_read(tw_overlay *overlay, tw_bytes key, tw_arena *arena,
                                      tw_bytes *ret_value, bool *ret_found);

/* `value` is copied, and may lie inside the key's own present value. */
TW_MUST_USE tw_status tw_overlay_put(tw_overlay *overlay, tw_bytes key, tw_bytes value);

/* Deleting a key that is not there does nothing and counts as nothing. */
TW_MUST_USE tw_status tw_overlay_delete(tw_overlay *overlay, tw_bytes key);

/* The present value for changing in place; its old bytes are saved once a savepoint, so editing a
 * page for every reading does not copy it each time. The pointer is good until this key is put,
 * deleted or resized, or the next mark or undo. Not found: *ret_found is false, nothing happened.
 */
TW_MUST_USE tw_status tw_overlay_edit(tw_overlay *overlay, tw_bytes key, uint8_t **ret_bytes,
                                      size_t *ret_size, bool *ret_found);

/* Like edit, but gives the value exactly `size` bytes first: cut, or lengthened with zeros, or
 * made of zeros where there was none. */
TW_MUST_USE tw_status tw_overlay_resize(tw_overlay *overlay, tw_bytes key, size_t size,
                                        uint8_t **ret_bytes);

/* The smallest key >= `from` that begins with `prefix`, with its value: store and changes merged,
 * deleted keys left out. `from` empty: the first key of the prefix. To go on, call again with the
 * key and a zero byte after it (tw_key_after). Key and value are valid as after get. Costs a search
 * in the store and the changes; deleted keys are passed once in all, not at each reading. */
TW_MUST_USE tw_status tw_overlay_next(tw_overlay *overlay, tw_bytes prefix, tw_bytes from,
                                      tw_bytes *ret_key, tw_bytes *ret_value, bool *ret_found);

/* Writes the smallest key greater than `key` into memory of key.size + 1 bytes. */
tw_bytes tw_key_after(tw_bytes key, uint8_t *memory);

/* -- savepoints -- */

/* Savepoints nest (a transaction in the block, a handler in the transaction). Each mark is ended
 * once: by undo, which restores everything as it was at the mark, or by keep, which makes its
 * changes part of the savepoint around it. Ending one ends those inside it the same way. */
typedef struct tw_savepoint {
    uint32_t depth;
} tw_savepoint;

enum { TW_SAVEPOINTS_MAX = 256 }; /* open at a time; beyond: TW_ERR_INTERNAL */

TW_MUST_USE tw_status tw_overlay_mark(tw_overlay *overlay, tw_savepoint *ret_savepoint);
void tw_overlay_undo(tw_overlay *overlay, tw_savepoint savepoint);
void tw_overlay_keep(tw_overlay *overlay, tw_savepoint savepoint);

/* How many distinct keys were put, deleted, edited or resized since the mark, which must be the
 * innermost open one, and were not undone. Receipts state it. */
size_t tw_overlay_writes(const tw_overlay *overlay, tw_savepoint savepoint);

/* Number `index` of them, in no order that means anything: its key, and its value now, without data
 * when the key is gone. For tests that compare what two runs wrote. */
void tw_overlay_written(const tw_overlay *overlay, tw_savepoint savepoint, size_t index,
                        tw_bytes *ret_key, tw_bytes *ret_value);

/* -- the result -- */

/* What the block changes, in ascending order of the keys: keys whose value ends as it began are
 * left out. The array is in `arena`; keys and values stay the overlay's. */
TW_MUST_USE tw_status tw_overlay_changes(const tw_overlay *overlay, tw_arena *arena,
                                         tw_change **ret_changes, size_t *ret_count);

/* Bytes of all values put since the last clear, those that were undone or put again too, and of
 * what stood in their places before, which history keeps; what is edited in place counts once. It
 * depends on the calls and the state alone, so it is the same on every node. */
uint64_t tw_overlay_put_bytes(const tw_overlay *overlay);
/* Bytes of memory in use now. */
size_t tw_overlay_memory(const tw_overlay *overlay);

#endif
