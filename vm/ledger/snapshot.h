/* snapshot -- the whole state after a block as one file, from which a ledger can be made that goes
 * on from there; it has none of the blocks before.
 *
 *     snapshot: "TWSS" | u8 1 | header of the block, as in block.c
 *               | tagged hash "twvm/snapshot" of all before it, 32 | chunks
 *     chunk:    u32 size of what follows | u32 number, from 0 | range (vm/state/range.h)
 *               | u32 pairs, at least 1 | pairs
 *     pair:     u16 size, key | u32 size, value
 *
 * Pairs ascend by SHA-256 of the key, the order of the tree's leaves. A chunk has as many as fit
 * into TW_SNAPSHOT_PAIRS_SIZE bytes, or one that is longer; the one without a right border is the
 * last. So there is one file for one state and header: any node that has the block writes the same
 * bytes.
 *
 * What it is worth: each chunk is shown to be a part of the state of the header's root before
 * anything of it is stored, and together they must be all of it. The root itself the user must
 * know: a hash of the block speaks for the whole header, a state root for the state alone, and
 * height, time and parent are then what the maker of the file says. The hash behind the header only
 * finds damage.
 *
 * Made for `twvm snapshot save` and loaded for `twvm snapshot load`; whoever has chunks by other
 * ways calls begin, add and end himself.
 */
#ifndef TW_LEDGER_SNAPSHOT_H
#define TW_LEDGER_SNAPSHOT_H

#include "vm/ledger/ledger.h"
#include "vm/state/range.h"

enum {
    TW_SNAPSHOT_PAIRS_SIZE = 64 * 1024,
    TW_SNAPSHOT_PAIR_MAX = 2 + TW_STORE_KEY_MAX + 4 + TW_STORE_VALUE_MAX,
    TW_SNAPSHOT_HEAD_SIZE = 4 + 1 + (1 + 8 + 8 + 4 * TW_HASH_SIZE) + TW_HASH_SIZE,
    TW_SNAPSHOT_CHUNK_MAX = 4 + TW_RANGE_SIZE_MAX + 4 + TW_SNAPSHOT_PAIR_MAX, /* without its size */
};

typedef struct tw_snapshot_info {
    tw_block_info block;
    uint64_t keys, chunks;
    uint64_t size; /* bytes of the file */
} tw_snapshot_info;

/* ---- making ---- */

/* Takes the bytes of the file, one run after another. */
typedef tw_status (*tw_snapshot_sink)(void *context, tw_bytes bytes);

/* The state of the ledger's head, or of the block at which a ledger of tw_ledger_open_past stands.
 * No block may be open. Time: three look-ups and about ten hashes a key; memory: a chunk. What is
 * written is checked first: TW_ERR_CORRUPT when the ledger's state is not whole. A status of the
 * sink other than TW_OK ends it and comes back. *ret_info is also told between chunks, as far as it
 * is. */
TW_MUST_USE tw_status tw_snapshot_save(tw_ledger *ledger, tw_snapshot_sink sink, void *context,
                                       tw_snapshot_info *ret_info, tw_err *err);

/* ---- loading ---- */

typedef struct tw_snapshot tw_snapshot;

/* Begins a ledger in an empty store from the first TW_SNAPSHOT_HEAD_SIZE bytes of a file. The block
 * must have this root, and this hash; one of them may be NULL. Refused with a sentence otherwise.
 * `store` is borrowed and used by nobody else until tw_snapshot_free. */
TW_MUST_USE tw_status tw_snapshot_begin(tw_store *store, tw_bytes head, const tw_hash *root,
                                        const tw_hash *block, tw_snapshot **ret_snapshot,
                                        tw_err *err);
void tw_snapshot_free(tw_snapshot *snapshot); /* NULL is allowed */

/* The next chunk, without its size: checked, then written. TW_REFUSED_ENCODING when it is none of
 * this state, or not the next one; nothing of it is stored then. */
TW_MUST_USE tw_status tw_snapshot_add(tw_snapshot *snapshot, tw_bytes chunk, tw_err *err);

/* After the last chunk: gives the store its head, synced. Until then it holds no ledger for anyone
 * who opens it, whatever happens. TW_REFUSED_ENCODING when chunks are missing. */
TW_MUST_USE tw_status tw_snapshot_end(tw_snapshot *snapshot, tw_err *err);

const tw_snapshot_info *tw_snapshot_told(const tw_snapshot *snapshot);

/* Fills `memory` with the next `size` bytes of a file; *ret_size less only at its end. */
typedef tw_status (*tw_snapshot_source)(void *context, uint8_t *memory, size_t size,
                                        size_t *ret_size);

/* All of it: begin, each chunk, end. *ret_info is also told between chunks, as far as it is. */
TW_MUST_USE tw_status tw_snapshot_load(tw_store *store, tw_snapshot_source source, void *context,
                                       const tw_hash *root, const tw_hash *block,
                                       tw_snapshot_info *ret_info, tw_err *err);

#endif
