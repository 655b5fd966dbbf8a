/* twvm -- the one header that a program which embeds the machine includes.
 *
 * A node opens a store (RocksDB or memory), opens a ledger on it, makes blocks from signed bytes,
 * and asks views. The layers behind it are included whole for now: what stands in
 * vm/ledger/ledger.h, vm/ledger/tx.h and vm/state/store.h is meant for embedding, the rest may
 * change with any version.
 */
#ifndef TW_INCLUDE_TWVM_H
#define TW_INCLUDE_TWVM_H

#include "vm/ledger/ledger.h"

enum { TW_ABI_VERSION = 1 };

#endif
