/* field -- where the values of fields and the amounts of purses stand, and how many keys there are.
 *
 *     contract's FIELD space | u32 id |          a var; how many keys a map or registry has (u32);
 *                                               what a purse per role holds under all keys
 *     contract's FIELD space | u32 id | key      the value under a key, in the order of the keys
 *
 * Used by the instructions over fields, things and purses. A count of 0 is not stored.
 */
#ifndef TW_EXEC_FIELD_H
#define TW_EXEC_FIELD_H

#include "vm/exec/contract.h"
#include "vm/isa/value.h"

static_assert(TW_KEY_MAX >= 1 + 32 + 4 + TW_KEY_SIZE_MAX, "a key of a field fits");

/* With an empty key. `id` is a field's or a purse's. */
static inline void tw_field_begin(const tw_contract *c, uint32_t id, tw_key *ret_key)
{
    tw_key_begin(ret_key, TW_SPACE_FIELD, &c->id);
    tw_key_u32(ret_key, id);
}

static inline tw_key tw_field_key(const tw_contract *c, uint32_t id)
{
    tw_key key;
    tw_field_begin(c, id, &key);
    return key;
}

/* Of a value of type `key_type` in slots. Traps BadValue when it is none. */
TW_MUST_USE tw_status tw_field_key_at(const tw_contract *c, uint32_t id, uint16_t key_type,
                                      const int64_t *slots, tw_key *ret_key);

/* How many keys the map or registry has. */
TW_MUST_USE tw_status tw_field_count(const tw_contract *c, uint32_t id, uint32_t *ret_count);
TW_MUST_USE tw_status tw_field_set_count(const tw_contract *c, uint32_t id, uint32_t count);

#endif
