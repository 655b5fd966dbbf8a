/* load -- a ledger at work, for the tests that break its disk: which block stands at a height is
 * the same on every run, so whoever has the load knows what each whole ledger must look like.
 *
 * Called by crash.c, disk.c, flip.c and alloc.c. Block 1 deploys a contract; each block after it
 * has a pack of readings, calls that write, delete and fail, and now and then one more deploy;
 * timers, alarms and history come in between. The write buffers are as small as RocksDB takes
 * them, so that a few blocks already flush and compact.
 */
#ifndef TW_TESTS_FAULT_LOAD_H
#define TW_TESTS_FAULT_LOAD_H

#include "vm/ledger/ledger.h"

typedef enum load_who { LOAD_OWNER, LOAD_SENSOR, LOAD_CARRIER, LOAD_PEOPLE } load_who;

typedef struct load {
    tw_secret secrets[LOAD_PEOPLE];
    tw_account accounts[LOAD_PEOPLE];
    uint8_t *module; /* tw_mem_*: the caller ends with load_free */
    size_t module_size;
    tw_writer bytes; /* of the transactions of a block */
    tw_writer pack;
    tw_hash contract; /* that block 1 deploys */
    uint64_t keep;    /* set by the caller: of so many blocks the state stays; 0: of all */
    unsigned threads; /* the same; with 2 and more load_work begins a block while the one before is
                         written, and acknowledges it when it is */
    /* while open: */
    tw_store *store;
    tw_ledger *ledger;
} load;

/* What a process at work tells, each in one write to a pipe: it is whole or not there. */
typedef enum load_said {
    LOAD_OPENED,   /* `height` is the head's */
    LOAD_STARTS,   /* the commit of `height` begins */
    LOAD_DONE,     /* it is on the disk: acknowledged */
    LOAD_BLOCK,    /* a check: the block at `height` has this hash */
    LOAD_PROBLEMS, /* a check: so many, in `height`, were found by the audit */
    LOAD_END,      /* it came to its end */
} load_said;

typedef struct load_word {
    uint64_t said; /* load_said */
    uint64_t height;
    tw_hash hash;
} load_word;

/* Makes keys and module. False without memory. */
bool load_make(load *l);
void load_free(load *l);

/* Opens the ledger in `folder` (NULL: in memory), and makes it when there is none. */
TW_MUST_USE tw_status load_open(load *l, const char *folder, tw_err *err);
void load_close(load *l);

/* Everything of the next block but its commit, and then that. */
TW_MUST_USE tw_status load_fill(load *l, tw_err *err);
TW_MUST_USE tw_status load_commit(load *l, tw_err *err);

/* What all blocks hold, executed again on a ledger in memory. */
TW_MUST_USE tw_status load_replay(load *l, tw_err *err);

/* The hash of the block at `height`, as the ledger in memory that `l` has open comes to it. */
bool load_expect(load *l, uint64_t height, tw_hash *ret_hash);

/* What a child process does, telling `fd`: blocks up to `until`; or hashes of all blocks from
 * `from` on, and an audit of all there is; with `from` 0 the blocks are replayed too. Its exit
 * status: 0, or 1 after a sentence to stderr. */
int load_work(load *l, const char *folder, uint64_t until, int fd);
int load_check(load *l, const char *folder, uint64_t from, int fd);

/* SplitMix64. */
uint64_t load_mixed(uint64_t x);

/* An empty folder under `parent`, its path in `path`; and it with the files in it taken away. */
bool load_folder_make(const char *parent, char path[static 4096]);
void load_folder_remove(const char *path);

#endif
