/* test_arena -- zeroed, aligned memory under a limit, given back by mark; sizes that overflow. */
#include "tests/unit/state_fixture.h"
#include "vm/base/arena.h"

#include <criterion/criterion.h>

static bool all_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) return false;
    }
    return true;
}

Test(arena, memory_is_zeroed_aligned_and_apart)
{
    tw_arena *arena = tw_arena_new(64 * MIB);
    uint64_t seed = 1;
    uint8_t *before = NULL;
    size_t before_size = 0;
    for (int i = 0; i < 3000; i++) {
        const size_t size = random_below(&seed, 9000);
        uint8_t *memory = tw_arena_get(arena, size);
        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % 16, 0);
        cr_assert(all_zero(memory, size));
        memset(memory, 0xA5, size);
        for (size_t k = 0; k < before_size; k++) cr_assert_eq(before[k], 0x5A);
        memset(memory, 0x5A, size);
        before = memory;
        before_size = size;
    }
    tw_arena_free(arena);
    tw_arena_free(NULL);
}

/* What was used before a reset is zero again when it is given out anew. */
Test(arena, memory_that_was_used_before_is_zeroed_again)
{
    tw_arena *arena = tw_arena_new(MIB);
    for (int round = 0; round < 4; round++) {
        uint8_t *memory = tw_arena_get(arena, 10000);
        cr_assert(all_zero(memory, 10000));
        memset(memory, 0xFF, 10000);
        tw_arena_clear(arena);
        cr_assert_eq(tw_arena_used(arena), 0);
    }
    tw_arena_free(arena);
}

Test(arena, the_limit_holds_to_the_byte)
{
    tw_arena *arena = tw_arena_new(4096);
    cr_assert_null(tw_arena_get(arena, 4097));
    cr_assert_not_null(tw_arena_get(arena, 4096));
    cr_assert_null(tw_arena_get(arena, 1));
    cr_assert_not_null(tw_arena_get(arena, 0));
    cr_assert_eq(tw_arena_used(arena), 4096);
    tw_arena_clear(arena);
    for (int i = 0; i < 256; i++) cr_assert_not_null(tw_arena_get(arena, 16));
    cr_assert_null(tw_arena_get(arena, 1));
    tw_arena_clear(arena);
    cr_assert_not_null(tw_arena_get(arena, 4000));
    cr_assert_null(tw_arena_get(arena, 100), "a refused request must leave the rest as it was");
    cr_assert_not_null(tw_arena_get(arena, 96));
    tw_arena_free(arena);
}

Test(arena, sizes_that_overflow_are_refused)
{
    tw_arena *arena = tw_arena_new(SIZE_MAX);
    cr_assert_null(tw_arena_get(arena, SIZE_MAX));
    cr_assert_null(tw_arena_get(arena, SIZE_MAX - 15));
    cr_assert_null(tw_arena_get(arena, SIZE_MAX - 40));
    cr_assert_null(tw_arena_array(arena, SIZE_MAX / 2 + 1, 2));
    cr_assert_null(tw_arena_array(arena, SIZE_MAX, SIZE_MAX));
    cr_assert_null(tw_arena_copy(arena, "", SIZE_MAX));
    cr_assert_not_null(tw_arena_array(arena, 0, SIZE_MAX));
    cr_assert_not_null(tw_arena_array(arena, SIZE_MAX, 0));
    cr_assert_not_null(tw_arena_get(arena, 100));
    tw_arena_free(arena);
}

Test(arena, a_copy_ends_with_a_nul)
{
    tw_arena *arena = tw_arena_new(MIB);
    memset(tw_arena_get(arena, 64), 0xFF, 64);
    tw_arena_clear(arena);
    const char *copy = tw_arena_copy(arena, "pump", 4);
    cr_assert_str_eq(copy, "pump");
    cr_assert_str_eq(tw_arena_copy(arena, NULL, 0), "");
    tw_arena_free(arena);
}

/* Marks at every fill level of the first chunks: what lies before them survives the reset. */
Test(arena, a_reset_goes_back_to_its_mark)
{
    uint64_t seed = 2;
    for (int round = 0; round < 300; round++) {
        tw_arena *arena = tw_arena_new(16 * MIB);
        uint64_t *kept[64];
        const size_t count = random_below(&seed, 64);
        for (size_t i = 0; i < count; i++) {
            kept[i] = tw_arena_get(arena, 8 + random_below(&seed, 3000));
            *kept[i] = i;
        }
        const size_t used = tw_arena_used(arena);
        const tw_mark mark = tw_arena_mark(arena);
        for (size_t i = random_below(&seed, 64); i > 0; i--) {
            const size_t size = random_below(&seed, 40000);
            memset(tw_arena_get(arena, size), 0xEE, size);
        }
        tw_arena_reset(arena, mark);
        cr_assert_eq(tw_arena_used(arena), used);
        for (size_t i = 0; i < count; i++) cr_assert_eq(*kept[i], i);
        cr_assert(all_zero(tw_arena_get(arena, 5000), 5000));
        tw_arena_free(arena);
    }
}

Test(arena, marks_nest)
{
    tw_arena *arena = tw_arena_new(MIB);
    const tw_mark outer = tw_arena_mark(arena); /* of an arena that holds nothing yet */
    (void)tw_arena_get(arena, 20000);
    const tw_mark inner = tw_arena_mark(arena);
    (void)tw_arena_get(arena, 50000);
    tw_arena_reset(arena, inner);
    cr_assert_eq(tw_arena_used(arena), 20000);
    tw_arena_reset(arena, outer);
    cr_assert_eq(tw_arena_used(arena), 0);
    cr_assert_not_null(tw_arena_get(arena, MIB));
    tw_arena_free(arena);
}

Test(arena, own_objects_are_zeroed_also_when_they_grow)
{
    uint8_t *memory = tw_mem_new(100);
    cr_assert(all_zero(memory, 100));
    memset(memory, 0xFF, 100);
    memory = tw_mem_resize(memory, 100, 5000);
    cr_assert_eq(memory[99], 0xFF);
    cr_assert(all_zero(memory + 100, 4900));
    memory = tw_mem_resize(memory, 5000, 10);
    cr_assert_eq(memory[9], 0xFF);
    tw_mem_free(memory);
    tw_mem_free(NULL);
    memory = tw_mem_resize(NULL, 0, 50);
    cr_assert(all_zero(memory, 50));
    tw_mem_free(memory);
}
