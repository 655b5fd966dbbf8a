/* interface -- what others need to know of a compiled contract: costs and interface. For twc.c. */
#ifndef TWC_INTERFACE_H
#define TWC_INTERFACE_H

#include "compiler/ast.h"
#include "compiler/twc.h"

/* Append text; scratch memory from `arena`. False without memory. */
bool twc_bounds_write(const twc_unit *unit, bool json, tw_arena *arena, tw_writer *w);
bool twc_abi_write(const twc_unit *unit, const twc_contract *contract, tw_arena *arena,
                   tw_writer *w);

#endif
