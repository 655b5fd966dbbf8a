/* rig -- see the header. The state is put there by what the machine itself offers: grants, intake,
 * the bank, and the contract's own actions. */
#include "bench/rig.h"

#include "vm/isa/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOURCE_MAX = 65536, MEMORY = 512 * 1024 * 1024, SLOTS_MAX = 1024 };

static const int64_t start_ms = 1767225600000;
static const int64_t letters = 0x6161616161616161;

uint64_t rig_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* SplitMix64: the same numbers for the same seed everywhere. */
uint64_t rig_random(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rig_must(tw_status status, const char *what, const tw_err *err)
{
    if (status == TW_OK) return;
    fprintf(stderr, "bench: %s: %s\n", what,
            err != NULL && err->text[0] != 0 ? err->text : tw_status_text(status));
    exit(1);
}

static tw_account account_of(uint8_t kind, uint32_t number)
{
    tw_account account;
    memset(account.bytes, kind, sizeof account.bytes);
    tw_store_u32(account.bytes, number * 2654435761u);
    return account;
}

tw_account rig_meter(uint32_t number)
{
    return account_of(2, number);
}

tw_account rig_guest(uint32_t number)
{
    return account_of(3, number);
}

uint16_t rig_entry(const rig *r, const char *name)
{
    for (uint16_t i = 0; i < r->module->entry_count; i++) {
        if (strcmp(r->module->entries[i].name, name) == 0) return i;
    }
    rig_must(TW_ERR_INTERNAL, name, NULL);
    return 0;
}

uint16_t rig_function(const rig *r, const char *name)
{
    for (uint16_t i = 0; i < r->module->function_count; i++) {
        if (strcmp(r->module->functions[i].name, name) == 0) return i;
    }
    rig_must(TW_ERR_INTERNAL, name, NULL);
    return 0;
}

/* ---- the module ---- */

static void compile(rig *r, const char *path)
{
    static char source[SOURCE_MAX];
    tw_err err = {0};
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(source, 1, sizeof source, file) : 0;
    if (file != NULL) fclose(file);
    r->compiled = size > 0 ? twc_compile(path, source, size) : NULL;
    if (r->compiled == NULL || twc_result_unit_count(r->compiled) != 1) {
        fprintf(stderr, "bench: %s does not compile\n%s", path,
                r->compiled != NULL ? twc_result_report(r->compiled, false) : "");
        exit(1);
    }
    const tw_bytes module = twc_result_unit(r->compiled, 0)->module;
    rig_must(tw_module_decode(module, r->arena, &r->module, &err), "decode", &err);
}

static void add_constants(rig *r)
{
    static const uint8_t wide[] = "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4"
                                  "a\xC3\xA4";
    tw_module *m = r->module;
    const uint16_t first = m->constant_count;
    int64_t *all = TW_NEW_ARRAY(r->arena, int64_t, first + RIG_CONSTANTS);
    if (all == NULL) rig_must(TW_ERR_MEMORY, "constants", NULL);
    memcpy(all, m->constants, first * sizeof *all);
    int64_t *own = all + first;
    const tw_account meter = rig_meter(1);
    const tw_account guest = rig_guest(1);
    const tw_account stranger = account_of(9, 9);
    own[RIG_BIG] = ((int64_t)1 << 62) + 12345;
    own[RIG_HUGE] = INT64_MAX - 7;
    own[RIG_NEGATIVE] = -7;
    own[RIG_ALL_TIME] = (int64_t)1 << 40;
    own[RIG_HALF] = 50000000;
    own[RIG_PRIME] = 1000003;
    own[RIG_THIRD] = ((int64_t)1 << 62) / 3 | 1;
    own[RIG_ONE_SECOND] = 1000;
    own[RIG_LETTERS] = letters;
    for (int i = 0; i < 3; i++) own[RIG_WIDE + i] = (int64_t)tw_load_u64(wide + 8 * i);
    tw_slots_from_bytes32(meter.bytes, own + RIG_METER);
    tw_slots_from_bytes32(guest.bytes, own + RIG_GUEST);
    tw_slots_from_bytes32(stranger.bytes, own + RIG_STRANGER);
    for (int i = 0; i < 16; i++) own[RIG_SIXTEEN + i] = i + 1;
    m->constants = all;
    m->constant_count = (uint16_t)(first + RIG_CONSTANTS);
    r->constant = first;
}

static const rig_body *body_of(const rig_body *bodies, uint32_t count, uint16_t function)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bodies[i].function == function) return &bodies[i];
    }
    return NULL;
}

/* A copy of the module with other bodies; its lists that do not change are shared. */
static bool assemble(const rig *r, const rig_body *bodies, uint32_t count, tw_arena *arena,
                     tw_module *m)
{
    *m = *r->module;
    m->functions = TW_NEW_ARRAY(arena, tw_function, m->function_count);
    m->entries = TW_NEW_ARRAY(arena, tw_entry, m->entry_count);
    uint32_t more = m->code_count;
    for (uint32_t i = 0; i < count; i++) more += bodies[i].count;
    m->code = TW_NEW_ARRAY(arena, uint64_t, more);
    if (m->functions == NULL || m->entries == NULL || m->code == NULL) return false;
    memcpy(m->entries, r->module->entries, m->entry_count * sizeof *m->entries);
    m->code_count = 0;
    for (uint16_t i = 0; i < m->function_count; i++) {
        tw_function *f = &m->functions[i];
        *f = r->module->functions[i];
        const uint64_t *code = r->module->code + f->code_first;
        const rig_body *body = body_of(bodies, count, i);
        if (body != NULL) {
            code = body->code;
            f->code_count = body->count;
            f->frame_slots = body->frame_slots;
        }
        memcpy(m->code + m->code_count, code, f->code_count * sizeof *code);
        f->code_first = m->code_count;
        m->code_count += f->code_count;
    }
    return true;
}

static tw_status encode(rig *r, const rig_body *bodies, uint32_t count, tw_arena *arena,
                        tw_writer *w, tw_err *err)
{
    tw_module m;
    tw_facts *facts = NULL;
    if (!assemble(r, bodies, count, arena, &m)) return TW_ERR_MEMORY;
    TW_TRY(tw_facts_compute(&m, arena, &facts, err));
    for (uint16_t i = 0; i < m.entry_count; i++) m.entries[i].bounds = facts->entries[i];
    TW_TRY(tw_module_encode(&m, w));
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}

tw_code *rig_program(rig *r, const rig_body *bodies, uint32_t count, tw_err *ret_err)
{
    tw_code *code = NULL;
    tw_writer w = tw_writer_new(2 * TW_MODULE_SIZE_MAX);
    const tw_mark mark = tw_arena_mark(r->arena);
    tw_status status = encode(r, bodies, count, r->arena, &w, ret_err);
    if (status == TW_OK) status = tw_code_new(tw_writer_bytes(&w), NULL, &code, ret_err);
    tw_arena_reset(r->arena, mark);
    tw_writer_free(&w);
    return status == TW_OK ? code : NULL;
}

/* ---- running ---- */

static void run_with(rig *r, tw_code *code, uint16_t entry, const int64_t *arguments,
                     uint16_t signers, tw_outcome *ret_outcome)
{
    const tw_call call = {.entry = entry,
                          .now = r->now,
                          .end = r->now,
                          .signers = r->signers,
                          .signer_count = signers,
                          .arguments = arguments,
                          .spends = &r->spend,
                          .spend_count = 1};
    r->contract->code = code;
    rig_must(tw_exec_run(r->exec, r->contract, &call, ret_outcome), "run", NULL);
}

void rig_run(rig *r, tw_code *code, uint16_t entry, int64_t n, uint16_t signers,
             tw_outcome *ret_outcome)
{
    run_with(r, code, entry, &n, signers, ret_outcome);
}

/* An action of calibrate.twc that must end well. */
static void act(rig *r, const char *name, const int64_t *arguments)
{
    tw_outcome outcome;
    run_with(r, r->plain, rig_entry(r, name), arguments, 1, &outcome);
    rig_must(outcome.status, name, NULL);
}

/* ---- the state ---- */

uint16_t rig_field(const rig *r, const char *name)
{
    for (uint16_t i = 0; i < r->module->field_count; i++) {
        if (strcmp(r->module->fields[i].name, name) == 0) return i;
    }
    rig_must(TW_ERR_INTERNAL, name, NULL);
    return 0;
}

static void set_var(rig *r, const char *name, const int64_t *slots)
{
    const tw_field *f = &r->module->fields[rig_field(r, name)];
    tw_writer w = tw_writer_new(TW_STORE_VALUE_MAX);
    tw_key key = tw_key_of(TW_SPACE_FIELD, &r->contract->id);
    tw_key_u32(&key, f->id);
    tw_write_u8(&w, TW_STATE_TAG);
    rig_must(tw_value_encode(r->module, f->value_type, slots, &w), name, NULL);
    rig_must(tw_overlay_put(r->overlay, tw_key_bytes(&key), tw_writer_bytes(&w)), name, NULL);
    tw_writer_free(&w);
}

/* Long values: what a text and a list can hold, and records that differ in their last slot. */
static void set_vars(rig *r)
{
    static int64_t slots[TW_FRAME_SLOTS_MAX];
    uint64_t seed = 7;
    slots[0] = TW_TEXT_SIZE_MAX;
    for (int i = 1; i <= TW_TEXT_SIZE_MAX / 8; i++) slots[i] = letters;
    set_var(r, "long", slots);
    slots[0] = TW_LIST_MAX;
    for (int i = 1; i <= TW_LIST_MAX; i++) slots[i] = (int64_t)(rig_random(&seed) >> 63);
    set_var(r, "numbers", slots);
    slots[0] = RIG_FLAGS;
    memset(slots + 1 + RIG_FLAGS, 0, (TW_LIST_MAX - RIG_FLAGS) * sizeof *slots);
    set_var(r, "flags", slots);
    slots[0] = RIG_EIGHTS;
    for (int i = 0; i < RIG_EIGHTS; i++) {
        for (int k = 0; k < 8; k++) slots[1 + 8 * i + k] = k == 7 ? 100 + i : k + 1;
    }
    set_var(r, "eights", slots);
}

static void grant(rig *r, uint16_t role, const tw_account *account)
{
    rig_must(tw_role_grant(r->contract, role, account, r->now), "grant", NULL);
}

static void feed(rig *r, const tw_account *device, uint16_t reading, uint16_t count)
{
    static tw_pack_reading readings[RIG_READINGS];
    tw_arena *arena = tw_arena_new(MEMORY);
    uint64_t seed = reading + 1u;
    for (uint16_t i = 0; i < count; i++) {
        const int64_t value = (int64_t)(rig_random(&seed) % 1000000);
        readings[i] = (tw_pack_reading){reading, r->now - 1000 * (count - i), value};
    }
    tw_intake taken;
    rig_must(tw_intake_run(r->exec, r->contract, device, readings, count, r->now, arena, &taken),
             "intake", NULL);
    if (taken.accepted != count) rig_must(TW_ERR_INTERNAL, "readings were refused", NULL);
    tw_arena_free(arena);
}

static void give_money(rig *r)
{
    const tw_module *m = r->module;
    for (uint16_t i = 0; i < m->money_count; i++) {
        tw_asset asset = {.decimals = m->monies[i].decimals, .supply = (int64_t)1 << 50};
        memset(asset.id.bytes, i + 1, sizeof asset.id.bytes);
        if (m->monies[i].kind == TW_MONEY_TOKEN) {
            asset.id = tw_bank_token(&r->contract->id, m->monies[i].name);
            asset.contract = r->contract->id;
            asset.supply = 0;
        }
        rig_must(tw_bank_set_name(&asset, m->monies[i].name), "asset", NULL);
        r->contract->assets[i] = asset.id;
        rig_must(tw_bank_save(r->overlay, &asset), "asset", NULL);
    }
    r->spend = (tw_spend){r->contract->assets[0], INT64_MAX};
    const tw_key key = tw_bank_balance_key(&r->contract->assets[0], &r->owner);
    int64_t after = 0;
    rig_must(tw_bank_change(r->overlay, &key, (int64_t)1 << 40, &after), "balance", NULL);
}

static void fill(rig *r)
{
    int64_t slots[SLOTS_MAX] = {0};
    for (int64_t i = 0; i < RIG_KEYS; i++) {
        slots[0] = i;
        act(r, "note", slots);
    }
    for (int64_t i = 0; i <= RIG_LOST; i++) {
        slots[0] = i;
        act(r, i < RIG_LOST ? "lose" : "keep", slots);
    }
    for (int64_t i = 0; i < RIG_THINGS; i++) {
        slots[0] = i;
        act(r, "bolt", slots);
        act(r, "crate", slots);
    }
    for (int64_t i = 0; i < RIG_THINGS / 2; i++) {
        slots[0] = i;
        slots[1] = 0;
        act(r, "hang", slots);
    }
    slots[0] = 1000000;
    act(r, "put", slots);
    act(r, "make", slots);
    memset(slots, 0, sizeof slots);
    tw_slots_from_text(tw_bytes_of("Lager", 5), slots);
    act(r, "name", slots);
}

static void deploy(rig *r)
{
    const tw_module *m = r->module;
    const tw_hash id = {{9}};
    tw_outcome outcome;
    rig_must(tw_contract_new(&id, r->plain, r->overlay, r->arena, &r->contract), "contract", NULL);
    tw_contract *c = r->contract;
    c->deployer = r->owner;
    c->deployed_at = r->now;
    c->control.phase_since = r->now;
    for (uint16_t i = 0; i < m->param_count; i++) {
        tw_reader reader = tw_reader_of(m->params[i].preset);
        rig_must(
            tw_value_decode(m, m->params[i].type, &reader, c->params + r->plain->param_first[i]),
            "param", NULL);
    }
    give_money(r);
    run_with(r, r->plain, tw_module_entry(m, TW_ENTRY_DEPLOY, NULL), NULL, 1, &outcome);
    rig_must(outcome.status, "deploy", NULL);
    rig_must(tw_contract_save(c), "save", NULL);
    grant(r, 0, &r->owner);
    grant(r, 1, &r->sensor);
    for (uint32_t i = 0; i < RIG_METERS; i++) {
        const tw_account meter = rig_meter(i);
        grant(r, 2, &meter);
    }
    for (uint32_t i = 0; i < RIG_GUESTS; i++) {
        const tw_account guest = rig_guest(i);
        grant(r, 3, &guest);
    }
    rig_must(tw_timer_deploy(c), "timers", NULL);
    rig_must(tw_contract_save_control(c), "save", NULL);
}

void rig_open(rig *r, const char *source)
{
    tw_err err = {0};
    *r = (rig){.now = start_ms, .arena = tw_arena_new(MEMORY), .exec = tw_exec_new()};
    rig_must(tw_store_open_memory(MEMORY, &r->store), "store", NULL);
    r->overlay = tw_overlay_new(r->store, MEMORY);
    if (r->arena == NULL || r->exec == NULL || r->overlay == NULL) {
        rig_must(TW_ERR_MEMORY, "rig", NULL);
    }
    tw_overlay_clear(r->overlay, 1);
    r->owner = account_of(1, 1);
    r->sensor = account_of(1, 2);
    r->signers[0] = r->owner;
    for (uint32_t i = 1; i < 16; i++) r->signers[i] = rig_guest(i);
    compile(r, source);
    add_constants(r);
    r->plain = rig_program(r, NULL, 0, &err);
    if (r->plain == NULL) rig_must(TW_ERR_INTERNAL, "calibrate.twc", &err);
    deploy(r);
    fill(r);
    set_vars(r);
    r->now += 3600000;
    feed(r, &r->sensor, 0, RIG_READINGS);
    feed(r, &r->sensor, 1, 64);
    for (uint32_t i = 0; i < RIG_METERS; i++) {
        const tw_account meter = rig_meter(i);
        feed(r, &meter, 2, RIG_FLOWS);
    }
}

void rig_close(rig *r)
{
    tw_code_free(r->plain);
    tw_exec_free(r->exec);
    tw_overlay_free(r->overlay);
    tw_store_close(r->store);
    tw_arena_free(r->arena);
    twc_result_free(r->compiled);
}
