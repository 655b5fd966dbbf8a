/* machine -- the workloads on this machine: a store in memory, one overlay that is kept warm, and
 * for each call of a workload one tw_exec_run, metered and checked as on a ledger.
 *
 * Called by bench.c. Signatures, transactions and blocks are not in here: bench_feed measures them.
 * Each contract is compiled and deployed once; a run starts from the state that plain C starts
 * from.
 */
#include "bench.h"

#include "compiler/twc.h"
#include "vm/exec/intake.h"
#include "vm/isa/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCE_MAX = 65536,
    ACCOUNTS = 256,
    TRANSFERS = 4096,
    FUNDS = 1000000000,
    VALUES = 4096,
    PACK = 256,
    WINDOWS = 16,
    KEPT = 64,
    STEP = 8,
    SAMPLES = 4096,
    STORE_MAX = 256 << 20,
    ARENA_MAX = 16 << 20,
};

static const int64_t start_ms = 1767225600000;

typedef struct machine {
    twc_result *compiled;
    tw_bytes module;
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena; /* the contract's */
    tw_arena *call;  /* of one call */
    tw_code *code;
    tw_contract *contract;
    uint16_t entry; /* the one that is measured */
} machine;

typedef struct data {
    tw_exec *exec;
    machine machines[BENCH_COUNT];
    uint64_t sum;
    int64_t values[VALUES];            /* (b) */
    int64_t samples[SAMPLES][WINDOWS]; /* (c) */
    uint64_t sent;
    tw_pack_reading pack[PACK];
    tw_account accounts[ACCOUNTS]; /* (e) */
    struct {
        uint16_t from, to;
        int64_t amount;
    } transfers[TRANSFERS];
    uint64_t done;
} data;

static void must(tw_status status, const char *what, const tw_err *err)
{
    if (status == TW_OK) return;
    fprintf(stderr, "bench: %s: %s\n", what,
            err != NULL && err->text[0] != '\0' ? err->text : tw_status_text(status));
    exit(1);
}

static void *given(void *memory)
{
    if (memory == NULL) must(TW_ERR_MEMORY, "memory", NULL);
    return memory;
}

/* As in peer.c. */
static void mix(data *d, int64_t value)
{
    const int64_t small = value % 1000003;
    d->sum = (d->sum * 31 + (uint64_t)(small < 0 ? small + 1000003 : small)) % 1000000007;
}

static int64_t draw(uint32_t *state)
{
    *state = (uint32_t)((uint64_t)*state * 16807 % 2147483647);
    return *state;
}

/* ---- contracts ---- */

static tw_account account_of(uint8_t byte)
{
    tw_account account;
    memset(account.bytes, byte, sizeof account.bytes);
    return account;
}

static void compile(machine *m, const char *folder, const char *name)
{
    static char source[SOURCE_MAX]; /* not looked at when the result stands */
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.twc", folder, name);
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(source, 1, sizeof source, file) : 0;
    if (file != NULL) fclose(file);
    m->compiled = size > 0 ? twc_compile(path, source, size) : NULL;
    if (m->compiled == NULL || twc_result_unit_count(m->compiled) != 1) {
        fprintf(stderr, "bench: %s does not compile\n%s", path,
                m->compiled != NULL ? twc_result_report(m->compiled, false) : "");
        exit(1);
    }
    m->module = twc_result_unit(m->compiled, 0)->module;
}

static tw_outcome call(data *d, machine *m, uint16_t entry, const tw_account *sender, int64_t now,
                       const int64_t *arguments)
{
    const tw_call call = {.entry = entry,
                          .now = now,
                          .end = now,
                          .signers = sender,
                          .signer_count = sender != NULL,
                          .arguments = arguments};
    tw_outcome outcome;
    must(tw_exec_run(d->exec, m->contract, &call, &outcome), "run", NULL);
    must(outcome.status, "run", NULL);
    return outcome;
}

/* The deploy with all parameters at their defaults; role r has the account whose bytes are all r
 * + 1. */
static void deploy(data *d, machine *m)
{
    const tw_hash id = {{9, 9, 9, 9, 9, 9, 9, 9}};
    const tw_account deployer = account_of(255);
    must(tw_contract_new(&id, m->code, m->overlay, m->arena, &m->contract), "contract", NULL);
    m->contract->deployer = deployer;
    m->contract->deployed_at = start_ms;
    m->contract->control.phase_since = start_ms;
    const tw_module *module = m->code->module;
    for (uint16_t i = 0; i < module->param_count; i++) {
        tw_reader r = tw_reader_of(module->params[i].preset);
        int64_t *slots = m->contract->params + m->code->param_first[i];
        must(tw_value_decode(module, module->params[i].type, &r, slots), "parameter", NULL);
    }
    const uint16_t entry = tw_module_entry(module, TW_ENTRY_DEPLOY, NULL);
    call(d, m, entry, &deployer, start_ms, NULL);
    must(tw_contract_save(m->contract), "deploy", NULL);
    for (uint16_t r = 0; r < module->role_count; r++) {
        const tw_account member = account_of((uint8_t)(r + 1));
        must(tw_role_grant(m->contract, r, &member, start_ms), "grant", NULL);
    }
    must(tw_timer_deploy(m->contract), "deploy", NULL);
    must(tw_contract_save_control(m->contract), "deploy", NULL);
}

static uint16_t entry_of(const machine *m, tw_entry_kind kind, const char *name)
{
    const uint16_t entry = tw_module_entry(m->code->module, kind, name);
    if (entry == TW_NONE) must(TW_ERR_INTERNAL, name, NULL);
    return entry;
}

static void machine_open(data *d, bench_id id, const char *folder)
{
    machine *m = &d->machines[id];
    tw_err err = {.status = TW_OK};
    compile(m, folder, bench_name(id));
    must(tw_code_new(m->module, NULL, &m->code, &err), bench_name(id), &err);
    must(tw_store_open_memory(STORE_MAX, &m->store), "store", NULL);
    m->overlay = given(tw_overlay_new(m->store, STORE_MAX));
    m->arena = given(tw_arena_new(ARENA_MAX));
    m->call = given(tw_arena_new(ARENA_MAX));
    tw_overlay_clear(m->overlay, 1);
    deploy(d, m);
    if (id == BENCH_WINDOW) return;
    const bool action = id == BENCH_TRANSFER;
    m->entry = entry_of(m, action ? TW_ENTRY_ACTION : TW_ENTRY_VIEW, action ? "transfer" : "run");
}

/* The value that a view returned. */
static int64_t view(data *d, machine *m, uint16_t entry, int64_t now, const int64_t *arguments)
{
    const tw_outcome outcome = call(d, m, entry, NULL, now, arguments);
    return outcome.fields.size == 8 ? (int64_t)tw_load_u64(outcome.fields.data)
                                    : outcome.fields.data[0];
}

/* ---- (a), (d): calls of a view that loops ---- */

static uint64_t arithmetic_calls(data *d, machine *m, uint64_t calls)
{
    const uint64_t start = bench_clock_ns();
    for (uint64_t i = 0; i < calls; i++) {
        const int64_t seed = (int64_t)(d->sum % 1000000);
        mix(d, view(d, m, m->entry, start_ms, &seed));
    }
    return bench_clock_ns() - start;
}

static uint64_t polynomial_calls(data *d, machine *m, uint64_t calls)
{
    const uint64_t start = bench_clock_ns();
    for (uint64_t i = 0; i < calls; i++) {
        const int64_t seed = (int64_t)(d->sum % 1000000) * 1000 + 1;
        mix(d, view(d, m, m->entry, start_ms, &seed));
    }
    return bench_clock_ns() - start;
}

/* ---- (c): calls of a view with sixteen medians ---- */

/* Empties the windows of the one sensor, whose role is the second. */
static void sensor_anew(machine *m)
{
    const tw_account sensor = account_of(2);
    must(tw_role_revoke(m->contract, 1, &sensor, start_ms), "revoke", NULL);
    must(tw_role_grant(m->contract, 1, &sensor, start_ms), "grant", NULL);
}

static tw_intake take(data *d, machine *m, uint16_t count, int64_t now)
{
    const tw_account sensor = account_of(2);
    tw_intake intake;
    tw_arena_clear(m->call);
    must(tw_intake_run(d->exec, m->contract, &sensor, d->pack, count, now, m->call, &intake),
         "intake", NULL);
    if (intake.accepted != count) must(TW_ERR_INTERNAL, "a reading was refused", NULL);
    return intake;
}

/* Samples `first` to `end` of all windows. */
static void median_take(data *d, machine *m, uint64_t first, uint64_t end)
{
    uint16_t count = 0;
    for (uint64_t n = first; n < end; n++) {
        const int64_t time = start_ms + 1000 * (int64_t)(n + 1);
        for (uint16_t w = 0; w < WINDOWS; w++) {
            d->pack[count++] = (tw_pack_reading){w, time, d->samples[n % SAMPLES][w]};
        }
    }
    take(d, m, count, start_ms + 1000 * (int64_t)end);
}

static void median_prepare(data *d, machine *m)
{
    uint32_t state = BENCH_SEED;
    sensor_anew(m);
    for (int n = 0; n < SAMPLES; n++) {
        for (int w = 0; w < WINDOWS; w++) d->samples[n][w] = draw(&state) % 100000;
    }
    for (uint64_t n = 0; n < KEPT; n += STEP) median_take(d, m, n, n + STEP);
}

/* What reading the clock twice adds to a measurement: the least of many. */
static uint64_t clock_cost(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        const uint64_t start = bench_clock_ns();
        const uint64_t ns = bench_clock_ns() - start;
        if (ns < least) least = ns;
    }
    return least;
}

/* The samples of the next call are taken in between, not counted. */
static uint64_t median_calls(data *d, machine *m, uint64_t calls)
{
    const uint64_t cost = clock_cost();
    uint64_t ns = 0;
    for (uint64_t i = 0; i < calls; i++) {
        const uint64_t end = STEP * i + KEPT;
        const uint64_t start = bench_clock_ns();
        mix(d, view(d, m, m->entry, start_ms + 1000 * (int64_t)end, NULL));
        ns += bench_clock_ns() - start - cost;
        median_take(d, m, end, end + STEP);
    }
    return ns;
}

/* ---- (b): packs of readings ---- */

static void window_prepare(data *d, machine *m)
{
    uint32_t state = BENCH_SEED;
    sensor_anew(m);
    m->contract->control.alarms[0].up = false;
    must(tw_contract_save_control(m->contract), "alarm", NULL);
    for (int i = 0; i < VALUES; i++) {
        const int place = i % 2048;
        const int swing = place < 1024 ? place : 2047 - place;
        d->values[i] = 4000 + 7 * swing + draw(&state) % 2000;
    }
    d->sent = 0;
}

static uint64_t window_calls(data *d, machine *m, uint64_t calls)
{
    const uint64_t start = bench_clock_ns();
    for (uint64_t i = 0; i < calls; i++) {
        for (int k = 0; k < PACK; k++) {
            const int64_t value = d->values[d->sent % VALUES];
            d->sent++;
            d->pack[k] = (tw_pack_reading){0, start_ms + 100 * (int64_t)d->sent, value};
        }
        const tw_intake intake = take(d, m, PACK, start_ms + 100 * (int64_t)d->sent);
        for (uint32_t k = 0; k < intake.edge_count; k++) {
            const tw_edge_note *e = &intake.edges[k];
            mix(d, 2 * ((e->time - start_ms) / 100) + (e->edge == TW_EDGE_RAISED));
        }
    }
    return bench_clock_ns() - start;
}

static void window_finish(data *d, machine *m)
{
    const int64_t now = start_ms + 100 * (int64_t)d->sent;
    mix(d, view(d, m, entry_of(m, TW_ENTRY_VIEW, "mean"), now, NULL));
    mix(d, view(d, m, entry_of(m, TW_ENTRY_VIEW, "level"), now, NULL));
    mix(d, view(d, m, entry_of(m, TW_ENTRY_VIEW, "up"), now, NULL));
    mix(d, 0); /* refused: take() counts them */
}

/* ---- (e): a call for each transfer ---- */

static void transfer_prepare(data *d, machine *m)
{
    uint32_t state = BENCH_SEED;
    const uint16_t set = entry_of(m, TW_ENTRY_ACTION, "set");
    for (int i = 0; i < ACCOUNTS; i++) {
        int64_t slots[5] = {[4] = FUNDS};
        for (int k = 0; k < 32; k++) d->accounts[i].bytes[k] = (uint8_t)(draw(&state) % 256);
        tw_slots_from_bytes32(d->accounts[i].bytes, slots);
        call(d, m, set, &d->accounts[i], start_ms, slots);
    }
    for (int i = 0; i < TRANSFERS; i++) {
        d->transfers[i].from = (uint16_t)(draw(&state) % ACCOUNTS);
        d->transfers[i].to = (uint16_t)(draw(&state) % ACCOUNTS);
        d->transfers[i].amount = 1 + draw(&state) % 1000;
    }
    d->done = 0;
}

static uint64_t transfer_calls(data *d, machine *m, uint64_t calls)
{
    const uint64_t start = bench_clock_ns();
    for (uint64_t i = 0; i < calls; i++) {
        const uint64_t n = d->done++ % TRANSFERS;
        int64_t slots[5] = {[4] = d->transfers[n].amount};
        tw_slots_from_bytes32(d->accounts[d->transfers[n].to].bytes, slots);
        call(d, m, m->entry, &d->accounts[d->transfers[n].from], start_ms, slots);
    }
    return bench_clock_ns() - start;
}

static void transfer_finish(data *d, machine *m)
{
    const uint16_t entry = entry_of(m, TW_ENTRY_VIEW, "of_account");
    for (int i = 0; i < ACCOUNTS; i++) {
        int64_t slots[4];
        tw_slots_from_bytes32(d->accounts[i].bytes, slots);
        mix(d, view(d, m, entry, start_ms, slots));
    }
}

/* ---- (f): from the bytes to the first result ---- */

static uint64_t start_calls(data *d, machine *m, uint64_t calls)
{
    const tw_hash id = m->contract->id;
    const uint64_t start = bench_clock_ns();
    for (uint64_t i = 0; i < calls; i++) {
        machine fresh = *m;
        tw_arena_clear(m->call);
        must(tw_code_new(m->module, &m->code->hash, &fresh.code, NULL), "code", NULL);
        must(tw_contract_new(&id, fresh.code, m->overlay, m->call, &fresh.contract), "contract",
             NULL);
        must(tw_contract_load(fresh.contract), "contract", NULL);
        const int64_t seed = (int64_t)(d->sum % 1000000);
        mix(d, view(d, &fresh, m->entry, start_ms, &seed));
        tw_code_free(fresh.code);
    }
    return bench_clock_ns() - start;
}

/* ---- the engine ---- */

static void prepare(data *d, machine *m, bench_id id)
{
    d->sum = BENCH_SEED;
    if (id == BENCH_WINDOW) window_prepare(d, m);
    if (id == BENCH_MEDIAN) median_prepare(d, m);
    if (id == BENCH_TRANSFER) transfer_prepare(d, m);
}

static void finish(data *d, machine *m, bench_id id)
{
    if (id == BENCH_WINDOW) window_finish(d, m);
    if (id == BENCH_TRANSFER) transfer_finish(d, m);
}

static bool run(bench_engine *engine, bench_id id, uint64_t calls, bench_sample *ret_sample)
{
    static uint64_t (*const work[BENCH_COUNT])(data *, machine *, uint64_t) = {
        [BENCH_ARITHMETIC] = arithmetic_calls, [BENCH_WINDOW] = window_calls,
        [BENCH_MEDIAN] = median_calls,         [BENCH_POLYNOMIAL] = polynomial_calls,
        [BENCH_TRANSFER] = transfer_calls,     [BENCH_START] = start_calls};
    data *d = engine->data;
    machine *m = &d->machines[id];
    prepare(d, m, id);
    ret_sample->ns = work[id](d, m, calls);
    finish(d, m, id);
    ret_sample->checksum = d->sum;
    return true;
}

static void machine_close(machine *m)
{
    tw_arena_free(m->arena);
    tw_arena_free(m->call);
    tw_overlay_free(m->overlay);
    tw_store_close(m->store);
    tw_code_free(m->code);
    twc_result_free(m->compiled);
}

static void close_all(bench_engine *engine)
{
    data *d = engine->data;
    for (int id = 0; id < BENCH_COUNT; id++) machine_close(&d->machines[id]);
    tw_exec_free(d->exec);
    tw_mem_free(d);
}

bool bench_machine_open(const char *folder, bench_engine *ret_engine)
{
    data *d = given(tw_mem_new(sizeof *d));
    d->exec = given(tw_exec_new());
    for (int id = 0; id < BENCH_COUNT; id++) machine_open(d, (bench_id)id, folder);
    *ret_engine = (bench_engine){.name = "twvm",
                                 .data = d,
                                 .workloads = (1u << BENCH_COUNT) - 1,
                                 .module_size = d->machines[BENCH_START].module.size,
                                 .run = run,
                                 .close = close_all};
    return true;
}
