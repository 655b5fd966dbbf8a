/* cmd_keep -- the commands of who keeps a ledger: fsck, rollback, prune. */
#include "vm/ledger/audit.h"
#include "vm/runner/command.h"
#include "vm/runner/times.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

enum { AUDIT_MEMORY_MAX = 512 * 1024 * 1024, PROBLEMS_SHOWN_MAX = 1000, PRUNE_STEP = 64 };

/* ---- fsck ---- */

typedef struct checking {
    const tw_app *app;
    json_t *list; /* NULL: text */
    uint64_t shown;
    int64_t drawn;
} checking;

static void show_problem(void *context, const char *sentence)
{
    checking *c = context;
    if (c->shown++ >= PROBLEMS_SHOWN_MAX) return;
    if (c->list != NULL) {
        json_array_append_new(c->list, json_string(sentence));
        return;
    }
    if (c->drawn != 0) fputs("\r\033[K", stderr);
    c->drawn = 0;
    puts(sentence);
}

static void show_progress(void *context, const char *what, uint64_t done)
{
    checking *c = context;
    char count[TW_GROUPED_MAX];
    if (!c->app->terminal || tw_time_now() - c->drawn < 100) return;
    c->drawn = tw_time_now();
    fprintf(stderr, "\r\033[Kfsck: %s, %s", what, tw_grouped(done, count));
}

static tw_status report_audit(const tw_app *app, const tw_audit *a, checking *c, int64_t took)
{
    char keys[TW_GROUPED_MAX], nodes[TW_GROUPED_MAX], values[TW_GROUPED_MAX];
    char blocks[TW_GROUPED_MAX], problems[TW_GROUPED_MAX];
    if (c->drawn != 0) fputs("\r\033[K", stderr);
    if (app->json) {
        return tw_app_print_json(
            json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "whole",
                      a->problems == 0, "problems", c->list, "problem_count",
                      tw_json_u64(a->problems), "height", tw_json_u64(a->head.height), "keys",
                      tw_json_u64(a->keys), "nodes", tw_json_u64(a->nodes), "past_values",
                      tw_json_u64(a->values), "blocks", tw_json_u64(a->blocks), "transactions",
                      tw_json_u64(a->transactions), "milliseconds", tw_json_u64((uint64_t)took)));
    }
    if (c->shown > PROBLEMS_SHOWN_MAX) {
        printf("and %" PRIu64 " more\n", c->shown - PROBLEMS_SHOWN_MAX);
    }
    printf("%s keys, %s nodes, %s values of the past, %s blocks in %" PRId64 ".%03" PRId64 " s: ",
           tw_grouped(a->keys, keys), tw_grouped(a->nodes, nodes), tw_grouped(a->values, values),
           tw_grouped(a->blocks, blocks), took / 1000, took % 1000);
    puts(a->problems == 0 ? "the ledger is whole"
                          : (a->problems == 1 ? "1 problem" : tw_grouped(a->problems, problems)));
    return TW_OK;
}

tw_status tw_command_fsck(tw_app *app)
{
    const char *dir = tw_args_get(&app->args, "dir", "");
    const tw_store_options options = {0};
    char path[4200];
    struct stat there;
    checking c = {.app = app, .list = app->json ? json_array() : NULL};
    tw_audit audit = {.memory_max = AUDIT_MEMORY_MAX,
                      .found = show_problem,
                      .progress = show_progress,
                      .context = &c};
    snprintf(path, sizeof path, "%.4000s/store", dir);
    if (stat(path, &there) != 0) {
        json_decref(c.list);
        return tw_app_fail(app, "%s holds no ledger; twvm init %s makes one", dir, dir);
    }
    const int64_t start = tw_time_now();
    tw_status status = tw_store_open(path, &options, &audit.store, &app->err);
    if (status == TW_OK) status = tw_audit_ledger(&audit, &app->err);
    if (status == TW_OK) status = tw_store_settle(audit.store, &app->err);
    tw_store_close(audit.store);
    if (status == TW_OK) {
        status = report_audit(app, &audit, &c, tw_time_now() - start);
    } else {
        json_decref(c.list);
    }
    if (status != TW_OK || audit.problems == 0) return status;
    return tw_app_fail(app, "the ledger in %s is not whole", dir);
}

/* ---- rollback ---- */

tw_status tw_command_rollback(tw_app *app)
{
    char time[TW_TIME_TEXT_MAX], root[65];
    TW_TRY(tw_app_open(app));
    tw_ledger *ledger = app->session->ledger;
    const uint64_t height = tw_ledger_head(ledger)->height;
    if (!tw_args_has(&app->args, "yes")) {
        tw_time_print(tw_ledger_head(ledger)->time, time);
        return tw_app_fail(app,
                           "block %" PRIu64
                           ", %s, and all that it did would be gone for good; with "
                           "--yes it is taken off",
                           height, time);
    }
    TW_TRY(tw_ledger_rollback(ledger, &app->err));
    const tw_block_info *head = tw_ledger_head(ledger);
    tw_hex_encode(head->state_root.bytes, TW_HASH_SIZE, root);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:o, s:o, s:o, s:s}", "taken_off", tw_json_u64(height),
                                           "height", tw_json_u64(head->height), "time",
                                           tw_json_time(head->time), "root", root));
    }
    printf("block %" PRIu64 " is taken off; the newest is now %" PRIu64 ", %s\nroot %s\n", height,
           head->height, tw_time_print(head->time, time), root);
    return TW_OK;
}

/* ---- prune ---- */

tw_status tw_command_prune(tw_app *app)
{
    uint64_t retain = 0;
    uint64_t all = 0;
    uint64_t oldest = 0;
    uint64_t count = 0;
    if (!tw_args_has(&app->args, "retain")) {
        return tw_app_usage(app, "of how many blocks shall the state be kept? --retain N");
    }
    if (!tw_args_number(&app->args, "retain", 0, UINT64_MAX, &retain, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    TW_TRY(tw_app_open(app));
    tw_ledger *ledger = app->session->ledger;
    TW_TRY(tw_session_set_retain(app->session, retain, &app->err));
    do {
        count = 0;
        if (retain > 0) {
            TW_TRY(tw_ledger_prune(ledger, retain, PRUNE_STEP, &count, &app->err));
        }
        all += count;
        if (app->terminal) fprintf(stderr, "\r\033[Kprune: %" PRIu64 " blocks", all);
    } while (count == PRUNE_STEP);
    if (app->terminal) fputs("\r\033[K", stderr);
    TW_TRY(tw_ledger_oldest(ledger, &oldest));
    if (app->json) {
        return tw_app_print_json(json_pack("{s:o, s:o, s:o}", "pruned", tw_json_u64(all), "oldest",
                                           tw_json_u64(oldest), "retain", tw_json_u64(retain)));
    }
    printf("the state after %" PRIu64 " blocks is let go; the oldest that is kept is that after "
           "block %" PRIu64 "\n",
           all, oldest);
    return TW_OK;
}
