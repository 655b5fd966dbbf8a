/* money_parts -- what the other commands need of cmd_money.c. */
#ifndef TW_RUNNER_MONEY_PARTS_H
#define TW_RUNNER_MONEY_PARTS_H

#include "vm/runner/command.h"

/* The --asset options of init: genesis->assets, with memory from `arena`. Makes the folder and the
 * keys that are not there. */
TW_MUST_USE tw_status tw_money_genesis(tw_app *app, const char *dir, tw_arena *arena,
                                       tw_genesis *genesis);

/* --gas-price and --fees-to of init: what the genesis says of fees. Makes a key that is not there.
 */
TW_MUST_USE tw_status tw_money_genesis_fees(tw_app *app, const char *dir, tw_genesis *genesis);

/* The asset of this name or id; a sentence that lists the assets otherwise. */
TW_MUST_USE tw_status tw_money_asset(tw_app *app, const char *text, tw_asset *ret_asset);

/* The asset of each currency, from --currency or by its name. */
TW_MUST_USE tw_status tw_money_currencies(tw_app *app, const tw_module *m, tw_tx *tx);

/* The most a call may take: the --spend options, or one such text. */
TW_MUST_USE tw_status tw_money_spends(tw_app *app, const tw_hash *contract, tw_tx *tx);
TW_MUST_USE tw_status tw_money_spend(tw_app *app, const tw_contract *contract, const char *text,
                                     tw_tx *tx);

/* What to write when a call found too little money; "" when it failed otherwise. */
const char *tw_money_hint(const tw_module *m, const tw_run *run, const tw_tx *tx);

/* The asset that fees are paid in; NULL when the ledger takes none. */
const tw_genesis_asset *tw_money_fee_asset(const tw_session *session);
enum { TW_FEE_TEXT_MAX = 160 };
/* ", fee 0.03 EUR", to stand behind gas; "" when the ledger takes none. */
const char *tw_money_fee(const tw_session *session, int64_t fee, char ret_text[TW_FEE_TEXT_MAX]);
json_t *tw_money_fee_json(const tw_session *session, int64_t amount); /* NULL when it takes none */

/* Each amount that a purse holds; `member` is NULL where it is not per role. */
typedef tw_status (*tw_money_visit)(void *context, const tw_contract *contract,
                                    const tw_purse *purse, const tw_account *member,
                                    int64_t amount);
TW_MUST_USE tw_status tw_money_purse(const tw_contract *contract, const tw_purse *purse,
                                     tw_money_visit visit, void *context);

#endif
