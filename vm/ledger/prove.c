/* prove -- makes a witness from a ledger: the facts with their proofs, and for a history its
 * entries, which stand in the receipts of the blocks.
 *
 * Facts are of the state that the ledger stands at: the committed one, or an earlier one. What
 * helps to read the first one is looked up from its key: the contract's record for what belongs to
 * a contract, the asset's for an amount of it.
 */
#include "vm/ledger/node.h"
#include "vm/ledger/notices.h"
#include "vm/ledger/witness.h"
#include "vm/state/proof.h"

#include <assert.h>
#include <string.h>

enum { CODES_MAX = 512 }; /* versions that wrote entries of one history */

/* The keys of the facts, the first one apart; the others are put in order. */
typedef struct wanted {
    tw_key keys[TW_WITNESS_FACTS_MAX];
    uint16_t count;
} wanted;

typedef struct making {
    tw_ledger *ledger;
    tw_arena *arena;
    wanted *wanted;
    tw_witness *witness;
    const tw_history_of *of;
    tw_hash codes[CODES_MAX]; /* of the entries; entry.code is a place here until the end */
    uint16_t code_count;
    tw_writer entries; /* each u16 code, u32 size, bytes */
    uint32_t entry_count;
    bool gap; /* the next entry of this life was not found */
} making;

/* ---- facts ---- */

static tw_status want(wanted *list, const tw_key *key)
{
    const tw_bytes bytes = tw_key_bytes(key);
    if (list->count > 0 && tw_bytes_equal(tw_key_bytes(&list->keys[0]), bytes)) return TW_OK;
    uint16_t at = list->count;
    for (; at > 1; at--) {
        const int order = tw_bytes_compare(tw_key_bytes(&list->keys[at - 1]), bytes);
        if (order == 0) return TW_OK;
        if (order < 0) break;
    }
    if (list->count == TW_WITNESS_FACTS_MAX) return TW_REFUSED_LIMIT;
    for (uint16_t i = list->count; i > at; i--) list->keys[i] = list->keys[i - 1];
    list->keys[at] = *key;
    list->count++;
    return TW_OK;
}

static tw_status want_code(wanted *list, const tw_hash *code)
{
    const tw_key key = tw_key_of(TW_SPACE_CODE, code);
    return want(list, &key);
}

/* What helps to read the first key. */
static tw_status want_help(tw_ledger *l, wanted *list, bool code)
{
    const tw_bytes first = tw_key_bytes(&list->keys[0]);
    tw_hash id, hash;
    bool found = false;
    if (first.data[0] == TW_SPACE_BALANCE && first.size > 1 + TW_HASH_SIZE) {
        memcpy(id.bytes, first.data + 1, TW_HASH_SIZE);
        const tw_key asset = tw_key_of(TW_SPACE_ASSET, &id);
        return want(list, &asset);
    }
    if (!tw_witness_contract(first, &id)) return TW_OK;
    const tw_key contract = tw_key_of(TW_SPACE_CONTRACT, &id);
    TW_TRY(want(list, &contract));
    TW_TRY(tw_contract_find(l->overlay, &id, &hash, &found));
    return found && code ? want_code(list, &hash) : TW_OK;
}

static tw_status prove_one(const tw_prover *prover, tw_bytes key, tw_writer *w,
                           tw_witness_fact *ret_fact)
{
    tw_witness_fact fact = {0};
    tw_writer_clear(w);
    TW_TRY(tw_proof_make(prover, key, w, &fact.value, &fact.found));
    const char *proof = tw_arena_copy(prover->arena, w->data, w->size);
    const char *copy = tw_arena_copy(prover->arena, key.data, key.size);
    if (proof == NULL || copy == NULL) return TW_ERR_MEMORY;
    fact.proof = tw_bytes_of(proof, w->size);
    fact.key = tw_bytes_of(copy, key.size);
    *ret_fact = fact;
    return TW_OK;
}

static tw_status prove_all(const tw_prover *prover, const wanted *list, tw_witness *witness)
{
    witness->facts = TW_NEW_ARRAY(prover->arena, tw_witness_fact, list->count);
    if (witness->facts == NULL) return TW_ERR_MEMORY;
    witness->fact_count = list->count;
    tw_writer w = tw_writer_new(TW_PROOF_SIZE_MAX);
    tw_status status = TW_OK;
    for (uint16_t i = 0; i < list->count && status == TW_OK; i++) {
        status = prove_one(prover, tw_key_bytes(&list->keys[i]), &w, &witness->facts[i]);
    }
    tw_writer_free(&w);
    return status;
}

/* What is proved is written: a block whose writing failed is the head no more. */
static tw_status begin(tw_ledger *l, tw_err *err)
{
    assert(!l->open);
    if (err != NULL)
        *err = (tw_err){0}; /* no sentence of an earlier question is told for this one */
    return tw_ledger_settle(l, err);
}

static tw_status said(tw_status status, tw_err *err)
{
    if (status == TW_OK || (err != NULL && err->status == status)) return status;
    return tw_err_set(err, status, "it cannot be proved: %s", tw_status_text(status));
}

/* The root that the ledger stands at: of the head, or of an earlier block. */
static tw_tree_root root_of(const tw_ledger *l)
{
    return l->commit != NULL ? tw_commit_head(l->commit)->root : l->root;
}

/* The facts of `list`, and the block they are of. */
static tw_status fill(tw_ledger *l, const wanted *list, tw_arena *arena, tw_witness *witness)
{
    tw_tree *tree = tw_tree_new(l->store, TW_LEDGER_MEMORY_MAX);
    if (tree == NULL) return TW_ERR_MEMORY;
    const tw_prover prover = {tree, root_of(l), l->store, arena};
    witness->block = *tw_ledger_head(l);
    const tw_status status = prove_all(&prover, list, witness);
    tw_tree_free(tree);
    return status;
}

static tw_status first_key(wanted *list, tw_bytes key, tw_err *err)
{
    if (key.size == 0 || key.size > TW_KEY_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a key has 1 to %d bytes", TW_KEY_MAX);
    }
    list->keys[0].size = 0;
    tw_key_raw(&list->keys[0], key.data, key.size);
    list->count = 1;
    return TW_OK;
}

tw_status tw_ledger_prove(tw_ledger *l, tw_bytes key, bool code, tw_arena *arena,
                          tw_witness *ret_witness, tw_err *err)
{
    TW_TRY(begin(l, err));
    tw_witness witness = {0};
    wanted *list = TW_NEW(arena, wanted);
    if (list == NULL) return said(TW_ERR_MEMORY, err);
    TW_TRY(first_key(list, key, err));
    tw_status status = want_help(l, list, code);
    if (status == TW_OK) status = fill(l, list, arena, &witness);
    if (status == TW_OK) *ret_witness = witness;
    return said(status, err);
}

tw_status tw_ledger_prove_ics23(tw_ledger *l, tw_bytes key, tw_writer *w, tw_err *err)
{
    TW_TRY(begin(l, err));
    if (key.size == 0 || key.size > TW_KEY_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a key has 1 to %d bytes", TW_KEY_MAX);
    }
    tw_tree *tree = tw_tree_new(l->store, TW_LEDGER_MEMORY_MAX);
    if (tree == NULL) return said(TW_ERR_MEMORY, err);
    tw_arena_clear(l->arena);
    const tw_prover prover = {tree, root_of(l), l->store, l->arena};
    const tw_status status = tw_proof_make_ics23(&prover, key, w);
    tw_tree_free(tree);
    return said(status, err);
}

/* ---- histories ---- */

/* The place of a code in the list, which grows. */
static tw_status code_place(making *m, const tw_hash *code, uint16_t *ret_place)
{
    for (uint16_t i = m->code_count; i-- > 0;) {
        *ret_place = i;
        if (tw_hash_equal(&m->codes[i], code)) return TW_OK;
    }
    if (m->code_count == CODES_MAX) return TW_REFUSED_LIMIT;
    *ret_place = m->code_count;
    m->codes[m->code_count++] = *code;
    return TW_OK;
}

static bool is_of(const tw_history_of *of, const tw_module *module, const tw_notice_view *n)
{
    if (!of->thing) return n->kind == TW_NOTICE_HISTORY;
    return n->kind == TW_NOTICE_THING_HISTORY && n->registry < module->field_count &&
           module->fields[n->registry].id == of->field && tw_bytes_equal(n->key, of->key);
}

static tw_status partly_gone(const making *m, tw_err *err)
{
    return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                      "a part of this history is not here: the ledger was made from a snapshot of "
                      "block %llu; a ledger that has all blocks can prove it",
                      (unsigned long long)m->ledger->base);
}

static tw_status take_entry(making *m, const tw_code *code, const tw_notice_view *notice)
{
    uint16_t place = 0;
    /* A thing of this key was there before: an upgrade dropped its registry, a later one brought an
     * empty one. The entries so far were the other's. */
    if (notice->number == 0 && m->of->thing) {
        tw_writer_clear(&m->entries);
        m->entry_count = 0;
        m->code_count = 0;
        m->gap = false;
    }
    if (notice->number != m->entry_count) m->gap = true;
    if (m->gap) return TW_OK;
    TW_TRY(code_place(m, &code->hash, &place));
    tw_write_u16(&m->entries, place);
    tw_write_long(&m->entries, notice->whole);
    m->entry_count++;
    return TW_OK;
}

/* The entries of one run; `receipt` says which version of the contract ran. */
static tw_status take_run(making *m, const tw_run *run, uint64_t height, uint32_t receipt,
                          tw_err *err)
{
    const tw_code *code = NULL;
    if (run->status != TW_OK || run->notices.size == 0) return TW_OK;
    if (!tw_hash_equal(&run->contract, &m->of->contract)) return TW_OK;
    TW_TRY(tw_ledger_code_then(m->ledger, &run->contract, height, receipt, &code, err));
    tw_reader r = tw_reader_of(run->notices);
    tw_notice_view notice;
    while (tw_notice_read(&r, &notice)) {
        if (is_of(m->of, code->module, &notice)) TW_TRY(take_entry(m, code, &notice));
    }
    if (r.bad) return TW_ERR_CORRUPT;
    return m->entries.bad ? TW_ERR_MEMORY : TW_OK;
}

static tw_status take_block(making *m, const tw_block *block, tw_err *err)
{
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        const tw_receipt *receipt = &block->receipts[i];
        TW_TRY(take_run(m, &receipt->run, block->info.height, i, err));
        for (uint16_t k = 0; k < receipt->handler_count; k++) {
            TW_TRY(take_run(m, &receipt->handlers[k], block->info.height, i, err));
        }
    }
    return TW_OK;
}

static tw_status take_entries(making *m, tw_err *err)
{
    tw_arena *arena = tw_arena_new(TW_LEDGER_MEMORY_MAX);
    tw_status status = arena != NULL ? TW_OK : TW_ERR_MEMORY;
    const uint64_t base = m->ledger->base;
    for (uint64_t h = base > 0 ? base + 1 : 0; h <= m->ledger->head.height && status == TW_OK;
         h++) {
        tw_block block;
        tw_arena_clear(arena);
        status = tw_ledger_block(m->ledger, h, arena, &block, err);
        if (status == TW_OK) status = take_block(m, &block, err);
    }
    tw_arena_free(arena);
    if (status != TW_OK || !m->gap) return status;
    return base > 0 ? partly_gone(m, err) : TW_ERR_CORRUPT;
}

/* The records of earlier versions that say that the codes of the entries were the contract's. */
static tw_status want_versions(making *m)
{
    const tw_key prefix = tw_key_of(TW_SPACE_PAST, &m->of->contract);
    tw_key from = prefix;
    for (uint16_t i = 0; i < m->code_count; i++) TW_TRY(want_code(m->wanted, &m->codes[i]));
    for (;;) {
        tw_bytes key, value;
        bool found = false;
        bool used = false;
        TW_TRY(tw_overlay_next(m->ledger->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from), &key,
                               &value, &found));
        if (!found) return TW_OK;
        if (value.size != 1 + TW_HASH_SIZE || key.size > TW_KEY_MAX - 1) return TW_ERR_CORRUPT;
        from.size = 0;
        tw_key_raw(&from, key.data, key.size);
        for (uint16_t i = 0; i < m->code_count && !used; i++) {
            used = memcmp(m->codes[i].bytes, value.data + 1, TW_HASH_SIZE) == 0;
        }
        if (used) TW_TRY(want(m->wanted, &from));
        tw_key_u8(&from, 0);
    }
}

/* Entries as a list, each with the number of the fact that has its module. */
static tw_status place_entries(making *m)
{
    uint16_t numbers[CODES_MAX] = {0};
    tw_witness *witness = m->witness;
    for (uint16_t i = 0; i < m->code_count; i++) {
        const tw_key key = tw_key_of(TW_SPACE_CODE, &m->codes[i]);
        const tw_witness_fact *fact = tw_witness_find(witness, tw_key_bytes(&key));
        if (fact == NULL || !fact->found) return TW_ERR_CORRUPT;
        numbers[i] = (uint16_t)(fact - witness->facts);
    }
    const char *bytes = tw_arena_copy(m->arena, m->entries.data, m->entries.size);
    witness->entries = TW_NEW_ARRAY(m->arena, tw_witness_entry, m->entry_count);
    if (bytes == NULL || witness->entries == NULL) return TW_ERR_MEMORY;
    witness->entry_count = m->entry_count;
    witness->history = true;
    tw_reader r = tw_reader_of(tw_bytes_of(bytes, m->entries.size));
    for (uint32_t i = 0; i < m->entry_count; i++) {
        witness->entries[i].code = numbers[tw_read_u16(&r)];
        witness->entries[i].bytes = tw_read_long(&r, UINT32_MAX);
    }
    assert(tw_reader_done(&r));
    return TW_OK;
}

/* What was found is what the record says, or there is no proof: without the blocks before a
 * snapshot it may not be all, and a thing may be gone that has entries in the blocks. */
static tw_status check_all_are_there(making *m, tw_err *err)
{
    tw_contract *c = NULL;
    tw_err why = {0};
    TW_TRY(tw_ledger_contract(m->ledger, &m->of->contract, m->arena, &c, err));
    const tw_status status = tw_witness_check_history(m->witness, c->code->module, &why);
    if (status != TW_REFUSED_ARGUMENT) return status;
    if (!m->witness->facts[0].found) {
        return tw_err_set(err, TW_REFUSED_NOT_FOUND,
                          "there is no thing of this key: a history can be proved of one that is "
                          "there; `twvm history` without --prove tells what the blocks have of it");
    }
    if (m->ledger->base > 0) return partly_gone(m, err);
    return tw_err_set(err, TW_ERR_CORRUPT, "the blocks and the state do not agree: %s", why.text);
}

static tw_status make_history(making *m, tw_err *err)
{
    const tw_key key = m->of->thing ? m->of->record : tw_key_of(TW_SPACE_CONTROL, &m->of->contract);
    TW_TRY(first_key(m->wanted, tw_key_bytes(&key), err));
    TW_TRY(want_help(m->ledger, m->wanted, true));
    TW_TRY(take_entries(m, err));
    TW_TRY(want_versions(m));
    TW_TRY(fill(m->ledger, m->wanted, m->arena, m->witness));
    TW_TRY(place_entries(m));
    return check_all_are_there(m, err);
}

tw_status tw_ledger_prove_history(tw_ledger *l, const tw_history_of *of, tw_arena *arena,
                                  tw_witness *ret_witness, tw_err *err)
{
    TW_TRY(begin(l, err));
    tw_witness witness = {0};
    making *m = TW_NEW(arena, making);
    wanted *list = TW_NEW(arena, wanted);
    if (m == NULL || list == NULL) return said(TW_ERR_MEMORY, err);
    *m = (making){.ledger = l, .arena = arena, .wanted = list, .witness = &witness, .of = of};
    m->entries = tw_writer_new(TW_WITNESS_SIZE_MAX);
    const tw_status status = make_history(m, err);
    tw_writer_free(&m->entries);
    if (status == TW_OK) *ret_witness = witness;
    return said(status, err);
}
