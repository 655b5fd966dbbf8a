/* child -- an engine in a process of its own, which lives through the whole run.
 *
 * Called by bench.c. The child says "0 SIZE" first, SIZE being the bytes of what it starts from in
 * (f). Then each line "workload seed calls" is answered by "nanoseconds checksum"; the child takes
 * the time, so the pipe costs nothing. It ends when its input does.
 */
#include "bench.h"

#include "vm/base/arena.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_SIZE = 64 };

typedef struct child {
    pid_t pid;
    FILE *to, *from;
} child;

/* A line of two numbers. */
static bool answer(const child *c, uint64_t *ret_first, uint64_t *ret_second)
{
    char line[LINE_MAX_SIZE];
    char *at = line;
    if (fgets(line, sizeof line, c->from) == NULL) return false;
    *ret_first = strtoull(at, &at, 10);
    if (*at != ' ') return false;
    *ret_second = strtoull(at, &at, 10);
    return *at == '\n';
}

static bool run(bench_engine *engine, bench_id id, uint64_t calls, bench_sample *ret_sample)
{
    const child *c = engine->data;
    fprintf(c->to, "%d %d %" PRIu64 "\n", (int)id, BENCH_SEED, calls);
    if (fflush(c->to) != 0) return false;
    return answer(c, &ret_sample->ns, &ret_sample->checksum);
}

static void close_child(bench_engine *engine)
{
    child *c = engine->data;
    fclose(c->to);
    fclose(c->from);
    waitpid(c->pid, NULL, 0);
    tw_mem_free(c);
}

/* A pipe whose ends no program that is started later gets: it would never see its end. */
static bool pipe_of_two(int ret_ends[2])
{
    if (pipe(ret_ends) != 0) return false;
    return fcntl(ret_ends[0], F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(ret_ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

/* In the child: the pipes are its standard input and output. */
static void become(const int to[2], const int from[2], const char *const *command)
{
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    execvp(command[0], (char *const *)(uintptr_t)command);
    _exit(127);
}

bool bench_child_open(const char *name, const char *const *command, bench_engine *ret_engine)
{
    int to[2];
    int from[2];
    if (!pipe_of_two(to) || !pipe_of_two(from)) return false;
    child *c = tw_mem_new(sizeof *c);
    if (c == NULL) return false;
    c->pid = fork();
    if (c->pid == 0) become(to, from, command);
    close(to[0]);
    close(from[1]);
    c->to = fdopen(to[1], "w");
    c->from = fdopen(from[0], "r");
    *ret_engine = (bench_engine){.name = name,
                                 .data = c,
                                 .workloads = (1u << BENCH_COUNT) - 1,
                                 .run = run,
                                 .close = close_child};
    uint64_t zero = 0;
    uint64_t size = 0;
    if (c->pid > 0 && c->to != NULL && c->from != NULL && answer(c, &zero, &size)) {
        ret_engine->module_size = (size_t)size;
        return true;
    }
    fprintf(stderr, "bench: %s does not start; it is left out\n", command[0]);
    close_child(ret_engine);
    return false;
}
