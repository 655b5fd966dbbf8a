/* purse -- instructions that move money between balances and purses, and what they must leave
 * behind at the end of an entry.
 *
 *     field space | contract | purse id             the amount, or of a purse per role the total
 *     field space | contract | purse id | account   the amount of a member
 *
 * Every amount passes through `add`, which also counts, for each money, what the entry has put into
 * balances and purses in all: at its end that must be what it has made less what it has destroyed.
 * Moving nothing does nothing: no notice, no change of a purse. A purse per role is followed by one
 * count, of the accounts that have something in it and hold the role no more (or not yet); that
 * count is zero between entries, so it needs no list.
 *
 * Reads of each, beside the amounts that are written: a payee's contract record (a contract's id is
 * no payee), a member's record where an amount of a purse per role becomes zero or leaves zero.
 */
#include "vm/exec/machine.h"
#include "vm/exec/notice.h"

#include "vm/isa/value.h"

#include <assert.h>
#include <string.h>

tw_key tw_purse_key(const tw_hash *contract, const tw_purse *purse, const tw_account *member)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_FIELD, contract);
    tw_key_u32(&key, purse->id);
    if (member != NULL) tw_key_raw(&key, member->bytes, sizeof member->bytes);
    return key;
}

/* ---- places ---- */

/* The purse under the key in `slots`, which stand unused where it has none. */
static tw_place purse_at(const tw_exec *x, uint32_t purse, const int64_t *slots)
{
    tw_place place = {.purse = (uint16_t)purse};
    if (tw_exec_module(x)->purses[purse].role != TW_NONE) place.account = tw_slots_account(slots);
    return place;
}

static tw_place balance_of(const tw_account *account)
{
    return (tw_place){.purse = TW_NONE, .account = *account};
}

static tw_status count(int64_t *sum, int64_t change)
{
    return __builtin_add_overflow(*sum, change, sum) ? TW_ERR_INTERNAL : TW_OK;
}

/* The total of a purse per role, and whether its key is one of a member. */
static tw_status follow(tw_exec *x, const tw_purse *p, const tw_account *account, int64_t change,
                        int64_t after)
{
    tw_contract *c = x->contract;
    const tw_key key = tw_purse_key(&c->id, p, NULL);
    int64_t total = 0;
    bool member = false;
    TW_TRY(tw_bank_change(c->overlay, &key, change, &total));
    const bool from_zero = after == change;
    if (!from_zero && after != 0) return TW_OK;
    TW_TRY(tw_role_has(c, p->role, account, &member));
    if (!member) x->till.strangers += from_zero ? 1 : -1;
    return TW_OK;
}

/* Adds `change`, not zero, to what a place has of a money. */
static tw_status add(tw_exec *x, uint16_t money, const tw_place *place, int64_t change)
{
    tw_contract *c = x->contract;
    const bool balance = place->purse == TW_NONE;
    const tw_purse *p = balance ? NULL : &tw_exec_module(x)->purses[place->purse];
    const tw_account *member = balance || p->role == TW_NONE ? NULL : &place->account;
    const tw_key key = balance ? tw_bank_balance_key(&c->assets[money], &place->account)
                               : tw_purse_key(&c->id, p, member);
    int64_t after = 0;
    assert(change != 0 && (balance || p->money == money));
    TW_TRY(tw_bank_change(c->overlay, &key, change, &after));
    x->till.used = true;
    TW_TRY(count(&x->till.held[money], change));
    if (balance) return TW_OK;
    x->till.touched[place->purse] = true;
    return member != NULL ? follow(x, p, member, change, after) : TW_OK;
}

/* A contract can't spend what is paid to its id. */
static tw_status check_payee(tw_exec *x, const tw_place *to)
{
    tw_hash id;
    tw_hash code;
    bool found = false;
    memcpy(id.bytes, to->account.bytes, sizeof id.bytes);
    TW_TRY(tw_contract_find(x->contract->overlay, &id, &code, &found));
    return found ? TW_TRAP_BAD_VALUE : TW_OK;
}

static tw_status tell(tw_exec *x, const tw_notice_view *moved)
{
    tw_notice_write_money(&x->notices, moved);
    return x->notices.bad ? TW_ERR_MEMORY : TW_OK;
}

static tw_status move(tw_exec *x, tw_transfer transfer, uint16_t money, int64_t amount,
                      const tw_place *from, const tw_place *to)
{
    if (amount < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (amount == 0) return TW_OK;
    TW_TRY(add(x, money, from, -amount));
    TW_TRY(add(x, money, to, amount));
    const tw_notice_view moved = {
        .transfer = (uint8_t)transfer, .index = money, .amount = amount, .from = *from, .to = *to};
    return tell(x, &moved);
}

/* ---- what there is ---- */

tw_status tw_native_PURSE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_purse *p = &tw_exec_module(x)->purses[i->x];
    const tw_place place = purse_at(x, (uint32_t)i->x, s + i->b);
    const tw_key key =
        tw_purse_key(&x->contract->id, p, p->role != TW_NONE ? &place.account : NULL);
    return tw_bank_amount(x->contract->overlay, &key, &s[i->a]);
}

tw_status tw_native_TOTAL(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_key key = tw_purse_key(&x->contract->id, &tw_exec_module(x)->purses[i->x], NULL);
    return tw_bank_amount(x->contract->overlay, &key, &s[i->a]);
}

tw_status tw_native_BALANCE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account account = tw_slots_account(s + i->b);
    const tw_key key = tw_bank_balance_key(&x->contract->assets[i->x], &account);
    return tw_bank_amount(x->contract->overlay, &key, &s[i->a]);
}

tw_status tw_native_SUPPLY(tw_exec *x, int64_t *s, const tw_insn *i)
{
    tw_asset asset;
    bool found = false;
    TW_TRY(tw_bank_asset(x->contract->overlay, &x->contract->assets[i->x], &asset, &found));
    if (!found) return TW_ERR_CORRUPT;
    s[i->a] = asset.supply;
    return TW_OK;
}

/* ---- moving ---- */

/* Takes `amount` from what the sender has allowed for the asset. */
static tw_status spend(tw_exec *x, uint16_t money, int64_t amount)
{
    for (uint16_t k = 0; k < x->call->spend_count; k++) {
        const tw_spend *allowed = &x->call->spends[k];
        if (!tw_hash_equal(&allowed->asset, &x->contract->assets[money])) continue;
        if (amount > allowed->most - x->till.spent[k]) return TW_TRAP_NOT_ENOUGH;
        x->till.spent[k] += amount;
        x->till.used = true;
        return TW_OK;
    }
    return TW_TRAP_NOT_ENOUGH;
}

tw_status tw_native_RECEIVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const uint16_t money = tw_exec_module(x)->purses[i->x].money;
    if (x->call->signer_count == 0) return TW_TRAP_NOT_CALLER;
    const tw_place from = balance_of(&x->call->signers[0]);
    const tw_place to = purse_at(x, (uint32_t)i->x, s + i->b);
    if (s[i->a] > 0) TW_TRY(spend(x, money, s[i->a]));
    return move(x, TW_TRANSFER_RECEIVE, money, s[i->a], &from, &to);
}

tw_status tw_native_PAY(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account payee = tw_slots_account(s + i->c);
    const tw_place from = purse_at(x, (uint32_t)i->x, s + i->b);
    const tw_place to = balance_of(&payee);
    if (s[i->a] > 0) TW_TRY(check_payee(x, &to));
    return move(x, TW_TRANSFER_PAY, tw_exec_module(x)->purses[i->x].money, s[i->a], &from, &to);
}

tw_status tw_native_SHIFT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const uint32_t source = (uint32_t)i->x >> 8;
    const tw_place from = purse_at(x, source, s + i->b);
    const tw_place to = purse_at(x, (uint32_t)i->x & 255, s + i->c);
    return move(x, TW_TRANSFER_SHIFT, tw_exec_module(x)->purses[source].money, s[i->a], &from, &to);
}

/* ---- making and destroying ---- */

static tw_status mint(tw_exec *x, uint16_t money, int64_t amount, const tw_place *to)
{
    static const tw_place nowhere = {.purse = TW_NONE};
    const int64_t most = tw_exec_module(x)->monies[money].supply;
    if (amount < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (amount == 0) return TW_OK;
    TW_TRY(tw_bank_supply(x->contract->overlay, &x->contract->assets[money], amount, most));
    TW_TRY(count(&x->till.made[money], amount));
    TW_TRY(add(x, money, to, amount));
    const tw_notice_view moved = {
        .transfer = TW_TRANSFER_MINT, .index = money, .amount = amount, .from = nowhere, .to = *to};
    return tell(x, &moved);
}

tw_status tw_native_MINT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_account payee = tw_slots_account(s + i->b);
    const tw_place to = balance_of(&payee);
    if (s[i->a] > 0) TW_TRY(check_payee(x, &to));
    return mint(x, (uint16_t)i->x, s[i->a], &to);
}

tw_status tw_native_MINTIN(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_place to = purse_at(x, (uint32_t)i->x, s + i->b);
    return mint(x, tw_exec_module(x)->purses[i->x].money, s[i->a], &to);
}

tw_status tw_native_BURN(tw_exec *x, int64_t *s, const tw_insn *i)
{
    static const tw_place nowhere = {.purse = TW_NONE};
    const uint16_t money = tw_exec_module(x)->purses[i->x].money;
    const tw_place from = purse_at(x, (uint32_t)i->x, s + i->b);
    const int64_t amount = s[i->a];
    if (amount < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (amount == 0) return TW_OK;
    TW_TRY(add(x, money, &from, -amount));
    TW_TRY(count(&x->till.made[money], -amount));
    TW_TRY(tw_bank_supply(x->contract->overlay, &x->contract->assets[money], -amount, INT64_MAX));
    const tw_notice_view moved = {.transfer = TW_TRANSFER_BURN,
                                  .index = money,
                                  .amount = amount,
                                  .from = from,
                                  .to = nowhere};
    return tell(x, &moved);
}

/* ---- around an entry ---- */

tw_status tw_purse_role_changed(tw_exec *x, uint16_t role, const tw_account *account, bool granted)
{
    const tw_module *m = tw_exec_module(x);
    for (uint16_t i = 0; i < m->purse_count; i++) {
        if (m->purses[i].role != role) continue;
        const tw_key key = tw_purse_key(&x->contract->id, &m->purses[i], account);
        int64_t amount = 0;
        TW_TRY(tw_bank_amount(x->contract->overlay, &key, &amount));
        if (amount == 0) continue;
        x->till.used = true;
        x->till.strangers += granted ? -1 : 1;
    }
    return TW_OK;
}

/* The timer of a purse that falls to somebody counts from its last change. */
static tw_status set_falls(tw_exec *x)
{
    tw_contract *c = x->contract;
    const tw_module *m = tw_exec_module(x);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != TW_ENTRY_FALLS || !x->till.touched[e->of]) continue;
        const tw_key key = tw_purse_key(&c->id, &m->purses[e->of], NULL);
        int64_t amount = 0;
        TW_TRY(tw_bank_amount(c->overlay, &key, &amount));
        TW_TRY(tw_timer_falls(c, i, amount != 0, x->call->now));
    }
    return TW_OK;
}

tw_status tw_purse_finish(tw_exec *x)
{
    if (!x->till.used) return TW_OK;
    for (uint16_t i = 0; i < tw_exec_module(x)->money_count; i++) {
        if (x->till.held[i] != x->till.made[i]) return TW_ERR_INTERNAL;
    }
    if (x->till.strangers != 0) return TW_TRAP_NOT_MEMBER;
    return set_falls(x);
}
