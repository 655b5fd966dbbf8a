/* passphrase -- where the passphrases of a command come from: files that were named, or a terminal.
 *
 * Called by the keyring when a sealed key is needed or a new one is made, not before. Each is asked
 * for once a command: those that are known are tried first with every further key. With files
 * nothing is asked. They are never taken from the command line or the environment themselves, where
 * others can read them. They lie in guarded memory and are wiped at the end.
 */
#ifndef TW_RUNNER_PASSPHRASE_H
#define TW_RUNNER_PASSPHRASE_H

#include "vm/base/bytes.h"

typedef struct tw_passphrases tw_passphrases;

enum { TW_PASSPHRASES_MAX = 8 };

tw_passphrases *tw_passphrases_new(void);    /* NULL without memory */
void tw_passphrases_free(tw_passphrases *p); /* NULL is allowed */

/* A file whose first line is a passphrase; it is read when one is needed. The path stays the
 * caller's. TW_REFUSED_LIMIT over TW_PASSPHRASES_MAX. */
TW_MUST_USE tw_status tw_passphrases_add_file(tw_passphrases *p, const char *path);

/* Those known, files first: the index-th, or no bytes behind the last. They stay where they are. */
TW_MUST_USE tw_status tw_passphrases_known(tw_passphrases *p, uint32_t index,
                                           tw_bytes *ret_passphrase, tw_err *err);
/* Files were named: when none of them fits, none will. */
bool tw_passphrases_from_files(const tw_passphrases *p);
/* Asks on the terminal, without echo; it counts as known until it is dropped. */
TW_MUST_USE tw_status tw_passphrases_ask(tw_passphrases *p, const char *question,
                                         tw_bytes *ret_passphrase, tw_err *err);
void tw_passphrases_drop(tw_passphrases *p); /* the one asked for last: it did not fit */

/* For something new: the first one known, else asked for twice. `question` as above. */
TW_MUST_USE tw_status tw_passphrases_choose(tw_passphrases *p, const char *question,
                                            tw_bytes *ret_passphrase, tw_err *err);

#endif
