/* parse_test -- the parts of test blocks that grammar.def leaves to functions. Called by the rules
 * `test`, `feed`, `as` and `expect`. */
#include "compiler/parse.h"

#include <stddef.h>

/* actor = NAME [ STRING | INT [ ".." INT ] ] */
static twc_actor *parse_actor(twc_parser *p)
{
    twc_actor *actor = TWC_NODE(p, twc_actor);
    const uint32_t start = p->token.span.start;
    actor->name = twc_parse_name(p, "a role or an account", &actor->span);
    if (twc_parse_at(p, TWC_TOK_STRING)) {
        actor->account = twc_parse_string(p, "an account's name");
    } else if (twc_parse_at(p, TWC_TOK_INT)) {
        actor->first = twc_parse_count(p, "the number of a member", 1, TW_ROLE_MEMBERS_MAX);
        actor->last = actor->first;
        if (twc_parse_accept(p, TWC_TOK_DOTS)) {
            actor->last = twc_parse_count(p, "the number of the last member", actor->first,
                                          TW_ROLE_MEMBERS_MAX);
        }
    }
    actor->span = twc_parse_span(p, start);
    return actor;
}

/* actor { "," actor } */
void twc_parse_actors(twc_parser *p, void *object)
{
    twc_tstmt *stmt = object;
    twc_actor **at = &stmt->u.call.actors;
    do {
        *at = parse_actor(p);
        at = &(*at)->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
}

/* feed { "and" feed } */
void twc_parse_feeds(twc_parser *p, void *object)
{
    twc_tstmt *stmt = object;
    twc_feed **at = &stmt->u.feed.feeds;
    do {
        *at = TWC_NODE(p, twc_feed);
        twc_parse_rule(p, TWC_RULE_one_feed, *at);
        at = &(*at)->next;
    } while (twc_parse_accept_word(p, TWC_W_and));
}

void twc_parse_device(twc_parser *p, void *object)
{
    twc_feed *feed = object;
    feed->of = parse_actor(p);
}

/* "fail" NAME "{" { tstmt } "}" | expr */
void twc_parse_expectation(twc_parser *p, void *object)
{
    twc_tstmt *stmt = object;
    stmt->kind = TWC_T_EXPECT;
    if (!twc_parse_at_word(p, TWC_W_fail) || p->ahead.kind != TWC_TOK_WORD) {
        stmt->u.expect = twc_parse_expr(p);
        return;
    }
    stmt->kind = TWC_T_EXPECT_FAIL;
    twc_parse_advance(p);
    twc_word *word = twc_parse_name(p, "an error", &stmt->u.fail.span);
    stmt->u.fail.word = word;
    twc_parse_steps(p, &stmt->u.fail.body);
}

static twc_rule rule_at(const twc_parser *p)
{
    static const struct {
        uint16_t keyword;
        twc_rule rule;
    } rows[] = {{TWC_W_feed, TWC_RULE_feed},
                {TWC_W_replay, TWC_RULE_replay},
                {TWC_W_advance, TWC_RULE_advance},
                {TWC_W_as, TWC_RULE_as},
                {TWC_W_expect, TWC_RULE_expect}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (twc_parse_at_word(p, rows[i].keyword)) return rows[i].rule;
    }
    return TWC_RULE_COUNT;
}

static bool starts_step(const twc_parser *p)
{
    return rule_at(p) != TWC_RULE_COUNT;
}

static void *one_step(twc_parser *p)
{
    twc_tstmt *stmt = TWC_NODE(p, twc_tstmt);
    const uint32_t start = p->token.span.start;
    const twc_rule rule = rule_at(p);
    if (rule == TWC_RULE_COUNT) {
        twc_parse_expected(p, "`feed`, `replay`, `advance`, `as`, `expect` or `}`");
        return stmt;
    }
    twc_parse_advance(p);
    twc_parse_rule(p, rule, stmt);
    stmt->span = twc_parse_span(p, start);
    return stmt;
}

/* "{" { tstmt } "}" */
void twc_parse_steps(twc_parser *p, twc_tstmt **ret_first)
{
    static const twc_items items = {offsetof(twc_tstmt, next), starts_step, twc_parse_at_member,
                                    one_step};
    void *first = NULL;
    twc_parse_items(p, &items, &first);
    *ret_first = first;
}

/* STRING | "fuzz" STRING "runs" INT "steps" INT, then the steps */
void twc_parse_test_body(twc_parser *p, void *object)
{
    twc_decl *decl = object;
    decl->u.test.fuzz = twc_parse_accept_word(p, TWC_W_fuzz);
    decl->name_span = p->token.span;
    decl->u.test.name = twc_parse_string(p, "the test's name in quotes");
    if (decl->u.test.fuzz) twc_parse_rule(p, TWC_RULE_fuzz, decl);
    if (!p->panic) twc_parse_steps(p, &decl->u.test.body);
}
