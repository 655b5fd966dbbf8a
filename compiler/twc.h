/* twc -- the compiler as a library: source text in, diagnostics out.
 *
 * The one public header of libtwc. A result owns everything it hands out. No files, no output, no
 * exit; memory is at most 4 MiB plus 96 times the source (itself at most 1 MiB). Any bytes are a
 * valid input. Results do not depend on anything but the source, so calls may run in parallel.
 */
#ifndef TWC_TWC_H
#define TWC_TWC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct twc_result twc_result;

typedef struct twc_message {
    const char *file;
    uint32_t line, column; /* from 1, in characters */
    uint32_t end_line, end_column;
    bool is_warning;
    uint32_t code; /* 104 for E0104 */
    const char *text;
    const char *help; /* NULL without */
} twc_message;

/* Checks one source. `file_name` is only used in messages. NULL without memory. Both inputs must
 * outlive the result. */
twc_result *twc_check(const char *file_name, const void *source, size_t size);
void twc_result_free(twc_result *result); /* NULL is allowed */

uint32_t twc_result_error_count(const twc_result *result);
uint32_t twc_result_message_count(const twc_result *result);
/* Sorted by place. `index` below the count. */
twc_message twc_result_message(const twc_result *result, uint32_t index);

/* All messages as an author reads them, or as one JSON array; ends with a NUL, lives as long as the
 * result. NULL without memory. */
const char *twc_result_report(twc_result *result, bool color);
const char *twc_result_json(twc_result *result);

/* The title and explanation of a code ("E0104", "W0801"); false for none. Static memory. */
bool twc_explain(const char *code, const char **ret_title, const char **ret_text);

#endif
