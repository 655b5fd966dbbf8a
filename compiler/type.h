/* type -- the types of the language, interned: two types are equal when their pointers are.
 *
 * Made by the checker while it resolves declarations and expressions; read by the code generator.
 * All of them live in the arena of the compilation.
 */
#ifndef TWC_TYPE_H
#define TWC_TYPE_H

#include "vm/base/arena.h"
#include "vm/base/quantities.h"

typedef struct twc_decl twc_decl;
typedef struct twc_type twc_type;

typedef enum twc_type_kind {
#define TYPE_KIND(name, text) TWC_TYPE_##name,
#include "compiler/nodes.def"
} twc_type_kind;

struct twc_type {
    twc_type_kind kind;
    tw_dimension dimension;  /* NUMBER */
    uint32_t max;            /* TEXT, BYTES, LIST */
    twc_decl *decl;          /* MONEY, ENUM, RECORD, ASSET */
    const twc_type *element; /* LIST, OPTIONAL */
    const twc_type *next;    /* in its bucket */
};

enum { TWC_TYPE_BUCKETS = 256 };

typedef struct twc_types {
    tw_arena *arena;
    const twc_type *buckets[TWC_TYPE_BUCKETS];
    uint32_t count;
    const twc_type *error; /* what is given when there are too many */
    bool full;
} twc_types;

/* The one type of this shape. Never NULL: without memory the error type. */
const twc_type *twc_type_of(twc_types *types, twc_type_kind kind);
const twc_type *twc_type_number(twc_types *types, tw_dimension dimension);
const twc_type *twc_type_sized(twc_types *types, twc_type_kind kind, uint32_t max);
const twc_type *twc_type_named(twc_types *types, twc_type_kind kind, twc_decl *decl);
const twc_type *twc_type_list(twc_types *types, const twc_type *element, uint32_t max);
const twc_type *twc_type_optional(twc_types *types, const twc_type *element);

bool twc_type_is(const twc_type *type, tw_dimension dimension);
/* A number or an amount of money: one 64-bit slot with an order. */
bool twc_type_is_numeric(const twc_type *type);
/* Whether values of both are the same bytes with the same meaning: names of records and enums do
 * not count, those of fields and values do. */
bool twc_type_same_shape(const twc_type *a, const twc_type *b);
/* Writes the type as an author writes it; ends with a NUL, cut to fit. Returns ret_text. */
const char *twc_type_print(const twc_type *type, char *ret_text, size_t size);

#endif
