/* report_chart -- the charts of a report as SVG, in integer arithmetic: x and y are tenths of a
 * unit of the drawing, printed as decimals.
 *
 * One frame a series, one above the other over the same time; behind each the alarms as bands, in
 * each its limits as dashed lines; below the last the strip of phases and the axis of time.
 */
#include "vm/runner/report_parts.h"

#include "vm/base/math.h"
#include "vm/runner/times.h"

#include <string.h>

enum {
    WIDTH = 10400,
    LEFT = 740,
    RIGHT = 10300,
    CHART_HEIGHT = 2000,
    CHART_GAP = 420, /* its title stands in it */
    STRIP_HEIGHT = 260,
    MARKS_MAX = 400,
};

typedef struct scale {
    int64_t low, high; /* values or times; low < high */
    int64_t from, to;  /* tenths of a unit: of low and high */
} scale;

/* Where a value falls; the product fits 128 bits. */
static int64_t place(const scale *s, int64_t value)
{
    const tw_int128 part = (tw_int128)value - s->low;
    return s->from + (int64_t)(part * (s->to - s->from) / ((tw_int128)s->high - s->low));
}

static void put(FILE *to, int64_t tenths)
{
    fprintf(to, "%lld.%lld", (long long)(tenths / 10), (long long)(tenths % 10));
}

const char *tw_report_phase_color(const tw_report *report, const char *name)
{
    static const char *const colors[] = {"#d8ead9", "#fde3b4", "#cfe0f5", "#e6d8f2",
                                         "#f6d2cf", "#d5ecec", "#e3e6ea", "#efe9c9"};
    enum { COLORS = sizeof colors / sizeof colors[0] };
    const char *seen[COLORS];
    uint32_t count = 0;
    for (const report_span *s = report->phases; s != NULL && count < COLORS; s = s->next) {
        bool known = false;
        for (uint32_t i = 0; i < count && !known; i++) known = strcmp(seen[i], s->name) == 0;
        if (!known) seen[count++] = s->name;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(seen[i], name) == 0) return colors[i];
    }
    return colors[COLORS - 1];
}

static void line(FILE *to, int64_t x1, int64_t y1, int64_t x2, int64_t y2, const char *style)
{
    fputs("<path d=\"M", to);
    put(to, x1);
    fputc(' ', to);
    put(to, y1);
    fputc('L', to);
    put(to, x2);
    fputc(' ', to);
    put(to, y2);
    fprintf(to, "\" %s/>\n", style);
}

static void box(FILE *to, int64_t x, int64_t y, int64_t width, int64_t height, const char *fill,
                const char *style)
{
    fputs("<rect x=\"", to);
    put(to, x);
    fputs("\" y=\"", to);
    put(to, y);
    fputs("\" width=\"", to);
    put(to, width > 10 ? width : 10);
    fputs("\" height=\"", to);
    put(to, height);
    fprintf(to, "\" fill=\"%s\" %s>", fill, style);
}

static void text(FILE *to, int64_t x, int64_t y, const char *style, const char *content)
{
    fputs("<text x=\"", to);
    put(to, x);
    fputs("\" y=\"", to);
    put(to, y);
    fprintf(to, "\" %s>", style);
    tw_report_escape(to, content);
    fputs("</text>\n", to);
}

/* ---- one series ---- */

/* Readings and limits, with a margin; never empty. */
static void value_range(const report_series *s, int64_t *ret_low, int64_t *ret_high)
{
    bool any = false;
    int64_t low = 0, high = 0;
    for (int i = 0; i < REPORT_BUCKETS && s->count > 0; i++) {
        const report_bucket *b = &s->buckets[i];
        if (b->time_first < 0) continue;
        if (!any || b->low < low) low = b->low;
        if (!any || b->high > high) high = b->high;
        any = true;
    }
    for (const report_limit *l = s->limits; l != NULL; l = l->next) {
        if (!any || l->value < low) low = l->value;
        if (!any || l->value > high) high = l->value;
        any = true;
    }
    const int64_t margin = (high - low) / 16 + 1;
    *ret_low = low - margin;
    *ret_high = high + margin;
}

/* Steps of 1, 2 or 5 times a power of ten of the unit shown, at most eight in the range. */
static int64_t value_step(int64_t range, const tw_unit *unit)
{
    int64_t step = unit != NULL ? unit->multiplier : 1;
    while (step % 10 == 0) step /= 10;
    static const uint8_t factors[] = {1, 2, 5};
    for (;; step *= 10) {
        for (int i = 0; i < 3; i++) {
            if (step > range || range / (step * factors[i]) < 8) return step * factors[i];
        }
    }
}

static void draw_values(const report_series *s, const scale *y, FILE *to)
{
    const tw_unit *unit = tw_dim_unit(s->dimension);
    const int64_t offset = unit != NULL ? unit->offset : 0;
    const int64_t step = value_step(y->high - y->low, unit);
    int64_t at = (y->low - offset) / step * step + offset;
    while (at < y->low) at += step;
    for (; at <= y->high; at += step) {
        char label[TW_QUANTITY_TEXT_MAX];
        tw_quantity_print(at, s->dimension, label);
        char *space = strchr(label, ' ');
        if (space != NULL) *space = '\0'; /* the unit stands in the title */
        line(to, LEFT, place(y, at), RIGHT, place(y, at), "stroke=\"#e9ecef\" fill=\"none\"");
        text(to, LEFT - 60, place(y, at) + 40, "text-anchor=\"end\" fill=\"#616e7c\"", label);
    }
}

/* A line through the buckets; each spans its smallest and largest reading. */
static void draw_line(const report_series *s, const scale *x, const scale *y, FILE *to)
{
    int64_t last_time = -1;
    fputs("<path fill=\"none\" stroke=\"#1c5d99\" stroke-width=\"1.3\" stroke-linejoin=\"round\" "
          "stroke-linecap=\"round\" d=\"",
          to);
    for (int i = 0; i < REPORT_BUCKETS && s->count > 0; i++) {
        const report_bucket *b = &s->buckets[i];
        if (b->time_first < 0) continue;
        const bool breaks = last_time < 0 || b->time_first - last_time > s->gap;
        const int64_t ends[] = {b->first, b->low, b->high, b->last};
        fputc(breaks ? 'M' : 'L', to);
        put(to, place(x, b->time_first));
        fputc(' ', to);
        put(to, place(y, b->first));
        for (int k = 1; k < 4; k++) {
            if (ends[k] == ends[k - 1]) continue;
            fputc('V', to);
            put(to, place(y, ends[k]));
        }
        if (breaks) fputs("h.1", to); /* so that a lone reading is seen */
        last_time = b->time_last;
    }
    fputs("\"/>\n", to);
}

static void draw_limits(const report_series *s, const scale *y, FILE *to)
{
    for (const report_limit *l = s->limits; l != NULL; l = l->next) {
        const int64_t at = place(y, l->value);
        line(to, LEFT, at, RIGHT, at, "stroke=\"#b54708\" stroke-dasharray=\"6 4\" fill=\"none\"");
        text(to, RIGHT - 40, at - 35, "text-anchor=\"end\" fill=\"#b54708\"", l->label);
    }
}

static void draw_spans(const tw_report *report, const report_span *spans, const scale *x,
                       int64_t top, const char *color, FILE *to)
{
    for (const report_span *a = spans; a != NULL; a = a->next) {
        const int64_t from = place(x, a->from);
        const int64_t until = place(x, a->to >= 0 ? a->to : report->time_high);
        box(to, from, top, until - from, CHART_HEIGHT, color, "fill-opacity=\".16\"");
        fputs("<title>", to);
        tw_report_escape(to, a->name);
        fputs("</title></rect>\n", to);
    }
}

static void draw_marks(const tw_report *report, const scale *x, int64_t top, FILE *to)
{
    uint32_t count = 0;
    for (const report_event *e = report->events; e != NULL && count < MARKS_MAX; e = e->next) {
        const int64_t at = place(x, e->time);
        fputs("<g>", to);
        line(to, at, top, at, top + CHART_HEIGHT,
             "stroke=\"#52606d\" stroke-width=\".8\" stroke-dasharray=\"1.5 2.5\" fill=\"none\"");
        fputs("<path d=\"M", to);
        put(to, at - 45);
        fputc(' ', to);
        put(to, top);
        fputs("h9l-4.5 7z\" fill=\"#323f4b\"/><title>", to);
        tw_report_escape(to, e->name);
        fputs(e->details[0] != '\0' ? ": " : "", to);
        tw_report_escape(to, e->details);
        fputs("</title></g>\n", to);
        count++;
    }
}

static void draw_series(const tw_report *report, const report_series *s, const scale *x,
                        int64_t top, FILE *to)
{
    scale y = {.from = top + CHART_HEIGHT, .to = top};
    const tw_unit *unit = tw_dim_unit(s->dimension);
    char title[200];
    value_range(s, &y.low, &y.high);
    snprintf(title, sizeof title, "%s%s%s", s->name, unit != NULL ? ", " : "",
             unit != NULL ? unit->spelling : "");
    text(to, LEFT, top - 90, "font-weight=\"600\" fill=\"#1f2933\"", title);
    draw_spans(report, report->alarms, x, top, "#d64545", to);
    draw_spans(report, report->marks, x, top, "#2186eb", to);
    draw_values(s, &y, to);
    draw_line(s, x, &y, to);
    draw_limits(s, &y, to);
    draw_marks(report, x, top, to);
    box(to, LEFT, top, RIGHT - LEFT, CHART_HEIGHT, "none", "stroke=\"#9aa5b1\"");
    fputs("</rect>\n", to);
}

/* ---- time and phases ---- */

static int64_t time_step(int64_t range)
{
    static const int32_t seconds[] = {1,      2,      5,       10,      15,      30,
                                      60,     120,    300,     600,     900,     1800,
                                      3600,   7200,   10800,   21600,   43200,   86400,
                                      172800, 604800, 1209600, 2592000, 7776000, 31536000};
    const size_t count = sizeof seconds / sizeof seconds[0];
    for (size_t i = 0; i < count; i++) {
        if (range / ((int64_t)seconds[i] * 1000) <= 9) return (int64_t)seconds[i] * 1000;
    }
    return range / 9 + 1;
}

static void draw_time(const scale *x, int64_t top, int64_t bottom, FILE *to)
{
    const int64_t step = time_step(x->high - x->low);
    const int64_t day = 86400000;
    int64_t last_day = -1;
    for (int64_t at = (x->low + step - 1) / step * step; at <= x->high; at += step) {
        char iso[TW_TIME_TEXT_MAX];
        tw_time_print(at, iso);
        char *clock = strchr(iso, 'T');
        if (clock == NULL) continue;
        *clock++ = '\0';
        clock[step < 60000 ? 8 : 5] = '\0';
        line(to, place(x, at), top, place(x, at), bottom,
             "stroke=\"#e9ecef\" fill=\"none\" stroke-width=\".8\"");
        if (step < day) {
            text(to, place(x, at), bottom + 160, "text-anchor=\"middle\" fill=\"#616e7c\"", clock);
        }
        if (step >= day || at / day != last_day) {
            text(to, place(x, at), bottom + (step < day ? 310 : 160),
                 "text-anchor=\"middle\" fill=\"#616e7c\"", iso);
        }
        last_day = at / day;
    }
}

static void draw_phases(const tw_report *report, const scale *x, int64_t top, FILE *to)
{
    for (const report_span *s = report->phases; s != NULL; s = s->next) {
        const int64_t from = place(x, s->from);
        const int64_t until = place(x, s->to >= 0 ? s->to : report->time_high);
        box(to, from, top, until - from, STRIP_HEIGHT, tw_report_phase_color(report, s->name),
            "stroke=\"#fff\" stroke-width=\".6\"");
        fputs("<title>", to);
        tw_report_escape(to, s->name);
        fputs("</title></rect>\n", to);
        /* about 7 units a letter */
        if (until - from > 75 * (int64_t)strlen(s->name) + 80) {
            text(to, (from + until) / 2, top + 170, "text-anchor=\"middle\" fill=\"#323f4b\"",
                 s->name);
        }
    }
    text(to, LEFT - 60, top + 170, "text-anchor=\"end\" fill=\"#616e7c\"", "phase");
}

void tw_report_draw(const tw_report *report, FILE *to)
{
    if (report->time_low < 0 || report->series_count == 0) return;
    const bool strip = report->phases != NULL && report->phases->name[0] != '\0';
    scale x = {report->time_low, report->time_high, LEFT, RIGHT};
    if (x.high <= x.low) x.high = x.low + 1000;
    const int64_t charts = report->series_count * (int64_t)(CHART_HEIGHT + CHART_GAP);
    const int64_t bottom = charts + (strip ? STRIP_HEIGHT + 120 : 0);
    fprintf(to,
            "<h3>Readings</h3>\n<svg viewBox=\"0 0 %d %lld\" role=\"img\" "
            "aria-label=\"readings over time\">\n",
            WIDTH / 10, (long long)(bottom + 400) / 10);
    draw_time(&x, CHART_GAP, bottom, to);
    for (uint32_t i = 0; i < report->series_count; i++) {
        draw_series(report, &report->series[i], &x,
                    CHART_GAP + i * (int64_t)(CHART_HEIGHT + CHART_GAP), to);
    }
    if (strip) draw_phases(report, &x, charts + 120, to);
    fprintf(
        to,
        "</svg>\n<p class=\"note\">Dashed: limits. Red: an alarm is up.%s Dotted, with a mark at "
        "the top: the contract said something; its words stand below.</p>\n",
        report->marks != NULL ? " Blue: marked beforehand." : "");
}
