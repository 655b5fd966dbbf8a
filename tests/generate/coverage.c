/* coverage -- see the header. */
#include "tests/generate/coverage.h"

#include <stdio.h>

typedef unsigned long long ull;

void coverage_add(coverage *c, const tw_module *m, size_t bytes)
{
    c->programs++;
    c->instructions += m->code_count;
    c->bytes += bytes;
    for (uint32_t i = 0; i < m->code_count; i++) {
        const uint8_t op = tw_insn_op(m->code[i]);
        const uint32_t stat = tw_insn_x(m->code[i]) / 1024;
        c->emitted[op]++;
        if (op == TW_OP_STAT) c->emitted_stat[stat]++;
        if (op == TW_OP_ACROSS) c->emitted_across[stat]++;
    }
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_outcomes(const scene_tally *t)
{
    printf("\n| outcome of a run | times | %% | by TRAP |\n|---|---|---|---|\n");
    for (int i = 0; i < SCENE_STATUSES; i++) {
        if (t->status[i] == 0) continue;
        printf("| %s | %llu | %.2f | %llu |\n", tw_status_text((tw_status)i), (ull)t->status[i],
               share(t->status[i], t->runs), (ull)t->by_trap[i]);
    }
}

static void print_instructions(const coverage *c, const ref_totals *r)
{
    printf("\n| instruction | in the code | executed |\n|---|---|---|\n");
    for (int i = 0; i < 256; i++) {
        const char *name = tw_op_find((uint8_t)i)->name;
        if (name != NULL)
            printf("| %s | %llu | %llu |\n", name, (ull)c->emitted[i], (ull)r->ops[i]);
    }
    for (uint32_t i = 0; i < TW_STAT_END; i++) {
        printf("| STAT %s | %llu | %llu |\n", tw_stat_word(i), (ull)c->emitted_stat[i],
               (ull)r->stats[i]);
        printf("| ACROSS %s | %llu | %llu |\n", tw_stat_word(i), (ull)c->emitted_across[i],
               (ull)r->across[i]);
    }
}

static uint64_t sum(const uint64_t *numbers, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) total += numbers[i];
    return total;
}

void coverage_print(const coverage *c, const scene_tally *t)
{
    const double programs = c->programs > 0 ? (double)c->programs : 1;
    printf("%llu programs of %.1f instructions, %.0f bytes; %llu deployed; %llu runs\n",
           (ull)c->programs, (double)c->instructions / programs, (double)c->bytes / programs,
           (ull)t->deployed, (ull)t->runs);
    printf("%llu of %llu readings taken in; %llu of %llu conditions held; %llu notices\n",
           (ull)t->readings_taken, (ull)t->readings, (ull)t->conditions_true, (ull)t->conditions,
           (ull)t->notices);
    const both_totals both = both_totals_now();
    printf("%llu runs and %llu conditions alike on both engines, %llu not compared; %.1f "
           "instructions a run\n",
           (ull)both.runs, (ull)both.conditions, (ull)both.unjudged,
           (double)sum(both.executed->ops, 256) / (double)(both.runs + both.conditions + 1));
    print_instructions(c, both.executed);
    print_outcomes(t);
}

static uint32_t missing(bool met, const char *what, const char *name)
{
    if (!met) printf("never met: %s %s\n", what, name);
    return met ? 0 : 1;
}

uint32_t coverage_missing(const scene_tally *t)
{
    /* That a caller, his signature or a phase is wrong is said by TRAP alone. */
    static const tw_status native[] = {
        TW_TRAP_OVERFLOW,   TW_TRAP_DIVIDE_BY_ZERO,  TW_TRAP_BAD_INDEX,  TW_TRAP_NO_KEY,
        TW_TRAP_FULL,       TW_TRAP_NEGATIVE_AMOUNT, TW_TRAP_NOT_ENOUGH, TW_TRAP_ALREADY_MEMBER,
        TW_TRAP_NOT_MEMBER, TW_TRAP_KEY_USED,        TW_TRAP_ATTACHED,   TW_TRAP_RETIRED,
        TW_TRAP_BAD_VALUE,  TW_FAIL_ERROR,           TW_FAIL_INVARIANT,  TW_FAIL_CHECK,
    };
    const both_totals both = both_totals_now();
    const ref_totals *r = both.executed;
    uint32_t count = 0;
    for (int i = 0; i < 256; i++) {
        const char *name = tw_op_find((uint8_t)i)->name;
        if (name == NULL) continue;
        count += missing(r->ops[i] > 0, "instruction", name);
    }
    for (uint32_t i = 0; i < TW_STAT_END; i++) {
        const bool single = i == TW_STAT_LAST || i == TW_STAT_TIME_OF || i == TW_STAT_SLOPE;
        if (i != TW_STAT_DEVICES) count += missing(r->stats[i] > 0, "STAT", tw_stat_word(i));
        if (!single) count += missing(r->across[i] > 0, "ACROSS", tw_stat_word(i));
    }
    count += missing(both.unjudged == 0, "a judgement of", "some runs");
    for (int i = 1; i <= TW_TRAP_BAD_VALUE; i++) {
        count += missing(t->by_trap[i] > 0, "TRAP of", tw_status_text((tw_status)i));
    }
    for (size_t i = 0; i < sizeof native / sizeof native[0]; i++) {
        const tw_status s = native[i];
        count += missing(t->status[s] > t->by_trap[s], "outcome", tw_status_text(s));
    }
    return count;
}
