/* parse_stmt -- blocks and statements. */
#include "compiler/parse.h"

#include <stddef.h>
#include <string.h>

static twc_stmt *new_stmt(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = TWC_NODE(p, twc_stmt);
    stmt->kind = kind;
    stmt->span = p->token.span;
    return stmt;
}

/* A word that begins a statement, or a name that is assigned. */
static bool starts_stmt(const twc_parser *p)
{
    if (p->token.kind != TWC_TOK_WORD) return false;
    const twc_token_kind ahead = p->ahead.kind;
    if (p->token.word->keyword == TWC_W_for) {
        return ahead == TWC_TOK_WORD && p->ahead.word->keyword == TWC_W_each;
    }
    return twc_word_begins(p->token.word) == TWC_BEGINS_STATEMENT || ahead == TWC_TOK_ASSIGN ||
           ahead == TWC_TOK_ADD_ASSIGN || ahead == TWC_TOK_SUB_ASSIGN;
}

/* `some x {` or `name {`: an arm of a match, which no statement begins like. */
static bool at_arm(const twc_parser *p)
{
    if (p->panic || p->token.kind != TWC_TOK_WORD || twc_word_is_hard(p->token.word)) return false;
    if (p->token.word->keyword == TWC_W_none) return true;
    return p->ahead.kind == TWC_TOK_BRACE_OPEN ||
           (p->token.word->keyword == TWC_W_some && p->ahead.kind == TWC_TOK_WORD);
}

static bool ends_block(const twc_parser *p)
{
    return twc_parse_at_member(p) || (p->matches > 0 && at_arm(p));
}

static void *one_stmt(twc_parser *p)
{
    return twc_parse_stmt(p);
}

void twc_parse_items(twc_parser *p, const twc_items *items, void **at)
{
    const twc_span open = p->token.span;
    if (!twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`") || !twc_parse_enter(p)) return;
    const uint32_t depth = p->depth;
    const uint32_t braces = p->braces;
    void **last = at;
    while (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE) && !twc_parse_at(p, TWC_TOK_END)) {
        if (items->ends(p)) break;
        const twc_token before = p->token;
        *at = items->one(p);
        if (!p->panic) {
            last = at;
            at = (void **)(void *)((char *)*at + items->next);
            continue;
        }
        /* more on the line of an item that seemed to have ended: it is what is broken */
        const bool stuck = p->token.span.start == before.span.start;
        if (stuck && !before.first_on_line) at = last;
        *at = NULL;
        p->depth = depth;
        p->contract->broken = true;
        p->panic = false;
        if (stuck && p->token.kind != TWC_TOK_BRACE_CLOSE) twc_parse_advance(p);
        twc_parse_recover(p, braces, items->starts);
    }
    if (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE)) twc_parse_unclosed(p, open);
    twc_parse_accept(p, TWC_TOK_BRACE_CLOSE);
    twc_parse_leave(p);
}

/* block = "{" { stmt } "}" */
twc_block twc_parse_block(twc_parser *p)
{
    static const twc_items items = {offsetof(twc_stmt, next), starts_stmt, ends_block, one_stmt};
    const uint32_t start = p->token.span.start;
    void *first = NULL;
    twc_parse_items(p, &items, &first);
    return (twc_block){.first = first, .span = twc_parse_span(p, start)};
}

/* "if" expr block { "else" "if" expr block } [ "else" block ], behind the first `if` */
void twc_parse_if_arms(twc_parser *p, void *object)
{
    twc_stmt *stmt = object;
    twc_arm **at = &stmt->u.branch.arms;
    bool conditional = true;
    for (;;) {
        twc_arm *arm = TWC_NODE(p, twc_arm);
        arm->span = p->before;
        *at = arm;
        at = &arm->next;
        if (conditional) arm->condition = twc_parse_expr(p);
        arm->body = twc_parse_block(p);
        if (!conditional || !twc_parse_accept_word(p, TWC_W_else)) return;
        conditional = twc_parse_accept_word(p, TWC_W_if);
    }
}

/* "match" expr "{" { ( "some" NAME | NAME ) block } "}", behind the value */
void twc_parse_match_arms(twc_parser *p, void *object)
{
    twc_stmt *stmt = object;
    twc_arm **at = &stmt->u.match.arms;
    const twc_span open = p->token.span;
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`");
    p->matches++;
    while (at_arm(p)) {
        twc_arm *arm = TWC_NODE(p, twc_arm);
        arm->span = p->token.span;
        *at = arm;
        at = &arm->next;
        if (twc_parse_at_word(p, TWC_W_some) && p->ahead.kind == TWC_TOK_WORD) {
            twc_parse_advance(p);
            arm->binder = twc_parse_decl(p, TWC_D_LOCAL, p->token.span.start);
            arm->binder->word = twc_parse_name(p, "a name", &arm->binder->name_span);
        } else {
            arm->name = twc_parse_name(p, "`none`, `some name` or a value", &arm->span);
        }
        arm->body = twc_parse_block(p);
    }
    p->matches--;
    const bool next = p->token.first_on_line && (starts_stmt(p) || twc_parse_at_member(p));
    if (!next) {
        twc_parse_expect(p, TWC_TOK_BRACE_CLOSE, "an arm (`none`, `some name` or a value) or `}`");
    } else {
        twc_parse_unclosed(p, open);
    }
}

/* Words that other languages begin a statement with. */
static void foreign_word(twc_parser *p, twc_token token)
{
    static const char *const words[][2] = {
#define FOREIGN(word, instead) {word, instead},
#include "compiler/foreign.def"
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !p->panic; i++) {
        if (strcmp(token.word->text, words[i][0]) != 0) continue;
        twc_diag_add(p->diags, TWC_DIAG_EXPECTED, token.span, "`%s` is no word of the language\n%s",
                     words[i][0], words[i][1]);
        p->panic = true;
    }
}

/* post ( "=" | "+=" | "-=" ) expr */
static twc_stmt *parse_assign(twc_parser *p)
{
    twc_stmt *stmt = new_stmt(p, TWC_S_ASSIGN);
    const twc_token first = p->token;
    stmt->u.assign.place = twc_parse_post(p);
    if (twc_parse_accept(p, TWC_TOK_ADD_ASSIGN)) {
        stmt->u.assign.op = TWC_OP_ADD;
    } else if (twc_parse_accept(p, TWC_TOK_SUB_ASSIGN)) {
        stmt->u.assign.op = TWC_OP_SUB;
    } else if (!twc_parse_accept(p, TWC_TOK_ASSIGN)) {
        /* `x = 5 kmh`: the word behind the number is what is wrong */
        const bool alone = p->before.end == first.span.end && !p->panic;
        if (first.after_number && alone) twc_parse_unknown_unit(p, first.span);
        if (alone) foreign_word(p, first);
        twc_parse_expected(p, "`=`, `+=` or `-=`, as in `n += 1`");
        return stmt;
    }
    stmt->u.assign.value = twc_parse_expr(p);
    return stmt;
}

typedef struct stmt_row {
    uint16_t keyword;
    twc_stmt_kind kind;
    twc_rule rule;
} stmt_row;

static const stmt_row rows[] = {
#define STATEMENT(word, kind, rule) {TWC_W_##word, TWC_S_##kind, TWC_RULE_##rule},
#include "compiler/statements.def"
};

static twc_stmt *parse_keyword(twc_parser *p)
{
    const stmt_row *row = rows;
    while (row->keyword != p->token.word->keyword) row++;
    twc_stmt *stmt = new_stmt(p, row->kind);
    twc_parse_advance(p);
    twc_parse_rule(p, row->rule, stmt);
    return stmt;
}

/* stmt: by its first word; a soft word before `=`, `.` or `[` is the name of a place */
twc_stmt *twc_parse_stmt(twc_parser *p)
{
    const twc_token_kind ahead = p->ahead.kind;
    const bool place = ahead == TWC_TOK_ASSIGN || ahead == TWC_TOK_ADD_ASSIGN ||
                       ahead == TWC_TOK_SUB_ASSIGN || ahead == TWC_TOK_DOT ||
                       (ahead == TWC_TOK_BRACKET_OPEN && !twc_parse_at_word(p, TWC_W_push) &&
                        !twc_parse_at_word(p, TWC_W_return));
    if (!twc_parse_at(p, TWC_TOK_WORD)) {
        twc_parse_expected(p, "a statement or `}`");
        return new_stmt(p, TWC_S_STOP);
    }
    const uint16_t keyword = p->token.word->keyword;
    const bool is_for = keyword == TWC_W_for;
    twc_stmt *stmt;
    const bool begins = twc_word_begins(p->token.word) == TWC_BEGINS_STATEMENT;
    if (is_for || (begins && (!place || twc_word_is_hard(p->token.word)))) {
        stmt = parse_keyword(p);
    } else if (twc_word_is_hard(p->token.word)) {
        twc_parse_expected(p, "a statement or `}`");
        return new_stmt(p, TWC_S_STOP);
    } else {
        stmt = parse_assign(p);
    }
    stmt->span = twc_parse_span(p, stmt->span.start);
    return stmt;
}
