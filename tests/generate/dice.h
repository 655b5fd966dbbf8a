/* dice -- the random numbers of generated programs: SplitMix64, so a seed is a program.
 *
 * Used by the generator, the scenes that programs are run in, and the mutations. The constants are
 * those of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
 */
#ifndef TW_TESTS_GENERATE_DICE_H
#define TW_TESTS_GENERATE_DICE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct dice {
    uint64_t state;
} dice;

static inline uint64_t dice_next(dice *d)
{
    uint64_t z = (d->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 <= result < limit; 0 when there is no such number. */
static inline uint32_t dice_below(dice *d, uint32_t limit)
{
    return (uint32_t)((dice_next(d) >> 32) * limit >> 32);
}

/* low <= result <= high, which lie close together. */
static inline int32_t dice_between(dice *d, int32_t low, int32_t high)
{
    return low + (int32_t)dice_below(d, (uint32_t)(high - low) + 1);
}

static inline bool dice_percent(dice *d, uint32_t percent)
{
    return dice_below(d, 100) < percent;
}

#endif
