/* cmd_run -- `twvm run calls.csv`: a table of calls, row by row, each a block at its time.
 *
 * For calls of the past and for scripts. A row names time, sender, entry and the arguments in
 * columns of their names; it may say which error it must end with. What stands before a row that is
 * refused is in the ledger; the sentence names the row.
 */
#include "vm/base/quantities.h"
#include "vm/runner/command.h"
#include "vm/runner/csv.h"
#include "vm/runner/folder.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 8192, OUTCOME_MAX = 1024, ERRORS_MAX = 64, BAR_MS = 100 };

static const uint32_t no_column = UINT32_MAX;

/* How often calls ended with one error. */
typedef struct tally {
    char name[TW_NAME_SIZE_MAX + 1];
    uint64_t count;
} tally;

typedef struct job {
    tw_app *app;
    tw_csv *csv;
    const char *path;
    FILE *out; /* NULL: nobody wants the outcome of each row */
    uint32_t time, as, entry, contract, expect, spend; /* columns */
    const char *contract_name;                         /* where no column says which; may be NULL */
    tw_time_format format;
    int64_t zone;
    uint64_t rows, done, wanted, failed;
    tally tallies[ERRORS_MAX];
    uint32_t tally_count;
    int64_t drawn;
} job;

/* A row taken apart. */
typedef struct call {
    tw_hash contract;
    const tw_module *module;
    uint16_t entry;
    int64_t time;
    const tw_named_key *signers[TW_TX_SIGNERS_MAX];
    uint32_t signer_count;
    tw_bytes arguments;
} call;

static tw_status row_fail(job *j, const char *text)
{
    char copy[OUTCOME_MAX];
    snprintf(copy, sizeof copy, "%.900s", text); /* may be the text of the error itself */
    return tw_app_fail(j->app, "%s:%llu: %s", j->path, (unsigned long long)tw_csv_line(j->csv),
                       copy);
}

/* A cell as text in the session's arena; NULL without memory or when it is too long. */
static const char *cell_text(const job *j, uint32_t column)
{
    const tw_bytes cell = tw_csv_cell(j->csv, column);
    return cell.size < CELL_MAX ? tw_arena_copy(j->app->session->arena, cell.data, cell.size)
                                : NULL;
}

/* ---- a row ---- */

static tw_status row_time(job *j, int64_t *ret_time)
{
    const char *why = NULL;
    *ret_time = tw_session_now(j->app->session);
    if (j->time == no_column) return TW_OK;
    const tw_bytes cell = tw_csv_cell(j->csv, j->time);
    if (tw_time_parse(cell, j->format, j->zone, ret_time, &why)) return TW_OK;
    char quote[TW_CSV_QUOTE_MAX], text[300];
    snprintf(text, sizeof text, "the time %s %s", tw_csv_quote(cell, quote), why);
    return row_fail(j, text);
}

static tw_status row_signers(job *j, call *c)
{
    const tw_bytes cell = tw_csv_cell(j->csv, j->as);
    size_t at = 0;
    while (at < cell.size) {
        char name[TW_KEY_NAME_MAX + 2] = "";
        size_t end = at;
        while (end < cell.size && cell.data[end] != ',' && cell.data[end] != '+') end++;
        const size_t size = end - at <= TW_KEY_NAME_MAX ? end - at : TW_KEY_NAME_MAX + 1;
        memcpy(name, cell.data + at, size);
        if (c->signer_count == TW_TX_SIGNERS_MAX) return row_fail(j, "too many signers");
        const tw_named_key *key = tw_keyring_find(j->app->session->keyring, name);
        if (key == NULL) {
            const tw_status none = tw_keyring_refuse(j->app->session->keyring, name, &j->app->err);
            return none == TW_OK ? none : row_fail(j, j->app->err.text);
        }
        if (tw_keyring_unlock(j->app->session->keyring, key, &j->app->err) != TW_OK) {
            return row_fail(j, j->app->err.text);
        }
        c->signers[c->signer_count++] = key;
        at = end + 1;
    }
    return c->signer_count > 0 ? TW_OK : row_fail(j, "the column `as` names nobody");
}

static tw_status row_entry(job *j, call *c)
{
    const char *contract = j->contract_name;
    if (j->contract != no_column) contract = cell_text(j, j->contract);
    const char *entry = cell_text(j, j->entry);
    if (contract == NULL || entry == NULL) return row_fail(j, "a cell is too long");
    if (tw_session_find(j->app->session, contract, &c->contract, &j->app->err) != TW_OK) {
        return row_fail(j, j->app->err.text);
    }
    c->module = tw_session_module(j->app->session, &c->contract);
    if (c->module == NULL) return row_fail(j, "the contract's code cannot be read");
    c->entry = tw_module_entry(c->module, TW_ENTRY_ACTION, entry);
    if (c->entry != TW_NONE) return TW_OK;
    char text[300];
    snprintf(text, sizeof text, "%s has no action \"%.64s\"", c->module->name, entry);
    return row_fail(j, text);
}

/* "name=cell" for each argument of the action, from the column of its name. */
static tw_status argument_text(job *j, const call *c, const tw_member *member, const char **ret)
{
    const bool optional = c->module->types[member->type].kind == TW_KIND_OPTIONAL;
    uint32_t column = no_column;
    tw_err ignored;
    char text[CELL_MAX + TW_NAME_SIZE_MAX + 2];
    tw_bytes cell = {NULL, 0};
    if (tw_csv_column(j->csv, member->name, &column, &ignored)) {
        cell = tw_csv_cell(j->csv, column);
    }
    if (cell.size >= CELL_MAX) return row_fail(j, "a cell is too long");
    if (cell.size == 0 && optional) cell = tw_bytes_of("none", 4);
    if (cell.size == 0 && c->module->types[member->type].kind != TW_KIND_TEXT) {
        snprintf(text, sizeof text, "%s needs %s: the column is %s",
                 c->module->entries[c->entry].name, member->name,
                 column == no_column ? "not there" : "empty");
        return row_fail(j, text);
    }
    snprintf(text, sizeof text, "%s=%.*s", member->name, (int)cell.size, (const char *)cell.data);
    *ret = tw_arena_copy(j->app->session->arena, text, strlen(text));
    return *ret != NULL ? TW_OK : TW_ERR_MEMORY;
}

static tw_status row_arguments(job *j, call *c)
{
    const tw_members *members = &c->module->entries[c->entry].members;
    const char *texts[TW_MEMBERS_MAX];
    for (uint16_t i = 0; i < members->count; i++) {
        TW_TRY(argument_text(j, c, &members->items[i], &texts[i]));
    }
    tw_session *s = j->app->session;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_err inner = {0};
    s->names.now = c->time;
    tw_status status = tw_show_parse_members(c->module, members, c->module->entries[c->entry].name,
                                             texts, members->count, &s->names, &w, &inner);
    const char *copy = tw_arena_copy(s->arena, w.data, w.size);
    c->arguments = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    if (status != TW_OK) return row_fail(j, inner.text);
    return copy != NULL ? TW_OK : TW_ERR_MEMORY;
}

/* "12.50 EUR", or several with a + between them: the most that the row may take. */
static tw_status row_spends(job *j, tw_tx *tx)
{
    if (j->spend == no_column) return TW_OK;
    const char *text = cell_text(j, j->spend);
    tw_contract *c = NULL;
    tw_session *s = j->app->session;
    if (text == NULL) return row_fail(j, "a cell is too long");
    if (text[0] == '\0') return TW_OK;
    TW_TRY(tw_ledger_contract(s->ledger, &tx->contract, s->arena, &c, &j->app->err));
    while (*text != '\0') {
        const size_t size = strcspn(text, "+");
        const char *part = tw_arena_copy(s->arena, text, size);
        if (part == NULL) return TW_ERR_MEMORY;
        const tw_status status = tw_money_spend(j->app, c, part, tx);
        if (status != TW_OK) return row_fail(j, j->app->err.text);
        text += size + (text[size] == '+' ? 1 : 0);
    }
    return TW_OK;
}

/* ---- outcomes ---- */

static const char *outcome_name(const tw_module *m, const tw_run *run)
{
    if (run->status == TW_FAIL_ERROR) return m->errors[run->index].name;
    if (run->status == TW_FAIL_INVARIANT) return m->invariants[run->index].name;
    return tw_status_text(run->status);
}

static void count_failure(job *j, const char *name)
{
    const size_t size = strcspn(name, ":");
    for (uint32_t i = 0; i < j->tally_count; i++) {
        if (strlen(j->tallies[i].name) != size || strncmp(j->tallies[i].name, name, size) != 0) {
            continue;
        }
        j->tallies[i].count++;
        return;
    }
    if (j->tally_count == ERRORS_MAX) return;
    tally *made = &j->tallies[j->tally_count++];
    snprintf(made->name, sizeof made->name, "%.*s",
             (int)(size < TW_NAME_SIZE_MAX ? size : TW_NAME_SIZE_MAX), name);
    made->count = 1;
}

/* True when the outcome is the one that the row expects: none of a name that is empty. */
static bool as_expected(const job *j, const tw_run *run, const char *name)
{
    if (j->expect == no_column) return run->status == TW_OK;
    const tw_bytes cell = tw_csv_cell(j->csv, j->expect);
    if (cell.size == 0) return run->status == TW_OK;
    const size_t size = strcspn(name, ":");
    return run->status != TW_OK && size == cell.size && memcmp(name, cell.data, size) == 0;
}

static tw_status judge(job *j, const call *c, const tw_run *run)
{
    const char *name = run->status == TW_OK ? "done" : outcome_name(c->module, run);
    const bool good = as_expected(j, run, name);
    tw_writer w = tw_writer_new(OUTCOME_MAX);
    if (run->status != TW_OK) tw_session_outcome(j->app->session, c->module, run, &w);
    if (j->out != NULL) {
        fprintf(j->out, "%llu,%s,%.*s\n", (unsigned long long)tw_csv_line(j->csv),
                c->module->entries[c->entry].name, (int)strcspn(name, ":"), name);
    }
    j->rows++;
    j->done += run->status == TW_OK;
    j->wanted += run->status != TW_OK && good;
    j->failed += !good;
    if (run->status != TW_OK) count_failure(j, name);
    tw_status status = TW_OK;
    if (!good && !tw_args_has(&j->app->args, "keep-going")) {
        char text[OUTCOME_MAX + 100];
        snprintf(text, sizeof text, "%s: %.*s%s", c->module->entries[c->entry].name,
                 w.size > 0 ? (int)w.size : 4, w.size > 0 ? (const char *)w.data : "done",
                 run->status == TW_OK ? ", but the row expects an error" : "");
        status = row_fail(j, text);
    }
    tw_writer_free(&w);
    return status;
}

static void draw(job *j, bool last)
{
    const int64_t now = j->app->terminal ? tw_time_now() : 0;
    if (!j->app->terminal || (!last && now - j->drawn < BAR_MS)) return;
    j->drawn = now;
    fprintf(stderr, last ? "\r\033[K" : "\r\033[K%llu rows", (unsigned long long)j->rows);
}

static tw_status run_row(job *j)
{
    tw_session *s = j->app->session;
    call c = {.entry = TW_NONE};
    tw_bytes transaction;
    tw_block block;
    TW_TRY(row_time(j, &c.time));
    TW_TRY(row_entry(j, &c));
    TW_TRY(row_signers(j, &c));
    TW_TRY(row_arguments(j, &c));
    const char *name = c.module->entries[c.entry].name;
    tw_tx tx = {.kind = TW_TX_CALL,
                .contract = c.contract,
                .entry = tw_bytes_of(name, strlen(name)),
                .arguments = c.arguments};
    TW_TRY(row_spends(j, &tx));
    tw_status status = tw_session_advance(s, c.time, NULL, NULL, &j->app->err);
    if (status == TW_OK) {
        status = tw_session_sign(s, &tx, c.signers, c.signer_count, &transaction, &j->app->err);
    }
    if (status == TW_OK) {
        status = tw_session_submit(s, transaction, c.time, &block, &j->app->err);
    }
    if (status != TW_OK) {
        const tw_status why = row_fail(j, j->app->err.text);
        return tw_status_is_host_failure(status) ? status : why;
    }
    draw(j, false);
    return judge(j, &c, &block.receipts[block.receipt_count - 1].run);
}

/* ---- all rows ---- */

static tw_status tell(job *j)
{
    draw(j, true);
    if (j->app->json) {
        json_t *errors = json_object();
        for (uint32_t i = 0; i < j->tally_count; i++) {
            json_object_set_new(errors, j->tallies[i].name, tw_json_u64(j->tallies[i].count));
        }
        return tw_app_print_json(json_pack("{s:o, s:o, s:o, s:o, s:o}", "rows",
                                           tw_json_u64(j->rows), "done", tw_json_u64(j->done),
                                           "failed_as_expected", tw_json_u64(j->wanted), "failed",
                                           tw_json_u64(j->failed), "errors", errors));
    }
    char rows[TW_GROUPED_MAX], done[TW_GROUPED_MAX], failed[TW_GROUPED_MAX];
    printf("%s calls: %s done, %s failed", tw_grouped(j->rows, rows), tw_grouped(j->done, done),
           tw_grouped(j->wanted + j->failed, failed));
    if (j->wanted > 0) printf(" (%llu as expected)", (unsigned long long)j->wanted);
    printf("\n");
    for (uint32_t i = 0; i < j->tally_count; i++) {
        printf("  %llu %s\n", (unsigned long long)j->tallies[i].count, j->tallies[i].name);
    }
    return TW_OK;
}

static tw_status columns(job *j)
{
    tw_err ignored;
    const struct {
        const char *name;
        uint32_t *column;
        bool needed;
    } wanted[] = {
        {"time", &j->time, false},     {"as", &j->as, true},
        {"entry", &j->entry, true},    {"contract", &j->contract, j->contract_name == NULL},
        {"expect", &j->expect, false}, {"spend", &j->spend, false}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].column = no_column;
        if (tw_csv_column(j->csv, wanted[i].name, wanted[i].column,
                          wanted[i].needed ? &j->app->err : &ignored) ||
            !wanted[i].needed) {
            continue;
        }
        return tw_err_set(&j->app->err, TW_REFUSED_ARGUMENT, "%s: there is no column `%s`%s",
                          j->path, wanted[i].name,
                          wanted[i].column == &j->contract ? "; say --contract NAME" : "");
    }
    return TW_OK;
}

static tw_status all_rows(job *j)
{
    TW_TRY(columns(j));
    for (;;) {
        bool row = false;
        TW_TRY(tw_csv_next(j->csv, &row, &j->app->err));
        if (!row) break;
        const tw_mark mark = tw_arena_mark(j->app->session->arena);
        TW_TRY(run_row(j));
        tw_arena_reset(j->app->session->arena, mark);
    }
    TW_TRY(tell(j));
    if (j->failed == 0) return TW_OK;
    return tw_app_fail(j->app, "%llu of %llu calls did not end as they should",
                       (unsigned long long)j->failed, (unsigned long long)j->rows);
}

static tw_status settings(job *j)
{
    const tw_args *args = &j->app->args;
    const char *zone = tw_args_get(args, "zone", "Z");
    const char *format = tw_args_get(args, "time-format", "auto");
    if (!tw_zone_parse(tw_bytes_of(zone, strlen(zone)), &j->zone)) {
        return tw_app_usage(j->app, "--zone: \"%.20s\" is no zone like +01:00", zone);
    }
    if (!tw_time_format_find(format, &j->format)) {
        return tw_app_usage(j->app, "--time-format is auto, iso, mdy, dmy, s or ms");
    }
    j->contract_name = tw_args_get(args, "contract", NULL);
    return TW_OK;
}

tw_status tw_command_run(tw_app *app)
{
    job *j = tw_mem_new(sizeof *j);
    if (j == NULL) return TW_ERR_MEMORY;
    j->app = app;
    j->path = app->args.words[0];
    const char *out = tw_args_get(&app->args, "out", NULL);
    const tw_csv_options options = {0};
    tw_status status = settings(j);
    if (status == TW_OK) status = tw_csv_open(j->path, &options, &j->csv, &app->err);
    if (status == TW_OK) status = tw_app_open(app);
    tw_file_draft draft = {.file = NULL};
    if (status == TW_OK && out != NULL) status = tw_file_begin(out, &draft, &app->err);
    j->out = draft.file;
    if (j->out != NULL) fputs("line,entry,outcome\n", j->out);
    if (status == TW_OK) status = all_rows(j);
    /* after a failure too: the rows up to it were run */
    if (j->out != NULL) {
        const tw_status written = tw_file_end(&draft, status == TW_OK ? &app->err : NULL);
        if (status == TW_OK) status = written;
    }
    tw_csv_close(j->csv);
    tw_mem_free(j);
    return status;
}
