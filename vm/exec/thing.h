/* thing -- the record that a thing has in its registry, as bytes in the state.
 *
 *     tag 1 | flags 1 | owner 32 | maker 32 | history count 8 | history head 32
 *     | if attached: id of the holder's registry 4, member 2, u16 size, key | the asset's record
 *
 * Used by the instructions on things, by the loads and stores of registries, and by the runner to
 * show what there is. A thing stays under its key for ever: there is no instruction that takes it
 * away. While it is attached its owner is that of its holder, and its own `owner` is zero. The id
 * of a registry stays over versions of a contract, so a holder is found after an upgrade too.
 */
#ifndef TW_EXEC_THING_H
#define TW_EXEC_THING_H

#include "vm/exec/contract.h"

enum { TW_THING_ATTACHED = 1, TW_THING_RETIRED = 2 }; /* flags */

typedef struct tw_thing {
    uint8_t flags;
    tw_account owner;
    tw_account maker;
    uint64_t histories;
    tw_hash history_head;
    uint32_t holder; /* attached: id of the registry */
    uint16_t member; /* of its record: the list */
    tw_bytes key;    /* of the holder, as keys are encoded */
    tw_bytes record; /* value of the registry's value type */
} tw_thing;

/* What is read on the way, for the charge. */
typedef struct tw_met {
    uint64_t values;
    uint64_t bytes;
} tw_met;

/* Takes the state's value apart; bytes are borrowed. TW_ERR_CORRUPT when it is none. */
TW_MUST_USE tw_status tw_thing_parse(tw_bytes value, tw_thing *ret_thing);

/* Who owns it: the owner of the topmost holder. */
TW_MUST_USE tw_status tw_thing_owner(tw_contract *c, const tw_thing *thing, tw_met *met,
                                     tw_account *ret_owner);

#endif
