/* args -- command lines: a table of options for each command, its help text, and what was given.
 *
 * Called by main.c and the commands. `--name value`, `--name=value`, `-d value`, options and words
 * in any order, `--` before words that begin with a dash. Whatever is not in the table is an error
 * that names the nearest option there is.
 */
#ifndef TW_RUNNER_ARGS_H
#define TW_RUNNER_ARGS_H

#include "vm/base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { TW_ARGS_MAX = 1024, TW_OPTIONS_MAX = 32 };

typedef struct tw_option {
    const char *name;  /* without dashes; NULL ends a table */
    char letter;       /* 0: none */
    const char *value; /* what stands behind it: "DIR"; NULL: a switch */
    const char *help;
    bool many; /* may be given more than once */
} tw_option;

typedef struct tw_args tw_args;
struct tw_app; /* command.h */

typedef struct tw_command {
    const char *name;
    const char *words;   /* "NAME ACTION [ARGUMENT...]" */
    const char *summary; /* one line, for the list of commands */
    const char *help;    /* paragraphs behind the options; may be NULL */
    const tw_option *options;
    uint32_t words_min, words_max;
    bool needs_ledger; /* -d DIR must be given */
    tw_status (*run)(struct tw_app *app);
} tw_command;

struct tw_args {
    const tw_command *command;
    const char *words[TW_ARGS_MAX];
    uint32_t word_count;
    struct {
        const char *name; /* of the option */
        const char *value;
    } given[TW_ARGS_MAX];
    uint32_t given_count;
    bool help;
};

/* Takes apart what stands behind the command's name, into `args`, whose command is set. Options of
 * `common` (ended like a table) are allowed with each command. TW_REFUSED_ARGUMENT with a sentence
 * and the remedy. */
TW_MUST_USE tw_status tw_args_parse(tw_args *args, const tw_option *common, int count,
                                    char *const *texts, tw_err *err);

bool tw_args_has(const tw_args *args, const char *name);
/* The last value given, or `otherwise`. */
const char *tw_args_get(const tw_args *args, const char *name, const char *otherwise);
/* The index-th value of an option that may be given many times; NULL behind the last. */
const char *tw_args_each(const tw_args *args, const char *name, uint32_t index);
/* A whole number from low to high. False with a sentence. *ret_number is left alone when the
 * option is not given. */
bool tw_args_number(const tw_args *args, const char *name, uint64_t low, uint64_t high,
                    uint64_t *ret_number, tw_err *err);

void tw_args_print_help(const tw_command *command, const tw_option *common, FILE *to);

/* How far two words are apart in letters typed wrong; for "did you mean". */
uint32_t tw_args_distance(const char *a, const char *b);

#endif
