/* report_parts -- what report.c collects and report_chart.c draws; for these two alone. */
#ifndef TW_RUNNER_REPORT_PARTS_H
#define TW_RUNNER_REPORT_PARTS_H

#include "vm/base/arena.h"
#include "vm/runner/report.h"

#include <stdio.h>

enum { REPORT_BUCKETS = 4096 };

typedef struct report_bucket {
    int64_t time_first, time_last; /* of its readings; time_first < 0: none */
    int64_t first, last, low, high;
} report_bucket;

typedef struct report_limit {
    struct report_limit *next;
    const char *label;
    int64_t value;
} report_limit;

typedef struct report_series {
    const char *name;
    tw_dimension dimension;
    int64_t gap;
    int64_t start, span; /* bucket i holds [start + i * span, start + (i + 1) * span) */
    report_bucket *buckets;
    report_limit *limits;
    uint64_t count;
} report_series;

/* An alarm that is up, a phase that holds. `to` below 0: still. */
typedef struct report_span {
    struct report_span *next;
    const char *name;
    int64_t from, to;
} report_span;

typedef struct report_event {
    struct report_event *next;
    int64_t time;
    const char *kind, *name, *details;
} report_event;

typedef struct report_fact {
    struct report_fact *next;
    const char *name, *text;
} report_fact;

struct tw_report {
    tw_arena *arena;
    const char *title;
    report_series series[TW_REPORT_SERIES_MAX];
    uint32_t series_count;
    report_fact *facts;
    report_span *alarms, *phases, *marks;
    report_event *events;
    uint32_t event_count;
    int64_t time_low, time_high; /* of everything; time_low < 0: nothing yet */
    bool bad;
};

/* Text with & < > " ' made harmless. */
void tw_report_escape(FILE *to, const char *text);
/* The background of a phase; the same name has the same colour in a page. */
const char *tw_report_phase_color(const tw_report *report, const char *name);
/* All charts and the strip of phases. */
void tw_report_draw(const tw_report *report, FILE *to);

#endif
