/* trial_step -- what the steps of a test mean: feed, advance, call, expect, expect fail.
 *
 * Values that are no constants are views of the test's own module, run on the contract as it
 * stands.
 */
#include "vm/runner/trial_parts.h"

#include "vm/isa/value.h"
#include "vm/runner/show.h"

#include <stdio.h>
#include <string.h>

enum { FEEDS_MAX = 64, VALUE_TEXT_MAX = 512 };

/* ---- formulas ---- */

static tw_status history_count(tw_trial *t, int64_t *ret_count)
{
    tw_contract *contract = NULL;
    TW_TRY(tw_ledger_contract(t->ledger, &t->contract, t->arena, &contract, t->err));
    *ret_count = (int64_t)contract->control.history_count;
    return TW_OK;
}

static tw_status write_account(tw_writer *w, const tw_trial_account *account)
{
    if (account == NULL) return TW_REFUSED_LIMIT;
    tw_write_raw(w, account->account.bytes, sizeof account->account.bytes);
    return TW_OK;
}

static tw_status write_input(tw_trial *t, const twc_input *input, tw_writer *w)
{
    int64_t count = 0;
    switch (input->kind) {
    case TWC_INPUT_EVENTS: tw_write_u64(w, t->events[input->index]); return TW_OK;
    case TWC_INPUT_GAS: tw_write_u64(w, t->gas_last[input->index]); return TW_OK;
    case TWC_INPUT_BOUND: tw_write_u64(w, t->code->facts->entries[input->index].gas); return TW_OK;
    case TWC_INPUT_HISTORY:
        TW_TRY(history_count(t, &count));
        tw_write_i64(w, count);
        return TW_OK;
    case TWC_INPUT_MEMBER: return write_account(w, tw_trial_member(t, input->index, input->number));
    case TWC_INPUT_ACCOUNT: return write_account(w, tw_trial_named(t, input->name));
    case TWC_INPUT_ENDOWED:
        tw_write_i64(w, tw_trial_endowment(&t->code->module->monies[input->index]));
        return TW_OK;
    case TWC_INPUT_MINTED: tw_write_i64(w, t->minted[input->index]); return TW_OK;
    }
    return TW_ERR_INTERNAL;
}

/* Runs a formula's view; the result's bytes are borrowed until the next call of the ledger. */
static tw_status evaluate(tw_trial *t, const twc_formula *f, tw_outcome *ret_outcome)
{
    tw_writer arguments = tw_writer_new(UINT16_MAX);
    tw_status status = TW_OK;
    for (uint16_t i = 0; i < f->input_count && status == TW_OK; i++) {
        status = write_input(t, &f->inputs[i], &arguments);
    }
    if (status == TW_OK) status = tw_trial_endow(t);
    if (status == TW_OK) {
        status = tw_ledger_view(t->ledger, &t->contract, t->test_code, f->entry,
                                tw_writer_bytes(&arguments), t->now, ret_outcome, t->err);
    }
    tw_writer_free(&arguments);
    return status;
}

/* A number; false (and the test failed) when the formula traps. */
static tw_status number_of(tw_trial *t, const twc_step *step, const twc_formula *f,
                           int64_t *ret_value, bool *ret_ok)
{
    *ret_ok = true;
    *ret_value = f->value;
    if (f->constant) return TW_OK;
    tw_outcome outcome;
    TW_TRY(evaluate(t, f, &outcome));
    if (outcome.status != TW_OK) {
        tw_trial_fail(t, step->line, "%s: traps: %s", step->text, tw_status_text(outcome.status));
        *ret_ok = false;
        return TW_OK;
    }
    tw_reader r = tw_reader_of(outcome.fields);
    *ret_value = tw_read_i64(&r);
    return tw_reader_done(&r) ? TW_OK : TW_ERR_INTERNAL;
}

/* ---- feed and advance ---- */

typedef struct feed {
    const twc_test_feed *plan;
    int64_t value;
    int64_t period;
    int64_t next; /* time of its next reading */
} feed;

/* A device that has readings due now: its pack, in the order of the statement. */
typedef struct device_pack {
    uint16_t role;
    uint32_t number;
    const char *name;
    tw_bytes fields[FEEDS_MAX];
    int64_t values[FEEDS_MAX];
    uint32_t count;
} device_pack;

typedef struct instant {
    device_pack *packs;
    uint32_t count;
    uint32_t max;
} instant;

static device_pack *pack_of(instant *at, const twc_test_actor *actor, uint32_t number)
{
    for (uint32_t i = 0; i < at->count; i++) {
        device_pack *p = &at->packs[i];
        const bool same_name = actor->name == NULL
                                   ? p->name == NULL
                                   : p->name != NULL && strcmp(p->name, actor->name) == 0;
        if (p->role == actor->role && p->number == number && same_name) return p;
    }
    if (at->count == at->max) return NULL;
    device_pack *made = &at->packs[at->count++];
    made->role = actor->role;
    made->number = number;
    made->name = actor->name;
    made->count = 0;
    return made;
}

static tw_status collect(tw_trial *t, feed *feeds, uint32_t count, instant *at)
{
    at->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (feeds[i].next != t->now) continue;
        feeds[i].next += feeds[i].period;
        const char *field = t->code->module->readings[feeds[i].plan->reading].field;
        const twc_test_actor *actor = &feeds[i].plan->device;
        for (uint32_t number = actor->first; number <= actor->last; number++) {
            device_pack *p = pack_of(at, actor, number);
            if (p == NULL || p->count == FEEDS_MAX) return TW_REFUSED_LIMIT;
            p->fields[p->count] = tw_bytes_of(field, strlen(field));
            p->values[p->count++] = feeds[i].value;
        }
    }
    return TW_OK;
}

static tw_status send_packs(tw_trial *t, const instant *at, tw_trial_outcome *outcome)
{
    tw_bytes *transactions = TW_NEW_ARRAY(t->arena, tw_bytes, at->count);
    if (transactions == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < at->count; i++) {
        const device_pack *p = &at->packs[i];
        const tw_trial_account *device =
            p->name != NULL ? tw_trial_named(t, p->name) : tw_trial_member(t, p->role, p->number);
        if (device == NULL) return TW_REFUSED_LIMIT;
        TW_TRY(tw_trial_sign_pack(t, device, p->fields, p->values, p->count, i, &transactions[i]));
    }
    return tw_trial_block(t, transactions, at->count, outcome);
}

static int64_t next_instant(const feed *feeds, uint32_t count)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (feeds[i].next < next) next = feeds[i].next;
    }
    return next;
}

static tw_status run_feeds(tw_trial *t, feed *feeds, uint32_t count, instant *at, int64_t end,
                           tw_trial_outcome *outcome)
{
    for (;;) {
        const int64_t next = next_instant(feeds, count);
        if (next > end) break;
        const tw_mark mark = tw_arena_mark(t->arena);
        TW_TRY(tw_trial_advance(t, next));
        TW_TRY(collect(t, feeds, count, at));
        TW_TRY(send_packs(t, at, outcome));
        tw_arena_reset(t->arena, mark);
        if (outcome->status != TW_OK) return TW_OK;
    }
    /* one past the end: a timer that is due at the end itself makes its block too */
    TW_TRY(tw_trial_advance(t, end + 1));
    t->now = end;
    return TW_OK;
}

static tw_status read_feeds(tw_trial *t, const twc_step *step, feed *feeds, int64_t *ret_end,
                            uint32_t *ret_devices, bool *ret_ok)
{
    int64_t duration = 0;
    *ret_devices = 0;
    TW_TRY(number_of(t, step, &step->duration, &duration, ret_ok));
    for (uint32_t i = 0; i < step->feed_count && *ret_ok; i++) {
        feed *f = &feeds[i];
        f->plan = &step->feeds[i];
        TW_TRY(number_of(t, step, &f->plan->value, &f->value, ret_ok));
        if (*ret_ok) TW_TRY(number_of(t, step, &f->plan->period, &f->period, ret_ok));
        if (*ret_ok && f->period < 1) {
            tw_trial_fail(t, step->line, "%s: a period must be at least 1 ms", step->text);
            *ret_ok = false;
        }
        f->next = t->now + f->period;
        *ret_devices += f->plan->device.last - f->plan->device.first + 1;
    }
    if (*ret_ok && (duration < 0 || duration >= (int64_t)1 << 50)) {
        tw_trial_fail(t, step->line, "%s: the duration is out of range", step->text);
        *ret_ok = false;
    }
    *ret_end = t->now + duration;
    return TW_OK;
}

static tw_status do_feed(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    feed feeds[FEEDS_MAX];
    int64_t end = 0;
    uint32_t devices = 0;
    bool ok = true;
    if (step->feed_count > FEEDS_MAX) return TW_REFUSED_LIMIT;
    TW_TRY(read_feeds(t, step, feeds, &end, &devices, &ok));
    if (!ok) return TW_OK;
    instant at = {TW_NEW_ARRAY(t->arena, device_pack, devices), 0, devices};
    if (at.packs == NULL) return TW_ERR_MEMORY;
    return run_feeds(t, feeds, step->feed_count, &at, end, outcome);
}

static tw_status do_advance(tw_trial *t, const twc_step *step)
{
    int64_t duration = 0;
    bool ok = true;
    TW_TRY(number_of(t, step, &step->duration, &duration, &ok));
    if (!ok) return TW_OK;
    if (duration < 0 || duration >= (int64_t)1 << 50) {
        tw_trial_fail(t, step->line, "%s: the duration is out of range", step->text);
        return TW_OK;
    }
    TW_TRY(tw_trial_advance(t, t->now + duration));
    return tw_trial_block(t, NULL, 0, NULL);
}

/* ---- call ---- */

static const tw_trial_account *account_of(tw_trial *t, const twc_test_actor *actor, uint32_t number)
{
    return actor->name != NULL ? tw_trial_named(t, actor->name)
                               : tw_trial_member(t, actor->role, number);
}

static tw_status call_once(tw_trial *t, const twc_step *step, uint32_t sender,
                           tw_trial_outcome *outcome)
{
    const tw_trial_account *signers[TW_TX_SIGNERS_MAX];
    if (step->actor_count > TW_TX_SIGNERS_MAX) return TW_REFUSED_LIMIT;
    for (uint32_t i = 0; i < step->actor_count; i++) {
        const twc_test_actor *actor = &step->actors[i];
        signers[i] = account_of(t, actor, i == 0 ? sender : actor->first);
        if (signers[i] == NULL) return TW_REFUSED_LIMIT;
    }
    tw_bytes arguments = {NULL, 0};
    if (step->arguments.entry != TWC_NO_ENTRY) {
        tw_outcome made;
        TW_TRY(evaluate(t, &step->arguments, &made));
        if (made.status != TW_OK) {
            *outcome = (tw_trial_outcome){made.status, made.index};
            return TW_OK;
        }
        const char *copy = tw_arena_copy(t->arena, made.fields.data, made.fields.size);
        if (copy == NULL) return TW_ERR_MEMORY;
        arguments = tw_bytes_of(copy, made.fields.size);
    }
    tw_bytes transaction;
    TW_TRY(tw_trial_sign_call(t, signers, step->actor_count, step->entry, arguments, &transaction));
    return tw_trial_block(t, &transaction, 1, outcome);
}

static tw_status do_call(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    const twc_test_actor *first = &step->actors[0];
    for (uint32_t number = first->first; number <= first->last; number++) {
        TW_TRY(call_once(t, step, number, outcome));
        if (outcome->status != TW_OK) return TW_OK;
    }
    return TW_OK;
}

/* ---- expect ---- */

static bool name_of(void *context, const tw_account *account, char ret_name[TW_SHOW_NAME_MAX])
{
    const tw_trial *t = context;
    for (uint32_t i = 0; i < t->account_count; i++) {
        if (!tw_account_equal(&t->accounts[i].account, account)) continue;
        snprintf(ret_name, TW_SHOW_NAME_MAX, "%.60s", t->accounts[i].label);
        return true;
    }
    return false;
}

/* Both sides of a comparison that does not hold, in their units. */
static void show_sides(tw_trial *t, const twc_step *step, tw_bytes result)
{
    const tw_module *m = t->test_code->module;
    const tw_type *type = &m->types[m->entries[step->condition.entry].result];
    if (type->kind != TW_KIND_RECORD || type->members.count != 3) return;
    const tw_show_names names = {t, name_of, NULL, -1};
    tw_writer w = tw_writer_new(2 * VALUE_TEXT_MAX);
    tw_reader r = tw_reader_of(result);
    (void)tw_read_u8(&r);
    tw_status status = tw_show_value(m, type->members.items[1].type, &r, &names, &w);
    tw_write_raw(&w, " against ", 9);
    if (status == TW_OK) {
        status = tw_show_value(m, type->members.items[2].type, &r, &names, &w);
    }
    if (status == TW_OK && !w.bad) {
        tw_trial_fail(t, step->line, "it is %.*s", (int)w.size, (const char *)w.data);
    }
    tw_writer_free(&w);
}

static tw_status do_expect(tw_trial *t, const twc_step *step)
{
    if (step->condition.constant) {
        if (step->condition.value == 0) tw_trial_fail(t, step->line, "%s", step->text);
        return TW_OK;
    }
    tw_outcome outcome;
    TW_TRY(evaluate(t, &step->condition, &outcome));
    if (outcome.status != TW_OK) {
        tw_trial_fail(t, step->line, "%s: traps: %s", step->text, tw_status_text(outcome.status));
        return TW_OK;
    }
    if (outcome.fields.size == 0) return TW_ERR_INTERNAL;
    if (outcome.fields.data[0] == 1) return TW_OK;
    tw_trial_fail(t, step->line, "%s", step->text);
    show_sides(t, step, outcome.fields);
    return TW_OK;
}

/* What a failed transaction is called by those who write tests. */
static void outcome_name(const tw_trial *t, const tw_trial_outcome *outcome, char ret_name[128])
{
    const tw_module *m = t->code->module;
    if (outcome->status == TW_FAIL_ERROR) {
        snprintf(ret_name, 128, "%s", m->errors[outcome->index].name);
    } else if (outcome->status == TW_FAIL_INVARIANT) {
        snprintf(ret_name, 128, "%s", m->invariants[outcome->index].name);
    } else {
        snprintf(ret_name, 128, "%s", tw_status_text(outcome->status));
    }
}

static bool failed_so(const twc_step *step, const tw_trial_outcome *outcome)
{
    const bool named = step->fail == TW_FAIL_ERROR || step->fail == TW_FAIL_INVARIANT;
    if (named) return outcome->status == step->fail && outcome->index == step->fail_index;
    /* a pack of a stranger and a revoke of one have the same name for people */
    char have[24];
    char want[24];
    tw_status_trap_name(outcome->status, have);
    tw_status_trap_name(step->fail, want);
    return strcmp(have, want) == 0;
}

static tw_status run_step(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome);

static tw_status do_expect_fail(tw_trial *t, const twc_step *step)
{
    char name[128];
    tw_trial_outcome outcome = {TW_OK, 0};
    for (uint32_t i = 0; i < step->step_count && t->report->passed; i++) {
        TW_TRY(run_step(t, &step->steps[i], &outcome));
        if (outcome.status == TW_OK || i + 1 == step->step_count) continue;
        outcome_name(t, &outcome, name);
        tw_trial_fail(t, step->steps[i].line, "%s: failed already: %s", step->steps[i].text, name);
    }
    if (!t->report->passed || failed_so(step, &outcome)) return TW_OK;
    if (outcome.status == TW_OK) {
        tw_trial_fail(t, step->line, "%s: it did not fail, %s was expected", step->text,
                      step->fail_name);
    } else {
        outcome_name(t, &outcome, name);
        tw_trial_fail(t, step->line, "%s: it failed otherwise: %s", step->text, name);
    }
    return TW_OK;
}

static tw_status run_step(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    switch (step->kind) {
    case TWC_STEP_FEED: return do_feed(t, step, outcome);
    case TWC_STEP_ADVANCE: return do_advance(t, step);
    case TWC_STEP_CALL: return do_call(t, step, outcome);
    case TWC_STEP_EXPECT: return do_expect(t, step);
    case TWC_STEP_EXPECT_FAIL: return do_expect_fail(t, step);
    }
    return TW_ERR_INTERNAL;
}

tw_status tw_trial_steps(tw_trial *t, const twc_step *steps, uint32_t count)
{
    char name[128];
    const tw_mark mark = tw_arena_mark(t->arena);
    for (uint32_t i = 0; i < count && t->report->passed; i++) {
        tw_trial_outcome outcome = {TW_OK, 0};
        TW_TRY(run_step(t, &steps[i], &outcome));
        tw_arena_reset(t->arena, mark);
        if (outcome.status == TW_OK) continue;
        outcome_name(t, &outcome, name);
        tw_trial_fail(t, steps[i].line, "%s: failed: %s", steps[i].text, name);
    }
    return TW_OK;
}
