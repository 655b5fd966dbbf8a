/* bank -- who has how much of which asset: the records of balances, purses and assets.
 *
 * Called by the instructions that move money (purse.c) and by the ledger (genesis, deploy). Every
 * amount of the state, of a balance or a purse, is written by tw_bank_change alone, and is never
 * below zero: an amount of zero has no record. What balances, purses and fuel (vm/ledger) hold of
 * an asset together is what its record says there is; who makes or destroys some says so with
 * tw_bank_supply.
 *
 *     amount: tag | u64
 *     asset:  tag | u8 decimals | u64 how much there is | contract 32, whose token it is, or zero |
 *             u16 size, name
 *
 * An asset is known by the tagged hash "twvm/asset" of 0 | u16 size, name of the chain | name of
 * the asset, or, a token, of 1 | contract 32 | name of the token.
 */
#ifndef TW_EXEC_BANK_H
#define TW_EXEC_BANK_H

#include "vm/exec/keys.h"
#include "vm/isa/module.h"
#include "vm/state/overlay.h"

typedef struct tw_asset {
    tw_hash id;
    tw_hash contract; /* whose token it is; zero for one of the chain */
    char name[TW_NAME_SIZE_MAX + 1];
    uint8_t decimals;
    int64_t supply; /* how much there is */
} tw_asset;

/* The most that a transaction may take of an asset from its sender. */
typedef struct tw_spend {
    tw_hash asset;
    int64_t most;
} tw_spend;

tw_hash tw_bank_chain_asset(const char *chain, const char *name);
tw_hash tw_bank_token(const tw_hash *contract, const char *name);

tw_key tw_bank_balance_key(const tw_hash *asset, const tw_account *account);
/* An amount of the state: 0 where there is no record. */
TW_MUST_USE tw_status tw_bank_amount(tw_overlay *overlay, const tw_key *key, int64_t *ret_amount);

/* Adds `change`, which may be negative, to an amount of the state. Traps NotEnough, Overflow. */
TW_MUST_USE tw_status tw_bank_change(tw_overlay *overlay, const tw_key *key, int64_t change,
                                     int64_t *ret_amount);

TW_MUST_USE tw_status tw_bank_asset(tw_overlay *overlay, const tw_hash *id, tw_asset *ret_asset,
                                    bool *ret_found);
/* The one way to give an asset its name. TW_ERR_INTERNAL over TW_NAME_SIZE_MAX bytes, which no
 * verified module's money (V214) and no genesis has; the asset is then as it was. */
TW_MUST_USE tw_status tw_bank_set_name(tw_asset *asset, const char *name);
TW_MUST_USE tw_status tw_bank_save(tw_overlay *overlay, const tw_asset *asset);

/* Adds `change` to how much there is of an asset that exists. Traps Full over `most`. */
TW_MUST_USE tw_status tw_bank_supply(tw_overlay *overlay, const tw_hash *id, int64_t change,
                                     int64_t most);

#endif
