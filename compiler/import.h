/* import -- the files that a source imports: found, read, put in order.
 *
 * Called by front. A library module of the compiler ("std/x") is part of libtwc; what begins with
 * "./" is asked of the caller, by a name made of the importing file's folder and the path. Each
 * file is read once. All of them together obey the limits of one source.
 */
#ifndef TWC_IMPORT_H
#define TWC_IMPORT_H

#include "compiler/diag.h"

enum { TWC_FILES_MAX = 64, TWC_PATH_MAX = 240 };

/* What the build made of the folder stdlib. */
typedef struct twc_module_text {
    const char *name; /* "std/vibration" */
    const uint8_t *text;
    uint32_t size;
} twc_module_text;
const twc_module_text *twc_std_modules(uint32_t *ret_count);

struct twc_files; /* twc.h */

typedef enum twc_found {
    TWC_FOUND,
    TWC_NOT_FOUND,
    TWC_FOUND_TOO_LARGE,
} twc_found;

/* The files of a compilation; file 0 is the one that is compiled. */
typedef struct twc_imports {
    tw_writer text; /* of all of them, one behind the other */
    twc_part parts[TWC_FILES_MAX];
    twc_found found[TWC_FILES_MAX];
    char names[TWC_FILES_MAX][TWC_PATH_MAX + 1];
    uint32_t count;
    bool too_many;
} twc_imports;

/* Reads what `source` imports. *ret_imports is NULL when it imports nothing; to be freed with
 * twc_imports_free. False without memory. `files` may be NULL. */
bool twc_imports_read(const char *file, tw_bytes source, const struct twc_files *files,
                      twc_imports **ret_imports);
void twc_imports_free(twc_imports *imports); /* NULL is allowed */

/* Says for each import which program it means, and in what order the programs stand; reports what
 * is not there and what imports itself. `programs[i]` is file i parsed, NULL where that failed. */
void twc_imports_link(const twc_imports *imports, twc_program **programs, tw_arena *arena,
                      twc_diags *diags);

#endif
