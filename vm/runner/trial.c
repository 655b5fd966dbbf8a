/* trial -- the ledger of a test: accounts from seeds, deploy, blocks, what is counted on the way.
 */
#include "vm/runner/trial_parts.h"

#include "vm/exec/device.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t start_ms = 1767225600000; /* 2026-01-01T00:00:00Z */
static const char carrier_name[] = "\x01"
                                   "carrier"; /* no account of a test can have this name */

enum { STORE_MAX = 512 * 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024, BLOCKS_DUE_MAX = 1000000 };

void tw_trial_fail(tw_trial *t, uint32_t line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (t->report->passed) t->report->line = line;
    t->report->passed = false;
    if (t->report->text.size > 0) tw_write_u8(&t->report->text, '\n');
    tw_write_raw(&t->report->text, text, strlen(text));
}

/* ---- accounts ---- */

static const tw_trial_account *account_of(tw_trial *t, const char *label, const char *seed)
{
    for (uint32_t i = 0; i < t->account_count; i++) {
        if (strcmp(t->accounts[i].label, label) == 0) return &t->accounts[i];
    }
    if (t->account_count == TW_TRIAL_ACCOUNTS_MAX) return NULL;
    tw_trial_account *made = &t->accounts[t->account_count];
    snprintf(made->label, sizeof made->label, "%s", label);
    tw_secret_from_seed(seed, &made->secret);
    if (!tw_secret_account(&made->secret, &made->account)) return NULL;
    t->account_count++;
    return made;
}

/* Who deploys and carries packs; it is none of the test's accounts. */
static const tw_trial_account *carrier_of(tw_trial *t)
{
    const tw_trial_account *made = account_of(t, carrier_name, "twvm test carrier");
    if (made != NULL) t->accounts[made - t->accounts].is_carrier = true;
    return made;
}

const tw_trial_account *tw_trial_member(tw_trial *t, uint16_t role, uint32_t number)
{
    const tw_role *r = &t->code->module->roles[role];
    char label[96];
    char seed[160];
    if (r->max == 1) {
        snprintf(label, sizeof label, "%s", r->name);
    } else {
        snprintf(label, sizeof label, "%s %u", r->name, number);
    }
    snprintf(seed, sizeof seed, "twvm test role %s %u", r->name, number);
    return account_of(t, label, seed);
}

const tw_trial_account *tw_trial_named(tw_trial *t, const char *name)
{
    char label[96];
    char seed[160];
    snprintf(label, sizeof label, "account \"%.64s\"", name);
    snprintf(seed, sizeof seed, "twvm test account %.96s", name);
    return account_of(t, label, seed);
}

/* ---- blocks ---- */

static void count_run(tw_trial *t, const tw_run *run)
{
    if (!tw_hash_equal(&run->contract, &t->contract)) return;
    tw_reader r = tw_reader_of(run->notices);
    tw_notice_view notice;
    while (tw_notice_read(&r, &notice)) {
        if (notice.kind == TW_NOTICE_EVENT) t->events[notice.index]++;
        const bool minted = notice.kind == TW_NOTICE_MONEY && notice.transfer == TW_TRANSFER_MINT;
        if (minted) t->minted[notice.index] += notice.amount;
    }
    if (run->entry == TW_NONE || t->report->gas == NULL) return;
    tw_trial_gas *gas = &t->report->gas[run->entry];
    gas->runs++;
    if (run->gas > gas->gas_max) gas->gas_max = run->gas;
}

static void note_failed_run(tw_trial *t, const char *what, const tw_run *run)
{
    if (run->status == TW_OK) return;
    const tw_module *m = t->code->module;
    const char *why = run->status == TW_FAIL_ERROR       ? m->errors[run->index].name
                      : run->status == TW_FAIL_INVARIANT ? m->invariants[run->index].name
                                                         : tw_status_text(run->status);
    if (t->counts) {
        tw_trial_failures *failures = &t->report->found.failures[run->entry];
        if (failures->count++ == 0) snprintf(failures->why, sizeof failures->why, "%s", why);
    }
    if (t->report->text.size > TW_TRIAL_TEXT_MAX / 2) return;
    if (t->report->text.size > 0) tw_write_u8(&t->report->text, '\n');
    char text[256];
    snprintf(text, sizeof text, "note: %s %s failed: %s", what, m->entries[run->entry].name, why);
    tw_write_raw(&t->report->text, text, strlen(text));
}

/* Counts what the block did, its timers and handlers included. */
static tw_status count_block(tw_trial *t, uint64_t height, uint64_t base_gas)
{
    tw_block block;
    const tw_mark mark = tw_arena_mark(t->arena);
    TW_TRY(tw_ledger_block(t->ledger, height, t->arena, &block, t->err));
    for (uint32_t i = 0; i < block.receipt_count; i++) {
        tw_receipt *receipt = &block.receipts[i];
        if (receipt->kind == TW_RECEIPT_TX) {
            /* the entry's own gas: without signatures and bytes */
            if (receipt->run.entry != TW_NONE) receipt->run.gas -= base_gas;
            t->report->readings += receipt->intake.accepted;
        } else {
            note_failed_run(t, receipt->kind == TW_RECEIPT_TIMER ? "timer" : "handler",
                            &receipt->run);
        }
        count_run(t, &receipt->run);
        for (uint16_t k = 0; k < receipt->handler_count; k++) {
            count_run(t, &receipt->handlers[k]);
            note_failed_run(t, "handler", &receipt->handlers[k]);
        }
        const tw_run *run = &receipt->run;
        const bool called = receipt->kind == TW_RECEIPT_TX && run->entry != TW_NONE;
        if (called && run->status == TW_OK) t->gas_last[run->entry] = run->gas;
    }
    tw_arena_reset(t->arena, mark);
    return TW_OK;
}

static tw_status fill_block(tw_trial *t, const tw_bytes *transactions, uint32_t count,
                            tw_trial_outcome *outcome, uint64_t *base_gas)
{
    for (uint32_t i = 0; i < count; i++) {
        tw_receipt receipt;
        tw_tx tx;
        TW_TRY(tw_tx_decode(transactions[i], t->arena, &tx));
        *base_gas = TW_GAS_TX + tx.signer_count * (uint64_t)TW_GAS_SIGNATURE +
                    transactions[i].size * (uint64_t)TW_GAS_TX_BYTE;
        TW_TRY(tw_block_add(t->ledger, transactions[i], &receipt, t->err));
        if (outcome->status == TW_OK) {
            *outcome = (tw_trial_outcome){receipt.run.status, receipt.run.index};
        }
        if (tw_hash_is_zero(&t->contract)) t->contract = receipt.run.contract;
    }
    return TW_OK;
}

tw_status tw_trial_close_block(tw_trial *t, uint64_t base_gas)
{
    tw_block_info info;
    TW_TRY(tw_block_commit(t->ledger, &info, t->err));
    tw_hash *history = &t->report->history;
    const tw_bytes parts[2] = {{history->bytes, TW_HASH_SIZE}, {info.hash.bytes, TW_HASH_SIZE}};
    *history = tw_sha256_parts(parts, 2);
    t->report->blocks++;
    return count_block(t, info.height, base_gas);
}

tw_status tw_trial_block(tw_trial *t, const tw_bytes *transactions, uint32_t count,
                         tw_trial_outcome *ret_outcome)
{
    tw_trial_outcome outcome = {TW_OK, 0};
    uint64_t base_gas = 0;
    const uint64_t blocks_max = t->options->blocks_max;
    if (blocks_max > 0 && t->report->blocks >= blocks_max) {
        return tw_err_set(t->err, TW_REFUSED_LIMIT, "the test takes more than %llu blocks",
                          (unsigned long long)blocks_max);
    }
    TW_TRY(tw_block_begin(t->ledger, t->now, t->err));
    const tw_status status = fill_block(t, transactions, count, &outcome, &base_gas);
    if (status != TW_OK) {
        tw_block_abort(t->ledger);
        return status;
    }
    if (ret_outcome != NULL) *ret_outcome = outcome;
    return tw_trial_close_block(t, base_gas);
}

tw_status tw_trial_advance(tw_trial *t, int64_t time)
{
    for (uint32_t i = 0; i < BLOCKS_DUE_MAX; i++) {
        int64_t due = 0;
        bool found = false;
        TW_TRY(tw_ledger_next_due(t->ledger, &due, &found));
        if (!found || due >= time) {
            t->now = time;
            return TW_OK;
        }
        if (due > t->now) t->now = due;
        TW_TRY(tw_trial_block(t, NULL, 0, NULL));
    }
    return tw_err_set(t->err, TW_REFUSED_LIMIT, "more than %d timers fall due in one step",
                      BLOCKS_DUE_MAX);
}

/* ---- transactions ---- */

static tw_status keep_bytes(tw_trial *t, tw_bytes *ret_bytes)
{
    const char *copy = tw_arena_copy(t->arena, t->transaction.data, t->transaction.size);
    if (copy == NULL) return TW_ERR_MEMORY;
    *ret_bytes = tw_bytes_of(copy, t->transaction.size);
    return TW_OK;
}

/* Gas is not what a test is about: the limit is as high as it goes, and what was used is reported.
 */
static tw_status sign_tx(tw_trial *t, tw_tx *tx, const tw_trial_account *const *signers,
                         uint32_t count, uint64_t nonce_ahead, tw_bytes *ret_bytes)
{
    tw_secret secrets[TW_TX_SIGNERS_MAX];
    assert(count >= 1 && count <= TW_TX_SIGNERS_MAX);
    const tw_trial_account *sorted[TW_TX_SIGNERS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i;
        for (; at > 1 && tw_account_compare(&sorted[at - 1]->account, &signers[i]->account) > 0;
             at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = signers[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        tx->signers[i] = sorted[i]->account;
        secrets[i] = sorted[i]->secret;
    }
    tx->signer_count = (uint8_t)count;
    tx->chain = *tw_ledger_chain(t->ledger);
    tx->gas_limit = UINT64_MAX;
    TW_TRY(tw_ledger_nonce(t->ledger, &tx->signers[0], &tx->nonce));
    tx->nonce += nonce_ahead;
    tw_hash id;
    tw_writer_clear(&t->transaction);
    TW_TRY(tw_tx_encode(tx, t->trusts ? NULL : secrets, &t->transaction, &id));
    return keep_bytes(t, ret_bytes);
}

tw_status tw_trial_sign_call(tw_trial *t, const tw_trial_account *const *signers,
                             uint32_t signer_count, uint16_t entry, tw_bytes arguments,
                             tw_bytes *ret_transaction)
{
    const char *name = t->code->module->entries[entry].name;
    tw_tx tx = {.kind = TW_TX_CALL,
                .contract = t->contract,
                .entry = tw_bytes_of(name, strlen(name)),
                .arguments = arguments};
    TW_TRY(tw_trial_endow(t));
    TW_TRY(tw_trial_spends(t, &tx));
    return sign_tx(t, &tx, signers, signer_count, 0, ret_transaction);
}

/* Grant and sequence as the ledger has them; zeros for a device that holds no role. */
static tw_status device_numbers(tw_trial *t, const tw_account *device, tw_pack *pack)
{
    tw_contract *contract = NULL;
    const uint8_t *record = NULL;
    bool found = false;
    TW_TRY(tw_ledger_contract(t->ledger, &t->contract, t->arena, &contract, t->err));
    TW_TRY(tw_device_get(contract, device, &record, &found));
    pack->sequence = 1;
    if (!found) return TW_OK;
    pack->grant = tw_load_u64(record + TW_DEVICE_GRANT);
    pack->sequence = tw_load_u64(record + TW_DEVICE_SEQUENCE) + 1;
    return TW_OK;
}

tw_status tw_trial_sign_pack(tw_trial *t, const tw_trial_account *device, const tw_bytes *fields,
                             tw_pack_item *items, uint32_t count, tw_bytes *ret_pack)
{
    tw_pack pack = {.contract = t->contract, .device = device->account, .items = items};
    assert(count <= TW_PACK_FIELDS_MAX);
    TW_TRY(device_numbers(t, &device->account, &pack));
    for (uint32_t i = 0; i < count; i++) {
        pack.fields[i] = fields[i];
        items[i].field = (uint8_t)i;
    }
    pack.field_count = (uint8_t)count;
    pack.item_count = (uint16_t)count;
    tw_writer_clear(&t->packed);
    const tw_secret *secret = t->trusts ? NULL : &device->secret;
    TW_TRY(tw_pack_encode(&pack, tw_ledger_chain(t->ledger), secret, &t->packed));
    const char *copy = tw_arena_copy(t->arena, t->packed.data, t->packed.size);
    if (copy == NULL) return TW_ERR_MEMORY;
    *ret_pack = tw_bytes_of(copy, t->packed.size);
    return TW_OK;
}

tw_status tw_trial_carry(tw_trial *t, tw_bytes pack, uint64_t nonce_ahead,
                         tw_bytes *ret_transaction)
{
    tw_tx tx = {.kind = TW_TX_PACK, .pack = pack};
    const tw_trial_account *carrier = carrier_of(t);
    if (carrier == NULL) return TW_REFUSED_LIMIT;
    return sign_tx(t, &tx, &carrier, 1, nonce_ahead, ret_transaction);
}

/* ---- the start ---- */

/* Each role's accounts, as many as its max but at most 8; none for a role of several that the
 * contract fills itself. */
static tw_status first_members(tw_trial *t, tw_tx *tx)
{
    const tw_module *m = t->code->module;
    tx->role_count = m->role_count;
    tx->roles = TW_NEW_ARRAY(t->arena, tw_tx_role, m->role_count);
    if (tx->roles == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < m->role_count; i++) {
        const tw_role *role = &m->roles[i];
        const bool empty = role->max > 1 && (role->flags & TW_ROLE_GRANTED) != 0;
        const uint32_t exist = role->max < TW_TRIAL_MEMBERS_MAX ? role->max : TW_TRIAL_MEMBERS_MAX;
        tw_account *members = TW_NEW_ARRAY(t->arena, tw_account, exist);
        if (members == NULL) return TW_ERR_MEMORY;
        for (uint32_t k = 0; k < exist; k++) {
            const tw_trial_account *made = tw_trial_member(t, i, k + 1);
            if (made == NULL) return TW_REFUSED_LIMIT;
            uint32_t at = k;
            for (; at > 0 && tw_account_compare(&members[at - 1], &made->account) > 0; at--) {
                members[at] = members[at - 1];
            }
            members[at] = made->account;
        }
        tx->roles[i] = (tw_tx_role){members, empty ? 0 : (uint16_t)exist};
    }
    return TW_OK;
}

static tw_status deploy(tw_trial *t)
{
    tw_tx tx = {.kind = TW_TX_DEPLOY, .module = t->code->bytes};
    tw_trial_outcome outcome;
    tw_bytes bytes;
    const tw_trial_account *carrier = carrier_of(t);
    if (carrier == NULL) return TW_REFUSED_LIMIT;
    TW_TRY(first_members(t, &tx));
    TW_TRY(tw_trial_bind(t, &tx));
    TW_TRY(sign_tx(t, &tx, &carrier, 1, 0, &bytes));
    TW_TRY(tw_trial_block(t, &bytes, 1, &outcome));
    if (outcome.status == TW_OK) return TW_OK;
    tw_trial_fail(t, 0, "the contract can't be deployed with its defaults: %s",
                  tw_status_text(outcome.status));
    return TW_OK;
}

static tw_status open_trial(tw_trial *t, const twc_unit *unit, const twc_test *test)
{
    tw_genesis genesis = {.name = "test", .time = start_ms};
    const tw_ledger_options options = {.no_sync = true};
    t->now = start_ms;
    t->arena = tw_arena_new(ARENA_MAX);
    if (t->arena == NULL) return TW_ERR_MEMORY;
    TW_TRY(tw_code_new(unit->module, NULL, &t->code, t->err));
    t->test_codes = TW_NEW_ARRAY(t->arena, tw_code *, test->module_count);
    if (t->test_codes == NULL) return TW_ERR_MEMORY;
    for (; t->test_code_count < test->module_count; t->test_code_count++) {
        TW_TRY(tw_code_new(test->modules[t->test_code_count], NULL,
                           &t->test_codes[t->test_code_count], t->err));
    }
    t->events = TW_NEW_ARRAY(t->arena, uint64_t, t->code->module->event_count);
    t->gas_last = TW_NEW_ARRAY(t->arena, uint64_t, t->code->module->entry_count);
    t->minted = TW_NEW_ARRAY(t->arena, int64_t, t->code->module->money_count);
    if (t->events == NULL || t->gas_last == NULL || t->minted == NULL) return TW_ERR_MEMORY;
    TW_TRY(tw_trial_assets(t, &genesis));
    TW_TRY(tw_store_open_memory(STORE_MAX, &t->store));
    TW_TRY(tw_ledger_create(t->store, &genesis, t->err));
    TW_TRY(tw_ledger_open(t->store, &options, &t->ledger, t->err));
    return deploy(t);
}

tw_status tw_trial_trust(tw_trial *t, bool trusts)
{
    const tw_ledger_options options = {.no_sync = true, .unsigned_ok = trusts};
    t->trusts = trusts;
    tw_ledger_close(t->ledger);
    t->ledger = NULL;
    return tw_ledger_open(t->store, &options, &t->ledger, t->err);
}

tw_status tw_trial_mark(tw_trial *t)
{
    const tw_module *m = t->code->module;
    t->start.now = t->now;
    t->start.events = TW_NEW_ARRAY(t->arena, uint64_t, m->event_count);
    t->start.gas_last = TW_NEW_ARRAY(t->arena, uint64_t, m->entry_count);
    t->start.minted = TW_NEW_ARRAY(t->arena, int64_t, m->money_count);
    if (t->start.events == NULL || t->start.gas_last == NULL || t->start.minted == NULL) {
        return TW_ERR_MEMORY;
    }
    memcpy(t->start.minted, t->minted, m->money_count * sizeof *t->minted);
    memcpy(t->start.events, t->events, m->event_count * sizeof *t->events);
    memcpy(t->start.gas_last, t->gas_last, m->entry_count * sizeof *t->gas_last);
    tw_store_memory_mark(t->store);
    return TW_OK;
}

tw_status tw_trial_back(tw_trial *t)
{
    const tw_module *m = t->code->module;
    t->now = t->start.now;
    memcpy(t->minted, t->start.minted, m->money_count * sizeof *t->minted);
    memcpy(t->events, t->start.events, m->event_count * sizeof *t->events);
    memcpy(t->gas_last, t->start.gas_last, m->entry_count * sizeof *t->gas_last);
    tw_store_memory_back(t->store);
    return tw_ledger_reload(t->ledger, t->err);
}

void tw_trial_report_free(tw_trial_report *report)
{
    tw_writer_free(&report->text);
    tw_writer_free(&report->found.block);
    tw_mem_free(report->found.calls);
    tw_mem_free(report->found.succeeded);
    tw_mem_free(report->found.failures);
    report->found.failures = NULL;
    report->found.calls = report->found.succeeded = NULL;
}

tw_status tw_trial_run(const twc_unit *unit, const twc_test *test, const tw_trial_options *options,
                       tw_trial_report *ret_report, tw_err *err)
{
    tw_trial *t = tw_mem_new(sizeof *t);
    if (t == NULL) return TW_ERR_MEMORY;
    t->report = ret_report;
    t->options = options;
    t->err = err;
    t->packed = tw_writer_new(TW_TX_SIZE_MAX);
    t->transaction = tw_writer_new(TW_TX_SIZE_MAX);
    ret_report->passed = true;
    ret_report->text = tw_writer_new(TW_TRIAL_TEXT_MAX);
    tw_status status = open_trial(t, unit, test);
    if (status == TW_OK && ret_report->passed) {
        status = tw_trial_endow_all(t, test->steps, test->step_count);
    }
    if (status == TW_OK && ret_report->passed) {
        status = test->fuzz != NULL ? tw_trial_fuzz(t, test)
                                    : tw_trial_steps(t, test->steps, test->step_count);
    }
    tw_ledger_close(t->ledger);
    tw_store_close(t->store);
    tw_code_free(t->code);
    for (uint32_t i = 0; i < t->test_code_count; i++) tw_code_free(t->test_codes[i]);
    tw_arena_free(t->arena);
    tw_mem_free(t->said);
    tw_writer_free(&t->packed);
    tw_writer_free(&t->transaction);
    tw_mem_free(t);
    return status;
}
