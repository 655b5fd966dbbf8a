/* fuzz_run -- what compiles, run: each test of the source on a ledger in memory, and calls that are
 * drawn from the last contract's actions. Tests may fail; no more than a few blocks are made, and
 * nothing happens that the ledger says can't happen. */
#include "compiler/twc.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/mutate.h"
#include "vm/base/arena.h"
#include "vm/runner/trial.h"

#include <string.h>

enum { BLOCKS_MAX = 60, TESTS_MAX = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A replay would read files of this computer. */
static bool reads_files(const twc_step *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (steps[i].kind == TWC_STEP_REPLAY) return true;
        if (reads_files(steps[i].steps, steps[i].step_count)) return true;
    }
    return false;
}

static void run_test(const twc_unit *unit, const twc_test *test)
{
    const tw_trial_options options = {.runs = 2, .blocks_max = BLOCKS_MAX};
    tw_trial_report report = {.passed = false};
    tw_err err = {.status = TW_OK};
    if (reads_files(test->steps, test->step_count)) return;
    const tw_status status = tw_trial_run(unit, test, &options, &report, &err);
    check(status != TW_ERR_INTERNAL && status != TW_ERR_CORRUPT);
    tw_trial_report_free(&report);
}

/* The first few tests of each contract; those that draw, or the others. */
static void run_tests(const twc_result *result, bool draws)
{
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        const twc_unit *unit = twc_result_unit(result, i);
        uint32_t left = TESTS_MAX;
        for (uint32_t k = 0; k < unit->test_count && left > 0; k++) {
            if ((unit->tests[k].fuzz != NULL) != draws) continue;
            run_test(unit, &unit->tests[k]);
            left--;
        }
    }
}

/* The source with a test that draws calls at the end of its last contract. */
static void run_drawn(const uint8_t *data, size_t size)
{
    static const char test[] = "\n  test fuzz \"drawn\" runs 2 steps 20 {\n"
                               "    expect now == now\n  }\n}\n";
    while (size > 0 && data[size - 1] != '}') size--;
    if (size == 0) return;
    tw_writer w = tw_writer_new(size + sizeof test);
    tw_write_raw(&w, data, size - 1);
    tw_write_raw(&w, test, sizeof test - 1);
    twc_result *result = twc_compile("fuzz.twc", w.data, w.size);
    if (result != NULL) run_tests(result, true);
    twc_result_free(result);
    tw_writer_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    twc_result *result = twc_compile("fuzz.twc", data, size);
    const bool good = result != NULL && twc_result_error_count(result) == 0;
    if (good) run_tests(result, false);
    if (good) run_drawn(data, size);
    twc_result_free(result);
    return 0;
}

bool mutant_is_good(const uint8_t *text, size_t size)
{
    return mutant_checks(text, size);
}
