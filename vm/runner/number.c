/* number -- see the header. 25 digits times the largest unit stay below 2^127, so nothing here
 * can overflow before it is checked. */
#include "vm/runner/number.h"

#include "vm/base/math.h"
#include "vm/runner/csv.h"

#include <stdio.h>
#include <string.h>

enum { DIGITS_MAX = 25, DECIMALS_MAX = 37, EXPONENT_MAX = 99 };

/* (-1)^negative * digits / 10^decimals; decimals may be below 0. */
typedef struct scanned {
    tw_uint128 digits;
    int32_t digit_count, decimals;
    bool negative;
} scanned;

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* False over DIGITS_MAX significant digits. Zeros at the end of a fraction do not count: they wait
 * in *zeros until a digit follows. */
static bool scan_digits(tw_bytes text, size_t *at, bool fraction, scanned *s)
{
    int32_t zeros = 0;
    for (; *at < text.size; (*at)++) {
        const uint8_t c = text.data[*at];
        if (c == '_' && *at > 0 && is_digit(text.data[*at - 1]) && *at + 1 < text.size &&
            is_digit(text.data[*at + 1])) {
            continue;
        }
        if (!is_digit(c)) break;
        if (fraction && c == '0') {
            zeros++;
            continue;
        }
        for (int32_t i = 0; i <= zeros; i++) {
            if (s->digits > 0 || (i == zeros && c != '0')) s->digit_count++;
            if (s->digit_count > DIGITS_MAX) return false;
            s->digits = s->digits * 10 + (i == zeros ? (uint32_t)(c - '0') : 0);
        }
        if (fraction) s->decimals += zeros + 1;
        zeros = 0;
    }
    return true;
}

static bool scan_exponent(tw_bytes text, size_t *at, scanned *s)
{
    size_t i = *at;
    if (i >= text.size || (text.data[i] != 'e' && text.data[i] != 'E')) return true;
    i++;
    const bool negative = i < text.size && text.data[i] == '-';
    if (i < text.size && (text.data[i] == '-' || text.data[i] == '+')) i++;
    if (i >= text.size || !is_digit(text.data[i])) return true; /* no exponent: a unit */
    int32_t exponent = 0;
    for (; i < text.size && is_digit(text.data[i]); i++) {
        exponent = exponent * 10 + (text.data[i] - '0');
        if (exponent > EXPONENT_MAX) return false;
    }
    s->decimals += negative ? exponent : -exponent;
    *at = i;
    return true;
}

static const char *scan(tw_bytes text, bool comma, size_t *ret_size, scanned *ret_number)
{
    scanned s = {0};
    size_t at = 0;
    if (at < text.size && (text.data[at] == '-' || text.data[at] == '+')) {
        s.negative = text.data[at++] == '-';
    }
    const size_t start = at;
    if (at >= text.size || !(is_digit(text.data[at]) || text.data[at] == '.')) {
        return "is no number";
    }
    if (!scan_digits(text, &at, false, &s)) return "has more than 25 digits";
    size_t digits = at - start;
    if (at < text.size && text.data[at] == (comma ? ',' : '.')) {
        const size_t point = at++;
        if (!scan_digits(text, &at, true, &s)) return "has more than 25 digits";
        digits += at - point - 1;
    }
    if (digits == 0) return "is no number";
    if (!scan_exponent(text, &at, &s)) return "has an exponent over 99";
    *ret_size = at;
    *ret_number = s;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *scale(scanned s, const tw_unit *unit, int64_t dec_scale, bool round,
                         int64_t *ret_value)
{
    const int64_t multiplier = unit != NULL ? unit->multiplier : dec_scale;
    tw_uint128 value = s.digits * (uint64_t)multiplier;
    for (; s.decimals < 0 && value != 0; s.decimals++) {
        if (value > (tw_uint128)UINT64_MAX * UINT32_MAX) return "does not fit 64 bits";
        value *= 10;
    }
    if (s.decimals > DECIMALS_MAX) {
        if (value != 0 && !round) return "finer";
        value = 0;
        s.decimals = 0;
    }
    tw_uint128 divisor = 1;
    for (int32_t i = 0; i < s.decimals; i++) divisor *= 10;
    const tw_uint128 rest = value % divisor;
    value /= divisor;
    if (rest != 0 && !round) return "finer";
    if (rest > divisor - rest || (rest == divisor - rest && value % 2 == 1)) value++;
    if (value > (tw_uint128)INT64_MAX) return "does not fit 64 bits";
    tw_int128 result = s.negative ? -(tw_int128)value : (tw_int128)value;
    if (unit != NULL) result += unit->offset;
    if (result > INT64_MAX || result < INT64_MIN) return "does not fit 64 bits";
    *ret_value = (int64_t)result;
    return NULL;
}

const char *tw_number_units(tw_dimension dimension, char ret_text[TW_NUMBER_UNITS_MAX])
{
    size_t size = 0;
    ret_text[0] = '\0';
    for (uint32_t i = 0; tw_unit_at(i) != NULL; i++) {
        const tw_unit *unit = tw_unit_at(i);
        if (unit->dimension != dimension) continue;
        if (size + strlen(unit->spelling) + 3 > TW_NUMBER_UNITS_MAX) break;
        size += (size_t)snprintf(ret_text + size, TW_NUMBER_UNITS_MAX - size, "%s%s",
                                 size > 0 ? ", " : "", unit->spelling);
    }
    return ret_text;
}

static tw_status refuse_unit(const char *quote, tw_bytes spelling, tw_dimension dimension,
                             tw_err *err)
{
    char units[TW_NUMBER_UNITS_MAX];
    const char *why = NULL;
    const char *instead = NULL;
    tw_number_units(dimension, units);
    const tw_unit *unit = tw_unit_find(spelling);
    if (unit != NULL) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is a %s; a %s is wanted%s%s", quote,
                          tw_dim_name(unit->dimension), tw_dim_name(dimension),
                          units[0] != '\0' ? ", in one of: " : ", without a unit", units);
    }
    if (tw_unit_refused(spelling, &why, &instead)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s: %s; write it in %s", quote, why, instead);
    }
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is no number%s%s", quote,
                      units[0] != '\0' ? " with one of the units " : "", units);
}

tw_status tw_number_read(tw_bytes text, tw_dimension dimension, const tw_unit *unit,
                         tw_number_style style, int64_t *ret_value, tw_err *err)
{
    char quoted[TW_CSV_QUOTE_MAX];
    const char *quote = tw_csv_quote(text, quoted);
    scanned s = {0};
    size_t size = 0;
    if (text.size == 0) return tw_err_set(err, TW_REFUSED_ARGUMENT, "the value is empty");
    const char *why = scan(text, style.comma, &size, &s);
    if (why != NULL) return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s %s", quote, why);
    while (size < text.size && text.data[size] == ' ') size++;
    if (size < text.size) {
        const tw_bytes spelling = tw_bytes_of(text.data + size, text.size - size);
        unit = tw_unit_find(spelling);
        if (unit == NULL || unit->dimension != dimension) {
            return refuse_unit(quote, spelling, dimension, err);
        }
    } else if (unit == NULL && dimension != TW_DIM_INT && dimension != TW_DIM_DEC) {
        char units[TW_NUMBER_UNITS_MAX];
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s has no unit; a %s is written in one of: %s",
                          quote, tw_dim_name(dimension), tw_number_units(dimension, units));
    }
    why = scale(s, unit, dimension == TW_DIM_DEC ? TW_DEC_SCALE : 1, style.round, ret_value);
    if (why == NULL) return TW_OK;
    if (strcmp(why, "finer") != 0) return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s %s", quote, why);
    return tw_err_set(err, TW_REFUSED_ARGUMENT,
                      "%s is finer than the resolution of %s, which is %s", quote,
                      tw_dim_name(dimension), tw_dim_resolution(dimension));
}
