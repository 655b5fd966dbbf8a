/* memory -- see the header. */
#include "tests/fault/memory.h"

#include <malloc.h>
#include <stdatomic.h>

static struct {
    plan plan;
    atomic_int_fast64_t held;
    void (*look)(const void *block, size_t size);
} memory = {.plan = PLAN}; /* the wrapped functions have no other way to know */

bool plan_set(plan *p, uint64_t n)
{
    (void)pthread_mutex_lock(&p->lock);
    const bool failed = p->failed;
    p->calls = 0;
    p->at = n;
    p->failed = false;
    (void)pthread_mutex_unlock(&p->lock);
    return failed;
}

bool plan_meets(plan *p)
{
    (void)pthread_mutex_lock(&p->lock);
    const bool now = ++p->calls == p->at;
    p->failed = p->failed || now;
    (void)pthread_mutex_unlock(&p->lock);
    return now;
}

bool memory_fail(uint64_t n)
{
    return plan_set(&memory.plan, n);
}

bool memory_failed(void)
{
    (void)pthread_mutex_lock(&memory.plan.lock);
    const bool failed = memory.plan.failed;
    (void)pthread_mutex_unlock(&memory.plan.lock);
    return failed;
}

int64_t memory_held(void)
{
    return atomic_load(&memory.held);
}

void memory_watch(void (*look)(const void *block, size_t size))
{
    memory.look = look;
}

static void *given(void *block)
{
    if (block != NULL) (void)atomic_fetch_add(&memory.held, 1);
    return block;
}

static void watch(void *block)
{
    if (memory.look != NULL && block != NULL) memory.look(block, malloc_usable_size(block));
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    return plan_meets(&memory.plan) ? NULL : given(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return plan_meets(&memory.plan) ? NULL : given(__real_calloc(count, size));
}

/* Sizes are never 0 here (vm/base/arena.c), so a block stays one. */
void *__wrap_realloc(void *block, size_t size)
{
    if (plan_meets(&memory.plan)) return NULL;
    watch(block);
    void *moved = __real_realloc(block, size);
    return block == NULL ? given(moved) : moved;
}

void __wrap_free(void *block)
{
    if (block != NULL) (void)atomic_fetch_sub(&memory.held, 1);
    watch(block);
    __real_free(block);
}
