/* parse_member -- what a contract is made of. */
#include "compiler/parse.h"

#include <string.h>

twc_decl *twc_parse_decl(twc_parser *p, twc_decl_kind kind, uint32_t start)
{
    twc_decl *decl = TWC_NODE(p, twc_decl);
    decl->kind = kind;
    decl->contract = p->contract;
    decl->span = (twc_span){start, start};
    return decl;
}

const char *twc_parse_doc(twc_parser *p, twc_span doc)
{
    if (doc.end <= doc.start) return NULL;
    const uint8_t *data = p->lexer.source->text.data;
    char *text = tw_arena_get(p->arena, doc.end - doc.start + 1);
    if (text == NULL) return NULL;
    size_t size = 0;
    for (uint32_t at = doc.start; at < doc.end;) {
        uint32_t end = at;
        while (end < doc.end && data[end] != '\n') end++;
        while (at < end && (data[at] == ' ' || data[at] == '\t')) at++;
        if (end - at >= 3 && memcmp(data + at, "///", 3) == 0) {
            at += 3;
            if (at < end && data[at] == ' ') at++;
            if (size > 0) text[size++] = '\n';
            for (; at < end; at++) {
                if (data[at] != '\r') text[size++] = (char)data[at];
            }
        }
        at = end + 1;
    }
    return text;
}

/* phases = "phases" chain { "," chain }; chain = NAME "->" NAME { "->" NAME } */
static void parse_chains(twc_parser *p, uint32_t start)
{
    twc_chain **at = &p->contract->phase_chains;
    if (*at != NULL) {
        twc_diag *diag =
            twc_diag_add(p->diags, TWC_DIAG_DUPLICATE, p->before, "the phases are declared twice");
        twc_diag_second(diag, p->contract->phases_span, "first declared here");
        p->contract->broken = true;
        p->contract->phase_chains = NULL; /* neither is right */
    }
    do {
        twc_chain *chain = TWC_NODE(p, twc_chain);
        twc_phase_name **name = &chain->names;
        uint32_t count = 0;
        do {
            *name = TWC_NODE(p, twc_phase_name);
            (*name)->word = twc_parse_name(p, "a name for a phase", &(*name)->span);
            name = &(*name)->next;
            count++;
        } while (twc_parse_accept(p, TWC_TOK_ARROW));
        if (count < 2) twc_parse_expected(p, "`->` and the next phase");
        *at = chain;
        at = &chain->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    p->contract->phases_span = twc_parse_span(p, start);
}

typedef struct member_row {
    uint16_t keyword;
    twc_decl_kind kind;
    bool entry;
    twc_rule rule;
} member_row;

static const member_row members[] = {
#define MEMBER(word, kind, is_entry, rule) {TWC_W_##word, TWC_D_##kind, is_entry, TWC_RULE_##rule},
#include "compiler/members.def"
};

static void append(twc_parser *p, twc_decl *decl, twc_span doc, uint32_t start)
{
    decl->span = twc_parse_span(p, start);
    decl->doc = twc_parse_doc(p, doc);
    decl->broken = p->panic || p->lexer.strays != p->strays;
    p->contract->broken |= decl->broken;
    p->strays = p->lexer.strays;
    if (decl->name_span.end == 0) decl->name_span = (twc_span){start, start};
    *p->member = decl;
    p->member_last = decl;
    p->member = &decl->next;
    p->contract->member_count++;
}

/* member = twin | money | role | param | check | ... | test; twin = "twin" STRING */
void twc_parse_member(twc_parser *p)
{
    const twc_span doc = p->token.doc;
    const uint32_t start = p->token.span.start;
    const uint16_t keyword = p->token.kind == TWC_TOK_WORD ? p->token.word->keyword : 0;
    if (twc_parse_accept_word(p, TWC_W_phases)) {
        parse_chains(p, start);
        return;
    }
    if (keyword == TWC_W_twin) {
        const bool twice = p->contract->twin.data != NULL;
        if (twice) {
            twc_diag_add(p->diags, TWC_DIAG_DUPLICATE, p->token.span,
                         "the contract names its twin twice");
        }
        twc_parse_advance(p);
        p->contract->twin = twc_parse_string(p, "the twin's id in quotes");
        return;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const member_row *row = &members[i];
        if (row->keyword != keyword) continue;
        twc_decl *decl = twc_parse_decl(p, row->kind, start);
        const twc_span first = p->token.span;
        twc_parse_advance(p);
        if (row->entry) {
            decl->u.entry = TWC_NODE(p, twc_entry);
            decl->name_span = first;
        }
        twc_parse_rule(p, row->rule, decl);
        append(p, decl, doc, start);
        return;
    }
    twc_parse_expected(p, "a declaration (as role, param, reading, action) or `}`");
}
