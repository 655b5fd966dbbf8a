/* replay -- runs a fuzz target once on each file of its corpus, and reports in TAP.
 *
 * The main function of the replay_<name> programs of meson.build, which every test run starts
 * with the corpus folder as the only argument. A crash ends the program before the input's line
 * is written, so the last "# input" line names the culprit.
 */
#include "vm/base/arena.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { INPUT_SIZE_MAX = 4 * 1024 * 1024, PATH_SIZE_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path, uint8_t *buffer)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return false;
    const size_t size = fread(buffer, 1, INPUT_SIZE_MAX, file);
    const bool whole = feof(file) != 0 && ferror(file) == 0;
    fclose(file);
    if (!whole) return false;
    /* A copy of the exact size lets AddressSanitizer see a read past the end. */
    uint8_t *copy = tw_mem_new(size > 0 ? size : 1);
    if (copy == NULL) return false;
    memcpy(copy, buffer, size);
    LLVMFuzzerTestOneInput(copy, size);
    tw_mem_free(copy);
    return true;
}

static int replay_folder(DIR *folder, const char *folder_path, uint8_t *buffer)
{
    int count = 0;
    int failed = 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char path[PATH_SIZE_MAX];
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, "README.md") == 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder_path, entry->d_name);
        printf("# input %s\n", entry->d_name);
        fflush(stdout);
        const bool ok = replay_file(path, buffer);
        count += 1;
        failed += ok ? 0 : 1;
        printf("%s %d - %s\n", ok ? "ok" : "not ok", count, entry->d_name);
    }
    printf("1..%d\n", count);
    return failed == 0 && count > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: replay_<name> CORPUS_FOLDER\n");
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    uint8_t *buffer = tw_mem_new(INPUT_SIZE_MAX);
    if (folder == NULL || buffer == NULL) {
        fprintf(stderr, "cannot read the folder %s\n", argv[1]);
        return 1;
    }
    printf("TAP version 13\n");
    const int result = replay_folder(folder, argv[1], buffer);
    closedir(folder);
    tw_mem_free(buffer);
    return result;
}
