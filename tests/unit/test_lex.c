/* test_lex -- tokens, quantities, texts, and sources that are none. */
#include "compiler/lex.h"

#include <criterion/criterion.h>
#include <string.h>

typedef struct fixture {
    tw_arena *arena;
    twc_source source;
    twc_words words;
    twc_diags diags;
    twc_lexer lexer;
    bool open;
} fixture;

static fixture lex(const char *data, size_t size)
{
    fixture f = {.arena = tw_arena_new(16 * 1024 * 1024)};
    f.source = (twc_source){.file = "t", .text = tw_bytes_of(data, size)};
    f.words.arena = f.arena;
    f.diags.arena = f.arena;
    cr_assert(twc_source_open(&f.source, f.arena));
    f.open = twc_lexer_open(&f.lexer, &f.source, &f.diags, &f.words);
    return f;
}

static twc_token next(fixture *f)
{
    f->lexer.diags = &f->diags; /* the fixture is returned by value */
    f->lexer.words = &f->words;
    f->lexer.source = &f->source;
    return twc_lexer_next(&f->lexer);
}

static void expect_kinds(const char *text, const twc_token_kind *kinds, size_t count)
{
    fixture f = lex(text, strlen(text));
    cr_assert(f.open);
    for (size_t i = 0; i < count; i++) {
        const twc_token token = next(&f);
        cr_assert_eq(token.kind, kinds[i], "%s: token %zu is %d", text, i, (int)token.kind);
    }
    cr_assert_eq(next(&f).kind, TWC_TOK_END, "%s", text);
    cr_assert_eq(next(&f).kind, TWC_TOK_END, "the end stays");
    cr_assert_eq(f.diags.error_count, 0, "%s", text);
    tw_arena_free(f.arena);
}

static uint32_t first_code(const char *data, size_t size)
{
    fixture f = lex(data, size);
    while (f.open && next(&f).kind != TWC_TOK_END) {
    }
    twc_diags_sort(&f.diags);
    const uint32_t code = f.diags.first != NULL ? (uint32_t)f.diags.first->code : 0;
    tw_arena_free(f.arena);
    return code;
}

Test(lex, marks_words_and_numbers)
{
    const twc_token_kind kinds[] = {
        TWC_TOK_WORD, TWC_TOK_ADD_ASSIGN, TWC_TOK_INT,         TWC_TOK_ARROW, TWC_TOK_DEC,
        TWC_TOK_DOTS, TWC_TOK_INT,        TWC_TOK_DOTS,        TWC_TOK_LE,    TWC_TOK_NE,
        TWC_TOK_EQ,   TWC_TOK_ASSIGN,     TWC_TOK_QUESTION,    TWC_TOK_SUB,   TWC_TOK_STRING,
        TWC_TOK_DIV,  TWC_TOK_BRACE_OPEN, TWC_TOK_BRACE_CLOSE,
    };
    expect_kinds("a += 1 -> 2.5 .. 3..<= != == = ? - \"x\" / {}", kinds,
                 sizeof kinds / sizeof kinds[0]);
}

Test(lex, a_number_and_a_unit_on_one_line_are_one_token)
{
    const twc_token_kind one[] = {TWC_TOK_QUANTITY};
    expect_kinds("7.1 mm/s", one, 1);
    expect_kinds("7.1mm/s", one, 1);
    expect_kinds("85 \xC2\xB0"
                 "C",
                 one, 1);
    expect_kinds("12 \xC2\xB5m // twelve", one, 1);
    const twc_token_kind two[] = {TWC_TOK_INT, TWC_TOK_WORD};
    expect_kinds("7\nm", two, 2);
    expect_kinds("7 of", two, 2);
    expect_kinds("7 hours", two, 2);
    const twc_token_kind divided[] = {TWC_TOK_QUANTITY, TWC_TOK_DIV, TWC_TOK_WORD};
    expect_kinds("7 m / x", divided, 3);
}

Test(lex, money_makes_quantities_even_before_it_is_declared)
{
    fixture f = lex("5.25 EUR 3 eur currency EUR", 27);
    twc_token token = next(&f);
    cr_assert_eq(token.kind, TWC_TOK_QUANTITY);
    cr_assert_str_eq(token.money->text, "EUR");
    cr_assert_eq(token.decimal.digits, 525);
    cr_assert_eq(token.decimal.decimals, 2);
    cr_assert_eq(next(&f).kind, TWC_TOK_INT);
    cr_assert(next(&f).after_number);
    tw_arena_free(f.arena);
}

Test(lex, words_are_interned_and_know_the_grammar)
{
    fixture f = lex("vib vib event", 13);
    const twc_word *first = next(&f).word;
    cr_assert_eq(first, next(&f).word);
    cr_assert_not(twc_word_is_hard(first));
    cr_assert(twc_word_is_hard(next(&f).word));
    tw_arena_free(f.arena);
}

Test(lex, texts_know_two_escapes)
{
    fixture f = lex("\"a\\\"b\\\\c\"", 9);
    const twc_token token = next(&f);
    cr_assert_eq(token.text.size, 5);
    cr_assert_eq(memcmp(token.text.data, "a\"b\\c", 5), 0);
    tw_arena_free(f.arena);
}

Test(lex, doc_comments_stay_with_the_next_token)
{
    const char *text = "// no\n/// one\n/// two\nrole x";
    fixture f = lex(text, strlen(text));
    const twc_token token = next(&f);
    cr_assert_eq(token.doc.start, 6);
    cr_assert_eq(token.doc.end, 21);
    cr_assert_eq(next(&f).doc.end, 0);
    tw_arena_free(f.arena);
}

Test(lex, a_byte_order_mark_and_carriage_returns_are_blanks)
{
    const char *text = "\xEF\xBB\xBFrole\r\nx";
    fixture f = lex(text, strlen(text));
    cr_assert_eq(next(&f).kind, TWC_TOK_WORD);
    const twc_token token = next(&f);
    cr_assert(token.first_on_line);
    const twc_place place = twc_source_place(&f.source, token.span);
    cr_assert_eq(place.line, 2);
    cr_assert_eq(place.column, 1);
    tw_arena_free(f.arena);
}

Test(lex, bad_sources_are_refused_with_their_reason)
{
    cr_assert_eq(first_code("a\xFF", 2), TWC_DIAG_NOT_UTF8);
    cr_assert_eq(first_code("a\xC3", 2), TWC_DIAG_NOT_UTF8, "cut in a character");
    cr_assert_eq(first_code("\xED\xA0\x80", 3), TWC_DIAG_NOT_UTF8, "a surrogate");
    cr_assert_eq(first_code("\xC0\x80", 2), TWC_DIAG_NOT_UTF8, "overlong");
    cr_assert_eq(first_code("a\0b", 3), TWC_DIAG_HIDDEN_CHARACTER, "NUL");
    cr_assert_eq(first_code("// \xE2\x80\xAE", 6), TWC_DIAG_HIDDEN_CHARACTER, "in a comment too");
    cr_assert_eq(first_code("a\rb", 3), TWC_DIAG_HIDDEN_CHARACTER, "a bare carriage return");
    cr_assert_eq(first_code("\"abc", 4), TWC_DIAG_OPEN_STRING);
    cr_assert_eq(first_code("\"a\\n\"", 5), TWC_DIAG_BAD_ESCAPE);
    cr_assert_eq(first_code("1__0", 4), TWC_DIAG_BAD_NUMBER);
    cr_assert_eq(first_code("99999999999999999999", 20), TWC_DIAG_NUMBER_TOO_LARGE);
    cr_assert_eq(first_code("7 km/h", 6), TWC_DIAG_REFUSED_UNIT);
    cr_assert_eq(first_code("7 mm/sec", 8), TWC_DIAG_UNKNOWN_UNIT);
    cr_assert_eq(first_code(";", 1), TWC_DIAG_STRAY_CHARACTER);
    cr_assert_eq(first_code("/", 1), 0);
    cr_assert_eq(first_code("//", 2), 0);
    cr_assert_eq(first_code("", 0), 0);
}

Test(lex, every_single_byte_and_pair_of_bytes_ends)
{
    char text[2];
    for (int a = 0; a < 256; a++) {
        text[0] = (char)a;
        (void)first_code(text, 1);
    }
    for (int pair = 0; pair < 65536; pair += 7) {
        text[0] = (char)(pair >> 8);
        text[1] = (char)pair;
        (void)first_code(text, 2);
    }
}
