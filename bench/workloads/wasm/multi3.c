/* multi3 -- the product of 128 bits that clang calls for in a checked multiplication of 64 bits,
 * and that stands in its library, which Debian does not have for WebAssembly.
 *
 * Linked into peer.wasm by bench/meson.build.
 */
#include <stdint.h>

__extension__ typedef __int128 wide;

wide __multi3(wide left, wide right);

wide __multi3(wide left, wide right)
{
    const uint64_t a = (uint64_t)left;
    const uint64_t b = (uint64_t)right;
    const uint64_t low = (a & UINT32_MAX) * (b & UINT32_MAX);
    const uint64_t cross1 = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
    const uint64_t cross2 = (a & UINT32_MAX) * (b >> 32) + (cross1 & UINT32_MAX);
    uint64_t high = (a >> 32) * (b >> 32) + (cross1 >> 32) + (cross2 >> 32);
    high += (uint64_t)(left >> 64) * b + a * (uint64_t)(right >> 64);
    return (wide)high << 64 | (cross2 << 32 | (low & UINT32_MAX));
}
