/* samples -- see the header. One short loop each, which asks nothing of a sample but its number.
 * Sums are unsigned: samples of a damaged page may be any, and then they wrap. */
#include "vm/base/samples.h"

int64_t tw_samples_sum(const uint8_t *run, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += (uint64_t)tw_sample_value(run, i);
    return (int64_t)sum;
}

tw_uint128 tw_samples_squares(const uint8_t *run, uint64_t count)
{
    tw_uint128 squares = 0;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t value = tw_sample_value(run, i);
        squares += (tw_uint128)((tw_int128)value * value);
    }
    return squares;
}

void tw_samples_values(const uint8_t *run, uint64_t count, int64_t *ret_values)
{
    for (uint64_t i = 0; i < count; i++) ret_values[i] = tw_sample_value(run, i);
}

void tw_samples_range(const uint8_t *run, uint64_t count, int64_t *low, int64_t *high)
{
    int64_t least = *low; /* kept in registers */
    int64_t most = *high;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t value = tw_sample_value(run, i);
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    *low = least;
    *high = most;
}

static int64_t less(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

void tw_samples_moments(const uint8_t *run, uint64_t count, tw_moments *sums)
{
    for (uint64_t i = 0; i < count; i++) {
        const int64_t t = less(tw_sample_time(run, i), sums->time);
        const int64_t v = less(tw_sample_value(run, i), sums->value);
        sums->t += tw_wide(t);
        sums->v += tw_wide(v);
        sums->tt += (tw_uint128)((tw_int128)t * t);
        sums->tv += (tw_uint128)((tw_int128)t * v);
    }
}

bool tw_moments_slope(const tw_moments *sums, uint64_t count, int64_t duration, bool *ret_some,
                      int64_t *ret_value)
{
    const tw_uint128 n = (tw_uint128)count;
    const tw_int128 denominator = (tw_int128)(n * sums->tt - sums->t * sums->t);
    const tw_int128 numerator = (tw_int128)(n * sums->tv - sums->t * sums->v);
    *ret_some = denominator > 0;
    if (!*ret_some) return true;
    return tw_scale(numerator, duration, denominator, ret_value);
}
