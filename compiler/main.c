/* main -- the `twc` command. Subcommands are a table; each returns the exit status: 0 done,
 * 1 the source has errors, 2 wrong usage or a file that can't be read. */
#include "compiler/diag.h"
#include "compiler/twc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DONE = 0, REFUSED = 1, USAGE = 2 };

typedef struct command {
    const char *name;
    const char *usage;
    const char *what;
    int (*run)(int count, char **arguments);
} command;

/* The file's bytes, to be freed with tw_mem_free. NULL after a message. At most one byte more than
 * a source may have is read, so that the compiler can refuse it. */
static uint8_t *read_file(const char *name, size_t *ret_size)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = tw_mem_new(TWC_SOURCE_MAX + 1);
    if (file == NULL || data == NULL) {
        fprintf(stderr, "twc: can't read %s\n", name);
        if (file != NULL) fclose(file);
        tw_mem_free(data);
        return NULL;
    }
    *ret_size = fread(data, 1, TWC_SOURCE_MAX + 1, file);
    const bool failed = ferror(file) != 0;
    fclose(file);
    if (!failed) return data;
    fprintf(stderr, "twc: can't read %s\n", name);
    tw_mem_free(data);
    return NULL;
}

static int run_check(int count, char **arguments)
{
    const char *name = NULL;
    bool json = false;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--json") == 0) {
            json = true;
        } else if (arguments[i][0] == '-' || name != NULL) {
            fprintf(stderr, "twc check: unexpected argument %s\n", arguments[i]);
            return USAGE;
        } else {
            name = arguments[i];
        }
    }
    if (name == NULL) {
        fprintf(stderr, "twc check: which file?\n");
        return USAGE;
    }
    size_t size = 0;
    uint8_t *source = read_file(name, &size);
    if (source == NULL) return USAGE;
    twc_result *result = twc_check(name, source, size);
    int status = USAGE;
    if (result != NULL) {
        const char *text =
            json ? twc_result_json(result) : twc_result_report(result, isatty(STDERR_FILENO) == 1);
        if (text != NULL) {
            fputs(text, json ? stdout : stderr);
            status = twc_result_error_count(result) > 0 ? REFUSED : DONE;
        }
    }
    if (status == USAGE) fprintf(stderr, "twc: out of memory\n");
    twc_result_free(result);
    tw_mem_free(source);
    return status;
}

static void print_units(void)
{
    tw_dimension before = TW_DIM_NONE;
    const tw_unit *unit = NULL;
    for (uint32_t i = 0; (unit = tw_unit_at(i)) != NULL; i++) {
        if (unit->dimension != before) printf("\n  %-14s", tw_dim_name(unit->dimension));
        printf(" %s", unit->spelling);
        before = unit->dimension;
    }
    printf("\n");
}

static int run_explain(int count, char **arguments)
{
    const char *title = NULL;
    const char *text = NULL;
    if (count != 1 || !twc_explain(arguments[0], &title, &text)) {
        fprintf(stderr, "twc explain: give one code, as E0104\n");
        return USAGE;
    }
    printf("%s: %s\n\n%s\n", arguments[0], title, text);
    if (strcmp(arguments[0], "E0104") == 0 || strcmp(arguments[0], "E0105") == 0) print_units();
    return DONE;
}

static const command commands[] = {
    {"check", "check FILE.twc [--json]", "say what is wrong in a source", run_check},
    {"explain", "explain E0104", "explain a message and show how it is right", run_explain},
};

static void print_help(FILE *out)
{
    fprintf(out, "twc compiles contracts for digital twins.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(out, "  twc %-28s %s\n", commands[i].usage, commands[i].what);
    }
    fprintf(out, "\nExit status: 0 done, 1 the source has errors, 2 wrong usage.\n");
}

int main(int count, char **arguments)
{
    if (count < 2) {
        print_help(stderr);
        return USAGE;
    }
    if (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "help") == 0) {
        print_help(stdout);
        return DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(arguments[1], commands[i].name) != 0) continue;
        if (count > 2 && strcmp(arguments[2], "--help") == 0) {
            printf("twc %s\n  %s\n", commands[i].usage, commands[i].what);
            return DONE;
        }
        return commands[i].run(count - 2, arguments + 2);
    }
    fprintf(stderr, "twc: there is no command %s (see twc --help)\n", arguments[1]);
    return USAGE;
}
