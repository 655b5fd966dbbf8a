/* bench_gas -- what every instruction takes, in nanoseconds, beside the gas that is charged for it.
 *
 * Called by `./dev calibrate`. Each unit of unit.c runs many times in a loop of a verified program,
 * and the same program with the unit once is taken off. All programs are measured in turn, round
 * after round, and made anew, at other addresses, every PASS rounds. Of each the sample counts that
 * one in ten is faster than: most tell of the computer's other work, but the fastest of all were
 * taken when the processor's clock was raised for a moment, which few rows meet. What has its
 * price for another reason than its own time (unit.h) stands in a table of its own: there the gas
 * may be far more than the time. At the end stand the numbers that would make the gas true, at so
 * many a nanosecond.
 */
#include "bench/unit.h"
#include "vm/base/sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 150, SAMPLE_NS = 60000, UNROLL = 16, UNROLL_LONG = 4, DEPLOY_LOOPS = 1000 };
enum { ROUNDS_MAX = 1000, PASS = 25 /* rounds */, QUICK = 10 /* one in so many is quicker */ };

static const double gas_a_ns = 4.0;

/* Two programs, with the unit and without, and what they took. */
typedef struct trial {
    const unit *unit;
    tw_code *code[2];
    uint16_t entry;
    int64_t n;       /* rounds of the loop */
    uint32_t unroll; /* units in each */
    uint32_t runs;   /* of the entry in a sample */
    uint64_t gas[2];
    double ns[2][ROUNDS_MAX];
    double unit_ns, unit_gas;
} trial;

/* What runs before the unit, as a unit. */
static unit before(const unit *u)
{
    unit with = *u;
    memcpy(with.code, with.with, sizeof with.code);
    with.count = with.with_count;
    with.stops = false;
    return with;
}

static tw_code *compile(rig *r, trial *t, bool whole)
{
    static program p;
    tw_err err = {0};
    const unit *u = t->unit;
    const unit with = before(u);
    program_begin(&p, r, u->big, u->signers);
    if (u->random) program_random(&p);
    if (u->deploys) program_add(&p, tw_insn_make30(TW_OP_LDI, 0, 0, DEPLOY_LOOPS));
    if (u->stops) {
        program_unit(&p, whole ? u : &with);
        p.undo = true;
        p.deploys = u->deploys;
    } else { /* once, so that what it does to the whole entry is in both */
        program_unit(&p, &with);
        program_unit(&p, u);
        program_loop(&p, 6, 0, u->limit > 0 ? u->limit / t->unroll : UNIT_LOOPS_MAX);
        for (uint32_t i = 0; i < t->unroll; i++) {
            program_unit(&p, &with);
            if (whole) program_unit(&p, u);
        }
        program_end_loop(&p);
    }
    t->entry = program_entry(&p);
    tw_code *code = program_finish(&p, r, &err);
    if (code == NULL) rig_must(TW_ERR_INTERNAL, u->name, &err);
    return code;
}

static double sample(rig *r, trial *t, int which)
{
    tw_outcome outcome = {0};
    const uint64_t start = rig_clock_ns();
    for (uint32_t i = 0; i < t->runs; i++) {
        rig_run(r, t->code[which], t->entry, t->n, t->unit->signers, &outcome);
    }
    const uint64_t spent = rig_clock_ns() - start;
    const bool good = outcome.status == (t->unit->undo ? UNIT_UNDO : TW_OK) || t->unit->stops;
    if (!good) {
        fprintf(stderr, "bench_gas: %s ends with: %s, at %u\n", t->unit->name,
                tw_status_text(outcome.status), outcome.pc);
        exit(1);
    }
    t->gas[which] = outcome.gas;
    return (double)spent / t->runs;
}

/* So many rounds of the loop that a sample takes long enough for the clock. */
static void choose_rounds(rig *r, trial *t)
{
    const unit *u = t->unit;
    t->runs = 1;
    const int64_t most = u->stops ? 1 : u->limit > 0 ? u->limit / t->unroll : UNIT_LOOPS_MAX;
    t->n = u->stops ? 1 : u->deploys ? DEPLOY_LOOPS : most < 8 ? most : 8;
    const double before_loop = sample(r, t, 0);
    double spent = sample(r, t, 1);
    while (spent < SAMPLE_NS + before_loop && t->n < most && !u->deploys) {
        t->n = 2 * t->n < most ? 2 * t->n : most;
        spent = sample(r, t, 1);
    }
    if (spent < SAMPLE_NS) t->runs = (uint32_t)(SAMPLE_NS / spent) + 1;
}

static void prepare(rig *r, trial *t, const unit *u, bool first)
{
    t->unit = u;
    t->unroll = u->stops || u->once ? 1 : u->class != UNIT_STATE && !u->big ? UNROLL : UNROLL_LONG;
    for (int k = 0; k < 2; k++) {
        tw_code_free(t->code[k]);
        t->code[k] = compile(r, t, k == 1);
    }
    if (first) choose_rounds(r, t);
}

/* One sample in QUICK is faster. It sorts them. */
static double quick(double *samples, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const double one = samples[i];
        uint32_t k = i;
        for (; k > 0 && samples[k - 1] > one; k--) samples[k] = samples[k - 1];
        samples[k] = one;
    }
    return samples[count / QUICK];
}

static void finish(trial *t, uint32_t rounds)
{
    const double times = (double)t->n * t->unroll;
    t->unit_ns = (quick(t->ns[1], rounds) - quick(t->ns[0], rounds)) / times;
    t->unit_gas = (double)(t->gas[1] - t->gas[0]) / times;
    if (t->unit->stops) t->unit_gas = (double)t->gas[1] - (double)t->gas[0];
}

/* ---- tables ---- */

static void print_table(const trial *trials, uint32_t count, unit_class class)
{
    printf("| instruction | size | ns | gas | ns a gas | gas that it would be |\n"
           "|---|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        const trial *t = &trials[i];
        if (t->unit->class != class) continue;
        printf("| %s | %u | %.2f | %.1f | %.3f | %.0f |\n", t->unit->name, t->unit->size,
               t->unit_ns, t->unit_gas, t->unit_gas > 0 ? t->unit_ns / t->unit_gas : 0.0,
               t->unit_ns * gas_a_ns);
    }
    printf("\n");
}

/* Of the classes up to `last`. Units that end the entry are left out: what they cost is the end of
 * an entry. */
static void print_worst(const trial *trials, uint32_t count, unit_class last)
{
    const trial *dear = NULL;
    const trial *cheap = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const trial *t = &trials[i];
        if (t->unit->class > last || t->unit->stops || t->unit_gas <= 0) continue;
        const double ratio = t->unit_ns / t->unit_gas;
        if (dear == NULL || ratio > dear->unit_ns / dear->unit_gas) dear = t;
        if (cheap == NULL || ratio < cheap->unit_ns / cheap->unit_gas) cheap = t;
    }
    const double most = dear->unit_ns / dear->unit_gas;
    const double least = cheap->unit_ns / cheap->unit_gas;
    printf("Most time for a gas: %s (%u), %.3f ns. Least: %s (%u), %.3f ns. Ratio %.2f.\n\n",
           dear->unit->name, dear->unit->size, most, cheap->unit->name, cheap->unit->size, least,
           most / least);
}

/* By name: the part that does not depend on the size, and the part for each one of it. */
static void print_slopes(const trial *trials, uint32_t count)
{
    printf("| instruction | sizes | gas of the least | gas for each more |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        const trial *least = &trials[i];
        const trial *most = least;
        bool first = true;
        for (uint32_t k = 0; k < count; k++) {
            if (strcmp(trials[k].unit->name, least->unit->name) != 0) continue;
            first = first && k >= i;
            if (trials[k].unit->size > most->unit->size) most = &trials[k];
        }
        if (!first || most == least) continue;
        const double slope =
            (most->unit_ns - least->unit_ns) / (most->unit->size - least->unit->size);
        printf("| %s | %u .. %u | %.0f | %.2f |\n", least->unit->name, least->unit->size,
               most->unit->size, least->unit_ns * gas_a_ns, slope * gas_a_ns);
    }
    printf("\n");
}

/* ---- what is no instruction ---- */

typedef struct around {
    const char *name;
    uint64_t gas;
    double ns;
} around;

static around measure_signature(const rig *r)
{
    tw_secret secret;
    tw_account account;
    tw_signature signature;
    const tw_hash message = tw_sha256("bench", 5);
    enum { CHECKS = 300 };
    (void)r;
    tw_secret_from_seed("bench", &secret);
    if (!tw_secret_account(&secret, &account) || !tw_sign(&secret, &message, &signature)) exit(1);
    const uint64_t start = rig_clock_ns();
    for (int i = 0; i < CHECKS; i++) {
        if (!tw_verify(&account, &message, &signature)) exit(1);
    }
    const double ns = (double)(rig_clock_ns() - start) / CHECKS;
    return (around){"a signature", TW_GAS_SIGNATURE, ns};
}

static around measure_entry(rig *r, const char *name, uint16_t signers)
{
    enum { RUNS = 1000 };
    tw_outcome outcome = {0};
    const uint16_t entry = rig_entry(r, name);
    const uint64_t start = rig_clock_ns();
    for (int i = 0; i < RUNS; i++) rig_run(r, r->plain, entry, 1, signers, &outcome);
    rig_must(outcome.status, name, NULL);
    return (around){name, outcome.gas, (double)(rig_clock_ns() - start) / RUNS};
}

/* By the byte: a module as a deploy brings it, its hash too. */
static around measure_module(rig *r)
{
    enum { RUNS = 100 };
    const tw_bytes bytes = r->plain->bytes;
    tw_err err = {0};
    const uint64_t start = rig_clock_ns();
    for (int i = 0; i < RUNS; i++) {
        tw_code *code = NULL;
        rig_must(tw_code_new(bytes, NULL, &code, &err), "module", &err);
        tw_code_free(code);
    }
    const double ns = (double)(rig_clock_ns() - start) / RUNS / (double)bytes.size;
    return (around){"a byte of a module", TW_GAS_VERIFY_BYTE, ns};
}

static around measure_condition(rig *r)
{
    enum { RUNS = 2000 };
    bool holds = false;
    uint64_t gas = 0;
    const uint16_t function = r->module->alarms[0].raise;
    r->contract->code = r->plain;
    const uint64_t start = rig_clock_ns();
    for (int i = 0; i < RUNS; i++) {
        rig_must(tw_exec_condition(r->exec, r->contract, function, r->now, &holds, &gas),
                 "condition", NULL);
    }
    return (around){"an alarm's condition", gas, (double)(rig_clock_ns() - start) / RUNS};
}

/* Readings of one pack into a window; the savepoint takes them out again. */
static around measure_intake(rig *r, const char *name, uint16_t reading, bool good)
{
    enum { READINGS = 2000 };
    static tw_pack_reading readings[READINGS];
    tw_savepoint before;
    tw_intake taken;
    tw_arena *arena = tw_arena_new(64 * 1024 * 1024);
    for (int i = 0; i < READINGS; i++) {
        const int64_t time = r->now + 1000 * (i + 1);
        readings[i] = (tw_pack_reading){reading, good ? time : 1, i % 1000};
    }
    r->contract->code = r->plain;
    rig_must(tw_overlay_mark(r->overlay, &before), "mark", NULL);
    const uint64_t start = rig_clock_ns();
    rig_must(tw_intake_run(r->exec, r->contract, &r->sensor, readings, READINGS,
                           r->now + 1000 * READINGS, arena, &taken),
             name, NULL);
    const double ns = (double)(rig_clock_ns() - start) / READINGS;
    tw_overlay_undo(r->overlay, before);
    rig_must(tw_contract_load_control(r->contract), "control", NULL);
    tw_arena_free(arena);
    return (around){name, taken.gas / READINGS, ns};
}

enum { AROUNDS = 10 };

static void measure_around(rig *r, around *list)
{
    list[0] = measure_signature(r);
    list[1] = measure_entry(r, "measured", 1);
    list[2] = measure_entry(r, "make", 1);
    list[3] = measure_entry(r, "seen", 0);
    list[4] = measure_entry(r, "nothing", 0);
    list[5] = measure_condition(r);
    list[6] = measure_intake(r, "a reading taken in", 0, true);
    list[7] = measure_intake(r, "a reading with 2 stamps and an alarm", 1, true);
    list[8] = measure_intake(r, "a reading refused", 0, false);
    list[9] = measure_module(r);
}

static void print_around(around all[][AROUNDS], uint32_t rounds)
{
    printf("| beside instructions | ns | gas | ns a gas | gas that it would be |\n"
           "|---|---|---|---|---|\n");
    for (uint32_t k = 0; k < AROUNDS; k++) {
        static double samples[ROUNDS_MAX];
        for (uint32_t i = 0; i < rounds; i++) samples[i] = all[i][k].ns;
        const double ns = quick(samples, rounds);
        const uint64_t gas = all[0][k].gas;
        printf("| %s | %.1f | %llu | %.3f | %.0f |\n", all[0][k].name, ns, (unsigned long long)gas,
               ns / (double)gas, ns * gas_a_ns);
    }
    printf("\n");
}

static void print_all(const trial *trials, uint32_t count, uint32_t rounds)
{
    printf("Instructions, %u rounds:\n\n", rounds);
    print_table(trials, count, UNIT_PURE);
    print_worst(trials, count, UNIT_PURE);
    printf("Those that cost more for what receipts keep of them for ever:\n\n");
    print_table(trials, count, UNIT_KEPT);
    printf("Those that cost what their harder case does, as it is known too late which it is:\n\n");
    print_table(trials, count, UNIT_EASY);
    printf("With both of these:\n\n");
    print_worst(trials, count, UNIT_EASY);
    printf("Those that look into the state, all of it in memory; their gas is that of a disk:\n\n");
    print_table(trials, count, UNIT_STATE);
    print_slopes(trials, count);
}

/* 0: not a number of rounds. */
static uint32_t rounds_of(const char *text)
{
    char *end = NULL;
    const unsigned long rounds = strtoul(text, &end, 10);
    return *end == 0 && rounds <= ROUNDS_MAX ? (uint32_t)rounds : 0;
}

int main(int argc, char **argv)
{
    static units list;
    static trial trials[UNITS_MAX];
    static around beside[ROUNDS_MAX][AROUNDS];
    rig r;
    const uint32_t rounds = argc > 2 ? rounds_of(argv[2]) : ROUNDS;
    if (argc < 2 || argc > 3 || rounds == 0) {
        fprintf(stderr, "usage: bench_gas calibrate.twc [ROUNDS], from 1 to %u\n", ROUNDS_MAX);
        return 2;
    }
    rig_open(&r, argv[1]);
    units_fill(&r, &list);
    for (uint32_t round = 0; round < rounds; round++) {
        for (uint32_t i = 0; i < list.count && round % PASS == 0; i++) {
            prepare(&r, &trials[i], &list.items[i], round == 0);
        }
        for (uint32_t i = 0; i < list.count; i++) {
            for (int k = 0; k < 2; k++) {
                trials[i].ns[k][round] = sample(&r, &trials[i], k);
            }
        }
        measure_around(&r, beside[round]);
    }
    for (uint32_t i = 0; i < list.count; i++) {
        finish(&trials[i], rounds);
        tw_code_free(trials[i].code[0]);
        tw_code_free(trials[i].code[1]);
    }
    print_all(trials, list.count, rounds);
    print_around(beside, rounds);
    rig_close(&r);
    return 0;
}
