/* mutate -- see the header. */
#include "tests/generate/mutate.h"

#include "tests/generate/generate.h"

#include <string.h>

enum { BLOCK_MAX = 64, GROWTH = 2 * BLOCK_MAX };

/* ---- bytes ---- */

typedef struct text {
    uint8_t *data;
    size_t size;
    size_t room;
} text;

static size_t block(dice *d, size_t limit)
{
    const size_t size = dice_percent(d, 60) ? 8 : 1 + dice_below(d, BLOCK_MAX);
    return size < limit ? size : limit;
}

static void cut(dice *d, text *t)
{
    const size_t size = block(d, t->size);
    const size_t at = dice_below(d, (uint32_t)(t->size - size + 1));
    memmove(t->data + at, t->data + at + size, t->size - at - size);
    t->size -= size;
}

static void insert(dice *d, text *t, tw_bytes from)
{
    const size_t size = block(d, from.size);
    if (t->size + size > t->room) return;
    const size_t at = dice_below(d, (uint32_t)t->size + 1);
    const size_t source = dice_below(d, (uint32_t)(from.size - size + 1));
    memmove(t->data + at + size, t->data + at, t->size - at);
    memcpy(t->data + at, from.data + source, size);
    t->size += size;
}

static void overwrite(dice *d, text *t, tw_bytes from)
{
    const size_t size = block(d, from.size < t->size ? from.size : t->size);
    const size_t at = dice_below(d, (uint32_t)(t->size - size + 1));
    memmove(t->data + at, from.data + dice_below(d, (uint32_t)(from.size - size + 1)), size);
}

/* One more or one less in two neighbouring bytes: counts and indexes are such numbers. */
static void step(dice *d, text *t)
{
    if (t->size < 2) return;
    uint8_t *at = t->data + dice_below(d, (uint32_t)t->size - 1);
    const uint16_t value = (uint16_t)(at[0] << 8 | at[1]);
    const uint16_t next = (uint16_t)(dice_percent(d, 50) ? value + 1 : value - 1);
    at[0] = (uint8_t)(next >> 8);
    at[1] = (uint8_t)next;
}

static void change(dice *d, text *t, tw_bytes other)
{
    if (t->size == 0) return;
    uint8_t *at = t->data + dice_below(d, (uint32_t)t->size);
    switch (dice_below(d, 12)) {
    case 0: cut(d, t); break;
    case 1: insert(d, t, other); break;
    case 2: overwrite(d, t, other); break;
    case 3: overwrite(d, t, tw_bytes_of(t->data, t->size)); break;
    case 4: t->size = dice_percent(d, 10) ? dice_below(d, (uint32_t)t->size + 1) : t->size; break;
    case 5:
    case 6: step(d, t); break;
    case 7: *at = (uint8_t)dice_next(d); break;
    default: *at ^= (uint8_t)(1u << dice_below(d, 8)); break;
    }
}

tw_bytes mutate_bytes(dice *d, tw_bytes module, tw_bytes other, tw_arena *arena)
{
    const uint32_t changes = 1 + (dice_percent(d, 30) ? dice_below(d, 6) : 0);
    text t = {.size = module.size, .room = module.size + GROWTH};
    t.data = tw_arena_get(arena, t.room);
    if (t.data == NULL) return tw_bytes_of(NULL, 0);
    memcpy(t.data, module.data, module.size);
    for (uint32_t i = 0; i < changes; i++) change(d, &t, other);
    return tw_bytes_of(t.data, t.size);
}

/* ---- code ---- */

static uint64_t any_insn(dice *d, const tw_function *f)
{
    uint8_t op = 0;
    while (tw_op_find(op)->name == NULL) op = (uint8_t)dice_next(d);
    const uint32_t frame = f->frame_slots + 1u;
    /* x may hold two indexes: a member of a field, a purse beside another, a reading's statistic */
    static const uint32_t two[] = {0, 64, 256, 1024};
    uint32_t x = dice_below(d, 8) + two[dice_below(d, 4)] * dice_below(d, 14);
    if (dice_percent(d, 10)) x = dice_below(d, 0x20000);
    return tw_insn_make(op, dice_below(d, frame), dice_percent(d, 60) ? dice_below(d, frame) : 0,
                        dice_percent(d, 50) ? dice_below(d, frame) : 0,
                        dice_percent(d, 70) ? x : 0);
}

/* One field of the instruction becomes a number near what it was, or any small one. */
static uint64_t other_field(dice *d, const tw_function *f, uint64_t insn)
{
    static const uint32_t shifts[] = {8, 21, 34, 47};
    const uint32_t shift = shifts[dice_below(d, 4)];
    const uint64_t mask = shift == 47 ? 0x1FFFF : 0x1FFF;
    const uint64_t was = insn >> shift & mask;
    uint64_t is = dice_percent(d, 50) ? was + 1 : was - 1;
    if (dice_percent(d, 50)) is = dice_below(d, f->frame_slots + 2u);
    return (insn & ~(mask << shift)) | (is & mask) << shift;
}

static void change_code(dice *d, tw_module *m)
{
    const tw_function *f = &m->functions[dice_below(d, m->function_count)];
    if (m->function_count == 0 || f->code_count == 0) return;
    uint64_t *code = m->code + f->code_first;
    uint64_t *insn = &code[dice_below(d, f->code_count)];
    uint64_t *other = &code[dice_below(d, f->code_count)];
    const uint64_t was = *insn;
    switch (dice_below(d, 8)) {
    case 0:
        *insn = *other;
        *other = was;
        break;
    case 1: *insn = any_insn(d, f); break;
    case 2: *insn = was ^ (uint64_t)1 << dice_below(d, 64); break;
    case 3: *insn = (was & ~(uint64_t)0xFF) | dice_below(d, 256); break;
    case 4: *insn = m->code[dice_below(d, m->code_count)]; break;
    default: *insn = other_field(d, f, was); break;
    }
}

/* ---- declarations ---- */

#define SOME(list, count) (m->count > 0 ? &m->list[dice_below(d, m->count)] : NULL)

static uint16_t near(dice *d, uint16_t value)
{
    const uint32_t roll = dice_below(d, 4);
    if (roll == 0) return dice_percent(d, 50) ? TW_NONE : (uint16_t)dice_below(d, 300);
    return roll == 1 ? (uint16_t)(value + 1) : (uint16_t)dice_below(d, 8);
}

static void change_type(dice *d, tw_module *m)
{
    tw_type *t = SOME(types, type_count);
    if (t == NULL) return;
    switch (dice_below(d, 4)) {
    case 0: t->max = dice_percent(d, 50) ? dice_below(d, 40) : dice_below(d, 6000); break;
    case 1: t->of = near(d, t->of); break;
    case 2: t->quantity = (uint8_t)near(d, t->quantity); break;
    default:
        if (t->kind != TW_KIND_RECORD) t->kind = (uint8_t)(1 + dice_below(d, TW_KIND_KINDS));
        if (t->kind == TW_KIND_RECORD) t->kind = TW_KIND_INT;
        break;
    }
}

static void change_field(dice *d, tw_module *m)
{
    tw_field *f = SOME(fields, field_count);
    if (f == NULL) return;
    switch (dice_below(d, 6)) {
    case 0: f->max = dice_below(d, 4); break;
    case 1: f->key_type = near(d, f->key_type); break;
    case 2: f->value_type = near(d, f->value_type); break;
    case 3: f->key_member = near(d, f->key_member); break;
    case 4: f->old = !f->old; break;
    default: f->kind = (uint8_t)dice_below(d, TW_FIELD_KINDS + 1u); break;
    }
}

static void change_reading(dice *d, tw_module *m)
{
    tw_reading *r = SOME(readings, reading_count);
    if (r == NULL) return;
    switch (dice_below(d, 8)) {
    case 0: r->keep = (uint16_t)dice_below(d, 600); break;
    case 1: r->rate_count = (uint16_t)dice_below(d, 20); break;
    case 2: r->per_device = !r->per_device; break;
    case 3: r->low = generate_number(d); break;
    case 4: r->high = generate_number(d); break;
    case 5: r->role = near(d, r->role); break;
    case 6: r->age_max_ms = generate_number(d); break;
    default: r->gap_ms = generate_number(d); break;
    }
}

static void change_entry(dice *d, tw_module *m)
{
    tw_entry *e = SOME(entries, entry_count);
    if (e == NULL) return;
    switch (dice_below(d, 8)) {
    case 0: e->kind = (uint8_t)(1 + dice_below(d, TW_ENTRY_KINDS)); break;
    case 1: e->of = near(d, e->of); break;
    case 2: e->delay = near(d, e->delay); break;
    case 3: e->result = near(d, e->result); break;
    case 4: e->phases = dice_next(d) >> dice_below(d, 64); break;
    case 5: e->members.count = (uint16_t)(e->members.count > 0 ? e->members.count - 1 : 0); break;
    case 6: e->bounds.gas += dice_next(d) % 3 - 1; break;
    default: e->function = (uint16_t)dice_below(d, m->function_count); break;
    }
}

static void change_function(dice *d, tw_module *m)
{
    tw_function *f = SOME(functions, function_count);
    if (f == NULL) return;
    uint16_t *const sizes[] = {&f->frame_slots, &f->argument_slots, &f->result_slots};
    uint16_t *size = sizes[dice_below(d, 3)];
    *size = (uint16_t)(*size + (uint32_t)dice_between(d, -2, dice_percent(d, 10) ? 9000 : 8));
}

static void change_twin(dice *d, tw_module *m)
{
    tw_stamp *s = SOME(stamps, stamp_count);
    tw_alarm *a = SOME(alarms, alarm_count);
    tw_role *r = SOME(roles, role_count);
    tw_money *money = SOME(monies, money_count);
    tw_purse *p = SOME(purses, purse_count);
    tw_param *q = SOME(params, param_count);
    switch (dice_below(d, 10)) {
    case 0:
        if (s != NULL) s->kind = (uint8_t)dice_below(d, TW_STAMP_KINDS + 1u);
        break;
    case 1:
        if (s != NULL) s->low = near(d, s->low);
        break;
    case 2:
        if (a != NULL) a->raise = (uint16_t)dice_below(d, m->function_count);
        break;
    case 3:
        if (a != NULL) a->readings = dice_below(d, 8);
        break;
    case 4:
        if (money != NULL) money->supply = generate_number(d);
        break;
    case 5:
        if (money != NULL) money->kind ^= 3;
        break;
    case 6:
        if (p != NULL) p->role = near(d, p->role);
        break;
    case 7:
        if (p != NULL) p->money = near(d, p->money);
        break;
    case 8:
        if (q != NULL) q->type = near(d, q->type);
        break;
    default:
        if (r != NULL) r->max = dice_below(d, 5);
        break;
    }
}

/* A list loses its last, whatever names it. */
static void shorten(dice *d, tw_module *m)
{
    uint16_t *const counts[] = {
        &m->money_count, &m->purse_count, &m->type_count,   &m->enum_count,    &m->role_count,
        &m->param_count, &m->field_count, &m->arrow_count,  &m->reading_count, &m->stamp_count,
        &m->alarm_count, &m->event_count, &m->error_count,  &m->history_count, &m->invariant_count,
        &m->check_count, &m->entry_count, &m->phases.count,
    };
    uint16_t *count = counts[dice_below(d, sizeof counts / sizeof counts[0])];
    if (*count > 0) (*count)--;
}

static void change_something(dice *d, tw_module *m)
{
    int64_t *constant = SOME(constants, constant_count);
    switch (dice_below(d, 24)) {
    case 0: change_type(d, m); break;
    case 1: change_field(d, m); break;
    case 2: change_reading(d, m); break;
    case 3: change_entry(d, m); break;
    case 4: change_function(d, m); break;
    case 5: change_twin(d, m); break;
    case 6: shorten(d, m); break;
    case 7: m->deployed_count = (uint16_t)(m->deployed_count + dice_below(d, 3) - 1); break;
    case 8:
    case 9:
        if (constant != NULL) *constant = generate_number(d);
        break;
    default: change_code(d, m); break;
    }
}

void mutate_module(dice *d, tw_module *m)
{
    const uint32_t changes = 1 + dice_below(d, 3);
    for (uint32_t i = 0; i < changes; i++) change_something(d, m);
}
