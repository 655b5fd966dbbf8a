/* test_commit -- blocks from overlay to disk and back: the head, the roots, damage, sudden ends. */
#include "tests/unit/state_fixture.h"
#include "vm/state/commit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct ledger {
    tw_store *store;
    tw_overlay *overlay;
    tw_commit *commit;
} ledger;

static ledger ledger_over(tw_store *store)
{
    ledger l = {store, tw_overlay_new(store, 64 * MIB), NULL};
    tw_err err = {0};
    cr_assert_eq(tw_commit_open(store, 64 * MIB, &l.commit, &err), TW_OK, "%s", err.text);
    return l;
}

static void ledger_close(ledger *l)
{
    tw_commit_close(l->commit);
    tw_overlay_free(l->overlay);
    tw_store_close(l->store);
}

/* Changes that depend on the height alone: puts, overwrites and deletes over 200 keys. */
static void change_state(tw_overlay *overlay, uint64_t height)
{
    uint64_t seed = height;
    for (size_t i = 0; i < 30; i++) {
        char key[16];
        uint64_t value = random_next(&seed);
        (void)snprintf(key, sizeof key, "key %zu", random_below(&seed, 200));
        if (value % 5 == 0) {
            cr_assert_eq(tw_overlay_delete(overlay, text(key)), TW_OK);
        } else {
            cr_assert_eq(tw_overlay_put(overlay, text(key), tw_bytes_of(&value, 8)), TW_OK);
        }
    }
}

/* Makes one block; its own record and the extra are the height as text. */
static tw_status block(ledger *l, uint64_t height, tw_hash *ret_root)
{
    char name[24];
    (void)snprintf(name, sizeof name, "%llu", (unsigned long long)height);
    change_state(l->overlay, height);
    TW_TRY(tw_commit_prepare(l->commit, l->overlay, height, ret_root, NULL));
    tw_batch_put(tw_commit_batch(l->commit), TW_TABLE_BLOCK, text(name), text(name));
    TW_TRY(tw_commit_write(l->commit, text(name), true, NULL));
    tw_overlay_clear(l->overlay, tw_load_u64(ret_root->bytes));
    return TW_OK;
}

/* The roots of the first blocks, from a store in memory. */
enum { BLOCKS = 40 };

static void expected_roots(tw_hash ret_roots[BLOCKS])
{
    ledger l = ledger_over(store_in_memory());
    for (uint64_t h = 0; h < BLOCKS; h++) cr_assert_eq(block(&l, h, &ret_roots[h]), TW_OK);
    ledger_close(&l);
}

Test(commit, head_moves_with_each_block)
{
    tw_hash roots[BLOCKS];
    expected_roots(roots);
    char path[64];
    folder_make(path);
    ledger l = ledger_over(store_on_disk(path));
    cr_assert_not(tw_commit_head(l.commit)->exists);
    cr_assert(tw_hash_is_zero(&tw_commit_head(l.commit)->root.hash));
    for (uint64_t h = 0; h < BLOCKS; h++) {
        tw_hash root;
        cr_assert_eq(block(&l, h, &root), TW_OK);
        cr_assert(tw_hash_equal(&root, &roots[h])); /* both back ends agree */
        const tw_head *head = tw_commit_head(l.commit);
        cr_assert(head->exists && head->height == h && tw_hash_equal(&head->root.hash, &root));
        if (h % 7 != 0) continue;
        ledger_close(&l);
        l = ledger_over(store_on_disk(path));
        head = tw_commit_head(l.commit);
        cr_assert(head->exists && head->height == h && tw_hash_equal(&head->root.hash, &root));
        char name[24];
        (void)snprintf(name, sizeof name, "%llu", (unsigned long long)h);
        cr_assert(is_text(head->extra, name));
    }
    for (uint64_t h = 0; h <= BLOCKS; h++) {
        tw_tree_root root = {0};
        bool found = false;
        cr_assert_eq(tw_commit_root_at(l.commit, h, &root, &found), TW_OK);
        cr_assert_eq(found, h < BLOCKS);
        if (found) cr_assert(tw_hash_equal(&root.hash, &roots[h]));
    }
    ledger_close(&l);
    folder_remove(path);
}

Test(commit, refuses_misuse)
{
    ledger l = ledger_over(store_in_memory());
    tw_hash root;
    tw_err err = {0};
    static const uint8_t zeros[TW_HEAD_EXTRA_MAX + 1];
    cr_assert_eq(tw_commit_write(l.commit, text(""), true, &err), TW_ERR_INTERNAL);
    cr_assert_eq(block(&l, 5, &root), TW_OK);
    cr_assert_eq(tw_commit_prepare(l.commit, l.overlay, 5, &root, &err), TW_ERR_INTERNAL);
    cr_assert_eq(tw_commit_prepare(l.commit, l.overlay, 6, &root, &err), TW_OK);
    cr_assert_eq(tw_commit_write(l.commit, tw_bytes_of(zeros, sizeof zeros), true, &err),
                 TW_ERR_INTERNAL);
    cr_assert_eq(tw_commit_write(l.commit, tw_bytes_of(zeros, sizeof zeros - 1), true, &err),
                 TW_OK);
    cr_assert_eq(tw_commit_head(l.commit)->extra.size, TW_HEAD_EXTRA_MAX);
    cr_assert_eq(tw_commit_write(l.commit, text(""), true, &err), TW_ERR_INTERNAL);
    ledger_close(&l);
    tw_commit_close(NULL);
}

/* A block that is prepared and dropped, or whose write fails, leaves head and store alone. */
Test(commit, dropped_and_failed_blocks_leave_nothing)
{
    tw_hash roots[BLOCKS];
    expected_roots(roots);
    ledger l = ledger_over(store_in_memory());
    tw_hash root;
    for (uint64_t h = 0; h < BLOCKS; h++) {
        change_state(l.overlay, h + 1000);
        cr_assert_eq(tw_commit_prepare(l.commit, l.overlay, h, &root, NULL), TW_OK);
        tw_commit_drop(l.commit);
        tw_overlay_clear(l.overlay, 0);
        cr_assert_eq(block(&l, h, &root), TW_OK);
        cr_assert(tw_hash_equal(&root, &roots[h]));
    }
    tw_store_break(l.store, "gone");
    cr_assert_eq(block(&l, BLOCKS, &root), TW_ERR_STORE);
    cr_assert_eq(tw_commit_head(l.commit)->height, BLOCKS - 1);
    ledger_close(&l);
}

/* Replaces one record of META or NODE by what `spoil` makes of it, and opens. */
static void expect_corrupt(tw_store *store, tw_table table, tw_bytes key, const char *value)
{
    tw_batch *batch = tw_batch_new(MIB);
    if (value != NULL) {
        tw_batch_put(batch, table, key, text(value));
    } else {
        tw_batch_delete(batch, table, key);
    }
    cr_assert_eq(tw_store_commit(store, batch, true, NULL), TW_OK);
    tw_batch_free(batch);
    tw_commit *commit = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_commit_open(store, 64 * MIB, &commit, &err), TW_ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, "copy of the folder"), "%s", err.text);
}

/* A head of another format, whole: no damage, another version. */
Test(commit, another_format_is_named)
{
    tw_store *store = store_in_memory();
    tw_batch *batch = tw_batch_new(MIB);
    tw_commit *commit = NULL;
    tw_err err = {0};
    uint8_t head[60] = {1};
    tw_store_u32(head + 56, tw_checksum(head, 56));
    tw_batch_put(batch, TW_TABLE_META, text("head"), tw_bytes_of(head, sizeof head));
    cr_assert_eq(tw_store_commit(store, batch, false, &err), TW_OK);
    cr_assert_eq(tw_commit_open(store, 64 * MIB, &commit, &err), TW_REFUSED_ARGUMENT);
    cr_assert_not_null(strstr(err.text, "format 1"));
    tw_batch_free(batch);
    tw_store_close(store);
}

Test(commit, damage_is_found_at_open)
{
    ledger l = ledger_over(store_in_memory());
    tw_hash root;
    cr_assert_eq(block(&l, 1, &root), TW_OK);
    const uint8_t root_node[9] = {0, 0, 0, 0, 0, 0, 0, 1, 0};
    expect_corrupt(l.store, TW_TABLE_NODE, tw_bytes_of(root_node, 9), "not a node");
    expect_corrupt(l.store, TW_TABLE_NODE, tw_bytes_of(root_node, 9), NULL);
    expect_corrupt(l.store, TW_TABLE_META, text("head"), "");
    expect_corrupt(l.store, TW_TABLE_META, text("head"), "a head of another kind altogether");
    ledger_close(&l);
}

/* A store that stands before what its landmark says was acknowledged is not begun. */
static void expect_not_begun(const char *path, const char *said)
{
    tw_store *store = store_on_disk(path);
    tw_commit *commit = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_commit_open(store, 64 * MIB, &commit, &err), TW_ERR_CORRUPT);
    cr_assert_not_null(strstr(err.text, said), "%s", err.text);
    tw_store_close(store);
}

Test(commit, landmark_tells_a_log_that_was_cut_off)
{
    char path[64];
    char name[100];
    uint8_t landmark[TW_LANDMARK_MAX];
    tw_hash root;
    folder_make(path);
    (void)snprintf(name, sizeof name, "%s/LANDMARK", path);
    ledger l = ledger_over(store_on_disk(path));
    cr_assert_eq(tw_store_landmark(l.store, landmark), 0);
    for (uint64_t h = 0; h < 4; h++) cr_assert_eq(block(&l, h, &root), TW_OK);
    cr_assert_eq(tw_store_landmark(l.store, landmark), 8 + TW_HASH_SIZE);
    cr_assert_eq(tw_load_u64(landmark), 3);
    cr_assert_arr_eq(landmark + 8, root.bytes, TW_HASH_SIZE);
    /* the newest block taken off: the landmark goes back with it */
    cr_assert_eq(tw_commit_prepare_undo(l.commit, NULL), TW_OK);
    cr_assert_eq(tw_commit_write(l.commit, text("2"), true, NULL), TW_OK);
    cr_assert_eq(tw_store_landmark(l.store, landmark), 8 + TW_HASH_SIZE);
    cr_assert_eq(tw_load_u64(landmark), 2);
    ledger_close(&l);
    l = ledger_over(store_on_disk(path));
    tw_store_u64(landmark, 7); /* as if the log had held five blocks more */
    const tw_bytes later = tw_bytes_of(landmark, 8 + TW_HASH_SIZE);
    cr_assert_eq(tw_store_set_landmark(l.store, later, false, NULL), TW_OK);
    ledger_close(&l);
    expect_not_begun(path, "block 7 was acknowledged");
    expect_not_begun(path, "at block 2: ");
    /* of the same height and another root */
    tw_store *store = store_on_disk(path);
    tw_store_u64(landmark, 2);
    landmark[20] ^= 1;
    cr_assert_eq(tw_store_set_landmark(store, later, false, NULL), TW_OK);
    tw_store_close(store);
    expect_not_begun(path, "block 2 was acknowledged");
    /* one that is not whole says nothing */
    FILE *file = fopen(name, "r+b");
    cr_assert(file != NULL && fputc(9, file) == 9 && fclose(file) == 0);
    l = ledger_over(store_on_disk(path));
    cr_assert_eq(tw_store_landmark(l.store, landmark), 0);
    cr_assert_eq(block(&l, 3, &root), TW_OK);
    cr_assert_eq(tw_store_landmark(l.store, landmark), 8 + TW_HASH_SIZE);
    ledger_close(&l);
    folder_remove(path);
}

/* What each sync of a landmark met: its height, and whether block 3 was still in the store. */
static struct watch {
    tw_store *store;
    int syncs;
    uint64_t height;
    bool before_the_batch;
} watched;

/* In the place of the C library's: RocksDB syncs its own files by it too. */
int fdatasync(int file)
{
    char link[40];
    char name[200];
    uint8_t memory[1 + TW_LANDMARK_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t size = readlink(link, name, sizeof name - 1);
    name[size > 0 ? size : 0] = '\0';
    if (watched.store != NULL && strstr(name, "/LANDMARK") != NULL) {
        tw_tree_root root;
        tw_arena *arena = tw_arena_new(MIB);
        const int read_only = open(name, O_RDONLY);
        cr_assert_geq(pread(read_only, memory, 9, 0), 9);
        close(read_only);
        watched.syncs++;
        watched.height = tw_load_u64(memory + 1);
        cr_assert_eq(tw_root_read(watched.store, 3, arena, &root, &watched.before_the_batch),
                     TW_OK);
        tw_arena_free(arena);
    }
    return (int)syscall(SYS_fdatasync, file);
}

/* Else a power cut could leave the higher landmark before a ledger that is whole. */
Test(commit, landmark_is_lower_on_the_disk_before_a_block_is_taken_off)
{
    char path[64];
    tw_hash root;
    folder_make(path);
    ledger l = ledger_over(store_on_disk(path));
    watched.store = l.store;
    for (uint64_t h = 0; h < 4; h++) cr_assert_eq(block(&l, h, &root), TW_OK);
    cr_assert_eq(watched.syncs, 0);
    cr_assert_eq(tw_commit_prepare_undo(l.commit, NULL), TW_OK);
    cr_assert_eq(tw_commit_write(l.commit, text("2"), true, NULL), TW_OK);
    cr_assert_eq(watched.syncs, 1);
    cr_assert_eq(watched.height, 2);
    cr_assert(watched.before_the_batch);
    watched.store = NULL;
    ledger_close(&l);
    folder_remove(path);
}

/* A process killed at any moment leaves a whole block: the head, its root and its record. */
Test(commit, killed_writer_leaves_whole_blocks)
{
    tw_hash roots[BLOCKS];
    expected_roots(roots);
    char path[64];
    folder_make(path);
    tw_store_close(store_on_disk(path));
    uint64_t height = 0;
    for (uint64_t run = 0; run < 12 && height + 1 < BLOCKS; run++) {
        const pid_t child = fork();
        if (child == 0) {
            ledger l = ledger_over(store_on_disk(path));
            const tw_head *head = tw_commit_head(l.commit);
            uint64_t next = head->exists ? head->height + 1 : 0;
            tw_hash root;
            while (next < BLOCKS && block(&l, next, &root) == TW_OK) next++;
            _exit(0);
        }
        (void)usleep((useconds_t)(20000 + run * 1500));
        (void)kill(child, SIGKILL);
        int ended = 0;
        cr_assert_eq(waitpid(child, &ended, 0), child);
        ledger l = ledger_over(store_on_disk(path));
        const tw_head *head = tw_commit_head(l.commit);
        if (head->exists) {
            cr_assert_geq(head->height, height);
            height = head->height;
            cr_assert(tw_hash_equal(&head->root.hash, &roots[height]));
        }
        ledger_close(&l);
    }
    folder_remove(path);
}
