/* seeds -- writes first inputs for the fuzz targets of modules, transactions and receipts.
 *
 * Run by hand when a format has changed: build/tests/fuzz/seeds tests/fuzz/corpus FILE.twc. From
 * the source it makes NAME in module/ and tx/; from a day in the life of the contract, deployed
 * with its defaults on a ledger in memory, NAME in receipt/. What was found by fuzzing stands
 * beside these and stays.
 */
#include "compiler/twc.h"
#include "vm/ledger/ledger.h"

#include <stdio.h>
#include <string.h>

enum { SOURCE_SIZE_MAX = 1024 * 1024, MEMORY_MAX = 256 * 1024 * 1024, PACKS = 12 };

typedef struct seeds {
    const char *folder;
    char name[64]; /* of the source file, without its ending */
    tw_ledger *ledger;
    tw_store *store;
    tw_arena *arena;
    tw_bytes module;
    tw_module *m;
    tw_secret secret; /* one key in every role */
    tw_account account;
    tw_hash contract;
    uint64_t nonce;
    tw_writer receipts;
} seeds;

static bool write_file(const seeds *s, const char *target, const char *suffix, tw_bytes bytes)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s/%s%s", s->folder, target, s->name, suffix);
    FILE *file = fopen(path, "wb");
    if (file == NULL) return false;
    const bool good = fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    return fclose(file) == 0 && good;
}

static tw_bytes read_file(const char *path, tw_arena *arena)
{
    char *memory = tw_arena_get(arena, SOURCE_SIZE_MAX);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return (tw_bytes){NULL, 0};
    const size_t size = fread(memory, 1, SOURCE_SIZE_MAX, file);
    fclose(file);
    return tw_bytes_of(memory, size);
}

/* Signs, adds to the open block, keeps the receipt; a suffix also writes the transaction. */
static bool add(seeds *s, tw_tx *tx, const char *suffix)
{
    tw_receipt receipt;
    tw_err err = {0};
    tw_hash id;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tx->chain = *tw_ledger_chain(s->ledger);
    tx->nonce = s->nonce;
    tx->gas_limit = 20000000000;
    tx->signer_count = 1;
    tx->signers[0] = s->account;
    bool good = tw_tx_encode(tx, &s->secret, &w, &id) == TW_OK &&
                tw_block_add(s->ledger, tw_writer_bytes(&w), &receipt, &err) == TW_OK;
    if (good) {
        tw_receipt_encode(&receipt, &s->receipts);
        s->nonce++;
        s->contract = tx->kind == TW_TX_DEPLOY ? receipt.run.contract : s->contract;
    }
    if (good && suffix != NULL) good = write_file(s, "tx", suffix, tw_writer_bytes(&w));
    tw_writer_free(&w);
    return good;
}

static bool deploy(seeds *s)
{
    tw_tx_role roles[TW_ROLES_MAX];
    for (uint16_t i = 0; i < s->m->role_count; i++) roles[i] = (tw_tx_role){&s->account, 1};
    tw_hash currencies[TW_MONIES_MAX];
    tw_tx tx = {.kind = TW_TX_DEPLOY,
                .module = s->module,
                .roles = roles,
                .role_count = s->m->role_count,
                .currencies = currencies};
    for (uint16_t i = 0; i < s->m->money_count; i++) {
        if (s->m->monies[i].kind != TW_MONEY_CURRENCY) continue;
        currencies[tx.currency_count++] = tw_bank_chain_asset("seeds", s->m->monies[i].name);
    }
    return add(s, &tx, "-deploy");
}

/* Each action with arguments of zeros. */
static bool call_all(seeds *s)
{
    uint8_t zeros[4096] = {0};
    for (uint16_t i = 0; i < s->m->entry_count; i++) {
        const tw_entry *e = &s->m->entries[i];
        if (e->kind != TW_ENTRY_ACTION) continue;
        tw_tx tx = {.kind = TW_TX_CALL, .contract = s->contract};
        const tw_spend spend = {tw_bank_chain_asset("seeds", "EUR"), INT64_MAX};
        tx.spends = &spend;
        tx.spend_count = 1;
        tx.entry = tw_bytes_of(e->name, strlen(e->name));
        size_t size = 0;
        for (uint16_t k = 0; k < e->members.count; k++) {
            const tw_type *type = &s->m->types[e->members.items[k].type];
            size += type->kind == TW_KIND_TEXT ? 2 : type->size_max;
        }
        tx.arguments = tw_bytes_of(zeros, size);
        if (!add(s, &tx, i % 4 == 0 ? "-call" : NULL)) return false;
    }
    return true;
}

static bool send_pack(seeds *s, uint64_t number, int64_t now)
{
    tw_pack_item items[8];
    tw_pack pack = {.contract = s->contract,
                    .device = s->account,
                    .grant = 1,
                    .sequence = number,
                    .items = items,
                    .item_count = 8};
    for (uint16_t i = 0; i < s->m->reading_count && i < TW_PACK_FIELDS_MAX; i++) {
        const char *field = s->m->readings[i].field;
        pack.fields[pack.field_count++] = tw_bytes_of(field, strlen(field));
    }
    for (uint16_t i = 0; i < 8; i++) {
        const tw_reading *r = &s->m->readings[i % s->m->reading_count];
        items[i].field = (uint8_t)(i % s->m->reading_count);
        items[i].time = now - 8000 + 1000 * i;
        items[i].value = i == 7 ? r->high + 1 : r->high;
    }
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    bool good = tw_pack_encode(&pack, tw_ledger_chain(s->ledger), &s->secret, &w) == TW_OK;
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&w)};
    good = good && add(s, &tx, number == 1 ? "-carried" : NULL);
    if (good && number == 1) good = write_file(s, "tx", "-pack", tw_writer_bytes(&w));
    tw_writer_free(&w);
    return good;
}

/* The kinds that no contract takes part in, and a tick. */
static bool move_money(seeds *s, int64_t now)
{
    tw_err err = {0};
    tw_tx transfer = {.kind = TW_TX_TRANSFER,
                      .payee = s->account,
                      .asset = tw_bank_chain_asset("seeds", "EUR"),
                      .amount = 100};
    tw_tx tick = {.kind = TW_TX_TICK, .contract = s->contract};
    tw_tx fuel = {.kind = TW_TX_FUEL, .contract = s->contract, .amount = 1000000};
    return tw_block_begin(s->ledger, now, &err) == TW_OK && add(s, &transfer, "-transfer") &&
           add(s, &tick, "-tick") && add(s, &fuel, "-fuel") &&
           tw_block_commit(s->ledger, NULL, &err) == TW_OK;
}

static bool live(seeds *s)
{
    const int64_t start = 1767225600000;
    tw_err err = {0};
    bool good = tw_block_begin(s->ledger, start, &err) == TW_OK && deploy(s) && call_all(s) &&
                tw_block_commit(s->ledger, NULL, &err) == TW_OK && move_money(s, start + 1);
    for (uint64_t i = 1; i <= PACKS && good && s->m->reading_count > 0; i++) {
        const int64_t now = start + 60000 * (int64_t)i;
        good = tw_block_begin(s->ledger, now, &err) == TW_OK && send_pack(s, i, now) &&
               tw_block_commit(s->ledger, NULL, &err) == TW_OK;
    }
    if (!good) fprintf(stderr, "%s: %s\n", s->name, err.text);
    return good;
}

static bool open_all(seeds *s)
{
    tw_err err = {0};
    const tw_ledger_options options = {.no_sync = true};
    tw_secret_from_seed("seeds", &s->secret);
    const bool good = tw_secret_account(&s->secret, &s->account);
    const tw_genesis_holder holder = {s->account, INT64_MAX};
    const tw_genesis_asset assets[2] = {{"EUR", 2, &holder, 1}, {"USD", 2, &holder, 1}};
    const tw_genesis genesis = {.name = "seeds",
                                .assets = assets,
                                .asset_count = 2,
                                .gas_price = 70,
                                .fee_account = s->account};
    return good && tw_store_open_memory(MEMORY_MAX, &s->store) == TW_OK &&
           tw_ledger_create(s->store, &genesis, &err) == TW_OK &&
           tw_ledger_open(s->store, &options, &s->ledger, &err) == TW_OK &&
           tw_module_decode(s->module, s->arena, &s->m, &err) == TW_OK;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: seeds CORPUS_FOLDER FILE.twc\n");
        return 2;
    }
    seeds s = {.folder = argv[1], .arena = tw_arena_new(MEMORY_MAX)};
    const char *slash = strrchr(argv[2], '/');
    const char *base = slash != NULL ? slash + 1 : argv[2];
    (void)snprintf(s.name, sizeof s.name, "%.*s", (int)strcspn(base, "."), base);
    const tw_bytes source = read_file(argv[2], s.arena);
    twc_result *result = twc_compile(argv[2], source.data, source.size);
    bool good = result != NULL && twc_result_unit_count(result) > 0;
    if (good) {
        s.module = twc_result_unit(result, 0)->module;
        s.receipts = tw_writer_new(MEMORY_MAX);
        good = write_file(&s, "module", "", s.module) && open_all(&s) && live(&s) &&
               write_file(&s, "receipt", "", tw_writer_bytes(&s.receipts));
        tw_writer_free(&s.receipts);
    }
    twc_result_free(result);
    tw_ledger_close(s.ledger);
    tw_store_close(s.store);
    tw_arena_free(s.arena);
    return good ? 0 : 1;
}
