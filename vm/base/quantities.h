/* quantities -- dimensions, units, and decimal text to exact integers and back.
 *
 * The table is quantities.def. The compiler reads literals with it, the runner command lines and
 * CSV columns; both print values with it. Everything is exact: text that is finer than the
 * resolution of its dimension is refused, never rounded.
 */
#ifndef TW_BASE_QUANTITIES_H
#define TW_BASE_QUANTITIES_H

#include "vm/base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum tw_dimension {
    TW_DIM_NONE = 0,
#define DIMENSION(number, name, type, resolution, point) TW_DIM_##name = (number),
#include "vm/base/quantities.def"
    TW_DIM_COUNT
} tw_dimension;

enum { TW_DEC_SCALE = 1000000000, TW_PERCENT_WHOLE = 100000000, TW_TIME_BITS = 52 };

typedef struct tw_unit {
    tw_dimension dimension;
    const char *spelling;
    int64_t multiplier;
    int64_t offset;
    bool display;
} tw_unit;

/* A number as it was written: (-1)^negative * digits / 10^decimals, without trailing zeros. */
typedef struct tw_decimal {
    uint64_t digits;
    uint8_t decimals; /* 0 .. 19 */
    bool negative;
} tw_decimal;

/* "velocity"; static memory. "" for TW_DIM_NONE. */
const char *tw_dim_name(tw_dimension dimension);
const char *tw_dim_resolution(tw_dimension dimension);
bool tw_dim_is_point(tw_dimension dimension);
/* The dimension of a type's name, or TW_DIM_NONE. */
tw_dimension tw_dim_find(tw_bytes name);
/* Of differences of a point: temperature gives temp_diff, time duration; else the same. */
tw_dimension tw_dim_difference(tw_dimension dimension);
/* The unit in which values are shown, or NULL (int, dec, time). */
const tw_unit *tw_dim_unit(tw_dimension dimension);

/* The i-th unit of the table, or NULL behind the last. */
const tw_unit *tw_unit_at(uint32_t index);
/* The unit spelt so (the micro sign may stand for u), or NULL. */
const tw_unit *tw_unit_find(tw_bytes spelling);
/* The longest unit at the start of `text` that ends where a word may end; NULL without one. */
const tw_unit *tw_unit_match(tw_bytes text, uint32_t *ret_size);
/* What a spelling that is no unit was meant to be: another case of letters, or its name in words;
 * NULL when the table does not know. */
const char *tw_unit_meant(tw_bytes spelling);
/* Why a unit is refused and what to write instead; false when the table does not know it. */
bool tw_unit_refused(tw_bytes spelling, const char **ret_why, const char **ret_instead);

/* left * right, in either order, by the table of products. */
bool tw_dim_product(tw_dimension left, tw_dimension right, tw_dimension *ret_result,
                    int64_t *ret_divisor);
/* left / right = left * scale / right, by the inverses of the table of products. */
bool tw_dim_quotient(tw_dimension left, tw_dimension right, tw_dimension *ret_result,
                     int64_t *ret_scale);

/* Digits with an optional sign, one point and `_` between digits; all of `text`. False when it is
 * no number or has more digits than fit. */
bool tw_decimal_parse(tw_bytes text, tw_decimal *ret_number);
/* number * multiplier + offset; TW_REFUSED_ARGUMENT when finer than 1 of the resolution,
 * TW_TRAP_OVERFLOW when it does not fit. */
TW_MUST_USE tw_status tw_decimal_scale(tw_decimal number, int64_t multiplier, int64_t offset,
                                       int64_t *ret_value);
/* "7.1 mm/s" (or "85" for int, "0.5" for dec) as a value of the dimension. A text without a unit
 * is taken in `unit` when that is not NULL. Not for time. TW_REFUSED_ARGUMENT when it isn't one. */
TW_MUST_USE tw_status tw_quantity_parse(tw_bytes text, tw_dimension dimension, const tw_unit *unit,
                                        int64_t *ret_value);

enum { TW_QUANTITY_TEXT_MAX = 48 };
/* The value in the unit shown, exact: "7.1 mm/s", "85 °C", "0.5"; durations in their largest whole
 * unit ("72 h"); time as "2026-01-01T00:00:00Z" (".250" before the Z when there are ms). */
void tw_quantity_print(int64_t value, tw_dimension dimension, char ret_text[TW_QUANTITY_TEXT_MAX]);
/* value / 10^decimals, exact, without trailing zeros. */
void tw_decimal_print(int64_t value, uint32_t decimals, char ret_text[TW_QUANTITY_TEXT_MAX]);

#endif
