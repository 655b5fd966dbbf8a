/* sign -- accounts and BIP 340 signatures, through libsecp256k1.
 *
 * An account is an x-only public key. Signing is deterministic here: no auxiliary
 * randomness, so a test and a replay make the same bytes (BIP 340 allows it).
 */
#ifndef TW_BASE_SIGN_H
#define TW_BASE_SIGN_H

#include "vm/base/hash.h"
#include "vm/base/status.h"

int tw_account_compare(const tw_account *a, const tw_account *b);

/* Accounts that were seen before, as points of the curve: finding the point of an account takes a
 * square root, a tenth of a check. Holds 8,192 of them in 0.75 MiB; others take the places of those
 * that came first. What it answers is what tw_verify and tw_account_is_valid do, whatever it holds.
 * Any number of threads may use one. */
typedef struct tw_known tw_known;

/* NULL without memory. */
tw_known *tw_known_new(void);
void tw_known_free(tw_known *known); /* NULL is allowed */

/* As tw_verify and tw_account_is_valid; NULL: nothing is known. About 45 us, and 50 ns. */
bool tw_known_verify(tw_known *known, const tw_account *account, const tw_hash *message,
                     const tw_signature *signature);
bool tw_known_is_valid(tw_known *known, const tw_account *account);

#endif
