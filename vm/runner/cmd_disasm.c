/* cmd_disasm -- `twvm disasm`: a contract's machine code as text, from vm/isa/disasm.h. */
#include "vm/isa/disasm.h"
#include "vm/runner/source.h"

#include <stdio.h>

enum { FILE_MEMORY_MAX = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };

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
    printf("module of %zu bytes, hash %s\n", bytes.size, hash);
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
