/* upgrade -- another module in the place of a contract's, by consent of those it names.
 *
 * The contract keeps its id, roles, purses, history, fields of the same name and type, and params
 * of the same name and type. Its timers start anew; alarms are known by their names; windows and
 * stamps stay only where the readings are declared as before. What no version needs any more goes.
 * All of it, or nothing.
 *
 *     consent:  tag | hash of the module 32 | since when 8
 *     past:     tag | hash of the module that ran until this receipt 32
 */
#include "vm/ledger/node.h"

#include "vm/exec/device.h"
#include "vm/exec/field.h"
#include "vm/isa/value.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

typedef struct upgrade {
    tw_ledger *l;
    const tw_tx *tx;
    tw_contract *old;
    const tw_code *code; /* the new one */
    tw_run *run;
    bool same_readings; /* so device records and windows stay */
} upgrade;

/* ---- what stays of the readings ---- */

static bool reading_same(const tw_module *a, const tw_reading *x, const tw_module *b,
                         const tw_reading *y)
{
    return strcmp(x->name, y->name) == 0 && strcmp(x->field, y->field) == 0 &&
           tw_hash_equal(&a->types[x->type].description, &b->types[y->type].description) &&
           x->role == y->role && x->per_device == y->per_device && x->low == y->low &&
           x->high == y->high && x->rate_count == y->rate_count && x->rate_ms == y->rate_ms &&
           x->keep == y->keep && x->age_max_ms == y->age_max_ms && x->gap_ms == y->gap_ms;
}

static bool readings_same(const tw_module *a, const tw_module *b)
{
    if (a->reading_count != b->reading_count || a->stamp_count != b->stamp_count) return false;
    for (uint16_t i = 0; i < a->reading_count; i++) {
        if (!reading_same(a, &a->readings[i], b, &b->readings[i])) return false;
    }
    for (uint16_t i = 0; i < a->stamp_count; i++) {
        const tw_stamp *x = &a->stamps[i];
        const tw_stamp *y = &b->stamps[i];
        if (x->reading != y->reading || x->kind != y->kind) return false;
    }
    return true;
}

/* The levels are deploy constants, which the new module computes for itself. */
static bool levels_same(const tw_contract *a, const tw_contract *b)
{
    for (uint16_t i = 0; i < a->code->module->stamp_count; i++) {
        const tw_stamp *x = &a->code->module->stamps[i];
        const tw_stamp *y = &b->code->module->stamps[i];
        if (a->deployed[x->low] != b->deployed[y->low]) return false;
        if (x->kind == TW_STAMP_WITHIN && a->deployed[x->high] != b->deployed[y->high]) {
            return false;
        }
    }
    return true;
}

/* ---- what it costs beside the migration ---- */

/* Fields that go, key by key. */
static tw_status fields_gas(upgrade *u, uint64_t *gas)
{
    const tw_module *from = u->old->code->module;
    for (uint16_t i = 0; i < from->field_count; i++) {
        const tw_field *f = &from->fields[i];
        uint32_t keys = 0;
        if (f->old || tw_node_field_stays(f, u->code->module)) continue;
        if (f->kind != TW_FIELD_VAR) TW_TRY(tw_field_count(u->old, f->id, &keys));
        const uint64_t count = (uint64_t)keys + 1;
        const uint64_t head = f->kind == TW_FIELD_REGISTRY ? TW_THING_HEAD_MAX : 1;
        const uint64_t size = head + from->types[f->value_type].size_max;
        *gas = tw_cost_add(*gas, tw_cost_read(count, count * size));
        *gas = tw_cost_add(*gas, tw_cost_write(count, 0));
    }
    return TW_OK;
}

/* Device records that change their form, or stamps that are broken; windows that go. */
static tw_status devices_gas(upgrade *u, uint64_t *gas)
{
    const tw_module *from = u->old->code->module;
    const tw_module *to = u->code->module;
    const uint64_t size = tw_size_device(from) + tw_size_device(to);
    for (uint16_t role = 0; role < to->role_count; role++) {
        const bool was = role < from->role_count && tw_role_is_sensor(from, role);
        if (!was && !tw_role_is_sensor(to, role)) continue;
        uint32_t count = 0;
        tw_account holder;
        uint64_t pages = 0;
        TW_TRY(tw_role_read(u->old, role, &count, &holder));
        for (uint16_t i = 0; i < from->reading_count && !u->same_readings; i++) {
            const bool its = from->readings[i].role == role;
            pages += its ? (uint64_t)count * tw_window_pages(from->readings[i].keep) : 0;
        }
        *gas = tw_cost_add(*gas, tw_cost_read(3 * (uint64_t)count, count * size));
        *gas = tw_cost_add(*gas, tw_cost_write(count, count * size));
        *gas = tw_cost_add(*gas, tw_cost_read(pages, pages * TW_PAGE_SIZE));
        *gas = tw_cost_add(*gas, tw_cost_write(pages, 0));
    }
    return TW_OK;
}

/* The records of the contract and of what is filed under it, the module, fields and devices. */
static tw_status own_gas(upgrade *u, uint64_t *ret_gas)
{
    const tw_module *from = u->old->code->module;
    const tw_module *to = u->code->module;
    const uint64_t filed =
        2 * ((uint64_t)from->timer_count + from->alarm_count + to->timer_count + to->alarm_count);
    *ret_gas = tw_cost_write(6 + to->money_count + filed,
                             u->code->bytes.size + tw_size_control(from) + tw_size_control(to));
    *ret_gas +=
        tw_cost_read(8 + (uint64_t)from->purse_count + to->purse_count + to->field_count, 0);
    TW_TRY(fields_gas(u, ret_gas));
    return devices_gas(u, ret_gas);
}

/* ---- consent ---- */

/* Since when there is consent to this module. */
static tw_status find_consent(upgrade *u, int64_t *ret_since, bool *ret_found)
{
    tw_hash module;
    TW_TRY(tw_ledger_consent(u->l, &u->old->id, &module, ret_since, ret_found));
    *ret_found = *ret_found && tw_hash_equal(&module, &u->code->hash);
    return TW_OK;
}

static tw_status file_consent(upgrade *u, const tw_key *key)
{
    uint8_t value[1 + TW_HASH_SIZE + 8] = {TW_STATE_TAG};
    memcpy(value + 1, u->code->hash.bytes, TW_HASH_SIZE);
    tw_store_u64(value + 1 + TW_HASH_SIZE, (uint64_t)u->l->time);
    u->run->gas += tw_cost_write(1, sizeof value);
    return tw_overlay_put(u->l->overlay, tw_key_bytes(key), tw_bytes_of(value, sizeof value));
}

/* *ret_now: nothing is left to wait for. Otherwise the consent is filed, or it is too early. */
static tw_status judge_consent(upgrade *u, bool *ret_now)
{
    const tw_upgrade *rule = &u->old->code->module->upgrade;
    const tw_key key = tw_key_of(TW_SPACE_CONSENT, &u->old->id);
    int64_t since = 0;
    bool found = false;
    *ret_now = rule->delay == TW_NONE;
    if (*ret_now) return TW_OK;
    TW_TRY(find_consent(u, &since, &found));
    if (!found) return file_consent(u, &key);
    if (u->l->time - since < u->old->deployed[rule->delay]) {
        u->run->status = TW_TX_TOO_EARLY;
        return TW_OK;
    }
    *ret_now = true;
    return tw_overlay_delete(u->l->overlay, tw_key_bytes(&key));
}

static tw_status signed_enough(upgrade *u, bool *ret_enough)
{
    const tw_upgrade *rule = &u->old->code->module->upgrade;
    uint32_t count = 0;
    for (uint8_t i = 0; i < u->tx->signer_count; i++) {
        bool member = false;
        TW_TRY(tw_role_has(u->old, rule->role, &u->tx->signers[i], &member));
        count += member;
    }
    *ret_enough = count >= rule->count;
    return TW_OK;
}

/* ---- the new contract ---- */

static uint16_t phase_named(const tw_module *m, const char *name)
{
    for (uint16_t i = 0; i < m->phases.count; i++) {
        if (strcmp(m->phases.items[i], name) == 0) return i;
    }
    return 0; /* known to be there */
}

static tw_status carry_params(upgrade *u, tw_contract *c)
{
    const tw_module *to = u->code->module;
    for (uint16_t i = 0; i < to->param_count; i++) {
        const tw_param *p = &to->params[i];
        const uint16_t was = tw_node_param_from(u->old->code->module, to, i);
        int64_t *slots = c->params + u->code->param_first[i];
        if (was != TW_NONE) {
            memcpy(slots, u->old->params + u->old->code->param_first[was],
                   to->types[p->type].slots * sizeof *slots);
            continue;
        }
        tw_reader r = tw_reader_of(p->preset);
        if (tw_value_decode(to, p->type, &r, slots) != TW_OK) return TW_ERR_INTERNAL;
    }
    return TW_OK;
}

/* Monies are known by their names; a new token becomes an asset. */
static tw_status carry_assets(upgrade *u, tw_contract *c)
{
    const tw_module *from = u->old->code->module;
    const tw_module *to = u->code->module;
    for (uint16_t i = 0; i < to->money_count; i++) {
        bool found = false;
        for (uint16_t k = 0; k < from->money_count && !found; k++) {
            found = strcmp(from->monies[k].name, to->monies[i].name) == 0;
            if (found) c->assets[i] = u->old->assets[k];
        }
        if (found) continue;
        tw_asset asset = {.id = tw_bank_token(&c->id, to->monies[i].name),
                          .contract = c->id,
                          .decimals = to->monies[i].decimals};
        TW_TRY(tw_bank_set_name(&asset, to->monies[i].name));
        c->assets[i] = asset.id;
        TW_TRY(tw_bank_save(c->overlay, &asset));
    }
    return TW_OK;
}

/* Latches and edges of the alarms that have kept their names. */
static void carry_alarms(const tw_contract *old, tw_contract *c)
{
    const tw_module *from = old->code->module;
    const tw_module *to = c->code->module;
    for (uint16_t i = 0; i < to->alarm_count; i++) {
        tw_alarm_state *a = &c->control.alarms[i];
        for (uint16_t k = 0; k < from->alarm_count; k++) {
            if (strcmp(to->alarms[i].name, from->alarms[k].name) == 0) *a = old->control.alarms[k];
        }
        a->indexed = TW_NEVER;
        if (a->edge != TW_EDGE_NONE && !tw_pending_wanted(to, i, (tw_edge)a->edge)) {
            a->edge = TW_EDGE_NONE;
        }
    }
}

static tw_status take_over(upgrade *u, tw_contract **ret_contract)
{
    const tw_contract *old = u->old;
    tw_contract *c = NULL;
    TW_TRY(tw_contract_new(&old->id, u->code, u->l->overlay, u->l->arena, &c));
    c->deployer = old->deployer;
    c->deployed_at = old->deployed_at;
    c->control.phase =
        phase_named(u->code->module, old->code->module->phases.items[old->control.phase]);
    c->control.phase_since = old->control.phase_since;
    c->control.grants = old->control.grants;
    c->control.history_count = old->control.history_count;
    c->control.history_head = old->control.history_head;
    carry_alarms(old, c);
    TW_TRY(carry_params(u, c));
    TW_TRY(carry_assets(u, c));
    *ret_contract = c;
    return TW_OK;
}

/* Nothing of the old version stays in the index of timers and edges: numbers of entries and alarms
 * mean others now. */
static tw_status unfile(tw_contract *old)
{
    for (uint16_t i = 0; i < old->code->module->entry_count; i++) {
        TW_TRY(tw_timer_set(old, i, TW_NEVER));
    }
    for (uint16_t i = 0; i < old->code->module->alarm_count; i++) {
        old->control.alarms[i].edge = TW_EDGE_NONE;
    }
    return tw_pending_index(old);
}

static tw_status drop_field(tw_contract *c, const tw_field *f)
{
    const tw_key prefix = tw_field_key(c, f->id);
    tw_key from = prefix;
    for (;;) {
        tw_bytes key, value;
        bool found = false;
        TW_TRY(tw_overlay_next(c->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key, &value,
                               &found));
        if (!found) return TW_OK;
        from.size = 0;
        tw_key_raw(&from, key.data, key.size);
        TW_TRY(tw_overlay_delete(c->overlay, tw_key_bytes(&from)));
        tw_key_u8(&from, 0);
    }
}

static tw_status drop_fields(upgrade *u)
{
    const tw_module *from = u->old->code->module;
    for (uint16_t i = 0; i < from->field_count; i++) {
        const tw_field *f = &from->fields[i];
        if (!f->old && !tw_node_field_stays(f, u->code->module)) TW_TRY(drop_field(u->old, f));
    }
    return TW_OK;
}

/* A module made by hand may forget to give a var its first value; its loads would then trap. */
static tw_status vars_set(tw_contract *c, bool *ret_set)
{
    const tw_module *m = c->code->module;
    *ret_set = true;
    for (uint16_t i = 0; i < m->field_count && *ret_set; i++) {
        if (m->fields[i].kind != TW_FIELD_VAR || m->fields[i].old) continue;
        const tw_key key = tw_field_key(c, m->fields[i].id);
        tw_bytes value;
        TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, ret_set));
    }
    return TW_OK;
}

static tw_status run_migrate(upgrade *u, tw_contract *c)
{
    const uint16_t entry = tw_module_entry(u->code->module, TW_ENTRY_MIGRATE, NULL);
    const tw_call call = {.entry = entry,
                          .now = u->l->time,
                          .end = u->l->time,
                          .signers = u->tx->signers,
                          .signer_count = u->tx->signer_count,
                          .transaction = u->tx->id};
    tw_outcome outcome;
    TW_TRY(tw_contract_save_control(c)); /* which the run reads again */
    TW_TRY(tw_exec_run(u->l->exec, c, &call, &outcome));
    return tw_node_run_of(u->l, c, entry, &outcome, u->run);
}

/* What the receipts up to this one were made with. */
static tw_status note_past(upgrade *u)
{
    tw_key key = tw_key_of(TW_SPACE_PAST, &u->old->id);
    tw_key_u64(&key, u->l->head.height + 1);
    tw_key_u32(&key, u->l->receipt_count);
    uint8_t value[1 + TW_HASH_SIZE] = {TW_STATE_TAG};
    memcpy(value + 1, u->old->code->hash.bytes, TW_HASH_SIZE);
    return tw_overlay_put(u->l->overlay, tw_key_bytes(&key), tw_bytes_of(value, sizeof value));
}

/* After the migration: what the new version makes of the contract. */
static tw_status establish(upgrade *u, tw_contract *c)
{
    bool set = false;
    TW_TRY(vars_set(c, &set));
    if (!set) return TW_TX_BAD_UPGRADE;
    if (!tw_node_delays_fit(c)) return TW_TRAP_BAD_VALUE;
    TW_TRY(drop_fields(u));
    if (u->same_readings && !levels_same(u->old, c)) TW_TRY(tw_node_break_stamps(c));
    TW_TRY(tw_timer_upgrade(c, u->l->time));
    TW_TRY(tw_pending_index(c));
    TW_TRY(tw_contract_save(c));
    TW_TRY(tw_node_save_code(u->l, u->code));
    TW_TRY(note_past(u));
    return tw_contract_save_control(c);
}

static tw_status replace(upgrade *u)
{
    tw_contract *c = NULL;
    TW_TRY(take_over(u, &c));
    TW_TRY(unfile(u->old));
    if (!u->same_readings) TW_TRY(tw_node_renew_devices(c, u->l->time));
    TW_TRY(run_migrate(u, c));
    const tw_status status = u->run->status == TW_OK ? establish(u, c) : u->run->status;
    if (status != TW_OK) u->run->entry = TW_NONE; /* the contract has no such entry after all */
    return status;
}

/* Everything that is looked at before anything is done; *ret_go false: the status says why, or the
 * consent has been filed. */
static tw_status judge(upgrade *u, bool *ret_go, tw_err *err)
{
    bool enough = false;
    bool due = false;
    *ret_go = false;
    TW_TRY(signed_enough(u, &enough));
    u->run->status = TW_TRAP_NOT_SIGNED;
    if (!enough) return TW_OK;
    const tw_hash hash = tw_module_hash(u->tx->module);
    const tw_status loaded = tw_node_code(u->l, &hash, &u->tx->module, &u->code, err);
    if (tw_status_is_host_failure(loaded)) return loaded;
    u->run->status = TW_TX_BAD_MODULE;
    if (loaded != TW_OK) return TW_OK;
    const tw_status fits = tw_node_upgrade_fits(u->old, u->code->module, err);
    if (tw_status_is_host_failure(fits)) return fits;
    u->run->status = TW_TX_BAD_UPGRADE;
    if (fits != TW_OK || !tw_node_bounds_fit(u->l, u->code)) return TW_OK;
    u->run->status = TW_OK;
    TW_TRY(judge_consent(u, ret_go));
    if (!*ret_go) return TW_OK;
    TW_TRY(tw_node_timer_is_due(u->old, u->l->time, &due));
    if (due) u->run->status = TW_TRAP_TIMER_DUE;
    *ret_go = !due;
    return TW_OK;
}

static tw_status judge_and_replace(upgrade *u, tw_err *err)
{
    bool go = false;
    uint64_t gas = 0;
    u->run->gas += tw_cost_read(TW_SIGNERS_MAX, 64 * TW_SIGNERS_MAX) +
                   u->tx->module.size * (uint64_t)TW_GAS_VERIFY_BYTE;
    TW_TRY(judge(u, &go, err));
    if (!go) return TW_OK;
    u->same_readings = readings_same(u->old->code->module, u->code->module);
    TW_TRY(own_gas(u, &gas));
    u->run->gas += gas;
    u->run->status = replace(u);
    return tw_status_is_host_failure(u->run->status) ? u->run->status : TW_OK;
}

tw_status tw_node_upgrade(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err)
{
    upgrade u = {.l = l, .tx = tx, .run = run};
    bool found = false;
    TW_TRY(tw_node_contract(l, &tx->contract, &u.old, &found, err));
    run->status = TW_TX_NO_CONTRACT;
    if (!found) return TW_OK;
    run->contract = u.old->id;
    run->status = TW_TX_NO_UPGRADE;
    if (u.old->code->module->upgrade.role == TW_NONE) return TW_OK;
    l->in_use = u.old->code;
    const tw_status status = judge_and_replace(&u, err);
    l->in_use = NULL;
    return status;
}

/* Beside the consent: the most that doing it costs. */
static tw_status replace_bound(upgrade *u, uint64_t *ret_gas, tw_err *err)
{
    const tw_hash hash = tw_module_hash(u->tx->module);
    const tw_status loaded = tw_node_code(u->l, &hash, &u->tx->module, &u->code, err);
    *ret_gas = 0;
    if (tw_status_is_host_failure(loaded)) return loaded;
    const uint16_t entry =
        loaded == TW_OK ? tw_module_entry(u->code->module, TW_ENTRY_MIGRATE, NULL) : TW_NONE;
    if (entry == TW_NONE) return TW_OK; /* it will be refused */
    u->same_readings = readings_same(u->old->code->module, u->code->module);
    TW_TRY(own_gas(u, ret_gas));
    *ret_gas = tw_cost_add(*ret_gas, u->code->facts->entries[entry].gas);
    return TW_OK;
}

tw_status tw_node_upgrade_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    upgrade u = {.l = l, .tx = tx};
    bool found = false;
    uint64_t gas = 0;
    *ret_gas = tw_cost_read(TW_SIGNERS_MAX, 64 * TW_SIGNERS_MAX) +
               tx->module.size * (uint64_t)TW_GAS_VERIFY_BYTE +
               tw_cost_write(1, 1 + TW_HASH_SIZE + 8);
    TW_TRY(tw_node_contract(l, &tx->contract, &u.old, &found, err));
    if (!found) return TW_OK;
    l->in_use = u.old->code;
    const tw_status status = replace_bound(&u, &gas, err);
    l->in_use = NULL;
    *ret_gas = tw_cost_add(*ret_gas, gas);
    return status;
}

/* ---- questions ---- */

tw_status tw_ledger_upgrade_fits(tw_ledger *l, const tw_hash *id, tw_bytes module, tw_err *err)
{
    tw_contract *c = NULL;
    const tw_code *code = NULL;
    const tw_hash hash = tw_module_hash(module);
    assert(!l->open);
    tw_arena_clear(l->arena);
    TW_TRY(tw_ledger_contract(l, id, l->arena, &c, err));
    l->in_use = c->code;
    tw_status status = tw_node_code(l, &hash, &module, &code, err);
    if (status == TW_OK) status = tw_node_upgrade_fits(c, code->module, err);
    l->in_use = NULL;
    return status;
}

tw_status tw_ledger_consent(tw_ledger *l, const tw_hash *id, tw_hash *ret_module,
                            int64_t *ret_since, bool *ret_found)
{
    const tw_key key = tw_key_of(TW_SPACE_CONSENT, id);
    tw_bytes value;
    TW_TRY(tw_overlay_get(l->overlay, tw_key_bytes(&key), &value, ret_found));
    if (!*ret_found) return TW_OK;
    if (value.size != 1 + TW_HASH_SIZE + 8) return TW_ERR_CORRUPT;
    memcpy(ret_module->bytes, value.data + 1, TW_HASH_SIZE);
    *ret_since = (int64_t)tw_load_u64(value.data + 1 + TW_HASH_SIZE);
    return TW_OK;
}

tw_status tw_ledger_code_then(tw_ledger *l, const tw_hash *id, uint64_t height, uint32_t receipt,
                              const tw_code **ret_code, tw_err *err)
{
    const tw_key prefix = tw_key_of(TW_SPACE_PAST, id);
    tw_key from = prefix;
    tw_bytes key, value;
    tw_hash hash;
    bool found = false;
    tw_key_u64(&from, height);
    tw_key_u32(&from, receipt + 1); /* a later receipt changed the module: this one had the old */
    TW_TRY(tw_overlay_next(l->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key, &value,
                           &found));
    if (found && value.size != 1 + TW_HASH_SIZE) return TW_ERR_CORRUPT;
    if (found) {
        memcpy(hash.bytes, value.data + 1, TW_HASH_SIZE);
        return tw_node_code(l, &hash, NULL, ret_code, err);
    }
    TW_TRY(tw_contract_find(l->overlay, id, &hash, &found));
    if (!found) return tw_err_set(err, TW_REFUSED_NOT_FOUND, "there is no such contract");
    return tw_node_code(l, &hash, NULL, ret_code, err);
}
