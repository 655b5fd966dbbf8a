/* tree_build -- the nodes of a tree whose leaves come in order of their key hashes, each node
 * written once, in memory that does not depend on how many there are.
 *
 * Used where a whole state is at hand in that order: when a snapshot is loaded, and to check one
 * that is made. Gives the nodes and the root that tw_tree_update would give for all keys at once.
 */
#ifndef TW_STATE_TREE_BUILD_H
#define TW_STATE_TREE_BUILD_H

#include "vm/state/range.h"

typedef struct tw_tree_build tw_tree_build;

/* All nodes get this version. NULL without memory (80 KiB). */
tw_tree_build *tw_tree_build_new(uint64_t version);
void tw_tree_build_free(tw_tree_build *build); /* NULL is allowed */

/* The next leaf. Nodes that are complete by it are put into `batch`; NULL: only the root is wanted.
 * TW_ERR_INTERNAL: it does not come after the one before. */
TW_MUST_USE tw_status tw_tree_build_add(tw_tree_build *build, const tw_leaf *leaf, tw_batch *batch);

/* After the last leaf: the nodes that are left, and the root. Once. */
void tw_tree_build_end(tw_tree_build *build, tw_batch *batch, tw_tree_root *ret_root);

#endif
