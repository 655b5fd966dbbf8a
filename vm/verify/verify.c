/* verify -- bounds by one backward pass a function, then what each entry may touch and cost.
 *
 * Jumps only go forward and functions only call lower ones, so when the pass comes to an
 * instruction, the costs of all that can follow it are known: the worst case is a maximum over two
 * successors, not a search. A loop multiplies its body by its static count.
 */
#include "vm/verify/verify.h"

#include "vm/verify/check.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

typedef struct bounder {
    const tw_module *m;
    tw_facts *facts;
    uint32_t *targets; /* per instruction of a function: not 0 where a jump goes, and there: */
    tw_bounds *cost;   /* of all that follows it, itself included */
    tw_err *err;
} bounder;

/* Where control goes on from the instruction: turns the cost of what stands behind it into that of
 * what can follow it. `ends`: of what stands behind the loops that are open. */
static inline void follow(const bounder *b, tw_function_facts *facts, uint64_t insn, uint32_t pc,
                          tw_bounds *next, tw_bounds *ends, uint32_t *depth)
{
    const uint8_t op = tw_insn_op(insn);
    const uint32_t x = tw_insn_x(insn);
    if (op == TW_OP_END) ends[++*depth] = *next;
    if (op == TW_OP_END || tw_op_leaves(op)) {
        *next = (tw_bounds){0};
    } else if (op == TW_OP_JMP) {
        *next = b->cost[pc + 1 + x];
    } else if (tw_shape_is_jump(tw_op_find(op)->shape)) {
        tw_bounds_max(next, &b->cost[pc + 1 + x]);
    } else if (op == TW_OP_LOOP) {
        tw_bounds body = *next;
        tw_bounds_times(&body, (uint64_t)tw_insn_imm30(insn));
        *next = body;
        tw_bounds_add(next, &ends[(*depth)--]);
    } else if (op == TW_OP_CALL) {
        const tw_function_facts *callee = &b->facts->functions[x];
        tw_bounds_add(next, &callee->worst);
        facts->effects |= callee->effects;
        if (callee->depth > facts->depth) facts->depth = callee->depth;
        if (callee->worst.slots > facts->worst.slots) facts->worst.slots = callee->worst.slots;
    }
}

static tw_status bound_function(bounder *b, uint16_t index)
{
    const tw_function *f = &b->m->functions[index];
    const uint64_t *code = b->m->code + f->code_first;
    tw_function_facts *facts = &b->facts->functions[index];
    tw_bounds ends[TW_LOOP_NEST_MAX + 1]; /* [0] is of no loop */
    tw_bounds next = ends[0] = (tw_bounds){0};
    uint32_t depth = 0;
    for (uint32_t pc = f->code_count; pc-- > 0;) {
        const uint64_t insn = code[pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        if (row->ends_run) follow(b, facts, insn, pc, &next, ends, &depth);
        if (!row->whole) {
            const tw_bounds own = tw_cost_sized(b->m, insn);
            tw_bounds_add(&next, &own);
            facts->effects |= tw_insn_effects(b->m, insn);
        }
        next.gas = tw_cost_add(next.gas, row->gas);
        facts->effects |= row->effects;
        if (b->targets[pc] != 0) b->cost[pc] = next;
    }
    next.gas = tw_cost_add(next.gas, tw_cost_frame(f));
    next.slots = f->frame_slots + facts->worst.slots;
    facts->worst = next;
    facts->depth++;
    if (facts->depth > TW_CALL_DEPTH_MAX || facts->worst.slots > TW_STACK_SLOTS_MAX) {
        return tw_err_set(b->err, TW_REFUSED_MODULE,
                          "function %s: needs %u slots in %u calls, the limits are %d and %d",
                          f->name, facts->worst.slots, facts->depth, TW_STACK_SLOTS_MAX,
                          TW_CALL_DEPTH_MAX);
    }
    return TW_OK;
}

static uint32_t effects_allowed(uint8_t kind)
{
    static const uint32_t more[TW_ENTRY_KINDS] = {
        [TW_ENTRY_DEPLOY] = TW_EFFECT_SENDER | TW_EFFECT_DEPLOYS,
        [TW_ENTRY_ACTION] = TW_EFFECT_SENDER,
        [TW_ENTRY_MIGRATE] = TW_EFFECT_DEPLOYS | TW_EFFECT_OLD,
    };
    const uint32_t look = TW_EFFECT_READS_STATE | TW_EFFECT_CLOCK | TW_EFFECT_READINGS;
    if (kind == TW_ENTRY_VIEW) return look;
    return look | TW_EFFECT_WRITES_STATE | TW_EFFECT_EMITS | more[kind];
}

static tw_status effects_fit(bounder *b, const char *what, uint16_t function, uint32_t allowed)
{
    static const char *const words[] = {
#define EFFECT(bit, name, text) [bit] = (text),
#include "vm/isa/effects.def"
    };
    const uint32_t excess = b->facts->functions[function].effects & ~allowed;
    if (excess == 0) return TW_OK;
    return tw_err_set(b->err, TW_REFUSED_MODULE, "%s: its code must not %s", what,
                      words[__builtin_ctz(excess)]);
}

static tw_status bound_entries(bounder *b)
{
    const tw_module *m = b->m;
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        TW_TRY(effects_fit(b, m->alarms[i].name, m->alarms[i].raise, TW_EFFECT_READINGS));
        TW_TRY(effects_fit(b, m->alarms[i].name, m->alarms[i].clear, TW_EFFECT_READINGS));
    }
    for (uint16_t i = 0; i < m->invariant_count; i++) {
        TW_TRY(effects_fit(b, m->invariants[i].name, m->invariants[i].function,
                           TW_EFFECT_READS_STATE));
    }
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        TW_TRY(effects_fit(b, e->name, e->function, effects_allowed(e->kind)));
        const tw_function_facts *f = &b->facts->functions[e->function];
        b->facts->entries[i] = tw_cost_entry(m, e->kind, f->effects);
        b->facts->setup_gas[i] = b->facts->entries[i].gas;
        tw_bounds_add(&b->facts->entries[i], &f->worst);
        b->facts->entries[i].slots = f->worst.slots;
        if (f->worst.events > TW_EVENTS_MAX) {
            return tw_err_set(b->err, TW_REFUSED_MODULE,
                              "entry %s: up to %u events, the limit is %d", e->name,
                              f->worst.events, TW_EVENTS_MAX);
        }
        if (f->worst.event_bytes > TW_NOTICES_SIZE_MAX) {
            return tw_err_set(b->err, TW_REFUSED_MODULE,
                              "entry %s: events and transfers of up to %u bytes, the limit is %d",
                              e->name, f->worst.event_bytes, TW_NOTICES_SIZE_MAX);
        }
    }
    return TW_OK;
}

/* The costliest handler of one edge of one alarm. */
static tw_bounds handler_worst(const bounder *b, uint16_t alarm, tw_entry_kind kind)
{
    tw_bounds worst = {0};
    for (uint16_t i = 0; i < b->m->entry_count; i++) {
        const tw_entry *e = &b->m->entries[i];
        if (e->kind == kind && e->of == alarm) tw_bounds_max(&worst, &b->facts->entries[i]);
    }
    return worst;
}

static void bound_packs(bounder *b)
{
    const tw_module *m = b->m;
    for (uint16_t r = 0; r < m->reading_count; r++) {
        uint64_t gas = TW_GAS_INTAKE;
        for (uint16_t i = 0; i < m->stamp_count; i++) {
            if (m->stamps[i].reading == r) gas = tw_cost_add(gas, TW_GAS_STAMP);
        }
        for (uint16_t i = 0; i < m->alarm_count; i++) {
            if ((m->alarms[i].readings >> r & 1) == 0) continue;
            const uint64_t raise = b->facts->functions[m->alarms[i].raise].worst.gas;
            const uint64_t clear = b->facts->functions[m->alarms[i].clear].worst.gas;
            gas = tw_cost_add(gas, TW_GAS_CONDITION);
            gas = tw_cost_add(gas, raise > clear ? raise : clear);
        }
        b->facts->intake_gas[r] = gas;
    }
    b->facts->handlers = (tw_bounds){0};
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        tw_bounds worst = handler_worst(b, i, TW_ENTRY_RAISED);
        const tw_bounds cleared = handler_worst(b, i, TW_ENTRY_CLEARED);
        tw_bounds_max(&worst, &cleared);
        tw_bounds_add(&b->facts->handlers, &worst);
    }
    /* looks into every window and writes its newest pages back; the device's record; silent timers
     * that are armed again; edges that wait, each of which may go where another one stood */
    const uint32_t filed = 1 + m->timer_count + 2 * (uint32_t)m->alarm_count;
    const tw_bounds windows = tw_cost_windows(m, true);
    const tw_bounds own = {.gas = tw_cost_write(filed, tw_size_device(m)), .writes = filed};
    b->facts->pack = tw_cost_entry(m, TW_ENTRY_ACTION, TW_EFFECT_WRITES_STATE);
    tw_bounds_add(&b->facts->pack, &windows);
    tw_bounds_add(&b->facts->pack, &own);
    b->facts->pack.gas = tw_cost_add(b->facts->pack.gas, TW_GAS_PACK);
    for (uint16_t r = 0; r < m->reading_count; r++) {
        const uint32_t pages = tw_window_pages(m->readings[r].keep);
        const tw_bounds window = {.gas = tw_cost_write(pages, (uint64_t)pages * TW_PAGE_SIZE),
                                  .writes = pages};
        tw_bounds_add(&b->facts->pack, &window);
    }
    tw_bounds_add(&b->facts->pack, &b->facts->handlers);
}

tw_status tw_facts_compute(const tw_module *m, tw_arena *arena, tw_facts **ret_facts, tw_err *err)
{
    bounder b = {.m = m, .facts = TW_NEW(arena, tw_facts), .err = err};
    uint32_t longest = 0;
    if (b.facts == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory to verify");
    b.facts->functions = TW_NEW_ARRAY(arena, tw_function_facts, m->function_count);
    b.facts->entries = TW_NEW_ARRAY(arena, tw_bounds, m->entry_count);
    b.facts->setup_gas = TW_NEW_ARRAY(arena, uint64_t, m->entry_count);
    b.facts->intake_gas = TW_NEW_ARRAY(arena, uint64_t, m->reading_count);
    if (b.facts->functions == NULL || b.facts->entries == NULL || b.facts->setup_gas == NULL ||
        b.facts->intake_gas == NULL) {
        return tw_err_set(err, TW_ERR_MEMORY, "no memory to verify");
    }
    TW_TRY(tw_check_declarations(m, err));
    for (uint16_t i = 0; i < m->function_count; i++) {
        if (m->functions[i].code_count > longest) longest = m->functions[i].code_count;
    }
    const tw_mark mark = tw_arena_mark(arena);
    b.targets = TW_NEW_ARRAY(arena, uint32_t, longest);
    b.cost = TW_NEW_ARRAY(arena, tw_bounds, longest);
    if (b.targets == NULL || b.cost == NULL) {
        return tw_err_set(err, TW_ERR_MEMORY, "no memory to verify");
    }
    for (uint16_t i = 0; i < m->function_count; i++) {
        TW_TRY(tw_check_code(m, i, b.targets, err));
        TW_TRY(bound_function(&b, i));
    }
    tw_arena_reset(arena, mark);
    TW_TRY(bound_entries(&b));
    bound_packs(&b);
    *ret_facts = b.facts;
    return TW_OK;
}

static bool bounds_equal(const tw_bounds *a, const tw_bounds *b)
{
    return a->gas == b->gas && a->reads == b->reads && a->writes == b->writes &&
           a->event_bytes == b->event_bytes && a->events == b->events && a->slots == b->slots;
}

tw_status tw_module_verify(const tw_module *m, tw_arena *arena, tw_facts **ret_facts, tw_err *err)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_facts_compute(m, arena, &facts, err));
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (bounds_equal(&m->entries[i].bounds, &facts->entries[i])) continue;
        return tw_err_set(err, TW_REFUSED_MODULE,
                          "entry %s: declares another worst case than its code has: %llu gas",
                          m->entries[i].name, (unsigned long long)facts->entries[i].gas);
    }
    *ret_facts = facts;
    return TW_OK;
}
