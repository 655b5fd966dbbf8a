/* test_rules_declare -- rules V201 to V299 of docs/VERIFIER.md: roles, parameters, money, fields,
 * purses, upgrade. */
#include "tests/unit/rules_fixture.h"

/* ------------------------------------------------------------------ roles and parameters */

LIMIT(V201, members, TW_ROLE_MEMBERS_MAX, "role guard: its max must be 1 to 1000000",
      w->roles[1].max = n)
TAKEN(V201, one_member, w->roles[1].max = 1)
REFUSED(V201, no_member, "role guard: its max must be 1 to 1000000", w->roles[1].max = 0)
LIMIT(V202, flags, TW_ROLE_GRANTED | TW_ROLE_REVOKED, "role guard: ", w->roles[1].flags = n)
LIMIT(V203, least, 3, "role guard: starts with 4 members, its max is 3", w->roles[1].least = n)

LIMIT(V204, type_of_256_slots, 2040, "param q: its type is not there or too large",
      m->types[W_BYTES].max = n;
      k->params[1].type = W_BYTES)
REFUSED(V204, type_beyond, "param p: its type is not there or too large",
        k->params[0].type = W_TYPES)
TAKEN(V205, text_of_two, cr_expect_eq(k->params[1].preset.size, 4))
REFUSED(V205, number_cut, "param p: its default is none of its type", k->params[0].preset.size = 7)
REFUSED(V205, text_and_a_byte, "param q: its default is none of its type", k->hi[1] = 1)
REFUSED(V205, text_that_is_none, "param q: its default is none of its type", k->hi[3] = 0xFF)
REFUSED(V206, limits_without_a_range, "param q: has limits without a range", k->params[1].high = 1)
TAKEN(V206, no_limits, k->params[0] = (tw_param){"p", T_INT, false, 0, 0, k->params[0].preset})
TAKEN(V207, default_is_the_range, k->params[0].low = k->params[0].high = 5)
REFUSED(V207, default_below, "param p: its default lies outside its range", k->params[0].low = 6)
REFUSED(V207, default_above, "param p: its default lies outside its range", k->params[0].high = 4)
REFUSED(V207, range_of_text, "param q: its default lies outside its range",
        k->params[1].ranged = true)
TAKEN(V207, range_of_money, k->params[0].type = W_EUR_AMOUNT)
LIMIT(V208, deploy_constants, 4096 - 4,
      "params and deploy constants take 4097 slots, the limit is "
      "4096",
      m->deployed_count = n)

/* ------------------------------------------------------------------ money */

#define MONEY(name) "money " #name ": a currency or a token of at most 18 decimals;"

REFUSED(V210, kind_3, MONEY(EUR), w->monies[W_EUR].kind = 3)
REFUSED(V210, kind_0, MONEY(EUR), w->monies[W_EUR].kind = 0)
TAKEN(V210, currency_and_token, cr_expect_eq(w->monies[W_TOKEN].kind, TW_MONEY_TOKEN))
LIMIT(V211, decimals, TW_DECIMALS_MAX, MONEY(TOK), w->monies[W_TOKEN].decimals = n)
TAKEN(V212, supply_of_one, w->monies[W_TOKEN].supply = 1)
TAKEN(V212, supply_of_all, w->monies[W_TOKEN].supply = INT64_MAX)
REFUSED(V212, supply_of_none, MONEY(TOK), w->monies[W_TOKEN].supply = 0)
REFUSED(V212, supply_below, MONEY(TOK), w->monies[W_TOKEN].supply = -1)
REFUSED(V212, supply_of_a_currency, MONEY(EUR), w->monies[W_EUR].supply = 1)
REFUSED(V213, same_name, "money EUR: declared twice", w->monies[W_TOKEN].name = "EUR")
TAKEN(V213, other_case, w->monies[W_TOKEN].name = "eur")
LIMIT(V214, name, TW_NAME_SIZE_MAX, "money xxxxxxxx", char *text = tw_arena_get(k->arena, n + 1);
      memset(text, 'x', n); text[n] = 0; w->monies[W_TOKEN].name = text)
TAKEN(V214, name_of_one, w->monies[W_TOKEN].name = "T")
REFUSED(V214, no_name, "money : a currency or a token", w->monies[W_TOKEN].name = "")

/* ------------------------------------------------------------------ fields */

#define PARTS(name) "field " #name ": its types or its max do not fit its kind"

LIMIT(V220, kind, TW_FIELD_REGISTRY, "field machines: unknown kind 4",
      w->fields[W_MACHINES].kind = n)
REFUSED(V220, kind_0, "field b: unknown kind 0", w->fields[0].kind = 0)
TAKEN(V221, unchanged, cr_expect_eq(w->fields[W_WORDS].kind, TW_FIELD_MAP))
REFUSED(V221, key_of_a_var, PARTS(b), w->fields[0].key_type = T_INT)
REFUSED(V221, max_of_a_var, PARTS(b), w->fields[0].max = 1)
REFUSED(V221, map_without_a_key, PARTS(map), w->fields[W_MAP].key_type = TW_NONE)
REFUSED(V221, map_with_a_member, PARTS(map), w->fields[W_MAP].key_member = 0)
REFUSED(V221, registry_without_a_member, PARTS(parts), w->fields[W_PARTS].key_member = TW_NONE)
LIMIT(V222, keys, TW_MAP_MAX, "field map: its max must be 1 to 1000000", w->fields[W_MAP].max = n)
REFUSED(V222, no_key, "field map: its max must be 1 to 1000000", w->fields[W_MAP].max = 0)
LIMIT(V223, text, TW_KEY_SIZE_MAX - 2, "field words: its keys take up to 257 bytes",
      m->types[T_TEXT].max = n)
LIMIT(V223, bytes, (TW_KEY_SIZE_MAX - 2) / 2, "field map: its keys take up to 258 bytes",
      m->types[W_BYTES].max = n;
      w->fields[W_MAP].key_type = W_BYTES)
LIMIT(V223, optional_text, TW_KEY_SIZE_MAX - 3, "field map: its keys take up to 257 bytes",
      GROW(m->types, m->type_count, W_TYPES + 2);
      m->types[W_TYPES] = (tw_type){.kind = TW_KIND_TEXT, .max = n, .name = ""};
      m->types[W_TYPES + 1] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = W_TYPES, .name = ""};
      w->fields[W_MAP].key_type = W_TYPES + 1)
LIMIT(V223, list_of_bytes, 28, "field map: its keys take up to 262 bytes",
      m->types[T_LIST].max = n; /* 1 and 9 each */
      w->fields[W_MAP].key_type = T_LIST)
TAKEN(V223, record, w->fields[W_MAP].key_type = T_EIGHT)
REFUSED(V224, things_as_keys, "field map: its keys take up to ",
        w->fields[W_MAP].key_type = W_FITTED)
TAKEN(V224, list_as_key, w->fields[W_MAP].key_type = T_LIST)

#define KEY "registry parts: its key is no member of its record"

TAKEN(V225, key_behind, w->fields[W_PARTS].key_member = 1; w->part[0].type = T_INT;
      w->part[1].type = T_TEXT)
REFUSED(V225, key_of_another_type, KEY, w->fields[W_PARTS].key_member = 1)
REFUSED(V225, key_beyond, KEY, w->fields[W_PARTS].key_member = 2)
REFUSED(V225, registry_of_no_record, KEY, w->fields[W_PARTS].value_type = T_TEXT)

#define HOME "field machines: a list of things whose registry is not there or has other keys"

REFUSED(V226, things_of_a_map, HOME, m->types[W_FITTED].home = W_MAP)
REFUSED(V226, things_of_other_keys, HOME, m->types[W_FITTED].of = T_INT)
REFUSED(V226, things_of_the_version_before, HOME, w->fields[W_PARTS].old = true)
TAKEN(V226, all_of_the_version_before, w->fields[W_PARTS].old = w->fields[W_MACHINES].old = true)

REFUSED(V227, things_in_an_optional, "registry machines: things stand deeper than in its record",
        GROW(m->types, m->type_count, W_TYPES + 2);
        m->types[W_TYPES] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = W_FITTED, .name = ""};
        m->types[W_TYPES + 1] = m->types[W_MACHINE]; w->machine[2].type = W_TYPES;
        m->types[W_MACHINE] = m->types[T_INT]; w->fields[W_MACHINES].value_type = W_TYPES + 1)
TAKEN(V227, optional_number, w->machine[1].type = T_OPTIONAL)

REFUSED(V228, same_record, "registries parts and spares are of the same asset",
        GROW(m->fields, m->field_count, W_FIELDS + 1);
        m->fields[W_FIELDS] = w->fields[W_PARTS]; m->fields[W_FIELDS].name = "spares")
TAKEN(V228, same_record_before, GROW(m->fields, m->field_count, W_FIELDS + 1);
      m->fields[W_FIELDS] = w->fields[W_PARTS]; m->fields[W_FIELDS].old = true)

REFUSED(V229, map_of_things, "field map: only a registry holds things",
        w->fields[W_MAP].value_type = W_MACHINE)
REFUSED(V229, var_of_things, "field b: only a registry holds things",
        w->fields[0].value_type = W_FITTED)
TAKEN(V229, map_of_parts, w->fields[W_MAP].value_type = W_PART)

REFUSED(V230, same_name, "field n: declared twice", w->fields[T_BOOL].name = "n")
REFUSED(V230, same_name_far, "field map: declared twice", w->fields[0].name = "map")
TAKEN(V230, same_name_before, w->fields[T_BOOL].name = "n"; w->fields[T_BOOL].old = true)

/* Names whose ids are the same by chance, found by a search. The cases fail when descriptions
 * change: then other names must be found. */
#define ONE "v137128"
#define OTHER "v58453"
#define PURSE_ONE "v221021"
#define PURSE_OTHER "v101762"
#define PURSE_ID "v388198"
#define FIELD_ID "v361951"

static void collide(maker *k, wide *w, const char *one, const char *other)
{
    w->fields[T_BOOL].name = one;
    w->fields[T_INT].name = other;
    w->fields[T_BOOL].value_type = T_INT;
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
    cr_assert_eq(w->fields[T_BOOL].id, w->fields[T_INT].id, "no longer the same ids");
}

REFUSED(V231, same_id, "fields " ONE " and " OTHER " have the same id: rename one",
        collide(k, w, ONE, OTHER))
REFUSED(V231, same_id_before, "fields " ONE " and " OTHER " have the same id: rename one",
        collide(k, w, ONE, OTHER);
        w->fields[T_INT].old = true)
TAKEN(V231, the_same_before, w->fields[T_BOOL] = w->fields[T_INT]; w->fields[T_BOOL].old = true)

/* ------------------------------------------------------------------ purses and upgrade */

REFUSED(V232, same_name, "purse chest: the same name or id as purse chest, rename one",
        w->purses[W_POT].name = "chest")
REFUSED(V232, same_id, "purse " PURSE_OTHER ": the same name or id as purse " PURSE_ONE,
        w->purses[W_POT].name = PURSE_ONE;
        w->purses[W_STAKES].name = PURSE_OTHER; w->purses[W_STAKES].role = TW_NONE;
        cr_assert_eq(tw_module_derive(m, &k->err), TW_OK);
        cr_assert_eq(w->purses[W_POT].id, w->purses[W_STAKES].id, "no longer the same ids"))
TAKEN(V232, other_names, w->purses[W_CHEST].money = W_EUR)
REFUSED(V233, id_of_a_field,
        "purse " PURSE_ID " and field " FIELD_ID " have the same id: rename one",
        w->purses[W_POT].name = PURSE_ID;
        w->fields[T_INT].name = FIELD_ID; cr_assert_eq(tw_module_derive(m, &k->err), TW_OK);
        cr_assert_eq(w->purses[W_POT].id, w->fields[T_INT].id, "no longer the same ids"))
TAKEN(V233, name_of_a_field, w->purses[W_POT].name = "n")

#define UPGRADE "upgrade: its role, the number of its signers or its delay is not there"

TAKEN(V234, by_nobody, cr_expect_eq(m->upgrade.role, TW_NONE))
REFUSED(V234, count_of_nobody, UPGRADE, m->upgrade.count = 1)
REFUSED(V234, delay_of_nobody, UPGRADE, m->upgrade.delay = 0)
LIMIT(V235, signers, 3, UPGRADE, m->upgrade = (tw_upgrade){1, n, TW_NONE})
REFUSED(V235, no_signers, UPGRADE, m->upgrade = (tw_upgrade){1, 0, TW_NONE})
LIMIT(V235, signers_of_a_transaction, 16, UPGRADE, w->roles[1].max = 100;
      m->upgrade = (tw_upgrade){1, n, TW_NONE})
LIMIT(V236, role, W_METER, UPGRADE, m->upgrade = (tw_upgrade){n, 1, TW_NONE})
LIMIT(V237, delay, 1, UPGRADE, m->upgrade = (tw_upgrade){1, 1, n})
