/* gen_money -- monies and purses in a module, what moves money, and the entries that pay out a
 * purse in which nothing has moved for long.
 *
 * Called by the other gen_*.c. A purse has no home in a frame: each use asks the machine, so what
 * is read after a payment is what the purse then holds.
 */
#include "compiler/gen.h"

#include <stdio.h>
#include <string.h>

enum { FALLS_NAME_MAX = TW_NAME_SIZE_MAX + 8 };

/* ------------------------------------------------------------------ declarations */

/* Zeroed room for all members of these kinds. */
static void *room(twc_gen *g, twc_decl_kind a, twc_decl_kind b, size_t size, uint16_t *ret_count)
{
    uint32_t count = 0; /* at most TW_PURSES_MAX: checked */
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        count += d->kind == a || d->kind == b;
    }
    void *items = tw_arena_array(g->arena, count, size);
    if (items == NULL) g->diags->out_of_memory = g->failed = true;
    *ret_count = items != NULL ? (uint16_t)count : 0;
    return items;
}

void twc_gen_monies(twc_gen *g)
{
    tw_module *m = g->m;
    m->monies = room(g, TWC_D_CURRENCY, TWC_D_TOKEN, sizeof *m->monies, &m->money_count);
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind != TWC_D_CURRENCY && d->kind != TWC_D_TOKEN) continue;
        const bool token = d->kind == TWC_D_TOKEN;
        m->monies[d->index] = (tw_money){
            .name = d->word->text,
            .kind = token ? TW_MONEY_TOKEN : TW_MONEY_CURRENCY,
            .decimals = (uint8_t)d->u.money.decimals,
            .supply = token ? d->u.money.supply->value : 0,
        };
    }
}

void twc_gen_purses(twc_gen *g)
{
    tw_module *m = g->m;
    m->purses = room(g, TWC_D_PURSE, TWC_D_PURSE, sizeof *m->purses, &m->purse_count);
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind != TWC_D_PURSE) continue;
        const twc_decl *role = d->u.purse.per_role;
        m->purses[d->index] = (tw_purse){
            .name = d->word->text,
            .money = (uint16_t)d->u.purse.money_decl->index,
            .role = role != NULL ? (uint16_t)role->index : TW_NONE,
        };
    }
}

uint32_t twc_gen_role_least(const twc_gen *g, const twc_decl *role)
{
    uint32_t least = 0;
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        uint32_t wanted = 0;
        if (d->kind == TWC_D_ACTION && d->u.entry->signed_role == role) {
            wanted = d->u.entry->signed_count;
        }
        if (d->kind == TWC_D_PURSE && d->u.purse.falls_role == role) wanted = 1;
        if (d->kind == TWC_D_UPGRADE && d->u.upgrade.role_decl == role) wanted = d->u.upgrade.count;
        if (wanted > least) least = wanted;
    }
    return least;
}

/* ------------------------------------------------------------------ values */

/* The slots of the key of a purse's place; 0 where it has none. */
static uint32_t key_of(twc_gen *g, const twc_expr *place)
{
    return place->kind == TWC_E_INDEX ? twc_gen_account(g, place->u.index.index) : 0;
}

bool twc_gen_is_purse(const twc_expr *expr)
{
    const twc_decl *decl = expr->kind == TWC_E_NAME    ? expr->u.name.decl
                           : expr->kind == TWC_E_INDEX ? expr->u.index.store
                                                       : NULL;
    return decl != NULL && decl->kind == TWC_D_PURSE;
}

void twc_gen_purse_into(twc_gen *g, const twc_expr *place, uint32_t dst)
{
    const uint32_t key = key_of(g, place);
    twc_emit(g, TW_OP_PURSE, dst, key, 0, twc_walk_root(place)->index);
}

static void supply_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t token = expr->u.call.decl->index;
    if (expr->u.call.builtin == TWC_B_CIRCULATING) {
        twc_emit(g, TW_OP_SUPPLY, dst, 0, 0, token);
    } else {
        const uint32_t minted =
            twc_gen_input_slot(g, TWC_INPUT_MINTED, (uint16_t)token, expr->span);
        twc_emit_move(g, dst, minted, 1);
    }
}

/* gain: what the account has, without what each account of a test was given. */
static void balance_into(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const uint32_t money = expr->u.call.decl->index;
    const uint32_t account = twc_gen_account(g, expr->u.call.args->value);
    twc_emit(g, TW_OP_BALANCE, dst, account, 0, money);
    if (expr->u.call.builtin != TWC_B_GAIN) return;
    const uint32_t before = twc_gen_input_slot(g, TWC_INPUT_ENDOWED, (uint16_t)money, expr->span);
    twc_emit(g, TW_OP_SUB, dst, dst, before, 0);
}

bool twc_gen_money_call(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_builtin which = expr->u.call.builtin;
    if (which == TWC_B_SUM) {
        twc_emit(g, TW_OP_TOTAL, dst, 0, 0, expr->u.call.decl->index);
    } else if (which == TWC_B_BALANCE || which == TWC_B_GAIN) {
        balance_into(g, expr, dst);
    } else if (which == TWC_B_CIRCULATING || which == TWC_B_MINTED) {
        supply_into(g, expr, dst);
    } else {
        return false;
    }
    return true;
}

/* ------------------------------------------------------------------ what moves money */

/* Pays `amount` out of the purse's place. */
static void pay_out(twc_gen *g, uint32_t amount, uint32_t key, uint32_t purse, const twc_expr *to)
{
    if (twc_gen_is_purse(to)) {
        const uint32_t to_key = key_of(g, to);
        const uint32_t x = TW_PURSES_MAX * purse + twc_walk_root(to)->index;
        twc_emit(g, TW_OP_SHIFT, amount, key, to_key, x);
    } else {
        twc_emit(g, TW_OP_PAY, amount, key, twc_gen_account(g, to), purse);
    }
}

void twc_gen_pay(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *from = stmt->u.money.from;
    const uint32_t purse = twc_walk_root(from)->index;
    if (stmt->u.money.rest) {
        const uint32_t amount = twc_gen_slots_take(g, 1);
        const uint32_t key = key_of(g, from);
        twc_emit(g, TW_OP_PURSE, amount, key, 0, purse);
        pay_out(g, amount, key, purse, stmt->u.money.to);
    } else {
        const uint32_t amount = twc_gen_value(g, stmt->u.money.amount);
        pay_out(g, amount, key_of(g, from), purse, stmt->u.money.to);
    }
}

void twc_gen_mint(twc_gen *g, const twc_stmt *stmt)
{
    const bool burn = stmt->kind == TWC_S_BURN;
    const twc_expr *place = burn ? stmt->u.money.from : stmt->u.money.to;
    const uint32_t amount = twc_gen_value(g, stmt->u.money.amount);
    if (twc_gen_is_purse(place)) {
        const uint32_t purse = twc_walk_root(place)->index;
        twc_emit(g, burn ? TW_OP_BURN : TW_OP_MINTIN, amount, key_of(g, place), 0, purse);
    } else {
        const uint32_t account = twc_gen_account(g, place);
        twc_emit(g, TW_OP_MINT, amount, account, 0, stmt->u.money.money->index);
    }
}

void twc_gen_receives(twc_gen *g, const twc_entry *entry)
{
    if (entry->receives == NULL) return;
    const uint32_t mark = g->top;
    const uint32_t at = g->at;
    g->at = entry->receives->span.start;
    const uint32_t amount = twc_gen_value(g, entry->receives);
    const uint32_t key = key_of(g, entry->into);
    twc_emit(g, TW_OP_RECEIVE, amount, key, 0, twc_walk_root(entry->into)->index);
    g->at = at;
    g->top = mark;
}

/* ------------------------------------------------------------------ purses that fall */

static void falls(twc_gen *g, const twc_decl *purse)
{
    char name[FALLS_NAME_MAX];
    snprintf(name, sizeof name, "%s falls", purse->word->text);
    tw_entry e = {.name = tw_arena_copy(g->arena, name, strlen(name)),
                  .kind = TW_ENTRY_FALLS,
                  .of = (uint16_t)purse->index,
                  .phases = g->m->entries[0].phases,
                  .result = TW_NONE};
    if (e.name == NULL) g->diags->out_of_memory = g->failed = true;
    e.delay = twc_gen_deployed(g, purse->u.purse.falls_after);
    twc_gen_over_limit(g, purse->span, "too many deploy constants", e.delay, TW_NONE - 1);
    if (g->failed) return;
    twc_touched writes = {0};
    writes.purses[purse->index / 64] |= (uint64_t)1 << purse->index % 64;
    twc_gen_start(g, e.name, purse->span);
    g->at = purse->u.purse.falls_to->span.start;
    const uint32_t amount = twc_gen_slots_take(g, 1);
    twc_emit(g, TW_OP_PURSE, amount, 0, 0, purse->index);
    pay_out(g, amount, 0, purse->index, purse->u.purse.falls_to);
    twc_gen_invariants(g, &writes);
    twc_emit_last(g, TW_OP_RET, 0, 0);
    e.function = twc_gen_end(g);
    twc_gen_entry_add(g, e, purse->span);
}

void twc_gen_falls(twc_gen *g)
{
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind == TWC_D_PURSE && d->u.purse.falls_to != NULL) falls(g, d);
    }
}
