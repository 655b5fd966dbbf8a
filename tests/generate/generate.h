/* generate -- random modules that verify, each made from one number.
 *
 * Declarations are drawn first, small and fitting each other; then functions, instruction by
 * instruction, each of which is good by itself because what it names was chosen from what there is.
 * Nothing is thrown away: what is made is accepted. Values come from a few for each type, so that
 * keys are met again, and amounts and indexes mostly lie where a run goes on.
 *
 * Used by differ.c, and by whoever wants many small programs: a module is one call, without state.
 */
#ifndef TW_TESTS_GENERATE_GENERATE_H
#define TW_TESTS_GENERATE_GENERATE_H

#include "tests/generate/dice.h"
#include "vm/base/sign.h"
#include "vm/verify/verify.h"

enum {
    GENERATE_ACCOUNTS = 6,  /* that values and signers are drawn from */
    GENERATE_CONSTANTS = 8, /* plain numbers, first among the module's constants */
};

/* A module with its derived parts and its bounds, all in `arena`. NULL when the verifier refuses
 * it, which is a mistake of the generator: `err` says why. */
tw_module *generate_module(uint64_t seed, tw_arena *arena, tw_err *err);

/* A value of the type, in its canonical form, into as many slots as it has. */
void generate_value(dice *d, const tw_module *m, uint16_t type, int64_t *ret_slots);

/* A number that something is likely to depend on: small ones, powers of two and their neighbours,
 * the ends of the range. */
int64_t generate_number(dice *d);

/* Account number `index`; what contracts and their users are called in every program. */
tw_account generate_account(uint32_t index);

#endif
