/* check_call -- calls and built-in functions. */
#include "compiler/check.h"

/* ------------------------------------------------------------------ arguments */

static twc_decl *field_at(twc_decl *fields, uint32_t index)
{
    while (fields != NULL && index-- > 0) fields = fields->next;
    return fields;
}

static twc_decl *field_named(twc_decl *fields, const twc_word *word)
{
    while (fields != NULL && fields->word != word) fields = fields->next;
    return fields;
}

void twc_check_args(twc_check *c, twc_arg **args, twc_decl *fields, twc_span span, const char *what)
{
    twc_arg *given[TW_MEMBERS_MAX] = {NULL};
    bool good = true;
    bool named = false;
    uint32_t index = 0;
    for (twc_arg *arg = *args; arg != NULL; arg = arg->next, index++) {
        named |= arg->name != NULL;
        twc_decl *field = named ? field_named(fields, arg->name) : field_at(fields, index);
        const bool typed = field != NULL && field->type != NULL && field->index < TW_MEMBERS_MAX;
        const char *wrong = arg->over != NULL || arg->across != NULL || arg->by != NULL
                                ? "takes no `over`, `across` or `by`: they belong to statistics"
                            : named && arg->name == NULL
                                ? "needs the names of all or the first ones"
                            : named && field == NULL               ? "has no field of this name"
                            : field == NULL                        ? "takes fewer arguments"
                            : typed && given[field->index] != NULL ? "is given this twice"
                                                                   : NULL;
        if (wrong != NULL && good) {
            twc_check_fail(c, TWC_DIAG_ARGUMENTS, arg->span, "%s %s", what, wrong);
        }
        good &= wrong == NULL && typed;
        if (wrong != NULL || !typed) {
            arg->value = twc_check_expr(c, arg->value, NULL);
            continue;
        }
        arg->field = field;
        given[field->index] = arg;
        arg->value = twc_check_value(c, arg->value, field->type, field->word->text);
    }
    twc_arg **at = args;
    for (twc_decl *field = fields; field != NULL && good; field = field->next) {
        *at = given[field->index];
        if (*at == NULL) {
            twc_check_fail(c, TWC_DIAG_ARGUMENTS, span, "%s also needs `%s`", what,
                           field->word->text);
            return;
        }
        at = &(*at)->next;
    }
    if (good) *at = NULL;
}

/* ------------------------------------------------------------------ built-ins */

typedef struct builtin_row {
    const char *spelling;
    bool test_only;
} builtin_row;

enum { EVERYWHERE = 0, TEST_ONLY = 1 };

static const builtin_row builtins[] = {
#define BUILTIN(name, spelling, place) {spelling, place},
#include "compiler/builtins.def"
};

static twc_builtin find_builtin(const twc_word *word)
{
    for (int i = 1; i < TWC_B_COUNT_; i++) {
        if (twc_check_word_is(word, builtins[i].spelling)) return (twc_builtin)i;
    }
    return TWC_B_NONE;
}

static twc_expr *wrong_argument(twc_check *c, twc_expr *expr, const twc_expr *argument,
                                const char *wanted)
{
    if (argument->type == c->error) return twc_check_is_error(c, expr);
    return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, argument->span, "`%s` takes %s, not %s",
                            expr->u.call.function->u.name.word->text, wanted,
                            twc_check_text(c, argument->type));
}

/* min, max: two of one type */
static twc_expr *check_extreme(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    twc_arg *a = expr->u.call.args;
    twc_arg *b = a->next;
    a->value = twc_check_expr(c, a->value, hint);
    b->value = twc_check_expr(c, b->value, a->value->type);
    const twc_expr *left = a->value;
    const twc_expr *right = b->value;
    if (left->type == c->error || right->type == c->error) return twc_check_is_error(c, expr);
    if (!twc_type_is_numeric(left->type)) return wrong_argument(c, expr, left, "two numbers");
    const twc_type *type = twc_check_common(c, left, right);
    if (type == NULL || !twc_type_is_numeric(type)) {
        twc_check_mismatch(c, right->span, "the second argument", left->type, right->type);
        return twc_check_is_error(c, expr);
    }
    a->value = twc_check_convert(c, a->value, type);
    b->value = twc_check_convert(c, b->value, type);
    expr->type = type;
    expr->fixed = a->value->fixed && b->value->fixed;
    expr->constant = a->value->constant && b->value->constant;
    const bool first = (expr->u.call.builtin == TWC_B_MIN) == (a->value->value < b->value->value);
    expr->value = first ? a->value->value : b->value->value;
    return expr;
}

/* abs, floor, ceil, whole */
static twc_expr *check_rounding(twc_check *c, twc_expr *expr)
{
    twc_expr *value = twc_check_expr(c, expr->u.call.args->value, NULL);
    expr->u.call.args->value = value;
    expr->fixed = value->fixed;
    expr->constant = value->constant;
    if (expr->u.call.builtin == TWC_B_ABS) {
        if (!twc_type_is_numeric(value->type) || tw_dim_is_point(value->type->dimension)) {
            return wrong_argument(c, expr, value, "an amount");
        }
        expr->type = value->type;
        expr->constant = value->constant && value->value > INT64_MIN;
        if (expr->constant) expr->value = value->value < 0 ? -value->value : value->value;
        return expr;
    }
    (void)twc_check_to_dec(c, value);
    if (value->type != c->dec) return wrong_argument(c, expr, value, "a dec");
    const tw_round round = expr->u.call.builtin == TWC_B_FLOOR  ? TW_ROUND_DOWN
                           : expr->u.call.builtin == TWC_B_CEIL ? TW_ROUND_UP
                                                                : TW_ROUND_ZERO;
    expr->type = c->integer;
    if (value->constant) (void)tw_div_round(value->value, TW_DEC_SCALE, round, &expr->value);
    return expr;
}

/* round_down, round_up: turn the one rounding of the product, quotient or `of` inside */
static twc_expr *check_turn(twc_check *c, twc_expr *expr)
{
    twc_expr *value = expr->u.call.args->value;
    const tw_round round = expr->u.call.builtin == TWC_B_ROUND_DOWN ? TW_ROUND_DOWN : TW_ROUND_UP;
    if (value->kind == TWC_E_BINARY || value->kind == TWC_E_OF) value->turned = (uint8_t)round;
    value = twc_check_expr(c, value, NULL);
    if (value->type == c->error) return value;
    const bool rounds =
        value->kind == TWC_E_BINARY &&
        (value->u.binary.arith == TWC_ARITH_MULDIV || value->u.binary.arith == TWC_ARITH_SCALEDIV);
    if (!rounds) {
        return twc_check_refuse(c, expr, TWC_DIAG_NO_ROUNDING, expr->span,
                                "there is no product, quotient or `of` to round here\nwrite it "
                                "directly around one, as `round_down(a / b)`");
    }
    return value;
}

/* A time is milliseconds since 1970: the way to a calendar. */
static twc_expr *check_since(twc_check *c, twc_expr *expr)
{
    twc_arg *arg = expr->u.call.args;
    arg->value = twc_check_value(c, arg->value, c->time, "the time");
    expr->type = c->duration;
    return arg->value->type != c->error ? expr : twc_check_is_error(c, expr);
}

static twc_expr *check_hash(twc_check *c, twc_expr *expr)
{
    twc_expr *value = twc_check_expr(c, expr->u.call.args->value, NULL);
    expr->u.call.args->value = value;
    const bool twin = expr->u.call.builtin == TWC_B_TWIN_ID;
    const bool sized =
        value->type->kind == TWC_TYPE_TEXT || (value->type->kind == TWC_TYPE_BYTES && !twin);
    if (!sized || (twin && value->kind != TWC_E_TEXT)) {
        return wrong_argument(c, expr, value, twin ? "a text in quotes" : "a text or bytes");
    }
    expr->fixed = value->fixed;
    expr->type = twin ? c->twin : c->hash;
    return expr;
}

static twc_expr *check_member(twc_check *c, twc_expr *expr)
{
    twc_arg *args = expr->u.call.args;
    expr->type = c->boolean;
    if (!(c->can & (TWC_CAN_ROLE | TWC_CAN_TEST))) {
        twc_check_fail(c, TWC_DIAG_NOT_HERE, expr->span, "%s can't use roles", c->where);
        return expr;
    }
    if (args->value->kind != TWC_E_NAME) {
        return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, args->span,
                                "`member` takes a role and an account");
    }
    expr->u.call.decl = twc_check_find(c, args->value->u.name.word, args->value->span, TWC_D_ROLE);
    args->next->value = twc_check_value(c, args->next->value, c->account, "the second argument");
    return expr;
}

/* count(history of x) */
static twc_expr *count_history(twc_check *c, twc_expr *expr, twc_expr *of)
{
    twc_expr *thing = twc_check_thing(c, of->u.of.right, "`history of`");
    of->u.of.right = thing;
    of->u.of.which = TWC_OF_HISTORY;
    of->type = c->integer;
    return thing->type != c->error ? expr : twc_check_is_error(c, expr);
}

/* count(list); in tests count(history) and events(E), gas(action), bound(action) */
static twc_expr *check_counted(twc_check *c, twc_expr *expr)
{
    twc_arg *arg = expr->u.call.args;
    const twc_builtin which = expr->u.call.builtin;
    const bool name = arg->value->kind == TWC_E_NAME;
    expr->type = c->integer;
    if (which == TWC_B_COUNT) {
        if (name && (c->can & TWC_CAN_TEST) && arg->value->u.name.word->keyword == TWC_W_history) {
            expr->u.call.args = NULL;
            return expr;
        }
        twc_of which_of = TWC_OF_OWNER;
        if (arg->value->kind == TWC_E_OF && (c->can & TWC_CAN_TEST) &&
            twc_check_is_thing_word(arg->value->u.of.left, &which_of) &&
            which_of == TWC_OF_HISTORY) {
            return count_history(c, expr, arg->value);
        }
        twc_decl *store = twc_check_store(c, arg->value);
        if (store != NULL) return twc_check_count(c, expr, store);
        arg->value = twc_check_part(c, arg->value, NULL);
        if (arg->value->type->kind == TWC_TYPE_LIST) return expr;
        return wrong_argument(c, expr, arg->value, "a list or a map");
    }
    if (!name) {
        return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, arg->span, "`%s` takes the name of %s",
                                builtins[which].spelling,
                                which == TWC_B_EVENTS ? "an event" : "an action");
    }
    const bool event = which == TWC_B_EVENTS;
    expr->u.call.decl = twc_check_find(c, arg->value->u.name.word, arg->value->span,
                                       event ? TWC_D_EVENT : TWC_D_ACTION);
    return expr;
}

static twc_expr *check_builtin(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    const twc_builtin which = expr->u.call.builtin;
    const uint32_t wanted =
        which == TWC_B_MIN || which == TWC_B_MAX || which == TWC_B_MEMBER ? 2 : 1;
    expr->u.call.callee = TWC_CALL_BUILTIN;
    if (which == TWC_B_TOP) return twc_check_top(c, expr);
    for (const twc_arg *arg = expr->u.call.args; arg != NULL; arg = arg->next) {
        if (arg->over != NULL && twc_check_reading(c, arg->value, true) == NULL) {
            return twc_check_is_error(c, expr);
        }
        if (arg->over != NULL || arg->across != NULL || arg->by != NULL || arg->name != NULL) {
            return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, arg->span,
                                    "`%s` takes plain values", builtins[which].spelling);
        }
    }
    if (which == TWC_B_SUM || which == TWC_B_BALANCE || which == TWC_B_CIRCULATING ||
        which == TWC_B_GAIN || which == TWC_B_MINTED) {
        return twc_check_money_call(c, expr);
    }
    if (expr->u.call.count != wanted) {
        return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, expr->mark,
                                "`%s` takes %u argument%s, not %u", builtins[which].spelling,
                                wanted, wanted == 1 ? "" : "s", expr->u.call.count);
    }
    if (which <= TWC_B_MAX) return check_extreme(c, expr, hint);
    if (which <= TWC_B_WHOLE) return check_rounding(c, expr);
    if (which <= TWC_B_ROUND_UP) return check_turn(c, expr);
    if (which <= TWC_B_TWIN_ID) return check_hash(c, expr);
    if (which == TWC_B_SINCE_1970) return check_since(c, expr);
    return which == TWC_B_MEMBER ? check_member(c, expr) : check_counted(c, expr);
}

/* ------------------------------------------------------------------ calls */

static twc_expr *call_declared(twc_check *c, twc_expr *expr, twc_decl *decl)
{
    const twc_span name = expr->u.call.function->span;
    expr->u.call.decl = decl;
    decl->used = true;
    if (decl->bad) return twc_check_is_error(c, expr);
    if (decl->kind == TWC_D_RECORD) {
        expr->u.call.callee = TWC_CALL_RECORD;
        expr->type = decl->type;
        twc_check_args(c, &expr->u.call.args, decl->u.fields.fields, name, decl->word->text);
        expr->fixed = true;
        for (const twc_arg *a = expr->u.call.args; a != NULL; a = a->next) {
            expr->fixed &= a->value->fixed;
        }
        return expr;
    }
    const bool view = decl->kind == TWC_D_VIEW && (c->can & TWC_CAN_TEST);
    const bool later = decl->library ? c->function != NULL && c->function->index < decl->index
                                     : decl->span.start > name.start;
    if (decl->kind == TWC_D_FN && (decl == c->function || later)) {
        twc_check_fail_at(
            c, TWC_DIAG_RECURSION, name, decl, "`%s` %s", decl->word->text,
            decl == c->function
                ? "calls itself\nevery contract ends: use `repeat n times`"
                : "is declared further down\nmove the fn up: it stands before its uses");
        return twc_check_is_error(c, expr);
    }
    if (decl->kind != TWC_D_FN && !view) {
        twc_check_fail_at(c, TWC_DIAG_NOT_CALLABLE, name, decl, "`%s` can't be called here",
                          decl->word->text);
        return twc_check_is_error(c, expr);
    }
    expr->u.call.callee = view ? TWC_CALL_VIEW : TWC_CALL_FN;
    expr->type = decl->u.entry->result != NULL ? decl->u.entry->result : c->error;
    twc_check_args(c, &expr->u.call.args, decl->u.entry->params, name, decl->word->text);
    return expr;
}

twc_expr *twc_check_call(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    const twc_expr *function = expr->u.call.function;
    if (function->kind != TWC_E_NAME) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_CALLABLE, function->span,
                                "this can't be called");
    }
    twc_word *word = function->u.name.word;
    if (word->local == NULL && word->global != NULL) return call_declared(c, expr, word->global);
    const twc_builtin which = find_builtin(word);
    bool is_statistic = false;
    expr = twc_check_statistic(c, expr, which == TWC_B_NONE, &is_statistic);
    if (is_statistic) return expr;
    if (which == TWC_B_NONE) {
        twc_check_undeclared(c, word, function->span, "function");
        return twc_check_is_error(c, expr);
    }
    if (builtins[which].test_only && !(c->can & TWC_CAN_TEST)) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_HERE, expr->mark, "`%s` is for tests only",
                                word->text);
    }
    expr->u.call.builtin = which;
    return check_builtin(c, expr, hint);
}
