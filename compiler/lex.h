/* lex -- bytes of a source to tokens, one at a time.
 *
 * Called by the parser. A first run over the whole source checks that it is UTF-8 without control
 * or bidirectional characters and collects the names of currencies and tokens, because they make
 * quantities of the numbers before them. Memory: the spellings and string literals only.
 */
#ifndef TWC_LEX_H
#define TWC_LEX_H

#include "compiler/diag.h"

typedef enum twc_token_kind {
    TWC_TOK_END,
    TWC_TOK_WORD,     /* word */
    TWC_TOK_INT,      /* decimal */
    TWC_TOK_DEC,      /* decimal */
    TWC_TOK_QUANTITY, /* decimal, and unit or money; neither after a reported error */
    TWC_TOK_STRING,   /* text */
    TWC_TOK_BRACE_OPEN,
    TWC_TOK_BRACE_CLOSE,
    TWC_TOK_PAREN_OPEN,
    TWC_TOK_PAREN_CLOSE,
    TWC_TOK_BRACKET_OPEN,
    TWC_TOK_BRACKET_CLOSE,
    TWC_TOK_COMMA,
    TWC_TOK_COLON,
    TWC_TOK_QUESTION,
    TWC_TOK_DOT,
    TWC_TOK_DOTS,
    TWC_TOK_ARROW,
    TWC_TOK_ASSIGN,
    TWC_TOK_ADD_ASSIGN,
    TWC_TOK_SUB_ASSIGN,
    TWC_TOK_EQ,
    TWC_TOK_NE,
    TWC_TOK_LT,
    TWC_TOK_LE,
    TWC_TOK_GT,
    TWC_TOK_GE,
    TWC_TOK_ADD,
    TWC_TOK_SUB,
    TWC_TOK_MUL,
    TWC_TOK_DIV,
} twc_token_kind;

enum {
    TWC_W_NONE = 0,
#define WORD(spelling, hard) TWC_W_##spelling,
#include "compiler/words.def"
#undef WORD
    TWC_W_COUNT
};

typedef struct twc_token {
    twc_token_kind kind;
    bool first_on_line;
    bool bad;          /* something in it was reported */
    bool after_number; /* a word right behind a number that has no unit */
    twc_span span;
    twc_span doc; /* of the `///` lines before it; start == end without */
    twc_word *word;
    tw_decimal decimal;
    const tw_unit *unit;
    twc_word *money;
    tw_bytes text;
} twc_token;

typedef struct twc_words {
    tw_arena *arena;
    twc_word *root;
} twc_words;

typedef struct twc_lexer {
    const twc_source *source;
    twc_diags *diags;
    twc_words *words;
    uint32_t at;
    bool silent;      /* first run: no messages */
    uint32_t strays;  /* characters without meaning so far */
    bool number_last; /* the token before was a number without a unit, on this line */
} twc_lexer;

/* The word spelt so; made when it is new. NULL without memory. */
twc_word *twc_word_of(twc_words *words, const void *text, size_t size);
bool twc_word_is_hard(const twc_word *word);

/* Interns the words of the grammar, checks the characters and collects the names of money. False
 * when the source cannot be read on; then an error was added. */
bool twc_lexer_open(twc_lexer *lexer, const twc_source *source, twc_diags *diags, twc_words *words);
twc_token twc_lexer_next(twc_lexer *lexer);

#endif
