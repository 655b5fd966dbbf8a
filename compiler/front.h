/* front -- source to checked tree: what the `check` of the command and the code generator share.
 *
 * A front owns the arena of one compilation; everything it hands out lives in it.
 */
#ifndef TWC_FRONT_H
#define TWC_FRONT_H

#include "compiler/import.h"
#include "compiler/lex.h"

typedef struct twc_front {
    tw_arena *arena;
    twc_imports *imports; /* NULL when it imports nothing */
    twc_source source;
    twc_words words;
    twc_diags diags;
    twc_program *program; /* complete when diags.error_count is 0; else maybe NULL */
} twc_front;

/* Reads, parses and checks. NULL without memory. `file` and `source` must outlive the result. */
twc_front *twc_front_open_with(const char *file, tw_bytes source, const struct twc_files *files);
twc_front *twc_front_open(const char *file, tw_bytes source); /* without files */
void twc_front_free(twc_front *front);                        /* NULL is allowed */

#endif
