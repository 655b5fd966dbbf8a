/* code -- one forward pass over a function.
 *
 * A jump's target is noted with the loop it was made from; when the pass comes to the target it
 * must be in that same loop body. So a jump can neither leave a loop (but to its END, which belongs
 * to the body) nor enter one.
 *
 * The checks of an instruction's fields are written once, over a row of shapes.def, and the
 * compiler makes them anew for each shape: what a shape has none of costs nothing.
 */
#include "vm/isa/operands.h"
#include "vm/verify/check.h"
#include "vm/verify/cost.h"

#include <string.h>

enum { NO_TARGET = 0, NO_LOOP = 1 };

typedef struct pass {
    const tw_module *m;
    const tw_function *f;
    const uint64_t *code;
    tw_err *err;
    uint32_t *target_loop; /* per instruction: loop a jump to it was made from, or NO_TARGET */
    uint32_t loops[TW_LOOP_NEST_MAX + 1]; /* [0] = NO_LOOP; else 2 + pc of the LOOP */
    uint32_t depth;
    uint32_t pc;
} pass;

static tw_status refuse(pass *p, const char *what)
{
    const char *op = tw_op_find(tw_insn_op(p->code[p->pc]))->name;
    return tw_err_set(p->err, TW_REFUSED_MODULE, "function %s, instruction %u (%s): %s", p->f->name,
                      p->pc, op != NULL ? op : "unknown", what);
}

static inline bool fits(const pass *p, uint32_t first, uint32_t count)
{
    return first + count <= p->f->frame_slots;
}

static inline tw_status jump(pass *p)
{
    const uint64_t target = (uint64_t)p->pc + 1 + tw_insn_x(p->code[p->pc]);
    if (target >= p->f->code_count) return refuse(p, "jumps out of the function");
    const uint32_t loop = p->loops[p->depth];
    if (p->target_loop[target] != NO_TARGET && p->target_loop[target] != loop) {
        return refuse(p, "jumps where another loop's jump goes");
    }
    p->target_loop[target] = loop;
    return TW_OK;
}

/* How many slots the instruction uses from a, from b and from c on; 0 where it uses none. */
typedef struct spans {
    uint32_t a, b, c;
} spans;

/* Where each device has a window, the instruction says whose is meant. */
static uint32_t device_slots(const tw_module *m, uint32_t reading)
{
    return m->readings[reading].per_device ? 4 : 0;
}

/* For functions whose shape, or row of it, is a constant wherever they are called. */
#define OF_SHAPE static inline __attribute__((always_inline))

/* Where the shape leaves the size to what x names. */
OF_SHAPE spans sized_spans(const pass *p, tw_shape shape, uint64_t insn)
{
    const tw_module *m = p->m;
    const uint32_t x = tw_insn_x(insn);
    if (shape == TW_SHAPE_STATE) {
        const tw_operands *o = tw_operands_find(tw_insn_op(insn));
        return (spans){tw_operands_slots(m, o->a, insn), tw_operands_slots(m, o->b, insn),
                       tw_operands_slots(m, o->c, insn)};
    }
    if (shape == TW_SHAPE_FIELD) {
        const tw_field *f = &m->fields[x];
        const uint32_t key = f->key_type == TW_NONE ? 0 : m->types[f->key_type].slots;
        return (spans){m->types[f->value_type].slots, key, 0};
    }
    if (shape == TW_SHAPE_STAT) {
        const bool of_one = tw_insn_op(insn) == TW_OP_STAT;
        return (spans){2, (x >> 10) == TW_STAT_PERCENTILE ? 2 : 1,
                       of_one ? device_slots(m, x & 1023) : 0};
    }
    if (shape == TW_SHAPE_CALL) {
        const tw_function *f = &m->functions[x];
        return (spans){.a = f->argument_slots > f->result_slots ? f->argument_slots
                                                                : f->result_slots};
    }
    if (shape == TW_SHAPE_DST_PARAM) return (spans){.a = m->types[m->params[x].type].slots};
    if (shape == TW_SHAPE_A_EVENT) return (spans){.a = m->events[x].members.slots};
    if (shape == TW_SHAPE_A_HISTORY) return (spans){.a = m->histories[x].members.slots};
    if (shape == TW_SHAPE_A_ERROR) return (spans){.a = m->errors[x].members.slots};
    if (shape == TW_SHAPE_DST_B_STAMP) return (spans){.c = device_slots(m, m->stamps[x].reading)};
    if (shape == TW_SHAPE_DST_B_READING) return (spans){.c = device_slots(m, x)};
    return (spans){.b = shape == TW_SHAPE_DST4_B_TYPE ? m->types[x].slots : 0};
}

OF_SHAPE uint32_t span_of(const pass *p, tw_use use, uint64_t insn, uint32_t sized)
{
    switch (use) {
    case TW_USE_NONE:
    case TW_USE_IMM: return 0;
    case TW_USE_S1:
    case TW_USE_S4:
    case TW_USE_S5: return (uint32_t)use;
    case TW_USE_SX: return tw_insn_x(insn);
    case TW_USE_SC: return tw_insn_c(insn);
    case TW_USE_RESULTS: return p->f->result_slots;
    case TW_USE_SIZED: return sized;
    }
    return UINT16_MAX;
}

/* Where x names something of the module, how many of it there are. */
OF_SHAPE uint64_t index_end(const pass *p, tw_index index, uint64_t insn)
{
    const tw_module *m = p->m;
    const uint32_t x = tw_insn_x(insn);
    switch (index) {
    case TW_INDEX_NONE:
    case TW_INDEX_FREE: return UINT64_MAX;
    case TW_INDEX_FUNCTION: return (uint64_t)(p->f - m->functions); /* lower ones only */
    case TW_INDEX_ROUNDING: return 4 * (uint64_t)m->constant_count;
    case TW_INDEX_CONSTANTS:
        return tw_insn_c(insn) <= m->constant_count ? m->constant_count - tw_insn_c(insn) + 1u : 0;
    case TW_INDEX_STAT:
        return (x & 1023) < m->reading_count && x >> 10 < TW_STAT_END ? UINT64_MAX : 0;
    case TW_INDEX_STATUS: return TW_FAIL_ERROR; /* traps stand below */
    case TW_INDEX_STATE:
        return tw_operands_exist(m, insn) ? UINT64_MAX : 0;
/* clang-format off */
#define COUNT(index, count) case TW_INDEX_##index: return m->count;
#include "vm/isa/shapes.def"
        /* clang-format on */
    }
    return 0;
}

/* Across devices there is no newest reading and no slope; of one device there is no number of
 * devices. */
static bool stat_fits(const tw_module *m, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const uint32_t stat = x >> 10;
    if (tw_insn_op(insn) == TW_OP_STAT) return stat != TW_STAT_DEVICES;
    return m->readings[x & 1023].per_device && stat != TW_STAT_LAST && stat != TW_STAT_TIME_OF &&
           stat != TW_STAT_SLOPE;
}

OF_SHAPE tw_status meaning(pass *p, tw_shape shape, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const uint8_t op = tw_insn_op(insn);
    if (shape == TW_SHAPE_STATUS && (x == 0 || x > TW_TRAP_BAD_VALUE)) {
        return refuse(p, "is no trap of the language");
    }
    if (shape == TW_SHAPE_DST4_B_TYPE && p->m->types[x].kind != TW_KIND_TEXT &&
        p->m->types[x].kind != TW_KIND_BYTES) {
        return refuse(p, "hashes something that is neither text nor bytes");
    }
    if (shape == TW_SHAPE_STAT && !stat_fits(p->m, insn)) {
        return refuse(p, "asks for a statistic that such readings do not have");
    }
    if (shape == TW_SHAPE_DST5_ROLE && p->m->roles[x].max != 1) {
        return refuse(p, "takes the one member of a role that may have more");
    }
    if (tw_insn_is_old(p->m, shape, insn) && op != TW_OP_LOAD && op != TW_OP_EXISTS &&
        op != TW_OP_SIZE && op != TW_OP_NEXT) {
        return refuse(p, "does more than look at a field of the version before");
    }
    return TW_OK;
}

static tw_status loops(pass *p, uint64_t insn)
{
    if (tw_insn_op(insn) == TW_OP_LOOP) {
        if (p->depth == TW_LOOP_NEST_MAX) return refuse(p, "is the ninth loop inside another");
        if (tw_insn_imm30(insn) < 0) return refuse(p, "has a negative count");
        p->loops[++p->depth] = p->pc + 2;
    }
    if (tw_insn_op(insn) == TW_OP_END) {
        if (p->depth == 0) return refuse(p, "ends no loop");
        p->depth--;
    }
    return TW_OK;
}

/* What is not used is 0, so that a module has one byte string: fields the shape leaves out, and
 * those that are there or not by what x names, a key or a device. A number in c, and the slots of a
 * notice without fields, may be anything. */
OF_SHAPE tw_status operands(pass *p, tw_shape shape, const tw_shape_row *row, uint64_t insn)
{
    if (tw_insn_x(insn) >= index_end(p, row->x, insn)) {
        return refuse(p, "names something that is not there");
    }
    const tw_operands *o = shape == TW_SHAPE_STATE ? tw_operands_find(tw_insn_op(insn)) : NULL;
    /* c is a number of a type or of a kind of history, or covered by an immediate: no slots */
    const bool number = o != NULL && (o->c == TW_PART_KIND || o->c == TW_PART_TYPE);
    const spans sized = sized_spans(p, shape, insn);
    const uint32_t b = span_of(p, row->b, insn, sized.b);
    const uint32_t c = span_of(p, row->c, insn, sized.c);
    uint64_t unused = row->unused;
    if (o != NULL && o->a == TW_PART_NONE) unused |= (uint64_t)0x1FFF << 8;
    if (row->b == TW_USE_SIZED && b == 0) unused |= (uint64_t)0x1FFF << 21;
    if (row->c == TW_USE_SIZED && c == 0 && !number) unused |= (uint64_t)0x1FFF << 34;
    if ((insn & unused) != 0) return refuse(p, "has an unused part that is not 0");
    if (!fits(p, tw_insn_a(insn), span_of(p, row->a, insn, sized.a)) ||
        (row->b != TW_USE_IMM && !fits(p, tw_insn_b(insn), b)) ||
        (row->c != TW_USE_IMM && !number && !fits(p, tw_insn_c(insn), c))) {
        return refuse(p, "uses slots outside the frame");
    }
    TW_TRY(meaning(p, shape, insn));
    if (tw_shape_is_jump(shape)) return jump(p);
    return shape == TW_SHAPE_LOOP || shape == TW_SHAPE_NONE ? loops(p, insn) : TW_OK;
}

OF_SHAPE tw_status checked(pass *p, tw_shape shape, uint64_t insn)
{
    switch (shape) {
/* clang-format off */
#define SHAPE(name, a, b, c, x)                                                                    \
    case TW_SHAPE_##name: {                                                                        \
        static const tw_shape_row row = TW_SHAPE_ROW(a, b, c, x);                                  \
        return operands(p, TW_SHAPE_##name, &row, insn);                                           \
    }
#include "vm/isa/shapes.def"
        /* clang-format on */
    }
    return refuse(p, "is no instruction");
}

static tw_status walk(pass *p)
{
    const uint32_t count = p->f->code_count;
    for (p->pc = 0; p->pc < count; p->pc++) {
        const uint64_t insn = p->code[p->pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        if (row->name == NULL) return refuse(p, "is no instruction");
        const uint32_t from = p->target_loop[p->pc];
        if (from != NO_TARGET && from != p->loops[p->depth]) {
            return refuse(p, "is the target of a jump into or out of a loop");
        }
        TW_TRY(checked(p, row->shape, insn));
    }
    p->pc = count - 1;
    if (p->depth != 0) return refuse(p, "ends the function inside a loop");
    if (!tw_op_leaves(tw_insn_op(p->code[p->pc]))) return refuse(p, "lets the function run on");
    return TW_OK;
}

tw_status tw_check_code(const tw_module *m, uint16_t index, uint32_t *ret_targets, tw_err *err)
{
    const tw_function *f = &m->functions[index];
    if (f->code_count == 0 || f->frame_slots > TW_FRAME_SLOTS_MAX ||
        f->argument_slots > f->frame_slots || f->result_slots > f->frame_slots) {
        return tw_err_set(err, TW_REFUSED_MODULE,
                          "function %s: no code, or a frame that does not fit", f->name);
    }
    pass p = {.m = m, .f = f, .code = m->code + f->code_first, .err = err, .loops = {NO_LOOP}};
    p.target_loop = memset(ret_targets, NO_TARGET, f->code_count * sizeof *ret_targets);
    return walk(&p);
}
