/* check_expr -- names, operators other than arithmetic, and conversions.
 *
 * twc_check_expr narrows: a path known to hold a value gets an UNWRAP node and the inner type.
 * twc_check_raw leaves the outermost optional as it is, for `is`, `match`, `otherwise` and places.
 */
#include "compiler/check.h"

#include <assert.h>
#include <string.h>

twc_expr *twc_check_is_error(twc_check *c, twc_expr *expr)
{
    /* nothing becomes an error without having been reported */
    assert(c->diags->error_count > 0 || c->types.full || tw_arena_failed(c->arena));
    expr->type = c->error;
    expr->constant = false;
    return expr;
}

static twc_expr *convert(twc_check *c, twc_expr *value, twc_conversion how, const twc_type *type)
{
    twc_expr *expr = TW_NEW(c->arena, twc_expr);
    if (expr == NULL) return twc_check_is_error(c, value);
    *expr = (twc_expr){.kind = TWC_E_CONVERT, .span = value->span, .mark = value->mark};
    expr->type = type;
    expr->next = value->next;
    expr->fixed = value->fixed;
    expr->u.convert.value = value;
    expr->u.convert.conversion = how;
    return expr;
}

twc_expr *twc_check_narrow(twc_check *c, twc_expr *path)
{
    if (path->type->kind != TWC_TYPE_OPTIONAL || !twc_flow_knows(c, path)) return path;
    return convert(c, path, TWC_CONV_UNWRAP, path->type->element);
}

/* What to write instead where these two types meet. */
static const char *type_help(const twc_check *c, const twc_type *wanted, const twc_type *found)
{
    if (found->kind == TWC_TYPE_OPTIONAL) {
        return "it may be none: write `x otherwise d`, or test `x is some` before";
    }
    if (twc_type_is(wanted, TW_DIM_TEMPERATURE) && twc_type_is(found, TW_DIM_TEMP_DIFF)) {
        return "K is a difference; a point on the scale is written in °C";
    }
    if (twc_type_is(wanted, TW_DIM_TEMP_DIFF) && twc_type_is(found, TW_DIM_TEMPERATURE)) {
        return "°C is a point on the scale; a difference is written in K";
    }
    if (twc_type_is(wanted, TW_DIM_FREQUENCY) && twc_type_is(found, TW_DIM_ROTATION)) {
        return "1 rpm is 1/60 Hz, no whole number of mHz: use rotation, or Hz";
    }
    if (wanted == c->dec && found == c->integer) {
        return "an int value is no dec: multiply it by 1.0";
    }
    if (!twc_type_is_numeric(wanted) || !twc_type_is_numeric(found)) return "";
    if (wanted->kind == TWC_TYPE_MONEY || found->kind == TWC_TYPE_MONEY) {
        return wanted->kind == found->kind
                   ? "one money never becomes another"
                   : "an amount of money is written with its name, as `5 EUR`";
    }
    return wanted == c->integer || found == c->integer
               ? "a quantity needs its unit, as `7.1 mm/s` or `10 min`"
               : "units of different kinds never convert";
}

void twc_check_mismatch(twc_check *c, twc_span span, const char *what, const twc_type *wanted,
                        const twc_type *found)
{
    if (wanted->kind == TWC_TYPE_ERROR || found->kind == TWC_TYPE_ERROR) return;
    const bool opens = found->kind == TWC_TYPE_OPTIONAL && wanted == found->element;
    twc_check_fail(c, opens ? TWC_DIAG_NOT_OPENED : TWC_DIAG_TYPE_MISMATCH, span,
                   "%s must be %s, but this is %s\n%s", what, twc_check_text(c, wanted),
                   twc_check_text(c, found), type_help(c, wanted, found));
}

/* ------------------------------------------------------------------ conversions */

static bool is_sized(const twc_type *type)
{
    return type->kind == TWC_TYPE_TEXT || type->kind == TWC_TYPE_BYTES ||
           type->kind == TWC_TYPE_LIST;
}

static bool widens(const twc_type *from, const twc_type *to)
{
    return is_sized(from) && from->kind == to->kind && from->element == to->element &&
           from->max <= to->max;
}

/* A list literal takes the type wanted when its elements do. */
static bool convert_literal(twc_check *c, twc_expr *list, const twc_type *type)
{
    if (list->kind != TWC_E_LIST || list->u.list.count > type->max) return false;
    for (twc_expr **at = &list->u.list.first; *at != NULL; at = &(*at)->next) {
        twc_expr *next = (*at)->next;
        twc_expr *converted = twc_check_convert(c, *at, type->element);
        if (converted == NULL) return false;
        *at = converted;
        converted->next = next;
    }
    list->type = type;
    return true;
}

twc_expr *twc_check_convert(twc_check *c, twc_expr *expr, const twc_type *type)
{
    const twc_type *from = expr->type;
    if (from == type || from == c->error || type == c->error) return expr;
    if (type == c->dec && twc_check_to_dec(c, expr)) return expr;
    if (from == c->none && type->kind == TWC_TYPE_OPTIONAL) {
        expr->type = type;
        return expr;
    }
    if (expr->kind == TWC_E_TEXT && type->kind == TWC_TYPE_TEXT && from->max <= type->max) {
        expr->type = type;
        return expr;
    }
    if (type->kind == TWC_TYPE_LIST && convert_literal(c, expr, type)) return expr;
    if (widens(from, type)) return convert(c, expr, TWC_CONV_SIZE, type);
    if (type->kind != TWC_TYPE_OPTIONAL) return NULL;
    if (from->kind == TWC_TYPE_OPTIONAL) {
        if (!widens(from->element, type->element)) return NULL;
        twc_expr *inner = convert(c, expr, TWC_CONV_INNER, type);
        if (inner->kind == TWC_E_CONVERT) inner->u.convert.inner = TWC_CONV_SIZE;
        return inner;
    }
    twc_expr *payload = twc_check_convert(c, expr, type->element);
    return payload != NULL ? convert(c, payload, TWC_CONV_SOME, type) : NULL;
}

const twc_type *twc_check_common(twc_check *c, const twc_expr *a, const twc_expr *b)
{
    for (int turn = 0; turn < 2; turn++) {
        const twc_type *from = turn == 0 ? a->type : b->type;
        const twc_type *to = turn == 0 ? b->type : a->type;
        const twc_expr *literal = turn == 0 ? a : b;
        if (from == to || from == c->error) return to;
        if (literal->kind == TWC_E_NUMBER && from == c->integer && to == c->dec) return to;
        if (widens(from, to)) return to;
        if (from == c->none) return twc_type_optional(&c->types, to);
        if (to->kind != TWC_TYPE_OPTIONAL) continue;
        if (from == to->element || widens(from, to->element)) return to;
        if (literal->kind == TWC_E_NUMBER && from == c->integer && to->element == c->dec) return to;
        if (from->kind == TWC_TYPE_OPTIONAL && widens(from->element, to->element)) return to;
    }
    return NULL;
}

static bool is_value(const twc_type *type)
{
    return type->kind != TWC_TYPE_NOTHING && type->kind != TWC_TYPE_ASSET;
}

twc_expr *twc_check_value(twc_check *c, twc_expr *expr, const twc_type *type, const char *what)
{
    expr = twc_check_expr(c, expr, type);
    if (expr->type == c->error || type == c->error) return expr;
    twc_expr *converted = twc_check_convert(c, expr, type);
    if (converted != NULL) return converted;
    const twc_type *wanted = type->kind == TWC_TYPE_OPTIONAL ? type->element : type;
    if (expr->kind == TWC_E_TEXT && wanted->kind == TWC_TYPE_TEXT) {
        twc_check_fail(
            c, TWC_DIAG_TEXT_TOO_LONG, expr->span,
            "%s has room for %u bytes, but this text has %u\nshorten the text, or declare text(%u)",
            what, wanted->max, expr->type->max, expr->type->max);
    } else {
        twc_check_mismatch(c, expr->span, what, type, expr->type);
    }
    return twc_check_is_error(c, expr);
}

twc_expr *twc_check_bool(twc_check *c, twc_expr *expr, const char *what)
{
    return twc_check_value(c, expr, c->boolean, what);
}

twc_expr *twc_check_constant(twc_check *c, twc_expr *expr, const twc_type *type, const char *what)
{
    expr = twc_check_value(c, expr, type, what);
    if (expr->type == c->error || expr->constant) return expr;
    const bool literal = expr->kind == TWC_E_TEXT || expr->kind == TWC_E_NONE ||
                         expr->kind == TWC_E_LIST || expr->kind == TWC_E_CALL ||
                         expr->kind == TWC_E_CONVERT;
    if (!literal || !expr->fixed) {
        twc_check_fail(c, TWC_DIAG_NOT_CONSTANT, expr->span,
                       "%s must be a constant: literals and arithmetic on them", what);
    }
    return expr;
}

twc_expr *twc_check_fixed(twc_check *c, twc_expr *expr, const twc_type *type, const char *what)
{
    const uint32_t can = c->can;
    expr = twc_check_value(c, expr, type, what);
    c->can = can;
    if (expr->type == c->error || expr->fixed) return expr;
    return twc_check_refuse(c, expr, TWC_DIAG_NOT_FIXED, expr->span,
                            "%s must be known when the contract is deployed: literals, params and "
                            "arithmetic on them",
                            what);
}

/* ------------------------------------------------------------------ names */

static twc_expr *role_name(twc_check *c, twc_expr *expr, twc_decl *role)
{
    role->used = true;
    expr->type = c->nothing;
    if (c->can & TWC_CAN_TEST) {
        twc_actor *actor = TW_NEW(c->arena, twc_actor);
        if (actor == NULL) return twc_check_is_error(c, expr);
        *actor = (twc_actor){.name = role->word, .span = expr->span, .role = role};
        actor->first = 1;
        actor->last = 1;
        expr->kind = TWC_E_ACTOR;
        expr->u.actor = actor;
        expr->type = c->account;
        return expr;
    }
    if (!twc_check_may(c, expr->span, TWC_CAN_ROLE)) return twc_check_is_error(c, expr);
    if (role->u.role.max != 1) {
        return twc_check_refuse(
            c, expr, TWC_DIAG_NOT_A_VALUE, expr->span,
            "role `%s` has several members, so it is no account\ntest `member(%s, who)`",
            role->word->text, role->word->text);
    }
    const twc_type *type =
        role->u.role.revoked ? twc_type_optional(&c->types, c->account) : c->account;
    return convert(c, expr, TWC_CONV_HOLDER, type);
}

static twc_expr *not_a_value(twc_check *c, twc_expr *expr, const twc_decl *decl)
{
    const char *help = "";
    const char *name = expr->u.name.word->text;
    if (decl->bad) return twc_check_is_error(c, expr);
    if (decl->kind == TWC_D_READING) {
        help = "take a statistic of it, as `last(x)` or `max(x over 10 min)`, or `x above 7 mm/s`";
    } else if (decl->kind == TWC_D_MAP || decl->kind == TWC_D_REGISTRY) {
        help = "`x[k]` is the value of a key; there are `k in x`, `count(x)`, `for each e in x`";
    } else if (decl->kind == TWC_D_FN || decl->kind == TWC_D_RECORD) {
        help = "write its arguments behind it in parentheses";
    }
    twc_check_fail_at(c, TWC_DIAG_NOT_A_VALUE, expr->span, decl, "`%s` is not a value\n%s", name,
                      help);
    return twc_check_is_error(c, expr);
}

static twc_expr *member_name(twc_check *c, twc_expr *expr, twc_decl *decl)
{
    const twc_decl_kind kind = decl->kind;
    decl->used = true;
    if (decl->bad) return twc_check_is_error(c, expr);
    if (kind == TWC_D_ROLE) return role_name(c, expr, decl);
    if (kind == TWC_D_PURSE) return twc_check_purse_name(c, expr, decl);
    const uint32_t needed = kind == TWC_D_PARAM   ? TWC_CAN_PARAM
                            : kind == TWC_D_VAR   ? TWC_CAN_VAR
                            : kind == TWC_D_ALARM ? TWC_CAN_ALARM
                                                  : 0;
    const bool constant = kind == TWC_D_PHASE || kind == TWC_D_ENUM_VALUE;
    if (needed == 0 && !constant && kind != TWC_D_LOCAL && kind != TWC_D_FIELD) {
        return not_a_value(c, expr, decl);
    }
    if (needed != 0 && !twc_check_may(c, expr->span, needed)) return twc_check_is_error(c, expr);
    expr->type = decl->type != NULL ? decl->type : c->error;
    expr->fixed = constant || kind == TWC_D_PARAM;
    expr->constant = constant;
    if (constant) expr->value = decl->index;
    return expr;
}

/* `old.x` outside of `migrate`, where `old` is a local: a field of it, which the parser could not
 * know. */
static twc_expr *field_of_old(twc_check *c, twc_expr *expr)
{
    twc_word *old = twc_word_of(c->words, "old", 3);
    const twc_word *word = expr->u.name.word;
    if (c->migrating || strncmp(word->text, "old.", 4) != 0 || old == NULL) return NULL;
    twc_expr *object = old->local != NULL ? TW_NEW(c->arena, twc_expr) : NULL;
    if (object == NULL) return NULL;
    *object = (twc_expr){.kind = TWC_E_NAME, .span = expr->span, .height = 1};
    object->span.end = object->span.start + 3;
    object->mark = object->span;
    object->u.name.word = old;
    expr->kind = TWC_E_FIELD;
    expr->u.field.word = twc_word_of(c->words, word->text + 4, word->size - 4);
    expr->u.field.object = object;
    expr->u.field.decl = NULL;
    return expr;
}

static twc_expr *check_field(twc_check *c, twc_expr *expr);

static twc_expr *check_name(twc_check *c, twc_expr *expr)
{
    static const uint32_t needed[] = {TWC_CAN_CLOCK, TWC_CAN_CALLER, TWC_CAN_PHASE, TWC_CAN_CLOCK};
    if (field_of_old(c, expr) != NULL) return check_field(c, expr);
    twc_word *word = expr->u.name.word;
    twc_decl *decl = word->local != NULL ? word->local : word->global;
    expr->u.name.decl = decl;
    if (decl != NULL) return member_name(c, expr, decl);
    for (int i = 0; i < TWC_V_COUNT; i++) {
        if (c->values[i].word != word) continue;
        expr->u.name.decl = &c->values[i];
        expr->type = c->values[i].type;
        return twc_check_may(c, expr->span, needed[i]) ? expr : twc_check_is_error(c, expr);
    }
    twc_check_undeclared(c, word, expr->span, "name");
    return twc_check_is_error(c, expr);
}

/* ------------------------------------------------------------------ parts of values */

static twc_expr *check_field(twc_check *c, twc_expr *expr)
{
    if (twc_check_is_key(c, expr)) return expr;
    twc_expr *object = twc_check_part(c, expr->u.field.object, NULL);
    const twc_word *word = expr->u.field.word;
    expr->u.field.object = object;
    if (object->type == c->error) return twc_check_is_error(c, expr);
    if (object->type->kind == TWC_TYPE_OPTIONAL) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_OPENED, object->span,
                                "this is %s: it may be none, so it has no field `%s` yet\ntest it "
                                "first, as `needs x is some`, or use `match`",
                                twc_check_text(c, object->type), word->text);
    }
    if (object->type->kind != TWC_TYPE_RECORD && object->type->kind != TWC_TYPE_ASSET) {
        return twc_check_refuse(c, expr, TWC_DIAG_NO_FIELD, expr->mark, "%s has no fields",
                                twc_check_text(c, object->type));
    }
    twc_decl *record = object->type->decl;
    for (twc_decl *field = record->u.fields.fields; field != NULL; field = field->next) {
        if (field->word != word) continue;
        expr->u.field.decl = field;
        expr->type = field->type != NULL ? field->type : c->error;
        return expr;
    }
    if (!record->bad) {
        twc_check_fail_at(c, TWC_DIAG_NO_FIELD, expr->mark, record, "%s %s has no field `%s`",
                          record->kind == TWC_D_ASSET ? "asset" : "record", record->word->text,
                          word->text);
    }
    return twc_check_is_error(c, expr);
}

static twc_expr *check_index(twc_check *c, twc_expr *expr)
{
    if (twc_check_is_purse(expr)) return twc_check_purse_index(c, expr);
    twc_decl *store = twc_check_store(c, expr->u.index.object);
    if (store != NULL) return twc_check_element(c, expr, store);
    twc_expr *object = twc_check_part(c, expr->u.index.object, NULL);
    expr->u.index.object = object;
    if (object->type == c->error) return twc_check_is_error(c, expr);
    if (object->type->kind != TWC_TYPE_LIST) {
        return twc_check_refuse(c, expr, TWC_DIAG_NO_FIELD, expr->mark, "%s has no elements",
                                twc_check_text(c, object->type));
    }
    if (twc_check_is_things(object->type)) return twc_check_thing_index(c, expr);
    expr->u.index.index = twc_check_value(c, expr->u.index.index, c->integer, "an index");
    expr->type = object->type->element;
    const twc_expr *index = expr->u.index.index;
    if (!index->constant || (index->value >= 0 && index->value < object->type->max)) return expr;
    return twc_check_refuse(c, expr, TWC_DIAG_ALWAYS_TRAPS, index->span,
                            "this is always outside of the list: its indexes are 0 .. %u",
                            object->type->max - 1);
}

static twc_expr *check_list(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    if (hint != NULL && hint->kind == TWC_TYPE_OPTIONAL) hint = hint->element;
    const twc_type *element = hint != NULL && hint->kind == TWC_TYPE_LIST ? hint->element : NULL;
    uint32_t count = 0;
    expr->fixed = true;
    for (twc_expr **at = &expr->u.list.first; *at != NULL; at = &(*at)->next, count++) {
        twc_expr *next = (*at)->next;
        if (element == NULL) {
            *at = twc_check_expr(c, *at, NULL);
            element = (*at)->type;
        } else {
            *at = twc_check_value(c, *at, element, "an element of the list");
        }
        (*at)->next = next;
        expr->fixed &= (*at)->fixed;
    }
    if (element == NULL && hint == c->error) return twc_check_is_error(c, expr);
    if (element == NULL) {
        return twc_check_refuse(c, expr, TWC_DIAG_UNKNOWN_TYPE, expr->span,
                                "nothing says of what type the elements of `[]` are");
    }
    if (!is_value(element) && count > 0) return twc_check_is_error(c, expr);
    const bool fits = hint != NULL && hint->kind == TWC_TYPE_LIST && count <= hint->max;
    expr->type = fits ? hint : twc_type_list(&c->types, element, count > 0 ? count : 1);
    return expr;
}

/* ------------------------------------------------------------------ operators */

/* Brings both sides to their common type; false after an error. */
static bool make_common(twc_check *c, twc_span mark, twc_expr **left, twc_expr **right,
                        const char *verb)
{
    if ((*left)->type == c->error || (*right)->type == c->error) return false;
    const twc_type *type = twc_check_common(c, *left, *right);
    if (type == NULL) {
        twc_check_fail(c, TWC_DIAG_OPERANDS, mark, "%s can't be %s %s\n%s",
                       twc_check_text(c, (*left)->type), verb, twc_check_text(c, (*right)->type),
                       type_help(c, (*left)->type, (*right)->type));
        return false;
    }
    *left = twc_check_convert(c, *left, type);
    *right = twc_check_convert(c, *right, type);
    assert(*left != NULL && *right != NULL);
    return (*left)->type != c->error && (*right)->type != c->error;
}

static bool has_equality(const twc_type *type)
{
    if (type->kind == TWC_TYPE_OPTIONAL) type = type->element;
    return type->kind != TWC_TYPE_RECORD && type->kind != TWC_TYPE_LIST && is_value(type) &&
           type->kind != TWC_TYPE_NONE;
}

static twc_expr *check_comparison(twc_check *c, twc_expr *expr)
{
    const twc_operator op = expr->u.binary.op;
    const bool equality = op == TWC_OP_EQ || op == TWC_OP_NE;
    twc_expr **left = &expr->u.binary.left;
    twc_expr **right = &expr->u.binary.right;
    *left = twc_check_expr(c, *left, NULL);
    *right = twc_check_expr(c, *right, (*left)->type);
    expr->type = c->boolean;
    if (!make_common(c, expr->mark, left, right, "compared with")) return expr;
    const twc_type *type = (*left)->type;
    const bool ordered = twc_type_is_numeric(type) || type->kind == TWC_TYPE_TEXT;
    if (equality ? !has_equality(type) : !ordered) {
        twc_check_fail(c, TWC_DIAG_OPERANDS, expr->mark, "%s can't be compared%s\n%s",
                       twc_check_text(c, type), equality ? "" : " by size",
                       type_help(c, c->boolean, type));
        return expr;
    }
    twc_check_compare_constants(expr);
    return expr;
}

static twc_expr *check_logic(twc_check *c, twc_expr *expr)
{
    const twc_operator op = expr->u.binary.op;
    static const char *const what[] = {
        [TWC_OP_OR] = "a side of `or`",
        [TWC_OP_AND] = "a side of `and`",
        [TWC_OP_IMPLIES] = "a side of `implies`",
    };
    const twc_fact *before = c->facts;
    expr->u.binary.left = twc_check_bool(c, expr->u.binary.left, what[op]);
    c->facts = twc_flow_learn(c, c->facts, expr->u.binary.left, op != TWC_OP_OR);
    expr->u.binary.right = twc_check_bool(c, expr->u.binary.right, what[op]);
    c->facts = before;
    expr->type = c->boolean;
    twc_check_compare_constants(expr);
    return expr;
}

static twc_expr *check_otherwise(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    twc_expr *left = twc_check_raw(c, expr->u.binary.left, hint);
    expr->u.binary.left = left;
    const bool optional = left->type->kind == TWC_TYPE_OPTIONAL;
    twc_expr *right =
        twc_check_expr(c, expr->u.binary.right, optional ? left->type->element : hint);
    expr->u.binary.right = right;
    if (left->type == c->error || right->type == c->error) return twc_check_is_error(c, expr);
    if (!optional) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_OPTIONAL, left->span,
                                "this is %s, which is never none\nleave out `otherwise`",
                                twc_check_text(c, left->type));
    }
    const bool chained = right->type->kind == TWC_TYPE_OPTIONAL || right->type == c->none;
    const twc_type *type = chained ? left->type : left->type->element;
    twc_expr *converted = twc_check_convert(c, right, type);
    if (converted == NULL) {
        twc_check_mismatch(c, right->span, "the value behind `otherwise`", type, right->type);
        return twc_check_is_error(c, expr);
    }
    expr->u.binary.right = converted;
    expr->type = type;
    return expr;
}

static twc_expr *check_binary(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    const twc_operator op = expr->u.binary.op;
    if (op <= TWC_OP_IMPLIES) return check_logic(c, expr);
    if (op < TWC_OP_OTHERWISE) return check_comparison(c, expr);
    if (op == TWC_OP_OTHERWISE) return check_otherwise(c, expr, hint);
    expr->u.binary.left = twc_check_expr(c, expr->u.binary.left, NULL);
    expr->u.binary.right = twc_check_expr(c, expr->u.binary.right, NULL);
    return twc_check_arith(c, expr);
}

static twc_expr *check_of(twc_check *c, twc_expr *expr)
{
    twc_expr *left = expr->u.of.left;
    twc_expr *right = expr->u.of.right;
    const twc_word *word = left->kind == TWC_E_NAME ? left->u.name.word : NULL;
    if (word != NULL && word->global == NULL && word->local == NULL &&
        twc_check_word_is(word, "rest")) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_HERE, expr->span,
                                "`rest of` a purse stands only behind `pay`\nwrite `pay rest of p "
                                "to a`; what p holds is `p`");
    }
    twc_of which = TWC_OF_OWNER;
    if (twc_check_is_thing_word(left, &which)) return twc_check_thing_of(c, expr, which);
    if (twc_check_reading(c, left, false) != NULL) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_A_VALUE, expr->span,
                                "the readings of a device are no value\ntake a statistic, as "
                                "`last(x of k)` or `max(x of k over 10 min)`");
    }
    expr->kind = TWC_E_BINARY;
    expr->u.binary.op = TWC_OP_PERCENT_OF;
    expr->u.binary.left = left;
    expr->u.binary.right = right;
    return check_binary(c, expr, NULL);
}

static twc_expr *check_is(twc_check *c, twc_expr *expr)
{
    twc_expr *value = twc_check_raw(c, expr->u.is.value, NULL);
    expr->u.is.value = value;
    expr->type = c->boolean;
    if (value->type == c->error || value->type->kind == TWC_TYPE_OPTIONAL) return expr;
    twc_check_fail(c, TWC_DIAG_NOT_OPTIONAL, value->span, "this is %s, which is never none",
                   twc_check_text(c, value->type));
    return expr;
}

static twc_expr *check_range(twc_check *c, twc_expr *expr)
{
    twc_expr *value = twc_check_expr(c, expr->u.range.value, NULL);
    twc_expr *low = twc_check_expr(c, expr->u.range.low, NULL);
    twc_expr *high = twc_check_expr(c, expr->u.range.high, NULL);
    expr->type = c->boolean;
    const bool good = make_common(c, low->span, &value, &low, "compared with") &&
                      make_common(c, high->span, &value, &high, "compared with") &&
                      make_common(c, low->span, &value, &low, "compared with");
    expr->u.range.value = value;
    expr->u.range.low = low;
    expr->u.range.high = high;
    if (!good) return expr;
    if (!twc_type_is_numeric(value->type)) {
        twc_check_fail(c, TWC_DIAG_OPERANDS, expr->mark, "%s can't be compared by size",
                       twc_check_text(c, value->type));
    } else if (low->constant && high->constant && low->value > high->value) {
        twc_check_fail(c, TWC_DIAG_EMPTY_RANGE, low->span,
                       "the range is empty: its start is above its end");
    }
    expr->fixed = value->fixed && low->fixed && high->fixed;
    return expr;
}

static twc_expr *check_in(twc_check *c, twc_expr *expr)
{
    twc_decl *store = twc_check_store(c, expr->u.in.set);
    if (store != NULL) return twc_check_key_in(c, expr, store);
    twc_expr *value = twc_check_expr(c, expr->u.in.value, NULL);
    expr->u.in.value = value;
    expr->type = c->boolean;
    twc_expr *set = expr->u.in.set;
    if (set->kind == TWC_E_LIST && set->u.list.first != NULL) {
        const twc_type *wanted = twc_type_list(&c->types, value->type, set->u.list.count);
        set = twc_check_expr(c, set, is_value(value->type) ? wanted : NULL);
    } else {
        set = twc_check_part(c, set, NULL);
    }
    expr->u.in.set = set;
    if (value->type == c->error || set->type == c->error) return expr;
    if (set->type->kind != TWC_TYPE_LIST) {
        twc_check_fail(c, TWC_DIAG_OPERANDS, set->span,
                       "`in` needs a list or a range, not %s\nwrite `x in [A, B]` or `x in 1 .. 5`",
                       twc_check_text(c, set->type));
        return expr;
    }
    const twc_type *element = set->type->element; /* of things: their keys */
    if (element->kind == TWC_TYPE_ASSET) element = twc_check_thing_key(c, element);
    twc_expr *converted = twc_check_convert(c, value, element);
    if (converted == NULL || !has_equality(element)) {
        twc_check_mismatch(c, value->span, "what is looked for", element, value->type);
        return expr;
    }
    expr->u.in.value = converted;
    return expr;
}

static twc_expr *check_not(twc_check *c, twc_expr *expr)
{
    twc_expr *one = twc_check_bool(c, expr->u.one, "what stands behind `not`");
    expr->u.one = one;
    expr->type = c->boolean;
    expr->fixed = one->fixed;
    expr->constant = one->constant;
    expr->value = !one->value;
    if (one->kind == TWC_E_HOLD && one->type != c->error) {
        twc_check_fail(c, TWC_DIAG_NOT_HOLD, expr->span,
                       "`not` directly before a condition over a reading: it would also be true "
                       "without any reading\nwrite the opposite condition: `below` for `above`");
    }
    return expr;
}

static twc_expr *check_if(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    const twc_fact *before = c->facts;
    twc_expr *condition = twc_check_bool(c, expr->u.choose.condition, "the condition");
    expr->u.choose.condition = condition;
    c->facts = twc_flow_learn(c, before, condition, true);
    twc_expr *then = twc_check_expr(c, expr->u.choose.then, hint);
    c->facts = twc_flow_learn(c, before, condition, false);
    twc_expr *other = twc_check_expr(c, expr->u.choose.other, hint != NULL ? hint : then->type);
    c->facts = before;
    const bool good = make_common(c, other->span, &then, &other, "an alternative to");
    expr->u.choose.then = then;
    expr->u.choose.other = other;
    expr->type = good ? then->type : c->error;
    expr->fixed = condition->fixed && then->fixed && other->fixed;
    return expr;
}

/* ------------------------------------------------------------------ all */

static twc_expr *check_any(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    switch (expr->kind) {
    case TWC_E_ERROR: return twc_check_is_error(c, expr);
    case TWC_E_BOOL: expr->type = c->boolean; return expr;
    case TWC_E_NUMBER: twc_check_literal(c, expr); return expr;
    case TWC_E_TEXT: {
        const size_t size = expr->u.text.size;
        const uint32_t max = size > TW_TEXT_SIZE_MAX ? TW_TEXT_SIZE_MAX + 1 : (uint32_t)size;
        expr->type = twc_type_sized(&c->types, TWC_TYPE_TEXT, max > 0 ? max : 1);
        return expr;
    }
    case TWC_E_NONE: expr->type = c->none; return expr;
    case TWC_E_NAME: return check_name(c, expr);
    case TWC_E_ACTOR:
        if (!twc_check_actor(c, expr->u.actor)) return twc_check_is_error(c, expr);
        expr->type = c->account;
        return expr;
    case TWC_E_LIST: return check_list(c, expr, hint);
    case TWC_E_FIELD: return check_field(c, expr);
    case TWC_E_CALL: return twc_check_call(c, expr, hint);
    case TWC_E_INDEX: return check_index(c, expr);
    case TWC_E_OF: return check_of(c, expr);
    case TWC_E_NEGATE:
        expr->u.one = twc_check_expr(c, expr->u.one, NULL);
        twc_check_negate(c, expr);
        return expr;
    case TWC_E_NOT: return check_not(c, expr);
    case TWC_E_BINARY: return check_binary(c, expr, hint);
    case TWC_E_IS: return check_is(c, expr);
    case TWC_E_HOLD: return twc_check_hold(c, expr);
    case TWC_E_SILENT: return twc_check_silent(c, expr);
    case TWC_E_RANGE: return check_range(c, expr);
    case TWC_E_IN: return check_in(c, expr);
    case TWC_E_IF: return check_if(c, expr, hint);
    case TWC_E_KEY:
    case TWC_E_CONVERT: return expr;
    }
    return twc_check_is_error(c, expr);
}

twc_expr *twc_check_raw(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    if (expr->type != NULL) return expr; /* checked before: a node of `place += value` */
    twc_expr *checked = check_any(c, expr, hint);
    assert(checked->type != NULL);
    return checked;
}

twc_expr *twc_check_part(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    return twc_check_narrow(c, twc_check_raw(c, expr, hint));
}

twc_expr *twc_check_expr(twc_check *c, twc_expr *expr, const twc_type *hint)
{
    expr = twc_check_part(c, expr, hint);
    const bool list = twc_check_is_things(expr->type);
    if ((!list && expr->type->kind != TWC_TYPE_ASSET) || expr->kind == TWC_E_LIST) return expr;
    const bool said = hint != NULL && (hint == c->error || hint->kind == TWC_TYPE_ASSET) &&
                      c->diags->error_count > 0;
    if (said) return twc_check_is_error(c, expr); /* of the place that it is for */
    return twc_check_refuse(c, expr, TWC_DIAG_THING_AS_VALUE, expr->span,
                            "%s\ntake its fields, `owner of` it, or its key",
                            list ? "a list of things is no value"
                                 : "a thing is no value: there is only one of it");
}
