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

typedef struct tw_trial_report {
    bool passed;
    uint32_t line;  /* of the step that failed */
    tw_writer text; /* what went wrong, one or more lines; freed by the caller */
    uint64_t blocks;
    uint64_t readings;
    tw_trial_gas *gas; /* of each entry of the contract; the caller's memory, may be NULL */
} tw_trial_report;

/* Runs the test. TW_OK also when it fails: ret_report says so. Other statuses are failures of this
 * computer, with a sentence in `err`. */
TW_MUST_USE tw_status tw_trial_run(const twc_unit *unit, const twc_test *test,
                                   tw_trial_report *ret_report, tw_err *err);

#endif
