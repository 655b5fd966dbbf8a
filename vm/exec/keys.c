/* keys -- see the header. */
#include "vm/exec/keys.h"

#include <assert.h>
#include <string.h>

void tw_key_raw(tw_key *key, const void *bytes, size_t size)
{
    assert(size <= TW_KEY_MAX - key->size);
    memcpy(key->data + key->size, bytes, size);
    key->size += size;
}

void tw_key_u8(tw_key *key, uint8_t value)
{
    tw_key_raw(key, &value, 1);
}

void tw_key_u16(tw_key *key, uint16_t value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    tw_key_raw(key, bytes, sizeof bytes);
}

void tw_key_u32(tw_key *key, uint32_t value)
{
    uint8_t bytes[4];
    tw_store_u32(bytes, value);
    tw_key_raw(key, bytes, sizeof bytes);
}

void tw_key_u64(tw_key *key, uint64_t value)
{
    uint8_t bytes[8];
    tw_store_u64(bytes, value);
    tw_key_raw(key, bytes, sizeof bytes);
}

tw_key tw_key_start(tw_space space)
{
    tw_key key;
    key.size = 0;
    tw_key_u8(&key, (uint8_t)space);
    return key;
}

tw_key tw_key_of(tw_space space, const tw_hash *contract)
{
    tw_key key = tw_key_start(space);
    tw_key_raw(&key, contract->bytes, sizeof contract->bytes);
    return key;
}
