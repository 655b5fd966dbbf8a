/* parse_rule -- runs the rules of grammar.def, and the parts that have a shape of their own. */
#include "compiler/parse.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

typedef enum step_op {
#define STEP(name) STEP_##name,
#include "compiler/steps.def"
} step_op;

enum { NOWHERE = UINT16_MAX };

typedef struct step {
    step_op op;
    uint16_t what;          /* keyword, token or rule */
    uint16_t field, second; /* offsets into the object */
    uint16_t size;          /* of the field */
    uint32_t min, max;
    const char *text;
    void (*call)(twc_parser *p, void *object);
} step;

/* ------------------------------------------------------------------ lists */

/* field { "," field } with field = NAME ":" type, up to the closing token */
static uint32_t parse_fields(twc_parser *p, twc_token_kind close, twc_decl **at)
{
    uint32_t count = 0;
    do {
        twc_decl *field = twc_parse_decl(p, TWC_D_FIELD, p->token.span.start);
        field->doc = twc_parse_doc(p, p->token.doc);
        field->word = twc_parse_name(p, "a name", &field->name_span);
        twc_parse_expect(p, TWC_TOK_COLON, "`:` and a type");
        field->type_name = twc_parse_type(p);
        field->span = twc_parse_span(p, field->span.start);
        field->index = count++;
        *at = field;
        at = &field->next;
        if (count > TW_MEMBERS_MAX && !p->panic) {
            twc_diag_add(p->diags, TWC_DIAG_OVER_LIMIT, field->name_span,
                         "there are more than %d fields", TW_MEMBERS_MAX);
            p->panic = true;
        }
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    twc_parse_expect(p, close, close == TWC_TOK_PAREN_CLOSE ? "`,` or `)`" : "`,` or `}`");
    return count;
}

/* params = "(" [ field { "," field } ] ")" ; fields = "{" field { "," field } "}" */
static uint32_t parse_list(twc_parser *p, bool params, twc_decl **at)
{
    if (!twc_parse_expect(p, params ? TWC_TOK_PAREN_OPEN : TWC_TOK_BRACE_OPEN,
                          params ? "`(`" : "`{`")) {
        return 0;
    }
    if (params && twc_parse_accept(p, TWC_TOK_PAREN_CLOSE)) return 0;
    return parse_fields(p, params ? TWC_TOK_PAREN_CLOSE : TWC_TOK_BRACE_CLOSE, at);
}

/* ------------------------------------------------------------------ parts of members */

/* NAME { "," NAME } "}" of an enum, from its `{` on */
void twc_parse_values(twc_parser *p, void *object)
{
    twc_decl *decl = object;
    twc_decl **at = &decl->u.fields.fields;
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN, "`{`");
    do {
        twc_decl *value = twc_parse_decl(p, TWC_D_ENUM_VALUE, p->token.span.start);
        value->word = twc_parse_name(p, "a value's name", &value->name_span);
        value->index = decl->u.fields.count++;
        *at = value;
        at = &value->next;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
    twc_parse_expect(p, TWC_TOK_BRACE_CLOSE, "`,` or `}`");
    if (decl->u.fields.count > TW_NAMES_MAX) {
        twc_diag_add(p->diags, TWC_DIAG_OVER_LIMIT, decl->name_span,
                     "an enum has at most %d values", TW_NAMES_MAX);
    }
}

/* "raised" | "cleared" | "silent" "for" sum */
void twc_parse_edge(twc_parser *p, void *object)
{
    twc_decl *decl = object;
    if (twc_parse_accept_word(p, TWC_W_silent)) {
        decl->kind = TWC_D_SILENT;
        twc_parse_expect_word(p, TWC_W_for);
        decl->u.entry->delay = twc_parse_sum(p);
        return;
    }
    decl->kind = twc_parse_at_word(p, TWC_W_cleared) ? TWC_D_CLEARED : TWC_D_RAISED;
    if (!twc_parse_accept_word(p, TWC_W_raised) && !twc_parse_accept_word(p, TWC_W_cleared)) {
        twc_parse_expected(p, "`raised`, `cleared` or `silent for`");
    }
}

/* { needs } */
void twc_parse_conditions(twc_parser *p, void *object)
{
    twc_entry *entry = object;
    twc_stmt **at = &entry->needs;
    while (twc_parse_at_word(p, TWC_W_needs)) {
        *at = twc_parse_stmt(p);
        at = &(*at)->next;
    }
}

void twc_parse_body_start(twc_parser *p, void *object)
{
    (void)object;
    if (twc_parse_at(p, TWC_TOK_BRACE_OPEN)) return;
    twc_parse_expect(p, TWC_TOK_BRACE_OPEN,
                     "`{`, or in this order: by, with, signed by, in, needs, receives");
}

/* "dtdl" | "senml" */
void twc_parse_format(twc_parser *p, void *object)
{
    twc_decl *decl = object;
    decl->u.describe.senml = twc_parse_at_word(p, TWC_W_senml);
    if (!twc_parse_accept_word(p, TWC_W_dtdl)) twc_parse_expect_word(p, TWC_W_senml);
    decl->u.describe.id_span = p->token.span;
}

void twc_parse_grant_link(twc_parser *p, void *object)
{
    twc_stmt *stmt = object;
    if (p->panic) return;
    *p->grant = stmt;
    p->grant = &stmt->u.grant.next_grant;
}

/* ------------------------------------------------------------------ the rules */

#define AT(type, place) offsetof(type, place), NOWHERE, sizeof(((type *)NULL)->place)
static const step steps[] = {
#define RULE(name, type) {STEP_RULE, TWC_RULE_##name, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define KEY(word) {STEP_KEY, TWC_W_##word, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define SIGN(token, text) {STEP_SIGN, TWC_TOK_##token, NOWHERE, NOWHERE, 0, 0, 0, text, NULL},
#define NAME(type, place, span, text)                                                              \
    {STEP_NAME, 0, offsetof(type, place), offsetof(type, span), 0, 0, 0, text, NULL},
#define NAMED(type, place, text) {STEP_NAME, 0, AT(type, place), 0, 0, text, NULL},
#define STRING(type, place, text) {STEP_STRING, 0, AT(type, place), 0, 0, text, NULL},
#define QUANTITY(type, place, text) {STEP_QUANTITY, 0, AT(type, place), 0, 0, text, NULL},
#define COUNT(type, place, min, max, text) {STEP_COUNT, 0, AT(type, place), min, max, text, NULL},
#define PART(what, type, place) {STEP_##what, 0, AT(type, place), 0, 0, NULL, NULL},
#define LIST(type, place, item, rule)                                                              \
    {STEP_LIST,                                                                                    \
     TWC_RULE_##rule,                                                                              \
     offsetof(type, place),                                                                        \
     offsetof(item, next),                                                                         \
     sizeof(item),                                                                                 \
     0,                                                                                            \
     0,                                                                                            \
     NULL,                                                                                         \
     NULL},
#define PARAMS(type, place, count)                                                                 \
    {STEP_PARAMS, 0, offsetof(type, place), offsetof(type, count), 0, 0, 0, NULL, NULL},
#define FIELDS(type, place, count)                                                                 \
    {STEP_FIELDS, 0, offsetof(type, place), offsetof(type, count), 0, 0, 0, NULL, NULL},
#define SET(type, place, value) {STEP_SET, 0, AT(type, place), value, 0, NULL, NULL},
#define MAYBE(word) {STEP_MAYBE, TWC_W_##word, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define MAYBE_SIGN(token) {STEP_MAYBE_SIGN, TWC_TOK_##token, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define END {STEP_END, 0, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define INTO(type, place) {STEP_INTO, 0, AT(type, place), 0, 0, NULL, NULL},
#define LOCAL(type, place) {STEP_LOCAL, 0, AT(type, place), 0, 0, NULL, NULL},
#define BACK {STEP_BACK, 0, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
#define CALL(part) {STEP_CALL, 0, NOWHERE, NOWHERE, 0, 0, 0, NULL, twc_parse_##part},
#include "compiler/grammar.def"
    {STEP_RULE, TWC_RULE_COUNT, NOWHERE, NOWHERE, 0, 0, 0, NULL, NULL},
};

static void store(void *at, uint16_t size, uint32_t value)
{
    const uint8_t byte = (uint8_t)value;
    const uint64_t wide = value;
    assert(size == sizeof byte || size == sizeof value || size == sizeof wide);
    const void *from = size == sizeof byte    ? (const void *)&byte
                       : size == sizeof value ? (const void *)&value
                                              : (const void *)&wide;
    memcpy(at, from, size);
}

/* What is stored for a step that reads one thing: a pointer. */
static void *parse_part(twc_parser *p, const step *s)
{
    uint16_t count = 0;
    if (s->op == STEP_EXPR) return twc_parse_expr(p);
    if (s->op == STEP_SUM) return twc_parse_sum(p);
    if (s->op == STEP_POST) return twc_parse_post(p);
    if (s->op == STEP_TYPE) return twc_parse_type(p);
    if (s->op == STEP_ARGS) return twc_parse_args(p, &count);
    assert(s->op == STEP_QUANTITY);
    return twc_parse_quantity(p, s->text);
}

/* item { "," item }, linked by the pointer at `second` bytes into each. */
static void parse_items(twc_parser *p, const step *s, char *at)
{
    do {
        char *item = twc_parse_new(p, s->size);
        twc_parse_rule(p, (twc_rule)s->what, item);
        *(void **)(void *)at = item;
        at = item + s->second;
    } while (twc_parse_accept(p, TWC_TOK_COMMA));
}

static void run_step(twc_parser *p, const step *s, char *object)
{
    char *at = s->field != NOWHERE ? object + s->field : NULL;
    if (s->op == STEP_KEY) {
        twc_parse_expect_word(p, s->what);
    } else if (s->op == STEP_SIGN) {
        twc_parse_expect(p, (twc_token_kind)s->what, s->text);
    } else if (s->op == STEP_NAME) {
        twc_span *span = s->second != NOWHERE ? (twc_span *)(void *)(object + s->second) : NULL;
        *(twc_word **)(void *)at = twc_parse_name(p, s->text, span);
    } else if (s->op == STEP_STRING) {
        *(tw_bytes *)(void *)at = twc_parse_string(p, s->text);
    } else if (s->op == STEP_COUNT) {
        store(at, s->size, twc_parse_count(p, s->text, s->min, s->max));
    } else if (s->op == STEP_SET) {
        store(at, s->size, s->min);
    } else if (s->op == STEP_BLOCK) {
        *(twc_block *)(void *)at = twc_parse_block(p);
    } else if (s->op == STEP_PARAMS || s->op == STEP_FIELDS) {
        const uint32_t count = parse_list(p, s->op == STEP_PARAMS, (twc_decl **)(void *)at);
        memcpy(object + s->second, &count, sizeof count);
    } else if (s->op == STEP_LIST) {
        parse_items(p, s, at);
    } else if (s->op == STEP_CALL) {
        s->call(p, object);
    } else {
        *(void **)(void *)at = parse_part(p, s);
    }
}

void twc_parse_rule(twc_parser *p, twc_rule rule, void *object)
{
    const step *s = steps + p->rules[rule];
    char *into = object;
    twc_decl *local = NULL;
    assert(s->op == STEP_RULE && s->what == rule);
    for (s++; s->op != STEP_RULE && !p->panic; s++) {
        if (s->op == STEP_MAYBE || s->op == STEP_MAYBE_SIGN) {
            const bool there = s->op == STEP_MAYBE ? twc_parse_accept_word(p, s->what)
                                                   : twc_parse_accept(p, (twc_token_kind)s->what);
            while (!there && s->op != STEP_END) s++;
        } else if (s->op == STEP_INTO) {
            into = *(void **)(void *)((char *)object + s->field);
        } else if (s->op == STEP_LOCAL) {
            local = twc_parse_decl(p, TWC_D_LOCAL, p->before.start);
            *(void **)(void *)((char *)object + s->field) = local;
            into = (char *)local;
        } else if (s->op == STEP_BACK) {
            into = object;
        } else if (s->op != STEP_END) {
            run_step(p, s, into);
        }
    }
    if (local != NULL) local->span = twc_parse_span(p, local->span.start);
}

void twc_parse_find_rules(twc_parser *p)
{
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].op == STEP_RULE) p->rules[steps[i].what] = (uint16_t)i;
    }
}
