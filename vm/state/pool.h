/* pool -- buffers of any size over an arena, given back one by one.
 *
 * Used by the overlay and the memory store, whose values come and go within one arena. Sizes are
 * rounded up to a class (16 bytes apart, then four classes a power of two), a free list a class,
 * so that in steady state nothing is asked of the arena. Contents of a buffer are not defined.
 */
#ifndef TW_STATE_POOL_H
#define TW_STATE_POOL_H

#include "vm/base/arena.h"

#include <string.h>

enum {
    TW_POOL_CLASSES = 128, /* up to 2^31 bytes */
    TW_POOL_SMALL_MAX = 64,
    TW_POOL_STEP = 16
};

typedef struct tw_pool {
    tw_arena *arena;
    void *free[TW_POOL_CLASSES];
} tw_pool;

/* The bytes that a buffer of `size` really has. */
size_t tw_pool_capacity(size_t size);

/* NULL when the arena's limit is met or size is over 2^31. */
void *tw_pool_get(tw_pool *pool, size_t size);

/* A buffer that was given back, of at most TW_POOL_SMALL_MAX bytes; NULL when none is at hand. */
static inline void *tw_pool_again(tw_pool *pool, size_t size)
{
    if (size - 1 >= TW_POOL_SMALL_MAX) return NULL; /* 0 too */
    void **free = &pool->free[(size - 1) / TW_POOL_STEP];
    void *memory = *free;
    if (memory != NULL) memcpy(free, memory, sizeof(void *));
    return memory;
}

void tw_pool_put_any(tw_pool *pool, void *memory, size_t size);

/* `size` is what was asked for, or the capacity. NULL is allowed. */
static inline void tw_pool_put(tw_pool *pool, void *memory, size_t size)
{
    if (memory == NULL || size - 1 >= TW_POOL_SMALL_MAX) {
        tw_pool_put_any(pool, memory, size);
        return;
    }
    void **free = &pool->free[(size - 1) / TW_POOL_STEP];
    memcpy(memory, free, sizeof(void *));
    *free = memory;
}

/* Forgets all buffers; clears the arena. */
void tw_pool_clear(tw_pool *pool);

#endif
