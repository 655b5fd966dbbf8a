/* node -- a node but for its consensus, on libtwvm alone:   node STORE BLOCK...
 * Takes blocks from files, as others agreed on them, and prints what each came to. Then it asks the
 * contract that ran last for `so_far`, and writes `proof`, of its `total`, and `snapshot`.
 */
#include <stdio.h>
#include <twvm.h>

typedef struct node {
    tw_store *store;
    tw_ledger *ledger;
    tw_hash contract; /* the one that ran last */
    tw_err err;
} node;

static tw_status start(node *n, const char *folder)
{
    const tw_store_options options = {.create = true};
    const tw_genesis genesis = {.name = "example", .time = 1767225600000};
    tw_status status = tw_store_open(folder, &options, &n->store, &n->err);
    if (status == TW_OK) status = tw_ledger_open(n->store, NULL, &n->ledger, &n->err);
    if (status != TW_REFUSED_NOT_FOUND) return status; /* it goes on from its last block */
    status = tw_ledger_create(n->store, &genesis, &n->err);
    return status == TW_OK ? tw_ledger_open(n->store, NULL, &n->ledger, &n->err) : status;
}

static tw_status execute(node *n, tw_bytes transaction)
{
    tw_bytes receipt;
    tw_receipt_parts parts;
    tw_status status = tw_block_execute(n->ledger, transaction, &receipt, &n->err);
    if (status == TW_OK) status = tw_receipt_read(receipt, &parts);
    if (status != TW_OK) return status;
    n->contract = parts.run.contract;
    printf("  %s, %llu gas\n", tw_status_text(parts.run.status), (unsigned long long)parts.run.gas);
    return TW_OK;
}

static tw_status take_block(node *n, const char *path)
{
    static uint8_t memory[16 * 1024 * 1024];
    char root[2 * TW_HASH_SIZE + 1];
    tw_block_parts parts;
    tw_block_info block;
    tw_bytes transaction;
    FILE *file = fopen(path, "rb");
    const size_t size = file != NULL ? fread(memory, 1, sizeof memory, file) : 0;
    if (file != NULL) fclose(file);
    tw_status status = tw_block_read(tw_bytes_of(memory, size), &parts);
    if (status == TW_OK) status = tw_block_begin(n->ledger, parts.info.time, &n->err);
    while (status == TW_OK && tw_items_next(&parts.transactions, &transaction)) {
        status = execute(n, transaction);
    }
    if (status == TW_OK) status = tw_block_commit(n->ledger, &block, &n->err);
    if (status != TW_OK) return status;
    tw_hex_encode(block.state_root.bytes, TW_HASH_SIZE, root);
    printf("block %llu root %s\n", (unsigned long long)block.height, root);
    return tw_hash_equal(&block.hash, &parts.info.hash) ? TW_OK
                                                        : TW_ERR_CORRUPT; /* others differ */
}

static tw_status to_file(void *file, tw_bytes bytes)
{
    return fwrite(bytes.data, 1, bytes.size, file) == bytes.size ? TW_OK : TW_ERR_IO;
}

/* From a view, which stands still: another thread may do this while blocks are made. */
static tw_status answer(node *n, tw_ledger *view)
{
    const tw_bytes none = {NULL, 0};
    tw_answer so_far;
    tw_bytes bytes;
    tw_snapshot_info saved;
    tw_status status = tw_ledger_ask(view, &n->contract, "so_far", none, tw_ledger_head(view)->time,
                                     &so_far, &n->err);
    if (status == TW_OK && so_far.result.size == 8) printf("so far %d\n", so_far.result.data[7]);
    if (status == TW_OK) status = tw_ledger_key(view, &n->contract, "total", none, &bytes, &n->err);
    if (status == TW_OK) status = tw_ledger_proof(view, bytes, true, &bytes, &n->err);
    FILE *proof = fopen("proof", "wb"), *state = fopen("snapshot", "wb");
    if (proof == NULL || state == NULL) return TW_ERR_IO;
    if (status == TW_OK) status = to_file(proof, bytes);
    if (status == TW_OK) status = tw_snapshot_save(view, to_file, state, &saved, &n->err);
    return fclose(proof) == 0 && fclose(state) == 0 ? status : TW_ERR_IO;
}

int main(int argc, char **argv)
{
    node n = {0};
    tw_ledger *view = NULL;
    tw_status status = argc > 2 ? start(&n, argv[1]) : TW_REFUSED_ARGUMENT;
    for (int i = 2; i < argc && status == TW_OK; i++) status = take_block(&n, argv[i]);
    if (status == TW_OK) status = tw_ledger_open_view(n.ledger, &view, &n.err);
    if (status == TW_OK) status = answer(&n, view);
    tw_ledger_close(view);
    tw_ledger_close(n.ledger);
    if (status == TW_OK) status = tw_store_settle(n.store, &n.err);
    if (status != TW_OK) fprintf(stderr, "node: %s. %s\n", tw_status_text(status), n.err.text);
    tw_store_close(n.store);
    return status == TW_OK ? 0 : 1;
}
