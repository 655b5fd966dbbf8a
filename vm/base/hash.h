/* hash -- SHA-256 for everything that a root, an id or a signature depends on, through OpenSSL
 * libcrypto; and XXH3 for hash tables and checksums only. */
#ifndef TW_BASE_HASH_H
#define TW_BASE_HASH_H

#include "vm/base/bytes.h"

#include <stddef.h>
#include <stdint.h>

bool tw_hash_is_zero(const tw_hash *h);

/* SHA-256 (FIPS 180-4) of the parts one after another. */
tw_hash tw_sha256(const void *bytes, size_t size);
tw_hash tw_sha256_parts(const tw_bytes *parts, size_t count);

/* Tagged hash of BIP 340: SHA256(SHA256(tag) | SHA256(tag) | parts). One tag a domain:
 * "twvm/tx", "twvm/pack", "twvm/id", "twvm/tree", "twvm/block". */
tw_hash tw_hash_tagged(const char *tag, const tw_bytes *parts, size_t count);

/* XXH3, 64 bits: hash tables and checksums, never consensus. */
uint64_t tw_hash_table(const void *bytes, size_t size);
uint64_t tw_hash_table_seeded(const void *bytes, size_t size, uint64_t seed);
uint32_t tw_checksum(const void *bytes, size_t size);

#endif
