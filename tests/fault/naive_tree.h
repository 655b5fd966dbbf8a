/* naive_tree -- the root of a set of leaves by plain recursion over the bits of their sorted key
 * hashes: what tests hold the tree against. It shares nothing with it but SHA-256.
 *
 * Included by tree.c and tests/unit/test_tree.c.
 */
#ifndef TW_TESTS_FAULT_NAIVE_TREE_H
#define TW_TESTS_FAULT_NAIVE_TREE_H

#include "vm/base/hash.h"

#include <string.h>

typedef struct naive_leaf {
    tw_hash key_hash, hash;
} naive_leaf;

static inline tw_hash naive_two(uint8_t domain, const tw_hash *a, const tw_hash *b)
{
    uint8_t bytes[65];
    bytes[0] = domain;
    memcpy(bytes + 1, a, 32);
    memcpy(bytes + 33, b, 32);
    return tw_sha256(bytes, sizeof bytes);
}

/* Puts one more leaf where it belongs among `count` in order; there must be room for it. */
static inline void naive_insert(naive_leaf *leaves, size_t count, tw_bytes key, tw_bytes value)
{
    naive_leaf leaf = {.key_hash = tw_sha256(key.data, key.size)};
    const tw_hash value_hash = tw_sha256(value.data, value.size);
    size_t at = count;
    leaf.hash = naive_two(0, &leaf.key_hash, &value_hash);
    for (; at > 0 && memcmp(&leaves[at - 1].key_hash, &leaf.key_hash, 32) > 0; at--) {
        leaves[at] = leaves[at - 1];
    }
    leaves[at] = leaf;
}

/* Of leaves in order that agree in the first `bit` bits; 0: of all. */
static inline tw_hash naive_root(const naive_leaf *leaves, size_t count, size_t bit)
{
    if (count == 0) return (tw_hash){0};
    if (count == 1) return leaves[0].hash;
    size_t left = 0;
    while (left < count && (leaves[left].key_hash.bytes[bit / 8] >> (7 - bit % 8) & 1) == 0) left++;
    const tw_hash a = naive_root(leaves, left, bit + 1);
    const tw_hash b = naive_root(leaves + left, count - left, bit + 1);
    return naive_two(1, &a, &b);
}

#endif
