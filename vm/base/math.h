/* math -- checked 64-bit integer arithmetic, the only arithmetic contracts have.
 *
 * Called by the interpreter, the window statistics and the compiler's constant folding, so that
 * the three agree. Each function returns false (result untouched) where the language traps.
 */
#ifndef TW_BASE_MATH_H
#define TW_BASE_MATH_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tw_round {
    TW_ROUND_HALF_EVEN = 0,
    TW_ROUND_DOWN = 1, /* toward minus infinity */
    TW_ROUND_UP = 2,   /* toward plus infinity */
    TW_ROUND_ZERO = 3, /* toward zero */
} tw_round;

__extension__ typedef __int128 tw_int128;
__extension__ typedef unsigned __int128 tw_uint128;

/* numerator / denominator rounded once; false when the denominator is 0 or the result does not
 * fit 64 bits. */
bool tw_div_round(tw_int128 numerator, tw_int128 denominator, tw_round mode, int64_t *ret_result);

/* a * b / divisor with a 128-bit intermediate, rounded once. */
bool tw_muldiv(int64_t a, int64_t b, int64_t divisor, tw_round mode, int64_t *ret_result);

/* Floor of the square root. */
uint64_t tw_sqrt_u128(tw_uint128 value);

/* Square root of sum / count, rounded half to even. The sum is below 2^119, the count above 0 and
 * at most 2^14. */
int64_t tw_root_mean(tw_uint128 sum, uint64_t count);

/* numerator * factor / denominator with 192 bits between, rounded half to even, for |numerator| <
 * 2^127, 0 <= factor < 2^63 and 0 < denominator < 2^127. False when the result does not fit. */
bool tw_scale(tw_int128 numerator, int64_t factor, tw_int128 denominator, int64_t *ret_result);

/* Sums and products that stop at the largest value instead of wrapping: what bounds are made of. */
static inline uint32_t tw_add32_capped(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}
static inline uint64_t tw_mul_capped(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}
static inline uint32_t tw_mul32_capped(uint32_t a, uint64_t b)
{
    const uint64_t product = tw_mul_capped(a, b);
    return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

#endif
