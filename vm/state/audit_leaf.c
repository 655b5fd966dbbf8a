/* audit_leaf -- see the header. */
#include "vm/state/audit_leaf.h"

#include <assert.h>
#include <string.h>

enum { LEVELS = 8 * TW_HASH_SIZE };

static tw_bytes hash_bytes(const tw_hash *hash)
{
    return tw_bytes_of(hash->bytes, TW_HASH_SIZE);
}

uint32_t tw_audit_part(const tw_hash *key_hash, unsigned bits)
{
    return bits == 0 ? 0 : tw_load_u32(key_hash->bytes) >> (32 - bits);
}

tw_audit_leaf tw_audit_leaf_of(tw_bytes key, tw_bytes value)
{
    static const uint8_t zero[1] = {0};
    tw_audit_leaf l = {.key_hash = tw_sha256(key.data, key.size)};
    const tw_hash inside = tw_sha256(value.data, value.size);
    const tw_bytes parts[] = {{zero, 1}, hash_bytes(&l.key_hash), hash_bytes(&inside)};
    l.hash = tw_sha256_parts(parts, 3);
    return l;
}

/* Merge sort from the bottom up. */
void tw_audit_sort(tw_audit_leaf **leaves, tw_audit_leaf **spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        const tw_audit_leaf *from = *leaves;
        tw_audit_leaf *to = *spare;
        for (size_t start = 0; start < count; start += 2 * width) {
            const size_t middle = count - start < width ? count : start + width;
            const size_t end = count - start < 2 * width ? count : start + 2 * width;
            size_t left = start;
            size_t right = middle;
            for (size_t i = start; i < end; i++) {
                const bool take_right =
                    left == middle ||
                    (right < end && memcmp(from[left].key_hash.bytes, from[right].key_hash.bytes,
                                           TW_HASH_SIZE) > 0);
                to[i] = take_right ? from[right++] : from[left++];
            }
        }
        *spare = *leaves;
        *leaves = to;
    }
}

static tw_audit_sum join(const tw_audit_sum *left, const tw_audit_sum *right)
{
    static const uint8_t one[1] = {1};
    tw_audit_sum both = {.count = left->count + right->count};
    if (both.count == 1) both.hash = left->count == 1 ? left->hash : right->hash;
    if (both.count < 2) return both;
    const tw_bytes parts[] = {{one, 1}, hash_bytes(&left->hash), hash_bytes(&right->hash)};
    both.hash = tw_sha256_parts(parts, 3);
    return both;
}

static bool bit_of(const tw_hash *hash, unsigned bit)
{
    return (hash->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

tw_audit_sum tw_audit_sum_of(const tw_audit_leaf *leaves, size_t count, unsigned bit)
{
    if (count == 0) return (tw_audit_sum){0};
    if (count == 1) return (tw_audit_sum){leaves[0].hash, 1};
    assert(bit < LEVELS);
    size_t low = 0; /* the first with the bit set is in [low, high] */
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (bit_of(&leaves[middle].key_hash, bit)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    const tw_audit_sum left = tw_audit_sum_of(leaves, low, bit + 1);
    const tw_audit_sum right = tw_audit_sum_of(leaves + low, count - low, bit + 1);
    return join(&left, &right);
}

tw_hash tw_audit_join(tw_audit_sum *sums, size_t count)
{
    for (; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2; i++) sums[i] = join(&sums[2 * i], &sums[2 * i + 1]);
    }
    return sums[0].hash;
}
