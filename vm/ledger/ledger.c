/* ledger -- opening, code cache, and questions about the committed state.
 *
 * Between blocks the overlay is empty and serves as a cache for reading; a block that begins clears
 * it.
 */
#include "vm/ledger/node.h"

#include "vm/isa/value.h"

#include <assert.h>
#include <string.h>

/* The snapshot that the ledger was made from has left the header of its block alone. */
static tw_status load_base(tw_ledger *l)
{
    tw_iter *iter = NULL;
    tw_bytes key = {NULL, 0};
    tw_bytes record = {NULL, 0};
    l->base = 0;
    TW_TRY(tw_iter_open(l->store, TW_TABLE_BLOCK, tw_bytes_of(NULL, 0), &iter));
    const tw_status status = tw_iter_first(iter);
    if (status == TW_OK && tw_iter_here(iter, &key, &record) && key.size == 8 &&
        record.size == TW_HEADER_SIZE) {
        l->base = tw_load_u64(key.data);
    }
    tw_iter_close(iter);
    return status;
}

static tw_status load_head(tw_ledger *l, tw_err *err)
{
    const tw_head *head = tw_commit_head(l->commit);
    if (!head->exists) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "there is no ledger here; make one with init");
    }
    tw_reader r = tw_reader_of(head->extra);
    TW_TRY(tw_node_read_header(&r, &l->head));
    if (!tw_reader_done(&r) || l->head.height != head->height) {
        return tw_err_set(err, TW_ERR_CORRUPT,
                          "the head record of the ledger is damaged; " TW_HEAD_REMEDY);
    }
    const tw_status status = load_base(l);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the blocks of the ledger cannot be read (%s); %s",
                          tw_store_failure(l->store), TW_HEAD_REMEDY);
    }
    tw_overlay_clear(l->overlay, tw_load_u64(l->head.state_root.bytes));
    return tw_node_load_genesis(l, err);
}

tw_status tw_node_new(tw_store *store, const tw_ledger_options *options, tw_ledger **ret_ledger,
                      tw_err *err)
{
    tw_ledger *l = tw_mem_new(sizeof *l);
    if (l == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the ledger");
    l->store = store;
    if (options != NULL) l->options = *options;
    l->overlay = tw_overlay_new(store, tw_ledger_overlay_max);
    l->engine = l->options.engine != NULL ? l->options.engine : tw_engine_new(0);
    l->exec = tw_exec_new();
    l->known = tw_known_new();
    l->arena = tw_arena_new(TW_LEDGER_ARENA_MAX);
    l->genesis_arena = tw_arena_new(TW_LEDGER_ARENA_MAX);
    l->transactions = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->receipts = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->receipt = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->leaves = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->ids = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->record = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    l->answer = tw_writer_new(TW_LEDGER_MEMORY_MAX);
    if (l->overlay != NULL && l->engine != NULL && l->exec != NULL && l->known != NULL &&
        l->arena != NULL && l->genesis_arena != NULL) {
        *ret_ledger = l;
        return TW_OK;
    }
    tw_ledger_close(l);
    return tw_err_set(err, TW_ERR_MEMORY, "no memory for the ledger");
}

static tw_status start_threads(tw_ledger *l, tw_err *err)
{
    if (l->options.threads <= 1) return TW_OK;
    l->crew = tw_crew_new(l->options.threads - 1);
    if (l->crew != NULL) l->ahead = tw_ahead_new(l->crew, &l->chain, l->known);
    l->clerk = tw_crew_new(1);
    l->spare = tw_overlay_new(l->store, tw_ledger_overlay_max);
    tw_commit_use(l->commit, l->crew);
    return l->ahead != NULL && l->clerk != NULL && l->spare != NULL
               ? TW_OK
               : tw_err_set(err, TW_ERR_MEMORY, "no memory for threads");
}

tw_status tw_ledger_open(tw_store *store, const tw_ledger_options *options, tw_ledger **ret_ledger,
                         tw_err *err)
{
    tw_ledger *l = NULL;
    TW_TRY(tw_node_new(store, options, &l, err));
    tw_status status = tw_commit_open(store, TW_LEDGER_MEMORY_MAX, &l->commit, err);
    if (status == TW_OK) status = load_head(l, err);
    if (status == TW_OK) status = start_threads(l, err);
    if (status == TW_OK) {
        *ret_ledger = l;
    } else {
        tw_ledger_close(l);
    }
    return status;
}

tw_status tw_ledger_reload(tw_ledger *l, tw_err *err)
{
    assert(l->commit != NULL);
    TW_TRY(tw_ledger_settle(l, err));
    tw_block_abort(l); /* before the chain's id is read again: jobs ahead look at it */
    tw_commit *commit = NULL;
    TW_TRY(tw_commit_open(l->store, TW_LEDGER_MEMORY_MAX, &commit, err));
    tw_commit_close(l->commit);
    l->commit = commit;
    tw_commit_use(l->commit, l->crew);
    return load_head(l, err);
}

void tw_ledger_close(tw_ledger *l)
{
    if (l == NULL) return;
    tw_node_wait(l);
    tw_ahead_free(l->ahead);
    tw_crew_free(l->crew);
    tw_crew_free(l->clerk);
    tw_commit_close(l->commit);
    tw_overlay_free(l->overlay);
    tw_overlay_free(l->spare);
    tw_exec_free(l->exec);
    tw_known_free(l->known);
    tw_arena_free(l->arena);
    tw_arena_free(l->genesis_arena);
    tw_writer_free(&l->transactions);
    tw_writer_free(&l->receipts);
    tw_writer_free(&l->receipt);
    tw_writer_free(&l->leaves);
    tw_writer_free(&l->ids);
    tw_writer_free(&l->record);
    tw_writer_free(&l->answer);
    for (int i = 0; i < TW_LEDGER_CODES_MAX; i++) tw_engine_release(l->engine, l->codes[i]);
    if (l->options.engine == NULL) tw_engine_free(l->engine);
    if (l->owns_store) tw_store_close(l->store);
    tw_mem_free(l);
}

const tw_hash *tw_ledger_chain(const tw_ledger *l)
{
    return &l->chain;
}

const tw_genesis *tw_ledger_genesis(const tw_ledger *l)
{
    return &l->genesis;
}

uint64_t tw_ledger_base(const tw_ledger *l)
{
    return l->base;
}

const tw_block_info *tw_ledger_head(const tw_ledger *l)
{
    return &l->head;
}

const tw_ledger_times *tw_ledger_times_spent(const tw_ledger *l)
{
    return &l->times;
}

uint64_t tw_node_clock(const tw_ledger *l)
{
    return l->options.clock_ns != NULL ? l->options.clock_ns() : 0;
}

bool tw_node_trusts(const tw_ledger *l)
{
    return l->options.unsigned_ok && l->options.no_sync;
}

/* ---- code ---- */

/* The codes looked up last are held; the one looked up first makes room. Contracts that use it live
 * in ledger->arena, which is cleared before the next look-up can take it away. */
static void hold_code(tw_ledger *l, const tw_code *code)
{
    if (l->codes[l->code_next] == l->in_use && l->in_use != NULL) {
        l->code_next = (l->code_next + 1) % TW_LEDGER_CODES_MAX;
    }
    tw_engine_release(l->engine, l->codes[l->code_next]);
    l->codes[l->code_next] = code;
    l->code_next = (l->code_next + 1) % TW_LEDGER_CODES_MAX;
}

static tw_status stored_module(tw_ledger *l, const tw_hash *hash, tw_bytes *ret_module, tw_err *err)
{
    tw_key key = tw_key_start(TW_SPACE_CODE);
    tw_key_raw(&key, hash->bytes, TW_HASH_SIZE);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_read(l->overlay, tw_key_bytes(&key), l->arena, &value, &found));
    if (!found || value.size < 2) {
        return tw_err_set(err, TW_ERR_CORRUPT, "the state has lost the code of a contract");
    }
    *ret_module = tw_bytes_of(value.data + 1, value.size - 1);
    const tw_hash is = tw_module_hash(*ret_module);
    if (tw_hash_equal(&is, hash)) return TW_OK;
    return tw_err_set(err, TW_ERR_CORRUPT, "the state has another code than that of a contract");
}

tw_status tw_node_code(tw_ledger *l, const tw_hash *hash, const tw_bytes *module,
                       const tw_code **ret_code, tw_err *err)
{
    for (int i = 0; i < TW_LEDGER_CODES_MAX; i++) {
        if (l->codes[i] == NULL || !tw_hash_equal(&l->codes[i]->hash, hash)) continue;
        *ret_code = l->codes[i];
        return TW_OK;
    }
    const tw_engine_key key = {*hash, TW_SEMANTICS, TW_GAS_SCHEDULE};
    const tw_code *code = NULL;
    tw_engine_find(l->engine, &key, &code);
    if (code == NULL) {
        tw_bytes bytes = module != NULL ? *module : (tw_bytes){NULL, 0};
        const tw_mark before = tw_arena_mark(l->arena);
        if (module == NULL) TW_TRY(stored_module(l, hash, &bytes, err));
        TW_TRY(tw_engine_get(l->engine, &key, bytes, &code, err));
        tw_arena_reset(l->arena, before); /* the engine has its own bytes */
    }
    hold_code(l, code);
    *ret_code = code;
    return TW_OK;
}

tw_status tw_ledger_code(tw_ledger *l, const tw_hash *hash, const tw_code **ret_code, tw_err *err)
{
    return tw_node_code(l, hash, NULL, ret_code, err);
}

/* ---- contracts ---- */

/* The records of a contract; no deploy or upgrade has left times there that can't be added up, or a
 * delay of 0, which `every` divides by. */
static tw_status loaded(tw_contract *c)
{
    const int64_t never = (int64_t)1 << TW_RANGE_BITS;
    TW_TRY(tw_contract_load(c));
    const bool times = c->deployed_at >= 0 && c->deployed_at < never &&
                       c->control.phase_since >= 0 && c->control.phase_since < never;
    return times && tw_node_delays_fit(c) ? TW_OK : TW_ERR_CORRUPT;
}

static tw_status contract_in(tw_ledger *l, const tw_hash *id, const tw_code *code, tw_arena *arena,
                             tw_contract **ret_contract, bool *ret_found, tw_err *err)
{
    tw_hash hash;
    TW_TRY(tw_contract_find(l->overlay, id, &hash, ret_found));
    if (!*ret_found) return TW_OK;
    if (code == NULL) TW_TRY(tw_ledger_code(l, &hash, &code, err));
    TW_TRY(tw_contract_new(id, code, l->overlay, arena, ret_contract));
    return loaded(*ret_contract);
}

tw_status tw_node_contract(tw_ledger *l, const tw_hash *id, tw_contract **ret_contract,
                           bool *ret_found, tw_err *err)
{
    return contract_in(l, id, NULL, l->arena, ret_contract, ret_found, err);
}

tw_status tw_ledger_contract(tw_ledger *l, const tw_hash *id, tw_arena *arena,
                             tw_contract **ret_contract, tw_err *err)
{
    bool found = false;
    TW_TRY(contract_in(l, id, NULL, arena, ret_contract, &found, err));
    return found ? TW_OK : tw_err_set(err, TW_REFUSED_NOT_FOUND, "no contract has this id");
}

/* The next id under a space whose keys are ids. */
static tw_status next_id(tw_ledger *l, tw_space space, const tw_hash *after, tw_hash *ret_id,
                         bool *ret_found)
{
    const tw_key prefix = tw_key_start(space);
    tw_key from = prefix;
    if (after != NULL) {
        from = tw_key_of(space, after);
        tw_key_u8(&from, 0);
    }
    tw_bytes key;
    tw_bytes value;
    TW_TRY(tw_overlay_next(l->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key, &value,
                           ret_found));
    if (!*ret_found) return TW_OK;
    if (key.size != 1 + TW_HASH_SIZE) return TW_ERR_CORRUPT;
    memcpy(ret_id->bytes, key.data + 1, TW_HASH_SIZE);
    return TW_OK;
}

tw_status tw_ledger_next_contract(tw_ledger *l, const tw_hash *after, tw_hash *ret_id,
                                  bool *ret_found)
{
    return next_id(l, TW_SPACE_CONTRACT, after, ret_id, ret_found);
}

tw_status tw_ledger_nonce(tw_ledger *l, const tw_account *account, uint64_t *ret_next)
{
    tw_key key = tw_key_start(TW_SPACE_NONCE);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(l->overlay, tw_key_bytes(&key), &value, &found));
    if (found && value.size != 9) return TW_ERR_CORRUPT;
    *ret_next = found ? tw_load_u64(value.data + 1) : 0;
    return TW_OK;
}

tw_status tw_ledger_asset(tw_ledger *l, const tw_hash *id, tw_asset *ret_asset, bool *ret_found)
{
    return tw_bank_asset(l->overlay, id, ret_asset, ret_found);
}

tw_status tw_ledger_balance(tw_ledger *l, const tw_hash *asset, const tw_account *account,
                            int64_t *ret_amount)
{
    const tw_key key = tw_bank_balance_key(asset, account);
    return tw_bank_amount(l->overlay, &key, ret_amount);
}

tw_status tw_ledger_next_asset(tw_ledger *l, const tw_hash *after, tw_hash *ret_id, bool *ret_found)
{
    return next_id(l, TW_SPACE_ASSET, after, ret_id, ret_found);
}

tw_status tw_ledger_next_balance(tw_ledger *l, const tw_hash *asset, const tw_account *after,
                                 tw_account *ret_account, bool *ret_found)
{
    const tw_key prefix = tw_key_of(TW_SPACE_BALANCE, asset);
    tw_key from = prefix;
    if (after != NULL) {
        from = tw_bank_balance_key(asset, after);
        tw_key_u8(&from, 0);
    }
    tw_bytes key;
    tw_bytes value;
    TW_TRY(tw_overlay_next(l->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key, &value,
                           ret_found));
    if (!*ret_found) return TW_OK;
    if (key.size != prefix.size + sizeof ret_account->bytes) return TW_ERR_CORRUPT;
    memcpy(ret_account->bytes, key.data + prefix.size, sizeof ret_account->bytes);
    return TW_OK;
}

tw_status tw_ledger_view(tw_ledger *l, const tw_hash *id, const tw_code *code, uint16_t entry,
                         tw_bytes arguments, int64_t now, tw_outcome *ret_outcome, tw_err *err)
{
    assert(!l->open);
    tw_contract *c = NULL;
    bool found = false;
    if (now < 0 || now >= (int64_t)1 << TW_RANGE_BITS) {
        return tw_err_set(err, TW_REFUSED_TIME, "no block can have this time");
    }
    tw_arena_clear(l->arena);
    TW_TRY(contract_in(l, id, code, l->arena, &c, &found, err));
    if (!found) return tw_err_set(err, TW_REFUSED_NOT_FOUND, "no contract has this id");
    const tw_module *m = c->code->module;
    if (entry >= m->entry_count || m->entries[entry].kind != TW_ENTRY_VIEW) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s has no such view", m->name);
    }
    const tw_entry *e = &m->entries[entry];
    int64_t *slots = TW_NEW_ARRAY(l->arena, int64_t, e->members.slots);
    if (slots == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the view");
    tw_reader r = tw_reader_of(arguments);
    if (tw_members_decode(m, &e->members, &r, slots) != TW_OK || !tw_reader_done(&r)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the arguments do not fit view %s", e->name);
    }
    const tw_call call = {.entry = entry, .now = now, .end = now, .arguments = slots};
    return tw_exec_run(l->exec, c, &call, ret_outcome);
}

tw_status tw_ledger_gas_bound(tw_ledger *l, const tw_tx *tx, size_t size, uint64_t *ret_gas,
                              tw_err *err)
{
    assert(!l->open);
    tw_tx sized = *tx;
    sized.size = size;
    tw_arena_clear(l->arena);
    return tw_node_gas_bound(l, &sized, ret_gas, err);
}
