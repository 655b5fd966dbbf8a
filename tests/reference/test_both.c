/* test_both -- that the two engines are compared at all: whatever one of them did otherwise would
 * be seen. And the reference's wide integers, which all its arithmetic stands on. */
#include "tests/reference/both.h"
#include "tests/reference/wide.h"
#include "tests/unit/machine_fixture.h"

#include <signal.h>

static const char source[] = "contract C version 1 {\n"
                             "  role owner\n"
                             "  event Seen(n: int)\n"
                             "  var counter : int = 0\n"
                             "  var latest : duration = 0 s\n"
                             "  phases A -> B\n"
                             "  action turn(n: int) by owner in A {\n"
                             "    counter = counter + n\n"
                             "    latest = time_in_phase\n"
                             "    emit Seen(n: n)\n"
                             "    go B\n"
                             "  }\n"
                             "}\n";

/* Runs one action with a reference that is wrong in one respect. */
static void run_spoiled(both_spoil what)
{
    machine *m = machine_new(source);
    const int64_t n = 3;
    both_spoil_from_now(what);
    machine_act(m, "turn", &n);
    machine_free(m);
}

Test(both, agrees)
{
    const uint64_t before = both_totals_now().runs;
    run_spoiled(BOTH_SPOIL_NOTHING);
    cr_assert_eq(both_totals_now().runs, before + 2);
    cr_assert_eq(both_totals_now().unjudged, 0);
    cr_assert_geq(both_totals_now().executed->ops[TW_OP_STORE], 2);
}

#define CANARY(name, what)                                                                         \
    Test(both, name, .signal = SIGABRT)                                                            \
    {                                                                                              \
        run_spoiled(what);                                                                         \
    }

CANARY(another_status, BOTH_SPOIL_STATUS)
CANARY(another_gas, BOTH_SPOIL_GAS)
CANARY(another_place, BOTH_SPOIL_PLACE)
CANARY(another_notice, BOTH_SPOIL_NOTICE)
CANARY(another_value, BOTH_SPOIL_WRITTEN)
CANARY(a_key_less, BOTH_SPOIL_KEY)
CANARY(another_contract, BOTH_SPOIL_MEMORY)
CANARY(over_the_bound, BOTH_SPOIL_BOUND)

/* ---- packs ---- */

static const char sensor_source[] =
    "contract S version 1 {\n"
    "  role sensor\n"
    "  reading heat : temperature from sensor field \"t\"\n"
    "    range -20 °C .. 120 °C rate 1 per 1 s keep 60 max_age 2 min\n"
    "  alarm hot raise when heat above 50 °C clear when heat below 40 °C\n"
    "  view is_hot() -> bool { return hot }\n"
    "}\n";

/* A reading that raises the alarm and one that is out of range. */
static void take_in(both_spoil what)
{
    machine *m = machine_new(sensor_source);
    const tw_account sensor = machine_member(0, 1);
    const tw_pack_reading items[] = {{0, MACHINE_START + 1000, 350000},
                                     {0, MACHINE_START + 2000, 900000}};
    tw_intake intake = {0};
    m->now += 5000;
    both_spoil_from_now(what);
    cr_assert_eq(tw_intake_run(m->exec, m->contract, &sensor, items, 2, m->now, m->arena, &intake),
                 TW_OK);
    cr_assert_eq(intake.accepted, 1);
    cr_assert_eq(intake.edge_count, 1);
    machine_free(m);
}

Test(both, packs_agree)
{
    take_in(BOTH_SPOIL_NOTHING);
    cr_assert_eq(both_totals_now().packs, 1);
    cr_assert_eq(both_totals_now().conditions, 1);
}

Test(both, another_pack, .signal = SIGABRT)
{
    take_in(BOTH_SPOIL_PACK);
}

Test(both, a_pack_that_looks_at_more, .signal = SIGABRT)
{
    take_in(BOTH_SPOIL_LOOKS);
}

Test(both, a_pack_that_writes_more, .signal = SIGABRT)
{
    take_in(BOTH_SPOIL_CHANGES);
}

/* ---- wide integers ---- */

static int64_t int_of(wide w)
{
    int64_t value = 0;
    cr_assert(wide_to_int(&w, &value));
    return value;
}

Test(wide, ends_of_64_bits)
{
    int64_t value = 0;
    const wide least = wide_of(INT64_MIN);
    const wide over = wide_subtract(wide_of(0), least);
    cr_assert_eq(int_of(least), INT64_MIN);
    cr_assert_not(wide_to_int(&over, &value));
    cr_assert_eq(int_of(wide_subtract(over, wide_of(1))), INT64_MAX);
    cr_assert_eq(int_of(wide_divide(wide_multiply(least, over), over, TW_ROUND_ZERO)), INT64_MIN);
}

Test(wide, rounds)
{
    static const struct {
        int64_t a, b;
        int64_t half, down, up, zero;
    } cases[] = {
        {5, 2, 2, 2, 3, 2},      {7, 2, 4, 3, 4, 3},   {-5, 2, -2, -3, -2, -2},
        {-7, 2, -4, -4, -3, -3}, {1, 3, 0, 0, 1, 0},   {-2, 3, -1, -1, 0, 0},
        {6, -3, -2, -2, -2, -2}, {0, -9, 0, 0, 0, 0},  {5, -2, -2, -3, -2, -2},
        {-1, -2, 0, 0, 1, 0},    {-3, -2, 2, 1, 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const wide a = wide_of(cases[i].a);
        const wide b = wide_of(cases[i].b);
        cr_assert_eq(int_of(wide_divide(a, b, TW_ROUND_HALF_EVEN)), cases[i].half, "%zu", i);
        cr_assert_eq(int_of(wide_divide(a, b, TW_ROUND_DOWN)), cases[i].down, "%zu", i);
        cr_assert_eq(int_of(wide_divide(a, b, TW_ROUND_UP)), cases[i].up, "%zu", i);
        cr_assert_eq(int_of(wide_divide(a, b, TW_ROUND_ZERO)), cases[i].zero, "%zu", i);
    }
}

Test(wide, roots)
{
    for (int64_t n = 0; n < 2000; n++) {
        const int64_t root = int_of(wide_root(wide_of(n)));
        cr_assert(root * root <= n && n < (root + 1) * (root + 1));
    }
    const wide large = wide_multiply(wide_of(INT64_MAX), wide_of(INT64_MAX));
    cr_assert_eq(int_of(wide_root(large)), INT64_MAX);
    cr_assert_eq(int_of(wide_root(wide_subtract(large, wide_of(1)))), INT64_MAX - 1);
}
