/* audit -- is the ledger in this store whole? State, past, blocks and money.
 *
 * Called by `twvm fsck`, on a store that nobody writes to; the ledger need not open. */
#ifndef TW_LEDGER_AUDIT_H
#define TW_LEDGER_AUDIT_H

#include "vm/state/audit.h"

/* What the caller fills in: store, memory_max, found, progress, context. TW_OK when it came to its
 * end: audit->problems says how many there are. */
TW_MUST_USE tw_status tw_audit_ledger(tw_audit *audit, tw_err *err);

#endif
