/* test_exec -- what each instruction does: results, traps, and what it leaves behind. Programs of a
 * few instructions over eight slots, in tables. */
#include "tests/unit/module_fixture.h"
#include "tests/unit/state_fixture.h"
#include "vm/exec/exec.h"
#include "vm/isa/value.h"
#include "vm/ledger/notices.h"
#include "vm/verify/cost.h"

enum { START = 5000000, CODE_MAX = 12 };

#define LOW INT64_MIN
#define HIGH INT64_MAX

/* A deployed contract over the module of a maker. */
typedef struct rig {
    maker *k;
    tw_code *code;
    tw_store *store;
    tw_overlay *overlay;
    tw_exec *exec;
    tw_contract *contract;
    tw_outcome outcome;
    int64_t slots[8];
} rig;

static tw_account account(uint8_t byte)
{
    tw_account a;
    memset(a.bytes, byte, sizeof a.bytes);
    return a;
}

static tw_status run(rig *r, uint16_t entry, const int64_t *arguments)
{
    const tw_account signers[2] = {account(1), account(2)};
    const tw_call call = {.entry = entry,
                          .now = START + 70,
                          .end = START + 70,
                          .signers = signers,
                          .signer_count = 2,
                          .arguments = arguments};
    cr_assert_eq(tw_exec_run(r->exec, r->contract, &call, &r->outcome), TW_OK);
    cr_assert_leq(r->outcome.gas, r->code->module->entries[entry].bounds.gas);
    if (r->outcome.status != TW_OK || entry != E_VIEW || r->outcome.fields.size != 64) {
        return r->outcome.status;
    }
    tw_reader reader = tw_reader_of(r->outcome.fields);
    cr_assert_eq(tw_value_decode(r->code->module, T_EIGHT, &reader, r->slots), TW_OK);
    return TW_OK;
}

static void deploy(rig *r)
{
    const tw_hash id = {{3}};
    const tw_account owner = account(1);
    const tw_account guard = account(2);
    const tw_account device = account(9);
    cr_assert_eq(tw_contract_new(&id, r->code, r->overlay, r->k->arena, &r->contract), TW_OK);
    tw_contract *c = r->contract;
    c->deployed_at = START;
    c->control.phase_since = START;
    c->params[0] = 5;
    c->params[1] = 2;
    c->params[2] = 0x6869000000000000;
    c->deployed[0] = 11;
    c->deployed[1] = 60000;
    cr_assert_eq(run(r, E_DEPLOY, NULL), TW_OK);
    cr_assert_eq(tw_contract_save(c), TW_OK);
    cr_assert_eq(tw_role_grant(c, 0, &owner, START), TW_OK);
    cr_assert_eq(tw_role_grant(c, 1, &guard, START), TW_OK);
    cr_assert_eq(tw_role_grant(c, 2, &device, START), TW_OK);
    cr_assert_eq(tw_timer_deploy(c), TW_OK);
    cr_assert_eq(tw_contract_save_control(c), TW_OK);
}

static rig *rig_of(maker *k)
{
    rig *r = tw_mem_new(sizeof *r);
    tw_err err = {.status = TW_OK};
    r->k = k;
    cr_assert_eq(maker_facts(r->k), TW_OK, "%s", r->k->err.text);
    cr_assert_eq(tw_code_new(maker_bytes(r->k), NULL, &r->code, &err), TW_OK, "%s", err.text);
    r->store = store_in_memory();
    r->overlay = tw_overlay_new(r->store, 64 * MIB);
    r->exec = tw_exec_new();
    cr_assert(r->overlay != NULL && r->exec != NULL);
    tw_overlay_clear(r->overlay, 1);
    deploy(r);
    return r;
}

static rig *rig_new(const uint64_t *code, uint32_t count, bool action)
{
    return rig_of(maker_new(code, count, action));
}

static void rig_free(rig *r)
{
    tw_exec_free(r->exec);
    tw_overlay_free(r->overlay);
    tw_store_close(r->store);
    tw_code_free(r->code);
    maker_free(r->k);
    tw_mem_free(r);
}

/* A program over slots 0..7, what is in them before, and after (or the trap). */
typedef struct program {
    const char *what;
    uint64_t code[CODE_MAX];
    int64_t before[8];
    int64_t after[8];
    tw_status trap;
} program;

static uint32_t length(const program *p)
{
    uint32_t count = 0;
    while (count < CODE_MAX && p->code[count] != 0) count++;
    return count;
}

static void check_programs(const program *programs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const program *p = &programs[i];
        uint64_t code[CODE_MAX + 1];
        uint32_t size = length(p);
        memcpy(code, p->code, sizeof p->code);
        code[size++] = tw_insn_make(TW_OP_RET, 0, 0, 0, 0);
        rig *r = rig_new(code, size, false);
        cr_expect_eq(run(r, E_VIEW, p->before), p->trap, "%s: status %d", p->what,
                     r->outcome.status);
        if (p->trap == TW_OK && r->outcome.status == TW_OK) {
            for (int k = 0; k < 8; k++) {
                cr_expect_eq(r->slots[k], p->after[k], "%s: slot %d is %lld, not %lld", p->what, k,
                             (long long)r->slots[k], (long long)p->after[k]);
            }
        }
        rig_free(r);
    }
}

#define CHECK(programs) check_programs((programs), sizeof(programs) / sizeof(programs)[0])
#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))
#define JIMM(op, a, imm, x) tw_insn_make26(TW_OP_##op, (a), (imm), (x))

Test(exec, arithmetic)
{
    const program programs[] = {
        {"ADD", {ROW(ADD, 2, 0, 1, 0)}, {3, 4}, {3, 4, 7}, TW_OK},
        {"ADD over", {ROW(ADD, 2, 0, 1, 0)}, {HIGH, 1}, {0}, TW_TRAP_OVERFLOW},
        {"ADD under", {ROW(ADD, 2, 0, 1, 0)}, {LOW, -1}, {0}, TW_TRAP_OVERFLOW},
        {"SUB", {ROW(SUB, 0, 0, 1, 0)}, {3, 4}, {-1, 4}, TW_OK},
        {"SUB under", {ROW(SUB, 0, 0, 1, 0)}, {LOW, 1}, {0}, TW_TRAP_OVERFLOW},
        {"SUB over", {ROW(SUB, 0, 0, 1, 0)}, {0, LOW}, {0}, TW_TRAP_OVERFLOW},
        {"MUL", {ROW(MUL, 2, 0, 1, 0)}, {-3, 4}, {-3, 4, -12}, TW_OK},
        {"MUL over", {ROW(MUL, 2, 0, 1, 0)}, {LOW, -1}, {0}, TW_TRAP_OVERFLOW},
        {"DIV", {ROW(DIV, 2, 0, 1, 0)}, {-7, 2}, {-7, 2, -3}, TW_OK},
        {"DIV by 0", {ROW(DIV, 2, 0, 1, 0)}, {7, 0}, {0}, TW_TRAP_DIVIDE_BY_ZERO},
        {"DIV over", {ROW(DIV, 2, 0, 1, 0)}, {LOW, -1}, {0}, TW_TRAP_OVERFLOW},
        {"MOD", {ROW(MOD, 2, 0, 1, 0)}, {-7, 2}, {-7, 2, -1}, TW_OK},
        {"MOD by 0", {ROW(MOD, 2, 0, 1, 0)}, {7, 0}, {0}, TW_TRAP_DIVIDE_BY_ZERO},
        {"MOD edge", {ROW(MOD, 2, 0, 1, 0)}, {LOW, -1, 5}, {LOW, -1, 0}, TW_OK},
        {"NEG", {ROW(NEG, 1, 0, 0, 0)}, {5}, {5, -5}, TW_OK},
        {"NEG over", {ROW(NEG, 1, 0, 0, 0)}, {LOW}, {0}, TW_TRAP_OVERFLOW},
        {"ABS", {ROW(ABS, 1, 0, 0, 0)}, {-5}, {-5, 5}, TW_OK},
        {"ABS over", {ROW(ABS, 1, 0, 0, 0)}, {LOW}, {0}, TW_TRAP_OVERFLOW},
        {"MIN", {ROW(MIN, 2, 0, 1, 0)}, {-5, 5}, {-5, 5, -5}, TW_OK},
        {"MAX", {ROW(MAX, 2, 0, 1, 0)}, {-5, 5}, {-5, 5, 5}, TW_OK},
        {"ADDI", {IMM(ADDI, 1, 0, TW_IMM30_MIN)}, {0}, {0, TW_IMM30_MIN}, TW_OK},
        {"ADDI over", {IMM(ADDI, 1, 0, 1)}, {HIGH}, {0}, TW_TRAP_OVERFLOW},
        {"MULI", {IMM(MULI, 1, 0, TW_IMM30_MIN)}, {-3}, {-3, -3 * (int64_t)TW_IMM30_MIN}, TW_OK},
        {"MULI edge", {IMM(MULI, 1, 0, 1)}, {LOW}, {LOW, LOW}, TW_OK},
        {"MULI over", {IMM(MULI, 1, 0, -1)}, {LOW}, {0}, TW_TRAP_OVERFLOW},
        {"MULI over 2", {IMM(MULI, 1, 0, 2)}, {HIGH}, {0}, TW_TRAP_OVERFLOW},
        /* constants: 10, 3, HIGH, LOW, -7, 1, 0, 100 */
        {"MULDIVK", {ROW(MULDIVK, 2, 0, 1, 0)}, {3, 5}, {3, 5, 2}, TW_OK},
        {"MULDIVK 25", {ROW(MULDIVK, 2, 0, 1, 0)}, {5, 5}, {5, 5, 2}, TW_OK},
        {"MULDIVK 35", {ROW(MULDIVK, 2, 0, 1, 0)}, {7, 5}, {7, 5, 4}, TW_OK},
        {"MULDIVK down", {ROW(MULDIVK, 2, 0, 1, 1)}, {-7, 5}, {-7, 5, -4}, TW_OK},
        {"MULDIVK up", {ROW(MULDIVK, 2, 0, 1, 2)}, {-7, 5}, {-7, 5, -3}, TW_OK},
        {"MULDIVK zero", {ROW(MULDIVK, 2, 0, 1, 3)}, {-7, 5}, {-7, 5, -3}, TW_OK},
        {"MULDIVK wide", {ROW(MULDIVK, 2, 0, 1, 0)}, {HIGH, 10}, {HIGH, 10, HIGH}, TW_OK},
        {"MULDIVK over", {ROW(MULDIVK, 2, 0, 1, 0)}, {HIGH, 11}, {0}, TW_TRAP_OVERFLOW},
        {"MULDIVK 0", {ROW(MULDIVK, 2, 0, 1, 24)}, {1, 1}, {0}, TW_TRAP_DIVIDE_BY_ZERO},
        {"MULKDIV", {ROW(MULKDIV, 2, 0, 1, 28)}, {7, 2}, {7, 2, 350}, TW_OK},
        {"MULKDIV 0", {ROW(MULKDIV, 2, 0, 1, 28)}, {7, 0}, {0}, TW_TRAP_DIVIDE_BY_ZERO},
        {"DIVK", {ROW(DIVK, 1, 0, 0, 0)}, {25}, {25, 2}, TW_OK},
        {"DIVK up", {ROW(DIVK, 1, 0, 0, 2)}, {21}, {21, 3}, TW_OK},
        {"DIVK 0", {ROW(DIVK, 1, 0, 0, 24)}, {21}, {0}, TW_TRAP_DIVIDE_BY_ZERO},
    };
    CHECK(programs);
}

Test(exec, moves_and_comparisons)
{
    const program programs[] = {
        {"MOV", {ROW(MOV, 7, 0, 0, 0)}, {9}, {9, 0, 0, 0, 0, 0, 0, 9}, TW_OK},
        {"MOVN up", {ROW(MOVN, 1, 0, 0, 3)}, {1, 2, 3}, {1, 1, 2, 3}, TW_OK},
        {"MOVN down", {ROW(MOVN, 0, 1, 0, 3)}, {1, 2, 3, 4}, {2, 3, 4, 4}, TW_OK},
        {"LDI", {IMM(LDI, 0, 0, TW_IMM30_MAX)}, {0}, {TW_IMM30_MAX}, TW_OK},
        {"LDI low", {IMM(LDI, 0, 0, TW_IMM30_MIN)}, {0}, {TW_IMM30_MIN}, TW_OK},
        {"LDK", {ROW(LDK, 0, 0, 0, 3)}, {0}, {LOW}, TW_OK},
        {"LDKN", {ROW(LDKN, 1, 0, 3, 1)}, {7}, {7, 3, HIGH, LOW}, TW_OK},
        {"ZERO", {ROW(ZERO, 1, 0, 0, 2)}, {1, 2, 3, 4}, {1, 0, 0, 4}, TW_OK},
        {"EQ", {ROW(EQ, 2, 0, 1, 0)}, {4, 4}, {4, 4, 1}, TW_OK},
        {"NE", {ROW(NE, 2, 0, 1, 0)}, {4, 4, 9}, {4, 4, 0}, TW_OK},
        {"LT", {ROW(LT, 2, 0, 1, 0)}, {LOW, HIGH}, {LOW, HIGH, 1}, TW_OK},
        {"LE", {ROW(LE, 2, 0, 1, 0)}, {4, 4}, {4, 4, 1}, TW_OK},
        {"EQN", {ROW(EQN, 7, 0, 2, 2)}, {1, 2, 1, 2}, {1, 2, 1, 2, 0, 0, 0, 1}, TW_OK},
        {"EQN not", {ROW(EQN, 7, 0, 2, 2)}, {1, 2, 1, 3}, {1, 2, 1, 3}, TW_OK},
        {"EQN none", {ROW(EQN, 7, 0, 2, 0)}, {1, 2, 3}, {1, 2, 3, 0, 0, 0, 0, 1}, TW_OK},
        {"LTN", {ROW(LTN, 7, 0, 2, 2)}, {1, 2, 1, 3}, {1, 2, 1, 3, 0, 0, 0, 1}, TW_OK},
        {"LTN sign", {ROW(LTN, 7, 0, 1, 1)}, {-1, 1}, {-1, 1}, TW_OK},
        {"LTN equal", {ROW(LTN, 7, 0, 2, 2)}, {1, 3, 1, 3}, {1, 3, 1, 3}, TW_OK},
        {"NOT", {ROW(NOT, 1, 0, 0, 0)}, {0}, {0, 1}, TW_OK},
        {"NOT 7", {ROW(NOT, 1, 0, 0, 0)}, {7}, {7, 0}, TW_OK},
        {"EQI", {IMM(EQI, 1, 0, -5)}, {-5}, {-5, 1}, TW_OK},
        {"LTI", {IMM(LTI, 1, 0, -5)}, {-6}, {-6, 1}, TW_OK},
        {"GTI", {IMM(GTI, 1, 0, -5)}, {-5, 3}, {-5, 0}, TW_OK},
    };
    CHECK(programs);
}

/* Slot 7 is 1 when the jump was not taken. */
#define JUMP_ROW(what, instruction, left, right, taken)                                            \
    {                                                                                              \
        (what), {(instruction), IMM(LDI, 7, 0, 1)}, {(left), (right)},                             \
            {(left), (right), 0, 0, 0, 0, 0, !(taken)}, TW_OK                                      \
    }

Test(exec, jumps)
{
    const program programs[] = {
        JUMP_ROW("JMP", ROW(JMP, 0, 0, 0, 1), 0, 0, true),
        JUMP_ROW("JZ 0", ROW(JZ, 0, 0, 0, 1), 0, 0, true),
        JUMP_ROW("JZ 1", ROW(JZ, 0, 0, 0, 1), 1, 0, false),
        JUMP_ROW("JNZ 0", ROW(JNZ, 0, 0, 0, 1), 0, 0, false),
        JUMP_ROW("JNZ 5", ROW(JNZ, 0, 0, 0, 1), 5, 0, true),
        JUMP_ROW("JEQ", ROW(JEQ, 0, 1, 0, 1), 5, 5, true),
        JUMP_ROW("JNE", ROW(JNE, 0, 1, 0, 1), 5, 5, false),
        JUMP_ROW("JLT", ROW(JLT, 0, 1, 0, 1), -5, 5, true),
        JUMP_ROW("JLT not", ROW(JLT, 0, 1, 0, 1), 5, 5, false),
        JUMP_ROW("JLE", ROW(JLE, 0, 1, 0, 1), 5, 5, true),
        JUMP_ROW("JEQI", JIMM(JEQI, 0, TW_IMM26_MIN, 1), TW_IMM26_MIN, 0, true),
        JUMP_ROW("JNEI", JIMM(JNEI, 0, 5, 1), 5, 0, false),
        JUMP_ROW("JLTI", JIMM(JLTI, 0, 5, 1), 4, 0, true),
        JUMP_ROW("JLEI", JIMM(JLEI, 0, 5, 1), 6, 0, false),
        JUMP_ROW("JGTI", JIMM(JGTI, 0, 5, 1), 6, 0, true),
        JUMP_ROW("JGTI not", JIMM(JGTI, 0, 5, 1), 5, 0, false),
        JUMP_ROW("JGEI", JIMM(JGEI, 0, TW_IMM26_MAX, 1), TW_IMM26_MAX, 0, true),
    };
    CHECK(programs);
}

Test(exec, loops_and_calls)
{
    const program programs[] = {
        {"LOOP",
         {IMM(LOOP, 2, 0, 10), ROW(ADD, 3, 3, 2, 0), IMM(ADDI, 4, 4, 1), ROW(END, 0, 0, 0, 0)},
         {5},
         {5, 0, 4, 10, 5},
         TW_OK},
        {"LOOP 0",
         {IMM(LOOP, 2, 0, 10), IMM(ADDI, 4, 4, 1), ROW(END, 0, 0, 0, 0)},
         {0, 0, 9},
         {0},
         TW_OK},
        {"LOOP at its limit",
         {IMM(LOOP, 2, 0, 3), IMM(ADDI, 4, 4, 1), ROW(END, 0, 0, 0, 0)},
         {3},
         {3, 0, 2, 0, 3},
         TW_OK},
        {"LOOP over",
         {IMM(LOOP, 2, 0, 3), IMM(ADDI, 4, 4, 1), ROW(END, 0, 0, 0, 0)},
         {4},
         {0},
         TW_TRAP_BAD_INDEX},
        {"LOOP below 0",
         {IMM(LOOP, 2, 0, 3), IMM(ADDI, 4, 4, 1), ROW(END, 0, 0, 0, 0)},
         {-1},
         {0},
         TW_TRAP_BAD_INDEX},
        {"LOOP in a LOOP, left early",
         {IMM(LOOP, 2, 0, 3), IMM(LOOP, 3, 1, 3), ROW(JEQ, 2, 3, 0, 1), IMM(ADDI, 4, 4, 1),
          ROW(END, 0, 0, 0, 0), IMM(ADDI, 5, 5, 1), ROW(END, 0, 0, 0, 0)},
         {3, 3},
         {3, 3, 2, 2, 6, 3},
         TW_OK},
        {"RET in a LOOP",
         {IMM(LOOP, 2, 0, 3), IMM(ADDI, 4, 4, 1), JIMM(JNEI, 4, 2, 1), ROW(RET, 0, 0, 0, 0),
          ROW(END, 0, 0, 0, 0), IMM(ADDI, 5, 5, 1)},
         {3},
         {3, 0, 1, 0, 2},
         TW_OK},
        {"CALL", {ROW(CALL, 4, 0, 0, F_SUM)}, {1, 2, 3, 4, 30, 12}, {1, 2, 3, 4, 42, 12}, TW_OK},
        {"CALL in a LOOP",
         {IMM(LOOP, 2, 0, 9), IMM(LDI, 5, 0, 2), ROW(CALL, 4, 0, 0, F_SUM), ROW(END, 0, 0, 0, 0)},
         {9},
         {9, 0, 8, 0, 18, 2},
         TW_OK},
        {"CALL traps", {ROW(CALL, 4, 0, 0, F_SUM)}, {0, 0, 0, 0, HIGH, 1}, {0}, TW_TRAP_OVERFLOW},
        {"TRAP", {ROW(TRAP, 0, 0, 0, TW_TRAP_NO_KEY)}, {0}, {0}, TW_TRAP_NO_KEY},
    };
    CHECK(programs);
}

typedef struct joined {
    uint64_t code[6]; /* up to a 0 */
    int64_t before, after;
    tw_status trap;
    uint32_t pc;
} joined;

static void check_joined(const joined *rows, size_t count_of_rows)
{
    for (size_t i = 0; i < count_of_rows; i++) {
        uint64_t code[7] = {0};
        uint32_t count = 0;
        for (; count < 6 && rows[i].code[count] != 0; count++) code[count] = rows[i].code[count];
        code[count++] = ROW(RET, 0, 0, 0, 0);
        rig *r = rig_new(code, count, false);
        const int64_t before[8] = {rows[i].before};
        cr_expect_eq(run(r, E_VIEW, before), rows[i].trap, "row %zu", i);
        cr_expect_eq(r->outcome.pc, rows[i].pc, "row %zu: pc %u", i, r->outcome.pc);
        if (rows[i].trap == TW_OK) cr_expect_eq(r->slots[0], rows[i].after, "row %zu", i);
        rig_free(r);
    }
}

/* Pairs run with one dispatch: their traps stand where they stood, and a jump may go between. */
Test(exec, a_pair_is_its_two_instructions)
{
    const joined rows[] = {
        {{IMM(MULI, 0, 0, 3), IMM(ADDI, 0, 0, 5)}, 4, 17, TW_OK, 2},
        {{IMM(MULI, 0, 0, 3), IMM(ADDI, 0, 0, 5)}, HIGH / 2, 0, TW_TRAP_OVERFLOW, 0},
        {{IMM(MULI, 0, 0, 1), IMM(ADDI, 0, 0, 5)}, HIGH - 4, 0, TW_TRAP_OVERFLOW, 1},
        {{JIMM(JEQI, 0, 4, 1), IMM(MULI, 0, 0, 3), IMM(ADDI, 0, 0, 5)}, 4, 9, TW_OK, 3},
        {{JIMM(JEQI, 0, 4, 1), IMM(MULI, 0, 0, 3), IMM(ADDI, 0, 0, 5)}, 5, 20, TW_OK, 3},
        {{IMM(MULI, 0, 0, 3), IMM(ADDI, 0, 0, 5), ROW(ADD, 0, 0, 0, 0)}, 4, 34, TW_OK, 3},
        {{ROW(LDK, 1, 0, 0, 2), ROW(SUB, 0, 1, 0, 0)}, -1, 0, TW_TRAP_OVERFLOW, 1}, /* HIGH */
        {{ROW(LDK, 1, 0, 0, 2), ROW(SUB, 0, 1, 0, 0)}, 1, HIGH - 1, TW_OK, 2},
        {{ROW(LDK, 1, 0, 0, 2), ROW(JLE, 1, 0, 0, 1), IMM(ADDI, 0, 0, 1)}, HIGH, HIGH, TW_OK, 3},
        {{ROW(LDK, 1, 0, 0, 2), ROW(JLE, 1, 0, 0, 1), IMM(ADDI, 0, 0, 1)}, 6, 7, TW_OK, 3},
        {{ROW(LDK, 1, 0, 0, 2), ROW(ADD, 0, 1, 0, 0)}, 1, 0, TW_TRAP_OVERFLOW, 1},
        {{ROW(LDK, 1, 0, 0, 2), ROW(ADD, 0, 1, 0, 0)}, -1, HIGH - 1, TW_OK, 2},
        {{ROW(PARAM, 1, 0, 0, 0), ROW(MUL, 0, 1, 0, 0)}, 4, 20, TW_OK, 2},
        {{ROW(PARAM, 1, 0, 0, 0), ROW(MUL, 0, 1, 0, 0)}, HIGH / 2, 0, TW_TRAP_OVERFLOW, 1},
        {{ROW(SUB, 1, 1, 0, 0), ROW(ADD, 0, 1, 0, 0)}, 7, 0, TW_OK, 2},
        {{ROW(LDK, 1, 0, 0, 2), ROW(SUB, 1, 1, 0, 0), ROW(ADD, 0, 1, 1, 0)},
         -1,
         0,
         TW_TRAP_OVERFLOW,
         1},
        {{ROW(LDK, 1, 0, 0, 2), IMM(LDI, 2, 0, 0), ROW(SUB, 1, 1, 2, 0), ROW(ADD, 0, 1, 0, 0)},
         1,
         0,
         TW_TRAP_OVERFLOW,
         3},
        {{ROW(LDI, 2, 0, 0, 0), ROW(SUB, 1, 2, 0, 0), ROW(ADD, 0, 1, 0, 0)},
         LOW,
         0,
         TW_TRAP_OVERFLOW,
         1},
        {{IMM(ADDI, 1, 0, 1), ROW(ADD, 0, 1, 1, 0)}, 3, 8, TW_OK, 2},
        {{IMM(ADDI, 1, 0, 1), ROW(ADD, 0, 1, 1, 0)}, HIGH, 0, TW_TRAP_OVERFLOW, 0},
        {{IMM(ADDI, 1, 0, 1), ROW(ADD, 0, 1, 1, 0)}, HIGH - 1, 0, TW_TRAP_OVERFLOW, 1},
        {{IMM(LOOP, 2, 0, 9), IMM(ADDI, 1, 1, 2), ROW(ADD, 0, 1, 0, 0), ROW(END, 0, 0, 0, 0)},
         2,
         8,
         TW_OK,
         4},
        {{ROW(LDK, 3, 0, 0, 2), IMM(LOOP, 2, 0, 9), ROW(ADD, 3, 3, 0, 0), ROW(END, 0, 0, 0, 0)},
         1,
         0,
         TW_TRAP_OVERFLOW,
         2},
    };
    check_joined(rows, sizeof rows / sizeof rows[0]);
}

/* And before an END that a jump leads to as well. */
Test(exec, an_end_behind_a_jump)
{
    const joined rows[] = {
        {{ROW(LDK, 3, 0, 0, 2), IMM(LOOP, 2, 0, 9), ROW(JZ, 0, 0, 0, 1), ROW(ADD, 3, 3, 0, 0),
          ROW(END, 0, 0, 0, 0)},
         1,
         0,
         TW_TRAP_OVERFLOW,
         3},
        {{ROW(LDK, 3, 0, 0, 3), IMM(LOOP, 2, 0, 9), ROW(JZ, 0, 0, 0, 1), ROW(SUB, 3, 3, 0, 0),
          ROW(END, 0, 0, 0, 0)},
         1,
         0,
         TW_TRAP_OVERFLOW,
         3},
        {{ROW(LDK, 3, 0, 0, 2), IMM(LOOP, 2, 0, 9), ROW(JZ, 0, 0, 0, 1), IMM(ADDI, 3, 3, 1),
          ROW(END, 0, 0, 0, 0)},
         1,
         0,
         TW_TRAP_OVERFLOW,
         3},
        {{IMM(LOOP, 2, 0, 9), ROW(JZ, 2, 0, 0, 1), ROW(ADD, 0, 0, 2, 0), ROW(END, 0, 0, 0, 0)},
         4,
         10,
         TW_OK,
         4},
    };
    check_joined(rows, sizeof rows / sizeof rows[0]);
}

/* The same where the second instruction looks into the state. */
Test(exec, a_pair_at_the_edge_of_the_state)
{
    const struct {
        uint64_t code[3];
        int64_t before;
        tw_status trap;
        uint32_t pc;
    } rows[] = {
        {{ROW(ADD, 0, 0, 1, 0), ROW(STORE, 0, 0, 0, T_INT)}, HIGH, TW_OK, 2},
        {{ROW(ADD, 0, 0, 0, 0), ROW(STORE, 0, 0, 0, T_INT)}, HIGH, TW_TRAP_OVERFLOW, 0},
        {{ROW(ADD, 0, 0, 0, 0), ROW(STORE, 0, 0, 0, T_BOOL)}, 1, TW_TRAP_BAD_VALUE, 1},
        {{IMM(ADDI, 0, 0, 1), ROW(STORE, 0, 0, 0, T_INT)}, HIGH, TW_TRAP_OVERFLOW, 0},
        {{IMM(ADDI, 0, 0, 1), ROW(STORE, 0, 0, 0, T_BOOL)}, 1, TW_TRAP_BAD_VALUE, 1},
        {{ROW(CALLER, 0, 0, 0, 0), ROW(MEMBER, 4, 0, 0, 0)}, 0, TW_OK, 2},
        {{ROW(JZ, 0, 0, 0, 0), ROW(CALLER, 0, 0, 0, 0)}, 1, TW_OK, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t code[4] = {0};
        uint32_t count = 0;
        for (; count < 3 && rows[i].code[count] != 0; count++) code[count] = rows[i].code[count];
        code[count++] = ROW(RET, 0, 0, 0, 0);
        rig *r = rig_new(code, count, true);
        const int64_t before[8] = {rows[i].before};
        cr_expect_eq(run(r, E_ACTION, before), rows[i].trap, "row %zu", i);
        cr_expect_eq(r->outcome.pc, rows[i].pc, "row %zu: pc %u", i, r->outcome.pc);
        rig_free(r);
    }
}

Test(exec, what_a_contract_knows)
{
    const int64_t one = 0x0101010101010101;
    const int64_t two = 0x0202020202020202;
    const int64_t device = 0x0909090909090909;
    const program programs[] = {
        {"PARAM", {ROW(PARAM, 0, 0, 0, 0)}, {0}, {5}, TW_OK},
        {"PARAM text", {ROW(PARAM, 1, 0, 0, 1)}, {7}, {7, 2, 0x6869000000000000}, TW_OK},
        {"LDC", {ROW(LDC, 0, 0, 0, 1)}, {0}, {60000}, TW_OK},
        {"PHASE", {ROW(PHASE, 0, 0, 0, 0)}, {9}, {0}, TW_OK},
        {"NOW", {ROW(NOW, 0, 0, 0, 0)}, {9}, {START + 70}, TW_OK},
        {"INPHASE", {ROW(INPHASE, 0, 0, 0, 0)}, {9}, {70}, TW_OK},
        {"ALARM", {ROW(ALARM, 0, 0, 0, 0)}, {9}, {0}, TW_OK},
        {"MEMBER",
         {ROW(MEMBER, 0, 1, 0, 0)},
         {0, one, one, one, one},
         {1, one, one, one, one},
         TW_OK},
        {"MEMBER not",
         {ROW(MEMBER, 0, 1, 0, 0)},
         {1, two, one, one, one},
         {0, two, one, one, one},
         TW_OK},
        {"HOLDER", {ROW(HOLDER, 0, 0, 0, 2)}, {0}, {1, device, device, device, device}, TW_OK},
        {"STAT none", {ROW(STAT, 0, 2, 0, TW_STAT_MAX << 10)}, {5, 5, 1000}, {0, 0, 1000}, TW_OK},
        {"STAT count",
         {ROW(STAT, 0, 2, 0, TW_STAT_COUNT << 10)},
         {5, 5, 1000},
         {1, 0, 1000},
         TW_OK},
        {"STAT span", {ROW(STAT, 0, 2, 0, TW_STAT_MAX << 10)}, {5, 5, -1}, {0}, TW_TRAP_BAD_INDEX},
        {"HOLDS", {ROW(HOLDS, 0, 1, 0, 0)}, {5, 0}, {0}, TW_OK},
        {"SILENT", {ROW(SILENT, 0, 1, 0, 0)}, {5, 70}, {1, 70}, TW_OK},
        {"SILENT not", {ROW(SILENT, 0, 1, 0, 0)}, {5, 71}, {0, 71}, TW_OK},
        {"HASH",
         {ROW(HASH, 4, 0, 0, T_TEXT)},
         {2, 0x6869000000000000},
         {2, 0x6869000000000000, 0, 0, (int64_t)0x8f434346648f6b96, (int64_t)0xdf89dda901c5176b,
          0x10a6d83961dd3c1a, (int64_t)0xc88b59b2dc327aa4},
         TW_OK},
        {"HASH bad text", {ROW(HASH, 4, 0, 0, T_TEXT)}, {13}, {0}, TW_TRAP_BAD_VALUE},
        {"LOAD nothing", {ROW(LOAD, 0, 0, 0, 1)}, {0}, {0}, TW_TRAP_NO_KEY},
    };
    CHECK(programs);
}

/* ------------------------------------------------------------------ what actions do */

/* Stores slots 0.. as field x; the status. */
static tw_status store(uint32_t field, const int64_t *slots)
{
    const uint64_t code[] = {ROW(STORE, 0, 0, 0, field), ROW(RET, 0, 0, 0, 0)};
    rig *r = rig_new(code, 2, true);
    const tw_status status = run(r, E_ACTION, slots);
    cr_expect_eq(r->outcome.writes, status == TW_OK ? 1 : 0);
    rig_free(r);
    return status;
}

Test(exec, store_takes_only_values_of_the_type)
{
    const struct {
        uint32_t type;
        int64_t slots[8];
        tw_status status;
    } rows[] = {
        {T_BOOL, {1}, TW_OK},
        {T_BOOL, {2}, TW_TRAP_BAD_VALUE},
        {T_BOOL, {-1}, TW_TRAP_BAD_VALUE},
        {T_INT, {LOW}, TW_OK},
        {T_TEXT, {12, 0x6161616161616161, 0x6161616100000000}, TW_OK},
        {T_TEXT, {13, 0x6161616161616161, 0x6161616161000000}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {-1, 0, 0}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {1, 0x6161000000000000, 0}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {1, 0x6100000000000000, 1}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {1, (int64_t)0xFF00000000000000, 0}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {1, 0x0A00000000000000, 0}, TW_TRAP_BAD_VALUE},
        {T_TEXT, {2, (int64_t)0xC3A9000000000000, 0}, TW_OK},
        {T_HASH, {1, -1, 0, 5}, TW_OK},
        {T_OPTIONAL, {0, 0}, TW_OK},
        {T_OPTIONAL, {1, 9}, TW_OK},
        {T_OPTIONAL, {0, 9}, TW_TRAP_BAD_VALUE},
        {T_OPTIONAL, {2, 0}, TW_TRAP_BAD_VALUE},
        {T_RECORD, {5, 1, 0x6100000000000000, 0}, TW_OK},
        {T_RECORD, {5, 99, 0, 0}, TW_TRAP_BAD_VALUE},
        {T_LIST, {3, 1, 2, 3}, TW_OK},
        {T_LIST, {4, 1, 2, 3}, TW_TRAP_BAD_VALUE},
        {T_LIST, {1, 1, 2, 0}, TW_TRAP_BAD_VALUE},
        {T_LIST, {-1, 0, 0, 0}, TW_TRAP_BAD_VALUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(store(rows[i].type, rows[i].slots), rows[i].status, "row %zu", i);
    }
}

Test(exec, what_is_stored_is_loaded)
{
    const uint64_t code[] = {ROW(STORE, 0, 0, 0, T_RECORD), ROW(ZERO, 0, 0, 0, 8),
                             ROW(LOAD, 4, 0, 0, T_RECORD),  ROW(STORE, 4, 0, 0, T_INT),
                             ROW(EMIT, 4, 0, 0, 0),         ROW(RET, 0, 0, 0, 0)};
    rig *r = rig_new(code, 6, true);
    const int64_t slots[8] = {77, 3, 0x6162630000000000};
    cr_assert_eq(run(r, E_ACTION, slots), TW_OK);
    cr_expect_eq(r->outcome.writes, 2);
    cr_expect_eq(r->outcome.events, 1);
    tw_reader reader = tw_reader_of(r->outcome.notices);
    tw_notice_view notice;
    cr_assert(tw_notice_read(&reader, &notice));
    cr_expect_eq(notice.kind, TW_NOTICE_EVENT);
    cr_expect_arr_eq(notice.fields.data, "\0\0\0\0\0\0\0\x4D\0\3abc", 13);
    rig_free(r);
}

/* What an action did before it traps is undone, its events too; the gas stays. */
Test(exec, a_trap_undoes_everything)
{
    const uint64_t code[] = {ROW(STORE, 0, 0, 0, T_INT), ROW(EMIT, 0, 0, 0, 0),
                             ROW(GO, 0, 0, 0, 1),        ROW(HISTORY, 0, 0, 0, 0),
                             ROW(JZ, 7, 0, 0, 1),        ROW(FAIL, 0, 0, 0, 0),
                             ROW(RET, 0, 0, 0, 0)};
    rig *r = rig_new(code, 7, true);
    int64_t slots[8] = {6, 0, 0, 0, 0, 0, 0, 1};
    cr_expect_eq(run(r, E_ACTION, slots), TW_FAIL_ERROR);
    cr_expect_eq(r->outcome.index, 0);
    cr_expect_eq(tw_load_u64(r->outcome.fields.data), 6);
    cr_expect_eq(r->outcome.notices.size, 0);
    cr_expect_eq(r->outcome.histories, 0);
    cr_expect_gt(r->outcome.gas, 100000);
    cr_expect_eq(r->contract->control.phase, 0);
    cr_expect_eq(r->contract->control.history_count, 0);
    slots[7] = 0;
    cr_expect_eq(run(r, E_ACTION, slots), TW_OK);
    cr_expect_eq(r->contract->control.phase, 1);
    cr_expect_eq(r->contract->control.phase_since, START + 70);
    cr_expect_eq(r->contract->control.history_count, 1);
    cr_expect(!tw_hash_is_zero(&r->contract->control.history_head));
    cr_expect_eq(r->outcome.histories, 1);
    cr_expect_eq(r->contract->control.timers[E_AFTER].due, START + 70 + 60000);
    rig_free(r);
}

static tw_status act(const uint64_t *code, uint32_t count, const int64_t *slots, rig **ret_rig)
{
    rig *r = rig_new(code, count, true);
    const tw_status status = run(r, E_ACTION, slots);
    *ret_rig = r;
    return status;
}

/* One byte more than the most there can be, and what does not end with its last timer. */
Test(exec, a_control_record_that_is_too_long)
{
    const uint64_t code[] = {ROW(RET, 0, 0, 0, 0)};
    rig *r = rig_new(code, 1, true);
    uint8_t bytes[1024] = {TW_STATE_TAG};
    const size_t most = tw_size_control(r->code->module);
    tw_key key;
    tw_key_begin(&key, TW_SPACE_CONTROL, &r->contract->id);
    cr_assert_eq(tw_contract_load_control(r->contract), TW_OK);
    for (size_t size = most - 1; size <= most + 1; size++) {
        const tw_bytes record = tw_bytes_of(bytes, size);
        cr_assert_eq(tw_overlay_put(r->overlay, tw_key_bytes(&key), record), TW_OK);
        cr_expect_eq(tw_contract_load_control(r->contract), TW_ERR_CORRUPT, "%zu bytes", size);
    }
    rig_free(r);
}

Test(exec, senders_and_roles)
{
    /* CALLER is account 1; it and account 2, a guard, have signed */
    const uint64_t signers[] = {
        ROW(CALLER, 0, 0, 0, 0),     ROW(SIGNED, 4, 0, 0, 0),  IMM(LDI, 0, 0, 7),
        ROW(SIGNED, 5, 0, 0, 0),     ROW(SIGNERS, 6, 0, 0, 1), ROW(STORE, 4, 0, 0, T_INT),
        ROW(STORE, 5, 0, 0, T_BOOL), JIMM(JEQI, 4, 1, 1),      ROW(TRAP, 0, 0, 0, 2),
        JIMM(JEQI, 6, 1, 1),         ROW(TRAP, 0, 0, 0, 4),    ROW(RET, 0, 0, 0, 0)};
    const uint64_t grant[] = {ROW(GRANT, 0, 0, 0, 1), ROW(RET, 0, 0, 0, 0)};
    const uint64_t revoke[] = {ROW(REVOKE, 0, 0, 0, 2), ROW(REVOKE, 0, 4, 0, 1),
                               ROW(HOLDER, 0, 0, 0, 2), ROW(JZ, 0, 0, 0, 1),
                               ROW(TRAP, 0, 0, 0, 7),   ROW(RET, 0, 0, 0, 0)};
    const int64_t one = 0x0101010101010101;
    const int64_t two = 0x0202020202020202;
    const int64_t nine = 0x0909090909090909;
    const int64_t none[8] = {0};
    const int64_t ones[8] = {one, one, one, one};
    const int64_t twos[8] = {two, two, two, two};
    const int64_t gone[8] = {nine, nine, nine, nine, two, two, two, two};
    rig *r = NULL;
    cr_expect_eq(act(signers, 12, none, &r), TW_OK);
    rig_free(r);
    cr_expect_eq(act(grant, 2, twos, &r), TW_TRAP_ALREADY_MEMBER);
    rig_free(r);
    cr_expect_eq(act(grant, 2, ones, &r), TW_OK);
    cr_expect_eq(run(r, E_ACTION, ones), TW_TRAP_ALREADY_MEMBER);
    cr_expect_eq(run(r, E_ACTION, none), TW_OK);
    cr_expect_eq(run(r, E_ACTION, gone), TW_TRAP_FULL);
    rig_free(r);
    cr_expect_eq(act(revoke, 6, gone, &r), TW_OK);
    cr_expect_eq(run(r, E_ACTION, gone), TW_TRAP_NOT_MEMBER);
    rig_free(r);
    cr_expect_eq(act(revoke, 6, ones, &r), TW_TRAP_NOT_MEMBER);
    rig_free(r);
}

/* The gas of a run is kept in 32 bits, and a REVOKE of many windows needs the highest of them. */
Test(exec, a_revoke_that_costs_two_to_the_31st)
{
    const uint64_t code[] = {ROW(REVOKE, 0, 0, 0, 2), ROW(RET, 0, 0, 0, 0)};
    const int64_t none[8] = {0};
    const uint64_t middle = UINT64_C(1) << 31;
    uint64_t gas[TW_READINGS_MAX + 1] = {0};
    for (uint16_t count = 54; count <= TW_READINGS_MAX; count++) {
        maker *k = maker_new(code, 2, true);
        tw_reading *all = TW_NEW_ARRAY(k->arena, tw_reading, count);
        cr_assert_not_null(all);
        for (uint16_t i = 0; i < count; i++) {
            all[i] = k->m.readings[0];
            all[i].keep = TW_KEEP_MAX;
        }
        k->m.readings = all;
        k->m.reading_count = count;
        rig *r = rig_of(k);
        cr_expect_eq(run(r, E_ACTION, none), TW_TRAP_NOT_MEMBER);
        const uint64_t bound = r->code->facts->entries[E_ACTION].gas;
        gas[count] = r->outcome.gas;
        cr_expect_eq(gas[count], bound - tw_op_find(TW_OP_RET)->gas, "%u readings", count);
        rig_free(r);
    }
    cr_expect(gas[54] < middle && middle < gas[55], "%llu", (unsigned long long)gas[54]);
}

Test(exec, notices_take_only_values_of_their_types)
{
    const uint64_t emit[] = {ROW(EMIT, 0, 0, 0, 0), ROW(RET, 0, 0, 0, 0)};
    const uint64_t breach[] = {ROW(BREACH, 0, 0, 0, 0)};
    const int64_t good[8] = {1, 12, 0x6161616161616161, 0x6161616100000000};
    const int64_t bad[8] = {1, 13, 0x6161616161616161, 0x6161616161000000};
    rig *r = NULL;
    cr_expect_eq(act(emit, 2, good, &r), TW_OK);
    cr_expect_eq(r->outcome.notices.size, 5 + 8 + 2 + 12);
    rig_free(r);
    cr_expect_eq(act(emit, 2, bad, &r), TW_TRAP_BAD_VALUE);
    rig_free(r);
    cr_expect_eq(act(breach, 1, good, &r), TW_FAIL_INVARIANT);
    rig_free(r);
}

/* Gas is the table's: a run of constant instructions costs their sum, whatever the engine. */
Test(exec, gas_is_the_sum_of_the_table)
{
    const uint64_t one[] = {ROW(RET, 0, 0, 0, 0)};
    const uint64_t more[] = {ROW(MUL, 0, 0, 1, 0), ROW(DIV, 2, 0, 1, 0), ROW(JMP, 0, 0, 0, 1),
                             ROW(DIV, 2, 0, 1, 0), IMM(LDI, 3, 0, 5),    ROW(RET, 0, 0, 0, 0)};
    const int64_t slots[8] = {3, 4};
    rig *r = rig_new(one, 1, false);
    cr_assert_eq(run(r, E_VIEW, slots), TW_OK);
    const uint64_t empty = r->outcome.gas;
    rig_free(r);
    r = rig_new(more, 6, false);
    cr_assert_eq(run(r, E_VIEW, slots), TW_OK);
    const uint64_t wanted = (uint64_t)tw_op_find(TW_OP_MUL)->gas + tw_op_find(TW_OP_DIV)->gas +
                            tw_op_find(TW_OP_JMP)->gas + tw_op_find(TW_OP_LDI)->gas;
    cr_expect_eq(r->outcome.gas, empty + wanted);
    rig_free(r);
}
