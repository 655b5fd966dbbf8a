/* trial_parts -- the inside of a running test, shared by trial.c (ledger, accounts, blocks),
 * trial_step.c and trial_feed.c (what the steps mean), and what searches (trial_fuzz.h). Nobody
 * else includes it.
 */
#ifndef TW_RUNNER_TRIAL_PARTS_H
#define TW_RUNNER_TRIAL_PARTS_H

#include "vm/runner/trial.h"

enum { TW_TRIAL_MEMBERS_MAX = 8, TW_TRIAL_ACCOUNTS_MAX = 256, TW_TRIAL_TEXT_MAX = 16 * 1024 };

typedef struct tw_trial_account {
    char label[96]; /* "provider", "verifier 2", "account \"bob\"" */
    tw_secret secret;
    tw_account account;
    bool is_carrier;
} tw_trial_account;

/* The value of a reading that a device sent last. */
typedef struct tw_trial_said {
    const tw_trial_account *device;
    uint16_t reading;
    int64_t value;
} tw_trial_said;

/* Where tw_trial_back goes back to. */
typedef struct tw_trial_start {
    int64_t now;
    uint64_t *events, *gas_last;
    int64_t *minted;
} tw_trial_start;

typedef struct tw_trial {
    tw_store *store;
    tw_ledger *ledger;
    tw_code *code;        /* of the contract */
    tw_code **test_codes; /* of the test: the same with formulas behind it */
    uint32_t test_code_count;
    tw_arena *arena; /* of a step */
    tw_hash contract;
    int64_t now;
    tw_trial_account accounts[TW_TRIAL_ACCOUNTS_MAX];
    uint32_t account_count;
    uint32_t endowed;    /* the accounts before this have their money */
    uint64_t *events;    /* counted since the start, by kind */
    uint64_t *gas_last;  /* of the last successful call, by entry */
    int64_t *minted;     /* since the start, by money */
    tw_trial_said *said; /* what devices said last, for those that freeze */
    uint32_t said_count;
    tw_trial_start start;
    bool trusts; /* nothing is signed */
    bool counts; /* runs that fail go to report->found.failures */
    const tw_trial_options *options;
    tw_writer packed;
    tw_writer transaction;
    tw_trial_report *report;
    tw_err *err;
} tw_trial;

/* How a transaction ended, and in words when it did not succeed. */
typedef struct tw_trial_outcome {
    tw_status status;
    uint16_t index;
} tw_trial_outcome;

/* The account of an actor; made on first use. NULL when there are too many. */
const tw_trial_account *tw_trial_member(tw_trial *trial, uint16_t role, uint32_t number);
const tw_trial_account *tw_trial_named(tw_trial *trial, const char *name);

/* ---- money: trial_money.c ---- */

/* What each account of a test holds of a money at the start. */
int64_t tw_trial_endowment(const tw_money *money);
/* An asset for each currency of the contract; the deploy's list of them; what a call may take. */
TW_MUST_USE tw_status tw_trial_assets(tw_trial *trial, tw_genesis *genesis);
TW_MUST_USE tw_status tw_trial_bind(tw_trial *trial, tw_tx *deploy);
TW_MUST_USE tw_status tw_trial_spends(tw_trial *trial, tw_tx *call);
/* Gives accounts that have none yet their money, in a block of its own: those made so far, or
 * those too that the steps name. */
TW_MUST_USE tw_status tw_trial_endow(tw_trial *trial);
TW_MUST_USE tw_status tw_trial_endow_all(tw_trial *trial, const twc_step *steps, uint32_t count);

/* ---- blocks ---- */

/* Blocks for what is due up to `time`, which becomes the clock. */
TW_MUST_USE tw_status tw_trial_advance(tw_trial *trial, int64_t time);

/* A block at the clock's time with these signed transactions; the outcome of the last that failed,
 * or of the last one. */
TW_MUST_USE tw_status tw_trial_block(tw_trial *trial, const tw_bytes *transactions, uint32_t count,
                                     tw_trial_outcome *ret_outcome);

/* Commits the open block and counts what it did. */
TW_MUST_USE tw_status tw_trial_close_block(tw_trial *trial, uint64_t base_gas);

/* A signed call, in trial->arena. */
TW_MUST_USE tw_status tw_trial_sign_call(tw_trial *trial, const tw_trial_account *const *signers,
                                         uint32_t signer_count, uint16_t entry, tw_bytes arguments,
                                         tw_bytes *ret_transaction);

/* A pack signed by the device with its next sequence number, in trial->arena. */
TW_MUST_USE tw_status tw_trial_sign_pack(tw_trial *trial, const tw_trial_account *device,
                                         const tw_bytes *fields, tw_pack_item *items,
                                         uint32_t count, tw_bytes *ret_pack);
/* The transaction that carries it. `nonce_ahead` counts those of the block before it. */
TW_MUST_USE tw_status tw_trial_carry(tw_trial *trial, tw_bytes pack, uint64_t nonce_ahead,
                                     tw_bytes *ret_transaction);

/* Whether transactions are signed and their signatures looked at (as at the start), or neither:
 * what they do is the same, in a sixth of the time. */
TW_MUST_USE tw_status tw_trial_trust(tw_trial *trial, bool trusts);

/* Remembers the ledger and what was counted as they are now; and makes them so again, as often as
 * wanted. */
TW_MUST_USE tw_status tw_trial_mark(tw_trial *trial);
TW_MUST_USE tw_status tw_trial_back(tw_trial *trial);

/* ---- trial_feed.c ---- */
TW_MUST_USE tw_status tw_trial_feed(tw_trial *trial, const twc_step *step,
                                    tw_trial_outcome *outcome);
TW_MUST_USE tw_status tw_trial_replay(tw_trial *trial, const twc_step *step,
                                      tw_trial_outcome *outcome);

/* ---- trial_step.c ---- */
/* A number; *ret_ok false (and the test failed) when the formula traps. */
TW_MUST_USE tw_status tw_trial_number(tw_trial *trial, const twc_step *step, const twc_formula *f,
                                      int64_t *ret_value, bool *ret_ok);
/* A block at the end of `duration`. */
TW_MUST_USE tw_status tw_trial_wait(tw_trial *trial, int64_t duration);
/* A block with one call; the first signer sends. */
TW_MUST_USE tw_status tw_trial_call(tw_trial *trial, const tw_trial_account *const *signers,
                                    uint32_t signer_count, uint16_t entry, tw_bytes arguments,
                                    tw_trial_outcome *outcome);
/* Looks whether it holds; the test fails otherwise. */
TW_MUST_USE tw_status tw_trial_expect(tw_trial *trial, const twc_step *step);
/* What a failed transaction is called by those who write tests. */
void tw_trial_outcome_name(const tw_trial *trial, const tw_trial_outcome *outcome,
                           char ret_name[128]);

/* ---- trial_fuzz.c ---- */
TW_MUST_USE tw_status tw_trial_fuzz(tw_trial *trial, const twc_test *test);

/* Runs the steps; trial->report says how it went. */
TW_MUST_USE tw_status tw_trial_steps(tw_trial *trial, const twc_step *steps, uint32_t count);

/* Marks the test as failed at `line` and appends to its text. */
void tw_trial_fail(tw_trial *trial, uint32_t line, const char *format, ...) TW_PRINTF(3, 4);

#endif
