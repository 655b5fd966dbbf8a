/* ahead -- see the header. A ring of places, each with its arena; the oldest stands at `start`. The
 * place that was taken keeps its memory until the next one is. */
#include "vm/ledger/ahead.h"

#include <assert.h>
#include <string.h>

enum {
    PLACES = 1024,
    BYTES_MAX = 16 * 1024 * 1024,
    ARENA_MAX = 4 * 1024 * 1024, /* a transaction's lists are smaller than its bytes, doubled */
    ARENA_KEPT = 64 * 1024,
};

typedef struct place {
    tw_job job;
    const tw_hash *chain;
    tw_known *known;
    tw_arena *arena; /* made when the place is first used */
    uint8_t *bytes;  /* the copy */
    size_t size;
    tw_checked checked;
} place;

struct tw_ahead {
    tw_crew *crew;
    const tw_hash *chain;
    tw_known *known;
    uint32_t start, count;
    size_t bytes;  /* of the copies */
    place *taken;  /* out of the queue, in use by the caller; NULL */
    place *places; /* PLACES + 1, so that the taken one is never filled again */
};

static void check_pack(place *p)
{
    tw_checked *c = &p->checked;
    c->pack_decoded = tw_pack_decode(c->tx.pack, p->chain, p->arena, &c->pack);
    c->pack_good = c->pack_decoded == TW_OK &&
                   tw_known_verify(p->known, &c->pack.device, &c->pack.hash, &c->pack.signature);
}

/* The job: all that can be known from the bytes alone. */
static void check(void *context)
{
    place *p = context;
    tw_checked *c = &p->checked;
    c->decoded = tw_tx_decode(tw_bytes_of(p->bytes, p->size), p->arena, &c->tx);
    if (c->decoded != TW_OK) return;
    c->signatures = tw_tx_check_signatures(&c->tx, p->known);
    if (c->signatures != TW_OK) return;
    if (c->tx.kind == TW_TX_PACK) check_pack(p);
    /* Execution asks the same of a payee; it then finds the answer known. */
    if (c->tx.kind == TW_TX_TRANSFER) (void)tw_known_is_valid(p->known, &c->tx.payee);
}

tw_ahead *tw_ahead_new(tw_crew *crew, const tw_hash *chain, tw_known *known)
{
    tw_ahead *a = tw_mem_new(sizeof *a);
    if (a == NULL) return NULL;
    a->crew = crew;
    a->chain = chain;
    a->known = known;
    a->places = tw_mem_new((PLACES + 1) * sizeof *a->places);
    if (a->places != NULL) return a;
    tw_mem_free(a);
    return NULL;
}

void tw_ahead_free(tw_ahead *a)
{
    if (a == NULL) return;
    tw_ahead_forget(a);
    for (uint32_t i = 0; i <= PLACES; i++) tw_arena_free(a->places[i].arena);
    tw_mem_free(a->places);
    tw_mem_free(a);
}

/* Memory of a transaction goes; an arena that one of them made large goes too. */
static void empty(tw_ahead *a, place *p)
{
    a->bytes -= p->size;
    tw_mem_free(p->bytes);
    p->bytes = NULL;
    p->size = 0;
    if (tw_arena_used(p->arena) > ARENA_KEPT) {
        tw_arena_free(p->arena);
        p->arena = NULL;
    } else {
        tw_arena_clear(p->arena);
    }
}

static place *place_at(const tw_ahead *a, uint32_t index)
{
    return &a->places[(a->start + index) % (PLACES + 1)];
}

static place *pop(tw_ahead *a)
{
    place *first = place_at(a, 0);
    a->start = (a->start + 1) % (PLACES + 1);
    a->count--;
    return first;
}

void tw_ahead_release(tw_ahead *a)
{
    if (a->taken != NULL) empty(a, a->taken);
    a->taken = NULL;
}

static void give_up_first(tw_ahead *a)
{
    place *p = pop(a);
    (void)tw_crew_drop(a->crew, &p->job);
    empty(a, p);
}

void tw_ahead_forget(tw_ahead *a)
{
    tw_ahead_release(a);
    while (a->count > 0) give_up_first(a);
}

static bool fill(tw_ahead *a, place *p, tw_bytes transaction)
{
    if (p->arena == NULL) p->arena = tw_arena_new(ARENA_MAX);
    if (p->arena == NULL) return false;
    p->bytes = tw_mem_new(transaction.size);
    if (p->bytes == NULL) return false;
    memcpy(p->bytes, transaction.data, transaction.size);
    p->size = transaction.size;
    p->chain = a->chain;
    p->known = a->known;
    p->checked.pack_decoded = TW_ERR_INTERNAL; /* until it is */
    a->bytes += p->size;
    p->job.run = check;
    p->job.context = p;
    return true;
}

size_t tw_ahead_expect(tw_ahead *a, const tw_bytes *transactions, size_t count)
{
    size_t noted = 0;
    tw_ahead_release(a);
    for (; noted < count && a->count < PLACES; noted++) {
        const tw_bytes each = transactions[noted];
        place *p = place_at(a, a->count);
        /* Sizes that no transaction has are refused in their turn. */
        if (each.size == 0 || each.size > TW_TX_SIZE_MAX) continue;
        if (each.size > BYTES_MAX - a->bytes || !fill(a, p, each)) break;
        a->count++;
        tw_crew_give(a->crew, &p->job, false);
    }
    return noted;
}

bool tw_ahead_is_empty(const tw_ahead *a)
{
    return a->count == 0;
}

/* False when the job met a failure of this host, which the caller may not meet. */
static bool is_known(const tw_checked *c)
{
    if (c->decoded != TW_OK) return !tw_status_is_host_failure(c->decoded);
    if (c->signatures != TW_OK || c->tx.kind != TW_TX_PACK) return true;
    return !tw_status_is_host_failure(c->pack_decoded);
}

const tw_checked *tw_ahead_take(tw_ahead *a, tw_bytes transaction)
{
    uint32_t index = 0;
    tw_ahead_release(a);
    for (; index < a->count; index++) {
        const place *p = place_at(a, index);
        if (tw_bytes_equal(tw_bytes_of(p->bytes, p->size), transaction)) break;
    }
    if (index == a->count) return NULL;
    while (index-- > 0) give_up_first(a);
    a->taken = pop(a);
    tw_crew_wait(a->crew, &a->taken->job);
    return is_known(&a->taken->checked) ? &a->taken->checked : NULL;
}
