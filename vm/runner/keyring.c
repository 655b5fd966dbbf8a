/* keyring -- see the header. All keys are read when it is opened: they are few, and each lookup by
 * account is then a bisection. */
#include "vm/runner/keyring.h"

#include "vm/base/arena.h"
#include "vm/base/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char head[] = "twvm-key 1 ";

enum { HEAD_SIZE = sizeof head - 1, FILE_SIZE = HEAD_SIZE + 64 + 1, PATH_SIZE = 4096 };

struct tw_keyring {
    char dir[PATH_SIZE - 2 * TW_KEY_NAME_MAX];
    tw_named_key *keys; /* by name */
    uint32_t *by_account;
    uint32_t count, capacity;
};

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

static void wipe(void *memory, size_t size)
{
    volatile uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++) bytes[i] = 0;
}

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

static tw_status insert(tw_keyring *k, const tw_named_key *key)
{
    if (k->count == k->capacity) {
        const uint32_t capacity = k->capacity == 0 ? 16 : 2 * k->capacity;
        tw_named_key *keys = tw_mem_new(capacity * sizeof *keys);
        uint32_t *order =
            tw_mem_resize(k->by_account, k->capacity * sizeof *order, capacity * sizeof *order);
        if (order != NULL) k->by_account = order;
        if (keys == NULL || order == NULL) {
            tw_mem_free(keys);
            return TW_ERR_MEMORY;
        }
        if (k->count > 0) memcpy(keys, k->keys, k->count * sizeof *keys);
        if (k->keys != NULL) wipe(k->keys, k->capacity * sizeof *keys);
        tw_mem_free(k->keys);
        k->keys = keys;
        k->capacity = capacity;
    }
    const uint32_t at = place_of(k, key->name);
    const uint32_t account_at = account_place_of(k, &key->account);
    memmove(k->keys + at + 1, k->keys + at, (k->count - at) * sizeof *k->keys);
    k->keys[at] = *key;
    for (uint32_t i = 0; i < k->count; i++) k->by_account[i] += k->by_account[i] >= at;
    memmove(k->by_account + account_at + 1, k->by_account + account_at,
            (k->count - account_at) * sizeof *k->by_account);
    k->by_account[account_at] = at;
    k->count++;
    return TW_OK;
}

static tw_status read_key(const char *path, tw_named_key *key, tw_err *err)
{
    char text[FILE_SIZE + 1] = "";
    errno = 0;
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    const ssize_t size = read(file, text, sizeof text);
    close(file);
    const bool fine = size == FILE_SIZE && memcmp(text, head, HEAD_SIZE) == 0 &&
                      tw_hex_decode(text + HEAD_SIZE, 64, key->secret.bytes, 32) &&
                      tw_secret_account(&key->secret, &key->account);
    wipe(text, sizeof text);
    if (fine) return TW_OK;
    return tw_err_set(err, TW_REFUSED_KEY, "%s: is no key file; move it out of the folder of keys",
                      path);
}

static tw_status read_all(tw_keyring *k, DIR *folder, tw_err *err)
{
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        tw_named_key key = {0};
        char path[PATH_SIZE + 256];
        const size_t size = strlen(entry->d_name);
        if (size <= 4 || strcmp(entry->d_name + size - 4, ".key") != 0) continue;
        if (size - 4 > TW_KEY_NAME_MAX) continue;
        memcpy(key.name, entry->d_name, size - 4);
        if (!tw_key_name_is_good(key.name)) continue;
        snprintf(path, sizeof path, "%s/%s", k->dir, entry->d_name);
        tw_status status = read_key(path, &key, err);
        if (status == TW_OK && k->count == TW_KEYS_MAX) status = TW_REFUSED_LIMIT;
        if (status == TW_OK) status = insert(k, &key);
        wipe(&key, sizeof key);
        if (status != TW_OK) return status;
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
    if (k->keys != NULL) wipe(k->keys, k->capacity * sizeof *k->keys);
    tw_mem_free(k->keys);
    tw_mem_free(k->by_account);
    tw_mem_free(k);
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

/* Writes a file of its own name and then links it to the key's: there is never half a key, and
 * never one written over. */
static tw_status write_key(const tw_keyring *k, const tw_named_key *key, tw_err *err)
{
    char path[PATH_SIZE], draft[PATH_SIZE], text[FILE_SIZE + 1];
    snprintf(path, sizeof path, "%s/%s.key", k->dir, key->name);
    snprintf(draft, sizeof draft, "%s/.%s.%ld", k->dir, key->name, (long)getpid());
    memcpy(text, head, HEAD_SIZE);
    tw_hex_encode(key->secret.bytes, 32, text + HEAD_SIZE);
    text[FILE_SIZE - 1] = '\n';
    errno = 0;
    const int file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = file >= 0 && write(file, text, FILE_SIZE) == FILE_SIZE && fsync(file) == 0;
    if (file >= 0) fine = close(file) == 0 && fine;
    wipe(text, sizeof text);
    fine = fine && link(draft, path) == 0;
    const int reason = errno;
    if (file >= 0) unlink(draft);
    if (fine) return TW_OK;
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be written: %s", path, strerror(reason));
}

tw_status tw_keyring_add(tw_keyring *k, const char *name, const char *seed,
                         const tw_named_key **ret_key, tw_err *err)
{
    tw_named_key key = {0};
    if (!tw_key_name_is_good(name)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%.80s is no name for a key: letters, digits, - _ . and at most 64",
                          name);
    }
    if (tw_keyring_find(k, name) != NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a key named %s is there already", name);
    }
    snprintf(key.name, sizeof key.name, "%s", name);
    tw_status status = TW_OK;
    if (seed != NULL) {
        tw_secret_from_seed(seed, &key.secret);
    } else {
        status = tw_secret_random(&key.secret);
    }
    if (status == TW_OK && !tw_secret_account(&key.secret, &key.account)) status = TW_REFUSED_KEY;
    if (status == TW_OK) status = write_key(k, &key, err);
    if (status == TW_OK) status = insert(k, &key);
    wipe(&key, sizeof key);
    if (status == TW_OK) *ret_key = tw_keyring_find(k, name);
    return status;
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
