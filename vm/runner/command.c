/* command -- the table of commands with their options and help, and what all commands share. */
#include "vm/runner/command.h"

#include "vm/base/quantities.h"
#include "vm/runner/times.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TIME_OPTION                                                                                \
    {                                                                                              \
        "time", 0, "TIME",                                                                         \
            "the block's time (default: the head's on a simulated clock,\n"                        \
            "else now)",                                                                           \
            false                                                                                  \
    }
#define AT_OPTION                                                                                  \
    {                                                                                              \
        "at", 0, "HEIGHT|TIME",                                                                    \
            "as it was after this block, or after the newest one\n"                                \
            "that is not later than TIME",                                                         \
            false                                                                                  \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, 0, NULL, NULL, false                                                                 \
    }

static const tw_option none[] = {END};

static const tw_option rollback_options[] = {
    {"yes", 0, NULL, "yes, the newest block shall be gone", false},
    END,
};

static const tw_option prune_options[] = {
    {"retain", 0, "N", "of how many newest blocks the state is kept; 0: of all", false},
    END,
};

static const tw_option past_options[] = {AT_OPTION, END};

static const tw_option init_options[] = {
    {"start", 0, "TIME", "a simulated clock that starts at TIME: for recorded data", false},
    {"chain", 0, "NAME", "the chain's name (default: the folder's)", false},
    {"retain", 0, "N", "of how many newest blocks the state is kept (default: 0, all)", false},
    {"asset", 0, "'NAME DECIMALS [KEY=AMOUNT,...]'",
     "money of the chain and who has it: --asset 'EUR 2 alice=1_000.00,bob=500'", true},
    {"gas-price", 0, "'AMOUNT ASSET'",
     "what a million gas costs (default: nothing): --gas-price '0.05 EUR'", false},
    {"fees-to", 0, "KEY", "who gets the fees (default: a key named fees)", false},
    {"insecure-keys", 0, NULL, "make keys without a passphrase: for tests and demos", false},
    END,
};

static const tw_option key_options[] = {
    {"seed", 0, "TEXT", "new: the key of a text: the same each time, for demos only", false},
    {"insecure", 0, NULL, "export: the secret itself, for anyone to read", false},
    {"new-passphrase-file", 0, "FILE", "passwd: its first line is the new passphrase", false},
    {"yes", 0, NULL, "remove: it is meant", false},
    END,
};

static const tw_option deploy_options[] = {
    {"as", 0, "KEY", "who deploys", false},
    {"role", 0, "ROLE=KEY[,KEY]", "first members of a role; a key that is not there is made", true},
    {"param", 0, "NAME=VALUE", "a parameter, with its unit: --param 'limit=7.1 mm/s'", true},
    {"currency", 0, "CURRENCY=ASSET", "the asset that a currency is (default: the one of its name)",
     true},
    {"name", 0, "NAME", "what to call it (default: the contract's name)", false},
    {"contract", 0, "NAME", "which contract of a file that has several", false},
    TIME_OPTION,
    END,
};

static const tw_option upgrade_options[] = {
    {"as", 0, "KEY[,KEY]", "who sign; the first one sends", false},
    {"contract", 0, "NAME", "which contract of a file that has several", false},
    TIME_OPTION,
    END,
};

static const tw_option call_options[] = {
    {"as", 0, "KEY[,KEY]", "who calls; the others sign too", false},
    {"spend", 0, "AMOUNT", "the most it may take from the sender: --spend '12_500.00 EUR'", true},
    TIME_OPTION,
    END,
};

static const tw_option send_options[] = {
    {"as", 0, "KEY", "who sends, and pays", false},
    TIME_OPTION,
    END,
};

static const tw_option run_options[] = {
    {"contract", 0, "NAME", "the contract of rows without a column `contract`", false},
    {"keep-going", 0, NULL, "go on after a row that does not end as it should", false},
    {"out", 0, "FILE.csv", "write how each row ended: line, entry, outcome", false},
    {"time-format", 0, "FORMAT", "auto, iso, mdy, dmy, s or ms (default: auto)", false},
    {"zone", 0, "+HH:MM", "of times that name none (default: UTC)", false},
    END,
};

static const tw_option epcis_options[] = {
    {"as", 0, "KEY", "who shall call (default: workshop)", false},
    END,
};

static const tw_option view_options[] = {
    {"time", 0, "TIME", "what `now` is (default: now)", false},
    AT_OPTION,
    END,
};

static const tw_option story_options[] = {
    {"from", 0, "TIME", "not what was before", false},
    {"to", 0, "TIME", "not what was at or after", false},
    {"kind", 0, "NAME", "only events, history kinds or alarms of this name", true},
    {"of", 0, "REGISTRY[KEY]", "only the history of this thing: --of 'machines[M-1]'", false},
    {"limit", 0, "N", "the newest N", false},
    {"csv", 0, NULL, "a table: time, contract, block, kind, name, details", false},
    {"prove", 0, NULL, "write all of it, of NAME or of one thing, as a proof to the file of -o",
     false},
    {"out", 'o', "FILE", "with --prove: the file to write", false},
    AT_OPTION,
    END,
};

static const tw_option prove_options[] = {
    {"out", 'o', "FILE", "the file to write", false},
    {"key", 0, "HEX", "a raw key of the state", false},
    {"no-code", 0, NULL, "leave the contract's code out: verify then needs --module", false},
    {"ics23", 0, NULL, "a CommitmentProof of ICS-23 (SmtSpec), for other verifiers", false},
    AT_OPTION,
    END,
};

static const tw_option verify_options[] = {
    {"root", 0, "HEX", "the state root to check against", false},
    {"block", 0, "HASH", "the hash of the block to check against", false},
    {"module", 0, "FILE.twm|FILE.twc", "the contract's code, where the proof leaves it out", false},
    {"contract", 0, "NAME", "which contract of a file that has several", false},
    {"from", 0, "TIME", "of a history: not what was before", false},
    {"to", 0, "TIME", "not what was at or after", false},
    {"kind", 0, "NAME", "only history kinds of this name", true},
    END,
};

static const tw_option events_options[] = {
    {"from", 0, "TIME", "not what was before", false},
    {"to", 0, "TIME", "not what was at or after", false},
    {"kind", 0, "NAME", "only events or alarms of this name", true},
    {"limit", 0, "N", "the newest N", false},
    {"alarms", 0, NULL, "also alarms raised and cleared", false},
    {"failed", 0, NULL, "also what failed", false},
    {"money", 0, NULL, "also money that moved (--kind takes its names too)", false},
    {"csv", 0, NULL, "a table: time, contract, block, kind, name, details", false},
    AT_OPTION,
    END,
};

static const tw_option blocks_options[] = {
    {"limit", 0, "N", "the newest N (default: 20)", false},
    END,
};

static const tw_option snapshot_options[] = {
    AT_OPTION,
    {"root", 0, "HEX", "load: the state root to check against", false},
    {"block", 0, "HASH", "load: the hash of the block to check against", false},
    {"simulated", 0, NULL, "load: on a simulated clock, as of `init --start`", false},
    {"insecure-keys", 0, NULL, "load: make keys without a passphrase: for tests and demos", false},
    END,
};

static const tw_option replay_options[] = {
    {"to", 0, "DIR2", "keep the second ledger in this folder", false},
    {"threads", 0, "N", "with so many threads (default: as many as there are processors)", false},
    END,
};

static const tw_option test_options[] = {
    {"filter", 0, "TEXT", "only tests whose name contains TEXT", false},
    {"gas-report", 0, NULL, "what each action cost, and its bound", false},
    {"tap", 0, NULL, "print results in the Test Anything Protocol", false},
    {"runs", 0, "N", "so many runs of each fuzz test, whatever it says", false},
    {"seed", 0, "N", "let the fuzz tests search elsewhere", false},
    END,
};

static const tw_option report_options[] = {
    {"out", 0, "FILE", "the page to write (report.html)", false},
    {"title", 0, "TEXT", "what stands at its top", false},
    {"marks", 0, "FILE.csv", "spans to show beside: columns contract, label, from, to", false},
    END,
};

static const tw_option disasm_options[] = {
    {"contract", 0, "NAME", "which contract of a file that has several", false},
    END,
};

static const tw_option asm_options[] = {
    {"out", 'o', "FILE.twm", "the file to write (default: F.twm beside F.twa)", false},
    {"bounds", 0, NULL, "put what the code can take at most in the place of what is written",
     false},
    END,
};

static const tw_option opcodes_options[] = {
    {"markdown", 0, NULL, "every table, as vm/isa/README.md has them", false},
    END,
};

static const tw_option feed_options[] = {
    {"as", 0, "KEY", "the device's key: it signs the packs", false},
    {"carrier", 0, "KEY", "who sends the packs, and pays (default: the device)", false},
    {"by", 0, "COLUMN",
     "several devices in one table: {} in NAME and KEY stands for the\n"
     "column's value, and they go side by side",
     false},
    {"map", 0, "READING=COLUMN[:UNIT]", "which column is which reading, and its unit", true},
    {"time", 0, "COLUMN", "the column of times; COLUMN*5s for a column that counts", false},
    {"time-format", 0, "FORMAT", "auto, iso, mdy, dmy, s or ms (default: auto)", false},
    {"zone", 0, "+HH:MM", "of times that name none (default: UTC)", false},
    {"start", 0, "TIME", "of reading 0, where there is no column of times", false},
    {"period", 0, "DURATION", "from row to row, with --start", false},
    {"where", 0, "COLUMN=VALUE", "only rows that say so", true},
    {"pack", 0, "N", "readings in a pack, at most (default: 1000)", false},
    {"limit", 0, "N", "only the first N rows", false},
    {"resume", 0, NULL, "leave out rows up to the last reading that is in", false},
    {"round", 0, NULL, "round what is finer than the resolution, half to even", false},
    {"decimal-comma", 0, NULL, "21,5 is 21.5", false},
    {"skip-bad", 0, NULL, "leave out rows that are not understood, and count them", false},
    {"skip", 0, "N", "lines of prose before the header", false},
    {"sep", 0, "C", "what stands between cells: ',' ';' or tab (default: found)", false},
    {"no-header", 0, NULL, "columns are called 1, 2, 3 ...", false},
    {"verbose", 'v', NULL, "name every reading that is refused", false},
    END,
};

#define TIMES                                                                                      \
    "Times are written as 2026-01-31T12:00:00Z, 2026-01-31 12:00 (UTC), or seconds since 1970."
#define VALUES                                                                                     \
    "Values carry their unit: '7.1 mm/s', '85 °C', '10 min'; times also 'now + 72 h'; accounts "  \
    "are\nnames of keys or 64 hex digits; hashes 64 hex digits or 'hash(text)'; none; yes and "    \
    "no;\n"                                                                                        \
    "records and lists are JSON: '{\"peak\": \"8 mm/s\"}'."

static const tw_command commands[] = {
    {"test", "FILE.twc...", "run the tests that stand in contracts", NULL, test_options, 1,
     TW_ARGS_MAX, false, tw_command_test},
    {"init", "DIR", "make a ledger and its folder", TIMES, init_options, 1, 1, false,
     tw_command_init},
    {"key", "new NAME | list | export NAME | import NAME FILE | remove NAME | passwd NAME",
     "make keys, list them, carry them to another ledger",
     "The secret of a key lies in DIR/keys/NAME.key, sealed with a passphrase. twvm asks for it\n"
     "when it makes a key, and once a command when it signs; --passphrase-file, or the variable\n"
     "TWVM_PASSPHRASE_FILE, names a file whose first line is taken instead. `export` prints a "
     "key,\n"
     "sealed; `import` takes one in, from a file or from `-`; `passwd` gives another passphrase.\n"
     "Without the file of a key, or its passphrase, nobody can sign with it again.",
     key_options, 1, 3, true, tw_command_key},
    {"deploy", "FILE.twc|FILE.twm", "put a contract on the ledger", VALUES, deploy_options, 1, 1,
     true, tw_command_deploy},
    {"upgrade", "NAME FILE.twc|FILE.twm", "put another version in the place of a contract",
     "It is signed by those whom the contract names. Roles, purses, history, and state of the\n"
     "same name and type stay. With a delay, the first call is the consent, the second does it.\n",
     upgrade_options, 2, 2, true, tw_command_upgrade},
    {"call", "NAME ACTION [ARGUMENT=VALUE...]", "call an action of a contract", VALUES,
     call_options, 2, TW_ARGS_MAX, true, tw_command_call},
    {"transfer", "AMOUNT TO", "send money of an account to another: transfer '12.50 EUR' bob",
     "TO is the name of a key or an account of 64 hex digits.\n" TIMES, send_options, 2, 2, true,
     tw_command_transfer},
    {"fuel", "NAME AMOUNT", "give the timers of a contract something to run on",
     "On a ledger with a gas price, timers, and edges of alarms that no pack hands over, are paid\n"
     "from their contract's fuel. Without it they wait; what waits comes up again when there is\n"
     "fuel. Anyone may fill it, nobody takes it back.\n" TIMES,
     send_options, 2, 2, true, tw_command_fuel},
    {"tick", "NAME", "run the first timer of a contract that is due, at the sender's cost",
     "For a timer that waits for fuel, or for its turn. One that fails has been tried all the\n"
     "same: it is due again later.\n" TIMES,
     send_options, 1, 1, true, tw_command_tick},
    {"run", "CALLS.csv", "calls from a table: past ones, or a script",
     "Columns: time, as (KEY, or KEY+KEY where others sign too), entry, and the arguments by\n"
     "their names; contract, where there are several; spend, the most that a row may take from\n"
     "its sender (12.50 EUR); expect, the error that a row must end with. An empty cell of an\n"
     "optional argument is none. Rows go in their order, each in a block of its own; the first\n"
     "that does not end as it should stops the run.\n" TIMES "\n" VALUES,
     run_options, 1, 1, true, tw_command_run},
    {"epcis", "FILE.json...", "EPCIS 2.0 documents to a table of calls for `run`",
     "Association events that add or delete children of a parent become calls of `install`,\n"
     "`remove` and `remove_all` with machine, part and the hash of the event. A document with a\n"
     "fault gives no calls, and a sentence for each fault.",
     epcis_options, 1, TW_ARGS_MAX, false, tw_command_epcis},
    {"view", "NAME VIEW [ARGUMENT=VALUE...]", "ask a view of a contract", TIMES "\n" VALUES,
     view_options, 2, TW_ARGS_MAX, true, tw_command_view},
    {"feed", "NAME FILE.csv", "sign readings from a table with a device's key and send them",
     "The file is looked through first: if a cell is not understood, nothing is sent. `-` reads\n"
     "standard input, which cannot be looked through. Empty cells are no readings.\n" TIMES,
     feed_options, 2, 2, true, tw_command_feed},
    {"state", "NAME", "what a contract holds: phase, alarms, roles, values, readings, timers",
     TIMES, past_options, 1, 1, true, tw_command_state},
    {"balances", "[ASSET]", "who has how much: accounts and purses of contracts", TIMES,
     past_options, 0, 1, true, tw_command_balances},
    {"events", "[NAME]", "what contracts said", TIMES, events_options, 0, 1, true,
     tw_command_events},
    {"history", "[NAME]", "what contracts wrote into their history", TIMES, story_options, 0, 1,
     true, tw_command_history},
    {"prove", "state CONTRACT NAME|NAME[KEY]|phase|ROLE MEMBER",
     "write a proof of what the ledger holds",
     "Also: balance ASSET ACCOUNT; code CONTRACT; --key HEX. What is not there is proved to be\n"
     "absent. Whoever knows the state root or the hash of the block checks the file with\n"
     "`twvm verify`, without the ledger.\n" TIMES,
     prove_options, 0, 4, true, tw_command_prove},
    {"verify", "FILE", "check a proof, without a ledger, and print what it shows",
     "--root or --block says against what. With a root alone, height and time of the block are\n"
     "what the maker of the file says. Values have names and units when the contract's code is in\n"
     "the file, or given with --module.\n" TIMES,
     verify_options, 1, 1, false, tw_command_verify},
    {"blocks", "[HEIGHT]", "the newest blocks, or what one block did", NULL, blocks_options, 0, 1,
     true, tw_command_blocks},
    {"receipt", "TRANSACTION", "one transaction: what it asked for, what came of it, what it cost",
     "A transaction is known by the 64 hex digits of its id, which `blocks HEIGHT` prints.", none,
     1, 1, true, tw_command_receipt},
    {"root", "", "height, time and state root of the newest block", NULL, none, 0, 0, true,
     tw_command_root},
    {"replay", "", "execute every block again from the first, and compare", NULL, replay_options, 0,
     0, true, tw_command_replay},
    {"fsck", "", "is the ledger whole? its state, past, blocks and money",
     "The root is computed again from the keys and values alone. Each problem is a line that says\n"
     "where it is and what to do; nothing is changed. Exit status 1 when there is a problem.",
     none, 0, 0, true, tw_command_fsck},
    {"rollback", "", "take the newest block off, as if it had never been",
     "For who keeps the ledger and knows that nobody else has the block. The transactions of the\n"
     "block are gone and may be sent again.",
     rollback_options, 0, 0, true, tw_command_rollback},
    {"prune", "", "let go of states before the newest blocks, now and from now on",
     "Blocks stay, and so do events and history; --at reaches as far back as states are kept.",
     prune_options, 0, 0, true, tw_command_prune},
    {"snapshot", "save FILE | load FILE", "the whole state in one file, and a ledger from it",
     "`save` writes the state after the newest block, or after that of --at: the same bytes on\n"
     "every node. `load` makes the ledger of -d, a new folder, from it. It checks every part of\n"
     "the file before it stores it, against the hash of the block (--block) or the state root\n"
     "(--root), which you must have from somebody you trust. The new ledger goes on from there;\n"
     "it has no blocks from before, so no events and no history of them.\n" TIMES,
     snapshot_options, 2, 2, true, tw_command_snapshot},
    {"backup", "DIR2", "a copy of the ledger's folder, keys and all, in a new one",
     "On the same disk it takes little room: files that never change are shared. A copy on\n"
     "another disk is safer.",
     none, 1, 1, true, tw_command_backup},
    {"report", "[NAME...]", "a page with charts of what contracts saw and did",
     "Every block is executed again for it, so the page is also a check.\n" TIMES, report_options,
     0, TW_ARGS_MAX, true, tw_command_report},
    {"disasm", "FILE.twm|FILE.twc", "print a contract's machine code",
     "Every part of the module is printed, by name where it has one. `twvm asm` makes the same\n"
     "bytes of it again. Behind `;` stand comments: values in their units, lines of the source.\n"
     "What an instruction does is in vm/isa/README.md.\n",
     disasm_options, 1, 1, false, tw_command_disasm},
    {"asm", "FILE.twa", "make a module of what `disasm` prints",
     "A change of code often changes the most that an entry takes, which stands behind it (gas,\n"
     "reads, writes, slots): --bounds sets it. Names stand for the numbers of parts, in any\n"
     "place; numbers do too. The form is described in vm/isa/README.md. A module that does not\n"
     "verify is written all the same, with a note why; a ledger refuses it.\n",
     asm_options, 1, 1, false, tw_command_asm},
    {"opcodes", "", "print the instruction set", NULL, opcodes_options, 0, 0, false,
     tw_command_opcodes},
    {NULL, NULL, NULL, NULL, NULL, 0, 0, false, NULL},
};

const tw_command *tw_commands(void)
{
    return commands;
}

tw_status tw_app_usage(tw_app *app, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(app->err.text, sizeof app->err.text, format, list);
    va_end(list);
    app->usage = true;
    app->err.status = TW_REFUSED_ARGUMENT;
    return TW_REFUSED_ARGUMENT;
}

tw_status tw_app_fail(tw_app *app, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(app->err.text, sizeof app->err.text, format, list);
    va_end(list);
    app->err.status = TW_REFUSED_ARGUMENT;
    return TW_REFUSED_ARGUMENT;
}

tw_status tw_app_keyring(tw_app *app, const char *dir, tw_keyring **ret_keyring)
{
    TW_TRY(tw_keyring_open(dir, ret_keyring, &app->err));
    tw_keyring_set_passphrases(*ret_keyring, app->passphrases);
    return TW_OK;
}

tw_status tw_app_floor(tw_app *app, tw_store *store)
{
    uint64_t mib = TW_STORE_FLOOR >> 20;
    if (!tw_args_number(&app->args, "free-min", 0, UINT64_MAX >> 20, &mib, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    tw_store_set_floor(store, mib << 20);
    return TW_OK;
}

tw_status tw_app_all_blocks(tw_app *app, const char *what)
{
    const uint64_t base = tw_ledger_base(app->session->ledger);
    if (base == 0) return TW_OK;
    return tw_app_fail(app,
                       "%s needs every block from the first; this ledger was made from a snapshot "
                       "of block %" PRIu64 ", and has those after it",
                       what, base);
}

tw_status tw_app_open(tw_app *app)
{
    TW_TRY(tw_session_open(tw_args_get(&app->args, "dir", ""), &app->session, &app->err));
    TW_TRY(tw_app_floor(app, app->session->store));
    tw_keyring_set_passphrases(app->session->keyring, app->passphrases);
    return TW_OK;
}

/* "17" is a height, "2026-01-31T12:00:00Z" a time. */
static tw_status height_wanted(tw_app *app, const char *text, uint64_t *ret_height)
{
    const size_t size = strlen(text);
    const char *why = NULL;
    int64_t time = 0;
    if (size > 0 && strspn(text, "0123456789") == size) {
        return tw_args_number(&app->args, "at", 0, UINT64_MAX, ret_height, &app->err)
                   ? TW_OK
                   : tw_app_usage(app, "--at: %.40s is no height of a block", text);
    }
    if (!tw_time_parse(tw_bytes_of(text, size), TW_TIME_ISO, 0, &time, &why)) {
        return tw_app_usage(app,
                            "--at: \"%.60s\" is no height of a block, and no time: as a time it %s",
                            text, why);
    }
    return tw_ledger_height_at(app->session->ledger, time, ret_height, &app->err);
}

tw_status tw_app_open_at(tw_app *app)
{
    const char *text = tw_args_get(&app->args, "at", NULL);
    char time[TW_TIME_TEXT_MAX];
    uint64_t height = 0;
    TW_TRY(tw_app_open(app));
    if (text == NULL) return TW_OK;
    TW_TRY(height_wanted(app, text, &height));
    TW_TRY(tw_session_go_back(app->session, height, &app->err));
    if (app->json) return TW_OK;
    tw_time_print(tw_ledger_head(app->session->ledger)->time, time);
    fprintf(stderr, "as it was after block %" PRIu64 ", %s\n", height, time);
    return TW_OK;
}

tw_status tw_app_answer(const tw_app *app, json_t *value)
{
    if (value == NULL || app->session->present == NULL) return tw_app_print_json(value);
    const tw_block_info *head = tw_ledger_head(app->session->ledger);
    return tw_app_print_json(json_pack("{s:o, s:o, s:o}", "height", tw_json_u64(head->height),
                                       "time", tw_json_time(head->time), "answer", value));
}

tw_status tw_app_print_json(json_t *value)
{
    if (value == NULL) return TW_ERR_MEMORY;
    const int result = json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(value);
    fputc('\n', stdout);
    return result == 0 ? TW_OK : TW_ERR_IO;
}

json_t *tw_json_u64(uint64_t number)
{
    return json_sprintf("%" PRIu64, number);
}

json_t *tw_json_hex(const uint8_t *bytes, size_t size)
{
    char hex[2 * 64 + 1];
    if (size > 64) return NULL;
    tw_hex_encode(bytes, size, hex);
    return json_string(hex);
}

json_t *tw_json_time(int64_t time)
{
    char text[48];
    tw_quantity_print(time, TW_DIM_TIME, text);
    return json_pack("{s:o, s:s}", "value", json_sprintf("%" PRId64, time), "text", text);
}

const char *tw_grouped(uint64_t number, char ret_text[TW_GROUPED_MAX])
{
    char digits[24];
    const int size = snprintf(digits, sizeof digits, "%" PRIu64, number);
    int to = 0;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0) ret_text[to++] = ',';
        ret_text[to++] = digits[i];
    }
    ret_text[to] = '\0';
    return ret_text;
}
