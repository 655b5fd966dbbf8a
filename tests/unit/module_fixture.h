/* module_fixture -- a small module with one of everything, made by hand, whose function TESTED a
 * test fills with instructions. For the tests of the module format, the verifier and the machine.
 */
#ifndef TW_TEST_MODULE_FIXTURE_H
#define TW_TEST_MODULE_FIXTURE_H

#include "vm/isa/module.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>
#include <string.h>

enum { T_BOOL, T_INT, T_TEXT, T_HASH, T_ACCOUNT, T_OPTIONAL, T_RECORD, T_LIST, T_ENUM, T_EIGHT };
enum { F_CONDITION, F_SUM, F_TESTED, F_DEPLOY, FUNCTION_COUNT };
enum { E_DEPLOY, E_VIEW, E_ACTION, E_AFTER, ENTRY_COUNT };
enum { FRAME = 64, MAKER_MEMORY = 64 * 1024 * 1024 };

/* The lists are writable: a test changes what it is about. */
typedef struct maker {
    tw_arena *arena;
    tw_module m;
    tw_type types[16];
    tw_enum enums[1];
    tw_role roles[3];
    tw_param params[2];
    tw_field fields[8];
    tw_arrow arrows[2];
    tw_reading readings[1];
    tw_stamp stamps[1];
    tw_alarm alarms[1];
    tw_notice events[1], errors[1], histories[1];
    tw_rule invariants[1], checks[1];
    int64_t constants[8];
    tw_function functions[FUNCTION_COUNT];
    tw_entry entries[ENTRY_COUNT];
    tw_member pair[2], single[1], eight[8];
    const char *values[3];
    const char *phases[2];
    uint8_t five[8], hi[4];
    tw_err err;
} maker;

static inline uint64_t insn(tw_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t x)
{
    return tw_insn_make(op, a, b, c, x);
}
static inline uint64_t imm30(tw_op op, uint32_t a, uint32_t b, int32_t imm)
{
    return tw_insn_make30(op, a, b, imm);
}
static inline uint64_t imm26(tw_op op, uint32_t a, int32_t imm, uint32_t x)
{
    return tw_insn_make26(op, a, imm, x);
}

static inline void maker_types(maker *k)
{
    for (size_t i = 0; i < 8; i++) k->eight[i] = (tw_member){"s", T_INT};
    k->pair[0] = (tw_member){"a", T_INT};
    k->pair[1] = (tw_member){"b", T_TEXT};
    k->single[0] = (tw_member){"a", T_INT};
    k->types[T_BOOL] = (tw_type){.kind = TW_KIND_BOOL, .name = ""};
    k->types[T_INT] = (tw_type){.kind = TW_KIND_INT, .quantity = 1, .name = ""};
    k->types[T_TEXT] = (tw_type){.kind = TW_KIND_TEXT, .max = 12, .name = ""};
    k->types[T_HASH] = (tw_type){.kind = TW_KIND_HASH, .name = ""};
    k->types[T_ACCOUNT] = (tw_type){.kind = TW_KIND_ACCOUNT, .name = ""};
    k->types[T_OPTIONAL] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = T_INT, .name = ""};
    k->types[T_RECORD] = (tw_type){
        .kind = TW_KIND_RECORD, .name = "Pair", .members = {.items = k->pair, .count = 2}};
    k->types[T_LIST] = (tw_type){.kind = TW_KIND_LIST, .of = T_INT, .max = 3, .name = ""};
    k->types[T_ENUM] = (tw_type){.kind = TW_KIND_ENUM, .of = 0, .name = ""};
    k->types[T_EIGHT] = (tw_type){
        .kind = TW_KIND_RECORD, .name = "Eight", .members = {.items = k->eight, .count = 8}};
    k->values[0] = "x";
    k->values[1] = "y";
    k->values[2] = "z";
    k->enums[0] = (tw_enum){.name = "E", .values = {k->values, 3}};
    k->m.types = k->types;
    k->m.type_count = T_EIGHT + 1;
    k->m.enums = k->enums;
    k->m.enum_count = 1;
}

static inline void maker_state(maker *k)
{
    static const char *const names[] = {"b", "n", "t", "h", "a", "o", "r", "l"};
    tw_store_u64(k->five, 5);
    memcpy(k->hi, "\0\2hi", 4);
    k->roles[0] = (tw_role){"owner", 1, 0, 0};
    k->roles[1] = (tw_role){"guard", 3, 0, 3};
    k->roles[2] = (tw_role){"sensor", 1, 0, 3};
    k->params[0] = (tw_param){"p", T_INT, true, 0, 9, tw_bytes_of(k->five, 8)};
    k->params[1] = (tw_param){"q", T_TEXT, false, 0, 0, tw_bytes_of(k->hi, 4)};
    /* field i has type i */
    for (uint16_t i = 0; i < 8; i++) {
        k->fields[i] = (tw_field){.name = names[i],
                                  .kind = TW_FIELD_VAR,
                                  .key_type = TW_NONE,
                                  .key_member = TW_NONE,
                                  .value_type = i};
    }
    k->phases[0] = "A";
    k->phases[1] = "B";
    k->arrows[0] = (tw_arrow){0, 1};
    k->arrows[1] = (tw_arrow){1, 0};
    k->m.roles = k->roles;
    k->m.role_count = 3;
    k->m.params = k->params;
    k->m.param_count = 2;
    k->m.deployed_count = 2;
    k->m.fields = k->fields;
    k->m.field_count = 8;
    k->m.phases = (tw_names){k->phases, 2};
    k->m.arrows = k->arrows;
    k->m.arrow_count = 2;
}

static inline void maker_twin(maker *k)
{
    k->readings[0] = (tw_reading){.name = "r",
                                  .field = "r",
                                  .type = T_INT,
                                  .role = 2,
                                  .low = -1000,
                                  .high = 1000,
                                  .rate_count = 1,
                                  .rate_ms = 1000,
                                  .keep = 100,
                                  .age_max_ms = 60000,
                                  .gap_ms = 60000};
    k->stamps[0] = (tw_stamp){0, TW_STAMP_ABOVE, 0, TW_NONE};
    k->alarms[0] = (tw_alarm){"alarm", F_CONDITION, F_CONDITION, 1};
    k->events[0] = (tw_notice){"Event", {.items = k->pair, .count = 2}};
    k->errors[0] = (tw_notice){"Error", {.items = k->single, .count = 1}};
    k->histories[0] = (tw_notice){"History", {.items = k->single, .count = 1}};
    k->invariants[0] = (tw_rule){"holds", F_CONDITION};
    k->checks[0] = (tw_rule){"check", TW_NONE};
    k->m.readings = k->readings;
    k->m.reading_count = 1;
    k->m.stamps = k->stamps;
    k->m.stamp_count = 1;
    k->m.alarms = k->alarms;
    k->m.alarm_count = 1;
    k->m.events = k->events;
    k->m.event_count = 1;
    k->m.errors = k->errors;
    k->m.error_count = 1;
    k->m.histories = k->histories;
    k->m.history_count = 1;
    k->m.invariants = k->invariants;
    k->m.invariant_count = 1;
    k->m.checks = k->checks;
    k->m.check_count = 1;
}

/* The tested function has eight numbers as arguments and gives slots 0 to 7 back. As an action it
 * has the arguments alone: results = 0. */
static inline void maker_code(maker *k, const uint64_t *code, uint32_t count, uint16_t results)
{
    const uint64_t condition[] = {imm30(TW_OP_LDI, 0, 0, 1), insn(TW_OP_RET, 0, 0, 0, 0)};
    const uint64_t sum[] = {insn(TW_OP_ADD, 0, 0, 1, 0), insn(TW_OP_RET, 0, 0, 0, 0)};
    const uint64_t deploy[] = {insn(TW_OP_RET, 0, 0, 0, 0)};
    tw_module *m = &k->m;
    m->code = TW_NEW_ARRAY(k->arena, uint64_t, count + 8);
    cr_assert_not_null(m->code);
    memcpy(m->code, condition, sizeof condition);
    memcpy(m->code + 2, sum, sizeof sum);
    memcpy(m->code + 4, code, count * sizeof *code);
    memcpy(m->code + 4 + count, deploy, sizeof deploy);
    m->code_count = 5 + count;
    k->functions[F_CONDITION] = (tw_function){"condition", 0, 1, 1, 0, 2};
    k->functions[F_SUM] = (tw_function){"sum", 2, 1, 2, 2, 2};
    k->functions[F_TESTED] = (tw_function){"tested", 8, results, FRAME, 4, count};
    k->functions[F_DEPLOY] = (tw_function){"deploy", 0, 0, 0, 4 + count, 1};
    m->functions = k->functions;
    m->function_count = FUNCTION_COUNT;
}

static inline void maker_entries(maker *k, bool action)
{
    const tw_members eight = {.items = k->eight, .count = 8};
    const tw_entry none = {.of = TW_NONE, .delay = TW_NONE, .phases = 3, .result = TW_NONE};
    for (size_t i = 0; i < ENTRY_COUNT; i++) k->entries[i] = none;
    k->entries[E_DEPLOY].name = "deploy";
    k->entries[E_DEPLOY].kind = TW_ENTRY_DEPLOY;
    k->entries[E_DEPLOY].function = F_DEPLOY;
    k->entries[E_VIEW].name = "tested";
    k->entries[E_VIEW].kind = TW_ENTRY_VIEW;
    k->entries[E_VIEW].function = F_TESTED;
    k->entries[E_VIEW].members = eight;
    k->entries[E_VIEW].result = T_EIGHT;
    k->entries[E_ACTION] = k->entries[E_VIEW];
    k->entries[E_ACTION].kind = TW_ENTRY_ACTION;
    k->entries[E_ACTION].result = TW_NONE;
    /* the tested function is either; the other entry then runs the empty one */
    tw_entry *other = &k->entries[action ? E_VIEW : E_ACTION];
    other->function = action ? F_CONDITION : F_DEPLOY;
    other->members = (tw_members){0};
    if (action) other->result = T_INT;
    k->entries[E_AFTER].name = "after";
    k->entries[E_AFTER].kind = TW_ENTRY_AFTER;
    k->entries[E_AFTER].function = F_DEPLOY;
    k->entries[E_AFTER].delay = 1;
    k->m.entries = k->entries;
    k->m.entry_count = ENTRY_COUNT;
}

static inline maker *maker_new(const uint64_t *code, uint32_t count, bool action)
{
    tw_arena *arena = tw_arena_new(MAKER_MEMORY);
    maker *k = arena != NULL ? TW_NEW(arena, maker) : NULL;
    cr_assert_not_null(k);
    const int64_t constants[] = {10, 3, INT64_MAX, INT64_MIN, -7, 1, 0, 100};
    k->arena = arena;
    k->m.name = "Made";
    k->m.version = 1;
    k->m.upgrade = (tw_upgrade){TW_NONE, 0, TW_NONE};
    k->m.twin = "";
    memcpy(k->constants, constants, sizeof constants);
    k->m.constants = k->constants;
    k->m.constant_count = 8;
    maker_types(k);
    maker_state(k);
    maker_twin(k);
    maker_code(k, code, count, action ? 0 : 8);
    maker_entries(k, action);
    return k;
}

static inline void maker_free(maker *k)
{
    tw_arena_free(k->arena);
}

/* Derives and computes the bounds; the status of the first thing that is refused. */
static inline tw_status maker_facts(maker *k)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_module_derive(&k->m, &k->err));
    TW_TRY(tw_facts_compute(&k->m, k->arena, &facts, &k->err));
    for (uint16_t i = 0; i < k->m.entry_count; i++) k->entries[i].bounds = facts->entries[i];
    return TW_OK;
}

/* The bytes of the module, whose bounds must stand. */
static inline tw_bytes maker_bytes(maker *k)
{
    tw_writer w = tw_writer_new(2 * TW_MODULE_SIZE_MAX);
    cr_assert_eq(tw_module_encode(&k->m, &w), TW_OK);
    const void *copy = tw_arena_copy(k->arena, w.data, w.size);
    const size_t size = w.size;
    cr_assert(copy != NULL && !w.bad);
    tw_writer_free(&w);
    return tw_bytes_of(copy, size);
}

#endif
