/* money -- the reference's instructions on money, and what an entry must leave behind.
 *
 * It keeps a list of every place whose amount an entry has changed, with the amount before. At the
 * end the differences of each money must add up to what was minted less what was burned, and no
 * account in the list may have money in a purse of a role that it does not hold: both are looked up
 * anew in the state, where the machine keeps counts. */
#include "tests/reference/machine.h"
#include "tests/reference/wide.h"

#include <string.h>

/* An end of a transfer. */
typedef struct place {
    uint16_t purse; /* TW_NONE: the balance of the account */
    tw_account account;
} place;

static place purse_at(const reference *r, uint32_t purse, const int64_t *key)
{
    place p = {.purse = (uint16_t)purse};
    if (r->m->purses[purse].role != TW_NONE) p.account = ref_account(key);
    return p;
}

static place balance_at(const int64_t *account)
{
    return (place){.purse = TW_NONE, .account = ref_account(account)};
}

static tw_key key_of(const reference *r, uint16_t money, const place *p)
{
    if (p->purse == TW_NONE) {
        tw_key key = tw_key_of(TW_SPACE_BALANCE, &r->c->assets[money]);
        tw_key_raw(&key, p->account.bytes, 32);
        return key;
    }
    const tw_purse *purse = &r->m->purses[p->purse];
    tw_key key = ref_field_key(r, purse->id);
    if (purse->role != TW_NONE) tw_key_raw(&key, p->account.bytes, 32);
    return key;
}

/* ---- amounts ---- */

static tw_status amount(reference *r, const tw_key *key, int64_t *ret_amount)
{
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_get(r, key, &value, &found));
    *ret_amount = found ? (int64_t)tw_load_u64(value.data + 1) : 0;
    return TW_OK;
}

static tw_status set_amount(reference *r, const tw_key *key, int64_t after)
{
    uint8_t bytes[REF_AMOUNT_SIZE] = {TW_STATE_TAG};
    if (after == 0) return ref_delete(r, key);
    tw_store_u64(bytes + 1, (uint64_t)after);
    return ref_put(r, key, tw_bytes_of(bytes, sizeof bytes));
}

/* Adds to an amount of the state; *ret_before is what it was. */
static tw_status change(reference *r, const tw_key *key, int64_t by, int64_t *ret_before)
{
    int64_t after = 0;
    TW_TRY(amount(r, key, ret_before));
    const wide sum = wide_add(wide_of(*ret_before), wide_of(by));
    if (!wide_to_int(&sum, &after)) return TW_TRAP_OVERFLOW;
    if (after < 0) return TW_TRAP_NOT_ENOUGH;
    return set_amount(r, key, after);
}

static tw_status touch(reference *r, uint16_t money, const place *p, const tw_key *key,
                       int64_t before)
{
    for (uint32_t i = 0; i < r->touch_count; i++) {
        if (tw_bytes_equal(tw_key_bytes(&r->touches[i].key), tw_key_bytes(key))) return TW_OK;
    }
    if (r->touch_count == REF_TOUCHES_MAX) return TW_ERR_MEMORY;
    r->touches[r->touch_count++] = (ref_touch){
        .key = *key, .money = money, .purse = p->purse, .account = p->account, .before = before};
    return TW_OK;
}

static tw_status add(reference *r, uint16_t money, const place *p, int64_t by)
{
    const tw_key key = key_of(r, money, p);
    int64_t before = 0;
    TW_TRY(change(r, &key, by, &before));
    TW_TRY(touch(r, money, p, &key, before));
    if (p->purse == TW_NONE || r->m->purses[p->purse].role == TW_NONE) return TW_OK;
    const tw_key total = ref_field_key(r, r->m->purses[p->purse].id);
    return change(r, &total, by, &before);
}

/* ---- transfers ---- */

static void tell_place(reference *r, const place *p)
{
    static const uint8_t none[32] = {0};
    tw_write_u16(&r->notices, p != NULL ? p->purse : TW_NONE);
    tw_write_raw(&r->notices, p != NULL ? p->account.bytes : none, 32);
}

/* From a place to another; NULL: out of, or into, nothing. */
static tw_status transfer(reference *r, uint8_t kind, uint16_t money, int64_t units,
                          const place *from, const place *to)
{
    if (units < 0) return TW_TRAP_NEGATIVE_AMOUNT;
    if (units == 0) return TW_OK;
    if (from != NULL) TW_TRY(add(r, money, from, -units));
    if (to != NULL) TW_TRY(add(r, money, to, units));
    tw_write_u8(&r->notices, TW_NOTICE_MONEY);
    tw_write_u8(&r->notices, kind);
    tw_write_u16(&r->notices, money);
    tw_write_i64(&r->notices, units);
    tell_place(r, from);
    tell_place(r, to);
    return TW_OK;
}

/* A contract's id is never a payee. */
static tw_status payee_fits(reference *r, int64_t units, const place *to)
{
    tw_hash id;
    tw_bytes value;
    bool found = false;
    if (units <= 0) return TW_OK;
    memcpy(id.bytes, to->account.bytes, 32);
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, &id);
    TW_TRY(ref_get(r, &key, &value, &found));
    return found ? TW_TRAP_BAD_VALUE : TW_OK;
}

static tw_status receive(reference *r, const ref_insn *i, const int64_t *s)
{
    const uint16_t money = r->m->purses[i->x].money;
    const int64_t units = s[i->a];
    if (r->call->signer_count == 0) return TW_TRAP_NOT_CALLER;
    const place from = {.purse = TW_NONE, .account = r->call->signers[0]};
    const place to = purse_at(r, i->x, s + i->b);
    if (units <= 0) return transfer(r, TW_TRANSFER_RECEIVE, money, units, &from, &to);
    uint16_t k = 0;
    while (k < r->call->spend_count &&
           memcmp(r->call->spends[k].asset.bytes, r->c->assets[money].bytes, 32) != 0) {
        k++;
    }
    if (k == r->call->spend_count) return TW_TRAP_NOT_ENOUGH;
    if (units > r->call->spends[k].most - r->spent[k]) return TW_TRAP_NOT_ENOUGH;
    r->spent[k] += units;
    return transfer(r, TW_TRANSFER_RECEIVE, money, units, &from, &to);
}

/* ---- making and destroying ---- */

/* Asset record: tag | decimals | u64 how much there is | ... */
static tw_status supply(reference *r, uint16_t money, int64_t by, int64_t most, int64_t *ret_units)
{
    const tw_key key = tw_key_of(TW_SPACE_ASSET, &r->c->assets[money]);
    uint8_t record[256];
    tw_bytes value;
    bool found = false;
    int64_t after = 0;
    TW_TRY(ref_get(r, &key, &value, &found));
    if (!found || value.size < 10 || value.size > sizeof record) return TW_ERR_CORRUPT;
    const wide sum = wide_add(wide_of((int64_t)tw_load_u64(value.data + 2)), wide_of(by));
    if (!wide_to_int(&sum, &after) || after > most) return TW_TRAP_FULL;
    *ret_units = after;
    if (by == 0) return TW_OK;
    memcpy(record, value.data, value.size);
    tw_store_u64(record + 2, (uint64_t)after);
    return ref_put(r, &key, tw_bytes_of(record, value.size));
}

static tw_status mint(reference *r, uint16_t money, int64_t units, const place *to)
{
    int64_t after = 0;
    if (units > 0) {
        TW_TRY(supply(r, money, units, r->m->monies[money].supply, &after));
        r->made[money] += units;
    }
    return transfer(r, TW_TRANSFER_MINT, money, units, NULL, to);
}

static tw_status burn(reference *r, const ref_insn *i, const int64_t *s)
{
    const uint16_t money = r->m->purses[i->x].money;
    const place from = purse_at(r, i->x, s + i->b);
    int64_t after = 0;
    TW_TRY(transfer(r, TW_TRANSFER_BURN, money, s[i->a], &from, NULL));
    if (s[i->a] == 0) return TW_OK;
    r->made[money] -= s[i->a];
    return supply(r, money, -s[i->a], INT64_MAX, &after);
}

static tw_status look(reference *r, const ref_insn *i, int64_t *s)
{
    place p = {.purse = TW_NONE};
    if (i->op == TW_OP_SUPPLY) return supply(r, (uint16_t)i->x, 0, INT64_MAX, &s[i->a]);
    if (i->op == TW_OP_TOTAL) {
        const tw_key total = ref_field_key(r, r->m->purses[i->x].id);
        return amount(r, &total, &s[i->a]);
    }
    p = i->op == TW_OP_PURSE ? purse_at(r, i->x, s + i->b) : balance_at(s + i->b);
    const tw_key key = key_of(r, (uint16_t)i->x, &p);
    return amount(r, &key, &s[i->a]);
}

tw_status ref_step_money(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    place from, to;
    *ret_mine = true;
    switch (i->op) {
    case TW_OP_PURSE:
    case TW_OP_TOTAL:
    case TW_OP_BALANCE:
    case TW_OP_SUPPLY: return look(r, i, s);
    case TW_OP_RECEIVE: return receive(r, i, s);
    case TW_OP_PAY:
        from = purse_at(r, i->x, s + i->b);
        to = balance_at(s + i->c);
        TW_TRY(payee_fits(r, s[i->a], &to));
        return transfer(r, TW_TRANSFER_PAY, r->m->purses[i->x].money, s[i->a], &from, &to);
    case TW_OP_SHIFT:
        from = purse_at(r, i->x / 256, s + i->b);
        to = purse_at(r, i->x % 256, s + i->c);
        return transfer(r, TW_TRANSFER_SHIFT, r->m->purses[i->x / 256].money, s[i->a], &from, &to);
    case TW_OP_MINT:
        to = balance_at(s + i->b);
        TW_TRY(payee_fits(r, s[i->a], &to));
        return mint(r, (uint16_t)i->x, s[i->a], &to);
    case TW_OP_MINTIN:
        to = purse_at(r, i->x, s + i->b);
        return mint(r, r->m->purses[i->x].money, s[i->a], &to);
    case TW_OP_BURN: return burn(r, i, s);
    default: *ret_mine = false; return TW_OK;
    }
}

/* ---- around an entry ---- */

tw_status ref_money_role(reference *r, uint32_t role, const tw_account *account)
{
    for (uint16_t k = 0; k < r->m->purse_count; k++) {
        if (r->m->purses[k].role != role) continue;
        const place p = {.purse = k, .account = *account};
        const uint16_t money = r->m->purses[k].money;
        const tw_key key = key_of(r, money, &p);
        int64_t before = 0;
        TW_TRY(amount(r, &key, &before));
        TW_TRY(touch(r, money, &p, &key, before));
    }
    return TW_OK;
}

/* No amount came from nowhere, none went. */
static tw_status adds_up(reference *r)
{
    for (uint16_t money = 0; money < r->m->money_count; money++) {
        wide sum = wide_of(0);
        for (uint32_t i = 0; i < r->touch_count; i++) {
            const ref_touch *t = &r->touches[i];
            int64_t after = 0;
            if (t->money != money) continue;
            TW_TRY(amount(r, &t->key, &after));
            sum = wide_add(sum, wide_subtract(wide_of(after), wide_of(t->before)));
        }
        const wide made = wide_of(r->made[money]);
        if (wide_compare(&sum, &made) != 0) return TW_ERR_INTERNAL;
    }
    return TW_OK;
}

static tw_status no_stranger(reference *r)
{
    for (uint32_t i = 0; i < r->touch_count; i++) {
        const ref_touch *t = &r->touches[i];
        int64_t after = 0;
        bool member = false;
        if (t->purse == TW_NONE || r->m->purses[t->purse].role == TW_NONE) continue;
        TW_TRY(amount(r, &t->key, &after));
        if (after == 0) continue;
        TW_TRY(ref_is_member(r, r->m->purses[t->purse].role, &t->account, &member));
        if (!member) return TW_TRAP_NOT_MEMBER;
    }
    return TW_OK;
}

tw_status ref_money_finish(reference *r)
{
    const uint32_t reads = r->used.reads; /* checks of the reference's own are no reads */
    tw_status status = adds_up(r);
    if (status == TW_OK) status = no_stranger(r);
    r->used.reads = reads;
    if (status != TW_OK) return status;
    for (uint16_t e = 0; e < r->m->entry_count; e++) {
        const tw_entry *entry = &r->m->entries[e];
        if (entry->kind != TW_ENTRY_FALLS) continue;
        for (uint32_t i = 0; i < r->touch_count; i++) {
            int64_t units = 0;
            if (r->touches[i].purse != entry->of) continue;
            TW_TRY(amount(r, &r->touches[i].key, &units));
            r->used.reads--;
            TW_TRY(ref_timer_set(r, e, units != 0 ? ref_due(r, entry, r->call->now) : TW_NEVER));
        }
    }
    return TW_OK;
}
