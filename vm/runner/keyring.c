/* keyring -- see the header. All files are read when it is opened: they are few, and each lookup by
 * account is then a bisection. Secrets are not kept then: a key that signs is read once more, and
 * its secret stays in guarded memory, in one of a number of slots that are used in turn. */
#include "vm/runner/keyring.h"

#include "vm/base/arena.h"
#include "vm/runner/guard.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, OPEN_MAX_ = 512, TRIES_MAX = 3 };

static const char insecure_text[] =
    "Keys of this ledger are made without a passphrase (twvm init --insecure-keys).\n";

struct tw_keyring {
    char dir[PATH_SIZE - 2 * TW_KEY_NAME_MAX];
    tw_named_key *keys; /* by name */
    uint32_t *by_account;
    uint32_t count, capacity;
    bool insecure;
    tw_passphrases *passphrases; /* may be NULL */
    tw_secret *secrets;          /* guarded, OPEN_MAX_ slots; NULL before the first */
    tw_account *secret_of;       /* whose the slots are */
    uint32_t open_count, open_next;
};

/* Index of the first key whose name is not before `name`. */
static uint32_t place_of(const tw_keyring *k, const char *name)
{
    uint32_t low = 0, high = k->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (strcmp(k->keys[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t account_place_of(const tw_keyring *k, const tw_account *account)
{
    uint32_t low = 0, high = k->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (tw_account_compare(&k->keys[k->by_account[middle]].account, account) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Room for one more key. */
static tw_status reserve(tw_keyring *k)
{
    if (k->count == TW_KEYS_MAX) return TW_REFUSED_LIMIT;
    if (k->count < k->capacity) return TW_OK;
    const uint32_t capacity = k->capacity == 0 ? 16 : 2 * k->capacity;
    tw_named_key *keys =
        tw_mem_resize(k->keys, k->capacity * sizeof *keys, capacity * sizeof *keys);
    if (keys != NULL) k->keys = keys;
    uint32_t *order =
        tw_mem_resize(k->by_account, k->capacity * sizeof *order, capacity * sizeof *order);
    if (order != NULL) k->by_account = order;
    if (keys == NULL || order == NULL) return TW_ERR_MEMORY;
    k->capacity = capacity;
    return TW_OK;
}

/* There is room. */
static void insert(tw_keyring *k, const tw_named_key *key)
{
    assert(k->count < k->capacity);
    const uint32_t at = place_of(k, key->name);
    const uint32_t account_at = account_place_of(k, &key->account);
    memmove(k->keys + at + 1, k->keys + at, (k->count - at) * sizeof *k->keys);
    k->keys[at] = *key;
    for (uint32_t i = 0; i < k->count; i++) k->by_account[i] += k->by_account[i] >= at;
    memmove(k->by_account + account_at + 1, k->by_account + account_at,
            (k->count - account_at) * sizeof *k->by_account);
    k->by_account[account_at] = at;
    k->count++;
}

/* ---- files ---- */

static void key_path(const tw_keyring *k, const char *name, char ret_path[PATH_SIZE])
{
    snprintf(ret_path, PATH_SIZE, "%s/%s.key", k->dir, name);
}

/* The file of a key; the caller wipes the secret in it. `to_sign`: others must not be able to read
 * it. */
static tw_status read_key(const tw_keyring *k, const char *name, bool to_sign, tw_seal *ret_seal,
                          tw_err *err)
{
    char path[PATH_SIZE], text[TW_SEAL_TEXT_MAX + 1] = "";
    struct stat there;
    key_path(k, name, path);
    errno = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = file >= 0 ? read(file, text, sizeof text) : -1;
    const bool known = size >= 0 && fstat(file, &there) == 0;
    const int reason = errno;
    if (file >= 0) close(file);
    if (!known) {
        OPENSSL_cleanse(text, sizeof text);
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be read: %s", path, strerror(reason));
    }
    if (to_sign && (there.st_mode & 077) != 0) {
        OPENSSL_cleanse(text, sizeof text);
        return tw_err_set(err, TW_REFUSED_KEY, "%s: others may read or write it; chmod 600 %s",
                          path, path);
    }
    tw_status status = tw_seal_read(tw_bytes_of(text, (size_t)size), ret_seal);
    OPENSSL_cleanse(text, sizeof text);
    if (status != TW_OK) {
        return tw_err_set(err, TW_REFUSED_KEY,
                          "%s: is damaged or no key file; put a copy in its place, or move it out "
                          "of the folder of keys",
                          path);
    }
    if (ret_seal->form == TW_SEAL_OLD || strcmp(ret_seal->name, name) == 0) return TW_OK;
    status = tw_err_set(err, TW_REFUSED_KEY,
                        "%s: is the key of %s; give the file its name back, or take it in with "
                        "twvm -d DIR key import",
                        path, ret_seal->name);
    OPENSSL_cleanse(&ret_seal->secret, sizeof ret_seal->secret);
    return status;
}

/* A name that was made or removed is on the disk with its folder. */
static bool sync_folder(const tw_keyring *k)
{
    const int folder = open(k->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    const bool done = fsync(folder) == 0;
    const int reason = errno;
    close(folder);
    errno = reason;
    return done;
}

/* Writes a file of its own name and then gives it the key's name: there is never half a key, and
 * never one written over unless it is to be. */
static tw_status write_file(const tw_keyring *k, const char *path, const char *text, size_t size,
                            bool replace, tw_err *err)
{
    char draft[PATH_SIZE];
    snprintf(draft, sizeof draft, "%s/.draft.%ld", k->dir, (long)getpid());
    (void)unlink(draft); /* of a process of this number that was killed */
    errno = 0;
    const int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = file >= 0;
    if (fine) {
        const ssize_t written = write(file, text, size);
        if (written >= 0 && (size_t)written != size) errno = ENOSPC;
        fine = written == (ssize_t)size && fsync(file) == 0;
        fine = close(file) == 0 && fine;
    }
    if (fine) fine = (replace ? rename(draft, path) : link(draft, path)) == 0;
    int reason = errno;
    if (file >= 0 && !(fine && replace)) unlink(draft);
    if (fine) {
        fine = sync_folder(k);
        reason = errno;
    }
    if (fine) return TW_OK;
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be written: %s", path, strerror(reason));
}

static tw_status write_key(const tw_keyring *k, const tw_seal *seal, bool replace, tw_err *err)
{
    char path[PATH_SIZE], text[TW_SEAL_TEXT_MAX];
    key_path(k, seal->name, path);
    const size_t size = tw_seal_write(seal, text);
    const tw_status status = write_file(k, path, text, size, replace, err);
    OPENSSL_cleanse(text, sizeof text);
    return status;
}

/* ---- opening ---- */

static tw_status read_all(tw_keyring *k, DIR *folder, tw_err *err)
{
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        tw_named_key key = {0};
        tw_seal seal;
        const size_t size = strlen(entry->d_name);
        if (strcmp(entry->d_name, "insecure") == 0) k->insecure = true;
        if (size <= 4 || strcmp(entry->d_name + size - 4, ".key") != 0) continue;
        if (size - 4 > TW_KEY_NAME_MAX) continue;
        memcpy(key.name, entry->d_name, size - 4);
        if (!tw_key_name_is_good(key.name)) continue;
        TW_TRY(read_key(k, key.name, false, &seal, err));
        key.account = seal.account;
        key.sealed = seal.form == TW_SEAL_SEALED;
        OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
        TW_TRY(reserve(k));
        insert(k, &key);
    }
    return TW_OK;
}

tw_status tw_keyring_open(const char *dir, tw_keyring **ret_keyring, tw_err *err)
{
    tw_keyring *k = tw_mem_new(sizeof *k);
    if (k == NULL) return TW_ERR_MEMORY;
    const int size = snprintf(k->dir, sizeof k->dir, "%s/keys", dir);
    errno = 0;
    if (size < 0 || (size_t)size >= sizeof k->dir) errno = ENAMETOOLONG;
    DIR *folder = NULL;
    if (errno == 0 && (mkdir(k->dir, 0700) == 0 || errno == EEXIST)) folder = opendir(k->dir);
    tw_status status = TW_OK;
    if (folder == NULL) {
        status = tw_err_set(err, TW_ERR_IO, "%s: the folder of keys cannot be opened: %s", k->dir,
                            strerror(errno));
    } else {
        status = read_all(k, folder, err);
        closedir(folder);
    }
    if (status != TW_OK) {
        tw_keyring_close(k);
        return status;
    }
    *ret_keyring = k;
    return TW_OK;
}

void tw_keyring_close(tw_keyring *k)
{
    if (k == NULL) return;
    tw_guard_free(k->secrets, OPEN_MAX_ * sizeof *k->secrets);
    tw_mem_free(k->secret_of);
    tw_mem_free(k->keys);
    tw_mem_free(k->by_account);
    tw_mem_free(k);
}

tw_status tw_keyring_create(const char *dir, bool insecure, tw_err *err)
{
    tw_keyring *k = NULL;
    TW_TRY(tw_keyring_open(dir, &k, err));
    tw_status status = TW_OK;
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/insecure", k->dir);
    if (!insecure && k->insecure) {
        status = tw_err_set(err, TW_REFUSED_ARGUMENT,
                            "%s: keys here are made without a passphrase; delete this file, or "
                            "make the ledger with --insecure-keys",
                            path);
    } else if (insecure && !k->insecure && k->count > 0) {
        status = tw_err_set(err, TW_REFUSED_ARGUMENT,
                            "%s: there are keys already, and not insecure ones; take another "
                            "folder, or leave out --insecure-keys",
                            k->dir);
    } else if (insecure && !k->insecure) {
        status = write_file(k, path, insecure_text, sizeof insecure_text - 1, true, err);
    }
    tw_keyring_close(k);
    return status;
}

bool tw_keyring_is_insecure(const tw_keyring *keyring)
{
    return keyring->insecure;
}

void tw_keyring_set_passphrases(tw_keyring *keyring, tw_passphrases *passphrases)
{
    keyring->passphrases = passphrases;
}

uint32_t tw_keyring_count(const tw_keyring *keyring)
{
    return keyring->count;
}

const tw_named_key *tw_keyring_at(const tw_keyring *keyring, uint32_t index)
{
    return &keyring->keys[index];
}

const tw_named_key *tw_keyring_find(const tw_keyring *keyring, const char *name)
{
    const uint32_t at = place_of(keyring, name);
    if (at == keyring->count || strcmp(keyring->keys[at].name, name) != 0) return NULL;
    return &keyring->keys[at];
}

const tw_named_key *tw_keyring_of(const tw_keyring *keyring, const tw_account *account)
{
    const uint32_t at = account_place_of(keyring, account);
    if (at == keyring->count) return NULL;
    const tw_named_key *key = &keyring->keys[keyring->by_account[at]];
    return tw_account_equal(&key->account, account) ? key : NULL;
}

/* ---- secrets ---- */

/* Keeps a secret for the rest of the command. */
static tw_status remember(tw_keyring *k, const tw_account *account, const tw_secret *secret)
{
    if (k->secrets == NULL) k->secrets = tw_guard_new(OPEN_MAX_ * sizeof *k->secrets);
    if (k->secret_of == NULL) k->secret_of = tw_mem_new(OPEN_MAX_ * sizeof *k->secret_of);
    if (k->secrets == NULL || k->secret_of == NULL) return TW_ERR_MEMORY;
    k->secrets[k->open_next] = *secret;
    k->secret_of[k->open_next] = *account;
    if (k->open_count <= k->open_next) k->open_count = k->open_next + 1;
    k->open_next = (k->open_next + 1) % OPEN_MAX_;
    return TW_OK;
}

/* Tries one passphrase; *ret_fits says whether it was the one. */
static tw_status try_passphrase(const tw_seal *seal, tw_bytes passphrase, tw_secret *ret_secret,
                                bool *ret_fits, tw_err *err)
{
    const tw_status status = tw_seal_open(seal, passphrase, ret_secret);
    *ret_fits = status == TW_OK;
    if (status == TW_OK || status == TW_REFUSED_KEY) return TW_OK;
    return tw_err_set(err, status, "the key %s cannot be opened: %s (it takes %u MiB of memory)",
                      seal->name, tw_status_text(status),
                      (unsigned)((UINT64_C(128) << seal->cost.log_n) * seal->cost.r >> 20));
}

/* Opens what is sealed: with those known, then with what is typed. `what` names it in errors. */
static tw_status open_seal(tw_passphrases *p, const tw_seal *seal, const char *what,
                           tw_secret *ret_secret, tw_bytes *ret_passphrase, tw_err *err)
{
    bool fits = false;
    if (p == NULL) return tw_err_set(err, TW_REFUSED_KEY, "%s: is sealed", what);
    for (uint32_t i = 0;; i++) {
        TW_TRY(tw_passphrases_known(p, i, ret_passphrase, err));
        if (ret_passphrase->size == 0) break;
        TW_TRY(try_passphrase(seal, *ret_passphrase, ret_secret, &fits, err));
        if (fits) return TW_OK;
    }
    for (int i = 0; i < TRIES_MAX && !tw_passphrases_from_files(p); i++) {
        char question[160];
        snprintf(question, sizeof question, "%spassphrase of %s", i > 0 ? "it does not fit; " : "",
                 seal->name);
        TW_TRY(tw_passphrases_ask(p, question, ret_passphrase, err));
        const tw_status status = try_passphrase(seal, *ret_passphrase, ret_secret, &fits, err);
        if (fits) return TW_OK;
        tw_passphrases_drop(p);
        if (status != TW_OK) return status;
    }
    return tw_err_set(err, TW_REFUSED_KEY,
                      "%s: the passphrase does not fit (or somebody has changed the file)", what);
}

/* A plain key is only for the keyrings that say so. */
static tw_status open_key(tw_keyring *k, const char *name, bool plain_too, tw_secret *ret_secret,
                          tw_err *err)
{
    char path[PATH_SIZE];
    tw_seal seal;
    tw_bytes passphrase;
    key_path(k, name, path);
    TW_TRY(read_key(k, name, true, &seal, err));
    tw_status status = TW_OK;
    if (seal.form == TW_SEAL_SEALED) {
        status = open_seal(k->passphrases, &seal, path, ret_secret, &passphrase, err);
    } else if (plain_too || k->insecure) {
        *ret_secret = seal.secret;
    } else {
        status = tw_err_set(err, TW_REFUSED_KEY,
                            "%s: is not encrypted; twvm -d DIR key passwd %s gives it a passphrase",
                            path, name);
    }
    OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
    return status;
}

tw_status tw_keyring_secret(tw_keyring *k, const tw_named_key *key, tw_secret *ret_secret,
                            tw_err *err)
{
    for (uint32_t i = 0; i < k->open_count; i++) {
        if (!tw_account_equal(&k->secret_of[i], &key->account)) continue;
        *ret_secret = k->secrets[i];
        return TW_OK;
    }
    tw_secret secret;
    TW_TRY(open_key(k, key->name, false, &secret, err));
    const tw_status status = remember(k, &key->account, &secret);
    if (status == TW_OK) *ret_secret = secret;
    OPENSSL_cleanse(&secret, sizeof secret);
    return status;
}

tw_status tw_keyring_unlock(tw_keyring *k, const tw_named_key *key, tw_err *err)
{
    tw_secret secret;
    TW_TRY(tw_keyring_secret(k, key, &secret, err));
    OPENSSL_cleanse(&secret, sizeof secret);
    return TW_OK;
}

/* ---- making, changing, removing ---- */

static tw_status close_seal(const char *name, const tw_secret *secret, tw_bytes passphrase,
                            tw_seal *ret_seal, tw_err *err)
{
    const tw_status status =
        tw_seal_close(name, secret, passphrase, tw_seal_usual_cost(), ret_seal);
    if (status == TW_OK) return TW_OK;
    return tw_err_set(err, status, "the key %s cannot be sealed: %s", name, tw_status_text(status));
}

/* Seals with a passphrase chosen for it. */
static tw_status seal_new(tw_passphrases *p, const char *name, const tw_secret *secret,
                          tw_seal *ret_seal, tw_err *err)
{
    char question[160];
    tw_bytes passphrase;
    if (p == NULL) return tw_err_set(err, TW_REFUSED_KEY, "%s: there is no passphrase", name);
    snprintf(question, sizeof question, "new passphrase, for the key %s", name);
    TW_TRY(tw_passphrases_choose(p, question, &passphrase, err));
    return close_seal(name, secret, passphrase, ret_seal, err);
}

static tw_status check_name(const tw_keyring *k, const char *name, tw_err *err)
{
    if (!tw_key_name_is_good(name)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%.80s is no name for a key: letters, digits, - _ . and at most 64",
                          name);
    }
    if (tw_keyring_find(k, name) != NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a key named %s is there already", name);
    }
    if (k->count < TW_KEYS_MAX) return TW_OK;
    return tw_err_set(err, TW_REFUSED_LIMIT, "a keyring has at most %d keys", TW_KEYS_MAX);
}

/* Puts a key whose name is free: seals it unless it is sealed already or need not be. */
static tw_status put_key(tw_keyring *k, const tw_seal *seal, const tw_secret *secret,
                         const tw_named_key **ret_key, tw_err *err)
{
    tw_named_key key = {.account = seal->account, .sealed = seal->form == TW_SEAL_SEALED};
    snprintf(key.name, sizeof key.name, "%s", seal->name);
    /* all that takes memory before the file: a key that is there was told to be */
    TW_TRY(reserve(k));
    TW_TRY(remember(k, &key.account, secret));
    TW_TRY(write_key(k, seal, false, err));
    insert(k, &key);
    *ret_key = tw_keyring_find(k, key.name);
    return TW_OK;
}

/* The form of a new key here. */
static tw_status new_seal(tw_keyring *k, const char *name, const tw_secret *secret,
                          tw_seal *ret_seal, tw_err *err)
{
    if (k->insecure) return tw_seal_plain(name, secret, ret_seal);
    return seal_new(k->passphrases, name, secret, ret_seal, err);
}

tw_status tw_keyring_add(tw_keyring *k, const char *name, const char *seed,
                         const tw_named_key **ret_key, tw_err *err)
{
    tw_secret secret;
    tw_seal seal;
    tw_status status = TW_OK;
    TW_TRY(check_name(k, name, err));
    if (seed != NULL) {
        tw_secret_from_seed(seed, &secret);
    } else {
        status = tw_secret_random(&secret);
    }
    if (status == TW_OK) status = new_seal(k, name, &secret, &seal, err);
    if (status == TW_OK) {
        status = put_key(k, &seal, &secret, ret_key, err);
        OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
    }
    OPENSSL_cleanse(&secret, sizeof secret);
    return status;
}

tw_status tw_keyring_import(tw_keyring *k, const char *name, tw_bytes text, const char *from,
                            const tw_named_key **ret_key, tw_err *err)
{
    tw_secret secret;
    tw_seal old, seal;
    tw_bytes passphrase;
    TW_TRY(check_name(k, name, err));
    if (tw_seal_read(text, &old) != TW_OK) {
        return tw_err_set(err, TW_REFUSED_KEY, "%s: is damaged or no key that twvm exports", from);
    }
    const tw_named_key *there = tw_keyring_of(k, &old.account);
    tw_status status = TW_OK;
    if (there != NULL) {
        status = tw_err_set(err, TW_REFUSED_ARGUMENT, "%s: this key is there already, as %s", from,
                            there->name);
    } else if (old.form == TW_SEAL_SEALED) {
        status = open_seal(k->passphrases, &old, from, &secret, &passphrase, err);
        /* under its new name, and with the cost of today */
        if (status == TW_OK) status = close_seal(name, &secret, passphrase, &seal, err);
    } else {
        secret = old.secret;
        status = new_seal(k, name, &secret, &seal, err);
    }
    if (status == TW_OK) status = put_key(k, &seal, &secret, ret_key, err);
    OPENSSL_cleanse(&old.secret, sizeof old.secret);
    OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
    OPENSSL_cleanse(&secret, sizeof secret);
    return status;
}

tw_status tw_keyring_export(tw_keyring *k, const tw_named_key *key, bool plain,
                            char ret_text[TW_SEAL_TEXT_MAX], tw_err *err)
{
    tw_seal seal;
    TW_TRY(read_key(k, key->name, true, &seal, err));
    tw_status status = TW_OK;
    if (plain != (seal.form != TW_SEAL_SEALED) || seal.form == TW_SEAL_OLD) {
        tw_secret secret;
        status = open_key(k, key->name, true, &secret, err);
        OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
        if (status == TW_OK) {
            status = plain ? tw_seal_plain(key->name, &secret, &seal)
                           : seal_new(k->passphrases, key->name, &secret, &seal, err);
        }
        OPENSSL_cleanse(&secret, sizeof secret);
    }
    if (status == TW_OK) (void)tw_seal_write(&seal, ret_text);
    OPENSSL_cleanse(&seal.secret, sizeof seal.secret);
    return status;
}

tw_status tw_keyring_reseal(tw_keyring *k, const char *name, tw_passphrases *fresh, tw_err *err)
{
    tw_secret secret;
    tw_seal seal;
    if (tw_keyring_find(k, name) == NULL) return tw_keyring_refuse(k, name, err);
    TW_TRY(open_key(k, name, true, &secret, err));
    tw_status status = seal_new(fresh, name, &secret, &seal, err);
    OPENSSL_cleanse(&secret, sizeof secret);
    if (status == TW_OK) status = write_key(k, &seal, true, err);
    if (status == TW_OK) k->keys[place_of(k, name)].sealed = true;
    return status;
}

tw_status tw_keyring_remove(tw_keyring *k, const char *name, tw_err *err)
{
    char path[PATH_SIZE];
    const tw_named_key *key = tw_keyring_find(k, name);
    if (key == NULL) return tw_keyring_refuse(k, name, err);
    const uint32_t at = place_of(k, name);
    uint32_t account_at = account_place_of(k, &key->account);
    while (k->by_account[account_at] != at) account_at++; /* names may share a key */
    key_path(k, name, path);
    errno = 0;
    if (unlink(path) != 0 || !sync_folder(k)) {
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be removed: %s", path, strerror(errno));
    }
    k->count--;
    memmove(k->keys + at, k->keys + at + 1, (k->count - at) * sizeof *k->keys);
    memmove(k->by_account + account_at, k->by_account + account_at + 1,
            (k->count - account_at) * sizeof *k->by_account);
    for (uint32_t i = 0; i < k->count; i++) k->by_account[i] -= k->by_account[i] > at;
    return TW_OK;
}

tw_status tw_keyring_refuse(const tw_keyring *k, const char *name, tw_err *err)
{
    char list[300] = "none yet";
    size_t size = 0;
    for (uint32_t i = 0; i < k->count; i++) {
        if (size + strlen(k->keys[i].name) + 8 > sizeof list) {
            snprintf(list + size, sizeof list - size, ", ...");
            break;
        }
        size += (size_t)snprintf(list + size, sizeof list - size, "%s%s", i > 0 ? ", " : "",
                                 k->keys[i].name);
    }
    return tw_err_set(err, TW_REFUSED_ARGUMENT,
                      "no key is named %.64s (there are: %s); twvm -d DIR key new NAME makes one",
                      name, list);
}
