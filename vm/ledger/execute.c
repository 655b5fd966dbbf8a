/* execute -- what each kind of transaction does to the state.
 *
 * Called with signature, nonce, chain and gas limit checked, and the nonce counted. A failure of
 * the transaction is a status in its receipt; only host failures are returned.
 */
#include "vm/ledger/node.h"

#include "vm/isa/value.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

enum {
    ASSET_SIZE_MAX = 128,  /* bytes of an asset's record */
    PACK_SIZE_LEAST = 400, /* of a transaction that carries a pack of one reading */
};

uint64_t tw_node_gas_base(const tw_tx *tx)
{
    return TW_GAS_TX + tx->signer_count * (uint64_t)TW_GAS_SIGNATURE +
           tx->size * (uint64_t)TW_GAS_TX_BYTE;
}

/* ---- call ---- */

static uint16_t find_action(const tw_module *m, tw_bytes name)
{
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind == TW_ENTRY_ACTION &&
            tw_bytes_equal(name, tw_bytes_of(e->name, strlen(e->name)))) {
            return i;
        }
    }
    return TW_NONE;
}

static bool decode_arguments(const tw_module *m, const tw_entry *e, tw_bytes bytes,
                             int64_t *ret_slots)
{
    tw_reader r = tw_reader_of(bytes);
    return tw_members_decode(m, &e->members, &r, ret_slots) == TW_OK && tw_reader_done(&r);
}

static tw_status run_action(tw_ledger *l, const tw_tx *tx, tw_contract *c, uint16_t entry,
                            tw_run *run)
{
    const tw_module *m = c->code->module;
    int64_t *slots = TW_NEW_ARRAY(l->arena, int64_t, m->entries[entry].members.slots);
    if (slots == NULL) return TW_ERR_MEMORY;
    if (!decode_arguments(m, &m->entries[entry], tx->arguments, slots)) {
        run->status = TW_TX_BAD_ARGUMENT;
        return TW_OK;
    }
    bool due = false;
    TW_TRY(tw_node_timer_is_due(c, l->time, &due));
    if (due) {
        run->status = TW_TRAP_TIMER_DUE;
        return TW_OK;
    }
    const tw_call call = {.entry = entry,
                          .now = l->time,
                          .end = l->time,
                          .signers = tx->signers,
                          .signer_count = tx->signer_count,
                          .transaction = tx->id,
                          .arguments = slots,
                          .spends = tx->spends,
                          .spend_count = tx->spend_count};
    tw_outcome outcome;
    TW_TRY(tw_exec_run(l->exec, c, &call, &outcome));
    return tw_node_run_of(l, c, entry, &outcome, run);
}

static tw_status do_call(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err)
{
    tw_contract *c = NULL;
    bool found = false;
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    if (!found) {
        run->status = TW_TX_NO_CONTRACT;
        return TW_OK;
    }
    run->contract = c->id;
    run->entry = find_action(c->code->module, tx->entry);
    run->status = TW_TX_NO_ENTRY;
    return run->entry == TW_NONE ? TW_OK : run_action(l, tx, c, run->entry, run);
}

/* ---- pack ---- */

tw_status tw_node_pack(tw_ledger *l, const tw_tx *tx, tw_pack *ret_pack)
{
    if (l->checked == NULL || tx != &l->checked->tx) {
        return tw_pack_decode(tx->pack, &l->chain, l->arena, ret_pack);
    }
    if (l->checked->pack_decoded == TW_OK) *ret_pack = l->checked->pack;
    return l->checked->pack_decoded;
}

bool tw_node_pack_is_signed(tw_ledger *l, const tw_pack *pack)
{
    if (tw_node_trusts(l)) return true;
    if (l->checked != NULL) return l->checked->pack_good;
    return tw_known_verify(l->known, &pack->device, &pack->hash, &pack->signature);
}

/* The reading of this field from one of these roles: two roles may name their fields alike. */
static uint16_t find_reading(const tw_module *m, tw_bytes field, uint64_t roles)
{
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        if ((roles >> r->role & 1) == 0) continue;
        if (tw_bytes_equal(field, tw_bytes_of(r->field, strlen(r->field)))) return i;
    }
    return TW_NONE;
}

/* The checks of a pack as a whole, in the order of the language. */
static tw_status judge_pack(tw_ledger *l, tw_contract *c, const tw_pack *pack, tw_status *ret_why)
{
    const uint8_t *record = NULL;
    bool found = false;
    TW_TRY(tw_device_get(c, &pack->device, &record, &found));
    *ret_why = TW_PACK_NOT_MEMBER;
    if (!found) return TW_OK;
    const uint64_t start = tw_node_clock(l);
    const bool good = tw_node_pack_is_signed(l, pack);
    l->times.signature_ns += tw_node_clock(l) - start;
    *ret_why = TW_PACK_BAD_SIGNATURE;
    if (!good) return TW_OK;
    *ret_why = TW_PACK_OLD_GRANT;
    if (pack->grant != tw_load_u64(record + TW_DEVICE_GRANT)) return TW_OK;
    const uint64_t last = tw_load_u64(record + TW_DEVICE_SEQUENCE);
    *ret_why = TW_PACK_REPLAYED;
    if (pack->sequence <= last) return TW_OK;
    *ret_why = TW_PACK_GAP;
    if (pack->sequence != last + 1) return TW_OK;
    *ret_why = TW_PACK_IN_FUTURE;
    for (uint16_t i = 0; i < pack->item_count; i++) {
        if (pack->items[i].time > l->time) return TW_OK;
    }
    *ret_why = TW_OK;
    return TW_OK;
}

static tw_status take_pack(tw_ledger *l, tw_contract *c, const tw_pack *pack, tw_receipt *receipt)
{
    tw_pack_reading *items = TW_NEW_ARRAY(l->arena, tw_pack_reading, pack->item_count);
    if (items == NULL) return TW_ERR_MEMORY;
    const tw_key key = tw_device_key(&c->id, &pack->device);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(&key), &record, &size, &found));
    if (!found) return TW_ERR_CORRUPT;
    tw_store_u64(record + TW_DEVICE_SEQUENCE, pack->sequence);
    uint16_t readings[TW_PACK_FIELDS_MAX];
    const uint64_t roles = tw_load_u64(record + TW_DEVICE_ROLES);
    for (uint8_t i = 0; i < pack->field_count; i++) {
        readings[i] = find_reading(c->code->module, pack->fields[i], roles);
    }
    for (uint16_t i = 0; i < pack->item_count; i++) {
        const tw_pack_item *item = &pack->items[i];
        items[i] = (tw_pack_reading){readings[item->field], item->time, item->value};
    }
    TW_TRY(tw_intake_run(l->exec, c, &pack->device, items, pack->item_count, l->time, l->arena,
                         &receipt->intake));
    receipt->has_intake = true;
    receipt->run.gas += receipt->intake.gas;
    return tw_node_run_handlers(l, c, receipt);
}

static tw_status do_pack(tw_ledger *l, const tw_tx *tx, tw_receipt *receipt, tw_err *err)
{
    tw_run *run = &receipt->run;
    tw_pack pack;
    const tw_status decoded = tw_node_pack(l, tx, &pack);
    if (decoded != TW_OK) return decoded == TW_ERR_MEMORY ? decoded : TW_ERR_INTERNAL;
    tw_contract *c = NULL;
    bool found = false;
    TW_TRY(tw_node_contract(l, &pack.contract, &c, &found, err));
    if (!found) {
        run->status = TW_TX_NO_CONTRACT;
        return TW_OK;
    }
    run->contract = c->id;
    TW_TRY(judge_pack(l, c, &pack, &run->status));
    if (run->status != TW_OK) {
        run->gas += TW_GAS_PACK + tw_cost_read(2, tw_size_device(c->code->module));
        return TW_OK;
    }
    run->gas += c->code->facts->pack.gas - c->code->facts->handlers.gas;
    return take_pack(l, c, &pack, receipt);
}

/* ---- deploy ---- */

static bool roles_fit(tw_ledger *l, const tw_module *m, const tw_tx *tx)
{
    if (tx->role_count != m->role_count) return false;
    for (uint16_t i = 0; i < m->role_count; i++) {
        const uint16_t count = tx->roles[i].count;
        const bool none_allowed = (m->roles[i].flags & TW_ROLE_GRANTED) != 0;
        if (count > m->roles[i].max || count < m->roles[i].least) return false;
        if (count == 0 && !none_allowed) return false;
        for (uint16_t k = 0; k < count; k++) {
            if (!tw_known_is_valid(l->known, &tx->roles[i].members[k])) return false;
        }
    }
    return true;
}

/* Each currency is an asset of the ledger of the same decimals, each token an asset of its own. */
static tw_status bind_monies(tw_ledger *l, tw_contract *c, const tw_tx *tx)
{
    const tw_module *m = c->code->module;
    uint16_t bound = 0;
    for (uint16_t i = 0; i < m->money_count; i++) {
        const tw_money *money = &m->monies[i];
        if (money->kind == TW_MONEY_TOKEN) {
            c->assets[i] = tw_bank_token(&c->id, money->name);
            continue;
        }
        tw_asset asset;
        bool found = false;
        if (bound == tx->currency_count) return TW_TX_BAD_DEPLOY;
        c->assets[i] = tx->currencies[bound++];
        TW_TRY(tw_bank_asset(l->overlay, &c->assets[i], &asset, &found));
        if (!found || asset.decimals != money->decimals) return TW_TX_BAD_DEPLOY;
    }
    return bound == tx->currency_count ? TW_OK : TW_TX_BAD_DEPLOY;
}

static tw_status make_tokens(tw_ledger *l, const tw_contract *c)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->money_count; i++) {
        if (m->monies[i].kind != TW_MONEY_TOKEN) continue;
        tw_asset asset = {.id = c->assets[i], .contract = c->id, .decimals = m->monies[i].decimals};
        TW_TRY(tw_bank_set_name(&asset, m->monies[i].name));
        TW_TRY(tw_bank_save(l->overlay, &asset));
    }
    return TW_OK;
}

static tw_status set_param(tw_contract *c, uint16_t index, tw_bytes value, tw_run *run)
{
    const tw_module *m = c->code->module;
    const tw_param *p = &m->params[index];
    int64_t *slots = c->params + c->code->param_first[index];
    tw_reader r = tw_reader_of(value);
    if (tw_value_decode(m, p->type, &r, slots) != TW_OK || !tw_reader_done(&r)) {
        return TW_TX_BAD_DEPLOY;
    }
    if (p->ranged && (slots[0] < p->low || slots[0] > p->high)) {
        run->index = index;
        return TW_FAIL_PARAM_RANGE;
    }
    return TW_OK;
}

static tw_status set_params(tw_contract *c, const tw_tx *tx, tw_run *run)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->param_count; i++) {
        TW_TRY(set_param(c, i, m->params[i].preset, run));
    }
    for (uint16_t i = 0; i < tx->param_count; i++) {
        if (tx->params[i].index >= m->param_count) return TW_TX_BAD_DEPLOY;
        TW_TRY(set_param(c, tx->params[i].index, tx->params[i].value, run));
    }
    return TW_OK;
}

static bool delay_fits(const tw_contract *c, uint16_t delay, int64_t least)
{
    if (delay == TW_NONE) return true;
    return c->deployed[delay] >= least && c->deployed[delay] < (int64_t)1 << TW_RANGE_BITS;
}

bool tw_node_delays_fit(const tw_contract *c)
{
    const tw_module *m = c->code->module;
    const int64_t minute = 60000;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (!delay_fits(c, e->delay, e->kind == TW_ENTRY_EVERY ? minute : 1)) return false;
    }
    return delay_fits(c, m->upgrade.delay, 1);
}

/* A pack with one reading, of whichever, fits a block that is empty: else none ever comes in. */
static bool packs_fit(const tw_ledger *l, const tw_code *code)
{
    const tw_facts *facts = code->facts;
    if (facts->pack.event_bytes > TW_RUN_NOTICES_MAX) return false;
    const uint64_t carried =
        TW_GAS_TX + TW_GAS_SIGNATURE + PACK_SIZE_LEAST * (uint64_t)TW_GAS_TX_BYTE;
    for (uint16_t i = 0; i < code->module->reading_count; i++) {
        const uint64_t gas = tw_cost_add(facts->pack.gas, facts->intake_gas[i]);
        if (tw_cost_add(gas, carried) > l->genesis.block_gas_max) return false;
    }
    return true;
}

bool tw_node_bounds_fit(const tw_ledger *l, const tw_code *code)
{
    const tw_module *m = code->module;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const uint8_t kind = m->entries[i].kind;
        const bool timed =
            kind != TW_ENTRY_ACTION && kind != TW_ENTRY_VIEW && kind != TW_ENTRY_DEPLOY;
        const uint64_t gas = code->facts->entries[i].gas;
        if (gas > l->genesis.entry_gas_max || (timed && gas > l->genesis.timer_gas_max))
            return false;
    }
    return packs_fit(l, code);
}

tw_status tw_node_save_code(tw_ledger *l, const tw_code *code)
{
    tw_key key = tw_key_start(TW_SPACE_CODE);
    tw_key_raw(&key, code->hash.bytes, TW_HASH_SIZE);
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX + 1);
    tw_write_u8(&w, TW_STATE_TAG);
    tw_write_raw(&w, code->bytes.data, code->bytes.size);
    const tw_status status =
        w.bad ? TW_ERR_MEMORY : tw_overlay_put(l->overlay, tw_key_bytes(&key), tw_writer_bytes(&w));
    tw_writer_free(&w);
    return status;
}

static tw_status first_members(tw_ledger *l, tw_contract *c, const tw_tx *tx)
{
    for (uint16_t i = 0; i < tx->role_count; i++) {
        for (uint16_t k = 0; k < tx->roles[i].count; k++) {
            TW_TRY(tw_role_grant(c, i, &tx->roles[i].members[k], l->time));
        }
    }
    return TW_OK;
}

/* After the deploy entry has run: everything that makes it a contract. */
static tw_status establish(tw_ledger *l, tw_contract *c, const tw_tx *tx)
{
    if (!tw_node_delays_fit(c)) return TW_TRAP_BAD_VALUE;
    TW_TRY(tw_contract_save(c));
    TW_TRY(tw_node_save_code(l, c->code));
    TW_TRY(make_tokens(l, c));
    TW_TRY(tw_timer_deploy(c));
    TW_TRY(first_members(l, c, tx));
    return tw_contract_save_control(c);
}

static tw_status run_deploy(tw_ledger *l, const tw_tx *tx, tw_contract *c, tw_run *run)
{
    const uint16_t entry = tw_module_entry(c->code->module, TW_ENTRY_DEPLOY, NULL);
    const tw_call call = {.entry = entry,
                          .now = l->time,
                          .end = l->time,
                          .signers = tx->signers,
                          .signer_count = tx->signer_count,
                          .transaction = tx->id};
    tw_outcome outcome;
    TW_TRY(tw_exec_run(l->exec, c, &call, &outcome));
    TW_TRY(tw_node_run_of(l, c, entry, &outcome, run));
    return run->status == TW_OK ? establish(l, c, tx) : run->status;
}

/* Gas of a deploy beside its entry and the look at the module: the records it reads and writes, the
 * keys of its timers, and of those that each first member of a role sets anew. */
static uint64_t deploy_gas(const tw_tx *tx, const tw_code *code)
{
    const tw_module *m = code->module;
    const uint64_t monies = m->money_count;
    const uint64_t slots = code->param_slots + (uint64_t)m->deployed_count + 4 * monies;
    uint64_t gas =
        tw_cost_write(4 + (uint64_t)m->timer_count + monies,
                      tx->module.size + tw_size_control(m) + 8 * slots + monies * ASSET_SIZE_MAX) +
        tw_cost_read(tx->currency_count, tx->currency_count * ASSET_SIZE_MAX);
    for (uint16_t i = 0; i < tx->role_count && i < m->role_count; i++) {
        const uint64_t members = tx->roles[i].count;
        gas += tw_cost_write(members * (3 + 2 * (uint64_t)m->by_role[i].silent_timers),
                             members * tw_size_device(m));
    }
    return gas;
}

static tw_status do_deploy(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err)
{
    const tw_code *code = NULL;
    const tw_hash hash = tw_module_hash(tx->module);
    const tw_status loaded = tw_node_code(l, &hash, &tx->module, &code, err);
    if (tw_status_is_host_failure(loaded)) return loaded;
    run->status = TW_TX_BAD_MODULE;
    run->gas += tx->module.size * (uint64_t)TW_GAS_VERIFY_BYTE;
    if (loaded != TW_OK) return TW_OK;
    run->gas += deploy_gas(tx, code);
    run->status = TW_TX_BAD_DEPLOY;
    if (!roles_fit(l, code->module, tx) || !tw_node_bounds_fit(l, code)) return TW_OK;
    const tw_hash id = tw_tx_contract_id(tx);
    tw_contract *c = NULL;
    TW_TRY(tw_contract_new(&id, code, l->overlay, l->arena, &c));
    c->deployer = tx->signers[0];
    c->deployed_at = l->time;
    c->control.phase_since = l->time;
    run->status = bind_monies(l, c, tx);
    if (run->status == TW_OK) run->status = set_params(c, tx, run);
    if (tw_status_is_host_failure(run->status)) return run->status;
    if (run->status != TW_OK) return TW_OK;
    run->contract = id;
    run->status = run_deploy(l, tx, c, run);
    return tw_status_is_host_failure(run->status) ? run->status : TW_OK;
}

/* ---- all kinds ---- */

static tw_status do_kind(tw_ledger *l, const tw_tx *tx, tw_receipt *receipt, tw_err *err)
{
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_DEPLOY: return do_deploy(l, tx, &receipt->run, err);
    case TW_TX_CALL: return do_call(l, tx, &receipt->run, err);
    case TW_TX_PACK: return do_pack(l, tx, receipt, err);
    case TW_TX_UPGRADE: return tw_node_upgrade(l, tx, &receipt->run, err);
    case TW_TX_TRANSFER: return tw_node_transfer(l, tx, &receipt->run);
    case TW_TX_TICK: return tw_node_tick(l, tx, receipt, err);
    case TW_TX_FUEL: return tw_node_fuel(l, tx, &receipt->run, err);
    }
    return TW_ERR_INTERNAL;
}

tw_status tw_node_execute(tw_ledger *l, const tw_tx *tx, tw_receipt *ret_receipt, tw_err *err)
{
    *ret_receipt = (tw_receipt){.kind = TW_RECEIPT_TX, .transaction = tx->id};
    tw_run *run = &ret_receipt->run;
    run->entry = TW_NONE;
    tw_savepoint before;
    TW_TRY(tw_overlay_mark(l->overlay, &before));
    const tw_status status = do_kind(l, tx, ret_receipt, err);
    run->gas += tw_node_gas_base(tx);
    if (status != TW_OK || run->status != TW_OK) {
        tw_overlay_undo(l->overlay, before);
        run->writes = 0;
        run->notices.size = 0;
        return status;
    }
    run->writes = (uint32_t)tw_overlay_writes(l->overlay, before);
    tw_overlay_keep(l->overlay, before);
    return TW_OK;
}

static tw_status call_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    tw_contract *c = NULL;
    bool found = false;
    *ret_gas = 0;
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    if (!found) return TW_OK;
    const uint16_t entry = find_action(c->code->module, tx->entry);
    if (entry != TW_NONE) *ret_gas = c->code->facts->entries[entry].gas;
    return TW_OK;
}

static tw_status deploy_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    const tw_code *code = NULL;
    const tw_hash hash = tw_module_hash(tx->module);
    const tw_status loaded = tw_node_code(l, &hash, &tx->module, &code, err);
    if (tw_status_is_host_failure(loaded)) return loaded;
    *ret_gas = tx->module.size * (uint64_t)TW_GAS_VERIFY_BYTE;
    if (loaded != TW_OK) return TW_OK;
    *ret_gas += deploy_gas(tx, code);
    const uint16_t entry = tw_module_entry(code->module, TW_ENTRY_DEPLOY, NULL);
    *ret_gas = tw_cost_add(*ret_gas, code->facts->entries[entry].gas);
    return TW_OK;
}

/* The most that a reading of this field costs, whichever role the device holds. */
static uint64_t field_gas(const tw_code *code, tw_bytes field)
{
    uint64_t most = TW_GAS_INTAKE;
    for (uint16_t i = 0; i < code->module->reading_count; i++) {
        const char *name = code->module->readings[i].field;
        const uint64_t gas = code->facts->intake_gas[i];
        if (gas > most && tw_bytes_equal(field, tw_bytes_of(name, strlen(name)))) most = gas;
    }
    return most;
}

static tw_status pack_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    tw_pack pack;
    TW_TRY(tw_node_pack(l, tx, &pack));
    tw_contract *c = NULL;
    bool found = false;
    TW_TRY(tw_node_contract(l, &pack.contract, &c, &found, err));
    *ret_gas = TW_GAS_PACK;
    if (!found) return TW_OK;
    uint64_t gas[TW_PACK_FIELDS_MAX];
    for (uint8_t i = 0; i < pack.field_count; i++) gas[i] = field_gas(c->code, pack.fields[i]);
    *ret_gas = c->code->facts->pack.gas;
    for (uint16_t i = 0; i < pack.item_count; i++) {
        *ret_gas = tw_cost_add(*ret_gas, gas[pack.items[i].field]);
    }
    return TW_OK;
}

/* Beside signatures and bytes. */
static tw_status kind_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_DEPLOY: return deploy_bound(l, tx, ret_gas, err);
    case TW_TX_CALL: return call_bound(l, tx, ret_gas, err);
    case TW_TX_PACK: return pack_bound(l, tx, ret_gas, err);
    case TW_TX_UPGRADE: return tw_node_upgrade_bound(l, tx, ret_gas, err);
    case TW_TX_TRANSFER: *ret_gas = tw_node_transfer_bound(); return TW_OK;
    case TW_TX_TICK: return tw_node_tick_bound(l, tx, ret_gas, err);
    case TW_TX_FUEL: return tw_node_fuel_bound(l, tx, ret_gas, err);
    }
    return TW_ERR_INTERNAL;
}

tw_status tw_node_gas_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    uint64_t own = 0;
    TW_TRY(kind_bound(l, tx, &own, err));
    *ret_gas = tw_cost_add(own, tw_node_gas_base(tx));
    return TW_OK;
}
