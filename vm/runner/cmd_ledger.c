/* cmd_ledger -- the commands about the ledger as a whole: init, root, blocks, replay. */
#include "vm/base/crew.h"
#include "vm/runner/command.h"
#include "vm/runner/folder.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BLOCK_MEMORY_MAX = 1024 * 1024 * 1024,
    GENESIS_MEMORY_MAX = 64 * 1024 * 1024,
    WINDOW_BLOCKS = 256, /* of a replay, read at once */
    WINDOW_SIZE = 32 * 1024 * 1024,
    PATH_SIZE = TW_FOLDER_PATH_MAX + 300,
};

static const char copy_name[] = "replay-"; /* of the store of a replay that is not kept */

/* ---- init ---- */

/* The last part of the path, for the chain's name. */
static void folder_name(const char *dir, char *ret_name, size_t size)
{
    size_t end = strlen(dir);
    while (end > 1 && dir[end - 1] == '/') end--;
    size_t start = end;
    while (start > 0 && dir[start - 1] != '/') start--;
    snprintf(ret_name, size, "%.*s", (int)(end - start), dir + start);
    if (ret_name[0] == '\0' || ret_name[0] == '.' || ret_name[0] == '/') {
        snprintf(ret_name, size, "ledger");
    }
}

/* The folder and its keyring; refused before anything is made when a ledger is there. */
static tw_status make_folder(tw_app *app, const char *dir, bool insecure)
{
    TW_TRY(tw_session_is_free(dir, &app->err));
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        return tw_app_fail(app, "%s: the folder cannot be made: %s", dir, strerror(errno));
    }
    TW_TRY(tw_keyring_create(dir, insecure, &app->err));
    if (insecure) fputs("note: --insecure-keys: whoever reads this folder can sign\n", stderr);
    return TW_OK;
}

tw_status tw_command_init(tw_app *app)
{
    const char *dir = app->args.words[0];
    const char *start = tw_args_get(&app->args, "start", NULL);
    const bool insecure = tw_args_has(&app->args, "insecure-keys");
    char name[64];
    char time[TW_TIME_TEXT_MAX];
    uint64_t retain = 0;
    if (!tw_args_number(&app->args, "retain", 0, UINT64_MAX, &retain, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    folder_name(dir, name, sizeof name);
    tw_genesis genesis = {.name = tw_args_get(&app->args, "chain", name), .time = tw_time_now()};
    if (start != NULL) {
        const char *why = NULL;
        if (!tw_time_parse(tw_bytes_of(start, strlen(start)), TW_TIME_AUTO, 0, &genesis.time,
                           &why)) {
            return tw_app_usage(app, "--start: \"%.60s\" %s", start, why);
        }
    }
    TW_TRY(make_folder(app, dir, insecure));
    tw_arena *arena = tw_arena_new(GENESIS_MEMORY_MAX);
    tw_status made = arena != NULL ? tw_money_genesis(app, dir, arena, &genesis) : TW_ERR_MEMORY;
    if (made == TW_OK) made = tw_money_genesis_fees(app, dir, &genesis);
    if (made == TW_OK) made = tw_session_create(dir, &genesis, start != NULL, &app->err);
    tw_arena_free(arena);
    TW_TRY(made);
    if (retain > 0) {
        TW_TRY(tw_session_open(dir, &app->session, &app->err));
        TW_TRY(tw_session_set_retain(app->session, retain, &app->err));
    }
    if (app->json) {
        return tw_app_print_json(json_pack(
            "{s:s, s:s, s:b, s:b, s:o}", "dir", dir, "chain", genesis.name, "simulated",
            start != NULL, "insecure_keys", insecure, "time", tw_json_time(genesis.time)));
    }
    printf("made the ledger %s in %s, on %s clock from %s\n", genesis.name, dir,
           start != NULL ? "a simulated" : "the wall", tw_time_print(genesis.time, time));
    return TW_OK;
}

/* ---- root ---- */

tw_status tw_command_root(tw_app *app)
{
    TW_TRY(tw_app_open(app));
    const tw_block_info *head = tw_ledger_head(app->session->ledger);
    char root[65], hash[65], chain[65], time[TW_TIME_TEXT_MAX];
    tw_hex_encode(head->state_root.bytes, TW_HASH_SIZE, root);
    tw_hex_encode(head->hash.bytes, TW_HASH_SIZE, hash);
    tw_hex_encode(tw_ledger_chain(app->session->ledger)->bytes, TW_HASH_SIZE, chain);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:s, s:o, s:o, s:s, s:s}", "chain", chain, "height",
                                           tw_json_u64(head->height), "time",
                                           tw_json_time(head->time), "block", hash, "root", root));
    }
    printf("height %" PRIu64 "\ntime   %s\nblock  %s\nroot   %s\n", head->height,
           tw_time_print(head->time, time), hash, root);
    return TW_OK;
}

/* ---- blocks ---- */

static tw_status print_block_line(const tw_app *app, const tw_block *block)
{
    char time[TW_TIME_TEXT_MAX];
    char root[65];
    uint32_t accepted = 0;
    uint32_t refused = 0;
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        if (!block->receipts[i].has_intake) continue;
        accepted += block->receipts[i].intake.accepted;
        refused += block->receipts[i].intake.refused_count;
    }
    tw_hex_encode(block->info.state_root.bytes, TW_HASH_SIZE, root);
    if (app->json) {
        return tw_app_print_json(json_pack(
            "{s:o, s:o, s:i, s:i, s:i, s:i, s:s}", "height", tw_json_u64(block->info.height),
            "time", tw_json_time(block->info.time), "transactions", (int)block->transaction_count,
            "runs_of_the_clock", (int)(block->receipt_count - block->transaction_count), "accepted",
            (int)accepted, "refused", (int)refused, "root", root));
    }
    printf("%8" PRIu64 "  %-24s  %2u transactions, %u runs of the clock, %u readings in, %u "
           "refused  root %.16s\n",
           block->info.height, tw_time_print(block->info.time, time), block->transaction_count,
           block->receipt_count - block->transaction_count, accepted, refused, root);
    return TW_OK;
}

/* "timer", "handler", or what the transaction of this receipt was. */
static const char *receipt_word(const tw_app *app, const tw_block *block, uint32_t number)
{
    const tw_receipt *receipt = &block->receipts[number];
    const uint32_t first = block->receipt_count - block->transaction_count;
    tw_tx tx;
    if (receipt->kind == TW_RECEIPT_TIMER) return "timer";
    if (receipt->kind == TW_RECEIPT_HANDLER || number < first) return "handler";
    const tw_bytes bytes = block->transactions[number - first];
    return tw_tx_decode(bytes, app->session->arena, &tx) == TW_OK ? tw_receipt_word(&tx) : "?";
}

/* Receipt number `number` of the block. */
static tw_status print_receipt(tw_app *app, const tw_block *block, uint32_t number)
{
    tw_session *s = app->session;
    const tw_receipt *receipt = &block->receipts[number];
    const tw_run *run = &receipt->run;
    const tw_module *m = NULL; /* its indexes mean nothing where no entry of the contract ran */
    if (run->entry != TW_NONE) {
        m = tw_session_module_then(s, &run->contract, block->info.height, number);
    }
    char label[TW_CONTRACT_NAME_MAX], gas[TW_GROUPED_MAX], id[65], fee[TW_FEE_TEXT_MAX];
    tw_writer w = tw_writer_new(16 * 1024);
    tw_session_outcome(s, m, run, &w);
    const char *entry = m != NULL && run->entry < m->entry_count ? m->entries[run->entry].name : "";
    tw_hex_encode(receipt->transaction.bytes, TW_HASH_SIZE, id);
    const bool contract = !tw_hash_is_zero(&run->contract);
    printf("  %-8s %s%s%s%s%.*s; gas %s%s, %u writes", receipt_word(app, block, number),
           contract ? tw_session_label(s, &run->contract, label) : "", entry[0] != '\0' ? " " : "",
           entry, contract ? ": " : "", (int)w.size, (const char *)w.data,
           tw_grouped(run->gas, gas), tw_money_fee(s, receipt->fee, fee), run->writes);
    if (receipt->has_intake) {
        printf("; %u readings in, %u refused", receipt->intake.accepted,
               receipt->intake.refused_count);
    }
    printf("%s%s\n", receipt->kind == TW_RECEIPT_TX ? "; id " : "",
           receipt->kind == TW_RECEIPT_TX ? id : "");
    tw_writer_free(&w);
    return TW_OK;
}

static tw_status print_item(void *context, const tw_story_item *item)
{
    const tw_app *app = context;
    tw_writer w = tw_writer_new(64 * 1024);
    const tw_status status = tw_story_details(app->session, item, &w);
    if (status == TW_OK) {
        const bool money = item->kind == TW_STORY_MONEY; /* names itself */
        printf("    %s %s%s%.*s\n", tw_story_word(item->kind), money ? "" : item->name,
               money ? "" : " ", (int)w.size, (const char *)w.data);
    }
    tw_writer_free(&w);
    return status;
}

typedef struct collection {
    tw_session *session;
    json_t *list;
} collection;

static tw_status collect_item(void *context, const tw_story_item *item)
{
    const collection *c = context;
    json_t *value = tw_story_json(c->session, item);
    return value != NULL && json_array_append_new(c->list, value) == 0 ? TW_OK : TW_ERR_MEMORY;
}

static tw_status print_one_block(tw_app *app, const char *text)
{
    tw_session *s = app->session;
    tw_block block;
    uint64_t height = 0;
    for (const char *t = text; *t != '\0'; t++) {
        if (*t < '0' || *t > '9' || height > UINT64_MAX / 20) {
            return tw_app_usage(app, "%.40s is no height of a block", text);
        }
        height = height * 10 + (uint64_t)(*t - '0');
    }
    TW_TRY(tw_ledger_block(s->ledger, height, s->arena, &block, &app->err));
    if (app->json) {
        collection c = {s, json_array()};
        TW_TRY(tw_story_walk(s, &block, NULL, TW_STORY_ALL, collect_item, &c));
        return tw_app_print_json(json_pack("{s:o, s:o, s:o}", "height", tw_json_u64(height), "time",
                                           tw_json_time(block.info.time), "story", c.list));
    }
    TW_TRY(print_block_line(app, &block));
    for (uint32_t i = 0; i < block.receipt_count; i++) {
        TW_TRY(print_receipt(app, &block, i));
    }
    return tw_story_walk(s, &block, NULL, TW_STORY_ALL, print_item, app);
}

tw_status tw_command_blocks(tw_app *app)
{
    uint64_t limit = 20;
    if (!tw_args_number(&app->args, "limit", 1, UINT64_MAX, &limit, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    TW_TRY(tw_app_open(app));
    tw_session *s = app->session;
    if (app->args.word_count == 1) return print_one_block(app, app->args.words[0]);
    const uint64_t newest = tw_ledger_head(s->ledger)->height;
    const uint64_t base = tw_ledger_base(s->ledger);
    uint64_t first = base > 0 ? base + 1 : 0;
    if (newest + 1 - first > limit) first = newest + 1 - limit;
    for (uint64_t i = first; i <= newest; i++) {
        tw_block block;
        const tw_mark mark = tw_arena_mark(s->arena);
        TW_TRY(tw_ledger_block(s->ledger, i, s->arena, &block, &app->err));
        TW_TRY(print_block_line(app, &block));
        tw_arena_reset(s->arena, mark);
    }
    return TW_OK;
}

/* ---- replay ---- */

/* Blocks read at once, whose transactions the copy then expects. */
typedef struct window {
    tw_arena *arena;
    tw_block blocks[WINDOW_BLOCKS];
    uint32_t count;
} window;

static tw_status read_window(tw_app *app, window *w, uint64_t height, tw_ledger *copy)
{
    tw_ledger *from = app->session->ledger;
    const uint64_t newest = tw_ledger_head(from)->height;
    tw_arena_clear(w->arena);
    w->count = 0;
    while (w->count < WINDOW_BLOCKS && height <= newest && tw_arena_used(w->arena) < WINDOW_SIZE) {
        tw_block *block = &w->blocks[w->count++];
        TW_TRY(tw_ledger_block(from, height++, w->arena, block, &app->err));
        (void)tw_ledger_expect(copy, block->transactions, block->transaction_count);
    }
    return TW_OK;
}

static tw_status replay_window(tw_app *app, const window *w, tw_ledger *copy, int64_t *drawn)
{
    const uint64_t newest = tw_ledger_head(app->session->ledger)->height;
    for (uint32_t i = 0; i < w->count; i++) {
        TW_TRY(tw_ledger_replay_block(copy, &w->blocks[i], &app->err));
        if (app->terminal && tw_time_now() - *drawn > 100) {
            *drawn = tw_time_now();
            fprintf(stderr, "\rreplay: block %" PRIu64 " of %" PRIu64, w->blocks[i].info.height,
                    newest);
        }
    }
    return TW_OK;
}

static tw_status replay_blocks(tw_app *app, tw_ledger *copy)
{
    const tw_block_info *newest = tw_ledger_head(app->session->ledger);
    const tw_block_info *head = tw_ledger_head(copy);
    window w = {.arena = tw_arena_new(BLOCK_MEMORY_MAX)};
    tw_status status = w.arena != NULL ? TW_OK : TW_ERR_MEMORY;
    int64_t drawn = 0;
    while (status == TW_OK && head->height < newest->height) {
        status = read_window(app, &w, head->height + 1, copy);
        if (status == TW_OK) status = replay_window(app, &w, copy, &drawn);
    }
    if (status == TW_OK) status = tw_ledger_settle(copy, &app->err);
    if (app->terminal && drawn != 0) fputs("\r\033[K", stderr);
    tw_arena_free(w.arena);
    if (status != TW_OK) return status;
    if (tw_hash_equal(&head->state_root, &newest->state_root) && head->height == newest->height) {
        return TW_OK;
    }
    return tw_app_fail(app, "the second ledger ends elsewhere than the first");
}

static tw_status report_replay(const tw_app *app, int64_t took)
{
    const tw_block_info *head = tw_ledger_head(app->session->ledger);
    char root[65], height[TW_GROUPED_MAX];
    tw_hex_encode(head->state_root.bytes, TW_HASH_SIZE, root);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:o, s:s, s:b, s:o}", "blocks",
                                           tw_json_u64(head->height), "root", root, "agrees", true,
                                           "milliseconds", tw_json_u64((uint64_t)took)));
    }
    printf("replayed %s blocks in %" PRId64 ".%03" PRId64
           " s: every root and receipt agrees\nroot %s\n",
           tw_grouped(head->height, height), took / 1000, took % 1000, root);
    return TW_OK;
}

/* What a replay that was killed has left: whoever has the ledger open, and that are we, is the only
 * one that may be replaying it. */
static void remove_copies(const char *dir)
{
    char path[PATH_SIZE];
    DIR *folder = opendir(dir);
    if (folder == NULL) return;
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strncmp(name, copy_name, strlen(copy_name)) != 0) continue;
        const char *number = name + strlen(copy_name);
        if (number[0] == '\0' || number[strspn(number, "0123456789")] != '\0') continue;
        snprintf(path, sizeof path, "%.4096s/%s", dir, name);
        tw_folder_remove(path);
    }
    closedir(folder);
}

/* Makes the second ledger in the store of `path` and executes all blocks on it. One that is kept is
 * written as any other ledger. */
static tw_status replay_in(tw_app *app, const char *path, bool kept, unsigned threads)
{
    tw_store *store = NULL;
    tw_ledger *copy = NULL;
    const tw_store_options options = {.create = true};
    const tw_ledger_options how = {.no_sync = !kept, .threads = threads};
    TW_TRY(tw_store_open(path, &options, &store, &app->err));
    tw_status status = tw_app_floor(app, store);
    if (status == TW_OK && !kept) {
        status = tw_ledger_create(store, tw_ledger_genesis(app->session->ledger), &app->err);
    }
    if (status == TW_OK) status = tw_ledger_open(store, &how, &copy, &app->err);
    if (status == TW_OK) status = replay_blocks(app, copy);
    tw_ledger_close(copy);
    if (status == TW_OK) status = tw_store_settle(store, &app->err);
    tw_store_close(store);
    return status;
}

static tw_status replay_to(tw_app *app, const char *dir, unsigned threads)
{
    char path[PATH_SIZE];
    tw_draft draft;
    TW_TRY(tw_draft_begin(dir, &draft, &app->err));
    snprintf(path, sizeof path, "%s/store", draft.path);
    tw_status status = tw_session_create(draft.path, tw_ledger_genesis(app->session->ledger),
                                         app->session->simulated, &app->err);
    if (status == TW_OK) status = replay_in(app, path, true, threads);
    if (status == TW_OK) status = tw_draft_end(&draft, &app->err);
    tw_draft_drop(&draft);
    return status;
}

static tw_status replay_beside(tw_app *app, unsigned threads)
{
    char path[PATH_SIZE];
    remove_copies(app->session->dir);
    snprintf(path, sizeof path, "%s/%s%ld", app->session->dir, copy_name, (long)getpid());
    const tw_status status = replay_in(app, path, false, threads);
    tw_folder_remove(path);
    return status;
}

tw_status tw_command_replay(tw_app *app)
{
    uint64_t threads = tw_crew_processors();
    if (!tw_args_number(&app->args, "threads", 1, TW_CREW_MAX, &threads, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    TW_TRY(tw_app_open(app));
    TW_TRY(tw_app_all_blocks(app, "replay"));
    const char *kept = tw_args_get(&app->args, "to", NULL);
    const int64_t start = tw_time_now();
    TW_TRY(kept != NULL ? replay_to(app, kept, (unsigned)threads)
                        : replay_beside(app, (unsigned)threads));
    return report_replay(app, tw_time_now() - start);
}
