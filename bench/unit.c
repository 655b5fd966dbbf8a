/* unit -- see the header. The slots of a program:
 *
 *        0  the argument          16.. numbers: see program_begin     32..  accounts, 4 slots each
 *     1..7  counters of loops; 7 stays below 4096
 *    48..   keys                  64..  results
 *    128..  records              200.. spans of statistics, each with a percentile
 *    170..  other spans, which no window remembers beside those
 *    216..  an empty line
 *
 * and in a big one also
 *
 *    256  an empty text    769  a full one    1282  one with umlauts      1783  4096 numbers
 *   5880  200 records     7481  room
 */
#include "bench/unit.h"

#include "vm/base/math.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INDEX = 7,
    SEVEN = 16,
    THREE,
    BIG,
    ZERO,
    ONE,
    NEGATIVE,
    ALL_TIME,
    SECOND,
    PRIME,
    THIRD,
    HUGE,
    CALLER = 32,
    METER = 36,
    GUEST = 40,
    STRANGER = 44,
    KEY = 48,
    ABSENT,
    CRATE,
    BOLT_ON,
    BOLT,
    NEW,
    OUT = 64,
    RECORD = 128,
    SAME = 144,
    NEW_BOLT = 160,
    OTHERS = 170,
    SPANS = 200,
    LINE = 216,
    TIMES = 244,
    SMALL_FRAME = 256,
    EMPTY = 256,
    FULL = 769,
    LONG = 1282,
    NUMBERS = 1783,
    EIGHTS = 5880,
    ROOM = 7481,
    NEW_CRATE = 7500,
    BIG_FRAME = 8192,
    EVENTS = 1000,
};

static const uint32_t samples[] = {0, 1, 16, 128, 900, 4096};
static const tw_stat sums[] = {TW_STAT_SUM, TW_STAT_AVG, TW_STAT_RMS};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static uint64_t insn(tw_op op, uint32_t a, uint32_t b, uint32_t c, uint32_t x)
{
    return tw_insn_make(op, a, b, c, x);
}

/* ---- programs ---- */

void program_add(program *p, uint64_t word)
{
    if (p->count == TW_FUNCTION_CODE_MAX) rig_must(TW_ERR_INTERNAL, "a program is too long", NULL);
    p->code[p->count++] = word;
}

static void load_number(program *p, uint32_t slot, int32_t value)
{
    program_add(p, tw_insn_make30(TW_OP_LDI, slot, 0, value));
}

static void load_constants(program *p, uint32_t slot, uint32_t count, uint32_t constant)
{
    program_add(p, insn(TW_OP_LDKN, slot, 0, count, p->rig->constant + constant));
}

/* `count` slots from `to` on become what stands in the `step` before them, by doubling. */
static void repeat(program *p, uint32_t to, uint32_t step, uint32_t count)
{
    const uint32_t from = to - step;
    for (uint32_t done = 0; done < count;) {
        const uint32_t there = step + done;
        const uint32_t more = there < count - done ? there : count - done;
        program_add(p, insn(TW_OP_MOVN, to + done, from, 0, more));
        done += more;
    }
}

static void load_long(program *p, uint32_t slot, uint32_t size, uint32_t constant, uint32_t step)
{
    load_number(p, slot, (int32_t)size);
    load_constants(p, slot + 1, step, constant);
    repeat(p, slot + 1 + step, step, size / 8 - step);
}

static void begin_big(program *p)
{
    load_long(p, FULL, TW_TEXT_SIZE_MAX, RIG_LETTERS, 1);
    load_long(p, LONG, 4000, RIG_WIDE, 3);
    load_number(p, NUMBERS, TW_LIST_MAX);
    repeat(p, NUMBERS + 2, 1, TW_LIST_MAX - 1); /* zeros */
    load_number(p, EIGHTS, RIG_EIGHTS);
    load_constants(p, EIGHTS + 1, 7, RIG_SIXTEEN);
    load_number(p, EIGHTS + 8, 100);
    repeat(p, EIGHTS + 9, 8, 8 * (RIG_EIGHTS - 1));
    load_number(p, NEW_CRATE, 3000000);
}

/* Spans are remembered by so many bits of this (vm/exec/stat.c), the last one of each. */
static uint64_t place_of(int64_t span, tw_stat stat)
{
    return ((uint64_t)span + stat) * UINT64_C(0x9e3779b97f4a7c15) >> 62;
}

/* One with as many samples, whose sums take the places of those of `span`. */
static int32_t other_span(int32_t span)
{
    for (int32_t other = span + 1; other < span + 999; other++) {
        bool same = true;
        for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
            same = same && place_of(other, sums[i]) == place_of(span, sums[i]);
        }
        if (same) return other;
    }
    rig_must(TW_ERR_INTERNAL, "no other span", NULL);
    return 0;
}

void program_begin(program *p, const rig *r, bool big, uint8_t signers)
{
    static const uint32_t constants[] = {RIG_BIG,   RIG_NEGATIVE, RIG_ALL_TIME, RIG_ONE_SECOND,
                                         RIG_PRIME, RIG_THIRD,    RIG_HUGE};
    static const uint32_t slots[] = {BIG, NEGATIVE, ALL_TIME, SECOND, PRIME, THIRD, HUGE};
    *p = (program){.rig = r, .big = big, .signers = signers};
    load_number(p, SEVEN, 7);
    load_number(p, THREE, 3);
    load_number(p, ONE, 1);
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        load_constants(p, slots[i], 1, constants[i]);
    }
    load_constants(p, METER, 12, RIG_METER); /* the three accounts */
    load_constants(p, RECORD, 16, RIG_SIXTEEN);
    load_constants(p, SAME, 16, RIG_SIXTEEN);
    load_number(p, KEY, 5);
    load_number(p, ABSENT, 99999);
    load_number(p, BOLT_ON, 1);
    load_number(p, BOLT, 40);
    load_number(p, NEW, 50000);
    load_number(p, NEW_BOLT, 2000000);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        load_number(p, SPANS + 2 * i, (int32_t)(1000 * samples[i] + 1));
        load_constants(p, SPANS + 2 * i + 1, 1, RIG_HALF);
        load_number(p, OTHERS + i, other_span((int32_t)(1000 * samples[i] + 1)));
    }
    if (big) begin_big(p);
}

void program_random(program *p)
{
    program_add(p, insn(TW_OP_LOAD, NUMBERS, 0, 0, rig_field(p->rig, "numbers")));
}

void program_unit(program *p, const unit *u)
{
    for (uint32_t i = 0; i < u->count; i++) program_add(p, u->code[i]);
    p->undo = p->undo || u->undo;
    p->stops = p->stops || u->stops;
    p->deploys = p->deploys || u->deploys;
    if (u->callee_slots > p->callee_slots) p->callee_slots = u->callee_slots;
}

void program_loop(program *p, uint32_t depth, uint32_t count, uint32_t most)
{
    const uint32_t times = count > 0 ? TIMES + depth : 0;
    if (count > 0) load_number(p, times, (int32_t)count);
    program_add(p,
                tw_insn_make30(TW_OP_LOOP, 1 + depth, times, (int32_t)(count > 0 ? count : most)));
}

void program_end_loop(program *p)
{
    program_add(p, insn(TW_OP_END, 0, 0, 0, 0));
}

uint16_t program_entry(const program *p)
{
    return rig_entry(p->rig, p->deploys ? "deploy" : "measured");
}

tw_code *program_finish(program *p, rig *r, tw_err *ret_err)
{
    const uint64_t ret = insn(TW_OP_RET, 0, 0, 0, 0);
    const uint16_t function = r->module->entries[program_entry(p)].function;
    if (!p->stops) program_add(p, p->undo ? insn(TW_OP_TRAP, 0, 0, 0, UNIT_UNDO) : ret);
    const rig_body bodies[] = {
        {function, p->big ? BIG_FRAME : SMALL_FRAME, p->code, p->count},
        {rig_function(r, "callee"), p->callee_slots > 0 ? p->callee_slots : 1, &ret, 1},
    };
    return rig_program(r, bodies, 2, ret_err);
}

/* ---- the table ---- */

static unit *add(units *list, const char *name, uint32_t size, uint64_t word)
{
    if (list->count == UNITS_MAX) rig_must(TW_ERR_INTERNAL, "too many units", NULL);
    unit *u = &list->items[list->count++];
    *u = (unit){.size = size, .code = {word}, .count = 1, .signers = 1};
    (void)snprintf(u->name, sizeof u->name, "%s", name);
    return u;
}

static unit *add_big(units *list, const char *name, uint32_t size, uint64_t word)
{
    unit *u = add(list, name, size, word);
    u->big = true;
    return u;
}

static unit *add_kept(units *list, const char *name, uint32_t size, uint64_t word)
{
    unit *u = add_big(list, name, size, word);
    u->class = UNIT_KEPT;
    return u;
}

static unit *add_state(units *list, const char *name, uint32_t size, uint64_t word)
{
    unit *u = add(list, name, size, word);
    u->class = UNIT_STATE;
    return u;
}

static unit *add_write(units *list, const char *name, uint32_t size, uint64_t word)
{
    unit *u = add_state(list, name, size, word);
    u->undo = true;
    u->limit = EVENTS;
    return u;
}

static void then(unit *u, uint64_t word)
{
    u->code[u->count++] = word;
}

static void with(unit *u, uint64_t word)
{
    u->with[u->with_count++] = word;
}

static uint16_t type_of(const rig *r, tw_kind kind, uint32_t max)
{
    for (uint16_t i = 0; i < r->module->type_count; i++) {
        const tw_type *t = &r->module->types[i];
        if (t->kind == kind && t->max == max) return i;
    }
    rig_must(TW_ERR_INTERNAL, "a type is missing", NULL);
    return 0;
}

static void numbers(units *list)
{
    static const tw_op three[] = {TW_OP_ADD, TW_OP_SUB, TW_OP_MUL, TW_OP_DIV, TW_OP_MOD, TW_OP_MIN,
                                  TW_OP_MAX, TW_OP_EQ,  TW_OP_NE,  TW_OP_LT,  TW_OP_LE};
    static const tw_op two[] = {TW_OP_MOV, TW_OP_NEG, TW_OP_ABS, TW_OP_NOT};
    static const tw_op plain[] = {TW_OP_ADDI, TW_OP_MULI, TW_OP_EQI, TW_OP_LTI, TW_OP_GTI};
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++) {
        add(list, tw_op_find((uint8_t)three[i])->name, 0, insn(three[i], OUT, SEVEN, THREE, 0));
    }
    add(list, "DIV long", 0, insn(TW_OP_DIV, OUT, HUGE, THREE, 0));
    add(list, "MOD long", 0, insn(TW_OP_MOD, OUT, HUGE, PRIME, 0));
    add(list, "ADD chain", 0, insn(TW_OP_ADD, OUT, OUT, ZERO, 0));
    add(list, "MUL chain", 0, insn(TW_OP_MUL, OUT, OUT, ONE, 0));
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++) {
        add(list, tw_op_find((uint8_t)two[i])->name, 0, insn(two[i], OUT, NEGATIVE, 0, 0));
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        add(list, tw_op_find((uint8_t)plain[i])->name, 0,
            tw_insn_make30(plain[i], OUT, SEVEN, 100));
    }
    add(list, "LDI", 0, tw_insn_make30(TW_OP_LDI, OUT, 0, 5));
}

static void constants(const rig *r, units *list)
{
    const uint32_t first = r->constant;
    const uint32_t prime = 4 * (first + RIG_PRIME);
    const uint32_t big = 4 * (first + RIG_BIG);
    const uint32_t third = 4 * (first + RIG_THIRD);
    add(list, "LDK", 0, insn(TW_OP_LDK, OUT, 0, 0, first));
    add(list, "LDKN", 1, insn(TW_OP_LDKN, OUT, 0, 1, first));
    add(list, "LDKN", 16, insn(TW_OP_LDKN, OUT, 0, 16, first + RIG_SIXTEEN));
    add(list, "MULDIVK small", 0, insn(TW_OP_MULDIVK, OUT, SEVEN, THREE, prime));
    add(list, "MULDIVK large", 0, insn(TW_OP_MULDIVK, OUT, HUGE, THIRD, big + TW_ROUND_UP));
    add(list, "MULKDIV small", 0, insn(TW_OP_MULKDIV, OUT, SEVEN, THREE, prime));
    add(list, "MULKDIV large", 0, insn(TW_OP_MULKDIV, OUT, HUGE, BIG, third + TW_ROUND_HALF_EVEN));
    add(list, "DIVK small", 0, insn(TW_OP_DIVK, OUT, SEVEN, 0, prime));
    add(list, "DIVK large", 0, insn(TW_OP_DIVK, OUT, HUGE, 0, prime + TW_ROUND_HALF_EVEN));
    add(list, "LDC", 0, insn(TW_OP_LDC, OUT, 0, 0, 0));
    unit *u = add(list, "STC", 0, insn(TW_OP_STC, SEVEN, 0, 0, 0));
    u->deploys = true;
    u->undo = true;
    add(list, "PARAM", 1, insn(TW_OP_PARAM, OUT, 0, 0, 0));
    add(list, "PARAM", 33, insn(TW_OP_PARAM, OUT, 0, 0, 1));
    add(list, "PHASE", 0, insn(TW_OP_PHASE, OUT, 0, 0, 0));
    add(list, "NOW", 0, insn(TW_OP_NOW, OUT, 0, 0, 0));
    add(list, "INPHASE", 0, insn(TW_OP_INPHASE, OUT, 0, 0, 0));
    add(list, "ALARM", 0, insn(TW_OP_ALARM, OUT, 0, 0, 0));
    add(list, "CALLER", 0, insn(TW_OP_CALLER, OUT, 0, 0, 0));
    add(list, "SIGNED", 1, insn(TW_OP_SIGNED, OUT, STRANGER, 0, 0));
    add(list, "SIGNED", 16, insn(TW_OP_SIGNED, OUT, STRANGER, 0, 0))->signers = 16;
}

/* One that goes to the next instruction, and one that is not taken. The price stands before it is
 * known which it is. */
static void jump(units *list, const char *name, uint64_t taken, uint64_t not )
{
    char text[32];
    (void)snprintf(text, sizeof text, "%s not taken", name);
    add(list, name, 0, taken);
    add(list, text, 0, not )->class = UNIT_EASY;
}

static void jumps(units *list)
{
    static const struct {
        tw_op op;
        uint32_t taken[2], not [2];
    } pairs[] = {
        {TW_OP_JEQ, {SEVEN, SEVEN}, {SEVEN, THREE}},
        {TW_OP_JNE, {SEVEN, THREE}, {SEVEN, SEVEN}},
        {TW_OP_JLT, {THREE, SEVEN}, {SEVEN, THREE}},
        {TW_OP_JLE, {THREE, SEVEN}, {SEVEN, THREE}},
    };
    static const struct {
        tw_op op;
        int32_t taken, not ; /* beside 7 */
    } numbers[] = {{TW_OP_JEQI, 7, 3}, {TW_OP_JNEI, 3, 7}, {TW_OP_JLTI, 9, 3},
                   {TW_OP_JLEI, 9, 3}, {TW_OP_JGTI, 3, 9}, {TW_OP_JGEI, 3, 9}};
    jump(list, "JZ", insn(TW_OP_JZ, ZERO, 0, 0, 0), insn(TW_OP_JZ, SEVEN, 0, 0, 0));
    jump(list, "JNZ", insn(TW_OP_JNZ, SEVEN, 0, 0, 0), insn(TW_OP_JNZ, ZERO, 0, 0, 0));
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        jump(list, tw_op_find((uint8_t)pairs[i].op)->name,
             insn(pairs[i].op, pairs[i].taken[0], pairs[i].taken[1], 0, 0),
             insn(pairs[i].op, pairs[i].not [0], pairs[i].not [1], 0, 0));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        jump(list, tw_op_find((uint8_t)numbers[i].op)->name,
             tw_insn_make26(numbers[i].op, SEVEN, numbers[i].taken, 0),
             tw_insn_make26(numbers[i].op, SEVEN, numbers[i].not, 0));
    }
}

static void control(const rig *r, units *list)
{
    const uint32_t ints = type_of(r, TW_KIND_LIST, TW_LIST_MAX);
    add(list, "JMP", 0, insn(TW_OP_JMP, 0, 0, 0, 0));
    jumps(list);
    unit *u = add_big(list, "J random", 0, insn(TW_OP_JNZ, OUT, 0, 0, 1));
    with(u, insn(TW_OP_ITEM, OUT, NUMBERS, INDEX, ints));
    then(u, insn(TW_OP_MOV, OUT + 1, SEVEN, 0, 0));
    u->limit = TW_LIST_MAX;
    u->once = true;
    u->random = true;
    u = add(list, "LOOP+END", 0, tw_insn_make30(TW_OP_LOOP, 2, SEVEN, 7));
    then(u, insn(TW_OP_END, 0, 0, 0, 0));
    u = add(list, "LOOP none", 0, tw_insn_make30(TW_OP_LOOP, 2, ZERO, 1));
    then(u, insn(TW_OP_END, 0, 0, 0, 0));
    static const uint16_t frames[] = {1, 16, 256, 8192};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        u = add(list, "CALL+RET", frames[i], insn(TW_OP_CALL, OUT, 0, 0, 0));
        u->callee_slots = frames[i];
    }
    u = add(list, "TRAP", 0, insn(TW_OP_TRAP, 0, 0, 0, TW_TRAP_FULL));
    u->stops = true;
    u = add(list, "BREACH", 0, insn(TW_OP_BREACH, 0, 0, 0, 0));
    u->stops = true;
    u = add(list, "REFUSE", 0, insn(TW_OP_REFUSE, 0, 0, 0, 0));
    u->stops = true;
    u->deploys = true;
    u = add(list, "RET", 0, insn(TW_OP_RET, 0, 0, 0, 0));
    u->stops = true;
}

static void slots(units *list)
{
    static const uint32_t sizes[] = {1, 16, 256, 4095};
    for (size_t i = 0; i < 4; i++) {
        const uint32_t n = sizes[i];
        add_big(list, "MOVN", n, insn(TW_OP_MOVN, NUMBERS + 2, NUMBERS + 1, 0, n));
        add_big(list, "ZERO", n, insn(TW_OP_ZERO, NUMBERS + 1, 0, 0, n));
        add_big(list, "EQN", n, insn(TW_OP_EQN, OUT, NUMBERS + 1, NUMBERS + 1, n));
        add_big(list, "LTN", n, insn(TW_OP_LTN, OUT, NUMBERS + 1, NUMBERS + 1, n));
    }
}

static void lists(const rig *r, units *list)
{
    const uint32_t ints = type_of(r, TW_KIND_LIST, TW_LIST_MAX);
    const uint32_t eights = type_of(r, TW_KIND_LIST, RIG_EIGHTS);
    static const uint32_t counts[] = {1, 64, 4096};
    add_big(list, "ITEM", 1, insn(TW_OP_ITEM, OUT, NUMBERS, SEVEN, ints));
    add_big(list, "ITEM", 8, insn(TW_OP_ITEM, OUT, EIGHTS, SEVEN, eights));
    add_big(list, "PUT", 1, insn(TW_OP_PUT, NUMBERS, SEVEN, SEVEN, ints));
    add_big(list, "PUT", 8, insn(TW_OP_PUT, EIGHTS, EIGHTS + 57, SEVEN, eights));
    unit *u = add_big(list, "PUSH", 1, insn(TW_OP_PUSH, NUMBERS, SEVEN, 0, ints));
    with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, 4095));
    u = add_big(list, "PUSH", 8, insn(TW_OP_PUSH, EIGHTS, EIGHTS + 57, 0, eights));
    with(u, tw_insn_make30(TW_OP_LDI, EIGHTS, 0, RIG_EIGHTS - 1));
    for (size_t i = 0; i < 3; i++) {
        u = add_big(list, "DROP", counts[i], insn(TW_OP_DROP, NUMBERS, ZERO, 0, ints));
        with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, (int32_t)counts[i]));
        u = add_big(list, "FIND", counts[i], insn(TW_OP_FIND, OUT, NUMBERS, BIG, ints));
        with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, (int32_t)counts[i]));
    }
    u = add_big(list, "FIND eights", RIG_EIGHTS, insn(TW_OP_FIND, OUT, EIGHTS, RECORD, eights));
    with(u, tw_insn_make30(TW_OP_LDI, EIGHTS, 0, RIG_EIGHTS));
    const uint32_t twos = type_of(r, TW_KIND_LIST, RIG_TWOS); /* of zeros: a 0 and a 1 are sought */
    u = add_big(list, "FIND twos", RIG_TWOS, insn(TW_OP_FIND, OUT, NUMBERS, ZERO, twos));
    with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, RIG_TWOS));
}

static void texts(const rig *r, units *list)
{
    const uint32_t text = type_of(r, TW_KIND_TEXT, TW_TEXT_SIZE_MAX);
    const uint32_t bytes = type_of(r, TW_KIND_BYTES, TW_TEXT_SIZE_MAX);
    const uint32_t line = type_of(r, TW_KIND_TEXT, 200);
    add(list, "HASH line", 0, insn(TW_OP_HASH, OUT, LINE, 0, line));
    add_big(list, "HASH text", 0, insn(TW_OP_HASH, OUT, EMPTY, 0, text));
    add_big(list, "HASH text", 4096, insn(TW_OP_HASH, OUT, FULL, 0, text));
    add_big(list, "HASH wide", 4000,
            insn(TW_OP_HASH, OUT, LONG, 0, type_of(r, TW_KIND_TEXT, 4000)));
    add_big(list, "HASH bytes", 0, insn(TW_OP_HASH, OUT, EMPTY, 0, bytes));
    add_big(list, "HASH bytes", 4096, insn(TW_OP_HASH, OUT, FULL, 0, bytes));
    static const uint32_t places[] = {EMPTY, LONG};
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t size = i * 4000;
        unit *u = add_kept(list, "EMIT text", size, insn(TW_OP_EMIT, places[i], 0, 0, 1));
        u->limit = EVENTS;
        u->undo = true;
        u = add_kept(list, "HISTORY text", size, insn(TW_OP_HISTORY, places[i], 0, 0, 1));
        u->limit = EVENTS;
        u->undo = true;
        u = add_kept(list, "FAIL text", size, insn(TW_OP_FAIL, places[i], 0, 0, 1));
        u->stops = true;
    }
    unit *u = add_kept(list, "EMIT list", 4000, insn(TW_OP_EMIT, NUMBERS, 0, 0, 2));
    u->limit = EVENTS;
    u->undo = true;
    with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, 4000));
    u = add_kept(list, "EMIT", 0, insn(TW_OP_EMIT, SEVEN, 0, 0, 0));
    u->limit = EVENTS;
    u->undo = true;
    u = add_kept(list, "HISTORY", 0, insn(TW_OP_HISTORY, SEVEN, 0, 0, 0));
    u->limit = EVENTS;
    u->undo = true;
    u = add_kept(list, "FAIL", 0, insn(TW_OP_FAIL, SEVEN, 0, 0, 0));
    u->stops = true;
}

/* The sums of two spans in turn, as the window knows only one of them, and of one again and again;
 * and two readings in turn, each of which opens its window anew. */
static void statistics_in_turn(units *list)
{
    char name[32];
    for (size_t k = 0; k < sizeof sums / sizeof sums[0]; k++) {
        for (uint32_t i = 1; i < SAMPLES; i++) {
            (void)snprintf(name, sizeof name, "STAT %s of two spans", tw_stat_word(sums[k]));
            unit *u = add(list, name, samples[i],
                          insn(TW_OP_STAT, OUT, SPANS + 2 * i, 0, (uint32_t)sums[k] << 10));
            then(u, insn(TW_OP_STAT, OUT, OTHERS + i, 0, (uint32_t)sums[k] << 10));
        }
    }
    unit *u =
        add(list, "STAT of two readings", 0, insn(TW_OP_STAT, OUT, SPANS, 0, TW_STAT_COUNT << 10));
    then(u, insn(TW_OP_STAT, OUT, SPANS, 0, TW_STAT_COUNT << 10 | 1));
}

static void statistics(units *list)
{
    char name[32];
    for (uint32_t stat = 0; stat < TW_STAT_END; stat++) {
        for (uint32_t i = 0; i < SAMPLES && stat != TW_STAT_DEVICES; i++) {
            if (stat <= TW_STAT_TIME_OF && i > 0) continue;
            (void)snprintf(name, sizeof name, "STAT %s", tw_stat_word(stat));
            unit *u =
                add(list, name, samples[i], insn(TW_OP_STAT, OUT, SPANS + 2 * i, 0, stat << 10));
            const bool sum = stat == TW_STAT_SUM || stat == TW_STAT_AVG || stat == TW_STAT_RMS;
            if (sum && i > 0) u->class = UNIT_EASY;
        }
        if (stat == TW_STAT_LAST || stat == TW_STAT_TIME_OF || stat == TW_STAT_SLOPE) continue;
        for (uint32_t i = 0; i < 4; i++) {
            (void)snprintf(name, sizeof name, "ACROSS %s", tw_stat_word(stat));
            add_state(list, name, RIG_METERS * samples[i],
                      insn(TW_OP_ACROSS, OUT, SPANS + 2 * i, 0, stat << 10 | 2));
        }
    }
    statistics_in_turn(list);
    add_state(list, "STAT of device", 128,
              insn(TW_OP_STAT, OUT, SPANS + 6, METER, TW_STAT_AVG << 10 | 2));
    add(list, "HOLDS", 0, insn(TW_OP_HOLDS, OUT, SECOND, 0, 0));
    add(list, "SILENT", 0, insn(TW_OP_SILENT, OUT, SECOND, 0, 0));
    add_state(list, "SILENT of device", 0, insn(TW_OP_SILENT, OUT, SECOND, METER, 2));
}

static void roles(units *list)
{
    add_state(list, "MEMBER", 0, insn(TW_OP_MEMBER, OUT, GUEST, 0, 3));
    add_state(list, "HOLDER", 0, insn(TW_OP_HOLDER, OUT, 0, 0, 0));
    add_state(list, "SIGNERS", 1, insn(TW_OP_SIGNERS, OUT, 0, 0, 3));
    add_state(list, "SIGNERS", 16, insn(TW_OP_SIGNERS, OUT, 0, 0, 3))->signers = 16;
    unit *u = add_write(list, "GRANT+REVOKE", 0, insn(TW_OP_GRANT, 0, STRANGER, 0, 3));
    then(u, insn(TW_OP_REVOKE, 0, STRANGER, 0, 3));
    u = add_write(list, "GRANT+REVOKE device", 0, insn(TW_OP_GRANT, 0, STRANGER, 0, 2));
    then(u, insn(TW_OP_REVOKE, 0, STRANGER, 0, 2));
    add_write(list, "GO", 0, insn(TW_OP_GO, 0, 0, 0, 1));
}

static void fields(const rig *r, units *list)
{
    const uint32_t long_text = rig_field(r, "long");
    const uint32_t many = rig_field(r, "numbers");
    const uint32_t map = rig_field(r, "counts");
    const uint32_t rows = rig_field(r, "rows");
    const uint32_t best = type_of(r, TW_KIND_LIST, 10);
    unit *u = NULL;
    add_state(list, "LOAD", 1, insn(TW_OP_LOAD, OUT, 0, 0, rig_field(r, "number")));
    add_state(list, "LOAD", 8, insn(TW_OP_LOAD, OUT, 0, 0, rig_field(r, "eight")));
    add_state(list, "LOAD text", 4096, insn(TW_OP_LOAD, ROOM, 0, 0, long_text))->big = true;
    add_state(list, "LOAD text", 0, insn(TW_OP_LOAD, EMPTY, 0, 0, rig_field(r, "blank")))->big =
        true;
    add_state(list, "LOAD list", 4096, insn(TW_OP_LOAD, NUMBERS, 0, 0, many))->big = true;
    add_state(list, "LOAD flags", RIG_FLAGS, insn(TW_OP_LOAD, NUMBERS, 0, 0, rig_field(r, "flags")))
        ->big = true;
    add_state(list, "LOAD map", 1, insn(TW_OP_LOAD, OUT, KEY, 0, map));
    add_state(list, "LOAD map", 8, insn(TW_OP_LOAD, OUT, KEY, 0, rows));
    add_state(list, "LOAD registry", 2, insn(TW_OP_LOAD, OUT, BOLT, 0, rig_field(r, "bolts")));
    add_write(list, "STORE", 1, insn(TW_OP_STORE, SEVEN, 0, 0, rig_field(r, "number")));
    add_write(list, "STORE text", 4096, insn(TW_OP_STORE, FULL, 0, 0, long_text))->big = true;
    add_write(list, "STORE text", 0, insn(TW_OP_STORE, EMPTY, 0, 0, long_text))->big = true;
    add_write(list, "STORE list", 4096, insn(TW_OP_STORE, NUMBERS, 0, 0, many))->big = true;
    u = add_write(list, "STORE flags", RIG_FLAGS,
                  insn(TW_OP_STORE, NUMBERS, 0, 0, rig_field(r, "flags")));
    u->big = true;
    with(u, tw_insn_make30(TW_OP_LDI, NUMBERS, 0, RIG_FLAGS));
    add_write(list, "STORE map", 1, insn(TW_OP_STORE, SEVEN, KEY, 0, map));
    u = add_write(list, "STORE map new", 1, insn(TW_OP_STORE, SEVEN, NEW, 0, map));
    with(u, tw_insn_make30(TW_OP_ADDI, NEW, NEW, 1));
    u = add_write(list, "REMOVE", 1, insn(TW_OP_REMOVE, 0, KEY, 0, map));
    with(u, insn(TW_OP_STORE, SEVEN, KEY, 0, map));
    add_state(list, "EXISTS", 0, insn(TW_OP_EXISTS, OUT, KEY, 0, map));
    add_state(list, "EXISTS not", 0, insn(TW_OP_EXISTS, OUT, ABSENT, 0, map));
    add_state(list, "SIZE", 0, insn(TW_OP_SIZE, OUT, 0, 0, map));
    u = add_state(list, "NEXT", 0, insn(TW_OP_NEXT, OUT, ONE, 0, map));
    with(u, tw_insn_make30(TW_OP_LDI, OUT, 0, 5));
    u = add_state(list, "NEXT first", 0, insn(TW_OP_NEXT, OUT, ZERO, 0, map));
    add_state(list, "NEXT behind removed keys", RIG_LOST,
              insn(TW_OP_NEXT, OUT, ZERO, 0, rig_field(r, "lost")));
    add_state(list, "TOP", RIG_KEYS, insn(TW_OP_TOP, ROOM, 0, best, 64 * rows))->big = true;
}

static void things(const rig *r, units *list)
{
    const uint32_t bolts = rig_field(r, "bolts");
    const uint32_t held = 64u * rig_field(r, "crates") + 2;
    unit *u = add_write(list, "CREATE", 2, insn(TW_OP_CREATE, NEW_BOLT, CALLER, 0, bolts));
    with(u, tw_insn_make30(TW_OP_ADDI, NEW_BOLT, NEW_BOLT, 1));
    u = add_write(list, "CREATE", 67,
                  insn(TW_OP_CREATE, NEW_CRATE, CALLER, 0, rig_field(r, "crates")));
    with(u, tw_insn_make30(TW_OP_ADDI, NEW_CRATE, NEW_CRATE, 1));
    u->big = true;
    add_write(list, "GIVE", 0, insn(TW_OP_GIVE, BOLT, GUEST, 0, bolts));
    u = add_write(list, "ATTACH+DETACH", 0, insn(TW_OP_ATTACH, BOLT, CRATE, 0, held));
    then(u, insn(TW_OP_DETACH, BOLT, 0, 0, bolts));
    u = add_write(list, "RETIRE", 0, insn(TW_OP_RETIRE, NEW_BOLT, 0, 0, bolts));
    with(u, tw_insn_make30(TW_OP_ADDI, NEW_BOLT, NEW_BOLT, 1));
    with(u, insn(TW_OP_CREATE, NEW_BOLT, CALLER, 0, bolts));
    add_state(list, "OWNER", 1, insn(TW_OP_OWNER, OUT, BOLT, 0, bolts));
    add_state(list, "OWNER", 2, insn(TW_OP_OWNER, OUT, BOLT_ON, 0, bolts));
    add_state(list, "MAKER", 0, insn(TW_OP_MAKER, OUT, BOLT, 0, bolts));
    add_state(list, "HELD", 0, insn(TW_OP_HELD, BOLT_ON, CRATE, 0, held));
    add_write(list, "LOG", 0, insn(TW_OP_LOG, SEVEN, BOLT, 2, bolts));
    add_state(list, "LOGGED", 0, insn(TW_OP_LOGGED, OUT, BOLT, 0, bolts));
}

static void money(units *list)
{
    enum { TILL = 0, SAFE = 1, STAKE = 2, POOL = 3, TOKEN = 1 };
    add_state(list, "PURSE", 0, insn(TW_OP_PURSE, OUT, 0, 0, TILL));
    add_state(list, "PURSE of role", 0, insn(TW_OP_PURSE, OUT, GUEST, 0, STAKE));
    add_state(list, "TOTAL", 0, insn(TW_OP_TOTAL, OUT, 0, 0, STAKE));
    add_state(list, "BALANCE", 0, insn(TW_OP_BALANCE, OUT, CALLER, 0, 0));
    add_state(list, "SUPPLY", 0, insn(TW_OP_SUPPLY, OUT, 0, 0, TOKEN));
    add_write(list, "RECEIVE", 0, insn(TW_OP_RECEIVE, ONE, 0, 0, TILL));
    add_write(list, "RECEIVE of role", 0, insn(TW_OP_RECEIVE, ONE, GUEST, 0, STAKE));
    add_write(list, "PAY", 0, insn(TW_OP_PAY, ONE, 0, GUEST, TILL));
    unit *u = add_write(list, "PAY of role", 0, insn(TW_OP_PAY, ONE, GUEST, GUEST, STAKE));
    with(u, insn(TW_OP_RECEIVE, ONE, GUEST, 0, STAKE));
    add_write(list, "SHIFT", 0, insn(TW_OP_SHIFT, ONE, 0, 0, TILL << 8 | SAFE));
    add_write(list, "SHIFT to role", 0, insn(TW_OP_SHIFT, ONE, 0, GUEST, TILL << 8 | STAKE));
    add_write(list, "MINT", 0, insn(TW_OP_MINT, ONE, GUEST, 0, TOKEN));
    add_write(list, "MINTIN", 0, insn(TW_OP_MINTIN, ONE, 0, 0, POOL));
    add_write(list, "BURN", 0, insn(TW_OP_BURN, ONE, 0, 0, POOL));
    add_write(list, "PAY nothing", 0, insn(TW_OP_PAY, ZERO, 0, GUEST, TILL));
}

/* Names every instruction that no unit has. */
static void look_for_gaps(const units *list)
{
    bool met[256] = {false};
    bool gap = false;
    for (uint32_t i = 0; i < list->count; i++) {
        const unit *u = &list->items[i];
        for (uint32_t k = 0; k < u->count; k++) met[tw_insn_op(u->code[k])] = true;
    }
    for (uint32_t op = 0; op < 256; op++) {
        const char *name = tw_op_find((uint8_t)op)->name;
        if (name == NULL || met[op]) continue;
        fprintf(stderr, "bench: no unit has %s\n", name);
        gap = true;
    }
    if (gap) exit(1);
}

void units_fill(const rig *r, units *list)
{
    list->count = 0;
    numbers(list);
    constants(r, list);
    control(r, list);
    slots(list);
    lists(r, list);
    texts(r, list);
    statistics(list);
    roles(list);
    fields(r, list);
    things(r, list);
    money(list);
    look_for_gaps(list);
}
