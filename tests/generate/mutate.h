/* mutate -- changes of modules, some of which still verify.
 *
 * Used by differ.c: bytes as an attacker would send them, and declarations and instructions as a
 * mistaken compiler would write them.
 */
#ifndef TW_TESTS_GENERATE_MUTATE_H
#define TW_TESTS_GENERATE_MUTATE_H

#include "tests/generate/dice.h"
#include "vm/isa/module.h"

/* A few changes of the bytes; `other` is a module to take parts from. The result, in `arena`, has
 * any length. */
tw_bytes mutate_bytes(dice *d, tw_bytes module, tw_bytes other, tw_arena *arena);

/* One to three changes of a decoded module, in place; its lists keep their memory. What comes of it
 * may make no sense, but can be encoded. */
void mutate_module(dice *d, tw_module *m);

#endif
