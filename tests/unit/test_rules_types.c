/* test_rules_types -- rules V101 to V199 of docs/VERIFIER.md: types and what is made of them. */
#include "tests/unit/rules_fixture.h"

#include "vm/base/quantities.h"

#include <assert.h>

#define PARTS(number) "type " #number ": its parts do not make a type"

static_assert(T_BOOL == 0 && T_INT == 1 && T_TEXT == 2 && T_HASH == 3 && T_OPTIONAL == 5 &&
                  T_RECORD == 6 && T_LIST == 7 && T_ENUM == 8 && W_EUR_AMOUNT == 10 &&
                  W_FITTED == 12 && W_TYPES == 16,
              "sentences below name types by their numbers");

/* One more type, the last. */
static tw_type *more(maker *k, tw_type type)
{
    tw_module *m = &k->m;
    GROW(m->types, m->type_count, m->type_count + 1u);
    if (type.name == NULL) type.name = "";
    m->types[m->type_count - 1] = type;
    return &m->types[m->type_count - 1];
}

static tw_members same(maker *k, uint16_t type, uint16_t count)
{
    tw_members list = {.items = TW_NEW_ARRAY(k->arena, tw_member, count), .count = count};
    for (uint16_t i = 0; i < count; i++) list.items[i] = (tw_member){"m", type};
    return list;
}

static void of_kind(maker *k, uint8_t kind)
{
    (void)more(k, (tw_type){.kind = kind});
}

TAKEN(V101, twin, of_kind(k, TW_KIND_TWIN))
TAKEN(V101, things, cr_expect_eq(m->types[W_FITTED].kind, TW_KIND_KINDS - 1))
REFUSED(V101, kind_0, PARTS(16), of_kind(k, 0))
REFUSED(V101, kind_14, PARTS(16), of_kind(k, TW_KIND_KINDS))

REFUSED(V102, bool_of_something, PARTS(0), m->types[T_BOOL].of = 1)
REFUSED(V102, bool_with_a_max, PARTS(0), m->types[T_BOOL].max = 1)
REFUSED(V102, record_of_something, PARTS(6), m->types[T_RECORD].of = 1)
REFUSED(V102, optional_with_a_max, PARTS(5), m->types[T_OPTIONAL].max = 1)
REFUSED(V102, text_of_something, PARTS(2), m->types[T_TEXT].of = 1)
TAKEN(V102, optional_of_the_first_type, m->types[T_OPTIONAL].of = T_BOOL)

TAKEN(V103, the_last_quantity, m->types[T_INT].quantity = TW_DIM_COUNT - 1)
REFUSED(V103, a_quantity_beyond, PARTS(1), m->types[T_INT].quantity = TW_DIM_COUNT)
REFUSED(V103, an_int_of_no_quantity, PARTS(1), m->types[T_INT].quantity = TW_DIM_NONE)
REFUSED(V103, a_bool_of_a_quantity, PARTS(0), m->types[T_BOOL].quantity = 1)

LIMIT(V104, text, TW_TEXT_SIZE_MAX, PARTS(16),
      (void)more(k, (tw_type){.kind = TW_KIND_TEXT, .max = n}))
LIMIT(V104, bytes, TW_TEXT_SIZE_MAX, PARTS(16),
      (void)more(k, (tw_type){.kind = TW_KIND_BYTES, .max = n}))
REFUSED(V104, text_of_none, PARTS(16), (void)more(k, (tw_type){.kind = TW_KIND_TEXT}))

LIMIT(V105, list, TW_LIST_MAX, PARTS(16),
      (void)more(k, (tw_type){.kind = TW_KIND_LIST, .of = T_BOOL, .max = n}))
LIMIT(V105, things, TW_LIST_MAX, PARTS(12), w->part[0].type = T_INT;
      w->fields[W_PARTS].key_type = T_INT; m->types[W_FITTED].of = T_INT;
      m->types[W_FITTED].max = n)
REFUSED(V105, list_of_none, PARTS(7), m->types[T_LIST].max = 0)

REFUSED(V106, enum_beyond, PARTS(8), m->types[T_ENUM].of = 1)
TAKEN(V106, second_enum, GROW(m->enums, m->enum_count, 2); m->types[T_ENUM].of = 1)
REFUSED(V107, money_beyond, PARTS(10), m->types[W_EUR_AMOUNT].of = W_MONIES)
TAKEN(V107, last_money, m->types[W_EUR_AMOUNT].of = W_MONIES - 1)
REFUSED(V108, registry_beyond, PARTS(12), m->types[W_FITTED].home = W_FIELDS)
TAKEN(V108, last_registry, const tw_field parts = w->fields[W_PARTS];
      w->fields[W_PARTS] = w->fields[W_MACHINES]; w->fields[W_MACHINES] = parts;
      m->types[W_FITTED].home = W_MACHINES)
REFUSED(V109, record_of_nothing, PARTS(6), m->types[T_RECORD].members.count = 0)
TAKEN(V109, record_of_one, m->types[T_EIGHT].members.count = 1)

REFUSED(V110, optional_of_itself, "type 5: is of a type that comes later",
        m->types[T_OPTIONAL].of = T_OPTIONAL)
REFUSED(V110, list_of_itself, "type 7: is of a type that comes later", m->types[T_LIST].of = T_LIST)
REFUSED(V110, list_of_none, "type 7: is of a type that comes later", m->types[T_LIST].of = W_TYPES)
TAKEN(V110, optional_of_the_type_before, m->types[T_OPTIONAL].of = T_OPTIONAL - 1)
REFUSED(V111, record_of_itself, "Pair: field 1 has no earlier type",
        m->types[T_RECORD].members.items[1].type = T_RECORD)
REFUSED(V111, event_of_none, "Event: field 0 has no earlier type",
        m->events[0].members = same(k, W_TYPES, 1))
REFUSED(V111, argument_of_none, "tested: field 3 has no earlier type", k->eight[3].type = W_TYPES;
        m->types[T_EIGHT].members = same(k, T_INT, 8))
TAKEN(V111, event_of_the_last_type, m->events[0].members = same(k, W_TYPES - 1, 1))

/* A list of 4,095 optional bools: 8,191 slots. Type 17. */
static void long_list(maker *k)
{
    (void)more(k, (tw_type){.kind = TW_KIND_OPTIONAL, .of = T_BOOL});
    (void)more(k, (tw_type){.kind = TW_KIND_LIST, .of = W_TYPES, .max = 4095});
}

static void record_of(maker *k, uint16_t type, uint16_t count)
{
    (void)more(k, (tw_type){.kind = TW_KIND_RECORD, .name = "R", .members = same(k, type, count)});
}

TAKEN(V112, type_of_8192_slots, long_list(k);
      (void)more(k, (tw_type){.kind = TW_KIND_OPTIONAL, .of = W_TYPES + 1}))
REFUSED(V112, type_of_8193_slots, "type 18: takes 8193 slots and 8195 bytes, the limits are 8192",
        (void)more(k, (tw_type){.kind = TW_KIND_LIST, .of = T_BOOL, .max = 4095});
        record_of(k, W_TYPES, 2);
        (void)more(k, (tw_type){.kind = TW_KIND_OPTIONAL, .of = W_TYPES + 1}))

/* 8,192 slots of which one holds two bytes, and 8,192 numbers: no type comes closer to the limit
 * of 65,535 bytes. */
static void numbers(maker *k, bool less)
{
    record_of(k, T_INT, TW_MEMBERS_MAX);
    record_of(k, T_INT, TW_MEMBERS_MAX);
    if (less) k->m.types[W_TYPES + 1].members.items[0].type = T_ENUM;
    record_of(k, W_TYPES, TW_MEMBERS_MAX);
    record_of(k, W_TYPES, TW_MEMBERS_MAX);
    k->m.types[W_TYPES + 3].members.items[0].type = W_TYPES + 1;
    record_of(k, W_TYPES + 2, 2);
    k->m.types[W_TYPES + 4].members.items[1].type = W_TYPES + 3;
}

TAKEN(V113, type_of_65530_bytes, numbers(k, true))
REFUSED(V113, type_of_65536_bytes,
        "type 20: takes 8192 slots and 65536 bytes, the limits are 8192 and "
        "65535",
        numbers(k, false))
LIMIT(
    V114, types_32_deep, TW_TYPE_DEPTH_MAX, "type 47: more than 32 types inside each other",
    for (uint32_t i = 1; i < n; i++) {
        const uint16_t of = i == 1 ? T_INT : (uint16_t)(m->type_count - 1);
        (void)more(k, (tw_type){.kind = TW_KIND_OPTIONAL, .of = of});
    })

LIMIT(V115, arguments, 2, "tested: takes 8193 slots, at most 8192 fit a frame", long_list(k);
      m->entries[E_ACTION].members = same(k, T_BOOL, n);
      m->entries[E_ACTION].members.items[0].type = W_TYPES + 1;
      k->functions[F_TESTED].argument_slots = TW_FRAME_SLOTS_MAX;
      k->functions[F_TESTED].frame_slots = TW_FRAME_SLOTS_MAX)
LIMIT(V115, record, 2, "R: takes 8193 slots, at most 8192 fit a frame", long_list(k);
      record_of(k, T_BOOL, n); m->types[W_TYPES + 2].members.items[0].type = W_TYPES + 1)

/* A text takes two bytes more than it has. */
LIMIT(V116, event, TW_EVENT_SIZE_MAX - 2, "Event: up to 4097 bytes, the limit is 4096",
      (void)more(k, (tw_type){.kind = TW_KIND_TEXT, .max = n});
      m->events[0].members = same(k, W_TYPES, 1))
LIMIT(V116, error, TW_EVENT_SIZE_MAX - 2, "Error: up to 4097 bytes, the limit is 4096",
      (void)more(k, (tw_type){.kind = TW_KIND_TEXT, .max = n});
      m->errors[0].members = same(k, W_TYPES, 1))
LIMIT(V116, kind_of_history, TW_EVENT_SIZE_MAX - 2, "History: up to 4097 bytes, the limit is 4096",
      (void)more(k, (tw_type){.kind = TW_KIND_TEXT, .max = n});
      m->histories[0].members = same(k, W_TYPES, 1))

TAKEN(V117, field_of_the_last_type, w->fields[0].value_type = W_BYTES)
REFUSED(V117, field_beyond, "field b: its type is not there", w->fields[0].value_type = W_TYPES)
REFUSED(V117, key_beyond, "field map: its type is not there", w->fields[W_MAP].key_type = W_TYPES)

TAKEN(V118, last_money_and_role, w->purses[W_CHEST].money = W_MONIES - 1;
      w->purses[W_STAKES].role = W_METER)
REFUSED(V118, money_beyond, "purse chest: its money or role is not there",
        w->purses[W_CHEST].money = W_MONIES)
REFUSED(V118, role_beyond, "purse stakes: its money or role is not there",
        w->purses[W_STAKES].role = W_METER + 1)

TAKEN(V119, machines_hold_parts, cr_expect_eq(m->types[W_FITTED].home, W_PARTS))
REFUSED(V119, machines_hold_machines, "registry machines: its things hold each other in a ring",
        m->types[W_FITTED].home = W_MACHINES)
