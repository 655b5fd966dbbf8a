/* audit_leaf -- the leaves of a state and the root over them, by plain recursion.
 *
 * Used by audit.c and audit_whole.c. Has no line in common with the tree's own code (tree.c,
 * tree_node.c), so that a fault there cannot hide itself.
 */
#ifndef TW_STATE_AUDIT_LEAF_H
#define TW_STATE_AUDIT_LEAF_H

#include "vm/base/bytes.h"
#include "vm/base/hash.h"

enum { TW_AUDIT_PART_BITS_MAX = 16 };

/* A key of the state, as the tree knows it. */
typedef struct tw_audit_leaf {
    tw_hash key_hash, hash;
} tw_audit_leaf;

/* A subtree: its hash, and how many leaves it has. */
typedef struct tw_audit_sum {
    tw_hash hash;
    uint64_t count;
} tw_audit_sum;

/* Which of the 2^bits parts a key hash belongs to: its first bits. */
uint32_t tw_audit_part(const tw_hash *key_hash, unsigned bits);

tw_audit_leaf tw_audit_leaf_of(tw_bytes key, tw_bytes value);

/* Key hashes ascend in *leaves afterwards; both have room for `count`, and may change places. */
void tw_audit_sort(tw_audit_leaf **leaves, tw_audit_leaf **spare, size_t count);

/* What sorted leaves are together that have the first `bit` bits in common. At most 256 deep. */
tw_audit_sum tw_audit_sum_of(const tw_audit_leaf *leaves, size_t count, unsigned bit);

/* The root over the parts, as many as a power of two; `sums` is used up. */
tw_hash tw_audit_join(tw_audit_sum *sums, size_t count);

#endif
