/* test_golden -- what is printed, compared whole with tests/golden: the table of instructions and
 * the code of a contract. With BLESS=1 in the environment the files are written anew instead. */
#include "compiler/twc.h"
#include "vm/isa/disasm.h"
#include "vm/runner/reference.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4 * 1024 * 1024, PATH_SIZE = 1000 };

static void path_of(const char *name, char ret_path[PATH_SIZE])
{
    const int size = snprintf(ret_path, PATH_SIZE, "%s/%s", SOURCE_ROOT, name);
    cr_assert(size > 0 && size < PATH_SIZE);
}

static tw_writer read_file(const char *name)
{
    char path[PATH_SIZE];
    tw_writer w = tw_writer_new(TEXT_MAX);
    path_of(name, path);
    FILE *file = fopen(path, "rb");
    for (int c = file != NULL ? fgetc(file) : EOF; c != EOF; c = fgetc(file)) {
        tw_write_u8(&w, (uint8_t)c);
    }
    if (file != NULL) fclose(file);
    cr_assert(!w.bad);
    return w;
}

static void bless(const char *name, const tw_writer *text)
{
    char path[PATH_SIZE];
    path_of(name, path);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "can't write %s", path);
    cr_assert_eq(fwrite(text->data, 1, text->size, file), text->size);
    cr_assert_eq(fclose(file), 0);
}

/* The first line that differs is named; the whole of what was printed is not. */
static void compare(const char *name, const tw_writer *text)
{
    if (getenv("BLESS") != NULL) {
        bless(name, text);
        return;
    }
    tw_writer kept = read_file(name);
    size_t at = 0;
    uint32_t line = 1;
    while (at < kept.size && at < text->size && kept.data[at] == text->data[at]) {
        line += kept.data[at++] == '\n';
    }
    cr_expect(at == kept.size && at == text->size,
              "%s differs from line %u on; look at what changed, then BLESS=1", name, line);
    tw_writer_free(&kept);
}

Test(golden, opcodes)
{
    tw_writer text = tw_writer_new(TEXT_MAX);
    tw_reference_table(&text);
    compare("tests/golden/opcodes.txt", &text);
    tw_writer_free(&text);
}

/* The part of vm/isa/README.md between its marks; the rest of it stays as it is. */
Test(golden, reference)
{
    static const char *const begins = "<!-- twvm opcodes --markdown -->\n";
    static const char *const ends = "<!-- end -->\n";
    tw_writer kept = read_file("vm/isa/README.md");
    tw_writer text = tw_writer_new(TEXT_MAX);
    tw_write_u8(&kept, 0);
    const char *start = strstr((const char *)kept.data, begins);
    const char *end = start != NULL ? strstr(start, ends) : NULL;
    cr_assert_not_null(end, "vm/isa/README.md has lost its marks");
    start += strlen(begins);
    tw_write_raw(&text, kept.data, (size_t)(start - (const char *)kept.data));
    tw_reference_markdown(&text);
    tw_write_raw(&text, end, strlen(end));
    compare("vm/isa/README.md", &text);
    tw_writer_free(&text);
    tw_writer_free(&kept);
}

Test(golden, pump_guard)
{
    tw_writer source = read_file("contracts/pump_guard.twc");
    twc_result *result = twc_compile("pump_guard.twc", source.data, source.size);
    cr_assert_not_null(result);
    cr_assert_eq(twc_result_error_count(result), 0);
    const twc_unit *unit = twc_result_unit(result, 0);
    tw_arena *arena = tw_arena_new(TEXT_MAX);
    tw_writer text = tw_writer_new(TEXT_MAX);
    tw_module *module = NULL;
    tw_debug *debug = NULL;
    tw_err err;
    cr_assert_eq(tw_module_decode(unit->module, arena, &module, &err), TW_OK);
    cr_assert_eq(tw_debug_decode(unit->debug, module, arena, &debug), TW_OK);
    cr_assert_eq(tw_disasm(module, debug, arena, &text), TW_OK);
    compare("tests/golden/pump_guard.disasm", &text);
    tw_writer_free(&text);
    tw_writer_free(&source);
    tw_arena_free(arena);
    twc_result_free(result);
}
