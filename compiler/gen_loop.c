/* gen_loop -- `repeat` and `for each`.
 *
 * A loop over a map takes its size once and goes from key to key; the key stands in slots of its
 * own, so an element that is removed is no hindrance. A loop over a list keeps the list where it
 * stands, or a copy of it, and the position in it. The element is copied to the binder's slots at
 * the start of each round, unless only its key is looked at, and written back at each change.
 * Variables whose home held their value before a loop hold it at the start of each round, because
 * every change of them changes the home; what is loaded inside of a body is not known to be there
 * behind it.
 */
#include "compiler/gen.h"

#include <assert.h>

/* ------------------------------------------------------------------ rounds */

/* Begins the rounds: `count` of them, at most `max`. False when there are none to generate. */
static bool begin(twc_gen *g, const twc_stmt *stmt, twc_gen_loop *loop, uint32_t count, int64_t max)
{
    uint32_t depth = 1;
    for (const twc_gen_loop *l = g->loop; l != NULL; l = l->outer) depth++;
    twc_gen_over_limit(g, stmt->span, "loops inside each other", depth, TW_LOOP_NEST_MAX);
    if (g->dead || g->failed) return false;
    loop->stmt = stmt;
    loop->outer = g->loop;
    loop->next = twc_label_new();
    twc_emit_imm30(g, TW_OP_LOOP, loop->round, count, max);
    loop->before = g->known;
    g->loop = loop;
    return true;
}

/* The caller, whose memory the loop is in, takes it out of g->loop. */
static void end(twc_gen *g, twc_gen_loop *loop)
{
    twc_label_place(g, &loop->next);
    g->dead = false; /* the end of a body stands there even if nothing comes to it */
    if (loop->drops) twc_emit_imm30(g, TW_OP_ADDI, loop->position, loop->position, 1);
    twc_emit(g, TW_OP_END, 0, 0, 0, 0);
    g->known = loop->before;
}

void twc_gen_repeat(twc_gen *g, const twc_stmt *stmt)
{
    twc_gen_loop loop = {.round = twc_gen_slots_take(g, 2)};
    twc_emit_constant(g, loop.round + 1, stmt->u.repeat.times);
    if (!begin(g, stmt, &loop, loop.round + 1, stmt->u.repeat.times)) return;
    twc_gen_block(g, &stmt->u.repeat.body);
    end(g, &loop);
    g->loop = loop.outer;
}

void twc_gen_skip(twc_gen *g, const twc_stmt *stmt)
{
    (void)stmt;
    twc_emit_jump(g, TW_OP_JMP, 0, 0, &g->loop->next);
}

/* ------------------------------------------------------------------ for each */

static void body(twc_gen *g, const twc_stmt *stmt, twc_gen_loop *loop)
{
    const twc_decl *binder = stmt->u.loop.binder;
    const uint32_t locals = g->local_count;
    twc_gen_local_open(g, binder->word->text, binder->type, binder->slot);
    twc_gen_block(g, &stmt->u.loop.body);
    twc_gen_locals_close(g, locals);
    end(g, loop);
}

/* The binder's value, not only its key. */
typedef struct binder_use {
    const twc_decl *binder;
    bool value;
} binder_use;

static void note_value(void *data, const twc_expr *expr)
{
    binder_use *use = data;
    if (expr->kind == TWC_E_NAME && expr->u.name.decl == use->binder) use->value = true;
}

static void over_store(twc_gen *g, const twc_stmt *stmt)
{
    const twc_decl *store = stmt->u.loop.store;
    twc_decl *binder = stmt->u.loop.binder;
    twc_gen_loop loop = {.round = twc_gen_slots_take(g, 2)};
    binder->key_slot = twc_gen_slots_take(g, twc_gen_slots(g, store->u.store.key));
    binder->slot = twc_gen_slots_take(g, twc_gen_slots(g, binder->type));
    twc_emit(g, TW_OP_SIZE, loop.round + 1, 0, 0, store->index);
    if (!begin(g, stmt, &loop, loop.round + 1, store->u.store.max)) return;
    twc_emit(g, TW_OP_NEXT, binder->key_slot, loop.round, 0, store->index);
    binder_use use = {binder, false};
    const twc_visit visit = {.expr = note_value, .data = &use};
    twc_walk_block(&visit, &stmt->u.loop.body);
    if (use.value) twc_emit(g, TW_OP_LOAD, binder->slot, binder->key_slot, 0, store->index);
    body(g, stmt, &loop);
    g->loop = loop.outer;
}

/* The list of keys is copied: what leaves it meanwhile is no hindrance. */
static void over_things(twc_gen *g, const twc_stmt *stmt)
{
    const twc_type *things = stmt->u.loop.over->type;
    const twc_decl *home = things->element->decl->u.fields.home;
    twc_decl *binder = stmt->u.loop.binder;
    twc_gen_loop loop = {.stmt = stmt, .round = twc_gen_slots_take(g, 1)};
    loop.list = twc_gen_own(g, stmt->u.loop.over);
    binder->key_slot = twc_gen_slots_take(g, twc_gen_slots(g, home->u.store.key));
    binder->slot = twc_gen_slots_take(g, twc_gen_slots(g, binder->type));
    const uint16_t type = twc_gen_type(g, things);
    if (!begin(g, stmt, &loop, loop.list, things->max)) return;
    twc_emit(g, TW_OP_ITEM, binder->key_slot, loop.list, loop.round, type);
    twc_emit(g, TW_OP_LOAD, binder->slot, binder->key_slot, 0, home->index);
    body(g, stmt, &loop);
    g->loop = loop.outer;
}

static void note_drop(void *data, const twc_stmt *stmt)
{
    twc_gen_loop *loop = data;
    if (stmt->kind != TWC_S_REMOVE || stmt->u.thing.thing->kind != TWC_E_NAME) return;
    loop->drops |= stmt->u.thing.thing->u.name.decl == loop->stmt->u.loop.binder;
}

static void over_list(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *over = stmt->u.loop.over;
    twc_decl *binder = stmt->u.loop.binder;
    twc_gen_loop loop = {.stmt = stmt, .round = twc_gen_slots_take(g, 1)};
    const twc_visit visit = {.stmt = note_drop, .data = &loop};
    twc_walk_block(&visit, &stmt->u.loop.body);
    loop.position = loop.round;
    if (loop.drops) loop.position = twc_gen_slots_take(g, 1);
    loop.list = twc_gen_open(g, over, false, &loop.back);
    binder->slot = twc_gen_slots_take(g, twc_gen_slots(g, binder->type));
    const uint16_t type = twc_gen_type(g, over->type);
    if (loop.drops) twc_emit_constant(g, loop.position, 0);
    if (!begin(g, stmt, &loop, loop.list, over->type->max)) return;
    twc_emit(g, TW_OP_ITEM, binder->slot, loop.list, loop.position, type);
    body(g, stmt, &loop);
    g->loop = loop.outer;
}

void twc_gen_for(twc_gen *g, const twc_stmt *stmt)
{
    if (stmt->u.loop.store != NULL) {
        over_store(g, stmt);
    } else if (stmt->u.loop.binder->type->kind == TWC_TYPE_ASSET) {
        over_things(g, stmt);
    } else {
        over_list(g, stmt);
    }
}

/* ------------------------------------------------------------------ elements */

static const twc_gen_loop *loop_of(const twc_gen *g, const twc_decl *binder)
{
    const twc_gen_loop *loop = g->loop;
    while (loop != NULL && loop->stmt != binder->loop) loop = loop->outer;
    assert(loop != NULL);
    return loop;
}

const twc_gen_back *twc_gen_loop_back(twc_gen *g, const twc_decl *binder)
{
    const twc_gen_loop *loop = loop_of(g, binder);
    const bool thing = binder->type->kind == TWC_TYPE_ASSET;
    const twc_decl *store = thing ? binder->type->decl->u.fields.home : loop->stmt->u.loop.store;
    twc_gen_back *back = TW_NEW(g->arena, twc_gen_back);
    if (back == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return NULL;
    }
    *back = (twc_gen_back){.op = TW_OP_STORE, .value = binder->slot, .key = binder->key_slot};
    if (store != NULL) {
        back->x = store->index;
        return back;
    }
    back->op = TW_OP_PUT;
    back->outer = loop->back;
    back->list = loop->list;
    back->key = loop->position;
    back->x = twc_gen_type(g, loop->stmt->u.loop.over->type);
    return back;
}

void twc_gen_loop_remove(twc_gen *g, const twc_decl *binder)
{
    const twc_gen_loop *loop = loop_of(g, binder);
    const twc_decl *store = loop->stmt->u.loop.store;
    if (store != NULL) {
        twc_emit(g, TW_OP_REMOVE, 0, binder->key_slot, 0, store->index);
        return;
    }
    const uint16_t type = twc_gen_type(g, loop->stmt->u.loop.over->type);
    twc_emit(g, TW_OP_DROP, loop->list, loop->position, 0, type);
    twc_gen_close(g, loop->back);
    twc_emit_imm30(g, TW_OP_ADDI, loop->position, loop->position, -1); /* the round adds 1 */
}
