/* story -- see the header. */
#include "vm/runner/story.h"

#include "vm/runner/command.h"
#include "vm/runner/money.h"

#include <stdio.h>
#include <string.h>

enum { PLACE_TEXT_MAX = 2 * TW_SHOW_NAME_MAX };

typedef struct walk {
    tw_session *session;
    const tw_block *block;
    const tw_hash *contract;
    uint32_t kinds;
    tw_story_visit visit;
    void *context;
} walk;

static tw_status tell(const walk *w, tw_story_item *item, tw_story_kind kind, int64_t time,
                      const char *name, uint16_t index)
{
    if ((w->kinds & (uint32_t)kind) == 0) return TW_OK;
    item->kind = kind;
    item->time = time;
    item->name = name;
    item->index = index;
    return w->visit(w->context, item);
}

static bool money_fits(const tw_module *m, const tw_notice_view *n)
{
    return n->index < m->money_count &&
           (n->from.purse == TW_NONE || n->from.purse < m->purse_count) &&
           (n->to.purse == TW_NONE || n->to.purse < m->purse_count);
}

static tw_status walk_notices(const walk *w, tw_story_item *item)
{
    const tw_module *m = item->module;
    tw_reader r = tw_reader_of(item->run->notices);
    while (tw_notice_read(&r, &item->entry)) {
        const uint16_t index = item->entry.index;
        if (item->entry.kind == TW_NOTICE_EVENT) {
            if (index >= m->event_count) return TW_ERR_CORRUPT;
            TW_TRY(
                tell(w, item, TW_STORY_EVENT, w->block->info.time, m->events[index].name, index));
        } else if (item->entry.kind == TW_NOTICE_MONEY) {
            if (!money_fits(m, &item->entry)) return TW_ERR_CORRUPT;
            TW_TRY(
                tell(w, item, TW_STORY_MONEY, w->block->info.time, m->monies[index].name, index));
        } else {
            if (index >= m->history_count) return TW_ERR_CORRUPT;
            TW_TRY(
                tell(w, item, TW_STORY_HISTORY, item->entry.time, m->histories[index].name, index));
        }
    }
    return r.bad ? TW_ERR_CORRUPT : TW_OK;
}

static const char *entry_name(const tw_module *m, const tw_run *run)
{
    const bool pack = run->status >= TW_PACK_NOT_MEMBER && run->status <= TW_PACK_IN_FUTURE;
    if (run->entry != TW_NONE && run->entry < m->entry_count) return m->entries[run->entry].name;
    return pack ? "pack" : "transaction";
}

/* `receipt`: its number in the block, which says what version of the contract it is of. */
static tw_status walk_run(const walk *w, uint32_t receipt, const tw_run *run,
                          const tw_intake *intake)
{
    if (w->contract != NULL && !tw_hash_equal(w->contract, &run->contract)) return TW_OK;
    tw_story_item item = {.height = w->block->info.height, .contract = &run->contract, .run = run};
    item.module = tw_session_module_then(w->session, &run->contract, item.height, receipt);
    if (item.module == NULL) return TW_OK; /* a transaction that made or met no contract */
    for (uint32_t i = 0; intake != NULL && i < intake->edge_count; i++) {
        const tw_edge_note *edge = &intake->edges[i];
        if (edge->alarm >= item.module->alarm_count) return TW_ERR_CORRUPT;
        item.up = edge->edge == TW_EDGE_RAISED;
        TW_TRY(tell(w, &item, TW_STORY_EDGE, edge->time, item.module->alarms[edge->alarm].name,
                    edge->alarm));
    }
    if (run->status != TW_OK) {
        return tell(w, &item, TW_STORY_FAILED, w->block->info.time, entry_name(item.module, run),
                    run->entry);
    }
    return walk_notices(w, &item);
}

static tw_status walk_receipt(const walk *w, uint32_t number)
{
    const tw_receipt *receipt = &w->block->receipts[number];
    TW_TRY(walk_run(w, number, &receipt->run, receipt->has_intake ? &receipt->intake : NULL));
    for (uint16_t k = 0; k < receipt->handler_count; k++) {
        TW_TRY(walk_run(w, number, &receipt->handlers[k], NULL));
    }
    return TW_OK;
}

tw_status tw_story_walk(tw_session *session, const tw_block *block, const tw_hash *contract,
                        uint32_t kinds, tw_story_visit visit, void *context)
{
    const walk w = {session, block, contract, kinds, visit, context};
    for (uint32_t i = 0; i < block->receipt_count; i++) TW_TRY(walk_receipt(&w, i));
    return TW_OK;
}

tw_status tw_story_walk_receipt(tw_session *session, const tw_block *block, uint32_t number,
                                uint32_t kinds, tw_story_visit visit, void *context)
{
    const walk w = {session, block, NULL, kinds, visit, context};
    return walk_receipt(&w, number);
}

static const tw_members *members_of(const tw_story_item *item)
{
    return item->kind == TW_STORY_EVENT ? &item->module->events[item->index].members
                                        : &item->module->histories[item->index].members;
}

/* "deposit", "share of alice", "alice". */
static const char *place_text(const tw_session *session, const tw_module *m, const tw_place *place,
                              char *ret_text, size_t size)
{
    char name[TW_SHOW_NAME_MAX];
    if (place->purse == TW_NONE) {
        snprintf(ret_text, size, "%s", tw_show_account(&place->account, &session->names, name));
    } else if (m->purses[place->purse].role == TW_NONE) {
        snprintf(ret_text, size, "%s", m->purses[place->purse].name);
    } else {
        snprintf(ret_text, size, "%s of %s", m->purses[place->purse].name,
                 tw_show_account(&place->account, &session->names, name));
    }
    return ret_text;
}

static const char *const transfer_words[TW_TRANSFER_KINDS] = {"",      "received", "paid",
                                                              "moved", "minted",   "burned"};

/* "paid 12_375.00 EUR from deposit to provider". */
static void show_moved(const tw_session *session, const tw_story_item *item, tw_writer *ret_text)
{
    const tw_notice_view *n = &item->entry;
    const tw_money *money = &item->module->monies[n->index];
    char amount[TW_MONEY_TEXT_MAX], from[PLACE_TEXT_MAX], to[PLACE_TEXT_MAX];
    char line[TW_MONEY_TEXT_MAX + 2 * PLACE_TEXT_MAX + 32];
    tw_money_print(n->amount, money->decimals, money->name, amount);
    place_text(session, item->module, &n->from, from, sizeof from);
    place_text(session, item->module, &n->to, to, sizeof to);
    const bool minted = n->transfer == TW_TRANSFER_MINT;
    const bool burned = n->transfer == TW_TRANSFER_BURN;
    snprintf(line, sizeof line, "%s %s%s%s%s%s", transfer_words[n->transfer], amount,
             minted ? "" : " from ", minted ? "" : from, burned ? "" : " to ", burned ? "" : to);
    tw_write_raw(ret_text, line, strlen(line));
}

const tw_field *tw_story_registry(const tw_story_item *item)
{
    const tw_module *m = item->module;
    const uint16_t registry = item->entry.registry;
    const bool of_thing = item->kind == TW_STORY_HISTORY &&
                          item->entry.kind == TW_NOTICE_THING_HISTORY &&
                          registry < m->field_count && m->fields[registry].key_type != TW_NONE;
    return of_thing ? &m->fields[registry] : NULL;
}

/* Whose errors and invariants the run's index means; NULL where no entry of this version ran. */
static const tw_module *module_of_run(const tw_story_item *item)
{
    return item->run->entry != TW_NONE ? item->module : NULL;
}

/* "of machines["M-1"]: ", before the fields of an entry in the history of a thing. */
static tw_status show_thing(const tw_session *session, const tw_story_item *item,
                            tw_writer *ret_text)
{
    const tw_field *f = tw_story_registry(item);
    if (f == NULL) return TW_OK;
    tw_reader r = tw_reader_of(item->entry.key);
    tw_write_raw(ret_text, "of ", 3);
    tw_write_raw(ret_text, f->name, strlen(f->name));
    tw_write_raw(ret_text, "[", 1);
    TW_TRY(tw_show_value(item->module, f->key_type, &r, &session->names, ret_text));
    tw_write_raw(ret_text, "]: ", 3);
    return TW_OK;
}

tw_status tw_story_details(const tw_session *session, const tw_story_item *item,
                           tw_writer *ret_text)
{
    const char *word = item->up ? "raised" : "cleared";
    TW_TRY(show_thing(session, item, ret_text));
    switch (item->kind) {
    case TW_STORY_EVENT:
    case TW_STORY_HISTORY:
        return tw_show_members(item->module, members_of(item), item->entry.fields, &session->names,
                               ret_text);
    case TW_STORY_EDGE: tw_write_raw(ret_text, word, strlen(word)); return TW_OK;
    case TW_STORY_FAILED:
        tw_session_outcome(session, module_of_run(item), item->run, ret_text);
        return TW_OK;
    case TW_STORY_MONEY: show_moved(session, item, ret_text); return TW_OK;
    case TW_STORY_ALL: break;
    }
    return TW_ERR_INTERNAL;
}

const char *tw_story_word(tw_story_kind kind)
{
    switch (kind) {
    case TW_STORY_EVENT: return "event";
    case TW_STORY_HISTORY: return "history";
    case TW_STORY_EDGE: return "alarm";
    case TW_STORY_FAILED: return "failed";
    case TW_STORY_MONEY: return "money";
    case TW_STORY_ALL: break;
    }
    return "";
}

static json_t *outcome_json(const tw_session *session, const tw_story_item *item)
{
    tw_writer w = tw_writer_new(16 * 1024);
    tw_session_outcome(session, module_of_run(item), item->run, &w);
    json_t *text = w.bad ? NULL : json_stringn((const char *)w.data, w.size);
    tw_writer_free(&w);
    return text;
}

static json_t *place_json(const tw_module *m, const tw_place *place)
{
    const bool purse = place->purse != TW_NONE;
    json_t *object = json_object();
    if (purse) json_object_set_new(object, "purse", json_string(m->purses[place->purse].name));
    if (!purse || m->purses[place->purse].role != TW_NONE) {
        json_object_set_new(object, purse ? "key" : "account",
                            tw_json_hex(place->account.bytes, sizeof place->account.bytes));
    }
    return object;
}

static void set_moved(json_t *object, const tw_story_item *item)
{
    const tw_notice_view *n = &item->entry;
    const tw_module *m = item->module;
    json_object_set_new(object, "transfer", json_string(transfer_words[n->transfer]));
    json_object_set_new(object, "amount", tw_show_money_json(&m->monies[n->index], n->amount));
    if (n->transfer != TW_TRANSFER_MINT) {
        json_object_set_new(object, "from", place_json(m, &n->from));
    }
    if (n->transfer != TW_TRANSFER_BURN) json_object_set_new(object, "to", place_json(m, &n->to));
}

json_t *tw_story_json(tw_session *session, const tw_story_item *item)
{
    char label[TW_CONTRACT_NAME_MAX];
    json_t *object = json_pack("{s:o, s:s, s:s, s:s, s:o}", "time", tw_json_time(item->time),
                               "contract", tw_session_label(session, item->contract, label), "kind",
                               tw_story_word(item->kind), "name", item->name, "block",
                               tw_json_u64(item->height));
    if (object == NULL) return NULL;
    if (item->kind == TW_STORY_EDGE) {
        json_object_set_new(object, "edge", json_string(item->up ? "raised" : "cleared"));
    } else if (item->kind == TW_STORY_FAILED) {
        json_object_set_new(object, "error", outcome_json(session, item));
    } else if (item->kind == TW_STORY_MONEY) {
        set_moved(object, item);
    } else {
        json_object_set_new(
            object, "fields",
            tw_show_members_json(item->module, members_of(item), item->entry.fields));
    }
    const tw_field *registry = tw_story_registry(item);
    if (registry != NULL) {
        tw_reader r = tw_reader_of(item->entry.key);
        json_object_set_new(object, "of",
                            json_pack("{s:s, s:o}", "registry", registry->name, "key",
                                      tw_show_json(item->module, registry->key_type, &r)));
    }
    if (item->kind == TW_STORY_HISTORY) {
        const tw_hash hash = tw_notice_hash(&item->entry);
        json_object_set_new(object, "number", tw_json_u64(item->entry.number));
        json_object_set_new(object, "caller", tw_json_hex(item->entry.caller.bytes, 32));
        json_object_set_new(object, "hash", tw_json_hex(hash.bytes, TW_HASH_SIZE));
        json_object_set_new(object, "before", tw_json_hex(item->entry.before.bytes, TW_HASH_SIZE));
    }
    return object;
}
