/* request -- transactions and packs made by clients of the public header: what is wanted, as a
 * struct of plain values, becomes canonical signed bytes in the caller's memory.
 *
 * Called through twvm.h only. Everything is checked here that tx.c takes for granted; what a ledger
 * would refuse for its bytes alone is refused where the bytes are taken apart again.
 */
#include "vm/isa/container.h"
#include "vm/ledger/node.h"

#include <string.h>

/* The machine's form of it: borrows from the request, and from `spends`. */
static tw_status to_tx(const tw_request *o, tw_spend spends[TW_SPENDS_MAX], tw_tx *ret_tx)
{
    const bool known = (int)o->kind >= TW_TX_DEPLOY && (int)o->kind <= TW_TX_FUEL;
    if (!known || o->signer_count == 0) return TW_REFUSED_ARGUMENT;
    if (o->signer_count > TW_TX_SIGNERS_MAX || o->spend_count > TW_SPENDS_MAX) {
        return TW_REFUSED_LIMIT;
    }
    const char *action = o->action != NULL ? o->action : "";
    for (uint16_t i = 0; i < o->spend_count; i++) {
        spends[i] = (tw_spend){o->spends[i].asset, o->spends[i].most};
    }
    *ret_tx = (tw_tx){
        .kind = (uint8_t)o->kind,
        .chain = o->chain,
        .signer_count = o->signer_count,
        .nonce = o->nonce,
        .gas_limit = o->gas_limit,
        .module = o->module,
        .roles = (tw_tx_role *)(uintptr_t)o->roles, /* read only */
        .role_count = o->role_count,
        .params = (tw_tx_param *)(uintptr_t)o->params, /* the same */
        .param_count = o->param_count,
        .currencies = o->currencies,
        .currency_count = o->currency_count,
        .contract = o->contract,
        .entry = tw_bytes_of(action, strlen(action)),
        .arguments = o->arguments,
        .spends = spends,
        .spend_count = o->spend_count,
        .pack = o->pack,
        .payee = o->payee,
        .asset = o->asset,
        .amount = o->amount,
    };
    memcpy(ret_tx->signers, o->signers, o->signer_count * sizeof o->signers[0]);
    return TW_OK;
}

tw_status tw_request_sign(const tw_request *request, const tw_secret *secrets, uint8_t *memory,
                          size_t memory_size, size_t *ret_size, tw_hash *ret_id)
{
    tw_tx tx;
    tw_hash id;
    tw_spend spends[TW_SPENDS_MAX];
    tw_writer w = tw_writer_fixed(memory, memory_size);
    TW_TRY(to_tx(request, spends, &tx));
    TW_TRY(tw_tx_encode(&tx, secrets, &w, &id));
    *ret_size = w.size;
    if (ret_id != NULL) *ret_id = id;
    return TW_OK;
}

/* The request as the ledger would see it: encoded without signatures, and taken apart again. The
 * parts are in `arena` and in the writer. */
static tw_status as_seen(const tw_request *request, tw_writer *w, tw_arena *arena, tw_tx *ret_tx)
{
    tw_tx tx;
    tw_hash id;
    tw_spend spends[TW_SPENDS_MAX];
    if (arena == NULL) return TW_ERR_MEMORY;
    TW_TRY(to_tx(request, spends, &tx));
    TW_TRY(tw_tx_encode(&tx, NULL, w, &id));
    return tw_tx_decode(tw_writer_bytes(w), arena, ret_tx);
}

tw_status tw_file_module(tw_bytes file, tw_bytes *ret_module, tw_err *err)
{
    tw_bytes map;
    return tw_container_read(file, ret_module, &map, err);
}

tw_status tw_request_contract(const tw_request *request, tw_hash *ret_id)
{
    tw_tx tx;
    if (request->kind != TW_TX_DEPLOY) return TW_REFUSED_ARGUMENT;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_arena *arena = tw_arena_new(TW_LEDGER_ARENA_MAX);
    const tw_status status = as_seen(request, &w, arena, &tx);
    if (status == TW_OK) *ret_id = tw_tx_contract_id(&tx);
    tw_arena_free(arena);
    tw_writer_free(&w);
    return status;
}

tw_status tw_ledger_request_gas(tw_ledger *l, const tw_request *request, uint64_t *ret_gas,
                                tw_err *err)
{
    tw_tx tx;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_arena *arena = tw_arena_new(TW_LEDGER_ARENA_MAX);
    tw_status status = as_seen(request, &w, arena, &tx);
    if (status != TW_OK) {
        (void)tw_err_set(err, status, "this makes no transaction: %s", tw_status_text(status));
    } else {
        status = tw_ledger_gas_bound(l, &tx, w.size, ret_gas, err);
    }
    tw_arena_free(arena);
    tw_writer_free(&w);
    return status;
}

tw_status tw_pack_sign(const tw_pack *pack, const tw_hash *chain, const tw_secret *secret,
                       uint8_t *memory, size_t memory_size, size_t *ret_size)
{
    tw_writer w = tw_writer_fixed(memory, memory_size);
    if (pack->field_count > TW_PACK_FIELDS_MAX || pack->item_count > TW_PACK_READINGS_MAX) {
        return TW_REFUSED_LIMIT;
    }
    TW_TRY(tw_pack_encode(pack, chain, secret, &w));
    *ret_size = w.size;
    return TW_OK;
}
