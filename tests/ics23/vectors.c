/* vectors -- proofs of a state of many keys as ICS-23 bytes, one a line, for the checker beside it.
 *
 *     vectors KEYS PROOFS      root, key, value or "-", proof, in hex
 *
 * Every other proof is of a key that is not there. Each is checked in the native form as well.
 */
#include "vm/state/commit.h"
#include "vm/state/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY_MAX = 1024 * 1024 * 1024, LINE_MAX = 64 * 1024 };

static void check(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "vectors: %s\n", what);
    exit(1);
}

static tw_bytes key_of(uint64_t number, uint8_t memory[12])
{
    memcpy(memory, "key ", 4);
    tw_store_u64(memory + 4, number);
    return tw_bytes_of(memory, 12);
}

static void print_hex(tw_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) printf("%02x", bytes.data[i]);
}

static void print_proof(const tw_prover *p, uint64_t number)
{
    static uint8_t native[TW_PROOF_SIZE_MAX];
    static uint8_t ics23[LINE_MAX];
    tw_writer a = tw_writer_fixed(native, sizeof native);
    tw_writer b = tw_writer_fixed(ics23, sizeof ics23);
    uint8_t memory[12];
    const tw_bytes key = key_of(number, memory);
    tw_bytes value = {NULL, 0};
    bool found = false;
    tw_arena_clear(p->arena);
    check(tw_proof_make(p, key, &a, &value, &found) == TW_OK, "no native proof");
    check(tw_proof_check(tw_writer_bytes(&a), &p->root.hash, key, found ? &value : NULL),
          "the native proof does not pass");
    check(tw_proof_make_ics23(p, key, &b) == TW_OK, "no ICS-23 proof");
    check(tw_proof_check_ics23(tw_writer_bytes(&b), &p->root.hash, key, found ? &value : NULL),
          "the ICS-23 proof does not pass our own verifier");
    print_hex(tw_bytes_of(p->root.hash.bytes, TW_HASH_SIZE));
    putchar(' ');
    print_hex(key);
    putchar(' ');
    if (found) {
        print_hex(value);
    } else {
        putchar('-');
    }
    putchar(' ');
    print_hex(tw_writer_bytes(&b));
    putchar('\n');
}

int main(int argc, char **argv)
{
    check(argc == 3, "usage: vectors KEYS PROOFS");
    const uint64_t keys = strtoull(argv[1], NULL, 10);
    const uint64_t proofs = strtoull(argv[2], NULL, 10);
    tw_store *store = NULL;
    check(keys > 0 && tw_store_open_memory(MEMORY_MAX, &store) == TW_OK, "no store");
    tw_overlay *overlay = tw_overlay_new(store, MEMORY_MAX);
    tw_tree *tree = tw_tree_new(store, MEMORY_MAX);
    tw_arena *arena = tw_arena_new(LINE_MAX);
    tw_commit *commit = NULL;
    tw_err err = {0};
    check(overlay != NULL && tree != NULL && arena != NULL, "no memory");
    check(tw_commit_open(store, MEMORY_MAX, &commit, &err) == TW_OK, err.text);
    for (uint64_t n = 0; n < keys; n++) {
        uint8_t memory[12];
        uint8_t value[9] = {1};
        tw_store_u64(value + 1, n * n);
        const tw_bytes key = key_of(2 * n, memory);
        check(tw_overlay_put(overlay, key, tw_bytes_of(value, sizeof value)) == TW_OK, "no put");
    }
    tw_hash root;
    check(tw_commit_prepare(commit, overlay, 0, &root, &err) == TW_OK, err.text);
    check(tw_commit_write(commit, tw_bytes_of("", 0), false, &err) == TW_OK, err.text);
    const tw_prover p = {tree, tw_commit_head(commit)->root, store, arena};
    const uint64_t step = keys > proofs ? keys / proofs : 1;
    for (uint64_t n = 0; n < proofs; n++) {
        print_proof(&p, 2 * (n * step % keys));
        print_proof(&p, 2 * n + 1);
    }
    tw_commit_close(commit);
    tw_overlay_free(overlay);
    tw_tree_free(tree);
    tw_arena_free(arena);
    tw_store_close(store);
    return 0;
}
