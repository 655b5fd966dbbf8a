/* pool -- see the header. The class of a capacity is the class of the sizes rounded up to it, so a
 * buffer needs no header of its own. */
#include "vm/state/pool.h"

#include <assert.h>
#include <string.h>

static const size_t size_max = (size_t)1 << 31;

/* Bits that size - 1 needs: size lies in (2^(n-1), 2^n]. For sizes over TW_POOL_SMALL_MAX. */
static unsigned bits_of(size_t size)
{
    return 64u - (unsigned)__builtin_clzll((unsigned long long)(size - 1));
}

size_t tw_pool_capacity(size_t size)
{
    if (size <= TW_POOL_SMALL_MAX)
        return size == 0 ? TW_POOL_STEP : (size + TW_POOL_STEP - 1) / TW_POOL_STEP * TW_POOL_STEP;
    const size_t quarter = (size_t)1 << (bits_of(size) - 3);
    return (size + quarter - 1) & ~(quarter - 1);
}

static size_t class_of(size_t capacity)
{
    if (capacity <= TW_POOL_SMALL_MAX) return capacity / TW_POOL_STEP - 1;
    const unsigned bits = bits_of(capacity);
    const size_t quarters = capacity >> (bits - 3); /* 5 to 8 */
    return 4 + 4 * (size_t)(bits - 7) + (quarters - 5);
}

void *tw_pool_get(tw_pool *pool, size_t size)
{
    if (size > size_max) return NULL;
    const size_t capacity = tw_pool_capacity(size);
    const size_t index = class_of(capacity);
    assert(index < TW_POOL_CLASSES);
    void *memory = pool->free[index];
    if (memory == NULL) return tw_arena_get(pool->arena, capacity);
    memcpy(&pool->free[index], memory, sizeof(void *));
    return memory;
}

void tw_pool_put_any(tw_pool *pool, void *memory, size_t size)
{
    if (memory == NULL) return;
    const size_t index = class_of(tw_pool_capacity(size));
    assert(index < TW_POOL_CLASSES);
    memcpy(memory, &pool->free[index], sizeof(void *));
    pool->free[index] = memory;
}

void tw_pool_clear(tw_pool *pool)
{
    memset(pool->free, 0, sizeof pool->free);
    tw_arena_clear(pool->arena);
}
