/* bytes -- see the header. Loads and stores go byte by byte: no alignment or host order reaches a
 * result. */
#include "vm/base/bytes.h"

#include "vm/base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool tw_bytes_equal(tw_bytes a, tw_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int tw_bytes_compare(tw_bytes a, tw_bytes b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    if (order != 0) return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

bool tw_read_bool(tw_reader *r)
{
    const uint8_t value = tw_read_u8(r);
    if (value > 1) r->bad = true;
    return value == 1;
}

void tw_read_copy(tw_reader *r, void *ret_bytes, size_t size)
{
    const uint8_t *at = tw_read_raw(r, size);
    if (at != NULL) {
        memcpy(ret_bytes, at, size);
    } else {
        memset(ret_bytes, 0, size);
    }
}

static tw_bytes read_sized(tw_reader *r, size_t size, size_t size_max)
{
    if (size > size_max) r->bad = true;
    const uint8_t *at = tw_read_raw(r, size);
    return at != NULL ? (tw_bytes){at, size} : (tw_bytes){NULL, 0};
}

tw_bytes tw_read_short(tw_reader *r, size_t size_max)
{
    const size_t size = tw_read_u16(r);
    return read_sized(r, size, size_max);
}

tw_bytes tw_read_long(tw_reader *r, size_t size_max)
{
    const size_t size = tw_read_u32(r);
    return read_sized(r, size, size_max);
}

size_t tw_reader_left(const tw_reader *r)
{
    return r->bad ? 0 : r->size - r->at;
}

bool tw_reader_done(const tw_reader *r)
{
    return !r->bad && r->at == r->size;
}

tw_writer tw_writer_new(size_t size_max)
{
    return (tw_writer){NULL, 0, 0, size_max, false, false, false};
}

void tw_writer_free(tw_writer *w)
{
    if (!w->fixed) tw_mem_free(w->data);
    *w = (tw_writer){NULL, 0, 0, w->size_max, false, false, false};
}

uint8_t *tw_writer_grow(tw_writer *w, size_t size)
{
    if (w->bad || size > w->size_max - w->size) {
        w->bad = true;
        return NULL;
    }
    assert(!w->fixed);
    const size_t needed = w->size + size;
    size_t capacity = w->capacity < 64 ? 64 : w->capacity;
    while (capacity < needed) capacity *= 2;
    if (capacity > w->size_max) capacity = w->size_max; /* so that to fit it is to be allowed */
    uint8_t *data = tw_mem_resize(w->data, w->capacity, capacity);
    if (data == NULL) {
        w->bad = w->starved = true;
        return NULL;
    }
    w->data = data;
    w->capacity = capacity;
    w->size = needed;
    return data + needed - size;
}

void tw_write_raw(tw_writer *w, const void *bytes, size_t size)
{
    uint8_t *at = size > 0 ? tw_writer_room(w, size) : NULL;
    if (at != NULL) memcpy(at, bytes, size);
}

void tw_write_u16(tw_writer *w, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    tw_write_raw(w, bytes, sizeof bytes);
}

void tw_write_u32(tw_writer *w, uint32_t value)
{
    uint8_t bytes[4];
    tw_store_u32(bytes, value);
    tw_write_raw(w, bytes, sizeof bytes);
}

void tw_write_short(tw_writer *w, tw_bytes bytes)
{
    if (bytes.size > UINT16_MAX) w->bad = true;
    tw_write_u16(w, (uint16_t)bytes.size);
    tw_write_raw(w, bytes.data, bytes.size);
}

void tw_write_long(tw_writer *w, tw_bytes bytes)
{
    if (bytes.size > UINT32_MAX) w->bad = true;
    tw_write_u32(w, (uint32_t)bytes.size);
    tw_write_raw(w, bytes.data, bytes.size);
}

void tw_write_text(tw_writer *w, const char *text)
{
    tw_write_short(w, tw_bytes_of(text, strlen(text)));
}

void tw_print(tw_writer *w, const char *format, ...)
{
    char text[TW_PRINT_SIZE_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) tw_write_raw(w, text, strlen(text));
}

void tw_read_numbers(tw_reader *r, size_t count, size_t width, int64_t *ret_numbers)
{
    assert(width == 1 || width == 2 || width == 8);
    const uint8_t *at = tw_read_raw(r, count * width);
    if (at == NULL) return;
    if (width == 8) {
        for (size_t i = 0; i < count; i++) ret_numbers[i] = (int64_t)tw_load_u64(at + 8 * i);
        return;
    }
    for (size_t i = 0; i < count; i++, at += width) {
        ret_numbers[i] = width == 1 ? at[0] : at[0] << 8 | at[1];
    }
}

void tw_write_numbers(tw_writer *w, const int64_t *numbers, size_t count, size_t width)
{
    assert(width == 1 || width == 2 || width == 8);
    uint8_t *at = count > 0 ? tw_writer_room(w, count * width) : NULL;
    if (at == NULL) return;
    for (size_t i = 0; i < count; i++, at += width) {
        const uint64_t number = (uint64_t)numbers[i];
        if (width == 8) tw_store_u64(at, number);
        if (width == 2) at[0] = (uint8_t)(number >> 8);
        if (width <= 2) at[width - 1] = (uint8_t)number;
    }
}

uint32_t tw_utf8_next(tw_bytes text, size_t at, uint32_t *ret_point)
{
    assert(at < text.size);
    const uint8_t *s = text.data + at;
    const size_t left = text.size - at;
    static const uint32_t lowest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const uint32_t size = s[0] < 0x80       ? 1
                          : s[0] >> 5 == 6  ? 2
                          : s[0] >> 4 == 14 ? 3
                          : s[0] >> 3 == 30 ? 4
                                            : 0;
    if (size == 0 || size > left) return 0;
    uint32_t point = size == 1 ? s[0] : s[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (s[i] >> 6 != 2) return 0;
        point = point << 6 | (s[i] & 0x3Fu);
    }
    if (point < lowest[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return 0;
    *ret_point = point;
    return size;
}

/* True for eight printable ASCII bytes. The top bit of another is set already, or by adding 1 to
 * 0x7F, or by taking 0x20 from less. */
static inline bool is_ascii_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    return ((word | (word + ones) | (word - 0x20 * ones)) & 0x80 * ones) == 0;
}

static inline uint64_t word_at(const uint8_t *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* All of less than eight bytes in a word, with letters around or some of them twice. */
static inline uint64_t short_word(tw_bytes text)
{
    uint32_t halves[2] = {0x61616161, 0x61616161};
    if (text.size >= sizeof *halves) {
        memcpy(halves, text.data, sizeof *halves);
        memcpy(halves + 1, text.data + text.size - sizeof *halves, sizeof *halves);
    } else {
        for (size_t i = 0; i < text.size; i++) halves[0] = halves[0] << 8 | text.data[i];
    }
    return (uint64_t)halves[0] << 32 | halves[1];
}

/* Where the words of eight printable ASCII bytes end; the size, where all is ASCII. Texts are
 * mostly that, and each one is checked whenever it comes out of the state or goes into it. */
static size_t ascii_words_end(tw_bytes text)
{
    const size_t width = sizeof(uint64_t);
    if (text.size < width) return is_ascii_word(short_word(text)) ? text.size : 0;
    size_t at = 0;
    for (; text.size - at >= width; at += width) {
        if (!is_ascii_word(word_at(text.data + at))) return at;
    }
    return is_ascii_word(word_at(text.data + text.size - width)) ? text.size : at;
}

/* Sixteen bytes at a time, by an extension that gcc and clang share. */
typedef uint8_t lanes __attribute__((vector_size(16)));

static inline lanes lanes_at(const uint8_t *bytes)
{
    lanes loaded;
    memcpy(&loaded, bytes, sizeof loaded);
    return loaded;
}

/* Looks at sixteen bytes, each beside the three before it, and always at everything: gas is charged
 * by the byte, so no text may take longer than another. */
static inline bool lanes_clean(const uint8_t *s)
{
    const lanes c = lanes_at(s);
    const lanes before = lanes_at(s - 1);
    const lanes second = lanes_at(s - 2);
    const lanes third = lanes_at(s - 3);
    lanes bad = (lanes)((c & 0xC0) == 0x80) ^
                (lanes)((before >= 0xC0) | (second >= 0xE0) | (third >= 0xF0));
    bad |= (lanes)((c < 0x20) | (c == 0x7F) | ((before == 0xC2) & (c < 0xA0))); /* controls */
    bad |= (lanes)((c == 0xC0) | (c == 0xC1) | (c >= 0xF5));
    bad |= (lanes)(((before == 0xE0) & (c < 0xA0)) | ((before == 0xED) & (c >= 0xA0)));
    bad |= (lanes)(((before == 0xF0) & (c < 0x90)) | ((before == 0xF4) & (c >= 0x90)));
    /* marks of direction: U+061C; U+200E, U+200F, U+202A to U+202E; U+2066 to U+2069 */
    bad |= (lanes)((before == 0xD8) & (c == 0x9C));
    bad |= (lanes)((second == 0xE2) & (before == 0x80) &
                   ((c == 0x8E) | (c == 0x8F) | ((c >= 0xAA) & (c <= 0xAE))));
    bad |= (lanes)((second == 0xE2) & (before == 0x81) & (c >= 0xA6) & (c <= 0xA9));
    uint64_t halves[2];
    memcpy(halves, &bad, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

bool tw_utf8_is_clean(tw_bytes text)
{
    enum { WIDTH = sizeof(lanes), BEFORE = 3 };
    const size_t start = ascii_words_end(text);
    if (start == text.size) return true;
    for (size_t at = start;; at += WIDTH) {
        const size_t left = text.size - at;
        const uint8_t *s = text.data + at;
        uint8_t room[BEFORE + WIDTH];
        if (at == start || left < WIDTH) { /* letters around: an end in a character shows there */
            memset(room, 'a', sizeof room);
            if (at > start) memcpy(room, s - BEFORE, BEFORE);
            memcpy(room + BEFORE, s, left < WIDTH ? left : WIDTH);
            s = room + BEFORE;
        }
        if (!lanes_clean(s)) return false;
        if (left < WIDTH) return true;
    }
}

void tw_hex_encode(const uint8_t *bytes, size_t size, char *ret_text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_text[2 * size] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool tw_hex_decode(const char *text, size_t text_size, uint8_t *ret_bytes, size_t size)
{
    if (text_size != 2 * size) return false;
    for (size_t i = 0; i < size; i++) {
        const int high = hex_digit(text[2 * i]);
        const int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
