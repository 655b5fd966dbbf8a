/* scene -- a place where module after module is loaded, deployed and run, and what was seen there.
 *
 * Used by differ.c. Memory is kept from one module to the next. What must hold of every run is
 * checked here; what two machines must agree on is checked by the library that a program is linked
 * with, if it is.
 */
#ifndef TW_TESTS_GENERATE_SCENE_H
#define TW_TESTS_GENERATE_SCENE_H

#include "tests/generate/generate.h"
#include "vm/exec/exec.h"

enum { SCENE_STATUSES = 64, SCENE_GAS_MAX = 40 * 1000 * 1000 };

typedef struct scene_tally {
    uint64_t programs; /* deployed, or at least begun */
    uint64_t deployed;
    uint64_t runs;    /* of entries */
    uint64_t skipped; /* runs not begun, as they could take too long */
    uint64_t status[SCENE_STATUSES];
    uint64_t by_trap[SCENE_STATUSES]; /* of these, by the instruction TRAP */
    uint64_t readings;
    uint64_t readings_taken;
    uint64_t conditions;
    uint64_t conditions_true;
    uint64_t gas;
    uint64_t notices;
    uint64_t writes;
} scene_tally;

typedef struct scene scene;

/* NULL without memory. */
scene *scene_new(void);
void scene_free(scene *s);

/* Deploys and runs: entries in any order, packs of readings between. Arguments are those of the
 * seed. `gas_max`: runs whose bound is over it are left out. */
void scene_play(scene *s, const tw_code *code, uint64_t seed, uint64_t gas_max);

const scene_tally *scene_seen(const scene *s);

/* What a ledger does around the deploy entry, for others too: the parameters get their presets,
 * and no delay is out of range. */
void scene_set_params(tw_contract *c);
bool scene_delays_good(const tw_contract *c);

#endif
