/* gen_emit -- functions, instructions, labels, slots and the pool of constants.
 *
 * Jumps to a label that has no place yet form a chain: the distance field of each names the jump
 * before it, until the label is placed and all get their distances. What is known of the homes of
 * variables flows along: into a label from every jump to it, and on from there.
 */
#include "compiler/gen.h"

#include <assert.h>
#include <string.h>

bool twc_gen_grow(twc_gen *g, void *items, uint32_t *size, uint32_t count, size_t item)
{
    if (count <= *size) return true;
    uint32_t wanted = *size < 16 ? 16 : 2 * *size;
    while (wanted < count) wanted *= 2;
    void *old = NULL;
    memcpy(&old, items, sizeof old);
    void *made = tw_arena_array(g->arena, wanted, item);
    if (made == NULL) {
        g->diags->out_of_memory = true;
        g->failed = true;
        return false;
    }
    if (*size > 0) memcpy(made, old, *size * item);
    memcpy(items, &made, sizeof made);
    *size = wanted;
    return true;
}

void twc_gen_unsupported(twc_gen *g, twc_span span, const char *what)
{
    g->failed = true;
    twc_diag_add(g->diags, TWC_DIAG_NOT_GENERATED, span,
                 "%s is not supported yet: no code can be made for it\n"
                 "this version runs what the example contracts use",
                 what);
}

void twc_gen_over_limit(twc_gen *g, twc_span span, const char *what, uint64_t count, uint64_t max)
{
    if (count <= max) return;
    g->failed = true;
    twc_diag_add(g->diags, TWC_DIAG_OVER_MACHINE, span, "%s: %llu, the limit is %llu", what,
                 (unsigned long long)count, (unsigned long long)max);
}

/* ------------------------------------------------------------------ functions */

void twc_gen_begin(twc_gen *g, const char *name, twc_span span)
{
    g->name = name;
    g->span = span;
    g->at = span.start;
    g->code_first = g->m->code_count;
    g->argument_slots = 0;
    g->result_slots = 0;
    g->top = 0;
    g->top_max = 0;
    g->local_first = g->local_count;
    g->dead = false;
    g->condition = false;
    g->known = (twc_known){{0}};
    g->finish = NULL;
    g->loop = NULL;
    g->open = NULL;
}

uint16_t twc_gen_end(twc_gen *g)
{
    tw_module *m = g->m;
    const uint32_t count = m->code_count - g->code_first;
    uint32_t frame = g->top_max;
    if (frame < g->result_slots) frame = g->result_slots;
    twc_gen_over_limit(g, g->span, "the values in use at a time fill too many slots", frame,
                       TW_FRAME_SLOTS_MAX);
    twc_gen_over_limit(g, g->span, "too many instructions", count, TW_FUNCTION_CODE_MAX);
    twc_gen_over_limit(g, g->span, "too many functions in the contract", m->function_count + 1u,
                       TW_FUNCTIONS_MAX);
    twc_gen_locals_close(g, g->local_first);
    if (!twc_gen_grow(g, &m->functions, &g->functions_size, m->function_count + 1u,
                      sizeof *m->functions) ||
        g->failed) {
        return 0;
    }
    m->functions[m->function_count] = (tw_function){.name = g->name,
                                                    .argument_slots = (uint16_t)g->argument_slots,
                                                    .result_slots = (uint16_t)g->result_slots,
                                                    .frame_slots = (uint16_t)frame,
                                                    .code_first = g->code_first,
                                                    .code_count = count};
    return m->function_count++;
}

uint32_t twc_gen_slots_take(twc_gen *g, uint32_t count)
{
    const uint32_t slot = g->top;
    g->top += count;
    /* far over the frame: what follows is dropped, the sum must not wrap */
    if (g->top > TWC_SLOTS_MANY) g->top = TWC_SLOTS_MANY;
    if (g->top > g->top_max) g->top_max = g->top;
    return slot;
}

void twc_gen_local_open(twc_gen *g, const char *name, const twc_type *type, uint32_t slot)
{
    if (!twc_gen_grow(g, &g->locals, &g->locals_size, g->local_count + 1, sizeof *g->locals)) {
        return;
    }
    g->locals[g->local_count++] = (twc_local_name){.name = name,
                                                   .function = g->m->function_count,
                                                   .type = type,
                                                   .slot = slot,
                                                   .from = g->m->code_count - g->code_first};
}

void twc_gen_locals_close(twc_gen *g, uint32_t first)
{
    for (uint32_t i = first; i < g->local_count; i++) {
        if (g->locals[i].to == 0) g->locals[i].to = g->m->code_count - g->code_first;
    }
}

/* ------------------------------------------------------------------ instructions */

static void put(twc_gen *g, uint64_t insn)
{
    tw_module *m = g->m;
    if (g->dead || g->failed) return;
    const uint32_t count = m->code_count + 1;
    uint32_t lines_size = g->lines_size;
    if (!twc_gen_grow(g, &m->code, &g->code_size, count, sizeof *m->code) ||
        !twc_gen_grow(g, &g->lines, &lines_size, count, sizeof *g->lines)) {
        return;
    }
    g->lines_size = lines_size;
    m->code[m->code_count] = insn;
    g->lines[m->code_count] = g->at;
    m->code_count = count;
    /* stops here, or the chains of jumps would not fit their fields */
    twc_gen_over_limit(g, g->span, "too many instructions", count - g->code_first,
                       TW_FUNCTION_CODE_MAX);
}

/* A slot over the frame spoils the instruction; the function is refused for it at its end. */
static uint32_t field13(uint32_t value)
{
    return value & 0x1FFF;
}

void twc_emit(twc_gen *g, tw_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t x)
{
    assert(x <= 0x1FFFF);
    put(g, tw_insn_make(op, field13(a), field13(b), field13(c), x));
}

void twc_emit_imm30(twc_gen *g, tw_op op, uint32_t a, uint32_t b, int64_t imm)
{
    assert(twc_fits_imm30(imm));
    put(g, tw_insn_make30(op, field13(a), field13(b), (int32_t)imm));
}

static void set_dead(twc_gen *g)
{
    g->dead = true;
}

void twc_emit_last(twc_gen *g, tw_op op, uint32_t a, uint32_t x)
{
    twc_emit(g, op, a, 0, 0, x);
    set_dead(g);
}

static void meet(twc_known *known, const twc_known *other)
{
    for (uint32_t i = 0; i < TW_FIELDS_MAX / 64; i++) known->bits[i] &= other->bits[i];
}

twc_label twc_label_new(void)
{
    twc_label label = {0};
    memset(&label.known, 0xFF, sizeof label.known);
    return label;
}

/* Notes the jump that is emitted next. */
static uint32_t link_jump(twc_gen *g, twc_label *to)
{
    const uint32_t before = to->last;
    if (g->dead || g->failed) return before;
    to->last = g->m->code_count - g->code_first + 1;
    meet(&to->known, &g->known);
    return before;
}

void twc_emit_jump(twc_gen *g, tw_op op, uint32_t a, uint32_t b, twc_label *to)
{
    const uint32_t before = link_jump(g, to);
    put(g, tw_insn_make(op, field13(a), field13(b), 0, before));
    if (op == TW_OP_JMP) set_dead(g);
}

void twc_emit_jump_imm(twc_gen *g, tw_op op, uint32_t a, int64_t imm, twc_label *to)
{
    assert(twc_fits_imm26(imm));
    const uint32_t before = link_jump(g, to);
    put(g, tw_insn_make26(op, field13(a), (int32_t)imm, before));
}

void twc_label_place(twc_gen *g, twc_label *label)
{
    if (g->failed || label->last == 0) return;
    uint64_t *code = g->m->code + g->code_first;
    uint32_t here = g->m->code_count - g->code_first;
    /* a jump that ends at the next instruction is none */
    if (g->dead && label->last == here && here > 0 && tw_insn_op(code[here - 1]) == TW_OP_JMP) {
        label->last = tw_insn_x(code[here - 1]);
        g->m->code_count--;
        here--;
        g->dead = false;
    }
    if (label->last == 0) return;
    uint32_t jump = label->last;
    while (jump != 0) {
        uint64_t *insn = &code[jump - 1];
        const uint32_t before = tw_insn_x(*insn);
        *insn = (*insn & (((uint64_t)1 << 47) - 1)) | (uint64_t)(here - jump) << 47;
        jump = before;
    }
    if (g->dead) {
        g->known = label->known;
    } else {
        meet(&g->known, &label->known);
    }
    g->dead = false;
    label->last = 0;
}

void twc_gen_guard(twc_gen *g, uint32_t slot, tw_op op, uint32_t x)
{
    twc_label holds = twc_label_new();
    twc_emit_jump(g, TW_OP_JNZ, slot, 0, &holds);
    twc_emit_last(g, op, 0, x);
    twc_label_place(g, &holds);
}

/* ------------------------------------------------------------------ constants and moves */

static uint32_t bucket_of(int64_t value)
{
    const uint64_t mixed = (uint64_t)value * 0x9E3779B97F4A7C15u;
    return (uint32_t)(mixed >> 54) % TWC_CONSTANT_BUCKETS;
}

static uint16_t add_constant(twc_gen *g, int64_t value)
{
    tw_module *m = g->m;
    const uint32_t count = m->constant_count + 1u;
    uint32_t before_size = g->constants_size;
    twc_gen_over_limit(g, g->span, "too many different constants in the contract", count,
                       TW_CONSTANTS_MAX);
    if (g->failed ||
        !twc_gen_grow(g, &g->constant_before, &before_size, count, sizeof *g->constant_before) ||
        !twc_gen_grow(g, &m->constants, &g->constants_size, count, sizeof *m->constants)) {
        return 0;
    }
    const uint32_t bucket = bucket_of(value);
    m->constants[m->constant_count] = value;
    g->constant_before[m->constant_count] = g->constant_last[bucket];
    g->constant_last[bucket] = (uint16_t)count;
    return m->constant_count++;
}

/* Where the values stand one after another in the pool, or TW_NONE. */
static uint16_t find_constants(const twc_gen *g, const int64_t *values, uint32_t count)
{
    const tw_module *m = g->m;
    uint16_t at = g->constant_last[bucket_of(values[0])];
    for (; at != 0; at = g->constant_before[at - 1]) {
        const uint32_t first = at - 1u;
        if (first + count <= m->constant_count &&
            memcmp(m->constants + first, values, count * sizeof *values) == 0) {
            return (uint16_t)first;
        }
    }
    return TW_NONE;
}

uint32_t twc_gen_constant(twc_gen *g, int64_t value)
{
    const uint16_t found = find_constants(g, &value, 1);
    return found != TW_NONE ? found : add_constant(g, value);
}

void twc_gen_constants_undo(twc_gen *g, uint16_t count)
{
    tw_module *m = g->m;
    while (m->constant_count > count) { /* the newest of its bucket */
        const uint16_t last = --m->constant_count;
        g->constant_last[bucket_of(m->constants[last])] = g->constant_before[last];
    }
}

void twc_emit_constant(twc_gen *g, uint32_t dst, int64_t value)
{
    if (twc_fits_imm30(value)) {
        twc_emit_imm30(g, TW_OP_LDI, dst, 0, value);
    } else if (!g->dead) {
        twc_emit(g, TW_OP_LDK, dst, 0, 0, twc_gen_constant(g, value));
    }
}

void twc_emit_constants(twc_gen *g, uint32_t dst, const int64_t *values, uint32_t count)
{
    uint32_t used = count;
    while (used > 0 && values[used - 1] == 0) used--;
    if (g->dead || g->failed) return;
    if (used == 1) {
        twc_emit_constant(g, dst, values[0]);
    } else if (used > 1) {
        uint16_t first = find_constants(g, values, used);
        if (first == TW_NONE) {
            first = add_constant(g, values[0]);
            for (uint32_t i = 1; i < used; i++) (void)add_constant(g, values[i]);
        }
        if (!g->failed) twc_emit(g, TW_OP_LDKN, dst, 0, used, first);
    }
    twc_emit_zero(g, dst + used, count - used);
}

void twc_emit_zero(twc_gen *g, uint32_t dst, uint32_t count)
{
    if (count == 0) return;
    if (count == 1) {
        twc_emit_imm30(g, TW_OP_LDI, dst, 0, 0);
    } else {
        twc_emit(g, TW_OP_ZERO, dst, 0, 0, count & 0x1FFFF);
    }
}

void twc_emit_move(twc_gen *g, uint32_t dst, uint32_t src, uint32_t count)
{
    if (count == 0 || dst == src) return;
    if (count == 1) {
        twc_emit(g, TW_OP_MOV, dst, src, 0, 0);
    } else {
        twc_emit(g, TW_OP_MOVN, dst, src, 0, count & 0x1FFFF);
    }
}
