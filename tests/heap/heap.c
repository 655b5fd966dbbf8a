/* heap -- under `twvm test`: no entry and no alarm's condition asks the host for memory.
 *
 * The linker's --wrap sends tw_exec_run and tw_exec_condition here, and every call to the host's
 * memory. Each entry runs, is undone, and runs again, now counted: the first run has brought what
 * it touches into the overlay, as a block's first one does. A call to the host's memory is printed
 * and ends the program, as does an end at which nothing was watched.
 */
#include "tests/heap/counting.h"
#include "vm/exec/contract.h"
#include "vm/exec/exec.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a deploy changes beside the state, as it was before. */
typedef struct control_before {
    tw_control control;
    tw_alarm_state alarms[TW_ALARMS_MAX];
    tw_timer_state timers[TW_ENTRIES_MAX];
} control_before;

static uint64_t watched;

/* The names are the linker's. */
tw_status __wrap_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome);
tw_status __real_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome);
tw_status __wrap_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas);
tw_status __real_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas);

static void at_exit(void)
{
    if (watched > 0) return;
    fprintf(stderr, "heap: no contract code ran\n");
    _exit(1);
}

/* Before the first run: a call is seen. */
static void begin(void)
{
    if (watched++ > 0) return;
    calls = 0;
    counting = true;
    tw_mem_free(tw_mem_new(1));
    counting = false;
    if (calls == 1 && atexit(at_exit) == 0) return;
    fprintf(stderr, "heap: calls to the host's memory are not seen\n");
    abort();
}

static void must_be_none(const tw_contract *contract, const char *what)
{
    if (calls == 0) return;
    fprintf(stderr, "heap: %s of %s: %llu calls to the host's memory\n", what,
            contract->code->module->name, (unsigned long long)calls);
    abort();
}

static control_before remember(const tw_contract *c)
{
    control_before b = {.control = c->control};
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->alarm_count; i++) b.alarms[i] = c->control.alarms[i];
    for (uint16_t i = 0; i < m->entry_count; i++) b.timers[i] = c->control.timers[i];
    return b;
}

static void restore(tw_contract *c, const control_before *b)
{
    const tw_module *m = c->code->module;
    c->control = b->control;
    for (uint16_t i = 0; i < m->alarm_count; i++) c->control.alarms[i] = b->alarms[i];
    for (uint16_t i = 0; i < m->entry_count; i++) c->control.timers[i] = b->timers[i];
}

tw_status __wrap_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome)
{
    const bool deploy = contract->code->module->entries[call->entry].kind == TW_ENTRY_DEPLOY;
    const control_before before = remember(contract);
    tw_savepoint mark;
    tw_outcome first;
    begin();
    TW_TRY(tw_overlay_mark(contract->overlay, &mark));
    const tw_status status = __real_tw_exec_run(exec, contract, call, &first);
    tw_overlay_undo(contract->overlay, mark);
    if (status != TW_OK) return status;
    if (deploy) restore(contract, &before); /* the others read it again */
    calls = 0;
    counting = true;
    const tw_status again = __real_tw_exec_run(exec, contract, call, ret_outcome);
    counting = false;
    must_be_none(contract, contract->code->module->entries[call->entry].name);
    if (again == TW_OK && first.status == ret_outcome->status && first.gas == ret_outcome->gas) {
        return TW_OK;
    }
    fprintf(stderr, "heap: %s: what was undone does not run as it did before\n",
            contract->code->module->entries[call->entry].name);
    abort();
}

tw_status __wrap_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas)
{
    begin();
    TW_TRY(__real_tw_exec_condition(exec, contract, function, end, ret_holds, ret_gas));
    calls = 0;
    counting = true;
    const tw_status again =
        __real_tw_exec_condition(exec, contract, function, end, ret_holds, ret_gas);
    counting = false;
    must_be_none(contract, contract->code->module->functions[function].name);
    return again;
}
