/* ledger -- makes blocks from transactions on a store, and answers questions about its state.
 *
 * The whole of a node but its consensus: genesis, blocks, timers, packs, receipts, views. One block
 * is open at a time; everything it does is in the overlay until commit writes it as one batch.
 *
 *     tw_block_begin(time)   timers that are due, then edges that have a handler
 *     tw_block_add(tx)       refused: no trace; else in the block, done or failed
 *     tw_block_commit()      state root, one RocksDB batch; or tw_block_abort()
 *
 * A ledger replayed from its genesis and its blocks gives the same bytes (tw_ledger_replay_block).
 * What who embeds the machine may call stands in twvm.h; here is the rest, for the runner and
 * tests.
 */
#ifndef TW_LEDGER_LEDGER_H
#define TW_LEDGER_LEDGER_H

#include "vm/ledger/engine.h"
#include "vm/ledger/receipt.h"
#include "vm/ledger/tx.h"
#include "vm/state/commit.h"

/* Where time goes: filled when a clock is given, never part of a result. */
typedef struct tw_ledger_times {
    uint64_t decode_ns, signature_ns, execution_ns, state_ns, commit_ns;
} tw_ledger_times;

/* Looks at the store anew after it was put back (tw_store_memory_back). An open block is dropped.
 */
TW_MUST_USE tw_status tw_ledger_reload(tw_ledger *ledger, tw_err *err);

const tw_ledger_times *tw_ledger_times_spent(const tw_ledger *ledger);

/* ---- making blocks ---- */

/* Executes one transaction. A status of 100 or more: refused, not in the block, nothing changed.
 * TW_OK: it is in the block; the receipt (borrowed until the next call for this ledger) says
 * whether it did or failed. */
TW_MUST_USE tw_status tw_block_add(tw_ledger *ledger, tw_bytes transaction, tw_receipt *ret_receipt,
                                   tw_err *err);

/* For tests of contracts: gives an account of the open block money out of nothing, as a mint that
 * no contract made. Refused unless the ledger was opened with no_sync, as it is in no transaction
 * and a replay of the blocks would miss it. */
TW_MUST_USE tw_status tw_block_endow(tw_ledger *ledger, const tw_hash *asset,
                                     const tw_account *account, int64_t amount, tw_err *err);

/* Bound that the gas limit of this transaction must reach, given the state of the head (no block
 * open). For clients: they sign a limit. */
TW_MUST_USE tw_status tw_ledger_gas_bound(tw_ledger *ledger, const tw_tx *tx, size_t size,
                                          uint64_t *ret_gas, tw_err *err);

/* ---- reading the committed state ---- */

/* The contract as it stands, loaded for reading: memory from `arena`, good until the next block
 * begins. */
TW_MUST_USE tw_status tw_ledger_contract(tw_ledger *ledger, const tw_hash *id, tw_arena *arena,
                                         tw_contract **ret_contract, tw_err *err);

/* ---- money, of the head or, while a block is open, as it stands in it ---- */

TW_MUST_USE tw_status tw_ledger_asset(tw_ledger *ledger, const tw_hash *id, tw_asset *ret_asset,
                                      bool *ret_found);
/* True when a timer of a loaded contract has come up and found too little fuel: it is due, and runs
 * when somebody fills in more, or calls for it with a tick. */
TW_MUST_USE tw_status tw_ledger_timer_waits(tw_ledger *ledger, const tw_contract *contract,
                                            uint16_t entry, bool *ret_waits);
bool tw_ledger_edge_waits(const tw_contract *contract, uint16_t alarm); /* the same of an edge */

/* Runs a view of the contract at `now`, a time that a block could have; `code` NULL: of its own
 * module, else of one with the same declarations (tests). Arguments and result are canonical
 * encodings; the outcome is borrowed until the next call. */
TW_MUST_USE tw_status tw_ledger_view(tw_ledger *ledger, const tw_hash *id, const tw_code *code,
                                     uint16_t entry, tw_bytes arguments, int64_t now,
                                     tw_outcome *ret_outcome, tw_err *err);

/* Loaded code by hash, from the state; owned by the ledger. */
TW_MUST_USE tw_status tw_ledger_code(tw_ledger *ledger, const tw_hash *hash,
                                     const tw_code **ret_code, tw_err *err);

/* ---- upgrades ---- */

/* Whether the module can follow that of the contract: TW_OK, or a refusal with a sentence. */
TW_MUST_USE tw_status tw_ledger_upgrade_fits(tw_ledger *ledger, const tw_hash *id, tw_bytes module,
                                             tw_err *err);

/* The module to which those who may upgrade the contract have consented, and since when. */
TW_MUST_USE tw_status tw_ledger_consent(tw_ledger *ledger, const tw_hash *id, tw_hash *ret_module,
                                        int64_t *ret_since, bool *ret_found);

/* The code with which receipt number `receipt` of a block was made: what its indexes mean. */
TW_MUST_USE tw_status tw_ledger_code_then(tw_ledger *ledger, const tw_hash *id, uint64_t height,
                                          uint32_t receipt, const tw_code **ret_code, tw_err *err);

/* ---- blocks of the past ---- */

typedef struct tw_block {
    tw_block_info info;
    tw_bytes *transactions;
    uint32_t transaction_count;
    tw_receipt *receipts; /* timers and handlers first, then one a transaction */
    uint32_t receipt_count;
} tw_block;

TW_MUST_USE tw_status tw_ledger_block(tw_ledger *ledger, uint64_t height, tw_arena *arena,
                                      tw_block *ret_block, tw_err *err);

/* Executes a block of another ledger on this one (its next height) and compares every root and
 * receipt: TW_ERR_CORRUPT with what differs in `err`, nothing written then. Its transactions need
 * not be expected; who has several small blocks may say those of the next ones. The write is as in
 * tw_block_commit_later: settle at the end. */
TW_MUST_USE tw_status tw_ledger_replay_block(tw_ledger *ledger, const tw_block *block, tw_err *err);

#endif
