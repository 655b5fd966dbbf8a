/* check_flow -- narrowing: after `order is some` the path `order` is a value until it is assigned.
 *
 * Facts are a short list: more than FACTS_MAX are not remembered, which can only make the checker
 * ask for a test that was made far above.
 */
#include "compiler/check.h"

enum { FACTS_MAX = 200 };

static const twc_expr *without_unwrap(const twc_expr *expr)
{
    while (expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_UNWRAP) {
        expr = expr->u.convert.value;
    }
    return expr;
}

/* The name of a role of max 1, as its member. */
static bool is_holder(const twc_expr *expr)
{
    return expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_HOLDER;
}

bool twc_flow_is_path(const twc_expr *expr)
{
    expr = without_unwrap(expr);
    if (expr->kind == TWC_E_FIELD) return twc_flow_is_path(expr->u.field.object);
    if (is_holder(expr)) return true;
    return expr->kind == TWC_E_NAME && expr->u.name.decl != NULL;
}

static bool same_path(const twc_expr *a, const twc_expr *b)
{
    a = without_unwrap(a);
    b = without_unwrap(b);
    if (a->kind != b->kind) return false;
    if (a->kind == TWC_E_NAME) return a->u.name.decl == b->u.name.decl;
    if (is_holder(a)) {
        return is_holder(b) && same_path(a->u.convert.value, b->u.convert.value);
    }
    return a->kind == TWC_E_FIELD && a->u.field.decl == b->u.field.decl &&
           same_path(a->u.field.object, b->u.field.object);
}

/* `path` is `place` or lies inside of it. */
static bool lies_in(const twc_expr *path, const twc_expr *place)
{
    for (path = without_unwrap(path);; path = without_unwrap(path->u.field.object)) {
        if (same_path(path, place)) return true;
        if (path->kind != TWC_E_FIELD) return false;
    }
}

static bool holds(const twc_fact *facts, const twc_expr *path)
{
    for (; facts != NULL; facts = facts->next) {
        if (same_path(facts->path, path)) return true;
    }
    return false;
}

bool twc_flow_knows(const twc_check *c, const twc_expr *path)
{
    return twc_flow_is_path(path) && holds(c->facts, path);
}

const twc_fact *twc_flow_add(twc_check *c, const twc_fact *facts, const twc_expr *path)
{
    if (!twc_flow_is_path(path) || (facts != NULL && facts->count >= FACTS_MAX)) return facts;
    twc_fact *fact = TW_NEW(c->arena, twc_fact);
    if (fact == NULL) return facts;
    *fact = (twc_fact){facts, path, facts != NULL ? facts->count + 1 : 1};
    return fact;
}

const twc_fact *twc_flow_learn(twc_check *c, const twc_fact *facts, const twc_expr *condition,
                               bool truth)
{
    if (condition->kind == TWC_E_NOT) {
        return twc_flow_learn(c, facts, condition->u.one, !truth);
    }
    if (condition->kind == TWC_E_IS) {
        return condition->u.is.some == truth ? twc_flow_add(c, facts, condition->u.is.value)
                                             : facts;
    }
    if (condition->kind != TWC_E_BINARY) return facts;
    const twc_operator op = condition->u.binary.op;
    const bool both = (op == TWC_OP_AND && truth) || (op == TWC_OP_OR && !truth) ||
                      (op == TWC_OP_IMPLIES && !truth);
    if (!both) return facts;
    facts = twc_flow_learn(c, facts, condition->u.binary.left, truth || op == TWC_OP_IMPLIES);
    return twc_flow_learn(c, facts, condition->u.binary.right, truth);
}

/* The facts for which `keep` says yes, in any order. */
static const twc_fact *rebuild(twc_check *c, const twc_fact *facts, const twc_expr *place,
                               const twc_fact *also)
{
    const twc_fact *kept = NULL;
    for (const twc_fact *f = facts; f != NULL; f = f->next) {
        if (place != NULL ? !lies_in(f->path, place) : holds(also, f->path)) {
            kept = twc_flow_add(c, kept, f->path);
        }
    }
    return kept;
}

const twc_fact *twc_flow_forget(twc_check *c, const twc_fact *facts, const twc_expr *place)
{
    if (!twc_flow_is_path(place)) return facts;
    bool touched = false;
    for (const twc_fact *f = facts; f != NULL && !touched; f = f->next) {
        touched = lies_in(f->path, place);
    }
    return touched ? rebuild(c, facts, place, NULL) : facts;
}

const twc_fact *twc_flow_common(twc_check *c, const twc_fact *a, const twc_fact *b)
{
    return a == b ? a : rebuild(c, a, NULL, b);
}

const twc_fact *twc_flow_forget_role(twc_check *c, const twc_fact *facts, const twc_decl *role)
{
    twc_expr name = {.kind = TWC_E_NAME, .u.name.decl = (twc_decl *)role};
    twc_expr holder = {.kind = TWC_E_CONVERT};
    holder.u.convert.conversion = TWC_CONV_HOLDER;
    holder.u.convert.value = &name;
    return twc_flow_forget(c, facts, &holder);
}

/* ------------------------------------------------------------------ loops */

/* `path` lies in `place`, which is as it was parsed: of names, not of declarations. */
static bool lies_in_parsed(const twc_expr *path, const twc_expr *place)
{
    uint32_t extra = 0;
    for (const twc_expr *p = without_unwrap(path); p->kind == TWC_E_FIELD;
         p = without_unwrap(p->u.field.object)) {
        extra++;
    }
    for (const twc_expr *p = place; p->kind == TWC_E_FIELD; p = p->u.field.object) {
        if (extra-- == 0) return false;
    }
    for (path = without_unwrap(path); extra > 0; extra--) {
        path = without_unwrap(path->u.field.object);
    }
    while (path->kind == TWC_E_FIELD) {
        if (path->u.field.word != place->u.field.word) return false;
        path = without_unwrap(path->u.field.object);
        place = place->u.field.object;
    }
    return path->kind == TWC_E_NAME && place->kind == TWC_E_NAME &&
           path->u.name.word == place->u.name.word;
}

static const twc_fact *without(twc_check *c, const twc_fact *facts, const twc_expr *place)
{
    const twc_fact *kept = NULL;
    bool touched = false;
    for (const twc_fact *f = facts; f != NULL && !touched; f = f->next) {
        touched = lies_in_parsed(f->path, place);
    }
    for (const twc_fact *f = facts; f != NULL && touched; f = f->next) {
        if (!lies_in_parsed(f->path, place)) kept = twc_flow_add(c, kept, f->path);
    }
    return touched ? kept : facts;
}

const twc_fact *twc_flow_enter(twc_check *c, const twc_fact *facts, const twc_block *body)
{
    for (const twc_stmt *s = body->first; s != NULL && facts != NULL; s = s->next) {
        const twc_arm *arms = s->kind == TWC_S_IF      ? s->u.branch.arms
                              : s->kind == TWC_S_MATCH ? s->u.match.arms
                                                       : NULL;
        if (s->kind == TWC_S_ASSIGN) facts = without(c, facts, s->u.assign.place);
        if (s->kind == TWC_S_FOR) facts = twc_flow_enter(c, facts, &s->u.loop.body);
        if (s->kind == TWC_S_REPEAT) facts = twc_flow_enter(c, facts, &s->u.repeat.body);
        if (s->kind == TWC_S_GRANT || s->kind == TWC_S_REVOKE) {
            const twc_word *word = s->u.grant.word;
            if (word != NULL && word->global != NULL) {
                facts = twc_flow_forget_role(c, facts, word->global);
            }
        }
        for (; arms != NULL; arms = arms->next) facts = twc_flow_enter(c, facts, &arms->body);
    }
    return facts;
}
