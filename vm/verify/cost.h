/* cost -- what an instruction may cost at most, and the formulas that charge what it did cost.
 *
 * Called by the bounds (worst case over the declared sizes) and by the interpreter (the same
 * formula over the sizes met), so that a charge never passes a bound.
 */
#ifndef TW_VERIFY_COST_H
#define TW_VERIFY_COST_H

#include "vm/base/math.h"
#include "vm/isa/operands.h"

enum {
    TW_PAGE_SIZE = 1 + 16 * TW_PAGE_SAMPLES, /* tag, then (time, value) each 8 bytes */
    TW_NOTICE_SIZE = 5,                      /* kind, index and size before an event's fields */
    TW_HISTORY_SIZE = 117, /* the same, number, time, caller, transaction, hash before */
    TW_THING_HISTORY_SIZE = TW_HISTORY_SIZE + 4, /* of a thing, with registry and size of its key */
    TW_THING_HEAD_SIZE = 106,                    /* of a thing, before its record: see thing.h */
    TW_THING_HOLDER_SIZE = 8, /* more when it is attached, and the holder's key */
    TW_THING_HEAD_MAX = TW_THING_HEAD_SIZE + TW_THING_HOLDER_SIZE + TW_KEY_SIZE_MAX,
    TW_TRANSFER_SIZE = 80,   /* of a notice of money */
    TW_COUNT_SIZE = 5,       /* tag and how many keys a map or registry has */
    TW_AMOUNT_SIZE = 9,      /* tag and amount, of a purse or a balance */
    TW_ASSET_SIZE_MAX = 128, /* the record of an asset */
    TW_SIGNERS_MAX = 16,     /* of a transaction */
    /* notices of an entry */
    TW_NOTICES_SIZE_MAX =
        TW_EVENTS_MAX * (TW_EVENT_SIZE_MAX + TW_THING_HISTORY_SIZE + TW_KEY_SIZE_MAX),
};

/* Adds that stop at the largest value instead of wrapping. */
static inline uint64_t tw_cost_add(uint64_t a, uint64_t b)
{
    uint64_t sum = 0;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}
static inline void tw_bounds_add(tw_bounds *sum, const tw_bounds *more)
{
    sum->gas = tw_cost_add(sum->gas, more->gas);
    sum->reads = tw_add32_capped(sum->reads, more->reads);
    sum->writes = tw_add32_capped(sum->writes, more->writes);
    sum->event_bytes = tw_add32_capped(sum->event_bytes, more->event_bytes);
    sum->events = tw_add32_capped(sum->events, more->events);
}
static inline void tw_bounds_max(tw_bounds *largest, const tw_bounds *other)
{
    if (other->gas > largest->gas) largest->gas = other->gas;
    if (other->reads > largest->reads) largest->reads = other->reads;
    if (other->writes > largest->writes) largest->writes = other->writes;
    if (other->event_bytes > largest->event_bytes) largest->event_bytes = other->event_bytes;
    if (other->events > largest->events) largest->events = other->events;
}
void tw_bounds_times(tw_bounds *product, uint64_t factor);

/* `bytes` of one value read or written, `count` values. */
static inline uint64_t tw_cost_read(uint64_t count, uint64_t bytes)
{
    return count * TW_GAS_READ + bytes * TW_GAS_READ_BYTE;
}
static inline uint64_t tw_cost_write(uint64_t count, uint64_t bytes)
{
    return count * TW_GAS_WRITE + bytes * TW_GAS_WRITE_BYTE;
}
static inline uint64_t tw_cost_slots(uint64_t slots)
{
    return slots * TW_GAS_SLOTS / 8;
}
/* A call's frame: arguments copied, the rest zeroed, results copied back. */
static inline uint64_t tw_cost_frame(const tw_function *f)
{
    return tw_cost_slots((uint64_t)f->frame_slots + f->result_slots);
}
static inline uint64_t tw_cost_notice(uint64_t bytes)
{
    return TW_GAS_EVENT + bytes * TW_GAS_EVENT_BYTE;
}
static inline uint64_t tw_cost_hash(uint64_t bytes)
{
    return TW_GAS_HASH + bytes * TW_GAS_HASH_BYTE;
}

/* A search over `count` elements of `step` slots. */
static inline uint64_t tw_cost_find(uint64_t count, uint64_t step)
{
    const uint64_t each = (step > 1 ? step + 1 : 1) * TW_GAS_ELEMENT;
    return count * each + tw_cost_slots(2 * count * step);
}

/* A statistic over `samples` readings of a window. */
uint64_t tw_cost_stat(tw_stat stat, uint64_t samples);

/* A look into `pages` pages of the window of one device, and into its record of `record` bytes. */
static inline uint64_t tw_cost_window(uint64_t pages, uint64_t record)
{
    return tw_cost_read(1 + pages, record + pages * TW_PAGE_SIZE);
}

/* Bytes of the VM's own records in the state of a contract of this module. */
uint64_t tw_size_control(const tw_module *m);
uint64_t tw_size_device(const tw_module *m);
/* Bytes of the longest value of a field in the state. */
uint64_t tw_size_field(const tw_module *m, const tw_field *f);

/* The part of tw_cost_insn that depends on sizes. */
tw_bounds tw_cost_sized(const tw_module *m, uint64_t insn);

/* The most that one execution of `insn`, whose operands are in range, costs by itself: without
 * the code it calls or repeats. Here, because handing on what was just written part by part waits
 * for it: a tenth of the time of verifying. */
static inline tw_bounds tw_cost_insn(const tw_module *m, uint64_t insn)
{
    const tw_op_row *row = tw_op_find(tw_insn_op(insn));
    tw_bounds cost = {0};
    if (!row->whole) cost = tw_cost_sized(m, insn);
    cost.gas += row->gas;
    return cost;
}

/* What a run of an entry of this kind costs beside its instructions: set-up, the control record; of
 * one that a timer or an edge starts, its key in the index that goes, another that may come, and
 * the control record that says so; and, with TW_EFFECT_READINGS, the device records and windows it
 * may look into. Those of readings per device are paid by the instructions, which name the devices.
 */
tw_bounds tw_cost_entry(const tw_module *m, uint8_t kind, uint32_t effects);

/* What taking in readings may look into: the device record and windows of one device; without
 * `per_device` what an entry may, which names no device. */
tw_bounds tw_cost_windows(const tw_module *m, bool per_device);

/* True when the instruction names a field of the contract of the version before. */
static inline bool tw_insn_is_old(const tw_module *m, tw_shape shape, uint64_t insn)
{
    const tw_field *f = shape == TW_SHAPE_FIELD   ? &m->fields[tw_insn_x(insn)]
                        : shape == TW_SHAPE_STATE ? tw_operands_field(m, insn)
                                                  : NULL;
    return f != NULL && f->old;
}

/* Effects of the instruction: the table's, and TW_EFFECT_OLD. */
static inline uint32_t tw_insn_effects(const tw_module *m, uint64_t insn)
{
    const tw_op_row *row = tw_op_find(tw_insn_op(insn));
    return row->effects | (tw_insn_is_old(m, row->shape, insn) ? TW_EFFECT_OLD : 0);
}

#endif
