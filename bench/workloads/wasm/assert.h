/* assert -- empty: xxhash.h includes <assert.h>, and peer.c uses nothing of what needs it.
 *
 * Found before the real one by the flags of bench/meson.build.
 */
#ifndef TW_BENCH_WASM_ASSERT_H
#define TW_BENCH_WASM_ASSERT_H
#endif
