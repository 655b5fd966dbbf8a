/* code -- see the header. Two passes a function: find where runs begin, then write the decoded
 * instructions with a CHARGE before each run and jumps in the new numbering. */
#include "vm/exec/code.h"

#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

enum { CODE_MEMORY_MAX = 64 * 1024 * 1024 };

typedef struct decoder {
    const tw_module *m;
    const tw_function *f;
    bool *begins;    /* per pc: a run begins here */
    uint32_t *place; /* per pc: index of its CHARGE, or of itself */
    tw_insn *out;
    uint32_t *source;
} decoder;

static uint64_t insn_at(const decoder *d, uint32_t pc)
{
    return d->m->code[d->f->code_first + pc];
}

static const tw_op_row *row_at(const decoder *d, uint32_t pc)
{
    return tw_op_find(tw_insn_op(insn_at(d, pc)));
}

/* The part of the cost that is charged with the run. Where it depends on the sizes met, the body
 * charges the rest itself. Entering the function zeroes its frame. */
static uint64_t run_gas(const decoder *d, uint32_t pc)
{
    const uint64_t insn = insn_at(d, pc);
    const uint64_t entering = pc == 0 ? tw_cost_frame(d->f) : 0;
    const tw_op_row *row = row_at(d, pc);
    return entering + (row->metered ? row->gas : tw_cost_insn(d->m, insn).gas);
}

static uint32_t find_runs(const decoder *d)
{
    uint32_t runs = 0;
    d->begins[0] = true;
    for (uint32_t pc = 0; pc < d->f->code_count; pc++) {
        const tw_op_row *row = row_at(d, pc);
        if (row->ends_run && pc + 1 < d->f->code_count) d->begins[pc + 1] = true;
        if (tw_shape_is_jump(row->shape)) d->begins[pc + 1 + tw_insn_x(insn_at(d, pc))] = true;
    }
    for (uint32_t pc = 0; pc < d->f->code_count; pc++) {
        d->place[pc] = pc + runs;
        runs += d->begins[pc];
    }
    return runs;
}

static tw_insn decode(const decoder *d, uint32_t pc, const uint32_t *loop_place)
{
    const uint64_t insn = insn_at(d, pc);
    const tw_shape shape = row_at(d, pc)->shape;
    tw_insn i = {tw_insn_op(insn), tw_insn_a(insn),          tw_insn_b(insn),
                 tw_insn_c(insn),  (int32_t)tw_insn_x(insn), tw_insn_imm30(insn)};
    if (shape == TW_SHAPE_A_IMM_JUMP) i.imm = tw_insn_imm26(insn);
    const uint32_t own = d->place[pc] + (d->begins[pc] ? 1 : 0);
    if (tw_shape_is_jump(shape)) i.x = (int32_t)(d->place[pc + 1 + tw_insn_x(insn)] - own);
    if (tw_insn_op(insn) == TW_OP_END) {
        i.x = (int32_t)(own - *loop_place);
        i.a = d->out[*loop_place].a;
    }
    return i;
}

/* The handler of two instructions at once; 0 when they are no pair. */
static uint16_t pair_of(uint16_t first, uint16_t second)
{
    switch (first << 8 | second) {
#define PAIR(one, two)                                                                             \
    case TW_OP_##one << 8 | TW_OP_##two:                                                           \
        return TW_PAIR_##one##_##two;
#include "vm/exec/pairs.def"
#undef PAIR
    default: return 0; /* numbers, not an enum */
    }
}

static void write_code(decoder *d)
{
    uint32_t loops[TW_LOOP_NEST_MAX + 1] = {0};
    uint32_t depth = 0;
    tw_insn *charge = NULL; /* of the run that goes on */
    for (uint32_t pc = 0; pc < d->f->code_count; pc++) {
        uint32_t at = d->place[pc];
        if (d->begins[pc]) {
            charge = &d->out[at]; /* zeroed, as its number is */
            d->source[at++] = pc;
        }
        const uint64_t gas = run_gas(d, pc);
        /* 2^14 cheap instructions, or one dear one at the end */
        assert(gas <= (uint64_t)(INT32_MAX - charge->imm));
        charge->imm += (int32_t)gas;
        const uint8_t op = tw_insn_op(insn_at(d, pc));
        d->source[at] = pc;
        d->out[at] = decode(d, pc, &loops[depth]);
        const uint16_t pair = pair_of(d->out[at - 1].op, op); /* a CHARGE is the very first */
        if (pair != 0) d->out[at - 1].op = pair;
        if (op == TW_OP_LOOP) loops[++depth] = at;
        if (op == TW_OP_END) d->out[loops[depth--]].x = d->out[at].x; /* both hold the distance */
    }
}

static bool decode_function(tw_code *code, uint16_t index)
{
    const tw_function *f = &code->module->functions[index];
    decoder d = {.m = code->module, .f = f};
    d.begins = TW_NEW_ARRAY(code->arena, bool, f->code_count);
    d.place = TW_NEW_ARRAY(code->arena, uint32_t, f->code_count);
    if (d.begins == NULL || d.place == NULL) return false;
    const uint32_t runs = find_runs(&d);
    d.out = TW_NEW_ARRAY(code->arena, tw_insn, f->code_count + runs);
    d.source = TW_NEW_ARRAY(code->arena, uint32_t, f->code_count + runs);
    if (d.out == NULL || d.source == NULL) return false;
    write_code(&d);
    code->functions[index] =
        (tw_code_function){d.out, d.source, f->frame_slots, f->argument_slots, f->result_slots};
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
    for (uint16_t i = 0; i < m->function_count; i++) {
        if (!decode_function(code, i)) {
            return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
        }
    }
    return TW_OK;
}

static tw_status build(tw_code *code, tw_bytes module, tw_err *err)
{
    const char *copy = tw_arena_copy(code->arena, module.data, module.size);
    if (copy == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    code->bytes = tw_bytes_of(copy, module.size);
    code->hash = tw_module_hash(code->bytes);
    tw_module *decoded = NULL;
    tw_facts *facts = NULL;
    TW_TRY(tw_module_decode(code->bytes, code->arena, &decoded, err));
    TW_TRY(tw_module_verify(decoded, code->arena, &facts, err));
    code->module = decoded;
    code->facts = facts;
    return prepare(code, err);
}

tw_status tw_code_new(tw_bytes module, tw_code **ret_code, tw_err *err)
{
    tw_arena *arena = tw_arena_new(CODE_MEMORY_MAX);
    tw_code *code = arena != NULL ? TW_NEW(arena, tw_code) : NULL;
    if (code == NULL) {
        tw_arena_free(arena);
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    }
    code->arena = arena;
    const tw_status status = build(code, module, err);
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
