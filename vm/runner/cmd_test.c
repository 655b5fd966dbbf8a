/* cmd_test -- `twvm test`: compiles contracts and runs the tests that stand in their files. */
#include "vm/runner/command.h"
#include "vm/runner/source.h"
#include "vm/runner/trial.h"

#include <stdio.h>
#include <string.h>

enum { SOURCES_MAX = 64 * 1024 * 1024 };

typedef struct tally {
    uint64_t passed, failed;
    json_t *list; /* with --json */
    bool tap;
} tally;

static const char *paint(const tw_app *app, const char *code)
{
    return app->color ? code : "";
}

static void print_gas(const twc_unit *unit, const tw_module *m, const tw_trial_gas *gas)
{
    printf("\n  gas of %s            runs        most used          bound\n", unit->name);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (gas[i].runs == 0 || m->entries[i].kind == TW_ENTRY_DEPLOY) continue;
        printf("  %-24s %8llu %16llu %14llu\n", m->entries[i].name, (unsigned long long)gas[i].runs,
               (unsigned long long)gas[i].gas_max, (unsigned long long)m->entries[i].bounds.gas);
    }
}

/* The text, with `margin` before each line but the first. */
static void print_lines(const tw_writer *text, const char *margin)
{
    for (size_t i = 0; i < text->size; i++) {
        putchar(text->data[i]);
        if (text->data[i] == '\n' && i + 1 < text->size) fputs(margin, stdout);
    }
    if (text->size == 0 || text->data[text->size - 1] != '\n') putchar('\n');
}

/* How often each action was called and done; which of them the search never reached. */
static void print_found(const tw_module *m, const tw_trial_found *found)
{
    char runs[TW_GROUPED_MAX];
    char steps[TW_GROUPED_MAX];
    printf("          %s runs, %s steps", tw_grouped(found->runs, runs),
           tw_grouped(found->steps, steps));
    for (uint32_t i = 0; i < found->action_count; i++) {
        printf("%s %s %llu of %llu", i == 0 ? "; calls done:" : ",",
               m->entries[found->actions[i].entry].name, (unsigned long long)found->succeeded[i],
               (unsigned long long)found->calls[i]);
    }
    putchar('\n');
    for (uint32_t i = 0; i < found->action_count; i++) {
        if (found->succeeded[i] > 0) continue;
        printf("          note: %s was never done: what is behind it was not searched\n",
               m->entries[found->actions[i].entry].name);
    }
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (found->failures[i].count == 0) continue;
        printf("          note: %s failed %llu times, first by %s\n", m->entries[i].name,
               (unsigned long long)found->failures[i].count, found->failures[i].why);
    }
}

static void print_result(const tw_app *app, const char *path, const tw_module *m,
                         const twc_test *test, const tw_trial_report *report)
{
    printf("  %s%s%s  %s  (%llu blocks, %llu readings)\n",
           paint(app, report->passed ? "\033[32m" : "\033[31m"),
           report->passed ? "ok    " : "FAILED", paint(app, "\033[0m"), test->name,
           (unsigned long long)report->blocks, (unsigned long long)report->readings);
    if (report->found.runs > 0) print_found(m, &report->found);
    if (report->passed) return;
    printf("          %s:%u: ", path, report->line > 0 ? report->line : test->line);
    print_lines(&report->text, "          ");
    if (report->found.block.size > 0) {
        fputs("\n  ", stdout);
        print_lines(&report->found.block, "  ");
    }
}

static void print_tap(const twc_test *test, const tw_trial_report *report, uint64_t number)
{
    printf("%s %llu - %s\n", report->passed ? "ok" : "not ok", (unsigned long long)number,
           test->name);
    if (report->passed) return;
    printf("# line %u: ", report->line > 0 ? report->line : test->line);
    print_lines(&report->text, "# ");
    if (report->found.block.size == 0) return;
    fputs("# ", stdout);
    print_lines(&report->found.block, "# ");
}

/* What the search of a fuzz test did; NULL for an ordinary test. */
static json_t *found_json(const tw_module *m, const tw_trial_report *report)
{
    const tw_trial_found *found = &report->found;
    if (!report->is_fuzz) return NULL;
    json_t *actions = json_array();
    for (uint32_t i = 0; i < found->action_count; i++) {
        json_array_append_new(actions, json_pack("{s:s, s:o, s:o}", "action",
                                                 m->entries[found->actions[i].entry].name, "calls",
                                                 tw_json_u64(found->calls[i]), "done",
                                                 tw_json_u64(found->succeeded[i])));
    }
    json_t *failures = json_object();
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (found->failures[i].count == 0) continue;
        json_object_set_new(failures, m->entries[i].name, tw_json_u64(found->failures[i].count));
    }
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o}", "failures", failures, "runs", tw_json_u64(found->runs),
                  "steps", tw_json_u64(found->steps), "actions", actions);
    if (json == NULL || report->passed || found->block.size == 0) return json;
    json_object_set_new(json, "failed_run", tw_json_u64(found->failed_run));
    json_object_set_new(json, "steps_left", json_integer(found->left));
    json_object_set_new(json, "block",
                        json_stringn((const char *)found->block.data, found->block.size));
    return json;
}

static json_t *result_json(const char *path, const twc_unit *unit, const tw_module *m,
                           const twc_test *test, const tw_trial_report *report)
{
    json_t *text = json_stringn((const char *)report->text.data, report->text.size);
    return json_pack("{s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o*, s:o*}", "file", path,
                     "contract", unit->name, "test", test->name, "passed", (int)report->passed,
                     "line", (int)(report->line > 0 ? report->line : test->line), "blocks",
                     tw_json_u64(report->blocks), "readings", tw_json_u64(report->readings),
                     "history", tw_json_hex(report->history.bytes, TW_HASH_SIZE), "message",
                     report->passed ? (json_decref(text), NULL) : text, "fuzz",
                     found_json(m, report));
}

/* A line that is written over: only on terminals. */
static void show_progress(void *context, uint64_t runs, uint64_t of)
{
    const tw_app *app = context;
    if (!app->terminal || app->json || (runs % 16 != 0 && runs != of)) return;
    fprintf(stderr, runs == of ? "\r\033[K" : "\r  run %llu of %llu\033[K",
            (unsigned long long)runs, (unsigned long long)of);
}

static tw_status read_options(tw_app *app, const char *path, tw_trial_options *ret_options)
{
    *ret_options = (tw_trial_options){.path = path, .progress = show_progress, .context = app};
    if (!tw_args_number(&app->args, "runs", 1, 1000000000, &ret_options->runs, &app->err) ||
        !tw_args_number(&app->args, "seed", 1, UINT64_MAX, &ret_options->seed, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    return TW_OK;
}

static tw_status run_one(tw_app *app, const char *path, const twc_unit *unit, const tw_module *m,
                         const twc_test *test, tw_trial_gas *gas, tally *sum)
{
    tw_trial_report report = {.gas = gas};
    tw_trial_options options;
    TW_TRY(read_options(app, path, &options));
    const tw_status status = tw_trial_run(unit, test, &options, &report, &app->err);
    if (status != TW_OK) {
        tw_trial_report_free(&report);
        if (app->err.text[0] != '\0') return status;
        return tw_err_set(&app->err, status, "%s:%u: the test could not be run: %s", path,
                          test->line, tw_status_text(status));
    }
    sum->passed += report.passed;
    sum->failed += !report.passed;
    if (app->json) {
        json_array_append_new(sum->list, result_json(path, unit, m, test, &report));
    } else if (sum->tap) {
        print_tap(test, &report, sum->passed + sum->failed);
    } else {
        print_result(app, path, m, test, &report);
    }
    tw_trial_report_free(&report);
    return TW_OK;
}

static tw_status run_unit(tw_app *app, const char *path, const twc_unit *unit, tally *sum)
{
    const char *filter = tw_args_get(&app->args, "filter", "");
    tw_code *code = NULL;
    TW_TRY(tw_code_new(unit->module, NULL, &code, &app->err));
    tw_trial_gas *gas = tw_mem_new(code->module->entry_count * sizeof *gas);
    tw_status status = gas != NULL ? TW_OK : TW_ERR_MEMORY;
    for (uint32_t i = 0; i < unit->test_count && status == TW_OK; i++) {
        if (strstr(unit->tests[i].name, filter) == NULL) continue;
        status = run_one(app, path, unit, code->module, &unit->tests[i], gas, sum);
    }
    if (status == TW_OK && tw_args_has(&app->args, "gas-report") && !app->json) {
        print_gas(unit, code->module, gas);
    }
    tw_mem_free(gas);
    tw_code_free(code);
    return status;
}

static tw_status run_file(tw_app *app, const char *path, tw_arena *arena, tally *sum)
{
    twc_result *result = NULL;
    tw_status status = tw_source_compile(app, path, arena, &result);
    if (status == TW_OK && !app->json && !sum->tap) printf("%s\n", path);
    for (uint32_t i = 0; status == TW_OK && i < twc_result_unit_count(result); i++) {
        status = run_unit(app, path, twc_result_unit(result, i), sum);
    }
    twc_result_free(result);
    return status;
}

tw_status tw_command_test(tw_app *app)
{
    tally sum = {.list = app->json ? json_array() : NULL, .tap = tw_args_has(&app->args, "tap")};
    tw_arena *arena = tw_arena_new(SOURCES_MAX);
    tw_status status = arena != NULL ? TW_OK : TW_ERR_MEMORY;
    for (uint32_t i = 0; i < app->args.word_count && status == TW_OK; i++) {
        status = run_file(app, app->args.words[i], arena, &sum);
    }
    tw_arena_free(arena);
    if (app->json && status == TW_OK) {
        status = tw_app_print_json(sum.list);
    } else {
        json_decref(sum.list);
    }
    if (status != TW_OK) return status;
    if (sum.tap) {
        printf("1..%llu\n", (unsigned long long)(sum.passed + sum.failed));
    } else if (!app->json) {
        printf("%llu passed, %llu failed\n", (unsigned long long)sum.passed,
               (unsigned long long)sum.failed);
    }
    if (sum.failed > 0)
        return tw_app_fail(app, "%llu of %llu tests failed", (unsigned long long)sum.failed,
                           (unsigned long long)(sum.passed + sum.failed));
    if (sum.passed == 0) return tw_app_fail(app, "there was no test to run");
    return TW_OK;
}
