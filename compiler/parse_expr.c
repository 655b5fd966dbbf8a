/* parse_expr -- expressions and types. */
#include "compiler/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static twc_expr *new_expr(twc_parser *p, twc_expr_kind kind, uint32_t start)
{
    twc_expr *expr = TWC_NODE(p, twc_expr);
    expr->kind = kind;
    expr->span = (twc_span){start, start};
    expr->mark = p->token.span;
    expr->constant = kind == TWC_E_BOOL;
    expr->fixed = kind == TWC_E_BOOL || kind == TWC_E_NONE || kind == TWC_E_TEXT;
    expr->height = 1;
    return expr;
}

/* Ends a node: its span, and its height from its parts (NULL allowed). */
static twc_expr *finish(twc_parser *p, twc_expr *expr, const twc_expr *a, const twc_expr *b,
                        const twc_expr *c)
{
    uint32_t height = expr->height - 1u;
    if (a != NULL && a->height > height) height = a->height;
    if (b != NULL && b->height > height) height = b->height;
    if (c != NULL && c->height > height) height = c->height;
    expr->span = twc_parse_span(p, expr->span.start);
    if (height + 1 > TWC_HEIGHT_MAX) {
        if (!p->panic) {
            twc_diag_add(p->diags, TWC_DIAG_TOO_DEEP, expr->span,
                         "the expression has more than %d steps: split it with `let`",
                         TWC_HEIGHT_MAX);
        }
        p->panic = true;
        height = 0;
    }
    expr->height = (uint8_t)(height + 1);
    return expr;
}

/* args = "(" [ arg { "," arg } ] ")"
 * arg = [ NAME ":" ] expr [ "across" NAME ] [ "over" sum ] [ "by" NAME ] */
twc_arg *twc_parse_args(twc_parser *p, uint16_t *ret_count)
{
    twc_arg *first = NULL;
    twc_arg **at = &first;
    uint32_t count = 0;
    if (!twc_parse_expect(p, TWC_TOK_PAREN_OPEN, "`(`")) return NULL;
    if (!twc_parse_accept(p, TWC_TOK_PAREN_CLOSE)) {
        do {
            twc_arg *arg = TWC_NODE(p, twc_arg);
            const uint32_t start = p->token.span.start;
            arg->span = p->token.span;
            if (twc_parse_at(p, TWC_TOK_WORD) && p->ahead.kind == TWC_TOK_COLON) {
                arg->name = twc_parse_name(p, "a name for the argument", &arg->span);
                twc_parse_expect(p, TWC_TOK_COLON, "`:`");
            }
            arg->value = twc_parse_expr(p);
            if (twc_parse_accept_word(p, TWC_W_across)) {
                arg->across = twc_parse_name(p, "a role", NULL);
            }
            if (twc_parse_accept_word(p, TWC_W_over)) arg->over = twc_parse_sum(p);
            if (twc_parse_accept_word(p, TWC_W_by)) arg->by = twc_parse_name(p, "a field", NULL);
            if (arg->name == NULL) arg->span = twc_parse_span(p, start);
            *at = arg;
            at = &arg->next;
            count++;
        } while (twc_parse_accept(p, TWC_TOK_COMMA));
        twc_parse_expect(p, TWC_TOK_PAREN_CLOSE, "`,` or `)`");
    }
    *ret_count = count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
    return first;
}

static twc_expr *parse_number(twc_parser *p, bool negative, uint32_t start)
{
    twc_expr *expr = new_expr(p, TWC_E_NUMBER, start);
    p->number_last = expr;
    expr->u.number.decimal = p->token.decimal;
    expr->u.number.decimal.negative = negative;
    expr->u.number.point = p->token.kind == TWC_TOK_DEC;
    expr->u.number.unit = p->token.unit;
    expr->u.number.money = p->token.money;
    const bool unitless = p->token.unit == NULL && p->token.money == NULL;
    if (p->token.bad || (p->token.kind == TWC_TOK_QUANTITY && unitless)) {
        expr->kind = TWC_E_ERROR; /* the lexer has said so */
    }
    twc_parse_advance(p);
    expr->mark = twc_parse_span(p, start);
    return finish(p, expr, NULL, NULL, NULL);
}

static bool at_number(const twc_parser *p)
{
    return twc_parse_at(p, TWC_TOK_INT) || twc_parse_at(p, TWC_TOK_DEC) ||
           twc_parse_at(p, TWC_TOK_QUANTITY);
}

twc_expr *twc_parse_quantity(twc_parser *p, const char *what)
{
    if (twc_parse_at(p, TWC_TOK_QUANTITY)) return parse_number(p, false, p->token.span.start);
    twc_parse_expected(p, what);
    return new_expr(p, TWC_E_ERROR, p->token.span.start);
}

/* NAME [ INT | STRING ]: a name, or an account of a test. */
static twc_expr *parse_named(twc_parser *p)
{
    const uint32_t start = p->token.span.start;
    twc_expr *expr = new_expr(p, TWC_E_NAME, start);
    twc_span span;
    twc_word *word = twc_parse_name(p, "a value", &span);
    expr->u.name.word = word;
    if (twc_parse_at(p, TWC_TOK_INT) || twc_parse_at(p, TWC_TOK_STRING)) {
        twc_actor *actor = TWC_NODE(p, twc_actor);
        actor->name = word;
        actor->span = span;
        if (twc_parse_at(p, TWC_TOK_INT)) {
            actor->first = twc_parse_count(p, "the number of a member", 1, TW_ROLE_MEMBERS_MAX);
            actor->last = actor->first;
        } else {
            actor->account = twc_parse_string(p, "an account's name");
        }
        expr->kind = TWC_E_ACTOR;
        expr->u.actor = actor;
    }
    return finish(p, expr, NULL, NULL, NULL);
}

static twc_expr *parse_list(twc_parser *p)
{
    twc_expr *expr = new_expr(p, TWC_E_LIST, p->token.span.start);
    twc_expr *first = NULL;
    twc_expr **at = &first;
    uint32_t count = 0;
    twc_parse_expect(p, TWC_TOK_BRACKET_OPEN, "`[`");
    if (!twc_parse_accept(p, TWC_TOK_BRACKET_CLOSE)) {
        do {
            twc_expr *element = twc_parse_expr(p);
            if (element->height >= expr->height) expr->height = (uint8_t)(element->height + 1);
            *at = element;
            at = &element->next;
            count++;
        } while (twc_parse_accept(p, TWC_TOK_COMMA));
        twc_parse_expect(p, TWC_TOK_BRACKET_CLOSE, "`,` or `]`");
    }
    expr->u.list.first = first;
    expr->u.list.count = count;
    return finish(p, expr, NULL, NULL, NULL);
}

/* prim = "yes" | "no" | INT | DEC | QTY | STRING | NAME [ INT | STRING ] | "(" expr ")"
 *      | "[" [ expr { "," expr } ] "]" */
static twc_expr *parse_prim(twc_parser *p)
{
    const uint32_t start = p->token.span.start;
    if (at_number(p)) return parse_number(p, false, start);
    if (twc_parse_at_word(p, TWC_W_yes) || twc_parse_at_word(p, TWC_W_no)) {
        twc_expr *expr = new_expr(p, TWC_E_BOOL, start);
        expr->value = twc_parse_at_word(p, TWC_W_yes);
        twc_parse_advance(p);
        return finish(p, expr, NULL, NULL, NULL);
    }
    if (twc_parse_at(p, TWC_TOK_STRING)) {
        twc_expr *expr = new_expr(p, TWC_E_TEXT, start);
        expr->u.text = twc_parse_string(p, "a text");
        return finish(p, expr, NULL, NULL, NULL);
    }
    if (twc_parse_at_word(p, TWC_W_none)) {
        twc_expr *expr = new_expr(p, TWC_E_NONE, start);
        twc_parse_advance(p);
        return finish(p, expr, NULL, NULL, NULL);
    }
    if (twc_parse_at(p, TWC_TOK_BRACKET_OPEN)) return parse_list(p);
    if (twc_parse_accept(p, TWC_TOK_PAREN_OPEN)) {
        twc_expr *expr = twc_parse_expr(p);
        twc_parse_expect(p, TWC_TOK_PAREN_CLOSE, "`)`");
        expr->span = twc_parse_span(p, start);
        return expr;
    }
    return parse_named(p);
}

/* `old.x` is one name: the checker declares it so. */
static void parse_old(twc_parser *p, twc_expr *expr)
{
    const bool old = expr->kind == TWC_E_NAME && expr->u.name.word != NULL &&
                     strcmp(expr->u.name.word->text, "old") == 0;
    if (!old || !twc_parse_accept(p, TWC_TOK_DOT)) return;
    char text[TW_NAME_SIZE_MAX + 8];
    twc_span span;
    const twc_word *word = twc_parse_name(p, "a var or map of the older version", &span);
    if (word == NULL) return;
    const int size = snprintf(text, sizeof text, "old.%s", word->text);
    expr->u.name.word = twc_word_of(p->lexer.words, text, (size_t)size);
    expr->span.end = span.end;
    expr->mark = expr->span;
    if (expr->u.name.word == NULL) p->panic = true;
}

/* post = prim { "." NAME | args | "[" expr "]" } [ "of" post ] */
twc_expr *twc_parse_post(twc_parser *p)
{
    const uint32_t start = p->token.span.start;
    twc_expr *expr = new_expr(p, TWC_E_ERROR, start);
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return expr;
    }
    expr = parse_prim(p);
    parse_old(p, expr);
    for (;;) {
        twc_expr *inner = expr;
        if (twc_parse_at(p, TWC_TOK_DOT)) {
            twc_parse_advance(p);
            expr = new_expr(p, TWC_E_FIELD, start);
            expr->u.field.object = inner;
            expr->u.field.word = twc_parse_name(p, "a field", &expr->mark);
            finish(p, expr, inner, NULL, NULL);
        } else if (twc_parse_at(p, TWC_TOK_PAREN_OPEN)) {
            expr = new_expr(p, TWC_E_CALL, start);
            expr->mark = inner->span;
            expr->u.call.function = inner;
            expr->u.call.args = twc_parse_args(p, &expr->u.call.count);
            for (twc_arg *arg = expr->u.call.args; arg != NULL && !p->panic; arg = arg->next) {
                finish(p, expr, arg->value, arg->over, NULL);
            }
            finish(p, expr, inner, NULL, NULL);
        } else if (twc_parse_at(p, TWC_TOK_BRACKET_OPEN)) {
            twc_parse_advance(p);
            expr = new_expr(p, TWC_E_INDEX, start);
            expr->u.index.object = inner;
            expr->u.index.index = twc_parse_expr(p);
            twc_parse_expect(p, TWC_TOK_BRACKET_CLOSE, "`]`");
            finish(p, expr, inner, expr->u.index.index, NULL);
        } else {
            break;
        }
    }
    if (twc_parse_at_word(p, TWC_W_of)) {
        twc_expr *of = new_expr(p, TWC_E_OF, start);
        twc_parse_advance(p);
        of->u.of.left = expr;
        of->u.of.right = twc_parse_post(p);
        expr = finish(p, of, expr, of->u.of.right, NULL);
    }
    twc_parse_leave(p);
    return expr;
}

/* unary = "-" unary | post; a minus directly before a number belongs to the literal */
static twc_expr *parse_unary(twc_parser *p)
{
    if (!twc_parse_at(p, TWC_TOK_SUB)) return twc_parse_post(p);
    const uint32_t start = p->token.span.start;
    const bool direct = p->token.span.end == p->ahead.span.start;
    twc_expr *expr = new_expr(p, TWC_E_NEGATE, start);
    twc_parse_advance(p);
    if (direct && at_number(p)) return parse_number(p, true, start);
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return expr;
    }
    expr->u.one = parse_unary(p);
    twc_parse_leave(p);
    return finish(p, expr, expr->u.one, NULL, NULL);
}

static twc_expr *binary(twc_parser *p, twc_operator op, twc_span mark, twc_expr *left,
                        twc_expr *right)
{
    twc_expr *expr = new_expr(p, TWC_E_BINARY, left->span.start);
    expr->mark = mark;
    expr->u.binary.op = op;
    expr->u.binary.left = left;
    expr->u.binary.right = right;
    return finish(p, expr, left, right, NULL);
}

typedef struct operator_row {
    twc_operator op;
    uint8_t level;
    twc_token_kind token;
    uint16_t keyword;
} operator_row;

static const operator_row operators[] = {
#define OPERATOR(name, level, token, word, verb)                                                   \
    {TWC_OP_##name, level, TWC_TOK_##token, TWC_W_##word},
#include "compiler/operators.def"
};

enum { LEVEL_OR = 1, LEVEL_AND = 2, LEVEL_NOT = 3, LEVEL_COMPARE = 4, LEVEL_OTHERWISE = 5 };
enum { LEVEL_SUM = 6, LEVEL_MUL = 7, LEVEL_UNARY = 8 };

static twc_operator operator_at(const twc_parser *p, uint32_t level)
{
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        const operator_row *row = &operators[i];
        if (row->level != level || !twc_parse_at(p, row->token)) continue;
        if (row->token != TWC_TOK_WORD || p->token.word->keyword == row->keyword) return row->op;
    }
    return TWC_OP_NONE;
}

static twc_expr *parse_not(twc_parser *p);
static twc_expr *parse_compare(twc_parser *p);

/* or = and { "or" and } ; and = not { "and" not } ; oth = sum { "otherwise" sum } ;
 * sum = mul { ( "+" | "-" ) mul } ; mul = unary { ( "*" | "/" | "mod" ) unary } */
static twc_expr *parse_level(twc_parser *p, uint32_t level)
{
    if (level == LEVEL_NOT) return parse_not(p);
    if (level == LEVEL_COMPARE) return parse_compare(p);
    if (level == LEVEL_UNARY) return parse_unary(p);
    twc_expr *expr = parse_level(p, level + 1);
    for (;;) {
        const twc_span mark = p->token.span;
        const twc_operator op = operator_at(p, level);
        if (op == TWC_OP_NONE) return expr;
        twc_parse_advance(p);
        expr = binary(p, op, mark, expr, parse_level(p, level + 1));
    }
}

twc_expr *twc_parse_sum(twc_parser *p)
{
    return parse_level(p, LEVEL_SUM);
}

/* ( "above" | "below" ) sum [ "for" sum ] | "within" sum ".." sum [ "for" sum ] */
static twc_expr *parse_hold(twc_parser *p, twc_expr *reading)
{
    twc_expr *expr = new_expr(p, TWC_E_HOLD, reading->span.start);
    expr->u.hold.reading = reading;
    expr->u.hold.kind = twc_parse_at_word(p, TWC_W_above)   ? 1
                        : twc_parse_at_word(p, TWC_W_below) ? 2
                                                            : 3;
    twc_parse_advance(p);
    expr->u.hold.low = twc_parse_sum(p);
    if (expr->u.hold.kind == 3) {
        twc_parse_expect(p, TWC_TOK_DOTS, "`..`");
        expr->u.hold.high = twc_parse_sum(p);
    }
    finish(p, expr, reading, expr->u.hold.low, expr->u.hold.high);
    if (twc_parse_at_word(p, TWC_W_for) && !twc_parse_ahead_word(p, TWC_W_each)) {
        twc_parse_advance(p);
        expr->u.hold.duration = twc_parse_sum(p);
    }
    return finish(p, expr, expr->u.hold.duration, NULL, NULL);
}

/* [ "not" ] "in" sum [ ".." sum ] */
static twc_expr *parse_in(twc_parser *p, twc_expr *value)
{
    twc_expr *expr = new_expr(p, TWC_E_IN, value->span.start);
    const bool negated = twc_parse_accept_word(p, TWC_W_not);
    twc_parse_expect_word(p, TWC_W_in);
    twc_expr *low = twc_parse_sum(p);
    if (twc_parse_accept(p, TWC_TOK_DOTS)) {
        twc_expr *high = twc_parse_sum(p);
        expr->kind = TWC_E_RANGE;
        expr->u.range.value = value;
        expr->u.range.low = low;
        expr->u.range.high = high;
        expr->u.range.negated = negated;
        return finish(p, expr, value, low, high);
    }
    expr->u.in.value = value;
    expr->u.in.set = low;
    expr->u.in.negated = negated;
    return finish(p, expr, value, low, NULL);
}

/* cmp = oth [ comparison oth | "is" ( "some" | "none" ) | hold | "silent" "for" sum | in ] */
static twc_expr *parse_compare(twc_parser *p)
{
    twc_expr *left = parse_level(p, LEVEL_OTHERWISE);
    const twc_span mark = p->token.span;
    const twc_operator op = operator_at(p, LEVEL_COMPARE);
    if (op != TWC_OP_NONE) {
        twc_parse_advance(p);
        twc_expr *expr = binary(p, op, mark, left, parse_level(p, LEVEL_OTHERWISE));
        if (operator_at(p, LEVEL_COMPARE) != TWC_OP_NONE) {
            twc_diag_add(
                p->diags, TWC_DIAG_CHAINED_COMPARISON, p->token.span,
                "a comparison can't be compared again\nwrite `a < b and b < c`, or `b in a .. c`");
            p->panic = true;
        }
        return expr;
    }
    if (twc_parse_at_word(p, TWC_W_is)) {
        twc_expr *expr = new_expr(p, TWC_E_IS, left->span.start);
        twc_parse_advance(p);
        expr->u.is.value = left;
        expr->u.is.some = twc_parse_at_word(p, TWC_W_some);
        if (!twc_parse_accept_word(p, TWC_W_some) && !twc_parse_accept_word(p, TWC_W_none)) {
            twc_parse_expected(p, "`some` or `none`");
        }
        return finish(p, expr, left, NULL, NULL);
    }
    if (twc_parse_at_word(p, TWC_W_above) || twc_parse_at_word(p, TWC_W_below) ||
        twc_parse_at_word(p, TWC_W_within)) {
        return parse_hold(p, left);
    }
    if (twc_parse_at_word(p, TWC_W_silent)) {
        twc_expr *expr = new_expr(p, TWC_E_SILENT, left->span.start);
        twc_parse_advance(p);
        twc_parse_expect_word(p, TWC_W_for);
        expr->u.silent.reading = left;
        expr->u.silent.duration = twc_parse_sum(p);
        return finish(p, expr, left, expr->u.silent.duration, NULL);
    }
    if (twc_parse_at_word(p, TWC_W_in) ||
        (twc_parse_at_word(p, TWC_W_not) && twc_parse_ahead_word(p, TWC_W_in))) {
        return parse_in(p, left);
    }
    return left;
}

/* not = "not" not | cmp */
static twc_expr *parse_not(twc_parser *p)
{
    if (!twc_parse_at_word(p, TWC_W_not)) return parse_compare(p);
    twc_expr *expr = new_expr(p, TWC_E_NOT, p->token.span.start);
    twc_parse_advance(p);
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return expr;
    }
    expr->u.one = parse_not(p);
    twc_parse_leave(p);
    return finish(p, expr, expr->u.one, NULL, NULL);
}

/* expr = "if" expr "then" expr "else" expr | or [ "implies" expr ] */
twc_expr *twc_parse_expr(twc_parser *p)
{
    twc_expr *expr = new_expr(p, TWC_E_ERROR, p->token.span.start);
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return expr;
    }
    if (twc_parse_at_word(p, TWC_W_if)) {
        expr->kind = TWC_E_IF;
        twc_parse_advance(p);
        expr->u.choose.condition = twc_parse_expr(p);
        twc_parse_expect_word(p, TWC_W_then);
        expr->u.choose.then = twc_parse_expr(p);
        twc_parse_expect_word(p, TWC_W_else);
        expr->u.choose.other = twc_parse_expr(p);
        finish(p, expr, expr->u.choose.condition, expr->u.choose.then, expr->u.choose.other);
    } else {
        expr = parse_level(p, LEVEL_OR);
        const twc_span mark = p->token.span;
        if (twc_parse_accept_word(p, TWC_W_implies)) {
            expr = binary(p, TWC_OP_IMPLIES, mark, expr, twc_parse_expr(p));
        }
        if (twc_parse_at(p, TWC_TOK_ASSIGN)) twc_parse_expected(p, "`==`, which compares");
    }
    twc_parse_leave(p);
    return expr;
}

/* type = ( "list" "of" type "max" INT | ( "text" | "bytes" ) "(" INT ")" | NAME ) [ "?" ] */
twc_type_name *twc_parse_type(twc_parser *p)
{
    twc_type_name *type = TWC_NODE(p, twc_type_name);
    const uint32_t start = p->token.span.start;
    if (!twc_parse_enter(p)) {
        twc_parse_leave(p);
        return type;
    }
    type->word = twc_parse_name(p, "a type", NULL);
    if (!p->panic && type->word->keyword == TWC_W_list && twc_parse_at_word(p, TWC_W_of)) {
        twc_parse_advance(p);
        type->sized = true;
        type->element = twc_parse_type(p);
        twc_parse_expect_word(p, TWC_W_max);
        type->max = twc_parse_count(p, "the max of a list", 1, TW_LIST_MAX);
    } else if (!p->panic &&
               (type->word->keyword == TWC_W_text || type->word->keyword == TWC_W_bytes)) {
        type->sized = true;
        twc_parse_expect(p, TWC_TOK_PAREN_OPEN, "`(` and the most bytes it may have");
        type->max = twc_parse_count(p, "the size of a text", 1, TW_TEXT_SIZE_MAX);
        twc_parse_expect(p, TWC_TOK_PAREN_CLOSE, "`)`");
    }
    type->optional = twc_parse_accept(p, TWC_TOK_QUESTION);
    type->span = twc_parse_span(p, start);
    twc_parse_leave(p);
    return type;
}
