/* check_test -- test blocks: types, names and actors of what the runner will do. */
#include "compiler/check.h"

#include <string.h>

enum { TEST_MEMBERS_MAX = 8 };

bool twc_check_actor(twc_check *c, twc_actor *actor)
{
    if (!(c->can & TWC_CAN_TEST)) {
        twc_check_fail(c, TWC_DIAG_NOT_HERE, actor->span, "only tests name accounts like this");
        return false;
    }
    if (actor->name == NULL) return true;
    if (actor->account.data != NULL) {
        if (twc_check_word_is(actor->name, "account")) return true;
        twc_check_fail(
            c, TWC_DIAG_ARGUMENTS, actor->span,
            "a name in quotes stands behind `account`\nwrite `account \"bob\"`, or `%s 1`",
            actor->name->text);
        return true;
    }
    actor->role = twc_check_find(c, actor->name, actor->span, TWC_D_ROLE);
    if (actor->first == 0) {
        actor->first = 1;
        actor->last = 1;
    }
    if (actor->role == NULL || actor->role->bad) return true;
    const uint32_t max = actor->role->u.role.max;
    const uint32_t most = max < TEST_MEMBERS_MAX ? max : TEST_MEMBERS_MAX;
    if (actor->last <= most) return true;
    twc_check_fail_at(c, TWC_DIAG_OUT_OF_RANGE, actor->span, actor->role,
                      "in a test, role %s has %u member%s", actor->name->text, most,
                      most == 1 ? "" : "s");
    return true;
}

/* A duration above 0 made of constants and params. */
static twc_expr *check_time(twc_check *c, twc_expr *expr, const char *what, bool zero)
{
    expr = twc_check_fixed(c, expr, c->duration, what);
    if (expr->constant && (expr->value < 0 || (expr->value == 0 && !zero))) {
        twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, expr->span, "%s must be more than 0", what);
    }
    return expr;
}

/* What spoils the feed: `delay D`, `drift v per D`. */
static void check_fault(twc_check *c, twc_feed *feed)
{
    const tw_dimension dimension = feed->reading->type->dimension;
    if (feed->fault == TWC_FAULT_DELAY) {
        feed->amount = check_time(c, feed->amount, "the time behind `delay`", false);
    } else if (feed->fault == TWC_FAULT_DRIFT) {
        const twc_type *type = twc_type_number(&c->types, tw_dim_difference(dimension));
        feed->amount = twc_check_value(c, feed->amount, type, "the drift");
        feed->per = check_time(c, feed->per, "the time behind `per`", false);
    }
}

static void check_feed(twc_check *c, twc_feed *feed)
{
    const twc_expr name = {.kind = TWC_E_NAME, .span = feed->span, .u.name.word = feed->word};
    feed->reading = twc_check_reading(c, &name, true);
    feed->period = check_time(c, feed->period, "the time behind `every`", false);
    if (feed->of != NULL) (void)twc_check_actor(c, feed->of);
    if (feed->reading == NULL || feed->reading->bad) return;
    feed->value = twc_check_value(c, feed->value, feed->reading->type, "the value");
    check_fault(c, feed);
    if (feed->of != NULL && feed->of->role != NULL &&
        feed->of->role != feed->reading->u.reading.role) {
        twc_check_fail(c, TWC_DIAG_SOURCE, feed->of->span, "`%s` comes from role %s",
                       feed->reading->word->text, feed->reading->u.reading.role_word->text);
    }
}

static void check_call(twc_check *c, twc_tstmt *stmt)
{
    for (twc_actor *a = stmt->u.call.actors; a != NULL; a = a->next) (void)twc_check_actor(c, a);
    twc_expr *call = stmt->u.call.call;
    if (call->kind != TWC_E_CALL || call->u.call.function->kind != TWC_E_NAME) {
        twc_check_fail(c, TWC_DIAG_NOT_CALLABLE, call->span,
                       "behind `call` stands an action with its arguments");
        return;
    }
    const twc_expr *function = call->u.call.function;
    twc_decl *action = twc_check_find(c, function->u.name.word, function->span, TWC_D_ACTION);
    if (action == NULL || action->bad) return;
    call->u.call.callee = TWC_CALL_ACTION;
    call->u.call.decl = action;
    call->type = c->nothing;
    twc_check_args(c, &call->u.call.args, action->u.entry->params, function->span,
                   action->word->text);
}

/* The contract's error or invariant, or a trap of the language. */
static void check_failure(twc_check *c, twc_tstmt *stmt)
{
    twc_word *word = stmt->u.fail.word;
    twc_decl *decl = word->global;
    if (decl != NULL && (decl->kind == TWC_D_ERROR || decl->kind == TWC_D_INVARIANT)) {
        decl->used = true;
        stmt->u.fail.error = decl;
        return;
    }
    for (int status = 1; status < 30 && decl == NULL; status++) {
        char name[24];
        tw_status_trap_name((tw_status)status, name);
        if (twc_check_word_is(word, name)) stmt->u.fail.trap = (tw_status)status;
    }
    if (stmt->u.fail.trap != TW_OK) return;
    (void)twc_check_find(c, word, stmt->u.fail.span, TWC_D_ERROR);
}

static void check_replay(twc_check *c, twc_tstmt *stmt)
{
    const tw_bytes path = stmt->u.replay;
    if (path.size > 0 && memchr(path.data, '\0', path.size) == NULL) return;
    twc_check_fail(c, TWC_DIAG_ARGUMENTS, stmt->span, "a file without a name can't be replayed");
}

static void check_tstmts(twc_check *c, twc_tstmt *stmt)
{
    for (; stmt != NULL; stmt = stmt->next) {
        c->facts = NULL;
        switch (stmt->kind) {
        case TWC_T_FEED:
            for (twc_feed *f = stmt->u.feed.feeds; f != NULL; f = f->next) check_feed(c, f);
            stmt->u.feed.duration =
                check_time(c, stmt->u.feed.duration, "the time of the feed", false);
            break;
        case TWC_T_REPLAY: check_replay(c, stmt); break;
        case TWC_T_ADVANCE:
            stmt->u.advance = check_time(c, stmt->u.advance, "the time behind `advance`", true);
            break;
        case TWC_T_CALL: check_call(c, stmt); break;
        case TWC_T_EXPECT:
            stmt->u.expect = twc_check_bool(c, stmt->u.expect, "what is expected");
            break;
        case TWC_T_EXPECT_FAIL:
            check_failure(c, stmt);
            check_tstmts(c, stmt->u.fail.body);
            break;
        }
    }
}

/* The steps with which each run starts, then what must hold after each step that is drawn. */
static void check_fuzz(twc_check *c, twc_decl *decl)
{
    bool expects = false;
    for (const twc_tstmt *s = decl->u.test.body; s != NULL; s = s->next) {
        if (expects && s->kind != TWC_T_EXPECT) {
            twc_check_fail(c, TWC_DIAG_FUZZ, s->span,
                           "in a fuzz test this stands before what is expected\n"
                           "move it up: each run starts with it, then steps are drawn");
            return;
        }
        expects = expects || s->kind == TWC_T_EXPECT;
    }
    if (expects) return;
    twc_check_fail(c, TWC_DIAG_FUZZ, decl->name_span,
                   "a fuzz test that expects nothing finds nothing\n"
                   "write what always holds: `expect x <= limit`");
}

void twc_check_test(twc_check *c, twc_decl *decl)
{
    c->can = TWC_CAN_READ | TWC_CAN_TEST;
    c->where = "a test";
    check_tstmts(c, decl->u.test.body);
    c->facts = NULL;
    if (decl->u.test.fuzz) check_fuzz(c, decl);
}
