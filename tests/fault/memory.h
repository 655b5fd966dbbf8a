/* memory -- the host's memory under our own code, which fails when a test says so.
 *
 * Linked into the programs alloc*.c with the linker's --wrap for malloc, calloc, realloc and free:
 * it is then under each call of our code, and under none of a library's. What was given and not yet
 * freed is counted always, so a test sees a leak in any build.
 */
#ifndef TW_TESTS_FAULT_MEMORY_H
#define TW_TESTS_FAULT_MEMORY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Calls, of whatever thread, of which one is to fail. */
typedef struct plan {
    pthread_mutex_t lock;
    uint64_t calls, at; /* at 0: none fails */
    bool failed;
} plan;

#define PLAN                                                                                       \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

/* From now on call number `n` fails; 0: none. Whether the one that was planned before has come. */
bool plan_set(plan *p, uint64_t n);
/* One more call: whether it is the one. */
bool plan_meets(plan *p);

/* The same for the calls to memory. */
bool memory_fail(uint64_t n);
bool memory_failed(void); /* it has come */
/* Blocks that our code holds. */
int64_t memory_held(void);
/* Looks at each block before it is freed, and at those that realloc may move; NULL: nobody. */
void memory_watch(void (*look)(const void *block, size_t size));

#endif
