/* code -- one forward pass over a function.
 *
 * A jump's target is noted with the loop it was made from; when the pass comes to the target it
 * must be in that same loop body. So a jump can neither leave a loop (but to its END, which belongs
 * to the body) nor enter one.
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

static bool fits(const pass *p, uint32_t first, uint64_t count)
{
    return first + count <= p->f->frame_slots;
}

static tw_status jump(pass *p)
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
    uint64_t a, b, c;
} spans;

/* Where each device has a window, the instruction says whose is meant. */
static uint32_t device_slots(const tw_module *m, uint32_t reading)
{
    return m->readings[reading].per_device ? 4 : 0;
}

/* Where the shape leaves the size to what x names. */
static spans sized_spans(const tw_module *m, uint64_t insn, uint32_t x)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    if (o != NULL) {
        return (spans){tw_operands_slots(m, o->a, insn), tw_operands_slots(m, o->b, insn),
                       tw_operands_slots(m, o->c, insn)};
    }
    switch (tw_insn_op(insn)) {
    case TW_OP_LOAD:
    case TW_OP_STORE: {
        const tw_field *f = &m->fields[x];
        const uint32_t key = f->key_type == TW_NONE ? 0 : m->types[f->key_type].slots;
        return (spans){m->types[f->value_type].slots, key, 0};
    }
    case TW_OP_PARAM: return (spans){m->types[m->params[x].type].slots, 0, 0};
    case TW_OP_EMIT: return (spans){m->events[x].members.slots, 0, 0};
    case TW_OP_HISTORY: return (spans){m->histories[x].members.slots, 0, 0};
    case TW_OP_FAIL: return (spans){m->errors[x].members.slots, 0, 0};
    case TW_OP_STAT:
        return (spans){2, (x >> 10) == TW_STAT_PERCENTILE ? 2 : 1, device_slots(m, x & 1023)};
    case TW_OP_ACROSS: return (spans){2, (x >> 10) == TW_STAT_PERCENTILE ? 2 : 1, 0};
    case TW_OP_HOLDS: return (spans){0, 0, device_slots(m, m->stamps[x].reading)};
    case TW_OP_SILENT: return (spans){0, 0, device_slots(m, x)};
    case TW_OP_HASH: return (spans){0, m->types[x].slots, 0};
    case TW_OP_CALL: {
        const tw_function *f = &m->functions[x];
        const uint16_t more =
            f->argument_slots > f->result_slots ? f->argument_slots : f->result_slots;
        return (spans){more, 0, 0};
    }
    default: return (spans){0, 0, 0}; /* numbers, not an enum: called for those above only */
    }
}

static uint64_t span_of(const pass *p, tw_use use, uint64_t insn, uint64_t sized)
{
    switch (use) {
    case TW_USE_NONE:
    case TW_USE_IMM: return 0;
    case TW_USE_S1:
    case TW_USE_S4:
    case TW_USE_S5: return (uint64_t)use;
    case TW_USE_SX: return tw_insn_x(insn);
    case TW_USE_SC: return tw_insn_c(insn);
    case TW_USE_RESULTS: return p->f->result_slots;
    case TW_USE_SIZED: return sized;
    }
    return UINT32_MAX;
}

static spans spans_of(const pass *p, const tw_shape_row *shape, uint64_t insn)
{
    const bool sized =
        shape->a == TW_USE_SIZED || shape->b == TW_USE_SIZED || shape->c == TW_USE_SIZED;
    const spans by_x = sized ? sized_spans(p->m, insn, tw_insn_x(insn)) : (spans){0, 0, 0};
    return (spans){span_of(p, shape->a, insn, by_x.a), span_of(p, shape->b, insn, by_x.b),
                   span_of(p, shape->c, insn, by_x.c)};
}

/* Where x names something of the module, how many of it there are. */
static uint64_t index_end(const pass *p, tw_index index, uint64_t insn)
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

/* c is a number of a type or of a kind of history, no slots. */
static bool is_number(const tw_operands *o)
{
    return o != NULL && (o->c == TW_PART_KIND || o->c == TW_PART_TYPE);
}

/* What is not used is 0, so that a module has one byte string: fields the shape leaves out, and
 * those that are there or not by what x names, a key or a device. A number in c, and the slots of a
 * notice without fields, may be anything. */
static bool unused_are_zero(const tw_shape_row *shape, uint64_t insn, spans used)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    const bool a = o != NULL ? o->a == TW_PART_NONE : shape->a == TW_USE_NONE;
    const bool b = shape->b == TW_USE_NONE || (shape->b == TW_USE_SIZED && used.b == 0);
    const bool c =
        shape->c == TW_USE_NONE || (shape->c == TW_USE_SIZED && used.c == 0 && !is_number(o));
    return (!a || tw_insn_a(insn) == 0) && (!b || tw_insn_b(insn) == 0) &&
           (!c || tw_insn_c(insn) == 0) && (shape->x != TW_INDEX_NONE || tw_insn_x(insn) == 0);
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

static tw_status meaning(pass *p, const tw_op_row *row, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    if (row->shape == TW_SHAPE_STATUS && (x == 0 || x > TW_TRAP_BAD_VALUE)) {
        return refuse(p, "is no trap of the language");
    }
    if (row->shape == TW_SHAPE_DST4_B_TYPE && p->m->types[x].kind != TW_KIND_TEXT &&
        p->m->types[x].kind != TW_KIND_BYTES) {
        return refuse(p, "hashes something that is neither text nor bytes");
    }
    if (row->shape == TW_SHAPE_STAT && !stat_fits(p->m, insn)) {
        return refuse(p, "asks for a statistic that such readings do not have");
    }
    if (row->shape == TW_SHAPE_DST5_ROLE && p->m->roles[x].max != 1) {
        return refuse(p, "takes the one member of a role that may have more");
    }
    const uint8_t op = tw_insn_op(insn);
    const bool looks =
        op == TW_OP_LOAD || op == TW_OP_EXISTS || op == TW_OP_SIZE || op == TW_OP_NEXT;
    if (tw_insn_is_old(p->m, row, insn) && !looks) {
        return refuse(p, "does more than look at a field of the version before");
    }
    return TW_OK;
}

/* The short way: all is well with the fields of a shape whose slots x has no part in. */
static bool is_plain(const pass *p, const tw_shape_row *shape, uint64_t insn)
{
    return shape->fixed && (insn & shape->unused) == 0 && fits(p, tw_insn_a(insn), shape->a) &&
           (shape->b == TW_USE_IMM || fits(p, tw_insn_b(insn), shape->b)) &&
           (shape->c == TW_USE_IMM || fits(p, tw_insn_c(insn), shape->c)) &&
           (shape->x <= TW_INDEX_FREE || tw_insn_x(insn) < index_end(p, shape->x, insn));
}

static tw_status operands(pass *p, const tw_op_row *row, uint64_t insn)
{
    const tw_shape_row *shape = tw_shape_find(row->shape);
    if (is_plain(p, shape, insn)) return shape->x <= TW_INDEX_FREE ? TW_OK : meaning(p, row, insn);
    if (tw_insn_x(insn) >= index_end(p, shape->x, insn)) {
        return refuse(p, "names something that is not there");
    }
    const spans used = spans_of(p, shape, insn);
    if (!unused_are_zero(shape, insn, used)) return refuse(p, "has an unused part that is not 0");
    const bool number = shape->c == TW_USE_IMM || is_number(tw_operands_find(tw_insn_op(insn)));
    /* an immediate may cover c, which is no slot then; one in b and c too is plain but for its a */
    if (!fits(p, tw_insn_a(insn), used.a) || !fits(p, tw_insn_b(insn), used.b) ||
        (!number && !fits(p, tw_insn_c(insn), used.c))) {
        return refuse(p, "uses slots outside the frame");
    }
    return meaning(p, row, insn);
}

static tw_status control(pass *p, const tw_op_row *row, uint64_t insn)
{
    if (tw_shape_is_jump(row->shape)) return jump(p);
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

static bool leaves(uint8_t op)
{
    return op == TW_OP_RET || op == TW_OP_FAIL || op == TW_OP_TRAP || op == TW_OP_BREACH ||
           op == TW_OP_REFUSE;
}

static tw_status walk(pass *p)
{
    for (p->pc = 0; p->pc < p->f->code_count; p->pc++) {
        const uint64_t insn = p->code[p->pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        if (row->name == NULL) return refuse(p, "is no instruction");
        const uint32_t from = p->target_loop[p->pc];
        if (from != NO_TARGET && from != p->loops[p->depth]) {
            return refuse(p, "is the target of a jump into or out of a loop");
        }
        TW_TRY(operands(p, row, insn));
        TW_TRY(control(p, row, insn));
    }
    p->pc = p->f->code_count - 1;
    if (p->depth != 0) return refuse(p, "ends the function inside a loop");
    if (!leaves(tw_insn_op(p->code[p->pc]))) return refuse(p, "lets the function run on");
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
