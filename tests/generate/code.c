/* code -- a function under way: its frame, its instructions, its jumps and loops.
 *
 *     frame: arguments (of an entry) | plain numbers | places for values, one after another
 *
 * A place is remembered with what it is for, and used again, so that what one instruction leaves
 * there another finds. Jumps go forward to wherever they are closed: at a later statement of the
 * same loop body, at the latest at its end.
 */
#include "tests/generate/maker.h"
#include "vm/verify/cost.h"

#include <assert.h>

enum { INTS_MIN = 4 };

void code_emit(coder *c, uint64_t insn)
{
    assert(c->m->code_count < CODE_MAX);
    c->m->code[c->m->code_count++] = insn;
    c->made.effects |= tw_insn_effects(c->m, insn);
    c->made.steps += c->times;
}

void code_op(coder *c, tw_op op, uint32_t a, uint32_t b, uint32_t cc, uint32_t x)
{
    code_emit(c, tw_insn_make(op, a, b, cc, x));
}

void code_imm(coder *c, tw_op op, uint32_t a, uint32_t b, int32_t imm30)
{
    code_emit(c, tw_insn_make30(op, a, b, imm30));
}

/* ---- frame ---- */

static const tw_members *members_of(const tw_module *m, region_kind kind, uint16_t what)
{
    switch (kind) {
    case REGION_EVENT: return &m->events[what].members;
    case REGION_ERROR: return &m->errors[what].members;
    case REGION_HISTORY: return &m->histories[what].members;
    case REGION_TYPE: break;
    }
    return m->types[what].kind == TW_KIND_RECORD ? &m->types[what].members : NULL;
}

static uint32_t slots_of(const tw_module *m, region_kind kind, uint16_t what)
{
    return kind == REGION_TYPE ? m->types[what].slots : members_of(m, kind, what)->slots;
}

static void remember(coder *c, region_kind kind, uint16_t what, uint32_t base)
{
    if (c->region_count == REGIONS_MAX) return;
    c->regions[c->region_count++] = (region){kind, what, (uint16_t)base};
}

/* The parts of a place are places too. */
static void remember_parts(coder *c, region_kind kind, uint16_t what, uint32_t base)
{
    remember(c, kind, what, base);
    const tw_members *list = members_of(c->m, kind, what);
    for (uint16_t i = 0; list != NULL && i < list->count; i++) {
        remember(c, REGION_TYPE, list->items[i].type, base);
        base += c->m->types[list->items[i].type].slots;
    }
}

bool code_fresh(coder *c, region_kind kind, uint16_t what, uint32_t *ret_base)
{
    const uint32_t slots = slots_of(c->m, kind, what);
    if (c->frame + slots > FRAME_MAX) return false;
    *ret_base = c->frame;
    c->frame += slots;
    remember_parts(c, kind, what, *ret_base);
    return true;
}

bool code_region(coder *c, region_kind kind, uint16_t what, uint32_t *ret_base)
{
    const bool crowded = c->frame + slots_of(c->m, kind, what) > c->k->frame_wanted;
    if (crowded || dice_percent(c->d, 75)) {
        const uint32_t start = c->region_count > 0 ? dice_below(c->d, c->region_count) : 0;
        for (uint32_t i = 0; i < c->region_count; i++) {
            const region *r = &c->regions[(start + i) % c->region_count];
            if (r->kind != kind || r->what != what) continue;
            *ret_base = r->base;
            return true;
        }
    }
    return code_fresh(c, kind, what, ret_base);
}

void code_fill(coder *c, region_kind kind, uint16_t what, uint32_t base)
{
    const tw_members *list = kind != REGION_TYPE ? members_of(c->m, kind, what) : NULL;
    if (list == NULL) {
        const uint16_t first = c->k->values[what][dice_below(c->d, VALUES)];
        if (c->m->types[what].slots == 1) {
            code_op(c, TW_OP_LDK, base, 0, 0, first);
        } else {
            code_op(c, TW_OP_LDKN, base, 0, c->m->types[what].slots, first);
        }
        return;
    }
    for (uint16_t i = 0; i < list->count; i++) {
        code_fill(c, REGION_TYPE, list->items[i].type, base);
        base += c->m->types[list->items[i].type].slots;
    }
}

/* ---- plain numbers ---- */

void code_small(coder *c, uint32_t slot, int32_t low, int32_t high)
{
    code_imm(c, TW_OP_LDI, slot, 0, dice_between(c->d, low, high));
    c->bits[slot] = 10;
}

uint32_t code_int(coder *c, uint32_t bits_max)
{
    const uint32_t start = dice_below(c->d, c->int_count);
    for (uint32_t i = 0; i < c->int_count; i++) {
        const uint32_t slot = c->ints + (start + i) % c->int_count;
        if (c->bits[slot] <= bits_max) return slot;
    }
    const uint32_t slot = c->ints + start;
    if (dice_percent(c->d, 90)) code_small(c, slot, -9, 99);
    return slot;
}

/* ---- jumps ---- */

static void close_jump(coder *c, uint32_t pc)
{
    uint64_t *insn = &c->m->code[pc];
    *insn |= (uint64_t)(c->m->code_count - pc - 1) << 47;
}

uint32_t code_skip(coder *c, tw_op op, uint32_t a, uint32_t imm26)
{
    const uint32_t pc = c->m->code_count;
    code_emit(c, tw_insn_make26(op, a, (int32_t)imm26, 0));
    return pc;
}

void code_land(coder *c, uint32_t pc)
{
    close_jump(c, pc);
}

/* ---- functions ---- */

void code_begin(coder *c, maker *k, uint32_t allowed)
{
    tw_module *m = k->m;
    tw_function *f = &m->functions[m->function_count];
    *c = (coder){.k = k, .m = m, .d = &k->d, .f = f, .allowed = allowed, .times = 1};
    c->ints = 0;
    c->int_count = INTS_MIN + dice_below(c->d, 5);
    c->frame = c->int_count;
    *f = (tw_function){.name = "f", .code_first = m->code_count};
}

uint16_t code_end(coder *c, uint32_t a)
{
    tw_function *f = c->f;
    for (uint32_t i = 0; i < c->open_count; i++) close_jump(c, c->open[i].pc);
    code_op(c, TW_OP_RET, a, 0, 0, 0);
    f->code_count = c->m->code_count - f->code_first;
    f->frame_slots = (uint16_t)c->frame;
    assert(a + f->result_slots <= c->frame && c->depth == 0);
    c->k->made[c->m->function_count] = c->made;
    return c->m->function_count++;
}
