/* criterion -- as much of Criterion's interface as the tests of threads use, in one process.
 *
 * Criterion runs each test in a process of its own whose memory ThreadSanitizer cannot follow, so
 * under it these files are compiled with this header in Criterion's place: the tests run one after
 * the other, the first failure ends the program. Included once a program; tests/race/meson.build.
 */
#ifndef TW_TESTS_RACE_CRITERION_H
#define TW_TESTS_RACE_CRITERION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RACE_TESTS_MAX = 256 };

typedef struct race_test {
    const char *suite, *name;
    void (*run)(void);
} race_test;

static race_test race_tests[RACE_TESTS_MAX];
static size_t race_count;

static inline void race_add(const char *suite, const char *name, void (*run)(void))
{
    if (race_count == RACE_TESTS_MAX) abort();
    race_tests[race_count++] = (race_test){suite, name, run};
}

#define Test(suite_name, test_name)                                                                \
    static void race_run_##suite_name##_##test_name(void);                                         \
    __attribute__((constructor)) static void race_add_##suite_name##_##test_name(void)             \
    {                                                                                              \
        race_add(#suite_name, #test_name, race_run_##suite_name##_##test_name);                    \
    }                                                                                              \
    static void race_run_##suite_name##_##test_name(void)

#define RACE_CHECK(condition, text)                                                                \
    do {                                                                                           \
        if (condition) break;                                                                      \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, text);                                  \
        exit(1);                                                                                   \
    } while (0)

/* What follows the condition is a message for Criterion. */
#define RACE_FIRST(a, ...) (a)
#define RACE_TEXT(a, ...) #a
#define RACE_PAIR(operation, a, b, ...)                                                            \
    RACE_CHECK((a)operation(b), #a " " #operation " " #b " does not hold")

#define cr_assert(...) RACE_CHECK(RACE_FIRST(__VA_ARGS__, 0), RACE_TEXT(__VA_ARGS__, 0))
#define cr_assert_not(...) RACE_CHECK(!RACE_FIRST(__VA_ARGS__, 0), RACE_TEXT(__VA_ARGS__, 0))
#define cr_assert_null(...) cr_assert_not(__VA_ARGS__)
#define cr_assert_not_null(...) cr_assert(__VA_ARGS__)
#define cr_assert_eq(...) RACE_PAIR(==, __VA_ARGS__, 0)
#define cr_assert_neq(...) RACE_PAIR(!=, __VA_ARGS__, 0)
#define cr_assert_leq(...) RACE_PAIR(<=, __VA_ARGS__, 0)
#define cr_assert_geq(...) RACE_PAIR(>=, __VA_ARGS__, 0)
#define cr_assert_gt(...) RACE_PAIR(>, __VA_ARGS__, 0)
#define cr_assert_str_eq(a, b) RACE_CHECK(strcmp(a, b) == 0, #a " is not " #b)
#define cr_expect cr_assert
#define cr_expect_not cr_assert_not
#define cr_expect_null cr_assert_null
#define cr_expect_eq cr_assert_eq
#define cr_expect_leq cr_assert_leq
#define cr_expect_geq cr_assert_geq

int main(void)
{
    for (size_t i = 0; i < race_count; i++) {
        race_tests[i].run();
        printf("ok %zu - %s::%s\n", i + 1, race_tests[i].suite, race_tests[i].name);
    }
    printf("1..%zu\n", race_count);
    return race_count > 0 ? 0 : 1;
}

#endif
