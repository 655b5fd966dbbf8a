/* proof -- that the state holds a value under a key, or nothing, shown against a root alone.
 *
 * Made by whoever has the ledger; checked by anybody: tw_proof_check needs the bytes, the root, and
 * SHA-256. Two forms of one fact:
 *
 *     native  u8 1 | u8 kind | u16 depth | bitmap of the levels with something beside, from the
 *             root, (depth + 7) / 8 bytes | those hashes from the leaf up, 32 bytes each
 *             | kind OTHER: key hash and value hash of the leaf in the key's place
 *     ICS-23  a CommitmentProof in protobuf, for verifiers with SmtSpec (cosmos/ics23): existence,
 *             or the two neighbours of what is not there
 *
 * Both are canonical: one byte string for one fact. The native form is about half as long, and a
 * tenth where nothing is there.
 */
#ifndef TW_STATE_PROOF_H
#define TW_STATE_PROOF_H

#include "vm/state/tree.h"

typedef enum tw_proof_kind {
    TW_PROOF_VALUE = 1, /* the key has the value */
    TW_PROOF_EMPTY = 2, /* nothing is on the key's way */
    TW_PROOF_OTHER = 3, /* another key is alone on the key's way */
} tw_proof_kind;

enum { TW_PROOF_SIZE_MAX = 4 + 32 + 256 * 32 + 64 };

/* Where proofs are made from: a tree, a root of it, and the store whose STATE is as of that root
 * (tw_store_open_past for an earlier one). */
typedef struct tw_prover {
    tw_tree *tree;
    tw_tree_root root;
    tw_store *store;
    tw_arena *arena; /* for what is looked up; the caller clears it */
} tw_prover;

/* Appends the proof of what the state has under `key`. *ret_value is what it has there, in the
 * arena; *ret_found false when nothing. TW_ERR_CORRUPT when tree and store do not agree. */
TW_MUST_USE tw_status tw_proof_make(const tw_prover *prover, tw_bytes key, tw_writer *w,
                                    tw_bytes *ret_value, bool *ret_found);
TW_MUST_USE tw_status tw_proof_make_ics23(const tw_prover *prover, tw_bytes key, tw_writer *w);

/* True when the native proof shows that the state of this root holds `value` under `key`; or, with
 * `value` NULL, nothing. No bytes make it read outside them or take long. */
bool tw_proof_check(tw_bytes proof, const tw_hash *root, tw_bytes key, const tw_bytes *value);

/* The same of the ICS-23 form: of the bytes that tw_proof_make_ics23 writes, and no others, though
 * other verifiers may take them. At most two ways of 256 levels are hashed. */
bool tw_proof_check_ics23(tw_bytes proof, const tw_hash *root, tw_bytes key, const tw_bytes *value);

#endif
