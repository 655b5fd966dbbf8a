/* test_gen -- what the generated code does: small contracts from source, deployed and run. Every
 * run also checks that gas, writes and events stay within the bounds that the module declares. */
#include "tests/unit/machine_fixture.h"
#include "vm/exec/window.h"

#include <stdio.h>

enum { SOURCE_MAX = 8192 };

/* ------------------------------------------------------------------ expressions */

typedef struct expression {
    const char *text;
    int64_t a, b;
    int64_t result;
    tw_status trap;
} expression;

static const char *source_of(char source[SOURCE_MAX], const char *type, const char *result,
                             const char *text)
{
    snprintf(source, SOURCE_MAX,
             "contract T version 1 { role owner\n"
             "  fn twice(n: int) -> int { return n + n }\n"
             "  fn pick(x: bool, n: int, m: int) -> int { if x { return n } return m }\n"
             "  action poke(_a: int) by owner { }\n"
             "  view t(_a: int, _b: int, a: %s, b: %s) -> %s {\n"
             "    let _x = twice(1) let _y = pick(yes, 1, 2) let _z = a == b return %s } }",
             type, type, result, text);
    return source;
}

static void check_expressions(const char *type, const char *result, const expression *rows,
                              size_t count)
{
    char source[SOURCE_MAX];
    for (size_t i = 0; i < count; i++) {
        machine *m = machine_new(source_of(source, type, result, rows[i].text));
        const int64_t arguments[4] = {1, 2, rows[i].a, rows[i].b};
        cr_expect_eq(machine_view(m, "t", arguments), rows[i].trap, "%s of %lld, %lld: status %d",
                     rows[i].text, (long long)rows[i].a, (long long)rows[i].b, m->status);
        if (m->status == TW_OK) {
            cr_expect_eq(m->slots[0], rows[i].result, "%s of %lld, %lld gave %lld", rows[i].text,
                         (long long)rows[i].a, (long long)rows[i].b, (long long)m->slots[0]);
        }
        machine_free(m);
    }
}

#define CHECK(type, result, rows)                                                                  \
    check_expressions((type), (result), (rows), sizeof(rows) / sizeof(rows)[0])

Test(gen, int_arithmetic)
{
    static const expression rows[] = {
        {"a + b", 3, 4, 7, TW_OK},
        {"a + b", INT64_MAX, 1, 0, TW_TRAP_OVERFLOW},
        {"a + 1", INT64_MAX, 0, 0, TW_TRAP_OVERFLOW},
        {"1 + a", 41, 0, 42, TW_OK},
        {"a - 1", INT64_MIN, 0, 0, TW_TRAP_OVERFLOW},
        {"a - b", INT64_MIN, 1, 0, TW_TRAP_OVERFLOW},
        {"5 - a", 7, 0, -2, TW_OK},
        {"a + 536870911", 1, 0, 536870912, TW_OK},
        {"a + 536870912", 1, 0, 536870913, TW_OK},
        {"a - 536870912", 1, 0, -536870911, TW_OK},
        {"a - 536870913", 1, 0, -536870912, TW_OK},
        {"a - 4611686018427387904", 1, 0, -4611686018427387903, TW_OK},
        {"a * b", -6, 7, -42, TW_OK},
        {"a * b", INT64_MAX, 2, 0, TW_TRAP_OVERFLOW},
        {"a / b", 7, 2, 3, TW_OK},
        {"a / b", -7, 2, -3, TW_OK},
        {"a / b", 1, 0, 0, TW_TRAP_DIVIDE_BY_ZERO},
        {"a / b", INT64_MIN, -1, 0, TW_TRAP_OVERFLOW},
        {"a / 3", -8, 0, -2, TW_OK},
        {"round_down(a / b)", -7, 2, -4, TW_OK},
        {"round_up(a / b)", 7, 2, 4, TW_OK},
        {"round_down(a / 2)", -7, 0, -4, TW_OK},
        {"a mod b", -7, 3, -1, TW_OK},
        {"a mod b", 7, 0, 0, TW_TRAP_DIVIDE_BY_ZERO},
        {"a mod b", INT64_MIN, -1, 0, TW_OK},
        {"-a", 5, 0, -5, TW_OK},
        {"-a", INT64_MIN, 0, 0, TW_TRAP_OVERFLOW},
        {"abs(a)", -5, 0, 5, TW_OK},
        {"abs(a)", INT64_MIN, 0, 0, TW_TRAP_OVERFLOW},
        {"min(a, b)", 3, -4, -4, TW_OK},
        {"max(a, b)", 3, -4, 3, TW_OK},
        {"(a + b) * (a - b)", 5, 3, 16, TW_OK},
        {"a * a + b * b - a * b", 3, 4, 13, TW_OK},
        {"twice(a) + twice(twice(b))", 1, 2, 10, TW_OK},
        {"pick(a < b, a, b)", 8, 2, 2, TW_OK},
        {"if a < b then a else if a == b then 0 else b", 8, 2, 2, TW_OK},
        {"if a < b then a else if a == b then 0 else b", 2, 2, 0, TW_OK},
        {"if a < b then a else if a == b then 0 else b", 1, 2, 1, TW_OK},
    };
    CHECK("int", "int", rows);
}

Test(gen, conditions)
{
    static const expression rows[] = {
        {"a == b", 3, 3, 1, TW_OK},
        {"a != b", 3, 3, 0, TW_OK},
        {"a < b", -1, 0, 1, TW_OK},
        {"a <= b", 0, 0, 1, TW_OK},
        {"a > b", INT64_MIN, INT64_MAX, 0, TW_OK},
        {"a >= b", INT64_MAX, INT64_MIN, 1, TW_OK},
        {"a < 33554432", 33554431, 0, 1, TW_OK},
        {"a == 33554432", 33554432, 0, 1, TW_OK},
        {"a >= -33554432", -33554432, 0, 1, TW_OK},
        {"a > -33554433", -33554432, 0, 1, TW_OK},
        {"a == 536870911", 536870911, 0, 1, TW_OK},
        {"a == 536870912", 536870912, 0, 1, TW_OK},
        {"a > 9223372036854775806", INT64_MAX, 0, 1, TW_OK},
        {"5 < a", 6, 0, 1, TW_OK},
        {"5 >= a", 6, 0, 0, TW_OK},
        {"not (a == b)", 1, 2, 1, TW_OK},
        {"a > 0 and b > 0", 1, 0, 0, TW_OK},
        {"a > 0 and b > 0", 1, 1, 1, TW_OK},
        {"a > 0 or b > 0", 0, 1, 1, TW_OK},
        {"a > 0 or b > 0", 0, 0, 0, TW_OK},
        {"a > 0 implies b > 0", 0, 0, 1, TW_OK},
        {"a > 0 implies b > 0", 1, 0, 0, TW_OK},
        {"not (a > 0 implies b > 0)", 1, 0, 1, TW_OK},
        {"not (a > 0 and b > 0)", 1, 1, 0, TW_OK},
        {"not (a > 0 or b > 0)", 0, 0, 1, TW_OK},
        {"b == 0 or a / b > 1", 5, 0, 1, TW_OK},
        {"b != 0 and a / b > 1", 5, 0, 0, TW_OK},
        {"b != 0 implies a / b > 1", 5, 0, 1, TW_OK},
        {"(a > 0 or b > 0) and not (a > 0 and b > 0)", 1, 1, 0, TW_OK},
        {"(a > 0 or b > 0) and not (a > 0 and b > 0)", 0, 1, 1, TW_OK},
        {"(a > 0) == (b > 0)", 3, 4, 1, TW_OK},
        {"(a > 0) == (b > 0)", 3, -4, 0, TW_OK},
        {"a in 1 .. 5", 1, 0, 1, TW_OK},
        {"a in 1 .. 5", 5, 0, 1, TW_OK},
        {"a in 1 .. 5", 6, 0, 0, TW_OK},
        {"a not in 1 .. 5", 0, 0, 1, TW_OK},
        {"a not in 1 .. 5", 3, 0, 0, TW_OK},
        {"a in b .. b + 1", 4, 3, 1, TW_OK},
        {"a in b .. b + 1", 5, 3, 0, TW_OK},
        {"not (a in b .. b + 1)", 5, 3, 1, TW_OK},
    };
    CHECK("int", "bool", rows);
}

Test(gen, quantities_round_once_half_to_even)
{
    static const expression decs[] = {
        {"a * b", 1500000000, 3, 4, TW_OK}, /* 1.5 * 0.000000003 = 0.0000000045 */
        {"a * b", 500000000, 3, 2, TW_OK},
        {"a * b", 500000000, 5, 2, TW_OK},
        {"round_up(a * b)", 500000000, 5, 3, TW_OK},
        {"a / b", 1000000000, 3000000000, 333333333, TW_OK},
        {"a / b", 1, 0, 0, TW_TRAP_DIVIDE_BY_ZERO},
        {"a * 2", 1500000000, 0, 3000000000, TW_OK},
        {"a * b", INT64_MAX, 2000000000, 0, TW_TRAP_OVERFLOW},
        {"a + 0.5", 1, 0, 500000001, TW_OK},
    };
    static const expression wholes[] = {
        {"floor(a)", -1, 0, -1, TW_OK},
        {"ceil(a)", 1, 0, 1, TW_OK},
        {"whole(a)", -1999999999, 0, -1, TW_OK},
        {"floor(a / b)", 7000000000, 2000000000, 3, TW_OK},
    };
    static const expression speeds[] = {
        {"a * 0.5", 7, 0, 4, TW_OK},
        {"a * 0.5", 5, 0, 2, TW_OK},
        {"a / 2", 5, 0, 2, TW_OK},
        {"a / 2", 7, 0, 4, TW_OK},
        {"50 % of a", 7, 0, 4, TW_OK},
        {"round_down(50 % of a)", 7, 0, 3, TW_OK},
        {"a + b - 1 mm/s", 2000, 3000, 4000, TW_OK},
        {"-7.1 mm/s", 0, 0, -7100, TW_OK},
    };
    CHECK("dec", "dec", decs);
    CHECK("dec", "int", wholes);
    CHECK("velocity", "velocity", speeds);
}

/* ------------------------------------------------------------------ text and wide values */

static void put_text(int64_t *slots, const char *words, uint32_t max)
{
    memset(slots, 0, (1 + (max + 7) / 8) * sizeof *slots);
    cr_assert_leq(strlen(words), max);
    tw_slots_from_text(text(words), slots);
}

static bool text_view(const char *condition, const char *a, const char *b)
{
    char source[SOURCE_MAX];
    snprintf(source, SOURCE_MAX,
             "contract T version 1 { role owner action poke() by owner { }\n"
             "  view t(a: text(5), b: text(20)) -> bool { let _x = a == b return %s } }",
             condition);
    machine *m = machine_new(source);
    int64_t arguments[2 + 1 + 3];
    put_text(arguments, a, 5);
    put_text(arguments + 2, b, 20);
    cr_assert_eq(machine_view(m, "t", arguments), TW_OK);
    const bool result = m->slots[0] == 1;
    machine_free(m);
    return result;
}

Test(gen, text_compares_by_bytes)
{
    static const char *const words[] = {"", "a", "ab", "b", "abcde", "B", "\xC3\xA9"};
    static const char *const longer[] = {"", "a", "ab", "b", "abcdefghi", "abcde", "B", "\xC3\xA9"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t k = 0; k < sizeof longer / sizeof longer[0]; k++) {
            const int order = strcmp(words[i], longer[k]);
            cr_expect_eq(text_view("a == b", words[i], longer[k]), order == 0);
            cr_expect_eq(text_view("a < b", words[i], longer[k]), order < 0);
            cr_expect_eq(text_view("a >= b", words[i], longer[k]), order >= 0);
            cr_expect_eq(text_view("b > a", words[i], longer[k]), order < 0);
            cr_expect_eq(text_view("b <= a", words[i], longer[k]), order >= 0);
        }
    }
    cr_expect(text_view("a == \"ab\"", "ab", ""));
    cr_expect(text_view("a != \"ab\" and b < \"zz\"", "abc", "zaaaaaaaaaaaaaaaaaaa"));
    cr_expect(text_view("hash(a) == hash(\"ab\")", "ab", ""));
    cr_expect(text_view("hash(a) != hash(b)", "ab", "abc"));
}

Test(gen, hashes_and_accounts)
{
    machine *m = machine_new(
        "contract T version 1 { role owner\n"
        "  var kept: hash = hash(\"\")\n"
        "  action put(h: hash) by owner { kept = h }\n"
        "  view same(h: hash) -> bool { return h == kept }\n"
        "  view who() -> account { return owner }\n"
        "  view is_owner(a: account) -> bool { return a == owner and member(owner, a) }\n"
        "  view id() -> twin_id { return twin_id(\"dtmi:x;1\") } }");
    int64_t slots[4];
    const tw_hash empty = tw_sha256("", 0);
    const tw_hash twin = tw_sha256("dtmi:x;1", 8);
    tw_slots_from_bytes32(empty.bytes, slots);
    cr_assert_eq(machine_view(m, "same", slots), TW_OK);
    cr_expect_eq(m->slots[0], 1);
    slots[3] ^= 1;
    cr_assert_eq(machine_act(m, "put", slots), TW_OK);
    cr_assert_eq(machine_view(m, "same", slots), TW_OK);
    cr_expect_eq(m->slots[0], 1);
    const tw_account owner = machine_member(0, 1);
    tw_slots_from_bytes32(owner.bytes, slots);
    cr_assert_eq(machine_view(m, "who", NULL), TW_OK);
    cr_expect_arr_eq(m->slots, slots, sizeof slots);
    cr_assert_eq(machine_view(m, "is_owner", slots), TW_OK);
    cr_expect_eq(m->slots[0], 1);
    slots[0] ^= 1;
    cr_assert_eq(machine_view(m, "is_owner", slots), TW_OK);
    cr_expect_eq(m->slots[0], 0);
    tw_slots_from_bytes32(twin.bytes, slots);
    cr_assert_eq(machine_view(m, "id", NULL), TW_OK);
    cr_expect_arr_eq(m->slots, slots, sizeof slots);
    machine_free(m);
}

/* ------------------------------------------------------------------ state */

static const char orders[] =
    "contract T version 1 { role owner\n"
    "  record Order { opened: time, peak: int, eta: time?, part: text(12)? }\n"
    "  enum Grade { Good, Fair, Poor }\n"
    "  var order: Order?\n"
    "  var total: int = 5\n"
    "  var grade: Grade = Fair\n"
    "  fn later(t: time) -> time { return t + 1 s }\n"
    "  event Opened(peak: int, part: text(12)?)\n"
    "  error TooMany(count: int, limit: int)\n"
    "  error NoOrder()\n"
    "  action open(peak: int) by owner {\n"
    "    needs order is none else TooMany(total, 1)\n"
    "    order = Order(part: \"BRG\", peak: peak, eta: none, opened: now)\n"
    "    total += 1\n"
    "    total = total * 2 + total\n"
    "    emit Opened(peak: peak, part: \"x\") }\n"
    "  action set_eta(at: time) by owner needs order is some else NoOrder() {\n"
    "    order.eta = at\n"
    "    order.peak += 1\n"
    "    if order.eta is some { order.opened = order.eta } }\n"
    "  action close() by owner {\n"
    "    match order { none { fail NoOrder() } some o { order = none total = o.peak } } }\n"
    "  action rate(g: Grade) by owner {\n"
    "    match g { Good { total = 1 } Fair { total = 2 } Poor { total = 3 } }\n"
    "    grade = g }\n"
    "  view status() -> Order? { return order }\n"
    "  view counted() -> int { return total }\n"
    "  view graded() -> Grade { return grade }\n"
    "  view peaked() -> int { match order { none { return -1 } some o { return o.peak } } }\n"
    "  view eta_now() -> time? { if order is some { return order.eta } return none }\n"
    "  view opened() -> time { return later(now) }\n"
    "}";

Test(gen, state_optionals_records_enums)
{
    machine *m = machine_new(orders);
    cr_assert_eq(m->status, TW_OK);
    cr_assert_eq(machine_view(m, "status", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 0);
    cr_assert_eq(machine_view(m, "peaked", NULL), TW_OK);
    cr_expect_eq(m->slots[0], -1);
    cr_expect_eq(machine_act(m, "close", NULL), TW_FAIL_ERROR);
    cr_expect_eq(m->outcome.index, 1);
    const int64_t peak = 77;
    cr_assert_eq(machine_act(m, "open", &peak), TW_OK);
    const tw_notice_view notice = machine_notice(m);
    cr_expect_eq(notice.kind, TW_NOTICE_EVENT);
    cr_expect_eq(notice.fields.size, 8 + 1 + 2 + 1);
    cr_expect_eq(tw_load_u64(notice.fields.data), 77);
    cr_assert_eq(machine_view(m, "counted", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 18); /* 6 * 2 + 6 */
    /* some, opened, peak, eta?, part? */
    const int64_t whole[] = {1, MACHINE_START, 77, 0, 0, 1, 3, 0x4252470000000000, 0};
    cr_assert_eq(machine_view(m, "status", NULL), TW_OK);
    cr_expect_arr_eq(m->slots, whole, sizeof whole);
    cr_expect_eq(machine_act(m, "open", &peak), TW_FAIL_ERROR);
    cr_expect_eq(m->outcome.index, 0);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data), 18);
    const int64_t at = 5000;
    cr_assert_eq(machine_act(m, "set_eta", &at), TW_OK);
    cr_assert_eq(machine_view(m, "eta_now", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 1);
    cr_expect_eq(m->slots[1], 5000);
    cr_assert_eq(machine_view(m, "status", NULL), TW_OK);
    cr_expect_eq(m->slots[1], 5000);
    cr_expect_eq(m->slots[2], 78);
    cr_assert_eq(machine_act(m, "close", NULL), TW_OK);
    cr_assert_eq(machine_view(m, "counted", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 78);
    cr_expect_eq(machine_act(m, "set_eta", &at), TW_FAIL_ERROR);
    machine_free(m);
}

Test(gen, matches_on_enums)
{
    machine *m = machine_new(orders);
    cr_assert_eq(machine_view(m, "graded", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 1);
    for (int64_t g = 0; g < 3; g++) {
        cr_assert_eq(machine_act(m, "rate", &g), TW_OK);
        cr_assert_eq(machine_view(m, "counted", NULL), TW_OK);
        cr_expect_eq(m->slots[0], g + 1);
        cr_assert_eq(machine_view(m, "graded", NULL), TW_OK);
        cr_expect_eq(m->slots[0], g);
    }
    machine_free(m);
}

/* Both ways of a branch leave the home of a variable as the state has it. */
Test(gen, homes_agree_with_the_state)
{
    machine *m = machine_new("contract T version 1 { role owner\n"
                             "  var x: int = 1 var y: int = 10\n"
                             "  action a(n: int) by owner {\n"
                             "    if n > 0 { x = n } else if n == 0 { y = x }\n"
                             "    x = x + y\n"
                             "    let old = x\n"
                             "    if n > 5 and y > 0 or x > 100 { y = y + x x = old * 2 }\n"
                             "    y += x\n"
                             "    if n < 0 { stop }\n"
                             "    x -= old }\n"
                             "  view both() -> int { return x * 1000 + y } }");
    const int64_t steps[] = {3, 0, -1, 6, 200};
    int64_t x = 1;
    int64_t y = 10;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const int64_t n = steps[i];
        if (n > 0) x = n;
        if (n == 0) y = x;
        x += y;
        const int64_t old = x;
        if ((n > 5 && y > 0) || x > 100) {
            y += x;
            x = old * 2;
        }
        y += x;
        if (n >= 0) x -= old;
        cr_assert_eq(machine_act(m, "a", &n), TW_OK);
        cr_assert_eq(machine_view(m, "both", NULL), TW_OK);
        cr_expect_eq(m->slots[0], x * 1000 + y, "step %zu", i);
    }
    machine_free(m);
}

/* ------------------------------------------------------------------ entries */

static const char rules[] =
    "contract T version 1 { role owner role guard max 3 role clerk max 2\n"
    "  var n: int = 0\n"
    "  phases Idle -> Busy -> Idle, any -> Dead\n"
    "  error Odd(n: int)\n"
    "  action begin() by owner in Idle { go Busy }\n"
    "  action either() by owner, guard { n += 1 }\n"
    "  action both() by owner with guard { n += 1 }\n"
    "  action two(x: clerk) signed by 2 of guard in Busy\n"
    "    needs n mod 2 == 0 else Odd(n) needs n < 100 { n += 2 let _x = x }\n"
    "  action open() by anyone { n += 1 }\n"
    "  action hire(who: account) by owner { grant clerk to who }\n"
    "  action fire(who: account) by owner { revoke clerk from who }\n"
    "  action breaks(to: int) by owner { n = to if to > 7 { stop } n = n + 1 }\n"
    "  action kill() by owner in Idle, Busy { go Dead }\n"
    "  invariant small: n <= 50\n"
    "  invariant alive: phase == Dead implies n == 0\n"
    "  view total() -> int { return n } }";

Test(gen, callers_signers_and_phases)
{
    machine *m = machine_new(rules);
    const tw_account owner = machine_member(0, 1);
    const tw_account guard = machine_member(1, 2);
    const tw_account guards[3] = {machine_member(1, 1), machine_member(1, 3), owner};
    const tw_account both[2] = {owner, guard};
    const tw_account stranger = machine_account(200);
    const tw_account half[2] = {stranger, guard};
    int64_t clerk[4];
    cr_expect_eq(machine_call(m, "begin", &stranger, 1, NULL), TW_TRAP_NOT_CALLER);
    cr_expect_eq(machine_call(m, "either", &guard, 1, NULL), TW_OK);
    cr_expect_eq(machine_call(m, "either", &owner, 1, NULL), TW_OK);
    cr_expect_eq(machine_call(m, "either", &stranger, 1, NULL), TW_TRAP_NOT_CALLER);
    cr_expect_eq(machine_call(m, "both", &owner, 1, NULL), TW_TRAP_NOT_SIGNED);
    cr_expect_eq(machine_call(m, "both", half, 2, NULL), TW_TRAP_NOT_CALLER);
    cr_expect_eq(machine_call(m, "both", both, 2, NULL), TW_OK);
    cr_expect_eq(machine_call(m, "open", &stranger, 1, NULL), TW_OK);
    const tw_account member = machine_member(2, 1);
    tw_slots_from_bytes32(member.bytes, clerk);
    cr_expect_eq(machine_call(m, "two", both, 2, clerk), TW_TRAP_NOT_SIGNED);
    cr_expect_eq(machine_call(m, "two", guards, 2, clerk), TW_TRAP_WRONG_PHASE);
    cr_expect_eq(machine_call(m, "begin", &owner, 1, NULL), TW_OK);
    cr_expect_eq(machine_call(m, "begin", &owner, 1, NULL), TW_TRAP_WRONG_PHASE);
    cr_expect_eq(machine_call(m, "two", guards, 2, clerk), TW_OK);
    cr_expect_eq(machine_call(m, "two", guards, 3, clerk), TW_OK);
    cr_expect_eq(machine_call(m, "open", &stranger, 1, NULL), TW_OK);
    cr_expect_eq(machine_call(m, "two", guards, 3, clerk), TW_FAIL_ERROR);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data), 9);
    clerk[1] ^= 4;
    cr_expect_eq(machine_call(m, "two", guards, 3, clerk), TW_TRAP_NOT_MEMBER);
    machine_free(m);
}

Test(gen, grants_and_revokes)
{
    machine *m = machine_new(rules);
    int64_t who[4];
    tw_account account = machine_account(77);
    tw_slots_from_bytes32(account.bytes, who);
    cr_expect_eq(machine_act(m, "hire", who), TW_TRAP_FULL);
    account = machine_member(2, 2);
    tw_slots_from_bytes32(account.bytes, who);
    cr_expect_eq(machine_act(m, "hire", who), TW_TRAP_ALREADY_MEMBER);
    cr_expect_eq(machine_act(m, "fire", who), TW_OK);
    cr_expect_eq(machine_act(m, "fire", who), TW_TRAP_NOT_MEMBER);
    cr_expect_eq(machine_act(m, "hire", who), TW_OK);
    machine_free(m);
}

Test(gen, invariants_undo_and_name_themselves)
{
    machine *m = machine_new(rules);
    int64_t to = 51;
    cr_expect_eq(machine_act(m, "breaks", &to), TW_FAIL_INVARIANT);
    cr_expect_eq(m->outcome.index, 0);
    cr_assert_eq(machine_view(m, "total", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 0);
    to = 50;
    cr_expect_eq(machine_act(m, "breaks", &to), TW_OK);
    to = 7;
    cr_expect_eq(machine_act(m, "breaks", &to), TW_OK);
    cr_assert_eq(machine_view(m, "total", NULL), TW_OK);
    cr_expect_eq(m->slots[0], 8);
    cr_expect_eq(machine_act(m, "kill", NULL), TW_FAIL_INVARIANT);
    cr_expect_eq(m->outcome.index, 1);
    to = -1;
    cr_expect_eq(machine_act(m, "breaks", &to), TW_OK);
    cr_expect_eq(machine_act(m, "kill", NULL), TW_OK);
    cr_expect_eq(machine_act(m, "kill", NULL), TW_TRAP_WRONG_PHASE);
    machine_free(m);
}

/* Neither the file's name nor a second run changes a byte. */
Test(gen, same_source_same_bytes)
{
    const char *const sources[] = {orders, rules};
    for (size_t i = 0; i < 2; i++) {
        const size_t size = strlen(sources[i]);
        twc_result *one = twc_compile("a.twc", sources[i], size);
        twc_result *two = twc_compile("/elsewhere/b.twc", sources[i], size);
        const twc_unit *a = twc_result_unit(one, 0);
        const twc_unit *b = twc_result_unit(two, 0);
        cr_expect(tw_bytes_equal(a->module, b->module));
        cr_expect(tw_bytes_equal(a->debug, b->debug));
        twc_result_free(one);
        twc_result_free(two);
    }
}

/* ------------------------------------------------------------------ deploy, params, readings */

static const char pump[] =
    "contract P version 2 { role owner role sensor\n"
    "  param level: velocity = 7 mm/s in 1 mm/s .. 9 mm/s\n"
    "  param hold: duration = 5 min in 1 min .. 10 min\n"
    "  param name: text(10) = \"pump\"\n"
    "  param limit: int? = none\n"
    "  check level > 2 mm/s and hold < 20 min\n"
    "  reading vib: velocity from sensor field \"v\"\n"
    "    range 0 mm/s .. 100 mm/s rate 1 per 1 s keep 600 max_age 2 min\n"
    "  alarm bad raise when vib above level for hold clear when vib below level - 1 mm/s for 1 "
    "min\n"
    "  var seen: int = 2\n"
    "  event Went(peak: velocity)\n"
    "  on bad raised { emit Went(peak: max(vib over hold) otherwise level) }\n"
    "  on vib silent for 15 min { seen += 1 }\n"
    "  action swap(old: account, new: account) by owner { revoke sensor from old "
    "grant sensor to new }\n"
    "  view peak() -> velocity { return max(vib over hold) otherwise level }\n"
    "  view none_yet() -> velocity? { return avg(vib over 1 min) }\n"
    "  view counted() -> int { return count(vib over hold) }\n"
    "  view newest() -> time { return time_of(vib) otherwise now }\n"
    "  view high() -> bool { return vib above level for hold }\n"
    "  view quiet() -> bool { return vib silent for 10 min }\n"
    "  view up() -> bool { return bad }\n"
    "  view p95() -> velocity { return percentile(vib over hold, 95 %) otherwise 1 mm/s }\n"
    "  view label() -> text(20) { return name }\n"
    "  view unlimited() -> int { return limit otherwise 9 } }";

static void push(machine *m, uint64_t number, int64_t time, int64_t value)
{
    const tw_account device = machine_member(1, 1);
    const tw_key key = tw_device_key(&m->contract->id, &device);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    const tw_sample sample = {time, value};
    uint8_t *page = NULL;
    cr_assert_eq(tw_window_page(m->contract, 0, &device, number, &page), TW_OK);
    tw_window_put(page, number, sample);
    cr_assert_eq(tw_overlay_edit(m->overlay, tw_key_bytes(&key), &record, &size, &found), TW_OK);
    cr_assert(found);
    tw_store_u64(record + tw_device_reading(0), number + 1);
    tw_store_u64(record + tw_device_reading(0) + 8, (uint64_t)time);
}

static int64_t viewed(machine *m, const char *name)
{
    cr_assert_eq(machine_view(m, name, NULL), TW_OK, "%s: status %d", name, m->status);
    return m->slots[0];
}

Test(gen, readings_and_params)
{
    machine *m = machine_new(pump);
    cr_expect_eq(viewed(m, "peak"), 7000);
    cr_expect_eq(viewed(m, "none_yet"), 0);
    cr_expect_eq(viewed(m, "counted"), 0);
    cr_expect_eq(viewed(m, "newest"), MACHINE_START);
    cr_expect_eq(viewed(m, "high"), 0);
    cr_expect_eq(viewed(m, "up"), 0);
    cr_expect_eq(viewed(m, "quiet"), 0);
    cr_expect_eq(viewed(m, "p95"), 1000);
    cr_expect_eq(viewed(m, "unlimited"), 9);
    cr_expect_eq(viewed(m, "label"), 4);
    cr_expect_eq(m->slots[1], 0x70756D7000000000);
    for (uint64_t i = 0; i < 10; i++) {
        push(m, i, MACHINE_START + 1000 * (int64_t)i, 100 * (int64_t)i);
    }
    m->now = MACHINE_START + 9000;
    cr_expect_eq(viewed(m, "peak"), 900);
    cr_expect_eq(viewed(m, "none_yet"), 1);
    cr_expect_eq(m->slots[1], 450);
    cr_expect_eq(viewed(m, "counted"), 10);
    cr_expect_eq(viewed(m, "newest"), MACHINE_START + 9000);
    cr_expect_eq(viewed(m, "p95"), 900);
    m->now += 600000 - 1;
    cr_expect_eq(viewed(m, "quiet"), 0);
    cr_expect_eq(viewed(m, "counted"), 0);
    m->now += 1;
    cr_expect_eq(viewed(m, "quiet"), 1);
    machine_free(m);
}

Test(gen, deploy_constants_and_stamps)
{
    machine *m = machine_new(pump);
    const tw_module *module = m->code->module;
    cr_assert_eq(module->stamp_count, 2);
    cr_expect_eq(m->contract->deployed[module->stamps[0].low], 7000);
    cr_expect_eq(m->contract->deployed[module->stamps[1].low], 6000);
    const uint16_t silent = tw_module_entry(module, TW_ENTRY_SILENT, NULL);
    cr_assert_neq(silent, TW_NONE);
    cr_expect_eq(m->contract->deployed[module->entries[silent].delay], 900000);
    cr_expect_eq(module->alarms[0].readings, 1);
    cr_expect_eq(module->params[0].low, 1000);
    cr_expect_eq(module->params[0].high, 9000);
    machine_free(m);
}

Test(gen, checks_refuse_the_deploy)
{
    machine *m = machine_new("contract T version 1 { role owner param a: int = 3 param b: int = 3\n"
                             "  check a <= b  check a < b  var x: int = a - b\n"
                             "  action f() by owner { x = 1 } }");
    cr_expect_eq(m->status, TW_FAIL_CHECK);
    cr_expect_eq(m->outcome.index, 1);
    cr_expect_str_eq(m->code->module->checks[1].name, "a < b");
    machine_free(m);
    m = machine_new("contract T version 1 { role owner param a: int = 3 var x: int = 8 / (a - 3)\n"
                    "  action f() by owner { x = 1 } }");
    cr_expect_eq(m->status, TW_TRAP_DIVIDE_BY_ZERO);
    machine_free(m);
    m = machine_new("contract T version 1 { role owner param a: int = 3 var x: int = a\n"
                    "  invariant even: x mod 2 == 0 action f() by owner { x = 2 } }");
    cr_expect_eq(m->status, TW_FAIL_INVARIANT);
    machine_free(m);
}

/* ------------------------------------------------------------------ what is refused */

static uint32_t first_error(const char *source)
{
    twc_result *result = twc_compile("test.twc", source, strlen(source));
    cr_assert_not_null(result);
    uint32_t code = 0;
    for (uint32_t i = 0; i < twc_result_message_count(result) && code == 0; i++) {
        const twc_message message = twc_result_message(result, i);
        if (!message.is_warning) code = message.code;
    }
    if (code != 0) cr_expect_eq(twc_result_unit_count(result), 0);
    twc_result_free(result);
    return code;
}

Test(gen, limits_of_the_machine_are_messages)
{
    cr_expect_eq(first_error("contract T version 1 { role owner\n"
                             "  record R { a: text(4000), b: text(4000), c: text(4000) }\n"
                             "  record S { a: R, b: R, c: R, d: R, e: R, f: R }\n"
                             "  var x: S? action f() by owner { x = none } }"),
                 121);
    cr_expect_eq(first_error("contract T version 1 { role owner\n"
                             "  event E(a: text(4000), b: text(200))\n"
                             "  action f(a: text(4000)) by owner { emit E(a: a, b: \"\") } }"),
                 121);
}

/* ------------------------------------------------------------------ test plans */

static const char tested[] =
    "contract T version 1 { role owner role guard max 3 role sensor\n"
    "  reading vib: velocity from sensor field \"v\"\n"
    "    range 0 mm/s .. 100 mm/s rate 1 per 1 s keep 600 max_age 2 min\n"
    "  var n: int = 0\n"
    "  event Up(n: int)\n"
    "  error Odd(n: int)\n"
    "  phases Idle -> Busy\n"
    "  action add(m: int, who: account) by owner needs m mod 2 == 0 else Odd(m) {\n"
    "    n += m emit Up(n: n) let _w = who }\n"
    "  action begin() by owner in Idle { go Busy }\n"
    "  invariant small: n < 100\n"
    "  view half() -> int { return n / 2 }\n"
    "  test \"first\" {\n"
    "    feed vib 2 mm/s every 1 s for 1 min\n"
    "    as owner call add(4, guard 2)\n"
    "    expect n == 4\n"
    "    expect events(Up) * 2 == half()\n"
    "    expect fail Odd { as owner call add(3, account \"bob\") }\n"
    "    expect fail small { as owner call add(200, guard) }\n"
    "    expect fail WrongPhase { as owner call begin() as owner call begin() }\n"
    "    advance 1 h\n"
    "    expect gas(add) <= bound(add) and count(history) == 0\n"
    "  }\n"
    "  test \"second\" { expect phase == Idle } }";

Test(gen, test_plan)
{
    machine *m = machine_new(tested);
    cr_assert_eq(m->unit->test_count, 2);
    const twc_test *test = &m->unit->tests[0];
    cr_expect_str_eq(test->name, "first");
    cr_expect_eq(test->line, 13);
    cr_assert_eq(test->step_count, 9);
    const twc_step *s = test->steps;
    cr_expect_eq(s[0].kind, TWC_STEP_FEED);
    cr_expect_eq(s[0].feeds[0].value.value, 2000);
    cr_expect_eq(s[0].duration.value, 60000);
    cr_expect_eq(s[0].feeds[0].device.role, 2);
    cr_expect_eq(s[1].kind, TWC_STEP_CALL);
    cr_expect_eq(s[1].actors[0].role, 0);
    cr_assert_eq(s[1].arguments.input_count, 1);
    cr_expect_eq(s[1].arguments.inputs[0].kind, TWC_INPUT_MEMBER);
    cr_expect_eq(s[1].arguments.inputs[0].number, 2);
    cr_expect_str_eq(s[2].comparison, "==");
    cr_expect_str_eq(s[2].text, "expect n == 4");
    cr_expect_eq(s[3].condition.inputs[0].kind, TWC_INPUT_EVENTS);
    cr_expect_eq(s[4].kind, TWC_STEP_EXPECT_FAIL);
    cr_expect_eq(s[4].fail, TW_FAIL_ERROR);
    cr_expect_str_eq(s[4].steps[0].arguments.inputs[0].name, "bob");
    cr_expect_eq(s[5].fail, TW_FAIL_INVARIANT);
    cr_expect_eq(s[6].fail, TW_TRAP_WRONG_PHASE);
    cr_expect_eq(s[6].step_count, 2);
    cr_expect_eq(s[6].steps[0].arguments.entry, TWC_NO_ENTRY);
    cr_expect_eq(s[7].duration.value, 3600000);
    cr_expect_eq(s[8].condition.input_count, 3);
    cr_expect_null(s[8].comparison);
    machine_free(m);
}

/* The views of a test's module run against the contract as its own module deployed it. */
Test(gen, formulas_run_on_the_deployed_contract)
{
    machine *m = machine_new(tested);
    tw_err err = {.status = TW_OK};
    int64_t arguments[5] = {4};
    const tw_account who = machine_member(1, 2);
    tw_slots_from_bytes32(who.bytes, arguments + 1);
    cr_assert_eq(machine_act(m, "add", arguments), TW_OK);
    const twc_test *test = &m->unit->tests[0];
    tw_code *code = NULL;
    cr_assert_eq(tw_code_new(test->modules[0], NULL, &code, &err), TW_OK, "%s", err.text);
    const tw_module *module = code->module;
    const uint16_t count = m->code->module->entry_count;
    for (uint16_t i = 0; i < count; i++) {
        cr_expect_str_eq(module->entries[i].name, m->code->module->entries[i].name);
        cr_expect_eq(module->entries[i].bounds.gas, m->code->module->entries[i].bounds.gas);
    }
    tw_code *own = m->code;
    tw_contract *contract = m->contract;
    m->code = code;
    cr_assert_eq(tw_contract_new(&contract->id, code, m->overlay, m->arena, &m->contract), TW_OK);
    cr_assert_eq(tw_contract_load(m->contract), TW_OK);
    cr_assert_eq(machine_run(m, test->steps[2].condition.entry, NULL, 0, NULL), TW_OK);
    cr_expect_eq(m->outcome.fields.data[0], 1);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data + 1), 4);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data + 9), 4);
    const int64_t events = 7;
    cr_assert_eq(machine_run(m, test->steps[3].condition.entry, NULL, 0, &events), TW_OK);
    cr_expect_eq(m->outcome.fields.data[0], 0);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data + 1), 14);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data + 9), 2);
    cr_assert_eq(machine_run(m, test->steps[1].arguments.entry, NULL, 0, arguments + 1), TW_OK);
    cr_expect_eq(m->outcome.fields.size, 8 + 32);
    cr_expect_eq(tw_load_u64(m->outcome.fields.data), 4);
    cr_expect_arr_eq(m->outcome.fields.data + 8, who.bytes, 32);
    m->code = own;
    m->contract = contract;
    tw_code_free(code);
    machine_free(m);
}
