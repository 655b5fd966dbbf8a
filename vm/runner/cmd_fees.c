/* cmd_fees -- transactions that are no calls: transfer of money, fuel for the timers of a contract,
 * and a tick, which runs the first of them that is due.
 *
 * Each signs one transaction as --as says, puts it into a block and tells what came of it.
 */
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 16 * 1024 };

typedef struct sending {
    tw_app *app;
    tw_tx tx;
    const char *word; /* of the command */
    int64_t time;     /* of its block */
    tw_block block;   /* which its receipt ends */
    tw_receipt *receipt;
    char label[TW_CONTRACT_NAME_MAX];
    char sender[TW_SHOW_NAME_MAX];
} sending;

/* ---- all of them ---- */

static tw_status begin(sending *s)
{
    tw_app *app = s->app;
    if (!tw_args_has(&app->args, "as")) return tw_app_usage(app, "say who sends: --as KEY");
    TW_TRY(tw_app_open(app));
    return tw_app_block_time(app, &s->time);
}

static tw_status find_contract(sending *s)
{
    TW_TRY(tw_session_find(s->app->session, s->app->args.words[0], &s->tx.contract, &s->app->err));
    tw_session_label(s->app->session, &s->tx.contract, s->label);
    return TW_OK;
}

static tw_status refuse(sending *s)
{
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_session_outcome(s->app->session, NULL, &s->receipt->run, &w);
    const tw_status refused =
        tw_app_fail(s->app, "%s failed: %.*s", s->word, (int)w.size, (const char *)w.data);
    tw_writer_free(&w);
    return refused;
}

static tw_status send(sending *s)
{
    tw_app *app = s->app;
    const tw_named_key *keys[TW_TX_SIGNERS_MAX];
    uint32_t count = 0;
    tw_bytes transaction;
    TW_TRY(tw_app_signers(app, keys, &count));
    tw_show_account(&keys[0]->account, &app->session->names, s->sender);
    TW_TRY(tw_session_advance(app->session, s->time, NULL, NULL, &app->err));
    TW_TRY(tw_session_sign(app->session, &s->tx, keys, count, &transaction, &app->err));
    TW_TRY(tw_session_submit(app->session, transaction, s->time, &s->block, &app->err));
    s->receipt = &s->block.receipts[s->block.receipt_count - 1];
    return TW_OK;
}

/* ", at TIME in block N, gas G, fee F" behind what was done. */
static void print_end(const sending *s)
{
    char gas[TW_GROUPED_MAX], time[TW_TIME_TEXT_MAX], fee[TW_FEE_TEXT_MAX];
    printf(" at %s in block %llu, gas %s%s\n", tw_time_print(s->block.info.time, time),
           (unsigned long long)s->block.info.height, tw_grouped(s->receipt->run.gas, gas),
           tw_money_fee(s->app->session, s->receipt->fee, fee));
}

/* What all of them say; others are set beside. */
static json_t *end_json(const sending *s)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o*}", "transaction",
                     tw_json_hex(s->receipt->transaction.bytes, TW_HASH_SIZE), "block",
                     tw_json_u64(s->block.info.height), "time", tw_json_time(s->block.info.time),
                     "gas", tw_json_u64(s->receipt->run.gas), "fee",
                     tw_money_fee_json(s->app->session, s->receipt->fee));
}

/* ---- transfer ---- */

static tw_status parse_amount(tw_app *app, const char *text, tw_asset *ret_asset,
                              int64_t *ret_amount)
{
    const tw_bytes bytes = tw_bytes_of(text, strlen(text));
    const size_t at = tw_money_name_at(bytes);
    if (at == bytes.size) {
        return tw_app_usage(app, "%.60s: of which money? write 12.50 EUR, for example", text);
    }
    TW_TRY(tw_money_asset(app, text + at, ret_asset));
    TW_TRY(tw_money_parse(tw_bytes_of(text, at), ret_asset->decimals, ret_asset->name, ret_amount,
                          &app->err));
    return *ret_amount > 0 ? TW_OK : tw_app_fail(app, "%.60s: nothing would move", text);
}

tw_status tw_command_transfer(tw_app *app)
{
    sending s = {.app = app, .tx = {.kind = TW_TX_TRANSFER}, .word = "transfer"};
    const char *to = app->args.words[1];
    tw_asset asset;
    char amount[TW_MONEY_TEXT_MAX];
    TW_TRY(begin(&s));
    TW_TRY(parse_amount(app, app->args.words[0], &asset, &s.tx.amount));
    s.tx.asset = asset.id;
    const tw_show_names *names = &app->session->names;
    if (!names->account_of(names->context, to, &s.tx.payee) &&
        !tw_hex_decode(to, strlen(to), s.tx.payee.bytes, sizeof s.tx.payee.bytes)) {
        return tw_app_fail(app, "%.80s: no key has this name, and an account has 64 hex digits",
                           to);
    }
    TW_TRY(send(&s));
    if (s.receipt->run.status != TW_OK) return refuse(&s);
    if (app->json) return tw_app_print_json(end_json(&s));
    printf("%s sent %s to %s", s.sender,
           tw_money_print(s.tx.amount, asset.decimals, asset.name, amount), to);
    print_end(&s);
    return TW_OK;
}

/* ---- fuel ---- */

/* How many timers and edges come up again because there is fuel. */
static tw_status count_waiting(const sending *s, uint32_t *ret_count)
{
    tw_session *session = s->app->session;
    tw_contract *c = NULL;
    *ret_count = 0;
    TW_TRY(tw_ledger_contract(session->ledger, &s->tx.contract, session->arena, &c, &s->app->err));
    for (uint16_t i = 0; i < c->code->module->entry_count; i++) {
        bool waits = false;
        TW_TRY(tw_ledger_timer_waits(session->ledger, c, i, &waits));
        *ret_count += waits;
    }
    for (uint16_t i = 0; i < c->code->module->alarm_count; i++) {
        *ret_count += tw_ledger_edge_waits(c, i);
    }
    return TW_OK;
}

static tw_status report_fuel(const sending *s, uint32_t waited)
{
    tw_session *session = s->app->session;
    char added[TW_MONEY_TEXT_MAX], all[TW_MONEY_TEXT_MAX];
    const tw_genesis_asset *asset = tw_money_fee_asset(session);
    int64_t fuel = 0;
    TW_TRY(tw_ledger_fuel(session->ledger, &s->tx.contract, &fuel));
    if (s->app->json) {
        json_t *object = end_json(s);
        json_object_set_new(object, "fuel", tw_money_fee_json(session, fuel));
        json_object_set_new(object, "waited", json_integer(waited));
        return tw_app_print_json(object);
    }
    printf("%s has %s of fuel, %s more", s->label,
           tw_money_print(fuel, asset->decimals, asset->name, all),
           tw_money_print(s->tx.amount, asset->decimals, asset->name, added));
    print_end(s);
    if (waited > 0) printf("  %u that waited for it come up in the next block\n", waited);
    return TW_OK;
}

tw_status tw_command_fuel(tw_app *app)
{
    sending s = {.app = app, .tx = {.kind = TW_TX_FUEL}, .word = "fuel"};
    const char *text = app->args.words[1];
    uint32_t waited = 0;
    TW_TRY(begin(&s));
    TW_TRY(find_contract(&s));
    const tw_genesis_asset *asset = tw_money_fee_asset(app->session);
    if (asset == NULL) {
        return tw_app_fail(app, "the ledger takes no fees: timers of %s need no fuel", s.label);
    }
    TW_TRY(tw_money_parse(tw_bytes_of(text, strlen(text)), asset->decimals, asset->name,
                          &s.tx.amount, &app->err));
    if (s.tx.amount <= 0) return tw_app_fail(app, "%.60s: nothing would move", text);
    TW_TRY(count_waiting(&s, &waited));
    TW_TRY(send(&s));
    if (s.receipt->run.status != TW_OK) return refuse(&s);
    return report_fuel(&s, waited);
}

/* ---- tick ---- */

static tw_status print_item(void *context, const tw_story_item *item)
{
    tw_session *session = context;
    tw_writer w = tw_writer_new(TEXT_MAX);
    const tw_status status = tw_story_details(session, item, &w);
    if (status == TW_OK && item->kind == TW_STORY_MONEY) {
        printf("  %.*s\n", (int)w.size, (const char *)w.data);
    } else if (status == TW_OK) {
        printf("  %s %s: %.*s\n", tw_story_word(item->kind), item->name, (int)w.size,
               (const char *)w.data);
    }
    tw_writer_free(&w);
    return status;
}

static json_t *tick_json(const sending *s, const char *name, const char *outcome)
{
    json_t *object = end_json(s);
    json_object_set_new(object, "timer", name != NULL ? json_string(name) : json_null());
    json_object_set_new(object, "outcome", json_string(outcome));
    return object;
}

static tw_status report_tick(const sending *s)
{
    tw_session *session = s->app->session;
    const uint32_t number = s->block.receipt_count - 1;
    const tw_run *run = s->receipt->handler_count > 0 ? &s->receipt->handlers[0] : NULL;
    const tw_module *m =
        tw_session_module_then(session, &s->tx.contract, s->block.info.height, number);
    const char *name = run != NULL && m != NULL ? m->entries[run->entry].name : NULL;
    const bool failed = run != NULL && run->status != TW_OK;
    tw_writer w = tw_writer_new(TEXT_MAX);
    if (failed) tw_session_outcome(session, m, run, &w);
    tw_write_u8(&w, 0);
    const char *why = failed && !w.bad ? (const char *)w.data : run != NULL ? "done" : "dropped";
    tw_status status = TW_OK;
    if (s->app->json) {
        status = tw_app_print_json(tick_json(s, name, why));
    } else {
        if (name == NULL)
            printf("a timer of %s that does not run in this phase is dropped", s->label);
        if (name != NULL)
            printf("%s of %s %s%s", name, s->label, failed ? "has failed: " : "", why);
        print_end(s);
        if (failed) puts("  it has been tried, and is due again later");
        status =
            tw_story_walk_receipt(session, &s->block, number,
                                  TW_STORY_ALL & ~(uint32_t)TW_STORY_FAILED, print_item, session);
    }
    tw_writer_free(&w);
    return status;
}

/* A tick that finds nothing is paid as well: better not to send it. */
static tw_status look_for_due(const sending *s)
{
    tw_app *app = s->app;
    tw_contract *c = NULL;
    int64_t first = INT64_MAX;
    char time[TW_TIME_TEXT_MAX];
    TW_TRY(tw_session_advance(app->session, s->time, NULL, NULL, &app->err));
    TW_TRY(tw_ledger_contract(app->session->ledger, &s->tx.contract, app->session->arena, &c,
                              &app->err));
    for (uint16_t i = 0; i < c->code->module->entry_count; i++) {
        int64_t due = c->control.timers[i].due;
        if (due == TW_NEVER) continue;
        if (c->code->module->entries[i].kind == TW_ENTRY_SILENT) {
            TW_TRY(tw_timer_silent_due(c, i, &due));
        }
        if (due < first) first = due;
    }
    if (first <= s->time) return TW_OK;
    if (first == INT64_MAX) return tw_app_fail(app, "no timer of %s waits for a time", s->label);
    return tw_app_fail(app, "no timer of %s is due before %s", s->label,
                       tw_time_print(first, time));
}

tw_status tw_command_tick(tw_app *app)
{
    sending s = {.app = app, .tx = {.kind = TW_TX_TICK}, .word = "tick"};
    TW_TRY(begin(&s));
    TW_TRY(find_contract(&s));
    TW_TRY(look_for_due(&s));
    TW_TRY(send(&s));
    if (s.receipt->run.status != TW_OK) return refuse(&s);
    return report_tick(&s);
}
