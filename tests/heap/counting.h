/* counting -- calls to the host's memory, counted while somebody listens.
 *
 * Included by the one file of a program that the linker is told to --wrap malloc, calloc and
 * realloc for: heap.c, and tests/unit/test_heap.c.
 */
#ifndef TW_TESTS_HEAP_COUNTING_H
#define TW_TESTS_HEAP_COUNTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static volatile bool counting; /* set around what is listened to */
static uint64_t calls;         /* met meanwhile */

/* The names are the linker's. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    calls += counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls += counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    calls += counting;
    return __real_realloc(memory, size);
}

#endif
