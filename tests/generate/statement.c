/* statement -- instructions at random, each with operands that fit it.
 *
 * What an instruction needs is read from shapes.def and operands.def, so one of a known shape is
 * made without being known here. It gets an index of something that is there, places of the right
 * kinds for its slots, and (guard.c) what makes it likely to go well.
 */
#include "tests/generate/maker.h"
#include "vm/isa/operands.h"
#include "vm/verify/cost.h"

#include <assert.h>

enum { STEPS_MAX = 3000, TIMES_MAX = 64, EVENTS_MAX = 300, TRIES = 12, ROUNDS = 4 };

/* Room in the code that a statement is sure to find; a function that has less ends soon. */
enum { ROOM = 200 };

/* Slots of no type. */
static bool raw(coder *c, uint32_t slots, uint32_t *ret_base)
{
    if (slots <= c->int_count) {
        *ret_base = c->ints + dice_below(c->d, c->int_count - slots + 1);
        return true;
    }
    if (c->frame + slots > FRAME_MAX) return false;
    *ret_base = c->frame;
    c->frame += slots;
    return true;
}

/* Some place of one slot, plain number or not. */
static uint32_t one_slot(coder *c, uint32_t bits_max)
{
    if (c->region_count > 0 && dice_percent(c->d, 15)) {
        const region *r = &c->regions[dice_below(c->d, c->region_count)];
        if (r->kind == REGION_TYPE && c->m->types[r->what].slots == 1) return r->base;
    }
    return code_int(c, bits_max);
}

/* A result goes where its type is at home, or to a plain number. */
static uint32_t result_slot(coder *c, uint16_t type)
{
    uint32_t base = 0;
    if (dice_percent(c->d, 25) && code_region(c, REGION_TYPE, type, &base)) return base;
    return c->ints + dice_below(c->d, c->int_count);
}

static bool source(coder *c, region_kind kind, uint16_t what, uint32_t *ret_base)
{
    if (!code_region(c, kind, what, ret_base)) return false;
    if (dice_percent(c->d, 60)) code_fill(c, kind, what, *ret_base);
    return true;
}

/* ---- what x names ---- */

static bool pick(coder *c, uint32_t count, uint32_t *ret_index)
{
    *ret_index = dice_below(c->d, count);
    return count > 0;
}

static bool pick_stat(coder *c, tw_op op, uint32_t *ret_x)
{
    uint32_t reading = 0;
    if (!pick(c, c->m->reading_count, &reading)) return false;
    const bool across = op == TW_OP_ACROSS;
    if (across && !c->m->readings[reading].per_device) return false;
    for (;;) {
        const uint32_t stat = dice_below(c->d, TW_STAT_END);
        const bool single =
            stat == TW_STAT_LAST || stat == TW_STAT_TIME_OF || stat == TW_STAT_SLOPE;
        if (across ? single : stat == TW_STAT_DEVICES) continue;
        *ret_x = 1024 * stat + reading;
        return true;
    }
}

/* Of the fields of this version, or, where that may be, of the one before. */
static bool pick_field(coder *c, tw_op op, bool keyed, uint8_t kind, uint32_t *ret_x)
{
    const bool looks =
        op == TW_OP_LOAD || op == TW_OP_EXISTS || op == TW_OP_SIZE || op == TW_OP_NEXT;
    const bool old = looks && (c->allowed & TW_EFFECT_OLD) != 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (!pick(c, c->m->field_count, ret_x)) return false;
        const tw_field *f = &c->m->fields[*ret_x];
        if (f->old && !old) continue;
        if (kind != 0 ? f->kind == kind : !keyed || f->kind != TW_FIELD_VAR) return true;
    }
    return false;
}

/* 64 * a map or registry + a member of its record of one of two kinds. */
static bool pick_member(coder *c, tw_op op, uint8_t field, tw_kind one, tw_kind other,
                        uint32_t *ret_x)
{
    uint32_t index = 0;
    if (!pick_field(c, op, true, field, &index)) return false;
    const tw_type *record = &c->m->types[c->m->fields[index].value_type];
    if (record->kind != TW_KIND_RECORD) return false;
    const uint32_t start = dice_below(c->d, record->members.count);
    for (uint32_t i = 0; i < record->members.count; i++) {
        const uint32_t member = (start + i) % record->members.count;
        const uint8_t kind = c->m->types[record->members.items[member].type].kind;
        *ret_x = 64 * index + member;
        if (kind == one || kind == other) return true;
    }
    return false;
}

static bool pick_type_of(coder *c, tw_kind one, tw_kind other, uint32_t *ret_x)
{
    const uint32_t start = dice_below(c->d, c->m->type_count);
    for (uint32_t i = 0; i < c->m->type_count; i++) {
        *ret_x = (start + i) % c->m->type_count;
        const uint8_t kind = c->m->types[*ret_x].kind;
        if (kind == one || kind == other) return true;
    }
    return false;
}

static bool pick_named(coder *c, tw_op op, tw_named named, uint32_t *ret_x)
{
    const tw_module *m = c->m;
    uint32_t other = 0;
    switch (named) {
    case TW_NAMED_KEYED: return pick_field(c, op, true, 0, ret_x);
    case TW_NAMED_MAP: return pick_field(c, op, true, TW_FIELD_MAP, ret_x);
    case TW_NAMED_REGISTRY: return pick_field(c, op, true, TW_FIELD_REGISTRY, ret_x);
    case TW_NAMED_MEMBER:
        return pick_member(c, op, TW_FIELD_MAP, TW_KIND_INT, TW_KIND_MONEY, ret_x);
    case TW_NAMED_HOLDING:
        return pick_member(c, op, TW_FIELD_REGISTRY, TW_KIND_THINGS, TW_KIND_THINGS, ret_x);
    case TW_NAMED_LISTS: return pick_type_of(c, TW_KIND_LIST, TW_KIND_THINGS, ret_x);
    case TW_NAMED_PURSE: return pick(c, m->purse_count, ret_x);
    case TW_NAMED_MINTED:
        return pick(c, m->purse_count, ret_x) &&
               m->monies[m->purses[*ret_x].money].kind == TW_MONEY_TOKEN;
    case TW_NAMED_PURSES:
        if (!pick(c, m->purse_count, ret_x) || !pick(c, m->purse_count, &other)) return false;
        if (m->purses[*ret_x].money != m->purses[other].money) return false;
        *ret_x = 256 * *ret_x + other;
        return true;
    case TW_NAMED_MONEY: return pick(c, m->money_count, ret_x);
    case TW_NAMED_TOKEN:
        return pick(c, m->money_count, ret_x) && m->monies[*ret_x].kind == TW_MONEY_TOKEN;
    }
    return false;
}

static uint32_t some_count(coder *c)
{
    return dice_percent(c->d, 5) ? dice_below(c->d, c->frame + 1) : dice_below(c->d, 5);
}

static bool pick_index(coder *c, tw_op op, tw_index index, uint32_t *ret_x)
{
    const tw_module *m = c->m;
    switch (index) {
    case TW_INDEX_NONE: *ret_x = 0; return true;
    case TW_INDEX_FREE: *ret_x = some_count(c); return true;
    case TW_INDEX_ROUNDING: *ret_x = dice_below(c->d, 4 * GENERATE_CONSTANTS); return true;
    case TW_INDEX_CONSTANT:
        return pick(c, dice_percent(c->d, 80) ? GENERATE_CONSTANTS : m->constant_count, ret_x);
    case TW_INDEX_FIELD: return pick_field(c, op, false, 0, ret_x);
    case TW_INDEX_PARAM: return pick(c, m->param_count, ret_x);
    case TW_INDEX_DEPLOYED: return pick(c, m->deployed_count, ret_x);
    case TW_INDEX_PHASE: return pick(c, m->phases.count, ret_x);
    case TW_INDEX_ROLE:
        return pick(c, m->role_count, ret_x) && (op != TW_OP_HOLDER || m->roles[*ret_x].max == 1);
    case TW_INDEX_STAT: return pick_stat(c, op, ret_x);
    case TW_INDEX_STAMP: return pick(c, m->stamp_count, ret_x);
    case TW_INDEX_READING: return pick(c, m->reading_count, ret_x);
    case TW_INDEX_ALARM: return pick(c, m->alarm_count, ret_x);
    case TW_INDEX_EVENT: return pick(c, m->event_count, ret_x);
    case TW_INDEX_HISTORY: return pick(c, m->history_count, ret_x);
    case TW_INDEX_ERROR: return pick(c, m->error_count, ret_x);
    case TW_INDEX_STATUS: *ret_x = 1 + dice_below(c->d, TW_TRAP_BAD_VALUE); return true;
    case TW_INDEX_INVARIANT: return pick(c, m->invariant_count, ret_x);
    case TW_INDEX_CHECK: return pick(c, m->check_count, ret_x);
    case TW_INDEX_TYPE: return pick_type_of(c, TW_KIND_TEXT, TW_KIND_BYTES, ret_x);
    case TW_INDEX_STATE: return pick_named(c, op, tw_operands_find((uint8_t)op)->x, ret_x);
    case TW_INDEX_FUNCTION: /* made by call */
    case TW_INDEX_CONSTANTS: /* made by load_constants */ break;
    }
    return false;
}

/* ---- places for a, b and c ---- */

/* The slots that the instruction writes are those from a on, if any. */
static bool writes_a(tw_op op)
{
    switch (tw_operands_find((uint8_t)op) != NULL ? op : TW_OP_RET) {
    case TW_OP_CREATE:
    case TW_OP_GIVE:
    case TW_OP_ATTACH:
    case TW_OP_DETACH:
    case TW_OP_RETIRE:
    case TW_OP_HELD:
    case TW_OP_LOG:
    case TW_OP_PUT:
    case TW_OP_PUSH:
    case TW_OP_DROP:
    case TW_OP_RECEIVE:
    case TW_OP_PAY:
    case TW_OP_SHIFT:
    case TW_OP_MINT:
    case TW_OP_MINTIN:
    case TW_OP_BURN: return false;
    default: return true; /* numbers, not an enum */
    }
}

static bool place(coder *c, bool written, region_kind kind, uint16_t what, uint32_t *ret_base)
{
    return written ? code_region(c, kind, what, ret_base) : source(c, kind, what, ret_base);
}

static const tw_field *field_of(const coder *c, uint64_t insn)
{
    return tw_operands_field(c->m, insn);
}

/* The type of the keys of the thing that is held. */
static uint16_t held_key(const coder *c, const tw_field *holder, uint32_t x)
{
    const uint16_t list = c->m->types[holder->value_type].members.items[x % 64].type;
    return c->m->types[list].of;
}

static bool place_part(coder *c, tw_op op, tw_part part, bool written, operands *o,
                       uint32_t *ret_base)
{
    const tw_module *m = c->m;
    const uint64_t insn = tw_insn_make(op, 0, 0, o->c, o->x);
    const bool holding = tw_operands_find((uint8_t)op)->x == TW_NAMED_HOLDING;
    const tw_purse *purse = tw_operands_purse(m, insn);
    switch (part) {
    case TW_PART_NONE: *ret_base = 0; return true;
    case TW_PART_ONE: *ret_base = written ? result_slot(c, TYPE_INT) : one_slot(c, 64); return true;
    case TW_PART_ACCOUNT: return place(c, written, REGION_TYPE, TYPE_ACCOUNT, ret_base);
    case TW_PART_KEY: {
        const tw_field *f = field_of(c, insn);
        return place(c, written, REGION_TYPE, holding ? held_key(c, f, o->x) : f->key_type,
                     ret_base);
    }
    case TW_PART_HOLDER: return source(c, REGION_TYPE, field_of(c, insn)->key_type, ret_base);
    case TW_PART_VALUE:
        return place(c, written, REGION_TYPE, field_of(c, insn)->value_type, ret_base);
    case TW_PART_LIST: return code_region(c, REGION_TYPE, (uint16_t)o->x, ret_base);
    case TW_PART_ITEM: return place(c, written, REGION_TYPE, m->types[o->x].of, ret_base);
    case TW_PART_PURSEKEY:
        *ret_base = 0;
        return purse->role == TW_NONE || source(c, REGION_TYPE, TYPE_ACCOUNT, ret_base);
    case TW_PART_TOKEY:
        *ret_base = 0;
        return m->purses[o->x % 256].role == TW_NONE ||
               source(c, REGION_TYPE, TYPE_ACCOUNT, ret_base);
    case TW_PART_FIELDS: return source(c, REGION_HISTORY, (uint16_t)o->c, ret_base);
    case TW_PART_RESULT: return code_region(c, REGION_TYPE, (uint16_t)o->c, ret_base);
    case TW_PART_KIND:
    case TW_PART_TYPE: *ret_base = o->c; return true; /* picked before */
    }
    return false;
}

/* c where it is a number: a kind of history, or the list type of a map's values. */
static bool pick_number(coder *c, tw_op op, operands *o)
{
    const tw_part part = tw_operands_find((uint8_t)op)->c;
    if (part == TW_PART_KIND) return pick(c, c->m->history_count, &o->c);
    if (part != TW_PART_TYPE) return true;
    const uint16_t value = c->m->fields[o->x / 64].value_type;
    for (uint32_t i = 0; i < c->m->type_count; i++) {
        const tw_type *t = &c->m->types[i];
        o->c = i;
        if (t->kind == TW_KIND_LIST && t->of == value) return true;
    }
    return false;
}

static bool place_state(coder *c, tw_op op, operands *o)
{
    const tw_operands *parts = tw_operands_find((uint8_t)op);
    return pick_number(c, op, o) && place_part(c, op, parts->a, writes_a(op), o, &o->a) &&
           place_part(c, op, parts->b, false, o, &o->b) &&
           place_part(c, op, parts->c, false, o, &o->c);
}

static bool device(coder *c, uint32_t reading, uint32_t *ret_base)
{
    *ret_base = 0;
    return !c->m->readings[reading].per_device || source(c, REGION_TYPE, TYPE_ACCOUNT, ret_base);
}

/* Where the shape leaves sizes to what x names. */
static bool place_sized(coder *c, tw_op op, operands *o)
{
    const tw_module *m = c->m;
    switch (op) {
    case TW_OP_LOAD:
    case TW_OP_STORE: {
        const tw_field *f = &m->fields[o->x];
        return place(c, op == TW_OP_LOAD, REGION_TYPE, f->value_type, &o->a) &&
               (f->key_type == TW_NONE || source(c, REGION_TYPE, f->key_type, &o->b));
    }
    case TW_OP_PARAM: return code_region(c, REGION_TYPE, m->params[o->x].type, &o->a);
    case TW_OP_EMIT: return source(c, REGION_EVENT, (uint16_t)o->x, &o->a);
    case TW_OP_HISTORY: return source(c, REGION_HISTORY, (uint16_t)o->x, &o->a);
    case TW_OP_FAIL: return source(c, REGION_ERROR, (uint16_t)o->x, &o->a);
    case TW_OP_HASH:
        return source(c, REGION_TYPE, (uint16_t)o->x, &o->b) &&
               code_region(c, REGION_TYPE, TYPE_ACCOUNT, &o->a);
    case TW_OP_STAT:
    case TW_OP_ACROSS:
        return raw(c, 2, &o->a) && raw(c, 2, &o->b) &&
               (op == TW_OP_ACROSS || device(c, o->x % 1024, &o->c));
    case TW_OP_HOLDS: return device(c, m->stamps[o->x].reading, &o->c);
    case TW_OP_SILENT: return device(c, o->x, &o->c);
    default: return false; /* numbers, not an enum */
    }
}

/* x slots, mostly a value of some type. */
static bool place_run(coder *c, uint32_t x, uint32_t *ret_base)
{
    if (x > c->frame) return false;
    *ret_base = dice_below(c->d, c->frame - x + 1);
    return true;
}

static bool place_runs(coder *c, const tw_shape_row *shape, operands *o)
{
    uint32_t *const bases[] = {&o->a, &o->b, &o->c};
    const tw_use uses[] = {shape->a, shape->b, shape->c};
    const region *r = c->region_count > 0 ? &c->regions[dice_below(c->d, c->region_count)] : NULL;
    const bool typed = r != NULL && r->kind == REGION_TYPE && dice_percent(c->d, 75);
    if (typed) o->x = c->m->types[r->what].slots;
    for (int i = 0; i < 3; i++) {
        if (uses[i] != TW_USE_SX) continue;
        const bool good =
            typed ? code_region(c, REGION_TYPE, r->what, bases[i]) : place_run(c, o->x, bases[i]);
        if (!good) return false;
    }
    return true;
}

/* ---- how large a number may be ---- */

static uint32_t bits_before(tw_op op)
{
    switch (op) {
    case TW_OP_MUL:
    case TW_OP_MULI: return 30;
    case TW_OP_ADD:
    case TW_OP_SUB:
    case TW_OP_ADDI: return 58;
    case TW_OP_MULDIVK:
    case TW_OP_MULKDIV: return 40;
    default: return 64; /* numbers, not an enum */
    }
}

static uint8_t bits_after(const coder *c, tw_op op, const operands *o)
{
    const uint32_t b = o->b < c->frame ? c->bits[o->b] : 64;
    const uint32_t other = o->c < c->frame ? c->bits[o->c] : 64;
    const uint32_t larger = b > other ? b : other;
    switch (op) {
    case TW_OP_MUL: return (uint8_t)(b + other < 64 ? b + other : 64);
    case TW_OP_ADD:
    case TW_OP_SUB: return (uint8_t)(larger < 63 ? larger + (c->times > 1 ? 5 : 1) : 64);
    case TW_OP_MULI: return (uint8_t)(b + 6 < 64 ? b + 6 : 64);
    case TW_OP_ADDI:
    case TW_OP_NEG:
    case TW_OP_ABS:
    case TW_OP_MOV: return (uint8_t)b;
    case TW_OP_LDK:
    case TW_OP_MULDIVK:
    case TW_OP_MULKDIV:
    case TW_OP_STAT:
    case TW_OP_LOAD: return 56;
    default: return 12; /* numbers, not an enum */
    }
}

/* ---- instructions by their shape ---- */

static bool place_plain(coder *c, tw_op op, const tw_shape_row *shape, operands *o)
{
    uint32_t *const bases[] = {&o->a, &o->b, &o->c};
    const tw_use uses[] = {shape->a, shape->b, shape->c};
    const bool compares = op >= TW_OP_EQ && op <= TW_OP_GTI;
    for (int i = 0; i < 3; i++) {
        const bool written = i == 0 && op != TW_OP_STC;
        switch (uses[i]) {
        case TW_USE_S1:
            *bases[i] = !written          ? one_slot(c, bits_before(op))
                        : compares        ? result_slot(c, TYPE_BOOL)
                        : op == TW_OP_NOW ? result_slot(c, TYPE_TIME)
                                          : result_slot(c, TYPE_INT);
            break;
        case TW_USE_S4:
            if (!place(c, written, REGION_TYPE, TYPE_ACCOUNT, bases[i])) return false;
            break;
        case TW_USE_S5:
            if (!raw(c, 5, bases[i])) return false;
            break;
        case TW_USE_NONE:
        case TW_USE_SX:
        case TW_USE_SC:
        case TW_USE_RESULTS:
        case TW_USE_SIZED:
        case TW_USE_IMM: break;
        }
    }
    return true;
}

static int32_t some_immediate(coder *c, int32_t low, int32_t high)
{
    const uint32_t roll = dice_below(c->d, 20);
    if (roll == 0) return low;
    if (roll == 1) return high;
    if (roll == 2) return (int32_t)dice_next(c->d) >> 6;
    return dice_between(c->d, -3, 20);
}

static void emit(coder *c, tw_op op, tw_shape shape, const operands *o)
{
    const bool immediate = shape == TW_SHAPE_DST_IMM || shape == TW_SHAPE_DST_B_IMM;
    if (immediate) {
        const int32_t imm = some_immediate(c, TW_IMM30_MIN, TW_IMM30_MAX);
        const bool small = (op == TW_OP_ADDI || op == TW_OP_MULI) && dice_percent(c->d, 90);
        code_imm(c, op, o->a, o->b, small ? imm % 64 : imm);
    } else {
        code_op(c, op, o->a, o->b, o->c, o->x);
    }
    if (o->a < c->frame) c->bits[o->a] = bits_after(c, op, o);
}

static bool is_event(tw_op op)
{
    return op == TW_OP_EMIT || op == TW_OP_HISTORY || op == TW_OP_LOG;
}

/* x is picked by then. */
static bool general(coder *c, tw_op op, operands o)
{
    const tw_op_row *row = tw_op_find((uint8_t)op);
    const tw_shape_row *shape = tw_shape_find(row->shape);
    uint32_t skips[2] = {0, 0};
    const bool sized =
        shape->a == TW_USE_SIZED || shape->b == TW_USE_SIZED || shape->c == TW_USE_SIZED;
    const bool runs = shape->a == TW_USE_SX || shape->b == TW_USE_SX;
    if (is_event(op) && c->made.events + c->times > EVENTS_MAX) return false;
    if (!place_plain(c, op, shape, &o)) return false;
    if (sized && !(row->shape == TW_SHAPE_STATE ? place_state(c, op, &o) : place_sized(c, op, &o)))
        return false;
    if (runs && !place_runs(c, shape, &o)) return false;
    guard_op(c, op, &o, skips);
    emit(c, op, row->shape, &o);
    for (int i = 0; i < 2; i++) {
        if (skips[i] > 0) code_land(c, skips[i] - 1);
    }
    if (is_event(op)) c->made.events += c->times;
    return true;
}

/* ---- control ---- */

static void close_open(coder *c, uint32_t loop, uint32_t percent)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < c->open_count; i++) {
        if (c->open[i].loop == loop && dice_percent(c->d, percent)) {
            code_land(c, c->open[i].pc);
        } else {
            c->open[kept++] = c->open[i];
        }
    }
    c->open_count = kept;
}

static bool jump(coder *c, tw_op op)
{
    const tw_shape shape = tw_op_find((uint8_t)op)->shape;
    if (c->open_count == PENDING_MAX) return false;
    uint32_t word = 0; /* what stands in b and c */
    if (shape == TW_SHAPE_A_B_JUMP) word = one_slot(c, 64);
    if (shape == TW_SHAPE_A_IMM_JUMP) {
        word = (uint32_t)some_immediate(c, TW_IMM26_MIN, TW_IMM26_MAX);
    }
    const uint32_t a = shape == TW_SHAPE_JUMP ? 0 : one_slot(c, 64);
    const uint32_t pc = code_skip(c, op, a, word);
    c->open[c->open_count++] = (pending){pc, c->loop};
    if (shape != TW_SHAPE_JUMP) return true;
    if (dice_percent(c->d, 30)) (void)make_statement(c); /* nobody comes here */
    close_open(c, c->loop, 100);
    return true;
}

static bool loop(coder *c)
{
    dice *d = c->d;
    const uint32_t wide = dice_percent(d, 3) ? TIMES_MAX : 4;
    const uint32_t most = dice_below(d, wide) + 1;
    const uint32_t times = c->times;
    const uint32_t outer = c->loop;
    if (c->depth == TW_LOOP_NEST_MAX || times * most > TIMES_MAX) return false;
    const uint32_t count = code_int(c, 64);
    if (dice_percent(d, 95)) code_small(c, count, dice_percent(d, 80) ? 1 : 0, (int32_t)most);
    code_imm(c, TW_OP_LOOP, c->ints + dice_below(d, c->int_count), count,
             (int32_t)(dice_percent(d, 5) ? 0 : most));
    c->times *= most;
    c->depth++;
    c->loop = ++c->loop_last;
    if (dice_percent(d, 15)) (void)loop(c);
    make_statements(c, 1 + dice_below(d, 4));
    close_open(c, c->loop, 100);
    code_op(c, TW_OP_END, 0, 0, 0, 0);
    c->times = times;
    c->depth--;
    c->loop = outer;
    return true;
}

static bool call(coder *c)
{
    uint32_t index = 0;
    uint32_t base = 0;
    if (!pick(c, c->m->function_count, &index)) return false;
    const made *callee = &c->k->made[index];
    const tw_function *f = &c->m->functions[index];
    const uint32_t slots =
        f->argument_slots > f->result_slots ? f->argument_slots : f->result_slots;
    if ((callee->effects & ~c->allowed) != 0 ||
        c->made.steps + c->times * callee->steps > STEPS_MAX ||
        c->made.events + c->times * callee->events > EVENTS_MAX || !raw(c, slots, &base)) {
        return false;
    }
    code_op(c, TW_OP_CALL, base, 0, 0, index);
    c->made.effects |= callee->effects;
    c->made.steps += c->times * callee->steps;
    c->made.events += c->times * callee->events;
    return true;
}

static bool load_constants(coder *c)
{
    uint32_t base = 0;
    if (dice_percent(c->d, 3)) { /* nothing, from behind the last */
        code_op(c, TW_OP_LDKN, dice_below(c->d, c->frame + 1), 0, 0, c->m->constant_count);
        return true;
    }
    const uint16_t type = pick_type(c->k, FRAME_MAX);
    if (!code_region(c, REGION_TYPE, type, &base)) return false;
    code_fill(c, REGION_TYPE, type, base);
    return true;
}

/* Leaving early: behind a jump that is mostly taken. */
static bool leave(coder *c, tw_op op)
{
    operands o = {0, 0, 0, 0};
    if (!pick_index(c, op, tw_shape_find(tw_op_find((uint8_t)op)->shape)->x, &o.x)) return false;
    if (op == TW_OP_FAIL && !place_sized(c, op, &o)) return false;
    if (op == TW_OP_RET && c->has_result && !code_region(c, REGION_TYPE, c->result, &o.a))
        return false;
    if (op == TW_OP_RET && !c->has_result && !raw(c, c->f->result_slots, &o.a)) return false;
    uint32_t skip = 0;
    if (dice_percent(c->d, 92)) {
        const uint32_t rare = (uint32_t)dice_between(c->d, 3, 40);
        skip = code_skip(c, TW_OP_JNEI, code_int(c, 64), rare);
    } else {
        skip = code_skip(c, TW_OP_JNZ, one_slot(c, 64), 0);
    }
    code_op(c, op, o.a, o.b, o.c, o.x);
    code_land(c, skip);
    return true;
}

bool make_op(coder *c, tw_op op)
{
    switch (op) {
    case TW_OP_LOOP: return loop(c);
    case TW_OP_END: return false;
    case TW_OP_CALL: return call(c);
    case TW_OP_LDKN: return load_constants(c);
    case TW_OP_RET:
    case TW_OP_FAIL:
    case TW_OP_TRAP:
    case TW_OP_BREACH:
    case TW_OP_REFUSE: return leave(c, op);
    default: break; /* numbers, not an enum */
    }
    const tw_shape shape = tw_op_find((uint8_t)op)->shape;
    operands o = {0, 0, 0, 0};
    if (tw_shape_is_jump(shape)) return jump(c, op);
    return pick_index(c, op, tw_shape_find(shape)->x, &o.x) && general(c, op, o);
}

bool make_op_of(coder *c, tw_op op, uint32_t x)
{
    return general(c, op, (operands){0, 0, 0, x});
}

/* ---- statements ---- */

/* Each instruction once, and those with much inside them more often. */
static void list_ops(coder *c)
{
    static const uint8_t more[] = {
        TW_OP_LOOP,   TW_OP_LOOP,   TW_OP_CALL,   TW_OP_CALL,   TW_OP_LOAD,   TW_OP_LOAD,
        TW_OP_STORE,  TW_OP_STORE,  TW_OP_STAT,   TW_OP_STAT,   TW_OP_STAT,   TW_OP_STAT,
        TW_OP_ACROSS, TW_OP_ACROSS, TW_OP_ACROSS, TW_OP_CREATE, TW_OP_CREATE, TW_OP_ATTACH};
    for (uint32_t op = 1; op < 256; op++) {
        const tw_op_row *row = tw_op_find((uint8_t)op);
        if (row->name == NULL || (row->effects & ~c->allowed) != 0) continue;
        c->ops[c->op_count++] = (uint8_t)op;
    }
    for (size_t i = 0; i < sizeof more; i++) {
        if ((tw_op_find(more[i])->effects & ~c->allowed) == 0) c->ops[c->op_count++] = more[i];
    }
}

void make_trace(coder *c, uint32_t from)
{
    const uint32_t last = c->int_count - TRACED;
    if ((c->allowed & TW_EFFECT_EMITS) == 0 || c->made.events + c->times > EVENTS_MAX) return;
    code_op(c, TW_OP_EMIT, c->ints + (from < last ? from : last), 0, 0, 0);
    c->made.events += c->times;
}

bool make_statement(coder *c)
{
    if (c->op_count == 0) list_ops(c);
    close_open(c, c->loop, 50);
    if (dice_percent(c->d, 12)) make_trace(c, dice_below(c->d, c->int_count));
    if (c->m->code_count + ROOM > CODE_MAX || c->made.steps > STEPS_MAX) return false;
    for (int i = 0; i < TRIES; i++) {
        if (make_op(c, (tw_op)c->ops[dice_below(c->d, c->op_count)])) return true;
    }
    return false;
}

void make_statements(coder *c, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) (void)make_statement(c);
}
