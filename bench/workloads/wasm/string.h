/* string -- what peer.c and xxhash.h need of <string.h>, for WebAssembly without a C library.
 *
 * Found before the real one by the flags of bench/meson.build. The compiler has instructions for
 * copying and filling memory; comparing is done by hand.
 */
#ifndef TW_BENCH_WASM_STRING_H
#define TW_BENCH_WASM_STRING_H

#include <stddef.h>

#define memcpy __builtin_memcpy
#define memset __builtin_memset

static inline int memcmp(const void *left, const void *right, size_t size)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (size_t i = 0; i < size; i++) {
        if (a[i] != b[i]) return a[i] - b[i];
    }
    return 0;
}

#endif
