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
 * Made for `twvm snapshot save` and loaded for `twvm snapshot load`, by the functions of twvm.h;
 * whoever has chunks by other ways calls begin, add and end himself.
 */
#ifndef TW_LEDGER_SNAPSHOT_H
#define TW_LEDGER_SNAPSHOT_H

#include "vm/ledger/ledger.h"
#include "vm/state/range.h"

enum {
    TW_SNAPSHOT_PAIRS_SIZE = 64 * 1024,
    TW_SNAPSHOT_PAIR_MAX = 2 + TW_STORE_KEY_MAX + 4 + TW_STORE_VALUE_MAX,
};

#endif
