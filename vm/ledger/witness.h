/* witness -- a file that shows what the state has, to anybody: no ledger is needed to check it.
 *
 *     witness: "TWPF" | u8 1 | header of the block, as in block.c | u16 facts, at least 1 | facts
 *              | u8 0; or u8 1, a history: u32 entries | entries
 *              | tagged hash "twvm/witness" of all before it, 32
 *     fact:    u16 size, key | u8 1: u32 size, value; or u8 0: nothing is there
 *              | u16 size, native proof (vm/state/proof.h)
 *     entry:   u16 number of the fact that has its module | u32 size, entry of a history as in
 *              vm/exec/notice.h
 *
 * The first fact is what is shown; the others, ascending by key, help to read it: the record of
 * its contract (with the hash of the code), the code, records of earlier versions. Each is proved
 * by itself against the state root in the header. Entries are the whole history of what the first
 * fact is the record of: a contract's control record or a thing's record has their number and the
 * hash of the last one, and each has the hash of the one before.
 *
 * Which of several versions of a contract wrote an entry is the maker's word: the entry does not
 * say, and the check only knows that the contract had the version.
 *
 * Made by prove.c from a ledger, for `twvm prove` and `twvm history --prove`; checked by whoever
 * knows the state root, or the hash of the block. The trailing hash finds damage; what holds
 * against a forger is the root.
 */
#ifndef TW_LEDGER_WITNESS_H
#define TW_LEDGER_WITNESS_H

#include "vm/ledger/ledger.h"

enum {
    TW_WITNESS_FACTS_MAX = 1024,
    TW_WITNESS_SIZE_MAX = 1024 * 1024 * 1024,
};

typedef struct tw_witness_fact {
    tw_bytes key;
    bool found;
    tw_bytes value; /* when found */
    tw_bytes proof;
} tw_witness_fact;

typedef struct tw_witness_entry {
    uint16_t code;  /* number of the fact that has its module */
    tw_bytes bytes; /* of the history entry */
} tw_witness_entry;

typedef struct tw_witness {
    tw_block_info block;
    tw_witness_fact *facts;
    uint16_t fact_count;
    bool history; /* with the entries of what the first fact is the record of */
    tw_witness_entry *entries;
    uint32_t entry_count;
} tw_witness;

/* ---- without a ledger: witness.c ---- */

void tw_witness_encode(const tw_witness *witness, tw_writer *w);

/* Takes it apart; bytes are borrowed, lists come from `arena`. TW_REFUSED_ENCODING when it is not
 * canonical or damaged. Nothing is proved yet. */
TW_MUST_USE tw_status tw_witness_decode(tw_bytes bytes, tw_arena *arena, tw_witness *ret_witness);

/* TW_OK when every fact holds under `root`, and under the root of the block with this hash; either
 * may be NULL, not both. TW_REFUSED_ARGUMENT with a sentence otherwise. With a root alone, height
 * and time of the block are what the maker says. */
TW_MUST_USE tw_status tw_witness_check(const tw_witness *witness, const tw_hash *root,
                                       const tw_hash *block, tw_err *err);

/* The fact of this key, or NULL. */
const tw_witness_fact *tw_witness_find(const tw_witness *witness, tw_bytes key);

/* The contract that a key of the state belongs to; false when it belongs to none. */
bool tw_witness_contract(tw_bytes key, tw_hash *ret_id);

/* The hash of the contract's module as its record in the witness has it. */
bool tw_witness_code(const tw_witness *witness, const tw_hash *contract, tw_hash *ret_code);

/* The module of this hash in the witness. */
bool tw_witness_module(const tw_witness *witness, const tw_hash *code, tw_bytes *ret_module);

/* Of a checked witness: TW_OK when its entries are the whole history of what the first fact is the
 * record of, in order, and each names a module that the contract has or had. `module` is the
 * contract's, by which a thing's record is known; NULL: not at hand, which is enough for the
 * history of a contract. */
TW_MUST_USE tw_status tw_witness_check_history(const tw_witness *witness, const tw_module *module,
                                               tw_err *err);

/* ---- from a ledger: prove.c ---- */

/* What the state has under `key`, with what helps to read it; the module too when `code`. A ledger
 * of tw_ledger_open_past proves what was. Lists and bytes come from `arena`. */
TW_MUST_USE tw_status tw_ledger_prove(tw_ledger *ledger, tw_bytes key, bool code, tw_arena *arena,
                                      tw_witness *ret_witness, tw_err *err);

/* The same fact alone, in the form of ICS-23. */
TW_MUST_USE tw_status tw_ledger_prove_ics23(tw_ledger *ledger, tw_bytes key, tw_writer *w,
                                            tw_err *err);

/* The whole history of a contract, or of one of its things. */
typedef struct tw_history_of {
    tw_hash contract;
    bool thing;
    uint32_t field; /* id of its registry */
    tw_bytes key;   /* as a value is encoded */
    tw_key record;  /* the key of its record in the state */
} tw_history_of;

TW_MUST_USE tw_status tw_ledger_prove_history(tw_ledger *ledger, const tw_history_of *of,
                                              tw_arena *arena, tw_witness *ret_witness,
                                              tw_err *err);

#endif
