/* trial_money -- the money of a test: assets for its currencies, and what each account holds.
 *
 * Called by trial.c and trial_step.c. Every account of a role and every account that the test names
 * has its money before the first step; one that is only made later (by a fuzz test) has it before
 * it is first used or looked at.
 */
#include "vm/runner/trial_parts.h"

#include <string.h>

/* 1,000,000 of a currency, but never so much that all the accounts of a test could not have it; a
 * thousandth of a token's supply. */
int64_t tw_trial_endowment(const tw_money *money)
{
    const int64_t most = INT64_MAX / TW_TRIAL_ACCOUNTS_MAX;
    if (money->kind == TW_MONEY_TOKEN) return money->supply / 1000;
    int64_t amount = 1000000;
    for (uint8_t i = 0; i < money->decimals && amount <= most; i++) {
        if (__builtin_mul_overflow(amount, 10, &amount)) return most;
    }
    return amount < most ? amount : most;
}

tw_status tw_trial_assets(tw_trial *t, tw_genesis *genesis)
{
    const tw_module *m = t->code->module;
    tw_genesis_asset *assets = TW_NEW_ARRAY(t->arena, tw_genesis_asset, m->money_count);
    if (assets == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < m->money_count; i++) {
        if (m->monies[i].kind != TW_MONEY_CURRENCY) continue;
        assets[genesis->asset_count++] =
            (tw_genesis_asset){.name = m->monies[i].name, .decimals = m->monies[i].decimals};
    }
    genesis->assets = assets;
    return TW_OK;
}

tw_status tw_trial_bind(tw_trial *t, tw_tx *deploy)
{
    const tw_genesis *genesis = tw_ledger_genesis(t->ledger);
    tw_hash *currencies = TW_NEW_ARRAY(t->arena, tw_hash, genesis->asset_count);
    if (currencies == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < genesis->asset_count; i++) {
        currencies[i] = tw_bank_chain_asset(genesis->name, genesis->assets[i].name);
    }
    deploy->currencies = currencies;
    deploy->currency_count = genesis->asset_count;
    return TW_OK;
}

static tw_hash asset_of(const tw_trial *t, uint16_t money)
{
    const tw_money *m = &t->code->module->monies[money];
    return m->kind == TW_MONEY_TOKEN
               ? tw_bank_token(&t->contract, m->name)
               : tw_bank_chain_asset(tw_ledger_genesis(t->ledger)->name, m->name);
}

/* Nobody in a test minds what a call takes. */
tw_status tw_trial_spends(tw_trial *t, tw_tx *call)
{
    const uint16_t count = t->code->module->money_count;
    tw_spend *spends = TW_NEW_ARRAY(t->arena, tw_spend, count);
    if (spends == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < count; i++) {
        const tw_hash asset = asset_of(t, i);
        uint16_t at = i;
        for (; at > 0 && memcmp(spends[at - 1].asset.bytes, asset.bytes, TW_HASH_SIZE) > 0; at--) {
            spends[at] = spends[at - 1];
        }
        spends[at] = (tw_spend){asset, INT64_MAX};
    }
    call->spends = spends;
    call->spend_count = count;
    return TW_OK;
}

/* ---- who is named ---- */

static void meet_actor(tw_trial *t, const twc_test_actor *actor)
{
    if (actor->name != NULL) (void)tw_trial_named(t, actor->name);
}

static void meet_formula(tw_trial *t, const twc_formula *f)
{
    for (uint16_t i = 0; i < f->input_count; i++) {
        if (f->inputs[i].kind == TWC_INPUT_ACCOUNT) (void)tw_trial_named(t, f->inputs[i].name);
    }
}

/* Steps stand in steps once, in `expect fail`. One account too many is told when it is used. */
static void meet_steps(tw_trial *t, const twc_step *steps, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const twc_step *step = &steps[i];
        for (uint32_t k = 0; k < step->feed_count; k++) {
            meet_actor(t, &step->feeds[k].device);
            meet_formula(t, &step->feeds[k].value);
            meet_formula(t, &step->feeds[k].period);
        }
        for (uint32_t k = 0; k < step->actor_count; k++) meet_actor(t, &step->actors[k]);
        meet_formula(t, &step->duration);
        meet_formula(t, &step->arguments);
        meet_formula(t, &step->condition);
        meet_steps(t, step->steps, step->step_count);
    }
}

/* ---- giving ---- */

static tw_status give(tw_trial *t, const tw_account *account)
{
    for (uint16_t i = 0; i < t->code->module->money_count; i++) {
        const tw_hash asset = asset_of(t, i);
        const int64_t amount = tw_trial_endowment(&t->code->module->monies[i]);
        TW_TRY(tw_block_endow(t->ledger, &asset, account, amount, t->err));
    }
    return TW_OK;
}

static tw_status give_all(tw_trial *t)
{
    for (uint32_t i = t->endowed; i < t->account_count; i++) {
        if (!t->accounts[i].is_carrier) TW_TRY(give(t, &t->accounts[i].account));
    }
    return TW_OK;
}

tw_status tw_trial_endow(tw_trial *t)
{
    if (t->endowed == t->account_count || t->code->module->money_count == 0) return TW_OK;
    TW_TRY(tw_block_begin(t->ledger, t->now, t->err));
    const tw_status status = give_all(t);
    if (status != TW_OK) {
        tw_block_abort(t->ledger);
        return status;
    }
    t->endowed = t->account_count;
    return tw_trial_close_block(t, 0);
}

tw_status tw_trial_endow_all(tw_trial *t, const twc_step *steps, uint32_t count)
{
    if (t->code->module->money_count == 0) return TW_OK;
    meet_steps(t, steps, count);
    return tw_trial_endow(t);
}
