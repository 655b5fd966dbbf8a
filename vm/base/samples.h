/* samples -- arithmetic over samples as they stand one behind another in a page: (time, value), 8
 * bytes each, big-endian.
 *
 * Called by the statistics over windows. Values lie within 2^52 of 0 and a run has at most 2^11
 * samples, so that its sum fits 64 bits, its squares and moments 128. Of others, which only a
 * damaged page has, the results are those modulo 2^64 and 2^128.
 */
#ifndef TW_BASE_SAMPLES_H
#define TW_BASE_SAMPLES_H

#include "vm/base/bytes.h"
#include "vm/base/math.h"

enum { TW_SAMPLE_SIZE = 16 };

static inline int64_t tw_sample_time(const uint8_t *run, uint64_t place)
{
    return (int64_t)tw_load_u64(run + TW_SAMPLE_SIZE * place);
}
static inline int64_t tw_sample_value(const uint8_t *run, uint64_t place)
{
    return (int64_t)tw_load_u64(run + TW_SAMPLE_SIZE * place + 8);
}

/* To be added up modulo 2^128, where a sum may not fit. */
static inline tw_uint128 tw_wide(int64_t value)
{
    return (tw_uint128)(tw_int128)value;
}

/* Of `count` samples. */
int64_t tw_samples_sum(const uint8_t *run, uint64_t count);
tw_uint128 tw_samples_squares(const uint8_t *run, uint64_t count);
void tw_samples_values(const uint8_t *run, uint64_t count, int64_t *ret_values);

/* Makes the range from `low` to `high` reach over them. */
void tw_samples_range(const uint8_t *run, uint64_t count, int64_t *low, int64_t *high);

/* Sums of times, values and their products, both taken from an origin: what a line is fitted by. */
typedef struct tw_moments {
    int64_t time, value;     /* the origin */
    tw_uint128 t, v, tt, tv; /* of numbers below 0 too, modulo 2^128 */
} tw_moments;

void tw_samples_moments(const uint8_t *run, uint64_t count, tw_moments *sums);

/* The least-squares slope of `count` samples, times `duration`. *ret_some is false with fewer than
 * two distinct times; returns false when it does not fit. Times lie within 2^46 of the origin. */
bool tw_moments_slope(const tw_moments *sums, uint64_t count, int64_t duration, bool *ret_some,
                      int64_t *ret_value);

#endif
