/* crash -- kill -9 at random moments, and an oracle that knows what was acknowledged; output: TAP.
 *
 *     crash [--runs N] [--seed S] [--folder F]     20 runs; `./dev crash`
 *
 * Each run forks a process that opens the ledger and makes blocks, and tells through a pipe when a
 * commit begins and when it was acknowledged. It is killed after a drawn number of such words and
 * a drawn number of microseconds more: while it opens, executes, commits, flushes. What it told
 * stays in the pipe, and so with this process, which never touches the disk. Another process then
 * opens the same folder and looks at everything: the head is not below the last acknowledged
 * block; each block is the one that this process, executing the same load in memory, comes to; the
 * audit finds nothing. The next run goes on with that folder. After ROUND runs all blocks are
 * replayed and a new folder begins, on the disk and in memory (/dev/shm) in turn: there a commit is
 * over so soon that more of the kills come between commits. Every other run executes a block while
 * the one before is written (tw_block_commit_later), and acknowledges that when it is.
 */
#include "tests/fault/load.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    KEEP = 40,           /* blocks whose state stays: those before are pruned */
    ROUND = 40,          /* runs on one folder */
    WORDS_MAX = 32,      /* heard before a kill */
    OPENING_EACH = 8,    /* one run in so many is killed without a word */
    PAUSE_MAX = 4000,    /* microseconds from there */
    OPENING_MAX = 60000, /* and from the start */
    PATIENCE = 120,      /* seconds until a process that hangs is given up */
    PATH_SIZE = 4096,
};

typedef struct counts {
    uint64_t runs, opening, executing, committing, durable, blocks, lost, torn;
} counts;

typedef struct crash {
    load work; /* for the children */
    load own;  /* the same in memory */
    char folder[PATH_SIZE];
    const char *parent;
    bool in_memory; /* the next folder */
    uint64_t random;
    uint64_t acked; /* the highest height acknowledged in this folder */
    bool made;      /* its genesis was */
    uint64_t checked;
    counts n;
} crash;

static uint64_t draw(crash *c, uint64_t below)
{
    return load_mixed(c->random++) % below;
}

static void wrong(crash *c, bool lost, const char *what)
{
    if (lost) {
        c->n.lost++;
    } else {
        c->n.torn++;
    }
    printf("# run %llu, %s: %s\n", (unsigned long long)c->n.runs, c->folder, what);
}

/* True with the next word; false at the end of what is told. */
static bool hear(int fd, load_word *word)
{
    const ssize_t size = read(fd, word, sizeof *word);
    return size == (ssize_t)sizeof *word;
}

/* A child that writes to ret_fd: `from` is the first block to check, or UINT64_MAX to work. */
static pid_t start(crash *c, uint64_t from, int *ret_fd)
{
    int fds[2];
    (void)fflush(stdout);
    if (pipe(fds) != 0) exit(2);
    const pid_t child = fork();
    if (child < 0) exit(2);
    if (child == 0) {
        (void)close(fds[0]);
        (void)alarm(PATIENCE);
        _exit(from == UINT64_MAX ? load_work(&c->work, c->folder, UINT64_MAX, fds[1])
                                 : load_check(&c->work, c->folder, from, fds[1]));
    }
    (void)close(fds[1]);
    *ret_fd = fds[0];
    return child;
}

/* Notes what is acknowledged by a word: what it shows when opened is, too. */
static void note(crash *c, const load_word *word)
{
    tw_hash hash;
    if (word->said != LOAD_OPENED && word->said != LOAD_DONE) return;
    if (word->height < c->acked) wrong(c, true, "a process went on from an earlier block");
    c->acked = word->height;
    c->made = true;
    if (!load_expect(&c->own, word->height, &hash) || !tw_hash_equal(&hash, &word->hash)) {
        wrong(c, false, "a block was acknowledged that is another one");
    }
}

/* Looks at the folder in a process of its own. */
static void look(crash *c, uint64_t from, uint64_t begun)
{
    int fd = -1;
    int ended = 0;
    const pid_t child = start(c, from, &fd);
    load_word word;
    bool whole = false;
    uint64_t problems = UINT64_MAX;
    uint64_t next = from;
    while (hear(fd, &word)) {
        tw_hash hash;
        if (word.said == LOAD_OPENED) {
            if (begun > 0 && word.height >= begun) c->n.durable++;
            if (c->made && word.height < c->acked) wrong(c, true, "the head is too low");
            c->acked = word.height;
            c->made = true;
        } else if (word.said == LOAD_BLOCK) {
            const bool same = word.height == next && load_expect(&c->own, word.height, &hash) &&
                              tw_hash_equal(&hash, &word.hash);
            if (!same) wrong(c, false, "a block is another one");
            next++;
        } else if (word.said == LOAD_PROBLEMS) {
            problems = word.height;
        } else if (word.said == LOAD_END) {
            whole = true;
        }
    }
    (void)close(fd);
    if (waitpid(child, &ended, 0) != child) exit(2);
    const bool good = whole && problems == 0 && next == c->acked + 1 && ended == 0;
    if (!good) wrong(c, false, "it does not open whole");
    c->checked = c->acked;
}

static void run(crash *c)
{
    int fd = -1;
    int ended = 0;
    load_word word = {.said = LOAD_END};
    const uint64_t words = draw(c, OPENING_EACH) == 0 ? 0 : 1 + draw(c, WORDS_MAX);
    const uint64_t pause = draw(c, words == 0 ? OPENING_MAX : PAUSE_MAX);
    const pid_t child = start(c, UINT64_MAX, &fd);
    bool heard = false;
    uint64_t begun = 0;
    c->n.runs++;
    for (uint64_t i = 0; i < words && hear(fd, &word); i++) {
        heard = true;
        note(c, &word);
    }
    (void)usleep((useconds_t)pause);
    (void)kill(child, SIGKILL);
    while (hear(fd, &word)) {
        heard = true;
        note(c, &word);
    }
    (void)close(fd);
    if (waitpid(child, &ended, 0) != child) exit(2);
    if (!WIFSIGNALED(ended) || WTERMSIG(ended) != SIGKILL) wrong(c, false, "it ended by itself");
    if (!heard) {
        c->n.opening++;
    } else if (word.said == LOAD_STARTS) {
        c->n.committing++;
        begun = word.height;
    } else {
        c->n.executing++;
    }
    look(c, c->checked, begun);
}

static bool begin_folder(crash *c)
{
    c->acked = 0;
    c->made = false;
    c->checked = 0;
    const bool memory = c->in_memory && access("/dev/shm", W_OK) == 0;
    c->in_memory = !c->in_memory;
    return load_folder_make(memory ? "/dev/shm" : c->parent, c->folder);
}

static void end_folder(crash *c)
{
    const uint64_t before = c->n.torn + c->n.lost;
    look(c, 0, 0);
    c->n.blocks += c->acked + 1;
    if (c->n.torn + c->n.lost == 0 && before == 0) {
        load_folder_remove(c->folder);
    } else {
        printf("# left to look at: %s\n", c->folder);
    }
}

static bool arguments(int argc, char **argv, crash *c, uint64_t *ret_runs)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) return false;
        if (strcmp(argv[i], "--runs") == 0) {
            *ret_runs = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0) {
            c->random = strtoull(argv[i + 1], NULL, 10);
        } else if (strcmp(argv[i], "--folder") == 0) {
            c->parent = argv[i + 1];
        } else {
            return false;
        }
    }
    return *ret_runs > 0;
}

int main(int argc, char **argv)
{
    static crash c;
    uint64_t runs = 20;
    tw_err err = {.status = TW_OK};
    const char *temporary = getenv("TMPDIR");
    c.parent = temporary != NULL ? temporary : "/tmp";
    c.random = (uint64_t)time(NULL);
    if (!arguments(argc, argv, &c, &runs)) {
        (void)fputs("usage: crash [--runs N] [--seed S] [--folder F]\n", stderr);
        return 2;
    }
    printf("1..1\n# seed %llu\n", (unsigned long long)c.random);
    (void)fflush(stdout);
    if (!load_make(&c.work) || !load_make(&c.own) || load_open(&c.own, NULL, &err) != TW_OK) {
        return 2;
    }
    c.work.keep = KEEP;
    for (uint64_t i = 0; i < runs; i++) {
        if (i % ROUND == 0 && !begin_folder(&c)) return 2;
        c.work.threads = 1 + (unsigned)(i % 2);
        run(&c);
        if (i % ROUND == ROUND - 1 || i + 1 == runs) end_folder(&c);
    }
    const bool good = c.n.lost == 0 && c.n.torn == 0 && c.n.runs == runs;
    printf("# %llu kills: %llu while it opened, %llu while it executed, %llu during a commit, of "
           "which %llu blocks were on the disk; %llu blocks checked; %llu lost, %llu torn\n",
           (unsigned long long)c.n.runs, (unsigned long long)c.n.opening,
           (unsigned long long)c.n.executing, (unsigned long long)c.n.committing,
           (unsigned long long)c.n.durable, (unsigned long long)c.n.blocks,
           (unsigned long long)c.n.lost, (unsigned long long)c.n.torn);
    printf("%s 1 - what was acknowledged is there after each kill\n", good ? "ok" : "not ok");
    load_free(&c.work);
    load_free(&c.own);
    return good ? 0 : 1;
}
