/* overlay -- see the header.
 *
 * An entry is made the first time a key is read or written, holds the store's value for the whole
 * block, and stays until clear. A change first saves the entry's present value in the journal,
 * unless that was done since the innermost mark; the value then lives in a buffer of its own, and
 * further changes go into that buffer in place. Undo gives the saved pointers back; nothing is
 * copied for it. Values change their buffer at most once a savepoint, so a buffer is free again
 * when its key's change is undone, replaced, or (keep) covered by an older record.
 *
 * Keys that were deleted stay as entries, and an ordered reading has to pass them. What it passed
 * it keeps as a gap, [start, end) without a key that has a value, and the next reading jumps it.
 * Gaps do not meet: a reading joins those it passes, a key that gets a value parts the one around
 * it. So each deletion is passed once, however often the same stretch is read.
 */
#include "vm/state/overlay.h"

#include "vm/base/hash.h"
#include "vm/state/order.h"
#include "vm/state/pool.h"

#include <assert.h>
#include <string.h>

enum { SLOTS_MIN = 256, RECORDS_MIN = 128, RECENT_BITS = 10 };

typedef struct tw_cell {
    uint64_t hash;
    tw_bytes key; /* a zero byte follows: after_of */
    uint8_t *now; /* NULL when the key is not there */
    size_t now_size;
    tw_bytes stored;     /* the value in the store; data NULL when it has none */
    uint32_t record;     /* 1 + index of the newest journal record, 0 for none */
    tw_order_node *node; /* in the ordered index since the first change, else NULL */
} entry;

/* An entry as it was before a change. */
typedef struct record {
    entry *changed;
    uint8_t *before;
    size_t before_size;
    uint32_t record_before;
} record;

typedef struct slot {
    uint64_t hash;
    entry *entry; /* NULL: free */
} slot;

struct tw_overlay {
    tw_store *store;
    const tw_overlay *below; /* or NULL: tw_overlay_stack */
    size_t memory_max;
    size_t side_memory; /* bytes of slots and journal */
    uint64_t put_bytes;
    uint64_t seed;
    tw_pool pool;
    entry *recent[1 << RECENT_BITS]; /* by the last bytes of their keys: mostly saves the hash */
    slot *slots;
    size_t slot_count; /* a power of two */
    size_t entry_count;
    tw_order changed;
    tw_order gaps; /* by their starts; the item of a node is the gap's end, a tw_bytes */
    record *journal;
    uint32_t journal_count;
    uint32_t journal_capacity;
    uint32_t depth;                    /* open savepoints */
    uint32_t marks[TW_SAVEPOINTS_MAX]; /* journal_count at each */
    tw_iter *iter;                     /* over the whole STATE table, opened by the first next */
    bool iter_known;                   /* the store has no key in [iter_from, where iter stands) */
    size_t iter_from_size;
    uint8_t iter_from[TW_STORE_KEY_MAX + 1];
};

tw_overlay *tw_overlay_new(tw_store *store, size_t memory_max)
{
    tw_overlay *o = tw_mem_new(sizeof *o);
    if (o == NULL) return NULL;
    o->store = store;
    o->memory_max = memory_max;
    o->pool.arena = tw_arena_new(memory_max);
    if (o->pool.arena == NULL) {
        tw_mem_free(o);
        return NULL;
    }
    return o;
}

void tw_overlay_free(tw_overlay *overlay)
{
    if (overlay == NULL) return;
    tw_iter_close(overlay->iter);
    tw_arena_free(overlay->pool.arena);
    tw_mem_free(overlay->slots);
    tw_mem_free(overlay->journal);
    tw_mem_free(overlay);
}

void tw_overlay_clear(tw_overlay *overlay, uint64_t seed)
{
    tw_iter_close(overlay->iter);
    overlay->iter = NULL;
    overlay->iter_known = false;
    overlay->below = NULL;
    if (overlay->entry_count > 0) {
        memset(overlay->slots, 0, overlay->slot_count * sizeof(slot));
    }
    overlay->entry_count = 0;
    memset(overlay->recent, 0, sizeof overlay->recent);
    overlay->changed = (tw_order){0};
    overlay->gaps = (tw_order){0};
    overlay->journal_count = 0;
    overlay->depth = 0;
    overlay->seed = seed;
    overlay->put_bytes = 0;
    tw_pool_clear(&overlay->pool);
}

void tw_overlay_stack(tw_overlay *overlay, tw_overlay *below)
{
    assert(overlay->entry_count == 0 && overlay != below && overlay->store == below->store);
    overlay->below = below;
}

uint64_t tw_overlay_put_bytes(const tw_overlay *overlay)
{
    return overlay->put_bytes;
}

size_t tw_overlay_memory(const tw_overlay *overlay)
{
    return overlay->side_memory + tw_arena_used(overlay->pool.arena);
}

/* -- memory -- */

static void *take(tw_overlay *o, size_t size)
{
    void *again = tw_pool_again(&o->pool, size);
    if (again != NULL) return again;
    const size_t used = tw_overlay_memory(o);
    if (used > o->memory_max || tw_pool_capacity(size) > o->memory_max - used) return NULL;
    return tw_pool_get(&o->pool, size);
}

/* Whether `more` bytes of slots or journal fit the limit. */
static bool side_fits(const tw_overlay *o, size_t more)
{
    const size_t used = tw_overlay_memory(o);
    return used <= o->memory_max && more <= o->memory_max - used;
}

static void place(slot *slots, size_t slot_count, entry *e)
{
    size_t i = e->hash & (slot_count - 1);
    while (slots[i].entry != NULL) i = (i + 1) & (slot_count - 1);
    slots[i] = (slot){e->hash, e};
}

/* Keeps the hash index at most half full, with room for one more. */
static tw_status grow_slots(tw_overlay *o)
{
    if ((o->entry_count + 1) * 2 <= o->slot_count) return TW_OK;
    const size_t count = o->slot_count > 0 ? o->slot_count * 2 : SLOTS_MIN;
    if (!side_fits(o, count * sizeof(slot))) return TW_ERR_MEMORY;
    slot *slots = tw_mem_new(count * sizeof(slot));
    if (slots == NULL) return TW_ERR_MEMORY;
    for (size_t i = 0; i < o->slot_count; i++) {
        if (o->slots[i].entry != NULL) place(slots, count, o->slots[i].entry);
    }
    o->side_memory += (count - o->slot_count) * sizeof(slot);
    tw_mem_free(o->slots);
    o->slots = slots;
    o->slot_count = count;
    return TW_OK;
}

static tw_status grow_journal(tw_overlay *o)
{
    if (o->journal_count < o->journal_capacity) return TW_OK;
    const uint32_t old = o->journal_capacity;
    if (old > UINT32_MAX / 4) return TW_ERR_MEMORY;
    const uint32_t capacity = old > 0 ? old * 2 : RECORDS_MIN;
    const size_t more = (size_t)(capacity - old) * sizeof(record);
    if (!side_fits(o, more)) return TW_ERR_MEMORY;
    record *journal = tw_mem_resize(o->journal, old * sizeof(record), capacity * sizeof(record));
    if (journal == NULL) return TW_ERR_MEMORY;
    o->journal = journal;
    o->journal_capacity = capacity;
    o->side_memory += more;
    return TW_OK;
}

/* -- entries -- */

static bool key_is_usable(tw_bytes key)
{
    return key.size > 0 && key.size <= TW_STORE_KEY_MAX;
}

static entry *find(const tw_overlay *o, tw_bytes key, uint64_t hash)
{
    if (o->slot_count == 0) return NULL;
    for (size_t i = hash & (o->slot_count - 1);; i = (i + 1) & (o->slot_count - 1)) {
        const slot *s = &o->slots[i];
        if (s->entry == NULL) return NULL;
        if (s->hash == hash && s->entry->key.size == key.size &&
            memcmp(s->entry->key.data, key.data, key.size) == 0) {
            return s->entry;
        }
    }
}

static entry *known(const tw_overlay *o, tw_bytes key)
{
    return find(o, key, tw_hash_table_seeded(key.data, key.size, o->seed));
}

/* Makes the entry of a key that has none. `stored` is in the overlay's memory or empty. */
static tw_status add_entry(tw_overlay *o, tw_bytes key, uint64_t hash, tw_bytes stored,
                           entry **ret_entry)
{
    TW_TRY(grow_slots(o));
    entry *e = take(o, sizeof *e + key.size + 1);
    if (e == NULL) return TW_ERR_MEMORY;
    uint8_t *own_key = (uint8_t *)(e + 1);
    memcpy(own_key, key.data, key.size);
    own_key[key.size] = 0;
    *e = (entry){.hash = hash, .key = tw_bytes_of(own_key, key.size), .stored = stored};
    /* Never written through: a change gives the entry a buffer of its own first. */
    e->now = (uint8_t *)(uintptr_t)stored.data;
    e->now_size = stored.size;
    place(o->slots, o->slot_count, e);
    o->entry_count++;
    *ret_entry = e;
    return TW_OK;
}

/* Where a key's entry is kept at hand; others may take the place. */
static entry **recent_of(tw_overlay *o, tw_bytes key)
{
    uint64_t mixed = 0;
    if (key.size >= sizeof mixed) memcpy(&mixed, key.data + key.size - sizeof mixed, sizeof mixed);
    mixed = (mixed + key.data[0] * UINT64_C(0xd6e8feb86659fd93)) * UINT64_C(0x9e3779b97f4a7c15);
    return &o->recent[mixed >> (64 - RECENT_BITS)];
}

/* The value under a key when this block began: from the overlay below, where the key was looked at
 * there, else from the store. In this overlay's memory; data NULL without a value. */
static tw_status read_stored(tw_overlay *o, tw_bytes key, tw_bytes *ret_stored)
{
    const entry *e = o->below != NULL ? known(o->below, key) : NULL;
    bool found = false;
    *ret_stored = tw_bytes_of(NULL, 0);
    if (e == NULL) {
        TW_TRY(tw_store_get(o->store, TW_TABLE_STATE, key, o->pool.arena, ret_stored, &found));
        if (!found) *ret_stored = tw_bytes_of(NULL, 0);
        return TW_OK;
    }
    if (e->now == NULL) return TW_OK;
    uint8_t *copy = take(o, e->now_size);
    if (copy == NULL) return TW_ERR_MEMORY;
    memcpy(copy, e->now, e->now_size);
    *ret_stored = tw_bytes_of(copy, e->now_size);
    return TW_OK;
}

/* From the hash index, or read from below. */
static tw_status entry_far(tw_overlay *o, tw_bytes key, entry **ret_entry)
{
    const uint64_t hash = tw_hash_table_seeded(key.data, key.size, o->seed);
    entry *e = find(o, key, hash);
    if (e != NULL) {
        *ret_entry = e;
        return TW_OK;
    }
    tw_bytes stored = {NULL, 0};
    if (!side_fits(o, 0)) return TW_ERR_MEMORY;
    TW_TRY(read_stored(o, key, &stored));
    return add_entry(o, key, hash, stored, ret_entry);
}

/* The entry of a key, read from the store the first time. */
static tw_status entry_of(tw_overlay *o, tw_bytes key, entry **ret_entry)
{
    if (!key_is_usable(key)) return TW_ERR_INTERNAL;
    entry **recent = recent_of(o, key);
    const entry *e = *recent;
    if (e == NULL || e->key.size != key.size || memcmp(e->key.data, key.data, key.size) != 0) {
        TW_TRY(entry_far(o, key, recent));
    }
    *ret_entry = *recent;
    return TW_OK;
}

/* Whether the entry's present buffer was made since its newest record and is its own. */
static bool owns_buffer(const tw_overlay *o, const entry *e)
{
    return e->now != NULL && e->record > 0 && o->journal[e->record - 1].before != e->now;
}

static uint32_t floor_of(const tw_overlay *o, uint32_t depth)
{
    return depth > 0 ? o->marks[depth - 1] : 0;
}

/* Puts the entry into the ordered index, once. */
static tw_status link_entry(tw_overlay *o, entry *e)
{
    if (e->node != NULL) return TW_OK;
    const uint32_t height = tw_order_height(e->hash);
    tw_order_node *node = take(o, tw_order_node_size(height));
    if (node == NULL) return TW_ERR_MEMORY;
    node->key = e->key;
    node->item = e;
    node->height = height;
    tw_order_node *replaced = tw_order_insert(&o->changed, node);
    assert(replaced == NULL);
    (void)replaced;
    e->node = node;
    return TW_OK;
}

/* -- gaps -- */

/* The smallest key greater than the entry's, in the entry's memory. */
static tw_bytes after_of(const entry *e)
{
    return tw_bytes_of(e->key.data, e->key.size + 1);
}

static tw_bytes end_of(const tw_order_node *gap)
{
    return *(const tw_bytes *)gap->item;
}

static size_t gap_size(const tw_order_node *gap)
{
    return tw_order_node_size(gap->height) + sizeof(tw_bytes);
}

/* The gap that a key lies in, or NULL. */
static tw_order_node *gap_around(const tw_overlay *o, tw_bytes key)
{
    if (o->gaps.first[0] == NULL) return NULL;
    tw_order_node *gap = tw_order_upto(&o->gaps, key);
    return gap != NULL && tw_bytes_compare(key, end_of(gap)) < 0 ? gap : NULL;
}

/* Both keys are in memory that lasts until clear, such as an entry's; no gap begins at `start`. */
static tw_status add_gap(tw_overlay *o, tw_bytes start, tw_bytes end)
{
    const uint64_t hash = tw_hash_table_seeded(start.data, start.size, o->seed);
    const uint32_t height = tw_order_height(hash);
    const size_t node_size = tw_order_node_size(height);
    uint8_t *memory = take(o, node_size + sizeof end);
    if (memory == NULL) return TW_ERR_MEMORY;
    tw_order_node *gap = (tw_order_node *)(void *)memory;
    memcpy(memory + node_size, &end, sizeof end);
    gap->key = start;
    gap->item = memory + node_size;
    gap->height = height;
    tw_order_node *replaced = tw_order_insert(&o->gaps, gap);
    assert(replaced == NULL);
    (void)replaced;
    return TW_OK;
}

static void remove_gap(tw_overlay *o, tw_order_node *gap)
{
    tw_order_node *removed = tw_order_remove(&o->gaps, gap->key);
    assert(removed == gap);
    tw_pool_put(&o->pool, removed, gap_size(removed));
}

/* Makes one gap of [start, end), in place of those that begin in it. */
static tw_status join_gaps(tw_overlay *o, tw_bytes start, tw_bytes end)
{
    for (;;) {
        tw_order_node *gap = tw_order_seek(&o->gaps, start);
        if (gap == NULL || tw_bytes_compare(gap->key, end) >= 0) return add_gap(o, start, end);
        remove_gap(o, gap);
    }
}

/* Whether a deleted key can lie in [start, end): else there is nothing to jump. */
static bool gap_is_of_use(const tw_overlay *o, tw_bytes start, tw_bytes end)
{
    if (tw_bytes_compare(start, end) >= 0) return false;
    const tw_order_node *own = tw_order_seek(&o->changed, start);
    if (own != NULL && tw_bytes_compare(own->key, end) < 0) return true;
    const tw_order_node *below = o->below != NULL ? tw_order_seek(&o->below->changed, start) : NULL;
    return below != NULL && tw_bytes_compare(below->key, end) < 0;
}

/* The entry, without a value so far, gets one: the gap around it becomes the two beside it. Without
 * memory for the second one that stretch is passed key by key again, which is as right. */
static void part_gap(tw_overlay *o, const entry *e)
{
    tw_order_node *gap = gap_around(o, e->key);
    if (gap == NULL) return;
    const tw_bytes end = end_of(gap);
    if (gap_is_of_use(o, gap->key, e->key)) {
        memcpy(gap->item, &e->key, sizeof e->key);
    } else {
        remove_gap(o, gap);
    }
    if (gap_is_of_use(o, after_of(e), end)) (void)add_gap(o, after_of(e), end);
}

/* -- changes -- */

/* Before any change: saves the entry as it is, unless that was done since the innermost mark. */
static tw_status save(tw_overlay *o, entry *e)
{
    if (e->record > floor_of(o, o->depth)) return TW_OK;
    TW_TRY(link_entry(o, e));
    TW_TRY(grow_journal(o));
    if (e->record == 0) o->put_bytes += e->stored.size; /* history keeps it */
    o->journal[o->journal_count] = (record){e, e->now, e->now_size, e->record};
    e->record = ++o->journal_count;
    return TW_OK;
}

/* Drops the present value: its buffer is free again if it is the entry's own. */
static void drop_value(tw_overlay *o, entry *e)
{
    if (owns_buffer(o, e)) tw_pool_put(&o->pool, e->now, e->now_size);
    e->now = NULL;
    e->now_size = 0;
}

/* -- reading and writing -- */

tw_status tw_overlay_get(tw_overlay *overlay, tw_bytes key, tw_bytes *ret_value, bool *ret_found)
{
    entry *e = NULL;
    TW_TRY(entry_of(overlay, key, &e));
    *ret_value = tw_bytes_of(e->now, e->now_size);
    *ret_found = e->now != NULL;
    return TW_OK;
}

tw_status tw_overlay_read(tw_overlay *overlay, tw_bytes key, tw_arena *arena, tw_bytes *ret_value,
                          bool *ret_found)
{
    if (!key_is_usable(key)) return TW_ERR_INTERNAL;
    const entry *e = known(overlay, key);
    if (e == NULL && overlay->below != NULL) e = known(overlay->below, key);
    if (e == NULL) {
        return tw_store_get(overlay->store, TW_TABLE_STATE, key, arena, ret_value, ret_found);
    }
    *ret_value = tw_bytes_of(e->now, e->now_size);
    *ret_found = e->now != NULL;
    return TW_OK;
}

/* Whether a value of `size` bytes fits the entry's own buffer. Only within the same size class, so
 * that the size alone tells the buffer's capacity. */
static bool fits_in_place(const tw_overlay *o, const entry *e, size_t size)
{
    return owns_buffer(o, e) &&
           (size == e->now_size || tw_pool_capacity(size) == tw_pool_capacity(e->now_size));
}

tw_status tw_overlay_seek(tw_overlay *overlay, tw_bytes key, tw_cell **ret_cell)
{
    return entry_of(overlay, key, ret_cell);
}

tw_bytes tw_cell_get(const tw_cell *cell)
{
    return tw_bytes_of(cell->now, cell->now_size);
}

tw_status tw_cell_put(tw_overlay *overlay, tw_cell *cell, tw_bytes value)
{
    if (value.size == 0 || value.size > TW_STORE_VALUE_MAX) return TW_ERR_INTERNAL;
    TW_TRY(save(overlay, cell));
    overlay->put_bytes += value.size;
    if (fits_in_place(overlay, cell, value.size)) {
        memmove(cell->now, value.data, value.size);
        cell->now_size = value.size;
        return TW_OK;
    }
    uint8_t *buffer = take(overlay, value.size);
    if (buffer == NULL) return TW_ERR_MEMORY;
    memcpy(buffer, value.data, value.size);
    if (cell->now == NULL) part_gap(overlay, cell);
    drop_value(overlay, cell);
    cell->now = buffer;
    cell->now_size = value.size;
    return TW_OK;
}

tw_status tw_overlay_put(tw_overlay *overlay, tw_bytes key, tw_bytes value)
{
    entry *e = NULL;
    TW_TRY(entry_of(overlay, key, &e));
    return tw_cell_put(overlay, e, value);
}

tw_status tw_cell_delete(tw_overlay *overlay, tw_cell *cell)
{
    if (cell->now == NULL) return TW_OK;
    TW_TRY(save(overlay, cell));
    drop_value(overlay, cell);
    return TW_OK;
}

tw_status tw_overlay_delete(tw_overlay *overlay, tw_bytes key)
{
    entry *e = NULL;
    TW_TRY(entry_of(overlay, key, &e));
    return tw_cell_delete(overlay, e);
}

/* Gives a saved entry a buffer of its own with `size` bytes of its value, then zeros. */
static tw_status reshape(tw_overlay *o, entry *e, size_t size)
{
    const size_t kept = size < e->now_size ? size : e->now_size;
    if (!fits_in_place(o, e, size)) {
        o->put_bytes += size;
        uint8_t *buffer = take(o, size);
        if (buffer == NULL) return TW_ERR_MEMORY;
        if (kept > 0) memcpy(buffer, e->now, kept);
        if (e->now == NULL) part_gap(o, e);
        drop_value(o, e);
        e->now = buffer;
    }
    if (size > kept) memset(e->now + kept, 0, size - kept);
    e->now_size = size;
    return TW_OK;
}

tw_status tw_overlay_edit(tw_overlay *overlay, tw_bytes key, uint8_t **ret_bytes, size_t *ret_size,
                          bool *ret_found)
{
    entry *e = NULL;
    TW_TRY(entry_of(overlay, key, &e));
    if (e->now != NULL) {
        TW_TRY(save(overlay, e));
        TW_TRY(reshape(overlay, e, e->now_size));
    }
    *ret_bytes = e->now;
    *ret_size = e->now_size;
    *ret_found = e->now != NULL;
    return TW_OK;
}

tw_status tw_overlay_resize(tw_overlay *overlay, tw_bytes key, size_t size, uint8_t **ret_bytes)
{
    if (size == 0 || size > TW_STORE_VALUE_MAX) return TW_ERR_INTERNAL;
    entry *e = NULL;
    TW_TRY(entry_of(overlay, key, &e));
    TW_TRY(save(overlay, e));
    TW_TRY(reshape(overlay, e, size));
    *ret_bytes = e->now;
    return TW_OK;
}

/* -- savepoints -- */

tw_status tw_overlay_mark(tw_overlay *overlay, tw_savepoint *ret_savepoint)
{
    if (overlay->depth == TW_SAVEPOINTS_MAX) return TW_ERR_INTERNAL;
    overlay->marks[overlay->depth] = overlay->journal_count;
    ret_savepoint->depth = overlay->depth++;
    return TW_OK;
}

void tw_overlay_undo(tw_overlay *overlay, tw_savepoint savepoint)
{
    assert(savepoint.depth < overlay->depth);
    const uint32_t start = overlay->marks[savepoint.depth];
    while (overlay->journal_count > start) {
        const record r = overlay->journal[overlay->journal_count - 1];
        entry *e = r.changed;
        assert(e->record == overlay->journal_count);
        if (e->now == NULL && r.before != NULL) part_gap(overlay, e);
        drop_value(overlay, e);
        e->now = r.before;
        e->now_size = r.before_size;
        e->record = r.record_before;
        overlay->journal_count--;
    }
    overlay->depth = savepoint.depth;
}

/* The innermost savepoint's records join those of the savepoint around it. Where that one has a
 * record of the same entry, the newer record has nothing left to restore, and the buffer that
 * it saved is free if it was made inside. */
static void keep_innermost(tw_overlay *o)
{
    const uint32_t start = o->marks[o->depth - 1];
    const uint32_t outer = floor_of(o, o->depth - 1);
    uint32_t end = start;
    for (uint32_t i = start; i < o->journal_count; i++) {
        const record r = o->journal[i];
        entry *e = r.changed;
        assert(e->record == i + 1);
        if (r.record_before <= outer) {
            o->journal[end] = r;
            e->record = ++end;
            continue;
        }
        e->record = r.record_before;
        const bool was_own = r.before != o->journal[r.record_before - 1].before;
        if (was_own && r.before != e->now) tw_pool_put(&o->pool, r.before, r.before_size);
    }
    o->journal_count = end;
    o->depth--;
}

void tw_overlay_keep(tw_overlay *overlay, tw_savepoint savepoint)
{
    assert(savepoint.depth < overlay->depth);
    while (overlay->depth > savepoint.depth) keep_innermost(overlay);
}

size_t tw_overlay_writes(const tw_overlay *overlay, tw_savepoint savepoint)
{
    assert(savepoint.depth + 1 == overlay->depth);
    return overlay->journal_count - overlay->marks[savepoint.depth];
}

void tw_overlay_written(const tw_overlay *overlay, tw_savepoint savepoint, size_t index,
                        tw_bytes *ret_key, tw_bytes *ret_value)
{
    assert(index < tw_overlay_writes(overlay, savepoint));
    const entry *e = overlay->journal[overlay->marks[savepoint.depth] + index].changed;
    *ret_key = e->key;
    *ret_value = tw_bytes_of(e->now, e->now_size);
}

/* -- ordered reading -- */

tw_bytes tw_key_after(tw_bytes key, uint8_t *memory)
{
    memcpy(memory, key.data, key.size);
    memory[key.size] = 0;
    return tw_bytes_of(memory, key.size + 1);
}

/* Puts the store's iterator on its first key >= `from`. It mostly is there, or one step before:
 * a scan asks for the key after the last one. */
static tw_status iter_to(tw_overlay *o, tw_bytes from)
{
    assert(from.size <= sizeof o->iter_from);
    if (o->iter == NULL) {
        TW_TRY(tw_iter_open(o->store, TW_TABLE_STATE, tw_bytes_of(NULL, 0), &o->iter));
    }
    tw_bytes at = {NULL, 0};
    if (o->iter_known &&
        tw_bytes_compare(tw_bytes_of(o->iter_from, o->iter_from_size), from) <= 0) {
        if (!tw_iter_here(o->iter, &at, NULL) || tw_bytes_compare(from, at) <= 0) return TW_OK;
        o->iter_known = false;
        TW_TRY(tw_iter_next(o->iter));
        o->iter_known = !tw_iter_here(o->iter, &at, NULL) || tw_bytes_compare(from, at) <= 0;
    } else {
        o->iter_known = false;
    }
    if (!o->iter_known) TW_TRY(tw_iter_seek(o->iter, from));
    o->iter_known = true;
    o->iter_from_size = from.size;
    if (from.size > 0) memcpy(o->iter_from, from.data, from.size);
    return TW_OK;
}

static bool has_prefix(tw_bytes key, tw_bytes prefix)
{
    return key.size >= prefix.size &&
           (prefix.size == 0 || memcmp(key.data, prefix.data, prefix.size) == 0);
}

/* The entry of the key on which the store's iterator stands. */
static tw_status entry_of_iter(tw_overlay *o, entry **ret_entry)
{
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    const bool here = tw_iter_here(o->iter, &key, &value);
    assert(here);
    (void)here;
    const uint64_t hash = tw_hash_table_seeded(key.data, key.size, o->seed);
    *ret_entry = find(o, key, hash);
    if (*ret_entry != NULL) return TW_OK;
    uint8_t *copy = take(o, value.size);
    if (copy == NULL) return TW_ERR_MEMORY;
    if (value.size > 0) memcpy(copy, value.data, value.size);
    return add_entry(o, key, hash, tw_bytes_of(copy, value.size), ret_entry);
}

/* The first of these changes that begins with the prefix, or NULL. */
static const tw_order_node *change_from(const tw_overlay *o, tw_bytes prefix, tw_bytes from)
{
    const tw_order_node *node = o != NULL ? tw_order_seek(&o->changed, from) : NULL;
    return node != NULL && has_prefix(node->key, prefix) ? node : NULL;
}

/* The first entry >= from of store, changes below and own changes, deleted ones too; NULL when
 * there is none. Of the same key the own change counts, then the one below: the store may have
 * taken that up or not. */
static tw_status next_entry(tw_overlay *o, tw_bytes prefix, tw_bytes from, entry **ret_entry)
{
    const tw_order_node *node = change_from(o, prefix, from);
    const tw_order_node *below = change_from(o->below, prefix, from);
    TW_TRY(iter_to(o, from));
    tw_bytes stored_key = {NULL, 0};
    const bool stored = tw_iter_here(o->iter, &stored_key, NULL) && has_prefix(stored_key, prefix);
    if (below != NULL && (node == NULL || tw_bytes_compare(below->key, node->key) < 0)) {
        if (!stored || tw_bytes_compare(below->key, stored_key) <= 0) {
            return entry_of(o, below->key, ret_entry);
        }
        node = below;
    }
    if (stored && (node == NULL || tw_bytes_compare(stored_key, node->key) < 0)) {
        return entry_of_iter(o, ret_entry);
    }
    *ret_entry = node != NULL ? node->item : NULL;
    return TW_OK;
}

/* As next_entry, but the first with a value. Jumps what is known to be empty, and keeps what it had
 * to pass as one gap. */
static tw_status live_entry(tw_overlay *o, tw_bytes prefix, tw_bytes from, entry **ret_entry)
{
    tw_bytes start = {NULL, 0}; /* of the keys without a value that are passed */
    tw_bytes end = {NULL, 0};
    bool news = false; /* they are not one gap already */
    entry *e = NULL;
    for (;;) {
        const tw_order_node *gap = gap_around(o, from);
        if (gap == NULL) {
            TW_TRY(next_entry(o, prefix, from, &e));
            if (e == NULL || e->now != NULL) break;
            gap = gap_around(o, e->key);
        }
        news = news || gap == NULL || start.data != NULL;
        if (start.data == NULL) start = gap != NULL ? gap->key : e->key;
        end = gap != NULL ? end_of(gap) : after_of(e);
        from = end;
    }
    *ret_entry = e;
    return news ? join_gaps(o, start, end) : TW_OK;
}

tw_status tw_overlay_next(tw_overlay *overlay, tw_bytes prefix, tw_bytes from, tw_bytes *ret_key,
                          tw_bytes *ret_value, bool *ret_found)
{
    if (prefix.size > TW_STORE_KEY_MAX || from.size > TW_STORE_KEY_MAX + 1) return TW_ERR_INTERNAL;
    entry *e = NULL;
    TW_TRY(live_entry(overlay, prefix, tw_bytes_compare(from, prefix) > 0 ? from : prefix, &e));
    *ret_found = e != NULL;
    *ret_key = e != NULL ? e->key : tw_bytes_of(NULL, 0);
    *ret_value = e != NULL ? tw_bytes_of(e->now, e->now_size) : tw_bytes_of(NULL, 0);
    return TW_OK;
}

/* -- the result -- */

static bool is_as_stored(const entry *e)
{
    if (e->now == NULL || e->stored.data == NULL) return e->now == e->stored.data;
    return tw_bytes_equal(tw_bytes_of(e->now, e->now_size), e->stored);
}

tw_status tw_overlay_changes(const tw_overlay *overlay, tw_arena *arena, tw_change **ret_changes,
                             size_t *ret_count)
{
    size_t count = 0;
    const tw_order_node *first = overlay->changed.first[0];
    for (const tw_order_node *n = first; n != NULL; n = n->next[0]) {
        if (!is_as_stored(n->item)) count++;
    }
    tw_change *changes = TW_NEW_ARRAY(arena, tw_change, count);
    if (changes == NULL) return TW_ERR_MEMORY;
    size_t filled = 0;
    for (const tw_order_node *n = first; n != NULL; n = n->next[0]) {
        const entry *e = n->item;
        if (is_as_stored(e)) continue;
        changes[filled++] = (tw_change){.key = e->key,
                                        .value = tw_bytes_of(e->now, e->now_size),
                                        .deleted = e->now == NULL,
                                        .before = e->stored};
    }
    assert(filled == count);
    *ret_changes = changes;
    *ret_count = count;
    return TW_OK;
}
