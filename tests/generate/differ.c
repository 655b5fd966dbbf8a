/* differ -- generated programs and changed modules, run by the million.
 *
 *     differ [--programs N] [--mutants N] [--minutes M] [--seed S] [--complete] [--shrink]
 *            [FILE.twc ...]
 *
 * Started by `./dev differ` and, small, by the test suite of the same name. Program number i is
 * made from the number S + i, so `--seed X --programs 1` makes one again; of mutants likewise.
 * Mutants are of generated modules and of the contracts in the files. When something does not hold,
 * the number is printed and the module is written to differ-found.twm before the program ends.
 * Every run is one on both engines, see tests/reference/both.h: a difference ends the program too.
 * With --shrink that module has only instructions that it needs to fail.
 * With --complete, an instruction, statistic or trap that was never met is a failure.
 */
#include "tests/generate/coverage.h"
#include "tests/generate/mutate.h"
#include "tests/generate/shrink.h"

#include "compiler/twc.h"
#include "tests/fuzz/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_MAX = 256 * 1024 * 1024,
    FIRST_CHUNK = 1024 * 1024,
    FILES_MAX = 64,
    SOURCE_MAX = 1024 * 1024,
    BROOD = 16,        /* mutants of one module */
    HANG_SECONDS = 60, /* for one program: a hundred thousand times what it should take */
    TELL_EACH = 5,     /* seconds */
};

static const char found_file[] = "differ-found.twm";

typedef unsigned long long ull;

/* For the signal handler, which has no other way to know. */
static struct {
    const char *what;
    uint64_t seed;
    uint64_t gas_max; /* of an entry */
    tw_bytes module;
} at_work;

typedef struct differ {
    uint64_t programs, mutants, minutes, seed;
    bool complete, shrink;
    tw_arena *arena;
    tw_arena *base_arena; /* of the module that mutants are made of */
    tw_arena *file_arena;
    tw_bytes files[FILES_MAX];
    uint32_t file_count;
    tw_bytes base, other;
    uint64_t base_seed;
    scene *scene;
    tw_writer writer;
    coverage coverage;
    uint64_t refused, verified, rebounded; /* mutants: as they are, with bounds made anew */
    time_t start, told;
} differ;

/* ---- when something goes wrong ---- */

static void leave_traces(void)
{
    char text[160];
    const int size = snprintf(text, sizeof text, "differ: %s %llu: see %s\n", at_work.what,
                              (ull)at_work.seed, found_file);
    if (size > 0 && write(STDERR_FILENO, text, (size_t)size) < 0) return;
    const int file = open(found_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return;
    if (write(file, at_work.module.data, at_work.module.size) < 0) return;
    (void)close(file);
}

static void caught(int number)
{
    leave_traces();
    signal(number, SIG_DFL);
    raise(number);
}

/* There when the program is built with a sanitizer. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void catch_signals(void)
{
    const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    if (__sanitizer_set_death_callback != NULL) __sanitizer_set_death_callback(leave_traces);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) signal(numbers[i], caught);
}

/* ---- programs ---- */

static tw_bytes encode(differ *d, const tw_module *m)
{
    tw_writer_clear(&d->writer);
    d->writer.bad = false;
    if (tw_module_encode(m, &d->writer) != TW_OK) return tw_bytes_of(NULL, 0);
    return tw_writer_bytes(&d->writer);
}

static tw_module *generate(uint64_t seed, tw_arena *arena)
{
    tw_err err = {.status = TW_OK};
    tw_arena_clear(arena);
    tw_module *m = generate_module(seed, arena, &err);
    if (m == NULL) fprintf(stderr, "differ: program %llu: %s\n", (ull)seed, err.text);
    check(m != NULL);
    return m;
}

/* In a process of its own, which says nothing and may end as it likes. */
static bool fails(void *context, tw_bytes module)
{
    const differ *d = context;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        tw_code *code = NULL;
        tw_err err;
        for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
        (void)close(STDERR_FILENO);
        if (tw_code_new(module, NULL, &code, &err) != TW_OK) _exit(0);
        scene_play(d->scene, code, ~at_work.seed, at_work.gas_max);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

/* What fails is made small before it fails here. */
static void shrink(differ *d, tw_bytes module)
{
    if (!fails(d, module)) return;
    at_work.module = shrink_module(module, fails, d, d->file_arena);
    leave_traces();
}

static void program(differ *d, uint64_t seed)
{
    tw_err err = {.status = TW_OK};
    tw_code *code = NULL;
    at_work.what = "program";
    at_work.seed = seed;
    at_work.gas_max = UINT64_MAX;
    const tw_module *m = generate(seed, d->arena);
    const tw_bytes bytes = encode(d, m);
    at_work.module = bytes;
    coverage_add(&d->coverage, m, bytes.size);
    const tw_status status = tw_code_new(bytes, NULL, &code, &err);
    if (status != TW_OK) fprintf(stderr, "differ: %s\n", err.text);
    check(status == TW_OK);
    if (d->shrink) shrink(d, bytes);
    scene_play(d->scene, code, ~seed, at_work.gas_max);
    tw_code_free(code);
}

/* ---- mutants ---- */

static tw_bytes keep(tw_arena *arena, tw_bytes bytes)
{
    const char *copy = tw_arena_copy(arena, bytes.data, bytes.size);
    check(copy != NULL);
    return tw_bytes_of(copy, bytes.size);
}

/* The modules that a brood of mutants is made of depend on the brood's number alone. */
static void take_base(differ *d, uint64_t brood)
{
    dice r = {~brood * BROOD};
    if (d->base_seed == brood && d->base.data != NULL) return;
    d->base_seed = brood;
    tw_bytes *const ends[] = {&d->other, &d->base};
    tw_bytes taken[2];
    for (int i = 0; i < 2; i++) {
        const bool file = d->file_count > 0 && dice_percent(&r, 5);
        if (file) {
            taken[i] = d->files[dice_below(&r, d->file_count)];
        } else {
            taken[i] = keep(d->arena, encode(d, generate(dice_next(&r), d->base_arena)));
        }
    }
    tw_arena_clear(d->base_arena);
    for (int i = 0; i < 2; i++) *ends[i] = keep(d->base_arena, taken[i]);
}

static tw_bytes mutant_of(differ *d, dice *r)
{
    tw_module *m = NULL;
    tw_err err;
    if (dice_percent(r, 40)) return mutate_bytes(r, d->base, d->other, d->arena);
    check(tw_module_decode(d->base, d->arena, &m, &err) == TW_OK);
    mutate_module(r, m);
    return keep(d->arena, encode(d, m));
}

/* The same module with the bounds that its code has, if it has any. */
static bool rebound(differ *d, tw_bytes bytes, tw_bytes *ret_bytes)
{
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    tw_err err;
    if (tw_module_decode(bytes, d->arena, &m, &err) != TW_OK) return false;
    if (tw_facts_compute(m, d->arena, &facts, &err) != TW_OK) return false;
    for (uint16_t i = 0; i < m->entry_count; i++) m->entries[i].bounds = facts->entries[i];
    *ret_bytes = encode(d, m);
    return true;
}

static void mutant(differ *d, uint64_t seed)
{
    tw_err err;
    tw_code *code = NULL;
    at_work.what = "mutant";
    at_work.seed = seed;
    at_work.gas_max = TW_ENTRY_GAS_MAX;
    tw_arena_clear(d->arena);
    take_base(d, seed / BROOD);
    tw_arena_clear(d->arena);
    dice r = {seed};
    tw_bytes bytes = mutant_of(d, &r);
    at_work.module = bytes;
    if (tw_code_new(bytes, NULL, &code, &err) == TW_OK) {
        d->verified++;
    } else if (rebound(d, bytes, &bytes)) {
        at_work.module = bytes;
        check(tw_code_new(bytes, NULL, &code, &err) == TW_OK);
        d->rebounded++;
    } else {
        d->refused++;
        return;
    }
    if (d->shrink) shrink(d, bytes);
    scene_play(d->scene, code, ~seed, at_work.gas_max);
    tw_code_free(code);
}

/* ---- all of them ---- */

static bool goes_on(differ *d, const char *what, uint64_t done, uint64_t wanted)
{
    if (done % 256 == 0) {
        const time_t now = time(NULL);
        alarm(HANG_SECONDS);
        if (now - d->told >= TELL_EACH) {
            fprintf(stderr, "\r%llu %s, %ld s  ", (ull)done, what, (long)(now - d->start));
            d->told = now;
        }
        if (d->minutes > 0 && (uint64_t)(now - d->start) >= 60 * d->minutes) return false;
    }
    return d->minutes > 0 || done < wanted;
}

static double microseconds(const struct timespec *since, uint64_t count)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double us =
        1e6 * (double)(now.tv_sec - since->tv_sec) + 1e-3 * (double)(now.tv_nsec - since->tv_nsec);
    return count > 0 ? us / (double)count : 0;
}

static void run_programs(differ *d)
{
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    uint64_t done = 0;
    for (; goes_on(d, "programs", done, d->programs); done++) program(d, d->seed + done);
    if (done == 0) return;
    const double each = microseconds(&begin, done);
    coverage_print(&d->coverage, scene_seen(d->scene));
    printf("\n%llu programs from %llu on, %.1f us each\n", (ull)done, (ull)d->seed, each);
}

static void run_mutants(differ *d)
{
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    const uint64_t runs = scene_seen(d->scene)->runs;
    const uint64_t skipped = scene_seen(d->scene)->skipped;
    uint64_t done = 0;
    for (; goes_on(d, "mutants", done, d->mutants); done++) mutant(d, d->seed + done);
    if (done == 0) return;
    printf("%llu mutants from %llu on, %.1f us each: %llu refused, %llu verified, %llu with new "
           "bounds; %llu runs, %llu left out as too long\n",
           (ull)done, (ull)d->seed, microseconds(&begin, done), (ull)d->refused, (ull)d->verified,
           (ull)d->rebounded, (ull)(scene_seen(d->scene)->runs - runs),
           (ull)(scene_seen(d->scene)->skipped - skipped));
}

static bool load(differ *d, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *source = tw_arena_get(d->file_arena, SOURCE_MAX);
    if (file == NULL || source == NULL) return false;
    const size_t size = fread(source, 1, SOURCE_MAX, file);
    (void)fclose(file);
    twc_result *result = twc_compile(path, source, size);
    const uint32_t units = result != NULL ? twc_result_unit_count(result) : 0;
    for (uint32_t i = 0; i < units && d->file_count < FILES_MAX; i++) {
        d->files[d->file_count++] = keep(d->file_arena, twc_result_unit(result, i)->module);
    }
    twc_result_free(result);
    return units > 0;
}

static bool number(const char *text, uint64_t *ret_number)
{
    uint64_t value = 0;
    if (*text == 0) return false;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9' || value > UINT64_MAX / 10 - 1) return false;
        value = 10 * value + (uint64_t)(*text - '0');
    }
    *ret_number = value;
    return true;
}

static bool options(differ *d, int argc, char **argv)
{
    const char *const names[] = {"--programs", "--mutants", "--minutes", "--seed"};
    uint64_t *const values[] = {&d->programs, &d->mutants, &d->minutes, &d->seed};
    for (int i = 1; i < argc; i++) {
        bool good = false;
        for (int k = 0; k < 4; k++) {
            if (strcmp(argv[i], names[k]) == 0 && i + 1 < argc) good = number(argv[++i], values[k]);
        }
        if (strcmp(argv[i], "--complete") == 0) good = d->complete = true;
        if (strcmp(argv[i], "--shrink") == 0) good = d->shrink = true;
        if (!good && argv[i][0] != '-') good = load(d, argv[i]);
        if (!good) {
            fprintf(stderr, "differ: %s: not an option, or not a contract\n", argv[i]);
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    differ d = {.programs = 10000, .mutants = 10000, .seed = 1, .start = time(NULL)};
    d.arena = tw_arena_new(MEMORY_MAX);
    d.base_arena = tw_arena_new(MEMORY_MAX);
    d.file_arena = tw_arena_new(MEMORY_MAX);
    d.scene = scene_new();
    d.writer = tw_writer_new(2 * TW_MODULE_SIZE_MAX);
    check(tw_arena_get(d.arena, FIRST_CHUNK) != NULL);
    check(tw_arena_get(d.base_arena, FIRST_CHUNK) != NULL);
    if (!options(&d, argc, argv)) return 2;
    catch_signals();
    run_programs(&d);
    d.start = time(NULL);
    run_mutants(&d);
    const uint32_t missing = d.complete ? coverage_missing(scene_seen(d.scene)) : 0;
    tw_writer_free(&d.writer);
    scene_free(d.scene);
    tw_arena_free(d.arena);
    tw_arena_free(d.base_arena);
    tw_arena_free(d.file_arena);
    return missing == 0 ? 0 : 1;
}
