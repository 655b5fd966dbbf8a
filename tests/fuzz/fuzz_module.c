/* fuzz_module -- any bytes as a module: decode, encode again, verify, load, deploy, run.
 *
 * What decodes must encode to the same bytes, and come back as them from its text. Its declared
 * bounds are replaced by the computed ones, so that changed code still gets past the verifier; then
 * it is deployed on an empty store and each of its entries is run, conditions and readings too, on
 * two machines whose memory was filled with different rubbish: they must agree in everything, and
 * gas must stay within its bound (an assert of the machine). Then it is played in scenes: entries
 * in any order with drawn arguments, senders and times, and packs between, all on one state; the
 * module's version is the seed, as it changes nothing else. Every run is one of the reference
 * interpreter too. A mutator of its own changes instructions, declarations and the version so that
 * the module stays good, as bytes changed at random hardly ever verify.
 */
#include "tests/fuzz/check.h"
#include "tests/generate/scene.h"
#include "tests/reference/both.h"
#include "vm/exec/intake.h"
#include "vm/exec/machine.h"
#include "vm/isa/disasm.h"
#include "vm/isa/value.h"

#include <string.h>

enum {
    MEMORY_MAX = 64 * 1024 * 1024,
    GAS_MAX = 100 * 1000 * 1000, /* longer runs would only be slow */
    NOW = 1000000,
    READINGS = 40,
    HELD = 1000, /* of each money, at first */
    SCENES = 4,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);
/* libFuzzer's own mutator; not there in the program that replays. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max) __attribute__((weak));

/* One machine with one contract. */
typedef struct machine {
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena;
    tw_exec *exec;
    tw_contract *contract;
    tw_account device;
    tw_spend spends[TW_MONIES_MAX];
} machine;

/* The assets of the contract's money, of which the one account has some. */
static void endow(machine *m)
{
    const tw_module *module = m->contract->code->module;
    for (uint16_t i = 0; i < module->money_count; i++) {
        tw_hash *id = &m->contract->assets[i];
        int64_t amount = 0;
        *id = tw_bank_token(&m->contract->id, module->monies[i].name);
        tw_asset asset = {.id = *id, .supply = HELD};
        const tw_key key = tw_bank_balance_key(id, &m->device);
        m->spends[i] = (tw_spend){*id, HELD};
        check(tw_bank_set_name(&asset, module->monies[i].name) == TW_OK);
        check(tw_bank_save(m->overlay, &asset) == TW_OK);
        check(tw_bank_change(m->overlay, &key, HELD, &amount) == TW_OK);
    }
}

static machine machine_new(const tw_code *code, int rubbish)
{
    machine m = {.arena = tw_arena_new(MEMORY_MAX), .exec = tw_exec_new()};
    const tw_hash id = {{1, 2, 3}};
    check(tw_store_open_memory(MEMORY_MAX, &m.store) == TW_OK);
    m.overlay = tw_overlay_new(m.store, MEMORY_MAX);
    check(m.arena != NULL && m.exec != NULL && m.overlay != NULL);
    memset(m.exec->stack, rubbish, TW_STACK_SLOTS_MAX * sizeof *m.exec->stack);
    memset(m.exec->scratch, rubbish, 2 * TW_SAMPLES_MAX * sizeof *m.exec->scratch);
    memset(m.exec->loops, rubbish, sizeof m.exec->loops);
    memset(m.exec->frames, rubbish, sizeof m.exec->frames);
    memset(m.device.bytes, 7, sizeof m.device.bytes);
    check(tw_contract_new(&id, code, m.overlay, m.arena, &m.contract) == TW_OK);
    endow(&m);
    return m;
}

static void machine_free(machine *m)
{
    tw_exec_free(m->exec);
    tw_overlay_free(m->overlay);
    tw_store_close(m->store);
    tw_arena_free(m->arena);
}

/* The zero value is one of every type, so every entry can be called with it. */
static tw_outcome run(machine *m, uint16_t entry)
{
    const tw_entry *e = &m->contract->code->module->entries[entry];
    int64_t *arguments = TW_NEW_ARRAY(m->arena, int64_t, e->members.slots);
    check(arguments != NULL);
    const tw_call call = {.entry = entry,
                          .now = NOW,
                          .end = NOW,
                          .open_end = e->kind == TW_ENTRY_EVERY,
                          .signers = &m->device,
                          .signer_count = 1,
                          .spends = m->spends,
                          .spend_count = m->contract->code->module->money_count,
                          .arguments = arguments};
    tw_outcome outcome;
    check(tw_exec_run(m->exec, m->contract, &call, &outcome) == TW_OK);
    check(tw_status_is_outcome(outcome.status));
    return outcome;
}

static bool run_both(machine *a, machine *b, uint16_t entry)
{
    const tw_outcome first = run(a, entry);
    const tw_outcome second = run(b, entry);
    check(both_same_outcome(&first, &second));
    return first.status == TW_OK;
}

static void condition_both(machine *a, machine *b, uint16_t function)
{
    bool holds[2] = {false, false};
    uint64_t gas[2] = {0, 0};
    check(tw_exec_condition(a->exec, a->contract, function, NOW, &holds[0], &gas[0]) == TW_OK);
    check(tw_exec_condition(b->exec, b->contract, function, NOW, &holds[1], &gas[1]) == TW_OK);
    check(holds[0] == holds[1] && gas[0] == gas[1]);
    check(gas[0] <= a->contract->code->facts->functions[function].worst.gas);
}

/* What the ledger does around the deploy entry, in short. False when the deploy fails. */
static bool establish(machine *m)
{
    const tw_module *module = m->contract->code->module;
    m->contract->deployed_at = NOW;
    if (!scene_delays_good(m->contract)) return false;
    if (tw_contract_save(m->contract) != TW_OK) return false;
    if (tw_timer_deploy(m->contract) != TW_OK) return false;
    for (uint16_t i = 0; i < module->role_count; i++) {
        const tw_status status = tw_role_grant(m->contract, i, &m->device, NOW);
        check(!tw_status_is_host_failure(status));
    }
    return tw_contract_save_control(m->contract) == TW_OK;
}

/* A few readings for each window, in and out of range. */
static uint32_t feed(machine *m)
{
    const tw_module *module = m->contract->code->module;
    const uint8_t *record = NULL;
    bool found = false;
    if (tw_device_get(m->contract, &m->device, &record, &found) != TW_OK || !found) return 0;
    tw_pack_reading items[READINGS];
    for (uint16_t i = 0; i < READINGS; i++) {
        const uint16_t reading = (uint16_t)(i % (module->reading_count + 1u));
        const tw_reading *r = &module->readings[reading];
        const bool known = reading < module->reading_count;
        items[i] = (tw_pack_reading){reading, NOW - READINGS + i, 0};
        if (known) items[i].value = i % 3 == 0 ? r->high : i % 3 == 1 ? r->low : r->high / 2;
    }
    tw_intake intake;
    check(tw_intake_run(m->exec, m->contract, &m->device, items, READINGS, NOW, m->arena,
                        &intake) == TW_OK);
    check(intake.accepted + intake.refused_count == READINGS);
    return intake.accepted;
}

static bool is_short(uint64_t gas)
{
    return gas <= GAS_MAX;
}

static void run_all(const tw_code *code, machine *a, machine *b)
{
    const tw_module *m = code->module;
    for (int round = 0; round < 2; round++) {
        for (uint16_t i = 0; i < m->alarm_count; i++) {
            const uint16_t conditions[2] = {m->alarms[i].raise, m->alarms[i].clear};
            for (int k = 0; k < 2; k++) {
                if (!is_short(code->facts->functions[conditions[k]].worst.gas)) return;
                condition_both(a, b, conditions[k]);
            }
        }
        for (uint16_t i = 0; i < m->entry_count; i++) {
            if (m->entries[i].kind == TW_ENTRY_DEPLOY) continue;
            if (is_short(code->facts->entries[i].gas)) (void)run_both(a, b, i);
        }
        const uint32_t accepted = feed(a);
        check(accepted == feed(b));
    }
}

static void deploy_and_run(const tw_code *code)
{
    const uint16_t deploy = tw_module_entry(code->module, TW_ENTRY_DEPLOY, NULL);
    if (!is_short(code->facts->entries[deploy].gas)) return;
    machine a = machine_new(code, 0x00);
    machine b = machine_new(code, 0xA5);
    scene_set_params(a.contract);
    scene_set_params(b.contract);
    if (run_both(&a, &b, deploy)) {
        const bool good = establish(&a);
        check(good == establish(&b));
        if (good) run_all(code, &a, &b);
    }
    machine_free(&a);
    machine_free(&b);
}

static void play(const tw_code *code)
{
    static scene *s; /* its memory is kept from one input to the next */
    if (s == NULL) s = scene_new();
    check(s != NULL);
    for (uint64_t i = 0; i < SCENES; i++) {
        scene_play(s, code, (uint64_t)code->module->version * SCENES + i, SCENE_GAS_MAX);
    }
}

/* The same module with bounds that are right. */
static void verify_and_run(tw_module *m, tw_arena *arena)
{
    tw_facts *facts = NULL;
    tw_code *code = NULL;
    tw_err err;
    if (tw_facts_compute(m, arena, &facts, &err) != TW_OK) return;
    for (uint16_t i = 0; i < m->entry_count; i++) m->entries[i].bounds = facts->entries[i];
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    check(tw_module_encode(m, &w) == TW_OK);
    check(tw_code_new(tw_writer_bytes(&w), NULL, &code, &err) == TW_OK);
    tw_writer_free(&w);
    deploy_and_run(code);
    play(code);
    tw_code_free(code);
}

/* As text, and by the text the same bytes. */
static void print(tw_bytes bytes, const tw_module *m)
{
    tw_arena *arena = tw_arena_new(2 * MEMORY_MAX);
    tw_writer w = tw_writer_new(MEMORY_MAX);
    tw_bytes again = {0};
    tw_err err;
    check(arena != NULL);
    check(tw_disasm(m, NULL, arena, &w) == TW_OK && !w.bad);
    check(tw_asm(tw_writer_bytes(&w), arena, &again, &err) == TW_OK);
    check(tw_bytes_equal(again, bytes));
    tw_writer_free(&w);
    tw_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_module *m = NULL;
    tw_err err;
    const tw_bytes bytes = tw_bytes_of(data, size);
    if (tw_module_decode(bytes, arena, &m, &err) == TW_OK) {
        tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
        check(tw_module_encode(m, &w) == TW_OK);
        check(tw_bytes_equal(tw_writer_bytes(&w), bytes));
        tw_writer_free(&w);
        print(bytes, m);
        verify_and_run(m, arena);
    }
    tw_arena_free(arena);
    return 0;
}

/* ---- a mutator that keeps modules good ---- */

static uint64_t next(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *seed, uint32_t limit)
{
    return limit > 0 ? (uint32_t)(next(seed) % limit) : 0;
}

static int64_t any_number(uint64_t *seed)
{
    const uint64_t value = next(seed) >> below(seed, 64);
    return (int64_t)(next(seed) % 2 == 0 ? value : 0 - value);
}

/* Any instruction whose slots are likely to lie in the frame. */
static uint64_t any_insn(uint64_t *seed, const tw_function *f)
{
    uint8_t op = 0;
    while (tw_op_find(op)->name == NULL) op = (uint8_t)next(seed);
    uint32_t fields[4];
    for (int i = 0; i < 4; i++) {
        const uint32_t end = i < 3 ? f->frame_slots : below(seed, 8) == 0 ? 0x20000 : 12;
        fields[i] = next(seed) % 3 == 0 ? 0 : below(seed, end);
    }
    /* x holds two indexes: a member of a field, a purse beside another, a reading's statistic */
    const uint32_t two[] = {0, 64, 256, 1024};
    fields[3] += two[below(seed, 4)] * below(seed, 14);
    if (fields[3] >= 0x20000) fields[3] = 0;
    return tw_insn_make((tw_op)op, fields[0], fields[1], fields[2], fields[3]);
}

static uint64_t other_insn(uint64_t *seed, const tw_module *m, const tw_function *f, uint64_t insn)
{
    const uint64_t *code = m->code + f->code_first;
    switch (below(seed, 4)) {
    case 0: return any_insn(seed, f);
    case 1: return code[below(seed, f->code_count)];
    case 2: return insn ^ (uint64_t)1 << below(seed, 64);
    default: return (insn & ~(uint64_t)0xFF) | (uint8_t)next(seed);
    }
}

/* Room for one more in a list of the module, all zero: NULL at the list's end. */
static void *grow(void **items, uint16_t *count, uint32_t count_max, size_t size, tw_arena *arena)
{
    uint8_t *more = tw_arena_array(arena, *count + 1u, size);
    if (*count >= count_max || more == NULL) return NULL;
    if (*count > 0) memcpy(more, *items, *count * size);
    *items = more;
    return more + (*count)++ * size;
}

#define GROW(list, count, max) grow((void **)&m->list, &m->count, (max), sizeof *m->list, arena)

static const char *new_name(tw_arena *arena, uint64_t *seed)
{
    char name[4] = {'n', (char)('a' + below(seed, 26)), (char)('a' + below(seed, 26)), 0};
    return tw_arena_copy(arena, name, 3);
}

static void add_type(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    const uint16_t of = (uint16_t)below(seed, m->type_count);
    tw_type *t = GROW(types, type_count, TW_TYPES_MAX);
    if (t == NULL) return;
    const uint8_t kinds[] = {TW_KIND_LIST, TW_KIND_THINGS, TW_KIND_RECORD, TW_KIND_MONEY};
    *t = (tw_type){.kind = kinds[below(seed, 4)], .name = ""};
    if (t->kind == TW_KIND_MONEY) t->of = (uint16_t)below(seed, m->money_count);
    if (t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS) {
        t->of = of;
        t->max = 1 + below(seed, 3);
    }
    if (t->kind == TW_KIND_THINGS) t->home = (uint16_t)below(seed, m->field_count);
    if (t->kind != TW_KIND_RECORD) return;
    t->name = new_name(arena, seed);
    t->members.count = (uint16_t)(1 + below(seed, 3));
    t->members.items = TW_NEW_ARRAY(arena, tw_member, t->members.count);
    for (uint16_t i = 0; i < t->members.count && t->members.items != NULL; i++) {
        const uint16_t type = (uint16_t)(m->type_count - 1u - below(seed, 6) % m->type_count);
        t->members.items[i] = (tw_member){new_name(arena, seed), type};
    }
}

/* A map, or a registry if the type is a record. */
static void add_field(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    if (m->type_count == 0) return;
    tw_field *f = GROW(fields, field_count, TW_FIELDS_MAX);
    if (f == NULL) return;
    *f = (tw_field){.name = new_name(arena, seed), .kind = TW_FIELD_MAP, .key_member = TW_NONE};
    f->key_type = (uint16_t)below(seed, m->type_count);
    f->value_type = (uint16_t)below(seed, m->type_count);
    f->max = 1 + below(seed, 4);
    f->old = below(seed, 8) == 0;
    const tw_type *record = &m->types[f->value_type];
    if (record->kind != TW_KIND_RECORD || below(seed, 4) == 0) return;
    f->kind = TW_FIELD_REGISTRY;
    f->key_member = (uint16_t)below(seed, record->members.count);
    f->key_type = record->members.items[f->key_member].type;
}

static void add_money(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    if (m->money_count == 0 || below(seed, 3) == 0) {
        tw_money *money = GROW(monies, money_count, TW_MONIES_MAX);
        if (money == NULL) return;
        *money = (tw_money){new_name(arena, seed), TW_MONEY_CURRENCY, 2, 0};
        if (below(seed, 2) == 0) *money = (tw_money){money->name, TW_MONEY_TOKEN, 6, 2000};
        return;
    }
    tw_purse *p = GROW(purses, purse_count, TW_PURSES_MAX);
    if (p == NULL) return;
    *p = (tw_purse){.name = new_name(arena, seed), .role = TW_NONE};
    p->money = (uint16_t)below(seed, m->money_count);
    if (below(seed, 2) == 0 && m->role_count > 0) p->role = (uint16_t)below(seed, m->role_count);
}

static void add_entry(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    tw_entry *e = GROW(entries, entry_count, TW_ENTRIES_MAX);
    if (e == NULL) return;
    *e = (tw_entry){.name = "added", .of = TW_NONE, .delay = TW_NONE, .result = TW_NONE};
    e->kind = below(seed, 2) == 0 ? TW_ENTRY_FALLS : TW_ENTRY_MIGRATE;
    e->function = (uint16_t)below(seed, m->function_count);
    e->phases = UINT64_MAX >> (64 - m->phases.count);
    if (e->kind == TW_ENTRY_MIGRATE) return;
    e->of = (uint16_t)below(seed, m->purse_count);
    e->delay = (uint16_t)below(seed, m->deployed_count);
}

/* One declaration more. */
static void add_declaration(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    switch (below(seed, 4)) {
    case 0: add_type(seed, m, arena); break;
    case 1: add_field(seed, m, arena); break;
    case 2: add_money(seed, m, arena); break;
    default: add_entry(seed, m, arena); break;
    }
}

/* One declaration becomes another; what makes no sense then is refused and taken back. */
static void change_declaration(uint64_t *seed, tw_module *m)
{
    tw_reading *r = &m->readings[below(seed, m->reading_count)];
    tw_entry *e = &m->entries[below(seed, m->entry_count)];
    tw_function *f = &m->functions[below(seed, m->function_count)];
    switch (below(seed, 12)) {
    case 0: f->frame_slots = (uint16_t)(f->frame_slots + below(seed, 9)); break;
    case 1: e->phases = next(seed) & (((uint64_t)1 << m->phases.count) - 1); break;
    case 2: e->kind = (uint8_t)(1 + below(seed, TW_ENTRY_KINDS - 1u)); break;
    case 3: e->of = (uint16_t)below(seed, 4); break;
    case 4:
        if (m->constant_count > 0) m->constants[below(seed, m->constant_count)] = any_number(seed);
        break;
    case 5:
        if (m->type_count > 0) m->types[below(seed, m->type_count)].max = below(seed, 70);
        break;
    case 6:
        if (m->role_count > 0) m->roles[below(seed, m->role_count)].max = 1 + below(seed, 3);
        break;
    case 7:
        if (m->reading_count > 0) r->keep = (uint16_t)(1 + below(seed, 300));
        break;
    case 8:
        if (m->reading_count > 0) r->rate_count = (uint16_t)(1 + below(seed, 60));
        break;
    case 9:
        if (m->reading_count > 0) r->per_device = !r->per_device;
        break;
    case 10:
        if (m->reading_count > 0) r->low = any_number(seed) >> 11;
        break;
    default:
        if (m->reading_count > 0) r->high = any_number(seed) >> 11;
        break;
    }
}

static bool is_good(tw_module *m, tw_arena *arena)
{
    tw_facts *facts = NULL;
    tw_err err;
    const tw_mark mark = tw_arena_mark(arena);
    const bool good =
        tw_module_derive(m, &err) == TW_OK && tw_facts_compute(m, arena, &facts, &err) == TW_OK;
    for (uint16_t i = 0; i < m->entry_count && good; i++) m->entries[i].bounds = facts->entries[i];
    tw_arena_reset(arena, mark);
    return good;
}

static void add_good_declaration(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    for (int i = 0; i < 8; i++) {
        const tw_module before = *m;
        add_declaration(seed, m, arena);
        if (is_good(m, arena)) return;
        *m = before;
    }
}

/* A few changes that each leave the module good. */
static void change_code(uint64_t *seed, tw_module *m, tw_arena *arena)
{
    uint32_t wanted = 1 + below(seed, 6);
    for (int i = 0; i < 100 && wanted > 0; i++) {
        const tw_function *f = &m->functions[below(seed, m->function_count)];
        if (f->code_count == 0) continue;
        uint64_t *insn = &m->code[f->code_first + below(seed, f->code_count)];
        const uint64_t before = *insn;
        *insn = other_insn(seed, m, f, before);
        if (*insn != before && is_good(m, arena)) {
            wanted--;
        } else {
            *insn = before;
        }
    }
}

static size_t write_module(const tw_module *m, uint8_t *data, size_t size_max)
{
    tw_writer w = tw_writer_new(size_max);
    size_t size = 0;
    if (tw_module_encode(m, &w) == TW_OK) {
        memcpy(data, w.data, w.size);
        size = w.size;
    }
    tw_writer_free(&w);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
    uint64_t random = seed;
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_module *m = NULL;
    tw_err err;
    size_t written = 0;
    const bool plain = below(&random, 8) == 0;
    if (!plain && tw_module_decode(tw_bytes_of(data, size), arena, &m, &err) == TW_OK &&
        is_good(m, arena) && m->phases.count < 64) {
        if (below(&random, 3) == 0) m->version = 1 + below(&random, 1000);
        if (below(&random, 4) == 0) change_declaration(&random, m);
        if (below(&random, 3) == 0) add_good_declaration(&random, m, arena);
        if (is_good(m, arena)) change_code(&random, m, arena);
        written = write_module(m, data, size_max);
    }
    tw_arena_free(arena);
    if (written > 0) return written;
    return LLVMFuzzerMutate != NULL ? LLVMFuzzerMutate(data, size, size_max) : size;
}
