/* twc_fixture -- a source in, what the compiler says about it out. For test_parse and test_check.
 */
#ifndef TESTS_UNIT_TWC_FIXTURE_H
#define TESTS_UNIT_TWC_FIXTURE_H

#include "compiler/front.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* The folder of the sources, from meson; a header must also compile alone. */
#ifndef SOURCE_ROOT
#define SOURCE_ROOT "."
#endif

static inline twc_front *front_of(const char *source)
{
    twc_front *front = twc_front_open("t.twc", tw_bytes_of(source, strlen(source)));
    cr_assert_not_null(front);
    return front;
}

/* The file's bytes, to be freed with tw_mem_free; the test fails without the file. */
static inline char *read_source(const char *name, size_t *ret_size)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", SOURCE_ROOT, name);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    char *data = tw_mem_new(1024 * 1024);
    cr_assert_not_null(data);
    *ret_size = fread(data, 1, 1024 * 1024, file);
    fclose(file);
    return data;
}

/* The bytes checked in memory of exactly their size, so that a read past the end is seen. */
static inline uint32_t errors_in(const void *bytes, size_t size, uint32_t *ret_first_code)
{
    char *copy = tw_mem_new(size);
    cr_assert_not_null(copy);
    if (size > 0) memcpy(copy, bytes, size);
    twc_front *front = twc_front_open("t.twc", tw_bytes_of(copy, size));
    cr_assert_not_null(front);
    const uint32_t count = front->diags.error_count;
    *ret_first_code = count > 0 ? (uint32_t)front->diags.first->code : 0;
    tw_writer w = tw_writer_new(4 * 1024 * 1024);
    for (const twc_diag *d = front->diags.first; d != NULL; d = d->next) {
        twc_diag_render(&front->source, d, true, &w);
        twc_diag_json(&front->source, d, &w);
    }
    cr_assert_not(w.bad);
    tw_writer_free(&w);
    twc_front_free(front);
    tw_mem_free(copy);
    return count;
}

#endif
