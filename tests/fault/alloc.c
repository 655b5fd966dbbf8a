/* alloc -- each allocation of our own code fails once, while a ledger works; output: TAP.
 *
 *     alloc [--each N]     every N-th allocation (1)
 *
 * The ledger of load.h, in memory: it is made and opened, takes blocks, is read, looked at as it
 * was earlier, proved from, replayed and audited. The linker's --wrap puts this program under
 * malloc, calloc and realloc of our code (not of the libraries'); call number n gives nothing, for
 * every n until the whole gets through. The step in which it was must end with TW_ERR_MEMORY, or
 * as if nothing had been; then it is tried again and must be done, and each block is the one that
 * comes without failures.
 */
#include "tests/fault/load.h"
#include "tests/fault/memory.h"
#include "vm/ledger/audit.h"
#include "vm/state/proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 5, MEMORY = 64 * 1024 * 1024, CALLS_MAX = 1000000 };

static struct {
    uint64_t runs, told, went_on, wrong;
    tw_hash hashes[BLOCKS + 1];
    int64_t held; /* blocks of memory, after a run */
} fault;

/* ---- what is done ---- */

static tw_status step_open(load *l, tw_err *err)
{
    return load_open(l, NULL, err);
}

static tw_status step_block(load *l, tw_err *err)
{
    const tw_status status = load_fill(l, err);
    return status == TW_OK ? load_commit(l, err) : status;
}

static tw_status step_read(load *l, tw_err *err)
{
    tw_arena *arena = tw_arena_new(MEMORY);
    if (arena == NULL) return TW_ERR_MEMORY;
    tw_block read;
    tw_contract *contract = NULL;
    tw_status status = tw_ledger_block(l->ledger, BLOCKS, arena, &read, err);
    if (status == TW_OK) {
        status = tw_ledger_contract(l->ledger, &l->contract, arena, &contract, err);
    }
    tw_arena_free(arena);
    return status;
}

static tw_status step_past(load *l, tw_err *err)
{
    tw_ledger *past = NULL;
    uint64_t nonce = 0;
    tw_status status = tw_ledger_open_past(l->ledger, 2, &past, err);
    if (status == TW_OK) {
        status = tw_ledger_nonce(past, &l->accounts[LOAD_OWNER], &nonce);
        tw_ledger_close(past);
    }
    return status;
}

/* Of every key of the state. */
static tw_status prove_all(load *l, tw_tree *tree, tw_arena *arena, tw_writer *w, tw_err *err)
{
    tw_head head;
    tw_iter *iter = NULL;
    TW_TRY(tw_head_read(l->store, arena, &head, err));
    const tw_prover prover = {tree, head.root, l->store, arena};
    TW_TRY(tw_iter_open(l->store, TW_TABLE_STATE, tw_bytes_of(NULL, 0), &iter));
    tw_status status = tw_iter_first(iter);
    tw_bytes key, value;
    while (status == TW_OK && tw_iter_here(iter, &key, NULL)) {
        bool found = false;
        tw_writer_clear(w);
        status = tw_proof_make(&prover, key, w, &value, &found);
        if (status == TW_OK) status = w->bad ? TW_ERR_MEMORY : tw_iter_next(iter);
    }
    tw_iter_close(iter);
    return status;
}

static tw_status step_prove(load *l, tw_err *err)
{
    tw_arena *arena = tw_arena_new(MEMORY);
    tw_tree *tree = tw_tree_new(l->store, MEMORY);
    tw_writer w = tw_writer_new(TW_PROOF_SIZE_MAX);
    const tw_status status =
        arena == NULL || tree == NULL ? TW_ERR_MEMORY : prove_all(l, tree, arena, &w, err);
    tw_writer_free(&w);
    tw_tree_free(tree);
    tw_arena_free(arena);
    return status;
}

static tw_status step_replay(load *l, tw_err *err)
{
    return load_replay(l, err);
}

static void found(void *context, const char *sentence)
{
    (void)context;
    printf("# audit: %s\n", sentence);
}

static tw_status step_audit(load *l, tw_err *err)
{
    tw_audit audit = {.store = l->store, .memory_max = MEMORY, .found = found};
    const tw_status status = tw_audit_ledger(&audit, err);
    return status == TW_OK && audit.problems > 0 ? TW_ERR_CORRUPT : status;
}

typedef struct step {
    const char *name;
    tw_status (*run)(load *l, tw_err *err);
    uint32_t times;
} step;

static const step steps[] = {{"open", step_open, 1},   {"block", step_block, BLOCKS},
                             {"read", step_read, 1},   {"past", step_past, 1},
                             {"prove", step_prove, 1}, {"replay", step_replay, 1},
                             {"audit", step_audit, 1}};

/* ---- runs ---- */

static void wrong(uint64_t n, const char *name, const char *what, tw_status status)
{
    fault.wrong++;
    printf("# allocation %llu, %s: %s (%s)\n", (unsigned long long)n, name, what,
           tw_status_name(status));
}

static bool run_step(load *l, const step *s, uint64_t n)
{
    tw_err err = {.status = TW_OK};
    const bool before = memory_failed();
    tw_status status = s->run(l, &err);
    if (memory_failed() && !before) {
        if (status == TW_OK) {
            fault.went_on++;
        } else {
            fault.told++;
            if (status != TW_ERR_MEMORY) wrong(n, s->name, "is not told", status);
            status = s->run(l, &err);
        }
    }
    if (status != TW_OK) wrong(n, s->name, "is not done", status);
    return status == TW_OK;
}

/* True when there was an allocation of this number; 0: none fails. */
static bool run(load *l, uint64_t n)
{
    (void)memory_fail(n);
    bool good = true;
    for (size_t i = 0; good && i < sizeof steps / sizeof *steps; i++) {
        for (uint32_t k = 0; good && k < steps[i].times; k++) {
            good = run_step(l, &steps[i], n);
            if (!good) break;
            const tw_block_info *head = tw_ledger_head(l->ledger);
            if (n == 0) fault.hashes[head->height] = head->hash;
            if (!tw_hash_equal(&head->hash, &fault.hashes[head->height])) {
                wrong(n, steps[i].name, "the block is another one", TW_OK);
            }
        }
    }
    const bool failed = memory_fail(0);
    load_close(l);
    fault.runs++;
    if (n > 0 && memory_held() != fault.held) wrong(n, "close", "memory is lost", TW_OK);
    fault.held = memory_held();
    return failed;
}

int main(int argc, char **argv)
{
    static load l;
    uint64_t each = 1;
    if (argc == 3 && strcmp(argv[1], "--each") == 0) each = strtoull(argv[2], NULL, 10);
    if (each == 0 || (argc != 1 && argc != 3)) {
        (void)fputs("usage: alloc [--each N]\n", stderr);
        return 2;
    }
    printf("1..1\n");
    if (!load_make(&l)) return 2;
    (void)run(&l, 0); /* the hashes, and buffers of the test's own have grown */
    uint64_t n = 1;
    while (n < CALLS_MAX && run(&l, n)) n += each;
    const bool good = fault.wrong == 0 && fault.told > 0 && n > 100 && n < CALLS_MAX;
    printf("# %llu runs: in %llu it was told, in %llu it went on; %llu wrong\n",
           (unsigned long long)fault.runs, (unsigned long long)fault.told,
           (unsigned long long)fault.went_on, (unsigned long long)fault.wrong);
    printf("%s 1 - each allocation fails once, and the next try is as if none had\n",
           good ? "ok" : "not ok");
    load_free(&l);
    return good ? 0 : 1;
}
