/* test_bounds -- the bounds that the compiler declares are those that follow from the bytes of the
 * module alone, for every contract of the repo and every language test. */
#include "compiler/twc.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { SOURCE_MAX = 1024 * 1024, ARENA_MAX = 256 * 1024 * 1024 };

/* What the bytes say, with what they declare left out. */
static void same_from_bytes(const char *path, tw_bytes bytes, uint32_t *count)
{
    tw_arena *arena = tw_arena_new(ARENA_MAX);
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    tw_err err = {.status = TW_OK};
    cr_assert_not_null(arena);
    cr_assert_eq(tw_module_decode(bytes, arena, &m, &err), TW_OK, "%s: %s", path, err.text);
    tw_bounds *declared = TW_NEW_ARRAY(arena, tw_bounds, m->entry_count);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        declared[i] = m->entries[i].bounds;
        m->entries[i].bounds = (tw_bounds){0};
    }
    cr_assert_eq(tw_facts_compute(m, arena, &facts, &err), TW_OK, "%s: %s", path, err.text);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_bounds *a = &declared[i];
        const tw_bounds *b = &facts->entries[i];
        const char *name = m->entries[i].name;
        cr_assert_eq(a->gas, b->gas, "%s, %s: gas", path, name);
        cr_assert_eq(a->reads, b->reads, "%s, %s: reads", path, name);
        cr_assert_eq(a->writes, b->writes, "%s, %s: writes", path, name);
        cr_assert_eq(a->event_bytes, b->event_bytes, "%s, %s: event bytes", path, name);
        cr_assert_eq(a->events, b->events, "%s, %s: events", path, name);
        cr_assert_eq(a->slots, b->slots, "%s, %s: slots", path, name);
    }
    *count += m->entry_count;
    tw_arena_free(arena);
}

static void same_in_file(const char *path, char *source, uint32_t *count)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t size = fread(source, 1, SOURCE_MAX, file);
    fclose(file);
    twc_result *result = twc_compile(path, source, size);
    cr_assert_not_null(result);
    cr_assert_eq(twc_result_error_count(result), 0, "%s", twc_result_report(result, false));
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        same_from_bytes(path, twc_result_unit(result, i)->module, count);
    }
    twc_result_free(result);
}

static uint32_t same_in_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    char *source = tw_mem_new(SOURCE_MAX);
    uint32_t count = 0;
    cr_assert(entries != NULL && source != NULL, "%s", folder);
    for (const struct dirent *e = readdir(entries); e != NULL; e = readdir(entries)) {
        char path[4096];
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".twc") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        same_in_file(path, source, &count);
    }
    closedir(entries);
    tw_mem_free(source);
    return count;
}

Test(bounds, of_the_contracts)
{
    cr_assert_gt(same_in_folder(SOURCE_ROOT "/contracts"), 100);
}

Test(bounds, of_the_library)
{
    cr_assert_gt(same_in_folder(SOURCE_ROOT "/stdlib"), 0);
}
