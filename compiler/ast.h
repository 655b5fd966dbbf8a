/* ast -- the program as a tree. The parser builds it, the checker completes it, the code
 * generator reads it.
 *
 * Fields marked [check] are filled by the checker and hold for a program without errors:
 *   - every expression has its type, and its value where it is a constant;
 *   - every name has the declaration it means;
 *   - every change of type is a TWC_E_CONVERT node (an int literal where a dec is expected and a
 *     text literal are changed in place instead);
 *   - arguments of records, events, errors and history entries stand in the order of the fields;
 *   - every operator says which exact integer operation it is.
 * Fields marked [gen] belong to the code generator.
 * Lists are linked by `next`. Everything lives in the arena of the compilation. A place is a pair
 * of byte offsets into the source; twc_source_place turns it into line and column.
 */
#ifndef TWC_AST_H
#define TWC_AST_H

#include "compiler/type.h"
#include "vm/base/math.h"
#include "vm/isa/isa.h"

typedef struct twc_expr twc_expr;
typedef struct twc_stmt twc_stmt;
typedef struct twc_arg twc_arg;
typedef struct twc_contract twc_contract;

typedef struct twc_span {
    uint32_t start, end;
} twc_span;

/* A spelling, interned: two names are equal when their words are. */
typedef struct twc_word {
    const char *text; /* ends with a NUL */
    uint32_t size;
    uint16_t keyword;         /* TWC_W_... of words.def; 0 for any other word */
    bool money;               /* a currency or token of this file */
    twc_decl *global;         /* while a contract is checked: what its members mean by it */
    twc_decl *local;          /* while a body is checked: the local, argument or binder */
    uint32_t mark;            /* of the contract in whose text it was met last, see import.h */
    twc_decl *history;        /* while a contract is checked: the history kind */
    struct twc_word *next[2]; /* in the trie of twc_words */
} twc_word;

/* ------------------------------------------------------------------ expressions */

typedef enum twc_expr_kind {
#define EXPR(name) TWC_E_##name,
#include "compiler/nodes.def"
} twc_expr_kind;

/* What a TWC_E_BINARY does. */
typedef enum twc_operator {
    TWC_OP_NONE,
#define OPERATOR(name, level, token, word, verb) TWC_OP_##name,
#include "compiler/operators.def"
} twc_operator;

/* The integer operation behind an arithmetic operator [check]. All trap on overflow. */
typedef enum twc_arith {
#define ARITH(name) TWC_ARITH_##name,
#include "compiler/nodes.def"
} twc_arith;

/* TWC_E_CONVERT [check] */
typedef enum twc_conversion {
#define CONVERSION(name) TWC_CONV_##name,
#include "compiler/nodes.def"
} twc_conversion;

/* What a TWC_E_CALL is [check]. */
typedef enum twc_callee {
#define CALLEE(name) TWC_CALL_##name,
#include "compiler/nodes.def"
} twc_callee;

/* Functions of builtins.def. */
typedef enum twc_builtin {
#define BUILTIN(name, spelling, place) TWC_B_##name,
#include "compiler/builtins.def"
    TWC_B_COUNT_
} twc_builtin;

/* A statistic: stat of `reading` over the span (now or the entry's end - over, end]. `over` NULL:
 * the whole window (never NULL for SLOPE). */
typedef struct twc_statistic {
    tw_stat stat;
    twc_decl *reading;
    twc_expr *over;       /* duration, fixed at deploy: constant or made of params */
    twc_expr *percentile; /* PERCENTILE: percent */
    twc_expr *device;     /* `x of k`: an account; NULL otherwise */
    twc_decl *across;     /* `across r`: the ROLE; NULL otherwise */
} twc_statistic;

/* What a checked TWC_E_OF means. */
typedef enum twc_of {
    TWC_OF_OWNER,   /* right is a thing */
    TWC_OF_MAKER,   /* right is a thing */
    TWC_OF_REST,    /* right is a purse; the amount of a `pay` only */
    TWC_OF_HISTORY, /* right is a thing; tests only, inside count() */
} twc_of;

/* Members of the roles in tests: `meter 2`, `meter 1 .. 4`, `account "bob"`. */
typedef struct twc_actor {
    twc_word *name;
    twc_span span;
    twc_decl *role;       /* [check] NULL for `account "..."` */
    tw_bytes account;     /* `account "bob"`: bob */
    uint32_t first, last; /* from 1; 0 when the actor has no number */
    struct twc_actor *next;
} twc_actor;

struct twc_expr {
    twc_expr_kind kind;
    bool constant;  /* [check] `value` is the value (BOOL, NUMBER, MONEY, PHASE, ENUM) */
    bool fixed;     /* [check] the same from deploy on: literals, params, arithmetic on them */
    uint8_t turned; /* tw_round that round_down or round_up around it asks for */
    uint8_t height; /* of the tree: at most TWC_HEIGHT_MAX */
    twc_span span;
    twc_span mark;        /* the operator, name or bracket that an error points at */
    const twc_type *type; /* [check] */
    int64_t value;        /* [check] of a constant */
    twc_expr *next;       /* list elements */
    union {
        struct {
            tw_decimal decimal; /* as written */
            bool point;         /* written with a decimal point: a dec */
            const tw_unit *unit;
            twc_word *money;
        } number;
        tw_bytes text;
        struct {
            twc_word *word;
            twc_decl *
                decl; /* [check] VAR, PARAM, LOCAL, ALARM, PHASE, ENUM_VALUE, ROLE, BUILTIN_VALUE */
        } name;
        twc_actor *actor;
        struct {
            twc_expr *first;
            uint32_t count;
        } list;
        struct {
            twc_expr *object; /* [check] of a record type, unwrapped by a CONVERT where narrowed */
            twc_word *word;
            twc_decl *decl; /* [check] the FIELD */
        } field;
        struct {
            twc_expr *function; /* as parsed: a NAME */
            twc_arg *args;      /* [check] in the order of fields or parameters */
            uint16_t count;
            twc_callee callee;   /* twc_callee */
            twc_builtin builtin; /* twc_builtin */
            twc_decl *decl;      /* count: MAP or REGISTRY, NULL of a list; sum: PURSE; top: MAP;
                                    balance, circulating, minted, gain: CURRENCY or TOKEN */
            twc_decl *field;     /* top: the FIELD behind `by` */
            twc_statistic *statistic;
        } call;
        struct {
            twc_expr *object, *index;
            twc_decl *store; /* [check] MAP, REGISTRY or PURSE when the object is its name, and then
                                not looked at; NULL: of a list, or of a list of things by key */
        } index;
        struct {
            twc_expr *left, *right;
            twc_of which; /* [check] */
        } of;
        twc_expr *one;
        struct {
            twc_expr *left, *right;
            int64_t factor; /* [check] MULDIV: divisor, SCALEDIV: scale */
            twc_operator op;
            twc_arith arith; /* [check] */
            tw_round round;  /* [check] */
        } binary;
        struct {
            twc_expr *value;
            bool some;
        } is;
        struct {
            twc_expr *reading; /* as parsed */
            twc_decl *decl;    /* [check] the READING */
            twc_expr *low, *high,
                *duration;    /* [check] all fixed; high only WITHIN; duration may be NULL: 0 */
            twc_expr *device; /* [check] `x of k`: an account; NULL otherwise */
            uint8_t kind;     /* 1 ABOVE, 2 BELOW, 3 WITHIN, as tw_stamp_kind */
            uint32_t stamp;   /* [check] index into the contract's stamps */
        } hold;
        struct {
            twc_expr *reading, *duration;
            twc_expr *device; /* [check] as in hold */
            twc_decl *decl;   /* [check] the READING */
        } silent;
        struct {
            twc_expr *value, *low, *high;
            bool negated;
        } range;
        struct {
            twc_expr *value, *set;
            twc_decl *store; /* [check] `k in m`: the MAP or REGISTRY, and `set` is not looked at */
            bool negated;
        } in;
        struct {
            twc_expr *condition, *then, *other;
        } choose;
        struct {
            twc_expr *value;
            twc_conversion conversion;
            twc_conversion inner; /* for INNER */
        } convert;
    } u;
};

/* Argument of a call, record, event, error or history entry. */
struct twc_arg {
    twc_arg *next;
    twc_word *name; /* NULL when given by position */
    twc_span span;
    twc_expr *value;
    twc_decl *field;  /* [check] the FIELD or parameter it is for */
    twc_word *across; /* `across role` */
    twc_expr *over;   /* `over D` */
    twc_word *by;     /* `by field`, of top */
};

/* ------------------------------------------------------------------ statements */

typedef enum twc_stmt_kind {
#define STMT(name) TWC_S_##name,
#include "compiler/nodes.def"
} twc_stmt_kind;

typedef struct twc_block {
    twc_stmt *first;
    twc_span span;
    bool completes; /* [check] its end can be reached */
} twc_block;

/* One arm of an if (condition NULL: else) or of a match. */
typedef struct twc_arm {
    struct twc_arm *next;
    twc_expr *condition;
    twc_word *name; /* match: none, an enum value, a phase; NULL for `some v` */
    twc_span span;
    twc_decl *binder; /* match `some v`: the LOCAL */
    int64_t value;    /* [check] match on enum or phase: index; on an optional: 0 none, 1 some */
    twc_block body;
} twc_arm;

struct twc_stmt {
    twc_stmt_kind kind;
    twc_span span;
    twc_stmt *next;
    union {
        struct {
            twc_decl *decl; /* LOCAL; decl->value is the initial value */
        } let;
        struct {
            twc_expr *place; /* [check] NAME of a VAR or a `var` LOCAL, FIELDs of it, list INDEX */
            twc_expr *value; /* [check] of the place's type; for += and -= see `combined` */
            twc_operator op; /* NONE for =, else ADD or SUB */
            twc_expr *combined; /* [check] for += and -=: the BINARY `place op value`, else NULL */
        } assign;
        struct {
            twc_arm *arms; /* the last may have no condition: else */
        } branch;
        struct {
            twc_decl *binder; /* LOCAL, its `loop` is this statement; [check] its type is the
                                 value's (of a registry or a list of things: the ASSET type) */
            twc_expr *over;
            twc_decl
                *store; /* [check] MAP or REGISTRY when `over` is its name, else NULL: a list */
            twc_block body;
        } loop;
        struct {
            int64_t times;
            twc_block body;
        } repeat;
        struct {
            twc_expr *value;
            twc_arm *arms;
        } match;
        struct {
            twc_expr *condition;
            twc_word *error; /* NULL: trap NeedsFailed */
            twc_span error_span;
            twc_arg *args;
            twc_decl *decl; /* [check] the ERROR */
        } needs;
        struct {
            twc_word *word;
            twc_span span;
            twc_arg *args;
            twc_expr *of;           /* history of a thing */
            twc_decl *decl;         /* [check] EVENT, ERROR or HISTORY */
            twc_stmt *next_history; /* [check] uses of history in the contract */
        } notice;
        struct {
            twc_expr *amount, *from,
                *to;         /* [check] from: a purse (NAME of it, or INDEX with store);
                                NULL for mint. to: a purse, or a value of type account */
            bool rest;       /* [check] pay rest of p: `from` is p, `amount` is not looked at */
            twc_decl *money; /* [check] the CURRENCY or TOKEN */
        } money;
        struct {
            twc_word *word;
            twc_span span;
            twc_decl *phase; /* [check] */
        } go;
        struct {
            twc_word *asset, *registry;
            twc_span asset_span, registry_span;
            twc_arg *args;
            twc_expr *owner;
            twc_decl *registry_decl; /* [check]; its u.store.asset_decl is the ASSET */
        } create;
        struct {
            twc_expr *thing,
                *to; /* [check] GIVE: a thing, an account. ATTACH: a thing, a FIELD that
                        is a list of things. DETACH, RETIRE: a thing. REMOVE: an INDEX of
                        a list or MAP, or the NAME of a binder over a MAP. A thing is an
                        expression of an ASSET type: INDEX of a REGISTRY, INDEX (by key)
                        of a FIELD that is a list of things, or the NAME of a binder */
        } thing;
        struct {
            twc_word *word;
            twc_span span;
            twc_expr *account;
            twc_decl *role;       /* [check] */
            twc_stmt *next_grant; /* all of the contract, from contract->grants on */
        } grant;
        struct {
            twc_expr *value, *to;
        } push;
        twc_expr *value; /* RETURN */
    } u;
};

/* ------------------------------------------------------------------ declarations */

typedef enum twc_decl_kind {
#define DECL(name, word, most, plural, mention) TWC_D_##name,
#include "compiler/decls.def"
    TWC_D_COUNT
} twc_decl_kind;

typedef enum twc_builtin_value {
    TWC_V_NOW,
    TWC_V_CALLER,
    TWC_V_PHASE,
    TWC_V_TIME_IN_PHASE,
    TWC_V_COUNT
} twc_builtin_value;

/* A type as it is written. */
typedef struct twc_type_name {
    twc_span span;
    twc_word *word; /* text, bytes, list, or a name */
    uint32_t max;   /* text, bytes, list */
    bool sized;
    bool optional;
    struct twc_type_name *element; /* list of */
} twc_type_name;

/* by, with */
typedef struct twc_who {
    struct twc_who *next;
    twc_expr *expr; /* as parsed */
    bool anyone;    /* [check] */
    twc_decl *role; /* [check] a member of it; else `expr` is an account */
} twc_who;

typedef struct twc_phase_name {
    struct twc_phase_name *next;
    twc_word *word;
    twc_span span;
    twc_decl *phase; /* [check]; NULL for any */
} twc_phase_name;

/* `A -> B -> C`: a list of names; `any -> D`. */
typedef struct twc_chain {
    struct twc_chain *next;
    twc_phase_name *names;
} twc_chain;

/* What action, on, every, after, view and fn have in common; each uses its part. */
typedef struct twc_entry {
    twc_decl *params; /* FIELDs; [check] each also is the LOCAL of the body, parameters first */
    uint32_t param_count;
    twc_who *by, *with;
    uint32_t signed_count; /* `signed by n of role`; 0 without */
    twc_word *signed_word;
    twc_span signed_span;
    twc_decl *signed_role; /* [check] */
    twc_phase_name *in;    /* NULL without `in` */
    uint64_t phases;       /* [check] bit p: may run in phase p */
    twc_stmt *needs;       /* header: NEEDS statements in order */
    twc_expr *receives, *into;
    twc_expr *delay;        /* silent for, every, after: fixed duration */
    twc_word *subject_word; /* on: the alarm or reading */
    twc_span subject_span;
    twc_decl *subject; /* [check] */
    twc_type_name *result_name;
    const twc_type *result;    /* [check] view, fn */
    uint16_t function, number; /* [gen] of the module: its function, its place among the entries */
    twc_block body;
} twc_entry;

/* A hold predicate's time stamps, one for each distinct (reading, kind, levels) [check]. */
typedef struct twc_stamp {
    struct twc_stamp *next;
    twc_decl *reading;
    uint8_t kind; /* as in u.hold */
    twc_expr *low, *high;
    uint32_t index;
} twc_stamp;

typedef struct twc_tstmt twc_tstmt;

struct twc_decl {
    twc_decl_kind kind;
    bool used;      /* [check] read or meant somewhere outside its declaration */
    bool bad;       /* [check] something in it was reported: no follow-ups */
    bool broken;    /* it could not be parsed to its end */
    bool mutable;   /* LOCAL: declared by `var` */
    bool library;   /* [check] brought by an import */
    bool old;       /* [check] state of the version that `migrate` comes from */
    twc_span span;  /* the whole declaration */
    twc_word *word; /* its name; NULL where it has none */
    twc_span name_span;
    const char *doc; /* `///` lines before it, joined with newlines; NULL without */
    uint32_t
        index; /* [check] among the contract's of its kind, in order of the page; FIELD: place */
    const twc_type *type; /* [check] of the value it stands for; NOTHING where it is none */
    twc_type_name *type_name;
    twc_decl *next;      /* member of the contract, field, parameter, enum value */
    twc_decl *next_same; /* [check] the next of the same kind in the contract */
    twc_contract *contract;
    uint32_t slot; /* [gen] LOCAL, VAR: first slot in the frame of the function being generated */
    uint32_t key_slot; /* [gen] binder of a `for each`: first slot of its key */
    twc_stmt *loop;    /* LOCAL: the `for each` whose binder it is, else NULL */
    union {
        struct {                  /* PARAM, VAR, LOCAL (let, var), CHECK, INVARIANT (value only) */
            twc_expr *value;      /* NULL when not given */
            twc_expr *low, *high; /* PARAM; [check] constants */
        } value;
        struct {
            uint32_t decimals;
            twc_expr *supply; /* TOKEN */
        } money;
        struct {
            uint32_t max;
            bool granted, revoked; /* [check] somewhere in the contract */
        } role;
        struct {
            twc_word *role_word;
            twc_span role_span;
            twc_decl *role; /* [check] */
            tw_bytes field;
            bool per_device;
            twc_expr *low, *high; /* [check] constants */
            uint32_t rate_count;
            twc_expr *rate_period; /* [check] constant durations */
            uint32_t keep;
            bool watched;            /* [check] has an `on ... silent` handler */
            twc_expr *max_age, *gap; /* gap NULL: as max_age */
        } reading;
        struct {
            twc_expr *raise, *clear;        /* [check] bools */
            uint64_t readings;              /* [check] bit i: reads reading i */
            uint64_t raised_in, cleared_in; /* [check] phases with a handler */
        } alarm;
        struct { /* RECORD, ASSET, ENUM (values), EVENT, ERROR, HISTORY */
            twc_decl *fields;
            uint32_t count;
            twc_decl *home; /* [check] ASSET: its one REGISTRY */
            bool done;      /* [check] ASSET: it holds no thing that can hold it */
        } fields;
        struct {
            twc_type_name *key_name;
            const twc_type *key, *element;
            twc_word *asset, *by;
            twc_span asset_span, by_span;
            twc_decl
                *asset_decl;    /* [check] REGISTRY: the ASSET; its u.fields.home is the REGISTRY */
            twc_decl *by_field; /* [check] REGISTRY: the FIELD that is the key */
            uint32_t max;
        } store; /* MAP, REGISTRY; [check] key, element */
        struct {
            twc_word *money, *per;
            twc_span money_span, per_span;
            twc_expr *falls_to, *falls_after;             /* [check] after: fixed */
            twc_decl *money_decl, *per_role, *falls_role; /* [check] the last two may be NULL.
                                                             `type` is the money's */
        } purse;
        struct {
            uint64_t arrows; /* [check] bit p: an arrow to phase p */
        } phase;
        twc_entry *entry; /* RAISED .. FN, MIGRATE (body) */
        struct {
            uint32_t count;
            twc_word *role;
            twc_span span;       /* of the role */
            twc_decl *role_decl; /* [check] */
            twc_expr *after;     /* [check] fixed */
        } upgrade;
        struct {
            tw_bytes id;
            twc_word *word;
            twc_span id_span, span; /* of the word */
            bool senml;             /* else dtdl */
            twc_decl *of;           /* [check] ASSET, RECORD, READING, or the ROLE of readings */
        } describe;                 /* EXPORT */
        struct {
            tw_bytes name;
            bool fuzz;
            uint32_t runs, steps;
            twc_tstmt *body;
            twc_span name_span;
        } test;
    } u;
};

struct twc_contract {
    twc_contract *next;
    twc_word *word;
    twc_span name_span;
    twc_span span;
    const char *doc;
    uint32_t version;
    tw_bytes twin; /* empty without */
    twc_decl *members;
    uint32_t member_count;
    bool library; /* names for others: no contract, but it may have tests */
    bool broken;  /* a member could not be parsed: names may be missing */
    twc_chain *phase_chains;
    twc_span phases_span;
    twc_stmt *grants; /* every grant and revoke statement */
    /* [check] */
    twc_decl *phases; /* by next_same, index 0 is the start; one with word NULL if none declared */
    uint32_t phase_count;
    uint64_t live_phases; /* bit p: has an arrow out of it (the one phase of a contract without
                             phases too) */
    twc_decl *histories;  /* by next_same */
    uint32_t history_count;
    twc_stamp *stamps;
    uint32_t stamp_count;
    const struct twc_flow *flow; /* of check_stuck.c: which purses may hold money in which phase;
                                    NULL before it, and without purses */
    bool checked, superseded;    /* a newer version of the file migrates from it */
    twc_contract *old;           /* what `migrate` comes from */
    twc_decl *old_fields;  /* its state as `old.x`; their indexes follow those of the own state */
    twc_decl *old_records; /* its records with the types of this contract */
};

/* ------------------------------------------------------------------ tests */

typedef enum twc_tstmt_kind {
#define TSTMT(name) TWC_T_##name,
#include "compiler/nodes.def"
} twc_tstmt_kind;

typedef enum twc_fault {
#define FAULT(name) TWC_FAULT_##name,
#include "compiler/nodes.def"
} twc_fault;

/* `x [of d] v every P [fault]` */
typedef struct twc_feed {
    struct twc_feed *next;
    twc_word *word;
    twc_span span;
    twc_decl *reading; /* [check] */
    twc_actor *of;     /* NULL: the role's first member */
    twc_expr *value, *period;
    twc_fault fault;
    uint32_t drop_every;
    twc_expr *amount, *per;
} twc_feed;

struct twc_tstmt {
    twc_tstmt_kind kind;
    twc_span span;
    twc_tstmt *next;
    union {
        struct {
            twc_feed *feeds;
            twc_expr *duration;
        } feed;
        tw_bytes replay;
        twc_expr *advance;
        struct {
            twc_actor *actors; /* the first sends, the others sign too */
            twc_expr *call;    /* [check] CALL with callee TWC_CALL_ACTION */
        } call;
        twc_expr *expect;
        struct {
            twc_word *word;
            twc_span span;
            twc_decl *error; /* [check] the contract's ERROR or INVARIANT; NULL: `trap` */
            tw_status trap;  /* [check] built-in trap of that name */
            twc_tstmt *body;
        } fail;
    } u;
};

typedef struct twc_program twc_program;

typedef struct twc_import {
    struct twc_import *next;
    twc_span span;
    tw_bytes path;
    twc_program *program; /* [import] NULL after an error */
} twc_import;

/* One file. */
struct twc_program {
    twc_import *imports;
    twc_contract *contracts;         /* and libraries */
    const struct twc_source *source; /* the file's part of the text */
    /* [import] */
    uint32_t number;     /* among the files, from 0: the one that is compiled */
    uint64_t reach;      /* bit n: file n is imported, by this one or by one it imports */
    twc_program **files; /* of file 0: the others, each behind those that it imports */
    uint32_t file_count;
    bool unsound; /* of file 0: something was reported in or about an import */
};

enum {
    TWC_HEIGHT_MAX = 200, /* of an expression's tree */
    TWC_DEPTH_MAX = 128,  /* of nested blocks, brackets and prefix operators */
};

#endif
