/* container -- a compiled file (.twm): a module and its debug map, which is no part of the module.
 *
 *     "TWMF" | u8 1 | u32 size | module bytes | u32 size | debug map bytes
 *
 *     debug map:  u8 1 | u16 functions | per function:
 *                 u32 lines | (u32 pc, u32 line) ... | u32 names | (name, u16 type, u16 slot,
 *                 u32 from, u32 to) ...
 *
 * Written by the compiler; read by the runner and the disassembler for people. A map may be
 * missing (size 0) and is never believed: what does not fit the module is refused.
 */
#ifndef TW_ISA_CONTAINER_H
#define TW_ISA_CONTAINER_H

#include "vm/isa/module.h"

enum { TW_DEBUG_SIZE_MAX = 8 * 1024 * 1024, TW_CONTAINER_SIZE_MAX = 9 * 1024 * 1024 };
enum { TW_DEBUG_NAMES_MAX = 2048 }; /* of a function: all are looked at for each slot printed */

/* From this instruction on (up to the next one's pc) the code comes from this source line. */
typedef struct tw_debug_line {
    uint32_t pc, line;
} tw_debug_line;

/* What a slot holds while from <= pc < to. */
typedef struct tw_debug_name {
    const char *name;
    uint16_t type; /* TW_NONE: a type that the module does not list */
    uint16_t slot;
    uint32_t from, to;
} tw_debug_name;

typedef struct tw_debug_function {
    tw_debug_line *lines;
    tw_debug_name *names;
    uint32_t line_count, name_count;
} tw_debug_function;

typedef struct tw_debug {
    tw_debug_function *functions;
    uint16_t function_count;
} tw_debug;

void tw_container_write(tw_bytes module, tw_bytes debug, tw_writer *w);

/* The parts lie inside of `file`. TW_REFUSED_ENCODING with a sentence when it is no such file. A
 * file that is a bare module ("TWVM") is taken as one without a map. */
TW_MUST_USE tw_status tw_container_read(tw_bytes file, tw_bytes *ret_module, tw_bytes *ret_debug,
                                        tw_err *err);

void tw_debug_encode(const tw_debug *debug, tw_writer *w);

/* An empty map for no bytes. TW_REFUSED_ENCODING when it is damaged or not of this module. */
TW_MUST_USE tw_status tw_debug_decode(tw_bytes bytes, const tw_module *m, tw_arena *arena,
                                      tw_debug **ret_debug);

/* The line of an instruction, or 0 when the map does not say. `debug` may be NULL. Costs the
 * logarithm of the function's lines. */
uint32_t tw_debug_line_of(const tw_debug *debug, uint16_t function, uint32_t pc);

#endif
