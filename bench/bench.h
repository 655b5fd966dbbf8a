/* bench -- what the parts of the benchmark program share: the workloads, and what an engine is.
 *
 * Included by bench.c (rounds, table), machine.c (this machine), native.c (plain C), child.c
 * (engines in processes of their own) and plot.c.
 */
#ifndef TW_BENCH_BENCH_H
#define TW_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* WORKLOAD(ID, letter, name, unit, units in one call) */
#define BENCH_WORKLOADS(WORKLOAD)                                                                  \
    WORKLOAD(ARITHMETIC, 'a', "arithmetic", "iteration", 10000)                                    \
    WORKLOAD(WINDOW, 'b', "window", "reading", 256)                                                \
    WORKLOAD(MEDIAN, 'c', "median", "median of 64", 16)                                            \
    WORKLOAD(POLYNOMIAL, 'd', "polynomial", "polynomial", 1000)                                    \
    WORKLOAD(TRANSFER, 'e', "transfer", "transfer", 1)                                             \
    WORKLOAD(START, 'f', "start", "cold start", 1)

#define BENCH_ID(ID, letter, name, unit, units) BENCH_##ID,
typedef enum bench_id { BENCH_WORKLOADS(BENCH_ID) BENCH_COUNT } bench_id;
#undef BENCH_ID

/* One measurement: `calls` calls from a fresh start, and what they computed. */
typedef struct bench_sample {
    uint64_t ns;
    uint64_t checksum;
} bench_sample;

typedef struct bench_engine bench_engine;
struct bench_engine {
    const char *name;
    void *data;
    uint32_t workloads; /* bit w: it has workload w */
    size_t module_size; /* bytes of what it starts from in (f) */
    /* False, with a line on stderr, when it does not work. */
    bool (*run)(bench_engine *engine, bench_id id, uint64_t calls, bench_sample *ret_sample);
    void (*close)(bench_engine *engine);
};

/* Each fills an engine that lives until its close. False: not on this computer. */
bool bench_machine_open(const char *folder, bench_engine *ret_engine);
bool bench_native_open(bool checked, bench_engine *ret_engine);
/* A program that reads and answers lines: see child.c. The command ends with NULL. */
bool bench_child_open(const char *name, const char *const *command, bench_engine *ret_engine);

/* What came of one engine in one workload, in thousandths of a nanosecond for each unit. */
typedef struct bench_result {
    bool measured;
    uint64_t median_ps, best_ps;
} bench_result;

enum { BENCH_ENGINES_MAX = 8, BENCH_SEED = 20260101 };

/* All of a run: results[workload][engine]; the engine `reference` is what ratios are to. */
typedef struct bench_report {
    const bench_engine *engines;
    uint32_t engine_count;
    uint32_t reference;
    bench_result results[BENCH_COUNT][BENCH_ENGINES_MAX];
} bench_report;

/* Writes the ratios as a picture. False: the file cannot be written. */
bool bench_plot(const bench_report *report, const char *path);

char bench_letter(bench_id id);
const char *bench_name(bench_id id);
const char *bench_unit(bench_id id);
uint64_t bench_units(bench_id id);

/* Time that the processor spent on this process: what else runs on the computer is not in it. Each
 * engine takes this time of itself. */
static inline uint64_t bench_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#endif
