/* audit -- is what the store holds whole? Looks at every row, and believes nothing it can compute.
 *
 * Called by `twvm fsck`, through vm/ledger/audit.h, on a store that nobody writes to. The state
 * root is computed from the STATE table alone, by plain recursion over the sorted key hashes, and
 * the stored tree is then compared with the same hashes, node by node. Changes nothing.
 */
#ifndef TW_STATE_AUDIT_H
#define TW_STATE_AUDIT_H

#include "vm/state/commit.h"

typedef struct tw_audit {
    tw_store *store;
    size_t memory_max; /* for the hashes of keys; more keys than fit are looked at in parts */
    /* One sentence a problem: the place, and what to do. */
    void (*found)(void *context, const char *sentence);
    /* How far it is; may be NULL. */
    void (*progress)(void *context, const char *what, uint64_t done);
    void *context;

    tw_arena *arena; /* the audit's own, from here on */
    tw_head head;
    uint64_t oldest; /* whose state is kept */
    uint64_t problems, keys, nodes, values, blocks, transactions;
} tw_audit;

/* Looks at head, roots, STATE, PRE, NODE, HIST and STALE. TW_OK when it came to its end, whatever
 * it found; a host failure (no memory) otherwise. */
TW_MUST_USE tw_status tw_audit_state(tw_audit *audit);

/* Notes a problem. */
void tw_audit_say(tw_audit *audit, const char *format, ...) TW_PRINTF(2, 3);

/* After a part of the work: a table that cannot be read is a problem, no memory ends it. */
TW_MUST_USE tw_status tw_audit_end(tw_audit *audit, const char *what, tw_status status);

/* Tells how far it is, every so many. */
void tw_audit_step(const tw_audit *audit, const char *what, uint64_t done);

#endif
