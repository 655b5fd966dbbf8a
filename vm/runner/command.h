/* command -- what each command of `twvm` gets, and the list of them.
 *
 * main.c takes the command line apart and calls the command; its status becomes the exit code: 0
 * done, 1 refused or failed, 2 not understood. Data goes to standard output, everything else to
 * standard error.
 */
#ifndef TW_RUNNER_COMMAND_H
#define TW_RUNNER_COMMAND_H

#include "vm/runner/args.h"
#include "vm/runner/session.h"

#include <jansson.h>

typedef struct tw_app {
    tw_args args;
    bool json;
    bool color;                  /* standard output is a terminal that shows colours */
    bool terminal;               /* standard error is a terminal: a progress bar may be drawn */
    bool usage;                  /* the failure is one of the command line: exit 2 */
    tw_session *session;         /* of tw_app_open; closed by main */
    tw_passphrases *passphrases; /* where they come from; made and freed by main */
    tw_err err;
} tw_app;

/* A failure of the command line itself: sets `usage` and the sentence. */
TW_MUST_USE tw_status tw_app_usage(tw_app *app, const char *format, ...) TW_PRINTF(2, 3);
/* A refusal or failure with a sentence. */
TW_MUST_USE tw_status tw_app_fail(tw_app *app, const char *format, ...) TW_PRINTF(2, 3);

/* The keyring of a folder, with the passphrases of the command; the caller closes it. */
TW_MUST_USE tw_status tw_app_keyring(tw_app *app, const char *dir, tw_keyring **ret_keyring);

/* The room that --free-min wants on the store's disk. */
TW_MUST_USE tw_status tw_app_floor(tw_app *app, tw_store *store);
/* For what needs every block from the first: a refusal when the ledger of -d, which is open, was
 * made from a snapshot. */
TW_MUST_USE tw_status tw_app_all_blocks(tw_app *app, const char *what);

/* Opens the ledger of -d. */
TW_MUST_USE tw_status tw_app_open(tw_app *app);

/* The same, at the block that --at names, if it is given; says which one. */
TW_MUST_USE tw_status tw_app_open_at(tw_app *app);
/* Prints what was found; with --at as {"height", "time", "answer"}. Drops `value`. */
TW_MUST_USE tw_status tw_app_answer(const tw_app *app, json_t *value);

/* --time, or what a block made now has. */
TW_MUST_USE tw_status tw_app_block_time(tw_app *app, int64_t *ret_time);
/* The keys of --as, the sender first; room for TW_TX_SIGNERS_MAX. */
TW_MUST_USE tw_status tw_app_signers(tw_app *app, const tw_named_key **ret_keys,
                                     uint32_t *ret_count);
/* Verified and ready to run; `path` is named when it is not. */
TW_MUST_USE tw_status tw_app_code(tw_app *app, const char *path, tw_bytes module,
                                  tw_code **ret_code);

/* Writes the whole history of a contract, or of the thing that --of names, as a proof to the file
 * of -o. */
TW_MUST_USE tw_status tw_app_prove_history(tw_app *app, const tw_hash *contract);

/* "call", "pack", "transfer": the kind of a transaction; static memory. */
const char *tw_receipt_word(const tw_tx *tx);

/* Prints a JSON value on one line and drops it. TW_ERR_MEMORY when `value` is NULL. */
TW_MUST_USE tw_status tw_app_print_json(json_t *value);
/* 64-bit numbers stand in strings. */
json_t *tw_json_u64(uint64_t number);
json_t *tw_json_hex(const uint8_t *bytes, size_t size);
json_t *tw_json_time(int64_t time); /* {"value": "...", "text": "..."} */
/* Digits in groups: "12,345". */
enum { TW_GROUPED_MAX = 32 };
const char *tw_grouped(uint64_t number, char ret_text[TW_GROUPED_MAX]);

/* Ends with an entry whose name is NULL. */
const tw_command *tw_commands(void);

TW_MUST_USE tw_status tw_command_asm(tw_app *app);
TW_MUST_USE tw_status tw_command_backup(tw_app *app);
TW_MUST_USE tw_status tw_command_balances(tw_app *app);
TW_MUST_USE tw_status tw_command_blocks(tw_app *app);
TW_MUST_USE tw_status tw_command_call(tw_app *app);
TW_MUST_USE tw_status tw_command_deploy(tw_app *app);
TW_MUST_USE tw_status tw_command_disasm(tw_app *app);
TW_MUST_USE tw_status tw_command_epcis(tw_app *app);
TW_MUST_USE tw_status tw_command_events(tw_app *app);
TW_MUST_USE tw_status tw_command_feed(tw_app *app);
TW_MUST_USE tw_status tw_command_fsck(tw_app *app);
TW_MUST_USE tw_status tw_command_fuel(tw_app *app);
TW_MUST_USE tw_status tw_command_history(tw_app *app);
TW_MUST_USE tw_status tw_command_init(tw_app *app);
TW_MUST_USE tw_status tw_command_key(tw_app *app);
TW_MUST_USE tw_status tw_command_opcodes(tw_app *app);
TW_MUST_USE tw_status tw_command_prove(tw_app *app);
TW_MUST_USE tw_status tw_command_prune(tw_app *app);
TW_MUST_USE tw_status tw_command_receipt(tw_app *app);
TW_MUST_USE tw_status tw_command_replay(tw_app *app);
TW_MUST_USE tw_status tw_command_report(tw_app *app);
TW_MUST_USE tw_status tw_command_rollback(tw_app *app);
TW_MUST_USE tw_status tw_command_root(tw_app *app);
TW_MUST_USE tw_status tw_command_run(tw_app *app);
TW_MUST_USE tw_status tw_command_snapshot(tw_app *app);
TW_MUST_USE tw_status tw_command_state(tw_app *app);
TW_MUST_USE tw_status tw_command_test(tw_app *app);
TW_MUST_USE tw_status tw_command_tick(tw_app *app);
TW_MUST_USE tw_status tw_command_transfer(tw_app *app);
TW_MUST_USE tw_status tw_command_upgrade(tw_app *app);
TW_MUST_USE tw_status tw_command_verify(tw_app *app);
TW_MUST_USE tw_status tw_command_view(tw_app *app);

#endif
