/* money -- amounts as people write them: "12_375.00 EUR", always with all decimals.
 *
 * Called wherever the runner shows or reads an amount of an asset. Exact: what is finer than the
 * smallest unit is refused, never rounded.
 */
#ifndef TW_RUNNER_MONEY_H
#define TW_RUNNER_MONEY_H

#include "vm/base/bytes.h"

enum { TW_MONEY_TEXT_MAX = 128 };

/* Digits in groups of three, all `decimals`, then the name. */
const char *tw_money_print(int64_t amount, uint8_t decimals, const char *name,
                           char ret_text[TW_MONEY_TEXT_MAX]);

/* "12_500.00 EUR", "12500" or "0.5": the name may be left out, but must be `name` when it is there.
 * TW_REFUSED_ARGUMENT with a sentence that quotes the text otherwise. */
TW_MUST_USE tw_status tw_money_parse(tw_bytes text, uint8_t decimals, const char *name,
                                     int64_t *ret_amount, tw_err *err);

/* Where the name begins in such a text: its size when there is none. */
size_t tw_money_name_at(tw_bytes text);

#endif
