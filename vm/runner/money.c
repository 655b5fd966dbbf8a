/* money -- see the header. */
#include "vm/runner/money.h"

#include "vm/isa/isa.h"
#include "vm/runner/csv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static_assert(TW_MONEY_TEXT_MAX > 40 + TW_NAME_SIZE_MAX, "sign, 19 digits in groups, name");

const char *tw_money_print(int64_t amount, uint8_t decimals, const char *name,
                           char ret_text[TW_MONEY_TEXT_MAX])
{
    char digits[32];
    const uint64_t whole = amount < 0 ? 0 - (uint64_t)amount : (uint64_t)amount;
    /* at least one digit stands before the point */
    const int size = snprintf(digits, sizeof digits, "%0*" PRIu64, decimals + 1, whole);
    const int integer = size - decimals;
    int to = 0;
    if (amount < 0) ret_text[to++] = '-';
    for (int i = 0; i < size; i++) {
        if (i == integer) ret_text[to++] = '.';
        if (i > 0 && i < integer && (integer - i) % 3 == 0) ret_text[to++] = '_';
        ret_text[to++] = digits[i];
    }
    snprintf(ret_text + to, TW_MONEY_TEXT_MAX - (size_t)to, " %s", name);
    return ret_text;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

size_t tw_money_name_at(tw_bytes text)
{
    size_t at = 0;
    while (at < text.size && (is_digit(text.data[at]) || text.data[at] == '_' ||
                              text.data[at] == '.' || text.data[at] == '-')) {
        at++;
    }
    while (at < text.size && text.data[at] == ' ') at++;
    return at;
}

/* Digits of the integer part, then up to `decimals` of the fraction and zeros for the rest. */
static const char *scan(tw_bytes text, uint8_t decimals, int64_t *ret_amount, size_t *ret_size)
{
    const bool negative = text.size > 0 && text.data[0] == '-';
    size_t at = negative ? 1 : 0;
    int left = -1; /* decimals still to come; below 0 before the point */
    bool any = false;
    int64_t amount = 0;
    for (; at < text.size; at++) {
        const uint8_t c = text.data[at];
        if (c == '_' && any && at + 1 < text.size && is_digit(text.data[at + 1])) continue;
        if (c == '.' && left < 0) {
            left = decimals;
            continue;
        }
        if (!is_digit(c)) break;
        if (left == 0 && c == '0') continue;
        if (left == 0) return "is finer than its smallest unit";
        if (left > 0) left--;
        any = true;
        if (__builtin_mul_overflow(amount, 10, &amount) ||
            __builtin_add_overflow(amount, c - '0', &amount)) {
            return "is more than there can be";
        }
    }
    if (!any) return "is no amount";
    for (int i = left < 0 ? decimals : left; i > 0; i--) {
        if (__builtin_mul_overflow(amount, 10, &amount)) return "is more than there can be";
    }
    *ret_amount = negative ? -amount : amount;
    *ret_size = at;
    return NULL;
}

tw_status tw_money_parse(tw_bytes text, uint8_t decimals, const char *name, int64_t *ret_amount,
                         tw_err *err)
{
    char quote[TW_CSV_QUOTE_MAX], example[TW_MONEY_TEXT_MAX];
    int64_t amount = 0;
    size_t at = 0;
    const char *why = scan(text, decimals, &amount, &at);
    while (why == NULL && at < text.size && text.data[at] == ' ') at++;
    const tw_bytes rest = tw_bytes_of(text.data + at, text.size - at);
    if (why == NULL && rest.size > 0 && !tw_bytes_equal(rest, tw_bytes_of(name, strlen(name)))) {
        why = "is of another money";
    }
    if (why != NULL) {
        int64_t shown = 125;
        for (uint8_t i = 2; i < decimals; i++) shown *= 10;
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s %s; write %s, for example",
                          tw_csv_quote(text, quote), why,
                          tw_money_print(shown, decimals, name, example));
    }
    *ret_amount = amount;
    return TW_OK;
}
