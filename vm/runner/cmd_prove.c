/* cmd_prove -- `twvm prove` and `twvm history --prove`: facts of the ledger in a file that anybody
 * can check with `twvm verify`, without the ledger.
 *
 * What is to be proved goes by the names that `twvm state` shows; this file makes keys of the state
 * from them, the ledger makes the proof.
 */
#include "vm/exec/field.h"
#include "vm/isa/value.h"
#include "vm/ledger/witness.h"
#include "vm/runner/command.h"
#include "vm/runner/folder.h"
#include "vm/runner/money_parts.h"

#include <stdio.h>
#include <string.h>

enum { KEY_TEXT_MAX = 1024, VALUE_MAX = 64 * 1024 };

/* ---- names to keys ---- */

static tw_status find_account(tw_app *app, const char *text, tw_account *ret_account)
{
    const tw_show_names *names = &app->session->names;
    if (names->account_of(names->context, text, ret_account)) return TW_OK;
    if (tw_hex_decode(text, strlen(text), ret_account->bytes, sizeof ret_account->bytes)) {
        return TW_OK;
    }
    return tw_app_fail(app, "%.80s: no key has this name, and an account has 64 hex digits", text);
}

/* The text between the brackets of `NAME[KEY]`, without quotes around it. */
static tw_status key_text(tw_app *app, const char *text, char ret_key[KEY_TEXT_MAX])
{
    const char *open = strchr(text, '[');
    size_t size = strlen(text);
    if (open == NULL || text[size - 1] != ']') {
        return tw_app_usage(app, "%.80s: write NAME or NAME[KEY]", text);
    }
    const char *from = open + 1;
    size -= (size_t)(from - text) + 1;
    if (size >= 2 && from[0] == '"' && from[size - 1] == '"') {
        from++;
        size -= 2;
    }
    if (size >= KEY_TEXT_MAX) return tw_app_usage(app, "%.80s: the key is too long", text);
    memcpy(ret_key, from, size);
    ret_key[size] = '\0';
    return TW_OK;
}

/* The key of a map or registry as a value is encoded, in `w`, and the state's key of it. */
static tw_status key_of_field(tw_app *app, const tw_contract *c, const tw_field *f,
                              const char *text, tw_writer *w, tw_key *ret_key)
{
    const tw_module *m = c->code->module;
    int64_t slots[TW_KEY_SIZE_MAX] = {0};
    TW_TRY(tw_show_parse(m, f->key_type, text, &app->session->names, w, &app->err));
    tw_reader r = tw_reader_of(tw_writer_bytes(w));
    if (m->types[f->key_type].slots > TW_KEY_SIZE_MAX) return TW_ERR_INTERNAL;
    TW_TRY(tw_value_decode(m, f->key_type, &r, slots));
    const tw_status status = tw_field_key_at(c, f->id, f->key_type, slots, ret_key);
    if (!tw_status_is_outcome(status) || status == TW_OK) return status;
    return tw_app_fail(app, "%.80s is no key of %s", text, f->name);
}

static tw_status in_field(tw_app *app, const tw_contract *c, const tw_field *f, const char *text,
                          tw_key *ret_key)
{
    char key[KEY_TEXT_MAX];
    *ret_key = tw_field_key(c, f->id);
    if (strchr(text, '[') == NULL) return TW_OK; /* a var, or how many keys there are */
    if (f->kind == TW_FIELD_VAR) return tw_app_fail(app, "%s is a var and has no keys", f->name);
    TW_TRY(key_text(app, text, key));
    tw_writer w = tw_writer_new(VALUE_MAX);
    const tw_status status = key_of_field(app, c, f, key, &w, ret_key);
    tw_writer_free(&w);
    return status;
}

static tw_status in_purse(tw_app *app, const tw_contract *c, const tw_purse *p, const char *text,
                          tw_key *ret_key)
{
    char key[KEY_TEXT_MAX];
    tw_account account;
    *ret_key = tw_purse_key(&c->id, p, NULL);
    if (strchr(text, '[') == NULL) return TW_OK;
    if (p->role == TW_NONE) return tw_app_fail(app, "%s is one purse and has no keys", p->name);
    TW_TRY(key_text(app, text, key));
    TW_TRY(find_account(app, key, &account));
    *ret_key = tw_purse_key(&c->id, p, &account);
    return TW_OK;
}

static bool is_named(const char *name, const char *text, size_t size)
{
    return strlen(name) == size && strncmp(name, text, size) == 0;
}

static tw_status refuse_name(tw_app *app, const tw_module *m, const char *text)
{
    char list[300] = "phase";
    size_t used = strlen(list);
    for (uint16_t i = 0; i < m->field_count + m->purse_count; i++) {
        const bool field = i < m->field_count;
        const char *name = field ? m->fields[i].name : m->purses[i - m->field_count].name;
        if ((field && m->fields[i].old) || used + strlen(name) + 3 > sizeof list) continue;
        used += (size_t)snprintf(list + used, sizeof list - used, ", %s", name);
    }
    return tw_app_fail(app, "%s holds nothing named %.60s; there are: %s, and ROLE MEMBER", m->name,
                       text, list);
}

/* `total`, `scores[zoe]`, `deposit`, `phase`. */
static tw_status in_contract(tw_app *app, const tw_contract *c, const char *text, tw_key *ret_key)
{
    const tw_module *m = c->code->module;
    const size_t size = strcspn(text, "[");
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (!f->old && is_named(f->name, text, size)) return in_field(app, c, f, text, ret_key);
    }
    for (uint16_t i = 0; i < m->purse_count; i++) {
        const tw_purse *p = &m->purses[i];
        if (is_named(p->name, text, size)) return in_purse(app, c, p, text, ret_key);
    }
    if (strcmp(text, "phase") != 0) return refuse_name(app, m, text);
    *ret_key = tw_key_of(TW_SPACE_CONTROL, &c->id);
    return TW_OK;
}

/* ROLE MEMBER */
static tw_status in_role(tw_app *app, const tw_contract *c, const char *role, const char *member,
                         tw_key *ret_key)
{
    const tw_module *m = c->code->module;
    tw_account account;
    for (uint16_t i = 0; i < m->role_count; i++) {
        if (strcmp(m->roles[i].name, role) != 0) continue;
        TW_TRY(find_account(app, member, &account));
        *ret_key = tw_key_of(TW_SPACE_MEMBER, &c->id);
        tw_key_u8(ret_key, (uint8_t)i);
        tw_key_raw(ret_key, account.bytes, sizeof account.bytes);
        return TW_OK;
    }
    return tw_app_fail(app, "%s has no role %.60s", m->name, role);
}

static tw_status open_contract(tw_app *app, const char *name, tw_contract **ret_contract)
{
    tw_hash id;
    tw_session *s = app->session;
    TW_TRY(tw_session_find(s, name, &id, &app->err));
    return tw_ledger_contract(s->ledger, &id, s->arena, ret_contract, &app->err);
}

static tw_status of_state(tw_app *app, tw_key *ret_key)
{
    tw_contract *c = NULL;
    const char *const *words = app->args.words;
    TW_TRY(open_contract(app, words[1], &c));
    if (app->args.word_count == 4) return in_role(app, c, words[2], words[3], ret_key);
    return in_contract(app, c, words[2], ret_key);
}

static tw_status of_balance(tw_app *app, tw_key *ret_key)
{
    tw_asset asset;
    tw_account account;
    TW_TRY(tw_money_asset(app, app->args.words[1], &asset));
    TW_TRY(find_account(app, app->args.words[2], &account));
    *ret_key = tw_bank_balance_key(&asset.id, &account);
    return TW_OK;
}

static tw_status of_code(tw_app *app, tw_key *ret_key)
{
    tw_contract *c = NULL;
    TW_TRY(open_contract(app, app->args.words[1], &c));
    *ret_key = tw_key_of(TW_SPACE_CONTRACT, &c->id);
    return TW_OK;
}

static tw_status of_hex(tw_app *app, const char *hex, tw_key *ret_key)
{
    const size_t size = strlen(hex) / 2;
    if (size == 0 || size > TW_KEY_MAX || !tw_hex_decode(hex, strlen(hex), ret_key->data, size)) {
        return tw_app_usage(app, "--key: write 1 to %d bytes in hex", TW_KEY_MAX);
    }
    ret_key->size = size;
    return TW_OK;
}

static tw_status wanted_key(tw_app *app, tw_key *ret_key)
{
    const uint32_t count = app->args.word_count;
    const char *hex = tw_args_get(&app->args, "key", NULL);
    const char *what = count > 0 ? app->args.words[0] : "";
    if (hex != NULL && count == 0) return of_hex(app, hex, ret_key);
    if (hex == NULL && strcmp(what, "state") == 0 && (count == 3 || count == 4)) {
        return of_state(app, ret_key);
    }
    if (hex == NULL && strcmp(what, "balance") == 0 && count == 3) return of_balance(app, ret_key);
    if (hex == NULL && strcmp(what, "code") == 0 && count == 2) return of_code(app, ret_key);
    return tw_app_usage(app, "prove state CONTRACT NAME|NAME[KEY]|phase|ROLE MEMBER, balance ASSET "
                             "ACCOUNT, code CONTRACT, or --key HEX");
}

/* ---- files ---- */

static tw_status write_file(tw_app *app, const char *path, const tw_writer *w)
{
    return w->bad ? TW_ERR_MEMORY : tw_file_write(path, tw_writer_bytes(w), &app->err);
}

/* What the file is to be checked against. */
static tw_status say_written(tw_app *app, const char *path, size_t size)
{
    const tw_block_info *head = tw_ledger_head(app->session->ledger);
    char root[2 * TW_HASH_SIZE + 1], block[2 * TW_HASH_SIZE + 1];
    tw_hex_encode(head->state_root.bytes, TW_HASH_SIZE, root);
    tw_hex_encode(head->hash.bytes, TW_HASH_SIZE, block);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:s, s:o, s:o, s:s, s:s}", "file", path, "size",
                                           tw_json_u64(size), "height", tw_json_u64(head->height),
                                           "block", block, "root", root));
    }
    printf("wrote %s, %zu bytes\n  height    %llu\n  block     %s\n  root      %s\n", path, size,
           (unsigned long long)head->height, block, root);
    return TW_OK;
}

static tw_status write_witness(tw_app *app, const tw_witness *witness)
{
    const char *path = tw_args_get(&app->args, "out", NULL);
    tw_writer w = tw_writer_new(TW_WITNESS_SIZE_MAX);
    tw_witness_encode(witness, &w);
    tw_status status = write_file(app, path, &w);
    if (status == TW_OK) status = say_written(app, path, w.size);
    tw_writer_free(&w);
    return status;
}

static tw_status write_ics23(tw_app *app, tw_bytes key)
{
    const char *path = tw_args_get(&app->args, "out", NULL);
    tw_writer w = tw_writer_new(TW_WITNESS_SIZE_MAX);
    tw_status status = tw_ledger_prove_ics23(app->session->ledger, key, &w, &app->err);
    if (status == TW_OK) status = write_file(app, path, &w);
    if (status == TW_OK) status = say_written(app, path, w.size);
    tw_writer_free(&w);
    return status;
}

/* ---- the commands ---- */

tw_status tw_command_prove(tw_app *app)
{
    tw_key key = {.size = 0};
    tw_witness witness;
    if (!tw_args_has(&app->args, "out")) return tw_app_usage(app, "say with -o where to write");
    TW_TRY(tw_app_open_at(app));
    TW_TRY(wanted_key(app, &key));
    if (tw_args_has(&app->args, "ics23")) return write_ics23(app, tw_key_bytes(&key));
    const bool code = !tw_args_has(&app->args, "no-code");
    TW_TRY(tw_ledger_prove(app->session->ledger, tw_key_bytes(&key), code, app->session->arena,
                           &witness, &app->err));
    return write_witness(app, &witness);
}

/* --of 'machines[M-1]' or machines:M-1, in the contract's present version. */
static tw_status find_thing(tw_app *app, const char *text, tw_writer *w, tw_history_of *of)
{
    tw_contract *c = NULL;
    char key[KEY_TEXT_MAX];
    const size_t size = strcspn(text, "[:");
    TW_TRY(tw_ledger_contract(app->session->ledger, &of->contract, app->session->arena, &c,
                              &app->err));
    if (text[size] == '[') {
        TW_TRY(key_text(app, text, key));
    } else {
        snprintf(key, sizeof key, "%s", text[size] == ':' ? text + size + 1 : "");
    }
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (f->old || f->kind != TW_FIELD_REGISTRY || !is_named(f->name, text, size)) continue;
        TW_TRY(key_of_field(app, c, f, key, w, &of->record));
        of->thing = true;
        of->field = f->id;
        of->key = tw_writer_bytes(w);
        return TW_OK;
    }
    return tw_app_fail(app, "--of %.60s: %s has no such registry", text, m->name);
}

tw_status tw_app_prove_history(tw_app *app, const tw_hash *contract)
{
    tw_witness witness;
    tw_history_of of = {.contract = *contract};
    const char *text = tw_args_get(&app->args, "of", NULL);
    tw_writer w = tw_writer_new(VALUE_MAX);
    tw_status status = text != NULL ? find_thing(app, text, &w, &of) : TW_OK;
    if (status == TW_OK) {
        status = tw_ledger_prove_history(app->session->ledger, &of, app->session->arena, &witness,
                                         &app->err);
    }
    tw_writer_free(&w);
    return status == TW_OK ? write_witness(app, &witness) : status;
}
