/* operands -- operands.def as C: what a, b, c and x of the instructions of shape STATE are.
 *
 * The verifier proves by it that they name what is there and lie in the frame, the disassembler
 * prints by it. Nothing here trusts the code: tw_operands_exist comes first. What takes an
 * instruction takes one of shape STATE only.
 */
#ifndef TW_ISA_OPERANDS_H
#define TW_ISA_OPERANDS_H

#include "vm/isa/module.h"

typedef enum tw_part {
    TW_PART_NONE,
    TW_PART_ONE,
    TW_PART_ACCOUNT,
    TW_PART_KEY,
    TW_PART_HOLDER,
    TW_PART_VALUE,
    TW_PART_LIST,
    TW_PART_ITEM,
    TW_PART_PURSEKEY,
    TW_PART_TOKEY,
    TW_PART_KIND,
    TW_PART_TYPE,
    TW_PART_FIELDS,
    TW_PART_RESULT,
} tw_part;

typedef enum tw_named {
    TW_NAMED_KEYED,
    TW_NAMED_MAP,
    TW_NAMED_REGISTRY,
    TW_NAMED_MEMBER,
    TW_NAMED_HOLDING,
    TW_NAMED_LISTS,
    TW_NAMED_PURSE,
    TW_NAMED_PURSES,
    TW_NAMED_MONEY,
    TW_NAMED_TOKEN,
    TW_NAMED_MINTED,
} tw_named;

typedef struct tw_operands {
    tw_part a, b, c;
    tw_named x;
    bool there;
} tw_operands;

/* The row of an instruction of shape STATE; NULL for any other. */
extern const tw_operands tw_operands_rows[256];
static inline const tw_operands *tw_operands_find(uint8_t op)
{
    return tw_operands_rows[op].there ? &tw_operands_rows[op] : NULL;
}

/* True when what x names, and c where it is a number, is there and of the table's kind. */
bool tw_operands_exist(const tw_module *m, uint64_t insn);

/* How many slots a part takes; 0 for a number and for a key that is not there. The instruction's
 * operands must exist, as for the two below. */
uint32_t tw_operands_slots(const tw_module *m, tw_part part, uint64_t insn);

/* The field, for HOLDING the holder's registry, that x names; NULL when it names none. */
const tw_field *tw_operands_field(const tw_module *m, uint64_t insn);

/* The purse x names, the first of two; NULL when it names none. */
const tw_purse *tw_operands_purse(const tw_module *m, uint64_t insn);

#endif
