/* twc -- the compiler as a library: source text in, diagnostics, modules and test plans out.
 *
 * The one public header of libtwc. A result owns everything it hands out. No files, no output, no
 * exit; memory is at most 4 MiB plus 96 times the source (with what it imports at most 1 MiB, of
 * which three copies may be held), and at most TWC_CODE_MEMORY_MAX more when it compiles. Any bytes
 * are a valid input. Results do not depend on anything but the source and its imports, so calls may
 * run in parallel.
 */
#ifndef TWC_TWC_H
#define TWC_TWC_H

#include "vm/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct twc_result twc_result;

typedef struct twc_message {
    const char *file;
    uint32_t line, column; /* from 1, in characters */
    uint32_t end_line, end_column;
    bool is_warning;
    uint32_t code; /* 104 for E0104 */
    const char *text;
    const char *help; /* NULL without */
} twc_message;

/* Where imported files come from: `read` appends the bytes of the file `name` (the folder of the
 * importing file and the path, as "contracts/types.twc" for "./types" in "contracts/a.twc") to `w`.
 * False when there is no such file. */
typedef struct twc_files {
    bool (*read)(void *data, const char *name, tw_writer *w);
    void *data;
} twc_files;

/* Checks one source. `file_name` is only used in messages and for the folder of what it imports.
 * NULL without memory. Both inputs must outlive the result. twc_check: it can import the modules of
 * the compiler and nothing else. */
twc_result *twc_check(const char *file_name, const void *source, size_t size);
twc_result *twc_check_with(const char *file_name, const void *source, size_t size,
                           const twc_files *files);
void twc_result_free(twc_result *result); /* NULL is allowed */

uint32_t twc_result_error_count(const twc_result *result);
uint32_t twc_result_message_count(const twc_result *result);
/* Sorted by place. `index` below the count. */
twc_message twc_result_message(const twc_result *result, uint32_t index);

/* All messages as an author reads them, or as one JSON array; ends with a NUL, lives as long as the
 * result. NULL without memory. */
const char *twc_result_report(twc_result *result, bool color);
const char *twc_result_json(twc_result *result);

/* The source laid out in the one way, comments kept; NULL when it has errors or memory ends. Ends
 * with a NUL, lives until the next text is asked for. Formatting it again gives the same bytes. */
const char *twc_result_format(twc_result *result);

/* The title and explanation of a code ("E0104", "W0801"); false for none. Static memory. */
bool twc_explain(const char *code, const char **ret_title, const char **ret_text);

/* ------------------------------------------------------------------ compiled contracts */

enum { TWC_CODE_MEMORY_MAX = 256 * 1024 * 1024, TWC_NO_ENTRY = 0xFFFF, TWC_NO_ROLE = 0xFFFF };

typedef struct twc_test twc_test;

/* One contract or library of the source (not of what it imports). */
typedef struct twc_unit {
    const char *name;
    uint32_t version;
    uint32_t line;
    bool library;    /* names for contracts: it can be tested, not deployed */
    tw_bytes module; /* canonical bytes, verified */
    tw_bytes debug;  /* lines and names, for vm/isa/container.h; not part of the module */
    const twc_test *tests;
    uint32_t test_count;
} twc_unit;

/* As twc_check; without errors it also has the units, in the order of the page. */
twc_result *twc_compile(const char *file_name, const void *source, size_t size);
twc_result *twc_compile_with(const char *file_name, const void *source, size_t size,
                             const twc_files *files);
uint32_t twc_result_unit_count(const twc_result *result);
const twc_unit *twc_result_unit(const twc_result *result, uint32_t index);

/* What each entry and the largest pack may cost, as a table or as JSON; and the interface of the
 * contract as JSON (names, types, units, phases, documentation), from which clients are made. End
 * with a newline and a NUL, live until the next text is asked for. NULL without memory. */
const char *twc_result_bounds(twc_result *result, uint32_t index, bool json);
const char *twc_result_abi(twc_result *result, uint32_t index);

/* A contract in sentences for people who don't program, with the hash of the module they are about;
 * or its phases as a picture (SVG) or for Graphviz (DOT). As above. */
typedef enum twc_explain_form {
    TWC_EXPLAIN_TEXT,
    TWC_EXPLAIN_SVG,
    TWC_EXPLAIN_DOT
} twc_explain_form;
const char *twc_result_explain(twc_result *result, uint32_t index, twc_explain_form form);

/* The `number`-th `export` of a contract, from 0: JSON as above, and the name of a file for it,
 * "<contract>.<what>.dtdl.json" or "....senml.json". False behind the last, and without memory. */
enum { TWC_EXPORT_NAME_MAX = 160 };
bool twc_result_export(twc_result *result, uint32_t index, uint32_t number,
                       char ret_name[TWC_EXPORT_NAME_MAX], const char **ret_text);

/* ------------------------------------------------------------------ test plans
 *
 * A test is a list of steps. What is no constant in it is a formula: a VIEW of one of the test's
 * own modules (one, unless there are more formulas than a module has entries). Such a module begins
 * with the contract's declarations, functions and entries, with the same indexes everywhere, and
 * has the same parameters, deploy constants, stamps and timers; so a contract that was deployed
 * with the contract's module can be opened with the test's module to run its views. Indexes
 * (readings, roles, entries, events, errors, invariants) mean both modules.
 */

/* What a formula needs and only the runner of a test knows: an argument of its view. */
typedef enum twc_input_kind {
    TWC_INPUT_EVENTS = 1, /* int: events of kind `index` since the test's start */
    TWC_INPUT_GAS,        /* int: gas of the last successful call of entry `index`; 0 before one */
    TWC_INPUT_BOUND,      /* int: gas bound of entry `index` */
    TWC_INPUT_HISTORY,    /* int: history entries of the contract */
    TWC_INPUT_MEMBER,     /* account: member `number` (from 1) of the accounts of role `index` */
    TWC_INPUT_ACCOUNT,    /* account: `name`, which has no role */
    TWC_INPUT_ENDOWED,    /* int: what each account of the test held of money `index` at its start,
                             so gain(a, C) is the balance of a less this */
    TWC_INPUT_MINTED,     /* int: how much of money `index`, a token, was minted since the start */
} twc_input_kind;

typedef struct twc_input {
    twc_input_kind kind;
    uint16_t index;
    uint32_t number;
    const char *name; /* ACCOUNT; else NULL */
} twc_input;

/* A value in a test. */
typedef struct twc_formula {
    bool constant;
    int64_t value;  /* of a constant */
    uint16_t part;  /* which of the test's modules */
    uint16_t entry; /* VIEW of that module; TWC_NO_ENTRY for a constant */
    const twc_input *inputs;
    uint16_t input_count; /* the view's arguments, one each, in this order */
} twc_formula;

/* `provider`, `verifier 2`, `meter 1 .. 4`, `account "bob"`. */
typedef struct twc_test_actor {
    uint16_t role;        /* TWC_NO_ROLE: `account "name"` */
    uint32_t first, last; /* members, from 1; 1, 1 for an account */
    const char *name;     /* of the account, else NULL */
} twc_test_actor;

typedef enum twc_feed_fault {
    TWC_FEED_WHOLE = 0,
    TWC_FEED_DROP,          /* each `drop_every`-th reading is not sent */
    TWC_FEED_DELAY,         /* each comes `amount` ms after its device time */
    TWC_FEED_FREEZE,        /* the device says again and again what it said last */
    TWC_FEED_DRIFT,         /* `amount` is added per `per` ms since the start */
    TWC_FEED_REPLAY_ATTACK, /* each pack is sent a second time */
} twc_feed_fault;

/* `vib of d 8.0 mm/s every 1 s`: one reading a period from each device. */
typedef struct twc_test_feed {
    uint16_t reading;
    twc_test_actor device;
    twc_formula value;  /* in the reading's resolution */
    twc_formula period; /* ms; the runner refuses less than 1 */
    twc_feed_fault fault;
    uint32_t drop_every;
    twc_formula amount, per;
} twc_test_feed;

typedef enum twc_step_kind {
    TWC_STEP_FEED = 1,
    TWC_STEP_ADVANCE,
    TWC_STEP_CALL,
    TWC_STEP_EXPECT,
    TWC_STEP_EXPECT_FAIL,
    TWC_STEP_REPLAY,
} twc_step_kind;

typedef struct twc_step {
    twc_step_kind kind;
    uint32_t line;
    const char *text; /* as it is written, on one line */
    tw_bytes source;  /* the same, whole, as it stands in the source */
    const char *path; /* REPLAY: the file, from the folder of the source on */

    const twc_test_feed *feeds; /* FEED */
    uint32_t feed_count;
    twc_formula duration; /* FEED, ADVANCE: ms */

    const twc_test_actor *actors; /* CALL: the first sends, the others sign too. One actor may be */
    uint32_t actor_count;         /* a range: then one call a member */
    uint16_t entry;               /* CALL: the action */
    twc_formula arguments; /* CALL: its result, a record of exactly the action's arguments, encodes
                              to the bytes of the call's arguments. TWC_NO_ENTRY and not constant:
                              there are none */

    twc_formula condition; /* EXPECT: its result is a record { ok: bool } or, of a comparison, { ok:
                              bool, left, right } with both sides in their own types */
    const char *comparison; /* "==", "<=" ... or NULL */

    tw_status fail;      /* EXPECT_FAIL: TW_FAIL_ERROR, TW_FAIL_INVARIANT, or a trap */
    uint16_t fail_index; /* of the error or invariant */
    const char *fail_name;
    const struct twc_step *steps; /* EXPECT_FAIL: the steps, of which the last must fail so */
    uint32_t step_count;
} twc_step;

/* A number of the contract's source. */
typedef struct twc_edge {
    uint8_t quantity; /* of vm/base/quantities.def; 0: an amount of money */
    uint16_t money;
    int64_t value;
} twc_edge;

/* An action, for a test that draws calls: who is meant to call it. */
typedef struct twc_fuzz_action {
    uint16_t entry;
    uint64_t callers;     /* bit r: role r is among those behind `by` */
    uint64_t others;      /* bit r: role r stands behind `with` */
    uint16_t quorum_role; /* `signed by quorum of quorum_role`; else TWC_NO_ROLE */
    uint32_t quorum;
    const uint16_t *roles; /* of each argument: the role it must be a member of, or TWC_NO_ROLE */
} twc_fuzz_action;

/* `test fuzz`: the steps up to `start_count` begin each run; the others are expectations, looked at
 * after each step that is drawn. */
typedef struct twc_fuzz {
    uint32_t runs, steps;
    uint32_t start_count;
    const twc_fuzz_action *actions;
    uint32_t action_count;
    const twc_edge *edges; /* each once */
    uint32_t edge_count;
    const char *const *texts; /* literals, each once */
    uint32_t text_count;
} twc_fuzz;

struct twc_test {
    const char *name;
    uint32_t line;
    const tw_bytes *modules; /* of this test: the contract's module with formulas behind it */
    uint32_t module_count;   /* at least one */
    const twc_step *steps;
    uint32_t step_count;
    const twc_fuzz *fuzz; /* NULL: an ordinary test */
};

#endif
