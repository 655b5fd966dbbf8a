/* native -- instructions that reach beyond the frame: phase, roles, readings, notices.
 *
 * Each gets operands that the verifier has placed inside the frame and the module's tables; what it
 * can't know is checked here: that a value written is one of its type, that a key exists.
 */
#include "vm/exec/machine.h"
#include "vm/exec/notice.h"
#include "vm/exec/window.h"

#include "vm/isa/value.h"
#include "vm/verify/cost.h"

#include <string.h>

tw_status tw_native_GO(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)s;
    x->contract->control.phase = (uint16_t)i->x;
    x->contract->control.phase_since = x->call->now;
    x->contract->control_changed = true;
    x->phase_changed = true;
    return TW_OK;
}

/* ---- roles ---- */

tw_status tw_native_MEMBER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account account = tw_slots_account(s + i->b);
    bool member = false;
    TW_TRY(tw_role_has(x->contract, (uint16_t)i->x, &account, &member));
    s[i->a] = member;
    return TW_OK;
}

tw_status tw_native_SIGNED(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account account = tw_slots_account(s + i->b);
    bool has_signed = false;
    for (uint16_t k = 0; k < x->call->signer_count; k++) {
        has_signed = has_signed || tw_account_equal(&account, &x->call->signers[k]);
    }
    s[i->a] = has_signed;
    x->gas += x->call->signer_count * (uint64_t)TW_GAS_SIGNER;
    return TW_OK;
}

tw_status tw_native_SIGNERS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    int64_t count = 0;
    for (uint16_t k = 0; k < x->call->signer_count; k++) {
        bool member = false;
        TW_TRY(tw_role_has(x->contract, (uint16_t)i->x, &x->call->signers[k], &member));
        count += member;
    }
    s[i->a] = count;
    const uint64_t looked = x->call->signer_count;
    x->gas += tw_cost_read(looked, 64 * looked) + looked * TW_GAS_SIGNER;
    return TW_OK;
}

tw_status tw_native_GRANT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account account = tw_slots_account(s + i->b);
    x->window_open = false;
    TW_TRY(tw_role_grant(x->contract, (uint16_t)i->x, &account, x->call->now));
    return tw_purse_role_changed(x, (uint16_t)i->x, &account, true);
}

tw_status tw_native_REVOKE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account account = tw_slots_account(s + i->b);
    x->window_open = false;
    TW_TRY(tw_role_revoke(x->contract, (uint16_t)i->x, &account, x->call->now));
    return tw_purse_role_changed(x, (uint16_t)i->x, &account, false);
}

tw_status tw_native_HOLDER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t count = 0;
    tw_account holder;
    TW_TRY(tw_role_read(x->contract, (uint16_t)i->x, &count, &holder));
    memset(s + i->a, 0, 5 * sizeof *s);
    if (count == 0) return TW_OK;
    s[i->a] = 1;
    tw_slots_from_bytes32(holder.bytes, s + i->a + 1);
    return TW_OK;
}

/* ---- readings ---- */

/* The device whose window is meant: named in four slots, or the one member of the reading's role.
 */
static tw_status device_of(tw_exec *x, const int64_t *named, uint16_t reading, bool *ret_found,
                           tw_account *ret_account)
{
    const tw_reading *r = &tw_exec_module(x)->readings[reading];
    *ret_found = true;
    if (r->per_device) {
        *ret_account = tw_slots_account(named);
        return TW_OK;
    }
    uint32_t count = 0;
    TW_TRY(tw_role_read(x->contract, r->role, &count, ret_account));
    *ret_found = count > 0;
    return TW_OK;
}

static tw_stat_query query_of(const tw_exec *x, const int64_t *s, const tw_insn *i)
{
    const tw_stat stat = (tw_stat)(i->x >> 10);
    return (tw_stat_query){.stat = stat,
                           .span = s[i->b],
                           .percent = stat == TW_STAT_PERCENTILE ? s[i->b + 1] : 0,
                           .end = x->call->end,
                           .open_end = x->call->open_end};
}

static tw_status answer(tw_status status, int64_t *slots, bool some, int64_t value)
{
    if (status != TW_OK) return status;
    slots[0] = some;
    slots[1] = value;
    return TW_OK;
}

tw_status tw_native_STAT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const uint16_t reading = (uint16_t)(i->x & 1023);
    const tw_stat_query query = query_of(x, s, i);
    const bool per_device = tw_exec_module(x)->readings[reading].per_device;
    tw_window *window = &x->window;
    if (!x->window_open || window->reading != reading) { /* never one per device */
        tw_account account = {{0}};
        bool found = false;
        TW_TRY(device_of(x, s + i->c, reading, &found, &account));
        TW_TRY(tw_window_open(x->contract, reading, &account, window));
        x->window_open = !per_device;
        window->priced = per_device;
    }
    bool some = false;
    int64_t value = 0;
    uint64_t samples = 0;
    const tw_status status = tw_window_stat(window, &query, x->scratch, &some, &value, &samples);
    x->gas += tw_cost_stat(query.stat, samples);
    if (x->stat_of != reading) x->gas += TW_GAS_STAT_OPEN;
    x->stat_of = reading;
    if (per_device) {
        x->gas += tw_cost_window(tw_window_met(window), tw_device_size(tw_exec_module(x)));
    }
    return answer(status, s + i->a, some, value);
}

tw_status tw_native_ACROSS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const uint16_t reading = (uint16_t)(i->x & 1023);
    const tw_stat_query query = query_of(x, s, i);
    bool some = false;
    int64_t value = 0;
    tw_across_met met = {0};
    const tw_status status =
        tw_window_across(x->contract, reading, &query, x->scratch, &some, &value, &met);
    x->gas += tw_cost_stat(query.stat, met.samples) +
              met.devices * (tw_cost_read(1, 0) + TW_GAS_STAT) +
              met.devices * tw_cost_window(0, tw_device_size(tw_exec_module(x))) +
              tw_cost_read(1 + met.pages, met.pages * TW_PAGE_SIZE);
    return answer(status, s + i->a, some, value);
}

tw_status tw_native_HOLDS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = tw_exec_module(x);
    const tw_stamp *stamp = &m->stamps[i->x];
    const int64_t duration = s[i->b];
    tw_account account = {{0}};
    bool found = false;
    const uint8_t *record = NULL;
    TW_TRY(device_of(x, s + i->c, stamp->reading, &found, &account));
    s[i->a] = 0;
    if (found) TW_TRY(tw_device_get(x->contract, &account, &record, &found));
    if (!found) return TW_OK;
    const uint8_t *at = record + tw_device_stamp(m, (uint16_t)i->x);
    const uint64_t since = tw_load_u64(at);
    const uint64_t last = tw_load_u64(at + 8);
    if (since == (uint64_t)TW_NEVER) return TW_OK;
    const int64_t age = (int64_t)((uint64_t)x->call->end - last); /* wraps if they are damaged */
    const bool fresh = age <= m->readings[stamp->reading].age_max_ms;
    s[i->a] = (int64_t)(last - since) >= duration && fresh;
    return TW_OK;
}

tw_status tw_native_SILENT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const uint16_t reading = (uint16_t)i->x;
    const int64_t duration = s[i->b];
    int64_t since = x->contract->deployed_at;
    tw_account account = {{0}};
    bool found = false;
    const uint8_t *record = NULL;
    TW_TRY(device_of(x, s + i->c, reading, &found, &account));
    if (found) TW_TRY(tw_device_get(x->contract, &account, &record, &found));
    if (found) {
        const int64_t heard = tw_device_heard(record, reading);
        if (heard > since) since = heard;
    }
    s[i->a] = (int64_t)((uint64_t)x->call->end - (uint64_t)since) >= duration;
    return TW_OK;
}

/* ---- notices ---- */

static tw_status encode_fields(tw_exec *x, const tw_members *members, const int64_t *slots,
                               tw_writer *w)
{
    tw_writer_clear(w);
    x->gas += members->slots * TW_GAS_SLOT;
    TW_TRY(tw_members_encode(tw_exec_module(x), members, slots, w));
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}

tw_status tw_native_EMIT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    TW_TRY(encode_fields(x, &tw_exec_module(x)->events[i->x].members, s + i->a, &x->value));
    x->gas += tw_cost_notice(TW_NOTICE_SIZE + x->value.size);
    tw_notice_write_event(&x->notices, (uint16_t)i->x, tw_writer_bytes(&x->value));
    x->events++;
    return x->notices.bad ? TW_ERR_MEMORY : TW_OK;
}

tw_status tw_native_HISTORY(tw_exec *x, int64_t *s, const tw_insn *i)
{
    tw_control *control = &x->contract->control;
    TW_TRY(encode_fields(x, &tw_exec_module(x)->histories[i->x].members, s + i->a, &x->value));
    tw_notice_view entry = {.index = (uint16_t)i->x,
                            .number = control->history_count,
                            .time = x->call->now,
                            .transaction = x->call->transaction,
                            .before = control->history_head,
                            .fields = tw_writer_bytes(&x->value)};
    if (x->call->signer_count > 0) entry.caller = x->call->signers[0];
    tw_notice_write_history(&x->notices, &entry, &control->history_head);
    const uint64_t bytes = TW_HISTORY_SIZE + x->value.size;
    x->gas += tw_cost_notice(bytes) + tw_cost_hash(bytes);
    control->history_count++;
    x->contract->control_changed = true;
    x->histories++;
    return x->notices.bad ? TW_ERR_MEMORY : TW_OK;
}

tw_status tw_native_FAIL(tw_exec *x, int64_t *s, const tw_insn *i)
{
    TW_TRY(encode_fields(x, &tw_exec_module(x)->errors[i->x].members, s + i->a, &x->fields));
    x->gas += tw_cost_notice(TW_NOTICE_SIZE + x->fields.size);
    x->index = (uint16_t)i->x;
    return TW_FAIL_ERROR;
}

tw_status tw_native_HASH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    tw_writer_clear(&x->value);
    x->gas += tw_cost_slots(4 * tw_exec_module(x)->types[i->x].slots);
    TW_TRY(tw_value_encode(tw_exec_module(x), (uint16_t)i->x, s + i->b, &x->value));
    if (x->value.bad) return TW_ERR_MEMORY;
    /* the encoding begins with a u16 size, which is not part of what is hashed */
    const tw_hash hash = tw_sha256(x->value.data + 2, x->value.size - 2);
    x->gas += tw_cost_hash(x->value.size - 2);
    tw_slots_from_bytes32(hash.bytes, s + i->a);
    return TW_OK;
}
