/* state_fixture -- what the tests of vm/state share: a seeded random source, keys and values, a
 * folder that is removed again, and stores of both kinds. */
#ifndef TW_TESTS_STATE_FIXTURE_H
#define TW_TESTS_STATE_FIXTURE_H

#include "vm/state/store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1024 * 1024 };

/* SplitMix64: the same numbers for the same seed everywhere. */
static inline uint64_t random_next(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t random_below(uint64_t *seed, size_t limit)
{
    return (size_t)(random_next(seed) % limit);
}

static inline tw_bytes text(const char *s)
{
    return tw_bytes_of(s, strlen(s));
}

static inline bool is_text(tw_bytes bytes, const char *s)
{
    return tw_bytes_equal(bytes, text(s));
}

static inline void folder_make(char ret_path[64])
{
    (void)snprintf(ret_path, 64, "/tmp/twvm-test-XXXXXX");
    cr_assert_not_null(mkdtemp(ret_path));
}

/* A store's folder has no folders in it. */
static inline void folder_remove(const char *path)
{
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char file[400];
        (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') cr_assert_eq(unlink(file), 0);
    }
    cr_assert_eq(closedir(folder), 0);
    cr_assert_eq(rmdir(path), 0);
}

static inline tw_store *store_in_memory(void)
{
    tw_store *store = NULL;
    cr_assert_eq(tw_store_open_memory(256 * MIB, &store), TW_OK);
    return store;
}

static inline tw_store *store_on_disk(const char *path)
{
    tw_store *store = NULL;
    tw_err err = {0};
    const tw_store_options options = {.create = true};
    cr_assert_eq(tw_store_open(path, &options, &store, &err), TW_OK, "%s", err.text);
    return store;
}

#endif
