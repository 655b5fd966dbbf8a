/* test_snapshot -- the state in a file: the same bytes from any node, a ledger made from it goes on
 * as the first one did, and no other bytes make one. */
#include "tests/unit/ledger_fixture.h"
#include "vm/ledger/audit.h"
#include "vm/ledger/snapshot.h"

enum { BLOCKS = 30, HOLDERS = 2000 };

/* ---- a ledger with a state of several chunks ---- */

static rig *rig_of_holders(void)
{
    static tw_genesis_holder holders[HOLDERS];
    for (uint32_t i = 0; i < HOLDERS; i++) {
        char name[16];
        tw_secret secret;
        (void)snprintf(name, sizeof name, "holder %u", i);
        tw_secret_from_seed(name, &secret);
        cr_assert(tw_secret_account(&secret, &holders[i].account));
        holders[i].amount = 1 + (int64_t)i;
    }
    const tw_genesis_asset asset = {"EUR", 2, holders, HOLDERS};
    const tw_genesis genesis = {
        .name = "test", .time = start_time, .assets = &asset, .asset_count = 1};
    return rig_on(store_in_memory(), rig_source, &genesis);
}

/* Makes block `h`. */
static void step(rig *r, uint64_t h)
{
    const int64_t time = start_time + (int64_t)h * MINUTE;
    if (h == 1) {
        deploy(r);
    } else if (h % 4 == 0) {
        (void)feed(r, time, h % 3 == 0 ? HIGH_UM : LOW_UM);
    } else if (h % 4 == 1) {
        (void)call(r, time, KEEPER_1, "open", text(""));
    } else {
        (void)call_int(r, time, "add", h % 8 < 4 ? 1 : -1);
    }
}

static tw_status keep(void *context, tw_bytes bytes)
{
    tw_write_raw(context, bytes.data, bytes.size);
    return TW_OK;
}

/* In the rig's arena. */
static tw_bytes save(rig *r, tw_ledger *ledger, tw_snapshot_info *ret_info)
{
    tw_writer w = tw_writer_new(64 * MIB);
    cr_assert_eq(tw_snapshot_save(ledger, keep, &w, ret_info, &r->err), TW_OK, "%s", r->err.text);
    cr_assert(!w.bad);
    cr_assert_eq(ret_info->size, w.size);
    const tw_bytes file = tw_bytes_of(tw_arena_copy(r->arena, w.data, w.size), w.size);
    cr_assert_not_null(file.data);
    tw_writer_free(&w);
    return file;
}

static tw_bytes save_at(rig *r, uint64_t height)
{
    tw_ledger *past = NULL;
    tw_snapshot_info info;
    cr_assert_eq(tw_ledger_open_past(r->ledger, height, &past, &r->err), TW_OK, "%s", r->err.text);
    const tw_bytes file = save(r, past, &info);
    cr_assert_eq(info.block.height, height);
    tw_ledger_close(past);
    return file;
}

/* A file in memory. */
typedef struct tape {
    tw_bytes bytes;
    size_t at;
} tape;

static tw_status play(void *context, uint8_t *memory, size_t size, size_t *ret_size)
{
    tape *t = context;
    const size_t left = t->bytes.size - t->at;
    *ret_size = size < left ? size : left;
    memcpy(memory, t->bytes.data + t->at, *ret_size);
    t->at += *ret_size;
    return TW_OK;
}

static tw_status load(tw_store *store, tw_bytes file, const tw_hash *root, const tw_hash *block,
                      tw_err *err)
{
    tape t = {file, 0};
    tw_snapshot_info info;
    err->text[0] = '\0';
    const tw_status status = tw_snapshot_load(store, play, &t, root, block, &info, err);
    if (status == TW_OK) cr_assert_eq(info.size, file.size);
    return status;
}

static bool has_ledger(tw_store *store)
{
    tw_ledger *ledger = NULL;
    tw_err ignored;
    const tw_status status = tw_ledger_open(store, NULL, &ledger, &ignored);
    tw_ledger_close(ledger);
    return status == TW_OK;
}

static void hear(void *context, const char *sentence)
{
    (void)context;
    cr_assert(false, "%s", sentence);
}

static void check_whole(tw_store *store)
{
    tw_err err = {0};
    tw_audit a = {.store = store, .memory_max = 64 * MIB, .found = hear};
    cr_assert_eq(tw_audit_ledger(&a, &err), TW_OK);
}

static tw_ledger *open_ledger(tw_store *store)
{
    const tw_ledger_options options = {.no_sync = true};
    tw_ledger *ledger = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_ledger_open(store, &options, &ledger, &err), TW_OK, "%s", err.text);
    return ledger;
}

/* ---- the way there and on ---- */

/* A ledger from the state after each of some blocks takes the blocks after it, with the same roots
 * and receipts, and its own snapshots are the same bytes. */
Test(snapshot, a_ledger_goes_on_from_any_block)
{
    tw_block blocks[BLOCKS + 1];
    tw_bytes files[BLOCKS + 1];
    tw_snapshot_info info;
    rig *r = rig_of_holders();
    files[0] = save(r, r->ledger, &info);
    cr_assert_gt(info.chunks, 2);
    cr_assert_gt(info.keys, HOLDERS);
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        step(r, h);
        blocks[h] = newest(r);
        files[h] = save(r, r->ledger, &info);
    }
    for (uint64_t h = 0; h <= BLOCKS; h += 6) {
        tw_store *store = store_in_memory();
        const tw_bytes past = save_at(r, h);
        cr_assert(tw_bytes_equal(past, files[h]), "height %llu", (unsigned long long)h);
        const tw_hash block = h > 0 ? blocks[h].info.hash : blocks[1].info.parent;
        cr_assert_eq(load(store, files[h], NULL, &block, &r->err), TW_OK, "%s", r->err.text);
        check_whole(store);
        tw_ledger *copy = open_ledger(store);
        cr_assert_eq(tw_ledger_base(copy), h);
        cr_assert(tw_hash_equal(&tw_ledger_head(copy)->hash, &block));
        cr_assert(tw_hash_equal(tw_ledger_chain(copy), tw_ledger_chain(r->ledger)));
        cr_assert(tw_bytes_equal(save(r, copy, &info), files[h]));
        for (uint64_t k = h + 1; k <= BLOCKS; k++) {
            cr_assert_eq(tw_ledger_replay_block(copy, &blocks[k], &r->err), TW_OK, "%s",
                         r->err.text);
        }
        cr_assert(tw_hash_equal(&tw_ledger_head(copy)->hash, &tw_ledger_head(r->ledger)->hash));
        cr_assert(tw_bytes_equal(save(r, copy, &info), files[BLOCKS]));
        tw_ledger_close(copy);
        check_whole(store);
        tw_store_close(store);
    }
    rig_free(r);
}

/* What a node let go of or took off does not show in its snapshots. */
Test(snapshot, the_same_bytes_after_prune_and_rollback)
{
    tw_snapshot_info info;
    uint64_t count = 0;
    rig *r = rig_of_holders();
    for (uint64_t h = 1; h <= BLOCKS; h++) step(r, h);
    const tw_bytes file = save_at(r, BLOCKS - 2);
    cr_assert_eq(tw_ledger_prune(r->ledger, 4, BLOCKS, &count, &r->err), TW_OK);
    cr_assert_gt(count, 20);
    cr_assert(tw_bytes_equal(save_at(r, BLOCKS - 2), file));
    cr_assert_eq(tw_ledger_rollback(r->ledger, &r->err), TW_OK);
    cr_assert_eq(tw_ledger_rollback(r->ledger, &r->err), TW_OK);
    cr_assert(tw_bytes_equal(save(r, r->ledger, &info), file));
    rig_free(r);
}

/* The rest of a ledger that began with a snapshot: what it says of the time before. */
Test(snapshot, what_was_before_is_refused_by_name)
{
    enum { BASE = 12 };
    tw_block blocks[BLOCKS + 1];
    tw_block block;
    uint64_t height = 0;
    tw_ledger *past = NULL;
    rig *r = rig_of_holders();
    for (uint64_t h = 1; h <= BLOCKS; h++) {
        step(r, h);
        blocks[h] = newest(r);
    }
    tw_store *store = store_in_memory();
    cr_assert_eq(load(store, save_at(r, BASE), NULL, &blocks[BASE].info.hash, &r->err), TW_OK);
    tw_ledger *copy = open_ledger(store);
    cr_assert_eq(tw_ledger_rollback(copy, &r->err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(r->err.text, "block 12 is the one of the snapshot"), "%s",
                       r->err.text);
    for (uint64_t h = BASE + 1; h <= BLOCKS; h++) {
        cr_assert_eq(tw_ledger_replay_block(copy, &blocks[h], &r->err), TW_OK);
    }
    for (uint64_t h = 0; h <= BASE; h++) {
        cr_assert_eq(tw_ledger_block(copy, h, r->arena, &block, &r->err), TW_REFUSED_NOT_FOUND);
        cr_assert_not_null(strstr(r->err.text, "snapshot of block 12"), "%s", r->err.text);
    }
    cr_assert_eq(tw_ledger_block(copy, BASE + 1, r->arena, &block, &r->err), TW_OK);
    cr_assert_eq(tw_ledger_open_past(copy, BASE - 1, &past, &r->err), TW_REFUSED_NOT_FOUND);
    cr_assert_not_null(strstr(r->err.text, "snapshot of block 12"), "%s", r->err.text);
    cr_assert_eq(tw_ledger_height_at(copy, blocks[BASE].info.time - 1, &height, &r->err),
                 TW_REFUSED_NOT_FOUND);
    cr_assert_not_null(strstr(r->err.text, "snapshot of block 12"), "%s", r->err.text);
    cr_assert_eq(tw_ledger_height_at(copy, blocks[BASE + 3].info.time, &height, &r->err), TW_OK);
    cr_assert_eq(height, BASE + 3);
    for (uint64_t h = BASE; h <= BLOCKS; h++) {
        cr_assert_eq(tw_ledger_open_past(copy, h, &past, &r->err), TW_OK, "%s", r->err.text);
        cr_assert(tw_hash_equal(&tw_ledger_head(past)->state_root, &blocks[h].info.state_root));
        cr_assert_eq(tw_ledger_base(past), BASE);
        tw_ledger_close(past);
    }
    for (uint64_t h = BLOCKS; h > BASE; h--) {
        cr_assert_eq(tw_ledger_rollback(copy, &r->err), TW_OK, "%s", r->err.text);
    }
    cr_assert_eq(tw_ledger_rollback(copy, &r->err), TW_REFUSED_ARGUMENT);
    tw_ledger_close(copy);
    check_whole(store);
    tw_store_close(store);
    rig_free(r);
}

/* ---- hostile files ---- */

typedef struct trial {
    rig *r;
    tw_bytes file;
    tw_hash root, block;
    tw_snapshot_info info;
    size_t starts[64]; /* of the chunks, and the end */
} trial;

static trial trial_make(void)
{
    trial t = {.r = rig_of_holders()};
    for (uint64_t h = 1; h <= 5; h++) step(t.r, h);
    t.file = save(t.r, t.r->ledger, &t.info);
    t.root = t.info.block.state_root;
    t.block = t.info.block.hash;
    size_t at = TW_SNAPSHOT_HEAD_SIZE;
    for (uint64_t i = 0; i <= t.info.chunks; i++) {
        t.starts[i] = at;
        if (i < t.info.chunks) at += 4 + tw_load_u32(t.file.data + at);
    }
    cr_assert_eq(at, t.file.size);
    return t;
}

/* Bytes that are not the file make no ledger, and the refusal says something. */
static void refuse(trial *t, tw_bytes file, bool by_block, const char *what)
{
    tw_store *store = store_in_memory();
    const tw_status status =
        load(store, file, by_block ? NULL : &t->root, by_block ? &t->block : NULL, &t->r->err);
    cr_assert(status >= 100, "%s: %s", what, tw_status_name(status));
    cr_assert_gt(strlen(t->r->err.text), 20, "%s", what);
    cr_assert_not(has_ledger(store), "%s", what);
    tw_store_close(store);
}

/* One byte in so many of the pairs, all of the others. */
Test(snapshot, no_byte_may_be_another)
{
    trial t = trial_make();
    uint8_t *bytes = (uint8_t *)(uintptr_t)t.file.data;
    uint64_t seed = 11;
    uint64_t tried = 0;
    for (size_t at = 0; at < t.file.size; at++) {
        bool near = at < TW_SNAPSHOT_HEAD_SIZE;
        for (uint64_t i = 0; i < t.info.chunks; i++) {
            near = near || (at >= t.starts[i] && at < t.starts[i] + 300);
        }
        if (!near && random_below(&seed, 900) != 0) continue;
        const uint8_t change = (uint8_t)(1 + random_below(&seed, 255));
        bytes[at] ^= change;
        char what[64];
        (void)snprintf(what, sizeof what, "byte %zu ^ %u", at, change);
        refuse(&t, t.file, at % 2 == 0, what);
        bytes[at] ^= change;
        tried++;
    }
    cr_assert_gt(tried, 1000);
    tw_store *store = store_in_memory();
    cr_assert_eq(load(store, t.file, &t.root, &t.block, &t.r->err), TW_OK); /* it was the bytes */
    tw_store_close(store);
    rig_free(t.r);
}

Test(snapshot, no_end_may_be_missing_and_none_added)
{
    trial t = trial_make();
    uint64_t seed = 12;
    for (size_t size = 0; size < t.file.size;
         size += size < 400 ? 1 : 1 + random_below(&seed, 600)) {
        refuse(&t, tw_bytes_of(t.file.data, size), true, "cut");
    }
    for (uint64_t i = 0; i < t.info.chunks; i++) {
        for (size_t size = t.starts[i] - 3; size < t.starts[i] + 8; size++) {
            refuse(&t, tw_bytes_of(t.file.data, size), true, "cut at a chunk");
        }
    }
    uint8_t *longer = tw_arena_get(t.r->arena, 2 * t.file.size);
    memcpy(longer, t.file.data, t.file.size);
    refuse(&t, tw_bytes_of(longer, t.file.size + 1), true, "a byte more");
    refuse(&t, tw_bytes_of(longer, t.file.size + 4), true, "a size more");
    memcpy(longer + t.file.size, t.file.data, t.file.size);
    refuse(&t, tw_bytes_of(longer, 2 * t.file.size), true, "twice");
    const size_t last = t.file.size - t.starts[t.info.chunks - 1];
    memcpy(longer + t.file.size, t.file.data + t.starts[t.info.chunks - 1], last);
    refuse(&t, tw_bytes_of(longer, t.file.size + last), true, "the last chunk twice");
    rig_free(t.r);
}

/* Chunks that are good in themselves, in another order or with one missing. */
Test(snapshot, chunks_come_once_and_in_order)
{
    trial t = trial_make();
    tw_snapshot *s = NULL;
    tw_store *store = store_in_memory();
    const tw_bytes head = tw_bytes_of(t.file.data, TW_SNAPSHOT_HEAD_SIZE);
    tw_bytes chunks[64];
    for (uint64_t i = 0; i < t.info.chunks; i++) {
        chunks[i] = tw_bytes_of(t.file.data + t.starts[i] + 4, t.starts[i + 1] - t.starts[i] - 4);
    }
    cr_assert_eq(tw_snapshot_begin(store, head, &t.root, NULL, &s, &t.r->err), TW_OK);
    cr_assert_eq(tw_snapshot_end(s, &t.r->err), TW_REFUSED_ENCODING);
    for (uint64_t i = 0; i < t.info.chunks; i++) {
        for (uint64_t k = 0; k < t.info.chunks; k++) {
            if (k == i) continue;
            cr_assert_eq(tw_snapshot_add(s, chunks[k], &t.r->err), TW_REFUSED_ENCODING);
        }
        cr_assert_eq(tw_snapshot_end(s, &t.r->err), TW_REFUSED_ENCODING);
        cr_assert_not(has_ledger(store));
        cr_assert_eq(tw_snapshot_add(s, chunks[i], &t.r->err), TW_OK, "%s", t.r->err.text);
        cr_assert_eq(tw_snapshot_told(s)->chunks, i + 1);
        const tw_genesis other = {.name = "other", .time = start_time};
        cr_assert_eq(tw_ledger_create(store, &other, &t.r->err), TW_REFUSED_ARGUMENT,
                     "there are rows of another one");
    }
    cr_assert_eq(tw_snapshot_add(s, chunks[0], &t.r->err), TW_REFUSED_ENCODING);
    cr_assert_eq(tw_snapshot_end(s, &t.r->err), TW_OK, "%s", t.r->err.text);
    tw_snapshot_free(s);
    cr_assert(has_ledger(store));
    cr_assert_eq(tw_snapshot_begin(store, head, &t.root, NULL, &s, &t.r->err), TW_REFUSED_ARGUMENT);
    tw_store_close(store);
    rig_free(t.r);
}

/* A chunk left out, and the numbers of the others mended: where the one before it is full enough to
 * stand before the one after it, each is good by itself; all together they are not. */
Test(snapshot, a_part_left_out_with_numbers_mended)
{
    trial t = trial_make();
    uint64_t to_the_end = 0;
    uint8_t *bytes = tw_arena_get(t.r->arena, t.file.size);
    for (uint64_t out = 1; out + 1 < t.info.chunks; out++) {
        const size_t gap = t.starts[out + 1] - t.starts[out];
        memcpy(bytes, t.file.data, t.starts[out]);
        memcpy(bytes + t.starts[out], t.file.data + t.starts[out + 1],
               t.file.size - t.starts[out + 1]);
        for (uint64_t i = out + 1; i < t.info.chunks; i++) {
            tw_store_u32(bytes + t.starts[i] - gap + 4, (uint32_t)i - 1);
        }
        refuse(&t, tw_bytes_of(bytes, t.file.size - gap), true, "mended");
        to_the_end += strstr(t.r->err.text, "leaves out a part") != NULL;
    }
    cr_assert_gt(to_the_end, 0);
    rig_free(t.r);
}

Test(snapshot, the_wrong_block_or_root)
{
    trial t = trial_make();
    tw_store *store = store_in_memory();
    tw_hash other = t.root;
    other.bytes[31] ^= 1;
    cr_assert_eq(load(store, t.file, &other, NULL, &t.r->err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(t.r->err.text, "with the root"), "%s", t.r->err.text);
    cr_assert_eq(load(store, t.file, &t.root, &other, &t.r->err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(t.r->err.text, "with the hash"), "%s", t.r->err.text);
    cr_assert_eq(load(store, t.file, &t.root, &t.block, &t.r->err), TW_OK);
    cr_assert_eq(load(store, t.file, &t.root, &t.block, &t.r->err), TW_REFUSED_ARGUMENT);
    tw_store_close(store);
    rig_free(t.r);
}

/* With a root alone height and time are what the file says, as long as blocks can follow. */
Test(snapshot, a_header_that_is_the_makers_word)
{
    static const struct {
        uint64_t height;
        int64_t time;
        bool good;
    } cases[] = {{77, start_time, true},          {77, -1, false},
                 {77, (int64_t)1 << 52, false},   {77, ((int64_t)1 << 52) - 1, true},
                 {UINT64_MAX, start_time, false}, {(uint64_t)1 << 62, start_time, false}};
    trial t = trial_make();
    uint8_t *bytes = (uint8_t *)(uintptr_t)t.file.data;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tw_store *store = store_in_memory();
        tw_store_u64(bytes + 6, cases[i].height);
        tw_store_u64(bytes + 14, (uint64_t)cases[i].time);
        const tw_bytes head = tw_bytes_of(bytes, TW_SNAPSHOT_HEAD_SIZE - TW_HASH_SIZE);
        const tw_hash hash = tw_hash_tagged("twvm/snapshot", &head, 1);
        memcpy(bytes + head.size, hash.bytes, TW_HASH_SIZE);
        cr_assert_eq(load(store, t.file, &t.root, NULL, &t.r->err),
                     cases[i].good ? TW_OK : TW_REFUSED_ENCODING, "case %zu", i);
        cr_assert_eq(has_ledger(store), cases[i].good);
        if (cases[i].good) check_whole(store);
        tw_store_close(store);
        refuse(&t, t.file, true, "another block");
    }
    rig_free(t.r);
}

/* ---- what is not whole is not written down ---- */

Test(snapshot, a_damaged_ledger_makes_none)
{
    static const tw_table tables[] = {TW_TABLE_STATE, TW_TABLE_PRE};
    for (size_t i = 0; i < 2; i++) {
        for (size_t number = 1; number < 2000; number += 333) {
            tw_snapshot_info info;
            rig *r = rig_of_holders();
            tw_iter *iter = NULL;
            tw_bytes key, value;
            tw_batch *batch = tw_batch_new(MIB);
            cr_assert_eq(tw_iter_open(r->store, tables[i], text(""), &iter), TW_OK);
            cr_assert_eq(tw_iter_first(iter), TW_OK);
            for (size_t k = 0; k < number; k++) cr_assert_eq(tw_iter_next(iter), TW_OK);
            cr_assert(tw_iter_here(iter, &key, &value));
            if (number % 2 == 0) {
                tw_batch_delete(batch, tables[i], key);
            } else {
                tw_batch_put(batch, tables[i], key, text("another"));
            }
            tw_iter_close(iter);
            cr_assert_eq(tw_store_commit(r->store, batch, false, &r->err), TW_OK);
            tw_writer w = tw_writer_new(64 * MIB);
            cr_assert_eq(tw_snapshot_save(r->ledger, keep, &w, &info, &r->err), TW_ERR_CORRUPT);
            cr_assert_not_null(strstr(r->err.text, "twvm fsck"), "%s", r->err.text);
            tw_writer_free(&w);
            tw_batch_free(batch);
            rig_free(r);
        }
    }
}

static tw_status full(void *context, tw_bytes bytes)
{
    size_t *left = context;
    if (bytes.size > *left) return TW_ERR_IO;
    *left -= bytes.size;
    return TW_OK;
}

Test(snapshot, a_sink_that_fails_ends_it)
{
    rig *r = rig_of_holders();
    tw_snapshot_info info;
    for (size_t room = 0; room < 100000; room += 9999) {
        size_t left = room;
        cr_assert_eq(tw_snapshot_save(r->ledger, full, &left, &info, &r->err), TW_ERR_IO);
    }
    rig_free(r);
}
