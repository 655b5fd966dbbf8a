/* disasm -- a module as text, and a text as a module. README.md describes the text.
 *
 * Called by `twvm disasm`, `twvm asm` and tests. The text of any module that decodes, verified or
 * not, gives the same bytes again. One instruction a line, jump targets as labels; names where they
 * are one of a list, numbers otherwise; with a debug map also source lines and the names of slots,
 * which are comments.
 */
#ifndef TW_ISA_DISASM_H
#define TW_ISA_DISASM_H

#include "vm/isa/container.h"

enum { TW_ASM_SIZE_MAX = 32 * 1024 * 1024 }; /* bytes of a text */

/* Appends the text. `debug` may be NULL. Scratch memory from `arena`. */
TW_MUST_USE tw_status tw_disasm(const tw_module *m, const tw_debug *debug, tw_arena *arena,
                                tw_writer *w);

/* The bytes of the module that a text describes, in `arena`. The text may be anything:
 * TW_REFUSED_SOURCE with its line and what belongs there, TW_REFUSED_LIMIT, TW_REFUSED_MODULE when
 * what it says does not decode. Time and memory are linear in its size, and some 1 MB. */
TW_MUST_USE tw_status tw_asm(tw_bytes text, tw_arena *arena, tw_bytes *ret_module, tw_err *err);

/* A type as the language writes it ("velocity", "text(40)?"); ends with a NUL, cut to fit. */
void tw_type_print(const tw_module *m, uint16_t type, char *ret_text, size_t size);

#endif
