/* block -- begin, add, commit; the bytes of a block; blocks of the past and their replay.
 *
 *     BLOCK   BE64(height) -> header | list of transactions | list of receipts
 *     TX      id           -> u64 height | u32 place
 *
 *     list    u32 how many | of each: u32 size, bytes
 *     header  u8 format | u64 height | i64 time | parent 32 | transactions root 32 |
 *             receipts root 32 | state root 32
 *
 * The hash of a block is the tagged hash "twvm/block" of its header. Roots of lists are Merkle
 * trees as in RFC 6962 (leaf 0x00 | bytes, inner 0x01 | left | right); of an empty list 32 zero
 * bytes.
 */
#include "vm/ledger/node.h"

#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

enum { HEADER_FORMAT = 1 };

void tw_node_header(const tw_block_info *info, uint8_t ret_bytes[TW_HEADER_SIZE])
{
    tw_writer w = tw_writer_fixed(ret_bytes, TW_HEADER_SIZE);
    tw_write_u8(&w, HEADER_FORMAT);
    tw_write_u64(&w, info->height);
    tw_write_i64(&w, info->time);
    tw_write_raw(&w, info->parent.bytes, TW_HASH_SIZE);
    tw_write_raw(&w, info->transactions_root.bytes, TW_HASH_SIZE);
    tw_write_raw(&w, info->receipts_root.bytes, TW_HASH_SIZE);
    tw_write_raw(&w, info->state_root.bytes, TW_HASH_SIZE);
    assert(!w.bad && w.size == TW_HEADER_SIZE);
}

tw_status tw_node_read_header(tw_reader *r, tw_block_info *ret_info)
{
    const tw_bytes bytes = tw_bytes_of(r->data + r->at, TW_HEADER_SIZE);
    const uint8_t format = tw_read_u8(r);
    tw_block_info info = {.height = tw_read_u64(r)};
    info.time = tw_read_i64(r);
    tw_read_copy(r, info.parent.bytes, TW_HASH_SIZE);
    tw_read_copy(r, info.transactions_root.bytes, TW_HASH_SIZE);
    tw_read_copy(r, info.receipts_root.bytes, TW_HASH_SIZE);
    tw_read_copy(r, info.state_root.bytes, TW_HASH_SIZE);
    if (r->bad || format != HEADER_FORMAT) return TW_ERR_CORRUPT;
    info.hash = tw_hash_tagged("twvm/block", &bytes, 1);
    *ret_info = info;
    return TW_OK;
}

tw_hash tw_node_leaf(tw_bytes bytes)
{
    static const uint8_t zero[1] = {0};
    const tw_bytes parts[] = {{zero, 1}, bytes};
    return tw_sha256_parts(parts, 2);
}

/* Joins neighbours in place, level by level; one without a neighbour goes up as it is. */
tw_hash tw_node_list_root(tw_hash *leaves, uint32_t count)
{
    static const uint8_t one[1] = {1};
    if (count == 0) return (tw_hash){{0}};
    while (count > 1) {
        for (uint32_t i = 0; i + 1 < count; i += 2) {
            const tw_bytes parts[] = {
                {one, 1}, {leaves[i].bytes, TW_HASH_SIZE}, {leaves[i + 1].bytes, TW_HASH_SIZE}};
            leaves[i / 2] = tw_sha256_parts(parts, 3);
        }
        if (count % 2 == 1) leaves[count / 2] = leaves[count - 1];
        count = (count + 1) / 2;
    }
    return leaves[0];
}

/* ---- making a block ---- */

static void close_block(tw_ledger *l)
{
    l->open = false;
    tw_overlay_clear(l->overlay, tw_load_u64(l->head.state_root.bytes));
    if (l->writing.pending && l->writing.given) tw_overlay_stack(l->overlay, l->spare);
    tw_arena_clear(l->arena);
}

void tw_block_abort(tw_ledger *l)
{
    /* What is being written is another block's, and not dropped. */
    if (l->commit != NULL && !l->writing.pending) tw_commit_drop(l->commit);
    /* What was expected of a block that is refused may never come, and would hold its places. */
    l->checked = NULL;
    if (l->ahead != NULL) tw_ahead_forget(l->ahead);
    close_block(l);
}

tw_status tw_block_begin(tw_ledger *l, int64_t time, tw_err *err)
{
    assert(!l->open);
    TW_TRY(tw_node_writes(l, err));
    TW_TRY(tw_store_room(l->store, err));
    if (time < l->head.time || time >= (int64_t)1 << TW_RANGE_BITS) {
        return tw_err_set(err, TW_REFUSED_TIME,
                          "a block's time never goes back: %lld is before %lld", (long long)time,
                          (long long)l->head.time);
    }
    close_block(l);
    l->open = true;
    l->time = time;
    l->gas_used = 0;
    l->transaction_count = 0;
    l->receipt_count = 0;
    tw_writer_clear(&l->transactions);
    tw_writer_clear(&l->receipts);
    tw_writer_clear(&l->ids);
    const uint64_t start = tw_node_clock(l);
    const tw_status status = tw_node_run_due(l, err);
    l->times.execution_ns += tw_node_clock(l) - start;
    if (status == TW_OK) return TW_OK;
    tw_block_abort(l);
    return tw_err_set(err, status, "the block could not begin: %s", tw_status_text(status));
}

tw_status tw_node_add_receipt(tw_ledger *l, const tw_receipt *receipt)
{
    tw_writer_clear(&l->receipt);
    tw_receipt_encode(receipt, &l->receipt);
    tw_write_long(&l->receipts, tw_writer_bytes(&l->receipt));
    l->receipt_count++;
    return l->receipt.bad || l->receipts.bad ? TW_ERR_MEMORY : TW_OK;
}

tw_status tw_node_run_of(tw_ledger *l, const tw_contract *c, uint16_t entry,
                         const tw_outcome *outcome, tw_run *ret_run)
{
    const uint64_t gas_before = ret_run->gas;
    const char *fields = tw_arena_copy(l->arena, outcome->fields.data, outcome->fields.size);
    const char *notices = tw_arena_copy(l->arena, outcome->notices.data, outcome->notices.size);
    if (fields == NULL || notices == NULL) return TW_ERR_MEMORY;
    const bool own_error = outcome->status == TW_FAIL_ERROR;
    *ret_run = (tw_run){.contract = c->id,
                        .entry = entry,
                        .status = outcome->status,
                        .index = outcome->status != TW_OK ? outcome->index : 0,
                        .fields = tw_bytes_of(fields, own_error ? outcome->fields.size : 0),
                        .gas = gas_before + outcome->gas,
                        .writes = (uint32_t)outcome->writes,
                        .notices = tw_bytes_of(notices, outcome->notices.size)};
    return TW_OK;
}

bool tw_node_has_room(const tw_ledger *l, uint64_t gas, uint64_t gas_max, size_t share)
{
    if (tw_cost_add(l->gas_used, gas) > gas_max) return false;
    if (!l->open) return true; /* a question: its block would be empty */
    return l->transactions.size + l->receipts.size < TW_BLOCK_BYTES_MAX / share &&
           tw_overlay_put_bytes(l->overlay) < TW_BLOCK_PUT_MAX / share;
}

static tw_status count_nonce(tw_ledger *l, const tw_tx *tx, tw_err *err)
{
    uint64_t next = 0;
    TW_TRY(tw_ledger_nonce(l, &tx->signers[0], &next));
    if (tx->nonce != next) {
        return tw_err_set(err, TW_REFUSED_NONCE, "the nonce is %llu, the sender's next one is %llu",
                          (unsigned long long)tx->nonce, (unsigned long long)next);
    }
    return TW_OK;
}

static tw_status store_nonce(tw_ledger *l, const tw_tx *tx)
{
    tw_key key = tw_key_start(TW_SPACE_NONCE);
    tw_key_raw(&key, tx->signers[0].bytes, sizeof tx->signers[0].bytes);
    uint8_t value[9] = {TW_STATE_TAG};
    tw_store_u64(value + 1, tx->nonce + 1);
    return tw_overlay_put(l->overlay, tw_key_bytes(&key), tw_bytes_of(value, sizeof value));
}

static tw_status signatures_of(tw_ledger *l, const tw_tx *tx)
{
    if (tw_node_trusts(l)) return TW_OK;
    return l->checked != NULL ? l->checked->signatures : tw_tx_check_signatures(tx, l->known);
}

static tw_status within_limit(const tw_tx *tx, uint64_t gas, tw_err *err)
{
    if (tx->gas_limit >= gas) return TW_OK;
    return tw_err_set(err, TW_REFUSED_GAS_LIMIT, "the gas limit is %llu, the worst case is %llu",
                      (unsigned long long)tx->gas_limit, (unsigned long long)gas);
}

/* The transaction's worst case, which its limit covers. A module is verified to know it, and who is
 * refused pays nothing: so not before the limit covers that. */
static tw_status bound_of(tw_ledger *l, const tw_tx *tx, uint64_t *ret_bound, tw_err *err)
{
    const uint64_t least = tx->module.size * (uint64_t)TW_GAS_VERIFY_BYTE;
    if (tx->gas_limit < least) {
        return tw_err_set(err, TW_REFUSED_GAS_LIMIT,
                          "the gas limit is %llu, to verify its module takes %llu alone",
                          (unsigned long long)tx->gas_limit, (unsigned long long)least);
    }
    const tw_status bounded = tw_node_gas_bound(l, tx, ret_bound, err);
    if (bounded == TW_OK) return within_limit(tx, *ret_bound, err);
    return tw_err_set(err, bounded, "the transaction's payload: %s", tw_status_text(bounded));
}

/* Everything that keeps a transaction out of a block. */
static tw_status admit(tw_ledger *l, const tw_tx *tx, tw_err *err)
{
    if (!tw_hash_equal(&tx->chain, &l->chain)) {
        return tw_err_set(err, TW_REFUSED_CHAIN, "the transaction was made for another chain");
    }
    TW_TRY(count_nonce(l, tx, err));
    const uint64_t start = tw_node_clock(l);
    const tw_status good = signatures_of(l, tx);
    l->times.signature_ns += tw_node_clock(l) - start;
    if (good != TW_OK) return tw_err_set(err, good, "a signature of the transaction is not good");
    TW_TRY(tw_node_fee_check(l, tx, err));
    uint64_t bound = 0;
    TW_TRY(bound_of(l, tx, &bound, err));
    if (!tw_node_has_room(l, bound, l->genesis.block_gas_max, 1)) {
        return tw_err_set(err, TW_REFUSED_BLOCK_FULL, "the block has no room for it");
    }
    return TW_OK;
}

static tw_status note_transaction(tw_ledger *l, tw_bytes bytes, const tw_tx *tx)
{
    tw_write_long(&l->transactions, bytes);
    tw_write_raw(&l->ids, tx->id.bytes, TW_HASH_SIZE);
    l->transaction_count++;
    return l->transactions.bad || l->ids.bad ? TW_ERR_MEMORY : TW_OK;
}

static tw_status include(tw_ledger *l, tw_bytes bytes, const tw_tx *tx, tw_receipt *ret_receipt,
                         tw_err *err)
{
    TW_TRY(store_nonce(l, tx));
    TW_TRY(tw_node_fee_hold(l, tx));
    TW_TRY(tw_node_execute(l, tx, ret_receipt, err));
    TW_TRY(tw_node_fee_settle(l, tx, ret_receipt->run.gas, &ret_receipt->fee));
    l->gas_used += ret_receipt->run.gas;
    TW_TRY(note_transaction(l, bytes, tx));
    return tw_node_add_receipt(l, ret_receipt);
}

size_t tw_ledger_expect(tw_ledger *l, const tw_bytes *transactions, size_t count)
{
    if (l->ahead == NULL || tw_node_trusts(l)) return 0;
    l->checked = NULL;
    return tw_ahead_expect(l->ahead, transactions, count);
}

/* The transaction taken apart: ahead, or into `own` now. */
static tw_status take_apart(tw_ledger *l, tw_bytes transaction, tw_tx *own, const tw_tx **ret_tx)
{
    tw_arena_clear(l->arena);
    uint64_t start = tw_node_clock(l);
    l->checked = l->ahead != NULL ? tw_ahead_take(l->ahead, transaction) : NULL;
    if (l->checked != NULL) {
        l->times.signature_ns += tw_node_clock(l) - start;
        *ret_tx = &l->checked->tx;
        return l->checked->decoded;
    }
    start = tw_node_clock(l);
    const tw_status decoded = tw_tx_decode(transaction, l->arena, own);
    l->times.decode_ns += tw_node_clock(l) - start;
    *ret_tx = own;
    return decoded;
}

tw_status tw_block_add(tw_ledger *l, tw_bytes transaction, tw_receipt *ret_receipt, tw_err *err)
{
    assert(l->open);
    tw_tx own;
    const tw_tx *tx = NULL;
    const tw_status decoded = take_apart(l, transaction, &own, &tx);
    if (decoded != TW_OK) {
        return tw_err_set(err, decoded, "the transaction is %s", tw_status_text(decoded));
    }
    TW_TRY(admit(l, tx, err));
    const uint64_t signatures = l->times.signature_ns;
    const uint64_t begun = tw_node_clock(l);
    const tw_status status = include(l, transaction, tx, ret_receipt, err);
    l->times.execution_ns += tw_node_clock(l) - begun - (l->times.signature_ns - signatures);
    if (status == TW_OK) return TW_OK;
    /* host failures leave the block unusable: the caller aborts it */
    return tw_err_set(err, status, "the transaction could not be executed: %s",
                      tw_status_text(status));
}

/* In no block, and without what is known ahead, which waits for its turn. */
tw_status tw_ledger_check(tw_ledger *l, tw_bytes transaction, tw_err *err)
{
    assert(!l->open);
    tw_tx tx;
    tw_arena_clear(l->arena);
    const tw_status decoded = tw_tx_decode(transaction, l->arena, &tx);
    if (decoded != TW_OK) {
        return tw_err_set(err, decoded, "the transaction is %s", tw_status_text(decoded));
    }
    l->checked = NULL;
    l->gas_used = 0;
    return admit(l, &tx, err);
}

tw_status tw_block_execute(tw_ledger *l, tw_bytes transaction, tw_bytes *ret_receipt, tw_err *err)
{
    tw_receipt receipt;
    TW_TRY(tw_block_add(l, transaction, &receipt, err));
    if (ret_receipt != NULL) *ret_receipt = tw_writer_bytes(&l->receipt); /* encoded last */
    return TW_OK;
}

tw_status tw_block_endow(tw_ledger *l, const tw_hash *asset, const tw_account *account,
                         int64_t amount, tw_err *err)
{
    assert(l->open);
    if (!l->options.no_sync || amount < 0) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "only tests make money, and not below zero");
    }
    if (amount == 0) return TW_OK;
    const tw_key key = tw_bank_balance_key(asset, account);
    int64_t after = 0;
    TW_TRY(tw_bank_supply(l->overlay, asset, amount, INT64_MAX));
    return tw_bank_change(l->overlay, &key, amount, &after);
}

/* ---- commit ---- */

/* Hashes of a list of u32 size, bytes; false without memory. */
static bool list_root(tw_ledger *l, const tw_writer *list, uint32_t count, tw_hash *ret_root)
{
    tw_writer_clear(&l->leaves);
    tw_reader r = tw_reader_of(tw_writer_bytes(list));
    for (uint32_t i = 0; i < count; i++) {
        const tw_hash hash = tw_node_leaf(tw_read_long(&r, UINT32_MAX));
        tw_write_raw(&l->leaves, hash.bytes, TW_HASH_SIZE);
    }
    if (l->leaves.bad) return false;
    *ret_root = tw_node_list_root((tw_hash *)(void *)l->leaves.data, count);
    return true;
}

static tw_status put_block(tw_ledger *l, const tw_block_info *info)
{
    uint8_t header[TW_HEADER_SIZE];
    tw_node_header(info, header);
    tw_writer *w = &l->record;
    tw_writer_clear(w);
    tw_write_raw(w, header, sizeof header);
    tw_write_u32(w, l->transaction_count);
    tw_write_raw(w, l->transactions.data, l->transactions.size);
    tw_write_u32(w, l->receipt_count);
    tw_write_raw(w, l->receipts.data, l->receipts.size);
    uint8_t height[8];
    tw_store_u64(height, info->height);
    tw_batch *batch = tw_commit_batch(l->commit);
    if (w->bad) return TW_ERR_MEMORY;
    tw_batch_put(batch, TW_TABLE_BLOCK, tw_bytes_of(height, 8), tw_writer_bytes(w));
    for (uint32_t i = 0; i < l->transaction_count; i++) {
        uint8_t place[12];
        memcpy(place, height, 8);
        tw_store_u32(place + 8, i);
        tw_batch_put(batch, TW_TABLE_TX,
                     tw_bytes_of(l->ids.data + (size_t)TW_HASH_SIZE * i, TW_HASH_SIZE),
                     tw_bytes_of(place, sizeof place));
    }
    return TW_OK;
}

/* Roots and header, once the block before is written; nothing is on the disk yet. */
static tw_status seal(tw_ledger *l, tw_block_info *info, tw_err *err)
{
    uint8_t header[TW_HEADER_SIZE];
    TW_TRY(tw_ledger_settle(l, err));
    *info = (tw_block_info){.height = l->head.height + 1, .time = l->time, .parent = l->head.hash};
    const uint64_t start = tw_node_clock(l);
    const tw_status status =
        tw_commit_prepare(l->commit, l->overlay, info->height, &info->state_root, err);
    l->times.state_ns += tw_node_clock(l) - start;
    TW_TRY(status);
    if (!list_root(l, &l->transactions, l->transaction_count, &info->transactions_root) ||
        !list_root(l, &l->receipts, l->receipt_count, &info->receipts_root)) {
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the block");
    }
    tw_node_header(info, header);
    const tw_bytes bytes = tw_bytes_of(header, TW_HEADER_SIZE);
    info->hash = tw_hash_tagged("twvm/block", &bytes, 1);
    return TW_OK;
}

static tw_status write_block(tw_ledger *l, const tw_block_info *info, bool later, tw_err *err)
{
    const uint64_t start = tw_node_clock(l);
    tw_status status = put_block(l, info);
    l->times.commit_ns += tw_node_clock(l) - start;
    if (status == TW_OK) status = tw_node_write(l, info, later, err);
    if (status == TW_OK) close_block(l);
    return status;
}

static tw_status end_block(tw_ledger *l, bool later, tw_block_info *ret_info, tw_err *err)
{
    assert(l->open);
    tw_block_info info;
    tw_status status = seal(l, &info, err);
    if (status == TW_OK) status = write_block(l, &info, later, err);
    if (status != TW_OK) {
        tw_block_abort(l);
        return status;
    }
    if (ret_info != NULL) *ret_info = info;
    return TW_OK;
}

tw_status tw_block_commit(tw_ledger *l, tw_block_info *ret_info, tw_err *err)
{
    return end_block(l, false, ret_info, err);
}

tw_status tw_block_commit_later(tw_ledger *l, tw_block_info *ret_info, tw_err *err)
{
    return end_block(l, true, ret_info, err);
}

/* ---- the past ---- */

static tw_status split(tw_reader *r, tw_arena *arena, tw_bytes **ret_items, uint32_t *ret_count)
{
    const uint32_t count = tw_read_u32(r);
    if (count > tw_reader_left(r) / 4) return TW_ERR_CORRUPT;
    tw_bytes *items = TW_NEW_ARRAY(arena, tw_bytes, count);
    if (items == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) items[i] = tw_read_long(r, UINT32_MAX);
    *ret_items = items;
    *ret_count = count;
    return r->bad ? TW_ERR_CORRUPT : TW_OK;
}

tw_status tw_node_parse_block(tw_bytes record, tw_arena *arena, tw_block *block)
{
    tw_reader r = tw_reader_of(record);
    if (record.size < TW_HEADER_SIZE) return TW_ERR_CORRUPT;
    TW_TRY(tw_node_read_header(&r, &block->info));
    TW_TRY(split(&r, arena, &block->transactions, &block->transaction_count));
    tw_bytes *receipts = NULL;
    TW_TRY(split(&r, arena, &receipts, &block->receipt_count));
    if (!tw_reader_done(&r)) return TW_ERR_CORRUPT;
    block->receipts = TW_NEW_ARRAY(arena, tw_receipt, block->receipt_count);
    if (block->receipts == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        tw_reader each = tw_reader_of(receipts[i]);
        const tw_status status = tw_receipt_decode(&each, arena, &block->receipts[i]);
        if (status == TW_ERR_MEMORY) return status;
        if (status != TW_OK || !tw_reader_done(&each)) return TW_ERR_CORRUPT;
    }
    return TW_OK;
}

tw_status tw_node_block_record(tw_ledger *l, uint64_t height, tw_arena *arena, tw_bytes *ret_record,
                               tw_err *err)
{
    uint8_t key[8];
    tw_store_u64(key, height);
    tw_bytes record = {NULL, 0};
    bool found = height <= l->head.height;
    if (l->base > 0 && height <= l->base) return tw_node_before_base(l, height, err);
    tw_node_wait(l);
    if (found) {
        const tw_status status =
            tw_store_get(l->store, TW_TABLE_BLOCK, tw_bytes_of(key, 8), arena, &record, &found);
        if (status != TW_OK) {
            return tw_err_set(err, status, "block %llu cannot be read: %s",
                              (unsigned long long)height, tw_status_text(status));
        }
    }
    if (!found) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "there is no block %llu; the newest is %llu",
                          (unsigned long long)height, (unsigned long long)l->head.height);
    }
    *ret_record = record;
    return TW_OK;
}

tw_status tw_ledger_block(tw_ledger *l, uint64_t height, tw_arena *arena, tw_block *ret_block,
                          tw_err *err)
{
    tw_bytes record;
    TW_TRY(tw_node_block_record(l, height, arena, &record, err));
    *ret_block = (tw_block){0};
    const tw_status status = tw_node_parse_block(record, arena, ret_block);
    if (status == TW_OK) return TW_OK;
    return tw_err_set(err, status, "block %llu: %s", (unsigned long long)height,
                      tw_status_text(status));
}

tw_status tw_ledger_find(tw_ledger *l, const tw_hash *transaction, uint64_t *ret_height,
                         uint32_t *ret_place, bool *ret_found)
{
    tw_bytes value;
    tw_arena_clear(l->arena);
    tw_node_wait(l);
    TW_TRY(tw_store_get(l->store, TW_TABLE_TX, tw_bytes_of(transaction->bytes, TW_HASH_SIZE),
                        l->arena, &value, ret_found));
    if (!*ret_found) return TW_OK;
    tw_reader r = tw_reader_of(value);
    *ret_height = tw_read_u64(&r);
    *ret_place = tw_read_u32(&r);
    *ret_found = *ret_height <= l->head.height;
    return tw_reader_done(&r) ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status add_all(tw_ledger *l, const tw_block *block, tw_err *err)
{
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        tw_receipt receipt;
        tw_err why = {0};
        if (l->ahead != NULL && tw_ahead_is_empty(l->ahead)) {
            (void)tw_ledger_expect(l, block->transactions + i, block->transaction_count - i);
        }
        const tw_status status = tw_block_add(l, block->transactions[i], &receipt, &why);
        if (status == TW_OK) continue;
        return tw_err_set(err, tw_status_is_host_failure(status) ? status : TW_ERR_CORRUPT,
                          "block %llu, transaction %u: %s", (unsigned long long)block->info.height,
                          i, why.text);
    }
    return TW_OK;
}

static const char *difference(const tw_block_info *a, const tw_block_info *b)
{
    if (a->height != b->height) return "its height";
    if (!tw_hash_equal(&a->parent, &b->parent)) return "its parent";
    if (!tw_hash_equal(&a->transactions_root, &b->transactions_root)) return "its transactions";
    if (!tw_hash_equal(&a->receipts_root, &b->receipts_root)) return "its receipts";
    if (!tw_hash_equal(&a->state_root, &b->state_root)) return "the state after it";
    return tw_hash_equal(&a->hash, &b->hash) ? NULL : "its hash";
}

/* The receipts of the block, byte for byte, against those that were just made. */
static tw_status compare_receipts(tw_ledger *l, const tw_block *block, tw_err *err)
{
    tw_reader r = tw_reader_of(tw_writer_bytes(&l->receipts));
    bool same = block->receipt_count == l->receipt_count;
    for (uint32_t i = 0; i < l->receipt_count && same; i++) {
        tw_writer_clear(&l->receipt);
        tw_receipt_encode(&block->receipts[i], &l->receipt);
        if (l->receipt.bad) return TW_ERR_MEMORY;
        same = tw_bytes_equal(tw_read_long(&r, UINT32_MAX), tw_writer_bytes(&l->receipt));
    }
    if (same) return TW_OK;
    return tw_err_set(err, TW_ERR_CORRUPT, "block %llu executed again gives other receipts",
                      (unsigned long long)block->info.height);
}

tw_status tw_ledger_replay_block(tw_ledger *l, const tw_block *block, tw_err *err)
{
    tw_block_info info;
    tw_status status = tw_block_begin(l, block->info.time, err);
    if (status == TW_OK) status = add_all(l, block, err);
    if (status == TW_OK) status = compare_receipts(l, block, err);
    if (status == TW_OK) status = seal(l, &info, err);
    const char *differs = status == TW_OK ? difference(&info, &block->info) : NULL;
    if (differs != NULL) {
        status = tw_err_set(err, TW_ERR_CORRUPT, "block %llu executed again differs in %s",
                            (unsigned long long)block->info.height, differs);
    }
    if (status == TW_OK) status = write_block(l, &info, true, err);
    if (status != TW_OK) tw_block_abort(l);
    return status;
}
