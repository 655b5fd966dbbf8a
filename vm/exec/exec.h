/* exec -- runs one entry of a contract against the overlay: all of it, or nothing of it.
 *
 * Called by the ledger for actions, timers, handlers and deploys, by the runner for views. What an
 * entry does to the state is kept when it ends well and undone when it traps, fails or breaks an
 * invariant; the outcome says which, and what gas it used either way. A `tw_exec` is made once and
 * reused: while contract code runs nothing is allocated but the overlay's own growth.
 */
#ifndef TW_EXEC_EXEC_H
#define TW_EXEC_EXEC_H

#include "vm/exec/contract.h"

typedef struct tw_exec tw_exec;

enum { TW_SPENDS_MAX = 64 }; /* assets that a transaction allows to be taken */

/* What an entry is run with. Accounts and slots are borrowed. */
typedef struct tw_call {
    uint16_t entry;
    int64_t now;
    int64_t end;   /* end of spans: `now`, the edge's reading, or the time a run was due */
    bool open_end; /* spans are [end - D, end): every */
    const tw_account *signers; /* the sender first; none for timers and handlers */
    uint16_t signer_count;
    tw_hash transaction;
    const int64_t *arguments; /* slots of the entry's members */
    const tw_spend *spends;   /* the most it may take from the sender; none of other assets */
    uint16_t spend_count;     /* at most TW_SPENDS_MAX */
} tw_call;

/* What came of it. Bytes are borrowed until the next run. */
typedef struct tw_outcome {
    tw_status status; /* an outcome: TW_OK, a trap, FAIL_ERROR, FAIL_INVARIANT, FAIL_CHECK */
    uint16_t index;   /* of the error, invariant or check */
    tw_bytes fields;  /* the error's fields, or a view's result, encoded */
    tw_bytes notices; /* events and history entries in order: see notice.h */
    uint32_t events;
    uint32_t histories;
    uint64_t gas;
    size_t writes;     /* distinct state keys changed */
    uint16_t function; /* where it stopped: for people, not part of a receipt */
    uint32_t pc;
} tw_outcome;

tw_exec *tw_exec_new(void); /* NULL without memory */
void tw_exec_free(tw_exec *exec);

/* Runs an entry of any kind. `contract` must be loaded; its control record is read again
 * first and saved after. Gas stays within facts->entries[call->entry].gas. Only host failures are
 * returned. */
TW_MUST_USE tw_status tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                                  tw_outcome *ret_outcome);

/* The condition of an alarm at `end`: no state is changed. A condition that traps counts as false.
 */
TW_MUST_USE tw_status tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                        int64_t end, bool *ret_holds, uint64_t *ret_gas);

#endif
