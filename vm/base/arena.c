/* arena -- chunked bump allocation.
 *
 * Chunks double from 16 KiB to 1 MiB, so an arena for a tiny call costs one chunk and a large
 * compilation few. A chunk that a reset leaves behind is freed, but the first one stays: a
 * context that is cleared after each call allocates nothing from then on.
 */
#include "vm/base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_MIN = 16 * 1024, CHUNK_MAX = 1024 * 1024, ALIGN = 16 };

typedef struct chunk {
    struct chunk *before;
    size_t size; /* of the bytes after this header */
    size_t used;
    size_t total_before; /* used bytes in all chunks before this one */
} chunk;

struct tw_arena {
    chunk *last;
    size_t size_max;
    size_t size_next;
    bool failed;
};

static_assert(sizeof(chunk) % ALIGN == 0, "chunk data must stay aligned");

static unsigned char *chunk_data(chunk *c)
{
    return (unsigned char *)(c + 1);
}

tw_arena *tw_arena_new(size_t size_max)
{
    tw_arena *arena = tw_mem_new(sizeof *arena);
    if (arena == NULL) return NULL;
    arena->size_max = size_max;
    arena->size_next = CHUNK_MIN;
    return arena;
}

void tw_arena_free(tw_arena *arena)
{
    if (arena == NULL) return;
    while (arena->last != NULL) {
        chunk *c = arena->last;
        arena->last = c->before;
        free(c);
    }
    free(arena);
}

size_t tw_arena_used(const tw_arena *arena)
{
    return arena->last == NULL ? 0 : arena->last->total_before + arena->last->used;
}

static chunk *grow(tw_arena *arena, size_t size)
{
    size_t wanted = arena->size_next > size ? arena->size_next : size;
    chunk *c = malloc(sizeof *c + wanted);
    if (c == NULL) return NULL;
    *c = (chunk){arena->last, wanted, 0, tw_arena_used(arena)};
    arena->last = c;
    if (arena->size_next < CHUNK_MAX) arena->size_next *= 2;
    return c;
}

static void *fail(tw_arena *arena)
{
    arena->failed = true;
    return NULL;
}

bool tw_arena_failed(const tw_arena *arena)
{
    return arena->failed;
}

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* Not zeroed. */
static void *reserve(tw_arena *arena, size_t size)
{
    if (size > arena->size_max || size > SIZE_MAX - sizeof(chunk) - ALIGN) return fail(arena);
    const size_t rounded = round_up(size);
    if (rounded > arena->size_max - tw_arena_used(arena)) return fail(arena);
    chunk *c = arena->last;
    if (c == NULL || c->size - c->used < rounded) c = grow(arena, rounded);
    if (c == NULL) return fail(arena);
    void *memory = chunk_data(c) + c->used;
    c->used += rounded;
    return memory;
}

void *tw_arena_get(tw_arena *arena, size_t size)
{
    void *memory = reserve(arena, size);
    return memory != NULL ? memset(memory, 0, round_up(size)) : NULL;
}

void *tw_arena_array(tw_arena *arena, size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) return fail(arena);
    return tw_arena_get(arena, total);
}

char *tw_arena_copy(tw_arena *arena, const void *bytes, size_t size)
{
    char *copy = size < SIZE_MAX ? reserve(arena, size + 1) : NULL;
    if (copy == NULL) return NULL;
    if (size > 0) memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

tw_mark tw_arena_mark(const tw_arena *arena)
{
    return (tw_mark){arena->last, arena->last == NULL ? 0 : arena->last->used};
}

void tw_arena_reset(tw_arena *arena, tw_mark mark)
{
    while (arena->last != NULL && arena->last != mark.chunk) {
        if (arena->last->before == NULL && mark.chunk == NULL) break;
        chunk *c = arena->last;
        arena->last = c->before;
        free(c);
    }
    if (arena->last != NULL) arena->last->used = mark.used;
}

void tw_arena_clear(tw_arena *arena)
{
    tw_arena_reset(arena, (tw_mark){NULL, 0});
}

void *tw_mem_new(size_t size)
{
    return calloc(1, size > 0 ? size : 1);
}

void *tw_mem_resize(void *memory, size_t size_old, size_t size_new)
{
    unsigned char *resized = realloc(memory, size_new > 0 ? size_new : 1);
    if (resized != NULL && size_new > size_old) {
        memset(resized + size_old, 0, size_new - size_old);
    }
    return resized;
}

void tw_mem_free(void *memory)
{
    free(memory);
}
