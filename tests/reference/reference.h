/* reference -- a second interpreter of contracts, plain on purpose: what opcodes.def, the other
 * tables and the language say, done word by word of the module, without decoding and without
 * tricks.
 *
 * Called by both.c, which runs it beside the machine and compares. It works on an overlay as the
 * machine does and on a copy of the contract; whoever calls it marks the overlay before, and undoes
 * or keeps after. README.md says what it shares with the machine.
 */
#ifndef TW_TEST_REFERENCE_REFERENCE_H
#define TW_TEST_REFERENCE_REFERENCE_H

#include "vm/exec/intake.h"
#include "vm/exec/window.h"

typedef struct reference reference;

/* What was executed since the start. */
typedef struct ref_totals {
    uint64_t ops[256];
    uint64_t stats[TW_STAT_END]; /* of one window */
    uint64_t across[TW_STAT_END];
    uint64_t outcomes[100]; /* by status */
} ref_totals;

reference *reference_new(void); /* NULL without memory */
void reference_free(reference *r);
const ref_totals *reference_totals(const reference *r);

enum { REF_UNKNOWN = -99 }; /* an instruction that the reference has no rule for */

/* As tw_exec_run, but `contract` stays as it is: what becomes of its records in memory stands in
 * *ret_after, valid until the next run. *ret_used: gas, state keys looked at (what an entry looks
 * at again in the window of a reading that is not per device counts once), keys written, notices,
 * slots. */
TW_MUST_USE tw_status reference_run(reference *r, const tw_contract *contract, const tw_call *call,
                                    tw_outcome *ret_outcome, tw_contract **ret_after,
                                    tw_bounds *ret_used);

/* As tw_exec_condition. */
TW_MUST_USE tw_status reference_condition(reference *r, tw_contract *contract, uint16_t function,
                                          int64_t end, bool *ret_holds, tw_bounds *ret_used);

/* As tw_intake_run; lists, *ret_after and *ret_used as with reference_run, but keys written are not
 * counted, nor what conditions look at, which their gas is for. */
TW_MUST_USE tw_status reference_intake(reference *r, const tw_contract *contract,
                                       const tw_account *device, const tw_pack_reading *readings,
                                       uint16_t count, int64_t now, tw_intake *ret_intake,
                                       tw_contract **ret_after, tw_bounds *ret_used);

#endif
