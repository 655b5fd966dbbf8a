/* crew -- threads that take small jobs off the hands of one owner.
 *
 * Used by the ledger (signatures of the transactions to come, writing a block) and the tree (half
 * of a root). Only the owner's thread gives jobs and waits for them; while it waits it works too,
 * so a crew without threads is allowed: its jobs are done by whoever waits for them, in their
 * order. What a job computes must not depend on when or where it is done; then no result does.
 */
#ifndef TW_BASE_CREW_H
#define TW_BASE_CREW_H

#include "vm/base/status.h"

#include <stdatomic.h>

enum { TW_CREW_MAX = 64 }; /* threads; more are not made */

typedef struct tw_crew tw_crew;

/* A job lies in memory of the owner's, zeroed before its first use; `run` gets `context`. */
typedef struct tw_job {
    void (*run)(void *context);
    void *context;
    /* the crew's: */
    atomic_int state;
    struct tw_job *before, *after; /* in the queue */
} tw_job;

/* `threads` beside the owner's; those that the host does not give are simply not there. They get no
 * signals. NULL without memory. */
tw_crew *tw_crew_new(unsigned threads);

/* No job may be left: each was waited for or dropped. NULL is allowed. */
void tw_crew_free(tw_crew *crew);

unsigned tw_crew_threads(const tw_crew *crew); /* 0 for NULL */

/* Puts a job at the end of the queue, or (urgent) at its front. */
void tw_crew_give(tw_crew *crew, tw_job *job, bool urgent);

/* Afterwards the job is done: by a thread or by the caller, who does others' jobs meanwhile. What
 * it wrote is seen by the caller. */
void tw_crew_wait(tw_crew *crew, tw_job *job);

/* Takes a job out of the queue; one that has begun is waited for. True when it was done. */
bool tw_crew_drop(tw_crew *crew, tw_job *job);

/* How many processors this process may use; at least 1, at most TW_CREW_MAX. */
unsigned tw_crew_processors(void);

#endif
