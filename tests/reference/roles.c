/* roles -- what a grant and a revoke do in the reference: the role's record, the member's, and, of
 * a role that readings come from, the device record, its windows and the silent timers.
 *
 *     role:    tag | count 4 | the member 32, when max is 1 and there is one
 *     member:  tag | granted at 8
 *     device:  vm/exec/device.h
 */
#include "tests/reference/machine.h"

#include <string.h>

static tw_key role_key(const reference *r, tw_space space, uint32_t role, const tw_account *account)
{
    tw_key key = tw_key_of(space, &r->c->id);
    tw_key_u8(&key, (uint8_t)role);
    if (account != NULL) tw_key_raw(&key, account->bytes, 32);
    return key;
}

static tw_status put_role(reference *r, uint32_t role, uint32_t count, const tw_account *holder)
{
    const tw_key key = role_key(r, TW_SPACE_ROLE, role, NULL);
    uint8_t record[1 + 4 + 32] = {TW_STATE_TAG};
    tw_store_u32(record + 1, count);
    if (holder != NULL) memcpy(record + 5, holder->bytes, 32);
    return ref_put(r, &key, tw_bytes_of(record, holder != NULL ? sizeof record : 5));
}

static bool is_sensor(const reference *r, uint32_t role)
{
    for (uint16_t i = 0; i < r->m->reading_count; i++) {
        if (r->m->readings[i].role == role) return true;
    }
    return false;
}

/* ---- devices ---- */

static tw_status device(reference *r, const tw_account *account, tw_key *ret_key,
                        tw_bytes *ret_value, bool *ret_found)
{
    *ret_key = tw_key_of(TW_SPACE_DEVICE, &r->c->id);
    tw_key_raw(ret_key, account->bytes, 32);
    return ref_get(r, ret_key, ret_value, ret_found);
}

static void empty_stamp(uint8_t *record, size_t at)
{
    tw_store_u64(record + at, (uint64_t)TW_NEVER);
    tw_store_u64(record + at + 8, 0);
}

/* The record of a device, made with the next grant number when it has none. */
static tw_status join(reference *r, uint32_t role, const tw_account *account)
{
    const tw_module *m = r->m;
    const size_t size = tw_device_size(m);
    uint8_t *record = TW_NEW_ARRAY(r->copies, uint8_t, size);
    tw_key key;
    tw_bytes value;
    bool found = false;
    TW_TRY(device(r, account, &key, &value, &found));
    if (record == NULL) return TW_ERR_MEMORY;
    if (found) {
        memcpy(record, value.data, size);
    } else {
        record[0] = TW_STATE_TAG;
        tw_store_u64(record + TW_DEVICE_GRANT, ++r->c->control.grants);
        r->c->control_changed = true;
        for (uint16_t i = 0; i < m->stamp_count; i++) empty_stamp(record, tw_device_stamp(m, i));
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role != role) continue;
        tw_store_u64(record + tw_device_reading(i) + 16, (uint64_t)r->call->now);
    }
    record[TW_DEVICE_ROLES + 7 - role / 8] |= (uint8_t)(1 << role % 8);
    return ref_put(r, &key, tw_bytes_of(record, size));
}

/* Every page of the readings that come from the role, be it there or not. */
static tw_status windows_away(reference *r, uint32_t role, const tw_account *account)
{
    for (uint16_t i = 0; i < r->m->reading_count; i++) {
        if (r->m->readings[i].role != role) continue;
        for (uint32_t page = 0; page < ref_pages(r->m->readings[i].keep); page++) {
            tw_key key = role_key(r, TW_SPACE_WINDOW, i, account);
            tw_key_u16(&key, (uint16_t)page);
            r->used.reads++;
            TW_TRY(ref_delete(r, &key));
        }
    }
    return TW_OK;
}

static tw_status leave(reference *r, uint32_t role, const tw_account *account)
{
    const tw_module *m = r->m;
    const size_t size = tw_device_size(m);
    uint8_t *record = TW_NEW_ARRAY(r->copies, uint8_t, size);
    tw_key key;
    tw_bytes value;
    bool found = false;
    uint8_t roles = 0;
    TW_TRY(device(r, account, &key, &value, &found));
    if (record == NULL) return TW_ERR_MEMORY;
    if (!found || value.size != size) return TW_ERR_CORRUPT;
    memcpy(record, value.data, size);
    TW_TRY(windows_away(r, role, account));
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role == role) {
            memset(record + tw_device_reading(i), 0, TW_DEVICE_READING_SIZE);
        }
    }
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        const bool of_role = m->readings[m->stamps[i].reading].role == role;
        if (of_role) empty_stamp(record, tw_device_stamp(m, i));
    }
    record[TW_DEVICE_ROLES + 7 - role / 8] &= (uint8_t) ~(1 << role % 8);
    for (int i = 0; i < 8; i++) roles |= record[TW_DEVICE_ROLES + i];
    return roles != 0 ? ref_put(r, &key, tw_bytes_of(record, size)) : ref_delete(r, &key);
}

/* ---- silence ---- */

/* Counts anew from the latest of deploy, grant and last reading of who holds the role now; a timer
 * that would be due already is due a millisecond later. */
static tw_status silent_anew(reference *r, uint32_t role)
{
    for (uint16_t i = 0; i < r->m->entry_count; i++) {
        const tw_entry *e = &r->m->entries[i];
        int64_t since = r->c->deployed_at;
        uint32_t count = 0;
        tw_account holder;
        if (e->kind != TW_ENTRY_SILENT || r->m->readings[e->of].role != role) continue;
        const uint32_t reads = r->used.reads; /* known from the change itself */
        TW_TRY(ref_role(r, role, &count, &holder));
        if (count > 0) {
            tw_key key;
            tw_bytes value;
            bool found = false;
            TW_TRY(device(r, &holder, &key, &value, &found));
            if (!found) return TW_ERR_CORRUPT;
            const uint8_t *at = value.data + tw_device_reading(e->of);
            for (int part = 8; part <= 16; part += 8) {
                const int64_t time = (int64_t)tw_load_u64(at + part);
                if (time > since) since = time;
            }
        }
        r->used.reads = reads;
        int64_t due = ref_due(r, e, since);
        if (due != TW_NEVER && due <= r->call->now) due = r->call->now + 1;
        TW_TRY(ref_timer_set(r, i, due));
    }
    return TW_OK;
}

/* ---- both ---- */

tw_status ref_grant(reference *r, uint32_t role, const tw_account *account)
{
    const tw_key key = role_key(r, TW_SPACE_MEMBER, role, account);
    uint8_t granted[9] = {TW_STATE_TAG};
    uint32_t count = 0;
    tw_account holder;
    bool member = false;
    TW_TRY(ref_is_member(r, role, account, &member));
    if (member) return TW_TRAP_ALREADY_MEMBER;
    TW_TRY(ref_role(r, role, &count, &holder));
    if (count >= r->m->roles[role].max) return TW_TRAP_FULL;
    tw_store_u64(granted + 1, (uint64_t)r->call->now);
    TW_TRY(ref_put(r, &key, tw_bytes_of(granted, sizeof granted)));
    TW_TRY(put_role(r, role, count + 1, r->m->roles[role].max == 1 ? account : NULL));
    if (!is_sensor(r, role)) return TW_OK;
    TW_TRY(join(r, role, account));
    return silent_anew(r, role);
}

tw_status ref_revoke(reference *r, uint32_t role, const tw_account *account)
{
    const tw_key key = role_key(r, TW_SPACE_MEMBER, role, account);
    uint32_t count = 0;
    tw_account holder;
    bool member = false;
    TW_TRY(ref_is_member(r, role, account, &member));
    if (!member) return TW_TRAP_NOT_MEMBER;
    TW_TRY(ref_role(r, role, &count, &holder));
    TW_TRY(ref_delete(r, &key));
    TW_TRY(put_role(r, role, count - 1, NULL));
    if (!is_sensor(r, role)) return TW_OK;
    TW_TRY(leave(r, role, account));
    return silent_anew(r, role);
}
