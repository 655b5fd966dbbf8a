/* test_asm -- the text form of modules: what is printed is read back to the same bytes, for every
 * module there is, and each mistake of a text is told with its line. */
#include "compiler/twc.h"
#include "tests/generate/generate.h"
#include "tests/generate/mutate.h"
#include "tests/unit/module_fixture.h"
#include "vm/isa/disasm.h"

#include <dirent.h>
#include <stdio.h>

enum { TEXT_MAX = 64 * 1024 * 1024, MEMORY_MAX = 256 * 1024 * 1024, PATH_SIZE = 1000 };

/* True when the bytes decode; what decodes must come back from its text. */
static bool comes_back(tw_bytes module, tw_bytes map, const char *what, uint64_t number)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_module *m = NULL;
    tw_debug *debug = NULL;
    tw_bytes again = {0};
    tw_err err = {0};
    cr_assert_not_null(arena);
    const bool decodes = tw_module_decode(module, arena, &m, &err) == TW_OK;
    if (decodes) {
        if (tw_debug_decode(map, m, arena, &debug) != TW_OK) debug = NULL;
        cr_assert_eq(tw_disasm(m, debug, arena, &w), TW_OK);
        cr_assert_eq(tw_asm(tw_writer_bytes(&w), arena, &again, &err), TW_OK, "%s %llu: %s", what,
                     (unsigned long long)number, err.text);
        cr_assert(tw_bytes_equal(module, again), "%s %llu", what, (unsigned long long)number);
    }
    tw_writer_free(&w);
    tw_arena_free(arena);
    return decodes;
}

/* ------------------------------------------------------------------ every module there is */

static bool read_file(void *data, const char *name, tw_writer *w)
{
    (void)data;
    FILE *file = fopen(name, "rb");
    if (file == NULL) return false;
    for (int c = fgetc(file); c != EOF; c = fgetc(file)) tw_write_u8(w, (uint8_t)c);
    return fclose(file) == 0;
}

static uint32_t compile(const char *path)
{
    tw_writer source = tw_writer_new(TEXT_MAX);
    const twc_files files = {.read = read_file};
    uint32_t count = 0;
    cr_assert(read_file(NULL, path, &source), "%s", path);
    twc_result *result = twc_compile_with(path, (const char *)source.data, source.size, &files);
    cr_assert_not_null(result);
    cr_assert_eq(twc_result_error_count(result), 0, "%s", path);
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        const twc_unit *unit = twc_result_unit(result, i);
        cr_expect(comes_back(unit->module, unit->debug, path, i));
        count++;
    }
    twc_result_free(result);
    tw_writer_free(&source);
    return count;
}

static uint32_t compile_folder(const char *name)
{
    char path[PATH_SIZE];
    uint32_t count = 0;
    snprintf(path, sizeof path, "%s/%s", SOURCE_ROOT, name);
    DIR *folder = opendir(path);
    cr_assert_not_null(folder, "%s", path);
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        const size_t size = strlen(e->d_name);
        if (size < 4 || strcmp(e->d_name + size - 4, ".twc") != 0) continue;
        snprintf(path, sizeof path, "%s/%s/%.200s", SOURCE_ROOT, name, e->d_name);
        count += compile(path);
    }
    closedir(folder);
    return count;
}

Test(asm, the_contracts)
{
    cr_expect_geq(compile_folder("contracts"), 20);
}

Test(asm, the_library)
{
    cr_expect_geq(compile_folder("stdlib"), 7);
}

Test(asm, the_contracts_of_the_language_tests)
{
    cr_expect_geq(compile_folder("tests/lang/behaves"), 20);
    cr_expect_geq(compile_folder("tests/lang/ok"), 20);
}

static tw_bytes encoded(const tw_module *m, tw_writer *w)
{
    tw_writer_clear(w);
    return tw_module_encode(m, w) == TW_OK ? tw_writer_bytes(w) : (tw_bytes){0};
}

/* Program number i is the one that `differ --seed i` makes. */
Test(asm, generated_modules_and_what_comes_of_them)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    uint32_t decoded = 0;
    cr_assert_not_null(arena);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        tw_err err = {0};
        tw_arena_clear(arena);
        tw_module *m = generate_module(seed, arena, &err);
        cr_assert_not_null(m, "%s", err.text);
        cr_expect(comes_back(encoded(m, &w), (tw_bytes){0}, "program", seed));
        for (uint64_t i = 0; i < 8; i++) {
            dice d = {seed * 8 + i};
            mutate_module(&d, m);
            decoded += comes_back(encoded(m, &w), (tw_bytes){0}, "mutant", seed * 8 + i);
        }
    }
    cr_expect_gt(decoded, 400);
    tw_writer_free(&w);
    tw_arena_free(arena);
}

/* Every kind of word in the place of an instruction: known ones, unknown ones, bits anywhere. */
Test(asm, any_words)
{
    enum { COUNT = 4096 };
    uint64_t *code = tw_mem_new(COUNT * sizeof *code);
    dice d = {7};
    cr_assert_not_null(code);
    for (uint32_t round = 0; round < 8; round++) {
        for (uint32_t i = 0; i < COUNT; i++) {
            code[i] = dice_next(&d);
            if (round % 2 == 0) code[i] &= 0x00070F0F0F0F0F00u | (code[i] & 0xFF);
        }
        maker *k = maker_new(code, COUNT, true);
        cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
        cr_expect(comes_back(maker_bytes(k), (tw_bytes){0}, "words", round));
        maker_free(k);
    }
    tw_mem_free(code);
}

Test(asm, changed_bytes)
{
    const uint64_t code[] = {insn(TW_OP_LOAD, 0, 0, 0, 1), imm26(TW_OP_JEQI, 0, -3, 1),
                             insn(TW_OP_STAT, 0, 8, 0, 0), insn(TW_OP_RET, 0, 0, 0, 0)};
    maker *k = maker_new(code, 4, true);
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
    const tw_bytes bytes = maker_bytes(k);
    uint8_t *changed = tw_mem_new(bytes.size);
    uint32_t decoded = 0;
    cr_assert_not_null(changed);
    for (size_t at = 0; at < bytes.size; at++) {
        memcpy(changed, bytes.data, bytes.size);
        changed[at] ^= (uint8_t)(1u << at % 8);
        decoded += comes_back(tw_bytes_of(changed, bytes.size), (tw_bytes){0}, "byte", at);
    }
    cr_expect_gt(decoded, 100);
    tw_mem_free(changed);
    maker_free(k);
}

/* ------------------------------------------------------------------ texts */

#define HEAD "format 2 semantics 1 contract T version 1\ntype int quantity int\nphase \"\"\n"
#define NINE "ninetynine"
#define F(code) HEAD "function f frame 9 {\n" code "\n}\n"

static tw_status assemble(const char *text, size_t size, tw_arena *arena, tw_bytes *ret_module,
                          tw_err *err)
{
    err->text[0] = '\0';
    return tw_asm(tw_bytes_of(text, size), arena, ret_module, err);
}

Test(asm, spellings_of_one_module)
{
    static const char *const texts[] = {
        F("JZ s1 -> L2 ADDI s0 s3 #-5 L2: RET s0"),
        F("  0 JZ s1:what -> L2 ; a note\n 7 \"ADDI\", s0, s3, #-0x5\nL2: L9:\tRET s0:x+1"),
        F("JZ s1 -> +1 0 41 s0 s3 #-5\nWORD 1"),
    };
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_bytes first = {0};
    tw_err err;
    cr_assert_eq(assemble(texts[0], strlen(texts[0]), arena, &first, &err), TW_OK, "%s", err.text);
    for (size_t i = 1; i < sizeof texts / sizeof texts[0]; i++) {
        tw_bytes other = {0};
        cr_expect_eq(assemble(texts[i], strlen(texts[i]), arena, &other, &err), TW_OK, "%zu: %s", i,
                     err.text);
        cr_expect(tw_bytes_equal(first, other), "%zu", i);
    }
    tw_arena_free(arena);
}

static const struct {
    const char *text;
    const char *message;
} wrong_texts[] = {
    {"", "line 1: a module's text begins with: format 2 semantics 1 contract NAME"},
    {"format 1 semantics 1 contract X", "begins with: format 2"},
    {"format 2 semantics 1\ncontract", "line 2: a name belongs here, not the end"},
    {"format 2 semantics 1\ncontract {", "line 2: a name belongs here, not {"},
    {"format 2 semantics 1\ncontract \"a\nb\"", "line 2: a quote is not closed"},
    {"format 2 semantics 1\ncontract \"a\\", "line 2: a quote is not closed"},
    {"format 2 semantics 1\ncontract \x01\xff", "a name belongs here"},
    {HEAD "roles x", "line 4: roles has no place here"},
    {HEAD "money EUR currency", "line 4: money has no place here"},
    {HEAD "constant 9223372036854775808", "line 4: a number of -9223372036854775808 to"},
    {HEAD "constant -9223372036854775809", "line 4: a number of"},
    {HEAD "constant 0x", "line 4: a number of"},
    {HEAD "constant 99999999999999999999", "line 4: a number of"},
    {HEAD "arrow \"\" to Nowhere", "line 4: a phase belongs here, not Nowhere"},
    {HEAD "arrow \"\" to 65536", "line 4: the number of a phase is at most 65535"},
    {HEAD "arrow \"\" \"\"", "line 4: `to` belongs here"},
    {HEAD "event e { a }", "line 4: a type belongs here, not }"},
    {HEAD "event e { a int", "line 4: a name belongs here, not the end"},
    {HEAD "event e { a time }", "line 4: a type belongs here, not time"},
    {HEAD "function f frame 8", "line 4: the instructions in { } belong here"},
    {HEAD "function f frame 65536 {}", "line 4: a number of 0 to 65535"},
    {F("ADD s0 s1"), "line 5: an operand is missing"},
    {F("ADD s0 s1\nRET s0"), "line 5: an operand is missing"},
    {F("ADD s0 s1 s8192"), "line 5: a number of 0 to 8191"},
    {F("ADD s0 s1 x1"), "line 5: s and a number belong here, not x1"},
    {F("ADDI s0 s1 #536870912"), "line 5: a number of -536870912 to 536870911"},
    {F("JEQI s0 #-33554433 -> +0"), "line 5: a number of -33554432 to 33554431"},
    {F("ZERO s0 x131072"), "line 5: a number of 0 to 131071"},
    {F("LDK s0 5"), "line 5: k and a number belong here, not 5"},
    {F("LDK s0 k131072"), "line 5: the number of a constant is at most 131071"},
    {F("MULDIVK s0 s1 s2 k1 sideways"), "line 5: a rounding belongs here, not sideways"},
    {F("NOPE s0"), "line 5: an instruction belongs here, not NOPE"},
    {F("WORD"), "line 5: an operand is missing"},
    {F("WORD -1"), "line 5: a number of 0 to 18446744073709551615"},
    {F("JMP L1"), "line 5: -> and a label belong here"},
    {F("JMP -> L1"), "L1 is jumped to and does not follow in this function"},
    {F("L1: L1: RET s0"), "line 5: L1 stands twice in this function"},
    {F("L1: RET s0\nJMP -> L1"), "line 6: L1 stands before this; jumps go forward"},
    {F("L16384: RET s0"), "line 5: a number of 0 to 16383"},
    {F("JMP -> +131072"), "line 5: a number of 0 to 131071"},
    {HEAD "entry e view", "`function` belongs here, not the end"},
    {HEAD "entry e view function 0 in Healthy", "line 4: `{` belongs here, not Healthy"},
    {HEAD "entry e view function 0 in { 64 }", "line 4: the number of a phase is at most 63"},
    {HEAD "entry e view function 0 gas 1 reads 4294967296", "line 4: a number of 0 to 429496"},
    {"format 2 semantics 1 contract T\ntype int quantity int\nparam p int preset 0g",
     "line 3: pairs of hex digits belong here"},
    {"format 2 semantics 1 contract T\ntype list of 0 max 2", "type 0"},
    {"format 2 semantics 1 contract T\ntype optional", "line 2: `of` belongs here"},
    {"format 2 semantics 2 contract T", "line 1: a module's text begins with: format 2"},
    {"format 2 semantics 1 module T", "line 1: a module's text begins with: format 2"},
    {HEAD "\"\"", "line 4:  has no place here; the parts stand in the order"},
    {HEAD NINE NINE NINE NINE NINE NINE NINE,
     "line 4: " NINE NINE NINE NINE NINE NINE " has no place here"},
    {"format 2 semantics 1 contract T\ntype enum of 3", "type 0: its parts do not make"},
    {"format 2 semantics 1 contract T\ntype money of 3", "type 0: its parts do not make"},
    {"format 2 semantics 1 contract T\ntype int quantity int\ntype things of int max 2 home 3",
     "type 1: its parts do not make"},
    {"format 2 semantics 1 contract T\ntype 0", "type 0: its parts do not make"},
    {"format 2 semantics 1 contract T\ntype 200", "type 0: its parts do not make"},
    {"format 2 semantics 1 contract T\ntype int quantity int\nfield f map key int value 9 max "
     "1\n"
     "phase \"\"\nfunction f frame 9 {\nTOP s0 f 3 0\n}",
     "field f: its type is not there"},
};

Test(asm, mistakes)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    for (size_t i = 0; i < sizeof wrong_texts / sizeof wrong_texts[0]; i++) {
        tw_bytes module = {0};
        tw_err err;
        const tw_status status =
            assemble(wrong_texts[i].text, strlen(wrong_texts[i].text), arena, &module, &err);
        cr_expect(status == TW_REFUSED_SOURCE || status == TW_REFUSED_MODULE, "%zu", i);
        cr_expect_not_null(strstr(err.text, wrong_texts[i].message), "%zu: %s, not %s", i, err.text,
                           wrong_texts[i].message);
        tw_arena_clear(arena);
    }
    tw_arena_free(arena);
}

/* ------------------------------------------------------------------ limits */

static tw_status repeated(const char *head, const char *part, uint32_t count, const char *end,
                          tw_err *err)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_bytes module = {0};
    tw_print(&w, "%s", head);
    for (uint32_t i = 0; i < count; i++) tw_print(&w, "%s\n", part);
    tw_print(&w, "%s", end);
    cr_assert(arena != NULL && !w.bad);
    const tw_status status = assemble((const char *)w.data, w.size, arena, &module, err);
    tw_writer_free(&w);
    tw_arena_free(arena);
    return status;
}

Test(asm, limits)
{
    static const struct {
        const char *head, *part, *end;
        uint32_t max;
        const char *message;
    } rows[] = {
        {HEAD "function f {", "END", "}", TW_FUNCTION_CODE_MAX,
         "line 16388: a function has at most 16384 instructions"},
        {"format 2 semantics 1 contract T\n", "role r max 1", "", TW_ROLES_MAX,
         "line 66: this list has more than 64 items"},
        {HEAD "event e {", "a int", "}", TW_MEMBERS_MAX, "this list has more than 64 items"},
        {HEAD, "constant 1", "", TW_CONSTANTS_MAX, "this list has more than 16384 items"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tw_err err;
        cr_expect_eq(repeated(rows[i].head, rows[i].part, rows[i].max, rows[i].end, &err), TW_OK,
                     "%zu: %s", i, err.text);
        cr_expect_eq(repeated(rows[i].head, rows[i].part, rows[i].max + 1, rows[i].end, &err),
                     TW_REFUSED_SOURCE, "%zu", i);
        cr_expect_not_null(strstr(err.text, rows[i].message), "%zu: %s", i, err.text);
    }
}

/* Two functions of as many instructions as one may have are all that a module holds. */
Test(asm, instructions_of_a_module)
{
    static const char head[] = HEAD;
    static const char *const ends[] = {"function g { END }", "", "function g { END }"};
    for (uint32_t functions = 1, i = 0; i < 3; functions = 2, i++) {
        tw_arena *arena = tw_arena_new(MEMORY_MAX);
        tw_writer w = tw_writer_new(TEXT_MAX);
        tw_bytes module = {0};
        tw_err err;
        tw_write_raw(&w, head, sizeof head - 1);
        for (uint32_t f = 0; f < functions; f++) {
            tw_print(&w, "function f {");
            for (uint32_t k = 0; k < TW_FUNCTION_CODE_MAX; k++) tw_print(&w, " END");
            tw_print(&w, " }\n");
        }
        tw_print(&w, "%s", ends[i]);
        const tw_status status = assemble((const char *)w.data, w.size, arena, &module, &err);
        cr_expect_eq(status, i == 0 ? TW_OK : i == 1 ? TW_REFUSED_LIMIT : TW_REFUSED_SOURCE);
        if (i == 1) cr_expect_str_eq(err.text, "the module has more than 262144 bytes");
        if (i == 2) cr_expect_not_null(strstr(err.text, "instructions, a module 32768"));
        tw_writer_free(&w);
        tw_arena_free(arena);
    }
}

/* Whatever part of the work the memory ends in, it is told. */
Test(asm, memory_that_is_too_little)
{
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_status status = TW_ERR_MEMORY;
    uint32_t told = 0;
    tw_print(&w, "%s", HEAD);
    for (uint32_t i = 0; i < 4000; i++) tw_print(&w, "constant %u\n", i);
    cr_assert_not(w.bad);
    for (size_t size = 4096; status != TW_OK; size += 4096) {
        tw_arena *arena = tw_arena_new(size);
        tw_bytes module = {0};
        tw_err err;
        cr_assert_lt(size, MEMORY_MAX);
        status = assemble((const char *)w.data, w.size, arena, &module, &err);
        told += status == TW_ERR_MEMORY && strcmp(err.text, "no memory for the module") == 0;
        cr_assert(status == TW_OK || err.text[0] != '\0', "%zu bytes", size);
        tw_arena_free(arena);
    }
    cr_expect_gt(told, 10);
    tw_writer_free(&w);
}

/* A name of no letters is none for a text, and one that is too long for a line: both are numbers.
 */
Test(asm, types_without_a_name)
{
    const uint64_t code[] = {insn(TW_OP_RET, 0, 0, 0, 0)};
    char name[TW_NAME_SIZE_MAX + 1] = {0};
    char text[100];
    maker *k = maker_new(code, 1, true);
    memset(name, 'n', TW_NAME_SIZE_MAX);
    k->enums[0].name = "";
    k->types[T_RECORD].name = name;
    k->types[T_EIGHT].name = "";
    for (uint16_t i = T_EIGHT + 1; i < 16; i++) {
        const uint16_t of = i > T_EIGHT + 1 ? (uint16_t)(i - 1) : T_RECORD;
        k->types[i] = (tw_type){.kind = TW_KIND_LIST, .of = of, .max = 1, .name = ""};
    }
    k->m.type_count = 16;
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK, "%s", k->err.text);
    cr_expect(comes_back(maker_bytes(k), (tw_bytes){0}, "names", 0));
    tw_type_print(&k->m, T_ENUM, text, sizeof text);
    cr_expect_str_empty(text);
    tw_type_print(&k->m, T_EIGHT, text, sizeof text);
    cr_expect_str_eq(text, "record");
    tw_type_print(&k->m, 16, text, sizeof text);
    cr_expect_str_empty(text, "there is no such type");
    tw_type_print(&k->m, 15, text, sizeof text);
    cr_expect_eq(strlen(text), sizeof text - 1, "cut to fit");
    maker_free(k);
}

/* So many names, all looked for: by a table, or this would take minutes. */
Test(asm, many_types_and_a_long_text)
{
    tw_err err;
    const char *const head = "format 2 semantics 1 contract T\ntype int quantity int\n";
    cr_expect_eq(repeated(head, "type optional of int", TW_TYPES_MAX - 1, "", &err), TW_OK, "%s",
                 err.text);
    cr_expect_eq(repeated(head, ";", 4 * 1024 * 1024, "phase x", &err), TW_OK, "%s", err.text);
    cr_expect_eq(repeated(head, ";234567", 4 * 1024 * 1024, "", &err), TW_REFUSED_LIMIT);
    cr_expect_str_eq(err.text, "the text has more than 33554432 bytes");
}
