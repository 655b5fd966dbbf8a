/* test_quantities -- the table of units is consistent; text to exact integers and back. */
#include "vm/base/math.h"
#include "vm/base/quantities.h"

#include <criterion/criterion.h>
#include <string.h>

static tw_bytes text(const char *s)
{
    return tw_bytes_of(s, strlen(s));
}

static int64_t value_of(const char *s, tw_dimension dimension)
{
    int64_t value = INT64_MIN;
    const tw_status status = tw_quantity_parse(text(s), dimension, NULL, &value);
    cr_assert_eq(status, TW_OK, "%s: %s", s, tw_status_text(status));
    return value;
}

static tw_status status_of(const char *s, tw_dimension dimension)
{
    int64_t value = 77;
    const tw_status status = tw_quantity_parse(text(s), dimension, NULL, &value);
    cr_assert(status == TW_OK || value == 77, "%s: the result was touched", s);
    return status;
}

Test(quantities, every_dimension_but_two_has_units_and_one_is_shown)
{
    for (int d = 1; d < TW_DIM_COUNT; d++) {
        const tw_dimension dimension = (tw_dimension)d;
        uint32_t units = 0;
        uint32_t shown = 0;
        const tw_unit *unit = NULL;
        for (uint32_t i = 0; (unit = tw_unit_at(i)) != NULL; i++) {
            units += unit->dimension == dimension;
            shown += unit->dimension == dimension && unit->display;
        }
        const bool bare = d == TW_DIM_INT || d == TW_DIM_DEC || d == TW_DIM_TIME;
        cr_assert_eq(shown, bare ? 0 : 1, "%s", tw_dim_name(dimension));
        cr_assert(bare == (units == 0));
        cr_assert_eq(tw_dim_find(text(tw_dim_name(dimension))), dimension);
        cr_assert_eq(tw_dim_unit(dimension) == NULL, bare);
    }
    cr_assert_eq(tw_dim_find(text("")), TW_DIM_NONE);
    cr_assert_eq(tw_dim_find(text("velocityx")), TW_DIM_NONE);
}

Test(quantities, spellings_are_distinct_and_no_refused_one_is_a_unit)
{
    const tw_unit *unit = NULL;
    for (uint32_t i = 0; (unit = tw_unit_at(i)) != NULL; i++) {
        const char *why = NULL;
        cr_assert_eq(tw_unit_find(text(unit->spelling)), unit, "%s", unit->spelling);
        cr_assert_not(tw_unit_refused(text(unit->spelling), &why, &why), "%s", unit->spelling);
        cr_assert_gt(unit->multiplier, 0);
    }
    const char *why = NULL;
    const char *instead = NULL;
    cr_assert(tw_unit_refused(text("km/h"), &why, &instead));
    cr_assert_not_null(strstr(instead, "m/s"));
    cr_assert_null(tw_unit_find(text("km/h")));
    cr_assert_null(tw_unit_find(text("")));
}

Test(quantities, micro_sign_is_u)
{
    cr_assert_eq(tw_unit_find(text("\xC2\xB5m")), tw_unit_find(text("um")));
    cr_assert_eq(tw_unit_find(text("\xCE\xBCg/m3")), tw_unit_find(text("ug/m3")));
    cr_assert_null(tw_unit_find(text("\xC2")));
    cr_assert_null(tw_unit_find(text("\xC2\xB5")));
}

Test(quantities, longest_unit_that_ends_where_a_word_may_end)
{
    uint32_t size = 99;
    cr_assert_str_eq(tw_unit_match(text("mm/s2)"), &size)->spelling, "mm/s2");
    cr_assert_eq(size, 5);
    cr_assert_str_eq(tw_unit_match(text("mm/s + 1"), &size)->spelling, "mm/s");
    cr_assert_str_eq(tw_unit_match(text("m / s"), &size)->spelling, "m");
    cr_assert_str_eq(tw_unit_match(text("%RH"), &size)->spelling, "%RH");
    cr_assert_str_eq(tw_unit_match(text("% of x"), &size)->spelling, "%");
    cr_assert_null(tw_unit_match(text("min_x"), &size));
    cr_assert_null(tw_unit_match(text("hours"), &size));
    cr_assert_null(tw_unit_match(text(""), &size));
}

Test(quantities, text_becomes_exact_counts)
{
    cr_assert_eq(value_of("7.1 mm/s", TW_DIM_VELOCITY), 7100);
    cr_assert_eq(value_of("0 °C", TW_DIM_TEMPERATURE), 273150);
    cr_assert_eq(value_of("-40 °C", TW_DIM_TEMPERATURE), 233150);
    cr_assert_eq(value_of("-273.15 °C", TW_DIM_TEMPERATURE), 0);
    cr_assert_eq(value_of("1 g_n", TW_DIM_ACCELERATION), 9806650);
    cr_assert_eq(value_of("1 kWh", TW_DIM_ENERGY), 3600000000);
    cr_assert_eq(value_of("50 %", TW_DIM_PERCENT), TW_PERCENT_WHOLE / 2);
    cr_assert_eq(value_of("0.000000001", TW_DIM_DEC), 1);
    cr_assert_eq(value_of("1.50000000000000000000000000 t", TW_DIM_MASS), 1500000000);
    cr_assert_eq(value_of("12_500", TW_DIM_INT), 12500);
    cr_assert_eq(value_of("9223372036854775807", TW_DIM_INT), INT64_MAX);
    cr_assert_eq(value_of("-9223372036854775808", TW_DIM_INT), INT64_MIN);
    cr_assert_eq(value_of("2 weeks", TW_DIM_DURATION), 1209600000);
    cr_assert_eq(value_of("45.5 %RH", TW_DIM_HUMIDITY), 455000);
}

Test(quantities, what_is_not_exact_or_no_number_is_refused)
{
    cr_assert_eq(status_of("0.5 Pa", TW_DIM_PRESSURE), TW_REFUSED_ARGUMENT);
    cr_assert_eq(status_of("0.0000000001", TW_DIM_DEC), TW_REFUSED_ARGUMENT);
    cr_assert_eq(status_of("9223372036854775808", TW_DIM_INT), TW_TRAP_OVERFLOW);
    cr_assert_eq(status_of("18446744073709551615 km", TW_DIM_LENGTH), TW_TRAP_OVERFLOW);
    static const char *const bad[] = {"",
                                      "-",
                                      ".",
                                      "1.",
                                      ".5",
                                      "1..2",
                                      "1__0",
                                      "_1",
                                      "1_",
                                      "1 mm",
                                      "1 mm/s mm",
                                      "1e3",
                                      "0x10",
                                      "1,5",
                                      "+-1",
                                      "1 %",
                                      "nan",
                                      "1.2.3",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(status_of(bad[i], TW_DIM_VELOCITY), TW_REFUSED_ARGUMENT, "%s", bad[i]);
    }
    cr_assert_eq(status_of("7", TW_DIM_VELOCITY), TW_REFUSED_ARGUMENT, "a unit is needed");
    int64_t value = 0;
    const tw_unit *unit = tw_unit_find(text("mm/s"));
    cr_assert_eq(tw_quantity_parse(text("7.25"), TW_DIM_VELOCITY, unit, &value), TW_OK);
    cr_assert_eq(value, 7250);
    cr_assert_eq(tw_quantity_parse(text("7"), TW_DIM_LENGTH, unit, &value), TW_REFUSED_ARGUMENT);
}

static void expect_print(int64_t value, tw_dimension dimension, const char *wanted)
{
    char printed[TW_QUANTITY_TEXT_MAX];
    tw_quantity_print(value, dimension, printed);
    cr_assert_str_eq(printed, wanted);
}

Test(quantities, values_are_shown_in_their_unit)
{
    expect_print(7100, TW_DIM_VELOCITY, "7.1 mm/s");
    expect_print(358150, TW_DIM_TEMPERATURE, "85 °C");
    expect_print(0, TW_DIM_TEMPERATURE, "-273.15 °C");
    expect_print(-500, TW_DIM_TEMP_DIFF, "-0.5 K");
    expect_print(259200000, TW_DIM_DURATION, "72 h");
    expect_print(604800000, TW_DIM_DURATION, "7 days");
    expect_print(0, TW_DIM_DURATION, "0 s");
    expect_print(1, TW_DIM_DURATION, "1 ms");
    expect_print(5400000000, TW_DIM_ENERGY, "1.5 kWh");
    expect_print(1, TW_DIM_ENERGY, "0.001 J");
    expect_print(INT64_MIN, TW_DIM_INT, "-9223372036854775808");
    expect_print(-1, TW_DIM_DEC, "-0.000000001");
    expect_print(1767225600000, TW_DIM_TIME, "2026-01-01T00:00:00Z");
    expect_print(1767225600250, TW_DIM_TIME, "2026-01-01T00:00:00.250Z");
    expect_print(951782400000, TW_DIM_TIME, "2000-02-29T00:00:00Z");
    expect_print(0, TW_DIM_TIME, "1970-01-01T00:00:00Z");
}

/* What is shown reads back as the same value, for all dimensions with units. */
Test(quantities, shown_text_reads_back)
{
    uint64_t random = 42;
    for (int round = 0; round < 20000; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const tw_dimension dimension = (tw_dimension)(1 + random % (TW_DIM_COUNT - 1));
        if (dimension == TW_DIM_TIME) continue;
        const int64_t value = (int64_t)random >> (random >> 8) % 63;
        char printed[TW_QUANTITY_TEXT_MAX];
        int64_t back = 0;
        tw_quantity_print(value, dimension, printed);
        cr_assert_eq(tw_quantity_parse(text(printed), dimension, NULL, &back), TW_OK, "%s",
                     printed);
        cr_assert_eq(back, value, "%s of %s", printed, tw_dim_name(dimension));
    }
}

Test(quantities, products_and_their_inverses_agree)
{
    tw_dimension result = TW_DIM_NONE;
    int64_t divisor = 0;
    cr_assert(tw_dim_product(TW_DIM_DURATION, TW_DIM_POWER, &result, &divisor));
    cr_assert_eq(result, TW_DIM_ENERGY);
    int64_t energy = 0;
    cr_assert(tw_muldiv(value_of("750 W", TW_DIM_POWER), value_of("2 h", TW_DIM_DURATION), divisor,
                        TW_ROUND_HALF_EVEN, &energy));
    cr_assert_eq(energy, value_of("1.5 kWh", TW_DIM_ENERGY));
    for (int a = 1; a < TW_DIM_COUNT; a++) {
        for (int b = 1; b < TW_DIM_COUNT; b++) {
            tw_dimension other = TW_DIM_NONE;
            int64_t scale = 0;
            if (!tw_dim_product((tw_dimension)a, (tw_dimension)b, &result, &divisor)) continue;
            cr_assert(tw_dim_quotient(result, (tw_dimension)a, &other, &scale));
            cr_assert(other == (tw_dimension)b && scale == divisor);
        }
    }
    cr_assert_not(tw_dim_product(TW_DIM_MASS, TW_DIM_MASS, &result, &divisor));
    cr_assert_not(tw_dim_quotient(TW_DIM_MASS, TW_DIM_POWER, &result, &divisor));
}
