/* unit -- a checked program to compiled contracts with their debug maps and test plans. For twc.c.
 */
#ifndef TWC_UNIT_H
#define TWC_UNIT_H

#include "compiler/front.h"
#include "compiler/twc.h"

/* One unit a contract, in `arena`. False after an error, which stands in front->diags. */
bool twc_units_make(twc_front *front, tw_arena *arena, twc_unit **ret_units, uint32_t *ret_count);

#endif
