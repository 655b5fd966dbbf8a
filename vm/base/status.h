/* status -- what every fallible function returns, and the words for it.
 *
 * Used by every module. The table is status.def; `tw_err` carries a sentence for a person
 * from where something went wrong to whoever reports it. Caller's memory, no allocation.
 */
#ifndef TW_BASE_STATUS_H
#define TW_BASE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#define TW_MUST_USE __attribute__((warn_unused_result))
#define TW_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef enum tw_status {
#define STATUS(number, name, text) TW_##name = (number),
#include "vm/base/status.def"
#undef STATUS
} tw_status;

/* Goes back to the caller with any status but TW_OK. */
#define TW_TRY(expression)                                                                         \
    do {                                                                                           \
        const tw_status tw_try_status_ = (expression);                                             \
        if (tw_try_status_ != TW_OK) return tw_try_status_;                                        \
    } while (0)

/* A failure told to a person: what is wrong, where, and what to do. */
typedef struct tw_err {
    tw_status status;
    char text[500]; /* UTF-8, NUL-terminated, "" when there is nothing to add */
} tw_err;

static inline bool tw_status_is_outcome(tw_status status)
{
    return status >= 0 && (int)status < 100;
}

static inline bool tw_status_is_host_failure(tw_status status)
{
    return (int)status < 0;
}

/* The sentence of status.def; static memory. */
const char *tw_status_text(tw_status status);

/* The enumerator's name without its TW_ prefix, e.g. "TRAP_OVERFLOW"; static memory. */
const char *tw_status_name(tw_status status);

/* The language's name of a trap ("Overflow"): what stands before the colon in the table's
 * sentence, or "" when the sentence has none. Writes at most 24 bytes with the NUL. */
void tw_status_trap_name(tw_status status, char ret_name[24]);

/* Fills `err` (may be NULL) and returns `status`, so a failure is one line. */
tw_status tw_err_set(tw_err *err, tw_status status, const char *format, ...) TW_PRINTF(3, 4);

#endif
