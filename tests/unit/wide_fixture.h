/* wide_fixture -- the module of module_fixture with maps, registries of things that hold things,
 * money, purses, and readings per device. */
#ifndef TW_TEST_WIDE_FIXTURE_H
#define TW_TEST_WIDE_FIXTURE_H

#include "tests/unit/module_fixture.h"

enum { W_EUR_AMOUNT = T_EIGHT + 1, W_PART, W_FITTED, W_MACHINE, W_PAIRS, W_BYTES, W_TYPES };
enum { W_MAP = 8, W_WORDS, W_PARTS, W_MACHINES, W_FIELDS };
enum { W_EUR, W_TOKEN, W_MONIES };
enum { W_POT, W_STAKES, W_CHEST, W_PURSES };
enum { W_METER = 3, W_FLOW = 1, W_STAMP = 1 };

/* What the maker has no room for. */
typedef struct wide {
    tw_field fields[W_FIELDS + 4];
    tw_role roles[4];
    tw_reading readings[2];
    tw_stamp stamps[2];
    tw_money monies[W_MONIES];
    tw_purse purses[W_PURSES];
    tw_entry entries[ENTRY_COUNT + 3];
    tw_member part[2], machine[3];
} wide;

static inline void wide_types(maker *k, wide *w)
{
    w->part[0] = (tw_member){"serial", T_TEXT};
    w->part[1] = (tw_member){"wear", T_INT};
    w->machine[0] = (tw_member){"serial", T_TEXT};
    w->machine[1] = (tw_member){"hours", T_INT};
    w->machine[2] = (tw_member){"fitted", W_FITTED};
    k->types[W_EUR_AMOUNT] = (tw_type){.kind = TW_KIND_MONEY, .of = W_EUR, .name = ""};
    k->types[W_PART] = (tw_type){
        .kind = TW_KIND_RECORD, .name = "Part", .members = {.items = w->part, .count = 2}};
    k->types[W_FITTED] =
        (tw_type){.kind = TW_KIND_THINGS, .of = T_TEXT, .home = W_PARTS, .max = 2, .name = ""};
    k->types[W_MACHINE] = (tw_type){
        .kind = TW_KIND_RECORD, .name = "Machine", .members = {.items = w->machine, .count = 3}};
    k->types[W_PAIRS] = (tw_type){.kind = TW_KIND_LIST, .of = T_RECORD, .max = 2, .name = ""};
    k->types[W_BYTES] = (tw_type){.kind = TW_KIND_BYTES, .max = 6, .name = ""};
    k->m.type_count = W_TYPES;
}

static inline void wide_fields(maker *k, wide *w)
{
    memcpy(w->fields, k->fields, sizeof k->fields);
    w->fields[W_MAP] = (tw_field){.name = "map",
                                  .kind = TW_FIELD_MAP,
                                  .key_type = T_INT,
                                  .value_type = T_RECORD,
                                  .key_member = TW_NONE,
                                  .max = 4};
    w->fields[W_WORDS] = (tw_field){.name = "words",
                                    .kind = TW_FIELD_MAP,
                                    .key_type = T_TEXT,
                                    .value_type = T_INT,
                                    .key_member = TW_NONE,
                                    .max = 5};
    w->fields[W_PARTS] = (tw_field){.name = "parts",
                                    .kind = TW_FIELD_REGISTRY,
                                    .key_type = T_TEXT,
                                    .value_type = W_PART,
                                    .max = 3};
    w->fields[W_MACHINES] = (tw_field){.name = "machines",
                                       .kind = TW_FIELD_REGISTRY,
                                       .key_type = T_TEXT,
                                       .value_type = W_MACHINE,
                                       .max = 2};
    k->m.fields = w->fields;
    k->m.field_count = W_FIELDS;
}

static inline void wide_money(maker *k, wide *w)
{
    w->monies[W_EUR] = (tw_money){"EUR", TW_MONEY_CURRENCY, 2, 0};
    w->monies[W_TOKEN] = (tw_money){"TOK", TW_MONEY_TOKEN, 6, 1000000};
    w->purses[W_POT] = (tw_purse){.name = "pot", .money = W_EUR, .role = TW_NONE};
    w->purses[W_STAKES] = (tw_purse){.name = "stakes", .money = W_EUR, .role = 1};
    w->purses[W_CHEST] = (tw_purse){.name = "chest", .money = W_TOKEN, .role = TW_NONE};
    k->m.monies = w->monies;
    k->m.money_count = W_MONIES;
    k->m.purses = w->purses;
    k->m.purse_count = W_PURSES;
}

static inline void wide_twin(maker *k, wide *w)
{
    memcpy(w->roles, k->roles, sizeof k->roles);
    memcpy(w->readings, k->readings, sizeof k->readings);
    memcpy(w->stamps, k->stamps, sizeof k->stamps);
    w->roles[W_METER] = (tw_role){"meter", 3, 0, 3};
    w->readings[W_FLOW] = k->readings[0];
    w->readings[W_FLOW].name = "flow";
    w->readings[W_FLOW].field = "flow";
    w->readings[W_FLOW].role = W_METER;
    w->readings[W_FLOW].per_device = true;
    w->readings[W_FLOW].keep = 20;
    w->stamps[W_STAMP] = (tw_stamp){W_FLOW, TW_STAMP_ABOVE, 0, TW_NONE};
    k->m.roles = w->roles;
    k->m.role_count = 4;
    k->m.readings = w->readings;
    k->m.reading_count = 2;
    k->m.stamps = w->stamps;
    k->m.stamp_count = 2;
}

/* The entries are in w->entries afterwards, those of the maker first. */
static inline wide *wide_of(maker *k)
{
    wide *w = TW_NEW(k->arena, wide);
    cr_assert_not_null(w);
    wide_types(k, w);
    wide_fields(k, w);
    wide_money(k, w);
    wide_twin(k, w);
    memcpy(w->entries, k->entries, sizeof k->entries);
    k->m.entries = w->entries;
    return w;
}

/* maker_facts for a wide module. */
static inline tw_status wide_facts(maker *k)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_module_derive(&k->m, &k->err));
    TW_TRY(tw_facts_compute(&k->m, k->arena, &facts, &k->err));
    for (uint16_t i = 0; i < k->m.entry_count; i++) k->m.entries[i].bounds = facts->entries[i];
    return TW_OK;
}

#endif
