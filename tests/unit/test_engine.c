/* test_engine -- who stays in the cache of verified code: what is held, then what was used last;
 * and threads that want the same module at once. */
#include "tests/unit/module_fixture.h"
#include "vm/ledger/engine.h"

#include <pthread.h>

enum { MODULES = 4, ROUNDS = 400, SMALL = 1 };

/* Modules that differ in one immediate. */
typedef struct shelf {
    maker *makers[MODULES];
    tw_bytes modules[MODULES];
    tw_engine_key keys[MODULES];
    size_t bytes; /* that the code of one takes */
} shelf;

static const tw_code *get(tw_engine *e, const shelf *s, int i)
{
    const tw_code *code = NULL;
    tw_err err = {.status = TW_OK};
    cr_assert_eq(tw_engine_get(e, &s->keys[i], s->modules[i], &code, &err), TW_OK, "%s", err.text);
    cr_assert(tw_hash_equal(&code->hash, &s->keys[i].code));
    return code;
}

static bool is_there(tw_engine *e, const tw_engine_key *key)
{
    const tw_code *code = NULL;
    tw_engine_find(e, key, &code);
    tw_engine_release(e, code);
    return code != NULL;
}

static void shelf_fill(shelf *s)
{
    for (int i = 0; i < MODULES; i++) {
        const uint64_t code[] = {tw_insn_make30(TW_OP_LDI, 0, 0, i),
                                 tw_insn_make(TW_OP_RET, 0, 0, 0, 0)};
        s->makers[i] = maker_new(code, 2, false);
        cr_assert_eq(maker_facts(s->makers[i]), TW_OK);
        s->modules[i] = maker_bytes(s->makers[i]);
        s->keys[i] = (tw_engine_key){tw_module_hash(s->modules[i]), TW_SEMANTICS, TW_GAS_SCHEDULE};
    }
    tw_engine *e = tw_engine_new(0);
    cr_assert_not_null(e);
    tw_engine_release(e, get(e, s, 0));
    s->bytes = tw_engine_bytes(e);
    cr_assert_gt(s->bytes, s->modules[0].size);
    tw_engine_free(e);
}

static void shelf_empty(shelf *s)
{
    for (int i = 0; i < MODULES; i++) maker_free(s->makers[i]);
}

Test(engine, what_was_not_used_for_longest_goes)
{
    shelf s;
    shelf_fill(&s);
    tw_engine *e = tw_engine_new(3 * s.bytes);
    for (int i = 0; i < 3; i++) tw_engine_release(e, get(e, &s, i));
    cr_assert(is_there(e, &s.keys[0])); /* used again: 1 is the oldest now */
    tw_engine_release(e, get(e, &s, 3));
    cr_expect(is_there(e, &s.keys[0]));
    cr_expect_not(is_there(e, &s.keys[1]));
    cr_expect(is_there(e, &s.keys[2]) && is_there(e, &s.keys[3]));
    cr_expect_eq(tw_engine_bytes(e), 3 * s.bytes);
    tw_engine_free(e);
    shelf_empty(&s);
}

Test(engine, what_is_held_stays_over_the_limit)
{
    shelf s;
    shelf_fill(&s);
    tw_engine *e = tw_engine_new(SMALL); /* every code is larger */
    const tw_code *first = get(e, &s, 0);
    const tw_code *second = get(e, &s, 1);
    cr_expect_eq(get(e, &s, 0), first);
    cr_expect_eq(tw_engine_bytes(e), 2 * s.bytes);
    tw_engine_release(e, second);
    cr_expect_eq(tw_engine_bytes(e), s.bytes);
    tw_engine_release(e, first);
    cr_expect_eq(tw_engine_bytes(e), s.bytes, "it is held once more");
    tw_engine_release(e, first);
    cr_expect_eq(tw_engine_bytes(e), 0);
    tw_engine_release(e, NULL);
    tw_engine_free(e);
    tw_engine_free(NULL);
    shelf_empty(&s);
}

Test(engine, other_semantics_or_gas_is_another_code)
{
    shelf s;
    shelf_fill(&s);
    tw_engine *e = tw_engine_new(0);
    tw_engine_release(e, get(e, &s, 0));
    tw_engine_key key = s.keys[0];
    cr_expect(is_there(e, &key));
    key.semantics++;
    cr_expect_not(is_there(e, &key));
    key = s.keys[0];
    key.gas_schedule++;
    cr_expect_not(is_there(e, &key));
    tw_engine_free(e);
    shelf_empty(&s);
}

Test(engine, a_module_that_is_refused_leaves_nothing)
{
    shelf s;
    shelf_fill(&s);
    tw_engine *e = tw_engine_new(0);
    const tw_code *code = NULL;
    tw_err err = {.status = TW_OK};
    const tw_bytes cut = tw_bytes_of(s.modules[0].data, s.modules[0].size - 1);
    cr_expect_eq(tw_engine_get(e, &s.keys[0], cut, &code, &err), TW_REFUSED_MODULE);
    cr_expect_null(code);
    cr_expect_eq(tw_engine_bytes(e), 0);
    tw_engine_free(e);
    shelf_empty(&s);
}

typedef struct worker {
    tw_engine *engine;
    const shelf *shelf;
    int first;
    int wrong;
} worker;

/* No assertions here: they are for the test's own thread. */
static void *work(void *data)
{
    worker *w = data;
    tw_err err = {.status = TW_OK};
    for (int round = 0; round < ROUNDS; round++) {
        const int i = (w->first + round) % MODULES;
        const tw_code *code = NULL;
        const tw_status status =
            tw_engine_get(w->engine, &w->shelf->keys[i], w->shelf->modules[i], &code, &err);
        if (status != TW_OK || !tw_hash_equal(&code->hash, &w->shelf->keys[i].code)) w->wrong++;
        tw_engine_release(w->engine, code);
    }
    return NULL;
}

Test(engine, threads_share_it)
{
    shelf s;
    shelf_fill(&s);
    tw_engine *e = tw_engine_new(2 * s.bytes); /* so that they drop each other's codes too */
    worker workers[2] = {{e, &s, 0, 0}, {e, &s, 0, 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_expect_eq(workers[i].wrong, 0);
    }
    cr_expect_leq(tw_engine_bytes(e), 2 * s.bytes);
    tw_engine_free(e);
    shelf_empty(&s);
}
