/* test_rules_bytes -- rules V001 to V099 of docs/VERIFIER.md: the one byte string of a module, and
 * how long its lists may be. */
#include "tests/unit/rules_fixture.h"

#define DAMAGED "damaged or not canonical near byte "

/* The module's bytes with one of them changed; a negative place counts from the end. */
static tw_status changed(maker *k, long at, uint8_t value)
{
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    const tw_bytes bytes = maker_bytes(k);
    uint8_t *copy = tw_arena_get(k->arena, bytes.size);
    cr_assert_not_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    copy[at] = value;
    return rules_prove(k, tw_bytes_of(copy, bytes.size));
}

static void expect_changed(maker *k, long at, uint8_t value, const char *sentence)
{
    cr_expect_eq(changed(k, at, value), TW_REFUSED_MODULE);
    cr_expect_eq(strncmp(k->err.text, sentence, strlen(sentence)), 0, "said \"%s\"", k->err.text);
    maker_free(k);
}

/* A module of exactly so many bytes: constants and the code of one function fill it, the name of
 * its twin the rest. */
static void sized(maker *k, size_t size)
{
    tw_module *m = &k->m;
    char *twin = tw_arena_get(k->arena, 8);
    cr_assert_not_null(twin);
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    const size_t more = size - maker_bytes(k).size;
    memset(twin, 'x', 8);
    twin[more % 8] = 0;
    m->twin = twin;
    const uint32_t words = (uint32_t)(more / 8);
    const uint32_t constants = words / 2;
    const uint32_t code = words - constants;
    GROW(m->constants, m->constant_count, m->constant_count + constants);
    uint64_t *all = TW_NEW_ARRAY(k->arena, uint64_t, m->code_count + code);
    cr_assert_not_null(all);
    const uint32_t first = m->functions[F_TESTED].code_first;
    memcpy(all, m->code, first * sizeof *all);
    for (uint32_t i = 0; i < code; i++) all[first + i] = IMM(LDI, 0, 0, 1);
    memcpy(all + first + code, m->code + first, (m->code_count - first) * sizeof *all);
    m->code = all;
    m->code_count += code;
    k->functions[F_TESTED].code_count += code;
    k->functions[F_DEPLOY].code_first += code;
}

Test(V001, module_of_256_kib)
{
    wide *w = NULL;
    maker *k = rules_new(&w);
    sized(k, TW_MODULE_SIZE_MAX);
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    cr_expect_eq(maker_bytes(k).size, TW_MODULE_SIZE_MAX);
    rules_taken(k);
}
REFUSED(V001, module_of_one_byte_more, "the module has 262145 bytes, the limit is 262144",
        sized(k, TW_MODULE_SIZE_MAX + 1))

TAKEN(V002, unchanged, (void)k)
Test(V002, other_first_byte)
{
    wide *w = NULL;
    expect_changed(rules_new(&w), 0, 'X', "this is no module: it does not start with TWVM");
}
Test(V002, three_bytes)
{
    wide *w = NULL;
    maker *k = rules_new(&w);
    cr_expect_eq(rules_prove(k, tw_bytes_of("TWV", 3)), TW_REFUSED_MODULE);
    cr_expect_str_eq(k->err.text, "this is no module: it does not start with TWVM");
    maker_free(k);
}

TAKEN(V003, this_format, cr_expect_eq(TW_MODULE_FORMAT, 2); cr_expect_eq(TW_SEMANTICS, 1))
Test(V003, other_format)
{
    wide *w = NULL;
    expect_changed(rules_new(&w), 4, TW_MODULE_FORMAT + 1, "module format 3, semantics 1;");
}
Test(V003, other_semantics)
{
    wide *w = NULL;
    expect_changed(rules_new(&w), 5, TW_SEMANTICS + 1, "module format 2, semantics 2;");
}

Test(V004, a_byte_more_or_less)
{
    wide *w = NULL;
    maker *k = rules_new(&w);
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    const tw_bytes bytes = maker_bytes(k);
    uint8_t *longer = tw_arena_get(k->arena, bytes.size + 1);
    cr_assert_not_null(longer);
    memcpy(longer, bytes.data, bytes.size);
    longer[bytes.size] = 0;
    for (size_t size = bytes.size - 1; size <= bytes.size + 1; size += 2) {
        cr_expect_eq(rules_prove(k, tw_bytes_of(longer, size)), TW_REFUSED_MODULE);
        cr_expect_eq(strncmp(k->err.text, DAMAGED, strlen(DAMAGED)), 0, "%s", k->err.text);
    }
    cr_expect_eq(rules_prove(k, tw_bytes_of(longer, bytes.size)), TW_OK);
    maker_free(k);
}

TAKEN(V005, flags_of_0_and_1, cr_expect(k->params[0].ranged && !k->params[1].ranged))

/* The flag of a parameter with limits stands behind its name and its type. */
Test(V005, flag_of_2)
{
    wide *w = NULL;
    maker *k = rules_new(&w);
    k->params[0].name = "limited";
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    const tw_bytes bytes = maker_bytes(k);
    long at = 0;
    while (memcmp(bytes.data + at, "limited", 7) != 0) at++;
    at += 7 + 2;
    cr_assert_eq(bytes.data[at], 1);
    expect_changed(k, at, 2, DAMAGED);
}

TAKEN(V006, name_of_many_scripts, m->name = "Pumpe \xC3\x9F \xE6\xB3\xB5 \xF0\x9F\x94\xA7")
REFUSED(V006, name_with_a_new_line, DAMAGED, m->name = "a\nb")
REFUSED(V006, name_that_is_no_utf8, DAMAGED, m->name = "a\xFF")
REFUSED(V006, name_written_too_long, DAMAGED, m->name = "\xC1\x81")
REFUSED(V006, name_of_half_a_pair, DAMAGED, m->name = "\xED\xA0\x80")
REFUSED(V006, name_that_turns_around, DAMAGED, m->name = "\xE2\x80\xAEgnp")

LIMIT(V007, name_of_256_bytes, 4 * TW_NAME_SIZE_MAX, DAMAGED,
      char *text = tw_arena_get(k->arena, n + 1);
      memset(text, 'x', n); text[n] = 0; m->roles[0].name = text)

/* ------------------------------------------------------------------ how many */

LIMIT(V010, monies, TW_MONIES_MAX, DAMAGED, GROW(m->monies, m->money_count, n);
      for (uint32_t i = W_MONIES; i < n; i++) m->monies[i].name = rules_name(k, i))
LIMIT(V011, types, TW_TYPES_MAX, DAMAGED, GROW(m->types, m->type_count, n))
LIMIT(V012, enums, TW_NAMES_MAX, DAMAGED, GROW(m->enums, m->enum_count, n))
LIMIT(V013, values_of_an_enum, TW_NAMES_MAX, DAMAGED,
      GROW(m->enums[0].values.items, m->enums[0].values.count, n))
LIMIT(V014, roles, TW_ROLES_MAX, DAMAGED, GROW(m->roles, m->role_count, n))
LIMIT(V015, params, TW_PARAMS_MAX, DAMAGED, GROW(m->params, m->param_count, n))
LIMIT(
    V016, fields, TW_FIELDS_MAX, DAMAGED, GROW(m->fields, m->field_count, n);
    for (uint32_t i = W_FIELDS; i < n; i++) {
        m->fields[i] = m->fields[T_INT];
        m->fields[i].name = rules_name(k, i);
    })
LIMIT(V017, purses, TW_PURSES_MAX, DAMAGED, GROW(m->purses, m->purse_count, n);
      for (uint32_t i = W_PURSES; i < n; i++) m->purses[i].name = rules_name(k, i))
LIMIT(V018, phases, TW_PHASES_MAX, DAMAGED, GROW(m->phases.items, m->phases.count, n))
LIMIT(V019, arrows, TW_PHASES_MAX *TW_PHASES_MAX, DAMAGED, GROW(m->arrows, m->arrow_count, n))
LIMIT(V020, readings, TW_READINGS_MAX, DAMAGED, m->reading_count = 1;
      GROW(m->readings, m->reading_count, n); m->stamp_count = 1)
LIMIT(V021, stamps, TW_STAMPS_MAX, DAMAGED, GROW(m->stamps, m->stamp_count, n))
LIMIT(V022, alarms, TW_ALARMS_MAX, DAMAGED, GROW(m->alarms, m->alarm_count, n))
LIMIT(V023, events, TW_NAMES_MAX, DAMAGED, GROW(m->events, m->event_count, n))
LIMIT(V024, errors, TW_NAMES_MAX, DAMAGED, GROW(m->errors, m->error_count, n))
LIMIT(V025, kinds_of_history, TW_NAMES_MAX, DAMAGED, GROW(m->histories, m->history_count, n))
LIMIT(V026, invariants, TW_NAMES_MAX, DAMAGED, GROW(m->invariants, m->invariant_count, n))
LIMIT(V027, checks, TW_NAMES_MAX, DAMAGED, GROW(m->checks, m->check_count, n))
LIMIT(V028, constants, TW_CONSTANTS_MAX, DAMAGED, GROW(m->constants, m->constant_count, n))
LIMIT(V029, functions, TW_FUNCTIONS_MAX, DAMAGED, GROW(m->functions, m->function_count, n))
LIMIT(V030, entries, TW_ENTRIES_MAX, DAMAGED, GROW(m->entries, m->entry_count, n))
LIMIT(V031, members_of_a_record, TW_MEMBERS_MAX, DAMAGED,
      GROW(m->types[W_PART].members.items, m->types[W_PART].members.count, n);
      for (uint32_t i = 2; i < n; i++) m->types[W_PART].members.items[i].type = T_BOOL)
LIMIT(V031, fields_of_an_event, TW_MEMBERS_MAX, DAMAGED,
      GROW(m->events[0].members.items, m->events[0].members.count, n))
LIMIT(V031, arguments, TW_MEMBERS_MAX, DAMAGED,
      GROW(m->entries[E_ACTION].members.items, m->entries[E_ACTION].members.count, n);
      k->functions[F_TESTED].argument_slots = n; k->functions[F_TESTED].frame_slots = n)
LIMIT(V032, instructions_of_a_function, TW_FUNCTION_CODE_MAX, DAMAGED,
      uint64_t *code = TW_NEW_ARRAY(k->arena, uint64_t, n + 5);
      memcpy(code, m->code, 4 * sizeof *code);
      for (uint32_t i = 4; i < n + 5; i++) code[i] = i < n + 3 ? IMM(LDI, 0, 0, 1) : RET0;
      m->code = code; m->code_count = n + 5; k->functions[F_TESTED].code_count = n;
      k->functions[F_DEPLOY].code_first = n + 4)
