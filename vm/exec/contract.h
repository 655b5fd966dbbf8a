/* contract -- one deployed contract in memory while its entries run, and its records in the state.
 *
 * Opened by the ledger for a transaction, a timer or a handler; used by the interpreter and the
 * intake. What `deploy` fixed (parameters, deploy constants) is read once; the control record
 * (phase, alarms, timers, history head) is read at each entry and written back once at its end if
 * it changed.
 */
#ifndef TW_EXEC_CONTRACT_H
#define TW_EXEC_CONTRACT_H

#include "vm/exec/bank.h"
#include "vm/exec/code.h"
#include "vm/exec/keys.h"
#include "vm/state/overlay.h"

typedef enum tw_edge { TW_EDGE_NONE = 0, TW_EDGE_RAISED = 1, TW_EDGE_CLEARED = 2 } tw_edge;

typedef struct tw_alarm_state {
    bool up;
    uint8_t edge;     /* tw_edge: pending, for a handler */
    uint8_t attempts; /* failed ones of the pending edge */
    int64_t time;     /* device time of the reading that caused the edge */
    int64_t due;      /* not to be tried before */
    int64_t indexed;  /* due time of its key in TW_SPACE_PENDING, or TW_NEVER */
} tw_alarm_state;

typedef struct tw_timer_state {
    int64_t due;      /* of its key in TW_SPACE_TIMER, or TW_NEVER; without fuel it has no key */
    uint8_t attempts; /* failed ones */
} tw_timer_state;

#define TW_NEVER INT64_MIN

typedef struct tw_control {
    uint16_t phase;
    int64_t phase_since;
    uint64_t grants; /* counter: each grant of a sensor role takes the next number */
    uint64_t history_count;
    tw_hash history_head;
    tw_alarm_state *alarms; /* alarm_count */
    tw_timer_state *timers; /* entry_count; used by every, after, silent, falls */
} tw_control;

typedef struct tw_contract {
    tw_hash id;
    const tw_code *code;
    tw_overlay *overlay;
    tw_account deployer;
    int64_t deployed_at;
    int64_t *params;   /* code->param_slots */
    int64_t *deployed; /* deploy constants */
    tw_hash *assets;   /* of each money of the module */
    tw_control control;
    bool control_changed;   /* it is no more what `control_bytes` say */
    uint8_t *control_bytes; /* its record as it was read or written last */
    size_t control_size;    /* 0 before */
} tw_contract;

/* An empty contract for `code`, memory from `arena`: for deploy, and for open. */
TW_MUST_USE tw_status tw_contract_new(const tw_hash *id, const tw_code *code, tw_overlay *overlay,
                                      tw_arena *arena, tw_contract **ret_contract);

/* The hash of the module of a deployed contract. *ret_found false when there is none. */
TW_MUST_USE tw_status tw_contract_find(tw_overlay *overlay, const tw_hash *id, tw_hash *ret_code,
                                       bool *ret_found);

/* Reads both records. TW_ERR_CORRUPT when they do not fit the code. */
TW_MUST_USE tw_status tw_contract_load(tw_contract *contract);

/* Reads the control record again: at each entry, and after an undo. */
TW_MUST_USE tw_status tw_contract_load_control(tw_contract *contract);

TW_MUST_USE tw_status tw_contract_save(tw_contract *contract); /* the record of deploy */
TW_MUST_USE tw_status tw_contract_save_control(tw_contract *contract);

/* ---- roles ---- */

TW_MUST_USE tw_status tw_role_has(tw_contract *c, uint16_t role, const tw_account *account,
                                  bool *ret_member);
/* How many members; for a role of max 1 also who. */
TW_MUST_USE tw_status tw_role_read(tw_contract *c, uint16_t role, uint32_t *ret_count,
                                   tw_account *ret_holder);
/* The first member, in the order of the accounts, that comes after `after`; NULL: of all. */
TW_MUST_USE tw_status tw_role_next(tw_contract *c, uint16_t role, const tw_account *after,
                                   tw_account *ret_member, bool *ret_found);
/* Traps AlreadyMember, Full. Gives the device record its grant number if readings come from the
 * role. */
TW_MUST_USE tw_status tw_role_grant(tw_contract *c, uint16_t role, const tw_account *account,
                                    int64_t now);
/* Traps NotMember. Empties the windows and stamps of the readings that come from the role. */
TW_MUST_USE tw_status tw_role_revoke(tw_contract *c, uint16_t role, const tw_account *account,
                                     int64_t now);

bool tw_role_is_sensor(const tw_module *m, uint16_t role);

/* ---- purses: vm/exec/purse.c ---- */

/* The state's key of what a purse holds: of a member, or (NULL) in all. */
tw_key tw_purse_key(const tw_hash *contract, const tw_purse *purse, const tw_account *member);

/* ---- timers: vm/exec/timer.c ---- */

/* Sets or moves the timer of an entry; TW_NEVER takes it away. */
TW_MUST_USE tw_status tw_timer_set(tw_contract *c, uint16_t entry, int64_t due);
/* After a change of phase: stops what runs no more, starts what begins. */
TW_MUST_USE tw_status tw_timer_phase(tw_contract *c, int64_t now);
/* When `silent for D` of the entry becomes true, from the readings as they stand. */
TW_MUST_USE tw_status tw_timer_silent_due(tw_contract *c, uint16_t entry, int64_t *ret_due);
/* A purse that falls to somebody has changed: the timer of its entry counts anew, or stops. */
TW_MUST_USE tw_status tw_timer_falls(tw_contract *c, uint16_t entry, bool filled, int64_t now);
/* At deploy: starts every, silent, and the after of the first phase. */
TW_MUST_USE tw_status tw_timer_deploy(tw_contract *c);
/* The first deploy + k * delay after `now`: of `every`. */
int64_t tw_timer_period(const tw_contract *c, uint16_t entry, int64_t now);
/* After an upgrade, with no timer filed: starts all of them; `after` counts from when the phase
 * began, `falls` from `now`. */
TW_MUST_USE tw_status tw_timer_upgrade(tw_contract *c, int64_t now);
/* Makes the index of pending edges agree with the control record and the phase. */
TW_MUST_USE tw_status tw_pending_index(tw_contract *c);
/* The entry that handles the pending edge of `alarm` in the present phase, or TW_NONE. */
uint16_t tw_pending_handler(const tw_contract *c, uint16_t alarm);
/* True when some phase has a handler for this edge: others are dropped when they happen. */
bool tw_pending_wanted(const tw_module *m, uint16_t alarm, tw_edge edge);
/* After failed attempt number `attempts`: 1 min, doubling to 1 day. */
int64_t tw_retry_delay(uint8_t attempts);

#endif
