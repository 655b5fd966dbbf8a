/* key -- a key of the state, put together piece by piece where it stands.
 *
 * Used by whoever reads or writes the overlay; what the pieces are, vm/exec/keys.h says. Integers
 * are big-endian, so that keys lie in the order of their numbers.
 */
#ifndef TW_STATE_KEY_H
#define TW_STATE_KEY_H

#include "vm/base/bytes.h"

#include <assert.h>
#include <string.h>

enum { TW_KEY_MAX = 320 };

typedef struct tw_key {
    uint8_t data[TW_KEY_MAX];
    size_t size;
} tw_key;

static inline tw_bytes tw_key_bytes(const tw_key *key)
{
    return tw_bytes_of(key->data, key->size);
}

/* Inline, because a key is built for nearly every access to the state. */
static inline void tw_key_raw(tw_key *key, const void *bytes, size_t size)
{
    assert(size <= TW_KEY_MAX - key->size);
    memcpy(key->data + key->size, bytes, size);
    key->size += size;
}

static inline void tw_key_u8(tw_key *key, uint8_t value)
{
    tw_key_raw(key, &value, 1);
}

static inline void tw_key_u16(tw_key *key, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    tw_key_raw(key, bytes, sizeof bytes);
}

static inline void tw_key_u32(tw_key *key, uint32_t value)
{
    uint8_t bytes[4];
    tw_store_u32(bytes, value);
    tw_key_raw(key, bytes, sizeof bytes);
}

static inline void tw_key_u64(tw_key *key, uint64_t value)
{
    uint8_t bytes[8];
    tw_store_u64(bytes, value);
    tw_key_raw(key, bytes, sizeof bytes);
}

#endif
