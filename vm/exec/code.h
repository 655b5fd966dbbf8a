/* code -- a verified module made ready to run: instructions decoded once, gas summed per run.
 *
 * Made once per module hash and then shared, read-only. A run of instructions (opcodes.def) is
 * charged by one CHARGE put before it: whatever ends a run adds the one behind it and goes on
 * after that, so the loop meets a CHARGE by itself only where a run begins in the middle of others.
 * Where an instruction and the one that it goes on with are a pair (pairs.def), the first does the
 * work of both; the second stays, for those that jump to it.
 */
#ifndef TW_EXEC_CODE_H
#define TW_EXEC_CODE_H

#include "vm/isa/module.h"
#include "vm/verify/verify.h"

/* What the loop knows beside the module's instructions. */
enum {
    TW_OP_CHARGE = 0, /* gas of the run that begins here, in `imm` */
    TW_PAIR_FIRST = 256,
#define PAIR(first, second) TW_PAIR_##first##_##second,
#define FALL(first) TW_PAIR_##first##_CHARGE_END,
#include "vm/exec/pairs.def"
    TW_HANDLERS
};

typedef struct tw_insn {
    uint16_t op; /* what the loop does here: a number of opcodes.def, or of a pair */
    uint16_t a, b, c;
    int32_t x;   /* index, count, or jump distance in decoded instructions */
    int32_t imm; /* immediate of the shape */
} tw_insn;

typedef struct tw_code_function {
    const tw_insn *first;
    const uint32_t *source; /* module pc of each decoded instruction */
    uint16_t frame_slots, argument_slots, result_slots;
} tw_code_function;

typedef struct tw_code {
    tw_arena *arena; /* owns all below */
    tw_hash hash;
    tw_bytes bytes;
    const tw_module *module;
    const tw_facts *facts;
    tw_code_function *functions;
    uint32_t *param_first; /* first slot of each parameter in tw_contract.params */
    uint32_t param_slots;
} tw_code;

/* Decodes, verifies and prepares a module; the bytes are copied. `hash` is theirs where the caller
 * has computed it already, else NULL. */
TW_MUST_USE tw_status tw_code_new(tw_bytes module, const tw_hash *hash, tw_code **ret_code,
                                  tw_err *err);
void tw_code_free(tw_code *code); /* NULL is allowed */

#endif
