/* select -- see the header. Values that lie within 2^31 of each other, as those of a sensor do, are
 * made 32 bits wide, and their range is halved by counting how many are in the lower half: no
 * branch depends on a value, and four are compared at a time. Values farther apart are first
 * thinned out: counted by their leading bits, and those with the bits of the sought one kept. */
#include "vm/base/select.h"

#include <assert.h>
#include <string.h>

enum { FEW = 24, BINS_BITS_FEW = 6, BINS_BITS_MANY = 9, MANY = 512, NARROW_BITS = 31 };

/* A vector of the compilers we build with; the order of its lanes doesn't matter to a count. */
typedef int32_t lanes __attribute__((vector_size(16)));
enum { LANES = 4, STEP = 2 * LANES };

typedef struct range {
    int64_t low, high;
} range;

static range range_of(const int64_t *values, uint64_t count)
{
    range r = {values[0], values[0]};
    for (uint64_t i = 1; i < count; i++) {
        r.low = values[i] < r.low ? values[i] : r.low;
        r.high = values[i] > r.high ? values[i] : r.high;
    }
    return r;
}

static int64_t select_few(int64_t *values, uint64_t count, uint64_t rank)
{
    for (uint64_t i = 1; i < count; i++) {
        const int64_t value = values[i];
        uint64_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1];
        values[at] = value;
    }
    return values[rank];
}

static uint64_t distance(int64_t low, int64_t high)
{
    return (uint64_t)high - (uint64_t)low;
}

static unsigned bits_of(uint64_t value)
{
    return 64 - (unsigned)__builtin_clzll(value | 1);
}

/* Keeps the values whose distance from `low` has the same leading bits as the sought one. */
static uint64_t thin_out(int64_t *values, uint64_t count, const range *r, uint64_t *rank)
{
    const unsigned bins_bits = count < MANY ? BINS_BITS_FEW : BINS_BITS_MANY;
    const unsigned shift = bits_of(distance(r->low, r->high)) - bins_bits;
    uint32_t bins[1 << BINS_BITS_MANY];
    memset(bins, 0, sizeof bins[0] << bins_bits);
    for (uint64_t i = 0; i < count; i++) bins[distance(r->low, values[i]) >> shift]++;
    uint64_t bin = 0;
    for (; *rank >= bins[bin]; bin++) *rank -= bins[bin];
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t value = values[i];
        values[kept] = value;
        kept += distance(r->low, value) >> shift == bin;
    }
    assert(kept == bins[bin]);
    return kept;
}

/* The values' distances from `low`, in the first half of their memory; up to a whole step, ones
 * that are larger than all that is asked for. */
static uint64_t make_narrow(int64_t *values, uint64_t count, int64_t low)
{
    int32_t *narrow = (int32_t *)values;
    const uint64_t whole = (count + STEP - 1) / STEP * STEP;
    for (uint64_t i = 0; i < count; i++) narrow[i] = (int32_t)distance(low, values[i]);
    for (uint64_t i = count; i < whole; i++) narrow[i] = INT32_MAX;
    return whole;
}

static uint64_t count_below(const int64_t *values, uint64_t whole, int32_t limit)
{
    const int32_t *narrow = (const int32_t *)values;
    const lanes limits = {limit, limit, limit, limit};
    lanes one = {0};
    lanes other = {0};
    for (uint64_t i = 0; i < whole; i += STEP) {
        lanes a;
        lanes b;
        memcpy(&a, narrow + i, sizeof a);
        memcpy(&b, narrow + i + LANES, sizeof b);
        one -= a < limits; /* a lane that is true is -1 */
        other -= b < limits;
    }
    one += other;
    return (uint64_t)one[0] + (uint64_t)one[1] + (uint64_t)one[2] + (uint64_t)one[3];
}

int64_t tw_select(int64_t *values, uint64_t count, uint64_t rank)
{
    assert(rank < count && count < UINT32_MAX / 2);
    range r = {0};
    while (count > FEW) {
        r = range_of(values, count);
        if (distance(r.low, r.high) >> NARROW_BITS == 0) break;
        count = thin_out(values, count, &r, &rank);
    }
    if (count <= FEW) return select_few(values, count, rank);
    const uint64_t whole = make_narrow(values, count, r.low);
    int32_t low = 0;
    int32_t high = (int32_t)distance(r.low, r.high);
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (count_below(values, whole, middle + 1) > rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return (int64_t)((uint64_t)r.low + (uint64_t)low);
}

int64_t tw_median(int64_t *values, uint64_t count)
{
    return tw_select(values, count, (count - 1) / 2);
}

int64_t tw_median_deviation(int64_t *values, uint64_t count)
{
    memcpy(values + count, values, count * sizeof *values);
    const int64_t median = tw_median(values, count);
    for (uint64_t i = 0; i < count; i++) {
        const int64_t value = values[count + i];
        values[i] = (int64_t)(value > median ? distance(median, value) : distance(value, median));
    }
    return tw_median(values, count);
}

bool tw_percentile(int64_t *values, uint64_t count, int64_t percent, int64_t *ret_value)
{
    const uint64_t whole = 100000000; /* 100 % in 10^-6 % */
    assert(count < UINT32_MAX);       /* so that the product fits */
    if (percent < 0 || (uint64_t)percent > whole) return false;
    const uint64_t rank = ((uint64_t)percent * count + whole - 1) / whole;
    *ret_value = tw_select(values, count, rank > 0 ? rank - 1 : 0);
    return true;
}
