/* declare -- what a module declares must make sense by itself, before its code is looked at. */
#include "vm/isa/value.h"
#include "vm/verify/check.h"
#include "vm/verify/cost.h"

#include <string.h>

enum { PARAM_SLOTS_MAX = 4096 };

static const int64_t range_max = (int64_t)1 << TW_RANGE_BITS;

#define REFUSE(err, ...) tw_err_set((err), TW_REFUSED_MODULE, __VA_ARGS__)

static bool is_int(const tw_module *m, uint16_t type)
{
    return type < m->type_count && m->types[type].kind == TW_KIND_INT;
}

/* One slot that has an order: what a range can be about. */
static bool is_number(const tw_module *m, uint16_t type)
{
    return is_int(m, type) || m->types[type].kind == TW_KIND_MONEY;
}

static tw_status roles(const tw_module *m, tw_err *err)
{
    for (uint16_t i = 0; i < m->role_count; i++) {
        const tw_role *r = &m->roles[i];
        if (r->max == 0 || r->max > TW_ROLE_MEMBERS_MAX || r->flags > 3) {
            return REFUSE(err, "role %s: its max must be 1 to %d", r->name, TW_ROLE_MEMBERS_MAX);
        }
        if (r->least > r->max) {
            return REFUSE(err, "role %s: starts with %u members, its max is %u", r->name, r->least,
                          r->max);
        }
    }
    return TW_OK;
}

static tw_status params(const tw_module *m, tw_err *err)
{
    uint64_t total = m->deployed_count;
    for (uint16_t i = 0; i < m->param_count; i++) {
        const tw_param *p = &m->params[i];
        if (p->type >= m->type_count || m->types[p->type].slots > TW_PARAMS_MAX) {
            return REFUSE(err, "param %s: its type is not there or too large", p->name);
        }
        total += m->types[p->type].slots;
        int64_t slots[TW_PARAMS_MAX];
        tw_reader r = tw_reader_of(p->preset);
        if (tw_value_decode(m, p->type, &r, slots) != TW_OK || !tw_reader_done(&r)) {
            return REFUSE(err, "param %s: its default is none of its type", p->name);
        }
        if (!p->ranged && (p->low != 0 || p->high != 0)) {
            return REFUSE(err, "param %s: has limits without a range", p->name);
        }
        if (p->ranged && (!is_number(m, p->type) || p->low > slots[0] || slots[0] > p->high)) {
            return REFUSE(err, "param %s: its default lies outside its range", p->name);
        }
    }
    if (total <= PARAM_SLOTS_MAX) return TW_OK;
    return REFUSE(err, "params and deploy constants take %llu slots, the limit is %d",
                  (unsigned long long)total, PARAM_SLOTS_MAX);
}

static tw_status phases(const tw_module *m, tw_err *err)
{
    if (m->phases.count == 0) return REFUSE(err, "a contract has at least one phase");
    for (uint16_t i = 0; i < m->arrow_count; i++) {
        if (m->arrows[i].from >= m->phases.count || m->arrows[i].to >= m->phases.count) {
            return REFUSE(err, "arrow %u: goes to or from a phase that is not there", i);
        }
    }
    for (uint16_t i = 0; i < m->enum_count; i++) {
        if (m->enums[i].values.count == 0)
            return REFUSE(err, "enum %s: no values", m->enums[i].name);
    }
    return TW_OK;
}

static bool duration_ok(int64_t ms)
{
    return ms >= 1 && ms < range_max;
}

static tw_status reading(const tw_module *m, const tw_reading *r, tw_err *err)
{
    if (!is_int(m, r->type) || r->role >= m->role_count) {
        return REFUSE(err, "reading %s: its type or its role is not there", r->name);
    }
    if (r->low > r->high || r->low < -range_max || r->high > range_max) {
        return REFUSE(err, "reading %s: its range must lie within 2^52 of 0", r->name);
    }
    if (!duration_ok(r->rate_ms) || !duration_ok(r->age_max_ms) || !duration_ok(r->gap_ms)) {
        return REFUSE(err, "reading %s: rate, max_age and gap must be at least 1 ms", r->name);
    }
    if (r->keep > TW_KEEP_MAX || r->rate_count == 0 || r->keep < r->rate_count) {
        return REFUSE(err, "reading %s: keep must be %u to %d", r->name, r->rate_count,
                      TW_KEEP_MAX);
    }
    if (!r->per_device && m->roles[r->role].max != 1) {
        return REFUSE(err, "reading %s: not per device, but its role may have %u members", r->name,
                      m->roles[r->role].max);
    }
    return TW_OK;
}

static tw_status readings(const tw_module *m, tw_err *err)
{
    uint64_t samples = 0;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        TW_TRY(reading(m, &m->readings[i], err));
        samples += (uint64_t)m->readings[i].keep * m->roles[m->readings[i].role].max;
    }
    if (samples > TW_WINDOWS_MAX) {
        return REFUSE(err, "the windows keep up to %llu readings, the limit is %d",
                      (unsigned long long)samples, TW_WINDOWS_MAX);
    }
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        const tw_stamp *s = &m->stamps[i];
        const bool within = s->kind == TW_STAMP_WITHIN;
        if (s->reading >= m->reading_count || s->kind == 0 || s->kind >= TW_STAMP_KINDS ||
            s->low >= m->deployed_count || (within && s->high >= m->deployed_count) ||
            (!within && s->high != TW_NONE)) {
            return REFUSE(err, "stamp %u: names something that is not there", i);
        }
    }
    return TW_OK;
}

static bool is_condition(const tw_module *m, uint16_t function)
{
    return function < m->function_count && m->functions[function].argument_slots == 0 &&
           m->functions[function].result_slots == 1;
}

static tw_status conditions(const tw_module *m, tw_err *err)
{
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        const tw_alarm *a = &m->alarms[i];
        if (!is_condition(m, a->raise) || !is_condition(m, a->clear)) {
            return REFUSE(err, "alarm %s: its conditions must be functions of no arguments",
                          a->name);
        }
        if (a->readings == 0 || (m->reading_count < 64 && a->readings >> m->reading_count != 0)) {
            return REFUSE(err, "alarm %s: depends on no reading, or on one that is not there",
                          a->name);
        }
    }
    for (uint16_t i = 0; i < m->invariant_count; i++) {
        if (!is_condition(m, m->invariants[i].function)) {
            return REFUSE(err, "invariant %s: must be a function of no arguments",
                          m->invariants[i].name);
        }
    }
    for (uint16_t i = 0; i < m->check_count; i++) {
        if (m->checks[i].function != TW_NONE) {
            return REFUSE(err, "check %s: belongs to the deploy entry", m->checks[i].name);
        }
    }
    return TW_OK;
}

static bool parts_fit(const tw_module *m, const tw_entry *e)
{
    const bool delayed = e->delay != TW_NONE;
    switch ((tw_entry_kind)e->kind) {
    case TW_ENTRY_DEPLOY: return e->of == TW_NONE && !delayed && e->members.count == 0;
    case TW_ENTRY_ACTION:
    case TW_ENTRY_VIEW: return e->of == TW_NONE && !delayed;
    case TW_ENTRY_RAISED:
    case TW_ENTRY_CLEARED: return e->of < m->alarm_count && !delayed && e->members.count == 0;
    case TW_ENTRY_SILENT:
        return e->of < m->reading_count && !m->readings[e->of].per_device &&
               e->delay < m->deployed_count && e->members.count == 0;
    case TW_ENTRY_EVERY:
    case TW_ENTRY_AFTER:
        return e->of == TW_NONE && e->delay < m->deployed_count && e->members.count == 0;
    case TW_ENTRY_FALLS:
        return e->of < m->purse_count && m->purses[e->of].role == TW_NONE &&
               e->delay < m->deployed_count && e->members.count == 0 &&
               e->phases == UINT64_MAX >> (64 - m->phases.count);
    case TW_ENTRY_MIGRATE: return e->of == TW_NONE && !delayed && e->members.count == 0;
    case TW_ENTRY_KINDS: break;
    }
    return false;
}

static tw_status entry(const tw_module *m, uint16_t index, tw_err *err)
{
    const tw_entry *e = &m->entries[index];
    if (!parts_fit(m, e)) return REFUSE(err, "entry %s: its parts do not fit its kind", e->name);
    const bool view = e->kind == TW_ENTRY_VIEW;
    if (e->function >= m->function_count ||
        (view ? e->result >= m->type_count : e->result != TW_NONE)) {
        return REFUSE(err, "entry %s: its function or its result is not there", e->name);
    }
    const tw_function *f = &m->functions[e->function];
    const uint32_t result = view ? m->types[e->result].slots : 0;
    if (f->argument_slots != e->members.slots || f->result_slots != result) {
        return REFUSE(err, "entry %s: its function has other arguments or results", e->name);
    }
    if (m->phases.count < 64 && e->phases >> m->phases.count != 0) {
        return REFUSE(err, "entry %s: runs in a phase that is not there", e->name);
    }
    const bool falls = e->kind == TW_ENTRY_FALLS;
    const bool unique = e->kind == TW_ENTRY_ACTION || view || falls;
    for (uint16_t i = 0; i < index; i++) {
        if (m->entries[i].kind == TW_ENTRY_FALLS && !falls && !view) {
            return REFUSE(err, "entry %s: stands behind an entry for what falls to somebody",
                          e->name);
        }
        if (!unique || m->entries[i].kind != e->kind) continue;
        if (falls ? m->entries[i].of == e->of : strcmp(m->entries[i].name, e->name) == 0) {
            return REFUSE(err, "entry %s: declared twice", e->name);
        }
    }
    return TW_OK;
}

tw_status tw_check_declarations(const tw_module *m, tw_err *err)
{
    TW_TRY(roles(m, err));
    TW_TRY(params(m, err));
    TW_TRY(tw_check_state(m, err));
    TW_TRY(phases(m, err));
    TW_TRY(readings(m, err));
    TW_TRY(conditions(m, err));
    uint32_t deploys = 0;
    uint32_t migrates = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        TW_TRY(entry(m, i, err));
        deploys += m->entries[i].kind == TW_ENTRY_DEPLOY;
        migrates += m->entries[i].kind == TW_ENTRY_MIGRATE;
    }
    if (deploys != 1) return REFUSE(err, "a module has exactly one deploy entry, not %u", deploys);
    if (migrates > 1) return REFUSE(err, "a module has one migrate entry, not %u", migrates);
    return TW_OK;
}
