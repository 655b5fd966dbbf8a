/* due -- what the clock starts: timers, and alarm edges that wait for their handler.
 *
 * At the start of a block first the timers in the order (due, contract, entry), then the edges in
 * the order (time, contract, alarm), as long as the block's budget for them lasts; the rest stays
 * due. A run that fails is undone, recorded with its error, and due again after 1 min, doubling to
 * 1 day.
 *
 * On a ledger that takes fees each of these runs is paid from its contract's fuel, and begins only
 * when that covers its worst case. One that is not covered leaves the index, so that no block looks
 * at it again for nothing, and says so in a receipt; the control record keeps its due time. Those
 * of its contract that come after it wait behind it. Fuel puts them back into the index; a tick
 * runs the first of the timers at its sender's cost; handlers also go with the next pack.
 */
#include "vm/ledger/node.h"

#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

typedef struct filed {
    int64_t due;
    tw_hash contract;
    uint16_t what; /* entry or alarm */
} filed;

/* The first key of an index whose due time is not later than `until`, at or after `from`. */
static tw_status first_filed(tw_ledger *l, tw_space space, const tw_key *from, int64_t until,
                             filed *ret_filed, bool *ret_found)
{
    const tw_key prefix = tw_key_start(space);
    tw_bytes key;
    tw_bytes value;
    TW_TRY(tw_overlay_next(l->overlay, tw_key_bytes(&prefix), tw_key_bytes(from), &key, &value,
                           ret_found));
    if (!*ret_found) return TW_OK;
    tw_reader r = tw_reader_of(key);
    (void)tw_read_u8(&r);
    ret_filed->due = tw_read_i64(&r);
    tw_read_copy(&r, ret_filed->contract.bytes, TW_HASH_SIZE);
    ret_filed->what = tw_read_u16(&r);
    if (!tw_reader_done(&r)) return TW_ERR_CORRUPT;
    *ret_found = ret_filed->due <= until;
    return TW_OK;
}

static tw_key filed_key(tw_space space, int64_t due, const tw_hash *contract, uint16_t what)
{
    tw_key key = tw_key_start(space);
    tw_key_u64(&key, (uint64_t)due);
    tw_key_raw(&key, contract->bytes, TW_HASH_SIZE);
    tw_key_u16(&key, what);
    return key;
}

static tw_key after(const filed *f, tw_space space)
{
    tw_key key = filed_key(space, f->due, &f->contract, f->what);
    tw_key_u8(&key, 0);
    return key;
}

static tw_status open_filed(tw_ledger *l, const filed *f, tw_contract **ret_contract, tw_err *err)
{
    bool found = false;
    TW_TRY(tw_node_contract(l, &f->contract, ret_contract, &found, err));
    return found ? TW_OK : TW_ERR_CORRUPT;
}

static bool runs_now(const tw_contract *c, const tw_entry *e)
{
    return (e->phases >> c->control.phase & 1) != 0;
}

static tw_status record(tw_ledger *l, tw_receipt_kind kind, const tw_run *run, int64_t fee)
{
    const tw_receipt receipt = {.kind = (uint8_t)kind, .run = *run, .fee = fee};
    return tw_node_add_receipt(l, &receipt);
}

/* A run of the clock: its contract's fuel pays, and it counts for the block. */
static tw_status record_paid(tw_ledger *l, tw_receipt_kind kind, const tw_run *run)
{
    int64_t fee = 0;
    TW_TRY(tw_node_fuel_pay(l, &run->contract, run->gas, &fee));
    l->gas_used += run->gas;
    return record(l, kind, run, fee);
}

/* A run that must wait for fuel. */
static tw_status record_waiting(tw_ledger *l, tw_receipt_kind kind, const tw_contract *c,
                                uint16_t entry)
{
    const tw_run run = {.contract = c->id, .entry = entry, .status = TW_TX_NO_FUEL};
    return record(l, kind, &run, 0);
}

/* When a timer that is filed under `filed_due` is due. That of `silent` may be filed under a time
 * that is too early, as readings have moved it since; one that is tried again has a time that is
 * later than its first. */
static tw_status due_of(tw_contract *c, uint16_t entry, int64_t filed_due, int64_t *ret_due)
{
    *ret_due = filed_due;
    if (c->code->module->entries[entry].kind != TW_ENTRY_SILENT) return TW_OK;
    int64_t due = 0;
    TW_TRY(tw_timer_silent_due(c, entry, &due));
    if (due > filed_due) *ret_due = due;
    return TW_OK;
}

/* A run failed: the timer is due again later. */
static tw_status retry_timer(tw_ledger *l, tw_contract *c, uint16_t entry, uint8_t attempts)
{
    const uint8_t more = attempts < UINT8_MAX ? (uint8_t)(attempts + 1) : attempts;
    TW_TRY(tw_timer_set(c, entry, l->time + tw_retry_delay(more)));
    c->control.timers[entry].attempts = more;
    return tw_contract_save_control(c);
}

/* What a timer that does not run takes from the budget: it is found and filed anew all the same,
 * and nobody has paid for that. Never more than the run, which is known to fit. */
static uint64_t moving_gas(const tw_contract *c, uint16_t entry)
{
    const uint64_t run = c->code->facts->entries[entry].gas;
    const uint64_t record = tw_cost_entry(c->code->module, TW_ENTRY_EVERY, 0).gas;
    return record < run ? record : run;
}

/* Runs a timer and arms it anew, whoever pays. *ret_ran false: it does not run in this phase. */
static tw_status fire(tw_ledger *l, tw_contract *c, uint16_t entry, tw_run *ret_run, bool *ret_ran)
{
    const tw_entry *e = &c->code->module->entries[entry];
    const bool every = e->kind == TW_ENTRY_EVERY;
    const uint8_t attempts = c->control.timers[entry].attempts;
    int64_t end = l->time;
    if (every)
        end = tw_timer_period(c, entry, l->time) -
              c->deployed[e->delay]; /* the latest that was due */
    TW_TRY(tw_timer_set(c, entry, every ? tw_timer_period(c, entry, l->time) : TW_NEVER));
    TW_TRY(tw_contract_save_control(c));
    *ret_ran = runs_now(c, e);
    if (!*ret_ran) return TW_OK; /* dropped; armed again by what arms its kind */
    const tw_call call = {.entry = entry, .now = l->time, .end = end, .open_end = every};
    tw_outcome outcome;
    TW_TRY(tw_exec_run(l->exec, c, &call, &outcome));
    TW_TRY(tw_node_run_of(l, c, entry, &outcome, ret_run));
    return ret_run->status == TW_OK ? TW_OK : retry_timer(l, c, entry, attempts);
}

static tw_status fire_filed(tw_ledger *l, tw_contract *c, uint16_t entry)
{
    tw_run run = {0};
    bool ran = false;
    TW_TRY(fire(l, c, entry, &run, &ran));
    if (ran) return record_paid(l, TW_RECEIPT_TIMER, &run);
    l->gas_used += moving_gas(c, entry);
    return TW_OK;
}

/* The timer of the contract that is due first: by its time, then as they stand on the page. */
static tw_status first_due(tw_contract *c, int64_t now, uint16_t *ret_entry, bool *ret_found)
{
    const tw_module *m = c->code->module;
    int64_t first = INT64_MAX;
    *ret_found = false;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        int64_t due = c->control.timers[i].due;
        if (due == TW_NEVER || due > now) continue;
        TW_TRY(due_of(c, i, due, &due));
        if (due == TW_NEVER || due > now || due >= first) continue;
        first = due;
        *ret_entry = i;
        *ret_found = true;
    }
    return TW_OK;
}

/* The contract's fuel covers the timer, and no earlier one waits for fuel. */
static tw_status timer_is_covered(tw_ledger *l, tw_contract *c, uint16_t entry, bool *ret_covered)
{
    uint16_t first = TW_NONE;
    bool found = false;
    *ret_covered = true;
    if (l->genesis.gas_price == 0) return TW_OK;
    TW_TRY(first_due(c, l->time, &first, &found));
    *ret_covered = found && first == entry;
    if (!*ret_covered) return TW_OK;
    return tw_node_fuel_covers(l, &c->id, c->code->facts->entries[entry].gas, ret_covered);
}

/* Out of the index until there is fuel. */
static tw_status park_timer(tw_ledger *l, const tw_contract *c, const filed *f)
{
    const tw_key key = filed_key(TW_SPACE_TIMER, f->due, &f->contract, f->what);
    l->gas_used += moving_gas(c, f->what);
    TW_TRY(tw_overlay_delete(l->overlay, tw_key_bytes(&key)));
    return record_waiting(l, TW_RECEIPT_TIMER, c, f->what);
}

/* One filed timer: run it, or file it anew when readings have moved it, even to a time that has
 * come, as others may be due before that. */
static tw_status run_timer(tw_ledger *l, const filed *f, bool *ret_stop, tw_err *err)
{
    tw_contract *c = NULL;
    TW_TRY(open_filed(l, f, &c, err));
    if (f->what >= c->code->module->entry_count) return TW_ERR_CORRUPT;
    int64_t due = 0;
    TW_TRY(due_of(c, f->what, f->due, &due));
    const bool runs = due == f->due && runs_now(c, &c->code->module->entries[f->what]);
    const uint64_t bound = runs ? c->code->facts->entries[f->what].gas : moving_gas(c, f->what);
    if (!tw_node_has_room(l, bound, l->genesis.timer_gas_max, 2)) {
        *ret_stop = true;
        return TW_OK;
    }
    bool covered = true;
    if (runs) TW_TRY(timer_is_covered(l, c, f->what, &covered));
    if (!covered) return park_timer(l, c, f);
    if (due == f->due) return fire_filed(l, c, f->what);
    l->gas_used += bound;
    TW_TRY(tw_timer_set(c, f->what, due));
    return tw_contract_save_control(c);
}

/* Runs the handler of a pending edge and says what became of the edge. */
static tw_status hand_over(tw_ledger *l, tw_contract *c, uint16_t alarm, tw_run *ret_run)
{
    const uint16_t entry = tw_pending_handler(c, alarm);
    const tw_alarm_state before = c->control.alarms[alarm];
    const tw_call call = {.entry = entry, .now = l->time, .end = before.time};
    tw_outcome outcome;
    assert(entry != TW_NONE);
    TW_TRY(tw_exec_run(l->exec, c, &call, &outcome));
    TW_TRY(tw_node_run_of(l, c, entry, &outcome, ret_run));
    tw_alarm_state *a = &c->control.alarms[alarm];
    if (ret_run->status == TW_OK) {
        a->edge = TW_EDGE_NONE;
        a->attempts = 0;
    } else {
        if (a->attempts < UINT8_MAX) a->attempts++;
        a->due = l->time + tw_retry_delay(a->attempts);
    }
    TW_TRY(tw_pending_index(c));
    return tw_contract_save_control(c);
}

/* The first edge of a contract that its run has brought before `f` in the order: it holds a phase
 * now that handles it. False when there is none. */
static bool edge_before(const tw_contract *c, const filed *f, filed *ret_edge)
{
    *ret_edge = *f;
    for (uint16_t i = 0; i < c->code->module->alarm_count; i++) {
        const int64_t due = c->control.alarms[i].indexed;
        if (due == TW_NEVER) continue;
        if (due < ret_edge->due || (due == ret_edge->due && i < ret_edge->what)) {
            ret_edge->due = due;
            ret_edge->what = i;
        }
    }
    return ret_edge->due != f->due || ret_edge->what != f->what;
}

/* An edge that has a handler now, and is not in the index, waits for fuel. */
bool tw_ledger_edge_waits(const tw_contract *c, uint16_t alarm)
{
    const tw_alarm_state *a = &c->control.alarms[alarm];
    return a->indexed == TW_NEVER && tw_pending_handler(c, alarm) != TW_NONE;
}

static tw_status edge_is_covered(tw_ledger *l, const tw_contract *c, uint64_t bound,
                                 bool *ret_covered)
{
    *ret_covered = true;
    if (l->genesis.gas_price == 0) return TW_OK;
    for (uint16_t i = 0; i < c->code->module->alarm_count && *ret_covered; i++) {
        *ret_covered = !tw_ledger_edge_waits(c, i);
    }
    if (!*ret_covered) return TW_OK;
    return tw_node_fuel_covers(l, &c->id, bound, ret_covered);
}

static tw_status park_edge(tw_ledger *l, tw_contract *c, uint16_t alarm, uint16_t entry)
{
    tw_alarm_state *a = &c->control.alarms[alarm];
    const tw_key key = filed_key(TW_SPACE_PENDING, a->indexed, &c->id, alarm);
    l->gas_used += moving_gas(c, entry);
    a->indexed = TW_NEVER;
    c->control_changed = true;
    TW_TRY(tw_overlay_delete(l->overlay, tw_key_bytes(&key)));
    TW_TRY(tw_contract_save_control(c));
    return record_waiting(l, TW_RECEIPT_HANDLER, c, entry);
}

static tw_status run_edge(tw_ledger *l, tw_contract *c, const filed *f, bool *ret_stop)
{
    if (f->what >= c->code->module->alarm_count) return TW_ERR_CORRUPT;
    const uint16_t entry = tw_pending_handler(c, f->what);
    if (entry == TW_NONE) return TW_ERR_CORRUPT; /* the index names edges with a handler only */
    const uint64_t bound = c->code->facts->entries[entry].gas;
    if (!tw_node_has_room(l, bound, l->genesis.timer_gas_max, 2)) {
        *ret_stop = true;
        return TW_OK;
    }
    bool covered = true;
    TW_TRY(edge_is_covered(l, c, bound, &covered));
    if (!covered) return park_edge(l, c, f->what, entry);
    tw_run run = {0};
    TW_TRY(hand_over(l, c, f->what, &run));
    return record_paid(l, TW_RECEIPT_HANDLER, &run);
}

/* One filed edge, and after it those of its contract that go before it since its run. Runs of one
 * contract file nothing of another. */
static tw_status run_edges(tw_ledger *l, const filed *f, bool *ret_stop, tw_err *err)
{
    tw_contract *c = NULL;
    TW_TRY(open_filed(l, f, &c, err));
    filed next = *f;
    bool more = true;
    while (more && !*ret_stop) {
        TW_TRY(run_edge(l, c, &next, ret_stop));
        more = edge_before(c, f, &next);
    }
    return TW_OK;
}

/* Each index is walked once, from its first key on: what a run files anew comes later, but for
 * edges, whose own contract is looked at. To start again from the first key after each run would
 * pass over all that was taken out of the index before. */
static tw_status run_index(tw_ledger *l, tw_space space, tw_err *err)
{
    tw_key from = tw_key_start(space);
    bool stop = false;
    while (!stop) {
        filed f;
        bool found = false;
        TW_TRY(first_filed(l, space, &from, l->time, &f, &found));
        if (!found) return TW_OK;
        tw_arena_clear(l->arena);
        from = after(&f, space);
        TW_TRY(space == TW_SPACE_TIMER ? run_timer(l, &f, &stop, err)
                                       : run_edges(l, &f, &stop, err));
    }
    return TW_OK;
}

tw_status tw_node_run_due(tw_ledger *l, tw_err *err)
{
    TW_TRY(run_index(l, TW_SPACE_TIMER, err));
    return run_index(l, TW_SPACE_PENDING, err);
}

/* The pending edge to hand over next: the earliest, then the first declared. */
static uint16_t next_edge(const tw_contract *c, int64_t now, uint64_t tried)
{
    uint16_t best = TW_NONE;
    for (uint16_t i = 0; i < c->code->module->alarm_count; i++) {
        const tw_alarm_state *a = &c->control.alarms[i];
        if ((tried >> i & 1) != 0 || tw_pending_handler(c, i) == TW_NONE || a->due > now) continue;
        if (best == TW_NONE || a->time < c->control.alarms[best].time) best = i;
    }
    return best;
}

tw_status tw_node_run_handlers(tw_ledger *l, tw_contract *c, tw_receipt *receipt)
{
    uint64_t tried = 0;
    uint16_t alarm = next_edge(c, l->time, tried);
    if (alarm == TW_NONE) return TW_OK;
    receipt->handlers = TW_NEW_ARRAY(l->arena, tw_run, c->code->module->alarm_count);
    if (receipt->handlers == NULL) return TW_ERR_MEMORY;
    for (; alarm != TW_NONE; alarm = next_edge(c, l->time, tried)) {
        tried |= (uint64_t)1 << alarm;
        tw_run *run = &receipt->handlers[receipt->handler_count++];
        TW_TRY(hand_over(l, c, alarm, run));
        receipt->run.gas += run->gas;
    }
    return TW_OK;
}

tw_status tw_node_timer_is_due(tw_contract *c, int64_t now, bool *ret_due)
{
    uint16_t entry = TW_NONE;
    return first_due(c, now, &entry, ret_due);
}

/* ---- ticks, and fuel that comes ---- */

tw_status tw_node_tick_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    tw_contract *c = NULL;
    bool found = false;
    *ret_gas = 0;
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    for (uint16_t i = 0; found && i < c->code->module->entry_count; i++) {
        const uint64_t gas = c->code->facts->entries[i].gas;
        if (tw_entry_is_timer(&c->code->module->entries[i]) && gas > *ret_gas) *ret_gas = gas;
    }
    return TW_OK;
}

/* What the timer does stands as a run of its own, so that one that fails has been tried all the
 * same: the tick has done what it is for. */
tw_status tw_node_tick(tw_ledger *l, const tw_tx *tx, tw_receipt *receipt, tw_err *err)
{
    tw_contract *c = NULL;
    uint16_t entry = TW_NONE;
    bool found = false;
    bool ran = false;
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    receipt->run.status = TW_TX_NO_CONTRACT;
    if (!found) return TW_OK;
    receipt->run.contract = c->id;
    receipt->run.status = TW_TX_NOT_DUE;
    TW_TRY(first_due(c, l->time, &entry, &found));
    if (!found) return TW_OK;
    tw_run *run = TW_NEW(l->arena, tw_run);
    if (run == NULL) return TW_ERR_MEMORY;
    TW_TRY(fire(l, c, entry, run, &ran));
    receipt->run.status = TW_OK;
    receipt->run.gas += ran ? run->gas : moving_gas(c, entry);
    receipt->handlers = run;
    receipt->handler_count = ran ? 1 : 0;
    return TW_OK;
}

uint64_t tw_node_filing_gas(const tw_module *m)
{
    return tw_cost_read(m->timer_count, m->timer_count) +
           tw_cost_write((uint64_t)m->timer_count + m->alarm_count + 1, tw_size_control(m));
}

tw_status tw_ledger_timer_waits(tw_ledger *l, const tw_contract *c, uint16_t entry, bool *ret_waits)
{
    const int64_t due = c->control.timers[entry].due;
    tw_bytes value;
    bool there = false;
    *ret_waits = false;
    if (due == TW_NEVER) return TW_OK;
    const tw_key key = filed_key(TW_SPACE_TIMER, due, &c->id, entry);
    TW_TRY(tw_overlay_get(l->overlay, tw_key_bytes(&key), &value, &there));
    *ret_waits = !there;
    return TW_OK;
}

/* Only what is due already can have been left out. */
static tw_status file_timers(tw_ledger *l, const tw_contract *c, uint64_t *gas)
{
    static const uint8_t mark[1] = {TW_STATE_TAG};
    for (uint16_t i = 0; i < c->code->module->entry_count; i++) {
        const int64_t due = c->control.timers[i].due;
        bool waits = false;
        if (due == TW_NEVER || due > l->time) continue;
        *gas += tw_cost_read(1, sizeof mark);
        TW_TRY(tw_ledger_timer_waits(l, c, i, &waits));
        if (!waits) continue;
        *gas += tw_cost_write(1, 0);
        const tw_key key = filed_key(TW_SPACE_TIMER, due, &c->id, i);
        TW_TRY(tw_overlay_put(l->overlay, tw_key_bytes(&key), tw_bytes_of(mark, sizeof mark)));
    }
    return TW_OK;
}

tw_status tw_node_file_again(tw_ledger *l, tw_contract *c, uint64_t *gas)
{
    uint64_t edges = 0;
    TW_TRY(file_timers(l, c, gas));
    for (uint16_t i = 0; i < c->code->module->alarm_count; i++) {
        edges += tw_ledger_edge_waits(c, i);
    }
    if (edges == 0) return TW_OK;
    *gas += tw_cost_write(edges + 1, tw_size_control(c->code->module));
    TW_TRY(tw_pending_index(c));
    return tw_contract_save_control(c);
}

/* Filed times may be too early for `silent`, so later keys are looked at until they can't be
 * earlier than the best that was found. */
static tw_status next_timer(tw_ledger *l, int64_t *best)
{
    tw_key from = tw_key_start(TW_SPACE_TIMER);
    for (;;) {
        filed f;
        bool found = false;
        TW_TRY(first_filed(l, TW_SPACE_TIMER, &from, *best, &f, &found));
        if (!found || f.due >= *best) return TW_OK;
        tw_arena_clear(l->arena);
        tw_contract *c = NULL;
        tw_err err;
        TW_TRY(open_filed(l, &f, &c, &err));
        int64_t due = 0;
        TW_TRY(due_of(c, f.what, f.due, &due));
        if (due < *best) *best = due;
        from = after(&f, TW_SPACE_TIMER);
    }
}

tw_status tw_ledger_next_due(tw_ledger *l, int64_t *ret_due, bool *ret_found)
{
    assert(!l->open);
    int64_t best = INT64_MAX;
    tw_arena_clear(l->arena);
    TW_TRY(next_timer(l, &best));
    tw_key from = tw_key_start(TW_SPACE_PENDING); /* those before the head go with any next block */
    tw_key_u64(&from, (uint64_t)l->head.time + 1);
    filed f;
    bool found = false;
    TW_TRY(first_filed(l, TW_SPACE_PENDING, &from, best, &f, &found));
    if (found && f.due < best) best = f.due;
    *ret_found = best != INT64_MAX;
    if (*ret_found) *ret_due = best;
    return TW_OK;
}
