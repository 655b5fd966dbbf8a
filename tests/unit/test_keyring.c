/* test_keyring -- keys in files: made, read again, refused when they are none. */
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
    snprintf(path, sizeof path, "%s/keys", folder);
    rmdir(path);
    rmdir(folder);
}

TestSuite(keyring, .init = start, .fini = end);

static tw_keyring *open_ring(void)
{
    tw_keyring *ring = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_keyring_open(folder, &ring, &err), TW_OK, "%s", err.text);
    return ring;
}

Test(keyring, made_and_found_again)
{
    static const char *const names[] = {"carol", "alice", "dave", "bob"};
    tw_keyring *ring = open_ring();
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
        cr_assert(tw_secret_account(&key->secret, &account));
        cr_assert(tw_account_equal(&account, &key->account));
    }
    cr_assert_null(tw_keyring_find(ring, "al"));
    cr_assert_null(tw_keyring_of(ring, &(tw_account){{1}}));
    tw_keyring_close(ring);
}

Test(keyring, files_are_for_their_owner)
{
    tw_keyring *ring = open_ring();
    const tw_named_key *key = NULL;
    char path[256];
    struct stat there;
    cr_assert_eq(tw_keyring_add(ring, "alice", "a seed", &key, NULL), TW_OK);
    snprintf(path, sizeof path, "%s/keys/alice.key", folder);
    cr_assert_eq(stat(path, &there), 0);
    cr_assert_eq(there.st_mode & 0777, 0600);
    tw_secret secret;
    tw_secret_from_seed("a seed", &secret);
    cr_assert(memcmp(&secret, &key->secret, sizeof secret) == 0);
    tw_keyring_close(ring);
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
    tw_keyring *ring = open_ring();
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
        "", "twvm-key 1 ", "twvm-key 2 0000",
        "twvm-key 1 0000000000000000000000000000000000000000000000000000000000000000\n",
        "twvm-key 1 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\n"};
    tw_keyring_close(open_ring());
    char path[256];
    snprintf(path, sizeof path, "%s/keys/bob.key", folder);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        FILE *file = fopen(path, "w");
        cr_assert_not_null(file);
        fputs(texts[i], file);
        fclose(file);
        tw_keyring *ring = NULL;
        tw_err err = {0};
        cr_assert_eq(tw_keyring_open(folder, &ring, &err), TW_REFUSED_KEY, "%s", texts[i]);
        cr_assert_not_null(strstr(err.text, "bob.key: is no key file"), "%s", err.text);
    }
}
