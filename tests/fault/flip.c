/* flip -- one bit turned, or a page of zeros, in a copy of a ledger's files; output: TAP.
 *
 *     flip [--runs N] [--seed S] [--folder F]     100 runs; `./dev flips`
 *
 * A process makes a ledger of some blocks, its newest ones still in RocksDB's log. For each run the
 * folder is copied, one place of one file is damaged, and a process of its own opens the copy,
 * reads every row of every table by walking and by key, audits, replays, and makes one more block;
 * where it met an error another process does it again.
 * Whatever is answered must be what the same ledger in memory answers: byte for byte, or an error.
 * A log that is cut off by damage comes to an earlier block, whole: the landmark knows, and that is
 * an error too. Anything else, and a crash or a hang, is a failure.
 */
#include "tests/fault/load.h"

#include "vm/ledger/audit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCKS = 90,
    FILES_MAX = 1024,
    PAGE = 512,
    ZEROS_EACH = 5, /* one run in so many has zeros, the others a bit */
    PATIENCE = 120, /* seconds until a process that hangs is given up */
    MEMORY = 64 * 1024 * 1024,
    PATH_SIZE = 4096,
};

typedef enum verdict {
    SAME,    /* every answer is the right one */
    REFUSED, /* an error was given where damage was met, and every other answer is right */
    WRONG,
    CRASHED, /* or hung */
    VERDICTS,
} verdict;

/* What a file is to RocksDB, by its name. */
typedef enum kind { TABLES, LOG, MANIFEST, CURRENT, OPTIONS, LANDMARK, OTHER, KINDS } kind;

static const char *const kind_names[KINDS] = {"sst",     "wal",      "manifest", "current",
                                              "options", "landmark", "other"};

typedef struct file {
    char name[256];
    kind kind;
    uint8_t *bytes;
    size_t size;
} file;

typedef struct flips {
    load work, own;
    const char *parent;
    uint64_t random;
    file files[FILES_MAX];
    size_t count;
    uint64_t verdicts[KINDS][VERDICTS];
} flips;

static uint64_t draw(flips *f, uint64_t below)
{
    return load_mixed(f->random++) % below;
}

/* ---- what the process says that looks at a damaged copy ---- */

typedef struct look {
    load *disk, *memory;
    tw_arena *arena;
    bool error, wrong;
} look;

/* An error is an answer that one may get from a damaged ledger. */
static bool usable(look *k, tw_status status)
{
    if (status != TW_OK) k->error = true;
    return status == TW_OK;
}

static void wrong(look *k, const char *what, unsigned table)
{
    (void)fprintf(stderr, "%s, table %u\n", what, table);
    k->wrong = true;
}

/* All rows in order. */
static void walk(look *k, tw_table table)
{
    tw_iter *one = NULL;
    tw_iter *two = NULL;
    const tw_bytes all = tw_bytes_of(NULL, 0);
    tw_status status = tw_iter_open(k->disk->store, table, all, &one);
    if (tw_iter_open(k->memory->store, table, all, &two) != TW_OK) exit(WRONG);
    if (tw_iter_first(two) != TW_OK) exit(WRONG);
    if (status == TW_OK) status = tw_iter_first(one);
    while (usable(k, status)) {
        tw_bytes key, value, key_own, value_own;
        const bool here = tw_iter_here(one, &key, &value);
        if (here != tw_iter_here(two, &key_own, &value_own)) wrong(k, "another end", table);
        if (!here || k->wrong) break;
        if (!tw_bytes_equal(key, key_own)) wrong(k, "another key", table);
        if (!tw_bytes_equal(value, value_own)) wrong(k, "another value", table);
        status = tw_iter_next(one);
        if (tw_iter_next(two) != TW_OK) exit(WRONG);
    }
    tw_iter_close(one);
    tw_iter_close(two);
}

/* All rows by their keys: damage in one place leaves the others readable. */
static void get(look *k, tw_table table)
{
    tw_iter *own = NULL;
    if (tw_iter_open(k->memory->store, table, tw_bytes_of(NULL, 0), &own) != TW_OK) exit(WRONG);
    if (tw_iter_first(own) != TW_OK) exit(WRONG);
    tw_bytes key, expected, value;
    while (tw_iter_here(own, &key, &expected)) {
        bool found = false;
        tw_arena_clear(k->arena);
        if (usable(k, tw_store_get(k->disk->store, table, key, k->arena, &value, &found)) &&
            (!found || !tw_bytes_equal(value, expected))) {
            wrong(k, "another answer", table);
        }
        if (tw_iter_next(own) != TW_OK) exit(WRONG);
    }
    tw_iter_close(own);
}

static void ignore(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "audit: %s\n", sentence);
}

/* Audit, replay, and one more block. */
static void use(look *k)
{
    tw_err err = {.status = TW_OK};
    tw_hash expected;
    tw_audit audit = {.store = k->disk->store, .memory_max = MEMORY, .found = ignore};
    if (usable(k, tw_audit_ledger(&audit, &err)) && audit.problems > 0 && !k->error) {
        wrong(k, "problems where every row is right", 0);
    }
    (void)usable(k, load_replay(k->disk, &err));
    const uint64_t next = tw_ledger_head(k->memory->ledger)->height + 1;
    if (!load_expect(k->memory, next, &expected)) exit(WRONG);
    if (usable(k, load_fill(k->disk, &err)) && usable(k, load_commit(k->disk, &err))) {
        const tw_block_info *head = tw_ledger_head(k->disk->ledger);
        if (head->height != next || !tw_hash_equal(&head->hash, &expected)) {
            wrong(k, "the next block is another one", 0);
        }
    }
}

/* The same ledger in memory at another height, in the place of the one of all blocks. */
static void go_to(look *k, uint64_t height)
{
    tw_err err = {.status = TW_OK};
    tw_hash hash;
    load_close(k->memory);
    if (load_open(k->memory, NULL, &err) != TW_OK) exit(WRONG);
    if (!load_expect(k->memory, height, &hash)) exit(WRONG);
}

static verdict examine(flips *f, const char *folder)
{
    tw_err err = {.status = TW_OK};
    look k = {.disk = &f->work, .memory = &f->own, .arena = tw_arena_new(MEMORY)};
    if (k.arena == NULL) return WRONG;
    const tw_status status = load_open(k.disk, folder, &err);
    if (status != TW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return err.text[0] != '\0' ? REFUSED : WRONG;
    }
    const tw_block_info *head = tw_ledger_head(k.disk->ledger);
    /* one more was made by an earlier look */
    if (head->height < BLOCKS || head->height > BLOCKS + 1) {
        (void)fprintf(stderr, "it stands at block %llu\n", (unsigned long long)head->height);
        return WRONG;
    }
    if (head->height != BLOCKS) go_to(&k, head->height);
    if (!tw_hash_equal(&head->hash, &tw_ledger_head(k.memory->ledger)->hash)) {
        wrong(&k, "the head is another one", 0);
    }
    for (tw_table table = 0; table < TW_TABLE_COUNT; table++) {
        walk(&k, table);
        get(&k, table);
    }
    use(&k);
    load_close(k.disk);
    tw_arena_free(k.arena);
    if (k.wrong) return WRONG;
    return k.error ? REFUSED : SAME;
}

/* In a process of its own; `quiet`: what it says is not shown. */
static verdict judge(flips *f, const char *folder, bool quiet)
{
    int ended = 0;
    (void)fflush(stdout);
    const pid_t child = fork();
    if (child < 0) exit(2);
    if (child == 0) {
        const int nowhere = open("/dev/null", O_WRONLY);
        if (quiet && nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
        (void)alarm(PATIENCE);
        _exit((int)examine(f, folder));
    }
    if (waitpid(child, &ended, 0) != child) exit(2);
    const bool told = WIFEXITED(ended) && WEXITSTATUS(ended) < CRASHED;
    return told ? (verdict)WEXITSTATUS(ended) : CRASHED;
}

/* ---- files ---- */

static kind kind_of(const char *name)
{
    const size_t size = strlen(name);
    if (size > 4 && strcmp(name + size - 4, ".sst") == 0) return TABLES;
    if (size > 4 && strcmp(name + size - 4, ".log") == 0) return LOG;
    if (strncmp(name, "MANIFEST", 8) == 0) return MANIFEST;
    if (strcmp(name, "CURRENT") == 0) return CURRENT;
    if (strcmp(name, "LANDMARK") == 0) return LANDMARK;
    return strncmp(name, "OPTIONS", 7) == 0 ? OPTIONS : OTHER;
}

static bool read_file(const char *folder, file *to)
{
    char path[PATH_SIZE + 300];
    struct stat about;
    (void)snprintf(path, sizeof path, "%s/%s", folder, to->name);
    FILE *from = fopen(path, "rb");
    if (from == NULL || fstat(fileno(from), &about) != 0) return false;
    to->kind = kind_of(to->name);
    to->size = (size_t)about.st_size;
    to->bytes = tw_mem_new(to->size + 1);
    const bool good = to->bytes != NULL && fread(to->bytes, 1, to->size, from) == to->size;
    (void)fclose(from);
    return good;
}

static bool read_folder(flips *f, const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return false;
    bool good = true;
    for (struct dirent *entry; good && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || strncmp(entry->d_name, "LO", 2) == 0) continue; /* LOG* */
        good = f->count < FILES_MAX;
        if (!good) break;
        file *to = &f->files[f->count++];
        (void)snprintf(to->name, sizeof to->name, "%s", entry->d_name);
        good = read_file(path, to);
    }
    (void)closedir(folder);
    return good;
}

static bool write_folder(const flips *f, const char *folder)
{
    bool good = true;
    for (size_t i = 0; good && i < f->count; i++) {
        char path[PATH_SIZE + 300];
        (void)snprintf(path, sizeof path, "%s/%s", folder, f->files[i].name);
        FILE *to = fopen(path, "wb");
        good = to != NULL && fwrite(f->files[i].bytes, 1, f->files[i].size, to) == f->files[i].size;
        if (to != NULL) good = fclose(to) == 0 && good;
    }
    return good;
}

/* ---- runs ---- */

/* A file that is not empty: each kind as often as the others, as far as there is one. */
static file *choose(flips *f)
{
    const kind wanted = (kind)draw(f, KINDS);
    size_t fit = 0;
    for (size_t i = 0; i < f->count; i++) fit += f->files[i].kind == wanted && f->files[i].size > 0;
    if (fit == 0) return choose(f);
    size_t left = draw(f, fit);
    for (size_t i = 0; i < f->count; i++) {
        if (f->files[i].kind != wanted || f->files[i].size == 0) continue;
        if (left-- == 0) return &f->files[i];
    }
    return NULL;
}

/* Damages, judges, and mends again. */
static void run(flips *f)
{
    char folder[PATH_SIZE];
    uint8_t before[PAGE];
    file *at = choose(f);
    const bool zeros = draw(f, ZEROS_EACH) == 0;
    const uint64_t bit = draw(f, at->size * 8);
    const size_t start = zeros ? bit / 8 / PAGE * PAGE : bit / 8;
    const size_t size = !zeros ? 1 : at->size - start < PAGE ? at->size - start : PAGE;
    memcpy(before, at->bytes + start, size);
    if (zeros) {
        memset(at->bytes + start, 0, size);
    } else {
        at->bytes[start] ^= (uint8_t)(1u << bit % 8);
    }
    if (!load_folder_make(f->parent, folder) || !write_folder(f, folder)) exit(2);
    verdict found = judge(f, folder, true);
    if (found == REFUSED) { /* and it must not get worse, by what was done while it was open */
        const verdict again = judge(f, folder, true);
        if (again == WRONG || again == CRASHED) found = again;
    }
    f->verdicts[at->kind][found]++;
    if (found == WRONG || found == CRASHED) {
        printf("# %s, %s at byte %zu of %zu: %s; it says:\n", at->name, zeros ? "zeros" : "a bit",
               start, at->size, found == WRONG ? "a wrong answer" : "a crash, or no end");
        load_folder_remove(folder);
        if (load_folder_make(f->parent, folder) && write_folder(f, folder)) {
            (void)judge(f, folder, false);
        }
    }
    load_folder_remove(folder);
    memcpy(at->bytes + start, before, size);
}

/* The ledger that all copies are of. */
static bool prepare(flips *f)
{
    char folder[PATH_SIZE];
    tw_err err = {.status = TW_OK};
    tw_hash hash;
    int ended = 0;
    if (!load_make(&f->work) || !load_make(&f->own)) return false;
    if (load_open(&f->own, NULL, &err) != TW_OK || !load_expect(&f->own, BLOCKS, &hash)) {
        return false;
    }
    if (!load_folder_make(f->parent, folder)) return false;
    const pid_t child = fork();
    if (child < 0) return false;
    if (child == 0) _exit(load_work(&f->work, folder, BLOCKS, open("/dev/null", O_WRONLY)));
    if (waitpid(child, &ended, 0) != child || ended != 0) return false;
    const bool good = read_folder(f, folder);
    load_folder_remove(folder);
    return good;
}

static bool report(const flips *f, uint64_t runs)
{
    uint64_t sums[VERDICTS] = {0};
    for (kind i = 0; i < KINDS; i++) {
        const uint64_t *v = f->verdicts[i];
        for (verdict k = 0; k < VERDICTS; k++) sums[k] += v[k];
        printf("# %-8s %llu same, %llu refused, %llu wrong, %llu crashed\n", kind_names[i],
               (unsigned long long)v[SAME], (unsigned long long)v[REFUSED],
               (unsigned long long)v[WRONG], (unsigned long long)v[CRASHED]);
    }
    printf("# %llu damaged copies: %llu same, %llu refused, %llu wrong, %llu crashed\n",
           (unsigned long long)runs, (unsigned long long)sums[SAME],
           (unsigned long long)sums[REFUSED], (unsigned long long)sums[WRONG],
           (unsigned long long)sums[CRASHED]);
    return sums[WRONG] == 0 && sums[CRASHED] == 0 && sums[REFUSED] > 0;
}

int main(int argc, char **argv)
{
    static flips f;
    uint64_t runs = 100;
    const char *temporary = getenv("TMPDIR");
    f.parent = temporary != NULL ? temporary : "/tmp";
    f.random = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--runs") == 0) {
            runs = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            f.random = strtoull(value, NULL, 10);
        } else if (strcmp(argv[i], "--folder") == 0) {
            f.parent = value;
        } else {
            (void)fputs("usage: flip [--runs N] [--seed S] [--folder F]\n", stderr);
            return 2;
        }
    }
    printf("1..2\n# seed %llu\n", (unsigned long long)f.random);
    (void)fflush(stdout);
    if (!prepare(&f)) return 2;
    char folder[PATH_SIZE];
    if (!load_folder_make(f.parent, folder) || !write_folder(&f, folder)) return 2;
    const bool sound = judge(&f, folder, false) == SAME;
    load_folder_remove(folder);
    printf("%s 1 - a copy without damage gives every answer\n", sound ? "ok" : "not ok");
    for (uint64_t i = 0; i < runs; i++) run(&f);
    const bool good = report(&f, runs);
    printf("%s 2 - a damaged one gives the same answers or none\n", good ? "ok" : "not ok");
    for (size_t i = 0; i < f.count; i++) tw_mem_free(f.files[i].bytes);
    load_free(&f.work);
    load_free(&f.own);
    return sound && good ? 0 : 1;
}
