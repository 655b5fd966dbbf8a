/* both -- see the header. One reference for the process: what it wraps has no place for a context.
 */
#include "tests/reference/both.h"

#include "vm/verify/cost.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN_MAX = 4096 };

/* An entry of a contract, and the most that it used. */
typedef struct known_entry {
    tw_hash module;
    uint16_t index;
    char contract[TW_NAME_SIZE_MAX + 1];
    char name[TW_NAME_SIZE_MAX + 1];
    uint32_t version;
    uint8_t kind;
    uint64_t runs;
    tw_bounds bound, most;
} known_entry;

/* What a run changed. Bytes are copies in `memory`. */
typedef struct changes {
    tw_change *items;
    size_t count;
} changes;

typedef struct both {
    reference *reference;
    tw_arena *memory;
    const char *report; /* file of TWVM_BOUNDS_REPORT */
    known_entry *known;
    uint32_t known_count;
    both_totals totals;
    both_spoil spoil;
} both;

tw_status __wrap_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome);
tw_status __real_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome);
tw_status __wrap_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas);
tw_status __real_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas);

tw_status __wrap_tw_intake_run(tw_exec *exec, tw_contract *contract, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);
tw_status __real_tw_intake_run(tw_exec *exec, tw_contract *contract, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake);

static void at_exit(void);

static both *instance(void)
{
    static both b;
    if (b.reference != NULL) return &b;
    b.reference = reference_new();
    b.memory = tw_arena_new((size_t)1024 * 1024 * 1024);
    b.known = tw_mem_new(KNOWN_MAX * sizeof *b.known);
    b.report = getenv("TWVM_BOUNDS_REPORT");
    if (b.reference == NULL || b.memory == NULL || b.known == NULL || atexit(at_exit) != 0) {
        fprintf(stderr, "both: no memory\n");
        abort();
    }
    b.totals.executed = reference_totals(b.reference);
    return &b;
}

both_totals both_totals_now(void)
{
    return instance()->totals;
}

void both_spoil_from_now(both_spoil what)
{
    instance()->spoil = what;
}

/* What a mistake in one of the engines would look like. */
static void spoil(both_spoil what, tw_outcome *o, changes *wrote, tw_contract *after,
                  tw_bounds *used)
{
    switch (what) {
    case BOTH_SPOIL_NOTHING:
    case BOTH_SPOIL_PACK:
    case BOTH_SPOIL_LOOKS:
    case BOTH_SPOIL_CHANGES: break;
    case BOTH_SPOIL_STATUS: o->status = TW_TRAP_FULL; break;
    case BOTH_SPOIL_GAS: o->gas++; break;
    case BOTH_SPOIL_PLACE: o->pc++; break;
    case BOTH_SPOIL_NOTICE: o->notices.size--; break;
    case BOTH_SPOIL_WRITTEN: wrote->items[0].value.size--; break;
    case BOTH_SPOIL_KEY: wrote->count--; break;
    case BOTH_SPOIL_MEMORY: after->control.phase_since++; break;
    case BOTH_SPOIL_BOUND: used->reads += 1000; break;
    }
}

/* ---- a difference ---- */

static void print_bytes(const char *what, tw_bytes bytes)
{
    fprintf(stderr, "  %s (%zu bytes) ", what, bytes.size);
    for (size_t i = 0; i < bytes.size && i < 320; i++) fprintf(stderr, "%02x", bytes.data[i]);
    fprintf(stderr, "%s\n", bytes.size > 320 ? "..." : "");
}

static void print_outcome(const char *who, tw_status status, const tw_outcome *o)
{
    fprintf(stderr,
            "  %s: returned %d, status %d index %u, gas %llu, writes %zu, events %u, histories %u, "
            "function %u pc %u\n",
            who, (int)status, (int)o->status, o->index, (unsigned long long)o->gas, o->writes,
            o->events, o->histories, o->function, o->pc);
    print_bytes("fields", o->fields);
    print_bytes("notices", o->notices);
}

static void differ(const tw_contract *c, const char *entry, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "both: %s, %s: %s differs\n", c->code->module->name, entry, what);
}

/* ---- what was written ---- */

static changes changes_since(both *b, const tw_overlay *overlay, tw_savepoint mark)
{
    changes list = {.count = tw_overlay_writes(overlay, mark)};
    list.items = TW_NEW_ARRAY(b->memory, tw_change, list.count);
    for (size_t i = 0; list.items != NULL && i < list.count; i++) {
        tw_bytes key, value;
        tw_overlay_written(overlay, mark, i, &key, &value);
        tw_change *item = &list.items[i];
        item->deleted = value.data == NULL;
        item->key = tw_bytes_of(tw_arena_copy(b->memory, key.data, key.size), key.size);
        if (item->deleted) continue;
        item->value = tw_bytes_of(tw_arena_copy(b->memory, value.data, value.size), value.size);
    }
    if (tw_arena_failed(b->memory)) {
        fprintf(stderr, "both: no memory for what an entry wrote\n");
        abort();
    }
    return list;
}

static const tw_change *change_of(const changes *list, tw_bytes key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tw_bytes_equal(list->items[i].key, key)) return &list->items[i];
    }
    return NULL;
}

/* NULL when both wrote the same; else the first key where they differ. */
static const tw_change *first_other(const changes *one, const changes *other)
{
    for (size_t i = 0; i < one->count; i++) {
        const tw_change *item = &one->items[i];
        const tw_change *same = change_of(other, item->key);
        if (same == NULL || same->deleted != item->deleted) return item;
        if (!tw_bytes_equal(same->value, item->value)) return item;
    }
    return NULL;
}

static bool same_changes(const changes *of_reference, const changes *of_machine)
{
    const tw_change *other = first_other(of_reference, of_machine);
    if (other == NULL) other = first_other(of_machine, of_reference);
    if (other == NULL) return true;
    const tw_change *r = change_of(of_reference, other->key);
    const tw_change *m = change_of(of_machine, other->key);
    print_bytes("key", other->key);
    if (r != NULL) print_bytes(r->deleted ? "reference: deleted" : "reference", r->value);
    if (m != NULL) print_bytes(m->deleted ? "machine: deleted" : "machine", m->value);
    return false;
}

/* ---- the contract in memory ---- */

static bool same_contract(const tw_contract *r, const tw_contract *m)
{
    const tw_module *module = m->code->module;
    const tw_control *a = &r->control;
    const tw_control *b = &m->control;
    bool same = a->phase == b->phase && a->phase_since == b->phase_since &&
                a->grants == b->grants && a->history_count == b->history_count &&
                tw_hash_equal(&a->history_head, &b->history_head);
    for (uint16_t i = 0; i < module->alarm_count; i++) {
        const tw_alarm_state *x = &a->alarms[i];
        const tw_alarm_state *y = &b->alarms[i];
        same = same && x->up == y->up && x->edge == y->edge && x->attempts == y->attempts &&
               x->time == y->time && x->due == y->due && x->indexed == y->indexed;
    }
    for (uint16_t i = 0; i < module->entry_count; i++) {
        same = same && a->timers[i].due == b->timers[i].due &&
               a->timers[i].attempts == b->timers[i].attempts;
    }
    for (uint16_t i = 0; i < module->deployed_count; i++) {
        same = same && r->deployed[i] == m->deployed[i];
    }
    return same;
}

/* ---- bounds ---- */

static bool within(const tw_bounds *used, const tw_bounds *bound)
{
    return used->gas <= bound->gas && used->reads <= bound->reads &&
           used->writes <= bound->writes && used->event_bytes <= bound->event_bytes &&
           used->events <= bound->events && used->slots <= bound->slots;
}

static void print_bounds(const char *who, const tw_bounds *b)
{
    fprintf(stderr, "  %s: gas %llu reads %u writes %u event bytes %u events %u slots %u\n", who,
            (unsigned long long)b->gas, b->reads, b->writes, b->event_bytes, b->events, b->slots);
}

static known_entry *entry_known(both *b, const tw_code *code, uint16_t index)
{
    for (uint32_t i = 0; i < b->known_count; i++) {
        known_entry *k = &b->known[i];
        if (k->index == index && tw_hash_equal(&k->module, &code->hash)) return k;
    }
    if (b->known_count == KNOWN_MAX) return NULL;
    const tw_entry *e = &code->module->entries[index];
    known_entry *k = &b->known[b->known_count++];
    *k = (known_entry){.module = code->hash,
                       .index = index,
                       .version = code->module->version,
                       .kind = e->kind,
                       .bound = code->facts->entries[index]};
    snprintf(k->contract, sizeof k->contract, "%s", code->module->name);
    snprintf(k->name, sizeof k->name, "%s", e->name);
    return k;
}

static void most_of(tw_bounds *most, const tw_bounds *used)
{
    tw_bounds_max(most, used);
    if (used->slots > most->slots) most->slots = used->slots;
}

static void hold_to_bound(both *b, const tw_contract *c, uint16_t index, const tw_bounds *used)
{
    const tw_bounds *bound = &c->code->facts->entries[index];
    if (!within(used, bound)) {
        differ(c, c->code->module->entries[index].name, "what was used from what is the most");
        print_bounds("used", used);
        print_bounds("bound", bound);
        abort();
    }
    known_entry *k = b->report != NULL ? entry_known(b, c->code, index) : NULL;
    if (k == NULL) return;
    k->runs++;
    most_of(&k->most, used);
}

static void at_exit(void)
{
    const both *b = instance();
    FILE *file = b->report != NULL ? fopen(b->report, "a") : NULL;
    if (file == NULL) return;
    for (uint32_t i = 0; i < b->known_count; i++) {
        const known_entry *k = &b->known[i];
        fprintf(file, "%s %u\t%s\t%u\t%llu\t%llu %llu\t%u %u\t%u %u\t%u %u\t%u %u\n", k->contract,
                k->version, k->name, k->kind, (unsigned long long)k->runs,
                (unsigned long long)k->most.gas, (unsigned long long)k->bound.gas, k->most.reads,
                k->bound.reads, k->most.writes, k->bound.writes, k->most.event_bytes,
                k->bound.event_bytes, k->most.slots, k->bound.slots);
    }
    fclose(file);
}

/* ---- the two engines ---- */

bool both_same_outcome(const tw_outcome *r, const tw_outcome *m)
{
    return r->status == m->status && r->index == m->index && r->gas == m->gas &&
           r->writes == m->writes && r->events == m->events && r->histories == m->histories &&
           r->function == m->function && r->pc == m->pc && tw_bytes_equal(r->fields, m->fields) &&
           tw_bytes_equal(r->notices, m->notices);
}

/* A failure of the host is no result: of memory or of the store, not of what the reference knows.
 */
static bool is_judged(tw_status first, tw_status second)
{
    const tw_status returned[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        if (returned[i] == TW_ERR_MEMORY || returned[i] == TW_ERR_STORE) return false;
    }
    return true;
}

static void judge(both *b, const tw_contract *after, const tw_contract *contract,
                  const tw_outcome *r, const tw_outcome *m, const changes *wrote,
                  const changes *written, uint16_t index)
{
    const char *entry = contract->code->module->entries[index].name;
    const char *what = NULL;
    /* a contract whose deployment failed never was */
    const bool is_void =
        m->status != TW_OK && contract->code->module->entries[index].kind == TW_ENTRY_DEPLOY;
    if (!both_same_outcome(r, m)) {
        what = "the outcome";
    } else if (!same_changes(wrote, written)) {
        what = "what was written";
    } else if (!is_void && !same_contract(after, contract)) {
        what = "the contract in memory";
    }
    if (what == NULL) {
        b->totals.runs++;
        return;
    }
    differ(contract, entry, what);
    print_outcome("reference", TW_OK, r);
    print_outcome("machine", TW_OK, m);
    abort();
}

tw_status __wrap_tw_exec_run(tw_exec *exec, tw_contract *contract, const tw_call *call,
                             tw_outcome *ret_outcome)
{
    both *b = instance();
    tw_outcome expected = {0};
    tw_contract *after = NULL;
    tw_bounds used = {0};
    tw_savepoint mark;
    tw_arena_clear(b->memory);
    TW_TRY(tw_overlay_mark(contract->overlay, &mark));
    const tw_status first = reference_run(b->reference, contract, call, &expected, &after, &used);
    changes wrote = changes_since(b, contract->overlay, mark);
    tw_overlay_undo(contract->overlay, mark);
    TW_TRY(tw_overlay_mark(contract->overlay, &mark));
    const tw_status status = __real_tw_exec_run(exec, contract, call, ret_outcome);
    const changes written = changes_since(b, contract->overlay, mark);
    tw_overlay_keep(contract->overlay, mark);
    if (!is_judged(first, status)) {
        b->totals.unjudged++;
        return status;
    }
    if (first != status) {
        differ(contract, contract->code->module->entries[call->entry].name, "the status returned");
        fprintf(stderr, "  reference %d, machine %d\n", (int)first, (int)status);
        abort();
    }
    if (status != TW_OK) return status;
    spoil(b->spoil, &expected, &wrote, after, &used);
    judge(b, after, contract, &expected, ret_outcome, &wrote, &written, call->entry);
    hold_to_bound(b, contract, call->entry, &used);
    return TW_OK;
}

tw_status __wrap_tw_exec_condition(tw_exec *exec, tw_contract *contract, uint16_t function,
                                   int64_t end, bool *ret_holds, uint64_t *ret_gas)
{
    both *b = instance();
    bool holds = false;
    tw_bounds used = {0};
    const tw_status first =
        reference_condition(b->reference, contract, function, end, &holds, &used);
    const tw_status status =
        __real_tw_exec_condition(exec, contract, function, end, ret_holds, ret_gas);
    if (!is_judged(first, status)) {
        b->totals.unjudged++;
        return status;
    }
    const bool same =
        first == status && (status != TW_OK || (holds == *ret_holds && used.gas == *ret_gas));
    const tw_bounds *bound = &contract->code->facts->functions[function].worst;
    if (same && used.gas <= bound->gas) {
        b->totals.conditions++;
        return status;
    }
    differ(contract, contract->code->module->functions[function].name, "the condition");
    fprintf(stderr, "  reference: returned %d, holds %d, gas %llu; machine: %d, %d, %llu\n",
            (int)first, holds, (unsigned long long)used.gas, (int)status, *ret_holds,
            (unsigned long long)*ret_gas);
    print_bounds("bound", bound);
    abort();
}

/* ---- packs ---- */

static bool same_intake(const tw_intake *r, const tw_intake *m)
{
    bool same = r->accepted == m->accepted && r->refused_count == m->refused_count &&
                r->edge_count == m->edge_count && r->gas == m->gas;
    for (uint32_t i = 0; same && i < r->refused_count; i++) {
        same = r->refused[i].place == m->refused[i].place &&
               r->refused[i].reason == m->refused[i].reason;
    }
    for (uint32_t i = 0; same && i < r->edge_count; i++) {
        same = r->edges[i].alarm == m->edges[i].alarm && r->edges[i].edge == m->edges[i].edge &&
               r->edges[i].time == m->edges[i].time;
    }
    if (!same) {
        fprintf(
            stderr,
            "  reference: accepted %u, refused %u, edges %u, gas %llu; machine: %u, %u, %u, %llu\n",
            r->accepted, r->refused_count, r->edge_count, (unsigned long long)r->gas, m->accepted,
            m->refused_count, m->edge_count, (unsigned long long)m->gas);
    }
    return same;
}

/* What the whole has beside a part; a part at the largest number says nothing of the rest. */
static uint32_t beside(uint32_t whole, uint32_t part)
{
    return part == UINT32_MAX ? UINT32_MAX : whole - part;
}

/* The readings cost no more than each of them may, and look at and write no more than is in the
 * price of a pack beside its handlers, which run as entries of their own. */
static bool intake_within(const tw_code *code, const tw_pack_reading *readings, uint16_t count,
                          const tw_bounds *used)
{
    const tw_bounds *pack = &code->facts->pack;
    const tw_bounds *handlers = &code->facts->handlers;
    tw_bounds most = {.reads = beside(pack->reads, handlers->reads),
                      .writes = beside(pack->writes, handlers->writes),
                      .event_bytes = beside(pack->event_bytes, handlers->event_bytes),
                      .events = beside(pack->events, handlers->events)};
    for (uint16_t i = 0; i < count; i++) {
        const bool declared = readings[i].reading < code->module->reading_count;
        most.gas += declared ? code->facts->intake_gas[readings[i].reading] : TW_GAS_INTAKE;
    }
    if (within(used, &most)) return true;
    print_bounds("used", used);
    print_bounds("bound", &most);
    return false;
}

tw_status __wrap_tw_intake_run(tw_exec *exec, tw_contract *contract, const tw_account *device,
                               const tw_pack_reading *readings, uint16_t count, int64_t now,
                               tw_arena *arena, tw_intake *ret_intake)
{
    both *b = instance();
    tw_intake expected = {0};
    tw_contract *after = NULL;
    tw_bounds used = {0};
    tw_savepoint mark;
    tw_arena_clear(b->memory);
    TW_TRY(tw_overlay_mark(contract->overlay, &mark));
    const tw_status first = reference_intake(b->reference, contract, device, readings, count, now,
                                             &expected, &after, &used);
    const changes wrote = changes_since(b, contract->overlay, mark);
    tw_overlay_undo(contract->overlay, mark);
    TW_TRY(tw_overlay_mark(contract->overlay, &mark));
    const tw_status status =
        __real_tw_intake_run(exec, contract, device, readings, count, now, arena, ret_intake);
    const changes written = changes_since(b, contract->overlay, mark);
    tw_overlay_keep(contract->overlay, mark);
    if (!is_judged(first, status)) {
        b->totals.unjudged++;
        return status;
    }
    used.writes = (uint32_t)written.count;
    if (b->spoil == BOTH_SPOIL_PACK) expected.accepted--;
    if (b->spoil == BOTH_SPOIL_LOOKS) used.reads += 1000;
    if (b->spoil == BOTH_SPOIL_CHANGES) used.writes += 1000;
    const bool same =
        first == status &&
        (status != TW_OK ||
         (same_intake(&expected, ret_intake) && same_changes(&wrote, &written) &&
          same_contract(after, contract) && intake_within(contract->code, readings, count, &used)));
    if (same) {
        b->totals.packs++;
        return status;
    }
    differ(contract, "a pack", "what came of it");
    fprintf(stderr, "  reference %d, machine %d\n", (int)first, (int)status);
    abort();
}
