/* ledger_flow -- from signed bytes to durable blocks, with one thread and with two: transactions
 * (a), and packs of readings (b).
 *
 * Called by bench_ledger.c. The limit is what the library takes to check the same signatures on as
 * many threads in the same run, before each piece of it. Signing is the clients' work: it is done
 * between, in pieces, and not counted. Every run has the same transactions, so all must end with
 * one root.
 */
#include "bench_ledger.h"

#include "vm/base/crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SENDERS = 1000,
    PER_BLOCK = 1000,
    PIECE = 10 * PER_BLOCK, /* signed at once */
    CHECKS = 1000,
    PACKS_A_BLOCK = 10,
    WINDOW = 1024,
};

static const int64_t start_ms = 1767225600000;
static const uint64_t gas_max = 4000000000000;

/* People, the ledger, and signed bytes in one place. */
typedef struct flow {
    tw_store *store;
    tw_ledger *ledger;
    tw_hash contract;
    tw_account owner;
    tw_secret owner_secret;
    tw_secret *secrets; /* SENDERS */
    tw_account *accounts;
    uint64_t *nonces;
    tw_writer bytes;
    tw_bytes *items; /* of `bytes` */
    uint32_t count;
    uint64_t sent;
    uint64_t step_ms;         /* of a transaction: readings in a pack, or 1 */
    uint64_t wall_ns, cpu_ns; /* of the ledger */
    uint64_t sequence, reading;
    tw_signature *signatures; /* of each sender, of its own account: for the limit */
} flow;

static uint64_t wall_clock(void)
{
    return bench_time(CLOCK_MONOTONIC);
}

static void people(flow *f)
{
    char seed[32];
    tw_secret_from_seed("bench owner", &f->owner_secret);
    bench_must(tw_secret_account(&f->owner_secret, &f->owner) ? TW_OK : TW_ERR_CRYPTO, "key", NULL);
    for (int i = 0; i < SENDERS; i++) {
        snprintf(seed, sizeof seed, "bench sender %d", i);
        tw_secret_from_seed(seed, &f->secrets[i]);
        if (!tw_secret_account(&f->secrets[i], &f->accounts[i])) exit(1);
        const tw_hash message = tw_sha256(&f->accounts[i], sizeof f->accounts[i]);
        if (!tw_sign(&f->secrets[i], &message, &f->signatures[i])) exit(1);
    }
}

static void flow_open(const ledger_bench *b, flow *f, const char *name, unsigned threads)
{
    tw_err err = {0};
    *f = (flow){.store = bench_store(b, name), .step_ms = 1, .bytes = tw_writer_new(256 << 20)};
    f->secrets = tw_mem_new(SENDERS * sizeof *f->secrets);
    f->accounts = tw_mem_new(SENDERS * sizeof *f->accounts);
    f->nonces = tw_mem_new(SENDERS * sizeof *f->nonces);
    f->signatures = tw_mem_new(SENDERS * sizeof *f->signatures);
    f->items = tw_mem_new(PIECE * sizeof *f->items);
    if (f->secrets == NULL || f->accounts == NULL || f->nonces == NULL || f->items == NULL ||
        f->signatures == NULL) {
        exit(1);
    }
    people(f);
    const tw_genesis genesis = {.name = "bench", .time = start_ms, .block_gas_max = gas_max};
    bench_must(tw_ledger_create(f->store, &genesis, &err), "genesis", &err);
    const tw_ledger_options how = {.clock_ns = wall_clock, .threads = threads};
    bench_must(tw_ledger_open(f->store, &how, &f->ledger, &err), "open", &err);
}

static void flow_close(flow *f)
{
    tw_ledger_close(f->ledger);
    tw_store_close(f->store);
    tw_mem_free(f->secrets);
    tw_mem_free(f->accounts);
    tw_mem_free(f->nonces);
    tw_mem_free(f->signatures);
    tw_mem_free(f->items);
    tw_writer_free(&f->bytes);
}

/* Puts a signed transaction behind the others. */
static void sign(flow *f, tw_tx *tx, const tw_account *who, const tw_secret *secret, uint64_t nonce)
{
    tw_hash id;
    tx->chain = *tw_ledger_chain(f->ledger);
    tx->signers[0] = *who;
    tx->signer_count = 1;
    tx->nonce = nonce;
    tx->gas_limit = 1000000000;
    const size_t start = f->bytes.size;
    bench_must(tw_tx_encode(tx, secret, &f->bytes, &id), "transaction", NULL);
    f->items[f->count++] = tw_bytes_of(NULL, f->bytes.size - start);
}

/* They stand one after another; where, is known when all are there. */
static void fix_items(flow *f)
{
    const uint8_t *at = f->bytes.data;
    for (uint32_t i = 0; i < f->count; i++) {
        f->items[i].data = at;
        at += f->items[i].size;
    }
}

static void clear_items(flow *f)
{
    tw_writer_clear(&f->bytes);
    f->count = 0;
}

/* What was signed, in blocks, to the disk. */
static void send_all(flow *f, uint32_t a_block)
{
    tw_err err = {0};
    tw_receipt receipt;
    size_t expected = 0;
    fix_items(f);
    const uint64_t cpu = bench_time(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t wall = bench_time(CLOCK_MONOTONIC);
    for (uint32_t i = 0; i < f->count; i++) {
        if (expected < f->count && expected < i + WINDOW / 2) {
            expected += tw_ledger_expect(f->ledger, f->items + expected, f->count - expected);
            if (expected <= i) expected = i + 1;
        }
        if (i % a_block == 0) {
            const int64_t time = start_ms + (int64_t)((f->sent + i + a_block) * f->step_ms);
            bench_must(tw_block_begin(f->ledger, time, &err), "block", &err);
        }
        bench_must(tw_block_add(f->ledger, f->items[i], &receipt, &err), "transaction", &err);
        bench_must(receipt.run.status, "transaction", NULL);
        if (receipt.has_intake && receipt.intake.accepted != f->step_ms) exit(1);
        if (i % a_block == a_block - 1 || i + 1 == f->count) {
            bench_must(tw_block_commit_later(f->ledger, NULL, &err), "commit", &err);
        }
    }
    bench_must(tw_ledger_settle(f->ledger, &err), "commit", &err);
    f->wall_ns += bench_time(CLOCK_MONOTONIC) - wall;
    f->cpu_ns += bench_time(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    f->sent += f->count;
    clear_items(f);
}

static void deploy(flow *f, tw_bytes module, const tw_tx_role *roles, uint16_t count)
{
    tw_err err = {0};
    tw_receipt receipt;
    tw_tx tx = {.kind = TW_TX_DEPLOY,
                .module = module,
                .roles = (tw_tx_role *)(uintptr_t)roles,
                .role_count = count};
    sign(f, &tx, &f->owner, &f->owner_secret, 0);
    fix_items(f);
    bench_must(tw_block_begin(f->ledger, start_ms, &err), "block", &err);
    bench_must(tw_block_add(f->ledger, f->items[0], &receipt, &err), "deploy", &err);
    bench_must(receipt.run.status, "deploy", NULL);
    f->contract = receipt.run.contract;
    bench_must(tw_block_commit(f->ledger, NULL, &err), "commit", &err);
    clear_items(f);
}

/* ---- the limit ---- */

typedef struct checker {
    tw_job job;
    const flow *flow;
    uint32_t first; /* of the senders; CHECKS of them */
} checker;

/* Signatures of many: the processor learns the turns of a check that it does again and again, and
 * is then a tenth faster than it is with those that come in. Nothing of them is remembered. */
static void check_many(void *context)
{
    const checker *c = context;
    for (uint32_t i = 0; i < CHECKS; i++) {
        const uint32_t who = (c->first + i) % SENDERS;
        const tw_account *account = &c->flow->accounts[who];
        const tw_hash message = tw_sha256(account, sizeof *account);
        if (!tw_verify(account, &message, &c->flow->signatures[who])) exit(1);
    }
}

/* Nanoseconds of the clock and of the processors for each of the signatures. */
static void limit_of(const flow *f, unsigned threads, double *ret_wall, double *ret_cpu)
{
    checker checkers[TW_CREW_MAX];
    tw_crew *crew = tw_crew_new(threads - 1);
    const uint64_t cpu = bench_time(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t wall = bench_time(CLOCK_MONOTONIC);
    for (unsigned i = 0; i < threads; i++) {
        checkers[i] = (checker){{.run = check_many, .context = &checkers[i]}, f, CHECKS * i};
        tw_crew_give(crew, &checkers[i].job, false);
    }
    for (unsigned i = 0; i < threads; i++) tw_crew_wait(crew, &checkers[i].job);
    *ret_wall += (double)(bench_time(CLOCK_MONOTONIC) - wall) / (CHECKS * threads);
    *ret_cpu += (double)(bench_time(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (CHECKS * threads);
    tw_crew_free(crew);
}

/* ---- (a) ---- */

/* The second number of the file: pages. */
static double resident_mib(void)
{
    char line[128];
    double pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fgets(line, sizeof line, file) != NULL) {
        const char *second = strchr(line, ' ');
        if (second != NULL) pages = (double)strtoull(second, NULL, 10);
    }
    fclose(file);
    return pages * (double)sysconf(_SC_PAGESIZE) / (1 << 20);
}

typedef struct outcome {
    double wall, cpu;             /* ns a transaction */
    double limit_wall, limit_cpu; /* ns a signature */
    tw_hash root;
} outcome;

static void sign_piece(flow *f, uint32_t senders, uint64_t left)
{
    uint8_t number[8];
    tw_store_u64(number, 1);
    for (uint32_t i = 0; i < PIECE && i < left; i++) {
        const uint32_t who = i % senders;
        tw_tx tx = {.kind = TW_TX_CALL,
                    .contract = f->contract,
                    .entry = tw_bytes_of("add", 3),
                    .arguments = tw_bytes_of(number, sizeof number)};
        sign(f, &tx, &f->accounts[who], &f->secrets[who], f->nonces[who]++);
    }
}

/* Without `measured` there is no limit beside it, and one line in the curve, whose points are told.
 */
static outcome run_flow(ledger_bench *b, unsigned threads, uint32_t senders, curve *memory,
                        bool measured)
{
    flow f;
    outcome o = {0};
    char name[48];
    snprintf(name, sizeof name, "flow-%u-%u", threads, senders);
    flow_open(b, &f, name, threads);
    const tw_tx_role owner = {&f.owner, 1};
    deploy(&f, b->flow, &owner, 1);
    uint32_t pieces = 0;
    const uint64_t every = b->transactions / 20 > PIECE ? b->transactions / 20 : PIECE;
    for (uint64_t done = 0; done < b->transactions;) {
        const uint64_t left = b->transactions - done;
        sign_piece(&f, senders, left);
        if (measured) limit_of(&f, threads, &o.limit_wall, &o.limit_cpu);
        send_all(&f, PER_BLOCK);
        pieces++;
        done += left < PIECE ? left : PIECE;
        if (done % every < PIECE) {
            bench_point(memory, measured ? threads - 1 : 0, threads == 1 ? "1 thread" : "2 threads",
                        (double)done, resident_mib());
            if (!measured) bench_progress("transactions", done, b->transactions);
        }
    }
    o.limit_wall /= pieces;
    o.limit_cpu /= pieces;
    o.wall = (double)f.wall_ns / (double)b->transactions;
    o.cpu = (double)f.cpu_ns / (double)b->transactions;
    o.root = tw_ledger_head(f.ledger)->hash;
    flow_close(&f);
    return o;
}

static void flow_rows(ledger_bench *b, uint32_t senders, curve *memory)
{
    outcome o[2];
    char engine[48];
    for (unsigned t = 1; t <= 2; t++) {
        outcome *each = &o[t - 1];
        *each = run_flow(b, t, senders, memory, true);
        snprintf(engine, sizeof engine, "twvm, %u thread%s, %u sender%s", t, t > 1 ? "s" : "",
                 senders, senders > 1 ? "s" : "");
        printf("| %u | %u | %.0f | %.0f | %.2f | %.1f | %.1f | %.2f |\n", senders, t,
               1e9 / each->wall, 1e9 / each->limit_wall, each->limit_wall / each->wall,
               each->cpu / 1000, each->limit_cpu / 1000, each->limit_cpu / each->cpu);
        bench_note(b, "transactions", engine, each->wall, each->wall,
                   each->limit_wall / each->wall);
    }
    if (!tw_hash_equal(&o[0].root, &o[1].root)) {
        fprintf(stderr, "bench_ledger: one thread and two end with other blocks\n");
        exit(1);
    }
    printf("\nFrom 1 to 2 threads: %.2f times the transactions, and the library's checks %.2f "
           "times. Same blocks.\n\n",
           o[0].wall / o[1].wall, o[0].limit_wall / o[1].limit_wall);
}

static void print_memory(const curve *c)
{
    for (uint32_t line = 0; line < c->lines; line++) {
        if (c->counts[line] == 0) continue;
        const double *first = c->at[line][0];
        const double *half = c->at[line][c->counts[line] / 2];
        const double *last = c->at[line][c->counts[line] - 1];
        printf(
            "Resident, %s: %.0f MiB after %.0f transactions, %.0f after %.0f, %.0f after %.0f.\n",
            c->names[line], first[1], first[0], half[1], half[0], last[1], last[0]);
    }
    printf("\n");
}

void bench_memory(ledger_bench *b)
{
    curve *c = bench_curve(b, "Memory over transactions, 2 threads", "transactions", "resident MiB",
                           false);
    const outcome o = run_flow(b, 2, SENDERS, c, false);
    printf("## Memory over %llu transactions, 2 threads, caches and buffers of %llu MiB each\n\n"
           "| transactions | resident MiB |\n|---|---|\n",
           (unsigned long long)b->transactions, (unsigned long long)b->cache_mib);
    for (uint32_t i = 0; i < c->counts[0]; i++) {
        printf("| %.0f | %.1f |\n", c->at[0][i][0], c->at[0][i][1]);
    }
    printf("\n%.0f transactions a second.\n\n", 1e9 / o.wall);
}

void bench_flow(ledger_bench *b)
{
    static const char head[] =
        "| senders | threads | transactions a second | checks a second | share of that | processor "
        "us a transaction | processor us a check | share of that |\n"
        "|---|---|---|---|---|---|---|---|\n";
    curve *memory = bench_curve(b, "Memory over transactions, 1,000 senders", "transactions",
                                "resident MiB", false);
    curve unused = {0};
    printf("## (a) %llu transactions, from signed bytes to durable blocks of %d\n\n%s",
           (unsigned long long)b->transactions, PER_BLOCK, head);
    flow_rows(b, SENDERS, memory);
    print_memory(memory);
    printf("%s", head);
    flow_rows(b, 1, &unused);
}

/* ---- (b) ---- */

static int64_t value_at(uint64_t number)
{
    const int64_t place = (int64_t)(number % 4000);
    return place < 2000 ? 3000 + 4 * place : 19000 - 4 * place;
}

/* Packs of one device, each in a transaction of its own; readings a millisecond apart. */
static void sign_packs(flow *f, uint16_t size, uint32_t packs)
{
    tw_pack_item *items = tw_mem_new(size * sizeof *items);
    tw_writer packed = tw_writer_new(TW_TX_SIZE_MAX);
    if (items == NULL) exit(1);
    for (uint32_t p = 0; p < packs; p++) {
        tw_pack pack = {.contract = f->contract,
                        .device = f->accounts[0],
                        .grant = 1,
                        .sequence = ++f->sequence,
                        .fields = {tw_bytes_of("vib", 3)},
                        .field_count = 1,
                        .items = items,
                        .item_count = size};
        for (uint16_t i = 0; i < size; i++, f->reading++) {
            items[i] = (tw_pack_item){0, start_ms + (int64_t)f->reading, value_at(f->reading)};
        }
        tw_writer_clear(&packed);
        bench_must(tw_pack_encode(&pack, tw_ledger_chain(f->ledger), &f->secrets[0], &packed),
                   "pack", NULL);
        tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&packed)};
        sign(f, &tx, &f->accounts[0], &f->secrets[0], f->nonces[0]++);
    }
    tw_writer_free(&packed);
    tw_mem_free(items);
}

static double run_packs(ledger_bench *b, unsigned threads, uint16_t size,
                        tw_ledger_times *ret_parts)
{
    flow f;
    char name[48];
    snprintf(name, sizeof name, "packs-%u-%u", threads, size);
    flow_open(b, &f, name, threads);
    const tw_tx_role roles[2] = {{&f.owner, 1}, {&f.accounts[0], 1}};
    deploy(&f, b->feed, roles, 2);
    f.step_ms = size;
    const tw_ledger_times before = *tw_ledger_times_spent(f.ledger);
    const uint64_t packs = b->readings / size;
    for (uint64_t done = 0; done < packs;) {
        const uint64_t piece = packs - done < 100 ? packs - done : 100;
        sign_packs(&f, size, (uint32_t)piece);
        send_all(&f, size >= 1000 ? PACKS_A_BLOCK : PER_BLOCK);
        done += piece;
    }
    const tw_ledger_times *after = tw_ledger_times_spent(f.ledger);
    *ret_parts = (tw_ledger_times){
        after->decode_ns - before.decode_ns, after->signature_ns - before.signature_ns,
        after->execution_ns - before.execution_ns, after->state_ns - before.state_ns,
        after->commit_ns - before.commit_ns};
    const double wall = (double)f.wall_ns / (double)f.reading;
    flow_close(&f);
    return wall;
}

/* What each part takes, in hundredths of the whole; with threads some go on beside others, and
 * signatures are what the ledger's own thread waits for them or does itself. */
static void print_parts(const tw_ledger_times *parts, double total_ns)
{
    const uint64_t each[] = {parts->signature_ns, parts->decode_ns, parts->execution_ns,
                             parts->state_ns, parts->commit_ns};
    for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
        printf("| %.0f %% ", 100 * (double)each[i] / total_ns);
    }
    printf("|\n");
}

void bench_packs(ledger_bench *b)
{
    static const uint16_t sizes[] = {10, 100, 1000};
    curve *c = bench_curve(b, "Readings a second over the size of a pack", "readings in a pack",
                           "a second", true);
    printf(
        "## (b) readings, from signed packs to durable blocks\n\nEach reading meets four checks "
        "of intake and both conditions of an alarm.\n\n"
        "| readings in a pack | threads | readings a second | conditions a second | signatures "
        "| decoding | execution | state root | writing |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            tw_ledger_times parts;
            char engine[48];
            const double ns = run_packs(b, threads, sizes[i], &parts);
            snprintf(engine, sizeof engine, "twvm, %u thread%s, packs of %u", threads,
                     threads > 1 ? "s" : "", sizes[i]);
            printf("| %u | %u | %.0f | %.0f ", sizes[i], threads, 1e9 / ns, 2e9 / ns);
            print_parts(&parts, ns * (double)(b->readings / sizes[i] * sizes[i]));
            bench_point(c, threads - 1, threads == 1 ? "1 thread" : "2 threads", sizes[i],
                        1e9 / ns);
            bench_note(b, "readings", engine, ns, ns, -1);
        }
    }
    printf("\n");
}
