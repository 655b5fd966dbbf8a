/* bench_ledger -- the way of signed bytes to durable blocks, and the state of many keys, against
 * what bounds them: the library's own signature checks, and RocksDB without a tree.
 *
 * Called by bench/run. Prints tables; writes ledger.json (the rows of bench.json with a
 * share_of_limit) and ledger.svg into the folder of the build.
 */
#include "bench_ledger.h"

#include "compiler/twc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX = 65536, PATH = 4096, MIB = 1 << 20 };

void bench_must(tw_status status, const char *what, const tw_err *err)
{
    if (status == TW_OK) return;
    fprintf(stderr, "bench_ledger: %s: %s\n", what,
            err != NULL && err->text[0] != '\0' ? err->text : tw_status_text(status));
    exit(1);
}

uint64_t bench_time(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_progress(const char *what, uint64_t done, uint64_t all)
{
    fprintf(stderr, "bench_ledger: %llu of %llu %s\n", (unsigned long long)done,
            (unsigned long long)all, what);
}

tw_store *bench_store(const ledger_bench *b, const char *name)
{
    char path[PATH];
    tw_store *store = NULL;
    tw_err err = {0};
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    const tw_store_options options = {.create = true,
                                      .must_be_new = true,
                                      .cache_size = b->cache_mib * MIB,
                                      .buffers_size = b->cache_mib * MIB};
    bench_must(tw_store_open(path, &options, &store, &err), "store", &err);
    return store;
}

double bench_median(double *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = i; k > 0 && values[k - 1] > values[k]; k--) {
            const double kept = values[k];
            values[k] = values[k - 1];
            values[k - 1] = kept;
        }
    }
    return values[count / 2];
}

curve *bench_curve(ledger_bench *b, const char *title, const char *x, const char *y, bool log_x)
{
    curve *c = &b->curves[b->curve_count++];
    *c = (curve){.title = title, .x = x, .y = y, .log_x = log_x};
    return c;
}

void bench_point(curve *c, uint32_t line, const char *name, double x, double y)
{
    if (c->counts[line] == CURVE_POINTS) return;
    if (line >= c->lines) c->lines = line + 1;
    c->names[line] = name;
    c->at[line][c->counts[line]][0] = x;
    c->at[line][c->counts[line]++][1] = y;
}

void bench_note(ledger_bench *b, const char *workload, const char *engine, double median,
                double best, double share)
{
    if (b->row_count == ROWS_MAX) return;
    bench_row *row = &b->rows[b->row_count++];
    *row = (bench_row){.workload = workload, .median = median, .best = best, .share = share};
    snprintf(row->engine, sizeof row->engine, "%s", engine);
}

static bool write_json(const ledger_bench *b, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return false;
    for (uint32_t i = 0; i < b->row_count; i++) {
        const bench_row *r = &b->rows[i];
        fprintf(file,
                "%s  {\"workload\": \"%s\", \"engine\": \"%s\", \"unit\": \"ns\", \"median\": "
                "%.3f, \"best\": %.3f, \"ratio_to_c\": null, \"share_of_limit\": ",
                i == 0 ? "[\n" : ",\n", r->workload, r->engine, r->median, r->best);
        fprintf(file, r->share < 0 ? "null}" : "%.3f}", r->share);
    }
    fprintf(file, "\n]\n");
    return fclose(file) == 0;
}

static tw_bytes compile(const char *folder, const char *name)
{
    static char source[SOURCE_MAX];
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(source, 1, sizeof source, file) : 0;
    if (file != NULL) fclose(file);
    twc_result *compiled = size > 0 ? twc_compile(path, source, size) : NULL;
    if (compiled == NULL || twc_result_unit_count(compiled) != 1) {
        fprintf(stderr, "bench_ledger: %s does not compile\n%s", path,
                compiled != NULL ? twc_result_report(compiled, false) : "");
        exit(1);
    }
    return twc_result_unit(compiled, 0)->module; /* lives as long as the program */
}

static int usage(FILE *to)
{
    fprintf(to, "usage: ./dev bench ledger [--only PARTS] [--transactions N] [--readings N] "
                "[--keys N] [--cache MIB]\n\n"
                "  --only PARTS      letters: a transactions, b readings, c state and disk, m the\n"
                "                    curve of memory over transactions (abc)\n"
                "  --transactions N  of each run of (a) (40000)\n"
                "  --readings N      of each run of (b) (200000)\n"
                "  --keys N          the most in (c): 10000, 100000, 1000000 (1000000), 10000000\n"
                "  --cache MIB       a store's cache, and its buffers (64)\n");
    return to == stdout ? 0 : 2;
}

static bool option(ledger_bench *b, const char *word, const char *value)
{
    const uint64_t number = value != NULL ? strtoull(value, NULL, 10) : 0;
    if (strcmp(word, "--only") == 0 && value != NULL) {
        b->only = value;
        return value[0] != '\0' && strspn(value, "abcm") == strlen(value);
    }
    if (strcmp(word, "--transactions") == 0) {
        b->transactions = number;
    } else if (strcmp(word, "--readings") == 0) {
        b->readings = number;
    } else if (strcmp(word, "--keys") == 0) {
        b->keys = number;
    } else if (strcmp(word, "--cache") == 0) {
        b->cache_mib = number;
    } else {
        return false;
    }
    return number > 0;
}

int main(int argc, char **argv)
{
    static ledger_bench b = {
        .only = "abc", .transactions = 40000, .readings = 200000, .keys = 1000000, .cache_mib = 64};
    char json[PATH];
    char svg[PATH];
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (argc < 4) return usage(stderr);
    b.folder = argv[1];
    for (int i = 4; i < argc; i += 2) {
        if (!option(&b, argv[i], argv[i + 1])) return usage(stderr);
    }
    b.flow = compile(argv[2], "flow.twc");
    b.feed = compile(argv[2], "feed.twc");
    if (strchr(b.only, 'a') != NULL) bench_flow(&b);
    if (strchr(b.only, 'b') != NULL) bench_packs(&b);
    if (strchr(b.only, 'c') != NULL) bench_keys(&b);
    if (strchr(b.only, 'm') != NULL) bench_memory(&b);
    snprintf(json, sizeof json, "%s/ledger.json", argv[3]);
    snprintf(svg, sizeof svg, "%s/ledger.svg", argv[3]);
    if (!write_json(&b, json) || !curve_write(b.curves, b.curve_count, svg)) {
        fprintf(stderr, "bench_ledger: %s or %s cannot be written\n", json, svg);
        return 1;
    }
    printf("The rows are in %s, the curves in %s.\n", json, svg);
    return 0;
}
