/* gen_walk -- looks through checked trees: which variables a body touches, whether it stops early.
 * Recursion is bounded by the heights that the parser allows. */
#include "compiler/gen.h"

#include <stddef.h>

enum { PARTS_MAX = 3 };

/* Where in a node the expressions of a kind stand; 0 ends the list, kinds without any are left out.
 */
static const uint16_t parts_of_expr[][PARTS_MAX + 1] = {
#define PART(member) offsetof(twc_expr, u.member)
    [TWC_E_FIELD] = {PART(field.object)},
    [TWC_E_INDEX] = {PART(index.object), PART(index.index)},
    [TWC_E_OF] = {PART(of.right)},
    [TWC_E_NEGATE] = {PART(one)},
    [TWC_E_NOT] = {PART(one)},
    [TWC_E_BINARY] = {PART(binary.left), PART(binary.right)},
    [TWC_E_IS] = {PART(is.value)},
    [TWC_E_HOLD] = {PART(hold.duration), PART(hold.device)},
    [TWC_E_SILENT] = {PART(silent.duration), PART(silent.device)},
    [TWC_E_RANGE] = {PART(range.value), PART(range.low), PART(range.high)},
    [TWC_E_IN] = {PART(in.value), PART(in.set)},
    [TWC_E_IF] = {PART(choose.condition), PART(choose.then), PART(choose.other)},
    [TWC_E_CONVERT] = {PART(convert.value)},
#undef PART
};
static const uint16_t parts_of_stmt[][PARTS_MAX + 1] = {
#define PART(member) offsetof(twc_stmt, u.member)
    [TWC_S_ASSIGN] = {PART(assign.place), PART(assign.value)},
    [TWC_S_FOR] = {PART(loop.over)},
    [TWC_S_MATCH] = {PART(match.value)},
    [TWC_S_NEEDS] = {PART(needs.condition)},
    [TWC_S_PAY] = {PART(money.amount), PART(money.from), PART(money.to)},
    [TWC_S_MINT] = {PART(money.amount), PART(money.to)},
    [TWC_S_BURN] = {PART(money.amount), PART(money.from)},
    [TWC_S_CREATE] = {PART(create.owner)},
    [TWC_S_GIVE] = {PART(thing.thing), PART(thing.to)},
    [TWC_S_ATTACH] = {PART(thing.thing), PART(thing.to)},
    [TWC_S_DETACH] = {PART(thing.thing)},
    [TWC_S_RETIRE] = {PART(thing.thing)},
    [TWC_S_REMOVE] = {PART(thing.thing)},
    [TWC_S_GRANT] = {PART(grant.account)},
    [TWC_S_REVOKE] = {PART(grant.account)},
    [TWC_S_PUSH] = {PART(push.value), PART(push.to)},
    [TWC_S_RETURN] = {PART(value)},
#undef PART
};

static void walk_parts(const twc_visit *visit, const void *node, const uint16_t *parts)
{
    for (; *parts != 0; parts++) {
        twc_walk_expr(visit, *(twc_expr *const *)(const void *)((const char *)node + *parts));
    }
}

static void walk_args(const twc_visit *visit, const twc_arg *args)
{
    for (; args != NULL; args = args->next) twc_walk_expr(visit, args->value);
}

void twc_walk_expr(const twc_visit *visit, const twc_expr *expr)
{
    if (expr == NULL) return;
    if (visit->expr != NULL) visit->expr(visit->data, expr);
    if (expr->kind < sizeof parts_of_expr / sizeof parts_of_expr[0]) {
        walk_parts(visit, expr, parts_of_expr[expr->kind]);
    }
    if (expr->kind == TWC_E_LIST) {
        for (const twc_expr *e = expr->u.list.first; e != NULL; e = e->next) {
            twc_walk_expr(visit, e);
        }
    } else if (expr->kind == TWC_E_CALL && expr->u.call.callee == TWC_CALL_STATISTIC) {
        twc_walk_expr(visit, expr->u.call.statistic->over);
        twc_walk_expr(visit, expr->u.call.statistic->percentile);
        twc_walk_expr(visit, expr->u.call.statistic->device);
    } else if (expr->kind == TWC_E_CALL) {
        walk_args(visit, expr->u.call.args);
    }
}

static void walk_arms(const twc_visit *visit, const twc_arm *arms)
{
    for (; arms != NULL; arms = arms->next) {
        twc_walk_expr(visit, arms->condition);
        twc_walk_block(visit, &arms->body);
    }
}

static void walk_stmt(const twc_visit *visit, const twc_stmt *stmt)
{
    const twc_stmt_kind kind = stmt->kind;
    const bool notice = kind == TWC_S_EMIT || kind == TWC_S_FAIL || kind == TWC_S_HISTORY;
    if (visit->stmt != NULL) visit->stmt(visit->data, stmt);
    if (kind < sizeof parts_of_stmt / sizeof parts_of_stmt[0]) {
        walk_parts(visit, stmt, parts_of_stmt[kind]);
    }
    if (kind == TWC_S_LET) twc_walk_expr(visit, stmt->u.let.decl->u.value.value);
    if (kind == TWC_S_IF) walk_arms(visit, stmt->u.branch.arms);
    if (kind == TWC_S_MATCH) walk_arms(visit, stmt->u.match.arms);
    if (kind == TWC_S_NEEDS) walk_args(visit, stmt->u.needs.args);
    if (notice) walk_args(visit, stmt->u.notice.args);
    if (notice) twc_walk_expr(visit, stmt->u.notice.of);
    if (kind == TWC_S_CREATE) walk_args(visit, stmt->u.create.args);
    if (kind == TWC_S_FOR) twc_walk_block(visit, &stmt->u.loop.body);
    if (kind == TWC_S_REPEAT) twc_walk_block(visit, &stmt->u.repeat.body);
}

void twc_walk_stmts(const twc_visit *visit, const twc_stmt *first)
{
    for (; first != NULL; first = first->next) walk_stmt(visit, first);
}

void twc_walk_block(const twc_visit *visit, const twc_block *block)
{
    twc_walk_stmts(visit, block->first);
}

static void walk_whos(const twc_visit *visit, const twc_who *who)
{
    for (; who != NULL; who = who->next) {
        if (who->role == NULL && !who->anyone) twc_walk_expr(visit, who->expr);
    }
}

void twc_walk_header(const twc_visit *visit, const twc_entry *entry)
{
    walk_whos(visit, entry->by);
    walk_whos(visit, entry->with);
    twc_walk_stmts(visit, entry->needs);
    twc_walk_expr(visit, entry->receives);
    twc_walk_expr(visit, entry->into);
}

void twc_walk_entry(const twc_visit *visit, const twc_entry *entry)
{
    twc_walk_header(visit, entry);
    twc_walk_block(visit, &entry->body);
}

/* ------------------------------------------------------------------ questions */

const twc_decl *twc_walk_root(const twc_expr *place)
{
    for (;;) {
        if (place->kind == TWC_E_NAME) return place->u.name.decl;
        if (place->kind == TWC_E_FIELD) {
            place = place->u.field.object;
        } else if (place->kind == TWC_E_INDEX) {
            if (place->u.index.store != NULL) return place->u.index.store;
            place = place->u.index.object;
        } else if (place->kind == TWC_E_CONVERT) {
            place = place->u.convert.value;
        } else {
            return NULL;
        }
    }
}

bool twc_walk_same_fixed(const twc_expr *a, const twc_expr *b)
{
    if (a == NULL || b == NULL) return a == b;
    if (a->constant || b->constant) return a->constant && b->constant && a->value == b->value;
    if (a->kind != b->kind) return false;
    if (a->kind == TWC_E_NAME) return a->u.name.decl == b->u.name.decl;
    if (a->kind == TWC_E_NEGATE) return twc_walk_same_fixed(a->u.one, b->u.one);
    return a->kind == TWC_E_BINARY && a->u.binary.op == b->u.binary.op &&
           a->u.binary.arith == b->u.binary.arith && a->u.binary.factor == b->u.binary.factor &&
           a->u.binary.round == b->u.binary.round &&
           twc_walk_same_fixed(a->u.binary.left, b->u.binary.left) &&
           twc_walk_same_fixed(a->u.binary.right, b->u.binary.right);
}

typedef struct mention {
    const twc_decl *decl;
    bool found;
} mention;

static void note_mention(void *data, const twc_expr *expr)
{
    mention *m = data;
    if (expr->kind == TWC_E_NAME && expr->u.name.decl == m->decl) m->found = true;
}

bool twc_walk_mentions(const twc_expr *expr, const twc_decl *decl)
{
    mention m = {decl, false};
    const twc_visit visit = {.expr = note_mention, .data = &m};
    twc_walk_expr(&visit, expr);
    return m.found;
}

static bool touches(const twc_touched *touched, const twc_decl *field)
{
    return (touched->fields.bits[field->index / 64 % (TW_FIELDS_MAX / 64)] >> field->index % 64 &
            1) != 0;
}

static void touch(twc_touched *touched, const twc_decl *decl)
{
    if (decl == NULL) return;
    const uint64_t bit = (uint64_t)1 << decl->index % 64;
    const twc_decl_kind kind = decl->kind;
    if (kind == TWC_D_VAR || kind == TWC_D_MAP || kind == TWC_D_REGISTRY) {
        touched->fields.bits[decl->index / 64 % (TW_FIELDS_MAX / 64)] |= bit;
    } else if (kind == TWC_D_PURSE) {
        touched->purses[decl->index / 64 % (TW_PURSES_MAX / 64)] |= bit;
    } else if (kind == TWC_D_BUILTIN_VALUE && decl->index == TWC_V_PHASE) {
        touched->phase = true;
    }
}

/* The registries of what may hold things of the asset, and of what may hold those. */
static void find_holders(twc_touched *found, const twc_decl *asset)
{
    for (const twc_decl *d = asset->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_REGISTRY || touches(found, d)) continue;
        const twc_decl *f = d->u.store.asset_decl->u.fields.fields;
        while (f != NULL && (f->type->kind != TWC_TYPE_LIST || f->type->element != asset->type)) {
            f = f->next;
        }
        if (f == NULL) continue;
        touch(found, d);
        find_holders(found, d->u.store.asset_decl);
    }
}

static void touch_holders(twc_touched *touched, const twc_decl *asset)
{
    twc_touched found = {0};
    find_holders(&found, asset);
    for (uint32_t i = 0; i < TW_FIELDS_MAX / 64; i++) {
        touched->fields.bits[i] |= found.fields.bits[i];
    }
}

static void note_read(void *data, const twc_expr *expr)
{
    if (expr->type != NULL && expr->type->kind == TWC_TYPE_ASSET) {
        touch(data, expr->type->decl->u.fields.home);
    }
    if (expr->kind == TWC_E_OF) { /* an owner is that of the holder */
        touch(data, expr->u.of.right->type->decl->u.fields.home);
        touch_holders(data, expr->u.of.right->type->decl);
    }
    if (expr->kind == TWC_E_NAME) touch(data, expr->u.name.decl);
    if (expr->kind == TWC_E_INDEX) touch(data, expr->u.index.store);
    if (expr->kind == TWC_E_IN) touch(data, expr->u.in.store);
    if (expr->kind == TWC_E_CALL) touch(data, expr->u.call.decl);
}

twc_touched twc_walk_reads(const twc_expr *expr)
{
    twc_touched touched = {0};
    const twc_visit visit = {.expr = note_read, .data = &touched};
    twc_walk_expr(&visit, expr);
    return touched;
}

/* The thing that the place is part of, or NULL. */
static const twc_expr *thing_of(const twc_expr *place)
{
    while (place->type == NULL || place->type->kind != TWC_TYPE_ASSET) {
        if (place->kind == TWC_E_FIELD) {
            place = place->u.field.object;
        } else if (place->kind == TWC_E_CONVERT) {
            place = place->u.convert.value;
        } else if (place->kind == TWC_E_INDEX && place->u.index.store == NULL) {
            place = place->u.index.object;
        } else {
            return NULL;
        }
    }
    return place;
}

/* What changes when the place does: a binder stands for what its loop goes over. */
static void touch_place(twc_touched *touched, const twc_expr *place)
{
    if (place == NULL) return;
    const twc_expr *thing = thing_of(place);
    if (thing != NULL) {
        touch(touched, thing->type->decl->u.fields.home);
        return;
    }
    const twc_decl *root = twc_walk_root(place);
    while (root != NULL && root->kind == TWC_D_LOCAL && root->loop != NULL) {
        const twc_stmt *loop = root->loop;
        touch(touched, loop->u.loop.store);
        root = loop->u.loop.store == NULL ? twc_walk_root(loop->u.loop.over) : NULL;
    }
    touch(touched, root);
}

/* The registry in which a thing is at home. */
static void touch_thing(twc_touched *touched, const twc_expr *thing)
{
    if (thing->type == NULL || thing->type->kind != TWC_TYPE_ASSET) return;
    touch(touched, thing->type->decl->u.fields.home);
}

static void note_write(void *data, const twc_stmt *stmt)
{
    twc_touched *touched = data;
    const twc_stmt_kind kind = stmt->kind;
    if (kind == TWC_S_ASSIGN) touch_place(touched, stmt->u.assign.place);
    if (kind == TWC_S_PUSH) touch_place(touched, stmt->u.push.to);
    if (kind == TWC_S_PAY || kind == TWC_S_MINT || kind == TWC_S_BURN) {
        touch_place(touched, stmt->u.money.from);
        touch_place(touched, stmt->u.money.to);
    }
    if (kind == TWC_S_CREATE) touch(touched, stmt->u.create.registry_decl);
    if (kind >= TWC_S_GIVE && kind <= TWC_S_REMOVE) {
        touch_place(touched, stmt->u.thing.thing);
        touch_thing(touched, stmt->u.thing.thing);
        if (kind == TWC_S_ATTACH) touch_place(touched, stmt->u.thing.to);
        if (kind == TWC_S_DETACH) touch_holders(touched, stmt->u.thing.thing->type->decl);
    }
    if (kind == TWC_S_GO) touched->phase = true;
}

twc_touched twc_walk_writes(const twc_entry *entry)
{
    twc_touched touched = {0};
    const twc_visit visit = {.stmt = note_write, .data = &touched};
    twc_walk_block(&visit, &entry->body);
    touch_place(&touched, entry->into);
    return touched;
}

bool twc_walk_meets(const twc_touched *a, const twc_touched *b)
{
    bool meets = a->phase && b->phase;
    for (uint32_t i = 0; i < TW_FIELDS_MAX / 64; i++) {
        meets = meets || (a->fields.bits[i] & b->fields.bits[i]) != 0;
    }
    for (uint32_t i = 0; i < TW_PURSES_MAX / 64; i++) {
        meets = meets || (a->purses[i] & b->purses[i]) != 0;
    }
    return meets;
}

static void note_stop(void *data, const twc_stmt *stmt)
{
    if (stmt->kind == TWC_S_STOP) *(bool *)data = true;
}

static void note_loop(void *data, const twc_stmt *stmt)
{
    const twc_visit inside = {.stmt = note_stop, .data = data};
    if (stmt->kind == TWC_S_REPEAT) twc_walk_block(&inside, &stmt->u.repeat.body);
    if (stmt->kind == TWC_S_FOR) twc_walk_block(&inside, &stmt->u.loop.body);
}

bool twc_walk_stops_in_loop(const twc_block *block)
{
    bool stops = false;
    const twc_visit visit = {.stmt = note_loop, .data = &stops};
    twc_walk_block(&visit, block);
    return stops;
}
