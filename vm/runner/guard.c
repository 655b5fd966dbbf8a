/* guard -- see the header. The heap is the library's, one for the process, made at the first use.
 */
#include "vm/runner/guard.h"

#include <openssl/crypto.h>

enum { HEAP_SIZE = 64 * 1024, PART_SIZE_MIN = 32 };

void *tw_guard_new(size_t size)
{
    /* what it returns says whether memory could be locked; without a heap the next call takes
     * memory from the usual place */
    if (!CRYPTO_secure_malloc_initialized()) {
        (void)CRYPTO_secure_malloc_init(HEAP_SIZE, PART_SIZE_MIN);
    }
    return OPENSSL_secure_zalloc(size);
}

void tw_guard_free(void *memory, size_t size)
{
    OPENSSL_secure_clear_free(memory, size);
}
