/* bench_state -- what reading and writing the state costs when it is larger than the caches: the
 * measurement behind READ, READ_BYTE, WRITE and WRITE_BYTE of vm/isa/gas.def.
 *
 * Called by bench/run. Fills a RocksDB store with keys as contracts have them and values of four
 * sizes, in blocks with the tree over them, and then reads single keys through tw_store_get and
 * writes blocks of keys through the overlay, the tree and a synced commit. Before cold reads the
 * files are written out and the system's cache of their pages is dropped; a cache below the
 * system's, of a host or a disk, is out of reach, so cold means cold for this system.
 */
#include "vm/exec/keys.h"
#include "vm/isa/isa.h"
#include "vm/state/commit.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MIB = 1 << 20,
    SIZES = 4,
    VALUE_MAX = 2000,
    BLOCK_FILL = 10000,
    BLOCK_WRITES = 1000,
    COLD_ROUNDS = 8,
    GAS_PER_NS = 4, /* the scale of gas.def */
    PATH_SIZE = 4096,
};

static const size_t sizes[SIZES] = {100, 500, 1000, VALUE_MAX};

typedef struct options {
    const char *folder;
    uint64_t keys, reads, blocks, cache_mib;
} options;

typedef struct bench {
    options options;
    tw_store *store;
    tw_overlay *overlay;
    tw_commit *commit;
    tw_arena *arena;
    uint64_t height;
    uint64_t random;
    uint64_t *times; /* of the reads of one size */
} bench;

/* What one kind of access costs for values of each size. */
typedef struct figures {
    double median[SIZES], mean[SIZES], high[SIZES];
    double cpu[SIZES]; /* mean of processor time, of all threads */
} figures;

static void must(tw_status status, const char *what, const tw_err *err)
{
    if (status == TW_OK) return;
    fprintf(stderr, "bench_state: %s: %s\n", what,
            err != NULL && err->text[0] != '\0' ? err->text : tw_status_text(status));
    exit(1);
}

static uint64_t clock_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t mixed(uint64_t x) /* SplitMix64 */
{
    x += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

static uint64_t draw(bench *b)
{
    b->random++;
    return mixed(b->random);
}

/* ---- keys and values ---- */

/* Key `number`: an account's place in a map of one of a thousand contracts. */
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

/* Bytes that do not compress, as hashes and signatures do not. */
static void put(bench *b, uint64_t number, size_t size)
{
    uint8_t value[VALUE_MAX + 8] = {TW_STATE_TAG};
    const tw_key key = key_of(number);
    for (size_t at = 1; at < size; at += 8) tw_store_u64(value + at, draw(b));
    must(tw_overlay_put(b->overlay, tw_key_bytes(&key), tw_bytes_of(value, size)), "put", NULL);
}

static void commit(bench *b, bool sync, uint64_t *ret_tree_ns)
{
    tw_hash root;
    tw_err err = {.status = TW_OK};
    const uint64_t start = clock_of(CLOCK_MONOTONIC);
    must(tw_commit_prepare(b->commit, b->overlay, ++b->height, &root, &err), "tree", &err);
    *ret_tree_ns = clock_of(CLOCK_MONOTONIC) - start;
    must(tw_commit_write(b->commit, tw_bytes_of(NULL, 0), sync, &err), "commit", &err);
    tw_overlay_clear(b->overlay, b->height);
}

static void fill(bench *b)
{
    const uint64_t start = clock_of(CLOCK_MONOTONIC);
    uint64_t unused = 0;
    for (uint64_t i = 0; i < b->options.keys; i++) {
        put(b, i, sizes[i % SIZES]);
        if ((i + 1) % BLOCK_FILL == 0 || i + 1 == b->options.keys) commit(b, false, &unused);
        if ((i + 1) % 50000 == 0 && isatty(STDERR_FILENO) != 0) {
            fprintf(stderr, "\r\033[Kfilling: %" PRIu64 " keys", i + 1);
        }
    }
    if (isatty(STDERR_FILENO) != 0) fprintf(stderr, "\r\033[K");
    printf("%" PRIu64 " keys of 69 bytes, values of 100 to 2000 bytes, filled in %" PRIu64 " s; ",
           b->options.keys, (clock_of(CLOCK_MONOTONIC) - start) / 1000000000);
}

/* ---- the system's cache ---- */

static bool read_whole(int file)
{
    static uint8_t page[MIB];
    ssize_t got = 1;
    for (off_t at = 0; got > 0; at += got) got = pread(file, page, sizeof page, at);
    return got == 0;
}

/* Writes the files out; then forgets their pages, or brings all of them in. *ret_bytes: how large
 * they are. */
static bool set_pages(const bench *b, bool cold, uint64_t *ret_bytes)
{
    DIR *folder = opendir(b->options.folder);
    if (folder == NULL) return false;
    bool good = true;
    *ret_bytes = 0;
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        char path[PATH_SIZE];
        snprintf(path, sizeof path, "%s/%s", b->options.folder, e->d_name);
        const int file = e->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
        if (file < 0) continue;
        const off_t end = lseek(file, 0, SEEK_END);
        if (end > 0) *ret_bytes += (uint64_t)end;
        good = fdatasync(file) == 0 && good;
        if (cold) good = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 && good;
        if (!cold) good = read_whole(file) && good;
        close(file);
    }
    closedir(folder);
    return good;
}

/* ---- reads ---- */

static void read_one(bench *b, uint64_t number)
{
    const tw_key key = key_of(number);
    tw_bytes value;
    bool found = false;
    must(tw_store_get(b->store, TW_TABLE_STATE, tw_key_bytes(&key), b->arena, &value, &found),
         "read", NULL);
    if (!found) must(TW_ERR_CORRUPT, "a key is not there", NULL);
}

static void sift(uint64_t *values, uint64_t root, uint64_t count)
{
    for (uint64_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && values[child + 1] > values[child]) child++;
        if (values[root] >= values[child]) return;
        const uint64_t kept = values[root];
        values[root] = values[child];
        values[child] = kept;
        root = child;
    }
}

static void sort(uint64_t *values, uint64_t count)
{
    for (uint64_t i = count / 2; i-- > 0;) sift(values, i, count);
    for (uint64_t last = count; last-- > 1;) {
        const uint64_t kept = values[0];
        values[0] = values[last];
        values[last] = kept;
        sift(values, 0, last);
    }
}

static void summarise(uint64_t *times, uint64_t count, int size, figures *ret)
{
    double sum = 0;
    sort(times, count);
    for (uint64_t i = 0; i < count; i++) sum += (double)times[i];
    ret->median[size] = (double)times[count / 2];
    ret->high[size] = (double)times[count * 9 / 10];
    ret->mean[size] = sum / (double)count;
}

/* Reads of random keys, the sizes in turn so that each meets the same caches. */
static void read_all(bench *b, bool cold, figures *ret)
{
    const uint64_t each = b->options.reads / COLD_ROUNDS;
    uint64_t bytes = 0;
    uint64_t cpu[SIZES] = {0};
    for (uint64_t round = 0; round < COLD_ROUNDS; round++) {
        if (!set_pages(b, cold, &bytes)) must(TW_ERR_IO, "the system's cache", NULL);
        for (uint64_t i = 0; i < each; i++) {
            for (uint64_t s = 0; s < SIZES; s++) {
                const uint64_t number = draw(b) % (b->options.keys / SIZES) * SIZES + s;
                tw_arena_clear(b->arena);
                const uint64_t spent = clock_of(CLOCK_PROCESS_CPUTIME_ID);
                const uint64_t start = clock_of(CLOCK_MONOTONIC);
                read_one(b, number);
                b->times[s * b->options.reads + round * each + i] =
                    clock_of(CLOCK_MONOTONIC) - start;
                cpu[s] += clock_of(CLOCK_PROCESS_CPUTIME_ID) - spent;
            }
        }
    }
    for (int s = 0; s < SIZES; s++) {
        summarise(b->times + (size_t)s * b->options.reads, each * COLD_ROUNDS, s, ret);
        ret->cpu[s] = (double)cpu[s] / (double)(each * COLD_ROUNDS);
    }
}

/* ---- writes ---- */

/* Blocks of writes to random keys; nanoseconds for each write. ret_tree: the part of the tree. */
static void write_all(bench *b, figures *ret, double ret_tree[SIZES])
{
    for (int s = 0; s < SIZES; s++) {
        uint64_t tree = 0;
        uint64_t parts = 0;
        const uint64_t cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
        for (uint64_t i = 0; i < b->options.blocks; i++) {
            const uint64_t start = clock_of(CLOCK_MONOTONIC);
            for (int k = 0; k < BLOCK_WRITES; k++) put(b, draw(b) % b->options.keys, sizes[s]);
            commit(b, true, &tree);
            b->times[i] = (clock_of(CLOCK_MONOTONIC) - start) / BLOCK_WRITES;
            parts += tree;
        }
        const double writes = (double)b->options.blocks * BLOCK_WRITES;
        ret_tree[s] = (double)parts / writes;
        ret->cpu[s] = (double)(clock_of(CLOCK_PROCESS_CPUTIME_ID) - cpu) / writes;
        summarise(b->times, b->options.blocks, s, ret);
    }
}

/* ---- what is printed ---- */

/* The line through the times of the four sizes: a base and a byte. */
static void fit(const double *times, double *ret_base, double *ret_byte)
{
    double x = 0, y = 0, xx = 0, xy = 0;
    for (int s = 0; s < SIZES; s++) {
        x += (double)sizes[s];
        y += times[s];
        xx += (double)sizes[s] * (double)sizes[s];
        xy += (double)sizes[s] * times[s];
    }
    *ret_byte = (SIZES * xy - x * y) / (SIZES * xx - x * x);
    *ret_base = (y - *ret_byte * x) / SIZES;
}

static void print_rows(const char *name, const figures *f, uint64_t base_gas, uint64_t byte_gas)
{
    for (int s = 0; s < SIZES; s++) {
        const double gas = (double)(base_gas + byte_gas * sizes[s]);
        printf("| %s | %zu | %.0f | %.0f | %.0f | %.0f | %.0f | %.2f | %.2f |\n", name, sizes[s],
               f->median[s], f->mean[s], f->high[s], f->cpu[s], gas,
               f->median[s] * GAS_PER_NS / gas, f->cpu[s] * GAS_PER_NS / gas);
    }
}

static void print_fit(const char *name, const double *times, uint64_t base_gas, uint64_t byte_gas)
{
    double base = 0;
    double byte = 0;
    fit(times, &base, &byte);
    printf("| %s | %.0f | %.2f | %.0f | %.1f | %" PRIu64 " | %" PRIu64 " |\n", name, base, byte,
           base * GAS_PER_NS, byte * GAS_PER_NS, base_gas, byte_gas);
}

static void report(const figures *cold, const figures *warm, const figures *writes,
                   const double tree[SIZES])
{
    printf(
        "\n| access | bytes of value | median ns | mean ns | 90 %% ns | processor ns | gas | %d x "
        "median / gas | %d x processor / gas |\n|---|---|---|---|---|---|---|---|---|\n",
        GAS_PER_NS, GAS_PER_NS);
    print_rows("read, cold", cold, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_rows("read, pages in the system's cache", warm, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_rows("write, a share of its block", writes, TW_GAS_WRITE, TW_GAS_WRITE_BYTE);
    printf(
        "\nOf a write's time, the tree takes %.0f ns (values of %zu bytes) to %.0f ns (%zu). The "
        "processor's\ntime is that of all threads, compaction with them.\n",
        tree[0], sizes[0], tree[SIZES - 1], sizes[SIZES - 1]);
    printf("\n| line through the sizes | base ns | ns a byte | base gas | gas a byte | "
           "gas.def base | gas.def byte |\n|---|---|---|---|---|---|---|\n");
    print_fit("read, cold, medians", cold->median, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_fit("read, cold, means", cold->mean, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_fit("read, cold, processor", cold->cpu, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_fit("read, system's cache, medians", warm->median, TW_GAS_READ, TW_GAS_READ_BYTE);
    print_fit("write, medians", writes->median, TW_GAS_WRITE, TW_GAS_WRITE_BYTE);
    print_fit("write, means", writes->mean, TW_GAS_WRITE, TW_GAS_WRITE_BYTE);
    print_fit("write, processor", writes->cpu, TW_GAS_WRITE, TW_GAS_WRITE_BYTE);
}

static void open_store(bench *b)
{
    tw_err err = {.status = TW_OK};
    const tw_store_options wanted = {
        .create = true, .must_be_new = true, .cache_size = b->options.cache_mib * MIB};
    must(tw_store_open(b->options.folder, &wanted, &b->store, &err), "store", &err);
    must(tw_commit_open(b->store, 1024 * (size_t)MIB, &b->commit, &err), "store", &err);
    b->overlay = tw_overlay_new(b->store, 1024 * (size_t)MIB);
    b->arena = tw_arena_new(4 * MIB);
    const uint64_t times =
        b->options.reads > b->options.blocks ? b->options.reads : b->options.blocks;
    b->times = tw_mem_new(SIZES * (size_t)times * sizeof *b->times);
    if (b->overlay == NULL || b->arena == NULL || b->times == NULL) {
        must(TW_ERR_MEMORY, "store", NULL);
    }
    tw_overlay_clear(b->overlay, 1);
}

static int usage(FILE *to)
{
    fprintf(to, "usage: ./dev bench state [--keys N] [--reads N] [--blocks N] [--cache MIB]\n\n"
                "  --keys N     keys in the store (1000000)\n"
                "  --reads N    reads of each size (4000)\n"
                "  --blocks N   blocks of 1,000 writes of each size (20)\n"
                "  --cache MIB  the store's own cache (64, a store's default)\n");
    return to == stdout ? 0 : 2;
}

static bool option(options *o, const char *word, const char *value)
{
    const uint64_t number = value != NULL ? strtoull(value, NULL, 10) : 0;
    if (strcmp(word, "--keys") == 0) {
        o->keys = number;
    } else if (strcmp(word, "--reads") == 0) {
        o->reads = number;
    } else if (strcmp(word, "--blocks") == 0) {
        o->blocks = number;
    } else if (strcmp(word, "--cache") == 0) {
        o->cache_mib = number;
    } else {
        return false;
    }
    return number > 0;
}

int main(int argc, char **argv)
{
    bench b = {.options = {.keys = 1000000, .reads = 4000, .blocks = 20, .cache_mib = 64}};
    figures cold, warm, writes;
    double tree[SIZES];
    if (argc < 2) return usage(stderr);
    if (strcmp(argv[1], "--help") == 0) return usage(stdout);
    b.options.folder = argv[1];
    for (int i = 2; i < argc; i += 2) {
        if (!option(&b.options, argv[i], argv[i + 1])) return usage(stderr);
    }
    if (b.options.keys < SIZES || b.options.reads < COLD_ROUNDS) return usage(stderr);
    open_store(&b);
    fill(&b);
    uint64_t bytes = 0;
    const bool dropped = set_pages(&b, true, &bytes);
    printf("%" PRIu64 " MiB of files, %" PRIu64 " MiB of cache in the store.%s\n", bytes / MIB,
           b.options.cache_mib, dropped ? "" : " The system's cache could not be dropped.");
    read_all(&b, true, &cold);
    read_all(&b, false, &warm);
    write_all(&b, &writes, tree);
    report(&cold, &warm, &writes, tree);
    tw_commit_close(b.commit);
    tw_overlay_free(b.overlay);
    tw_arena_free(b.arena);
    tw_mem_free(b.times);
    tw_store_close(b.store);
    return 0;
}
