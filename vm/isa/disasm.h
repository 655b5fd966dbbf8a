/* disasm -- a module as text for people: what it declares, then its code.
 *
 * Called by `twvm disasm` and the golden tests. Works on any decoded module, verified or not: an
 * index that names nothing is printed as a number. One instruction a line, jump targets as labels,
 * fields, roles, params by name; with a debug map also source lines and the names of slots.
 */
#ifndef TW_ISA_DISASM_H
#define TW_ISA_DISASM_H

#include "vm/isa/container.h"

/* Appends the text. `debug` may be NULL. Scratch memory from `arena`. */
TW_MUST_USE tw_status tw_disasm(const tw_module *m, const tw_debug *debug, tw_arena *arena,
                                tw_writer *w);

/* Appends the instruction set, one row a line: number, name, fields, gas, meaning. */
void tw_disasm_opcodes(tw_writer *w);

/* A type as the language writes it ("velocity", "text(40)?"); ends with a NUL, cut to fit. */
void tw_type_print(const tw_module *m, uint16_t type, char *ret_text, size_t size);

#endif
