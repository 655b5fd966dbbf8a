/* node -- the inside of a tw_ledger, shared by the files of this folder. Nobody else includes it.
 */
#ifndef TW_LEDGER_NODE_H
#define TW_LEDGER_NODE_H

#include "vm/ledger/ahead.h"
#include "vm/ledger/ledger.h"

enum {
    TW_LEDGER_MEMORY_MAX = 1024 * 1024 * 1024, /* of a block: batch, tree, and each of its lists */
    /* A block takes nothing more once it has so many bytes of transactions and receipts, or of
     * values put into the state: half of it is for timers and handlers. The last one to come in
     * may add TW_TX_SIZE_MAX and TW_RUN_NOTICES_MAX, and what an entry's gas allows it to put. */
    TW_BLOCK_BYTES_MAX = 128 * 1024 * 1024,
    TW_BLOCK_PUT_MAX = 256 * 1024 * 1024,
    TW_RUN_NOTICES_MAX = 32 * 1024 * 1024, /* in the worst case of a pack with its handlers */
    TW_LEDGER_ARENA_MAX = 256 * 1024 * 1024,
    TW_LEDGER_CODES_MAX = 64, /* held in the engine: those looked up last */
    TW_HEADER_SIZE = 1 + 8 + 8 + 4 * TW_HASH_SIZE,
};

/* Of an overlay: what a block's gas lets it read, and what it puts. */
static const size_t tw_ledger_overlay_max = (size_t)2 * TW_LEDGER_MEMORY_MAX;

/* The newest block, from its end until it is known to be written: writing.c. */
typedef struct tw_writing {
    bool pending; /* not settled; then: */
    bool given;   /* to the clerk; its overlay is `spare` */
    tw_job job;
    tw_block_info before; /* the head if it fails */
    uint8_t header[TW_HEADER_SIZE];
    tw_status status; /* once done */
    tw_err err;
    uint64_t spent_ns;
} tw_writing;

struct tw_ledger {
    tw_store *store;
    tw_commit *commit; /* NULL: stands at an earlier block, and makes none */
    bool owns_store;
    bool is_view;        /* its store stands still */
    tw_tree_root root;   /* of the earlier block, when there is no commit */
    uint64_t base;       /* tw_ledger_base */
    tw_overlay *overlay; /* of the open block; between blocks: of questions about the head */
    tw_overlay *spare;   /* with a crew: the other one, of a block that is being written */
    tw_writing writing;
    tw_exec *exec;
    tw_arena *arena; /* of the transaction or question at hand */
    tw_ledger_options options;
    tw_ledger_times times;
    tw_genesis genesis;
    tw_arena *genesis_arena; /* of its lists */
    char name[65];
    tw_hash chain;
    tw_hash fee_asset; /* where there is a gas price */
    tw_block_info head;
    tw_engine *engine; /* options.engine, or its own */
    const tw_code *codes[TW_LEDGER_CODES_MAX];
    uint32_t code_next;        /* place of the one that was looked up first */
    const tw_code *in_use;     /* does not go: an upgrade has two of them */
    tw_crew *crew;             /* options.threads - 1 of them; NULL: none */
    tw_crew *clerk;            /* with a crew: the one that writes blocks: writing.c */
    tw_known *known;           /* accounts of signers, devices, payees */
    tw_ahead *ahead;           /* with a crew */
    const tw_checked *checked; /* what is known ahead of the transaction at hand, or NULL */

    bool open; /* a block is open: */
    int64_t time;
    uint64_t gas_used;
    tw_writer transactions; /* each u32 size, bytes */
    tw_writer receipts;     /* the same */
    tw_writer receipt;      /* the one being made */
    tw_writer leaves;       /* hashes of transactions, then of receipts, for their roots */
    tw_writer ids;          /* of the transactions */
    tw_writer record;       /* of the block */
    tw_writer answer;       /* bytes that were given out last: answer.c */
    uint32_t transaction_count;
    uint32_t receipt_count;
};

/* A ledger without commit and head: ledger.c. */
TW_MUST_USE tw_status tw_node_new(tw_store *store, const tw_ledger_options *options,
                                  tw_ledger **ret_ledger, tw_err *err);

/* Reads the genesis record of the head: genesis.c. */
TW_MUST_USE tw_status tw_node_load_genesis(tw_ledger *ledger, tw_err *err);

void tw_node_header(const tw_block_info *info, uint8_t ret_bytes[TW_HEADER_SIZE]);
TW_MUST_USE tw_status tw_node_read_header(tw_reader *r, tw_block_info *ret_info);

/* A refusal where the ledger only reads. */
TW_MUST_USE tw_status tw_node_writes(const tw_ledger *l, tw_err *err);

/* The record of a block in `arena`, and what it consists of. TW_ERR_CORRUPT when it is none. */
TW_MUST_USE tw_status tw_node_block_record(tw_ledger *l, uint64_t height, tw_arena *arena,
                                           tw_bytes *ret_record, tw_err *err);
TW_MUST_USE tw_status tw_node_parse_block(tw_bytes record, tw_arena *arena, tw_block *ret_block);

/* The header of a block: earlier.c. */
TW_MUST_USE tw_status tw_node_header_at(tw_ledger *l, uint64_t height, tw_block_info *ret_info,
                                        tw_err *err);

/* A refusal: block `height`, or its state, was before the snapshot. */
TW_MUST_USE tw_status tw_node_before_base(const tw_ledger *l, uint64_t height, tw_err *err);

/* Writes what is in the commit's batch, and makes `info` the head: now, or (later, when the store
 * can be read meanwhile) by the crew. After a failure the head is as before: writing.c. */
TW_MUST_USE tw_status tw_node_write(tw_ledger *l, const tw_block_info *info, bool later,
                                    tw_err *err);

/* Nobody writes to the store any more, and the commit is the caller's to look at. */
void tw_node_wait(tw_ledger *l);

/* After a block: states that leave options.keep go, a few at a time: earlier.c. */
void tw_node_forget(tw_ledger *l);

/* The hash of a list's item, and of the list: `leaves` is used up. */
tw_hash tw_node_leaf(tw_bytes item);
tw_hash tw_node_list_root(tw_hash *leaves, uint32_t count);

uint64_t tw_node_clock(const tw_ledger *ledger); /* 0 without a clock */
bool tw_node_trusts(const tw_ledger *ledger);    /* signatures are not looked at: tests only */

/* A contract ready to run, in ledger->arena. *ret_found false when there is none of this id. */
TW_MUST_USE tw_status tw_node_contract(tw_ledger *ledger, const tw_hash *id,
                                       tw_contract **ret_contract, bool *ret_found, tw_err *err);

/* Decoded code by hash: from the cache, else from `module`, else (NULL) from the state. */
TW_MUST_USE tw_status tw_node_code(tw_ledger *ledger, const tw_hash *hash, const tw_bytes *module,
                                   const tw_code **ret_code, tw_err *err);

/* Refused where anybody's rows are in the store, also those that a broken load has left. */
TW_MUST_USE tw_status tw_node_store_is_empty(tw_store *store, const tw_commit *commit, tw_err *err);

/* Whether what costs `gas` at most may come into the open block, of whose limits of bytes it has
 * the `share`th part. The same on every node: it depends on what is in the block alone. */
bool tw_node_has_room(const tw_ledger *ledger, uint64_t gas, uint64_t gas_max, size_t share);
/* Appends a receipt to the open block. */
TW_MUST_USE tw_status tw_node_add_receipt(tw_ledger *ledger, const tw_receipt *receipt);

/* What an outcome becomes in a receipt; bytes are copied into ledger->arena. */
TW_MUST_USE tw_status tw_node_run_of(tw_ledger *ledger, const tw_contract *contract, uint16_t entry,
                                     const tw_outcome *outcome, tw_run *ret_run);

/* Timers that are due and pending edges, at the start of a block: due.c. */
TW_MUST_USE tw_status tw_node_run_due(tw_ledger *ledger, tw_err *err);

/* After a pack: each pending edge that has a handler now, at most one run each. */
TW_MUST_USE tw_status tw_node_run_handlers(tw_ledger *ledger, tw_contract *contract,
                                           tw_receipt *receipt);

/* True when a timer of the contract is due at `now`. */
TW_MUST_USE tw_status tw_node_timer_is_due(tw_contract *contract, int64_t now, bool *ret_due);

/* A tick, and the most it may cost: the first timer that is due, paid by the sender. */
TW_MUST_USE tw_status tw_node_tick(tw_ledger *l, const tw_tx *tx, tw_receipt *receipt, tw_err *err);
TW_MUST_USE tw_status tw_node_tick_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas,
                                         tw_err *err);

/* Timers and edges that have waited for fuel come up again in the next block; adds what that costs,
 * at most tw_node_filing_gas. */
TW_MUST_USE tw_status tw_node_file_again(tw_ledger *l, tw_contract *c, uint64_t *gas);
uint64_t tw_node_filing_gas(const tw_module *m);

/* Fees: fees.c. Nothing happens where the ledger takes none. */
TW_MUST_USE tw_status tw_node_fee_check(tw_ledger *l, const tw_tx *tx, tw_err *err);
TW_MUST_USE tw_status tw_node_fee_hold(tw_ledger *l, const tw_tx *tx); /* of the whole limit */
/* Gives back what of it was not used; the rest is the fee. */
TW_MUST_USE tw_status tw_node_fee_settle(tw_ledger *l, const tw_tx *tx, uint64_t gas,
                                         int64_t *ret_fee);
TW_MUST_USE tw_status tw_node_fuel_covers(tw_ledger *l, const tw_hash *contract, uint64_t gas,
                                          bool *ret_covers);
TW_MUST_USE tw_status tw_node_fuel_pay(tw_ledger *l, const tw_hash *contract, uint64_t gas,
                                       int64_t *ret_fee); /* of a run that it covered */

/* The kinds of transaction that move money themselves, and the most they cost: fees.c. */
TW_MUST_USE tw_status tw_node_transfer(tw_ledger *l, const tw_tx *tx, tw_run *run);
uint64_t tw_node_transfer_bound(void);
TW_MUST_USE tw_status tw_node_fuel(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err);
TW_MUST_USE tw_status tw_node_fuel_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas,
                                         tw_err *err);

/* Executes a checked transaction in the open block: execute.c. Its gas bound is known to hold. */
TW_MUST_USE tw_status tw_node_execute(tw_ledger *ledger, const tw_tx *tx, tw_receipt *ret_receipt,
                                      tw_err *err);

/* The pack of the transaction at hand, taken apart, and whether its device signed it: both known
 * ahead, or found out now. */
TW_MUST_USE tw_status tw_node_pack(tw_ledger *ledger, const tw_tx *tx, tw_pack *ret_pack);
bool tw_node_pack_is_signed(tw_ledger *ledger, const tw_pack *pack);

/* The least gas limit this transaction may have. */
TW_MUST_USE tw_status tw_node_gas_bound(tw_ledger *ledger, const tw_tx *tx, uint64_t *ret_gas,
                                        tw_err *err);

/* Parts of a deploy that an upgrade has too. */
bool tw_node_delays_fit(const tw_contract *c); /* known now: times that can be added to one */
bool tw_node_bounds_fit(const tw_ledger *l, const tw_code *code);
TW_MUST_USE tw_status tw_node_save_code(tw_ledger *l, const tw_code *code);

/* Executes an upgrade in the open block, and its bound: upgrade.c. */
TW_MUST_USE tw_status tw_node_upgrade(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err);
TW_MUST_USE tw_status tw_node_upgrade_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas,
                                            tw_err *err);

/* An upgrade has changed what is read: windows and stamps are emptied, device records take the form
 * of c's module. Silence counts from `now`: renew.c. */
TW_MUST_USE tw_status tw_node_renew_devices(tw_contract *c, int64_t now);
/* The levels of stamps have changed: their runs are broken. */
TW_MUST_USE tw_status tw_node_break_stamps(tw_contract *c);

/* TW_OK when the module `to` can follow that of the contract, else TW_REFUSED_ARGUMENT with a
 * sentence: upgrade_fit.c. */
TW_MUST_USE tw_status tw_node_upgrade_fits(const tw_contract *c, const tw_module *to, tw_err *err);
/* The field is in the module too, with the same name and type. */
bool tw_node_field_stays(const tw_field *field, const tw_module *to);
/* The param of `from` that has the name and type of this one of `to`, or TW_NONE. */
uint16_t tw_node_param_from(const tw_module *from, const tw_module *to, uint16_t param);

/* Gas of what every transaction costs: signatures and bytes. */
uint64_t tw_node_gas_base(const tw_tx *tx);

#endif
