/* past -- what the state was at an earlier height, and what is needed to prove it.
 *
 * Called by commit.c, which notes for each key a block changes what it was before; read by whoever
 * asks for the past: the store that tw_store_open_past makes stands for the STATE table as of one
 * height, so overlay, contract and view work on it as on the present.
 *
 *     HIST   escaped key | 00 00 | BE64(last height of the value) -> 00 absent, or 01 | value
 *     PRE    SHA-256(key) -> key: proofs of absence show a neighbour, whom the tree knows by hash
 *     STALE  BE64(height) | 01 -> the keys that have a HIST record of this height, each u16 | key
 *
 * Escaping (00 becomes 00 FF) keeps the order of the keys and lets none be the beginning of
 * another, so all records of a key stand together, oldest first. The value at height h is the
 * first record of the key with a last height >= h; without one, the present value.
 */
#ifndef TW_STATE_PAST_H
#define TW_STATE_PAST_H

#include "vm/state/overlay.h"

/* Puts into `batch` what the changes of the block at `height` take the place of. */
TW_MUST_USE tw_status tw_past_note(const tw_change *changes, size_t count, uint64_t height,
                                   tw_batch *batch);

/* The value of a key as of `height`, in `arena`. */
TW_MUST_USE tw_status tw_past_get(tw_store *store, tw_bytes key, uint64_t height, tw_arena *arena,
                                  tw_bytes *ret_value, bool *ret_found);

/* The key of this hash, while the state or its past holds it. */
TW_MUST_USE tw_status tw_past_key(tw_store *store, const uint8_t hash[32], tw_arena *arena,
                                  tw_bytes *ret_key, bool *ret_found);

/* The first record of a key from the height `from` on, in an iterator over all of HIST: its height.
 */
TW_MUST_USE tw_status tw_past_record(tw_iter *hist, tw_bytes key, uint64_t from,
                                     uint64_t *ret_height, bool *ret_found);

/* What a record of HIST says: which key (in `memory` of TW_STORE_KEY_MAX bytes) had which value at
 * `height` (without data: none). False when it is no record. */
bool tw_past_read(tw_bytes row, tw_bytes record, uint8_t *memory, tw_bytes *ret_key,
                  uint64_t *ret_height, tw_bytes *ret_value);

/* A store that can only be read, in which STATE is as it was after the block of `height`, which
 * must not be pruned. Its iterators only go forward. `store` is borrowed, must outlive it, and must
 * not be committed to while it is used. */
TW_MUST_USE tw_status tw_store_open_past(tw_store *store, uint64_t height, tw_store **ret_store);

/* Puts into `batch` the deletion of what is only needed for heights below `height`: the HIST
 * records that this block wrote, and the PRE record of keys that then exist nowhere. */
TW_MUST_USE tw_status tw_past_prune(tw_store *store, uint64_t height, tw_arena *arena,
                                    tw_batch *batch);

/* Puts into `batch` what takes the STATE table from after the block of `height` to before it. */
TW_MUST_USE tw_status tw_past_undo(tw_store *store, uint64_t height, tw_arena *arena,
                                   tw_batch *batch);

#endif
