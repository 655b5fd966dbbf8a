/* tx -- transactions and packs of readings: canonical bytes, signatures, ids.
 *
 *     transaction: body | a signature of 64 bytes for each signer, in their order
 *     body:   u8 format | u8 kind | chain 32 | u8 signers | accounts 32: sender first, others
 *             ascending | u64 nonce | u64 gas limit | payload
 *     deploy: u32 size, module | u16 roles | per role: u16 count, accounts ascending |
 *             u16 params | per param: u16 index ascending, u16 size, value |
 *             u16 currencies | the asset 32 that each is, in the module's order
 *     call:   contract 32 | u16 size, entry name | u32 size, arguments |
 *             u16 assets | per asset, ascending: asset 32, u64 the most to take from the sender
 *     pack:   u32 size, pack
 *     upgrade: contract 32 | u32 size, module
 *     transfer: account 32 | asset 32 | u64 amount, 1 to 2^63 - 1
 *     tick:   contract 32
 *     fuel:   contract 32 | u64 amount of the fee asset, 1 to 2^63 - 1
 *
 *     pack:   contract 32 | device 32 | u64 grant | u64 sequence | u8 fields | per field: u16 size,
 *             name | u16 readings | per reading: u8 field, i64 time, i64 value | signature 64
 *
 * A signer signs the transaction's id: the tagged hash "twvm/tx" of the body. A device signs the
 * tagged hash "twvm/pack" of the chain's id and the pack's bytes before the signature. Used by
 * clients to make them and by the ledger to take them apart; decoding reads no state.
 */
#ifndef TW_LEDGER_TX_H
#define TW_LEDGER_TX_H

#include "vm/base/arena.h"
#include "vm/base/bytes.h"
#include "vm/base/hash.h"
#include "vm/base/sign.h"
#include "vm/exec/exec.h"

enum { TW_TX_FORMAT = 2 };

/* Parts of a transaction; bytes are borrowed from what it was decoded from, lists from the arena.
 */
typedef struct tw_tx {
    uint8_t kind;
    tw_hash chain;
    tw_account signers[TW_TX_SIGNERS_MAX];
    uint8_t signer_count;
    uint64_t nonce;
    uint64_t gas_limit;
    tw_bytes module; /* deploy, upgrade */
    tw_tx_role *roles;
    uint16_t role_count;
    tw_tx_param *params;
    uint16_t param_count;
    const tw_hash *currencies; /* the asset of each currency */
    uint16_t currency_count;
    tw_bytes deploy_arguments; /* the bytes of roles, params and currencies, as decoded */
    tw_hash contract;          /* call, upgrade, tick, fuel */
    tw_bytes entry;
    tw_bytes arguments;
    const tw_spend *spends; /* ascending by asset, each above 0 */
    uint16_t spend_count;
    tw_bytes pack;    /* pack */
    tw_account payee; /* transfer */
    tw_hash asset;
    int64_t amount; /* transfer, fuel; above 0 */
    /* decoded only: */
    tw_hash id;
    size_t size;
    const uint8_t *signatures;
} tw_tx;

/* Appends the whole transaction, signed by `secrets` in the order of tx->signers. NULL: unsigned,
 * with zeros in their place, for a ledger that looks at no signatures. TW_REFUSED_LIMIT: it is too
 * long. TW_REFUSED_KEY: a secret is none. TW_ERR_MEMORY: the writer found none. */
TW_MUST_USE tw_status tw_tx_encode(const tw_tx *tx, const tw_secret *secrets, tw_writer *w,
                                   tw_hash *ret_id);

/* Takes it apart. TW_REFUSED_ENCODING, TW_REFUSED_LIMIT. Signatures are not looked at. */
TW_MUST_USE tw_status tw_tx_decode(tw_bytes bytes, tw_arena *arena, tw_tx *ret_tx);

/* All signatures of a decoded transaction; `known` (vm/base/sign.h) may be NULL. Thread-safe. */
TW_MUST_USE tw_status tw_tx_check_signatures(const tw_tx *tx, tw_known *known);

/* The id a contract gets: tagged hash "twvm/id" of chain, deployer, nonce, module hash and deploy
 * arguments. */
tw_hash tw_tx_contract_id(const tw_tx *tx);

/* Appends a pack signed by the device's secret; NULL and errors as above. */
TW_MUST_USE tw_status tw_pack_encode(const tw_pack *pack, const tw_hash *chain,
                                     const tw_secret *secret, tw_writer *w);

/* Takes it apart. Times lie within 0 .. 2^52 - 1, each item names a field that is there. */
TW_MUST_USE tw_status tw_pack_decode(tw_bytes bytes, const tw_hash *chain, tw_arena *arena,
                                     tw_pack *ret_pack);

#endif
