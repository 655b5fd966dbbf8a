/* gen_thing -- where things are, and what acts on them.
 *
 * A thing is its registry and its key: that is what the instructions take. Only a use of a field
 * loads its record. The binder of a loop holds a copy of the record; ATTACH and DETACH change a
 * record that the code at hand does not name, so after them each open copy that may be of a holder
 * is loaded anew.
 */
#include "compiler/gen.h"

twc_gen_thing twc_gen_thing_at(twc_gen *g, const twc_expr *thing)
{
    const twc_decl *home = thing->type->decl->u.fields.home;
    twc_gen_thing at = {.registry = home->index};
    if (thing->kind == TWC_E_NAME) {
        at.key = thing->u.name.decl->key_slot;
    } else if (thing->u.index.store != NULL) {
        at.key = twc_gen_value(g, thing->u.index.index);
    } else {
        const twc_expr *list = thing->u.index.object;
        const twc_gen_list held = twc_gen_list_at(g, list);
        at.key = twc_gen_value(g, thing->u.index.index);
        twc_emit(g, TW_OP_HELD, at.key, held.key, 0, held.x);
    }
    return at;
}

twc_gen_list twc_gen_list_at(twc_gen *g, const twc_expr *list)
{
    const twc_gen_thing holder = twc_gen_thing_at(g, list->u.field.object);
    return (twc_gen_list){holder.key, TW_MEMBERS_MAX * holder.registry + list->u.field.decl->index};
}

uint32_t twc_gen_thing_load(twc_gen *g, const twc_expr *thing, twc_gen_thing *ret_at)
{
    const uint32_t record = twc_gen_slots_take(g, twc_gen_slots(g, thing->type));
    *ret_at = twc_gen_thing_at(g, thing);
    twc_emit(g, TW_OP_LOAD, record, ret_at->key, 0, ret_at->registry);
    return record;
}

void twc_gen_thing_of(twc_gen *g, const twc_expr *expr, uint32_t dst)
{
    const twc_gen_thing at = twc_gen_thing_at(g, expr->u.of.right);
    const tw_op op = expr->u.of.which == TWC_OF_OWNER   ? TW_OP_OWNER
                     : expr->u.of.which == TWC_OF_MAKER ? TW_OP_MAKER
                                                        : TW_OP_LOGGED;
    twc_emit(g, op, dst, at.key, 0, at.registry);
}

/* ------------------------------------------------------------------ statements */

void twc_gen_create(twc_gen *g, const twc_stmt *stmt)
{
    const uint32_t record = twc_gen_slots_take(g, twc_gen_args_slots(g, stmt->u.create.args));
    twc_gen_args(g, stmt->u.create.args, record);
    const uint32_t owner = twc_gen_account(g, stmt->u.create.owner);
    twc_emit(g, TW_OP_CREATE, record, owner, 0, stmt->u.create.registry_decl->index);
}

/* The copies of records that say what they hold. */
static void load_anew(twc_gen *g, const twc_type *held)
{
    for (const twc_gen_loop *loop = g->loop; loop != NULL; loop = loop->outer) {
        const twc_decl *binder = loop->stmt->kind == TWC_S_FOR ? loop->stmt->u.loop.binder : NULL;
        if (binder == NULL || binder->type->kind != TWC_TYPE_ASSET) continue;
        const twc_decl *f = binder->type->decl->u.fields.fields;
        while (f != NULL && (f->type->kind != TWC_TYPE_LIST || f->type->element != held)) {
            f = f->next;
        }
        const uint32_t home = binder->type->decl->u.fields.home->index;
        if (f != NULL) twc_emit(g, TW_OP_LOAD, binder->slot, binder->key_slot, 0, home);
    }
}

void twc_gen_verb(twc_gen *g, const twc_stmt *stmt)
{
    const twc_expr *thing = stmt->u.thing.thing;
    const twc_gen_thing at = twc_gen_thing_at(g, thing);
    if (stmt->kind == TWC_S_GIVE) {
        const uint32_t owner = twc_gen_account(g, stmt->u.thing.to);
        twc_emit(g, TW_OP_GIVE, at.key, owner, 0, at.registry);
    } else if (stmt->kind == TWC_S_ATTACH) {
        const twc_gen_list to = twc_gen_list_at(g, stmt->u.thing.to);
        twc_emit(g, TW_OP_ATTACH, at.key, to.key, 0, to.x);
        load_anew(g, thing->type);
    } else if (stmt->kind == TWC_S_DETACH) {
        twc_emit(g, TW_OP_DETACH, at.key, 0, 0, at.registry);
        load_anew(g, thing->type);
    } else {
        twc_emit(g, TW_OP_RETIRE, at.key, 0, 0, at.registry);
    }
}

void twc_gen_log(twc_gen *g, const twc_stmt *stmt)
{
    const twc_gen_thing at = twc_gen_thing_at(g, stmt->u.notice.of);
    const uint32_t fields = twc_gen_slots_take(g, twc_gen_args_slots(g, stmt->u.notice.args));
    twc_gen_args(g, stmt->u.notice.args, fields);
    twc_emit(g, TW_OP_LOG, fields, at.key, stmt->u.notice.decl->index, at.registry);
}
