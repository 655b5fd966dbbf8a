/* range -- that some leaves are all that the tree has from the first of them to the last, shown
 * against a root alone.
 *
 * Used for the chunks of a snapshot: who takes one in checks it before he stores it. The leaves
 * are given; what the tree has left of the first and right of the last stands for itself as hashes
 * beside their ways, the borders. Without a left border they begin with the tree's first leaf,
 * without a right one they end with its last.
 *
 *     border: u16 levels | bitmap of the levels with something beside, from the root,
 *             (levels + 7) / 8 bytes | those hashes from the root down, 32 bytes each
 *     range:  left border | right border
 *
 * Canonical: the last level has something beside, so one byte string for one fact.
 */
#ifndef TW_STATE_RANGE_H
#define TW_STATE_RANGE_H

#include "vm/state/tree.h"

/* A key of the state, as the tree knows it. */
typedef struct tw_leaf {
    tw_hash key_hash, hash;
} tw_leaf;

/* What lies on one side of a leaf's way. */
typedef struct tw_border {
    unsigned depth; /* of the lowest level with something beside, plus 1; 0: none */
    tw_hash beside[TW_TREE_LEVELS_MAX]; /* good below `depth`; zeros: nothing there */
} tw_border;

typedef struct tw_range {
    tw_border left, right;
} tw_range;

enum { TW_RANGE_SIZE_MAX = 2 * (2 + 32 + 256 * 32) };

/* The borders of leaves that stand in the tree one after another: `first` and `last` may be the
 * same. TW_ERR_CORRUPT when the tree has other ones. */
TW_MUST_USE tw_status tw_range_find(tw_tree *tree, const tw_tree_root *root, const tw_leaf *first,
                                    const tw_leaf *last, tw_range *ret_range);

void tw_range_encode(const tw_range *range, tw_writer *w);
/* Makes the reader bad when there is no canonical range. */
void tw_range_decode(tw_reader *r, tw_range *ret_range);

/* The root of a tree that has these leaves (at least one) between these borders. False when the
 * leaves do not ascend by key hash, or the borders are not those of the first and the last. */
bool tw_range_root(const tw_range *range, const tw_leaf *leaves, size_t count, tw_hash *ret_root);

#endif
