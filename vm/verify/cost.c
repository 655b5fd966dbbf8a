/* cost -- see the header. State access is priced as cold; windows that a pack or an entry looks
 * into are paid once by the entry, so a statistic itself costs only its passes over the samples. */
#include "vm/verify/cost.h"

#include "vm/isa/operands.h"

void tw_bounds_times(tw_bounds *product, uint64_t factor)
{
    product->gas = tw_mul_capped(product->gas, factor);
    product->reads = tw_mul32_capped(product->reads, factor);
    product->writes = tw_mul32_capped(product->writes, factor);
    product->event_bytes = tw_mul32_capped(product->event_bytes, factor);
    product->events = tw_mul32_capped(product->events, factor);
}

uint64_t tw_cost_stat(tw_stat stat, uint64_t samples)
{
    static const uint8_t of_eight[TW_STAT_END] = {
#define STATISTIC(number, name, word, shape, gas) [number] = (gas),
#include "vm/isa/statistics.def"
#undef STATISTIC
    };
    const uint64_t base = samples > 0 ? TW_GAS_STAT + TW_GAS_STAT_SPAN : TW_GAS_STAT;
    return base + samples * of_eight[stat] / 8;
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
        const tw_bounds cost = {.gas = TW_GAS_STAT_OPEN + tw_cost_stat(stat, r->keep)};
        return r->per_device ? sum(cost, (tw_bounds){.gas = window, .reads = 1 + pages}) : cost;
    }
    const uint64_t devices = m->roles[r->role].max;
    const uint64_t samples = devices * r->keep;
    tw_bounds cost = {.gas = window + tw_cost_read(1, 64) + TW_GAS_STAT, .reads = 2 + pages};
    tw_bounds_times(&cost, devices);
    cost.gas += tw_cost_stat(stat, samples < TW_SAMPLES_MAX ? samples : TW_SAMPLES_MAX);
    return sum(cost, reads(1, 0)); /* the last look finds no member */
}

/* A device that is named is looked up by the instruction; the one of a role, by the entry. */
static tw_bounds stamp_cost(const tw_module *m, uint32_t reading)
{
    return m->readings[reading].per_device ? reads(1, tw_size_device(m)) : (tw_bounds){0};
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
    const uint32_t step = m->types[list->of].slots;
    if (op == TW_OP_FIND) return (tw_bounds){.gas = tw_cost_find(list->max, step)};
    return (tw_bounds){.gas = (op == TW_OP_DROP ? list->slots : step) * TW_GAS_MOVED / 8};
}

static tw_bounds state_cost(const tw_module *m, uint64_t insn)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    if (o->x == TW_NAMED_LISTS) return list_cost(m, insn);
    if (tw_operands_field(m, insn) == NULL) return money_cost(m, insn);
    const bool thing = o->x == TW_NAMED_REGISTRY || o->x == TW_NAMED_HOLDING;
    return thing ? thing_cost(m, insn) : collection_cost(m, insn);
}

tw_bounds tw_cost_sized(const tw_module *m, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    if (tw_operands_find(tw_insn_op(insn)) != NULL) return state_cost(m, insn);
    switch (tw_insn_op(insn)) {
    case TW_OP_MOVN: return (tw_bounds){.gas = x * TW_GAS_MOVED / 8};
    case TW_OP_ZERO:
    case TW_OP_EQN: return (tw_bounds){.gas = tw_cost_slots(x)};
    case TW_OP_LTN: return (tw_bounds){.gas = x * TW_GAS_SLOT};
    case TW_OP_LDKN: return (tw_bounds){.gas = tw_cost_slots(tw_insn_c(insn))};
    case TW_OP_PARAM: return (tw_bounds){.gas = tw_cost_slots(m->types[m->params[x].type].slots)};
    case TW_OP_LOAD:
    case TW_OP_STORE: return field_cost(m, insn);
    case TW_OP_GO: return go_cost(m);
    case TW_OP_MEMBER:
    case TW_OP_HOLDER: return reads(1, 64);
    case TW_OP_SIGNERS:
        return sum(reads(TW_SIGNERS_MAX, 64 * TW_SIGNERS_MAX),
                   (tw_bounds){.gas = TW_SIGNERS_MAX * TW_GAS_SIGNER});
    case TW_OP_SIGNED: return (tw_bounds){.gas = TW_SIGNERS_MAX * TW_GAS_SIGNER};
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
        return (tw_bounds){.gas = tw_cost_slots(4 * m->types[x].slots) +
                                  tw_cost_hash(m->types[x].max)};
    default: return (tw_bounds){0}; /* a constant cost; or of CALL, whose frame is its callee's */
    }
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

tw_bounds tw_cost_entry(const tw_module *m, uint8_t kind, uint32_t effects)
{
    tw_bounds cost = reads(2, tw_size_control(m) + 512);
    const bool filed = kind >= TW_ENTRY_RAISED && kind <= TW_ENTRY_FALLS;
    if (filed) cost = sum(cost, writes(3, tw_size_control(m)));
    const bool writing = (effects & (TW_EFFECT_WRITES_STATE | TW_EFFECT_DEPLOYS)) != 0;
    cost.gas += TW_GAS_ENTRY;
    if (writing) cost = sum(cost, writes(1, tw_size_control(m)));
    if ((effects & TW_EFFECT_READINGS) != 0) cost = sum(cost, tw_cost_windows(m, false));
    return cost;
}
