/* test_rules_each -- every instruction, field by field: slots that end with the frame and one more,
 * the last name and one that is not there, what is unused and is not 0. The table says by hand what
 * opcodes.def, shapes.def and operands.def say, and so do the checks made for each shape. */
#include "tests/unit/rules_fixture.h"

#include "vm/verify/check.h"

/* What a field is, if no run of slots; and what x is, if nothing that the module has. */
enum { IMMEDIATE = -1, NUMBER = -2, UNUSED = -3, COUNT = -4, DISTANCE = -5, IMMEDIATE_X = -6 };

typedef struct each {
    tw_op op;
    int a, b, c; /* slots, 0 for none, or IMMEDIATE; c also NUMBER, which then is `given` */
    uint32_t x;  /* something that is there */
    int beyond;  /* something that is not there; or what x is */
    uint32_t given;
} each;

#define G(op, ...)                                                                                 \
    {                                                                                              \
        TW_OP_##op, __VA_ARGS__                                                                    \
    }
#define E(op, ...) G(op, __VA_ARGS__, 0)
#define STAT_X(reading) ((int)(TW_STAT_MAX << 10 | (reading)))

static const each table[] = {
    E(RET, 8, 0, 0, 0, UNUSED),
    E(JMP, 0, 0, 0, 1, DISTANCE),
    E(JZ, 1, 0, 0, 1, DISTANCE),
    E(JNZ, 1, 0, 0, 1, DISTANCE),
    E(JEQ, 1, 1, 0, 1, DISTANCE),
    E(JNE, 1, 1, 0, 1, DISTANCE),
    E(JLT, 1, 1, 0, 1, DISTANCE),
    E(JLE, 1, 1, 0, 1, DISTANCE),
    E(JEQI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(JNEI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(JLTI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(JLEI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(JGTI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(JGEI, 1, IMMEDIATE, IMMEDIATE, 1, DISTANCE),
    E(LOOP, 1, 1, IMMEDIATE, 0xFFFF, IMMEDIATE_X),
    E(END, 0, 0, 0, 0, UNUSED),
    E(CALL, 2, 0, 0, F_SUM, F_TESTED),
    E(MOV, 1, 1, 0, 0, UNUSED),
    E(MOVN, 3, 3, 0, 3, COUNT),
    E(LDI, 1, 0, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(LDK, 1, 0, 0, 7, 8),
    G(LDKN, 3, 0, NUMBER, 5, 6, 3),
    E(ZERO, 3, 0, 0, 3, COUNT),
    E(ADD, 1, 1, 1, 0, UNUSED),
    E(SUB, 1, 1, 1, 0, UNUSED),
    E(MUL, 1, 1, 1, 0, UNUSED),
    E(DIV, 1, 1, 1, 0, UNUSED),
    E(MOD, 1, 1, 1, 0, UNUSED),
    E(NEG, 1, 1, 0, 0, UNUSED),
    E(ABS, 1, 1, 0, 0, UNUSED),
    E(MIN, 1, 1, 1, 0, UNUSED),
    E(MAX, 1, 1, 1, 0, UNUSED),
    E(ADDI, 1, 1, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(MULDIVK, 1, 1, 1, 31, 32),
    E(MULKDIV, 1, 1, 1, 31, 32),
    E(DIVK, 1, 1, 0, 31, 32),
    E(MULI, 1, 1, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(EQ, 1, 1, 1, 0, UNUSED),
    E(NE, 1, 1, 1, 0, UNUSED),
    E(LT, 1, 1, 1, 0, UNUSED),
    E(LE, 1, 1, 1, 0, UNUSED),
    E(EQN, 1, 3, 3, 3, COUNT),
    E(LTN, 1, 3, 3, 3, COUNT),
    E(NOT, 1, 1, 0, 0, UNUSED),
    E(EQI, 1, 1, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(LTI, 1, 1, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(GTI, 1, 1, IMMEDIATE, 0x1FFFF, IMMEDIATE_X),
    E(LOAD, 4, 1, 0, W_MAP, W_FIELDS),
    E(STORE, 4, 1, 0, W_MAP, W_FIELDS),
    E(EXISTS, 1, 3, 0, W_WORDS, W_FIELDS),
    E(REMOVE, 0, 3, 0, W_WORDS, W_PARTS),
    E(SIZE, 1, 0, 0, W_WORDS, T_INT),
    E(NEXT, 3, 1, 0, W_PARTS, T_INT),
    G(TOP, 9, 0, NUMBER, W_MAP * 64, W_MAP * 64 + 1, W_PAIRS),
    E(PARAM, 3, 0, 0, 1, 2),
    E(LDC, 1, 0, 0, 1, 2),
    E(STC, 1, 0, 0, 1, 2),
    E(PHASE, 1, 0, 0, 0, UNUSED),
    E(GO, 0, 0, 0, 1, 2),
    E(NOW, 1, 0, 0, 0, UNUSED),
    E(INPHASE, 1, 0, 0, 0, UNUSED),
    E(CALLER, 4, 0, 0, 0, UNUSED),
    E(MEMBER, 1, 4, 0, W_METER, W_METER + 1),
    E(SIGNED, 1, 4, 0, 0, UNUSED),
    E(SIGNERS, 1, 0, 0, W_METER, W_METER + 1),
    E(GRANT, 0, 4, 0, W_METER, W_METER + 1),
    E(REVOKE, 0, 4, 0, W_METER, W_METER + 1),
    E(HOLDER, 5, 0, 0, 0, W_METER + 1),
    E(STAT, 2, 1, 4, STAT_X(W_FLOW), STAT_X(W_FLOW + 1)),
    E(HOLDS, 1, 1, 4, W_STAMP, W_STAMP + 1),
    E(SILENT, 1, 1, 4, W_FLOW, W_FLOW + 1),
    E(ALARM, 1, 0, 0, 0, 1),
    E(ACROSS, 2, 1, 0, STAT_X(W_FLOW), STAT_X(W_FLOW + 1)),
    E(EMIT, 4, 0, 0, 0, 1),
    E(HISTORY, 1, 0, 0, 0, 1),
    E(FAIL, 1, 0, 0, 0, 1),
    E(TRAP, 0, 0, 0, TW_TRAP_BAD_VALUE, TW_FAIL_ERROR),
    E(BREACH, 0, 0, 0, 0, 1),
    E(REFUSE, 0, 0, 0, 0, 1),
    E(HASH, 4, 3, 0, T_TEXT, W_TYPES),
    E(ITEM, 1, 4, 1, T_LIST, W_TYPES),
    E(PUT, 4, 1, 1, T_LIST, W_TYPES),
    E(PUSH, 4, 1, 0, T_LIST, W_TYPES),
    E(DROP, 4, 1, 0, T_LIST, W_TYPES),
    E(FIND, 1, 4, 1, T_LIST, W_TYPES),
    E(CREATE, 4, 4, 0, W_PARTS, W_MAP),
    E(GIVE, 3, 4, 0, W_PARTS, W_MAP),
    E(ATTACH, 3, 3, 0, W_MACHINES * 64 + 2, W_MACHINES * 64 + 1),
    E(DETACH, 3, 0, 0, W_PARTS, W_MAP),
    E(RETIRE, 3, 0, 0, W_PARTS, W_MAP),
    E(OWNER, 4, 3, 0, W_PARTS, W_MAP),
    E(MAKER, 4, 3, 0, W_PARTS, W_MAP),
    E(HELD, 3, 3, 0, W_MACHINES * 64 + 2, W_MACHINES * 64 + 1),
    G(LOG, 1, 3, NUMBER, W_PARTS, W_MAP, 0),
    E(LOGGED, 1, 3, 0, W_PARTS, W_MAP),
    E(PURSE, 1, 4, 0, W_STAKES, W_PURSES),
    E(TOTAL, 1, 0, 0, W_STAKES, W_PURSES),
    E(RECEIVE, 1, 4, 0, W_STAKES, W_PURSES),
    E(PAY, 1, 4, 4, W_STAKES, W_PURSES),
    E(SHIFT, 1, 4, 4, W_STAKES * 256 + W_STAKES, W_STAKES * 256 + W_CHEST),
    E(MINT, 1, 4, 0, W_TOKEN, W_EUR),
    E(MINTIN, 1, 4, 0, W_CHEST, W_STAKES),
    E(BURN, 1, 4, 0, W_CHEST, W_STAKES),
    E(BALANCE, 1, 4, 0, W_EUR, W_MONIES),
    E(SUPPLY, 1, 0, 0, W_TOKEN, W_EUR),
};

enum { ROWS = sizeof table / sizeof table[0], CODE = 4, AT = 1 };

/* A module whose third purse is per role too, and whose tested function is what a test gives. */
static maker *new_module(void)
{
    const uint64_t code[CODE] = {RET0, RET0, RET0, RET0};
    maker *k = maker_new(code, CODE, false);
    wide *w = wide_of(k);
    w->purses[W_CHEST].role = 1;
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK, "%s", k->err.text);
    return k;
}

/* The instruction stands between a LOOP and an END if it is the other, and before a RET. */
static void expect(maker *k, const each *e, const uint32_t *abcx, const char *sentence)
{
    const char *name = tw_op_find((uint8_t)e->op)->name;
    const uint64_t small = IMM(LDI, 0, 0, 1);
    uint64_t *code = k->m.code + k->functions[F_TESTED].code_first;
    uint32_t targets[CODE];
    char place[64];
    snprintf(place, sizeof place, "function tested, instruction %d (%s): ", AT, name);
    code[0] = e->op == TW_OP_END ? IMM(LOOP, 0, 1, 5) : small;
    code[AT] = insn(e->op, abcx[0], abcx[1], abcx[2], abcx[3]);
    code[2] = e->op == TW_OP_LOOP ? ROW(END, 0, 0, 0, 0) : small;
    code[3] = RET0;
    k->err = (tw_err){0};
    const tw_status status = tw_check_code(&k->m, F_TESTED, targets, &k->err);
    cr_expect_eq(status, sentence == NULL ? TW_OK : TW_REFUSED_MODULE,
                 "%s %u %u %u %u: said \"%s\"", name, abcx[0], abcx[1], abcx[2], abcx[3],
                 k->err.text);
    if (sentence == NULL) return;
    cr_expect_eq(strncmp(k->err.text, place, strlen(place)), 0, "%s: said \"%s\"", name,
                 k->err.text);
    cr_expect(strstr(k->err.text, sentence) != NULL, "%s %u %u %u %u: said \"%s\"", name, abcx[0],
              abcx[1], abcx[2], abcx[3], k->err.text);
}

static uint32_t last_place(const each *e, int field)
{
    const int slots[] = {e->a, e->b, e->c};
    if (slots[field] == NUMBER) return e->given;
    if (slots[field] == IMMEDIATE) return 0x1FFF;
    return slots[field] > 0 ? (uint32_t)(FRAME - slots[field]) : 0;
}

/* All fields as far as they go; then one of them a step further. */
static void check_slots(maker *k, const each *e)
{
    const int slots[] = {e->a, e->b, e->c};
    uint32_t abcx[] = {last_place(e, 0), last_place(e, 1), last_place(e, 2), e->x};
    expect(k, e, abcx, NULL);
    for (int field = 0; field < 3; field++) {
        if (slots[field] == NUMBER || slots[field] == IMMEDIATE) continue;
        abcx[field]++;
        expect(k, e, abcx, slots[field] == 0 ? "has an unused part" : "slots outside the frame");
        if (slots[field] > 0) {
            abcx[field] = 0x1FFF;
            expect(k, e, abcx, "slots outside the frame");
        }
        abcx[field] = last_place(e, field);
    }
}

static void check_x(maker *k, const each *e)
{
    uint32_t abcx[] = {last_place(e, 0), last_place(e, 1), last_place(e, 2), e->x + 1};
    if (e->beyond == UNUSED) expect(k, e, abcx, "has an unused part");
    if (e->beyond == COUNT) expect(k, e, abcx, "slots outside the frame");
    if (e->beyond == DISTANCE) expect(k, e, abcx, "jumps out of the function");
    abcx[3] = 0;
    if (e->beyond == IMMEDIATE_X) expect(k, e, abcx, NULL);
    if (e->beyond < 0) return;
    abcx[3] = (uint32_t)e->beyond;
    expect(k, e, abcx, "names something that is not there");
    abcx[3] = 0x1FFFF;
    expect(k, e, abcx, "names something that is not there");
}

Test(rules_each, every_field_of_every_instruction)
{
    maker *k = new_module();
    for (size_t i = 0; i < ROWS; i++) {
        check_slots(k, &table[i]);
        check_x(k, &table[i]);
    }
    maker_free(k);
}

Test(rules_each, every_instruction_has_a_row)
{
    for (uint32_t number = 0; number < 256; number++) {
        const char *name = tw_op_find((uint8_t)number)->name;
        uint32_t rows = 0;
        for (size_t i = 0; i < ROWS; i++) rows += table[i].op == (tw_op)number;
        cr_expect_eq(rows, name != NULL ? 1u : 0u, "%s: %u", name != NULL ? name : "none", rows);
    }
}
