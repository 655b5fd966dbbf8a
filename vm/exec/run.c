/* run -- what stands around the code of an entry: set-up, keep or undo, phase and control record.
 */
#include "vm/exec/machine.h"

#include "vm/isa/value.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

tw_exec *tw_exec_new(void)
{
    tw_exec *x = tw_mem_new(sizeof *x);
    if (x == NULL) return NULL;
    x->stack = tw_mem_new(TW_STACK_SLOTS_MAX * sizeof *x->stack);
    x->scratch = tw_mem_new(2 * TW_SAMPLES_MAX * sizeof *x->scratch);
    x->notices = tw_writer_new(TW_NOTICES_SIZE_MAX);
    x->fields = tw_writer_new(UINT16_MAX);
    x->value = tw_writer_new(UINT16_MAX + 1 + TW_THING_HEAD_MAX);
    if (x->stack == NULL || x->scratch == NULL) {
        tw_exec_free(x);
        return NULL;
    }
    return x;
}

void tw_exec_free(tw_exec *x)
{
    if (x == NULL) return;
    tw_mem_free(x->stack);
    tw_mem_free(x->scratch);
    tw_writer_free(&x->notices);
    tw_writer_free(&x->fields);
    tw_writer_free(&x->value);
    tw_mem_free(x);
}

static void start(tw_exec *x, tw_contract *contract, const tw_call *call)
{
    x->contract = contract;
    x->constants = contract->code->module->constants;
    x->call = call;
    x->phase_changed = false;
    x->looks_known = 0;
    x->stat_of = TW_NONE;
    x->window_open = x->window_open && x->takes_in;
    if (x->till.used) x->till = (tw_till){0};
    x->stopped = TW_OK;
    x->index = 0;
    x->at = NULL;
    x->result = NULL;
    x->gas = 0;
    x->events = 0;
    x->histories = 0;
    tw_writer_clear(&x->notices);
    tw_writer_clear(&x->fields);
}

/* After the code has ended well: what follows from a new phase, the control record, a view's
 * result. */
static tw_status finish(tw_exec *x, const tw_entry *entry)
{
    tw_contract *c = x->contract;
    TW_TRY(tw_purse_finish(x));
    if (x->phase_changed) {
        TW_TRY(tw_timer_phase(c, x->call->now));
        TW_TRY(tw_pending_index(c));
    }
    if (c->control_changed) TW_TRY(tw_contract_save_control(c));
    if (entry->kind != TW_ENTRY_VIEW) return TW_OK;
    TW_TRY(tw_value_encode(c->code->module, entry->result, x->result, &x->fields));
    return x->fields.bad ? TW_ERR_MEMORY : TW_OK;
}

/* A trap has no index and no fields, whatever the code was about to say when it came. */
static void report(const tw_exec *x, tw_outcome *ret_outcome)
{
    const tw_code *code = x->contract->code;
    const tw_code_function *f = &code->functions[x->function];
    const bool trap = x->stopped != TW_OK && x->stopped < TW_FAIL_ERROR;
    *ret_outcome = (tw_outcome){.status = x->stopped,
                                .index = trap ? 0 : x->index,
                                .fields = {x->fields.data, trap ? 0 : x->fields.size},
                                .notices = tw_writer_bytes(&x->notices),
                                .events = x->events,
                                .histories = x->histories,
                                .gas = x->gas,
                                .function = x->function,
                                .pc = f->source[x->at - f->first]};
}

tw_status tw_exec_run(tw_exec *x, tw_contract *contract, const tw_call *call,
                      tw_outcome *ret_outcome)
{
    const tw_module *m = contract->code->module;
    const tw_entry *entry = &m->entries[call->entry];
    const tw_facts *facts = contract->code->facts;
    if (entry->kind != TW_ENTRY_DEPLOY) TW_TRY(tw_contract_load_control(contract));
    tw_savepoint before;
    TW_TRY(tw_overlay_mark(contract->overlay, &before));
    start(x, contract, call);
    x->gas = facts->setup_gas[call->entry];
    if (entry->members.slots > 0) {
        memcpy(x->stack, call->arguments, entry->members.slots * sizeof *x->stack);
    }
    tw_interpret(x, entry->function);
    if (x->stopped == TW_OK) x->stopped = finish(x, entry);
    if (tw_status_is_host_failure(x->stopped)) {
        tw_overlay_undo(contract->overlay, before);
        return x->stopped;
    }
    assert(x->gas <= facts->entries[call->entry].gas);
    if (x->stopped == TW_OK) {
        report(x, ret_outcome);
        ret_outcome->writes = tw_overlay_writes(contract->overlay, before);
        tw_overlay_keep(contract->overlay, before);
        return TW_OK;
    }
    tw_overlay_undo(contract->overlay, before);
    if (entry->kind != TW_ENTRY_DEPLOY) TW_TRY(tw_contract_load_control(contract));
    tw_writer_clear(&x->notices);
    x->events = 0;
    x->histories = 0;
    report(x, ret_outcome);
    return TW_OK;
}

tw_status tw_exec_condition(tw_exec *x, tw_contract *contract, uint16_t function, int64_t end,
                            bool *ret_holds, uint64_t *ret_gas)
{
    const tw_call call = {.now = end, .end = end};
    start(x, contract, &call);
    tw_interpret(x, function);
    x->call = NULL;
    *ret_gas = x->gas;
    if (tw_status_is_host_failure(x->stopped)) return x->stopped;
    *ret_holds = x->stopped == TW_OK && x->result[0] == 1;
    return TW_OK;
}
