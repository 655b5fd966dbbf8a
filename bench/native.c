/* native -- the workloads in plain C as engines: with each operation checked, and without.
 *
 * Called by bench.c. What peer.c computes stands in a translation unit of its own and gets its seed
 * at run time, so nothing can be worked out before.
 */
#include "bench.h"

#include "workloads/peer.h"

#include <stdio.h>

typedef struct native {
    void (*prepare)(int workload, uint32_t seed);
    int (*run)(int workload, uint32_t calls);
    uint32_t (*finish)(int workload);
} native;

static native both[2] = {{unchecked_prepare, unchecked_run, unchecked_finish},
                         {checked_prepare, checked_run, checked_finish}};

static bool run(bench_engine *engine, bench_id id, uint64_t calls, bench_sample *ret_sample)
{
    const native *n = engine->data;
    n->prepare((int)id, BENCH_SEED);
    const uint64_t start = bench_clock_ns();
    const bool good = n->run((int)id, (uint32_t)calls) != 0;
    ret_sample->ns = bench_clock_ns() - start;
    ret_sample->checksum = n->finish((int)id);
    if (!good) fprintf(stderr, "bench: plain C left its range\n");
    return good;
}

bool bench_native_open(bool checked, bench_engine *ret_engine)
{
    *ret_engine = (bench_engine){.name = checked ? "c" : "c_unchecked",
                                 .data = &both[checked],
                                 .workloads = (1u << BENCH_START) - 1,
                                 .run = run};
    return true;
}
