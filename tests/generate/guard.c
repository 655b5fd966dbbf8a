/* guard -- what stands before an instruction so that runs mostly get past it.
 *
 * A key is looked for before it is loaded, an index is 0 where a list has something in it, an
 * amount is small, a divisor is not 0: mostly, so that every trap is met as well.
 */
#include "tests/generate/maker.h"
#include "vm/isa/operands.h"

static void skip(coder *c, uint32_t ret_skips[2], tw_op op, uint32_t a, uint32_t imm26)
{
    const int i = ret_skips[0] == 0 ? 0 : 1;
    if (ret_skips[i] == 0) ret_skips[i] = 1 + code_skip(c, op, a, imm26);
}

static const tw_field *field_of(const coder *c, tw_op op, const operands *o)
{
    if (op == TW_OP_LOAD || op == TW_OP_STORE) return &c->m->fields[o->x];
    return tw_operands_field(c->m, tw_insn_make(op, o->a, o->b, o->c, o->x));
}

/* Goes on only if the key is in the field, or only if it is not. */
static void if_key(coder *c, uint32_t field, uint32_t key, bool there, uint32_t ret_skips[2])
{
    const uint32_t found = code_int(c, 64);
    code_op(c, TW_OP_EXISTS, found, key, 0, field);
    c->bits[found] = 1;
    skip(c, ret_skips, there ? TW_OP_JZ : TW_OP_JNZ, found, 0);
}

static void before_field(coder *c, tw_op op, const operands *o, uint32_t ret_skips[2])
{
    const tw_field *f = field_of(c, op, o);
    uint32_t value = 0;
    if (f->kind == TW_FIELD_VAR || dice_percent(c->d, 20)) return;
    if (op == TW_OP_NEXT) {
        const uint32_t count = code_int(c, 64);
        code_op(c, TW_OP_SIZE, count, 0, 0, o->x);
        skip(c, ret_skips, TW_OP_JZ, count, 0);
        if (dice_percent(c->d, 60)) code_small(c, o->b, 0, 0);
        return;
    }
    if (op == TW_OP_STORE && f->kind == TW_FIELD_MAP) return;
    const bool fills = (c->allowed & TW_EFFECT_WRITES_STATE) != 0 && f->kind == TW_FIELD_MAP &&
                       !f->old && dice_percent(c->d, 40);
    if (fills && code_region(c, REGION_TYPE, f->value_type, &value)) {
        code_fill(c, REGION_TYPE, f->value_type, value);
        code_op(c, TW_OP_STORE, value, o->b, 0, o->x);
        return;
    }
    if_key(c, o->x, o->b, true, ret_skips);
    if (op == TW_OP_STORE) code_op(c, TW_OP_LOAD, o->a, o->b, 0, o->x);
}

/* Where the key of a registry stands in its record. */
static uint32_t key_offset(const coder *c, const tw_field *f)
{
    const tw_members *list = &c->m->types[f->value_type].members;
    uint32_t offset = 0;
    for (uint16_t i = 0; i < f->key_member; i++) offset += c->m->types[list->items[i].type].slots;
    return offset;
}

static void before_thing(coder *c, tw_op op, const operands *o, uint32_t ret_skips[2])
{
    const tw_field *f = field_of(c, op, o);
    if (op == TW_OP_CREATE && dice_percent(c->d, 85)) {
        code_fill(c, REGION_TYPE, f->value_type, o->a);
    }
    if (dice_percent(c->d, 20)) return;
    switch (op) {
    case TW_OP_CREATE: if_key(c, o->x, o->a + key_offset(c, f), false, ret_skips); break;
    case TW_OP_GIVE:
    case TW_OP_DETACH:
    case TW_OP_RETIRE: if_key(c, o->x, o->a, true, ret_skips); break;
    case TW_OP_OWNER:
    case TW_OP_MAKER:
    case TW_OP_LOGGED:
    case TW_OP_LOG: if_key(c, o->x, o->b, true, ret_skips); break;
    case TW_OP_ATTACH:
    case TW_OP_HELD: {
        const uint16_t list = c->m->types[f->value_type].members.items[o->x % 64].type;
        if_key(c, c->m->types[list].home, o->a, true, ret_skips);
        if_key(c, o->x / 64, o->b, true, ret_skips);
        break;
    }
    default: break; /* numbers, not an enum */
    }
}

static void before_list(coder *c, tw_op op, const operands *o, uint32_t ret_skips[2])
{
    const uint32_t max = c->m->types[o->x].max;
    if (dice_percent(c->d, 25) || op == TW_OP_FIND) return;
    if (op == TW_OP_PUSH) {
        skip(c, ret_skips, TW_OP_JGEI, o->a, max);
        return;
    }
    const uint32_t list = op == TW_OP_ITEM ? o->b : o->a;
    const uint32_t index = op == TW_OP_DROP ? o->b : o->c;
    skip(c, ret_skips, TW_OP_JZ, list, 0);
    code_small(c, index, 0, 0);
}

static void before_role(coder *c, tw_op op, const operands *o, uint32_t ret_skips[2])
{
    if (dice_percent(c->d, 25)) return;
    const uint32_t member = code_int(c, 64);
    code_op(c, TW_OP_MEMBER, member, o->b, 0, o->x);
    skip(c, ret_skips, op == TW_OP_GRANT ? TW_OP_JNZ : TW_OP_JZ, member, 0);
}

/* Money in a purse per role is its members' alone. */
static void if_member(coder *c, uint32_t purse, uint32_t key, uint32_t ret_skips[2])
{
    const uint16_t role = c->m->purses[purse].role;
    if (role == TW_NONE || dice_percent(c->d, 25)) return;
    const uint32_t member = code_int(c, 64);
    code_op(c, TW_OP_MEMBER, member, key, 0, role);
    skip(c, ret_skips, TW_OP_JZ, member, 0);
}

/* Only if the purse has so much. */
static void if_enough(coder *c, uint32_t purse, const operands *o, uint32_t ret_skips[2])
{
    const uint32_t there = code_int(c, 64);
    if (dice_percent(c->d, 25)) return;
    code_op(c, TW_OP_PURSE, there, o->b, 0, purse);
    skip(c, ret_skips, TW_OP_JLT, there, o->a);
}

static void before_money(coder *c, tw_op op, const operands *o, uint32_t ret_skips[2])
{
    if (dice_percent(c->d, 85)) code_small(c, o->a, -1, 12);
    switch (op) {
    case TW_OP_PAY:
    case TW_OP_BURN: if_enough(c, o->x, o, ret_skips); break;
    case TW_OP_SHIFT:
        if_member(c, o->x % 256, o->c, ret_skips);
        if_enough(c, o->x / 256, o, ret_skips);
        break;
    case TW_OP_RECEIVE:
    case TW_OP_MINTIN: if_member(c, o->x, o->b, ret_skips); break;
    default: break; /* numbers, not an enum: MINT */
    }
}

/* Numbers that are spans, percentages, delays or divisors. */
static void before_number(coder *c, tw_op op, const operands *o)
{
    if (dice_percent(c->d, 8)) return;
    switch (op) {
    case TW_OP_STAT:
    case TW_OP_ACROSS:
        code_small(c, o->b, 0, dice_percent(c->d, 30) ? 500000 : 20000);
        if (o->x / 1024 == TW_STAT_PERCENTILE) code_small(c, o->b + 1, 0, 100000000);
        break;
    case TW_OP_HOLDS:
    case TW_OP_SILENT: code_small(c, o->b, 0, 30000); break;
    case TW_OP_STC: code_small(c, o->a, o->x < 2 ? 1 : -5, 1000); break;
    case TW_OP_DIV:
    case TW_OP_MOD:
    case TW_OP_MULKDIV: code_small(c, o->c, 1, 99); break;
    default: break; /* numbers, not an enum */
    }
}

void guard_op(coder *c, tw_op op, operands *o, uint32_t ret_skips[2])
{
    const tw_operands *parts = tw_operands_find((uint8_t)op);
    if (parts == NULL) {
        if (op == TW_OP_LOAD || op == TW_OP_STORE) before_field(c, op, o, ret_skips);
        if (op == TW_OP_GRANT || op == TW_OP_REVOKE) before_role(c, op, o, ret_skips);
        before_number(c, op, o);
        return;
    }
    switch (parts->x) {
    case TW_NAMED_LISTS: before_list(c, op, o, ret_skips); break;
    case TW_NAMED_REGISTRY:
    case TW_NAMED_HOLDING: before_thing(c, op, o, ret_skips); break;
    case TW_NAMED_MAP: before_field(c, op, o, ret_skips); break;
    case TW_NAMED_KEYED:
        if (op == TW_OP_NEXT) before_field(c, op, o, ret_skips);
        break;
    case TW_NAMED_PURSE:
    case TW_NAMED_PURSES:
    case TW_NAMED_TOKEN:
    case TW_NAMED_MINTED:
        if (op != TW_OP_PURSE && op != TW_OP_TOTAL && op != TW_OP_SUPPLY) {
            before_money(c, op, o, ret_skips);
        }
        break;
    case TW_NAMED_MONEY:
    case TW_NAMED_MEMBER: break;
    }
}
