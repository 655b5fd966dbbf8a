/* test_collect -- instructions over maps, keys, lists and windows of several devices: values,
 * traps, and that nothing passes its bound. Each step is a small program run on the same state; it
 * ends with an event of its slots 0 to 7. */
#include "tests/unit/state_fixture.h"
#include "tests/unit/wide_fixture.h"
#include "vm/exec/field.h"
#include "vm/exec/intake.h"
#include "vm/exec/window.h"
#include "vm/isa/value.h"
#include "vm/ledger/notices.h"

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))

enum { START = 5000000, PROGRAM_MAX = 12 };

typedef struct bench {
    tw_store *store;
    tw_overlay *overlay;
    tw_exec *exec;
    bool deployed;
    uint16_t keep; /* of the readings per device, when not 0 */
    uint32_t meters;
    int64_t slots[8]; /* what the last step gave */
    tw_outcome outcome;
} bench;

static tw_account account(uint8_t byte)
{
    tw_account a;
    memset(a.bytes, byte, sizeof a.bytes);
    return a;
}

static bench *bench_new(void)
{
    bench *b = tw_mem_new(sizeof *b);
    cr_assert_not_null(b);
    b->store = store_in_memory();
    b->overlay = tw_overlay_new(b->store, 256 * MIB);
    b->exec = tw_exec_new();
    b->meters = 3;
    cr_assert(b->overlay != NULL && b->exec != NULL);
    tw_overlay_clear(b->overlay, 1);
    return b;
}

static void bench_free(bench *b)
{
    tw_exec_free(b->exec);
    tw_overlay_free(b->overlay);
    tw_store_close(b->store);
    tw_mem_free(b);
}

static void deploy(bench *b, tw_contract *c)
{
    c->deployed_at = START;
    cr_assert_eq(tw_contract_save(c), TW_OK);
    for (uint32_t i = 0; i < b->meters; i++) {
        const tw_account meter = account((uint8_t)(20 + i));
        cr_assert_eq(tw_role_grant(c, W_METER, &meter, START), TW_OK);
    }
    cr_assert_eq(tw_contract_save_control(c), TW_OK);
    b->deployed = true;
}

/* A module with the program as its action, and the contract of it on the bench's state. */
static tw_contract *contract_of(bench *b, maker **ret_maker, tw_code **ret_code,
                                const uint64_t *program)
{
    uint64_t code[PROGRAM_MAX + 2];
    uint32_t count = 0;
    for (; program[count] != 0; count++) code[count] = program[count];
    code[count++] = ROW(EMIT, 0, 0, 0, 0);
    code[count++] = ROW(RET, 0, 0, 0, 0);
    maker *k = maker_new(code, count, true);
    wide *w = wide_of(k);
    const tw_hash id = {{3}};
    tw_contract *c = NULL;
    k->events[0] = (tw_notice){"Eight", {.items = k->eight, .count = 8}};
    if (b->keep != 0) w->readings[W_FLOW].keep = b->keep;
    w->roles[W_METER].max = b->meters;
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    cr_assert_eq(tw_code_new(maker_bytes(k), NULL, ret_code, &k->err), TW_OK, "%s", k->err.text);
    cr_assert_eq(tw_contract_new(&id, *ret_code, b->overlay, k->arena, &c), TW_OK);
    if (!b->deployed) deploy(b, c);
    cr_assert_eq(tw_contract_load(c), TW_OK);
    *ret_maker = k;
    return c;
}

/* Runs the program over eight slots, at `end`. */
static tw_status step_at(bench *b, int64_t end, const uint64_t *program, const int64_t *slots)
{
    const tw_account sender = account(1);
    const tw_call call = {.entry = E_ACTION,
                          .now = end,
                          .end = end,
                          .signers = &sender,
                          .signer_count = 1,
                          .arguments = slots};
    maker *k = NULL;
    tw_code *code = NULL;
    tw_contract *c = contract_of(b, &k, &code, program);
    const tw_bounds *bounds = &code->facts->entries[E_ACTION];
    cr_assert_eq(tw_exec_run(b->exec, c, &call, &b->outcome), TW_OK);
    cr_assert_leq(b->outcome.gas, bounds->gas);
    cr_assert_leq(b->outcome.writes, bounds->writes);
    if (b->outcome.status == TW_OK) {
        tw_reader r = tw_reader_of(b->outcome.notices);
        tw_notice_view notice;
        cr_assert(tw_notice_read(&r, &notice));
        r = tw_reader_of(notice.fields);
        cr_assert_eq(tw_value_decode(code->module, T_EIGHT, &r, b->slots), TW_OK);
    }
    tw_code_free(code);
    maker_free(k);
    return b->outcome.status;
}

#define STEP(b, program, ...)                                                                      \
    step_at((b), START, (const uint64_t[PROGRAM_MAX]){program}, (const int64_t[8]){__VA_ARGS__})

/* ------------------------------------------------------------------ maps */

#define PUT_PAIR ROW(STORE, 1, 0, 0, W_MAP)
#define GET_PAIR ROW(LOAD, 1, 0, 0, W_MAP)
#define HAS_PAIR ROW(EXISTS, 1, 0, 0, W_MAP)
#define REMOVE_PAIR ROW(REMOVE, 0, 0, 0, W_MAP)
#define COUNT_PAIRS ROW(SIZE, 1, 0, 0, W_MAP)
#define NEXT_PAIR ROW(NEXT, 0, 1, 0, W_MAP)

/* The same map as an array: value 0 is not there. */
enum { KEYS = 9 };

static int64_t key_of(size_t index)
{
    return ((int64_t)index - 4) * 1000000007;
}

static uint32_t count_of(const int64_t *model)
{
    uint32_t count = 0;
    for (size_t i = 0; i < KEYS; i++) count += model[i] != 0;
    return count;
}

/* Going over the map from the start meets the keys in their order, then NoKey. */
static void check_walk(bench *b, const int64_t *model)
{
    int64_t key = 12345;
    int64_t begun = 0;
    for (size_t i = 0; i < KEYS; i++) {
        if (model[i] == 0) continue;
        cr_assert_eq(STEP(b, NEXT_PAIR, key, begun), TW_OK);
        key = b->slots[0];
        begun = 1;
        cr_assert_eq(key, key_of(i));
    }
    cr_assert_eq(STEP(b, NEXT_PAIR, key, begun), TW_TRAP_NO_KEY);
}

static void random_step(bench *b, uint64_t *seed, int64_t *model)
{
    const size_t at = random_below(seed, KEYS);
    const int64_t key = key_of(at);
    const int64_t value = 1 + (int64_t)random_below(seed, 1000);
    const bool there = model[at] != 0;
    const bool full = count_of(model) == 4;
    switch (random_below(seed, 4)) {
    case 0:
        cr_assert_eq(STEP(b, PUT_PAIR, key, value, 1, 0x6100000000000000),
                     there || !full ? TW_OK : TW_TRAP_FULL);
        if (there || !full) model[at] = value;
        break;
    case 1:
        cr_assert_eq(STEP(b, GET_PAIR, key, 9, 9, 9, 9), there ? TW_OK : TW_TRAP_NO_KEY);
        if (there) cr_assert_eq(b->slots[1], model[at]);
        if (there) cr_assert_eq(b->slots[3], 0x6100000000000000);
        break;
    case 2:
        cr_assert_eq(STEP(b, REMOVE_PAIR, key), there ? TW_OK : TW_TRAP_NO_KEY);
        model[at] = 0;
        break;
    default:
        cr_assert_eq(STEP(b, HAS_PAIR, key, 7), TW_OK);
        cr_assert_eq(b->slots[1], there);
        break;
    }
    cr_assert_eq(STEP(b, COUNT_PAIRS, 0), TW_OK);
    cr_assert_eq(b->slots[1], count_of(model));
}

Test(collect, maps_agree_with_a_plain_array)
{
    uint64_t seed = 1;
    bench *b = bench_new();
    int64_t model[KEYS] = {0};
    for (int i = 0; i < 300; i++) {
        random_step(b, &seed, model);
        if (i % 30 == 0) check_walk(b, model);
    }
    check_walk(b, model);
    bench_free(b);
}

/* What changes on the way is met if it lies ahead. */
Test(collect, next_goes_from_the_key)
{
    bench *b = bench_new();
    cr_assert_eq(STEP(b, PUT_PAIR, 5, 1), TW_OK);
    cr_assert_eq(STEP(b, PUT_PAIR, -5, 1), TW_OK);
    cr_assert_eq(STEP(b, NEXT_PAIR, 0, 0), TW_OK);
    cr_expect_eq(b->slots[0], -5);
    cr_assert_eq(STEP(b, REMOVE_PAIR, -5), TW_OK);
    cr_assert_eq(STEP(b, NEXT_PAIR, -5, 1), TW_OK);
    cr_expect_eq(b->slots[0], 5);
    cr_assert_eq(STEP(b, NEXT_PAIR, 4, 1), TW_OK);
    cr_expect_eq(b->slots[0], 5);
    cr_expect_eq(STEP(b, NEXT_PAIR, INT64_MAX, 1), TW_TRAP_NO_KEY);
    const uint64_t next_word[] = {ROW(NEXT, 0, 4, 0, W_WORDS), 0};
    const int64_t long_word[8] = {13, 0, 0, 0, 1}; /* a text of at most 12 */
    cr_expect_eq(step_at(b, START, next_word, long_word), TW_TRAP_BAD_VALUE);
    bench_free(b);
}

/* A map removed to the last key leaves nothing in the state. */
Test(collect, an_empty_map_takes_no_room)
{
    bench *b = bench_new();
    cr_assert_eq(STEP(b, PUT_PAIR, 5, 1), TW_OK);
    cr_expect_eq(b->outcome.writes, 2);
    cr_assert_eq(STEP(b, PUT_PAIR, 5, 2), TW_OK);
    cr_expect_eq(b->outcome.writes, 1);
    cr_assert_eq(STEP(b, REMOVE_PAIR, 5), TW_OK);
    maker *k = NULL;
    tw_code *code = NULL;
    const tw_contract *c = contract_of(b, &k, &code, (const uint64_t[2]){COUNT_PAIRS});
    const tw_key prefix = tw_field_key(c, code->module->fields[W_MAP].id);
    tw_bytes key;
    tw_bytes value;
    bool found = true;
    cr_assert_eq(tw_overlay_next(b->overlay, tw_key_bytes(&prefix), tw_bytes_of(NULL, 0), &key,
                                 &value, &found),
                 TW_OK);
    cr_expect_not(found);
    tw_code_free(code);
    maker_free(k);
    bench_free(b);
}

Test(collect, keys_of_text)
{
    static const char *const sorted[] = {"", "a", "aa", "ab", "b"};
    static const size_t order[] = {3, 0, 4, 2, 1};
    bench *b = bench_new();
    for (size_t i = 0; i < 5; i++) {
        int64_t slots[8] = {(int64_t)order[i]};
        const char *word = sorted[order[i]];
        tw_slots_from_text(tw_bytes_of(word, strlen(word)), slots + 1);
        cr_assert_eq(step_at(b, START, (const uint64_t[2]){ROW(STORE, 0, 1, 0, W_WORDS)}, slots),
                     TW_OK);
    }
    int64_t slots[8] = {0};
    for (int64_t i = 0; i < 5; i++) {
        const uint64_t go[3] = {ROW(NEXT, 1, 0, 0, W_WORDS), ROW(LOAD, 0, 1, 0, W_WORDS)};
        slots[0] = i > 0;
        cr_assert_eq(step_at(b, START, go, slots), TW_OK);
        cr_expect_eq(b->slots[0], i);
        memcpy(slots, b->slots, sizeof slots);
    }
    /* text with a byte too many, and with what is no text */
    cr_expect_eq(STEP(b, ROW(EXISTS, 0, 1, 0, W_WORDS), 0, 13), TW_TRAP_BAD_VALUE);
    cr_expect_eq(STEP(b, ROW(STORE, 0, 1, 0, W_WORDS), 0, 1, 0x0A00000000000000),
                 TW_TRAP_BAD_VALUE);
    cr_expect_eq(STEP(b, ROW(STORE, 0, 1, 0, W_WORDS), 0, 1, 0x7A00000000000000), TW_TRAP_FULL);
    bench_free(b);
}

Test(collect, the_largest_by_a_member)
{
    /* two of type Pair: 1 + 2 * 4 slots from 20 on; what is shown: count, key members a, texts */
    const uint64_t top[] = {ROW(TOP, 20, 0, W_PAIRS, W_MAP * 64),
                            ROW(MOV, 0, 20, 0, 0),
                            ROW(MOV, 1, 21, 0, 0),
                            ROW(MOV, 2, 23, 0, 0),
                            ROW(MOV, 3, 25, 0, 0),
                            ROW(MOV, 4, 27, 0, 0),
                            0};
    const int64_t none[8] = {9, 9, 9, 9, 9};
    const int64_t a = 0x6100000000000000;
    const int64_t z = 0x7A00000000000000;
    bench *b = bench_new();
    cr_assert_eq(step_at(b, START, top, none), TW_OK);
    cr_expect_eq(b->slots[0], 0);
    cr_assert_eq(STEP(b, PUT_PAIR, 1, -5, 1, a), TW_OK);
    cr_assert_eq(step_at(b, START, top, none), TW_OK);
    cr_expect_eq(b->slots[0], 1);
    cr_expect_eq(b->slots[1], -5);
    cr_expect_eq(b->slots[3], 0);
    cr_assert_eq(STEP(b, PUT_PAIR, 2, 7, 1, a), TW_OK);
    cr_assert_eq(STEP(b, PUT_PAIR, 3, 7, 1, z), TW_OK);
    cr_assert_eq(STEP(b, PUT_PAIR, 0, 6, 1, z), TW_OK);
    cr_assert_eq(step_at(b, START, top, none), TW_OK);
    cr_expect_eq(b->slots[0], 2);
    cr_expect_eq(b->slots[1], 7);
    cr_expect_eq(b->slots[2], a, "of two that are as large the smaller key comes first");
    cr_expect_eq(b->slots[3], 7);
    cr_expect_eq(b->slots[4], z);
    bench_free(b);
}

/* ------------------------------------------------------------------ lists */

Test(collect, lists)
{
    /* a list of at most 3 in slots 0 to 3, other operands behind it */
    const struct {
        const char *what;
        uint64_t insn;
        int64_t before[8], after[8];
        tw_status trap;
    } rows[] = {
        {"ITEM", ROW(ITEM, 7, 0, 4, T_LIST), {2, 5, 6, 0, 1}, {2, 5, 6, 0, 1, 0, 0, 6}, TW_OK},
        {"ITEM beyond", ROW(ITEM, 7, 0, 4, T_LIST), {2, 5, 6, 0, 2}, {0}, TW_TRAP_BAD_INDEX},
        {"ITEM below", ROW(ITEM, 7, 0, 4, T_LIST), {2, 5, 6, 0, -1}, {0}, TW_TRAP_BAD_INDEX},
        {"ITEM count", ROW(ITEM, 7, 0, 4, T_LIST), {4, 5, 6, 0, 3}, {0}, TW_TRAP_BAD_INDEX},
        {"ITEM over itself", ROW(ITEM, 0, 0, 4, T_LIST), {2, 5, 6, 0, 0}, {5, 5, 6, 0, 0}, TW_OK},
        {"PUT", ROW(PUT, 0, 5, 4, T_LIST), {2, 5, 6, 0, 1, 9}, {2, 5, 9, 0, 1, 9}, TW_OK},
        {"PUT beyond", ROW(PUT, 0, 5, 4, T_LIST), {2, 5, 6, 0, 2, 9}, {0}, TW_TRAP_BAD_INDEX},
        {"PUT count", ROW(PUT, 0, 5, 4, T_LIST), {-1, 5, 6, 0, 0, 9}, {0}, TW_TRAP_BAD_INDEX},
        {"PUSH", ROW(PUSH, 0, 5, 0, T_LIST), {2, 5, 6, 0, 0, 9}, {3, 5, 6, 9, 0, 9}, TW_OK},
        {"PUSH to none", ROW(PUSH, 0, 5, 0, T_LIST), {0, 0, 0, 0, 0, 9}, {1, 9, 0, 0, 0, 9}, TW_OK},
        {"PUSH full", ROW(PUSH, 0, 5, 0, T_LIST), {3, 5, 6, 7, 0, 9}, {0}, TW_TRAP_FULL},
        {"PUSH count", ROW(PUSH, 0, 5, 0, T_LIST), {4, 5, 6, 7, 0, 9}, {0}, TW_TRAP_BAD_INDEX},
        {"PUSH below", ROW(PUSH, 0, 5, 0, T_LIST), {-1, 5, 6, 7, 0, 9}, {0}, TW_TRAP_BAD_INDEX},
        {"DROP", ROW(DROP, 0, 4, 0, T_LIST), {3, 5, 6, 7, 0}, {2, 6, 7, 0, 0}, TW_OK},
        {"DROP the last", ROW(DROP, 0, 4, 0, T_LIST), {3, 5, 6, 7, 2}, {2, 5, 6, 0, 2}, TW_OK},
        {"DROP the only", ROW(DROP, 0, 4, 0, T_LIST), {1, 5, 0, 0, 0}, {0}, TW_OK},
        {"DROP beyond", ROW(DROP, 0, 4, 0, T_LIST), {2, 5, 6, 0, 2}, {0}, TW_TRAP_BAD_INDEX},
        {"DROP of none", ROW(DROP, 0, 4, 0, T_LIST), {0}, {0}, TW_TRAP_BAD_INDEX},
        {"FIND", ROW(FIND, 7, 0, 4, T_LIST), {2, 5, 6, 0, 6}, {2, 5, 6, 0, 6, 0, 0, 1}, TW_OK},
        {"FIND not", ROW(FIND, 7, 0, 4, T_LIST), {2, 5, 6, 7, 7}, {2, 5, 6, 7, 7}, TW_OK},
        {"FIND count", ROW(FIND, 7, 0, 4, T_LIST), {9, 5, 6, 7, 7}, {0}, TW_TRAP_BAD_INDEX},
    };
    bench *b = bench_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint64_t program[2] = {rows[i].insn};
        cr_expect_eq(step_at(b, START, program, rows[i].before), rows[i].trap, "%s: %d",
                     rows[i].what, b->outcome.status);
        if (rows[i].trap != TW_OK) continue;
        for (int k = 0; k < 8; k++) {
            cr_expect_eq(b->slots[k], rows[i].after[k], "%s: slot %d", rows[i].what, k);
        }
    }
    bench_free(b);
}

/* ------------------------------------------------------------------ readings of several devices */

static void feed(bench *b, uint8_t device, uint32_t count, const int64_t *values)
{
    maker *k = NULL;
    tw_code *code = NULL;
    tw_contract *c = contract_of(b, &k, &code, (const uint64_t[2]){COUNT_PAIRS});
    const tw_account from = account(device);
    tw_pack_reading items[64];
    cr_assert_leq(count, 64);
    for (uint32_t i = 0; i < count; i++) {
        items[i] = (tw_pack_reading){W_FLOW, START + 1000 * (1 + (int64_t)i), values[i]};
    }
    tw_intake intake;
    cr_assert_eq(
        tw_intake_run(b->exec, c, &from, items, (uint16_t)count, START + 60000, k->arena, &intake),
        TW_OK);
    cr_assert_eq(intake.accepted, count);
    tw_code_free(code);
    maker_free(k);
}

#define ACROSS(stat) ROW(ACROSS, 0, 2, 0, (uint32_t)(TW_STAT_##stat) << 10 | W_FLOW)
#define END (START + 60000)

static void check_across(bench *b, const char *what, uint64_t insn, int64_t span, int64_t percent,
                         int64_t some, int64_t value)
{
    const uint64_t program[2] = {insn};
    const int64_t slots[8] = {7, 7, span, percent};
    cr_assert_eq(step_at(b, END, program, slots), TW_OK, "%s", what);
    cr_expect_eq(b->slots[0], some, "%s", what);
    cr_expect_eq(b->slots[1], value, "%s is %lld", what, (long long)b->slots[1]);
}

Test(collect, statistics_across_devices)
{
    const int64_t one[] = {1, 2, 3, 4};
    const int64_t two[] = {10, 20};
    const int64_t whole = 60000;
    const int64_t late = 58500; /* from the second reading on */
    bench *b = bench_new();
    check_across(b, "count of none", ACROSS(COUNT), whole, 0, 1, 0);
    check_across(b, "devices of none", ACROSS(DEVICES), whole, 0, 1, 0);
    check_across(b, "sum of none", ACROSS(SUM), whole, 0, 0, 0);
    check_across(b, "median of none", ACROSS(MEDIAN), whole, 0, 0, 0);
    feed(b, 20, 4, one);
    feed(b, 22, 2, two);
    check_across(b, "count", ACROSS(COUNT), whole, 0, 1, 6);
    check_across(b, "devices", ACROSS(DEVICES), whole, 0, 1, 2);
    check_across(b, "sum", ACROSS(SUM), whole, 0, 1, 40);
    check_across(b, "avg", ACROSS(AVG), whole, 0, 1, 7); /* 6.67 */
    check_across(b, "min", ACROSS(MIN), whole, 0, 1, 1);
    check_across(b, "max", ACROSS(MAX), whole, 0, 1, 20);
    check_across(b, "median", ACROSS(MEDIAN), whole, 0, 1, 3);
    check_across(b, "mad", ACROSS(MAD), whole, 0, 1, 1); /* 0 1 1 2 7 17 */
    check_across(b, "percentile", ACROSS(PERCENTILE), whole, 90000000, 1, 20);
    check_across(b, "rms", ACROSS(RMS), whole, 0, 1, 9); /* sqrt(530 / 6) = 9.4 */
    check_across(b, "late sum", ACROSS(SUM), late, 0, 1, 29);
    check_across(b, "late devices", ACROSS(DEVICES), 56500, 0, 1, 1);
    check_across(b, "no span", ACROSS(COUNT), 0, 0, 1, 0);
    cr_expect_eq(STEP(b, ACROSS(SUM), 0, 0, -1), TW_TRAP_BAD_INDEX);
    bench_free(b);
}

Test(collect, one_device_of_several)
{
    const int64_t values[] = {5, 6, 7};
    const int64_t d = 0x1616161616161616; /* of account(22) */
    const uint64_t max[2] = {ROW(STAT, 0, 2, 3, (uint32_t)TW_STAT_MAX << 10 | W_FLOW)};
    const uint64_t holds[2] = {ROW(HOLDS, 0, 2, 3, W_STAMP)};
    const uint64_t silent[2] = {ROW(SILENT, 0, 2, 3, W_FLOW)};
    const int64_t named[8] = {7, 7, 60000, d, d, d, d};
    const int64_t other[8] = {7, 7, 60000, 1, d, d, d};
    const int64_t short_time[8] = {7, 7, 2000, d, d, d, d};
    const int64_t silence[8] = {7, 7, 57001, d, d, d, d};
    bench *b = bench_new();
    feed(b, 22, 3, values);
    cr_assert_eq(step_at(b, END, max, named), TW_OK);
    cr_expect_eq(b->slots[0], 1);
    cr_expect_eq(b->slots[1], 7);
    cr_assert_eq(step_at(b, END, max, other), TW_OK);
    cr_expect_eq(b->slots[0], 0, "an account that is no member has none");
    /* the level is deploy constant 0, which is 0: three readings above it within 2 s */
    cr_assert_eq(step_at(b, END, holds, short_time), TW_OK);
    cr_expect_eq(b->slots[0], 1);
    cr_assert_eq(step_at(b, END, holds, named), TW_OK);
    cr_expect_eq(b->slots[0], 0);
    cr_assert_eq(step_at(b, END, holds, other), TW_OK);
    cr_expect_eq(b->slots[0], 0);
    cr_assert_eq(step_at(b, END, silent, silence), TW_OK);
    cr_expect_eq(b->slots[0], 0);
    cr_assert_eq(step_at(b, END + 1, silent, silence), TW_OK);
    cr_expect_eq(b->slots[0], 1);
    bench_free(b);
}

/* A statistic covers at most 16,384 samples. */
Test(collect, samples_across_devices_are_limited)
{
    bench *b = bench_new();
    b->keep = TW_KEEP_MAX;
    b->meters = 5;
    maker *k = NULL;
    tw_code *code = NULL;
    tw_contract *c = contract_of(b, &k, &code, (const uint64_t[2]){COUNT_PAIRS});
    for (uint8_t device = 20; device < 25; device++) {
        const tw_account from = account(device);
        const tw_key key = tw_device_key(&c->id, &from);
        const uint64_t count = device < 24 ? TW_KEEP_MAX : 1;
        uint8_t *record = NULL;
        size_t size = 0;
        bool found = false;
        for (uint64_t n = 0; n < count; n++) {
            const tw_sample sample = {START + (int64_t)n, (int64_t)n};
            uint8_t *page = NULL;
            cr_assert_eq(tw_window_page(c, W_FLOW, &from, n, &page), TW_OK);
            tw_window_put(page, n, sample);
        }
        cr_assert_eq(tw_overlay_edit(b->overlay, tw_key_bytes(&key), &record, &size, &found),
                     TW_OK);
        cr_assert(found);
        tw_store_u64(record + tw_device_reading(W_FLOW), count);
    }
    tw_code_free(code);
    maker_free(k);
    const int64_t slots[8] = {7, 7, 60001};
    const int64_t fewer[8] = {7, 7, 60000};
    cr_expect_eq(step_at(b, END, (const uint64_t[2]){ACROSS(MEDIAN)}, slots), TW_TRAP_FULL);
    cr_expect_eq(step_at(b, END, (const uint64_t[2]){ACROSS(COUNT)}, slots), TW_TRAP_FULL);
    cr_assert_eq(step_at(b, END, (const uint64_t[2]){ACROSS(MEDIAN)}, fewer), TW_OK);
    cr_expect_eq(b->slots[1], 2048); /* of 1 .. 4095, four times each */
    bench_free(b);
}
