/* order -- an index of keys in ascending order: a skip list whose heights come from the key's
 * hash, so that the same keys always make the same list, without a random source.
 *
 * Used by the overlay (its changed keys) and the memory store (its tables). Nodes and keys belong
 * to the caller; the index allocates nothing.
 */
#ifndef TW_STATE_ORDER_H
#define TW_STATE_ORDER_H

#include "vm/base/bytes.h"

enum { TW_ORDER_HEIGHT_MAX = 16 }; /* one level in four: enough for 4^16 keys */

typedef struct tw_order_node {
    tw_bytes key;
    void *item;      /* the caller's */
    uint32_t height; /* links in `next` */
    struct tw_order_node *next[];
} tw_order_node;

/* An empty index is all zeros. */
typedef struct tw_order {
    uint32_t height; /* of the highest node so far */
    tw_order_node *first[TW_ORDER_HEIGHT_MAX];
} tw_order;

/* The height that a key with this hash gets, and the size of its node. */
uint32_t tw_order_height(uint64_t hash);
size_t tw_order_node_size(uint32_t height);

/* The first node whose key is >= `key`, the last whose key is below it, the last whose key is below
 * it or the same, the very last; or NULL.
 * The node after another is node->next[0]. */
tw_order_node *tw_order_seek(const tw_order *order, tw_bytes key);
tw_order_node *tw_order_before(const tw_order *order, tw_bytes key);
tw_order_node *tw_order_upto(const tw_order *order, tw_bytes key);
tw_order_node *tw_order_last(const tw_order *order);

/* Links a node whose key, item and height are set. When there is a node of the same key (it then
 * has the same height), the new one takes its place and the old one is returned; else NULL. */
tw_order_node *tw_order_insert(tw_order *order, tw_order_node *node);

/* Unlinks the node of this key and returns it, or NULL. */
tw_order_node *tw_order_remove(tw_order *order, tw_bytes key);

#endif
