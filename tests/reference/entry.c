/* entry -- what stands around the code in the reference: the copy of the contract it works on, the
 * set-up of an entry, what follows its end, the timers of a new phase. */
#include "tests/reference/machine.h"

#include <string.h>

enum { COPIES_MAX = 256 * 1024 * 1024 };

reference *reference_new(void)
{
    reference *r = tw_mem_new(sizeof *r);
    if (r == NULL) return NULL;
    r->copies = tw_arena_new(COPIES_MAX);
    r->stack = tw_mem_new((TW_STACK_SLOTS_MAX + TW_FRAME_SLOTS_MAX) * sizeof *r->stack);
    r->samples = tw_mem_new(TW_SAMPLES_MAX * sizeof *r->samples);
    r->record = tw_mem_new(TW_FRAME_SLOTS_MAX * sizeof *r->record);
    r->touches = tw_mem_new(REF_TOUCHES_MAX * sizeof *r->touches);
    r->notices = tw_writer_new(256 * 1024 * 1024);
    r->fields = tw_writer_new(1024 * 1024);
    r->value = tw_writer_new(1024 * 1024);
    if (r->copies != NULL && r->stack != NULL && r->samples != NULL && r->record != NULL &&
        r->touches != NULL) {
        return r;
    }
    reference_free(r);
    return NULL;
}

void reference_free(reference *r)
{
    if (r == NULL) return;
    for (size_t i = 0; i < sizeof r->plans / sizeof r->plans[0]; i++) {
        tw_arena_free(r->plans[i].memory);
    }
    tw_arena_free(r->copies);
    tw_mem_free(r->stack);
    tw_mem_free(r->samples);
    tw_mem_free(r->record);
    tw_mem_free(r->touches);
    tw_writer_free(&r->notices);
    tw_writer_free(&r->fields);
    tw_writer_free(&r->value);
    tw_mem_free(r);
}

const ref_totals *reference_totals(const reference *r)
{
    return &r->totals;
}

/* ---- timers and pending edges ---- */

/* A key in an index by time: due | contract | number, with only the tag under it. */
static tw_status file(reference *r, tw_space space, uint16_t what, int64_t from, int64_t to)
{
    static const uint8_t tag[1] = {TW_STATE_TAG};
    const int64_t times[2] = {from, to};
    if (from == to) return TW_OK;
    r->c->control_changed = true;
    for (int k = 0; k < 2; k++) {
        if (times[k] == TW_NEVER) continue;
        tw_key key = tw_key_start(space);
        tw_key_u64(&key, (uint64_t)times[k]);
        tw_key_raw(&key, r->c->id.bytes, 32);
        tw_key_u16(&key, what);
        TW_TRY(k == 0 ? ref_delete(r, &key) : ref_put(r, &key, tw_bytes_of(tag, 1)));
    }
    return TW_OK;
}

tw_status ref_timer_set(reference *r, uint16_t entry, int64_t due)
{
    tw_timer_state *timer = &r->c->control.timers[entry];
    TW_TRY(file(r, TW_SPACE_TIMER, entry, timer->due, due));
    *timer = (tw_timer_state){.due = due};
    return TW_OK;
}

int64_t ref_due(const reference *r, const tw_entry *e, int64_t from)
{
    const int64_t delay = r->c->deployed[e->delay];
    return delay >= 1 && delay < (int64_t)1 << 52 ? from + delay : TW_NEVER;
}

static bool runs_now(const reference *r, const tw_entry *e)
{
    return (e->phases >> r->c->control.phase & 1) != 0;
}

/* Is there a handler for the pending edge of the alarm in the phase that holds? */
static bool is_wanted(const reference *r, uint16_t alarm)
{
    const uint8_t edge = r->c->control.alarms[alarm].edge;
    for (uint16_t i = 0; edge != TW_EDGE_NONE && i < r->m->entry_count; i++) {
        const tw_entry *e = &r->m->entries[i];
        const uint8_t kind = edge == TW_EDGE_RAISED ? TW_ENTRY_RAISED : TW_ENTRY_CLEARED;
        if (e->kind == kind && e->of == alarm && runs_now(r, e)) return true;
    }
    return false;
}

tw_status ref_phase_finish(reference *r)
{
    if (!r->phase_changed) return TW_OK;
    for (uint16_t i = 0; i < r->m->entry_count; i++) {
        const tw_entry *e = &r->m->entries[i];
        if (e->kind != TW_ENTRY_AFTER) continue;
        TW_TRY(ref_timer_set(r, i, runs_now(r, e) ? ref_due(r, e, r->call->now) : TW_NEVER));
    }
    return ref_pending(r);
}

tw_status ref_pending(reference *r)
{
    for (uint16_t i = 0; i < r->m->alarm_count; i++) {
        tw_alarm_state *a = &r->c->control.alarms[i];
        const int64_t due = is_wanted(r, i) ? a->due : TW_NEVER;
        TW_TRY(file(r, TW_SPACE_PENDING, i, a->indexed, due));
        a->indexed = due;
    }
    return TW_OK;
}

/* ---- the control record ----
 *
 * tag | phase 2 | since 8 | grants 8 | history count 8 | head 32 | per alarm: up 1, edge 1,
 * attempts 1, time 8, due 8, indexed 8 | per entry that a timer starts: due 8, attempts 1
 */

static tw_status load_control(reference *r)
{
    const tw_key key = tw_key_of(TW_SPACE_CONTROL, &r->c->id);
    tw_control *k = &r->c->control;
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_get(r, &key, &value, &found));
    if (!found || value.size < 59) return TW_ERR_CORRUPT;
    const uint8_t *at = value.data;
    k->phase = (uint16_t)(at[1] << 8 | at[2]);
    k->phase_since = (int64_t)tw_load_u64(at + 3);
    k->grants = tw_load_u64(at + 11);
    k->history_count = tw_load_u64(at + 19);
    memcpy(k->history_head.bytes, at + 27, 32);
    at += 59;
    for (uint16_t i = 0; i < r->m->alarm_count; i++, at += 27) {
        k->alarms[i] = (tw_alarm_state){.up = at[0] == 1,
                                        .edge = at[1],
                                        .attempts = at[2],
                                        .time = (int64_t)tw_load_u64(at + 3),
                                        .due = (int64_t)tw_load_u64(at + 11),
                                        .indexed = (int64_t)tw_load_u64(at + 19)};
    }
    for (uint16_t i = 0; i < r->m->entry_count; i++) {
        if (!ref_is_timed(&r->m->entries[i])) continue;
        k->timers[i] = (tw_timer_state){.due = (int64_t)tw_load_u64(at), .attempts = at[8]};
        at += 9;
    }
    r->c->control_changed = false;
    return at == value.data + value.size ? TW_OK : TW_ERR_CORRUPT;
}

tw_status ref_save_control(reference *r)
{
    const tw_key key = tw_key_of(TW_SPACE_CONTROL, &r->c->id);
    const tw_control *k = &r->c->control;
    tw_writer *w = &r->value;
    tw_writer_clear(w);
    tw_write_u8(w, TW_STATE_TAG);
    tw_write_u16(w, k->phase);
    tw_write_i64(w, k->phase_since);
    tw_write_u64(w, k->grants);
    tw_write_u64(w, k->history_count);
    tw_write_raw(w, k->history_head.bytes, 32);
    for (uint16_t i = 0; i < r->m->alarm_count; i++) {
        const tw_alarm_state *a = &k->alarms[i];
        const uint8_t head[3] = {a->up ? 1 : 0, a->edge, a->attempts};
        tw_write_raw(w, head, sizeof head);
        tw_write_i64(w, a->time);
        tw_write_i64(w, a->due);
        tw_write_i64(w, a->indexed);
    }
    for (uint16_t i = 0; i < r->m->entry_count; i++) {
        if (!ref_is_timed(&r->m->entries[i])) continue;
        tw_write_i64(w, k->timers[i].due);
        tw_write_u8(w, k->timers[i].attempts);
    }
    if (w->bad) return TW_ERR_MEMORY;
    return ref_put(r, &key, tw_writer_bytes(w));
}

/* ---- runs ---- */

tw_status ref_start(reference *r, tw_contract *c, const tw_call *call)
{
    r->plan = ref_plan_of(r, c->code);
    if (r->plan == NULL) return TW_ERR_MEMORY;
    r->m = c->code->module;
    r->c = c;
    r->call = call;
    r->stack_used = 0;
    r->phase_changed = false;
    r->stat_of = UINT32_MAX;
    r->touch_count = 0;
    memset(r->made, 0, sizeof r->made);
    memset(r->spent, 0, sizeof r->spent);
    memset(r->pages_seen, 0, sizeof r->pages_seen);
    r->index = 0;
    r->events = 0;
    r->histories = 0;
    r->used = (tw_bounds){0};
    tw_writer_clear(&r->notices);
    tw_writer_clear(&r->fields);
    return TW_OK;
}

tw_status ref_copy(reference *r, const tw_contract *c, tw_contract **ret_copy)
{
    const tw_module *m = c->code->module;
    tw_arena_clear(r->copies);
    tw_contract *copy = TW_NEW(r->copies, tw_contract);
    int64_t *deployed = TW_NEW_ARRAY(r->copies, int64_t, m->deployed_count);
    tw_alarm_state *alarms = TW_NEW_ARRAY(r->copies, tw_alarm_state, m->alarm_count);
    tw_timer_state *timers = TW_NEW_ARRAY(r->copies, tw_timer_state, m->entry_count);
    if (tw_arena_failed(r->copies)) return TW_ERR_MEMORY;
    *copy = *c;
    memcpy(deployed, c->deployed, m->deployed_count * sizeof *deployed);
    memcpy(alarms, c->control.alarms, m->alarm_count * sizeof *alarms);
    memcpy(timers, c->control.timers, m->entry_count * sizeof *timers);
    copy->deployed = deployed;
    copy->control.alarms = alarms;
    copy->control.timers = timers;
    *ret_copy = copy;
    return TW_OK;
}

/* The code, and what follows when it has ended well. */
static tw_status run_all(reference *r, const tw_entry *entry)
{
    int64_t *results = NULL;
    memset(r->stack, 0, r->m->functions[entry->function].frame_slots * sizeof *r->stack);
    if (entry->members.slots > 0) {
        memcpy(r->stack, r->call->arguments, entry->members.slots * sizeof *r->stack);
    }
    TW_TRY(ref_function(r, entry->function, r->stack, &results));
    TW_TRY(ref_money_finish(r));
    TW_TRY(ref_phase_finish(r));
    if (r->c->control_changed) TW_TRY(ref_save_control(r));
    if (entry->kind != TW_ENTRY_VIEW) return TW_OK;
    const tw_status status = tw_value_encode(r->m, entry->result, results, &r->fields);
    if (status != TW_OK) tw_writer_clear(&r->fields);
    return status;
}

static bool is_host_failure(tw_status status)
{
    return (int)status < 0;
}

tw_status reference_run(reference *r, const tw_contract *contract, const tw_call *call,
                        tw_outcome *ret_outcome, tw_contract **ret_after, tw_bounds *ret_used)
{
    const tw_entry *entry = &contract->code->module->entries[call->entry];
    tw_contract *c = NULL;
    tw_savepoint before;
    TW_TRY(ref_copy(r, contract, &c));
    TW_TRY(ref_start(r, c, call));
    if (entry->kind != TW_ENTRY_DEPLOY) TW_TRY(load_control(r));
    TW_TRY(tw_overlay_mark(c->overlay, &before));
    r->used.gas = ref_entry_gas(r->m, r->call->entry, r->plan->effects[entry->function]);
    r->used.reads = 2; /* the records of the contract */
    const tw_status status = run_all(r, entry);
    if (!is_host_failure(status)) r->totals.outcomes[status]++;
    const bool kept = status == TW_OK;
    r->used.events = kept ? r->events + r->histories : 0;
    r->used.event_bytes = kept ? (uint32_t)r->notices.size : 0;
    r->used.writes = kept ? (uint32_t)tw_overlay_writes(c->overlay, before) : 0;
    *ret_outcome = (tw_outcome){.status = status,
                                .index = r->index,
                                .fields = tw_writer_bytes(&r->fields),
                                .notices = {r->notices.data, kept ? r->notices.size : 0},
                                .events = kept ? r->events : 0,
                                .histories = kept ? r->histories : 0,
                                .gas = r->used.gas,
                                .writes = r->used.writes,
                                .function = r->function,
                                .pc = r->pc};
    *ret_after = c;
    *ret_used = r->used;
    if (kept) {
        tw_overlay_keep(c->overlay, before);
        return TW_OK;
    }
    tw_overlay_undo(c->overlay, before);
    if (is_host_failure(status)) return status;
    return entry->kind == TW_ENTRY_DEPLOY ? TW_OK : load_control(r);
}

tw_status reference_condition(reference *r, tw_contract *contract, uint16_t function, int64_t end,
                              bool *ret_holds, tw_bounds *ret_used)
{
    const tw_call call = {.now = end, .end = end};
    int64_t *results = NULL;
    TW_TRY(ref_start(r, contract, &call));
    memset(r->stack, 0, r->m->functions[function].frame_slots * sizeof *r->stack);
    const tw_status status = ref_function(r, function, r->stack, &results);
    r->call = NULL;
    *ret_used = r->used;
    if (is_host_failure(status)) return status;
    *ret_holds = status == TW_OK && results[0] == 1;
    return TW_OK;
}
