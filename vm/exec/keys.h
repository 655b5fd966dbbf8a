/* keys -- the layout of the keys of the state, so that what belongs together lies together.
 *
 * Used by vm/exec and vm/ledger, and by the runner to name what it shows. A key is one byte of
 * space, the contract's id where there is one, and the rest; all integers big-endian.
 */
#ifndef TW_EXEC_KEYS_H
#define TW_EXEC_KEYS_H

#include "vm/base/hash.h"
#include "vm/base/sign.h"
#include "vm/state/key.h"

typedef enum tw_space {
    TW_SPACE_CHAIN = 0x01,    /* | name: what all nodes must agree on */
    TW_SPACE_NONCE = 0x02,    /* | account */
    TW_SPACE_BALANCE = 0x03,  /* | asset | account: tag, u64 amount; absent when 0 */
    TW_SPACE_ASSET = 0x04,    /* | asset: decimals, name, how much there is */
    TW_SPACE_CONTRACT = 0x10, /* | contract: module, deployer, parameters; written at deploy */
    TW_SPACE_CONTROL = 0x11,  /* | contract: phase, alarms, timers, history head */
    TW_SPACE_ROLE = 0x12,   /* | contract | u8 role: how many members; the one member if max is 1 */
    TW_SPACE_MEMBER = 0x13, /* | contract | u8 role | account */
    TW_SPACE_DEVICE = 0x14, /* | contract | account: sequence, counters, stamps */
    TW_SPACE_WINDOW = 0x15, /* | contract | u8 reading | account | u16 page */
    TW_SPACE_FIELD = 0x16,  /* | contract | u32 field id | key: value; with an empty key: a var, how
                               many keys a map or registry has, or a purse's total */
    TW_SPACE_CODE = 0x17,   /* | hash: bytes of a module */
    TW_SPACE_TIMER = 0x18,  /* | u64 due | contract | u16 entry: what is to run, in order */
    TW_SPACE_PENDING = 0x19, /* | u64 due | contract | u16 alarm: edges that have a handler */
    TW_SPACE_CONSENT = 0x1A, /* | contract: hash of the module that is to follow, since when */
    TW_SPACE_PAST = 0x1B, /* | contract | u64 height | u32 receipt: hash of the module until then */
    TW_SPACE_FUEL = 0x1C, /* | contract: amount of the fee asset that its timers run on */
} tw_space;

enum { TW_STATE_TAG = 1 }; /* first byte of every value */

static inline tw_key tw_key_start(tw_space space)
{
    tw_key key;
    key.data[0] = (uint8_t)space;
    key.size = 1;
    return key;
}

/* Built in place: most of a tw_key's memory is never used, and not worth a copy. */
static inline void tw_key_begin(tw_key *key, tw_space space, const tw_hash *contract)
{
    key->data[0] = (uint8_t)space;
    memcpy(key->data + 1, contract->bytes, sizeof contract->bytes);
    key->size = 1 + sizeof contract->bytes;
}

static inline tw_key tw_key_of(tw_space space, const tw_hash *contract)
{
    tw_key key;
    tw_key_begin(&key, space, contract);
    return key;
}

#endif
