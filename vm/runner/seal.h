/* seal -- a secret key as the text of a file: sealed with a passphrase, or plain.
 *
 * Called by the keyring. A sealed key:
 *
 *     twvm-key 2
 *     name alice
 *     account <64 hex digits: the public key>
 *     scrypt 15 8 1 <32 hex digits: salt>             log2 N, r, p
 *     aes-256-gcm <24: nonce> <96: secret and tag>
 *     check <16: the first 8 bytes of the SHA-256 of all lines before>
 *
 * A plain one has `plain <64: secret>` in the place of the two lines in the middle. The key of the
 * cipher is scrypt (RFC 7914) of the passphrase; what it authenticates besides the secret is all
 * of the text before it. The check tells damage from a wrong passphrase, without a passphrase: it
 * keeps nobody from writing another file. The text of a key is unique: any other spelling of it is
 * refused. The form before this one, one line `twvm-key 1 <64: secret>`, is read but not written.
 */
#ifndef TW_RUNNER_SEAL_H
#define TW_RUNNER_SEAL_H

#include "vm/base/bytes.h"
#include "vm/base/sign.h"

enum {
    TW_KEY_NAME_MAX = 64,
    TW_SEAL_TEXT_MAX = 512,
    TW_PASSPHRASE_MIN = 8, /* bytes, of a new one */
    TW_PASSPHRASE_MAX = 1024,
};

/* How dear it is to try one passphrase: time and 128 * r * 2^log_n bytes of memory. */
typedef struct tw_seal_cost {
    uint8_t log_n, r, p;
} tw_seal_cost;

typedef enum tw_seal_form { TW_SEAL_OLD, TW_SEAL_PLAIN, TW_SEAL_SEALED } tw_seal_form;

typedef struct tw_seal {
    tw_seal_form form;
    char name[TW_KEY_NAME_MAX + 1]; /* "" in the old form */
    tw_account account;
    tw_seal_cost cost; /* from here on of a sealed one only */
    uint8_t salt[16];
    uint8_t nonce[12];
    uint8_t box[32 + 16];
    tw_secret secret; /* of the others; whoever holds it wipes it */
} tw_seal;

/* Letters, digits, `_`, `-` and `.`, not first; at most 64. */
bool tw_key_name_is_good(const char *name);

/* What a new key gets: 32 MiB and about a tenth of a second. */
tw_seal_cost tw_seal_usual_cost(void);

/* TW_REFUSED_KEY when the text is not exactly that of a key, or asks for more than 1 GiB of work.
 */
TW_MUST_USE tw_status tw_seal_read(tw_bytes text, tw_seal *ret_seal);
/* `ret_text` ends with a NUL behind its last line. Not for the old form. */
size_t tw_seal_write(const tw_seal *seal, char ret_text[TW_SEAL_TEXT_MAX]);

TW_MUST_USE tw_status tw_seal_plain(const char *name, const tw_secret *secret, tw_seal *ret_seal);
/* With a salt and a nonce of its own. TW_ERR_CRYPTO when the library fails: without memory. */
TW_MUST_USE tw_status tw_seal_close(const char *name, const tw_secret *secret, tw_bytes passphrase,
                                    tw_seal_cost cost, tw_seal *ret_seal);
/* TW_REFUSED_KEY when the passphrase does not fit or the text was made by somebody else;
 * TW_ERR_CRYPTO as above. A plain one opens with any passphrase. */
TW_MUST_USE tw_status tw_seal_open(const tw_seal *seal, tw_bytes passphrase, tw_secret *ret_secret);

#endif
