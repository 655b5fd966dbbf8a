/* commit -- makes a block's changes durable: state, tree nodes, head and the caller's own records
 * in one batch.
 *
 * Called by the ledger, once a block:
 *
 *     tw_commit_prepare   overlay -> root      nothing is on the disk yet
 *     tw_batch_put(tw_commit_batch(c), ...)    block, receipts, transactions, with the root
 *     tw_commit_write                          one batch, synced; the head moves
 *     tw_overlay_clear                         the caller's overlay starts the next block
 *
 * META  "head"             -> u8 format | u64 height | root hash | u64 root version
 *                             | u32 size, extra | u32 checksum
 *       "root/" BE64(height) -> root hash | u64 root version
 *
 * landmark, beside the tables: u64 height | root hash, of a block that was synced
 */
#ifndef TW_STATE_COMMIT_H
#define TW_STATE_COMMIT_H

#include "vm/state/overlay.h"
#include "vm/state/tree.h"

/* Where the store stands. A new store has height 0 without a block, and the empty root. */
typedef struct tw_head {
    bool exists;     /* false until the first commit */
    uint64_t height; /* of the newest block */
    tw_tree_root root;
    tw_bytes extra; /* what the caller gave to the last write; at most TW_HEAD_EXTRA_MAX */
} tw_head;

enum { TW_HEAD_EXTRA_MAX = 4096 };

/* What to do about a ledger that is not whole. */
#define TW_HEAD_REMEDY                                                                             \
    "twvm fsck tells what is whole; put back a copy of the folder, or make it anew with twvm "     \
    "snapshot load"

typedef struct tw_commit tw_commit;

/* Whether `head` is as new as the last block that was acknowledged, as far as the store's landmark
 * knows: TW_ERR_CORRUPT, with both heights in `err`, when it is older or another one. */
TW_MUST_USE tw_status tw_head_check(tw_store *store, const tw_head *head, tw_err *err);

/* The head as it stands in the store, `extra` in `arena`. What it names is not looked at. */
TW_MUST_USE tw_status tw_head_read(tw_store *store, tw_arena *arena, tw_head *ret_head,
                                   tw_err *err);

/* Reads and checks the head: its checksum, that its root node is there, whole and of the same
 * hash, and that nothing acknowledged is missing (tw_head_check). TW_ERR_CORRUPT otherwise, with
 * the remedy in `err`. `memory_max` bounds the memory of one block's batch and of its tree update,
 * each. `store` is borrowed. */
TW_MUST_USE tw_status tw_commit_open(tw_store *store, size_t memory_max, tw_commit **ret_commit,
                                     tw_err *err);
void tw_commit_close(tw_commit *commit); /* NULL is allowed */

/* Lets the crew (borrowed; NULL: none) help to compute roots. */
void tw_commit_use(tw_commit *commit, tw_crew *crew);

const tw_head *tw_commit_head(const tw_commit *commit);

/* Computes the state root after the overlay's changes and fills the batch. The height must be
 * over the head's; genesis may have height 0 in a new store. May be called again after drop, for
 * another overlay. */
TW_MUST_USE tw_status tw_commit_prepare(tw_commit *commit, const tw_overlay *overlay,
                                        uint64_t height, tw_hash *ret_root, tw_err *err);

/* The batch of the block in preparation, for further records in BLOCK, TX and META (keys other
 * than "head" and "root/..."). */
tw_batch *tw_commit_batch(tw_commit *commit);

/* Writes all that was prepared. On failure the head stays, and the store is broken if it was
 * the write that failed. */
TW_MUST_USE tw_status tw_commit_write(tw_commit *commit, tw_bytes extra, bool sync, tw_err *err);

/* In the place of prepare: fills the batch with what makes the store as it was before the newest
 * block, whose own records the caller deletes in it; write then takes the `extra` of the block
 * before. TW_REFUSED_NOT_FOUND: the state before it is not kept, or there is none. */
TW_MUST_USE tw_status tw_commit_prepare_undo(tw_commit *commit, tw_err *err);

/* Lets go of states before those of the newest `keep` blocks (at least 1), oldest first, at most
 * `blocks_max` of them, each in a batch of its own: after a crash some are gone and none half. */
TW_MUST_USE tw_status tw_commit_prune(tw_commit *commit, uint64_t keep, uint64_t blocks_max,
                                      uint64_t *ret_count, tw_err *err);

/* In the place of prepare, in a store without a head whose STATE, NODE and PRE were filled by other
 * means (a snapshot): write then makes `root` at `height` its head. */
TW_MUST_USE tw_status tw_commit_prepare_filled(tw_commit *commit, uint64_t height,
                                               const tw_tree_root *root, tw_err *err);

/* Forgets what was prepared. */
void tw_commit_drop(tw_commit *commit);

/* The root after the block of this height, of any block still kept. */
TW_MUST_USE tw_status tw_commit_root_at(tw_commit *commit, uint64_t height, tw_tree_root *ret_root,
                                        bool *ret_found);

/* The same, and the oldest block whose state is still kept, from a store that has a head. */
TW_MUST_USE tw_status tw_root_read(tw_store *store, uint64_t height, tw_arena *arena,
                                   tw_tree_root *ret_root, bool *ret_found);
TW_MUST_USE tw_status tw_root_oldest(tw_store *store, uint64_t *ret_height);

/* For who reads all roots in one pass: how their keys in META begin, and what such a row says
 * (the key after its prefix is BE64(height)). False when it is none. */
tw_bytes tw_root_prefix(void);
bool tw_root_decode(tw_bytes key, tw_bytes bytes, uint64_t *ret_height, tw_tree_root *ret_root);

#endif
