/* intake -- takes the readings of a good pack into the windows, one after another.
 *
 * Called by the ledger after it has checked the pack as a whole. Each reading is taken or refused
 * by itself: window, stamps and alarm bits of one reading are brought up to date before the next is
 * looked at. Runs no author code but the alarms' conditions, and cannot trap. The control record is
 * saved.
 */
#ifndef TW_EXEC_INTAKE_H
#define TW_EXEC_INTAKE_H

#include "vm/exec/device.h"
#include "vm/exec/exec.h"

typedef struct tw_pack_reading {
    uint16_t reading; /* TW_NONE: a field that the contract does not declare */
    int64_t time;     /* 0 <= time < 2^52 */
    int64_t value;
} tw_pack_reading;

typedef struct tw_edge_note {
    uint16_t alarm;
    uint8_t edge; /* tw_edge */
    int64_t time;
} tw_edge_note;

typedef struct tw_refused {
    uint16_t place; /* in the pack */
    uint8_t reason; /* tw_refusal */
} tw_refused;

typedef struct tw_intake {
    uint32_t accepted;
    tw_refused *refused;
    uint32_t refused_count;
    tw_edge_note *edges;
    uint32_t edge_count;
    uint64_t gas;
} tw_intake;

/* `now` is the block's time. Lists come from `arena`. Only host failures are returned. */
TW_MUST_USE tw_status tw_intake_run(tw_exec *exec, tw_contract *contract, const tw_account *device,
                                    const tw_pack_reading *readings, uint16_t count, int64_t now,
                                    tw_arena *arena, tw_intake *ret_intake);

#endif
