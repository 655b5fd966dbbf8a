/* fuzz_container -- any bytes as a compiled file (.twm): its parts written again are the same
 * bytes; a debug map that decodes encodes to the same bytes, says of each instruction the line that
 * a search from the start finds, and the module's text with it makes the same module again.
 */
#include "tests/fuzz/check.h"
#include "vm/isa/disasm.h"

#include <string.h>

enum { MEMORY_MAX = 256 * 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_lines(const tw_module *m, const tw_debug *debug)
{
    for (uint16_t i = 0; i < debug->function_count; i++) {
        const tw_debug_function *f = &debug->functions[i];
        uint32_t at = 0;
        for (uint32_t pc = 0; pc < m->functions[i].code_count; pc++) {
            while (at < f->line_count && f->lines[at].pc <= pc) at++;
            check(tw_debug_line_of(debug, i, pc) == (at > 0 ? f->lines[at - 1].line : 0));
        }
    }
}

static void same_map(tw_bytes map, const tw_debug *debug)
{
    tw_writer w = tw_writer_new(TW_DEBUG_SIZE_MAX);
    tw_debug_encode(debug, &w);
    check(map.size == 0 || tw_bytes_equal(tw_writer_bytes(&w), map));
    tw_writer_free(&w);
}

static void same_module(tw_bytes module, const tw_module *m, const tw_debug *debug, tw_arena *arena)
{
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_bytes again = {0};
    tw_err err;
    check(tw_disasm(m, debug, arena, &w) == TW_OK);
    if (!w.bad && w.size <= TW_ASM_SIZE_MAX) {
        check(tw_asm(tw_writer_bytes(&w), arena, &again, &err) == TW_OK);
        check(tw_bytes_equal(again, module));
    }
    tw_writer_free(&w);
}

/* The map of a module that decodes. */
static void look(tw_bytes module, tw_bytes map, tw_arena *arena)
{
    tw_module *m = NULL;
    tw_debug *debug = NULL;
    tw_err err;
    if (tw_module_decode(module, arena, &m, &err) != TW_OK) return;
    const tw_status status = tw_debug_decode(map, m, arena, &debug);
    check(status == TW_OK || status == TW_REFUSED_ENCODING);
    if (status != TW_OK) return;
    same_lines(m, debug);
    same_map(map, debug);
    same_module(module, m, debug, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    const tw_bytes file = tw_bytes_of(data, size);
    tw_bytes module = {0};
    tw_bytes map = {0};
    tw_err err;
    check(arena != NULL);
    const tw_status status = tw_container_read(file, &module, &map, &err);
    check(status == TW_OK || status == TW_REFUSED_ENCODING);
    if (status == TW_OK) {
        tw_writer w = tw_writer_new(TW_CONTAINER_SIZE_MAX);
        tw_container_write(module, map, &w);
        const bool bare = module.size == size;
        check(bare || tw_bytes_equal(tw_writer_bytes(&w), file));
        tw_writer_free(&w);
        look(module, map, arena);
    }
    tw_arena_free(arena);
    return 0;
}
