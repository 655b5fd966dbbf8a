/* cmd_upgrade -- `twvm upgrade`: another version of a contract in the place of the one that runs.
 *
 * What the ledger would refuse is said before anything is signed, in a sentence. With a delay the
 * first call is the consent, and says when the second one may come.
 */
#include "vm/runner/command.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/source.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 };

typedef struct change {
    tw_app *app;
    const tw_module *to;
    tw_hash module;
    tw_tx tx;
    /* of the contract before: */
    uint32_t version;
    tw_upgrade rule;
    const char *role;
    int64_t delay; /* 0: none */
    char label[TW_CONTRACT_NAME_MAX];
} change;

/* What is needed of the contract as it stands; the block that follows makes it another. */
static tw_status look_at(change *u)
{
    tw_session *s = u->app->session;
    tw_contract *c = NULL;
    TW_TRY(tw_session_find(s, u->app->args.words[0], &u->tx.contract, &u->app->err));
    tw_session_label(s, &u->tx.contract, u->label);
    TW_TRY(tw_ledger_contract(s->ledger, &u->tx.contract, s->arena, &c, &u->app->err));
    const tw_module *from = c->code->module;
    u->version = from->version;
    u->rule = from->upgrade;
    if (u->rule.role != TW_NONE) {
        const char *role = from->roles[u->rule.role].name;
        u->role = tw_arena_copy(s->arena, role, strlen(role));
        if (u->role == NULL) return TW_ERR_MEMORY;
        if (u->rule.delay != TW_NONE) u->delay = c->deployed[u->rule.delay];
    }
    tw_err inner = {0};
    const tw_status fits = tw_ledger_upgrade_fits(s->ledger, &u->tx.contract, u->tx.module, &inner);
    if (fits == TW_OK) return TW_OK;
    return tw_err_set(&u->app->err, fits, "%s: %.400s", u->label, inner.text);
}

static tw_status consent_since(change *u, int64_t *ret_since, bool *ret_found)
{
    tw_hash module;
    TW_TRY(
        tw_ledger_consent(u->app->session->ledger, &u->tx.contract, &module, ret_since, ret_found));
    *ret_found = *ret_found && tw_hash_equal(&module, &u->module);
    return TW_OK;
}

static tw_status refused(change *u, const tw_run *run)
{
    char time[TW_TIME_TEXT_MAX];
    if (run->status == TW_TRAP_NOT_SIGNED) {
        return tw_app_fail(u->app, "%s: an upgrade is signed by %u of %s: --as KEY,KEY ...",
                           u->label, u->rule.count, u->role);
    }
    if (run->status == TW_TX_TOO_EARLY) {
        int64_t since = 0;
        bool found = false;
        TW_TRY(consent_since(u, &since, &found));
        return tw_app_fail(u->app, "%s: consent was given; the upgrade may be done from %s on",
                           u->label, tw_time_print(since + u->delay, time));
    }
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_session_outcome(u->app->session, u->to, run, &w);
    const tw_status status = tw_app_fail(u->app, "the upgrade of %s failed: %.*s", u->label,
                                         (int)w.size, (const char *)w.data);
    tw_writer_free(&w);
    return status;
}

static tw_status report(change *u, const tw_block *block)
{
    char gas[TW_GROUPED_MAX], time[TW_TIME_TEXT_MAX], due[TW_TIME_TEXT_MAX];
    char fee[TW_FEE_TEXT_MAX];
    const tw_receipt *receipt = &block->receipts[block->receipt_count - 1];
    const tw_run *run = &receipt->run;
    const bool done = run->entry != TW_NONE;
    const int64_t from = block->info.time + u->delay;
    if (run->status != TW_OK) return refused(u, run);
    if (u->app->json) {
        json_t *object =
            json_pack("{s:s, s:o, s:i, s:i, s:b, s:o, s:o, s:o, s:o*}", "name", u->label, "module",
                      tw_json_hex(u->module.bytes, TW_HASH_SIZE), "from", u->version, "to",
                      u->to->version, "done", done, "block", tw_json_u64(block->info.height),
                      "time", tw_json_time(block->info.time), "gas", tw_json_u64(run->gas), "fee",
                      tw_money_fee_json(u->app->session, receipt->fee));
        if (object != NULL && !done) json_object_set_new(object, "due", tw_json_time(from));
        return tw_app_print_json(object);
    }
    if (!done) {
        printf("consent to version %u of %s at %s; the same command does it from %s on\n",
               u->to->version, u->label, tw_time_print(block->info.time, time),
               tw_time_print(from, due));
        return TW_OK;
    }
    printf("upgraded %s from version %u to %u at %s in block %llu, gas %s%s\n", u->label,
           u->version, u->to->version, tw_time_print(block->info.time, time),
           (unsigned long long)block->info.height, tw_grouped(run->gas, gas),
           tw_money_fee(u->app->session, receipt->fee, fee));
    return TW_OK;
}

static tw_status send(change *u)
{
    tw_app *app = u->app;
    tw_session *s = app->session;
    const tw_named_key *keys[TW_TX_SIGNERS_MAX];
    uint32_t count = 0;
    int64_t time = 0;
    tw_bytes transaction;
    tw_block block;
    TW_TRY(tw_app_block_time(app, &time));
    TW_TRY(tw_app_signers(app, keys, &count));
    TW_TRY(tw_session_advance(s, time, NULL, NULL, &app->err));
    TW_TRY(look_at(u));
    TW_TRY(tw_session_sign(s, &u->tx, keys, count, &transaction, &app->err));
    TW_TRY(tw_session_submit(s, transaction, time, &block, &app->err));
    return report(u, &block);
}

tw_status tw_command_upgrade(tw_app *app)
{
    if (!tw_args_has(&app->args, "as")) return tw_app_usage(app, "say who signs: --as KEY,KEY ...");
    tw_bytes debug;
    tw_code *code = NULL;
    change u = {.app = app, .tx = {.kind = TW_TX_UPGRADE}};
    tw_arena *arena = tw_arena_new(ARENA_MAX);
    if (arena == NULL) return TW_ERR_MEMORY;
    /* compiled before the ledger is opened: a slip in the text then holds nobody up */
    tw_status status =
        tw_source_module(app, app->args.words[1], tw_args_get(&app->args, "contract", NULL), arena,
                         &u.tx.module, &debug);
    if (status == TW_OK) status = tw_app_code(app, app->args.words[1], u.tx.module, &code);
    if (status == TW_OK) {
        u.to = code->module;
        u.module = code->hash;
        status = tw_app_open(app);
    }
    if (status == TW_OK) status = send(&u);
    tw_code_free(code);
    tw_arena_free(arena);
    return status;
}
