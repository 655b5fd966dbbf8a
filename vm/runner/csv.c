/* csv -- see the header.
 *
 * One buffer holds the row being read; it grows up to TW_CSV_ROW_MAX and is used again for the
 * next row. Cells are offsets into it, so a row costs no allocation.
 */
#include "vm/runner/csv.h"

#include "vm/base/arena.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_SIZE = 64 * 1024, HEADER_NAMES_MAX = 256 };

typedef struct place {
    uint32_t start, size;
} place;

struct tw_csv {
    FILE *file; /* NULL: the input is `input` alone */
    bool own_file;
    const char *name;
    uint8_t *chunk;
    tw_bytes input; /* what of chunk or of the caller's bytes is not yet read */
    size_t input_at;
    char separator;
    tw_arena *arena; /* header names */
    const char **columns;
    uint32_t column_count;
    uint8_t *row;
    size_t row_size, row_capacity;
    place *cells;
    uint32_t cell_count, cell_capacity;
    uint64_t line; /* next line to be read, from 1 */
    uint64_t row_line, row_number;
    bool ended;
};

static tw_status refuse(const tw_csv *csv, uint64_t line, tw_err *err, const char *text)
{
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s:%llu: %s", csv->name, (unsigned long long)line,
                      text);
}

/* ---- bytes ---- */

static tw_status fill(tw_csv *csv, tw_err *err)
{
    if (csv->file == NULL || csv->input_at < csv->input.size) return TW_OK;
    errno = 0;
    const size_t size = fread(csv->chunk, 1, CHUNK_SIZE, csv->file);
    if (size == 0 && ferror(csv->file)) {
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be read: %s", csv->name, strerror(errno));
    }
    csv->input = tw_bytes_of(csv->chunk, size);
    csv->input_at = 0;
    return TW_OK;
}

/* Removes a UTF-8 byte order mark, and refuses UTF-16 by name. */
static tw_status skip_mark(tw_csv *csv, tw_err *err)
{
    TW_TRY(fill(csv, err));
    const uint8_t *b = csv->input.data;
    const size_t size = csv->input.size;
    if (size >= 2 && ((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF))) {
        return refuse(csv, 1, err, "the file is UTF-16; save it as UTF-8");
    }
    if (size >= 3 && memcmp(b, "\xEF\xBB\xBF", 3) == 0) csv->input_at = 3;
    return TW_OK;
}

static tw_status grow_row(tw_csv *csv, size_t size, tw_err *err)
{
    if (csv->row_size + size > TW_CSV_ROW_MAX) {
        return refuse(csv, csv->row_line, err,
                      "the row is longer than 1 MiB; is this a text file with lines?");
    }
    if (csv->row_size + size <= csv->row_capacity) return TW_OK;
    size_t capacity = csv->row_capacity == 0 ? 4096 : csv->row_capacity;
    while (capacity < csv->row_size + size) capacity *= 2;
    uint8_t *row = tw_mem_resize(csv->row, csv->row_capacity, capacity);
    if (row == NULL) return TW_ERR_MEMORY;
    csv->row = row;
    csv->row_capacity = capacity;
    return TW_OK;
}

/* Reads one record into `row`: up to a line end outside quotes. A quote opens only at the start of
 * a cell, so that 5" is text. *ret_any is false at the end of the input. */
static tw_status read_record(tw_csv *csv, bool quotes, bool *ret_any, tw_err *err)
{
    bool quoted = false;
    bool opens = true; /* a quote here opens: at the start of a cell, or right behind a quote */
    csv->row_size = 0;
    csv->row_line = csv->line;
    *ret_any = false;
    for (;;) {
        TW_TRY(fill(csv, err));
        if (csv->input_at >= csv->input.size) break;
        *ret_any = true;
        const uint8_t c = csv->input.data[csv->input_at++];
        if (c == '\n') csv->line++;
        if (c == '\n' && !quoted) return TW_OK;
        if (c == 0) return refuse(csv, csv->line, err, "a NUL byte; this is no text file");
        const bool quote = c == '"' && quotes && (quoted || opens);
        if (quote) quoted = !quoted;
        opens = !quoted && (quote || c == (uint8_t)csv->separator);
        TW_TRY(grow_row(csv, 1, err));
        csv->row[csv->row_size++] = c;
    }
    if (quoted) return refuse(csv, csv->row_line, err, "a quote is opened and never closed");
    csv->ended = true;
    return TW_OK;
}

/* ---- cells ---- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static tw_status add_cell(tw_csv *csv, size_t start, size_t end, tw_err *err)
{
    if (csv->cell_count == TW_CSV_CELLS_MAX) {
        return refuse(csv, csv->row_line, err, "the row has more than 16384 cells");
    }
    if (csv->cell_count == csv->cell_capacity) {
        const uint32_t capacity = csv->cell_capacity == 0 ? 32 : 2 * csv->cell_capacity;
        place *cells =
            tw_mem_resize(csv->cells, csv->cell_capacity * sizeof *cells, capacity * sizeof *cells);
        if (cells == NULL) return TW_ERR_MEMORY;
        csv->cells = cells;
        csv->cell_capacity = capacity;
    }
    while (start < end && is_blank(csv->row[start])) start++;
    while (end > start && is_blank(csv->row[end - 1])) end--;
    csv->cells[csv->cell_count++] = (place){(uint32_t)start, (uint32_t)(end - start)};
    return TW_OK;
}

/* Takes the quotes of a cell away in place; returns where its text ends. *at moves behind the
 * closing quote. */
static size_t unquote(tw_csv *csv, size_t *at)
{
    size_t to = *at;
    size_t from = *at + 1;
    while (from < csv->row_size) {
        if (csv->row[from] == '"') {
            if (from + 1 >= csv->row_size || csv->row[from + 1] != '"') break;
            from++;
        }
        csv->row[to++] = csv->row[from++];
    }
    *at = from + 1;
    return to;
}

static tw_status split(tw_csv *csv, tw_err *err)
{
    size_t at = 0;
    csv->cell_count = 0;
    if (csv->row_size > 0 && csv->row[csv->row_size - 1] == '\r') csv->row_size--;
    for (;;) {
        const size_t start = at;
        size_t end = at;
        if (at < csv->row_size && csv->row[at] == '"') {
            end = unquote(csv, &at);
            while (at < csv->row_size && is_blank(csv->row[at])) at++;
            if (at < csv->row_size && csv->row[at] != (uint8_t)csv->separator) {
                return refuse(csv, csv->row_line, err, "text stands behind a closing quote");
            }
        } else {
            while (at < csv->row_size && csv->row[at] != (uint8_t)csv->separator) at++;
            end = at;
        }
        TW_TRY(add_cell(csv, start, end, err));
        if (at >= csv->row_size) return TW_OK;
        at++; /* the separator */
    }
}

static bool row_is_empty(const tw_csv *csv)
{
    for (uint32_t i = 0; i < csv->cell_count; i++) {
        if (csv->cells[i].size > 0) return false;
    }
    return true;
}

/* ---- header ---- */

/* The separator that stands most often in the line outside quotes; a comma when none does. */
static char sniff(const uint8_t *row, size_t size)
{
    static const char candidates[] = ",;\t";
    size_t counts[3] = {0};
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        if (row[i] == '"') quoted = !quoted;
        for (int k = 0; k < 3 && !quoted; k++) counts[k] += row[i] == (uint8_t)candidates[k];
    }
    int best = 0;
    for (int k = 1; k < 3; k++) {
        if (counts[k] > counts[best]) best = k;
    }
    return candidates[best];
}

static tw_status name_columns(tw_csv *csv, bool headless)
{
    csv->column_count = csv->cell_count;
    csv->columns = TW_NEW_ARRAY(csv->arena, const char *, csv->cell_count);
    if (csv->columns == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < csv->cell_count; i++) {
        char number[16];
        snprintf(number, sizeof number, "%u", i + 1);
        const tw_bytes cell = headless ? tw_bytes_of(number, strlen(number)) : tw_csv_cell(csv, i);
        csv->columns[i] = tw_arena_copy(csv->arena, cell.data, cell.size);
        if (csv->columns[i] == NULL) return TW_ERR_MEMORY;
    }
    return TW_OK;
}

static tw_status read_header(tw_csv *csv, const tw_csv_options *options, tw_err *err)
{
    bool any = true;
    TW_TRY(skip_mark(csv, err));
    for (uint32_t i = 0; i < options->skip && any; i++) {
        TW_TRY(read_record(csv, false, &any, err));
    }
    do {
        TW_TRY(read_record(csv, true, &any, err));
        if (!any) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT,
                              options->skip > 0 ? "%s: nothing stands behind the lines skipped"
                                                : "%s: the file is empty",
                              csv->name);
        }
        if (csv->separator == 0) csv->separator = sniff(csv->row, csv->row_size);
        TW_TRY(split(csv, err));
        if (row_is_empty(csv)) csv->separator = options->separator;
    } while (row_is_empty(csv));
    if (csv->cell_count > HEADER_NAMES_MAX && !options->headless) {
        return refuse(csv, csv->row_line, err, "the header has more than 256 columns");
    }
    return name_columns(csv, options->headless);
}

static tw_status open_rest(tw_csv *csv, const tw_csv_options *options, tw_csv **ret_csv,
                           tw_err *err)
{
    csv->separator = options->separator;
    csv->line = 1;
    csv->arena = tw_arena_new(4 * TW_CSV_ROW_MAX);
    tw_status status = csv->arena == NULL ? TW_ERR_MEMORY : read_header(csv, options, err);
    if (status != TW_OK) {
        tw_csv_close(csv);
        return status;
    }
    /* without a header the row just read is data: it is given out first */
    csv->row_number = 0;
    if (options->headless) csv->row_number = UINT64_MAX;
    *ret_csv = csv;
    return TW_OK;
}

tw_status tw_csv_open(const char *path, const tw_csv_options *options, tw_csv **ret_csv,
                      tw_err *err)
{
    tw_csv *csv = tw_mem_new(sizeof *csv);
    if (csv == NULL) return TW_ERR_MEMORY;
    csv->name = options->name != NULL ? options->name : path;
    csv->chunk = tw_mem_new(CHUNK_SIZE);
    csv->own_file = strcmp(path, "-") != 0;
    errno = 0;
    csv->file = csv->own_file ? fopen(path, "rb") : stdin;
    if (csv->chunk == NULL || csv->file == NULL) {
        const bool no_file = csv->file == NULL;
        const char *reason = strerror(errno);
        tw_csv_close(csv);
        if (!no_file) return TW_ERR_MEMORY;
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be opened: %s", path, reason);
    }
    return open_rest(csv, options, ret_csv, err);
}

tw_status tw_csv_open_bytes(tw_bytes bytes, const tw_csv_options *options, tw_csv **ret_csv,
                            tw_err *err)
{
    tw_csv *csv = tw_mem_new(sizeof *csv);
    if (csv == NULL) return TW_ERR_MEMORY;
    csv->name = options->name != NULL ? options->name : "input";
    csv->input = bytes;
    return open_rest(csv, options, ret_csv, err);
}

void tw_csv_close(tw_csv *csv)
{
    if (csv == NULL) return;
    if (csv->own_file && csv->file != NULL) fclose(csv->file);
    tw_arena_free(csv->arena);
    tw_mem_free(csv->chunk);
    tw_mem_free(csv->row);
    tw_mem_free(csv->cells);
    tw_mem_free(csv);
}

static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        const char x = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        const char y = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (x != y) return false;
    }
    return *a == *b;
}

bool tw_csv_column(const tw_csv *csv, const char *name, uint32_t *ret_column, tw_err *err)
{
    /* the exact name first: two columns may differ in case alone */
    for (uint32_t i = 0; i < csv->column_count; i++) {
        if (strcmp(csv->columns[i], name) != 0) continue;
        *ret_column = i;
        return true;
    }
    for (uint32_t i = 0; i < csv->column_count; i++) {
        if (!same_name(csv->columns[i], name)) continue;
        *ret_column = i;
        return true;
    }
    char list[320] = "";
    size_t size = 0;
    for (uint32_t i = 0; i < csv->column_count; i++) {
        char quote[TW_CSV_QUOTE_MAX];
        const char *text =
            tw_csv_quote(tw_bytes_of(csv->columns[i], strlen(csv->columns[i])), quote);
        if (size + strlen(text) + 8 > sizeof list) {
            snprintf(list + size, sizeof list - size, ", ...");
            break;
        }
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", i > 0 ? ", " : "", text);
    }
    char quote[TW_CSV_QUOTE_MAX];
    tw_err_set(err, TW_REFUSED_ARGUMENT, "%s: there is no column %s; there are: %s", csv->name,
               tw_csv_quote(tw_bytes_of(name, strlen(name)), quote), list);
    return false;
}

uint32_t tw_csv_column_count(const tw_csv *csv)
{
    return csv->column_count;
}

const char *tw_csv_column_name(const tw_csv *csv, uint32_t column)
{
    return column < csv->column_count ? csv->columns[column] : "";
}

/* ---- rows ---- */

tw_status tw_csv_next(tw_csv *csv, bool *ret_row, tw_err *err)
{
    bool any = false;
    if (csv->row_number == UINT64_MAX) { /* the first row of a file without header */
        csv->row_number = 1;
        *ret_row = true;
        return TW_OK;
    }
    do {
        *ret_row = false;
        if (csv->ended) return TW_OK;
        TW_TRY(read_record(csv, true, &any, err));
        if (!any) return TW_OK;
        TW_TRY(split(csv, err));
    } while (row_is_empty(csv));
    csv->row_number++;
    *ret_row = true;
    return TW_OK;
}

tw_bytes tw_csv_cell(const tw_csv *csv, uint32_t column)
{
    if (column >= csv->cell_count) return tw_bytes_of("", 0);
    return tw_bytes_of(csv->row + csv->cells[column].start, csv->cells[column].size);
}

uint32_t tw_csv_cell_count(const tw_csv *csv)
{
    return csv->cell_count;
}

uint64_t tw_csv_line(const tw_csv *csv)
{
    return csv->row_line;
}

uint64_t tw_csv_row(const tw_csv *csv)
{
    return csv->row_number;
}

/* Bytes of the UTF-8 character at the start of `text`, 0 when it is none or is not clean. */
static size_t character_size(tw_bytes text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++) {
        if (tw_utf8_is_clean(tw_bytes_of(text.data, size))) return size;
    }
    return 0;
}

const char *tw_csv_quote(tw_bytes cell, char ret_text[TW_CSV_QUOTE_MAX])
{
    size_t to = 0;
    size_t characters = 0;
    ret_text[to++] = '"';
    while (cell.size > 0 && characters < 40) {
        size_t size = character_size(cell);
        if (size > 0) {
            memcpy(ret_text + to, cell.data, size);
            to += size;
        } else {
            ret_text[to++] = '?';
            size = 1;
        }
        cell = tw_bytes_of(cell.data + size, cell.size - size);
        characters++;
    }
    snprintf(ret_text + to, TW_CSV_QUOTE_MAX - to, cell.size > 0 ? "\"..." : "\"");
    return ret_text;
}
