/* test_verify_state -- what the verifier says of maps, registries, money, readings per device and
 * what is left of an older version: each rule at its limit and one beyond. */
#include "tests/unit/wide_fixture.h"

#include <stdio.h>

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))
#define RET0 ROW(RET, 0, 0, 0, 0)

enum { CODE_MAX = 8 };

typedef struct sample {
    const char *what;
    uint64_t code[CODE_MAX];
    const char *refused; /* NULL: taken */
} sample;

/* ------------------------------------------------------------------ code */

/* A wide module, whose tested function is an action, or the migrate entry. */
static maker *wide_new(const uint64_t *code, bool migrate, wide **ret_wide)
{
    uint32_t size = 0;
    while (size < CODE_MAX && code[size] != 0) size++;
    maker *k = maker_new(code, size, true);
    wide *w = wide_of(k);
    if (migrate) {
        w->entries[E_ACTION].kind = TW_ENTRY_MIGRATE;
        w->entries[E_ACTION].members = (tw_members){0};
        k->functions[F_TESTED].argument_slots = 0;
    }
    *ret_wide = w;
    return k;
}

static tw_status wide_prove(maker *k)
{
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    TW_TRY(wide_facts(k));
    TW_TRY(tw_module_decode(maker_bytes(k), k->arena, &m, &k->err));
    return tw_module_verify(m, k->arena, &facts, &k->err);
}

static void expect_wide(maker *k, const char *what, const char *refused)
{
    const tw_status status = wide_prove(k);
    cr_expect_eq(status, refused != NULL ? TW_REFUSED_MODULE : TW_OK, "%s: said \"%s\"", what,
                 k->err.text);
    if (refused != NULL) {
        cr_expect(strstr(k->err.text, refused) != NULL, "%s: said \"%s\"", what, k->err.text);
    }
    maker_free(k);
}

static void check(const sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wide *w = NULL;
        expect_wide(wide_new(samples[i].code, false, &w), samples[i].what, samples[i].refused);
    }
}

#define CHECK(samples) check((samples), sizeof(samples) / sizeof(samples)[0])

Test(verify_state, operands_of_fields_and_lists)
{
    const sample samples[] = {
        {"LOAD", {ROW(LOAD, FRAME - 4, FRAME - 1, 0, W_MAP), RET0}, NULL},
        {"LOAD key", {ROW(LOAD, 0, FRAME, 0, W_MAP), RET0}, "outside the frame"},
        {"LOAD value", {ROW(LOAD, FRAME - 3, 0, 0, W_MAP), RET0}, "outside the frame"},
        {"LOAD c", {ROW(LOAD, 0, 0, 1, W_MAP), RET0}, "unused part"},
        {"LOAD key of a var", {ROW(LOAD, 0, 1, 0, T_INT), RET0}, "unused part"},
        {"EXISTS", {ROW(EXISTS, 0, FRAME - 3, 0, W_WORDS), RET0}, NULL},
        {"EXISTS key", {ROW(EXISTS, 0, FRAME - 2, 0, W_WORDS), RET0}, "outside the frame"},
        {"EXISTS in a var", {ROW(EXISTS, 0, 0, 0, T_INT), RET0}, "not there"},
        {"EXISTS beyond", {ROW(EXISTS, 0, 0, 0, W_FIELDS), RET0}, "not there"},
        {"EXISTS c", {ROW(EXISTS, 0, 0, 1, W_MAP), RET0}, "unused part"},
        {"REMOVE", {ROW(REMOVE, 0, 0, 0, W_MAP), RET0}, NULL},
        {"REMOVE a", {ROW(REMOVE, 1, 0, 0, W_MAP), RET0}, "unused part"},
        {"REMOVE of a registry", {ROW(REMOVE, 0, 0, 0, W_PARTS), RET0}, "not there"},
        {"SIZE b", {ROW(SIZE, 0, 1, 0, W_MAP), RET0}, "unused part"},
        {"NEXT", {ROW(NEXT, FRAME - 3, FRAME - 1, 0, W_PARTS), RET0}, NULL},
        {"NEXT key", {ROW(NEXT, FRAME - 2, 0, 0, W_PARTS), RET0}, "outside the frame"},
        {"TOP", {ROW(TOP, FRAME - 9, 0, W_PAIRS, W_MAP * 64), RET0}, NULL},
        {"TOP list", {ROW(TOP, FRAME - 8, 0, W_PAIRS, W_MAP * 64), RET0}, "outside the frame"},
        {"TOP by text", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64 + 1), RET0}, "not there"},
        {"TOP beyond", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64 + 2), RET0}, "not there"},
        {"TOP of numbers", {ROW(TOP, 0, 0, T_LIST, W_WORDS * 64), RET0}, "not there"},
        {"TOP to another list", {ROW(TOP, 0, 0, T_LIST, W_MAP * 64), RET0}, "not there"},
        {"TOP of a registry", {ROW(TOP, 0, 0, W_PAIRS, W_PARTS * 64 + 1), RET0}, "not there"},
        {"ITEM", {ROW(ITEM, 0, FRAME - 4, FRAME - 1, T_LIST), RET0}, NULL},
        {"ITEM list", {ROW(ITEM, 0, FRAME - 3, 0, T_LIST), RET0}, "outside the frame"},
        {"ITEM of things", {ROW(ITEM, FRAME - 3, 0, 0, W_FITTED), RET0}, NULL},
        {"ITEM element", {ROW(ITEM, FRAME - 2, 0, 0, W_FITTED), RET0}, "outside the frame"},
        {"ITEM of no list", {ROW(ITEM, 0, 0, 0, T_INT), RET0}, "not there"},
        {"ITEM beyond", {ROW(ITEM, 0, 0, 0, W_TYPES), RET0}, "not there"},
        {"PUSH c", {ROW(PUSH, 0, 0, 1, T_LIST), RET0}, "unused part"},
        {"DROP", {ROW(DROP, FRAME - 4, FRAME - 1, 0, T_LIST), RET0}, NULL},
        {"FIND", {ROW(FIND, 0, 0, FRAME, T_LIST), RET0}, "outside the frame"},
    };
    CHECK(samples);
}

Test(verify_state, operands_of_things_money_and_devices)
{
    const sample samples[] = {
        {"CREATE", {ROW(CREATE, FRAME - 4, FRAME - 4, 0, W_PARTS), RET0}, NULL},
        {"CREATE record", {ROW(CREATE, FRAME - 3, 0, 0, W_PARTS), RET0}, "outside the frame"},
        {"CREATE owner", {ROW(CREATE, 0, FRAME - 3, 0, W_PARTS), RET0}, "outside the frame"},
        {"CREATE in a map", {ROW(CREATE, 0, 0, 0, W_MAP), RET0}, "not there"},
        {"ATTACH", {ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 2), RET0}, NULL},
        {"ATTACH to no list", {ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 1), RET0}, "not there"},
        {"ATTACH to parts", {ROW(ATTACH, 0, 0, 0, W_PARTS * 64), RET0}, "not there"},
        {"LOG", {ROW(LOG, FRAME - 1, FRAME - 3, 0, W_PARTS), RET0}, NULL},
        {"LOG kind", {ROW(LOG, 0, 0, 1, W_PARTS), RET0}, "not there"},
        {"OWNER", {ROW(OWNER, FRAME - 3, 0, 0, W_PARTS), RET0}, "outside the frame"},
        {"PURSE", {ROW(PURSE, 0, 0, 0, W_POT), RET0}, NULL},
        {"PURSE key", {ROW(PURSE, 0, 1, 0, W_POT), RET0}, "unused part"},
        {"PURSE per role", {ROW(PURSE, 0, FRAME - 4, 0, W_STAKES), RET0}, NULL},
        {"PURSE per role beyond", {ROW(PURSE, 0, FRAME - 3, 0, W_STAKES), RET0}, "outside"},
        {"PURSE beyond", {ROW(PURSE, 0, 0, 0, W_PURSES), RET0}, "not there"},
        {"PAY", {ROW(PAY, 0, 0, FRAME - 4, W_POT), RET0}, NULL},
        {"PAY payee", {ROW(PAY, 0, 0, FRAME - 3, W_POT), RET0}, "outside the frame"},
        {"SHIFT", {ROW(SHIFT, 0, 0, 1, W_POT * 256 + W_STAKES), RET0}, NULL},
        {"SHIFT key", {ROW(SHIFT, 0, 0, 1, W_STAKES * 256 + W_POT), RET0}, "unused part"},
        {"SHIFT of other money", {ROW(SHIFT, 0, 0, 0, W_POT * 256 + W_CHEST), RET0}, "not there"},
        {"SHIFT beyond", {ROW(SHIFT, 0, 0, 0, W_POT * 256 + W_PURSES), RET0}, "not there"},
        {"MINT", {ROW(MINT, 0, 0, 0, W_TOKEN), RET0}, NULL},
        {"MINT of a currency", {ROW(MINT, 0, 0, 0, W_EUR), RET0}, "not there"},
        {"MINTIN", {ROW(MINTIN, 0, 0, 0, W_CHEST), RET0}, NULL},
        {"BURN of a currency", {ROW(BURN, 0, 0, 0, W_POT), RET0}, "not there"},
        {"BALANCE", {ROW(BALANCE, 0, 0, 0, W_MONIES), RET0}, "not there"},
        {"SUPPLY", {ROW(SUPPLY, 0, 0, 0, W_TOKEN), RET0}, NULL},
        {"HOLDS device", {ROW(HOLDS, 0, 0, FRAME - 4, W_STAMP), RET0}, NULL},
        {"HOLDS beyond", {ROW(HOLDS, 0, 0, FRAME - 3, W_STAMP), RET0}, "outside the frame"},
        {"SILENT device", {ROW(SILENT, 0, 0, FRAME - 3, W_FLOW), RET0}, "outside the frame"},
        {"STAT device", {ROW(STAT, 0, 0, FRAME - 3, W_FLOW), RET0}, "outside the frame"},
        {"STAT of one", {ROW(STAT, 0, 0, 1, 0), RET0}, "unused part"},
        {"ACROSS", {ROW(ACROSS, 0, 0, 0, TW_STAT_DEVICES << 10 | W_FLOW), RET0}, NULL},
        {"ACROSS c", {ROW(ACROSS, 0, 0, 1, TW_STAT_MAX << 10 | W_FLOW), RET0}, "unused part"},
        {"ACROSS one", {ROW(ACROSS, 0, 0, 0, TW_STAT_MAX << 10), RET0}, "do not have"},
        {"ACROSS last", {ROW(ACROSS, 0, 0, 0, TW_STAT_LAST << 10 | W_FLOW), RET0}, "do not have"},
        {"ACROSS slope", {ROW(ACROSS, 0, 0, 0, TW_STAT_SLOPE << 10 | W_FLOW), RET0}, "do not have"},
    };
    CHECK(samples);
}

/* What is of the version before can be looked at, by MIGRATE alone. */
Test(verify_state, old_fields)
{
    const sample samples[] = {
        {"LOAD", {ROW(LOAD, 0, 0, 0, W_MAP), RET0}, NULL},
        {"NEXT", {ROW(NEXT, 0, 0, 0, W_MAP), RET0}, NULL},
        {"STORE", {ROW(STORE, 0, 0, 0, W_MAP), RET0}, "more than look"},
        {"REMOVE", {ROW(REMOVE, 0, 0, 0, W_MAP), RET0}, "more than look"},
        {"TOP", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64), RET0}, "more than look"},
        {"OWNER", {ROW(OWNER, 0, 0, 0, W_PARTS), RET0}, "more than look"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        for (int migrate = 0; migrate < 2; migrate++) {
            wide *w = NULL;
            maker *k = wide_new(samples[i].code, migrate == 1, &w);
            const char *elsewhere = migrate == 0 ? "touches what it must not" : NULL;
            w->fields[W_MAP].old = true;
            w->fields[W_PARTS].old = true;
            w->fields[W_MACHINES].old = true;
            expect_wide(k, samples[i].what,
                        samples[i].refused != NULL ? samples[i].refused : elsewhere);
        }
    }
    wide *w = NULL;
    const uint64_t constants[CODE_MAX] = {ROW(STC, 0, 0, 0, 0), RET0};
    expect_wide(wide_new(constants, true, &w), "migrate sets deploy constants", NULL);
}

/* Transfers take room like events: there is a limit on the bytes of an entry. */
Test(verify_state, notices_of_an_entry_are_limited)
{
    for (int32_t times = 50000; times <= 60000; times += 10000) {
        const uint64_t code[CODE_MAX] = {IMM(LOOP, 8, 9, times), ROW(PAY, 0, 0, 1, W_POT),
                                         ROW(END, 0, 0, 0, 0), RET0};
        wide *w = NULL;
        expect_wide(wide_new(code, false, &w), "many transfers",
                    times == 50000 ? NULL : "transfers of up to 4800000 bytes");
    }
}

/* ------------------------------------------------------------------ declarations */

typedef void wide_change(maker *k, wide *w);

static void wide_nothing(maker *k, wide *w)
{
    (void)k;
    (void)w;
}
static void money_kind(maker *k, wide *w)
{
    (void)k;
    w->monies[W_EUR].kind = 3;
}
static void money_decimals(maker *k, wide *w)
{
    (void)k;
    w->monies[W_EUR].decimals = TW_DECIMALS_MAX + 1;
}
static void money_supply(maker *k, wide *w)
{
    (void)k;
    w->monies[W_EUR].supply = 1;
}
static void token_supply(maker *k, wide *w)
{
    (void)k;
    w->monies[W_TOKEN].supply = 0;
}
static void money_twice(maker *k, wide *w)
{
    (void)k;
    w->monies[W_TOKEN].name = "EUR";
}
static void map_max(maker *k, wide *w)
{
    (void)k;
    w->fields[W_MAP].max = 0;
}
static void map_max_over(maker *k, wide *w)
{
    (void)k;
    w->fields[W_MAP].max = TW_MAP_MAX + 1;
}
static void map_key(maker *k, wide *w)
{
    (void)k;
    w->fields[W_MAP].key_type = TW_NONE;
}
static void map_key_long(maker *k, wide *w)
{
    (void)w;
    k->types[T_TEXT].max = 255;
}
static void map_key_bytes(maker *k, wide *w)
{
    k->types[W_BYTES].max = 128;
    w->fields[W_MAP].key_type = W_BYTES;
}
static void map_key_member(maker *k, wide *w)
{
    (void)k;
    w->fields[W_MAP].key_member = 0;
}
static void map_of_things(maker *k, wide *w)
{
    (void)k;
    w->fields[W_MAP].value_type = W_MACHINE;
}
static void registry_key(maker *k, wide *w)
{
    (void)k;
    w->fields[W_PARTS].key_member = 1;
}
static void registry_key_beyond(maker *k, wide *w)
{
    (void)k;
    w->fields[W_PARTS].key_member = 2;
}
static void registry_twice(maker *k, wide *w)
{
    w->fields[W_FIELDS] = w->fields[W_PARTS];
    w->fields[W_FIELDS].name = "spares";
    k->m.field_count = W_FIELDS + 1;
}
static void registry_old_and_new(maker *k, wide *w)
{
    w->fields[W_FIELDS] = w->fields[W_PARTS];
    w->fields[W_FIELDS].old = true;
    k->m.field_count = W_FIELDS + 1;
}
static void things_of_a_map(maker *k, wide *w)
{
    (void)w;
    k->types[W_FITTED].home = W_MAP;
}
static void things_of_other_keys(maker *k, wide *w)
{
    (void)w;
    k->types[W_FITTED].of = T_INT;
}
static void things_in_a_ring(maker *k, wide *w)
{
    (void)w;
    k->types[W_FITTED].home = W_MACHINES;
}
static void purse_twice(maker *k, wide *w)
{
    (void)k;
    w->purses[W_CHEST].name = "pot";
}
static void purse_money(maker *k, wide *w)
{
    (void)k;
    w->purses[W_CHEST].money = W_MONIES;
}
static void role_least(maker *k, wide *w)
{
    (void)k;
    w->roles[1].least = 4;
}
static void upgrade_by(maker *k, wide *w)
{
    (void)w;
    k->m.upgrade = (tw_upgrade){1, 3, 1};
}
static void upgrade_by_more(maker *k, wide *w)
{
    (void)w;
    k->m.upgrade = (tw_upgrade){1, 4, TW_NONE};
}
static void upgrade_by_none(maker *k, wide *w)
{
    (void)w;
    k->m.upgrade = (tw_upgrade){1, 0, TW_NONE};
}
static void upgrade_delay(maker *k, wide *w)
{
    (void)w;
    k->m.upgrade = (tw_upgrade){1, 1, 2};
}
static void upgrade_of_nobody(maker *k, wide *w)
{
    (void)w;
    k->m.upgrade = (tw_upgrade){TW_NONE, 1, TW_NONE};
}

/* The entries end with one for what falls to somebody. */
static void falls(maker *k, wide *w)
{
    w->entries[ENTRY_COUNT] = w->entries[E_AFTER];
    w->entries[ENTRY_COUNT].name = "pot falls";
    w->entries[ENTRY_COUNT].kind = TW_ENTRY_FALLS;
    w->entries[ENTRY_COUNT].of = W_POT;
    k->m.entry_count = ENTRY_COUNT + 1;
}
static void falls_per_role(maker *k, wide *w)
{
    falls(k, w);
    w->entries[ENTRY_COUNT].of = W_STAKES;
}
static void falls_in_one_phase(maker *k, wide *w)
{
    falls(k, w);
    w->entries[ENTRY_COUNT].phases = 1;
}
static void falls_twice(maker *k, wide *w)
{
    falls(k, w);
    w->entries[ENTRY_COUNT + 1] = w->entries[ENTRY_COUNT];
    k->m.entry_count++;
}
static void falls_before_a_rule(maker *k, wide *w)
{
    falls(k, w);
    w->entries[ENTRY_COUNT + 1] = w->entries[E_AFTER];
    k->m.entry_count++;
}
static void migrate_twice(maker *k, wide *w)
{
    for (int i = ENTRY_COUNT; i < ENTRY_COUNT + 2; i++) {
        w->entries[i] = w->entries[E_DEPLOY];
        w->entries[i].kind = TW_ENTRY_MIGRATE;
    }
    k->m.entry_count = ENTRY_COUNT + 2;
}

static const struct {
    wide_change *apply;
    const char *text;
} state_declarations[] = {
    {wide_nothing, NULL},
    {money_kind, "money EUR"},
    {money_decimals, "money EUR"},
    {money_supply, "money EUR"},
    {token_supply, "money TOK"},
    {money_twice, "declared twice"},
    {map_max, "its max must be 1 to"},
    {map_max_over, "its max must be 1 to"},
    {map_key, "do not fit its kind"},
    {map_key_long, "take up to 257 bytes"},
    {map_key_bytes, "take up to 258 bytes"},
    {map_key_member, "do not fit its kind"},
    {map_of_things, "only a registry holds things"},
    {registry_key, "no member of its record"},
    {registry_key_beyond, "no member of its record"},
    {registry_twice, "of the same asset"},
    {registry_old_and_new, NULL},
    {things_of_a_map, "whose registry is not there"},
    {things_of_other_keys, "other keys"},
    {things_in_a_ring, "in a ring"},
    {purse_twice, "same name or id"},
    {purse_money, "its money or role is not there"},
    {role_least, "starts with 4 members"},
    {upgrade_by, NULL},
    {upgrade_by_more, "upgrade"},
    {upgrade_by_none, "upgrade"},
    {upgrade_delay, "upgrade"},
    {upgrade_of_nobody, "upgrade"},
    {falls, NULL},
    {falls_per_role, "do not fit its kind"},
    {falls_in_one_phase, "do not fit its kind"},
    {falls_twice, "declared twice"},
    {falls_before_a_rule, "behind an entry for what falls"},
    {migrate_twice, "one migrate entry, not 2"},
};

Test(verify_state, declarations)
{
    for (size_t i = 0; i < sizeof state_declarations / sizeof state_declarations[0]; i++) {
        const uint64_t code[CODE_MAX] = {RET0};
        wide *w = NULL;
        char what[32];
        maker *k = wide_new(code, false, &w);
        snprintf(what, sizeof what, "row %zu", i);
        state_declarations[i].apply(k, w);
        expect_wide(k, what, state_declarations[i].text);
    }
}
