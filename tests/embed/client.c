/* client -- makes the blocks that the example node takes: deploys a contract, calls it, and writes
 * each block as bytes into the file 1, 2, ...
 *
 *     client MODULE
 *
 * Built and run by tests/e2e/embed.sh against the installed library. It needs no node: it keeps the
 * chain in memory, whose genesis it knows, and prints the hash of its newest block.
 */
#include <stdio.h>
#include <string.h>
#include <twvm.h>

enum { BLOCKS = 6, CALLS = 3 };

static const int64_t start_time = 1767225600000;

typedef struct client {
    tw_store *store;
    tw_ledger *ledger;
    tw_secret secret;
    tw_account account;
    tw_hash contract;
    uint8_t memory[TW_TX_SIZE_MAX];
    tw_err err;
} client;

/* Into the open block. */
static tw_status add(client *c, tw_request *request, uint64_t nonce)
{
    size_t size = 0;
    tw_bytes receipt;
    request->chain = *tw_ledger_chain(c->ledger);
    request->signers = &c->account;
    request->signer_count = 1;
    request->nonce = nonce;
    tw_status status =
        tw_request_sign(request, &c->secret, c->memory, sizeof c->memory, &size, NULL);
    if (status != TW_OK) return status;
    return tw_block_execute(c->ledger, tw_bytes_of(c->memory, size), &receipt, &c->err);
}

static tw_status deploy(client *c, tw_bytes module)
{
    tw_request request = {.kind = TW_TX_DEPLOY, .module = module};
    request.chain = *tw_ledger_chain(c->ledger);
    request.signers = &c->account;
    request.signer_count = 1;
    tw_status status = tw_ledger_request_gas(c->ledger, &request, &request.gas_limit, &c->err);
    if (status == TW_OK) status = tw_request_contract(&request, &c->contract);
    if (status == TW_OK) status = tw_block_begin(c->ledger, start_time, &c->err);
    return status == TW_OK ? add(c, &request, 0) : status;
}

static tw_status call(client *c, uint8_t number, uint64_t gas, uint64_t nonce)
{
    const uint8_t argument[8] = {0, 0, 0, 0, 0, 0, 0, number};
    tw_request request = {.kind = TW_TX_CALL,
                          .contract = c->contract,
                          .action = "add",
                          .arguments = tw_bytes_of(argument, sizeof argument),
                          .gas_limit = gas};
    return add(c, &request, nonce);
}

/* The last call of each block fails: the contract takes no more than 100. */
static tw_status calls(client *c, int block)
{
    uint64_t gas = 0;
    const uint8_t argument[8] = {0};
    tw_request request = {.kind = TW_TX_CALL,
                          .contract = c->contract,
                          .chain = *tw_ledger_chain(c->ledger),
                          .signers = &c->account,
                          .signer_count = 1,
                          .action = "add",
                          .arguments = tw_bytes_of(argument, sizeof argument)};
    tw_status status = tw_ledger_request_gas(c->ledger, &request, &gas, &c->err);
    if (status == TW_OK) status = tw_block_begin(c->ledger, start_time + 1000 * block, &c->err);
    for (int i = 0; i < CALLS && status == TW_OK; i++) {
        const uint64_t nonce = (uint64_t)(1 + (block - 2) * CALLS + i);
        status = call(c, i == CALLS - 1 ? 101 : (uint8_t)(block + i), gas, nonce);
    }
    return status;
}

static tw_status write_block(client *c, int block)
{
    char name[16];
    tw_bytes bytes;
    tw_status status = tw_block_commit(c->ledger, NULL, &c->err);
    if (status == TW_OK) {
        status = tw_ledger_block_bytes(c->ledger, (uint64_t)block, &bytes, &c->err);
    }
    if (status != TW_OK) return status;
    snprintf(name, sizeof name, "%d", block);
    FILE *file = fopen(name, "wb");
    if (file == NULL) return TW_ERR_IO;
    const bool good = fwrite(bytes.data, 1, bytes.size, file) == bytes.size;
    return fclose(file) == 0 && good ? TW_OK : TW_ERR_IO;
}

static tw_status run(client *c, const char *path)
{
    static uint8_t file_bytes[2 * TW_TX_SIZE_MAX];
    tw_bytes module;
    FILE *file = fopen(path, "rb");
    if (file == NULL) return TW_ERR_IO;
    const size_t size = fread(file_bytes, 1, sizeof file_bytes, file);
    fclose(file);
    tw_secret_from_seed("client", &c->secret);
    const tw_genesis genesis = {.name = "example", .time = start_time};
    tw_status status = tw_secret_account(&c->secret, &c->account) ? TW_OK : TW_REFUSED_KEY;
    if (status == TW_OK) status = tw_store_open_memory(64 * 1024 * 1024, &c->store);
    if (status == TW_OK) status = tw_ledger_create(c->store, &genesis, &c->err);
    if (status == TW_OK) status = tw_ledger_open(c->store, NULL, &c->ledger, &c->err);
    if (status == TW_OK) status = tw_file_module(tw_bytes_of(file_bytes, size), &module, &c->err);
    if (status == TW_OK) status = deploy(c, module);
    if (status == TW_OK) status = write_block(c, 1);
    for (int block = 2; block <= BLOCKS && status == TW_OK; block++) {
        status = calls(c, block);
        if (status == TW_OK) status = write_block(c, block);
    }
    return status;
}

int main(int argc, char **argv)
{
    static client c;
    char hash[2 * TW_HASH_SIZE + 1];
    if (argc != 2 || tw_abi_version() != TW_ABI_VERSION) return 2;
    const tw_status status = run(&c, argv[1]);
    if (status == TW_OK) {
        tw_hex_encode(tw_ledger_head(c.ledger)->hash.bytes, TW_HASH_SIZE, hash);
        printf("%s\n", hash);
    } else {
        fprintf(stderr, "client: %s. %s\n", tw_status_text(status), c.err.text);
    }
    tw_ledger_close(c.ledger);
    tw_store_close(c.store);
    return status == TW_OK ? 0 : 1;
}
