/* gas -- what the reference charges: for each run of instructions, from the module's words.
 *
 * A run begins at a function's entry, a jump's target, a loop's head, and after each instruction
 * that opcodes.def says ends one. Its whole cost is charged when it begins: of each instruction the
 * table's gas, and the part that depends on sizes where the declarations alone say the size; where
 * the size is only met when it runs, its own file charges.
 * Written apart from vm/verify/cost.c, over gas.def.
 */
#include "tests/reference/machine.h"
#include "vm/isa/operands.h"

enum { PLAN_MEMORY_MAX = 16 * 1024 * 1024 };

static uint64_t control_size(const tw_module *m)
{
    return 128 + 32 * (uint64_t)m->alarm_count;
}

bool ref_is_timed(const tw_entry *e)
{
    return e->kind == TW_ENTRY_SILENT || e->kind == TW_ENTRY_EVERY || e->kind == TW_ENTRY_AFTER ||
           e->kind == TW_ENTRY_FALLS;
}

static uint64_t timers_of(const tw_module *m)
{
    uint64_t count = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) count += ref_is_timed(&m->entries[i]);
    return count;
}

static uint64_t device_size(const tw_module *m)
{
    return 128 + 24 * (uint64_t)m->reading_count + 16 * (uint64_t)m->stamp_count;
}

uint64_t ref_entry_gas(const tw_module *m, uint16_t entry, uint32_t effects)
{
    const tw_entry *e = &m->entries[entry];
    const uint64_t control = control_size(m) + 16 * timers_of(m);
    uint64_t gas = TW_GAS_ENTRY + ref_read_gas(2, control + 512);
    if (ref_is_timed(e) || e->kind == TW_ENTRY_RAISED || e->kind == TW_ENTRY_CLEARED) {
        gas += ref_write_gas(3, control); /* a key of an index goes and one comes; the record */
    }
    if ((effects & (TW_EFFECT_WRITES_STATE | TW_EFFECT_DEPLOYS)) != 0) {
        gas += ref_write_gas(1, control);
    }
    if ((effects & TW_EFFECT_READINGS) == 0) return gas;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (m->readings[i].per_device) continue;
        const uint64_t pages = ref_pages(m->readings[i].keep);
        gas += ref_read_gas(2 + pages, device_size(m) + pages * REF_PAGE_SIZE);
    }
    return gas;
}

/* ---- roles ---- */

/* The member, the role, its device; each of its silent timers twice; a look into each purse of the
 * role. To revoke also takes the pages of its windows away. */
static uint64_t role_gas(const tw_module *m, uint32_t role, bool revoke)
{
    uint64_t silent = 0;
    uint64_t gas = 0;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        silent += e->kind == TW_ENTRY_SILENT && m->readings[e->of].role == role;
    }
    gas += ref_read_gas(3, device_size(m) + 64);
    gas += ref_write_gas(3 + 2 * silent, device_size(m) + 64);
    for (uint16_t i = 0; i < m->purse_count; i++) {
        if (m->purses[i].role == role) gas += ref_read_gas(1, REF_AMOUNT_SIZE);
    }
    for (uint16_t i = 0; revoke && i < m->reading_count; i++) {
        const uint64_t pages = ref_pages(m->readings[i].keep);
        if (m->readings[i].role == role) gas += ref_read_gas(pages, 0) + ref_write_gas(pages, 0);
    }
    return gas;
}

/* ---- money ---- */

static uint64_t change_gas(uint64_t keys, uint64_t bytes)
{
    return ref_read_gas(keys, bytes) + ref_write_gas(keys, bytes);
}

/* An amount in a purse: of one per role also the total and who is a member; of one that falls to
 * somebody its timer. */
static uint64_t purse_gas(const tw_module *m, uint32_t purse)
{
    if (m->purses[purse].role != TW_NONE) {
        return change_gas(2, 2 * REF_AMOUNT_SIZE) + ref_read_gas(1, 64);
    }
    uint64_t gas = change_gas(1, REF_AMOUNT_SIZE);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind == TW_ENTRY_FALLS && e->of == purse) gas += ref_write_gas(2, 0);
    }
    return gas;
}

static bool money_gas(const tw_module *m, const ref_insn *i, uint64_t *ret_gas)
{
    const uint64_t told = ref_notice_gas(80);
    const uint64_t balance = change_gas(1, REF_AMOUNT_SIZE);
    const uint64_t payee = ref_read_gas(1, 64);
    const uint64_t asset = change_gas(1, 128);
    switch (i->op) {
    case TW_OP_PURSE:
    case TW_OP_TOTAL:
    case TW_OP_BALANCE: *ret_gas = ref_read_gas(1, REF_AMOUNT_SIZE); return true;
    case TW_OP_SUPPLY: *ret_gas = ref_read_gas(1, 128); return true;
    case TW_OP_RECEIVE: *ret_gas = told + purse_gas(m, i->x) + balance; return true;
    case TW_OP_PAY: *ret_gas = told + purse_gas(m, i->x) + payee + balance; return true;
    case TW_OP_SHIFT:
        *ret_gas = told + purse_gas(m, i->x / 256) + purse_gas(m, i->x % 256);
        return true;
    case TW_OP_MINT: *ret_gas = told + asset + payee + balance; return true;
    case TW_OP_MINTIN:
    case TW_OP_BURN: *ret_gas = told + asset + purse_gas(m, i->x); return true;
    default: return false;
    }
}

/* ---- the rest ---- */

static uint64_t stamp_gas(const tw_module *m, uint32_t reading)
{
    return m->readings[reading].per_device ? ref_read_gas(1, device_size(m)) : 0;
}

/* What the declarations say of the sizes of one instruction. */
static uint64_t declared_gas(const tw_module *m, const ref_insn *i)
{
    uint64_t gas = 0;
    if (money_gas(m, i, &gas)) return gas;
    switch (i->op) {
    case TW_OP_MOVN: return ref_moves_gas(i->x);
    case TW_OP_ZERO:
    case TW_OP_EQN: return ref_slots_gas(i->x);
    case TW_OP_LTN: return ref_looks_gas(i->x);
    case TW_OP_LDKN: return ref_slots_gas(i->c);
    case TW_OP_PARAM: return ref_slots_gas(m->types[m->params[i->x].type].slots);
    case TW_OP_GO: return ref_write_gas(2 * timers_of(m) + m->alarm_count, 0);
    case TW_OP_MEMBER:
    case TW_OP_HOLDER: return ref_read_gas(1, 64);
    case TW_OP_GRANT: return role_gas(m, i->x, false);
    case TW_OP_REVOKE: return role_gas(m, i->x, true);
    case TW_OP_HOLDS: return stamp_gas(m, m->stamps[i->x].reading);
    case TW_OP_SILENT: return stamp_gas(m, i->x);
    case TW_OP_SIZE: return ref_read_gas(1, REF_COUNT_SIZE);
    case TW_OP_ITEM:
    case TW_OP_PUT:
    case TW_OP_PUSH: return ref_moves_gas(m->types[m->types[i->x].of].slots);
    default: return 0;
    }
}

/* ---- plans ---- */

/* Where runs begin, by the shapes of the table; and where loops end. */
static void find_runs(const tw_module *m, const tw_function *f, bool *begins, uint32_t *loop_end)
{
    uint32_t open[TW_LOOP_NEST_MAX];
    uint32_t depth = 0;
    begins[0] = true;
    for (uint32_t pc = 0; pc < f->code_count; pc++) {
        const uint64_t word = m->code[f->code_first + pc];
        const tw_op_row *row = tw_op_find((uint8_t)word);
        if (row->ends_run) begins[pc + 1] = true;
        if (tw_shape_is_jump(row->shape)) begins[pc + 1 + (word >> 47)] = true;
        if ((uint8_t)word == TW_OP_LOOP) open[depth++] = pc;
        if ((uint8_t)word == TW_OP_END) loop_end[f->code_first + open[--depth]] = pc;
    }
}

static void sum_runs(const tw_module *m, const tw_function *f, const bool *begins,
                     uint64_t *run_gas)
{
    uint32_t run = 0;
    for (uint32_t pc = 0; pc < f->code_count; pc++) {
        const uint64_t word = m->code[f->code_first + pc];
        const ref_insn i = {.word = word,
                            .op = (uint8_t)word,
                            .c = (uint32_t)(word >> 34) & 0x1FFF,
                            .x = (uint32_t)(word >> 47)};
        if (begins[pc]) run = f->code_first + pc;
        /* the frame's arguments are copied and the rest zeroed, its results copied back */
        if (pc == 0) run_gas[run] += ref_slots_gas((uint64_t)f->frame_slots + f->result_slots);
        run_gas[run] += tw_op_find(i.op)->gas + declared_gas(m, &i);
    }
}

static bool plan_fill(ref_plan *plan, const tw_module *m)
{
    plan->run_gas = TW_NEW_ARRAY(plan->memory, uint64_t, m->code_count);
    plan->loop_end = TW_NEW_ARRAY(plan->memory, uint32_t, m->code_count);
    plan->effects = TW_NEW_ARRAY(plan->memory, uint32_t, m->function_count);
    if (plan->run_gas == NULL || plan->loop_end == NULL || plan->effects == NULL) return false;
    for (uint16_t k = 0; k < m->function_count; k++) {
        const tw_function *f = &m->functions[k];
        bool *begins = TW_NEW_ARRAY(plan->memory, bool, f->code_count + 1);
        if (begins == NULL) return false;
        find_runs(m, f, begins, plan->loop_end);
        sum_runs(m, f, begins, plan->run_gas);
        for (uint32_t pc = 0; pc < f->code_count; pc++) {
            const uint64_t word = m->code[f->code_first + pc];
            plan->effects[k] |= tw_op_find((uint8_t)word)->effects;
            if ((uint8_t)word == TW_OP_CALL) plan->effects[k] |= plan->effects[word >> 47];
        }
    }
    return true;
}

const ref_plan *ref_plan_of(reference *r, const tw_code *code)
{
    const uint32_t places = sizeof r->plans / sizeof r->plans[0];
    for (uint32_t i = 0; i < places; i++) {
        const ref_plan *plan = &r->plans[i];
        if (plan->memory != NULL && tw_hash_equal(&plan->module, &code->hash)) return plan;
    }
    ref_plan *plan = &r->plans[r->plan_count++ % places];
    tw_arena_free(plan->memory);
    *plan = (ref_plan){.module = code->hash, .memory = tw_arena_new(PLAN_MEMORY_MAX)};
    if (plan->memory != NULL && plan_fill(plan, code->module)) return plan;
    tw_arena_free(plan->memory);
    plan->memory = NULL;
    return NULL;
}
