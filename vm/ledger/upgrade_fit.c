/* upgrade_fit -- whether a module can follow the one that a contract has: what stays must fit.
 *
 * Called when an upgrade is executed, and by clients before they sign one. Reads the state, changes
 * nothing; every refusal is a sentence that says what to do.
 */
#include "vm/ledger/node.h"

#include "vm/isa/value.h"

#include <string.h>

#define REFUSE(err, ...) tw_err_set((err), TW_REFUSED_ARGUMENT, __VA_ARGS__)

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static tw_status versions_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    if (!same(from->name, to->name)) {
        return REFUSE(err, "the contract is %s, the module is %s", from->name, to->name);
    }
    if (to->version <= from->version) {
        return REFUSE(err, "%s has version %u, the module is version %u: give it a higher one",
                      from->name, from->version, to->version);
    }
    if (tw_module_entry(to, TW_ENTRY_MIGRATE, NULL) == TW_NONE) {
        return REFUSE(err,
                      "%s version %u says nothing of upgrades: write upgrade or migrate from "
                      "%u in it",
                      to->name, to->version, from->version);
    }
    return TW_OK;
}

static tw_status roles_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < from->role_count; i++) {
        const tw_role *was = &from->roles[i];
        const tw_role *is = i < to->role_count ? &to->roles[i] : NULL;
        if (is == NULL || !same(was->name, is->name)) {
            return REFUSE(err, "role %s must stay, in its place: new roles stand behind the old",
                          was->name);
        }
        if (is->max < was->max) {
            return REFUSE(err, "role %s had max %u and may not have less", was->name, was->max);
        }
    }
    for (uint16_t i = from->role_count; i < to->role_count; i++) {
        if ((to->roles[i].flags & TW_ROLE_GRANTED) != 0) continue;
        return REFUSE(err, "role %s is new and would stay empty: grant it somewhere",
                      to->roles[i].name);
    }
    return TW_OK;
}

static const tw_money *money_named(const tw_module *m, const char *name)
{
    for (uint16_t i = 0; i < m->money_count; i++) {
        if (same(m->monies[i].name, name)) return &m->monies[i];
    }
    return NULL;
}

static tw_status monies_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < from->money_count; i++) {
        const tw_money *was = &from->monies[i];
        const tw_money *is = money_named(to, was->name);
        if (is == NULL || is->kind != was->kind || is->decimals != was->decimals ||
            is->supply != was->supply) {
            return REFUSE(err, "%s must stay as it is declared", was->name);
        }
    }
    for (uint16_t i = 0; i < to->money_count; i++) {
        const tw_money *is = &to->monies[i];
        if (is->kind == TW_MONEY_TOKEN || money_named(from, is->name) != NULL) continue;
        return REFUSE(err, "currency %s is new: only a deploy binds a currency", is->name);
    }
    return TW_OK;
}

static tw_status phase_fits(const tw_contract *c, const tw_module *to, tw_err *err)
{
    const char *holds = c->code->module->phases.items[c->control.phase];
    for (uint16_t i = 0; i < to->phases.count; i++) {
        if (same(holds, to->phases.items[i])) return TW_OK;
    }
    return REFUSE(err, "the contract is in phase %s, which version %u does not have",
                  holds[0] != '\0' ? holds : "(none)", to->version);
}

/* ---- state ---- */

static const tw_field *field_of(const tw_module *m, const tw_hash *description)
{
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (!f->old && tw_hash_equal(&f->description, description)) return f;
    }
    return NULL;
}

bool tw_node_field_stays(const tw_field *field, const tw_module *to)
{
    return field_of(to, &field->description) != NULL;
}

static const char *purse_role(const tw_module *m, const tw_purse *p)
{
    return p->role != TW_NONE ? m->roles[p->role].name : "";
}

/* By their names: the id is four bytes, and two monies are soon found that give the same ones. */
static bool same_purse(const tw_module *from, const tw_purse *was, const tw_module *to,
                       const tw_purse *is)
{
    return same(was->name, is->name) &&
           same(from->monies[was->money].name, to->monies[is->money].name) &&
           same(purse_role(from, was), purse_role(to, is));
}

static tw_status purses_fit(const tw_contract *c, const tw_module *to, tw_err *err)
{
    const tw_module *from = c->code->module;
    for (uint16_t i = 0; i < from->purse_count; i++) {
        const tw_purse *p = &from->purses[i];
        const tw_key key = tw_purse_key(&c->id, p, NULL);
        int64_t amount = 0;
        bool stays = false;
        TW_TRY(tw_bank_amount(c->overlay, &key, &amount));
        for (uint16_t k = 0; k < to->purse_count; k++) {
            stays = stays || same_purse(from, p, to, &to->purses[k]);
        }
        if (amount == 0 || stays) continue;
        return REFUSE(err, "purse %s holds money: it must stay, of the same currency and role",
                      p->name);
    }
    return TW_OK;
}

static bool declares_old(const tw_module *m)
{
    for (uint16_t i = 0; i < m->field_count; i++) {
        if (m->fields[i].old) return true;
    }
    return false;
}

static tw_status schema_fits(const tw_module *from, const tw_module *to, tw_err *err)
{
    const tw_hash there = tw_module_schema(from, false);
    const tw_hash meant = tw_module_schema(to, true);
    if (tw_hash_equal(&there, &meant)) return TW_OK;
    if (declares_old(to)) {
        return REFUSE(err,
                      "migrate comes from other state than version %u of %s has: its old "
                      "contract must declare what the stored one does",
                      from->version, from->name);
    }
    for (uint16_t i = 0; i < to->field_count; i++) {
        const tw_field *f = &to->fields[i];
        if (f->kind != TW_FIELD_VAR || field_of(from, &f->description) != NULL) continue;
        return REFUSE(err, "var %s is new: write migrate from %u, which gives it a value", f->name,
                      from->version);
    }
    return TW_OK;
}

/* What is attached is said by the thing and by its holder: both stay or none. */
static tw_status registries_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < from->field_count; i++) {
        const tw_field *f = &from->fields[i];
        if (f->kind != TW_FIELD_REGISTRY || f->old) continue;
        const tw_members *members = &from->types[f->value_type].members;
        for (uint16_t k = 0; k < members->count; k++) {
            const tw_type *list = &from->types[members->items[k].type];
            if (list->kind != TW_KIND_THINGS) continue;
            const tw_field *home = &from->fields[list->home];
            if (tw_node_field_stays(f, to) == tw_node_field_stays(home, to)) continue;
            return REFUSE(err,
                          "registries %s and %s hold each other's things: keep both as they "
                          "are, or neither",
                          f->name, home->name);
        }
    }
    return TW_OK;
}

static tw_status purse_ids_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < from->purse_count; i++) {
        const tw_purse *was = &from->purses[i];
        for (uint16_t k = 0; k < to->purse_count; k++) {
            const tw_purse *is = &to->purses[k];
            if (was->id != is->id || same_purse(from, was, to, is)) continue;
            return REFUSE(
                err, "purse %s of %s and purse %s of %s have the same id: rename the new one",
                was->name, from->monies[was->money].name, is->name, to->monies[is->money].name);
        }
    }
    return TW_OK;
}

/* Four bytes name a field or purse in the state: what is not the same must not share them. */
static tw_status ids_fit(const tw_module *from, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < from->field_count; i++) {
        const tw_field *was = &from->fields[i];
        for (uint16_t k = 0; k < to->field_count; k++) {
            const tw_field *is = &to->fields[k];
            if (was->id == is->id && !tw_hash_equal(&was->description, &is->description)) {
                return REFUSE(err, "fields %s and %s have the same id: rename the new one",
                              was->name, is->name);
            }
        }
        for (uint16_t k = 0; k < to->purse_count; k++) {
            if (was->id != to->purses[k].id) continue;
            return REFUSE(err, "field %s and purse %s have the same id: rename the new one",
                          was->name, to->purses[k].name);
        }
    }
    return purse_ids_fit(from, to, err);
}

/* ---- params ---- */

uint16_t tw_node_param_from(const tw_module *from, const tw_module *to, uint16_t param)
{
    const tw_param *is = &to->params[param];
    for (uint16_t i = 0; i < from->param_count; i++) {
        const tw_param *was = &from->params[i];
        if (same(was->name, is->name) &&
            tw_hash_equal(&from->types[was->type].description, &to->types[is->type].description)) {
            return i;
        }
    }
    return TW_NONE;
}

static tw_status params_fit(const tw_contract *c, const tw_module *to, tw_err *err)
{
    for (uint16_t i = 0; i < to->param_count; i++) {
        const tw_param *p = &to->params[i];
        const uint16_t was = tw_node_param_from(c->code->module, to, i);
        if (was == TW_NONE || !p->ranged) continue;
        const int64_t value = c->params[c->code->param_first[was]];
        if (value >= p->low && value <= p->high) continue;
        return REFUSE(err, "param %s was set to what lies outside its new range", p->name);
    }
    return TW_OK;
}

tw_status tw_node_upgrade_fits(const tw_contract *c, const tw_module *to, tw_err *err)
{
    const tw_module *from = c->code->module;
    if (from->upgrade.role == TW_NONE) {
        return REFUSE(err, "%s version %u has no upgrade clause: it can never be changed",
                      from->name, from->version);
    }
    TW_TRY(versions_fit(from, to, err));
    TW_TRY(roles_fit(from, to, err));
    TW_TRY(monies_fit(from, to, err));
    TW_TRY(phase_fits(c, to, err));
    TW_TRY(ids_fit(from, to, err));
    TW_TRY(purses_fit(c, to, err));
    TW_TRY(schema_fits(from, to, err));
    TW_TRY(registries_fit(from, to, err));
    return params_fit(c, to, err);
}
