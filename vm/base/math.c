/* math -- see the header. */
#include "vm/base/math.h"

bool tw_div_round(tw_int128 numerator, tw_int128 denominator, tw_round mode, int64_t *ret_result)
{
    if (denominator == 0) return false;
    if (denominator < 0) {
        /* |numerator| < 2^127 for every caller: products of two 64-bit values and small sums */
        numerator = -numerator;
        denominator = -denominator;
    }
    tw_int128 quotient = 0;
    tw_int128 rest = 0; /* has the sign of the numerator */
    if (numerator == (int64_t)numerator && denominator == (int64_t)denominator) {
        quotient = (int64_t)numerator / (int64_t)denominator; /* several times as fast */
        rest = (int64_t)numerator % (int64_t)denominator;
    } else {
        quotient = numerator / denominator;
        rest = numerator % denominator;
    }
    if (rest != 0) {
        const tw_uint128 rest_size = (tw_uint128)(rest < 0 ? -rest : rest);
        const tw_uint128 other = (tw_uint128)denominator - rest_size;
        const int away = numerator < 0 ? -1 : 1;
        switch (mode) {
        case TW_ROUND_HALF_EVEN:
            if (rest_size > other || (rest_size == other && (quotient & 1) != 0)) quotient += away;
            break;
        case TW_ROUND_DOWN: quotient -= numerator < 0; break;
        case TW_ROUND_UP: quotient += numerator > 0; break;
        case TW_ROUND_ZERO: break;
        }
    }
    if (quotient > INT64_MAX || quotient < INT64_MIN) return false;
    *ret_result = (int64_t)quotient;
    return true;
}

/* Is a quotient, whose size is `quotient` and which leaves `rest`, moved away from zero? */
static bool goes_away(uint64_t quotient, uint64_t rest, uint64_t divisor, bool negative,
                      tw_round mode)
{
    switch (mode) {
    case TW_ROUND_HALF_EVEN:
        return rest > divisor - rest || (rest == divisor - rest && (quotient & 1) != 0);
    case TW_ROUND_DOWN: return negative && rest != 0;
    case TW_ROUND_UP: return !negative && rest != 0;
    case TW_ROUND_ZERO: break;
    }
    return false;
}

/* Contracts do this all the time: at most one division, of sizes without sign, and mostly one of 64
 * bits. */
bool tw_muldiv(int64_t a, int64_t b, int64_t divisor, tw_round mode, int64_t *ret_result)
{
    if (divisor == 0) return false;
    const tw_int128 product = (tw_int128)a * b;
    const bool negative = (product < 0) != (divisor < 0);
    const tw_uint128 size = product < 0 ? -(tw_uint128)product : (tw_uint128)product;
    const uint64_t by = divisor < 0 ? -(uint64_t)divisor : (uint64_t)divisor;
    if ((uint64_t)(size >> 64) >= by) return false; /* 2^64 or more */
    const uint64_t low = (uint64_t)size;
    uint64_t quotient = size >> 64 == 0 ? low / by : (uint64_t)(size / by);
    const uint64_t rest = low - quotient * by;
    const uint64_t limit = (uint64_t)INT64_MAX + negative;
    if (quotient > limit) return false;
    quotient += goes_away(quotient, rest, by, negative, mode);
    if (quotient > limit) return false;
    *ret_result = (int64_t)(negative ? -quotient : quotient);
    return true;
}

/* Of a value that is not 0. */
static unsigned bits_of(tw_uint128 value)
{
    const uint64_t high = (uint64_t)(value >> 64);
    if (high != 0) return 128 - (unsigned)__builtin_clzll(high);
    return 64 - (unsigned)__builtin_clzll((uint64_t)value);
}

/* Newton's steps from a power of two that is not below the root: they fall to it and stop there. A
 * root of 2^64 can't begin, so the largest one stands for it. */
uint64_t tw_sqrt_u128(tw_uint128 value)
{
    if (value == 0) return 0;
    const unsigned half = (bits_of(value) + 1) / 2;
    uint64_t root = half < 64 ? (uint64_t)1 << half : UINT64_MAX;
    for (;;) {
        const tw_uint128 quotient =
            value >> 64 == 0 ? (uint64_t)value / root : value / root; /* 64 bits are faster */
        if (quotient >= root) return root;
        root = (uint64_t)((root + quotient) / 2);
    }
}

int64_t tw_root_mean(tw_uint128 sum, uint64_t count)
{
    /* root <= sqrt(S / n) < root + 1; the half way point is passed when (2 root + 1)^2 n > 4 S */
    uint64_t root = tw_sqrt_u128(sum / count);
    const tw_uint128 half = (tw_uint128)(2 * root + 1) * (2 * root + 1) * count;
    if (half < 4 * sum || (half == 4 * sum && root % 2 == 1)) root++;
    return (int64_t)root;
}

bool tw_scale(tw_int128 numerator, int64_t factor, tw_int128 denominator, int64_t *ret_result)
{
    const bool negative = numerator < 0;
    const tw_uint128 size = negative ? -(tw_uint128)numerator : (tw_uint128)numerator;
    const tw_uint128 low = (tw_uint128)(uint64_t)size * (uint64_t)factor;
    const tw_uint128 high = (size >> 64) * (uint64_t)factor + (low >> 64);
    if (high >> 63 == 0) { /* 127 bits: what readings that change slowly give */
        const tw_int128 product = (tw_int128)(high << 64 | (uint64_t)low);
        return tw_div_round(negative ? -product : product, denominator, TW_ROUND_HALF_EVEN,
                            ret_result);
    }
    /* 192 bits: high : low64. Long division, one bit at a time. */
    const tw_uint128 divisor = (tw_uint128)denominator;
    tw_uint128 rest = 0;
    tw_uint128 quotient = 0;
    for (int bit = 191; bit >= 0; bit--) {
        const unsigned next =
            bit >= 64 ? (unsigned)(high >> (bit - 64) & 1) : (unsigned)((uint64_t)low >> bit & 1);
        if (quotient >> 126 != 0) return false;
        rest = rest << 1 | next;
        quotient <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient |= 1;
        }
    }
    const tw_uint128 other = divisor - rest;
    if (rest > other || (rest == other && (quotient & 1) != 0)) quotient++;
    if (quotient > (tw_uint128)INT64_MAX + negative) return false; /* -2^63 fits, 2^63 does not */
    *ret_result = (int64_t)(negative ? -(uint64_t)quotient : (uint64_t)quotient);
    return true;
}
