/* bench_worst -- looks for the entry that takes the most time for its gas.
 *
 * Called by `./dev worst`. A mix is a row of units of unit.c, each some times over and perhaps in a
 * loop of its own; the row is written out as often as the mix says, in its order or in a new
 * one each time, over slots near each other or all over the frame, and runs in two loops
 * as often as it takes to use up the gas that is meant: what a mix is charged, which may be far
 * less than the bound that it is accepted by. Mixes are changed at random and kept when they got
 * slower. At the end all that were kept run for longer, in turn with an addition, and the slowest
 * of them at the gas of a whole entry: what is printed was measured there, so that a slow moment of
 * the computer finds nothing.
 */
#include "bench/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GENES_MAX = 32,
    POOL = 12,
    TRIES = 3,
    SEARCH_GAS = 3000000,
    BOUND_SHARE = 16,   /* a round may have a bound so many times the gas that is meant */
    LEAST_GAS = 500000, /* with less of its own, a mix cannot be told from what runs before it */
    LAST_RUNS = 3,
    PLAIN_GAS = 200000000, /* of the additions beside them: as long as a raised clock evens out */
    FAR_FIRST = 7600,      /* slots that nothing else is in */
    FAR_COUNT = 590,
};

typedef struct gene {
    uint16_t unit;
    uint8_t repeat;
    uint8_t loop; /* times; 0: no loop of its own */
} gene;

typedef struct mix {
    gene genes[GENES_MAX];
    uint32_t count;
    uint32_t copies;  /* of the row, written out */
    uint32_t inner;   /* times of the inner loop, at most 4096 */
    uint32_t shuffle; /* not 0: a seed, each copy has an order of its own */
    bool scatter;     /* results go all over the frame */
    double ns_a_gas;
} mix;

typedef struct search {
    rig rig;
    units units;
    uint64_t random;
    mix pool[POOL];
    uint32_t tried, refused;
    mix plain;        /* additions */
    uint64_t own_gas; /* of an entry before its mix begins: mostly looks into the state */
    double own_ns;
} search;

static uint32_t below(uint64_t *random, uint32_t limit)
{
    return (uint32_t)(rig_random(random) % limit);
}

/* ---- a mix as a program ---- */

/* Moves the result of a simple instruction to some other slot. */
static uint64_t scattered(uint64_t insn, uint64_t *random)
{
    const tw_shape shape = tw_op_find(tw_insn_op(insn))->shape;
    const bool simple = shape == TW_SHAPE_DST_B_C || shape == TW_SHAPE_DST_B ||
                        shape == TW_SHAPE_DST_IMM || shape == TW_SHAPE_DST_B_IMM ||
                        shape == TW_SHAPE_DST_CONST;
    if (!simple) return insn;
    const uint64_t a = FAR_FIRST + below(random, FAR_COUNT);
    return (insn & ~(0x1FFFull << 8)) | a << 8;
}

static void write_gene(program *p, const search *s, const gene *g, bool scatter, uint64_t *random)
{
    const unit *u = &s->units.items[g->unit];
    if (g->loop > 0) program_loop(p, 2, g->loop, 0);
    for (uint32_t i = 0; i < g->repeat; i++) {
        for (uint32_t k = 0; k < u->with_count; k++) program_add(p, u->with[k]);
        unit copy = *u;
        if (scatter && u->count == 1) copy.code[0] = scattered(u->code[0], random);
        program_unit(p, &copy);
    }
    if (g->loop > 0) program_end_loop(p);
}

static uint32_t size_of(const search *s, const mix *m)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        const unit *u = &s->units.items[m->genes[i].unit];
        size += m->genes[i].repeat * (uint32_t)(u->count + u->with_count) +
                (m->genes[i].loop > 0 ? 3u : 0u);
    }
    return size * m->copies;
}

/* NULL when the verifier refuses it, or its limits do. */
static tw_code *write_mix(search *s, const mix *m, uint32_t outer)
{
    static program p;
    tw_err err = {0};
    uint64_t random = m->shuffle;
    if (size_of(s, m) > UNIT_BODY_MAX) return NULL;
    program_begin(&p, &s->rig, true, 16);
    program_random(&p);
    program_loop(&p, 0, outer, 0);
    program_loop(&p, 6, m->inner, 0);
    for (uint32_t copy = 0; copy < m->copies; copy++) {
        for (uint32_t i = 0; i < m->count; i++) {
            const uint32_t place = m->shuffle != 0 ? below(&random, m->count) : i;
            write_gene(&p, s, &m->genes[place], m->scatter, &random);
        }
    }
    program_end_loop(&p);
    program_end_loop(&p);
    return program_finish(&p, &s->rig, &err);
}

static double run_once(search *s, tw_code *code, tw_outcome *ret_outcome)
{
    const uint16_t entry = rig_entry(&s->rig, "measured");
    const uint64_t start = rig_clock_ns();
    rig_run(&s->rig, code, entry, 0, 16, ret_outcome);
    return (double)(rig_clock_ns() - start);
}

/* The gas that is used, and by the bound, when the outer loop runs so often; false when it can't,
 * or may need more than `limit`. */
static bool try_rounds(search *s, const mix *m, uint32_t rounds, uint64_t limit, uint64_t *ret_used,
                       uint64_t *ret_bound)
{
    tw_outcome outcome = {0};
    tw_code *code = write_mix(s, m, rounds);
    if (code == NULL) return false;
    *ret_bound = code->facts->entries[rig_entry(&s->rig, "measured")].gas;
    if (*ret_bound <= limit) (void)run_once(s, code, &outcome);
    *ret_used = outcome.gas;
    tw_code_free(code);
    const bool good = outcome.status == TW_OK || outcome.status == UNIT_UNDO;
    return good && *ret_bound <= limit;
}

/* Rounds of the outer loop that use up `gas`, if the bound of an entry allows so many; 0 when not
 * even two fit. */
static uint32_t rounds_for(search *s, const mix *m, uint64_t gas)
{
    const uint64_t most_gas = TW_ENTRY_GAS_MAX;
    const uint64_t limit = BOUND_SHARE * gas < most_gas ? BOUND_SHARE * gas : most_gas;
    uint64_t used[2];
    uint64_t bound[2];
    for (uint32_t i = 0; i < 2; i++) {
        if (!try_rounds(s, m, i + 1, limit, &used[i], &bound[i])) return 0;
    }
    if (bound[1] <= bound[0] || used[1] <= used[0]) return 0;
    const uint64_t most = 1 + (TW_ENTRY_GAS_MAX - bound[0]) / (bound[1] - bound[0]);
    const uint64_t rounds = used[0] > gas ? 1 : 1 + (gas - used[0]) / (used[1] - used[0]);
    const uint64_t least = rounds < most ? rounds : most;
    return least < UNIT_LOOPS_MAX ? (uint32_t)least : UNIT_LOOPS_MAX;
}

/* NULL when the mix can't run, or not for so much gas that it tells anything. */
static tw_code *ready(search *s, const mix *m, uint64_t gas)
{
    tw_outcome outcome = {0};
    const uint32_t rounds = rounds_for(s, m, s->own_gas + gas);
    tw_code *code = rounds > 0 ? write_mix(s, m, rounds) : NULL;
    s->tried++;
    if (code != NULL) {
        (void)run_once(s, code, &outcome);
        const bool good = outcome.status == TW_OK || outcome.status == UNIT_UNDO;
        if (good && outcome.gas >= s->own_gas + LEAST_GAS) return code;
        tw_code_free(code);
    }
    s->refused++;
    return NULL;
}

/* Of one run, without what every program does first. */
static double ns_a_gas(search *s, tw_code *code)
{
    tw_outcome outcome = {0};
    const double ns = run_once(s, code, &outcome);
    return (ns - s->own_ns) / (double)(outcome.gas - s->own_gas);
}

/* Fills m->ns_a_gas from the fastest of so many runs: false when the mix can't run. */
static bool measure(search *s, mix *m, uint64_t gas, uint32_t runs)
{
    tw_code *code = ready(s, m, gas);
    m->ns_a_gas = 0;
    if (code == NULL) return false;
    for (uint32_t i = 0; i < runs; i++) {
        const double now = ns_a_gas(s, code);
        if (i == 0 || now < m->ns_a_gas) m->ns_a_gas = now;
    }
    tw_code_free(code);
    return true;
}

/* What every program of the search does first, which is not part of any mix. */
static void measure_own(search *s)
{
    static program p;
    tw_err err = {0};
    tw_outcome outcome = {0};
    program_begin(&p, &s->rig, true, 16);
    program_random(&p);
    tw_code *code = program_finish(&p, &s->rig, &err);
    if (code == NULL) rig_must(TW_ERR_INTERNAL, "a program without a mix", &err);
    for (uint32_t i = 0; i < 10 * TRIES; i++) {
        const double ns = run_once(s, code, &outcome);
        if (i == 0 || ns < s->own_ns) s->own_ns = ns;
    }
    s->own_gas = outcome.gas;
    tw_code_free(code);
}

/* ---- the search ---- */

static bool usable(const unit *u)
{
    return !u->stops && !u->deploys;
}

static uint16_t any_unit(search *s)
{
    for (;;) {
        const uint16_t place = (uint16_t)below(&s->random, s->units.count);
        if (usable(&s->units.items[place])) return place;
    }
}

static gene any_gene(search *s)
{
    const uint8_t loop = (uint8_t)(below(&s->random, 4) == 0 ? 1 + below(&s->random, 40) : 0);
    return (gene){any_unit(s), (uint8_t)(1 + below(&s->random, 8)), loop};
}

static void change(search *s, mix *m)
{
    static const uint32_t inner[] = {1, 16, 256, 4096};
    const uint32_t place = below(&s->random, m->count);
    switch (below(&s->random, 9)) {
    case 0: m->genes[place] = any_gene(s); break;
    case 1: m->genes[place].unit = any_unit(s); break;
    case 2: m->genes[place].repeat = (uint8_t)(1 + below(&s->random, 32)); break;
    case 3: m->genes[place].loop = (uint8_t)below(&s->random, 64); break;
    case 4:
        if (m->count < GENES_MAX) m->genes[m->count++] = any_gene(s);
        break;
    case 5:
        if (m->count > 1) m->genes[place] = m->genes[--m->count];
        break;
    case 6: m->copies = 1u << below(&s->random, 12); break;
    case 7: m->inner = inner[below(&s->random, 4)]; break;
    case 8:
        m->shuffle = below(&s->random, 2) == 0 ? 0 : (uint32_t)rig_random(&s->random);
        m->scatter = below(&s->random, 2) == 0;
        break;
    }
}

/* Some genes of another mix in the place of some of its own. */
static void cross(search *s, mix *m, const mix *other)
{
    const uint32_t more = 1 + below(&s->random, other->count);
    for (uint32_t i = 0; i < more && m->count < GENES_MAX; i++) {
        m->genes[m->count++] = other->genes[below(&s->random, other->count)];
    }
}

static uint32_t fastest_of(const search *s)
{
    uint32_t place = 0;
    for (uint32_t i = 1; i < POOL; i++) {
        if (s->pool[i].ns_a_gas < s->pool[place].ns_a_gas) place = i;
    }
    return place;
}

static const mix *slowest_of(const search *s)
{
    uint32_t place = 0;
    for (uint32_t i = 1; i < POOL; i++) {
        if (s->pool[i].ns_a_gas > s->pool[place].ns_a_gas) place = i;
    }
    return &s->pool[place];
}

static void keep(search *s, const mix *m)
{
    const uint32_t place = fastest_of(s);
    if (m->ns_a_gas > s->pool[place].ns_a_gas) s->pool[place] = *m;
}

/* Every unit by itself: the slowest are where the search starts. */
static void start(search *s)
{
    for (uint32_t i = 0; i < s->units.count; i++) {
        const unit *u = &s->units.items[i];
        if (!usable(u)) continue;
        mix m = {.genes = {{(uint16_t)i, 4, 0}}, .count = 1, .copies = 4, .inner = 16};
        if (u->limit > 0) m.inner = 1;
        if (!measure(s, &m, SEARCH_GAS, TRIES)) continue;
        if (strcmp(u->name, "ADD") == 0) s->plain = m;
        keep(s, &m);
    }
    for (uint32_t i = 0; i < POOL; i++) { /* and one of everything in a long row */
        mix m = {.copies = 64, .inner = 16, .shuffle = i + 1, .scatter = i % 2 == 1};
        while (m.count < GENES_MAX) {
            const uint16_t place = any_unit(s);
            if (s->units.items[place].class == UNIT_PURE && !s->units.items[place].big) {
                m.genes[m.count++] = (gene){place, 1, 0};
            }
        }
        if (measure(s, &m, SEARCH_GAS, TRIES)) keep(s, &m);
    }
}

static void climb(search *s, uint64_t end_ns)
{
    while (rig_clock_ns() < end_ns) {
        mix m = s->pool[below(&s->random, POOL)];
        const uint32_t changes = 1 + below(&s->random, 3);
        if (m.count == 0) continue;
        for (uint32_t i = 0; i < changes; i++) change(s, &m);
        if (below(&s->random, 8) == 0) cross(s, &m, &s->pool[below(&s->random, POOL)]);
        if (!measure(s, &m, SEARCH_GAS, TRIES)) continue;
        /* once more, if it was luck */
        if (m.ns_a_gas > slowest_of(s)->ns_a_gas && !measure(s, &m, SEARCH_GAS, 3 * TRIES))
            continue;
        keep(s, &m);
    }
}

static void print_mix(const search *s, const mix *m)
{
    printf("%u copies of the row%s%s, inner loop of %u:\n", m->copies,
           m->shuffle != 0 ? ", each shuffled" : "", m->scatter ? ", scattered" : "", m->inner);
    for (uint32_t i = 0; i < m->count; i++) {
        const unit *u = &s->units.items[m->genes[i].unit];
        printf("    %s (%u) x %u%s", u->name, u->size, m->genes[i].repeat,
               m->genes[i].loop > 0 ? "" : "\n");
        if (m->genes[i].loop > 0) printf(", in a loop of %u\n", m->genes[i].loop);
    }
}

/* In turn with additions; of each the fastest. False when it can't run. */
static bool measure_last(search *s, mix *m, uint64_t gas)
{
    tw_code *plain = ready(s, &s->plain, PLAIN_GAS);
    tw_code *code = ready(s, m, gas - s->own_gas);
    m->ns_a_gas = 0;
    for (uint32_t i = 0; i < LAST_RUNS && plain != NULL && code != NULL; i++) {
        const double addition = ns_a_gas(s, plain);
        const double now = ns_a_gas(s, code);
        if (addition < s->plain.ns_a_gas || i == 0) s->plain.ns_a_gas = addition;
        if (i == 0 || now < m->ns_a_gas) m->ns_a_gas = now;
    }
    tw_code_free(plain);
    tw_code_free(code);
    return m->ns_a_gas > 0;
}

static void report(search *s, uint64_t seed)
{
    printf("seed %llu: %u mixes, %u of them refused\n", (unsigned long long)seed, s->tried,
           s->refused);
    for (uint32_t i = 0; i < POOL; i++) {
        if (!measure_last(s, &s->pool[i], TW_ENTRY_GAS_MAX / 20)) s->pool[i].ns_a_gas = 0;
    }
    for (uint32_t i = 0; i < 3; i++) {
        mix *m = &s->pool[slowest_of(s) - s->pool];
        if (m->ns_a_gas <= 0 || !measure_last(s, m, TW_ENTRY_GAS_MAX)) break;
        printf(
            "\n%.3f ns a gas, of an addition beside it %.3f (ratio %.2f), %.0f ms for the gas of "
            "a whole entry; ",
            m->ns_a_gas, s->plain.ns_a_gas, m->ns_a_gas / s->plain.ns_a_gas,
            m->ns_a_gas * (double)TW_ENTRY_GAS_MAX / 1e6);
        print_mix(s, m);
        m->ns_a_gas = 0;
    }
}

int main(int argc, char **argv)
{
    static search s;
    const uint64_t minutes = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (argc < 2 || minutes == 0) {
        fprintf(stderr, "usage: bench_worst calibrate.twc [MINUTES [SEED]]\n");
        return 2;
    }
    rig_open(&s.rig, argv[1]);
    units_fill(&s.rig, &s.units);
    s.random = seed;
    measure_own(&s);
    const uint64_t end_ns = rig_clock_ns() + minutes * 60000000000u;
    start(&s);
    climb(&s, end_ns);
    report(&s, seed);
    rig_close(&s.rig);
    return 0;
}
