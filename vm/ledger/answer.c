/* answer -- what an embedding program asks by bytes and names (twvm.h), over the ledger's own
 * structures: views, blocks, receipts, keys, proofs.
 *
 * Called through the public header only. What is given out lies in the ledger's arena, overlay or
 * `answer`, and is good until the next call; each question first lets go of what earlier ones have
 * read, once that is much, so that a whole state can be read through one ledger.
 */
#include "vm/exec/field.h"
#include "vm/ledger/node.h"
#include "vm/ledger/notices.h"
#include "vm/ledger/witness.h"

#include <assert.h>
#include <string.h>

enum {
    READ_MEMORY_MAX = 64 * 1024 * 1024, /* of what questions have read before */
    RECEIPT_MEMORY_MAX = 64 * 1024 * 1024,
    PROOF_MEMORY_MAX = 1024 * 1024 * 1024,
};

const char *tw_version(void)
{
    return TW_RELEASE;
}

unsigned tw_abi_version(void)
{
    return TW_ABI_VERSION;
}

/* A question begins; no sentence of an earlier one is told for it. */
static void begin(tw_ledger *l, tw_err *err)
{
    assert(!l->open);
    if (err != NULL) *err = (tw_err){0};
    if (tw_overlay_memory(l->overlay) > READ_MEMORY_MAX) tw_block_abort(l);
    tw_arena_clear(l->arena);
    tw_writer_clear(&l->answer);
}

static tw_status give(tw_ledger *l, tw_bytes *ret_bytes)
{
    if (l->answer.bad) return TW_ERR_MEMORY;
    *ret_bytes = tw_writer_bytes(&l->answer);
    return TW_OK;
}

static tw_status find_contract(tw_ledger *l, const tw_hash *id, tw_contract **ret_contract,
                               tw_err *err)
{
    bool found = false;
    const tw_status status = tw_node_contract(l, id, ret_contract, &found, err);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the contract cannot be read: %s", tw_status_text(status));
    }
    return found ? TW_OK : tw_err_set(err, TW_REFUSED_NOT_FOUND, "no contract has this id");
}

/* ---- views ---- */

tw_status tw_ledger_ask(tw_ledger *l, const tw_hash *contract, const char *view, tw_bytes arguments,
                        int64_t now, tw_answer *ret_answer, tw_err *err)
{
    tw_contract *c = NULL;
    tw_outcome outcome;
    begin(l, err);
    TW_TRY(find_contract(l, contract, &c, err));
    const uint16_t entry = tw_module_entry(c->code->module, TW_ENTRY_VIEW, view);
    if (entry == TW_NONE) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s has no view %.80s", c->code->module->name,
                          view);
    }
    TW_TRY(tw_ledger_view(l, contract, c->code, entry, arguments, now, &outcome, err));
    const bool done = outcome.status == TW_OK;
    *ret_answer = (tw_answer){.status = outcome.status,
                              .result = done ? outcome.fields : tw_bytes_of(NULL, 0),
                              .gas = outcome.gas};
    return TW_OK;
}

/* ---- blocks ---- */

tw_status tw_ledger_block_bytes(tw_ledger *l, uint64_t height, tw_bytes *ret_block, tw_err *err)
{
    begin(l, err);
    return tw_node_block_record(l, height, l->arena, ret_block, err);
}

static bool read_list(tw_reader *r, tw_items *ret_list)
{
    const uint32_t count = tw_read_u32(r);
    const size_t start = r->at;
    for (uint32_t i = 0; i < count && !r->bad; i++) (void)tw_read_long(r, UINT32_MAX);
    if (r->bad) return false;
    *ret_list = (tw_items){tw_bytes_of(r->data + start, r->at - start), count};
    return true;
}

tw_status tw_block_read(tw_bytes block, tw_block_parts *ret_parts)
{
    tw_block_parts parts;
    tw_reader r = tw_reader_of(block);
    if (block.size < TW_HEADER_SIZE) return TW_REFUSED_ENCODING;
    if (tw_node_read_header(&r, &parts.info) != TW_OK) return TW_REFUSED_ENCODING;
    if (!read_list(&r, &parts.transactions) || !read_list(&r, &parts.receipts) ||
        !tw_reader_done(&r)) {
        return TW_REFUSED_ENCODING;
    }
    *ret_parts = parts;
    return TW_OK;
}

bool tw_items_next(tw_items *list, tw_bytes *ret_item)
{
    tw_reader r = tw_reader_of(list->rest);
    if (list->left == 0) return false;
    const tw_bytes item = tw_read_long(&r, UINT32_MAX);
    if (r.bad) return false;
    *ret_item = item;
    list->left--;
    list->rest = tw_bytes_of(r.data + r.at, r.size - r.at);
    return true;
}

static tw_status replay(tw_ledger *l, tw_bytes bytes, tw_arena *arena, tw_err *err)
{
    tw_block block = {0};
    const tw_status status = tw_node_parse_block(bytes, arena, &block);
    if (status == TW_ERR_MEMORY) return tw_err_set(err, status, "no memory for the block");
    if (status != TW_OK) {
        return tw_err_set(err, TW_REFUSED_ENCODING, "these bytes are no block, or are damaged");
    }
    if (block.info.height != l->head.height + 1) {
        return tw_err_set(
            err, TW_REFUSED_ARGUMENT, "block %llu is not the next one: the newest here is %llu",
            (unsigned long long)block.info.height, (unsigned long long)l->head.height);
    }
    return tw_ledger_replay_block(l, &block, err);
}

tw_status tw_ledger_replay(tw_ledger *l, tw_bytes block, tw_err *err)
{
    assert(!l->open);
    tw_arena *arena = tw_arena_new(TW_LEDGER_MEMORY_MAX);
    if (arena == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the block");
    const tw_status status = replay(l, block, arena, err);
    tw_arena_free(arena);
    return status;
}

/* ---- receipts ---- */

static tw_status decode_receipt(tw_bytes bytes, tw_arena *arena, tw_receipt *ret_receipt)
{
    tw_reader r = tw_reader_of(bytes);
    if (arena == NULL) return TW_ERR_MEMORY;
    TW_TRY(tw_receipt_decode(&r, arena, ret_receipt));
    return tw_reader_done(&r) ? TW_OK : TW_REFUSED_ENCODING;
}

tw_status tw_receipt_read(tw_bytes bytes, tw_receipt_parts *ret_parts)
{
    tw_receipt receipt;
    tw_arena *arena = tw_arena_new(RECEIPT_MEMORY_MAX);
    const tw_status status = decode_receipt(bytes, arena, &receipt);
    if (status == TW_OK) {
        *ret_parts = (tw_receipt_parts){
            .kind = receipt.kind,
            .transaction = receipt.transaction,
            .run = receipt.run,
            .fee = receipt.fee,
            .is_pack = receipt.has_intake,
            .accepted = receipt.has_intake ? receipt.intake.accepted : 0,
            .refused = receipt.has_intake ? receipt.intake.refused_count : 0,
            .handler_count = receipt.handler_count,
        };
    }
    tw_arena_free(arena);
    return status;
}

tw_status tw_receipt_handler(tw_bytes bytes, uint16_t handler, tw_run *ret_run)
{
    tw_receipt receipt;
    tw_arena *arena = tw_arena_new(RECEIPT_MEMORY_MAX);
    tw_status status = decode_receipt(bytes, arena, &receipt);
    if (status == TW_OK && handler >= receipt.handler_count) status = TW_REFUSED_NOT_FOUND;
    if (status == TW_OK) *ret_run = receipt.handlers[handler];
    tw_arena_free(arena);
    return status;
}

static_assert((int)TW_EVENT_SENT == (int)TW_NOTICE_EVENT, "the public names of notices");
static_assert((int)TW_EVENT_HISTORY == (int)TW_NOTICE_HISTORY, "the public names of notices");
static_assert((int)TW_EVENT_MONEY == (int)TW_NOTICE_MONEY, "the public names of notices");
static_assert((int)TW_EVENT_THING_HISTORY == (int)TW_NOTICE_THING_HISTORY, "the same");

bool tw_event_next(tw_bytes *notices, tw_event *ret_event)
{
    tw_notice_view n;
    tw_reader r = tw_reader_of(*notices);
    if (!tw_notice_read(&r, &n)) return false;
    const bool is_money = n.kind == TW_NOTICE_MONEY;
    *ret_event = (tw_event){
        .kind = n.kind,
        .index = n.index,
        .fields = n.fields,
        .number = n.number,
        .time = n.time,
        .caller = n.caller,
        .registry = n.registry,
        .key = n.key,
        .amount = n.amount,
        .way = n.transfer,
        .from_purse = is_money ? n.from.purse : TW_NONE,
        .to_purse = is_money ? n.to.purse : TW_NONE,
        .from = n.from.account,
        .to = n.to.account,
    };
    *notices = tw_bytes_of(r.data + r.at, r.size - r.at);
    return true;
}

static const char *name_in(const tw_module *m, tw_name_kind kind, uint16_t i)
{
    switch (kind) {
    case TW_NAME_ENTRY: return i < m->entry_count ? m->entries[i].name : NULL;
    case TW_NAME_EVENT: return i < m->event_count ? m->events[i].name : NULL;
    case TW_NAME_HISTORY: return i < m->history_count ? m->histories[i].name : NULL;
    case TW_NAME_ERROR: return i < m->error_count ? m->errors[i].name : NULL;
    case TW_NAME_INVARIANT: return i < m->invariant_count ? m->invariants[i].name : NULL;
    case TW_NAME_PHASE: return i < m->phases.count ? m->phases.items[i] : NULL;
    case TW_NAME_MONEY: return i < m->money_count ? m->monies[i].name : NULL;
    case TW_NAME_REGISTRY: return i < m->field_count ? m->fields[i].name : NULL;
    }
    return NULL;
}

tw_status tw_ledger_name(tw_ledger *l, const tw_hash *contract, uint64_t height, uint32_t receipt,
                         tw_name_kind kind, uint16_t index, const char **ret_name, tw_err *err)
{
    const tw_code *code = NULL;
    begin(l, err);
    TW_TRY(tw_ledger_code_then(l, contract, height, receipt, &code, err));
    const char *name = name_in(code->module, kind, index);
    if (name == NULL) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s has no number %u of this kind",
                          code->module->name, (unsigned)index);
    }
    *ret_name = name;
    return TW_OK;
}

/* ---- assets ---- */

tw_hash tw_ledger_asset_named(const tw_ledger *l, const char *name)
{
    return tw_bank_chain_asset(l->genesis.name, name);
}

tw_status tw_ledger_asset_info(tw_ledger *l, const tw_hash *id, tw_asset_info *ret_info,
                               bool *ret_found)
{
    tw_asset asset;
    TW_TRY(tw_ledger_asset(l, id, &asset, ret_found));
    if (!*ret_found) return TW_OK;
    static_assert(sizeof asset.name == sizeof ret_info->name, "the longest name fits");
    *ret_info = (tw_asset_info){.id = asset.id,
                                .contract = asset.contract,
                                .decimals = asset.decimals,
                                .supply = asset.supply};
    memcpy(ret_info->name, asset.name, sizeof asset.name);
    return TW_OK;
}

/* ---- keys and values ---- */

/* The state's key of a field under a key's canonical encoding. */
static tw_status field_key(const tw_contract *c, const tw_field *f, tw_bytes key, tw_key *ret_key,
                           tw_err *err)
{
    const tw_module *m = c->code->module;
    int64_t slots[TW_KEY_SIZE_MAX] = {0};
    tw_reader r = tw_reader_of(key);
    if (f->kind == TW_FIELD_VAR) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is a var and has no keys", f->name);
    }
    if (m->types[f->key_type].slots > TW_KEY_SIZE_MAX) return TW_ERR_INTERNAL;
    if (tw_value_decode(m, f->key_type, &r, slots) == TW_OK && tw_reader_done(&r) &&
        tw_field_key_at(c, f->id, f->key_type, slots, ret_key) == TW_OK) {
        return TW_OK;
    }
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "these bytes are no key of %s", f->name);
}

static tw_status purse_key(const tw_contract *c, const tw_purse *p, tw_bytes key, tw_key *ret_key,
                           tw_err *err)
{
    tw_account member;
    if (key.size == 0) {
        *ret_key = tw_purse_key(&c->id, p, NULL);
        return TW_OK;
    }
    if (p->role == TW_NONE || key.size != sizeof member.bytes) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "these bytes are no key of %s", p->name);
    }
    memcpy(member.bytes, key.data, sizeof member.bytes);
    *ret_key = tw_purse_key(&c->id, p, &member);
    return TW_OK;
}

static tw_status key_in(const tw_contract *c, const char *name, tw_bytes key, tw_key *ret_key,
                        tw_err *err)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (f->old || strcmp(f->name, name) != 0) continue;
        *ret_key = tw_field_key(c, f->id);
        return key.size == 0 ? TW_OK : field_key(c, f, key, ret_key, err);
    }
    for (uint16_t i = 0; i < m->purse_count; i++) {
        const tw_purse *p = &m->purses[i];
        if (strcmp(p->name, name) == 0) return purse_key(c, p, key, ret_key, err);
    }
    if (strcmp(name, "phase") != 0) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s holds nothing named %.80s", m->name, name);
    }
    *ret_key = tw_key_of(TW_SPACE_CONTROL, &c->id);
    return TW_OK;
}

/* A key that was given out lies in memory that is about to be written to. */
static tw_key kept_key(tw_bytes key)
{
    tw_key kept = {.size = 0};
    if (key.size <= TW_KEY_MAX && key.size > 0) tw_key_raw(&kept, key.data, key.size);
    return kept;
}

tw_status tw_ledger_key(tw_ledger *l, const tw_hash *contract, const char *name, tw_bytes key,
                        tw_bytes *ret_key, tw_err *err)
{
    tw_key made;
    tw_contract *c = NULL;
    const tw_key kept = kept_key(key);
    begin(l, err);
    if (key.size > TW_KEY_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a key of the state is never so long");
    }
    TW_TRY(find_contract(l, contract, &c, err));
    TW_TRY(key_in(c, name, tw_key_bytes(&kept), &made, err));
    tw_write_raw(&l->answer, made.data, made.size);
    return give(l, ret_key);
}

tw_status tw_ledger_balance_key(tw_ledger *l, const tw_hash *asset, const tw_account *account,
                                tw_bytes *ret_key)
{
    const tw_key key = tw_bank_balance_key(asset, account);
    begin(l, NULL);
    tw_write_raw(&l->answer, key.data, key.size);
    return give(l, ret_key);
}

tw_status tw_ledger_get(tw_ledger *l, tw_bytes key, tw_bytes *ret_value, bool *ret_found)
{
    uint8_t memory[TW_STORE_KEY_MAX];
    if (key.size == 0 || key.size > TW_STORE_KEY_MAX) return TW_REFUSED_ARGUMENT;
    memcpy(memory, key.data, key.size); /* one that was given out goes with what was read */
    begin(l, NULL);
    return tw_overlay_get(l->overlay, tw_bytes_of(memory, key.size), ret_value, ret_found);
}

tw_status tw_ledger_next(tw_ledger *l, tw_bytes prefix, tw_bytes after, tw_bytes *ret_key,
                         tw_bytes *ret_value, bool *ret_found)
{
    uint8_t memory[TW_STORE_KEY_MAX + 1];
    if (prefix.size > TW_STORE_KEY_MAX || after.size > TW_STORE_KEY_MAX) {
        return TW_REFUSED_ARGUMENT;
    }
    /* What was given out last may be what comes in, and is about to go. */
    const tw_bytes from = after.size > 0 ? tw_key_after(after, memory) : after;
    uint8_t start[TW_STORE_KEY_MAX];
    if (prefix.size > 0) memcpy(start, prefix.data, prefix.size);
    begin(l, NULL);
    return tw_overlay_next(l->overlay, tw_bytes_of(start, prefix.size), from, ret_key, ret_value,
                           ret_found);
}

/* ---- proofs ---- */

typedef struct proving {
    tw_bytes key;
    bool code;
    const tw_history_of *of; /* NULL: the fact alone */
} proving;

static tw_status prove(tw_ledger *l, const proving *what, tw_bytes *ret_file, tw_err *err)
{
    tw_witness witness;
    tw_arena *arena = tw_arena_new(PROOF_MEMORY_MAX);
    if (arena == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the proof");
    const tw_status status = what->of != NULL
                                 ? tw_ledger_prove_history(l, what->of, arena, &witness, err)
                                 : tw_ledger_prove(l, what->key, what->code, arena, &witness, err);
    if (status == TW_OK) {
        tw_writer_clear(&l->answer);
        tw_witness_encode(&witness, &l->answer);
    }
    tw_arena_free(arena);
    return status == TW_OK ? give(l, ret_file) : status;
}

tw_status tw_ledger_proof(tw_ledger *l, tw_bytes key, bool code, tw_bytes *ret_file, tw_err *err)
{
    const tw_key kept = kept_key(key);
    const proving what = {.key = tw_key_bytes(&kept), .code = code};
    begin(l, err);
    return prove(l, &what, ret_file, err);
}

tw_status tw_ledger_proof_ics23(tw_ledger *l, tw_bytes key, tw_bytes *ret_proof, tw_err *err)
{
    const tw_key kept = kept_key(key);
    begin(l, err);
    TW_TRY(tw_ledger_prove_ics23(l, tw_key_bytes(&kept), &l->answer, err));
    return give(l, ret_proof);
}

/* The thing's registry and record, for its history. */
static tw_status find_thing(const tw_contract *c, const char *registry, tw_history_of *of,
                            tw_err *err)
{
    const tw_module *m = c->code->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (f->old || f->kind != TW_FIELD_REGISTRY || strcmp(f->name, registry) != 0) continue;
        of->thing = true;
        of->field = f->id;
        return field_key(c, f, of->key, &of->record, err);
    }
    return tw_err_set(err, TW_REFUSED_NOT_FOUND, "%s has no registry %.80s", m->name, registry);
}

tw_status tw_ledger_history_proof(tw_ledger *l, const tw_hash *contract, const char *registry,
                                  tw_bytes key, tw_bytes *ret_file, tw_err *err)
{
    tw_contract *c = NULL;
    const tw_key kept = kept_key(key);
    tw_history_of of = {.contract = *contract, .key = tw_key_bytes(&kept)};
    const proving what = {.of = &of};
    begin(l, err);
    TW_TRY(find_contract(l, contract, &c, err));
    if (registry != NULL) TW_TRY(find_thing(c, registry, &of, err));
    return prove(l, &what, ret_file, err);
}

/* The module of the contract that the first fact belongs to, when it is there. */
static tw_status module_of(const tw_witness *w, tw_arena *arena, tw_module **ret_module,
                           tw_err *err)
{
    tw_hash contract, code;
    tw_bytes bytes;
    *ret_module = NULL;
    if (!tw_witness_contract(w->facts[0].key, &contract) || !tw_witness_code(w, &contract, &code) ||
        !tw_witness_module(w, &code, &bytes)) {
        return TW_OK;
    }
    return tw_module_decode(bytes, arena, ret_module, err);
}

static tw_status check_file(tw_bytes file, const tw_hash *root, const tw_hash *block,
                            tw_arena *arena, tw_witness *w, tw_err *err)
{
    tw_module *module = NULL;
    const tw_status status = tw_witness_decode(file, arena, w);
    if (status != TW_OK) {
        return tw_err_set(err, status, "this is no proof file, or it is damaged (%s)",
                          tw_status_text(status));
    }
    TW_TRY(tw_witness_check(w, root, block, err));
    if (!w->history) return TW_OK;
    TW_TRY(module_of(w, arena, &module, err));
    return tw_witness_check_history(w, module, err);
}

tw_status tw_proof_file_check(tw_bytes file, const tw_hash *root, const tw_hash *block,
                              tw_proof_fact *ret_fact, tw_err *err)
{
    tw_witness w;
    if (root == NULL && block == NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "a proof is checked against a root or the hash of a block");
    }
    tw_arena *arena = tw_arena_new(PROOF_MEMORY_MAX);
    if (arena == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the proof");
    const tw_status status = check_file(file, root, block, arena, &w, err);
    if (status == TW_OK) {
        *ret_fact = (tw_proof_fact){.block = w.block,
                                    .key = w.facts[0].key,
                                    .found = w.facts[0].found,
                                    .value = w.facts[0].value,
                                    .is_history = w.history,
                                    .entry_count = w.history ? w.entry_count : 0};
    }
    tw_arena_free(arena);
    return status;
}
