/* code -- see the header. Two passes a function: find where runs begin, then write the decoded
 * instructions with a CHARGE before each run and jumps in the new numbering. */
#include "vm/exec/code.h"

#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

enum { CODE_MEMORY_MAX = 64 * 1024 * 1024 };

/* Over the instructions of all functions, which stand one after another. */
typedef struct decoder {
    const tw_module *m;
    uint32_t *place; /* per pc: index of its CHARGE, or of itself; one more at the end */
    tw_insn *out;
    uint32_t *source;
} decoder;

/* The part of the cost that is charged with the run. Where it depends on the sizes met, the body
 * charges the rest itself. */
static uint64_t run_gas(const decoder *d, const tw_op_row *row, uint64_t insn)
{
    return row->metered || row->whole ? row->gas : tw_cost_insn(d->m, insn).gas;
}

/* How many runs there are. Jumps go forward, so it is known where one begins when the pass comes to
 * it; a function ends with an instruction that ends a run. */
static uint32_t find_runs(const decoder *d)
{
    const uint64_t *code = d->m->code;
    const uint32_t count = d->m->code_count;
    uint32_t *place = d->place;
    uint32_t runs = 0;
    place[0] = 1;
    for (uint32_t pc = 0; pc < count; pc++) {
        const uint32_t begins = place[pc];
        place[pc] = pc + runs;
        runs += begins;
        const tw_op_row *row = tw_op_find(tw_insn_op(code[pc]));
        if (!row->ends_run) continue;
        place[pc + 1] = 1;
        if (tw_shape_is_jump(row->shape)) place[pc + 1 + tw_insn_x(code[pc])] = 1;
    }
    place[count] = count + runs;
    return runs;
}

static inline tw_insn decode(const decoder *d, uint64_t insn, tw_shape shape, uint32_t pc,
                             uint32_t own)
{
    const uint32_t x = tw_insn_x(insn);
    const bool jump = tw_shape_is_jump(shape);
    return (tw_insn){.op = tw_insn_op(insn),
                     .a = tw_insn_a(insn),
                     .b = tw_insn_b(insn),
                     .c = tw_insn_c(insn),
                     .x = (int32_t)(jump ? d->place[pc + 1 + x] - own : x),
                     .imm =
                         shape == TW_SHAPE_A_IMM_JUMP ? tw_insn_imm26(insn) : tw_insn_imm30(insn)};
}

/* The handler of two handlers, one behind the other, at a place that no other pair of pairs.def
 * has: the compiler would say so. */
enum { PAIR_PLACES = 128 };
#define PAIR_PLACE(first, second) ((13u * (first) + (second)) % PAIR_PLACES)
#define JOINED(one, two, pair) [PAIR_PLACE(one, two)] = {(one), (two), (pair)},
#define PAIR(one, two) JOINED(TW_OP_##one, TW_OP_##two, TW_PAIR_##one##_##two)
#define FALL(one) JOINED(TW_OP_##one, TW_PAIR_CHARGE_END, TW_PAIR_##one##_CHARGE_END)
static const struct {
    uint16_t first, second, pair;
} pairs[PAIR_PLACES] = {
#include "vm/exec/pairs.def"
};

/* Makes `first` do the work of `second` too, where they are a pair. */
static inline void join(tw_insn *first, uint16_t second)
{
    const uint32_t at = PAIR_PLACE(first->op, second);
    if (pairs[at].first == first->op && pairs[at].second == second) first->op = pairs[at].pair;
}

static void write_code(decoder d, const tw_function *f)
{
    tw_insn *loops[TW_LOOP_NEST_MAX + 1] = {NULL};
    uint32_t depth = 0;
    tw_insn *charge = NULL; /* of the run that goes on */
    uint64_t gas = 0;       /* of that run so far */
    const uint64_t *code = d.m->code;
    const uint32_t first = f->code_first;
    const uint32_t end = first + f->code_count;
    for (uint32_t pc = first; pc < end; pc++) {
        const uint64_t insn = code[pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        const uint32_t at = d.place[pc + 1] - 1;
        if (d.place[pc] < at) {
            charge = &d.out[at - 1]; /* zeroed, as its number is */
            d.source[at - 1] = pc - first;
            gas = pc == first ? tw_cost_frame(f) : 0; /* zeroed on entering */
        }
        /* 2^14 cheap instructions, and one dear one: a REVOKE of all windows is 3 * 10^9 */
        gas += run_gas(&d, row, insn);
        assert(gas <= UINT32_MAX);
        charge->imm = (int32_t)(uint32_t)gas;
        tw_insn *out = &d.out[at];
        d.source[at] = pc - first;
        *out = decode(&d, insn, row->shape, pc, at);
        if (out->op == TW_OP_JMP) join(out, tw_insn_op(code[pc + 1 + tw_insn_x(insn)]));
        join(&out[-1], out->op); /* a CHARGE is the very first, and before an END there is a LOOP */
        if (out[-1].op == TW_PAIR_CHARGE_END) join(&out[-2], out[-1].op);
        if (out->op == TW_OP_LOOP) loops[++depth] = out;
        if (out->op != TW_OP_END) continue;
        out->a = loops[depth]->a;
        loops[depth]->x = (int32_t)(out - loops[depth]);
        depth--;
    }
}

static bool decode_all(tw_code *code)
{
    const tw_module *m = code->module;
    decoder d = {.m = m, .place = TW_NEW_ARRAY(code->arena, uint32_t, m->code_count + 1)};
    if (d.place == NULL) return false;
    const uint32_t count = m->code_count + find_runs(&d);
    d.out = TW_NEW_ARRAY(code->arena, tw_insn, count);
    d.source = TW_NEW_ARRAY(code->arena, uint32_t, count);
    if (d.out == NULL || d.source == NULL) return false;
    for (uint16_t i = 0; i < m->function_count; i++) {
        const tw_function *f = &m->functions[i];
        const uint32_t first = d.place[f->code_first];
        write_code(d, f);
        code->functions[i] = (tw_code_function){&d.out[first], &d.source[first], f->frame_slots,
                                                f->argument_slots, f->result_slots};
    }
    return true;
}

static tw_status prepare(tw_code *code, tw_err *err)
{
    const tw_module *m = code->module;
    code->functions = TW_NEW_ARRAY(code->arena, tw_code_function, m->function_count);
    code->param_first = TW_NEW_ARRAY(code->arena, uint32_t, m->param_count);
    if (code->functions == NULL || code->param_first == NULL) {
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    }
    for (uint16_t i = 0; i < m->param_count; i++) {
        code->param_first[i] = code->param_slots;
        code->param_slots += m->types[m->params[i].type].slots;
    }
    return decode_all(code) ? TW_OK : tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
}

static tw_status build(tw_code *code, tw_bytes module, const tw_hash *hash, tw_err *err)
{
    const char *copy = tw_arena_copy(code->arena, module.data, module.size);
    if (copy == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    code->bytes = tw_bytes_of(copy, module.size);
    code->hash = hash != NULL ? *hash : tw_module_hash(code->bytes);
    tw_module *decoded = NULL;
    tw_facts *facts = NULL;
    TW_TRY(tw_module_decode(code->bytes, code->arena, &decoded, err));
    TW_TRY(tw_module_verify(decoded, code->arena, &facts, err));
    code->module = decoded;
    code->facts = facts;
    return prepare(code, err);
}

tw_status tw_code_new(tw_bytes module, const tw_hash *hash, tw_code **ret_code, tw_err *err)
{
    tw_arena *arena = tw_arena_new(CODE_MEMORY_MAX);
    tw_code *code = arena != NULL ? TW_NEW(arena, tw_code) : NULL;
    if (code == NULL) {
        tw_arena_free(arena);
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    }
    code->arena = arena;
    const tw_status status = build(code, module, hash, err);
    if (status == TW_OK) {
        *ret_code = code;
    } else {
        tw_arena_free(arena);
    }
    return status;
}

void tw_code_free(tw_code *code)
{
    if (code != NULL) tw_arena_free(code->arena);
}
