/* args -- see the header. */
#include "vm/runner/args.h"

#include <string.h>

uint32_t tw_args_distance(const char *a, const char *b)
{
    enum { SIZE_MAX_ = 40 };
    const size_t a_size = strlen(a), b_size = strlen(b);
    uint32_t row[SIZE_MAX_ + 1];
    if (a_size > SIZE_MAX_ || b_size > SIZE_MAX_) return UINT32_MAX;
    for (size_t j = 0; j <= b_size; j++) row[j] = (uint32_t)j;
    for (size_t i = 1; i <= a_size; i++) {
        uint32_t diagonal = row[0];
        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= b_size; j++) {
            const uint32_t change = diagonal + (a[i - 1] != b[j - 1]);
            const uint32_t add = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = change < add ? change : add;
        }
    }
    return row[b_size];
}

static const tw_option *find_in(const tw_option *options, const char *name, size_t size,
                                char letter)
{
    for (const tw_option *o = options; o != NULL && o->name != NULL; o++) {
        if (letter != 0 ? o->letter == letter
                        : strlen(o->name) == size && strncmp(o->name, name, size) == 0) {
            return o;
        }
    }
    return NULL;
}

static const tw_option *find(const tw_args *args, const tw_option *common, const char *name,
                             size_t size, char letter)
{
    const tw_option *option = find_in(args->command->options, name, size, letter);
    return option != NULL ? option : find_in(common, name, size, letter);
}

static tw_status refuse_unknown(const tw_args *args, const tw_option *common, const char *text,
                                tw_err *err)
{
    const tw_option *tables[] = {args->command->options, common};
    const char *best = NULL;
    uint32_t best_distance = 4;
    const char *name = text + strspn(text, "-");
    for (size_t i = 0; i < 2; i++) {
        for (const tw_option *o = tables[i]; o != NULL && o->name != NULL; o++) {
            const uint32_t distance = tw_args_distance(name, o->name);
            if (distance >= best_distance) continue;
            best = o->name;
            best_distance = distance;
        }
    }
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%.60s is no option of %s%s%s%s", text,
                      args->command->name, best != NULL ? "; did you mean --" : "; see --help",
                      best != NULL ? best : "", best != NULL ? "?" : "");
}

static tw_status give(tw_args *args, const tw_option *option, const char *value, tw_err *err)
{
    if (!option->many && option->value != NULL && tw_args_has(args, option->name)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "--%s is given twice", option->name);
    }
    if (args->given_count == TW_ARGS_MAX) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "more than %d options", TW_ARGS_MAX);
    }
    args->given[args->given_count].name = option->name;
    args->given[args->given_count++].value = value;
    return TW_OK;
}

/* One option at texts[*at]; moves *at to its last text. */
static tw_status parse_option(tw_args *args, const tw_option *common, int count, char *const *texts,
                              int *at, tw_err *err)
{
    const char *text = texts[*at];
    const bool is_long = text[1] == '-';
    const char *name = text + (is_long ? 2 : 1);
    const char *equals = is_long ? strchr(name, '=') : NULL;
    const size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const tw_option *option = find(args, common, name, size, is_long ? 0 : name[0]);
    if (option == NULL) return refuse_unknown(args, common, text, err);
    if (option->value == NULL) {
        if (equals != NULL || (!is_long && name[1] != '\0')) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "--%s takes no value", option->name);
        }
        return give(args, option, "", err);
    }
    if (equals != NULL) return give(args, option, equals + 1, err);
    if (!is_long && name[1] != '\0') return give(args, option, name + 1, err);
    if (*at + 1 >= count) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "--%s needs a value: %s", option->name,
                          option->value);
    }
    return give(args, option, texts[++*at], err);
}

tw_status tw_args_parse(tw_args *args, const tw_option *common, int count, char *const *texts,
                        tw_err *err)
{
    bool words_only = false;
    for (int i = 0; i < count; i++) {
        if (!words_only && strcmp(texts[i], "--") == 0) {
            words_only = true;
        } else if (!words_only && texts[i][0] == '-' && texts[i][1] != '\0') {
            TW_TRY(parse_option(args, common, count, texts, &i, err));
        } else if (args->word_count == TW_ARGS_MAX) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "more than %d arguments", TW_ARGS_MAX);
        } else {
            args->words[args->word_count++] = texts[i];
        }
    }
    args->help = tw_args_has(args, "help");
    const tw_command *c = args->command;
    if (args->help) return TW_OK;
    if (args->word_count < c->words_min) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "something is missing; it is: twvm %s%s %s",
                          c->needs_ledger ? "-d DIR " : "", c->name, c->words);
    }
    if (args->word_count > c->words_max) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%.60s is too much; it is: twvm %s%s %s",
                          args->words[c->words_max], c->needs_ledger ? "-d DIR " : "", c->name,
                          c->words);
    }
    if (c->needs_ledger && !tw_args_has(args, "dir")) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "say which ledger: twvm -d DIR %s ...; twvm init DIR makes one", c->name);
    }
    return TW_OK;
}

bool tw_args_has(const tw_args *args, const char *name)
{
    return tw_args_get(args, name, NULL) != NULL;
}

const char *tw_args_get(const tw_args *args, const char *name, const char *otherwise)
{
    const char *value = otherwise;
    for (uint32_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].name, name) == 0) value = args->given[i].value;
    }
    return value;
}

const char *tw_args_each(const tw_args *args, const char *name, uint32_t index)
{
    for (uint32_t i = 0; i < args->given_count; i++) {
        if (strcmp(args->given[i].name, name) == 0 && index-- == 0) return args->given[i].value;
    }
    return NULL;
}

bool tw_args_number(const tw_args *args, const char *name, uint64_t low, uint64_t high,
                    uint64_t *ret_number, tw_err *err)
{
    const char *text = tw_args_get(args, name, NULL);
    if (text == NULL) return true;
    uint64_t number = 0;
    bool fine = text[0] != '\0';
    for (const char *t = text; *t != '\0' && fine; t++) {
        fine = *t >= '0' && *t <= '9' && !__builtin_mul_overflow(number, (uint64_t)10, &number) &&
               !__builtin_add_overflow(number, (uint64_t)(*t - '0'), &number);
    }
    if (!fine || number < low || number > high) {
        tw_err_set(err, TW_REFUSED_ARGUMENT, "--%s takes a whole number from %llu to %llu", name,
                   (unsigned long long)low, (unsigned long long)high);
        return false;
    }
    *ret_number = number;
    return true;
}

static void print_options(const tw_option *options, FILE *to)
{
    for (const tw_option *o = options; o != NULL && o->name != NULL; o++) {
        char left[64];
        snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter != 0 ? '-' : ' ',
                 o->letter != 0 ? o->letter : ' ', o->letter != 0 ? ", " : "  ", o->name,
                 o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
        fprintf(to, "  %-30s ", left);
        if (strlen(left) > 30) fprintf(to, "\n%33s", "");
        for (const char *h = o->help; *h != '\0'; h++) {
            fputc(*h, to);
            if (*h == '\n') fprintf(to, "%33s", "");
        }
        fputc('\n', to);
    }
}

void tw_args_print_help(const tw_command *command, const tw_option *common, FILE *to)
{
    fprintf(to, "usage: twvm %s%s %s\n\n%s\n\n", command->needs_ledger ? "-d DIR " : "",
            command->name, command->words, command->summary);
    print_options(command->options, to);
    print_options(common, to);
    if (command->help != NULL) fprintf(to, "\n%s\n", command->help);
}
