/* report -- one HTML page about what a contract saw and did: readings, limits, alarms, phases and
 * events over time, and a table of what happened in the contract's words.
 *
 * Filled by `feed` and the demo while blocks are made, then written once. The page needs no other
 * file: styles and charts (SVG) stand in it. All text is escaped. Memory is bounded: a series keeps
 * the smallest and largest reading of at most 4096 spans of time, which grow with the time covered.
 * A call that finds no memory latches that, and the writing fails.
 */
#ifndef TW_RUNNER_REPORT_H
#define TW_RUNNER_REPORT_H

#include "vm/base/quantities.h"

typedef struct tw_report tw_report;

tw_report *tw_report_new(const char *title); /* NULL without memory */
void tw_report_free(tw_report *report);      /* NULL is allowed */

/* A line of facts under the title: "readings: 9,380 accepted, 3 refused". */
void tw_report_fact(tw_report *report, const char *name, const char *text);

/* A chart of its own; charts stand in the order of these calls. A pause longer than `gap` ms is
 * shown as one. Returns the series' number, at most TW_REPORT_SERIES_MAX are kept. */
enum { TW_REPORT_SERIES_MAX = 64 };
uint32_t tw_report_series(tw_report *report, const char *name, tw_dimension dimension, int64_t gap);
/* Times of a series do not go back. */
void tw_report_point(tw_report *report, uint32_t series, int64_t time, int64_t value);
void tw_report_limit(tw_report *report, uint32_t series, const char *label, int64_t value);

void tw_report_alarm(tw_report *report, const char *name, int64_t time, bool up);
void tw_report_phase(tw_report *report, const char *name, int64_t time); /* enters it */
/* A span of time that somebody else knows of, e.g. a label in the data: to compare with. */
void tw_report_mark(tw_report *report, const char *label, int64_t from, int64_t to);
/* `kind` is a word for the table: "event", "history", "timer failed". */
void tw_report_event(tw_report *report, int64_t time, const char *kind, const char *name,
                     const char *details);

/* Writes the page whole or not at all. `end` closes what is still open: the time of the last
 * block. */
TW_MUST_USE tw_status tw_report_write(tw_report *report, int64_t end, const char *path,
                                      tw_err *err);

/* The same with a section for each of several reports, under a title of their own. */
TW_MUST_USE tw_status tw_report_write_all(const char *title, tw_report *const *reports,
                                          uint32_t count, int64_t end, const char *path,
                                          tw_err *err);

#endif
