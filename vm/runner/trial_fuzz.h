/* trial_fuzz -- the inside of a `test fuzz`: a script of steps is drawn, run, and when it breaks an
 * expectation shrunk and written as an ordinary test. Shared by trial_fuzz.c (the search),
 * trial_draw.c (what is drawn), trial_script.c (running and writing) and trial_shrink.c; nobody
 * else includes it.
 *
 * A value of a script is a list of tokens, one type after another: a number, an enum's value or a
 * bool is one token; a time its distance from now, a text, hash or twin its place among the texts,
 * an account two (role, number); an optional 0, or 1 and the value; a list its count and elements;
 * a record its members. So a script means the same when steps before it are taken away.
 */
#ifndef TW_RUNNER_TRIAL_FUZZ_H
#define TW_RUNNER_TRIAL_FUZZ_H

#include "vm/runner/trial_parts.h"

enum {
    TW_FUZZ_READINGS_MAX = 4,   /* of one feed */
    TW_FUZZ_TOKENS_MAX = 4096,  /* of one call */
    TW_FUZZ_DURATIONS_MAX = 64, /* constant ones that are drawn from */
    TW_FUZZ_TEXTS_MAX = 80,
    TW_FUZZ_STRANGERS = 2,
};

/* Member `number` of `role`; TWC_NO_ROLE: a stranger. */
typedef struct tw_fuzz_actor {
    uint16_t role;
    uint32_t number;
} tw_fuzz_actor;

typedef struct tw_fuzz_reading {
    uint16_t reading;
    int64_t value;
} tw_fuzz_reading;

typedef enum tw_fuzz_kind { TW_FUZZ_WAIT = 1, TW_FUZZ_CALL, TW_FUZZ_FEED } tw_fuzz_kind;

typedef struct tw_fuzz_step {
    tw_fuzz_kind kind;
    int64_t time;    /* WAIT, FEED: how long */
    int64_t period;  /* FEED */
    uint32_t action; /* CALL: of the plan's */
    uint32_t actor_count;
    uint32_t reading_count; /* FEED */
    uint32_t token_count;   /* CALL */
    int64_t *tokens;
    tw_fuzz_actor actors[TW_TX_SIGNERS_MAX]; /* CALL: the first sends. FEED: the device */
    tw_fuzz_reading readings[TW_FUZZ_READINGS_MAX];
    tw_trial_outcome outcome; /* of its last run */
} tw_fuzz_step;

typedef struct tw_fuzz {
    tw_trial *trial;
    const twc_test *test;
    const twc_fuzz *plan;
    const tw_module *m;
    uint64_t random; /* state of SplitMix64 */
    tw_arena *arena; /* tokens of the run at hand */
    tw_fuzz_step *steps;
    uint32_t step_count, step_max;
    int64_t durations[TW_FUZZ_DURATIONS_MAX];
    uint32_t duration_count;
    int64_t longest; /* of the durations */
    int64_t every;   /* shortest period of a timer; 0 without */
    const char *texts[TW_FUZZ_TEXTS_MAX];
    uint32_t text_count;
    int64_t *levels;  /* deploy constants */
    bool *left_out;   /* actions that this run does without */
    bool *unwritable; /* actions with an argument that no test can write */
    uint64_t budget;  /* steps that shrinking may still run */
} tw_fuzz;

/* ---- trial_draw.c ---- */
/* What is drawn from: once, after deploy. */
TW_MUST_USE tw_status tw_fuzz_prepare(tw_fuzz *f);
/* At the start of a run. */
void tw_fuzz_begin(tw_fuzz *f);
/* Appends the next step or two (a pause and a call) to the script. */
TW_MUST_USE tw_status tw_fuzz_draw(tw_fuzz *f);

/* ---- trial_script.c ---- */
/* The name of a stranger's account. */
const char *tw_fuzz_stranger(uint32_t number);
/* The tokens behind the value. */
const int64_t *tw_fuzz_skip(const tw_fuzz *f, uint16_t type, const int64_t *tokens);
/* Runs one step on the ledger as it stands. */
TW_MUST_USE tw_status tw_fuzz_run(tw_fuzz *f, tw_fuzz_step *step);
/* Looks at the expectations: *ret_broken is the first that does not hold, or UINT32_MAX. The test's
 * report says what is wrong with it. */
TW_MUST_USE tw_status tw_fuzz_look(tw_fuzz *f, uint32_t *ret_broken);
/* The script as a test block that fails as the search did. */
void tw_fuzz_write(const tw_fuzz *f, uint64_t run, uint32_t broken, tw_writer *w);

/* ---- trial_shrink.c ---- */
/* Makes the script, which breaks the expectation at its end, as short and simple as it can. */
TW_MUST_USE tw_status tw_fuzz_shrink(tw_fuzz *f, uint32_t broken);

#endif
