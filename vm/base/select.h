/* select -- the value at a rank among others, without sorting them.
 *
 * Called by the statistics over windows. The time depends on how many values there are and how far
 * they are apart, hardly on what they are: no input makes it much slower than another, so its price
 * can be honest. The result is that of a sort, on every machine.
 */
#ifndef TW_BASE_SELECT_H
#define TW_BASE_SELECT_H

#include <stdint.h>

/* The value with `rank` smaller ones before it in ascending order; rank < count. `values` are used
 * as memory and hold nothing afterwards. */
int64_t tw_select(int64_t *values, uint64_t count, uint64_t rank);

#endif
