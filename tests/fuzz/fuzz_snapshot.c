/* fuzz_snapshot -- any bytes as a snapshot, as it is and with header and root mended, as a forger
 * would who is trusted: what loads is written down as the same bytes again; what does not leaves no
 * ledger. */
#include "tests/fuzz/check.h"
#include "vm/ledger/snapshot.h"

#include <string.h>

enum {
    MEMORY_MAX = 64 * 1024 * 1024,
    ROOT_AT = TW_SNAPSHOT_HEAD_SIZE - 2 * TW_HASH_SIZE,
    PAIRS_MAX = 4096, /* of a first chunk that is mended */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct tape {
    const uint8_t *data;
    size_t size, at;
} tape;

static tw_status play(void *context, uint8_t *memory, size_t size, size_t *ret_size)
{
    tape *t = context;
    *ret_size = size < t->size - t->at ? size : t->size - t->at;
    if (*ret_size > 0) memcpy(memory, t->data + t->at, *ret_size);
    t->at += *ret_size;
    return TW_OK;
}

static tw_status compare(void *context, tw_bytes bytes)
{
    tape *t = context;
    check(bytes.size <= t->size - t->at && memcmp(t->data + t->at, bytes.data, bytes.size) == 0);
    t->at += bytes.size;
    return TW_OK;
}

/* The ledger that was made writes down what it was made from. It may not open: what the state says
 * is the forger's. */
static void look(tw_store *store, const uint8_t *data, size_t size)
{
    tw_ledger *ledger = NULL;
    tw_snapshot_info info;
    tw_err err;
    if (tw_ledger_open(store, NULL, &ledger, &err) != TW_OK) return;
    tape t = {data, size, 0};
    check(tw_snapshot_save(ledger, compare, &t, &info, &err) == TW_OK && t.at == size);
    tw_ledger_close(ledger);
}

static void load(const uint8_t *data, size_t size, const tw_hash *root)
{
    tw_store *store = NULL;
    tw_ledger *ledger = NULL;
    tw_snapshot_info info;
    tw_err err;
    tape t = {data, size, 0};
    check(tw_store_open_memory(MEMORY_MAX, &store) == TW_OK);
    const tw_status status = tw_snapshot_load(store, play, &t, root, NULL, &info, &err);
    check(status == TW_OK || status >= 100);
    if (status == TW_OK) {
        look(store, data, size);
    } else {
        check(tw_ledger_open(store, NULL, &ledger, &err) != TW_OK);
    }
    tw_store_close(store);
}

/* The root that the first chunk would give. */
static bool root_of(const uint8_t *data, size_t size, tw_hash *ret_root)
{
    static tw_leaf leaves[PAIRS_MAX];
    static tw_range range;
    tw_reader r = tw_reader_of(tw_bytes_of(data, size));
    (void)tw_read_raw(&r, TW_SNAPSHOT_HEAD_SIZE + 4 + 4);
    tw_range_decode(&r, &range);
    const uint32_t count = tw_read_u32(&r);
    for (uint32_t i = 0; !r.bad && i < count && i < PAIRS_MAX; i++) {
        const tw_bytes key = tw_read_short(&r, TW_STORE_KEY_MAX);
        const tw_bytes value = tw_read_long(&r, TW_STORE_VALUE_MAX);
        leaves[i].key_hash = tw_sha256(key.data, key.size);
        leaves[i].hash = tw_tree_leaf(&leaves[i].key_hash, value);
    }
    return !r.bad && count <= PAIRS_MAX && tw_range_root(&range, leaves, count, ret_root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_hash root = {{0}};
    if (size > MEMORY_MAX / 8) return 0;
    if (size >= TW_SNAPSHOT_HEAD_SIZE) memcpy(root.bytes, data + ROOT_AT, TW_HASH_SIZE);
    load(data, size, &root);
    if (size < TW_SNAPSHOT_HEAD_SIZE || !root_of(data, size, &root)) return 0;
    uint8_t *mended = tw_mem_new(size);
    check(mended != NULL);
    memcpy(mended, data, size);
    memcpy(mended + ROOT_AT, root.bytes, TW_HASH_SIZE);
    const tw_bytes head = tw_bytes_of(mended, TW_SNAPSHOT_HEAD_SIZE - TW_HASH_SIZE);
    const tw_hash hash = tw_hash_tagged("twvm/snapshot", &head, 1);
    memcpy(mended + head.size, hash.bytes, TW_HASH_SIZE);
    load(mended, size, &root);
    tw_mem_free(mended);
    return 0;
}
