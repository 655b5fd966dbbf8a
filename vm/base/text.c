/* text -- see the header. Each function first writes, and returns; what stands below reads. */
#include "vm/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX = 100, LIST_SHIFT = 16, NO_PLACE = -1, LABEL_BITS = 14 };

static_assert(TW_TEXT_LABELS == 1 << LABEL_BITS, "a label is a number of so many bits");

/* ------------------------------------------------------------------ names */

static bool same(const char *name, tw_bytes other)
{
    return strlen(name) == other.size && memcmp(name, other.data, other.size) == 0;
}

/* Where the name is in the table, or where it would be: UINT32_MAX. */
static uint32_t *place_of(const tw_text *t, uint32_t list, tw_bytes name)
{
    uint64_t hash = 14695981039346656037u + list;
    for (size_t i = 0; i < name.size; i++) hash = (hash ^ name.data[i]) * 1099511628211u;
    for (uint32_t at = (uint32_t)(hash >> 20);; at++) {
        uint32_t *place = &t->places[at & (t->place_count - 1)];
        if (*place == UINT32_MAX) return place;
        if (*place >> LIST_SHIFT != list) continue;
        if (same(t->lists[list].items[*place & 0xFFFF], name)) return place;
    }
}

/* The first number that has the name, or NO_PLACE. */
static int32_t find(const tw_text *t, const tw_text_list *list, tw_bytes name)
{
    if (list >= t->lists && list < t->lists + t->list_count) {
        const uint32_t place = *place_of(t, (uint32_t)(list - t->lists), name);
        return place != UINT32_MAX ? (int32_t)(place & 0xFFFF) : NO_PLACE;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (same(list->items[i], name)) return (int32_t)i;
    }
    return NO_PLACE;
}

const char **tw_text_list_new(tw_text *t, uint32_t list, uint32_t count)
{
    t->lists[list].items = TW_NEW_ARRAY(t->arena, const char *, count);
    t->lists[list].count = t->lists[list].items != NULL ? count : 0;
    t->bad |= t->lists[list].items == NULL;
    return t->lists[list].items;
}

void tw_text_list_set(tw_text *t, uint32_t list, uint32_t i, const char *name)
{
    if (i >= t->lists[list].count || name == NULL) return;
    t->lists[list].items[i] = name;
    uint32_t *place = place_of(t, list, tw_bytes_of(name, strlen(name)));
    if (*place == UINT32_MAX) *place = list << LIST_SHIFT | i;
}

bool tw_text_begin(tw_text *t)
{
    uint32_t count = 1;
    for (uint32_t list = 0; list < t->list_count; list++) count += t->lists[list].count;
    for (t->place_count = 1; t->place_count < 2 * count;) t->place_count *= 2;
    t->places = TW_NEW_ARRAY(t->arena, uint32_t, t->place_count);
    if (t->places == NULL || t->bad) return false;
    memset(t->places, 0xFF, t->place_count * sizeof *t->places);
    for (uint32_t list = 0; list < t->list_count; list++) {
        const char **items = t->lists[list].items;
        for (uint32_t i = 0; items != NULL && i < t->lists[list].count; i++) {
            tw_text_list_set(t, list, i, items[i]);
        }
    }
    t->scope = 1;
    if (t->w == NULL) tw_text_next(t);
    return true;
}

/* ------------------------------------------------------------------ words */

void tw_text_fail(tw_text *t, const char *format, ...)
{
    char text[TW_TEXT_NOTE_MAX];
    if (t->bad) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const bool cut = t->line_from != 0 && t->line != t->line_from;
    (void)tw_err_set(t->err, TW_REFUSED_SOURCE, "line %u: %s", cut ? t->line_from : t->line,
                     cut ? "an operand is missing" : text);
    t->bad = true;
    t->at = t->source.size;
    t->word = (tw_bytes){0};
    t->quoted = false;
}

/* Between quotes everything stands for itself but \" and \\. */
static void next_quoted(tw_text *t)
{
    const uint8_t *s = t->source.data;
    size_t end = t->at + 1;
    while (end < t->source.size && s[end] != '"' && s[end] != '\n') end += s[end] == '\\' ? 2 : 1;
    if (end >= t->source.size || s[end] != '"') {
        tw_text_fail(t, "a quote is not closed; write \\\" for a quote inside a name");
        return;
    }
    char *text = tw_arena_copy(t->arena, s + t->at + 1, end - t->at - 1);
    if (text == NULL) {
        tw_text_fail(t, "the text needs too much memory");
        return;
    }
    size_t size = 0;
    for (size_t i = t->at + 1; i < end; i++) text[size++] = (char)(s[i] == '\\' ? s[++i] : s[i]);
    text[size] = '\0';
    t->word = tw_bytes_of(text, size);
    t->quoted = true;
    t->at = end + 1;
}

static bool is_blank(uint8_t c)
{
    return c <= ' ' || c == ',';
}

static bool is_mark(uint8_t c)
{
    return c == '{' || c == '}' || c == ';' || c == '"';
}

void tw_text_next(tw_text *t)
{
    const tw_bytes s = t->source;
    t->word = (tw_bytes){0};
    t->quoted = false;
    while (t->at < s.size && (is_blank(s.data[t->at]) || s.data[t->at] == ';')) {
        const bool comment = s.data[t->at] == ';';
        while (comment && t->at < s.size && s.data[t->at] != '\n') t->at++;
        if (!comment) t->line += s.data[t->at++] == '\n';
    }
    if (t->at == s.size) return;
    const size_t start = t->at;
    if (s.data[start] == '"') {
        next_quoted(t);
        return;
    }
    t->at++;
    const bool brace = is_mark(s.data[start]);
    while (!brace && t->at < s.size && !is_blank(s.data[t->at]) && !is_mark(s.data[t->at])) {
        t->at++;
    }
    t->word = tw_bytes_of(s.data + start, t->at - start);
}

bool tw_text_is(const tw_text *t, const char *word)
{
    return !t->quoted && tw_bytes_equal(t->word, tw_bytes_of(word, strlen(word)));
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool tw_text_is_prefixed(const tw_text *t, char prefix)
{
    const tw_bytes word = t->word;
    return !t->quoted && word.size > 1 && word.data[0] == (uint8_t)prefix &&
           (is_digit(word.data[1]) || (word.data[1] == '-' && word.size > 2));
}

bool tw_text_is_number(const tw_text *t)
{
    return !t->quoted && t->word.size > 0 && is_digit(t->word.data[0]);
}

bool tw_text_accept(tw_text *t, const char *word)
{
    if (!tw_text_is(t, word)) return false;
    tw_text_next(t);
    return true;
}

/* The next word, for a message. */
static const char *seen(const tw_text *t, char ret_text[NAME_MAX])
{
    snprintf(ret_text, NAME_MAX, "%.*s", t->word.size < 60 ? (int)t->word.size : 60,
             t->word.size > 0 ? (const char *)t->word.data : "");
    return t->word.size > 0 || t->quoted ? ret_text : "the end";
}

/* True when the part that the label announces is there. */
static bool labelled(tw_text *t, const char *label, bool needed)
{
    char text[NAME_MAX];
    if (label == NULL || tw_text_accept(t, label)) return true;
    if (needed) tw_text_fail(t, "`%s` belongs here, not %s", label, seen(t, text));
    return false;
}

/* ------------------------------------------------------------------ lines and notes */

static bool at_line_start(const tw_text *t)
{
    return t->w->size == 0 || t->w->data[t->w->size - 1] == '\n';
}

void tw_text_line(tw_text *t, const char *indent)
{
    if (t->w == NULL) return;
    const bool noted = t->note[0] != '\0';
    tw_print(t->w, "%s%s%s%s", noted ? "  ; " : "", t->note, noted || !at_line_start(t) ? "\n" : "",
             indent);
    t->note[0] = '\0';
}

static void write_label(tw_text *t, const char *label)
{
    if (label != NULL) tw_print(t->w, at_line_start(t) ? "%s" : " %s", label);
}

void tw_text_note(tw_text *t, const char *label, int64_t value, tw_dimension dimension)
{
    char text[TW_QUANTITY_TEXT_MAX];
    const size_t used = strlen(t->note);
    if (t->w == NULL || dimension == TW_DIM_NONE || dimension == TW_DIM_INT) return;
    tw_quantity_print(value, dimension, text);
    snprintf(t->note + used, sizeof t->note - used, ", %s %s", label, text);
}

/* ------------------------------------------------------------------ numbers */

/* Decimal or 0x hex digits behind an optional minus. */
static bool number_of(tw_bytes word, bool *negative, uint64_t *value)
{
    size_t at = *negative = word.size > 0 && word.data[0] == '-';
    const bool hex = word.size > at + 2 && word.data[at] == '0' && word.data[at + 1] == 'x';
    if (hex) at += 2;
    bool good = at < word.size;
    for (*value = 0; at < word.size && good; at++) {
        const uint8_t c = word.data[at];
        const uint8_t digit = is_digit(c)                   ? (uint8_t)(c - '0')
                              : hex && c >= 'a' && c <= 'f' ? (uint8_t)(c - 'a' + 10)
                                                            : 99;
        good = digit != 99 && !__builtin_mul_overflow(*value, hex ? 16u : 10u, value) &&
               !__builtin_add_overflow(*value, digit, value);
    }
    return good;
}

static uint64_t read_number(tw_text *t, tw_bytes word, uint32_t bits, bool sign)
{
    char text[NAME_MAX];
    bool negative = false;
    uint64_t value = 0;
    const uint64_t max = (UINT64_MAX >> (64 - bits)) >> (sign ? 1 : 0);
    if (t->quoted || !number_of(word, &negative, &value) || value > max + (negative ? 1 : 0) ||
        (negative && !sign)) {
        tw_text_fail(t, "a number of %s%llu to %llu belongs here, not %s", sign ? "-" : "",
                     sign ? (unsigned long long)max + 1 : 0, (unsigned long long)max,
                     seen(t, text));
        return 0;
    }
    tw_text_next(t);
    return negative ? 0 - value : value;
}

uint64_t tw_text_number(tw_text *t, const char *label, uint64_t value, uint32_t bits, bool sign)
{
    if (t->w == NULL) return labelled(t, label, false) ? read_number(t, t->word, bits, sign) : 0;
    if (label != NULL && value == 0) return value;
    write_label(t, label);
    tw_print(t->w, sign ? " %lld" : " %llu", (unsigned long long)value);
    return value;
}

int64_t tw_text_quantity(tw_text *t, const char *label, int64_t value, tw_dimension dimension)
{
    if (value != 0) tw_text_note(t, label, value, dimension);
    return (int64_t)tw_text_number(t, label, (uint64_t)value, 64, true);
}

/* A name that is a word as it stands, so that it needs no quotes. */
static bool is_word(const char *name)
{
    const uint8_t *c = (const uint8_t *)name;
    const bool letter = (c[0] >= 'a' && c[0] <= 'z') || (c[0] >= 'A' && c[0] <= 'Z') || c[0] > 127;
    if (c[0] == '\0' || (!letter && c[0] != '_') || (letter && is_digit(c[1]))) return false;
    while (*c != '\0' && !is_blank(*c) && !is_mark(*c)) c++;
    return *c == '\0';
}

int64_t tw_text_prefixed(tw_text *t, char prefix, int64_t value, uint32_t bits, bool sign,
                         const char *note)
{
    char text[NAME_MAX];
    if (t->w != NULL) {
        const bool noted = note != NULL && note[0] != '\0' &&
                           (is_digit((uint8_t)note[0]) || note[0] == '-' || is_word(note));
        tw_print(t->w, " %c%lld%s%s", prefix, (long long)value, noted ? ":" : "",
                 noted ? note : "");
        return value;
    }
    tw_bytes word = t->word;
    const void *colon = word.size > 0 ? memchr(word.data, ':', word.size) : NULL;
    if (colon != NULL) word.size = (size_t)((const uint8_t *)colon - word.data);
    if (t->quoted || word.size == 0 || word.data[0] != (uint8_t)prefix) {
        tw_text_fail(t, "%c and a number belong here, not %s", prefix, seen(t, text));
        return 0;
    }
    return (int64_t)read_number(t, tw_bytes_of(word.data + 1, word.size - 1), bits, sign);
}

/* ------------------------------------------------------------------ names */

static void write_name(tw_text *t, const char *name)
{
    const bool word = is_word(name);
    tw_print(t->w, word ? " " : " \"");
    for (const char *c = name; *c != '\0'; c++) {
        if (!word && (*c == '"' || *c == '\\')) tw_write_u8(t->w, '\\');
        tw_write_u8(t->w, (uint8_t)*c);
    }
    if (!word) tw_write_u8(t->w, '"');
}

const char *tw_text_name(tw_text *t, const char *label, const char *value)
{
    char text[NAME_MAX];
    if (t->w != NULL) {
        if (label != NULL && value[0] == '\0') return value;
        write_label(t, label);
        write_name(t, value);
        return value;
    }
    if (!labelled(t, label, false)) return "";
    const bool mark = !t->quoted && (t->word.size == 0 || is_mark(t->word.data[0]));
    if (mark || !tw_utf8_is_clean(t->word)) {
        tw_text_fail(t, "a name belongs here, not %s; in quotes it may have any letters",
                     seen(t, text));
        return "";
    }
    const char *name = tw_arena_copy(t->arena, t->word.data, t->word.size);
    tw_text_next(t);
    if (name == NULL) tw_text_fail(t, "the text needs too much memory");
    return name != NULL ? name : "";
}

tw_bytes tw_text_bytes(tw_text *t, const char *label, tw_bytes value)
{
    if (t->w != NULL) {
        if (value.size > 0) tw_print(t->w, " %s ", label);
        for (size_t i = 0; i < value.size; i++) tw_print(t->w, "%02x", value.data[i]);
        return value;
    }
    if (!labelled(t, label, false)) return (tw_bytes){0};
    const size_t size = t->word.size / 2;
    uint8_t *bytes = tw_arena_get(t->arena, size);
    if (bytes == NULL || !tw_hex_decode((const char *)t->word.data, t->word.size, bytes, size)) {
        tw_text_fail(t, "pairs of hex digits belong here");
        return (tw_bytes){0};
    }
    tw_text_next(t);
    return tw_bytes_of(bytes, size);
}

bool tw_text_flag(tw_text *t, const char *label, bool value)
{
    if (t->w == NULL) return tw_text_accept(t, label);
    if (value) write_label(t, label);
    return value;
}

/* A number that was taken in this line. */
static uint32_t at_most(tw_text *t, const tw_text_list *list, uint32_t value, uint32_t max,
                        uint32_t line)
{
    if (value <= max) return value;
    t->line = line;
    tw_text_fail(t, "the number of a %s is at most %u", list->word, max);
    return 0;
}

static uint32_t read_item(tw_text *t, const tw_text_list *list, uint32_t max)
{
    char text[NAME_MAX];
    if (tw_text_is_number(t)) {
        const uint32_t line = t->line;
        return at_most(t, list, (uint32_t)read_number(t, t->word, 32, false), max, line);
    }
    const bool name = t->quoted || (t->word.size > 0 && !is_mark(t->word.data[0]));
    const int32_t found = name ? find(t, list, t->word) : NO_PLACE;
    if ((!name || !list->open) && (found == NO_PLACE || (uint32_t)found > max)) {
        tw_text_fail(t, "%s %s belongs here, not %s; its number would do too",
                     strchr("aeiou", list->word[0]) != NULL ? "an" : "a", list->word,
                     seen(t, text));
        return 0;
    }
    tw_text_next(t);
    return found != NO_PLACE ? (uint32_t)found : 0;
}

uint32_t tw_text_item_of(tw_text *t, const tw_text_list *list, uint32_t value, uint32_t max)
{
    if (list->prefix != 0) {
        const uint32_t line = t->line;
        char note[24] = "";
        if (value < list->count) {
            snprintf(note, sizeof note, "%lld", (long long)list->values[value]);
        }
        value = (uint32_t)tw_text_prefixed(t, list->prefix, value, 32, false, note);
        return at_most(t, list, value, max, line);
    }
    if (t->w == NULL) return read_item(t, list, max);
    const char *name = value < list->count ? list->items[value] : NULL;
    if (name != NULL && find(t, list, tw_bytes_of(name, strlen(name))) == (int32_t)value) {
        write_name(t, name);
    } else {
        tw_print(t->w, " %u", value);
    }
    return value;
}

uint32_t tw_text_item(tw_text *t, uint32_t list, uint32_t value, uint32_t max)
{
    return tw_text_item_of(t, &t->lists[list], value, max);
}

uint32_t tw_text_ref(tw_text *t, const char *label, uint32_t list, uint32_t value, uint32_t max,
                     int32_t absent)
{
    if (t->w != NULL && absent >= 0 && value == (uint32_t)absent) return value;
    if (t->w != NULL) write_label(t, label);
    if (t->w == NULL && !labelled(t, label, absent < 0)) return absent < 0 ? 0 : (uint32_t)absent;
    return tw_text_item(t, list, value, max);
}

uint64_t tw_text_set(tw_text *t, const char *label, uint32_t list, uint64_t value)
{
    if (t->w != NULL) {
        if (value != 0) tw_print(t->w, " %s {", label);
        for (uint32_t i = 0; i < 64; i++) {
            if (value >> i & 1) (void)tw_text_item(t, list, i, 63);
        }
        if (value != 0) tw_print(t->w, " }");
        return value;
    }
    if (!labelled(t, label, false) || !labelled(t, "{", true)) return 0;
    for (value = 0; !t->bad && !tw_text_accept(t, "}");) {
        value |= (uint64_t)1 << read_item(t, &t->lists[list], 63);
    }
    return value;
}

/* ------------------------------------------------------------------ lists */

/* Room for item i: twice as much each time it ends. */
static bool grow(tw_text *t, void **items, size_t size, uint16_t i)
{
    if (i > 0 && (i < 4 || (i & (i - 1)) != 0)) return true;
    void *more = tw_arena_array(t->arena, i == 0 ? 4 : 2 * (size_t)i, size);
    if (more == NULL) {
        tw_text_fail(t, "the text needs too much memory");
        return false;
    }
    if (i > 0) memcpy(more, *items, i * size);
    *items = more;
    return true;
}

bool tw_text_more(tw_text *t, const char *word, void **items, uint16_t *count, uint32_t max,
                  size_t size, uint16_t i)
{
    if (t->w != NULL) {
        const bool more = i < *count;
        if (word == NULL && (i == 0 ? more : !more)) tw_print(t->w, more ? " {" : " }");
        if (word == NULL || !more) return more;
        tw_text_line(t, word);
        snprintf(t->note, sizeof t->note, "%s %u", word, i);
        return true;
    }
    if (i == 0) *count = 0;
    const bool open = word != NULL || i > 0 || tw_text_accept(t, "{");
    if (t->bad || !open || (word != NULL ? !tw_text_accept(t, word) : tw_text_accept(t, "}")))
        return false;
    if (i == max) tw_text_fail(t, "this list has more than %u items, the limit", max);
    if (t->bad || !grow(t, items, size, i)) return false;
    *count = (uint16_t)(i + 1);
    return true;
}

/* ------------------------------------------------------------------ labels */

/* A label that is not known yet; NULL after a mistake. */
static tw_text_label *label_of(tw_text *t, const char *mistake)
{
    const uint32_t line = t->line;
    const uint32_t number = (uint32_t)tw_text_prefixed(t, 'L', 0, LABEL_BITS, false, NULL);
    if (t->labels == NULL) t->labels = TW_NEW_ARRAY(t->arena, tw_text_label, TW_TEXT_LABELS);
    if (t->labels == NULL) tw_text_fail(t, "the text needs too much memory");
    if (t->bad) return NULL;
    tw_text_label *label = &t->labels[number];
    if (label->scope != t->scope) *label = (tw_text_label){t->scope, false, 0};
    if (!label->known) return label;
    t->line = line;
    tw_text_fail(t, "L%u stands %s", number, mistake);
    return NULL;
}

uint32_t tw_text_label_use(tw_text *t, uint32_t user)
{
    tw_text_label *label = label_of(t, "before this; jumps go forward");
    if (label == NULL) return 0;
    const uint32_t before = label->waiting;
    t->open += before == 0;
    label->waiting = user;
    return before;
}

uint32_t tw_text_label_place(tw_text *t)
{
    tw_text_label *label = label_of(t, "twice in this function");
    if (label == NULL) return 0;
    t->open -= label->waiting > 0;
    label->known = true;
    return label->waiting;
}

void tw_text_labels_end(tw_text *t)
{
    for (uint32_t i = 0; t->open > 0 && i < TW_TEXT_LABELS && !t->bad; i++) {
        if (t->labels[i].scope != t->scope || t->labels[i].known) continue;
        tw_text_fail(t, "L%u is jumped to and does not follow in this function", i);
    }
    t->scope++;
}
