/* recall -- see the header.
 *
 * Rows lie one behind another in a ring of blocks, each with a header, its key and its value, and
 * are found by an index of sets: a set is one line of the processor's cache with eight places of
 * blocks. Once the ring is full a hand goes round it for room: a block that was asked for since the
 * hand came by loses one of its lives and stays, others go, and what lies beside one another
 * becomes one block. It looks at a few blocks only; when those all stay, the new row is not kept.
 */
#include "vm/state/recall.h"

#include "vm/base/arena.h"
#include "vm/base/hash.h"

#include <assert.h>
#include <string.h>

enum {
    GRAIN = 16, /* blocks begin and end at a multiple of it */
    WAYS = 8,
    SHARE = 16, /* one of so many bytes is for the index */
    SIZE_MIN = 4096,
    LIVES_MAX = 3,
    STAY_MAX = 8, /* blocks that the hand leaves before it gives up */
};

typedef struct block {
    uint64_t hash;
    uint32_t grains; /* of all of it */
    uint32_t value_size;
    uint16_t key_size;
    uint8_t lives;
    bool live; /* else it is only room */
} block;

static_assert(sizeof(block) > GRAIN && sizeof(block) <= (size_t)2 * GRAIN,
              "room is never one grain");

typedef struct place {
    uint32_t at; /* 1 + the grain where the block begins; 0: free */
    uint32_t tag;
} place;

struct tw_recall {
    uint8_t *ring;
    place *places; /* sets of WAYS */
    uint32_t set_count;
    uint32_t grains, filled; /* of the ring; behind `filled` nothing was ever put */
    uint32_t hand;
};

tw_recall *tw_recall_new(size_t size)
{
    const size_t most = (size_t)UINT32_MAX / 2 * GRAIN;
    if (size > most) size = most;
    if (size < SIZE_MIN) return NULL;
    tw_recall *r = tw_mem_new(sizeof *r);
    if (r == NULL) return NULL;
    r->set_count = (uint32_t)(size / SHARE / (WAYS * sizeof(place)));
    r->grains = (uint32_t)((size - size / SHARE) / GRAIN);
    r->places = tw_mem_new((size_t)r->set_count * WAYS * sizeof(place));
    r->ring = tw_mem_new((size_t)r->grains * GRAIN);
    if (r->places != NULL && r->ring != NULL) return r;
    tw_recall_free(r);
    return NULL;
}

void tw_recall_free(tw_recall *recall)
{
    if (recall == NULL) return;
    tw_mem_free(recall->places);
    tw_mem_free(recall->ring);
    tw_mem_free(recall);
}

static block *block_at(const tw_recall *r, uint32_t grain)
{
    return (block *)(void *)(r->ring + (size_t)grain * GRAIN);
}

static uint8_t *key_of(block *b)
{
    return (uint8_t *)(b + 1);
}

static place *set_of(const tw_recall *r, uint64_t hash)
{
    return r->places + ((hash >> 32) * r->set_count >> 32) * WAYS;
}

/* The place of a key, or NULL. */
static place *find(const tw_recall *r, tw_bytes key, uint64_t hash)
{
    place *set = set_of(r, hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].at == 0 || set[i].tag != (uint32_t)hash) continue;
        block *b = block_at(r, set[i].at - 1);
        if (b->key_size == key.size && memcmp(key_of(b), key.data, key.size) == 0) return &set[i];
    }
    return NULL;
}

bool tw_recall_get(tw_recall *recall, tw_bytes key, tw_bytes *ret_value)
{
    const place *p = find(recall, key, tw_hash_table(key.data, key.size));
    if (p == NULL) return false;
    block *b = block_at(recall, p->at - 1);
    if (b->lives < LIVES_MAX) b->lives++;
    *ret_value = tw_bytes_of(key_of(b) + b->key_size, b->value_size);
    return true;
}

/* The block at this place is only room from now on. */
static void clear_place(tw_recall *r, place *p)
{
    block_at(r, p->at - 1)->live = false;
    *p = (place){0};
}

static void clear_block(tw_recall *r, uint32_t grain)
{
    place *set = set_of(r, block_at(r, grain)->hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].at == grain + 1) clear_place(r, &set[i]);
    }
}

static void make_room(tw_recall *r, uint32_t grain, uint32_t grains)
{
    if (grains > 0) *block_at(r, grain) = (block){.grains = grains};
}

/* Gathers `need` grains at the hand, which lies before them then; false when too much stays. */
static bool gather(tw_recall *r, uint32_t need, uint32_t *ret_grains)
{
    uint32_t got = 0;
    for (int stayed = 0; got < need;) {
        const uint32_t grain = r->hand + got;
        block *b = grain < r->filled ? block_at(r, grain) : NULL;
        if (b != NULL && (!b->live || b->lives == 0)) {
            if (b->live) clear_block(r, grain);
            got += b->grains;
            continue;
        }
        if (b != NULL) b->lives--;
        make_room(r, r->hand, got);
        r->hand = b != NULL ? grain + b->grains : 0;
        got = 0;
        if (++stayed == STAY_MAX) return false;
    }
    *ret_grains = got;
    return true;
}

/* A block of at least `need` grains, not yet in the index; NULL: there is no room. */
static block *take(tw_recall *r, uint32_t need)
{
    uint32_t grains = need;
    if (need <= r->grains - r->filled) {
        block *fresh = block_at(r, r->filled);
        *fresh = (block){.grains = need};
        r->filled += need;
        return fresh;
    }
    if (!gather(r, need, &grains)) return NULL;
    block *b = block_at(r, r->hand);
    const bool rest = grains - need > 1;
    if (rest) make_room(r, r->hand + need, grains - need);
    *b = (block){.grains = rest ? need : grains};
    r->hand += b->grains;
    return b;
}

/* A place in the set of a hash, free now. */
static place *free_place(tw_recall *r, uint64_t hash)
{
    place *set = set_of(r, hash);
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].at == 0) return &set[i];
    }
    place *p = &set[hash % WAYS];
    clear_place(r, p);
    return p;
}

uint8_t *tw_recall_put(tw_recall *recall, tw_bytes key, size_t size)
{
    assert(key.size > 0 && key.size <= UINT16_MAX);
    const uint64_t hash = tw_hash_table(key.data, key.size);
    const size_t most = (size_t)recall->grains * GRAIN / SHARE;
    const size_t bytes = sizeof(block) + key.size;
    place *p = find(recall, key, hash);
    if (bytes > most || size > most - bytes) {
        if (p != NULL) clear_place(recall, p);
        return NULL;
    }
    const uint32_t need = (uint32_t)((bytes + size + GRAIN - 1) / GRAIN);
    block *b = p != NULL ? block_at(recall, p->at - 1) : NULL;
    if (b == NULL || b->grains < need || b->grains / 2 > need) {
        if (p != NULL) clear_place(recall, p);
        b = take(recall, need);
        if (b == NULL) return NULL;
        p = free_place(recall, hash);
        const size_t at = (size_t)((uint8_t *)b - recall->ring) / GRAIN;
        *p = (place){.at = (uint32_t)at + 1, .tag = (uint32_t)hash};
        b->hash = hash;
        b->key_size = (uint16_t)key.size;
        b->live = true;
        memcpy(key_of(b), key.data, key.size);
    }
    b->value_size = (uint32_t)size;
    return key_of(b) + key.size;
}

void tw_recall_drop(tw_recall *recall, tw_bytes key)
{
    place *p = find(recall, key, tw_hash_table(key.data, key.size));
    if (p != NULL) clear_place(recall, p);
}
