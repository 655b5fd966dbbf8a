/* test_import -- files that are imported: which are asked for, in what order their names come, the
 * limits on them, and that only what is used reaches a module. What an author sees is in
 * tests/lang. */
#include "compiler/twc.h"
#include "vm/isa/module.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Files in memory. */
typedef struct memory_file {
    const char *name, *text;
} memory_file;

typedef struct memory {
    const memory_file *files;
    uint32_t count;
    uint32_t asked; /* how many were asked for */
} memory;

static bool read_memory(void *data, const char *name, tw_writer *w)
{
    memory *m = data;
    m->asked++;
    for (uint32_t i = 0; i < m->count; i++) {
        if (strcmp(m->files[i].name, name) != 0) continue;
        tw_write_raw(w, m->files[i].text, strlen(m->files[i].text));
        return true;
    }
    return false;
}

static twc_result *compile(const char *name, const char *source, memory *m)
{
    const twc_files files = {.read = read_memory, .data = m};
    twc_result *result = twc_compile_with(name, source, strlen(source), &files);
    cr_assert_not_null(result);
    return result;
}

static void expect_one(const twc_result *result, uint32_t code, const char *file, uint32_t line)
{
    cr_assert_eq(twc_result_error_count(result), 1);
    const twc_message message = twc_result_message(result, 0);
    cr_assert_eq(message.code, code, "%u: %s", message.code, message.text);
    cr_assert_str_eq(message.file, file);
    cr_assert_eq(message.line, line);
}

static const char contract[] = "import \"./lib/a\"\n"
                               "import \"./lib/b\"\n"
                               "contract C version 1 { role owner var x : int = 0\n"
                               "  action f() by owner { x = a() + b() } }\n";

static const memory_file three[] = {
    {"dir/lib/a.twc", "import \"./b\"\nlibrary a version 1 { fn a() -> int { return b() + c() }\n"
                      "  fn c() -> int { return 1 } }\n"},
    {"dir/lib/b.twc", "\xEF\xBB\xBFlibrary b version 1 { fn b() -> int { return 2 }\n"
                      "  fn d() -> int { return 3 } }\n"},
};

Test(import, a_fn_of_a_library_stands_before_its_uses)
{
    memory m = {three, 2, 0};
    twc_result *result = compile("dir/c.twc", contract, &m);
    expect_one(result, 227, "dir/lib/a.twc", 2);
    cr_assert_eq(m.asked, 2, "each file is asked for once");
    twc_result_free(result);
}

static const memory_file good[] = {
    {"dir/lib/a.twc", "import \"./b\"\nlibrary a version 1 { fn c() -> int { return 1 }\n"
                      "  fn a() -> int { return b() + c() } }\n"},
    {"dir/lib/b.twc", "\xEF\xBB\xBFlibrary b version 1 { fn b() -> int { return 2 }\n"
                      "  fn d() -> int { return 3 } }\n"},
};

Test(import, a_module_holds_only_what_is_used)
{
    memory m = {good, 2, 0};
    twc_result *result = compile("dir/c.twc", contract, &m);
    cr_assert_eq(twc_result_message_count(result), 0);
    cr_assert_eq(twc_result_unit_count(result), 1);
    tw_arena *arena = tw_arena_new(1024 * 1024);
    tw_module *module = NULL;
    tw_err err;
    cr_assert_eq(tw_module_decode(twc_result_unit(result, 0)->module, arena, &module, &err), TW_OK);
    static const char *const names[] = {"b", "c", "a", "f", "deploy"}; /* d is nobody's */
    cr_assert_eq(module->function_count, 5);
    for (uint32_t i = 0; i < 5; i++) cr_assert_str_eq(module->functions[i].name, names[i]);
    tw_arena_free(arena);
    twc_result_free(result);
}

Test(import, the_folder_of_a_file_does_not_change_the_module)
{
    static const memory_file here[] = {{"lib/a.twc", NULL}, {"lib/b.twc", NULL}};
    const memory_file moved[] = {{here[0].name, good[0].text}, {here[1].name, good[1].text}};
    memory m = {good, 2, 0};
    memory n = {moved, 2, 0};
    twc_result *one = compile("dir/c.twc", contract, &m);
    twc_result *two = compile("d.twc", contract, &n);
    const twc_unit *a = twc_result_unit(one, 0);
    const twc_unit *b = twc_result_unit(two, 0);
    cr_assert(tw_bytes_equal(a->module, b->module) && tw_bytes_equal(a->debug, b->debug));
    twc_result_free(one);
    twc_result_free(two);
}

Test(import, without_files_only_modules_of_the_compiler)
{
    twc_result *result = twc_compile("dir/c.twc", contract, strlen(contract));
    cr_assert_eq(twc_result_error_count(result), 2);
    cr_assert_eq(twc_result_message(result, 0).code, 301);
    cr_assert_eq(twc_result_message(result, 1).line, 2);
    twc_result_free(result);
}

/* a0 imports a1 imports a2 ... */
static bool read_chain(void *data, const char *name, tw_writer *w)
{
    char text[120];
    uint32_t number = 0;
    for (const char *c = name + 1; *c >= '0' && *c <= '9'; c++) {
        number = number * 10 + (uint32_t)(*c - '0');
    }
    const uint32_t last = *(const uint32_t *)data;
    int size = 0;
    if (number < last) size = snprintf(text, sizeof text, "import \"./a%u\"\n", number + 1);
    tw_write_raw(w, text, (size_t)size);
    size = snprintf(text, sizeof text, "library a%u version 1 { fn f%u() -> int { return 1 } }\n",
                    number, number);
    tw_write_raw(w, text, (size_t)size);
    return true;
}

static twc_result *chain(uint32_t last)
{
    static const char source[] =
        "import \"./a1\"\ncontract C version 1 { role owner var x : int = 0\n"
        "  action f() by owner { x = f1() } }\n";
    const twc_files files = {.read = read_chain, .data = &last};
    return twc_compile_with("c.twc", source, sizeof source - 1, &files);
}

Test(import, at_most_64_files)
{
    twc_result *most = chain(63);
    cr_assert_eq(twc_result_message_count(most), 0);
    twc_result_free(most);
    twc_result *more = chain(64);
    expect_one(more, 118, "a63.twc", 1);
    twc_result_free(more);
}

/* A file as large as a source may be. */
static bool read_large(void *data, const char *name, tw_writer *w)
{
    (void)name;
    for (uint32_t i = 0; i < *(const uint32_t *)data; i++) tw_write_raw(w, "\n", 1);
    return true;
}

Test(import, all_files_together_have_at_most_1_mib)
{
    static const char source[] = "import \"./large\"\ncontract C version 1 { }\n";
    uint32_t lines = 1024 * 1024 - 100;
    const twc_files files = {.read = read_large, .data = &lines};
    twc_result *fits = twc_compile_with("c.twc", source, sizeof source - 1, &files);
    expect_one(fits, 113, "large.twc", lines + 1); /* a file needs a contract or a library */
    twc_result_free(fits);
    for (uint32_t i = 0; i < 2; i++) {
        lines = i == 0 ? 1024 * 1024 - 10 : 2 * 1024 * 1024;
        twc_result *over = twc_compile_with("c.twc", source, sizeof source - 1, &files);
        expect_one(over, 103, "c.twc", 1);
        twc_result_free(over);
    }
}

/* What the parser reports stands in the file that is broken, and the rest is not looked at. */
Test(import, a_broken_file_is_named)
{
    static const memory_file broken[] = {
        {"dir/lib/a.twc", "library a version 1 { fn a() -> int { return b( } }\n"},
        {"dir/lib/b.twc", "library b version 1 { fn b() -> int { return 2 } }\n"},
    };
    memory m = {broken, 2, 0};
    twc_result *result = compile("dir/c.twc", contract, &m);
    expect_one(result, 113, "dir/lib/a.twc", 1);
    twc_result_free(result);
}
