/* test_keyring -- keys in files: made, sealed, read again, refused when they are none. */
#include "vm/runner/keyring.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "keyring-XXXXXX";

static void start(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/keys/%s.key", folder, names[i]);
        unlink(path);
    }
    static const char *const others[] = {"keys/insecure", "keys/bob.text", "keys", "good", "other"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, others[i]);
        if (unlink(path) != 0) rmdir(path);
    }
    cr_assert_eq(rmdir(folder), 0, "nothing else was left behind");
}

TestSuite(keyring, .init = start, .fini = end);

static tw_keyring *open_ring(void)
{
    tw_keyring *ring = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_keyring_open(folder, &ring, &err), TW_OK, "%s", err.text);
    return ring;
}

/* One whose keys are plain. */
static tw_keyring *open_insecure(void)
{
    tw_err err = {0};
    cr_assert_eq(tw_keyring_create(folder, true, &err), TW_OK, "%s", err.text);
    return open_ring();
}

static void write_text(const char *name, const char *text, char ret_path[256])
{
    snprintf(ret_path, 256, "%s/%s", folder, name);
    FILE *file = fopen(ret_path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    cr_assert_eq(chmod(ret_path, 0600), 0);
}

/* Passphrases of one file with this text; the path must live as long. */
static tw_passphrases *phrases(const char *name, const char *text, char ret_path[256])
{
    tw_passphrases *p = tw_passphrases_new();
    write_text(name, text, ret_path);
    cr_assert_not_null(p);
    cr_assert_eq(tw_passphrases_add_file(p, ret_path), TW_OK);
    return p;
}

Test(keyring, made_and_found_again)
{
    static const char *const names[] = {"carol", "alice", "dave", "bob"};
    tw_keyring *ring = open_insecure();
    const tw_named_key *key = NULL;
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(tw_keyring_add(ring, names[i], NULL, &key, NULL), TW_OK);
        cr_assert_str_eq(key->name, names[i]);
    }
    tw_keyring_close(ring);
    ring = open_ring();
    cr_assert_eq(tw_keyring_count(ring), 4);
    cr_assert_str_eq(tw_keyring_at(ring, 0)->name, "alice");
    cr_assert_str_eq(tw_keyring_at(ring, 3)->name, "dave");
    for (size_t i = 0; i < 4; i++) {
        key = tw_keyring_find(ring, names[i]);
        cr_assert_not_null(key);
        cr_assert_eq(tw_keyring_of(ring, &key->account), key);
        tw_account account;
        tw_secret secret;
        cr_assert_eq(tw_keyring_secret(ring, key, &secret, NULL), TW_OK);
        cr_assert(tw_secret_account(&secret, &account));
        cr_assert(tw_account_equal(&account, &key->account));
    }
    cr_assert_null(tw_keyring_find(ring, "al"));
    cr_assert_null(tw_keyring_of(ring, &(tw_account){{1}}));
    tw_keyring_close(ring);
}

Test(keyring, files_are_for_their_owner)
{
    tw_keyring *ring = open_insecure();
    const tw_named_key *key = NULL;
    char path[256];
    struct stat there;
    cr_assert_eq(tw_keyring_add(ring, "alice", "a seed", &key, NULL), TW_OK);
    snprintf(path, sizeof path, "%s/keys/alice.key", folder);
    cr_assert_eq(stat(path, &there), 0);
    cr_assert_eq(there.st_mode & 0777, 0600);
    tw_secret secret, kept;
    tw_secret_from_seed("a seed", &secret);
    cr_assert_eq(tw_keyring_secret(ring, key, &kept, NULL), TW_OK);
    cr_assert(memcmp(&secret, &kept, sizeof secret) == 0);
    tw_keyring_close(ring);
    /* a file that others can read does not sign */
    ring = open_ring();
    tw_err err = {0};
    cr_assert_eq(chmod(path, 0640), 0);
    key = tw_keyring_find(ring, "alice");
    cr_assert_eq(tw_keyring_secret(ring, key, &kept, &err), TW_REFUSED_KEY);
    cr_assert_not_null(strstr(err.text, "alice.key: others may read or write it; chmod 600"), "%s",
                       err.text);
    cr_assert_eq(chmod(path, 0600), 0);
    cr_assert_eq(tw_keyring_secret(ring, key, &kept, NULL), TW_OK);
    tw_keyring_close(ring);
    snprintf(path, sizeof path, "%s/keys", folder);
    cr_assert_eq(stat(path, &there), 0);
    cr_assert_eq(there.st_mode & 0777, 0700);
}

Test(keyring, names)
{
    static const char *const good[] = {"a", "mote-1", "A_b.c", "0"};
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", "-a", "a b", "ä", "a\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert(tw_key_name_is_good(good[i]));
    }
    tw_keyring *ring = open_ring();
    const tw_named_key *key = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_assert_eq(tw_keyring_add(ring, bad[i], NULL, &key, NULL), TW_REFUSED_ARGUMENT);
    }
    char longest[TW_KEY_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[TW_KEY_NAME_MAX] = '\0';
    cr_assert(tw_key_name_is_good(longest));
    longest[TW_KEY_NAME_MAX] = 'a';
    longest[TW_KEY_NAME_MAX + 1] = '\0';
    cr_assert_not(tw_key_name_is_good(longest));
    tw_keyring_close(ring);
}

Test(keyring, never_written_over)
{
    tw_keyring *ring = open_insecure();
    tw_keyring *other = open_ring();
    const tw_named_key *key = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_keyring_add(ring, "alice", NULL, &key, &err), TW_OK);
    const tw_account account = key->account;
    cr_assert_eq(tw_keyring_add(ring, "alice", NULL, &key, &err), TW_REFUSED_ARGUMENT);
    /* the other one has not seen the file */
    cr_assert_eq(tw_keyring_add(other, "alice", NULL, &key, &err), TW_ERR_IO);
    cr_assert_not_null(strstr(err.text, "File exists"), "%s", err.text);
    tw_keyring_close(ring);
    tw_keyring_close(other);
    ring = open_ring();
    cr_assert(tw_account_equal(&tw_keyring_find(ring, "alice")->account, &account));
    cr_assert_eq(tw_keyring_refuse(ring, "bbo", &err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(err.text, "no key is named bbo (there are: alice)"), "%s", err.text);
    tw_keyring_close(ring);
}

Test(keyring, damaged_files_are_named)
{
    static const char *const texts[] = {
        "",
        "twvm-key 1 ",
        "twvm-key 2 0000",
        "twvm-key 2\nname bob\n",
        "twvm-key 1 0000000000000000000000000000000000000000000000000000000000000000\n",
        "twvm-key 1 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"};
    tw_keyring_close(open_ring());
    char path[256];
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        tw_keyring *ring = NULL;
        tw_err err = {0};
        write_text("keys/bob.key", texts[i], path);
        cr_assert_eq(tw_keyring_open(folder, &ring, &err), TW_REFUSED_KEY, "%s", texts[i]);
        cr_assert_not_null(strstr(err.text, "bob.key: is damaged or no key file"), "%s", err.text);
    }
}

Test(keyring, sealed_unless_it_is_insecure)
{
    char good_path[256], other_path[256], path[256];
    tw_passphrases *good = phrases("good", "a long passphrase\nanother line\n", good_path);
    tw_passphrases *other = phrases("other", "not the right one", other_path);
    tw_keyring *ring = open_ring();
    const tw_named_key *key = NULL;
    tw_secret secret, again;
    tw_err err = {0};
    cr_assert_eq(tw_keyring_add(ring, "alice", NULL, &key, &err), TW_REFUSED_KEY);
    cr_assert_eq(tw_keyring_count(ring), 0);
    tw_keyring_set_passphrases(ring, good);
    cr_assert_eq(tw_keyring_add(ring, "alice", NULL, &key, &err), TW_OK, "%s", err.text);
    cr_assert_eq(tw_keyring_add(ring, "bob", "seed", &key, &err), TW_OK, "%s", err.text);
    cr_assert(key->sealed);
    cr_assert_eq(tw_keyring_secret(ring, key, &secret, &err), TW_OK);
    tw_keyring_close(ring);

    ring = open_ring(); /* names and accounts need no passphrase */
    key = tw_keyring_find(ring, "bob");
    cr_assert_not_null(key);
    cr_assert_eq(tw_keyring_secret(ring, key, &again, &err), TW_REFUSED_KEY);
    tw_keyring_set_passphrases(ring, other);
    cr_assert_eq(tw_keyring_secret(ring, key, &again, &err), TW_REFUSED_KEY);
    cr_assert_not_null(strstr(err.text, "bob.key: the passphrase does not fit"), "%s", err.text);
    tw_keyring_set_passphrases(ring, good);
    cr_assert_eq(tw_keyring_secret(ring, key, &again, &err), TW_OK, "%s", err.text);
    cr_assert(memcmp(&secret, &again, sizeof secret) == 0);
    tw_keyring_set_passphrases(ring, other); /* it is open until the end */
    cr_assert_eq(tw_keyring_unlock(ring, key, &err), TW_OK);
    tw_keyring_close(ring);

    /* a file under another's name is not taken for it */
    snprintf(path, sizeof path, "%s/keys/bob.key", folder);
    char alice_path[256];
    snprintf(alice_path, sizeof alice_path, "%s/keys/alice.key", folder);
    cr_assert_eq(rename(alice_path, path), 0);
    cr_assert_eq(tw_keyring_open(folder, &ring, &err), TW_REFUSED_KEY);
    cr_assert_not_null(strstr(err.text, "bob.key: is the key of alice"), "%s", err.text);
    tw_passphrases_free(good);
    tw_passphrases_free(other);
}

Test(keyring, plain_keys_sign_only_where_it_is_said)
{
    char path[256], good_path[256];
    tw_passphrases *good = phrases("good", "a long passphrase", good_path);
    tw_passphrases *fresh = phrases("other", "another passphrase", path);
    tw_keyring *ring = open_ring();
    tw_keyring_close(ring);
    tw_secret secret;
    tw_err err = {0};
    char hex[65], text[100];
    tw_secret_from_seed("old", &secret);
    tw_hex_encode(secret.bytes, 32, hex);
    snprintf(text, sizeof text, "twvm-key 1 %s\n", hex);
    char key_file[256];
    write_text("keys/bob.key", text, key_file);
    ring = open_ring();
    tw_keyring_set_passphrases(ring, good);
    cr_assert_eq(tw_keyring_unlock(ring, tw_keyring_find(ring, "bob"), &err), TW_REFUSED_KEY);
    cr_assert_not_null(strstr(err.text, "is not encrypted; twvm -d DIR key passwd bob"), "%s",
                       err.text);
    cr_assert_eq(tw_keyring_reseal(ring, "bob", fresh, &err), TW_OK, "%s", err.text);
    cr_assert(tw_keyring_find(ring, "bob")->sealed);
    tw_keyring_close(ring);
    ring = open_ring();
    tw_keyring_set_passphrases(ring, good);
    cr_assert_eq(tw_keyring_unlock(ring, tw_keyring_find(ring, "bob"), &err), TW_REFUSED_KEY);
    tw_keyring_set_passphrases(ring, fresh);
    tw_secret again;
    cr_assert_eq(tw_keyring_secret(ring, tw_keyring_find(ring, "bob"), &again, &err), TW_OK);
    cr_assert(memcmp(&secret, &again, sizeof secret) == 0);
    tw_keyring_close(ring);
    cr_assert_eq(tw_keyring_create(folder, true, &err), TW_REFUSED_ARGUMENT, "it has keys");
    tw_passphrases_free(good);
    tw_passphrases_free(fresh);
}

Test(keyring, out_and_in_again)
{
    char path[256], text[TW_SEAL_TEXT_MAX];
    tw_passphrases *good = phrases("good", "a long passphrase", path);
    tw_keyring *ring = open_ring();
    tw_keyring_set_passphrases(ring, good);
    const tw_named_key *key = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_keyring_add(ring, "alice", NULL, &key, &err), TW_OK, "%s", err.text);
    const tw_account account = key->account;
    for (int plain = 0; plain < 2; plain++) {
        key = tw_keyring_find(ring, "alice");
        cr_assert_eq(tw_keyring_export(ring, key, plain == 1, text, &err), TW_OK, "%s", err.text);
        cr_assert_eq(strstr(text, "\nplain ") != NULL, plain == 1);
        const tw_bytes bytes = tw_bytes_of(text, strlen(text));
        cr_assert_eq(tw_keyring_import(ring, "bob", bytes, "x", &key, &err), TW_REFUSED_ARGUMENT);
        cr_assert_not_null(strstr(err.text, "x: this key is there already, as alice"), "%s",
                           err.text);
        cr_assert_eq(tw_keyring_remove(ring, "alice", &err), TW_OK);
        cr_assert_null(tw_keyring_find(ring, "alice"));
        cr_assert_null(tw_keyring_of(ring, &account));
        cr_assert_eq(tw_keyring_import(ring, "alice", bytes, "x", &key, &err), TW_OK, "%s",
                     err.text);
        cr_assert(key->sealed, "also a plain one");
        cr_assert(tw_account_equal(&key->account, &account));
    }
    text[20] ^= 1;
    cr_assert_eq(tw_keyring_import(ring, "bob", tw_bytes_of(text, strlen(text)), "x", &key, &err),
                 TW_REFUSED_KEY);
    cr_assert_not_null(strstr(err.text, "x: is damaged or no key"), "%s", err.text);
    tw_keyring_close(ring);
    tw_passphrases_free(good);
}

Test(keyring, two_names_of_one_key)
{
    tw_keyring *ring = open_insecure();
    const tw_named_key *key = NULL;
    tw_err err = {0};
    static const char *const names[] = {"alice", "bob", "carol"};
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(tw_keyring_add(ring, names[i], "one", &key, &err), TW_OK);
    }
    const tw_account account = key->account;
    cr_assert_eq(tw_keyring_remove(ring, "bob", &err), TW_OK);
    cr_assert_eq(tw_keyring_remove(ring, "alice", &err), TW_OK);
    cr_assert_str_eq(tw_keyring_of(ring, &account)->name, "carol");
    cr_assert_eq(tw_keyring_remove(ring, "alice", &err), TW_REFUSED_ARGUMENT);
    cr_assert_eq(tw_keyring_remove(ring, "carol", &err), TW_OK);
    cr_assert_null(tw_keyring_of(ring, &account));
    tw_keyring_close(ring);
}

Test(keyring, files_of_passphrases)
{
    static const struct {
        const char *text, *why;
    } cases[] = {{"", "its first line holds no passphrase"},
                 {"\nsecond", "its first line holds no passphrase"},
                 {"short\n", "too short for a new key: 8 bytes at least"},
                 {"just long\r\n", NULL}};
    char path[256], longest[TW_PASSPHRASE_MAX + 2];
    tw_err err = {0};
    tw_bytes got;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tw_passphrases *p = phrases("good", cases[i].text, path);
        const tw_status status = tw_passphrases_choose(p, "it", &got, &err);
        cr_assert_eq(status == TW_OK, cases[i].why == NULL, "%zu", i);
        if (status == TW_OK) cr_assert_eq(got.size, strlen("just long"));
        if (status != TW_OK) cr_assert_not_null(strstr(err.text, cases[i].why), "%s", err.text);
        tw_passphrases_free(p);
    }
    memset(longest, 'x', sizeof longest);
    longest[TW_PASSPHRASE_MAX + 1] = '\0';
    for (int over = 1; over >= 0; over--) {
        longest[TW_PASSPHRASE_MAX + over] = '\0';
        tw_passphrases *p = phrases("good", longest, path);
        cr_assert_eq(tw_passphrases_choose(p, "it", &got, &err) == TW_OK, over == 0);
        tw_passphrases_free(p);
    }
    tw_passphrases *none = tw_passphrases_new();
    cr_assert_eq(tw_passphrases_add_file(none, "no/such/file"), TW_OK);
    cr_assert_eq(tw_passphrases_choose(none, "it", &got, &err), TW_ERR_IO);
    cr_assert_not_null(strstr(err.text, "no/such/file: No such file"), "%s", err.text);
    tw_passphrases_free(none);
}
