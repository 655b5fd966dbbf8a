/* receipt -- what a transaction, a timer or a handler did, as bytes that a block commits to.
 *
 *     receipt: u8 kind | transaction id 32 (zero but for TX) | run | u8 parts | [pack part] |
 *              [fee part] | u16 handlers | their runs
 *     run:     contract 32 | u16 entry | u16 status | u16 index | u16 size, fields | u64 gas |
 *              u32 writes | u32 size, notices
 *     parts:   1 with a pack part, 2 with a fee part, or their sum
 *     pack part (kind TX of a pack that was taken in): u32 accepted | u16 refused, each: u16 place,
 *              u8 reason | u32 edges, each: u16 alarm, u8 edge, i64 time
 *     fee part (where there is a fee): u64 fee, 1 to 2^63 - 1
 *
 * Nothing in it depends on the host. Made by the ledger, read by the runner.
 */
#ifndef TW_LEDGER_RECEIPT_H
#define TW_LEDGER_RECEIPT_H

#include "vm/exec/exec.h"
#include "vm/exec/intake.h"
#include "vm/ledger/notices.h"

typedef struct tw_receipt {
    uint8_t kind;
    tw_hash transaction;
    tw_run run;
    bool has_intake;
    tw_intake intake;
    int64_t fee;      /* taken from the sender; of what the clock started, from the fuel */
    tw_run *handlers; /* runs that edges of the pack caused, in order; of a tick its timer's */
    uint16_t handler_count;
} tw_receipt;

void tw_receipt_encode(const tw_receipt *receipt, tw_writer *w);
/* Lists come from `arena`, bytes are borrowed. */
TW_MUST_USE tw_status tw_receipt_decode(tw_reader *r, tw_arena *arena, tw_receipt *ret_receipt);

#endif
