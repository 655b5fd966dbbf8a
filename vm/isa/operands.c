/* operands -- see the header. Limits of module.h keep every division of x apart: a record has at
 * most 64 members, a module at most 256 purses. */
#include "vm/isa/operands.h"

#include <assert.h>

static_assert(TW_MEMBERS_MAX <= 64 && TW_PURSES_MAX <= 256, "x holds two indexes");

enum { MEMBERS = 64, PURSES = 256 };

const tw_operands tw_operands_rows[256] = {
#define OPERANDS(name, a, b, c, x)                                                                 \
    [TW_OP_##name] = {TW_PART_##a, TW_PART_##b, TW_PART_##c, TW_NAMED_##x, true},
#include "vm/isa/operands.def"
};

const tw_field *tw_operands_field(const tw_module *m, uint64_t insn)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    const uint32_t x = tw_insn_x(insn);
    if (o->x > TW_NAMED_HOLDING) return NULL;
    const uint32_t field = o->x == TW_NAMED_MEMBER || o->x == TW_NAMED_HOLDING ? x / MEMBERS : x;
    return field < m->field_count ? &m->fields[field] : NULL;
}

/* The type of the member that x names besides a field; NULL when there is none. */
static const tw_type *member_type(const tw_module *m, const tw_field *f, uint32_t x)
{
    const tw_type *record = &m->types[f->value_type];
    if (record->kind != TW_KIND_RECORD || x % MEMBERS >= record->members.count) return NULL;
    return &m->types[record->members.items[x % MEMBERS].type];
}

static bool field_exists(const tw_module *m, tw_named named, uint64_t insn)
{
    const tw_field *f = tw_operands_field(m, insn);
    if (f == NULL || f->key_type == TW_NONE || f->kind == TW_FIELD_VAR) return false;
    if (named == TW_NAMED_KEYED) return true;
    const bool map = named == TW_NAMED_MAP || named == TW_NAMED_MEMBER;
    if (f->kind != (map ? TW_FIELD_MAP : TW_FIELD_REGISTRY)) return false;
    if (named == TW_NAMED_MAP || named == TW_NAMED_REGISTRY) return true;
    const tw_type *member = member_type(m, f, tw_insn_x(insn));
    if (member == NULL) return false;
    if (named == TW_NAMED_HOLDING) return member->kind == TW_KIND_THINGS;
    return member->kind == TW_KIND_INT || member->kind == TW_KIND_MONEY;
}

static bool is_list(const tw_module *m, uint32_t type)
{
    return type < m->type_count &&
           (m->types[type].kind == TW_KIND_LIST || m->types[type].kind == TW_KIND_THINGS);
}

const tw_purse *tw_operands_purse(const tw_module *m, uint64_t insn)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    uint32_t x = tw_insn_x(insn);
    if (o->x == TW_NAMED_PURSES) x /= PURSES;
    const bool named = o->x == TW_NAMED_PURSE || o->x == TW_NAMED_PURSES || o->x == TW_NAMED_MINTED;
    return named && x < m->purse_count ? &m->purses[x] : NULL;
}

static bool named_exists(const tw_module *m, tw_named named, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const tw_purse *purse = tw_operands_purse(m, insn);
    switch (named) {
    case TW_NAMED_KEYED:
    case TW_NAMED_MAP:
    case TW_NAMED_REGISTRY:
    case TW_NAMED_MEMBER:
    case TW_NAMED_HOLDING: return field_exists(m, named, insn);
    case TW_NAMED_LISTS: return is_list(m, x);
    case TW_NAMED_PURSE: return purse != NULL;
    case TW_NAMED_MINTED: return purse != NULL && m->monies[purse->money].kind == TW_MONEY_TOKEN;
    case TW_NAMED_PURSES:
        return purse != NULL && x % PURSES < m->purse_count &&
               m->purses[x % PURSES].money == purse->money;
    case TW_NAMED_MONEY: return x < m->money_count;
    case TW_NAMED_TOKEN: return x < m->money_count && m->monies[x].kind == TW_MONEY_TOKEN;
    }
    return false;
}

bool tw_operands_exist(const tw_module *m, uint64_t insn)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    const uint32_t c = tw_insn_c(insn);
    if (!named_exists(m, o->x, insn)) return false;
    if (o->c == TW_PART_KIND) return c < m->history_count;
    if (o->c != TW_PART_TYPE) return true;
    return is_list(m, c) && m->types[c].kind == TW_KIND_LIST &&
           m->types[c].of == tw_operands_field(m, insn)->value_type;
}

static uint32_t key_slots(const tw_module *m, const tw_operands *o, uint64_t insn)
{
    const tw_field *f = tw_operands_field(m, insn);
    /* of the thing that is held, not of its holder */
    if (o->x == TW_NAMED_HOLDING) return m->types[member_type(m, f, tw_insn_x(insn))->of].slots;
    return m->types[f->key_type].slots;
}

uint32_t tw_operands_slots(const tw_module *m, tw_part part, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const tw_field *f = tw_operands_field(m, insn);
    switch (part) {
    case TW_PART_NONE:
    case TW_PART_KIND:
    case TW_PART_TYPE: return 0;
    case TW_PART_ONE: return 1;
    case TW_PART_ACCOUNT: return 4;
    case TW_PART_KEY: return key_slots(m, tw_operands_find(tw_insn_op(insn)), insn);
    case TW_PART_HOLDER: return m->types[f->key_type].slots;
    case TW_PART_VALUE: return m->types[f->value_type].slots;
    case TW_PART_LIST: return m->types[x].slots;
    case TW_PART_ITEM: return m->types[m->types[x].of].slots;
    case TW_PART_PURSEKEY: return tw_operands_purse(m, insn)->role != TW_NONE ? 4 : 0;
    case TW_PART_TOKEY: return m->purses[x % PURSES].role != TW_NONE ? 4 : 0;
    case TW_PART_FIELDS: return m->histories[tw_insn_c(insn)].members.slots;
    case TW_PART_RESULT: return m->types[tw_insn_c(insn)].slots;
    }
    return 0;
}
