/* main -- the `twvm` command: finds the command, parses its line, runs it, reports how it ended. */
#include "vm/runner/command.h"

#include "vm/base/arena.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const tw_option common[] = {
    {"dir", 'd', "DIR", "the folder of the ledger", false},
    {"json", 0, NULL, "print data as JSON (64-bit numbers as strings)", false},
    {"passphrase-file", 0, "FILE", "its first line opens sealed keys: nothing is asked", true},
    {"free-min", 0, "MIB", "no block is made when the disk has less room (default: 64; 0: off)",
     false},
    {"no-color", 0, NULL, "no colours, whatever the terminal can do", false},
    {"help", 'h', NULL, "this text", false},
    {NULL, 0, NULL, NULL, false},
};

static void print_commands(FILE *to)
{
    fputs("usage: twvm [-d DIR] COMMAND ...\n\n"
          "Test a contract, and run a ledger on this computer.\n\n",
          to);
    for (const tw_command *c = tw_commands(); c->name != NULL; c++) {
        fprintf(to, "  %-9s %s\n", c->name, c->summary);
    }
    fputs("\ntwvm COMMAND --help explains a command. Exit status: 0 done, 1 refused or failed, 2 "
          "not understood.\n",
          to);
}

static const tw_command *find_command(const char *name)
{
    for (const tw_command *c = tw_commands(); c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0) return c;
    }
    return NULL;
}

static void suggest(const char *name)
{
    const char *best = NULL;
    uint32_t best_distance = 3;
    for (const tw_command *c = tw_commands(); c->name != NULL; c++) {
        const uint32_t distance = tw_args_distance(name, c->name);
        if (distance >= best_distance) continue;
        best = c->name;
        best_distance = distance;
    }
    fprintf(stderr, "twvm: %.60s is no command; ", name);
    if (best != NULL) fprintf(stderr, "did you mean %s? ", best);
    fputs("twvm --help lists them\n", stderr);
}

/* A common option whose value is the next word. */
static bool takes_next(const char *text)
{
    for (const tw_option *o = common; o->name != NULL; o++) {
        if (o->value == NULL || text[0] != '-') continue;
        if (text[1] == '-' ? strcmp(text + 2, o->name) == 0
                           : text[1] == o->letter && o->letter != 0 && text[2] == '\0') {
            return true;
        }
    }
    return false;
}

/* The index of the command's name: the first word that is no common option or its value. */
static int command_index(int count, char **texts)
{
    for (int i = 1; i < count; i++) {
        if (takes_next(texts[i])) {
            i++;
        } else if (texts[i][0] != '-') {
            return i;
        }
    }
    return count;
}

/* After a failed write, or an open that failed at one, RocksDB's threads may still try to recover,
 * and what they stand on is taken down when a process exits in order: it goes at once. What it has
 * to say is said by then: standard error has no buffer. */
static int leave(tw_status status, int code)
{
    if (status == TW_ERR_STORE || status == TW_ERR_IO) _exit(code);
    return code;
}

static int report(const tw_app *app, tw_status status)
{
    if (status == TW_OK) return EXIT_SUCCESS;
    const char *text = app->err.text[0] != '\0' ? app->err.text : tw_status_text(status);
    if (status != TW_ERR_INTERNAL || app->err.text[0] != '\0') {
        fprintf(stderr, "twvm: %s\n", text);
    } else {
        fprintf(stderr, "twvm: a mistake in twvm itself: %s; please report it\n", text);
    }
    return leave(status, app->usage ? 2 : EXIT_FAILURE);
}

/* Where passphrases are, if one will be needed: the option, else the variable, else a terminal. */
static tw_status name_passphrases(tw_app *app)
{
    const char *usual = getenv("TWVM_PASSPHRASE_FILE");
    app->passphrases = tw_passphrases_new();
    if (app->passphrases == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; tw_args_each(&app->args, "passphrase-file", i) != NULL; i++) {
        const char *path = tw_args_each(&app->args, "passphrase-file", i);
        if (tw_passphrases_add_file(app->passphrases, path) == TW_OK) continue;
        return tw_app_usage(app, "--passphrase-file: at most %d", TW_PASSPHRASES_MAX);
    }
    if (usual == NULL || usual[0] == '\0' || tw_passphrases_from_files(app->passphrases)) {
        return TW_OK;
    }
    return tw_passphrases_add_file(app->passphrases, usual);
}

static int run(tw_app *app, int count, char **texts, int at)
{
    /* what stands before the command's name are common options */
    char *line[TW_ARGS_MAX];
    int size = 0;
    if (count > TW_ARGS_MAX) {
        fprintf(stderr, "twvm: more than %d arguments\n", TW_ARGS_MAX);
        return 2;
    }
    for (int i = 1; i < count; i++) {
        if (i != at) line[size++] = texts[i];
    }
    if (tw_args_parse(&app->args, common, size, line, &app->err) != TW_OK) {
        app->usage = true;
        return report(app, TW_REFUSED_ARGUMENT);
    }
    if (app->args.help) {
        tw_args_print_help(app->args.command, common, stdout);
        return EXIT_SUCCESS;
    }
    app->json = tw_args_has(&app->args, "json");
    app->color = isatty(STDOUT_FILENO) == 1 && !tw_args_has(&app->args, "no-color");
    app->terminal = isatty(STDERR_FILENO) == 1;
    tw_status status = name_passphrases(app);
    if (status == TW_OK) status = app->args.command->run(app);
    const tw_status settled = tw_session_settle(app->session, status == TW_OK ? &app->err : NULL);
    if (status == TW_OK) status = settled;
    tw_session_close(app->session);
    tw_passphrases_free(app->passphrases);
    if (fflush(stdout) != 0 && status == TW_OK) {
        status = tw_err_set(&app->err, TW_ERR_IO, "standard output cannot be written");
    }
    return leave(settled, report(app, status));
}

int main(int count, char **texts)
{
    signal(SIGPIPE, SIG_IGN);
    const int at = command_index(count, texts);
    if (at == count) {
        const bool help =
            count > 1 && (strcmp(texts[1], "--help") == 0 || strcmp(texts[1], "-h") == 0);
        print_commands(help ? stdout : stderr);
        return help ? EXIT_SUCCESS : 2;
    }
    if (strcmp(texts[at], "help") == 0) {
        print_commands(stdout);
        return EXIT_SUCCESS;
    }
    const tw_command *command = find_command(texts[at]);
    if (command == NULL) {
        suggest(texts[at]);
        return 2;
    }
    tw_app *app = tw_mem_new(sizeof *app);
    if (app == NULL) {
        fputs("twvm: no memory\n", stderr);
        return EXIT_FAILURE;
    }
    app->args.command = command;
    const int code = run(app, count, texts, at);
    tw_mem_free(app);
    return code;
}
