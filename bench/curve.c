/* curve -- lines over an axis, as SVG by hand. Called by bench_ledger.c; one panel a curve, two in
 * a row. */
#include "bench_ledger.h"

#include <math.h>
#include <stdio.h>

enum { PANEL_WIDTH = 460, PANEL_HEIGHT = 300, LEFT = 84, RIGHT = 24, TOP = 56, BOTTOM = 52 };

typedef struct frame {
    double x, y;               /* of the panel */
    double low, high, highest; /* of the axes: x from low to high, y from 0 to highest */
    bool log_x;
} frame;

static double scale_x(const frame *f, double x)
{
    const double low = f->log_x ? log10(f->low) : f->low;
    const double high = f->log_x ? log10(f->high) : f->high;
    const double share = high > low ? ((f->log_x ? log10(x) : x) - low) / (high - low) : 0.5;
    return f->x + LEFT + share * (PANEL_WIDTH - LEFT - RIGHT);
}

static double scale_y(const frame *f, double y)
{
    return f->y + PANEL_HEIGHT - BOTTOM - y / f->highest * (PANEL_HEIGHT - TOP - BOTTOM);
}

/* The next number of 1, 2 or 5 and zeros. */
static double rounded_up(double y)
{
    double step = pow(10, floor(log10(y)));
    if (y > 5 * step) return 10 * step;
    if (y > 2 * step) return 5 * step;
    return y > step ? 2 * step : step;
}

static void number_text(double n, char ret_text[24])
{
    if (n >= 1e6) {
        snprintf(ret_text, 24, "%gM", n / 1e6);
    } else if (n >= 1e3) {
        snprintf(ret_text, 24, "%gk", n / 1e3);
    } else {
        snprintf(ret_text, 24, "%g", n);
    }
}

static frame frame_of(const curve *c, uint32_t index)
{
    frame f = {.x = (double)(index % 2) * PANEL_WIDTH,
               .y = (double)(index / 2) * PANEL_HEIGHT,
               .low = c->at[0][0][0],
               .high = c->at[0][0][0],
               .log_x = c->log_x};
    double most = 0;
    for (uint32_t l = 0; l < c->lines; l++) {
        for (uint32_t i = 0; i < c->counts[l]; i++) {
            const double *at = c->at[l][i];
            f.low = at[0] < f.low ? at[0] : f.low;
            f.high = at[0] > f.high ? at[0] : f.high;
            most = at[1] > most ? at[1] : most;
        }
    }
    f.highest = most > 0 ? rounded_up(most) : 1;
    return f;
}

static void draw_axes(FILE *file, const curve *c, const frame *f)
{
    char text[24];
    fprintf(file, "<text x='%.0f' y='%.0f' font-size='14' font-weight='bold'>%s</text>\n",
            f->x + 16, f->y + 22, c->title);
    fprintf(file, "<text x='%.0f' y='%.0f' fill='#555'>%s</text>\n", f->x + 16, f->y + 40, c->y);
    fprintf(file, "<text x='%.0f' y='%.0f' text-anchor='end' fill='#555'>%s</text>\n",
            f->x + PANEL_WIDTH - RIGHT, f->y + PANEL_HEIGHT - 12, c->x);
    for (int i = 0; i <= 4; i++) {
        const double y = f->highest * i / 4;
        number_text(y, text);
        fprintf(file, "<line x1='%.0f' y1='%.1f' x2='%.0f' y2='%.1f' stroke='#ddd'/>\n",
                f->x + LEFT, scale_y(f, y), f->x + PANEL_WIDTH - RIGHT, scale_y(f, y));
        fprintf(file, "<text x='%.0f' y='%.1f' text-anchor='end' fill='#555'>%s</text>\n",
                f->x + LEFT - 8, scale_y(f, y) + 4, text);
    }
    for (uint32_t i = 0; i < c->counts[0]; i++) {
        if (i % (1 + c->counts[0] / 6) != 0) continue;
        number_text(c->at[0][i][0], text);
        fprintf(file, "<text x='%.1f' y='%.0f' text-anchor='middle' fill='#555'>%s</text>\n",
                scale_x(f, c->at[0][i][0]), f->y + PANEL_HEIGHT - BOTTOM + 18, text);
    }
}

static void draw_lines(FILE *file, const curve *c, const frame *f)
{
    static const char *const colors[CURVE_LINES] = {"#d1400f", "#0072b2", "#2a8c4a", "#6a3fb5"};
    for (uint32_t l = 0; l < c->lines; l++) {
        fprintf(file, "<polyline fill='none' stroke='%s' stroke-width='2' points='", colors[l]);
        for (uint32_t i = 0; i < c->counts[l]; i++) {
            fprintf(file, "%.1f,%.1f ", scale_x(f, c->at[l][i][0]), scale_y(f, c->at[l][i][1]));
        }
        fprintf(file, "'/>\n");
        for (uint32_t i = 0; i < c->counts[l]; i++) {
            fprintf(file, "<circle cx='%.1f' cy='%.1f' r='3' fill='%s'/>\n",
                    scale_x(f, c->at[l][i][0]), scale_y(f, c->at[l][i][1]), colors[l]);
        }
        fprintf(file, "<text x='%.0f' y='%.0f' fill='%s'>%s</text>\n", f->x + LEFT + 8 + 120 * l,
                f->y + TOP + 2, colors[l], c->names[l]);
    }
}

bool curve_write(const curve *curves, uint32_t count, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) return false;
    fprintf(file,
            "<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%u' "
            "font-family='sans-serif' font-size='12'>\n"
            "<rect width='100%%' height='100%%' fill='white'/>\n",
            2 * PANEL_WIDTH, (count + 1) / 2 * PANEL_HEIGHT);
    for (uint32_t i = 0; i < count; i++) {
        if (curves[i].lines == 0) continue;
        const frame f = frame_of(&curves[i], i);
        draw_axes(file, &curves[i], &f);
        draw_lines(file, &curves[i], &f);
    }
    fprintf(file, "</svg>\n");
    return fclose(file) == 0;
}
