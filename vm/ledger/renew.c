/* renew -- device records, windows and stamps after an upgrade that reads otherwise than before.
 *
 * Called by upgrade.c. A record keeps what every version has: grant, sequence and the counters of
 * refused readings. Members of sensor roles end with a record, accounts without such a role have
 * none.
 */
#include "vm/exec/device.h"
#include "vm/ledger/node.h"

#include <string.h>

/* The next key of a prefix at or after `at`, which moves behind it; the key is copied. */
static tw_status next_key(tw_contract *c, const tw_key *prefix, tw_key *at, tw_key *ret_key,
                          bool *ret_found)
{
    tw_bytes key, value;
    TW_TRY(tw_overlay_next(c->overlay, tw_key_bytes(prefix), tw_key_bytes(at), &key, &value,
                           ret_found));
    if (!*ret_found) return TW_OK;
    ret_key->size = 0;
    tw_key_raw(ret_key, key.data, key.size);
    *at = *ret_key;
    tw_key_u8(at, 0);
    return TW_OK;
}

static void break_stamps(const tw_module *m, uint8_t *record)
{
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        uint8_t *at = record + tw_device_stamp(m, i);
        tw_store_u64(at, (uint64_t)TW_NEVER);
        tw_store_u64(at + 8, 0);
    }
}

/* The part of a record that every version has, and the rest as it is at a grant. */
static tw_status renew_record(tw_contract *c, const tw_key *key)
{
    const tw_module *m = c->code->module;
    uint8_t *record = NULL;
    TW_TRY(tw_overlay_resize(c->overlay, tw_key_bytes(key), TW_DEVICE_READINGS, &record));
    TW_TRY(tw_overlay_resize(c->overlay, tw_key_bytes(key), tw_device_size(m), &record));
    tw_store_u64(record + TW_DEVICE_ROLES, 0);
    break_stamps(m, record);
    return TW_OK;
}

/* Gives the members of a sensor role their device records. */
static tw_status renew_role(tw_contract *c, uint16_t role, int64_t now)
{
    tw_key prefix = tw_key_of(TW_SPACE_MEMBER, &c->id);
    tw_key_u8(&prefix, (uint8_t)role);
    tw_key at = prefix;
    bool found = true;
    for (;;) {
        tw_key key;
        tw_account account;
        TW_TRY(next_key(c, &prefix, &at, &key, &found));
        if (!found) return TW_OK;
        if (key.size != prefix.size + sizeof account.bytes) return TW_ERR_CORRUPT;
        memcpy(account.bytes, key.data + prefix.size, sizeof account.bytes);
        TW_TRY(tw_device_grant(c, role, &account, now));
    }
}

static tw_status drop_windows(tw_contract *c)
{
    const tw_key prefix = tw_key_of(TW_SPACE_WINDOW, &c->id);
    tw_key at = prefix;
    bool found = true;
    for (;;) {
        tw_key key;
        TW_TRY(next_key(c, &prefix, &at, &key, &found));
        if (!found) return TW_OK;
        TW_TRY(tw_overlay_delete(c->overlay, tw_key_bytes(&key)));
    }
}

typedef tw_status visitor(tw_contract *c, const tw_key *key);

static tw_status each_device(tw_contract *c, visitor *visit)
{
    const tw_key prefix = tw_key_of(TW_SPACE_DEVICE, &c->id);
    tw_key at = prefix;
    bool found = true;
    for (;;) {
        tw_key key;
        TW_TRY(next_key(c, &prefix, &at, &key, &found));
        if (!found) return TW_OK;
        TW_TRY(visit(c, &key));
    }
}

static tw_status drop_without_role(tw_contract *c, const tw_key *key)
{
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(key), &value, &found));
    const bool keeps = found && tw_load_u64(value.data + TW_DEVICE_ROLES) != 0;
    return keeps ? TW_OK : tw_overlay_delete(c->overlay, tw_key_bytes(key));
}

tw_status tw_node_renew_devices(tw_contract *c, int64_t now)
{
    TW_TRY(drop_windows(c));
    TW_TRY(each_device(c, renew_record));
    for (uint16_t i = 0; i < c->code->module->role_count; i++) {
        if (tw_role_is_sensor(c->code->module, i)) TW_TRY(renew_role(c, i, now));
    }
    return each_device(c, drop_without_role);
}

static tw_status break_record(tw_contract *c, const tw_key *key)
{
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(key), &record, &size, &found));
    if (!found || size != tw_device_size(c->code->module)) return TW_ERR_CORRUPT;
    break_stamps(c->code->module, record);
    return TW_OK;
}

tw_status tw_node_break_stamps(tw_contract *c)
{
    return each_device(c, break_record);
}
