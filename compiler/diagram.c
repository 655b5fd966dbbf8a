/* diagram -- the phases of a contract as a picture: boxes in columns by how many steps they are
 * from the first phase, an arrow for each that is declared. */
#include "compiler/explain.h"

#include "compiler/gen.h"

#include <stdio.h>
#include <string.h>

enum {
    BOX_WIDTH = 132,
    BOX_HEIGHT = 36,
    COLUMN = 220,
    ROW = 76,
    MARGIN = 30,
    TOP = 40, /* room for bows */
    CAUSES_SIZE_MAX = 160,
};

typedef struct place {
    uint32_t column, row;
} place;

/* ------------------------------------------------------------------ what leads where */

typedef struct search {
    const twc_decl *to;
    bool found;
} search;

static void note_go(void *data, const twc_stmt *stmt)
{
    search *s = data;
    s->found = s->found || (stmt->kind == TWC_S_GO && stmt->u.go.phase == s->to);
}

static const char *cause_name(const twc_decl *d)
{
    const bool alarm = d->kind == TWC_D_RAISED || d->kind == TWC_D_CLEARED;
    if (d->kind == TWC_D_ACTION) return d->word->text;
    if (alarm || d->kind == TWC_D_SILENT) return d->u.entry->subject->word->text;
    return d->kind == TWC_D_EVERY ? "every" : "time";
}

/* The entries that go from one phase to the other, by name. */
static void causes(const twc_contract *contract, const twc_decl *from, const twc_decl *to,
                   char ret_text[CAUSES_SIZE_MAX])
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        const bool entry =
            d->kind == TWC_D_ACTION || (d->kind >= TWC_D_RAISED && d->kind <= TWC_D_AFTER);
        if (!entry || (d->u.entry->phases >> from->index & 1) == 0) continue;
        search s = {to, false};
        const twc_visit visit = {.stmt = note_go, .data = &s};
        twc_walk_block(&visit, &d->u.entry->body);
        if (!s.found || used + strlen(cause_name(d)) + 3 > CAUSES_SIZE_MAX) continue;
        used += (size_t)snprintf(ret_text + used, CAUSES_SIZE_MAX - used, "%s%s",
                                 used > 0 ? ", " : "", cause_name(d));
    }
}

void twc_explain_dot(const twc_contract *contract, tw_writer *w)
{
    char text[CAUSES_SIZE_MAX];
    tw_print(w, "digraph %s {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n",
             contract->word->text);
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        if (p->word == NULL) continue;
        tw_print(w, "  %s%s;\n", p->word->text,
                 p->index == 0            ? " [penwidth=2]"
                 : p->u.phase.arrows == 0 ? " [peripheries=2]"
                                          : "");
        for (const twc_decl *to = contract->phases; to != NULL; to = to->next_same) {
            if ((p->u.phase.arrows >> to->index & 1) == 0) continue;
            causes(contract, p, to, text);
            tw_print(w, "  %s -> %s [label=\"%s\"];\n", p->word->text, to->word->text, text);
        }
    }
    tw_print(w, "}\n");
}

/* ------------------------------------------------------------------ the picture */

/* Columns by the least number of steps from the start, those that end it behind all others; rows in
 * the order of the page. */
static void arrange(const twc_contract *contract, place places[TW_PHASES_MAX],
                    uint32_t *ret_columns, uint32_t *ret_rows)
{
    uint32_t filled[TW_PHASES_MAX + 1] = {0};
    for (uint32_t i = 0; i < TW_PHASES_MAX; i++) places[i].column = TW_PHASES_MAX;
    places[0].column = 0;
    for (uint32_t round = 0; round < contract->phase_count; round++) {
        for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
            if (places[p->index].column != round) continue;
            for (uint32_t to = 0; to < contract->phase_count; to++) {
                const bool arrow = (p->u.phase.arrows >> to & 1) != 0;
                if (arrow && places[to].column > round + 1) places[to].column = round + 1;
            }
        }
    }
    uint32_t last = 0;
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        const bool live = p->u.phase.arrows != 0;
        if (live && places[p->index].column > last) last = places[p->index].column;
    }
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        if (p->u.phase.arrows == 0 && contract->phase_count > 1) places[p->index].column = last + 1;
    }
    *ret_columns = *ret_rows = 1;
    for (uint32_t i = 0; i < contract->phase_count; i++) {
        places[i].row = filled[places[i].column]++;
        if (places[i].row >= *ret_rows) *ret_rows = places[i].row + 1;
        if (places[i].column >= *ret_columns) *ret_columns = places[i].column + 1;
    }
}

static int box_x(place p)
{
    return MARGIN + (int)p.column * COLUMN;
}

static int box_y(place p)
{
    return MARGIN + TOP + (int)p.row * ROW;
}

/* To the next column from the right side to the left one. Further on below the boxes, and back
 * above them, in a bow that is higher the further it goes; in one column from side to side. */
static void draw_arrow(place a, place b, const char *label, tw_writer *w)
{
    const int steps = (int)b.column - (int)a.column;
    const bool forward = steps == 1 || (steps > 1 && a.row != b.row);
    const bool below = steps > 1 && !forward;
    const bool back = steps < 0;
    const int bow = back ? -22 + 10 * steps : below ? 16 + 10 * steps : 0;
    const int from = back || (steps == 0 && b.row < a.row) ? 0 : BOX_HEIGHT;
    const int to = back || (steps == 0 && b.row > a.row) ? 0 : BOX_HEIGHT;
    const int aside = back ? 10 : below ? -10 : 0; /* so that arrows don't end in one point */
    const int x1 = box_x(a) + (forward ? BOX_WIDTH : BOX_WIDTH / 2 - aside);
    const int y1 = box_y(a) + (forward ? BOX_HEIGHT / 2 : from);
    const int x2 = box_x(b) + (forward ? 0 : BOX_WIDTH / 2 + aside);
    const int y2 = box_y(b) + (forward ? BOX_HEIGHT / 2 : to);
    const int middle = x1 + (x2 - x1) / 2;
    tw_print(w,
             "<path d=\"M%d %d C%d %d %d %d %d %d\" fill=\"none\" stroke=\"#567\" "
             "marker-end=\"url(#tip)\"/>\n",
             x1, y1, forward ? middle : x1, y1 + bow, forward ? middle : x2, y2 + bow, x2, y2);
    if (label[0] == '\0') return;
    tw_print(w,
             "<text x=\"%d\" y=\"%d\" font-size=\"10\" fill=\"#345\" text-anchor=\"middle\" "
             "stroke=\"#fff\" stroke-width=\"3\" paint-order=\"stroke\">%s</text>\n",
             (x1 + x2) / 2, (y1 + y2) / 2 + (bow != 0 ? 3 * bow / 4 + 3 : -4), label);
}

static void draw_box(const twc_decl *phase, place at, tw_writer *w)
{
    const bool final = phase->u.phase.arrows == 0;
    tw_print(
        w,
        "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"%s\" stroke=\"#234\" "
        "stroke-width=\"%d\"/>\n",
        box_x(at), box_y(at), BOX_WIDTH, BOX_HEIGHT, final ? "#e4e7ea" : "#f4f9ff",
        phase->index == 0 ? 2 : 1);
    tw_print(w, "<text x=\"%d\" y=\"%d\" font-size=\"13\" text-anchor=\"middle\">%s</text>\n",
             box_x(at) + BOX_WIDTH / 2, box_y(at) + BOX_HEIGHT / 2 + 5, phase->word->text);
}

void twc_explain_svg(const twc_contract *contract, tw_writer *w)
{
    place places[TW_PHASES_MAX];
    uint32_t columns = 0;
    uint32_t rows = 0;
    char text[CAUSES_SIZE_MAX];
    arrange(contract, places, &columns, &rows);
    const int width = 2 * MARGIN + (int)(columns - 1) * COLUMN + BOX_WIDTH;
    const int height = 2 * MARGIN + 2 * TOP + (int)(rows - 1) * ROW + BOX_HEIGHT;
    tw_print(w,
             "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
             "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n<title>%s version %u</title>\n"
             "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
             width, height, width, height, contract->word->text, contract->version);
    tw_print(w,
             "<defs><marker id=\"tip\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" "
             "orient=\"auto\"><path d=\"M0 0 L8 4 L0 8 z\" fill=\"#567\"/></marker></defs>\n");
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        for (const twc_decl *to = contract->phases; to != NULL; to = to->next_same) {
            if ((p->u.phase.arrows >> to->index & 1) == 0) continue;
            causes(contract, p, to, text);
            draw_arrow(places[p->index], places[to->index], text, w);
        }
    }
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        if (p->word != NULL) draw_box(p, places[p->index], w);
    }
    tw_print(w, "</svg>\n");
}
