/* lex -- see the header. Words hang in a trie over the bits of their hash, so that no choice of
 * names makes the search slow. */
#include "compiler/lex.h"

#include <assert.h>
#include <string.h>

typedef struct word_row {
    const char *text;
    bool hard;
    twc_begins begins;
} word_row;

static const word_row grammar_words[] = {
    {"", false, TWC_BEGINS_NOTHING},
#define WORD(spelling, hard, begins) {#spelling, hard, TWC_BEGINS_##begins},
#include "compiler/words.def"
};

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const uint8_t *text, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ text[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

twc_word *twc_word_of(twc_words *words, const void *text, size_t size)
{
    uint64_t hash = hash_of(text, size);
    twc_word **at = &words->root;
    for (; *at != NULL; hash >>= 1) {
        twc_word *word = *at;
        if (word->size == size && (size == 0 || memcmp(word->text, text, size) == 0)) return word;
        at = &word->next[hash & 1];
    }
    twc_word *word = TW_NEW(words->arena, twc_word);
    if (word == NULL) return NULL;
    word->text = tw_arena_copy(words->arena, text, size);
    word->size = (uint32_t)size;
    if (word->text == NULL) return NULL;
    *at = word;
    return word;
}

uint32_t twc_word_distance(const char *a, const char *b)
{
    uint32_t row[TW_NAME_SIZE_MAX + 1];
    const size_t size = strlen(b) < TW_NAME_SIZE_MAX ? strlen(b) : TW_NAME_SIZE_MAX;
    for (uint32_t j = 0; j <= size; j++) row[j] = j;
    for (uint32_t i = 1; a[i - 1] != '\0'; i++) {
        uint32_t corner = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= size; j++) {
            const uint32_t change = corner + ((a[i - 1] | 0x20) != (b[j - 1] | 0x20));
            const uint32_t less = row[j - 1] < row[j] ? row[j - 1] : row[j];
            corner = row[j];
            row[j] = change < less + 1 ? change : less + 1;
        }
    }
    return row[size];
}

bool twc_word_is_hard(const twc_word *word)
{
    return grammar_words[word->keyword].hard;
}

twc_begins twc_word_begins(const twc_word *word)
{
    return grammar_words[word->keyword].begins;
}

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static uint8_t peek(const twc_lexer *lexer, uint32_t ahead)
{
    const size_t at = (size_t)lexer->at + ahead;
    return at < lexer->source->text.size ? lexer->source->text.data[at] : 0;
}

static bool at_end(const twc_lexer *lexer)
{
    return lexer->at >= lexer->source->text.size;
}

/* The first line of `text` is the message, a second one the help. */
static void refuse(twc_lexer *lexer, twc_code code, twc_span span, const char *text)
{
    if (!lexer->silent) twc_diag_add(lexer->diags, code, span, "%s", text);
}

/* ------------------------------------------------------------------ numbers */

/* `mm/sec`, `km/h`, `°F`, `kmh`: what somebody meant as a unit. */
static uint32_t unit_like(const twc_lexer *lexer)
{
    uint32_t size = 0;
    for (;;) {
        const uint8_t c = peek(lexer, size);
        const uint8_t after = peek(lexer, size + 1);
        const bool slash = c == '/' && size > 0 && (is_letter(after) || after >= 0x80);
        if (!is_letter(c) && !is_digit(c) && c != '%' && c < 0x80 && !slash) return size;
        size++;
    }
}

static void unknown_unit(twc_lexer *lexer, uint32_t size)
{
    if (lexer->silent) return;
    char spelling[40];
    const uint32_t shown = size < sizeof spelling - 1 ? size : (uint32_t)sizeof spelling - 1;
    memcpy(spelling, lexer->source->text.data + lexer->at, shown);
    spelling[shown] = '\0';
    const twc_span span = {lexer->at, lexer->at + size};
    const char *why = NULL;
    const char *instead = NULL;
    if (tw_unit_refused(tw_bytes_of(spelling, shown), &why, &instead)) {
        twc_diag_add(lexer->diags, TWC_DIAG_REFUSED_UNIT, span,
                     "`%s` can't be used as a unit: %s\nwrite the value in %s", spelling, why,
                     instead);
        return;
    }
    const tw_unit *unit = tw_unit_at(0);
    for (uint32_t i = 1; unit != NULL; unit = tw_unit_at(i++)) {
        if (strlen(unit->spelling) > 2 && twc_word_distance(unit->spelling, spelling) <= 2) break;
    }
    twc_diag_add(lexer->diags, TWC_DIAG_UNKNOWN_UNIT, span, "`%s` is not a unit\n%s%s%s", spelling,
                 unit != NULL ? "did you mean `"
                              : "`twc explain E0104` lists the units; to divide, ",
                 unit != NULL ? unit->spelling : "put spaces around `/", unit != NULL ? "`?" : "`");
}

/* The unit behind a number, when one stands there on the same line. */
static void lex_unit(twc_lexer *lexer, twc_token *token)
{
    const uint32_t before = lexer->at;
    while (peek(lexer, 0) == ' ' || peek(lexer, 0) == '\t') lexer->at++;
    const uint32_t like = unit_like(lexer);
    if (like == 0) {
        lexer->at = before;
        return;
    }
    const uint8_t *text = lexer->source->text.data + lexer->at;
    uint32_t size = 0;
    const tw_unit *unit = tw_unit_match(tw_bytes_of(text, like), &size);
    const twc_word *word = NULL;
    if (unit == NULL) {
        while (size < like && (is_letter(text[size]) || is_digit(text[size]))) size++;
        if (size == like) word = twc_word_of(lexer->words, text, size);
    }
    const char *why = NULL;
    if (unit != NULL && size == like) {
        token->unit = unit;
    } else if (word != NULL && word->money) {
        token->money = twc_word_of(lexer->words, text, size);
    } else if (word == NULL || (word->keyword == TWC_W_NONE &&
                                tw_unit_refused(tw_bytes_of(text, like), &why, &why))) {
        unknown_unit(lexer, like);
    } else {
        lexer->at = before; /* an ordinary word: the parser knows whether it may stand here */
        lexer->number_last = true;
        return;
    }
    token->kind = TWC_TOK_QUANTITY;
    lexer->at += like;
    token->span.end = lexer->at;
}

static void lex_number(twc_lexer *lexer, twc_token *token)
{
    const uint32_t start = lexer->at;
    token->kind = TWC_TOK_INT;
    while (is_digit(peek(lexer, 0)) || peek(lexer, 0) == '_') lexer->at++;
    if (peek(lexer, 0) == '.' && is_digit(peek(lexer, 1))) {
        token->kind = TWC_TOK_DEC;
        lexer->at++;
        while (is_digit(peek(lexer, 0)) || peek(lexer, 0) == '_') lexer->at++;
    }
    token->span.end = lexer->at;
    const tw_bytes text = tw_bytes_of(lexer->source->text.data + start, lexer->at - start);
    if (!tw_decimal_parse(text, &token->decimal)) {
        bool separators = text.data[text.size - 1] == '_';
        for (size_t i = 1; i < text.size; i++) {
            separators |= text.data[i - 1] == '_' && !is_digit(text.data[i]);
            separators |= text.data[i] == '_' && !is_digit(text.data[i - 1]);
        }
        refuse(lexer, separators ? TWC_DIAG_BAD_NUMBER : TWC_DIAG_NUMBER_TOO_LARGE, token->span,
               separators ? "`_` may only stand between two digits\nwrite 12_500 or 12500"
                          : "the number is too long\na number has at most 19 digits");
        token->decimal = (tw_decimal){0};
        token->bad = true;
    }
    lex_unit(lexer, token);
}

/* ------------------------------------------------------------------ strings */

/* `"..."` on one line; `\"` and `\\` stand for a quote and a backslash. */
static void lex_string(twc_lexer *lexer, twc_token *token)
{
    const uint8_t *data = lexer->source->text.data;
    const uint32_t start = ++lexer->at;
    uint32_t escapes = 0;
    token->kind = TWC_TOK_STRING;
    while (!at_end(lexer) && data[lexer->at] != '"' && data[lexer->at] != '\n') {
        if (data[lexer->at] == '\\') {
            const uint8_t next = peek(lexer, 1);
            if (next != '"' && next != '\\') {
                refuse(lexer, TWC_DIAG_BAD_ESCAPE, (twc_span){lexer->at, lexer->at + 1},
                       "a backslash in a text stands before `\"` or another backslash\nwrite \\\\ "
                       "for one backslash");
            } else {
                lexer->at++;
            }
            escapes++;
        }
        lexer->at++;
    }
    const uint32_t end = lexer->at;
    if (peek(lexer, 0) != '"') {
        refuse(lexer, TWC_DIAG_OPEN_STRING, (twc_span){start - 1, end},
               "the text does not end on its line\nclose it with `\"`");
        token->bad = true;
    } else {
        lexer->at++;
    }
    token->span.end = lexer->at;
    token->text = tw_bytes_of(data + start, end - start);
    if (lexer->silent) return;
    if (!tw_utf8_is_clean(token->text)) {
        refuse(lexer, TWC_DIAG_HIDDEN_CHARACTER, token->span, "a tab can't stand in a text");
    }
    uint8_t *copy = escapes > 0 ? tw_arena_get(lexer->words->arena, end - start) : NULL;
    if (copy == NULL) return;
    size_t size = 0;
    for (uint32_t i = start; i < end; i++) {
        if (data[i] == '\\' && i + 1 < end) i++;
        copy[size++] = data[i];
    }
    token->text = tw_bytes_of(copy, size);
}

/* ------------------------------------------------------------------ the rest */

static const char signs[][3] = {
#define TOKEN(name, sign) sign,
#include "compiler/tokens.def"
};

static bool lex_mark(twc_lexer *lexer, twc_token *token)
{
    for (size_t i = TWC_TOK_ARROW; i < sizeof signs / sizeof signs[0]; i++) {
        const char *text = signs[i];
        if (peek(lexer, 0) != (uint8_t)text[0]) continue;
        if (text[1] != '\0' && peek(lexer, 1) != (uint8_t)text[1]) continue;
        lexer->at += text[1] != '\0' ? 2 : 1;
        token->kind = (twc_token_kind)i;
        token->span.end = lexer->at;
        return true;
    }
    return false;
}

static void lex_word(twc_lexer *lexer, twc_token *token)
{
    const uint32_t start = lexer->at;
    bool foreign = false;
    while (is_letter(peek(lexer, 0)) || is_digit(peek(lexer, 0)) || peek(lexer, 0) >= 0x80) {
        foreign |= peek(lexer, 0) >= 0x80;
        lexer->at++;
    }
    token->kind = TWC_TOK_WORD;
    token->span.end = lexer->at;
    if (foreign) {
        refuse(lexer, TWC_DIAG_STRAY_CHARACTER, token->span,
               "a name has only plain letters\nnames are made of the letters a-z, A-Z, digits and "
               "`_`");
    }
    size_t size = lexer->at - start;
    if (size > TW_NAME_SIZE_MAX) {
        refuse(lexer, TWC_DIAG_NAME_TOO_LONG, token->span, "a name has at most 64 letters");
        size = TW_NAME_SIZE_MAX;
    }
    token->word = twc_word_of(lexer->words, lexer->source->text.data + start, size);
    if (token->word == NULL) {
        token->kind = TWC_TOK_END;
        lexer->at = (uint32_t)lexer->source->text.size;
    }
}

/* Blanks and comments; remembers `///` lines and whether a line was ended. */
static void skip_blanks(twc_lexer *lexer, twc_token *token)
{
    const uint8_t *data = lexer->source->text.data;
    const uint32_t start = lexer->source->start;
    token->first_on_line =
        lexer->at == start || (lexer->at == start + 3 && data[start] == 0xEF /* the mark */);
    while (!at_end(lexer)) {
        const uint8_t c = data[lexer->at];
        if (c == '\n') {
            token->first_on_line = true;
            lexer->number_last = false;
        } else if (c == '/' && peek(lexer, 1) == '/') {
            const uint32_t comment = lexer->at;
            while (!at_end(lexer) && data[lexer->at] != '\n') lexer->at++;
            const bool is_doc = lexer->at - comment > 2 && data[comment + 2] == '/';
            if (is_doc && token->doc.end == 0) token->doc.start = comment;
            if (is_doc) token->doc.end = lexer->at;
            continue;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return;
        }
        lexer->at++;
    }
}

/* Something that no token begins with; a unit without its number becomes a token. */
static bool lex_stray(twc_lexer *lexer, twc_token *token)
{
    const uint8_t c = peek(lexer, 0);
    uint32_t character = 0;
    uint32_t size = tw_utf8_next(lexer->source->text, lexer->at, &character);
    const tw_bytes rest =
        tw_bytes_of(lexer->source->text.data + lexer->at, lexer->source->text.size - lexer->at);
    const tw_unit *unit = tw_unit_match(rest, &size);
    const twc_span span = {lexer->at, lexer->at + (size > 0 ? size : 1)};
    if (unit == NULL && c >= 0x80) {
        lex_word(lexer, token);
        return true;
    }
    const char *help = c == '\''              ? "texts stand in double quotes"
                       : c == ';'             ? "statements need no `;`: a new line is enough"
                       : c == '!'             ? "write `not`"
                       : c == '&' || c == '|' ? "write `and` or `or`"
                                              : "";
    lexer->at = span.end;
    if (unit == NULL) {
        lexer->strays++;
        if (!lexer->silent) {
            twc_diag_add(lexer->diags, TWC_DIAG_STRAY_CHARACTER, span,
                         "this character has no meaning here\n%s", help);
        }
        return false;
    }
    refuse(lexer, TWC_DIAG_UNIT_ALONE, span, "a unit needs a number before it");
    token->kind = TWC_TOK_QUANTITY;
    token->span = span;
    return true;
}

twc_token twc_lexer_next(twc_lexer *lexer)
{
    twc_token token = {.kind = TWC_TOK_END};
    for (;;) {
        const bool first = token.first_on_line;
        skip_blanks(lexer, &token);
        token.first_on_line |= first;
        token.span = (twc_span){lexer->at, lexer->at};
        token.after_number = lexer->number_last;
        lexer->number_last = false;
        if (at_end(lexer)) return token;
        const uint8_t c = peek(lexer, 0);
        if (is_letter(c)) {
            lex_word(lexer, &token);
            return token;
        }
        if (is_digit(c)) {
            lex_number(lexer, &token);
            return token;
        }
        if (c == '"') {
            lex_string(lexer, &token);
            return token;
        }
        if (lex_mark(lexer, &token)) return token;
        if (lex_stray(lexer, &token)) return token;
    }
}

/* ------------------------------------------------------------------ first run */

static bool check_characters(twc_lexer *lexer)
{
    const tw_bytes text = lexer->source->text;
    bool clean = true;
    for (uint32_t at = lexer->source->start; at < text.size;) {
        uint32_t c = 0;
        const uint32_t size = tw_utf8_next(text, at, &c);
        const twc_span span = {at, at + (size > 0 ? size : 1)};
        if (size == 0) {
            refuse(lexer, TWC_DIAG_NOT_UTF8, span,
                   "the file is not valid UTF-8 from here on\nsave it as UTF-8");
            return false;
        }
        at += size;
        if (c == '\n' || c == '\t' || (c == '\r' && at < text.size && text.data[at] == '\n')) {
            continue;
        }
        if (tw_utf8_is_clean(tw_bytes_of(text.data + span.start, size))) continue;
        if (c == 0xFEFF && span.start == lexer->source->start) continue;
        twc_diag_add(lexer->diags, TWC_DIAG_HIDDEN_CHARACTER, span,
                     "the character U+%04X is not allowed: it is not visible\nremove it",
                     (unsigned)c);
        clean = false;
    }
    return clean;
}

bool twc_lexer_open(twc_lexer *lexer, const twc_source *source, twc_diags *diags, twc_words *words)
{
    *lexer = (twc_lexer){.source = source, .diags = diags, .words = words};
    if (source->text.size > TWC_SOURCE_MAX) {
        refuse(lexer, TWC_DIAG_SOURCE_TOO_LARGE, (twc_span){0, 0},
               "a source file has at most 1 MiB\nmove parts into a module and import it");
        return false;
    }
    if (!check_characters(lexer)) return false;
    for (uint16_t i = 1; i < TWC_W_COUNT; i++) {
        twc_word *word = twc_word_of(words, grammar_words[i].text, strlen(grammar_words[i].text));
        if (word == NULL) return false;
        word->keyword = i;
    }
    lexer->silent = true;
    const tw_bytes text = source->text;
    uint32_t start = source->start;
    if (text.size >= start + 3 && memcmp(text.data + start, "\xEF\xBB\xBF", 3) == 0) start += 3;
    lexer->at = start;
    twc_token before = {.kind = TWC_TOK_END};
    for (;;) {
        twc_token token = twc_lexer_next(lexer);
        if (token.kind == TWC_TOK_END) break;
        const uint16_t keyword = before.kind == TWC_TOK_WORD ? before.word->keyword : 0;
        if (token.kind == TWC_TOK_WORD && token.word->keyword == TWC_W_NONE) {
            token.word->money |= keyword == TWC_W_currency || keyword == TWC_W_token;
        }
        before = token;
    }
    *lexer = (twc_lexer){.source = source, .diags = diags, .words = words, .at = start};
    return !tw_arena_failed(words->arena);
}
