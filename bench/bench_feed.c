/* bench_feed -- readings a second from signed packs to a durable block, and where the time goes.
 *
 * Called by bench/run. In one run, so that the ratios mean something on a shared machine: the
 * library's own signature checks, the same rule over the same readings in plain C, and the ledger
 * on RocksDB with packs of several sizes, a block and a sync each.
 */
#include "compiler/twc.h"
#include "vm/ledger/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOURCE_MAX = 65536, PATH_MAX_SIZE = 4096, CHECKS = 2000, WINDOW = 1024 };

static const int64_t start_ms = 1767225600000;

typedef struct bench {
    const char *folder;
    tw_bytes module;
    double unused;
    tw_secret owner_secret, sensor_secret;
    tw_account owner, sensor;
} bench;

typedef struct result {
    uint64_t readings, blocks, total_ns;
    tw_ledger_times parts;
} result;

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void must(tw_status status, const char *what, const tw_err *err)
{
    if (status == TW_OK) return;
    fprintf(stderr, "bench_feed: %s: %s\n", what, err != NULL ? err->text : tw_status_text(status));
    exit(1);
}

/* A slow swing through the limit, so that alarms come and go. In um/s. */
static int64_t value_at(uint64_t number)
{
    const int64_t place = (int64_t)(number % 4000);
    return place < 2000 ? 3000 + 4 * place : 19000 - 4 * place;
}

static uint64_t check_signatures(const bench *b)
{
    const tw_hash message = tw_sha256("bench", 5);
    tw_signature signature;
    if (!tw_sign(&b->sensor_secret, &message, &signature)) exit(1);
    const uint64_t start = clock_ns();
    for (int i = 0; i < CHECKS; i++) {
        if (!tw_verify(&b->sensor, &message, &signature)) exit(1);
    }
    return (clock_ns() - start) / CHECKS;
}

typedef struct plain {
    int64_t times[WINDOW], values[WINDOW];
    uint64_t total;
    int64_t above_since, above_last, below_since, below_last;
    bool up;
    uint64_t raised;
} plain;

static void plain_reading(plain *p, int64_t time, int64_t value)
{
    const int64_t limit = 7100;
    if (value < 0 || value > 100000) return;
    if (p->total > 0 && time - p->times[(p->total - 1) % WINDOW] < 1) return;
    p->times[p->total % WINDOW] = time;
    p->values[p->total % WINDOW] = value;
    p->total++;
    if (value > limit && p->above_since < 0) p->above_since = time;
    if (value <= limit) p->above_since = -1;
    if (value < limit && p->below_since < 0) p->below_since = time;
    if (value >= limit) p->below_since = -1;
    if (!p->up && p->above_since >= 0 && time - p->above_since >= 100) p->up = true, p->raised++;
    if (p->up && p->below_since >= 0 && time - p->below_since >= 100) p->up = false;
}

static uint64_t plain_feed(uint64_t readings, uint64_t *ret_raised)
{
    plain *p = tw_mem_new(sizeof *p);
    if (p == NULL) exit(1);
    p->above_since = p->below_since = -1;
    const uint64_t start = clock_ns();
    for (uint64_t i = 0; i < readings; i++) plain_reading(p, start_ms + (int64_t)i, value_at(i));
    const uint64_t spent = clock_ns() - start;
    *ret_raised = p->raised;
    tw_mem_free(p);
    return spent;
}

static tw_hash deploy(const bench *b, tw_ledger *ledger)
{
    const tw_tx_role roles[2] = {{&b->owner, 1}, {&b->sensor, 1}};
    tw_tx tx = {.kind = TW_TX_DEPLOY,
                .chain = *tw_ledger_chain(ledger),
                .signers = {b->owner},
                .signer_count = 1,
                .gas_limit = 20000000000,
                .module = b->module,
                .roles = (tw_tx_role *)(uintptr_t)roles,
                .role_count = 2};
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_hash id;
    tw_err err = {0};
    tw_receipt receipt;
    must(tw_tx_encode(&tx, &b->owner_secret, &w, &id), "deploy", NULL);
    must(tw_block_begin(ledger, start_ms, &err), "block", &err);
    must(tw_block_add(ledger, tw_writer_bytes(&w), &receipt, &err), "deploy", &err);
    must(receipt.run.status, "deploy", NULL);
    const tw_hash contract = receipt.run.contract;
    must(tw_block_commit(ledger, NULL, &err), "commit", &err);
    tw_writer_free(&w);
    return contract;
}

/* One pack in one block; the time of signing is the device's, so it is not counted. */
static uint64_t feed_pack(const bench *b, tw_ledger *ledger, const tw_hash *contract, tw_pack *pack,
                          uint64_t nonce, tw_writer *packed, tw_writer *transaction)
{
    tw_err err = {0};
    tw_hash id;
    tw_receipt receipt;
    tw_writer_clear(packed);
    tw_writer_clear(transaction);
    pack->contract = *contract;
    must(tw_pack_encode(pack, tw_ledger_chain(ledger), &b->sensor_secret, packed), "pack", NULL);
    const tw_tx tx = {.kind = TW_TX_PACK,
                      .chain = *tw_ledger_chain(ledger),
                      .signers = {b->sensor},
                      .signer_count = 1,
                      .nonce = nonce,
                      .gas_limit = 20000000000,
                      .pack = tw_writer_bytes(packed)};
    must(tw_tx_encode(&tx, &b->sensor_secret, transaction, &id), "transaction", NULL);
    const uint64_t start = clock_ns();
    const int64_t newest = pack->items[pack->item_count - 1].time;
    must(tw_block_begin(ledger, newest, &err), "block", &err);
    must(tw_block_add(ledger, tw_writer_bytes(transaction), &receipt, &err), "pack", &err);
    must(receipt.run.status, "pack", NULL);
    if (receipt.intake.accepted != pack->item_count) exit(1);
    must(tw_block_commit(ledger, NULL, &err), "commit", &err);
    return clock_ns() - start;
}

static result ledger_feed(const bench *b, uint16_t pack_size, uint64_t readings)
{
    char path[PATH_MAX_SIZE];
    snprintf(path, sizeof path, "%s/pack%u", b->folder, pack_size);
    tw_store *store = NULL;
    tw_ledger *ledger = NULL;
    tw_err err = {0};
    const tw_store_options options = {.create = true, .must_be_new = true};
    must(tw_store_open(path, &options, &store, &err), "store", &err);
    must(tw_ledger_create(store, &(tw_genesis){.name = "bench", .time = start_ms}, &err), "genesis",
         &err);
    must(tw_ledger_open(store, &(tw_ledger_options){.clock_ns = clock_ns}, &ledger, &err), "open",
         &err);
    const tw_hash contract = deploy(b, ledger);
    const tw_ledger_times before = *tw_ledger_times_spent(ledger);
    tw_writer packed = tw_writer_new(TW_TX_SIZE_MAX);
    tw_writer transaction = tw_writer_new(TW_TX_SIZE_MAX);
    tw_pack_item *items = tw_mem_new(pack_size * sizeof *items);
    if (items == NULL) exit(1);
    tw_pack pack = {.device = b->sensor, .grant = 1, .field_count = 1, .items = items};
    pack.fields[0] = tw_bytes_of("vib", 3);
    result r = {0};
    while (r.readings < readings) {
        for (pack.item_count = 0; pack.item_count < pack_size; pack.item_count++) {
            const uint64_t number = r.readings++;
            items[pack.item_count] =
                (tw_pack_item){0, start_ms + (int64_t)number, value_at(number)};
        }
        pack.sequence++;
        r.total_ns += feed_pack(b, ledger, &contract, &pack, r.blocks++, &packed, &transaction);
    }
    const tw_ledger_times *after = tw_ledger_times_spent(ledger);
    r.parts = (tw_ledger_times){
        after->decode_ns - before.decode_ns, after->signature_ns - before.signature_ns,
        after->execution_ns - before.execution_ns, after->state_ns - before.state_ns,
        after->commit_ns - before.commit_ns};
    tw_mem_free(items);
    tw_writer_free(&packed);
    tw_writer_free(&transaction);
    tw_ledger_close(ledger);
    tw_store_close(store);
    return r;
}

static void print_row(const char *name, const result *r, uint64_t plain_ns, uint64_t check_ns)
{
    const uint64_t n = r->readings;
    const uint64_t limit_ns =
        2 * check_ns * r->blocks; /* the device's signature and the carrier's */
    printf("| %s | %llu | %llu | %llu | %llu | %llu | %llu | %llu | %llu | %llu.%02llu |\n", name,
           (unsigned long long)n, (unsigned long long)(n * 1000000000u / r->total_ns),
           (unsigned long long)(r->parts.decode_ns / n),
           (unsigned long long)(r->parts.signature_ns / n),
           (unsigned long long)(r->parts.execution_ns / n),
           (unsigned long long)(r->parts.state_ns / n),
           (unsigned long long)(r->parts.commit_ns / n),
           (unsigned long long)(r->total_ns / (plain_ns > 0 ? plain_ns : 1)),
           (unsigned long long)(limit_ns * 100 / r->total_ns / 100),
           (unsigned long long)(limit_ns * 100 / r->total_ns % 100));
}

static tw_bytes compile(const char *path)
{
    static char source[SOURCE_MAX];
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(source, 1, sizeof source, file) : 0;
    if (file != NULL) fclose(file);
    twc_result *compiled = size > 0 ? twc_compile(path, source, size) : NULL;
    if (compiled == NULL || twc_result_unit_count(compiled) != 1) {
        fprintf(stderr, "bench_feed: %s does not compile\n%s", path,
                compiled != NULL ? twc_result_report(compiled, false) : "");
        exit(1);
    }
    return twc_result_unit(compiled, 0)->module; /* lives as long as the program */
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: bench_feed FOLDER feed.twc READINGS READINGS_OF_PACKS_OF_1\n");
        return 2;
    }
    bench b = {.folder = argv[1], .module = compile(argv[2])};
    const uint64_t many = strtoull(argv[3], NULL, 10);
    const uint64_t single = strtoull(argv[4], NULL, 10);
    tw_secret_from_seed("bench owner", &b.owner_secret);
    tw_secret_from_seed("bench sensor", &b.sensor_secret);
    if (!tw_secret_account(&b.owner_secret, &b.owner) ||
        !tw_secret_account(&b.sensor_secret, &b.sensor) || many == 0 || single == 0) {
        return 1;
    }
    const uint64_t check_ns = check_signatures(&b);
    uint64_t raised = 0;
    uint64_t plain_many = plain_feed(many, &raised);
    printf(
        "One signature check: %llu ns. Plain C, the same rule: %llu ps a reading, %llu alarms in "
        "%llu readings.\n\n",
        (unsigned long long)check_ns, (unsigned long long)(plain_many * 1000 / many),
        (unsigned long long)raised, (unsigned long long)many);
    printf("| readings in packs of | readings | a second | decode ns | signature ns | execution ns "
           "| state root ns | commit ns | times plain C | share of the signature limit |\n");
    printf("|---|---|---|---|---|---|---|---|---|---|\n");
    const result large = ledger_feed(&b, 1000, many);
    plain_many += plain_feed(many, &raised);
    print_row("1000", &large, plain_many / 2, check_ns);
    const result small = ledger_feed(&b, 1, single);
    print_row("1", &small, plain_many / 2 * single / many, check_ns);
    return 0;
}
