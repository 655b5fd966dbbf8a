/* peer -- the workloads in plain C, for the machine to be measured against.
 *
 * peer.c is compiled three times, under another name each: for this computer with each operation
 * checked for overflow, as a contract's are, and without; and for WebAssembly, checked. Called by
 * native.c, and in node by peer.mjs. A run is prepare, run, finish; only run is timed. The checksum
 * is made so that every language can make it with exact numbers below 2^53.
 */
#ifndef TW_BENCH_PEER_H
#define TW_BENCH_PEER_H

#include <stdint.h>

/* run: 0 when arithmetic left its range, which these workloads never do. finish: the checksum. */
#define PEER_DECLARE(PREFIX)                                                                       \
    void PREFIX##_prepare(int workload, uint32_t seed);                                            \
    int PREFIX##_run(int workload, uint32_t calls);                                                \
    uint32_t PREFIX##_finish(int workload)

PEER_DECLARE(checked);
PEER_DECLARE(unchecked);
PEER_DECLARE(wasm);

#endif
