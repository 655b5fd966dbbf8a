/* test_store -- both back ends of the store: the same checks on each, then what only a disk can do.
 */
#include "tests/unit/state_fixture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Runs a check on a store in memory and on one on disk. */
static void on_both(void (*check)(tw_store *store))
{
    tw_store *store = store_in_memory();
    check(store);
    tw_store_close(store);
    char path[64];
    folder_make(path);
    store = store_on_disk(path);
    check(store);
    tw_store_close(store);
    folder_remove(path);
}

static void commit(tw_store *store, tw_batch *batch)
{
    tw_err err = {0};
    cr_assert_eq(tw_store_commit(store, batch, true, &err), TW_OK, "%s", err.text);
    tw_batch_clear(batch);
}

/* Asserts the value of a key, or with NULL that it is not there. */
static void expect(tw_store *store, tw_table table, const char *key, const char *value)
{
    tw_arena *arena = tw_arena_new(MIB);
    tw_bytes got = {NULL, 0};
    bool found = false;
    cr_assert_eq(tw_store_get(store, table, text(key), arena, &got, &found), TW_OK);
    cr_assert_eq(found, value != NULL, "%s", key);
    if (value != NULL) cr_assert(is_text(got, value), "%s", key);
    tw_arena_free(arena);
}

static void check_get(tw_store *store)
{
    tw_batch *batch = tw_batch_new(MIB);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    tw_batch_put(batch, TW_TABLE_STATE, text("b"), text("2"));
    tw_batch_put(batch, TW_TABLE_TX, text("a"), text("other"));
    tw_batch_put(batch, TW_TABLE_STATE, text("e"), text(""));
    cr_assert_eq(tw_batch_count(batch), 4);
    expect(store, TW_TABLE_STATE, "a", NULL); /* not before commit */
    commit(store, batch);
    expect(store, TW_TABLE_STATE, "a", "1");
    expect(store, TW_TABLE_STATE, "b", "2");
    expect(store, TW_TABLE_STATE, "e", "");
    expect(store, TW_TABLE_TX, "a", "other");
    expect(store, TW_TABLE_META, "a", NULL);
    expect(store, TW_TABLE_STATE, "ab", NULL);

    /* Within a batch the later operation wins. */
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("3"));
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("longer than before"));
    tw_batch_delete(batch, TW_TABLE_STATE, text("b"));
    tw_batch_put(batch, TW_TABLE_STATE, text("c"), text("4"));
    tw_batch_delete(batch, TW_TABLE_STATE, text("c"));
    tw_batch_delete(batch, TW_TABLE_STATE, text("d"));
    tw_batch_put(batch, TW_TABLE_STATE, text("d"), text("5"));
    commit(store, batch);
    expect(store, TW_TABLE_STATE, "a", "longer than before");
    expect(store, TW_TABLE_STATE, "b", NULL);
    expect(store, TW_TABLE_STATE, "c", NULL);
    expect(store, TW_TABLE_STATE, "d", "5");
    commit(store, batch); /* an empty batch is fine */
    tw_batch_free(batch);
}

Test(store, get_put_delete)
{
    on_both(check_get);
}

/* The keys an iterator gives from where it stands, joined by blanks. */
static void expect_walk(tw_iter *iter, bool forward, const char *expected)
{
    char got[256] = "";
    size_t size = 0;
    tw_bytes key = {NULL, 0};
    tw_bytes value = {NULL, 0};
    while (tw_iter_here(iter, &key, &value)) {
        cr_assert_lt(size + key.size + 2, sizeof got);
        if (size > 0) got[size++] = ' ';
        memcpy(got + size, key.data, key.size);
        size += key.size;
        cr_assert(tw_bytes_equal(key, value)); /* each value is its key */
        cr_assert_eq(forward ? tw_iter_next(iter) : tw_iter_previous(iter), TW_OK);
    }
    cr_assert_str_eq(got, expected);
    cr_assert_eq(tw_iter_next(iter), TW_ERR_INTERNAL); /* it stands nowhere */
    cr_assert_eq(tw_iter_previous(iter), TW_ERR_INTERNAL);
}

static void check_iterators(tw_store *store)
{
    static const char top_a[] = {(char)0xff, (char)0xff, 'a', 0};
    const char *const keys[] = {"b", "ba", "bab", "bb", "c", "a", "\xff\xff", top_a};
    tw_batch *batch = tw_batch_new(MIB);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        tw_batch_put(batch, TW_TABLE_BLOCK, text(keys[i]), text(keys[i]));
    }
    tw_batch_put(batch, TW_TABLE_STATE, text("b0"), text("b0"));
    commit(store, batch);
    tw_iter *iter = NULL;
    cr_assert_eq(tw_iter_open(store, TW_TABLE_BLOCK, text("b"), &iter), TW_OK);
    cr_assert_not(tw_iter_here(iter, NULL, NULL));
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    expect_walk(iter, true, "b ba bab bb");
    cr_assert_eq(tw_iter_last(iter), TW_OK);
    expect_walk(iter, false, "bb bab ba b");
    cr_assert_eq(tw_iter_seek(iter, text("baa")), TW_OK);
    expect_walk(iter, true, "bab bb");
    cr_assert_eq(tw_iter_seek(iter, text("a")), TW_OK); /* before the prefix */
    expect_walk(iter, true, "b ba bab bb");
    cr_assert_eq(tw_iter_seek(iter, text("bc")), TW_OK);
    expect_walk(iter, true, "");
    cr_assert_eq(tw_iter_seek(iter, text("c")), TW_OK); /* after the prefix */
    expect_walk(iter, true, "");
    tw_iter_close(iter);

    cr_assert_eq(tw_iter_open(store, TW_TABLE_BLOCK, text("\xff\xff"), &iter), TW_OK);
    cr_assert_eq(tw_iter_last(iter), TW_OK); /* no key is above this prefix */
    expect_walk(iter, false, "\xff\xff\x61 \xff\xff");
    tw_iter_close(iter);
    cr_assert_eq(tw_iter_open(store, TW_TABLE_BLOCK, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_first(iter), TW_OK);
    expect_walk(iter, true, "a b ba bab bb c \xff\xff \xff\xff\x61");
    tw_iter_close(iter);
    cr_assert_eq(tw_iter_open(store, TW_TABLE_TX, text(""), &iter), TW_OK);
    cr_assert_eq(tw_iter_last(iter), TW_OK);
    expect_walk(iter, false, "");
    tw_iter_close(iter);
    tw_iter_close(NULL);
    tw_batch_free(batch);
}

Test(store, iterators)
{
    on_both(check_iterators);
}

enum { MODEL_KEYS = 97 };

/* Random batches against a table of what must be there; keys "0" to "96" in text order. */
static void check_model(tw_store *store)
{
    uint32_t model[MODEL_KEYS] = {0}; /* 0: not there */
    uint64_t seed = 7;
    tw_batch *batch = tw_batch_new(MIB);
    for (uint32_t round = 1; round <= 150; round++) {
        for (size_t i = random_below(&seed, 30); i > 0; i--) {
            char key[8];
            const size_t at = random_below(&seed, MODEL_KEYS);
            (void)snprintf(key, sizeof key, "k%02zu", at);
            if (random_below(&seed, 3) == 0) {
                tw_batch_delete(batch, TW_TABLE_STATE, text(key));
                model[at] = 0;
            } else {
                model[at] = round * 1000 + (uint32_t)at;
                uint8_t value[4];
                tw_store_u32(value, model[at]);
                tw_batch_put(batch, TW_TABLE_STATE, text(key), tw_bytes_of(value, sizeof value));
            }
        }
        commit(store, batch);
        tw_iter *iter = NULL;
        cr_assert_eq(tw_iter_open(store, TW_TABLE_STATE, text("k"), &iter), TW_OK);
        cr_assert_eq(tw_iter_first(iter), TW_OK);
        for (size_t at = 0; at < MODEL_KEYS; at++) {
            if (model[at] == 0) continue;
            char key[8];
            (void)snprintf(key, sizeof key, "k%02zu", at);
            tw_bytes got_key = {NULL, 0};
            tw_bytes got = {NULL, 0};
            cr_assert(tw_iter_here(iter, &got_key, &got));
            cr_assert(is_text(got_key, key));
            cr_assert_eq(tw_load_u32(got.data), model[at]);
            cr_assert_eq(tw_iter_next(iter), TW_OK);
        }
        cr_assert_not(tw_iter_here(iter, NULL, NULL));
        tw_iter_close(iter);
    }
    tw_batch_free(batch);
}

Test(store, random_batches)
{
    on_both(check_model);
}

static void check_limits(tw_store *store)
{
    static const uint8_t zeros[TW_STORE_KEY_MAX + 1];
    tw_arena *arena = tw_arena_new(MIB);
    tw_batch *batch = tw_batch_new(MIB);
    tw_bytes value = {NULL, 0};
    bool found = false;
    const tw_bytes longest = tw_bytes_of(zeros, TW_STORE_KEY_MAX);
    const tw_bytes too_long = tw_bytes_of(zeros, TW_STORE_KEY_MAX + 1);
    tw_batch_put(batch, TW_TABLE_STATE, longest, text("v"));
    commit(store, batch);
    cr_assert_eq(tw_store_get(store, TW_TABLE_STATE, longest, arena, &value, &found), TW_OK);
    cr_assert(found && is_text(value, "v"));
    cr_assert_eq(tw_store_get(store, TW_TABLE_STATE, too_long, arena, &value, &found),
                 TW_ERR_INTERNAL);
    cr_assert_eq(tw_store_get(store, TW_TABLE_STATE, text(""), arena, &value, &found),
                 TW_ERR_INTERNAL);
    tw_batch_put(batch, TW_TABLE_STATE, too_long, text("v"));
    tw_batch_put(batch, TW_TABLE_STATE, text("good"), text("v"));
    cr_assert_eq(tw_store_commit(store, batch, true, NULL), TW_ERR_INTERNAL);
    tw_batch_clear(batch);
    expect(store, TW_TABLE_STATE, "good", NULL);

    /* A batch over its limit writes nothing, and the store goes on. */
    tw_batch_put(batch, TW_TABLE_STATE, text("good"), text("v"));
    for (size_t i = 0; i < 1100; i++) {
        tw_batch_put(batch, TW_TABLE_STATE, text("big"), tw_bytes_of(zeros, 1000));
    }
    cr_assert_eq(tw_store_commit(store, batch, true, NULL), TW_ERR_MEMORY);
    expect(store, TW_TABLE_STATE, "good", NULL);
    tw_batch_clear(batch);
    tw_batch_put(batch, TW_TABLE_STATE, text("good"), text("v"));
    commit(store, batch);
    expect(store, TW_TABLE_STATE, "good", "v");

    /* A value that does not fit the arena. */
    tw_arena *small = tw_arena_new(1);
    cr_assert_eq(tw_store_get(store, TW_TABLE_STATE, text("good"), small, &value, &found),
                 TW_ERR_MEMORY);
    tw_arena_free(small);
    tw_arena_free(arena);
    tw_batch_free(batch);
}

Test(store, limits)
{
    on_both(check_limits);
}

static void check_latch(tw_store *store)
{
    tw_batch *batch = tw_batch_new(MIB);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    commit(store, batch);
    cr_assert_not(tw_store_is_broken(store));
    cr_assert_str_eq(tw_store_failure(store), "");
    tw_store_break(store, "the disk is gone");
    tw_store_break(store, "a later failure");
    tw_err err = {0};
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("2"));
    cr_assert_eq(tw_store_commit(store, batch, true, &err), TW_ERR_STORE);
    cr_assert_not_null(strstr(err.text, "the disk is gone"));
    cr_assert(tw_store_is_broken(store));
    expect(store, TW_TABLE_STATE, "a", "1");
    tw_batch_free(batch);
}

Test(store, broken_takes_no_writes)
{
    on_both(check_latch);
}

Test(store, memory_commit_is_whole_or_absent)
{
    tw_store *store = NULL;
    cr_assert_eq(tw_store_open_memory(64 * 1024, &store), TW_OK);
    static const uint8_t zeros[1000];
    tw_batch *batch = tw_batch_new(MIB);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    commit(store, batch);
    tw_batch_delete(batch, TW_TABLE_STATE, text("a"));
    for (size_t i = 0; i < 100; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%zu", i);
        tw_batch_put(batch, TW_TABLE_STATE, text(key), tw_bytes_of(zeros, sizeof zeros));
    }
    cr_assert_eq(tw_store_commit(store, batch, true, NULL), TW_ERR_MEMORY);
    cr_assert_not(tw_store_is_broken(store));
    tw_batch_clear(batch);
    expect(store, TW_TABLE_STATE, "a", "1");
    expect(store, TW_TABLE_STATE, "k0", NULL);
    for (size_t i = 0; i < 1000; i++) { /* replaced values give their memory back */
        tw_batch_put(batch, TW_TABLE_STATE, text("a"), tw_bytes_of(zeros, sizeof zeros));
        commit(store, batch);
    }
    tw_batch_free(batch);
    tw_store_close(store);
    tw_store_close(NULL);
}

/* A memory store goes back to its mark, as often as wanted, whatever was put, replaced or deleted.
 */
Test(store, memory_goes_back_to_its_mark)
{
    tw_store *store = NULL;
    tw_batch *batch = tw_batch_new(MIB);
    cr_assert_eq(tw_store_open_memory(MIB, &store), TW_OK);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    tw_batch_put(batch, TW_TABLE_STATE, text("b"), text("2"));
    commit(store, batch);
    tw_store_memory_mark(store);
    for (int round = 0; round < 1000; round++) { /* far more than fits, if anything were left */
        tw_batch_clear(batch);
        tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("a longer value than before"));
        tw_batch_put(batch, TW_TABLE_STATE, text("c"), text("3"));
        tw_batch_delete(batch, TW_TABLE_STATE, text("b"));
        tw_batch_delete(batch, TW_TABLE_STATE, text("none"));
        commit(store, batch);
        tw_batch_clear(batch);
        tw_batch_put(batch, TW_TABLE_STATE, text("b"), text("again"));
        tw_batch_put(batch, TW_TABLE_NODE, text("a"), text("elsewhere"));
        tw_batch_delete(batch, TW_TABLE_STATE, text("c"));
        tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("x"));
        tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("y"));
        commit(store, batch);
        expect(store, TW_TABLE_STATE, "a", "y");
        expect(store, TW_TABLE_STATE, "c", NULL);
        tw_store_memory_back(store);
        expect(store, TW_TABLE_STATE, "a", "1");
        expect(store, TW_TABLE_STATE, "b", "2");
        expect(store, TW_TABLE_STATE, "c", NULL);
        expect(store, TW_TABLE_NODE, "a", NULL);
    }
    tw_batch_clear(batch);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("kept"));
    commit(store, batch);
    tw_store_memory_mark(store); /* a new mark keeps what was committed before it */
    tw_store_memory_back(store);
    expect(store, TW_TABLE_STATE, "a", "kept");
    tw_store_close(store);
    tw_batch_free(batch);
}

Test(store, disk_keeps_what_was_committed)
{
    char path[64];
    folder_make(path);
    tw_batch *batch = tw_batch_new(MIB);
    tw_store *store = store_on_disk(path);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    tw_batch_put(batch, TW_TABLE_NODE, text("n"), text("2"));
    commit(store, batch);
    tw_store_close(store);
    tw_err err = {0};
    cr_assert_eq(tw_store_open(path, NULL, &store, &err), TW_OK, "%s", err.text);
    expect(store, TW_TABLE_STATE, "a", "1");
    expect(store, TW_TABLE_NODE, "n", "2");
    tw_store_close(store);
    const tw_store_options fresh = {.create = true, .must_be_new = true};
    cr_assert_eq(tw_store_open(path, &fresh, &store, &err), TW_REFUSED_ARGUMENT);
    tw_batch_free(batch);
    folder_remove(path);
}

Test(store, disk_survives_a_process_that_ends_suddenly)
{
    char path[64];
    folder_make(path);
    const pid_t child = fork();
    if (child == 0) {
        tw_store *store = NULL;
        const tw_store_options options = {.create = true};
        if (tw_store_open(path, &options, &store, NULL) != TW_OK) _exit(1);
        tw_batch *batch = tw_batch_new(MIB);
        for (size_t i = 0; i < 50; i++) {
            tw_batch_clear(batch);
            char value[8];
            (void)snprintf(value, sizeof value, "%zu", i);
            tw_batch_put(batch, TW_TABLE_META, text("height"), text(value));
            tw_batch_put(batch, TW_TABLE_STATE, text("value"), text(value));
            if (tw_store_commit(store, batch, true, NULL) != TW_OK) _exit(2);
        }
        (void)kill(getpid(), SIGKILL);
    }
    int ended = 0;
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_assert(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    tw_store *store = store_on_disk(path);
    expect(store, TW_TABLE_META, "height", "49");
    expect(store, TW_TABLE_STATE, "value", "49");
    tw_store_close(store);
    folder_remove(path);
}

/* Another program that asks is told which process has the store; the lock stays where it is. */
Test(store, the_holder_of_the_lock_is_named)
{
    char path[64];
    tw_store *store = NULL;
    tw_err err = {0};
    int ready[2], leave[2];
    char byte = 0;
    folder_make(path);
    cr_assert_eq(pipe(ready), 0);
    cr_assert_eq(pipe(leave), 0);
    const pid_t child = fork();
    if (child == 0) {
        const tw_store_options options = {.create = true};
        if (tw_store_open(path, &options, &store, NULL) != TW_OK) _exit(1);
        if (write(ready[1], "r", 1) != 1 || read(leave[0], &byte, 1) != 1) _exit(2);
        tw_store_close(store);
        _exit(0);
    }
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    char who[48];
    (void)snprintf(who, sizeof who, "locked: another process, %ld, has", (long)child);
    for (int i = 0; i < 3; i++) { /* asking does not free it */
        cr_assert_eq(tw_store_open(path, NULL, &store, &err), TW_ERR_LOCKED);
        cr_assert_not_null(strstr(err.text, who), "%s", err.text);
        cr_assert_not_null(strstr(err.text, "try again"), "%s", err.text);
    }
    cr_assert_eq(write(leave[1], "l", 1), 1);
    int ended = 0;
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    cr_assert_eq(tw_store_open(path, NULL, &store, &err), TW_OK, "%s", err.text);
    tw_store_close(store);
    folder_remove(path);
}

/* Under the floor nothing is broken: with room, or another floor, it goes on. */
Test(store, the_floor_of_free_space)
{
    char path[64];
    tw_err err = {0};
    folder_make(path);
    tw_store *store = store_on_disk(path);
    tw_store *memory = store_in_memory();
    tw_store_set_floor(memory, UINT64_MAX);
    cr_assert_eq(tw_store_room(memory, &err), TW_OK);
    tw_store_set_floor(store, UINT64_MAX);
    cr_assert_eq(tw_store_room(store, &err), TW_ERR_SPACE);
    cr_assert_not_null(strstr(err.text, "--free-min"), "%s", err.text);
    cr_assert_not_null(strstr(err.text, " MiB free"), "%s", err.text);
    cr_assert_not(tw_store_is_broken(store));
    tw_store_set_floor(store, 1);
    cr_assert_eq(tw_store_room(store, &err), TW_OK);
    tw_store_set_floor(store, 0);
    cr_assert_eq(tw_store_room(store, &err), TW_OK);
    tw_store_close(store);
    tw_store_close(memory);
    folder_remove(path);
}

/* A copy has what was committed before, and is a store of its own. */
Test(store, a_copy_beside_writes)
{
    char path[64], copy_path[80];
    tw_err err = {0};
    tw_store *copy = NULL;
    tw_batch *batch = tw_batch_new(MIB);
    folder_make(path);
    (void)snprintf(copy_path, sizeof copy_path, "%s-copy", path);
    tw_store *store = store_on_disk(path);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    tw_batch_put(batch, TW_TABLE_NODE, text("n"), text("2"));
    commit(store, batch);
    cr_assert_eq(tw_store_copy(store, copy_path, &err), TW_OK, "%s", err.text);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("later"));
    commit(store, batch);
    cr_assert_eq(tw_store_open(copy_path, NULL, &copy, &err), TW_OK, "%s", err.text);
    expect(copy, TW_TABLE_STATE, "a", "1");
    expect(copy, TW_TABLE_NODE, "n", "2");
    tw_batch_put(batch, TW_TABLE_STATE, text("b"), text("of the copy"));
    commit(copy, batch);
    expect(store, TW_TABLE_STATE, "a", "later");
    expect(store, TW_TABLE_STATE, "b", NULL);
    tw_store_close(copy);
    cr_assert_eq(tw_store_copy(store, copy_path, &err), TW_ERR_IO);
    cr_assert_not_null(strstr(err.text, "the folder is new"), "%s", err.text);
    tw_store_close(store);
    folder_remove(path);
    folder_remove(copy_path);
    tw_store *memory = store_in_memory();
    cr_assert_eq(tw_store_copy(memory, copy_path, &err), TW_REFUSED_ARGUMENT);
    tw_store_close(memory);
    tw_batch_free(batch);
}

Test(store, disk_refuses_with_a_reason)
{
    char path[64];
    folder_make(path);
    tw_store *store = NULL;
    tw_err err = {0};
    char missing[80];
    (void)snprintf(missing, sizeof missing, "%s/missing", path);
    cr_assert_eq(tw_store_open(missing, NULL, &store, &err), TW_REFUSED_NOT_FOUND);
    cr_assert_not_null(strstr(err.text, "twvm init"));
    cr_assert_neq(access(missing, F_OK), 0); /* and left nothing behind */
    char deep[96];
    (void)snprintf(deep, sizeof deep, "%s/no/such", missing);
    const tw_store_options create = {.create = true};
    cr_assert_eq(tw_store_open(deep, &create, &store, &err), TW_ERR_IO, "%s", err.text);

    store = store_on_disk(path);
    tw_store *second = NULL;
    cr_assert_eq(tw_store_open(path, NULL, &second, &err), TW_ERR_LOCKED, "%s", err.text);
    const pid_t child = fork();
    if (child == 0) {
        /* inherited from this process, so RocksDB says what it says of its own */
        if (tw_store_open(path, NULL, &second, &err) != TW_ERR_LOCKED) _exit(1);
        _exit(strstr(err.text, "this process") != NULL ? 0 : 2);
    }
    int ended = 0;
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_assert(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    tw_store_close(store);

    char current[80];
    (void)snprintf(current, sizeof current, "%s/CURRENT", path);
    FILE *file = fopen(current, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs("MANIFEST-999999\n", file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert_lt(tw_store_open(path, NULL, &store, &err), 0);
    cr_assert_str_not_empty(err.text);
    folder_remove(path);
}

/* Fills what may be written and looks at the store then; returns 0 when all is as it should be.
 * In a process of its own, because a store whose write failed is only let go by its end. */
static int write_on_full_disk(const char *path)
{
    tw_store *store = store_on_disk(path);
    tw_batch *batch = tw_batch_new(MIB);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("1"));
    commit(store, batch);
    static const uint8_t zeros[64 * 1024];
    (void)signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {16 * 1024, RLIM_INFINITY};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    tw_err err = {0};
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("2"));
    tw_batch_put(batch, TW_TABLE_NODE, text("b"), tw_bytes_of(zeros, sizeof zeros));
    if (tw_store_commit(store, batch, true, &err) != TW_ERR_STORE) return 2;
    if (strstr(err.text, "disk space") == NULL || !tw_store_is_broken(store)) return 3;
    limit.rlim_cur = RLIM_INFINITY;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    if (tw_store_commit(store, batch, true, NULL) != TW_ERR_STORE) return 4;
    tw_arena *arena = tw_arena_new(MIB);
    tw_bytes value = {NULL, 0};
    bool found = false;
    const tw_status status = tw_store_get(store, TW_TABLE_STATE, text("a"), arena, &value, &found);
    if (status != TW_OK || !found || !is_text(value, "1")) return 5;
    tw_store_close(store);
    return 0;
}

/* A disk that takes no more bytes: the write fails, the store latches, and what was acknowledged
 * is there both at once and after starting again. */
Test(store, disk_that_is_full)
{
    char path[64];
    folder_make(path);
    const pid_t child = fork();
    if (child == 0) _exit(write_on_full_disk(path));
    int ended = 0;
    cr_assert_eq(waitpid(child, &ended, 0), child);
    cr_assert(WIFEXITED(ended), "ended by a signal");
    cr_assert_eq(WEXITSTATUS(ended), 0);
    tw_store *store = store_on_disk(path);
    tw_batch *batch = tw_batch_new(MIB);
    expect(store, TW_TABLE_STATE, "a", "1");
    expect(store, TW_TABLE_NODE, "b", NULL);
    tw_batch_put(batch, TW_TABLE_STATE, text("a"), text("3"));
    commit(store, batch);
    expect(store, TW_TABLE_STATE, "a", "3");
    tw_store_close(store);
    tw_batch_free(batch);
    folder_remove(path);
}

/* -- values that are remembered -- */

enum { RISING_KEYS = 40, RISING_BLOCKS = 400, RISING_SIZE = 3000 };

typedef struct rising {
    tw_store *store;
    atomic_bool end;
    size_t reads, failed, went_back;
} rising;

/* The number that a key has; 0: none. */
static uint64_t read_number(tw_store *store, uint32_t key, tw_arena *arena, size_t *failed)
{
    tw_bytes value = {NULL, 0};
    bool found = false;
    tw_arena_clear(arena);
    *failed +=
        tw_store_get(store, TW_TABLE_STATE, tw_bytes_of(&key, 4), arena, &value, &found) != TW_OK;
    return found && value.size >= 8 ? tw_load_u64(value.data) : 0;
}

/* Reads all keys again and again: none may go back. */
static void *read_rising(void *context)
{
    rising *r = context;
    uint64_t seen[RISING_KEYS] = {0};
    tw_arena *arena = tw_arena_new(MIB);
    for (uint32_t i = 0; !atomic_load(&r->end); i = (i + 1) % RISING_KEYS) {
        const uint64_t now = read_number(r->store, i, arena, &r->failed);
        r->went_back += now < seen[i];
        seen[i] = now;
        r->reads++;
    }
    tw_arena_free(arena);
    return NULL;
}

/* Writes the block's number to every third key, in values of many sizes, and reads all. */
static void raise_values(tw_store *store, uint64_t block, tw_batch *batch, tw_arena *arena)
{
    static uint8_t bytes[RISING_SIZE];
    static uint64_t last[RISING_KEYS];
    size_t failed = 0;
    tw_store_u64(bytes, block);
    for (uint32_t i = (uint32_t)(block % 3); i < RISING_KEYS; i += 3) {
        const size_t size = 8 + (size_t)(block * 7 + i) % (RISING_SIZE - 8);
        tw_batch_put(batch, TW_TABLE_STATE, tw_bytes_of(&i, 4), tw_bytes_of(bytes, size));
        last[i] = block;
    }
    commit(store, batch);
    for (uint32_t i = 0; i < RISING_KEYS; i++) {
        cr_assert_eq(read_number(store, i, arena, &failed), last[i]);
    }
    cr_assert_eq(failed, 0);
}

/* More values than are remembered: a reader and the writer see each as it was written last. */
Test(store, values_rise_beside_a_reader)
{
    char path[64];
    pthread_t thread;
    rising r = {0};
    folder_make(path);
    const tw_store_options options = {.create = true, .cache_size = 256 * 1024};
    cr_assert_eq(tw_store_open(path, &options, &r.store, NULL), TW_OK);
    tw_batch *batch = tw_batch_new(MIB);
    tw_arena *arena = tw_arena_new(MIB);
    cr_assert_eq(pthread_create(&thread, NULL, read_rising, &r), 0);
    for (uint64_t block = 1; block <= RISING_BLOCKS; block++) {
        raise_values(r.store, block, batch, arena);
    }
    atomic_store(&r.end, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_gt(r.reads, 0);
    cr_assert_eq(r.failed, 0);
    cr_assert_eq(r.went_back, 0);
    const uint32_t gone = 5;
    tw_batch_delete(batch, TW_TABLE_STATE, tw_bytes_of(&gone, 4));
    commit(r.store, batch);
    cr_assert_eq(read_number(r.store, gone, arena, &r.failed), 0);
    tw_arena_free(arena);
    tw_batch_free(batch);
    tw_store_close(r.store);
    folder_remove(path);
}
