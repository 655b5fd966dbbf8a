/* bench -- the workloads of bench.h on every engine that is there, in one run.
 *
 * Called by bench/run. Each round lets every engine do every workload once, so that what else the
 * computer does meets all of them alike; what counts is the median of the rounds. After each
 * measurement the engine's checksum must be that of plain C for as many calls, or the program ends
 * with an error: an engine that computes something else is not compared.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUNS_MAX = 99, CALLS_MAX = 1 << 30, PATH_SIZE = 4096, WORD_SIZE = 32 };

typedef struct options {
    const char *folder; /* of the workloads */
    const char *build;  /* where bench.json and bench.svg go */
    const char *only, *engines;
    uint32_t runs;
    uint64_t ns_wanted; /* for one measurement */
    bool plot, check;
} options;

typedef struct job {
    uint64_t calls;
    uint64_t checksum; /* what plain C says */
    uint64_t ns[RUNS_MAX];
} job;

typedef struct bench {
    options options;
    bench_engine engines[BENCH_ENGINES_MAX];
    uint32_t engine_count;
    job jobs[BENCH_COUNT][BENCH_ENGINES_MAX];
    bench_report report;
} bench;

/* What --only and --engines may name. */
static const char workload_names[] =
    "a,b,c,d,e,f,arithmetic,window,median,polynomial,transfer,start";
static const char engine_names[] = "c,c_unchecked,twvm,wasm,luajit,luajit_off";

static const struct {
    char letter;
    const char *name, *unit;
    uint64_t units;
} workloads[BENCH_COUNT] = {
#define ROW(ID, letter, name, unit, units) {letter, name, unit, units},
    BENCH_WORKLOADS(ROW)
#undef ROW
};

char bench_letter(bench_id id)
{
    return workloads[id].letter;
}

const char *bench_name(bench_id id)
{
    return workloads[id].name;
}

const char *bench_unit(bench_id id)
{
    return workloads[id].unit;
}

uint64_t bench_units(bench_id id)
{
    return workloads[id].units;
}

/* ---- choosing ---- */

/* Whether a list "a,b" has this word; no list has all of them. */
static bool listed(const char *list, const char *word)
{
    if (list == NULL) return true;
    const size_t size = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        if (*at == ',') at++;
        if (strncmp(at, word, size) == 0 && (at[size] == ',' || at[size] == '\0')) return true;
    }
    return false;
}

/* Whether each word of a list is one of the names: a misspelt one would measure nothing. */
static bool known(const char *list, const char *names)
{
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        char word[WORD_SIZE];
        if (*at == ',') at++;
        const size_t size = strcspn(at, ",");
        if (size == 0 || size >= sizeof word) return false;
        memcpy(word, at, size);
        word[size] = '\0';
        if (listed(names, word)) continue;
        fprintf(stderr, "bench: %s is none of %s\n", word, names);
        return false;
    }
    return true;
}

static bool wanted(const bench *b, bench_id id)
{
    const char letter[2] = {workloads[id].letter, '\0'};
    return listed(b->options.only, letter) || listed(b->options.only, workloads[id].name);
}

static bool measured(const bench *b, bench_id id, uint32_t engine)
{
    return wanted(b, id) && (b->engines[engine].workloads >> id & 1) != 0;
}

static void open_child(bench *b, const char *name, const char *const *command)
{
    if (!listed(b->options.engines, name)) return;
    if (bench_child_open(name, command, &b->engines[b->engine_count])) b->engine_count++;
}

/* Plain C stands first, wanted or not: it is what all are compared with. */
static void open_engines(bench *b)
{
    bench_engine *e = b->engines;
    const options *o = &b->options;
    char lua[PATH_SIZE], node[PATH_SIZE], peer[PATH_SIZE], start[PATH_SIZE];
    snprintf(lua, sizeof lua, "%s/peer.lua", o->folder);
    snprintf(node, sizeof node, "%s/peer.mjs", o->folder);
    snprintf(peer, sizeof peer, "%s/bench/peer.wasm", o->build);
    snprintf(start, sizeof start, "%s/bench/start.wasm", o->build);
    if (bench_native_open(true, &e[b->engine_count])) b->engine_count++;
    if (listed(o->engines, "c_unchecked")) {
        if (bench_native_open(false, &e[b->engine_count])) b->engine_count++;
    }
    if (listed(o->engines, "twvm")) {
        if (bench_machine_open(o->folder, &e[b->engine_count])) b->engine_count++;
    }
    open_child(b, "wasm", (const char *const[]){"node", node, peer, start, NULL});
    open_child(b, "luajit", (const char *const[]){"luajit", lua, NULL});
    open_child(b, "luajit_off", (const char *const[]){"luajit", "-joff", lua, NULL});
}

/* ---- measuring ---- */

static void note(const char *text, bench_id id, const char *engine)
{
    if (isatty(STDERR_FILENO) == 0) return;
    fprintf(stderr, "\r\033[K%s: %s in %s", text, workloads[id].name, engine);
}

static void note_end(void)
{
    if (isatty(STDERR_FILENO) != 0) fprintf(stderr, "\r\033[K");
}

static void run(bench *b, bench_id id, uint32_t engine, uint64_t calls, bench_sample *ret_sample)
{
    bench_engine *e = &b->engines[engine];
    if (!e->run(e, id, calls, ret_sample)) {
        fprintf(stderr, "bench: %s failed in %s\n", e->name, workloads[id].name);
        exit(1);
    }
}

/* How many calls take about as long as wanted. */
static uint64_t calibrate(bench *b, bench_id id, uint32_t engine)
{
    bench_sample sample = {0};
    uint64_t calls = 1;
    while (calls < CALLS_MAX) {
        run(b, id, engine, calls, &sample);
        if (sample.ns >= b->options.ns_wanted / 8) break;
        calls *= 2;
    }
    const uint64_t ns = sample.ns > 0 ? sample.ns : 1;
    const uint64_t fitting = (uint64_t)((double)calls * (double)b->options.ns_wanted / (double)ns);
    if (fitting == 0) return 1;
    return fitting < CALLS_MAX ? fitting : CALLS_MAX;
}

static void prepare(bench *b)
{
    for (int id = 0; id < BENCH_COUNT; id++) {
        for (uint32_t e = 0; e < b->engine_count; e++) {
            if (!measured(b, (bench_id)id, e)) continue;
            job *j = &b->jobs[id][e];
            bench_sample sample;
            note("preparing", (bench_id)id, b->engines[e].name);
            j->calls = b->options.check ? 40 : calibrate(b, (bench_id)id, e);
            run(b, (bench_id)id, 0, j->calls, &sample);
            j->checksum = sample.checksum;
        }
    }
}

static void measure(bench *b, bench_id id, uint32_t engine, uint32_t round)
{
    job *j = &b->jobs[id][engine];
    bench_sample sample;
    run(b, id, engine, j->calls, &sample);
    if (sample.checksum != j->checksum) {
        note_end();
        fprintf(stderr, "bench: %s computes %llu in %s, plain C %llu (%llu calls)\n",
                b->engines[engine].name, (unsigned long long)sample.checksum, workloads[id].name,
                (unsigned long long)j->checksum, (unsigned long long)j->calls);
        exit(1);
    }
    j->ns[round] = sample.ns;
}

static void sort(uint64_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const uint64_t value = values[i];
        uint32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1];
        values[at] = value;
    }
}

static void summarise(bench *b)
{
    bench_report *r = &b->report;
    r->engines = b->engines;
    r->engine_count = b->engine_count;
    for (int id = 0; id < BENCH_COUNT; id++) {
        for (uint32_t e = 0; e < b->engine_count; e++) {
            if (!measured(b, (bench_id)id, e)) continue;
            job *j = &b->jobs[id][e];
            const double units = (double)j->calls * (double)workloads[id].units;
            sort(j->ns, b->options.runs);
            r->results[id][e] = (bench_result){
                .measured = true,
                .median_ps = (uint64_t)((double)j->ns[b->options.runs / 2] * 1000 / units),
                .best_ps = (uint64_t)((double)j->ns[0] * 1000 / units)};
        }
    }
}

static void measure_all(bench *b)
{
    prepare(b);
    for (uint32_t round = 0; round < b->options.runs; round++) {
        char text[32];
        snprintf(text, sizeof text, "round %u of %u", round + 1, b->options.runs);
        for (int id = 0; id < BENCH_COUNT; id++) {
            for (uint32_t e = 0; e < b->engine_count; e++) {
                if (!measured(b, (bench_id)id, e)) continue;
                note(text, (bench_id)id, b->engines[e].name);
                measure(b, (bench_id)id, e, round);
            }
        }
    }
    note_end();
    summarise(b);
}

/* ---- what is printed and written ---- */

static void print_time(uint64_t ps)
{
    if (ps >= 10000000) {
        printf("%.1f µs", (double)ps / 1e6);
    } else {
        printf(ps < 100000 ? "%.2f ns" : "%.0f ns", (double)ps / 1e3);
    }
}

static void print_cell(const bench_report *r, int id, uint32_t e)
{
    const bench_result *own = &r->results[id][e];
    const bench_result *base = &r->results[id][r->reference];
    if (!own->measured) {
        printf(" - |");
        return;
    }
    printf(" ");
    print_time(own->median_ps);
    if (e == r->reference || !base->measured || base->median_ps == 0 || base->best_ps == 0) {
        printf(" [");
        print_time(own->best_ps);
        printf("] |");
        return;
    }
    printf(", %.2fx [%.2fx] |", (double)own->median_ps / (double)base->median_ps,
           (double)own->best_ps / (double)base->best_ps);
}

static void print_table(const bench *b)
{
    const bench_report *r = &b->report;
    printf("| workload | for one |");
    for (uint32_t e = 0; e < r->engine_count; e++) printf(" %s |", r->engines[e].name);
    printf("\n|---|---|");
    for (uint32_t e = 0; e < r->engine_count; e++) printf("---|");
    printf("\n");
    for (int id = 0; id < BENCH_COUNT; id++) {
        if (!wanted(b, (bench_id)id)) continue;
        printf("| (%c) %s | %s |", workloads[id].letter, workloads[id].name, workloads[id].unit);
        for (uint32_t e = 0; e < r->engine_count; e++) print_cell(r, id, e);
        printf("\n");
    }
}

/* What (f) starts from is not of one size. */
static void print_sizes(const bench *b)
{
    if (!wanted(b, BENCH_START)) return;
    const char *before = "\n(f) starts from";
    for (uint32_t e = 0; e < b->engine_count; e++) {
        if (!measured(b, BENCH_START, e)) continue;
        printf("%s %zu bytes in %s", before, b->engines[e].module_size, b->engines[e].name);
        before = ",";
    }
    printf(*before == ',' ? ".\n" : "");
}

static bool write_json(const bench *b)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/bench.json", b->options.build);
    FILE *file = fopen(path, "w");
    if (file == NULL) return false;
    const bench_report *r = &b->report;
    const char *before = "[\n";
    for (int id = 0; id < BENCH_COUNT; id++) {
        for (uint32_t e = 0; e < r->engine_count; e++) {
            const bench_result *own = &r->results[id][e];
            const bench_result *base = &r->results[id][r->reference];
            if (!own->measured) continue;
            fprintf(file, "%s  {\"workload\": \"%s\", \"engine\": \"%s\", \"unit\": \"ns\", ",
                    before, workloads[id].name, r->engines[e].name);
            fprintf(file, "\"median\": %.3f, \"best\": %.3f, \"ratio_to_c\": ",
                    (double)own->median_ps / 1e3, (double)own->best_ps / 1e3);
            if (base->measured && base->median_ps > 0) {
                fprintf(file, "%.3f}", (double)own->median_ps / (double)base->median_ps);
            } else {
                fprintf(file, "null}");
            }
            before = ",\n";
        }
    }
    fprintf(file, "%s]\n", *before == ',' ? "\n" : before);
    return fclose(file) == 0;
}

static bool write_plot(const bench *b)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/bench.svg", b->options.build);
    return bench_plot(&b->report, path);
}

static int cannot_write(const bench *b, const char *name)
{
    fprintf(stderr, "bench: cannot write %s/%s\n", b->options.build, name);
    return 1;
}

/* ---- the command line ---- */

static int usage(FILE *to)
{
    fprintf(
        to,
        "usage: ./dev bench [--only LIST] [--engines LIST] [--runs N] [--ms N] [--plot] [--check]\n"
        "       ./dev bench feed [READINGS [READINGS_OF_PACKS_OF_1]]\n"
        "       ./dev bench state [OPTION...]\n\n"
        "  --only LIST     workloads by letter or name: a,b or arithmetic,window\n"
        "  --engines LIST  beside c: c_unchecked, twvm, wasm, luajit, luajit_off\n"
        "  --runs N        rounds, of which the median counts (9)\n"
        "  --ms N          how long one measurement takes about (25)\n"
        "  --plot          write bench.svg beside bench.json\n"
        "  --check         compare the results of all engines once, measure nothing\n");
    return to == stdout ? 0 : 2;
}

static bool option(bench *b, char **argv, int count, int *at)
{
    options *o = &b->options;
    const char *word = argv[*at];
    const char *value = *at + 1 < count ? argv[*at + 1] : NULL;
    if (strcmp(word, "--plot") == 0) {
        o->plot = true;
    } else if (strcmp(word, "--check") == 0) {
        o->check = true;
        o->runs = 1;
    } else if (value == NULL) {
        return false;
    } else if (strcmp(word, "--only") == 0) {
        o->only = value, (*at)++;
        return known(value, workload_names);
    } else if (strcmp(word, "--engines") == 0) {
        o->engines = value, (*at)++;
        return known(value, engine_names);
    } else if (strcmp(word, "--runs") == 0) {
        o->runs = (uint32_t)strtoul(value, NULL, 10), (*at)++;
    } else if (strcmp(word, "--ms") == 0) {
        o->ns_wanted = strtoull(value, NULL, 10) * 1000000, (*at)++;
    } else {
        return false;
    }
    return o->runs >= 1 && o->runs <= RUNS_MAX && o->ns_wanted > 0;
}

int main(int argc, char **argv)
{
    static bench b = {.options = {.runs = 9, .ns_wanted = 25000000}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return usage(stdout);
    }
    if (argc < 3) return usage(stderr);
    b.options.folder = argv[1];
    b.options.build = argv[2];
    for (int i = 3; i < argc; i++) {
        if (!option(&b, argv, argc, &i)) return usage(stderr);
    }
    open_engines(&b);
    measure_all(&b);
    if (!b.options.check) {
        print_table(&b);
        print_sizes(&b);
        if (!write_json(&b)) return cannot_write(&b, "bench.json");
        if (b.options.plot && !write_plot(&b)) return cannot_write(&b, "bench.svg");
    }
    for (uint32_t e = 0; e < b.engine_count; e++) {
        if (b.engines[e].close != NULL) b.engines[e].close(&b.engines[e]);
    }
    return 0;
}
