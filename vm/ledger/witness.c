/* witness -- see the header. Nothing here reads a store: what is checked is checked from the bytes
 * and SHA-256 alone. */
#include "vm/ledger/witness.h"

#include "vm/exec/thing.h"
#include "vm/ledger/node.h"
#include "vm/ledger/notices.h"
#include "vm/state/proof.h"

#include <assert.h>
#include <string.h>

enum {
    FORMAT = 1,
    FACT_SIZE_MIN = 2 + 1 + 1 + 2, /* a key is never empty */
    ENTRY_SIZE_MIN = 2 + 4,
};

static const uint8_t magic[4] = {'T', 'W', 'P', 'F'};

static tw_hash end_hash(const uint8_t *data, size_t size)
{
    const tw_bytes whole = tw_bytes_of(data, size);
    return tw_hash_tagged("twvm/witness", &whole, 1);
}

void tw_witness_encode(const tw_witness *witness, tw_writer *w)
{
    uint8_t header[TW_HEADER_SIZE];
    const size_t start = w->size;
    tw_node_header(&witness->block, header);
    tw_write_raw(w, magic, sizeof magic);
    tw_write_u8(w, FORMAT);
    tw_write_raw(w, header, sizeof header);
    tw_write_u16(w, witness->fact_count);
    for (uint16_t i = 0; i < witness->fact_count; i++) {
        const tw_witness_fact *fact = &witness->facts[i];
        tw_write_short(w, fact->key);
        tw_write_u8(w, fact->found);
        if (fact->found) tw_write_long(w, fact->value);
        tw_write_short(w, fact->proof);
    }
    tw_write_u8(w, witness->history);
    if (witness->history) tw_write_u32(w, witness->entry_count);
    for (uint32_t i = 0; i < witness->entry_count; i++) {
        tw_write_u16(w, witness->entries[i].code);
        tw_write_long(w, witness->entries[i].bytes);
    }
    if (w->bad) return;
    const tw_hash hash = end_hash(w->data + start, w->size - start);
    tw_write_raw(w, hash.bytes, TW_HASH_SIZE);
}

/* ---- taking apart ---- */

static tw_status read_facts(tw_reader *r, tw_arena *arena, tw_witness *witness)
{
    const uint16_t count = tw_read_u16(r);
    if (r->bad || count == 0 || count > TW_WITNESS_FACTS_MAX ||
        count > tw_reader_left(r) / FACT_SIZE_MIN) {
        return TW_REFUSED_ENCODING;
    }
    witness->facts = TW_NEW_ARRAY(arena, tw_witness_fact, count);
    if (witness->facts == NULL) return TW_ERR_MEMORY;
    witness->fact_count = count;
    for (uint16_t i = 0; i < count; i++) {
        tw_witness_fact *fact = &witness->facts[i];
        fact->key = tw_read_short(r, TW_STORE_KEY_MAX);
        fact->found = tw_read_bool(r);
        if (fact->found) fact->value = tw_read_long(r, TW_STORE_VALUE_MAX);
        fact->proof = tw_read_short(r, TW_PROOF_SIZE_MAX);
        const bool ordered = i < 2 || tw_bytes_compare(fact[-1].key, fact->key) < 0;
        const bool again = i > 0 && tw_bytes_equal(witness->facts[0].key, fact->key);
        if (r->bad || fact->key.size == 0 || (fact->found && fact->value.size == 0) || !ordered ||
            again) {
            return TW_REFUSED_ENCODING;
        }
    }
    return TW_OK;
}

static tw_status read_entries(tw_reader *r, tw_arena *arena, tw_witness *witness)
{
    witness->history = tw_read_bool(r);
    const uint32_t count = witness->history ? tw_read_u32(r) : 0;
    if (r->bad || count > tw_reader_left(r) / ENTRY_SIZE_MIN) return TW_REFUSED_ENCODING;
    witness->entries = TW_NEW_ARRAY(arena, tw_witness_entry, count);
    if (witness->entries == NULL) return TW_ERR_MEMORY;
    witness->entry_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tw_witness_entry *entry = &witness->entries[i];
        entry->code = tw_read_u16(r);
        entry->bytes = tw_read_long(r, UINT32_MAX);
        if (r->bad || entry->code >= witness->fact_count) return TW_REFUSED_ENCODING;
    }
    return TW_OK;
}

tw_status tw_witness_decode(tw_bytes bytes, tw_arena *arena, tw_witness *ret_witness)
{
    tw_witness witness = {0};
    tw_hash end;
    if (bytes.size < sizeof magic + 1 + TW_HEADER_SIZE + TW_HASH_SIZE ||
        memcmp(bytes.data, magic, sizeof magic) != 0 || bytes.data[sizeof magic] != FORMAT) {
        return TW_REFUSED_ENCODING;
    }
    const size_t size = bytes.size - TW_HASH_SIZE;
    const tw_hash hash = end_hash(bytes.data, size);
    memcpy(end.bytes, bytes.data + size, TW_HASH_SIZE);
    if (!tw_hash_equal(&hash, &end)) return TW_REFUSED_ENCODING;
    tw_reader r = tw_reader_of(tw_bytes_of(bytes.data, size));
    (void)tw_read_raw(&r, sizeof magic + 1);
    if (tw_node_read_header(&r, &witness.block) != TW_OK) return TW_REFUSED_ENCODING;
    TW_TRY(read_facts(&r, arena, &witness));
    TW_TRY(read_entries(&r, arena, &witness));
    if (!tw_reader_done(&r)) return TW_REFUSED_ENCODING;
    *ret_witness = witness;
    return TW_OK;
}

/* ---- checking ---- */

static tw_status refuse(tw_err *err, const char *text)
{
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s", text);
}

tw_status tw_witness_check(const tw_witness *witness, const tw_hash *root, const tw_hash *block,
                           tw_err *err)
{
    assert(root != NULL || block != NULL);
    const tw_hash *own = &witness->block.state_root;
    if (block != NULL && !tw_hash_equal(block, &witness->block.hash)) {
        return refuse(err, "the proof is of another block than the one given");
    }
    if (root != NULL && !tw_hash_equal(root, own)) {
        return refuse(err, "the proof is against another state root than the one given");
    }
    for (uint16_t i = 0; i < witness->fact_count; i++) {
        const tw_witness_fact *fact = &witness->facts[i];
        if (tw_proof_check(fact->proof, own, fact->key, fact->found ? &fact->value : NULL)) {
            continue;
        }
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "the proof does not hold: its fact %u is not in the state of this root",
                          i);
    }
    return TW_OK;
}

const tw_witness_fact *tw_witness_find(const tw_witness *witness, tw_bytes key)
{
    for (uint16_t i = 0; i < witness->fact_count; i++) {
        if (tw_bytes_equal(witness->facts[i].key, key)) return &witness->facts[i];
    }
    return NULL;
}

bool tw_witness_contract(tw_bytes key, tw_hash *ret_id)
{
    const uint8_t space = key.size > 0 ? key.data[0] : 0;
    const bool late = space == TW_SPACE_TIMER || space == TW_SPACE_PENDING; /* behind a time */
    const size_t at = late ? 1 + 8 : 1;
    if (space < TW_SPACE_CONTRACT || space > TW_SPACE_FUEL || space == TW_SPACE_CODE ||
        key.size < at + TW_HASH_SIZE) {
        return false;
    }
    memcpy(ret_id->bytes, key.data + at, TW_HASH_SIZE);
    return true;
}

bool tw_witness_code(const tw_witness *witness, const tw_hash *contract, tw_hash *ret_code)
{
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, contract);
    const tw_witness_fact *fact = tw_witness_find(witness, tw_key_bytes(&key));
    if (fact == NULL || !fact->found || fact->value.size < 1 + TW_HASH_SIZE) return false;
    memcpy(ret_code->bytes, fact->value.data + 1, TW_HASH_SIZE);
    return true;
}

bool tw_witness_module(const tw_witness *witness, const tw_hash *code, tw_bytes *ret_module)
{
    const tw_key key = tw_key_of(TW_SPACE_CODE, code);
    const tw_witness_fact *fact = tw_witness_find(witness, tw_key_bytes(&key));
    if (fact == NULL || !fact->found || fact->value.size < 2) return false;
    *ret_module = tw_bytes_of(fact->value.data + 1, fact->value.size - 1);
    return true;
}

/* ---- history ---- */

/* Number and head of a chain, from the control record or the record of a thing. */
static tw_status read_chain(const tw_witness_fact *fact, const tw_module *module,
                            uint64_t *ret_count, tw_hash *ret_head, tw_err *err)
{
    tw_reader r = tw_reader_of(fact->value);
    if (fact->found && fact->key.data[0] == TW_SPACE_CONTROL) {
        (void)tw_read_raw(&r, 1 + 2 + 8 + 8); /* tag, phase, since, grants */
        *ret_count = tw_read_u64(&r);
        tw_read_copy(&r, ret_head->bytes, TW_HASH_SIZE);
        return r.bad ? refuse(err, "the contract's record is not whole") : TW_OK;
    }
    const size_t at = 1 + TW_HASH_SIZE;
    if (!fact->found || fact->key.data[0] != TW_SPACE_FIELD || fact->key.size <= at + 4) {
        return refuse(err, "the proof has entries of a history, but of nothing that has one");
    }
    if (module == NULL) {
        return refuse(err, "the history of a thing is only known as one by the contract's module");
    }
    const uint32_t id = tw_load_u32(fact->key.data + at);
    tw_thing thing;
    for (uint16_t i = 0; i < module->field_count; i++) {
        const tw_field *f = &module->fields[i];
        if (f->id != id || f->kind != TW_FIELD_REGISTRY) continue;
        if (tw_thing_parse(fact->value, &thing) != TW_OK) break;
        *ret_count = thing.histories;
        *ret_head = thing.history_head;
        return TW_OK;
    }
    return refuse(err, "the proof has entries of a history, but its key is no thing");
}

/* The entry's module is, or was, the contract's. */
static bool was_module(const tw_witness *witness, const tw_hash *contract, uint16_t number)
{
    const tw_witness_fact *code = &witness->facts[number];
    tw_hash own;
    if (!code->found || code->key.size != 1 + TW_HASH_SIZE || code->key.data[0] != TW_SPACE_CODE) {
        return false;
    }
    const uint8_t *hash = code->key.data + 1;
    if (tw_witness_code(witness, contract, &own) && memcmp(own.bytes, hash, TW_HASH_SIZE) == 0) {
        return true;
    }
    const tw_key past = tw_key_of(TW_SPACE_PAST, contract);
    for (uint16_t i = 0; i < witness->fact_count; i++) {
        const tw_witness_fact *fact = &witness->facts[i];
        if (fact->found && fact->key.size > past.size && fact->value.size == 1 + TW_HASH_SIZE &&
            memcmp(fact->key.data, past.data, past.size) == 0 &&
            memcmp(fact->value.data + 1, hash, TW_HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* One entry behind another; *hash is that of the one before, and becomes its own. */
static bool follows(const tw_witness_entry *entry, uint64_t number, uint8_t kind, tw_hash *hash)
{
    tw_reader r = tw_reader_of(entry->bytes);
    tw_notice_view view;
    if (!tw_notice_read(&r, &view) || !tw_reader_done(&r) || view.kind != kind) return false;
    if (view.number != number || !tw_hash_equal(&view.before, hash)) return false;
    *hash = tw_notice_hash(&view);
    return true;
}

tw_status tw_witness_check_history(const tw_witness *witness, const tw_module *module, tw_err *err)
{
    const tw_witness_fact *record = &witness->facts[0];
    tw_hash contract, head, hash = {{0}};
    uint64_t count = 0;
    if (!tw_witness_contract(record->key, &contract)) {
        return refuse(err, "the proof has entries of a history, but of no contract");
    }
    TW_TRY(read_chain(record, module, &count, &head, err));
    if (count != witness->entry_count) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the history has %llu entries, the file has %u",
                          (unsigned long long)count, witness->entry_count);
    }
    const bool thing = record->key.data[0] == TW_SPACE_FIELD;
    const uint8_t kind = thing ? TW_NOTICE_THING_HISTORY : TW_NOTICE_HISTORY;
    for (uint32_t i = 0; i < witness->entry_count; i++) {
        if (!follows(&witness->entries[i], i, kind, &hash)) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT,
                              "entry %u of the history does not follow the one before", i);
        }
        if (!was_module(witness, &contract, witness->entries[i].code)) {
            return tw_err_set(
                err, TW_REFUSED_ARGUMENT,
                "entry %u of the history names a module that was never the contract's", i);
        }
    }
    if (tw_hash_equal(&hash, &head)) return TW_OK;
    return refuse(err, "the last entry of the history is not the one in the record");
}
