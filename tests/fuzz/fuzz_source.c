/* fuzz_source -- any bytes as a source file through the whole compiler: it always gives a result;
 * without errors each contract and each of its tests has a module that verifies, and compiling
 * again gives the same bytes. A mutator of its own exchanges words and lines so that most inputs
 * still compile. */
#include "compiler/twc.h"
#include "tests/fuzz/check.h"
#include "vm/base/arena.h"
#include "vm/exec/code.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);
/* libFuzzer's own mutator; not there in the program that replays. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max) __attribute__((weak));

static void verifies(tw_bytes module)
{
    tw_code *code = NULL;
    tw_err err;
    check(tw_code_new(module, &code, &err) == TW_OK);
    tw_code_free(code);
}

static void same(const twc_result *a, const twc_result *b)
{
    check(twc_result_unit_count(a) == twc_result_unit_count(b));
    for (uint32_t i = 0; i < twc_result_unit_count(a); i++) {
        const twc_unit *u = twc_result_unit(a, i);
        const twc_unit *v = twc_result_unit(b, i);
        check(tw_bytes_equal(u->module, v->module) && tw_bytes_equal(u->debug, v->debug));
        check(u->test_count == v->test_count);
        verifies(u->module);
        for (uint32_t k = 0; k < u->test_count; k++) {
            check(u->tests[k].module_count == v->tests[k].module_count);
            for (uint32_t n = 0; n < u->tests[k].module_count; n++) {
                check(tw_bytes_equal(u->tests[k].modules[n], v->tests[k].modules[n]));
                verifies(u->tests[k].modules[n]);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    twc_result *a = twc_compile("fuzz.twc", data, size);
    if (a == NULL) return 0;
    check(twc_result_report(a, false) != NULL && twc_result_json(a) != NULL);
    if (twc_result_error_count(a) == 0) {
        twc_result *b = twc_compile("another/name.twc", data, size);
        check(b != NULL);
        same(a, b);
        twc_result_free(b);
    } else {
        check(twc_result_message_count(a) > 0);
    }
    twc_result_free(a);
    return 0;
}

/* ---- a mutator that keeps most sources good ---- */

static uint64_t next(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *seed, size_t limit)
{
    return limit > 0 ? (size_t)(next(seed) % limit) : 0;
}

typedef struct piece {
    size_t at, size;
} piece;

static bool is_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c >= 0x80;
}

/* The word or the sign at or after a random place. */
static piece any_token(uint64_t *seed, const uint8_t *text, size_t size)
{
    size_t at = below(seed, size);
    while (at > 0 && is_word(text[at]) && is_word(text[at - 1])) at--;
    while (at < size && (text[at] == ' ' || text[at] == '\n')) at++;
    piece p = {at, at < size ? 1 : 0};
    while (p.size > 0 && is_word(text[at]) && at + p.size < size && is_word(text[at + p.size])) {
        p.size++;
    }
    return p;
}

static piece any_line(uint64_t *seed, const uint8_t *text, size_t size)
{
    size_t at = below(seed, size);
    size_t end = at;
    while (at > 0 && text[at - 1] != '\n') at--;
    while (end < size && text[end++] != '\n') continue;
    return (piece){at, end - at};
}

/* One piece of the text becomes other bytes; `ret_text` has room for size_max. */
static size_t replace(const uint8_t *text, size_t size, piece old, tw_bytes with, uint8_t *ret_text,
                      size_t size_max)
{
    if (size - old.size + with.size > size_max) return 0;
    const size_t rest = size - old.at - old.size;
    memcpy(ret_text, text, old.at);
    if (with.size > 0) memcpy(ret_text + old.at, with.data, with.size);
    memcpy(ret_text + old.at + with.size, text + old.at + old.size, rest);
    return old.at + with.size + rest;
}

static size_t mutate(uint64_t *seed, const uint8_t *text, size_t size, uint8_t *ret_text,
                     size_t size_max)
{
    static const char *const words[] = {
        "0",       "1",        "-1",   "2",       "9223372036854775807",
        "4096",    "<",        "<=",   "==",      "!=",
        "+",       "-",        "*",    "/",       "mod",
        "and",     "or",       "not",  "none",    "yes",
        "now",     "int",      "bool", "dec",     "time",
        "hash",    "stop",     "?",    "implies", "is",
        "text(9)", "otherwise"};
    const piece token = any_token(seed, text, size);
    const piece line = any_line(seed, text, size);
    const piece other = any_line(seed, text, size);
    const piece donor = any_token(seed, text, size);
    const char *word = words[below(seed, sizeof words / sizeof words[0])];
    switch (below(seed, 6)) {
    case 0: return replace(text, size, token, tw_bytes_of(word, strlen(word)), ret_text, size_max);
    case 1:
    case 2:
        return replace(text, size, token, tw_bytes_of(text + donor.at, donor.size), ret_text,
                       size_max);
    case 3: return replace(text, size, line, (tw_bytes){NULL, 0}, ret_text, size_max);
    case 4:
        return replace(text, size, (piece){other.at, 0}, tw_bytes_of(text + line.at, line.size),
                       ret_text, size_max);
    default:
        return replace(text, size, line, tw_bytes_of(text + other.at, other.size), ret_text,
                       size_max);
    }
}

static bool compiles(const uint8_t *text, size_t size)
{
    twc_result *result = twc_check("fuzz.twc", text, size);
    const bool good = result != NULL && twc_result_error_count(result) == 0;
    twc_result_free(result);
    return good;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed)
{
    uint64_t random = seed;
    uint8_t *made = tw_mem_new(size_max);
    size_t made_size = 0;
    const bool good = size > 0 && below(&random, 8) != 0 && compiles(data, size);
    for (int i = 0; i < 40 && good && made_size == 0; i++) {
        made_size = mutate(&random, data, size, made, size_max);
        if (!compiles(made, made_size)) made_size = 0;
    }
    if (made_size > 0) memcpy(data, made, made_size);
    tw_mem_free(made);
    if (made_size > 0) return made_size;
    return LLVMFuzzerMutate != NULL ? LLVMFuzzerMutate(data, size, size_max) : size;
}
