/* plan_fuzz -- what a fuzz test draws from: the numbers and texts of the contract, and who is meant
 * to call which action. Called by plan.c; the drawing itself is the runner's.
 *
 * A literal of the contract is where its behaviour changes, so each is an edge, once. Their number
 * is limited; the first ones on the page count. */
#include "compiler/plan.h"

#include <string.h>

enum { EDGES_MAX = 512, TEXTS_MAX = 64, TEXT_BYTES_MAX = 256 };

/* Edges and texts that were found so far. */
typedef struct finds {
    twc_gen *g;
    twc_edge *edges;
    const char **texts;
    uint32_t edge_count, text_count;
} finds;

static void add_edge(finds *f, twc_edge edge)
{
    for (uint32_t i = 0; i < f->edge_count; i++) {
        const twc_edge *e = &f->edges[i];
        if (e->quantity == edge.quantity && e->money == edge.money && e->value == edge.value) {
            return;
        }
    }
    if (f->edge_count < EDGES_MAX) f->edges[f->edge_count++] = edge;
}

static void add_text(finds *f, tw_bytes text)
{
    if (text.size > TEXT_BYTES_MAX || f->text_count == TEXTS_MAX) return;
    for (uint32_t i = 0; i < f->text_count; i++) {
        if (tw_bytes_equal(tw_bytes_of(f->texts[i], strlen(f->texts[i])), text)) return;
    }
    const char *copy = tw_arena_copy(f->g->arena, text.data, text.size);
    if (copy == NULL) {
        f->g->diags->out_of_memory = f->g->failed = true;
        return;
    }
    f->texts[f->text_count++] = copy;
}

static void note(finds *f, const twc_expr *expr)
{
    if (expr->kind == TWC_E_TEXT) add_text(f, expr->u.text);
    if (!expr->constant) return;
    if (expr->type->kind == TWC_TYPE_NUMBER) {
        add_edge(f, (twc_edge){(uint8_t)expr->type->dimension, 0, expr->value});
    } else if (expr->type->kind == TWC_TYPE_MONEY) {
        const uint16_t type = twc_gen_type_find(f->g, expr->type);
        if (type == TW_NONE) return;
        add_edge(f, (twc_edge){0, f->g->m->types[type].of, expr->value});
    }
}

static void see(finds *f, const twc_expr *expr);

static void note_expr(void *data, const twc_expr *expr)
{
    finds *f = data;
    note(f, expr);
    if (expr->kind != TWC_E_HOLD) return;
    see(f, expr->u.hold.low); /* levels are not walked as parts: no code computes them */
    see(f, expr->u.hold.high);
}

static void see(finds *f, const twc_expr *expr)
{
    const twc_visit visit = {.expr = note_expr, .data = f};
    twc_walk_expr(&visit, expr);
}

static void see_entry(finds *f, const twc_entry *entry)
{
    const twc_visit visit = {.expr = note_expr, .data = f};
    see(f, entry->delay);
    see(f, entry->receives);
    twc_walk_stmts(&visit, entry->needs);
    twc_walk_block(&visit, &entry->body);
}

static void see_member(finds *f, const twc_decl *d)
{
    const twc_decl_kind kind = d->kind;
    if (kind == TWC_D_PARAM) {
        see(f, d->u.value.low);
        see(f, d->u.value.high);
        see(f, d->u.value.value);
    } else if (kind == TWC_D_VAR || kind == TWC_D_CHECK || kind == TWC_D_INVARIANT) {
        see(f, d->u.value.value);
    } else if (kind == TWC_D_READING) {
        see(f, d->u.reading.low);
        see(f, d->u.reading.high);
        see(f, d->u.reading.rate_period);
        see(f, d->u.reading.max_age);
        see(f, d->u.reading.gap);
    } else if (kind == TWC_D_ALARM) {
        see(f, d->u.alarm.raise);
        see(f, d->u.alarm.clear);
    } else if (kind == TWC_D_PURSE) {
        see(f, d->u.purse.falls_after);
    } else if (twc_gen_has_entry(kind)) {
        see_entry(f, d->u.entry);
    }
}

static uint64_t roles_of(const twc_who *who)
{
    uint64_t roles = 0;
    for (; who != NULL; who = who->next) {
        if (who->role != NULL) roles |= (uint64_t)1 << who->role->index;
    }
    return roles;
}

/* The role by whose name the parameter's type is written, or TWC_NO_ROLE. */
static uint16_t role_of(const twc_gen *g, const twc_decl *param)
{
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_ROLE && d->word == param->type_name->word) return (uint16_t)d->index;
    }
    return TWC_NO_ROLE;
}

static void plan_action(finds *f, const twc_entry *entry, twc_fuzz_action *action)
{
    uint16_t *roles = TW_NEW_ARRAY(f->g->arena, uint16_t, entry->param_count);
    if (roles == NULL) {
        f->g->diags->out_of_memory = f->g->failed = true;
        return;
    }
    *action = (twc_fuzz_action){.entry = entry->number,
                                .callers = roles_of(entry->by),
                                .others = roles_of(entry->with),
                                .quorum_role = TWC_NO_ROLE,
                                .quorum = entry->signed_count,
                                .roles = roles};
    if (entry->signed_role != NULL) action->quorum_role = (uint16_t)entry->signed_role->index;
    uint32_t i = 0;
    for (const twc_decl *p = entry->params; p != NULL && i < entry->param_count; p = p->next) {
        roles[i++] = role_of(f->g, p);
    }
}

static uint32_t count_start(const twc_decl *test)
{
    uint32_t count = 0;
    for (const twc_tstmt *s = test->u.test.body; s != NULL && s->kind != TWC_T_EXPECT;
         s = s->next) {
        count++;
    }
    return count;
}

const twc_fuzz *twc_plan_fuzz(twc_gen *g, const twc_decl *test)
{
    uint32_t actions = 0;
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        actions += d->kind == TWC_D_ACTION;
    }
    twc_fuzz *fuzz = TW_NEW(g->arena, twc_fuzz);
    finds f = {.g = g,
               .edges = TW_NEW_ARRAY(g->arena, twc_edge, EDGES_MAX),
               .texts = TW_NEW_ARRAY(g->arena, const char *, TEXTS_MAX)};
    twc_fuzz_action *list = TW_NEW_ARRAY(g->arena, twc_fuzz_action, actions);
    if (fuzz == NULL || f.edges == NULL || f.texts == NULL || list == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return NULL;
    }
    fuzz->runs = test->u.test.runs;
    fuzz->steps = test->u.test.steps;
    fuzz->start_count = count_start(test);
    fuzz->actions = list;
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        see_member(&f, d);
        if (d->kind == TWC_D_ACTION) plan_action(&f, d->u.entry, &list[fuzz->action_count++]);
    }
    fuzz->edges = f.edges;
    fuzz->edge_count = f.edge_count;
    fuzz->texts = f.texts;
    fuzz->text_count = f.text_count;
    return fuzz;
}
