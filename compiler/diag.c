/* diag -- see the header. Columns count characters; the underline is drawn in terminal cells, with
 * the tabs of the source line repeated, so that it stands under the place on any terminal. */
#include "compiler/diag.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct code_row {
    uint32_t number;
    bool is_warning;
    const char *title, *text;
} code_row;

enum { ERROR = 0, WARNING = 1 };

static const code_row codes[] = {
#define DIAG(number, name, severity, title, text) {number, severity, title, text},
#include "compiler/diagnostics.def"
};

enum { CODE_COUNT = sizeof codes / sizeof codes[0], SHOWN_MAX = 160, SHOWN_BEFORE = 60 };

static const code_row *find_code(uint32_t number)
{
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (codes[i].number == number) return &codes[i];
    }
    return NULL;
}

bool twc_diag_explain(uint32_t number, const char **ret_title, const char **ret_text,
                      bool *ret_is_warning)
{
    const code_row *row = find_code(number);
    if (row == NULL) return false;
    *ret_title = row->title;
    *ret_text = row->text;
    *ret_is_warning = row->is_warning;
    return true;
}

bool twc_source_open(twc_source *source, tw_arena *arena)
{
    uint32_t count = 1;
    for (size_t i = 0; i < source->text.size; i++) count += source->text.data[i] == '\n';
    source->lines = TW_NEW_ARRAY(arena, uint32_t, count);
    if (source->lines == NULL) return false;
    source->line_count = 1;
    for (size_t i = 0; i < source->text.size; i++) {
        if (source->text.data[i] == '\n') source->lines[source->line_count++] = (uint32_t)i + 1;
    }
    assert(source->line_count == count);
    return true;
}

/* Among the lines of all files, from 0. */
static uint32_t line_index(const twc_source *source, uint32_t offset)
{
    uint32_t low = 0;
    uint32_t high = source->line_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static twc_part part_of(const twc_source *source, uint32_t offset)
{
    twc_part part = {.file = source->file};
    for (uint32_t i = 0; i < source->part_count && source->parts[i].start <= offset; i++) {
        part = source->parts[i];
    }
    return part;
}

uint32_t twc_source_line(const twc_source *source, uint32_t offset)
{
    return line_index(source, offset) - line_index(source, part_of(source, offset).start);
}

const char *twc_source_file(const twc_source *source, uint32_t offset)
{
    return part_of(source, offset).file;
}

static uint32_t characters(const twc_source *source, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++) count += (source->text.data[i] & 0xC0) != 0x80;
    return count;
}

twc_place twc_source_place(const twc_source *source, twc_span span)
{
    const uint32_t size = (uint32_t)source->text.size;
    const uint32_t start = span.start < size ? span.start : size;
    const uint32_t end = span.end < start ? start : span.end < size ? span.end : size;
    const uint32_t line = line_index(source, start);
    const uint32_t end_line = line_index(source, end);
    return (twc_place){
        twc_source_line(source, start) + 1,
        characters(source, source->lines[line], start) + 1,
        twc_source_line(source, start) + 1 + end_line - line,
        characters(source, source->lines[end_line], end) + 1,
    };
}

static char *format_text(twc_diags *diags, const char *format, va_list arguments)
{
    char text[600];
    const int wanted = vsnprintf(text, sizeof text, format, arguments);
    size_t size = wanted < 0 ? 0 : strlen(text);
    if (wanted >= (int)sizeof text) { /* cut: not inside a character */
        while (size > 0 && ((unsigned char)text[size - 1] & 0xC0) == 0x80) size--;
        if (size > 0 && (unsigned char)text[size - 1] >= 0xC0) size--;
    }
    char *copy = tw_arena_copy(diags->arena, text, size);
    if (copy != NULL) return copy;
    diags->lost_text[0] = '\0';
    return diags->lost_text;
}

/* True when this place and code were reported before: loops and retries then say it once. */
static bool is_repeated(const twc_diags *diags, twc_code code, twc_span span)
{
    for (const twc_diag *d = diags->first; d != NULL; d = d->next) {
        if (d->code == code && d->span.start == span.start && d->span.end == span.end) return true;
    }
    return false;
}

twc_diag *twc_diag_add(twc_diags *diags, twc_code code, twc_span span, const char *format, ...)
{
    const code_row *row = find_code((uint32_t)code);
    assert(row != NULL);
    uint32_t *count = row->is_warning ? &diags->warning_count : &diags->error_count;
    const bool last = *count == TWC_ERRORS_MAX;
    if (*count > TWC_ERRORS_MAX || is_repeated(diags, code, span)) return &diags->lost;
    (*count)++;
    twc_diag *diag = TW_NEW(diags->arena, twc_diag);
    if (diag == NULL || (last && row->is_warning)) return &diags->lost;
    *diag = (twc_diag){.code = code, .is_warning = row->is_warning, .span = span};
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(diags, format, arguments);
    va_end(arguments);
    char *help = strchr(text, '\n');
    diag->message = text;
    if (help != NULL) {
        *help = '\0';
        if (help[1] != '\0') diag->help = help + 1;
    }
    if (last) {
        diag->code = TWC_DIAG_TOO_MANY_ERRORS;
        diag->message = "too many errors: the rest is not shown";
        diag->help = NULL;
    }
    diag->next = diags->first;
    diags->first = diag;
    return diag;
}

void twc_diag_second(twc_diag *diag, twc_span span, const char *label)
{
    if (diag->code == TWC_DIAG_TOO_MANY_ERRORS) return;
    diag->second = span;
    diag->second_label = label;
}

/* The last message, that there are more, stays the last. */
static uint64_t rank(const twc_diag *diag)
{
    const bool last = diag->code == TWC_DIAG_TOO_MANY_ERRORS;
    return last ? UINT64_MAX : (uint64_t)diag->span.start << 32 | (uint64_t)diag->code;
}

/* Insertion sort: there are at most some hundred. */
void twc_diags_sort(twc_diags *diags)
{
    twc_diag *sorted = NULL;
    while (diags->first != NULL) {
        twc_diag *diag = diags->first;
        diags->first = diag->next;
        if (diag->is_warning && diags->error_count > 0) continue;
        twc_diag **at = &sorted;
        while (*at != NULL && rank(*at) < rank(diag)) at = &(*at)->next;
        diag->next = *at;
        *at = diag;
    }
    diags->first = sorted;
}

/* ------------------------------------------------------------------ text */

static void put(tw_writer *w, const char *text)
{
    tw_write_raw(w, text, strlen(text));
}

static void put_colored(tw_writer *w, bool color, const char *escape, const char *text)
{
    if (color) put(w, escape);
    put(w, text);
    if (color) put(w, "\x1b[0m");
}

/* Terminal cells of a character: marks that combine take none, East Asian letters and pictures two.
 */
static uint32_t cells(uint32_t c)
{
    if ((c >= 0x300 && c <= 0x36F) || c == 0x200B || c == 0xFE0F) return 0;
    const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) ||
                      (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) ||
                      (c >= 0xFE30 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x3FFFD);
    return wide ? 2 : 1;
}

typedef struct excerpt {
    uint32_t start, end; /* of the part of the line that is shown */
    uint32_t mark_start, mark_end;
} excerpt;

/* The part of the span's first line that fits a screen. */
static excerpt excerpt_of(const twc_source *source, twc_span span)
{
    const uint8_t *data = source->text.data;
    const uint32_t size = (uint32_t)source->text.size;
    excerpt e = {.mark_start = span.start < size ? span.start : size};
    const uint32_t line = line_index(source, e.mark_start);
    e.start = source->lines[line];
    e.end = line + 1 < source->line_count ? source->lines[line + 1] - 1 : size;
    if (e.end > e.start && data[e.end - 1] == '\r') e.end--;
    if (e.mark_start > e.end) e.mark_start = e.end;
    if (e.mark_start - e.start > SHOWN_MAX) {
        e.start = e.mark_start - SHOWN_BEFORE;
        while (e.start < e.mark_start && (data[e.start] & 0xC0) == 0x80) e.start++;
    }
    if (e.end - e.start > SHOWN_MAX + SHOWN_BEFORE) {
        e.end = e.start + SHOWN_MAX + SHOWN_BEFORE;
        while (e.end > e.mark_start && (data[e.end] & 0xC0) == 0x80) e.end--;
    }
    e.mark_end = span.end > e.end ? e.end : span.end;
    return e;
}

/* A character as it may be shown: bytes that are no UTF-8 and controls become '?'. */
static uint32_t put_character(tw_writer *w, tw_bytes text, uint32_t at, uint32_t *ret_cells)
{
    uint32_t c = 0;
    const uint32_t size = tw_utf8_next(text, at, &c);
    *ret_cells = 1;
    if (size == 0 || !tw_utf8_is_clean(tw_bytes_of(text.data + at, size))) {
        put(w, c == '\t' ? "\t" : "?");
        return size == 0 ? 1 : size;
    }
    *ret_cells = cells(c);
    tw_write_raw(w, text.data + at, size);
    return size;
}

static void render_line(const twc_source *source, twc_span span, const char *label, bool color,
                        tw_writer *w)
{
    char number[24];
    const excerpt e = excerpt_of(source, span);
    snprintf(number, sizeof number, "%5u | ", twc_source_line(source, e.mark_start) + 1);
    put_colored(w, color, "\x1b[2m", number);
    tw_writer below = tw_writer_new(64 * 1024);
    uint32_t under = 0;
    for (uint32_t at = e.start; at < e.end;) {
        uint32_t width = 1;
        const bool is_tab = source->text.data[at] == '\t';
        const uint32_t place = at;
        at += put_character(w, source->text, at, &width);
        if (place < e.mark_start) {
            if (is_tab) put(&below, "\t");
            for (uint32_t i = 0; !is_tab && i < width; i++) put(&below, " ");
        } else if (place < e.mark_end) {
            under += width;
        }
    }
    put(w, "\n");
    put_colored(w, color, "\x1b[2m", "      | ");
    tw_write_raw(w, below.data, below.size);
    tw_writer_free(&below);
    if (color) put(w, label == NULL ? "\x1b[1;31m" : "\x1b[1;34m");
    put(w, label == NULL ? "^" : "-");
    for (uint32_t i = 1; i < under; i++) put(w, label == NULL ? "~" : "-");
    if (label != NULL) {
        put(w, " ");
        put(w, label);
    }
    if (color) put(w, "\x1b[0m");
    put(w, "\n");
}

void twc_diag_render(const twc_source *source, const twc_diag *diag, bool color, tw_writer *w)
{
    const twc_place place = twc_source_place(source, diag->span);
    char text[64];
    snprintf(text, sizeof text, ":%u:%u: ", place.line, place.column);
    put(w, twc_source_file(source, diag->span.start));
    put(w, text);
    snprintf(text, sizeof text,
             diag->is_warning ? "warning[W%04u]: " : "error[E%04u]: ", (unsigned)diag->code);
    put_colored(w, color, diag->is_warning ? "\x1b[1;33m" : "\x1b[1;31m", text);
    put_colored(w, color, "\x1b[1m", diag->message);
    put(w, "\n");
    render_line(source, diag->span, NULL, color, w);
    if (diag->second_label != NULL) {
        const char *file = twc_source_file(source, diag->second.start);
        if (file != twc_source_file(source, diag->span.start)) {
            put(w, "in ");
            put(w, file);
            put(w, "\n");
        }
        render_line(source, diag->second, diag->second_label, color, w);
    }
    if (diag->help != NULL) {
        put_colored(w, color, "\x1b[1;32m", "help: ");
        put(w, diag->help);
        put(w, "\n");
    }
}

void twc_json_string(tw_writer *w, const char *text)
{
    put(w, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        const bool control = (unsigned char)*c < 0x20;
        tw_print(w, control ? "\\u%04x" : *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    put(w, "\"");
}

void twc_diag_json(const twc_source *source, const twc_diag *diag, tw_writer *w)
{
    const twc_place place = twc_source_place(source, diag->span);
    tw_print(w, "{\"file\": ");
    twc_json_string(w, twc_source_file(source, diag->span.start));
    tw_print(w,
             ", \"line\": %u, \"column\": %u, \"end\": {\"line\": %u, \"column\": %u}, "
             "\"severity\": \"%s\", \"code\": \"%c%04u\", \"message\": ",
             place.line, place.column, place.end_line, place.end_column,
             diag->is_warning ? "warning" : "error", diag->is_warning ? 'W' : 'E',
             (unsigned)diag->code);
    twc_json_string(w, diag->message);
    put(w, ", \"help\": ");
    if (diag->help != NULL) twc_json_string(w, diag->help);
    put(w, diag->help != NULL ? "}" : "null}");
}
