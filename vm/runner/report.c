/* report -- see the header. Collects and writes the page; report_chart.c draws. */
#include "vm/runner/report.h"

#include "vm/runner/report_parts.h"
#include "vm/runner/times.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { REPORT_MEMORY_MAX = 256 * 1024 * 1024, EVENTS_SHOWN_MAX = 2000 };

tw_report *tw_report_new(const char *title)
{
    tw_report *report = tw_mem_new(sizeof *report);
    if (report == NULL) return NULL;
    report->arena = tw_arena_new(REPORT_MEMORY_MAX);
    report->time_low = -1;
    report->title =
        report->arena == NULL ? NULL : tw_arena_copy(report->arena, title, strlen(title));
    if (report->title != NULL) return report;
    tw_report_free(report);
    return NULL;
}

void tw_report_free(tw_report *report)
{
    if (report == NULL) return;
    tw_arena_free(report->arena);
    tw_mem_free(report);
}

static const char *keep(tw_report *report, const char *text)
{
    const char *copy = tw_arena_copy(report->arena, text, strlen(text));
    if (copy == NULL) report->bad = true;
    return copy;
}

static void widen(tw_report *report, int64_t time)
{
    if (report->time_low < 0 || time < report->time_low) report->time_low = time;
    if (time > report->time_high) report->time_high = time;
}

void tw_report_fact(tw_report *report, const char *name, const char *text)
{
    report_fact *fact = TW_NEW(report->arena, report_fact);
    if (fact == NULL) {
        report->bad = true;
        return;
    }
    *fact = (report_fact){NULL, keep(report, name), keep(report, text)};
    report_fact **end = &report->facts;
    while (*end != NULL) end = &(*end)->next;
    *end = fact;
}

/* ---- readings ---- */

uint32_t tw_report_series(tw_report *report, const char *name, tw_dimension dimension, int64_t gap)
{
    if (report->series_count == TW_REPORT_SERIES_MAX) return TW_REPORT_SERIES_MAX;
    report_series *s = &report->series[report->series_count];
    *s = (report_series){.name = keep(report, name), .dimension = dimension, .gap = gap};
    s->buckets = TW_NEW_ARRAY(report->arena, report_bucket, REPORT_BUCKETS);
    if (s->buckets == NULL) report->bad = true;
    return report->series_count++;
}

static void merge(report_bucket *into, const report_bucket *from)
{
    if (from->time_first < 0) return;
    if (into->time_first < 0) {
        *into = *from;
        return;
    }
    into->last = from->last;
    into->time_last = from->time_last;
    if (from->low < into->low) into->low = from->low;
    if (from->high > into->high) into->high = from->high;
}

/* Each two spans become one. */
static void halve(report_series *s)
{
    for (int i = 0; i < REPORT_BUCKETS / 2; i++) {
        report_bucket both = s->buckets[2 * i];
        merge(&both, &s->buckets[2 * i + 1]);
        s->buckets[i] = both;
    }
    for (int i = REPORT_BUCKETS / 2; i < REPORT_BUCKETS; i++) s->buckets[i].time_first = -1;
    s->span *= 2;
}

void tw_report_point(tw_report *report, uint32_t series, int64_t time, int64_t value)
{
    if (series >= report->series_count || report->bad) return;
    report_series *s = &report->series[series];
    if (s->count == 0) {
        s->start = time;
        s->span = 1000;
        for (int i = 0; i < REPORT_BUCKETS; i++) s->buckets[i].time_first = -1;
    }
    if (time < s->start) return;
    while ((time - s->start) / s->span >= REPORT_BUCKETS) halve(s);
    const report_bucket one = {time, time, value, value, value, value};
    merge(&s->buckets[(time - s->start) / s->span], &one);
    s->count++;
    widen(report, time);
}

void tw_report_limit(tw_report *report, uint32_t series, const char *label, int64_t value)
{
    if (series >= report->series_count) return;
    report_limit *limit = TW_NEW(report->arena, report_limit);
    if (limit == NULL) {
        report->bad = true;
        return;
    }
    *limit = (report_limit){NULL, keep(report, label), value};
    report_limit **end = &report->series[series].limits;
    while (*end != NULL) {
        if ((*end)->value == value && strcmp((*end)->label, label) == 0) return;
        end = &(*end)->next;
    }
    *end = limit;
}

/* ---- spans and events ---- */

static void open_span(tw_report *report, report_span **list, const char *name, int64_t time)
{
    report_span *span = TW_NEW(report->arena, report_span);
    if (span == NULL) {
        report->bad = true;
        return;
    }
    *span = (report_span){*list, keep(report, name), time, -1};
    *list = span; /* the newest first */
    widen(report, time);
}

void tw_report_alarm(tw_report *report, const char *name, int64_t time, bool up)
{
    for (report_span *s = report->alarms; s != NULL && !report->bad; s = s->next) {
        if (s->to >= 0 || strcmp(s->name, name) != 0) continue;
        if (!up) s->to = time;
        widen(report, time);
        return;
    }
    if (up) open_span(report, &report->alarms, name, time);
}

void tw_report_phase(tw_report *report, const char *name, int64_t time)
{
    report_span *now = report->phases;
    if (report->bad || (now != NULL && strcmp(now->name, name) == 0)) return;
    if (now != NULL) now->to = time;
    open_span(report, &report->phases, name, time);
}

void tw_report_mark(tw_report *report, const char *label, int64_t from, int64_t to)
{
    open_span(report, &report->marks, label, from);
    if (report->bad) return;
    report->marks->to = to;
    widen(report, to);
}

void tw_report_event(tw_report *report, int64_t time, const char *kind, const char *name,
                     const char *details)
{
    report_event *event = TW_NEW(report->arena, report_event);
    if (event == NULL) {
        report->bad = true;
        return;
    }
    *event = (report_event){report->events, time, keep(report, kind), keep(report, name),
                            keep(report, details)};
    report->events = event;
    report->event_count++;
    widen(report, time);
}

/* ---- the page ---- */

void tw_report_escape(FILE *to, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&': fputs("&amp;", to); break;
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '"': fputs("&quot;", to); break;
        case '\'': fputs("&#39;", to); break;
        default: fputc(*text, to);
        }
    }
}

static void write_head(const char *title, FILE *to)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          to);
    tw_report_escape(to, title);
    fputs("</title>\n<style>\n"
          "body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;background:#fff;max-width:1080px;"
          "margin:2em auto;padding:0 1em}\n"
          "h1{font-size:1.6em;margin:0 0 .6em}h2{font-size:1.3em;margin:2.2em 0 .4em;"
          "border-top:2px solid #e4e7eb;padding-top:.8em}h3{font-size:1.05em;margin:1.6em 0 .4em}\n"
          "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1.2em;margin:0}\n"
          "dt{color:#616e7c}dd{margin:0;overflow-wrap:anywhere}\n"
          "svg{width:100%;height:auto;display:block}svg text{font:12px system-ui,sans-serif}\n"
          "table{border-collapse:collapse;width:100%}\n"
          "th{text-align:left;color:#616e7c;font-weight:600}\n"
          "th,td{padding:.25em .8em .25em 0;border-bottom:1px solid #e4e7eb;vertical-align:top}\n"
          "td.time{white-space:nowrap;font-variant-numeric:tabular-nums}\n"
          "span.phase{padding:.05em .5em;border-radius:.3em}\n"
          "p.note{color:#616e7c;font-size:.9em}\n</style>\n</head>\n<body>\n<h1>",
          to);
    tw_report_escape(to, title);
    fputs("</h1>\n", to);
}

static void write_facts(const tw_report *report, FILE *to)
{
    fputs("<dl>\n", to);
    for (const report_fact *f = report->facts; f != NULL; f = f->next) {
        fputs("<dt>", to);
        tw_report_escape(to, f->name);
        fputs("</dt><dd>", to);
        tw_report_escape(to, f->text);
        fputs("</dd>\n", to);
    }
    fputs("</dl>\n", to);
}

static void write_time_cell(FILE *to, int64_t time)
{
    char text[TW_TIME_TEXT_MAX];
    fprintf(to, "<td class=\"time\">%s</td>", tw_time_print(time, text));
}

/* Spans and events are collected newest first; pages are read the other way. */
static report_span *reverse_spans(report_span *list)
{
    report_span *reversed = NULL;
    while (list != NULL) {
        report_span *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static report_event *reverse_events(report_event *list)
{
    report_event *reversed = NULL;
    while (list != NULL) {
        report_event *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

/* "3 h 22 min 5 s". */
static void print_lasted(int64_t ms, char ret_text[TW_QUANTITY_TEXT_MAX])
{
    const int64_t seconds = ms / 1000;
    int size = 0;
    ret_text[0] = '\0';
    const int64_t parts[3] = {seconds / 3600, seconds / 60 % 60, seconds % 60};
    static const char *const units[3] = {"h", "min", "s"};
    for (int i = 0; i < 3; i++) {
        if (parts[i] == 0 && (i < 2 || size > 0)) continue;
        size += snprintf(ret_text + size, (size_t)(TW_QUANTITY_TEXT_MAX - size), "%s%lld %s",
                         size > 0 ? " " : "", (long long)parts[i], units[i]);
    }
}

static void write_spans(const tw_report *report, FILE *to, const report_span *spans,
                        const char *title, const char *word, bool colored)
{
    if (spans == NULL) return;
    fprintf(to,
            "<h3>%s</h3>\n<table>\n<tr><th>%s</th><th>from</th><th>to</th><th>lasted</th></tr>\n",
            title, word);
    for (const report_span *s = spans; s != NULL; s = s->next) {
        char lasted[TW_QUANTITY_TEXT_MAX];
        fputs("<tr><td>", to);
        if (colored) {
            fprintf(to, "<span class=\"phase\" style=\"background:%s\">",
                    tw_report_phase_color(report, s->name));
        }
        tw_report_escape(to, s->name);
        fputs(colored ? "</span></td>" : "</td>", to);
        write_time_cell(to, s->from);
        if (s->to >= 0) {
            print_lasted(s->to - s->from, lasted);
            write_time_cell(to, s->to);
            fprintf(to, "<td>%s</td></tr>\n", lasted);
        } else {
            fputs("<td>still</td><td></td></tr>\n", to);
        }
    }
    fputs("</table>\n", to);
}

static void write_events(const tw_report *report, FILE *to)
{
    fputs("<h3>What happened</h3>\n", to);
    if (report->events == NULL) {
        fputs("<p>The contract said nothing: no event, no history.</p>\n", to);
        return;
    }
    fputs("<table>\n<tr><th>when</th><th>what</th><th></th><th>details</th></tr>\n", to);
    uint32_t count = 0;
    for (const report_event *e = report->events; e != NULL && count < EVENTS_SHOWN_MAX;
         e = e->next, count++) {
        fputs("<tr>", to);
        write_time_cell(to, e->time);
        fputs("<td><b>", to);
        tw_report_escape(to, e->name);
        fputs("</b></td><td>", to);
        tw_report_escape(to, e->kind);
        fputs("</td><td>", to);
        tw_report_escape(to, e->details);
        fputs("</td></tr>\n", to);
    }
    fputs("</table>\n", to);
    if (report->event_count > count) {
        fprintf(to, "<p class=\"note\">and %u more</p>\n", report->event_count - count);
    }
}

static void write_section(tw_report *report, int64_t end, bool titled, FILE *to)
{
    report->alarms = reverse_spans(report->alarms);
    report->phases = reverse_spans(report->phases);
    report->marks = reverse_spans(report->marks);
    report->events = reverse_events(report->events);
    if (report->time_low >= 0 && end > report->time_high) report->time_high = end;
    if (titled) {
        fputs("<h2>", to);
        tw_report_escape(to, report->title);
        fputs("</h2>\n", to);
    }
    write_facts(report, to);
    tw_report_draw(report, to);
    write_events(report, to);
    write_spans(report, to, report->alarms, "Alarms", "alarm", false);
    write_spans(report, to, report->phases, "Phases", "phase", true);
    write_spans(report, to, report->marks, "Marked beforehand", "mark", false);
}

static void write_page(const char *title, tw_report *const *reports, uint32_t count, int64_t end,
                       FILE *to)
{
    write_head(title, to);
    for (uint32_t i = 0; i < count; i++) write_section(reports[i], end, count > 1, to);
    fputs("<p class=\"note\">Times are UTC. A reading is shown when the contract has taken it "
          "in; where many fall on one point, the line spans the smallest and the largest. Made by "
          "twvm.</p>\n</body>\n</html>\n",
          to);
}

tw_status tw_report_write(tw_report *report, int64_t end, const char *path, tw_err *err)
{
    return tw_report_write_all(report->title, &report, 1, end, path, err);
}

tw_status tw_report_write_all(const char *title, tw_report *const *reports, uint32_t count,
                              int64_t end, const char *path, tw_err *err)
{
    char draft[4096];
    for (uint32_t i = 0; i < count; i++) {
        if (!reports[i]->bad) continue;
        return tw_err_set(err, TW_ERR_MEMORY, "%s: no memory for the report", path);
    }
    const int size = snprintf(draft, sizeof draft, "%s.%ld.part", path, (long)getpid());
    if (size < 0 || (size_t)size >= sizeof draft) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the report's path is too long");
    }
    errno = 0;
    FILE *to = fopen(draft, "wx");
    bool fine = to != NULL;
    if (fine) {
        write_page(title, reports, count, end, to);
        fine = ferror(to) == 0;
        fine = fclose(to) == 0 && fine;
    }
    fine = fine && rename(draft, path) == 0;
    if (fine) return TW_OK;
    const int reason = errno;
    if (to != NULL) unlink(draft);
    return tw_err_set(err, TW_ERR_IO, "%s: the report cannot be written: %s", path,
                      strerror(reason));
}
