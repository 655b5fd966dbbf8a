/* source -- a contract from a file: compiled from .twc text, or taken from a .twm container.
 *
 * Called by `deploy`, `disasm` and `test`. What the compiler has to say goes to standard error.
 */
#ifndef TW_RUNNER_SOURCE_H
#define TW_RUNNER_SOURCE_H

#include "compiler/twc.h"
#include "vm/base/arena.h"
#include "vm/runner/command.h"

/* The whole file, at most `size_max` bytes, into `arena`. */
TW_MUST_USE tw_status tw_source_read(const char *path, size_t size_max, tw_arena *arena,
                                     tw_bytes *ret_bytes, tw_err *err);

/* Compiles a file and reports: TW_REFUSED_SOURCE when it has errors. The caller frees *ret_result;
 * the text stays in `arena`. */
TW_MUST_USE tw_status tw_source_compile(tw_app *app, const char *path, tw_arena *arena,
                                        twc_result **ret_result);

/* One module of a file, copied into `arena`. `contract` names it where there are several, may be
 * NULL. */
TW_MUST_USE tw_status tw_source_module(tw_app *app, const char *path, const char *contract,
                                       tw_arena *arena, tw_bytes *ret_module, tw_bytes *ret_debug);

#endif
