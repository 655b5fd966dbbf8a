/* mutate -- see the header. */
#include "tests/fuzz/mutate.h"

#include "compiler/twc.h"
#include "vm/base/arena.h"

#include <string.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t size_max, unsigned int seed);
/* libFuzzer's own mutator; not there in the program that replays. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max) __attribute__((weak));

enum { TRIES = 40 };

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

/* Lines from a random one on, up to where the braces that open in it are closed. */
static piece any_block(uint64_t *seed, const uint8_t *text, size_t size)
{
    piece p = any_line(seed, text, size);
    int depth = 0;
    size_t end = p.at;
    for (; end < size && (end < p.at + p.size || depth > 0); end++) {
        depth += (text[end] == '{') - (text[end] == '}');
    }
    while (end < size && end > p.at && text[end - 1] != '\n') end++;
    return (piece){p.at, end - p.at};
}

static tw_bytes any_word(uint64_t *seed)
{
    static const char *const words[] = {
#define WORD(spelling, hard, begins) #spelling,
#include "compiler/words.def"
#define BUILTIN(name, spelling, place) spelling,
#include "compiler/builtins.def"
        "0",
        "1",
        "-1",
        "2",
        "9223372036854775807",
        "4096",
        "0.5",
        "1970-01-01T00:00:00Z",
        "<",
        "<=",
        "==",
        "!=",
        "+",
        "-",
        "*",
        "/",
        "?",
        "text(9)",
        "mm",
        "s",
        "%",
        "h",
        "int",
        "bool",
        "dec",
        "time",
        "hash",
        "account",
    };
    const char *word = words[below(seed, sizeof words / sizeof words[0])];
    return tw_bytes_of(word, strlen(word));
}

static tw_bytes bytes_of(const uint8_t *text, piece p)
{
    return tw_bytes_of(text + p.at, p.size);
}

/* Takes what it puts in from `other`, which may be the text itself. */
static size_t mutate(uint64_t *seed, const uint8_t *text, size_t size, tw_bytes other,
                     uint8_t *ret_text, size_t size_max)
{
    const piece token = any_token(seed, text, size);
    const piece line = any_line(seed, text, size);
    const tw_bytes new_token = bytes_of(other.data, any_token(seed, other.data, other.size));
    const tw_bytes new_line = bytes_of(other.data, any_line(seed, other.data, other.size));
    const tw_bytes new_block = bytes_of(other.data, any_block(seed, other.data, other.size));
    const piece here = {line.at, 0};
    switch (below(seed, 9)) {
    case 0:
    case 1: return replace(text, size, token, any_word(seed), ret_text, size_max);
    case 2:
    case 3: return replace(text, size, token, new_token, ret_text, size_max);
    case 4: return replace(text, size, line, (tw_bytes){NULL, 0}, ret_text, size_max);
    case 5: return replace(text, size, here, new_line, ret_text, size_max);
    case 6: return replace(text, size, here, new_block, ret_text, size_max);
    case 7:
        return replace(text, size, any_block(seed, text, size), (tw_bytes){NULL, 0}, ret_text,
                       size_max);
    default: return replace(text, size, line, new_line, ret_text, size_max);
    }
}

bool mutant_checks(const uint8_t *text, size_t size)
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
    const bool good = size > 0 && below(&random, 8) != 0 && mutant_is_good(data, size);
    for (int i = 0; i < TRIES && good && made_size == 0; i++) {
        made_size = mutate(&random, data, size, tw_bytes_of(data, size), made, size_max);
        if (!mutant_is_good(made, made_size)) made_size = 0;
    }
    if (made_size > 0) memcpy(data, made, made_size);
    tw_mem_free(made);
    if (made_size > 0) return made_size;
    return LLVMFuzzerMutate != NULL ? LLVMFuzzerMutate(data, size, size_max) : size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t size_max, unsigned int seed)
{
    uint64_t random = seed;
    size_t size = 0;
    if (a_size == 0 || b_size == 0) return 0;
    for (int i = 0; i < TRIES; i++) {
        size = mutate(&random, a, a_size, tw_bytes_of(b, b_size), out, size_max);
        if (size > 0 && mutant_is_good(out, size)) break;
    }
    return size;
}
