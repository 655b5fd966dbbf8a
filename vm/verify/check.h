/* check -- the parts of the structure check, for verify.c alone. */
#ifndef TW_VERIFY_CHECK_H
#define TW_VERIFY_CHECK_H

#include "vm/isa/module.h"

/* Declarations: indexes, ranges, limits, what belongs together. */
TW_MUST_USE tw_status tw_check_declarations(const tw_module *m, tw_err *err);

/* The part of it that says what the state is: money, fields, purses, upgrade. */
TW_MUST_USE tw_status tw_check_state(const tw_module *m, tw_err *err);

/* Code of function `index`: operands, jumps, loops, calls, the last instruction. Sets
 * `ret_targets` for each of its instructions: not 0 where a jump goes. */
TW_MUST_USE tw_status tw_check_code(const tw_module *m, uint16_t index, uint32_t *ret_targets,
                                    tw_err *err);

#endif
