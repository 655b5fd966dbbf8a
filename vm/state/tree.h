/* tree -- SMT16: the commitment to the whole state, one hash for the set of (key, value).
 *
 *     kh    = SHA256(key)                            bit 0 of kh is its most significant bit
 *     leaf  = SHA256(0x00 | kh | SHA256(value))      the value is never empty
 *     inner = SHA256(0x01 | left | right)
 *     a subtree with no leaf is 32 zero bytes; one with exactly one leaf is that leaf's hash
 *
 * The root depends on the set alone, never on order, batches or history. It is what ICS-23
 * verifiers know as SmtSpec. Stored with 16 children a node, by version:
 *
 *     NODE   BE64(version) | u8 depth | path nibbles packed, high first
 *        ->  u8 format | u16 internal bitmap | u16 leaf bitmap
 *            | per child, ascending: internal = hash, varint(version - its version)
 *                                    leaf     = kh, leaf hash
 *            | u32 XXH3 checksum (damage only)
 *     STALE  BE64(version) -> node keys that this version superseded, one after another
 *
 * A node is written once and never overwritten; leaves live in their parent. Called by commit.c
 * once a block. Only the batch is written to, so an update whose batch is dropped never happened.
 */
#ifndef TW_STATE_TREE_H
#define TW_STATE_TREE_H

#include "vm/base/crew.h"
#include "vm/base/hash.h"
#include "vm/state/overlay.h"

/* A root: its hash, and the version at which its node was written. The empty tree has the zero
 * hash and no node. */
typedef struct tw_tree_root {
    tw_hash hash;
    uint64_t version;
} tw_tree_root;

typedef struct tw_tree tw_tree;

enum { TW_TREE_LEVELS_MAX = 256 }; /* bits of a key hash */

/* `memory_max` bounds the scratch memory of each half of an update; the cache of the top four
 * levels comes on top and stays under 6 MiB. NULL without memory. `store` is borrowed. */
tw_tree *tw_tree_new(tw_store *store, size_t memory_max);
void tw_tree_free(tw_tree *tree); /* NULL is allowed */

/* Lets it remember nodes below the top levels too, in at most `size` more bytes, which are used as
 * they fill. Called once, before the tree is used. Without memory nothing more is remembered. */
void tw_tree_remember(tw_tree *tree, size_t size);

/* Lets the crew (borrowed; NULL: none) do half of what an update hashes. The result is the same. */
void tw_tree_use(tw_tree *tree, tw_crew *crew);

/* Applies `changes` (distinct keys, in any order) to the tree under `root` and puts the new nodes
 * and the record of superseded ones into `batch`. `version` must be over root->version and over
 * every version in the store. Changes without effect are allowed; when none has an effect,
 * *ret_root is *root. TW_ERR_CORRUPT: a node is missing or damaged. */
TW_MUST_USE tw_status tw_tree_update(tw_tree *tree, const tw_tree_root *root, uint64_t version,
                                     const tw_change *changes, size_t count, tw_batch *batch,
                                     tw_tree_root *ret_root);

/* TW_OK when the root's node is there, whole, and has the root's hash; else TW_ERR_CORRUPT. */
TW_MUST_USE tw_status tw_tree_check_root(tw_tree *tree, const tw_tree_root *root);

/* Where a key hash leads: the hashes beside its way down, and what stands at its end. */
typedef struct tw_tree_way {
    unsigned depth;                     /* binary levels */
    bool leaf;                          /* false: nothing is there */
    tw_hash key_hash, hash;             /* of the leaf, which may be another one */
    tw_hash beside[TW_TREE_LEVELS_MAX]; /* from the root down; zeros: nothing */
} tw_tree_way;

TW_MUST_USE tw_status tw_tree_find(tw_tree *tree, const tw_tree_root *root, const tw_hash *key_hash,
                                   tw_tree_way *ret_way);

/* The nearest leaf above (or below) the key hash, itself left out. */
TW_MUST_USE tw_status tw_tree_near(tw_tree *tree, const tw_tree_root *root, const tw_hash *key_hash,
                                   bool above, tw_hash *ret_key_hash, bool *ret_found);

/* Puts into `batch` the deletion of all nodes that `version` superseded. Afterwards no root
 * before `version` can be read in whole; later ones can. */
TW_MUST_USE tw_status tw_tree_prune(tw_tree *tree, uint64_t version, tw_batch *batch);

/* The hashes above, for whoever checks proofs. */
tw_hash tw_tree_leaf(const tw_hash *key_hash, tw_bytes value);
tw_hash tw_tree_inner(const tw_hash *left, const tw_hash *right);

#endif
