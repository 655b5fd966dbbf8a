/* select -- the value at a rank among others, without sorting them.
 *
 * Called by the statistics over windows. The time depends on how many values there are and how far
 * they are apart, hardly on what they are: no input makes it much slower than another, so its price
 * can be honest. The result is that of a sort, on every machine.
 */
#ifndef TW_BASE_SELECT_H
#define TW_BASE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

/* The value with `rank` smaller ones before it in ascending order; rank < count. `values` are used
 * as memory and hold nothing afterwards. */
int64_t tw_select(int64_t *values, uint64_t count, uint64_t rank);

/* The same of at least one value: the median, the lower one of an even count; the median of the
 * distances from it, with room for as many values behind them; and the nearest rank of `percent`,
 * in 10^-6 %: the smallest with rank / count >= percent. False unless that is in 0 .. 100 %. */
int64_t tw_median(int64_t *values, uint64_t count);
int64_t tw_median_deviation(int64_t *values, uint64_t count);
bool tw_percentile(int64_t *values, uint64_t count, int64_t percent, int64_t *ret_value);

#endif
