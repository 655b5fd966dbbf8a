/* earlier -- the ledger as it was after one of its blocks, which block that was at a time, and
 * going back by one block for good.
 *
 * The store of that height (vm/state/past.h) stands in the place of the store, and what reads runs
 * on it unchanged. Such a ledger has no commit, so it makes no blocks.
 */
#include "vm/ledger/node.h"

#include "vm/base/quantities.h"
#include "vm/state/past.h"

#include <assert.h>

enum { FORGET_MAX = 4 }; /* states that go after one block: more than one, to catch up */

tw_status tw_node_before_base(const tw_ledger *l, uint64_t height, tw_err *err)
{
    return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                      "block %llu is not here: the ledger was made from a snapshot of block %llu, "
                      "and what was before it is with the ledgers that were there",
                      (unsigned long long)height, (unsigned long long)l->base);
}

tw_status tw_node_header_at(tw_ledger *l, uint64_t height, tw_block_info *ret_info, tw_err *err)
{
    if (height < l->base) return tw_node_before_base(l, height, err);
    uint8_t key[8];
    tw_bytes record = {NULL, 0};
    bool found = false;
    tw_store_u64(key, height);
    tw_arena_clear(l->arena);
    tw_node_wait(l);
    TW_TRY(tw_store_get(l->store, TW_TABLE_BLOCK, tw_bytes_of(key, sizeof key), l->arena, &record,
                        &found));
    tw_reader r = tw_reader_of(record);
    if (found && record.size >= TW_HEADER_SIZE && tw_node_read_header(&r, ret_info) == TW_OK) {
        return TW_OK;
    }
    return tw_err_set(err, TW_ERR_CORRUPT, "block %llu is missing or damaged",
                      (unsigned long long)height);
}

tw_status tw_ledger_height_at(tw_ledger *l, int64_t time, uint64_t *ret_height, tw_err *err)
{
    char text[TW_QUANTITY_TEXT_MAX];
    tw_block_info info;
    assert(!l->open);
    int64_t begins = l->genesis.time;
    if (l->base > 0) {
        TW_TRY(tw_node_header_at(l, l->base, &info, err));
        begins = info.time;
    }
    if (time < begins) {
        tw_quantity_print(begins, TW_DIM_TIME, text);
        if (l->base == 0) {
            return tw_err_set(err, TW_REFUSED_NOT_FOUND, "the ledger begins at %s", text);
        }
        return tw_err_set(
            err, TW_REFUSED_NOT_FOUND,
            "the ledger was made from a snapshot of block %llu, at %s: what was before "
            "is not here",
            (unsigned long long)l->base, text);
    }
    uint64_t low = l->base; /* not after `time`; what follows `high` is */
    uint64_t high = l->head.height;
    while (low < high) {
        const uint64_t middle = high - (high - low) / 2;
        TW_TRY(tw_node_header_at(l, middle, &info, err));
        if (info.time <= time) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    *ret_height = low;
    return TW_OK;
}

tw_status tw_ledger_oldest(tw_ledger *l, uint64_t *ret_height)
{
    tw_node_wait(l);
    return tw_root_oldest(l->store, ret_height);
}

/* The root of the height, or why there is none. */
static tw_status kept_root(tw_ledger *l, uint64_t height, tw_tree_root *ret_root, tw_err *err)
{
    bool found = false;
    uint64_t oldest = 0;
    if (height > l->head.height) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "there is no block %llu; the newest is %llu",
                          (unsigned long long)height, (unsigned long long)l->head.height);
    }
    if (height < l->base) return tw_node_before_base(l, height, err);
    tw_node_wait(l);
    TW_TRY(tw_commit_root_at(l->commit, height, ret_root, &found));
    if (found) return TW_OK;
    TW_TRY(tw_root_oldest(l->store, &oldest));
    return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                      "the state after block %llu is not kept any more; the oldest that is kept is "
                      "that after block %llu",
                      (unsigned long long)height, (unsigned long long)oldest);
}

static tw_status open_at(tw_ledger *present, const tw_block_info *info, const tw_tree_root *root,
                         tw_store *store, tw_ledger **ret_ledger, tw_err *err)
{
    tw_ledger *l = NULL;
    tw_ledger_options options = present->options;
    options.engine = present->engine;
    TW_TRY(tw_node_new(store, &options, &l, err));
    l->head = *info;
    l->root = *root;
    l->base = present->base;
    tw_overlay_clear(l->overlay, tw_load_u64(info->state_root.bytes));
    const tw_status status = tw_node_load_genesis(l, err);
    if (status != TW_OK) {
        tw_ledger_close(l);
        return status;
    }
    l->owns_store = true;
    *ret_ledger = l;
    return TW_OK;
}

tw_status tw_ledger_open_past(tw_ledger *present, uint64_t height, tw_ledger **ret_ledger,
                              tw_err *err)
{
    tw_tree_root root;
    tw_block_info info;
    tw_store *store = NULL;
    assert(present->commit != NULL && !present->open);
    TW_TRY(kept_root(present, height, &root, err));
    TW_TRY(tw_node_header_at(present, height, &info, err));
    if (!tw_hash_equal(&info.state_root, &root.hash) || info.height != height) {
        return tw_err_set(err, TW_ERR_CORRUPT, "block %llu and the state after it do not agree",
                          (unsigned long long)height);
    }
    TW_TRY(tw_store_open_past(present->store, height, &store));
    const tw_status status = open_at(present, &info, &root, store, ret_ledger, err);
    if (status != TW_OK) tw_store_close(store);
    return status;
}

tw_status tw_ledger_open_view(tw_ledger *present, tw_ledger **ret_ledger, tw_err *err)
{
    /* Another thread may be making blocks: only what stays as it is may be looked at here. */
    const tw_ledger_options options = {.engine = present->engine};
    tw_store *store = NULL;
    tw_ledger *l = NULL;
    TW_TRY(tw_store_open_still(present->store, &store, err));
    const tw_status status = tw_ledger_open(store, &options, &l, err);
    if (status != TW_OK) {
        tw_store_close(store);
        return status;
    }
    l->owns_store = true;
    l->is_view = true;
    *ret_ledger = l;
    return TW_OK;
}

tw_status tw_node_writes(const tw_ledger *l, tw_err *err)
{
    if (l->commit != NULL && !l->is_view) return TW_OK;
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "an earlier state, or a view, can only be read");
}

/* ---- one block back ---- */

/* Deletes the block's own records: itself, and where its transactions are. */
static tw_status drop_block(tw_ledger *l, const tw_block *block)
{
    uint8_t key[8];
    tw_batch *batch = tw_commit_batch(l->commit);
    tw_store_u64(key, block->info.height);
    tw_batch_delete(batch, TW_TABLE_BLOCK, tw_bytes_of(key, sizeof key));
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        tw_tx tx;
        TW_TRY(tw_tx_decode(block->transactions[i], l->arena, &tx));
        tw_batch_delete(batch, TW_TABLE_TX, tw_bytes_of(tx.id.bytes, TW_HASH_SIZE));
    }
    return TW_OK;
}

static tw_status drop_newest(tw_ledger *l, tw_err *err)
{
    tw_block block;
    tw_arena *arena = tw_arena_new(TW_LEDGER_MEMORY_MAX); /* decoded, a block may double */
    if (arena == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the block");
    tw_status status = tw_ledger_block(l, l->head.height, arena, &block, err);
    tw_arena_clear(l->arena);
    if (status == TW_OK) status = drop_block(l, &block);
    tw_arena_free(arena);
    return status;
}

tw_status tw_ledger_rollback(tw_ledger *l, tw_err *err)
{
    tw_block_info before;
    uint8_t header[TW_HEADER_SIZE];
    assert(!l->open);
    TW_TRY(tw_node_writes(l, err));
    TW_TRY(tw_ledger_settle(l, err));
    if (l->head.height == 0) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the first block can't be taken off");
    }
    if (l->head.height == l->base) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "block %llu is the one of the snapshot that the ledger was made from: it "
                          "can't be taken off",
                          (unsigned long long)l->base);
    }
    TW_TRY(tw_node_header_at(l, l->head.height - 1, &before, err));
    TW_TRY(tw_commit_prepare_undo(l->commit, err));
    tw_node_header(&before, header);
    tw_status status = drop_newest(l, err);
    if (status == TW_OK) {
        status = tw_commit_write(l->commit, tw_bytes_of(header, sizeof header), !l->options.no_sync,
                                 err);
    }
    if (status == TW_OK) l->head = before;
    tw_block_abort(l);
    return status;
}

/* ---- letting go ---- */

tw_status tw_ledger_prune(tw_ledger *l, uint64_t keep, uint64_t blocks_max, uint64_t *ret_count,
                          tw_err *err)
{
    assert(!l->open);
    TW_TRY(tw_node_writes(l, err));
    if (keep == 0) return tw_err_set(err, TW_REFUSED_ARGUMENT, "the newest state always stays");
    TW_TRY(tw_ledger_settle(l, err));
    return tw_commit_prune(l->commit, keep, blocks_max, ret_count, err);
}

/* The block is on the disk whatever happens here. A store that failed refuses the next block; a
 * damaged record stays, and no further state goes. Without memory the next block tries again. */
void tw_node_forget(tw_ledger *l)
{
    uint64_t count = 0;
    tw_err ignored = {0};
    if (l->options.keep == 0) return;
    const tw_status status =
        tw_commit_prune(l->commit, l->options.keep, FORGET_MAX, &count, &ignored);
    if (status == TW_ERR_CORRUPT) l->options.keep = 0;
}
