/* status -- what every fallible function returns, and the words for it.
 *
 * Used by every module. The table is status.def, whose numbers twvm.h has too; `tw_err` carries a
 * sentence for a person from where something went wrong to whoever reports it. Caller's memory, no
 * allocation.
 */
#ifndef TW_BASE_STATUS_H
#define TW_BASE_STATUS_H

#include "vm/include/twvm.h"

#define TW_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Goes back to the caller with any status but TW_OK. */
#define TW_TRY(expression)                                                                         \
    do {                                                                                           \
        const tw_status tw_try_status_ = (expression);                                             \
        if (tw_try_status_ != TW_OK) return tw_try_status_;                                        \
    } while (0)

/* The language's name of a trap ("Overflow"): what stands before the colon in the table's
 * sentence, or "" when the sentence has none. Writes at most 24 bytes with the NUL. */
void tw_status_trap_name(tw_status status, char ret_name[24]);

/* Fills `err` (may be NULL) and returns `status`, so a failure is one line. */
tw_status tw_err_set(tw_err *err, tw_status status, const char *format, ...) TW_PRINTF(3, 4);

#endif
