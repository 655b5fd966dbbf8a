/* people -- the reference's instructions on roles, phase and clock, params, and on what a person
 * gets to see: events, histories, errors. */
#include "tests/reference/machine.h"

#include <string.h>

/* ---- roles ---- */

static tw_status signers(reference *r, const ref_insn *i, int64_t *s)
{
    int64_t count = 0;
    for (uint16_t k = 0; k < r->call->signer_count; k++) {
        bool member = false;
        TW_TRY(ref_is_member(r, i->x, &r->call->signers[k], &member));
        count += member ? 1 : 0;
    }
    s[i->a] = count;
    const uint64_t looked = r->call->signer_count;
    r->used.gas += ref_read_gas(looked, 64 * looked) + looked * TW_GAS_SIGNER;
    return TW_OK;
}

static tw_status change_role(reference *r, const ref_insn *i, const int64_t *s)
{
    const tw_account account = ref_account(s + i->b);
    TW_TRY(i->op == TW_OP_GRANT ? ref_grant(r, i->x, &account) : ref_revoke(r, i->x, &account));
    return ref_money_role(r, i->x, &account);
}

static tw_status holder(reference *r, const ref_insn *i, int64_t *s)
{
    uint32_t count = 0;
    tw_account account;
    TW_TRY(ref_role(r, i->x, &count, &account));
    s[i->a] = count > 0 ? 1 : 0;
    for (int k = 0; k < 4; k++) {
        s[i->a + 1 + (uint32_t)k] = (int64_t)tw_load_u64(account.bytes + 8 * k);
    }
    return TW_OK;
}

static int64_t has_signed(const reference *r, const tw_account *account)
{
    for (uint16_t k = 0; k < r->call->signer_count; k++) {
        if (memcmp(account->bytes, r->call->signers[k].bytes, 32) == 0) return 1;
    }
    return 0;
}

/* ---- phase, clock, params ---- */

static void param(const reference *r, const ref_insn *i, int64_t *s)
{
    uint32_t first = 0;
    for (uint32_t k = 0; k < i->x; k++) first += r->m->types[r->m->params[k].type].slots;
    memcpy(s + i->a, r->c->params + first, r->m->types[r->m->params[i->x].type].slots * sizeof *s);
}

static void go(reference *r, const ref_insn *i)
{
    r->c->control.phase = (uint16_t)i->x;
    r->c->control.phase_since = r->call->now;
    r->c->control_changed = true;
    r->phase_changed = true;
}

static tw_status ended(reference *r, const ref_insn *i, tw_status status)
{
    r->index = (uint16_t)i->x;
    return status;
}

/* ---- notices ---- */

static tw_status encode(reference *r, const tw_members *members, const int64_t *slots)
{
    tw_writer_clear(&r->value);
    r->used.gas += ref_looks_gas(members->slots);
    return tw_members_encode(r->m, members, slots, &r->value);
}

static tw_status emit(reference *r, const ref_insn *i, const int64_t *s)
{
    TW_TRY(encode(r, &r->m->events[i->x].members, s + i->a));
    r->used.gas += ref_notice_gas(1 + 2 + 2 + r->value.size);
    tw_write_u8(&r->notices, TW_NOTICE_EVENT);
    tw_write_u16(&r->notices, (uint16_t)i->x);
    tw_write_short(&r->notices, tw_writer_bytes(&r->value));
    r->events++;
    return TW_OK;
}

static tw_status history(reference *r, const ref_insn *i, const int64_t *s)
{
    static const uint8_t nobody[32] = {0};
    tw_control *control = &r->c->control;
    TW_TRY(encode(r, &r->m->histories[i->x].members, s + i->a));
    const size_t start = r->notices.size;
    tw_write_u8(&r->notices, TW_NOTICE_HISTORY);
    tw_write_u16(&r->notices, (uint16_t)i->x);
    tw_write_u64(&r->notices, control->history_count);
    tw_write_i64(&r->notices, r->call->now);
    tw_write_raw(&r->notices, r->call->signer_count > 0 ? r->call->signers[0].bytes : nobody, 32);
    tw_write_raw(&r->notices, r->call->transaction.bytes, 32);
    tw_write_raw(&r->notices, control->history_head.bytes, 32);
    tw_write_short(&r->notices, tw_writer_bytes(&r->value));
    if (r->notices.bad) return TW_ERR_MEMORY;
    const tw_bytes whole = tw_bytes_of(r->notices.data + start, r->notices.size - start);
    control->history_head = tw_hash_tagged("twvm/history", &whole, 1);
    r->used.gas += ref_notice_gas(whole.size) + ref_hash_gas(whole.size);
    control->history_count++;
    r->c->control_changed = true;
    r->histories++;
    return TW_OK;
}

static tw_status fail(reference *r, const ref_insn *i, const int64_t *s)
{
    TW_TRY(encode(r, &r->m->errors[i->x].members, s + i->a));
    r->used.gas += ref_notice_gas(1 + 2 + 2 + r->value.size);
    tw_write_raw(&r->fields, r->value.data, r->value.size);
    return ended(r, i, TW_FAIL_ERROR);
}

static tw_status hash(reference *r, const ref_insn *i, int64_t *s)
{
    tw_writer_clear(&r->value);
    r->used.gas += ref_slots_gas(4 * r->m->types[i->x].slots);
    TW_TRY(tw_value_encode(r->m, (uint16_t)i->x, s + i->b, &r->value));
    const size_t size = (size_t)s[i->b];
    const tw_hash of = tw_sha256(r->value.data + r->value.size - size, size);
    r->used.gas += ref_hash_gas(size);
    for (uint32_t k = 0; k < 4; k++) s[i->a + k] = (int64_t)tw_load_u64(of.bytes + 8 * k);
    return TW_OK;
}

/* What takes nothing but the contract and the call. */
static bool known(const reference *r, const ref_insn *i, int64_t *s)
{
    const tw_control *control = &r->c->control;
    switch (i->op) {
    case TW_OP_PARAM: param(r, i, s); return true;
    case TW_OP_LDC: s[i->a] = r->c->deployed[i->x]; return true;
    case TW_OP_STC: r->c->deployed[i->x] = s[i->a]; return true;
    case TW_OP_PHASE: s[i->a] = control->phase; return true;
    case TW_OP_NOW: s[i->a] = r->call->now; return true;
    case TW_OP_INPHASE: s[i->a] = r->call->now - control->phase_since; return true;
    case TW_OP_ALARM: s[i->a] = control->alarms[i->x].up ? 1 : 0; return true;
    case TW_OP_CALLER:
        for (uint32_t k = 0; k < 4; k++) {
            s[i->a + k] = (int64_t)tw_load_u64(r->call->signers[0].bytes + 8 * k);
        }
        return true;
    default: return false;
    }
}

tw_status ref_step_people(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    tw_account account;
    bool member = false;
    *ret_mine = true;
    if (known(r, i, s)) return TW_OK;
    switch (i->op) {
    case TW_OP_GO: go(r, i); return TW_OK;
    case TW_OP_MEMBER:
        account = ref_account(s + i->b);
        TW_TRY(ref_is_member(r, i->x, &account, &member));
        s[i->a] = member ? 1 : 0;
        return TW_OK;
    case TW_OP_SIGNED:
        account = ref_account(s + i->b);
        s[i->a] = has_signed(r, &account);
        r->used.gas += (uint64_t)TW_GAS_SIGNER * r->call->signer_count;
        return TW_OK;
    case TW_OP_SIGNERS: return signers(r, i, s);
    case TW_OP_GRANT:
    case TW_OP_REVOKE: return change_role(r, i, s);
    case TW_OP_HOLDER: return holder(r, i, s);
    case TW_OP_EMIT: return emit(r, i, s);
    case TW_OP_HISTORY: return history(r, i, s);
    case TW_OP_FAIL: return fail(r, i, s);
    case TW_OP_TRAP: return (tw_status)i->x;
    case TW_OP_BREACH: return ended(r, i, TW_FAIL_INVARIANT);
    case TW_OP_REFUSE: return ended(r, i, TW_FAIL_CHECK);
    case TW_OP_HASH: return hash(r, i, s);
    default: *ret_mine = false; return TW_OK;
    }
}
