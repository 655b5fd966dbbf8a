/* maker -- the inside of the generator, shared by its parts: what a module under way knows of
 * itself. Nobody else includes it. */
#ifndef TW_TESTS_GENERATE_MAKER_H
#define TW_TESTS_GENERATE_MAKER_H

#include "tests/generate/generate.h"

enum {
    TYPES_MAX = 40,
    FUNCTIONS_MAX = 40,
    CODE_MAX = 2400,
    CONSTANTS_MAX = 3000,
    VALUES = 3, /* of each type, among the constants */
    TRACED = 4, /* plain numbers that the first event tells */
    FRAME_MAX = 1200,
    REGIONS_MAX = 96,
    PENDING_MAX = 24,
};

/* Types that every module has, in this order; the last is a record of plain numbers. */
enum { TYPE_INT, TYPE_BOOL, TYPE_ACCOUNT, TYPE_TIME, TYPE_TRACE, TYPES_BASIC };

/* What is known of a function that is there. */
typedef struct made {
    uint32_t effects;
    uint32_t events; /* at most so many, counted carelessly upwards */
    uint32_t steps;  /* instructions that a run takes, roughly at most */
} made;

typedef struct maker {
    dice d;
    tw_arena *arena;
    tw_module *m;
    uint16_t values[TYPES_MAX][VALUES]; /* first constant of each value */
    made made[FUNCTIONS_MAX];
    uint32_t frame_wanted; /* frames are mostly that small */
    bool no_memory;
} maker;

/* A run of slots in a frame that holds, if all goes well, something of a kind. */
typedef enum region_kind {
    REGION_TYPE,
    REGION_EVENT,
    REGION_ERROR,
    REGION_HISTORY,
} region_kind;

typedef struct region {
    region_kind kind;
    uint16_t what; /* type, event, error, kind of history */
    uint16_t base;
} region;

/* A jump whose target is still open. */
typedef struct pending {
    uint32_t pc;
    uint32_t loop; /* number of the loop body it stands in, 0 outside */
} pending;

/* A function under way. */
typedef struct coder {
    maker *k;
    tw_module *m;
    dice *d;
    tw_function *f;
    uint32_t allowed; /* effects it may have */
    uint32_t ints;    /* first of its plain numbers */
    uint32_t int_count;
    uint32_t frame;
    region regions[REGIONS_MAX];
    uint32_t region_count;
    pending open[PENDING_MAX];
    uint32_t open_count;
    uint32_t loop; /* number of the innermost loop body */
    uint32_t loop_last;
    uint32_t depth;
    uint32_t times;          /* how often the innermost body runs at most */
    uint8_t bits[FRAME_MAX]; /* roughly how large a plain number is */
    made made;
    bool has_result; /* a view: what it returns is of this type */
    uint16_t result;
    uint8_t ops[256]; /* instructions it may draw from */
    uint32_t op_count;
} coder;

/* declare.c: everything but functions and entries. */
void make_declarations(maker *k);
/* A type that takes at most so many slots, and is no list of things. */
uint16_t pick_type(maker *k, uint32_t slots_max);

/* entries.c: functions and entries, with the declarations that need them. */
void make_entries(maker *k);

/* code.c: opens function number m->function_count; its arguments lie in slots from 0 on. */
void code_begin(coder *c, maker *k, uint32_t allowed);
/* Ends with the result in slots from `a` on. Returns the function's index. */
uint16_t code_end(coder *c, uint32_t a);
void code_emit(coder *c, uint64_t insn);
void code_op(coder *c, tw_op op, uint32_t a, uint32_t b, uint32_t cc, uint32_t x);
void code_imm(coder *c, tw_op op, uint32_t a, uint32_t b, int32_t imm30);
/* A place for something of the kind, old or new; *ret_base untouched when the frame is full. */
bool code_region(coder *c, region_kind kind, uint16_t what, uint32_t *ret_base);
bool code_fresh(coder *c, region_kind kind, uint16_t what, uint32_t *ret_base);
/* Writes a value of the kind there. */
void code_fill(coder *c, region_kind kind, uint16_t what, uint32_t base);
/* A slot of a plain number, of at most so many bits if that can be had. */
uint32_t code_int(coder *c, uint32_t bits_max);
void code_small(coder *c, uint32_t slot, int32_t low, int32_t high);
/* A jump over what follows, to be closed by code_land. */
uint32_t code_skip(coder *c, tw_op op, uint32_t a, uint32_t imm26);
void code_land(coder *c, uint32_t pc);

/* statement.c: one or more instructions at random. False when nothing could be made. */
bool make_statement(coder *c);
/* Tells the plain numbers `from` on to whoever compares runs: a wrong one would else be forgotten.
 */
void make_trace(coder *c, uint32_t from);
void make_statements(coder *c, uint32_t count);
/* The instruction and what makes it likely to go well; false when it has nothing to name. */
bool make_op(coder *c, tw_op op);
/* The same of an instruction of shape STATE that names x. */
bool make_op_of(coder *c, tw_op op, uint32_t x);

/* guard.c: what stands before an instruction so that it mostly goes well; the jump over it, if
 * there is one, comes back in *ret_skip (1 + pc). */
typedef struct operands {
    uint32_t a, b, c, x;
} operands;
void guard_op(coder *c, tw_op op, operands *o, uint32_t ret_skips[2]);

#endif
