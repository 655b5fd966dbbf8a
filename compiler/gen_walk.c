/* gen_walk -- looks through checked trees: which variables a body touches, whether it stops early.
 * Recursion is bounded by the heights that the parser allows. */
#include "compiler/gen.h"

static void walk_args(const twc_visit *visit, const twc_arg *args)
{
    for (; args != NULL; args = args->next) twc_walk_expr(visit, args->value);
}

static void walk_call(const twc_visit *visit, const twc_expr *expr)
{
    const twc_statistic *statistic = expr->u.call.statistic;
    if (expr->u.call.callee == TWC_CALL_STATISTIC && statistic != NULL) {
        twc_walk_expr(visit, statistic->over);
        twc_walk_expr(visit, statistic->percentile);
        return;
    }
    walk_args(visit, expr->u.call.args);
}

void twc_walk_expr(const twc_visit *visit, const twc_expr *expr)
{
    if (expr == NULL) return;
    if (visit->expr != NULL) visit->expr(visit->data, expr);
    switch (expr->kind) {
    case TWC_E_ERROR:
    case TWC_E_BOOL:
    case TWC_E_NUMBER:
    case TWC_E_TEXT:
    case TWC_E_NONE:
    case TWC_E_NAME:
    case TWC_E_ACTOR: break;
    case TWC_E_LIST:
        for (const twc_expr *e = expr->u.list.first; e != NULL; e = e->next) {
            twc_walk_expr(visit, e);
        }
        break;
    case TWC_E_FIELD: twc_walk_expr(visit, expr->u.field.object); break;
    case TWC_E_CALL: walk_call(visit, expr); break;
    case TWC_E_INDEX:
        twc_walk_expr(visit, expr->u.index.object);
        twc_walk_expr(visit, expr->u.index.index);
        break;
    case TWC_E_OF: twc_walk_expr(visit, expr->u.of.right); break;
    case TWC_E_NEGATE:
    case TWC_E_NOT: twc_walk_expr(visit, expr->u.one); break;
    case TWC_E_BINARY:
        twc_walk_expr(visit, expr->u.binary.left);
        twc_walk_expr(visit, expr->u.binary.right);
        break;
    case TWC_E_IS: twc_walk_expr(visit, expr->u.is.value); break;
    case TWC_E_HOLD: twc_walk_expr(visit, expr->u.hold.duration); break;
    case TWC_E_SILENT: twc_walk_expr(visit, expr->u.silent.duration); break;
    case TWC_E_RANGE:
        twc_walk_expr(visit, expr->u.range.value);
        twc_walk_expr(visit, expr->u.range.low);
        twc_walk_expr(visit, expr->u.range.high);
        break;
    case TWC_E_IN:
        twc_walk_expr(visit, expr->u.in.value);
        twc_walk_expr(visit, expr->u.in.set);
        break;
    case TWC_E_IF:
        twc_walk_expr(visit, expr->u.choose.condition);
        twc_walk_expr(visit, expr->u.choose.then);
        twc_walk_expr(visit, expr->u.choose.other);
        break;
    case TWC_E_CONVERT: twc_walk_expr(visit, expr->u.convert.value); break;
    }
}

static void walk_arms(const twc_visit *visit, const twc_arm *arms)
{
    for (; arms != NULL; arms = arms->next) {
        twc_walk_expr(visit, arms->condition);
        twc_walk_block(visit, &arms->body);
    }
}

static void walk_stmt(const twc_visit *visit, const twc_stmt *stmt)
{
    if (visit->stmt != NULL) visit->stmt(visit->data, stmt);
    switch (stmt->kind) {
    case TWC_S_LET: twc_walk_expr(visit, stmt->u.let.decl->u.value.value); break;
    case TWC_S_ASSIGN:
        twc_walk_expr(visit, stmt->u.assign.place);
        twc_walk_expr(visit, stmt->u.assign.value);
        break;
    case TWC_S_IF: walk_arms(visit, stmt->u.branch.arms); break;
    case TWC_S_FOR:
        twc_walk_expr(visit, stmt->u.loop.over);
        twc_walk_block(visit, &stmt->u.loop.body);
        break;
    case TWC_S_REPEAT: twc_walk_block(visit, &stmt->u.repeat.body); break;
    case TWC_S_MATCH:
        twc_walk_expr(visit, stmt->u.match.value);
        walk_arms(visit, stmt->u.match.arms);
        break;
    case TWC_S_NEEDS:
        twc_walk_expr(visit, stmt->u.needs.condition);
        walk_args(visit, stmt->u.needs.args);
        break;
    case TWC_S_EMIT:
    case TWC_S_FAIL:
    case TWC_S_HISTORY: walk_args(visit, stmt->u.notice.args); break;
    case TWC_S_GRANT:
    case TWC_S_REVOKE: twc_walk_expr(visit, stmt->u.grant.account); break;
    case TWC_S_RETURN: twc_walk_expr(visit, stmt->u.value); break;
    case TWC_S_PUSH:
        twc_walk_expr(visit, stmt->u.push.value);
        twc_walk_expr(visit, stmt->u.push.to);
        break;
    case TWC_S_REMOVE: twc_walk_expr(visit, stmt->u.thing.thing); break;
    case TWC_S_PAY: /* from here on not generated yet, or without parts */
    case TWC_S_MINT:
    case TWC_S_BURN:
    case TWC_S_CREATE:
    case TWC_S_GIVE:
    case TWC_S_ATTACH:
    case TWC_S_DETACH:
    case TWC_S_RETIRE:
    case TWC_S_GO:
    case TWC_S_STOP:
    case TWC_S_SKIP: break;
    }
}

void twc_walk_stmts(const twc_visit *visit, const twc_stmt *first)
{
    for (; first != NULL; first = first->next) walk_stmt(visit, first);
}

void twc_walk_block(const twc_visit *visit, const twc_block *block)
{
    twc_walk_stmts(visit, block->first);
}

/* ------------------------------------------------------------------ questions */

const twc_decl *twc_walk_root(const twc_expr *place)
{
    for (;;) {
        if (place->kind == TWC_E_NAME) return place->u.name.decl;
        if (place->kind == TWC_E_FIELD) {
            place = place->u.field.object;
        } else if (place->kind == TWC_E_INDEX) {
            place = place->u.index.object;
        } else if (place->kind == TWC_E_CONVERT) {
            place = place->u.convert.value;
        } else {
            return NULL;
        }
    }
}

typedef struct mention {
    const twc_decl *decl;
    bool found;
} mention;

static void note_mention(void *data, const twc_expr *expr)
{
    mention *m = data;
    if (expr->kind == TWC_E_NAME && expr->u.name.decl == m->decl) m->found = true;
}

bool twc_walk_mentions(const twc_expr *expr, const twc_decl *decl)
{
    mention m = {decl, false};
    const twc_visit visit = {.expr = note_mention, .data = &m};
    twc_walk_expr(&visit, expr);
    return m.found;
}

static void touch(twc_touched *touched, const twc_decl *decl)
{
    if (decl == NULL) return;
    if (decl->kind == TWC_D_VAR) {
        touched->vars.bits[decl->index / 64 % (TW_FIELDS_MAX / 64)] |= (uint64_t)1
                                                                       << decl->index % 64;
    }
    if (decl->kind == TWC_D_BUILTIN_VALUE && decl->index == TWC_V_PHASE) touched->phase = true;
}

static void note_read(void *data, const twc_expr *expr)
{
    if (expr->kind == TWC_E_NAME) touch(data, expr->u.name.decl);
}

twc_touched twc_walk_reads(const twc_expr *expr)
{
    twc_touched touched = {0};
    const twc_visit visit = {.expr = note_read, .data = &touched};
    twc_walk_expr(&visit, expr);
    return touched;
}

static void note_write(void *data, const twc_stmt *stmt)
{
    twc_touched *touched = data;
    if (stmt->kind == TWC_S_ASSIGN) touch(touched, twc_walk_root(stmt->u.assign.place));
    if (stmt->kind == TWC_S_PUSH) touch(touched, twc_walk_root(stmt->u.push.to));
    if (stmt->kind == TWC_S_REMOVE) touch(touched, twc_walk_root(stmt->u.thing.thing));
    if (stmt->kind == TWC_S_GO) touched->phase = true;
}

twc_touched twc_walk_writes(const twc_block *block)
{
    twc_touched touched = {0};
    const twc_visit visit = {.stmt = note_write, .data = &touched};
    twc_walk_block(&visit, block);
    return touched;
}

bool twc_walk_meets(const twc_touched *a, const twc_touched *b)
{
    bool meets = a->phase && b->phase;
    for (uint32_t i = 0; i < TW_FIELDS_MAX / 64; i++) {
        meets = meets || (a->vars.bits[i] & b->vars.bits[i]) != 0;
    }
    return meets;
}

static void note_stop(void *data, const twc_stmt *stmt)
{
    if (stmt->kind == TWC_S_STOP) *(bool *)data = true;
}

static void note_loop(void *data, const twc_stmt *stmt)
{
    const twc_visit inside = {.stmt = note_stop, .data = data};
    if (stmt->kind == TWC_S_REPEAT) twc_walk_block(&inside, &stmt->u.repeat.body);
    if (stmt->kind == TWC_S_FOR) twc_walk_block(&inside, &stmt->u.loop.body);
}

bool twc_walk_stops_in_loop(const twc_block *block)
{
    bool stops = false;
    const twc_visit visit = {.stmt = note_loop, .data = &stops};
    twc_walk_block(&visit, block);
    return stops;
}
