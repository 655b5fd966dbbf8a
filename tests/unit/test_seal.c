/* test_seal -- keys as text: round trips, wrong passphrases, every byte changed, every length. */
#include "vm/runner/seal.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The cheapest that is taken: what is tested does not depend on the price. */
static const tw_seal_cost cheap = {.log_n = 10, .r = 8, .p = 1};

static tw_bytes bytes_of(const char *text)
{
    return tw_bytes_of(text, strlen(text));
}

static tw_secret secret_of(const char *seed)
{
    tw_secret secret;
    tw_secret_from_seed(seed, &secret);
    return secret;
}

static size_t sealed_text(char ret_text[TW_SEAL_TEXT_MAX])
{
    const tw_secret secret = secret_of("seal");
    tw_seal seal;
    cr_assert_eq(tw_seal_close("alice", &secret, bytes_of("open sesame"), cheap, &seal), TW_OK);
    return tw_seal_write(&seal, ret_text);
}

static bool same_secret(const tw_secret *a, const tw_secret *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

Test(seal, opens_with_its_passphrase_alone)
{
    const tw_secret secret = secret_of("seal");
    char text[TW_SEAL_TEXT_MAX];
    tw_seal seal;
    tw_secret opened;
    tw_account account;
    const size_t size = sealed_text(text);
    cr_assert_eq(tw_seal_read(tw_bytes_of(text, size), &seal), TW_OK);
    cr_assert_eq(seal.form, TW_SEAL_SEALED);
    cr_assert_str_eq(seal.name, "alice");
    cr_assert(tw_secret_account(&secret, &account));
    cr_assert(tw_account_equal(&seal.account, &account));
    cr_assert_eq(tw_seal_open(&seal, bytes_of("open sesame"), &opened), TW_OK);
    cr_assert(same_secret(&opened, &secret));
    static const char *const wrong[] = {"open sesam", "open sesame ", "Open sesame", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        opened = (tw_secret){{7}};
        cr_assert_eq(tw_seal_open(&seal, bytes_of(wrong[i]), &opened), TW_REFUSED_KEY);
        cr_assert(same_secret(&opened, &(tw_secret){{7}}), "left alone");
    }
    /* the secret is nowhere in the text */
    char hex[65];
    tw_hex_encode(secret.bytes, 32, hex);
    cr_assert_null(strstr(text, hex));
}

Test(seal, never_twice_the_same)
{
    char a[TW_SEAL_TEXT_MAX], b[TW_SEAL_TEXT_MAX];
    cr_assert_eq(sealed_text(a), sealed_text(b));
    cr_assert_str_neq(strstr(a, "scrypt"), strstr(b, "scrypt"));
}

Test(seal, the_usual_cost)
{
    const tw_secret secret = secret_of("usual");
    const tw_seal_cost cost = tw_seal_usual_cost();
    tw_seal seal;
    tw_secret opened;
    cr_assert_geq((UINT64_C(128) << cost.log_n) * cost.r, 32 << 20);
    cr_assert_eq(tw_seal_close("a", &secret, bytes_of("p"), cost, &seal), TW_OK);
    cr_assert_eq(tw_seal_open(&seal, bytes_of("p"), &opened), TW_OK);
    cr_assert(same_secret(&opened, &secret));
}

Test(seal, plain_and_old)
{
    const tw_secret secret = secret_of("plain");
    char text[TW_SEAL_TEXT_MAX], hex[65];
    tw_seal seal, read;
    tw_secret opened;
    cr_assert_eq(tw_seal_plain("bob", &secret, &seal), TW_OK);
    const size_t size = tw_seal_write(&seal, text);
    cr_assert_eq(tw_seal_read(tw_bytes_of(text, size), &read), TW_OK);
    cr_assert_eq(read.form, TW_SEAL_PLAIN);
    cr_assert_eq(tw_seal_open(&read, bytes_of(""), &opened), TW_OK);
    cr_assert(same_secret(&opened, &secret));
    tw_hex_encode(secret.bytes, 32, hex);
    const int old = snprintf(text, sizeof text, "twvm-key 1 %s\n", hex);
    cr_assert_eq(tw_seal_read(tw_bytes_of(text, (size_t)old), &read), TW_OK);
    cr_assert_eq(read.form, TW_SEAL_OLD);
    cr_assert_str_eq(read.name, "");
    cr_assert(tw_account_equal(&read.account, &seal.account));
    cr_assert_eq(tw_seal_read(tw_bytes_of(text, (size_t)old - 1), &read), TW_REFUSED_KEY);
}

/* Each bit of each byte, of both forms: refused when it is read, without a passphrase. */
Test(seal, no_bit_can_change)
{
    const tw_secret secret = secret_of("bits");
    for (int plain = 0; plain < 2; plain++) {
        char text[TW_SEAL_TEXT_MAX];
        tw_seal seal;
        size_t size = sealed_text(text);
        if (plain == 1) {
            cr_assert_eq(tw_seal_plain("alice", &secret, &seal), TW_OK);
            size = tw_seal_write(&seal, text);
        }
        for (size_t i = 0; i < size * 8; i++) {
            text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
            cr_assert_eq(tw_seal_read(tw_bytes_of(text, size), &seal), TW_REFUSED_KEY, "bit %zu",
                         i);
            text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        }
        for (size_t i = 0; i < size; i++) {
            cr_assert_eq(tw_seal_read(tw_bytes_of(text, i), &seal), TW_REFUSED_KEY, "cut at %zu",
                         i);
        }
        text[size] = '\n';
        cr_assert_eq(tw_seal_read(tw_bytes_of(text, size + 1), &seal), TW_REFUSED_KEY);
    }
}

/* Somebody who writes a good check behind what he changed: every digit of the text, one up. What
 * can still be read does not open; nothing but the name of a file depends on it before. */
Test(seal, nor_with_a_good_check)
{
    char text[TW_SEAL_TEXT_MAX], changed[TW_SEAL_TEXT_MAX], check[17];
    const size_t size = sealed_text(text);
    const size_t body = size - strlen("check 0123456789abcdef\n");
    uint32_t read_count = 0;
    for (size_t i = 0; i < body; i++) {
        const char c = text[i];
        tw_seal seal;
        tw_secret opened;
        memcpy(changed, text, size);
        changed[i] = (char)(c == '9' ? 'a' : c == 'f' ? '0' : c + 1);
        const tw_hash hash = tw_sha256(changed, body);
        tw_hex_encode(hash.bytes, 8, check);
        memcpy(changed + body + strlen("check "), check, 16);
        if (tw_seal_read(tw_bytes_of(changed, size), &seal) != TW_OK) continue;
        read_count++;
        cr_assert_eq(tw_seal_open(&seal, bytes_of("open sesame"), &opened), TW_REFUSED_KEY,
                     "byte %zu", i);
    }
    cr_assert_geq(read_count, 5 + 64 + 32 + 24 + 96, "%u were read", read_count);
}

Test(seal, work_has_a_limit)
{
    static const struct {
        const char *cost;
        bool good;
    } cases[] = {
        {"scrypt 9 8 1 ", false},   {"scrypt 10 8 1 ", true},   {"scrypt 20 8 1 ", true},
        {"scrypt 21 8 1 ", false},  {"scrypt 20 8 2 ", false},  {"scrypt 24 1 1 ", false},
        {"scrypt 23 1 1 ", true},   {"scrypt 10 64 64 ", true}, {"scrypt 10 65 1 ", false},
        {"scrypt 10 1 65 ", false}, {"scrypt 10 0 1 ", false},  {"scrypt 10 8 0 ", false},
        {"scrypt 010 8 1 ", false}, {"scrypt 266 8 1 ", false}, {"scrypt -1 8 1 ", false},
        {"scrypt 10 8 ", false},
    };
    char text[TW_SEAL_TEXT_MAX], other[2 * TW_SEAL_TEXT_MAX], check[17];
    sealed_text(text);
    const char *from = strstr(text, "scrypt ");
    const char *behind = from + strlen("scrypt 10 8 1 ");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_seal seal;
        const int body = snprintf(other, sizeof other, "%.*s%s%.*s", (int)(from - text), text,
                                  cases[i].cost, (int)(strstr(text, "check ") - behind), behind);
        const tw_hash hash = tw_sha256(other, (size_t)body);
        tw_hex_encode(hash.bytes, 8, check);
        snprintf(other + body, sizeof other - (size_t)body, "check %s\n", check);
        cr_assert_eq(tw_seal_read(bytes_of(other), &seal), cases[i].good ? TW_OK : TW_REFUSED_KEY,
                     "%s", cases[i].cost);
    }
}
