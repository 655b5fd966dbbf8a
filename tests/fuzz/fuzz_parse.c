/* fuzz_parse -- any bytes through lexer and parser: they end, and say what is wrong or build a
 * tree. What parses can be laid out; that has the same tokens on the same lines, parses, and laying
 * it out again changes nothing. */
#include "compiler/format.h"
#include "compiler/parse.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/mutate.h"

#include <string.h>

enum { ARENA_BASE = 4 * 1024 * 1024, ARENA_PER_BYTE = 96, TEXT_MAX = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct page {
    tw_arena *arena;
    twc_source source;
    twc_words words;
    twc_diags diags;
    bool good;
} page;

static void page_open(page *p, tw_bytes text)
{
    *p = (page){.arena = tw_arena_new(ARENA_BASE + ARENA_PER_BYTE * text.size)};
    check(p->arena != NULL);
    p->source = (twc_source){.file = "fuzz.twc", .text = text};
    p->words.arena = p->arena;
    p->diags = (twc_diags){.arena = p->arena, .source = &p->source};
    check(twc_source_open(&p->source, p->arena));
    const twc_program *program = twc_parse(&p->source, p->arena, &p->words, &p->diags);
    check(program != NULL || p->diags.error_count > 0 || tw_arena_failed(p->arena));
    p->good = p->diags.error_count == 0 && !tw_arena_failed(p->arena);
}

static void page_close(page *p)
{
    tw_arena_free(p->arena);
}

static void page_format(page *p, tw_writer *w)
{
    *w = tw_writer_new(TEXT_MAX);
    check(twc_format_write(&p->source, &p->words, w) && !w->bad);
}

static tw_bytes slice(const page *p, twc_span span)
{
    check(span.start <= span.end && span.end <= p->source.text.size);
    return tw_bytes_of(p->source.text.data + span.start, span.end - span.start);
}

static void same_tokens(page *a, page *b)
{
    twc_lexer left;
    twc_lexer right;
    check(twc_lexer_open(&left, &a->source, &a->diags, &a->words));
    check(twc_lexer_open(&right, &b->source, &b->diags, &b->words));
    for (;;) {
        const twc_token s = twc_lexer_next(&left);
        const twc_token t = twc_lexer_next(&right);
        check(s.kind == t.kind && s.first_on_line == t.first_on_line);
        if (s.kind == TWC_TOK_END) return;
        check(tw_bytes_equal(slice(a, s.span), slice(b, t.span)));
        check((s.doc.start == s.doc.end) == (t.doc.start == t.doc.end));
    }
}

static void lays_out(page *p)
{
    tw_writer once;
    tw_writer twice;
    page laid;
    page_format(p, &once);
    page_open(&laid, tw_writer_bytes(&once));
    check(laid.good);
    page_format(&laid, &twice);
    check(tw_bytes_equal(tw_writer_bytes(&once), tw_writer_bytes(&twice)));
    same_tokens(p, &laid);
    page_close(&laid);
    tw_writer_free(&once);
    tw_writer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    page p;
    page_open(&p, tw_bytes_of(data, size));
    twc_diags_sort(&p.diags);
    if (p.good) lays_out(&p);
    page_close(&p);
    return 0;
}

bool mutant_is_good(const uint8_t *text, size_t size)
{
    page p;
    page_open(&p, tw_bytes_of(text, size));
    page_close(&p);
    return p.good;
}
