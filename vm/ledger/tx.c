/* tx -- see the header. Decoding refuses everything that is not the one encoding: order of signers
 * and of lists, sizes, trailing bytes. */
#include "vm/ledger/tx.h"

#include "vm/isa/isa.h"

#include <assert.h>
#include <string.h>

enum { ROLES_MAX = TW_ROLES_MAX, PARAMS_MAX = TW_PARAMS_MAX };

static void write_accounts(tw_writer *w, const tw_account *accounts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tw_write_raw(w, accounts[i].bytes, sizeof accounts[i].bytes);
    }
}

static void write_deploy(const tw_tx *tx, tw_writer *w)
{
    tw_write_long(w, tx->module);
    tw_write_u16(w, tx->role_count);
    for (uint16_t i = 0; i < tx->role_count; i++) {
        tw_write_u16(w, tx->roles[i].count);
        write_accounts(w, tx->roles[i].members, tx->roles[i].count);
    }
    tw_write_u16(w, tx->param_count);
    for (uint16_t i = 0; i < tx->param_count; i++) {
        tw_write_u16(w, tx->params[i].index);
        tw_write_short(w, tx->params[i].value);
    }
    tw_write_u16(w, tx->currency_count);
    for (uint16_t i = 0; i < tx->currency_count; i++) {
        tw_write_raw(w, tx->currencies[i].bytes, TW_HASH_SIZE);
    }
}

static void write_call(const tw_tx *tx, tw_writer *w)
{
    tw_write_raw(w, tx->contract.bytes, TW_HASH_SIZE);
    tw_write_short(w, tx->entry);
    tw_write_long(w, tx->arguments);
    tw_write_u16(w, tx->spend_count);
    for (uint16_t i = 0; i < tx->spend_count; i++) {
        tw_write_raw(w, tx->spends[i].asset.bytes, TW_HASH_SIZE);
        tw_write_i64(w, tx->spends[i].most);
    }
}

static void write_body(const tw_tx *tx, tw_writer *w)
{
    tw_write_u8(w, TW_TX_FORMAT);
    tw_write_u8(w, tx->kind);
    tw_write_raw(w, tx->chain.bytes, TW_HASH_SIZE);
    tw_write_u8(w, tx->signer_count);
    write_accounts(w, tx->signers, tx->signer_count);
    tw_write_u64(w, tx->nonce);
    tw_write_u64(w, tx->gas_limit);
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_DEPLOY: write_deploy(tx, w); break;
    case TW_TX_CALL: write_call(tx, w); break;
    case TW_TX_PACK: tw_write_long(w, tx->pack); break;
    case TW_TX_UPGRADE:
        tw_write_raw(w, tx->contract.bytes, TW_HASH_SIZE);
        tw_write_long(w, tx->module);
        break;
    case TW_TX_TRANSFER:
        tw_write_raw(w, tx->payee.bytes, sizeof tx->payee.bytes);
        tw_write_raw(w, tx->asset.bytes, TW_HASH_SIZE);
        tw_write_i64(w, tx->amount);
        break;
    case TW_TX_TICK: tw_write_raw(w, tx->contract.bytes, TW_HASH_SIZE); break;
    case TW_TX_FUEL:
        tw_write_raw(w, tx->contract.bytes, TW_HASH_SIZE);
        tw_write_i64(w, tx->amount);
        break;
    }
}

static tw_hash body_id(tw_bytes body)
{
    return tw_hash_tagged("twvm/tx", &body, 1);
}

static tw_status why_bad(const tw_writer *w)
{
    return w->starved ? TW_ERR_MEMORY : TW_REFUSED_LIMIT;
}

tw_status tw_tx_encode(const tw_tx *tx, const tw_secret *secrets, tw_writer *w, tw_hash *ret_id)
{
    assert(tx->signer_count >= 1 && tx->signer_count <= TW_TX_SIGNERS_MAX);
    const size_t start = w->size;
    write_body(tx, w);
    if (w->bad) return why_bad(w);
    *ret_id = body_id(tw_bytes_of(w->data + start, w->size - start));
    for (uint8_t i = 0; i < tx->signer_count; i++) {
        tw_signature signature = {{0}};
        const tw_secret *secret = secrets != NULL ? &secrets[i] : NULL;
        if (secret != NULL && !tw_sign(secret, ret_id, &signature)) return TW_REFUSED_KEY;
        tw_write_raw(w, signature.bytes, sizeof signature.bytes);
    }
    if (w->bad) return why_bad(w);
    return w->size - start > TW_TX_SIZE_MAX ? TW_REFUSED_LIMIT : TW_OK;
}

static tw_status read_signers(tw_reader *r, tw_tx *tx)
{
    tx->signer_count = tw_read_u8(r);
    if (tx->signer_count == 0 || tx->signer_count > TW_TX_SIGNERS_MAX) return TW_REFUSED_LIMIT;
    for (uint8_t i = 0; i < tx->signer_count; i++) {
        tw_read_copy(r, tx->signers[i].bytes, sizeof tx->signers[i].bytes);
        const bool ascending =
            i < 2 || tw_account_compare(&tx->signers[i - 1], &tx->signers[i]) < 0;
        const bool repeated = i > 0 && tw_account_equal(&tx->signers[0], &tx->signers[i]);
        if (!ascending || repeated) return TW_REFUSED_ENCODING;
    }
    return TW_OK;
}

static tw_status read_roles(tw_reader *r, tw_arena *arena, tw_tx *tx)
{
    tx->role_count = tw_read_u16(r);
    if (tx->role_count > ROLES_MAX) return TW_REFUSED_LIMIT;
    tx->roles = TW_NEW_ARRAY(arena, tw_tx_role, tx->role_count);
    if (tx->roles == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < tx->role_count; i++) {
        const uint16_t count = tw_read_u16(r);
        const uint8_t *raw = tw_read_raw(r, count * sizeof(tw_account));
        if (raw == NULL) return TW_REFUSED_ENCODING;
        tw_account *members = TW_NEW_ARRAY(arena, tw_account, count);
        if (members == NULL) return TW_ERR_MEMORY;
        memcpy(members, raw, count * sizeof(tw_account));
        for (uint16_t k = 1; k < count; k++) {
            if (tw_account_compare(&members[k - 1], &members[k]) >= 0) return TW_REFUSED_ENCODING;
        }
        tx->roles[i] = (tw_tx_role){members, count};
    }
    return TW_OK;
}

static tw_status read_currencies(tw_reader *r, tw_arena *arena, tw_tx *tx)
{
    tx->currency_count = tw_read_u16(r);
    if (tx->currency_count > TW_MONIES_MAX) return TW_REFUSED_LIMIT;
    tw_hash *assets = TW_NEW_ARRAY(arena, tw_hash, tx->currency_count);
    if (assets == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < tx->currency_count; i++) {
        tw_read_copy(r, assets[i].bytes, TW_HASH_SIZE);
    }
    tx->currencies = assets;
    return TW_OK;
}

static tw_status read_call(tw_reader *r, tw_arena *arena, tw_tx *tx)
{
    tw_read_copy(r, tx->contract.bytes, TW_HASH_SIZE);
    tx->entry = tw_read_short(r, TW_NAME_SIZE_MAX);
    tx->arguments = tw_read_long(r, UINT16_MAX);
    tx->spend_count = tw_read_u16(r);
    if (tx->spend_count > TW_SPENDS_MAX) return TW_REFUSED_LIMIT;
    tw_spend *spends = TW_NEW_ARRAY(arena, tw_spend, tx->spend_count);
    if (spends == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < tx->spend_count; i++) {
        tw_read_copy(r, spends[i].asset.bytes, TW_HASH_SIZE);
        spends[i].most = tw_read_i64(r);
        const bool ascending =
            i == 0 || memcmp(spends[i - 1].asset.bytes, spends[i].asset.bytes, TW_HASH_SIZE) < 0;
        if (!ascending || spends[i].most <= 0) return TW_REFUSED_ENCODING;
    }
    tx->spends = spends;
    return TW_OK;
}

static tw_status read_deploy(tw_reader *r, tw_arena *arena, tw_tx *tx)
{
    tx->module = tw_read_long(r, TW_MODULE_SIZE_MAX);
    const size_t start = r->at;
    TW_TRY(read_roles(r, arena, tx));
    tx->param_count = tw_read_u16(r);
    if (tx->param_count > PARAMS_MAX) return TW_REFUSED_LIMIT;
    tx->params = TW_NEW_ARRAY(arena, tw_tx_param, tx->param_count);
    if (tx->params == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < tx->param_count; i++) {
        tx->params[i].index = tw_read_u16(r);
        tx->params[i].value = tw_read_short(r, UINT16_MAX);
        if (i > 0 && tx->params[i].index <= tx->params[i - 1].index) return TW_REFUSED_ENCODING;
    }
    TW_TRY(read_currencies(r, arena, tx));
    if (r->bad) return TW_REFUSED_ENCODING;
    tx->deploy_arguments = tw_bytes_of(r->data + start, r->at - start);
    return TW_OK;
}

static tw_status read_amount(tw_reader *r, tw_tx *tx)
{
    tx->amount = tw_read_i64(r);
    return tx->amount > 0 ? TW_OK : TW_REFUSED_ENCODING;
}

static tw_status read_payload(tw_reader *r, tw_arena *arena, tw_tx *tx)
{
    switch ((tw_tx_kind)tx->kind) {
    case TW_TX_DEPLOY: return read_deploy(r, arena, tx);
    case TW_TX_CALL: return read_call(r, arena, tx);
    case TW_TX_PACK: tx->pack = tw_read_long(r, TW_TX_SIZE_MAX); return TW_OK;
    case TW_TX_UPGRADE:
        tw_read_copy(r, tx->contract.bytes, TW_HASH_SIZE);
        tx->module = tw_read_long(r, TW_MODULE_SIZE_MAX);
        return TW_OK;
    case TW_TX_TRANSFER:
        tw_read_copy(r, tx->payee.bytes, sizeof tx->payee.bytes);
        tw_read_copy(r, tx->asset.bytes, TW_HASH_SIZE);
        return read_amount(r, tx);
    case TW_TX_TICK: tw_read_copy(r, tx->contract.bytes, TW_HASH_SIZE); return TW_OK;
    case TW_TX_FUEL: tw_read_copy(r, tx->contract.bytes, TW_HASH_SIZE); return read_amount(r, tx);
    }
    return TW_REFUSED_ENCODING;
}

tw_status tw_tx_decode(tw_bytes bytes, tw_arena *arena, tw_tx *ret_tx)
{
    tw_tx tx = {0};
    if (bytes.size > TW_TX_SIZE_MAX) return TW_REFUSED_LIMIT;
    tw_reader r = tw_reader_of(bytes);
    if (tw_read_u8(&r) != TW_TX_FORMAT) return TW_REFUSED_ENCODING;
    tx.kind = tw_read_u8(&r);
    tw_read_copy(&r, tx.chain.bytes, TW_HASH_SIZE);
    TW_TRY(read_signers(&r, &tx));
    tx.nonce = tw_read_u64(&r);
    tx.gas_limit = tw_read_u64(&r);
    TW_TRY(read_payload(&r, arena, &tx));
    if (r.bad) return TW_REFUSED_ENCODING;
    tx.id = body_id(tw_bytes_of(bytes.data, r.at));
    tx.size = bytes.size;
    tx.signatures = tw_read_raw(&r, tx.signer_count * sizeof(tw_signature));
    if (!tw_reader_done(&r)) return TW_REFUSED_ENCODING;
    *ret_tx = tx;
    return TW_OK;
}

tw_status tw_tx_check_signatures(const tw_tx *tx, tw_known *known)
{
    for (uint8_t i = 0; i < tx->signer_count; i++) {
        tw_signature signature;
        memcpy(signature.bytes, tx->signatures + i * sizeof signature, sizeof signature);
        if (!tw_known_verify(known, &tx->signers[i], &tx->id, &signature)) {
            return TW_REFUSED_SIGNATURE;
        }
    }
    return TW_OK;
}

tw_hash tw_tx_contract_id(const tw_tx *tx)
{
    uint8_t nonce[8];
    tw_store_u64(nonce, tx->nonce);
    const tw_hash module = tw_sha256(tx->module.data, tx->module.size);
    const tw_bytes parts[] = {
        {tx->chain.bytes, TW_HASH_SIZE},
        {tx->signers[0].bytes, sizeof tx->signers[0].bytes},
        {nonce, sizeof nonce},
        {module.bytes, TW_HASH_SIZE},
        tx->deploy_arguments,
    };
    return tw_hash_tagged("twvm/id", parts, sizeof parts / sizeof parts[0]);
}

/* ---- packs ---- */

static tw_hash pack_hash(const tw_hash *chain, tw_bytes unsigned_bytes)
{
    const tw_bytes parts[] = {{chain->bytes, TW_HASH_SIZE}, unsigned_bytes};
    return tw_hash_tagged("twvm/pack", parts, 2);
}

tw_status tw_pack_encode(const tw_pack *pack, const tw_hash *chain, const tw_secret *secret,
                         tw_writer *w)
{
    const size_t start = w->size;
    tw_write_raw(w, pack->contract.bytes, TW_HASH_SIZE);
    tw_write_raw(w, pack->device.bytes, sizeof pack->device.bytes);
    tw_write_u64(w, pack->grant);
    tw_write_u64(w, pack->sequence);
    tw_write_u8(w, pack->field_count);
    for (uint8_t i = 0; i < pack->field_count; i++) tw_write_short(w, pack->fields[i]);
    tw_write_u16(w, pack->item_count);
    for (uint16_t i = 0; i < pack->item_count; i++) {
        tw_write_u8(w, pack->items[i].field);
        tw_write_i64(w, pack->items[i].time);
        tw_write_i64(w, pack->items[i].value);
    }
    if (w->bad) return why_bad(w);
    const tw_hash hash = pack_hash(chain, tw_bytes_of(w->data + start, w->size - start));
    tw_signature signature = {{0}};
    if (secret != NULL && !tw_sign(secret, &hash, &signature)) return TW_REFUSED_KEY;
    tw_write_raw(w, signature.bytes, sizeof signature.bytes);
    return w->bad ? why_bad(w) : TW_OK;
}

static tw_status read_items(tw_reader *r, tw_arena *arena, tw_pack *pack)
{
    pack->item_count = tw_read_u16(r);
    if (pack->item_count == 0 || pack->item_count > TW_PACK_READINGS_MAX) return TW_REFUSED_LIMIT;
    if (tw_reader_left(r) < 17u * pack->item_count) return TW_REFUSED_ENCODING;
    pack->items = TW_NEW_ARRAY(arena, tw_pack_item, pack->item_count);
    if (pack->items == NULL) return TW_ERR_MEMORY;
    const int64_t time_end = (int64_t)1 << TW_RANGE_BITS;
    for (uint16_t i = 0; i < pack->item_count; i++) {
        tw_pack_item *item = &pack->items[i];
        item->field = tw_read_u8(r);
        item->time = tw_read_i64(r);
        item->value = tw_read_i64(r);
        if (item->field >= pack->field_count || item->time < 0 || item->time >= time_end) {
            return TW_REFUSED_ENCODING;
        }
    }
    return TW_OK;
}

tw_status tw_pack_decode(tw_bytes bytes, const tw_hash *chain, tw_arena *arena, tw_pack *ret_pack)
{
    tw_pack pack = {0};
    tw_reader r = tw_reader_of(bytes);
    tw_read_copy(&r, pack.contract.bytes, TW_HASH_SIZE);
    tw_read_copy(&r, pack.device.bytes, sizeof pack.device.bytes);
    pack.grant = tw_read_u64(&r);
    pack.sequence = tw_read_u64(&r);
    pack.field_count = tw_read_u8(&r);
    if (pack.field_count == 0 || pack.field_count > TW_PACK_FIELDS_MAX) return TW_REFUSED_LIMIT;
    for (uint8_t i = 0; i < pack.field_count; i++) {
        pack.fields[i] = tw_read_short(&r, 4 * TW_NAME_SIZE_MAX);
    }
    TW_TRY(read_items(&r, arena, &pack));
    if (r.bad) return TW_REFUSED_ENCODING;
    pack.hash = pack_hash(chain, tw_bytes_of(bytes.data, r.at));
    tw_read_copy(&r, pack.signature.bytes, sizeof pack.signature.bytes);
    if (!tw_reader_done(&r)) return TW_REFUSED_ENCODING;
    *ret_pack = pack;
    return TW_OK;
}
