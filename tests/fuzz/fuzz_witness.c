/* fuzz_witness -- any bytes as a proof file, with the hash at its end mended, as a forger would:
 * what decodes must encode to the same bytes, and checking it against its own root ends, with the
 * module that it brings along. */
#include "tests/fuzz/check.h"
#include "vm/ledger/witness.h"

#include <string.h>

enum { MEMORY_MAX = 256 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The contract's module, when the file has one that decodes. */
static const tw_module *module_of(const tw_witness *witness, tw_arena *arena)
{
    tw_hash contract, code;
    tw_bytes bytes;
    tw_module *m = NULL;
    tw_err err;
    if (!tw_witness_contract(witness->facts[0].key, &contract) ||
        !tw_witness_code(witness, &contract, &code) || !tw_witness_module(witness, &code, &bytes) ||
        tw_module_decode(bytes, arena, &m, &err) != TW_OK) {
        return NULL;
    }
    return m;
}

static void look(tw_bytes file, tw_arena *arena)
{
    tw_witness witness;
    tw_err err;
    const tw_status status = tw_witness_decode(file, arena, &witness);
    check(status == TW_OK || status == TW_REFUSED_ENCODING);
    if (status != TW_OK) return;
    tw_writer w = tw_writer_new(MEMORY_MAX);
    tw_witness_encode(&witness, &w);
    check(tw_bytes_equal(tw_writer_bytes(&w), file));
    tw_writer_free(&w);
    const tw_hash other = {{1}};
    check(tw_witness_check(&witness, &other, NULL, &err) != TW_OK);
    const tw_block_info *block = &witness.block;
    const tw_status own = tw_witness_check(&witness, &block->state_root, &block->hash, &err);
    check(own == TW_OK || own == TW_REFUSED_ARGUMENT);
    const tw_status whole = tw_witness_check_history(&witness, module_of(&witness, arena), &err);
    check(whole == TW_OK || whole == TW_REFUSED_ARGUMENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    check(arena != NULL);
    look(tw_bytes_of(data, size), arena);
    uint8_t *mended = size >= TW_HASH_SIZE ? (uint8_t *)tw_arena_copy(arena, data, size) : NULL;
    if (mended != NULL) {
        const tw_bytes body = tw_bytes_of(mended, size - TW_HASH_SIZE);
        const tw_hash hash = tw_hash_tagged("twvm/witness", &body, 1);
        memcpy(mended + body.size, hash.bytes, TW_HASH_SIZE);
        look(tw_bytes_of(mended, size), arena);
    }
    tw_arena_free(arena);
    return 0;
}
