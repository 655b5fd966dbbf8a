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
#define TOKEN(name, sign) TWC_TOK_##name,
#include "compiler/tokens.def"
} twc_token_kind;

enum {
    TWC_W_NONE = 0,
#define WORD(spelling, hard, begins) TWC_W_##spelling,
#include "compiler/words.def"
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
/* How many letters must change, come or go to make one of the other (Levenshtein). */
uint32_t twc_word_distance(const char *a, const char *b);
bool twc_word_is_hard(const twc_word *word);

/* What a word of the grammar may begin, see words.def. */
typedef enum twc_begins {
    TWC_BEGINS_NOTHING,
    TWC_BEGINS_STATEMENT,
    TWC_BEGINS_NAMED,
    TWC_BEGINS_LINE,
    TWC_BEGINS_NAMED_LINE,
    TWC_BEGINS_TEXT,
} twc_begins;
twc_begins twc_word_begins(const twc_word *word);

/* Interns the words of the grammar, checks the characters and collects the names of money. False
 * when the source cannot be read on; then an error was added. */
bool twc_lexer_open(twc_lexer *lexer, const twc_source *source, twc_diags *diags, twc_words *words);
twc_token twc_lexer_next(twc_lexer *lexer);

#endif
