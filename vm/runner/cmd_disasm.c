/* cmd_disasm -- `twvm disasm`: a contract as text, declarations and code; vm/isa/disasm.h writes
 * it.
 */
#include "vm/isa/disasm.h"
#include "vm/runner/source.h"

#include <stdio.h>

enum { FILE_MEMORY_MAX = 64 * 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };

static tw_status print_module(tw_app *app, tw_bytes bytes, tw_bytes map, tw_arena *arena)
{
    char hex[2 * TW_HASH_SIZE + 1];
    tw_module *m = NULL;
    tw_debug *debug = NULL;
    const tw_hash hash = tw_module_hash(bytes);
    TW_TRY(tw_module_decode(bytes, arena, &m, &app->err));
    if (tw_debug_decode(map, m, arena, &debug) != TW_OK) debug = NULL; /* not of this module */
    tw_hex_encode(hash.bytes, TW_HASH_SIZE, hex);
    tw_writer text = tw_writer_new(TEXT_MAX);
    const tw_status status = tw_disasm(m, debug, arena, &text);
    if (status == TW_OK) {
        printf("module of %zu bytes, hash %s\n", bytes.size, hex);
        fwrite(text.data, 1, text.size, stdout);
    }
    tw_writer_free(&text);
    return status;
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
