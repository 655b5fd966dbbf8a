/* node -- each allocation of our own code, and each call to the store, fails once in a node on a
 * disk; output: TAP.
 *
 *     node [--folder F] [--rounds N]
 *
 * The ledger of load.h in RocksDB, with two threads: transactions are looked at ahead, and a block
 * is written while the next is made. Step by step: it is opened, makes blocks, is read, gives
 * proofs and a snapshot, from which others are made, lets go of old states, takes blocks back, is
 * audited, replayed, and opened again. Within a step call number n fails, for n from 1 on until the
 * step gets through without that call: one to the host's memory gives nothing, one that reads the
 * store gives TW_ERR_STORE once, and after one that writes to it the store is broken, as it is
 * after a real one, and opened anew. The step then must end with that status, or as if nothing had
 * been, and the next try goes on from there: the head is always a block that the same load comes to
 * without failures, and none that was settled is lost; states go in the end though each part of
 * that failed. At the end nothing that was allocated is left, and opening it again and again takes
 * no more memory than once.
 *
 * Which thread makes call n is up to the scheduler: --rounds does all of it more than once.
 */
#include "tests/fault/load.h"
#include "tests/fault/memory.h"
#include "vm/exec/keys.h"
#include "vm/state/store.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 20000, /* of a step */
    EACH_UNTIL = 64,   /* beyond, not every call */
    KEEP = 8,
    BLOCKS_MIN = 20,
    HEIGHTS = 160,
    FILE_MAX = 4 * 1024 * 1024,
    STORE_MAX = 64 * 1024 * 1024,
    REOPENED = 16,
    WARM = 8,               /* of them */
    GROWTH_MAX = 32 * 1024, /* bytes, from then on */
    PATH_SIZE = 4096,
};

typedef struct node {
    load own;
    tw_hash hashes[HEIGHTS]; /* of the blocks that the load comes to without failures */
    const char *parent;
    char folder[PATH_SIZE];
    uint64_t settled; /* no head may be below */
    tw_store *other_store;
    tw_ledger *other; /* that replays the blocks */
    uint8_t *snapshot;
    size_t snapshot_size, snapshot_read;
    tw_hash snapshot_block;
    bool more;   /* the step has more to do */
    bool behind; /* a try went on though a call failed */
    bool store;  /* calls to the store fail, not those to memory */
    uint64_t tries, told, went_on, wrong;
} node;

/* ---- the store ---- */

static plan store_plan = PLAN; /* the wrapped functions have no other way to know */

#define WRAP(name, arguments, names)                                                               \
    tw_status __real_##name arguments;                                                             \
    tw_status __wrap_##name arguments;                                                             \
    tw_status __wrap_##name arguments                                                              \
    {                                                                                              \
        return plan_meets(&store_plan) ? TW_ERR_STORE : __real_##name names;                       \
    }

WRAP(tw_store_get,
     (tw_store * store, tw_table table, tw_bytes key, tw_arena *arena, tw_bytes *ret_value,
      bool *ret_found),
     (store, table, key, arena, ret_value, ret_found))
WRAP(tw_iter_open, (tw_store * store, tw_table table, tw_bytes prefix, tw_iter **ret_iter),
     (store, table, prefix, ret_iter))
WRAP(tw_iter_open_scan, (tw_store * store, tw_table table, tw_iter **ret_iter),
     (store, table, ret_iter))
WRAP(tw_iter_seek, (tw_iter * iter, tw_bytes from), (iter, from))
WRAP(tw_iter_first, (tw_iter * iter), (iter))
WRAP(tw_iter_last, (tw_iter * iter), (iter))
WRAP(tw_iter_next, (tw_iter * iter), (iter))
WRAP(tw_iter_previous, (tw_iter * iter), (iter))

tw_status __real_tw_store_commit(tw_store *store, const tw_batch *batch, bool sync, tw_err *err);
tw_status __wrap_tw_store_commit(tw_store *store, const tw_batch *batch, bool sync, tw_err *err);
tw_status __wrap_tw_store_commit(tw_store *store, const tw_batch *batch, bool sync, tw_err *err)
{
    if (!plan_meets(&store_plan)) return __real_tw_store_commit(store, batch, sync, err);
    tw_store_break(store, "planned");
    return tw_err_set(err, TW_ERR_STORE, "planned");
}

/* Of the kind that is looked at. */
static bool fail_at(const node *d, uint64_t n)
{
    return d->store ? plan_set(&store_plan, n) : memory_fail(n);
}

static void wrong(node *d, const char *name, uint64_t n, const char *what)
{
    d->wrong++;
    printf("# %s, call %llu: %s\n", name, (unsigned long long)n, what);
}

/* ---- steps ---- */

static tw_status step_open(node *d, tw_err *err)
{
    return load_open(&d->own, d->folder, err);
}

/* The block before this one may be on its way to the disk. */
static tw_status step_block(node *d, tw_err *err)
{
    tw_block_info info;
    TW_TRY(load_fill(&d->own, err));
    TW_TRY(tw_block_commit_later(d->own.ledger, &info, err));
    d->more = info.height < BLOCKS_MIN;
    return TW_OK;
}

static tw_status step_settle(node *d, tw_err *err)
{
    TW_TRY(tw_ledger_settle(d->own.ledger, err));
    d->settled = tw_ledger_head(d->own.ledger)->height;
    return TW_OK;
}

static tw_status read_all(node *d, tw_ledger *ledger, tw_err *err)
{
    tw_bytes key = {NULL, 0}, value;
    tw_hash id;
    bool found = true;
    TW_TRY(tw_ledger_next_contract(ledger, NULL, &id, &found));
    if (!found || !tw_hash_equal(&id, &d->own.contract)) return TW_ERR_CORRUPT;
    TW_TRY(tw_ledger_key(ledger, &id, "turns", key, &key, err));
    TW_TRY(tw_ledger_get(ledger, key, &value, &found));
    return found ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status step_view(node *d, tw_err *err)
{
    tw_ledger *view = NULL, *past = NULL;
    TW_TRY(tw_ledger_open_view(d->own.ledger, &view, err));
    tw_status status = read_all(d, view, err);
    if (status == TW_OK) status = tw_ledger_open_past(view, 2, &past, err);
    if (status == TW_OK) status = read_all(d, past, err);
    tw_ledger_close(past);
    tw_ledger_close(view);
    return status;
}

static tw_status step_reload(node *d, tw_err *err)
{
    return tw_ledger_reload(d->own.ledger, err);
}

/* Proof files, which are then checked. */
static tw_status step_prove(node *d, tw_err *err)
{
    tw_ledger *ledger = d->own.ledger;
    const tw_block_info *head = tw_ledger_head(ledger);
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, &d->own.contract);
    tw_bytes file;
    tw_proof_fact fact;
    TW_TRY(tw_ledger_proof_ics23(ledger, tw_key_bytes(&key), &file, err));
    TW_TRY(tw_ledger_proof(ledger, tw_key_bytes(&key), true, &file, err));
    TW_TRY(tw_proof_file_check(file, &head->state_root, &head->hash, &fact, err));
    if (!fact.found || fact.is_history) return TW_ERR_CORRUPT;
    TW_TRY(
        tw_ledger_history_proof(ledger, &d->own.contract, NULL, tw_bytes_of(NULL, 0), &file, err));
    TW_TRY(tw_proof_file_check(file, NULL, &head->hash, &fact, err));
    return fact.is_history && fact.entry_count > 0 ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status keep_bytes(void *context, tw_bytes bytes)
{
    node *d = context;
    if (bytes.size > FILE_MAX - d->snapshot_size) return TW_ERR_IO;
    memcpy(d->snapshot + d->snapshot_size, bytes.data, bytes.size);
    d->snapshot_size += bytes.size;
    return TW_OK;
}

static tw_status step_save(node *d, tw_err *err)
{
    tw_snapshot_info info;
    d->snapshot_size = 0;
    TW_TRY(tw_snapshot_save(d->own.ledger, keep_bytes, d, &info, err));
    d->snapshot_block = info.block.hash;
    return TW_OK;
}

static tw_status give_bytes(void *context, uint8_t *memory, size_t size, size_t *ret_size)
{
    node *d = context;
    const size_t left = d->snapshot_size - d->snapshot_read;
    const size_t part = size < left ? size : left;
    memcpy(memory, d->snapshot + d->snapshot_read, part);
    d->snapshot_read += part;
    *ret_size = part;
    return TW_OK;
}

static tw_status load_into(node *d, tw_store *store, tw_err *err)
{
    tw_snapshot_info info;
    tw_ledger *ledger = NULL;
    d->snapshot_read = 0;
    TW_TRY(tw_snapshot_load(store, give_bytes, d, NULL, &d->snapshot_block, &info, err));
    TW_TRY(tw_ledger_open(store, NULL, &ledger, err));
    const bool same = tw_hash_equal(&tw_ledger_head(ledger)->hash, &d->snapshot_block);
    tw_ledger_close(ledger);
    return same ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status step_load(node *d, tw_err *err)
{
    tw_store *store = NULL;
    TW_TRY(tw_store_open_memory(STORE_MAX, &store));
    const tw_status status = load_into(d, store, err);
    tw_store_close(store);
    return status;
}

/* The oldest state that is kept, one after the other. */
static tw_status step_prune(node *d, tw_err *err)
{
    uint64_t count = 0;
    const tw_status status = tw_ledger_prune(d->own.ledger, 2 * KEEP, 1, &count, err);
    d->more = status == TW_OK && count > 0;
    return status;
}

static tw_status step_keep(node *d, tw_err *err)
{
    d->own.keep = KEEP;
    return load_open(&d->own, d->folder, err);
}

/* Blocks without failures, and the states that could not go before are gone. */
static tw_status step_oldest(node *d, tw_err *err)
{
    uint64_t oldest = 0;
    for (int i = 0; i < KEEP; i++) TW_TRY(step_block(d, err));
    TW_TRY(step_settle(d, err));
    TW_TRY(tw_ledger_oldest(d->own.ledger, &oldest));
    const uint64_t height = tw_ledger_head(d->own.ledger)->height;
    printf("# at block %llu the oldest state is that of %llu\n", (unsigned long long)height,
           (unsigned long long)oldest);
    return oldest + KEEP == height + 1 ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status step_rollback(node *d, tw_err *err)
{
    TW_TRY(step_settle(d, err));
    const tw_status status = tw_ledger_rollback(d->own.ledger, err);
    if (status == TW_OK) d->settled--;
    return status;
}

static void found(void *context, const char *sentence)
{
    (void)context;
    printf("# audit: %s\n", sentence);
}

static tw_status step_audit(node *d, tw_err *err)
{
    uint64_t problems = 0;
    TW_TRY(tw_store_audit(d->own.store, STORE_MAX, found, NULL, NULL, &problems, err));
    return problems == 0 ? TW_OK : TW_ERR_CORRUPT;
}

/* The next block on a ledger in memory, by threads too. */
static tw_status step_replay(node *d, tw_err *err)
{
    tw_bytes block;
    const uint64_t next = tw_ledger_head(d->other)->height + 1;
    TW_TRY(tw_ledger_block_bytes(d->own.ledger, next, &block, err));
    TW_TRY(tw_ledger_replay(d->other, block, err));
    const tw_block_info *head = tw_ledger_head(d->other);
    if (!tw_hash_equal(&head->hash, &d->hashes[head->height])) return TW_ERR_CORRUPT;
    d->more = head->height < tw_ledger_head(d->own.ledger)->height;
    return TW_OK;
}

static bool open_other(node *d)
{
    const tw_ledger_options options = {.threads = 2, .no_sync = true};
    const tw_genesis *genesis = tw_ledger_genesis(d->own.ledger);
    return tw_store_open_memory(STORE_MAX, &d->other_store) == TW_OK &&
           tw_ledger_create(d->other_store, genesis, NULL) == TW_OK &&
           tw_ledger_open(d->other_store, &options, &d->other, NULL) == TW_OK;
}

static void close_other(node *d)
{
    tw_ledger_close(d->other);
    tw_store_close(d->other_store);
    d->other = NULL;
    d->other_store = NULL;
}

typedef struct step {
    const char *name;
    tw_status (*run)(node *d, tw_err *err);
    bool keeps_none; /* after a failure our code holds no more than before */
} step;

static const step steps[] = {
    {"open", step_open, true},
    {"block", step_block, false},
    {"settle", step_settle, false},
    {"view", step_view, false},
    {"reload", step_reload, false},
    {"prove", step_prove, false},
    {"save", step_save, true},
    {"load", step_load, true},
    {"replay", step_replay, false},
    {"open again", step_open, true},
    {"prune", step_prune, false},
    {"audit", step_audit, true},
    {"rollback", step_rollback, false},
    {"block again", step_block, false},
    {"keep few", step_keep, true},
    {"block that keeps few", step_block, false},
    {"what is kept", step_oldest, false},
    {"open at last", step_open, true},
    {"audit at last", step_audit, true},
};

/* ---- runs ---- */

/* What stands in the ledger is what the load comes to without failures. */
static void look(node *d, const step *s, uint64_t n)
{
    if (d->own.ledger == NULL) return;
    const tw_block_info *head = tw_ledger_head(d->own.ledger);
    if (head->height < d->settled) wrong(d, s->name, n, "a block is lost");
    if (head->height >= HEIGHTS || !tw_hash_equal(&head->hash, &d->hashes[head->height])) {
        wrong(d, s->name, n, "the head is another block");
    }
}

/* A store that a write has failed in is closed and opened again; what was in memory is gone. The
 * head has gone back to what is on the disk by then. */
static void mend(node *d, const step *s, uint64_t n)
{
    tw_err err = {.status = TW_OK};
    if (d->other != NULL && tw_store_is_broken(d->other_store)) {
        close_other(d);
        d->more = true;
    }
    if (d->own.store != NULL && tw_store_is_broken(d->own.store)) {
        uint64_t height = 0;
        if (d->own.ledger != NULL) {
            if (tw_ledger_settle(d->own.ledger, &err) == TW_OK)
                err.status = TW_OK; /* told before */
            height = tw_ledger_head(d->own.ledger)->height;
        }
        load_close(&d->own);
        if (load_open(&d->own, d->folder, &err) != TW_OK) {
            wrong(d, s->name, n, err.text);
        } else if (tw_ledger_head(d->own.ledger)->height != height) {
            wrong(d, s->name, n, "the head was not the block that was written");
        }
    }
    if (d->own.ledger != NULL && d->other == NULL && !open_other(d)) {
        wrong(d, s->name, n, "no second ledger");
    }
}

/* One try; false when call `n` did not come and all is done. */
static bool attempt(node *d, const step *s, uint64_t n)
{
    tw_err err = {.status = TW_OK};
    if (s->run == step_open || s->run == step_keep) load_close(&d->own);
    const int64_t held = memory_held();
    d->more = false;
    d->tries++;
    (void)fail_at(d, n);
    const tw_status status = s->run(d, &err);
    const bool failed = fail_at(d, 0);
    /* what failed behind the end of a block is told by the next one */
    const bool told = status == (d->store ? TW_ERR_STORE : TW_ERR_MEMORY) && (failed || d->behind);
    d->behind = failed && status == TW_OK;
    if (told) {
        d->told++;
        if (s->keeps_none && memory_held() != held) wrong(d, s->name, n, "memory is lost");
    } else if (status != TW_OK) {
        wrong(d, s->name, n, tw_status_name(status));
        printf("#   %s\n", err.text);
    } else {
        d->went_on += failed;
    }
    mend(d, s, n);
    look(d, s, n);
    return failed || told || d->more;
}

static void sweep(node *d, const step *s)
{
    uint64_t n = 1;
    const uint64_t bad = d->wrong;
    const uint64_t from = d->tries;
    while (attempt(d, s, n) && n < CALLS_MAX && d->wrong < bad + 3) n += 1 + n / EACH_UNTIL;
    if (n >= CALLS_MAX) wrong(d, s->name, n, "it never ends");
    printf("# %s: %llu calls, %llu tries\n", s->name, (unsigned long long)n,
           (unsigned long long)(d->tries - from));
}

/* ---- */

/* ---- again and again ---- */

/* Bytes of the heap in use, of libraries too; 0 under a sanitizer, which has a heap of its own. */
static size_t heap_used(void)
{
    const struct mallinfo2 about = mallinfo2();
    return about.uordblks + about.hblkhd;
}

/* From the snapshot, in a new folder. */
static tw_status load_on_disk(node *d, tw_err *err)
{
    const tw_store_options options = {.create = true, .must_be_new = true};
    char folder[PATH_SIZE];
    tw_store *store = NULL;
    if (!load_folder_make(d->parent, folder)) return TW_ERR_IO;
    tw_status status = tw_store_open(folder, &options, &store, err);
    if (status == TW_OK) status = load_into(d, store, err);
    tw_store_close(store);
    load_folder_remove(folder);
    return status;
}

/* Opened so many times, with a block each time, and loaded from its snapshot as often. */
static bool open_often(node *d)
{
    size_t first = 0;
    int64_t held = 0;
    for (int i = 0; i < REOPENED; i++) {
        tw_err err = {.status = TW_OK};
        load_close(&d->own);
        if (load_open(&d->own, d->folder, &err) != TW_OK || step_block(d, &err) != TW_OK ||
            step_settle(d, &err) != TW_OK || load_on_disk(d, &err) != TW_OK) {
            printf("# opened %d times: %s\n", i, err.text);
            return false;
        }
        load_close(&d->own);
        if (i == WARM) {
            first = heap_used();
            held = memory_held();
        }
    }
    const size_t last = heap_used();
    printf("# opened %d times: %zu bytes in use, %zu at the end; %lld blocks of ours, %lld\n",
           REOPENED, first, last, (long long)held, (long long)memory_held());
    return memory_held() == held && last <= first + GROWTH_MAX;
}

static bool expect_all(node *d)
{
    load same;
    tw_err err = {.status = TW_OK};
    bool good = load_make(&same) && load_open(&same, NULL, &err) == TW_OK;
    for (uint64_t h = 0; good && h < HEIGHTS; h++) good = load_expect(&same, h, &d->hashes[h]);
    load_free(&same);
    return good;
}

static bool round_of_all(node *d)
{
    const int64_t held = memory_held();
    const uint64_t bad = d->wrong;
    const uint64_t told = d->told;
    if (!load_make(&d->own)) return false;
    d->own.threads = 2;
    if (!load_folder_make(d->parent, d->folder)) return false;
    d->settled = 0;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && d->wrong == bad; i++) {
        /* what the audit can't read is a problem that it tells; and a block without failures shows
         * whether states go on to be let go of */
        if ((steps[i].run == step_audit && d->store) || steps[i].run == step_oldest) {
            (void)attempt(d, &steps[i], 0);
        } else {
            sweep(d, &steps[i]);
        }
    }
    close_other(d);
    load_free(&d->own);
    if (memory_held() != held) wrong(d, "close", 0, "memory is lost");
    return d->wrong == bad && d->told > told + 100;
}

static bool arguments(node *d, int argc, char **argv, uint64_t *ret_rounds)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return false;
        if (strcmp(argv[i], "--folder") == 0) {
            d->parent = argv[i + 1];
        } else if (strcmp(argv[i], "--rounds") == 0) {
            *ret_rounds = strtoull(argv[i + 1], NULL, 10);
        } else {
            return false;
        }
    }
    return true;
}

/* All of one kind. */
static bool rounds_of(node *d, bool store, uint64_t rounds)
{
    bool good = true;
    d->store = store;
    d->tries = d->told = d->went_on = 0;
    for (uint64_t i = 0; i < rounds && good; i++) {
        if (d->folder[0] != '\0') load_folder_remove(d->folder);
        good = round_of_all(d);
    }
    printf("# %llu tries: in %llu it was told, in %llu it went on; %llu wrong\n",
           (unsigned long long)d->tries, (unsigned long long)d->told,
           (unsigned long long)d->went_on, (unsigned long long)d->wrong);
    return good;
}

int main(int argc, char **argv)
{
    static node d;
    static uint8_t snapshot[FILE_MAX];
    const char *temporary = getenv("TMPDIR");
    uint64_t rounds = 1;
    d.parent = temporary != NULL ? temporary : "/tmp";
    d.snapshot = snapshot;
    if (!arguments(&d, argc, argv, &rounds)) {
        (void)fputs("usage: node [--folder F] [--rounds N]\n", stderr);
        return 2;
    }
    printf("1..3\n");
    if (!expect_all(&d)) return 2;
    bool good = rounds_of(&d, false, rounds);
    printf("%s 1 - each allocation fails once, and the next try goes on\n", good ? "ok" : "not ok");
    const bool flat = good && load_make(&d.own) && open_often(&d);
    printf("%s 2 - opened often, it takes no more memory\n", flat ? "ok" : "not ok");
    load_free(&d.own);
    const bool store = flat && rounds_of(&d, true, rounds);
    printf("%s 3 - each call to the store fails once, and the next try goes on\n",
           store ? "ok" : "not ok");
    load_free(&d.own);
    if (store) load_folder_remove(d.folder);
    return store ? 0 : 1;
}
