/* format -- a source laid out in the one way; its tokens, comments and line breaks stay.
 *
 * For `twc fmt`. Where a line breaks is the author's; how far it is indented, what stands between
 * two tokens, blank lines, and columns of params and of comments behind code are not. Formatting
 * what was formatted changes nothing.
 */
#ifndef TWC_FORMAT_H
#define TWC_FORMAT_H

#include "compiler/lex.h"

/* Appends the laid out source. False without memory. The source must have been parsed without an
 * error; memory comes from the arena of `words`. */
bool twc_format_write(const twc_source *source, twc_words *words, tw_writer *w);

#endif
