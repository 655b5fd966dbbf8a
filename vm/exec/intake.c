/* intake -- see the header. Nothing marks or undoes while a pack is taken in, so the device record
 * and the page that is being filled are looked up once, and then written in place. */
#include "vm/exec/intake.h"

#include "vm/exec/machine.h"
#include "vm/verify/cost.h"

#include <assert.h>

typedef struct intake {
    tw_exec *exec;
    tw_contract *c;
    const tw_module *m;
    const tw_account *device;
    int64_t now;
    uint8_t *record;      /* of the device */
    uint8_t *page;        /* NULL: none yet */
    uint16_t page_of;     /* a reading */
    uint64_t page_number; /* since the grant */
    uint64_t taken;       /* bit r: a reading r was accepted */
    tw_intake *result;
} intake;

static tw_status find_record(intake *t)
{
    const tw_key key = tw_device_key(&t->c->id, t->device);
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(t->c->overlay, tw_key_bytes(&key), &t->record, &size, &found));
    return found && size == tw_device_size(t->m) ? TW_OK : TW_ERR_CORRUPT;
}

/* The window of a reading of this device, if it is the one that is open: a reading of one device
 * whose role this device has, as nobody else unless a record is damaged. */
static tw_window *window_of(const intake *t, uint16_t reading)
{
    tw_window *w = &t->exec->window;
    const bool open = t->exec->window_open && w->reading == reading;
    return open && tw_account_equal(&w->account, t->device) ? w : NULL;
}

/* More than `rate`: n readings were already taken in (time - P, time]. */
static tw_status over_rate(intake *t, const tw_reading *r, const tw_pack_reading *p, uint64_t total,
                           int64_t last, bool *ret_over)
{
    *ret_over = false;
    if (total < r->rate_count || last <= p->time - r->rate_ms) return TW_OK;
    tw_window opened;
    tw_sample sample;
    tw_window *window = window_of(t, p->reading);
    if (window == NULL) {
        window = &opened;
        TW_TRY(tw_window_open(t->c, p->reading, t->device, window));
    }
    TW_TRY(tw_window_at(window, total - r->rate_count, &sample));
    *ret_over = sample.time > p->time - r->rate_ms;
    return TW_OK;
}

/* In the order in which the language names the reasons. */
static tw_status judge(intake *t, const tw_pack_reading *p, tw_refusal *ret_reason)
{
    *ret_reason = TW_REFUSAL_FIELD;
    if (p->reading >= t->m->reading_count) return TW_OK;
    const tw_reading *r = &t->m->readings[p->reading];
    const uint64_t roles = tw_load_u64(t->record + TW_DEVICE_ROLES);
    if ((roles >> r->role & 1) == 0) return TW_OK;
    const uint8_t *at = t->record + tw_device_reading(p->reading);
    const uint64_t total = tw_load_u64(at);
    const int64_t last = (int64_t)tw_load_u64(at + 8);
    *ret_reason = TW_REFUSAL_ORDER;
    if (total > 0 && p->time < last) return TW_OK;
    *ret_reason = TW_REFUSAL_AGE;
    if (t->now - p->time > r->age_max_ms) return TW_OK;
    *ret_reason = TW_REFUSAL_RANGE;
    if (p->value < r->low || p->value > r->high) return TW_OK;
    bool over = false;
    TW_TRY(over_rate(t, r, p, total, last, &over));
    *ret_reason = over ? TW_REFUSAL_RATE : TW_REFUSAL_NONE;
    return TW_OK;
}

static bool stamp_true(const tw_contract *c, const tw_stamp *stamp, int64_t value)
{
    const int64_t low = c->deployed[stamp->low];
    switch ((tw_stamp_kind)stamp->kind) {
    case TW_STAMP_ABOVE: return value > low;
    case TW_STAMP_BELOW: return value < low;
    case TW_STAMP_WITHIN: return value >= low && value <= c->deployed[stamp->high];
    case TW_STAMP_KINDS: break;
    }
    return false;
}

/* A run goes on while the level holds and no pause is longer than `gap`. */
static void stamps_update(intake *t, const tw_pack_reading *p)
{
    for (uint16_t i = 0; i < t->m->stamp_count; i++) {
        if (t->m->stamps[i].reading != p->reading) continue;
        uint8_t *at = t->record + tw_device_stamp(t->m, i);
        const int64_t since = (int64_t)tw_load_u64(at);
        const uint64_t last = tw_load_u64(at + 8);
        t->result->gas += TW_GAS_STAMP;
        if (!stamp_true(t->c, &t->m->stamps[i], p->value)) {
            tw_store_u64(at, (uint64_t)TW_NEVER);
            tw_store_u64(at + 8, 0);
            continue;
        }
        const int64_t pause = (int64_t)((uint64_t)p->time - last);
        const bool broken = since == TW_NEVER || pause > t->m->readings[p->reading].gap_ms;
        if (broken) tw_store_u64(at, (uint64_t)p->time);
        tw_store_u64(at + 8, (uint64_t)p->time);
    }
}

/* The alarm has changed: its edge waits for a handler, or meets the one that waits. */
static void turn(intake *t, uint16_t alarm, int64_t time)
{
    tw_alarm_state *a = &t->c->control.alarms[alarm];
    a->up = !a->up;
    const tw_edge edge = a->up ? TW_EDGE_RAISED : TW_EDGE_CLEARED;
    const bool meets = edge == TW_EDGE_CLEARED && a->edge == TW_EDGE_RAISED;
    const bool waits = !meets && tw_pending_wanted(t->m, alarm, edge);
    a->edge = waits ? (uint8_t)edge : TW_EDGE_NONE;
    a->attempts = 0;
    a->time = waits ? time : 0;
    a->due = a->time;
    t->c->control_changed = true;
    t->result->edges[t->result->edge_count++] = (tw_edge_note){alarm, (uint8_t)edge, time};
}

static tw_status alarms_update(intake *t, const tw_pack_reading *p)
{
    for (uint16_t i = 0; i < t->m->alarm_count; i++) {
        const tw_alarm *alarm = &t->m->alarms[i];
        if ((alarm->readings >> p->reading & 1) == 0) continue;
        const bool up = t->c->control.alarms[i].up;
        bool holds = false;
        uint64_t gas = 0;
        TW_TRY(tw_exec_condition(t->exec, t->c, up ? alarm->clear : alarm->raise, p->time, &holds,
                                 &gas));
        t->result->gas += TW_GAS_CONDITION + gas;
        if (holds) turn(t, i, p->time);
    }
    return TW_OK;
}

static tw_status take(intake *t, const tw_pack_reading *p)
{
    uint8_t *at = t->record + tw_device_reading(p->reading);
    const uint64_t total = tw_load_u64(at);
    const uint64_t number = total / TW_PAGE_SAMPLES;
    tw_store_u64(at, total + 1);
    tw_store_u64(at + 8, (uint64_t)p->time);
    stamps_update(t, p);
    if (t->page == NULL || t->page_of != p->reading || t->page_number != number) {
        TW_TRY(tw_window_page(t->c, p->reading, t->device, total, &t->page));
        t->page_of = p->reading;
        t->page_number = number;
    }
    tw_window_put(t->page, total, (tw_sample){p->time, p->value});
    tw_window *window = window_of(t, p->reading);
    if (window != NULL) tw_window_push(window, t->page);
    t->taken |= (uint64_t)1 << p->reading;
    t->result->accepted++;
    return alarms_update(t, p);
}

static tw_status one(intake *t, uint16_t place, const tw_pack_reading *p)
{
    tw_refusal reason = TW_REFUSAL_NONE;
    t->result->gas += TW_GAS_INTAKE;
    TW_TRY(judge(t, p, &reason));
    if (reason == TW_REFUSAL_NONE) return take(t, p);
    uint8_t *counter = t->record + TW_DEVICE_REFUSED + 8 * (size_t)reason;
    tw_store_u64(counter, tw_load_u64(counter) + 1);
    t->result->refused[t->result->refused_count++] = (tw_refused){place, (uint8_t)reason};
    return TW_OK;
}

static tw_status all(intake *t, const tw_pack_reading *readings, uint16_t count)
{
    tw_status status = TW_OK;
    t->exec->window_open = false;
    t->exec->takes_in = true;
    for (uint16_t i = 0; i < count && status == TW_OK; i++) status = one(t, i, &readings[i]);
    t->exec->takes_in = false;
    return status;
}

/* A reading arms the `silent` timers that have fired since the last one. */
static tw_status arm_silent(intake *t)
{
    for (uint16_t i = 0; i < t->m->entry_count; i++) {
        const tw_entry *e = &t->m->entries[i];
        if (e->kind != TW_ENTRY_SILENT || t->c->control.timers[i].due != TW_NEVER) continue;
        if ((t->taken >> e->of & 1) == 0) continue;
        int64_t due = 0;
        TW_TRY(tw_timer_silent_due(t->c, i, &due));
        TW_TRY(tw_timer_set(t->c, i, due));
    }
    return TW_OK;
}

tw_status tw_intake_run(tw_exec *exec, tw_contract *contract, const tw_account *device,
                        const tw_pack_reading *readings, uint16_t count, int64_t now,
                        tw_arena *arena, tw_intake *ret_intake)
{
    const size_t edges = (size_t)count * contract->code->module->alarm_count;
    *ret_intake = (tw_intake){.refused = TW_NEW_ARRAY(arena, tw_refused, count),
                              .edges = TW_NEW_ARRAY(arena, tw_edge_note, edges)};
    if (ret_intake->refused == NULL || ret_intake->edges == NULL) return TW_ERR_MEMORY;
    intake t = {.exec = exec,
                .c = contract,
                .m = contract->code->module,
                .device = device,
                .now = now,
                .result = ret_intake};
    TW_TRY(find_record(&t));
    TW_TRY(all(&t, readings, count));
    TW_TRY(arm_silent(&t));
    TW_TRY(tw_pending_index(contract));
    return contract->control_changed ? tw_contract_save_control(contract) : TW_OK;
}
