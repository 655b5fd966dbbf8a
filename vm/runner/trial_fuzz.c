/* trial_fuzz -- the search of a `test fuzz`: runs of drawn steps, until one breaks an expectation.
 *
 * Every run begins at the same ledger: deployed, and the steps done that stand before the
 * expectations. The ledger is put back for each run, not made anew, and signatures are left out
 * while it searches; what was found is run once more with all of them. Everything comes from one
 * SplitMix64, seeded by the test's name, so a search is the same everywhere. */
#include "vm/runner/trial_fuzz.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 64 * 1024 * 1024, SHRINK_STEPS_MAX = 60000, BLOCK_TEXT_MAX = 1024 * 1024 };

/* The first eight bytes of the name's hash; another seed is hashed with it. */
static uint64_t seed_of(const tw_fuzz *f, uint64_t other)
{
    uint8_t number[8];
    tw_store_u64(number, other);
    const tw_bytes parts[2] = {tw_bytes_of(f->test->name, strlen(f->test->name)),
                               tw_bytes_of(number, sizeof number)};
    const tw_hash hash = tw_sha256_parts(parts, other != 0 ? 2 : 1);
    return tw_load_u64(hash.bytes);
}

/* How often each action was called, and how often it was done. */
static void count_calls(tw_fuzz *f, uint32_t first)
{
    tw_trial_found *found = &f->trial->report->found;
    for (uint32_t i = first; i < f->step_count; i++) {
        const tw_fuzz_step *step = &f->steps[i];
        if (step->kind != TW_FUZZ_CALL) continue;
        found->calls[step->action]++;
        found->succeeded[step->action] += step->outcome.status == TW_OK;
    }
}

/* One run, until its steps are done or an expectation breaks. */
static tw_status run_once(tw_fuzz *f, uint32_t *ret_broken)
{
    f->step_count = 0;
    tw_arena_clear(f->arena);
    tw_writer_clear(&f->trial->report->text);
    TW_TRY(tw_trial_back(f->trial));
    tw_fuzz_begin(f);
    *ret_broken = UINT32_MAX;
    for (uint32_t i = 0; i < f->plan->steps && *ret_broken == UINT32_MAX; i++) {
        const uint32_t first = f->step_count;
        TW_TRY(tw_fuzz_draw(f));
        f->trial->report->found.steps++;
        for (uint32_t k = first; k < f->step_count && *ret_broken == UINT32_MAX; k++) {
            TW_TRY(tw_fuzz_run(f, &f->steps[k]));
            TW_TRY(tw_fuzz_look(f, ret_broken));
            if (*ret_broken != UINT32_MAX) f->step_count = k + 1;
        }
        count_calls(f, first);
    }
    return TW_OK;
}

/* The script that is left, run once more for what it says, and written. */
static tw_status tell(tw_fuzz *f, uint64_t run, uint32_t broken)
{
    tw_trial_report *report = f->trial->report;
    tw_trial_found *found = &report->found;
    char text[160];
    uint32_t again = UINT32_MAX;
    f->trial->counts = false; /* what was searched is counted, not how it is made small */
    found->failed_run = run;
    found->drawn = f->step_count;
    TW_TRY(tw_fuzz_shrink(f, broken));
    TW_TRY(tw_trial_trust(f->trial, false));
    found->left = f->step_count;
    tw_writer_clear(&report->text);
    TW_TRY(tw_trial_back(f->trial));
    TW_TRY(tw_fuzz_look(f, &again));
    for (uint32_t i = 0; i < f->step_count && again == UINT32_MAX; i++) {
        TW_TRY(tw_fuzz_run(f, &f->steps[i]));
        TW_TRY(tw_fuzz_look(f, &again));
    }
    if (again != broken) return TW_ERR_INTERNAL;
    report->passed = false;
    report->line = f->test->steps[broken].line;
    if (run == 0) return TW_OK; /* by the steps that start each run: nothing to search or write */
    const int size =
        snprintf(text, sizeof text,
                 "\nbroken by run %llu; of its %u steps %u are left:", (unsigned long long)run,
                 found->drawn, found->left);
    tw_write_raw(&report->text, text, (size_t)size);
    tw_fuzz_write(f, run, broken, &found->block);
    return TW_OK;
}

static tw_status search(tw_fuzz *f)
{
    const tw_trial_options *options = f->trial->options;
    const uint64_t runs = options->runs > 0 ? options->runs : f->plan->runs;
    uint32_t broken = UINT32_MAX;
    f->random = seed_of(f, options->seed);
    TW_TRY(tw_trial_trust(f->trial, true));
    TW_TRY(tw_trial_mark(f->trial));
    TW_TRY(tw_fuzz_look(f, &broken));
    if (broken != UINT32_MAX) return tell(f, 0, broken); /* before anything was drawn */
    f->trial->counts = true;
    for (uint64_t run = 1; run <= runs; run++) {
        TW_TRY(run_once(f, &broken));
        f->trial->report->found.runs = run;
        if (broken != UINT32_MAX) return tell(f, run, broken);
        if (options->progress != NULL) options->progress(options->context, run, runs);
    }
    tw_writer_clear(&f->trial->report->text);
    return TW_OK;
}

static tw_status start(tw_fuzz *f)
{
    tw_trial_found *found = &f->trial->report->found;
    const uint32_t actions = f->plan->action_count;
    f->trial->report->is_fuzz = true;
    f->step_max = 2 * f->plan->steps;
    f->steps = tw_mem_new(f->step_max * sizeof *f->steps);
    f->arena = tw_arena_new(ARENA_MAX);
    found->block = tw_writer_new(BLOCK_TEXT_MAX);
    found->actions = f->plan->actions;
    found->action_count = actions;
    found->calls = tw_mem_new((actions + 1) * sizeof *found->calls);
    found->succeeded = tw_mem_new((actions + 1) * sizeof *found->succeeded);
    f->budget = SHRINK_STEPS_MAX;
    found->failures = tw_mem_new(f->m->entry_count * sizeof *found->failures);
    if (f->steps == NULL || f->arena == NULL || found->calls == NULL || found->succeeded == NULL ||
        found->failures == NULL) {
        return TW_ERR_MEMORY;
    }
    TW_TRY(tw_trial_steps(f->trial, f->test->steps, f->plan->start_count));
    return f->trial->report->passed ? tw_fuzz_prepare(f) : TW_OK;
}

tw_status tw_trial_fuzz(tw_trial *t, const twc_test *test)
{
    tw_fuzz *f = tw_mem_new(sizeof *f);
    if (f == NULL) return TW_ERR_MEMORY;
    f->trial = t;
    f->test = test;
    f->plan = test->fuzz;
    f->m = t->code->module;
    tw_status status = start(f);
    if (status == TW_OK && t->report->passed) status = search(f);
    tw_mem_free(f->steps);
    tw_arena_free(f->arena);
    tw_mem_free(f);
    return status;
}
