/* gen -- a checked contract to a module of the machine.
 *
 * twc_gen_* of the first part are for twc.c and plan.c; the rest is shared by gen*.c. The tree must
 * have been checked without an error. What checks but can't be generated yet, and what is over a
 * limit of the machine, is reported as a diagnostic: code is handed out whole and verified, or not
 * at all. The same tree gives the same bytes, always.
 *
 * Values stand in the slots of a frame (isa/module.h says how many a type takes). A function's
 * frame: arguments, one home for each state variable it touches, then locals and temporaries, which
 * are given back in the order opposite to that in which they were taken.
 */
#ifndef TWC_GEN_H
#define TWC_GEN_H

#include "compiler/diag.h"
#include "compiler/twc.h"
#include "compiler/walk.h"
#include "vm/isa/module.h"

typedef struct twc_gen twc_gen;

/* A generator for one contract; NULL without memory. It takes all its memory from `arena`. */
twc_gen *twc_gen_new(tw_arena *arena, const twc_source *source, twc_contract *contract,
                     twc_diags *diags);

/* Declarations and code of the contract. False after an error that was reported. */
bool twc_gen_contract(twc_gen *g);

/* Declares the bounds, encodes, and verifies what it encoded. False as above. */
bool twc_gen_encode(twc_gen *g, tw_bytes *ret_module);

/* Lines and names of the functions, as vm/isa/container.h writes them. */
bool twc_gen_debug(twc_gen *g, tw_bytes *ret_debug);

/* For plan.c: what was appended since the mark is taken away again. */
typedef struct twc_gen_mark {
    uint16_t types, enums, constants, functions, entries;
    uint32_t code, locals;
} twc_gen_mark;

twc_gen_mark twc_gen_mark_now(const twc_gen *g);
void twc_gen_undo(twc_gen *g, twc_gen_mark mark);

/* ------------------------------------------------------------------ shared by gen*.c */

/* The state variables whose home holds their value now, by index. */
typedef struct twc_known {
    uint64_t bits[TW_FIELDS_MAX / 64];
} twc_known;

/* A set of state: vars, maps and registries by index, purses by index, and the phase. */
typedef struct twc_touched {
    twc_known fields;
    uint64_t purses[TW_PURSES_MAX / 64];
    bool phase;
} twc_touched;

/* A place to jump to, before it is known where it is. */
typedef struct twc_label {
    uint32_t last; /* the jump to it made last, counted from 1; each names the one before in x */
    twc_known known;
} twc_label;

/* What has to be written when a place was changed, from the inside out. */
typedef struct twc_gen_back {
    const struct twc_gen_back *outer; /* written after this one */
    tw_op op;                         /* STORE of a variable or under a key, PUT into a list */
    const twc_decl *var;              /* STORE: the VAR; NULL: under a key */
    const twc_expr *part;             /* the INDEX whose value stands at `value`, or NULL */
    uint32_t list, value, key, x;     /* slots; x as in the instruction */
} twc_gen_back;

/* A loop whose body is being generated. */
typedef struct twc_gen_loop {
    struct twc_gen_loop *outer;
    const twc_stmt *stmt;
    uint32_t round;           /* slot of the round's number */
    uint32_t list, position;  /* over a list: where it stands, and the slot of the index in it */
    bool drops;               /* elements leave the list: position is a slot of its own */
    const twc_gen_back *back; /* over a list: what a change of it writes */
    twc_label next;           /* where `skip` goes */
    twc_known before;
} twc_gen_loop;

/* How many slots a type takes, and its place in the module when it has one. */
typedef struct twc_layout {
    const twc_type *type;
    uint32_t slots;
    uint16_t index; /* TW_NONE: the module does not need it so far */
} twc_layout;

/* What a local was called, for the debug map. */
typedef struct twc_local_name {
    const char *name;
    const twc_type *type;
    uint16_t function;
    uint32_t slot, from, to;
} twc_local_name;

/* An input of a formula and the slot it stands in. */
typedef struct twc_gen_input {
    twc_input input;
    uint32_t slot;
} twc_gen_input;

enum { TWC_CONSTANT_BUCKETS = 1024, TWC_SLOTS_MANY = 1 << 20 };

struct twc_gen {
    tw_arena *arena;
    const twc_source *source;
    twc_contract *contract;
    twc_diags *diags;
    tw_module *m;
    bool failed; /* something was reported: code may be nonsense from here on */

    uint32_t types_size, enums_size, constants_size, functions_size, code_size, entries_size;
    uint32_t lines_size, locals_size, deployed_size, layouts_size;
    uint32_t layout_count; /* of the open table `layouts` */
    twc_layout *layouts;
    uint16_t constant_last[TWC_CONSTANT_BUCKETS]; /* 1 + the newest constant of the bucket */
    uint16_t *constant_before; /* per constant: the one before, in the same way */
    const twc_expr **deployed; /* deploy constants */
    bool deployed_closed;      /* the deploy entry is written */
    uint32_t *lines;           /* per instruction: offset in the source */
    twc_local_name *locals;
    uint32_t local_count;

    /* the function being written */
    const char *name;
    twc_span span; /* what errors of the whole function point at */
    uint32_t code_first, argument_slots, result_slots;
    uint32_t top, top_max; /* slots in use now, and at most */
    uint32_t at;           /* offset in the source of what is being generated */
    uint32_t local_first;  /* of the names in scope: those from here on are still open */
    bool dead;             /* nothing can come here: instructions are dropped */
    bool condition;        /* an alarm's: fixed durations become deploy constants */
    twc_known known;
    twc_label *finish;           /* where `stop` goes, outside of loops; NULL: it returns */
    twc_gen_loop *loop;          /* the innermost open one */
    const twc_gen_back *open;    /* of the assignment whose value is being generated */
    const twc_gen_input *inputs; /* of a formula */
    uint32_t input_count;
    twc_gen_mark tests; /* where the formulas of the test begin */
    tw_bytes *parts;    /* its modules so far */
    uint32_t part_count, parts_size;
};

/* ---- gen_emit.c: functions, instructions, slots */
/* Doubles a list until `count` fits; *items moves. False without memory (reported). */
bool twc_gen_grow(twc_gen *g, void *items, uint32_t *size, uint32_t count, size_t item);
void twc_gen_unsupported(twc_gen *g, twc_span span, const char *what);
void twc_gen_over_limit(twc_gen *g, twc_span span, const char *what, uint64_t count, uint64_t max);

void twc_gen_begin(twc_gen *g, const char *name, twc_span span);
/* Closes the function: its number, or 0 after an error. */
uint16_t twc_gen_end(twc_gen *g);
uint32_t twc_gen_slots_take(twc_gen *g, uint32_t count);
void twc_gen_local_open(twc_gen *g, const char *name, const twc_type *type, uint32_t slot);
void twc_gen_locals_close(twc_gen *g, uint32_t first);

void twc_emit(twc_gen *g, tw_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t x);
void twc_emit_imm30(twc_gen *g, tw_op op, uint32_t a, uint32_t b, int64_t imm);
/* Nothing comes after it but by a jump. */
void twc_emit_last(twc_gen *g, tw_op op, uint32_t a, uint32_t x);
twc_label twc_label_new(void);
void twc_label_place(twc_gen *g, twc_label *label);
void twc_emit_jump(twc_gen *g, tw_op op, uint32_t a, uint32_t b, twc_label *to);
/* The instruction ends everything unless the slot holds something else than 0. */
void twc_gen_guard(twc_gen *g, uint32_t slot, tw_op op, uint32_t x);
void twc_emit_jump_imm(twc_gen *g, tw_op op, uint32_t a, int64_t imm, twc_label *to);
void twc_emit_constant(twc_gen *g, uint32_t dst, int64_t value);
void twc_emit_constants(twc_gen *g, uint32_t dst, const int64_t *values, uint32_t count);
void twc_emit_zero(twc_gen *g, uint32_t dst, uint32_t count);
void twc_emit_move(twc_gen *g, uint32_t dst, uint32_t src, uint32_t count);
/* The pool's number of a constant. */
uint32_t twc_gen_constant(twc_gen *g, int64_t value);
void twc_gen_constants_undo(twc_gen *g, uint16_t count); /* forgets those from `count` on */
static inline bool twc_fits_imm30(int64_t value)
{
    return value >= TW_IMM30_MIN && value <= TW_IMM30_MAX;
}
static inline bool twc_fits_imm26(int64_t value)
{
    return value >= TW_IMM26_MIN && value <= TW_IMM26_MAX;
}

/* ---- gen_type.c */
/* Slots of a type; TWC_SLOTS_MANY when it is far over the frame. */
uint32_t twc_gen_slots(twc_gen *g, const twc_type *type);
/* The module's number of the type, made when it is new. */
uint16_t twc_gen_type(twc_gen *g, const twc_type *type);
uint16_t twc_gen_type_add(twc_gen *g, tw_type type);
/* The number it has already, or TW_NONE. */
uint16_t twc_gen_type_find(twc_gen *g, const twc_type *type);
/* Forgets the numbers from `count` on. */
void twc_gen_types_undo(twc_gen *g, uint16_t count);
/* Slots before the field in its record. */
uint32_t twc_gen_offset(twc_gen *g, const twc_type *record, const twc_decl *field);
uint32_t twc_gen_fields_slots(twc_gen *g, const twc_decl *fields);
/* Fields of a record, event, error; parameters. */
tw_members twc_gen_members(twc_gen *g, const twc_decl *fields);

/* ---- gen_decl.c: all of a module but its code */
void twc_gen_declarations(twc_gen *g);
void twc_gen_presets(twc_gen *g); /* defaults of parameters, once the types are derived */
/* The number of the deploy constant of a fixed expression; TW_NONE when it is too late for one. */
uint16_t twc_gen_deployed(twc_gen *g, const twc_expr *expr);
/* The text of a span on one line, at most `max` bytes. */
const char *twc_gen_text(twc_gen *g, twc_span span, size_t max);

/* ---- gen_expr.c: values */
/* A slot from which on the value stands: where it lives, or a temporary. */
uint32_t twc_gen_value(twc_gen *g, const twc_expr *expr);
void twc_gen_into(twc_gen *g, const twc_expr *expr, uint32_t dst);
/* The home of a state variable with its value in it. */
uint32_t twc_gen_home(twc_gen *g, const twc_decl *var);
void twc_gen_store(twc_gen *g, const twc_decl *var);
/* An account in 4 slots: an expression, or the name of a role of max 1. */
uint32_t twc_gen_account(twc_gen *g, const twc_expr *expr);
/* The slot of an input without an account; an error when this is no formula of a test. */
uint32_t twc_gen_input_slot(twc_gen *g, twc_input_kind kind, uint16_t index, twc_span span);
/* A value that lives somewhere: a local, a variable, a field of one. */
bool twc_gen_is_place(const twc_expr *expr);
/* Arguments one after another from dst on; `args` stand in the order of the fields. */
void twc_gen_args(twc_gen *g, const twc_arg *args, uint32_t dst);
uint32_t twc_gen_args_slots(twc_gen *g, const twc_arg *args);

/* ---- gen_cond.c: conditions */
/* Goes to `to` when the condition is `sense`, else on. */
void twc_gen_branch(twc_gen *g, const twc_expr *condition, bool sense, twc_label *to);
/* The condition as 0 or 1. */
void twc_gen_bool(twc_gen *g, const twc_expr *condition, uint32_t dst);
bool twc_gen_is_comparison(twc_operator op);
/* Compares two values that stand in slots; the same sense of `op` as in expressions. */
void twc_gen_compare(twc_gen *g, twc_operator op, const twc_type *left_type, uint32_t left,
                     const twc_type *right_type, uint32_t right, bool sense, twc_label *to);

/* ---- gen_money.c: monies, purses */
void twc_gen_monies(twc_gen *g);
void twc_gen_purses(twc_gen *g);
/* How many members the role must start with. */
uint32_t twc_gen_role_least(const twc_gen *g, const twc_decl *role);
bool twc_gen_is_purse(const twc_expr *expr);
/* What a purse's place holds. */
void twc_gen_purse_into(twc_gen *g, const twc_expr *place, uint32_t dst);
/* False when the built-in function is not about money. */
bool twc_gen_money_call(twc_gen *g, const twc_expr *expr, uint32_t dst);
void twc_gen_pay(twc_gen *g, const twc_stmt *stmt);
void twc_gen_mint(twc_gen *g, const twc_stmt *stmt); /* burn too */
void twc_gen_receives(twc_gen *g, const twc_entry *entry);
void twc_gen_falls(twc_gen *g); /* the entries `falls to`, behind all others */

/* ---- gen_stmt.c */
void twc_gen_block(twc_gen *g, const twc_block *block);
void twc_gen_needs(twc_gen *g, const twc_stmt *needs); /* a list of them */

/* ---- gen_store.c: places, maps, lists */
/* Where the place stands; `whole`: its old value is not needed. *ret_back, NULL before, is for
 * twc_gen_close, which writes what was changed. */
uint32_t twc_gen_open(twc_gen *g, const twc_expr *place, bool whole, const twc_gen_back **ret_back);
void twc_gen_close(twc_gen *g, const twc_gen_back *back);
uint32_t twc_gen_element(twc_gen *g, const twc_expr *expr); /* an INDEX as a value */
void twc_gen_in(twc_gen *g, const twc_expr *expr, uint32_t dst);
void twc_gen_top(twc_gen *g, const twc_expr *expr, uint32_t dst);
void twc_gen_push(twc_gen *g, const twc_stmt *stmt);
void twc_gen_remove(twc_gen *g, const twc_stmt *stmt);

uint32_t twc_gen_own(twc_gen *g, const twc_expr *expr); /* in slots that nothing else changes */

/* ---- gen_thing.c: assets and registries */
typedef struct twc_gen_thing {
    uint32_t registry, key; /* the registry's number, the slots of the key */
} twc_gen_thing;
/* A list of things: the key of their holder, and x of ATTACH and HELD. */
typedef struct twc_gen_list {
    uint32_t key, x;
} twc_gen_list;
twc_gen_thing twc_gen_thing_at(twc_gen *g, const twc_expr *thing);
twc_gen_list twc_gen_list_at(twc_gen *g, const twc_expr *list);
/* The slots of its record, loaded. */
uint32_t twc_gen_thing_load(twc_gen *g, const twc_expr *thing, twc_gen_thing *ret_at);
void twc_gen_thing_of(twc_gen *g, const twc_expr *expr, uint32_t dst); /* owner, maker, history */
void twc_gen_create(twc_gen *g, const twc_stmt *stmt);
void twc_gen_verb(twc_gen *g, const twc_stmt *stmt); /* give, attach, detach, retire */
void twc_gen_log(twc_gen *g, const twc_stmt *stmt);  /* history of a thing */

/* ---- gen_loop.c */
void twc_gen_repeat(twc_gen *g, const twc_stmt *stmt);
void twc_gen_for(twc_gen *g, const twc_stmt *stmt);
void twc_gen_skip(twc_gen *g, const twc_stmt *stmt);
/* What a change of the binder of an open loop writes. */
const twc_gen_back *twc_gen_loop_back(twc_gen *g, const twc_decl *binder);
void twc_gen_loop_remove(twc_gen *g, const twc_decl *binder);

/* ---- gen_entry.c: functions */
void twc_gen_functions(twc_gen *g); /* fn, conditions, invariants, entries, deploy */
/* u.entry of a declaration of this kind has a function. */
bool twc_gen_has_entry(twc_decl_kind kind);
/* Begins a function in which no variable has a home yet. */
void twc_gen_start(twc_gen *g, const char *name, twc_span span);
/* Gives homes to the variables that a condition or body touches. */
void twc_gen_homes(twc_gen *g, const twc_expr *expr, const twc_block *block);
/* Calls the invariants that read something of the set; NULL: all of them. */
void twc_gen_invariants(twc_gen *g, const twc_touched *writes);
void twc_gen_entry_add(twc_gen *g, tw_entry entry, twc_span span);

/* ---- gen_upgrade.c */
void twc_gen_upgrade(twc_gen *g); /* the clause; before the deploy constants are closed */
/* Adds the MIGRATE entry of a contract that has one, without its function. Its number, or TW_NONE.
 */
uint16_t twc_gen_migrate_entry(twc_gen *g, uint64_t phases);
/* Whether the var gets its first value: in a deploy always, in an upgrade when it is new. */
bool twc_gen_sets_first(const twc_gen *g, const twc_decl *var, bool migrates);

/* ---- gen_walk.c: what is touched; walk.h has the rest */
twc_touched twc_walk_reads(const twc_expr *expr);
/* Of the body, and of `receives`. */
twc_touched twc_walk_writes(const twc_entry *entry);
bool twc_walk_meets(const twc_touched *a, const twc_touched *b);
/* A `stop` inside of a loop. */
bool twc_walk_stops_in_loop(const twc_block *block);

#endif
