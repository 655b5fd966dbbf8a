/* wide -- whole numbers of up to 256 bits as a sign and limbs, worked on as on paper.
 *
 * The reference interpreter computes with them wherever a result may leave 64 bits, so that it
 * shares neither the compiler's 128-bit integers nor its overflow checks with the machine. Nothing
 * here needs more than 200 bits; a result that would leave 256 stops the program.
 */
#ifndef TW_TEST_REFERENCE_WIDE_H
#define TW_TEST_REFERENCE_WIDE_H

#include "vm/base/math.h"

enum { WIDE_LIMBS = 8 };

typedef struct wide {
    bool negative;              /* false for 0 */
    uint32_t limbs[WIDE_LIMBS]; /* lowest first */
} wide;

wide wide_of(int64_t value);
bool wide_is_zero(const wide *a);
int wide_compare(const wide *a, const wide *b);
wide wide_add(wide a, wide b);
wide wide_subtract(wide a, wide b);
wide wide_multiply(wide a, wide b);

/* False when the number has no place in 64 bits. */
bool wide_to_int(const wide *a, int64_t *ret_value);

/* a / b, not 0, rounded by `mode`. */
wide wide_divide(wide a, wide b, tw_round mode);

/* The largest whole number whose square is not above `a`, which is not below 0. */
wide wide_root(wide a);

#endif
