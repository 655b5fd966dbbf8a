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

#endif
