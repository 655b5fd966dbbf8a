/* shrink -- a module that fails, with fewer instructions that do anything.
 *
 * Used by differ.c with --shrink. An instruction is taken out by a move of a slot to itself, so
 * that jumps keep their distances; a loop loses its head and its end together. Bounds are made
 * anew.
 */
#ifndef TW_TESTS_GENERATE_SHRINK_H
#define TW_TESTS_GENERATE_SHRINK_H

#include "vm/isa/module.h"

/* Whether the module still fails, in the same way as far as can be told. */
typedef bool (*shrink_fails)(void *context, tw_bytes module);

/* The smallest that was found, in `arena`; `module` itself when nothing can be left out. */
tw_bytes shrink_module(tw_bytes module, shrink_fails fails, void *context, tw_arena *arena);

#endif
