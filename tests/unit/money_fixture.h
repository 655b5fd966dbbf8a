/* money_fixture -- a contract made by hand whose actions are the instructions over money, one each,
 * deployed on a ledger of its own. Every action takes an amount and two accounts, a and b.
 *
 * Purses: till and heir of EUR (heir falls to the owner), share of EUR per member; pot of TKN, bag
 * of TKN per member. */
#ifndef TW_TESTS_MONEY_FIXTURE_H
#define TW_TESTS_MONEY_FIXTURE_H

#include "tests/unit/state_fixture.h"
#include "vm/ledger/ledger.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>

enum { M_EUR, M_TKN, M_COUNT };
enum { P_TILL, P_HEIR, P_SHARE, P_POT, P_BAG, P_COUNT };
enum { R_OWNER, R_MEMBER, R_COUNT };
enum { A_AMOUNT = 0, A_A = 1, A_B = 5, A_SLOTS = 9, A_FREE = 16, A_FRAME = 32 };
enum { PEOPLE = 5, ALICE = 0, TILL_CODE_MAX = 8, TILL_ENTRIES_MAX = 48 };
enum { TKN_SUPPLY = 1000, FALLS_MS = 60000, FIRST_EUR = 100000 };

static const int64_t money_start = 1767225600000;

typedef struct till_entry {
    const char *name;
    uint64_t code[TILL_CODE_MAX];
} till_entry;

#define I tw_insn_make
#define END I(TW_OP_RET, 0, 0, 0, 0)

/* Of actions the result is nothing, of views slot 16. */
static inline const till_entry *till_actions(uint32_t *ret_count)
{
    static till_entry entries[] = {
        {"take_till", {0}},      {"take_share", {0}}, {"take_heir", {0}},
        {"take_pot", {0}},       {"take_twice", {0}}, {"pay_till", {0}},
        {"pay_share", {0}},      {"pay_heir", {0}},   {"pay_pot", {0}},
        {"pay_bag", {0}},        {"till_share", {0}}, {"share_till", {0}},
        {"share_share", {0}},    {"till_heir", {0}},  {"mint", {0}},
        {"mint_pot", {0}},       {"mint_bag", {0}},   {"burn_pot", {0}},
        {"burn_bag", {0}},       {"grant", {0}},      {"revoke", {0}},
        {"take_and_grant", {0}}, {"leave", {0}},      {"take_and_trap", {0}},
        {"heir_and_back", {0}},
    };
    const uint64_t take_share = I(TW_OP_RECEIVE, A_AMOUNT, A_A, 0, P_SHARE);
    const uint64_t take_till = I(TW_OP_RECEIVE, A_AMOUNT, 0, 0, P_TILL);
    const uint64_t grant = I(TW_OP_GRANT, 0, A_A, 0, R_MEMBER);
    const uint64_t revoke = I(TW_OP_REVOKE, 0, A_A, 0, R_MEMBER);
    const uint64_t codes[][TILL_CODE_MAX] = {
        {take_till, END},
        {take_share, END},
        {I(TW_OP_RECEIVE, A_AMOUNT, 0, 0, P_HEIR), END},
        {I(TW_OP_RECEIVE, A_AMOUNT, 0, 0, P_POT), END},
        {take_till, take_till, END},
        {I(TW_OP_PAY, A_AMOUNT, 0, A_B, P_TILL), END},
        {I(TW_OP_PAY, A_AMOUNT, A_A, A_B, P_SHARE), END},
        {I(TW_OP_PAY, A_AMOUNT, 0, A_B, P_HEIR), END},
        {I(TW_OP_PAY, A_AMOUNT, 0, A_B, P_POT), END},
        {I(TW_OP_PAY, A_AMOUNT, A_A, A_B, P_BAG), END},
        {I(TW_OP_SHIFT, A_AMOUNT, 0, A_A, P_TILL * 256 + P_SHARE), END},
        {I(TW_OP_SHIFT, A_AMOUNT, A_A, 0, P_SHARE * 256 + P_TILL), END},
        {I(TW_OP_SHIFT, A_AMOUNT, A_A, A_B, P_SHARE * 256 + P_SHARE), END},
        {I(TW_OP_SHIFT, A_AMOUNT, 0, 0, P_TILL * 256 + P_HEIR), END},
        {I(TW_OP_MINT, A_AMOUNT, A_B, 0, M_TKN), END},
        {I(TW_OP_MINTIN, A_AMOUNT, 0, 0, P_POT), END},
        {I(TW_OP_MINTIN, A_AMOUNT, A_A, 0, P_BAG), END},
        {I(TW_OP_BURN, A_AMOUNT, 0, 0, P_POT), END},
        {I(TW_OP_BURN, A_AMOUNT, A_A, 0, P_BAG), END},
        {grant, END},
        {revoke, END},
        {take_share, grant, END},
        {revoke, I(TW_OP_PURSE, A_FREE, A_A, 0, P_SHARE), I(TW_OP_PAY, A_FREE, A_A, A_B, P_SHARE),
         END},
        {take_till, I(TW_OP_TRAP, 0, 0, 0, TW_TRAP_NEEDS_FAILED)},
        {I(TW_OP_SHIFT, A_AMOUNT, 0, 0, P_TILL * 256 + P_HEIR),
         I(TW_OP_SHIFT, A_AMOUNT, 0, 0, P_HEIR * 256 + P_TILL), END},
    };
    *ret_count = sizeof entries / sizeof *entries;
    static_assert(sizeof codes / sizeof *codes == sizeof entries / sizeof *entries, "one each");
    for (uint32_t i = 0; i < *ret_count; i++) memcpy(entries[i].code, codes[i], sizeof codes[i]);
    return entries;
}

static inline const till_entry *till_views(uint32_t *ret_count)
{
    static till_entry entries[] = {
        {"till", {0}}, {"heir", {0}}, {"share", {0}},   {"shares", {0}}, {"pot", {0}},
        {"bag", {0}},  {"bags", {0}}, {"balance", {0}}, {"tokens", {0}}, {"supply", {0}},
    };
    const uint64_t codes[] = {
        I(TW_OP_PURSE, A_FREE, 0, 0, P_TILL),    I(TW_OP_TOTAL, A_FREE, 0, 0, P_HEIR),
        I(TW_OP_PURSE, A_FREE, A_A, 0, P_SHARE), I(TW_OP_TOTAL, A_FREE, 0, 0, P_SHARE),
        I(TW_OP_TOTAL, A_FREE, 0, 0, P_POT),     I(TW_OP_PURSE, A_FREE, A_A, 0, P_BAG),
        I(TW_OP_TOTAL, A_FREE, 0, 0, P_BAG),     I(TW_OP_BALANCE, A_FREE, A_A, 0, M_EUR),
        I(TW_OP_BALANCE, A_FREE, A_A, 0, M_TKN), I(TW_OP_SUPPLY, A_FREE, 0, 0, M_TKN),
    };
    *ret_count = sizeof entries / sizeof *entries;
    static_assert(sizeof codes / sizeof *codes == sizeof entries / sizeof *entries, "one each");
    for (uint32_t i = 0; i < *ret_count; i++) {
        entries[i].code[0] = codes[i];
        entries[i].code[1] = I(TW_OP_RET, A_FREE, 0, 0, 0);
    }
    return entries;
}

/* ---- the module ---- */

typedef struct till_module {
    tw_arena *arena;
    tw_module m;
    tw_type types[2];
    tw_money monies[M_COUNT];
    tw_role roles[R_COUNT];
    tw_purse purses[P_COUNT];
    const char *phases[1];
    tw_member arguments[3];
    tw_function functions[TILL_ENTRIES_MAX];
    tw_entry entries[TILL_ENTRIES_MAX];
    uint64_t code[TILL_ENTRIES_MAX * TILL_CODE_MAX];
} till_module;

static inline void till_add(till_module *k, tw_entry_kind kind, const till_entry *from)
{
    const bool called = kind == TW_ENTRY_ACTION || kind == TW_ENTRY_VIEW;
    const uint16_t index = k->m.entry_count++;
    uint32_t count = 0;
    for (; count < TILL_CODE_MAX && from->code[count] != 0; count++) {
        k->code[k->m.code_count + count] = from->code[count];
    }
    k->functions[index] = (tw_function){from->name, called ? A_SLOTS : 0, kind == TW_ENTRY_VIEW,
                                        A_FRAME,    k->m.code_count,      count};
    k->entries[index] = (tw_entry){.name = from->name,
                                   .kind = (uint8_t)kind,
                                   .function = index,
                                   .of = TW_NONE,
                                   .delay = TW_NONE,
                                   .phases = 1,
                                   .result = kind == TW_ENTRY_VIEW ? 0 : TW_NONE};
    if (called) k->entries[index].members = (tw_members){.items = k->arguments, .count = 3};
    k->m.code_count += count;
    k->m.function_count++;
}

static inline void till_code(till_module *k)
{
    const till_entry deploy = {
        "deploy", {tw_insn_make30(TW_OP_LDI, 0, 0, FALLS_MS), I(TW_OP_STC, 0, 0, 0, 0), END}};
    const till_entry falls = {"heir falls",
                              {I(TW_OP_PURSE, 0, 0, 0, P_HEIR), I(TW_OP_HOLDER, 1, 0, 0, R_OWNER),
                               I(TW_OP_PAY, 0, 0, 2, P_HEIR), END}};
    uint32_t count = 0;
    till_add(k, TW_ENTRY_DEPLOY, &deploy);
    const till_entry *actions = till_actions(&count);
    for (uint32_t i = 0; i < count; i++) till_add(k, TW_ENTRY_ACTION, &actions[i]);
    const till_entry *views = till_views(&count);
    for (uint32_t i = 0; i < count; i++) till_add(k, TW_ENTRY_VIEW, &views[i]);
    till_add(k, TW_ENTRY_FALLS, &falls);
    k->entries[k->m.entry_count - 1].of = P_HEIR;
    k->entries[k->m.entry_count - 1].delay = 0;
}

static inline void till_declare(till_module *k)
{
    k->types[0] = (tw_type){.kind = TW_KIND_INT, .quantity = 1, .name = ""};
    k->types[1] = (tw_type){.kind = TW_KIND_ACCOUNT, .name = ""};
    k->monies[M_EUR] = (tw_money){"EUR", TW_MONEY_CURRENCY, 2, 0};
    k->monies[M_TKN] = (tw_money){"TKN", TW_MONEY_TOKEN, 0, TKN_SUPPLY};
    k->roles[R_OWNER] = (tw_role){"owner", 1, 0, 0};
    k->roles[R_MEMBER] = (tw_role){"member", 3, 1, TW_ROLE_GRANTED | TW_ROLE_REVOKED};
    k->purses[P_TILL] = (tw_purse){.name = "till", .money = M_EUR, .role = TW_NONE};
    k->purses[P_HEIR] = (tw_purse){.name = "heir", .money = M_EUR, .role = TW_NONE};
    k->purses[P_SHARE] = (tw_purse){.name = "share", .money = M_EUR, .role = R_MEMBER};
    k->purses[P_POT] = (tw_purse){.name = "pot", .money = M_TKN, .role = TW_NONE};
    k->purses[P_BAG] = (tw_purse){.name = "bag", .money = M_TKN, .role = R_MEMBER};
    k->phases[0] = "";
    k->arguments[0] = (tw_member){"amount", 0};
    k->arguments[1] = (tw_member){"a", 1};
    k->arguments[2] = (tw_member){"b", 1};
    k->m = (tw_module){.name = "Till", .version = 1, .twin = ""};
    k->m.upgrade = (tw_upgrade){TW_NONE, 0, TW_NONE};
    k->m.types = k->types;
    k->m.type_count = 2;
    k->m.monies = k->monies;
    k->m.money_count = M_COUNT;
    k->m.roles = k->roles;
    k->m.role_count = R_COUNT;
    k->m.purses = k->purses;
    k->m.purse_count = P_COUNT;
    k->m.deployed_count = 1;
    k->m.phases = (tw_names){k->phases, 1};
    k->m.functions = k->functions;
    k->m.entries = k->entries;
    k->m.code = k->code;
}

/* The bytes of the module, verified, in the arena. */
static inline tw_bytes till_bytes(tw_arena *arena)
{
    till_module *k = TW_NEW(arena, till_module);
    tw_facts *facts = NULL;
    tw_err err = {0};
    till_declare(k);
    till_code(k);
    cr_assert_eq(tw_module_derive(&k->m, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_facts_compute(&k->m, arena, &facts, &err), TW_OK, "%s", err.text);
    for (uint16_t i = 0; i < k->m.entry_count; i++) k->entries[i].bounds = facts->entries[i];
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    cr_assert_eq(tw_module_encode(&k->m, &w), TW_OK);
    const tw_bytes bytes = tw_bytes_of(tw_arena_copy(arena, w.data, w.size), w.size);
    tw_writer_free(&w);
    return bytes;
}

#undef I
#undef END

/* ---- the ledger ---- */

/* Person 0 is the owner, 1 and 2 are members at the start. Each has FIRST_EUR. */
typedef struct till {
    tw_store *store;
    tw_ledger *ledger;
    tw_arena *arena;
    tw_secret secrets[PEOPLE];
    tw_account accounts[PEOPLE];
    tw_bytes module;
    tw_hash contract;
    tw_hash assets[M_COUNT];
    tw_receipt receipt; /* of the last transaction */
    int64_t now;
    tw_err err;
} till;

static inline void till_open(till *t)
{
    const tw_ledger_options options = {.no_sync = true};
    cr_assert_eq(tw_ledger_open(t->store, &options, &t->ledger, &t->err), TW_OK, "%s", t->err.text);
}

static inline tw_genesis_holder *till_holders(till *t)
{
    tw_genesis_holder *holders = TW_NEW_ARRAY(t->arena, tw_genesis_holder, PEOPLE);
    for (int i = 0; i < PEOPLE; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        tw_secret_from_seed(name, &t->secrets[i]);
        cr_assert(tw_secret_account(&t->secrets[i], &t->accounts[i]));
        holders[i] = (tw_genesis_holder){t->accounts[i], FIRST_EUR};
    }
    return holders;
}

/* A ledger with two assets of the chain: EUR of 2 decimals and NIL of 0, of which nobody has any.
 */
static inline till *till_on_ledger(void)
{
    till *t = tw_mem_new(sizeof *t);
    t->arena = tw_arena_new(64 * MIB);
    t->store = store_in_memory();
    t->now = money_start;
    const tw_genesis_asset assets[2] = {{"EUR", 2, till_holders(t), PEOPLE}, {"NIL", 0, NULL, 0}};
    const tw_genesis genesis = {
        .name = "money", .time = money_start, .assets = assets, .asset_count = 2};
    cr_assert_eq(tw_ledger_create(t->store, &genesis, &t->err), TW_OK, "%s", t->err.text);
    till_open(t);
    t->module = till_bytes(t->arena);
    t->assets[M_EUR] = tw_bank_chain_asset("money", "EUR");
    return t;
}

static inline void till_free(till *t)
{
    tw_ledger_close(t->ledger);
    tw_store_close(t->store);
    tw_arena_free(t->arena);
    tw_mem_free(t);
}

/* In a block of its own at t->now; what became of it. */
static inline tw_status till_send(till *t, tw_tx *tx, int sender)
{
    tw_hash id;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tx->chain = *tw_ledger_chain(t->ledger);
    tx->gas_limit = UINT64_MAX;
    tx->signer_count = 1;
    tx->signers[0] = t->accounts[sender];
    cr_assert_eq(tw_ledger_nonce(t->ledger, &tx->signers[0], &tx->nonce), TW_OK);
    cr_assert_eq(tw_tx_encode(tx, &t->secrets[sender], &w, &id), TW_OK);
    cr_assert_eq(tw_block_begin(t->ledger, t->now, &t->err), TW_OK, "%s", t->err.text);
    const tw_status status = tw_block_add(t->ledger, tw_writer_bytes(&w), &t->receipt, &t->err);
    cr_assert_eq(status, TW_OK, "%s: %s", tw_status_name(status), t->err.text);
    const tw_bytes notices = t->receipt.run.notices; /* the ledger's own until now */
    t->receipt.run.notices.data =
        (const uint8_t *)tw_arena_copy(t->arena, notices.data, notices.size);
    cr_assert_eq(tw_block_commit(t->ledger, NULL, &t->err), TW_OK, "%s", t->err.text);
    tw_writer_free(&w);
    return t->receipt.run.status;
}

/* Deploys with these members and this asset for EUR. */
static inline tw_status till_deploy_as(till *t, uint16_t members, const tw_hash *currencies,
                                       uint16_t currency_count)
{
    tw_account sorted[3];
    for (uint16_t i = 0; i < members; i++) {
        uint16_t at = i;
        for (; at > 0 && tw_account_compare(&sorted[at - 1], &t->accounts[1 + i]) > 0; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = t->accounts[1 + i];
    }
    tw_tx_role roles[R_COUNT] = {{&t->accounts[ALICE], 1}, {sorted, members}};
    tw_tx tx = {.kind = TW_TX_DEPLOY,
                .module = t->module,
                .roles = roles,
                .role_count = R_COUNT,
                .currencies = currencies,
                .currency_count = currency_count};
    const tw_status status = till_send(t, &tx, ALICE);
    if (status == TW_OK) {
        t->contract = t->receipt.run.contract;
        t->assets[M_TKN] = tw_bank_token(&t->contract, "TKN");
    }
    return status;
}

static inline till *till_new(void)
{
    till *t = till_on_ledger();
    cr_assert_eq(till_deploy_as(t, 2, &t->assets[M_EUR], 1), TW_OK, "%s",
                 tw_status_text(t->receipt.run.status));
    return t;
}

static inline void till_arguments(const till *t, int64_t amount, int a, int b, uint8_t bytes[72])
{
    tw_store_u64(bytes, (uint64_t)amount);
    memcpy(bytes + 8, t->accounts[a].bytes, 32);
    memcpy(bytes + 40, t->accounts[b].bytes, 32);
}

/* What the last call wrote and told is within the worst case of its entry. */
static inline void till_within_bounds(till *t, const char *entry)
{
    tw_contract *c = NULL;
    const tw_mark mark = tw_arena_mark(t->arena);
    cr_assert_eq(tw_ledger_contract(t->ledger, &t->contract, t->arena, &c, &t->err), TW_OK);
    const tw_module *m = c->code->module;
    const tw_bounds *bounds = &m->entries[tw_module_entry(m, TW_ENTRY_ACTION, entry)].bounds;
    cr_assert_leq(t->receipt.run.writes, bounds->writes, "%s", entry);
    cr_assert_leq(t->receipt.run.notices.size, bounds->event_bytes, "%s", entry);
    tw_arena_reset(t->arena, mark);
}

/* An action that may take `limit` of each asset, 0 for nothing. */
static inline tw_status till_call_limit(till *t, int sender, const char *entry, int64_t amount,
                                        int a, int b, int64_t limit)
{
    uint8_t bytes[72];
    const bool first = memcmp(&t->assets[0], &t->assets[1], sizeof *t->assets) < 0;
    const tw_spend spends[2] = {{t->assets[first ? 0 : 1], limit},
                                {t->assets[first ? 1 : 0], limit}};
    till_arguments(t, amount, a, b, bytes);
    tw_tx tx = {.kind = TW_TX_CALL,
                .contract = t->contract,
                .entry = text(entry),
                .arguments = tw_bytes_of(bytes, sizeof bytes),
                .spends = spends,
                .spend_count = limit > 0 ? 2 : 0};
    const tw_status status = till_send(t, &tx, sender);
    till_within_bounds(t, entry);
    return status;
}

static inline tw_status till_call(till *t, int sender, const char *entry, int64_t amount, int a,
                                  int b)
{
    return till_call_limit(t, sender, entry, amount, a, b, INT64_MAX);
}

static inline int64_t till_view(till *t, const char *name, int a)
{
    uint8_t bytes[72];
    tw_contract *c = NULL;
    tw_outcome outcome;
    till_arguments(t, 0, a, a, bytes);
    cr_assert_eq(tw_ledger_contract(t->ledger, &t->contract, t->arena, &c, &t->err), TW_OK);
    const uint16_t entry = tw_module_entry(c->code->module, TW_ENTRY_VIEW, name);
    cr_assert_eq(tw_ledger_view(t->ledger, &t->contract, NULL, entry, tw_bytes_of(bytes, 72),
                                t->now, &outcome, &t->err),
                 TW_OK, "%s", t->err.text);
    cr_assert_eq(outcome.status, TW_OK, "%s: %s", name, tw_status_text(outcome.status));
    return (int64_t)tw_load_u64(outcome.fields.data);
}

#endif
