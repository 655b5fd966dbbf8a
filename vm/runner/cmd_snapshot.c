/* cmd_snapshot -- `twvm snapshot save|load` and `twvm backup`: a ledger's state in one file that
 * anybody can check, and a copy of a ledger's folder. */
#include "vm/ledger/snapshot.h"
#include "vm/runner/command.h"
#include "vm/runner/folder.h"
#include "vm/runner/times.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = TW_FOLDER_PATH_MAX + 32, DRAW_MS = 100 };

/* A file while it is written or read. */
typedef struct transfer {
    tw_app *app;
    FILE *file;
    const char *path;
    const char *what;
    const tw_snapshot_info *info;
    uint64_t size; /* of a file that is read */
    int64_t drawn;
} transfer;

static void draw(transfer *t)
{
    char keys[TW_GROUPED_MAX];
    if (!t->app->terminal || tw_time_now() - t->drawn < DRAW_MS) return;
    t->drawn = tw_time_now();
    fprintf(stderr, "\r\033[K%s: %s keys", t->what, tw_grouped(t->info->keys, keys));
    if (t->size > 0) fprintf(stderr, ", %" PRIu64 " %%", 100 * t->info->size / t->size);
}

static void draw_no_more(const transfer *t)
{
    if (t->drawn != 0) fputs("\r\033[K", stderr);
}

static void hex_of(const tw_block_info *block, char ret_hash[65], char ret_root[65])
{
    tw_hex_encode(block->hash.bytes, TW_HASH_SIZE, ret_hash);
    tw_hex_encode(block->state_root.bytes, TW_HASH_SIZE, ret_root);
}

/* ---- save ---- */

static tw_status write_run(void *context, tw_bytes bytes)
{
    transfer *t = context;
    draw(t);
    errno = 0;
    if (fwrite(bytes.data, 1, bytes.size, t->file) == bytes.size) return TW_OK;
    return tw_err_set(&t->app->err, TW_ERR_IO, "%s: cannot be written: %s", t->path,
                      strerror(errno));
}

/* The file under another name first: what has the name is whole. */
static tw_status save_to(tw_app *app, const char *path, tw_snapshot_info *ret_info)
{
    tw_file_draft draft;
    TW_TRY(tw_file_begin(path, &draft, &app->err));
    transfer t = {
        .app = app, .file = draft.file, .path = path, .what = "snapshot", .info = ret_info};
    const tw_status status =
        tw_snapshot_save(app->session->ledger, write_run, &t, ret_info, &app->err);
    draw_no_more(&t);
    if (status == TW_OK) return tw_file_end(&draft, &app->err);
    tw_file_drop(&draft);
    return status;
}

static tw_status save(tw_app *app, const char *path)
{
    char hash[65], root[65], time[TW_TIME_TEXT_MAX], keys[TW_GROUPED_MAX], size[TW_GROUPED_MAX];
    tw_snapshot_info info;
    TW_TRY(tw_app_open_at(app));
    TW_TRY(save_to(app, path, &info));
    hex_of(&info.block, hash, root);
    if (app->json) {
        return tw_app_print_json(
            json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "file", path, "size",
                      tw_json_u64(info.size), "keys", tw_json_u64(info.keys), "chunks",
                      tw_json_u64(info.chunks), "height", tw_json_u64(info.block.height), "time",
                      tw_json_time(info.block.time), "block", hash, "root", root));
    }
    printf("wrote %s, %s bytes: the state after block %" PRIu64 ", %s, %s keys in %" PRIu64
           " chunk%s\n  block     %s\n  root      %s\n",
           path, tw_grouped(info.size, size), info.block.height,
           tw_time_print(info.block.time, time), tw_grouped(info.keys, keys), info.chunks,
           info.chunks == 1 ? "" : "s", hash, root);
    puts("Who loads it needs one of the two from somebody he trusts: load --block or --root.");
    return TW_OK;
}

/* ---- load ---- */

static tw_status read_run(void *context, uint8_t *memory, size_t size, size_t *ret_size)
{
    transfer *t = context;
    draw(t);
    errno = 0;
    *ret_size = fread(memory, 1, size, t->file);
    if (*ret_size == size || ferror(t->file) == 0) return TW_OK;
    return tw_err_set(&t->app->err, TW_ERR_IO, "%s: cannot be read: %s", t->path, strerror(errno));
}

/* What the user knows of the block. */
typedef struct trust {
    tw_hash root, block;
    bool has_root, has_block;
} trust;

static tw_status read_hash(tw_app *app, const char *name, tw_hash *ret_hash, bool *ret_given)
{
    const char *text = tw_args_get(&app->args, name, NULL);
    *ret_given = text != NULL;
    if (text == NULL || tw_hex_decode(text, strlen(text), ret_hash->bytes, TW_HASH_SIZE)) {
        return TW_OK;
    }
    return tw_app_usage(app, "--%s: a hash has 64 hex digits", name);
}

static tw_status read_trust(tw_app *app, trust *ret_trust)
{
    *ret_trust = (trust){.has_root = false};
    TW_TRY(read_hash(app, "root", &ret_trust->root, &ret_trust->has_root));
    TW_TRY(read_hash(app, "block", &ret_trust->block, &ret_trust->has_block));
    if (ret_trust->has_root || ret_trust->has_block) return TW_OK;
    return tw_app_usage(app, "a snapshot is worth what you know of its block: give --block HASH or "
                             "--root HEX, from somebody you trust (`twvm root` prints both)");
}

static tw_status fill_store(tw_app *app, const char *dir, transfer *t, const trust *known,
                            tw_snapshot_info *ret_info)
{
    char path[PATH_SIZE];
    tw_store *store = NULL;
    const tw_store_options options = {.create = true};
    snprintf(path, sizeof path, "%s/store", dir);
    TW_TRY(tw_store_open(path, &options, &store, &app->err));
    tw_status status = tw_app_floor(app, store);
    if (status == TW_OK) {
        status = tw_session_mark_clock(store, tw_args_has(&app->args, "simulated"), &app->err);
    }
    if (status == TW_OK) {
        status = tw_snapshot_load(store, read_run, t, known->has_root ? &known->root : NULL,
                                  known->has_block ? &known->block : NULL, ret_info, &app->err);
    }
    if (status == TW_OK) status = tw_store_settle(store, &app->err);
    tw_store_close(store);
    return status;
}

/* Names are the runner's own and in no snapshot: each contract gets that of its module. */
static tw_status name_contracts(tw_app *app, tw_session *s)
{
    char name[TW_CONTRACT_NAME_MAX];
    tw_hash id;
    bool found = false;
    TW_TRY(tw_ledger_next_contract(s->ledger, NULL, &id, &found));
    while (found) {
        const tw_hash last = id;
        const tw_module *m = tw_session_module(s, &id);
        if (m == NULL) return tw_app_fail(app, "the code of a contract cannot be read");
        TW_TRY(tw_session_free_name(s, m->name, name, &app->err));
        TW_TRY(tw_session_set_name(s, name, &id, &app->err));
        TW_TRY(tw_ledger_next_contract(s->ledger, &last, &id, &found));
    }
    return TW_OK;
}

/* Opens it as any command will, and looks that it stands where it should. */
static tw_status look(tw_app *app, const char *dir, const tw_snapshot_info *info, bool name,
                      char ret_chain[65])
{
    tw_session *s = NULL;
    TW_TRY(tw_session_open(dir, &s, &app->err));
    tw_status status = TW_OK;
    if (!tw_hash_equal(&tw_ledger_head(s->ledger)->hash, &info->block.hash)) {
        status = tw_app_fail(app, "%s: the new ledger stands at another block", dir);
    }
    if (status == TW_OK && name) status = name_contracts(app, s);
    tw_hex_encode(tw_ledger_chain(s->ledger)->bytes, TW_HASH_SIZE, ret_chain);
    if (status == TW_OK) status = tw_session_settle(s, &app->err);
    tw_session_close(s);
    return status;
}

static tw_status load_into(tw_app *app, tw_draft *draft, transfer *t, const trust *known,
                           tw_snapshot_info *ret_info, char ret_chain[65])
{
    TW_TRY(tw_keyring_create(draft->path, tw_args_has(&app->args, "insecure-keys"), &app->err));
    const tw_status status = fill_store(app, draft->path, t, known, ret_info);
    draw_no_more(t);
    TW_TRY(status);
    TW_TRY(look(app, draft->path, ret_info, true, ret_chain));
    return tw_draft_end(draft, &app->err);
}

static tw_status say_loaded(const tw_app *app, const tw_snapshot_info *info, const trust *known,
                            const char *chain)
{
    const char *dir = tw_args_get(&app->args, "dir", "");
    char hash[65], root[65], time[TW_TIME_TEXT_MAX], keys[TW_GROUPED_MAX];
    hex_of(&info->block, hash, root);
    if (app->json) {
        return tw_app_print_json(json_pack(
            "{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:s}", "dir", dir, "chain", chain, "keys",
            tw_json_u64(info->keys), "chunks", tw_json_u64(info->chunks), "height",
            tw_json_u64(info->block.height), "time", tw_json_time(info->block.time), "block", hash,
            "root", root, "trusted", known->has_block ? "block" : "root"));
    }
    printf("made a ledger in %s from the snapshot of block %" PRIu64 ", %s: %s keys\n"
           "  chain     %s\n  block     %s\n  root      %s\n",
           dir, info->block.height, tw_time_print(info->block.time, time),
           tw_grouped(info->keys, keys), chain, hash, root);
    puts(known->has_block
             ? "Every key and value was checked against the hash of the block that you gave."
             : "Every key and value was checked against the root that you gave. Height, time and\n"
               "hash of the block are what the file says; --block checks them too.");
    puts("Blocks up to this one, their events and history are not here. The folder has no keys "
         "yet.");
    return TW_OK;
}

static tw_status load(tw_app *app, const char *path)
{
    tw_snapshot_info info = {.keys = 0};
    tw_draft draft;
    trust known;
    struct stat there;
    char chain[65];
    TW_TRY(read_trust(app, &known));
    transfer t = {.app = app, .path = path, .what = "load", .info = &info};
    errno = 0;
    t.file = fopen(path, "rb");
    if (t.file == NULL) {
        return tw_app_fail(app, "%s: cannot be read: %s", path, strerror(errno));
    }
    if (fstat(fileno(t.file), &there) == 0) t.size = (uint64_t)there.st_size;
    tw_status status = tw_draft_begin(tw_args_get(&app->args, "dir", ""), &draft, &app->err);
    if (status == TW_OK) {
        status = load_into(app, &draft, &t, &known, &info, chain);
        tw_draft_drop(&draft);
    }
    fclose(t.file);
    return status == TW_OK ? say_loaded(app, &info, &known, chain) : status;
}

tw_status tw_command_snapshot(tw_app *app)
{
    const char *what = app->args.words[0];
    const bool saves = strcmp(what, "save") == 0;
    if (!saves && strcmp(what, "load") != 0) {
        return tw_app_usage(app, "snapshot save FILE, or snapshot load FILE");
    }
    static const char *const of_load[] = {"root", "block", "simulated", "insecure-keys"};
    for (size_t i = 0; saves && i < sizeof of_load / sizeof *of_load; i++) {
        if (!tw_args_has(&app->args, of_load[i])) continue;
        return tw_app_usage(app, "--%s goes with load", of_load[i]);
    }
    if (!saves && tw_args_has(&app->args, "at")) {
        return tw_app_usage(app, "--at goes with save");
    }
    return saves ? save(app, app->args.words[1]) : load(app, app->args.words[1]);
}

/* ---- backup ---- */

static tw_status copy_into(tw_app *app, tw_draft *draft)
{
    char from[PATH_SIZE], to[PATH_SIZE], chain[65];
    const tw_snapshot_info info = {.block = *tw_ledger_head(app->session->ledger)};
    snprintf(to, sizeof to, "%s/store", draft->path);
    TW_TRY(tw_store_copy(app->session->store, to, &app->err));
    snprintf(from, sizeof from, "%.4090s/keys", app->session->dir);
    snprintf(to, sizeof to, "%s/keys", draft->path);
    TW_TRY(tw_folder_copy(from, to, &app->err));
    TW_TRY(look(app, draft->path, &info, false, chain));
    return tw_draft_end(draft, &app->err);
}

tw_status tw_command_backup(tw_app *app)
{
    char hash[65], root[65], time[TW_TIME_TEXT_MAX];
    const char *dir = app->args.words[0];
    tw_draft draft;
    TW_TRY(tw_app_open(app));
    TW_TRY(tw_draft_begin(dir, &draft, &app->err));
    const tw_status status = copy_into(app, &draft);
    tw_draft_drop(&draft);
    TW_TRY(status);
    const tw_block_info *head = tw_ledger_head(app->session->ledger);
    hex_of(head, hash, root);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:s, s:o, s:o, s:s, s:s}", "dir", dir, "height",
                                           tw_json_u64(head->height), "time",
                                           tw_json_time(head->time), "block", hash, "root", root));
    }
    printf("copied the ledger and its keys to %s, as of block %" PRIu64 ", %s\n  block     %s\n"
           "  root      %s\n",
           dir, head->height, tw_time_print(head->time, time), hash, root);
    return TW_OK;
}
