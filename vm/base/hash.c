/* hash -- see the header. The one-shot and streaming SHA256_* calls of libcrypto skip the
 * provider look-up of EVP, which costs more than hashing 65 bytes does; they are deprecated since
 * OpenSSL 3.0 but kept in every release of it, and use the same SHA-NI code. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "vm/base/hash.h"

#include <openssl/sha.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

bool tw_hash_equal(const tw_hash *a, const tw_hash *b)
{
    return memcmp(a->bytes, b->bytes, TW_HASH_SIZE) == 0;
}

bool tw_hash_is_zero(const tw_hash *h)
{
    static const tw_hash zero;
    return tw_hash_equal(h, &zero);
}

/* What fits a block with its padding, a bit and its own length, takes none of the bookkeeping of a
 * stream: names, ids, types and short records are hashed in half the time. */
static tw_hash sha256_block(const void *bytes, size_t size)
{
    uint8_t block[SHA256_CBLOCK] = {0};
    SHA256_CTX context;
    tw_hash result;
    if (size > 0) memcpy(block, bytes, size);
    block[size] = 0x80;
    tw_store_u32(block + sizeof block - 4, 8 * (uint32_t)size);
    SHA256_Init(&context);
    SHA256_Transform(&context, block);
    for (size_t i = 0; i < TW_HASH_SIZE / 4; i++) tw_store_u32(result.bytes + 4 * i, context.h[i]);
    return result;
}

tw_hash tw_sha256(const void *bytes, size_t size)
{
    const tw_bytes part = tw_bytes_of(bytes, size);
    return size < SHA256_CBLOCK - 8 ? sha256_block(bytes, size) : tw_sha256_parts(&part, 1);
}

static void update(SHA256_CTX *context, const tw_bytes *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].size > 0) SHA256_Update(context, parts[i].data, parts[i].size);
    }
}

tw_hash tw_sha256_parts(const tw_bytes *parts, size_t count)
{
    SHA256_CTX context;
    tw_hash result;
    SHA256_Init(&context);
    update(&context, parts, count);
    SHA256_Final(result.bytes, &context);
    return result;
}

tw_hash tw_hash_tagged(const char *tag, const tw_bytes *parts, size_t count)
{
    const tw_hash tag_hash = tw_sha256(tag, strlen(tag));
    SHA256_CTX context;
    tw_hash result;
    SHA256_Init(&context);
    SHA256_Update(&context, tag_hash.bytes, TW_HASH_SIZE);
    SHA256_Update(&context, tag_hash.bytes, TW_HASH_SIZE);
    update(&context, parts, count);
    SHA256_Final(result.bytes, &context);
    return result;
}

uint64_t tw_hash_table(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

uint64_t tw_hash_table_seeded(const void *bytes, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, size, seed);
}

uint32_t tw_checksum(const void *bytes, size_t size)
{
    return (uint32_t)XXH3_64bits(bytes, size);
}
