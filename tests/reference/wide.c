/* wide -- see the header. Division goes bit by bit, the root by trying each bit: slow and plain. */
#include "tests/reference/wide.h"

#include <stdlib.h>

static void stop_unless(bool holds)
{
    if (!holds) abort();
}

wide wide_of(int64_t value)
{
    wide w = {.negative = value < 0};
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    w.limbs[0] = (uint32_t)size;
    w.limbs[1] = (uint32_t)(size >> 32);
    return w;
}

bool wide_is_zero(const wide *a)
{
    for (int i = 0; i < WIDE_LIMBS; i++) {
        if (a->limbs[i] != 0) return false;
    }
    return true;
}

/* Of the sizes, without the signs. */
static int compare_sizes(const wide *a, const wide *b)
{
    for (int i = WIDE_LIMBS - 1; i >= 0; i--) {
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

int wide_compare(const wide *a, const wide *b)
{
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    return a->negative ? -compare_sizes(a, b) : compare_sizes(a, b);
}

static void add_size(wide *a, const wide *b)
{
    uint64_t carry = 0;
    for (int i = 0; i < WIDE_LIMBS; i++) {
        carry += (uint64_t)a->limbs[i] + b->limbs[i];
        a->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    stop_unless(carry == 0);
}

/* The size of `a` is not under that of `b`. */
static void take_size(wide *a, const wide *b)
{
    int64_t borrow = 0;
    for (int i = 0; i < WIDE_LIMBS; i++) {
        int64_t limb = (int64_t)a->limbs[i] - b->limbs[i] - borrow;
        borrow = limb < 0;
        if (borrow) limb += (int64_t)1 << 32;
        a->limbs[i] = (uint32_t)limb;
    }
    stop_unless(borrow == 0);
}

wide wide_add(wide a, wide b)
{
    if (a.negative == b.negative) {
        add_size(&a, &b);
        return a;
    }
    if (compare_sizes(&a, &b) < 0) {
        const wide other = a;
        a = b;
        b = other;
    }
    take_size(&a, &b);
    if (wide_is_zero(&a)) a.negative = false;
    return a;
}

wide wide_subtract(wide a, wide b)
{
    if (!wide_is_zero(&b)) b.negative = !b.negative;
    return wide_add(a, b);
}

wide wide_multiply(wide a, wide b)
{
    wide product = {.negative = a.negative != b.negative};
    for (int i = 0; i < WIDE_LIMBS; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < WIDE_LIMBS; k++) {
            const uint64_t part = (uint64_t)a.limbs[i] * b.limbs[k];
            if (i + k >= WIDE_LIMBS) {
                stop_unless(part == 0 && carry == 0);
                continue;
            }
            carry += part + product.limbs[i + k];
            product.limbs[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        stop_unless(carry == 0);
    }
    if (wide_is_zero(&product)) product.negative = false;
    return product;
}

bool wide_to_int(const wide *a, int64_t *ret_value)
{
    for (int i = 2; i < WIDE_LIMBS; i++) {
        if (a->limbs[i] != 0) return false;
    }
    const uint64_t size = (uint64_t)a->limbs[1] << 32 | a->limbs[0];
    const uint64_t most = (uint64_t)INT64_MAX + (a->negative ? 1 : 0);
    if (size > most) return false;
    *ret_value = a->negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

static bool bit_of(const wide *a, int bit)
{
    return (a->limbs[bit / 32] >> (bit % 32) & 1) != 0;
}

/* Both without a sign. */
static wide divide_sizes(const wide *a, const wide *b, wide *ret_rest)
{
    wide quotient = {0};
    wide rest = {0};
    int limbs = WIDE_LIMBS;
    while (limbs > 0 && a->limbs[limbs - 1] == 0) {
        limbs--;
    }
    for (int bit = 32 * limbs - 1; bit >= 0; bit--) {
        const wide same = rest;
        add_size(&rest, &same);
        rest.limbs[0] |= bit_of(a, bit);
        if (compare_sizes(&rest, b) < 0) continue;
        take_size(&rest, b);
        quotient.limbs[bit / 32] |= (uint32_t)1 << (bit % 32);
    }
    *ret_rest = rest;
    return quotient;
}

wide wide_divide(wide a, wide b, tw_round mode)
{
    const wide one = wide_of(1);
    const bool negative = a.negative != b.negative;
    wide rest;
    a.negative = false;
    b.negative = false;
    wide quotient = divide_sizes(&a, &b, &rest);
    wide twice = rest;
    add_size(&twice, &rest);
    const int half = compare_sizes(&twice, &b);
    bool away = false;
    switch (mode) {
    case TW_ROUND_HALF_EVEN: away = half > 0 || (half == 0 && bit_of(&quotient, 0)); break;
    case TW_ROUND_DOWN: away = negative && !wide_is_zero(&rest); break;
    case TW_ROUND_UP: away = !negative && !wide_is_zero(&rest); break;
    case TW_ROUND_ZERO: break;
    }
    if (away) add_size(&quotient, &one);
    quotient.negative = negative && !wide_is_zero(&quotient);
    return quotient;
}

wide wide_root(wide a)
{
    wide root = {0};
    stop_unless(!a.negative);
    for (int bit = 32 * WIDE_LIMBS / 2 - 1; bit >= 0; bit--) {
        wide next = root;
        next.limbs[bit / 32] |= (uint32_t)1 << (bit % 32);
        const wide square = wide_multiply(next, next);
        if (compare_sizes(&square, &a) <= 0) root = next;
    }
    return root;
}
