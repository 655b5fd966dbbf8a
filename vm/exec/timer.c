/* timer -- the index of what is to run when, and of alarm edges that wait for their handler.
 *
 * A key in TW_SPACE_TIMER names (due, contract, entry), so the order of the keys is the order in
 * which a block runs them. The control record knows the due time under which each is filed. The
 * timer of `silent` is filed under a time that may be too early: readings accepted since then have
 * moved it, and whoever comes to it looks again (tw_timer_silent_due) and files it anew, which
 * saves two writes a pack.
 */
#include "vm/exec/device.h"

#include <assert.h>

static const int64_t minute_ms = 60 * 1000;
static const int64_t day_ms = 24 * 60 * 60 * (int64_t)1000;
static const uint8_t filed[1] = {TW_STATE_TAG};

static tw_key index_key(tw_space space, const tw_contract *c, int64_t due, uint16_t what)
{
    tw_key key = tw_key_start(space);
    tw_key_u64(&key, (uint64_t)due);
    tw_key_raw(&key, c->id.bytes, sizeof c->id.bytes);
    tw_key_u16(&key, what);
    return key;
}

/* Moves the key of `what` from one due time to another; TW_NEVER is no key. */
static tw_status move(tw_contract *c, tw_space space, uint16_t what, int64_t from, int64_t to)
{
    if (from == to) return TW_OK;
    c->control_changed = true;
    if (from != TW_NEVER) {
        const tw_key key = index_key(space, c, from, what);
        TW_TRY(tw_overlay_delete(c->overlay, tw_key_bytes(&key)));
    }
    if (to == TW_NEVER) return TW_OK;
    const tw_key key = index_key(space, c, to, what);
    return tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_bytes_of(filed, sizeof filed));
}

int64_t tw_retry_delay(uint8_t attempts)
{
    int64_t delay = minute_ms;
    for (uint8_t i = 1; i < attempts && delay < day_ms; i++) delay *= 2;
    return delay < day_ms ? delay : day_ms;
}

tw_status tw_timer_set(tw_contract *c, uint16_t entry, int64_t due)
{
    tw_timer_state *timer = &c->control.timers[entry];
    TW_TRY(move(c, TW_SPACE_TIMER, entry, timer->due, due));
    if (timer->attempts != 0) c->control_changed = true;
    timer->due = due;
    timer->attempts = 0;
    return TW_OK;
}

/* A sum of two times below 2^52 each does not overflow; one from a damaged record wraps. While a
 * deploy runs the delay may be anything: then there is no timer yet, and the ledger refuses what is
 * no time afterwards. */
static int64_t due_after(const tw_contract *c, const tw_entry *e, int64_t from)
{
    const int64_t delay = c->deployed[e->delay];
    const bool is_time = delay >= 1 && delay < (int64_t)1 << TW_RANGE_BITS;
    return is_time ? (int64_t)((uint64_t)from + (uint64_t)delay) : TW_NEVER;
}

tw_status tw_timer_phase(tw_contract *c, int64_t now)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != TW_ENTRY_AFTER) continue;
        const bool runs = (e->phases >> c->control.phase & 1) != 0;
        TW_TRY(tw_timer_set(c, i, runs ? due_after(c, e, now) : TW_NEVER));
    }
    return TW_OK;
}

tw_status tw_timer_silent_due(tw_contract *c, uint16_t entry, int64_t *ret_due)
{
    const tw_entry *e = &c->code->module->entries[entry];
    const uint16_t role = c->code->module->readings[e->of].role;
    int64_t since = c->deployed_at;
    uint32_t count = 0;
    tw_account holder;
    TW_TRY(tw_role_read(c, role, &count, &holder));
    if (count > 0) {
        const uint8_t *record = NULL;
        bool found = false;
        TW_TRY(tw_device_get(c, &holder, &record, &found));
        if (!found) return TW_ERR_CORRUPT;
        const int64_t heard = tw_device_heard(record, e->of);
        if (heard > since) since = heard;
    }
    *ret_due = due_after(c, e, since);
    return TW_OK;
}

tw_status tw_timer_falls(tw_contract *c, uint16_t entry, bool filled, int64_t now)
{
    const tw_entry *e = &c->code->module->entries[entry];
    return tw_timer_set(c, entry, filled ? due_after(c, e, now) : TW_NEVER);
}

tw_status tw_timer_deploy(tw_contract *c)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != TW_ENTRY_EVERY && e->kind != TW_ENTRY_SILENT) continue;
        TW_TRY(tw_timer_set(c, i, due_after(c, e, c->deployed_at)));
    }
    return tw_timer_phase(c, c->deployed_at);
}

int64_t tw_timer_period(const tw_contract *c, uint16_t entry, int64_t now)
{
    const int64_t delay = c->deployed[c->code->module->entries[entry].delay];
    return c->deployed_at + ((now - c->deployed_at) / delay + 1) * delay;
}

/* When the timer of an entry is due after an upgrade. What is due already waits for the next
 * millisecond, so that actions of the block need not wait for it. */
static tw_status upgrade_due(tw_contract *c, uint16_t entry, int64_t now, int64_t *ret_due)
{
    const tw_module *m = c->code->module;
    const tw_entry *e = &m->entries[entry];
    *ret_due = TW_NEVER;
    if (e->kind == TW_ENTRY_EVERY) *ret_due = tw_timer_period(c, entry, now);
    if (e->kind == TW_ENTRY_SILENT) TW_TRY(tw_timer_silent_due(c, entry, ret_due));
    if (e->kind == TW_ENTRY_AFTER && (e->phases >> c->control.phase & 1) != 0) {
        *ret_due = due_after(c, e, c->control.phase_since);
    }
    if (e->kind == TW_ENTRY_FALLS) {
        const tw_key key = tw_purse_key(&c->id, &m->purses[e->of], NULL);
        int64_t amount = 0;
        TW_TRY(tw_bank_amount(c->overlay, &key, &amount));
        if (amount > 0) *ret_due = due_after(c, e, now);
    }
    if (*ret_due != TW_NEVER && *ret_due <= now) *ret_due = now + 1;
    return TW_OK;
}

tw_status tw_timer_upgrade(tw_contract *c, int64_t now)
{
    for (uint16_t i = 0; i < c->code->module->entry_count; i++) {
        int64_t due = 0;
        TW_TRY(upgrade_due(c, i, now, &due));
        TW_TRY(tw_timer_set(c, i, due));
    }
    return TW_OK;
}

uint16_t tw_pending_handler(const tw_contract *c, uint16_t alarm)
{
    const tw_module *m = c->code->module;
    const uint8_t edge = c->control.alarms[alarm].edge;
    if (edge == TW_EDGE_NONE) return TW_NONE;
    const tw_entry_kind kind = edge == TW_EDGE_RAISED ? TW_ENTRY_RAISED : TW_ENTRY_CLEARED;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind == kind && e->of == alarm && (e->phases >> c->control.phase & 1) != 0) return i;
    }
    return TW_NONE;
}

bool tw_pending_wanted(const tw_module *m, uint16_t alarm, tw_edge edge)
{
    const tw_entry_kind kind = edge == TW_EDGE_RAISED ? TW_ENTRY_RAISED : TW_ENTRY_CLEARED;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (m->entries[i].kind == kind && m->entries[i].of == alarm) return true;
    }
    return false;
}

tw_status tw_pending_index(tw_contract *c)
{
    for (uint16_t i = 0; i < c->code->module->alarm_count; i++) {
        tw_alarm_state *a = &c->control.alarms[i];
        const int64_t due = tw_pending_handler(c, i) != TW_NONE ? a->due : TW_NEVER;
        TW_TRY(move(c, TW_SPACE_PENDING, i, a->indexed, due));
        a->indexed = due;
    }
    return TW_OK;
}
