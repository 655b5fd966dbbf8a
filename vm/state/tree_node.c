/* tree_node -- see the header, and tree.h for the format.
 *
 * The fifteen binary hashes inside a node are computed anew each time instead of stored: they cost
 * a few microseconds, and storing them would double the bytes that a block writes.
 */
#include "vm/state/tree_node.h"

#include "vm/state/tree.h"

#include <assert.h>
#include <string.h>

enum { FORMAT = 1, HEADER_SIZE = 5, CHECKSUM_SIZE = 4, VARINT_SIZE_MAX = 10 };

static_assert(HEADER_SIZE + CHECKSUM_SIZE + 16 * 64 == TW_TREE_NODE_SIZE_MAX, "");
static_assert(32 + VARINT_SIZE_MAX <= 64, "an internal child is never longer than a leaf");

tw_hash tw_tree_leaf(const tw_hash *key_hash, tw_bytes value)
{
    const uint8_t domain = 0;
    const tw_hash value_hash = tw_sha256(value.data, value.size);
    const tw_bytes parts[3] = {{&domain, 1}, {key_hash->bytes, 32}, {value_hash.bytes, 32}};
    return tw_sha256_parts(parts, 3);
}

tw_hash tw_tree_inner(const tw_hash *left, const tw_hash *right)
{
    uint8_t bytes[65];
    bytes[0] = 1;
    memcpy(bytes + 1, left->bytes, 32);
    memcpy(bytes + 33, right->bytes, 32);
    return tw_sha256(bytes, sizeof bytes);
}

bool tw_tree_slot_equal(const tw_tree_slot *a, const tw_tree_slot *b)
{
    return a->kind == b->kind && a->version == b->version && tw_hash_equal(&a->hash, &b->hash) &&
           tw_hash_equal(&a->key_hash, &b->key_hash);
}

unsigned tw_tree_nibble(const tw_hash *key_hash, unsigned depth)
{
    assert(depth < TW_TREE_DEPTH_MAX);
    const unsigned byte = key_hash->bytes[depth / 2];
    return depth % 2 == 0 ? byte >> 4 : byte & 15;
}

size_t tw_tree_node_key(uint64_t version, const tw_hash *path, unsigned depth,
                        uint8_t ret_key[TW_TREE_KEY_SIZE_MAX])
{
    assert(depth < TW_TREE_DEPTH_MAX);
    const size_t size = (depth + 1) / 2;
    tw_store_u64(ret_key, version);
    ret_key[8] = (uint8_t)depth;
    memcpy(ret_key + 9, path->bytes, size);
    if (depth % 2 != 0) ret_key[8 + size] &= 0xf0;
    return 9 + size;
}

size_t tw_tree_node_key_size(tw_bytes bytes)
{
    if (bytes.size < 9 || bytes.data[8] >= TW_TREE_DEPTH_MAX) return 0;
    const size_t size = 9 + (size_t)(bytes.data[8] + 1) / 2;
    return bytes.size < size ? 0 : size;
}

/* Two halves of a subtree as one. A lone leaf rises: it has the same hash at every depth. */
static tw_tree_slot join(const tw_tree_slot *left, const tw_tree_slot *right)
{
    if (left->kind == TW_TREE_EMPTY && right->kind != TW_TREE_INNER) return *right;
    if (right->kind == TW_TREE_EMPTY && left->kind != TW_TREE_INNER) return *left;
    return (tw_tree_slot){.kind = TW_TREE_INNER, .hash = tw_tree_inner(&left->hash, &right->hash)};
}

tw_hash tw_tree_node_hash(const tw_tree_node *node)
{
    tw_tree_slot level[TW_TREE_FANOUT / 2];
    for (size_t i = 0; i < TW_TREE_FANOUT / 2; i++) {
        level[i] = join(&node->slots[2 * i], &node->slots[2 * i + 1]);
    }
    for (size_t count = TW_TREE_FANOUT / 4; count > 0; count /= 2) {
        for (size_t i = 0; i < count; i++) level[i] = join(&level[2 * i], &level[2 * i + 1]);
    }
    return level[0].hash;
}

/* What `count` slots, a power of two, are together. */
static tw_tree_slot join_all(const tw_tree_slot *slots, unsigned count)
{
    if (count == 1) return slots[0];
    const tw_tree_slot left = join_all(slots, count / 2);
    const tw_tree_slot right = join_all(slots + count / 2, count / 2);
    return join(&left, &right);
}

unsigned tw_tree_node_way(const tw_tree_node *node, unsigned nibble, tw_hash ret_beside[4],
                          tw_tree_slot *ret_slot)
{
    const tw_tree_slot *slots = node->slots;
    unsigned levels = 0;
    for (unsigned count = TW_TREE_FANOUT; count > 1; count /= 2) {
        *ret_slot = join_all(slots, count);
        if (ret_slot->kind != TW_TREE_INNER) return levels;
        const unsigned half = count / 2;
        const bool right = (nibble & half) != 0;
        ret_beside[levels++] = join_all(slots + (right ? 0 : half), half).hash;
        slots += right ? half : 0;
    }
    *ret_slot = slots[0];
    return levels;
}

static void write_varint(tw_writer *w, uint64_t value)
{
    while (value >= 0x80) {
        tw_write_u8(w, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    tw_write_u8(w, (uint8_t)value);
}

/* Only the shortest form, and at most 64 bits. */
static uint64_t read_varint(tw_reader *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const uint8_t byte = tw_read_u8(r);
        const uint64_t part = byte & 0x7f;
        if ((shift == 63 && part > 1) || (shift > 0 && byte == 0)) break;
        value |= part << shift;
        if (byte < 0x80) return value;
    }
    r->bad = true;
    return 0;
}

size_t tw_tree_node_encode(const tw_tree_node *node, uint64_t version,
                           uint8_t ret_bytes[TW_TREE_NODE_SIZE_MAX])
{
    unsigned inner = 0;
    unsigned leaves = 0;
    for (unsigned i = 0; i < TW_TREE_FANOUT; i++) {
        if (node->slots[i].kind == TW_TREE_INNER) inner |= 1u << i;
        if (node->slots[i].kind == TW_TREE_LEAF) leaves |= 1u << i;
    }
    assert((inner | leaves) != 0);
    tw_writer w = tw_writer_fixed(ret_bytes, TW_TREE_NODE_SIZE_MAX);
    tw_write_u8(&w, FORMAT);
    tw_write_u16(&w, (uint16_t)inner);
    tw_write_u16(&w, (uint16_t)leaves);
    for (unsigned i = 0; i < TW_TREE_FANOUT; i++) {
        const tw_tree_slot *slot = &node->slots[i];
        if (slot->kind == TW_TREE_INNER) {
            assert(slot->version <= version);
            tw_write_raw(&w, slot->hash.bytes, TW_HASH_SIZE);
            write_varint(&w, version - slot->version);
        } else if (slot->kind == TW_TREE_LEAF) {
            tw_write_raw(&w, slot->key_hash.bytes, TW_HASH_SIZE);
            tw_write_raw(&w, slot->hash.bytes, TW_HASH_SIZE);
        }
    }
    tw_write_u32(&w, tw_checksum(w.data, w.size));
    assert(!w.bad);
    return w.size;
}

static void read_slot(tw_reader *r, bool is_leaf, uint64_t version, tw_tree_slot *slot)
{
    slot->kind = is_leaf ? TW_TREE_LEAF : TW_TREE_INNER;
    if (is_leaf) tw_read_copy(r, slot->key_hash.bytes, TW_HASH_SIZE);
    tw_read_copy(r, slot->hash.bytes, TW_HASH_SIZE);
    if (is_leaf) return;
    const uint64_t age = read_varint(r);
    if (age > version) r->bad = true;
    slot->version = version - (age <= version ? age : 0);
}

bool tw_tree_node_decode(tw_bytes bytes, uint64_t version, tw_tree_node *ret_node)
{
    if (bytes.size < HEADER_SIZE + CHECKSUM_SIZE) return false;
    const size_t size = bytes.size - CHECKSUM_SIZE;
    if (tw_checksum(bytes.data, size) != tw_load_u32(bytes.data + size)) return false;
    tw_reader r = tw_reader_of(tw_bytes_of(bytes.data, size));
    const uint8_t format = tw_read_u8(&r);
    const unsigned inner = tw_read_u16(&r);
    const unsigned leaves = tw_read_u16(&r);
    if (format != FORMAT || (inner & leaves) != 0 || (inner | leaves) == 0) return false;
    *ret_node = (tw_tree_node){0};
    for (unsigned i = 0; i < TW_TREE_FANOUT; i++) {
        if (((inner | leaves) >> i & 1) == 0) continue;
        read_slot(&r, (leaves >> i & 1) != 0, version, &ret_node->slots[i]);
    }
    return tw_reader_done(&r);
}
