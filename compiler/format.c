/* format -- see the header. The source is cut into lines of tokens with the comment behind them; a
 * line's indent follows from the brackets that are open at its start and from whether it goes on
 * with what the line before began. The columns of neighbouring params, and of neighbouring comments
 * behind code, are padded to the widest.
 */
#include "compiler/format.h"

#include <string.h>

enum { INDENT = 2, DEPTH_MAX = 1024, CELLS = 4, COMMENT_GAP = 2 };

typedef struct line {
    twc_token *tokens;
    uint32_t count;
    twc_span comment; /* start == end: none */
    bool blank_before;
    uint32_t indent;
    uint32_t cells[CELLS]; /* of a param: width up to `:`, to `=`, to `in`; else 0 */
    uint32_t width;        /* of the code, padding included */
} line;

typedef struct bracket {
    twc_token_kind kind;
    bool fields; /* braces around fields or values: what is inside begins no statement */
    uint32_t indent;
} bracket;

typedef struct layout {
    const twc_source *source;
    twc_words *words;
    tw_writer *w;
    line *lines;
    uint32_t line_count;
    bracket open[DEPTH_MAX];
    uint32_t depth;
    twc_token before;      /* the last token of the line before; END at the start */
    uint16_t member;       /* the word that began the member or statement at hand */
    uint32_t member_depth; /* brackets open when it began */
} layout;

static uint16_t keyword_of(const twc_token *t)
{
    return t->kind == TWC_TOK_WORD ? t->word->keyword : TWC_W_NONE;
}

/* ------------------------------------------------------------------ lines */

static uint8_t byte_at(const layout *l, uint32_t at)
{
    return at < l->source->text.size ? l->source->text.data[at] : 0;
}

/* How many line breaks stand in [from, to). */
static uint32_t breaks(const layout *l, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t at = from; at < to; at++) count += byte_at(l, at) == '\n';
    return count;
}

static line *add_line(layout *l, uint32_t breaks_before)
{
    line *made = &l->lines[l->line_count++];
    *made = (line){.blank_before = breaks_before > 1 && l->line_count > 1};
    return made;
}

/* The comment that begins in [from, to), without the white space at its end. */
static bool find_comment(const layout *l, uint32_t from, uint32_t to, twc_span *ret_comment)
{
    for (uint32_t at = from; at + 1 < to; at++) {
        if (byte_at(l, at) != '/' || byte_at(l, at + 1) != '/') continue;
        uint32_t end = at;
        while (end < to && byte_at(l, end) != '\n') end++;
        while (end > at && (byte_at(l, end - 1) == ' ' || byte_at(l, end - 1) == '\t' ||
                            byte_at(l, end - 1) == '\r')) {
            end--;
        }
        *ret_comment = (twc_span){at, end};
        return true;
    }
    return false;
}

/* Comments between two tokens: the first one may stand behind the line before, the others are lines
 * of their own. *ret_breaks: line breaks behind the last one. */
static void take_gap(layout *l, uint32_t from, uint32_t to, uint32_t *ret_breaks)
{
    twc_span comment = {0, 0};
    uint32_t at = from;
    while (find_comment(l, at, to, &comment)) {
        const uint32_t before = breaks(l, at, comment.start);
        if (before == 0 && at == from && l->line_count > 0) {
            l->lines[l->line_count - 1].comment = comment;
        } else {
            add_line(l, before)->comment = comment;
        }
        at = comment.end;
    }
    *ret_breaks = breaks(l, at, to);
}

/* Tokens are counted first: a line has a part of one array. */
static bool split(layout *l)
{
    const tw_bytes text = l->source->text;
    twc_diags silent = {.arena = l->words->arena, .source = l->source};
    twc_lexer lexer;
    uint32_t count = 0;
    if (!twc_lexer_open(&lexer, l->source, &silent, l->words)) return false;
    const uint32_t start = lexer.at;
    while (twc_lexer_next(&lexer).kind != TWC_TOK_END) count++;
    twc_token *tokens = TW_NEW_ARRAY(l->words->arena, twc_token, count + 1);
    l->lines = TW_NEW_ARRAY(l->words->arena, line, breaks(l, 0, (uint32_t)text.size) + 2);
    if (tokens == NULL || l->lines == NULL) return false;
    if (!twc_lexer_open(&lexer, l->source, &silent, l->words)) return false;
    uint32_t end = start;
    line *current = NULL;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t lines = 0;
        tokens[i] = twc_lexer_next(&lexer);
        const uint32_t comments = l->line_count;
        take_gap(l, end, tokens[i].span.start, &lines);
        if (current == NULL || lines > 0 || l->line_count != comments) {
            current = add_line(l, lines);
            current->tokens = &tokens[i];
        }
        current->count++;
        end = tokens[i].span.end;
    }
    uint32_t lines = 0;
    take_gap(l, end, (uint32_t)text.size, &lines);
    return true;
}

/* ------------------------------------------------------------------ between two tokens */

/* A `-` behind this belongs to what follows it. */
static bool wants_operand(const twc_token *t)
{
    static const twc_token_kind values[] = {
        TWC_TOK_INT,         TWC_TOK_DEC,           TWC_TOK_QUANTITY,    TWC_TOK_STRING,
        TWC_TOK_PAREN_CLOSE, TWC_TOK_BRACKET_CLOSE, TWC_TOK_BRACE_CLOSE, TWC_TOK_QUESTION,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (t->kind == values[i]) return false;
    }
    const uint16_t k = keyword_of(t);
    return t->kind != TWC_TOK_WORD ||
           (k != TWC_W_NONE && k != TWC_W_yes && k != TWC_W_no && k != TWC_W_none);
}

/* `name(`: a call or a list of fields. Words of the grammar stand apart: `if (`. */
static bool calls(const twc_token *t)
{
    if (t->kind == TWC_TOK_PAREN_CLOSE || t->kind == TWC_TOK_BRACKET_CLOSE) return true;
    if (t->kind != TWC_TOK_WORD) return false;
    return !twc_word_is_hard(t->word) && (t->span.end > t->span.start);
}

static bool is_closer(twc_token_kind kind)
{
    return kind == TWC_TOK_PAREN_CLOSE || kind == TWC_TOK_BRACKET_CLOSE;
}

/* `name : T` of these members; elsewhere the colon hangs on the name. */
static bool colon_stands_apart(const layout *l)
{
    const uint16_t m = l->member;
    return l->depth == l->member_depth &&
           (m == TWC_W_param || m == TWC_W_reading || m == TWC_W_var || m == TWC_W_map ||
            m == TWC_W_registry || m == TWC_W_purse);
}

static bool space_between(const layout *l, const twc_token *before, const twc_token *a,
                          const twc_token *b)
{
    const uint16_t word = keyword_of(a);
    if (a->kind == TWC_TOK_PAREN_OPEN || a->kind == TWC_TOK_BRACKET_OPEN ||
        a->kind == TWC_TOK_DOT || b->kind == TWC_TOK_DOT || b->kind == TWC_TOK_COMMA ||
        b->kind == TWC_TOK_QUESTION || is_closer(b->kind)) {
        return false;
    }
    if (a->kind == TWC_TOK_BRACE_OPEN && b->kind == TWC_TOK_BRACE_CLOSE) {
        return b->span.start > a->span.end; /* `{}` and `{ }` are the author's */
    }
    if (b->kind == TWC_TOK_COLON) return colon_stands_apart(l);
    if (b->kind == TWC_TOK_PAREN_OPEN) {
        return !calls(a) || (word != TWC_W_NONE && b->span.start > a->span.end);
    }
    if (b->kind == TWC_TOK_BRACKET_OPEN) {
        return !calls(a) || (word != TWC_W_NONE && b->span.start > a->span.end);
    }
    if (a->kind == TWC_TOK_SUB) { /* behind a name both may be meant: `feed heat -10 °C` */
        const bool hangs = b->span.start == a->span.end;
        const bool apart = before == NULL || a->span.start > before->span.end;
        return before == NULL || !(wants_operand(before) || (hangs && apart));
    }
    return true;
}

/* ------------------------------------------------------------------ indents */

/* Words that go on with what the line before began. */
static const uint16_t going_on[] = {
    TWC_W_and,    TWC_W_or,   TWC_W_not,      TWC_W_implies, TWC_W_then,  TWC_W_otherwise,
    TWC_W_in,     TWC_W_by,   TWC_W_with,     TWC_W_signed,  TWC_W_range, TWC_W_receives,
    TWC_W_rate,   TWC_W_keep, TWC_W_max_age,  TWC_W_gap,     TWC_W_raise, TWC_W_clear,
    TWC_W_falls,  TWC_W_to,   TWC_W_from,     TWC_W_into,    TWC_W_of,    TWC_W_over,
    TWC_W_supply, TWC_W_is,   TWC_W_decimals, TWC_W_per,
};

/* Whether a line that begins so starts a statement, a member or an arm, rather than going on. */
static bool begins(const layout *l, const line *n)
{
    const twc_token *t = n->tokens;
    const uint16_t k = keyword_of(t);
    if (t->kind == TWC_TOK_BRACE_OPEN || t->kind == TWC_TOK_BRACE_CLOSE) return true;
    if (t->kind != TWC_TOK_WORD) return false;
    if (k == TWC_W_else) return l->before.kind == TWC_TOK_BRACE_CLOSE;
    if (k == TWC_W_for) return n->count > 1 && keyword_of(&t[1]) == TWC_W_each;
    if (k == TWC_W_needs) return l->depth > 1;
    for (size_t i = 0; i < sizeof going_on / sizeof going_on[0]; i++) {
        if (going_on[i] == k) return false;
    }
    return !wants_operand(&l->before) || l->before.kind == TWC_TOK_BRACE_OPEN ||
           l->before.kind == TWC_TOK_END || twc_word_begins(t->word) != TWC_BEGINS_NOTHING;
}

static uint32_t indent_of(layout *l, const line *n)
{
    const twc_token *t = n->tokens;
    if (n->count == 0 && l->depth == 0) return 0;
    if (n->count == 0) return l->open[l->depth - 1].indent + INDENT;
    if (l->depth > 0 && (t->kind == TWC_TOK_BRACE_CLOSE || is_closer(t->kind))) {
        return l->open[l->depth - 1].indent;
    }
    const uint32_t base = l->depth > 0 ? l->open[l->depth - 1].indent + INDENT : 0;
    const bool inside = l->depth > 0 && (l->open[l->depth - 1].kind != TWC_TOK_BRACE_OPEN ||
                                         l->open[l->depth - 1].fields);
    if (inside) return base;
    if (begins(l, n)) {
        l->member = keyword_of(t);
        l->member_depth = l->depth;
        return base;
    }
    const bool answer = keyword_of(t) == TWC_W_else;
    return base + (answer && l->depth <= 1 ? 2 * INDENT : INDENT);
}

/* What the line's own brackets do to those that are open. */
static void follow(layout *l, const line *n)
{
    for (uint32_t i = 0; i < n->count; i++) {
        const twc_token *t = &n->tokens[i];
        const bool opens = t->kind == TWC_TOK_BRACE_OPEN || t->kind == TWC_TOK_PAREN_OPEN ||
                           t->kind == TWC_TOK_BRACKET_OPEN;
        const bool closes = t->kind == TWC_TOK_BRACE_CLOSE || is_closer(t->kind);
        if (opens && l->depth < DEPTH_MAX) {
            const bool fields =
                l->member == TWC_W_record || l->member == TWC_W_asset || l->member == TWC_W_enum;
            /* a block hangs on its statement, whose last line may be indented further */
            uint32_t indent = n->indent;
            if (t->kind == TWC_TOK_BRACE_OPEN && l->depth == l->member_depth) {
                indent = l->depth > 0 ? l->open[l->depth - 1].indent + INDENT : 0;
            }
            l->open[l->depth++] = (bracket){t->kind, fields, indent};
        } else if (closes && l->depth > 0) {
            l->depth--;
        }
    }
    if (n->count > 0) l->before = n->tokens[n->count - 1];
}

/* ------------------------------------------------------------------ columns */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* A token as it is written, runs of white space inside (of a quantity) as one; writes it unless
 * `w` is NULL. Returns its width. */
static uint32_t token_text(const layout *l, const twc_token *t, tw_writer *w)
{
    uint32_t width = 0;
    for (uint32_t at = t->span.start; at < t->span.end; at++) {
        const uint8_t c = byte_at(l, at);
        const bool squeeze = t->kind == TWC_TOK_QUANTITY && is_blank(c);
        if (squeeze && is_blank(byte_at(l, at + 1))) continue;
        if (w != NULL) tw_write_u8(w, squeeze ? ' ' : c);
        width += (c & 0xC0) != 0x80;
    }
    return width;
}

/* The cell that a token of a param begins: 1 at `:`, 2 at `=`, 3 at `in`; else 0. */
static uint32_t cell_at(const twc_token *t)
{
    if (t->kind == TWC_TOK_COLON) return 1;
    if (t->kind == TWC_TOK_ASSIGN) return 2;
    return keyword_of(t) == TWC_W_in ? 3 : 0;
}

/* Writes the code of a line, or only measures it (w NULL). `pads` are the widths of the cells. */
static uint32_t line_code(layout *l, const line *n, const uint32_t *pads, uint32_t *ret_cells,
                          tw_writer *w)
{
    const bool param = n->count > 0 && keyword_of(n->tokens) == TWC_W_param;
    uint32_t width = 0;
    uint32_t cell = 0;
    uint32_t cell_start = 0;
    for (uint32_t i = 0; i < n->count; i++) {
        const twc_token *t = &n->tokens[i];
        const uint32_t next = param ? cell_at(t) : 0;
        uint32_t gap = i > 0 && space_between(l, i > 1 ? t - 2 : &l->before, t - 1, t) ? 1 : 0;
        if (next == cell + 1) {
            if (ret_cells != NULL) ret_cells[cell] = width - cell_start;
            if (pads != NULL && pads[cell] > width - cell_start) {
                gap += pads[cell] - (width - cell_start);
            }
            cell = next;
            cell_start = width + gap;
        }
        for (uint32_t k = 0; k < gap && w != NULL; k++) tw_write_u8(w, ' ');
        width += gap + token_text(l, t, w);
    }
    return width;
}

/* Lines from `first` on that stand together and for which `same` holds. */
static uint32_t group_end(const layout *l, uint32_t first, bool (*same)(const line *n))
{
    uint32_t end = first;
    while (end < l->line_count && same(&l->lines[end]) &&
           (end == first || !l->lines[end].blank_before)) {
        end++;
    }
    return end;
}

static bool is_param(const line *n)
{
    return n->count > 0 && keyword_of(n->tokens) == TWC_W_param;
}

static bool has_comment_behind(const line *n)
{
    return n->count > 0 && n->comment.end > n->comment.start;
}

/* The widest of each cell of a group of params. */
static void widest_cells(const layout *l, uint32_t first, uint32_t end, uint32_t ret_pads[CELLS])
{
    memset(ret_pads, 0, CELLS * sizeof *ret_pads);
    for (uint32_t i = first; i < end; i++) {
        for (uint32_t k = 0; k < CELLS; k++) {
            if (l->lines[i].cells[k] > ret_pads[k]) ret_pads[k] = l->lines[i].cells[k];
        }
    }
}

/* ------------------------------------------------------------------ writing */

static void spaces(layout *l, uint32_t count)
{
    while (count-- > 0) tw_write_u8(l->w, ' ');
}

static void write_comment(layout *l, const line *n, uint32_t column)
{
    if (n->comment.end == n->comment.start) return;
    if (n->count > 0) spaces(l, column - n->indent - n->width + COMMENT_GAP);
    tw_write_raw(l->w, l->source->text.data + n->comment.start, n->comment.end - n->comment.start);
}

typedef struct columns {
    uint32_t pads[CELLS], params_end;
    uint32_t comment, comments_end;
} columns;

static uint32_t furthest(const layout *l, uint32_t first, uint32_t end)
{
    uint32_t column = 0;
    for (uint32_t i = first; i < end; i++) {
        const uint32_t code = l->lines[i].indent + l->lines[i].width;
        if (code > column) column = code;
    }
    return column;
}

/* First how far each line is indented and how wide its cells are, then with the padding. */
static void measure(layout *l)
{
    uint32_t pads[CELLS] = {0};
    uint32_t params_end = 0;
    for (int round = 0; round < 2; round++) {
        l->depth = 0;
        l->before = (twc_token){.kind = TWC_TOK_END};
        for (uint32_t i = 0; i < l->line_count; i++) {
            line *n = &l->lines[i];
            if (round == 1 && is_param(n) && i >= params_end) {
                params_end = group_end(l, i, is_param);
                widest_cells(l, i, params_end, pads);
            }
            n->indent = indent_of(l, n);
            n->width = line_code(l, n, round == 1 && is_param(n) ? pads : NULL,
                                 round == 0 ? n->cells : NULL, NULL);
            follow(l, n);
        }
    }
}

static bool drops_blank(const layout *l, uint32_t index)
{
    const line *n = &l->lines[index];
    const line *before = &l->lines[index - 1];
    const bool opened = before->count > 0 && before->comment.end == before->comment.start &&
                        before->tokens[before->count - 1].kind == TWC_TOK_BRACE_OPEN;
    return opened || (n->count > 0 && n->tokens[0].kind == TWC_TOK_BRACE_CLOSE);
}

static void write_lines(layout *l)
{
    columns c = {.params_end = 0};
    l->depth = 0;
    l->before = (twc_token){.kind = TWC_TOK_END};
    for (uint32_t i = 0; i < l->line_count; i++) {
        const line *n = &l->lines[i];
        if (is_param(n) && i >= c.params_end) {
            c.params_end = group_end(l, i, is_param);
            widest_cells(l, i, c.params_end, c.pads);
        }
        if (has_comment_behind(n) && i >= c.comments_end) {
            c.comments_end = group_end(l, i, has_comment_behind);
            c.comment = furthest(l, i, c.comments_end);
        }
        if (n->blank_before && !drops_blank(l, i)) tw_write_u8(l->w, '\n');
        (void)indent_of(l, n);
        spaces(l, n->indent);
        (void)line_code(l, n, is_param(n) ? c.pads : NULL, NULL, l->w);
        write_comment(l, n, c.comment);
        tw_write_u8(l->w, '\n');
        follow(l, n);
    }
}

bool twc_format_write(const twc_source *source, twc_words *words, tw_writer *w)
{
    layout *l = TW_NEW(words->arena, layout);
    if (l == NULL) return false;
    l->source = source;
    l->words = words;
    l->w = w;
    if (!split(l)) return false;
    measure(l);
    write_lines(l);
    return !w->bad && !tw_arena_failed(words->arena);
}
