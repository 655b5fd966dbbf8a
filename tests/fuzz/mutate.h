/* mutate -- changes of a source text that mostly leave it good: words, lines and blocks come, go
 * and change places, also between two sources. For the targets of the compiler (parse, check,
 * source, run); libFuzzer calls the two functions of its interface that mutate.c has.
 */
#ifndef TW_TESTS_FUZZ_MUTATE_H
#define TW_TESTS_FUZZ_MUTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target's: whether a mutant is what it likes to see. One in eight is not asked about. */
bool mutant_is_good(const uint8_t *text, size_t size);
/* An answer to that: the source has no error. */
bool mutant_checks(const uint8_t *text, size_t size);

#endif
