/* main -- the `twc` command. Subcommands are a table; each returns the exit status: 0 done,
 * 1 the source has errors, 2 wrong usage or a file that can't be read or written. */
#include "compiler/diag.h"
#include "compiler/file.h"
#include "compiler/twc.h"
#include "vm/base/quantities.h"
#include "vm/isa/container.h"
#include "vm/isa/module.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DONE = 0, REFUSED = 1, USAGE = 2, NAME_SIZE_MAX = 4096 };

typedef struct command {
    const char *name;
    const char *usage;
    const char *what;
    int (*run)(int count, char **arguments);
} command;

/* What a command line says. */
typedef struct options {
    const char *command;
    const char *file;
    const char *output;   /* -o */
    const char *contract; /* --contract */
    bool json;
} options;

/* False after a message. */
static bool parse_options(options *o, int count, char **arguments, bool has_output, bool has_json)
{
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        const bool more = i + 1 < count;
        if (has_json && strcmp(argument, "--json") == 0) {
            o->json = true;
        } else if (has_output && more && strcmp(argument, "-o") == 0) {
            o->output = arguments[++i];
        } else if (has_output && more && strcmp(argument, "--contract") == 0) {
            o->contract = arguments[++i];
        } else if (argument[0] == '-' || o->file != NULL) {
            fprintf(stderr, "twc %s: unexpected argument %s\n", o->command, argument);
            return false;
        } else {
            o->file = argument;
        }
    }
    if (o->file == NULL) fprintf(stderr, "twc %s: which file?\n", o->command);
    return o->file != NULL;
}

/* Prints the messages of a result. The exit status that follows from them. */
static int report(twc_result *result, bool json)
{
    const char *text = NULL;
    if (result != NULL) {
        text =
            json ? twc_result_json(result) : twc_result_report(result, isatty(STDERR_FILENO) == 1);
    }
    if (text == NULL) {
        fprintf(stderr, "twc: out of memory\n");
        return USAGE;
    }
    fputs(text, json ? stdout : stderr);
    return twc_result_error_count(result) > 0 ? REFUSED : DONE;
}

/* What a source imports, read as it is named. */
static bool read_import(void *data, const char *name, tw_writer *w)
{
    (void)data;
    return twc_file_append(name, w);
}

static twc_result *compile(const char *file, const uint8_t *source, size_t size)
{
    const twc_files files = {.read = read_import};
    return twc_compile_with(file, source, size, &files);
}

static int run_check(int count, char **arguments)
{
    options o = {.command = "check"};
    if (!parse_options(&o, count, arguments, false, true)) return USAGE;
    size_t size = 0;
    uint8_t *source = twc_file_read(o.file, TWC_SOURCE_MAX, &size);
    if (source == NULL) return REFUSED;
    twc_result *result = compile(o.file, source, size);
    const int status = report(result, o.json);
    twc_result_free(result);
    tw_mem_free(source);
    return status;
}

/* ------------------------------------------------------------------ build */

/* A contract that was asked for, in its newest version. */
static bool is_wanted(const options *o, const twc_result *result, uint32_t index)
{
    const twc_unit *unit = twc_result_unit(result, index);
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        const twc_unit *other = twc_result_unit(result, i);
        if (other->version > unit->version && strcmp(other->name, unit->name) == 0) return false;
    }
    return !unit->library && (o->contract == NULL || strcmp(o->contract, unit->name) == 0);
}

static uint32_t count_wanted(const options *o, const twc_result *result)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        count += is_wanted(o, result, i);
    }
    return count;
}

/* F.twm for F.twc with one contract; beside F.twc, <contract>.twm for each of several. */
static bool output_name(const options *o, const twc_unit *unit, bool several,
                        char ret_name[NAME_SIZE_MAX])
{
    int size = 0;
    const char *slash = strrchr(o->file, '/');
    const char *base = slash != NULL ? slash + 1 : o->file;
    const char *dot = strrchr(base, '.');
    if (o->output != NULL) {
        size = snprintf(ret_name, NAME_SIZE_MAX, "%s", o->output);
    } else if (several) {
        size = snprintf(ret_name, NAME_SIZE_MAX, "%.*s%s.%u.twm", (int)(base - o->file), o->file,
                        unit->name, unit->version);
    } else {
        const size_t stem = dot != NULL && dot != base ? (size_t)(dot - o->file) : strlen(o->file);
        size = snprintf(ret_name, NAME_SIZE_MAX, "%.*s.twm", (int)stem, o->file);
    }
    return size > 0 && size < NAME_SIZE_MAX;
}

static bool write_unit(const options *o, const twc_unit *unit, bool several)
{
    char name[NAME_SIZE_MAX];
    if (!output_name(o, unit, several, name)) {
        fprintf(stderr, "twc: the name of the output is too long\n");
        return false;
    }
    tw_writer w = tw_writer_new(TW_CONTAINER_SIZE_MAX);
    tw_container_write(unit->module, unit->debug, &w);
    bool good = !w.bad;
    if (good) {
        good = twc_file_write(name, tw_writer_bytes(&w));
    } else {
        fprintf(stderr, "twc: out of memory\n");
    }
    tw_writer_free(&w);
    if (good)
        printf("%s version %u: %s, module of %zu bytes\n", unit->name, unit->version, name,
               unit->module.size);
    return good;
}

static int build_units(const options *o, const twc_result *result)
{
    const uint32_t wanted = count_wanted(o, result);
    if (wanted == 0) {
        fprintf(stderr, "twc build: there is no contract %s in %s\n",
                o->contract != NULL ? o->contract : "to build", o->file);
        return USAGE;
    }
    if (wanted > 1 && o->output != NULL) {
        fprintf(stderr, "twc build: %s has several contracts: choose one with --contract\n",
                o->file);
        return USAGE;
    }
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        if (!is_wanted(o, result, i)) continue;
        if (!write_unit(o, twc_result_unit(result, i), wanted > 1)) return REFUSED;
    }
    return DONE;
}

/* ------------------------------------------------------------------ bounds, abi, export */

/* All contracts of the file: objects of one array when there are several. */
static int print_units(const options *o, twc_result *result, bool abi)
{
    const uint32_t wanted = count_wanted(o, result);
    const bool json = abi || o->json;
    const char *before = json && wanted > 1 ? "[" : "";
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        if (!is_wanted(o, result, i)) continue;
        const char *text = abi ? twc_result_abi(result, i) : twc_result_bounds(result, i, o->json);
        if (text == NULL) {
            fprintf(stderr, "twc: out of memory\n");
            return USAGE;
        }
        printf("%s%s", before, text);
        before = json ? "," : "\n";
    }
    if (json && wanted > 1) printf("]\n");
    return DONE;
}

/* A path in the folder, or to the terminal where none was named. */
static int export_unit(const options *o, twc_result *result, uint32_t index, uint32_t *count)
{
    char name[TWC_EXPORT_NAME_MAX];
    const char *text = NULL;
    for (uint32_t i = 0; twc_result_export(result, index, i, name, &text); i++, ++*count) {
        char path[NAME_SIZE_MAX];
        if (o->output == NULL) {
            printf("%s%s", *count > 0 ? "," : "[", text);
            continue;
        }
        if (snprintf(path, sizeof path, "%s/%s", o->output, name) >= NAME_SIZE_MAX) {
            fprintf(stderr, "twc: the name of the output is too long\n");
            return REFUSED;
        }
        if (!twc_file_write(path, tw_bytes_of(text, strlen(text)))) return REFUSED;
        printf("%s\n", path);
    }
    return DONE;
}

static int export_units(const options *o, twc_result *result)
{
    uint32_t written = 0;
    int status = DONE;
    for (uint32_t i = 0; status == DONE && i < twc_result_unit_count(result); i++) {
        if (is_wanted(o, result, i)) status = export_unit(o, result, i, &written);
    }
    if (status == DONE && written == 0) {
        fprintf(stderr, "twc export: nothing in %s says `export`\n", o->file);
        status = USAGE;
    } else if (status == DONE && o->output == NULL) {
        printf("]\n");
    }
    return status;
}

typedef enum output { BUILD, BOUNDS, ABI, EXPORT } output;

/* Compiles the file and prints what is wrong with it; DONE: `work` is done with the result. */
static int with_compiled(const options *o, void *data,
                         int (*work)(const options *o, twc_result *result, void *data))
{
    size_t size = 0;
    uint8_t *source = twc_file_read(o->file, TWC_SOURCE_MAX, &size);
    if (source == NULL) return REFUSED;
    twc_result *result = compile(o->file, source, size);
    int status = report(result, false);
    if (status == DONE) status = work(o, result, data);
    twc_result_free(result);
    tw_mem_free(source);
    return status;
}

static int write_output(const options *o, twc_result *result, void *data)
{
    const output what = *(output *)data;
    if (what == BUILD) return build_units(o, result);
    return what == EXPORT ? export_units(o, result) : print_units(o, result, what == ABI);
}

static int run_compiled(options o, output what, int count, char **arguments)
{
    const bool has_output = what == BUILD || what == EXPORT;
    if (!parse_options(&o, count, arguments, has_output, what == BOUNDS)) return USAGE;
    return with_compiled(&o, &what, write_output);
}

static int run_build(int count, char **arguments)
{
    return run_compiled((options){.command = "build"}, BUILD, count, arguments);
}

static int run_bounds(int count, char **arguments)
{
    return run_compiled((options){.command = "bounds"}, BOUNDS, count, arguments);
}

static int run_export(int count, char **arguments)
{
    return run_compiled((options){.command = "export"}, EXPORT, count, arguments);
}

static int run_abi(int count, char **arguments)
{
    return run_compiled((options){.command = "abi"}, ABI, count, arguments);
}

/* ------------------------------------------------------------------ fmt, verify */

/* 1 when the file is not as it should be and only asked about, or can't be laid out. */
static int format_file(const char *name, bool check)
{
    size_t size = 0;
    uint8_t *source = twc_file_read(name, TWC_SOURCE_MAX, &size);
    if (source == NULL) return REFUSED;
    const twc_files files = {.read = read_import};
    twc_result *result = twc_check_with(name, source, size, &files);
    const char *text = result != NULL ? twc_result_format(result) : NULL;
    int status = DONE;
    if (text == NULL) {
        status = report(result, false) == DONE ? USAGE : REFUSED;
    } else if (strlen(text) != size || memcmp(text, source, size) != 0) {
        if (check) printf("%s is not formatted: run `twc fmt %s`\n", name, name);
        const bool good = check || twc_file_write(name, tw_bytes_of(text, strlen(text)));
        status = check || !good ? REFUSED : DONE;
    }
    twc_result_free(result);
    tw_mem_free(source);
    return status;
}

static int run_fmt(int count, char **arguments)
{
    bool check = false;
    int status = DONE;
    int files = 0;
    for (int i = 0; i < count; i++) check = check || strcmp(arguments[i], "--check") == 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--check") == 0) continue;
        if (arguments[i][0] == '-') {
            fprintf(stderr, "twc fmt: unexpected argument %s\n", arguments[i]);
            return USAGE;
        }
        const int one = format_file(arguments[i], check);
        if (one > status) status = one;
        files++;
    }
    if (files == 0) fprintf(stderr, "twc fmt: which file?\n");
    return files > 0 ? status : USAGE;
}

/* Compares: a module depends on nothing but the source and the compiler. */
static int verify_units(const options *o, twc_result *result, void *data)
{
    const char *wanted = data;
    bool found = false;
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        const twc_unit *unit = twc_result_unit(result, i);
        char hex[2 * TW_HASH_SIZE + 1];
        const tw_hash hash = tw_module_hash(unit->module);
        tw_hex_encode(hash.bytes, TW_HASH_SIZE, hex);
        const bool same = strcasecmp(hex, wanted) == 0;
        found = found || same;
        printf("%s version %u: %s%s\n", unit->name, unit->version, hex, same ? ", the same" : "");
    }
    if (found) return DONE;
    fprintf(stderr,
            "twc verify: no contract of %s compiles to this module: another source, or another "
            "version of the compiler (this is %s)\n",
            o->file, TW_VERSION);
    return REFUSED;
}

static int run_verify(int count, char **arguments)
{
    if (count != 2 || strlen(arguments[1]) != 2 * TW_HASH_SIZE) {
        fprintf(stderr, "twc verify: give a file and the hash of a module, 64 hex digits\n");
        return USAGE;
    }
    const options o = {.command = "verify", .file = arguments[0]};
    return with_compiled(&o, arguments[1], verify_units);
}

/* The table that the explanation of an unknown unit speaks of: a line for each dimension. */
static void print_unit_table(void)
{
    tw_dimension last = TW_DIM_NONE;
    for (uint32_t i = 0; tw_unit_at(i) != NULL; i++) {
        const tw_unit *unit = tw_unit_at(i);
        if (unit->dimension != last) printf("\n  %-14s", tw_dim_name(unit->dimension));
        printf(" %s", unit->spelling);
        last = unit->dimension;
    }
    putchar('\n');
}

static int explain_code(const char *code)
{
    const char *title = NULL;
    const char *text = NULL;
    if (!twc_explain(code, &title, &text)) {
        fprintf(stderr, "twc explain: no message has the code %.40s, and no file this name\n",
                code);
        return REFUSED;
    }
    printf("%s: %s\n\n%s\n", code, title, text);
    if (strcmp(code, "E0104") == 0) print_unit_table();
    return DONE;
}

/* Of a file with several contracts the newest, or the one asked for. */
static int explain_units(const options *o, twc_result *result, void *data)
{
    const twc_explain_form form = *(twc_explain_form *)data;
    int found = 0;
    for (uint32_t i = 0; i < twc_result_unit_count(result); i++) {
        if (!is_wanted(o, result, i)) continue;
        const char *text = twc_result_explain(result, i, form);
        if (text == NULL) {
            fprintf(stderr, "twc: out of memory\n");
            return USAGE;
        }
        printf("%s%s", found++ > 0 ? "\n" : "", text);
    }
    if (found > 0) return DONE;
    fprintf(stderr, "twc explain: there is no contract %s in %s\n", o->contract, o->file);
    return USAGE;
}

static int run_explain(int count, char **arguments)
{
    options o = {.command = "explain"};
    twc_explain_form form = TWC_EXPLAIN_TEXT;
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--svg") == 0) {
            form = TWC_EXPLAIN_SVG;
        } else if (strcmp(arguments[i], "--dot") == 0) {
            form = TWC_EXPLAIN_DOT;
        } else if (strcmp(arguments[i], "--contract") == 0 && i + 1 < count) {
            o.contract = arguments[++i];
        } else if (arguments[i][0] == '-' || o.file != NULL) {
            fprintf(stderr, "twc explain: unexpected argument %s\n", arguments[i]);
            return USAGE;
        } else {
            o.file = arguments[i];
        }
    }
    if (o.file == NULL) {
        fprintf(stderr, "twc explain: give a file, or one code as E0104\n");
        return USAGE;
    }
    if (strchr(o.file, '.') == NULL) return explain_code(o.file);
    return with_compiled(&o, &form, explain_units);
}

static const command commands[] = {
    {"check", "check FILE.twc [--json]", "say what is wrong in a source", run_check},
    {"build", "build FILE.twc [-o FILE.twm] [--contract NAME]", "compile contracts", run_build},
    {"bounds", "bounds FILE.twc [--json]", "show what each entry may cost at most", run_bounds},
    {"abi", "abi FILE.twc", "describe the contract's interface as JSON", run_abi},
    {"export", "export FILE.twc [-o FOLDER] [--contract NAME]",
     "write the DTDL and SenML descriptions that it exports", run_export},
    {"fmt", "fmt [--check] FILE.twc...", "lay sources out in the one way", run_fmt},
    {"verify", "verify FILE.twc HASH", "say whether a module was made of this source", run_verify},
    {"explain", "explain FILE.twc [--svg|--dot] | E0104",
     "tell a contract in sentences, draw its phases; or explain a message", run_explain},
};

static void print_help(FILE *out)
{
    fprintf(out, "twc compiles contracts for digital twins.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        fprintf(out, "  twc %-48s %s\n", commands[i].usage, commands[i].what);
    }
    fprintf(out, "\nExit status: 0 done, 1 the source has errors, 2 wrong usage.\n");
}

int main(int count, char **arguments)
{
    if (count < 2) {
        print_help(stderr);
        return USAGE;
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("twc %s (module format %d, semantics %d)\n", TW_VERSION, TW_MODULE_FORMAT,
               TW_SEMANTICS);
        return DONE;
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
