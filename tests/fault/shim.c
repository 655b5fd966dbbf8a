/* shim -- the disk as a program sees it, failing once; and a power cut.
 *
 * A shared library for LD_PRELOAD, used by disk.c on a process that makes blocks. It looks at what
 * the process does with the files of one folder, and counts. Where it is told to by its
 * environment, one call fails or writes less than it was given; all others do what they always do.
 *
 *     TWVM_SHIM_FOLDER   whose files
 *     TWVM_SHIM_COUNTS   a file that gets "name count" lines when the process ends
 *     TWVM_SHIM_MARK     a file that gets the path of the call when it was met
 *     TWVM_SHIM_CALL     a name of `names`, or "sync": fsync and fdatasync together
 *     TWVM_SHIM_AT       the number of that call, from 1
 *     TWVM_SHIM_HOW      EIO, ENOSPC, short, cut or cut-data
 *
 * A cut ends the process before call AT to sync does anything, and leaves the folder as a disk may
 * have it then: each file that was written to has the size it had when it was last synced, and
 * files made, renamed or taken away since the folder itself was last synced are as they were
 * before ("cut"), or as they are ("cut-data"). Files of RocksDB only grow, so a size says which
 * bytes are there. Reading is left alone.
 */
#undef _FILE_OFFSET_BITS /* RocksDB calls open and pwrite, our code open64 and pwrite64 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FILES_MAX = 8192,
    CHANGES_MAX = 1024,
    NAME_MAX_SIZE = 4096,
    CUT_STATUS = 99,
    REST_MAX = 20 * 1000, /* microseconds */
};

typedef enum call {
    WRITE,
    PWRITE,
    FSYNC,
    FDATASYNC,
    SYNC_FILE_RANGE,
    RENAME,
    OPEN,
    FTRUNCATE,
    FALLOCATE,
    UNLINK,
    SYNC, /* the two above together, for cuts */
    CALLS,
} call;

static const char *const names[CALLS] = {"write",           "pwrite", "fsync", "fdatasync",
                                         "sync_file_range", "rename", "open",  "ftruncate",
                                         "fallocate",       "unlink", "sync"};

/* What a file had when it was last synced. */
typedef struct file {
    ino_t inode;
    off_t size;
} file;

/* What was done to the folder since it was last synced. */
typedef enum kind { MADE, RENAMED, GONE } kind;

typedef struct change {
    kind what;
    char name[NAME_MAX_SIZE];
    char other[NAME_MAX_SIZE]; /* RENAMED: what it was called before */
    bool kept;                 /* `name` was another file, kept under its number */
} change;

static struct {
    pthread_mutex_t lock;
    bool ready;
    char folder[NAME_MAX_SIZE];
    size_t folder_size;
    char kept[NAME_MAX_SIZE - 16]; /* a folder beside it, for what was taken away */
    call planned;
    uint64_t at;
    const char *how;
    uint64_t counts[CALLS];
    file files[FILES_MAX];
    size_t file_count;
    change changes[CHANGES_MAX];
    size_t change_count;
} shim = {.lock = PTHREAD_MUTEX_INITIALIZER}; /* interposed functions have no other way to know */

#define REAL(result, name, ...)                                                                    \
    static result (*real_##name)(__VA_ARGS__);                                                     \
    if (real_##name == NULL) *(void **)(&real_##name) = dlsym(RTLD_NEXT, #name)

static int really_open(const char *path, int flags, mode_t mode)
{
    REAL(int, open, const char *, int, ...);
    return real_open(path, flags, mode);
}

static int really_unlink(const char *path)
{
    REAL(int, unlink, const char *);
    return real_unlink(path);
}

static int really_rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return real_rename(from, to);
}

static void start(void)
{
    shim.ready = true;
    const char *folder = getenv("TWVM_SHIM_FOLDER");
    const char *name = getenv("TWVM_SHIM_CALL");
    const char *at = getenv("TWVM_SHIM_AT");
    shim.how = getenv("TWVM_SHIM_HOW");
    if (folder == NULL || strlen(folder) > NAME_MAX_SIZE - 600) return;
    (void)snprintf(shim.folder, sizeof shim.folder, "%s", folder);
    (void)snprintf(shim.kept, sizeof shim.kept, "%.3000s.kept", folder);
    shim.folder_size = strlen(shim.folder);
    shim.planned = CALLS;
    for (int i = 0; name != NULL && i < CALLS; i++) {
        if (strcmp(name, names[i]) == 0) shim.planned = (call)i;
    }
    shim.at = at != NULL ? strtoull(at, NULL, 10) : 0;
    if (shim.how != NULL && strncmp(shim.how, "cut", 3) == 0) (void)mkdir(shim.kept, 0700);
}

static bool is_cut(void)
{
    return shim.how != NULL && strncmp(shim.how, "cut", 3) == 0;
}

/* Whether the path is the folder or in it. */
static bool is_inside(const char *path)
{
    if (!shim.ready) start();
    return shim.folder_size > 0 && strncmp(path, shim.folder, shim.folder_size) == 0 &&
           (path[shim.folder_size] == '/' || path[shim.folder_size] == '\0');
}

/* The same of what is open as `fd`; its path. */
static bool is_ours(int fd, char path[static NAME_MAX_SIZE])
{
    char link[64];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, NAME_MAX_SIZE - 1);
    if (size < 0) return false;
    path[size] = '\0';
    return is_inside(path);
}

/* ---- what a disk would have ---- */

static file *find(ino_t inode)
{
    for (size_t i = 0; i < shim.file_count; i++) {
        if (shim.files[i].inode == inode) return &shim.files[i];
    }
    if (shim.file_count == FILES_MAX) _exit(98);
    shim.files[shim.file_count] = (file){inode, -1};
    return &shim.files[shim.file_count++];
}

static change *note(kind what, const char *name)
{
    if (shim.change_count == CHANGES_MAX) _exit(98);
    change *c = &shim.changes[shim.change_count++];
    *c = (change){.what = what};
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    return c;
}

static void name_kept(size_t number, char path[static NAME_MAX_SIZE])
{
    (void)snprintf(path, NAME_MAX_SIZE, "%.3900s/%zu", shim.kept, number);
}

/* Keeps what stands at the change's name, which is about to go. */
static void keep(change *c)
{
    char path[NAME_MAX_SIZE];
    name_kept((size_t)(c - shim.changes), path);
    c->kept = link(c->name, path) == 0;
}

static void folder_synced(void)
{
    char path[NAME_MAX_SIZE];
    for (size_t i = 0; i < shim.change_count; i++) {
        name_kept(i, path);
        if (shim.changes[i].kept) (void)really_unlink(path);
    }
    shim.change_count = 0;
}

static void synced(int fd, const char *path)
{
    struct stat about;
    if (!is_cut() || fstat(fd, &about) != 0) return;
    if (strcmp(path, shim.folder) == 0) {
        folder_synced();
    } else {
        find(about.st_ino)->size = about.st_size;
    }
}

static void undo_changes(void)
{
    while (shim.change_count > 0) {
        char path[NAME_MAX_SIZE];
        const change *c = &shim.changes[--shim.change_count];
        if (c->what == RENAMED) {
            (void)really_rename(c->name, c->other);
        } else if (c->what == MADE) {
            (void)really_unlink(c->name);
        }
        name_kept(shim.change_count, path);
        if (c->kept) (void)really_rename(path, c->name);
    }
}

/* The lock is held, so no other thread does anything to the folder any more. */
static void cut(void)
{
    if (strcmp(shim.how, "cut") == 0) undo_changes();
    folder_synced();
    DIR *folder = opendir(shim.folder);
    if (folder == NULL) _exit(98);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat about;
        if (fstatat(dirfd(folder), entry->d_name, &about, 0) != 0 || !S_ISREG(about.st_mode)) {
            continue;
        }
        const file *f = find(about.st_ino);
        char path[NAME_MAX_SIZE + 300];
        (void)snprintf(path, sizeof path, "%s/%s", shim.folder, entry->d_name);
        if (f->size >= 0 && f->size < about.st_size && truncate(path, f->size) != 0) _exit(98);
    }
    (void)closedir(folder);
    (void)rmdir(shim.kept);
    _exit(CUT_STATUS);
}

/* ---- what fails ---- */

/* Counts the call; true when it is the one. The lock is held. */
static bool is_planned(call which, const char *path)
{
    const bool now = ++shim.counts[which] == shim.at && which == shim.planned;
    if (!now) return false;
    const char *mark = getenv("TWVM_SHIM_MARK");
    const int fd = mark != NULL ? really_open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        (void)dprintf(fd, "%s\n", path);
        (void)close(fd);
    }
    if (is_cut()) cut();
    errno = strcmp(shim.how, "ENOSPC") == 0 ? ENOSPC : EIO;
    return true;
}

static void lock(void)
{
    (void)pthread_mutex_lock(&shim.lock);
}

static void unlock(void)
{
    const int saved = errno;
    (void)pthread_mutex_unlock(&shim.lock);
    errno = saved;
}

/* How much of `size` bytes is written: 0 when the call fails. */
static size_t allowed(call which, const char *path, size_t size)
{
    if (!is_planned(which, path)) return size;
    if (strcmp(shim.how, "short") != 0) return 0;
    return size > 1 ? size / 2 : size;
}

ssize_t write(int fd, const void *bytes, size_t size);
ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    char path[NAME_MAX_SIZE];
    if (size == 0 || !is_ours(fd, path)) return real_write(fd, bytes, size);
    lock();
    const size_t part = allowed(WRITE, path, size);
    const ssize_t done = part > 0 ? real_write(fd, bytes, part) : -1;
    unlock();
    return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at);
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    char path[NAME_MAX_SIZE];
    if (size == 0 || !is_ours(fd, path)) return real_pwrite(fd, bytes, size, at);
    lock();
    const size_t part = allowed(PWRITE, path, size);
    const ssize_t done = part > 0 ? real_pwrite(fd, bytes, part, at) : -1;
    unlock();
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at);
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    return pwrite(fd, bytes, size, at);
}

/* RocksDB rests a second after each write behind the blocks that failed. */
int usleep(useconds_t microseconds)
{
    const struct timespec time = {.tv_nsec =
                                      (microseconds < REST_MAX ? microseconds : REST_MAX) * 1000L};
    return nanosleep(&time, NULL);
}

/* fsync and fdatasync. The disk itself isn't asked: what it would have is kept count of here, and
 * a process that ends takes nothing from its files. */
static int sync_by(int (*real)(int), call which, int fd)
{
    char path[NAME_MAX_SIZE];
    if (!is_ours(fd, path)) return real(fd);
    lock();
    const bool fails = is_planned(SYNC, path) || is_planned(which, path);
    if (!fails) synced(fd, path);
    unlock();
    return fails ? -1 : 0;
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return sync_by(real_fsync, FSYNC, fd);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int);
    return sync_by(real_fdatasync, FDATASYNC, fd);
}

int sync_file_range(int fd, off_t from, off_t size, unsigned flags);
int sync_file_range(int fd, off_t from, off_t size, unsigned flags)
{
    REAL(int, sync_file_range, int, off_t, off_t, unsigned);
    char path[NAME_MAX_SIZE];
    /* of nothing: RocksDB asks of each file whether there is such a call, and writes nothing */
    if (flags == 0 || !is_ours(fd, path)) return real_sync_file_range(fd, from, size, flags);
    lock();
    const int done =
        is_planned(SYNC_FILE_RANGE, path) ? -1 : real_sync_file_range(fd, from, size, flags);
    unlock();
    return done;
}

int ftruncate(int fd, off_t size)
{
    REAL(int, ftruncate, int, off_t);
    char path[NAME_MAX_SIZE];
    if (!is_ours(fd, path)) return real_ftruncate(fd, size);
    lock();
    const int done = is_planned(FTRUNCATE, path) ? -1 : real_ftruncate(fd, size);
    unlock();
    return done;
}

int fallocate(int fd, int mode, off_t from, off_t size);
int fallocate(int fd, int mode, off_t from, off_t size)
{
    REAL(int, fallocate, int, int, off_t, off_t);
    char path[NAME_MAX_SIZE];
    if (!is_ours(fd, path)) return real_fallocate(fd, mode, from, size);
    lock();
    const int done = is_planned(FALLOCATE, path) ? -1 : real_fallocate(fd, mode, from, size);
    unlock();
    return done;
}

int rename(const char *from, const char *to)
{
    if (!is_inside(to)) return really_rename(from, to);
    lock();
    int done = -1;
    if (!is_planned(RENAME, to)) {
        if (is_cut()) {
            change *c = note(RENAMED, to);
            (void)snprintf(c->other, sizeof c->other, "%s", from);
            keep(c);
        }
        done = really_rename(from, to);
    }
    unlock();
    return done;
}

int unlink(const char *path)
{
    if (!is_inside(path)) return really_unlink(path);
    lock();
    int done = -1;
    if (!is_planned(UNLINK, path)) {
        if (is_cut()) keep(note(GONE, path));
        done = really_unlink(path);
    }
    unlock();
    return done;
}

/* One that writes, of a file in the folder. */
static int open_counted(const char *path, int flags, mode_t mode)
{
    struct stat about;
    if (is_planned(OPEN, path)) return -1;
    const bool was = stat(path, &about) == 0;
    const int fd = really_open(path, flags, mode);
    if (fd < 0 || !is_cut() || fstat(fd, &about) != 0) return fd;
    file *f = find(about.st_ino);
    if (!was) (void)note(MADE, path);
    /* a number that a file had before which is gone by now */
    if (!was || (flags & O_TRUNC) != 0) f->size = 0;
    if (f->size < 0) f->size = about.st_size;
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) == O_RDONLY || !is_inside(path)) return really_open(path, flags, mode);
    lock();
    const int fd = open_counted(path, flags, mode);
    unlock();
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(rest, unsigned) : 0;
    va_end(rest);
    return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(rest, unsigned) : 0;
    va_end(rest);
    return open_any(path, flags, mode);
}

__attribute__((destructor)) static void tell(void)
{
    const char *to = getenv("TWVM_SHIM_COUNTS");
    const int fd = to != NULL ? really_open(to, O_CREAT | O_TRUNC | O_WRONLY, 0600) : -1;
    for (int i = 0; fd >= 0 && i < CALLS; i++) {
        (void)dprintf(fd, "%s %llu\n", names[i], (unsigned long long)shim.counts[i]);
    }
    if (fd >= 0) (void)close(fd);
    (void)rmdir(shim.kept);
}
