/* folder -- a ledger's folder, or a file, that is made under another name and gets its own when it
 * is whole.
 *
 * Used where a folder is filled from elsewhere: a snapshot that is loaded, a backup, a replay that
 * is kept. Whatever ends the process before, DIR is not there; what is left of DIR.unfinished the
 * next run takes away. Files are what commands write with -o.
 */
#ifndef TW_RUNNER_FOLDER_H
#define TW_RUNNER_FOLDER_H

#include "vm/base/bytes.h"
#include "vm/base/status.h"

#include <stdio.h>

enum { TW_FOLDER_PATH_MAX = 4096 };

typedef struct tw_draft {
    char dir[TW_FOLDER_PATH_MAX];  /* what it will be called */
    char path[TW_FOLDER_PATH_MAX]; /* what it is called until then */
    int lock;                      /* on it, so that no two processes fill it */
} tw_draft;

/* Makes the folder to be filled. Refused when `dir` is there and not empty, or when another process
 * fills it. */
TW_MUST_USE tw_status tw_draft_begin(const char *dir, tw_draft *ret_draft, tw_err *err);
/* Gives it its name; it is on the disk then. After a failure the draft is still there. */
TW_MUST_USE tw_status tw_draft_end(tw_draft *draft, tw_err *err);
/* Takes it away, unless it has got its name. Always called in the end. */
void tw_draft_drop(tw_draft *draft);

typedef struct tw_file_draft {
    FILE *file;
    const char *name;              /* what it will be called; borrowed */
    char path[TW_FOLDER_PATH_MAX]; /* what it is called until then; empty: the same */
} tw_file_draft;

/* Opens a file to be written. What has the name and is no plain file (a pipe, a terminal, a link)
 * is written to itself. TW_ERR_IO with a sentence. */
TW_MUST_USE tw_status tw_file_begin(const char *name, tw_file_draft *ret_draft, tw_err *err);
/* Closes it and gives it its name; it is on the disk then. After a failure nothing has the name. */
TW_MUST_USE tw_status tw_file_end(tw_file_draft *draft, tw_err *err);
/* Closes it and takes it away. */
void tw_file_drop(tw_file_draft *draft);

/* All of a file at once. */
TW_MUST_USE tw_status tw_file_write(const char *name, tw_bytes bytes, tw_err *err);

/* Removes the files of a folder, and the folder. */
void tw_folder_remove(const char *path);

/* Copies the plain files of a folder into a new one that only its owner can read. */
TW_MUST_USE tw_status tw_folder_copy(const char *from, const char *to, tw_err *err);

#endif
