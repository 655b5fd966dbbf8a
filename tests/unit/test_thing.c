/* test_thing -- things: what each instruction does to them, every trap, and long random lives
 * against a plain model. Parts are held by machines in two lists, machines by plants in one. */
#include "tests/unit/builder_fixture.h"
#include "tests/unit/state_fixture.h"
#include "vm/exec/exec.h"
#include "vm/exec/field.h"
#include "vm/exec/thing.h"
#include "vm/isa/value.h"
#include "vm/ledger/notices.h"

#include <stdio.h>

enum { PART, MACHINE, PLANT, KINDS };
enum { FITTED, SPARE, HOUSED, LISTS, FREE = LISTS };
enum { T_INT, T_TEXT, T_ACCOUNT, T_FITTED, T_SPARE, T_PART, T_MACHINE, T_HOUSED, T_PLANT };
enum { NOW = 777, WORK = 64 };

static const uint32_t key_slots[KINDS] = {3, 1, 1};
static const uint32_t thing_max[KINDS] = {6, 3, 2};
static const uint16_t key_type[KINDS] = {T_TEXT, T_INT, T_INT};
static const uint16_t thing_type[KINDS] = {T_PART, T_MACHINE, T_PLANT};

/* Of each list: whose things it holds, in whose record, as which member, how many, and where it
 * stands in the record. */
static const struct list_row {
    int held, holder;
    uint32_t member, max, offset, step;
} list_rows[LISTS] = {
    {PART, MACHINE, 2, 3, 2, 3}, {PART, MACHINE, 3, 2, 12, 3}, {MACHINE, PLANT, 2, 1, 2, 1}};

typedef struct world {
    builder *b;
    tw_code *code;
    tw_store *store;
    tw_overlay *overlay;
    tw_exec *exec;
    tw_contract *contract;
    tw_outcome outcome;
    tw_account sender;
    int64_t result[256];
} world;

/* ---- the module ---- */

static void types(builder *b)
{
    const part part_parts[] = {{"serial", T_TEXT}, {"hours", T_INT}, {NULL, 0}};
    const part machine[] = {
        {"number", T_INT}, {"hours", T_INT}, {"fitted", T_FITTED}, {"spare", T_SPARE}, {NULL, 0}};
    const part plant[] = {{"number", T_INT}, {"hours", T_INT}, {"housed", T_HOUSED}, {NULL, 0}};
    build_type(b, (tw_type){.kind = TW_KIND_INT, .quantity = 1});
    build_type(b, (tw_type){.kind = TW_KIND_TEXT, .max = 12});
    build_type(b, (tw_type){.kind = TW_KIND_ACCOUNT});
    build_type(b, (tw_type){.kind = TW_KIND_THINGS, .of = T_TEXT, .home = PART, .max = 3});
    build_type(b, (tw_type){.kind = TW_KIND_THINGS, .of = T_TEXT, .home = PART, .max = 2});
    build_record(b, "Part", part_parts);
    build_record(b, "Machine", machine);
    build_type(b, (tw_type){.kind = TW_KIND_THINGS, .of = T_INT, .home = MACHINE, .max = 1});
    build_record(b, "Plant", plant);
    const part note[] = {{"n", T_INT}, {NULL, 0}};
    b->m.histories[b->m.history_count++] = (tw_notice){"Note", build_members(b, note)};
}

static const char *named(builder *b, const char *verb, int kind)
{
    char text[32];
    const int size = snprintf(text, sizeof text, "%s%d", verb, kind);
    return tw_arena_copy(b->arena, text, (size_t)size);
}

static void verbs(builder *b, int kind)
{
    const uint32_t k = key_slots[kind];
    const uint32_t x = (uint32_t)kind;
    const part key[] = {{"k", key_type[kind]}, {NULL, 0}};
    const part with_int[] = {{"k", key_type[kind]}, {"n", T_INT}, {NULL, 0}};
    const part with_account[] = {{"k", key_type[kind]}, {"a", T_ACCOUNT}, {NULL, 0}};
    const part full[] = {{"k", key_type[kind]}, {"n", T_INT}, {"a", T_ACCOUNT}, {NULL, 0}};
    const uint64_t create[] = {tw_insn_make(TW_OP_MOVN, WORK, 0, 0, k + 1),
                               tw_insn_make(TW_OP_CREATE, WORK, k + 1, 0, x), 0};
    const uint64_t give[] = {tw_insn_make(TW_OP_GIVE, 0, k, 0, x), 0};
    const uint64_t detach[] = {tw_insn_make(TW_OP_DETACH, 0, 0, 0, x), 0};
    const uint64_t retire[] = {tw_insn_make(TW_OP_RETIRE, 0, 0, 0, x), 0};
    const uint64_t note[] = {tw_insn_make(TW_OP_LOG, k, 0, 0, x), 0};
    const uint64_t run[] = {tw_insn_make(TW_OP_LOAD, WORK, 0, 0, x),
                            tw_insn_make(TW_OP_ADD, WORK + k, WORK + k, k, 0),
                            tw_insn_make(TW_OP_STORE, WORK, 0, 0, x), 0};
    build_entry(b, TW_ENTRY_ACTION, named(b, "create", kind), full, TW_NONE, 0, create);
    build_entry(b, TW_ENTRY_ACTION, named(b, "give", kind), with_account, TW_NONE, 0, give);
    build_entry(b, TW_ENTRY_ACTION, named(b, "detach", kind), key, TW_NONE, 0, detach);
    build_entry(b, TW_ENTRY_ACTION, named(b, "retire", kind), key, TW_NONE, 0, retire);
    build_entry(b, TW_ENTRY_ACTION, named(b, "note", kind), with_int, TW_NONE, 0, note);
    build_entry(b, TW_ENTRY_ACTION, named(b, "run", kind), with_int, TW_NONE, 0, run);
}

static void views(builder *b, int kind)
{
    const uint32_t x = (uint32_t)kind;
    const part key[] = {{"k", key_type[kind]}, {NULL, 0}};
    const uint64_t owner[] = {tw_insn_make(TW_OP_OWNER, WORK, 0, 0, x), 0};
    const uint64_t maker[] = {tw_insn_make(TW_OP_MAKER, WORK, 0, 0, x), 0};
    const uint64_t logged[] = {tw_insn_make(TW_OP_LOGGED, WORK, 0, 0, x), 0};
    const uint64_t load[] = {tw_insn_make(TW_OP_LOAD, WORK, 0, 0, x), 0};
    const uint64_t size[] = {tw_insn_make(TW_OP_SIZE, WORK, 0, 0, x), 0};
    build_entry(b, TW_ENTRY_VIEW, named(b, "owner", kind), key, T_ACCOUNT, WORK, owner);
    build_entry(b, TW_ENTRY_VIEW, named(b, "maker", kind), key, T_ACCOUNT, WORK, maker);
    build_entry(b, TW_ENTRY_VIEW, named(b, "logged", kind), key, T_INT, WORK, logged);
    build_entry(b, TW_ENTRY_VIEW, named(b, "load", kind), key, thing_type[kind], WORK, load);
    build_entry(b, TW_ENTRY_VIEW, named(b, "size", kind), NULL, T_INT, WORK, size);
}

static void lists(builder *b, int list)
{
    const struct list_row *l = &list_rows[list];
    const uint32_t k = key_slots[l->held];
    const uint32_t x = 64 * (uint32_t)l->holder + l->member;
    const part keys[] = {{"k", key_type[l->held]}, {"h", key_type[l->holder]}, {NULL, 0}};
    const uint64_t attach[] = {tw_insn_make(TW_OP_ATTACH, 0, k, 0, x), 0};
    const uint64_t held[] = {tw_insn_make(TW_OP_HELD, 0, k, 0, x), 0};
    build_entry(b, TW_ENTRY_ACTION, named(b, "attach", list), keys, TW_NONE, 0, attach);
    build_entry(b, TW_ENTRY_VIEW, named(b, "held", list), keys, T_INT, WORK, held);
}

/* Stores that change what no assignment may: the key, a list, and creates with a list. */
static void forgeries(builder *b)
{
    const part key[] = {{"k", T_INT}, {NULL, 0}};
    const uint64_t rename[] = {tw_insn_make(TW_OP_LOAD, WORK, 0, 0, MACHINE),
                               tw_insn_make30(TW_OP_ADDI, WORK, WORK, 1),
                               tw_insn_make(TW_OP_STORE, WORK, 0, 0, MACHINE), 0};
    const uint64_t empty[] = {tw_insn_make(TW_OP_LOAD, WORK, 0, 0, MACHINE),
                              tw_insn_make(TW_OP_ZERO, WORK + 2, 0, 0, 10),
                              tw_insn_make(TW_OP_STORE, WORK, 0, 0, MACHINE), 0};
    const uint64_t full[] = {tw_insn_make(TW_OP_MOV, WORK, 0, 0, 0),
                             tw_insn_make30(TW_OP_LDI, WORK + 2, 0, 1),
                             tw_insn_make(TW_OP_CREATE, WORK, 1, 0, MACHINE), 0};
    const uint64_t write[] = {tw_insn_make(TW_OP_MOV, WORK, 0, 0, 0),
                              tw_insn_make(TW_OP_STORE, WORK, 0, 0, MACHINE), 0};
    build_entry(b, TW_ENTRY_ACTION, "rename", key, TW_NONE, 0, rename);
    build_entry(b, TW_ENTRY_ACTION, "write", key, TW_NONE, 0, write);
    build_entry(b, TW_ENTRY_ACTION, "empty", key, TW_NONE, 0, empty);
    build_entry(b, TW_ENTRY_ACTION, "full", key, TW_NONE, 0, full);
}

static builder *module_new(void)
{
    static const char *const names[KINDS] = {"parts", "machines", "plants"};
    builder *b = build_new("Passport", 1);
    b->m.phases.items[b->m.phases.count++] = "";
    for (int kind = 0; kind < KINDS; kind++) { /* before their types: those name them */
        build_registry(b, names[kind], key_type[kind], thing_type[kind], thing_max[kind]);
    }
    b->m.fields[build_registry(b, "yards", T_INT, T_PLANT, 1)].old = true;
    types(b);
    build_entry(b, TW_ENTRY_DEPLOY, "deploy", NULL, TW_NONE, 0, NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        verbs(b, kind);
        views(b, kind);
    }
    for (int list = 0; list < LISTS; list++) lists(b, list);
    forgeries(b);
    return b;
}

/* ---- a contract of it ---- */

static tw_account account(uint8_t byte)
{
    tw_account a;
    memset(a.bytes, byte, sizeof a.bytes);
    return a;
}

static tw_status run(world *w, tw_entry_kind kind, const char *name, const int64_t *arguments)
{
    const tw_module *m = w->code->module;
    const uint16_t index = tw_module_entry(m, kind, name);
    cr_assert_neq(index, TW_NONE, "%s", name);
    const tw_call call = {.entry = index,
                          .now = NOW,
                          .end = NOW,
                          .signers = &w->sender,
                          .signer_count = 1,
                          .arguments = arguments};
    const tw_bounds *bounds = &m->entries[index].bounds;
    cr_assert_eq(tw_exec_run(w->exec, w->contract, &call, &w->outcome), TW_OK);
    cr_assert_leq(w->outcome.gas, bounds->gas, "%s", name);
    cr_assert_leq(w->outcome.writes, bounds->writes, "%s", name);
    cr_assert_leq(w->outcome.histories, bounds->events, "%s", name);
    if (w->outcome.status != TW_OK || kind != TW_ENTRY_VIEW) return w->outcome.status;
    tw_reader r = tw_reader_of(w->outcome.fields);
    cr_assert_eq(tw_value_decode(m, m->entries[index].result, &r, w->result), TW_OK);
    return TW_OK;
}

static world *world_new(void)
{
    world *w = tw_mem_new(sizeof *w);
    const tw_hash id = {{7}};
    tw_err err = {.status = TW_OK};
    w->b = module_new();
    cr_assert_eq(tw_code_new(build_bytes(w->b), NULL, &w->code, &err), TW_OK, "%s", err.text);
    w->store = store_in_memory();
    w->overlay = tw_overlay_new(w->store, 64 * MIB);
    w->exec = tw_exec_new();
    cr_assert(w->overlay != NULL && w->exec != NULL);
    tw_overlay_clear(w->overlay, 1);
    w->sender = account(1);
    cr_assert_eq(tw_contract_new(&id, w->code, w->overlay, w->b->arena, &w->contract), TW_OK);
    const tw_call call = {.entry = tw_module_entry(w->code->module, TW_ENTRY_DEPLOY, NULL),
                          .signers = &w->sender,
                          .signer_count = 1};
    cr_assert_eq(tw_exec_run(w->exec, w->contract, &call, &w->outcome), TW_OK);
    cr_assert_eq(tw_contract_save(w->contract), TW_OK);
    cr_assert_eq(tw_contract_save_control(w->contract), TW_OK);
    return w;
}

static void world_free(world *w)
{
    tw_exec_free(w->exec);
    tw_overlay_free(w->overlay);
    tw_store_close(w->store);
    tw_code_free(w->code);
    build_free(w->b);
    tw_mem_free(w);
}

/* Key n of a kind: parts are "P0" ..., the others numbers around 0, so that their order matters. */
static void put_key(int kind, uint32_t n, int64_t *slots)
{
    char text[13];
    memset(slots, 0, key_slots[kind] * sizeof *slots);
    slots[0] = (int64_t)n - 1;
    if (kind != PART) return;
    const int size = snprintf(text, sizeof text, "P%u", n);
    slots[0] = 0;
    tw_slots_from_text(tw_bytes_of(text, (size_t)size), slots);
}

/* A verb of the thing n of a kind with one more argument, of whichever type it takes. */
static tw_status act(world *w, const char *verb, int kind, uint32_t n, int64_t number,
                     uint8_t owner)
{
    int64_t slots[16] = {0};
    char name[32];
    const uint32_t k = key_slots[kind];
    const tw_account a = account(owner);
    (void)snprintf(name, sizeof name, "%s%d", verb, kind);
    put_key(kind, n, slots);
    if (strcmp(verb, "give") == 0) {
        tw_slots_from_bytes32(a.bytes, slots + k);
    } else {
        slots[k] = number;
        tw_slots_from_bytes32(a.bytes, slots + k + 1);
    }
    return run(w, TW_ENTRY_ACTION, name, slots);
}

static tw_status look(world *w, const char *what, int kind, uint32_t n)
{
    int64_t slots[16] = {0};
    char name[32];
    (void)snprintf(name, sizeof name, "%s%d", what, kind);
    put_key(kind, n, slots);
    return run(w, TW_ENTRY_VIEW, name, slots);
}

static tw_status pair(world *w, tw_entry_kind kind, const char *what, int list, uint32_t n,
                      uint32_t holder)
{
    int64_t slots[16] = {0};
    char name[32];
    (void)snprintf(name, sizeof name, "%s%d", what, list);
    put_key(list_rows[list].held, n, slots);
    put_key(list_rows[list].holder, holder, slots + key_slots[list_rows[list].held]);
    return run(w, kind, name, slots);
}

static tw_status attach(world *w, int list, uint32_t n, uint32_t holder)
{
    return pair(w, TW_ENTRY_ACTION, "attach", list, n, holder);
}

static uint8_t account_of(world *w, const char *what, int kind, uint32_t n)
{
    uint8_t bytes[32];
    cr_assert_eq(look(w, what, kind, n), TW_OK);
    tw_slots_to_bytes32(w->result, bytes);
    for (int i = 1; i < 32; i++) cr_assert_eq(bytes[i], bytes[0]);
    return bytes[0];
}

static int64_t number_of(world *w, const char *what, int kind, uint32_t n)
{
    cr_assert_eq(look(w, what, kind, n), TW_OK);
    return w->result[0];
}

/* ---- one by one ---- */

Test(thing, a_life)
{
    world *w = world_new();
    w->sender = account(9);
    cr_assert_eq(act(w, "create", PART, 0, 5, 3), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 3);
    cr_assert_eq(account_of(w, "maker", PART, 0), 9);
    w->sender = account(1);
    cr_assert_eq(act(w, "give", PART, 0, 0, 4), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 4);
    cr_assert_eq(account_of(w, "maker", PART, 0), 9, "who made it stays");
    cr_assert_eq(act(w, "run", PART, 0, 7, 0), TW_OK);
    cr_assert_eq(look(w, "load", PART, 0), TW_OK);
    cr_assert_eq(w->result[3], 12);
    cr_assert_eq(account_of(w, "owner", PART, 0), 4, "an assignment keeps the owner");
    cr_assert_eq(act(w, "retire", PART, 0, 0, 0), TW_OK);
    cr_assert_eq(look(w, "load", PART, 0), TW_OK, "a retired thing can be read");
    cr_assert_eq(w->result[3], 12);
    cr_assert_eq(account_of(w, "owner", PART, 0), 4);
    cr_assert_eq(number_of(w, "size", PART, 0), 1, "and keeps its place");
    world_free(w);
}

Test(thing, what_is_not_there)
{
    world *w = world_new();
    static const char *const verbs_of[] = {"give", "detach", "retire", "note", "run"};
    static const char *const views_of[] = {"owner", "maker", "logged", "load"};
    cr_assert_eq(act(w, "create", MACHINE, 0, 0, 1), TW_OK);
    for (size_t i = 0; i < 5; i++) cr_assert_eq(act(w, verbs_of[i], PART, 0, 0, 1), TW_TRAP_NO_KEY);
    for (size_t i = 0; i < 4; i++) cr_assert_eq(look(w, views_of[i], PART, 0), TW_TRAP_NO_KEY);
    cr_assert_eq(attach(w, FITTED, 0, 0), TW_TRAP_NO_KEY);
    cr_assert_eq(act(w, "create", PART, 0, 0, 1), TW_OK);
    cr_assert_eq(attach(w, FITTED, 0, 1), TW_TRAP_NO_KEY);
    cr_assert_eq(act(w, "detach", PART, 0, 0, 0), TW_TRAP_NO_KEY, "it is attached to nothing");
    cr_assert_eq(pair(w, TW_ENTRY_VIEW, "held", FITTED, 0, 0), TW_TRAP_NO_KEY);
    world_free(w);
}

Test(thing, a_key_is_used_once)
{
    world *w = world_new();
    cr_assert_eq(act(w, "create", PLANT, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", PLANT, 0, 0, 1), TW_TRAP_KEY_USED);
    cr_assert_eq(act(w, "retire", PLANT, 0, 0, 0), TW_OK);
    cr_assert_eq(act(w, "create", PLANT, 0, 0, 1), TW_TRAP_KEY_USED, "of a retired thing too");
    cr_assert_eq(act(w, "create", PLANT, 1, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", PLANT, 2, 0, 1), TW_TRAP_FULL, "retired things count");
    cr_assert_eq(act(w, "create", PLANT, 1, 0, 1), TW_TRAP_KEY_USED);
    cr_assert_eq(number_of(w, "size", PLANT, 0), 2);
    world_free(w);
}

Test(thing, retired)
{
    world *w = world_new();
    static const char *const verbs_of[] = {"give", "detach", "retire", "note", "run"};
    cr_assert_eq(act(w, "create", PART, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", PART, 1, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", MACHINE, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "retire", PART, 0, 0, 0), TW_OK);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(act(w, verbs_of[i], PART, 0, 0, 1), TW_TRAP_RETIRED);
    cr_assert_eq(attach(w, FITTED, 0, 0), TW_TRAP_RETIRED);
    cr_assert_eq(act(w, "retire", MACHINE, 0, 0, 0), TW_OK);
    cr_assert_eq(attach(w, FITTED, 1, 0), TW_TRAP_RETIRED, "to a retired holder");
    world_free(w);
}

Test(thing, attached)
{
    world *w = world_new();
    for (uint32_t i = 0; i < 6; i++) cr_assert_eq(act(w, "create", PART, i, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", MACHINE, 0, 0, 2), TW_OK);
    cr_assert_eq(act(w, "create", MACHINE, 1, 0, 5), TW_OK);
    cr_assert_eq(attach(w, FITTED, 2, 0), TW_OK);
    cr_assert_eq(attach(w, FITTED, 0, 0), TW_OK);
    cr_assert_eq(attach(w, FITTED, 1, 0), TW_OK);
    cr_assert_eq(attach(w, FITTED, 3, 0), TW_TRAP_FULL);
    cr_assert_eq(attach(w, SPARE, 3, 0), TW_OK, "the other list has room");
    cr_assert_eq(attach(w, SPARE, 3, 0), TW_TRAP_ATTACHED);
    cr_assert_eq(attach(w, SPARE, 0, 1), TW_TRAP_ATTACHED);
    cr_assert_eq(act(w, "give", PART, 0, 0, 7), TW_TRAP_ATTACHED);
    cr_assert_eq(act(w, "retire", PART, 0, 0, 0), TW_TRAP_ATTACHED);
    cr_assert_eq(act(w, "retire", MACHINE, 0, 0, 0), TW_TRAP_ATTACHED, "it has parts");
    cr_assert_eq(pair(w, TW_ENTRY_VIEW, "held", FITTED, 0, 0), TW_OK);
    cr_assert_eq(pair(w, TW_ENTRY_VIEW, "held", SPARE, 0, 0), TW_TRAP_NO_KEY, "the other list");
    cr_assert_eq(pair(w, TW_ENTRY_VIEW, "held", FITTED, 0, 1), TW_TRAP_NO_KEY, "another machine");
    cr_assert_eq(account_of(w, "owner", PART, 0), 2);
    cr_assert_eq(act(w, "give", MACHINE, 0, 0, 3), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 3, "it goes with its holder");
    cr_assert_eq(act(w, "run", PART, 0, 4, 0), TW_OK, "its fields can be assigned");
    cr_assert_eq(account_of(w, "owner", PART, 0), 3);
    cr_assert_eq(act(w, "detach", PART, 0, 0, 0), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 3, "and stays with the owner it had");
    cr_assert_eq(act(w, "give", MACHINE, 0, 0, 4), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 3);
    cr_assert_eq(look(w, "load", MACHINE, 0), TW_OK);
    cr_assert_eq(w->result[2], 2, "the others keep their order");
    int64_t key[3];
    put_key(PART, 2, key);
    cr_assert_arr_eq(w->result + 3, key, sizeof key);
    put_key(PART, 1, key);
    cr_assert_arr_eq(w->result + 6, key, sizeof key);
    world_free(w);
}

Test(thing, owner_through_two_holders)
{
    world *w = world_new();
    cr_assert_eq(act(w, "create", PART, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", MACHINE, 0, 0, 2), TW_OK);
    cr_assert_eq(act(w, "create", PLANT, 0, 0, 3), TW_OK);
    cr_assert_eq(attach(w, SPARE, 0, 0), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 2);
    cr_assert_eq(attach(w, HOUSED, 0, 0), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 3);
    cr_assert_eq(act(w, "give", PLANT, 0, 0, 8), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 8);
    cr_assert_eq(act(w, "detach", PART, 0, 0, 0), TW_OK);
    cr_assert_eq(act(w, "give", PLANT, 0, 0, 9), TW_OK);
    cr_assert_eq(account_of(w, "owner", PART, 0), 8);
    cr_assert_eq(account_of(w, "owner", MACHINE, 0), 9);
    world_free(w);
}

Test(thing, what_no_assignment_changes)
{
    world *w = world_new();
    int64_t arguments[8] = {-1}; /* machine 0 */
    cr_assert_eq(act(w, "create", PART, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", MACHINE, 0, 0, 1), TW_OK);
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "rename", arguments), TW_TRAP_BAD_VALUE);
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "empty", arguments), TW_OK, "it is empty already");
    cr_assert_eq(attach(w, FITTED, 0, 0), TW_OK);
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "empty", arguments), TW_TRAP_BAD_VALUE);
    arguments[0] = 5;
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "full", arguments), TW_TRAP_BAD_VALUE);
    cr_assert_eq(number_of(w, "size", MACHINE, 0), 1);
    world_free(w);
}

Test(thing, a_key_that_is_none)
{
    world *w = world_new();
    int64_t arguments[8] = {1, 0x0100000000000000, 0, 0}; /* a control character */
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "create0", arguments), TW_TRAP_BAD_VALUE);
    cr_assert_eq(run(w, TW_ENTRY_VIEW, "owner0", arguments), TW_TRAP_BAD_VALUE);
    arguments[0] = 99; /* longer than the type */
    cr_assert_eq(run(w, TW_ENTRY_ACTION, "give0", arguments), TW_TRAP_BAD_VALUE);
    world_free(w);
}

/* ---- records that the machine did not write ---- */

/* Where the parts of an attached thing's record stand. */
enum { TAG_AT = 0, FLAGS_AT = 1, HOLDER_AT = 106, MEMBER_AT = 110, HOLDER_KEY_AT = 112 };
enum { RECORD_MAX = 1000, NUMBER_KEY_SIZE = 8 };

static tw_key thing_key(const world *w, int kind, uint32_t n)
{
    const tw_field *f = &w->code->module->fields[kind];
    int64_t slots[3];
    tw_key key;
    put_key(kind, n, slots);
    cr_assert_eq(tw_field_key_at(w->contract, f->id, f->key_type, slots, &key), TW_OK);
    return key;
}

static size_t record_of(const world *w, int kind, uint32_t n, uint8_t ret_bytes[RECORD_MAX])
{
    const tw_key key = thing_key(w, kind, n);
    tw_bytes value;
    bool found = false;
    cr_assert_eq(tw_overlay_get(w->overlay, tw_key_bytes(&key), &value, &found), TW_OK);
    cr_assert(found && value.size < RECORD_MAX);
    memcpy(ret_bytes, value.data, value.size);
    return value.size;
}

static void put_record(const world *w, int kind, uint32_t n, const uint8_t *bytes, size_t size)
{
    const tw_key key = thing_key(w, kind, n);
    cr_assert_eq(tw_overlay_put(w->overlay, tw_key_bytes(&key), tw_bytes_of(bytes, size)), TW_OK);
}

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The machine alone: the reference interpreter, which runs beside it, takes states to be whole. */
tw_status __real_tw_exec_run(tw_exec *x, tw_contract *c, const tw_call *call, tw_outcome *outcome);

/* What a verb of thing 0 of a kind ends as, a failure of the host included. */
static tw_status ends(world *w, tw_entry_kind kind, const char *name, int of)
{
    int64_t slots[16] = {0};
    tw_outcome outcome = {.status = TW_OK};
    put_key(of, 0, slots);
    const tw_call call = {.entry = tw_module_entry(w->code->module, kind, name),
                          .now = NOW,
                          .end = NOW,
                          .signers = &w->sender,
                          .signer_count = 1,
                          .arguments = slots};
    cr_assert_neq(call.entry, TW_NONE, "%s", name);
    const tw_status status = __real_tw_exec_run(w->exec, w->contract, &call, &outcome);
    return status != TW_OK ? status : outcome.status;
}

/* Part 0 hangs in machine 0, which stands in plant 0. */
static world *world_built(void)
{
    world *w = world_new();
    for (int kind = 0; kind < KINDS; kind++) {
        cr_assert_eq(act(w, "create", kind, 0, 0, 1), TW_OK);
    }
    cr_assert_eq(attach(w, FITTED, 0, 0), TW_OK);
    cr_assert_eq(attach(w, HOUSED, 0, 0), TW_OK);
    return w;
}

/* The part says that it hangs in another place: in a registry that is not there, in a member that
 * is not there, is no list, or a list in which it is not, and in a list of other things. */
Test(thing, a_place_that_is_none)
{
    uint8_t sound[RECORD_MAX];
    uint8_t bytes[RECORD_MAX];
    world *w = world_built();
    const uint32_t plants = w->code->module->fields[PLANT].id;
    const uint32_t machines = w->code->module->fields[MACHINE].id;
    const uint32_t yards = w->code->module->fields[KINDS].id; /* of the version before */
    const struct {
        uint32_t holder;
        uint16_t member;
    } rows[] = {{0xFFFFFFFF, 2}, {yards, 2},    {machines, 99}, {machines, 4},
                {machines, 1},   {machines, 3}, {plants, 2},    {machines, 2}};
    const size_t count = sizeof rows / sizeof rows[0];
    const size_t size = record_of(w, PART, 0, sound);
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes, sound, size);
        tw_store_u32(bytes + HOLDER_AT, rows[i].holder);
        put_u16(bytes + MEMBER_AT, rows[i].member);
        put_record(w, PART, 0, bytes, size);
        cr_expect_eq(ends(w, TW_ENTRY_ACTION, "detach0", PART),
                     i < count - 1 ? TW_ERR_CORRUPT : TW_OK, "row %zu", i);
    }
    world_free(w);
}

/* Each of the two is said to hang in the other: looking for the owner ends all the same. And a
 * holder that is not there, a record with another tag, one that is cut. */
Test(thing, holders_that_are_none)
{
    uint8_t sound[RECORD_MAX];
    uint8_t bytes[RECORD_MAX + 20];
    world *w = world_built();
    const size_t size = record_of(w, PLANT, 0, sound);
    cr_assert_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_OK);
    memcpy(bytes, sound, HOLDER_AT);
    bytes[FLAGS_AT] |= TW_THING_ATTACHED;
    tw_store_u32(bytes + HOLDER_AT, w->code->module->fields[MACHINE].id);
    put_u16(bytes + MEMBER_AT, 2);
    put_u16(bytes + HOLDER_KEY_AT, NUMBER_KEY_SIZE);
    const tw_key machine = thing_key(w, MACHINE, 0);
    memcpy(bytes + HOLDER_KEY_AT + 2, machine.data + machine.size - NUMBER_KEY_SIZE,
           NUMBER_KEY_SIZE);
    memcpy(bytes + HOLDER_KEY_AT + 2 + NUMBER_KEY_SIZE, sound + HOLDER_AT, size - HOLDER_AT);
    put_record(w, PLANT, 0, bytes, size + 6 + 2 + NUMBER_KEY_SIZE);
    cr_expect_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_ERR_CORRUPT, "round and round");
    cr_expect_eq(ends(w, TW_ENTRY_ACTION, "detach0", PART), TW_ERR_CORRUPT);
    bytes[HOLDER_KEY_AT + 2] ^= 1;
    put_record(w, PLANT, 0, bytes, size + 6 + 2 + NUMBER_KEY_SIZE);
    cr_expect_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_ERR_CORRUPT, "held by nothing");
    memcpy(bytes, sound, size);
    bytes[TAG_AT] ^= 0x40;
    put_record(w, PLANT, 0, bytes, size);
    cr_expect_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_ERR_CORRUPT, "another tag");
    put_record(w, PLANT, 0, sound, HOLDER_AT - 1);
    cr_expect_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_ERR_CORRUPT, "cut");
    put_record(w, PLANT, 0, sound, size);
    cr_expect_eq(ends(w, TW_ENTRY_VIEW, "owner0", PART), TW_OK);
    world_free(w);
}

/* An assignment reads what it replaces. */
Test(thing, an_assignment_over_a_record_that_is_cut)
{
    uint8_t bytes[RECORD_MAX];
    world *w = world_new();
    cr_assert_eq(act(w, "create", MACHINE, 0, 5, 1), TW_OK);
    cr_expect_eq(ends(w, TW_ENTRY_ACTION, "write", MACHINE), TW_OK);
    const size_t size = record_of(w, MACHINE, 0, bytes);
    put_record(w, MACHINE, 0, bytes, size - 1);
    cr_expect_eq(ends(w, TW_ENTRY_ACTION, "write", MACHINE), TW_ERR_CORRUPT);
    world_free(w);
}

Test(thing, history)
{
    world *w = world_new();
    tw_notice_view first;
    tw_notice_view second;
    cr_assert_eq(act(w, "create", PART, 0, 0, 1), TW_OK);
    cr_assert_eq(act(w, "create", PART, 1, 0, 1), TW_OK);
    w->sender = account(6);
    cr_assert_eq(act(w, "note", PART, 0, 41, 0), TW_OK);
    cr_assert_eq(w->outcome.histories, 1);
    tw_reader r = tw_reader_of(w->outcome.notices);
    cr_assert(tw_notice_read(&r, &first) && tw_reader_left(&r) == 0);
    cr_assert_eq(first.kind, TW_NOTICE_THING_HISTORY);
    cr_assert_eq(first.registry, PART);
    cr_assert(tw_bytes_equal(first.key, tw_bytes_of("\0\2P0", 4)));
    cr_assert_eq(first.number, 0);
    cr_assert_eq(first.time, NOW);
    cr_assert_eq(first.caller.bytes[0], 6);
    cr_assert(tw_hash_is_zero(&first.before));
    cr_assert_eq(tw_load_u64(first.fields.data), 41);
    const tw_hash head = tw_notice_hash(&first);
    cr_assert_eq(act(w, "note", PART, 1, 1, 0), TW_OK, "another thing has a history of its own");
    cr_assert_eq(act(w, "note", PART, 0, 42, 0), TW_OK);
    r = tw_reader_of(w->outcome.notices);
    cr_assert(tw_notice_read(&r, &second));
    cr_assert_eq(second.number, 1);
    cr_assert(tw_hash_equal(&second.before, &head));
    cr_assert_eq(number_of(w, "logged", PART, 0), 2);
    cr_assert_eq(number_of(w, "logged", PART, 1), 1);
    cr_assert_eq(w->contract->control.history_count, 0, "the contract's is another");
    cr_assert_eq(act(w, "retire", PART, 0, 0, 0), TW_OK);
    cr_assert_eq(number_of(w, "logged", PART, 0), 2, "nothing deletes history");
    world_free(w);
}

/* ---- long lives ---- */

enum { KEYS_MAX = 8, STEPS = 6000 };
static const uint32_t keys_of[KINDS] = {8, 4, 3};

typedef struct model_thing {
    bool there, retired;
    uint8_t owner, maker;
    int64_t hours, logged;
    int list; /* FREE, or which list of `holder` */
    uint32_t holder;
    uint32_t held[LISTS][4]; /* what its own lists hold, in order */
    uint32_t count[LISTS];
} model_thing;

typedef struct model {
    model_thing things[KINDS][KEYS_MAX];
} model;

static const model_thing *top_of(const model *m, int kind, uint32_t n)
{
    const model_thing *t = &m->things[kind][n];
    return t->list == FREE ? t : top_of(m, list_rows[t->list].holder, t->holder);
}

static uint32_t count_of(const model *m, int kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < KEYS_MAX; i++) count += m->things[kind][i].there;
    return count;
}

static tw_status alive(const model_thing *t)
{
    return !t->there ? TW_TRAP_NO_KEY : t->retired ? TW_TRAP_RETIRED : TW_OK;
}

static tw_status model_create(model *m, int kind, uint32_t n, int64_t hours, uint8_t owner,
                              uint8_t maker)
{
    model_thing *t = &m->things[kind][n];
    if (t->there) return TW_TRAP_KEY_USED;
    if (count_of(m, kind) == thing_max[kind]) return TW_TRAP_FULL;
    *t = (model_thing){.there = true, .owner = owner, .maker = maker, .hours = hours, .list = FREE};
    return TW_OK;
}

static tw_status model_attach(model *m, int list, uint32_t n, uint32_t holder)
{
    model_thing *t = &m->things[list_rows[list].held][n];
    model_thing *h = &m->things[list_rows[list].holder][holder];
    TW_TRY(alive(t));
    if (t->list != FREE) return TW_TRAP_ATTACHED;
    TW_TRY(alive(h));
    if (h->count[list] == list_rows[list].max) return TW_TRAP_FULL;
    h->held[list][h->count[list]++] = n;
    t->list = list;
    t->holder = holder;
    return TW_OK;
}

static tw_status model_detach(model *m, int kind, uint32_t n)
{
    model_thing *t = &m->things[kind][n];
    TW_TRY(alive(t));
    if (t->list == FREE) return TW_TRAP_NO_KEY;
    model_thing *h = &m->things[list_rows[t->list].holder][t->holder];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < h->count[t->list]; i++) {
        if (h->held[t->list][i] != n) h->held[t->list][kept++] = h->held[t->list][i];
    }
    h->count[t->list] = kept;
    t->owner = top_of(m, kind, n)->owner;
    t->list = FREE;
    return TW_OK;
}

static tw_status model_retire(model_thing *t)
{
    TW_TRY(alive(t));
    if (t->list != FREE) return TW_TRAP_ATTACHED;
    for (int i = 0; i < LISTS; i++) {
        if (t->count[i] > 0) return TW_TRAP_ATTACHED;
    }
    t->retired = true;
    return TW_OK;
}

static tw_status model_give(model_thing *t, uint8_t owner)
{
    TW_TRY(alive(t));
    if (t->list != FREE) return TW_TRAP_ATTACHED;
    t->owner = owner;
    return TW_OK;
}

static void check_record(world *w, const model *m, int kind, uint32_t n)
{
    const model_thing *t = &m->things[kind][n];
    cr_assert_eq(look(w, "load", kind, n), TW_OK);
    cr_assert_eq(w->result[key_slots[kind]], t->hours);
    for (int list = 0; list < LISTS; list++) {
        const struct list_row *l = &list_rows[list];
        if (l->holder != kind) continue;
        cr_assert_eq(w->result[l->offset], t->count[list]);
        for (uint32_t i = 0; i < t->count[list]; i++) {
            int64_t key[3];
            put_key(l->held, t->held[list][i], key);
            cr_assert_arr_eq(w->result + l->offset + 1 + i * l->step, key, l->step * sizeof *key);
        }
    }
}

static void check_all(world *w, const model *m)
{
    for (int kind = 0; kind < KINDS; kind++) {
        cr_assert_eq(number_of(w, "size", kind, 0), count_of(m, kind));
        for (uint32_t n = 0; n < keys_of[kind]; n++) {
            const model_thing *t = &m->things[kind][n];
            if (!t->there) {
                cr_assert_eq(look(w, "load", kind, n), TW_TRAP_NO_KEY);
                continue;
            }
            cr_assert_eq(account_of(w, "owner", kind, n), top_of(m, kind, n)->owner);
            cr_assert_eq(account_of(w, "maker", kind, n), t->maker);
            cr_assert_eq(number_of(w, "logged", kind, n), t->logged);
            check_record(w, m, kind, n);
        }
    }
}

/* One step on the machine and in the model: they must agree on what comes of it. */
static void step(world *w, model *m, uint64_t *seed)
{
    const int kind = (int)random_below(seed, KINDS);
    const uint32_t n = (uint32_t)random_below(seed, keys_of[kind]);
    const uint8_t who = (uint8_t)(1 + random_below(seed, 5));
    model_thing *t = &m->things[kind][n];
    const int list = (int)random_below(seed, LISTS);
    const uint32_t held = (uint32_t)random_below(seed, keys_of[list_rows[list].held]);
    const uint32_t holder = (uint32_t)random_below(seed, keys_of[list_rows[list].holder]);
    w->sender = account(who);
    switch (random_below(seed, 12)) {
    case 0:
    case 1:
        cr_assert_eq(act(w, "create", kind, n, who, 6), model_create(m, kind, n, who, 6, who));
        return;
    case 2:
    case 3: cr_assert_eq(act(w, "give", kind, n, 0, who), model_give(t, who)); return;
    case 4:
    case 5:
    case 6: cr_assert_eq(act(w, "detach", kind, n, 0, 0), model_detach(m, kind, n)); return;
    case 7: /* seldom, or all is retired soon */
        if (random_below(seed, 20) > 0) return;
        cr_assert_eq(act(w, "retire", kind, n, 0, 0), model_retire(t));
        return;
    case 8:
        cr_assert_eq(act(w, "note", kind, n, who, 0), alive(t));
        t->logged += alive(t) == TW_OK;
        return;
    case 9:
        cr_assert_eq(act(w, "run", kind, n, who, 0), alive(t));
        t->hours += alive(t) == TW_OK ? who : 0;
        return;
    default: cr_assert_eq(attach(w, list, held, holder), model_attach(m, list, held, holder));
    }
}

Test(thing, long_lives, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        world *w = world_new();
        model m = {0};
        uint64_t random = seed;
        for (int i = 0; i < STEPS / 6; i++) {
            step(w, &m, &random);
            if (i % 10 == 0) check_all(w, &m);
        }
        check_all(w, &m);
        world_free(w);
    }
}
