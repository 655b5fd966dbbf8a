/* engine -- verified code, made once for a process and shared by its ledgers.
 *
 * Called by a ledger for each module it meets; whoever embeds several ledgers gives them one
 * engine. Any thread may call. A code that somebody holds stays; of the rest, those that were not
 * used for the longest time go when all together take more than the engine may have.
 */
#ifndef TW_LEDGER_ENGINE_H
#define TW_LEDGER_ENGINE_H

#include "vm/exec/code.h"

/* What a decoded module depends on beside its bytes: what instructions mean, and what they cost. */
typedef struct tw_engine_key {
    tw_hash code;
    uint32_t semantics;
    uint32_t gas_schedule;
} tw_engine_key;

/* The code of this key, held until it is given back. *ret_code NULL when it is not there. */
void tw_engine_find(tw_engine *engine, const tw_engine_key *key, const tw_code **ret_code);

/* The same, made of `module` when it is not there: not verified yet, but the caller has computed
 * its hash and put it into the key. */
TW_MUST_USE tw_status tw_engine_get(tw_engine *engine, const tw_engine_key *key, tw_bytes module,
                                    const tw_code **ret_code, tw_err *err);

void tw_engine_release(tw_engine *engine, const tw_code *code); /* NULL is allowed */

/* Memory of all codes now. */
size_t tw_engine_bytes(tw_engine *engine);

#endif
