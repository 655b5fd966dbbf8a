/* audit_whole -- see the header.
 *
 * A ledger of a million keys has as many values of the past and three times as many nodes, and to
 * look each one up takes minutes; to read the tables takes seconds. So what two tables say of the
 * same thing is not compared one by one but added up: each saying is hashed (64 bits, with the
 * height at which it begins or ends to hold, and a salt that is new each time), and the sums must
 * be equal. Order does not matter to a sum, and no row has to wait for its counterpart:
 *
 *     values   HIST and STATE hold, key by key, which leaf there was from when until when; the
 *              nodes say the same: a leaf comes with the nodes that a block wrote and goes with
 *              those that it superseded, and what is in both cancels out (in groups of keys, so
 *              that only those of a group that differs have to be looked up)
 *     links    a node comes and goes; the node above it says its key and hash from when until when
 *     roots    META has a root for each height; a top node stands for the heights from its own
 *              until it is superseded
 *     past     the keys that STALE lists for a block have a row of HIST that ends before it
 *
 * What holds at the oldest height kept, and stays so block after block, holds at each: every node
 * is named once, by the node above it, with its true hash (SHA-256, computed anew), up to the root
 * of its height; so each state that is kept hangs together. The newest root is computed from STATE
 * alone besides, by code that the tree does not use.
 *
 * A node's end stands in STALE, by its name; these are the one thing that is looked up, in a table
 * in memory (parts of it, when it is too large). Hashing is done by two threads: rows are copied
 * into batches, and a batch is worked on by the other thread, or by this one when that is behind.
 */
#include "vm/state/audit_whole.h"

#include "vm/base/crew.h"
#include "vm/state/audit_leaf.h"
#include "vm/state/past.h"
#include "vm/state/tree_node.h"

#include <string.h>
#include <sys/random.h>

enum {
    RING = 4,           /* batches */
    ITEMS = 256,        /* of a batch */
    BYTES = 192 * 1024, /* of their keys and values; larger ones are not copied */
    NAMES_MIN = 1024,
};

/* Something that was so from one height on, and at another no more (0: it still is). */
typedef struct item {
    tw_bytes key, value;
    uint64_t from, until;
} item;

/* Each is 0 in the end: what one side says is added, and what the other says taken off. */
typedef struct sums {
    uint64_t values[TW_AUDIT_GROUPS];
    uint64_t links, roots, past;
} sums;

typedef struct batch {
    tw_job job;
    struct whole *whole;
    bool given;
    bool bad; /* a node is none */
    sums sums;
    size_t count, used, leaf_count;
    item items[ITEMS];
    tw_audit_leaf leaves[ITEMS]; /* those of the part */
    uint8_t bytes[BYTES];
} batch;

/* A node that was superseded: a hash of its key, and by which block. Height 0: free. */
typedef struct death {
    uint64_t name, height;
} death;

typedef struct whole {
    tw_audit *audit;
    tw_crew *crew;
    uint64_t salt;
    bool bad; /* nothing can be known: the end */
    tw_audit_doubts *doubts;
    bool counting;
    sums sums;
    void (*work)(batch *b, const item *i);
    batch *ring[RING];
    size_t at; /* the one that is being filled */

    unsigned bits; /* how many first bits of a hash name the part that is looked at */
    uint32_t number;
    tw_audit_leaf *leaves, *spare;
    size_t leaf_count, leaf_max;
    death *deaths;
    size_t death_count, death_max, slots, met; /* slots: a power of two */
    uint64_t heights;                          /* that top nodes stand for */
} whole;

static uint64_t digest(const whole *w, uint64_t height, const void *bytes, size_t size)
{
    return tw_hash_table_seeded(bytes, size, w->salt + height);
}

/* What something adds that is so from `from` until `until`. */
static uint64_t span(const whole *w, const item *i, const void *bytes, size_t size)
{
    const uint64_t end = i->until != 0 ? digest(w, i->until, bytes, size) : 0;
    return digest(w, i->from, bytes, size) - end;
}

static uint64_t *group_of(batch *b, const tw_audit_leaf *l)
{
    return &b->sums.values[tw_audit_part(&l->key_hash, TW_AUDIT_GROUP_BITS)];
}

/* ---- batches ---- */

static void run_batch(void *context)
{
    batch *b = context;
    for (size_t i = 0; i < b->count; i++) b->whole->work(b, &b->items[i]);
}

/* After this the batch is empty, and what it found is in `w`. */
static tw_status collect(whole *w, batch *b)
{
    if (b->given) tw_crew_wait(w->crew, &b->job);
    if (b->bad) w->doubts->nodes = true;
    for (size_t i = 0; i < TW_AUDIT_GROUPS; i++) w->sums.values[i] += b->sums.values[i];
    w->sums.links += b->sums.links;
    w->sums.roots += b->sums.roots;
    /* SHA-256 spreads keys evenly: far more than a part's share are never in one */
    const bool room = b->leaf_count <= w->leaf_max - w->leaf_count;
    if (room && b->leaf_count > 0) {
        memcpy(w->leaves + w->leaf_count, b->leaves, b->leaf_count * sizeof *b->leaves);
        w->leaf_count += b->leaf_count;
    }
    b->sums = (sums){0};
    b->count = b->used = b->leaf_count = 0;
    b->given = b->bad = false;
    return room ? TW_OK : TW_ERR_MEMORY;
}

/* Gives the batch away, and makes the oldest one empty. */
static tw_status give(whole *w)
{
    batch *b = w->ring[w->at];
    if (b->count == 0) return TW_OK;
    b->job = (tw_job){.run = run_batch, .context = b};
    b->given = true;
    tw_crew_give(w->crew, &b->job, false);
    w->at = (w->at + 1) % RING;
    return collect(w, w->ring[w->at]);
}

static tw_status finish(whole *w)
{
    TW_TRY(give(w));
    for (size_t i = 0; i < RING; i++) TW_TRY(collect(w, w->ring[i]));
    return TW_OK;
}

static tw_bytes copy_into(batch *b, tw_bytes bytes)
{
    uint8_t *to = b->bytes + b->used;
    if (bytes.size > 0) memcpy(to, bytes.data, bytes.size);
    b->used += bytes.size;
    return tw_bytes_of(to, bytes.size);
}

/* The bytes of the item are copied. */
static tw_status add(whole *w, const item *i)
{
    const size_t size = i->key.size + i->value.size;
    if (w->ring[w->at]->count == ITEMS || size > BYTES - w->ring[w->at]->used) TW_TRY(give(w));
    batch *b = w->ring[w->at];
    b->items[b->count] = *i;
    b->count++;
    if (size > BYTES) { /* alone, and now */
        run_batch(b);
        return collect(w, b);
    }
    b->items[b->count - 1].key = copy_into(b, i->key);
    b->items[b->count - 1].value = copy_into(b, i->value);
    return TW_OK;
}

/* ---- roots ---- */

static uint64_t root_digest(const whole *w, uint64_t height, uint64_t version, const tw_hash *hash)
{
    uint8_t bytes[8 + TW_HASH_SIZE];
    tw_store_u64(bytes, version);
    memcpy(bytes + 8, hash->bytes, TW_HASH_SIZE);
    return digest(w, height, bytes, sizeof bytes);
}

/* All heights from the oldest to the head; the last root is the head's. */
static tw_status read_roots(whole *w)
{
    tw_audit *a = w->audit;
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes bytes = {NULL, 0};
    tw_tree_root root = {0};
    uint64_t count = 0;
    TW_TRY(tw_iter_open(a->store, TW_TABLE_META, tw_root_prefix(), &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && !w->bad && tw_iter_here(iter, &key, &bytes)) {
        uint64_t height = 0;
        w->bad = !tw_root_decode(key, bytes, &height, &root);
        if (count == 0) a->oldest = height;
        w->bad = w->bad || height != a->oldest + count;
        count++;
        if (!tw_hash_is_zero(&root.hash)) {
            w->sums.roots -= root_digest(w, height, root.version, &root.hash);
        }
        status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    if (count == 0 || a->oldest + (count - 1) != a->head.height || a->head.height == UINT64_MAX ||
        root.version != a->head.root.version || !tw_hash_equal(&root.hash, &a->head.root.hash)) {
        w->bad = true;
    }
    return status;
}

/* ---- keys, their values now, their values once ---- */

static void work_value(batch *b, const item *i)
{
    const whole *w = b->whole;
    tw_audit_leaf l = {.key_hash = tw_sha256(i->key.data, i->key.size)};
    if (tw_audit_part(&l.key_hash, w->bits) != w->number) return;
    if (i->value.size > 0) {
        l = tw_audit_leaf_of(i->key, i->value);
        *group_of(b, &l) += span(w, i, &l, sizeof l);
    }
    if (i->until == 0) b->leaves[b->leaf_count++] = l;
}

static tw_status add_value(whole *w, const item *i)
{
    if (!w->counting) return add(w, i);
    w->leaf_max += i->until == 0;
    return TW_OK;
}

/* Where STATE and HIST are, read side by side: both are in the order of the keys. */
typedef struct timeline {
    tw_iter *state, *hist;
    bool has_now, has_once;
    tw_bytes now, now_value;   /* the row of STATE */
    tw_bytes once, once_value; /* the row of HIST: key, value, until the end of which block */
    uint64_t last;
    uint8_t memory[TW_STORE_KEY_MAX], own[TW_STORE_KEY_MAX];
} timeline;

/* Reads the row of HIST that the iterator is at. */
static void read_once(whole *w, timeline *t)
{
    tw_bytes row = {NULL, 0};
    tw_bytes record = {NULL, 0};
    t->has_once = tw_iter_here(t->hist, &row, &record);
    if (!t->has_once) return;
    const bool good = tw_past_read(row, record, t->memory, &t->once, &t->last, &t->once_value);
    if (!good || t->last < w->audit->oldest || t->last >= w->audit->head.height) w->bad = true;
}

/* The values that a key had, and has. One that it has no more ends with an empty value. */
static tw_status add_key(whole *w, timeline *t)
{
    const bool is_now = t->has_now && (!t->has_once || tw_bytes_compare(t->now, t->once) <= 0);
    item i = {.key = is_now ? t->now : t->once, .from = w->audit->oldest};
    memcpy(t->own, i.key.data, i.key.size); /* a row goes when its iterator moves */
    i.key.data = t->own;
    while (!w->bad && t->has_once && tw_bytes_equal(t->once, i.key)) {
        i.value = t->once_value;
        i.until = t->last + 1;
        if (!w->counting) {
            w->sums.past += digest(w, i.until, i.key.data, i.key.size);
            w->audit->values++;
        }
        TW_TRY(add_value(w, &i));
        i.from = i.until;
        TW_TRY(tw_iter_next(t->hist));
        read_once(w, t);
    }
    i.until = 0;
    i.value = is_now ? t->now_value : tw_bytes_of(NULL, 0);
    TW_TRY(add_value(w, &i));
    if (!is_now) return TW_OK;
    if (i.value.size == 0) w->bad = true;
    if (!w->counting) tw_audit_step(w->audit, "state", ++w->audit->keys);
    TW_TRY(tw_iter_next(t->state));
    t->has_now = tw_iter_here(t->state, &t->now, &t->now_value);
    return TW_OK;
}

static tw_status read_keys(whole *w, timeline *t)
{
    TW_TRY(tw_iter_open_scan(w->audit->store, TW_TABLE_STATE, &t->state));
    TW_TRY(tw_iter_open_scan(w->audit->store, TW_TABLE_HIST, &t->hist));
    TW_TRY(tw_iter_first(t->state));
    TW_TRY(tw_iter_first(t->hist));
    t->has_now = tw_iter_here(t->state, &t->now, &t->now_value);
    read_once(w, t);
    while (!w->bad && (t->has_now || t->has_once)) TW_TRY(add_key(w, t));
    return w->counting ? TW_OK : finish(w);
}

static tw_status read_timeline(whole *w)
{
    timeline t = {.state = NULL};
    w->audit->keys = w->audit->values = 0;
    w->sums.past = 0;
    const tw_status status = read_keys(w, &t);
    tw_iter_close(t.state);
    tw_iter_close(t.hist);
    return status;
}

/* The names of the part: each key of the state has its own, and there are others only of keys that
 * were once. */
static tw_status read_names(whole *w)
{
    tw_iter *iter = NULL;
    tw_bytes row = {NULL, 0};
    tw_bytes key = {NULL, 0};
    size_t at = 0;
    uint64_t done = 0;
    bool bad = false;
    TW_TRY(tw_iter_open_scan(w->audit->store, TW_TABLE_PRE, &iter));
    tw_status status = tw_iter_first(iter);
    for (; status == TW_OK && !bad && tw_iter_here(iter, &row, &key); status = tw_iter_next(iter)) {
        tw_audit_step(w->audit, "names", ++done);
        const tw_hash hash = tw_sha256(key.data, key.size);
        bad = !tw_bytes_equal(row, tw_bytes_of(hash.bytes, TW_HASH_SIZE));
        if (tw_audit_part(&hash, w->bits) != w->number) continue;
        while (at < w->leaf_count && tw_hash_is_zero(&w->leaves[at].hash) &&
               !tw_hash_equal(&w->leaves[at].key_hash, &hash)) {
            at++;
        }
        bad = bad || at == w->leaf_count || !tw_hash_equal(&w->leaves[at].key_hash, &hash);
        at++;
    }
    tw_iter_close(iter);
    for (; !bad && at < w->leaf_count; at++) bad = !tw_hash_is_zero(&w->leaves[at].hash);
    if (bad) w->doubts->keys = true;
    return status;
}

static tw_status look_at_keys(whole *w, tw_audit_sum *ret_sum)
{
    size_t count = 0;
    w->leaf_count = 0;
    TW_TRY(read_timeline(w));
    if (w->bad) return TW_OK;
    tw_audit_sort(&w->leaves, &w->spare, w->leaf_count);
    TW_TRY(read_names(w));
    for (size_t i = 0; i < w->leaf_count; i++) { /* without those that were only once */
        if (!tw_hash_is_zero(&w->leaves[i].hash)) w->spare[count++] = w->leaves[i];
    }
    *ret_sum = tw_audit_sum_of(w->spare, count, w->bits);
    return TW_OK;
}

static tw_status look_at_state(whole *w)
{
    w->counting = true;
    w->leaf_max = 0;
    TW_TRY(read_timeline(w));
    w->counting = false;
    w->work = work_value;
    /* half as much again as a part's share, for parts are not quite alike */
    for (w->bits = 0; w->bits < TW_AUDIT_PART_BITS_MAX; w->bits++) {
        const size_t share = (w->leaf_max >> w->bits) * 3 / 2;
        if (share <= w->audit->memory_max / (2 * sizeof *w->leaves)) break;
    }
    const size_t parts = (size_t)1 << w->bits;
    if (w->bits > 0) w->leaf_max = (w->leaf_max >> w->bits) * 3 / 2 + 1024;
    tw_audit_leaf *memory = tw_mem_new(2 * (w->leaf_max + 1) * sizeof *memory);
    tw_audit_sum *sums_of = tw_mem_new(parts * sizeof *sums_of);
    tw_status status = memory != NULL && sums_of != NULL ? TW_OK : TW_ERR_MEMORY;
    w->leaves = memory;
    if (status == TW_OK) w->spare = memory + w->leaf_max + 1;
    /* the number stays where it fails: batches that were given out still look at it */
    for (w->number = 0; w->number < parts && status == TW_OK; w->number++) {
        status = look_at_keys(w, &sums_of[w->number]);
        if (status != TW_OK || w->bad) break;
    }
    if (status == TW_OK && !w->bad) {
        const tw_hash root = tw_audit_join(sums_of, parts);
        if (!tw_hash_equal(&root, &w->audit->head.root.hash)) w->doubts->keys = true;
    }
    tw_mem_free(memory);
    tw_mem_free(sums_of);
    w->leaves = w->spare = NULL;
    w->leaf_max = w->leaf_count = 0;
    return status;
}

/* ---- what was superseded ---- */

static bool in_part(const whole *w, uint64_t name)
{
    return w->bits == 0 || name >> (64 - w->bits) == w->number;
}

/* The place of a name, or the free one where it would be. */
static death *place_of(const whole *w, uint64_t name)
{
    size_t at = (size_t)name & (w->slots - 1);
    while (w->deaths[at].height != 0 && w->deaths[at].name != name) at = (at + 1) & (w->slots - 1);
    return &w->deaths[at];
}

static tw_status note_death(whole *w, tw_bytes key, uint64_t height)
{
    if (w->counting) {
        w->death_max++;
        return TW_OK;
    }
    const uint64_t name = digest(w, 0, key.data, key.size);
    if (!in_part(w, name)) return TW_OK;
    death *at = place_of(w, name);
    if (at->height != 0) w->bad = true;                       /* superseded twice */
    if (w->death_count == w->death_max) return TW_ERR_MEMORY; /* as with leaves */
    *at = (death){name, height};
    w->death_count++;
    return TW_OK;
}

static tw_status read_stale_nodes(whole *w, uint64_t height, tw_bytes list)
{
    while (list.size > 0 && !w->bad) {
        const size_t size = tw_tree_node_key_size(list);
        w->bad = size == 0 || tw_load_u64(list.data) >= height;
        if (w->bad) break;
        TW_TRY(note_death(w, tw_bytes_of(list.data, size), height));
        list = tw_bytes_of(list.data + size, list.size - size);
    }
    return TW_OK;
}

static void read_stale_keys(whole *w, uint64_t height, tw_bytes list)
{
    tw_reader r = tw_reader_of(list);
    while (tw_reader_left(&r) > 0 && !w->bad) {
        const tw_bytes key = tw_read_short(&r, TW_STORE_KEY_MAX);
        w->bad = r.bad || key.size == 0;
        if (!w->bad) w->sums.past -= digest(w, height, key.data, key.size);
    }
}

/* Counting: how many nodes are listed, and the keys; else the nodes of the part. */
static tw_status read_stale(whole *w)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes list = {NULL, 0};
    const tw_audit *a = w->audit;
    TW_TRY(tw_iter_open_scan(a->store, TW_TABLE_STALE, &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && !w->bad && tw_iter_here(iter, &key, &list)) {
        const bool keys = key.size == 9 && key.data[8] == 1;
        const uint64_t height = keys || key.size == 8 ? tw_load_u64(key.data) : 0;
        w->bad = height <= a->oldest || height > a->head.height;
        if (w->bad) break;
        if (!keys) status = read_stale_nodes(w, height, list);
        if (keys && w->counting) read_stale_keys(w, height, list);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    return status;
}

/* ---- nodes ---- */

/* What a node, or the one above it, says of it. */
static uint64_t link_of(const whole *w, const item *i, tw_bytes key, const tw_hash *hash)
{
    uint8_t bytes[TW_TREE_KEY_SIZE_MAX + TW_HASH_SIZE];
    memcpy(bytes, key.data, key.size);
    memcpy(bytes + key.size, hash->bytes, TW_HASH_SIZE);
    return span(w, i, bytes, key.size + TW_HASH_SIZE);
}

static void add_top(batch *b, const item *i, uint64_t version, const tw_hash *hash)
{
    const whole *w = b->whole;
    const uint64_t end = i->until != 0 ? i->until : w->audit->head.height + 1;
    for (uint64_t h = i->from; h < end; h++) b->sums.roots += root_digest(w, h, version, hash);
}

static void work_node(batch *b, const item *i)
{
    const whole *w = b->whole;
    tw_tree_node node;
    tw_hash path = {{0}};
    uint8_t below[TW_TREE_KEY_SIZE_MAX];
    const uint64_t version = tw_load_u64(i->key.data);
    const unsigned depth = i->key.data[8];
    if (!tw_tree_node_decode(i->value, version, &node)) {
        b->bad = true;
        return;
    }
    const tw_hash hash = tw_tree_node_hash(&node);
    memcpy(path.bytes, i->key.data + 9, i->key.size - 9);
    if (depth == 0) add_top(b, i, version, &hash);
    if (depth > 0) b->sums.links -= link_of(w, i, i->key, &hash);
    for (unsigned n = 0; n < TW_TREE_FANOUT; n++) {
        const tw_tree_slot *slot = &node.slots[n];
        if (slot->kind == TW_TREE_LEAF) {
            /* no hash tells the place of a lone leaf, and the next change would miss it */
            if (tw_tree_nibble(&slot->key_hash, depth) != n) b->bad = true;
            const tw_audit_leaf l = {slot->key_hash, slot->hash};
            *group_of(b, &l) -= span(w, i, &l, sizeof l);
        }
        if (slot->kind != TW_TREE_INNER) continue;
        if (depth + 1 == TW_TREE_DEPTH_MAX) {
            b->bad = true;
            return;
        }
        uint8_t *byte = &path.bytes[depth / 2];
        *byte = (uint8_t)(depth % 2 == 0 ? n << 4 : (*byte & 0xf0) | n);
        const size_t size = tw_tree_node_key(slot->version, &path, depth + 1, below);
        b->sums.links += link_of(w, i, tw_bytes_of(below, size), &slot->hash);
    }
}

/* From when until when a node of the part was in the tree. */
static tw_status add_node(whole *w, tw_bytes key, tw_bytes value)
{
    tw_audit *a = w->audit;
    const uint64_t name = digest(w, 0, key.data, key.size);
    if (!in_part(w, name)) return TW_OK;
    const death *end = place_of(w, name);
    item i = {.key = key, .value = value, .from = tw_load_u64(key.data), .until = end->height};
    if (i.from < a->oldest) i.from = a->oldest;
    w->bad = i.from > a->head.height || (i.until != 0 && i.until <= i.from);
    if (w->bad) return TW_OK;
    w->met += i.until != 0;
    tw_audit_step(a, "nodes", ++a->nodes);
    if (key.data[8] == 0) { /* together they can stand for each height once */
        w->heights += (i.until != 0 ? i.until : a->head.height + 1) - i.from;
        w->bad = w->heights > a->head.height - a->oldest + 1;
    }
    return w->bad ? TW_OK : add(w, &i);
}

static tw_status read_nodes(whole *w)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    TW_TRY(tw_iter_open_scan(w->audit->store, TW_TABLE_NODE, &iter));
    tw_status status = tw_iter_first(iter);
    while (status == TW_OK && !w->bad && tw_iter_here(iter, &key, &value)) {
        w->bad = key.size <= 8 || tw_tree_node_key_size(key) != key.size;
        if (!w->bad) status = add_node(w, key, value);
        if (status == TW_OK) status = tw_iter_next(iter);
    }
    tw_iter_close(iter);
    if (status == TW_OK) status = finish(w);
    if (w->met != w->death_count) w->doubts->nodes = true; /* one that is listed is missing */
    return status;
}

static tw_status look_at_part(whole *w)
{
    memset(w->deaths, 0, w->slots * sizeof *w->deaths);
    w->death_count = w->met = 0;
    TW_TRY(read_stale(w));
    return w->bad ? TW_OK : read_nodes(w);
}

static tw_status look_at_nodes(whole *w)
{
    w->audit->nodes = 0;
    w->counting = true;
    w->death_max = 0;
    TW_TRY(read_stale(w));
    if (w->bad) return TW_OK;
    w->counting = false;
    w->work = work_node;
    const size_t all = w->death_max;
    for (w->bits = 0; w->bits < TW_AUDIT_PART_BITS_MAX; w->bits++) {
        w->death_max = w->bits == 0 ? all : (all >> w->bits) * 3 / 2 + NAMES_MIN / 2;
        for (w->slots = NAMES_MIN; w->slots < w->death_max + w->death_max / 3;) w->slots *= 2;
        if (w->slots <= NAMES_MIN || w->slots * sizeof *w->deaths <= w->audit->memory_max) break;
    }
    w->deaths = tw_mem_new(w->slots * sizeof *w->deaths);
    tw_status status = w->deaths != NULL ? TW_OK : TW_ERR_MEMORY;
    const uint32_t parts = (uint32_t)1 << w->bits;
    for (w->number = 0; w->number < parts && status == TW_OK; w->number++) {
        status = look_at_part(w);
        if (status != TW_OK || w->bad) break;
    }
    tw_mem_free(w->deaths);
    w->deaths = NULL;
    return status;
}

static tw_status look(whole *w)
{
    TW_TRY(read_roots(w));
    if (!w->bad) TW_TRY(look_at_state(w));
    if (!w->bad) TW_TRY(look_at_nodes(w));
    tw_audit_doubts *d = w->doubts;
    d->nodes = d->nodes || w->sums.links != 0 || w->sums.roots != 0;
    d->past = w->sums.past != 0;
    d->any = d->keys || d->nodes || d->past;
    for (size_t i = 0; i < TW_AUDIT_GROUPS; i++) {
        d->values[i] = w->sums.values[i] != 0;
        d->any = d->any || d->values[i];
    }
    return TW_OK;
}

tw_status tw_audit_whole(tw_audit *audit, tw_audit_doubts *ret_doubts)
{
    whole w = {.audit = audit, .doubts = ret_doubts};
    tw_status status = TW_OK;
    *ret_doubts = (tw_audit_doubts){0};
    /* Without a salt the sums still tell damage. */
    if (getrandom(&w.salt, sizeof w.salt, 0) != (ssize_t)sizeof w.salt) w.salt = 0;
    w.crew = tw_crew_new(tw_crew_processors() > 1 ? 1 : 0);
    if (w.crew == NULL) status = TW_ERR_MEMORY;
    for (size_t i = 0; i < RING && status == TW_OK; i++) {
        w.ring[i] = tw_mem_new(sizeof *w.ring[i]);
        if (w.ring[i] == NULL) status = TW_ERR_MEMORY;
        if (status == TW_OK) w.ring[i]->whole = &w;
    }
    if (status == TW_OK) status = look(&w);
    for (size_t i = 0; i < RING; i++) {
        if (w.ring[i] != NULL && w.ring[i]->given) (void)tw_crew_drop(w.crew, &w.ring[i]->job);
        tw_mem_free(w.ring[i]);
    }
    tw_crew_free(w.crew);
    if (status == TW_ERR_MEMORY) return status;
    if (status != TW_OK || w.bad) ret_doubts->any = ret_doubts->all = true;
    return TW_OK;
}
