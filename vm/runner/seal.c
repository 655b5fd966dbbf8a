/* seal -- see the header. A text is read loosely and then held against what would be written for
 * it: so there is one spelling, and one place that knows it. */
#include "vm/runner/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum {
    LOG_N_MIN = 10,
    LOG_N_MAX = 23,
    R_MAX = 64,
    P_MAX = 64,
    WORK_LOG_MAX = 30, /* bytes that scrypt goes through, 128 * N * r * p */
    CHECK_SIZE = 8,
    LINES_MAX = 6,
};

static const char old_head[] = "twvm-key 1 ";

enum { OLD_HEAD_SIZE = sizeof old_head - 1, OLD_SIZE = OLD_HEAD_SIZE + 64 + 1 };

bool tw_key_name_is_good(const char *name)
{
    const size_t size = strlen(name);
    if (size == 0 || size > TW_KEY_NAME_MAX || name[0] == '.' || name[0] == '-') return false;
    for (size_t i = 0; i < size; i++) {
        const char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.')) {
            return false;
        }
    }
    return true;
}

tw_seal_cost tw_seal_usual_cost(void)
{
    return (tw_seal_cost){.log_n = 15, .r = 8, .p = 1};
}

/* A file from outside may ask for any work; more than a GiB is refused. */
static bool cost_is_good(tw_seal_cost c)
{
    return c.log_n >= LOG_N_MIN && c.log_n <= LOG_N_MAX && c.r >= 1 && c.r <= R_MAX && c.p >= 1 &&
           c.p <= P_MAX && (UINT64_C(128) << c.log_n) * c.r * c.p <= UINT64_C(1) << WORK_LOG_MAX;
}

/* ---- text ---- */

/* All lines of a sealed key up to its box: what the cipher authenticates. */
static size_t write_before_box(const tw_seal *s, char ret_text[TW_SEAL_TEXT_MAX])
{
    char account[65], salt[33], nonce[25];
    tw_hex_encode(s->account.bytes, sizeof s->account.bytes, account);
    tw_hex_encode(s->salt, sizeof s->salt, salt);
    tw_hex_encode(s->nonce, sizeof s->nonce, nonce);
    const int size = snprintf(ret_text, TW_SEAL_TEXT_MAX,
                              "twvm-key 2\nname %s\naccount %s\nscrypt %u %u %u %s\n"
                              "aes-256-gcm %s ",
                              s->name, account, (unsigned)s->cost.log_n, (unsigned)s->cost.r,
                              (unsigned)s->cost.p, salt, nonce);
    assert(size > 0 && size < TW_SEAL_TEXT_MAX);
    return (size_t)size;
}

static size_t write_plain(const tw_seal *s, char ret_text[TW_SEAL_TEXT_MAX])
{
    char account[65], secret[65];
    tw_hex_encode(s->account.bytes, sizeof s->account.bytes, account);
    tw_hex_encode(s->secret.bytes, sizeof s->secret.bytes, secret);
    const int size =
        snprintf(ret_text, TW_SEAL_TEXT_MAX, "twvm-key 2\nname %s\naccount %s\nplain %s\n", s->name,
                 account, secret);
    OPENSSL_cleanse(secret, sizeof secret);
    assert(size > 0 && size < TW_SEAL_TEXT_MAX);
    return (size_t)size;
}

size_t tw_seal_write(const tw_seal *s, char ret_text[TW_SEAL_TEXT_MAX])
{
    static_assert(10 + 6 + TW_KEY_NAME_MAX + 9 + 64 + 50 + 12 + 24 + 97 + 24 < TW_SEAL_TEXT_MAX,
                  "the longest text has room");
    assert(s->form != TW_SEAL_OLD);
    char check[2 * CHECK_SIZE + 1];
    size_t size = 0;
    if (s->form == TW_SEAL_SEALED) {
        char box[2 * sizeof s->box + 1];
        size = write_before_box(s, ret_text);
        tw_hex_encode(s->box, sizeof s->box, box);
        size += (size_t)snprintf(ret_text + size, TW_SEAL_TEXT_MAX - size, "%s\n", box);
    } else {
        size = write_plain(s, ret_text);
    }
    const tw_hash hash = tw_sha256(ret_text, size);
    tw_hex_encode(hash.bytes, CHECK_SIZE, check);
    size += (size_t)snprintf(ret_text + size, TW_SEAL_TEXT_MAX - size, "check %s\n", check);
    assert(size < TW_SEAL_TEXT_MAX);
    return size;
}

/* What stands behind `word` and a space in the line, up to the next space or its end; moves the
 * line behind it. */
static tw_bytes take(tw_bytes *line, const char *word)
{
    const size_t size = strlen(word);
    if (line->size < size + 1 || memcmp(line->data, word, size) != 0 || line->data[size] != ' ') {
        return tw_bytes_of(NULL, 0);
    }
    const uint8_t *from = line->data + size + 1;
    const size_t left = line->size - size - 1;
    const uint8_t *space = left > 0 ? memchr(from, ' ', left) : NULL;
    const size_t part = space != NULL ? (size_t)(space - from) : left;
    *line = tw_bytes_of(from + part, left - part);
    return tw_bytes_of(from, part);
}

static bool take_hex(tw_bytes *line, const char *word, uint8_t *ret_bytes, size_t size)
{
    const tw_bytes part = take(line, word);
    return part.data != NULL && tw_hex_decode((const char *)part.data, part.size, ret_bytes, size);
}

static bool take_small(tw_bytes *line, const char *word, uint8_t *ret_number)
{
    const tw_bytes part = take(line, word);
    uint32_t number = 0;
    if (part.size == 0 || part.size > 3) return false;
    for (size_t i = 0; i < part.size; i++) {
        if (part.data[i] < '0' || part.data[i] > '9') return false;
        number = number * 10 + (uint32_t)(part.data[i] - '0');
    }
    *ret_number = (uint8_t)number;
    return number <= UINT8_MAX;
}

static bool read_sealed(tw_bytes scrypt, tw_bytes cipher, tw_seal *s)
{
    s->form = TW_SEAL_SEALED;
    return take_small(&scrypt, "scrypt", &s->cost.log_n) && take_small(&scrypt, "", &s->cost.r) &&
           take_small(&scrypt, "", &s->cost.p) && take_hex(&scrypt, "", s->salt, sizeof s->salt) &&
           take_hex(&cipher, "aes-256-gcm", s->nonce, sizeof s->nonce) &&
           take_hex(&cipher, "", s->box, sizeof s->box) && cost_is_good(s->cost);
}

static bool read_plain(tw_bytes line, tw_seal *s)
{
    tw_account account;
    s->form = TW_SEAL_PLAIN;
    return take_hex(&line, "plain", s->secret.bytes, sizeof s->secret.bytes) &&
           tw_secret_account(&s->secret, &account) && tw_account_equal(&account, &s->account);
}

static bool read_lines(tw_bytes text, tw_seal *s)
{
    tw_bytes lines[LINES_MAX];
    uint32_t count = 0;
    for (size_t at = 0; at < text.size && count < LINES_MAX; count++) {
        const uint8_t *from = text.data + at;
        const uint8_t *end = memchr(from, '\n', text.size - at);
        if (end == NULL) return false;
        lines[count] = tw_bytes_of(from, (size_t)(end - from));
        at += lines[count].size + 1;
    }
    if (count < LINES_MAX - 1) return false;
    const tw_bytes name = take(&lines[1], "name");
    if (name.size == 0 || name.size > TW_KEY_NAME_MAX) return false;
    memcpy(s->name, name.data, name.size);
    if (!tw_key_name_is_good(s->name)) return false;
    if (!take_hex(&lines[2], "account", s->account.bytes, 32)) return false;
    return count == LINES_MAX ? read_sealed(lines[3], lines[4], s) : read_plain(lines[3], s);
}

static bool read_old(tw_bytes text, tw_seal *s)
{
    s->form = TW_SEAL_OLD;
    return text.data[OLD_SIZE - 1] == '\n' &&
           tw_hex_decode((const char *)text.data + OLD_HEAD_SIZE, 64, s->secret.bytes, 32) &&
           tw_secret_account(&s->secret, &s->account);
}

static bool is_spelled_so(const tw_seal *s, tw_bytes text)
{
    char again[TW_SEAL_TEXT_MAX];
    const size_t size = tw_seal_write(s, again);
    const bool same = tw_bytes_equal(text, tw_bytes_of(again, size));
    OPENSSL_cleanse(again, sizeof again);
    return same;
}

tw_status tw_seal_read(tw_bytes text, tw_seal *ret_seal)
{
    tw_seal s = {0};
    bool good = false;
    if (text.size == OLD_SIZE && memcmp(text.data, old_head, OLD_HEAD_SIZE) == 0) {
        good = read_old(text, &s);
    } else if (text.size > 0 && text.size < TW_SEAL_TEXT_MAX) {
        good = read_lines(text, &s) && is_spelled_so(&s, text);
    }
    if (good) *ret_seal = s;
    OPENSSL_cleanse(&s.secret, sizeof s.secret);
    return good ? TW_OK : TW_REFUSED_KEY;
}

/* ---- making and opening ---- */

tw_status tw_seal_plain(const char *name, const tw_secret *secret, tw_seal *ret_seal)
{
    tw_seal s = {.form = TW_SEAL_PLAIN};
    assert(tw_key_name_is_good(name));
    snprintf(s.name, sizeof s.name, "%s", name);
    if (!tw_secret_account(secret, &s.account)) return TW_REFUSED_KEY;
    *ret_seal = s;
    ret_seal->secret = *secret;
    return TW_OK;
}

static tw_status derive(const tw_seal *s, tw_bytes passphrase, uint8_t ret_key[32])
{
    assert(cost_is_good(s->cost));
    /* V is 128 * N * r bytes, B 128 * r * p; and room for what the library adds */
    const uint64_t memory = (UINT64_C(128) << s->cost.log_n) * s->cost.r +
                            UINT64_C(128) * s->cost.r * s->cost.p + 64 * 1024;
    const int done =
        EVP_PBE_scrypt((const char *)passphrase.data, passphrase.size, s->salt, sizeof s->salt,
                       UINT64_C(1) << s->cost.log_n, s->cost.r, s->cost.p, memory, ret_key, 32);
    return done == 1 ? TW_OK : TW_ERR_CRYPTO;
}

/* One direction of the cipher: 32 bytes of secret, 32 + 16 in the box. TW_REFUSED_KEY when the tag
 * does not agree. */
static tw_status run_cipher(const tw_seal *s, const uint8_t key[32], bool close, const uint8_t *in,
                            uint8_t *ret_out, uint8_t *tag)
{
    char head[TW_SEAL_TEXT_MAX];
    int size = 0;
    const int head_size = (int)write_before_box(s, head);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (c == NULL) return TW_ERR_MEMORY;
    bool ready = EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, s->nonce, close ? 1 : 0) == 1 &&
                 EVP_CipherUpdate(c, NULL, &size, (const uint8_t *)head, head_size) == 1 &&
                 EVP_CipherUpdate(c, ret_out, &size, in, 32) == 1 && size == 32;
    if (ready && !close) ready = EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1;
    uint8_t rest[16];
    tw_status status = ready ? TW_OK : TW_ERR_CRYPTO;
    if (ready && EVP_CipherFinal_ex(c, rest, &size) != 1) {
        status = close ? TW_ERR_CRYPTO : TW_REFUSED_KEY;
    }
    if (status == TW_OK && close && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1) {
        status = TW_ERR_CRYPTO;
    }
    EVP_CIPHER_CTX_free(c); /* wipes the key in it */
    return status;
}

tw_status tw_seal_close(const char *name, const tw_secret *secret, tw_bytes passphrase,
                        tw_seal_cost cost, tw_seal *ret_seal)
{
    uint8_t key[32];
    tw_seal s = {.form = TW_SEAL_SEALED, .cost = cost};
    assert(tw_key_name_is_good(name));
    snprintf(s.name, sizeof s.name, "%s", name);
    if (!tw_secret_account(secret, &s.account)) return TW_REFUSED_KEY;
    if (getrandom(s.salt, sizeof s.salt, 0) != (ssize_t)sizeof s.salt ||
        getrandom(s.nonce, sizeof s.nonce, 0) != (ssize_t)sizeof s.nonce) {
        return TW_ERR_CRYPTO;
    }
    tw_status status = derive(&s, passphrase, key);
    if (status == TW_OK) status = run_cipher(&s, key, true, secret->bytes, s.box, s.box + 32);
    OPENSSL_cleanse(key, sizeof key);
    if (status == TW_OK) *ret_seal = s;
    return status;
}

tw_status tw_seal_open(const tw_seal *s, tw_bytes passphrase, tw_secret *ret_secret)
{
    if (s->form != TW_SEAL_SEALED) {
        *ret_secret = s->secret;
        return TW_OK;
    }
    uint8_t key[32], tag[16];
    tw_secret secret;
    tw_account account;
    memcpy(tag, s->box + 32, sizeof tag);
    tw_status status = derive(s, passphrase, key);
    if (status == TW_OK) status = run_cipher(s, key, false, s->box, secret.bytes, tag);
    OPENSSL_cleanse(key, sizeof key);
    /* the account is authenticated too; but a signature with another key than the one that is
     * shown must be impossible, not only unlikely */
    if (status == TW_OK &&
        (!tw_secret_account(&secret, &account) || !tw_account_equal(&account, &s->account))) {
        status = TW_REFUSED_KEY;
    }
    if (status == TW_OK) *ret_secret = secret;
    OPENSSL_cleanse(&secret, sizeof secret);
    return status;
}
