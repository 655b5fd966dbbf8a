/* trial -- one test of a contract, run on a ledger of its own in memory.
 *
 * Called by `twvm test` for each `test` block. Everything is what a node does: the same bytecode,
 * signed packs and transactions, blocks, timers, gas. Keys come from fixed seeds, time starts at
 * 2026-01-01T00:00:00Z, so a test gives the same result everywhere.
 */
#ifndef TW_RUNNER_TRIAL_H
#define TW_RUNNER_TRIAL_H

#include "compiler/twc.h"
#include "vm/ledger/ledger.h"

/* What the runs of one entry used; for the gas report. */
typedef struct tw_trial_gas {
    uint64_t runs;
    uint64_t gas_max;
} tw_trial_gas;

/* Runs of a timer or handler that failed while a fuzz test searched. */
typedef struct tw_trial_failures {
    uint64_t count;
    char why[96]; /* of the first */
} tw_trial_failures;

/* What the search of a fuzz test did. */
typedef struct tw_trial_found {
    uint64_t runs, steps;
    uint64_t failed_run; /* from 1; 0: none failed */
    uint32_t drawn;      /* steps of that run, and what is left of them */
    uint32_t left;
    tw_writer block;                /* the failure as a test to be pasted */
    const twc_fuzz_action *actions; /* drawn from; `calls` and `succeeded` go by them */
    uint64_t *calls, *succeeded;
    uint32_t action_count;
    tw_trial_failures *failures; /* by entry of the contract */
} tw_trial_found;

typedef struct tw_trial_options {
    const char *path;    /* of the source, for the files that tests name; may be NULL */
    uint64_t runs;       /* of each fuzz test; 0: as it says */
    uint64_t seed;       /* searches elsewhere; 0: as the test's name says */
    uint64_t blocks_max; /* more are refused; 0: as many as it takes */
    void (*progress)(void *context, uint64_t runs, uint64_t of); /* may be NULL */
    void *context;
} tw_trial_options;

typedef struct tw_trial_report {
    bool passed;
    uint32_t line;  /* of the step that failed */
    tw_writer text; /* what went wrong, one or more lines */
    uint64_t blocks;
    uint64_t readings;
    tw_hash history;   /* of all block hashes, one after another: every root and receipt is in it */
    tw_trial_gas *gas; /* of each entry of the contract; the caller's memory, may be NULL */
    bool is_fuzz;
    tw_trial_found found;
} tw_trial_report;

/* Runs the test. TW_OK also when it fails: ret_report says so, until tw_trial_report_free. Other
 * statuses are failures of this computer, with a sentence in `err`. */
TW_MUST_USE tw_status tw_trial_run(const twc_unit *unit, const twc_test *test,
                                   const tw_trial_options *options, tw_trial_report *ret_report,
                                   tw_err *err);
void tw_trial_report_free(tw_trial_report *report);

#endif
