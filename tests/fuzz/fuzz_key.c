/* fuzz_key -- any bytes as the text of a key: what can be read is spelled as it would be written,
 * and opening it refuses or gives the secret of its account. A good check is put behind the bytes
 * too: without it hardly any change would come past it. */
#include "tests/fuzz/check.h"
#include "vm/runner/seal.h"

#include <string.h>

enum { CHECK_LINE_SIZE = 6 + 16 + 1, CHEAP_LOG_N = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_text(const char *text, size_t size)
{
    char again[TW_SEAL_TEXT_MAX];
    tw_seal seal;
    tw_secret secret;
    tw_account account;
    if (tw_seal_read(tw_bytes_of(text, size), &seal) != TW_OK) return;
    if (seal.form != TW_SEAL_OLD) {
        check(tw_seal_write(&seal, again) == size && memcmp(again, text, size) == 0);
        check(tw_key_name_is_good(seal.name));
    }
    if (seal.form == TW_SEAL_SEALED &&
        (seal.cost.log_n > CHEAP_LOG_N || seal.cost.r * seal.cost.p > 8)) {
        return;
    }
    const tw_status status = tw_seal_open(&seal, tw_bytes_of("passphrase", 10), &secret);
    check(status == TW_OK || status == TW_REFUSED_KEY);
    if (status == TW_OK) {
        check(tw_secret_account(&secret, &account) && tw_account_equal(&account, &seal.account));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * TW_SEAL_TEXT_MAX];
    if (size > sizeof text) return 0;
    memcpy(text, data, size);
    read_text(text, size);
    if (size < CHECK_LINE_SIZE) return 0;
    const size_t body = size - CHECK_LINE_SIZE;
    char digits[17];
    const tw_hash hash = tw_sha256(text, body);
    tw_hex_encode(hash.bytes, 8, digits);
    memcpy(text + body, "check ", 6);
    memcpy(text + body + 6, digits, 16);
    text[size - 1] = '\n';
    read_text(text, size);
    return 0;
}
