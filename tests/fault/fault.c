/* fault -- memory and store fail at the n-th call, for every n, while contracts run; output: TAP.
 *
 *     fault FILE.twc...
 *
 * Compiles each file and runs its tests on a ledger in memory. The linker's --wrap puts this
 * program under each run of an entry and each pack: before the machine does it for good, it does it
 * again and again, and call number n of what can fail fails: of the overlay, of memory. Each time
 * the failure must come back as the one that was planted, and nothing must have been changed.
 * Reading, proving, decoding and printing a module are tried in the same way.
 */
#include "compiler/twc.h"
#include "vm/exec/intake.h"
#include "vm/isa/container.h"
#include "vm/isa/disasm.h"
#include "vm/runner/trial.h"

#include <stdio.h>
#include <string.h>

enum {
    SWEEPS_MAX = 2,       /* of an entry, in one file */
    CALLS_MAX = 100000,   /* that one run makes: beyond, something goes round */
    CALLS_EACH_MAX = 300, /* tried one by one; beyond, one in eight */
    SOURCE_MAX = 1024 * 1024,
    MEMORY = 64 * 1024 * 1024,
};

/* What is to fail, and what was found. */
static struct {
    uint64_t left;   /* calls until one fails; 0: none does */
    bool failed;     /* it has */
    uint32_t inside; /* of a call that may need memory itself */
    uint64_t runs;
    uint64_t wrong;
    uint32_t entries[TW_ENTRIES_MAX];
    uint32_t packs;
} fault; /* the wrapped functions have no other way to know */

static bool fails(void)
{
    if (fault.left == 0 || fault.inside > 0 || --fault.left > 0) return false;
    fault.failed = true;
    return true;
}

static void plant(uint64_t n)
{
    fault.left = n;
    fault.failed = false;
}

/* Takes away what was not met. True when it was. */
static bool lift(void)
{
    fault.left = 0;
    return fault.failed;
}

static uint64_t next(uint64_t n)
{
    return n < CALLS_EACH_MAX ? n + 1 : n + 1 + n / 8;
}

static void expect(bool good, const char *what, uint64_t n)
{
    fault.runs++;
    if (good) return;
    fault.wrong++;
    printf("# call %llu fails: %s\n", (unsigned long long)n, what);
}

/* ---- what can fail ---- */

#define WRAP(result, name, arguments, names, failure)                                              \
    result __real_##name arguments;                                                                \
    result __wrap_##name arguments;                                                                \
    result __wrap_##name arguments                                                                 \
    {                                                                                              \
        if (fails()) return failure;                                                               \
        fault.inside++;                                                                            \
        result done = __real_##name names;                                                         \
        fault.inside--;                                                                            \
        return done;                                                                               \
    }

WRAP(tw_status, tw_overlay_get, (tw_overlay * o, tw_bytes key, tw_bytes *value, bool *found),
     (o, key, value, found), TW_ERR_STORE)
WRAP(tw_status, tw_overlay_put, (tw_overlay * o, tw_bytes key, tw_bytes value), (o, key, value),
     TW_ERR_STORE)
WRAP(tw_status, tw_overlay_delete, (tw_overlay * o, tw_bytes key), (o, key), TW_ERR_STORE)
WRAP(tw_status, tw_overlay_edit,
     (tw_overlay * o, tw_bytes key, uint8_t **bytes, size_t *size, bool *found),
     (o, key, bytes, size, found), TW_ERR_STORE)
WRAP(tw_status, tw_overlay_resize, (tw_overlay * o, tw_bytes key, size_t size, uint8_t **bytes),
     (o, key, size, bytes), TW_ERR_STORE)
WRAP(tw_status, tw_overlay_next,
     (tw_overlay * o, tw_bytes prefix, tw_bytes from, tw_bytes *key, tw_bytes *value, bool *found),
     (o, prefix, from, key, value, found), TW_ERR_STORE)
WRAP(tw_status, tw_overlay_mark, (tw_overlay * o, tw_savepoint *mark), (o, mark), TW_ERR_STORE)
WRAP(void *, tw_arena_get, (tw_arena * arena, size_t size), (arena, size),
     __real_tw_arena_get(arena, SIZE_MAX))
WRAP(void *, tw_arena_array, (tw_arena * arena, size_t count, size_t size), (arena, count, size),
     __real_tw_arena_array(arena, SIZE_MAX, 2))
WRAP(char *, tw_arena_copy, (tw_arena * arena, const void *bytes, size_t size),
     (arena, bytes, size), __real_tw_arena_copy(arena, bytes, SIZE_MAX - 1))
WRAP(tw_arena *, tw_arena_new, (size_t size_max), (size_max), NULL)
WRAP(void *, tw_mem_new, (size_t size), (size), NULL)
WRAP(void *, tw_mem_resize, (void *memory, size_t was, size_t is), (memory, was, is), NULL)

/* ---- runs of entries and packs ---- */

/* What of a contract is in memory and changes while an entry runs. */
typedef struct image {
    tw_control control;
    bool changed;
    tw_alarm_state alarms[TW_ALARMS_MAX];
    tw_timer_state timers[TW_ENTRIES_MAX];
    int64_t deployed[4096];
} image;

static void image_copy(image *to, const tw_contract *c)
{
    const tw_module *m = c->code->module;
    to->control = c->control;
    to->changed = c->control_changed;
    memcpy(to->alarms, c->control.alarms, m->alarm_count * sizeof *to->alarms);
    memcpy(to->timers, c->control.timers, m->entry_count * sizeof *to->timers);
    memcpy(to->deployed, c->deployed, m->deployed_count * sizeof *to->deployed);
}

static void image_back(const image *from, tw_contract *c)
{
    const tw_module *m = c->code->module;
    c->control = from->control;
    c->control_changed = from->changed;
    memcpy(c->control.alarms, from->alarms, m->alarm_count * sizeof *from->alarms);
    memcpy(c->control.timers, from->timers, m->entry_count * sizeof *from->timers);
    memcpy(c->deployed, from->deployed, m->deployed_count * sizeof *from->deployed);
}

static bool planted(tw_status status)
{
    return status == TW_ERR_STORE || status == TW_ERR_MEMORY;
}

tw_status __real_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome);
tw_status __wrap_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome);

/* One run with a failure at call n; false when it is through without. A context of its own, whose
 * buffers have yet to grow. */
static bool run_failing(tw_contract *c, const tw_call *call, uint64_t n)
{
    static image before;
    tw_outcome none = {.gas = 0};
    tw_savepoint mark;
    tw_exec *x = tw_exec_new();
    if (x == NULL || tw_overlay_mark(c->overlay, &mark) != TW_OK) return false;
    image_copy(&before, c);
    plant(n);
    const tw_status status = __real_tw_exec_run(x, c, call, &none);
    const bool met = lift();
    expect(!met || planted(status), "an entry goes on", n);
    expect(!met || tw_overlay_writes(c->overlay, mark) == 0, "an entry has changed something", n);
    expect(!met || none.gas == 0, "an entry has an outcome", n);
    tw_overlay_undo(c->overlay, mark);
    image_back(&before, c);
    tw_exec_free(x);
    return met;
}

tw_status __wrap_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome)
{
    if (fault.left == 0 && fault.entries[call->entry]++ < SWEEPS_MAX) {
        uint64_t n = 1;
        while (n < CALLS_MAX && run_failing(c, call, n)) n = next(n);
        expect(n < CALLS_MAX, "an entry has no end", n);
    }
    return __real_tw_exec_run(x, c, call, outcome);
}

tw_status __real_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);
tw_status __wrap_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);

/* The same of a pack, which the ledger undoes as a whole. */
tw_status __wrap_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake)
{
    static image before;
    bool met = fault.left == 0 && fault.packs++ < SWEEPS_MAX;
    for (uint64_t n = 1; met; n = next(n)) {
        tw_savepoint mark;
        tw_intake none;
        const tw_mark memory = tw_arena_mark(arena);
        if (tw_overlay_mark(c->overlay, &mark) != TW_OK) break;
        image_copy(&before, c);
        plant(n);
        const tw_status status =
            __real_tw_intake_run(x, c, device, readings, count, now, arena, &none);
        met = lift();
        expect(!met || planted(status), "a pack goes on", n);
        tw_overlay_undo(c->overlay, mark);
        image_back(&before, c);
        tw_arena_reset(arena, memory);
    }
    return __real_tw_intake_run(x, c, device, readings, count, now, arena, ret_intake);
}

/* ---- modules ---- */

/* Reads, proves, decodes, opens and prints a module with a failure at call n. */
static bool module_failing(const twc_unit *unit, uint64_t n)
{
    const tw_hash id = {{9}};
    tw_code *code = NULL;
    tw_contract *contract = NULL;
    tw_debug *debug = NULL;
    tw_bytes again;
    tw_err err = {.status = TW_OK};
    tw_writer text = tw_writer_new(SOURCE_MAX * 8);
    tw_arena *arena = tw_arena_new(MEMORY);
    plant(n);
    tw_exec *exec = tw_exec_new();
    tw_status status = exec == NULL ? TW_ERR_MEMORY : tw_code_new(unit->module, NULL, &code, &err);
    if (status == TW_OK) status = tw_contract_new(&id, code, NULL, arena, &contract);
    if (status == TW_OK) status = tw_debug_decode(unit->debug, code->module, arena, &debug);
    if (status == TW_OK) status = tw_disasm(code->module, NULL, arena, &text);
    if (status == TW_OK) status = tw_asm(tw_writer_bytes(&text), arena, &again, &err);
    const bool met = lift();
    /* to the assembler memory is a limit of the text and of the module */
    const bool limit = status == TW_REFUSED_SOURCE || status == TW_REFUSED_LIMIT;
    expect(!met || limit || status == TW_ERR_MEMORY, "a module is read", n);
    expect(met || status == TW_OK, "a module is not read", n);
    tw_exec_free(exec);
    tw_code_free(code);
    tw_arena_free(arena);
    tw_writer_free(&text);
    return met;
}

static void run_unit(const twc_unit *unit)
{
    memset(fault.entries, 0, sizeof fault.entries);
    fault.packs = 0;
    for (uint64_t n = 1; module_failing(unit, n); n = next(n)) {
    }
    for (uint32_t i = 0; i < unit->test_count; i++) {
        const tw_trial_options options = {.runs = 1, .blocks_max = 400};
        tw_trial_report report = {.passed = false};
        tw_err err = {.status = TW_OK};
        if (tw_trial_run(unit, &unit->tests[i], &options, &report, &err) == TW_OK) {
            tw_trial_report_free(&report);
        }
    }
}

static bool run_file(const char *path)
{
    static char source[SOURCE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    const size_t size = fread(source, 1, sizeof source, file);
    (void)fclose(file);
    twc_result *result = twc_compile(path, source, size);
    const bool good = result != NULL && twc_result_error_count(result) == 0;
    for (uint32_t i = 0; good && i < twc_result_unit_count(result); i++) {
        run_unit(twc_result_unit(result, i));
    }
    twc_result_free(result);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;
    printf("1..%d\n", argc - 1);
    for (int i = 1; i < argc; i++) {
        fault.runs = 0;
        fault.wrong = 0;
        const bool ok = run_file(argv[i]) && fault.wrong == 0 && fault.runs > 0;
        printf("%s %d - %s: %llu checks\n", ok ? "ok" : "not ok", i, argv[i],
               (unsigned long long)fault.runs);
        good = good && ok;
    }
    return good ? 0 : 1;
}
