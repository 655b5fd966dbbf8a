/* bytes -- canonical encoding: a bounded reader and a growing writer.
 *
 * Everything that is hashed, signed, stored or sent is written here and read back here. Integers
 * are big-endian and of fixed width. A reader never reads past its end: the first bad read latches
 * `bad`, later reads give zeros, so a decoder checks once at the end. A writer latches `bad` when
 * memory or its limit runs out.
 */
#ifndef TW_BASE_BYTES_H
#define TW_BASE_BYTES_H

#include "vm/base/status.h"

#include <stddef.h>
#include <stdint.h>

bool tw_bytes_equal(tw_bytes a, tw_bytes b);
int tw_bytes_compare(tw_bytes a, tw_bytes b); /* like memcmp; a prefix comes first */

/* Big-endian loads and stores at a place. Written out so that compilers see one load and a swap. */
static inline uint32_t tw_load_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
static inline uint64_t tw_load_u64(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | at[7];
}
static inline void tw_store_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}
static inline void tw_store_u64(uint8_t *at, uint64_t value)
{
    tw_store_u32(at, (uint32_t)(value >> 32));
    tw_store_u32(at + 4, (uint32_t)value);
}

typedef struct tw_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
    bool bad;
} tw_reader;

static inline tw_reader tw_reader_of(tw_bytes bytes)
{
    return (tw_reader){bytes.data, bytes.size, 0, false};
}
/* `size` bytes in place, or NULL (and bad). */
static inline const uint8_t *tw_read_raw(tw_reader *r, size_t size)
{
    if (r->bad || size > r->size - r->at) {
        r->bad = true;
        return NULL;
    }
    if (size == 0 && r->data == NULL) return NULL; /* a null pointer takes no sum */
    const uint8_t *at = r->data + r->at;
    r->at += size;
    return at;
}
static inline uint8_t tw_read_u8(tw_reader *r)
{
    const uint8_t *at = tw_read_raw(r, 1);
    return at != NULL ? *at : 0;
}
static inline uint16_t tw_read_u16(tw_reader *r)
{
    const uint8_t *at = tw_read_raw(r, 2);
    return at != NULL ? (uint16_t)(at[0] << 8 | at[1]) : 0;
}
static inline uint32_t tw_read_u32(tw_reader *r)
{
    const uint8_t *at = tw_read_raw(r, 4);
    return at != NULL ? tw_load_u32(at) : 0;
}
static inline uint64_t tw_read_u64(tw_reader *r)
{
    const uint8_t *at = tw_read_raw(r, 8);
    return at != NULL ? tw_load_u64(at) : 0;
}
static inline int64_t tw_read_i64(tw_reader *r)
{
    return (int64_t)tw_read_u64(r);
}
bool tw_read_bool(tw_reader *r); /* bad unless 0 or 1 */
void tw_read_copy(tw_reader *r, void *ret_bytes, size_t size);
/* u16 size, then the bytes; bad over `size_max`. */
tw_bytes tw_read_short(tw_reader *r, size_t size_max);
/* `count` unsigned numbers of `width` bytes, 1, 2 or 8. */
void tw_read_numbers(tw_reader *r, size_t count, size_t width, int64_t *ret_numbers);
/* u32 size, then the bytes; bad over `size_max`. */
tw_bytes tw_read_long(tw_reader *r, size_t size_max);
size_t tw_reader_left(const tw_reader *r);
/* True when all was read and nothing was bad: no trailing bytes. */
bool tw_reader_done(const tw_reader *r);

/* A growing buffer. Make with tw_writer_new, or over fixed memory with tw_writer_fixed. */
typedef struct tw_writer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    size_t size_max;
    bool fixed;
    bool bad;
    bool starved; /* bad because there was no memory, not because of a limit */
} tw_writer;

tw_writer tw_writer_new(size_t size_max);
static inline tw_writer tw_writer_fixed(void *memory, size_t size_max)
{
    return (tw_writer){(uint8_t *)memory, 0, size_max, size_max, true, false, false};
}
void tw_writer_free(tw_writer *w);               /* also empties it */
static inline void tw_writer_clear(tw_writer *w) /* keeps the memory */
{
    w->size = 0;
    w->bad = w->starved = false;
}
/* Room for `size` bytes, which then count as written, or NULL (and bad). The second is what the
 * first does when the memory at hand is not enough. */
uint8_t *tw_writer_grow(tw_writer *w, size_t size);
static inline uint8_t *tw_writer_room(tw_writer *w, size_t size)
{
    if (w->bad || size > w->capacity - w->size) return tw_writer_grow(w, size);
    uint8_t *at = w->data + w->size;
    w->size += size;
    return at;
}
static inline void tw_write_u8(tw_writer *w, uint8_t value)
{
    uint8_t *at = tw_writer_room(w, 1);
    if (at != NULL) *at = value;
}
void tw_write_u16(tw_writer *w, uint16_t value);
void tw_write_u32(tw_writer *w, uint32_t value);
static inline void tw_write_u64(tw_writer *w, uint64_t value)
{
    uint8_t *at = tw_writer_room(w, 8);
    if (at != NULL) tw_store_u64(at, value);
}
static inline void tw_write_i64(tw_writer *w, int64_t value)
{
    tw_write_u64(w, (uint64_t)value);
}
void tw_write_raw(tw_writer *w, const void *bytes, size_t size);
void tw_write_short(tw_writer *w, tw_bytes bytes); /* bad over 65535 */
/* The low `width` bytes of each number: 1, 2 or 8. */
void tw_write_numbers(tw_writer *w, const int64_t *numbers, size_t count, size_t width);
void tw_write_long(tw_writer *w, tw_bytes bytes);   /* bad over 2^32 - 1 */
void tw_write_text(tw_writer *w, const char *text); /* tw_write_short of a C string */
/* As printf; what is longer than this is cut. */
enum { TW_PRINT_SIZE_MAX = 1200 };
void tw_print(tw_writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline tw_bytes tw_writer_bytes(const tw_writer *w)
{
    return (tw_bytes){w->data, w->size};
}

/* One character at `at`, below the size: how many bytes it has, 0 when it is not valid UTF-8. */
uint32_t tw_utf8_next(tw_bytes text, size_t at, uint32_t *ret_point);

/* Valid UTF-8 (RFC 3629) without control or bidirectional formatting characters. */
bool tw_utf8_is_clean(tw_bytes text);

#endif
