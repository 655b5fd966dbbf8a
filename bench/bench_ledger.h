/* bench_ledger -- what the parts of this program share: bench_ledger.c (options, tables, files),
 * ledger_flow.c (signed bytes to durable blocks), ledger_keys.c (state of many keys), curve.c. */
#ifndef TW_BENCH_LEDGER_H
#define TW_BENCH_LEDGER_H

#include "vm/ledger/ledger.h"

#include <time.h>

enum { CURVE_POINTS = 64, CURVE_LINES = 4, CURVES_MAX = 8, ROWS_MAX = 64 };

/* One picture: lines over a common axis, which is logarithmic when `log_x`. The y axis starts at 0.
 */
typedef struct curve {
    const char *title, *x, *y;
    bool log_x;
    uint32_t lines;
    const char *names[CURVE_LINES];
    uint32_t counts[CURVE_LINES];
    double at[CURVE_LINES][CURVE_POINTS][2]; /* x, y */
} curve;

/* A row of the JSON file. `share` is of the limit named beside the tables; negative: none. */
typedef struct bench_row {
    const char *workload;
    char engine[48];
    double median, best; /* ns a unit */
    double share;
} bench_row;

typedef struct ledger_bench {
    const char *folder;    /* for stores; empty, and removed by the caller */
    tw_bytes flow, feed;   /* modules */
    const char *only;      /* letters of the parts to run */
    uint64_t transactions; /* of (a) */
    uint64_t readings;     /* of (b) */
    uint64_t keys;         /* of (c), the most */
    uint64_t cache_mib;    /* of each store; the same for its buffers */
    curve curves[CURVES_MAX];
    uint32_t curve_count;
    bench_row rows[ROWS_MAX];
    uint32_t row_count;
} ledger_bench;

/* The parts, each printing its table. */
void bench_flow(ledger_bench *b);   /* (a), and memory */
void bench_memory(ledger_bench *b); /* the curve of memory alone */
void bench_packs(ledger_bench *b);  /* (b) */
void bench_keys(ledger_bench *b);   /* (c), (d) */

/* Ends the program with a sentence unless `status` is TW_OK. */
void bench_must(tw_status status, const char *what, const tw_err *err);
uint64_t bench_time(clockid_t clock); /* ns */
/* A line on the error output: how far a long part is. */
void bench_progress(const char *what, uint64_t done, uint64_t all);
tw_store *bench_store(const ledger_bench *b, const char *name);
double bench_median(double *values, uint32_t count); /* sorts them */

curve *bench_curve(ledger_bench *b, const char *title, const char *x, const char *y, bool log_x);
void bench_point(curve *c, uint32_t line, const char *name, double x, double y);
void bench_note(ledger_bench *b, const char *workload, const char *engine, double median,
                double best, double share);

/* Writes the curves as one SVG. False: the file cannot be written. */
bool curve_write(const curve *curves, uint32_t count, const char *path);

#endif
