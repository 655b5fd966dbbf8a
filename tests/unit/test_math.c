/* test_math -- rounding division, multiply-divide and square root: by hand at the limits, then at
 * random against definitions that compute another way. */
#include "tests/unit/state_fixture.h"
#include "vm/base/math.h"

#include <criterion/criterion.h>

static const tw_round modes[] = {TW_ROUND_HALF_EVEN, TW_ROUND_DOWN, TW_ROUND_UP, TW_ROUND_ZERO};

enum { MODES = sizeof modes / sizeof modes[0], MARK = 4711 };

typedef struct quotient_case {
    int64_t numerator, denominator;
    int64_t result[MODES]; /* half even, down, up, zero */
} quotient_case;

Test(math, each_mode_rounds_as_its_name_says)
{
    static const quotient_case cases[] = {
        {0, 7, {0, 0, 0, 0}},
        {7, 2, {4, 3, 4, 3}}, /* 3.5 goes to the even 4 */
        {5, 2, {2, 2, 3, 2}}, /* 2.5 goes to the even 2 */
        {1, 2, {0, 0, 1, 0}},
        {3, 2, {2, 1, 2, 1}},
        {-1, 2, {0, -1, 0, 0}},
        {-3, 2, {-2, -2, -1, -1}},
        {-5, 2, {-2, -3, -2, -2}},
        {-7, 2, {-4, -4, -3, -3}},
        {7, -2, {-4, -4, -3, -3}},
        {-7, -2, {4, 3, 4, 3}},
        {10, 4, {2, 2, 3, 2}},
        {11, 4, {3, 2, 3, 2}},
        {9, 4, {2, 2, 3, 2}},
        {-10, 4, {-2, -3, -2, -2}},
        {6, 3, {2, 2, 2, 2}},
        {-6, 3, {-2, -2, -2, -2}},
        {1, 3, {0, 0, 1, 0}},
        {2, 3, {1, 0, 1, 0}},
        {-2, 3, {-1, -1, 0, 0}},
        {1, -3, {0, -1, 0, 0}},
        {INT64_MAX, 1, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}},
        {INT64_MIN, 1, {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN}},
        {INT64_MAX, INT64_MIN, {-1, -1, 0, 0}},
        {INT64_MIN, INT64_MIN, {1, 1, 1, 1}},
        {1, INT64_MIN, {0, -1, 0, 0}},
        {INT64_MIN, INT64_MAX, {-1, -2, -1, -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const quotient_case *c = &cases[i];
        for (int mode = 0; mode < MODES; mode++) {
            int64_t got = MARK;
            cr_assert(tw_div_round(c->numerator, c->denominator, modes[mode], &got));
            cr_assert_eq(got, c->result[mode], "%lld / %lld in mode %d: %lld",
                         (long long)c->numerator, (long long)c->denominator, mode, (long long)got);
        }
    }
}

static void refuses(tw_int128 numerator, tw_int128 denominator, tw_round mode)
{
    int64_t got = MARK;
    cr_assert_not(tw_div_round(numerator, denominator, mode, &got));
    cr_assert_eq(got, MARK, "a refused division must leave the result alone");
}

Test(math, division_by_zero_is_refused_in_every_mode)
{
    for (int mode = 0; mode < MODES; mode++) {
        refuses(0, 0, modes[mode]);
        refuses(1, 0, modes[mode]);
        refuses(INT64_MIN, 0, modes[mode]);
    }
}

/* One step of rounding decides whether the result still fits. */
Test(math, the_rounded_result_decides_whether_it_fits)
{
    const tw_int128 max = INT64_MAX;
    const tw_int128 min = INT64_MIN;
    int64_t got = 0;
    cr_assert(tw_div_round(2 * max + 1, 2, TW_ROUND_DOWN, &got));
    cr_assert_eq(got, INT64_MAX);
    refuses(2 * max + 1, 2, TW_ROUND_UP);
    refuses(2 * max + 1, 2, TW_ROUND_HALF_EVEN); /* the tie goes to 2^63 */
    cr_assert(tw_div_round(2 * max + 1, 2, TW_ROUND_ZERO, &got));
    cr_assert_eq(got, INT64_MAX);
    cr_assert(tw_div_round(2 * min - 1, 2, TW_ROUND_UP, &got));
    cr_assert_eq(got, INT64_MIN);
    cr_assert(tw_div_round(2 * min - 1, 2, TW_ROUND_HALF_EVEN, &got)); /* the tie goes to -2^63 */
    cr_assert_eq(got, INT64_MIN);
    refuses(2 * min - 1, 2, TW_ROUND_DOWN);
    for (int mode = 0; mode < MODES; mode++) {
        refuses(max + 1, 1, modes[mode]);
        refuses(min, -1, modes[mode]);
        refuses(min - 1, 1, modes[mode]);
    }
}

/* Another way: the floor, then what the mode adds. Operands below 2^126 in size. */
static bool oracle(tw_int128 n, tw_int128 d, tw_round mode, tw_int128 *ret_result)
{
    if (d < 0) n = -n, d = -d;
    tw_int128 floor = n / d;
    if (floor * d > n) floor--;
    const tw_int128 rest = n - floor * d; /* 0 <= rest < d */
    const bool upper_half = 2 * rest > d || (2 * rest == d && floor % 2 != 0);
    tw_int128 result = floor;
    if (mode == TW_ROUND_UP && rest > 0) result++;
    if (mode == TW_ROUND_ZERO && rest > 0 && n < 0) result++;
    if (mode == TW_ROUND_HALF_EVEN && upper_half) result++;
    *ret_result = result;
    return result >= INT64_MIN && result <= INT64_MAX;
}

/* A number of any size up to `bits`, of both signs. */
static tw_int128 any_number(uint64_t *seed, unsigned bits)
{
    const unsigned width = 1 + (unsigned)random_below(seed, bits);
    tw_uint128 size = (tw_uint128)random_next(seed) << 64 | random_next(seed);
    size >>= 128 - width;
    const tw_int128 value = (tw_int128)size;
    return random_next(seed) % 2 == 0 ? value : -value;
}

static void check_division(tw_int128 n, tw_int128 d, uint64_t seed)
{
    for (int mode = 0; mode < MODES; mode++) {
        int64_t got = MARK;
        tw_int128 wanted = 0;
        const bool fits = oracle(n, d, modes[mode], &wanted);
        cr_assert_eq(tw_div_round(n, d, modes[mode], &got), fits, "seed %llu mode %d",
                     (unsigned long long)seed, mode);
        cr_assert(got == (fits ? (int64_t)wanted : MARK), "seed %llu mode %d",
                  (unsigned long long)seed, mode);
    }
}

Test(math, division_agrees_with_its_definition)
{
    uint64_t seed = 1;
    for (int i = 0; i < 60000; i++) {
        const uint64_t at = seed;
        const tw_int128 d = any_number(&seed, 125);
        if (d != 0) check_division(any_number(&seed, 125), d, at);
    }
}

/* Random operands almost never meet a tie; here each one is at a tie or one step from it. */
Test(math, ties_and_their_neighbours)
{
    uint64_t seed = 2;
    for (int i = 0; i < 20000; i++) {
        const uint64_t at = seed;
        const tw_int128 half = any_number(&seed, 58);
        const tw_int128 odd = 2 * any_number(&seed, 63) + 1;
        if (half == 0) continue;
        for (int step = -1; step <= 1; step++) check_division(half * odd + step, 2 * half, at);
    }
}

Test(math, multiply_divide_keeps_128_bits_in_between)
{
    int64_t got = 0;
    cr_assert(tw_muldiv(INT64_MAX, INT64_MAX, INT64_MAX, TW_ROUND_HALF_EVEN, &got));
    cr_assert_eq(got, INT64_MAX);
    cr_assert(tw_muldiv(INT64_MIN, INT64_MAX, INT64_MAX, TW_ROUND_HALF_EVEN, &got));
    cr_assert_eq(got, INT64_MIN);
    cr_assert(tw_muldiv(INT64_MIN, INT64_MIN, INT64_MIN, TW_ROUND_DOWN, &got));
    cr_assert_eq(got, INT64_MIN);
    cr_assert_not(tw_muldiv(INT64_MIN, INT64_MIN, INT64_MAX, TW_ROUND_DOWN, &got));
    cr_assert_not(tw_muldiv(INT64_MIN, -1, 1, TW_ROUND_ZERO, &got));
    cr_assert_not(tw_muldiv(INT64_MAX, 2, 1, TW_ROUND_ZERO, &got));
    cr_assert_not(tw_muldiv(1, 1, 0, TW_ROUND_ZERO, &got));
    cr_assert_eq(got, INT64_MIN, "a refused product must leave the result alone");
    cr_assert(tw_muldiv(1, 1, INT64_MIN, TW_ROUND_DOWN, &got));
    cr_assert_eq(got, -1);
    cr_assert(tw_muldiv(INT64_MIN, 1, INT64_MIN, TW_ROUND_UP, &got));
    cr_assert_eq(got, 1);
}

Test(math, multiply_divide_agrees_with_its_definition)
{
    uint64_t seed = 3;
    for (int i = 0; i < 60000; i++) {
        const int64_t a = (int64_t)any_number(&seed, 63);
        const int64_t b = (int64_t)any_number(&seed, 63);
        const int64_t d = (int64_t)any_number(&seed, 63);
        if (d == 0) continue;
        for (int mode = 0; mode < MODES; mode++) {
            int64_t got = MARK;
            tw_int128 wanted = 0;
            const bool fits = oracle((tw_int128)a * b, d, modes[mode], &wanted);
            cr_assert_eq(tw_muldiv(a, b, d, modes[mode], &got), fits);
            cr_assert(got == (fits ? (int64_t)wanted : MARK));
        }
    }
}

static void check_root(tw_uint128 value)
{
    const tw_uint128 root = tw_sqrt_u128(value);
    const tw_uint128 above = root + 1;
    cr_assert(root * root <= value);
    /* (2^64)^2 leaves 128 bits: every value lies below it */
    cr_assert(root == UINT64_MAX || above * above > value);
}

Test(math, the_root_is_the_floor_of_the_square_root)
{
    uint64_t seed = 4;
    for (tw_uint128 value = 0; value < 5000; value++) check_root(value);
    check_root(~(tw_uint128)0);
    check_root((tw_uint128)UINT64_MAX * UINT64_MAX);
    check_root((tw_uint128)UINT64_MAX * UINT64_MAX - 1);
    cr_assert_eq(tw_sqrt_u128(~(tw_uint128)0), UINT64_MAX);
    for (int i = 0; i < 20000; i++) {
        const uint64_t root = random_next(&seed) >> random_below(&seed, 64);
        const tw_uint128 square = (tw_uint128)root * root;
        cr_assert_eq(tw_sqrt_u128(square), root);
        if (root > 0) cr_assert_eq(tw_sqrt_u128(square - 1), root - 1);
        check_root(square + random_next(&seed));
    }
}
