/* step -- the loop of the reference interpreter, and its instructions over numbers: control, moves,
 * arithmetic, comparisons. Called by entry.c; whatever touches the state is in the other files. */
#include "tests/reference/machine.h"
#include "tests/reference/wide.h"

#include <string.h>

static ref_insn take_apart(uint64_t word)
{
    ref_insn i = {.word = word, .op = (uint8_t)word};
    i.a = (uint32_t)(word >> 8) & 0x1FFF;
    i.b = (uint32_t)(word >> 21) & 0x1FFF;
    i.c = (uint32_t)(word >> 34) & 0x1FFF;
    i.x = (uint32_t)(word >> 47);
    i.imm26 = (int64_t)i.c << 13 | i.b;
    if (i.imm26 >= 1 << 25) i.imm26 -= 1 << 26;
    i.imm30 = (int64_t)i.x << 13 | i.c;
    if (i.imm30 >= 1 << 29) i.imm30 -= 1 << 30;
    return i;
}

/* ---- control ---- */

typedef struct round {
    uint32_t first; /* pc of the body */
    uint32_t slot;
    int64_t next, count;
} round;

typedef struct walk {
    const tw_function *f;
    uint16_t index;
    int64_t *s;
    uint32_t pc;
    round loops[TW_LOOP_NEST_MAX];
    uint32_t depth;
} walk;

static tw_status loop(reference *r, walk *w, const ref_insn *i)
{
    const int64_t count = w->s[i->b];
    const uint32_t end = r->plan->loop_end[w->f->code_first + w->pc];
    if (count < 0 || count > i->imm30) return TW_TRAP_BAD_INDEX;
    w->s[i->a] = 0;
    if (count == 0) {
        w->pc = end + 1;
        return TW_OK;
    }
    w->loops[w->depth++] = (round){.first = w->pc + 1, .slot = i->a, .next = 1, .count = count};
    w->pc++;
    return TW_OK;
}

static void loop_end(walk *w)
{
    round *top = &w->loops[w->depth - 1];
    if (top->next == top->count) {
        w->depth--;
        w->pc++;
        return;
    }
    w->s[top->slot] = top->next++;
    w->pc = top->first;
}

static tw_status call(reference *r, walk *w, const ref_insn *i)
{
    const tw_function *f = &r->m->functions[i->x];
    int64_t *frame = r->stack + r->stack_used;
    int64_t *results = NULL;
    memset(frame, 0, f->frame_slots * sizeof *frame);
    memcpy(frame, w->s + i->a, f->argument_slots * sizeof *frame);
    const tw_status status = ref_function(r, (uint16_t)i->x, frame, &results);
    if (status != TW_OK) return status;
    memcpy(w->s + i->a, results, f->result_slots * sizeof *frame);
    r->function = TW_NONE;
    w->pc++;
    return TW_OK;
}

/* Is it a jump, and is its condition true? */
static bool jumps(const ref_insn *i, const int64_t *s, bool *ret_taken)
{
    const int64_t a = s[i->a];
    switch (i->op) {
    case TW_OP_JMP: *ret_taken = true; return true;
    case TW_OP_JZ: *ret_taken = a == 0; return true;
    case TW_OP_JNZ: *ret_taken = a != 0; return true;
    case TW_OP_JEQ: *ret_taken = a == s[i->b]; return true;
    case TW_OP_JNE: *ret_taken = a != s[i->b]; return true;
    case TW_OP_JLT: *ret_taken = a < s[i->b]; return true;
    case TW_OP_JLE: *ret_taken = a <= s[i->b]; return true;
    case TW_OP_JEQI: *ret_taken = a == i->imm26; return true;
    case TW_OP_JNEI: *ret_taken = a != i->imm26; return true;
    case TW_OP_JLTI: *ret_taken = a < i->imm26; return true;
    case TW_OP_JLEI: *ret_taken = a <= i->imm26; return true;
    case TW_OP_JGTI: *ret_taken = a > i->imm26; return true;
    case TW_OP_JGEI: *ret_taken = a >= i->imm26; return true;
    default: return false;
    }
}

/* What is no control: the file it belongs to says so. */
static tw_status elsewhere(reference *r, const ref_insn *i, int64_t *s)
{
    bool mine = false;
    tw_status status = ref_step_number(r, i, s, &mine);
    if (!mine) status = ref_step_list(r, i, s, &mine);
    if (!mine) status = ref_step_field(r, i, s, &mine);
    if (!mine) status = ref_step_people(r, i, s, &mine);
    if (!mine) status = ref_step_reading(r, i, s, &mine);
    if (!mine) status = ref_step_thing(r, i, s, &mine);
    if (!mine) status = ref_step_money(r, i, s, &mine);
    if (mine) return status;
    return (tw_status)REF_UNKNOWN;
}

static tw_status walk_on(reference *r, walk *w, int64_t **ret_results)
{
    for (;;) {
        const uint32_t place = w->f->code_first + w->pc;
        const ref_insn i = take_apart(r->m->code[place]);
        bool taken = false;
        r->used.gas += r->plan->run_gas[place];
        r->totals.ops[i.op]++;
        tw_status status = TW_OK;
        if (i.op == TW_OP_RET) {
            *ret_results = w->s + i.a;
            return TW_OK;
        }
        if (jumps(&i, w->s, &taken)) {
            w->pc += 1 + (taken ? i.x : 0);
        } else if (i.op == TW_OP_LOOP) {
            status = loop(r, w, &i);
        } else if (i.op == TW_OP_END) {
            loop_end(w);
        } else if (i.op == TW_OP_CALL) {
            status = call(r, w, &i);
            if (status != TW_OK) return status; /* the place is one of the callee */
        } else {
            status = elsewhere(r, &i, w->s);
            w->pc += status == TW_OK;
        }
        if (status != TW_OK) return status;
    }
}

tw_status ref_function(reference *r, uint16_t function, int64_t *frame, int64_t **ret_results)
{
    const uint32_t before = r->stack_used;
    walk w = {.f = &r->m->functions[function], .index = function, .s = frame};
    r->stack_used += w.f->frame_slots;
    if (r->stack_used > r->used.slots) r->used.slots = r->stack_used;
    r->function = TW_NONE;
    const tw_status status = walk_on(r, &w, ret_results);
    if (status == TW_OK || r->function == TW_NONE) {
        r->function = function;
        r->pc = w.pc;
    }
    r->stack_used = before;
    return status;
}

/* ---- moves ---- */

static bool move(reference *r, const ref_insn *i, int64_t *s)
{
    const int64_t *constants = r->m->constants;
    switch (i->op) {
    case TW_OP_MOV: s[i->a] = s[i->b]; return true;
    case TW_OP_MOVN: memmove(s + i->a, s + i->b, i->x * sizeof *s); return true;
    case TW_OP_LDI: s[i->a] = i->imm30; return true;
    case TW_OP_LDK: s[i->a] = constants[i->x]; return true;
    case TW_OP_LDKN: memcpy(s + i->a, constants + i->x, i->c * sizeof *s); return true;
    case TW_OP_ZERO: memset(s + i->a, 0, i->x * sizeof *s); return true;
    default: return false;
    }
}

/* ---- arithmetic ---- */

static tw_status give(const wide *result, int64_t *ret_slot)
{
    int64_t value = 0;
    if (!wide_to_int(result, &value)) return TW_TRAP_OVERFLOW;
    *ret_slot = value;
    return TW_OK;
}

/* a * b / c, rounded once. */
static tw_status product_over(int64_t a, int64_t b, int64_t c, uint32_t mode, int64_t *ret_slot)
{
    if (c == 0) return TW_TRAP_DIVIDE_BY_ZERO;
    const wide product = wide_multiply(wide_of(a), wide_of(b));
    const wide result = wide_divide(product, wide_of(c), (tw_round)mode);
    return give(&result, ret_slot);
}

static tw_status quotient(const ref_insn *i, int64_t *s)
{
    if (s[i->c] == 0) return TW_TRAP_DIVIDE_BY_ZERO;
    const wide b = wide_of(s[i->b]);
    const wide c = wide_of(s[i->c]);
    const wide whole = wide_divide(b, c, TW_ROUND_ZERO);
    const wide rest = wide_subtract(b, wide_multiply(whole, c));
    return give(i->op == TW_OP_DIV ? &whole : &rest, &s[i->a]);
}

static tw_status arithmetic(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    const wide b = wide_of(s[i->b]);
    const wide c = wide_of(i->op == TW_OP_ADDI || i->op == TW_OP_MULI ? i->imm30 : s[i->c]);
    const uint32_t mode = i->x % 4;
    const int64_t constant = i->x / 4 < r->m->constant_count ? r->m->constants[i->x / 4] : 0;
    wide result = {0};
    *ret_mine = true;
    switch (i->op) {
    case TW_OP_ADD:
    case TW_OP_ADDI: result = wide_add(b, c); break;
    case TW_OP_SUB: result = wide_subtract(b, c); break;
    case TW_OP_MUL:
    case TW_OP_MULI: result = wide_multiply(b, c); break;
    case TW_OP_DIV:
    case TW_OP_MOD: return quotient(i, s);
    case TW_OP_NEG: result = wide_subtract(wide_of(0), b); break;
    case TW_OP_ABS: result = b.negative ? wide_subtract(wide_of(0), b) : b; break;
    case TW_OP_MIN: result = wide_compare(&b, &c) < 0 ? b : c; break;
    case TW_OP_MAX: result = wide_compare(&b, &c) > 0 ? b : c; break;
    case TW_OP_MULDIVK: return product_over(s[i->b], s[i->c], constant, mode, &s[i->a]);
    case TW_OP_MULKDIV: return product_over(s[i->b], constant, s[i->c], mode, &s[i->a]);
    case TW_OP_DIVK: return product_over(s[i->b], 1, constant, mode, &s[i->a]);
    default: *ret_mine = false; return TW_OK;
    }
    return give(&result, &s[i->a]);
}

/* ---- comparisons ---- */

/* Slot by slot: are they the same, or does `b` come first? */
static bool slots_same(const int64_t *b, const int64_t *c, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        if (b[k] != c[k]) return false;
    }
    return true;
}

static bool slots_before(const int64_t *b, const int64_t *c, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        if (b[k] != c[k]) return (uint64_t)b[k] < (uint64_t)c[k];
    }
    return false;
}

static bool compare(const ref_insn *i, int64_t *s)
{
    const int64_t b = s[i->b];
    bool is = false;
    switch (i->op) {
    case TW_OP_EQ: is = b == s[i->c]; break;
    case TW_OP_NE: is = b != s[i->c]; break;
    case TW_OP_LT: is = b < s[i->c]; break;
    case TW_OP_LE: is = b <= s[i->c]; break;
    case TW_OP_EQN: is = slots_same(s + i->b, s + i->c, i->x); break;
    case TW_OP_LTN: is = slots_before(s + i->b, s + i->c, i->x); break;
    case TW_OP_NOT: is = b == 0; break;
    case TW_OP_EQI: is = b == i->imm30; break;
    case TW_OP_LTI: is = b < i->imm30; break;
    case TW_OP_GTI: is = b > i->imm30; break;
    default: return false;
    }
    s[i->a] = is ? 1 : 0;
    return true;
}

tw_status ref_step_number(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    *ret_mine = move(r, i, s) || compare(i, s);
    return *ret_mine ? TW_OK : arithmetic(r, i, s, ret_mine);
}
