/* text -- what bytes.h is for machines: the parts of a format for people, each written and read by
 * one function, so that a walk over the parts of something prints it and reads it back.
 *
 * Used for the text form of modules. A text is words and quoted names between blanks; commas are
 * blanks, lines only matter to comments, which go from `;` to the end. What is read may be
 * anything: the first mistake is kept with its line, and from there on nothing more is read.
 * Numbers may be written as names of a list: a name means the first number that has it, by a hash
 * table, so that time is linear in the text. What has been read lies in the arena.
 */
#ifndef TW_BASE_TEXT_H
#define TW_BASE_TEXT_H

#include "vm/base/arena.h"
#include "vm/base/quantities.h"

/* What numbers 0.. of a kind of thing are called. */
typedef struct tw_text_list {
    const char *word;   /* what such a thing is, for messages */
    const char **items; /* NULL where a number has no name that is worth writing */
    uint32_t count;
    char prefix;           /* not 0: always a number behind this letter */
    const int64_t *values; /* then, when writing: what the first `count` are, as notes; or NULL */
    bool open;             /* the names are not known yet: any name is taken, as number 0 */
} tw_text_list;

enum { TW_TEXT_NOTE_MAX = 400, TW_TEXT_LABELS = 16384 };

/* A place that is named before it is known. */
typedef struct tw_text_label {
    uint32_t scope; /* of another one: it is of no meaning any more */
    bool known;
    uint32_t waiting; /* the last user, or 0 */
} tw_text_label;

typedef struct tw_text {
    tw_arena *arena;
    tw_text_list *lists;
    uint32_t list_count;
    uint32_t *places; /* the hash table over `lists`: list << 16 | number, UINT32_MAX for none */
    uint32_t place_count;
    tw_writer *w; /* writing; NULL when reading */
    char note[TW_TEXT_NOTE_MAX];
    tw_bytes source; /* reading */
    size_t at;       /* behind the word */
    tw_bytes word;   /* the next one; of no size at the end */
    bool quoted;
    uint32_t line;         /* of the word, from 1 */
    uint32_t line_from;    /* where what is being read begins if it ends in its line, else 0 */
    tw_text_label *labels; /* made with the first */
    uint32_t scope;        /* labels are of one scope after the other */
    uint32_t open;         /* labels of the scope that are used and not yet known */
    bool bad;
    tw_err *err;
} tw_text;

/* Room for the names of a list; NULL without memory. */
const char **tw_text_list_new(tw_text *t, uint32_t list, uint32_t count);
/* Gives a number its name, once and in the order of the numbers. */
void tw_text_list_set(tw_text *t, uint32_t list, uint32_t i, const char *name);
/* Makes the table of the names there are, and takes the first word. False without memory. */
bool tw_text_begin(tw_text *t);
/* Keeps the first mistake; ends the reading. */
void tw_text_fail(tw_text *t, const char *format, ...) TW_PRINTF(2, 3);
/* Takes the next word. */
void tw_text_next(tw_text *t);
bool tw_text_is(const tw_text *t, const char *word);
bool tw_text_accept(tw_text *t, const char *word); /* takes it if it is the next one */
/* The next word is `prefix` and a number. */
bool tw_text_is_prefixed(const tw_text *t, char prefix);
bool tw_text_is_number(const tw_text *t);
/* Ends a line that is written, with its notes as a comment. */
void tw_text_line(tw_text *t, const char *indent);

/* In what follows a part with a `label` is left out when it is zero, or `absent`. */

/* A number of so many bits. */
uint64_t tw_text_number(tw_text *t, const char *label, uint64_t value, uint32_t bits, bool sign);
/* The same, with what it is in its unit as a note. */
int64_t tw_text_quantity(tw_text *t, const char *label, int64_t value, tw_dimension dimension);
void tw_text_note(tw_text *t, const char *label, int64_t value, tw_dimension dimension);
/* A number behind a letter ("s12"); `note` (may be NULL) stands behind a colon, for people. */
int64_t tw_text_prefixed(tw_text *t, char prefix, int64_t value, uint32_t bits, bool sign,
                         const char *note);
/* A number of t->lists[list], at most `max`. */
uint32_t tw_text_item(tw_text *t, uint32_t list, uint32_t value, uint32_t max);
/* A number of names that are in no table, and few. */
uint32_t tw_text_item_of(tw_text *t, const tw_text_list *list, uint32_t value, uint32_t max);
/* The same; `absent` below 0: never left out. */
uint32_t tw_text_ref(tw_text *t, const char *label, uint32_t list, uint32_t value, uint32_t max,
                     int32_t absent);
/* A number whose bits are numbers of a list, below 64. */
uint64_t tw_text_set(tw_text *t, const char *label, uint32_t list, uint64_t value);
bool tw_text_flag(tw_text *t, const char *label, bool value);
const char *tw_text_name(tw_text *t, const char *label, const char *value);
tw_bytes tw_text_bytes(tw_text *t, const char *label, tw_bytes value);
/* Whether a list goes on with item i. Its items stand behind a word each, or, without one, in
 * braces together. Reading makes room for the item, and counts it. */
bool tw_text_more(tw_text *t, const char *word, void **items, uint16_t *count, uint32_t max,
                  size_t size, uint16_t i);

/* Labels, for reading: L and a number below TW_TEXT_LABELS. Users are numbers from 1. A use gives
 * the user before of the same label, or 0, so that the caller can chain them; the place gives the
 * last one. A place that is used after it is known, or known twice, is a mistake, and one that is
 * not known at the end. */
uint32_t tw_text_label_use(tw_text *t, uint32_t user);
uint32_t tw_text_label_place(tw_text *t);
void tw_text_labels_end(tw_text *t);

#endif
