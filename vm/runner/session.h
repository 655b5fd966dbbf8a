/* session -- a ledger folder while a command works on it: store, ledger, keys, names, clock.
 *
 *     DIR/store   RocksDB: state, blocks, receipts
 *     DIR/keys    the keyring
 *
 * Besides the ledger's own records the store's META table has two of the runner's: the clock
 * ("runner/clock": "simulated" or "wall"; "runner/retain": u64, of how many
 * blocks the state is kept, where not of all) and the names of contracts ("runner/name/NAME": id).
 * Neither is part of the state. On a simulated clock a command's block has the head's time unless
 * --time says later, and blocks are made at each time a timer is due on the way. On the wall clock
 * a block has the time of this computer; timers that fell due in between run late, as on a node
 * that was switched off.
 */
#ifndef TW_RUNNER_SESSION_H
#define TW_RUNNER_SESSION_H

#include "vm/ledger/ledger.h"
#include "vm/runner/keyring.h"
#include "vm/runner/show.h"

typedef struct tw_session {
    tw_store *store;
    tw_ledger *ledger;
    tw_ledger
        *present; /* when `ledger` stands at an earlier block (tw_session_go_back); else NULL */
    tw_keyring *keyring;
    tw_arena *arena; /* of the command: what it looks up */
    bool simulated;
    tw_show_names names; /* of accounts; its `now` is the time of the next block */
    char dir[4096];
} tw_session;

enum { TW_CONTRACT_NAME_MAX = 96 };

/* TW_REFUSED_ARGUMENT when there is a ledger already. */
TW_MUST_USE tw_status tw_session_is_free(const char *dir, tw_err *err);
/* Makes the folder and its ledger, without keys. Refuses as tw_session_is_free. */
TW_MUST_USE tw_status tw_session_create(const char *dir, const tw_genesis *genesis, bool simulated,
                                        tw_err *err);

/* What a store's clock shall be: for a ledger that is made by other means than the above. */
TW_MUST_USE tw_status tw_session_mark_clock(tw_store *store, bool simulated, tw_err *err);

TW_MUST_USE tw_status tw_session_open(const char *dir, tw_session **ret_session, tw_err *err);
/* Before it is closed: TW_ERR_STORE as tw_ledger_settle and tw_store_settle. NULL is allowed. */
TW_MUST_USE tw_status tw_session_settle(tw_session *session, tw_err *err);
void tw_session_close(tw_session *session); /* NULL is allowed */

/* Of how many newest blocks the state is kept from the next command on; 0: of all. */
TW_MUST_USE tw_status tw_session_set_retain(tw_session *session, uint64_t retain, tw_err *err);

/* From now on the ledger is the one after the block of `height`, for reading only. */
TW_MUST_USE tw_status tw_session_go_back(tw_session *session, uint64_t height, tw_err *err);

/* The time of a block made now; at an earlier block, its time. */
int64_t tw_session_now(const tw_session *session);

/* A contract by its name, its id, or the beginning of its id (8 digits at least). A sentence that
 * lists the contracts otherwise. */
TW_MUST_USE tw_status tw_session_find(tw_session *session, const char *name, tw_hash *ret_id,
                                      tw_err *err);
/* Its name, or the beginning of its id. */
const char *tw_session_label(tw_session *session, const tw_hash *id,
                             char ret_text[TW_CONTRACT_NAME_MAX]);
/* The name a new contract gets: `wanted`, or with #2, #3 ... behind it where it is taken. */
TW_MUST_USE tw_status tw_session_free_name(tw_session *session, const char *wanted,
                                           char ret_name[TW_CONTRACT_NAME_MAX], tw_err *err);
TW_MUST_USE tw_status tw_session_set_name(tw_session *session, const char *name, const tw_hash *id,
                                          tw_err *err);
/* Its name as it was set; false when it has none. */
TW_MUST_USE tw_status tw_session_has_name(tw_session *session, const char *name, tw_hash *ret_id,
                                          bool *ret_found);

/* Blocks for the timers that are due before `time` (simulated clock only). `seen` is called after
 * each block, may be NULL; a status other than TW_OK from it ends the work. */
typedef tw_status (*tw_block_seen)(void *context, const tw_block_info *info);
TW_MUST_USE tw_status tw_session_advance(tw_session *session, int64_t time, tw_block_seen seen,
                                         void *context, tw_err *err);

/* Fills in chain, nonce, signers and gas limit and signs; the bytes are in the session's arena. The
 * first signer sends; the others are put into order. Their keys are unlocked when they are not. */
TW_MUST_USE tw_status tw_session_sign(tw_session *session, tw_tx *tx,
                                      const tw_named_key *const *signers, uint32_t signer_count,
                                      tw_bytes *ret_bytes, tw_err *err);

/* A sentence when the sender of a transaction cannot pay for its gas limit; TW_REFUSED_FEE. */
TW_MUST_USE tw_status tw_session_can_pay(const tw_session *session, const tw_tx *tx, tw_err *err);

/* One block at `time` (after those that tw_session_advance makes) with this transaction, and the
 * block as it was written, in the session's arena. The transaction's receipt is the last one. */
TW_MUST_USE tw_status tw_session_submit(tw_session *session, tw_bytes transaction, int64_t time,
                                        tw_block *ret_block, tw_err *err);

/* "EtaTooLate(limit: 2026-01-04T00:00:00Z)", "WrongPhase: the action does not ...": why a run ended
 * as it did. Appends to `text`. */
void tw_session_outcome(const tw_session *session, const tw_module *module, const tw_run *run,
                        tw_writer *ret_text);

/* The module of a contract; NULL when it cannot be had. */
const tw_module *tw_session_module(tw_session *session, const tw_hash *id);
/* The one with which receipt number `receipt` of a block was made: an upgrade changes it. */
const tw_module *tw_session_module_then(tw_session *session, const tw_hash *id, uint64_t height,
                                        uint32_t receipt);

#endif
