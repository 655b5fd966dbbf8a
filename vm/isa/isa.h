/* isa -- the instruction set of opcodes.def as C: numbers, shapes, field access, gas constants.
 *
 * Used by the verifier, the interpreter, the disassembler and the compiler's code generator.
 */
#ifndef TW_ISA_ISA_H
#define TW_ISA_ISA_H

#include "vm/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum tw_op {
#define OP(number, name, shape, gas, run, effects, text) TW_OP_##name = (number),
#include "vm/isa/opcodes.def"
#undef OP
} tw_op;

/* How an instruction uses its fields: shapes.def. */
typedef enum tw_shape {
#define SHAPE(name, a, b, c, x) TW_SHAPE_##name,
#include "vm/isa/shapes.def"
} tw_shape;

/* What a field of an instruction is: a run of slots of some length, a part of a number, nothing. */
typedef enum tw_use {
    TW_USE_NONE,
    TW_USE_S1 = 1,
    TW_USE_S4 = 4,
    TW_USE_S5 = 5,
    TW_USE_SX,
    TW_USE_SC,
    TW_USE_RESULTS,
    TW_USE_SIZED,
    TW_USE_IMM,
} tw_use;

/* What x is an index of. */
typedef enum tw_index {
    TW_INDEX_NONE,
    TW_INDEX_FREE,
    TW_INDEX_FUNCTION,
    TW_INDEX_ROUNDING, /* 4 * constant + rounding */
    TW_INDEX_CONSTANT,
    TW_INDEX_CONSTANTS, /* the first of c constants */
    TW_INDEX_FIELD,
    TW_INDEX_PARAM,
    TW_INDEX_DEPLOYED,
    TW_INDEX_PHASE,
    TW_INDEX_ROLE,
    TW_INDEX_STAT, /* 1024 * statistic + reading */
    TW_INDEX_STAMP,
    TW_INDEX_READING,
    TW_INDEX_ALARM,
    TW_INDEX_EVENT,
    TW_INDEX_HISTORY,
    TW_INDEX_ERROR,
    TW_INDEX_STATUS,
    TW_INDEX_INVARIANT,
    TW_INDEX_CHECK,
    TW_INDEX_TYPE,
    TW_INDEX_STATE, /* see operands.h */
} tw_index;

typedef struct tw_shape_row {
    tw_use a, b, c;
    tw_index x;
    uint64_t unused; /* the bits of fields that no instruction of the shape uses */
} tw_shape_row;

#define TW_UNUSED(unused, first, bits) ((unused) ? ((UINT64_C(1) << (bits)) - 1) << (first) : 0)
/* The row of SHAPE(name, a, b, c, x). */
#define TW_SHAPE_ROW(a, b, c, x)                                                                   \
    {                                                                                              \
        TW_USE_##a, TW_USE_##b, TW_USE_##c, TW_INDEX_##x,                                          \
            TW_UNUSED(TW_USE_##a == TW_USE_NONE, 8, 13) |                                          \
                TW_UNUSED(TW_USE_##b == TW_USE_NONE, 21, 13) |                                     \
                TW_UNUSED(TW_USE_##c == TW_USE_NONE, 34, 13) |                                     \
                TW_UNUSED(TW_INDEX_##x == TW_INDEX_NONE, 47, 17)                                   \
    }

/* The row of a shape; static memory. */
extern const tw_shape_row tw_shape_rows[];
static inline const tw_shape_row *tw_shape_find(tw_shape shape)
{
    return &tw_shape_rows[shape];
}

static inline bool tw_shape_is_jump(tw_shape shape)
{
    return shape == TW_SHAPE_JUMP || shape == TW_SHAPE_A_JUMP || shape == TW_SHAPE_A_B_JUMP ||
           shape == TW_SHAPE_A_IMM_JUMP;
}

/* True for what goes on nowhere in its function. */
static inline bool tw_op_leaves(uint8_t op)
{
    return op == TW_OP_RET || op == TW_OP_FAIL || op == TW_OP_TRAP || op == TW_OP_BREACH ||
           op == TW_OP_REFUSE;
}

/* What an instruction touches; a function has the union of its instructions' and its callees'. */
typedef enum tw_effect {
    TW_EFFECT_PURE = 0,
#define EFFECT(bit, name, text) TW_EFFECT_##name = 1 << (bit),
#include "vm/isa/effects.def"
    TW_EFFECT_SENDERS = TW_EFFECT_SENDER | TW_EFFECT_WRITES_STATE, /* a thing or money of his */
} tw_effect;

typedef enum tw_stat {
#define STATISTIC(number, name, word, shape, gas) TW_STAT_##name = (number),
#include "vm/isa/statistics.def"
#undef STATISTIC
    TW_STAT_END
} tw_stat;

enum {
#define GAS(name, units, text) TW_GAS_##name = (units),
#include "vm/isa/gas.def"
#undef GAS
    TW_GAS_SCHEDULE = 5, /* id of gas.def, part of the state */
    TW_SEMANTICS = 1,    /* id of opcodes.def and of what it means, part of the state */
};

/* What a ledger allows the worst case of an entry to be unless its genesis says otherwise: half a
 * second. Blocks have ten times that, five of it for timers and handlers. */
#define TW_ENTRY_GAS_MAX UINT64_C(2000000000)

/* Limits of DESIGN.md section 8 that the format itself holds. */
enum {
    TW_MODULE_SIZE_MAX = 256 * 1024,
    TW_FUNCTION_CODE_MAX = 16384,
    TW_FRAME_SLOTS_MAX = 8192,
    TW_STACK_SLOTS_MAX = 32768,
    TW_CALL_DEPTH_MAX = 64,
    TW_LOOP_NEST_MAX = 8,
    TW_TEXT_SIZE_MAX = 4096,
    TW_LIST_MAX = 4096,
    TW_KEEP_MAX = 4096,
    TW_FIELDS_MAX = 1024,
    TW_ENTRIES_MAX = 256,
    TW_TYPES_MAX = 4096,
    TW_TYPE_DEPTH_MAX = 32,
    TW_FUNCTIONS_MAX = 2048,
    TW_CONSTANTS_MAX = 16384,
    TW_PHASES_MAX = 64,
    TW_READINGS_MAX = 64,
    TW_ALARMS_MAX = 64,
    TW_STAMPS_MAX = 128,
    TW_ROLES_MAX = 64,
    TW_ROLE_MEMBERS_MAX = 1000000,
    TW_MAP_MAX = 1000000,
    TW_PARAMS_MAX = 256,
    TW_NAMES_MAX = 256,  /* events, errors, history kinds, invariants, checks: of each */
    TW_MEMBERS_MAX = 64, /* fields of a record, event, error; arguments */
    TW_NAME_SIZE_MAX = 64,
    TW_EVENT_SIZE_MAX = 4096,
    TW_EVENTS_MAX = 1024, /* per entry */
    TW_KEY_SIZE_MAX = 256,
    TW_PURSES_MAX = 256,
    TW_MONIES_MAX = 64,
    TW_DECIMALS_MAX = 18,
    TW_SAMPLES_MAX = 16384,   /* that a statistic covers */
    TW_WINDOWS_MAX = 1048576, /* readings that all windows of a contract keep */
    TW_RANGE_BITS = 52,       /* a reading's range lies within +-2^52; times below 2^52 */
};

/* Fields of an encoded instruction. */
static inline uint8_t tw_insn_op(uint64_t insn)
{
    return (uint8_t)insn;
}
static inline uint16_t tw_insn_a(uint64_t insn)
{
    return (uint16_t)(insn >> 8 & 0x1FFF);
}
static inline uint16_t tw_insn_b(uint64_t insn)
{
    return (uint16_t)(insn >> 21 & 0x1FFF);
}
static inline uint16_t tw_insn_c(uint64_t insn)
{
    return (uint16_t)(insn >> 34 & 0x1FFF);
}
static inline uint32_t tw_insn_x(uint64_t insn)
{
    return (uint32_t)(insn >> 47 & 0x1FFFF);
}
static inline int32_t tw_insn_imm26(uint64_t insn)
{
    return (int32_t)((uint32_t)(insn >> 21 & 0x3FFFFFF) << 6) >> 6;
}
static inline int32_t tw_insn_imm30(uint64_t insn)
{
    return (int32_t)((uint32_t)(insn >> 34) << 2) >> 2;
}
static inline uint64_t tw_insn_make(tw_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t x)
{
    return (uint64_t)op | (uint64_t)a << 8 | (uint64_t)b << 21 | (uint64_t)c << 34 |
           (uint64_t)x << 47;
}
static inline uint64_t tw_insn_make30(tw_op op, uint32_t a, uint32_t b, int32_t imm30)
{
    return (uint64_t)op | (uint64_t)a << 8 | (uint64_t)b << 21 |
           (uint64_t)((uint32_t)imm30 & 0x3FFFFFFF) << 34;
}
static inline uint64_t tw_insn_make26(tw_op op, uint32_t a, int32_t imm26, uint32_t x)
{
    return (uint64_t)op | (uint64_t)a << 8 | (uint64_t)((uint32_t)imm26 & 0x3FFFFFF) << 21 |
           (uint64_t)x << 47;
}
enum {
    TW_IMM26_MAX = (1 << 25) - 1,
    TW_IMM26_MIN = -(1 << 25),
    TW_IMM30_MAX = (1 << 29) - 1,
    TW_IMM30_MIN = -(1 << 29),
};

/* One row of the table. */
typedef struct tw_op_row {
    const char *name; /* NULL for a number that is no instruction */
    const char *text;
    const char *operands; /* the shape's name: its parts are the fields used */
    tw_shape shape;
    uint16_t gas;
    uint16_t effects;
    bool ends_run;
    bool metered; /* its body charges what depends on sizes */
    bool whole;   /* `gas` is all that it costs: of fixed fields, and done without the state */
} tw_op_row;

/* The row of any number 0..255; static memory. */
extern const tw_op_row tw_op_rows[256];
static inline const tw_op_row *tw_op_find(uint8_t number)
{
    return &tw_op_rows[number];
}

/* The word of a statistic ("median"); NULL outside the table. */
const char *tw_stat_word(uint32_t stat);

#endif
