/* code -- a verified module made ready to run: instructions decoded once, gas summed per run.
 *
 * Made once per module hash and then shared, read-only. A run of instructions (opcodes.def) is
 * charged by one CHARGE put before it, so the loop itself counts nothing.
 */
#ifndef TW_EXEC_CODE_H
#define TW_EXEC_CODE_H

#include "vm/isa/module.h"
#include "vm/verify/verify.h"

enum { TW_OP_CHARGE = 0 }; /* internal: gas of the run that begins here, in `imm` */

typedef struct tw_insn {
    uint16_t op;
    uint16_t a, b, c;
    int32_t x;   /* index, count, or jump distance in decoded instructions */
    int32_t imm; /* immediate of the shape */
} tw_insn;

typedef struct tw_code {
    tw_arena *arena; /* owns all below */
    tw_hash hash;
    tw_bytes bytes;
    const tw_module *module;
    const tw_facts *facts;
    const tw_insn **functions; /* first instruction of each */
    const uint32_t **source;   /* per function: module pc of each decoded instruction */
    uint32_t *param_first;     /* first slot of each parameter in tw_contract.params */
    uint32_t param_slots;
} tw_code;

/* Decodes, verifies and prepares a module; the bytes are copied. */
TW_MUST_USE tw_status tw_code_new(tw_bytes module, tw_code **ret_code, tw_err *err);
void tw_code_free(tw_code *code); /* NULL is allowed */

#endif
