/* cmd_money -- what the command line says of money: the assets of a new ledger, the currencies of a
 * deploy, the most that a call may take; and `twvm balances`.
 *
 * Assets go by their names: EUR; a token by its contract's too, DataReward.DATA; any by the 64
 * digits of its id.
 */
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 300, LABEL_MAX = TW_CONTRACT_NAME_MAX + TW_NAME_SIZE_MAX + 2 };

/* ---- assets by name ---- */

static const char *asset_label(tw_session *s, const tw_asset *asset, char ret_label[LABEL_MAX])
{
    char contract[TW_CONTRACT_NAME_MAX];
    const bool token = !tw_hash_is_zero(&asset->contract);
    snprintf(ret_label, LABEL_MAX, "%s%s%s",
             token ? tw_session_label(s, &asset->contract, contract) : "", token ? "." : "",
             asset->name);
    return ret_label;
}

/* The next asset of the ledger; *ret_found false behind the last. */
static tw_status next_asset(tw_session *s, const tw_hash *after, tw_asset *ret_asset,
                            bool *ret_found)
{
    tw_hash id;
    TW_TRY(tw_ledger_next_asset(s->ledger, after, &id, ret_found));
    if (!*ret_found) return TW_OK;
    return tw_ledger_asset(s->ledger, &id, ret_asset, ret_found);
}

tw_status tw_money_asset(tw_app *app, const char *text, tw_asset *ret_asset)
{
    tw_session *s = app->session;
    char list[LIST_MAX] = "";
    size_t used = 0;
    tw_hash last;
    bool found = false;
    TW_TRY(next_asset(s, NULL, ret_asset, &found));
    while (found) {
        char label[LABEL_MAX], hex[65];
        asset_label(s, ret_asset, label);
        tw_hex_encode(ret_asset->id.bytes, TW_HASH_SIZE, hex);
        if (strcmp(text, label) == 0 || strcmp(text, hex) == 0) return TW_OK;
        if (used + strlen(label) + 3 < sizeof list) {
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                     label);
        }
        last = ret_asset->id;
        TW_TRY(next_asset(s, &last, ret_asset, &found));
    }
    return tw_app_fail(app, "the ledger has no asset %.64s; %s%s", text,
                       used > 0 ? "there are: " : "init --asset makes some", list);
}

/* ---- init ---- */

/* "alice=1000000.00" */
static tw_status parse_holder(tw_app *app, tw_keyring *keyring, const tw_genesis_asset *asset,
                              tw_bytes text, tw_genesis_holder *ret_holder)
{
    char name[TW_KEY_NAME_MAX + 1];
    const uint8_t *equals = text.size > 0 ? memchr(text.data, '=', text.size) : NULL;
    const size_t size = equals != NULL ? (size_t)(equals - text.data) : 0;
    if (size == 0 || size > TW_KEY_NAME_MAX) {
        return tw_app_usage(app, "--asset: \"%.*s\" is not KEY=AMOUNT", (int)text.size,
                            (const char *)text.data);
    }
    snprintf(name, sizeof name, "%.*s", (int)size, (const char *)text.data);
    const tw_bytes amount = tw_bytes_of(equals + 1, text.size - size - 1);
    TW_TRY(tw_money_parse(amount, asset->decimals, asset->name, &ret_holder->amount, &app->err));
    const tw_named_key *key = tw_keyring_find(keyring, name);
    if (key == NULL) {
        TW_TRY(tw_keyring_add(keyring, name, NULL, &key, &app->err));
        fprintf(stderr, "made the key %s\n", name);
    }
    ret_holder->account = key->account;
    return TW_OK;
}

static tw_status parse_holders(tw_app *app, tw_keyring *keyring, const char *text, tw_arena *arena,
                               tw_genesis_asset *asset)
{
    tw_genesis_holder *holders = TW_NEW_ARRAY(arena, tw_genesis_holder, strlen(text) / 2 + 1);
    if (holders == NULL) return TW_ERR_MEMORY;
    asset->holders = holders;
    while (*text != '\0') {
        const size_t size = strcspn(text, ",");
        TW_TRY(parse_holder(app, keyring, asset, tw_bytes_of(text, size),
                            &holders[asset->holder_count++]));
        text += size + (text[size] == ',' ? 1 : 0);
    }
    return TW_OK;
}

/* "EUR 2 alice=1000000.00,bob=500.00" */
static tw_status parse_asset(tw_app *app, tw_keyring *keyring, const char *text, tw_arena *arena,
                             tw_genesis_asset *asset)
{
    const size_t size = strcspn(text, " ");
    const char *rest = text + size + strspn(text + size, " ");
    const size_t digits = strspn(rest, "0123456789");
    uint32_t decimals = 0;
    for (size_t i = 0; i < digits && i < 3; i++)
        decimals = decimals * 10 + (uint32_t)(rest[i] - '0');
    const char *behind = rest + digits;
    if (size == 0 || digits == 0 || decimals > TW_DECIMALS_MAX ||
        (*behind != '\0' && *behind != ' ')) {
        return tw_app_usage(app,
                            "--asset: \"%.60s\" is not NAME DECIMALS [KEY=AMOUNT,...]; for "
                            "example: --asset \"EUR 2 alice=1_000.00\"",
                            text);
    }
    asset->name = tw_arena_copy(arena, text, size);
    asset->decimals = (uint8_t)decimals;
    if (asset->name == NULL) return TW_ERR_MEMORY;
    return parse_holders(app, keyring, behind + strspn(behind, " "), arena, asset);
}

tw_status tw_money_genesis(tw_app *app, const char *dir, tw_arena *arena, tw_genesis *genesis)
{
    uint32_t count = 0;
    while (tw_args_each(&app->args, "asset", count) != NULL) count++;
    if (count == 0) return TW_OK;
    if (count > TW_GENESIS_ASSETS_MAX) {
        return tw_app_usage(app, "a ledger begins with at most %d assets", TW_GENESIS_ASSETS_MAX);
    }
    tw_keyring *keyring = NULL;
    tw_genesis_asset *assets = TW_NEW_ARRAY(arena, tw_genesis_asset, count);
    if (assets == NULL) return TW_ERR_MEMORY;
    TW_TRY(tw_app_keyring(app, dir, &keyring));
    tw_status status = TW_OK;
    for (uint32_t i = 0; i < count && status == TW_OK; i++) {
        status = parse_asset(app, keyring, tw_args_each(&app->args, "asset", i), arena, &assets[i]);
    }
    tw_keyring_close(keyring);
    genesis->assets = assets;
    genesis->asset_count = (uint16_t)count;
    return status;
}

/* "0.05 EUR", of one of the ledger's own assets. */
static tw_status parse_price(tw_app *app, const char *text, tw_genesis *genesis)
{
    const size_t at = tw_money_name_at(tw_bytes_of(text, strlen(text)));
    for (uint16_t i = 0; i < genesis->asset_count; i++) {
        const tw_genesis_asset *asset = &genesis->assets[i];
        if (strcmp(text + at, asset->name) != 0) continue;
        genesis->fee_asset = i;
        TW_TRY(tw_money_parse(tw_bytes_of(text, at), asset->decimals, asset->name,
                              &genesis->gas_price, &app->err));
        if (genesis->gas_price > 0) return TW_OK;
        return tw_app_fail(app, "--gas-price: \"%.60s\" is no price", text);
    }
    return tw_app_usage(app,
                        "--gas-price: \"%.60s\" is not AMOUNT ASSET, with an asset that --asset "
                        "makes",
                        text);
}

tw_status tw_money_genesis_fees(tw_app *app, const char *dir, tw_genesis *genesis)
{
    const char *price = tw_args_get(&app->args, "gas-price", NULL);
    const char *name = tw_args_get(&app->args, "fees-to", "fees");
    tw_keyring *keyring = NULL;
    if (price == NULL && !tw_args_has(&app->args, "fees-to")) return TW_OK;
    if (price == NULL) return tw_app_usage(app, "--fees-to: there are no fees without --gas-price");
    TW_TRY(parse_price(app, price, genesis));
    TW_TRY(tw_app_keyring(app, dir, &keyring));
    tw_status status = TW_OK;
    const tw_named_key *key = tw_keyring_find(keyring, name);
    if (key == NULL) {
        status = tw_keyring_add(keyring, name, NULL, &key, &app->err);
        if (status == TW_OK) fprintf(stderr, "made the key %s\n", name);
    }
    if (status == TW_OK) genesis->fee_account = key->account;
    tw_keyring_close(keyring);
    return status;
}

/* ---- fees ---- */

const tw_genesis_asset *tw_money_fee_asset(const tw_session *s)
{
    const tw_genesis *genesis = tw_ledger_genesis(s->ledger);
    return genesis->gas_price > 0 ? &genesis->assets[genesis->fee_asset] : NULL;
}

const char *tw_money_fee(const tw_session *s, int64_t fee, char ret_text[TW_FEE_TEXT_MAX])
{
    char amount[TW_MONEY_TEXT_MAX];
    const tw_genesis_asset *asset = tw_money_fee_asset(s);
    ret_text[0] = '\0';
    if (asset == NULL) return ret_text;
    snprintf(ret_text, TW_FEE_TEXT_MAX, ", fee %s",
             tw_money_print(fee, asset->decimals, asset->name, amount));
    return ret_text;
}

json_t *tw_money_fee_json(const tw_session *s, int64_t amount)
{
    const tw_genesis_asset *asset = tw_money_fee_asset(s);
    if (asset == NULL) return NULL;
    const tw_money money = {.name = asset->name, .decimals = asset->decimals};
    return tw_show_money_json(&money, amount);
}

/* ---- deploy ---- */

/* What --currency says of this one; its own name when it says nothing. */
static const char *asset_wanted(const tw_app *app, const char *currency)
{
    const size_t size = strlen(currency);
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "currency", i);
        if (text == NULL) return currency;
        if (strncmp(text, currency, size) == 0 && text[size] == '=') return text + size + 1;
    }
}

static tw_status check_currencies(tw_app *app, const tw_module *m)
{
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "currency", i);
        if (text == NULL) return TW_OK;
        bool known = false;
        for (uint16_t k = 0; k < m->money_count && !known; k++) {
            const size_t size = strlen(m->monies[k].name);
            known = m->monies[k].kind == TW_MONEY_CURRENCY && text[size] == '=' &&
                    strncmp(text, m->monies[k].name, size) == 0;
        }
        if (!known) {
            return tw_app_fail(app,
                               "--currency %.60s: %s has no such currency; it is --currency "
                               "CURRENCY=ASSET",
                               text, m->name);
        }
    }
}

tw_status tw_money_currencies(tw_app *app, const tw_module *m, tw_tx *tx)
{
    tw_hash *currencies = TW_NEW_ARRAY(app->session->arena, tw_hash, m->money_count);
    if (currencies == NULL) return TW_ERR_MEMORY;
    TW_TRY(check_currencies(app, m));
    for (uint16_t i = 0; i < m->money_count; i++) {
        const tw_money *money = &m->monies[i];
        tw_asset asset;
        if (money->kind != TW_MONEY_CURRENCY) continue;
        if (tw_money_asset(app, asset_wanted(app, money->name), &asset) != TW_OK) {
            const tw_err inner = app->err;
            return tw_app_fail(app, "currency %s: %.300s; --currency %s=ASSET says which it is",
                               money->name, inner.text, money->name);
        }
        if (asset.decimals != money->decimals) {
            return tw_app_fail(app, "currency %s has %u decimals, the asset %s has %u", money->name,
                               money->decimals, asset.name, asset.decimals);
        }
        currencies[tx->currency_count++] = asset.id;
    }
    tx->currencies = currencies;
    return TW_OK;
}

/* ---- call ---- */

/* The money that the text names; the only one where it names none. TW_NONE when that is nobody. */
static uint16_t money_of(const tw_module *m, tw_bytes text)
{
    const size_t at = tw_money_name_at(text);
    const tw_bytes name = tw_bytes_of(text.data + at, text.size - at);
    if (name.size == 0 && m->money_count == 1) return 0;
    for (uint16_t i = 0; i < m->money_count; i++) {
        const char *own = m->monies[i].name;
        if (tw_bytes_equal(name, tw_bytes_of(own, strlen(own)))) return i;
    }
    return TW_NONE;
}

static tw_status refuse_money(tw_app *app, const tw_module *m, const char *text)
{
    char list[LIST_MAX] = "none";
    size_t used = 0;
    for (uint16_t i = 0; i < m->money_count; i++) {
        if (used + strlen(m->monies[i].name) + 3 > sizeof list) break;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                 m->monies[i].name);
    }
    return tw_app_fail(app,
                       "--spend \"%.60s\": %s knows this money: %s; write --spend \"100 NAME\"",
                       text, m->name, list);
}

static tw_status add_spend(tw_app *app, tw_spend *spends, uint16_t *count, const tw_hash *asset,
                           int64_t most)
{
    uint16_t at = *count;
    for (; at > 0 && memcmp(spends[at - 1].asset.bytes, asset->bytes, TW_HASH_SIZE) >= 0; at--) {
        if (tw_hash_equal(&spends[at - 1].asset, asset)) {
            return tw_app_fail(app, "--spend names the same asset twice");
        }
        spends[at] = spends[at - 1];
    }
    spends[at] = (tw_spend){*asset, most};
    (*count)++;
    return TW_OK;
}

tw_status tw_money_spend(tw_app *app, const tw_contract *c, const char *text, tw_tx *tx)
{
    const tw_module *m = c->code->module;
    const tw_bytes bytes = tw_bytes_of(text, strlen(text));
    const uint16_t money = money_of(m, bytes);
    int64_t most = 0;
    if (tx->spends == NULL) {
        tx->spends = TW_NEW_ARRAY(app->session->arena, tw_spend, TW_SPENDS_MAX);
        if (tx->spends == NULL) return TW_ERR_MEMORY;
    }
    if (money == TW_NONE) return refuse_money(app, m, text);
    TW_TRY(
        tw_money_parse(bytes, m->monies[money].decimals, m->monies[money].name, &most, &app->err));
    if (most < 0) return tw_app_fail(app, "--spend \"%.60s\": a call takes no less than 0", text);
    if (most == 0) return TW_OK;
    if (tx->spend_count == TW_SPENDS_MAX) return tw_app_fail(app, "--spend: too many assets");
    return add_spend(app, (tw_spend *)tx->spends, &tx->spend_count, &c->assets[money], most);
}

tw_status tw_money_spends(tw_app *app, const tw_hash *contract, tw_tx *tx)
{
    tw_contract *c = NULL;
    if (!tw_args_has(&app->args, "spend")) return TW_OK;
    TW_TRY(tw_ledger_contract(app->session->ledger, contract, app->session->arena, &c, &app->err));
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "spend", i);
        if (text == NULL) return TW_OK;
        TW_TRY(tw_money_spend(app, c, text, tx));
    }
}

const char *tw_money_hint(const tw_module *m, const tw_run *run, const tw_tx *tx)
{
    if (run->status != TW_TRAP_NOT_ENOUGH || m->money_count == 0) return "";
    return tx->spend_count == 0
               ? "; the call may take nothing from its sender: --spend \"AMOUNT NAME\" says how "
                 "much"
               : "; it takes from its sender at most what --spend says and what he has (twvm "
                 "balances)";
}

/* ---- balances ---- */

typedef struct listing {
    tw_session *session;
    const tw_asset *asset;
    json_t *holders, *purses; /* NULL: text */
    json_t *fuel;             /* of contracts, where fees are paid in the asset */
} listing;

static json_t *amount_json(const tw_asset *asset, int64_t amount)
{
    const tw_money money = {.name = asset->name, .decimals = asset->decimals};
    return tw_show_money_json(&money, amount);
}

static void print_line(const listing *l, const char *who, int64_t amount)
{
    char text[TW_MONEY_TEXT_MAX];
    tw_money_print(amount, l->asset->decimals, l->asset->name, text);
    printf("  %-40s %28s\n", who, text);
}

static tw_status list_holders(const listing *l)
{
    tw_ledger *ledger = l->session->ledger;
    tw_account account;
    const tw_account *after = NULL;
    bool found = false;
    for (;;) {
        int64_t amount = 0;
        char name[TW_SHOW_NAME_MAX];
        TW_TRY(tw_ledger_next_balance(ledger, &l->asset->id, after, &account, &found));
        if (!found) return TW_OK;
        TW_TRY(tw_ledger_balance(ledger, &l->asset->id, &account, &amount));
        tw_show_account(&account, &l->session->names, name);
        if (l->holders != NULL) {
            json_array_append_new(l->holders,
                                  json_pack("{s:o, s:s, s:o}", "account",
                                            tw_json_hex(account.bytes, sizeof account.bytes),
                                            "name", name, "amount", amount_json(l->asset, amount)));
        } else {
            print_line(l, name, amount);
        }
        after = &account;
    }
}

static tw_status list_amount(void *context, const tw_contract *c, const tw_purse *p,
                             const tw_account *member, int64_t amount)
{
    const listing *l = context;
    char label[TW_CONTRACT_NAME_MAX], name[TW_SHOW_NAME_MAX] = "";
    char line[TW_CONTRACT_NAME_MAX + TW_NAME_SIZE_MAX + TW_SHOW_NAME_MAX + 8];
    tw_session_label(l->session, &c->id, label);
    if (member != NULL) tw_show_account(member, &l->session->names, name);
    if (l->purses == NULL) {
        snprintf(line, sizeof line, "%s %s%s%s", label, p->name, member != NULL ? " of " : "",
                 name);
        print_line(l, line, amount);
        return TW_OK;
    }
    json_t *item = json_pack("{s:s, s:s, s:o}", "contract", label, "purse", p->name, "amount",
                             amount_json(l->asset, amount));
    if (member != NULL) json_object_set_new(item, "member", json_string(name));
    return json_array_append_new(l->purses, item) == 0 ? TW_OK : TW_ERR_MEMORY;
}

tw_status tw_money_purse(const tw_contract *c, const tw_purse *p, tw_money_visit visit,
                         void *context)
{
    const tw_key prefix = tw_purse_key(&c->id, p, NULL);
    tw_key from = prefix;
    if (p->role != TW_NONE) tw_key_u8(&from, 0); /* behind the total */
    for (;;) {
        tw_bytes key, value;
        bool found = false;
        tw_account member;
        TW_TRY(tw_overlay_next(c->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key, &value,
                               &found));
        if (!found) return TW_OK;
        const bool keyed = key.size > prefix.size;
        if (keyed != (p->role != TW_NONE) || value.size != 9) return TW_ERR_CORRUPT;
        const int64_t amount = (int64_t)tw_load_u64(value.data + 1);
        if (!keyed) return visit(context, c, p, NULL, amount);
        if (key.size != prefix.size + sizeof member.bytes) return TW_ERR_CORRUPT;
        memcpy(member.bytes, key.data + prefix.size, sizeof member.bytes);
        TW_TRY(visit(context, c, p, &member, amount));
        from = tw_purse_key(&c->id, p, &member);
        tw_key_u8(&from, 0);
    }
}

static tw_status list_fuel(const listing *l, const tw_hash *contract)
{
    int64_t fuel = 0;
    char label[TW_CONTRACT_NAME_MAX], line[TW_CONTRACT_NAME_MAX + 8];
    TW_TRY(tw_ledger_fuel(l->session->ledger, contract, &fuel));
    if (fuel == 0) return TW_OK;
    tw_session_label(l->session, contract, label);
    if (l->purses == NULL) {
        snprintf(line, sizeof line, "%s fuel", label);
        print_line(l, line, fuel);
        return TW_OK;
    }
    json_t *item =
        json_pack("{s:s, s:o}", "contract", label, "amount", amount_json(l->asset, fuel));
    return json_array_append_new(l->fuel, item) == 0 ? TW_OK : TW_ERR_MEMORY;
}

static tw_status list_contracts(tw_app *app, listing *l)
{
    tw_session *s = l->session;
    tw_hash id, last;
    bool found = false;
    const tw_hash *fees = tw_ledger_fee_asset(s->ledger);
    const bool fuel = fees != NULL && tw_hash_equal(fees, &l->asset->id);
    TW_TRY(tw_ledger_next_contract(s->ledger, NULL, &id, &found));
    while (found) {
        tw_contract *c = NULL;
        const tw_mark mark = tw_arena_mark(s->arena);
        TW_TRY(tw_ledger_contract(s->ledger, &id, s->arena, &c, &app->err));
        const tw_module *m = c->code->module;
        for (uint16_t i = 0; i < m->purse_count; i++) {
            if (!tw_hash_equal(&c->assets[m->purses[i].money], &l->asset->id)) continue;
            TW_TRY(tw_money_purse(c, &m->purses[i], list_amount, l));
        }
        if (fuel) TW_TRY(list_fuel(l, &id));
        tw_arena_reset(s->arena, mark);
        last = id;
        TW_TRY(tw_ledger_next_contract(s->ledger, &last, &id, &found));
    }
    return TW_OK;
}

static tw_status list_asset(tw_app *app, const tw_asset *asset, json_t *all)
{
    listing l = {.session = app->session, .asset = asset};
    char label[LABEL_MAX], text[TW_MONEY_TEXT_MAX];
    asset_label(app->session, asset, label);
    if (all == NULL) {
        printf("%s: there are %s\n", label,
               tw_money_print(asset->supply, asset->decimals, asset->name, text));
    } else {
        l.holders = json_array();
        l.purses = json_array();
        l.fuel = json_array();
        json_array_append_new(all, json_pack("{s:s, s:o, s:i, s:o, s:o, s:o, s:o}", "asset", label,
                                             "id", tw_json_hex(asset->id.bytes, TW_HASH_SIZE),
                                             "decimals", asset->decimals, "supply",
                                             amount_json(asset, asset->supply), "accounts",
                                             l.holders, "purses", l.purses, "fuel", l.fuel));
    }
    TW_TRY(list_holders(&l));
    return list_contracts(app, &l);
}

tw_status tw_command_balances(tw_app *app)
{
    tw_asset asset;
    tw_hash last;
    bool found = false;
    TW_TRY(tw_app_open_at(app));
    json_t *all = app->json ? json_array() : NULL;
    if (app->args.word_count == 1) {
        TW_TRY(tw_money_asset(app, app->args.words[0], &asset));
        TW_TRY(list_asset(app, &asset, all));
        return all != NULL ? tw_app_answer(app, all) : TW_OK;
    }
    TW_TRY(next_asset(app->session, NULL, &asset, &found));
    if (!found && all == NULL) puts("the ledger has no asset; init --asset makes some");
    while (found) {
        TW_TRY(list_asset(app, &asset, all));
        last = asset.id;
        TW_TRY(next_asset(app->session, &last, &asset, &found));
    }
    return all != NULL ? tw_app_answer(app, all) : TW_OK;
}
