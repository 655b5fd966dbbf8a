/* fees -- what gas costs, who pays it and who gets it; money that moves without a contract.
 *
 * On a ledger with a gas price a sender is charged for his whole gas limit before the transaction
 * runs, so what runs cannot spend it, and gets back what was not used after; what was used goes to
 * the account that the genesis names. Timers, and edges handed over at a block's start, are paid
 * from their contract's fuel, which is an amount of the fee asset:
 *
 *     FUEL | contract -> amount (vm/exec/bank.h)
 *
 * Nothing is made or destroyed: balances, purses and fuel together stay what there is. Called by
 * block.c around each transaction, by due.c for what the clock starts, by execute.c for its kinds.
 */
#include "vm/ledger/node.h"

#include "vm/base/math.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

/* ---- what gas costs ---- */

bool tw_ledger_fee(const tw_ledger *l, uint64_t gas, int64_t *ret_fee)
{
    const tw_int128 product = (tw_int128)gas * l->genesis.gas_price; /* below 2^127 */
    return tw_div_round(product, TW_PRICED_GAS, TW_ROUND_UP, ret_fee);
}

const tw_hash *tw_ledger_fee_asset(const tw_ledger *l)
{
    return l->genesis.gas_price > 0 ? &l->fee_asset : NULL;
}

/* Amounts that were looked at before: that one is too small or too large is our mistake. */
static tw_status change(tw_ledger *l, const tw_key *key, int64_t by)
{
    int64_t after = 0;
    const tw_status status = tw_bank_change(l->overlay, key, by, &after);
    return status == TW_OK || tw_status_is_host_failure(status) ? status : TW_ERR_INTERNAL;
}

static tw_status collect(tw_ledger *l, int64_t fee)
{
    const tw_key key = tw_bank_balance_key(&l->fee_asset, &l->genesis.fee_account);
    return change(l, &key, fee);
}

/* ---- transactions ---- */

tw_status tw_node_fee_check(tw_ledger *l, const tw_tx *tx, tw_err *err)
{
    int64_t fee = 0;
    int64_t has = 0;
    if (l->genesis.gas_price == 0) return TW_OK;
    TW_TRY(tw_ledger_balance(l, &l->fee_asset, &tx->signers[0], &has));
    if (tw_ledger_fee(l, tx->gas_limit, &fee) && fee <= has) return TW_OK;
    return tw_err_set(err, TW_REFUSED_FEE,
                      "the sender has %lld of the fee asset's smallest unit, and a gas limit of "
                      "%llu may cost more",
                      (long long)has, (unsigned long long)tx->gas_limit);
}

tw_status tw_node_fee_hold(tw_ledger *l, const tw_tx *tx)
{
    int64_t fee = 0;
    if (l->genesis.gas_price == 0) return TW_OK;
    const tw_key key = tw_bank_balance_key(&l->fee_asset, &tx->signers[0]);
    if (!tw_ledger_fee(l, tx->gas_limit, &fee)) return TW_ERR_INTERNAL;
    return change(l, &key, -fee);
}

tw_status tw_node_fee_settle(tw_ledger *l, const tw_tx *tx, uint64_t gas, int64_t *ret_fee)
{
    int64_t held = 0;
    *ret_fee = 0;
    if (l->genesis.gas_price == 0) return TW_OK;
    const tw_key key = tw_bank_balance_key(&l->fee_asset, &tx->signers[0]);
    if (!tw_ledger_fee(l, tx->gas_limit, &held)) return TW_ERR_INTERNAL;
    if (!tw_ledger_fee(l, gas, ret_fee) || *ret_fee > held) return TW_ERR_INTERNAL;
    TW_TRY(change(l, &key, held - *ret_fee));
    return collect(l, *ret_fee);
}

/* ---- fuel ---- */

tw_status tw_ledger_fuel(tw_ledger *l, const tw_hash *contract, int64_t *ret_amount)
{
    const tw_key key = tw_key_of(TW_SPACE_FUEL, contract);
    return tw_bank_amount(l->overlay, &key, ret_amount);
}

tw_status tw_node_fuel_covers(tw_ledger *l, const tw_hash *contract, uint64_t gas, bool *ret_covers)
{
    int64_t fuel = 0;
    int64_t fee = 0;
    TW_TRY(tw_ledger_fuel(l, contract, &fuel));
    *ret_covers = tw_ledger_fee(l, gas, &fee) && fee <= fuel;
    return TW_OK;
}

tw_status tw_node_fuel_pay(tw_ledger *l, const tw_hash *contract, uint64_t gas, int64_t *ret_fee)
{
    *ret_fee = 0;
    if (l->genesis.gas_price == 0) return TW_OK;
    const tw_key key = tw_key_of(TW_SPACE_FUEL, contract);
    if (!tw_ledger_fee(l, gas, ret_fee)) return TW_ERR_INTERNAL;
    TW_TRY(change(l, &key, -*ret_fee));
    return collect(l, *ret_fee);
}

/* ---- the kinds of transaction that move money themselves ---- */

static uint64_t amount_gas(void)
{
    return tw_cost_read(3, 3 * TW_AMOUNT_SIZE) + tw_cost_write(2, 2 * TW_AMOUNT_SIZE);
}

/* From the sender's balance to another amount of the state; NotEnough is an outcome. */
static tw_status move(tw_ledger *l, const tw_hash *asset, const tw_tx *tx, const tw_key *to,
                      tw_run *run)
{
    int64_t after = 0;
    const tw_key from = tw_bank_balance_key(asset, &tx->signers[0]);
    const tw_status status = tw_bank_change(l->overlay, &from, -tx->amount, &after);
    if (tw_status_is_host_failure(status)) return status;
    run->status = status;
    return status == TW_OK ? change(l, to, tx->amount) : TW_OK;
}

tw_status tw_node_transfer(tw_ledger *l, const tw_tx *tx, tw_run *run)
{
    tw_hash id;
    tw_hash code;
    bool contract = false;
    run->gas += amount_gas();
    memcpy(id.bytes, tx->payee.bytes, sizeof id.bytes);
    TW_TRY(tw_contract_find(l->overlay, &id, &code, &contract));
    run->status = TW_TX_BAD_PAYEE;
    if (contract || !tw_known_is_valid(l->known, &tx->payee)) return TW_OK;
    const tw_key to = tw_bank_balance_key(&tx->asset, &tx->payee);
    return move(l, &tx->asset, tx, &to, run);
}

uint64_t tw_node_transfer_bound(void)
{
    return amount_gas();
}

tw_status tw_node_fuel(tw_ledger *l, const tw_tx *tx, tw_run *run, tw_err *err)
{
    tw_contract *c = NULL;
    bool found = false;
    run->gas += amount_gas();
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    run->status = TW_TX_NO_CONTRACT;
    if (!found) return TW_OK;
    run->contract = c->id;
    run->status = TW_TX_NO_FEES;
    if (l->genesis.gas_price == 0) return TW_OK;
    const tw_key to = tw_key_of(TW_SPACE_FUEL, &c->id);
    TW_TRY(move(l, &l->fee_asset, tx, &to, run));
    return run->status == TW_OK ? tw_node_file_again(l, c, &run->gas) : TW_OK;
}

tw_status tw_node_fuel_bound(tw_ledger *l, const tw_tx *tx, uint64_t *ret_gas, tw_err *err)
{
    tw_contract *c = NULL;
    bool found = false;
    *ret_gas = amount_gas();
    TW_TRY(tw_node_contract(l, &tx->contract, &c, &found, err));
    if (found) *ret_gas = tw_cost_add(*ret_gas, tw_node_filing_gas(c->code->module));
    return TW_OK;
}
