/* both -- the reference put under the machine: linked into a program with both_dep, each
 * tw_exec_run, tw_exec_condition and tw_intake_run runs the reference first, undoes it, runs the
 * machine, and compares all that came of them. A difference is printed and ends the program.
 *
 * How: the linker's --wrap sends the calls here. What is compared: status, index, fields, notices,
 * counts, gas, function and pc, the written keys and the bytes under each, the contract's records
 * in memory. What an entry used is held against its bound. With TWVM_BOUNDS_REPORT=FILE in the
 * environment each entry's bound and the most that it used are appended to FILE at the end.
 */
#ifndef TW_TEST_REFERENCE_BOTH_H
#define TW_TEST_REFERENCE_BOTH_H

#include "tests/reference/reference.h"

typedef struct both_totals {
    uint64_t runs, conditions, packs; /* judged: run on both and compared */
    uint64_t unjudged;                /* ended by a failure of the host: no memory, no store */
    const ref_totals *executed;
} both_totals;

/* Since the program's start. */
both_totals both_totals_now(void);

/* For the canaries in test_both.c: from now on the reference says something else. */
typedef enum both_spoil {
    BOTH_SPOIL_NOTHING = 0,
    BOTH_SPOIL_STATUS,
    BOTH_SPOIL_GAS,
    BOTH_SPOIL_PLACE,
    BOTH_SPOIL_NOTICE,
    BOTH_SPOIL_WRITTEN, /* a byte under a key */
    BOTH_SPOIL_KEY,     /* a key less */
    BOTH_SPOIL_MEMORY,  /* the contract in memory */
    BOTH_SPOIL_BOUND,   /* it used more */
    BOTH_SPOIL_PACK,    /* a reading less of a pack */
    BOTH_SPOIL_LOOKS,   /* a pack looked at more */
    BOTH_SPOIL_CHANGES, /* a pack wrote more */
} both_spoil;

void both_spoil_from_now(both_spoil what);

/* Whether two runs came to the same, as far as an outcome says. */
bool both_same_outcome(const tw_outcome *one, const tw_outcome *other);

#endif
