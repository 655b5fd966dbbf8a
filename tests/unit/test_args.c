/* test_args -- command lines, whole and broken. */
#include "vm/base/arena.h"
#include "vm/runner/args.h"

#include <criterion/criterion.h>
#include <string.h>

static const tw_option common[] = {
    {"dir", 'd', "DIR", "", false}, {"help", 'h', NULL, "", false}, {NULL, 0, NULL, NULL, false}};
static const tw_option options[] = {{"map", 0, "A=B", "", true},
                                    {"limit", 'n', "N", "", false},
                                    {"round", 0, NULL, "", false},
                                    {NULL, 0, NULL, NULL, false}};
static const tw_command command = {
    .name = "feed", .words = "NAME FILE", .options = options, .words_min = 1, .words_max = 2};

static tw_args *parse(int count, const char *const *texts, tw_status wanted, const char *problem)
{
    char *line[TW_ARGS_MAX + 8];
    tw_err err = {0};
    tw_args *args = tw_mem_new(sizeof *args);
    args->command = &command;
    for (int i = 0; i < count; i++) line[i] = (char *)(uintptr_t)texts[i];
    cr_assert_eq(tw_args_parse(args, common, count, line, &err), wanted, "%s", err.text);
    if (problem != NULL) cr_assert_not_null(strstr(err.text, problem), "%s", err.text);
    return args;
}

#define PARSE(...)                                                                                 \
    parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
          (const char *[]){__VA_ARGS__}, TW_OK, NULL)
#define REFUSED(problem, ...)                                                                      \
    tw_mem_free(parse((int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),               \
                      (const char *[]){__VA_ARGS__}, TW_REFUSED_ARGUMENT, problem))

Test(args, options_and_words_in_any_order)
{
    tw_args *args =
        PARSE("pump", "--map", "a=b", "-d", "led", "--map=c=d", "x.csv", "--round", "-n5");
    cr_assert_eq(args->word_count, 2);
    cr_assert_str_eq(args->words[1], "x.csv");
    cr_assert_str_eq(tw_args_get(args, "dir", ""), "led");
    cr_assert_str_eq(tw_args_each(args, "map", 0), "a=b");
    cr_assert_str_eq(tw_args_each(args, "map", 1), "c=d");
    cr_assert_null(tw_args_each(args, "map", 2));
    cr_assert(tw_args_has(args, "round"));
    cr_assert_not(tw_args_has(args, "help"));
    uint64_t number = 0;
    cr_assert(tw_args_number(args, "limit", 1, 5, &number, NULL));
    cr_assert_eq(number, 5);
    tw_mem_free(args);
}

Test(args, words_that_look_like_options)
{
    tw_args *args = PARSE("--", "--map", "-");
    cr_assert_str_eq(args->words[0], "--map");
    cr_assert_str_eq(args->words[1], "-");
    tw_mem_free(args);
    args = PARSE("-", "--map", "--x");
    cr_assert_str_eq(tw_args_each(args, "map", 0), "--x");
    tw_mem_free(args);
}

Test(args, help_needs_nothing_else)
{
    tw_args *args = PARSE("--help");
    cr_assert(args->help);
    tw_mem_free(args);
}

Test(args, refused)
{
    REFUSED("--mapp is no option of feed; did you mean --map?", "a", "--mapp", "x");
    REFUSED("--completely is no option of feed; see --help", "a", "--completely");
    REFUSED("-x is no option", "a", "-x");
    REFUSED("--limit needs a value: N", "a", "--limit");
    REFUSED("--limit is given twice", "a", "--limit", "1", "-n", "2");
    REFUSED("--round takes no value", "a", "--round=yes");
    REFUSED("something is missing; it is: twvm feed NAME FILE", "--round");
    REFUSED("c is too much", "a", "b", "c");
}

Test(args, too_many)
{
    const char *texts[TW_ARGS_MAX + 2];
    for (int i = 0; i < TW_ARGS_MAX + 2; i++) texts[i] = "--map=x";
    tw_mem_free(parse(TW_ARGS_MAX + 1, texts, TW_REFUSED_ARGUMENT, "more than 1024 options"));
    for (int i = 0; i < TW_ARGS_MAX + 2; i++) texts[i] = "x";
    tw_mem_free(parse(TW_ARGS_MAX + 1, texts, TW_REFUSED_ARGUMENT, "more than 1024 arguments"));
}

Test(args, numbers)
{
    static const char *const bad[] = {"", "0", "6", "-1", "1.0", "5x", "18446744073709551617"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tw_args *args = PARSE("a", "--limit", bad[i]);
        uint64_t number = 77;
        tw_err err = {0};
        cr_assert_not(tw_args_number(args, "limit", 1, 5, &number, &err), "%s", bad[i]);
        cr_assert_eq(number, 77);
        cr_assert_str_eq(err.text, "--limit takes a whole number from 1 to 5");
        tw_mem_free(args);
    }
    tw_args *args = PARSE("a", "--limit", "18446744073709551615");
    uint64_t number = 0;
    cr_assert(tw_args_number(args, "limit", 1, UINT64_MAX, &number, NULL));
    cr_assert_eq(number, UINT64_MAX);
    tw_mem_free(args);
}

Test(args, distance)
{
    cr_assert_eq(tw_args_distance("feed", "feed"), 0);
    cr_assert_eq(tw_args_distance("fed", "feed"), 1);
    cr_assert_eq(tw_args_distance("", "feed"), 4);
    cr_assert_eq(tw_args_distance("kitten", "sitting"), 3);
    cr_assert_eq(tw_args_distance("a word that is much longer than forty letters", "a"),
                 UINT32_MAX);
}
