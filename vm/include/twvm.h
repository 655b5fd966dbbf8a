/* twvm -- the one header of libtwvm: a machine for contracts over digital twins, with its ledger.
 *
 * Included by programs that embed the machine, and by the machine itself, so that each public
 * function has one declaration. Needs nothing but the C library; C11, C17 and C++11 or later.
 *
 * A node opens a store, opens a ledger on it, makes blocks from signed bytes, and answers
 * questions:
 *
 *     tw_store_open -> tw_ledger_create (once) -> tw_ledger_open
 *     tw_block_begin(time) -> tw_block_execute(bytes) ... -> tw_block_commit: receipts, roots
 *     tw_ledger_ask, tw_ledger_get, tw_ledger_proof, tw_snapshot_save, tw_ledger_open_view
 *
 * Results. A tw_status of 0 is success. 1 to 99 are outcomes of contracts: they stand in receipts,
 * and all nodes have the same. 100 to 199 are refusals of what was given: nothing was changed, and
 * the same call can be made again with something else. Below 0 are failures of this host: memory,
 * disk, damage. Only host failures differ between nodes. `err`, where a function has it, may be
 * NULL; else it gets a sentence that names the place and a remedy. An output `ret_x` is written on
 * TW_OK only, unless it is said otherwise.
 *
 * Memory. Handles are opaque; each has a function that ends it, which takes NULL. Inputs are
 * borrowed for the call. Bytes that a function gives out belong to the handle that it was asked
 * through, and are good until the next call with that handle: copy what is to stay. The library
 * has no global state, prints nothing, installs no signal handler, and reads neither clock nor
 * environment.
 *
 * It ends no process by itself; three things may do so under it. RocksDB has no answer to an
 * allocation that fails in its own code (the machine's own are TW_ERR_MEMORY), and asserts that its
 * log could be synced: on a disk that fails there, the process may end instead of getting
 * TW_ERR_STORE. Both find the last whole block when it starts again. And a call against the rules
 * of this header (a block begun while one is open, a question in the middle of one) is an assertion
 * where the library was built with assertions, and not defined otherwise.
 *
 * Threads. A tw_engine may be used by any thread at any time. A tw_store in a folder may be given
 * to ledgers of one thread that writes and views of others; a store in memory is for one thread. A
 * tw_ledger is for one thread at a time: what another thread wants to read, it reads through a
 * view of its own (tw_ledger_open_view), also while a block is being made or written. Functions
 * without a handle may be called by any thread. Handles of different stores share nothing but the
 * engine they were given.
 *
 * Units. Times are milliseconds since 1970-01-01T00:00:00Z, 0 to 2^52 - 1. Amounts are whole
 * numbers of an asset's smallest unit. Sizes are bytes. Numbers in encoded bytes are big-endian.
 */
#ifndef TW_INCLUDE_TWVM_H
#define TW_INCLUDE_TWVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TW_MUST_USE __attribute__((warn_unused_result))
#define TW_PUBLIC __attribute__((visibility("default")))

/* Of this header. A library of another ABI number must not be used with it. */
#define TW_RELEASE "0.1.0"
enum { TW_ABI_VERSION = 1 };

#ifdef __cplusplus
extern "C" {
#endif

/* The library's release, as "0.1.0", and its ABI number, to be compared with TW_ABI_VERSION by who
 * loads the library by hand; the linker sees to it otherwise. */
TW_PUBLIC const char *tw_version(void);
TW_PUBLIC unsigned tw_abi_version(void);

/* ---- statuses ---- */

typedef enum tw_status {
    TW_OK = 0,
    /* traps: the contract's code stopped, nothing of it was kept */
    TW_TRAP_NOT_CALLER = 1,
    TW_TRAP_NOT_SIGNED = 2,
    TW_TRAP_WRONG_PHASE = 3,
    TW_TRAP_NEEDS_FAILED = 4,
    TW_TRAP_OVERFLOW = 5,
    TW_TRAP_DIVIDE_BY_ZERO = 6,
    TW_TRAP_BAD_INDEX = 7,
    TW_TRAP_NO_KEY = 8,
    TW_TRAP_FULL = 9,
    TW_TRAP_NEGATIVE_AMOUNT = 10,
    TW_TRAP_NOT_ENOUGH = 11,
    TW_TRAP_ALREADY_MEMBER = 12,
    TW_TRAP_NOT_MEMBER = 13,
    TW_TRAP_KEY_USED = 14,
    TW_TRAP_ATTACHED = 15,
    TW_TRAP_RETIRED = 16,
    TW_TRAP_TIMER_DUE = 17,
    TW_TRAP_BAD_VALUE = 18,
    /* the contract's own refusals; an index says which */
    TW_FAIL_ERROR = 30,
    TW_FAIL_INVARIANT = 31,
    TW_FAIL_CHECK = 32,
    TW_FAIL_PARAM_RANGE = 33,
    /* a pack of readings that was not taken in */
    TW_PACK_NOT_MEMBER = 40,
    TW_PACK_BAD_SIGNATURE = 41,
    TW_PACK_OLD_GRANT = 42,
    TW_PACK_REPLAYED = 43,
    TW_PACK_GAP = 44,
    TW_PACK_IN_FUTURE = 45,
    /* a transaction that could do nothing */
    TW_TX_NO_CONTRACT = 50,
    TW_TX_NO_ENTRY = 51,
    TW_TX_BAD_ARGUMENT = 52,
    TW_TX_BAD_MODULE = 53,
    TW_TX_BAD_DEPLOY = 54,
    TW_TX_NO_UPGRADE = 55,
    TW_TX_TOO_EARLY = 56,
    TW_TX_BAD_UPGRADE = 57,
    TW_TX_NO_FUEL = 58,
    TW_TX_NOT_DUE = 59,
    TW_TX_NO_FEES = 60,
    TW_TX_BAD_PAYEE = 61,
    /* refusals of input: deterministic, in no receipt, nothing was changed */
    TW_REFUSED_ENCODING = 100,
    TW_REFUSED_LIMIT = 101,
    TW_REFUSED_SIGNATURE = 102,
    TW_REFUSED_NONCE = 103,
    TW_REFUSED_GAS_LIMIT = 104,
    TW_REFUSED_CHAIN = 105,
    TW_REFUSED_TIME = 106,
    TW_REFUSED_MODULE = 107,
    TW_REFUSED_KEY = 108,
    TW_REFUSED_NOT_FOUND = 109,
    TW_REFUSED_ARGUMENT = 110,
    TW_REFUSED_BLOCK_FULL = 111,
    TW_REFUSED_SOURCE = 112,
    TW_REFUSED_FEE = 113,
    /* failures of this host: in no receipt; the open block is to be aborted */
    TW_ERR_MEMORY = -1,
    TW_ERR_STORE = -2,
    TW_ERR_CORRUPT = -3,
    TW_ERR_LOCKED = -4,
    TW_ERR_IO = -5,
    TW_ERR_CRYPTO = -6,
    TW_ERR_INTERNAL = -7,
    TW_ERR_SPACE = -8,
} tw_status;

/* A failure told to a person: what is wrong, where, and what to do. */
typedef struct tw_err {
    tw_status status;
    char text[500]; /* UTF-8, NUL-terminated, "" when there is nothing to add */
} tw_err;

/* 0 to 99: what a contract came to; may stand in a receipt. */
static inline bool tw_status_is_outcome(tw_status status)
{
    return (int)status >= 0 && (int)status < 100;
}

static inline bool tw_status_is_host_failure(tw_status status)
{
    return (int)status < 0;
}

/* One sentence, and the enumerator's name without TW_, as "TRAP_OVERFLOW". Static memory; a number
 * that is no status has "unknown status" and "UNKNOWN". */
TW_PUBLIC const char *tw_status_text(tw_status status);
TW_PUBLIC const char *tw_status_name(tw_status status);

/* ---- bytes, hashes, keys ---- */

/* Bytes that belong to somebody else. */
typedef struct tw_bytes {
    const uint8_t *data;
    size_t size;
} tw_bytes;

static inline tw_bytes tw_bytes_of(const void *data, size_t size)
{
    tw_bytes bytes;
    bytes.data = (const uint8_t *)data;
    bytes.size = size;
    return bytes;
}

enum { TW_HASH_SIZE = 32 };

/* A SHA-256: of a block, a transaction, a module; the id of a contract or an asset. */
typedef struct tw_hash {
    uint8_t bytes[TW_HASH_SIZE];
} tw_hash;

/* Who signs: an x-only public key of BIP 340. */
typedef struct tw_account {
    uint8_t bytes[32];
} tw_account;

/* A private key. Whoever holds one wipes it. */
typedef struct tw_secret {
    uint8_t bytes[32];
} tw_secret;

/* Of BIP 340. */
typedef struct tw_signature {
    uint8_t bytes[64];
} tw_signature;

/* True when both have the same bytes. */
TW_PUBLIC bool tw_hash_equal(const tw_hash *a, const tw_hash *b);
TW_PUBLIC bool tw_account_equal(const tw_account *a, const tw_account *b);

/* Lower-case hex with a NUL: ret_text has room for 2 * size + 1. */
TW_PUBLIC void tw_hex_encode(const uint8_t *bytes, size_t size, char *ret_text);
/* Exactly 2 * size hex digits, of either case; false otherwise. */
TW_PUBLIC bool tw_hex_decode(const char *text, size_t text_size, uint8_t *ret_bytes, size_t size);

/* A fresh secret from the operating system's random source. */
TW_PUBLIC TW_MUST_USE tw_status tw_secret_random(tw_secret *ret_secret);
/* A secret that anyone can compute from the text: for tests and demos. */
TW_PUBLIC void tw_secret_from_seed(const char *seed, tw_secret *ret_secret);
/* The account of a secret; false when the secret is 0 or not below the order of the group. */
TW_PUBLIC bool tw_secret_account(const tw_secret *secret, tw_account *ret_account);
/* True when the 32 bytes are an x coordinate on the curve. */
TW_PUBLIC bool tw_account_is_valid(const tw_account *account);
/* Signs 32 bytes, with the same signature each time. False for a secret that is none. About 60 us.
 */
TW_PUBLIC bool tw_sign(const tw_secret *secret, const tw_hash *message,
                       tw_signature *ret_signature);
/* False for a bad signature and for an account that is no point of the curve. About 50 us. */
TW_PUBLIC bool tw_verify(const tw_account *account, const tw_hash *message,
                         const tw_signature *signature);

/* ---- engine ---- */

/* Verified code, made once and shared by ledgers and their views. Modules are verified before they
 * run; the engine keeps what came of it. */
typedef struct tw_engine tw_engine;

/* `bytes_max`: what all code together may take; over it, what was not used for the longest time
 * goes, unless a ledger holds it. 0: 64 MiB. NULL without memory. */
TW_PUBLIC tw_engine *tw_engine_new(size_t bytes_max);
/* After all ledgers that were opened with it. NULL is allowed. */
TW_PUBLIC void tw_engine_free(tw_engine *engine);

/* ---- store ---- */

/* Where a ledger lives: a folder (RocksDB), or memory. A block is written as one batch, so after a
 * crash at any moment the store holds a whole block or does not.
 *
 * A failed write, also one that puts into tables what earlier commits have in the log, latches the
 * store as broken: each later commit gives TW_ERR_STORE, reads of what was acknowledged stay
 * allowed. Since after a failed sync nobody knows what is on the disk, the
 * process should end and be started again: the store then shows its last whole block. */
typedef struct tw_store tw_store;

/* Zeros mean the defaults. */
typedef struct tw_store_options {
    bool create;       /* make the store when it is not there; the parent folder must exist */
    bool must_be_new;  /* with create: TW_REFUSED_ARGUMENT when there is a store already */
    size_t cache_size; /* bytes of caches: half for nodes of the tree, a quarter for values; default
                          64 MiB */
    size_t buffers_size; /* bytes of all write buffers together; default 64 MiB */
} tw_store_options;

/* Opens the store in the folder `path`; `options` may be NULL. TW_REFUSED_NOT_FOUND: there is none
 * and create is off. TW_ERR_LOCKED: a process has it open, and which one is said where it can be
 * known. TW_ERR_CORRUPT: damaged. TW_ERR_IO: the folder cannot be read or made. */
TW_PUBLIC TW_MUST_USE tw_status tw_store_open(const char *path, const tw_store_options *options,
                                              tw_store **ret_store, tw_err *err);

/* A store in memory that will not hold more than `size_max` bytes. Costs microseconds. */
TW_PUBLIC TW_MUST_USE tw_status tw_store_open_memory(size_t size_max, tw_store **ret_store);

/* Before a store that was written to is closed: waits for what is written behind the commits, and
 * begins no more of it. TW_ERR_STORE when any of that failed since it was opened (the commits have
 * not: they are in the log); a failure that a commit has told is not told again. NULL is allowed.
 */
TW_PUBLIC TW_MUST_USE tw_status tw_store_settle(tw_store *store, tw_err *err);

/* After all its ledgers and views. NULL is allowed. After a write to disk has failed the folder
 * stays locked until the process ends, and RocksDB's threads may still be at work in it: such a
 * process ends with _exit, since exit takes down what they stand on. */
TW_PUBLIC void tw_store_close(tw_store *store);

/* The disk must have `bytes` free for a block to begin, else tw_block_begin gives TW_ERR_SPACE; 0:
 * whatever it has. A store begins with 64 MiB. In memory there is no floor. */
TW_PUBLIC void tw_store_set_floor(tw_store *store, uint64_t bytes);

/* A second store with the same content in `path`, a folder that must not be there: hard links where
 * files are finished, so it takes little room on the same disk and time for what is in memory. It
 * shows what was acknowledged before, and blocks may be written meanwhile. Any thread.
 * TW_REFUSED_ARGUMENT of a store in memory. */
TW_PUBLIC TW_MUST_USE tw_status tw_store_copy(tw_store *store, const char *path, tw_err *err);

/* What broke the store or damaged a read first, or "" while nothing has. Good until close. Any
 * thread, as is the next. */
TW_PUBLIC const char *tw_store_failure(const tw_store *store);
TW_PUBLIC bool tw_store_is_broken(const tw_store *store);

/* Is the ledger in this store whole? Computes the root anew from the state alone, then compares
 * tree, past, blocks, receipts and money; changes nothing. `found` gets one sentence for each
 * problem, `progress` (may be NULL) how far it is. Nobody may write meanwhile; the ledger need not
 * open. TW_OK when it came to its end: *ret_problems says how many there are. Time: seconds for a
 * million keys; memory: at most about `memory_max`, and what a block needs. */
TW_PUBLIC TW_MUST_USE tw_status tw_store_audit(tw_store *store, size_t memory_max,
                                               void (*found)(void *context, const char *sentence),
                                               void (*progress)(void *context, const char *what,
                                                                uint64_t done),
                                               void *context, uint64_t *ret_problems, tw_err *err);

/* ---- ledger: open and close ---- */

/* A chain of blocks and the state after the newest one, or, opened for reading, after an earlier
 * one. */
typedef struct tw_ledger tw_ledger;

/* Who has money of the chain's own at the start. */
typedef struct tw_genesis_holder {
    tw_account account;
    int64_t amount; /* above 0 */
} tw_genesis_holder;

/* Its id: tw_ledger_asset_named. */
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

/* What all nodes must agree on; part of the state from block 0 on. Zeros mean the defaults, those
 * of the gas limits stand in vm/ledger/README.md of the sources. */
typedef struct tw_genesis {
    const char *name;       /* of the chain: 1 to 64 bytes */
    int64_t time;           /* of block 0 */
    uint64_t entry_gas_max; /* worst case of an entry */
    uint64_t block_gas_max; /* of all transactions of a block; its bytes have limits of their own */
    uint64_t timer_gas_max; /* of a block, for timers and handlers */
    const tw_genesis_asset *assets;
    uint16_t asset_count;
    int64_t gas_price;      /* of TW_PRICED_GAS, in the fee asset's smallest unit; default 0 */
    uint16_t fee_asset;     /* with a price: which of the assets fees are paid in */
    tw_account fee_account; /* with a price: who gets them */
} tw_genesis;

typedef struct tw_ledger_options {
    uint64_t (*clock_ns)(void); /* may be NULL: where time goes is measured with it, no more */
    tw_engine *engine;          /* borrowed, for several ledgers; NULL: one of its own */
    uint64_t keep;              /* of so many newest blocks the state stays readable; 0: of all */
    unsigned threads;           /* this one and others that help it: results are the same with any
                                   number; 0 is 1, which makes none. Above 1 there is one more,
                                   which writes blocks and mostly waits for the disk */
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
    tw_hash hash; /* speaks for all above: what nodes compare */
} tw_block_info;

/* Writes block 0 into an empty store. The same genesis gives the same block on every node. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_create(tw_store *store, const tw_genesis *genesis,
                                                 tw_err *err);

/* `store` is borrowed and must outlive the ledger; one ledger of a store at a time makes blocks.
 * `options` may be NULL. TW_REFUSED_NOT_FOUND: the store holds no ledger. TW_ERR_CORRUPT: it is not
 * whole, with the remedy. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_open(tw_store *store, const tw_ledger_options *options,
                                               tw_ledger **ret_ledger, tw_err *err);
/* An open block is dropped, one on its way to the disk waited for. NULL is allowed. */
TW_PUBLIC void tw_ledger_close(tw_ledger *ledger);

/* A ledger that only reads and stands at the newest block that is written now: whatever `present`
 * does afterwards, it stays as it is. May be called, and the view used, by any one thread, while
 * another makes blocks with `present`, which must stay open until the view is closed. A view keeps
 * old data on the disk, and up to 1 GiB that it has read: do not hold it for ever. About 30 us.
 * TW_REFUSED_ARGUMENT for a store in memory: read through the ledger itself there. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_open_view(tw_ledger *present, tw_ledger **ret_ledger,
                                                    tw_err *err);

/* A ledger that only reads and stands at the block of `height`. `present` is borrowed: it must
 * outlive it, and commit nothing while it is used; a view may be the present here, and then others
 * may commit. TW_REFUSED_NOT_FOUND with a sentence: a height that is not there yet, or whose state
 * is pruned. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_open_past(tw_ledger *present, uint64_t height,
                                                    tw_ledger **ret_ledger, tw_err *err);

/* What the id of the chain is: transactions name it. Good while the ledger is open. */
TW_PUBLIC const tw_hash *tw_ledger_chain(const tw_ledger *ledger);
/* As it was made, with the defaults filled in. Good while the ledger is open. */
TW_PUBLIC const tw_genesis *tw_ledger_genesis(const tw_ledger *ledger);
/* The block at which the ledger stands. Good until the next call that ends a block. */
TW_PUBLIC const tw_block_info *tw_ledger_head(const tw_ledger *ledger);
/* 0; or, of a ledger that was made from a snapshot, the block that the snapshot is of: neither the
 * transactions nor the receipts of blocks up to it are here. */
TW_PUBLIC uint64_t tw_ledger_base(const tw_ledger *ledger);

/* The height of the newest block that is not after `time`; a refusal when all are. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_height_at(tw_ledger *ledger, int64_t time,
                                                    uint64_t *ret_height, tw_err *err);
/* The oldest block that tw_ledger_open_past can show. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_oldest(tw_ledger *ledger, uint64_t *ret_height);

/* For who keeps the ledger: takes the newest block off, in one batch, as if it had never been; the
 * head is then the block before it. A node that has told others of the block must not do that.
 * No block may be open, and no ledger of the past. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_rollback(tw_ledger *ledger, tw_err *err);

/* Lets go of the states before those of the newest `keep` blocks; blocks themselves stay. At most
 * `blocks_max` of them; *ret_count says how many. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_prune(tw_ledger *ledger, uint64_t keep,
                                                uint64_t blocks_max, uint64_t *ret_count,
                                                tw_err *err);

/* ---- making blocks ---- */

enum {
    TW_TX_SIZE_MAX = 1024 * 1024, /* bytes of a transaction */
    TW_TX_SIGNERS_MAX = 16,
    TW_PACK_READINGS_MAX = 4096,
    TW_PACK_FIELDS_MAX = 64,
};

/* Whether a block made now would take the transaction in, for whoever collects them: TW_OK, or a
 * refusal with its reason, of which TW_REFUSED_NONCE may pass with time. It is not executed, so it
 * may still fail in the block. No block may be open. Costs its signatures. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_check(tw_ledger *ledger, tw_bytes transaction,
                                                tw_err *err);

/* Opens a block at `time` and runs the timers that are due and the handlers that have waited.
 * TW_REFUSED_TIME when `time` is before the head's, or out of range. TW_ERR_SPACE: see
 * tw_store_set_floor. */
TW_PUBLIC TW_MUST_USE tw_status tw_block_begin(tw_ledger *ledger, int64_t time, tw_err *err);

/* Says which transactions tw_block_execute will get next, in this order, in this block or later
 * ones: with more than one thread they are taken apart and their signatures checked meanwhile. What
 * is said here never changes a result; a transaction that does not come costs time, and those after
 * it are found. tw_block_abort, and a block that is refused by tw_ledger_replay, let go of all that
 * still wait. Bytes are copied. How many there was room for (1,024, or 16 MiB of them, may be
 * waiting; 0 with one thread): say the others again later. */
TW_PUBLIC size_t tw_ledger_expect(tw_ledger *ledger, const tw_bytes *transactions, size_t count);

/* Executes one transaction in the open block. TW_OK: it is in the block, and *ret_receipt (may be
 * NULL) are the bytes of its receipt, which says whether it did or failed: tw_receipt_read. 100 or
 * more: refused, not in the block, nothing changed. Below 0: abort the block. */
TW_PUBLIC TW_MUST_USE tw_status tw_block_execute(tw_ledger *ledger, tw_bytes transaction,
                                                 tw_bytes *ret_receipt, tw_err *err);

/* Computes the roots and writes the block, synced: after TW_OK it may be acknowledged. After a
 * failure the block is gone and the head is as before. `ret_info` may be NULL. */
TW_PUBLIC TW_MUST_USE tw_status tw_block_commit(tw_ledger *ledger, tw_block_info *ret_info,
                                                tw_err *err);

/* The same, but for the disk: roots and head are there at once, so that the next block can begin,
 * and the write goes on beside it where there are threads and the store can be read meanwhile. One
 * block is on its way at most: the end of the next one waits for it. A failed write is told by the
 * next commit of either kind or by settle, with the head then at the block before, and any open
 * block gone. Only what is settled may be acknowledged. */
TW_PUBLIC TW_MUST_USE tw_status tw_block_commit_later(tw_ledger *ledger, tw_block_info *ret_info,
                                                      tw_err *err);

/* Waits until the newest block is written: TW_OK, all are; also when none was on its way. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_settle(tw_ledger *ledger, tw_err *err);

/* Drops the open block, and what was expected; always safe. */
TW_PUBLIC void tw_block_abort(tw_ledger *ledger);

/* When a block should be made for a timer or a retried handler, at the earliest; *ret_found false:
 * never. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_next_due(tw_ledger *ledger, int64_t *ret_due,
                                                   bool *ret_found);

/* ---- blocks and receipts as bytes ---- */

/* Items that stand one after another in bytes of somebody else; tw_items_next takes them out. */
typedef struct tw_items {
    tw_bytes rest;
    uint32_t left;
} tw_items;

typedef struct tw_block_parts {
    tw_block_info info;
    tw_items transactions;
    tw_items receipts; /* of timers and handlers at the block's start, then one a transaction */
} tw_block_parts;

/* The bytes of a block, as tw_ledger_replay takes them on another node. TW_REFUSED_NOT_FOUND: there
 * is none of this height, or it was before the snapshot. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_block_bytes(tw_ledger *ledger, uint64_t height,
                                                      tw_bytes *ret_block, tw_err *err);

/* Takes a block apart; everything in it is borrowed from `block`. Its hash is computed, its roots
 * are what it says. TW_REFUSED_ENCODING when the bytes are none. */
TW_PUBLIC TW_MUST_USE tw_status tw_block_read(tw_bytes block, tw_block_parts *ret_parts);
/* The next item; false when there is none. */
TW_PUBLIC bool tw_items_next(tw_items *list, tw_bytes *ret_item);

/* Executes a block of another node on this ledger, as its next one, and compares every receipt and
 * root: TW_OK, it is the newest block here too. A refusal: not the next block, or no block;
 * TW_ERR_CORRUPT with what differs: executed here it gives something else. Nothing was written
 * then. The write is as in tw_block_commit_later: settle before it is acknowledged. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_replay(tw_ledger *ledger, tw_bytes block, tw_err *err);

/* Where a transaction is; *ret_found false when none has this id. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_find(tw_ledger *ledger, const tw_hash *transaction,
                                               uint64_t *ret_height, uint32_t *ret_place,
                                               bool *ret_found);

typedef enum tw_receipt_kind {
    TW_RECEIPT_TX = 1,
    TW_RECEIPT_TIMER = 2,   /* every, after, silent at the start of a block */
    TW_RECEIPT_HANDLER = 3, /* an edge of an alarm handed over at the start of a block */
} tw_receipt_kind;

/* What one run of a contract's code came to. */
typedef struct tw_run {
    tw_hash contract; /* zero when the transaction named none that exists */
    uint16_t entry;   /* 0xFFFF when no entry ran */
    tw_status status; /* an outcome */
    uint16_t index;   /* of an error, invariant, check, or param */
    tw_bytes fields;  /* of an error: their canonical encodings */
    uint64_t gas;
    uint32_t writes;  /* keys of the state that it changed */
    tw_bytes notices; /* events, history, money: tw_event_next */
} tw_run;

typedef struct tw_receipt_parts {
    uint8_t kind;        /* tw_receipt_kind */
    tw_hash transaction; /* its id; zero but for TW_RECEIPT_TX */
    tw_run run;
    int64_t fee;            /* taken from the sender; of what the clock started, from the fuel */
    bool is_pack;           /* a pack of readings that was taken in: */
    uint32_t accepted;      /* readings */
    uint32_t refused;       /* readings */
    uint16_t handler_count; /* runs that the pack's edges caused; of a tick its timer's */
} tw_receipt_parts;

/* Takes a receipt apart; bytes are borrowed from it. TW_REFUSED_ENCODING when it is none. */
TW_PUBLIC TW_MUST_USE tw_status tw_receipt_read(tw_bytes receipt, tw_receipt_parts *ret_parts);
/* Run number `handler` of those behind the first. TW_REFUSED_NOT_FOUND from handler_count on. */
TW_PUBLIC TW_MUST_USE tw_status tw_receipt_handler(tw_bytes receipt, uint16_t handler,
                                                   tw_run *ret_run);

typedef enum tw_event_kind {
    TW_EVENT_SENT = 1,          /* an event of the contract */
    TW_EVENT_HISTORY = 2,       /* an entry of the contract's history */
    TW_EVENT_MONEY = 3,         /* money moved */
    TW_EVENT_THING_HISTORY = 4, /* an entry of the history of one of its things */
} tw_event_kind;

typedef struct tw_event {
    uint8_t kind;      /* tw_event_kind */
    uint16_t index;    /* which event, kind of entry or money of the module: tw_ledger_name */
    tw_bytes fields;   /* canonical encodings, one after another */
    uint64_t number;   /* of a history entry, from 0 */
    int64_t time;      /* of a history entry */
    tw_account caller; /* of a history entry; zero for timers and handlers */
    uint16_t registry; /* of a thing: which field of the module it stands in */
    tw_bytes key;      /* of a thing */
    int64_t amount;    /* of money, above 0 */
    uint8_t way; /* of money: 1 balance to purse, 2 purse to balance, 3 purse to purse, 4 made, 5
                    destroyed */
    uint16_t from_purse, to_purse; /* of money: purses of the module, 0xFFFF for none */
    tw_account from, to; /* of money: whose balance, or under which key of the purse; else zero */
} tw_event;

/* Takes the next one off the front of a run's notices; false at their end, and at bytes that are
 * none, which then stay in *notices. */
TW_PUBLIC bool tw_event_next(tw_bytes *notices, tw_event *ret_event);

typedef enum tw_name_kind {
    TW_NAME_ENTRY = 1,
    TW_NAME_EVENT = 2,
    TW_NAME_HISTORY = 3,
    TW_NAME_ERROR = 4,
    TW_NAME_INVARIANT = 5,
    TW_NAME_PHASE = 6,
    TW_NAME_MONEY = 7,
    TW_NAME_REGISTRY = 8,
} tw_name_kind;

/* What an index of receipt number `receipt` of block `height` means, in the words of the version of
 * the contract that ran then. Good as other bytes. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_name(tw_ledger *ledger, const tw_hash *contract,
                                               uint64_t height, uint32_t receipt, tw_name_kind kind,
                                               uint16_t index, const char **ret_name, tw_err *err);

/* ---- questions: of the block at which the ledger stands; no block may be open ---- */

typedef struct tw_answer {
    tw_status status; /* TW_OK, or the outcome that the view came to */
    tw_bytes result;  /* of TW_OK: the canonical encoding of its type */
    uint64_t gas;
} tw_answer;

/* Runs a view of a contract at `now`, a time that a block could have. `arguments` are canonical
 * encodings, one after another: bool 1 byte, enum 2, numbers and money 8, text and bytes u16 size
 * before them, hash and account 32, optional 0 or 1 and the value, list u16 count before its
 * elements, record its members. TW_REFUSED_NOT_FOUND: no such contract or view.
 * TW_REFUSED_ARGUMENT: they do not fit. Time and memory are bounded by the view's gas. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_ask(tw_ledger *ledger, const tw_hash *contract,
                                              const char *view, tw_bytes arguments, int64_t now,
                                              tw_answer *ret_answer, tw_err *err);

/* The nonce that the account's next transaction must have. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_nonce(tw_ledger *ledger, const tw_account *account,
                                                uint64_t *ret_next);

/* All contracts, in order of id: call again with the last id until *ret_found is false. NULL
 * starts. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_next_contract(tw_ledger *ledger, const tw_hash *after,
                                                        tw_hash *ret_id, bool *ret_found);

typedef struct tw_asset_info {
    tw_hash id;
    tw_hash contract; /* whose token it is; zero for one of the chain */
    char name[65];
    uint8_t decimals;
    int64_t supply; /* how much there is */
} tw_asset_info;

/* The id of an asset of the chain's own, of those that its genesis names. */
TW_PUBLIC tw_hash tw_ledger_asset_named(const tw_ledger *ledger, const char *name);
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_asset_info(tw_ledger *ledger, const tw_hash *asset,
                                                     tw_asset_info *ret_info, bool *ret_found);
/* What an account has of an asset; 0 where it has none. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_balance(tw_ledger *ledger, const tw_hash *asset,
                                                  const tw_account *account, int64_t *ret_amount);
/* All assets, and all accounts that have some of one, in order: call again with the last until
 * *ret_found is false. NULL starts. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_next_asset(tw_ledger *ledger, const tw_hash *after,
                                                     tw_hash *ret_id, bool *ret_found);
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_next_balance(tw_ledger *ledger, const tw_hash *asset,
                                                       const tw_account *after,
                                                       tw_account *ret_account, bool *ret_found);
/* What so much gas costs, rounded up to the fee asset's smallest unit: 0 on a ledger that takes no
 * fees, false when it is more than there can be. */
TW_PUBLIC bool tw_ledger_fee(const tw_ledger *ledger, uint64_t gas, int64_t *ret_fee);
/* NULL when the ledger takes no fees. */
TW_PUBLIC const tw_hash *tw_ledger_fee_asset(const tw_ledger *ledger);
/* What is left to a contract for its timers, in the fee asset. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_fuel(tw_ledger *ledger, const tw_hash *contract,
                                               int64_t *ret_amount);

/* ---- the state itself: keys, values, proofs ---- */

/* The state's key of what a contract holds under a name: a var; a map, registry or purse (of a
 * member) with `key`, the canonical encoding of a key; without one (size 0) how many keys it has,
 * or a purse's total; "phase" for its record of phase, timers and history. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_key(tw_ledger *ledger, const tw_hash *contract,
                                              const char *name, tw_bytes key, tw_bytes *ret_key,
                                              tw_err *err);
/* The state's key of an account's amount of an asset. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_balance_key(tw_ledger *ledger, const tw_hash *asset,
                                                      const tw_account *account, tw_bytes *ret_key);

/* A value: one byte 1, then its canonical encoding. *ret_found false: nothing is under the key. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_get(tw_ledger *ledger, tw_bytes key, tw_bytes *ret_value,
                                              bool *ret_found);
/* The first key after `after` (size 0: the first of all) that begins with `prefix`, and its value:
 * all of the state in order, or what lies under a key without its end. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_next(tw_ledger *ledger, tw_bytes prefix, tw_bytes after,
                                               tw_bytes *ret_key, tw_bytes *ret_value,
                                               bool *ret_found);

/* A proof file: what the state has under `key`, or that it has nothing, for anyone who knows the
 * hash of the block; with what helps to read it, the contract's module too when `code`. Time: one
 * way through the tree a fact, of three at most. `twvm verify` and tw_proof_file_check take it. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_proof(tw_ledger *ledger, tw_bytes key, bool code,
                                                tw_bytes *ret_file, tw_err *err);
/* The same fact alone, as an ICS-23 CommitmentProof. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_proof_ics23(tw_ledger *ledger, tw_bytes key,
                                                      tw_bytes *ret_proof, tw_err *err);
/* A proof file with a whole history: of the contract (registry NULL), or of the thing under `key`
 * (canonical encoding) of one of its registries. Reads every block. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_history_proof(tw_ledger *ledger, const tw_hash *contract,
                                                        const char *registry, tw_bytes key,
                                                        tw_bytes *ret_file, tw_err *err);

typedef struct tw_proof_fact {
    tw_block_info block;
    tw_bytes key;
    bool found;
    tw_bytes value;       /* when found */
    bool is_history;      /* a whole history of what the key is the record of: */
    uint64_t entry_count; /* so many entries */
} tw_proof_fact;

/* Checks a proof file against the hash of a block, or the root of a state, or both; one may be
 * NULL. Needs no ledger; of a root alone, height and time of the block are what the maker says. A
 * history is also checked to be whole and in order. Bytes are borrowed from `file`. A refusal with
 * a sentence: it proves nothing. */
TW_PUBLIC TW_MUST_USE tw_status tw_proof_file_check(tw_bytes file, const tw_hash *root,
                                                    const tw_hash *block, tw_proof_fact *ret_fact,
                                                    tw_err *err);

/* ---- snapshots ---- */

/* The whole state after a block as a file: byte-identical from any node that has the block. In it a
 * head of TW_SNAPSHOT_HEAD_SIZE bytes, then chunks, each a u32 size and so many bytes. */
enum {
    TW_SNAPSHOT_HEAD_SIZE = 182,
    TW_SNAPSHOT_CHUNK_MAX = 541778, /* bytes of a chunk without its size */
};

typedef struct tw_snapshot_info {
    tw_block_info block;
    uint64_t keys, chunks;
    uint64_t size; /* bytes of the file */
} tw_snapshot_info;

/* Takes the bytes of the file, one run after another. Any status but TW_OK ends the work and is
 * what comes of it. */
typedef tw_status (*tw_snapshot_sink)(void *context, tw_bytes bytes);
/* Fills `memory` with the next `size` bytes of the file; *ret_size less only at its end. */
typedef tw_status (*tw_snapshot_source)(void *context, uint8_t *memory, size_t size,
                                        size_t *ret_size);

/* The state of the block at which the ledger stands; from a view, while another thread goes on. No
 * block may be open. Time: three look-ups and about ten hashes a key; memory: a chunk. What is
 * written is checked first: TW_ERR_CORRUPT when the state is not whole. *ret_info is also told
 * between chunks, as far as it is. */
TW_PUBLIC TW_MUST_USE tw_status tw_snapshot_save(tw_ledger *ledger, tw_snapshot_sink sink,
                                                 void *context, tw_snapshot_info *ret_info,
                                                 tw_err *err);

/* Makes a ledger in an empty store from a file; the block must have this root, and this hash; one
 * of them may be NULL, not both. Each chunk is proved against the root before it is stored, and
 * what is stored is no ledger before all of it is there: TW_REFUSED_ENCODING otherwise. Then open
 * the ledger: it goes on from this block, and has none of those before. *ret_info is also told
 * between chunks. */
TW_PUBLIC TW_MUST_USE tw_status tw_snapshot_load(tw_store *store, tw_snapshot_source source,
                                                 void *context, const tw_hash *root,
                                                 const tw_hash *block, tw_snapshot_info *ret_info,
                                                 tw_err *err);

/* The same for chunks that come by other ways: a snapshot on its way into a store. */
typedef struct tw_snapshot tw_snapshot;

/* Begins with the head of a file; root and block as above. `store` is borrowed and used by nobody
 * else until tw_snapshot_free. */
TW_PUBLIC TW_MUST_USE tw_status tw_snapshot_begin(tw_store *store, tw_bytes head,
                                                  const tw_hash *root, const tw_hash *block,
                                                  tw_snapshot **ret_snapshot, tw_err *err);
/* The next chunk, without its size: checked, then written. TW_REFUSED_ENCODING when it is none of
 * this state, or not the next one; nothing of it is stored then. */
TW_PUBLIC TW_MUST_USE tw_status tw_snapshot_add(tw_snapshot *snapshot, tw_bytes chunk, tw_err *err);
/* After the last chunk: gives the store its head, synced. Until then it holds no ledger for anyone
 * who opens it, whatever happens. TW_REFUSED_ENCODING when chunks are missing. */
TW_PUBLIC TW_MUST_USE tw_status tw_snapshot_end(tw_snapshot *snapshot, tw_err *err);
/* How far it is; good until free. */
TW_PUBLIC const tw_snapshot_info *tw_snapshot_told(const tw_snapshot *snapshot);
TW_PUBLIC void tw_snapshot_free(tw_snapshot *snapshot); /* NULL is allowed */

/* ---- making transactions: for clients ---- */

typedef enum tw_tx_kind {
    TW_TX_DEPLOY = 1,
    TW_TX_CALL = 2,
    TW_TX_PACK = 3,
    TW_TX_UPGRADE = 4,
    TW_TX_TRANSFER = 5, /* of the sender's money to another account */
    TW_TX_TICK = 6,     /* the contract's first due timer runs, at the sender's cost */
    TW_TX_FUEL = 7,     /* of the sender's money to what a contract's timers run on */
} tw_tx_kind;

/* Who holds a role from the start. */
typedef struct tw_tx_role {
    const tw_account *members; /* ascending */
    uint16_t count;
} tw_tx_role;

typedef struct tw_tx_param {
    uint16_t index; /* among the module's params */
    tw_bytes value; /* canonical encoding */
} tw_tx_param;

/* The most that a call may take of an asset from its sender. */
typedef struct tw_request_spend {
    tw_hash asset;
    int64_t most; /* above 0 */
} tw_request_spend;

/* What a transaction says. Lists and bytes are borrowed. */
typedef struct tw_request {
    tw_tx_kind kind;
    tw_hash chain;
    const tw_account *signers; /* the sender first, the others ascending */
    uint8_t signer_count;      /* 1 to TW_TX_SIGNERS_MAX */
    uint64_t nonce;            /* tw_ledger_nonce of the sender */
    uint64_t gas_limit;        /* at least tw_ledger_request_gas */
    tw_hash contract;          /* CALL, UPGRADE, TICK, FUEL */
    tw_bytes module;           /* DEPLOY, UPGRADE: tw_file_module */
    const tw_tx_role *roles;   /* DEPLOY: of each role of the module, in its order */
    uint16_t role_count;
    const tw_tx_param *params; /* DEPLOY: those that differ from their default, ascending */
    uint16_t param_count;
    const tw_hash *currencies; /* DEPLOY: the asset of each currency of the module */
    uint16_t currency_count;
    const char *action;             /* CALL */
    tw_bytes arguments;             /* CALL: as in tw_ledger_ask */
    const tw_request_spend *spends; /* CALL: ascending by asset */
    uint16_t spend_count;
    tw_bytes pack;    /* PACK: tw_pack_sign */
    tw_account payee; /* TRANSFER */
    tw_hash asset;    /* TRANSFER */
    int64_t amount;   /* TRANSFER, FUEL: above 0 */
} tw_request;

/* The least gas limit with which the transaction would be taken in now. No block may be open. */
TW_PUBLIC TW_MUST_USE tw_status tw_ledger_request_gas(tw_ledger *ledger, const tw_request *request,
                                                      uint64_t *ret_gas, tw_err *err);
/* Writes the signed transaction into `memory`: `secrets` in the order of the signers.
 * TW_REFUSED_LIMIT: it needs more than `memory_size`, or is over a limit. TW_REFUSED_KEY: a secret
 * that is none. `ret_id` may be NULL; it is what the block knows the transaction by. */
TW_PUBLIC TW_MUST_USE tw_status tw_request_sign(const tw_request *request, const tw_secret *secrets,
                                                uint8_t *memory, size_t memory_size,
                                                size_t *ret_size, tw_hash *ret_id);
/* The module in a file that `twc build` has written, for a deploy or an upgrade: a part of `file`.
 * It is verified when it is deployed. TW_REFUSED_ENCODING with a sentence: it is no such file. */
TW_PUBLIC TW_MUST_USE tw_status tw_file_module(tw_bytes file, tw_bytes *ret_module, tw_err *err);
/* The id that the contract of a deploy gets. */
TW_PUBLIC TW_MUST_USE tw_status tw_request_contract(const tw_request *request, tw_hash *ret_id);

/* One reading of a device. */
typedef struct tw_pack_item {
    uint8_t field;
    int64_t time;
    int64_t value; /* in the smallest unit of its quantity */
} tw_pack_item;

/* What a device has read and signs. */
typedef struct tw_pack {
    tw_hash contract;
    tw_account device;
    uint64_t grant;    /* counts how often the contract gave a sensor role to somebody: from 1 */
    uint64_t sequence; /* of the device's packs, from 1 */
    tw_bytes fields[TW_PACK_FIELDS_MAX]; /* names, as the contract's readings have them */
    uint8_t field_count;
    tw_pack_item *items; /* at most TW_PACK_READINGS_MAX */
    uint16_t item_count;
    /* of one taken apart only: */
    tw_hash hash; /* what the device signed */
    tw_signature signature;
} tw_pack;

/* Writes the signed pack into `memory`, for a request of kind TW_TX_PACK by whoever carries it.
 * Statuses as above. */
TW_PUBLIC TW_MUST_USE tw_status tw_pack_sign(const tw_pack *pack, const tw_hash *chain,
                                             const tw_secret *secret, uint8_t *memory,
                                             size_t memory_size, size_t *ret_size);

#ifdef __cplusplus
}
#endif

#endif
