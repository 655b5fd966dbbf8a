/* cost -- see the header. State access is priced as cold; windows that a pack or an entry looks
 * into are paid once by the entry, so a statistic itself costs only its passes over the samples. */
#include "vm/verify/cost.h"

#include "vm/isa/operands.h"

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
    case TW_STAT_TIME_OF:
    case TW_STAT_COUNT:
    case TW_STAT_DEVICES: return TW_GAS_STAT;
    case TW_STAT_SUM:
    case TW_STAT_AVG:
    case TW_STAT_MIN:
    case TW_STAT_MAX:
    case TW_STAT_RMS: return TW_GAS_STAT + samples * TW_GAS_STAT_SAMPLE;
    case TW_STAT_SLOPE: return TW_GAS_STAT + 4 * samples * TW_GAS_STAT_SAMPLE;
    case TW_STAT_MEDIAN:
    case TW_STAT_PERCENTILE:
        return TW_GAS_STAT + samples * (TW_GAS_STAT_SAMPLE + TW_GAS_STAT_SELECT);
    case TW_STAT_MAD: return TW_GAS_STAT + 2 * samples * (TW_GAS_STAT_SAMPLE + TW_GAS_STAT_SELECT);
    case TW_STAT_END: break;
    }
    return UINT64_MAX;
}

uint64_t tw_size_control(const tw_module *m)
{
    return 128 + 32 * (uint64_t)m->alarm_count + 16 * (uint64_t)m->timer_count;
}

uint64_t tw_size_device(const tw_module *m)
{
    return 128 + 24 * (uint64_t)m->reading_count + 16 * (uint64_t)m->stamp_count;
}

uint64_t tw_size_field(const tw_module *m, const tw_field *f)
{
    const uint64_t head = f->kind == TW_FIELD_REGISTRY ? TW_THING_HEAD_MAX : 1;
    return head + m->types[f->value_type].size_max;
}

static tw_bounds reads(uint32_t count, uint64_t bytes)
{
    return (tw_bounds){.gas = tw_cost_read(count, bytes), .reads = count};
}

static tw_bounds writes(uint32_t count, uint64_t bytes)
{
    return (tw_bounds){.gas = tw_cost_write(count, bytes), .writes = count};
}

static tw_bounds sum(tw_bounds one, tw_bounds other)
{
    tw_bounds_add(&one, &other);
    return one;
}

/* Reads `count` values and writes them back. */
static tw_bounds changes(uint32_t count, uint64_t bytes)
{
    return sum(reads(count, bytes), writes(count, bytes));
}

static tw_bounds notice(const tw_members *members, uint32_t head)
{
    const uint32_t bytes = head + members->size_max;
    return (tw_bounds){.gas = members->slots * TW_GAS_SLOT + tw_cost_notice(bytes),
                       .event_bytes = bytes,
                       .events = 1};
}

/* Silent timers of the readings of a role are set anew when a member comes or goes; and is there
 * money of the account in the purses of the role? */
static tw_bounds grant_cost(const tw_module *m, uint32_t role)
{
    const uint32_t purses = m->by_role[role].purses;
    const uint64_t bytes = tw_size_device(m) + 64;
    return sum(reads(3 + purses, bytes + (uint64_t)purses * TW_AMOUNT_SIZE),
               writes(3 + 2 * m->by_role[role].silent_timers, bytes));
}

/* A new phase stops the timers of the one before and starts its own; pending edges may find a
 * handler. */
static tw_bounds go_cost(const tw_module *m)
{
    return writes(2 * m->timer_count + m->alarm_count, 0);
}

static tw_bounds field_cost(const tw_module *m, uint64_t insn)
{
    const tw_field *f = &m->fields[tw_insn_x(insn)];
    const uint64_t bytes = tw_size_field(m, f);
    if (tw_insn_op(insn) == TW_OP_LOAD) return reads(1, bytes);
    return f->kind == TW_FIELD_MAP ? changes(2, bytes + TW_COUNT_SIZE) : changes(1, bytes);
}

static tw_bounds stat_cost(const tw_module *m, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const tw_reading *r = &m->readings[x & 1023];
    const tw_stat stat = (tw_stat)(x >> 10);
    const uint32_t pages = tw_window_pages(r->keep);
    const uint64_t window = tw_cost_window(pages, tw_size_device(m));
    if (tw_insn_op(insn) == TW_OP_STAT) {
        const tw_bounds cost = {.gas = tw_cost_stat(stat, r->keep)};
        return r->per_device ? sum(cost, (tw_bounds){.gas = window, .reads = 1 + pages}) : cost;
    }
    const uint64_t devices = m->roles[r->role].max;
    const uint64_t samples = devices * r->keep;
    tw_bounds cost = {.gas = window + tw_cost_read(1, 64) + TW_GAS_STAT, .reads = 2 + pages};
    tw_bounds_times(&cost, devices);
    cost.gas += tw_cost_stat(stat, samples < TW_SAMPLES_MAX ? samples : TW_SAMPLES_MAX);
    return cost;
}

/* A device that is named is looked up by the instruction; the one of a role, by the entry. */
static tw_bounds stamp_cost(const tw_module *m, uint32_t reading)
{
    const tw_bounds cost = {.gas = TW_GAS_STAT};
    return m->readings[reading].per_device ? sum(cost, reads(1, tw_size_device(m))) : cost;
}

static tw_bounds transfer(void)
{
    return (tw_bounds){.gas = tw_cost_notice(TW_TRANSFER_SIZE), .event_bytes = TW_TRANSFER_SIZE};
}

/* A purse per role keeps a total, and who holds a part of it is looked up at the entry's end; one
 * that falls to somebody has a timer. */
static tw_bounds purse_cost(const tw_purse *p)
{
    if (p->role != TW_NONE) return sum(changes(2, 2 * TW_AMOUNT_SIZE), reads(1, 64));
    return sum(changes(1, TW_AMOUNT_SIZE), writes(2 * p->timers, 0));
}

static tw_bounds money_cost(const tw_module *m, uint64_t insn)
{
    const tw_purse *p = tw_operands_purse(m, insn);
    const tw_bounds balance = changes(1, TW_AMOUNT_SIZE);
    const tw_bounds asset = changes(1, TW_ASSET_SIZE_MAX);
    const tw_bounds payee = reads(1, 64); /* is it a contract? */
    switch (tw_insn_op(insn)) {
    case TW_OP_RECEIVE: return sum(transfer(), sum(purse_cost(p), balance));
    case TW_OP_PAY: return sum(transfer(), sum(purse_cost(p), sum(payee, balance)));
    case TW_OP_SHIFT: {
        const tw_purse *to = &m->purses[tw_insn_x(insn) % 256];
        return sum(transfer(), sum(purse_cost(p), purse_cost(to)));
    }
    case TW_OP_MINT: return sum(transfer(), sum(asset, sum(payee, balance)));
    case TW_OP_MINTIN:
    case TW_OP_BURN: return sum(transfer(), sum(asset, purse_cost(p)));
    case TW_OP_SUPPLY: return reads(1, TW_ASSET_SIZE_MAX);
    default: return reads(1, TW_AMOUNT_SIZE); /* PURSE, TOTAL, BALANCE */
    }
}

static tw_bounds thing_cost(const tw_module *m, uint64_t insn)
{
    const tw_field *f = tw_operands_field(m, insn);
    const uint64_t bytes = tw_size_field(m, f);
    const uint64_t any = TW_THING_HEAD_MAX + (uint64_t)m->thing_size_max;
    const tw_bounds above = reads(f->holders, f->holders * any);
    switch (tw_insn_op(insn)) {
    case TW_OP_CREATE: return changes(2, bytes + TW_COUNT_SIZE);
    case TW_OP_GIVE:
    case TW_OP_RETIRE: return changes(1, bytes);
    case TW_OP_ATTACH: return changes(2, bytes + any);
    case TW_OP_DETACH: return sum(changes(2, bytes + any), above);
    case TW_OP_OWNER: return sum(reads(1, bytes), above);
    case TW_OP_HELD: return reads(2, bytes + any);
    case TW_OP_LOG: {
        const uint32_t head = TW_THING_HISTORY_SIZE + TW_KEY_SIZE_MAX;
        tw_bounds cost = notice(&m->histories[tw_insn_c(insn)].members, head);
        cost.gas += tw_cost_hash(cost.event_bytes);
        return sum(cost, changes(1, bytes));
    }
    default: return reads(1, bytes); /* MAKER, LOGGED */
    }
}

static tw_bounds collection_cost(const tw_module *m, uint64_t insn)
{
    const tw_field *f = tw_operands_field(m, insn);
    const uint64_t bytes = tw_size_field(m, f);
    switch (tw_insn_op(insn)) {
    case TW_OP_REMOVE: return changes(2, bytes + TW_COUNT_SIZE);
    case TW_OP_SIZE: return reads(1, TW_COUNT_SIZE);
    case TW_OP_TOP: {
        tw_bounds cost = reads(1, bytes);
        cost.gas += tw_cost_slots(m->types[tw_insn_c(insn)].slots);
        tw_bounds_times(&cost, f->max + 1); /* the last look finds none */
        return cost;
    }
    default: return reads(1, bytes); /* EXISTS, NEXT */
    }
}

/* An element moved; of DROP and FIND the whole list. */
static tw_bounds list_cost(const tw_module *m, uint64_t insn)
{
    const tw_type *list = &m->types[tw_insn_x(insn)];
    const uint8_t op = tw_insn_op(insn);
    if (op == TW_OP_FIND) return (tw_bounds){.gas = list->slots * TW_GAS_SLOT};
    return (tw_bounds){
        .gas = tw_cost_slots(op == TW_OP_DROP ? list->slots : m->types[list->of].slots)};
}

static tw_bounds state_cost(const tw_module *m, uint64_t insn)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    if (o->x == TW_NAMED_LISTS) return list_cost(m, insn);
    if (tw_operands_field(m, insn) == NULL) return money_cost(m, insn);
    const bool thing = o->x == TW_NAMED_REGISTRY || o->x == TW_NAMED_HOLDING;
    return thing ? thing_cost(m, insn) : collection_cost(m, insn);
}

/* The part that depends on sizes; the table's gas comes on top. */
static tw_bounds sized_cost(const tw_module *m, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    if (tw_operands_find(tw_insn_op(insn)) != NULL) return state_cost(m, insn);
    switch (tw_insn_op(insn)) {
    case TW_OP_MOVN:
    case TW_OP_ZERO:
    case TW_OP_EQN: return (tw_bounds){.gas = tw_cost_slots(x)};
    case TW_OP_LTN: return (tw_bounds){.gas = x * TW_GAS_SLOT};
    case TW_OP_CALL: return (tw_bounds){0}; /* the callee's frame is in the callee's cost */
    case TW_OP_LDKN: return (tw_bounds){.gas = tw_cost_slots(tw_insn_c(insn))};
    case TW_OP_PARAM: return (tw_bounds){.gas = tw_cost_slots(m->types[m->params[x].type].slots)};
    case TW_OP_LOAD:
    case TW_OP_STORE: return field_cost(m, insn);
    case TW_OP_GO: return go_cost(m);
    case TW_OP_MEMBER:
    case TW_OP_HOLDER: return reads(1, 64);
    case TW_OP_SIGNERS:
        return sum(reads(TW_SIGNERS_MAX, 64 * TW_SIGNERS_MAX),
                   (tw_bounds){.gas = TW_SIGNERS_MAX * TW_GAS_MEMBER_SIGNER});
    case TW_OP_GRANT: return grant_cost(m, x);
    case TW_OP_REVOKE: return sum(grant_cost(m, x), changes(m->by_role[x].pages, 0));
    case TW_OP_STAT:
    case TW_OP_ACROSS: return stat_cost(m, insn);
    case TW_OP_HOLDS: return stamp_cost(m, m->stamps[x].reading);
    case TW_OP_SILENT: return stamp_cost(m, x);
    case TW_OP_EMIT: return notice(&m->events[x].members, TW_NOTICE_SIZE);
    case TW_OP_HISTORY: {
        tw_bounds cost = notice(&m->histories[x].members, TW_HISTORY_SIZE);
        cost.gas += tw_cost_hash(cost.event_bytes);
        return cost;
    }
    case TW_OP_FAIL: return (tw_bounds){.gas = notice(&m->errors[x].members, TW_NOTICE_SIZE).gas};
    case TW_OP_HASH:
        return (tw_bounds){.gas = m->types[x].slots * TW_GAS_SLOT + tw_cost_hash(m->types[x].max)};
    default: return (tw_bounds){0}; /* numbers, not an enum: the rest has a constant cost */
    }
}

tw_bounds tw_cost_insn(const tw_module *m, uint64_t insn)
{
    const tw_op_row *row = tw_op_find(tw_insn_op(insn));
    const tw_shape_row *shape = tw_shape_find(row->shape);
    const bool plain = shape->fixed && shape->x <= TW_INDEX_FREE;
    tw_bounds cost = plain ? (tw_bounds){0} : sized_cost(m, insn);
    cost.gas += row->gas;
    return cost;
}

tw_bounds tw_cost_windows(const tw_module *m, bool per_device)
{
    tw_bounds cost = {0};
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].per_device && !per_device) continue;
        const uint32_t pages = tw_window_pages(m->readings[i].keep);
        const uint64_t bytes = tw_size_device(m) + (uint64_t)pages * TW_PAGE_SIZE;
        cost = sum(cost, reads(2 + pages, bytes));
    }
    return cost;
}

tw_bounds tw_cost_entry(const tw_module *m, uint32_t effects)
{
    tw_bounds cost = reads(2, tw_size_control(m) + 512);
    const bool writing = (effects & (TW_EFFECT_WRITES_STATE | TW_EFFECT_DEPLOYS)) != 0;
    cost.gas += TW_GAS_ENTRY;
    if (writing) cost = sum(cost, writes(1, tw_size_control(m)));
    if ((effects & TW_EFFECT_READINGS) != 0) cost = sum(cost, tw_cost_windows(m, false));
    return cost;
}

bool tw_insn_is_old(const tw_module *m, uint64_t insn)
{
    const tw_shape shape = tw_op_find(tw_insn_op(insn))->shape;
    const bool plain = shape == TW_SHAPE_FIELD;
    if (!plain && shape != TW_SHAPE_STATE) return false;
    const tw_field *f = plain ? &m->fields[tw_insn_x(insn)] : tw_operands_field(m, insn);
    return f != NULL && f->old;
}

uint32_t tw_insn_effects(const tw_module *m, uint64_t insn)
{
    const uint32_t old = tw_insn_is_old(m, insn) ? TW_EFFECT_OLD : 0;
    return tw_op_find(tw_insn_op(insn))->effects | old;
}
