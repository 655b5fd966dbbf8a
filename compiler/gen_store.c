/* gen_store -- places, maps and lists.
 *
 * A place is opened before it is changed: its part in the frame is found or loaded, and what has to
 * be written back afterwards is noted from the inside out, so that `m[k].xs[i].f = v` loads the
 * value of k, takes element i out of its list, changes the field, and puts both back. Keys and
 * indexes are computed once, when the place is opened.
 */
#include "compiler/gen.h"

#include <assert.h>

/* ------------------------------------------------------------------ opening */

static twc_gen_back *note_back(twc_gen *g, const twc_gen_back *outer, tw_op op)
{
    twc_gen_back *back = TW_NEW(g->arena, twc_gen_back);
    if (back == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return NULL;
    }
    *back = (twc_gen_back){.outer = outer, .op = op};
    return back;
}

/* A slot of its own for what the place's body may change before the place is closed. */
uint32_t twc_gen_own(twc_gen *g, const twc_expr *expr)
{
    const uint32_t before = g->top;
    const uint32_t slots = twc_gen_slots(g, expr->type);
    const uint32_t at = twc_gen_value(g, expr);
    if (at >= before) return at;
    const uint32_t copy = twc_gen_slots_take(g, slots);
    twc_emit_move(g, copy, at, slots);
    return copy;
}

/* The jump that lets only a count above the index go on. */
static uint32_t fixed_element(twc_gen *g, const twc_type *list, uint32_t at, int64_t index)
{
    twc_label there = twc_label_new();
    twc_emit_jump_imm(g, TW_OP_JGTI, at, index, &there);
    twc_emit_last(g, TW_OP_TRAP, 0, TW_TRAP_BAD_INDEX);
    twc_label_place(g, &there);
    return at + 1 + (uint32_t)index * twc_gen_slots(g, list->element);
}

static uint32_t open_element(twc_gen *g, const twc_expr *expr, bool whole,
                             const twc_gen_back **ret_back)
{
    const twc_decl *store = expr->u.index.store;
    const twc_type *list = expr->u.index.object->type;
    const twc_expr *index = expr->u.index.index;
    twc_gen_back *back = NULL;
    uint32_t at = 0;
    if (store == NULL) {
        at = twc_gen_open(g, expr->u.index.object, false, ret_back);
        if (index->constant) return fixed_element(g, list, at, index->value);
    }
    const uint32_t key = twc_gen_own(g, index);
    const uint32_t value = twc_gen_slots_take(g, twc_gen_slots(g, expr->type));
    back = note_back(g, *ret_back, store != NULL ? TW_OP_STORE : TW_OP_PUT);
    if (back == NULL) return 0;
    back->part = expr;
    back->value = value;
    if (store != NULL) {
        back->key = key;
        back->x = store->index;
        if (!whole) twc_emit(g, TW_OP_LOAD, value, key, 0, back->x);
    } else {
        back->list = at;
        back->key = key;
        back->x = twc_gen_type(g, list);
        if (!whole) twc_emit(g, TW_OP_ITEM, value, at, key, back->x);
    }
    *ret_back = back;
    return value;
}

/* A thing's record, to be stored under its key. */
static uint32_t open_thing(twc_gen *g, const twc_expr *expr, const twc_gen_back **ret_back)
{
    twc_gen_thing at;
    const uint32_t value = twc_gen_thing_load(g, expr, &at);
    twc_gen_back *back = note_back(g, NULL, TW_OP_STORE);
    if (back == NULL) return 0;
    back->part = expr;
    back->value = value;
    back->key = at.key;
    back->x = at.registry;
    if (at.key < value) { /* the key lives somewhere, and that may change before the store */
        const uint32_t slots = twc_gen_slots(g, expr->type->decl->u.fields.home->u.store.key);
        back->key = twc_gen_slots_take(g, slots);
        twc_emit_move(g, back->key, at.key, slots);
    }
    *ret_back = back;
    return value;
}

static uint32_t open_name(twc_gen *g, const twc_expr *expr, bool whole,
                          const twc_gen_back **ret_back)
{
    const twc_decl *decl = expr->u.name.decl;
    if (decl->kind == TWC_D_VAR) {
        const uint32_t home = whole ? decl->slot : twc_gen_home(g, decl);
        twc_gen_back *back = note_back(g, *ret_back, TW_OP_STORE);
        if (back != NULL) back->var = decl;
        *ret_back = back;
        return home;
    }
    if (decl->kind == TWC_D_LOCAL && decl->loop != NULL) *ret_back = twc_gen_loop_back(g, decl);
    return decl->slot;
}

uint32_t twc_gen_open(twc_gen *g, const twc_expr *place, bool whole, const twc_gen_back **ret_back)
{
    if (g->failed) return 0;
    if (place->kind == TWC_E_INDEX && place->type->kind == TWC_TYPE_ASSET) {
        return open_thing(g, place, ret_back);
    }
    if (place->kind == TWC_E_INDEX) return open_element(g, place, whole, ret_back);
    if (place->kind == TWC_E_FIELD) {
        const twc_expr *object = place->u.field.object;
        const uint32_t at = twc_gen_open(g, object, false, ret_back);
        return at + twc_gen_offset(g, object->type, place->u.field.decl);
    }
    if (place->kind == TWC_E_CONVERT && place->u.convert.conversion == TWC_CONV_UNWRAP) {
        return twc_gen_open(g, place->u.convert.value, false, ret_back) + 1;
    }
    if (place->kind == TWC_E_NAME && twc_gen_is_place(place)) {
        return open_name(g, place, whole, ret_back);
    }
    return twc_gen_value(g, place); /* a value that no place holds: of a loop over it */
}

void twc_gen_close(twc_gen *g, const twc_gen_back *back)
{
    for (; back != NULL; back = back->outer) {
        if (back->var != NULL) {
            twc_gen_store(g, back->var);
        } else if (back->op == TW_OP_STORE) {
            twc_emit(g, TW_OP_STORE, back->value, back->key, 0, back->x);
        } else {
            twc_emit(g, TW_OP_PUT, back->list, back->value, back->key, back->x);
        }
    }
}

/* ------------------------------------------------------------------ values */

uint32_t twc_gen_element(twc_gen *g, const twc_expr *expr)
{
    for (const twc_gen_back *back = g->open; back != NULL; back = back->outer) {
        if (back->part == expr) return back->value; /* `place += v` reads what it has opened */
    }
    if (expr->type->kind == TWC_TYPE_ASSET) {
        twc_gen_thing at;
        return twc_gen_thing_load(g, expr, &at);
    }
    const twc_decl *store = expr->u.index.store;
    const twc_expr *object = expr->u.index.object;
    const twc_expr *index = expr->u.index.index;
    if (store == NULL && index->constant) {
        return fixed_element(g, object->type, twc_gen_value(g, object), index->value);
    }
    const uint32_t result = twc_gen_slots_take(g, twc_gen_slots(g, expr->type));
    const uint32_t mark = g->top;
    if (store != NULL) {
        twc_emit(g, TW_OP_LOAD, result, twc_gen_value(g, index), 0, store->index);
    } else {
        const uint32_t list = twc_gen_value(g, object);
        const uint32_t at = twc_gen_value(g, index);
        twc_emit(g, TW_OP_ITEM, result, list, at, twc_gen_type(g, object->type));
    }
    g->top = mark;
    return result;
}

/* `k in m` and `x in xs` as 0 or 1 */
void twc_gen_in(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_decl *store = expr->u.in.store;
    if (store != NULL) {
        twc_emit(g, TW_OP_EXISTS, dst, twc_gen_value(g, expr->u.in.value), 0, store->index);
        return;
    }
    const uint32_t value = twc_gen_value(g, expr->u.in.value);
    const uint32_t list = twc_gen_value(g, expr->u.in.set);
    twc_emit(g, TW_OP_FIND, dst, list, value, twc_gen_type(g, expr->u.in.set->type));
}

/* top(map by field, n) */
void twc_gen_top(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_decl *map = expr->u.call.decl;
    const uint16_t type = twc_gen_type(g, expr->type);
    twc_emit(g, TW_OP_TOP, dst, 0, type, TW_MEMBERS_MAX * map->index + expr->u.call.field->index);
}

/* ------------------------------------------------------------------ statements */

void twc_gen_push(twc_gen *g, const twc_stmt *stmt)
{
    const twc_gen_back *back = NULL;
    const uint32_t list = twc_gen_open(g, stmt->u.push.to, false, &back);
    const uint32_t value = twc_gen_value(g, stmt->u.push.value);
    twc_emit(g, TW_OP_PUSH, list, value, 0, twc_gen_type(g, stmt->u.push.to->type));
    twc_gen_close(g, back);
}

void twc_gen_remove(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *thing = stmt->u.thing.thing;
    const twc_gen_back *back = NULL;
    if (thing->kind == TWC_E_NAME) {
        twc_gen_loop_remove(g, thing->u.name.decl);
    } else if (thing->u.index.store != NULL) {
        const uint32_t key = twc_gen_value(g, thing->u.index.index);
        twc_emit(g, TW_OP_REMOVE, 0, key, 0, thing->u.index.store->index);
    } else {
        const uint32_t list = twc_gen_open(g, thing->u.index.object, false, &back);
        const uint32_t index = twc_gen_value(g, thing->u.index.index);
        twc_emit(g, TW_OP_DROP, list, index, 0, twc_gen_type(g, thing->u.index.object->type));
        twc_gen_close(g, back);
    }
}
