/* folder -- see the header. */
#include "vm/runner/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_PATH_MAX = TW_FOLDER_PATH_MAX + 300, COPY_SIZE = 16 * 1024 };

static const char *const parts[] = {"store", "keys"}; /* all that a ledger's folder has */

/* A link is not followed: what it leads to is not ours. */
void tw_folder_remove(const char *path)
{
    const int opened = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = opened >= 0 ? fdopendir(opened) : NULL;
    if (folder == NULL) {
        if (opened >= 0) close(opened);
        return;
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        (void)unlinkat(opened, entry->d_name, 0);
    }
    closedir(folder);
    rmdir(path);
}

static void empty_draft(const char *path)
{
    char part[TW_FOLDER_PATH_MAX + 16];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(part, sizeof part, "%s/%s", path, parts[i]);
        tw_folder_remove(part);
        snprintf(part, sizeof part, "%s/%s.tmp", path, parts[i]); /* RocksDB's, of a copy */
        tw_folder_remove(part);
    }
}

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (folder == NULL) return false;
    uint32_t count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count <= 2; /* itself and its parent */
}

static tw_status set_paths(const char *dir, tw_draft *draft, tw_err *err)
{
    size_t size = strlen(dir);
    while (size > 1 && dir[size - 1] == '/') size--;
    if (size == 0 || size + 16 > TW_FOLDER_PATH_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "the path of the folder is empty or too long");
    }
    memcpy(draft->dir, dir, size);
    draft->dir[size] = '\0';
    memcpy(draft->path, dir, size);
    memcpy(draft->path + size, ".unfinished", sizeof ".unfinished");
    return TW_OK;
}

/* The lock of the draft, which must still be the folder of that name: who had it before us may have
 * given it its own. */
static tw_status lock_draft(tw_draft *draft, tw_err *err)
{
    struct stat held, there;
    const bool made = mkdir(draft->path, 0777) == 0;
    if (!made && errno != EEXIST) {
        return tw_err_set(err, TW_ERR_IO, "%s: the folder cannot be made: %s", draft->path,
                          strerror(errno));
    }
    draft->lock = open(draft->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (draft->lock < 0) {
        return tw_err_set(err, TW_ERR_IO, "%s: the folder cannot be opened: %s", draft->path,
                          strerror(errno));
    }
    const bool known = fstat(draft->lock, &held) == 0;
    const bool ours = known && (made || held.st_uid == geteuid());
    if (ours && flock(draft->lock, LOCK_EX | LOCK_NB) == 0 && lstat(draft->path, &there) == 0 &&
        held.st_ino == there.st_ino) {
        return TW_OK;
    }
    close(draft->lock);
    draft->lock = -1;
    if (known && !ours) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%s belongs to another user; move it away, or take another name",
                          draft->path);
    }
    return tw_err_set(err, TW_ERR_LOCKED, "%s: another twvm is making this folder", draft->path);
}

tw_status tw_draft_begin(const char *dir, tw_draft *ret_draft, tw_err *err)
{
    struct stat there;
    tw_draft draft = {.lock = -1};
    TW_TRY(set_paths(dir, &draft, err));
    if (lstat(draft.dir, &there) == 0 && !is_empty(draft.dir)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%s is there already; take another name, or move it away", draft.dir);
    }
    TW_TRY(lock_draft(&draft, err));
    empty_draft(draft.path);
    if (!is_empty(draft.path)) {
        close(draft.lock);
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "%s holds something that twvm did not leave there; move it away",
                          draft.path);
    }
    *ret_draft = draft;
    return TW_OK;
}

/* The folder in which `path` stands, onto the disk. */
static bool sync_parent(const char *path)
{
    char parent[TW_FOLDER_PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t size = slash != NULL ? (size_t)(slash - path) : 0;
    memcpy(parent, path, size);
    parent[size] = '\0';
    const char *name = slash == NULL ? "." : (size == 0 ? "/" : parent);
    const int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    const bool fine = fsync(folder) == 0;
    close(folder);
    return fine;
}

tw_status tw_draft_end(tw_draft *draft, tw_err *err)
{
    if (fsync(draft->lock) == 0 && rename(draft->path, draft->dir) == 0) {
        if (sync_parent(draft->dir)) {
            draft->path[0] = '\0';
            return TW_OK;
        }
        const int cause = errno;
        (void)rename(draft->dir, draft->path); /* nobody knows whether the name would last */
        errno = cause;
    }
    return tw_err_set(err, TW_ERR_IO, "%s: the folder cannot be put in its place: %s", draft->dir,
                      strerror(errno));
}

void tw_draft_drop(tw_draft *draft)
{
    if (draft->path[0] != '\0') {
        empty_draft(draft->path);
        rmdir(draft->path);
    }
    if (draft->lock >= 0) close(draft->lock);
    draft->lock = -1;
}

/* ---- files ---- */

static tw_status refuse_file(const char *name, int reason, tw_err *err)
{
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be written: %s", name, strerror(reason));
}

tw_status tw_file_begin(const char *name, tw_file_draft *ret_draft, tw_err *err)
{
    struct stat there;
    ret_draft->name = name;
    ret_draft->path[0] = '\0';
    const bool plain = lstat(name, &there) != 0 || S_ISREG(there.st_mode);
    if (plain) {
        const int size =
            snprintf(ret_draft->path, sizeof ret_draft->path, "%s.%ld.part", name, (long)getpid());
        if (size < 0 || (size_t)size >= sizeof ret_draft->path) {
            return refuse_file("the file", ENAMETOOLONG, err);
        }
    }
    errno = 0;
    ret_draft->file = plain ? fopen(ret_draft->path, "wbx") : fopen(name, "wb");
    return ret_draft->file != NULL ? TW_OK : refuse_file(name, errno, err);
}

void tw_file_drop(tw_file_draft *draft)
{
    (void)fclose(draft->file);
    draft->file = NULL;
    if (draft->path[0] != '\0') (void)unlink(draft->path);
}

/* Onto the disk, closed, and under its name. */
static bool finish_file(tw_file_draft *draft)
{
    const bool plain = draft->path[0] != '\0';
    bool fine = fflush(draft->file) == 0 && (!plain || fsync(fileno(draft->file)) == 0);
    const int reason = errno;
    if (fclose(draft->file) != 0 && fine) return false;
    if (!fine) errno = reason;
    if (!fine || !plain) return fine;
    if (rename(draft->path, draft->name) != 0) return false;
    fine = sync_parent(draft->name);
    if (!fine) draft->path[0] = '\0';
    return fine;
}

tw_status tw_file_end(tw_file_draft *draft, tw_err *err)
{
    const bool plain = draft->path[0] != '\0';
    errno = 0;
    if (finish_file(draft)) return TW_OK;
    const int reason = errno;
    /* without a path it has its name, and nobody knows whether that would last */
    if (plain) (void)unlink(draft->path[0] != '\0' ? draft->path : draft->name);
    return refuse_file(draft->name, reason, err);
}

tw_status tw_file_write(const char *name, tw_bytes bytes, tw_err *err)
{
    tw_file_draft draft;
    TW_TRY(tw_file_begin(name, &draft, err));
    errno = 0;
    if (fwrite(bytes.data, 1, bytes.size, draft.file) == bytes.size) {
        return tw_file_end(&draft, err);
    }
    const int reason = errno;
    tw_file_drop(&draft);
    return refuse_file(name, reason, err);
}

/* ---- copying ---- */

static bool copy_bytes(int from, int to)
{
    uint8_t bytes[COPY_SIZE];
    for (;;) {
        const ssize_t size = read(from, bytes, sizeof bytes);
        if (size <= 0) return size == 0 && fsync(to) == 0;
        if (write(to, bytes, (size_t)size) != size) return false;
    }
}

static tw_status copy_file(const char *from, const char *to, tw_err *err)
{
    const int source = open(from, O_RDONLY | O_CLOEXEC);
    const int target = source >= 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    const bool fine = target >= 0 && copy_bytes(source, target);
    const int reason = errno;
    if (source >= 0) close(source);
    if (target >= 0) close(target);
    if (fine) return TW_OK;
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be copied to %s: %s", from, to, strerror(reason));
}

static tw_status copy_files(DIR *folder, const char *from, const char *to, tw_err *err)
{
    char source[FILE_PATH_MAX], target[FILE_PATH_MAX];
    struct stat there;
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        if (lstat(source, &there) != 0 || !S_ISREG(there.st_mode)) continue;
        TW_TRY(copy_file(source, target, err));
    }
    const int made = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool fine = made >= 0 && fsync(made) == 0;
    const int reason = errno;
    if (made >= 0) close(made);
    if (fine) return TW_OK;
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be written: %s", to, strerror(reason));
}

tw_status tw_folder_copy(const char *from, const char *to, tw_err *err)
{
    DIR *folder = opendir(from);
    if (folder == NULL || mkdir(to, 0700) != 0) {
        const int reason = errno;
        if (folder != NULL) closedir(folder);
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be copied to %s: %s", from, to,
                          strerror(reason));
    }
    const tw_status status = copy_files(folder, from, to, err);
    closedir(folder);
    return status;
}
