/* machine -- the inside of a tw_exec, shared by the loop (interp.c), the instructions that reach
 * the state (native.c), the running of entries (run.c) and the intake. Nobody else includes it. */
#ifndef TW_EXEC_MACHINE_H
#define TW_EXEC_MACHINE_H

#include "vm/exec/exec.h"
#include "vm/exec/window.h"
#include "vm/isa/value.h"

typedef struct tw_loop {
    int64_t next;
    int64_t count;
    const tw_insn *first; /* of the body: END need not reckon where it is */
} tw_loop;

typedef struct tw_frame {
    const tw_insn *back; /* the CALL to go on after */
    tw_loop *loop;       /* the caller's innermost one */
    uint32_t base;       /* of the caller's slots */
    uint16_t function;   /* of the caller */
} tw_frame;

/* What an entry has done with money so far; all zero while `used` is not set. */
typedef struct tw_till {
    bool used;
    bool touched[TW_PURSES_MAX];  /* purses whose amount changed */
    int64_t strangers;            /* accounts that have money in a purse of a role they lack */
    int64_t held[TW_MONIES_MAX];  /* put into balances and purses, less what was taken out */
    int64_t made[TW_MONIES_MAX];  /* made less destroyed */
    int64_t spent[TW_SPENDS_MAX]; /* of what the sender allows */
} tw_till;

enum { TW_LOOK_BITS = 3, TW_LOOK_SLOTS = 4 };

/* Where the value of a field under a key of few slots was found. */
typedef struct tw_look {
    uint32_t field;
    int64_t slots[TW_LOOK_SLOTS];
    tw_cell *cell;
} tw_look;

struct tw_exec {
    int64_t *stack;   /* TW_STACK_SLOTS_MAX slots */
    int64_t *scratch; /* 2 TW_SAMPLES_MAX values: for order statistics, or a record on its way */
    tw_frame frames[TW_CALL_DEPTH_MAX];
    tw_loop loops[1 + TW_CALL_DEPTH_MAX * TW_LOOP_NEST_MAX];
    tw_loop *loop; /* the innermost one; loops[0] stands for none */
    uint32_t depth;
    uint32_t base;     /* first slot of the running function's frame */
    uint16_t function; /* the running one */

    tw_contract *contract;
    const int64_t *constants; /* of its module */
    const tw_call *call;
    bool phase_changed;
    bool window_open; /* `window` is that of the one device of its reading, as it is now */
    uint16_t stat_of; /* reading of the statistic before in this run, or TW_NONE */
    bool takes_in;    /* a pack: nothing changes windows but the intake, so one may stay open */
    tw_window window; /* of the last statistic */
    tw_till till;
    uint32_t looks_known; /* bit i: looks[i] was met in this run */
    tw_look looks[1 << TW_LOOK_BITS];

    tw_status stopped; /* TW_OK after the last RET */
    uint16_t index;    /* of an error, invariant or check */
    const tw_insn *at; /* where it stopped */
    const int64_t *result;
    uint64_t gas;
    uint32_t events;
    uint32_t histories;
    tw_writer notices;
    tw_writer fields; /* of an error, or a view's result */
    tw_writer value;  /* a value on its way into the state or a notice */
};

static inline const tw_module *tw_exec_module(const tw_exec *x)
{
    return x->contract->code->module;
}

/* The account in four slots. */
static inline tw_account tw_slots_account(const int64_t *slots)
{
    tw_account account;
    tw_slots_to_bytes32(slots, account.bytes);
    return account;
}

/* Runs a function whose arguments stand in stack[0..]; x->stopped and x->result say how it ended.
 */
void tw_interpret(tw_exec *x, uint16_t function);

/* purse.c: a role was granted or revoked; and what must hold when the code of an entry has ended
 * well: NotMember, or TW_ERR_INTERNAL when money came from nowhere. Sets the timers of purses. */
TW_MUST_USE tw_status tw_purse_role_changed(tw_exec *x, uint16_t role, const tw_account *account,
                                            bool granted);
TW_MUST_USE tw_status tw_purse_finish(tw_exec *x);

/* The instructions that opcodes.def names NATIVE or METERED: TW_OK, a trap, or a host failure. `s`
 * are the frame's slots. */
#define TW_NATIVES_RUN_ON(macro, name)
#define TW_NATIVES_RUN_END(macro, name)
#define TW_NATIVES_NATIVE_ON(macro, name) macro(name)
#define TW_NATIVES_NATIVE(macro, name) macro(name)
#define TW_NATIVES_METERED(macro, name) macro(name)
#define PROTOTYPE(name)                                                                            \
    TW_MUST_USE tw_status tw_native_##name(tw_exec *x, int64_t *s, const tw_insn *i);
#define OP(number, name, shape, gas, run, effects, text) TW_NATIVES_##run(PROTOTYPE, name)
#include "vm/isa/opcodes.def"
#undef OP
#undef PROTOTYPE

/* LOAD and STORE of a registry's field: thing.c. Traps NoKey; STORE also Retired, and BadValue when
 * the key or a list of things would become another. */
TW_MUST_USE tw_status tw_thing_load(tw_exec *x, uint32_t registry, const int64_t *key,
                                    int64_t *ret_value);
TW_MUST_USE tw_status tw_thing_store(tw_exec *x, uint32_t registry, const int64_t *key,
                                     const int64_t *value);

#endif
