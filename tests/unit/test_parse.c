/* test_parse -- the shape of the tree, and that no bytes crash, hang or blow up the front end. */
#include "tests/unit/twc_fixture.h"

static const char *const contracts[] = {
    "contracts/pump_guard.twc",
    "contracts/climate_guard.twc",
    "tests/lang/ok/readings.twc",
    "tests/lang/ok/optionals.twc",
};

enum { CONTRACT_COUNT = sizeof contracts / sizeof contracts[0] };

static const twc_expr *check_expr_of(const twc_front *front)
{
    const twc_decl *decl = front->program->contracts->members;
    while (decl != NULL && decl->kind != TWC_D_CHECK) decl = decl->next;
    cr_assert_not_null(decl);
    return decl->u.value.value;
}

Test(parse, operators_bind_as_the_grammar_says)
{
    twc_front *front =
        front_of("contract T version 1 { check 1 + 2 * 3 == 7 or no and not yes implies no }");
    const twc_expr *e = check_expr_of(front);
    cr_assert_eq(e->u.binary.op, TWC_OP_IMPLIES);
    e = e->u.binary.left;
    cr_assert_eq(e->u.binary.op, TWC_OP_OR);
    cr_assert_eq(e->u.binary.right->u.binary.op, TWC_OP_AND);
    e = e->u.binary.left;
    cr_assert_eq(e->u.binary.op, TWC_OP_EQ);
    cr_assert_eq(e->u.binary.left->u.binary.op, TWC_OP_ADD);
    cr_assert_eq(e->u.binary.left->u.binary.right->u.binary.op, TWC_OP_MUL);
    cr_assert_eq(e->u.binary.left->value, 7);
    twc_front_free(front);
}

Test(parse, a_minus_directly_before_a_number_is_part_of_it)
{
    twc_front *front = front_of("contract T version 1 { check -40 °C < 0 °C and 3 -2 == 1 }");
    cr_assert_eq(front->diags.error_count, 0);
    const twc_expr *e = check_expr_of(front)->u.binary.left->u.binary.left;
    cr_assert_eq(e->kind, TWC_E_NUMBER);
    cr_assert_eq(e->value, 233150);
    twc_front_free(front);
}

Test(parse, docs_reach_their_declaration)
{
    twc_front *front = front_of("/// A.\n///  B\ncontract T version 1 {\n  /// who\n  role r\n}");
    cr_assert_str_eq(front->program->contracts->doc, "A.\n B");
    cr_assert_str_eq(front->program->contracts->members->doc, "who");
    twc_front_free(front);
}

Test(parse, soft_words_are_names_where_nothing_else_is_meant)
{
    twc_front *front =
        front_of("contract T version 1 {\n role keep\n var rate : int = 0\n"
                 "var go : int = 0\n phases A -> B\n"
                 "action fail(range: int) by keep in A { rate = range go = 1 go B } }");
    cr_assert_eq(front->diags.error_count, 0);
    twc_front_free(front);
}

/* ------------------------------------------------------------------ hostile input */

Test(parse, cut_at_every_byte)
{
    for (size_t i = 0; i < CONTRACT_COUNT; i++) {
        size_t size = 0;
        uint32_t code = 0;
        char *data = read_source(contracts[i], &size);
        size_t end = size;
        while (end > 0 && data[end - 1] != '}') end--;
        for (size_t cut = 0; cut < end; cut++) {
            const uint32_t errors = errors_in(data, cut, &code);
            cr_assert(errors >= 1, "%s cut at %zu", contracts[i], cut);
            cr_assert(errors <= 2, "%s cut at %zu: %u errors", contracts[i], cut, errors);
        }
        cr_assert_eq(errors_in(data, size, &code), 0, "%s", contracts[i]);
        tw_mem_free(data);
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 17;
}

Test(parse, changed_at_random_places)
{
    static const char *const parts[] = {"{",  "}",    "(",  ")",   "[",   "]",    "-",       "->",
                                        "..", "some", "of", "is",  "not", "over", "match x", "°C",
                                        "\"", "//",   "1",  "0.5", "5 K", "none", "\xC3",    "\0"};
    uint64_t random = 20261122;
    for (int round = 0; round < 8000; round++) {
        size_t size = 0;
        uint32_t code = 0;
        static char changed[32 * 1024];
        char *data = read_source(contracts[next_random(&random) % CONTRACT_COUNT], &size);
        const size_t at = next_random(&random) % size;
        const size_t gone = next_random(&random) % 3 == 0 ? next_random(&random) % 40 : 0;
        const char *part = parts[next_random(&random) % (sizeof parts / sizeof parts[0])];
        const size_t added = part[0] == '\0' ? 1 : strlen(part);
        const size_t rest = at + gone < size ? at + gone : size;
        memcpy(changed, data, at);
        memcpy(changed + at, part, added);
        memcpy(changed + at + added, data + rest, size - rest);
        (void)errors_in(changed, at + added + size - rest, &code);
        tw_mem_free(data);
    }
}

/* `prefix`, then `unit` as often as fits, then `suffix`. */
static uint32_t repeated(const char *prefix, const char *unit, const char *suffix, size_t size_max,
                         uint32_t *ret_code)
{
    const size_t unit_size = strlen(unit);
    const size_t count = (size_max - strlen(prefix) - strlen(suffix)) / unit_size;
    char *text = tw_mem_new(size_max);
    cr_assert_not_null(text);
    size_t size = strlen(prefix);
    memcpy(text, prefix, size);
    for (size_t i = 0; i < count; i++, size += unit_size) memcpy(text + size, unit, unit_size);
    memcpy(text + size, suffix, strlen(suffix));
    const uint32_t errors = errors_in(text, size + strlen(suffix), ret_code);
    tw_mem_free(text);
    return errors;
}

Test(parse, depth_and_length_are_bounded)
{
    static const char *const units[] = {
        "(",
        "[",
        "- ",
        "not ",
        "f(",
        "a.",
        "a[",
        "1+",
        "1,",
        "a ",
        "if ",
        "{",
        "x = 1 ",
        "5 % of ",
        "\"a\" ",
        "a implies ",
        "a and ",
        "a == ",
        "match a {",
        "if yes {",
        "list of ",
        "a otherwise ",
        "let a = b ",
        "stop ",
        "a is some and ",
        "-> A ",
        "event E() ",
        "role r ",
        "var v : int = 0 ",
        "test \"t\" { ",
        "expect fail E { ",
        "\n",
        "/// d\n",
        "enum E { A } ",
        "record R { a: R } ",
        "as a call b() ",
        "needs yes ",
        "°C ",
        "9 ",
        "x",
        "}",
    };
    static const char *const prefixes[] = {
        "",
        "contract T version 1 {\n",
        "contract T version 1 {\n action a() by anyone {\n",
        "contract T version 1 {\n check ",
        "contract T version 1 {\n test \"x\" {\n",
        "contract T version 1 {\n phases A ",
        "contract T version 1 {\n var a : ",
    };
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        for (size_t u = 0; u < sizeof units / sizeof units[0]; u++) {
            uint32_t code = 0;
            (void)repeated(prefixes[p], units[u], "", 100 * 1000, &code);
        }
    }
}

Test(parse, the_largest_source_and_one_byte_more)
{
    uint32_t code = 0;
    cr_assert_eq(repeated("contract T version 1 { role r\n", " ", "}", TWC_SOURCE_MAX, &code), 0);
    cr_assert_eq(repeated("contract T version 1 { role r\n", " ", "} ", TWC_SOURCE_MAX + 1, &code),
                 1);
    cr_assert_eq(code, TWC_DIAG_SOURCE_TOO_LARGE);
}

Test(parse, an_expression_of_any_length_is_an_error_not_a_crash)
{
    uint32_t code = 0;
    cr_assert_eq(repeated("contract T version 1 { check 0 ", "+ 1 ", " == 5 }", 20000, &code), 1);
    cr_assert_eq(code, TWC_DIAG_TOO_DEEP);
    cr_assert_eq(repeated("contract T version 1 { check 0 ", "+ 1 ", " == 190 }", 801, &code), 0);
}

Test(parse, names_that_collide_do_not_slow_it_down)
{
    static char text[TWC_SOURCE_MAX];
    size_t size = (size_t)snprintf(text, sizeof text, "contract T version 1 {\n");
    for (int i = 0; size < sizeof text - 100; i++) {
        size += (size_t)snprintf(text + size, 100, "var v%d : missing%d = nothing%d\n", i, i, i);
    }
    text[size++] = '}';
    uint32_t code = 0;
    const uint32_t errors = errors_in(text, size, &code);
    cr_assert(errors == TWC_ERRORS_MAX + 1 || code == TWC_DIAG_TOO_LARGE, "%u %u", errors, code);
}
