/* test_proof -- what is there and what is not, shown against a root; nothing forged passes. */
#include "tests/unit/state_fixture.h"
#include "vm/state/commit.h"
#include "vm/state/past.h"
#include "vm/state/proof.h"

#include <criterion/criterion.h>

typedef struct world {
    tw_store *store;
    tw_overlay *overlay;
    tw_commit *commit;
    tw_tree *tree;
    tw_arena *arena;
    tw_writer proof;
    uint64_t height;
} world;

static tw_bytes key_of(uint64_t number, uint8_t memory[12])
{
    memcpy(memory, "key ", 4);
    tw_store_u64(memory + 4, number);
    return tw_bytes_of(memory, 12);
}

static tw_bytes value_of(uint64_t number, uint64_t height, uint8_t memory[40])
{
    memset(memory, 1, 40);
    tw_store_u64(memory + 1, number * 1000 + height);
    return tw_bytes_of(memory, 9 + number % 31);
}

static world *world_make(void)
{
    world *w = tw_mem_new(sizeof *w);
    tw_err err = {0};
    w->store = store_in_memory();
    w->overlay = tw_overlay_new(w->store, 64 * MIB);
    w->tree = tw_tree_new(w->store, 64 * MIB);
    w->arena = tw_arena_new(64 * MIB);
    w->proof = tw_writer_new(4 * MIB);
    cr_assert_eq(tw_commit_open(w->store, 64 * MIB, &w->commit, &err), TW_OK);
    return w;
}

static void world_free(world *w)
{
    tw_writer_free(&w->proof);
    tw_commit_close(w->commit);
    tw_overlay_free(w->overlay);
    tw_tree_free(w->tree);
    tw_arena_free(w->arena);
    tw_store_close(w->store);
    tw_mem_free(w);
}

static void commit(world *w)
{
    tw_hash root;
    tw_err err = {0};
    cr_assert_eq(tw_commit_prepare(w->commit, w->overlay, w->height, &root, &err), TW_OK);
    cr_assert_eq(tw_commit_write(w->commit, text(""), false, &err), TW_OK);
    tw_overlay_clear(w->overlay, w->height++);
}

/* Even numbers below 2 * count are there. */
static world *world_of(uint64_t count)
{
    uint8_t key[12];
    uint8_t value[40];
    world *w = world_make();
    for (uint64_t n = 0; n < count; n++) {
        cr_assert_eq(
            tw_overlay_put(w->overlay, key_of(2 * n, key), value_of(2 * n, w->height, value)),
            TW_OK);
    }
    commit(w);
    return w;
}

static tw_prover prover_at(world *w, uint64_t height, tw_store *store)
{
    tw_tree_root root = {0};
    bool found = false;
    cr_assert_eq(tw_commit_root_at(w->commit, height, &root, &found), TW_OK);
    cr_assert(found);
    return (tw_prover){w->tree, root, store, w->arena};
}

static bool prove(world *w, const tw_prover *p, uint64_t number, tw_bytes *ret_value)
{
    uint8_t key[12];
    bool found = false;
    tw_arena_clear(w->arena);
    tw_writer_clear(&w->proof);
    cr_assert_eq(tw_proof_make(p, key_of(number, key), &w->proof, ret_value, &found), TW_OK);
    return found;
}

static void check_set(uint64_t count)
{
    world *w = world_of(count);
    const tw_prover p = prover_at(w, 0, w->store);
    uint8_t key[12];
    for (uint64_t n = 0; n < 2 * count + 40; n++) {
        tw_bytes value;
        const bool found = prove(w, &p, n, &value);
        const tw_bytes proof = tw_writer_bytes(&w->proof);
        cr_assert_eq(found, n % 2 == 0 && n < 2 * count);
        const tw_bytes other = text("another value");
        const tw_bytes *claim = found ? &value : NULL;
        cr_assert(tw_proof_check(proof, &p.root.hash, key_of(n, key), claim), "key %llu",
                  (unsigned long long)n);
        cr_assert_not(tw_proof_check(proof, &p.root.hash, key_of(n, key), &other));
        if (found) cr_assert_not(tw_proof_check(proof, &p.root.hash, key_of(n, key), NULL));
        if (count > 1) {
            const tw_hash wrong = {{1}};
            cr_assert_not(tw_proof_check(proof, &wrong, key_of(n, key), claim));
        }
    }
    world_free(w);
}

Test(proof, of_small_and_large_sets)
{
    static const uint64_t counts[] = {0, 1, 2, 3, 10, 300, 3000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) check_set(counts[i]);
}

/* Every bit of every byte, and every cut. */
Test(proof, mutated_ones_are_refused)
{
    world *w = world_of(200);
    const tw_prover p = prover_at(w, 0, w->store);
    uint8_t key[12];
    for (uint64_t n = 0; n < 30; n++) {
        tw_bytes value;
        const bool found = prove(w, &p, n, &value);
        const tw_bytes *claim = found ? &value : NULL;
        const tw_bytes proof = tw_writer_bytes(&w->proof);
        for (size_t i = 0; i < proof.size; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                w->proof.data[i] ^= (uint8_t)(1u << bit);
                cr_assert_not(tw_proof_check(proof, &p.root.hash, key_of(n, key), claim),
                              "key %llu byte %zu bit %u", (unsigned long long)n, i, bit);
                w->proof.data[i] ^= (uint8_t)(1u << bit);
            }
            const tw_bytes cut = tw_bytes_of(proof.data, i);
            cr_assert_not(tw_proof_check(cut, &p.root.hash, key_of(n, key), claim));
        }
        cr_assert(tw_proof_check(proof, &p.root.hash, key_of(n, key), claim));
    }
    world_free(w);
}

/* A proof for a block of the past, made later, from the store as of its height. */
Test(proof, of_the_past)
{
    world *w = world_of(50);
    uint8_t key[12];
    uint8_t memory[40];
    for (uint64_t h = 1; h < 20; h++) {
        for (uint64_t n = h; n < 100; n += 7) {
            const tw_bytes name = key_of(n, key);
            if ((n + h) % 3 == 0) {
                cr_assert_eq(tw_overlay_delete(w->overlay, name), TW_OK);
            } else {
                cr_assert_eq(tw_overlay_put(w->overlay, name, value_of(n, h, memory)), TW_OK);
            }
        }
        commit(w);
    }
    for (uint64_t h = 0; h < 20; h++) {
        tw_store *past = NULL;
        cr_assert_eq(tw_store_open_past(w->store, h, &past), TW_OK);
        const tw_prover p = prover_at(w, h, past);
        for (uint64_t n = 0; n < 110; n++) {
            tw_bytes value;
            const bool found = prove(w, &p, n, &value);
            if (h == 0) cr_assert_eq(found, n % 2 == 0 && n < 100);
            cr_assert(tw_proof_check(tw_writer_bytes(&w->proof), &p.root.hash, key_of(n, key),
                                     found ? &value : NULL));
        }
        tw_store_close(past);
    }
    world_free(w);
}

/* Neighbours in the order of the hashes, against all hashes in a row. */
Test(proof, neighbours)
{
    enum { COUNT = 500 };
    world *w = world_of(COUNT);
    const tw_prover p = prover_at(w, 0, w->store);
    uint8_t key[12];
    for (uint64_t n = 0; n < 2 * COUNT; n++) {
        const tw_bytes name = key_of(n, key);
        const tw_hash own = tw_sha256(name.data, name.size);
        for (int above = 0; above < 2; above++) {
            tw_hash best = {0};
            bool some = false;
            for (uint64_t k = 0; k < 2 * COUNT; k += 2) {
                const tw_bytes other = key_of(k, key);
                const tw_hash hash = tw_sha256(other.data, other.size);
                const int order = memcmp(hash.bytes, own.bytes, TW_HASH_SIZE);
                if (above == 1 ? order <= 0 : order >= 0) continue;
                const int nearer = memcmp(hash.bytes, best.bytes, TW_HASH_SIZE);
                if (!some || (above == 1 ? nearer < 0 : nearer > 0)) best = hash;
                some = true;
            }
            tw_hash near;
            bool found = false;
            cr_assert_eq(tw_tree_near(w->tree, &p.root, &own, above == 1, &near, &found), TW_OK);
            cr_assert_eq(found, some);
            if (found) cr_assert(tw_hash_equal(&near, &best));
        }
    }
    world_free(w);
}

/* The shape of the protobuf form; tests/ics23 lets a verifier of others look at its meaning. */
Test(proof, ics23_of_one_key)
{
    world *w = world_of(1);
    const tw_prover p = prover_at(w, 0, w->store);
    uint8_t key[12];
    uint8_t memory[40];
    tw_writer_clear(&w->proof);
    cr_assert_eq(tw_proof_make_ics23(&p, key_of(0, key), &w->proof), TW_OK);
    const tw_bytes value = value_of(0, 0, memory);
    static const uint8_t leaf[] = {0x1a, 9, 8, 1, 16, 1, 24, 1, 42, 1, 0};
    tw_writer expected = tw_writer_new(MIB);
    tw_write_u8(&expected, 0x0a);
    tw_write_u8(&expected, (uint8_t)(2 + 12 + 2 + value.size + sizeof leaf));
    tw_write_u8(&expected, 0x0a);
    tw_write_u8(&expected, 12);
    tw_write_raw(&expected, key_of(0, key).data, 12);
    tw_write_u8(&expected, 0x12);
    tw_write_u8(&expected, (uint8_t)value.size);
    tw_write_raw(&expected, value.data, value.size);
    tw_write_raw(&expected, leaf, sizeof leaf);
    cr_assert(tw_bytes_equal(tw_writer_bytes(&w->proof), tw_writer_bytes(&expected)));
    const tw_bytes own = tw_writer_bytes(&expected);
    cr_assert(tw_proof_check_ics23(own, &p.root.hash, key_of(0, key), &value));
    cr_assert_not(tw_proof_check_ics23(own, &p.root.hash, key_of(0, key), NULL));
    cr_assert_not(tw_proof_check_ics23(own, &p.root.hash, key_of(2, key), &value));
    tw_writer_free(&expected);
    world_free(w);
}

static void write_part(tw_writer *w, uint8_t field, tw_bytes bytes)
{
    uint64_t size = bytes.size;
    tw_write_u8(w, field);
    for (; size >= 0x80; size >>= 7) tw_write_u8(w, (uint8_t)(size | 0x80));
    tw_write_u8(w, (uint8_t)size);
    tw_write_raw(w, bytes.data, bytes.size);
}

/* The existence of a key that is there, without what stands around it. */
static tw_bytes existence_of(world *w, const tw_prover *p, uint64_t number)
{
    uint8_t key[12];
    tw_writer_clear(&w->proof);
    cr_assert_eq(tw_proof_make_ics23(p, key_of(number, key), &w->proof), TW_OK);
    const tw_bytes whole = tw_writer_bytes(&w->proof);
    const size_t head = whole.data[1] < 0x80 ? 2 : 3;
    const void *copy = tw_arena_copy(w->arena, whole.data + head, whole.size - head);
    cr_assert_not_null(copy);
    return tw_bytes_of(copy, whole.size - head);
}

static tw_hash hash_of(uint64_t number)
{
    uint8_t key[12];
    const tw_bytes bytes = key_of(number, key);
    return tw_sha256(bytes.data, bytes.size);
}

/* Whether nothing is between the keys on either side (`count`: none), and `number` is. */
static bool shows_absence(uint64_t number, uint64_t left, uint64_t right, uint64_t count)
{
    const tw_hash own = hash_of(number);
    uint64_t below = count; /* the nearest ones */
    uint64_t above = count;
    tw_hash near[2];
    for (uint64_t n = 0; n < count; n++) {
        const tw_hash hash = hash_of(2 * n);
        const int order = memcmp(hash.bytes, own.bytes, TW_HASH_SIZE);
        if (order == 0) return false;
        if (order < 0 && (below == count || memcmp(&hash, &near[0], TW_HASH_SIZE) > 0)) {
            below = n;
            near[0] = hash;
        } else if (order > 0 && (above == count || memcmp(&hash, &near[1], TW_HASH_SIZE) < 0)) {
            above = n;
            near[1] = hash;
        }
    }
    return left == below && right == above;
}

/* Of all pairs of keys that are there, put together as if they were neighbours of each key: only
 * those pass between which there is nothing. */
Test(proof, ics23_of_forged_neighbours)
{
    enum { COUNT = 12 };
    world *w = world_of(COUNT);
    const tw_prover p = prover_at(w, 0, w->store);
    tw_bytes there[COUNT];
    uint64_t passed = 0;
    tw_writer inner = tw_writer_new(MIB);
    for (uint64_t n = 0; n < COUNT; n++) there[n] = existence_of(w, &p, 2 * n);
    for (uint64_t number = 0; number < 2 * COUNT; number++) {
        for (uint64_t pair = 0; pair < (COUNT + 1) * (COUNT + 1); pair++) {
            const uint64_t left = pair % (COUNT + 1);
            const uint64_t right = pair / (COUNT + 1);
            uint8_t key[12];
            const tw_bytes name = key_of(number, key);
            tw_writer_clear(&inner);
            write_part(&inner, 0x0a, name);
            if (left < COUNT) write_part(&inner, 0x12, there[left]);
            if (right < COUNT) write_part(&inner, 0x1a, there[right]);
            tw_writer_clear(&w->proof);
            write_part(&w->proof, 0x12, tw_writer_bytes(&inner));
            const bool taken =
                tw_proof_check_ics23(tw_writer_bytes(&w->proof), &p.root.hash, name, NULL);
            cr_assert_eq(taken, shows_absence(number, left, right, COUNT), "%llu: %llu, %llu",
                         (unsigned long long)number, (unsigned long long)left,
                         (unsigned long long)right);
            passed += taken;
        }
    }
    cr_assert_eq(passed, COUNT); /* each that is not there has one pair */
    tw_writer_free(&inner);
    world_free(w);
}
