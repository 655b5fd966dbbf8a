/* coverage -- what generated programs contained, what was executed of it, how runs ended: a table
 * for people, and whether anything is missing.
 *
 * Used by differ.c.
 */
#ifndef TW_TESTS_GENERATE_COVERAGE_H
#define TW_TESTS_GENERATE_COVERAGE_H

#include "tests/generate/scene.h"
#include "tests/reference/both.h"

typedef struct coverage {
    uint64_t programs;
    uint64_t instructions; /* in the modules */
    uint64_t bytes;
    uint64_t emitted[256];
    uint64_t emitted_stat[TW_STAT_END]; /* by STAT, and by ACROSS */
    uint64_t emitted_across[TW_STAT_END];
} coverage;

void coverage_add(coverage *c, const tw_module *m, size_t bytes);
void coverage_print(const coverage *c, const scene_tally *seen);
/* How many instructions, statistics and traps were never met; each is printed. */
uint32_t coverage_missing(const scene_tally *seen);

#endif
