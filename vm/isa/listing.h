/* listing -- a module's text form, on top of vm/base/text.h; README.md describes it.
 *
 * Inside of vm/isa: module.c walks over the declarations, listing.c over instructions; disasm.c
 * begins and ends. As names are used before they are declared, a text is read twice: the second
 * time `m` is what the first one found.
 */
#ifndef TW_ISA_LISTING_H
#define TW_ISA_LISTING_H

#include "vm/base/text.h"
#include "vm/isa/container.h"

/* What a number may have a name from. */
typedef enum tw_list {
#define LIST(name, items, count, word) TW_LIST_##name,
#define WORDS(name, word) TW_LIST_##name,
#include "vm/isa/listing.def"
    TW_LISTS
} tw_list;

typedef struct tw_listing {
    tw_text text;
    tw_text_list lists[TW_LISTS];
    const tw_module *m;    /* whose names are used; NULL when a text is read for the first time */
    const tw_debug *debug; /* writing; may be NULL */
} tw_listing;

/* Sets up the names of l->m and of the tables. False without memory. */
bool tw_listing_begin(tw_listing *l);

/* The instructions of a function. For reading m->code has room for those of the whole text. */
void tw_listing_code(tw_listing *l, tw_module *m, tw_function *f, uint16_t number);

/* Names a type by its text, which is made from that of the type inside of it: for writing before
 * all others, for reading once it is read. */
void tw_listing_type(tw_listing *l, const tw_module *m, uint16_t type);

/* A module in either direction; in module.c. What is written is also stored again as it was. */
void tw_listing_module(tw_listing *l, tw_module *m);

/* A type as the language writes it, around the text of the type inside of it. False when it does
 * not fit, or that text is NULL and needed; in disasm.c. */
bool tw_type_text(const tw_module *m, const tw_type *t, const char *inner, char *ret_text,
                  size_t size);

#endif
