/* test_rules_twin -- rules V301 to V399 of docs/VERIFIER.md: phases, readings, alarms, entries. */
#include "tests/unit/rules_fixture.h"

static const int64_t end = (int64_t)1 << TW_RANGE_BITS;

REFUSED(V301, no_phase, "a contract has at least one phase", m->phases.count = 0;
        m->arrow_count = 0)
TAKEN(V301, one_phase, m->phases.count = 1; m->arrow_count = 0;
      for (uint16_t i = 0; i < m->entry_count; i++) w->entries[i].phases = 1)
LIMIT(V302, to, 1, "arrow 0: goes to or from a phase that is not there", k->arrows[0].to = n)
LIMIT(V302, from, 1, "arrow 1: goes to or from a phase that is not there", k->arrows[1].from = n)
REFUSED(V303, enum_of_nothing, "enum E: no values", k->enums[0].values.count = 0)
TAKEN(V303, enum_of_one, k->enums[0].values.count = 1)

/* ------------------------------------------------------------------ readings */

#define PLACE "reading r: "

REFUSED(V310, text, PLACE "its type or its role is not there", w->readings[0].type = T_TEXT)
REFUSED(V310, type_beyond, PLACE "its type or its role is not there", w->readings[0].type = W_TYPES)
TAKEN(V310, number, cr_expect_eq(w->readings[0].type, T_INT))
REFUSED(V311, role_beyond, PLACE "its type or its role is not there",
        w->readings[0].role = W_METER + 1)
TAKEN(V311, first_role, w->readings[0].role = 0)

#define RANGE PLACE "its range must lie within 2^52 of 0"

TAKEN(V312, widest, w->readings[0].low = -end; w->readings[0].high = end)
TAKEN(V312, narrowest, w->readings[0].low = w->readings[0].high = 5)
REFUSED(V312, too_low, RANGE, w->readings[0].low = -end - 1)
REFUSED(V312, too_high, RANGE, w->readings[0].high = end + 1)
REFUSED(V312, empty, RANGE, w->readings[0].low = 1001)

#define TIMES PLACE "rate, max_age and gap must be at least 1 ms"

TAKEN(V313, shortest, w->readings[0].rate_ms = w->readings[0].age_max_ms = 1;
      w->readings[0].gap_ms = 1)
TAKEN(V313, longest, w->readings[0].rate_ms = w->readings[0].age_max_ms = end - 1;
      w->readings[0].gap_ms = end - 1)
REFUSED(V313, no_rate, TIMES, w->readings[0].rate_ms = 0)
REFUSED(V313, no_age, TIMES, w->readings[0].age_max_ms = 0)
REFUSED(V313, no_gap, TIMES, w->readings[0].gap_ms = 0)
REFUSED(V313, rate_without_end, TIMES, w->readings[0].rate_ms = end)
REFUSED(V313, age_without_end, TIMES, w->readings[0].age_max_ms = end)
REFUSED(V313, gap_without_end, TIMES, w->readings[0].gap_ms = end)

LIMIT(V314, keep, TW_KEEP_MAX, PLACE "keep must be 1 to 4096", w->readings[0].keep = n)
LIMIT(V315, rate_count, 100, PLACE "keep must be 101 to 4096", w->readings[0].rate_count = n)
REFUSED(V315, rate_of_none, PLACE "keep must be 0 to 4096", w->readings[0].rate_count = 0)
LIMIT(V316, members, 1, PLACE "not per device, but its role may have 2 members",
      w->roles[2].max = n)
TAKEN(V316, per_device, w->roles[2].max = 2; w->readings[0].per_device = true)

/* 100 readings are those of the one sensor. */
LIMIT(V317, samples, 262119, "the windows keep up to 1048580 readings, the limit is 1048576",
      w->roles[W_METER].max = n;
      w->readings[W_FLOW].keep = 4)

/* ------------------------------------------------------------------ stamps */

#define STAMP "stamp 0: names something that is not there"

LIMIT(V320, reading, W_FLOW, STAMP, w->stamps[0].reading = n)
TAKEN(V321, within, w->stamps[0] = (tw_stamp){0, TW_STAMP_WITHIN, 0, 1})
REFUSED(V321, kind_0, STAMP, w->stamps[0].kind = 0)
REFUSED(V321, kind_4, STAMP, w->stamps[0].kind = TW_STAMP_KINDS)
LIMIT(V322, low, 1, STAMP, w->stamps[0].low = n)
LIMIT(V322, high, 1, STAMP, w->stamps[0] = (tw_stamp){0, TW_STAMP_WITHIN, 0, n})
REFUSED(V322, two_levels_of_above, STAMP, w->stamps[0].high = 0)

/* ------------------------------------------------------------------ conditions */

#define ALARM "alarm alarm: its conditions must be functions of no arguments"

TAKEN(V330, conditions, cr_expect_eq(k->alarms[0].raise, F_CONDITION))
REFUSED(V330, raise_with_arguments, ALARM, k->alarms[0].raise = F_SUM)
REFUSED(V330, clear_without_result, ALARM, k->alarms[0].clear = F_DEPLOY)
REFUSED(V330, raise_beyond, ALARM, k->alarms[0].raise = FUNCTION_COUNT)
TAKEN(V331, both_readings, k->alarms[0].readings = 3)
REFUSED(V331, no_reading, "alarm alarm: depends on no reading", k->alarms[0].readings = 0)
REFUSED(V331, reading_beyond, "alarm alarm: depends on no reading", k->alarms[0].readings = 4)
TAKEN(V331, last_of_64_readings, m->reading_count = 1; GROW(m->readings, m->reading_count, 64);
      m->stamp_count = 1; k->alarms[0].readings = (uint64_t)1 << 63)
TAKEN(V332, invariant, cr_expect_eq(k->invariants[0].function, F_CONDITION))
REFUSED(V332, invariant_with_arguments, "invariant holds: must be a function of no arguments",
        k->invariants[0].function = F_SUM)
REFUSED(V332, invariant_beyond, "invariant holds: must be a function of no arguments",
        k->invariants[0].function = FUNCTION_COUNT)
TAKEN(V333, check, cr_expect_eq(k->checks[0].function, TW_NONE))
REFUSED(V333, check_with_a_function, "check check: belongs to the deploy entry",
        k->checks[0].function = F_CONDITION)

/* ------------------------------------------------------------------ entries */

#define FIT(name) "entry " #name ": its parts do not fit its kind"

/* One more entry, the last, that runs nothing; in every phase, of nothing, without a delay. */
static tw_entry *more(maker *k, tw_entry_kind kind)
{
    tw_module *m = &k->m;
    GROW(m->entries, m->entry_count, m->entry_count + 1u);
    tw_entry *e = &m->entries[m->entry_count - 1];
    e->name = "more";
    e->kind = (uint8_t)kind;
    e->delay = TW_NONE;
    return e;
}

static void of(maker *k, tw_entry_kind kind, uint16_t what, uint16_t delay)
{
    tw_entry *e = more(k, kind);
    e->of = what;
    e->delay = delay;
}

/* The same with an argument. */
static void with_argument(maker *k, tw_entry_kind kind, uint16_t what, uint16_t delay)
{
    static tw_member argument[1] = {{"a", T_INT}};
    of(k, kind, what, delay);
    k->m.entries[ENTRY_COUNT].members = (tw_members){.items = argument, .count = 1};
}

REFUSED(V340, kind_0, FIT(more), of(k, 0, TW_NONE, TW_NONE))
REFUSED(V340, kind_11, FIT(more), of(k, TW_ENTRY_KINDS, TW_NONE, TW_NONE))
TAKEN(V340, the_last_kind, cr_expect_eq(TW_ENTRY_MIGRATE + 1, TW_ENTRY_KINDS);
      of(k, TW_ENTRY_MIGRATE, TW_NONE, TW_NONE))

TAKEN(V341, action, of(k, TW_ENTRY_ACTION, TW_NONE, TW_NONE))
REFUSED(V341, action_of_something, FIT(more), of(k, TW_ENTRY_ACTION, 0, TW_NONE))
REFUSED(V341, action_with_a_delay, FIT(more), of(k, TW_ENTRY_ACTION, TW_NONE, 0))
REFUSED(V341, view_of_something, FIT(tested), w->entries[E_VIEW].of = 0)
REFUSED(V341, view_with_a_delay, FIT(tested), w->entries[E_VIEW].delay = 0)
REFUSED(V341, deploy_of_something, FIT(deploy), w->entries[E_DEPLOY].of = 0)
REFUSED(V341, deploy_with_a_delay, FIT(deploy), w->entries[E_DEPLOY].delay = 0)
REFUSED(V341, deploy_with_an_argument, FIT(deploy), w->entries[E_DEPLOY].members.items = k->single;
        w->entries[E_DEPLOY].members.count = 1)
REFUSED(V341, migrate_of_something, FIT(more), of(k, TW_ENTRY_MIGRATE, 0, TW_NONE))
REFUSED(V341, migrate_with_a_delay, FIT(more), of(k, TW_ENTRY_MIGRATE, TW_NONE, 0))
REFUSED(V341, migrate_with_an_argument, FIT(more),
        with_argument(k, TW_ENTRY_MIGRATE, TW_NONE, TW_NONE))

LIMIT(V342, raised, 0, FIT(more), of(k, TW_ENTRY_RAISED, n, TW_NONE))
LIMIT(V342, cleared, 0, FIT(more), of(k, TW_ENTRY_CLEARED, n, TW_NONE))
REFUSED(V342, raised_with_a_delay, FIT(more), of(k, TW_ENTRY_RAISED, 0, 0))
REFUSED(V342, cleared_with_an_argument, FIT(more), with_argument(k, TW_ENTRY_CLEARED, 0, TW_NONE))

TAKEN(V343, silent, of(k, TW_ENTRY_SILENT, 0, 1))
REFUSED(V343, reading_per_device, FIT(more), of(k, TW_ENTRY_SILENT, W_FLOW, 1))
REFUSED(V343, reading_beyond, FIT(more), of(k, TW_ENTRY_SILENT, 2, 1))
REFUSED(V343, silent_with_an_argument, FIT(more), with_argument(k, TW_ENTRY_SILENT, 0, 1))
LIMIT(V344, silent, 1, FIT(more), of(k, TW_ENTRY_SILENT, 0, n))
LIMIT(V344, every, 1, FIT(more), of(k, TW_ENTRY_EVERY, TW_NONE, n))
LIMIT(V344, after, 1, FIT(more), of(k, TW_ENTRY_AFTER, TW_NONE, n))
LIMIT(V344, falls, 1, FIT(more), of(k, TW_ENTRY_FALLS, W_POT, n))
REFUSED(V344, every_without, FIT(more), of(k, TW_ENTRY_EVERY, TW_NONE, TW_NONE))
REFUSED(V345, every_of_something, FIT(more), of(k, TW_ENTRY_EVERY, 0, 1))
REFUSED(V345, after_with_an_argument, FIT(more), with_argument(k, TW_ENTRY_AFTER, TW_NONE, 1))
TAKEN(V345, every, of(k, TW_ENTRY_EVERY, TW_NONE, 1))

LIMIT(V346, purse, W_CHEST, FIT(more), of(k, TW_ENTRY_FALLS, n, 1))
REFUSED(V346, purse_per_role, FIT(more), of(k, TW_ENTRY_FALLS, W_STAKES, 1))
REFUSED(V346, falls_with_an_argument, FIT(more), with_argument(k, TW_ENTRY_FALLS, W_POT, 1))
REFUSED(V347, one_phase, FIT(more), of(k, TW_ENTRY_FALLS, W_POT, 1);
        m->entries[ENTRY_COUNT].phases = 1)
TAKEN(V347, all_of_64_phases, of(k, TW_ENTRY_FALLS, W_POT, 1);
      GROW(m->phases.items, m->phases.count, 64); m->entries[ENTRY_COUNT].phases = UINT64_MAX)

#define THERE "entry tested: its function or its result is not there"

REFUSED(V350, function_beyond, THERE, w->entries[E_ACTION].function = FUNCTION_COUNT)
TAKEN(V350, last_function, cr_expect_eq(w->entries[E_DEPLOY].function, FUNCTION_COUNT - 1))
REFUSED(V351, result_of_an_action, THERE, w->entries[E_ACTION].result = T_INT)
REFUSED(V351, view_without_a_result, THERE, w->entries[E_VIEW].result = TW_NONE)
REFUSED(V351, result_beyond, THERE, w->entries[E_VIEW].result = W_TYPES)
TAKEN(V351, result_of_the_last_type_of_a_slot, w->entries[E_VIEW].result = W_EUR_AMOUNT)

#define SLOTS "entry tested: its function has other arguments or results"

REFUSED(V352, an_argument_less, SLOTS, w->entries[E_ACTION].members.count = 7)
REFUSED(V352, an_argument_more, SLOTS, w->entries[E_ACTION].members.items[0].type = T_OPTIONAL)
REFUSED(V352, a_wider_result, SLOTS, w->entries[E_VIEW].result = T_OPTIONAL)
REFUSED(V352, an_action_that_gives_back, SLOTS, w->entries[E_ACTION].function = F_CONDITION;
        w->entries[E_ACTION].members.count = 0)
TAKEN(V352, eight_arguments, cr_expect_eq(w->entries[E_ACTION].members.count, 8))

LIMIT(V353, phases, 3, "entry tested: runs in a phase that is not there",
      w->entries[E_ACTION].phases = n)
TAKEN(V353, last_of_64_phases, GROW(m->phases.items, m->phases.count, 64);
      w->entries[E_ACTION].phases = (uint64_t)1 << 63)

REFUSED(V354, same_action, "entry tested: declared twice", of(k, TW_ENTRY_ACTION, TW_NONE, TW_NONE);
        m->entries[ENTRY_COUNT].name = "tested")
TAKEN(V354, action_and_view, cr_expect_str_eq(w->entries[E_VIEW].name, w->entries[E_ACTION].name))
TAKEN(V354, timers_of_one_name, of(k, TW_ENTRY_AFTER, TW_NONE, 0);
      m->entries[ENTRY_COUNT].name = "after")
REFUSED(V355, falls_twice, "entry more: declared twice", of(k, TW_ENTRY_FALLS, W_POT, 1);
        of(k, TW_ENTRY_FALLS, W_POT, 0))
TAKEN(V355, falls_of_two_purses, of(k, TW_ENTRY_FALLS, W_POT, 1); of(k, TW_ENTRY_FALLS, W_CHEST, 0))

REFUSED(V356, timer_behind, "entry more: stands behind an entry for what falls to somebody",
        of(k, TW_ENTRY_FALLS, W_POT, 1);
        of(k, TW_ENTRY_EVERY, TW_NONE, 1))
TAKEN(V356, view_behind, of(k, TW_ENTRY_FALLS, W_POT, 1); tw_entry *e = more(k, TW_ENTRY_VIEW);
      *e = m->entries[E_VIEW]; e->name = "other")

REFUSED(V357, two_deploys, "a module has exactly one deploy entry, not 2",
        of(k, TW_ENTRY_DEPLOY, TW_NONE, TW_NONE))
REFUSED(V357, no_deploy, "a module has exactly one deploy entry, not 0",
        w->entries[E_DEPLOY].kind = TW_ENTRY_ACTION)
TAKEN(V357, one_deploy, cr_expect_eq(w->entries[E_DEPLOY].kind, TW_ENTRY_DEPLOY))
REFUSED(V358, two_migrates, "a module has one migrate entry, not 2",
        of(k, TW_ENTRY_MIGRATE, TW_NONE, TW_NONE);
        of(k, TW_ENTRY_MIGRATE, TW_NONE, TW_NONE))
TAKEN(V358, one_migrate, of(k, TW_ENTRY_MIGRATE, TW_NONE, TW_NONE))
