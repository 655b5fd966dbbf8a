/* ahead -- transactions that are expected next: taken apart and their signatures checked by a crew
 * before their turn comes.
 *
 * Called by the ledger only. What is found out holds for the bytes that were copied here, and is
 * used only for a transaction of exactly these bytes, taken apart in the copy: so it makes no
 * difference whether a transaction was expected. Nothing of the state is read; the order of checks
 * and what is refused stay the ledger's.
 */
#ifndef TW_LEDGER_AHEAD_H
#define TW_LEDGER_AHEAD_H

#include "vm/base/crew.h"
#include "vm/ledger/tx.h"

typedef struct tw_ahead tw_ahead;

/* What is known of a transaction before it is executed. */
typedef struct tw_checked {
    tw_status decoded; /* of tw_tx_decode */
    tw_tx tx;
    tw_status signatures;   /* of tw_tx_check_signatures; looked at when decoded */
    tw_status pack_decoded; /* of a pack: of tw_pack_decode */
    tw_pack pack;
    bool pack_good; /* the device's signature; looked at when those of the transaction are good */
} tw_checked;

/* `crew`, `chain` and `known` are borrowed and must outlive it. NULL without memory. */
tw_ahead *tw_ahead_new(tw_crew *crew, const tw_hash *chain, tw_known *known);
void tw_ahead_free(tw_ahead *ahead); /* NULL is allowed */

/* Copies transactions to the end of the queue, as many as there is room for; how many. The queue
 * holds 1,024 transactions and 16 MiB of their bytes. */
size_t tw_ahead_expect(tw_ahead *ahead, const tw_bytes *transactions, size_t count);

bool tw_ahead_is_empty(const tw_ahead *ahead);

/* What is known of the transaction with these bytes, waited for when it is not yet ready; expected
 * ones before it are given up. NULL when it was not expected, or there was no memory for it. Good
 * until the next call of take, release, expect or forget. */
const tw_checked *tw_ahead_take(tw_ahead *ahead, tw_bytes transaction);
void tw_ahead_release(tw_ahead *ahead);

/* Gives all of them up: those of a block that was dropped or refused may never be taken. */
void tw_ahead_forget(tw_ahead *ahead);

#endif
