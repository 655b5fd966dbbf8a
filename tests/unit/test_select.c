/* test_select -- the value at every rank against a plain sort: random values of every width, equal
 * ones, sorted ones, pipes, and values whose leading bits keep as many as can be. */
#include "tests/unit/state_fixture.h"
#include "vm/base/select.h"

enum { COUNT_MAX = 5000, SHAPES = 8 };

static void insertion_sort(int64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const int64_t value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) values[at] = values[at - 1];
        values[at] = value;
    }
}

static int64_t shaped(unsigned shape, size_t i, size_t count, uint64_t *seed)
{
    const uint64_t random = random_next(seed);
    switch (shape) {
    case 0: return (int64_t)(random % 100000);
    case 1: return (int64_t)random;
    case 2: return (int64_t)(random >> random % 64);
    case 3: return (int64_t)i - 7;
    case 4: return (int64_t)(i < count / 2 ? i : count - i);
    case 5: return random % 2 == 0 ? INT64_MIN : INT64_MAX;
    case 6: return -1;
    default: break;
    }
    /* one value for each of the highest bits, the others close together */
    return i < 40 ? (int64_t)((uint64_t)1 << (62 - i)) : (int64_t)(random >> 34);
}

static void check(unsigned shape, size_t count, uint64_t *seed)
{
    static int64_t values[COUNT_MAX];
    static int64_t sorted[COUNT_MAX];
    static int64_t used[COUNT_MAX];
    for (size_t i = 0; i < count; i++) values[i] = sorted[i] = shaped(shape, i, count, seed);
    insertion_sort(sorted, count);
    const size_t ranks = count < 80 ? count : 20;
    for (size_t k = 0; k < ranks; k++) {
        const size_t rank = ranks == count ? k : random_below(seed, count);
        memcpy(used, values, count * sizeof *used);
        cr_assert_eq(tw_select(used, count, rank), sorted[rank], "shape %u, %zu values, rank %zu",
                     shape, count, rank);
    }
}

Test(select, gives_what_a_sort_gives_at_every_rank)
{
    uint64_t seed = 11;
    for (size_t count = 1; count < 140; count++) {
        for (unsigned shape = 0; shape < SHAPES; shape++) check(shape, count, &seed);
    }
}

Test(select, gives_what_a_sort_gives_of_many_values)
{
    uint64_t seed = 12;
    for (unsigned shape = 0; shape < SHAPES; shape++) {
        check(shape, 511, &seed);
        check(shape, 512, &seed);
        check(shape, COUNT_MAX, &seed);
    }
}

Test(select, stays_within_the_memory_of_its_values)
{
    uint64_t seed = 13;
    for (size_t count = 1; count < 200; count++) {
        int64_t memory[202] = {0};
        memory[0] = memory[count + 1] = -77;
        for (size_t i = 0; i < count; i++) memory[i + 1] = (int64_t)(random_next(&seed) % 1000);
        (void)tw_select(memory + 1, count, count / 2);
        cr_assert(memory[0] == -77 && memory[count + 1] == -77);
    }
}
