/* check_import -- brings the names of imported libraries into a contract. Called by check.
 *
 * A library is checked once by itself; then each contract that mentions names of it gets a copy of
 * its own of these declarations and of those that they need, parsed anew and put before its own
 * members. So a module holds what its contract uses, and a name that is not mentioned is in
 * nobody's way.
 */
#include "compiler/check.h"
#include "compiler/parse.h"

#include <string.h>

/* Records refer to later ones, but only so deep. */
enum { ROUNDS_MAX = 20 };

static bool is_public(const twc_decl *decl)
{
    return decl->kind == TWC_D_RECORD || decl->kind == TWC_D_ENUM || decl->kind == TWC_D_FN;
}

/* Walks the public names of a program's libraries, in the order of the page. */
typedef struct walk {
    twc_contract *library;
    twc_decl *decl;
} walk;

static twc_decl *next_public(walk *w)
{
    for (;;) {
        while (w->decl != NULL && !is_public(w->decl)) w->decl = w->decl->next;
        if (w->decl != NULL) {
            twc_decl *found = w->decl;
            w->decl = found->next;
            return found;
        }
        while (w->library != NULL && !w->library->library) w->library = w->library->next;
        if (w->library == NULL) return NULL;
        w->decl = w->library->members;
        w->library = w->library->next;
    }
}

void twc_check_collect(twc_check *c)
{
    const twc_program *main = c->program;
    for (uint32_t i = 0; i < main->file_count; i++) {
        walk w = {.library = main->files[i]->contracts};
        while (next_public(&w) != NULL) c->public_count++;
    }
    c->publics = TW_NEW_ARRAY(c->arena, twc_public, c->public_count);
    if (c->publics == NULL) c->public_count = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < main->file_count && c->publics != NULL; i++) {
        walk w = {.library = main->files[i]->contracts};
        for (twc_decl *d = next_public(&w); d != NULL; d = next_public(&w)) {
            c->publics[count++] = (twc_public){.decl = d, .program = main->files[i]};
        }
    }
}

/* Marks every word in a part of the text. */
static void mark_words(twc_check *c, const twc_source *source, twc_span span, uint32_t mark)
{
    twc_source part = *source;
    part.text.size = span.end;
    twc_lexer lexer = {.source = &part, .diags = c->diags, .words = c->words, .silent = true};
    lexer.at = span.start;
    for (;;) {
        const twc_token token = twc_lexer_next(&lexer);
        if (token.kind == TWC_TOK_END) return;
        if (token.word != NULL) token.word->mark = mark;
    }
}

static bool is_met(const twc_decl *decl, uint32_t mark)
{
    if (decl->word != NULL && decl->word->mark == mark) return true;
    if (decl->kind != TWC_D_ENUM) return false;
    for (const twc_decl *v = decl->u.fields.fields; v != NULL; v = v->next) {
        if (v->word != NULL && v->word->mark == mark) return true;
    }
    return false;
}

/* Gives c->mark to the public names that the contract needs. True when there is one. */
static bool find_needed(twc_check *c, const twc_program *program)
{
    const uint32_t mark = ++c->mark;
    bool any = false;
    bool more = true;
    mark_words(c, program->source, c->contract->span, mark);
    for (uint32_t round = 0; more && round < ROUNDS_MAX; round++) {
        more = false;
        for (uint32_t i = c->public_count; i-- > 0;) {
            twc_public *p = &c->publics[i];
            const bool reached = (program->reach >> p->program->number & 1) != 0;
            if (p->mark == mark || !reached || !is_met(p->decl, mark)) continue;
            p->mark = mark;
            any = more = true;
            c->used_files |= (uint64_t)1 << p->program->number;
            mark_words(c, p->program->source, p->decl->span, mark);
        }
    }
    return any;
}

/* The needed names of one file, linked at *at; where the next one goes. */
static twc_decl **bring_from(twc_check *c, const twc_program *program, uint32_t first,
                             twc_decl **at)
{
    twc_program *copy = twc_parse(program->source, c->arena, c->words, c->diags);
    walk w = {.library = copy != NULL ? copy->contracts : NULL};
    twc_decl *next = next_public(&w);
    for (uint32_t i = first; next != NULL && i < c->public_count; i++) {
        twc_decl *decl = next;
        next = next_public(&w); /* before the link is changed */
        if (c->publics[i].mark != c->mark) continue;
        c->contract->broken |= decl->broken;
        decl->contract = c->contract;
        decl->library = true;
        decl->used = true;
        decl->next = NULL;
        *at = decl;
        at = &decl->next;
        c->contract->member_count++;
    }
    return at;
}

void twc_check_bring(twc_check *c, const twc_program *program)
{
    twc_decl *own = c->contract->members;
    twc_decl **at = &c->contract->members;
    if (program->reach == 0 || c->public_count == 0 || !find_needed(c, program)) return;
    const twc_program *before = NULL;
    uint32_t first = 0;
    for (uint32_t i = 0; i < c->public_count; i++) {
        const twc_public *p = &c->publics[i];
        if (i == 0 || p->program != c->publics[i - 1].program) first = i;
        if (p->mark != c->mark || p->program == before) continue;
        at = bring_from(c, p->program, first, at);
        before = p->program;
    }
    *at = own;
}

/* A library holds only what means the same everywhere. */
void twc_check_library(twc_check *c)
{
    const twc_contract *library = c->contract;
    const char *help = "a library has only record, enum, fn and test; the rest needs a contract";
    for (const twc_decl *d = library->members; d != NULL; d = d->next) {
        if (is_public(d) || d->kind == TWC_D_TEST || d->broken) continue;
        bool mention = false;
        twc_check_fail(c, TWC_DIAG_NOT_IN_LIBRARY, (twc_span){d->span.start, d->span.start + 1},
                       "a library can't have `%s`\n%s", twc_check_kind(d->kind, &mention), help);
    }
    if (library->phase_chains != NULL) {
        twc_check_fail(c, TWC_DIAG_NOT_IN_LIBRARY, library->phases_span,
                       "a library can't have `phases`\n%s", help);
    }
    if (library->twin.size > 0) {
        twc_check_fail(c, TWC_DIAG_NOT_IN_LIBRARY, library->name_span,
                       "a library can't have `twin`\n%s", help);
    }
}

void twc_check_unused_imports(twc_check *c)
{
    for (const twc_import *i = c->program->imports; i != NULL; i = i->next) {
        if (i->program == NULL) continue;
        const uint64_t files = i->program->reach | (uint64_t)1 << i->program->number;
        if ((files & c->used_files) != 0) continue;
        twc_check_fail(c, TWC_DIAG_UNUSED_IMPORT, i->span, "nothing of this import is used\n%s",
                       "remove it");
    }
}
