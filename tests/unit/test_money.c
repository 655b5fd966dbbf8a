/* test_money -- what each instruction over money does and traps, what an entry must leave behind,
 * what a chain begins with; and long random runs against a plain model, in which no money may come
 * from nowhere or get lost. */
#include "tests/unit/money_fixture.h"
#include "vm/ledger/notices.h"

/* ---- instructions ---- */

Test(money, receives_moves_from_the_sender_into_a_purse)
{
    till *t = till_new();
    cr_expect_eq(till_call(t, 3, "take_till", 700, 0, 0), TW_OK);
    cr_expect_eq(till_view(t, "till", 0), 700);
    cr_expect_eq(till_view(t, "balance", 3), FIRST_EUR - 700);
    cr_expect_eq(till_call(t, 3, "take_share", 300, 1, 0), TW_OK);
    cr_expect_eq(till_call(t, 4, "take_share", 50, 2, 0), TW_OK);
    cr_expect_eq(till_view(t, "share", 1), 300);
    cr_expect_eq(till_view(t, "share", 2), 50);
    cr_expect_eq(till_view(t, "share", 3), 0);
    cr_expect_eq(till_view(t, "shares", 0), 350);
    till_free(t);
}

Test(money, a_call_takes_no_more_than_it_says)
{
    till *t = till_new();
    cr_expect_eq(till_call_limit(t, 3, "take_till", 700, 0, 0, 0), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call_limit(t, 3, "take_till", 700, 0, 0, 699), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call_limit(t, 3, "take_till", 700, 0, 0, 700), TW_OK);
    cr_expect_eq(till_call_limit(t, 3, "take_twice", 700, 0, 0, 1399), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call_limit(t, 3, "take_twice", 700, 0, 0, 1400), TW_OK);
    cr_expect_eq(till_call_limit(t, 3, "take_till", 0, 0, 0, 0), TW_OK, "nothing needs no leave");
    cr_expect_eq(till_view(t, "till", 0), 2100);
    till_free(t);
}

Test(money, a_purse_pays_what_it_has)
{
    till *t = till_new();
    cr_assert_eq(till_call(t, 3, "take_till", 700, 0, 0), TW_OK);
    cr_assert_eq(till_call(t, 3, "take_share", 300, 1, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "pay_till", 701, 0, 4), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 0, "pay_till", 700, 0, 4), TW_OK);
    cr_expect_eq(till_call(t, 0, "pay_share", 301, 1, 4), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 0, "pay_share", 1, 2, 4), TW_TRAP_NOT_ENOUGH, "another's share");
    cr_expect_eq(till_call(t, 0, "pay_share", 300, 1, 4), TW_OK);
    cr_expect_eq(till_view(t, "balance", 4), FIRST_EUR + 1000);
    cr_expect_eq(till_view(t, "till", 0), 0);
    cr_expect_eq(till_view(t, "shares", 0), 0);
    till_free(t);
}

Test(money, purses_pay_purses)
{
    till *t = till_new();
    cr_assert_eq(till_call(t, 3, "take_till", 700, 0, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "till_share", 701, 1, 0), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 0, "till_share", 400, 1, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "share_share", 150, 1, 2), TW_OK);
    cr_expect_eq(till_call(t, 0, "share_share", 150, 2, 2), TW_OK, "to itself");
    cr_expect_eq(till_call(t, 0, "share_till", 50, 2, 0), TW_OK);
    cr_expect_eq(till_view(t, "till", 0), 350);
    cr_expect_eq(till_view(t, "share", 1), 250);
    cr_expect_eq(till_view(t, "share", 2), 100);
    cr_expect_eq(till_view(t, "shares", 0), 350);
    till_free(t);
}

Test(money, tokens_are_made_up_to_their_supply)
{
    till *t = till_new();
    cr_expect_eq(till_view(t, "supply", 0), 0);
    cr_expect_eq(till_call(t, 0, "mint", TKN_SUPPLY + 1, 0, 3), TW_TRAP_FULL);
    cr_expect_eq(till_call(t, 0, "mint", 600, 0, 3), TW_OK);
    cr_expect_eq(till_call(t, 0, "mint_pot", 401, 0, 0), TW_TRAP_FULL);
    cr_expect_eq(till_call(t, 0, "mint_pot", 300, 0, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "mint_bag", 100, 1, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "mint", INT64_MAX, 0, 3), TW_TRAP_FULL);
    cr_expect_eq(till_view(t, "supply", 0), TKN_SUPPLY);
    cr_expect_eq(till_view(t, "tokens", 3), 600);
    cr_expect_eq(till_view(t, "bags", 0), 100);
    cr_expect_eq(till_call(t, 0, "burn_pot", 301, 0, 0), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 0, "burn_pot", 300, 0, 0), TW_OK);
    cr_expect_eq(till_call(t, 0, "burn_bag", 40, 1, 0), TW_OK);
    cr_expect_eq(till_view(t, "supply", 0), 660);
    cr_expect_eq(till_call(t, 0, "mint", 340, 0, 3), TW_OK, "what is burned may be made again");
    till_free(t);
}

Test(money, no_amount_is_below_zero)
{
    static const char *const entries[] = {"take_till",  "take_share",  "pay_till", "pay_share",
                                          "till_share", "share_share", "mint",     "mint_pot",
                                          "mint_bag",   "burn_pot",    "burn_bag"};
    till *t = till_new();
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        cr_expect_eq(till_call(t, 0, entries[i], -1, 1, 2), TW_TRAP_NEGATIVE_AMOUNT, "%s",
                     entries[i]);
        cr_expect_eq(till_call(t, 0, entries[i], INT64_MIN, 1, 2), TW_TRAP_NEGATIVE_AMOUNT, "%s",
                     entries[i]);
        cr_expect_eq(till_call(t, 0, entries[i], 0, 1, 2), TW_OK, "%s", entries[i]);
        cr_expect_eq(t->receipt.run.notices.size, 0, "%s: nothing moved", entries[i]);
    }
    till_free(t);
}

Test(money, a_sender_pays_what_he_has)
{
    till *t = till_new();
    cr_expect_eq(till_call(t, 3, "take_till", FIRST_EUR + 1, 0, 0), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 3, "take_till", FIRST_EUR, 0, 0), TW_OK);
    cr_expect_eq(till_view(t, "balance", 3), 0);
    cr_expect_eq(till_call(t, 3, "take_till", 1, 0, 0), TW_TRAP_NOT_ENOUGH);
    till_free(t);
}

/* ---- what an entry leaves behind ---- */

Test(money, an_entry_that_traps_leaves_no_trace)
{
    till *t = till_new();
    cr_expect_eq(till_call(t, 3, "take_and_trap", 700, 0, 0), TW_TRAP_NEEDS_FAILED);
    cr_expect_eq(t->receipt.run.notices.size, 0);
    cr_expect_eq(till_view(t, "till", 0), 0);
    cr_expect_eq(till_view(t, "balance", 3), FIRST_EUR);
    till_free(t);
}

Test(money, only_members_have_something_in_a_purse_per_role)
{
    till *t = till_new();
    cr_expect_eq(till_call(t, 3, "take_share", 10, 3, 0), TW_TRAP_NOT_MEMBER);
    cr_expect_eq(till_call(t, 3, "take_and_grant", 10, 3, 0), TW_OK, "a member at its end");
    cr_expect_eq(till_view(t, "share", 3), 10);
    cr_expect_eq(till_call(t, 0, "revoke", 0, 3, 0), TW_TRAP_NOT_MEMBER, "he has 10 in it");
    cr_expect_eq(till_call(t, 0, "leave", 0, 3, 4), TW_OK, "paid out at its end");
    cr_expect_eq(till_view(t, "balance", 4), FIRST_EUR + 10);
    cr_expect_eq(till_call(t, 0, "mint_bag", 5, 3, 0), TW_TRAP_NOT_MEMBER);
    cr_expect_eq(till_call(t, 0, "share_share", 5, 1, 3), TW_TRAP_NOT_ENOUGH);
    cr_expect_eq(till_call(t, 0, "revoke", 0, 1, 0), TW_OK, "he has nothing");
    till_free(t);
}

Test(money, a_contract_is_no_payee)
{
    till *t = till_new();
    cr_assert_eq(till_call(t, 3, "take_till", 700, 0, 0), TW_OK);
    memcpy(t->accounts[4].bytes, t->contract.bytes, sizeof t->contract.bytes);
    cr_expect_eq(till_call(t, 0, "pay_till", 1, 0, 4), TW_TRAP_BAD_VALUE);
    cr_expect_eq(till_call(t, 0, "mint", 1, 0, 4), TW_TRAP_BAD_VALUE);
    till_free(t);
}

static void expect_moved(const till *t, tw_transfer transfer, int64_t amount, tw_place from,
                         tw_place to)
{
    tw_reader r = tw_reader_of(t->receipt.run.notices);
    tw_notice_view n;
    cr_assert(tw_notice_read(&r, &n) && n.kind == TW_NOTICE_MONEY);
    cr_expect_eq(n.transfer, (uint8_t)transfer);
    cr_expect_eq(n.amount, amount);
    cr_expect_eq(n.from.purse, from.purse);
    cr_expect(tw_account_equal(&n.from.account, &from.account));
    cr_expect_eq(n.to.purse, to.purse);
    cr_expect(tw_account_equal(&n.to.account, &to.account));
    cr_expect(tw_reader_done(&r));
}

Test(money, each_move_is_told)
{
    till *t = till_new();
    const tw_place nowhere = {.purse = TW_NONE};
    const tw_place dora = {.purse = TW_NONE, .account = t->accounts[3]};
    const tw_place share = {.purse = P_SHARE, .account = t->accounts[1]};
    const tw_place purse = {.purse = P_TILL};
    const tw_place pot = {.purse = P_POT};
    cr_assert_eq(till_call(t, 3, "take_till", 700, 0, 0), TW_OK);
    expect_moved(t, TW_TRANSFER_RECEIVE, 700, dora, purse);
    cr_assert_eq(till_call(t, 3, "till_share", 600, 1, 0), TW_OK);
    expect_moved(t, TW_TRANSFER_SHIFT, 600, purse, share);
    cr_assert_eq(till_call(t, 0, "pay_share", 500, 1, 3), TW_OK);
    expect_moved(t, TW_TRANSFER_PAY, 500, share, dora);
    cr_assert_eq(till_call(t, 0, "mint", 40, 1, 3), TW_OK);
    expect_moved(t, TW_TRANSFER_MINT, 40, nowhere, dora);
    cr_assert_eq(till_call(t, 0, "mint_pot", 30, 1, 3), TW_OK);
    expect_moved(t, TW_TRANSFER_MINT, 30, nowhere, pot);
    cr_assert_eq(till_call(t, 0, "burn_pot", 20, 1, 3), TW_OK);
    expect_moved(t, TW_TRANSFER_BURN, 20, pot, nowhere);
    till_free(t);
}

/* ---- purses that fall to somebody ---- */

static void wait_until(till *t, int64_t time)
{
    t->now = time;
    cr_assert_eq(tw_block_begin(t->ledger, t->now, &t->err), TW_OK, "%s", t->err.text);
    cr_assert_eq(tw_block_commit(t->ledger, NULL, &t->err), TW_OK);
}

Test(money, a_purse_falls_after_its_last_change)
{
    till *t = till_new();
    int64_t due = 0;
    bool found = true;
    cr_assert_eq(tw_ledger_next_due(t->ledger, &due, &found), TW_OK);
    cr_expect(!found, "an empty purse waits for nothing");
    cr_assert_eq(till_call(t, 3, "take_heir", 500, 0, 0), TW_OK);
    t->now += FALLS_MS - 1;
    cr_assert_eq(till_call(t, 0, "pay_heir", 100, 0, 4), TW_OK);
    cr_assert_eq(tw_ledger_next_due(t->ledger, &due, &found), TW_OK);
    cr_expect(found && due == t->now + FALLS_MS);
    cr_assert_eq(till_call(t, 0, "pay_heir", 0, 0, 4), TW_OK);
    wait_until(t, t->now + FALLS_MS - 1);
    cr_expect_eq(till_view(t, "heir", 0), 400);
    wait_until(t, t->now + 1);
    cr_expect_eq(till_view(t, "heir", 0), 0);
    cr_expect_eq(till_view(t, "balance", ALICE), FIRST_EUR + 400);
    cr_assert_eq(tw_ledger_next_due(t->ledger, &due, &found), TW_OK);
    cr_expect(!found);
    till_free(t);
}

Test(money, a_purse_that_is_emptied_in_time_falls_to_nobody)
{
    till *t = till_new();
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(till_call(t, 3, "take_heir", 500, 0, 0), TW_OK);
    cr_assert_eq(till_call(t, 0, "pay_heir", 500, 0, 4), TW_OK);
    cr_assert_eq(till_call(t, 3, "take_till", 9, 0, 0), TW_OK);
    cr_assert_eq(till_call(t, 3, "heir_and_back", 9, 0, 0), TW_OK);
    cr_assert_eq(tw_ledger_next_due(t->ledger, &due, &found), TW_OK);
    cr_expect(!found);
    till_free(t);
}

/* ---- deploy and genesis ---- */

Test(money, a_currency_is_bound_to_an_asset_of_its_decimals)
{
    till *t = till_on_ledger();
    const tw_hash unknown = {{7}};
    const tw_hash nil = tw_bank_chain_asset("money", "NIL");
    const tw_hash two[2] = {t->assets[M_EUR], t->assets[M_EUR]};
    cr_expect_eq(till_deploy_as(t, 2, NULL, 0), TW_TX_BAD_DEPLOY);
    cr_expect_eq(till_deploy_as(t, 2, two, 2), TW_TX_BAD_DEPLOY);
    cr_expect_eq(till_deploy_as(t, 2, &unknown, 1), TW_TX_BAD_DEPLOY);
    cr_expect_eq(till_deploy_as(t, 2, &nil, 1), TW_TX_BAD_DEPLOY, "0 decimals, not 2");
    cr_expect_eq(till_deploy_as(t, 0, two, 1), TW_TX_BAD_DEPLOY, "a member at least");
    cr_expect_eq(till_deploy_as(t, 1, two, 1), TW_OK);
    till_free(t);
}

Test(money, a_token_is_an_asset_of_its_contract)
{
    till *t = till_new();
    tw_asset asset;
    bool found = false;
    cr_assert_eq(tw_ledger_asset(t->ledger, &t->assets[M_TKN], &asset, &found), TW_OK);
    cr_assert(found);
    cr_expect_str_eq(asset.name, "TKN");
    cr_expect_eq(asset.decimals, 0);
    cr_expect_eq(asset.supply, 0);
    cr_expect(tw_hash_equal(&asset.contract, &t->contract));
    cr_assert_eq(tw_ledger_asset(t->ledger, &t->assets[M_EUR], &asset, &found), TW_OK);
    cr_expect(found && tw_hash_is_zero(&asset.contract));
    cr_expect_eq(asset.supply, (int64_t)PEOPLE * FIRST_EUR);
    till_free(t);
}

/* The module with another name of its token, deployed. */
static tw_status deploy_named(till *t, const char *name)
{
    tw_module *m = NULL;
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    const tw_bytes unchanged = till_bytes(t->arena);
    cr_assert_eq(tw_module_decode(unchanged, t->arena, &m, &t->err), TW_OK, "%s", t->err.text);
    m->monies[M_TKN].name = name;
    cr_assert_eq(tw_module_encode(m, &w), TW_OK);
    t->module = tw_bytes_of(tw_arena_copy(t->arena, w.data, w.size), w.size);
    tw_writer_free(&w);
    return till_deploy_as(t, 1, &t->assets[M_EUR], 1);
}

/* Modules may have names of 256 bytes; a money's becomes an asset's, which has room for 64. */
Test(money, a_token_of_a_long_name_is_not_deployed)
{
    till *t = till_on_ledger();
    tw_asset asset = {.name = "EUR"};
    bool found = false;
    char name[4 * TW_NAME_SIZE_MAX + 1] = "";
    memset(name, 'x', sizeof name - 1);
    for (size_t size = sizeof name - 1; size > TW_NAME_SIZE_MAX; size--) {
        name[size] = '\0';
        cr_assert_eq(deploy_named(t, name), TW_TX_BAD_MODULE, "%zu bytes", size);
        cr_assert_eq(tw_bank_set_name(&asset, name), TW_ERR_INTERNAL);
        cr_assert_str_eq(asset.name, "EUR");
    }
    cr_expect_eq(deploy_named(t, ""), TW_TX_BAD_MODULE);
    name[TW_NAME_SIZE_MAX] = '\0';
    cr_assert_eq(deploy_named(t, name), TW_OK);
    const tw_hash token = tw_bank_token(&t->contract, name);
    cr_assert_eq(tw_ledger_asset(t->ledger, &token, &asset, &found), TW_OK);
    cr_assert(found);
    cr_expect_str_eq(asset.name, name);
    till_free(t);
}

/* No machine writes one. */
Test(money, a_supply_below_zero_is_damage)
{
    tw_store *store = store_in_memory();
    tw_overlay *overlay = tw_overlay_new(store, MIB);
    tw_asset asset = {.supply = 7, .name = "EUR"};
    const tw_key key = tw_key_of(TW_SPACE_ASSET, &asset.id);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    cr_assert_eq(tw_bank_save(overlay, &asset), TW_OK);
    cr_assert_eq(tw_bank_asset(overlay, &asset.id, &asset, &found), TW_OK);
    cr_assert(found && asset.supply == 7);
    cr_assert_eq(tw_overlay_edit(overlay, tw_key_bytes(&key), &record, &size, &found), TW_OK);
    record[2] = 0x80; /* behind tag and decimals */
    cr_expect_eq(tw_bank_asset(overlay, &asset.id, &asset, &found), TW_ERR_CORRUPT);
    tw_overlay_free(overlay);
    tw_store_close(store);
}

static tw_status create(const tw_genesis_asset *assets, uint16_t count)
{
    tw_store *store = store_in_memory();
    tw_err err = {0};
    const tw_genesis genesis = {.name = "x", .assets = assets, .asset_count = count};
    const tw_status status = tw_ledger_create(store, &genesis, &err);
    cr_expect(status == TW_OK || err.text[0] != '\0');
    tw_store_close(store);
    return status;
}

Test(money, genesis_refuses_what_is_no_money)
{
    till *t = till_on_ledger();
    tw_genesis_holder one[2] = {{t->accounts[0], 1}, {t->accounts[1], 1}};
    tw_genesis_asset good[2] = {{"A", 18, one, 2}, {"B", 0, one, 1}};
    cr_expect_eq(create(good, 2), TW_OK);
    good[1].name = "A";
    cr_expect_eq(create(good, 2), TW_REFUSED_ARGUMENT, "twice");
    good[1].name = "";
    cr_expect_eq(create(good, 2), TW_REFUSED_ARGUMENT, "no name");
    good[0].decimals = 19;
    cr_expect_eq(create(good, 1), TW_REFUSED_ARGUMENT);
    good[0].decimals = 0;
    one[0].amount = 0;
    cr_expect_eq(create(good, 1), TW_REFUSED_ARGUMENT);
    one[0].amount = INT64_MAX;
    cr_expect_eq(create(good, 1), TW_REFUSED_ARGUMENT, "more than 2^63 - 1 in all");
    one[0] = (tw_genesis_holder){t->accounts[1], 1};
    cr_expect_eq(create(good, 1), TW_REFUSED_ARGUMENT, "the same holder twice");
    one[0] = (tw_genesis_holder){.amount = 1};
    cr_expect_eq(create(good, 1), TW_REFUSED_ARGUMENT, "no account");
    till_free(t);
}

/* Every genesis of its own: other holders make another chain, and what is read back makes the same.
 */
Test(money, the_chain_knows_its_first_holders)
{
    till *t = till_on_ledger();
    const tw_genesis *read = tw_ledger_genesis(t->ledger);
    cr_assert_eq(read->asset_count, 2);
    cr_expect_str_eq(read->assets[0].name, "EUR");
    cr_expect_eq(read->assets[0].holder_count, PEOPLE);
    cr_expect_eq(read->assets[0].holders[4].amount, FIRST_EUR);
    for (int i = 0; i < 2; i++) {
        tw_genesis genesis = *read;
        if (i == 1) genesis.asset_count = 1;
        tw_store *store = store_in_memory();
        tw_ledger *ledger = NULL;
        cr_assert_eq(tw_ledger_create(store, &genesis, &t->err), TW_OK);
        cr_assert_eq(tw_ledger_open(store, NULL, &ledger, &t->err), TW_OK);
        cr_expect_eq(tw_hash_equal(tw_ledger_chain(ledger), tw_ledger_chain(t->ledger)), i == 0);
        cr_expect_eq(tw_hash_equal(&tw_ledger_head(ledger)->state_root,
                                   &tw_ledger_head(t->ledger)->state_root),
                     i == 0);
        tw_ledger_close(ledger);
        tw_store_close(store);
    }
    till_free(t);
}

Test(money, only_ledgers_of_tests_endow)
{
    till *t = till_new();
    tw_ledger *real = NULL;
    cr_assert_eq(tw_block_begin(t->ledger, t->now, &t->err), TW_OK);
    cr_expect_eq(tw_block_endow(t->ledger, &t->assets[M_TKN], &t->accounts[3], -1, &t->err),
                 TW_REFUSED_ARGUMENT);
    cr_expect_eq(tw_block_endow(t->ledger, &t->assets[M_TKN], &t->accounts[3], 900, &t->err),
                 TW_OK);
    cr_assert_eq(tw_block_commit(t->ledger, NULL, &t->err), TW_OK);
    cr_expect_eq(till_view(t, "tokens", 3), 900);
    cr_expect_eq(till_view(t, "supply", 0), 900);
    cr_expect_eq(till_call(t, 0, "mint", 101, 0, 3), TW_TRAP_FULL, "it counts as made");
    tw_ledger_close(t->ledger);
    cr_assert_eq(tw_ledger_open(t->store, NULL, &real, &t->err), TW_OK);
    t->ledger = real;
    cr_assert_eq(tw_block_begin(t->ledger, t->now, &t->err), TW_OK);
    cr_expect_eq(tw_block_endow(t->ledger, &t->assets[M_EUR], &t->accounts[3], 1, &t->err),
                 TW_REFUSED_ARGUMENT);
    tw_block_abort(t->ledger);
    till_free(t);
}

/* ---- against a model ---- */

typedef struct model {
    int64_t balance[M_COUNT][PEOPLE];
    int64_t share[PEOPLE], bag[PEOPLE];
    int64_t till, heir, pot, made;
    int64_t due; /* of heir; 0 for none */
    bool member[PEOPLE];
} model;

typedef struct step {
    const char *entry;
    int64_t amount;
    int sender, a, b;
    int64_t limit;
} step;

static tw_status shift(int64_t *from, int64_t *to, int64_t amount)
{
    if (amount < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (amount > *from) return TW_TRAP_NOT_ENOUGH;
    *from -= amount;
    *to += amount;
    return TW_OK;
}

static tw_status receive(model *m, const step *s, uint16_t money, int64_t *to)
{
    if (s->amount > s->limit) return TW_TRAP_NOT_ENOUGH;
    return shift(&m->balance[money][s->sender], to, s->amount);
}

static tw_status make(model *m, int64_t *to, int64_t amount)
{
    if (amount < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (amount > TKN_SUPPLY - m->made) return TW_TRAP_FULL;
    m->made += amount;
    *to += amount;
    return TW_OK;
}

static tw_status burn(model *m, int64_t *from, int64_t amount)
{
    int64_t gone = 0;
    const tw_status status = shift(from, &gone, amount);
    m->made -= gone;
    return status;
}

static tw_status member(model *m, int who, bool granted)
{
    int count = 0;
    for (int i = 0; i < PEOPLE; i++) count += m->member[i];
    if (m->member[who] == granted) {
        return granted ? TW_TRAP_ALREADY_MEMBER : TW_TRAP_NOT_MEMBER;
    }
    if (granted && count == 3) return TW_TRAP_FULL;
    m->member[who] = granted;
    return TW_OK;
}

static tw_status model_run(model *m, const step *s)
{
    int64_t *eur = m->balance[M_EUR];
    int64_t *tkn = m->balance[M_TKN];
    const char *e = s->entry;
    if (strcmp(e, "take_till") == 0) return receive(m, s, M_EUR, &m->till);
    if (strcmp(e, "take_share") == 0) return receive(m, s, M_EUR, &m->share[s->a]);
    if (strcmp(e, "take_heir") == 0) return receive(m, s, M_EUR, &m->heir);
    if (strcmp(e, "take_pot") == 0) return receive(m, s, M_TKN, &m->pot);
    if (strcmp(e, "pay_till") == 0) return shift(&m->till, &eur[s->b], s->amount);
    if (strcmp(e, "pay_share") == 0) return shift(&m->share[s->a], &eur[s->b], s->amount);
    if (strcmp(e, "pay_heir") == 0) return shift(&m->heir, &eur[s->b], s->amount);
    if (strcmp(e, "pay_pot") == 0) return shift(&m->pot, &tkn[s->b], s->amount);
    if (strcmp(e, "pay_bag") == 0) return shift(&m->bag[s->a], &tkn[s->b], s->amount);
    if (strcmp(e, "till_share") == 0) return shift(&m->till, &m->share[s->a], s->amount);
    if (strcmp(e, "share_till") == 0) return shift(&m->share[s->a], &m->till, s->amount);
    if (strcmp(e, "share_share") == 0) return shift(&m->share[s->a], &m->share[s->b], s->amount);
    if (strcmp(e, "till_heir") == 0) return shift(&m->till, &m->heir, s->amount);
    if (strcmp(e, "mint") == 0) return make(m, &tkn[s->b], s->amount);
    if (strcmp(e, "mint_pot") == 0) return make(m, &m->pot, s->amount);
    if (strcmp(e, "mint_bag") == 0) return make(m, &m->bag[s->a], s->amount);
    if (strcmp(e, "burn_pot") == 0) return burn(m, &m->pot, s->amount);
    if (strcmp(e, "burn_bag") == 0) return burn(m, &m->bag[s->a], s->amount);
    if (strcmp(e, "grant") == 0) return member(m, s->a, true);
    if (strcmp(e, "revoke") == 0) return member(m, s->a, false);
    tw_status status = TW_OK;
    if (strcmp(e, "take_and_grant") == 0) {
        status = receive(m, s, M_EUR, &m->share[s->a]);
        return status == TW_OK ? member(m, s->a, true) : status;
    }
    if (strcmp(e, "leave") == 0) {
        status = member(m, s->a, false);
        return status == TW_OK ? shift(&m->share[s->a], &eur[s->b], m->share[s->a]) : status;
    }
    cr_assert_fail("the model does not know %s", e);
    return TW_OK;
}

static tw_status model_step(model *m, const step *s, int64_t now)
{
    model after = *m;
    const tw_status status = model_run(&after, s);
    if (status != TW_OK) return status;
    for (int i = 0; i < PEOPLE; i++) {
        if (!after.member[i] && (after.share[i] != 0 || after.bag[i] != 0)) {
            return TW_TRAP_NOT_MEMBER;
        }
    }
    if (after.heir != m->heir) after.due = after.heir != 0 ? now + FALLS_MS : 0;
    *m = after;
    return TW_OK;
}

/* What the state has of an asset in balances and of the contract's purses, counted one by one. */
static int64_t counted(till *t, uint16_t money)
{
    int64_t sum = 0;
    tw_account account;
    bool found = false;
    const tw_account *after = NULL;
    for (;;) {
        int64_t amount = 0;
        cr_assert_eq(tw_ledger_next_balance(t->ledger, &t->assets[money], after, &account, &found),
                     TW_OK);
        if (!found) break;
        cr_assert_eq(tw_ledger_balance(t->ledger, &t->assets[money], &account, &amount), TW_OK);
        cr_assert_gt(amount, 0);
        sum += amount;
        after = &account;
    }
    const bool eur = money == M_EUR;
    for (int i = 0; i < PEOPLE; i++) sum += till_view(t, eur ? "share" : "bag", i);
    return sum + (eur ? till_view(t, "till", 0) + till_view(t, "heir", 0) : till_view(t, "pot", 0));
}

static void compare(till *t, const model *m)
{
    int64_t shares = 0;
    int64_t bags = 0;
    for (int i = 0; i < PEOPLE; i++) {
        cr_assert_eq(till_view(t, "balance", i), m->balance[M_EUR][i]);
        cr_assert_eq(till_view(t, "tokens", i), m->balance[M_TKN][i]);
        cr_assert_eq(till_view(t, "share", i), m->share[i]);
        cr_assert_eq(till_view(t, "bag", i), m->bag[i]);
        shares += m->share[i];
        bags += m->bag[i];
    }
    cr_assert_eq(till_view(t, "till", 0), m->till);
    cr_assert_eq(till_view(t, "heir", 0), m->heir);
    cr_assert_eq(till_view(t, "pot", 0), m->pot);
    cr_assert_eq(till_view(t, "shares", 0), shares);
    cr_assert_eq(till_view(t, "bags", 0), bags);
    cr_assert_eq(till_view(t, "supply", 0), m->made);
    cr_assert_eq(counted(t, M_EUR), (int64_t)PEOPLE * FIRST_EUR);
    cr_assert_eq(counted(t, M_TKN), m->made);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return (z ^ z >> 31) % below;
}

static step draw_step(uint64_t *random, const till_entry *entries, uint32_t count)
{
    static const int64_t amounts[] = {-1, 0, 1, 2, 7, 90, 300, 1000, 40000, INT64_MAX};
    static const int64_t limits[] = {0, 1, 100, 1000, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    step s = {0};
    do { /* those that the model leaves to tests of their own */
        s.entry = entries[draw(random, count)].name;
    } while (strcmp(s.entry, "take_and_trap") == 0 || strcmp(s.entry, "take_twice") == 0 ||
             strcmp(s.entry, "heir_and_back") == 0);
    s.amount = amounts[draw(random, sizeof amounts / sizeof *amounts)];
    s.limit = limits[draw(random, sizeof limits / sizeof *limits)];
    s.sender = (int)draw(random, PEOPLE);
    s.a = (int)draw(random, PEOPLE);
    s.b = (int)draw(random, PEOPLE);
    return s;
}

static void random_run(uint64_t seed, int steps)
{
    till *t = till_new();
    model m = {.member = {false, true, true, false, false}};
    uint32_t count = 0;
    const till_entry *entries = till_actions(&count);
    uint64_t random = seed;
    for (int i = 0; i < PEOPLE; i++) m.balance[M_EUR][i] = FIRST_EUR;
    for (int i = 0; i < steps; i++) {
        const step s = draw_step(&random, entries, count);
        if (draw(&random, 4) == 0) t->now += (int64_t)draw(&random, FALLS_MS);
        if (m.due != 0 && m.due <= t->now) {
            m.balance[M_EUR][ALICE] += m.heir;
            m.heir = 0;
            m.due = 0;
        }
        const tw_status want = model_step(&m, &s, t->now);
        const tw_status got = till_call_limit(t, s.sender, s.entry, s.amount, s.a, s.b, s.limit);
        cr_assert_eq(got, want, "seed %llu, step %d, %s of %lld: %s, not %s",
                     (unsigned long long)seed, i, s.entry, (long long)s.amount, tw_status_name(got),
                     tw_status_name(want));
        if (i % 16 == 0) compare(t, &m);
    }
    compare(t, &m);
    till_free(t);
}

Test(money, random_runs_agree_with_a_model)
{
    for (uint64_t seed = 1; seed <= 4; seed++) random_run(seed, 600);
}

/* The blocks of a random run, executed again on a ledger of the same genesis. */
Test(money, a_replay_comes_to_the_same_head)
{
    till *t = till_new();
    uint32_t count = 0;
    const till_entry *entries = till_actions(&count);
    uint64_t random = 99;
    for (int i = 0; i < 200; i++) {
        const step s = draw_step(&random, entries, count);
        t->now += (int64_t)draw(&random, FALLS_MS);
        (void)till_call_limit(t, s.sender, s.entry, s.amount, s.a, s.b, s.limit);
    }
    tw_store *store = store_in_memory();
    tw_ledger *again = NULL;
    cr_assert_eq(tw_ledger_create(store, tw_ledger_genesis(t->ledger), &t->err), TW_OK);
    cr_assert_eq(tw_ledger_open(store, NULL, &again, &t->err), TW_OK);
    for (uint64_t height = 1; height <= tw_ledger_head(t->ledger)->height; height++) {
        tw_block block;
        cr_assert_eq(tw_ledger_block(t->ledger, height, t->arena, &block, &t->err), TW_OK);
        cr_assert_eq(tw_ledger_replay_block(again, &block, &t->err), TW_OK, "%s", t->err.text);
    }
    cr_expect(tw_hash_equal(&tw_ledger_head(again)->hash, &tw_ledger_head(t->ledger)->hash));
    tw_ledger_close(again);
    tw_store_close(store);
    till_free(t);
}
