/* test_threads -- jobs of a crew; and that a ledger with any number of threads, whatever it was
 * told to expect, gives the bytes that it gives alone: refusals, receipts, roots, the whole store.
 * Meant to be run under ThreadSanitizer too (-Db_sanitize=thread). */
#include "tests/unit/ledger_fixture.h"
#include "vm/base/crew.h"
#include "vm/ledger/receipt.h"
#include "vm/ledger/witness.h"
#include "vm/state/tree.h"

/* ---- crew ---- */

enum { JOBS = 500 };

typedef struct task {
    tw_job job;
    uint64_t input, output;
} task;

static void square(void *context)
{
    task *t = context;
    t->output = t->input * t->input;
}

static task *tasks_new(void)
{
    task *tasks = tw_mem_new(JOBS * sizeof *tasks);
    cr_assert_not_null(tasks);
    for (uint64_t i = 0; i < JOBS; i++) {
        tasks[i] = (task){.input = i + 1};
        tasks[i].job.run = square;
        tasks[i].job.context = &tasks[i];
    }
    return tasks;
}

Test(crew, does_what_it_is_given)
{
    static const unsigned threads[] = {0, 1, 3};
    for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++) {
        tw_crew *few = tw_crew_new(threads[n]);
        task *tasks = tasks_new();
        for (int i = 0; i < JOBS; i++) tw_crew_give(few, &tasks[i].job, i % 7 == 0);
        for (int i = 0; i < JOBS; i++) {
            const int at = (i * 71 + 13) % JOBS; /* 71 and 500 have no divisor in common */
            tw_crew_wait(few, &tasks[at].job);
            cr_assert_eq(tasks[at].output, tasks[at].input * tasks[at].input);
        }
        tw_crew_free(few);
        tw_mem_free(tasks);
    }
}

Test(crew, a_job_can_be_taken_back_and_given_again)
{
    static const unsigned threads[] = {0, 2};
    for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++) {
        tw_crew *few = tw_crew_new(threads[n]);
        task *tasks = tasks_new();
        cr_expect_not(tw_crew_drop(few, &tasks[0].job), "it was never given");
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < JOBS; i++) tw_crew_give(few, &tasks[i].job, false);
            for (int i = JOBS - 1; i >= 0; i--) {
                tasks[i].input += tw_crew_drop(few, &tasks[i].job) ? 1 : 0;
            }
            if (threads[n] == 0) cr_expect_eq(tasks[0].output, 0);
        }
        tw_crew_give(few, &tasks[3].job, true);
        tw_crew_wait(few, &tasks[3].job);
        cr_expect_eq(tasks[3].output, tasks[3].input * tasks[3].input);
        tw_crew_free(few);
        tw_mem_free(tasks);
    }
}

Test(crew, has_no_threads_where_there_is_none)
{
    cr_expect_eq(tw_crew_threads(NULL), 0);
    cr_expect_geq(tw_crew_processors(), 1);
    tw_crew_free(NULL);
}

/* ---- a ledger alone makes a script, others run it ---- */

enum { BLOCKS = 12, PER_BLOCK = 24, STEPS = BLOCKS * PER_BLOCK, READINGS = 5 };

typedef struct script {
    tw_bytes steps[STEPS];
} script;

static int64_t time_of(int block)
{
    return start_time + (int64_t)(block + 1) * MINUTE;
}

/* The same ledger on the same store with other options. */
static void reopen(rig *r, unsigned threads)
{
    const tw_ledger_options options = {.no_sync = true, .threads = threads};
    tw_ledger_close(r->ledger);
    cr_assert_eq(tw_ledger_open(r->store, &options, &r->ledger, &r->err), TW_OK, "%s", r->err.text);
}

static void write_pack(rig *r, uint64_t *seed, int64_t time, tw_writer *w)
{
    tw_pack_item items[READINGS];
    for (int i = 0; i < READINGS; i++) {
        const int64_t value = (int64_t)random_below(seed, 200000);
        items[i] = (tw_pack_item){0, time - 1000 * (READINGS - i), value};
    }
    tw_pack pack = pack_of(r, items, READINGS);
    if (random_below(seed, 8) == 0) pack.sequence++;
    if (random_below(seed, 16) == 0) pack.contract.bytes[3] ^= 1;
    if (random_below(seed, 16) == 0) pack.device = r->accounts[SENSOR_2];
    const who device = random_below(seed, 6) == 0 ? SENSOR_2 : SENSOR_1;
    cr_assert_eq(tw_pack_encode(&pack, tw_ledger_chain(r->ledger), &r->secrets[device], w), TW_OK);
}

/* A transaction that is good, or bad in one of the ways that there are. */
static tw_bytes draw(rig *r, uint64_t *seed, int64_t time, bool *ret_pack, who *ret_sender)
{
    static const char *const actions[] = {"add", "open", "break_it", "halt", "none"};
    uint8_t number[8];
    tw_hash id;
    tw_writer packed = tw_writer_new(TW_TX_SIZE_MAX);
    tw_writer w = tw_writer_new(2 * TW_TX_SIZE_MAX);
    tw_store_u64(number, random_below(seed, 3) - 1);
    *ret_sender = (who)random_below(seed, 2) == 0 ? OWNER : KEEPER_1;
    *ret_pack = random_below(seed, 2) == 0;
    const char *action = actions[random_below(seed, sizeof actions / sizeof actions[0])];
    tw_tx tx = call_of(r, action, tw_bytes_of(number, random_below(seed, 4) == 0 ? 1 : 8));
    if (*ret_pack) {
        write_pack(r, seed, time, &packed);
        tx = (tw_tx){.kind = TW_TX_PACK, .pack = tw_writer_bytes(&packed)};
        *ret_sender = STRANGER;
        if (random_below(seed, 10) == 0) tx.pack.size--;
    }
    tx.chain = *tw_ledger_chain(r->ledger);
    tx.signers[0] = r->accounts[*ret_sender];
    tx.signer_count = 1;
    tx.nonce = r->nonces[*ret_sender] + (random_below(seed, 12) == 0);
    tx.gas_limit = random_below(seed, 16) == 0 ? 1 : UINT64_MAX / 2;
    if (random_below(seed, 16) == 0) tx.chain.bytes[0] ^= 1;
    const who key = random_below(seed, 10) == 0 ? SENSOR_2 : *ret_sender;
    cr_assert_eq(tw_tx_encode(&tx, &r->secrets[key], &w, &id), TW_OK);
    if (random_below(seed, 20) == 0) w.data[random_below(seed, w.size)] ^= 1;
    size_t size = random_below(seed, 24) == 0 ? random_below(seed, w.size) : w.size;
    const tw_bytes bytes = tw_bytes_of(tw_arena_copy(r->arena, w.data, size), size);
    tw_writer_free(&packed);
    tw_writer_free(&w);
    return bytes;
}

/* What became of one transaction, with all that the caller is told. */
static tw_status add_step(rig *r, tw_bytes step, tw_writer *log)
{
    r->err = (tw_err){0};
    const tw_status status = tw_block_add(r->ledger, step, &r->receipt, &r->err);
    cr_assert_not(tw_status_is_host_failure(status), "%s", r->err.text);
    tw_write_u32(log, (uint32_t)status);
    tw_write_long(log, text(r->err.text));
    if (status == TW_OK) tw_receipt_encode(&r->receipt, log);
    return status;
}

static void log_block(const tw_block_info *info, tw_writer *log)
{
    tw_write_u64(log, info->height);
    tw_write_raw(log, info->hash.bytes, TW_HASH_SIZE);
}

static void make_script(rig *r, uint64_t seed, script *s, tw_writer *log)
{
    int done = 0;
    int failed = 0;
    for (int i = 0; i < STEPS; i++) {
        const int64_t time = time_of(i / PER_BLOCK);
        bool is_pack = false;
        who sender = OWNER;
        if (i % PER_BLOCK == 0) begin(r, time);
        s->steps[i] = draw(r, &seed, time, &is_pack, &sender);
        if (add_step(r, s->steps[i], log) == TW_OK) {
            const bool good = r->receipt.run.status == TW_OK;
            r->nonces[sender]++;
            r->sequence += is_pack && good;
            done += good;
            failed += !good;
        }
        if (i % PER_BLOCK != PER_BLOCK - 1) continue;
        const tw_block_info info = commit(r);
        log_block(&info, log);
    }
    cr_assert(done > STEPS / 8 && failed > STEPS / 16 && done + failed < STEPS * 7 / 8,
              "of %d steps %d are done, %d fail", STEPS, done, failed);
}

/* Everything that the store holds. */
static void dump(tw_store *store, tw_writer *w)
{
    for (int table = 0; table < TW_TABLE_COUNT; table++) {
        tw_iter *iter = NULL;
        tw_bytes key;
        tw_bytes value;
        cr_assert_eq(tw_iter_open(store, (tw_table)table, tw_bytes_of(NULL, 0), &iter), TW_OK);
        tw_status status = tw_iter_first(iter);
        for (; status == TW_OK && tw_iter_here(iter, &key, &value); status = tw_iter_next(iter)) {
            tw_write_u8(w, (uint8_t)table);
            tw_write_long(w, key);
            tw_write_long(w, value);
        }
        cr_assert_eq(status, TW_OK);
        tw_iter_close(iter);
    }
    cr_assert_not(w->bad);
}

/* Says some of what comes, in pieces of any length, with things between that do not come. */
static void expect_some(rig *r, const script *s, uint64_t *seed, size_t *expected)
{
    uint8_t noise[200] = {2, 3};
    const tw_bytes never = tw_bytes_of(noise, 1 + random_below(seed, sizeof noise - 1));
    if (random_below(seed, 4) == 0) (void)tw_ledger_expect(r->ledger, &never, 1);
    if (random_below(seed, 6) == 0) *expected += random_below(seed, 3);
    const size_t wanted = random_below(seed, 40);
    if (*expected >= STEPS) return;
    const size_t left = STEPS - *expected;
    *expected += tw_ledger_expect(r->ledger, &s->steps[*expected], wanted < left ? wanted : left);
}

/* With `later`, blocks are ended both ways, and one is written while the next one is made. */
static tw_block_info end_block(rig *r, uint64_t *seed, bool later)
{
    tw_block_info info;
    if (!later || random_below(seed, 5) == 0) return commit(r);
    cr_assert_eq(tw_block_commit_later(r->ledger, &info, &r->err), TW_OK, "%s", r->err.text);
    if (random_below(seed, 5) == 0) {
        cr_assert_eq(tw_ledger_settle(r->ledger, &r->err), TW_OK, "%s", r->err.text);
    }
    if (random_below(seed, 5) == 0) {
        const tw_block block = newest(r); /* waits */
        cr_assert(tw_hash_equal(&block.info.hash, &info.hash));
    }
    return info;
}

static void run_script(rig *r, uint64_t seed, const script *s, bool later, tw_writer *log)
{
    size_t expected = 0;
    for (size_t i = 0; i < STEPS; i++) {
        if (expected < i) expected = i;
        if (random_below(&seed, 8) == 0) expect_some(r, s, &seed, &expected);
        if (i % PER_BLOCK == 0) begin(r, time_of((int)i / PER_BLOCK));
        (void)add_step(r, s->steps[i], log);
        if (i % PER_BLOCK != PER_BLOCK - 1) continue;
        const tw_block_info info = end_block(r, &seed, later);
        log_block(&info, log);
    }
    cr_assert_eq(tw_ledger_settle(r->ledger, &r->err), TW_OK, "%s", r->err.text);
}

/* The script again on this store: the same log, the same store in the end. */
static void run_again(tw_store *store, unsigned threads, uint64_t seed, const script *s,
                      const tw_writer *log, const tw_writer *all)
{
    const tw_genesis genesis = {.name = "test", .time = start_time};
    const bool later = tw_store_is_shared(store);
    rig *r = rig_on(store, rig_source, &genesis);
    tw_writer log_now = tw_writer_new(64 * MIB);
    tw_writer all_now = tw_writer_new(64 * MIB);
    deploy(r);
    reopen(r, threads);
    run_script(r, seed * 100 + threads, s, later, &log_now);
    dump(r->store, &all_now);
    cr_expect(tw_bytes_equal(tw_writer_bytes(log), tw_writer_bytes(&log_now)),
              "seed %d, %u threads: a receipt, a refusal or a root differs", (int)seed, threads);
    cr_expect(tw_bytes_equal(tw_writer_bytes(all), tw_writer_bytes(&all_now)),
              "seed %d, %u threads: the store differs", (int)seed, threads);
    tw_writer_free(&log_now);
    tw_writer_free(&all_now);
    rig_free(r);
}

static void run_again_on_disk(unsigned threads, uint64_t seed, const script *s,
                              const tw_writer *log, const tw_writer *all)
{
    char path[64];
    folder_make(path);
    run_again(store_on_disk(path), threads, seed, s, log, all);
    folder_remove(path);
}

Test(threads, any_number_gives_the_same_bytes)
{
    static const unsigned threads[] = {1, 2, 4, 8};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        script s;
        rig *alone = rig_deployed();
        tw_writer log = tw_writer_new(64 * MIB);
        tw_writer all = tw_writer_new(64 * MIB);
        make_script(alone, seed, &s, &log);
        dump(alone->store, &all);
        for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++) {
            run_again(store_in_memory(), threads[n], seed, &s, &log, &all);
            run_again_on_disk(threads[n], seed, &s, &log, &all);
        }
        tw_writer_free(&log);
        tw_writer_free(&all);
        rig_free(alone);
    }
}

/* More than there is room for: the rest is said later, and nothing is lost. */
Test(threads, what_is_expected_is_bounded)
{
    enum { MANY = 3000 };
    rig *r = rig_deployed();
    tw_bytes same[64];
    uint64_t noted = 0;
    for (int i = 0; i < 64; i++) same[i] = tw_bytes_of("\x02\x02 no transaction", 17);
    cr_expect_eq(tw_ledger_expect(r->ledger, same, 64), 0, "one thread expects nothing");
    reopen(r, 2);
    for (int i = 0; i < MANY / 64; i++) noted += tw_ledger_expect(r->ledger, same, 64);
    cr_expect_eq(noted, 1024);
    begin(r, start_time + MINUTE);
    cr_expect_eq(tw_block_add(r->ledger, same[0], &r->receipt, &r->err), TW_REFUSED_LIMIT);
    cr_expect_eq(tw_ledger_expect(r->ledger, same, 64), 1);
    (void)commit(r);
    rig_free(r); /* with all that never came */
}

/* What was expected of a block that is given up, or of a foreign one that is refused, makes room.
 */
Test(threads, what_was_expected_goes_with_its_block)
{
    enum { ROOM = 1024 };
    static tw_bytes never[ROOM];
    rig *r = rig_deployed();
    for (int i = 0; i < ROOM; i++) never[i] = tw_bytes_of("\x02\x02 no transaction", 17);
    reopen(r, 2);
    begin(r, start_time + MINUTE);
    cr_expect_eq(tw_ledger_expect(r->ledger, never, ROOM), ROOM);
    tw_block_abort(r->ledger);
    cr_expect_eq(tw_ledger_expect(r->ledger, never, ROOM), ROOM);
    begin(r, start_time + MINUTE);
    (void)commit(r);
    const tw_block good = newest(r);
    for (int i = 0; i < 3; i++) {
        tw_block foreign = good;
        foreign.info.height++;
        foreign.info.time = i == 0 ? 0 : start_time + 2 * MINUTE;
        foreign.transactions = never;
        foreign.transaction_count = i == 1 ? ROOM : 0;
        (void)tw_ledger_expect(r->ledger, never, ROOM);
        cr_assert_neq(tw_ledger_replay_block(r->ledger, &foreign, &r->err), TW_OK);
        cr_expect_eq(tw_ledger_expect(r->ledger, never, ROOM), ROOM, "block %d", i);
    }
    rig_free(r);
}

/* The caller's bytes may change after they were expected: what they were then does not count. */
Test(threads, what_was_found_out_holds_for_the_same_bytes_only)
{
    rig *r = rig_deployed();
    const who sender = OWNER;
    uint8_t number[8];
    tw_hash id;
    tw_store_u64(number, 1);
    tw_tx tx = call_of(r, "add", tw_bytes_of(number, 8));
    tx.chain = *tw_ledger_chain(r->ledger);
    tx.nonce = r->nonces[sender];
    tx.gas_limit = UINT64_MAX / 2;
    tx.signers[0] = r->accounts[sender];
    tx.signer_count = 1;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    cr_assert_eq(tw_tx_encode(&tx, &r->secrets[sender], &w, &id), TW_OK);
    reopen(r, 2);
    const tw_bytes bytes = tw_writer_bytes(&w);
    cr_assert_eq(tw_ledger_expect(r->ledger, &bytes, 1), 1);
    w.data[w.size - 1] ^= 1;
    begin(r, start_time + MINUTE);
    cr_expect_eq(tw_block_add(r->ledger, bytes, &r->receipt, &r->err), TW_REFUSED_SIGNATURE);
    w.data[w.size - 1] ^= 1;
    cr_expect_eq(tw_block_add(r->ledger, bytes, &r->receipt, &r->err), TW_OK, "%s", r->err.text);
    (void)commit(r);
    tw_writer_free(&w);
    rig_free(r);
}

/* ---- a block over one that is not written ---- */

Test(threads, a_failed_write_is_told_and_takes_the_next_block_along)
{
    const tw_genesis genesis = {.name = "test", .time = start_time};
    char path[64];
    folder_make(path);
    rig *r = rig_on(store_on_disk(path), rig_source, &genesis);
    deploy(r);
    reopen(r, 2);
    const tw_block_info before = *tw_ledger_head(r->ledger);
    tw_store_break(r->store, "the disk is gone");
    begin(r, start_time + MINUTE);
    cr_assert_eq(tw_block_commit_later(r->ledger, NULL, &r->err), TW_OK);
    cr_expect_eq(tw_ledger_head(r->ledger)->height, before.height + 1);
    begin(r, start_time + 2 * MINUTE);
    r->err = (tw_err){0};
    cr_expect_eq(tw_block_commit_later(r->ledger, NULL, &r->err), TW_ERR_STORE);
    cr_expect(strstr(r->err.text, "the disk is gone") != NULL, "%s", r->err.text);
    cr_expect(tw_hash_equal(&tw_ledger_head(r->ledger)->hash, &before.hash));
    begin(r, start_time + MINUTE);
    cr_assert_eq(tw_block_commit_later(r->ledger, NULL, &r->err), TW_OK);
    cr_expect_eq(tw_ledger_settle(r->ledger, &r->err), TW_ERR_STORE);
    cr_expect_eq(tw_ledger_settle(r->ledger, &r->err), TW_OK, "it is told once");
    begin(r, start_time + MINUTE);
    cr_expect_eq(tw_block_commit(r->ledger, NULL, &r->err), TW_ERR_STORE);
    cr_expect(tw_hash_equal(&tw_ledger_head(r->ledger)->hash, &before.hash));
    rig_free(r);
    folder_remove(path);
}

/* A block whose writing failed is not proved, nor anything else by its root. */
Test(threads, a_failed_write_is_told_before_anything_is_proved)
{
    const tw_genesis genesis = {.name = "test", .time = start_time};
    char path[64];
    folder_make(path);
    rig *r = rig_on(store_on_disk(path), rig_source, &genesis);
    deploy(r);
    reopen(r, 2);
    const tw_key key = tw_key_of(TW_SPACE_CONTROL, &r->contract);
    const tw_history_of of = {.contract = r->contract};
    const tw_block_info before = *tw_ledger_head(r->ledger);
    tw_writer w = tw_writer_new(MIB);
    tw_witness witness;
    tw_store_break(r->store, "the disk is gone");
    for (int i = 0; i < 3; i++) {
        begin(r, start_time + MINUTE);
        cr_assert_eq(tw_block_commit_later(r->ledger, NULL, &r->err), TW_OK);
        tw_status status = TW_OK;
        if (i == 0) {
            status =
                tw_ledger_prove(r->ledger, tw_key_bytes(&key), true, r->arena, &witness, &r->err);
        }
        if (i == 1) status = tw_ledger_prove_history(r->ledger, &of, r->arena, &witness, &r->err);
        if (i == 2) status = tw_ledger_prove_ics23(r->ledger, tw_key_bytes(&key), &w, &r->err);
        cr_expect_eq(status, TW_ERR_STORE, "question %d", i);
        cr_expect(strstr(r->err.text, "the disk is gone") != NULL, "%s", r->err.text);
        cr_expect(tw_hash_equal(&tw_ledger_head(r->ledger)->hash, &before.hash));
    }
    /* asked again, it is of the block before, and its root and hash agree */
    cr_expect_eq(tw_ledger_prove(r->ledger, tw_key_bytes(&key), true, r->arena, &witness, &r->err),
                 TW_OK);
    cr_expect_eq(r->err.text[0], '\0', "no sentence of an earlier question");
    cr_expect_eq(tw_witness_check(&witness, &before.state_root, &before.hash, &r->err), TW_OK);
    tw_writer_free(&w);
    rig_free(r);
    folder_remove(path);
}

enum { KEYS = 60, OPS = 3000 };

static tw_bytes small_key(uint64_t *seed, uint8_t memory[3])
{
    const size_t number = random_below(seed, KEYS);
    memory[0] = (uint8_t)('a' + number % 3);
    memory[1] = (uint8_t)(number / 3);
    memory[2] = 0xff;
    return tw_bytes_of(memory, 2 + number % 2);
}

static void change_some(tw_overlay *o, uint64_t *seed, int count)
{
    uint8_t memory[3];
    uint8_t value[40];
    for (int i = 0; i < count; i++) {
        const tw_bytes key = small_key(seed, memory);
        memset(value, (int)random_below(seed, 256), sizeof value);
        if (random_below(seed, 3) == 0) {
            cr_assert_eq(tw_overlay_delete(o, key), TW_OK);
        } else {
            const tw_bytes put = tw_bytes_of(value, 1 + random_below(seed, sizeof value));
            cr_assert_eq(tw_overlay_put(o, key, put), TW_OK);
        }
    }
}

/* One reading or change; what is seen goes to the log. */
static void look_once(tw_overlay *o, uint64_t *seed, tw_writer *log)
{
    uint8_t memory[3];
    tw_bytes found_key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    bool found = false;
    const tw_bytes key = small_key(seed, memory);
    const size_t prefix = random_below(seed, 2);
    switch (random_below(seed, 3)) {
    case 0: change_some(o, seed, 1); break;
    case 1:
        cr_assert_eq(tw_overlay_get(o, key, &value, &found), TW_OK);
        tw_write_u8(log, found);
        if (found) tw_write_long(log, value);
        break;
    case 2:
        cr_assert_eq(
            tw_overlay_next(o, tw_bytes_of(memory, prefix), key, &found_key, &value, &found),
            TW_OK);
        tw_write_u8(log, found);
        if (found) tw_write_long(log, found_key);
        if (found) tw_write_long(log, value);
        break;
    }
}

static void log_changes(tw_overlay *o, tw_arena *arena, tw_writer *log)
{
    tw_change *changes = NULL;
    size_t count = 0;
    cr_assert_eq(tw_overlay_changes(o, arena, &changes, &count), TW_OK);
    tw_write_u64(log, count);
    for (size_t i = 0; i < count; i++) {
        tw_write_long(log, changes[i].key);
        tw_write_u8(log, changes[i].deleted);
        if (!changes[i].deleted) tw_write_long(log, changes[i].value);
        tw_write_u8(log, changes[i].before.data != NULL);
        if (changes[i].before.data != NULL) tw_write_long(log, changes[i].before);
    }
}

static void store_changes(tw_store *store, const tw_overlay *o, tw_arena *arena)
{
    tw_change *changes = NULL;
    size_t count = 0;
    tw_err err = {0};
    tw_batch *batch = tw_batch_new(MIB);
    cr_assert_eq(tw_overlay_changes(o, arena, &changes, &count), TW_OK);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].deleted) {
            tw_batch_delete(batch, TW_TABLE_STATE, changes[i].key);
        } else {
            tw_batch_put(batch, TW_TABLE_STATE, changes[i].key, changes[i].value);
        }
    }
    cr_assert_eq(tw_store_commit(store, batch, false, &err), TW_OK, "%s", err.text);
    tw_batch_free(batch);
}

/* A random state and a block over it. The next block over the changes of that one, whether the
 * store has taken them up or not, sees and does what it does over a store that has them. */
Test(threads, a_block_sees_the_one_below_it)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        tw_arena *arena = tw_arena_new(16 * MIB);
        uint64_t made = seed;
        tw_store *store = store_in_memory();
        tw_overlay *first = tw_overlay_new(store, 16 * MIB);
        tw_overlay *next = tw_overlay_new(store, 16 * MIB);
        tw_writer logs[3];
        change_some(first, &made, 50);
        store_changes(store, first, arena);
        tw_overlay_clear(first, seed);
        change_some(first, &made, 30);
        for (int way = 0; way < 3; way++) {
            uint64_t same = seed * 1000;
            logs[way] = tw_writer_new(16 * MIB);
            if (way == 1) store_changes(store, first, arena);
            tw_overlay_clear(next, seed + (uint64_t)way);
            if (way < 2) tw_overlay_stack(next, first);
            for (int i = 0; i < OPS; i++) look_once(next, &same, &logs[way]);
            log_changes(next, arena, &logs[way]);
            cr_expect(tw_bytes_equal(tw_writer_bytes(&logs[0]), tw_writer_bytes(&logs[way])),
                      "seed %d, way %d", (int)seed, way);
        }
        for (int way = 0; way < 3; way++) tw_writer_free(&logs[way]);
        tw_overlay_free(first);
        tw_overlay_free(next);
        tw_store_close(store);
        tw_arena_free(arena);
    }
}

/* ---- the tree by halves ---- */

enum { VERSIONS = 30, CHANGES_MAX = 400 };

/* Random blocks on a tree: its roots to the log, its nodes to the store. */
static void grow_tree(tw_store *store, tw_crew *few, uint64_t seed, tw_writer *log)
{
    static uint8_t keys[CHANGES_MAX][8];
    static tw_change changes[CHANGES_MAX];
    tw_tree *tree = tw_tree_new(store, 16 * MIB);
    tw_batch *batch = tw_batch_new(16 * MIB);
    tw_tree_root root = {0};
    tw_err err = {0};
    tw_tree_use(tree, few);
    tw_tree_remember(tree, 40 * 1024);
    for (uint64_t version = 1; version <= VERSIONS; version++) {
        const size_t count = 1 + random_below(&seed, CHANGES_MAX);
        const uint64_t first = random_below(&seed, 2000);
        for (size_t i = 0; i < count; i++) {
            tw_store_u64(keys[i], first + i);
            changes[i] = (tw_change){.key = tw_bytes_of(keys[i], 8)};
            changes[i].deleted = random_below(&seed, 3) == 0;
            if (!changes[i].deleted) changes[i].value = tw_bytes_of(keys[i], 4 + version % 5);
        }
        tw_batch_clear(batch);
        cr_assert_eq(tw_tree_update(tree, &root, version, changes, count, batch, &root), TW_OK);
        cr_assert_eq(tw_store_commit(store, batch, false, &err), TW_OK, "%s", err.text);
        tw_write_raw(log, root.hash.bytes, TW_HASH_SIZE);
    }
    tw_tree_free(tree);
    tw_batch_free(batch);
}

Test(threads, a_root_by_halves_is_the_same)
{
    static const unsigned threads[] = {1, 3};
    for (uint64_t seed = 1; seed <= 4; seed++) {
        tw_writer wanted = tw_writer_new(64 * MIB);
        tw_store *store = store_in_memory();
        grow_tree(store, NULL, seed, &wanted);
        dump(store, &wanted);
        tw_store_close(store);
        for (size_t n = 0; n < sizeof threads / sizeof threads[0]; n++) {
            tw_writer got = tw_writer_new(64 * MIB);
            tw_crew *few = tw_crew_new(threads[n]);
            store = store_in_memory();
            grow_tree(store, few, seed, &got);
            dump(store, &got);
            cr_expect(tw_bytes_equal(tw_writer_bytes(&wanted), tw_writer_bytes(&got)),
                      "seed %d, %u threads", (int)seed, threads[n]);
            tw_store_close(store);
            tw_crew_free(few);
            tw_writer_free(&got);
        }
        tw_writer_free(&wanted);
    }
}
