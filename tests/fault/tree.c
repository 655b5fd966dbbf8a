/* tree -- random sequences of operations against a naive tree, and proofs with a byte changed;
 * output: TAP.
 *
 *     tree [--runs N] [--proofs N] [--seed S]     2,000 sequences, 2,000 proofs; `./dev tree`
 *
 * A sequence is a few blocks of puts and deletes over few keys, in a store of its own; one in
 * WIDE_EACH is of many changes over many keys. By turns the root is computed by two threads. After
 * each block the root must be that of a plain recursion over the sorted key hashes, which shares
 * only SHA-256 with the tree, and the same block in another order must come to the same root. Then
 * proofs of keys that are there and of some that are not are made of it, and checked; each must
 * show its fact and not the opposite, and each of TURNS changed copies must show nothing. The same
 * with the proofs in the form of ICS-23.
 */
#include "tests/fault/load.h"
#include "tests/fault/naive_tree.h"

#include "vm/base/crew.h"
#include "vm/state/commit.h"
#include "vm/state/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    KEYS = 48,
    WIDE_KEYS = 4096,
    WIDE_EACH = 40,
    BLOCKS_MAX = 6,
    CHANGES_MAX = 24,
    WIDE_CHANGES_MAX = 2000,
    TURNS = 10, /* changed copies of each proof, in each form */
    ICS23_MAX = 8192,
    MEMORY = 64 * 1024 * 1024,
};

typedef struct trees {
    uint64_t random;
    uint64_t keys, changes_max;
    uint64_t values[WIDE_KEYS]; /* 0: not there */
    tw_crew *crew;
    tw_store *store;
    tw_overlay *overlay;
    tw_commit *commit;
    tw_tree *tree;
    tw_arena *arena;
    tw_writer proof;
    uint64_t roots, wide, there, absent, changed, wrong;
} trees;

static uint64_t draw(trees *t, uint64_t below)
{
    return load_mixed(t->random++) % below;
}

static void expect(trees *t, bool good, const char *what)
{
    if (good) return;
    t->wrong++;
    printf("# seed %llu: %s\n", (unsigned long long)t->random, what);
}

static void must(tw_status status)
{
    if (status == TW_OK) return;
    printf("# not done: %s\n", tw_status_text(status));
    exit(2);
}

static tw_bytes key_of(uint64_t number, uint8_t memory[9])
{
    memory[0] = 'k';
    tw_store_u64(memory + 1, number);
    return tw_bytes_of(memory, 9);
}

/* Of 1 to 41 bytes. */
static tw_bytes value_of(uint64_t value, uint8_t memory[48])
{
    memset(memory, (int)(value % 251) + 1, 48);
    tw_store_u64(memory + 1, value);
    return tw_bytes_of(memory, 9 + value % 33);
}

static tw_hash expected_root(const trees *t)
{
    static naive_leaf leaves[WIDE_KEYS];
    size_t count = 0;
    for (uint64_t key = 0; key < t->keys; key++) {
        if (t->values[key] == 0) continue;
        uint8_t name[9];
        uint8_t value[48];
        naive_insert(leaves, count++, key_of(key, name), value_of(t->values[key], value));
    }
    return naive_root(leaves, count, 0);
}

/* ---- sequences ---- */

typedef struct change {
    uint64_t key, value; /* 0: deleted */
} change;

static void apply(trees *t, const change *changes, size_t count, uint64_t height)
{
    uint8_t key[9];
    uint8_t value[48];
    tw_overlay_clear(t->overlay, height);
    for (size_t i = 0; i < count; i++) {
        const tw_bytes at = key_of(changes[i].key, key);
        must(changes[i].value == 0
                 ? tw_overlay_delete(t->overlay, at)
                 : tw_overlay_put(t->overlay, at, value_of(changes[i].value, value)));
    }
}

/* Of different keys; in one order, and then, for good, in another. */
static void block(trees *t, uint64_t height)
{
    static change changes[WIDE_CHANGES_MAX];
    tw_err err = {.status = TW_OK};
    const size_t count = draw(t, t->changes_max);
    size_t made = 0;
    const uint64_t first = draw(t, t->keys);
    const uint64_t step = 1 + 2 * draw(t, 8); /* prime to KEYS but for 3, 9 and 15 */
    for (size_t i = 0; i < count && (step % 3 != 0 || i < t->keys / 3); i++) {
        const uint64_t key = (first + i * step) % t->keys;
        changes[made++] = (change){key, draw(t, 3) == 0 ? 0 : 1 + draw(t, 1000)};
    }
    tw_hash one, two;
    apply(t, changes, made, height);
    must(tw_commit_prepare(t->commit, t->overlay, height, &one, &err));
    tw_commit_drop(t->commit);
    for (size_t i = made; i > 1; i--) {
        const size_t other = draw(t, i);
        const change swapped = changes[other];
        changes[other] = changes[i - 1];
        changes[i - 1] = swapped;
    }
    apply(t, changes, made, height);
    must(tw_commit_prepare(t->commit, t->overlay, height, &two, &err));
    must(tw_commit_write(t->commit, tw_bytes_of(NULL, 0), false, &err));
    for (size_t i = 0; i < made; i++) t->values[changes[i].key] = changes[i].value;
    const tw_hash expected = expected_root(t);
    expect(t, tw_hash_equal(&one, &two), "another order gives another root");
    expect(t, tw_hash_equal(&two, &expected), "the root is not that of the naive tree");
    t->roots++;
    t->wide += made >= 1000;
}

/* ---- proofs ---- */

typedef bool checker(tw_bytes proof, const tw_hash *root, tw_bytes key, const tw_bytes *value);

/* A bit turned, a byte less or more, another key or another root. */
static void change_proof(trees *t, checker *check, const tw_hash *root, tw_bytes key,
                         const tw_bytes *claim)
{
    static uint8_t copy[ICS23_MAX + 1];
    tw_hash other_root = *root;
    uint8_t other_key[9];
    tw_bytes name = key;
    const tw_bytes proof = tw_writer_bytes(&t->proof);
    size_t size = proof.size;
    memcpy(copy, proof.data, size);
    const uint64_t way = draw(t, 16);
    if (way == 0) {
        size = draw(t, size);
    } else if (way == 1) {
        copy[size++] = (uint8_t)draw(t, 256);
    } else if (way == 2) {
        other_root.bytes[draw(t, 32)] ^= (uint8_t)(1 + draw(t, 255));
    } else if (way == 3 && claim != NULL) {
        name = key_of(t->keys * 4 + draw(t, 1000), other_key);
    } else {
        copy[draw(t, size)] ^= (uint8_t)(1u << draw(t, 8));
    }
    expect(t, !check(tw_bytes_of(copy, size), &other_root, name, claim),
           "a changed proof is taken");
    t->changed++;
}

static void prove(trees *t, uint64_t number)
{
    uint8_t key_memory[9];
    uint8_t value_memory[48];
    tw_bytes value;
    bool found = false;
    const tw_bytes key = key_of(number, key_memory);
    const tw_prover prover = {t->tree, tw_commit_head(t->commit)->root, t->store, t->arena};
    const tw_hash *root = &prover.root.hash;
    tw_arena_clear(t->arena);
    tw_writer_clear(&t->proof);
    must(tw_proof_make(&prover, key, &t->proof, &value, &found));
    const uint64_t held = number < t->keys ? t->values[number] : 0;
    const tw_bytes proof = tw_writer_bytes(&t->proof);
    const tw_bytes own = value_of(held != 0 ? held : 7, value_memory);
    expect(t, found == (held != 0), "a key is there that is not, or the other way round");
    expect(t, tw_proof_check(proof, root, key, found ? &own : NULL), "a proof is refused");
    expect(t, !tw_proof_check(proof, root, key, found ? NULL : &own), "it shows the opposite");
    if (found) {
        t->there++;
    } else {
        t->absent++;
    }
    const tw_bytes *claim = found ? &own : NULL;
    for (int i = 0; i < TURNS; i++) change_proof(t, tw_proof_check, root, key, claim);
    tw_arena_clear(t->arena);
    tw_writer_clear(&t->proof);
    must(tw_proof_make_ics23(&prover, key, &t->proof));
    const tw_bytes other = tw_writer_bytes(&t->proof);
    if (other.size > ICS23_MAX) must(TW_ERR_INTERNAL);
    expect(t, tw_proof_check_ics23(other, root, key, claim), "an ICS-23 proof is refused");
    expect(t, !tw_proof_check_ics23(other, root, key, found ? NULL : &own),
           "an ICS-23 proof shows the opposite");
    for (int i = 0; i < TURNS; i++) change_proof(t, tw_proof_check_ics23, root, key, claim);
}

static void sequence(trees *t, bool wide, bool shared, uint64_t proofs)
{
    tw_err err = {.status = TW_OK};
    t->keys = wide ? WIDE_KEYS : KEYS;
    t->changes_max = wide ? WIDE_CHANGES_MAX : CHANGES_MAX;
    memset(t->values, 0, sizeof t->values);
    must(tw_store_open_memory(MEMORY, &t->store));
    t->overlay = tw_overlay_new(t->store, MEMORY);
    t->tree = tw_tree_new(t->store, MEMORY);
    if (t->overlay == NULL || t->tree == NULL) must(TW_ERR_MEMORY);
    must(tw_commit_open(t->store, MEMORY, &t->commit, &err));
    if (shared) tw_commit_use(t->commit, t->crew);
    const uint64_t blocks = 1 + draw(t, BLOCKS_MAX);
    for (uint64_t height = 0; height < blocks; height++) block(t, height);
    for (uint64_t i = 0; i < proofs; i++) prove(t, draw(t, 2 * t->keys));
    tw_commit_close(t->commit);
    tw_overlay_free(t->overlay);
    tw_tree_free(t->tree);
    tw_store_close(t->store);
}

int main(int argc, char **argv)
{
    static trees t;
    uint64_t runs = 2000;
    uint64_t proofs = 2000;
    t.random = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--runs") == 0) {
            runs = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--proofs") == 0) {
            proofs = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            t.random = strtoull(value, NULL, 10);
        } else {
            (void)fputs("usage: tree [--runs N] [--proofs N] [--seed S]\n", stderr);
            return 2;
        }
    }
    printf("1..1\n# seed %llu\n", (unsigned long long)t.random);
    t.arena = tw_arena_new(MEMORY);
    t.proof = tw_writer_new(MEMORY);
    t.crew = tw_crew_new(1);
    if (t.arena == NULL || t.crew == NULL) return 2;
    for (uint64_t i = 0; i < runs; i++) {
        sequence(&t, i % WIDE_EACH == 0, i / WIDE_EACH % 2 == 0,
                 proofs * (i + 1) / runs - proofs * i / runs);
    }
    const bool good = t.wrong == 0 && t.roots >= runs && (t.wide > 0 || runs < 2 * WIDE_EACH) &&
                      t.there + t.absent == proofs;
    printf("# %llu sequences, %llu roots, %llu of them of 1,000 changes and more, each in two "
           "orders; %llu proofs of what is there, %llu of "
           "what is not, each in two forms; %llu changed ones; %llu wrong\n",
           (unsigned long long)runs, (unsigned long long)t.roots, (unsigned long long)t.wide,
           (unsigned long long)t.there, (unsigned long long)t.absent, (unsigned long long)t.changed,
           (unsigned long long)t.wrong);
    printf("%s 1 - roots and proofs are right, and no changed proof is taken\n",
           good ? "ok" : "not ok");
    tw_arena_free(t.arena);
    tw_writer_free(&t.proof);
    tw_crew_free(t.crew);
    return good ? 0 : 1;
}
