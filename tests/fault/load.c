/* load -- see load.h. What a block holds is drawn from its height alone, and the nonces from the
 * head, so a process that begins anywhere makes the block that any other would have made. */
#include "tests/fault/load.h"

#include "compiler/twc.h"
#include "vm/ledger/audit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READINGS = 8,
    CALLS = 5,
    KEYS = 300,
    TEXT_MAX = 180,
    ROUND = 12, /* blocks between deploys */
    STEP = 10000,
    MEMORY_MAX = 1024 * 1024 * 1024,
    TXS_MAX = 8, /* of a block */
    AUDIT_MEMORY = 16 * 1024 * 1024,
    CACHE_SIZE = 1024 * 1024,
    BUFFERS_SIZE = 128 * 1024,
    PATH_SIZE = 4096,
};

static const int64_t start_time = 1767225600000; /* 2026-01-01T00:00:00Z */

static const char source[] = "contract Load version 1 {\n"
                             "  role owner\n"
                             "  role sensor\n"
                             "  reading level : length from sensor field \"level\"\n"
                             "    range -1 m .. 10 m rate 1 per 1 s keep 64 max_age 1 h\n"
                             "  alarm high\n"
                             "    raise when level above 100 mm for 10 s\n"
                             "    clear when level below 90 mm for 1 s\n"
                             "  map notes : int -> text(200) max 300\n"
                             "  map sums : int -> int max 300\n"
                             "  var turns : int = 0\n"
                             "  var total : int = 0\n"
                             "  event Raised(at: time)\n"
                             "  invariant small: total < 1000000000\n"
                             "  on high raised { emit Raised(at: now) }\n"
                             "  every 1 min {\n"
                             "    turns += 1\n"
                             "    history Turned(turns: turns)\n"
                             "  }\n"
                             "  action put(k: int, t: text(200)) by owner { notes[k] = t }\n"
                             "  action add(k: int, n: int) by owner {\n"
                             "    sums[k] = n\n"
                             "    total += n\n"
                             "  }\n"
                             "  action drop(k: int) by owner { remove notes[k] }\n"
                             "  action spoil(n: int) by owner { total = 1000000000 + n }\n"
                             "}\n";

uint64_t load_mixed(uint64_t x)
{
    x += 0x9E3779B97F4A7C15;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

bool load_make(load *l)
{
    static const char *const names[LOAD_PEOPLE] = {"owner", "sensor", "carrier"};
    *l = (load){.bytes = tw_writer_new(TW_TX_SIZE_MAX), .pack = tw_writer_new(TW_TX_SIZE_MAX)};
    for (int i = 0; i < LOAD_PEOPLE; i++) {
        tw_secret_from_seed(names[i], &l->secrets[i]);
        if (!tw_secret_account(&l->secrets[i], &l->accounts[i])) return false;
    }
    twc_result *result = twc_compile("load.twc", source, strlen(source));
    if (result == NULL) return false;
    if (twc_result_error_count(result) > 0) {
        (void)fputs(twc_result_report(result, false), stderr);
        twc_result_free(result);
        return false;
    }
    const tw_bytes module = twc_result_unit(result, 0)->module;
    l->module = tw_mem_new(module.size);
    l->module_size = module.size;
    if (l->module != NULL) memcpy(l->module, module.data, module.size);
    twc_result_free(result);
    return l->module != NULL;
}

void load_free(load *l)
{
    load_close(l);
    tw_writer_free(&l->bytes);
    tw_writer_free(&l->pack);
    tw_mem_free(l->module);
    l->module = NULL;
}

/* ---- the ledger ---- */

static bool is_new(tw_store *store, tw_status *ret_status, tw_err *err)
{
    tw_head head = {.exists = false};
    tw_arena *arena = tw_arena_new(AUDIT_MEMORY);
    if (arena == NULL) {
        *ret_status = TW_ERR_MEMORY;
        return false;
    }
    *ret_status = tw_head_read(store, arena, &head, err);
    tw_arena_free(arena);
    return *ret_status == TW_OK && !head.exists;
}

static tw_tx deploy_of(load *l, tw_tx_role roles[2])
{
    roles[0] = (tw_tx_role){&l->accounts[LOAD_OWNER], 1};
    roles[1] = (tw_tx_role){&l->accounts[LOAD_SENSOR], 1};
    return (tw_tx){.kind = TW_TX_DEPLOY,
                   .module = tw_bytes_of(l->module, l->module_size),
                   .roles = roles,
                   .role_count = 2};
}

/* The contract's id follows from the transaction that deploys it, the owner's first. */
static void name_contract(load *l)
{
    tw_tx_role roles[2];
    tw_tx tx = deploy_of(l, roles);
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_arena *arena = tw_arena_new(TW_TX_SIZE_MAX * 4);
    tw_tx decoded;
    tw_hash id;
    tx.chain = *tw_ledger_chain(l->ledger);
    tx.signers[0] = l->accounts[LOAD_OWNER];
    tx.signer_count = 1;
    tx.gas_limit = UINT64_MAX;
    if (arena != NULL && tw_tx_encode(&tx, NULL, &w, &id) == TW_OK &&
        tw_tx_decode(tw_writer_bytes(&w), arena, &decoded) == TW_OK) {
        l->contract = tw_tx_contract_id(&decoded);
    }
    tw_arena_free(arena);
    tw_writer_free(&w);
}

tw_status load_open(load *l, const char *folder, tw_err *err)
{
    const tw_genesis genesis = {.name = "load", .time = start_time};
    const tw_store_options wanted = {
        .create = true, .cache_size = CACHE_SIZE, .buffers_size = BUFFERS_SIZE};
    const tw_ledger_options options = {
        .keep = l->keep, .threads = l->threads, .no_sync = folder == NULL};
    tw_status status = folder != NULL ? tw_store_open(folder, &wanted, &l->store, err)
                                      : tw_store_open_memory(MEMORY_MAX, &l->store);
    if (status != TW_OK) return status;
    if (is_new(l->store, &status, err)) status = tw_ledger_create(l->store, &genesis, err);
    if (status == TW_OK) status = tw_ledger_open(l->store, &options, &l->ledger, err);
    if (status != TW_OK) {
        load_close(l);
        return status;
    }
    name_contract(l);
    return TW_OK;
}

void load_close(load *l)
{
    tw_ledger_close(l->ledger);
    tw_store_close(l->store);
    l->ledger = NULL;
    l->store = NULL;
}

/* ---- a block ---- */

typedef struct filling {
    load *l;
    uint64_t height;
    uint64_t nonces[LOAD_PEOPLE];
    size_t ends[TXS_MAX]; /* of the transactions, one behind the other in l->bytes */
    size_t count;
} filling;

static tw_status add(filling *f, tw_tx *tx, load_who sender)
{
    load *l = f->l;
    tw_hash id;
    tx->chain = *tw_ledger_chain(l->ledger);
    tx->signers[0] = l->accounts[sender];
    tx->signer_count = 1;
    tx->nonce = f->nonces[sender];
    tx->gas_limit = UINT64_MAX;
    TW_TRY(tw_tx_encode(tx, &l->secrets[sender], &l->bytes, &id));
    f->ends[f->count++] = l->bytes.size;
    f->nonces[sender]++;
    return TW_OK;
}

static tw_status add_deploy(filling *f, load_who sender)
{
    tw_tx_role roles[2];
    tw_tx tx = deploy_of(f->l, roles);
    return add(f, &tx, sender);
}

static tw_status add_pack(filling *f, int64_t time)
{
    load *l = f->l;
    tw_pack_item items[READINGS];
    for (int i = 0; i < READINGS; i++) {
        const int64_t level = f->height % 7 < 3 ? 150000 : 50000; /* micrometres */
        items[i] = (tw_pack_item){0, time - (READINGS - 1 - i) * 1000, level + i};
    }
    const tw_pack pack = {.contract = l->contract,
                          .device = l->accounts[LOAD_SENSOR],
                          .grant = 1,
                          .sequence = f->height - 1,
                          .fields = {tw_bytes_of("level", 5)},
                          .field_count = 1,
                          .items = items,
                          .item_count = READINGS};
    tw_writer_clear(&l->pack);
    TW_TRY(tw_pack_encode(&pack, tw_ledger_chain(l->ledger), &l->secrets[LOAD_SENSOR], &l->pack));
    tw_tx tx = {.kind = TW_TX_PACK, .pack = tw_writer_bytes(&l->pack)};
    return add(f, &tx, LOAD_CARRIER);
}

/* Drawn from height and place. Of some the key is not there, and one breaks an invariant: they
 * stand in the block as failed. */
static tw_status add_call(filling *f, uint64_t place)
{
    static const char *const names[CALLS] = {"put", "add", "drop", "put", "spoil"};
    const uint64_t drawn = load_mixed(f->height * CALLS + place);
    const char *name = names[place];
    uint8_t memory[2 * 8 + 2 + TEXT_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u64(&w, drawn % KEYS);
    if (strcmp(name, "add") == 0) tw_write_u64(&w, drawn >> 48);
    if (strcmp(name, "put") == 0) {
        char text[TEXT_MAX];
        const size_t size = 20 + (drawn >> 32) % (TEXT_MAX - 20);
        for (size_t i = 0; i < size; i++) text[i] = (char)('a' + load_mixed(drawn + i) % 26);
        tw_write_short(&w, tw_bytes_of(text, size));
    }
    tw_tx tx = {.kind = TW_TX_CALL,
                .contract = f->l->contract,
                .entry = tw_bytes_of(name, strlen(name)),
                .arguments = tw_writer_bytes(&w)};
    return add(f, &tx, LOAD_OWNER);
}

static tw_status add_all(filling *f, int64_t time)
{
    load *l = f->l;
    for (int i = 0; i < LOAD_PEOPLE; i++) {
        TW_TRY(tw_ledger_nonce(l->ledger, &l->accounts[i], &f->nonces[i]));
    }
    tw_writer_clear(&l->bytes);
    if (f->height == 1) return add_deploy(f, LOAD_OWNER);
    TW_TRY(add_pack(f, time));
    for (uint64_t i = 0; i < CALLS; i++) TW_TRY(add_call(f, i));
    return f->height % ROUND == 0 ? add_deploy(f, LOAD_CARRIER) : TW_OK;
}

/* Threads, where there are some, look at the transactions before their turn. */
static tw_status fill(filling *f, tw_err *err)
{
    load *l = f->l;
    tw_bytes list[TXS_MAX];
    tw_receipt receipt;
    const int64_t time = start_time + (int64_t)f->height * STEP;
    TW_TRY(add_all(f, time));
    for (size_t i = 0; i < f->count; i++) {
        const size_t start = i > 0 ? f->ends[i - 1] : 0;
        list[i] = tw_bytes_of(l->bytes.data + start, f->ends[i] - start);
    }
    (void)tw_ledger_expect(l->ledger, list, f->count);
    TW_TRY(tw_block_begin(l->ledger, time, err));
    for (size_t i = 0; i < f->count; i++) {
        TW_TRY(tw_block_add(l->ledger, list[i], &receipt, err));
    }
    return TW_OK;
}

tw_status load_fill(load *l, tw_err *err)
{
    filling f = {.l = l, .height = tw_ledger_head(l->ledger)->height + 1};
    const tw_status status = fill(&f, err);
    if (status != TW_OK) tw_block_abort(l->ledger);
    return status;
}

tw_status load_commit(load *l, tw_err *err)
{
    tw_block_info info;
    return tw_block_commit(l->ledger, &info, err);
}

bool load_expect(load *l, uint64_t height, tw_hash *ret_hash)
{
    tw_err err = {.status = TW_OK};
    while (tw_ledger_head(l->ledger)->height < height) {
        if (load_fill(l, &err) != TW_OK || load_commit(l, &err) != TW_OK) {
            (void)fprintf(stderr, "load: in memory: %s\n", err.text);
            return false;
        }
    }
    tw_arena *arena = tw_arena_new(AUDIT_MEMORY);
    tw_block block;
    const bool good =
        arena != NULL && tw_ledger_block(l->ledger, height, arena, &block, &err) == TW_OK;
    if (good) *ret_hash = block.info.hash;
    tw_arena_free(arena);
    return good;
}

/* ---- child processes ---- */

static void tell(int fd, load_said said, uint64_t height, const tw_hash *hash)
{
    load_word word = {.said = (uint64_t)said, .height = height};
    if (hash != NULL) word.hash = *hash;
    if (write(fd, &word, sizeof word) != (ssize_t)sizeof word) _exit(3); /* nobody listens */
}

static int failed(const char *what, tw_status status, const tw_err *err)
{
    (void)fprintf(stderr, "%s: %s\n", what,
                  err->text[0] != '\0' ? err->text : tw_status_text(status));
    return 1;
}

/* Ends the block and acknowledges what is on the disk then: it, or the one before it (`last`). */
static tw_status end_block(load *l, int fd, tw_block_info *last, tw_err *err)
{
    const tw_block_info *head = tw_ledger_head(l->ledger);
    if (l->threads > 1) {
        tw_block_info info;
        const tw_status status = tw_block_commit_later(l->ledger, &info, err);
        if (status == TW_OK) tell(fd, LOAD_DONE, last->height, &last->hash);
        if (status == TW_OK) *last = info;
        return status;
    }
    const tw_status status = load_commit(l, err);
    if (status == TW_OK) tell(fd, LOAD_DONE, head->height, &head->hash);
    return status;
}

int load_work(load *l, const char *folder, uint64_t until, int fd)
{
    tw_err err = {.status = TW_OK};
    tw_status status = load_open(l, folder, &err);
    if (status != TW_OK) return failed("open", status, &err);
    const tw_block_info *head = tw_ledger_head(l->ledger);
    tw_block_info last = *head;
    tell(fd, LOAD_OPENED, head->height, &head->hash);
    while (status == TW_OK && head->height < until) {
        status = load_fill(l, &err);
        if (status != TW_OK) break;
        tell(fd, LOAD_STARTS, head->height + 1, NULL);
        status = end_block(l, fd, &last, &err);
    }
    if (status == TW_OK && l->threads > 1) {
        status = tw_ledger_settle(l->ledger, &err);
        if (status == TW_OK) tell(fd, LOAD_DONE, last.height, &last.hash);
    }
    if (status == TW_OK) status = tw_store_settle(l->store, &err);
    load_close(l);
    if (status != TW_OK) return failed("block", status, &err);
    tell(fd, LOAD_END, 0, NULL);
    return 0;
}

static void found(void *context, const char *sentence)
{
    (void)context;
    (void)fprintf(stderr, "audit: %s\n", sentence);
}

tw_status load_replay(load *l, tw_err *err)
{
    const tw_ledger_options options = {.no_sync = true, .threads = l->threads};
    tw_store *store = NULL;
    tw_ledger *other = NULL;
    tw_arena *arena = tw_arena_new(AUDIT_MEMORY);
    tw_status status = arena == NULL ? TW_ERR_MEMORY : tw_store_open_memory(MEMORY_MAX, &store);
    if (status == TW_OK) status = tw_ledger_create(store, tw_ledger_genesis(l->ledger), err);
    if (status == TW_OK) status = tw_ledger_open(store, &options, &other, err);
    for (uint64_t h = 1; status == TW_OK && h <= tw_ledger_head(l->ledger)->height; h++) {
        tw_block block;
        tw_arena_clear(arena);
        status = tw_ledger_block(l->ledger, h, arena, &block, err);
        if (status == TW_OK) status = tw_ledger_replay_block(other, &block, err);
    }
    tw_ledger_close(other);
    tw_store_close(store);
    tw_arena_free(arena);
    return status;
}

static tw_status check(load *l, uint64_t from, int fd, tw_err *err)
{
    tw_arena *arena = tw_arena_new(AUDIT_MEMORY);
    if (arena == NULL) return TW_ERR_MEMORY;
    const tw_block_info *head = tw_ledger_head(l->ledger);
    tw_status status = TW_OK;
    for (uint64_t h = from; status == TW_OK && h <= head->height; h++) {
        tw_block block;
        tw_arena_clear(arena);
        status = tw_ledger_block(l->ledger, h, arena, &block, err);
        if (status == TW_OK) tell(fd, LOAD_BLOCK, h, &block.info.hash);
    }
    tw_arena_free(arena);
    tw_audit audit = {.store = l->store, .memory_max = AUDIT_MEMORY, .found = found};
    if (status == TW_OK) status = tw_audit_ledger(&audit, err);
    if (status == TW_OK) tell(fd, LOAD_PROBLEMS, audit.problems, NULL);
    return status;
}

int load_check(load *l, const char *folder, uint64_t from, int fd)
{
    tw_err err = {.status = TW_OK};
    tw_status status = load_open(l, folder, &err);
    if (status != TW_OK) return failed("open", status, &err);
    const tw_block_info *head = tw_ledger_head(l->ledger);
    tell(fd, LOAD_OPENED, head->height, &head->hash);
    status = check(l, from, fd, &err);
    if (status == TW_OK && from == 0) status = load_replay(l, &err);
    load_close(l);
    if (status != TW_OK) return failed("check", status, &err);
    tell(fd, LOAD_END, 0, NULL);
    return 0;
}

/* ---- folders ---- */

bool load_folder_make(const char *parent, char path[static 4096])
{
    const int size = snprintf(path, PATH_SIZE, "%s/twvm-break-XXXXXX", parent);
    return size > 0 && size < PATH_SIZE && mkdtemp(path) != NULL;
}

void load_folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] != '.') (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    (void)closedir(folder);
    (void)rmdir(path);
}
