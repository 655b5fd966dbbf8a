/* test_verify -- the worst case that the verifier computes from code. What it refuses is in the
 * tests of its rules, test_rules_*.c. */
#include "tests/unit/module_fixture.h"

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))
#define RET0 ROW(RET, 0, 0, 0, 0)

static void expect_taken(maker *k, const char *what)
{
    cr_expect_eq(maker_facts(k), TW_OK, "%s: %s", what, k->err.text);
}

/* A loop counts its body, a branch its dearer side, a call its callee; beyond 64 bits it stays. */
Test(verify, worst_cases)
{
    const uint64_t loop[] = {IMM(LOOP, 8, 9, 1000), ROW(NOW, 10, 0, 0, 0), ROW(END, 0, 0, 0, 0),
                             RET0};
    const uint64_t sides[] = {ROW(JZ, 0, 0, 0, 2), ROW(LOAD, 8, 0, 0, T_INT),
                              ROW(LOAD, 8, 0, 0, T_INT), RET0};
    const uint64_t deep[] = {IMM(LOOP, 8, 9, TW_IMM30_MAX),  IMM(LOOP, 10, 9, TW_IMM30_MAX),
                             IMM(LOOP, 11, 9, TW_IMM30_MAX), ROW(LOAD, 20, 0, 0, T_INT),
                             ROW(END, 0, 0, 0, 0),           ROW(END, 0, 0, 0, 0),
                             ROW(END, 0, 0, 0, 0),           RET0};
    const uint64_t ret[] = {RET0};
    maker *k = maker_new(ret, 1, false);
    expect_taken(k, "RET");
    const tw_bounds empty = k->entries[E_VIEW].bounds;
    maker_free(k);
    k = maker_new(loop, 4, false);
    expect_taken(k, "LOOP");
    const uint64_t body = (uint64_t)tw_op_find(TW_OP_NOW)->gas + tw_op_find(TW_OP_END)->gas;
    cr_expect_eq(k->entries[E_VIEW].bounds.gas,
                 empty.gas + tw_op_find(TW_OP_LOOP)->gas + 1000 * body);
    maker_free(k);
    k = maker_new(sides, 4, false);
    expect_taken(k, "JZ");
    cr_expect_eq(k->entries[E_VIEW].bounds.reads, empty.reads + 2);
    cr_expect_eq(k->entries[E_VIEW].bounds.writes, empty.writes);
    maker_free(k);
    k = maker_new(deep, 8, false);
    expect_taken(k, "loops without end");
    cr_expect_eq(k->entries[E_VIEW].bounds.gas, UINT64_MAX);
    cr_expect_eq(k->entries[E_VIEW].bounds.reads, UINT32_MAX);
    maker_free(k);
}
