/* ledger_keys -- the state of many keys: updates a second beside the same store without a tree, the
 * size and time of proofs, bytes on the disk.
 *
 * Called by bench_ledger.c. Two stores with the same keys and values grow together: one through
 * overlay, tree and commit as the ledger with two threads does it (values of the past are kept, as
 * by default; the root by both threads, a block written while the next one is put together), one
 * with a batch of the raw keys alone. Runs of blocks of random updates alternate between them, so
 * what else the computer does meets both; a run ends when its last block is on the disk.
 */
#include "bench_ledger.h"

#include "vm/base/crew.h"
#include "vm/exec/keys.h"
#include "vm/isa/isa.h"
#include "vm/state/audit.h"
#include "vm/state/proof.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    VALUE = 100,
    KEY = 69,
    FILL_BLOCK = 1000,
    BLOCK = 1000,
    RUNS = 20,  /* of each, at a size */
    BLOCKS = 5, /* of a run */
    PROOFS = 500,
    MEMORY = 1 << 30,
    PATH = 4096,
    PROGRESS = 100000, /* keys; more often nobody needs to hear */
};

typedef struct pair {
    const ledger_bench *bench;
    tw_store *store, *raw;
    tw_overlay *overlay, *written; /* the second one lies below while it is being written */
    tw_commit *commit;
    tw_crew *crew;
    tw_job job;
    bool pending, sync;
    tw_batch *batch;
    tw_arena *arena;
    uint64_t height, keys, random;
    uint64_t put_ns, root_ns, write_ns; /* of the ledger's blocks */
} pair;

static uint64_t mixed(uint64_t x) /* SplitMix64 */
{
    x += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

/* An account's place in a map of one of a thousand contracts. */
static tw_key key_of(uint64_t number)
{
    uint8_t bytes[32];
    tw_key key = tw_key_start(TW_SPACE_FIELD);
    for (int i = 0; i < 4; i++) tw_store_u64(bytes + 8 * i, mixed(number % 1000 * 4 + (uint64_t)i));
    tw_key_raw(&key, bytes, sizeof bytes);
    tw_key_u32(&key, 0);
    for (int i = 0; i < 4; i++) tw_store_u64(bytes + 8 * i, mixed(~(number * 4 + (uint64_t)i)));
    tw_key_raw(&key, bytes, sizeof bytes);
    return key;
}

/* Bytes that do not compress. */
static tw_bytes value_of(uint64_t seed, uint8_t memory[VALUE + 8])
{
    memory[0] = TW_STATE_TAG;
    for (size_t at = 1; at < VALUE; at += 8) tw_store_u64(memory + at, mixed(seed * 16 + at));
    return tw_bytes_of(memory, VALUE);
}

static void write_now(void *context)
{
    pair *p = context;
    tw_err err = {0};
    const uint64_t start = bench_time(CLOCK_MONOTONIC);
    bench_must(tw_commit_write(p->commit, tw_bytes_of(NULL, 0), p->sync, &err), "commit", &err);
    p->write_ns += bench_time(CLOCK_MONOTONIC) - start;
}

static void settle(pair *p)
{
    if (p->pending) tw_crew_wait(p->crew, &p->job);
    p->pending = false;
}

/* A block of `count` keys to the state: key(i) = numbers[i]. It is on its way afterwards. */
static void write_state(pair *p, const uint64_t *numbers, uint64_t count, bool sync)
{
    uint8_t memory[VALUE + 8];
    tw_hash root;
    tw_err err = {0};
    const uint64_t start = bench_time(CLOCK_MONOTONIC);
    tw_overlay_clear(p->overlay, p->height);
    if (p->pending) tw_overlay_stack(p->overlay, p->written);
    for (uint64_t i = 0; i < count; i++) {
        const tw_key key = key_of(numbers[i]);
        const tw_bytes value = value_of(p->height + numbers[i], memory);
        bench_must(tw_overlay_put(p->overlay, tw_key_bytes(&key), value), "put", NULL);
    }
    p->put_ns += bench_time(CLOCK_MONOTONIC) - start;
    settle(p);
    const uint64_t settled = bench_time(CLOCK_MONOTONIC);
    bench_must(tw_commit_prepare(p->commit, p->overlay, p->height++, &root, &err), "root", &err);
    p->root_ns += bench_time(CLOCK_MONOTONIC) - settled;
    tw_overlay *finished = p->overlay;
    p->overlay = p->written;
    p->written = finished;
    p->sync = sync;
    p->pending = true;
    p->job = (tw_job){.run = write_now, .context = p};
    tw_crew_give(p->crew, &p->job, true);
}

/* How the store without a tree is written to: as it is, or with each value read first, as
 * whoever keeps the past has to. */
typedef enum raw_way { BLIND, READS } raw_way;

static void write_raw(pair *p, const uint64_t *numbers, uint64_t count, raw_way how, bool sync)
{
    uint8_t memory[VALUE + 8];
    tw_err err = {0};
    tw_bytes before;
    bool found = false;
    tw_batch_clear(p->batch);
    tw_arena_clear(p->arena);
    for (uint64_t i = 0; i < count; i++) {
        const tw_key key = key_of(numbers[i]);
        if (how == READS) {
            bench_must(
                tw_store_get(p->raw, TW_TABLE_STATE, tw_key_bytes(&key), p->arena, &before, &found),
                "raw", NULL);
            bench_must(found ? TW_OK : TW_ERR_CORRUPT, "a key that was written", NULL);
        }
        tw_batch_put(p->batch, TW_TABLE_STATE, tw_key_bytes(&key),
                     value_of(p->height + numbers[i], memory));
    }
    bench_must(tw_store_commit(p->raw, p->batch, sync, &err), "raw", &err);
}

/* Bytes that this process has given to the disk so far. */
static uint64_t written_bytes(void)
{
    char line[128];
    uint64_t bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "write_bytes: ", 13) == 0) bytes = strtoull(line + 13, NULL, 10);
    }
    fclose(file);
    return bytes;
}

static double folder_bytes(const ledger_bench *b, const char *name)
{
    char path[PATH];
    double bytes = 0;
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    DIR *folder = opendir(path);
    if (folder == NULL) return 0;
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char file[PATH];
        struct stat about;
        if (snprintf(file, sizeof file, "%.2000s/%.300s", path, e->d_name) < 0) continue;
        if (stat(file, &about) == 0 && S_ISREG(about.st_mode))
            bytes += (double)about.st_blocks * 512;
    }
    closedir(folder);
    return bytes;
}

/* Grows one store, then the other, to `keys`; bytes that each gave to the disk for it. */
static void grow(pair *p, uint64_t keys, double *ret_state, double *ret_raw)
{
    uint64_t numbers[FILL_BLOCK];
    const uint64_t from = p->keys;
    for (int way = 0; way < 2; way++) {
        const uint64_t before = written_bytes();
        for (uint64_t at = from; at < keys;) {
            uint64_t count = 0;
            while (count < FILL_BLOCK && at < keys) numbers[count++] = at++;
            if (way == 0) write_state(p, numbers, count, false);
            if (way == 1) write_raw(p, numbers, count, BLIND, false);
            if (at % PROGRESS == 0) bench_progress(way == 0 ? "keys" : "raw keys", at, keys);
        }
        settle(p);
        *(way == 0 ? ret_state : ret_raw) += (double)(written_bytes() - before);
    }
    p->keys = keys;
}

/* Nanoseconds an update, the median of the runs and the best; what the processor spent on it, with
 * RocksDB's own threads; and of the ledger's the parts. */
typedef struct speed {
    double median, best;
    double processor;
    double put, root, write;
} speed;

static speed speed_of(double ns[RUNS])
{
    const double median = bench_median(ns, RUNS);
    return (speed){.median = median, .best = ns[0]}; /* sorted now */
}

static void update_both(pair *p, speed *ret_state, speed *ret_raw, speed *ret_reads)
{
    const double updates = (double)RUNS * BLOCKS * BLOCK;
    double state[RUNS];
    double raw[RUNS];
    double reads[RUNS];
    uint64_t numbers[BLOCKS][BLOCK];
    uint64_t state_cpu = 0;
    uint64_t raw_cpu = 0;
    p->put_ns = p->root_ns = p->write_ns = 0;
    for (int i = 0; i < RUNS; i++) {
        for (int k = 0; k < BLOCKS * BLOCK; k++) {
            numbers[k / BLOCK][k % BLOCK] = mixed(p->random++) % p->keys;
        }
        const uint64_t start_cpu = bench_time(CLOCK_PROCESS_CPUTIME_ID);
        const uint64_t start = bench_time(CLOCK_MONOTONIC);
        for (int k = 0; k < BLOCKS; k++) write_state(p, numbers[k], BLOCK, true);
        settle(p);
        const uint64_t middle_cpu = bench_time(CLOCK_PROCESS_CPUTIME_ID);
        const uint64_t middle = bench_time(CLOCK_MONOTONIC);
        for (int k = 0; k < BLOCKS; k++) write_raw(p, numbers[k], BLOCK, BLIND, true);
        state_cpu += middle_cpu - start_cpu;
        raw_cpu += bench_time(CLOCK_PROCESS_CPUTIME_ID) - middle_cpu;
        const uint64_t blind = bench_time(CLOCK_MONOTONIC);
        for (int k = 0; k < BLOCKS; k++) {
            for (int j = 0; j < BLOCK; j++) numbers[k][j] = mixed(p->random++) % p->keys;
            write_raw(p, numbers[k], BLOCK, READS, true);
        }
        reads[i] = (double)(bench_time(CLOCK_MONOTONIC) - blind) / (BLOCKS * BLOCK);
        state[i] = (double)(middle - start) / (BLOCKS * BLOCK);
        raw[i] = (double)(blind - middle) / (BLOCKS * BLOCK);
    }
    *ret_reads = speed_of(reads);
    *ret_raw = speed_of(raw);
    *ret_state = speed_of(state);
    ret_raw->processor = (double)raw_cpu / updates;
    ret_state->processor = (double)state_cpu / updates;
    ret_state->put = (double)p->put_ns / updates;
    ret_state->root = (double)p->root_ns / updates;
    ret_state->write = (double)p->write_ns / updates;
}

typedef struct proofs {
    double bytes, make_ns, check_ns, ics23_bytes;
} proofs;

static proofs prove(pair *p)
{
    proofs sum = {0};
    tw_tree *tree = tw_tree_new(p->store, MEMORY);
    tw_writer w = tw_writer_new(1 << 20);
    const tw_prover prover = {tree, tw_commit_head(p->commit)->root, p->store, p->arena};
    for (int i = 0; i < PROOFS; i++) {
        const tw_key key = key_of(mixed(p->random++) % p->keys);
        tw_bytes value;
        bool found = false;
        tw_arena_clear(p->arena);
        tw_writer_clear(&w);
        const uint64_t start = bench_time(CLOCK_MONOTONIC);
        bench_must(tw_proof_make(&prover, tw_key_bytes(&key), &w, &value, &found), "proof", NULL);
        const uint64_t made = bench_time(CLOCK_MONOTONIC);
        if (!tw_proof_check(tw_writer_bytes(&w), &prover.root.hash, tw_key_bytes(&key), &value)) {
            bench_must(TW_ERR_CORRUPT, "a proof is not good", NULL);
        }
        sum.check_ns += (double)(bench_time(CLOCK_MONOTONIC) - made);
        sum.make_ns += (double)(made - start);
        sum.bytes += (double)w.size;
        tw_writer_clear(&w);
        bench_must(tw_proof_make_ics23(&prover, tw_key_bytes(&key), &w), "proof", NULL);
        sum.ics23_bytes += (double)w.size;
    }
    tw_writer_free(&w);
    tw_tree_free(tree);
    return (proofs){sum.bytes / PROOFS, sum.make_ns / PROOFS, sum.check_ns / PROOFS,
                    sum.ics23_bytes / PROOFS};
}

static void open_pair(ledger_bench *b, pair *p)
{
    tw_err err = {0};
    *p = (pair){.bench = b, .random = 1};
    p->store = bench_store(b, "state");
    p->raw = bench_store(b, "raw");
    bench_must(tw_commit_open(p->store, MEMORY, &p->commit, &err), "store", &err);
    p->overlay = tw_overlay_new(p->store, MEMORY);
    p->written = tw_overlay_new(p->store, MEMORY);
    p->batch = tw_batch_new(MEMORY);
    p->arena = tw_arena_new(MEMORY);
    p->crew = tw_crew_new(1);
    const bool all = p->overlay != NULL && p->written != NULL && p->batch != NULL &&
                     p->arena != NULL && p->crew != NULL;
    if (!all) exit(1);
    tw_commit_use(p->commit, p->crew);
}

static void close_pair(pair *p)
{
    tw_commit_close(p->commit);
    tw_crew_free(p->crew);
    tw_overlay_free(p->overlay);
    tw_overlay_free(p->written);
    tw_batch_free(p->batch);
    tw_arena_free(p->arena);
    tw_store_close(p->store);
    tw_store_close(p->raw);
}

static void note_size(ledger_bench *b, const pair *p, speed state, speed raw, speed reads,
                      proofs proof)
{
    char engine[48];
    printf("| %" PRIu64
           " | %.0f | %.0f | %.2f | %.0f | %.2f | %.1f | %.1f | %.1f | %.1f | %.1f | %.0f | %.0f "
           "| %.1f | %.1f |\n",
           p->keys, 1e9 / state.median, 1e9 / raw.median, raw.median / state.median,
           1e9 / reads.median, reads.median / state.median, state.processor / 1000,
           raw.processor / 1000, state.put / 1000, state.root / 1000, state.write / 1000,
           proof.bytes, proof.ics23_bytes, proof.make_ns / 1000, proof.check_ns / 1000);
    snprintf(engine, sizeof engine, "twvm, %" PRIu64 " keys", p->keys);
    bench_note(b, "state updates", engine, state.median, state.best, raw.median / state.median);
    snprintf(engine, sizeof engine, "RocksDB, %" PRIu64 " keys", p->keys);
    bench_note(b, "state updates", engine, raw.median, raw.best, -1);
    snprintf(engine, sizeof engine, "RocksDB that reads first, %" PRIu64 " keys", p->keys);
    bench_note(b, "state updates", engine, reads.median, reads.best, -1);
    snprintf(engine, sizeof engine, "native, %" PRIu64 " keys", p->keys);
    bench_note(b, "proof made", engine, proof.make_ns, proof.make_ns, -1);
    bench_note(b, "proof checked", engine, proof.check_ns, proof.check_ns, -1);
}

static void hear(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "bench_ledger: %s\n", sentence);
}

/* What fsck does of a state: the root again from the keys alone, every node and value of the past.
 */
static void look_over(ledger_bench *b, const pair *p)
{
    char engine[48];
    tw_audit audit = {.store = p->store, .memory_max = 256 << 20, .found = hear, .arena = p->arena};
    tw_arena_clear(p->arena);
    const uint64_t start = bench_time(CLOCK_MONOTONIC);
    bench_must(tw_audit_state(&audit), "fsck", NULL);
    const double ns = (double)(bench_time(CLOCK_MONOTONIC) - start);
    if (audit.problems != 0 || audit.keys != p->keys) exit(1);
    printf("fsck of this state: %.1f s for %" PRIu64 " keys, %" PRIu64 " nodes and %" PRIu64
           " values of the past; nothing is wrong.\n\n",
           ns / 1e9, audit.keys, audit.nodes, audit.values);
    snprintf(engine, sizeof engine, "twvm, %" PRIu64 " keys", p->keys);
    bench_note(b, "fsck, a key", engine, ns / (double)p->keys, ns / (double)p->keys, -1);
}

void bench_keys(ledger_bench *b)
{
    static const uint64_t sizes[] = {10000, 100000, 1000000, 10000000};
    curve *speeds = bench_curve(b, "State updates in blocks of 1,000", "keys", "a second", true);
    curve *sizes_of = bench_curve(b, "Proofs over the size of the state", "keys", "bytes", true);
    curve *disk = bench_curve(b, "Disk over the size of the state", "keys", "bytes a key", true);
    double given_state = 0;
    double given_raw = 0;
    pair p;
    open_pair(b, &p);
    printf("## (c) state updates in synced blocks of %d, keys of %d and values of %d bytes\n\n"
           "| keys | updates a second | RocksDB alone | share of that | alone, reading first | "
           "share of that | processor us | alone | us "
           "of putting | of the root "
           "| of writing, beside | proof bytes | as ICS-23 | made in us | checked in us |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
           BLOCK, KEY, VALUE);
    for (size_t i = 0; i < 4 && (sizes[i] <= b->keys || i == 0); i++) {
        speed state;
        speed raw;
        speed reads;
        grow(&p, sizes[i], &given_state, &given_raw);
        update_both(&p, &state, &raw, &reads);
        const proofs proof = prove(&p);
        note_size(b, &p, state, raw, reads, proof);
        const double x = (double)p.keys;
        bench_point(speeds, 0, "twvm", x, 1e9 / state.median);
        bench_point(speeds, 1, "RocksDB alone", x, 1e9 / raw.median);
        bench_point(sizes_of, 0, "native", x, proof.bytes);
        bench_point(sizes_of, 1, "ICS-23", x, proof.ics23_bytes);
        bench_point(disk, 0, "twvm", x, folder_bytes(b, "state") / x);
        bench_point(disk, 1, "RocksDB alone", x, folder_bytes(b, "raw") / x);
    }
    const double own = (double)p.keys * (KEY + VALUE);
    printf(
        "\n## (d) after %" PRIu64 " keys were put in\n\n"
        "| | bytes on the disk a key | given to the disk, times keys and values |\n|---|---|---|\n"
        "| twvm | %.0f | %.1f |\n| RocksDB alone | %.0f | %.1f |\n\n",
        p.keys, folder_bytes(b, "state") / (double)p.keys, given_state / own,
        folder_bytes(b, "raw") / (double)p.keys, given_raw / own);
    look_over(b, &p);
    close_pair(&p);
}
