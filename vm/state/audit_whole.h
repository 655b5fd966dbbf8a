/* audit_whole -- is a store whole, told by reading each table from its first row to its last.
 *
 * Called by audit.c, which looks up one by one, and names, what is wrong when it is not.
 */
#ifndef TW_STATE_AUDIT_WHOLE_H
#define TW_STATE_AUDIT_WHOLE_H

#include "vm/state/audit.h"

/* True: everything that audit.c would look at is as it must be, and `audit` has its counts and
 * oldest height. False: it is not, or could not be read; then the counts are of no use. Reads
 * STATE, HIST and STALE twice, META, PRE and NODE once, and each but META again for every part
 * beyond the first when hashes of keys or names of superseded nodes take more than memory_max.
 * TW_ERR_MEMORY is the only failure. */
TW_MUST_USE tw_status tw_audit_whole(tw_audit *audit, bool *ret_whole);

#endif
