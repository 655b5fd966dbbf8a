/* csv -- reads a table of text row by row, in bounded memory, and says where it is wrong.
 *
 * Called by `feed`. The dialect is RFC 4180 with what sensors and spreadsheets really write: a
 * byte order mark, LF or CRLF, lines of prose before the header, and `,` `;` or tab between the
 * cells. A row is at most TW_CSV_ROW_MAX bytes; longer ones, NUL bytes and open quotes end the
 * reading with a sentence that names file and line. Cells are text: nothing is a number here.
 */
#ifndef TW_RUNNER_CSV_H
#define TW_RUNNER_CSV_H

#include "vm/base/bytes.h"

enum { TW_CSV_ROW_MAX = 1024 * 1024, TW_CSV_CELLS_MAX = 16384 };

typedef struct tw_csv tw_csv;

typedef struct tw_csv_options {
    char separator;   /* 0: the one of , ; tab that stands most often in the header */
    uint32_t skip;    /* lines of prose before the header */
    bool headless;    /* no header: columns are named "1", "2", ... */
    const char *name; /* for errors; NULL: the path */
} tw_csv_options;

/* Opens a file ("-" is standard input) and reads its header. TW_REFUSED_ARGUMENT with a sentence
 * when there is none. */
TW_MUST_USE tw_status tw_csv_open(const char *path, const tw_csv_options *options, tw_csv **ret_csv,
                                  tw_err *err);
/* The same over bytes, which must outlive the reader. */
TW_MUST_USE tw_status tw_csv_open_bytes(tw_bytes bytes, const tw_csv_options *options,
                                        tw_csv **ret_csv, tw_err *err);
void tw_csv_close(tw_csv *csv); /* NULL is allowed */

/* The column of this name, white space around it and letter case aside. False with a sentence
 * that names the columns there are. */
bool tw_csv_column(const tw_csv *csv, const char *name, uint32_t *ret_column, tw_err *err);
uint32_t tw_csv_column_count(const tw_csv *csv);
const char *tw_csv_column_name(const tw_csv *csv, uint32_t column);

/* The next row that is not empty. *ret_row is false at the end. */
TW_MUST_USE tw_status tw_csv_next(tw_csv *csv, bool *ret_row, tw_err *err);

/* A cell of the row, without quotes and without white space around it; empty for a column that the
 * row does not reach. Borrowed until the next row. */
tw_bytes tw_csv_cell(const tw_csv *csv, uint32_t column);
uint32_t tw_csv_cell_count(const tw_csv *csv); /* of this row */

/* Where the row begins: its line in the file, from 1, and its number among the rows, from 1. */
uint64_t tw_csv_line(const tw_csv *csv);
uint64_t tw_csv_row(const tw_csv *csv);

/* Text for a message: at most 40 characters, control characters and broken UTF-8 as `?`. */
enum { TW_CSV_QUOTE_MAX = 176 };
const char *tw_csv_quote(tw_bytes cell, char ret_text[TW_CSV_QUOTE_MAX]);

#endif
