/* audit_whole -- is a store whole, told by reading each table from its first row to its last.
 *
 * Called by audit.c, which looks up one by one, and names, what is wrong when it is not.
 */
#ifndef TW_STATE_AUDIT_WHOLE_H
#define TW_STATE_AUDIT_WHOLE_H

#include "vm/state/audit.h"

enum { TW_AUDIT_GROUP_BITS = 10, TW_AUDIT_GROUPS = 1 << TW_AUDIT_GROUP_BITS };

/* What is not as it must be; what is not in doubt is. */
typedef struct tw_audit_doubts {
    bool any;
    bool all;   /* a table can't be read to its end, or has a row that is none: nothing is known */
    bool keys;  /* STATE and PRE, against each other and the root */
    bool nodes; /* NODE, the lists of nodes in STALE, and the roots */
    bool past;  /* which values HIST has, and the lists of keys in STALE */
    bool values[TW_AUDIT_GROUPS]; /* of HIST and STATE, by the first bits of the key's hash */
} tw_audit_doubts;

/* Looks at everything that audit.c would, and gives `audit` its counts and oldest height, which are
 * right unless all is in doubt. Reads STATE, HIST and STALE twice, META, PRE and NODE once, and
 * each but META again for every part beyond the first when hashes of keys or names of superseded
 * nodes take more than memory_max. TW_ERR_MEMORY is the only failure. */
TW_MUST_USE tw_status tw_audit_whole(tw_audit *audit, tw_audit_doubts *ret_doubts);

#endif
