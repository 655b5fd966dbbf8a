/* gen_expr -- expressions to instructions that leave a value in slots.
 *
 * Expressions change nothing, so a value that lives in a local or in the home of a variable is used
 * where it stands. Sides are computed from left to right; the last instruction of an operation is
 * the only one that writes its destination, unless it says otherwise.
 */
#include "compiler/gen.h"

#include "vm/base/hash.h"
#include "vm/isa/value.h"

#include <assert.h>
#include <string.h>

/* ------------------------------------------------------------------ places */

static bool is_known(const twc_gen *g, const twc_decl *var)
{
    return (g->known.bits[var->index / 64] >> var->index % 64 & 1) != 0;
}

static void set_known(twc_gen *g, const twc_decl *var)
{
    g->known.bits[var->index / 64] |= (uint64_t)1 << var->index % 64;
}

uint32_t twc_gen_home(twc_gen *g, const twc_decl *var)
{
    if (!is_known(g, var)) {
        twc_emit(g, TW_OP_LOAD, var->slot, 0, 0, var->index);
        set_known(g, var);
    }
    return var->slot;
}

void twc_gen_store(twc_gen *g, const twc_decl *var)
{
    twc_emit(g, TW_OP_STORE, var->slot, 0, 0, var->index);
    set_known(g, var);
}

bool twc_gen_is_place(const twc_expr *expr)
{
    while (expr->kind == TWC_E_FIELD ||
           (expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_UNWRAP)) {
        expr = expr->kind == TWC_E_FIELD ? expr->u.field.object : expr->u.convert.value;
    }
    if (expr->kind != TWC_E_NAME || expr->u.name.decl == NULL) return false;
    const twc_decl_kind kind = expr->u.name.decl->kind;
    return kind == TWC_D_VAR || kind == TWC_D_LOCAL || kind == TWC_D_FIELD;
}

static uint32_t input_slot(twc_gen *g, twc_input_kind kind, uint16_t index, uint32_t number,
                           tw_bytes name, twc_span span)
{
    for (uint32_t i = 0; i < g->input_count; i++) {
        const twc_input *input = &g->inputs[i].input;
        if (input->kind != kind || input->index != index || input->number != number) continue;
        if (kind != TWC_INPUT_ACCOUNT ||
            tw_bytes_equal(name, tw_bytes_of(input->name, strlen(input->name)))) {
            return g->inputs[i].slot;
        }
    }
    twc_gen_unsupported(g, span, "this here");
    return 0;
}

uint32_t twc_gen_input_slot(twc_gen *g, twc_input_kind kind, uint16_t index, twc_span span)
{
    return input_slot(g, kind, index, 0, (tw_bytes){0}, span);
}

/* The slot of what only a test knows; an error when this is no formula of a test. */
static uint32_t actor_slot(twc_gen *g, const twc_expr *expr)
{
    const twc_actor *actor = expr->u.actor;
    if (actor->role == NULL) {
        return input_slot(g, TWC_INPUT_ACCOUNT, 0, 0, actor->account, expr->span);
    }
    return input_slot(g, TWC_INPUT_MEMBER, (uint16_t)actor->role->index,
                      actor->first > 0 ? actor->first : 1, (tw_bytes){0}, expr->span);
}

/* ------------------------------------------------------------------ constants */

static void text_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t slots = twc_gen_slots(g, expr->type);
    const tw_bytes text = expr->u.text;
    const uint32_t words = 1 + (uint32_t)((text.size + 7) / 8);
    if (text.size > expr->type->max || words > slots) {
        twc_gen_over_limit(g, expr->span, "the text has too many bytes", text.size,
                           expr->type->max);
        return;
    }
    int64_t *values = TW_NEW_ARRAY(g->arena, int64_t, words);
    if (values == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return;
    }
    tw_slots_from_text(text, values);
    twc_emit_constants(g, dst, values, words);
    twc_emit_zero(g, dst + words, slots - words);
}

static void hash_constant(twc_gen *g, tw_bytes text, uint32_t dst)
{
    const tw_hash hash = tw_sha256(text.data, text.size);
    int64_t slots[4];
    tw_slots_from_bytes32(hash.bytes, slots);
    twc_emit_constants(g, dst, slots, 4);
}

/* ------------------------------------------------------------------ arithmetic */

/* left + imm or left - imm in one instruction. */
static bool add_constant(twc_gen *g, const twc_expr *side, const twc_expr *constant, bool minus,
                         uint32_t dst)
{
    if (!constant->constant || constant->value == INT64_MIN) return false;
    const int64_t value = minus ? -constant->value : constant->value;
    if (!twc_fits_imm30(value)) return false;
    twc_emit_imm30(g, TW_OP_ADDI, dst, twc_gen_value(g, side), value);
    return true;
}

/* side * imm in one instruction. */
static bool times_constant(twc_gen *g, const twc_expr *side, const twc_expr *constant, uint32_t dst)
{
    if (!constant->constant || !twc_fits_imm30(constant->value)) return false;
    twc_emit_imm30(g, TW_OP_MULI, dst, twc_gen_value(g, side), constant->value);
    return true;
}

static void plain(twc_gen *g, tw_op op, const twc_expr *expr, uint32_t dst)
{
    const uint32_t left = twc_gen_value(g, expr->u.binary.left);
    const uint32_t right = twc_gen_value(g, expr->u.binary.right);
    twc_emit(g, op, dst, left, right, 0);
}

static void scaled(twc_gen *g, tw_op op, const twc_expr *expr, int64_t constant, uint32_t dst)
{
    const uint32_t left = twc_gen_value(g, expr->u.binary.left);
    const uint32_t right = op == TW_OP_DIVK ? 0 : twc_gen_value(g, expr->u.binary.right);
    const uint32_t x = 4 * twc_gen_constant(g, constant) + (uint32_t)expr->u.binary.round;
    twc_emit(g, op, dst, left, right, x);
}

static void arith_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    const int64_t factor = expr->u.binary.factor;
    switch (expr->u.binary.arith) {
    case TWC_ARITH_NONE: break;
    case TWC_ARITH_ADD:
        if (add_constant(g, left, right, false, dst)) return;
        if (add_constant(g, right, left, false, dst)) return;
        plain(g, TW_OP_ADD, expr, dst);
        return;
    case TWC_ARITH_SUB:
        if (add_constant(g, left, right, true, dst)) return;
        plain(g, TW_OP_SUB, expr, dst);
        return;
    case TWC_ARITH_MULDIV:
        if (factor == 1) {
            if (times_constant(g, left, right, dst) || times_constant(g, right, left, dst)) return;
            plain(g, TW_OP_MUL, expr, dst);
        } else {
            scaled(g, TW_OP_MULDIVK, expr, factor, dst);
        }
        return;
    case TWC_ARITH_SCALEDIV:
        if (factor == 1 && expr->u.binary.round == TW_ROUND_ZERO) {
            plain(g, TW_OP_DIV, expr, dst);
        } else if (factor == 1 && right->constant && right->value != 0) {
            scaled(g, TW_OP_DIVK, expr, right->value, dst);
        } else {
            scaled(g, TW_OP_MULKDIV, expr, factor, dst);
        }
        return;
    case TWC_ARITH_MOD: plain(g, TW_OP_MOD, expr, dst); return;
    }
    twc_gen_unsupported(g, expr->span, "this operator");
}

/* ------------------------------------------------------------------ calls */

uint32_t twc_gen_args_slots(twc_gen *g, const twc_arg *args)
{
    uint64_t slots = 0;
    for (; args != NULL; args = args->next) slots += twc_gen_slots(g, args->value->type);
    return slots > TWC_SLOTS_MANY ? TWC_SLOTS_MANY : (uint32_t)slots;
}

void twc_gen_args(twc_gen *g, const twc_arg *args, uint32_t dst)
{
    for (; args != NULL; args = args->next) {
        twc_gen_into(g, args->value, dst);
        dst += twc_gen_slots(g, args->value->type);
    }
}

/* Arguments and then results stand from the same slot on. */
static uint32_t call_function(twc_gen *g, const twc_expr *expr)
{
    const twc_decl *function = expr->u.call.decl;
    const uint32_t arguments = twc_gen_args_slots(g, expr->u.call.args);
    const uint32_t results = twc_gen_slots(g, expr->type);
    const uint32_t base = twc_gen_slots_take(g, arguments > results ? arguments : results);
    const uint32_t mark = g->top;
    twc_gen_args(g, expr->u.call.args, base);
    twc_emit(g, TW_OP_CALL, base, 0, 0, function->u.entry->function);
    g->top = mark;
    return base;
}

/* An optional in two slots, as the machine gives it. */
static uint32_t statistic(twc_gen *g, const twc_expr *expr)
{
    static const int64_t always = (int64_t)1 << TW_RANGE_BITS; /* longer than there is time */
    const twc_statistic *s = expr->u.call.statistic;
    const uint32_t result = twc_gen_slots_take(g, 2);
    const uint32_t mark = g->top;
    const tw_op op = s->across != NULL ? TW_OP_ACROSS : TW_OP_STAT;
    const uint32_t device = s->device != NULL ? twc_gen_account(g, s->device) : 0;
    uint32_t span = result;
    if (s->stat != TW_STAT_LAST && s->stat != TW_STAT_TIME_OF) {
        span = twc_gen_slots_take(g, s->stat == TW_STAT_PERCENTILE ? 2 : 1);
        if (s->over != NULL) {
            twc_gen_into(g, s->over, span);
        } else {
            twc_emit_constant(g, span, always);
        }
        if (s->stat == TW_STAT_PERCENTILE) twc_gen_into(g, s->percentile, span + 1);
    }
    twc_emit(g, op, result, span, device, 1024 * (uint32_t)s->stat + s->reading->index);
    g->top = mark;
    return result;
}

static void rounded(twc_gen *g, const twc_expr *expr, tw_round round, uint32_t dst)
{
    const uint32_t value = twc_gen_value(g, expr->u.call.args->value);
    const uint32_t x = 4 * twc_gen_constant(g, TW_DEC_SCALE) + (uint32_t)round;
    twc_emit(g, TW_OP_DIVK, dst, value, 0, x);
}

static void hash_into(twc_gen *g, const twc_expr *argument, uint32_t dst)
{
    if (argument->kind == TWC_E_TEXT) {
        hash_constant(g, argument->u.text, dst);
    } else {
        const uint32_t value = twc_gen_value(g, argument);
        twc_emit(g, TW_OP_HASH, dst, value, 0, twc_gen_type(g, argument->type));
    }
}

static void test_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    twc_input_kind kind = TWC_INPUT_HISTORY;
    uint16_t index = 0;
    if (expr->u.call.builtin == TWC_B_EVENTS) {
        kind = TWC_INPUT_EVENTS;
        index = (uint16_t)expr->u.call.decl->index;
    } else if (expr->u.call.builtin != TWC_B_COUNT) {
        kind = expr->u.call.builtin == TWC_B_GAS ? TWC_INPUT_GAS : TWC_INPUT_BOUND;
        index = expr->u.call.decl->u.entry->number;
    }
    twc_emit_move(g, dst, input_slot(g, kind, index, 0, (tw_bytes){0}, expr->span), 1);
}

static void two(twc_gen *g, tw_op op, const twc_expr *expr, uint32_t dst)
{
    const twc_arg *args = expr->u.call.args;
    const uint32_t left = twc_gen_value(g, args->value);
    const uint32_t right = twc_gen_value(g, args->next->value);
    twc_emit(g, op, dst, left, right, 0);
}

static void builtin_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_arg *args = expr->u.call.args;
    const twc_builtin which = expr->u.call.builtin;
    const bool test_only = which == TWC_B_EVENTS || which == TWC_B_GAS || which == TWC_B_BOUND;
    if (test_only || (which == TWC_B_COUNT && args == NULL)) {
        test_into(g, expr, dst);
    } else if (which == TWC_B_MIN || which == TWC_B_MAX) {
        two(g, which == TWC_B_MIN ? TW_OP_MIN : TW_OP_MAX, expr, dst);
    } else if (which == TWC_B_ABS) {
        twc_emit(g, TW_OP_ABS, dst, twc_gen_value(g, args->value), 0, 0);
    } else if (which == TWC_B_FLOOR || which == TWC_B_CEIL || which == TWC_B_WHOLE) {
        rounded(g, expr,
                which == TWC_B_FLOOR  ? TW_ROUND_DOWN
                : which == TWC_B_CEIL ? TW_ROUND_UP
                                      : TW_ROUND_ZERO,
                dst);
    } else if (which == TWC_B_HASH || which == TWC_B_TWIN_ID) {
        hash_into(g, args->value, dst);
    } else if (which == TWC_B_TOP) {
        twc_gen_top(g, expr, dst);
    } else if (which == TWC_B_COUNT && args->value->kind == TWC_E_OF) {
        twc_gen_thing_of(g, args->value, dst);
    } else if (which == TWC_B_COUNT && expr->u.call.decl != NULL) {
        twc_emit(g, TW_OP_SIZE, dst, 0, 0, expr->u.call.decl->index);
    } else if (which == TWC_B_COUNT || which == TWC_B_SINCE_1970) {
        twc_emit_move(g, dst, twc_gen_value(g, args->value), 1);
    } else if (which == TWC_B_MEMBER) { /* the role is a name, the account a value */
        const uint32_t account = twc_gen_account(g, args->next->value);
        twc_emit(g, TW_OP_MEMBER, dst, account, 0, expr->u.call.decl->index);
    } else if (!twc_gen_money_call(g, expr, dst)) {
        twc_gen_unsupported(g, expr->span, "this function");
    }
}

static void call_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_callee callee = expr->u.call.callee;
    if (callee == TWC_CALL_RECORD) {
        twc_gen_args(g, expr->u.call.args, dst);
    } else if (callee == TWC_CALL_BUILTIN) {
        builtin_into(g, expr, dst);
    } else if (callee == TWC_CALL_UNKNOWN || callee == TWC_CALL_ACTION) {
        twc_gen_unsupported(g, expr->span, "this call");
    } else {
        twc_emit_move(g, dst, twc_gen_value(g, expr), twc_gen_slots(g, expr->type));
    }
}

/* ------------------------------------------------------------------ names */

/* The member of a role of max 1 as an optional; a role that is never left empty has one. */
static uint32_t holder(twc_gen *g, const twc_decl *role, bool optional)
{
    const uint32_t result = twc_gen_slots_take(g, 5);
    twc_emit(g, TW_OP_HOLDER, result, 0, 0, role->index);
    if (optional) return result;
    /* may not have been granted yet */
    if (role->u.role.granted) twc_gen_guard(g, result, TW_OP_TRAP, TW_TRAP_NOT_MEMBER);
    return result + 1;
}

uint32_t twc_gen_account(twc_gen *g, const twc_expr *expr)
{
    if (expr->kind == TWC_E_NAME && expr->u.name.decl->kind == TWC_D_ROLE) {
        return holder(g, expr->u.name.decl, false);
    }
    return twc_gen_value(g, expr);
}

static void name_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_decl *decl = expr->u.name.decl;
    if (decl->kind == TWC_D_PARAM) {
        twc_emit(g, TW_OP_PARAM, dst, 0, 0, decl->index);
    } else if (decl->kind == TWC_D_ALARM) {
        twc_emit(g, TW_OP_ALARM, dst, 0, 0, decl->index);
    } else if (decl->kind == TWC_D_PHASE || decl->kind == TWC_D_ENUM_VALUE) {
        twc_emit_constant(g, dst, decl->index);
    } else if (decl->kind == TWC_D_BUILTIN_VALUE) {
        static const tw_op ops[TWC_V_COUNT] = {TW_OP_NOW, TW_OP_CALLER, TW_OP_PHASE, TW_OP_INPHASE};
        twc_emit(g, ops[decl->index], dst, 0, 0, 0);
    } else if (decl->kind == TWC_D_ROLE) {
        const bool optional = expr->type->kind == TWC_TYPE_OPTIONAL;
        twc_emit_move(g, dst, holder(g, decl, optional), optional ? 5 : 4);
    } else if (twc_gen_is_purse(expr)) {
        twc_gen_purse_into(g, expr, dst);
    } else if (twc_gen_is_place(expr)) {
        twc_emit_move(g, dst, twc_gen_value(g, expr), twc_gen_slots(g, expr->type));
    } else {
        twc_gen_unsupported(g, expr->span, "this name as a value");
    }
}

/* ------------------------------------------------------------------ conversions and choices */

static void convert_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_expr *value = expr->u.convert.value;
    const uint32_t slots = twc_gen_slots(g, expr->type);
    const uint32_t inner = twc_gen_slots(g, value->type);
    switch (expr->u.convert.conversion) {
    case TWC_CONV_SOME:
        twc_gen_into(g, value, dst + 1);
        twc_emit_constant(g, dst, 1);
        return;
    case TWC_CONV_UNWRAP: twc_emit_move(g, dst, twc_gen_value(g, value) + 1, slots); return;
    case TWC_CONV_SIZE:
        twc_gen_into(g, value, dst);
        if (slots > inner) twc_emit_zero(g, dst + inner, slots - inner);
        return;
    case TWC_CONV_INNER: {
        const uint32_t from = twc_gen_value(g, value);
        if (expr->u.convert.inner == TWC_CONV_SOME) { /* none stays none, all zero */
            twc_emit_move(g, dst + 1, from, inner);
            twc_emit_move(g, dst, from, 1);
            return;
        }
        twc_emit_move(g, dst, from, inner);
        if (slots > inner) twc_emit_zero(g, dst + inner, slots - inner);
        return;
    }
    case TWC_CONV_HOLDER:
        if (value->kind == TWC_E_NAME) {
            const bool optional = expr->type->kind == TWC_TYPE_OPTIONAL;
            twc_emit_move(g, dst, holder(g, value->u.name.decl, optional), slots);
            return;
        }
        break;
    }
    twc_gen_unsupported(g, expr->span, "this conversion");
}

/* The left side in slots of its own, where the right one takes the place of none. */
static uint32_t otherwise(twc_gen *g, const twc_expr *expr)
{
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    const uint32_t slots = twc_gen_slots(g, left->type);
    const uint32_t before = g->top;
    uint32_t at = twc_gen_value(g, left);
    if (at < before) { /* it lives somewhere and must stay as it is */
        const uint32_t copy = twc_gen_slots_take(g, slots);
        twc_emit_move(g, copy, at, slots);
        at = copy;
    }
    const uint32_t mark = g->top;
    /* of T? otherwise T?: the whole optional; else its payload */
    const uint32_t result = twc_gen_slots(g, expr->type) == slots ? at : at + 1;
    if (right->constant && right->value == 0 && result != at) return result; /* none is all 0 */
    twc_label there = twc_label_new();
    twc_emit_jump(g, TW_OP_JNZ, at, 0, &there);
    twc_gen_into(g, right, result);
    twc_label_place(g, &there);
    g->top = mark;
    return result;
}

static void choose_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    twc_label other = twc_label_new();
    twc_label end = twc_label_new();
    const uint32_t mark = g->top;
    twc_gen_branch(g, expr->u.choose.condition, false, &other);
    g->top = mark;
    twc_gen_into(g, expr->u.choose.then, dst);
    twc_emit_jump(g, TW_OP_JMP, 0, 0, &end);
    twc_label_place(g, &other);
    twc_gen_into(g, expr->u.choose.other, dst);
    twc_label_place(g, &end);
}

static void list_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t slots = twc_gen_slots(g, expr->type);
    const uint32_t step = twc_gen_slots(g, expr->type->element);
    uint32_t used = 1;
    twc_emit_constant(g, dst, expr->u.list.count);
    for (const twc_expr *e = expr->u.list.first; e != NULL; e = e->next) {
        twc_gen_into(g, e, dst + used);
        used += step;
        if (used > TWC_SLOTS_MANY) return; /* reported when its place was taken */
    }
    if (slots > used) twc_emit_zero(g, dst + used, slots - used);
}

/* ------------------------------------------------------------------ both ways */

uint32_t twc_gen_value(twc_gen *g, const twc_expr *expr)
{
    if (!expr->constant) {
        if (expr->kind == TWC_E_NAME && twc_gen_is_place(expr)) {
            const twc_decl *decl = expr->u.name.decl;
            return decl->kind == TWC_D_VAR ? twc_gen_home(g, decl) : decl->slot;
        }
        if (expr->kind == TWC_E_FIELD) {
            const twc_expr *object = expr->u.field.object;
            return twc_gen_value(g, object) + twc_gen_offset(g, object->type, expr->u.field.decl);
        }
        if (expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == TWC_CONV_UNWRAP) {
            return twc_gen_value(g, expr->u.convert.value) + 1;
        }
        if (expr->kind == TWC_E_ACTOR) return actor_slot(g, expr);
        if (expr->kind == TWC_E_INDEX && !twc_gen_is_purse(expr)) return twc_gen_element(g, expr);
        if (expr->kind == TWC_E_KEY) return expr->u.name.decl->key_slot;
        if (expr->kind == TWC_E_BINARY && expr->u.binary.op == TWC_OP_OTHERWISE) {
            return otherwise(g, expr);
        }
        if (expr->kind == TWC_E_CALL) {
            const twc_callee callee = expr->u.call.callee;
            if (callee == TWC_CALL_FN || callee == TWC_CALL_VIEW) return call_function(g, expr);
            if (callee == TWC_CALL_STATISTIC) {
                const bool whole = expr->type->kind == TWC_TYPE_OPTIONAL;
                return statistic(g, expr) + (whole ? 0 : 1);
            }
        }
    }
    const uint32_t result = twc_gen_slots_take(g, twc_gen_slots(g, expr->type));
    const uint32_t mark = g->top;
    twc_gen_into(g, expr, result);
    g->top = mark;
    return result;
}

static void binary_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    if (expr->u.binary.op == TWC_OP_OTHERWISE) {
        twc_emit_move(g, dst, otherwise(g, expr), twc_gen_slots(g, expr->type));
    } else if (expr->u.binary.arith != TWC_ARITH_NONE) {
        arith_into(g, expr, dst);
    } else {
        twc_gen_bool(g, expr, dst);
    }
}

static void none_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    twc_emit_zero(g, dst, twc_gen_slots(g, expr->type));
}

static void negate_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    twc_emit(g, TW_OP_NEG, dst, twc_gen_value(g, expr->u.one), 0, 0);
}

static void place_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    if (twc_gen_is_purse(expr)) {
        twc_gen_purse_into(g, expr, dst);
        return;
    }
    twc_emit_move(g, dst, twc_gen_value(g, expr), twc_gen_slots(g, expr->type));
}

/* Kinds that are left out are constants, or nothing that stands in a checked tree. */
static void (*const generators[])(twc_gen *g, const twc_expr *expr, uint32_t dst) = {
    [TWC_E_TEXT] = text_into,      [TWC_E_NONE] = none_into,      [TWC_E_NAME] = name_into,
    [TWC_E_LIST] = list_into,      [TWC_E_CALL] = call_into,      [TWC_E_NEGATE] = negate_into,
    [TWC_E_BINARY] = binary_into,  [TWC_E_IF] = choose_into,      [TWC_E_CONVERT] = convert_into,
    [TWC_E_NOT] = twc_gen_bool,    [TWC_E_IS] = twc_gen_bool,     [TWC_E_HOLD] = twc_gen_bool,
    [TWC_E_SILENT] = twc_gen_bool, [TWC_E_RANGE] = twc_gen_bool,  [TWC_E_IN] = twc_gen_bool,
    [TWC_E_ACTOR] = place_into,    [TWC_E_FIELD] = place_into,    [TWC_E_INDEX] = place_into,
    [TWC_E_KEY] = place_into,      [TWC_E_OF] = twc_gen_thing_of,
};

static void any_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const bool known = expr->kind < sizeof generators / sizeof generators[0];
    if (known && generators[expr->kind] != NULL) {
        generators[expr->kind](g, expr, dst);
    } else {
        twc_gen_unsupported(g, expr->span, "this expression");
    }
}

void twc_gen_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t mark = g->top;
    const uint32_t at = g->at;
    if (g->failed) return;
    g->at = expr->span.start;
    if (expr->constant) {
        twc_emit_constant(g, dst, expr->value);
    } else {
        any_into(g, expr, dst);
    }
    g->at = at;
    g->top = mark;
}
