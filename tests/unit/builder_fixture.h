/* builder_fixture -- a module put together by hand, piece by piece: for tests of what the machine
 * does with declarations of every kind, whatever the compiler makes of them. Lists have room for a
 * small module; an entry's code ends with the RET that `build_entry` puts there. */
#ifndef TW_TEST_BUILDER_FIXTURE_H
#define TW_TEST_BUILDER_FIXTURE_H

#include "vm/isa/module.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>
#include <string.h>

enum { BUILD_MAX = 64, BUILD_FRAME = 128, BUILD_CODE_MAX = 2048 };

typedef struct builder {
    tw_arena *arena;
    tw_module m;
    tw_err err;
} builder;

static inline builder *build_new(const char *name, uint32_t version)
{
    tw_arena *arena = tw_arena_new(64 * 1024 * 1024);
    builder *b = arena != NULL ? TW_NEW(arena, builder) : NULL;
    cr_assert_not_null(b);
    b->arena = arena;
    tw_module *m = &b->m;
    *m = (tw_module){.name = name, .version = version, .twin = ""};
    m->upgrade = (tw_upgrade){TW_NONE, 0, TW_NONE};
    m->types = TW_NEW_ARRAY(arena, tw_type, BUILD_MAX);
    m->fields = TW_NEW_ARRAY(arena, tw_field, BUILD_MAX);
    m->roles = TW_NEW_ARRAY(arena, tw_role, BUILD_MAX);
    m->params = TW_NEW_ARRAY(arena, tw_param, BUILD_MAX);
    m->monies = TW_NEW_ARRAY(arena, tw_money, BUILD_MAX);
    m->purses = TW_NEW_ARRAY(arena, tw_purse, BUILD_MAX);
    m->phases.items = TW_NEW_ARRAY(arena, const char *, BUILD_MAX);
    m->arrows = TW_NEW_ARRAY(arena, tw_arrow, BUILD_MAX);
    m->readings = TW_NEW_ARRAY(arena, tw_reading, BUILD_MAX);
    m->stamps = TW_NEW_ARRAY(arena, tw_stamp, BUILD_MAX);
    m->alarms = TW_NEW_ARRAY(arena, tw_alarm, BUILD_MAX);
    m->histories = TW_NEW_ARRAY(arena, tw_notice, BUILD_MAX);
    m->constants = TW_NEW_ARRAY(arena, int64_t, BUILD_MAX);
    m->functions = TW_NEW_ARRAY(arena, tw_function, 2 * BUILD_MAX);
    m->entries = TW_NEW_ARRAY(arena, tw_entry, 2 * BUILD_MAX);
    m->code = TW_NEW_ARRAY(arena, uint64_t, BUILD_CODE_MAX);
    cr_assert_not_null(m->code);
    return b;
}

static inline void build_free(builder *b)
{
    tw_arena_free(b->arena);
}

static inline uint16_t build_type(builder *b, tw_type type)
{
    if (type.name == NULL) type.name = "";
    b->m.types[b->m.type_count] = type;
    return b->m.type_count++;
}

/* Names and types in turn, ended by a NULL. */
typedef struct part {
    const char *name;
    uint16_t type;
} part;

static inline tw_members build_members(builder *b, const part *parts)
{
    tw_members list = {.items = TW_NEW_ARRAY(b->arena, tw_member, BUILD_MAX)};
    for (; parts != NULL && parts->name != NULL; parts++) {
        list.items[list.count++] = (tw_member){parts->name, parts->type};
    }
    return list;
}

static inline uint16_t build_record(builder *b, const char *name, const part *parts)
{
    return build_type(
        b, (tw_type){.kind = TW_KIND_RECORD, .name = name, .members = build_members(b, parts)});
}

static inline uint16_t build_var(builder *b, const char *name, uint16_t type, bool old)
{
    b->m.fields[b->m.field_count] = (tw_field){.name = name,
                                               .kind = TW_FIELD_VAR,
                                               .old = old,
                                               .key_type = TW_NONE,
                                               .value_type = type,
                                               .key_member = TW_NONE};
    return b->m.field_count++;
}

static inline uint16_t build_map(builder *b, const char *name, uint16_t key, uint16_t value,
                                 uint32_t max)
{
    b->m.fields[b->m.field_count] = (tw_field){.name = name,
                                               .kind = TW_FIELD_MAP,
                                               .key_type = key,
                                               .value_type = value,
                                               .key_member = TW_NONE,
                                               .max = max};
    return b->m.field_count++;
}

/* The key is the record's first member. */
static inline uint16_t build_registry(builder *b, const char *name, uint16_t key, uint16_t record,
                                      uint32_t max)
{
    b->m.fields[b->m.field_count] = (tw_field){
        .name = name, .kind = TW_FIELD_REGISTRY, .key_type = key, .value_type = record, .max = max};
    return b->m.field_count++;
}

static inline uint16_t build_phase(builder *b, const char *name)
{
    b->m.phases.items[b->m.phases.count] = name;
    return b->m.phases.count++;
}

static inline uint16_t build_function(builder *b, const char *name, uint16_t arguments,
                                      uint16_t results, const uint64_t *code, uint32_t count)
{
    tw_module *m = &b->m;
    cr_assert_leq(m->code_count + count, BUILD_CODE_MAX);
    memcpy(m->code + m->code_count, code, count * sizeof *code);
    m->functions[m->function_count] =
        (tw_function){name, arguments, results, BUILD_FRAME, m->code_count, count};
    m->code_count += count;
    return m->function_count++;
}

/* Slots of a type whose parts are in the module already: before they are derived. */
static inline uint32_t build_slots(builder *b)
{
    cr_assert_eq(tw_module_derive(&b->m, &b->err), TW_OK, "%s", b->err.text);
    return 0;
}

/* Code of up to 39 instructions, ended by a 0; its result, if it has one, stands from slot
 * `result` on. */
static inline uint16_t build_entry(builder *b, tw_entry_kind kind, const char *name,
                                   const part *arguments, uint16_t result_type, uint32_t result,
                                   const uint64_t *code)
{
    tw_module *m = &b->m;
    uint64_t whole[40];
    uint32_t count = 0;
    tw_entry e = {.name = name,
                  .kind = (uint8_t)kind,
                  .of = TW_NONE,
                  .delay = TW_NONE,
                  .phases = ((uint64_t)1 << m->phases.count) - 1,
                  .members = build_members(b, arguments),
                  .result = result_type};
    (void)build_slots(b);
    for (uint16_t i = 0; i < e.members.count; i++) {
        e.members.slots += m->types[e.members.items[i].type].slots;
    }
    while (code != NULL && code[count] != 0) {
        whole[count] = code[count];
        count++;
    }
    whole[count++] = tw_insn_make(TW_OP_RET, result, 0, 0, 0);
    e.function = build_function(
        b, name, (uint16_t)e.members.slots,
        (uint16_t)(result_type != TW_NONE ? m->types[result_type].slots : 0), whole, count);
    m->entries[m->entry_count] = e;
    return m->entry_count++;
}

/* Bounds and bytes; the bytes live as long as the builder. */
static inline tw_bytes build_bytes(builder *b)
{
    tw_facts *facts = NULL;
    tw_module *m = &b->m;
    if (m->phases.count == 0) (void)build_phase(b, "");
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (m->entries[i].phases == 0) m->entries[i].phases = 1;
    }
    cr_assert_eq(tw_module_derive(m, &b->err), TW_OK, "%s", b->err.text);
    cr_assert_eq(tw_facts_compute(m, b->arena, &facts, &b->err), TW_OK, "%s", b->err.text);
    for (uint16_t i = 0; i < m->entry_count; i++) m->entries[i].bounds = facts->entries[i];
    tw_writer w = tw_writer_new(2 * TW_MODULE_SIZE_MAX);
    cr_assert_eq(tw_module_encode(m, &w), TW_OK);
    const void *copy = tw_arena_copy(b->arena, w.data, w.size);
    const size_t size = w.size;
    cr_assert(copy != NULL && !w.bad);
    tw_writer_free(&w);
    return tw_bytes_of(copy, size);
}

#endif
