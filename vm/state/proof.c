/* proof -- see the header. */
#include "vm/state/proof.h"

#include "vm/state/past.h"

#include <string.h>

enum { VERSION = 1 };

static bool bit_of(const tw_hash *hash, unsigned bit)
{
    return (hash->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

static tw_hash leaf_of(const tw_hash *key_hash, const tw_hash *value_hash)
{
    const uint8_t domain = 0;
    const tw_bytes parts[3] = {{&domain, 1}, {key_hash->bytes, 32}, {value_hash->bytes, 32}};
    return tw_sha256_parts(parts, 3);
}

/* The value under a key, which the tree says is there. */
static tw_status value_of(const tw_prover *p, tw_bytes key, tw_bytes *ret_value)
{
    bool found = false;
    TW_TRY(tw_store_get(p->store, TW_TABLE_STATE, key, p->arena, ret_value, &found));
    return found ? TW_OK : TW_ERR_CORRUPT;
}

/* Key and value of a leaf that the tree knows by the key's hash. */
static tw_status leaf_at(const tw_prover *p, const tw_hash *key_hash, tw_bytes *ret_key,
                         tw_bytes *ret_value)
{
    bool found = false;
    TW_TRY(tw_past_key(p->store, key_hash->bytes, p->arena, ret_key, &found));
    return found ? value_of(p, *ret_key, ret_value) : TW_ERR_CORRUPT;
}

/* ---- the native form ---- */

static void write_way(tw_writer *w, tw_proof_kind kind, const tw_tree_way *way)
{
    uint8_t bitmap[TW_TREE_LEVELS_MAX / 8] = {0};
    for (unsigned i = 0; i < way->depth; i++) {
        if (!tw_hash_is_zero(&way->beside[i])) bitmap[i / 8] |= (uint8_t)(1u << i % 8);
    }
    tw_write_u8(w, VERSION);
    tw_write_u8(w, (uint8_t)kind);
    tw_write_u16(w, (uint16_t)way->depth);
    tw_write_raw(w, bitmap, (way->depth + 7) / 8);
    for (unsigned i = way->depth; i-- > 0;) {
        if (!tw_hash_is_zero(&way->beside[i])) tw_write_raw(w, way->beside[i].bytes, TW_HASH_SIZE);
    }
}

tw_status tw_proof_make(const tw_prover *p, tw_bytes key, tw_writer *w, tw_bytes *ret_value,
                        bool *ret_found)
{
    tw_tree_way way;
    const tw_hash key_hash = tw_sha256(key.data, key.size);
    TW_TRY(tw_tree_find(p->tree, &p->root, &key_hash, &way));
    *ret_found = way.leaf && tw_hash_equal(&way.key_hash, &key_hash);
    *ret_value = tw_bytes_of(NULL, 0);
    if (*ret_found) {
        TW_TRY(value_of(p, key, ret_value));
        const tw_hash leaf = tw_tree_leaf(&key_hash, *ret_value);
        if (!tw_hash_equal(&leaf, &way.hash)) return TW_ERR_CORRUPT;
        write_way(w, TW_PROOF_VALUE, &way);
    } else if (!way.leaf) {
        write_way(w, TW_PROOF_EMPTY, &way);
    } else {
        tw_bytes other = {NULL, 0};
        tw_bytes value = {NULL, 0};
        TW_TRY(leaf_at(p, &way.key_hash, &other, &value));
        const tw_hash leaf = tw_tree_leaf(&way.key_hash, value);
        if (!tw_hash_equal(&leaf, &way.hash)) return TW_ERR_CORRUPT;
        const tw_hash value_hash = tw_sha256(value.data, value.size);
        write_way(w, TW_PROOF_OTHER, &way);
        tw_write_raw(w, way.key_hash.bytes, TW_HASH_SIZE);
        tw_write_raw(w, value_hash.bytes, TW_HASH_SIZE);
    }
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}

/* True when the other key shares the first `depth` bits with ours and is not ours. */
static bool stands_in_the_way(const tw_hash *other, const tw_hash *own, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++) {
        if (bit_of(other, i) != bit_of(own, i)) return false;
    }
    return !tw_hash_equal(other, own);
}

/* The hash at the end of the way: of the leaf that the proof claims, or zeros. */
static bool claimed_end(tw_reader *r, uint8_t kind, unsigned depth, const tw_hash *key_hash,
                        const tw_bytes *value, tw_hash *ret_end)
{
    tw_hash value_hash;
    if (kind == TW_PROOF_VALUE) {
        if (value == NULL || value->size == 0) return false;
        value_hash = tw_sha256(value->data, value->size);
        *ret_end = leaf_of(key_hash, &value_hash);
        return true;
    }
    if (value != NULL) return false;
    *ret_end = (tw_hash){0};
    if (kind == TW_PROOF_EMPTY) return true;
    if (kind != TW_PROOF_OTHER) return false;
    tw_hash other;
    tw_read_copy(r, other.bytes, TW_HASH_SIZE);
    tw_read_copy(r, value_hash.bytes, TW_HASH_SIZE);
    if (r->bad || !stands_in_the_way(&other, key_hash, depth)) return false;
    *ret_end = leaf_of(&other, &value_hash);
    return true;
}

bool tw_proof_check(tw_bytes proof, const tw_hash *root, tw_bytes key, const tw_bytes *value)
{
    tw_reader r = tw_reader_of(proof);
    const uint8_t version = tw_read_u8(&r);
    const uint8_t kind = tw_read_u8(&r);
    const unsigned depth = tw_read_u16(&r);
    if (version != VERSION || depth > TW_TREE_LEVELS_MAX || key.size == 0) return false;
    const uint8_t *bitmap = tw_read_raw(&r, (depth + 7) / 8);
    tw_hash beside[TW_TREE_LEVELS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; !r.bad && i < depth; i++) count += bitmap[i / 8] >> i % 8 & 1;
    if (r.bad || (depth % 8 != 0 && bitmap[depth / 8] >> depth % 8 != 0)) return false;
    for (unsigned i = 0; i < count; i++) {
        tw_read_copy(&r, beside[i].bytes, TW_HASH_SIZE);
        if (tw_hash_is_zero(&beside[i])) return false;
    }
    const tw_hash key_hash = tw_sha256(key.data, key.size);
    tw_hash at;
    if (r.bad || !claimed_end(&r, kind, depth, &key_hash, value, &at) || !tw_reader_done(&r)) {
        return false;
    }
    const tw_hash nothing = {0};
    unsigned next = 0;
    for (unsigned i = depth; i-- > 0;) {
        const bool some = (bitmap[i / 8] >> i % 8 & 1) != 0;
        const tw_hash *other = some ? &beside[next++] : &nothing;
        at = bit_of(&key_hash, i) ? tw_tree_inner(other, &at) : tw_tree_inner(&at, other);
    }
    return tw_hash_equal(&at, root);
}

/* ---- ICS-23: the few messages of its proto that are needed, written by hand ---- */

/* Fields of ics23's proofs.proto, number << 3 | wire type (0 varint, 2 bytes). */
enum {
    PROOF_EXIST = 1 << 3 | 2,
    PROOF_NONEXIST = 2 << 3 | 2,
    EXIST_KEY = 1 << 3 | 2,
    EXIST_VALUE = 2 << 3 | 2,
    EXIST_LEAF = 3 << 3 | 2,
    EXIST_PATH = 4 << 3 | 2,
    NONEXIST_KEY = 1 << 3 | 2,
    NONEXIST_LEFT = 2 << 3 | 2,
    NONEXIST_RIGHT = 3 << 3 | 2,
    INNER_HASH = 1 << 3,
    INNER_PREFIX = 2 << 3 | 2,
    INNER_SUFFIX = 3 << 3 | 2,
    SHA256 = 1,
};

/* LeafOp: hash, prehash_key and prehash_value SHA-256, no length prefix, prefix 00 */
static const uint8_t leaf_op[] = {1 << 3, SHA256, 2 << 3, SHA256, 3 << 3, SHA256, 5 << 3 | 2, 1, 0};

static void write_varint(tw_writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) tw_write_u8(w, (uint8_t)(value | 0x80));
    tw_write_u8(w, (uint8_t)value);
}

static void write_part(tw_writer *w, uint8_t field, tw_bytes bytes)
{
    tw_write_u8(w, field);
    write_varint(w, bytes.size);
    tw_write_raw(w, bytes.data, bytes.size);
}

/* One step up: what stands before and behind our hash in the 65 bytes that are hashed. */
static void write_step(tw_writer *w, const tw_hash *beside, bool right)
{
    uint8_t prefix[33] = {1};
    memcpy(prefix + 1, beside->bytes, TW_HASH_SIZE);
    uint8_t memory[80];
    tw_writer step = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&step, INNER_HASH);
    tw_write_u8(&step, SHA256);
    write_part(&step, INNER_PREFIX, tw_bytes_of(prefix, right ? 33 : 1));
    if (!right) write_part(&step, INNER_SUFFIX, tw_bytes_of(beside->bytes, TW_HASH_SIZE));
    write_part(w, EXIST_PATH, tw_writer_bytes(&step));
}

/* An ExistenceProof of a key that is there. */
static tw_status write_existence(const tw_prover *p, const tw_hash *key_hash, tw_writer *w)
{
    tw_tree_way way;
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    TW_TRY(tw_tree_find(p->tree, &p->root, key_hash, &way));
    TW_TRY(leaf_at(p, key_hash, &key, &value));
    write_part(w, EXIST_KEY, key);
    write_part(w, EXIST_VALUE, value);
    write_part(w, EXIST_LEAF, tw_bytes_of(leaf_op, sizeof leaf_op));
    for (unsigned i = way.depth; i-- > 0;) write_step(w, &way.beside[i], bit_of(key_hash, i));
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}

/* The existence of the neighbour on one side, if there is one, as a part of the absence. */
static tw_status write_neighbour(const tw_prover *p, const tw_hash *key_hash, bool above,
                                 tw_writer *w)
{
    tw_hash near;
    bool found = false;
    TW_TRY(tw_tree_near(p->tree, &p->root, key_hash, above, &near, &found));
    if (!found) return TW_OK;
    tw_writer one = tw_writer_new(TW_STORE_VALUE_MAX + UINT16_MAX);
    const tw_status status = write_existence(p, &near, &one);
    if (status == TW_OK) {
        write_part(w, above ? NONEXIST_RIGHT : NONEXIST_LEFT, tw_writer_bytes(&one));
    }
    tw_writer_free(&one);
    return status;
}

tw_status tw_proof_make_ics23(const tw_prover *p, tw_bytes key, tw_writer *w)
{
    tw_tree_way way;
    const tw_hash key_hash = tw_sha256(key.data, key.size);
    TW_TRY(tw_tree_find(p->tree, &p->root, &key_hash, &way));
    const bool found = way.leaf && tw_hash_equal(&way.key_hash, &key_hash);
    tw_writer inner = tw_writer_new(2 * (TW_STORE_VALUE_MAX + UINT16_MAX));
    tw_status status = TW_OK;
    if (found) {
        status = write_existence(p, &key_hash, &inner);
    } else {
        write_part(&inner, NONEXIST_KEY, key);
        status = write_neighbour(p, &key_hash, false, &inner);
        if (status == TW_OK) status = write_neighbour(p, &key_hash, true, &inner);
    }
    if (status == TW_OK) {
        write_part(w, found ? PROOF_EXIST : PROOF_NONEXIST, tw_writer_bytes(&inner));
    }
    const bool bad = inner.bad || w->bad;
    tw_writer_free(&inner);
    return status == TW_OK && bad ? TW_ERR_MEMORY : status;
}

/* ---- ICS-23, checked: only the bytes that are written above ---- */

/* A key that is there: its hash, and what stands beside its way, from the root. */
typedef struct existence {
    tw_bytes key, value;
    tw_hash key_hash;
    unsigned depth;
    tw_hash beside[TW_TREE_LEVELS_MAX];
} existence;

/* The part that a field of this number begins with; empty and r->bad when it is another one. */
static tw_bytes read_part(tw_reader *r, uint8_t field)
{
    uint64_t size = 0;
    uint8_t byte = 0x80;
    if (tw_read_u8(r) != field) r->bad = true;
    for (unsigned shift = 0; !r->bad && (byte & 0x80) != 0; shift += 7) {
        byte = tw_read_u8(r);
        size |= (uint64_t)(byte & 0x7f) << shift;
        /* in as few bytes as it takes, and below 2^28 */
        if (shift > 21 || (byte == 0 && shift > 0)) r->bad = true;
    }
    if (r->bad || size > tw_reader_left(r)) {
        r->bad = true;
        return tw_bytes_of(NULL, 0);
    }
    return tw_bytes_of(tw_read_raw(r, (size_t)size), (size_t)size);
}

static bool next_is(const tw_reader *r, uint8_t field)
{
    tw_reader peek = *r;
    return tw_reader_left(r) > 0 && tw_read_u8(&peek) == field;
}

/* What stands beside, on the side that the key's bit says. */
static bool read_step(tw_bytes step, bool right, tw_hash *ret_beside)
{
    tw_reader r = tw_reader_of(step);
    if (tw_read_u8(&r) != INNER_HASH || tw_read_u8(&r) != SHA256) return false;
    const tw_bytes prefix = read_part(&r, INNER_PREFIX);
    if (r.bad || prefix.size != (right ? 1 + TW_HASH_SIZE : 1) || prefix.data[0] != 1) return false;
    const tw_bytes suffix =
        right ? tw_bytes_of(prefix.data + 1, TW_HASH_SIZE) : read_part(&r, INNER_SUFFIX);
    if (!tw_reader_done(&r) || suffix.size != TW_HASH_SIZE) return false;
    memcpy(ret_beside->bytes, suffix.data, TW_HASH_SIZE);
    return true;
}

/* Reads an ExistenceProof and goes its way up to the root. */
static bool read_existence(tw_bytes bytes, const tw_hash *root, existence *e)
{
    tw_bytes steps[TW_TREE_LEVELS_MAX];
    tw_reader r = tw_reader_of(bytes);
    e->key = read_part(&r, EXIST_KEY);
    e->value = read_part(&r, EXIST_VALUE);
    const tw_bytes leaf = read_part(&r, EXIST_LEAF);
    e->depth = 0;
    while (!r.bad && next_is(&r, EXIST_PATH) && e->depth < TW_TREE_LEVELS_MAX) {
        steps[e->depth++] = read_part(&r, EXIST_PATH);
    }
    if (!tw_reader_done(&r) || e->key.size == 0 || e->value.size == 0 ||
        !tw_bytes_equal(leaf, tw_bytes_of(leaf_op, sizeof leaf_op))) {
        return false;
    }
    e->key_hash = tw_sha256(e->key.data, e->key.size);
    tw_hash at = tw_tree_leaf(&e->key_hash, e->value);
    for (unsigned i = e->depth; i-- > 0;) {
        tw_hash *beside = &e->beside[i];
        const bool right = bit_of(&e->key_hash, i);
        if (!read_step(steps[e->depth - 1 - i], right, beside)) return false;
        at = right ? tw_tree_inner(beside, &at) : tw_tree_inner(&at, beside);
    }
    return tw_hash_equal(&at, root);
}

/* No leaf stands on the given side of this one in its subtree below level `from`. */
static bool is_last(const existence *e, unsigned from, bool above)
{
    for (unsigned i = from; i < e->depth; i++) {
        if (bit_of(&e->key_hash, i) != above && !tw_hash_is_zero(&e->beside[i])) return false;
    }
    return true;
}

/* Nothing stands between the neighbours, either of which may be NULL: at the end of the tree. */
static bool are_neighbours(const existence *left, const existence *right)
{
    if (left == NULL || right == NULL) {
        return (left == NULL || is_last(left, 0, true)) &&
               (right == NULL || is_last(right, 0, false));
    }
    unsigned parting = 0;
    while (parting < left->depth && parting < right->depth &&
           bit_of(&left->key_hash, parting) == bit_of(&right->key_hash, parting)) {
        parting++;
    }
    return parting < left->depth && parting < right->depth && is_last(left, parting + 1, true) &&
           is_last(right, parting + 1, false);
}

/* Reads a NonExistenceProof. */
static bool check_absence(tw_bytes bytes, const tw_hash *root, tw_bytes key)
{
    existence sides[2];
    const existence *found[2] = {NULL, NULL};
    tw_reader r = tw_reader_of(bytes);
    const tw_hash key_hash = tw_sha256(key.data, key.size);
    if (!tw_bytes_equal(read_part(&r, NONEXIST_KEY), key)) return false;
    for (int above = 0; above < 2; above++) {
        const uint8_t field = above != 0 ? NONEXIST_RIGHT : NONEXIST_LEFT;
        if (!next_is(&r, field)) continue;
        existence *e = &sides[above];
        const tw_bytes part = read_part(&r, field);
        if (r.bad || !read_existence(part, root, e)) return false;
        const int order = memcmp(e->key_hash.bytes, key_hash.bytes, TW_HASH_SIZE);
        if (above != 0 ? order <= 0 : order >= 0) return false;
        found[above] = e;
    }
    if (!tw_reader_done(&r)) return false;
    if (found[0] == NULL && found[1] == NULL) return tw_hash_is_zero(root);
    return are_neighbours(found[0], found[1]);
}

bool tw_proof_check_ics23(tw_bytes proof, const tw_hash *root, tw_bytes key, const tw_bytes *value)
{
    existence e;
    tw_reader r = tw_reader_of(proof);
    const tw_bytes part = read_part(&r, value != NULL ? PROOF_EXIST : PROOF_NONEXIST);
    if (!tw_reader_done(&r) || key.size == 0) return false;
    if (value == NULL) return check_absence(part, root, key);
    return read_existence(part, root, &e) && tw_bytes_equal(e.key, key) &&
           tw_bytes_equal(e.value, *value);
}
