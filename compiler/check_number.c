/* check_number -- literals, arithmetic and its exact integer operations, constants, intervals.
 *
 * Constants are folded with the functions that the machine executes (vm/base/math.h), so a
 * constant and a computed value never differ. A constant expression that traps is an error.
 */
#include "compiler/check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The currency or token of the contract that the literal names, as others of the file may not be;
 * NULL after an error. */
static const twc_decl *money_of(twc_check *c, const twc_expr *expr)
{
    twc_word *word = expr->u.number.money;
    twc_decl *money = word->global;
    if (money == NULL) {
        twc_check_undeclared(c, word, expr->span, "currency or token");
        return NULL;
    }
    money->used = true;
    if (money->kind == TWC_D_CURRENCY || money->kind == TWC_D_TOKEN) return money;
    if (!money->bad) {
        twc_check_fail_at(c, TWC_DIAG_WRONG_KIND, expr->span, money, "`%s` is no currency or token",
                          word->text);
    }
    return NULL;
}

void twc_check_literal(twc_check *c, twc_expr *expr)
{
    const tw_decimal decimal = expr->u.number.decimal;
    char resolution[48];
    const tw_unit *unit = expr->u.number.unit;
    int64_t multiplier = 1;
    tw_dimension dimension = expr->u.number.point ? TW_DIM_DEC : TW_DIM_INT;
    expr->type = c->error;
    if (expr->u.number.money != NULL) {
        const twc_decl *money = money_of(c, expr);
        if (money == NULL || money->type == c->error) return;
        for (uint32_t i = 0; i < money->u.money.decimals; i++) multiplier *= 10;
        expr->type = money->type;
    } else if (unit != NULL) {
        dimension = unit->dimension;
        multiplier = unit->multiplier;
    } else if (dimension == TW_DIM_DEC) {
        multiplier = TW_DEC_SCALE;
    }
    if (expr->u.number.money == NULL) expr->type = twc_type_number(&c->types, dimension);
    const int64_t offset = unit != NULL ? unit->offset : 0;
    const tw_status status = tw_decimal_scale(decimal, multiplier, offset, &expr->value);
    expr->constant = true;
    expr->fixed = true;
    if (status == TW_OK) return;
    snprintf(resolution, sizeof resolution, "%s",
             unit != NULL ? tw_dim_resolution(dimension) : "1 of the last decimal");
    if (expr->type->kind == TWC_TYPE_MONEY) {
        snprintf(resolution, sizeof resolution, "%u decimals", expr->type->decl->u.money.decimals);
    }
    twc_check_fail(c, status == TW_REFUSED_ARGUMENT ? TWC_DIAG_TOO_FINE : TWC_DIAG_NUMBER_TOO_LARGE,
                   expr->span, "the number is %s\nthe resolution is %s, in 64 bits",
                   status == TW_REFUSED_ARGUMENT ? "finer than its type can hold" : "too large",
                   resolution);
    expr->type = c->error;
    expr->constant = false;
}

bool twc_check_to_dec(twc_check *c, twc_expr *expr)
{
    if (expr->kind != TWC_E_NUMBER || expr->type != c->integer) return false;
    int64_t value = 0;
    if (__builtin_mul_overflow(expr->value, (int64_t)TW_DEC_SCALE, &value)) {
        twc_check_fail(c, TWC_DIAG_NUMBER_TOO_LARGE, expr->span, "the number does not fit a dec");
        expr->type = c->error;
        return true;
    }
    expr->value = value;
    expr->type = c->dec;
    return true;
}

const char *twc_check_print(const twc_expr *constant, char ret_text[TW_QUANTITY_TEXT_MAX])
{
    if (constant->type->kind == TWC_TYPE_MONEY) {
        tw_decimal_print(constant->value, constant->type->decl->u.money.decimals, ret_text);
    } else {
        tw_quantity_print(constant->value, constant->type->dimension, ret_text);
    }
    return ret_text;
}

/* ------------------------------------------------------------------ operators */

static const char *const product_help =
    "products: int*int, dec*(int, dec), quantity or money or duration*(int, dec, percent), "
    "percent*int, power*duration, velocity*duration, volume_flow*duration, force*velocity, "
    "voltage*current; quotients: those by (int, dec), same/same, and the inverses";

static const char *const verbs[] = {
    "",
#define OPERATOR(name, level, token, word, verb) verb,
#include "compiler/operators.def"
};

static twc_expr *bad_operands(twc_check *c, twc_expr *expr, const char *help)
{
    const twc_type *left = expr->u.binary.left->type;
    const twc_type *right = expr->u.binary.right->type;
    const bool subtraction = expr->u.binary.op == TWC_OP_SUB;
    if (left->kind == TWC_TYPE_OPTIONAL || right->kind == TWC_TYPE_OPTIONAL) {
        help = "open the optional first: `x otherwise d`, or test `x is some` before";
    }
    return twc_check_refuse(c, expr, TWC_DIAG_OPERANDS, expr->mark, "%s can't be %s %s\n%s",
                            twc_check_text(c, subtraction ? right : left), verbs[expr->u.binary.op],
                            twc_check_text(c, subtraction ? left : right), help);
}

static void set(twc_expr *expr, twc_arith arith, int64_t factor, const twc_type *type)
{
    expr->u.binary.arith = arith;
    expr->u.binary.factor = factor;
    expr->u.binary.round = (tw_round)expr->turned;
    expr->type = type;
}

static twc_expr *sum(twc_check *c, twc_expr *expr)
{
    const bool adds = expr->u.binary.op == TWC_OP_ADD;
    const twc_type *left = expr->u.binary.left->type;
    const twc_type *right = expr->u.binary.right->type;
    if (!twc_type_is_numeric(left) || !twc_type_is_numeric(right)) return bad_operands(c, expr, "");
    const tw_dimension a = left->dimension;
    const tw_dimension b = right->dimension;
    const bool point_a = tw_dim_is_point(a);
    const bool point_b = tw_dim_is_point(b);
    const twc_type *type = NULL;
    if (left == right && point_a) {
        if (!adds) type = twc_type_number(&c->types, tw_dim_difference(a));
    } else if (left == right || (point_a && tw_dim_difference(a) == b)) {
        type = left;
    } else if (adds && point_b && tw_dim_difference(b) == a) {
        type = right;
    }
    if (type == NULL && left == right) {
        return twc_check_refuse(c, expr, TWC_DIAG_POINT_SUM, expr->mark,
                                "two points in %s can't be added\nadd %s", tw_dim_name(a),
                                a == TW_DIM_TIME ? "a duration, as `+ 10 min`"
                                                 : "a difference, as `+ 10 K`");
    }
    if (type == NULL) return bad_operands(c, expr, "");
    set(expr, adds ? TWC_ARITH_ADD : TWC_ARITH_SUB, 1, type);
    return expr;
}

/* What multiplies and divides like a quantity: no point, no plain number, no percent. */
static bool is_quantity(const twc_type *type)
{
    if (type->kind == TWC_TYPE_MONEY) return true;
    return type->kind == TWC_TYPE_NUMBER && type->dimension >= TW_DIM_DURATION &&
           !tw_dim_is_point(type->dimension);
}

static tw_dimension dimension_of(const twc_type *type)
{
    return type->kind == TWC_TYPE_NUMBER ? type->dimension : TW_DIM_NONE;
}

static twc_expr *product(twc_check *c, twc_expr *expr)
{
    const twc_type *left = expr->u.binary.left->type;
    const twc_type *right = expr->u.binary.right->type;
    /* the plainer factor on the right */
    const bool swap = dimension_of(left) >= TW_DIM_INT && dimension_of(left) <= TW_DIM_PERCENT &&
                      (is_quantity(right) || dimension_of(left) < dimension_of(right));
    const twc_type *value = swap ? right : left;
    const tw_dimension by = dimension_of(swap ? left : right);
    tw_dimension result = TW_DIM_NONE;
    int64_t divisor = 1;
    if (tw_dim_product(dimension_of(left), dimension_of(right), &result, &divisor)) {
        set(expr, TWC_ARITH_MULDIV, divisor, twc_type_number(&c->types, result));
        return expr;
    }
    const bool scales = is_quantity(value) || value == c->dec;
    if (by == TW_DIM_INT && (scales || value == c->integer || value == c->percent)) {
        set(expr, TWC_ARITH_MULDIV, 1, value);
    } else if (by == TW_DIM_DEC && scales) {
        set(expr, TWC_ARITH_MULDIV, TW_DEC_SCALE, value);
    } else if (by == TW_DIM_PERCENT && is_quantity(value)) {
        set(expr, TWC_ARITH_MULDIV, TW_PERCENT_WHOLE, value);
    } else {
        return bad_operands(c, expr, product_help);
    }
    return expr;
}

static twc_expr *quotient(twc_check *c, twc_expr *expr)
{
    const twc_type *left = expr->u.binary.left->type;
    const twc_type *right = expr->u.binary.right->type;
    const bool plain = left == c->integer || left == c->dec || left == c->percent;
    tw_dimension result = TW_DIM_NONE;
    int64_t scale = 1;
    if (left == c->integer && right == c->integer) {
        set(expr, TWC_ARITH_SCALEDIV, 1, left);
        if (expr->turned == TW_ROUND_HALF_EVEN) expr->u.binary.round = TW_ROUND_ZERO;
    } else if (left == c->integer && right == c->dec) {
        set(expr, TWC_ARITH_SCALEDIV, (int64_t)TW_DEC_SCALE * TW_DEC_SCALE, right);
    } else if (left == right && (plain || is_quantity(left))) {
        set(expr, TWC_ARITH_SCALEDIV, TW_DEC_SCALE, c->dec);
    } else if (right == c->integer && (plain || is_quantity(left))) {
        set(expr, TWC_ARITH_SCALEDIV, 1, left);
    } else if (right == c->dec && (plain || is_quantity(left))) {
        set(expr, TWC_ARITH_SCALEDIV, TW_DEC_SCALE, left);
    } else if (tw_dim_quotient(dimension_of(left), dimension_of(right), &result, &scale)) {
        set(expr, TWC_ARITH_SCALEDIV, scale, twc_type_number(&c->types, result));
    } else {
        return bad_operands(c, expr, product_help);
    }
    return expr;
}

/* ------------------------------------------------------------------ constants */

static tw_status fold(const twc_expr *expr, int64_t *ret_value)
{
    const int64_t a = expr->u.binary.left->value;
    const int64_t b = expr->u.binary.right->value;
    const int64_t factor = expr->u.binary.factor;
    const tw_round round = expr->u.binary.round;
    bool fits = true;
    switch (expr->u.binary.arith) {
    case TWC_ARITH_NONE: return TW_ERR_INTERNAL;
    case TWC_ARITH_ADD: fits = !__builtin_add_overflow(a, b, ret_value); break;
    case TWC_ARITH_SUB: fits = !__builtin_sub_overflow(a, b, ret_value); break;
    case TWC_ARITH_MULDIV: fits = tw_muldiv(a, b, factor, round, ret_value); break;
    case TWC_ARITH_SCALEDIV:
        if (b == 0) return TW_TRAP_DIVIDE_BY_ZERO;
        fits = tw_div_round((tw_int128)a * factor, b, round, ret_value);
        break;
    case TWC_ARITH_MOD:
        if (b == 0) return TW_TRAP_DIVIDE_BY_ZERO;
        *ret_value = b == -1 ? 0 : a % b;
        break;
    }
    return fits ? TW_OK : TW_TRAP_OVERFLOW;
}

static void fold_constant(twc_check *c, twc_expr *expr)
{
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    const bool divides =
        expr->u.binary.arith == TWC_ARITH_SCALEDIV || expr->u.binary.arith == TWC_ARITH_MOD;
    tw_status status = TW_OK;
    expr->fixed = left->fixed && right->fixed;
    if (left->constant && right->constant) {
        status = fold(expr, &expr->value);
        expr->constant = status == TW_OK;
    } else if (divides && right->constant && right->value == 0) {
        status = TW_TRAP_DIVIDE_BY_ZERO;
    }
    if (status == TW_OK) return;
    twc_check_fail(c, TWC_DIAG_ALWAYS_TRAPS, expr->span, "this always fails: %s",
                   tw_status_text(status));
    expr->type = c->error;
}

twc_expr *twc_check_arith(twc_check *c, twc_expr *expr)
{
    twc_expr *left = expr->u.binary.left;
    twc_expr *right = expr->u.binary.right;
    if (left->type == c->error || right->type == c->error) return twc_check_is_error(c, expr);
    const bool additive = expr->u.binary.op == TWC_OP_ADD || expr->u.binary.op == TWC_OP_SUB;
    if (additive && left->type == c->dec) (void)twc_check_to_dec(c, right);
    if (additive && right->type == c->dec) (void)twc_check_to_dec(c, left);
    if (left->type == c->error || right->type == c->error) return twc_check_is_error(c, expr);
    const twc_operator op = expr->u.binary.op;
    if (additive) {
        expr = sum(c, expr);
    } else if (op == TWC_OP_MUL) {
        expr = product(c, expr);
    } else if (op == TWC_OP_DIV) {
        expr = quotient(c, expr);
    } else if (op == TWC_OP_MOD && left->type == c->integer && right->type == c->integer) {
        set(expr, TWC_ARITH_MOD, 1, left->type);
    } else if (op == TWC_OP_PERCENT_OF && left->type == c->percent && is_quantity(right->type)) {
        set(expr, TWC_ARITH_MULDIV, TW_PERCENT_WHOLE, right->type);
    } else {
        return bad_operands(c, expr,
                            op == TWC_OP_MOD ? "`mod` is for two int"
                                             : "`p of x`: a percent of an amount");
    }
    if (expr->type != c->error) fold_constant(c, expr);
    return expr;
}

void twc_check_negate(twc_check *c, twc_expr *expr)
{
    const twc_expr *value = expr->u.one;
    expr->type = value->type;
    expr->fixed = value->fixed;
    if (value->type == c->error) return;
    if (!twc_type_is_numeric(value->type) || tw_dim_is_point(dimension_of(value->type))) {
        twc_check_refuse(c, expr, TWC_DIAG_OPERANDS, expr->mark, "%s has no minus%s",
                         twc_check_text(c, value->type),
                         twc_type_is_numeric(value->type) ? "\nit is a point, not an amount" : "");
    } else if (value->constant) {
        expr->constant = !__builtin_sub_overflow((int64_t)0, value->value, &expr->value);
        if (!expr->constant) {
            twc_check_fail(c, TWC_DIAG_ALWAYS_TRAPS, expr->span, "this always fails: %s",
                           tw_status_text(TW_TRAP_OVERFLOW));
        }
    }
}

void twc_check_compare_constants(twc_expr *expr)
{
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    expr->fixed = left->fixed && right->fixed;
    if (!left->constant || !right->constant) return;
    const int64_t a = left->value;
    const int64_t b = right->value;
    const bool results[] = {
        [TWC_OP_EQ] = a == b,
        [TWC_OP_NE] = a != b,
        [TWC_OP_LT] = a<b, [TWC_OP_LE] = a <= b, [TWC_OP_GT] = a> b,
        [TWC_OP_GE] = a >= b,
        [TWC_OP_AND] = a != 0 && b != 0,
        [TWC_OP_OR] = a != 0 || b != 0,
        [TWC_OP_IMPLIES] = a == 0 || b != 0,
    };
    assert(expr->u.binary.op < sizeof results);
    expr->constant = true;
    expr->value = results[expr->u.binary.op];
}

/* ------------------------------------------------------------------ intervals */

static bool binary_interval(const twc_expr *expr, int64_t *ret_low, int64_t *ret_high)
{
    int64_t a[2];
    int64_t b[2];
    int64_t low = 0;
    int64_t high = 0;
    if (!twc_check_interval(expr->u.binary.left, &a[0], &a[1])) return false;
    if (!twc_check_interval(expr->u.binary.right, &b[0], &b[1])) return false;
    const bool divides =
        expr->u.binary.arith == TWC_ARITH_SCALEDIV || expr->u.binary.arith == TWC_ARITH_MOD;
    if (expr->u.binary.arith == TWC_ARITH_NONE || (divides && b[0] <= 0 && b[1] >= 0)) return false;
    if (expr->u.binary.arith == TWC_ARITH_MOD) return false;
    /* each operation is monotonous in each operand, so the ends lie at the corners */
    for (int i = 0; i < 4; i++) {
        twc_expr corner_left = {.value = a[i & 1]};
        twc_expr corner_right = {.value = b[i >> 1]};
        twc_expr corner = *expr;
        corner.u.binary.left = &corner_left;
        corner.u.binary.right = &corner_right;
        int64_t value = 0;
        if (fold(&corner, &value) != TW_OK) return false;
        if (i == 0 || value < low) low = value;
        if (i == 0 || value > high) high = value;
    }
    *ret_low = low;
    *ret_high = high;
    return true;
}

bool twc_check_interval(const twc_expr *expr, int64_t *ret_low, int64_t *ret_high)
{
    if (expr->constant) {
        *ret_low = expr->value;
        *ret_high = expr->value;
        return true;
    }
    if (expr->kind == TWC_E_BINARY) return binary_interval(expr, ret_low, ret_high);
    if (expr->kind != TWC_E_NAME || expr->u.name.decl->kind != TWC_D_PARAM) return false;
    const twc_decl *param = expr->u.name.decl;
    if (param->u.value.low == NULL || !param->u.value.low->constant ||
        !param->u.value.high->constant) {
        return false;
    }
    *ret_low = param->u.value.low->value;
    *ret_high = param->u.value.high->value;
    return true;
}
