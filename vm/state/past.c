/* past -- see the header. */
#include "vm/state/past.h"

#include "vm/base/hash.h"
#include "vm/state/store_back.h"

#include <assert.h>
#include <string.h>

enum {
    ABSENT = 0,
    PRESENT = 1,
    STALE_KEYS = 1, /* kind of the STALE record */
    ROW_MAX = 2 * TW_STORE_KEY_MAX + 2 + 8,
    LOOK_MEMORY_MAX = 2 * TW_STORE_VALUE_MAX,
};

static_assert((int)ROW_MAX <= (int)TW_STORE_ROW_MAX, "the store takes the longest record");

/* The key of a HIST record, or, without a height, the beginning of all records of the key. */
typedef struct row {
    uint8_t bytes[ROW_MAX];
    size_t size;
} row;

static void escape(row *r, tw_bytes key)
{
    r->size = 0;
    for (size_t i = 0; i < key.size; i++) {
        r->bytes[r->size++] = key.data[i];
        if (key.data[i] == 0) r->bytes[r->size++] = 0xff;
    }
}

static row row_of(tw_bytes key, uint64_t height)
{
    row r;
    escape(&r, key);
    r.bytes[r.size++] = 0;
    r.bytes[r.size++] = 0;
    tw_store_u64(r.bytes + r.size, height);
    r.size += 8;
    return r;
}

static tw_bytes row_bytes(const row *r)
{
    return tw_bytes_of(r->bytes, r->size);
}

/* The key of a record, unescaped into `memory` of TW_STORE_KEY_MAX bytes; false when it is none. */
static bool key_of_row(tw_bytes bytes, uint8_t *memory, tw_bytes *ret_key)
{
    size_t size = 0;
    size_t at = 0;
    while (at < bytes.size && size < TW_STORE_KEY_MAX) {
        const uint8_t byte = bytes.data[at++];
        if (byte == 0) {
            const uint8_t next = at < bytes.size ? bytes.data[at++] : 1;
            if (next == 0) {
                *ret_key = tw_bytes_of(memory, size);
                return bytes.size - at == 8;
            }
            if (next != 0xff) return false;
        }
        memory[size++] = byte;
    }
    return false;
}

static void stale_key(uint64_t height, uint8_t ret_key[9])
{
    tw_store_u64(ret_key, height);
    ret_key[8] = STALE_KEYS;
}

/* ---- writing ---- */

static void note(const tw_change *change, uint64_t height, tw_writer *value, tw_batch *batch)
{
    const bool was = change->before.data != NULL;
    if (height > 0) {
        const row r = row_of(change->key, height - 1);
        tw_writer_clear(value);
        tw_write_u8(value, was ? PRESENT : ABSENT);
        if (was) tw_write_raw(value, change->before.data, change->before.size);
        tw_batch_put(batch, TW_TABLE_HIST, row_bytes(&r), tw_writer_bytes(value));
    }
    if (was) return;
    const tw_hash hash = tw_sha256(change->key.data, change->key.size);
    tw_batch_put(batch, TW_TABLE_PRE, tw_bytes_of(hash.bytes, TW_HASH_SIZE), change->key);
}

tw_status tw_past_note(const tw_change *changes, size_t count, uint64_t height, tw_batch *batch)
{
    if (count == 0) return TW_OK;
    tw_writer value = tw_writer_new(TW_STORE_VALUE_MAX + 1);
    tw_writer keys = tw_writer_new(SIZE_MAX / 2);
    bool bad = false; /* a writer forgets it when it is cleared */
    for (size_t i = 0; i < count; i++) {
        note(&changes[i], height, &value, batch);
        bad = bad || value.bad;
        tw_write_short(&keys, changes[i].key);
    }
    if (height > 0) {
        uint8_t key[9];
        stale_key(height, key);
        tw_batch_put(batch, TW_TABLE_STALE, tw_bytes_of(key, sizeof key), tw_writer_bytes(&keys));
    }
    bad = bad || keys.bad;
    tw_writer_free(&value);
    tw_writer_free(&keys);
    return bad ? TW_ERR_MEMORY : TW_OK;
}

/* ---- reading ---- */

/* The first record of the key from `height` on. *ret_found false: there is none. */
static tw_status first_record(tw_iter *hist, tw_bytes key, uint64_t height, tw_bytes *ret_value,
                              bool *ret_found)
{
    const row from = row_of(key, height);
    tw_bytes at = {NULL, 0};
    TW_TRY(tw_iter_seek(hist, row_bytes(&from)));
    *ret_found = tw_iter_here(hist, &at, ret_value) && at.size == from.size &&
                 memcmp(at.data, from.bytes, from.size - 8) == 0;
    return TW_OK;
}

/* What a record says: found or not. */
static tw_status open_record(tw_bytes record, tw_bytes *ret_value, bool *ret_found)
{
    if (record.size == 0 || record.data[0] > PRESENT) return TW_ERR_CORRUPT;
    *ret_found = record.data[0] == PRESENT;
    *ret_value = *ret_found ? tw_bytes_of(record.data + 1, record.size - 1) : tw_bytes_of(NULL, 0);
    return TW_OK;
}

tw_status tw_past_record(tw_iter *hist, tw_bytes key, uint64_t from, uint64_t *ret_height,
                         bool *ret_found)
{
    tw_bytes value = {NULL, 0};
    tw_bytes at = {NULL, 0};
    *ret_found = false;
    if (key.size == 0 || key.size > TW_STORE_KEY_MAX) return TW_OK; /* a damaged name */
    TW_TRY(first_record(hist, key, from, &value, ret_found));
    if (*ret_found && tw_iter_here(hist, &at, NULL)) {
        *ret_height = tw_load_u64(at.data + at.size - 8);
    }
    return TW_OK;
}

bool tw_past_read(tw_bytes row_key, tw_bytes record, uint8_t *memory, tw_bytes *ret_key,
                  uint64_t *ret_height, tw_bytes *ret_value)
{
    bool found = false;
    if (!key_of_row(row_key, memory, ret_key)) return false;
    *ret_height = tw_load_u64(row_key.data + row_key.size - 8);
    return open_record(record, ret_value, &found) == TW_OK && found == (ret_value->size > 0) &&
           (found || record.size == 1);
}

static tw_status copy_into(tw_arena *arena, tw_bytes *value)
{
    const char *copy = tw_arena_copy(arena, value->data, value->size);
    if (copy == NULL) return TW_ERR_MEMORY;
    *value = tw_bytes_of(copy, value->size);
    return TW_OK;
}

static tw_status get_with(tw_iter *hist, tw_store *store, tw_bytes key, uint64_t height,
                          tw_arena *arena, tw_bytes *ret_value, bool *ret_found)
{
    tw_bytes record = {NULL, 0};
    bool found = false;
    TW_TRY(first_record(hist, key, height, &record, &found));
    if (!found) return tw_store_get(store, TW_TABLE_STATE, key, arena, ret_value, ret_found);
    TW_TRY(open_record(record, ret_value, ret_found));
    return *ret_found ? copy_into(arena, ret_value) : TW_OK;
}

tw_status tw_past_get(tw_store *store, tw_bytes key, uint64_t height, tw_arena *arena,
                      tw_bytes *ret_value, bool *ret_found)
{
    tw_iter *hist = NULL;
    TW_TRY(tw_iter_open(store, TW_TABLE_HIST, tw_bytes_of(NULL, 0), &hist));
    const tw_status status = get_with(hist, store, key, height, arena, ret_value, ret_found);
    tw_iter_close(hist);
    return status;
}

tw_status tw_past_key(tw_store *store, const uint8_t hash[32], tw_arena *arena, tw_bytes *ret_key,
                      bool *ret_found)
{
    return tw_store_get(store, TW_TABLE_PRE, tw_bytes_of(hash, TW_HASH_SIZE), arena, ret_key,
                        ret_found);
}

/* ---- the keys that a block changed ---- */

typedef tw_status (*visit)(tw_store *store, tw_iter *hist, tw_bytes key, uint64_t height,
                           tw_arena *arena, tw_batch *batch);

static tw_status each_key(tw_store *store, uint64_t height, tw_arena *arena, tw_batch *batch,
                          visit action)
{
    uint8_t key[9];
    tw_bytes keys = {NULL, 0};
    bool found = false;
    tw_iter *hist = NULL;
    stale_key(height, key);
    TW_TRY(tw_store_get(store, TW_TABLE_STALE, tw_bytes_of(key, sizeof key), arena, &keys, &found));
    if (!found) return TW_OK;
    TW_TRY(tw_iter_open(store, TW_TABLE_HIST, tw_bytes_of(NULL, 0), &hist));
    tw_reader r = tw_reader_of(keys);
    tw_status status = TW_OK;
    while (status == TW_OK && tw_reader_left(&r) > 0) {
        const tw_bytes one = tw_read_short(&r, TW_STORE_KEY_MAX);
        status = r.bad || one.size == 0 ? TW_ERR_CORRUPT
                                        : action(store, hist, one, height, arena, batch);
    }
    tw_iter_close(hist);
    tw_batch_delete(batch, TW_TABLE_STALE, tw_bytes_of(key, sizeof key));
    return status;
}

/* The record of the key goes; and its name, if the key is not there now and has no later record. */
static tw_status prune_key(tw_store *store, tw_iter *hist, tw_bytes key, uint64_t height,
                           tw_arena *arena, tw_batch *batch)
{
    const row r = row_of(key, height - 1);
    tw_bytes value = {NULL, 0};
    bool found = false;
    tw_batch_delete(batch, TW_TABLE_HIST, row_bytes(&r));
    TW_TRY(first_record(hist, key, height, &value, &found));
    if (found) return TW_OK;
    const tw_mark mark = tw_arena_mark(arena);
    TW_TRY(tw_store_get(store, TW_TABLE_STATE, key, arena, &value, &found));
    tw_arena_reset(arena, mark);
    if (found) return TW_OK;
    const tw_hash hash = tw_sha256(key.data, key.size);
    tw_batch_delete(batch, TW_TABLE_PRE, tw_bytes_of(hash.bytes, TW_HASH_SIZE));
    return TW_OK;
}

tw_status tw_past_prune(tw_store *store, uint64_t height, tw_arena *arena, tw_batch *batch)
{
    return each_key(store, height, arena, batch, prune_key);
}

static tw_status undo_key(tw_store *store, tw_iter *hist, tw_bytes key, uint64_t height,
                          tw_arena *arena, tw_batch *batch)
{
    (void)store;
    (void)arena;
    const row r = row_of(key, height - 1);
    tw_bytes oldest = {NULL, 0};
    tw_bytes record = {NULL, 0};
    tw_bytes value = {NULL, 0};
    bool found = false;
    TW_TRY(first_record(hist, key, 0, &record, &found));
    const bool first =
        found && tw_iter_here(hist, &oldest, NULL) && tw_bytes_equal(oldest, row_bytes(&r));
    TW_TRY(first_record(hist, key, height - 1, &record, &found));
    if (!found) return TW_ERR_CORRUPT;
    TW_TRY(open_record(record, &value, &found));
    tw_batch_delete(batch, TW_TABLE_HIST, row_bytes(&r));
    if (found) {
        tw_batch_put(batch, TW_TABLE_STATE, key, value);
        return TW_OK;
    }
    tw_batch_delete(batch, TW_TABLE_STATE, key);
    if (!first) return TW_OK;
    const tw_hash hash = tw_sha256(key.data, key.size);
    tw_batch_delete(batch, TW_TABLE_PRE, tw_bytes_of(hash.bytes, TW_HASH_SIZE));
    return TW_OK;
}

tw_status tw_past_undo(tw_store *store, uint64_t height, tw_arena *arena, tw_batch *batch)
{
    return each_key(store, height, arena, batch, undo_key);
}

/* ---- the store of one height ---- */

typedef struct past_store {
    tw_store base;
    tw_store *present;
    uint64_t height;
    tw_iter *hist; /* for get */
} past_store;

/* Goes over the keys that are now or were once, in order, and stands on those that were there. */
typedef struct past_iter {
    tw_iter base;
    tw_iter *state;
    tw_iter *names; /* over HIST: which keys it knows */
    tw_iter *look;  /* over HIST: values */
    tw_arena *arena;
    uint8_t key[TW_STORE_KEY_MAX];
} past_iter;

static past_store *of_store(tw_store *store)
{
    return (past_store *)(void *)store;
}

static past_iter *of_iter(tw_iter *iter)
{
    return (past_iter *)(void *)iter;
}

static tw_status past_get(tw_store *base, tw_table table, tw_bytes key, tw_arena *arena,
                          tw_bytes *ret_value, bool *ret_found)
{
    const past_store *s = of_store(base);
    if (table != TW_TABLE_STATE) {
        return tw_store_get(s->present, table, key, arena, ret_value, ret_found);
    }
    return get_with(s->hist, s->present, key, s->height, arena, ret_value, ret_found);
}

static tw_status past_commit(tw_store *base, const tw_batch *batch, bool sync, tw_err *err)
{
    (void)base;
    (void)batch;
    (void)sync;
    return tw_err_set(err, TW_ERR_INTERNAL, "the past can't be written to");
}

static void past_close(tw_store *base)
{
    tw_iter_close(of_store(base)->hist);
    tw_mem_free(base);
}

static void past_iter_close(tw_iter *base)
{
    past_iter *i = of_iter(base);
    tw_iter_close(i->state);
    tw_iter_close(i->names);
    tw_iter_close(i->look);
    tw_arena_free(i->arena);
}

static tw_status past_iter_open(tw_iter *base)
{
    past_iter *i = of_iter(base);
    tw_store *present = of_store(base->store)->present;
    const tw_bytes all = {NULL, 0};
    i->arena = tw_arena_new(LOOK_MEMORY_MAX);
    tw_status status = i->arena != NULL ? TW_OK : TW_ERR_MEMORY;
    if (status == TW_OK) status = tw_iter_open(present, base->table, all, &i->state);
    if (status == TW_OK) status = tw_iter_open(present, TW_TABLE_HIST, all, &i->names);
    if (status == TW_OK) status = tw_iter_open(present, TW_TABLE_HIST, all, &i->look);
    if (status != TW_OK) past_iter_close(base);
    return status;
}

/* The smaller of the keys on which the two iterators stand, into i->key. */
static tw_status smaller_key(past_iter *i, tw_bytes *ret_key, bool *ret_found)
{
    uint8_t memory[TW_STORE_KEY_MAX];
    tw_bytes row_at = {NULL, 0};
    tw_bytes known = {NULL, 0};
    tw_bytes now = {NULL, 0};
    const bool has_now = tw_iter_here(i->state, &now, NULL);
    const bool has_known = tw_iter_here(i->names, &row_at, NULL);
    *ret_found = has_now || has_known;
    if (!*ret_found) return TW_OK;
    if (has_known && !key_of_row(row_at, memory, &known)) return TW_ERR_CORRUPT;
    const bool take_now = has_now && (!has_known || tw_bytes_compare(now, known) <= 0);
    const tw_bytes key = take_now ? now : known;
    memcpy(i->key, key.data, key.size);
    *ret_key = tw_bytes_of(i->key, key.size);
    return TW_OK;
}

/* Both iterators to the first key >= from. */
static tw_status seek_both(past_iter *i, tw_bytes from)
{
    row r;
    escape(&r, from);
    TW_TRY(tw_iter_seek(i->state, from));
    return tw_iter_seek(i->names, row_bytes(&r));
}

/* Another table is that of the present. */
static tw_status pass_through(tw_iter *base, tw_iter_move move, tw_bytes key)
{
    tw_iter *present = of_iter(base)->state;
    TW_TRY(move == TW_ITER_SEEK ? tw_iter_seek(present, key) : tw_iter_next(present));
    base->here = tw_iter_here(present, &base->key, &base->value);
    return TW_OK;
}

static tw_status past_iter_move(tw_iter *base, tw_iter_move move, tw_bytes key)
{
    past_iter *i = of_iter(base);
    const past_store *s = of_store(base->store);
    uint8_t after[TW_STORE_KEY_MAX + 1];
    if (move != TW_ITER_SEEK && move != TW_ITER_NEXT) return TW_ERR_INTERNAL;
    if (base->table != TW_TABLE_STATE) return pass_through(base, move, key);
    tw_bytes from = move == TW_ITER_SEEK ? key : tw_key_after(base->key, after);
    for (;;) {
        bool found = false;
        base->here = false;
        TW_TRY(seek_both(i, from));
        TW_TRY(smaller_key(i, &base->key, &found));
        if (!found) return TW_OK;
        tw_arena_clear(i->arena);
        TW_TRY(get_with(i->look, s->present, base->key, s->height, i->arena, &base->value,
                        &base->here));
        if (base->here) return TW_OK;
        from = tw_key_after(base->key, after);
    }
}

static const tw_store_back past_back = {
    .get = past_get,
    .commit = past_commit,
    .close = past_close,
    .iter_size = sizeof(past_iter),
    .iter_open = past_iter_open,
    .iter_move = past_iter_move,
    .iter_close = past_iter_close,
};

tw_status tw_store_open_past(tw_store *store, uint64_t height, tw_store **ret_store)
{
    past_store *s = tw_mem_new(sizeof *s);
    if (s == NULL) return TW_ERR_MEMORY;
    s->base.back = &past_back;
    s->present = store;
    s->height = height;
    const tw_status status = tw_iter_open(store, TW_TABLE_HIST, tw_bytes_of(NULL, 0), &s->hist);
    if (status != TW_OK) {
        tw_mem_free(s);
        return status;
    }
    *ret_store = &s->base;
    return TW_OK;
}
