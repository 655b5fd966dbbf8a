/* declare_state -- money, fields, purses and the upgrade: what a module declares of its state. */
#include "vm/isa/value.h"
#include "vm/verify/check.h"
#include "vm/verify/cost.h"

#include <string.h>

#define REFUSE(err, ...) tw_err_set((err), TW_REFUSED_MODULE, __VA_ARGS__)

/* The fields so far in two orders, and the registries by record and version (0: none, else one more
 * than its index): each new field is compared with few of them. */
typedef struct fields_sorted {
    uint16_t by_name[TW_FIELDS_MAX], by_id[TW_FIELDS_MAX], registries[TW_TYPES_MAX][2];
} fields_sorted;

/* A token is known by its name, so no two monies may share one; it becomes that of an asset, whose
 * record has room for so much. */
static tw_status monies(const tw_module *m, tw_err *err)
{
    for (uint16_t i = 0; i < m->money_count; i++) {
        const tw_money *money = &m->monies[i];
        const bool token = money->kind == TW_MONEY_TOKEN;
        const size_t size = strlen(money->name);
        if ((!token && money->kind != TW_MONEY_CURRENCY) || money->decimals > TW_DECIMALS_MAX ||
            (token ? money->supply < 1 : money->supply != 0) || size - 1 >= TW_NAME_SIZE_MAX) {
            return REFUSE(err,
                          "money %s: a currency or a token of at most %d decimals; a token has a "
                          "supply, a currency none; a name 1 to %d bytes",
                          money->name, TW_DECIMALS_MAX, TW_NAME_SIZE_MAX);
        }
        for (uint16_t k = 0; k < i; k++) {
            if (strcmp(m->monies[k].name, money->name) != 0) continue;
            return REFUSE(err, "money %s: declared twice", money->name);
        }
    }
    return TW_OK;
}

/* A list of things: of a registry whose keys it holds, and of this version if its holder is. */
static tw_status things(const tw_module *m, const tw_field *f, const tw_type *t, tw_err *err)
{
    const tw_field *home = &m->fields[t->home];
    if (home->kind == TW_FIELD_REGISTRY && home->key_type == t->of && (f->old || !home->old)) {
        return TW_OK;
    }
    return REFUSE(err, "field %s: a list of things whose registry is not there or has other keys",
                  f->name);
}

static tw_status registry(const tw_module *m, uint16_t index, fields_sorted *sorted, tw_err *err)
{
    const tw_field *f = &m->fields[index];
    const tw_members *members = &m->types[f->value_type].members;
    if (m->types[f->value_type].kind != TW_KIND_RECORD || f->key_member >= members->count ||
        members->items[f->key_member].type != f->key_type) {
        return REFUSE(err, "registry %s: its key is no member of its record", f->name);
    }
    for (uint16_t i = 0; i < members->count; i++) {
        const tw_type *t = &m->types[members->items[i].type];
        if (t->kind == TW_KIND_THINGS) {
            TW_TRY(things(m, f, t, err));
        } else if (t->has_things) {
            return REFUSE(err, "registry %s: things stand deeper than in its record", f->name);
        }
    }
    uint16_t *same = &sorted->registries[f->value_type][f->old];
    const uint16_t before = *same;
    *same = index + 1;
    if (before == 0) return TW_OK;
    return REFUSE(err, "registries %s and %s are of the same asset", m->fields[before - 1].name,
                  f->name);
}

static tw_status keyed(const tw_module *m, const tw_field *f, tw_err *err)
{
    const uint64_t size = tw_key_size_max(m, f->key_type);
    if (f->max == 0 || f->max > TW_MAP_MAX) {
        return REFUSE(err, "field %s: its max must be 1 to %d", f->name, TW_MAP_MAX);
    }
    if (size > TW_KEY_SIZE_MAX || m->types[f->key_type].has_things) {
        return REFUSE(err, "field %s: its keys take up to %llu bytes, at most %d and no things",
                      f->name, (unsigned long long)size, TW_KEY_SIZE_MAX);
    }
    return TW_OK;
}

/* Its types are there: its id is derived from them. */
static tw_status field(const tw_module *m, uint16_t index, fields_sorted *sorted, tw_err *err)
{
    const tw_field *f = &m->fields[index];
    const bool var = f->kind == TW_FIELD_VAR;
    if (f->kind < TW_FIELD_VAR || f->kind >= TW_FIELD_KINDS) {
        return REFUSE(err, "field %s: unknown kind %u", f->name, f->kind);
    }
    if ((f->key_type == TW_NONE) != var ||
        (f->key_member == TW_NONE) != (f->kind != TW_FIELD_REGISTRY) || (var && f->max != 0)) {
        return REFUSE(err, "field %s: its types or its max do not fit its kind", f->name);
    }
    if (!var) TW_TRY(keyed(m, f, err));
    if (f->kind == TW_FIELD_REGISTRY) return registry(m, index, sorted, err);
    if (!m->types[f->value_type].has_things) return TW_OK;
    return REFUSE(err, "field %s: only a registry holds things", f->name);
}

static int name_order(const tw_field *a, const tw_field *b)
{
    return a->old != b->old ? (int)a->old - (int)b->old : strcmp(a->name, b->name);
}

static int id_order(const tw_field *a, const tw_field *b)
{
    return (a->id > b->id) - (a->id < b->id);
}

/* How many of the `count` in `sorted` are not after the field. */
static uint32_t place_of(const tw_module *m, const uint16_t *sorted, uint32_t count,
                         const tw_field *f, int (*order)(const tw_field *, const tw_field *))
{
    uint32_t low = 0;
    while (low < count) {
        const uint32_t middle = (low + count) / 2;
        const bool before = order(f, &m->fields[sorted[middle]]) < 0;
        low = before ? low : middle + 1;
        count = before ? middle : count;
    }
    return low;
}

/* Puts a field behind those of the `index` in `sorted` that are not after it; the place. */
static uint32_t sort_in(const tw_module *m, uint16_t *sorted, uint16_t index,
                        int (*order)(const tw_field *, const tw_field *))
{
    const uint32_t at = place_of(m, sorted, index, &m->fields[index], order);
    memmove(sorted + at + 1, sorted + at, (index - at) * sizeof *sorted);
    sorted[at] = index;
    return at;
}

/* Ids are places in the state. An old field may be a field of this version too, if it is the same
 * in all. */
static tw_status distinct(const tw_module *m, uint16_t index, fields_sorted *sorted, tw_err *err)
{
    const tw_field *f = &m->fields[index];
    uint32_t at = sort_in(m, sorted->by_name, index, name_order);
    if (at > 0 && name_order(&m->fields[sorted->by_name[at - 1]], f) == 0) {
        return REFUSE(err, "field %s: declared twice", f->name);
    }
    for (at = sort_in(m, sorted->by_id, index, id_order); at > 0; at--) {
        const tw_field *other = &m->fields[sorted->by_id[at - 1]];
        if (other->id != f->id) break;
        if (other->old != f->old && tw_hash_equal(&other->description, &f->description)) continue;
        return REFUSE(err, "fields %s and %s have the same id: rename one", other->name, f->name);
    }
    return TW_OK;
}

static tw_status purse(const tw_module *m, uint16_t index, const fields_sorted *sorted, tw_err *err)
{
    const tw_purse *p = &m->purses[index];
    for (uint16_t i = 0; i < index; i++) {
        if (m->purses[i].id != p->id && strcmp(m->purses[i].name, p->name) != 0) continue;
        return REFUSE(err, "purse %s: the same name or id as purse %s, rename one", p->name,
                      m->purses[i].name);
    }
    const tw_field same = {.id = p->id};
    const uint32_t at = place_of(m, sorted->by_id, m->field_count, &same, id_order);
    const tw_field *f = at > 0 ? &m->fields[sorted->by_id[at - 1]] : NULL;
    if (f == NULL || f->id != p->id) return TW_OK;
    return REFUSE(err, "purse %s and field %s have the same id: rename one", p->name, f->name);
}

static tw_status upgrade(const tw_module *m, tw_err *err)
{
    const tw_upgrade *u = &m->upgrade;
    const bool none = u->role == TW_NONE;
    if (none && u->count == 0 && u->delay == TW_NONE) return TW_OK;
    const bool delay = u->delay == TW_NONE || u->delay < m->deployed_count;
    if (!none && u->role < m->role_count && u->count > 0 && u->count <= m->roles[u->role].max &&
        u->count <= TW_SIGNERS_MAX && delay) {
        return TW_OK;
    }
    return REFUSE(err, "upgrade: its role, the number of its signers or its delay is not there");
}

tw_status tw_check_state(const tw_module *m, tw_err *err)
{
    fields_sorted sorted;
    memset(sorted.registries, 0, m->type_count * sizeof *sorted.registries);
    TW_TRY(monies(m, err));
    for (uint16_t i = 0; i < m->field_count; i++) {
        TW_TRY(field(m, i, &sorted, err));
        TW_TRY(distinct(m, i, &sorted, err));
    }
    for (uint16_t i = 0; i < m->purse_count; i++) TW_TRY(purse(m, i, &sorted, err));
    return upgrade(m, err);
}
