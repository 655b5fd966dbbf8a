/* machine -- the inside of the reference interpreter, shared by its files; see reference.h.
 *
 * Each file has the instructions of one subject: step.c numbers and control, fields.c what is
 * stored, things.c things, money.c money, readings.c statistics, people.c roles, phase, notices.
 */
#ifndef TW_TEST_REFERENCE_MACHINE_H
#define TW_TEST_REFERENCE_MACHINE_H

#include "tests/reference/reference.h"
#include "vm/exec/field.h"
#include "vm/exec/notice.h"

enum { REF_TOUCHES_MAX = 16384 };

/* What a module's code needs said once: found from its words alone. */
typedef struct ref_plan {
    tw_hash module;
    tw_arena *memory;
    uint64_t *run_gas;  /* per word: gas of the run that begins here; 0: none begins */
    uint32_t *loop_end; /* per word, of a LOOP: the pc of its END */
    uint32_t *effects;  /* per function, with those that it calls */
} ref_plan;

/* A place that an entry put money into or took some from. */
typedef struct ref_touch {
    tw_key key;
    uint16_t money;
    uint16_t purse; /* TW_NONE: a balance */
    tw_account account;
    int64_t before; /* the amount when the entry began */
} ref_touch;

struct reference {
    ref_plan plans[8];
    uint32_t plan_count; /* ever made: the next takes the place of the oldest */
    const ref_plan *plan;
    tw_arena *copies; /* of the contract on which the reference works */
    int64_t *stack;
    tw_sample *samples;
    int64_t *record;
    ref_touch *touches;
    uint32_t touch_count;

    const tw_module *m;
    tw_contract *c;
    const tw_call *call;
    uint32_t stack_used;
    bool phase_changed;
    uint32_t stat_of;                     /* the reading of the last statistic of the run */
    int64_t made[TW_MONIES_MAX];          /* minted less burned */
    int64_t spent[TW_SPENDS_MAX];         /* of what the sender allows */
    uint64_t pages_seen[TW_READINGS_MAX]; /* of readings that are not per device: bit p: page p */

    uint16_t index;
    uint16_t function; /* where it stopped */
    uint32_t pc;
    tw_bounds used;
    uint32_t events;
    uint32_t histories;
    tw_writer notices;
    tw_writer fields;
    tw_writer value;
    ref_totals totals;
};

/* The words of an instruction, taken apart. */
typedef struct ref_insn {
    uint64_t word;
    uint8_t op;
    uint32_t a, b, c, x;
    int64_t imm26, imm30;
} ref_insn;

/* ---- gas.c ---- */

/* The plan of the contract's module, made when it is not known. NULL without memory. */
const ref_plan *ref_plan_of(reference *r, const tw_code *code);
/* Whether a timer starts it. */
bool ref_is_timed(const tw_entry *e);
/* What an entry costs beside its code. */
uint64_t ref_entry_gas(const tw_module *m, uint16_t entry, uint32_t effects);

static inline uint64_t ref_read_gas(uint64_t keys, uint64_t bytes)
{
    return keys * TW_GAS_READ + bytes * TW_GAS_READ_BYTE;
}
static inline uint64_t ref_write_gas(uint64_t keys, uint64_t bytes)
{
    return keys * TW_GAS_WRITE + bytes * TW_GAS_WRITE_BYTE;
}
/* Slots zeroed, loaded, or compared for being the same. */
static inline uint64_t ref_slots_gas(uint64_t slots)
{
    return slots * TW_GAS_SLOTS / 8;
}
/* Slots moved: by MOVN, or within a list. */
static inline uint64_t ref_moves_gas(uint64_t slots)
{
    return slots * TW_GAS_MOVED / 8;
}
/* Slots looked at one by one. */
static inline uint64_t ref_looks_gas(uint64_t slots)
{
    return slots * TW_GAS_SLOT;
}
static inline uint64_t ref_notice_gas(uint64_t bytes)
{
    return TW_GAS_EVENT + bytes * TW_GAS_EVENT_BYTE;
}
static inline uint64_t ref_hash_gas(uint64_t bytes)
{
    return TW_GAS_HASH + bytes * TW_GAS_HASH_BYTE;
}

enum {
    REF_PAGE_SAMPLES = 128,
    REF_PAGE_SIZE = 1 + 16 * REF_PAGE_SAMPLES,
    REF_COUNT_SIZE = 5,
    REF_AMOUNT_SIZE = 9,
};

static inline uint32_t ref_pages(uint32_t keep)
{
    return (keep + REF_PAGE_SAMPLES - 1) / REF_PAGE_SAMPLES + 1;
}

/* ---- state.c: the state, and the charge for it ---- */

/* The value under a key; one more read. */
TW_MUST_USE tw_status ref_get(reference *r, const tw_key *key, tw_bytes *ret_value,
                              bool *ret_found);
/* The same, charged by the bytes met. */
TW_MUST_USE tw_status ref_get_charged(reference *r, const tw_key *key, tw_bytes *ret_value,
                                      bool *ret_found);
TW_MUST_USE tw_status ref_put(reference *r, const tw_key *key, tw_bytes value);
TW_MUST_USE tw_status ref_delete(reference *r, const tw_key *key);

/* The key of field or purse `id`, empty or with the bytes given. */
tw_key ref_field_key(const reference *r, uint32_t id);
/* With the key in slots; BadValue when they hold none of the type. */
TW_MUST_USE tw_status ref_key_in(const reference *r, const tw_field *f, const int64_t *slots,
                                 tw_key *ret_key);
/* A member record of a role: does the account hold it? */
TW_MUST_USE tw_status ref_is_member(reference *r, uint32_t role, const tw_account *account,
                                    bool *ret_member);
/* Members of a role; of a role of max 1, who it is. */
TW_MUST_USE tw_status ref_role(reference *r, uint32_t role, uint32_t *ret_count,
                               tw_account *ret_holder);
/* Counts one key more or less of a map or registry, with its charge. Traps Full. */
TW_MUST_USE tw_status ref_count(reference *r, const tw_field *f, bool more);
/* Slots before member `member` of the record that is the value type of `f`. */
uint32_t ref_member_at(const tw_module *m, const tw_field *f, uint32_t member);
/* Reads a whole value of the type. TW_ERR_CORRUPT when the bytes are none. */
TW_MUST_USE tw_status ref_decode(const reference *r, uint16_t type, tw_bytes bytes,
                                 int64_t *ret_slots);
tw_account ref_account(const int64_t *slots);

/* ---- the instructions ---- */

/* Runs a function; its arguments stand at the start of `frame`, its results at *ret_results. */
TW_MUST_USE tw_status ref_function(reference *r, uint16_t function, int64_t *frame,
                                   int64_t **ret_results);

/* Each looks whether the instruction is one of its own: *ret_mine. */
TW_MUST_USE tw_status ref_step_number(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_field(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_list(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_thing(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_money(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_reading(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);
TW_MUST_USE tw_status ref_step_people(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine);

/* LOAD and STORE of a registry. */
TW_MUST_USE tw_status ref_thing_load(reference *r, const tw_field *f, const int64_t *key,
                                     int64_t *ret_value);
TW_MUST_USE tw_status ref_thing_store(reference *r, const tw_field *f, const int64_t *key,
                                      const int64_t *value);

/* roles.c. Traps AlreadyMember, Full; NotMember. */
TW_MUST_USE tw_status ref_grant(reference *r, uint32_t role, const tw_account *account);
TW_MUST_USE tw_status ref_revoke(reference *r, uint32_t role, const tw_account *account);

/* An account got or lost a role: it may now be a stranger to its own purses. */
TW_MUST_USE tw_status ref_money_role(reference *r, uint32_t role, const tw_account *account);
/* What must hold of money when the code has ended well, and the timers of purses. */
TW_MUST_USE tw_status ref_money_finish(reference *r);

/* entry.c: a copy of the contract that the run may change, in r->copies, emptied first; the state
 * of a run as at its beginning; the control record written. */
TW_MUST_USE tw_status ref_copy(reference *r, const tw_contract *c, tw_contract **ret_copy);
TW_MUST_USE tw_status ref_start(reference *r, tw_contract *c, const tw_call *call);
TW_MUST_USE tw_status ref_save_control(reference *r);
/* Makes the index of pending edges what the control record and the phase say. */
TW_MUST_USE tw_status ref_pending(reference *r);

/* Starts and stops what a new phase starts and stops. */
TW_MUST_USE tw_status ref_phase_finish(reference *r);
TW_MUST_USE tw_status ref_timer_set(reference *r, uint16_t entry, int64_t due);
/* `from` and the delay of the entry; TW_NEVER when the constant is no time. */
int64_t ref_due(const reference *r, const tw_entry *e, int64_t from);

#endif
