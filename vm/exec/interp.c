/* interp -- the loop. One short body an instruction, threaded dispatch generated from the tables.
 *
 * A body returns the instruction to go on with, or NULL when the entry ends (x->stopped says how).
 * It trusts what the verifier proved; the debug build looks again. Bodies stand inside the loop,
 * once more for each pair they are part of: what they share (slots, place, gas) stays in registers.
 */
#include "vm/exec/machine.h"

#include "vm/base/math.h"
#include "vm/isa/value.h"

#include <assert.h>
#include <string.h>

#define BODY(name)                                                                                 \
    static inline __attribute__((always_inline))                                                   \
    const tw_insn *op_##name(tw_exec *x, int64_t *s, const tw_insn *i)

/* One that only says where to go on. */
#define BRIEF(name, next)                                                                          \
    BODY(name)                                                                                     \
    {                                                                                              \
        (void)x;                                                                                   \
        (void)s;                                                                                   \
        return (next);                                                                             \
    }

static const tw_insn *stop(tw_exec *x, const tw_insn *i, tw_status status)
{
    x->stopped = status;
    x->at = i;
    return NULL;
}

/* ---- control ---- */

/* The first instruction of a function, whose frame is made ready. */
static const tw_insn *enter(tw_exec *x, uint16_t function)
{
    const tw_code_function *f = &x->contract->code->functions[function];
    assert(x->base + f->frame_slots <= TW_STACK_SLOTS_MAX);
    int64_t *s = x->stack + x->base;
    const size_t rest = (size_t)f->frame_slots - f->argument_slots;
    memset(s + f->argument_slots, 0, rest * sizeof *s);
    x->function = function;
    return f->first;
}

BODY(RET)
{
    if (x->depth == 0) {
        x->result = s + i->a;
        return stop(x, i, TW_OK);
    }
    const tw_frame *f = &x->frames[--x->depth];
    const uint16_t results = x->contract->code->functions[x->function].result_slots;
    int64_t *to = x->stack + f->base + f->back->a;
    memmove(to, s + i->a, results * sizeof *s);
    x->base = f->base;
    x->function = f->function;
    x->loop = f->loop;
    return f->back + 1;
}

BODY(CALL)
{
    const tw_code_function *functions = x->contract->code->functions;
    assert(x->depth < TW_CALL_DEPTH_MAX);
    x->frames[x->depth++] = (tw_frame){i, x->loop, x->base, x->function};
    x->base += functions[x->function].frame_slots;
    memcpy(x->stack + x->base, s + i->a, functions[i->x].argument_slots * sizeof *s);
    return enter(x, (uint16_t)i->x);
}

/* As behind every instruction that ends a run, a CHARGE stands where it goes on: itself. */
BRIEF(CHARGE, i)

#define JUMP_IF(name, condition) BRIEF(name, (condition) ? i + i->x : i + 1)

BRIEF(JMP, i + i->x)
JUMP_IF(JZ, s[i->a] == 0)
JUMP_IF(JNZ, s[i->a] != 0)
JUMP_IF(JEQ, s[i->a] == s[i->b])
JUMP_IF(JNE, s[i->a] != s[i->b])
JUMP_IF(JLT, s[i->a] < s[i->b])
JUMP_IF(JLE, s[i->a] <= s[i->b])
JUMP_IF(JEQI, s[i->a] == i->imm)
JUMP_IF(JNEI, s[i->a] != i->imm)
JUMP_IF(JLTI, s[i->a] < i->imm)
JUMP_IF(JLEI, s[i->a] <= i->imm)
JUMP_IF(JGTI, s[i->a] > i->imm)
JUMP_IF(JGEI, s[i->a] >= i->imm)

BODY(LOOP)
{
    const int64_t count = s[i->b];
    if (count < 0 || count > i->imm) return stop(x, i, TW_TRAP_BAD_INDEX);
    s[i->a] = 0;
    if (count == 0) return i + i->x + 1; /* x: distance to END */
    *++x->loop = (tw_loop){1, count, i + 1};
    return i + 1;
}

BODY(END)
{
    tw_loop *loop = x->loop;
    if (loop->next == loop->count) {
        x->loop--;
        return i + 1;
    }
    s[i->a] = loop->next++; /* the LOOP's slot */
    return loop->first;
}

/* ---- moves and arithmetic ---- */

/* An instruction that goes on with the next one; and one that does so unless `overflows`. */
#define STEP(name, action) BRIEF(name, ((void)(action), i + 1))
#define CHECKED(name, overflows) BRIEF(name, (overflows) ? stop(x, i, TW_TRAP_OVERFLOW) : i + 1)

STEP(MOV, s[i->a] = s[i->b])
STEP(MOVN, memmove(s + i->a, s + i->b, (size_t)i->x * sizeof *s))
STEP(LDI, s[i->a] = i->imm)
STEP(LDK, s[i->a] = x->constants[i->x])
STEP(LDKN, memcpy(s + i->a, x->constants + i->x, i->c * sizeof *s))
STEP(ZERO, memset(s + i->a, 0, (size_t)i->x * sizeof *s))
CHECKED(ADD, __builtin_add_overflow(s[i->b], s[i->c], &s[i->a]))
CHECKED(SUB, __builtin_sub_overflow(s[i->b], s[i->c], &s[i->a]))
CHECKED(MUL, __builtin_mul_overflow(s[i->b], s[i->c], &s[i->a]))
CHECKED(NEG, __builtin_sub_overflow(INT64_C(0), s[i->b], &s[i->a]))
CHECKED(ADDI, __builtin_add_overflow(s[i->b], (int64_t)i->imm, &s[i->a]))
CHECKED(MULI, __builtin_mul_overflow(s[i->b], (int64_t)i->imm, &s[i->a]))
STEP(MIN, s[i->a] = s[i->b] < s[i->c] ? s[i->b] : s[i->c])
STEP(MAX, s[i->a] = s[i->b] > s[i->c] ? s[i->b] : s[i->c])

BODY(ABS)
{
    if (s[i->b] == INT64_MIN) return stop(x, i, TW_TRAP_OVERFLOW);
    s[i->a] = s[i->b] < 0 ? -s[i->b] : s[i->b];
    return i + 1;
}

BODY(DIV)
{
    if (s[i->c] == 0) return stop(x, i, TW_TRAP_DIVIDE_BY_ZERO);
    if (s[i->b] == INT64_MIN && s[i->c] == -1) return stop(x, i, TW_TRAP_OVERFLOW);
    s[i->a] = s[i->b] / s[i->c];
    return i + 1;
}

BODY(MOD)
{
    if (s[i->c] == 0) return stop(x, i, TW_TRAP_DIVIDE_BY_ZERO);
    s[i->a] = s[i->c] == -1 ? 0 : s[i->b] % s[i->c]; /* INT64_MIN % -1 is 0, not a fault */
    return i + 1;
}

static const tw_insn *muldiv(tw_exec *x, int64_t *s, const tw_insn *i, int64_t factor,
                             int64_t divisor)
{
    if (divisor == 0) return stop(x, i, TW_TRAP_DIVIDE_BY_ZERO);
    if (!tw_muldiv(s[i->b], factor, divisor, (tw_round)(i->x & 3), &s[i->a])) {
        return stop(x, i, TW_TRAP_OVERFLOW);
    }
    return i + 1;
}

BRIEF(MULDIVK, muldiv(x, s, i, s[i->c], x->constants[i->x >> 2]))
BRIEF(MULKDIV, muldiv(x, s, i, x->constants[i->x >> 2], s[i->c]))
BRIEF(DIVK, muldiv(x, s, i, 1, x->constants[i->x >> 2]))

/* ---- comparisons ---- */

static bool comes_before(const int64_t *a, const int64_t *b, int32_t count)
{
    for (int32_t k = 0; k < count; k++) {
        if (a[k] != b[k]) return (uint64_t)a[k] < (uint64_t)b[k];
    }
    return false;
}

STEP(EQ, s[i->a] = s[i->b] == s[i->c])
STEP(NE, s[i->a] = s[i->b] != s[i->c])
STEP(LT, s[i->a] = s[i->b] < s[i->c])
STEP(LE, s[i->a] = s[i->b] <= s[i->c])
STEP(EQN, s[i->a] = memcmp(s + i->b, s + i->c, (size_t)i->x * sizeof *s) == 0)
STEP(LTN, s[i->a] = comes_before(s + i->b, s + i->c, i->x))
STEP(NOT, s[i->a] = s[i->b] == 0)
STEP(EQI, s[i->a] = s[i->b] == i->imm)
STEP(LTI, s[i->a] = s[i->b] < i->imm)
STEP(GTI, s[i->a] = s[i->b] > i->imm)

/* ---- what the contract knows without a look into the state ---- */

BODY(PARAM)
{
    const tw_code *code = x->contract->code;
    const uint32_t slots = code->module->types[code->module->params[i->x].type].slots;
    memcpy(s + i->a, x->contract->params + code->param_first[i->x], slots * sizeof *s);
    return i + 1;
}

STEP(LDC, s[i->a] = x->contract->deployed[i->x])
STEP(STC, x->contract->deployed[i->x] = s[i->a])
STEP(PHASE, s[i->a] = x->contract->control.phase)
STEP(NOW, s[i->a] = x->call->now)
STEP(INPHASE, s[i->a] = x->call->now - x->contract->control.phase_since)
STEP(ALARM, s[i->a] = x->contract->control.alarms[i->x].up)

BODY(CALLER)
{
    if (x->call->signer_count == 0) return stop(x, i, TW_TRAP_NOT_CALLER);
    tw_slots_from_bytes32(x->call->signers[0].bytes, s + i->a);
    return i + 1;
}

#define LEAVE(name, status) BRIEF(name, (x->index = (uint16_t)i->x, stop(x, i, (status))))
LEAVE(TRAP, (tw_status)i->x)
LEAVE(BREACH, TW_FAIL_INVARIANT)
LEAVE(REFUSE, TW_FAIL_CHECK)

static const tw_insn *go_on(tw_exec *x, const tw_insn *i, tw_status status)
{
    return status == TW_OK ? i + 1 : stop(x, i, status);
}

#define NATIVE_BODY(name) BRIEF(name, go_on(x, i, tw_native_##name(x, s, i)))
#define OP(number, name, shape, gas, run, effects, text) TW_NATIVES_##run(NATIVE_BODY, name)
#include "vm/isa/opcodes.def"
#undef OP

/* What the verifier proved of an instruction's place and slots, again, for the debug build. */
static inline bool sane(const tw_exec *x, const int64_t *s, const tw_insn *i)
{
    const tw_code *code = x->contract->code;
    const tw_code_function *f = &code->functions[x->function];
    const uint64_t pc = f->source[i - f->first];
    const tw_function *function = &code->module->functions[x->function];
    const uint64_t insn = code->module->code[function->code_first + pc];
    const ptrdiff_t nest = x->loop - x->loops;
    return i >= f->first && pc < function->code_count && s == x->stack + x->base && nest >= 0 &&
           nest <= TW_CALL_DEPTH_MAX * TW_LOOP_NEST_MAX &&
           (i->op == TW_OP_CHARGE || i->op >= TW_PAIR_FIRST || i->op == tw_insn_op(insn));
}

/* Taking the address of a label is an extension that gcc and clang share. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

enum {
    RUN_ON = 0,
    RUN_END = 1,
    NATIVE_ON = RUN_ON,
    NATIVE = RUN_END,
    METERED = RUN_END,
    ENDS_CHARGE = RUN_END,
#define OP(number, name, shape, gas, run, effects, text) ENDS_##name = (run),
#include "vm/isa/opcodes.def"
#undef OP
};

#define DISPATCH                                                                                   \
    assert(sane(x, s, i));                                                                         \
    goto *labels[i->op]

/* The body of an instruction, and the charge of the run that begins behind it. */
#define DO(name)                                                                                   \
    i = op_##name(x, s, i);                                                                        \
    if (i == NULL) goto stopped;                                                                   \
    if ((int)TW_OP_##name == TW_OP_CALL || (int)TW_OP_##name == TW_OP_RET) {                       \
        s = x->stack + x->base;                                                                    \
    }                                                                                              \
    if (ENDS_##name == RUN_END) gas += (uint32_t)i++->imm

void tw_interpret(tw_exec *x, uint16_t function)
{
    static const void *const labels[TW_HANDLERS] = {
        [TW_OP_CHARGE] = &&do_CHARGE,
#define OP(number, name, shape, gas, run, effects, text) [number] = &&do_##name,
#include "vm/isa/opcodes.def"
#undef OP
#define PAIR(first, second) [TW_PAIR_##first##_##second] = &&do_##first##_##second,
#define FALL(first) [TW_PAIR_##first##_CHARGE_END] = &&do_##first##_CHARGE_END,
#include "vm/exec/pairs.def"
    };
    x->base = 0;
    x->depth = 0;
    x->loop = x->loops;
    uint64_t gas = 0; /* the natives' is in x->gas */
    const tw_insn *i = enter(x, function);
    int64_t *s = x->stack;
    DISPATCH;
do_CHARGE:
    DO(CHARGE);
    DISPATCH;
#define OP(number, name, shape, gas, run, effects, text)                                           \
    do_##name : DO(name);                                                                          \
    DISPATCH;
#include "vm/isa/opcodes.def"
#undef OP
#define PAIR(first, second)                                                                        \
    do_##first##_##second : DO(first);                                                             \
    DO(second);                                                                                    \
    DISPATCH;
#define FALL(first)                                                                                \
    do_##first##_CHARGE_END : DO(first);                                                           \
    DO(CHARGE);                                                                                    \
    DO(END);                                                                                       \
    DISPATCH;
#include "vm/exec/pairs.def"
stopped:
    x->gas += gas;
}

#pragma GCC diagnostic pop
