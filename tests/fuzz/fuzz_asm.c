/* fuzz_asm -- any text to the assembler: it ends, and says what is wrong where or makes a module.
 * That decodes, and printed it makes the same bytes again. */
#include "tests/fuzz/check.h"
#include "tests/fuzz/mutate.h"
#include "vm/isa/disasm.h"

#include <string.h>

enum { MEMORY_MAX = 256 * 1024 * 1024, TEXT_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

bool mutant_is_good(const uint8_t *text, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_bytes module = {0};
    tw_err err;
    const bool good =
        arena != NULL && tw_asm(tw_bytes_of(text, size), arena, &module, &err) == TW_OK;
    tw_arena_free(arena);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_bytes module = {0};
    tw_bytes again = {0};
    tw_module *m = NULL;
    tw_err err = {0};
    check(arena != NULL);
    const tw_status status = tw_asm(tw_bytes_of(data, size), arena, &module, &err);
    check(status == TW_OK || (!tw_status_is_host_failure(status) && err.text[0] != '\0'));
    if (status == TW_OK) {
        tw_writer w = tw_writer_new(TEXT_MAX);
        check(tw_module_decode(module, arena, &m, &err) == TW_OK);
        check(tw_disasm(m, NULL, arena, &w) == TW_OK);
        check(!w.bad);
        check(tw_asm(tw_writer_bytes(&w), arena, &again, &err) == TW_OK);
        check(tw_bytes_equal(module, again));
        tw_writer_free(&w);
    }
    tw_arena_free(arena);
    return 0;
}
