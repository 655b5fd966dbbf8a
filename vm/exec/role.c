/* role -- who holds which role, and the device record that comes and goes with a sensor role.
 *
 *     role:   tag | count 4 | the member 32, when max is 1 and there is one
 *     member: tag | granted at 8
 */
#include "vm/exec/device.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

const char *tw_refusal_text(tw_refusal reason)
{
    static const char *const texts[TW_REFUSAL_COUNT] = {
#define REFUSAL(number, name, text) [number] = (text),
#include "vm/exec/refusals.def"
#undef REFUSAL
    };
    return reason < TW_REFUSAL_COUNT ? texts[reason] : "unknown";
}

tw_key tw_device_key(const tw_hash *contract, const tw_account *account)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_DEVICE, contract);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    return key;
}

tw_key tw_window_key(const tw_hash *contract, uint16_t reading, const tw_account *account,
                     uint32_t page)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_WINDOW, contract);
    tw_key_u8(&key, (uint8_t)reading);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    tw_key_u16(&key, (uint16_t)page);
    return key;
}

tw_status tw_device_get(tw_contract *c, const tw_account *account, const uint8_t **ret_record,
                        bool *ret_found)
{
    const tw_key key = tw_device_key(&c->id, account);
    tw_bytes value;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, ret_found));
    if (*ret_found && value.size != tw_device_size(c->code->module)) return TW_ERR_CORRUPT;
    *ret_record = value.data;
    return TW_OK;
}

int64_t tw_device_heard(const uint8_t *record, uint16_t reading)
{
    const uint8_t *at = record + tw_device_reading(reading);
    const int64_t last = (int64_t)tw_load_u64(at + 8);
    const int64_t granted = (int64_t)tw_load_u64(at + 16);
    return last > granted ? last : granted;
}

bool tw_role_is_sensor(const tw_module *m, uint16_t role)
{
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role == role) return true;
    }
    return false;
}

static tw_key role_key(const tw_contract *c, uint16_t role)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_ROLE, &c->id);
    tw_key_u8(&key, (uint8_t)role);
    return key;
}

static tw_key member_key(const tw_contract *c, uint16_t role, const tw_account *account)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_MEMBER, &c->id);
    tw_key_u8(&key, (uint8_t)role);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    return key;
}

tw_status tw_role_has(tw_contract *c, uint16_t role, const tw_account *account, bool *ret_member)
{
    const tw_key key = member_key(c, role, account);
    tw_bytes value;
    return tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, ret_member);
}

tw_status tw_role_next(tw_contract *c, uint16_t role, const tw_account *after,
                       tw_account *ret_member, bool *ret_found)
{
    static const tw_account first = {{0}};
    const tw_key key = member_key(c, role, after != NULL ? after : &first);
    const size_t prefix = key.size - sizeof after->bytes;
    uint8_t memory[TW_KEY_MAX + 1];
    const tw_bytes from =
        after != NULL ? tw_key_after(tw_key_bytes(&key), memory) : tw_bytes_of(NULL, 0);
    tw_bytes found;
    tw_bytes value;
    TW_TRY(tw_overlay_next(c->overlay, tw_bytes_of(key.data, prefix), from, &found, &value,
                           ret_found));
    if (!*ret_found) return TW_OK;
    if (found.size != key.size) return TW_ERR_CORRUPT;
    memcpy(ret_member->bytes, found.data + prefix, sizeof ret_member->bytes);
    return TW_OK;
}

tw_status tw_role_read(tw_contract *c, uint16_t role, uint32_t *ret_count, tw_account *ret_holder)
{
    const tw_key key = role_key(c, role);
    tw_bytes value;
    bool found = false;
    *ret_count = 0;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, &found));
    if (!found) return TW_OK;
    tw_reader r = tw_reader_of(value);
    (void)tw_read_u8(&r);
    *ret_count = tw_read_u32(&r);
    const bool one = *ret_count > 0 && c->code->module->roles[role].max == 1;
    if (one || tw_reader_left(&r) > 0) tw_read_copy(&r, ret_holder->bytes, sizeof *ret_holder);
    return tw_reader_done(&r) ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status role_write(tw_contract *c, uint16_t role, uint32_t count, const tw_account *holder)
{
    uint8_t memory[64];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&w, TW_STATE_TAG);
    tw_write_u32(&w, count);
    if (holder != NULL) tw_write_raw(&w, holder->bytes, sizeof holder->bytes);
    const tw_key key = role_key(c, role);
    return tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_writer_bytes(&w));
}

tw_status tw_device_grant(tw_contract *c, uint16_t role, const tw_account *account, int64_t now)
{
    const tw_module *m = c->code->module;
    const tw_key key = tw_device_key(&c->id, account);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(&key), &record, &size, &found));
    if (found && size != tw_device_size(m)) return TW_ERR_CORRUPT;
    if (!found) {
        TW_TRY(tw_overlay_resize(c->overlay, tw_key_bytes(&key), tw_device_size(m), &record));
        record[0] = TW_STATE_TAG;
        c->control.grants++;
        c->control_changed = true;
        tw_store_u64(record + TW_DEVICE_GRANT, c->control.grants);
        for (uint16_t i = 0; i < m->stamp_count; i++) {
            tw_store_u64(record + tw_device_stamp(m, i), (uint64_t)TW_NEVER);
        }
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role != role) continue;
        tw_store_u64(record + tw_device_reading(i) + 16, (uint64_t)now);
    }
    const uint64_t roles = tw_load_u64(record + TW_DEVICE_ROLES);
    tw_store_u64(record + TW_DEVICE_ROLES, roles | (uint64_t)1 << role);
    return TW_OK;
}

/* Silent timers of the readings of a role, after its member came or went. One that is due already
 * waits for the next millisecond: a run that ends its own device would else start itself again and
 * again within the block, and the actions that follow it there would find a timer due. */
static tw_status silent_again(tw_contract *c, uint16_t role, int64_t now)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != TW_ENTRY_SILENT || m->readings[e->of].role != role) continue;
        int64_t due = 0;
        TW_TRY(tw_timer_silent_due(c, i, &due));
        if (due != TW_NEVER && due <= now) due = now + 1;
        TW_TRY(tw_timer_set(c, i, due));
    }
    return TW_OK;
}

tw_status tw_role_grant(tw_contract *c, uint16_t role, const tw_account *account, int64_t now)
{
    const tw_role *r = &c->code->module->roles[role];
    bool member = false;
    uint32_t count = 0;
    tw_account holder;
    TW_TRY(tw_role_has(c, role, account, &member));
    if (member) return TW_TRAP_ALREADY_MEMBER;
    TW_TRY(tw_role_read(c, role, &count, &holder));
    if (count >= r->max) return TW_TRAP_FULL;
    const tw_key key = member_key(c, role, account);
    uint8_t value[9] = {TW_STATE_TAG};
    tw_store_u64(value + 1, (uint64_t)now);
    TW_TRY(tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_bytes_of(value, sizeof value)));
    TW_TRY(role_write(c, role, count + 1, r->max == 1 ? account : NULL));
    if (!tw_role_is_sensor(c->code->module, role)) return TW_OK;
    TW_TRY(tw_device_grant(c, role, account, now));
    return silent_again(c, role, now);
}

static tw_status windows_empty(tw_contract *c, uint16_t role, const tw_account *account,
                               uint8_t *record)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role != role) continue;
        const uint32_t pages = tw_window_pages(m->readings[i].keep);
        for (uint32_t page = 0; page < pages; page++) {
            const tw_key key = tw_window_key(&c->id, i, account, page);
            TW_TRY(tw_overlay_delete(c->overlay, tw_key_bytes(&key)));
        }
        memset(record + tw_device_reading(i), 0, TW_DEVICE_READING_SIZE);
    }
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        if (m->readings[m->stamps[i].reading].role != role) continue;
        memset(record + tw_device_stamp(m, i), 0, TW_DEVICE_STAMP_SIZE);
        tw_store_u64(record + tw_device_stamp(m, i), (uint64_t)TW_NEVER);
    }
    return TW_OK;
}

static tw_status device_revoke(tw_contract *c, uint16_t role, const tw_account *account)
{
    const tw_key key = tw_device_key(&c->id, account);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(&key), &record, &size, &found));
    if (!found || size != tw_device_size(c->code->module)) return TW_ERR_CORRUPT;
    TW_TRY(windows_empty(c, role, account, record));
    const uint64_t roles = tw_load_u64(record + TW_DEVICE_ROLES) & ~((uint64_t)1 << role);
    tw_store_u64(record + TW_DEVICE_ROLES, roles);
    return roles != 0 ? TW_OK : tw_overlay_delete(c->overlay, tw_key_bytes(&key));
}

tw_status tw_role_revoke(tw_contract *c, uint16_t role, const tw_account *account, int64_t now)
{
    bool member = false;
    uint32_t count = 0;
    tw_account holder;
    TW_TRY(tw_role_has(c, role, account, &member));
    if (!member) return TW_TRAP_NOT_MEMBER;
    TW_TRY(tw_role_read(c, role, &count, &holder));
    const tw_key key = member_key(c, role, account);
    TW_TRY(tw_overlay_delete(c->overlay, tw_key_bytes(&key)));
    TW_TRY(role_write(c, role, count - 1, NULL));
    if (!tw_role_is_sensor(c->code->module, role)) return TW_OK;
    TW_TRY(device_revoke(c, role, account));
    return silent_again(c, role, now);
}
