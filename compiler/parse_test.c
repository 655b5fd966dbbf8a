/* parse_test -- test blocks: what the runner of tests is to do, step by step. Called for each
 * member that begins with `test`. */
#include "compiler/parse.h"

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

/* fault = "drop" "every" INT | "delay" sum | "freeze" | "drift" sum "per" sum | "replay_attack" */
static void parse_fault(twc_parser *p, twc_feed *feed)
{
    if (twc_parse_accept_word(p, TWC_W_drop)) {
        feed->fault = TWC_FAULT_DROP;
        twc_parse_expect_word(p, TWC_W_every);
        feed->drop_every = twc_parse_count(p, "which readings are dropped", 1, 1000000);
    } else if (twc_parse_accept_word(p, TWC_W_delay)) {
        feed->fault = TWC_FAULT_DELAY;
        feed->amount = twc_parse_sum(p);
    } else if (twc_parse_accept_word(p, TWC_W_freeze)) {
        feed->fault = TWC_FAULT_FREEZE;
    } else if (twc_parse_accept_word(p, TWC_W_drift)) {
        feed->fault = TWC_FAULT_DRIFT;
        feed->amount = twc_parse_sum(p);
        twc_parse_expect_word(p, TWC_W_per);
        feed->per = twc_parse_sum(p);
    } else if (twc_parse_accept_word(p, TWC_W_replay_attack)) {
        feed->fault = TWC_FAULT_REPLAY;
    }
}

/* feed = NAME [ "of" actor ] sum "every" sum [ fault ] */
static twc_feed *parse_feed(twc_parser *p)
{
    twc_feed *feed = TWC_NODE(p, twc_feed);
    feed->word = twc_parse_name(p, "a reading", &feed->span);
    if (twc_parse_accept_word(p, TWC_W_of)) feed->of = parse_actor(p);
    feed->value = twc_parse_sum(p);
    twc_parse_expect_word(p, TWC_W_every);
    feed->period = twc_parse_sum(p);
    parse_fault(p, feed);
    return feed;
}

static void parse_tstmts(twc_parser *p, twc_tstmt **at);

static void parse_expect(twc_parser *p, twc_tstmt *stmt)
{
    stmt->kind = TWC_T_EXPECT;
    if (!twc_parse_at_word(p, TWC_W_fail) || p->ahead.kind != TWC_TOK_WORD) {
        stmt->u.expect = twc_parse_expr(p);
        return;
    }
    stmt->kind = TWC_T_EXPECT_FAIL;
    twc_parse_advance(p);
    stmt->u.fail.word = twc_parse_name(p, "an error", &stmt->u.fail.span);
    parse_tstmts(p, &stmt->u.fail.body);
}

/* tstmt = "feed" feed { "and" feed } "for" sum | "replay" STRING | "advance" sum
 *       | "as" actor { "," actor } "call" post
 *       | "expect" ( "fail" NAME "{" { tstmt } "}" | expr ) */
static twc_tstmt *parse_tstmt(twc_parser *p)
{
    twc_tstmt *stmt = TWC_NODE(p, twc_tstmt);
    const uint32_t start = p->token.span.start;
    if (twc_parse_accept_word(p, TWC_W_feed)) {
        stmt->kind = TWC_T_FEED;
        twc_feed **at = &stmt->u.feed.feeds;
        do {
            *at = parse_feed(p);
            at = &(*at)->next;
        } while (twc_parse_accept_word(p, TWC_W_and));
        twc_parse_expect_word(p, TWC_W_for);
        stmt->u.feed.duration = twc_parse_sum(p);
    } else if (twc_parse_accept_word(p, TWC_W_replay)) {
        stmt->kind = TWC_T_REPLAY;
        stmt->u.replay = twc_parse_string(p, "a file's name");
    } else if (twc_parse_accept_word(p, TWC_W_advance)) {
        stmt->kind = TWC_T_ADVANCE;
        stmt->u.advance = twc_parse_sum(p);
    } else if (twc_parse_accept_word(p, TWC_W_as)) {
        stmt->kind = TWC_T_CALL;
        twc_actor **at = &stmt->u.call.actors;
        do {
            *at = parse_actor(p);
            at = &(*at)->next;
        } while (twc_parse_accept(p, TWC_TOK_COMMA));
        twc_parse_expect_word(p, TWC_W_call);
        stmt->u.call.call = twc_parse_post(p);
    } else if (twc_parse_accept_word(p, TWC_W_expect)) {
        parse_expect(p, stmt);
    } else {
        twc_parse_expected(p, "`feed`, `replay`, `advance`, `as`, `expect` or `}`");
    }
    stmt->span = twc_parse_span(p, start);
    return stmt;
}

static bool starts_tstmt(const twc_parser *p)
{
    return twc_parse_at_word(p, TWC_W_feed) || twc_parse_at_word(p, TWC_W_replay) ||
           twc_parse_at_word(p, TWC_W_advance) || twc_parse_at_word(p, TWC_W_as) ||
           twc_parse_at_word(p, TWC_W_expect);
}

/* "{" { tstmt } "}" */
static void parse_tstmts(twc_parser *p, twc_tstmt **at)
{
    const twc_span open = p->token.span;
    if (!twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`")) return;
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return;
    }
    const uint32_t depth = p->depth;
    const uint32_t braces = p->braces;
    twc_tstmt **last = at;
    while (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE) && !twc_parse_at(p, TWC_TOK_END)) {
        if (twc_parse_at_member(p)) break;
        const twc_token before = p->token;
        *at = parse_tstmt(p);
        if (!p->panic) {
            last = at;
            at = &(*at)->next;
            continue;
        }
        const bool stuck = p->token.span.start == before.span.start;
        if (stuck && !before.first_on_line) at = last;
        *at = NULL;
        p->depth = depth;
        p->contract->broken = true;
        p->panic = false;
        if (stuck && p->token.kind != TWC_TOK_BRACE_CLOSE) twc_parse_advance(p);
        twc_parse_recover(p, braces, starts_tstmt);
    }
    if (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE)) twc_parse_unclosed(p, open);
    twc_parse_accept(p, TWC_TOK_BRACE_CLOSE);
    twc_parse_leave(p);
}

/* test = "test" ( STRING | "fuzz" STRING "runs" INT "steps" INT ) "{" { tstmt } "}" */
twc_decl *twc_parse_test(twc_parser *p)
{
    twc_decl *decl = twc_parse_decl(p, TWC_D_TEST, p->token.span.start);
    twc_parse_expect_word(p, TWC_W_test);
    decl->u.test.fuzz = twc_parse_accept_word(p, TWC_W_fuzz);
    decl->name_span = p->token.span;
    decl->u.test.name = twc_parse_string(p, "the test's name in quotes");
    if (decl->u.test.fuzz) {
        twc_parse_expect_word(p, TWC_W_runs);
        decl->u.test.runs = twc_parse_count(p, "the number of runs", 1, 1000000);
        twc_parse_expect_word(p, TWC_W_steps);
        decl->u.test.steps = twc_parse_count(p, "the number of steps", 1, 100000);
    }
    parse_tstmts(p, &decl->u.test.body);
    return decl;
}
