/* cmd_key -- `twvm key`: make, list, export, import and remove keys, and change a passphrase. */
#include "vm/runner/command.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static tw_status print_key(const tw_app *app, const tw_named_key *key)
{
    char hex[65];
    tw_hex_encode(key->account.bytes, 32, hex);
    if (app->json) {
        return tw_app_print_json(json_pack("{s:s, s:s, s:b}", "name", key->name, "account", hex,
                                           "encrypted", key->sealed));
    }
    printf("%-16s %s%s\n", key->name, hex, key->sealed ? "" : "  not encrypted");
    return TW_OK;
}

static tw_status make(tw_app *app, tw_keyring *keyring)
{
    const tw_named_key *key = NULL;
    TW_TRY(tw_keyring_add(keyring, app->args.words[1], tw_args_get(&app->args, "seed", NULL), &key,
                          &app->err));
    return print_key(app, key);
}

static tw_status list(tw_app *app, tw_keyring *keyring)
{
    uint32_t plain = 0;
    for (uint32_t i = 0; i < tw_keyring_count(keyring); i++) {
        const tw_named_key *key = tw_keyring_at(keyring, i);
        plain += !key->sealed;
        TW_TRY(print_key(app, key));
    }
    if (tw_keyring_is_insecure(keyring)) {
        fputs("note: this ledger makes keys without a passphrase (--insecure-keys)\n", stderr);
    } else if (plain > 0) {
        fputs("note: what is not encrypted does not sign here; twvm -d DIR key passwd NAME "
              "encrypts it\n",
              stderr);
    }
    return TW_OK;
}

/* The passphrases for what is sealed anew: of --new-passphrase-file, or asked for. */
static tw_status fresh_passphrases(tw_app *app, tw_passphrases **ret_fresh)
{
    const char *path = tw_args_get(&app->args, "new-passphrase-file", NULL);
    tw_passphrases *fresh = tw_passphrases_new();
    if (fresh == NULL) return TW_ERR_MEMORY;
    if (path != NULL && tw_passphrases_add_file(fresh, path) != TW_OK) {
        tw_passphrases_free(fresh);
        return TW_ERR_INTERNAL;
    }
    *ret_fresh = fresh;
    return TW_OK;
}

/* Not through the buffer of stdout, in which a key would stay. */
static tw_status print_text(tw_app *app, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        const ssize_t size = write(STDOUT_FILENO, text, left);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) {
            return tw_err_set(&app->err, TW_ERR_IO, "standard output cannot be written: %s",
                              strerror(errno));
        }
        text += size;
        left -= (size_t)size;
    }
    return TW_OK;
}

static tw_status give_out(tw_app *app, tw_keyring *keyring)
{
    char text[TW_SEAL_TEXT_MAX];
    const tw_named_key *key = tw_keyring_find(keyring, app->args.words[1]);
    if (key == NULL) return tw_keyring_refuse(keyring, app->args.words[1], &app->err);
    const bool plain = tw_args_has(&app->args, "insecure");
    tw_status status = tw_keyring_export(keyring, key, plain, text, &app->err);
    if (status == TW_OK) status = print_text(app, text);
    OPENSSL_cleanse(text, sizeof text);
    if (status == TW_OK && plain) fputs("note: whoever reads this can sign\n", stderr);
    return status;
}

/* Up to a byte more than a key has. */
static tw_status read_text(tw_app *app, const char *path, char ret_text[TW_SEAL_TEXT_MAX + 1],
                           size_t *ret_size)
{
    const bool standard = strcmp(path, "-") == 0;
    errno = 0;
    const int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t got = file < 0 ? -1 : 1;
    while (got > 0 && size <= TW_SEAL_TEXT_MAX) {
        got = read(file, ret_text + size, TW_SEAL_TEXT_MAX + 1 - size);
        if (got > 0) size += (size_t)got;
        if (got < 0 && errno == EINTR) got = 1;
    }
    const int reason = errno;
    if (file >= 0 && !standard) close(file);
    *ret_size = size;
    if (got >= 0) return TW_OK;
    return tw_app_fail(app, "%s: cannot be read: %s", path, strerror(reason));
}

static tw_status take_in(tw_app *app, tw_keyring *keyring)
{
    char text[TW_SEAL_TEXT_MAX + 1];
    size_t size = 0;
    const tw_named_key *key = NULL;
    const char *path = app->args.words[2];
    tw_status status = read_text(app, path, text, &size);
    if (status == TW_OK) {
        status = tw_keyring_import(keyring, app->args.words[1], tw_bytes_of(text, size), path, &key,
                                   &app->err);
    }
    OPENSSL_cleanse(text, sizeof text);
    return status == TW_OK ? print_key(app, key) : status;
}

static tw_status take_away(tw_app *app, tw_keyring *keyring)
{
    const char *name = app->args.words[1];
    const tw_named_key *key = tw_keyring_find(keyring, name);
    if (key == NULL) return tw_keyring_refuse(keyring, name, &app->err);
    if (!tw_args_has(&app->args, "yes")) {
        return tw_app_usage(app,
                            "without a copy (key export %s) nobody can sign as %s again; --yes "
                            "says that it is meant",
                            name, name);
    }
    const tw_named_key gone = *key;
    TW_TRY(tw_keyring_remove(keyring, name, &app->err));
    fprintf(stderr, "removed the key %s\n", name);
    return app->json ? print_key(app, &gone) : TW_OK;
}

static tw_status change_passphrase(tw_app *app, tw_keyring *keyring)
{
    const char *name = app->args.words[1];
    tw_passphrases *fresh = NULL;
    TW_TRY(fresh_passphrases(app, &fresh));
    const tw_status status = tw_keyring_reseal(keyring, name, fresh, &app->err);
    tw_passphrases_free(fresh);
    if (status != TW_OK) return status;
    fprintf(stderr, "the key %s has a new passphrase\n", name);
    return app->json ? print_key(app, tw_keyring_find(keyring, name)) : TW_OK;
}

static const struct verb {
    const char *name;
    uint32_t word_count; /* itself too */
    tw_status (*run)(tw_app *app, tw_keyring *keyring);
} verbs[] = {
    {"new", 2, make},       {"list", 1, list},        {"export", 2, give_out},
    {"import", 3, take_in}, {"remove", 2, take_away}, {"passwd", 2, change_passphrase},
};

tw_status tw_command_key(tw_app *app)
{
    const tw_args *args = &app->args;
    const char *dir = tw_args_get(args, "dir", "");
    const struct verb *verb = NULL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(args->words[0], verbs[i].name) == 0) verb = &verbs[i];
    }
    if (verb == NULL || args->word_count != verb->word_count) {
        return tw_app_usage(app, "it is: twvm -d DIR key %s", args->command->words);
    }
    struct stat there;
    if (stat(dir, &there) != 0) {
        return tw_app_fail(app, "%s is not there; twvm init %s makes a ledger", dir, dir);
    }
    tw_keyring *keyring = NULL;
    TW_TRY(tw_app_keyring(app, dir, &keyring));
    const tw_status status = verb->run(app, keyring);
    tw_keyring_close(keyring);
    return status;
}
