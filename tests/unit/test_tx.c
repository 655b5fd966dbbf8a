/* test_tx -- the bytes of transactions and packs: each kind there and back, cut and changed at
 * every byte, lists at their limits and one above. */
#include "tests/unit/state_fixture.h"
#include "vm/isa/isa.h"
#include "vm/ledger/tx.h"

#include <criterion/criterion.h>

enum { PEOPLE = 20 };

typedef struct people {
    tw_secret secrets[PEOPLE]; /* accounts ascending */
    tw_account accounts[PEOPLE];
} people;

static people people_make(void)
{
    people p;
    for (int i = 0; i < PEOPLE; i++) {
        char seed[16];
        (void)snprintf(seed, sizeof seed, "person %d", i);
        tw_secret_from_seed(seed, &p.secrets[i]);
        cr_assert(tw_secret_account(&p.secrets[i], &p.accounts[i]));
        for (int k = i; k > 0 && tw_account_compare(&p.accounts[k - 1], &p.accounts[k]) > 0; k--) {
            const tw_secret secret = p.secrets[k];
            const tw_account account = p.accounts[k];
            p.secrets[k] = p.secrets[k - 1];
            p.accounts[k] = p.accounts[k - 1];
            p.secrets[k - 1] = secret;
            p.accounts[k - 1] = account;
        }
    }
    return p;
}

static tw_hash chain_of(uint8_t byte)
{
    tw_hash chain;
    memset(chain.bytes, byte, sizeof chain.bytes);
    return chain;
}

static tw_tx call_of(const people *p, uint8_t signers)
{
    tw_tx tx = {.kind = TW_TX_CALL, .chain = chain_of(3), .signer_count = signers};
    memcpy(tx.signers, p->accounts, signers * sizeof tx.signers[0]);
    tx.nonce = UINT64_MAX;
    tx.gas_limit = 1234567890123;
    tx.contract = chain_of(9);
    tx.entry = text("accept");
    tx.arguments = text("\x01\x02\x03");
    return tx;
}

static tw_writer encode(const tw_tx *tx, const people *p, tw_hash *ret_id)
{
    tw_writer w = tw_writer_new(2 * MIB);
    cr_assert_eq(tw_tx_encode(tx, p->secrets, &w, ret_id), TW_OK);
    return w;
}

static tw_status decode(tw_bytes bytes, tw_arena *arena)
{
    tw_tx tx;
    return tw_tx_decode(bytes, arena, &tx);
}

static void same_head(const tw_tx *a, const tw_tx *b)
{
    cr_assert_eq(a->kind, b->kind);
    cr_assert(tw_hash_equal(&a->chain, &b->chain));
    cr_assert_eq(a->nonce, b->nonce);
    cr_assert_eq(a->gas_limit, b->gas_limit);
    cr_assert_eq(a->signer_count, b->signer_count);
    for (uint8_t i = 0; i < a->signer_count; i++) {
        cr_assert(tw_account_equal(&a->signers[i], &b->signers[i]));
    }
}

Test(tx, a_call_comes_back)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_tx tx = call_of(&p, 2);
    tw_hash id;
    tw_tx got;
    tw_writer w = encode(&tx, &p, &id);
    cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
    same_head(&tx, &got);
    cr_assert(tw_hash_equal(&got.contract, &tx.contract));
    cr_assert(is_text(got.entry, "accept"));
    cr_assert(tw_bytes_equal(got.arguments, tx.arguments));
    cr_assert(tw_hash_equal(&got.id, &id));
    cr_assert_eq(got.size, w.size);
    cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_OK);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

static tw_tx deploy_of(const people *p, tw_tx_role *roles, tw_tx_param *params)
{
    tw_tx tx = call_of(p, 1);
    tx.kind = TW_TX_DEPLOY;
    tx.module = text("TWVM and so on");
    roles[0] = (tw_tx_role){&p->accounts[4], 1};
    roles[1] = (tw_tx_role){NULL, 0};
    roles[2] = (tw_tx_role){p->accounts, 3};
    params[0] = (tw_tx_param){0, text("")};
    params[1] = (tw_tx_param){65535, text("\x01\x02\x03\x04\x05\x06\x07\x08")};
    tx.roles = roles;
    tx.role_count = 3;
    tx.params = params;
    tx.param_count = 2;
    return tx;
}

Test(tx, a_deploy_comes_back)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    tw_tx_role roles[3];
    tw_tx_param params[2];
    const tw_tx tx = deploy_of(&p, roles, params);
    tw_hash id;
    tw_tx got;
    tw_writer w = encode(&tx, &p, &id);
    cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
    same_head(&tx, &got);
    cr_assert(is_text(got.module, "TWVM and so on"));
    cr_assert(got.role_count == 3 && got.roles[1].count == 0);
    cr_assert(tw_account_equal(&got.roles[0].members[0], &p.accounts[4]));
    cr_assert_eq(memcmp(got.roles[2].members, p.accounts, 3 * sizeof p.accounts[0]), 0);
    cr_assert(got.param_count == 2 && got.params[1].index == 65535);
    cr_assert(tw_bytes_equal(got.params[1].value, params[1].value));
    cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_OK);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* ---- money ---- */

static tw_status try_tx(const tw_tx *tx)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    tw_hash id;
    tw_writer w = encode(tx, &p, &id);
    const tw_status status = decode(tw_writer_bytes(&w), arena);
    tw_writer_free(&w);
    tw_arena_free(arena);
    return status;
}

Test(tx, what_a_call_may_take_comes_back)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_spend spends[2] = {{{{1}}, 1}, {{{1, 1}}, INT64_MAX}};
    tw_tx tx = call_of(&p, 1);
    tx.spends = spends;
    tx.spend_count = 2;
    tw_hash id;
    tw_tx got;
    tw_writer w = encode(&tx, &p, &id);
    cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
    cr_assert_eq(got.spend_count, 2);
    cr_assert_eq(memcmp(got.spends, spends, sizeof spends), 0);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

Test(tx, what_a_call_may_take_is_ascending_and_above_zero)
{
    const people p = people_make();
    tw_spend spends[TW_SPENDS_MAX + 1] = {0};
    tw_tx tx = call_of(&p, 1);
    for (int i = 0; i <= TW_SPENDS_MAX; i++) spends[i] = (tw_spend){{{(uint8_t)i}}, 1};
    tx.spends = spends;
    tx.spend_count = TW_SPENDS_MAX;
    cr_assert_eq(try_tx(&tx), TW_OK);
    tx.spend_count = TW_SPENDS_MAX + 1;
    cr_assert_eq(try_tx(&tx), TW_REFUSED_LIMIT);
    tx.spend_count = 2;
    spends[1].most = 0;
    cr_assert_eq(try_tx(&tx), TW_REFUSED_ENCODING);
    spends[1].most = -1;
    cr_assert_eq(try_tx(&tx), TW_REFUSED_ENCODING);
    spends[1] = spends[0];
    cr_assert_eq(try_tx(&tx), TW_REFUSED_ENCODING, "the same asset twice");
    spends[0].asset.bytes[0] = 9;
    cr_assert_eq(try_tx(&tx), TW_REFUSED_ENCODING, "descending");
}

Test(tx, the_assets_of_a_deploy_are_part_of_the_contracts_id)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    tw_tx_role roles[3];
    tw_tx_param params[2];
    tw_tx tx = deploy_of(&p, roles, params);
    tw_hash assets[TW_MONIES_MAX + 1] = {{{1}}, {{2}}};
    tw_hash ids[2];
    for (int i = 0; i < 2; i++) {
        tx.currencies = assets;
        tx.currency_count = 2;
        assets[1].bytes[0] = (uint8_t)(2 + i);
        tw_hash id;
        tw_tx got;
        tw_writer w = encode(&tx, &p, &id);
        cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
        cr_assert_eq(got.currency_count, 2);
        cr_assert_eq(memcmp(got.currencies, assets, 2 * sizeof *assets), 0);
        ids[i] = tw_tx_contract_id(&got);
        tw_writer_free(&w);
    }
    cr_assert(!tw_hash_equal(&ids[0], &ids[1]));
    tx.currency_count = TW_MONIES_MAX;
    cr_assert_eq(try_tx(&tx), TW_OK);
    tx.currency_count = TW_MONIES_MAX + 1;
    cr_assert_eq(try_tx(&tx), TW_REFUSED_LIMIT);
    tw_arena_free(arena);
}

/* ---- every byte ---- */

static void cut_everywhere(tw_bytes bytes, tw_arena *arena)
{
    for (size_t size = 0; size < bytes.size; size++) {
        uint8_t *copy = tw_mem_new(size);
        if (size > 0) memcpy(copy, bytes.data, size);
        cr_assert_neq(decode(tw_bytes_of(copy, size), arena), TW_OK, "cut to %zu bytes", size);
        tw_mem_free(copy);
        tw_arena_clear(arena);
    }
    uint8_t *longer = tw_mem_new(bytes.size + 1);
    memcpy(longer, bytes.data, bytes.size);
    cr_assert_neq(decode(tw_bytes_of(longer, bytes.size + 1), arena), TW_OK, "a byte too many");
    tw_mem_free(longer);
}

/* Encodes what was decoded, signatures taken over: exactly the same bytes, or the decoder accepts
 * a second form of something. */
static void is_canonical(tw_bytes bytes, const tw_tx *tx, const people *p)
{
    tw_hash id;
    tw_writer w = encode(tx, p, &id);
    const size_t body = bytes.size - tx->signer_count * sizeof(tw_signature);
    cr_assert_eq(w.size, bytes.size);
    cr_assert_eq(memcmp(w.data, bytes.data, body), 0, "a second encoding of the same");
    tw_writer_free(&w);
}

/* Whatever single byte is changed: refused by the decoder, or a canonical transaction whose
 * signatures are no good. */
static void change_everywhere(tw_bytes bytes, const people *p, tw_arena *arena)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xFF};
    uint8_t *copy = tw_mem_new(bytes.size);
    memcpy(copy, bytes.data, bytes.size);
    for (size_t i = 0; i < bytes.size * sizeof changes; i++) {
        tw_tx tx;
        const size_t at = i / sizeof changes;
        tw_arena_clear(arena);
        copy[at] ^= changes[i % sizeof changes];
        if (tw_tx_decode(tw_bytes_of(copy, bytes.size), arena, &tx) == TW_OK) {
            if (i % sizeof changes == 0) is_canonical(tw_bytes_of(copy, bytes.size), &tx, p);
            cr_assert_eq(tw_tx_check_signatures(&tx, NULL), TW_REFUSED_SIGNATURE, "byte %zu", at);
        }
        copy[at] = bytes.data[at];
    }
    tw_mem_free(copy);
}

static void try_every_byte(const tw_tx *tx)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    tw_hash id;
    tw_writer w = encode(tx, &p, &id);
    cut_everywhere(tw_writer_bytes(&w), arena);
    change_everywhere(tw_writer_bytes(&w), &p, arena);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

Test(tx, every_byte_of_a_call_counts)
{
    const people p = people_make();
    const tw_tx tx = call_of(&p, 2);
    try_every_byte(&tx);
}

Test(tx, every_byte_of_a_deploy_counts)
{
    const people p = people_make();
    tw_tx_role roles[3];
    tw_tx_param params[2];
    const tw_tx tx = deploy_of(&p, roles, params);
    try_every_byte(&tx);
}

Test(tx, every_byte_of_a_carried_pack_counts)
{
    const people p = people_make();
    tw_tx tx = call_of(&p, 1);
    tx.kind = TW_TX_PACK;
    tx.pack = text("what the device has signed");
    try_every_byte(&tx);
}

/* ---- transfer, tick, fuel ---- */

static tw_tx amount_of(const people *p, tw_tx_kind kind, int64_t amount)
{
    return (tw_tx){.kind = (uint8_t)kind,
                   .chain = chain_of(3),
                   .signer_count = 1,
                   .signers = {p->accounts[0]},
                   .gas_limit = 77,
                   .contract = chain_of(9),
                   .payee = p->accounts[5],
                   .asset = chain_of(6),
                   .amount = amount};
}

Test(tx, amounts_come_back)
{
    const people p = people_make();
    static const tw_tx_kind kinds[] = {TW_TX_TRANSFER, TW_TX_TICK, TW_TX_FUEL};
    static const int64_t amounts[] = {1, 12345, INT64_MAX};
    tw_arena *arena = tw_arena_new(MIB);
    for (size_t i = 0; i < 9; i++) {
        const tw_tx_kind kind = kinds[i / 3];
        const tw_tx tx = amount_of(&p, kind, amounts[i % 3]);
        tw_hash id;
        tw_tx got;
        tw_writer w = encode(&tx, &p, &id);
        cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
        same_head(&tx, &got);
        if (kind != TW_TX_TICK) cr_assert_eq(got.amount, tx.amount);
        if (kind == TW_TX_TRANSFER) {
            cr_assert(tw_account_equal(&got.payee, &tx.payee));
            cr_assert(tw_hash_equal(&got.asset, &tx.asset));
        } else {
            cr_assert(tw_hash_equal(&got.contract, &tx.contract));
        }
        cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_OK);
        tw_writer_free(&w);
    }
    tw_arena_free(arena);
}

Test(tx, every_byte_of_an_amount_counts)
{
    const people p = people_make();
    static const tw_tx_kind kinds[] = {TW_TX_TRANSFER, TW_TX_TICK, TW_TX_FUEL};
    for (size_t i = 0; i < 3; i++) {
        const tw_tx tx = amount_of(&p, kinds[i], 0x0102030405060708);
        try_every_byte(&tx);
    }
}

Test(tx, nobody_moves_nothing_or_less)
{
    const people p = people_make();
    static const tw_tx_kind kinds[] = {TW_TX_TRANSFER, TW_TX_FUEL};
    static const int64_t amounts[] = {0, -1, INT64_MIN};
    tw_arena *arena = tw_arena_new(MIB);
    for (size_t i = 0; i < 6; i++) {
        const tw_tx tx = amount_of(&p, kinds[i / 3], amounts[i % 3]);
        tw_hash id;
        tw_writer w = encode(&tx, &p, &id);
        cr_assert_eq(decode(tw_writer_bytes(&w), arena), TW_REFUSED_ENCODING);
        tw_writer_free(&w);
    }
    tw_arena_free(arena);
}

Test(tx, the_id_does_not_depend_on_signatures_but_on_all_else)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_tx tx = call_of(&p, 2);
    tw_hash id;
    tw_writer w = encode(&tx, &p, &id);
    for (size_t at = 0; at < w.size; at++) {
        tw_tx got;
        w.data[at] ^= 0x40;
        if (tw_tx_decode(tw_writer_bytes(&w), arena, &got) == TW_OK) {
            cr_assert_eq(tw_hash_equal(&got.id, &id), at >= w.size - 128, "byte %zu", at);
        }
        w.data[at] ^= 0x40;
        tw_arena_clear(arena);
    }
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* ---- kinds and formats ---- */

Test(tx, only_the_kinds_there_are_are_read)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_tx tx = call_of(&p, 1);
    tw_hash id;
    tw_writer w = encode(&tx, &p, &id);
    for (int value = 0; value < 256; value++) {
        w.data[0] = (uint8_t)value;
        cr_assert_eq(decode(tw_writer_bytes(&w), arena) == TW_OK, value == TW_TX_FORMAT);
    }
    w.data[0] = TW_TX_FORMAT;
    for (int value = 0; value < 256; value++) {
        w.data[1] = (uint8_t)value;
        cr_assert_eq(decode(tw_writer_bytes(&w), arena) == TW_OK, value == TW_TX_CALL);
    }
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* ---- signers ---- */

Test(tx, sixteen_signers_and_no_more)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    for (uint8_t count = 1; count <= TW_TX_SIGNERS_MAX; count++) {
        const tw_tx tx = call_of(&p, count);
        tw_hash id;
        tw_tx got;
        tw_writer w = encode(&tx, &p, &id);
        cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK, "%u signers", count);
        cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_OK);
        for (uint8_t i = 0; i < count; i++) { /* each of them must be good */
            w.data[w.size - 64u * (count - i)] ^= 1;
            cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_REFUSED_SIGNATURE, "signer %u", i);
            w.data[w.size - 64u * (count - i)] ^= 1;
        }
        tw_writer_free(&w);
    }
    tw_arena_free(arena);
}

/* The body of a call with any signers, followed by room for their signatures. */
static tw_status try_signers(const tw_account *const *signers, uint8_t count)
{
    tw_arena *arena = tw_arena_new(MIB);
    tw_writer w = tw_writer_new(MIB);
    tw_write_u8(&w, TW_TX_FORMAT);
    tw_write_u8(&w, TW_TX_CALL);
    const tw_hash chain = chain_of(3);
    tw_write_raw(&w, chain.bytes, TW_HASH_SIZE);
    tw_write_u8(&w, count);
    for (uint8_t i = 0; i < count; i++) tw_write_raw(&w, signers[i]->bytes, 32);
    tw_write_u64(&w, 0);
    tw_write_u64(&w, 0);
    tw_write_raw(&w, chain.bytes, TW_HASH_SIZE);
    tw_write_text(&w, "entry");
    tw_write_u32(&w, 0);
    tw_write_u16(&w, 0);
    const uint8_t signature[64] = {0};
    for (uint8_t i = 0; i < count; i++) tw_write_raw(&w, signature, sizeof signature);
    const tw_status status = decode(tw_writer_bytes(&w), arena);
    tw_writer_free(&w);
    tw_arena_free(arena);
    return status;
}

Test(tx, signers_stand_sender_first_then_ascending)
{
    const people p = people_make();
    const tw_account *const a = &p.accounts[0];
    const tw_account *const b = &p.accounts[1];
    const tw_account *const c = &p.accounts[2];
    const struct {
        const tw_account *signers[4];
        uint8_t count;
        bool good;
    } cases[] = {
        {{a}, 1, true},        {{c}, 1, true},           {{a, b}, 2, true},
        {{b, a}, 2, true},     {{c, a, b}, 3, true},     {{a, b, c}, 3, true},
        {{b, a, c}, 3, true},  {{c, b, a}, 3, false},    {{a, c, b}, 3, false},
        {{a, a}, 2, false},    {{a, b, b}, 3, false},    {{a, b, a}, 3, false},
        {{b, a, b}, 3, false}, {{c, a, b, c}, 4, false}, {{a}, 0, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(try_signers(cases[i].signers, cases[i].count) == TW_OK, cases[i].good,
                     "case %zu", i);
    }
}

Test(tx, seventeen_signers_are_over_the_limit)
{
    const people p = people_make();
    const tw_account *signers[TW_TX_SIGNERS_MAX + 1];
    for (int i = 0; i <= TW_TX_SIGNERS_MAX; i++) signers[i] = &p.accounts[i];
    cr_assert_eq(try_signers(signers, TW_TX_SIGNERS_MAX), TW_OK);
    cr_assert_eq(try_signers(signers, TW_TX_SIGNERS_MAX + 1), TW_REFUSED_LIMIT);
    cr_assert_eq(try_signers(signers, 0), TW_REFUSED_LIMIT);
}

Test(tx, a_signer_signs_for_himself_only)
{
    people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_tx tx = call_of(&p, 2);
    const tw_secret secret = p.secrets[0];
    tw_hash id;
    tw_tx got;
    p.secrets[0] = p.secrets[1]; /* the second signs in the place of the first */
    p.secrets[1] = secret;
    tw_writer w = encode(&tx, &p, &id);
    cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
    cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_REFUSED_SIGNATURE);
    memset(p.secrets[0].bytes, 0, 32);
    tw_writer_clear(&w);
    cr_assert_eq(tw_tx_encode(&tx, p.secrets, &w, &id), TW_REFUSED_KEY);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* ---- lists of a deploy ---- */

static tw_status try_deploy(const tw_tx *tx)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(16 * MIB);
    tw_hash id;
    tw_writer w = encode(tx, &p, &id);
    const tw_status status = decode(tw_writer_bytes(&w), arena);
    tw_writer_free(&w);
    tw_arena_free(arena);
    return status;
}

Test(tx, lists_of_a_deploy_ascend)
{
    const people p = people_make();
    tw_tx_role roles[3];
    tw_tx_param params[2];
    tw_tx tx = deploy_of(&p, roles, params);
    const tw_account swapped[2] = {p.accounts[1], p.accounts[0]};
    const tw_account twice[2] = {p.accounts[1], p.accounts[1]};
    cr_assert_eq(try_deploy(&tx), TW_OK);
    roles[2] = (tw_tx_role){swapped, 2};
    cr_assert_eq(try_deploy(&tx), TW_REFUSED_ENCODING);
    roles[2] = (tw_tx_role){twice, 2};
    cr_assert_eq(try_deploy(&tx), TW_REFUSED_ENCODING);
    roles[2] = (tw_tx_role){twice, 1};
    cr_assert_eq(try_deploy(&tx), TW_OK);
    params[0].index = 65535;
    cr_assert_eq(try_deploy(&tx), TW_REFUSED_ENCODING);
    params[0].index = 65534;
    cr_assert_eq(try_deploy(&tx), TW_OK);
}

Test(tx, lists_of_a_deploy_end_at_their_limits)
{
    const people p = people_make();
    tw_tx_role roles[TW_ROLES_MAX + 1] = {0};
    tw_tx_param params[TW_PARAMS_MAX + 1] = {0};
    tw_tx_role three[3];
    tw_tx_param two[2];
    tw_tx tx = deploy_of(&p, three, two);
    for (uint16_t i = 0; i <= TW_PARAMS_MAX; i++) params[i].index = i;
    tx.roles = roles;
    tx.params = params;
    tx.role_count = TW_ROLES_MAX;
    tx.param_count = TW_PARAMS_MAX;
    cr_assert_eq(try_deploy(&tx), TW_OK);
    tx.role_count = TW_ROLES_MAX + 1;
    cr_assert_eq(try_deploy(&tx), TW_REFUSED_LIMIT);
    tx.role_count = 0;
    tx.param_count = TW_PARAMS_MAX + 1;
    cr_assert_eq(try_deploy(&tx), TW_REFUSED_LIMIT);
    tx.param_count = 0;
    uint8_t *module = tw_mem_new(TW_MODULE_SIZE_MAX + 1);
    tx.module = tw_bytes_of(module, TW_MODULE_SIZE_MAX);
    cr_assert_eq(try_deploy(&tx), TW_OK);
    tx.module.size++;
    cr_assert_neq(try_deploy(&tx), TW_OK);
    tw_mem_free(module);
}

Test(tx, a_transaction_ends_at_one_mebibyte)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    uint8_t *pack = tw_mem_new(TW_TX_SIZE_MAX);
    tw_tx tx = call_of(&p, 1);
    tx.kind = TW_TX_PACK;
    const size_t rest = 1 + 1 + 32 + 1 + 32 + 8 + 8 + 4 + 64; /* all but the pack */
    tx.pack = tw_bytes_of(pack, TW_TX_SIZE_MAX - rest);
    tw_hash id;
    tw_writer w = encode(&tx, &p, &id);
    cr_assert_eq(w.size, TW_TX_SIZE_MAX);
    cr_assert_eq(decode(tw_writer_bytes(&w), arena), TW_OK);
    tx.pack.size++;
    tw_writer_clear(&w);
    cr_assert_eq(tw_tx_encode(&tx, p.secrets, &w, &id), TW_REFUSED_LIMIT);
    cr_assert_eq(decode(tw_writer_bytes(&w), arena), TW_REFUSED_LIMIT);
    tw_writer_free(&w);
    tw_mem_free(pack);
    tw_arena_free(arena);
}

/* The id of a contract depends on who deploys what, where, when, and with which arguments. */
Test(tx, the_id_of_a_contract_fixes_its_origin)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(16 * MIB);
    tw_tx_role roles[3];
    tw_tx_param params[2];
    tw_hash ids[6];
    for (int i = 0; i < 6; i++) {
        tw_tx tx = deploy_of(&p, roles, params);
        people signing = p;
        tw_tx got;
        tw_hash id;
        if (i == 1) tx.chain = chain_of(4);
        if (i == 2) tx.nonce--;
        if (i == 3) tx.module = text("TWVM and so off");
        if (i == 4) roles[2].count = 2;
        if (i == 5) {
            tx.signers[0] = p.accounts[7];
            signing.secrets[0] = p.secrets[7];
        }
        tw_writer w = encode(&tx, &signing, &id);
        cr_assert_eq(tw_tx_decode(tw_writer_bytes(&w), arena, &got), TW_OK);
        cr_assert_eq(tw_tx_check_signatures(&got, NULL), TW_OK);
        ids[i] = tw_tx_contract_id(&got);
        for (int k = 0; k < i; k++) cr_assert_not(tw_hash_equal(&ids[i], &ids[k]), "%d %d", i, k);
        tw_writer_free(&w);
    }
    tw_arena_free(arena);
}

/* ---- packs ---- */

static tw_pack pack_of(const people *p, tw_pack_item *items, uint16_t count)
{
    tw_pack pack = {.contract = chain_of(9), .device = p->accounts[0], .grant = 1, .sequence = 7};
    pack.fields[0] = text("vibrationRms");
    pack.fields[1] = text("");
    pack.field_count = 2;
    for (uint16_t i = 0; i < count; i++) {
        items[i] = (tw_pack_item){(uint8_t)(i % 2), 1000 * i, i % 3 == 0 ? INT64_MIN : INT64_MAX};
    }
    pack.items = items;
    pack.item_count = count;
    return pack;
}

static tw_writer pack_encode(const tw_pack *pack, const people *p)
{
    const tw_hash chain = chain_of(3);
    tw_writer w = tw_writer_new(MIB);
    cr_assert_eq(tw_pack_encode(pack, &chain, &p->secrets[0], &w), TW_OK);
    return w;
}

static tw_status pack_decode(tw_bytes bytes, tw_pack *ret_pack)
{
    const tw_hash chain = chain_of(3);
    tw_arena *arena = tw_arena_new(MIB);
    const tw_status status = tw_pack_decode(bytes, &chain, arena, ret_pack);
    tw_arena_free(arena);
    return status;
}

Test(tx, a_pack_comes_back)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_hash chain = chain_of(3);
    tw_pack_item items[5];
    const tw_pack pack = pack_of(&p, items, 5);
    tw_pack got;
    tw_writer w = pack_encode(&pack, &p);
    cr_assert_eq(tw_pack_decode(tw_writer_bytes(&w), &chain, arena, &got), TW_OK);
    cr_assert(tw_hash_equal(&got.contract, &pack.contract));
    cr_assert(tw_account_equal(&got.device, &pack.device));
    cr_assert(got.grant == 1 && got.sequence == 7 && got.field_count == 2 && got.item_count == 5);
    cr_assert(is_text(got.fields[0], "vibrationRms") && is_text(got.fields[1], ""));
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(got.items[i].field, items[i].field);
        cr_assert_eq(got.items[i].time, items[i].time);
        cr_assert_eq(got.items[i].value, items[i].value);
    }
    cr_assert(tw_verify(&got.device, &got.hash, &got.signature));
    const tw_hash other = chain_of(4);
    cr_assert_eq(tw_pack_decode(tw_writer_bytes(&w), &other, arena, &got), TW_OK);
    cr_assert_not(tw_verify(&got.device, &got.hash, &got.signature), "signed for another chain");
    tw_writer_free(&w);
    tw_arena_free(arena);
}

Test(tx, every_byte_of_a_pack_counts)
{
    const people p = people_make();
    tw_arena *arena = tw_arena_new(MIB);
    const tw_hash chain = chain_of(3);
    tw_pack_item items[4];
    const tw_pack pack = pack_of(&p, items, 4);
    tw_pack got;
    tw_writer w = pack_encode(&pack, &p);
    for (size_t size = 0; size < w.size; size++) {
        uint8_t *copy = tw_mem_new(size);
        if (size > 0) memcpy(copy, w.data, size);
        cr_assert_neq(pack_decode(tw_bytes_of(copy, size), &got), TW_OK, "cut to %zu", size);
        tw_mem_free(copy);
    }
    for (size_t bit = 0; bit < 8 * w.size; bit++) {
        w.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        tw_arena_clear(arena);
        if (tw_pack_decode(tw_writer_bytes(&w), &chain, arena, &got) == TW_OK) {
            cr_assert_not(tw_verify(&got.device, &got.hash, &got.signature), "bit %zu", bit);
        }
        w.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    tw_write_u8(&w, 0);
    cr_assert_neq(pack_decode(tw_writer_bytes(&w), &got), TW_OK, "a byte too many");
    tw_writer_free(&w);
    tw_arena_free(arena);
}

Test(tx, a_pack_holds_4096_readings_and_at_least_one)
{
    const people p = people_make();
    tw_pack_item *items = tw_mem_new((TW_PACK_READINGS_MAX + 1) * sizeof *items);
    static const struct {
        uint16_t count;
        tw_status status;
    } cases[] = {
        {0, TW_REFUSED_LIMIT},
        {1, TW_OK},
        {TW_PACK_READINGS_MAX, TW_OK},
        {TW_PACK_READINGS_MAX + 1, TW_REFUSED_LIMIT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const tw_pack pack = pack_of(&p, items, cases[i].count);
        tw_pack got;
        tw_writer w = pack_encode(&pack, &p);
        cr_assert_eq(pack_decode(tw_writer_bytes(&w), &got), cases[i].status, "%u readings",
                     cases[i].count);
        tw_writer_free(&w);
    }
    tw_mem_free(items);
}

Test(tx, a_pack_names_1_to_64_fields_and_only_those)
{
    const people p = people_make();
    tw_pack_item items[1];
    for (uint8_t count = 0; count <= TW_PACK_FIELDS_MAX; count++) {
        tw_pack pack = pack_of(&p, items, 1);
        tw_pack got;
        pack.field_count = count;
        items[0].field = count;
        tw_writer w = pack_encode(&pack, &p);
        cr_assert_neq(pack_decode(tw_writer_bytes(&w), &got), TW_OK, "a field that is not there");
        tw_writer_free(&w);
        if (count == 0) continue;
        items[0].field = (uint8_t)(count - 1);
        w = pack_encode(&pack, &p);
        cr_assert_eq(pack_decode(tw_writer_bytes(&w), &got), TW_OK);
        tw_writer_free(&w);
    }
}

Test(tx, times_of_readings_lie_below_2_to_the_52)
{
    const people p = people_make();
    const int64_t end = (int64_t)1 << 52;
    const int64_t good[] = {0, 1, end - 1};
    const int64_t bad[] = {-1, INT64_MIN, end, end + 1, INT64_MAX};
    for (size_t i = 0; i < 3 + 5; i++) {
        tw_pack_item items[2];
        const tw_pack pack = pack_of(&p, items, 2);
        tw_pack got;
        items[1].time = i < 3 ? good[i] : bad[i - 3];
        tw_writer w = pack_encode(&pack, &p);
        cr_assert_eq(pack_decode(tw_writer_bytes(&w), &got), i < 3 ? TW_OK : TW_REFUSED_ENCODING,
                     "time %lld", (long long)items[1].time);
        tw_writer_free(&w);
    }
}
