/* sign -- accounts and BIP 340 signatures, through libsecp256k1.
 *
 * An account is an x-only public key. Signing is deterministic here: no auxiliary
 * randomness, so a test and a replay make the same bytes (BIP 340 allows it).
 */
#ifndef TW_BASE_SIGN_H
#define TW_BASE_SIGN_H

#include "vm/base/hash.h"
#include "vm/base/status.h"

typedef struct tw_account {
    uint8_t bytes[32]; /* x-only secp256k1 public key */
} tw_account;

typedef struct tw_secret {
    uint8_t bytes[32];
} tw_secret;

typedef struct tw_signature {
    uint8_t bytes[64];
} tw_signature;

bool tw_account_equal(const tw_account *a, const tw_account *b);
int tw_account_compare(const tw_account *a, const tw_account *b);

/* False when the secret is 0 or not below the group order. */
bool tw_secret_account(const tw_secret *secret, tw_account *ret_account);
bool tw_sign(const tw_secret *secret, const tw_hash *message, tw_signature *ret_signature);

/* False for a bad signature and for an account that is no point of the curve. Thread-safe.
 * Cost: tens of microseconds. */
bool tw_verify(const tw_account *account, const tw_hash *message, const tw_signature *signature);

/* True when the 32 bytes are an x coordinate on the curve. */
bool tw_account_is_valid(const tw_account *account);

/* A fresh secret from the operating system's random source. Runner only: never in the VM. */
TW_MUST_USE tw_status tw_secret_random(tw_secret *ret_secret);

/* A secret from a seed text: for tests and demos, whose keys must be the same each time. */
void tw_secret_from_seed(const char *seed, tw_secret *ret_secret);

#endif
