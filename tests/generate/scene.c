/* scene -- see the header. */
#include "tests/generate/scene.h"

#include "tests/fuzz/check.h"
#include "vm/exec/device.h"
#include "vm/exec/intake.h"
#include "vm/isa/value.h"

#include <string.h>

enum {
    MEMORY_MAX = 64 * 1024 * 1024,
    FIRST_CHUNK = 1024 * 1024, /* of the arena: what is cleared keeps so much */
    ARGUMENT_SLOTS_MAX = TW_FRAME_SLOTS_MAX,
    READINGS_MAX = 12,
    READINGS_MANY = 300, /* now and then, so that windows take several pages */
    HELD = 1000,         /* of each money by each account, at first */
    STEPS = 12,
};

static const int64_t start_time = 1700000000000;

struct scene {
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena;
    tw_exec *exec;
    tw_contract *contract;
    const tw_module *m;
    dice d;
    int64_t now;
    uint64_t gas_max;
    tw_account accounts[GENERATE_ACCOUNTS];
    tw_spend spends[TW_MONIES_MAX];
    int64_t arguments[ARGUMENT_SLOTS_MAX];
    scene_tally seen;
};

scene *scene_new(void)
{
    scene *s = tw_mem_new(sizeof *s);
    if (s == NULL) return NULL;
    s->arena = tw_arena_new(MEMORY_MAX);
    s->exec = tw_exec_new();
    if (s->arena == NULL || tw_arena_get(s->arena, FIRST_CHUNK) == NULL || s->exec == NULL ||
        tw_store_open_memory(MEMORY_MAX, &s->store) != TW_OK ||
        (s->overlay = tw_overlay_new(s->store, MEMORY_MAX)) == NULL) {
        scene_free(s);
        return NULL;
    }
    for (uint32_t i = 0; i < GENERATE_ACCOUNTS; i++) s->accounts[i] = generate_account(i);
    return s;
}

void scene_free(scene *s)
{
    if (s == NULL) return;
    tw_exec_free(s->exec);
    tw_overlay_free(s->overlay);
    tw_store_close(s->store);
    tw_arena_free(s->arena);
    tw_mem_free(s);
}

const scene_tally *scene_seen(const scene *s)
{
    return &s->seen;
}

/* ---- setting ---- */

/* The assets of the contract's money, of which every account has some. */
static void endow(scene *s)
{
    for (uint16_t i = 0; i < s->m->money_count; i++) {
        tw_hash *id = &s->contract->assets[i];
        *id = (tw_hash){{0xA5, (uint8_t)i}};
        s->spends[i] = (tw_spend){*id, dice_percent(&s->d, 80) ? HELD : dice_below(&s->d, 20)};
        tw_asset asset = {.id = *id, .supply = HELD * (int64_t)GENERATE_ACCOUNTS};
        check(tw_bank_set_name(&asset, s->m->monies[i].name) == TW_OK);
        check(tw_bank_save(s->overlay, &asset) == TW_OK);
        for (uint32_t k = 0; k < GENERATE_ACCOUNTS; k++) {
            const tw_key key = tw_bank_balance_key(id, &s->accounts[k]);
            int64_t amount = 0;
            check(tw_bank_change(s->overlay, &key, HELD, &amount) == TW_OK);
        }
    }
}

void scene_set_params(tw_contract *c)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->param_count; i++) {
        tw_reader r = tw_reader_of(m->params[i].preset);
        check(tw_value_decode(m, m->params[i].type, &r, c->params + c->code->param_first[i]) ==
              TW_OK);
    }
}

bool scene_delays_good(const tw_contract *c)
{
    for (uint16_t i = 0; i < c->code->module->entry_count; i++) {
        const uint16_t delay = c->code->module->entries[i].delay;
        if (delay == TW_NONE) continue;
        const int64_t ms = c->deployed[delay];
        if (ms < 1 || ms >= (int64_t)1 << TW_RANGE_BITS) return false;
    }
    return true;
}

/* What the ledger does after the deploy entry, in short. */
static bool establish(scene *s)
{
    if (!scene_delays_good(s->contract)) return false;
    check(tw_contract_save(s->contract) == TW_OK);
    check(tw_timer_deploy(s->contract) == TW_OK);
    for (uint16_t role = 0; role < s->m->role_count; role++) {
        const uint32_t first = dice_below(&s->d, GENERATE_ACCOUNTS);
        const uint32_t count = dice_below(&s->d, 4);
        for (uint32_t i = 0; i < count; i++) {
            const tw_account *account = &s->accounts[(first + i) % GENERATE_ACCOUNTS];
            const tw_status status = tw_role_grant(s->contract, role, account, s->now);
            check(!tw_status_is_host_failure(status));
        }
    }
    check(tw_pending_index(s->contract) == TW_OK);
    check(tw_contract_save_control(s->contract) == TW_OK);
    return true;
}

/* ---- runs ---- */

static void note(scene *s, const tw_outcome *o)
{
    scene_tally *t = &s->seen;
    check(tw_status_is_outcome(o->status) && (uint32_t)o->status < SCENE_STATUSES);
    const tw_function *f = &s->m->functions[o->function];
    check(o->pc < f->code_count);
    t->runs++;
    t->status[o->status]++;
    const uint8_t op = tw_insn_op(s->m->code[f->code_first + o->pc]);
    t->by_trap[o->status] += op == TW_OP_TRAP;
    t->gas += o->gas;
    t->notices += o->events + o->histories;
    t->writes += o->writes;
}

static void draw_arguments(scene *s, const tw_entry *e)
{
    int64_t *slots = s->arguments;
    for (uint16_t i = 0; i < e->members.count; i++) {
        generate_value(&s->d, s->m, e->members.items[i].type, slots);
        slots += s->m->types[e->members.items[i].type].slots;
    }
}

static bool is_signed(const tw_entry *e)
{
    return e->kind == TW_ENTRY_DEPLOY || e->kind == TW_ENTRY_ACTION;
}

static tw_status run(scene *s, uint16_t entry)
{
    const tw_entry *e = &s->m->entries[entry];
    const tw_facts *facts = s->contract->code->facts;
    const uint32_t first = dice_below(&s->d, GENERATE_ACCOUNTS - 2);
    tw_outcome outcome;
    if (facts->entries[entry].gas > s->gas_max) {
        s->seen.skipped++;
        return TW_FAIL_CHECK;
    }
    draw_arguments(s, e);
    tw_call call = {.entry = entry,
                    .now = s->now,
                    .end = s->now - (is_signed(e) ? 0 : dice_below(&s->d, 3)),
                    .open_end = e->kind == TW_ENTRY_EVERY,
                    .transaction = {{(uint8_t)entry, 7}},
                    .arguments = s->arguments};
    if (is_signed(e)) {
        call.signers = s->accounts + first;
        call.signer_count = (uint16_t)(1 + dice_below(&s->d, 3));
        call.spends = s->spends;
        call.spend_count = s->m->money_count;
    }
    check(tw_exec_run(s->exec, s->contract, &call, &outcome) == TW_OK);
    check(outcome.gas <= e->bounds.gas && outcome.writes <= e->bounds.writes);
    check(outcome.events + outcome.histories <= e->bounds.events);
    note(s, &outcome);
    return outcome.status;
}

static int64_t reading_value(scene *s, const tw_reading *r)
{
    const uint32_t roll = dice_below(&s->d, 16);
    if (roll == 0) return r->high;
    if (roll == 1) return r->low;
    if (roll == 2) return generate_number(&s->d);
    const uint64_t width = (uint64_t)r->high - (uint64_t)r->low;
    if (width == 0) return r->low;
    const uint64_t more = dice_next(&s->d) % width;
    return r->low + (int64_t)(dice_percent(&s->d, 70) ? more % 50 : more);
}

/* A pack from somebody who holds a sensor role, or else from nobody: it does not come then. */
static void feed(scene *s)
{
    const tw_account *device = &s->accounts[dice_below(&s->d, GENERATE_ACCOUNTS)];
    const uint32_t most = dice_percent(&s->d, 4) ? READINGS_MANY : READINGS_MAX;
    const uint16_t count = (uint16_t)(1 + dice_below(&s->d, most));
    tw_pack_reading items[READINGS_MANY];
    const uint8_t *record = NULL;
    bool found = false;
    tw_intake intake;
    if (s->m->reading_count == 0) return;
    check(tw_device_get(s->contract, device, &record, &found) == TW_OK);
    if (!found) return;
    const int32_t pause = most == READINGS_MAX ? 500 : 4;
    int64_t time = s->now - dice_below(&s->d, 3000);
    for (uint16_t i = 0; i < count; i++) {
        uint16_t reading = (uint16_t)dice_below(&s->d, s->m->reading_count);
        const int64_t value = reading_value(s, &s->m->readings[reading]);
        if (dice_percent(&s->d, 3)) reading = TW_NONE;
        items[i] = (tw_pack_reading){reading, time, value};
        time += dice_between(&s->d, dice_percent(&s->d, 5) ? -pause : 0, pause);
        if (time > s->now) time = s->now;
    }
    check(tw_contract_load_control(s->contract) == TW_OK);
    check(tw_intake_run(s->exec, s->contract, device, items, count, s->now, s->arena, &intake) ==
          TW_OK);
    check(intake.accepted + intake.refused_count == count);
    s->seen.readings += count;
    s->seen.readings_taken += intake.accepted;
}

static void condition(scene *s)
{
    bool holds = false;
    uint64_t gas = 0;
    if (s->m->alarm_count == 0) return;
    const tw_alarm *a = &s->m->alarms[dice_below(&s->d, s->m->alarm_count)];
    const uint16_t function = dice_percent(&s->d, 50) ? a->raise : a->clear;
    const uint64_t worst = s->contract->code->facts->functions[function].worst.gas;
    if (worst > s->gas_max) return;
    check(tw_exec_condition(s->exec, s->contract, function, s->now, &holds, &gas) == TW_OK);
    check(gas <= worst);
    s->seen.conditions++;
    s->seen.conditions_true += holds;
}

static bool conditions_short(const scene *s)
{
    const tw_function_facts *f = s->contract->code->facts->functions;
    for (uint16_t i = 0; i < s->m->alarm_count; i++) {
        const tw_alarm *a = &s->m->alarms[i];
        if (f[a->raise].worst.gas > s->gas_max || f[a->clear].worst.gas > s->gas_max) return false;
    }
    return true;
}

static void step(scene *s, bool feeds)
{
    const uint32_t roll = dice_below(&s->d, 8);
    s->now += dice_percent(&s->d, 50) ? dice_below(&s->d, 2000) : 0;
    if (roll < 2 && feeds && s->m->reading_count > 0) {
        feed(s);
    } else if (roll == 2 && s->m->alarm_count > 0) {
        condition(s);
    } else {
        const uint16_t entry = (uint16_t)dice_below(&s->d, s->m->entry_count);
        if (s->m->entries[entry].kind != TW_ENTRY_DEPLOY) (void)run(s, entry);
    }
}

void scene_play(scene *s, const tw_code *code, uint64_t seed, uint64_t gas_max)
{
    const tw_hash id = {{9, 9, 9}};
    s->d.state = seed;
    s->m = code->module;
    s->now = start_time;
    s->gas_max = gas_max;
    tw_arena_clear(s->arena);
    tw_overlay_clear(s->overlay, seed);
    check(tw_contract_new(&id, code, s->overlay, s->arena, &s->contract) == TW_OK);
    s->contract->deployer = s->accounts[0];
    s->contract->deployed_at = s->now;
    s->contract->control.phase_since = s->now;
    s->seen.programs++;
    endow(s);
    scene_set_params(s->contract);
    if (run(s, tw_module_entry(s->m, TW_ENTRY_DEPLOY, NULL)) != TW_OK || !establish(s)) return;
    s->seen.deployed++;
    const bool feeds = conditions_short(s);
    for (uint32_t i = 0; i < STEPS; i++) step(s, feeds);
}
