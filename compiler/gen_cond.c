/* gen_cond -- conditions as jumps.
 *
 * Rules run at every reading, so a condition is never made a value first when what is wanted is to
 * go somewhere: `and`, `or`, `not` and `implies` are only the shape of the jumps, comparisons are
 * the jumps themselves. Each function goes to `to` when the condition is `sense` and falls through
 * when it is not.
 */
#include "compiler/gen.h"

#include <assert.h>

/* ------------------------------------------------------------------ comparisons of slots */

static const struct comparison {
    twc_operator op, opposite, mirrored; /* mirrored: with its sides changed */
    tw_op jump, jump_constant;
    bool swapped; /* the jump has its sides changed */
} comparisons[] = {
    {TWC_OP_EQ, TWC_OP_NE, TWC_OP_EQ, TW_OP_JEQ, TW_OP_JEQI, false},
    {TWC_OP_NE, TWC_OP_EQ, TWC_OP_NE, TW_OP_JNE, TW_OP_JNEI, false},
    {TWC_OP_LT, TWC_OP_GE, TWC_OP_GT, TW_OP_JLT, TW_OP_JLTI, false},
    {TWC_OP_LE, TWC_OP_GT, TWC_OP_GE, TW_OP_JLE, TW_OP_JLEI, false},
    {TWC_OP_GT, TWC_OP_LE, TWC_OP_LT, TW_OP_JLT, TW_OP_JGTI, true},
    {TWC_OP_GE, TWC_OP_LT, TWC_OP_LE, TW_OP_JLE, TW_OP_JGEI, true},
};

/* NULL for an operator that is no comparison. */
static const struct comparison *comparison_of(twc_operator op)
{
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (comparisons[i].op == op) return &comparisons[i];
    }
    return NULL;
}

bool twc_gen_is_comparison(twc_operator op)
{
    return comparison_of(op) != NULL;
}

static twc_operator opposite(twc_operator op)
{
    return comparison_of(op)->opposite;
}

/* One slot each, with sign. */
static void jump_numbers(twc_gen *g, twc_operator op, uint32_t left, uint32_t right, twc_label *to)
{
    const struct comparison *c = comparison_of(op);
    twc_emit_jump(g, c->jump, c->swapped ? right : left, c->swapped ? left : right, to);
}

static void jump_constant(twc_gen *g, twc_operator op, uint32_t left, int64_t right, twc_label *to)
{
    twc_emit_jump_imm(g, comparison_of(op)->jump_constant, left, right, to);
}

static bool is_text(const twc_type *type)
{
    return type->kind == TWC_TYPE_TEXT || type->kind == TWC_TYPE_BYTES;
}

/* Several slots: equal when all are. Of two texts or lists of different max the shorter ones
 * decide, because equal sizes leave the rest of the longer one 0. */
static void jump_equal(twc_gen *g, uint32_t left, uint32_t right, uint32_t slots, bool sense,
                       twc_label *to)
{
    const uint32_t equal = twc_gen_slots_take(g, 1);
    twc_emit(g, TW_OP_EQN, equal, left, right, slots & 0x1FFFF);
    twc_emit_jump(g, sense ? TW_OP_JNZ : TW_OP_JZ, equal, 0, to);
}

static uint32_t widened(twc_gen *g, uint32_t at, uint32_t slots, uint32_t wanted)
{
    if (slots == wanted) return at;
    const uint32_t copy = twc_gen_slots_take(g, wanted);
    twc_emit_move(g, copy, at, slots);
    twc_emit_zero(g, copy + slots, wanted - slots);
    return copy;
}

/* Bytes in their order; a text that begins another comes before it: then the sizes decide. */
static void jump_text(twc_gen *g, twc_operator op, uint32_t left, uint32_t right, uint32_t words,
                      twc_label *to)
{
    const uint32_t t = twc_gen_slots_take(g, 1);
    twc_label decided = twc_label_new();
    const bool less = op == TWC_OP_LT || op == TWC_OP_LE;
    twc_emit(g, TW_OP_LTN, t, left + 1, right + 1, words & 0x1FFFF);
    twc_emit_jump(g, TW_OP_JNZ, t, 0, less ? to : &decided);
    twc_emit(g, TW_OP_EQN, t, left + 1, right + 1, words & 0x1FFFF);
    twc_emit_jump(g, TW_OP_JZ, t, 0, less ? &decided : to);
    jump_numbers(g, op, left, right, to);
    twc_label_place(g, &decided);
}

/* Hashes and accounts: four slots without sign. */
static void jump_wide(twc_gen *g, twc_operator op, uint32_t left, uint32_t right, uint32_t slots,
                      twc_label *to)
{
    const uint32_t t = twc_gen_slots_take(g, 1);
    const bool swap = op == TWC_OP_GT || op == TWC_OP_LE;
    const bool less = op == TWC_OP_LT || op == TWC_OP_GT;
    twc_emit(g, TW_OP_LTN, t, swap ? right : left, swap ? left : right, slots);
    twc_emit_jump(g, less ? TW_OP_JNZ : TW_OP_JZ, t, 0, to);
}

void twc_gen_compare(twc_gen *g, twc_operator op, const twc_type *left_type, uint32_t left,
                     const twc_type *right_type, uint32_t right, bool sense, twc_label *to)
{
    const uint32_t mark = g->top;
    const uint32_t left_slots = twc_gen_slots(g, left_type);
    const uint32_t right_slots = twc_gen_slots(g, right_type);
    const uint32_t fewer = left_slots < right_slots ? left_slots : right_slots;
    const uint32_t more = left_slots < right_slots ? right_slots : left_slots;
    const twc_operator wanted = sense ? op : opposite(op);
    if (more == 1) {
        jump_numbers(g, wanted, left, right, to);
    } else if (op == TWC_OP_EQ || op == TWC_OP_NE) {
        jump_equal(g, left, right, fewer, wanted == TWC_OP_EQ, to);
    } else if (is_text(left_type)) {
        left = widened(g, left, left_slots, more);
        right = widened(g, right, right_slots, more);
        jump_text(g, wanted, left, right, more - 1, to);
    } else {
        jump_wide(g, wanted, left, right, fewer, to);
    }
    g->top = mark;
}

/* ------------------------------------------------------------------ comparisons of expressions */

static bool is_immediate(const twc_expr *expr)
{
    return expr->constant && twc_fits_imm26(expr->value);
}

static void compare(twc_gen *g, twc_operator op, const twc_expr *left, const twc_expr *right,
                    bool sense, twc_label *to)
{
    if (is_immediate(right)) {
        const uint32_t at = twc_gen_value(g, left);
        jump_constant(g, sense ? op : opposite(op), at, right->value, to);
    } else if (is_immediate(left)) {
        const uint32_t at = twc_gen_value(g, right);
        const twc_operator turned = comparison_of(op)->mirrored;
        jump_constant(g, sense ? turned : opposite(turned), at, left->value, to);
    } else {
        const uint32_t a = twc_gen_value(g, left);
        const uint32_t b = twc_gen_value(g, right);
        twc_gen_compare(g, op, left->type, a, right->type, b, sense, to);
    }
}

/* value op bound, where the value stands in a slot. */
static void compare_slot(twc_gen *g, twc_operator op, const twc_expr *value, uint32_t at,
                         const twc_expr *bound, bool sense, twc_label *to)
{
    if (is_immediate(bound)) {
        jump_constant(g, sense ? op : opposite(op), at, bound->value, to);
        return;
    }
    const uint32_t mark = g->top;
    const uint32_t b = twc_gen_value(g, bound);
    twc_gen_compare(g, op, value->type, at, bound->type, b, sense, to);
    g->top = mark;
}

static void branch_range(twc_gen *g, const twc_expr *expr, bool sense, twc_label *to)
{
    const twc_expr *value = expr->u.range.value;
    const bool inside = sense != expr->u.range.negated; /* `to` is where inside leads */
    const uint32_t at = twc_gen_value(g, value);
    twc_label outside = twc_label_new();
    twc_label *leave = inside ? &outside : to;
    compare_slot(g, TWC_OP_GE, value, at, expr->u.range.low, false, leave);
    compare_slot(g, TWC_OP_LE, value, at, expr->u.range.high, inside, to);
    twc_label_place(g, &outside);
}

static bool is_literal(const twc_expr *set)
{
    while (set->kind == TWC_E_CONVERT && set->u.convert.conversion == TWC_CONV_SIZE) {
        set = set->u.convert.value;
    }
    return set->kind == TWC_E_LIST;
}

/* A literal list is compared element by element. */
static void branch_in(twc_gen *g, const twc_expr *expr, bool sense, twc_label *to)
{
    const twc_expr *value = expr->u.in.value;
    const twc_expr *set = expr->u.in.set;
    const bool inside = sense != expr->u.in.negated;
    if (expr->u.in.store != NULL || !is_literal(set)) {
        const uint32_t there = twc_gen_slots_take(g, 1);
        twc_gen_in(g, expr, there);
        twc_emit_jump(g, inside ? TW_OP_JNZ : TW_OP_JZ, there, 0, to);
        return;
    }
    while (set->kind == TWC_E_CONVERT) set = set->u.convert.value;
    twc_label found = twc_label_new();
    const uint32_t at = twc_gen_value(g, value);
    for (const twc_expr *e = set->u.list.first; e != NULL; e = e->next) {
        compare_slot(g, TWC_OP_EQ, value, at, e, true, inside ? to : &found);
    }
    if (!inside) twc_emit_jump(g, TW_OP_JMP, 0, 0, to);
    twc_label_place(g, &found);
}

/* ------------------------------------------------------------------ readings */

/* A duration that stays the same from deploy on. */
static uint32_t fixed_duration(twc_gen *g, const twc_expr *duration)
{
    const uint32_t slot = twc_gen_slots_take(g, 1);
    const bool kept = g->condition && duration != NULL && !duration->constant;
    const uint16_t number = kept ? twc_gen_deployed(g, duration) : TW_NONE;
    if (duration == NULL) {
        twc_emit_constant(g, slot, 0);
    } else if (number != TW_NONE) {
        twc_emit(g, TW_OP_LDC, slot, 0, 0, number);
    } else {
        twc_gen_into(g, duration, slot);
    }
    return slot;
}

static void reading_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t mark = g->top;
    const twc_expr *named = expr->kind == TWC_E_HOLD ? expr->u.hold.device : expr->u.silent.device;
    const uint32_t device = named != NULL ? twc_gen_account(g, named) : 0;
    if (expr->kind == TWC_E_HOLD) {
        const uint32_t duration = fixed_duration(g, expr->u.hold.duration);
        if (expr->u.hold.stamp >= g->m->stamp_count) {
            g->failed = true;
            twc_diag_add(g->diags, TWC_DIAG_NOT_KEPT, expr->span,
                         "the contract keeps no time stamps of this condition\n"
                         "expect a statistic, as `max(x over 10 min)`, or an alarm");
            return;
        }
        twc_emit(g, TW_OP_HOLDS, dst, duration, device, expr->u.hold.stamp);
    } else {
        const uint32_t duration = fixed_duration(g, expr->u.silent.duration);
        twc_emit(g, TW_OP_SILENT, dst, duration, device, expr->u.silent.decl->index);
    }
    g->top = mark;
}

/* ------------------------------------------------------------------ both ways */

static void branch_either(twc_gen *g, const twc_expr *left, bool left_sense, const twc_expr *right,
                          bool sense, twc_label *to)
{
    twc_gen_branch(g, left, left_sense, to);
    twc_gen_branch(g, right, sense, to);
}

static void branch_both(twc_gen *g, const twc_expr *left, bool left_sense, const twc_expr *right,
                        bool sense, twc_label *to)
{
    twc_label past = twc_label_new();
    twc_gen_branch(g, left, !left_sense, &past);
    twc_gen_branch(g, right, sense, to);
    twc_label_place(g, &past);
}

static void branch_binary(twc_gen *g, const twc_expr *expr, bool sense, twc_label *to)
{
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    const twc_operator op = expr->u.binary.op;
    if (op == TWC_OP_AND && sense) {
        branch_both(g, left, true, right, true, to);
    } else if (op == TWC_OP_AND) {
        branch_either(g, left, false, right, false, to);
    } else if (op == TWC_OP_OR && sense) {
        branch_either(g, left, true, right, true, to);
    } else if (op == TWC_OP_OR) {
        branch_both(g, left, false, right, false, to);
    } else if (op == TWC_OP_IMPLIES && sense) { /* not left, or right */
        branch_either(g, left, false, right, true, to);
    } else if (op == TWC_OP_IMPLIES) { /* left, and not right */
        branch_both(g, left, true, right, false, to);
    } else if (twc_gen_is_comparison(op)) {
        compare(g, op, left, right, sense, to);
    } else {
        twc_emit_jump(g, sense ? TW_OP_JNZ : TW_OP_JZ, twc_gen_value(g, expr), 0, to);
    }
}

static void branch(twc_gen *g, const twc_expr *expr, bool sense, twc_label *to)
{
    if (expr->constant) {
        if ((expr->value != 0) == sense) twc_emit_jump(g, TW_OP_JMP, 0, 0, to);
    } else if (expr->kind == TWC_E_NOT) {
        twc_gen_branch(g, expr->u.one, !sense, to);
    } else if (expr->kind == TWC_E_BINARY) {
        branch_binary(g, expr, sense, to);
    } else if (expr->kind == TWC_E_RANGE) {
        branch_range(g, expr, sense, to);
    } else if (expr->kind == TWC_E_IN) {
        branch_in(g, expr, sense, to);
    } else if (expr->kind == TWC_E_IS) {
        const bool some = sense == expr->u.is.some;
        const uint32_t at = twc_gen_value(g, expr->u.is.value);
        twc_emit_jump(g, some ? TW_OP_JNZ : TW_OP_JZ, at, 0, to);
    } else if (expr->kind == TWC_E_HOLD || expr->kind == TWC_E_SILENT) {
        const uint32_t t = twc_gen_slots_take(g, 1);
        reading_into(g, expr, t);
        twc_emit_jump(g, sense ? TW_OP_JNZ : TW_OP_JZ, t, 0, to);
    } else {
        twc_emit_jump(g, sense ? TW_OP_JNZ : TW_OP_JZ, twc_gen_value(g, expr), 0, to);
    }
}

void twc_gen_branch(twc_gen *g, const twc_expr *condition, bool sense, twc_label *to)
{
    const uint32_t mark = g->top;
    const uint32_t at = g->at;
    if (g->failed) return;
    g->at = condition->span.start;
    branch(g, condition, sense, to);
    g->at = at;
    g->top = mark;
}

/* Comparisons of one slot that have an instruction for their value. */
static bool compare_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_operator op = expr->u.binary.op;
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    if (!twc_gen_is_comparison(op) || twc_gen_slots(g, left->type) != 1 ||
        twc_gen_slots(g, right->type) != 1) {
        return false;
    }
    const uint32_t a = twc_gen_value(g, left);
    const bool imm = right->constant && twc_fits_imm30(right->value);
    if (imm && (op == TWC_OP_EQ || op == TWC_OP_LT || op == TWC_OP_GT)) {
        const tw_op with = op == TWC_OP_EQ ? TW_OP_EQI : op == TWC_OP_LT ? TW_OP_LTI : TW_OP_GTI;
        twc_emit_imm30(g, with, dst, a, right->value);
        return true;
    }
    const uint32_t b = twc_gen_value(g, right);
    const bool swap = op == TWC_OP_GT || op == TWC_OP_GE;
    const tw_op with = op == TWC_OP_EQ                      ? TW_OP_EQ
                       : op == TWC_OP_NE                    ? TW_OP_NE
                       : op == TWC_OP_LT || op == TWC_OP_GT ? TW_OP_LT
                                                            : TW_OP_LE;
    twc_emit(g, with, dst, swap ? b : a, swap ? a : b, 0);
    return true;
}

void twc_gen_bool(twc_gen *g, const twc_expr *condition, uint32_t dst)
{
    const uint32_t mark = g->top;
    if (condition->kind == TWC_E_HOLD || condition->kind == TWC_E_SILENT) {
        reading_into(g, condition, dst);
    } else if (condition->kind == TWC_E_IS) {
        const tw_op op = condition->u.is.some ? TW_OP_MOV : TW_OP_NOT;
        const uint32_t at = twc_gen_value(g, condition->u.is.value);
        if (op == TW_OP_NOT || at != dst) twc_emit(g, op, dst, at, 0, 0);
    } else if (condition->kind == TWC_E_BINARY && compare_into(g, condition, dst)) {
        /* done */
    } else {
        twc_label end = twc_label_new();
        const uint32_t t = twc_gen_slots_take(g, 1); /* the condition may read dst */
        twc_emit_constant(g, t, 0);
        twc_gen_branch(g, condition, false, &end);
        twc_emit_constant(g, t, 1);
        twc_label_place(g, &end);
        twc_emit_move(g, dst, t, 1);
    }
    g->top = mark;
}
