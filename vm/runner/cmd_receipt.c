/* cmd_receipt -- `twvm receipt`: one transaction and what came of it: who sent what, the outcome,
 * gas and fee, and everything it made happen.
 *
 * All of it stands in the block: the transaction's bytes say what was asked, the receipt what was
 * done. Text and JSON say the same.
 */
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024, WHAT_MAX = 512 };

typedef struct view {
    tw_app *app;
    tw_session *session;
    tw_block block;
    uint32_t number; /* of the receipt */
    const tw_receipt *receipt;
    tw_tx tx;
    const tw_module *module; /* whose entry ran; NULL: none did */
    json_t *story;           /* NULL: text */
} view;

static tw_status find(view *v, const char *text)
{
    tw_session *s = v->session;
    tw_hash id;
    uint64_t height = 0;
    uint32_t place = 0;
    bool found = false;
    if (!tw_hex_decode(text, strlen(text), id.bytes, TW_HASH_SIZE)) {
        return tw_app_usage(v->app,
                            "%.80s: a transaction is known by the 64 hex digits of its id "
                            "(twvm blocks HEIGHT prints them)",
                            text);
    }
    TW_TRY(tw_ledger_find(s->ledger, &id, &height, &place, &found));
    if (!found) return tw_app_fail(v->app, "no block has a transaction of this id");
    TW_TRY(tw_ledger_block(s->ledger, height, s->arena, &v->block, &v->app->err));
    v->number = v->block.receipt_count - v->block.transaction_count + place;
    v->receipt = &v->block.receipts[v->number];
    TW_TRY(tw_tx_decode(v->block.transactions[place], s->arena, &v->tx));
    if (v->receipt->run.entry != TW_NONE) {
        v->module = tw_session_module_then(s, &v->receipt->run.contract, height, v->number);
    }
    return TW_OK;
}

/* ---- in words ---- */

const char *tw_receipt_word(const tw_tx *tx)
{
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_DEPLOY: return "deploy";
    case TW_TX_CALL: return "call";
    case TW_TX_PACK: return "pack";
    case TW_TX_UPGRADE: return "upgrade";
    case TW_TX_TRANSFER: return "transfer";
    case TW_TX_TICK: return "tick";
    case TW_TX_FUEL: return "fuel";
    }
    return "";
}

/* An amount of an asset that the chain has, or had. */
static void amount_text(tw_session *s, const tw_hash *id, int64_t amount, char *text)
{
    tw_asset asset;
    bool found = false;
    if (id != NULL && tw_ledger_asset(s->ledger, id, &asset, &found) == TW_OK && found) {
        tw_money_print(amount, asset.decimals, asset.name, text);
    } else {
        tw_money_print(amount, 0, "of an unknown asset", text);
    }
}

/* "12.50 EUR to bob", "Club pay_fee", "Club": what was asked for, behind its word. */
static void what_text(const view *v, char ret_text[WHAT_MAX])
{
    tw_session *s = v->session;
    const tw_tx *tx = &v->tx;
    char label[TW_CONTRACT_NAME_MAX], name[TW_SHOW_NAME_MAX], amount[TW_MONEY_TEXT_MAX];
    const tw_hash *contract = tx->kind == TW_TX_DEPLOY || tx->kind == TW_TX_PACK
                                  ? &v->receipt->run.contract
                                  : &tx->contract;
    tw_session_label(s, contract, label);
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_TRANSFER:
        amount_text(s, &tx->asset, tx->amount, amount);
        snprintf(ret_text, WHAT_MAX, "%s to %s", amount,
                 tw_show_account(&tx->payee, &s->names, name));
        return;
    case TW_TX_FUEL:
        amount_text(s, tw_ledger_fee_asset(s->ledger), tx->amount, amount);
        snprintf(ret_text, WHAT_MAX, "%s for %s", amount, label);
        return;
    case TW_TX_CALL:
        snprintf(ret_text, WHAT_MAX, "%s %.*s", label, (int)tx->entry.size,
                 (const char *)tx->entry.data);
        return;
    case TW_TX_DEPLOY:
    case TW_TX_PACK:
    case TW_TX_UPGRADE:
    case TW_TX_TICK: snprintf(ret_text, WHAT_MAX, "%s", label); return;
    }
}

static tw_status outcome_text(const view *v, tw_writer *w)
{
    tw_session_outcome(v->session, v->module, &v->receipt->run, w);
    tw_write_u8(w, 0);
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}

static tw_status show_item(void *context, const tw_story_item *item)
{
    view *v = context;
    if (v->story != NULL) {
        json_t *value = tw_story_json(v->session, item);
        return value != NULL && json_array_append_new(v->story, value) == 0 ? TW_OK : TW_ERR_MEMORY;
    }
    tw_writer w = tw_writer_new(TEXT_MAX);
    const tw_status status = tw_story_details(v->session, item, &w);
    if (status == TW_OK) {
        const bool money = item->kind == TW_STORY_MONEY; /* names itself */
        printf("  %-9s %s%s%.*s\n", tw_story_word(item->kind), money ? "" : item->name,
               money ? "" : ": ", (int)w.size, (const char *)w.data);
    }
    tw_writer_free(&w);
    return status;
}

/* The failure of the transaction itself is its outcome, and not told twice. */
static uint32_t kinds_of(const view *v)
{
    const bool failed = v->receipt->run.status != TW_OK;
    return failed ? TW_STORY_ALL & ~(uint32_t)TW_STORY_FAILED : TW_STORY_ALL;
}

static tw_status print_text(view *v, const char *outcome)
{
    const tw_receipt *receipt = v->receipt;
    char id[65], time[TW_TIME_TEXT_MAX], name[TW_SHOW_NAME_MAX], what[WHAT_MAX];
    char gas[TW_GROUPED_MAX], most[TW_GROUPED_MAX], fee[TW_FEE_TEXT_MAX];
    tw_hex_encode(v->tx.id.bytes, TW_HASH_SIZE, id);
    what_text(v, what);
    printf("%s %s\n  id        %s\n  block     %llu at %s\n", tw_receipt_word(&v->tx), what, id,
           (unsigned long long)v->block.info.height, tw_time_print(v->block.info.time, time));
    printf("  sender    %s, nonce %llu\n",
           tw_show_account(&v->tx.signers[0], &v->session->names, name),
           (unsigned long long)v->tx.nonce);
    for (uint8_t i = 1; i < v->tx.signer_count; i++) {
        printf("  signed by %s\n", tw_show_account(&v->tx.signers[i], &v->session->names, name));
    }
    printf("  outcome   %s\n  gas       %s of at most %s%s\n", outcome,
           tw_grouped(receipt->run.gas, gas), tw_grouped(v->tx.gas_limit, most),
           tw_money_fee(v->session, receipt->fee, fee));
    printf("  writes    %u\n", receipt->run.writes);
    if (receipt->has_intake) {
        printf("  readings  %u in, %u refused\n", receipt->intake.accepted,
               receipt->intake.refused_count);
    }
    return tw_story_walk_receipt(v->session, &v->block, v->number, kinds_of(v), show_item, v);
}

static tw_status print_json(view *v, const char *outcome)
{
    const tw_receipt *receipt = v->receipt;
    char what[WHAT_MAX];
    json_t *signers = json_array();
    v->story = json_array();
    what_text(v, what);
    for (uint8_t i = 0; i < v->tx.signer_count; i++) {
        json_array_append_new(signers, tw_json_hex(v->tx.signers[i].bytes, 32));
    }
    TW_TRY(tw_story_walk_receipt(v->session, &v->block, v->number, kinds_of(v), show_item, v));
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:s, s:o, s:o, s:o*, s:i, s:o}", "transaction",
        tw_json_hex(v->tx.id.bytes, TW_HASH_SIZE), "kind", tw_receipt_word(&v->tx), "what", what,
        "block", tw_json_u64(v->block.info.height), "time", tw_json_time(v->block.info.time),
        "signers", signers, "nonce", tw_json_u64(v->tx.nonce), "done", receipt->run.status == TW_OK,
        "outcome", outcome, "gas", tw_json_u64(receipt->run.gas), "gas_limit",
        tw_json_u64(v->tx.gas_limit), "fee", tw_money_fee_json(v->session, receipt->fee), "writes",
        (int)receipt->run.writes, "story", v->story);
    if (object != NULL && receipt->has_intake) {
        json_object_set_new(object, "accepted", json_integer(receipt->intake.accepted));
        json_object_set_new(object, "refused", json_integer(receipt->intake.refused_count));
    }
    return tw_app_print_json(object);
}

tw_status tw_command_receipt(tw_app *app)
{
    view v = {.app = app};
    TW_TRY(tw_app_open(app));
    v.session = app->session;
    TW_TRY(find(&v, app->args.words[0]));
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_status status = outcome_text(&v, &w);
    const char *outcome = (const char *)w.data;
    if (status == TW_OK) status = app->json ? print_json(&v, outcome) : print_text(&v, outcome);
    tw_writer_free(&w);
    return status;
}
