/* check -- meaning: names, types, units, phases, windows, optionals; completes the tree.
 *
 * twc_check_program is for twc.c. After it without an error the fields marked [check] in ast.h
 * hold. What was reported gets the error type, which agrees with everything, so that one mistake
 * gives one message. The rest is shared by check*.c: one context, made anew for each contract.
 */
#ifndef TWC_CHECK_H
#define TWC_CHECK_H

#include "compiler/lex.h"

void twc_check_program(twc_program *program, tw_arena *arena, twc_words *words, twc_diags *diags);

/* What an expression or statement may touch where it stands. */
enum {
    TWC_CAN_PARAM = 1,
    TWC_CAN_VAR = 2,
    TWC_CAN_PHASE = 4,
    TWC_CAN_READING = 8,
    TWC_CAN_ALARM = 16,
    TWC_CAN_CLOCK = 32,
    TWC_CAN_CALLER = 64,
    TWC_CAN_ROLE = 128,
    TWC_CAN_WRITE = 256,
    TWC_CAN_TEST = 512,
    TWC_CAN_LEDGER = 1024,             /* balances and supplies */
    TWC_CAN_READ = (255 & ~64) | 1024, /* everything but the caller */
};

/* A path known to hold a value; a list that is never changed, only extended or rebuilt. */
typedef struct twc_fact {
    const struct twc_fact *next;
    const twc_expr *path;
    uint32_t count;
} twc_fact;

/* A loop that is being checked. */
typedef struct twc_open_loop {
    struct twc_open_loop *outer;
    const twc_stmt *stmt; /* FOR or REPEAT */
    uint32_t depth;
    bool skipped; /* a `skip` of it was met */
} twc_open_loop;

/* A name that imports may bring, and the contract that needed it last. */
typedef struct twc_public {
    twc_decl *decl;
    const twc_program *program;
    uint32_t mark;
} twc_public;

typedef struct twc_check {
    tw_arena *arena;
    twc_diags *diags;
    twc_words *words;
    twc_types types;
    twc_program *program;
    twc_contract *contract;
    const twc_type *error, *nothing, *none, *boolean, *integer, *dec, *percent, *duration, *time;
    const twc_type *account, *hash, *twin, *phase;
    twc_decl values[TWC_V_COUNT]; /* now, caller, phase, time_in_phase */
    /* where the checker is */
    const char *where;      /* "an invariant", for messages */
    uint32_t can;           /* TWC_CAN_ flags */
    twc_entry *entry;       /* NULL outside of entries and functions */
    twc_decl *function;     /* the FN being checked */
    const twc_type *result; /* what `return` gives; NULL where there is none */
    const twc_fact *facts;
    twc_open_loop *loop;  /* the innermost one; NULL outside of loops */
    const twc_decl *gone; /* the binder whose element was removed on this path */
    twc_decl *locals;     /* of the open scopes, innermost first, by next_same */
    uint64_t readings;    /* readings touched since it was cleared */
    twc_stmt *histories;  /* uses of history, by next_history */
    uint32_t depth;       /* a budget of check_finite */
    uint32_t unit_end;    /* of the unit reported to lack its number */
    twc_decl *muted;      /* names reported as undeclared, by next_same */
    twc_public *publics;  /* of all imported libraries, in the order of the files */
    uint32_t public_count;
    uint32_t mark;       /* of this contract */
    bool migrating;      /* `old.x` is there */
    uint64_t used_files; /* bit n: a contract needs something of file n */
} twc_check;

/* ---- check.c: shared */
/* Reports: the first line of the text is the message, a second one the help. */
void twc_check_fail(twc_check *c, twc_code code, twc_span span, const char *format, ...)
    TW_PRINTF(4, 5);
/* With `decl` (may be NULL) as the second place. */
void twc_check_fail_at(twc_check *c, twc_code code, twc_span span, const twc_decl *decl,
                       const char *format, ...) TW_PRINTF(5, 6);
/* And gives `expr` the error type. */
twc_expr *twc_check_refuse(twc_check *c, twc_expr *expr, twc_code code, twc_span span,
                           const char *format, ...) TW_PRINTF(5, 6);
/* The type as an author writes it. */
const char *twc_check_text(twc_check *c, const twc_type *type);
/* The member of this name and kind; an error otherwise, and NULL. */
twc_decl *twc_check_find(twc_check *c, twc_word *word, twc_span span, twc_decl_kind kind);
/* Whether what this TWC_CAN_ flag stands for may be used here; an error otherwise. */
bool twc_check_may(twc_check *c, twc_span span, uint32_t can);
/* Reports that nothing bears the name, suggests one, and mutes further reports of it. */
void twc_check_undeclared(twc_check *c, twc_word *word, twc_span span, const char *what);
bool twc_check_word_is(const twc_word *word, const char *text);

/* ---- check_alarm.c: an error when its conditions can hold at the same time */
void twc_check_alarm_apart(twc_check *c, const twc_decl *alarm);

/* ---- check_decl.c: members */
void twc_check_declare(twc_check *c);
void twc_check_types(twc_check *c);
void twc_check_phases(twc_check *c);
void twc_check_constants(twc_check *c);
const twc_type *twc_check_type(twc_check *c, twc_type_name *name);
/* "role"; and whether one that is never mentioned deserves a warning. */
const char *twc_check_kind(twc_decl_kind kind, bool *ret_mention);
/* A name that every contract has: type, value or function. */
bool twc_check_is_builtin(const twc_word *word);

/* ---- check_expr.c: expressions. Each returns the node to use from now on. */
twc_expr *twc_check_expr(twc_check *c, twc_expr *expr, const twc_type *hint);
/* The same of what may also be a thing or a list of them: not taken as a value itself. */
twc_expr *twc_check_part(twc_check *c, twc_expr *expr, const twc_type *hint);
/* The same, but an optional stays one where it is known to hold a value. */
twc_expr *twc_check_raw(twc_check *c, twc_expr *expr, const twc_type *hint);
/* Checks and converts to `type`; `what` begins the message ("the default"). */
twc_expr *twc_check_value(twc_check *c, twc_expr *expr, const twc_type *type, const char *what);
twc_expr *twc_check_bool(twc_check *c, twc_expr *expr, const char *what);
/* A constant of `type`; an error otherwise. */
twc_expr *twc_check_constant(twc_check *c, twc_expr *expr, const twc_type *type, const char *what);
/* Fixed at deploy: literals, params and arithmetic on them. */
twc_expr *twc_check_fixed(twc_check *c, twc_expr *expr, const twc_type *type, const char *what);
/* A checked expression as `type`, or NULL when it does not convert (nothing is reported). */
twc_expr *twc_check_convert(twc_check *c, twc_expr *expr, const twc_type *type);
/* The type that both have or convert to, or NULL. */
const twc_type *twc_check_common(twc_check *c, const twc_expr *a, const twc_expr *b);
void twc_check_mismatch(twc_check *c, twc_span span, const char *what, const twc_type *wanted,
                        const twc_type *found);
twc_expr *twc_check_narrow(twc_check *c, twc_expr *path);
twc_expr *twc_check_is_error(twc_check *c, twc_expr *expr);

/* ---- check_number.c: arithmetic on checked operands, literals, constants, intervals */
void twc_check_literal(twc_check *c, twc_expr *expr);
twc_expr *twc_check_arith(twc_check *c, twc_expr *expr);
void twc_check_negate(twc_check *c, twc_expr *expr);
/* Makes a dec of an int literal; false when it is none. */
bool twc_check_to_dec(twc_check *c, twc_expr *expr);
void twc_check_compare_constants(twc_expr *expr);
/* The least and largest value of a fixed number; false when it has no limits. */
bool twc_check_interval(const twc_expr *expr, int64_t *ret_low, int64_t *ret_high);
const char *twc_check_print(const twc_expr *constant, char ret_text[TW_QUANTITY_TEXT_MAX]);

/* ---- check_call.c */
twc_expr *twc_check_call(twc_check *c, twc_expr *expr, const twc_type *hint);
/* Arguments against fields: order, names, types. `what` names the thing in messages. */
void twc_check_args(twc_check *c, twc_arg **args, twc_decl *fields, twc_span span,
                    const char *what);

/* ---- check_reading.c */
/* The reading that the expression is the name of; NULL when it is none. */
twc_decl *twc_check_reading(twc_check *c, const twc_expr *expr, bool report);
/* A call that may be a statistic; `only`: the word means nothing else. */
twc_expr *twc_check_statistic(twc_check *c, twc_expr *expr, bool only, bool *ret_is);
twc_expr *twc_check_hold(twc_check *c, twc_expr *expr);
twc_expr *twc_check_silent(twc_check *c, twc_expr *expr);

/* ---- check_money.c: currencies, tokens, purses */
void twc_check_purse_type(twc_check *c, twc_decl *purse);
void twc_check_purse_falls(twc_check *c, twc_decl *purse);
void twc_check_supply(twc_check *c, twc_decl *token);
/* As parsed: the name of a purse, or that name with an index. */
bool twc_check_is_purse(const twc_expr *expr);
/* What a purse holds: `deposit`, `stake[who]`. */
twc_expr *twc_check_purse_name(twc_check *c, twc_expr *expr, twc_decl *purse);
twc_expr *twc_check_purse_index(twc_check *c, twc_expr *expr);
/* The PURSE that a checked place is, or NULL. */
const twc_decl *twc_check_purse_of(const twc_expr *place);
/* sum, balance, circulating, gain, minted */
twc_expr *twc_check_money_call(twc_check *c, twc_expr *expr);
/* pay, mint, burn */
void twc_check_move(twc_check *c, twc_stmt *stmt);
void twc_check_receives(twc_check *c, twc_entry *entry);

/* ---- check_way.c: an error when nothing goes out of a phase that has arrows */
void twc_check_ways(twc_check *c);

/* ---- check_stuck.c: each purse has a way out, in each phase */
void twc_check_stuck(twc_check *c);

/* ---- check_flow.c: which optionals are known to hold a value */
bool twc_flow_is_path(const twc_expr *expr);
bool twc_flow_knows(const twc_check *c, const twc_expr *path);
const twc_fact *twc_flow_add(twc_check *c, const twc_fact *facts, const twc_expr *path);
/* What also holds when `condition` is `truth`. */
const twc_fact *twc_flow_learn(twc_check *c, const twc_fact *facts, const twc_expr *condition,
                               bool truth);
const twc_fact *twc_flow_forget(twc_check *c, const twc_fact *facts, const twc_expr *place);
const twc_fact *twc_flow_common(twc_check *c, const twc_fact *a, const twc_fact *b);
/* What holds at each round of a loop with this body, which is not checked yet. */
const twc_fact *twc_flow_enter(twc_check *c, const twc_fact *facts, const twc_block *body);
/* The role gets or loses its member. */
const twc_fact *twc_flow_forget_role(twc_check *c, const twc_fact *facts, const twc_decl *role);

/* ---- check_store.c: maps, lists that change, loops */
void twc_check_map(twc_check *c, twc_decl *decl);
/* Whether a value of this type can be a key; an error otherwise. */
bool twc_check_key_type(twc_check *c, const twc_type *type, twc_span span);
/* The map or registry that the expression is the name of; NULL when it is none. */
twc_decl *twc_check_store(twc_check *c, twc_expr *expr);
twc_expr *twc_check_element(twc_check *c, twc_expr *expr, twc_decl *store); /* m[k] */
twc_expr *twc_check_key_in(twc_check *c, twc_expr *expr, twc_decl *store);  /* k in m */
twc_expr *twc_check_count(twc_check *c, twc_expr *expr, twc_decl *store);   /* count(m) */
twc_expr *twc_check_top(twc_check *c, twc_expr *expr);
/* Makes a KEY of `x.key` when x is the binder of a loop over a map or registry. */
bool twc_check_is_key(twc_check *c, twc_expr *expr);
/* Whether the checked place may be changed here; an error otherwise. */
bool twc_check_change(twc_check *c, const twc_expr *place);
void twc_check_push(twc_check *c, twc_stmt *stmt);
void twc_check_remove(twc_check *c, twc_stmt *stmt);
/* The element of the binder has left its collection: nothing may follow on this path. */
void twc_check_gone(twc_check *c, twc_span span, const twc_decl *binder);
/* False when nothing comes behind it. */
bool twc_check_for(twc_check *c, twc_stmt *stmt);
bool twc_check_repeat(twc_check *c, twc_stmt *stmt);
void twc_check_skip(twc_check *c, const twc_stmt *stmt);

/* Whether a change of the place leaves alone what the open loops go over; an error otherwise. */
bool twc_check_loops(twc_check *c, twc_span span, const twc_expr *place);

/* ---- check_thing.c: assets and registries */
bool twc_check_is_things(const twc_type *type); /* list of an asset */
/* What the things of an asset are known by. */
const twc_type *twc_check_thing_key(const twc_check *c, const twc_type *asset);
/* The type `list of Asset` of a field of an asset; NULL for every other type. */
const twc_type *twc_check_asset_field(twc_check *c, const twc_type_name *name);
void twc_check_registry(twc_check *c, twc_decl *decl);
void twc_check_assets(twc_check *c); /* once all registries are known */
/* The place of a thing, checked; `what` wants one. */
twc_expr *twc_check_thing(twc_check *c, twc_expr *expr, const char *what);
twc_expr *twc_check_thing_index(twc_check *c,
                                twc_expr *expr); /* `y.list[k]`: the list is checked */
/* owner, maker, history, which stand before `of` a thing */
bool twc_check_is_thing_word(const twc_expr *left, twc_of *ret_which);
twc_expr *twc_check_thing_of(twc_check *c, twc_expr *expr, twc_of which);
/* Whether a part of a thing may be assigned; an error otherwise. True for other places. */
bool twc_check_thing_change(twc_check *c, const twc_expr *place);
void twc_check_create(twc_check *c, twc_stmt *stmt);
void twc_check_verb(twc_check *c, twc_stmt *stmt); /* give, attach, detach, retire */

/* ---- check_stmt.c: bodies and entries */
void twc_check_entry(twc_check *c, twc_decl *decl);
/* False when its end is never reached. */
bool twc_check_block(twc_check *c, twc_block *block);
void twc_check_histories(twc_check *c);
void twc_check_local(twc_check *c, twc_decl *decl);
void twc_check_scope_end(twc_check *c, twc_decl *locals);

/* ---- check_import.c: libraries */
/* Lists what imports may bring. */
void twc_check_collect(twc_check *c);
/* Puts what the contract needs of the imports of its file before its members. */
void twc_check_bring(twc_check *c, const twc_program *program);
/* Refuses members that no library has. */
void twc_check_library(twc_check *c);
void twc_check_unused_imports(twc_check *c);

/* ---- check_upgrade.c */
/* The contract that `migrate` comes from and the file it stands in; NULL without. */
twc_contract *twc_check_older(twc_check *c, const twc_contract *contract,
                              const twc_program *program, const twc_program **ret_program);
/* Makes `old.x` of the state of the older version. */
void twc_check_old(twc_check *c);
void twc_check_migrate(twc_check *c, twc_decl *decl);
void twc_check_upgrade(twc_check *c, twc_decl *decl);

/* ---- check_export.c */
void twc_check_export(twc_check *c, twc_decl *decl);

/* ---- check_test.c */
void twc_check_test(twc_check *c, twc_decl *decl);
/* False where no account may be named at all. */
bool twc_check_actor(twc_check *c, twc_actor *actor);

#endif
