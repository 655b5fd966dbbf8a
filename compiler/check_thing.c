/* check_thing -- assets, their registries, and the verbs that act on things.
 *
 * An asset is never a value: an expression of an ASSET type is the place of a thing, of which the
 * fields are values. Such a place is an INDEX of a registry, an INDEX by key of a list of things,
 * or the binder of a loop; twc_check_expr refuses it wherever a value is wanted. A binder's fields
 * are a copy in the frame, so inside of a loop over things of an asset only the loop's own one may
 * change: otherwise two copies of one thing could be on their way.
 */
#include "compiler/check.h"

bool twc_check_is_things(const twc_type *type)
{
    return type->kind == TWC_TYPE_LIST && type->element->kind == TWC_TYPE_ASSET;
}

const twc_type *twc_check_thing_key(const twc_check *c, const twc_type *asset)
{
    const twc_decl *home = asset->decl->u.fields.home;
    return home != NULL && home->u.store.key != NULL ? home->u.store.key : c->error;
}

/* ------------------------------------------------------------------ declarations */

const twc_type *twc_check_asset_field(twc_check *c, const twc_type_name *name)
{
    const twc_type_name *element = name->element;
    twc_decl *asset = element != NULL && element->word != NULL ? element->word->global : NULL;
    if (asset == NULL || asset->kind != TWC_D_ASSET || element->element != NULL ||
        element->optional || name->optional) {
        return NULL;
    }
    asset->used = true;
    return asset->bad ? c->error : twc_type_list(&c->types, asset->type, name->max);
}

void twc_check_registry(twc_check *c, twc_decl *decl)
{
    twc_decl *asset = twc_check_find(c, decl->u.store.asset, decl->u.store.asset_span, TWC_D_ASSET);
    decl->u.store.key = c->error;
    decl->u.store.element = c->error;
    decl->bad |= asset == NULL || asset->bad;
    if (decl->bad) return;
    decl->u.store.asset_decl = asset;
    decl->u.store.element = asset->type;
    if (asset->u.fields.home != NULL) {
        decl->bad = true;
        twc_check_fail_at(c, TWC_DIAG_REGISTRY, decl->name_span, asset->u.fields.home,
                          "a thing has one place for life: there is a registry of %s already",
                          asset->word->text);
        return;
    }
    asset->u.fields.home = decl;
    twc_decl *field = asset->u.fields.fields;
    while (field != NULL && field->word != decl->u.store.by) field = field->next;
    decl->u.store.by_field = field;
    if (field == NULL) {
        decl->bad = true;
        twc_check_fail_at(c, TWC_DIAG_NO_FIELD, decl->u.store.by_span, asset,
                          "asset %s has no field `%s`", asset->word->text, decl->u.store.by->text);
    } else if (twc_check_key_type(c, field->type, decl->u.store.by_span)) {
        decl->u.store.key = field->type;
    } else {
        decl->bad = true;
    }
}

/* Whether the asset is held, through whatever stands between, by a thing of its own kind. Assets
 * that are done hold none that is not. */
static bool is_done(const twc_decl *asset)
{
    for (const twc_decl *f = asset->u.fields.fields; f != NULL; f = f->next) {
        if (f->type == NULL || !twc_check_is_things(f->type)) continue;
        if (!f->type->element->decl->u.fields.done) return false;
    }
    return true;
}

static void check_cycles(twc_check *c)
{
    const twc_decl *left = NULL;
    for (bool more = true; more;) {
        more = false;
        left = NULL;
        for (twc_decl *d = c->contract->members; d != NULL; d = d->next) {
            if (d->kind != TWC_D_ASSET || d->u.fields.done) continue;
            d->u.fields.done = is_done(d);
            more |= d->u.fields.done;
            if (!d->u.fields.done && left == NULL) left = d;
        }
    }
    if (left == NULL) return;
    twc_check_fail(c, TWC_DIAG_ASSET_CYCLE, left->name_span,
                   "%s holds things that can hold it, or hold one that can\nleave out one of the "
                   "lists, and keep a key instead",
                   left->word->text);
}

void twc_check_assets(twc_check *c)
{
    if (c->diags->error_count > 0) return; /* a registry may be what was reported */
    for (const twc_decl *d = c->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_ASSET) continue;
        for (const twc_decl *f = d->u.fields.fields; f != NULL; f = f->next) {
            if (!twc_check_is_things(f->type)) continue;
            const twc_decl *asset = f->type->element->decl;
            if (asset->u.fields.home != NULL) continue;
            twc_check_fail_at(c, TWC_DIAG_REGISTRY, f->name_span, asset,
                              "%s has no registry, so there are none to attach\nwrite `registry "
                              "r : %s by key max 1_000`",
                              asset->word->text, asset->word->text);
            return;
        }
    }
    check_cycles(c);
}

/* ------------------------------------------------------------------ things */

twc_expr *twc_check_thing(twc_check *c, twc_expr *expr, const char *what)
{
    expr = twc_check_part(c, expr, NULL);
    if (expr->type->kind == TWC_TYPE_ASSET || expr->type == c->error) return expr;
    return twc_check_refuse(c, expr, TWC_DIAG_NOT_A_THING, expr->span,
                            "%s takes a thing, and this is %s\na thing is `registry[key]`, "
                            "`y.list[key]`, or what a loop goes over",
                            what, twc_check_text(c, expr->type));
}

twc_expr *twc_check_thing_index(twc_check *c, twc_expr *expr)
{
    const twc_type *asset = expr->u.index.object->type->element;
    expr->u.index.index =
        twc_check_value(c, expr->u.index.index, twc_check_thing_key(c, asset), "the key");
    expr->type = asset;
    return expr;
}

bool twc_check_is_thing_word(const twc_expr *left, twc_of *ret_which)
{
    const twc_word *word = left->kind == TWC_E_NAME ? left->u.name.word : NULL;
    if (word == NULL || word->local != NULL) return false;
    /* a role may well be called owner */
    if (word->global != NULL && word->global->kind != TWC_D_ROLE) return false;
    const bool history = word->keyword == TWC_W_history;
    *ret_which = history                            ? TWC_OF_HISTORY
                 : twc_check_word_is(word, "owner") ? TWC_OF_OWNER
                                                    : TWC_OF_MAKER;
    return history || *ret_which == TWC_OF_OWNER || twc_check_word_is(word, "maker");
}

twc_expr *twc_check_thing_of(twc_check *c, twc_expr *expr, twc_of which)
{
    if (which == TWC_OF_HISTORY) {
        return twc_check_refuse(c, expr, TWC_DIAG_NOT_HERE, expr->span,
                                "history is only written: contract code can't read it\ntests may "
                                "`count(history of x)`");
    }
    twc_expr *thing =
        twc_check_thing(c, expr->u.of.right, which == TWC_OF_OWNER ? "`owner of`" : "`maker of`");
    expr->u.of.right = thing;
    expr->u.of.which = which;
    expr->type = thing->type == c->error ? c->error : c->account;
    return expr;
}

/* ------------------------------------------------------------------ what may change */

static bool is_own(const twc_expr *thing, const twc_open_loop *loop)
{
    return thing->kind == TWC_E_NAME && thing->u.name.decl == loop->stmt->u.loop.binder;
}

/* Inside of a loop over things of this kind only its own one changes. */
static bool check_loops(twc_check *c, twc_span span, const twc_expr *thing)
{
    for (const twc_open_loop *loop = c->loop; loop != NULL; loop = loop->outer) {
        if (loop->stmt->kind != TWC_S_FOR) continue;
        const twc_decl *binder = loop->stmt->u.loop.binder;
        if (binder->type != thing->type || is_own(thing, loop)) continue;
        twc_check_fail_at(c, TWC_DIAG_LOOP_CHANGE, span, binder,
                          "a loop goes over things of this kind, and this may be one of them\n"
                          "act on `%s`, or do this after the loop",
                          binder->word->text);
        return false;
    }
    return true;
}

bool twc_check_thing_change(twc_check *c, const twc_expr *place)
{
    const twc_expr *part = place;
    const twc_decl *field = NULL;
    if (place->type->kind == TWC_TYPE_ASSET || twc_check_is_things(place->type)) {
        const bool list = place->type->kind == TWC_TYPE_LIST;
        twc_check_fail(c, TWC_DIAG_NOT_ASSIGNABLE, place->span,
                       list ? "a list of things changes only by `attach` and `detach`"
                            : "a thing is no value: assign to its fields");
        return false;
    }
    while (part->type->kind != TWC_TYPE_ASSET) {
        if (part->kind == TWC_E_FIELD) {
            field = part->u.field.decl;
            part = part->u.field.object;
        } else if (part->kind == TWC_E_CONVERT) {
            part = part->u.convert.value;
        } else if (part->kind == TWC_E_INDEX && part->u.index.store == NULL) {
            part = part->u.index.object;
        } else {
            return true; /* in no thing */
        }
    }
    const twc_decl *home = part->type->decl->u.fields.home;
    if (home != NULL && home->u.store.by_field == field) {
        twc_check_fail_at(c, TWC_DIAG_NOT_ASSIGNABLE, place->span, home,
                          "a thing stays under its key for life");
        return false;
    }
    return check_loops(c, place->span, part);
}

/* ------------------------------------------------------------------ statements */

void twc_check_create(twc_check *c, twc_stmt *stmt)
{
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    if (!(c->can & TWC_CAN_CALLER)) {
        twc_check_fail(c, TWC_DIAG_NOT_HERE, stmt->span,
                       "%s can't create things: who calls an action is their maker", c->where);
        return;
    }
    twc_decl *asset =
        twc_check_find(c, stmt->u.create.asset, stmt->u.create.asset_span, TWC_D_ASSET);
    twc_decl *registry =
        twc_check_find(c, stmt->u.create.registry, stmt->u.create.registry_span, TWC_D_REGISTRY);
    stmt->u.create.registry_decl = registry;
    stmt->u.create.owner = twc_check_value(c, stmt->u.create.owner, c->account, "the owner");
    if (asset == NULL || asset->bad) return;
    twc_check_args(c, &stmt->u.create.args, asset->u.fields.fields, stmt->u.create.asset_span,
                   asset->word->text);
    if (registry == NULL || registry->bad) return;
    if (registry->u.store.asset_decl != asset) {
        twc_check_fail_at(c, TWC_DIAG_REGISTRY, stmt->u.create.registry_span, registry,
                          "`%s` holds things of asset %s", registry->word->text,
                          registry->u.store.asset->text);
    }
    for (const twc_open_loop *loop = c->loop; loop != NULL; loop = loop->outer) {
        if (loop->stmt->kind != TWC_S_FOR || loop->stmt->u.loop.store != registry) continue;
        twc_check_fail_at(c, TWC_DIAG_LOOP_CHANGE, stmt->span, loop->stmt->u.loop.binder,
                          "a loop goes over `%s`: do this after the loop", registry->word->text);
    }
}

static void check_attach(twc_check *c, twc_stmt *stmt, const twc_expr *thing)
{
    twc_expr *to = twc_check_part(c, stmt->u.thing.to, NULL);
    stmt->u.thing.to = to;
    if (to->type == c->error || thing->type == c->error) return;
    if (!twc_check_is_things(to->type)) {
        twc_check_fail(c, TWC_DIAG_NOT_A_THING, to->span,
                       "`attach` adds to a list of things, this is %s\nwrite `attach x to y.list`",
                       twc_check_text(c, to->type));
    } else if (to->type->element != thing->type) {
        twc_check_mismatch(c, thing->span, "what is attached here", to->type->element, thing->type);
    } else if (check_loops(c, to->span, to->u.field.object)) {
        (void)twc_check_loops(c, to->span, to);
    }
}

void twc_check_verb(twc_check *c, twc_stmt *stmt)
{
    static const char *const verbs[] = {
        [TWC_S_GIVE] = "`give`",
        [TWC_S_ATTACH] = "`attach`",
        [TWC_S_DETACH] = "`detach`",
        [TWC_S_RETIRE] = "`retire`",
    };
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    twc_expr *thing = twc_check_thing(c, stmt->u.thing.thing, verbs[stmt->kind]);
    stmt->u.thing.thing = thing;
    if (stmt->kind == TWC_S_GIVE) {
        stmt->u.thing.to = twc_check_value(c, stmt->u.thing.to, c->account, "the new owner");
    }
    if (stmt->kind == TWC_S_ATTACH) check_attach(c, stmt, thing);
    if (thing->type == c->error || !check_loops(c, thing->span, thing)) return;
    const bool leaves = stmt->kind == TWC_S_DETACH || stmt->kind == TWC_S_RETIRE;
    if (leaves && thing->kind == TWC_E_NAME) twc_check_gone(c, stmt->span, thing->u.name.decl);
    const bool held = thing->kind == TWC_E_INDEX && thing->u.index.store == NULL;
    if (stmt->kind != TWC_S_DETACH || !held) return;
    const twc_expr *list = thing->u.index.object;
    if (check_loops(c, thing->span, list->u.field.object)) {
        (void)twc_check_loops(c, thing->span, list);
    }
}
