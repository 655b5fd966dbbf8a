/* rig -- the contract of calibrate.twc on an overlay in memory, whose action `measured` gets other
 * code each time.
 *
 * Called by bench_gas and bench_worst. A program is a whole module, verified like any other: what
 * is measured is what a ledger would run, without the ledger around it. Failures end the program
 * with a sentence, as there is nothing to measure then.
 */
#ifndef TW_BENCH_RIG_H
#define TW_BENCH_RIG_H

#include "compiler/twc.h"
#include "vm/exec/exec.h"
#include "vm/exec/intake.h"

enum {
    RIG_METERS = 64,
    RIG_GUESTS = 16,
    RIG_READINGS = 4096, /* of `level` */
    RIG_FLOWS = 256,     /* of `flow`, of each meter */
    RIG_THINGS = 64,     /* bolts; the first 32 hang on crate 0 */
    RIG_KEYS = 1000,     /* of `counts` and `rows` */
    RIG_LOST = 4000,     /* of `lost`, before the only one that is not removed */
    RIG_EIGHTS = 200,    /* of `eights` */
    RIG_TWOS = 2000,     /* that `twos` may have */
    RIG_FLAGS = 4080,    /* of `flags` */
};

typedef struct rig {
    twc_result *compiled;
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena;
    tw_exec *exec;
    tw_module *module; /* of calibrate.twc, with more constants */
    tw_code *plain;    /* its code as it was compiled */
    tw_contract *contract;
    int64_t now;
    uint16_t constant; /* index of the first constant of ours */
    tw_account owner, sensor;
    tw_account signers[16]; /* the owner, then guests */
    tw_spend spend;
} rig;

/* What stands in the place of a function. */
typedef struct rig_body {
    uint16_t function;
    uint16_t frame_slots;
    const uint64_t *code;
    uint32_t count;
} rig_body;

/* Constants that programs load: offsets from rig.constant. */
enum {
    RIG_BIG,  /* 2^62 and a bit */
    RIG_HUGE, /* near the largest */
    RIG_NEGATIVE,
    RIG_ALL_TIME, /* a span over all readings */
    RIG_HALF,     /* 50 % */
    RIG_PRIME,
    RIG_THIRD, /* a third of 2^62, odd */
    RIG_ONE_SECOND,
    RIG_LETTERS,
    RIG_WIDE,                 /* 3 slots of text, with a letter of two bytes after each of one */
    RIG_METER = RIG_WIDE + 3, /* 4 slots: an account each, from here on */
    RIG_GUEST = RIG_METER + 4,
    RIG_STRANGER = RIG_GUEST + 4,
    RIG_SIXTEEN = RIG_STRANGER + 4, /* 16 slots of numbers */
    RIG_CONSTANTS = RIG_SIXTEEN + 16,
};

void rig_open(rig *r, const char *source);
void rig_close(rig *r);

tw_account rig_meter(uint32_t number);
tw_account rig_guest(uint32_t number);

/* Verified code of the contract with other bodies in it; NULL when it is refused: *ret_err says
 * why. */
tw_code *rig_program(rig *r, const rig_body *bodies, uint32_t count, tw_err *ret_err);

/* One run of an entry; `n` is its argument, if it has one. */
void rig_run(rig *r, tw_code *code, uint16_t entry, int64_t n, uint16_t signers,
             tw_outcome *ret_outcome);

uint16_t rig_entry(const rig *r, const char *name);
uint16_t rig_field(const rig *r, const char *name);
uint16_t rig_function(const rig *r, const char *name);
/* Time that this thread has had: what else the machine does is not in it, but for the caches. */
uint64_t rig_clock_ns(void);
uint64_t rig_random(uint64_t *seed);
/* Ends the program with a sentence unless `status` is TW_OK. */
void rig_must(tw_status status, const char *what, const tw_err *err);

#endif
