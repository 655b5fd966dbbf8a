/* plot -- the table of bench.c as a picture: SVG, by hand, nothing to be loaded.
 *
 * Called by bench.c for --plot. One row a workload, one line in it an engine, a point where its
 * median is on a logarithmic axis of time: so equal distances are equal ratios, and the line from
 * the point of plain C to another's is the ratio between them.
 */
#include "bench.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum {
    LEFT = 210, /* where the axis begins */
    RIGHT = 160,
    WIDTH = 1000,
    TOP = 64,
    LINE = 17,
    GAP = 26,
    FIRST_DECADE = 0, /* 10^0 ns */
    LAST_DECADE = 6,  /* 1 ms */
};

static double place(double ns)
{
    const double share = (log10(ns) - FIRST_DECADE) / (LAST_DECADE - FIRST_DECADE);
    return LEFT + (WIDTH - LEFT - RIGHT) * (share < 0 ? 0 : share > 1 ? 1 : share);
}

static void time_text(double ns, char ret_text[32])
{
    if (ns < 100) {
        snprintf(ret_text, 32, "%.1f ns", ns);
    } else if (ns < 10000) {
        snprintf(ret_text, 32, "%.0f ns", ns);
    } else {
        snprintf(ret_text, 32, "%.1f µs", ns / 1000);
    }
}

static bool any(const bench_report *r, int id)
{
    for (uint32_t e = 0; e < r->engine_count; e++) {
        if (r->results[id][e].measured) return true;
    }
    return false;
}

static uint32_t lines_of(const bench_report *r, int id)
{
    uint32_t lines = 0;
    for (uint32_t e = 0; e < r->engine_count; e++) lines += r->results[id][e].measured;
    return lines;
}

static uint32_t height_of(const bench_report *r)
{
    uint32_t height = TOP + GAP;
    for (int id = 0; id < BENCH_COUNT; id++) {
        if (any(r, id)) height += lines_of(r, id) * LINE + GAP;
    }
    return height;
}

static void draw_axis(FILE *file, uint32_t height)
{
    static const char *const names[] = {"1 ns",  "10 ns",  "100 ns", "1 µs",
                                        "10 µs", "100 µs", "1 ms"};
    for (int decade = FIRST_DECADE; decade <= LAST_DECADE; decade++) {
        const double x = place(pow(10, decade));
        fprintf(file, "<line x1='%.1f' y1='%d' x2='%.1f' y2='%u' stroke='#ddd'/>\n", x, TOP - 8, x,
                height - GAP);
        fprintf(file, "<text x='%.1f' y='%d' text-anchor='middle' fill='#555'>%s</text>\n", x,
                TOP - 14, names[decade - FIRST_DECADE]);
    }
}

static void draw_engine(FILE *file, const bench_report *r, int id, uint32_t engine, double y)
{
    static const char *const colors[BENCH_ENGINES_MAX] = {
        "#444444", "#888888", "#d1400f", "#6a3fb5", "#0072b2", "#56a3d9", "#2a8c4a", "#b58a00"};
    const bench_result *own = &r->results[id][engine];
    const bench_result *base = &r->results[id][r->reference];
    const double ns = (double)own->median_ps / 1000;
    char text[32];
    time_text(ns, text);
    fprintf(file, "<text x='%d' y='%.1f' text-anchor='end' fill='%s'>%s</text>\n", LEFT - 10, y + 4,
            colors[engine], r->engines[engine].name);
    if (base->measured) {
        fprintf(file,
                "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s' stroke-width='2'/>\n",
                place((double)base->median_ps / 1000), y, place(ns), y, colors[engine]);
    }
    fprintf(file, "<circle cx='%.1f' cy='%.1f' r='5' fill='%s'/>\n", place(ns), y, colors[engine]);
    fprintf(file, "<text x='%d' y='%.1f' fill='#222'>%s", WIDTH - RIGHT + 14, y + 4, text);
    if (base->measured && base->median_ps > 0 && engine != r->reference) {
        fprintf(file, " · %.2f×", (double)own->median_ps / (double)base->median_ps);
    }
    fprintf(file, "</text>\n");
}

bool bench_plot(const bench_report *r, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return false;
    const uint32_t height = height_of(r);
    fprintf(file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%" PRIu32
            "' font-family='sans-serif' font-size='12'>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n"
            "<text x='16' y='26' font-size='16'>Time for one unit of each workload, median; "
            "ratios to %s</text>\n",
            WIDTH, height, r->engines[r->reference].name);
    draw_axis(file, height);
    double y = TOP + 10;
    for (int id = 0; id < BENCH_COUNT; id++) {
        if (!any(r, id)) continue;
        fprintf(file, "<text x='16' y='%.1f' font-weight='bold'>(%c) %s</text>\n", y + 4,
                bench_letter((bench_id)id), bench_name((bench_id)id));
        fprintf(file, "<text x='16' y='%.1f' fill='#555'>%s</text>\n", y + 20,
                bench_unit((bench_id)id));
        for (uint32_t e = 0; e < r->engine_count; e++) {
            if (!r->results[id][e].measured) continue;
            draw_engine(file, r, id, e, y);
            y += LINE;
        }
        y += GAP;
    }
    fprintf(file, "</svg>\n");
    return fclose(file) == 0;
}
