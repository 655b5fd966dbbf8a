/* entries -- the functions of a generated module and the entries that they are of.
 *
 * Lower functions come first and may be called by what follows: helpers of several kinds, the
 * conditions of alarms and invariants, then a function for each entry.
 */
#include "tests/generate/maker.h"

enum {
    ENTRIES_MAX = 24,
    DELAYS = 2, /* the first deploy constants are above 0 */
    LOOK = TW_EFFECT_READS_STATE | TW_EFFECT_CLOCK | TW_EFFECT_READINGS,
    RULE = LOOK | TW_EFFECT_WRITES_STATE | TW_EFFECT_EMITS,
};

static uint32_t some_length(maker *k)
{
    const uint32_t roll = dice_below(&k->d, 20);
    if (roll == 0) return 20 + dice_below(&k->d, 50);
    return roll < 12 ? 1 + dice_below(&k->d, 8) : 4 + dice_below(&k->d, 20);
}

static void helper(maker *k, uint32_t allowed)
{
    coder c;
    code_begin(&c, k, allowed);
    c.f->argument_slots = (uint16_t)dice_below(&k->d, 4);
    c.f->result_slots = (uint16_t)dice_below(&k->d, 4);
    make_statements(&c, some_length(k) / 2);
    (void)code_end(&c, dice_below(&k->d, c.int_count - c.f->result_slots + 1));
}

/* A function without arguments and with one result, mostly 0 or 1. */
static uint16_t condition(maker *k, uint32_t allowed)
{
    coder c;
    code_begin(&c, k, allowed);
    c.f->result_slots = 1;
    make_statements(&c, 1 + dice_below(&k->d, 5));
    if (allowed == TW_EFFECT_READINGS) (void)make_op(&c, TW_OP_STAT);
    const uint32_t result = c.ints;
    static const tw_op compare[] = {TW_OP_LTI, TW_OP_GTI, TW_OP_EQI, TW_OP_LT};
    const tw_op op = compare[dice_below(&k->d, 4)];
    const uint32_t from = code_int(&c, 64);
    if (allowed == TW_EFFECT_READS_STATE) { /* an invariant, which mostly holds */
        code_imm(&c, TW_OP_GTI, result, from, dice_between(&k->d, -300, -2));
    } else if (op == TW_OP_LT) {
        code_op(&c, op, result, from, code_int(&c, 64), 0);
    } else {
        code_imm(&c, op, result, from, dice_between(&k->d, -1, 100));
    }
    return code_end(&c, result);
}

static void alarms(maker *k)
{
    tw_module *m = k->m;
    if (m->reading_count == 0) return;
    const uint32_t count = dice_below(&k->d, 3);
    for (uint16_t i = 0; i < count; i++) {
        tw_alarm *a = &m->alarms[i];
        a->name = "alarm";
        a->raise = condition(k, TW_EFFECT_READINGS);
        a->clear = condition(k, TW_EFFECT_READINGS);
        a->readings = 1 + dice_below(&k->d, (1u << m->reading_count) - 1);
    }
    m->alarm_count = (uint16_t)count;
}

/* ---- entries ---- */

static tw_entry *add_entry(maker *k, tw_entry_kind kind, const char *name)
{
    tw_module *m = k->m;
    const uint64_t all = UINT64_MAX >> (64 - m->phases.count);
    tw_entry *e = &m->entries[m->entry_count++];
    *e = (tw_entry){.name = name,
                    .kind = (uint8_t)kind,
                    .of = TW_NONE,
                    .delay = TW_NONE,
                    .phases = dice_percent(&k->d, 70) ? all : all & dice_next(&k->d),
                    .result = TW_NONE};
    return e;
}

/* Ends the entry's function: its calls to invariants first. */
static void finish(maker *k, tw_entry *e, coder *c)
{
    uint32_t result = 0;
    make_statements(c, some_length(k));
    if (k->m->invariant_count > 0 && (c->allowed & TW_EFFECT_READS_STATE) != 0 &&
        dice_percent(c->d, 70)) {
        code_op(c, TW_OP_CALL, c->ints, 0, 0, k->m->invariants[0].function);
        c->made.effects |= k->made[k->m->invariants[0].function].effects;
        const uint32_t skip = code_skip(c, TW_OP_JNZ, c->ints, 0);
        code_op(c, TW_OP_BREACH, 0, 0, 0, 0);
        code_land(c, skip);
    }
    for (uint32_t from = 0; from < c->int_count; from += TRACED) make_trace(c, from);
    if (c->has_result && !code_region(c, REGION_TYPE, c->result, &result)) result = 0;
    if (c->has_result && c->result == TYPE_TRACE) result = c->ints;
    e->function = code_end(c, result);
}

static void arguments(maker *k, tw_entry *e, coder *c)
{
    const uint16_t count = (uint16_t)dice_below(&k->d, 4);
    e->members.items = TW_NEW_ARRAY(k->arena, tw_member, count);
    e->members.count = e->members.items != NULL ? count : 0;
    c->frame = 0;
    for (uint16_t i = 0; i < e->members.count; i++) {
        uint32_t base = 0;
        e->members.items[i] = (tw_member){"argument", pick_type(k, 20)};
        (void)code_fresh(c, REGION_TYPE, e->members.items[i].type, &base);
    }
    c->f->argument_slots = (uint16_t)c->frame;
    c->ints = c->frame;
    c->frame += c->int_count;
}

static void action(maker *k, tw_entry_kind kind, const char *name)
{
    coder c;
    const bool view = kind == TW_ENTRY_VIEW;
    tw_entry *e = add_entry(k, kind, name);
    code_begin(&c, k, view ? LOOK : RULE | TW_EFFECT_SENDER);
    arguments(k, e, &c);
    if (view) {
        uint32_t base = 0;
        c.has_result = true;
        c.result = dice_percent(&k->d, 60) ? (uint16_t)TYPE_TRACE : pick_type(k, 40);
        e->result = c.result;
        c.f->result_slots = (uint16_t)k->m->types[c.result].slots;
        (void)code_fresh(&c, REGION_TYPE, c.result, &base);
        code_fill(&c, REGION_TYPE, c.result, base);
    }
    finish(k, e, &c);
}

static void rule(maker *k, tw_entry_kind kind, uint16_t of, uint16_t delay)
{
    coder c;
    tw_entry *e = add_entry(k, kind, "rule");
    e->of = of;
    e->delay = delay;
    if (kind == TW_ENTRY_FALLS) e->phases = UINT64_MAX >> (64 - k->m->phases.count);
    code_begin(&c, k, RULE);
    finish(k, e, &c);
}

/* So that later instructions find some. */
static void create_things(coder *c)
{
    for (uint16_t i = 0; i < c->m->field_count; i++) {
        if (c->m->fields[i].kind != TW_FIELD_REGISTRY) continue;
        for (uint32_t n = dice_below(c->d, 3); n > 0; n--) (void)make_op_of(c, TW_OP_CREATE, i);
    }
}

static void deploy(maker *k)
{
    coder c;
    const tw_module *m = k->m;
    tw_entry *e = add_entry(k, TW_ENTRY_DEPLOY, "deploy");
    code_begin(&c, k, RULE | TW_EFFECT_SENDER | TW_EFFECT_DEPLOYS);
    for (uint16_t i = 0; i < m->deployed_count; i++) {
        const uint32_t slot = code_int(&c, 64);
        code_small(&c, slot, i < DELAYS ? 1 : -5, i < DELAYS ? 5000 : 100);
        code_op(&c, TW_OP_STC, slot, 0, 0, i);
    }
    for (uint16_t i = 0; i < m->field_count; i++) {
        uint32_t base = 0;
        if (m->fields[i].kind != TW_FIELD_VAR || m->fields[i].old || dice_percent(c.d, 5)) continue;
        if (!code_region(&c, REGION_TYPE, m->fields[i].value_type, &base)) continue;
        code_fill(&c, REGION_TYPE, m->fields[i].value_type, base);
        code_op(&c, TW_OP_STORE, base, 0, 0, i);
    }
    create_things(&c);
    if (dice_percent(c.d, 30)) make_statements(&c, 1 + dice_below(c.d, 5));
    e->function = code_end(&c, 0);
}

/* Fields of the version before: mostly those of this one, so that something is there. */
static void migrate(maker *k)
{
    tw_module *m = k->m;
    coder c;
    const uint16_t fields = m->field_count;
    for (uint16_t i = 0; i < fields; i++) {
        if (dice_percent(&k->d, 30)) continue;
        tw_field *f = &m->fields[m->field_count++];
        *f = m->fields[i];
        f->old = true;
        if (f->kind != TW_FIELD_REGISTRY && dice_percent(&k->d, 20)) f->name = "was";
        if (f->name[0] == 'w') return; /* names are unlike each other */
    }
    tw_entry *e = add_entry(k, TW_ENTRY_MIGRATE, "migrate");
    code_begin(&c, k, RULE | TW_EFFECT_DEPLOYS | TW_EFFECT_OLD);
    finish(k, e, &c);
}

static void rules(maker *k)
{
    const tw_module *m = k->m;
    dice *d = &k->d;
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        if (dice_percent(d, 50)) rule(k, TW_ENTRY_RAISED, i, TW_NONE);
        if (dice_percent(d, 30)) rule(k, TW_ENTRY_CLEARED, i, TW_NONE);
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (!m->readings[i].per_device && dice_percent(d, 30)) rule(k, TW_ENTRY_SILENT, i, 0);
    }
    if (dice_percent(d, 30)) rule(k, TW_ENTRY_EVERY, TW_NONE, 1);
    if (dice_percent(d, 30)) rule(k, TW_ENTRY_AFTER, TW_NONE, 1);
    if (dice_percent(d, 12)) migrate(k);
    for (uint16_t i = 0; i < m->purse_count; i++) {
        if (m->purses[i].role == TW_NONE && dice_percent(d, 30)) rule(k, TW_ENTRY_FALLS, i, 0);
    }
}

void make_entries(maker *k)
{
    tw_module *m = k->m;
    static const char *const names[] = {"one", "two", "three"};
    m->functions = TW_NEW_ARRAY(k->arena, tw_function, FUNCTIONS_MAX);
    m->code = TW_NEW_ARRAY(k->arena, uint64_t, CODE_MAX);
    m->entries = TW_NEW_ARRAY(k->arena, tw_entry, ENTRIES_MAX);
    k->no_memory = m->functions == NULL || m->code == NULL || m->entries == NULL;
    if (k->no_memory) return;
    const uint32_t kinds[] = {TW_EFFECT_PURE, LOOK, RULE, RULE | TW_EFFECT_SENDER};
    const uint32_t helpers = dice_below(&k->d, 4);
    for (uint32_t i = 0; i < helpers; i++) helper(k, kinds[dice_below(&k->d, 4)]);
    alarms(k);
    if (dice_percent(&k->d, 40)) {
        m->invariants[m->invariant_count++] =
            (tw_rule){"invariant", condition(k, TW_EFFECT_READS_STATE)};
    }
    deploy(k);
    const uint32_t actions = 1 + dice_below(&k->d, 3);
    const uint32_t views = dice_below(&k->d, 3);
    for (uint32_t i = 0; i < actions; i++) action(k, TW_ENTRY_ACTION, names[i]);
    for (uint32_t i = 0; i < views; i++) action(k, TW_ENTRY_VIEW, names[i]);
    rules(k);
}
