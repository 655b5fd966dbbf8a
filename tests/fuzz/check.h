/* check -- what the fuzz targets claim: unlike assert, also in a build without asserts, as the
 * claims call what they are about. */
#ifndef TW_TESTS_FUZZ_CHECK_H
#define TW_TESTS_FUZZ_CHECK_H

#include <stdbool.h>
#include <stdlib.h>

static inline void check(bool holds)
{
    if (!holds) abort();
}

#endif
