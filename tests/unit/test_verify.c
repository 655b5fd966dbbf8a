/* test_verify -- what the verifier takes and what it refuses: each rule at its limit and one
 * beyond. A module that is taken is also read back from its bytes and proved again. */
#include "tests/unit/module_fixture.h"

#include "vm/verify/cost.h"

#include <stdio.h>

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))
#define IMM(op, a, b, imm) tw_insn_make30(TW_OP_##op, (a), (b), (imm))
#define JIMM(op, a, imm, x) tw_insn_make26(TW_OP_##op, (a), (imm), (x))

enum { CODE_MAX = 24 };

static const uint64_t only_ret[] = {0x01};

/* Facts, bytes, decoding, the whole proof. */
static tw_status prove(maker *k)
{
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    TW_TRY(maker_facts(k));
    TW_TRY(tw_module_decode(maker_bytes(k), k->arena, &m, &k->err));
    return tw_module_verify(m, k->arena, &facts, &k->err);
}

static void expect_refused(maker *k, const char *what, const char *text)
{
    const tw_status status = prove(k);
    cr_expect_eq(status, TW_REFUSED_MODULE, "%s: status %d", what, status);
    cr_expect(strstr(k->err.text, text) != NULL, "%s: said \"%s\"", what, k->err.text);
}

static void expect_taken(maker *k, const char *what)
{
    cr_expect_eq(prove(k), TW_OK, "%s: %s", what, k->err.text);
}

/* ------------------------------------------------------------------ code */

typedef struct sample {
    const char *what;
    uint64_t code[CODE_MAX];
    const char *refused; /* NULL: taken */
} sample;

static void check_samples(const sample *samples, size_t count, bool action)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t size = 0;
        while (size < CODE_MAX && samples[i].code[size] != 0) size++;
        maker *k = maker_new(samples[i].code, size, action);
        if (samples[i].refused != NULL) {
            expect_refused(k, samples[i].what, samples[i].refused);
        } else {
            expect_taken(k, samples[i].what);
        }
        maker_free(k);
    }
}

#define CHECK(samples, action)                                                                     \
    check_samples((samples), sizeof(samples) / sizeof(samples)[0], (action))
#define RET0 ROW(RET, 0, 0, 0, 0)

Test(verify, control_flow)
{
    const sample samples[] = {
        {"the last instruction goes on", {IMM(LDI, 0, 0, 1)}, "lets the function run on"},
        {"a jump to the end", {ROW(JMP, 0, 0, 0, 0), RET0}, NULL},
        {"a jump past the end", {ROW(JMP, 0, 0, 0, 1), RET0}, "jumps out of the function"},
        {"a far jump", {ROW(JZ, 0, 0, 0, 0x1FFFF), RET0}, "jumps out of the function"},
        {"END alone", {ROW(END, 0, 0, 0, 0), RET0}, "ends no loop"},
        {"LOOP alone", {IMM(LOOP, 0, 1, 5), RET0}, "ends the function inside a loop"},
        {"LOOP below 0", {IMM(LOOP, 0, 1, -1), ROW(END, 0, 0, 0, 0), RET0}, "a negative count"},
        {"into a loop",
         {ROW(JMP, 0, 0, 0, 1), IMM(LOOP, 0, 1, 5), ROW(END, 0, 0, 0, 0), RET0},
         "into or out of a loop"},
        {"out of a loop",
         {IMM(LOOP, 0, 1, 5), ROW(JMP, 0, 0, 0, 1), ROW(END, 0, 0, 0, 0), RET0},
         "into or out of a loop"},
        {"to the loop's end",
         {IMM(LOOP, 0, 1, 5), ROW(JMP, 0, 0, 0, 0), ROW(END, 0, 0, 0, 0), RET0},
         NULL},
        {"to the inner loop from the outer body",
         {IMM(LOOP, 0, 1, 5), ROW(JMP, 0, 0, 0, 1), IMM(LOOP, 2, 1, 5), ROW(END, 0, 0, 0, 0),
          ROW(END, 0, 0, 0, 0), RET0},
         "into or out of a loop"},
        {"from a loop to the one after it",
         {IMM(LOOP, 0, 1, 5), ROW(JMP, 0, 0, 0, 2), ROW(END, 0, 0, 0, 0), IMM(LOOP, 0, 1, 5),
          ROW(END, 0, 0, 0, 0), RET0},
         "into or out of a loop"},
        {"RET in a loop", {IMM(LOOP, 0, 1, 5), RET0, ROW(END, 0, 0, 0, 0), RET0}, NULL},
        {"a lower function", {ROW(CALL, 0, 0, 0, F_SUM), RET0}, NULL},
        {"itself", {ROW(CALL, 0, 0, 0, F_TESTED), RET0}, "names something that is not there"},
        {"a higher function", {ROW(CALL, 0, 0, 0, F_DEPLOY), RET0}, "not there"},
        {"no instruction", {0xFF, RET0}, "is no instruction"},
        {"no instruction 0x32FF", {0x3A, RET0}, "is no instruction"},
        {"a trap", {ROW(TRAP, 0, 0, 0, TW_TRAP_BAD_VALUE)}, NULL},
        {"no trap", {ROW(TRAP, 0, 0, 0, TW_TRAP_BAD_VALUE + 1)}, "is no trap"},
        {"done as a trap", {ROW(TRAP, 0, 0, 0, 0)}, "is no trap"},
    };
    CHECK(samples, false);
}

Test(verify, slots_lie_in_the_frame)
{
    const sample samples[] = {
        {"the last slot", {IMM(LDI, FRAME - 1, 0, 1), RET0}, NULL},
        {"one more", {IMM(LDI, FRAME, 0, 1), RET0}, "outside the frame"},
        {"b", {ROW(MOV, 0, FRAME, 0, 0), RET0}, "outside the frame"},
        {"c", {ROW(ADD, 0, 1, FRAME, 0), RET0}, "outside the frame"},
        {"a large immediate", {IMM(LDI, 0, 0, TW_IMM30_MAX), RET0}, NULL},
        {"a small immediate", {IMM(ADDI, 0, 0, TW_IMM30_MIN), RET0}, NULL},
        {"an immediate to compare", {JIMM(JGEI, 0, -1, 0), RET0}, NULL},
        {"results", {ROW(RET, FRAME - 8, 0, 0, 0)}, NULL},
        {"results beyond", {ROW(RET, FRAME - 7, 0, 0, 0)}, "outside the frame"},
        {"MOVN", {ROW(MOVN, 0, FRAME - 3, 0, 3), RET0}, NULL},
        {"MOVN beyond", {ROW(MOVN, 0, FRAME - 3, 0, 4), RET0}, "outside the frame"},
        {"MOVN to beyond", {ROW(MOVN, FRAME - 3, 0, 0, 4), RET0}, "outside the frame"},
        {"ZERO", {ROW(ZERO, 0, 0, 0, FRAME), RET0}, NULL},
        {"ZERO beyond", {ROW(ZERO, 0, 0, 0, FRAME + 1), RET0}, "outside the frame"},
        {"ZERO far", {ROW(ZERO, 0, 0, 0, 0x1FFFF), RET0}, "outside the frame"},
        {"EQN", {ROW(EQN, 0, FRAME - 2, 1, 3), RET0}, "outside the frame"},
        {"EQN c", {ROW(EQN, 0, 1, FRAME - 2, 3), RET0}, "outside the frame"},
        {"LDKN", {ROW(LDKN, FRAME - 2, 0, 3, 0), RET0}, "outside the frame"},
        {"LDKN constants", {ROW(LDKN, 0, 0, 3, 5), RET0}, NULL},
        {"LDKN constants beyond", {ROW(LDKN, 0, 0, 3, 6), RET0}, "not there"},
        {"CALL", {ROW(CALL, FRAME - 2, 0, 0, F_SUM), RET0}, NULL},
        {"CALL beyond", {ROW(CALL, FRAME - 1, 0, 0, F_SUM), RET0}, "outside the frame"},
        {"LOAD", {ROW(LOAD, FRAME - 4, 0, 0, T_RECORD), RET0}, NULL},
        {"LOAD beyond", {ROW(LOAD, FRAME - 3, 0, 0, T_RECORD), RET0}, "outside the frame"},
        {"PARAM", {ROW(PARAM, FRAME - 2, 0, 0, 1), RET0}, "outside the frame"},
        {"CALLER as a view", {ROW(CALLER, FRAME - 3, 0, 0, 0), RET0}, "outside the frame"},
        {"MEMBER", {ROW(MEMBER, 0, FRAME - 3, 0, 0), RET0}, "outside the frame"},
        {"HOLDER", {ROW(HOLDER, FRAME - 4, 0, 0, 0), RET0}, "outside the frame"},
        {"STAT", {ROW(STAT, FRAME - 1, 0, 0, 0), RET0}, "outside the frame"},
        {"STAT percentile",
         {ROW(STAT, 0, FRAME - 1, 0, TW_STAT_PERCENTILE << 10), RET0},
         "outside the frame"},
        {"HASH", {ROW(HASH, FRAME - 4, 0, 0, T_TEXT), RET0}, NULL},
        {"HASH beyond", {ROW(HASH, FRAME - 3, 0, 0, T_TEXT), RET0}, "outside the frame"},
        {"HASH text", {ROW(HASH, 0, FRAME - 2, 0, T_TEXT), RET0}, "outside the frame"},
        {"FAIL", {ROW(FAIL, FRAME, 0, 0, 0)}, "outside the frame"},
    };
    CHECK(samples, false);
}

Test(verify, indexes_and_unused_parts)
{
    const sample samples[] = {
        {"a constant", {ROW(LDK, 0, 0, 0, 7), RET0}, NULL},
        {"one more", {ROW(LDK, 0, 0, 0, 8), RET0}, "not there"},
        {"DIVK", {ROW(DIVK, 0, 0, 0, 31), RET0}, NULL},
        {"DIVK beyond", {ROW(DIVK, 0, 0, 0, 32), RET0}, "not there"},
        {"a field", {ROW(LOAD, 0, 0, 0, 8), RET0}, "not there"},
        {"a param", {ROW(PARAM, 0, 0, 0, 2), RET0}, "not there"},
        {"a deploy constant", {ROW(LDC, 0, 0, 0, 1), RET0}, NULL},
        {"one more deploy constant", {ROW(LDC, 0, 0, 0, 2), RET0}, "not there"},
        {"a role", {ROW(MEMBER, 0, 0, 0, 3), RET0}, "not there"},
        {"a stamp", {ROW(HOLDS, 0, 0, 0, 1), RET0}, "not there"},
        {"a reading", {ROW(SILENT, 0, 0, 0, 1), RET0}, "not there"},
        {"a reading of a statistic", {ROW(STAT, 0, 0, 0, 1), RET0}, "not there"},
        {"a statistic", {ROW(STAT, 0, 0, 0, TW_STAT_SLOPE << 10), RET0}, NULL},
        {"devices of one", {ROW(STAT, 0, 0, 0, TW_STAT_DEVICES << 10), RET0}, "do not have"},
        {"no statistic", {ROW(STAT, 0, 0, 0, TW_STAT_END << 10), RET0}, "not there"},
        {"an alarm", {ROW(ALARM, 0, 0, 0, 1), RET0}, "not there"},
        {"an error", {ROW(FAIL, 0, 0, 0, 1)}, "not there"},
        {"an invariant", {ROW(BREACH, 0, 0, 0, 1)}, "not there"},
        {"a hash of a number", {ROW(HASH, 0, 0, 0, T_INT), RET0}, "neither text nor bytes"},
        {"a type", {ROW(HASH, 0, 0, 0, T_EIGHT + 1), RET0}, "not there"},
        {"the one of three", {ROW(HOLDER, 0, 0, 0, 1), RET0}, "may have more"},
        {"c of MOV", {ROW(MOV, 0, 0, 1, 0), RET0}, "unused part"},
        {"x of MOV", {ROW(MOV, 0, 0, 0, 1), RET0}, "unused part"},
        {"x of ADD", {ROW(ADD, 0, 0, 0, 1), RET0}, "unused part"},
        {"a of JMP", {ROW(JMP, 1, 0, 0, 0), RET0}, "unused part"},
        {"b of LDI", {IMM(LDI, 0, 1, 0), RET0}, "unused part"},
        {"b of RET", {ROW(RET, 0, 1, 0, 0)}, "unused part"},
        {"x of NOW", {ROW(NOW, 0, 0, 0, 1), RET0}, "unused part"},
        {"a of TRAP", {ROW(TRAP, 1, 0, 0, 1)}, "unused part"},
        {"b of END", {IMM(LOOP, 0, 1, 5), ROW(END, 0, 1, 0, 0), RET0}, "unused part"},
        {"c of HOLDS", {ROW(HOLDS, 0, 0, 1, 0), RET0}, "unused part"},
    };
    const sample actions[] = {
        {"an event", {ROW(EMIT, 0, 0, 0, 1), RET0}, "not there"},
        {"a history kind", {ROW(HISTORY, 0, 0, 0, 1), RET0}, "not there"},
        {"a phase", {ROW(GO, 0, 0, 0, 2), RET0}, "not there"},
        {"a role to grant", {ROW(GRANT, 0, 0, 0, 3), RET0}, "not there"},
        {"a of GRANT", {ROW(GRANT, 1, 0, 0, 0), RET0}, "unused part"},
        {"a deploy constant set", {ROW(STC, 0, 0, 0, 0), RET0}, "touches what it must not"},
        {"REFUSE", {ROW(REFUSE, 0, 0, 0, 0)}, "touches what it must not"},
        {"all of an action",
         {ROW(STORE, 0, 0, 0, T_INT), ROW(GO, 0, 0, 0, 1), ROW(EMIT, 0, 0, 0, 0),
          ROW(HISTORY, 0, 0, 0, 0), ROW(CALLER, 0, 0, 0, 0), ROW(SIGNED, 0, 1, 0, 0),
          ROW(SIGNERS, 0, 0, 0, 1), ROW(GRANT, 0, 0, 0, 1), ROW(REVOKE, 0, 0, 0, 1),
          ROW(NOW, 0, 0, 0, 0), ROW(SILENT, 0, 0, 0, 0), RET0},
         NULL},
    };
    CHECK(samples, false);
    CHECK(actions, true);
}

Test(verify, views_and_conditions_touch_only_what_they_may)
{
    const uint64_t writes[] = {ROW(STORE, 0, 0, 0, T_INT), ROW(EMIT, 0, 0, 0, 0),
                               ROW(GO, 0, 0, 0, 1),        ROW(HISTORY, 0, 0, 0, 0),
                               ROW(GRANT, 0, 0, 0, 1),     ROW(CALLER, 0, 0, 0, 0),
                               ROW(SIGNERS, 0, 0, 0, 1),   ROW(STC, 0, 0, 0, 0)};
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        const uint64_t code[2] = {writes[i], RET0};
        maker *k = maker_new(code, 2, false);
        expect_refused(k, "a view", "touches what it must not");
        maker_free(k);
    }
    const uint64_t reads[] = {ROW(LOAD, 0, 0, 0, T_INT), ROW(NOW, 0, 0, 0, 0),
                              ROW(PHASE, 0, 0, 0, 0), ROW(ALARM, 0, 0, 0, 0)};
    for (size_t i = 0; i < sizeof reads / sizeof reads[0]; i++) {
        maker *k = maker_new(only_ret, 1, false);
        k->m.code[0] = reads[i]; /* of the condition */
        k->invariants[0].function = F_SUM;
        k->m.invariant_count = 0;
        expect_refused(k, "an alarm's condition", "touches what it must not");
        maker_free(k);
    }
    const uint64_t sees[] = {ROW(NOW, 0, 0, 0, 0), ROW(SILENT, 0, 0, 0, 0), ROW(HOLDS, 0, 0, 0, 0),
                             ROW(INPHASE, 0, 0, 0, 0)};
    for (size_t i = 0; i < sizeof sees / sizeof sees[0]; i++) {
        maker *k = maker_new(only_ret, 1, false);
        k->m.code[0] = sees[i];
        k->m.alarm_count = 0;
        expect_refused(k, "an invariant", "touches what it must not");
        maker_free(k);
    }
}

/* ------------------------------------------------------------------ limits */

Test(verify, loops_nest_eight_deep)
{
    for (uint32_t depth = 8; depth <= 9; depth++) {
        uint64_t code[CODE_MAX];
        uint32_t count = 0;
        for (uint32_t i = 0; i < depth; i++) code[count++] = IMM(LOOP, i, 10, 2);
        for (uint32_t i = 0; i < depth; i++) code[count++] = ROW(END, 0, 0, 0, 0);
        code[count++] = RET0;
        maker *k = maker_new(code, count, false);
        if (depth == 8) {
            expect_taken(k, "eight loops");
        } else {
            expect_refused(k, "nine loops", "ninth loop");
        }
        maker_free(k);
    }
}

Test(verify, frames_and_functions_at_their_limits)
{
    for (uint32_t more = 0; more <= 1; more++) {
        maker *k = maker_new(only_ret, 1, false);
        k->functions[F_TESTED].frame_slots = (uint16_t)(TW_FRAME_SLOTS_MAX + more);
        if (more == 0) {
            expect_taken(k, "the largest frame");
        } else {
            expect_refused(k, "a frame too large", "does not fit");
        }
        maker_free(k);
        const uint32_t count = TW_FUNCTION_CODE_MAX + more;
        uint64_t *code = tw_mem_new(count * sizeof *code);
        for (uint32_t i = 0; i < count; i++) code[i] = IMM(LDI, 0, 0, 1);
        code[count - 1] = RET0;
        k = maker_new(code, count, false);
        if (more == 0) {
            expect_taken(k, "the longest function");
        } else {
            expect_refused(k, "a function too long", "damaged or not canonical");
        }
        maker_free(k);
        tw_mem_free(code);
    }
    maker *k = maker_new(only_ret, 1, false);
    k->functions[F_TESTED].frame_slots = 7; /* eight arguments */
    expect_refused(k, "arguments outside", "does not fit");
    maker_free(k);
    k = maker_new(only_ret, 1, false);
    k->functions[F_TESTED].code_count = 0;
    k->m.code_count--;
    k->functions[F_DEPLOY].code_first--;
    expect_refused(k, "no code", "no code");
    maker_free(k);
}

/* A chain of functions, each calling the one before, whose frames add up. */
static tw_status chain(uint32_t calls, uint16_t frame, maker **ret_maker)
{
    maker *k = maker_new(only_ret, 1, false);
    tw_module *m = &k->m;
    const uint32_t count = FUNCTION_COUNT + calls;
    tw_function *functions = TW_NEW_ARRAY(k->arena, tw_function, count);
    uint64_t *code = TW_NEW_ARRAY(k->arena, uint64_t, m->code_count + 2 * calls);
    cr_assert(functions != NULL && code != NULL);
    memcpy(functions, m->functions, FUNCTION_COUNT * sizeof *functions);
    memcpy(code, m->code, m->code_count * sizeof *code);
    for (uint32_t i = 0; i < calls; i++) {
        const uint32_t callee = i == 0 ? F_DEPLOY : FUNCTION_COUNT + i - 1;
        functions[FUNCTION_COUNT + i] = (tw_function){"link", 0, 0, frame, m->code_count, 2};
        code[m->code_count++] = ROW(CALL, 0, 0, 0, callee);
        code[m->code_count++] = RET0;
    }
    m->functions = functions;
    m->code = code;
    m->function_count = (uint16_t)count;
    k->entries[E_AFTER].function = (uint16_t)(count - 1);
    *ret_maker = k;
    return prove(k);
}

Test(verify, call_depth_and_frame_stack)
{
    maker *k = NULL;
    cr_expect_eq(chain(63, 0, &k), TW_OK, "%s", k->err.text);
    maker_free(k);
    cr_expect_eq(chain(64, 0, &k), TW_REFUSED_MODULE);
    cr_expect(strstr(k->err.text, "65 calls") != NULL, "%s", k->err.text);
    maker_free(k);
    cr_expect_eq(chain(4, 8192, &k), TW_OK, "%s", k->err.text);
    maker_free(k);
    cr_expect_eq(chain(5, 6554, &k), TW_REFUSED_MODULE);
    cr_expect(strstr(k->err.text, "32770 slots") != NULL, "%s", k->err.text);
    maker_free(k);
}

Test(verify, events_of_an_entry)
{
    for (int32_t times = TW_EVENTS_MAX; times <= TW_EVENTS_MAX + 1; times++) {
        const uint64_t code[] = {IMM(LDI, 8, 0, times), IMM(LOOP, 9, 8, times),
                                 ROW(EMIT, 0, 0, 0, 0), ROW(END, 0, 0, 0, 0), RET0};
        maker *k = maker_new(code, 5, true);
        if (times == TW_EVENTS_MAX) {
            expect_taken(k, "1,024 events");
        } else {
            expect_refused(k, "1,025 events", "up to 1025 events");
        }
        maker_free(k);
    }
}

/* ------------------------------------------------------------------ bounds */

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
    maker *k = maker_new(only_ret, 1, false);
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

Test(verify, declared_bounds_are_those_of_the_code)
{
    maker *k = maker_new(only_ret, 1, false);
    tw_facts *facts = NULL;
    cr_assert_eq(maker_facts(k), TW_OK);
    cr_expect_eq(tw_module_verify(&k->m, k->arena, &facts, &k->err), TW_OK);
    const tw_bounds right = k->entries[E_VIEW].bounds;
    tw_bounds wrong[6] = {right, right, right, right, right, right};
    wrong[0].gas++;
    wrong[1].reads--;
    wrong[2].writes++;
    wrong[3].event_bytes++;
    wrong[4].events++;
    wrong[5].slots--;
    for (size_t i = 0; i < 6; i++) {
        k->entries[E_VIEW].bounds = wrong[i];
        cr_expect_eq(tw_module_verify(&k->m, k->arena, &facts, &k->err), TW_REFUSED_MODULE);
        cr_expect(strstr(k->err.text, "worst case") != NULL, "%s", k->err.text);
    }
    maker_free(k);
}

/* ------------------------------------------------------------------ declarations */

typedef void change(maker *k);

static void entry_function(maker *k)
{
    k->entries[E_VIEW].function = FUNCTION_COUNT;
}
static void entry_arguments(maker *k)
{
    k->entries[E_VIEW].members.count = 7;
}
static void entry_result(maker *k)
{
    k->entries[E_VIEW].result = T_INT;
}
static void entry_result_type(maker *k)
{
    k->entries[E_VIEW].result = T_EIGHT + 1;
}
static void action_result(maker *k)
{
    k->entries[E_ACTION].result = T_INT;
}
static void entry_phases(maker *k)
{
    k->entries[E_VIEW].phases = 4;
}
static void two_deploys(maker *k)
{
    k->entries[E_AFTER] = k->entries[E_DEPLOY];
}
static void no_deploy(maker *k)
{
    k->entries[E_DEPLOY] = k->entries[E_AFTER];
}
static void after_without_delay(maker *k)
{
    k->entries[E_AFTER].delay = TW_NONE;
}
static void after_with_delay_beyond(maker *k)
{
    k->entries[E_AFTER].delay = 2;
}
static void view_with_delay(maker *k)
{
    k->entries[E_VIEW].delay = 0;
}
static void unknown_entry(maker *k)
{
    k->entries[E_AFTER].kind = TW_ENTRY_KINDS;
}
static void raised_beyond(maker *k)
{
    k->entries[E_AFTER].kind = TW_ENTRY_RAISED;
    k->entries[E_AFTER].delay = TW_NONE;
    k->entries[E_AFTER].of = 1;
}
static void same_action(maker *k)
{
    k->entries[E_AFTER] = k->entries[E_ACTION];
}
static void role_of_none(maker *k)
{
    k->roles[1].max = 0;
}
static void role_of_many(maker *k)
{
    k->roles[1].max = TW_ROLE_MEMBERS_MAX + 1;
}
static void role_flags(maker *k)
{
    k->roles[1].flags = 4;
}
static void param_over(maker *k)
{
    k->params[0].low = 6;
}
static void param_type(maker *k)
{
    k->params[0].type = T_EIGHT + 1;
}
static void param_default(maker *k)
{
    k->params[0].preset.size = 7;
}
static void param_limits(maker *k)
{
    k->params[1].high = 1;
}
static void param_text_range(maker *k)
{
    k->params[1].ranged = true;
}
static void field_kind(maker *k)
{
    k->fields[0].kind = TW_FIELD_KINDS;
}
static void field_key(maker *k)
{
    k->fields[0].key_type = T_INT;
}
static void field_type(maker *k)
{
    k->fields[0].value_type = T_EIGHT + 1;
}
static void field_twice(maker *k)
{
    k->fields[0].name = k->fields[1].name;
}
static void no_phase(maker *k)
{
    k->m.phases.count = 0;
}
static void arrow_beyond(maker *k)
{
    k->arrows[0].to = 2;
}
static void empty_enum(maker *k)
{
    k->enums[0].values.count = 0;
}
static void reading_text(maker *k)
{
    k->readings[0].type = T_TEXT;
}
static void reading_role(maker *k)
{
    k->readings[0].role = 3;
}
static void reading_of_three(maker *k)
{
    k->readings[0].role = 1;
}
static void reading_range(maker *k)
{
    k->readings[0].high = ((int64_t)1 << 52) + 1;
}
static void reading_empty(maker *k)
{
    k->readings[0].high = -1001;
}
static void reading_keep(maker *k)
{
    k->readings[0].keep = TW_KEEP_MAX + 1;
}
static void reading_keep_less(maker *k)
{
    k->readings[0].rate_count = 101;
}
static void reading_rate(maker *k)
{
    k->readings[0].rate_count = 0;
}
static void reading_time(maker *k)
{
    k->readings[0].rate_ms = 0;
}
static void reading_age(maker *k)
{
    k->readings[0].age_max_ms = (int64_t)1 << 52;
}
static void stamp_kind(maker *k)
{
    k->stamps[0].kind = TW_STAMP_KINDS;
}
static void stamp_reading(maker *k)
{
    k->stamps[0].reading = 1;
}
static void stamp_level(maker *k)
{
    k->stamps[0].low = 2;
}
static void stamp_high(maker *k)
{
    k->stamps[0].high = 0;
}
static void alarm_function(maker *k)
{
    k->alarms[0].raise = F_SUM;
}
static void alarm_nothing(maker *k)
{
    k->alarms[0].readings = 0;
}
static void alarm_beyond(maker *k)
{
    k->alarms[0].readings = 2;
}
static void invariant_function(maker *k)
{
    k->invariants[0].function = F_DEPLOY;
}
static void check_function(maker *k)
{
    k->checks[0].function = F_CONDITION;
}
static void type_forward(maker *k)
{
    k->types[T_OPTIONAL].of = T_OPTIONAL;
}
static void type_text(maker *k)
{
    k->types[T_TEXT].max = TW_TEXT_SIZE_MAX + 1;
}
static void type_list(maker *k)
{
    k->types[T_LIST].max = 0;
}
static void type_kind(maker *k)
{
    k->types[T_BOOL].kind = TW_KIND_KINDS;
}
static void type_record(maker *k)
{
    k->types[T_RECORD].members.count = 0;
}
static void type_enum(maker *k)
{
    k->types[T_ENUM].of = 1;
}
static void type_part(maker *k)
{
    k->types[T_BOOL].of = 1;
}

static const struct {
    change *apply;
    const char *text;
} declarations[] = {
    {entry_function, "function or its result"},
    {entry_arguments, "other arguments or results"},
    {entry_result, "other arguments or results"},
    {entry_result_type, "function or its result"},
    {action_result, "function or its result"},
    {entry_phases, "phase that is not there"},
    {two_deploys, "exactly one deploy entry, not 2"},
    {no_deploy, "exactly one deploy entry, not 0"},
    {after_without_delay, "do not fit its kind"},
    {after_with_delay_beyond, "do not fit its kind"},
    {view_with_delay, "do not fit its kind"},
    {unknown_entry, "do not fit its kind"},
    {raised_beyond, "do not fit its kind"},
    {same_action, "declared twice"},
    {role_of_none, "its max must be"},
    {role_of_many, "its max must be"},
    {role_flags, "its max must be"},
    {param_over, "outside its range"},
    {param_type, "not there or too large"},
    {param_default, "none of its type"},
    {param_limits, "limits without a range"},
    {param_text_range, "outside its range"},
    {field_kind, "unknown kind"},
    {field_key, "do not fit its kind"},
    {field_type, "its type is not there"},
    {field_twice, "declared twice"},
    {no_phase, "at least one phase"},
    {arrow_beyond, "phase that is not there"},
    {empty_enum, "no values"},
    {reading_text, "its type or its role"},
    {reading_role, "its type or its role"},
    {reading_of_three, "not per device"},
    {reading_range, "within 2^52"},
    {reading_empty, "within 2^52"},
    {reading_keep, "keep must be"},
    {reading_keep_less, "keep must be"},
    {reading_rate, "keep must be"},
    {reading_time, "at least 1 ms"},
    {reading_age, "at least 1 ms"},
    {stamp_kind, "not there"},
    {stamp_reading, "not there"},
    {stamp_level, "not there"},
    {stamp_high, "not there"},
    {alarm_function, "functions of no arguments"},
    {alarm_nothing, "no reading"},
    {alarm_beyond, "no reading"},
    {invariant_function, "function of no arguments"},
    {check_function, "belongs to the deploy entry"},
    {type_forward, "type"},
    {type_text, "type"},
    {type_list, "type"},
    {type_kind, "type"},
    {type_record, "type"},
    {type_enum, "type"},
    {type_part, "type"},
};

Test(verify, declarations)
{
    for (size_t i = 0; i < sizeof declarations / sizeof declarations[0]; i++) {
        maker *k = maker_new(only_ret, 1, false);
        char what[32];
        snprintf(what, sizeof what, "row %zu", i);
        declarations[i].apply(k);
        expect_refused(k, what, declarations[i].text);
        maker_free(k);
    }
    maker *k = maker_new(only_ret, 1, false);
    expect_taken(k, "unchanged");
    maker_free(k);
}
