/* fault -- memory and store fail at the n-th call, for every n, while contracts run; output: TAP.
 *
 *     fault FILE.twc...
 *
 * Compiles each file and runs its tests on a ledger in memory. The linker's --wrap puts this
 * program under each run of an entry and each pack: before the machine does it for good, it does it
 * again and again, and call number n of what can fail fails: of the overlay, of memory. Each time
 * the failure must come back as the one that was planted, and nothing must have been changed.
 * Reading, proving, decoding and printing a module are tried in the same way.
 *
 * Then the state is damaged: each value that the run looks at is cut, lengthened, filled, taken
 * away or joined by a key of another size, one at a time. What shows that the store has other bytes
 * than the machine wrote must end the run as a host failure that has changed nothing; bytes that
 * could have been written may give any outcome, and never a step outside the memory that is there.
 */
#include "compiler/twc.h"
#include "vm/exec/intake.h"
#include "vm/isa/container.h"
#include "vm/isa/disasm.h"
#include "vm/runner/trial.h"

#include <stdio.h>
#include <string.h>

enum {
    CALLS_MAX = 100000,   /* that one run makes: beyond, something goes round */
    CALLS_EACH_MAX = 300, /* tried one by one; beyond, one in eight */
    KEYS_MAX = 256,       /* that one run looks at, of those that are damaged */
    VALUE_MAX = 80000,    /* bytes of a value that is damaged */
    SOURCE_MAX = 1024 * 1024,
    MEMORY = 64 * 1024 * 1024,
};

/* What is to fail, and what was found. */
static struct {
    uint64_t left;   /* calls until one fails; 0: none does */
    bool failed;     /* it has */
    bool busy;       /* in the middle of a sweep */
    uint32_t inside; /* of a call that may need memory itself */
    uint64_t runs;
    uint64_t wrong;
    uint32_t entries[TW_ENTRIES_MAX];
    uint32_t packs;
    uint32_t loads;
    uint32_t assets;
    uint32_t deploys;
    uint32_t saves;
    bool listens; /* notes the keys that are looked at */
    uint32_t key_count;
    tw_key keys[KEYS_MAX];
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

/* Of an entry, or of packs, in one file: the first, the second, and ever fewer. */
static bool is_tried(uint32_t number)
{
    return (number & (number - 1)) == 0;
}

static void expect(bool good, const char *what, uint64_t n)
{
    fault.runs++;
    if (good) return;
    fault.wrong++;
    printf("# call %llu fails: %s\n", (unsigned long long)n, what);
}

/* ---- what can fail ---- */

/* Notes a key with a value, once. */
static void met(tw_bytes key)
{
    if (!fault.listens || fault.inside > 0 || fault.key_count == KEYS_MAX) return;
    for (uint32_t i = 0; i < fault.key_count; i++) {
        if (tw_bytes_equal(tw_key_bytes(&fault.keys[i]), key)) return;
    }
    tw_key *to = &fault.keys[fault.key_count++];
    memcpy(to->data, key.data, key.size);
    to->size = key.size;
}

#define WRAP(result, name, arguments, names, failure)                                              \
    result __real_##name arguments;                                                                \
    result __wrap_##name arguments;                                                                \
    result __wrap_##name arguments                                                                 \
    {                                                                                              \
        if (fails()) return failure;                                                               \
        fault.inside++;                                                                            \
        result done = __real_##name names;                                                         \
        fault.inside--;                                                                            \
        NOTE_##name;                                                                               \
        return done;                                                                               \
    }

#define NOTE_tw_overlay_get met(key)
#define NOTE_tw_overlay_edit met(key)
#define NOTE_tw_overlay_next met(*found ? *next_key : prefix)
#define NOTE_tw_overlay_put (void)0
#define NOTE_tw_overlay_delete (void)0
#define NOTE_tw_overlay_resize (void)0
#define NOTE_tw_overlay_mark (void)0
#define NOTE_tw_arena_get (void)0
#define NOTE_tw_arena_array (void)0
#define NOTE_tw_arena_copy (void)0
#define NOTE_tw_arena_new (void)0
#define NOTE_tw_mem_new (void)0
#define NOTE_tw_mem_resize (void)0

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
     (tw_overlay * o, tw_bytes prefix, tw_bytes from, tw_bytes *next_key, tw_bytes *value,
      bool *found),
     (o, prefix, from, next_key, value, found), TW_ERR_STORE)
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

/* What is tried with a failure here, or with other bytes there. */
typedef struct attempt {
    tw_status (*run)(const struct attempt *attempt, bool *ret_told);
    tw_contract *contract; /* NULL: of none */
    tw_overlay *overlay;
    tw_arena *arena;  /* NULL: needs none */
    const void *what; /* for `run` */
} attempt;

/* Runs it once; its outcome, and what it has changed, are gone afterwards. */
static tw_status try(const attempt *a, bool *ret_changed, bool *ret_told)
{
    static image before;
    tw_savepoint mark;
    const tw_mark memory = a->arena != NULL ? tw_arena_mark(a->arena) : (tw_mark){0};
    const uint64_t left = fault.left;
    fault.left = 0;
    if (a->contract != NULL) image_copy(&before, a->contract);
    if (tw_overlay_mark(a->overlay, &mark) != TW_OK) return TW_ERR_INTERNAL;
    fault.left = left;
    *ret_told = false;
    const tw_status status = a->run(a, ret_told);
    const uint64_t rest = fault.left;
    fault.left = 0;
    *ret_changed = tw_overlay_writes(a->overlay, mark) > 0;
    tw_overlay_undo(a->overlay, mark);
    fault.left = rest;
    if (a->contract != NULL) image_back(&before, a->contract);
    if (a->arena != NULL) tw_arena_reset(a->arena, memory);
    return status;
}

/* Each call in turn fails. `whole`: a failure undoes all by itself. */
static void sweep_calls(const attempt *a, bool whole, const char *what)
{
    bool failed = true;
    uint64_t n = 1;
    for (; failed && n < CALLS_MAX; n = next(n)) {
        bool changed = false;
        bool told = false;
        plant(n);
        const tw_status status = try(a, &changed, &told);
        failed = lift();
        expect(!failed || planted(status), what, n);
        expect(!failed || !whole || (!changed && !told), "something has changed, or was told", n);
    }
    expect(n < CALLS_MAX, "there is no end", n);
}

typedef enum damage {
    DAMAGE_GONE,
    DAMAGE_TAG, /* nothing behind the tag */
    DAMAGE_CUT,
    DAMAGE_LONG,
    DAMAGE_ONES,
    DAMAGE_ZEROS,
    DAMAGE_MOST,   /* each eight bytes, as if all were numbers: the largest */
    DAMAGE_LEAST,  /* or the smallest */
    DAMAGE_TURNED, /* each byte */
    DAMAGE_KEY,    /* one more, a byte longer */
    DAMAGES,
} damage;

/* What the key has now, damaged. */
static bool put_damage(tw_overlay *overlay, const tw_key *key, damage how)
{
    static uint8_t bytes[VALUE_MAX + 1];
    const tw_bytes at = tw_key_bytes(key);
    tw_bytes was;
    bool found = false;
    if (tw_overlay_get(overlay, at, &was, &found) != TW_OK) return false;
    if (how != DAMAGE_KEY && (!found || was.size > VALUE_MAX)) return false;
    if (how == DAMAGE_KEY) {
        tw_key longer = *key;
        if (longer.size == TW_KEY_MAX) return false;
        tw_key_u8(&longer, 0);
        bytes[0] = TW_STATE_TAG;
        return tw_overlay_put(overlay, tw_key_bytes(&longer), tw_bytes_of(bytes, 1)) == TW_OK;
    }
    if (how == DAMAGE_GONE) return tw_overlay_delete(overlay, at) == TW_OK;
    if ((how == DAMAGE_MOST || how == DAMAGE_LEAST) && was.size == 1) return false;
    size_t size = was.size;
    memcpy(bytes, was.data, size);
    if (how == DAMAGE_TAG) size = 1;
    if (how == DAMAGE_CUT && --size == 0) return false;
    if (how == DAMAGE_LONG) bytes[size++] = 0;
    for (size_t i = 1; i < size; i++) {
        if (how == DAMAGE_ONES) bytes[i] = 0xFF;
        if (how == DAMAGE_ZEROS) bytes[i] = 0;
        if (how == DAMAGE_MOST) bytes[i] = i % 8 == 1 ? 0x7F : 0xFF;
        if (how == DAMAGE_LEAST) bytes[i] = i % 8 == 1 ? 0x80 : 0;
        if (how == DAMAGE_TURNED) bytes[i] ^= 0xFF;
    }
    return tw_overlay_put(overlay, at, tw_bytes_of(bytes, size)) == TW_OK;
}

/* The values it looks at are damaged in turn. */
static void sweep_state(const attempt *a, bool whole)
{
    bool changed = false;
    bool told = false;
    fault.key_count = 0;
    fault.listens = true;
    const tw_status sound = try(a, &changed, &told);
    fault.listens = false;
    expect(!tw_status_is_host_failure(sound), "a sound state fails", 0);
    for (uint32_t i = 0; i < fault.key_count; i++) {
        for (damage how = 0; how < DAMAGES; how++) {
            tw_savepoint mark;
            if (tw_overlay_mark(a->overlay, &mark) != TW_OK) return;
            if (put_damage(a->overlay, &fault.keys[i], how)) {
                const tw_status status = try(a, &changed, &told);
                const bool failed = tw_status_is_host_failure(status);
                expect(!failed || !whole || (!changed && !told), "damage has changed something", i);
                const bool shows = how == DAMAGE_TAG || how == DAMAGE_CUT || how == DAMAGE_LONG;
                expect(!shows || status == sound || status == TW_ERR_CORRUPT, "damage is met", i);
                expect(!planted(status), "damage is no failure of the store", i);
            }
            tw_overlay_undo(a->overlay, mark);
        }
    }
}

tw_status __real_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome);
tw_status __wrap_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome);

/* In a context of its own, whose buffers have yet to grow. */
static tw_status run_entry(const attempt *a, bool *ret_told)
{
    tw_outcome none = {.gas = 0};
    const uint64_t left = fault.left;
    fault.left = 0;
    tw_exec *x = tw_exec_new();
    fault.left = left;
    if (x == NULL) return TW_ERR_INTERNAL;
    const tw_status status = __real_tw_exec_run(x, a->contract, a->what, &none);
    *ret_told = none.gas > 0;
    tw_exec_free(x);
    return status;
}

static tw_status run_upgrade(const attempt *a, bool *ret_told)
{
    const tw_call *call = a->what;
    *ret_told = false;
    return tw_timer_upgrade(a->contract, call->now);
}

/* The entry; and the timers, as an upgrade in its place would set them. */
tw_status __wrap_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome)
{
    if (!fault.busy && is_tried(++fault.entries[call->entry])) {
        attempt a = {.run = run_entry, .contract = c, .overlay = c->overlay, .what = call};
        const uint8_t kind = c->code->module->entries[call->entry].kind;
        fault.busy = true;
        sweep_calls(&a, true, "an entry goes on");
        sweep_state(&a, true);
        a.run = run_upgrade;
        if (kind != TW_ENTRY_DEPLOY) sweep_calls(&a, false, "timers are set");
        if (kind != TW_ENTRY_DEPLOY) sweep_state(&a, false);
        fault.busy = false;
    }
    return __real_tw_exec_run(x, c, call, outcome);
}

tw_status __real_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);
tw_status __wrap_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);

typedef struct pack {
    tw_exec *x;
    const tw_account *device;
    const tw_pack_reading *readings;
    uint16_t count;
    int64_t now;
} pack;

static tw_status run_pack(const attempt *a, bool *ret_told)
{
    const pack *p = a->what;
    tw_intake none;
    *ret_told = false;
    return __real_tw_intake_run(p->x, a->contract, p->device, p->readings, p->count, p->now,
                                a->arena, &none);
}

/* The same of a pack, which the ledger undoes as a whole. */
tw_status __wrap_tw_intake_run(tw_exec *x, tw_contract *c, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake)
{
    if (!fault.busy && is_tried(++fault.packs)) {
        const pack p = {x, device, readings, count, now};
        const attempt a = {run_pack, c, c->overlay, arena, &p};
        fault.busy = true;
        sweep_calls(&a, false, "a pack goes on");
        sweep_state(&a, false);
        fault.busy = false;
    }
    return __real_tw_intake_run(x, c, device, readings, count, now, arena, ret_intake);
}

/* ---- what the ledger reads and sets around them ---- */

tw_status __real_tw_contract_load(tw_contract *c);
tw_status __wrap_tw_contract_load(tw_contract *c);

static tw_status run_load(const attempt *a, bool *ret_told)
{
    tw_hash code;
    bool found = false;
    *ret_told = false;
    const tw_status status =
        tw_contract_find(a->contract->overlay, &a->contract->id, &code, &found);
    return status != TW_OK ? status : __real_tw_contract_load(a->contract);
}

tw_status __wrap_tw_contract_load(tw_contract *c)
{
    if (!fault.busy && is_tried(++fault.loads)) {
        const attempt a = {.run = run_load, .contract = c, .overlay = c->overlay};
        fault.busy = true;
        sweep_calls(&a, true, "a contract is loaded");
        sweep_state(&a, true);
        fault.busy = false;
    }
    return __real_tw_contract_load(c);
}

tw_status __real_tw_contract_save(tw_contract *c);
tw_status __wrap_tw_contract_save(tw_contract *c);

static tw_status run_save(const attempt *a, bool *ret_told)
{
    *ret_told = false;
    return __real_tw_contract_save(a->contract);
}

tw_status __wrap_tw_contract_save(tw_contract *c)
{
    if (!fault.busy && is_tried(++fault.saves)) {
        const attempt a = {.run = run_save, .contract = c, .overlay = c->overlay};
        fault.busy = true;
        sweep_calls(&a, true, "a contract is saved");
        fault.busy = false;
    }
    return __real_tw_contract_save(c);
}

tw_status __real_tw_timer_deploy(tw_contract *c);
tw_status __wrap_tw_timer_deploy(tw_contract *c);

static tw_status run_deploy(const attempt *a, bool *ret_told)
{
    *ret_told = false;
    return __real_tw_timer_deploy(a->contract);
}

tw_status __wrap_tw_timer_deploy(tw_contract *c)
{
    if (!fault.busy && is_tried(++fault.deploys)) {
        const attempt a = {.run = run_deploy, .contract = c, .overlay = c->overlay};
        fault.busy = true;
        sweep_calls(&a, false, "first timers are set");
        fault.busy = false;
    }
    return __real_tw_timer_deploy(c);
}

tw_status __real_tw_bank_asset(tw_overlay *o, const tw_hash *id, tw_asset *asset, bool *found);
tw_status __wrap_tw_bank_asset(tw_overlay *o, const tw_hash *id, tw_asset *asset, bool *found);

static tw_status run_asset(const attempt *a, bool *ret_told)
{
    tw_asset asset;
    bool found = false;
    *ret_told = false;
    return __real_tw_bank_asset(a->overlay, a->what, &asset, &found);
}

tw_status __wrap_tw_bank_asset(tw_overlay *o, const tw_hash *id, tw_asset *asset, bool *found)
{
    if (!fault.busy && is_tried(++fault.assets)) {
        const attempt a = {.run = run_asset, .overlay = o, .what = id};
        fault.busy = true;
        sweep_calls(&a, true, "an asset is read");
        sweep_state(&a, true);
        fault.busy = false;
    }
    return __real_tw_bank_asset(o, id, asset, found);
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
    fault.loads = 0;
    fault.assets = 0;
    fault.deploys = 0;
    fault.saves = 0;
    for (uint64_t n = 1; module_failing(unit, n); n = next(n)) {
    }
    for (uint32_t i = 0; i < unit->test_count; i++) {
        const tw_trial_options options = {.runs = 1, .blocks_max = 400};
        tw_trial_report report = {.passed = false};
        tw_err err = {.status = TW_OK};
        /* a test that needs more blocks is given up: what it met so far is enough */
        const tw_status status = tw_trial_run(unit, &unit->tests[i], &options, &report, &err);
        tw_trial_report_free(&report);
        if (status != TW_OK && status != TW_REFUSED_LIMIT) {
            printf("# %s: not run whole: %s\n", unit->tests[i].name, err.text);
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
