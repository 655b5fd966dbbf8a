/* reference -- the instruction set in print: from the tables of vm/isa, for `twvm opcodes`, for the
 * reference in vm/isa/README.md, and for the golden test that holds both to the tables.
 */
#ifndef TW_RUNNER_REFERENCE_H
#define TW_RUNNER_REFERENCE_H

#include "vm/base/bytes.h"

/* One row a line: number, name, shape, gas, whether a run ends, effects, meaning. */
void tw_reference_table(tw_writer *w);

/* All tables in Markdown. */
void tw_reference_markdown(tw_writer *w);

#endif
