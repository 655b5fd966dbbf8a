/* number -- decimal text as people and loggers write it, to exact integers of a dimension.
 *
 * Called for cells of CSV files, parameters and arguments. Beyond what source text allows it
 * takes exponents ("1.5e-3") and, when asked, a decimal comma and one rounding: a number finer than
 * the resolution is refused unless the person says `--round`.
 */
#ifndef TW_RUNNER_NUMBER_H
#define TW_RUNNER_NUMBER_H

#include "vm/base/quantities.h"

typedef struct tw_number_style {
    bool round; /* half to even, once, to the resolution */
    bool comma; /* 21,5 is 21.5 */
} tw_number_style;

/* `text` in `unit`, or carrying its own unit behind it; int and dec need none, other dimensions
 * do. Not for time. TW_REFUSED_ARGUMENT with a sentence that quotes the text otherwise. */
TW_MUST_USE tw_status tw_number_read(tw_bytes text, tw_dimension dimension, const tw_unit *unit,
                                     tw_number_style style, int64_t *ret_value, tw_err *err);

/* "um/s, mm/s, m/s": the units of a dimension; "" when it has none. */
enum { TW_NUMBER_UNITS_MAX = 120 };
const char *tw_number_units(tw_dimension dimension, char ret_text[TW_NUMBER_UNITS_MAX]);

#endif
