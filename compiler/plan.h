/* plan -- the tests of a contract as steps for a runner (twc.h), each with its own module.
 *
 * Called by unit.c when the contract's module is made. Whatever of a test is not a constant becomes
 * a view appended to the contract's declarations and code, and is taken away again before the next
 * test, so every test's module begins as the contract's does. A test with more formulas than a
 * module has room for gets several modules.
 */
#ifndef TWC_PLAN_H
#define TWC_PLAN_H

#include "compiler/gen.h"

/* False after an error that was reported. */
bool twc_plan_tests(twc_gen *g, const twc_test **ret_tests, uint32_t *ret_count);

/* plan_fuzz.c: what a fuzz test draws from. NULL without memory. */
const twc_fuzz *twc_plan_fuzz(twc_gen *g, const twc_decl *test);

#endif
