/* fuzz_tx -- any bytes as a transaction, and as a pack: what decodes must encode to the same bytes
 * again (but for the signatures, which are made anew), so that nothing has two forms. */
#include "tests/fuzz/check.h"
#include "vm/ledger/tx.h"

#include <string.h>

enum { MEMORY_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void transaction(tw_bytes bytes, tw_arena *arena)
{
    tw_tx tx;
    if (tw_tx_decode(bytes, arena, &tx) != TW_OK) return;
    tw_secret secrets[TW_TX_SIGNERS_MAX];
    for (int i = 0; i < TW_TX_SIGNERS_MAX; i++) tw_secret_from_seed("anybody", &secrets[i]);
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_hash id;
    check(tw_tx_encode(&tx, secrets, &w, &id) == TW_OK);
    check(w.size == bytes.size && tx.size == bytes.size);
    const size_t body = bytes.size - tx.signer_count * sizeof(tw_signature);
    check(memcmp(w.data, bytes.data, body) == 0);
    check(tw_hash_equal(&id, &tx.id));
    const tw_status signatures = tw_tx_check_signatures(&tx, NULL);
    check(signatures == TW_OK || signatures == TW_REFUSED_SIGNATURE);
    if (tx.kind == TW_TX_DEPLOY) (void)tw_tx_contract_id(&tx);
    tw_writer_free(&w);
}

static void pack(tw_bytes bytes, tw_arena *arena)
{
    const tw_hash chain = {{1}};
    tw_secret secret;
    tw_pack p;
    if (tw_pack_decode(bytes, &chain, arena, &p) != TW_OK) return;
    tw_secret_from_seed("a device", &secret);
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    check(tw_pack_encode(&p, &chain, &secret, &w) == TW_OK);
    check(w.size == bytes.size);
    check(memcmp(w.data, bytes.data, bytes.size - sizeof(tw_signature)) == 0);
    (void)tw_verify(&p.device, &p.hash, &p.signature);
    tw_writer_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    check(arena != NULL);
    transaction(tw_bytes_of(data, size), arena);
    if (size <= TW_TX_SIZE_MAX) pack(tw_bytes_of(data, size), arena);
    tw_arena_free(arena);
    return 0;
}
