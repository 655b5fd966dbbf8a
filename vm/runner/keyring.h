/* keyring -- the named keys of a ledger folder: one file a key, DIR/keys/NAME.key, mode 0600.
 *
 * Called by the commands that sign, and wherever an account is shown by its name. What the files
 * say is in seal.h: names and accounts can be read by whoever reads the file, secrets are sealed
 * with a passphrase. A keyring that is made insecure (DIR/keys/insecure is there) makes plain keys
 * instead, for tests; in any other a plain key does not sign. A file is written whole or not at
 * all, and is on the disk when a function returns.
 */
#ifndef TW_RUNNER_KEYRING_H
#define TW_RUNNER_KEYRING_H

#include "vm/runner/passphrase.h"
#include "vm/runner/seal.h"

enum { TW_KEYS_MAX = 65536 };

typedef struct tw_named_key {
    char name[TW_KEY_NAME_MAX + 1];
    tw_account account;
    bool sealed; /* its file is encrypted */
} tw_named_key;

typedef struct tw_keyring tw_keyring;

/* Reads DIR/keys, which is made when it is not there. Errors name the file. */
TW_MUST_USE tw_status tw_keyring_open(const char *dir, tw_keyring **ret_keyring, tw_err *err);
void tw_keyring_close(tw_keyring *keyring); /* NULL is allowed; wipes what is unlocked */

/* For a new ledger: makes DIR/keys and says what its keys shall be. TW_REFUSED_ARGUMENT when it is
 * there and says otherwise. */
TW_MUST_USE tw_status tw_keyring_create(const char *dir, bool insecure, tw_err *err);
bool tw_keyring_is_insecure(const tw_keyring *keyring);

/* Where passphrases come from; stays the caller's. Without it sealed keys cannot be used. */
void tw_keyring_set_passphrases(tw_keyring *keyring, tw_passphrases *passphrases);

uint32_t tw_keyring_count(const tw_keyring *keyring);
const tw_named_key *tw_keyring_at(const tw_keyring *keyring, uint32_t index); /* by name */
const tw_named_key *tw_keyring_find(const tw_keyring *keyring, const char *name);
const tw_named_key *tw_keyring_of(const tw_keyring *keyring, const tw_account *account);

/* The secret of a key, which the caller wipes. The first time it takes the passphrase and a tenth
 * of a second, then it is known until the keyring is closed. */
TW_MUST_USE tw_status tw_keyring_secret(tw_keyring *keyring, const tw_named_key *key,
                                        tw_secret *ret_secret, tw_err *err);
/* The same, for a command that shall fail before it has done anything. */
TW_MUST_USE tw_status tw_keyring_unlock(tw_keyring *keyring, const tw_named_key *key, tw_err *err);

/* A new random key, or the one of a seed text (NULL: random); its file is there afterwards.
 * TW_REFUSED_ARGUMENT when the name is taken or no name. */
TW_MUST_USE tw_status tw_keyring_add(tw_keyring *keyring, const char *name, const char *seed,
                                     const tw_named_key **ret_key, tw_err *err);
/* The key of an exported text; `from` names it in errors. A sealed one stays sealed with its
 * passphrase, a plain one becomes what a new key would be. */
TW_MUST_USE tw_status tw_keyring_import(tw_keyring *keyring, const char *name, tw_bytes text,
                                        const char *from, const tw_named_key **ret_key,
                                        tw_err *err);
/* Its text: sealed (a plain key with a passphrase chosen for it), or plain. The caller wipes it. */
TW_MUST_USE tw_status tw_keyring_export(tw_keyring *keyring, const tw_named_key *key, bool plain,
                                        char ret_text[TW_SEAL_TEXT_MAX], tw_err *err);
/* Seals the file anew with a passphrase chosen from `fresh`. */
TW_MUST_USE tw_status tw_keyring_reseal(tw_keyring *keyring, const char *name,
                                        tw_passphrases *fresh, tw_err *err);
/* Removes the file. */
TW_MUST_USE tw_status tw_keyring_remove(tw_keyring *keyring, const char *name, tw_err *err);

/* "no key is named bbo; there are: alice, bob; twvm -d DIR key new bbo makes one" */
TW_MUST_USE tw_status tw_keyring_refuse(const tw_keyring *keyring, const char *name, tw_err *err);

#endif
