/* session -- see the header. */
#include "vm/runner/session.h"

#include "vm/runner/args.h"
#include "vm/runner/money.h"
#include "vm/runner/times.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SESSION_MEMORY_MAX = 1024 * 1024 * 1024,
    STUCK_MAX = 4096, /* blocks at one time before timers wait for the next */
    LIST_SIZE = 300,
};

static const char clock_key[] = "runner/clock";
static const char retain_key[] = "runner/retain";
static const char name_prefix[] = "runner/name/";

static tw_bytes bytes_of(const char *text)
{
    return tw_bytes_of(text, strlen(text));
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the folder ---- */

static tw_status store_path(const char *dir, char *ret_path, size_t size, tw_err *err)
{
    const int length = snprintf(ret_path, size, "%s/store", dir);
    if (length > 0 && (size_t)length < size) return TW_OK;
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "the path of the folder is too long");
}

static tw_status put_meta(tw_store *store, tw_bytes key, tw_bytes value, tw_err *err)
{
    tw_batch *batch = tw_batch_new(64 * 1024);
    if (batch == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory");
    tw_batch_put(batch, TW_TABLE_META, key, value);
    const tw_status status = tw_store_commit(store, batch, true, err);
    tw_batch_free(batch);
    return status;
}

tw_status tw_session_mark_clock(tw_store *store, bool simulated, tw_err *err)
{
    return put_meta(store, bytes_of(clock_key), bytes_of(simulated ? "simulated" : "wall"), err);
}

static tw_status make_ledger(tw_store *store, const tw_genesis *genesis, bool simulated,
                             tw_err *err)
{
    /* the clock first: a folder in which init was cut short has no head and can be made again */
    TW_TRY(tw_session_mark_clock(store, simulated, err));
    return tw_ledger_create(store, genesis, err);
}

/* Only a store that surely has no head is free: one that is damaged holds somebody's ledger. */
static tw_status check_free(tw_store *store, const char *dir, tw_err *err)
{
    tw_ledger *ledger = NULL;
    tw_err why = {0};
    const tw_status status = tw_ledger_open(store, NULL, &ledger, &why);
    tw_ledger_close(ledger);
    if (status == TW_REFUSED_NOT_FOUND) return TW_OK;
    if (status == TW_OK) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%s holds a ledger already; take another folder, or delete this one",
                          dir);
    }
    return tw_err_set(err, status, "%s holds a ledger already, and it cannot be begun: %s", dir,
                      why.text[0] != '\0' ? why.text : tw_status_text(status));
}

tw_status tw_session_is_free(const char *dir, tw_err *err)
{
    char path[4096];
    struct stat there;
    tw_store *store = NULL;
    const tw_store_options options = {.create = true}; /* its making may have been cut short */
    TW_TRY(store_path(dir, path, sizeof path, err));
    if (stat(path, &there) != 0) return TW_OK;
    TW_TRY(tw_store_open(path, &options, &store, err));
    tw_status status = check_free(store, dir, err);
    const tw_status behind = tw_store_settle(store, status == TW_OK ? err : NULL);
    if (status == TW_OK) status = behind;
    tw_store_close(store);
    return status;
}

tw_status tw_session_create(const char *dir, const tw_genesis *genesis, bool simulated, tw_err *err)
{
    char path[4096];
    tw_store *store = NULL;
    TW_TRY(store_path(dir, path, sizeof path, err));
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return tw_err_set(err, TW_ERR_IO, "%s: the folder cannot be made: %s", dir,
                          strerror(errno));
    }
    const tw_store_options options = {.create = true};
    TW_TRY(tw_store_open(path, &options, &store, err));
    tw_status status = check_free(store, dir, err);
    if (status == TW_OK) status = make_ledger(store, genesis, simulated, err);
    if (status == TW_OK) status = tw_store_settle(store, err);
    tw_store_close(store);
    return status;
}

static bool name_of(void *context, const tw_account *account, char ret_name[TW_SHOW_NAME_MAX])
{
    const tw_session *s = context;
    const tw_named_key *key = tw_keyring_of(s->keyring, account);
    if (key != NULL) snprintf(ret_name, TW_SHOW_NAME_MAX, "%s", key->name);
    return key != NULL;
}

static bool account_of(void *context, const char *name, tw_account *ret_account)
{
    const tw_session *s = context;
    const tw_named_key *key = tw_keyring_find(s->keyring, name);
    if (key != NULL) *ret_account = key->account;
    return key != NULL;
}

static tw_status open_parts(tw_session *s, tw_err *err)
{
    char path[4096];
    struct stat there;
    const tw_store_options options = {0};
    TW_TRY(store_path(s->dir, path, sizeof path, err));
    if (stat(path, &there) != 0) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s holds no ledger; twvm init %s makes one",
                          s->dir, s->dir);
    }
    TW_TRY(tw_store_open(path, &options, &s->store, err));
    tw_ledger_options how = {.clock_ns = clock_ns};
    tw_bytes clock, retain;
    bool found = false;
    TW_TRY(tw_store_get(s->store, TW_TABLE_META, bytes_of(retain_key), s->arena, &retain, &found));
    if (found && retain.size == 8) how.keep = tw_load_u64(retain.data);
    TW_TRY(tw_ledger_open(s->store, &how, &s->ledger, err));
    TW_TRY(tw_store_get(s->store, TW_TABLE_META, bytes_of(clock_key), s->arena, &clock, &found));
    s->simulated = found && tw_bytes_equal(clock, bytes_of("simulated"));
    TW_TRY(tw_keyring_open(s->dir, &s->keyring, err));
    s->names = (tw_show_names){s, name_of, account_of, tw_session_now(s)};
    return TW_OK;
}

tw_status tw_session_open(const char *dir, tw_session **ret_session, tw_err *err)
{
    tw_session *s = tw_mem_new(sizeof *s);
    if (s == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory");
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    s->arena = tw_arena_new(SESSION_MEMORY_MAX);
    tw_status status = s->arena == NULL ? TW_ERR_MEMORY : open_parts(s, err);
    if (status != TW_OK) {
        tw_session_close(s);
        return status;
    }
    *ret_session = s;
    return TW_OK;
}

tw_status tw_session_settle(tw_session *s, tw_err *err)
{
    if (s == NULL || s->ledger == NULL) return TW_OK;
    const tw_status status = tw_ledger_settle(s->present != NULL ? s->present : s->ledger, err);
    const tw_status behind = tw_store_settle(s->store, status == TW_OK ? err : NULL);
    return status == TW_OK ? behind : status;
}

void tw_session_close(tw_session *s)
{
    if (s == NULL) return;
    tw_ledger_close(s->ledger);
    tw_ledger_close(s->present);
    tw_store_close(s->store);
    tw_keyring_close(s->keyring);
    tw_arena_free(s->arena);
    tw_mem_free(s);
}

tw_status tw_session_set_retain(tw_session *s, uint64_t retain, tw_err *err)
{
    uint8_t value[8];
    tw_store_u64(value, retain);
    return put_meta(s->store, bytes_of(retain_key), tw_bytes_of(value, sizeof value), err);
}

tw_status tw_session_go_back(tw_session *s, uint64_t height, tw_err *err)
{
    tw_ledger *past = NULL;
    TW_TRY(tw_ledger_open_past(s->ledger, height, &past, err));
    s->present = s->ledger;
    s->ledger = past;
    s->names.now = tw_session_now(s);
    return TW_OK;
}

int64_t tw_session_now(const tw_session *s)
{
    const int64_t head = tw_ledger_head(s->ledger)->time;
    const int64_t wall = s->simulated || s->present != NULL ? 0 : tw_time_now();
    return wall > head ? wall : head;
}

/* ---- names of contracts ---- */

static tw_bytes name_key(const char *name, char *memory, size_t size)
{
    snprintf(memory, size, "%s%s", name_prefix, name);
    return bytes_of(memory);
}

tw_status tw_session_has_name(tw_session *s, const char *name, tw_hash *ret_id, bool *ret_found)
{
    char memory[sizeof name_prefix + TW_CONTRACT_NAME_MAX];
    tw_bytes value;
    *ret_found = false;
    if (strlen(name) >= TW_CONTRACT_NAME_MAX) return TW_OK;
    TW_TRY(tw_store_get(s->store, TW_TABLE_META, name_key(name, memory, sizeof memory), s->arena,
                        &value, ret_found));
    if (!*ret_found) return TW_OK;
    if (value.size != TW_HASH_SIZE) return TW_ERR_CORRUPT;
    memcpy(ret_id->bytes, value.data, TW_HASH_SIZE);
    /* a name is written before its contract: without one it is free */
    tw_contract *contract = NULL;
    tw_err ignored;
    const tw_mark mark = tw_arena_mark(s->arena);
    *ret_found = tw_ledger_contract(s->ledger, ret_id, s->arena, &contract, &ignored) == TW_OK;
    tw_arena_reset(s->arena, mark);
    return TW_OK;
}

tw_status tw_session_set_name(tw_session *s, const char *name, const tw_hash *id, tw_err *err)
{
    char memory[sizeof name_prefix + TW_CONTRACT_NAME_MAX];
    return put_meta(s->store, name_key(name, memory, sizeof memory),
                    tw_bytes_of(id->bytes, TW_HASH_SIZE), err);
}

tw_status tw_session_free_name(tw_session *s, const char *wanted,
                               char ret_name[TW_CONTRACT_NAME_MAX], tw_err *err)
{
    bool taken = true;
    tw_hash id;
    snprintf(ret_name, TW_CONTRACT_NAME_MAX, "%s", wanted);
    for (uint32_t i = 2; i < 1000000; i++) {
        TW_TRY(tw_session_has_name(s, ret_name, &id, &taken));
        if (!taken) return TW_OK;
        snprintf(ret_name, TW_CONTRACT_NAME_MAX, "%.80s#%u", wanted, i);
    }
    return tw_err_set(err, TW_REFUSED_LIMIT, "there is no free name after %s", wanted);
}

const char *tw_session_label(tw_session *s, const tw_hash *id, char ret_text[TW_CONTRACT_NAME_MAX])
{
    tw_iter *iter = NULL;
    bool found = false;
    tw_bytes key, value;
    if (tw_iter_open(s->store, TW_TABLE_META, bytes_of(name_prefix), &iter) == TW_OK) {
        tw_status status = tw_iter_first(iter);
        while (status == TW_OK && !found && tw_iter_here(iter, &key, &value)) {
            const size_t size = key.size - (sizeof name_prefix - 1);
            found = value.size == TW_HASH_SIZE && memcmp(value.data, id->bytes, 32) == 0 &&
                    size < TW_CONTRACT_NAME_MAX;
            if (found) {
                memcpy(ret_text, key.data + sizeof name_prefix - 1, size);
                ret_text[size] = '\0';
            }
            status = tw_iter_next(iter);
        }
    }
    tw_iter_close(iter);
    if (!found) tw_hex_encode(id->bytes, 8, ret_text);
    return ret_text;
}

/* The one contract whose id begins with these digits. */
static tw_status find_by_id(tw_session *s, const char *text, tw_hash *ret_id, uint32_t *ret_count,
                            tw_err *err)
{
    const size_t size = strlen(text);
    tw_hash id;
    bool found = false;
    *ret_count = 0;
    if (size < 8 || size > 64) return TW_OK;
    TW_TRY(tw_ledger_next_contract(s->ledger, NULL, &id, &found));
    while (found) {
        char hex[2 * TW_HASH_SIZE + 1];
        tw_hex_encode(id.bytes, TW_HASH_SIZE, hex);
        if (strncmp(hex, text, size) == 0) {
            *ret_id = id;
            (*ret_count)++;
        }
        const tw_hash last = id;
        TW_TRY(tw_ledger_next_contract(s->ledger, &last, &id, &found));
    }
    if (*ret_count < 2) return TW_OK;
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%u contracts have an id that begins with %s",
                      *ret_count, text);
}

static tw_status refuse_name(tw_session *s, const char *name, tw_err *err)
{
    char list[LIST_SIZE] = "";
    size_t used = 0;
    tw_hash id;
    bool found = false;
    TW_TRY(tw_ledger_next_contract(s->ledger, NULL, &id, &found));
    if (!found) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                          "the ledger has no contract yet; twvm deploy puts one there");
    }
    while (found && used + TW_CONTRACT_NAME_MAX + 8 < sizeof list) {
        char label[TW_CONTRACT_NAME_MAX];
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                 tw_session_label(s, &id, label));
        const tw_hash last = id;
        TW_TRY(tw_ledger_next_contract(s->ledger, &last, &id, &found));
    }
    return tw_err_set(err, TW_REFUSED_NOT_FOUND, "no contract is named %.64s; there are: %s%s",
                      name, list, found ? ", ..." : "");
}

tw_status tw_session_find(tw_session *s, const char *name, tw_hash *ret_id, tw_err *err)
{
    bool found = false;
    uint32_t count = 0;
    TW_TRY(tw_session_has_name(s, name, ret_id, &found));
    if (found) return TW_OK;
    TW_TRY(find_by_id(s, name, ret_id, &count, err));
    return count == 1 ? TW_OK : refuse_name(s, name, err);
}

const tw_module *tw_session_module(tw_session *s, const tw_hash *id)
{
    tw_contract *contract = NULL;
    tw_err ignored;
    const tw_mark mark = tw_arena_mark(s->arena);
    const tw_status status = tw_ledger_contract(s->ledger, id, s->arena, &contract, &ignored);
    const tw_module *module = status == TW_OK ? contract->code->module : NULL;
    tw_arena_reset(s->arena, mark);
    return module;
}

const tw_module *tw_session_module_then(tw_session *s, const tw_hash *id, uint64_t height,
                                        uint32_t receipt)
{
    const tw_code *code = NULL;
    tw_err ignored;
    const tw_status status = tw_ledger_code_then(s->ledger, id, height, receipt, &code, &ignored);
    return status == TW_OK ? code->module : NULL;
}

/* ---- blocks ---- */

tw_status tw_session_advance(tw_session *s, int64_t time, tw_block_seen seen, void *context,
                             tw_err *err)
{
    uint32_t stuck = 0;
    while (s->simulated && stuck < STUCK_MAX) {
        int64_t due = 0;
        bool found = false;
        tw_block_info info;
        TW_TRY(tw_ledger_next_due(s->ledger, &due, &found));
        const int64_t head = tw_ledger_head(s->ledger)->time;
        if (!found || due >= time) return TW_OK;
        stuck = due > head ? 0 : stuck + 1;
        TW_TRY(tw_block_begin(s->ledger, due > head ? due : head, err));
        TW_TRY(tw_block_commit(s->ledger, &info, err));
        if (seen != NULL) TW_TRY(seen(context, &info));
    }
    return TW_OK;
}

/* Signers after the first in ascending order; none twice. */
static tw_status order_signers(tw_tx *tx, const tw_named_key **keys, uint32_t count, tw_err *err)
{
    for (uint32_t i = 2; i < count; i++) {
        for (uint32_t k = i;
             k > 1 && tw_account_compare(&keys[k]->account, &keys[k - 1]->account) < 0; k--) {
            const tw_named_key *other = keys[k];
            keys[k] = keys[k - 1];
            keys[k - 1] = other;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (!tw_account_equal(&keys[i]->account, &keys[k]->account)) continue;
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s signs twice", keys[i]->name);
        }
        tx->signers[i] = keys[i]->account;
    }
    tx->signer_count = (uint8_t)count;
    return TW_OK;
}

tw_status tw_session_can_pay(const tw_session *s, const tw_tx *tx, tw_err *err)
{
    const tw_genesis *genesis = tw_ledger_genesis(s->ledger);
    const tw_hash *id = tw_ledger_fee_asset(s->ledger);
    char name[TW_SHOW_NAME_MAX], has_text[TW_MONEY_TEXT_MAX], fee_text[TW_MONEY_TEXT_MAX];
    int64_t has = 0;
    int64_t fee = INT64_MAX;
    if (id == NULL) return TW_OK;
    TW_TRY(tw_ledger_balance(s->ledger, id, &tx->signers[0], &has));
    if (tw_ledger_fee(s->ledger, tx->gas_limit, &fee) && fee <= has) return TW_OK;
    const tw_genesis_asset *asset = &genesis->assets[genesis->fee_asset];
    return tw_err_set(err, TW_REFUSED_FEE,
                      "%s has %s and this may cost a fee of %s; `twvm transfer` sends it some",
                      tw_show_account(&tx->signers[0], &s->names, name),
                      tw_money_print(has, asset->decimals, asset->name, has_text),
                      tw_money_print(fee, asset->decimals, asset->name, fee_text));
}

tw_status tw_session_sign(tw_session *s, tw_tx *tx, const tw_named_key *const *signers,
                          uint32_t signer_count, tw_bytes *ret_bytes, tw_err *err)
{
    const tw_named_key *keys[TW_TX_SIGNERS_MAX];
    if (signer_count > TW_TX_SIGNERS_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "at most %d can sign", TW_TX_SIGNERS_MAX);
    }
    for (uint32_t i = 0; i < signer_count; i++) keys[i] = signers[i];
    TW_TRY(order_signers(tx, keys, signer_count, err));
    tx->chain = *tw_ledger_chain(s->ledger);
    TW_TRY(tw_ledger_nonce(s->ledger, &tx->signers[0], &tx->nonce));
    tw_secret secrets[TW_TX_SIGNERS_MAX];
    for (uint32_t i = 0; i < signer_count; i++) {
        const tw_status locked = tw_keyring_secret(s->keyring, keys[i], &secrets[i], err);
        if (locked == TW_OK) continue;
        OPENSSL_cleanse(secrets, sizeof secrets);
        return locked;
    }
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_hash id;
    /* encoded once for its size, which the bound depends on, and once with the limit */
    tw_status status = tw_tx_encode(tx, secrets, &w, &id);
    if (status == TW_OK) {
        status = tw_ledger_gas_bound(s->ledger, tx, w.size, &tx->gas_limit, err);
    }
    tw_writer_clear(&w);
    if (status == TW_OK) status = tw_tx_encode(tx, secrets, &w, &id);
    OPENSSL_cleanse(secrets, sizeof secrets);
    const char *copy = status == TW_OK ? tw_arena_copy(s->arena, w.data, w.size) : NULL;
    *ret_bytes = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the transaction cannot be made: %s",
                          tw_status_text(status));
    }
    return copy != NULL ? tw_session_can_pay(s, tx, err) : TW_ERR_MEMORY;
}

tw_status tw_session_submit(tw_session *s, tw_bytes transaction, int64_t time, tw_block *ret_block,
                            tw_err *err)
{
    tw_receipt receipt;
    tw_block_info info;
    TW_TRY(tw_session_advance(s, time, NULL, NULL, err));
    TW_TRY(tw_block_begin(s->ledger, time, err));
    const tw_status status = tw_block_add(s->ledger, transaction, &receipt, err);
    if (status != TW_OK) {
        tw_block_abort(s->ledger);
        return status;
    }
    TW_TRY(tw_block_commit(s->ledger, &info, err));
    return tw_ledger_block(s->ledger, info.height, s->arena, ret_block, err);
}

/* ---- words ---- */

static void put(tw_writer *w, const char *text)
{
    tw_write_raw(w, text, strlen(text));
}

void tw_session_outcome(const tw_session *s, const tw_module *m, const tw_run *run,
                        tw_writer *ret_text)
{
    if (run->status == TW_FAIL_ERROR && m != NULL && run->index < m->error_count) {
        const tw_notice *error = &m->errors[run->index];
        put(ret_text, error->name);
        put(ret_text, "(");
        const size_t before = ret_text->size;
        if (tw_show_members(m, &error->members, run->fields, &s->names, ret_text) != TW_OK) {
            ret_text->size = before;
        }
        put(ret_text, ")");
    } else if (run->status == TW_FAIL_INVARIANT && m != NULL && run->index < m->invariant_count) {
        put(ret_text, "the invariant ");
        put(ret_text, m->invariants[run->index].name);
        put(ret_text, " would not hold");
    } else if (run->status == TW_FAIL_CHECK && m != NULL && run->index < m->check_count) {
        put(ret_text, "the check does not hold: ");
        put(ret_text, m->checks[run->index].name);
    } else if (run->status == TW_FAIL_PARAM_RANGE && m != NULL && run->index < m->param_count) {
        put(ret_text, m->params[run->index].name);
        put(ret_text, " is outside its range");
    } else {
        put(ret_text, tw_status_text(run->status));
    }
}
