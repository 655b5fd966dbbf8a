/* bank -- see the header. */
#include "vm/exec/bank.h"

#include <assert.h>
#include <string.h>

enum { AMOUNT_SIZE = 1 + 8, SUPPLY_AT = 2, ASSET_SIZE_MAX = 256 };

tw_hash tw_bank_chain_asset(const char *chain, const char *name)
{
    const size_t size = strlen(chain);
    const uint8_t head[3] = {0, (uint8_t)(size >> 8), (uint8_t)size};
    const tw_bytes parts[] = {{head, 3}, tw_bytes_of(chain, size), tw_bytes_of(name, strlen(name))};
    return tw_hash_tagged("twvm/asset", parts, 3);
}

tw_hash tw_bank_token(const tw_hash *contract, const char *name)
{
    const tw_bytes parts[] = {
        tw_bytes_of("\x01", 1), {contract->bytes, TW_HASH_SIZE}, tw_bytes_of(name, strlen(name))};
    return tw_hash_tagged("twvm/asset", parts, 3);
}

/* ---- amounts ---- */

tw_key tw_bank_balance_key(const tw_hash *asset, const tw_account *account)
{
    tw_key key;
    tw_key_begin(&key, TW_SPACE_BALANCE, asset);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    return key;
}

tw_status tw_bank_amount(tw_overlay *overlay, const tw_key *key, int64_t *ret_amount)
{
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(overlay, tw_key_bytes(key), &value, &found));
    if (found && value.size != AMOUNT_SIZE) return TW_ERR_CORRUPT;
    const int64_t amount = found ? (int64_t)tw_load_u64(value.data + 1) : 0;
    if (amount < 0 || (found && amount == 0)) return TW_ERR_CORRUPT;
    *ret_amount = amount;
    return TW_OK;
}

tw_status tw_bank_change(tw_overlay *overlay, const tw_key *key, int64_t change,
                         int64_t *ret_amount)
{
    int64_t before = 0;
    int64_t after = 0;
    TW_TRY(tw_bank_amount(overlay, key, &before));
    if (__builtin_add_overflow(before, change, &after)) return TW_TRAP_OVERFLOW;
    if (after < 0) return TW_TRAP_NOT_ENOUGH;
    *ret_amount = after;
    if (after == 0) return tw_overlay_delete(overlay, tw_key_bytes(key));
    uint8_t value[AMOUNT_SIZE] = {TW_STATE_TAG};
    tw_store_u64(value + 1, (uint64_t)after);
    return tw_overlay_put(overlay, tw_key_bytes(key), tw_bytes_of(value, sizeof value));
}

/* ---- assets ---- */

tw_status tw_bank_asset(tw_overlay *overlay, const tw_hash *id, tw_asset *ret_asset,
                        bool *ret_found)
{
    const tw_key key = tw_key_of(TW_SPACE_ASSET, id);
    tw_bytes value;
    TW_TRY(tw_overlay_get(overlay, tw_key_bytes(&key), &value, ret_found));
    if (!*ret_found) return TW_OK;
    tw_asset asset = {.id = *id};
    tw_reader r = tw_reader_of(value);
    (void)tw_read_u8(&r);
    asset.decimals = tw_read_u8(&r);
    asset.supply = tw_read_i64(&r);
    tw_read_copy(&r, asset.contract.bytes, TW_HASH_SIZE);
    const tw_bytes name = tw_read_short(&r, TW_NAME_SIZE_MAX);
    if (!tw_reader_done(&r) || asset.supply < 0) return TW_ERR_CORRUPT;
    memcpy(asset.name, name.data, name.size);
    *ret_asset = asset;
    return TW_OK;
}

tw_status tw_bank_set_name(tw_asset *asset, const char *name)
{
    const size_t size = strnlen(name, sizeof asset->name);
    if (size == sizeof asset->name) return TW_ERR_INTERNAL;
    memcpy(asset->name, name, size + 1);
    return TW_OK;
}

tw_status tw_bank_save(tw_overlay *overlay, const tw_asset *asset)
{
    uint8_t memory[ASSET_SIZE_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&w, TW_STATE_TAG);
    tw_write_u8(&w, asset->decimals);
    tw_write_i64(&w, asset->supply);
    tw_write_raw(&w, asset->contract.bytes, TW_HASH_SIZE);
    tw_write_text(&w, asset->name);
    assert(!w.bad && asset->supply >= 0);
    const tw_key key = tw_key_of(TW_SPACE_ASSET, &asset->id);
    return tw_overlay_put(overlay, tw_key_bytes(&key), tw_writer_bytes(&w));
}

tw_status tw_bank_supply(tw_overlay *overlay, const tw_hash *id, int64_t change, int64_t most)
{
    const tw_key key = tw_key_of(TW_SPACE_ASSET, id);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(overlay, tw_key_bytes(&key), &record, &size, &found));
    if (!found || size < SUPPLY_AT + 8) return TW_ERR_CORRUPT;
    int64_t after = 0;
    const int64_t before = (int64_t)tw_load_u64(record + SUPPLY_AT);
    if (__builtin_add_overflow(before, change, &after) || after > most) return TW_TRAP_FULL;
    if (after < 0) return TW_ERR_CORRUPT; /* more was held than there is */
    tw_store_u64(record + SUPPLY_AT, (uint64_t)after);
    return TW_OK;
}
