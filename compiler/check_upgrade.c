/* check_upgrade -- upgrade and migrate. Called by check.
 *
 * `migrate from k` sees the state of version k: each var and map of it becomes a declaration
 * `old.x` of this contract, whose types are those of this contract where they are the same. What
 * the machine would refuse in any upgrade of the one to the other is an error here.
 */
#include "compiler/check.h"

#include <stdio.h>
#include <string.h>

static twc_decl *first_of(const twc_contract *contract, twc_decl_kind kind)
{
    twc_decl *decl = contract->members;
    while (decl != NULL && decl->kind != kind) decl = decl->next;
    return decl;
}

/* ------------------------------------------------------------------ the older version */

static twc_contract *find_in(const twc_program *program, const twc_word *word, uint32_t version)
{
    twc_contract *found = program->contracts;
    while (found != NULL && (found->library || found->word != word || found->version != version)) {
        found = found->next;
    }
    return found;
}

twc_contract *twc_check_older(twc_check *c, const twc_contract *contract,
                              const twc_program *program, const twc_program **ret_program)
{
    const twc_decl *migrate = first_of(contract, TWC_D_MIGRATE);
    if (migrate == NULL || migrate->broken || contract->word == NULL) return NULL;
    twc_contract *found = find_in(program, contract->word, migrate->index);
    *ret_program = program;
    for (uint32_t i = 0; i < c->program->file_count && found == NULL; i++) {
        const twc_program *file = c->program->files[i];
        if ((program->reach >> file->number & 1) == 0) continue;
        found = find_in(file, contract->word, migrate->index);
        *ret_program = file;
    }
    return found != NULL && found->version < contract->version ? found : NULL;
}

/* ------------------------------------------------------------------ types */

static const twc_type *type_here(twc_check *c, const twc_type *type);

/* The record of the older version with the types of this one, made once. */
static const twc_type *record_here(twc_check *c, const twc_type *type)
{
    twc_decl *old = type->decl;
    if (old->bad) return c->error; /* it may hold itself */
    for (twc_decl *r = c->contract->old_records; r != NULL; r = r->next) {
        if (r->name_span.start == old->name_span.start) return r->type;
    }
    twc_decl *copy = TW_NEW(c->arena, twc_decl);
    if (copy == NULL) return c->error;
    *copy = *old;
    copy->contract = c->contract;
    twc_decl **at = &copy->u.fields.fields;
    for (const twc_decl *f = old->u.fields.fields; f != NULL; f = f->next) {
        twc_decl *field = TW_NEW(c->arena, twc_decl);
        if (field == NULL) return c->error;
        *field = *f;
        field->type = type_here(c, f->type);
        *at = field;
        at = &field->next;
    }
    *at = NULL;
    const twc_decl *now = old->word->global;
    const bool stays = now != NULL && now->kind == TWC_D_RECORD && !now->bad;
    const twc_decl *is = stays ? now->u.fields.fields : NULL;
    const twc_decl *was = copy->u.fields.fields;
    while (is != NULL && was != NULL && is->word == was->word && is->type == was->type) {
        is = is->next;
        was = was->next;
    }
    const bool same = stays && is == NULL && was == NULL;
    copy->type = same ? now->type : twc_type_named(&c->types, TWC_TYPE_RECORD, copy);
    copy->next = c->contract->old_records;
    c->contract->old_records = copy;
    return copy->type;
}

static const twc_type *type_here(twc_check *c, const twc_type *type)
{
    if (type->kind == TWC_TYPE_RECORD) return record_here(c, type);
    if (type->kind == TWC_TYPE_LIST) {
        return twc_type_list(&c->types, type_here(c, type->element), type->max);
    }
    if (type->kind == TWC_TYPE_OPTIONAL) {
        return twc_type_optional(&c->types, type_here(c, type->element));
    }
    const bool named =
        type->kind == TWC_TYPE_ENUM || type->kind == TWC_TYPE_MONEY || type->kind == TWC_TYPE_ASSET;
    const twc_decl *now = named ? type->decl->word->global : NULL;
    if (now == NULL || now->kind != type->decl->kind || now->bad) return type;
    if (type->kind == TWC_TYPE_ENUM && !twc_type_same_shape(now->type, type)) return type;
    return now->type;
}

/* ------------------------------------------------------------------ what must stay */

static void must_stay(twc_check *c, const twc_decl *was, const char *why)
{
    const twc_decl *migrate = first_of(c->contract, TWC_D_MIGRATE);
    bool mention = false;
    twc_check_fail_at(c, TWC_DIAG_NOT_UPGRADABLE, migrate->name_span, was,
                      "%s `%s` of version %u %s", twc_check_kind(was->kind, &mention),
                      was->word->text, migrate->index, why);
}

static const twc_decl *still(const twc_decl *was)
{
    const twc_decl *is = was->word->global;
    return is != NULL && is->kind == was->kind ? is : NULL;
}

static void check_role(twc_check *c, const twc_decl *was)
{
    const twc_decl *is = still(was);
    if (is == NULL || is->index != was->index) {
        must_stay(c, was, "must stay, in its place\nnew roles stand behind the old ones");
    } else if (is->u.role.max < was->u.role.max) {
        must_stay(c, was, "may not have a smaller max: it may have so many members");
    }
}

static void check_money(twc_check *c, const twc_decl *was)
{
    const twc_decl *is = still(was);
    const bool same = is != NULL && is->u.money.decimals == was->u.money.decimals;
    const twc_expr *a = was->u.money.supply;
    const twc_expr *b = is != NULL ? is->u.money.supply : NULL;
    if (same && (a == NULL || (b != NULL && a->value == b->value))) return;
    must_stay(c, was, "must stay as it is: it is money that people hold");
}

static void check_purse(twc_check *c, const twc_decl *was)
{
    const twc_decl *is = still(was);
    const bool same = is != NULL && is->u.purse.money == was->u.purse.money &&
                      is->u.purse.per == was->u.purse.per;
    if (!same) must_stay(c, was, "must stay, of the same money and role: it may hold some");
}

/* Things can't be made anew, so their declarations stay. */
static void check_registry(twc_check *c, const twc_decl *was)
{
    const twc_decl *is = still(was);
    const twc_decl *old = was->u.store.asset_decl;
    const twc_decl *now = is != NULL ? is->u.store.asset_decl : NULL;
    const twc_decl *f = old != NULL ? old->u.fields.fields : NULL;
    const twc_decl *g = now != NULL ? now->u.fields.fields : NULL;
    bool same =
        is != NULL && is->u.store.max == was->u.store.max && is->u.store.by == was->u.store.by;
    while (f != NULL && g != NULL && f->word == g->word &&
           twc_type_same_shape(type_here(c, f->type), g->type)) {
        f = f->next;
        g = g->next;
    }
    same = same && f == NULL && g == NULL;
    if (!same) must_stay(c, was, "must stay as it is: a thing can't be made anew");
}

static void check_carried(twc_check *c, const twc_contract *old)
{
    for (const twc_decl *d = old->members; d != NULL; d = d->next) {
        if (d->bad || d->broken || d->word == NULL) continue;
        if (d->kind == TWC_D_ROLE) check_role(c, d);
        if (d->kind == TWC_D_CURRENCY || d->kind == TWC_D_TOKEN) check_money(c, d);
        if (d->kind == TWC_D_PURSE) check_purse(c, d);
        if (d->kind == TWC_D_REGISTRY) check_registry(c, d);
    }
}

/* ------------------------------------------------------------------ old.x */

static twc_decl *declare_old(twc_check *c, const twc_decl *was, uint32_t index)
{
    char name[TW_NAME_SIZE_MAX + 8];
    twc_decl *decl = TW_NEW(c->arena, twc_decl);
    if (decl == NULL) return NULL;
    const int size = snprintf(name, sizeof name, "old.%s", was->word->text);
    *decl = *was;
    decl->word = twc_word_of(c->words, name, (size_t)size);
    decl->contract = c->contract;
    decl->old = true;
    decl->used = true;
    decl->index = index;
    decl->next = decl->next_same = NULL;
    if (was->kind == TWC_D_VAR) {
        decl->type = type_here(c, was->type);
    } else if (was->kind == TWC_D_MAP) {
        decl->u.store.key = type_here(c, was->u.store.key);
        decl->u.store.element = type_here(c, was->u.store.element);
    } else {
        const twc_decl *is = still(was);
        if (is != NULL) decl->u.store = is->u.store;
    }
    return decl->word != NULL ? decl : NULL;
}

static bool is_state(const twc_decl *decl)
{
    return decl->kind == TWC_D_VAR || decl->kind == TWC_D_MAP || decl->kind == TWC_D_REGISTRY;
}

void twc_check_old(twc_check *c)
{
    twc_contract *contract = c->contract;
    const twc_contract *old = contract->old;
    if (old == NULL || old->broken) return;
    check_carried(c, old);
    uint32_t index = 0;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) index += is_state(d);
    twc_decl **at = &contract->old_fields;
    for (const twc_decl *d = old->members; d != NULL; d = d->next) {
        if (!is_state(d) || d->broken || d->bad || d->word == NULL) continue;
        *at = declare_old(c, d, index++);
        if (*at == NULL) return;
        at = &(*at)->next;
    }
}

void twc_check_migrate(twc_check *c, twc_decl *decl)
{
    twc_contract *contract = c->contract;
    if (contract->old == NULL && contract->word != NULL) {
        twc_check_fail(c, TWC_DIAG_NO_OLDER, decl->name_span,
                       "there is no older contract %s version %u\nits state declarations must "
                       "stand in this file or in one it imports",
                       contract->word->text, decl->index);
        return;
    }
    if (contract->old == NULL || contract->old->broken) return;
    for (twc_decl *d = contract->old_fields; d != NULL; d = d->next) {
        if (d->kind != TWC_D_REGISTRY) d->word->global = d;
    }
    c->migrating = true;
    twc_check_entry(c, decl);
    c->migrating = false;
    for (twc_decl *d = contract->old_fields; d != NULL; d = d->next) d->word->global = NULL;
}

/* ------------------------------------------------------------------ upgrade */

void twc_check_upgrade(twc_check *c, twc_decl *decl)
{
    twc_decl *role = twc_check_find(c, decl->u.upgrade.role, decl->u.upgrade.span, TWC_D_ROLE);
    decl->u.upgrade.role_decl = role;
    if (role != NULL && !role->bad && role->u.role.max < decl->u.upgrade.count) {
        twc_check_fail_at(c, TWC_DIAG_OVER_LIMIT, decl->u.upgrade.span, role,
                          "role %s never has %u members", role->word->text, decl->u.upgrade.count);
    }
    if (decl->u.upgrade.after == NULL) return;
    int64_t low = 0;
    int64_t high = 0;
    c->can = TWC_CAN_PARAM;
    c->where = "an upgrade clause";
    twc_expr *after = twc_check_fixed(c, decl->u.upgrade.after, c->duration, "the time");
    decl->u.upgrade.after = after;
    if (after->type == c->error || !twc_check_interval(after, &low, &high) || low > 0) return;
    twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, after->span, "the time must be more than 0");
}
