/* check_money -- currencies, tokens and purses: what they are, and what moves money.
 *
 * Called by check_decl.c (declarations), check_expr.c (a purse as a value), check_call.c (built-in
 * functions about money) and check_stmt.c (statements, `receives`). Without an error u.purse and
 * u.money hold, and u.index.store where it is a purse. Whether money can get stuck is looked at in
 * check_stuck.c when all of the contract is known.
 */
#include "compiler/check.h"

/* ------------------------------------------------------------------ declarations */

static bool is_money(const twc_decl *decl)
{
    return decl->kind == TWC_D_CURRENCY || decl->kind == TWC_D_TOKEN;
}

/* The currency or token of this name; NULL after an error. */
static twc_decl *find_money(twc_check *c, twc_word *word, twc_span span)
{
    twc_decl *decl = word != NULL ? word->global : NULL;
    if (decl == NULL) {
        if (word != NULL) twc_check_undeclared(c, word, span, "currency or token");
        return NULL;
    }
    decl->used = true;
    if (is_money(decl)) return decl;
    if (!decl->bad) {
        twc_check_fail_at(c, TWC_DIAG_WRONG_KIND, span, decl, "`%s` is no currency or token",
                          word->text);
    }
    return NULL;
}

void twc_check_purse_type(twc_check *c, twc_decl *purse)
{
    twc_decl *money = find_money(c, purse->u.purse.money, purse->u.purse.money_span);
    purse->u.purse.money_decl = money;
    purse->type = money != NULL ? money->type : c->error;
    purse->bad |= money == NULL;
    if (purse->u.purse.per == NULL) return;
    purse->u.purse.per_role =
        twc_check_find(c, purse->u.purse.per, purse->u.purse.per_span, TWC_D_ROLE);
    purse->bad |= purse->u.purse.per_role == NULL;
}

static void check_falls_to(twc_check *c, twc_decl *purse)
{
    twc_expr *to = purse->u.purse.falls_to;
    const bool name = to->kind == TWC_E_NAME;
    twc_decl *role = name ? twc_check_find(c, to->u.name.word, to->span, TWC_D_ROLE) : NULL;
    if (name && (role == NULL || role->bad)) return;
    const char *wrong = !name                     ? "names a role of max 1"
                        : purse->u.purse.per_role ? "is for a purse without `per`"
                        : role->u.role.max != 1   ? "goes to a role of max 1"
                        : role->u.role.revoked    ? "goes to a role that is never revoked"
                                                  : NULL;
    if (wrong == NULL) {
        purse->u.purse.falls_role = role;
        to->u.name.decl = role;
        to->type = c->account;
        return;
    }
    twc_check_fail_at(c, TWC_DIAG_FALLS, to->span, role,
                      "`falls to` %s\nthere must be one account that gets the money, for ever",
                      wrong);
}

void twc_check_purse_falls(twc_check *c, twc_decl *purse)
{
    int64_t low = 0;
    int64_t high = 0;
    if (purse->u.purse.falls_to == NULL) return;
    check_falls_to(c, purse);
    c->can = TWC_CAN_PARAM;
    c->where = "a purse";
    twc_expr *after =
        twc_check_fixed(c, purse->u.purse.falls_after, c->duration, "the time behind `after`");
    purse->u.purse.falls_after = after;
    if (after->type == c->error || !twc_check_interval(after, &low, &high) || low > 0) return;
    twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, after->span,
                   "the time behind `after` must be more than 0");
}

void twc_check_supply(twc_check *c, twc_decl *token)
{
    c->can = 0;
    c->where = "a token's supply";
    twc_expr *supply = twc_check_constant(c, token->u.money.supply, token->type, "the supply");
    token->u.money.supply = supply;
    if (!supply->constant || supply->value > 0) return;
    twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, supply->span, "the supply must be more than 0");
}

/* ------------------------------------------------------------------ purses as values */

/* The PURSE that this is the name of, or NULL. */
static twc_decl *named_purse(const twc_expr *expr)
{
    if (expr->kind != TWC_E_NAME || expr->u.name.word->local != NULL) return NULL;
    twc_decl *decl = expr->u.name.word->global;
    return decl != NULL && decl->kind == TWC_D_PURSE ? decl : NULL;
}

bool twc_check_is_purse(const twc_expr *expr)
{
    if (expr->kind == TWC_E_INDEX) expr = expr->u.index.object;
    return named_purse(expr) != NULL;
}

twc_expr *twc_check_purse_name(twc_check *c, twc_expr *expr, twc_decl *purse)
{
    if (!twc_check_may(c, expr->span, TWC_CAN_VAR)) return twc_check_is_error(c, expr);
    const char *name = purse->word->text;
    expr->type = purse->type;
    if (purse->u.purse.per_role == NULL) return expr;
    return twc_check_refuse(c, expr, TWC_DIAG_WHOSE_MONEY, expr->span,
                            "`%s` holds an amount for each %s\nsay whose, as `%s[who]`; all of "
                            "them together are `sum(%s)`",
                            name, purse->u.purse.per_role->word->text, name, name);
}

/* A purse's name that stands for the purse, not for what is in it. */
static twc_decl *mean_purse(twc_check *c, twc_expr *name)
{
    twc_decl *purse = named_purse(name);
    if (purse == NULL) return NULL;
    purse->used = true;
    name->u.name.decl = purse;
    name->type = c->nothing;
    return purse;
}

twc_expr *twc_check_purse_index(twc_check *c, twc_expr *expr)
{
    twc_decl *purse = mean_purse(c, expr->u.index.object);
    expr->u.index.index = twc_check_value(c, expr->u.index.index, c->account, "whose money it is");
    if (!twc_check_may(c, expr->span, TWC_CAN_VAR) || purse->bad ||
        expr->u.index.index->type == c->error) {
        return twc_check_is_error(c, expr);
    }
    if (purse->u.purse.per_role == NULL) {
        twc_check_fail_at(c, TWC_DIAG_WHOSE_MONEY, expr->mark, purse,
                          "`%s` holds one amount, not one for each account\nwrite `%s`",
                          purse->word->text, purse->word->text);
        return twc_check_is_error(c, expr);
    }
    expr->u.index.store = purse;
    expr->type = purse->type;
    return expr;
}

const twc_decl *twc_check_purse_of(const twc_expr *place)
{
    const twc_decl *decl = place->kind == TWC_E_NAME    ? place->u.name.decl
                           : place->kind == TWC_E_INDEX ? place->u.index.store
                                                        : NULL;
    return decl != NULL && decl->kind == TWC_D_PURSE ? decl : NULL;
}

/* ------------------------------------------------------------------ built-in functions */

static const char *const call_help[] = {
    [TWC_B_SUM] = "a purse `per` a role, as `sum(stake)`",
    [TWC_B_BALANCE] = "an account and a currency or token, as `balance(caller, EUR)`",
    [TWC_B_CIRCULATING] = "a token, as `circulating(DATA)`",
    [TWC_B_GAIN] = "an account and a currency or token, as `gain(provider, EUR)`",
    [TWC_B_MINTED] = "a token, as `minted(DATA)`",
};

static twc_expr *wrong_call(twc_check *c, twc_expr *expr, twc_span span)
{
    return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, span, "`%s` takes %s",
                            expr->u.call.function->u.name.word->text,
                            call_help[expr->u.call.builtin]);
}

/* sum(purse) */
static twc_expr *check_sum(twc_check *c, twc_expr *expr)
{
    twc_expr *name = expr->u.call.args->value;
    twc_decl *purse = mean_purse(c, name);
    if (purse != NULL && purse->bad) return twc_check_is_error(c, expr);
    if (purse == NULL || purse->u.purse.per_role == NULL) return wrong_call(c, expr, name->span);
    if (!twc_check_may(c, expr->span, TWC_CAN_VAR)) return twc_check_is_error(c, expr);
    expr->u.call.decl = purse;
    expr->type = purse->type;
    return expr;
}

/* The contract's only money; NULL where it has none or several. */
static twc_decl *only_money(const twc_check *c)
{
    twc_decl *only = NULL;
    for (twc_decl *d = c->contract->members; d != NULL; d = d->next) {
        if (!is_money(d)) continue;
        if (only != NULL) return NULL;
        only = d;
    }
    return only;
}

/* The argument that names a currency or token. */
static twc_decl *money_argument(twc_check *c, const twc_arg *arg, twc_expr *expr)
{
    if (arg == NULL) return only_money(c);
    twc_expr *name = arg->value;
    if (name->kind != TWC_E_NAME || name->u.name.word->local != NULL) {
        (void)wrong_call(c, expr, name->span);
        return NULL;
    }
    return find_money(c, name->u.name.word, name->span);
}

/* balance(account, C), gain(account, C); in a contract with one money a test may leave it out */
static twc_expr *check_balance(twc_check *c, twc_expr *expr)
{
    twc_arg *arg = expr->u.call.args;
    const bool alone = arg->next == NULL;
    if (!twc_check_may(c, expr->span, TWC_CAN_LEDGER)) return twc_check_is_error(c, expr);
    if (alone && (!(c->can & TWC_CAN_TEST) || only_money(c) == NULL)) {
        return wrong_call(c, expr, expr->mark);
    }
    arg->value = twc_check_value(c, arg->value, c->account, "the account");
    twc_decl *money = money_argument(c, arg->next, expr);
    if (money == NULL || arg->value->type == c->error) return twc_check_is_error(c, expr);
    arg->next = NULL; /* a name, no value */
    money->used = true;
    expr->u.call.decl = money;
    expr->type = money->type;
    return expr;
}

/* circulating(T), minted(T) */
static twc_expr *check_supply_call(twc_check *c, twc_expr *expr)
{
    const twc_span span = expr->u.call.args->span;
    twc_decl *token = money_argument(c, expr->u.call.args, expr);
    if (token == NULL || !twc_check_may(c, expr->span, TWC_CAN_LEDGER)) {
        return twc_check_is_error(c, expr);
    }
    if (token->kind != TWC_D_TOKEN) return wrong_call(c, expr, span);
    expr->u.call.args = NULL;
    expr->u.call.decl = token;
    expr->type = token->type;
    return expr;
}

twc_expr *twc_check_money_call(twc_check *c, twc_expr *expr)
{
    const twc_builtin which = expr->u.call.builtin;
    const bool of_account = which == TWC_B_BALANCE || which == TWC_B_GAIN;
    const uint32_t most = of_account ? 2 : 1;
    if (expr->u.call.count < 1 || expr->u.call.count > most) return wrong_call(c, expr, expr->mark);
    if (which == TWC_B_SUM) return check_sum(c, expr);
    return of_account ? check_balance(c, expr) : check_supply_call(c, expr);
}

/* ------------------------------------------------------------------ statements */

/* An amount of the purse's money that may be 0 or more. */
static twc_expr *check_amount(twc_check *c, twc_expr *amount, const twc_type *type)
{
    amount = twc_check_value(c, amount, type, "the amount");
    if (amount->type == c->error || !amount->constant || amount->value >= 0) return amount;
    return twc_check_refuse(c, amount, TWC_DIAG_ALWAYS_TRAPS, amount->span, "this always fails: %s",
                            tw_status_text(TW_TRAP_NEGATIVE_AMOUNT));
}

/* A purse, with a key where it needs one; NULL after an error. */
static const twc_decl *check_purse(twc_check *c, twc_expr **place)
{
    *place = twc_check_expr(c, *place, NULL);
    if ((*place)->type == c->error) return NULL;
    const twc_decl *purse = twc_check_purse_of(*place);
    if (purse == NULL) {
        twc_check_fail(c, TWC_DIAG_NOT_A_PURSE, (*place)->span,
                       "a purse of the contract must stand here\nonly `receives` takes money from "
                       "an account: the sender's");
    }
    return purse;
}

/* Where money goes: a purse of this money, or an account. `ret_purse` NULL: an account. */
static bool check_payee(twc_check *c, twc_expr **to, const twc_type *type,
                        const twc_decl **ret_purse)
{
    *ret_purse = NULL;
    if (!twc_check_is_purse(*to)) {
        *to = twc_check_value(c, *to, c->account, "who gets the money");
        return (*to)->type != c->error;
    }
    const twc_decl *purse = check_purse(c, to);
    if (purse == NULL) return false;
    *ret_purse = purse;
    if (type == NULL || purse->type == type) return true;
    twc_check_mismatch(c, (*to)->span, "the purse", type, purse->type);
    return false;
}

static bool is_rest(const twc_expr *amount)
{
    if (amount->kind != TWC_E_OF || amount->u.of.left->kind != TWC_E_NAME) return false;
    const twc_word *word = amount->u.of.left->u.name.word;
    return word->local == NULL && word->global == NULL && twc_check_word_is(word, "rest");
}

static void check_pay(twc_check *c, twc_stmt *stmt)
{
    twc_expr *amount = stmt->u.money.amount;
    const bool rest = is_rest(amount);
    if (rest == (stmt->u.money.from != NULL)) {
        twc_check_fail(c, TWC_DIAG_NOT_A_PURSE, amount->span, "%s",
                       rest ? "`rest of` says already which purse it is\nleave out `from`"
                            : "nothing says from which purse this is paid\nwrite `pay e from p to "
                              "a`, or `pay rest of p to a`");
        return;
    }
    if (rest) stmt->u.money.from = amount->u.of.right;
    const twc_decl *purse = check_purse(c, &stmt->u.money.from);
    const twc_decl *payee = NULL;
    const twc_type *type = purse != NULL ? purse->type : NULL;
    if (rest) {
        stmt->u.money.rest = true;
        amount->u.of.which = TWC_OF_REST;
        amount->u.of.right = stmt->u.money.from;
        amount->type = type != NULL ? type : c->error;
    } else if (type != NULL) {
        stmt->u.money.amount = check_amount(c, amount, type);
    }
    stmt->u.money.money = purse != NULL ? purse->u.purse.money_decl : NULL;
    (void)check_payee(c, &stmt->u.money.to, type, &payee);
}

static void check_mint(twc_check *c, twc_stmt *stmt)
{
    const bool mint = stmt->kind == TWC_S_MINT;
    const twc_decl *purse = NULL;
    if (mint ? !check_payee(c, &stmt->u.money.to, NULL, &purse)
             : (purse = check_purse(c, &stmt->u.money.from)) == NULL) {
        return;
    }
    twc_expr *amount = purse != NULL ? check_amount(c, stmt->u.money.amount, purse->type)
                                     : twc_check_expr(c, stmt->u.money.amount, NULL);
    if (amount->type->kind == TWC_TYPE_MONEY) amount = check_amount(c, amount, amount->type);
    stmt->u.money.amount = amount;
    if (amount->type == c->error) return;
    if (amount->type->kind == TWC_TYPE_MONEY && amount->type->decl->kind == TWC_D_TOKEN) {
        stmt->u.money.money = amount->type->decl;
        return;
    }
    twc_check_fail(c, TWC_DIAG_NOT_A_TOKEN, amount->span,
                   "only the contract's own token can be %s, and this is %s\na token is declared "
                   "by `token T decimals d supply S`",
                   mint ? "minted" : "burnt", twc_check_text(c, amount->type));
}

void twc_check_move(twc_check *c, twc_stmt *stmt)
{
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    if (stmt->kind == TWC_S_PAY) {
        check_pay(c, stmt);
    } else {
        check_mint(c, stmt);
    }
}

void twc_check_receives(twc_check *c, twc_entry *entry)
{
    if (entry->receives == NULL) return;
    const twc_decl *purse = check_purse(c, &entry->into);
    if (purse != NULL) entry->receives = check_amount(c, entry->receives, purse->type);
}
