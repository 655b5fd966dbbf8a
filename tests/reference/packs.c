/* packs -- the taking in of readings in the reference: LANGUAGE sections 4 and 5, one reading after
 * another, each change written to the state at once. */
#include "tests/reference/machine.h"

#include <string.h>

enum { PAGE_WORDS = (TW_SAMPLES_MAX / REF_PAGE_SAMPLES + 63) / 64 + 1 };

typedef struct pack {
    reference *r;
    const tw_account *device;
    int64_t now;
    uint8_t *record; /* a copy of the device's */
    size_t size;
    uint64_t gas;
    uint32_t looks;                            /* at pages, each counted once */
    uint64_t met[TW_READINGS_MAX][PAGE_WORDS]; /* bit p: page p of the reading's window */
    uint64_t accepted;                         /* bit i: of reading i */
    tw_intake *result;
} pack;

static tw_key record_key(const pack *p)
{
    tw_key key = tw_key_of(TW_SPACE_DEVICE, &p->r->c->id);
    tw_key_raw(&key, p->device->bytes, 32);
    return key;
}

static tw_status put_record(const pack *p)
{
    const tw_key key = record_key(p);
    return ref_put(p->r, &key, tw_bytes_of(p->record, p->size));
}

static tw_key page_key(const pack *p, uint16_t reading, uint64_t number)
{
    const uint32_t pages = ref_pages(p->r->m->readings[reading].keep);
    tw_key key = tw_key_of(TW_SPACE_WINDOW, &p->r->c->id);
    tw_key_u8(&key, (uint8_t)reading);
    tw_key_raw(&key, p->device->bytes, 32);
    tw_key_u16(&key, (uint16_t)(number / REF_PAGE_SAMPLES % pages));
    return key;
}

static tw_status get_page(pack *p, uint16_t reading, uint64_t number, tw_bytes *ret_page,
                          bool *ret_found)
{
    const tw_key key = page_key(p, reading, number);
    const uint64_t page = number / REF_PAGE_SAMPLES % ref_pages(p->r->m->readings[reading].keep);
    uint64_t *met = &p->met[reading][page / 64];
    p->looks += (*met >> page % 64 & 1) == 0;
    *met |= (uint64_t)1 << page % 64;
    return ref_get(p->r, &key, ret_page, ret_found);
}

static int64_t load(const pack *p, size_t at)
{
    return (int64_t)tw_load_u64(p->record + at);
}

/* ---- checks ---- */

/* How many of the readings kept were taken in (time - P, time]: counted one by one. */
static tw_status in_period(pack *p, const tw_pack_reading *item, uint64_t *ret_count)
{
    const tw_reading *of = &p->r->m->readings[item->reading];
    uint64_t number = (uint64_t)load(p, tw_device_reading(item->reading));
    const uint64_t first = number > of->keep ? number - of->keep : 0;
    *ret_count = 0;
    while (number-- > first) {
        tw_bytes value;
        bool found = false;
        TW_TRY(get_page(p, item->reading, number, &value, &found));
        if (!found) return TW_ERR_CORRUPT;
        const uint8_t *at = value.data + 1 + 16 * (number % REF_PAGE_SAMPLES);
        if ((int64_t)tw_load_u64(at) <= item->time - of->rate_ms) return TW_OK;
        if (++*ret_count == of->rate_count) return TW_OK;
    }
    return TW_OK;
}

static tw_status reason_of(pack *p, const tw_pack_reading *item, tw_refusal *ret_reason)
{
    const tw_module *m = p->r->m;
    const tw_reading *of = &m->readings[item->reading];
    uint64_t before = 0;
    *ret_reason = TW_REFUSAL_FIELD;
    if (item->reading >= m->reading_count) return TW_OK;
    if (((uint64_t)load(p, TW_DEVICE_ROLES) >> of->role & 1) == 0) return TW_OK;
    const size_t at = tw_device_reading(item->reading);
    *ret_reason = TW_REFUSAL_ORDER;
    if (load(p, at) > 0 && item->time < load(p, at + 8)) return TW_OK;
    *ret_reason = TW_REFUSAL_AGE;
    if (p->now - item->time > of->age_max_ms) return TW_OK;
    *ret_reason = TW_REFUSAL_RANGE;
    if (item->value < of->low || item->value > of->high) return TW_OK;
    TW_TRY(in_period(p, item, &before));
    *ret_reason = before >= of->rate_count ? TW_REFUSAL_RATE : TW_REFUSAL_NONE;
    return TW_OK;
}

/* ---- what follows an accepted reading ---- */

static void stamps(pack *p, const tw_pack_reading *item)
{
    const tw_module *m = p->r->m;
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        const tw_stamp *stamp = &m->stamps[i];
        const size_t at = tw_device_stamp(m, i);
        if (stamp->reading != item->reading) continue;
        const int64_t low = p->r->c->deployed[stamp->low];
        bool is = stamp->kind == TW_STAMP_BELOW ? item->value < low : item->value > low;
        if (stamp->kind == TW_STAMP_WITHIN) {
            is = item->value >= low && item->value <= p->r->c->deployed[stamp->high];
        }
        p->gas += TW_GAS_STAMP;
        const bool paused = item->time - load(p, at + 8) > m->readings[item->reading].gap_ms;
        const bool begins = load(p, at) == TW_NEVER || paused;
        if (!is) tw_store_u64(p->record + at, (uint64_t)TW_NEVER);
        if (is && begins) tw_store_u64(p->record + at, (uint64_t)item->time);
        tw_store_u64(p->record + at + 8, is ? (uint64_t)item->time : 0);
    }
}

static tw_status window(pack *p, const tw_pack_reading *item)
{
    const size_t at = tw_device_reading(item->reading);
    const uint64_t number = (uint64_t)load(p, at);
    const tw_key key = page_key(p, item->reading, number);
    uint8_t page[REF_PAGE_SIZE] = {TW_STATE_TAG};
    tw_bytes value;
    bool found = false;
    TW_TRY(get_page(p, item->reading, number, &value, &found));
    if (found) memcpy(page, value.data, sizeof page);
    tw_store_u64(page + 1 + 16 * (number % REF_PAGE_SAMPLES), (uint64_t)item->time);
    tw_store_u64(page + 9 + 16 * (number % REF_PAGE_SAMPLES), (uint64_t)item->value);
    tw_store_u64(p->record + at, number + 1);
    tw_store_u64(p->record + at + 8, (uint64_t)item->time);
    return ref_put(p->r, &key, tw_bytes_of(page, sizeof page));
}

/* Does some phase have a handler for the edge? */
static bool has_handler(const tw_module *m, uint16_t alarm, tw_edge edge)
{
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const uint8_t kind = edge == TW_EDGE_RAISED ? TW_ENTRY_RAISED : TW_ENTRY_CLEARED;
        if (m->entries[i].kind == kind && m->entries[i].of == alarm) return true;
    }
    return false;
}

/* A clear that meets a pending raise removes both; else the newer edge replaces the older one, and
 * one that no handler takes is dropped. */
static void edge(pack *p, uint16_t alarm, int64_t time)
{
    tw_alarm_state *a = &p->r->c->control.alarms[alarm];
    const tw_edge now = a->up ? TW_EDGE_CLEARED : TW_EDGE_RAISED;
    const bool both_go = now == TW_EDGE_CLEARED && a->edge == TW_EDGE_RAISED;
    const bool stays = !both_go && has_handler(p->r->m, alarm, now);
    *a = (tw_alarm_state){.up = !a->up,
                          .edge = stays ? (uint8_t)now : TW_EDGE_NONE,
                          .time = stays ? time : 0,
                          .due = stays ? time : 0,
                          .indexed = a->indexed};
    p->r->c->control_changed = true;
    p->result->edges[p->result->edge_count++] = (tw_edge_note){alarm, (uint8_t)now, time};
}

static tw_status alarms(pack *p, const tw_pack_reading *item)
{
    tw_contract *c = p->r->c;
    for (uint16_t i = 0; i < p->r->m->alarm_count; i++) {
        const tw_alarm *alarm = &p->r->m->alarms[i];
        const uint16_t function = c->control.alarms[i].up ? alarm->clear : alarm->raise;
        tw_bounds used;
        bool holds = false;
        if ((alarm->readings >> item->reading & 1) == 0) continue;
        TW_TRY(reference_condition(p->r, c, function, item->time, &holds, &used));
        p->gas += TW_GAS_CONDITION + used.gas;
        if (holds) edge(p, i, item->time);
    }
    return TW_OK;
}

/* ---- packs ---- */

static tw_status take(pack *p, uint16_t place, const tw_pack_reading *item)
{
    tw_refusal reason = TW_REFUSAL_NONE;
    p->gas += TW_GAS_INTAKE;
    TW_TRY(reason_of(p, item, &reason));
    if (reason != TW_REFUSAL_NONE) {
        const size_t at = TW_DEVICE_REFUSED + 8 * (size_t)reason;
        tw_store_u64(p->record + at, (uint64_t)load(p, at) + 1);
        p->result->refused[p->result->refused_count++] = (tw_refused){place, (uint8_t)reason};
        return put_record(p);
    }
    TW_TRY(window(p, item));
    stamps(p, item);
    TW_TRY(put_record(p));
    p->accepted |= (uint64_t)1 << item->reading;
    p->result->accepted++;
    return alarms(p, item);
}

/* The timers of `silent` that have run are armed again by an accepted reading. */
static tw_status arm(pack *p)
{
    for (uint16_t i = 0; i < p->r->m->entry_count; i++) {
        const tw_entry *e = &p->r->m->entries[i];
        if (e->kind != TW_ENTRY_SILENT || (p->accepted >> e->of & 1) == 0) continue;
        if (p->r->c->control.timers[i].due != TW_NEVER) continue;
        int64_t since = p->r->c->deployed_at;
        for (size_t part = 8; part <= 16; part += 8) {
            const int64_t time = load(p, tw_device_reading(e->of) + part);
            if (time > since) since = time;
        }
        TW_TRY(ref_timer_set(p->r, i, ref_due(p->r, e, since)));
    }
    return TW_OK;
}

tw_status reference_intake(reference *r, const tw_contract *contract, const tw_account *device,
                           const tw_pack_reading *readings, uint16_t count, int64_t now,
                           tw_intake *ret_intake, tw_contract **ret_after, tw_bounds *ret_used)
{
    pack p = {.r = r, .device = device, .now = now, .result = ret_intake};
    const tw_module *m = contract->code->module;
    tw_contract *c = NULL;
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_copy(r, contract, &c));
    TW_TRY(ref_start(r, c, NULL));
    *ret_intake =
        (tw_intake){.refused = TW_NEW_ARRAY(r->copies, tw_refused, count),
                    .edges = TW_NEW_ARRAY(r->copies, tw_edge_note, (size_t)count * m->alarm_count)};
    p.size = tw_device_size(m);
    p.record = TW_NEW_ARRAY(r->copies, uint8_t, p.size);
    if (tw_arena_failed(r->copies)) return TW_ERR_MEMORY;
    const tw_key key = record_key(&p);
    TW_TRY(ref_get(r, &key, &value, &found));
    if (!found || value.size != p.size) return TW_ERR_CORRUPT;
    memcpy(p.record, value.data, p.size);
    TW_TRY(put_record(&p));
    for (uint16_t i = 0; i < count; i++) TW_TRY(take(&p, i, &readings[i]));
    TW_TRY(arm(&p));
    TW_TRY(ref_pending(r));
    ret_intake->gas = p.gas;
    /* beside the pages the records of the contract and the device's */
    *ret_used =
        (tw_bounds){.gas = p.gas, .reads = p.looks + 3, .event_bytes = (uint32_t)r->notices.size};
    *ret_after = c;
    return c->control_changed ? ref_save_control(r) : TW_OK;
}
