/* crew -- see the header. One lock, one queue. A thread sleeps when the queue is empty, the owner
 * when the job it waits for is being done and there is no other; both are woken only if they sleep,
 * so giving a job to a busy crew costs a lock and no call to the system. */
#include "vm/base/crew.h"

#include "vm/base/arena.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

enum { JOB_IDLE, JOB_QUEUED, JOB_TAKEN, JOB_DONE };

struct tw_crew {
    pthread_mutex_t lock;
    pthread_cond_t given;    /* to threads: there is a job, or the end */
    pthread_cond_t finished; /* to the owner */
    tw_job *first, *last;
    unsigned sleeping; /* threads */
    bool waiting;      /* the owner sleeps */
    bool ends;
    unsigned thread_count;
    pthread_t threads[TW_CREW_MAX];
};

static void must_be_zero(int failed)
{
    assert(failed == 0);
    (void)failed;
}

static void take_out(tw_crew *c, tw_job *job)
{
    *(job->before != NULL ? &job->before->after : &c->first) = job->after;
    *(job->after != NULL ? &job->after->before : &c->last) = job->before;
    job->before = job->after = NULL;
    atomic_store_explicit(&job->state, JOB_TAKEN, memory_order_relaxed);
}

/* Does a job of the queue with the lock let go, and takes the lock again. */
static void work_on(tw_crew *c, tw_job *job)
{
    take_out(c, job);
    must_be_zero(pthread_mutex_unlock(&c->lock));
    job->run(job->context);
    must_be_zero(pthread_mutex_lock(&c->lock));
    /* The owner may free the job as soon as it sees this. */
    atomic_store_explicit(&job->state, JOB_DONE, memory_order_release);
}

static void *thread_main(void *data)
{
    tw_crew *c = data;
    must_be_zero(pthread_mutex_lock(&c->lock));
    while (!c->ends) {
        if (c->first == NULL) {
            c->sleeping++;
            must_be_zero(pthread_cond_wait(&c->given, &c->lock));
            c->sleeping--;
            continue;
        }
        work_on(c, c->first);
        if (c->waiting) must_be_zero(pthread_cond_signal(&c->finished));
    }
    must_be_zero(pthread_mutex_unlock(&c->lock));
    return NULL;
}

/* Signals are for the thread that the program began with. */
static void start_threads(tw_crew *c, unsigned threads)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return;
    while (c->thread_count < threads && c->thread_count < TW_CREW_MAX) {
        if (pthread_create(&c->threads[c->thread_count], NULL, thread_main, c) != 0) break;
        c->thread_count++;
    }
    must_be_zero(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

tw_crew *tw_crew_new(unsigned threads)
{
    tw_crew *c = tw_mem_new(sizeof *c);
    if (c == NULL) return NULL;
    const bool lock = pthread_mutex_init(&c->lock, NULL) == 0;
    const bool given = pthread_cond_init(&c->given, NULL) == 0;
    const bool finished = pthread_cond_init(&c->finished, NULL) == 0;
    if (lock && given && finished) {
        start_threads(c, threads);
        return c;
    }
    if (lock) (void)pthread_mutex_destroy(&c->lock);
    if (given) (void)pthread_cond_destroy(&c->given);
    if (finished) (void)pthread_cond_destroy(&c->finished);
    tw_mem_free(c);
    return NULL;
}

void tw_crew_free(tw_crew *c)
{
    if (c == NULL) return;
    assert(c->first == NULL);
    must_be_zero(pthread_mutex_lock(&c->lock));
    c->ends = true;
    must_be_zero(pthread_cond_broadcast(&c->given));
    must_be_zero(pthread_mutex_unlock(&c->lock));
    for (unsigned i = 0; i < c->thread_count; i++) {
        must_be_zero(pthread_join(c->threads[i], NULL));
    }
    (void)pthread_cond_destroy(&c->finished);
    (void)pthread_cond_destroy(&c->given);
    (void)pthread_mutex_destroy(&c->lock);
    tw_mem_free(c);
}

unsigned tw_crew_threads(const tw_crew *c)
{
    return c != NULL ? c->thread_count : 0;
}

void tw_crew_give(tw_crew *c, tw_job *job, bool urgent)
{
    must_be_zero(pthread_mutex_lock(&c->lock));
    assert(atomic_load(&job->state) != JOB_QUEUED && atomic_load(&job->state) != JOB_TAKEN);
    atomic_store_explicit(&job->state, JOB_QUEUED, memory_order_relaxed);
    job->before = urgent ? NULL : c->last;
    job->after = urgent ? c->first : NULL;
    *(job->before != NULL ? &job->before->after : &c->first) = job;
    *(job->after != NULL ? &job->after->before : &c->last) = job;
    if (c->sleeping > 0) must_be_zero(pthread_cond_signal(&c->given));
    must_be_zero(pthread_mutex_unlock(&c->lock));
}

void tw_crew_wait(tw_crew *c, tw_job *job)
{
    assert(atomic_load(&job->state) != JOB_IDLE);
    if (atomic_load_explicit(&job->state, memory_order_acquire) == JOB_DONE) return;
    must_be_zero(pthread_mutex_lock(&c->lock));
    for (;;) {
        const int state = atomic_load_explicit(&job->state, memory_order_relaxed);
        if (state == JOB_DONE) break;
        if (state == JOB_QUEUED) {
            work_on(c, job);
        } else if (c->first != NULL) {
            work_on(c, c->first);
        } else {
            c->waiting = true;
            must_be_zero(pthread_cond_wait(&c->finished, &c->lock));
            c->waiting = false;
        }
    }
    must_be_zero(pthread_mutex_unlock(&c->lock));
}

bool tw_crew_drop(tw_crew *c, tw_job *job)
{
    bool was_queued = false;
    must_be_zero(pthread_mutex_lock(&c->lock));
    const int state = atomic_load_explicit(&job->state, memory_order_relaxed);
    if (state == JOB_QUEUED) {
        take_out(c, job);
        was_queued = true;
    }
    if (state == JOB_IDLE || was_queued) atomic_store(&job->state, JOB_IDLE);
    must_be_zero(pthread_mutex_unlock(&c->lock));
    if (state == JOB_IDLE || was_queued) return false;
    tw_crew_wait(c, job);
    return true;
}

unsigned tw_crew_processors(void)
{
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    if (count < 1) return 1;
    return count < TW_CREW_MAX ? (unsigned)count : TW_CREW_MAX;
}
