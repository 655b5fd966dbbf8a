/* test_nodes -- two engines and ten stores in one process: ten threads make blocks, and ten others
 * read through views of their own while they do. Whatever a view says is of the block at which it
 * stands. Meant to be run under ThreadSanitizer too (./dev race). */
#include "tests/unit/ledger_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SITES = 10, ENGINES = 2, BLOCKS = 16, CALLS = 3, WHY_SIZE = 640 };

static const char adder_source[] = "contract Adder version 1 {\n"
                                   "  var total : int = 0\n"
                                   "  action add(n: int) by anyone { total += n }\n"
                                   "  view so_far() -> int { return total }\n"
                                   "}\n";

/* A store with its ledger, who makes blocks on it, and who looks on. */
typedef struct site {
    int number;
    char path[64];
    tw_store *store;
    tw_ledger *ledger;
    tw_hash contract;
    uint64_t gas;
    tw_secret secret;
    tw_account account;
    atomic_bool done;
    int looks, pasts; /* of the one who looks on */
    char wrong_making[WHY_SIZE], wrong_looking[WHY_SIZE];
} site;

/* Threads have no asserts: what is wrong first is told, and the test looks at the end. */
static bool holds(char why[WHY_SIZE], bool good, const char *what, const tw_err *err)
{
    if (!good && why[0] == '\0') {
        (void)snprintf(why, WHY_SIZE, "%s: %s", what, err != NULL ? err->text : "");
    }
    return good;
}

static tw_request request_of(const site *s, tw_tx_kind kind)
{
    return (tw_request){.kind = kind,
                        .chain = *tw_ledger_chain(s->ledger),
                        .signers = &s->account,
                        .signer_count = 1,
                        .contract = s->contract,
                        .action = "add",
                        .gas_limit = s->gas};
}

static size_t signed_call(const site *s, uint64_t nonce, uint8_t *memory, size_t memory_size)
{
    static const uint8_t one[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    size_t size = 0;
    tw_request request = request_of(s, TW_TX_CALL);
    request.arguments = tw_bytes_of(one, sizeof one);
    request.nonce = nonce;
    return tw_request_sign(&request, &s->secret, memory, memory_size, &size, NULL) == TW_OK ? size
                                                                                            : 0;
}

/* ---- who makes blocks ---- */

static bool make_block(site *s, uint64_t block, tw_err *err)
{
    uint8_t memory[CALLS][512];
    tw_bytes calls[CALLS];
    tw_bytes receipt;
    tw_receipt_parts parts;
    for (size_t i = 0; i < CALLS; i++) {
        const size_t size =
            signed_call(s, 1 + (block - 2) * CALLS + i, memory[i], sizeof memory[i]);
        calls[i] = tw_bytes_of(memory[i], size);
    }
    (void)tw_ledger_expect(s->ledger, calls, CALLS);
    if (tw_block_begin(s->ledger, start_time + (int64_t)block * 1000, err) != TW_OK) return false;
    for (size_t i = 0; i < CALLS; i++) {
        if (tw_block_execute(s->ledger, calls[i], &receipt, err) != TW_OK ||
            tw_receipt_read(receipt, &parts) != TW_OK || parts.run.status != TW_OK) {
            return false;
        }
    }
    return block % 3 == 0 ? tw_block_commit(s->ledger, NULL, err) == TW_OK
                          : tw_block_commit_later(s->ledger, NULL, err) == TW_OK;
}

static void *make_blocks(void *context)
{
    site *s = context;
    tw_err err = {0};
    bool good = true;
    for (uint64_t block = 2; block <= BLOCKS && good; block++) {
        good = holds(s->wrong_making, make_block(s, block, &err), "a block", &err);
    }
    good = good && holds(s->wrong_making, tw_ledger_settle(s->ledger, &err) == TW_OK, "end", &err);
    atomic_store(&s->done, true);
    return NULL;
}

/* ---- who looks on ---- */

/* What the contract says at this block is what the calls until then make. */
static bool says(site *s, tw_ledger *view, tw_err *err)
{
    tw_answer answer;
    const tw_block_info head = *tw_ledger_head(view);
    const tw_bytes none = {NULL, 0};
    if (tw_ledger_ask(view, &s->contract, "so_far", none, head.time, &answer, err) != TW_OK) {
        return false;
    }
    return answer.status == TW_OK && answer.result.size == 8 &&
           tw_load_u64(answer.result.data) == (head.height - 1) * CALLS;
}

static bool proves(site *s, tw_ledger *view, tw_err *err)
{
    tw_bytes bytes;
    tw_proof_fact fact;
    const tw_bytes none = {NULL, 0};
    const tw_block_info head = *tw_ledger_head(view);
    return tw_ledger_key(view, &s->contract, "total", none, &bytes, err) == TW_OK &&
           tw_ledger_proof(view, bytes, true, &bytes, err) == TW_OK &&
           tw_proof_file_check(bytes, NULL, &head.hash, &fact, err) == TW_OK && fact.found &&
           fact.value.size == 9 && tw_load_u64(fact.value.data + 1) == (head.height - 1) * CALLS;
}

static tw_status count_bytes(void *context, tw_bytes bytes)
{
    *(uint64_t *)context += bytes.size;
    return TW_OK;
}

/* An earlier block, and the state as a file. */
static bool looks_back(site *s, tw_ledger *view, tw_err *err)
{
    uint64_t oldest = 0;
    uint64_t size = 0;
    tw_ledger *past = NULL;
    tw_snapshot_info info;
    if (tw_ledger_oldest(view, &oldest) != TW_OK) return false;
    const uint64_t newest = tw_ledger_head(view)->height;
    const uint64_t height = oldest > 1 ? oldest : 1 + (newest - 1) / 2;
    if (tw_ledger_open_past(view, height, &past, err) != TW_OK) return false;
    const bool good = tw_ledger_head(past)->height == height && says(s, past, err) &&
                      tw_snapshot_save(past, count_bytes, &size, &info, err) == TW_OK &&
                      info.size == size;
    tw_ledger_close(past);
    s->pasts++;
    return good;
}

static bool look_once(site *s, tw_err *err)
{
    tw_ledger *view = NULL;
    const tw_status opened = tw_ledger_open_view(s->ledger, &view, err);
    bool good = holds(s->wrong_looking, opened == TW_OK, "open", err);
    good = good && holds(s->wrong_looking, says(s, view, err), "the contract", err);
    good = good && holds(s->wrong_looking, proves(s, view, err), "the proof", err);
    if (good && s->looks % 4 == 3) {
        good = holds(s->wrong_looking, looks_back(s, view, err), "the past", err);
    }
    good = good && holds(s->wrong_looking, says(s, view, err), "the contract again", err);
    tw_ledger_close(view);
    s->looks++;
    return good;
}

static void *look_on(void *context)
{
    site *s = context;
    tw_err err = {0};
    bool good = true;
    while (good && (!atomic_load(&s->done) || s->looks < 8)) good = look_once(s, &err);
    return NULL;
}

/* ---- all of them ---- */

static void site_start(site *s, tw_engine *engine, tw_bytes module)
{
    static uint8_t memory[TW_TX_SIZE_MAX];
    size_t size = 0;
    tw_err err = {0};
    tw_bytes receipt;
    tw_receipt_parts parts;
    const tw_genesis genesis = {.name = "test", .time = start_time};
    const tw_ledger_options options = {
        .engine = engine, .threads = (unsigned)s->number % 3, .keep = s->number % 2 == 0 ? 0 : 4};
    folder_make(s->path);
    s->store = store_on_disk(s->path);
    tw_secret_from_seed("owner", &s->secret);
    cr_assert(tw_secret_account(&s->secret, &s->account));
    cr_assert_eq(tw_ledger_create(s->store, &genesis, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_ledger_open(s->store, &options, &s->ledger, &err), TW_OK, "%s", err.text);
    tw_request request = request_of(s, TW_TX_DEPLOY);
    request.module = module;
    request.gas_limit = UINT64_MAX;
    cr_assert_eq(tw_request_contract(&request, &s->contract), TW_OK);
    cr_assert_eq(tw_request_sign(&request, &s->secret, memory, sizeof memory, &size, NULL), TW_OK);
    const tw_bytes transaction = tw_bytes_of(memory, size);
    cr_assert_eq(tw_ledger_check(s->ledger, transaction, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_block_begin(s->ledger, start_time, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_block_execute(s->ledger, transaction, &receipt, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_receipt_read(receipt, &parts), TW_OK);
    cr_assert_eq(parts.run.status, TW_OK, "%s", tw_status_text(parts.run.status));
    cr_assert(tw_hash_equal(&parts.run.contract, &s->contract));
    cr_assert_eq(tw_block_commit(s->ledger, NULL, &err), TW_OK, "%s", err.text);
    request = request_of(s, TW_TX_CALL);
    request.arguments = tw_bytes_of("\0\0\0\0\0\0\0", 8);
    cr_assert_eq(tw_ledger_request_gas(s->ledger, &request, &s->gas, &err), TW_OK, "%s", err.text);
}

static void site_end(site *s, const tw_hash *head)
{
    uint64_t problems = 1;
    tw_err err = {0};
    if (s->wrong_making[0] != '\0') fprintf(stderr, "making: %s\n", s->wrong_making);
    if (s->wrong_looking[0] != '\0') fprintf(stderr, "looking: %s\n", s->wrong_looking);
    cr_expect(s->wrong_making[0] == '\0' && s->wrong_looking[0] == '\0', "site %d", s->number);
    cr_expect_eq(tw_ledger_head(s->ledger)->height, BLOCKS);
    cr_expect(tw_hash_equal(head, &tw_ledger_head(s->ledger)->hash), "site %d", s->number);
    cr_expect(s->looks >= 8 && s->pasts >= 2);
    tw_ledger_close(s->ledger);
    cr_expect_eq(tw_store_audit(s->store, 64 * MIB, NULL, NULL, NULL, &problems, &err), TW_OK);
    cr_expect_eq(problems, 0);
    tw_store_close(s->store);
    folder_remove(s->path);
}

Test(nodes, ten_in_one_process_with_views_on_other_threads)
{
    static site sites[SITES];
    pthread_t makers[SITES];
    pthread_t lookers[SITES];
    tw_engine *engines[ENGINES];
    tw_arena *arena = tw_arena_new(64 * MIB);
    const tw_bytes module = compile(adder_source, arena);
    for (int i = 0; i < ENGINES; i++) cr_assert_not_null(engines[i] = tw_engine_new(0));
    for (int i = 0; i < SITES; i++) {
        sites[i].number = i;
        site_start(&sites[i], engines[i % ENGINES], module);
    }
    for (int i = 0; i < SITES; i++) {
        cr_assert_eq(pthread_create(&makers[i], NULL, make_blocks, &sites[i]), 0);
        cr_assert_eq(pthread_create(&lookers[i], NULL, look_on, &sites[i]), 0);
    }
    for (int i = 0; i < SITES; i++) {
        cr_assert_eq(pthread_join(makers[i], NULL), 0);
        cr_assert_eq(pthread_join(lookers[i], NULL), 0);
    }
    const tw_hash head = tw_ledger_head(sites[0].ledger)->hash;
    for (int i = 0; i < SITES; i++) site_end(&sites[i], &head);
    for (int i = 0; i < ENGINES; i++) tw_engine_free(engines[i]);
    tw_arena_free(arena);
}
