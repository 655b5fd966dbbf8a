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
 */
#ifndef TW_LEDGER_LEDGER_H
#define TW_LEDGER_LEDGER_H

#include "vm/ledger/engine.h"
#include "vm/ledger/receipt.h"
#include "vm/ledger/tx.h"
#include "vm/state/commit.h"

typedef struct tw_ledger tw_ledger;

/* Who has money of the chain's own at the start. Amounts in the asset's smallest unit. */
typedef struct tw_genesis_holder {
    tw_account account;
    int64_t amount; /* above 0 */
} tw_genesis_holder;

/* Its id is tw_bank_chain_asset of the chain's and its own name. */
typedef struct tw_genesis_asset {
    const char *name; /* 1 to 64 bytes */
    uint8_t decimals;
    const tw_genesis_holder *holders; /* each account once */
    uint32_t holder_count;
} tw_genesis_asset;

enum {
    TW_GENESIS_ASSETS_MAX = 64,
    TW_GENESIS_HOLDERS_MAX = 4096, /* of all assets */
    TW_PRICED_GAS = 1000000,       /* a gas price is of so much gas */
};

/* What all nodes must agree on; part of the state from block 0 on. Zeros mean the defaults. */
typedef struct tw_genesis {
    const char *name;       /* of the chain: 1 to 64 bytes */
    int64_t time;           /* of block 0 */
    uint64_t entry_gas_max; /* worst case of an entry; default TW_ENTRY_GAS_MAX */
    uint64_t block_gas_max; /* default 20,000,000,000 */
    uint64_t timer_gas_max; /* of a block, for timers and handlers; default 10,000,000,000 */
    const tw_genesis_asset *assets;
    uint16_t asset_count;
    int64_t gas_price;      /* of TW_PRICED_GAS, in the fee asset's smallest unit; default 0 */
    uint16_t fee_asset;     /* with a price: which of the assets fees are paid in */
    tw_account fee_account; /* with a price: who gets them */
} tw_genesis;

/* Where time goes: filled when a clock is given, never part of a result. */
typedef struct tw_ledger_times {
    uint64_t decode_ns, signature_ns, execution_ns, state_ns, commit_ns;
} tw_ledger_times;

typedef struct tw_ledger_options {
    uint64_t (*clock_ns)(void); /* may be NULL */
    tw_engine *engine;          /* borrowed, for several ledgers; NULL: one of its own */
    uint64_t keep;              /* of so many newest blocks the state stays readable; 0: of all */
    unsigned threads;           /* this one and others that help it: results are the same with any
                                   number; 0 is 1, which makes none. tw_crew_processors() */
    bool no_sync;               /* tests on memory stores and throw-away replays only */
    bool unsigned_ok;           /* with no_sync, for tests that search: who opens the ledger makes
                                   all transactions, and no signature is looked at */
} tw_ledger_options;

typedef struct tw_block_info {
    uint64_t height;
    int64_t time;
    tw_hash parent;
    tw_hash transactions_root;
    tw_hash receipts_root;
    tw_hash state_root;
    tw_hash hash;
} tw_block_info;

/* Writes block 0 into an empty store. */
TW_MUST_USE tw_status tw_ledger_create(tw_store *store, const tw_genesis *genesis, tw_err *err);

/* `store` is borrowed and must outlive the ledger. */
TW_MUST_USE tw_status tw_ledger_open(tw_store *store, const tw_ledger_options *options,
                                     tw_ledger **ret_ledger, tw_err *err);
void tw_ledger_close(tw_ledger *ledger); /* NULL is allowed; an open block is dropped */

/* The ledger as it was after the block of `height`: what reads works on it, tw_block_begin refuses.
 * `present` is borrowed: it must outlive it, and commit nothing while it is used.
 * TW_REFUSED_NOT_FOUND with a sentence: a height that is not there yet, or whose state is pruned.
 */
TW_MUST_USE tw_status tw_ledger_open_past(tw_ledger *present, uint64_t height,
                                          tw_ledger **ret_ledger, tw_err *err);

/* The height of the newest block that is not after `time`; a refusal when all are. */
TW_MUST_USE tw_status tw_ledger_height_at(tw_ledger *ledger, int64_t time, uint64_t *ret_height,
                                          tw_err *err);

/* The oldest block that tw_ledger_open_past can show. */
TW_MUST_USE tw_status tw_ledger_oldest(tw_ledger *ledger, uint64_t *ret_height);

/* 0; or, of a ledger that was made from a snapshot, the block that the snapshot is of: neither the
 * transactions nor the receipts of blocks up to it are here, and tw_ledger_block refuses them. */
uint64_t tw_ledger_base(const tw_ledger *ledger);

/* For who keeps the ledger: takes the newest block off, in one batch, as if it had never been; the
 * head is then the block before it. A node that has told others of the block must not do that.
 * No block may be open, and no ledger of the past. */
TW_MUST_USE tw_status tw_ledger_rollback(tw_ledger *ledger, tw_err *err);

/* Lets go of the states before those of the newest `keep` blocks; blocks themselves stay. At most
 * `blocks_max` of them; *ret_count says how many. */
TW_MUST_USE tw_status tw_ledger_prune(tw_ledger *ledger, uint64_t keep, uint64_t blocks_max,
                                      uint64_t *ret_count, tw_err *err);

/* Looks at the store anew after it was put back (tw_store_memory_back). An open block is dropped.
 */
TW_MUST_USE tw_status tw_ledger_reload(tw_ledger *ledger, tw_err *err);

const tw_hash *tw_ledger_chain(const tw_ledger *ledger);
const tw_genesis *tw_ledger_genesis(const tw_ledger *ledger);
const tw_block_info *tw_ledger_head(const tw_ledger *ledger);
const tw_ledger_times *tw_ledger_times_spent(const tw_ledger *ledger);

/* ---- making blocks ---- */

/* TW_REFUSED_TIME when `time` is before the head's, or out of range. */
TW_MUST_USE tw_status tw_block_begin(tw_ledger *ledger, int64_t time, tw_err *err);

/* Says which transactions tw_block_add will get next, in this order, in this block or later ones:
 * with more than one thread they are taken apart and their signatures checked meanwhile. What is
 * said here never changes a result; a transaction that does not come costs time, and those after it
 * are found. Bytes are copied. How many there was room for (1,024, or 16 MiB of them, may be
 * waiting; 0 with one thread): say the others again later. */
size_t tw_ledger_expect(tw_ledger *ledger, const tw_bytes *transactions, size_t count);

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

/* Writes the block. After a failure the block is gone and the head is as before. */
TW_MUST_USE tw_status tw_block_commit(tw_ledger *ledger, tw_block_info *ret_info, tw_err *err);

/* The same, but for the disk: roots and head are there at once, so that the next block can begin,
 * and the write goes on beside it where there are threads and the store can be read meanwhile. One
 * block is on its way at most: the end of the next one waits for it. A failed write is told by the
 * next commit of either kind or by settle, with the head then at the block before, and any open
 * block gone. Only what is settled may be acknowledged. */
TW_MUST_USE tw_status tw_block_commit_later(tw_ledger *ledger, tw_block_info *ret_info,
                                            tw_err *err);

/* Waits until the newest block is written: TW_OK, all are; also when none was on its way. */
TW_MUST_USE tw_status tw_ledger_settle(tw_ledger *ledger, tw_err *err);

void tw_block_abort(tw_ledger *ledger); /* always safe */

/* When a block should be made for a timer or a retried edge, at the earliest; *ret_found false:
 * never. */
TW_MUST_USE tw_status tw_ledger_next_due(tw_ledger *ledger, int64_t *ret_due, bool *ret_found);

/* Bound that the gas limit of this transaction must reach, given the state of the head (no block
 * open). For clients: they sign a limit. */
TW_MUST_USE tw_status tw_ledger_gas_bound(tw_ledger *ledger, const tw_tx *tx, size_t size,
                                          uint64_t *ret_gas, tw_err *err);

/* ---- reading the committed state ---- */

TW_MUST_USE tw_status tw_ledger_nonce(tw_ledger *ledger, const tw_account *account,
                                      uint64_t *ret_next);

/* The contract as it stands, loaded for reading: memory from `arena`, good until the next block
 * begins. */
TW_MUST_USE tw_status tw_ledger_contract(tw_ledger *ledger, const tw_hash *id, tw_arena *arena,
                                         tw_contract **ret_contract, tw_err *err);

/* ---- money, of the head or, while a block is open, as it stands in it ---- */

TW_MUST_USE tw_status tw_ledger_asset(tw_ledger *ledger, const tw_hash *id, tw_asset *ret_asset,
                                      bool *ret_found);
TW_MUST_USE tw_status tw_ledger_balance(tw_ledger *ledger, const tw_hash *asset,
                                        const tw_account *account, int64_t *ret_amount);
/* What so much gas costs, rounded up to the fee asset's smallest unit: 0 on a ledger that takes no
 * fees, false when it is more than there can be. */
bool tw_ledger_fee(const tw_ledger *ledger, uint64_t gas, int64_t *ret_fee);
const tw_hash *tw_ledger_fee_asset(const tw_ledger *ledger); /* NULL when it takes no fees */
/* What is left to a contract for its timers, in the fee asset. */
TW_MUST_USE tw_status tw_ledger_fuel(tw_ledger *ledger, const tw_hash *contract,
                                     int64_t *ret_amount);
/* True when a timer of a loaded contract has come up and found too little fuel: it is due, and runs
 * when somebody fills in more, or calls for it with a tick. */
TW_MUST_USE tw_status tw_ledger_timer_waits(tw_ledger *ledger, const tw_contract *contract,
                                            uint16_t entry, bool *ret_waits);
bool tw_ledger_edge_waits(const tw_contract *contract, uint16_t alarm); /* the same of an edge */
/* All assets, and all accounts that have some of one, in order: call again with the last until
 * *ret_found is false. NULL starts. */
TW_MUST_USE tw_status tw_ledger_next_asset(tw_ledger *ledger, const tw_hash *after, tw_hash *ret_id,
                                           bool *ret_found);
TW_MUST_USE tw_status tw_ledger_next_balance(tw_ledger *ledger, const tw_hash *asset,
                                             const tw_account *after, tw_account *ret_account,
                                             bool *ret_found);

/* Runs a view of the contract at `now`, a time that a block could have; `code` NULL: of its own
 * module, else of one with the same declarations (tests). Arguments and result are canonical
 * encodings; the outcome is borrowed until the next call. */
TW_MUST_USE tw_status tw_ledger_view(tw_ledger *ledger, const tw_hash *id, const tw_code *code,
                                     uint16_t entry, tw_bytes arguments, int64_t now,
                                     tw_outcome *ret_outcome, tw_err *err);

/* All contracts, in order of id: call again with the last id until *ret_found is false. NULL
 * starts. */
TW_MUST_USE tw_status tw_ledger_next_contract(tw_ledger *ledger, const tw_hash *after,
                                              tw_hash *ret_id, bool *ret_found);

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

/* Where a transaction is; *ret_found false when there is none of this id. */
TW_MUST_USE tw_status tw_ledger_find(tw_ledger *ledger, const tw_hash *transaction,
                                     uint64_t *ret_height, uint32_t *ret_place, bool *ret_found);

/* Executes a block of another ledger on this one (its next height) and compares every root and
 * receipt: TW_ERR_CORRUPT with what differs in `err`, nothing written then. Its transactions need
 * not be expected; who has several small blocks may say those of the next ones. The write is as in
 * tw_block_commit_later: settle at the end. */
TW_MUST_USE tw_status tw_ledger_replay_block(tw_ledger *ledger, const tw_block *block, tw_err *err);

#endif
