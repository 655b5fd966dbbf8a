/* tree_build -- see the header.
 *
 * At work are the nodes on the way of the last leaf, one a depth. How deep that leaf lies depends
 * on its neighbours: it hangs in the node down to which the nearer of the two goes the same way. So
 * it is placed when the next one is known, and what lies below the point where the two part is then
 * complete.
 */
#include "vm/state/tree_build.h"

#include "vm/state/tree_node.h"

#include <assert.h>
#include <string.h>

struct tw_tree_build {
    uint64_t version;
    bool begun;
    tw_leaf last;
    unsigned top; /* depth of the lowest node at work */
    tw_tree_node nodes[TW_TREE_DEPTH_MAX];
};

tw_tree_build *tw_tree_build_new(uint64_t version)
{
    tw_tree_build *b = tw_mem_new(sizeof *b);
    if (b != NULL) b->version = version;
    return b;
}

void tw_tree_build_free(tw_tree_build *build)
{
    tw_mem_free(build);
}

/* How many nibbles two key hashes have in common; they differ. */
static unsigned common(const tw_hash *a, const tw_hash *b)
{
    unsigned depth = 0;
    while (tw_tree_nibble(a, depth) == tw_tree_nibble(b, depth)) depth++;
    return depth;
}

static void place_last(tw_tree_build *b)
{
    const unsigned nibble = tw_tree_nibble(&b->last.key_hash, b->top);
    b->nodes[b->top].slots[nibble] =
        (tw_tree_slot){.kind = TW_TREE_LEAF, .hash = b->last.hash, .key_hash = b->last.key_hash};
}

/* Writes the lowest node at work. */
static tw_hash write_lowest(const tw_tree_build *b, tw_batch *batch)
{
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    uint8_t bytes[TW_TREE_NODE_SIZE_MAX];
    const tw_tree_node *node = &b->nodes[b->top];
    if (batch != NULL) {
        const size_t size = tw_tree_node_key(b->version, &b->last.key_hash, b->top, key);
        tw_batch_put(batch, TW_TABLE_NODE, tw_bytes_of(key, size),
                     tw_bytes_of(bytes, tw_tree_node_encode(node, b->version, bytes)));
    }
    return tw_tree_node_hash(node);
}

/* Nodes below `depth` are complete: each becomes what its parent has of it. */
static void close_below(tw_tree_build *b, unsigned depth, tw_batch *batch)
{
    while (b->top > depth) {
        tw_tree_slot slot = {.kind = TW_TREE_INNER, .version = b->version};
        slot.hash = write_lowest(b, batch);
        b->top--;
        b->nodes[b->top].slots[tw_tree_nibble(&b->last.key_hash, b->top)] = slot;
    }
}

tw_status tw_tree_build_add(tw_tree_build *b, const tw_leaf *leaf, tw_batch *batch)
{
    if (b->begun) {
        if (memcmp(b->last.key_hash.bytes, leaf->key_hash.bytes, TW_HASH_SIZE) >= 0) {
            return TW_ERR_INTERNAL;
        }
        const unsigned depth = common(&b->last.key_hash, &leaf->key_hash);
        while (b->top < depth) b->nodes[++b->top] = (tw_tree_node){0};
        place_last(b);
        close_below(b, depth, batch);
    }
    b->begun = true;
    b->last = *leaf;
    return TW_OK;
}

void tw_tree_build_end(tw_tree_build *b, tw_batch *batch, tw_tree_root *ret_root)
{
    *ret_root = (tw_tree_root){0};
    if (!b->begun) return;
    place_last(b);
    close_below(b, 0, batch);
    ret_root->hash = write_lowest(b, batch);
    ret_root->version = b->version;
}
