/* fuzz_canary -- a fuzz target that fails on one input.
 *
 * Run by replay.c in every test run, where it must fail: it proves that the inputs of a corpus
 * really reach the target and that a crash is seen.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 4 && memcmp(data, "sing", 4) == 0) abort();
    return 0;
}
