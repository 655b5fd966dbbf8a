/* order -- see the header. A link array is either the head's or a node's; a search walks from one
 * to the next and goes down inside it, because a node that is linked on a level is so on all
 * levels below. */
#include "vm/state/order.h"

#include <assert.h>
#include <string.h>

uint32_t tw_order_height(uint64_t hash)
{
    /* Two zero bits a level; the top bits, since the hash index uses the low ones. */
    const uint64_t bits = hash | 3; /* keeps the count of leading zeros under 63 */
    const uint32_t height = 1 + (uint32_t)__builtin_clzll(bits) / 2;
    return height < TW_ORDER_HEIGHT_MAX ? height : TW_ORDER_HEIGHT_MAX;
}

size_t tw_order_node_size(uint32_t height)
{
    return sizeof(tw_order_node) + height * sizeof(tw_order_node *);
}

static bool is_below(const tw_order_node *node, tw_bytes key)
{
    return node != NULL && tw_bytes_compare(node->key, key) < 0;
}

tw_order_node *tw_order_seek(const tw_order *order, tw_bytes key)
{
    tw_order_node *const *links = order->first;
    for (uint32_t level = order->height; level-- > 0;) {
        while (is_below(links[level], key)) links = links[level]->next;
    }
    return links[0];
}

tw_order_node *tw_order_before(const tw_order *order, tw_bytes key)
{
    tw_order_node *const *links = order->first;
    tw_order_node *at = NULL;
    for (uint32_t level = order->height; level-- > 0;) {
        while (is_below(links[level], key)) {
            at = links[level];
            links = at->next;
        }
    }
    return at;
}

tw_order_node *tw_order_upto(const tw_order *order, tw_bytes key)
{
    tw_order_node *const *links = order->first;
    tw_order_node *at = NULL;
    for (uint32_t level = order->height; level-- > 0;) {
        while (links[level] != NULL && tw_bytes_compare(links[level]->key, key) <= 0) {
            at = links[level];
            links = at->next;
        }
    }
    return at;
}

tw_order_node *tw_order_last(const tw_order *order)
{
    tw_order_node *const *links = order->first;
    tw_order_node *at = NULL;
    for (uint32_t level = order->height; level-- > 0;) {
        while (links[level] != NULL) {
            at = links[level];
            links = at->next;
        }
    }
    return at;
}

/* For each level up to the order's height, the link that leads to the first node >= key. */
static void find_links(tw_order *order, tw_bytes key, tw_order_node **ret_links[])
{
    tw_order_node **links = order->first;
    for (uint32_t level = order->height; level-- > 0;) {
        while (is_below(links[level], key)) links = links[level]->next;
        ret_links[level] = &links[level];
    }
}

tw_order_node *tw_order_insert(tw_order *order, tw_order_node *node)
{
    assert(node->height >= 1 && node->height <= TW_ORDER_HEIGHT_MAX);
    tw_order_node **links[TW_ORDER_HEIGHT_MAX];
    if (order->height < node->height) order->height = node->height;
    find_links(order, node->key, links);
    tw_order_node *found = *links[0];
    if (found != NULL && !tw_bytes_equal(found->key, node->key)) found = NULL;
    assert(found == NULL || found->height == node->height);
    for (uint32_t level = 0; level < node->height; level++) {
        node->next[level] = found != NULL ? found->next[level] : *links[level];
        *links[level] = node;
    }
    return found;
}

tw_order_node *tw_order_remove(tw_order *order, tw_bytes key)
{
    if (order->height == 0) return NULL;
    tw_order_node **links[TW_ORDER_HEIGHT_MAX];
    find_links(order, key, links);
    tw_order_node *found = *links[0];
    if (found == NULL || !tw_bytes_equal(found->key, key)) return NULL;
    for (uint32_t level = 0; level < found->height; level++) {
        assert(*links[level] == found);
        *links[level] = found->next[level];
    }
    return found;
}
