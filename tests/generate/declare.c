/* declare -- what a generated module declares: types, state, money, roles, readings, notices.
 *
 * Which of these a module has is drawn first, so that most are small and all of it is met over many
 * modules. Ranges are narrow where that makes things happen: maps of two keys become full, windows
 * of few readings turn over.
 */
#include "tests/generate/maker.h"
#include "vm/base/quantities.h"
#include "vm/isa/value.h"

#include <string.h>

enum { ITEMS_MAX = 8 }; /* of most lists of declarations */

/* Names of any list, unlike each other. */
static const char *name_at(uint32_t index)
{
    static const char *const names[] = {"ant",   "bee",  "cat",  "dog",  "eel",   "fox",
                                        "gnu",   "hare", "ibis", "jay",  "kite",  "lynx",
                                        "mouse", "newt", "owl",  "pika", "quail", "rat"};
    return names[index % (sizeof names / sizeof names[0])];
}

static void *items(maker *k, size_t count, size_t size)
{
    void *list = tw_arena_array(k->arena, count, size);
    k->no_memory = k->no_memory || list == NULL;
    return list;
}

/* ---- types ---- */

/* As tw_module_derive computes it; values are made before that runs. */
static uint32_t slots_of(const tw_module *m, const tw_type *t)
{
    switch ((tw_kind)t->kind) {
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: return 1 + (t->max + 7) / 8;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: return 4;
    case TW_KIND_OPTIONAL: return 1 + m->types[t->of].slots;
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return 1 + t->max * m->types[t->of].slots;
    case TW_KIND_RECORD: {
        uint32_t slots = 0;
        for (uint16_t i = 0; i < t->members.count; i++) {
            slots += m->types[t->members.items[i].type].slots;
        }
        return slots;
    }
    case TW_KIND_BOOL:
    case TW_KIND_INT:
    case TW_KIND_ENUM:
    case TW_KIND_MONEY:
    case TW_KIND_KINDS: break;
    }
    return 1;
}

static uint16_t add_type(maker *k, tw_type type)
{
    type.slots = slots_of(k->m, &type);
    if (type.name == NULL) type.name = "";
    k->m->types[k->m->type_count] = type;
    return k->m->type_count++;
}

uint16_t pick_type(maker *k, uint32_t slots_max)
{
    for (int i = 0; i < 8; i++) {
        const uint16_t type = (uint16_t)dice_below(&k->d, k->m->type_count);
        const tw_type *t = &k->m->types[type];
        bool good = t->kind != TW_KIND_THINGS && t->slots <= slots_max;
        for (uint16_t j = 0; j < t->members.count; j++) {
            good = good && k->m->types[t->members.items[j].type].kind != TW_KIND_THINGS;
        }
        if (good) return type;
    }
    return (uint16_t)dice_below(&k->d, TYPE_ACCOUNT);
}

/* Members of types that exist; `first` of a type given, unless that is TW_NONE. */
static tw_members members(maker *k, uint32_t count, uint16_t first, uint32_t slots_max)
{
    tw_members list = {.items = items(k, count, sizeof *list.items), .count = (uint16_t)count};
    for (uint32_t i = 0; i < count && list.items != NULL; i++) {
        const uint16_t type = i == 0 && first != TW_NONE ? first : pick_type(k, slots_max);
        list.items[i] = (tw_member){name_at(i), type};
    }
    return list;
}

static tw_members traced(maker *k)
{
    tw_members list = {.items = items(k, TRACED, sizeof *list.items), .count = TRACED};
    for (uint32_t i = 0; i < TRACED && list.items != NULL; i++) {
        list.items[i] = (tw_member){name_at(i), TYPE_INT};
    }
    if (list.items == NULL) list.count = 0;
    return list;
}

static uint16_t add_record(maker *k, uint16_t first)
{
    const uint32_t count = 1 + dice_below(&k->d, 3);
    return add_type(k, (tw_type){.kind = TW_KIND_RECORD,
                                 .name = name_at(k->m->type_count),
                                 .members = members(k, count, first, 8)});
}

static uint16_t add_list(maker *k, uint16_t of)
{
    const uint32_t max = dice_percent(&k->d, 5) ? 20 : 1 + dice_below(&k->d, 4);
    return add_type(k, (tw_type){.kind = TW_KIND_LIST, .of = of, .max = max});
}

static uint16_t add_text(maker *k)
{
    const uint8_t kind = dice_percent(&k->d, 70) ? TW_KIND_TEXT : TW_KIND_BYTES;
    const bool large = dice_percent(&k->d, 2);
    const uint32_t max = large ? 100 + dice_below(&k->d, 600) : 1 + dice_below(&k->d, 20);
    return add_type(k, (tw_type){.kind = kind, .max = max});
}

static void add_any_type(maker *k)
{
    dice *d = &k->d;
    switch (dice_below(d, 8)) {
    case 0:
    case 1: (void)add_text(k); break;
    case 2:
        (void)add_type(k, (tw_type){.kind = dice_percent(d, 50) ? TW_KIND_HASH : TW_KIND_TWIN});
        break;
    case 3:
        if (k->m->enum_count > 0) (void)add_type(k, (tw_type){.kind = TW_KIND_ENUM});
        break;
    case 4: (void)add_type(k, (tw_type){.kind = TW_KIND_OPTIONAL, .of = pick_type(k, 12)}); break;
    case 5: (void)add_record(k, TW_NONE); break;
    case 6: (void)add_list(k, pick_type(k, 8)); break;
    default:
        (void)add_type(k, (tw_type){.kind = TW_KIND_INT,
                                    .quantity = (uint8_t)(1 + dice_below(d, TW_DIM_COUNT - 1u))});
        break;
    }
}

static void types(maker *k)
{
    tw_module *m = k->m;
    m->types = items(k, TYPES_MAX, sizeof *m->types);
    m->enums = items(k, 1, sizeof *m->enums);
    if (k->no_memory) return;
    if (dice_percent(&k->d, 40)) {
        const uint16_t count = (uint16_t)(1 + dice_below(&k->d, 4));
        const char **values = items(k, count, sizeof *values);
        for (uint16_t i = 0; i < count && values != NULL; i++) values[i] = name_at(i);
        m->enums[m->enum_count++] =
            (tw_enum){.name = "Enum", .values = {values, values != NULL ? count : 0}};
    }
    (void)add_type(k, (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_INT});
    (void)add_type(k, (tw_type){.kind = TW_KIND_BOOL});
    (void)add_type(k, (tw_type){.kind = TW_KIND_ACCOUNT});
    (void)add_type(k, (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_TIME});
    (void)add_type(k, (tw_type){.kind = TW_KIND_RECORD, .name = "Trace", .members = traced(k)});
    const uint32_t more = dice_below(&k->d, dice_percent(&k->d, 10) ? 12 : 5);
    for (uint32_t i = 0; i < more; i++) add_any_type(k);
}

/* ---- roles, money ---- */

static void roles(maker *k)
{
    tw_module *m = k->m;
    m->roles = items(k, ITEMS_MAX, sizeof *m->roles);
    if (k->no_memory) return;
    m->role_count = (uint16_t)dice_below(&k->d, 4);
    for (uint16_t i = 0; i < m->role_count; i++) {
        const uint32_t max = dice_percent(&k->d, 50) ? 1 : 2 + dice_below(&k->d, 3);
        m->roles[i] = (tw_role){name_at(i), max, 0, 3};
    }
}

static void monies(maker *k)
{
    tw_module *m = k->m;
    dice *d = &k->d;
    m->monies = items(k, ITEMS_MAX, sizeof *m->monies);
    m->purses = items(k, ITEMS_MAX, sizeof *m->purses);
    if (k->no_memory || dice_percent(d, 60)) return;
    m->money_count = (uint16_t)(1 + dice_below(d, 2));
    for (uint16_t i = 0; i < m->money_count; i++) {
        const int64_t supply = dice_percent(d, 20) ? INT64_MAX : 1000 + dice_between(d, 0, 100);
        m->monies[i] = (tw_money){name_at(i), TW_MONEY_TOKEN, (uint8_t)dice_below(d, 19), supply};
        if (dice_percent(d, 40)) {
            m->monies[i].kind = TW_MONEY_CURRENCY;
            m->monies[i].supply = 0;
        }
        (void)add_type(k, (tw_type){.kind = TW_KIND_MONEY, .of = i});
    }
    m->purse_count = (uint16_t)dice_below(d, 4);
    for (uint16_t i = 0; i < m->purse_count; i++) {
        const bool keyed = m->role_count > 0 && dice_percent(d, 40);
        const uint16_t role = keyed ? (uint16_t)dice_below(d, m->role_count) : TW_NONE;
        m->purses[i] = (tw_purse){
            .name = name_at(i), .money = (uint16_t)dice_below(d, m->money_count), .role = role};
    }
}

/* ---- state ---- */

static bool is_key(const maker *k, uint16_t type)
{
    return k->m->types[type].slots <= 8;
}

static uint16_t pick_key(maker *k)
{
    const uint16_t type = pick_type(k, 8);
    return is_key(k, type) ? type : (uint16_t)TYPE_INT;
}

static tw_field *add_field(maker *k, tw_field_kind kind, uint16_t value)
{
    tw_field *f = &k->m->fields[k->m->field_count];
    *f = (tw_field){.name = name_at(k->m->field_count),
                    .kind = (uint8_t)kind,
                    .key_type = TW_NONE,
                    .value_type = value,
                    .key_member = TW_NONE};
    k->m->field_count++;
    if (kind == TW_FIELD_VAR) return f;
    f->max = dice_percent(&k->d, 10) ? 1000000 : 1 + dice_below(&k->d, 5);
    if (kind == TW_FIELD_MAP) f->key_type = pick_key(k);
    return f;
}

/* A registry of records whose key comes first, holding things of the one before, if there is one.
 */
static void add_registry(maker *k, uint16_t below)
{
    tw_module *m = k->m;
    tw_members list = members(k, 2 + dice_below(&k->d, 2), pick_key(k), 6);
    if (k->no_memory) return;
    const uint16_t key_member = (uint16_t)dice_below(&k->d, list.count);
    if (below != TW_NONE) {
        const tw_field *home = &m->fields[below];
        const uint16_t things = add_type(k, (tw_type){.kind = TW_KIND_THINGS,
                                                      .of = home->key_type,
                                                      .home = below,
                                                      .max = 1 + dice_below(&k->d, 3)});
        list.items[list.count - 1].type = things;
    }
    uint16_t key = below != TW_NONE ? 0 : key_member;
    if (!is_key(k, list.items[key].type)) key = 0;
    const uint16_t record = add_type(
        k, (tw_type){.kind = TW_KIND_RECORD, .name = name_at(below + 1u), .members = list});
    tw_field *f = add_field(k, TW_FIELD_REGISTRY, record);
    f->key_type = list.items[key].type;
    f->key_member = key;
}

static void registries(maker *k)
{
    if (dice_percent(&k->d, 60)) return;
    const uint32_t count = 1 + dice_below(&k->d, 3);
    for (uint32_t i = 0; i < count; i++) {
        add_registry(k, i == 0 ? TW_NONE : (uint16_t)(k->m->field_count - 1));
    }
}

static void maps(maker *k)
{
    const uint32_t count = dice_below(&k->d, 3);
    for (uint32_t i = 0; i < count; i++) {
        const bool ranked = dice_percent(&k->d, 40); /* a record with a number, for TOP */
        const uint16_t value = ranked ? add_record(k, TYPE_INT) : pick_type(k, 12);
        (void)add_field(k, TW_FIELD_MAP, value);
        if (ranked) (void)add_list(k, value);
    }
}

static void vars(maker *k)
{
    const uint32_t count = dice_below(&k->d, 4);
    for (uint32_t i = 0; i < count; i++) (void)add_field(k, TW_FIELD_VAR, pick_type(k, 40));
}

static void state(maker *k)
{
    k->m->fields = items(k, 4 * ITEMS_MAX, sizeof *k->m->fields);
    if (k->no_memory) return;
    registries(k); /* first, so that lists of things name fields by small numbers */
    maps(k);
    vars(k);
}

/* ---- parameters, phases ---- */

static void params(maker *k)
{
    tw_module *m = k->m;
    m->params = items(k, ITEMS_MAX, sizeof *m->params);
    if (k->no_memory || dice_percent(&k->d, 60)) return;
    m->param_count = (uint16_t)(1 + dice_below(&k->d, 3));
    for (uint16_t i = 0; i < m->param_count; i++) {
        int64_t slots[TW_PARAMS_MAX];
        tw_param *p = &m->params[i];
        const uint16_t type = pick_type(k, 40);
        *p = (tw_param){.name = name_at(i), .type = type};
        generate_value(&k->d, m, type, slots);
        const size_t size = 64 + 9 * (size_t)m->types[type].slots;
        uint8_t *memory = items(k, size, 1);
        if (memory == NULL) return;
        tw_writer w = tw_writer_fixed(memory, size);
        k->no_memory = k->no_memory || tw_value_encode(m, type, slots, &w) != TW_OK || w.bad;
        p->preset = tw_writer_bytes(&w);
        if (m->types[type].kind != TW_KIND_INT || dice_percent(&k->d, 50)) continue;
        p->ranged = true;
        p->low = slots[0];
        p->high = slots[0];
    }
}

static void phases(maker *k)
{
    tw_module *m = k->m;
    const uint16_t count = (uint16_t)(dice_percent(&k->d, 50) ? 1 : 2 + dice_below(&k->d, 3));
    const char **names = items(k, count, sizeof *names);
    m->arrows = items(k, count, sizeof *m->arrows);
    if (k->no_memory) return;
    for (uint16_t i = 0; i < count; i++) {
        names[i] = name_at(i);
        m->arrows[i] = (tw_arrow){i, (uint16_t)dice_below(&k->d, count)};
    }
    m->phases = (tw_names){names, count};
    m->arrow_count = count;
}

/* ---- readings ---- */

static void reading(maker *k, tw_reading *r, uint16_t index)
{
    dice *d = &k->d;
    const uint16_t role = (uint16_t)dice_below(d, k->m->role_count);
    const int64_t wide = (int64_t)1 << (dice_percent(d, 30) ? TW_RANGE_BITS : 10);
    *r = (tw_reading){.name = name_at(index),
                      .field = name_at(index),
                      .type = TYPE_INT,
                      .role = role,
                      .per_device = k->m->roles[role].max != 1 || dice_percent(d, 30),
                      .low = dice_percent(d, 50) ? -wide : 0,
                      .high = wide,
                      .rate_count = (uint16_t)(1 + dice_below(d, 6)),
                      .rate_ms = dice_percent(d, 70) ? 1 : dice_between(d, 1, 3000),
                      .age_max_ms = dice_between(d, 1, 100000),
                      .gap_ms = dice_between(d, 1, 20000)};
    const uint32_t more = dice_percent(d, 80) ? dice_below(d, 20) : dice_below(d, 300);
    r->keep = (uint16_t)(r->rate_count + more);
}

static void stamp(maker *k, tw_stamp *s)
{
    dice *d = &k->d;
    s->reading = (uint16_t)dice_below(d, k->m->reading_count);
    s->kind = (uint8_t)(1 + dice_below(d, TW_STAMP_KINDS - 1u));
    s->low = (uint16_t)dice_below(d, k->m->deployed_count);
    s->high = s->kind == TW_STAMP_WITHIN ? (uint16_t)dice_below(d, k->m->deployed_count) : TW_NONE;
}

static void readings(maker *k)
{
    tw_module *m = k->m;
    m->deployed_count = (uint16_t)(2 + dice_below(&k->d, 3));
    if (m->role_count > 0 && dice_percent(&k->d, 20)) m->upgrade = (tw_upgrade){0, 1, 0};
    m->readings = items(k, ITEMS_MAX, sizeof *m->readings);
    m->stamps = items(k, ITEMS_MAX, sizeof *m->stamps);
    m->alarms = items(k, ITEMS_MAX, sizeof *m->alarms);
    if (k->no_memory || m->role_count == 0 || dice_percent(&k->d, 50)) return;
    m->reading_count = (uint16_t)(1 + dice_below(&k->d, 2));
    for (uint16_t i = 0; i < m->reading_count; i++) reading(k, &m->readings[i], i);
    m->stamp_count = (uint16_t)dice_below(&k->d, 3);
    for (uint16_t i = 0; i < m->stamp_count; i++) stamp(k, &m->stamps[i]);
}

/* ---- notices ---- */

static uint16_t notices(maker *k, tw_notice **ret_list, uint16_t first)
{
    const uint16_t count = (uint16_t)(first + dice_below(&k->d, 3));
    *ret_list = items(k, ITEMS_MAX, sizeof **ret_list);
    for (uint16_t i = first; i < count && *ret_list != NULL; i++) {
        (*ret_list)[i] = (tw_notice){name_at(i), members(k, dice_below(&k->d, 4), TW_NONE, 12)};
    }
    return count;
}

static void rules(maker *k)
{
    tw_module *m = k->m;
    m->checks = items(k, 1, sizeof *m->checks);
    m->invariants = items(k, 1, sizeof *m->invariants);
    if (k->no_memory || dice_percent(&k->d, 50)) return;
    m->checks[m->check_count++] = (tw_rule){"check", TW_NONE};
}

/* The things of a registry have keys that are values of the key's type as well. */
static void share_keys(maker *k)
{
    tw_module *m = k->m;
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (f->kind != TW_FIELD_REGISTRY) continue;
        const tw_members *list = &m->types[f->value_type].members;
        uint32_t offset = 0;
        for (uint16_t j = 0; j < f->key_member; j++) {
            offset += m->types[list->items[j].type].slots;
        }
        for (uint32_t j = 0; j < VALUES; j++) {
            memcpy(m->constants + k->values[f->value_type][j] + offset,
                   m->constants + k->values[f->key_type][j],
                   m->types[f->key_type].slots * sizeof *m->constants);
        }
    }
}

/* A few values of each type, for instructions to load. */
static void constants(maker *k)
{
    tw_module *m = k->m;
    m->constants = items(k, CONSTANTS_MAX, sizeof *m->constants);
    if (k->no_memory) return;
    for (uint16_t i = 0; i < GENERATE_CONSTANTS; i++) {
        m->constants[i] = generate_number(&k->d);
        if (i < GENERATE_CONSTANTS / 2) m->constants[i] = 1 + dice_below(&k->d, 1000);
    }
    m->constant_count = GENERATE_CONSTANTS;
    for (uint16_t t = 0; t < m->type_count; t++) {
        const uint32_t slots = m->types[t].slots;
        const uint32_t values = slots > 40 ? 1 : VALUES;
        for (uint32_t i = 0; i < VALUES; i++) {
            if (i >= values || m->constant_count + slots > CONSTANTS_MAX) {
                k->values[t][i] = k->values[t][0];
                continue;
            }
            k->values[t][i] = m->constant_count;
            generate_value(&k->d, m, t, m->constants + m->constant_count);
            m->constant_count = (uint16_t)(m->constant_count + slots);
        }
    }
    share_keys(k);
}

void make_declarations(maker *k)
{
    tw_module *m = k->m;
    m->name = "Generated";
    m->version = 1;
    m->twin = "";
    m->upgrade = (tw_upgrade){TW_NONE, 0, TW_NONE};
    types(k);
    roles(k);
    monies(k);
    state(k);
    if (k->no_memory) return;
    params(k);
    phases(k);
    readings(k);
    m->event_count = notices(k, &m->events, 1);
    if (m->events != NULL) m->events[0] = (tw_notice){"Trace", traced(k)};
    m->error_count = notices(k, &m->errors, 0);
    m->history_count = notices(k, &m->histories, 0);
    rules(k);
    if (!k->no_memory) constants(k);
}
