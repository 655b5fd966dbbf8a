/* test_rules_linear -- reading and proving a module take time linear in its size: shapes that a
 * careless pass would make quadratic, each at some size and at four times that size: a step where
 * memory comes in larger pieces weighs less over two doublings than over one. */
#include "tests/unit/wide_fixture.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))

enum { RUNS = 9, TYPES = 4096, NAME = 256 };

/* Fills a wide module with so many of what the shape is about. */
typedef void shape(maker *k, wide *w, uint32_t count);

static char *name_of(maker *k, uint32_t number, uint32_t size)
{
    char *text = TW_NEW_ARRAY(k->arena, char, size + 1);
    cr_assert_not_null(text);
    memset(text, 'x', size);
    char digits[8];
    snprintf(digits, sizeof digits, "%06u", number);
    memcpy(text + size - 6, digits, 6);
    return text;
}

static tw_type *more_types(maker *k, uint32_t count)
{
    tw_type *types = TW_NEW_ARRAY(k->arena, tw_type, k->m.type_count + count);
    cr_assert_not_null(types);
    memcpy(types, k->m.types, k->m.type_count * sizeof *types);
    k->m.types = types;
    return types;
}

/* The code of the tested function becomes `count` times `insn`, and RET. */
static void many_times(maker *k, uint64_t insn, uint32_t count)
{
    tw_module *m = &k->m;
    uint64_t *code = TW_NEW_ARRAY(k->arena, uint64_t, count + 8);
    cr_assert_not_null(code);
    memcpy(code, m->code, 4 * sizeof *code);
    for (uint32_t i = 0; i < count; i++) code[4 + i] = insn;
    code[4 + count] = code[5 + count] = ROW(RET, 0, 0, 0, 0);
    m->code = code;
    m->code_count = 6 + count;
    k->functions[F_TESTED].code_count = count + 1;
    k->functions[F_DEPLOY].code_first = 5 + count;
}

/* So many entries of the kind behind those of the maker. */
static void many_entries(maker *k, wide *w, tw_entry_kind kind, uint16_t of, uint32_t count)
{
    tw_entry *entries = TW_NEW_ARRAY(k->arena, tw_entry, ENTRY_COUNT + count);
    cr_assert_not_null(entries);
    memcpy(entries, w->entries, ENTRY_COUNT * sizeof *entries);
    for (uint32_t i = ENTRY_COUNT; i < ENTRY_COUNT + count; i++) {
        entries[i] = entries[E_AFTER];
        entries[i].kind = (uint8_t)kind;
        entries[i].of = of;
        if (kind == TW_ENTRY_RAISED) entries[i].delay = TW_NONE;
    }
    k->m.entries = entries;
    k->m.entry_count = (uint16_t)(ENTRY_COUNT + count);
}

static void functions(maker *k, wide *w, uint32_t count)
{
    tw_module *m = &k->m;
    (void)w;
    const uint32_t first = m->code_count;
    uint64_t *code = TW_NEW_ARRAY(k->arena, uint64_t, first + 8 * count);
    tw_function *all = TW_NEW_ARRAY(k->arena, tw_function, FUNCTION_COUNT + count);
    cr_assert(code != NULL && all != NULL);
    memcpy(code, m->code, first * sizeof *code);
    memcpy(all, m->functions, FUNCTION_COUNT * sizeof *all);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *at = code + first + 8 * i;
        for (uint32_t j = 0; j < 7; j++) at[j] = ROW(CALL, 0, 0, 0, F_SUM);
        at[7] = ROW(RET, 0, 0, 0, 0);
        all[FUNCTION_COUNT + i] = (tw_function){"f", 0, 0, 8, first + 8 * i, 8};
    }
    m->code = code;
    m->code_count += 8 * count;
    m->functions = all;
    m->function_count = (uint16_t)(FUNCTION_COUNT + count);
}

static void loops(maker *k, wide *w, uint32_t count)
{
    (void)w;
    many_times(k, IMM(LOOP, 8, 9, 3), count);
    for (uint32_t i = 0; i < count; i++) { /* eight open, eight close */
        if (i % 16 >= 8) k->m.code[4 + i] = ROW(END, 0, 0, 0, 0);
    }
}

static void jumps(maker *k, wide *w, uint32_t count)
{
    (void)w;
    many_times(k, ROW(JZ, 0, 0, 0, 0), count);
    for (uint32_t i = 0; i < count; i++) k->m.code[4 + i] = ROW(JZ, 0, 0, 0, count - 1 - i);
}

static void phases_and_timers(maker *k, wide *w, uint32_t count)
{
    many_times(k, ROW(GO, 0, 0, 0, 1), count);
    many_entries(k, w, TW_ENTRY_AFTER, TW_NONE, count / 64);
}

static void grants_and_timers(maker *k, wide *w, uint32_t count)
{
    many_times(k, ROW(GRANT, 0, 8, 0, 1), count);
    many_entries(k, w, TW_ENTRY_SILENT, 0, count / 64);
}

static void revokes_and_readings(maker *k, wide *w, uint32_t count)
{
    const uint32_t readings = count / 256;
    many_times(k, ROW(REVOKE, 0, 8, 0, W_METER), count);
    k->m.readings = TW_NEW_ARRAY(k->arena, tw_reading, readings);
    cr_assert_not_null(k->m.readings);
    for (uint32_t i = 0; i < readings; i++) k->m.readings[i] = w->readings[i > 0];
    k->m.reading_count = (uint16_t)readings;
}

static void payments_and_purses(maker *k, wide *w, uint32_t count)
{
    const uint32_t purses = count / 64;
    many_times(k, ROW(PAY, 0, 0, 8, 0), count);
    many_entries(k, w, TW_ENTRY_FALLS, 0, purses - 1);
    k->m.purses = TW_NEW_ARRAY(k->arena, tw_purse, purses);
    cr_assert_not_null(k->m.purses);
    for (uint32_t i = 0; i < purses; i++) {
        k->m.purses[i] = (tw_purse){.name = name_of(k, i, 8), .money = W_EUR, .role = TW_NONE};
        if (i > 0) k->m.entries[ENTRY_COUNT + i - 1].of = (uint16_t)i;
    }
    k->m.purse_count = (uint16_t)purses;
}

static void fields(maker *k, wide *w, uint32_t count)
{
    tw_field *all = TW_NEW_ARRAY(k->arena, tw_field, W_FIELDS + count);
    cr_assert_not_null(all);
    memcpy(all, w->fields, W_FIELDS * sizeof *all);
    for (uint32_t i = W_FIELDS; i < W_FIELDS + count; i++) {
        all[i] = all[T_INT];
        all[i].name = name_of(k, i, 200);
    }
    k->m.fields = all;
    k->m.field_count = (uint16_t)(W_FIELDS + count);
}

/* Records of 64 records of 64 numbers: each field is of 4,096 slots. */
static void fields_of_wide_types(maker *k, wide *w, uint32_t count)
{
    tw_type *types = more_types(k, 2);
    for (uint16_t level = 0; level < 2; level++) {
        tw_member *members = TW_NEW_ARRAY(k->arena, tw_member, TW_MEMBERS_MAX);
        cr_assert_not_null(members);
        const uint16_t of = level == 0 ? T_INT : k->m.type_count - 1;
        for (uint32_t i = 0; i < TW_MEMBERS_MAX; i++) members[i] = (tw_member){"m", of};
        types[k->m.type_count++] = (tw_type){
            .kind = TW_KIND_RECORD, .name = "R", .members = {members, TW_MEMBERS_MAX, 0, 0}};
    }
    fields(k, w, count);
    for (uint32_t i = W_FIELDS; i < W_FIELDS + count; i++) {
        k->m.fields[i].name = name_of(k, i, 6);
        k->m.fields[i].value_type = k->m.type_count - 1;
    }
}

/* Many types of one enum that has many long names. */
static void types_of_an_enum(maker *k, wide *w, uint32_t count)
{
    (void)w;
    const uint32_t names = count / 16;
    tw_type *types = more_types(k, count);
    for (uint32_t i = 0; i < count; i++) types[k->m.type_count++] = k->types[T_ENUM];
    const char **values = TW_NEW_ARRAY(k->arena, const char *, names);
    cr_assert_not_null(values);
    for (uint32_t i = 0; i < names; i++) values[i] = name_of(k, i, NAME);
    k->enums[0].values = (tw_names){values, (uint16_t)names};
}

static void alarms_and_handlers(maker *k, wide *w, uint32_t count)
{
    tw_alarm *alarms = TW_NEW_ARRAY(k->arena, tw_alarm, count);
    cr_assert_not_null(alarms);
    for (uint32_t i = 0; i < count; i++) alarms[i] = k->alarms[0];
    many_entries(k, w, TW_ENTRY_RAISED, 0, 3 * count);
    for (uint32_t i = 0; i < 3 * count; i++) {
        k->m.entries[ENTRY_COUNT + i].of = (uint16_t)(i % count);
    }
    k->m.alarms = alarms;
    k->m.alarm_count = (uint16_t)count;
}

static tw_bytes made(shape *fill, uint32_t count, maker **ret_maker)
{
    const uint64_t code[] = {ROW(RET, 0, 0, 0, 0)};
    maker *k = maker_new(code, 1, true);
    wide *w = wide_of(k);
    fill(k, w, count);
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    *ret_maker = k;
    return maker_bytes(k);
}

/* Processor time of reading and proving, in nanoseconds. */
static uint64_t once(tw_bytes bytes)
{
    struct timespec before;
    struct timespec after;
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    tw_err err;
    tw_arena *arena = tw_arena_new(MAKER_MEMORY);
    cr_assert_not_null(arena);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    cr_assert_eq(tw_module_decode(bytes, arena, &m, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_module_verify(m, arena, &facts, &err), TW_OK, "%s", err.text);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    tw_arena_free(arena);
    return (uint64_t)(after.tv_sec - before.tv_sec) * 1000000000u +
           (uint64_t)(after.tv_nsec - before.tv_nsec);
}

/* Linear is 4, quadratic 16; three for each doubling allows for memory met for the first time. */
Test(rules_linear, four_times_the_size_is_about_four_times_the_time)
{
    static const struct {
        const char *what;
        shape *fill;
        uint32_t count;
    } shapes[] = {
        {"functions", functions, 1000},
        {"loops", loops, 8000},
        {"jumps", jumps, 8000},
        {"phases and timers", phases_and_timers, 8000},
        {"grants and timers", grants_and_timers, 8000},
        {"revokes and readings", revokes_and_readings, 8000},
        {"payments and purses", payments_and_purses, 8000},
        {"fields", fields, 500},
        {"fields of wide types", fields_of_wide_types, 500},
        {"types of an enum", types_of_an_enum, 2000},
        {"alarms and handlers", alarms_and_handlers, 32},
    };
    /* what a run gave back the next one gets: pages of the kernel are no part of the time */
    (void)mallopt(M_MMAP_THRESHOLD, INT32_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        maker *small = NULL;
        maker *large = NULL;
        const tw_bytes one = made(shapes[i].fill, shapes[i].count / 2, &small);
        const tw_bytes two = made(shapes[i].fill, 2 * shapes[i].count, &large);
        uint64_t best_one = UINT64_MAX;
        uint64_t best_two = UINT64_MAX;
        for (int run = 0; run < RUNS; run++) {
            const uint64_t a = once(one);
            const uint64_t b = once(two);
            best_one = a < best_one ? a : best_one;
            best_two = b < best_two ? b : best_two;
        }
        cr_expect_lt(best_two, 9 * best_one, "%s: %zu bytes %llu ns, %zu bytes %llu ns",
                     shapes[i].what, one.size, (unsigned long long)best_one, two.size,
                     (unsigned long long)best_two);
        maker_free(small);
        maker_free(large);
    }
}
