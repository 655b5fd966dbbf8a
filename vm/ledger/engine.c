/* engine -- see the header. A table of chains by the code's hash finds; a list from the newest use
 * to the oldest says who goes. Verifying happens outside the lock: two threads that meet a new
 * module at once both do the work, and the first one's result stays. */
#include "vm/ledger/engine.h"

#include <assert.h>
#include <pthread.h>

enum { CHAINS = 1024, BYTES_DEFAULT = 64 * 1024 * 1024 };

typedef struct entry {
    tw_engine_key key;
    tw_code *code;
    size_t bytes;
    uint32_t holders;
    struct entry *next;          /* of the chain */
    struct entry *newer, *older; /* by use */
} entry;

struct tw_engine {
    pthread_mutex_t lock;
    size_t bytes, bytes_max;
    entry *newest, *oldest;
    entry *chains[CHAINS];
};

tw_engine *tw_engine_new(size_t bytes_max)
{
    tw_engine *e = tw_mem_new(sizeof *e);
    if (e == NULL) return NULL;
    e->bytes_max = bytes_max > 0 ? bytes_max : BYTES_DEFAULT;
    if (pthread_mutex_init(&e->lock, NULL) == 0) return e;
    tw_mem_free(e);
    return NULL;
}

void tw_engine_free(tw_engine *e)
{
    if (e == NULL) return;
    for (entry *at = e->newest; at != NULL;) {
        entry *older = at->older;
        assert(at->holders == 0);
        tw_code_free(at->code);
        tw_mem_free(at);
        at = older;
    }
    (void)pthread_mutex_destroy(&e->lock);
    tw_mem_free(e);
}

static entry **chain_of(tw_engine *e, const tw_hash *code)
{
    return &e->chains[tw_load_u32(code->bytes) % CHAINS];
}

static bool same_key(const tw_engine_key *a, const tw_engine_key *b)
{
    return tw_hash_equal(&a->code, &b->code) && a->semantics == b->semantics &&
           a->gas_schedule == b->gas_schedule;
}

/* ---- under the lock ---- */

static void unlink_use(tw_engine *e, entry *at)
{
    *(at->newer != NULL ? &at->newer->older : &e->newest) = at->older;
    *(at->older != NULL ? &at->older->newer : &e->oldest) = at->newer;
}

static void link_newest(tw_engine *e, entry *at)
{
    at->newer = NULL;
    at->older = e->newest;
    *(e->newest != NULL ? &e->newest->newer : &e->oldest) = at;
    e->newest = at;
}

static void drop(tw_engine *e, entry *at)
{
    entry **link = chain_of(e, &at->key.code);
    while (*link != at) link = &(*link)->next;
    *link = at->next;
    unlink_use(e, at);
    e->bytes -= at->bytes;
    tw_code_free(at->code);
    tw_mem_free(at);
}

static void make_room(tw_engine *e)
{
    for (entry *at = e->oldest; at != NULL && e->bytes > e->bytes_max;) {
        entry *newer = at->newer;
        if (at->holders == 0) drop(e, at);
        at = newer;
    }
}

static const tw_code *hold(tw_engine *e, const tw_engine_key *key)
{
    entry *at = *chain_of(e, &key->code);
    while (at != NULL && !same_key(&at->key, key)) at = at->next;
    if (at == NULL) return NULL;
    at->holders++;
    unlink_use(e, at);
    link_newest(e, at);
    return at->code;
}

static void put_in(tw_engine *e, entry *at)
{
    entry **chain = chain_of(e, &at->key.code);
    at->next = *chain;
    *chain = at;
    link_newest(e, at);
    e->bytes += at->bytes;
    make_room(e);
}

/* ---- for all ---- */

static void lock(tw_engine *e)
{
    const int failed = pthread_mutex_lock(&e->lock);
    assert(failed == 0);
    (void)failed;
}

static void unlock(tw_engine *e)
{
    const int failed = pthread_mutex_unlock(&e->lock);
    assert(failed == 0);
    (void)failed;
}

void tw_engine_find(tw_engine *e, const tw_engine_key *key, const tw_code **ret_code)
{
    lock(e);
    *ret_code = hold(e, key);
    unlock(e);
}

tw_status tw_engine_get(tw_engine *e, const tw_engine_key *key, tw_bytes module,
                        const tw_code **ret_code, tw_err *err)
{
    const tw_code *found = NULL;
    tw_engine_find(e, key, &found);
    if (found != NULL) {
        *ret_code = found;
        return TW_OK;
    }
    tw_code *code = NULL;
    TW_TRY(tw_code_new(module, &key->code, &code, err));
    entry *made = tw_mem_new(sizeof *made);
    if (made == NULL) {
        tw_code_free(code);
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the code");
    }
    *made = (entry){.key = *key, .code = code, .bytes = tw_arena_used(code->arena), .holders = 1};
    lock(e);
    found = hold(e, key); /* another thread was faster */
    if (found == NULL) put_in(e, made);
    unlock(e);
    if (found != NULL) {
        tw_code_free(code);
        tw_mem_free(made);
    }
    *ret_code = found != NULL ? found : code;
    return TW_OK;
}

void tw_engine_release(tw_engine *e, const tw_code *code)
{
    if (code == NULL) return;
    lock(e);
    entry *at = *chain_of(e, &code->hash);
    while (at != NULL && at->code != code) at = at->next;
    assert(at != NULL && at->holders > 0);
    if (at != NULL) at->holders--;
    make_room(e);
    unlock(e);
}

size_t tw_engine_bytes(tw_engine *e)
{
    lock(e);
    const size_t bytes = e->bytes;
    unlock(e);
    return bytes;
}
