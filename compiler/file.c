/* file -- see the header. */
#include "compiler/file.h"

#include "vm/base/arena.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE_MAX = 4096 };

uint8_t *twc_file_read(const char *name, size_t size_max, size_t *ret_size)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = tw_mem_new(size_max + 1);
    if (file != NULL && data != NULL) {
        *ret_size = fread(data, 1, size_max + 1, file);
        const bool failed = ferror(file) != 0;
        fclose(file);
        if (!failed) return data;
        file = NULL;
    }
    fprintf(stderr, "twc: can't read %s: %s\n", name, strerror(errno));
    if (file != NULL) fclose(file);
    tw_mem_free(data);
    return NULL;
}

bool twc_file_append(const char *name, tw_writer *w)
{
    uint8_t chunk[16 * 1024];
    size_t size = 0;
    FILE *file = fopen(name, "rb");
    if (file == NULL) return false;
    while (!w->bad && (size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        tw_write_raw(w, chunk, size);
    }
    const bool good = ferror(file) == 0;
    fclose(file);
    return good;
}

static bool fail(const char *name, const char *temporary)
{
    fprintf(stderr, "twc: can't write %s: %s\n", name, strerror(errno));
    if (temporary != NULL) (void)unlink(temporary);
    return false;
}

bool twc_file_write(const char *name, tw_bytes bytes)
{
    char temporary[NAME_SIZE_MAX];
    const int size = snprintf(temporary, sizeof temporary, "%s.tmp%ld", name, (long)getpid());
    if (size < 0 || (size_t)size >= sizeof temporary) {
        errno = ENAMETOOLONG;
        return fail(name, NULL);
    }
    FILE *file = fopen(temporary, "wb");
    if (file == NULL) return fail(name, NULL);
    bool good = fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    good = fflush(file) == 0 && good;
    good = fsync(fileno(file)) == 0 && good;
    good = fclose(file) == 0 && good;
    if (!good || rename(temporary, name) != 0) return fail(name, temporary);
    return true;
}
