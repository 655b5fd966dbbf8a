/* gen_stmt -- statements of bodies.
 *
 * A state variable is changed in its home and the whole of it stored at once, so what is read after
 * an assignment is what the state holds. A statement gives back the slots it took; locals live to
 * the end of their block.
 */
#include "compiler/gen.h"

#include <assert.h>

/* ------------------------------------------------------------------ locals and assignments */

static void let(twc_gen *g, const twc_stmt *stmt)
{
    twc_decl *decl = stmt->u.let.decl;
    decl->slot = twc_gen_slots_take(g, twc_gen_slots(g, decl->type));
    if (decl->u.value.value != NULL) {
        twc_gen_into(g, decl->u.value.value, decl->slot);
    } else {
        twc_emit_zero(g, decl->slot, twc_gen_slots(g, decl->type));
    }
    twc_gen_local_open(g, decl->word->text, decl->type, decl->slot);
}

/* The last instruction of the value alone writes its destination. */
static bool writes_last(const twc_expr *value)
{
    if (value->constant || value->kind == TWC_E_NEGATE) return true;
    return value->kind == TWC_E_BINARY && value->u.binary.arith != TWC_ARITH_NONE;
}

static void assign(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *place = stmt->u.assign.place;
    const twc_expr *combined = stmt->u.assign.combined;
    const twc_expr *value = combined != NULL ? combined : stmt->u.assign.value;
    const twc_decl *root = twc_walk_root(place);
    const uint32_t slots = twc_gen_slots(g, place->type);
    const twc_gen_back *back = NULL;
    const bool whole = place->kind == TWC_E_NAME || combined == NULL;
    const uint32_t at = twc_gen_open(g, place, whole, &back);
    g->open = combined != NULL ? back : NULL;
    if (writes_last(value) || !twc_walk_mentions(value, root)) {
        twc_gen_into(g, value, at);
    } else {
        const uint32_t copy = twc_gen_slots_take(g, slots);
        twc_gen_into(g, value, copy);
        twc_emit_move(g, at, copy, slots);
    }
    g->open = NULL;
    twc_gen_close(g, back);
}

/* ------------------------------------------------------------------ branches */

static void branches(twc_gen *g, const twc_arm *arms)
{
    twc_label end = twc_label_new();
    for (const twc_arm *arm = arms; arm != NULL; arm = arm->next) {
        twc_label next = twc_label_new();
        if (arm->condition != NULL) twc_gen_branch(g, arm->condition, false, &next);
        twc_gen_block(g, &arm->body);
        if (arm->next != NULL) twc_emit_jump(g, TW_OP_JMP, 0, 0, &end);
        twc_label_place(g, &next);
    }
    twc_label_place(g, &end);
}

static void open_binder(twc_gen *g, const twc_arm *arm, uint32_t at, bool lives_elsewhere)
{
    twc_decl *binder = arm->binder;
    if (binder == NULL) return;
    const uint32_t slots = twc_gen_slots(g, binder->type);
    binder->slot = at + 1;
    if (lives_elsewhere) { /* may be assigned while the binder is in use */
        binder->slot = twc_gen_slots_take(g, slots);
        twc_emit_move(g, binder->slot, at + 1, slots);
    }
    twc_gen_local_open(g, binder->word->text, binder->type, binder->slot);
}

/* The arms are exhaustive: the last one needs no test. */
static void match(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *value = stmt->u.match.value;
    const uint32_t before = g->top;
    const uint32_t at = twc_gen_value(g, value);
    twc_label end = twc_label_new();
    for (const twc_arm *arm = stmt->u.match.arms; arm != NULL; arm = arm->next) {
        twc_label next = twc_label_new();
        const uint32_t mark = g->top;
        const uint32_t locals = g->local_count;
        g->at = arm->span.start;
        if (arm->next != NULL) twc_emit_jump_imm(g, TW_OP_JNEI, at, arm->value, &next);
        open_binder(g, arm, at, at < before);
        twc_gen_block(g, &arm->body);
        twc_gen_locals_close(g, locals);
        if (arm->next != NULL) twc_emit_jump(g, TW_OP_JMP, 0, 0, &end);
        twc_label_place(g, &next);
        g->top = mark;
    }
    twc_label_place(g, &end);
}

/* ------------------------------------------------------------------ the rest */

static void fail_with(twc_gen *g, const twc_decl *error, const twc_arg *args)
{
    const uint32_t fields = twc_gen_slots_take(g, twc_gen_args_slots(g, args));
    twc_gen_args(g, args, fields);
    twc_emit_last(g, TW_OP_FAIL, fields, error->index);
}

static void needs(twc_gen *g, const twc_stmt *stmt)
{
    twc_label holds = twc_label_new();
    twc_gen_branch(g, stmt->u.needs.condition, true, &holds);
    if (stmt->u.needs.decl != NULL) {
        fail_with(g, stmt->u.needs.decl, stmt->u.needs.args);
    } else {
        twc_emit_last(g, TW_OP_TRAP, 0, TW_TRAP_NEEDS_FAILED);
    }
    twc_label_place(g, &holds);
}

static void notice(twc_gen *g, const twc_stmt *stmt)
{
    const twc_decl *decl = stmt->u.notice.decl;
    if (stmt->u.notice.of != NULL) {
        twc_gen_log(g, stmt);
        return;
    }
    if (stmt->kind == TWC_S_FAIL) {
        fail_with(g, decl, stmt->u.notice.args);
        return;
    }
    const uint32_t fields = twc_gen_slots_take(g, twc_gen_args_slots(g, stmt->u.notice.args));
    twc_gen_args(g, stmt->u.notice.args, fields);
    twc_emit(g, stmt->kind == TWC_S_EMIT ? TW_OP_EMIT : TW_OP_HISTORY, fields, 0, 0, decl->index);
}

static void grant(twc_gen *g, const twc_stmt *stmt)
{
    const uint32_t account = twc_gen_account(g, stmt->u.grant.account);
    const tw_op op = stmt->kind == TWC_S_GRANT ? TW_OP_GRANT : TW_OP_REVOKE;
    twc_emit(g, op, 0, account, 0, stmt->u.grant.role->index);
}

static void stop(twc_gen *g, const twc_stmt *stmt)
{
    (void)stmt;
    if (g->finish != NULL && g->loop == NULL) {
        twc_emit_jump(g, TW_OP_JMP, 0, 0, g->finish);
    } else {
        assert(g->finish == NULL); /* else the body is a function of its own */
        twc_emit_last(g, TW_OP_RET, 0, 0);
    }
}

static void branch(twc_gen *g, const twc_stmt *stmt)
{
    branches(g, stmt->u.branch.arms);
}

static void go(twc_gen *g, const twc_stmt *stmt)
{
    twc_emit(g, TW_OP_GO, 0, 0, 0, stmt->u.go.phase->index);
}

static void give_back(twc_gen *g, const twc_stmt *stmt)
{
    twc_emit_last(g, TW_OP_RET, twc_gen_value(g, stmt->u.value), 0);
}

/* Kinds that are left out have no code yet. */
static void (*const generators[])(twc_gen *g, const twc_stmt *stmt) = {
    [TWC_S_LET] = let,
    [TWC_S_ASSIGN] = assign,
    [TWC_S_IF] = branch,
    [TWC_S_FOR] = twc_gen_for,
    [TWC_S_REPEAT] = twc_gen_repeat,
    [TWC_S_MATCH] = match,
    [TWC_S_NEEDS] = needs,
    [TWC_S_EMIT] = notice,
    [TWC_S_FAIL] = notice,
    [TWC_S_HISTORY] = notice,
    [TWC_S_PAY] = twc_gen_pay,
    [TWC_S_MINT] = twc_gen_mint,
    [TWC_S_BURN] = twc_gen_mint,
    [TWC_S_GO] = go,
    [TWC_S_CREATE] = twc_gen_create,
    [TWC_S_GIVE] = twc_gen_verb,
    [TWC_S_ATTACH] = twc_gen_verb,
    [TWC_S_DETACH] = twc_gen_verb,
    [TWC_S_RETIRE] = twc_gen_verb,
    [TWC_S_REMOVE] = twc_gen_remove,
    [TWC_S_GRANT] = grant,
    [TWC_S_REVOKE] = grant,
    [TWC_S_PUSH] = twc_gen_push,
    [TWC_S_STOP] = stop,
    [TWC_S_SKIP] = twc_gen_skip,
    [TWC_S_RETURN] = give_back,
};

static void statement(twc_gen *g, const twc_stmt *stmt)
{
    const bool known = stmt->kind < sizeof generators / sizeof generators[0];
    if (known && generators[stmt->kind] != NULL) {
        generators[stmt->kind](g, stmt);
    } else {
        twc_gen_unsupported(g, stmt->span, "this statement");
    }
}

static void statements(twc_gen *g, const twc_stmt *first)
{
    for (const twc_stmt *stmt = first; stmt != NULL && !g->failed; stmt = stmt->next) {
        const uint32_t mark = g->top;
        g->at = stmt->span.start;
        statement(g, stmt);
        if (stmt->kind != TWC_S_LET) g->top = mark;
    }
}

void twc_gen_needs(twc_gen *g, const twc_stmt *first)
{
    statements(g, first);
}

void twc_gen_block(twc_gen *g, const twc_block *block)
{
    const uint32_t mark = g->top;
    const uint32_t locals = g->local_count;
    statements(g, block->first);
    twc_gen_locals_close(g, locals);
    g->top = mark;
}
