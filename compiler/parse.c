/* parse -- files, contracts, and what all rules share. */
#include "compiler/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static_assert(sizeof(twc_decl) <= sizeof(twc_expr[4]), "scratch for any node");
static_assert(sizeof(twc_stmt) <= sizeof(twc_expr[4]), "scratch for any node");
static_assert(sizeof(twc_contract) <= sizeof(twc_expr[4]), "scratch for any node");
static_assert(sizeof(twc_entry) <= sizeof(twc_expr[4]), "scratch for any node");

void *twc_parse_new(twc_parser *p, size_t size)
{
    assert(size <= sizeof p->lost);
    void *memory = tw_arena_get(p->arena, size);
    if (memory != NULL) return memory;
    p->panic = true;
    p->token.kind = TWC_TOK_END;
    p->ahead.kind = TWC_TOK_END;
    p->lexer.at = (uint32_t)p->lexer.source->text.size;
    memset(p->lost, 0, sizeof p->lost);
    return p->lost;
}

void twc_parse_advance(twc_parser *p)
{
    if (p->panic) return;
    p->before = p->token.span;
    if (p->token.kind == TWC_TOK_BRACE_OPEN) p->braces++;
    if (p->token.kind == TWC_TOK_BRACE_CLOSE && p->braces > 0) p->braces--;
    p->token = p->ahead;
    p->ahead = twc_lexer_next(&p->lexer);
}

/* While an error is waiting for its boundary. */
static void skip(twc_parser *p)
{
    p->panic = false;
    twc_parse_advance(p);
    p->panic = true;
}

bool twc_parse_at(const twc_parser *p, twc_token_kind kind)
{
    return !p->panic && p->token.kind == kind;
}

static bool is_word(const twc_token *token, uint16_t keyword)
{
    return token->kind == TWC_TOK_WORD && token->word->keyword == keyword;
}

bool twc_parse_at_word(const twc_parser *p, uint16_t keyword)
{
    return !p->panic && is_word(&p->token, keyword);
}

bool twc_parse_ahead_word(const twc_parser *p, uint16_t keyword)
{
    return !p->panic && is_word(&p->ahead, keyword);
}

bool twc_parse_accept(twc_parser *p, twc_token_kind kind)
{
    if (!twc_parse_at(p, kind)) return false;
    twc_parse_advance(p);
    return true;
}

bool twc_parse_accept_word(twc_parser *p, uint16_t keyword)
{
    if (!twc_parse_at_word(p, keyword)) return false;
    twc_parse_advance(p);
    return true;
}

/* The token as it stands in the source, for a message. */
static void describe(const twc_parser *p, char *text, size_t size)
{
    const twc_span span = p->token.span;
    if (p->token.kind == TWC_TOK_END) {
        snprintf(text, size, "the end of the file");
    } else if (p->token.kind == TWC_TOK_STRING) {
        snprintf(text, size, "a text");
    } else {
        const uint32_t shown = span.end - span.start > 40 ? 40 : span.end - span.start;
        snprintf(text, size, "`%.*s`", (int)shown, p->lexer.source->text.data + span.start);
    }
}

void twc_parse_unknown_unit(twc_parser *p, twc_span span)
{
    p->panic = true;
    if (p->number_last != NULL) p->number_last->kind = TWC_E_ERROR;
    const char *text = (const char *)p->lexer.source->text.data + span.start;
    const char *meant = tw_unit_meant(tw_bytes_of(text, span.end - span.start));
    twc_diag_add(p->diags, TWC_DIAG_UNKNOWN_UNIT, span, "`%.*s` is not a unit\n%s%s%s",
                 (int)(span.end - span.start), text, meant != NULL ? "did you mean `" : "",
                 meant != NULL ? meant : "`twc explain E0104` lists the units",
                 meant != NULL ? "`?" : "");
}

void twc_parse_expected(twc_parser *p, const char *what)
{
    if (p->panic) return;
    p->panic = true;
    /* where the file ends, one message is enough */
    const bool at_end = p->token.kind == TWC_TOK_END;
    if (at_end && p->unclosed_at == p->token.span.start) return;
    if (at_end) p->unclosed_at = p->token.span.start;
    char found[64];
    describe(p, found, sizeof found);
    if (p->token.kind == TWC_TOK_WORD && p->token.after_number) {
        twc_parse_unknown_unit(p, p->token.span);
        return;
    }
    const bool hard = p->token.kind == TWC_TOK_WORD && twc_word_is_hard(p->token.word) &&
                      strncmp(what, "a name", 6) == 0;
    twc_diag_add(p->diags, TWC_DIAG_EXPECTED, p->token.span, "expected %s, found %s\n%s", what,
                 found, hard ? "this is a word of the language, choose another name" : "");
}

bool twc_parse_expect(twc_parser *p, twc_token_kind kind, const char *what)
{
    if (twc_parse_accept(p, kind)) return true;
    if (kind == TWC_TOK_BRACE_OPEN && !p->panic) p->braces++;
    twc_parse_expected(p, what);
    return false;
}

static const char *const word_texts[] = {
    "",
#define WORD(spelling, hard, begins) "`" #spelling "`",
#include "compiler/words.def"
};

bool twc_parse_expect_word(twc_parser *p, uint16_t keyword)
{
    if (twc_parse_accept_word(p, keyword)) return true;
    twc_parse_expected(p, word_texts[keyword]);
    return false;
}

twc_word *twc_parse_name(twc_parser *p, const char *what, twc_span *ret_span)
{
    if (ret_span != NULL) *ret_span = p->token.span;
    if (!twc_parse_at(p, TWC_TOK_WORD) || twc_word_is_hard(p->token.word)) {
        twc_parse_expected(p, what);
        return NULL;
    }
    twc_word *word = p->token.word;
    twc_parse_advance(p);
    return word;
}

uint32_t twc_parse_count(twc_parser *p, const char *what, uint32_t min, uint32_t max)
{
    const twc_token token = p->token;
    if (!twc_parse_expect(p, TWC_TOK_INT, what)) return min;
    if (token.bad || (token.decimal.digits >= min && token.decimal.digits <= max)) {
        return token.bad ? max : (uint32_t)token.decimal.digits;
    }
    twc_diag_add(p->diags, TWC_DIAG_OVER_LIMIT, token.span, "%s must lie between %u and %u", what,
                 min, max);
    return token.decimal.digits < min ? min : max;
}

tw_bytes twc_parse_string(twc_parser *p, const char *what)
{
    const tw_bytes text = p->token.text;
    const bool bad = p->token.bad;
    if (!twc_parse_expect(p, TWC_TOK_STRING, what)) return tw_bytes_of("", 0);
    if (bad) p->panic = true; /* the rest of its line is inside of it */
    return text;
}

bool twc_parse_enter(twc_parser *p)
{
    p->depth++;
    if (p->depth <= TWC_DEPTH_MAX) return true;
    if (!p->panic) {
        twc_diag_add(p->diags, TWC_DIAG_TOO_DEEP, p->token.span,
                     "this is nested too deep: split it with `let` or a `fn`");
        p->panic = true;
    }
    return false;
}

void twc_parse_leave(twc_parser *p)
{
    assert(p->depth > 0);
    p->depth--;
}

twc_span twc_parse_span(const twc_parser *p, uint32_t start)
{
    return (twc_span){start, p->before.end > start ? p->before.end : start};
}

/* ------------------------------------------------------------------ recovery */

static bool starts_member(const twc_token *token, const twc_token *ahead)
{
    if (token->kind != TWC_TOK_WORD) return false;
    const bool named = ahead->kind == TWC_TOK_WORD;
    switch (twc_word_begins(token->word)) {
    case TWC_BEGINS_NOTHING:
    case TWC_BEGINS_STATEMENT: return false;
    case TWC_BEGINS_NAMED: return named;
    case TWC_BEGINS_LINE: return token->first_on_line;
    case TWC_BEGINS_NAMED_LINE: return named && token->first_on_line;
    case TWC_BEGINS_TEXT: return ahead->kind == TWC_TOK_STRING || is_word(ahead, TWC_W_fuzz);
    }
    return false;
}

bool twc_parse_at_member(const twc_parser *p)
{
    return !p->panic && starts_member(&p->token, &p->ahead);
}

void twc_parse_recover(twc_parser *p, uint32_t braces, bool (*starts)(const twc_parser *p))
{
    p->panic = false;
    while (p->token.kind != TWC_TOK_END) {
        const bool inside = p->braces <= braces;
        if (p->token.first_on_line && ((inside && starts(p)) || twc_parse_at_member(p))) return;
        if (p->token.kind == TWC_TOK_BRACE_CLOSE && inside) return;
        twc_parse_advance(p);
    }
    p->unclosed_at = p->token.span.start; /* what is missing at the end was said */
}

void twc_parse_unclosed(twc_parser *p, twc_span open)
{
    if (p->panic) return;
    if (p->braces > 0) p->braces--;
    if (p->unclosed_at == p->token.span.start) return;
    p->unclosed_at = p->token.span.start;
    p->contract->broken = true;
    char found[64];
    describe(p, found, sizeof found);
    twc_diag *diag = twc_diag_add(p->diags, TWC_DIAG_UNCLOSED, p->token.span,
                                  "a `}` is missing before %s", found);
    twc_diag_second(diag, open, "this `{` is not closed");
}

/* Skips a broken member: to the next one, or to the end of the contract. */
static void recover_member(twc_parser *p)
{
    p->panic = true;
    while (p->token.kind != TWC_TOK_END) {
        const bool member = starts_member(&p->token, &p->ahead);
        const bool variable = is_word(&p->token, TWC_W_var) && p->token.first_on_line;
        const bool outside = p->braces <= p->member_braces;
        if (member && (outside || p->token.first_on_line)) break;
        if (outside && (variable || p->token.kind == TWC_TOK_BRACE_CLOSE)) break;
        skip(p);
    }
    p->braces = p->member_braces;
    p->panic = false;
    if (p->token.kind == TWC_TOK_END) p->unclosed_at = p->token.span.start;
}

/* ------------------------------------------------------------------ file and contract */

/* contract = "contract" NAME "version" INT "{" { member } "}"
 * library = "library" NAME "version" INT "{" { record | enum | fn | test } "}" */
static bool starts_contract(const twc_parser *p)
{
    return is_word(&p->token, TWC_W_contract) ||
           (is_word(&p->token, TWC_W_library) && p->ahead.kind == TWC_TOK_WORD);
}

static void parse_contract(twc_parser *p, twc_contract **at)
{
    const twc_span doc = p->token.doc;
    const uint32_t start = p->token.span.start;
    twc_contract *contract = TWC_NODE(p, twc_contract);
    *at = contract;
    p->contract = contract;
    p->member_last = NULL;
    p->member = &contract->members;
    p->grant = &contract->grants;
    contract->library = is_word(&p->token, TWC_W_library);
    twc_parse_expect_word(p, contract->library ? TWC_W_library : TWC_W_contract);
    contract->word = twc_parse_name(p, "a name for the contract", &contract->name_span);
    twc_parse_expect_word(p, TWC_W_version);
    contract->version = twc_parse_count(p, "the version", 1, INT32_MAX);
    contract->doc = twc_parse_doc(p, doc);
    const twc_span open = p->token.span;
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`");
    p->panic = false;
    p->member_braces = p->braces;
    while (p->token.kind != TWC_TOK_BRACE_CLOSE && p->token.kind != TWC_TOK_END) {
        if (starts_contract(p)) break;
        const uint32_t before = p->token.span.start;
        const bool first_on_line = p->token.first_on_line;
        p->depth = 0;
        twc_parse_member(p);
        if (!p->panic) continue;
        contract->broken = true;
        p->panic = false;
        if (p->token.span.start == before && p->token.kind != TWC_TOK_END) {
            /* more on the line of a member that seemed to have ended: it is what is broken */
            if (!first_on_line && p->member_last != NULL) p->member_last->broken = true;
            twc_parse_advance(p);
        }
        recover_member(p);
    }
    if (p->token.kind != TWC_TOK_BRACE_CLOSE) twc_parse_unclosed(p, open);
    twc_parse_accept(p, TWC_TOK_BRACE_CLOSE);
    contract->span = twc_parse_span(p, start);
}

/* import = "import" STRING */
static void parse_import(twc_parser *p, twc_import **at)
{
    const uint32_t start = p->token.span.start;
    twc_import *import = TWC_NODE(p, twc_import);
    twc_parse_expect_word(p, TWC_W_import);
    import->path = twc_parse_string(p, "the module's name in quotes, as \"std/x\"");
    import->span = twc_parse_span(p, start);
    *at = import;
}

static void outside_contract(twc_parser *p)
{
    if (p->token.kind == TWC_TOK_BRACE_CLOSE || starts_member(&p->token, &p->ahead) ||
        is_word(&p->token, TWC_W_var)) {
        twc_diag_add(p->diags, TWC_DIAG_OUTSIDE, p->token.span,
                     "this stands outside of a contract\nis there a `}` too many before it?");
        p->panic = true;
    } else {
        twc_parse_expected(p, "`contract` or `library`");
    }
    twc_diags quiet = *p->diags; /* what stands there was not meant to be read */
    p->lexer.diags = &quiet;
    while (p->token.kind != TWC_TOK_END && !(starts_contract(p) && p->ahead.kind == TWC_TOK_WORD)) {
        skip(p);
    }
    p->lexer.diags = p->diags;
    p->panic = false;
}

/* file = { import } ( contract | library ) { contract | library } */
twc_program *twc_parse(const twc_source *source, tw_arena *arena, twc_words *words,
                       twc_diags *diags)
{
    twc_parser parser = {.arena = arena, .diags = diags, .unclosed_at = UINT32_MAX};
    twc_parser *p = &parser;
    twc_parse_find_rules(p);
    if (!twc_lexer_open(&p->lexer, source, diags, words)) return NULL;
    twc_program *program = TW_NEW(arena, twc_program);
    if (program == NULL) return NULL;
    program->source = source;
    p->token = twc_lexer_next(&p->lexer);
    p->ahead = twc_lexer_next(&p->lexer);
    twc_import **import = &program->imports;
    twc_contract **contract = &program->contracts;
    while (twc_parse_at_word(p, TWC_W_import)) {
        parse_import(p, import);
        import = &(*import)->next;
        if (p->panic) outside_contract(p);
    }
    do {
        if (!starts_contract(p)) outside_contract(p);
        if (p->token.kind == TWC_TOK_END) break;
        parse_contract(p, contract);
        contract = &(*contract)->next;
    } while (p->token.kind != TWC_TOK_END);
    return tw_arena_failed(arena) ? NULL : program;
}
