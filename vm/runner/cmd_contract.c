/* cmd_contract -- the commands that act on a contract: deploy, call, view. */
#include "vm/base/quantities.h"
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/source.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { ROLE_MEMBERS_MAX = 4096, TEXT_MAX = 64 * 1024 };

tw_status tw_app_block_time(tw_app *app, int64_t *ret_time)
{
    const char *text = tw_args_get(&app->args, "time", NULL);
    const char *why = NULL;
    *ret_time = tw_session_now(app->session);
    if (text == NULL) return TW_OK;
    if (!tw_time_parse(tw_bytes_of(text, strlen(text)), TW_TIME_AUTO, 0, ret_time, &why)) {
        return tw_app_usage(app, "--time: \"%.60s\" %s", text, why);
    }
    app->session->names.now = *ret_time;
    return TW_OK;
}

/* The parts of "a,b,c". */
static uint32_t split_names(const char *text, char (*ret_names)[TW_KEY_NAME_MAX + 1], uint32_t max)
{
    uint32_t count = 0;
    while (*text != '\0' && count < max) {
        const size_t size = strcspn(text, ",");
        snprintf(ret_names[count++], TW_KEY_NAME_MAX + 1, "%.*s", (int)(size < 65 ? size : 65),
                 text);
        text += size;
        if (*text == ',') text++;
    }
    return count;
}

/* ---- deploy ---- */

static tw_status find_or_make_key(tw_app *app, const char *name, tw_account *ret_account)
{
    tw_session *s = app->session;
    const tw_named_key *key = tw_keyring_find(s->keyring, name);
    if (key == NULL && tw_hex_decode(name, strlen(name), ret_account->bytes, 32)) return TW_OK;
    if (key == NULL) {
        TW_TRY(tw_keyring_add(s->keyring, name, NULL, &key, &app->err));
        fprintf(stderr, "made the key %s\n", name);
    }
    *ret_account = key->account;
    return TW_OK;
}

static tw_status add_member(tw_app *app, const char *role, tw_account *members, uint32_t *count,
                            const char *name)
{
    tw_account account;
    if (*count == ROLE_MEMBERS_MAX) return tw_app_fail(app, "role %s: too many accounts", role);
    TW_TRY(find_or_make_key(app, name, &account));
    uint32_t at = *count;
    for (; at > 0 && tw_account_compare(&members[at - 1], &account) >= 0; at--) {
        if (tw_account_equal(&members[at - 1], &account)) {
            return tw_app_fail(app, "role %s: %s is named twice", role, name);
        }
        members[at] = members[at - 1];
    }
    members[at] = account;
    (*count)++;
    return TW_OK;
}

/* All --role options that name this role. */
static tw_status role_members(tw_app *app, const tw_role *role, tw_tx_role *ret_role)
{
    const size_t size = strlen(role->name);
    tw_account *members = TW_NEW_ARRAY(app->session->arena, tw_account, ROLE_MEMBERS_MAX);
    uint32_t count = 0;
    if (members == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "role", i);
        if (text == NULL) break;
        if (strncmp(text, role->name, size) != 0 || text[size] != '=') continue;
        for (const char *at = text + size + 1; *at != '\0';) {
            char name[80];
            const size_t part = strcspn(at, ",");
            snprintf(name, sizeof name, "%.*s", (int)(part < 79 ? part : 79), at);
            TW_TRY(add_member(app, role->name, members, &count, name));
            at += part + (at[part] == ',' ? 1 : 0);
        }
    }
    if (count > role->max) {
        return tw_app_fail(app, "role %s has room for %u, not for %u", role->name, role->max,
                           count);
    }
    if (count < role->least) {
        return tw_app_fail(app, "role %s needs %u accounts to begin with: --role %s=KEY,KEY",
                           role->name, role->least, role->name);
    }
    if (count == 0 && (role->flags & TW_ROLE_GRANTED) == 0) {
        return tw_app_fail(app, "role %s needs an account: --role %s=KEY", role->name, role->name);
    }
    if (count == 0) {
        fprintf(stderr, "note: role %s begins with nobody; --role %s=KEY gives it a member\n",
                role->name, role->name);
    }
    *ret_role = (tw_tx_role){members, (uint16_t)count};
    return TW_OK;
}

static tw_status all_roles(tw_app *app, const tw_module *m, tw_tx *tx)
{
    for (uint32_t i = 0; tw_args_each(&app->args, "role", i) != NULL; i++) {
        const char *text = tw_args_each(&app->args, "role", i);
        const size_t size = strcspn(text, "=");
        bool known = false;
        for (uint16_t k = 0; k < m->role_count && !known; k++) {
            known = strlen(m->roles[k].name) == size && strncmp(m->roles[k].name, text, size) == 0;
        }
        if (!known || text[size] != '=') {
            return tw_app_fail(app, "--role %.60s: %s has no such role; it is --role ROLE=KEY",
                               text, m->name);
        }
    }
    tx->roles = TW_NEW_ARRAY(app->session->arena, tw_tx_role, m->role_count);
    if (tx->roles == NULL) return TW_ERR_MEMORY;
    tx->role_count = m->role_count;
    for (uint16_t i = 0; i < m->role_count; i++) {
        TW_TRY(role_members(app, &m->roles[i], &tx->roles[i]));
    }
    return TW_OK;
}

static void number_text(const tw_module *m, uint16_t type, int64_t value,
                        char ret_text[TW_MONEY_TEXT_MAX])
{
    static_assert((int)TW_MONEY_TEXT_MAX >= (int)TW_QUANTITY_TEXT_MAX, "room for either");
    const tw_type *t = &m->types[type];
    if (t->kind == TW_KIND_MONEY) {
        tw_money_print(value, m->monies[t->of].decimals, m->monies[t->of].name, ret_text);
    } else {
        tw_quantity_print(value, (tw_dimension)t->quantity, ret_text);
    }
}

static tw_status check_range(tw_app *app, const tw_module *m, const tw_param *p, tw_bytes value)
{
    char low[TW_MONEY_TEXT_MAX], high[TW_MONEY_TEXT_MAX], text[TW_MONEY_TEXT_MAX];
    if (!p->ranged || value.size != 8) return TW_OK;
    const int64_t number = (int64_t)tw_load_u64(value.data);
    if (number >= p->low && number <= p->high) return TW_OK;
    number_text(m, p->type, p->low, low);
    number_text(m, p->type, p->high, high);
    number_text(m, p->type, number, text);
    return tw_app_fail(app, "param %s is %s; it lies in %s .. %s", p->name, text, low, high);
}

static tw_status one_param(tw_app *app, const tw_module *m, uint16_t index, const char *text,
                           tw_tx_param *ret_param)
{
    const tw_param *p = &m->params[index];
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_err inner = {0};
    tw_status status = tw_show_parse(m, p->type, text, &app->session->names, &w, &inner);
    if (status != TW_OK) {
        tw_err_set(&app->err, status, "param %s: %.400s", p->name, inner.text);
    } else {
        status = check_range(app, m, p, tw_writer_bytes(&w));
    }
    const char *copy = tw_arena_copy(app->session->arena, w.data, w.size);
    *ret_param = (tw_tx_param){index, tw_bytes_of(copy, w.size)};
    tw_writer_free(&w);
    return status == TW_OK && copy == NULL ? TW_ERR_MEMORY : status;
}

static tw_status all_params(tw_app *app, const tw_module *m, tw_tx *tx)
{
    tx->params = TW_NEW_ARRAY(app->session->arena, tw_tx_param, m->param_count);
    if (tx->params == NULL) return TW_ERR_MEMORY;
    uint32_t used = 0;
    uint32_t given = 0;
    while (tw_args_each(&app->args, "param", given) != NULL) given++;
    for (uint16_t k = 0; k < m->param_count; k++) {
        const size_t size = strlen(m->params[k].name);
        const char *value = NULL;
        for (uint32_t i = 0; i < given; i++) {
            const char *text = tw_args_each(&app->args, "param", i);
            if (strncmp(text, m->params[k].name, size) != 0 || text[size] != '=') continue;
            if (value != NULL)
                return tw_app_fail(app, "param %s is given twice", m->params[k].name);
            value = text + size + 1;
            used++;
        }
        if (value == NULL) continue;
        TW_TRY(one_param(app, m, k, value, &tx->params[tx->param_count]));
        tx->param_count++;
    }
    for (uint32_t i = 0; i < given && used != given; i++) {
        const char *text = tw_args_each(&app->args, "param", i);
        bool known = false;
        for (uint16_t k = 0; k < m->param_count && !known; k++) {
            const size_t size = strlen(m->params[k].name);
            known = strncmp(text, m->params[k].name, size) == 0 && text[size] == '=';
        }
        if (!known) return tw_app_fail(app, "--param %.60s: %s has no such param", text, m->name);
    }
    return TW_OK;
}

static tw_status contract_id(tw_app *app, tw_bytes transaction, tw_hash *ret_id)
{
    tw_tx decoded;
    TW_TRY(tw_tx_decode(transaction, app->session->arena, &decoded));
    *ret_id = tw_tx_contract_id(&decoded);
    return TW_OK;
}

static tw_status report_deploy(tw_app *app, const char *name, const tw_hash *id, const tw_module *m,
                               const tw_block *block)
{
    char hex[65], gas[TW_GROUPED_MAX], time[TW_TIME_TEXT_MAX], fee[TW_FEE_TEXT_MAX];
    const tw_receipt *receipt = &block->receipts[block->receipt_count - 1];
    const tw_run *run = &receipt->run;
    tw_hex_encode(id->bytes, TW_HASH_SIZE, hex);
    if (run->status != TW_OK) {
        tw_writer w = tw_writer_new(TEXT_MAX);
        tw_session_outcome(app->session, m, run, &w);
        const tw_status refused =
            tw_app_fail(app, "%s was refused: %.*s", m->name, (int)w.size, (const char *)w.data);
        tw_writer_free(&w);
        return refused;
    }
    if (app->json) {
        return tw_app_print_json(json_pack(
            "{s:s, s:s, s:o, s:o, s:o, s:o*}", "name", name, "id", hex, "block",
            tw_json_u64(block->info.height), "time", tw_json_time(block->info.time), "gas",
            tw_json_u64(run->gas), "fee", tw_money_fee_json(app->session, receipt->fee)));
    }
    printf("deployed %s at %s in block %llu, gas %s%s\nid %s\n", name,
           tw_time_print(block->info.time, time), (unsigned long long)block->info.height,
           tw_grouped(run->gas, gas), tw_money_fee(app->session, receipt->fee, fee), hex);
    if (m->timer_count + m->alarm_count > 0 && tw_money_fee_asset(app->session) != NULL) {
        fprintf(stderr, "note: its timers and alarms run on fuel: twvm fuel %s AMOUNT --as KEY\n",
                name);
    }
    return TW_OK;
}

tw_status tw_app_code(tw_app *app, const char *path, tw_bytes module, tw_code **ret_code)
{
    tw_err inner = {0};
    const tw_status status = tw_code_new(module, NULL, ret_code, &inner);
    if (status == TW_OK) return TW_OK;
    return tw_err_set(&app->err, status, "%s: is refused by the verifier: %.400s", path,
                      inner.text);
}

static tw_status deploy_code(tw_app *app, const tw_module *m, tw_tx *tx, int64_t time)
{
    tw_session *s = app->session;
    const char *as = tw_args_get(&app->args, "as", NULL);
    const char *wanted = tw_args_get(&app->args, "name", NULL);
    char name[TW_CONTRACT_NAME_MAX];
    tw_bytes transaction;
    tw_block block;
    tw_hash id;
    bool taken = false;
    if (wanted != NULL) {
        if (!tw_key_name_is_good(wanted)) {
            return tw_app_usage(app, "--name takes letters, digits, - _ . and at most 64");
        }
        TW_TRY(tw_session_has_name(s, wanted, &id, &taken));
        if (taken) return tw_app_fail(app, "a contract named %s is there already", wanted);
    }
    tw_account account;
    TW_TRY(find_or_make_key(app, as, &account));
    const tw_named_key *sender = tw_keyring_of(s->keyring, &account);
    if (sender == NULL) return tw_keyring_refuse(s->keyring, as, &app->err);
    TW_TRY(tw_keyring_unlock(s->keyring, sender, &app->err));
    TW_TRY(all_roles(app, m, tx));
    TW_TRY(all_params(app, m, tx));
    TW_TRY(tw_money_currencies(app, m, tx));
    TW_TRY(tw_session_free_name(s, wanted != NULL ? wanted : m->name, name, &app->err));
    /* timers that are due before go first: the bound and the nonce are those of the head then */
    TW_TRY(tw_session_advance(s, time, NULL, NULL, &app->err));
    const tw_named_key *signers[1] = {tw_keyring_of(s->keyring, &account)}; /* it may have moved */
    TW_TRY(tw_session_sign(s, tx, signers, 1, &transaction, &app->err));
    TW_TRY(contract_id(app, transaction, &id));
    /* before the block: a name without a contract is free, a contract without a name is lost */
    TW_TRY(tw_session_set_name(s, name, &id, &app->err));
    TW_TRY(tw_session_submit(s, transaction, time, &block, &app->err));
    return report_deploy(app, name, &id, m, &block);
}

tw_status tw_command_deploy(tw_app *app)
{
    if (!tw_args_has(&app->args, "as")) return tw_app_usage(app, "say who deploys: --as KEY");
    tw_bytes debug;
    tw_tx tx = {.kind = TW_TX_DEPLOY};
    tw_arena *arena = tw_arena_new(64 * 1024 * 1024);
    if (arena == NULL) return TW_ERR_MEMORY;
    tw_code *code = NULL;
    int64_t time = 0;
    /* compiled before the ledger is opened: a slip in the text then holds nobody up */
    tw_status status =
        tw_source_module(app, app->args.words[0], tw_args_get(&app->args, "contract", NULL), arena,
                         &tx.module, &debug);
    if (status == TW_OK) status = tw_app_code(app, app->args.words[0], tx.module, &code);
    if (status == TW_OK) status = tw_app_open(app);
    if (status == TW_OK) status = tw_app_block_time(app, &time);
    if (status == TW_OK) status = deploy_code(app, code->module, &tx, time);
    tw_code_free(code);
    tw_arena_free(arena);
    return status;
}

/* ---- call ---- */

tw_status tw_app_signers(tw_app *app, const tw_named_key **ret_keys, uint32_t *ret_count)
{
    char names[TW_TX_SIGNERS_MAX][TW_KEY_NAME_MAX + 1];
    const char *as = tw_args_get(&app->args, "as", NULL);
    *ret_count = split_names(as, names, TW_TX_SIGNERS_MAX);
    if (*ret_count == 0) return tw_app_usage(app, "--as names nobody");
    for (uint32_t i = 0; i < *ret_count; i++) {
        ret_keys[i] = tw_keyring_find(app->session->keyring, names[i]);
        if (ret_keys[i] == NULL) {
            return tw_keyring_refuse(app->session->keyring, names[i], &app->err);
        }
        TW_TRY(tw_keyring_unlock(app->session->keyring, ret_keys[i], &app->err));
    }
    return TW_OK;
}

/* The entry of this kind and name, or a sentence with those there are. */
static tw_status find_entry(tw_app *app, const tw_module *m, tw_entry_kind kind, const char *name,
                            uint16_t *ret_entry)
{
    char list[300] = "none";
    size_t used = 0;
    *ret_entry = tw_module_entry(m, kind, name);
    if (*ret_entry != TW_NONE) return TW_OK;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != kind || used + strlen(e->name) + 3 > sizeof list) continue;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                 e->name);
    }
    return tw_app_fail(app, "%s has no %s %.60s; there are: %s", m->name,
                       kind == TW_ENTRY_ACTION ? "action" : "view", name, list);
}

static tw_status collect_json(void *context, const tw_story_item *item)
{
    void *const *parts = context;
    json_t *value = tw_story_json(parts[0], item);
    return value != NULL && json_array_append_new(parts[1], value) == 0 ? TW_OK : TW_ERR_MEMORY;
}

static tw_status print_item(void *context, const tw_story_item *item)
{
    tw_session *session = context;
    tw_writer w = tw_writer_new(TEXT_MAX);
    const tw_status status = tw_story_details(session, item, &w);
    if (status == TW_OK && item->kind == TW_STORY_MONEY) {
        printf("  %.*s\n", (int)w.size, (const char *)w.data); /* it names its money itself */
    } else if (status == TW_OK) {
        printf("  %s %s: %.*s\n", tw_story_word(item->kind), item->name, (int)w.size,
               (const char *)w.data);
    }
    tw_writer_free(&w);
    return status;
}

/* What to write when a timer stands in the way. */
static const char *due_hint(const tw_app *app, const tw_run *run)
{
    if (run->status != TW_TRAP_TIMER_DUE) return "";
    return tw_money_fee_asset(app->session) != NULL
               ? "; `twvm fuel` pays for it, and `twvm tick` runs it at your cost"
               : "; the next block, or `twvm tick`, runs it";
}

static tw_status report_call(tw_app *app, const char *action, const tw_module *m, const tw_tx *tx,
                             const tw_block *block)
{
    tw_session *s = app->session;
    const tw_receipt *receipt = &block->receipts[block->receipt_count - 1];
    char gas[TW_GROUPED_MAX], time[TW_TIME_TEXT_MAX], fee[TW_FEE_TEXT_MAX];
    if (receipt->run.status != TW_OK) {
        tw_writer w = tw_writer_new(TEXT_MAX);
        tw_session_outcome(s, m, &receipt->run, &w);
        const tw_status refused =
            tw_app_fail(app, "%s failed: %.*s%s%s", action, (int)w.size, (const char *)w.data,
                        tw_money_hint(m, &receipt->run, tx), due_hint(app, &receipt->run));
        tw_writer_free(&w);
        return refused;
    }
    const uint32_t kinds = TW_STORY_EVENT | TW_STORY_HISTORY | TW_STORY_MONEY;
    if (app->json) {
        void *parts[2] = {s, json_array()};
        TW_TRY(tw_story_walk(s, block, &receipt->run.contract, kinds, collect_json, parts));
        return tw_app_print_json(
            json_pack("{s:s, s:o, s:o, s:o, s:o, s:o*, s:o}", "action", action, "transaction",
                      tw_json_hex(receipt->transaction.bytes, TW_HASH_SIZE), "block",
                      tw_json_u64(block->info.height), "time", tw_json_time(block->info.time),
                      "gas", tw_json_u64(receipt->run.gas), "fee",
                      tw_money_fee_json(s, receipt->fee), "story", (json_t *)parts[1]));
    }
    printf("%s done at %s in block %llu, gas %s%s\n", action, tw_time_print(block->info.time, time),
           (unsigned long long)block->info.height, tw_grouped(receipt->run.gas, gas),
           tw_money_fee(s, receipt->fee, fee));
    return tw_story_walk(s, block, &receipt->run.contract, kinds, print_item, s);
}

static tw_status copy_arguments(tw_app *app, const tw_module *m, uint16_t entry, const char *what,
                                tw_bytes *ret_arguments)
{
    const tw_args *args = &app->args;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_status status =
        tw_show_parse_members(m, &m->entries[entry].members, what, args->words + 2,
                              args->word_count - 2, &app->session->names, &w, &app->err);
    const char *copy = tw_arena_copy(app->session->arena, w.data, w.size);
    if (copy == NULL && status == TW_OK) status = TW_ERR_MEMORY;
    *ret_arguments = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    return status;
}

tw_status tw_command_call(tw_app *app)
{
    const tw_args *args = &app->args;
    if (!tw_args_has(args, "as")) return tw_app_usage(app, "say who calls: --as KEY");
    TW_TRY(tw_app_open(app));
    tw_session *s = app->session;
    const tw_named_key *keys[TW_TX_SIGNERS_MAX];
    uint32_t count = 0;
    uint16_t entry = TW_NONE;
    int64_t time = 0;
    tw_tx tx = {.kind = TW_TX_CALL};
    TW_TRY(tw_session_find(s, args->words[0], &tx.contract, &app->err));
    TW_TRY(tw_app_block_time(app, &time));
    TW_TRY(tw_app_signers(app, keys, &count));
    const tw_module *m = tw_session_module(s, &tx.contract);
    if (m == NULL) return tw_app_fail(app, "the contract's code cannot be read");
    TW_TRY(find_entry(app, m, TW_ENTRY_ACTION, args->words[1], &entry));
    TW_TRY(copy_arguments(app, m, entry, args->words[1], &tx.arguments));
    tx.entry = tw_bytes_of(args->words[1], strlen(args->words[1]));
    TW_TRY(tw_money_spends(app, &tx.contract, &tx));
    tw_bytes transaction;
    tw_block block;
    TW_TRY(tw_session_advance(s, time, NULL, NULL, &app->err));
    TW_TRY(tw_session_sign(s, &tx, keys, count, &transaction, &app->err));
    TW_TRY(tw_session_submit(s, transaction, time, &block, &app->err));
    return report_call(app, args->words[1], m, &tx, &block);
}

/* ---- view ---- */

tw_status tw_command_view(tw_app *app)
{
    const tw_args *args = &app->args;
    TW_TRY(tw_app_open_at(app));
    tw_session *s = app->session;
    tw_hash id;
    uint16_t entry = TW_NONE;
    int64_t time = 0;
    tw_bytes arguments;
    tw_outcome outcome;
    TW_TRY(tw_session_find(s, args->words[0], &id, &app->err));
    TW_TRY(tw_app_block_time(app, &time));
    const tw_module *m = tw_session_module(s, &id);
    if (m == NULL) return tw_app_fail(app, "the contract's code cannot be read");
    TW_TRY(find_entry(app, m, TW_ENTRY_VIEW, args->words[1], &entry));
    TW_TRY(copy_arguments(app, m, entry, args->words[1], &arguments));
    TW_TRY(tw_ledger_view(s->ledger, &id, NULL, entry, arguments, time, &outcome, &app->err));
    const uint16_t type = m->entries[entry].result;
    tw_reader r = tw_reader_of(outcome.fields);
    if (outcome.status != TW_OK) {
        const tw_run run = {
            .status = outcome.status, .index = outcome.index, .fields = outcome.fields};
        tw_writer w = tw_writer_new(TEXT_MAX);
        tw_session_outcome(s, m, &run, &w);
        const tw_status refused =
            tw_app_fail(app, "%s failed: %.*s", args->words[1], (int)w.size, (const char *)w.data);
        tw_writer_free(&w);
        return refused;
    }
    if (app->json) return tw_app_answer(app, tw_show_json(m, type, &r));
    tw_writer w = tw_writer_new(1024 * 1024);
    const tw_status status = tw_show_value(m, type, &r, &s->names, &w);
    if (status == TW_OK) printf("%.*s\n", (int)w.size, (const char *)w.data);
    tw_writer_free(&w);
    return status;
}
