/* check_store -- maps, lists that change, and loops over both.
 *
 * The name of a map is no value: it stands in `m[k]`, `k in m`, `count(m)`, `top(m by f, n)` and
 * `for each x in m`, and each of them keeps the declaration in its node. What goes round in a loop
 * is a copy in the frame that is written back when it is changed, so inside of a loop its
 * collection changes only through it: twc_check_change looks at the loops that are open.
 */
#include "compiler/check.h"

#include <string.h>

/* ------------------------------------------------------------------ declarations */

static bool has_order(const twc_type *type)
{
    switch (type->kind) {
    case TWC_TYPE_BOOL:
    case TWC_TYPE_NUMBER:
    case TWC_TYPE_MONEY:
    case TWC_TYPE_TEXT:
    case TWC_TYPE_BYTES:
    case TWC_TYPE_HASH:
    case TWC_TYPE_ACCOUNT:
    case TWC_TYPE_TWIN_ID:
    case TWC_TYPE_ENUM: return true;
    case TWC_TYPE_ERROR:
    case TWC_TYPE_NOTHING:
    case TWC_TYPE_NONE:
    case TWC_TYPE_PHASE:
    case TWC_TYPE_RECORD:
    case TWC_TYPE_ASSET:
    case TWC_TYPE_LIST:
    case TWC_TYPE_OPTIONAL: break;
    }
    return false;
}

bool twc_check_key_type(twc_check *c, const twc_type *type, twc_span span)
{
    /* a zero byte takes two in a key, and two zeros end it */
    const uint32_t most = type->kind == TWC_TYPE_BYTES  ? (TW_KEY_SIZE_MAX - 2) / 2
                          : type->kind == TWC_TYPE_TEXT ? TW_KEY_SIZE_MAX - 2
                                                        : UINT32_MAX;
    if (type == c->error) return false;
    if (!has_order(type)) {
        twc_check_fail(c, TWC_DIAG_KEY_TYPE, span,
                       "%s can't be a key\na key is a number, a text, bytes, a hash, an account, "
                       "a twin_id, a bool or an enum",
                       twc_check_text(c, type));
        return false;
    }
    if (type->max <= most) return true;
    twc_check_fail(c, TWC_DIAG_KEY_TYPE, span, "a key of %s may be too long\nat most %s(%u)",
                   twc_check_text(c, type), type->kind == TWC_TYPE_TEXT ? "text" : "bytes", most);
    return false;
}

void twc_check_map(twc_check *c, twc_decl *decl)
{
    const twc_type *key = twc_check_type(c, decl->u.store.key_name);
    decl->u.store.element = twc_check_type(c, decl->type_name);
    decl->u.store.key = key;
    if (!twc_check_key_type(c, key, decl->u.store.key_name->span)) decl->u.store.key = c->error;
}

/* ------------------------------------------------------------------ uses of a map's name */

twc_decl *twc_check_store(twc_check *c, twc_expr *expr)
{
    if (expr->kind != TWC_E_NAME || expr->u.name.word->local != NULL) return NULL;
    twc_decl *decl = expr->u.name.word->global;
    if (decl == NULL || (decl->kind != TWC_D_MAP && decl->kind != TWC_D_REGISTRY)) return NULL;
    decl->used = true;
    expr->u.name.decl = decl;
    expr->type = c->nothing;
    return decl;
}

/* What is in it may be read here; an error otherwise. */
static bool may_read(twc_check *c, const twc_decl *store, twc_span span)
{
    return !store->bad && twc_check_may(c, span, TWC_CAN_VAR);
}

twc_expr *twc_check_element(twc_check *c, twc_expr *expr, twc_decl *store)
{
    expr->u.index.store = store;
    if (!may_read(c, store, expr->span)) return twc_check_is_error(c, expr);
    expr->u.index.index = twc_check_value(c, expr->u.index.index, store->u.store.key, "the key");
    expr->type = store->u.store.element;
    return expr;
}

twc_expr *twc_check_key_in(twc_check *c, twc_expr *expr, twc_decl *store)
{
    expr->u.in.store = store;
    expr->type = c->boolean;
    if (!may_read(c, store, expr->u.in.set->span)) return twc_check_is_error(c, expr);
    expr->u.in.value = twc_check_value(c, expr->u.in.value, store->u.store.key, "the key");
    return expr;
}

twc_expr *twc_check_count(twc_check *c, twc_expr *expr, twc_decl *store)
{
    expr->u.call.decl = store;
    expr->type = c->integer;
    return may_read(c, store, expr->span) ? expr : twc_check_is_error(c, expr);
}

bool twc_check_is_key(twc_check *c, twc_expr *expr)
{
    const twc_expr *object = expr->u.field.object;
    twc_word *word = object->kind == TWC_E_NAME ? object->u.name.word : NULL;
    twc_decl *binder = word != NULL ? word->local : NULL;
    if (binder == NULL || binder->loop == NULL || !twc_check_word_is(expr->u.field.word, "key")) {
        return false;
    }
    const twc_decl *store = binder->loop->u.loop.store;
    const bool thing = store == NULL && binder->type->kind == TWC_TYPE_ASSET;
    if (store == NULL && !thing) return false;
    binder->used = true;
    expr->kind = TWC_E_KEY;
    expr->type = thing ? twc_check_thing_key(c, binder->type) : store->u.store.key;
    if ((store != NULL && store->bad) || expr->type == NULL) expr->type = c->error;
    expr->u.name.word = word;
    expr->u.name.decl = binder;
    return true;
}

/* top(map by field, n) */
twc_expr *twc_check_top(twc_check *c, twc_expr *expr)
{
    twc_arg *first = expr->u.call.args;
    twc_arg *second = first != NULL ? first->next : NULL;
    twc_decl *map = first != NULL ? twc_check_store(c, first->value) : NULL;
    const bool shaped = map != NULL && map->kind == TWC_D_MAP && first->by != NULL &&
                        second != NULL && second->next == NULL;
    if (!shaped || second->by != NULL || first->over != NULL || first->across != NULL) {
        return twc_check_refuse(c, expr, TWC_DIAG_ARGUMENTS, expr->mark,
                                "`top` takes a map, one of its fields and a number\nwrite "
                                "`top(members by good, 10)`");
    }
    expr->u.call.decl = map;
    second->value = twc_check_constant(c, second->value, c->integer, "how many");
    const twc_expr *many = second->value;
    if (!may_read(c, map, expr->span) || !many->constant || map->u.store.element == c->error) {
        return twc_check_is_error(c, expr);
    }
    if (many->value < 1 || many->value > TW_LIST_MAX) {
        return twc_check_refuse(c, expr, TWC_DIAG_OUT_OF_RANGE, many->span,
                                "`top` gives 1 .. %d values", TW_LIST_MAX);
    }
    const twc_type *element = map->u.store.element;
    twc_decl *field = element->kind == TWC_TYPE_RECORD ? element->decl->u.fields.fields : NULL;
    while (field != NULL && field->word != first->by) field = field->next;
    if (field == NULL || field->type == NULL || !twc_type_is_numeric(field->type)) {
        if (field != NULL && field->type == c->error) return twc_check_is_error(c, expr);
        return twc_check_refuse(c, expr, TWC_DIAG_NO_FIELD, first->span,
                                "`%s` has no field `%s` that is a number", map->word->text,
                                first->by->text);
    }
    expr->u.call.field = field;
    expr->type = twc_type_list(&c->types, element, (uint32_t)many->value);
    return expr;
}

/* ------------------------------------------------------------------ what may change */

static const twc_expr *root_of(const twc_expr *place)
{
    for (;;) {
        if (place->kind == TWC_E_FIELD) {
            place = place->u.field.object;
        } else if (place->kind == TWC_E_INDEX) {
            place = place->u.index.object;
        } else if (place->kind == TWC_E_CONVERT) {
            place = place->u.convert.value;
        } else {
            return place;
        }
    }
}

static const twc_decl *root_decl(const twc_expr *place)
{
    const twc_expr *root = root_of(place);
    return root->kind == TWC_E_NAME ? root->u.name.decl : NULL;
}

static bool is_binder(const twc_decl *decl)
{
    return decl != NULL && decl->kind == TWC_D_LOCAL && decl->loop != NULL;
}

/* The fields on the way from the root to the place, or to the first element on it. */
static uint32_t fields_of(const twc_expr *place, const twc_decl **ret_fields, bool *ret_whole)
{
    uint32_t count = 0;
    *ret_whole = true;
    for (const twc_expr *e = place;;) {
        if (e->kind == TWC_E_FIELD) {
            if (count < TWC_HEIGHT_MAX) ret_fields[count++] = e->u.field.decl;
            e = e->u.field.object;
        } else if (e->kind == TWC_E_INDEX) {
            count = 0;
            *ret_whole = false;
            e = e->u.index.object;
        } else if (e->kind == TWC_E_CONVERT) {
            e = e->u.convert.value;
        } else {
            return count;
        }
    }
}

/* Whether a change of the place may change what the loop goes over. */
static bool overlaps(const twc_expr *place, const twc_stmt *loop)
{
    const twc_decl *changed[TWC_HEIGHT_MAX];
    const twc_decl *kept[TWC_HEIGHT_MAX];
    bool whole = false;
    if (root_decl(place) == NULL || root_decl(place) != root_decl(loop->u.loop.over)) return false;
    uint32_t m = fields_of(loop->u.loop.over, kept, &whole);
    if (!whole) return true; /* a list inside of an element: the element is kept aside */
    uint32_t n = fields_of(place, changed, &whole);
    while (m > 0 && n > 0) { /* both from the root on */
        if (kept[--m] != changed[--n]) return false;
    }
    return true;
}

bool twc_check_loops(twc_check *c, twc_span span, const twc_expr *place)
{
    const twc_stmt *own[TW_LOOP_NEST_MAX + 1] = {NULL};
    for (uint32_t count = 0; count <= TW_LOOP_NEST_MAX; count++) {
        for (const twc_open_loop *loop = c->loop; loop != NULL; loop = loop->outer) {
            bool mine = loop->stmt->kind != TWC_S_FOR ||
                        loop->stmt->u.loop.binder->type == c->error || /* goes over nothing */
                        loop->stmt->u.loop.binder->type->kind == TWC_TYPE_ASSET; /* check_thing.c */
            for (uint32_t i = 0; i < count; i++) mine |= own[i] == loop->stmt;
            if (mine || !overlaps(place, loop->stmt)) continue;
            twc_check_fail_at(c, TWC_DIAG_LOOP_CHANGE, span, loop->stmt->u.loop.binder,
                              "a loop goes over this: inside it changes only through `%s`\n"
                              "write to the fields of `%s`, or do this after the loop",
                              loop->stmt->u.loop.binder->word->text,
                              loop->stmt->u.loop.binder->word->text);
            return false;
        }
        const twc_decl *root = root_decl(place);
        if (!is_binder(root)) return true;
        own[count] = root->loop; /* a change of the binder is one of what it comes from */
        place = root->loop->u.loop.over;
    }
    return true;
}

/* Why the place can't be changed; NULL when it can. */
static const char *fixed_because(const twc_expr *place)
{
    for (;;) {
        const twc_expr *root = root_of(place);
        const twc_decl *decl = root->kind == TWC_E_NAME ? root->u.name.decl : NULL;
        if (root->kind == TWC_E_KEY) return "a key stays as it is";
        if (decl == NULL) return "this is no place that can be changed";
        if (is_binder(decl)) {
            place = decl->loop->u.loop.over;
            if (root_decl(place) == NULL) return "the loop goes over a value, not over a place";
            continue;
        }
        if (decl->old) return "the state of the older version can only be read";
        if (decl->kind == TWC_D_VAR || decl->kind == TWC_D_MAP || decl->kind == TWC_D_REGISTRY) {
            return NULL;
        }
        if (decl->kind == TWC_D_LOCAL && decl->mutable) return NULL;
        return "only a `var` can be changed";
    }
}

static bool is_state(const twc_expr *place)
{
    const twc_decl *decl = root_decl(place);
    while (is_binder(decl)) decl = root_decl(decl->loop->u.loop.over);
    return decl != NULL && decl->kind != TWC_D_LOCAL;
}

bool twc_check_change(twc_check *c, const twc_expr *place)
{
    if (place->type == c->error || root_of(place)->type == c->error) return false;
    const twc_decl *decl = root_decl(place);
    if (decl != NULL && decl->kind == TWC_D_PURSE) {
        twc_check_fail_at(
            c, TWC_DIAG_MONEY_ASSIGNED, place->span, decl,
            "nothing assigns to a purse: money only moves\nwrite `receives e into p`, "
            "`pay e from p to a`, `mint e to p` or `burn e from p`");
        return false;
    }
    if (!twc_check_thing_change(c, place)) return false;
    const char *why = fixed_because(place);
    if (why != NULL) {
        twc_check_fail_at(c, TWC_DIAG_NOT_ASSIGNABLE, place->span, root_decl(place), "%s", why);
        return false;
    }
    if (is_state(place) && !(c->can & TWC_CAN_WRITE)) {
        twc_check_fail(c, TWC_DIAG_NOT_HERE, place->span, "%s can't change the contract's state",
                       c->where);
        return false;
    }
    return twc_check_loops(c, place->span, place);
}

/* ------------------------------------------------------------------ push and remove */

void twc_check_push(twc_check *c, twc_stmt *stmt)
{
    twc_expr *to = twc_check_part(c, stmt->u.push.to, NULL);
    stmt->u.push.to = to;
    const bool list = to->type->kind == TWC_TYPE_LIST;
    if (!list && to->type != c->error) {
        twc_check_fail(c, TWC_DIAG_NOT_A_COLLECTION, to->span, "`push` adds to a list, this is %s",
                       twc_check_text(c, to->type));
    }
    const bool good = list && twc_check_change(c, to);
    const twc_type *element = list && !twc_check_is_things(to->type) ? to->type->element : c->error;
    stmt->u.push.value = twc_check_value(c, stmt->u.push.value, element, "what is pushed");
    if (!good) stmt->u.push.to->type = c->error;
}

void twc_check_gone(twc_check *c, twc_span span, const twc_decl *binder)
{
    if (c->loop != NULL && c->loop->stmt == binder->loop) {
        c->gone = binder;
        return;
    }
    twc_check_fail_at(c, TWC_DIAG_AFTER_REMOVE, span, binder,
                      "`%s` belongs to a loop around this one, which would go on with it",
                      binder->word->text);
}

void twc_check_remove(twc_check *c, twc_stmt *stmt)
{
    twc_expr *thing = twc_check_raw(c, stmt->u.thing.thing, NULL);
    const twc_decl *decl = thing->kind == TWC_E_NAME ? thing->u.name.decl : NULL;
    stmt->u.thing.thing = thing;
    if (thing->type == c->error) return;
    const bool element = thing->kind == TWC_E_INDEX && thing->type->kind != TWC_TYPE_ASSET;
    if (!element && !(is_binder(decl) && thing->type->kind != TWC_TYPE_ASSET)) {
        twc_check_fail(c, TWC_DIAG_NOT_A_COLLECTION, thing->span,
                       "`remove` takes an element out of a map or list\nwrite `remove m[k]`, "
                       "`remove xs[i]`, or `remove x` in `for each x in m`");
        return;
    }
    if (twc_check_change(c, thing) && is_binder(decl)) twc_check_gone(c, stmt->span, decl);
}

/* ------------------------------------------------------------------ loops */

/* The body of the loop; false when its end is never reached. */
static bool check_body(twc_check *c, twc_stmt *stmt, twc_block *body)
{
    twc_open_loop *outer = c->loop;
    twc_open_loop loop = {.outer = outer, .stmt = stmt, .depth = 1};
    const twc_decl *gone = c->gone;
    if (outer != NULL) loop.depth = outer->depth + 1;
    if (loop.depth > TW_LOOP_NEST_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, stmt->span,
                       "loops stand at most %d deep in each other", TW_LOOP_NEST_MAX);
        return true;
    }
    /* a later round begins where an earlier one ended */
    const twc_fact *head = twc_flow_enter(c, c->facts, body);
    c->loop = &loop;
    c->facts = head;
    const bool completes = twc_check_block(c, body);
    c->facts = head;
    c->gone = gone;
    c->loop = outer;
    return completes || loop.skipped;
}

static const twc_type *element_of(twc_check *c, twc_stmt *stmt)
{
    twc_decl *store = twc_check_store(c, stmt->u.loop.over);
    stmt->u.loop.store = store;
    if (store != NULL) {
        return may_read(c, store, stmt->u.loop.over->span) ? store->u.store.element : c->error;
    }
    twc_expr *over = twc_check_part(c, stmt->u.loop.over, NULL);
    stmt->u.loop.over = over;
    if (over->type->kind == TWC_TYPE_LIST) return over->type->element;
    if (over->type != c->error) {
        twc_check_fail(c, TWC_DIAG_NOT_A_COLLECTION, over->span,
                       "`for each` goes over a map or a list, this is %s",
                       twc_check_text(c, over->type));
    }
    return c->error;
}

bool twc_check_for(twc_check *c, twc_stmt *stmt)
{
    twc_decl *locals = c->locals;
    twc_decl *binder = stmt->u.loop.binder;
    binder->type = element_of(c, stmt);
    binder->loop = stmt;
    binder->used = true; /* a loop that only counts needs its name too */
    twc_check_local(c, binder);
    (void)check_body(c, stmt, &stmt->u.loop.body);
    twc_check_scope_end(c, locals);
    return true; /* there may be nothing to go over */
}

bool twc_check_repeat(twc_check *c, twc_stmt *stmt)
{
    return check_body(c, stmt, &stmt->u.repeat.body);
}

void twc_check_skip(twc_check *c, const twc_stmt *stmt)
{
    if (c->loop != NULL) {
        c->loop->skipped = true;
        return;
    }
    twc_check_fail(
        c, TWC_DIAG_NOT_HERE, stmt->span,
        "`skip` goes to the next round of a loop, and here is none\n`stop` ends an entry");
}
