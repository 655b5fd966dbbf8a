/* parse -- tokens to the tree of ast.h, by the whole grammar of the language.
 *
 * LL(2), one function a rule. An error sets `panic`: from then on nothing is consumed and nothing
 * reported until a statement or member boundary is reached, so one slip gives one message. The
 * functions always return a node; after an error its contents are not to be relied on, which the
 * list of diagnostics says.
 *
 * twc_parse is for twc.c; the rest is shared by parse*.c.
 */
#ifndef TWC_PARSE_H
#define TWC_PARSE_H

#include "compiler/lex.h"

/* The program; NULL when there is nothing to check: not readable, or out of memory. Errors are in
 * `diags`. */
twc_program *twc_parse(const twc_source *source, tw_arena *arena, twc_words *words,
                       twc_diags *diags);

typedef enum twc_rule {
#define RULE(name, type) TWC_RULE_##name,
#include "compiler/grammar.def"
    TWC_RULE_COUNT
} twc_rule;

typedef struct twc_parser {
    twc_lexer lexer;
    tw_arena *arena;
    twc_diags *diags;
    twc_contract *contract;
    twc_decl **member; /* where the next member is linked */
    twc_stmt **grant;  /* where the next grant or revoke is linked */
    twc_token token, ahead;
    twc_span before;        /* the token consumed last */
    uint32_t depth;         /* of nested brackets, blocks, prefix operators */
    uint32_t braces;        /* open ones; a missing `{` counts where it should be */
    uint32_t strays;        /* of the lexer before this member */
    uint32_t matches;       /* open `match`es */
    uint32_t member_braces; /* of them around a member */
    uint32_t unclosed_at;   /* where a missing `}` was reported */
    twc_decl *member_last;
    twc_expr *number_last;
    bool panic;
    uint16_t rules[TWC_RULE_COUNT + 1]; /* where each begins in the table of steps */
    twc_expr lost[4]; /* what is returned without memory: large enough for any node */
} twc_parser;

/* Zeroed memory for a node. Without memory: scratch, the rest of the source is not read. */
void *twc_parse_new(twc_parser *p, size_t size);
#define TWC_NODE(p, type) ((type *)twc_parse_new((p), sizeof(type)))

void twc_parse_advance(twc_parser *p);
bool twc_parse_at(const twc_parser *p, twc_token_kind kind);
bool twc_parse_at_word(const twc_parser *p, uint16_t keyword);
bool twc_parse_ahead_word(const twc_parser *p, uint16_t keyword);
bool twc_parse_accept(twc_parser *p, twc_token_kind kind);
bool twc_parse_accept_word(twc_parser *p, uint16_t keyword);
bool twc_parse_expect(twc_parser *p, twc_token_kind kind, const char *what);
bool twc_parse_expect_word(twc_parser *p, uint16_t keyword);
/* A name; `what` says of what in the message. NULL after an error. */
twc_word *twc_parse_name(twc_parser *p, const char *what, twc_span *ret_span);
/* A whole number from min to max. */
uint32_t twc_parse_count(twc_parser *p, const char *what, uint32_t min, uint32_t max);
tw_bytes twc_parse_string(twc_parser *p, const char *what);
void twc_parse_expected(twc_parser *p, const char *what);
/* A word right behind a number that is no unit. */
void twc_parse_unknown_unit(twc_parser *p, twc_span span);
/* One level deeper, false after an error that says it is too deep. Pair with leave. */
bool twc_parse_enter(twc_parser *p);
void twc_parse_leave(twc_parser *p);
/* From `start` to the end of the token consumed last. */
twc_span twc_parse_span(const twc_parser *p, uint32_t start);
/* A member of a contract begins at this token. */
bool twc_parse_at_member(const twc_parser *p);
/* Says that the block opened at `open` is not closed; once for a place. */
void twc_parse_unclosed(twc_parser *p, twc_span open);
/* Skips a broken part of the block that stands `braces` deep: to the next one on a new line, to the
 * end of the block, or to where a missing `}` becomes plain. */
void twc_parse_recover(twc_parser *p, uint32_t braces, bool (*starts)(const twc_parser *p));

/* parse_expr.c */
twc_expr *twc_parse_expr(twc_parser *p);
twc_expr *twc_parse_sum(twc_parser *p);
twc_expr *twc_parse_post(twc_parser *p);
twc_arg *twc_parse_args(twc_parser *p, uint16_t *ret_count);
twc_type_name *twc_parse_type(twc_parser *p);
/* One number with its unit. */
twc_expr *twc_parse_quantity(twc_parser *p, const char *what);

/* parse_rule.c: fills the object by a rule of grammar.def; stops at the first error. */
void twc_parse_rule(twc_parser *p, twc_rule rule, void *object);
void twc_parse_find_rules(twc_parser *p);
/* The parts that rules call. */
#define CALL(part) void twc_parse_##part(twc_parser *p, void *object);
#include "compiler/grammar.def"

/* parse_stmt.c */
twc_block twc_parse_block(twc_parser *p);
twc_stmt *twc_parse_stmt(twc_parser *p);
/* The items of a block, from `{` to `}`, linked at `next` bytes into each. `starts`: an item may
 * begin here, `ends`: this can't belong to the block; `one` parses an item. */
typedef struct twc_items {
    size_t next;
    bool (*starts)(const twc_parser *p);
    bool (*ends)(const twc_parser *p);
    void *(*one)(twc_parser *p);
} twc_items;
void twc_parse_items(twc_parser *p, const twc_items *items, void **first);

/* parse_test.c */
void twc_parse_steps(twc_parser *p, twc_tstmt **ret_first);

/* parse_member.c */
/* member of a contract, appended to p->contract */
void twc_parse_member(twc_parser *p);
twc_decl *twc_parse_decl(twc_parser *p, twc_decl_kind kind, uint32_t start);
/* The text of `///` lines. NULL without. */
const char *twc_parse_doc(twc_parser *p, twc_span doc);

#endif
