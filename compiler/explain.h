/* explain -- a checked contract in sentences, for people who don't program, and its phases drawn.
 *
 * For `twc explain F.twc`. The conditions are the author's own words; what stands around them says
 * who, when and what if nobody acts. Read off the tree that the module was made of, so it speaks of
 * that module, whose hash it names.
 */
#ifndef TWC_EXPLAIN_H
#define TWC_EXPLAIN_H

#include "compiler/lex.h"

/* Text; `module` are the bytes it speaks of. False without memory. */
bool twc_explain_write(const twc_source *source, const twc_contract *contract, tw_bytes module,
                       tw_writer *w);

/* The phase diagram in the language of Graphviz, or as a picture. */
void twc_explain_dot(const twc_contract *contract, tw_writer *w);
void twc_explain_svg(const twc_contract *contract, tw_writer *w);

#endif
