/* tree_node -- one node of the tree: its form in memory, its bytes, its key, its hash.
 *
 * Used by tree.c. Knows nothing of the store. Encoding is canonical: decode refuses whatever
 * encode would not have written.
 */
#ifndef TW_STATE_TREE_NODE_H
#define TW_STATE_TREE_NODE_H

#include "vm/base/bytes.h"
#include "vm/base/hash.h"

enum {
    TW_TREE_FANOUT = 16,
    TW_TREE_DEPTH_MAX = 64,              /* nibbles of a key hash */
    TW_TREE_KEY_SIZE_MAX = 8 + 1 + 32,   /* of a node's key */
    TW_TREE_NODE_SIZE_MAX = 9 + 16 * 64, /* of an encoded node: sixteen leaves */
};

/* What hangs at one nibble. */
typedef enum tw_tree_kind { TW_TREE_EMPTY = 0, TW_TREE_LEAF, TW_TREE_INNER } tw_tree_kind;

typedef struct tw_tree_slot {
    tw_tree_kind kind;
    tw_hash hash;     /* of the leaf or of the subtree; zeros when empty */
    tw_hash key_hash; /* leaf only, else zeros */
    uint64_t version; /* inner only: when its node was written, else 0 */
} tw_tree_slot;

typedef struct tw_tree_node {
    tw_tree_slot slots[TW_TREE_FANOUT];
} tw_tree_node;

bool tw_tree_slot_equal(const tw_tree_slot *a, const tw_tree_slot *b);

/* The nibble of a key hash at `depth`, which is below TW_TREE_DEPTH_MAX. */
unsigned tw_tree_nibble(const tw_hash *key_hash, unsigned depth);

/* Writes the key of the node that lies `depth` nibbles along `path`; returns its size. */
size_t tw_tree_node_key(uint64_t version, const tw_hash *path, unsigned depth,
                        uint8_t ret_key[TW_TREE_KEY_SIZE_MAX]);

/* Size of a node key that begins with these bytes; 0 when `bytes` has no whole key. */
size_t tw_tree_node_key_size(tw_bytes bytes);

/* The hash of the subtree under the node: four levels of the binary tree. */
tw_hash tw_tree_node_hash(const tw_tree_node *node);

/* The way down the four binary levels to the slot `nibble`: the hash beside it on each level, from
 * the top, until what is left holds at most one leaf. Returns how many levels that was; *ret_slot
 * is what is left. */
unsigned tw_tree_node_way(const tw_tree_node *node, unsigned nibble, tw_hash ret_beside[4],
                          tw_tree_slot *ret_slot);

/* `version` is the node's own. Returns the size. */
size_t tw_tree_node_encode(const tw_tree_node *node, uint64_t version,
                           uint8_t ret_bytes[TW_TREE_NODE_SIZE_MAX]);
TW_MUST_USE bool tw_tree_node_decode(tw_bytes bytes, uint64_t version, tw_tree_node *ret_node);

#endif
