/* range -- see the header.
 *
 * Why it holds: where a border has something, at least two leaves are below, so each node on the
 * way to it is an inner one; below the borders all leaves are at hand. What is computed is then the
 * root of one tree only, and a leaf left out or put in between would need another preimage.
 */
#include "vm/state/range.h"

#include <assert.h>
#include <string.h>

static bool bit_of(const tw_hash *hash, unsigned bit)
{
    return (hash->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

/* ---- from the tree ---- */

/* One side of the way of a leaf: `side` is the bit that a way has where something can lie there. */
static tw_status find_border(tw_tree *tree, const tw_tree_root *root, const tw_leaf *leaf,
                             bool side, tw_border *ret_border)
{
    tw_tree_way way;
    TW_TRY(tw_tree_find(tree, root, &leaf->key_hash, &way));
    if (!way.leaf || !tw_hash_equal(&way.key_hash, &leaf->key_hash) ||
        !tw_hash_equal(&way.hash, &leaf->hash)) {
        return TW_ERR_CORRUPT;
    }
    ret_border->depth = 0;
    for (unsigned i = 0; i < way.depth; i++) {
        const bool there = bit_of(&leaf->key_hash, i) == side && !tw_hash_is_zero(&way.beside[i]);
        ret_border->beside[i] = there ? way.beside[i] : (tw_hash){0};
        if (there) ret_border->depth = i + 1;
    }
    return TW_OK;
}

tw_status tw_range_find(tw_tree *tree, const tw_tree_root *root, const tw_leaf *first,
                        const tw_leaf *last, tw_range *ret_range)
{
    TW_TRY(find_border(tree, root, first, true, &ret_range->left));
    return find_border(tree, root, last, false, &ret_range->right);
}

/* ---- bytes ---- */

static void write_border(const tw_border *border, tw_writer *w)
{
    uint8_t bitmap[TW_TREE_LEVELS_MAX / 8] = {0};
    for (unsigned i = 0; i < border->depth; i++) {
        if (!tw_hash_is_zero(&border->beside[i])) bitmap[i / 8] |= (uint8_t)(1u << i % 8);
    }
    tw_write_u16(w, (uint16_t)border->depth);
    tw_write_raw(w, bitmap, (border->depth + 7) / 8);
    for (unsigned i = 0; i < border->depth; i++) {
        if (tw_hash_is_zero(&border->beside[i])) continue;
        tw_write_raw(w, border->beside[i].bytes, TW_HASH_SIZE);
    }
}

void tw_range_encode(const tw_range *range, tw_writer *w)
{
    write_border(&range->left, w);
    write_border(&range->right, w);
}

static void read_border(tw_reader *r, tw_border *border)
{
    const unsigned depth = tw_read_u16(r);
    if (depth > TW_TREE_LEVELS_MAX) r->bad = true;
    const uint8_t *bitmap = tw_read_raw(r, (depth + 7) / 8);
    if (r->bad || (depth % 8 != 0 && bitmap[depth / 8] >> depth % 8 != 0)) {
        r->bad = true;
        return;
    }
    border->depth = depth;
    for (unsigned i = 0; i < depth; i++) {
        const bool there = (bitmap[i / 8] >> i % 8 & 1) != 0;
        border->beside[i] = (tw_hash){0};
        if (there) tw_read_copy(r, border->beside[i].bytes, TW_HASH_SIZE);
        if (there == tw_hash_is_zero(&border->beside[i])) r->bad = true;
    }
    if (depth > 0 && tw_hash_is_zero(&border->beside[depth - 1])) r->bad = true;
}

void tw_range_decode(tw_reader *r, tw_range *ret_range)
{
    read_border(r, &ret_range->left);
    read_border(r, &ret_range->right);
}

/* ---- the root ---- */

/* The number of leaves whose bit is 0: those come first. */
static size_t split(const tw_leaf *leaves, size_t count, unsigned bit)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (bit_of(&leaves[middle].key_hash, bit)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

/* A subtree of which all leaves are at hand. At most 256 deep. */
static tw_hash whole(const tw_leaf *leaves, size_t count, unsigned bit)
{
    if (count == 0) return (tw_hash){0};
    if (count == 1) return leaves[0].hash;
    assert(bit < TW_TREE_LEVELS_MAX);
    const size_t low = split(leaves, count, bit);
    const tw_hash left = whole(leaves, low, bit + 1);
    const tw_hash right = whole(leaves + low, count - low, bit + 1);
    return tw_tree_inner(&left, &right);
}

/* A subtree that has these leaves, and on its left or right what the borders say. */
static tw_hash within(const tw_range *range, const tw_leaf *leaves, size_t count, unsigned bit,
                      bool on_left, bool on_right)
{
    on_left = on_left && bit < range->left.depth;
    on_right = on_right && bit < range->right.depth;
    if (!on_left && !on_right) return whole(leaves, count, bit);
    const size_t low = split(leaves, count, bit);
    tw_hash left = {0};
    tw_hash right = {0};
    if (low > 0) {
        left = within(range, leaves, low, bit + 1, on_left, on_right && low == count);
    } else if (on_left) {
        left = range->left.beside[bit];
    }
    if (low < count) {
        right = within(range, leaves + low, count - low, bit + 1, on_left && low == 0, on_right);
    } else if (on_right) {
        right = range->right.beside[bit];
    }
    return tw_tree_inner(&left, &right);
}

/* Something lies only where the way of the leaf turns to the other side. */
static bool fits(const tw_border *border, const tw_leaf *leaf, bool side)
{
    for (unsigned i = 0; i < border->depth; i++) {
        if (!tw_hash_is_zero(&border->beside[i]) && bit_of(&leaf->key_hash, i) != side) {
            return false;
        }
    }
    return true;
}

bool tw_range_root(const tw_range *range, const tw_leaf *leaves, size_t count, tw_hash *ret_root)
{
    if (count == 0) return false;
    for (size_t i = 1; i < count; i++) {
        if (memcmp(leaves[i - 1].key_hash.bytes, leaves[i].key_hash.bytes, TW_HASH_SIZE) >= 0) {
            return false;
        }
    }
    if (!fits(&range->left, &leaves[0], true) || !fits(&range->right, &leaves[count - 1], false)) {
        return false;
    }
    *ret_root = within(range, leaves, count, 0, true, true);
    return true;
}
