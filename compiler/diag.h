/* diag -- what is wrong with a source, as values: places, codes, sentences, help.
 *
 * Every stage of the compiler adds to one list; twc.c hands it to the caller sorted by place. A
 * place is a pair of byte offsets; twc_source_place turns it into line and column. At most
 * TWC_ERRORS_MAX errors are kept, then one last line says that there are more.
 */
#ifndef TWC_DIAG_H
#define TWC_DIAG_H

#include "compiler/ast.h"

enum { TWC_ERRORS_MAX = 50, TWC_SOURCE_MAX = 1024 * 1024 };

/* TWC_DIAG_UNKNOWN_UNIT = 104 ...: the number is the code, the table diagnostics.def. */
typedef enum twc_code {
#define DIAG(number, name, severity, title, text) TWC_DIAG_##name = (number),
#include "compiler/diagnostics.def"
} twc_code;

/* A file in the text of a compilation. */
typedef struct twc_part {
    const char *file;
    uint32_t start, end;
} twc_part;

/* The text of all files, one behind the other, so that an offset says file and place; or one file
 * of it, which is read from `start` to the text's end. */
typedef struct twc_source {
    const char *file;
    tw_bytes text;
    uint32_t start;
    uint32_t *lines; /* offset of each line's first byte */
    uint32_t line_count;
    const twc_part *parts; /* by their starts; NULL: all of the text is `file` */
    uint32_t part_count;
} twc_source;

/* From 1; column and width count characters, not bytes. */
typedef struct twc_place {
    uint32_t line, column, end_line, end_column;
} twc_place;

typedef struct twc_diag {
    struct twc_diag *next;
    twc_code code;
    bool is_warning;
    twc_span span;
    const char *message;
    const char *help; /* NULL without */
    twc_span second;
    const char *second_label; /* NULL without */
} twc_diag;

typedef struct twc_diags {
    tw_arena *arena;
    const twc_source *source;
    twc_diag *first; /* newest first until sorted */
    uint32_t error_count, warning_count;
    bool out_of_memory; /* while code is made */
    char lost_text[4];
    twc_diag lost; /* what could not be kept is written here and not read */
} twc_diags;

/* Fills the line table. False without memory. */
bool twc_source_open(twc_source *source, tw_arena *arena);
/* The line of a byte in its file, from 0. */
uint32_t twc_source_line(const twc_source *source, uint32_t offset);
/* The file in which a byte stands. */
const char *twc_source_file(const twc_source *source, uint32_t offset);
twc_place twc_source_place(const twc_source *source, twc_span span);

/* Adds one; what follows a newline in the text is the help. Never NULL: what is over the limit, or
 * repeats a place and code, is not linked. */
twc_diag *twc_diag_add(twc_diags *diags, twc_code code, twc_span span, const char *format, ...)
    TW_PRINTF(4, 5);
void twc_diag_second(twc_diag *diag, twc_span span, const char *label);
/* By place. Warnings are dropped where there are errors: what looks unused or odd often is so
 * because of one. */
void twc_diags_sort(twc_diags *diags);

/* Text for a terminal: message, line, underline, second place, help. */
void twc_diag_render(const twc_source *source, const twc_diag *diag, bool color, tw_writer *w);
/* The text in quotes, with what JSON wants escaped. */
void twc_json_string(tw_writer *w, const char *text);
/* One object of the array that --json prints. */
void twc_diag_json(const twc_source *source, const twc_diag *diag, tw_writer *w);
/* The title and the explanation of a code; false when there is none of this number. */
bool twc_diag_explain(uint32_t number, const char **ret_title, const char **ret_text,
                      bool *ret_is_warning);

#endif
