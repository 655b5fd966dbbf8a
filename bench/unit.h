/* unit -- what bench_gas measures and bench_worst mixes: a few instructions over slots that a
 * prologue has filled.
 *
 * A program is the prologue, a loop over units, and an end. Units leave the slots as they need
 * them for the next time, so that they can follow each other in any order. The map of the slots
 * is in unit.c.
 */
#ifndef TW_BENCH_UNIT_H
#define TW_BENCH_UNIT_H

#include "bench/rig.h"

enum { UNIT_CODE_MAX = 6, UNITS_MAX = 512, UNIT_LOOPS_MAX = 1 << 20, UNIT_BODY_MAX = 15000 };

/* How a program ends whose changes of the state are not to stay. */
#define UNIT_UNDO TW_TRAP_TIMER_DUE

/* What its price is for: its time; what receipts keep for ever; a look at the state, as if nothing
 * were cached; or the time of a harder case, as nobody can say before which of the two it will be.
 */
typedef enum unit_class { UNIT_PURE, UNIT_KEPT, UNIT_EASY, UNIT_STATE } unit_class;

typedef struct unit {
    char name[32];
    uint32_t size;                /* what its price depends on, if on anything */
    uint64_t code[UNIT_CODE_MAX]; /* measured */
    uint64_t with[UNIT_CODE_MAX]; /* runs before it, and is taken off */
    uint8_t count, with_count;
    uint8_t signers;
    unit_class class;
    uint32_t limit;        /* executions in an entry, 0: as many as one likes */
    uint16_t callee_slots; /* frame of the function that it calls */
    bool random;           /* it needs numbers that are 0 or 1 by chance in the long list */
    bool once;             /* no two of it in a round of the loop */
    bool big;              /* it needs the long texts and lists */
    bool undo;             /* it changes the state: the entry ends with a trap */
    bool stops;            /* it ends the entry itself */
    bool deploys;          /* only the deploy entry may have it */
} unit;

typedef struct units {
    unit items[UNITS_MAX];
    uint32_t count;
} units;

/* Fills the table, and sees to it that no instruction of opcodes.def is missing. */
void units_fill(const rig *r, units *list);

/* A program under way. */
typedef struct program {
    const rig *rig;
    uint64_t code[TW_FUNCTION_CODE_MAX];
    uint32_t count;
    uint16_t callee_slots;
    uint8_t signers;
    bool big, undo, stops, deploys;
} program;

void program_begin(program *p, const rig *r, bool big, uint8_t signers);
/* Fills the long list from the state, with zeros and ones by chance. */
void program_random(program *p);
void program_add(program *p, uint64_t insn);
void program_unit(program *p, const unit *u);
/* A loop over slot 1 + depth: `count` times, or, 0, as often as the entry's argument says. */
void program_loop(program *p, uint32_t depth, uint32_t count, uint32_t most);
void program_end_loop(program *p);
/* Ends it; NULL when it is refused. */
tw_code *program_finish(program *p, rig *r, tw_err *ret_err);
uint16_t program_entry(const program *p);

#endif
