/* gen_decl -- everything of a module but its code: roles, params, fields, readings, notices.
 *
 * The lists stand in the order of the page, so an index of the checker is the index of the module.
 */
#include "compiler/gen.h"

#include "vm/isa/value.h"

#include <assert.h>
#include <string.h>

static twc_decl *first_of(const twc_gen *g, twc_decl_kind kind)
{
    twc_decl *decl = g->contract->members;
    while (decl != NULL && decl->kind != kind) decl = decl->next;
    return decl;
}

static uint32_t count_of(const twc_gen *g, twc_decl_kind kind)
{
    uint32_t count = 0;
    for (const twc_decl *d = first_of(g, kind); d != NULL; d = d->next_same) count++;
    return count;
}

/* Zeroed room; NULL after an error. */
static void *get(twc_gen *g, size_t count, size_t size)
{
    void *items = g->failed ? NULL : tw_arena_array(g->arena, count, size);
    if (items == NULL && !g->failed) g->diags->out_of_memory = g->failed = true;
    return items;
}

/* Room for all declarations of a kind. */
static void *room(twc_gen *g, twc_decl_kind kind, const char *what, uint32_t max, size_t size,
                  uint16_t *ret_count)
{
    const uint32_t count = count_of(g, kind);
    twc_gen_over_limit(g, g->contract->name_span, what, count, max);
    *ret_count = (uint16_t)count;
    return get(g, count, size);
}

#define ROOM(g, kind, list, count, max, what)                                                      \
    (((g)->m->list = room((g), (kind), (what), (max), sizeof *(g)->m->list, &(g)->m->count)) !=    \
     NULL)

const char *twc_gen_text(twc_gen *g, twc_span span, size_t max)
{
    const uint8_t *source = g->source->text.data;
    char *text = tw_arena_get(g->arena, max + 1);
    size_t size = 0;
    if (text == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return "";
    }
    for (uint32_t i = span.start; i < span.end && size < max; i++) {
        const bool space =
            source[i] == ' ' || source[i] == '\n' || source[i] == '\t' || source[i] == '\r';
        if (!space) {
            text[size++] = (char)source[i];
        } else if (size > 0 && text[size - 1] != ' ') {
            text[size++] = ' ';
        }
    }
    if (size == max) { /* not in the middle of a character */
        while (size > 0 && ((uint8_t)text[size - 1] & 0xC0) == 0x80) size--;
        if (size > 0 && ((uint8_t)text[size - 1] & 0x80) != 0) size--;
    }
    while (size > 0 && text[size - 1] == ' ') size--;
    text[size] = '\0';
    return text;
}

/* ------------------------------------------------------------------ deploy constants */

uint16_t twc_gen_deployed(twc_gen *g, const twc_expr *expr)
{
    tw_module *m = g->m;
    for (uint16_t i = 0; i < m->deployed_count; i++) {
        if (twc_walk_same_fixed(g->deployed[i], expr)) return i;
    }
    const uint32_t count = m->deployed_count + 1u;
    if (g->deployed_closed || count >= TW_CONSTANTS_MAX ||
        !twc_gen_grow(g, &g->deployed, &g->deployed_size, count, sizeof *g->deployed)) {
        return TW_NONE;
    }
    g->deployed[m->deployed_count] = expr;
    return m->deployed_count++;
}

/* ------------------------------------------------------------------ who and what */

static void roles(twc_gen *g)
{
    if (!ROOM(g, TWC_D_ROLE, roles, role_count, TW_ROLES_MAX, "too many roles")) return;
    tw_role *role = g->m->roles;
    for (const twc_decl *d = first_of(g, TWC_D_ROLE); d != NULL; d = d->next_same, role++) {
        const uint8_t granted = d->u.role.granted ? TW_ROLE_GRANTED : 0;
        const uint8_t revoked = d->u.role.revoked ? TW_ROLE_REVOKED : 0;
        twc_gen_over_limit(g, d->name_span, "too many members", d->u.role.max, TW_ROLE_MEMBERS_MAX);
        const uint32_t least = twc_gen_role_least(g, d);
        *role = (tw_role){d->word->text, d->u.role.max, least, granted | revoked};
    }
}

static void params(twc_gen *g)
{
    if (!ROOM(g, TWC_D_PARAM, params, param_count, TW_PARAMS_MAX, "too many params")) return;
    tw_param *param = g->m->params;
    for (const twc_decl *d = first_of(g, TWC_D_PARAM); d != NULL; d = d->next_same, param++) {
        g->span = d->span;
        *param = (tw_param){.name = d->word->text, .type = twc_gen_type(g, d->type)};
        twc_gen_over_limit(g, d->span, "a param takes too many slots", twc_gen_slots(g, d->type),
                           TW_PARAMS_MAX);
        if (d->u.value.low == NULL) continue;
        param->ranged = true;
        param->low = d->u.value.low->value;
        param->high = d->u.value.high->value;
    }
}

static void field(twc_gen *g, const twc_decl *d)
{
    tw_module *m = g->m;
    const char *name = d->old ? d->word->text + strlen("old.") : d->word->text;
    tw_field field = {.name = name, .kind = TW_FIELD_VAR, .old = d->old};
    g->span = d->span;
    field.key_member = field.key_type = TW_NONE;
    const bool registry = d->kind == TWC_D_REGISTRY;
    if (registry) field.key_member = (uint16_t)d->u.store.by_field->index;
    if (registry || d->kind == TWC_D_MAP) {
        field.kind = registry ? TW_FIELD_REGISTRY : TW_FIELD_MAP;
        field.key_type = twc_gen_type(g, d->u.store.key);
        field.max = d->u.store.max;
    }
    field.value_type = twc_gen_type(g, d->kind == TWC_D_VAR ? d->type : d->u.store.element);
    assert(d->index == m->field_count);
    m->fields[m->field_count++] = field;
}

static bool is_field(const twc_decl *d)
{
    return d->kind == TWC_D_VAR || d->kind == TWC_D_MAP || d->kind == TWC_D_REGISTRY;
}

static void fields(twc_gen *g)
{
    tw_module *m = g->m;
    uint32_t count = 0;
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) count += is_field(d);
    for (const twc_decl *d = g->contract->old_fields; d != NULL; d = d->next) count++;
    twc_gen_over_limit(g, g->contract->name_span, "too many vars, maps and registries", count,
                       TW_FIELDS_MAX);
    m->fields = get(g, count, sizeof *m->fields);
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (is_field(d)) field(g, d);
    }
    for (const twc_decl *d = g->contract->old_fields; d != NULL && !g->failed; d = d->next) {
        field(g, d);
    }
}

static void phases(twc_gen *g)
{
    tw_module *m = g->m;
    const twc_contract *contract = g->contract;
    const uint32_t count = contract->phase_count;
    twc_gen_over_limit(g, contract->phases_span, "too many phases", count, TW_PHASES_MAX);
    m->phases.items = get(g, count, sizeof *m->phases.items);
    m->arrows = get(g, (size_t)count * count, sizeof *m->arrows);
    if (g->failed) return;
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        m->phases.items[m->phases.count++] = p->word != NULL ? p->word->text : "";
        for (uint16_t to = 0; to < count; to++) {
            if ((p->u.phase.arrows >> to & 1) == 0) continue;
            m->arrows[m->arrow_count++] = (tw_arrow){(uint16_t)p->index, to};
        }
    }
}

/* ------------------------------------------------------------------ the twin */

static void readings(twc_gen *g)
{
    if (!ROOM(g, TWC_D_READING, readings, reading_count, TW_READINGS_MAX, "too many readings")) {
        return;
    }
    tw_reading *reading = g->m->readings;
    for (twc_decl *d = first_of(g, TWC_D_READING); d != NULL; d = d->next_same, reading++) {
        const int64_t age = d->u.reading.max_age->value;
        g->span = d->span;
        twc_gen_over_limit(g, d->span, "keep is too large", d->u.reading.keep, TW_KEEP_MAX);
        twc_gen_over_limit(g, d->span, "the rate has more readings than are kept",
                           d->u.reading.rate_count, d->u.reading.keep);
        *reading = (tw_reading){
            .name = d->word->text,
            .field = tw_arena_copy(g->arena, d->u.reading.field.data, d->u.reading.field.size),
            .type = twc_gen_type(g, d->type),
            .role = (uint16_t)d->u.reading.role->index,
            .per_device = d->u.reading.per_device,
            .low = d->u.reading.low->value,
            .high = d->u.reading.high->value,
            .rate_count = (uint16_t)d->u.reading.rate_count,
            .rate_ms = d->u.reading.rate_period->value,
            .keep = (uint16_t)d->u.reading.keep,
            .age_max_ms = age,
            .gap_ms = d->u.reading.gap != NULL ? d->u.reading.gap->value : age,
        };
        if (reading->field == NULL) g->diags->out_of_memory = g->failed = true;
        twc_gen_over_limit(g, d->span, "the field's name has too many bytes",
                           d->u.reading.field.size, TW_NAME_SIZE_MAX);
    }
}

static void note_stamp(void *data, const twc_expr *expr)
{
    uint32_t *count = data;
    if (expr->kind == TWC_E_HOLD && expr->u.hold.stamp >= *count) *count = expr->u.hold.stamp + 1;
}

/* Those of the contract itself come before those that only its tests ask for. */
static uint32_t stamps_used(const twc_gen *g)
{
    uint32_t count = 0;
    const twc_visit visit = {.expr = note_stamp, .data = &count};
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        const twc_entry *entry = twc_gen_has_entry(d->kind) ? d->u.entry : NULL;
        if (d->kind == TWC_D_ALARM) {
            twc_walk_expr(&visit, d->u.alarm.raise);
            twc_walk_expr(&visit, d->u.alarm.clear);
        }
        if (entry == NULL) continue;
        twc_walk_entry(&visit, entry);
    }
    return count;
}

static void stamps(twc_gen *g)
{
    tw_module *m = g->m;
    const uint32_t count = stamps_used(g);
    twc_gen_over_limit(g, g->contract->name_span, "too many conditions over readings", count,
                       TW_STAMPS_MAX);
    m->stamps = get(g, count, sizeof *m->stamps);
    if (g->failed) return;
    for (const twc_stamp *s = g->contract->stamps; s != NULL && s->index < count; s = s->next) {
        const uint16_t low = twc_gen_deployed(g, s->low);
        const uint16_t high = s->high != NULL ? twc_gen_deployed(g, s->high) : TW_NONE;
        m->stamps[m->stamp_count++] = (tw_stamp){(uint16_t)s->reading->index, s->kind, low, high};
    }
}

/* Their functions come later. */
static void alarms(twc_gen *g)
{
    if (!ROOM(g, TWC_D_ALARM, alarms, alarm_count, TW_ALARMS_MAX, "too many alarms")) return;
    tw_alarm *alarm = g->m->alarms;
    for (const twc_decl *d = first_of(g, TWC_D_ALARM); d != NULL; d = d->next_same, alarm++) {
        *alarm = (tw_alarm){.name = d->word->text, .readings = d->u.alarm.readings};
    }
}

/* ------------------------------------------------------------------ notices and rules */

static void notice(twc_gen *g, const twc_decl *decl, tw_notice *ret_notice)
{
    g->span = decl->name_span;
    *ret_notice = (tw_notice){decl->word->text, twc_gen_members(g, decl->u.fields.fields)};
}

static void notices(twc_gen *g)
{
    tw_module *m = g->m;
    const uint32_t count = g->contract->history_count;
    if (!ROOM(g, TWC_D_EVENT, events, event_count, TW_NAMES_MAX, "too many events") ||
        !ROOM(g, TWC_D_ERROR, errors, error_count, TW_NAMES_MAX, "too many errors")) {
        return;
    }
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_EVENT) notice(g, d, &m->events[d->index]);
        if (d->kind == TWC_D_ERROR) notice(g, d, &m->errors[d->index]);
    }
    twc_gen_over_limit(g, g->contract->name_span, "too many kinds of history", count, TW_NAMES_MAX);
    m->histories = get(g, count, sizeof *m->histories);
    for (const twc_decl *d = g->contract->histories; d != NULL && !g->failed; d = d->next_same) {
        notice(g, d, &m->histories[m->history_count++]);
    }
}

static void rules(twc_gen *g)
{
    tw_module *m = g->m;
    if (!ROOM(g, TWC_D_INVARIANT, invariants, invariant_count, TW_NAMES_MAX,
              "too many invariants") ||
        !ROOM(g, TWC_D_CHECK, checks, check_count, TW_NAMES_MAX, "too many checks")) {
        return;
    }
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_INVARIANT) {
            m->invariants[d->index] = (tw_rule){d->word->text, TW_NONE};
        } else if (d->kind == TWC_D_CHECK) {
            const char *text = twc_gen_text(g, d->u.value.value->span, 2 * TW_NAME_SIZE_MAX);
            m->checks[d->index] = (tw_rule){text, TW_NONE};
        }
    }
}

void twc_gen_declarations(twc_gen *g)
{
    tw_module *m = g->m;
    const twc_contract *contract = g->contract;
    m->name = contract->word->text;
    m->version = contract->version;
    m->twin = "";
    if (contract->twin.size > 0) {
        m->twin = tw_arena_copy(g->arena, contract->twin.data, contract->twin.size);
        if (m->twin == NULL) g->diags->out_of_memory = g->failed = true;
        twc_gen_over_limit(g, contract->name_span, "the twin's id has too many bytes",
                           contract->twin.size, 4 * TW_NAME_SIZE_MAX);
    }
    if (!g->failed) roles(g);
    twc_gen_monies(g);
    if (!g->failed) params(g);
    if (!g->failed) fields(g);
    twc_gen_purses(g);
    if (!g->failed) phases(g);
    if (!g->failed) readings(g);
    if (!g->failed) stamps(g);
    if (!g->failed) alarms(g);
    if (!g->failed) notices(g);
    if (!g->failed) rules(g);
}

/* ------------------------------------------------------------------ defaults */

/* A constant's slots. False when it is no constant that can stand in a declaration. */
static bool constant_slots(twc_gen *g, const twc_expr *expr, int64_t *ret_slots)
{
    if (expr->constant) {
        ret_slots[0] = expr->value;
        return true;
    }
    if (expr->kind == TWC_E_NONE) return true;
    if (expr->kind == TWC_E_TEXT) {
        if (expr->u.text.size > expr->type->max) return false;
        tw_slots_from_text(expr->u.text, ret_slots);
        return true;
    }
    if (expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_SOME) {
        ret_slots[0] = 1;
        return constant_slots(g, expr->u.convert.value, ret_slots + 1);
    }
    if (expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_SIZE) {
        return constant_slots(g, expr->u.convert.value, ret_slots);
    }
    if (expr->kind == TWC_E_LIST) {
        const uint32_t step = twc_gen_slots(g, expr->type->element);
        bool good = true;
        ret_slots[0] = expr->u.list.count;
        int64_t *at = ret_slots + 1;
        for (const twc_expr *e = expr->u.list.first; e != NULL && good; e = e->next, at += step) {
            good = constant_slots(g, e, at);
        }
        return good;
    }
    if (expr->kind == TWC_E_CALL && expr->u.call.callee == TWC_CALL_RECORD) {
        bool good = true;
        for (const twc_arg *a = expr->u.call.args; a != NULL && good; a = a->next) {
            good = constant_slots(g, a->value, ret_slots);
            ret_slots += twc_gen_slots(g, a->value->type);
        }
        return good;
    }
    const bool hashed =
        expr->kind == TWC_E_CALL && expr->u.call.callee == TWC_CALL_BUILTIN &&
        (expr->u.call.builtin == TWC_B_HASH || expr->u.call.builtin == TWC_B_TWIN_ID);
    if (hashed && expr->u.call.args->value->kind == TWC_E_TEXT) {
        const tw_bytes text = expr->u.call.args->value->u.text;
        tw_slots_from_bytes32(tw_sha256(text.data, text.size).bytes, ret_slots);
        return true;
    }
    return false;
}

static void preset(twc_gen *g, const twc_decl *decl, tw_param *param)
{
    const twc_expr *value = decl->u.value.value;
    int64_t slots[TW_PARAMS_MAX] = {0};
    if (!constant_slots(g, value, slots)) {
        twc_gen_unsupported(g, value->span, "a default of this form");
        return;
    }
    const uint32_t size = g->m->types[param->type].size_max;
    uint8_t *bytes = tw_arena_get(g->arena, size);
    tw_writer w = tw_writer_fixed(bytes, size);
    if (bytes == NULL || tw_value_encode(g->m, param->type, slots, &w) != TW_OK || w.bad) {
        twc_gen_unsupported(g, value->span, "a default of this form");
        return;
    }
    param->preset = tw_writer_bytes(&w);
}

void twc_gen_presets(twc_gen *g)
{
    tw_param *param = g->m->params;
    for (const twc_decl *d = first_of(g, TWC_D_PARAM); d != NULL; d = d->next_same, param++) {
        if (!g->failed) preset(g, d, param);
    }
}
