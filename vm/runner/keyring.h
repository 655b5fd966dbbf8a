/* keyring -- the named keys of a ledger folder: one file a key, DIR/keys/NAME.key, mode 0600.
 *
 * Called by the commands that sign, and wherever an account is shown by its name. A key file is
 * one line, "twvm-key 1 " and the secret in hex; it is written whole or not at all. Secrets are
 * plain: who can read the file can sign.
 */
#ifndef TW_RUNNER_KEYRING_H
#define TW_RUNNER_KEYRING_H

#include "vm/base/sign.h"

enum { TW_KEY_NAME_MAX = 64, TW_KEYS_MAX = 65536 };

typedef struct tw_named_key {
    char name[TW_KEY_NAME_MAX + 1];
    tw_account account;
    tw_secret secret;
} tw_named_key;

typedef struct tw_keyring tw_keyring;

/* Letters, digits, `_`, `-` and `.`, not first; at most 64. */
bool tw_key_name_is_good(const char *name);

/* Reads DIR/keys, which is made when it is not there. Errors name the file. */
TW_MUST_USE tw_status tw_keyring_open(const char *dir, tw_keyring **ret_keyring, tw_err *err);
void tw_keyring_close(tw_keyring *keyring); /* NULL is allowed; wipes the secrets */

uint32_t tw_keyring_count(const tw_keyring *keyring);
const tw_named_key *tw_keyring_at(const tw_keyring *keyring, uint32_t index); /* by name */
const tw_named_key *tw_keyring_find(const tw_keyring *keyring, const char *name);
const tw_named_key *tw_keyring_of(const tw_keyring *keyring, const tw_account *account);

/* A new random key, or the one of a seed text (NULL: random); its file is there afterwards.
 * TW_REFUSED_ARGUMENT when the name is taken or no name. */
TW_MUST_USE tw_status tw_keyring_add(tw_keyring *keyring, const char *name, const char *seed,
                                     const tw_named_key **ret_key, tw_err *err);

/* "no key is named bbo; there are: alice, bob; twvm -d DIR key new bbo makes one" */
TW_MUST_USE tw_status tw_keyring_refuse(const tw_keyring *keyring, const char *name, tw_err *err);

#endif
