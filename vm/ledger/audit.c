/* audit -- see the header.
 *
 * After the state (vm/state/audit.h): the blocks from the first to the head, each the parent of the
 * next, with roots that fit what is in them and the state after them; the index of transactions;
 * and of each asset as much in balances, purses and fuel as there is said to be.
 */
#include "vm/ledger/audit.h"

#include "vm/ledger/node.h"

#include <inttypes.h>
#include <string.h>

enum { AUDIT_ARENA_MAX = 1024 * 1024 * 1024 };

#define COPY "put back a copy of the folder, or load a snapshot"

/* ---- blocks ---- */

enum { PLACE_SIZE = 12 };

/* Where a transaction is, as TX has it. */
static void write_place(uint64_t height, uint32_t number, uint8_t ret_place[PLACE_SIZE])
{
    tw_store_u64(ret_place, height);
    tw_store_u32(ret_place + 8, number);
}

/* A row of TX as a number: the sum over all rows is that over all transactions, or they differ. */
static uint64_t place_number(tw_bytes id, tw_bytes place)
{
    uint8_t bytes[TW_HASH_SIZE + PLACE_SIZE];
    if (id.size != TW_HASH_SIZE || place.size != PLACE_SIZE) return 1;
    memcpy(bytes, id.data, TW_HASH_SIZE);
    memcpy(bytes + TW_HASH_SIZE, place.data, PLACE_SIZE);
    return tw_hash_table(bytes, sizeof bytes);
}

/* One list of a block: its root; *places grows by where its transactions are. */
static tw_status check_list(tw_audit *a, tw_reader *r, uint64_t height, const tw_hash *root,
                            bool transactions, uint64_t *places)
{
    uint8_t place[PLACE_SIZE];
    const uint32_t count = tw_read_u32(r);
    const char *what = transactions ? "transactions" : "receipts";
    if (count > tw_reader_left(r) / 4) r->bad = true;
    if (r->bad) return TW_OK;
    tw_hash *leaves = TW_NEW_ARRAY(a->arena, tw_hash, count + 1);
    if (leaves == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const tw_bytes item = tw_read_long(r, UINT32_MAX);
        if (r->bad) return TW_OK;
        leaves[i] = tw_node_leaf(item);
        if (!transactions) continue;
        tw_tx tx;
        const tw_status status = tw_tx_decode(item, a->arena, &tx);
        if (status == TW_ERR_MEMORY) return status;
        if (status != TW_OK) {
            tw_audit_say(a, "BLOCK %" PRIu64 ": transaction %u is damaged; " COPY, height, i);
            continue;
        }
        write_place(height, i, place);
        *places +=
            place_number(tw_bytes_of(tx.id.bytes, TW_HASH_SIZE), tw_bytes_of(place, sizeof place));
        a->transactions++;
    }
    const tw_hash computed = tw_node_list_root(leaves, count);
    if (tw_hash_equal(&computed, root)) return TW_OK;
    tw_audit_say(a, "BLOCK %" PRIu64 ": its %s have another root than its header says; " COPY,
                 height, what);
    return TW_OK;
}

/* Of a ledger that was made from a snapshot: the header of the snapshot's block, the first there.
 */
static bool is_base(const tw_audit *a, tw_bytes record)
{
    return a->blocks == 1 && record.size == TW_HEADER_SIZE;
}

/* The block after `parent`, which becomes this one. */
static tw_status check_block(tw_audit *a, uint64_t height, tw_bytes record, tw_hash *parent,
                             uint64_t *places)
{
    tw_block_info info = {0};
    tw_tree_root root;
    bool found = false;
    tw_reader r = tw_reader_of(record);
    if (record.size < TW_HEADER_SIZE || tw_node_read_header(&r, &info) != TW_OK) {
        tw_audit_say(a, "BLOCK %" PRIu64 ": the header is damaged; " COPY, height);
        return TW_OK;
    }
    const bool base = is_base(a, record);
    if (info.height != height || (!base && !tw_hash_equal(&info.parent, parent))) {
        tw_audit_say(a, "BLOCK %" PRIu64 ": is not the one after the block before; " COPY, height);
    }
    *parent = info.hash;
    if (!base) {
        TW_TRY(check_list(a, &r, height, &info.transactions_root, true, places));
        TW_TRY(check_list(a, &r, height, &info.receipts_root, false, places));
    }
    if (!tw_reader_done(&r)) {
        tw_audit_say(a, "BLOCK %" PRIu64 ": is cut short or too long; " COPY, height);
    }
    const tw_status status = tw_root_read(a->store, height, a->arena, &root, &found);
    if (status != TW_OK && status != TW_ERR_CORRUPT) return status;
    if (status == TW_OK && found && !tw_hash_equal(&root.hash, &info.state_root)) {
        tw_audit_say(a, "META root/%" PRIu64 ": is not the one that the block says; " COPY, height);
    }
    if (height == a->head.height &&
        !tw_bytes_equal(a->head.extra, tw_bytes_of(record.data, TW_HEADER_SIZE))) {
        tw_audit_say(a, "META head: block %" PRIu64 " has another header; " COPY, height);
    }
    return TW_OK;
}

static tw_status check_blocks(tw_audit *a, uint64_t *places)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes record = {NULL, 0};
    tw_hash parent = {{0}};
    uint64_t next = 0;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_BLOCK, &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && tw_iter_here(iter, &key, &record)) {
        const uint64_t height = key.size == 8 ? tw_load_u64(key.data) : UINT64_MAX;
        const tw_mark mark = tw_arena_mark(a->arena);
        tw_audit_step(a, "blocks", ++a->blocks);
        if (height != next && !is_base(a, record)) {
            tw_audit_say(a, "BLOCK %" PRIu64 ": is missing; " COPY, next);
        }
        if (height > a->head.height) {
            tw_audit_say(a, "BLOCK %" PRIu64 ": is after the head; " COPY, height);
            break;
        }
        status = check_block(a, height, record, &parent, places);
        next = height + 1;
        tw_arena_reset(a->arena, mark);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    if (status == TW_OK && next <= a->head.height) {
        tw_audit_say(a, "BLOCK %" PRIu64 ": is missing; " COPY, next);
    }
    return status;
}

/* ---- the index of transactions ---- */

static tw_status check_place(tw_audit *a, const tw_hash *id, uint64_t height, uint32_t place)
{
    uint8_t wanted[PLACE_SIZE];
    tw_bytes value = {NULL, 0};
    bool found = false;
    write_place(height, place, wanted);
    TW_TRY(tw_store_get(a->store, TW_TABLE_TX, tw_bytes_of(id->bytes, TW_HASH_SIZE), a->arena,
                        &value, &found));
    if (!found || !tw_bytes_equal(value, tw_bytes_of(wanted, sizeof wanted))) {
        tw_audit_say(a, "TX: transaction %u of block %" PRIu64 " is not found by its id; " COPY,
                     place, height);
    }
    return TW_OK;
}

/* Of a block that was looked at: what is damaged in it was named. */
static tw_status look_up_block(tw_audit *a, uint64_t height, tw_bytes record)
{
    tw_block_info info = {0};
    tw_reader r = tw_reader_of(record);
    if (record.size <= TW_HEADER_SIZE || tw_node_read_header(&r, &info) != TW_OK) return TW_OK;
    const uint32_t count = tw_read_u32(&r);
    for (uint32_t i = 0; i < count; i++) {
        const tw_bytes item = tw_read_long(&r, UINT32_MAX);
        if (r.bad) return TW_OK;
        tw_tx tx;
        const tw_mark mark = tw_arena_mark(a->arena);
        const tw_status status = tw_tx_decode(item, a->arena, &tx);
        if (status == TW_ERR_MEMORY) return status;
        if (status == TW_OK) TW_TRY(check_place(a, &tx.id, height, i));
        tw_arena_reset(a->arena, mark);
    }
    return TW_OK;
}

/* Each transaction by its id, to name those that are not found. */
static tw_status look_up_all(tw_audit *a)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes record = {NULL, 0};
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_BLOCK, &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && tw_iter_here(iter, &key, &record)) {
        if (key.size == 8) status = look_up_block(a, tw_load_u64(key.data), record);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    return status;
}

/* TX has what the blocks have, which is `places`. */
static tw_status check_index(tw_audit *a, uint64_t places)
{
    tw_iter *iter = NULL;
    tw_bytes id = {NULL, 0};
    tw_bytes place = {NULL, 0};
    uint64_t count = 0;
    uint64_t sum = 0;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_TX, &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && tw_iter_here(iter, &id, &place); status = tw_iter_next(iter)) {
        tw_audit_step(a, "ids", ++count);
        sum += place_number(id, place);
    }
    tw_iter_close(iter);
    if (status == TW_OK && count == a->transactions && sum == places) return TW_OK;
    TW_TRY(look_up_all(a));
    if (status == TW_OK && count > a->transactions) {
        tw_audit_say(a, "TX: %" PRIu64 " ids belong to no transaction of a block; " COPY,
                     count - a->transactions);
    }
    return status;
}

/* ---- money ---- */

/* Adds up amounts; false when one is no amount or all are too much. */
static bool add_amount(tw_bytes value, int64_t *sum)
{
    if (value.size != 9) return false;
    const int64_t amount = (int64_t)tw_load_u64(value.data + 1);
    return amount > 0 && !__builtin_add_overflow(*sum, amount, sum);
}

/* What lies under `prefix` together, from `from` on. */
static tw_status add_all(tw_ledger *l, const tw_key *prefix, tw_key from, bool *good, int64_t *sum)
{
    for (;;) {
        tw_bytes key, value;
        bool found = false;
        TW_TRY(tw_overlay_next(l->overlay, tw_key_bytes(prefix), tw_key_bytes(&from), &key, &value,
                               &found));
        if (!found) return TW_OK;
        if (key.size >= TW_KEY_MAX || !add_amount(value, sum)) {
            *good = false;
            return TW_OK;
        }
        from.size = 0;
        tw_key_raw(&from, key.data, key.size);
        tw_key_u8(&from, 0);
    }
}

/* What a purse holds; of one with members the total must be theirs. */
static tw_status add_purse(tw_ledger *l, const tw_contract *c, const tw_purse *p, bool *good,
                           int64_t *sum)
{
    const tw_key key = tw_purse_key(&c->id, p, NULL);
    tw_key from = key;
    int64_t total = 0;
    int64_t members = 0;
    TW_TRY(tw_bank_amount(l->overlay, &key, &total));
    if (p->role != TW_NONE) {
        tw_key_u8(&from, 0);
        TW_TRY(add_all(l, &key, from, good, &members));
    }
    if ((p->role != TW_NONE && members != total) || total < 0 ||
        __builtin_add_overflow(*sum, total, sum)) {
        *good = false;
    }
    return TW_OK;
}

static tw_status add_contract(tw_ledger *l, const tw_hash *id, const tw_hash *asset, bool *good,
                              int64_t *sum)
{
    tw_err err = {0};
    tw_contract *c = NULL;
    bool found = false;
    tw_arena_clear(l->arena);
    TW_TRY(tw_node_contract(l, id, &c, &found, &err));
    if (!found) return TW_ERR_CORRUPT;
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->purse_count; i++) {
        if (!tw_hash_equal(&c->assets[m->purses[i].money], asset)) continue;
        TW_TRY(add_purse(l, c, &m->purses[i], good, sum));
    }
    return TW_OK;
}

/* The fuel of a contract, where fees are paid in this asset. */
static tw_status add_fuel(tw_ledger *l, const tw_hash *id, const tw_hash *asset, bool *good,
                          int64_t *sum)
{
    const tw_hash *fees = tw_ledger_fee_asset(l);
    int64_t fuel = 0;
    if (fees == NULL || !tw_hash_equal(fees, asset)) return TW_OK;
    const tw_status status = tw_ledger_fuel(l, id, &fuel);
    if (status == TW_ERR_CORRUPT || __builtin_add_overflow(*sum, fuel, sum)) *good = false;
    return status == TW_ERR_CORRUPT ? TW_OK : status;
}

static tw_status check_asset(tw_audit *a, tw_ledger *l, const tw_hash *id)
{
    tw_asset asset;
    tw_hash contract;
    int64_t sum = 0;
    bool good = true;
    bool found = false;
    const tw_key balances = tw_key_of(TW_SPACE_BALANCE, id);
    TW_TRY(tw_ledger_asset(l, id, &asset, &found));
    if (!found) return TW_ERR_CORRUPT;
    TW_TRY(add_all(l, &balances, balances, &good, &sum));
    TW_TRY(tw_ledger_next_contract(l, NULL, &contract, &found));
    while (found) {
        const tw_hash last = contract;
        TW_TRY(add_contract(l, &contract, id, &good, &sum));
        TW_TRY(add_fuel(l, &contract, id, &good, &sum));
        TW_TRY(tw_ledger_next_contract(l, &last, &contract, &found));
    }
    if (good && sum == asset.supply) return TW_OK;
    tw_audit_say(a,
                 "money: balances, purses and fuel hold %" PRId64 " of %s, and there are %" PRId64
                 "%s; " COPY,
                 sum, asset.name, asset.supply, good ? "" : " (an amount is damaged)");
    return TW_OK;
}

static tw_status check_money(tw_audit *a, tw_ledger *l)
{
    tw_hash id;
    bool found = false;
    TW_TRY(tw_ledger_next_asset(l, NULL, &id, &found));
    while (found) {
        const tw_hash last = id;
        TW_TRY(check_asset(a, l, &id));
        TW_TRY(tw_ledger_next_asset(l, &last, &id, &found));
    }
    return TW_OK;
}

/* Only a ledger that opens knows its purses. */
static tw_status check_open(tw_audit *a)
{
    tw_err err = {0};
    tw_ledger *l = NULL;
    const tw_status status = tw_ledger_open(a->store, NULL, &l, &err);
    if (status == TW_ERR_MEMORY) return status;
    if (status != TW_OK) {
        tw_audit_say(a, "the ledger does not open: %s", err.text);
        return TW_OK;
    }
    const tw_status money = check_money(a, l);
    tw_ledger_close(l);
    return tw_audit_end(a, "money", money);
}

static tw_status check_all(tw_audit *a)
{
    TW_TRY(tw_audit_state(a));
    uint64_t places = 0;
    TW_TRY(tw_audit_end(a, "BLOCK", check_blocks(a, &places)));
    TW_TRY(tw_audit_end(a, "TX", check_index(a, places)));
    return check_open(a);
}

tw_status tw_audit_ledger(tw_audit *a, tw_err *err)
{
    a->arena = tw_arena_new(AUDIT_ARENA_MAX);
    const tw_status status = a->arena != NULL ? check_all(a) : TW_ERR_MEMORY;
    tw_arena_free(a->arena);
    a->arena = NULL;
    return status == TW_OK ? TW_OK : tw_err_set(err, status, "no memory to look at the ledger");
}

/* ---- for who embeds the machine ---- */

/* Who is told, and may have nothing to listen with. */
typedef struct listener {
    void (*found)(void *context, const char *sentence);
    void (*progress)(void *context, const char *what, uint64_t done);
    void *context;
} listener;

static void tell_problem(void *context, const char *sentence)
{
    const listener *to = context;
    if (to->found != NULL) to->found(to->context, sentence);
}

static void tell_progress(void *context, const char *what, uint64_t done)
{
    const listener *to = context;
    if (to->progress != NULL) to->progress(to->context, what, done);
}

tw_status tw_store_audit(tw_store *store, size_t memory_max,
                         void (*found)(void *context, const char *sentence),
                         void (*progress)(void *context, const char *what, uint64_t done),
                         void *context, uint64_t *ret_problems, tw_err *err)
{
    listener to = {found, progress, context};
    tw_audit audit = {.store = store,
                      .memory_max = memory_max,
                      .found = tell_problem,
                      .progress = tell_progress,
                      .context = &to};
    TW_TRY(tw_audit_ledger(&audit, err));
    *ret_problems = audit.problems;
    return TW_OK;
}
