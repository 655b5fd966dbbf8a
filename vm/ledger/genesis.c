/* genesis -- block 0: what all nodes must agree on, as one record, and the money there is at the
 * start.
 *
 *     genesis: tag | u8 format | u8 semantics | u8 gas schedule | u16 size, name | i64 time |
 *              u64 entry gas | u64 block gas | u64 timer gas | u16 assets | per asset:
 *              u16 size, name | u8 decimals | u32 holders | per holder: account 32 | u64 amount
 *              format 3 only: u64 gas price, above 0 | u16 the fees' asset | account 32, who gets
 *              them
 *
 * Format 3 is that of a ledger that takes fees, so that nothing has two forms.
 * The chain's id is the tagged hash "twvm/chain" of it, so it names the first holders too; the
 * record is kept whole, as a replay makes its block 0 from it.
 */
#include "vm/ledger/node.h"

#include <string.h>

enum { GENESIS_FORMAT = 2, GENESIS_FORMAT_FEES = 3, NAME_SIZE_MAX = 64 };

static tw_key genesis_key(void)
{
    tw_key key = tw_key_start(TW_SPACE_CHAIN);
    tw_key_raw(&key, "genesis", 7);
    return key;
}

static void write_asset(const tw_genesis_asset *asset, tw_writer *w)
{
    tw_write_text(w, asset->name);
    tw_write_u8(w, asset->decimals);
    tw_write_u32(w, asset->holder_count);
    for (uint32_t i = 0; i < asset->holder_count; i++) {
        const tw_genesis_holder *holder = &asset->holders[i];
        tw_write_raw(w, holder->account.bytes, sizeof holder->account.bytes);
        tw_write_i64(w, holder->amount);
    }
}

static void write_genesis(const tw_genesis *g, tw_writer *w)
{
    tw_write_u8(w, TW_STATE_TAG);
    tw_write_u8(w, g->gas_price > 0 ? GENESIS_FORMAT_FEES : GENESIS_FORMAT);
    tw_write_u8(w, TW_SEMANTICS);
    tw_write_u8(w, TW_GAS_SCHEDULE);
    tw_write_text(w, g->name);
    tw_write_i64(w, g->time);
    tw_write_u64(w, g->entry_gas_max);
    tw_write_u64(w, g->block_gas_max);
    tw_write_u64(w, g->timer_gas_max);
    tw_write_u16(w, g->asset_count);
    for (uint16_t i = 0; i < g->asset_count; i++) write_asset(&g->assets[i], w);
    if (g->gas_price == 0) return;
    tw_write_i64(w, g->gas_price);
    tw_write_u16(w, g->fee_asset);
    tw_write_raw(w, g->fee_account.bytes, sizeof g->fee_account.bytes);
}

static tw_status read_asset(tw_reader *r, tw_arena *arena, tw_genesis_asset *asset)
{
    const tw_bytes name = tw_read_short(r, NAME_SIZE_MAX);
    asset->name = tw_arena_copy(arena, name.data, name.size);
    asset->decimals = tw_read_u8(r);
    asset->holder_count = tw_read_u32(r);
    if (tw_reader_left(r) / 40 < asset->holder_count) return TW_ERR_CORRUPT;
    tw_genesis_holder *holders = TW_NEW_ARRAY(arena, tw_genesis_holder, asset->holder_count);
    if (asset->name == NULL || holders == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < asset->holder_count; i++) {
        tw_read_copy(r, holders[i].account.bytes, sizeof holders[i].account.bytes);
        holders[i].amount = tw_read_i64(r);
    }
    asset->holders = holders;
    return TW_OK;
}

static tw_status read_assets(tw_reader *r, tw_arena *arena, tw_genesis *g)
{
    const uint16_t count = tw_read_u16(r);
    if (tw_reader_left(r) / 7 < count) return TW_ERR_CORRUPT;
    tw_genesis_asset *assets = TW_NEW_ARRAY(arena, tw_genesis_asset, count);
    if (assets == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < count; i++) TW_TRY(read_asset(r, arena, &assets[i]));
    g->assets = assets;
    g->asset_count = count;
    return TW_OK;
}

static tw_status read_fees(tw_reader *r, tw_genesis *g)
{
    g->gas_price = tw_read_i64(r);
    g->fee_asset = tw_read_u16(r);
    tw_read_copy(r, g->fee_account.bytes, sizeof g->fee_account.bytes);
    return g->gas_price > 0 && g->fee_asset < g->asset_count ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status read_genesis(tw_ledger *l, tw_bytes record, tw_err *err)
{
    tw_reader r = tw_reader_of(record);
    const uint8_t tag = tw_read_u8(&r);
    const uint8_t format = tw_read_u8(&r);
    const uint8_t semantics = tw_read_u8(&r);
    const uint8_t gas = tw_read_u8(&r);
    const bool fees = format == GENESIS_FORMAT_FEES;
    if ((format != GENESIS_FORMAT && !fees) || semantics != TW_SEMANTICS ||
        gas != TW_GAS_SCHEDULE) {
        return tw_err_set(err, TW_ERR_CORRUPT,
                          "the ledger was made by another version (format %u, semantics %u, gas "
                          "schedule %u); this one knows %d or %d, %d and %d",
                          format, semantics, gas, GENESIS_FORMAT, GENESIS_FORMAT_FEES, TW_SEMANTICS,
                          TW_GAS_SCHEDULE);
    }
    const tw_bytes name = tw_read_short(&r, NAME_SIZE_MAX);
    l->genesis.time = tw_read_i64(&r);
    l->genesis.entry_gas_max = tw_read_u64(&r);
    l->genesis.block_gas_max = tw_read_u64(&r);
    l->genesis.timer_gas_max = tw_read_u64(&r);
    tw_status lists = read_assets(&r, l->genesis_arena, &l->genesis);
    if (lists == TW_ERR_MEMORY) return tw_err_set(err, lists, "no memory for the ledger");
    if (lists == TW_OK && fees) lists = read_fees(&r, &l->genesis);
    if (lists != TW_OK || !tw_reader_done(&r) || tag != TW_STATE_TAG) {
        return tw_err_set(err, TW_ERR_CORRUPT, "the genesis record of the ledger is damaged");
    }
    memcpy(l->name, name.data, name.size);
    l->genesis.name = l->name;
    l->chain = tw_hash_tagged("twvm/chain", &record, 1);
    if (fees) {
        const char *asset = l->genesis.assets[l->genesis.fee_asset].name;
        l->fee_asset = tw_bank_chain_asset(l->name, asset);
    }
    return TW_OK;
}

tw_status tw_node_load_genesis(tw_ledger *l, tw_err *err)
{
    const tw_key key = genesis_key();
    tw_bytes record;
    bool found = false;
    TW_TRY(tw_overlay_get(l->overlay, tw_key_bytes(&key), &record, &found));
    if (!found)
        return tw_err_set(err, TW_ERR_CORRUPT,
                          "the ledger has lost its genesis record; " TW_HEAD_REMEDY);
    l->genesis = (tw_genesis){0}; /* one may have been read before: tw_ledger_reload */
    tw_arena_clear(l->genesis_arena);
    return read_genesis(l, record, err);
}

/* ---- making it ---- */

static bool name_is_good(const char *name)
{
    const size_t size = name != NULL ? strlen(name) : 0;
    return size > 0 && size <= NAME_SIZE_MAX && tw_utf8_is_clean(tw_bytes_of(name, size));
}

static tw_status check_assets(const tw_genesis *g, tw_err *err)
{
    uint32_t holders = 0;
    if (g->asset_count > TW_GENESIS_ASSETS_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a chain begins with at most %d assets",
                          TW_GENESIS_ASSETS_MAX);
    }
    for (uint16_t i = 0; i < g->asset_count; i++) {
        const tw_genesis_asset *asset = &g->assets[i];
        if (!name_is_good(asset->name)) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "an asset's name has 1 to 64 bytes");
        }
        if (asset->decimals > TW_DECIMALS_MAX) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "asset %s has %u decimals; at most %d",
                              asset->name, asset->decimals, TW_DECIMALS_MAX);
        }
        if (asset->holder_count > TW_GENESIS_HOLDERS_MAX - holders) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "a chain begins with at most %d holders",
                              TW_GENESIS_HOLDERS_MAX);
        }
        holders += asset->holder_count;
    }
    return TW_OK;
}

static tw_status check_fees(const tw_genesis *g, tw_err *err)
{
    if (g->gas_price == 0) return TW_OK;
    if (g->gas_price < 0) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the gas price is below zero");
    }
    if (g->fee_asset >= g->asset_count) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "a gas price is one in an asset of the chain; name that asset");
    }
    if (!tw_account_is_valid(&g->fee_account)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the fees go to an account; name a valid one");
    }
    return TW_OK;
}

static tw_status check_genesis(const tw_genesis *g, tw_err *err)
{
    if (!name_is_good(g->name)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a chain's name has 1 to 64 bytes");
    }
    if (g->time < 0 || g->time >= (int64_t)1 << TW_RANGE_BITS) {
        return tw_err_set(err, TW_REFUSED_TIME, "the first block's time is out of range");
    }
    TW_TRY(check_assets(g, err));
    return check_fees(g, err);
}

static tw_status give(tw_overlay *overlay, const tw_genesis_asset *from, tw_asset *asset,
                      tw_err *err)
{
    for (uint32_t i = 0; i < from->holder_count; i++) {
        const tw_genesis_holder *holder = &from->holders[i];
        const tw_key key = tw_bank_balance_key(&asset->id, &holder->account);
        int64_t before = 0;
        int64_t after = 0;
        TW_TRY(tw_bank_amount(overlay, &key, &before));
        if (before != 0 || holder->amount <= 0 || !tw_account_is_valid(&holder->account)) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT,
                              "holders of %s must be accounts, each named once, with amounts above "
                              "zero",
                              from->name);
        }
        if (__builtin_add_overflow(asset->supply, holder->amount, &asset->supply)) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT,
                              "all of %s together is over 2^63 - 1 of its smallest units",
                              from->name);
        }
        TW_TRY(tw_bank_change(overlay, &key, holder->amount, &after));
    }
    return tw_bank_save(overlay, asset);
}

static tw_status make_assets(tw_overlay *overlay, const tw_genesis *g, tw_err *err)
{
    for (uint16_t i = 0; i < g->asset_count; i++) {
        const tw_genesis_asset *from = &g->assets[i];
        tw_asset asset = {.id = tw_bank_chain_asset(g->name, from->name),
                          .decimals = from->decimals};
        tw_asset other;
        bool found = false;
        TW_TRY(tw_bank_asset(overlay, &asset.id, &other, &found));
        if (found) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "asset %s is there twice", from->name);
        }
        TW_TRY(tw_bank_set_name(&asset, from->name));
        TW_TRY(give(overlay, from, &asset, err));
    }
    return TW_OK;
}

static tw_status write_state(tw_overlay *overlay, const tw_genesis *g, tw_err *err)
{
    tw_writer w = tw_writer_new(TW_STORE_VALUE_MAX);
    write_genesis(g, &w);
    const tw_key key = genesis_key();
    const tw_status status = w.bad
                                 ? tw_err_set(err, TW_ERR_MEMORY, "no memory for the genesis")
                                 : tw_overlay_put(overlay, tw_key_bytes(&key), tw_writer_bytes(&w));
    tw_writer_free(&w);
    TW_TRY(status);
    return make_assets(overlay, g, err);
}

static tw_status write_block(tw_commit *commit, const tw_block_info *info, tw_err *err)
{
    uint8_t header[TW_HEADER_SIZE];
    tw_node_header(info, header);
    tw_writer block = tw_writer_new(TW_HEADER_SIZE + 8);
    tw_write_raw(&block, header, TW_HEADER_SIZE);
    tw_write_u32(&block, 0);
    tw_write_u32(&block, 0);
    const uint8_t height[8] = {0};
    tw_batch_put(tw_commit_batch(commit), TW_TABLE_BLOCK, tw_bytes_of(height, 8),
                 tw_writer_bytes(&block));
    const bool bad = block.bad;
    tw_writer_free(&block);
    if (bad) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the first block");
    return tw_commit_write(commit, tw_bytes_of(header, TW_HEADER_SIZE), true, err);
}

static uint64_t or_default(uint64_t value, uint64_t preset)
{
    return value != 0 ? value : preset;
}

tw_status tw_node_store_is_empty(tw_store *store, const tw_commit *commit, tw_err *err)
{
    static const tw_table tables[] = {TW_TABLE_STATE, TW_TABLE_NODE, TW_TABLE_PRE, TW_TABLE_BLOCK};
    bool empty = !tw_commit_head(commit)->exists;
    for (size_t i = 0; i < sizeof tables / sizeof *tables && empty; i++) {
        tw_iter *iter = NULL;
        TW_TRY(tw_iter_open(store, tables[i], tw_bytes_of(NULL, 0), &iter));
        const tw_status status = tw_iter_first(iter);
        empty = !tw_iter_here(iter, NULL, NULL);
        tw_iter_close(iter);
        TW_TRY(status);
    }
    if (empty) return TW_OK;
    return tw_err_set(
        err, TW_REFUSED_ARGUMENT,
        "there is a ledger, or part of one, in this store already; take an empty one");
}

tw_status tw_ledger_create(tw_store *store, const tw_genesis *genesis, tw_err *err)
{
    TW_TRY(check_genesis(genesis, err));
    tw_genesis g = *genesis;
    g.entry_gas_max = or_default(g.entry_gas_max, TW_ENTRY_GAS_MAX);
    g.block_gas_max = or_default(g.block_gas_max, 10 * TW_ENTRY_GAS_MAX);
    g.timer_gas_max = or_default(g.timer_gas_max, 5 * TW_ENTRY_GAS_MAX);
    tw_overlay *overlay = tw_overlay_new(store, tw_ledger_overlay_max);
    tw_commit *commit = NULL;
    tw_status status = overlay != NULL ? TW_OK : TW_ERR_MEMORY;
    if (status == TW_OK) status = tw_commit_open(store, TW_LEDGER_MEMORY_MAX, &commit, err);
    if (status == TW_OK) status = tw_node_store_is_empty(store, commit, err);
    if (status == TW_OK) status = write_state(overlay, &g, err);
    tw_block_info info = {.height = 0, .time = g.time};
    if (status == TW_OK) status = tw_commit_prepare(commit, overlay, 0, &info.state_root, err);
    if (status == TW_OK) status = write_block(commit, &info, err);
    tw_commit_close(commit);
    tw_overlay_free(overlay);
    return status;
}
