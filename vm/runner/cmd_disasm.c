/* cmd_disasm -- `twvm disasm` and `twvm asm`: a contract's machine code as text and back, by
 * vm/isa/disasm.h. */
#include "vm/isa/disasm.h"
#include "vm/runner/folder.h"
#include "vm/runner/source.h"
#include "vm/verify/verify.h"

#include <stdio.h>
#include <string.h>

enum { FILE_MEMORY_MAX = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };
enum { ASM_MEMORY_MAX = 512 * 1024 * 1024, PATH_MAX_SIZE = 4096 };

/* A module that does not verify is printed too: that is when its code is wanted. */
static tw_status print_module(tw_app *app, tw_bytes bytes, tw_bytes map, tw_arena *arena)
{
    tw_module *m = NULL;
    tw_debug *debug = NULL;
    char hash[2 * TW_HASH_SIZE + 1];
    TW_TRY(tw_module_decode(bytes, arena, &m, &app->err));
    if (tw_debug_decode(map, m, arena, &debug) != TW_OK) {
        fputs("note: the debug map is damaged; lines and names are left out\n", stderr);
        debug = NULL;
    }
    const tw_hash id = tw_module_hash(bytes);
    tw_hex_encode(id.bytes, TW_HASH_SIZE, hash);
    printf("; module of %zu bytes, hash %s\n", bytes.size, hash);
    tw_writer w = tw_writer_new(TEXT_MAX);
    const tw_status status = tw_disasm(m, debug, arena, &w);
    if (status == TW_OK && !w.bad) fwrite(w.data, 1, w.size, stdout);
    const bool bad = w.bad;
    tw_writer_free(&w);
    return status == TW_OK && bad ? TW_ERR_MEMORY : status;
}

tw_status tw_command_disasm(tw_app *app)
{
    tw_bytes module, debug;
    tw_arena *arena = tw_arena_new(FILE_MEMORY_MAX);
    if (arena == NULL) return TW_ERR_MEMORY;
    tw_status status = tw_source_module(
        app, app->args.words[0], tw_args_get(&app->args, "contract", NULL), arena, &module, &debug);
    if (status == TW_OK) status = print_module(app, module, debug, arena);
    tw_arena_free(arena);
    return status;
}

/* ------------------------------------------------------------------ asm */

/* Puts the bounds that the code has in the place of those that are written. */
static tw_status set_bounds(tw_module *m, tw_arena *arena, tw_writer *w, tw_err *err)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_facts_compute(m, arena, &facts, err));
    for (uint16_t i = 0; i < m->entry_count; i++) m->entries[i].bounds = facts->entries[i];
    TW_TRY(tw_module_encode(m, w));
    return TW_OK;
}

/* What is no good contract is assembled too, and said to be none. */
static tw_status finish(tw_app *app, tw_bytes *module, tw_writer *w, tw_arena *arena)
{
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    tw_err why = {0};
    TW_TRY(tw_module_decode(*module, arena, &m, &app->err));
    if (tw_args_has(&app->args, "bounds")) {
        TW_TRY(set_bounds(m, arena, w, &app->err));
        *module = tw_writer_bytes(w);
    }
    const tw_status status = tw_module_verify(m, arena, &facts, &why);
    if (status != TW_OK) fprintf(stderr, "note: it does not verify: %s\n", why.text);
    return tw_status_is_host_failure(status) ? status : TW_OK;
}

static tw_status write_file(tw_app *app, const char *path, tw_bytes module)
{
    tw_writer w = tw_writer_new(TW_CONTAINER_SIZE_MAX);
    tw_container_write(module, (tw_bytes){0}, &w);
    const tw_status status =
        w.bad ? TW_ERR_MEMORY : tw_file_write(path, tw_writer_bytes(&w), &app->err);
    tw_writer_free(&w);
    return status;
}

static tw_status assemble(tw_app *app, const char *path, tw_arena *arena, tw_writer *w)
{
    tw_bytes text, module;
    tw_err inner = {0};
    char made[PATH_MAX_SIZE];
    const size_t size = strlen(path);
    const bool twa = size > 4 && strcmp(path + size - 4, ".twa") == 0;
    const char *out = tw_args_get(&app->args, "out", NULL);
    if (out == NULL && (!twa || size >= sizeof made)) {
        return tw_app_usage(app, "%.200s: is no .twa file; say with -o where to write", path);
    }
    snprintf(made, sizeof made, "%.*s.twm", twa ? (int)size - 4 : 0, path);
    TW_TRY(tw_source_read(path, TW_ASM_SIZE_MAX, arena, &text, &app->err));
    const tw_status status = tw_asm(text, arena, &module, &inner);
    if (status != TW_OK) return tw_err_set(&app->err, status, "%.200s: %s", path, inner.text);
    TW_TRY(finish(app, &module, w, arena));
    return write_file(app, out != NULL ? out : made, module);
}

tw_status tw_command_asm(tw_app *app)
{
    tw_arena *arena = tw_arena_new(ASM_MEMORY_MAX);
    if (arena == NULL) return TW_ERR_MEMORY;
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    const tw_status status = assemble(app, app->args.words[0], arena, &w);
    tw_writer_free(&w);
    tw_arena_free(arena);
    return status;
}
