/* parse_stmt -- blocks and statements. */
#include "compiler/parse.h"

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

/* block = "{" { stmt } "}" */
twc_block twc_parse_block(twc_parser *p)
{
    twc_block block = {0};
    twc_stmt **at = &block.first;
    const twc_span open = p->token.span;
    if (!twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`")) return block;
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return block;
    }
    const uint32_t depth = p->depth;
    const uint32_t braces = p->braces;
    twc_stmt **last = at;
    while (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE) && !twc_parse_at(p, TWC_TOK_END)) {
        if (twc_parse_at_member(p) || (p->matches > 0 && at_arm(p))) break;
        const twc_token before = p->token;
        *at = twc_parse_stmt(p);
        if (!p->panic) {
            last = at;
            at = &(*at)->next;
            continue;
        }
        /* more on the line of a statement that seemed to have ended: it is what is broken */
        const bool stuck = p->token.span.start == before.span.start;
        if (stuck && !before.first_on_line) at = last;
        *at = NULL;
        p->depth = depth;
        p->contract->broken = true;
        p->panic = false;
        if (stuck && p->token.kind != TWC_TOK_BRACE_CLOSE) twc_parse_advance(p);
        twc_parse_recover(p, braces, starts_stmt);
    }
    if (!twc_parse_at(p, TWC_TOK_BRACE_CLOSE)) twc_parse_unclosed(p, open);
    twc_parse_accept(p, TWC_TOK_BRACE_CLOSE);
    block.span = twc_parse_span(p, open.start);
    twc_parse_leave(p);
    return block;
}

/* needs = "needs" expr [ "else" NAME args ] */
static twc_stmt *parse_needs(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    uint16_t count = 0;
    twc_parse_expect_word(p, TWC_W_needs);
    stmt->u.needs.condition = twc_parse_expr(p);
    if (twc_parse_accept_word(p, TWC_W_else)) {
        stmt->u.needs.error = twc_parse_name(p, "an error", &stmt->u.needs.error_span);
        stmt->u.needs.args = twc_parse_args(p, &count);
    }
    stmt->span = twc_parse_span(p, stmt->span.start);
    return stmt;
}

/* "let" NAME "=" expr | "var" NAME ":" type "=" expr */
static twc_stmt *parse_let(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_decl *decl = twc_parse_decl(p, TWC_D_LOCAL, p->token.span.start);
    decl->mutable = twc_parse_at_word(p, TWC_W_var);
    twc_parse_advance(p);
    decl->word = twc_parse_name(p, "a name", &decl->name_span);
    if (decl->mutable) {
        twc_parse_expect(p, TWC_TOK_COLON, "`:` and the type");
        decl->type_name = twc_parse_type(p);
    } else if (twc_parse_at(p, TWC_TOK_COLON)) {
        twc_parse_expected(p, "`=` (the type of a `let` is that of its value)");
    }
    twc_parse_expect(p, TWC_TOK_ASSIGN, "`=`");
    decl->u.value.value = twc_parse_expr(p);
    decl->span = twc_parse_span(p, decl->span.start);
    stmt->u.let.decl = decl;
    return stmt;
}

/* "if" expr block { "else" "if" expr block } [ "else" block ] */
static twc_stmt *parse_if(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_arm **at = &stmt->u.branch.arms;
    for (;;) {
        twc_arm *arm = TWC_NODE(p, twc_arm);
        arm->span = p->token.span;
        *at = arm;
        at = &arm->next;
        if (twc_parse_accept_word(p, TWC_W_if)) arm->condition = twc_parse_expr(p);
        arm->body = twc_parse_block(p);
        if (arm->condition == NULL || !twc_parse_accept_word(p, TWC_W_else)) return stmt;
    }
}

/* "for" "each" NAME "in" post block */
static twc_stmt *parse_for(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    if (!twc_parse_accept_word(p, TWC_W_each)) {
        twc_parse_expected(p, "`each` (loops are `for each x in c` and `repeat n times`)");
    }
    twc_decl *binder = twc_parse_decl(p, TWC_D_LOCAL, p->token.span.start);
    binder->word = twc_parse_name(p, "a name", &binder->name_span);
    stmt->u.loop.binder = binder;
    twc_parse_expect_word(p, TWC_W_in);
    stmt->u.loop.over = twc_parse_post(p);
    stmt->u.loop.body = twc_parse_block(p);
    return stmt;
}

/* "repeat" INT "times" block */
static twc_stmt *parse_repeat(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    stmt->u.repeat.times = twc_parse_count(p, "the number of rounds", 1, 1000000);
    twc_parse_expect_word(p, TWC_W_times);
    stmt->u.repeat.body = twc_parse_block(p);
    return stmt;
}

/* "match" expr "{" { ( "some" NAME | NAME ) block } "}" */
static twc_stmt *parse_match(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_arm **at = &stmt->u.match.arms;
    twc_parse_advance(p);
    stmt->u.match.value = twc_parse_expr(p);
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
    return stmt;
}

/* "emit" NAME args | "fail" NAME args | "history" NAME args [ "of" post ] */
static twc_stmt *parse_notice(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    uint16_t count = 0;
    twc_parse_advance(p);
    stmt->u.notice.word = twc_parse_name(p, "a name", &stmt->u.notice.span);
    stmt->u.notice.args = twc_parse_args(p, &count);
    if (kind == TWC_S_HISTORY && twc_parse_accept_word(p, TWC_W_of)) {
        stmt->u.notice.of = twc_parse_post(p);
    }
    return stmt;
}

/* "pay" expr [ "from" post ] "to" post | "mint" expr "to" post | "burn" expr "from" post */
static twc_stmt *parse_money(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    stmt->u.money.amount = twc_parse_expr(p);
    if (kind == TWC_S_BURN) {
        twc_parse_expect_word(p, TWC_W_from);
        stmt->u.money.from = twc_parse_post(p);
        return stmt;
    }
    if (kind == TWC_S_PAY && twc_parse_accept_word(p, TWC_W_from)) {
        stmt->u.money.from = twc_parse_post(p);
    }
    twc_parse_expect_word(p, TWC_W_to);
    stmt->u.money.to = twc_parse_post(p);
    return stmt;
}

/* "create" NAME args "in" NAME "owned" "by" post */
static twc_stmt *parse_create(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    uint16_t count = 0;
    twc_parse_advance(p);
    stmt->u.create.asset = twc_parse_name(p, "an asset", &stmt->u.create.asset_span);
    stmt->u.create.args = twc_parse_args(p, &count);
    twc_parse_expect_word(p, TWC_W_in);
    stmt->u.create.registry = twc_parse_name(p, "a registry", &stmt->u.create.registry_span);
    twc_parse_expect_word(p, TWC_W_owned);
    twc_parse_expect_word(p, TWC_W_by);
    stmt->u.create.owner = twc_parse_post(p);
    return stmt;
}

/* ( "give" | "attach" ) post "to" post | ( "detach" | "retire" | "remove" ) post */
static twc_stmt *parse_thing(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    stmt->u.thing.thing = twc_parse_post(p);
    if (kind == TWC_S_GIVE || kind == TWC_S_ATTACH) {
        twc_parse_expect_word(p, TWC_W_to);
        stmt->u.thing.to = twc_parse_post(p);
    }
    return stmt;
}

/* "grant" NAME "to" post | "revoke" NAME "from" post */
static twc_stmt *parse_grant(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    stmt->u.grant.word = twc_parse_name(p, "a role", &stmt->u.grant.span);
    twc_parse_expect_word(p, kind == TWC_S_GRANT ? TWC_W_to : TWC_W_from);
    stmt->u.grant.account = twc_parse_post(p);
    if (!p->panic) {
        *p->grant = stmt;
        p->grant = &stmt->u.grant.next_grant;
    }
    return stmt;
}

/* Words that other languages begin a statement with. */
static void foreign_word(twc_parser *p, twc_token token)
{
    static const char *const words[][2] = {
        {"while", "loops are bounded: `for each x in c` or `repeat n times`"},
        {"loop", "loops are bounded: `for each x in c` or `repeat n times`"},
        {"do", "loops are bounded: `for each x in c` or `repeat n times`"},
        {"switch", "write `match x { A { } B { } }`"},
        {"require", "write `needs condition else SomeError()`"},
        {"assert", "write `needs condition else SomeError()`"},
        {"throw", "write `fail SomeError()`"},
        {"const", "write `let`"},
        {"transfer", "write `pay amount from purse to account`"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0] && !p->panic; i++) {
        if (strcmp(token.word->text, words[i][0]) != 0) continue;
        twc_diag *diag = twc_diag_add(p->diags, TWC_DIAG_EXPECTED, token.span,
                                      "`%s` is no word of the language", words[i][0]);
        twc_diag_help(p->diags, diag, "%s", words[i][1]);
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
        twc_parse_expected(p, "`=`, `+=` or `-=`");
        return stmt;
    }
    stmt->u.assign.value = twc_parse_expr(p);
    return stmt;
}

static twc_stmt *parse_plain(twc_parser *p, twc_stmt_kind kind)
{
    twc_stmt *stmt = new_stmt(p, kind);
    twc_parse_advance(p);
    if (kind == TWC_S_GO) {
        stmt->u.go.word = twc_parse_name(p, "a phase", &stmt->u.go.span);
    } else if (kind == TWC_S_RETURN) {
        stmt->u.value = twc_parse_expr(p);
    } else if (kind == TWC_S_PUSH) {
        stmt->u.push.value = twc_parse_expr(p);
        twc_parse_expect_word(p, TWC_W_to);
        stmt->u.push.to = twc_parse_post(p);
    }
    return stmt;
}

typedef struct stmt_row {
    uint16_t keyword;
    twc_stmt_kind kind;
    twc_stmt *(*parse)(twc_parser *p, twc_stmt_kind kind);
} stmt_row;

static const stmt_row rows[] = {
#define STATEMENT(word, kind, parser) {TWC_W_##word, TWC_S_##kind, parser},
#include "compiler/statements.def"
};

static twc_stmt *parse_keyword(twc_parser *p)
{
    const stmt_row *row = rows;
    while (row->keyword != p->token.word->keyword) row++;
    return row->parse(p, row->kind);
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
    if (is_for || (starts_stmt(p) && (!place || twc_word_is_hard(p->token.word)))) {
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
