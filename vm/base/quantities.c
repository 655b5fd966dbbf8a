/* quantities -- see the header. Linear searches over the tables: they are short, and nothing here
 * runs inside a contract. */
#include "vm/base/quantities.h"

#include "vm/base/math.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef struct dimension_row {
    const char *name;
    const char *resolution;
    bool point;
} dimension_row;

static const dimension_row dimensions[TW_DIM_COUNT] = {
    [TW_DIM_NONE] = {"", "", false},
#define DIMENSION(number, name, type, resolution, point)                                           \
    [TW_DIM_##name] = {type, resolution, point},
#include "vm/base/quantities.def"
};

static const tw_unit units[] = {
#define UNIT(dimension, spelling, multiplier, offset, display)                                     \
    {TW_DIM_##dimension, spelling, multiplier, offset, display},
#include "vm/base/quantities.def"
};

typedef struct product_row {
    tw_dimension left, right, result;
    int64_t divisor;
} product_row;

static const product_row products[] = {
#define PRODUCT(left, right, result, divisor)                                                      \
    {TW_DIM_##left, TW_DIM_##right, TW_DIM_##result, divisor},
#include "vm/base/quantities.def"
};

typedef struct refused_row {
    const char *spelling, *why, *instead;
} refused_row;

static const refused_row refused[] = {
#define REFUSED_UNIT(spelling, why, instead) {spelling, why, instead},
#include "vm/base/quantities.def"
};

enum {
    UNIT_COUNT = sizeof units / sizeof units[0],
    PRODUCT_COUNT = sizeof products / sizeof products[0],
    REFUSED_COUNT = sizeof refused / sizeof refused[0],
};

const char *tw_dim_name(tw_dimension dimension)
{
    return (unsigned)dimension < TW_DIM_COUNT ? dimensions[dimension].name : "";
}

const char *tw_dim_resolution(tw_dimension dimension)
{
    return (unsigned)dimension < TW_DIM_COUNT ? dimensions[dimension].resolution : "";
}

bool tw_dim_is_point(tw_dimension dimension)
{
    return (unsigned)dimension < TW_DIM_COUNT && dimensions[dimension].point;
}

tw_dimension tw_dim_find(tw_bytes name)
{
    for (int i = 1; i < TW_DIM_COUNT; i++) {
        const char *text = dimensions[i].name;
        if (tw_bytes_equal(name, tw_bytes_of(text, strlen(text)))) return (tw_dimension)i;
    }
    return TW_DIM_NONE;
}

tw_dimension tw_dim_difference(tw_dimension dimension)
{
    if (dimension == TW_DIM_TEMPERATURE) return TW_DIM_TEMP_DIFF;
    return dimension == TW_DIM_TIME ? TW_DIM_DURATION : dimension;
}

const tw_unit *tw_dim_unit(tw_dimension dimension)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (units[i].dimension == dimension && units[i].display) return &units[i];
    }
    return NULL;
}

const tw_unit *tw_unit_at(uint32_t index)
{
    return index < UNIT_COUNT ? &units[index] : NULL;
}

/* Bytes of `text` that spell `spelling` at its start, or 0. U+00B5 and U+03BC stand for u. */
static size_t spelled(tw_bytes text, const char *spelling)
{
    size_t at = 0;
    for (const char *s = spelling; *s != '\0'; s++) {
        if (at >= text.size) return 0;
        if (text.data[at] == (uint8_t)*s) {
            at++;
        } else if (*s == 'u' && text.size - at >= 2 &&
                   (memcmp(text.data + at, "\xC2\xB5", 2) == 0 ||
                    memcmp(text.data + at, "\xCE\xBC", 2) == 0)) {
            at += 2;
        } else {
            return 0;
        }
    }
    return at;
}

const tw_unit *tw_unit_find(tw_bytes spelling)
{
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (spelling.size > 0 && spelled(spelling, units[i].spelling) == spelling.size) {
            return &units[i];
        }
    }
    return NULL;
}

static bool continues_word(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '%' || c >= 0x80;
}

const tw_unit *tw_unit_match(tw_bytes text, uint32_t *ret_size)
{
    const tw_unit *best = NULL;
    size_t best_size = 0;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        const size_t size = spelled(text, units[i].spelling);
        if (size <= best_size) continue;
        if (size < text.size && continues_word(text.data[size])) continue;
        best = &units[i];
        best_size = size;
    }
    if (best != NULL) *ret_size = (uint32_t)best_size;
    return best;
}

bool tw_unit_refused(tw_bytes spelling, const char **ret_why, const char **ret_instead)
{
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        const char *text = refused[i].spelling;
        if (!tw_bytes_equal(spelling, tw_bytes_of(text, strlen(text)))) continue;
        *ret_why = refused[i].why;
        *ret_instead = refused[i].instead;
        return true;
    }
    return false;
}

static bool is_same_word(tw_bytes spelling, const char *word)
{
    size_t i = 0;
    for (; i < spelling.size && word[i] != '\0'; i++) {
        uint8_t c = spelling.data[i];
        uint8_t d = (uint8_t)word[i];
        if (c >= 'A' && c <= 'Z') c = (uint8_t)(c - 'A' + 'a');
        if (d >= 'A' && d <= 'Z') d = (uint8_t)(d - 'A' + 'a');
        if (c != d) return false;
    }
    return i == spelling.size && word[i] == '\0';
}

const char *tw_unit_meant(tw_bytes spelling)
{
    static const char *const meant[][2] = {
#define MEANT_UNIT(spelling, unit) {spelling, unit},
#include "vm/base/quantities.def"
    };
    for (size_t i = 0; i < sizeof meant / sizeof meant[0]; i++) {
        if (is_same_word(spelling, meant[i][0])) return meant[i][1];
    }
    for (uint32_t i = 0; tw_unit_at(i) != NULL; i++) {
        if (is_same_word(spelling, tw_unit_at(i)->spelling)) return tw_unit_at(i)->spelling;
    }
    return NULL;
}

bool tw_dim_product(tw_dimension left, tw_dimension right, tw_dimension *ret_result,
                    int64_t *ret_divisor)
{
    for (size_t i = 0; i < PRODUCT_COUNT; i++) {
        const product_row *p = &products[i];
        if ((p->left != left || p->right != right) && (p->left != right || p->right != left)) {
            continue;
        }
        *ret_result = p->result;
        *ret_divisor = p->divisor;
        return true;
    }
    return false;
}

bool tw_dim_quotient(tw_dimension left, tw_dimension right, tw_dimension *ret_result,
                     int64_t *ret_scale)
{
    for (size_t i = 0; i < PRODUCT_COUNT; i++) {
        const product_row *p = &products[i];
        if (p->result != left || (p->left != right && p->right != right)) continue;
        *ret_result = p->left == right ? p->right : p->left;
        *ret_scale = p->divisor;
        return true;
    }
    return false;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* One digit more, false when it does not fit. */
static bool add_digit(tw_decimal *number, uint8_t c)
{
    uint64_t next = 0;
    if (__builtin_mul_overflow(number->digits, (uint64_t)10, &next)) return false;
    return !__builtin_add_overflow(next, (uint64_t)(c - '0'), &number->digits);
}

/* Digits from *at on, with `_` between digits. Zeros of the fraction wait until a digit that is
 * none follows, so that 1.000000000000000000000 is 1. */
static bool parse_digits(tw_bytes text, size_t *at, bool fraction, tw_decimal *number)
{
    if (*at >= text.size || !is_digit(text.data[*at])) return false;
    uint32_t zeros = 0;
    while (*at < text.size) {
        const uint8_t c = text.data[*at];
        if (c == '_') {
            if (*at + 1 >= text.size || !is_digit(text.data[*at + 1])) return false;
        } else if (!is_digit(c)) {
            break;
        } else if (fraction && c == '0') {
            zeros++;
        } else {
            for (; zeros > 0; zeros--) {
                if (!add_digit(number, '0') || number->decimals++ >= 19) return false;
            }
            if (!add_digit(number, c)) return false;
            if (fraction && number->decimals++ >= 19) return false;
        }
        (*at)++;
    }
    return true;
}

bool tw_decimal_parse(tw_bytes text, tw_decimal *ret_number)
{
    tw_decimal number = {0};
    size_t at = 0;
    if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        number.negative = text.data[0] == '-';
        at = 1;
    }
    if (!parse_digits(text, &at, false, &number)) return false;
    if (at < text.size && text.data[at] == '.') {
        at++;
        if (!parse_digits(text, &at, true, &number)) return false;
    }
    if (at != text.size) return false;
    *ret_number = number;
    return true;
}

tw_status tw_decimal_scale(tw_decimal number, int64_t multiplier, int64_t offset,
                           int64_t *ret_value)
{
    /* below 2^64 * 2^42, so 128 bits hold it */
    tw_int128 value = (tw_int128)number.digits * multiplier;
    tw_int128 divisor = 1;
    for (uint32_t i = 0; i < number.decimals; i++) divisor *= 10;
    if (value % divisor != 0) return TW_REFUSED_ARGUMENT;
    value /= divisor;
    if (number.negative) value = -value;
    value += offset;
    if (value > INT64_MAX || value < INT64_MIN) return TW_TRAP_OVERFLOW;
    *ret_value = (int64_t)value;
    return TW_OK;
}

tw_status tw_quantity_parse(tw_bytes text, tw_dimension dimension, const tw_unit *unit,
                            int64_t *ret_value)
{
    size_t size = 0;
    while (size < text.size && (is_digit(text.data[size]) || strchr("+-._", text.data[size]))) {
        size++;
    }
    tw_decimal number;
    if (!tw_decimal_parse(tw_bytes_of(text.data, size), &number)) return TW_REFUSED_ARGUMENT;
    while (size < text.size && text.data[size] == ' ') size++;
    if (size < text.size) {
        unit = tw_unit_find(tw_bytes_of(text.data + size, text.size - size));
        if (unit == NULL) return TW_REFUSED_ARGUMENT;
    }
    if (unit != NULL) {
        if (unit->dimension != dimension) return TW_REFUSED_ARGUMENT;
        return tw_decimal_scale(number, unit->multiplier, unit->offset, ret_value);
    }
    if (dimension != TW_DIM_INT && dimension != TW_DIM_DEC) return TW_REFUSED_ARGUMENT;
    return tw_decimal_scale(number, dimension == TW_DIM_DEC ? TW_DEC_SCALE : 1, 0, ret_value);
}

static void print_scaled(tw_int128 value, uint64_t scale, char *text, size_t size)
{
    const bool negative = value < 0;
    const tw_uint128 whole = (tw_uint128)(negative ? -value : value);
    uint64_t rest = (uint64_t)(whole % scale);
    int count = snprintf(text, size, "%s%llu", negative ? "-" : "",
                         (unsigned long long)(uint64_t)(whole / scale));
    if (rest == 0) return;
    text[count++] = '.';
    while (rest != 0 && (size_t)count + 1 < size) {
        /* the scales are products of 2 and 5 up to 10^12 or such times 36, so this ends exactly or
         * is one that does not end: hours and watt hours, cut where the text is full */
        const tw_uint128 ten = (tw_uint128)rest * 10;
        text[count++] = (char)('0' + (int)(ten / scale));
        rest = (uint64_t)(ten % scale);
    }
    text[count] = '\0';
}

void tw_decimal_print(int64_t value, uint32_t decimals, char ret_text[TW_QUANTITY_TEXT_MAX])
{
    assert(decimals <= 18);
    uint64_t scale = 1;
    for (uint32_t i = 0; i < decimals; i++) scale *= 10;
    print_scaled(value, scale, ret_text, TW_QUANTITY_TEXT_MAX);
}

/* Days since 1970-01-01 to a date (Howard Hinnant's algorithm); days in [0, 2^52 / 86400000). */
static void print_time(int64_t value, char *text)
{
    if (value < 0 || value >= (int64_t)1 << TW_TIME_BITS) {
        snprintf(text, TW_QUANTITY_TEXT_MAX, "%lld ms", (long long)value);
        return;
    }
    const int64_t days = value / 86400000 + 719468;
    const int64_t era = days / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted = (5 * day_of_year + 2) / 153;
    const int64_t month = shifted < 10 ? shifted + 3 : shifted - 9;
    const int64_t year = year_of_era + era * 400 + (month <= 2);
    const int64_t ms = value % 86400000;
    int at = snprintf(
        text, TW_QUANTITY_TEXT_MAX, "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld", (long long)year,
        (long long)month, (long long)(day_of_year - (153 * shifted + 2) / 5 + 1),
        (long long)(ms / 3600000), (long long)(ms / 60000 % 60), (long long)(ms / 1000 % 60));
    if (ms % 1000 != 0) {
        at += snprintf(text + at, TW_QUANTITY_TEXT_MAX - (size_t)at, ".%03lld",
                       (long long)(ms % 1000));
    }
    snprintf(text + at, TW_QUANTITY_TEXT_MAX - (size_t)at, "Z");
}

static const tw_unit *shown_unit(int64_t value, tw_dimension dimension)
{
    if (dimension == TW_DIM_DURATION && value != 0) {
        static const char *const spellings[] = {"days", "h", "min", "s", "ms"};
        for (size_t i = 0; i < 5; i++) {
            const tw_unit *unit = tw_unit_find(tw_bytes_of(spellings[i], strlen(spellings[i])));
            /* 72 h reads better than 3 days where an author wrote it so: days from a week on */
            const int64_t size_min = i == 0 ? 7 * unit->multiplier : 0;
            const int64_t size = value < 0 && value > INT64_MIN ? -value : value;
            if (value % unit->multiplier == 0 && size >= size_min) return unit;
        }
    }
    if (dimension == TW_DIM_ENERGY && value % 9 != 0) {
        return tw_unit_find(tw_bytes_of("J", 1)); /* a decimal fraction of kWh would not end */
    }
    return tw_dim_unit(dimension);
}

void tw_quantity_print(int64_t value, tw_dimension dimension, char ret_text[TW_QUANTITY_TEXT_MAX])
{
    if (dimension == TW_DIM_TIME) {
        print_time(value, ret_text);
        return;
    }
    if (dimension == TW_DIM_INT || dimension == TW_DIM_DEC) {
        tw_decimal_print(value, dimension == TW_DIM_DEC ? 9 : 0, ret_text);
        return;
    }
    const tw_unit *unit = shown_unit(value, dimension);
    if (unit == NULL) {
        snprintf(ret_text, TW_QUANTITY_TEXT_MAX, "%lld", (long long)value);
        return;
    }
    print_scaled((tw_int128)value - unit->offset, (uint64_t)unit->multiplier, ret_text,
                 TW_QUANTITY_TEXT_MAX - 8);
    const size_t size = strlen(ret_text);
    snprintf(ret_text + size, TW_QUANTITY_TEXT_MAX - size, " %s", unit->spelling);
}
