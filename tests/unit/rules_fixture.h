/* rules_fixture -- cases of the rules of docs/VERIFIER.md: the wide module, changed in one place,
 * is taken or refused with a sentence that begins with the place.
 *
 * tests/rules reads the cases: each is one of the forms below, or a row that begins {"V...",.
 *
 *     TAKEN(rule, name, change...)
 *     REFUSED(rule, name, "sentence", change...)
 *     LIMIT(rule, name, max, "sentence", change with `n`...)     taken with max, refused above
 */
#ifndef TW_TEST_RULES_FIXTURE_H
#define TW_TEST_RULES_FIXTURE_H

#include "tests/unit/wide_fixture.h"

#include <stdio.h>

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))
#define RET0 ROW(RET, 0, 0, 0, 0)

static inline maker *rules_new(wide **ret_wide)
{
    const uint64_t code[] = {RET0};
    maker *k = maker_new(code, 1, true);
    *ret_wide = wide_of(k);
    return k;
}

/* Reads the bytes and proves what was read. */
static inline tw_status rules_prove(maker *k, tw_bytes bytes)
{
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    TW_TRY(tw_module_decode(bytes, k->arena, &m, &k->err));
    return tw_module_verify(m, k->arena, &facts, &k->err);
}

static inline void rules_taken(maker *k)
{
    cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);
    cr_assert_eq(rules_prove(k, maker_bytes(k)), TW_OK, "%s", k->err.text);
    maker_free(k);
}

/* The module is not derived here: the reader alone must find what is wrong. */
static inline void rules_refused(maker *k, const char *sentence)
{
    const tw_status status = rules_prove(k, maker_bytes(k));
    cr_expect_eq(status, TW_REFUSED_MODULE, "status %d", status);
    cr_expect_eq(strncmp(k->err.text, sentence, strlen(sentence)), 0, "said \"%s\"", k->err.text);
    maker_free(k);
}

/* Room for `count` items, the last of those that are there again and again. */
static inline void *rules_grow(maker *k, const void *items, size_t size, uint16_t *count,
                               uint32_t wanted)
{
    uint8_t *all = tw_arena_array(k->arena, wanted, size);
    cr_assert(all != NULL && *count > 0);
    const uint32_t had = *count < wanted ? *count : wanted;
    memcpy(all, items, had * size);
    for (uint32_t i = had; i < wanted; i++) memcpy(all + i * size, all + (i - 1) * size, size);
    *count = (uint16_t)wanted;
    return all;
}

#define GROW(items, count, wanted)                                                                 \
    ((items) = rules_grow(k, (items), sizeof *(items), &(count), (wanted)))

/* A name for each number. */
static inline const char *rules_name(maker *k, uint32_t number)
{
    char *text = tw_arena_get(k->arena, 12);
    cr_assert_not_null(text);
    snprintf(text, 12, "n%u", number);
    return text;
}

#define RULES_CASE(rule, name, finish, ...)                                                        \
    Test(rule, name)                                                                               \
    {                                                                                              \
        wide *w = NULL;                                                                            \
        maker *k = rules_new(&w);                                                                  \
        tw_module *m = &k->m;                                                                      \
        (void)m;                                                                                   \
        {                                                                                          \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        finish;                                                                                    \
    }

#define TAKEN(rule, name, ...) RULES_CASE(rule, name, rules_taken(k), __VA_ARGS__)
#define REFUSED(rule, name, sentence, ...)                                                         \
    RULES_CASE(rule, name, rules_refused(k, sentence), __VA_ARGS__)
#define LIMIT(rule, name, max, sentence, ...)                                                      \
    RULES_CASE(rule, name##_at, rules_taken(k), enum {n = (max)}; __VA_ARGS__)                     \
    RULES_CASE(rule, name##_above, rules_refused(k, sentence), enum {n = (max) + 1}; __VA_ARGS__)

#endif
