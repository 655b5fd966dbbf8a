/* module -- a compiled contract: what it declares and its code, and the one byte string of it.
 *
 * Written by the compiler, read by everything else. `tw_module_decode` accepts exactly the bytes
 * that `tw_module_encode` makes (canonical): sizes, names, indexes and limits are checked there,
 * code by vm/verify. All pointers of a decoded module live in the arena given.
 *
 * Layout of the bytes, integers big-endian, lists with a u16 count before them:
 *
 *     "TWVM" | u8 format | u8 semantics | name | u32 version | twin
 *     monies | types | enums | roles | params | deploy constants | fields | purses | phases |
 * arrows readings | stamps | alarms | events | errors | histories | invariants | checks constants |
 * functions (with code) | entries | upgrade
 */
#ifndef TW_ISA_MODULE_H
#define TW_ISA_MODULE_H

#include "vm/base/arena.h"
#include "vm/base/bytes.h"
#include "vm/base/hash.h"
#include "vm/isa/isa.h"

enum { TW_MODULE_FORMAT = 2, TW_NONE = 0xFFFF };

typedef enum tw_kind {
    TW_KIND_BOOL = 1,    /* 1 slot, 0 or 1 */
    TW_KIND_INT = 2,     /* 1 slot; `quantity` of quantities.def says of what */
    TW_KIND_ENUM = 3,    /* 1 slot; `of` is the enum */
    TW_KIND_TEXT = 4,    /* 1 slot size + (max + 7) / 8 slots, bytes from the top of each, rest 0 */
    TW_KIND_BYTES = 5,   /* the same without a rule on the bytes */
    TW_KIND_HASH = 6,    /* 4 slots, bytes from the top of each */
    TW_KIND_ACCOUNT = 7, /* 4 slots */
    TW_KIND_TWIN = 8,    /* 4 slots */
    TW_KIND_OPTIONAL = 9, /* 1 slot 0 or 1 + the slots of `of`, all 0 for none */
    TW_KIND_RECORD = 10,  /* its members one after another */
    TW_KIND_LIST = 11,    /* 1 slot count + max times the slots of `of`, the unused ones 0 */
    TW_KIND_MONEY = 12,   /* 1 slot; `of` is the money */
    TW_KIND_THINGS = 13,  /* a list of keys (`of`) of the registry `home`: what is attached. Of
                             fields only those of registries have one, at the top of their record */
    TW_KIND_KINDS
} tw_kind;

/* A named, typed place: record field, argument, event field. */
typedef struct tw_member {
    const char *name;
    uint16_t type;
} tw_member;

typedef struct tw_members {
    tw_member *items;
    uint16_t count;
    /* derived: */
    uint32_t slots;
    uint32_t size_max; /* bytes of the longest encoding */
} tw_members;

typedef struct tw_type {
    uint8_t kind;     /* tw_kind */
    uint8_t quantity; /* INT: a number of quantities.def */
    uint16_t of;   /* ENUM: enum; MONEY: money; OPTIONAL, LIST, THINGS: type with a lower index */
    uint16_t home; /* THINGS: the field that is their registry, else 0 */
    uint32_t max;  /* TEXT, BYTES: bytes; LIST, THINGS: elements */
    const char *name;   /* RECORD: its name */
    tw_members members; /* RECORD: types with lower indexes */
    /* derived: */
    uint32_t slots;
    uint32_t size_max;
    uint32_t depth;  /* of types inside types, at most TW_TYPE_DEPTH_MAX */
    bool has_things; /* is a list of things, or has one inside */
    tw_hash description;
} tw_type;

typedef struct tw_names {
    const char **items;
    uint16_t count;
} tw_names;

typedef struct tw_enum {
    const char *name;
    tw_names values;
    tw_hash description; /* derived: that of every type of the enum */
} tw_enum;

enum { TW_ROLE_GRANTED = 1, TW_ROLE_REVOKED = 2 }; /* flags: the contract does so somewhere */

typedef struct tw_role {
    const char *name;
    uint32_t max;
    uint32_t least; /* members it must start with */
    uint8_t flags;
} tw_role;

typedef enum tw_money_kind { TW_MONEY_CURRENCY = 1, TW_MONEY_TOKEN = 2 } tw_money_kind;

/* A currency is bound at deploy to an asset of the ledger of the same decimals; a token is the
 * contract's own asset, see vm/exec/bank.h. */
typedef struct tw_money {
    const char *name;
    uint8_t kind;
    uint8_t decimals;
    int64_t supply; /* TOKEN: how much there may be at one time; CURRENCY: 0 */
} tw_money;

typedef struct tw_param {
    const char *name;
    uint16_t type;
    bool ranged;       /* INT kinds only */
    int64_t low, high; /* both included */
    tw_bytes preset;   /* canonical encoding of the default */
} tw_param;

typedef enum tw_field_kind {
    TW_FIELD_VAR = 1,
    TW_FIELD_MAP = 2,
    TW_FIELD_REGISTRY = 3, /* home of things; `value_type` is a record */
    TW_FIELD_KINDS
} tw_field_kind;

/* Contract state. `id` says name, kind and types, so that over versions of a contract a field of
 * the same name and type is the same field, and one of another type a different one. */
typedef struct tw_field {
    const char *name;
    uint8_t kind;
    bool old;          /* of the version that MIGRATE comes from; its bounds hold there too */
    uint16_t key_type; /* TW_NONE for a VAR */
    uint16_t value_type;
    uint16_t key_member; /* REGISTRY: which member of the record is the key, else TW_NONE */
    uint32_t max;        /* entries; 0 for a VAR */
    /* derived: */
    tw_hash description; /* SHA-256 of name, kind and types, written out */
    uint32_t id;         /* its first four bytes; distinct in a module but for old fields */
    uint16_t holders;    /* REGISTRY: so many things may stand above one of its things */
} tw_field;

/* What the contract holds. `role` TW_NONE: one amount; else one for each member. */
typedef struct tw_purse {
    const char *name;
    uint16_t money;
    uint16_t role;
    uint32_t id;     /* derived: first four bytes of SHA-256 of "purse", name, money and role */
    uint32_t timers; /* derived: entries for when it falls to somebody */
} tw_purse;

/* Who may put another module in the place of this one. */
typedef struct tw_upgrade {
    uint16_t role;  /* TW_NONE: nobody */
    uint16_t count; /* so many of its members sign */
    uint16_t delay; /* deploy constant: time between consent and upgrade; TW_NONE: none */
} tw_upgrade;

typedef struct tw_arrow {
    uint16_t from, to;
} tw_arrow;

typedef struct tw_reading {
    const char *name;
    const char *field; /* as packs name it */
    uint16_t type;     /* an INT type */
    uint16_t role;
    bool per_device;
    int64_t low, high;
    uint16_t rate_count;
    int64_t rate_ms;
    uint16_t keep;
    int64_t age_max_ms;
    int64_t gap_ms;
} tw_reading;

typedef enum tw_stamp_kind {
    TW_STAMP_ABOVE = 1,  /* value > low */
    TW_STAMP_BELOW = 2,  /* value < low */
    TW_STAMP_WITHIN = 3, /* low <= value <= high */
    TW_STAMP_KINDS
} tw_stamp_kind;

/* A run of readings on one side of a level, kept as two times. */
typedef struct tw_stamp {
    uint16_t reading;
    uint8_t kind;
    uint16_t low, high; /* deploy constants; high only for WITHIN, else TW_NONE */
} tw_stamp;

typedef struct tw_alarm {
    const char *name;
    uint16_t raise, clear; /* functions without arguments, one result slot */
    uint64_t readings;     /* bit i: depends on reading i */
} tw_alarm;

/* Event, error, history kind. */
typedef struct tw_notice {
    const char *name;
    tw_members members;
} tw_notice;

/* Invariant: function without arguments, one result slot. Check: part of the deploy entry. */
typedef struct tw_rule {
    const char *name;
    uint16_t function; /* TW_NONE for a check */
} tw_rule;

typedef struct tw_function {
    const char *name;
    uint16_t argument_slots;
    uint16_t result_slots;
    uint16_t frame_slots; /* >= arguments and results */
    uint32_t code_first;  /* into tw_module.code */
    uint32_t code_count;
} tw_function;

typedef enum tw_entry_kind {
    TW_ENTRY_DEPLOY = 1, /* exactly one: deploy constants, first values, checks */
    TW_ENTRY_ACTION = 2,
    TW_ENTRY_VIEW = 3,
    TW_ENTRY_RAISED = 4,  /* `of` is the alarm */
    TW_ENTRY_CLEARED = 5, /* `of` is the alarm */
    TW_ENTRY_SILENT = 6,  /* `of` is the reading, `delay` the deploy constant D */
    TW_ENTRY_EVERY = 7,   /* `delay` */
    TW_ENTRY_AFTER = 8,   /* `delay`, counted from entering one of `phases` */
    TW_ENTRY_FALLS =
        9, /* `of` is the purse: `delay` after its last change; only VIEWs stand behind it */
    TW_ENTRY_MIGRATE = 10, /* at most one: fills this version's state from that of the one before */
    TW_ENTRY_KINDS
} tw_entry_kind;

/* The worst case of one run. The compiler writes it, the verifier computes it again. */
typedef struct tw_bounds {
    uint64_t gas;
    uint32_t reads;
    uint32_t writes;
    uint32_t event_bytes;
    uint32_t events;
    uint32_t slots;
} tw_bounds;

typedef struct tw_entry {
    const char *name; /* action and view: unique; others: for people, e.g. "vib silent" */
    uint8_t kind;
    uint16_t function;
    uint16_t of;
    uint16_t delay;     /* deploy constant, or TW_NONE */
    uint64_t phases;    /* bit p: runs in phase p */
    tw_members members; /* arguments */
    uint16_t result;    /* VIEW: its type, else TW_NONE */
    tw_bounds bounds;
} tw_entry;

typedef struct tw_module {
    const char *name;
    uint32_t version;
    const char *twin; /* "" when the contract names none */
    tw_money *monies;
    tw_type *types;
    tw_enum *enums;
    tw_role *roles;
    tw_param *params;
    tw_field *fields;
    tw_purse *purses;
    tw_names phases; /* at least one; a contract without phases has one with the name "" */
    tw_arrow *arrows;
    tw_reading *readings;
    tw_stamp *stamps;
    tw_alarm *alarms;
    tw_notice *events, *errors, *histories;
    tw_rule *invariants, *checks;
    int64_t *constants;
    tw_function *functions;
    uint64_t *code;
    tw_entry *entries;
    tw_upgrade upgrade;
    uint16_t money_count, purse_count;
    uint16_t type_count, enum_count, role_count, param_count, deployed_count, field_count;
    uint16_t arrow_count, reading_count, stamp_count, alarm_count;
    uint16_t event_count, error_count, history_count, invariant_count, check_count;
    uint16_t constant_count, function_count, entry_count;
    uint32_t code_count;
    /* derived: */
    uint32_t thing_size_max; /* bytes of the longest record of a registry */
    uint32_t timer_count;    /* entries that a timer starts */
    struct {
        uint32_t silent_timers; /* of the readings of the role */
        uint32_t purses;        /* per member of the role */
        uint32_t pages;         /* of the windows of the readings of one device */
    } by_role[TW_ROLES_MAX];
} tw_module;

enum { TW_PAGE_SAMPLES = 128 }; /* readings in a page of a window */

/* Pages that hold `keep` readings: the newest one may be partly filled. */
static inline uint32_t tw_window_pages(uint32_t keep)
{
    return (keep + TW_PAGE_SAMPLES - 1) / TW_PAGE_SAMPLES + 1;
}

/* True for an entry that a timer starts. */
static inline bool tw_entry_is_timer(const tw_entry *e)
{
    return e->kind == TW_ENTRY_SILENT || e->kind == TW_ENTRY_EVERY || e->kind == TW_ENTRY_AFTER ||
           e->kind == TW_ENTRY_FALLS;
}

/* Fills the derived fields of types, members and field ids. Called by decode; the compiler calls it
 * after it has made the types. Refuses types over the limits of isa.h with a sentence in `err`. */
TW_MUST_USE tw_status tw_module_derive(tw_module *m, tw_err *err);

/* Appends the canonical bytes. `m` must be derived. */
TW_MUST_USE tw_status tw_module_encode(const tw_module *m, tw_writer *w);

/* Reads the canonical bytes: TW_REFUSED_MODULE with a sentence naming the place otherwise.
 * Time and memory linear in the size. `bytes` must outlive the module. */
TW_MUST_USE tw_status tw_module_decode(tw_bytes bytes, tw_arena *arena, tw_module **ret_module,
                                       tw_err *err);

/* What a contract is known by: SHA-256 of the module's bytes. */
tw_hash tw_module_hash(tw_bytes bytes);

/* What an upgrade compares: SHA-256 of the descriptions of the fields (old ones, or this
 * version's), in ascending order. */
tw_hash tw_module_schema(const tw_module *m, bool old);

/* First entry of this kind and name, or TW_NONE. name NULL: any. */
uint16_t tw_module_entry(const tw_module *m, tw_entry_kind kind, const char *name);

#endif
