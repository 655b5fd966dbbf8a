/* test_audit -- what fsck says of a whole ledger, and of one in which something was planted. */
#include "tests/unit/ledger_fixture.h"
#include "vm/ledger/audit.h"
#include "vm/state/audit_whole.h"
#include "vm/state/past.h"
#include "vm/state/tree_node.h"

enum { BLOCKS = 60, SENTENCES_MAX = 400, OLD_HEAD = 20 };

typedef struct heard {
    char texts[SENTENCES_MAX][480];
    uint64_t count;
} heard;

typedef struct world {
    rig *r;
    tw_batch *batch; /* what is planted */
    tw_bytes old_head;
} world;

static void hear(void *context, const char *sentence)
{
    heard *h = context;
    if (h->count < SENTENCES_MAX) {
        (void)snprintf(h->texts[h->count], sizeof h->texts[0], "%s", sentence);
    }
    h->count++;
}

static heard audit(tw_store *store, size_t memory_max)
{
    heard h = {.count = 0};
    tw_err err = {0};
    tw_audit a = {.store = store, .memory_max = memory_max, .found = hear, .context = &h};
    cr_assert_eq(tw_audit_ledger(&a, &err), TW_OK, "%s", err.text);
    cr_assert_eq(a.problems, h.count);
    return h;
}

static tw_bytes meta(world *w, const char *name)
{
    tw_bytes value;
    bool found = false;
    cr_assert_eq(tw_store_get(w->r->store, TW_TABLE_META, text(name), w->r->arena, &value, &found),
                 TW_OK);
    cr_assert(found);
    return value;
}

/* A ledger with money, code, windows, alarms and a past. */
static world world_make(tw_store *store)
{
    tw_secret secret;
    tw_genesis_holder holder = {.amount = 1000};
    tw_secret_from_seed("owner", &secret);
    cr_assert(tw_secret_account(&secret, &holder.account));
    const tw_genesis_asset asset = {"EUR", 2, &holder, 1};
    const tw_genesis genesis = {
        .name = "test", .time = start_time, .assets = &asset, .asset_count = 1};
    world w = {.r = rig_on(store, rig_source, &genesis), .batch = tw_batch_new(16 * MIB)};
    deploy(w.r);
    for (uint64_t h = 2; h <= BLOCKS; h++) {
        const int64_t time = start_time + (int64_t)h * MINUTE;
        if (h % 3 == 0) {
            (void)feed(w.r, time, h % 2 == 0 ? HIGH_UM : LOW_UM);
        } else {
            (void)call_int(w.r, time, "add", h % 3 == 1 ? 1 : -1);
        }
        if (h == OLD_HEAD) w.old_head = meta(&w, "head");
    }
    return w;
}

static void world_free(world *w)
{
    tw_batch_free(w->batch);
    rig_free(w->r);
}

/* ---- planting ---- */

/* Row number `number` of a table, in the arena. */
static void row_at(world *w, tw_table table, size_t number, tw_bytes *ret_key, tw_bytes *ret_value)
{
    tw_iter *iter = NULL;
    tw_bytes key, value;
    cr_assert_eq(tw_iter_open(w->r->store, table, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    for (; number > 0; number--) cr_assert_eq(tw_iter_next(iter), TW_OK);
    cr_assert(tw_iter_here(iter, &key, &value));
    *ret_key = tw_bytes_of(tw_arena_copy(w->r->arena, key.data, key.size), key.size);
    *ret_value = tw_bytes_of(tw_arena_copy(w->r->arena, value.data, value.size), value.size);
    tw_iter_close(iter);
}

static void drop(world *w, tw_table table, size_t number)
{
    tw_bytes key, value;
    row_at(w, table, number, &key, &value);
    tw_batch_delete(w->batch, table, key);
}

/* Flips the byte that is `back` from the end of the value. */
static void flip(world *w, tw_table table, size_t number, size_t back)
{
    tw_bytes key, value;
    row_at(w, table, number, &key, &value);
    cr_assert(back < value.size);
    uint8_t *bytes = (uint8_t *)(uintptr_t)value.data;
    bytes[value.size - 1 - back] ^= 0x10;
    tw_batch_put(w->batch, table, key, value);
}

static void put(world *w, tw_table table, const char *key, const char *value)
{
    tw_batch_put(w->batch, table, text(key), text(value));
}

/* The root's node, decoded. */
static void root_node(world *w, tw_bytes *ret_key, tw_tree_node *ret_node)
{
    uint8_t key[TW_TREE_KEY_SIZE_MAX];
    tw_head head;
    tw_bytes value;
    bool found = false;
    cr_assert_eq(tw_head_read(w->r->store, w->r->arena, &head, NULL), TW_OK);
    const size_t size = tw_tree_node_key(head.root.version, &head.root.hash, 0, key);
    *ret_key = tw_bytes_of(tw_arena_copy(w->r->arena, (char *)key, size), size);
    cr_assert_eq(tw_store_get(w->r->store, TW_TABLE_NODE, *ret_key, w->r->arena, &value, &found),
                 TW_OK);
    cr_assert(found && tw_tree_node_decode(value, head.root.version, ret_node));
}

static void put_node(world *w, tw_bytes key, const tw_tree_node *node)
{
    uint8_t bytes[TW_TREE_NODE_SIZE_MAX];
    const size_t size = tw_tree_node_encode(node, tw_load_u64(key.data), bytes);
    tw_batch_put(w->batch, TW_TABLE_NODE, key, tw_bytes_of(bytes, size));
}

static tw_tree_slot *slot_of(tw_tree_node *node, tw_tree_kind kind)
{
    for (size_t i = 0; i < TW_TREE_FANOUT; i++) {
        if (node->slots[i].kind == kind) return &node->slots[i];
    }
    cr_assert(false);
    return NULL;
}

static void root_node_gone(world *w)
{
    tw_bytes key;
    tw_tree_node node;
    root_node(w, &key, &node);
    tw_batch_delete(w->batch, TW_TABLE_NODE, key);
}

static void node_of_other_hash(world *w)
{
    tw_bytes key;
    tw_tree_node node;
    root_node(w, &key, &node);
    slot_of(&node, TW_TREE_INNER)->hash.bytes[3] ^= 1;
    put_node(w, key, &node);
}

static void child_of_other_version(world *w)
{
    tw_bytes key;
    tw_tree_node node;
    root_node(w, &key, &node);
    slot_of(&node, TW_TREE_INNER)->version -= 1;
    put_node(w, key, &node);
}

static void child_gone(world *w)
{
    tw_bytes key;
    tw_tree_node node;
    uint8_t child[TW_TREE_KEY_SIZE_MAX];
    root_node(w, &key, &node);
    const tw_tree_slot *slot = slot_of(&node, TW_TREE_INNER);
    tw_hash path = {{(uint8_t)((slot - node.slots) << 4)}};
    const size_t size = tw_tree_node_key(slot->version, &path, 1, child);
    tw_batch_delete(w->batch, TW_TABLE_NODE, tw_bytes_of(child, size));
}

/* A lone leaf has the same hash wherever in its node it stands. */
static void leaf_elsewhere(world *w)
{
    for (size_t number = 0;; number++) {
        tw_bytes key, value;
        tw_tree_node node;
        row_at(w, TW_TABLE_NODE, number, &key, &value);
        cr_assert(tw_tree_node_decode(value, tw_load_u64(key.data), &node));
        const tw_hash hash = tw_tree_node_hash(&node);
        for (size_t i = 0; i < TW_TREE_FANOUT; i++) {
            tw_tree_slot *beside = &node.slots[i ^ 1];
            if (node.slots[i].kind != TW_TREE_LEAF || beside->kind != TW_TREE_EMPTY) continue;
            *beside = node.slots[i];
            node.slots[i] = (tw_tree_slot){.kind = TW_TREE_EMPTY};
            const tw_hash moved = tw_tree_node_hash(&node);
            cr_assert(tw_hash_equal(&hash, &moved));
            put_node(w, key, &node);
            return;
        }
    }
}

static void node_damaged(world *w)
{
    flip(w, TW_TABLE_NODE, 5, 7);
}
static void node_too_many(world *w)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_NODE, 0, &key, &value);
    tw_tree_node node;
    uint8_t other[TW_TREE_KEY_SIZE_MAX];
    const tw_hash path = {{0xab, 0xcd}};
    cr_assert(tw_tree_node_decode(value, tw_load_u64(key.data), &node));
    const size_t size = tw_tree_node_key(tw_load_u64(key.data), &path, 4, other);
    put_node(w, tw_bytes_of(other, size), &node);
}
static void value_changed(world *w)
{
    flip(w, TW_TABLE_STATE, 4, 0);
}
static void value_gone(world *w)
{
    drop(w, TW_TABLE_STATE, 6);
}
static void value_too_many(world *w)
{
    put(w, TW_TABLE_STATE, "\x02zz", "\x01z");
}
/* One of the names whose key is in the state: what only the past had may be cut from it. */
static size_t living_name(world *w)
{
    for (size_t number = 0;; number++) {
        tw_bytes row, key, value;
        bool found = false;
        row_at(w, TW_TABLE_PRE, number, &row, &key);
        cr_assert_eq(tw_store_get(w->r->store, TW_TABLE_STATE, key, w->r->arena, &value, &found),
                     TW_OK);
        if (found) return number;
    }
}

static void name_gone(world *w)
{
    drop(w, TW_TABLE_PRE, living_name(w));
}
static void name_changed(world *w)
{
    flip(w, TW_TABLE_PRE, 3, 0);
}
static void name_too_many(world *w)
{
    const tw_hash hash = tw_sha256("zz", 2);
    tw_batch_put(w->batch, TW_TABLE_PRE, tw_bytes_of(hash.bytes, TW_HASH_SIZE), text("zz"));
}
static void name_too_long(world *w)
{
    static const char name[3000];
    const tw_hash hash = tw_sha256(name, sizeof name);
    tw_batch_put(w->batch, TW_TABLE_PRE, tw_bytes_of(hash.bytes, TW_HASH_SIZE),
                 tw_bytes_of(name, sizeof name));
}
static void past_changed(world *w)
{
    flip(w, TW_TABLE_HIST, 9, 0);
}
static void past_gone(world *w)
{
    drop(w, TW_TABLE_HIST, 9);
}
static void past_no_record(world *w)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_HIST, 2, &key, &value);
    tw_batch_put(w->batch, TW_TABLE_HIST, key, text("\x07"));
}
static void past_too_many(world *w)
{
    tw_batch_put(w->batch, TW_TABLE_HIST, tw_bytes_of("zz\0\0\0\0\0\0\0\0\0\5", 12),
                 tw_bytes_of("\0", 1));
}
static void stale_cut(world *w)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_STALE, 9, &key, &value);
    tw_batch_put(w->batch, TW_TABLE_STALE, key, tw_bytes_of(value.data, value.size - 1));
}
static void stale_gone(world *w)
{
    drop(w, TW_TABLE_STALE, 8);
}
static void stale_too_many(world *w)
{
    put(w, TW_TABLE_STALE, "zzzzzzzz", "z");
}
static void head_damaged(world *w)
{
    const tw_bytes head = meta(w, "head");
    ((uint8_t *)(uintptr_t)head.data)[12] ^= 1;
    tw_batch_put(w->batch, TW_TABLE_META, text("head"), head);
}
static void head_gone(world *w)
{
    tw_batch_delete(w->batch, TW_TABLE_META, text("head"));
}
static void head_of_earlier(world *w)
{
    tw_batch_put(w->batch, TW_TABLE_META, text("head"), w->old_head);
}
static void root_gone(world *w)
{
    drop(w, TW_TABLE_META, 1 + 30);
}
static void root_changed(world *w)
{
    flip(w, TW_TABLE_META, 1 + 30, 12);
}
static void block_gone(world *w)
{
    drop(w, TW_TABLE_BLOCK, 30);
}
static void receipt_changed(world *w)
{
    flip(w, TW_TABLE_BLOCK, 30, 2);
}
static void block_too_long(world *w)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_BLOCK, 30, &key, &value);
    uint8_t *longer = tw_arena_get(w->r->arena, value.size + 1);
    memcpy(longer, value.data, value.size);
    longer[value.size] = 0;
    tw_batch_put(w->batch, TW_TABLE_BLOCK, key, tw_bytes_of(longer, value.size + 1));
}
/* In the header: 17 + 32 + 32 bytes before the root of the receipts, then the state root. */
static void header_at(world *w, size_t at)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_BLOCK, 30, &key, &value);
    flip(w, TW_TABLE_BLOCK, 30, value.size - 1 - at);
}
static void parent_changed(world *w)
{
    header_at(w, 20);
}
static void transactions_root_changed(world *w)
{
    header_at(w, 17 + 32 + 3);
}
static void state_root_changed(world *w)
{
    header_at(w, 17 + 3 * 32 + 3);
}
static void newest_header_changed(world *w)
{
    tw_bytes key, value;
    row_at(w, TW_TABLE_BLOCK, BLOCKS, &key, &value);
    flip(w, TW_TABLE_BLOCK, BLOCKS, value.size - 1 - 16);
}
static void id_gone(world *w)
{
    drop(w, TW_TABLE_TX, 5);
}
static void id_elsewhere(world *w)
{
    flip(w, TW_TABLE_TX, 5, 0);
}
static void id_too_many(world *w)
{
    put(w, TW_TABLE_TX, "zz", "zzzzzzzzzzzz");
}

/* A block of the state alone that makes money: everything fits the root but the sum. */
static void money_made(world *w)
{
    tw_err err = {0};
    tw_commit *commit = NULL;
    tw_hash root;
    tw_overlay *overlay = tw_overlay_new(w->r->store, 16 * MIB);
    const tw_hash asset = tw_bank_chain_asset("test", "EUR");
    const tw_key key = tw_bank_balance_key(&asset, &w->r->accounts[STRANGER]);
    int64_t after = 0;
    cr_assert_eq(tw_bank_change(overlay, &key, 5, &after), TW_OK);
    cr_assert_eq(tw_commit_open(w->r->store, 16 * MIB, &commit, &err), TW_OK);
    const tw_bytes extra = tw_commit_head(commit)->extra;
    uint8_t header[512];
    memcpy(header, extra.data, extra.size);
    header[8]++; /* its height */
    cr_assert_eq(tw_commit_prepare(commit, overlay, BLOCKS + 1, &root, &err), TW_OK);
    cr_assert_eq(tw_commit_write(commit, tw_bytes_of(header, extra.size), false, &err), TW_OK);
    tw_commit_close(commit);
    tw_overlay_free(overlay);
}

static const struct {
    void (*plant)(world *w);
    const char *says; /* a sentence that begins so */
} plants[] = {
    {value_changed, "STATE: the key with hash"},
    {value_gone, "STATE: the key with hash"},
    {value_too_many, "STATE: the key with hash"},
    {root_node_gone, "NODE "},
    {child_gone, "NODE 00"},
    {node_damaged, "NODE 00"},
    {node_of_other_hash, "NODE 00"},
    {child_of_other_version, "NODE 00"},
    {node_too_many, "NODE: 1 nodes"},
    {leaf_elsewhere, ""},
    {name_gone, "PRE "},
    {name_changed, "PRE "},
    {name_too_many, "PRE: names the key 7a7a, which never was"},
    {name_too_long, "PRE: names the key 0000"},
    {past_changed, "HIST: the key "},
    {past_gone, "HIST: the value of key"},
    {past_no_record, "HIST "},
    {past_too_many, "HIST: 1 values"},
    {stale_cut, "STALE "},
    {stale_gone, ""},
    {stale_too_many, "STALE 7a7a"},
    {head_damaged, "META head: the head of the ledger is damaged"},
    {head_gone, "META head: there is no head"},
    {head_of_earlier, "STATE: its keys and values have the root"},
    {root_gone, "META root/30: is missing"},
    {root_changed, "META root/30: "},
    {block_gone, "BLOCK 30: is missing"},
    {receipt_changed, "BLOCK 30: its receipts"},
    {block_too_long, "BLOCK 30: is cut short or too long"},
    {parent_changed, "BLOCK 30: is not the one after"},
    {transactions_root_changed, "BLOCK 30: its transactions"},
    {state_root_changed, "META root/30: is not the one"},
    {newest_header_changed, "META head: block 60 has another header"},
    {id_gone, "TX: transaction 0 of block"},
    {id_elsewhere, "TX: transaction 0 of block"},
    {id_too_many, "TX: 1 ids"},
    {money_made, "money: balances, purses and fuel hold 1005 of EUR, and there are 1000"},
};

enum { PLANTS = sizeof plants / sizeof *plants };

static void plant(world *w, size_t number)
{
    tw_err err = {0};
    tw_batch_clear(w->batch);
    plants[number].plant(w);
    if (tw_batch_count(w->batch) == 0) return;
    cr_assert_eq(tw_store_commit(w->r->store, w->batch, false, &err), TW_OK, "%s", err.text);
}

static bool is_said(const heard *h, size_t number)
{
    const char *says = plants[number].says;
    bool said = false;
    for (uint64_t k = 0; k < h->count && k < SENTENCES_MAX; k++) {
        said = said || strncmp(h->texts[k], says, strlen(says)) == 0;
    }
    if (!said) {
        fprintf(stderr, "plant %zu: wanted \"%s\", of %llu the first is: %s\n", number, says,
                (unsigned long long)h->count, h->count > 0 ? h->texts[0] : "");
    }
    return said;
}

Test(audit, what_is_planted_is_found)
{
    tw_store *store = store_in_memory();
    world w = world_make(store);
    cr_assert_eq(audit(store, 64 * MIB).count, 0);
    for (size_t i = 0; i < PLANTS; i++) {
        tw_store_memory_mark(store);
        plant(&w, i);
        const heard h = audit(store, i % 2 == 0 ? 64 * MIB : 256);
        cr_assert(is_said(&h, i));
        tw_store_memory_back(store);
    }
    const heard whole = audit(store, 256); /* in parts */
    cr_assert_eq(whole.count, 0, "%s", whole.texts[0]);
    world_free(&w);
}

/* Plants in a copy of the database, and looks at that as it comes from the disk again. */
static bool found_on_disk(world *w, const char *path, size_t number)
{
    tw_store *whole = w->r->store;
    tw_store *copy = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_store_copy(whole, path, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_store_open(path, NULL, &copy, &err), TW_OK, "%s", err.text);
    w->r->store = copy;
    plant(w, number);
    w->r->store = whole;
    tw_store_close(copy);
    cr_assert_eq(tw_store_open(path, NULL, &copy, &err), TW_OK, "%s", err.text);
    const heard h = audit(copy, 64 * MIB);
    tw_store_close(copy);
    return is_said(&h, number);
}

Test(audit, what_is_planted_in_a_database_is_found)
{
    char path[64];
    char copy[96];
    size_t found = 0;
    folder_make(path);
    world w = world_make(store_on_disk(path));
    const heard whole = audit(w.r->store, 256);
    cr_assert_eq(whole.count, 0, "%s", whole.texts[0]);
    for (size_t i = 0; i < PLANTS; i++) {
        (void)snprintf(copy, sizeof copy, "%s-%zu", path, i);
        found += found_on_disk(&w, copy, i);
        folder_remove(copy);
    }
    printf("fsck: %zu of %d planted corruptions of a database found\n", found, (int)PLANTS);
    cr_assert_eq(found, PLANTS);
    world_free(&w);
    folder_remove(path);
}

/* ---- whatever is changed ---- */

typedef enum change {
    FLIP_VALUE,
    FLIP_KEY,
    DROP,
    CUT,
    LENGTHEN,
    EXCHANGE,
    OTHER_NODE, /* one that is whole in itself */
    CHANGES,
} change;

static size_t rows_of(world *w, tw_table table)
{
    tw_iter *iter = NULL;
    size_t count = 0;
    cr_assert_eq(tw_iter_open(w->r->store, table, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    for (; tw_iter_here(iter, NULL, NULL); count++) cr_assert_eq(tw_iter_next(iter), TW_OK);
    tw_iter_close(iter);
    return count;
}

/* Of META only the roots: the head is read before. */
static size_t any_row(world *w, tw_table table, uint64_t *seed)
{
    return table == TW_TABLE_META ? 1 + random_below(seed, BLOCKS + 1)
                                  : random_below(seed, rows_of(w, table));
}

static void flip_any(tw_bytes bytes, uint64_t *seed)
{
    uint8_t *at = (uint8_t *)(uintptr_t)bytes.data + random_below(seed, bytes.size);
    *at = (uint8_t)(*at ^ 1u << random_below(seed, 8));
}

/* One slot of a node is another. */
static void change_node(world *w, tw_bytes key, tw_bytes value, uint64_t *seed)
{
    tw_tree_node node;
    const uint64_t version = tw_load_u64(key.data);
    cr_assert(tw_tree_node_decode(value, version, &node));
    tw_tree_slot *slot = &node.slots[random_below(seed, TW_TREE_FANOUT)];
    const tw_bytes hash = tw_bytes_of(slot->hash.bytes, TW_HASH_SIZE);
    switch (slot->kind) {
    case TW_TREE_EMPTY:
        slot->kind = TW_TREE_LEAF;
        flip_any(hash, seed);
        break;
    case TW_TREE_LEAF:
        flip_any(random_below(seed, 2) == 0 ? hash
                                            : tw_bytes_of(slot->key_hash.bytes, TW_HASH_SIZE),
                 seed);
        break;
    case TW_TREE_INNER:
        if (random_below(seed, 2) == 0 && slot->version > 0) {
            slot->version--;
        } else {
            flip_any(hash, seed);
        }
        break;
    }
    put_node(w, key, &node);
}

/* Puts a change of one or two rows into the batch; false: it is one that may be. */
static bool change_rows(world *w, tw_table table, change what, uint64_t *seed)
{
    tw_bytes key, value, other_key, other;
    row_at(w, table, any_row(w, table, seed), &key, &value);
    row_at(w, table, any_row(w, table, seed), &other_key, &other);
    switch (what) {
    case FLIP_VALUE: flip_any(value, seed); break;
    case CUT: value.size -= 1 + random_below(seed, value.size); break;
    case LENGTHEN: value.size++; break; /* by the 0 that ends each copy */
    case EXCHANGE:
        if (tw_bytes_equal(value, other)) return false;
        tw_batch_put(w->batch, table, other_key, value);
        value = other;
        break;
    case OTHER_NODE: change_node(w, key, value, seed); return true;
    case FLIP_KEY:
    case DROP: {
        bool living = true;
        if (table == TW_TABLE_PRE) {
            cr_assert_eq(
                tw_store_get(w->r->store, TW_TABLE_STATE, value, w->r->arena, &other, &living),
                TW_OK);
        }
        tw_batch_delete(w->batch, table, key);
        if (what == DROP) return living; /* what only the past had may have lost its name */
        flip_any(key, seed);
        break;
    }
    case CHANGES: cr_assert(false);
    }
    tw_batch_put(w->batch, table, key, value);
    return true;
}

/* What the sums alone say. */
static bool is_whole(world *w, size_t memory_max)
{
    tw_audit_doubts doubts;
    tw_audit a = {.store = w->r->store, .memory_max = memory_max, .found = hear};
    cr_assert_eq(tw_head_read(w->r->store, w->r->arena, &a.head, NULL), TW_OK);
    cr_assert_eq(tw_audit_whole(&a, &doubts), TW_OK);
    return !doubts.any;
}

Test(audit, any_change_of_a_row_is_seen)
{
    static const tw_table tables[] = {TW_TABLE_META,  TW_TABLE_STATE, TW_TABLE_NODE,
                                      TW_TABLE_STALE, TW_TABLE_HIST,  TW_TABLE_PRE};
    tw_err err = {0};
    tw_store *store = store_in_memory();
    world w = world_make(store);
    size_t seen[CHANGES] = {0};
    cr_assert(is_whole(&w, 64 * MIB) && is_whole(&w, 256));
    for (uint64_t run = 1; run <= 700; run++) {
        uint64_t seed = run;
        const tw_mark mark = tw_arena_mark(w.r->arena);
        const change what = (change)random_below(&seed, CHANGES);
        const tw_table table = what == OTHER_NODE ? TW_TABLE_NODE : tables[random_below(&seed, 6)];
        tw_store_memory_mark(store);
        tw_batch_clear(w.batch);
        if (change_rows(&w, table, what, &seed)) {
            cr_assert_eq(tw_store_commit(store, w.batch, false, &err), TW_OK);
            cr_assert_not(is_whole(&w, run % 8 == 0 ? 4096 : 64 * MIB),
                          "seed %llu: table %d, change %d", (unsigned long long)run, (int)table,
                          (int)what);
            if (run % 20 == 0) cr_assert_gt(audit(store, 64 * MIB).count, 0, "%d", (int)run);
            seen[what]++;
        }
        tw_store_memory_back(store);
        tw_arena_reset(w.r->arena, mark);
    }
    for (size_t i = 0; i < CHANGES; i++) cr_assert_gt(seen[i], 50);
    cr_assert(is_whole(&w, 64 * MIB));
    world_free(&w);
}

Test(audit, nothing_at_all)
{
    tw_store *store = store_in_memory();
    const heard h = audit(store, 64 * MIB);
    cr_assert_gt(h.count, 0);
    cr_assert_neq(strstr(h.texts[0], "there is no head"), NULL);
    tw_store_close(store);
}
