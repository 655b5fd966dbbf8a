/* trial_step -- what the steps of a test mean: advance, call, expect, expect fail.
 *
 * Values that are no constants are views of the test's own module, run on the contract as it
 * stands.
 */
#include "vm/runner/trial_parts.h"

#include "vm/isa/value.h"
#include "vm/runner/show.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_TEXT_MAX = 512 };

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
        status = tw_ledger_view(t->ledger, &t->contract, t->test_codes[f->part], f->entry,
                                tw_writer_bytes(&arguments), t->now, ret_outcome, t->err);
    }
    tw_writer_free(&arguments);
    return status;
}

tw_status tw_trial_number(tw_trial *t, const twc_step *step, const twc_formula *f,
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

/* ---- advance ---- */

tw_status tw_trial_wait(tw_trial *t, int64_t duration)
{
    TW_TRY(tw_trial_advance(t, t->now + duration));
    return tw_trial_block(t, NULL, 0, NULL);
}

static tw_status do_advance(tw_trial *t, const twc_step *step)
{
    int64_t duration = 0;
    bool ok = true;
    TW_TRY(tw_trial_number(t, step, &step->duration, &duration, &ok));
    if (!ok) return TW_OK;
    if (duration < 0 || duration >= (int64_t)1 << 50) {
        tw_trial_fail(t, step->line, "%s: the duration is out of range", step->text);
        return TW_OK;
    }
    return tw_trial_wait(t, duration);
}

/* ---- call ---- */

static const tw_trial_account *account_of(tw_trial *t, const twc_test_actor *actor, uint32_t number)
{
    return actor->name != NULL ? tw_trial_named(t, actor->name)
                               : tw_trial_member(t, actor->role, number);
}

/* Adds a signer who is not among them already. */
static tw_status add_signer(const tw_trial_account **signers, uint32_t *count,
                            const tw_trial_account *signer)
{
    if (signer == NULL) return TW_REFUSED_LIMIT;
    for (uint32_t i = 0; i < *count; i++) {
        if (signers[i] == signer) return TW_OK;
    }
    if (*count == TW_TX_SIGNERS_MAX) return TW_REFUSED_LIMIT;
    signers[(*count)++] = signer;
    return TW_OK;
}

/* The sender first; of the others each member of a range signs. */
static tw_status signers_of(tw_trial *t, const twc_step *step, uint32_t sender,
                            const tw_trial_account **signers, uint32_t *ret_count)
{
    *ret_count = 0;
    TW_TRY(add_signer(signers, ret_count, account_of(t, &step->actors[0], sender)));
    for (uint32_t i = 1; i < step->actor_count; i++) {
        const twc_test_actor *actor = &step->actors[i];
        for (uint32_t number = actor->first; number <= actor->last; number++) {
            TW_TRY(add_signer(signers, ret_count, account_of(t, actor, number)));
        }
    }
    return TW_OK;
}

tw_status tw_trial_call(tw_trial *t, const tw_trial_account *const *signers, uint32_t signer_count,
                        uint16_t entry, tw_bytes arguments, tw_trial_outcome *outcome)
{
    tw_bytes transaction;
    TW_TRY(tw_trial_sign_call(t, signers, signer_count, entry, arguments, &transaction));
    return tw_trial_block(t, &transaction, 1, outcome);
}

static tw_status call_once(tw_trial *t, const twc_step *step, uint32_t sender,
                           tw_trial_outcome *outcome)
{
    const tw_trial_account *signers[TW_TX_SIGNERS_MAX];
    uint32_t signer_count = 0;
    const tw_status signed_by = signers_of(t, step, sender, signers, &signer_count);
    if (signed_by == TW_REFUSED_LIMIT) {
        return tw_err_set(t->err, signed_by,
                          "%s: a call has at most %d signers, a test %d accounts", step->text,
                          TW_TX_SIGNERS_MAX, TW_TRIAL_ACCOUNTS_MAX);
    }
    TW_TRY(signed_by);
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
    return tw_trial_call(t, signers, signer_count, step->entry, arguments, outcome);
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
    const tw_module *m = t->test_codes[step->condition.part]->module;
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

tw_status tw_trial_expect(tw_trial *t, const twc_step *step)
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

void tw_trial_outcome_name(const tw_trial *t, const tw_trial_outcome *outcome, char ret_name[128])
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
        tw_trial_outcome_name(t, &outcome, name);
        tw_trial_fail(t, step->steps[i].line, "%s: failed already: %s", step->steps[i].text, name);
    }
    if (!t->report->passed || failed_so(step, &outcome)) return TW_OK;
    if (outcome.status == TW_OK) {
        tw_trial_fail(t, step->line, "%s: it did not fail, %s was expected", step->text,
                      step->fail_name);
    } else {
        tw_trial_outcome_name(t, &outcome, name);
        tw_trial_fail(t, step->line, "%s: it failed otherwise: %s", step->text, name);
    }
    return TW_OK;
}

static tw_status run_step(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    switch (step->kind) {
    case TWC_STEP_FEED: return tw_trial_feed(t, step, outcome);
    case TWC_STEP_REPLAY: return tw_trial_replay(t, step, outcome);
    case TWC_STEP_ADVANCE: return do_advance(t, step);
    case TWC_STEP_CALL: return do_call(t, step, outcome);
    case TWC_STEP_EXPECT: return tw_trial_expect(t, step);
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
        tw_trial_outcome_name(t, &outcome, name);
        tw_trial_fail(t, steps[i].line, "%s: failed: %s", steps[i].text, name);
    }
    return TW_OK;
}
