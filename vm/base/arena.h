/* arena -- all memory of the VM and the compiler comes from here.
 *
 * An arena is a chain of chunks with a total limit fixed when it is made; one for a
 * compilation, one for a call, one for a block. Memory is zeroed, aligned to 16, freed by mark or
 * all at once. `tw_mem_*` are the only calls to malloc in the project, for the few objects that
 * live on their own (an open store, a growing buffer).
 */
#ifndef TW_BASE_ARENA_H
#define TW_BASE_ARENA_H

#include "vm/base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct tw_arena tw_arena;

/* A place to go back to. */
typedef struct tw_mark {
    void *chunk;
    size_t used;
} tw_mark;

/* Makes an arena that will never hold more than `size_max` bytes. NULL without memory. */
tw_arena *tw_arena_new(size_t size_max);
void tw_arena_free(tw_arena *arena); /* NULL is allowed */

/* `size` zeroed bytes, or NULL when the limit is met or the host has none. size 0 is allowed. */
void *tw_arena_get(tw_arena *arena, size_t size);

/* True once anything could not be given: a long computation may ask at its end instead of after
 * each step. */
bool tw_arena_failed(const tw_arena *arena);

/* `count` zeroed elements; NULL also when count * size overflows. */
void *tw_arena_array(tw_arena *arena, size_t count, size_t size);

/* A copy of `size` bytes with a NUL after them. NULL as above. */
char *tw_arena_copy(tw_arena *arena, const void *bytes, size_t size);

tw_mark tw_arena_mark(const tw_arena *arena);
void tw_arena_reset(tw_arena *arena, tw_mark mark);
void tw_arena_clear(tw_arena *arena); /* keeps the first chunk for reuse */
size_t tw_arena_used(const tw_arena *arena);

#define TW_NEW(arena, type) ((type *)tw_arena_get((arena), sizeof(type)))
#define TW_NEW_ARRAY(arena, type, count) ((type *)tw_arena_array((arena), (count), sizeof(type)))

/* Own objects: zeroed; NULL without memory. tw_mem_free(NULL) is allowed. */
void *tw_mem_new(size_t size);
void *tw_mem_resize(void *memory, size_t size_old, size_t size_new); /* new bytes are zeroed */
void tw_mem_free(void *memory);

#endif
