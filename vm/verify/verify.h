/* verify -- proves a decoded module safe, and its worst cases known, before it may run.
 *
 * Called at deploy and by the compiler for its own output; the interpreter relies on it and checks
 * none of it again. After TW_OK: every operand is inside its frame or table, jumps go forward
 * inside their innermost loop body or to its end, loops nest at most 8 deep with a static count,
 * calls go to lower functions, the frame stack has a static size, every entry's declared bounds are
 * those computed from its code, views and conditions touch only what they may. Time and memory are
 * linear in the size of the module; memory comes from `arena` only.
 */
#ifndef TW_VERIFY_VERIFY_H
#define TW_VERIFY_VERIFY_H

#include "vm/isa/module.h"

/* What is known of a function, callees included. */
typedef struct tw_function_facts {
    tw_bounds worst;  /* slots: of its frame stack, callees included */
    uint32_t depth;   /* frames, its own included */
    uint32_t effects; /* union of tw_effect */
} tw_function_facts;

typedef struct tw_facts {
    tw_function_facts *functions;
    tw_bounds *entries;   /* worst case of a run of each entry */
    uint64_t *setup_gas;  /* of each entry: what a run costs beside its instructions */
    uint64_t *intake_gas; /* per reading: the most that taking or refusing one costs */
    tw_bounds handlers;   /* one run of the costliest handler of each alarm and edge */
    tw_bounds pack;       /* a pack without its readings, handlers included */
} tw_facts;

/* Everything but the declared bounds: for the compiler, which has yet to declare them. */
TW_MUST_USE tw_status tw_facts_compute(const tw_module *m, tw_arena *arena, tw_facts **ret_facts,
                                       tw_err *err);

/* The whole proof. TW_REFUSED_MODULE with the place in `err` when there is none. */
TW_MUST_USE tw_status tw_module_verify(const tw_module *m, tw_arena *arena, tw_facts **ret_facts,
                                       tw_err *err);

#endif
