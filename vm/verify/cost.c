/* cost -- see the header. State access is priced as cold; windows that a pack or an entry looks
 * into are paid once by the entry, so a statistic itself costs only its passes over the samples. */
#include "vm/verify/cost.h"

#include "vm/isa/value.h"

uint64_t tw_cost_add(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t tw_cost_mul(uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint32_t add32(uint32_t a, uint32_t b)
{
    uint32_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

static uint32_t mul32(uint32_t a, uint64_t b)
{
    const uint64_t product = tw_cost_mul(a, b);
    return product > UINT32_MAX ? UINT32_MAX : (uint32_t)product;
}

void tw_bounds_add(tw_bounds *sum, const tw_bounds *more)
{
    sum->gas = tw_cost_add(sum->gas, more->gas);
    sum->reads = add32(sum->reads, more->reads);
    sum->writes = add32(sum->writes, more->writes);
    sum->event_bytes = add32(sum->event_bytes, more->event_bytes);
    sum->events = add32(sum->events, more->events);
}

void tw_bounds_times(tw_bounds *product, uint64_t factor)
{
    product->gas = tw_cost_mul(product->gas, factor);
    product->reads = mul32(product->reads, factor);
    product->writes = mul32(product->writes, factor);
    product->event_bytes = mul32(product->event_bytes, factor);
    product->events = mul32(product->events, factor);
}

void tw_bounds_max(tw_bounds *largest, const tw_bounds *other)
{
    if (other->gas > largest->gas) largest->gas = other->gas;
    if (other->reads > largest->reads) largest->reads = other->reads;
    if (other->writes > largest->writes) largest->writes = other->writes;
    if (other->event_bytes > largest->event_bytes) largest->event_bytes = other->event_bytes;
    if (other->events > largest->events) largest->events = other->events;
}

uint64_t tw_cost_stat(tw_stat stat, uint64_t samples)
{
    switch (stat) {
    case TW_STAT_LAST:
    case TW_STAT_TIME_OF: return TW_GAS_STAT;
    case TW_STAT_COUNT:
    case TW_STAT_DEVICES:
    case TW_STAT_SUM:
    case TW_STAT_AVG:
    case TW_STAT_MIN:
    case TW_STAT_MAX:
    case TW_STAT_RMS: return TW_GAS_STAT + samples * TW_GAS_STAT_SAMPLE;
    case TW_STAT_SLOPE: return TW_GAS_STAT + 2 * samples * TW_GAS_STAT_SAMPLE;
    case TW_STAT_MEDIAN:
    case TW_STAT_PERCENTILE:
        return TW_GAS_STAT + samples * (TW_GAS_STAT_SAMPLE + TW_GAS_STAT_SELECT);
    case TW_STAT_MAD: return TW_GAS_STAT + 2 * samples * (TW_GAS_STAT_SAMPLE + TW_GAS_STAT_SELECT);
    case TW_STAT_END: break;
    }
    return UINT64_MAX;
}

uint32_t tw_timer_count(const tw_module *m)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const uint8_t kind = m->entries[i].kind;
        count += kind == TW_ENTRY_SILENT || kind == TW_ENTRY_EVERY || kind == TW_ENTRY_AFTER ||
                 kind == TW_ENTRY_FALLS;
    }
    return count;
}

uint64_t tw_size_control(const tw_module *m)
{
    return 128 + 32 * (uint64_t)m->alarm_count + 16 * (uint64_t)tw_timer_count(m);
}

uint64_t tw_size_device(const tw_module *m)
{
    return 128 + 24 * (uint64_t)m->reading_count + 16 * (uint64_t)m->stamp_count;
}

static tw_bounds reads(uint32_t count, uint64_t bytes)
{
    return (tw_bounds){.gas = tw_cost_read(count, bytes), .reads = count};
}

static tw_bounds writes(uint32_t count, uint64_t bytes)
{
    return (tw_bounds){.gas = tw_cost_write(count, bytes), .writes = count};
}

static tw_bounds notice(const tw_members *members, uint32_t head)
{
    const uint32_t bytes = head + members->size_max;
    return (tw_bounds){.gas = tw_cost_notice(bytes), .event_bytes = bytes, .events = 1};
}

/* Silent timers of the readings of a role are set anew when a member comes or goes. */
static uint32_t silent_timers(const tw_module *m, uint32_t role)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        count += e->kind == TW_ENTRY_SILENT && m->readings[e->of].role == role;
    }
    return count;
}

static tw_bounds grant_cost(const tw_module *m, uint32_t role)
{
    tw_bounds cost = reads(3, tw_size_device(m) + 64);
    const tw_bounds more = writes(3 + 2 * silent_timers(m, role), tw_size_device(m) + 64);
    tw_bounds_add(&cost, &more);
    return cost;
}

static tw_bounds revoke_cost(const tw_module *m, uint32_t role)
{
    tw_bounds cost = grant_cost(m, role);
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].role != role) continue;
        const uint32_t pages = tw_window_pages(m->readings[i].keep);
        tw_bounds more = reads(pages, 0);
        tw_bounds_add(&cost, &more);
        more = writes(pages, 0);
        tw_bounds_add(&cost, &more);
    }
    return cost;
}

/* A new phase stops the timers of the one before and starts its own; pending edges may find a
 * handler. */
static tw_bounds go_cost(const tw_module *m)
{
    return writes(2 * tw_timer_count(m) + m->alarm_count, 0);
}

static tw_bounds field_cost(const tw_module *m, uint64_t insn)
{
    const tw_field *f = &m->fields[tw_insn_x(insn)];
    const uint64_t bytes = 1 + (uint64_t)m->types[f->value_type].size_max;
    tw_bounds cost = reads(1, bytes);
    if (tw_insn_op(insn) == TW_OP_STORE) {
        const tw_bounds more = writes(1, bytes);
        tw_bounds_add(&cost, &more);
    }
    return cost;
}

/* The part that depends on sizes; the table's gas comes on top. */
static tw_bounds sized_cost(const tw_module *m, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    switch (tw_insn_op(insn)) {
    case TW_OP_MOVN:
    case TW_OP_ZERO:
    case TW_OP_EQN:
    case TW_OP_LTN: return (tw_bounds){.gas = x * TW_GAS_SLOT};
    case TW_OP_CALL: return (tw_bounds){0}; /* the callee's frame is in the callee's cost */
    case TW_OP_LDKN: return (tw_bounds){.gas = tw_insn_c(insn) * TW_GAS_SLOT};
    case TW_OP_PARAM: return (tw_bounds){.gas = m->types[m->params[x].type].slots * TW_GAS_SLOT};
    case TW_OP_LOAD:
    case TW_OP_STORE: return field_cost(m, insn);
    case TW_OP_GO: return go_cost(m);
    case TW_OP_MEMBER:
    case TW_OP_HOLDER: return reads(1, 64);
    case TW_OP_SIGNERS: {
        tw_bounds cost = reads(TW_SIGNERS_MAX, 64 * TW_SIGNERS_MAX);
        cost.gas += TW_SIGNERS_MAX * TW_GAS_MEMBER_SIGNER;
        return cost;
    }
    case TW_OP_GRANT: return grant_cost(m, x);
    case TW_OP_REVOKE: return revoke_cost(m, x);
    case TW_OP_STAT:
        return (tw_bounds){.gas = tw_cost_stat((tw_stat)(x >> 10), m->readings[x & 1023].keep)};
    case TW_OP_HOLDS:
    case TW_OP_SILENT: return (tw_bounds){.gas = TW_GAS_STAT};
    case TW_OP_EMIT: return notice(&m->events[x].members, TW_NOTICE_SIZE);
    case TW_OP_HISTORY: {
        tw_bounds cost = notice(&m->histories[x].members, TW_HISTORY_SIZE);
        cost.gas += tw_cost_hash(cost.event_bytes);
        return cost;
    }
    case TW_OP_FAIL: {
        tw_bounds cost = notice(&m->errors[x].members, TW_NOTICE_SIZE);
        cost.events = 0;
        cost.event_bytes = 0;
        return cost;
    }
    case TW_OP_HASH: return (tw_bounds){.gas = tw_cost_hash(m->types[x].max)};
    default: return (tw_bounds){0}; /* numbers, not an enum: the rest has a constant cost */
    }
}

tw_bounds tw_cost_insn(const tw_module *m, uint64_t insn)
{
    tw_bounds cost = sized_cost(m, insn);
    cost.gas += tw_op_find(tw_insn_op(insn))->gas;
    return cost;
}

tw_bounds tw_cost_entry(const tw_module *m, uint32_t effects)
{
    tw_bounds cost = reads(2, tw_size_control(m) + 512);
    const tw_bounds control = writes(1, tw_size_control(m));
    cost.gas += TW_GAS_ENTRY;
    if ((effects & (TW_EFFECT_WRITES_STATE | TW_EFFECT_DEPLOYS)) != 0) {
        tw_bounds_add(&cost, &control);
    }
    for (uint16_t i = 0; i < m->reading_count && (effects & TW_EFFECT_READINGS) != 0; i++) {
        const uint32_t pages = tw_window_pages(m->readings[i].keep);
        const tw_bounds windows =
            reads(2 + pages, tw_size_device(m) + (uint64_t)pages * TW_PAGE_SIZE);
        tw_bounds_add(&cost, &windows);
    }
    return cost;
}

uint32_t tw_insn_effects(uint64_t insn)
{
    return tw_op_find(tw_insn_op(insn))->effects;
}
