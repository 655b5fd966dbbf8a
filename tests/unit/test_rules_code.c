/* test_rules_code -- rules V401 to V599 of docs/VERIFIER.md: instructions, control flow, and the
 * worst case that follows from them. A row is a function's code; what is refused names the
 * function and the instruction. */
#include "tests/unit/rules_fixture.h"

#define JIMM(op, a, imm, x) tw_insn_make26(TW_OP_##op, (a), (imm), (x))

enum { CODE_MAX = 24 };

typedef enum as { ACTION, VIEW, MIGRATE } as;

typedef struct row {
    const char *rule;
    const char *what;
    uint64_t code[CODE_MAX];
    int at;               /* the instruction at fault */
    const char *sentence; /* NULL: taken */
} row;

static maker *of_code(const uint64_t *code, uint32_t count, as kind, wide **ret_wide)
{
    maker *k = maker_new(code, count, kind != VIEW);
    wide *w = wide_of(k);
    if (kind == MIGRATE) {
        w->entries[E_ACTION].kind = TW_ENTRY_MIGRATE;
        w->entries[E_ACTION].members = (tw_members){0};
        k->functions[F_TESTED].argument_slots = 0;
        w->fields[W_MAP].old = w->fields[W_PARTS].old = w->fields[W_MACHINES].old = true;
    }
    *ret_wide = w;
    return k;
}

static void check(const row *rows, size_t count, as kind)
{
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        uint32_t size = 0;
        while (size < CODE_MAX && r->code[size] != 0) size++;
        wide *w = NULL;
        maker *k = of_code(r->code, size, kind, &w);
        char place[64];
        snprintf(place, sizeof place, "function tested, instruction %d (", r->at);
        const tw_status derived = wide_facts(k);
        const tw_status status = rules_prove(k, maker_bytes(k));
        if (r->sentence == NULL) {
            cr_expect_eq(derived, TW_OK, "%s %s: %s", r->rule, r->what, k->err.text);
            cr_expect_eq(status, TW_OK, "%s %s: %s", r->rule, r->what, k->err.text);
        } else {
            cr_expect_eq(status, TW_REFUSED_MODULE, "%s %s", r->rule, r->what);
            cr_expect_eq(strncmp(k->err.text, place, strlen(place)), 0, "%s %s: said \"%s\"",
                         r->rule, r->what, k->err.text);
            cr_expect(strstr(k->err.text, r->sentence) != NULL, "%s %s: said \"%s\"", r->rule,
                      r->what, k->err.text);
        }
        maker_free(k);
    }
}

#define CHECK(rows, kind) check((rows), sizeof(rows) / sizeof(rows)[0], (kind))
#define LOOP5 IMM(LOOP, 0, 1, 5)
#define END0 ROW(END, 0, 0, 0, 0)
#define JMP(x) ROW(JMP, 0, 0, 0, (x))

Test(rules_code, control)
{
    const row rows[] = {
        {"V404", "the first", {RET0}, 0, NULL},
        {"V404", "no instruction 0", {UINT64_C(1) << 40, RET0}, 0, "is no instruction"},
        {"V404", "no instruction 0x3A", {0x3A, RET0}, 0, "is no instruction"},
        {"V404", "no instruction 0xFF", {RET0, 0xFF, RET0}, 1, "is no instruction"},
        {"V410", "to the last", {JMP(0), RET0}, 0, NULL},
        {"V410", "past the last", {JMP(1), RET0}, 0, "jumps out of the function"},
        {"V410", "far", {ROW(JZ, 0, 0, 0, 0x1FFFF), RET0}, 0, "jumps out of the function"},
        {"V410", "compared", {JIMM(JGEI, 0, -1, 0), RET0}, 0, NULL},
        {"V410", "compared, past", {JIMM(JGEI, 0, -1, 1), RET0}, 0, "jumps out of the function"},
        {"V411", "over a loop", {JMP(2), LOOP5, END0, RET0}, 0, NULL},
        {"V411", "to a loop's head", {JMP(0), LOOP5, END0, RET0}, 0, NULL},
        {"V411", "to the loop's end", {LOOP5, JMP(0), END0, RET0}, 0, NULL},
        {"V411", "into a loop", {JMP(1), LOOP5, END0, RET0}, 2, "into or out of a loop"},
        {"V411", "out of a loop", {LOOP5, JMP(1), END0, RET0}, 3, "into or out of a loop"},
        {"V411",
         "into the inner loop",
         {LOOP5, JMP(1), LOOP5, END0, END0, RET0},
         3,
         "into or out of a loop"},
        {"V411",
         "out of the inner loop",
         {LOOP5, LOOP5, JMP(1), END0, END0, RET0},
         4,
         "into or out of a loop"},
        {"V411",
         "into the loop behind",
         {LOOP5, JMP(2), END0, LOOP5, END0, RET0},
         4,
         "into or out of a loop"},
        {"V412", "twice to one place", {JMP(1), JMP(0), RET0}, 0, NULL},
        {"V412",
         "from a loop and from outside",
         {ROW(JZ, 0, 0, 0, 3), LOOP5, JMP(1), END0, RET0},
         2,
         "jumps where another loop's jump goes"},
        {"V420", "an END alone", {END0, RET0}, 0, "ends no loop"},
        {"V420", "an END too many", {LOOP5, END0, END0, RET0}, 2, "ends no loop"},
        {"V420", "two and two", {LOOP5, LOOP5, END0, END0, RET0}, 0, NULL},
        {"V421", "a LOOP alone", {LOOP5, RET0}, 1, "ends the function inside a loop"},
        {"V421", "a loop left by RET", {LOOP5, RET0, END0, RET0}, 0, NULL},
        {"V423", "no times", {IMM(LOOP, 0, 1, 0), END0, RET0}, 0, NULL},
        {"V423", "most times", {IMM(LOOP, 0, 1, TW_IMM30_MAX), END0, RET0}, 0, NULL},
        {"V423", "less than none", {IMM(LOOP, 0, 1, -1), END0, RET0}, 0, "has a negative count"},
        {"V424", "goes on", {IMM(LDI, 0, 0, 1)}, 0, "lets the function run on"},
        {"V424", "a jump at the end", {LOOP5, END0}, 1, "lets the function run on"},
        {"V424", "FAIL", {ROW(FAIL, 0, 0, 0, 0)}, 0, NULL},
        {"V424", "TRAP", {ROW(TRAP, 0, 0, 0, 1)}, 0, NULL},
        {"V424", "BREACH", {ROW(BREACH, 0, 0, 0, 0)}, 0, NULL},
        {"V425", "a lower one", {ROW(CALL, 0, 0, 0, F_TESTED - 1), RET0}, 0, NULL},
        {"V425", "itself", {ROW(CALL, 0, 0, 0, F_TESTED), RET0}, 0, "is not there"},
        {"V425", "a higher one", {ROW(CALL, 0, 0, 0, F_DEPLOY), RET0}, 0, "is not there"},
        {"V425", "none", {ROW(CALL, 0, 0, 0, FUNCTION_COUNT), RET0}, 0, "is not there"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, slots)
{
    const row rows[] = {
        {"V440", "a", {IMM(LDI, FRAME - 1, 0, 1), RET0}, 0, NULL},
        {"V440", "a beyond", {IMM(LDI, FRAME, 0, 1), RET0}, 0, "outside the frame"},
        {"V440", "b", {ROW(MOV, 0, FRAME - 1, 0, 0), RET0}, 0, NULL},
        {"V440", "b beyond", {ROW(MOV, 0, FRAME, 0, 0), RET0}, 0, "outside the frame"},
        {"V440", "c", {ROW(ADD, 0, 1, FRAME - 1, 0), RET0}, 0, NULL},
        {"V440", "c beyond", {ROW(ADD, 0, 1, FRAME, 0), RET0}, 0, "outside the frame"},
        {"V440", "an immediate is no slot", {IMM(LDI, 0, 0, TW_IMM30_MAX), RET0}, 0, NULL},
        {"V440", "nor below 0", {IMM(ADDI, 0, 0, TW_IMM30_MIN), RET0}, 0, NULL},
        {"V440", "nor to compare with", {JIMM(JGEI, 0, -1, 0), RET0}, 0, NULL},
        {"V440", "a jump's a", {JIMM(JGEI, FRAME, -1, 0), RET0}, 0, "outside the frame"},
        {"V440", "a jump's b", {ROW(JEQ, 0, FRAME, 0, 0), RET0}, 0, "outside the frame"},
        {"V440", "a loop's count", {IMM(LOOP, 0, FRAME, 1), END0, RET0}, 0, "outside the frame"},
        {"V441", "MOVN", {ROW(MOVN, 0, FRAME - 3, 0, 3), RET0}, 0, NULL},
        {"V441", "MOVN from", {ROW(MOVN, 0, FRAME - 3, 0, 4), RET0}, 0, "outside the frame"},
        {"V441", "MOVN to", {ROW(MOVN, FRAME - 3, 0, 0, 4), RET0}, 0, "outside the frame"},
        {"V441", "ZERO", {ROW(ZERO, 0, 0, 0, FRAME), RET0}, 0, NULL},
        {"V441", "ZERO beyond", {ROW(ZERO, 0, 0, 0, FRAME + 1), RET0}, 0, "outside the frame"},
        {"V441", "ZERO far", {ROW(ZERO, 0, 0, 0, 0x1FFFF), RET0}, 0, "outside the frame"},
        {"V441", "EQN", {ROW(EQN, 0, FRAME - 2, 1, 3), RET0}, 0, "outside the frame"},
        {"V441", "EQN c", {ROW(EQN, 0, 1, FRAME - 2, 3), RET0}, 0, "outside the frame"},
        {"V441", "LDKN", {ROW(LDKN, FRAME - 3, 0, 3, 0), RET0}, 0, NULL},
        {"V441", "LDKN beyond", {ROW(LDKN, FRAME - 2, 0, 3, 0), RET0}, 0, "outside the frame"},
        {"V442", "CALL", {ROW(CALL, FRAME - 2, 0, 0, F_SUM), RET0}, 0, NULL},
        {"V442", "CALL beyond", {ROW(CALL, FRAME - 1, 0, 0, F_SUM), RET0}, 0, "outside the frame"},
        {"V443", "CALLER", {ROW(CALLER, FRAME - 4, 0, 0, 0), RET0}, 0, NULL},
        {"V443", "CALLER beyond", {ROW(CALLER, FRAME - 3, 0, 0, 0), RET0}, 0, "outside the frame"},
        {"V443", "MEMBER", {ROW(MEMBER, 0, FRAME - 3, 0, 0), RET0}, 0, "outside the frame"},
        {"V443", "HOLDER", {ROW(HOLDER, FRAME - 4, 0, 0, 0), RET0}, 0, "outside the frame"},
    };
    const row views[] = {
        {"V447", "results", {ROW(RET, FRAME - 8, 0, 0, 0)}, 0, NULL},
        {"V447", "results beyond", {ROW(RET, FRAME - 7, 0, 0, 0)}, 0, "outside the frame"},
    };
    CHECK(rows, ACTION);
    CHECK(views, VIEW);
}

Test(rules_code, sized_slots)
{
    const row rows[] = {
        {"V444", "LOAD", {ROW(LOAD, FRAME - 4, FRAME - 1, 0, W_MAP), RET0}, 0, NULL},
        {"V444", "LOAD key", {ROW(LOAD, 0, FRAME, 0, W_MAP), RET0}, 0, "outside the frame"},
        {"V444", "LOAD value", {ROW(LOAD, FRAME - 3, 0, 0, W_MAP), RET0}, 0, "outside the frame"},
        {"V444", "LOAD a var", {ROW(LOAD, FRAME - 3, 0, 0, T_RECORD), RET0}, 0, "outside the"},
        {"V444", "PARAM", {ROW(PARAM, FRAME - 2, 0, 0, 1), RET0}, 0, "outside the frame"},
        {"V444", "EMIT", {ROW(EMIT, FRAME - 3, 0, 0, 0), RET0}, 0, "outside the frame"},
        {"V444", "HISTORY", {ROW(HISTORY, FRAME, 0, 0, 0), RET0}, 0, "outside the frame"},
        {"V444", "FAIL", {ROW(FAIL, FRAME, 0, 0, 0)}, 0, "outside the frame"},
        {"V444", "HASH", {ROW(HASH, FRAME - 4, FRAME - 3, 0, T_TEXT), RET0}, 0, NULL},
        {"V444", "HASH to", {ROW(HASH, FRAME - 3, 0, 0, T_TEXT), RET0}, 0, "outside the frame"},
        {"V444", "HASH from", {ROW(HASH, 0, FRAME - 2, 0, T_TEXT), RET0}, 0, "outside the frame"},
        {"V445", "STAT", {ROW(STAT, FRAME - 1, 0, 0, 0), RET0}, 0, "outside the frame"},
        {"V445",
         "STAT percentile",
         {ROW(STAT, 0, FRAME - 2, 0, TW_STAT_PERCENTILE << 10), RET0},
         0,
         NULL},
        {"V445",
         "STAT percentile beyond",
         {ROW(STAT, 0, FRAME - 1, 0, TW_STAT_PERCENTILE << 10), RET0},
         0,
         "outside the frame"},
        {"V445", "STAT device", {ROW(STAT, 0, 0, FRAME - 3, W_FLOW), RET0}, 0, "outside the frame"},
        {"V445", "HOLDS device", {ROW(HOLDS, 0, 0, FRAME - 4, W_STAMP), RET0}, 0, NULL},
        {"V445", "HOLDS beyond", {ROW(HOLDS, 0, 0, FRAME - 3, W_STAMP), RET0}, 0, "outside the"},
        {"V445", "SILENT device", {ROW(SILENT, 0, 0, FRAME - 3, W_FLOW), RET0}, 0, "outside the"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, slots_of_state)
{
    const row rows[] = {
        {"V446", "EXISTS", {ROW(EXISTS, 0, FRAME - 3, 0, W_WORDS), RET0}, 0, NULL},
        {"V446", "EXISTS key", {ROW(EXISTS, 0, FRAME - 2, 0, W_WORDS), RET0}, 0, "outside the"},
        {"V446", "NEXT", {ROW(NEXT, FRAME - 3, FRAME - 1, 0, W_PARTS), RET0}, 0, NULL},
        {"V446", "NEXT key", {ROW(NEXT, FRAME - 2, 0, 0, W_PARTS), RET0}, 0, "outside the frame"},
        {"V446", "TOP", {ROW(TOP, FRAME - 9, 0, W_PAIRS, W_MAP * 64), RET0}, 0, NULL},
        {"V446", "TOP list", {ROW(TOP, FRAME - 8, 0, W_PAIRS, W_MAP * 64), RET0}, 0, "outside the"},
        {"V446", "ITEM", {ROW(ITEM, 0, FRAME - 4, FRAME - 1, T_LIST), RET0}, 0, NULL},
        {"V446", "ITEM list", {ROW(ITEM, 0, FRAME - 3, 0, T_LIST), RET0}, 0, "outside the frame"},
        {"V446", "ITEM of things", {ROW(ITEM, FRAME - 3, 0, 0, W_FITTED), RET0}, 0, NULL},
        {"V446", "ITEM element", {ROW(ITEM, FRAME - 2, 0, 0, W_FITTED), RET0}, 0, "outside the"},
        {"V446", "DROP", {ROW(DROP, FRAME - 4, FRAME - 1, 0, T_LIST), RET0}, 0, NULL},
        {"V446", "FIND", {ROW(FIND, 0, 0, FRAME, T_LIST), RET0}, 0, "outside the frame"},
        {"V446", "CREATE", {ROW(CREATE, FRAME - 4, FRAME - 4, 0, W_PARTS), RET0}, 0, NULL},
        {"V446", "CREATE record", {ROW(CREATE, FRAME - 3, 0, 0, W_PARTS), RET0}, 0, "outside the"},
        {"V446", "CREATE owner", {ROW(CREATE, 0, FRAME - 3, 0, W_PARTS), RET0}, 0, "outside the"},
        {"V446", "LOG", {ROW(LOG, FRAME - 1, FRAME - 3, 0, W_PARTS), RET0}, 0, NULL},
        {"V446", "LOG fields", {ROW(LOG, FRAME, 0, 0, W_PARTS), RET0}, 0, "outside the frame"},
        {"V446", "OWNER", {ROW(OWNER, FRAME - 3, 0, 0, W_PARTS), RET0}, 0, "outside the frame"},
        {"V446", "PURSE per role", {ROW(PURSE, 0, FRAME - 4, 0, W_STAKES), RET0}, 0, NULL},
        {"V446", "PURSE beyond", {ROW(PURSE, 0, FRAME - 3, 0, W_STAKES), RET0}, 0, "outside the"},
        {"V446", "PAY", {ROW(PAY, 0, 0, FRAME - 4, W_POT), RET0}, 0, NULL},
        {"V446", "PAY payee", {ROW(PAY, 0, 0, FRAME - 3, W_POT), RET0}, 0, "outside the frame"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, names)
{
    const row rows[] = {
        {"V450", "the last", {ROW(LDK, 0, 0, 0, 7), RET0}, 0, NULL},
        {"V450", "one more", {ROW(LDK, 0, 0, 0, 8), RET0}, 0, "is not there"},
        {"V450", "the last three", {ROW(LDKN, 0, 0, 3, 5), RET0}, 0, NULL},
        {"V450", "one more of three", {ROW(LDKN, 0, 0, 3, 6), RET0}, 0, "is not there"},
        {"V450", "more than there are", {ROW(LDKN, 0, 0, 9, 0), RET0}, 0, "is not there"},
        {"V450", "none behind the last", {ROW(LDKN, 0, 0, 0, 8), RET0}, 0, NULL},
        {"V450", "rounded", {ROW(DIVK, 0, 0, 0, 31), RET0}, 0, NULL},
        {"V450", "rounded beyond", {ROW(DIVK, 0, 0, 0, 32), RET0}, 0, "is not there"},
        {"V451", "the last", {ROW(LOAD, 0, 0, 0, W_FIELDS - 1), RET0}, 0, NULL},
        {"V451", "one more", {ROW(LOAD, 0, 0, 0, W_FIELDS), RET0}, 0, "is not there"},
        {"V452", "the last", {ROW(PARAM, 0, 0, 0, 1), RET0}, 0, NULL},
        {"V452", "one more", {ROW(PARAM, 0, 0, 0, 2), RET0}, 0, "is not there"},
        {"V453", "the last", {ROW(LDC, 0, 0, 0, 1), RET0}, 0, NULL},
        {"V453", "one more", {ROW(LDC, 0, 0, 0, 2), RET0}, 0, "is not there"},
        {"V454", "the last", {ROW(GO, 0, 0, 0, 1), RET0}, 0, NULL},
        {"V454", "one more", {ROW(GO, 0, 0, 0, 2), RET0}, 0, "is not there"},
        {"V455", "the last", {ROW(MEMBER, 0, 0, 0, W_METER), RET0}, 0, NULL},
        {"V455", "one more", {ROW(MEMBER, 0, 0, 0, W_METER + 1), RET0}, 0, "is not there"},
        {"V455", "one more to grant", {ROW(GRANT, 0, 0, 0, 4), RET0}, 0, "is not there"},
        {"V456", "the last", {ROW(SILENT, 0, 0, 0, W_FLOW), RET0}, 0, NULL},
        {"V456", "one more", {ROW(SILENT, 0, 0, 0, W_FLOW + 1), RET0}, 0, "is not there"},
        {"V456", "one more of STAT", {ROW(STAT, 0, 0, 0, W_FLOW + 1), RET0}, 0, "is not there"},
        {"V457", "the last", {ROW(STAT, 0, 0, 0, TW_STAT_SLOPE << 10), RET0}, 0, NULL},
        {"V457", "one more", {ROW(STAT, 0, 0, 0, TW_STAT_END << 10), RET0}, 0, "is not there"},
        {"V458", "the last", {ROW(HOLDS, 0, 0, 0, W_STAMP), RET0}, 0, NULL},
        {"V458", "one more", {ROW(HOLDS, 0, 0, 0, W_STAMP + 1), RET0}, 0, "is not there"},
        {"V459", "the last", {ROW(ALARM, 0, 0, 0, 0), RET0}, 0, NULL},
        {"V459", "one more", {ROW(ALARM, 0, 0, 0, 1), RET0}, 0, "is not there"},
        {"V460", "the last event", {ROW(EMIT, 0, 0, 0, 0), RET0}, 0, NULL},
        {"V460", "one more event", {ROW(EMIT, 0, 0, 0, 1), RET0}, 0, "is not there"},
        {"V460", "the last kind", {ROW(HISTORY, 0, 0, 0, 0), RET0}, 0, NULL},
        {"V460", "one more kind", {ROW(HISTORY, 0, 0, 0, 1), RET0}, 0, "is not there"},
        {"V460", "the last error", {ROW(FAIL, 0, 0, 0, 0)}, 0, NULL},
        {"V460", "one more error", {ROW(FAIL, 0, 0, 0, 1)}, 0, "is not there"},
        {"V461", "the last", {ROW(BREACH, 0, 0, 0, 0)}, 0, NULL},
        {"V461", "one more", {ROW(BREACH, 0, 0, 0, 1)}, 0, "is not there"},
        {"V463", "the last", {ROW(HASH, 0, 0, 0, W_TYPES - 1), RET0}, 0, NULL},
        {"V463", "one more", {ROW(HASH, 0, 0, 0, W_TYPES), RET0}, 0, "is not there"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, names_of_state)
{
    const row rows[] = {
        {"V464", "a map", {ROW(EXISTS, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V464", "a registry", {ROW(EXISTS, 0, 0, 0, W_PARTS), RET0}, 0, NULL},
        {"V464", "a var", {ROW(EXISTS, 0, 0, 0, T_INT), RET0}, 0, "is not there"},
        {"V464", "beyond", {ROW(EXISTS, 0, 0, 0, W_FIELDS), RET0}, 0, "is not there"},
        {"V465", "a map", {ROW(REMOVE, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V465", "a registry", {ROW(REMOVE, 0, 0, 0, W_PARTS), RET0}, 0, "is not there"},
        {"V466", "a registry", {ROW(CREATE, 0, 0, 0, W_PARTS), RET0}, 0, NULL},
        {"V466", "a map", {ROW(CREATE, 0, 0, 0, W_MAP), RET0}, 0, "is not there"},
        {"V467", "a number", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64), RET0}, 0, NULL},
        {"V467", "a text", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64 + 1), RET0}, 0, "is not there"},
        {"V467", "beyond", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64 + 2), RET0}, 0, "is not there"},
        {"V467", "of no record", {ROW(TOP, 0, 0, T_LIST, W_WORDS * 64), RET0}, 0, "is not there"},
        {"V467",
         "of a registry",
         {ROW(TOP, 0, 0, W_PAIRS, W_PARTS * 64 + 1), RET0},
         0,
         "not there"},
        {"V468", "another list", {ROW(TOP, 0, 0, T_LIST, W_MAP * 64), RET0}, 0, "is not there"},
        {"V468", "no list", {ROW(TOP, 0, 0, T_RECORD, W_MAP * 64), RET0}, 0, "is not there"},
        {"V468", "things", {ROW(TOP, 0, 0, W_FITTED, W_MAP * 64), RET0}, 0, "is not there"},
        {"V468", "beyond", {ROW(TOP, 0, 0, W_TYPES, W_MAP * 64), RET0}, 0, "is not there"},
        {"V468", "its list", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64), RET0}, 0, NULL},
        {"V469", "things", {ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 2), RET0}, 0, NULL},
        {"V469", "a number", {ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 1), RET0}, 0, "is not there"},
        {"V469", "beyond", {ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 3), RET0}, 0, "is not there"},
        {"V469", "of parts", {ROW(ATTACH, 0, 0, 0, W_PARTS * 64), RET0}, 0, "is not there"},
        {"V469", "of a map", {ROW(HELD, 0, 0, 0, W_MAP * 64), RET0}, 0, "is not there"},
        {"V470", "a list", {ROW(PUSH, 0, 8, 0, T_LIST), RET0}, 0, NULL},
        {"V470", "a number", {ROW(PUSH, 0, 8, 0, T_INT), RET0}, 0, "is not there"},
        {"V470", "beyond", {ROW(ITEM, 0, 0, 0, W_TYPES), RET0}, 0, "is not there"},
        {"V471", "the last", {ROW(TOTAL, 0, 0, 0, W_PURSES - 1), RET0}, 0, NULL},
        {"V471", "one more", {ROW(TOTAL, 0, 0, 0, W_PURSES), RET0}, 0, "is not there"},
        {"V472", "of one money", {ROW(SHIFT, 0, 0, 1, W_POT * 256 + W_STAKES), RET0}, 0, NULL},
        {"V472", "of two", {ROW(SHIFT, 0, 0, 0, W_POT * 256 + W_CHEST), RET0}, 0, "is not there"},
        {"V472", "to none", {ROW(SHIFT, 0, 0, 0, W_POT * 256 + W_PURSES), RET0}, 0, "is not there"},
        {"V472", "from none", {ROW(SHIFT, 0, 0, 0, W_PURSES * 256), RET0}, 0, "is not there"},
        {"V473", "the last", {ROW(BALANCE, 0, 0, 0, W_MONIES - 1), RET0}, 0, NULL},
        {"V473", "one more", {ROW(BALANCE, 0, 0, 0, W_MONIES), RET0}, 0, "is not there"},
        {"V474", "a token", {ROW(MINT, 0, 0, 0, W_TOKEN), RET0}, 0, NULL},
        {"V474", "a currency", {ROW(MINT, 0, 0, 0, W_EUR), RET0}, 0, "is not there"},
        {"V474", "beyond", {ROW(SUPPLY, 0, 0, 0, W_MONIES), RET0}, 0, "is not there"},
        {"V475", "a token", {ROW(MINTIN, 0, 0, 0, W_CHEST), RET0}, 0, NULL},
        {"V475", "a currency", {ROW(BURN, 0, 0, 0, W_POT), RET0}, 0, "is not there"},
        {"V476", "the last", {ROW(LOG, 0, 0, 0, W_PARTS), RET0}, 0, NULL},
        {"V476", "one more", {ROW(LOG, 0, 0, 1, W_PARTS), RET0}, 0, "is not there"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, unused_parts)
{
    const row rows[] = {
        {"V480", "all 0", {ROW(MOV, 1, 2, 0, 0), RET0}, 0, NULL},
        {"V480", "c of MOV", {ROW(MOV, 0, 0, 1, 0), RET0}, 0, "unused part"},
        {"V480", "x of MOV", {ROW(MOV, 0, 0, 0, 1), RET0}, 0, "unused part"},
        {"V480", "x of ADD", {ROW(ADD, 0, 0, 0, 1), RET0}, 0, "unused part"},
        {"V480", "a of JMP", {ROW(JMP, 1, 0, 0, 0), RET0}, 0, "unused part"},
        {"V480", "b of LDI", {IMM(LDI, 0, 1, 0), RET0}, 0, "unused part"},
        {"V480", "b of RET", {ROW(RET, 0, 1, 0, 0)}, 0, "unused part"},
        {"V480", "x of NOW", {ROW(NOW, 0, 0, 0, 1), RET0}, 0, "unused part"},
        {"V480", "a of TRAP", {ROW(TRAP, 1, 0, 0, 1)}, 0, "unused part"},
        {"V480", "b of END", {LOOP5, ROW(END, 0, 1, 0, 0), RET0}, 1, "unused part"},
        {"V480", "a of GRANT", {ROW(GRANT, 1, 0, 0, 0), RET0}, 0, "unused part"},
        {"V481", "a key of a map", {ROW(LOAD, 0, 8, 0, W_MAP), RET0}, 0, NULL},
        {"V481", "a key of a var", {ROW(LOAD, 0, 1, 0, T_INT), RET0}, 0, "unused part"},
        {"V481", "c of LOAD", {ROW(LOAD, 0, 0, 1, W_MAP), RET0}, 0, "unused part"},
        {"V481", "c of EXISTS", {ROW(EXISTS, 0, 0, 1, W_MAP), RET0}, 0, "unused part"},
        {"V481", "a of REMOVE", {ROW(REMOVE, 1, 0, 0, W_MAP), RET0}, 0, "unused part"},
        {"V481", "b of SIZE", {ROW(SIZE, 0, 1, 0, W_MAP), RET0}, 0, "unused part"},
        {"V481", "c of PUSH", {ROW(PUSH, 0, 0, 1, T_LIST), RET0}, 0, "unused part"},
        {"V481", "a key of one purse", {ROW(PURSE, 0, 1, 0, W_POT), RET0}, 0, "unused part"},
        {"V481",
         "a key to one purse",
         {ROW(SHIFT, 0, 0, 1, W_STAKES * 256 + W_POT), RET0},
         0,
         "unused part"},
        {"V482", "a device", {ROW(STAT, 0, 0, 1, W_FLOW), RET0}, 0, NULL},
        {"V482", "a device of one", {ROW(STAT, 0, 0, 1, 0), RET0}, 0, "unused part"},
        {"V482", "c of HOLDS", {ROW(HOLDS, 0, 0, 1, 0), RET0}, 0, "unused part"},
        {"V482", "c of SILENT", {ROW(SILENT, 0, 0, 1, 0), RET0}, 0, "unused part"},
        {"V482",
         "c of ACROSS",
         {ROW(ACROSS, 0, 0, 1, TW_STAT_MAX << 10 | W_FLOW), RET0},
         0,
         "unused part"},
    };
    CHECK(rows, ACTION);
}

Test(rules_code, meaning)
{
    const row rows[] = {
        {"V490", "the last trap", {ROW(TRAP, 0, 0, 0, TW_TRAP_BAD_VALUE)}, 0, NULL},
        {"V490", "none", {ROW(TRAP, 0, 0, 0, 0)}, 0, "is no trap of the language"},
        {"V490", "one more", {ROW(TRAP, 0, 0, 0, TW_TRAP_BAD_VALUE + 1)}, 0, "is no trap of the"},
        {"V490", "an error", {ROW(TRAP, 0, 0, 0, TW_FAIL_ERROR)}, 0, "is not there"},
        {"V491", "bytes", {ROW(HASH, 0, 0, 0, W_BYTES), RET0}, 0, NULL},
        {"V491", "a number", {ROW(HASH, 0, 0, 0, T_INT), RET0}, 0, "neither text nor bytes"},
        {"V492", "devices", {ROW(STAT, 0, 0, 0, TW_STAT_DEVICES << 10), RET0}, 0, "do not have"},
        {"V492", "slope", {ROW(STAT, 0, 0, 0, TW_STAT_SLOPE << 10), RET0}, 0, NULL},
        {"V493", "devices", {ROW(ACROSS, 0, 0, 0, TW_STAT_DEVICES << 10 | W_FLOW), RET0}, 0, NULL},
        {"V493", "one device", {ROW(ACROSS, 0, 0, 0, TW_STAT_MAX << 10), RET0}, 0, "do not have"},
        {"V493",
         "last",
         {ROW(ACROSS, 0, 0, 0, TW_STAT_LAST << 10 | W_FLOW), RET0},
         0,
         "do not have"},
        {"V493",
         "time of",
         {ROW(ACROSS, 0, 0, 0, TW_STAT_TIME_OF << 10 | W_FLOW), RET0},
         0,
         "do not have"},
        {"V493",
         "slope",
         {ROW(ACROSS, 0, 0, 0, TW_STAT_SLOPE << 10 | W_FLOW), RET0},
         0,
         "do not have"},
        {"V494", "of one", {ROW(HOLDER, 0, 0, 0, 0), RET0}, 0, NULL},
        {"V494", "of three", {ROW(HOLDER, 0, 0, 0, 1), RET0}, 0, "a role that may have more"},
    };
    const row old[] = {
        {"V495", "LOAD", {ROW(LOAD, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V495", "EXISTS", {ROW(EXISTS, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V495", "SIZE", {ROW(SIZE, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V495", "NEXT", {ROW(NEXT, 0, 0, 0, W_MAP), RET0}, 0, NULL},
        {"V495", "STORE", {ROW(STORE, 0, 0, 0, W_MAP), RET0}, 0, "does more than look"},
        {"V495", "REMOVE", {ROW(REMOVE, 0, 0, 0, W_MAP), RET0}, 0, "does more than look"},
        {"V495", "TOP", {ROW(TOP, 0, 0, W_PAIRS, W_MAP * 64), RET0}, 0, "does more than look"},
        {"V495", "OWNER", {ROW(OWNER, 0, 0, 0, W_PARTS), RET0}, 0, "does more than look"},
        {"V495", "a new field", {ROW(STORE, 0, 0, 0, T_INT), RET0}, 0, NULL},
    };
    CHECK(rows, ACTION);
    CHECK(old, MIGRATE);
}

/* ------------------------------------------------------------------ functions */

#define FRAME_OF "function tested: no code, or a frame that does not fit"

REFUSED(V401, no_code, FRAME_OF, k->functions[F_TESTED].code_count = 0; m->code_count--;
        k->functions[F_DEPLOY].code_first--)
TAKEN(V401, one_instruction, cr_expect_eq(k->functions[F_TESTED].code_count, 1))
LIMIT(V402, frame, TW_FRAME_SLOTS_MAX, FRAME_OF, k->functions[F_TESTED].frame_slots = n)
REFUSED(V403, frame_under_its_arguments, FRAME_OF, k->functions[F_TESTED].frame_slots = 7)
TAKEN(V403, frame_of_its_arguments, k->functions[F_TESTED].frame_slots = 8)
REFUSED(V403, frame_under_its_results, "function condition: no code, or a frame that does not fit",
        k->functions[F_CONDITION].frame_slots = 0)

Test(V422, loops_eight_and_nine_deep)
{
    for (uint32_t depth = TW_LOOP_NEST_MAX; depth <= TW_LOOP_NEST_MAX + 1; depth++) {
        row r = {"V422", "loops", {0}, 8, depth > 8 ? "is the ninth loop inside another" : NULL};
        for (uint32_t i = 0; i < depth; i++) r.code[i] = IMM(LOOP, i, 10, 2);
        for (uint32_t i = 0; i < depth; i++) r.code[depth + i] = END0;
        r.code[2 * depth] = RET0;
        check(&r, 1, ACTION);
    }
}

/* ------------------------------------------------------------------ worst cases */

/* A chain of functions, each calling the one before, whose frames add up. The last is run by a
 * timer. */
static void chain(maker *k, wide *w, uint32_t calls, uint16_t frame)
{
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
    w->entries[E_AFTER].function = (uint16_t)(count - 1);
}

LIMIT(V501, call_depth, TW_CALL_DEPTH_MAX - 1,
      "function link: needs 0 slots in 65 calls, the limits are 32768 and 64", chain(k, w, n, 0))
TAKEN(V502, stack_of_32768_slots, chain(k, w, 4, 8192))
REFUSED(V502, stack_of_32769_slots, "function link: needs 32769 slots in 5 calls",
        chain(k, w, 4, 8192);
        m->functions[F_DEPLOY].frame_slots = 1)

/* What an entry of each kind, a condition or an invariant may not do. */
static void touching(as kind, const uint64_t *does, size_t count, const char *sentence)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t code[] = {does[i], RET0};
        wide *w = NULL;
        rules_refused(of_code(code, 2, kind, &w), sentence);
    }
}

#define TOUCHING(kind, does, sentence)                                                             \
    touching((kind), (does), sizeof(does) / sizeof *(does), (sentence))
#define TOUCHES "tested: its code must not "

Test(V511, views_that_change_something)
{
    const uint64_t writes[] = {ROW(STORE, 0, 0, 0, T_INT),
                               ROW(REMOVE, 0, 0, 0, W_MAP),
                               ROW(GO, 0, 0, 0, 1),
                               ROW(HISTORY, 0, 0, 0, 0),
                               ROW(GRANT, 0, 0, 0, 1),
                               ROW(REVOKE, 0, 0, 0, 1),
                               ROW(CREATE, 0, 0, 0, W_PARTS),
                               ROW(GIVE, 0, 0, 0, W_PARTS),
                               ROW(DETACH, 0, 0, 0, W_PARTS),
                               ROW(RETIRE, 0, 0, 0, W_PARTS),
                               ROW(LOG, 0, 0, 0, W_PARTS),
                               ROW(RECEIVE, 0, 0, 0, W_POT),
                               ROW(PAY, 0, 0, 0, W_POT),
                               ROW(MINT, 0, 0, 0, W_TOKEN),
                               ROW(MINTIN, 0, 0, 0, W_CHEST),
                               ROW(BURN, 0, 0, 0, W_CHEST),
                               ROW(SHIFT, 0, 0, 0, W_POT * 256 + W_STAKES),
                               ROW(ATTACH, 0, 0, 0, W_MACHINES * 64 + 2)};
    const uint64_t emits[] = {ROW(EMIT, 0, 0, 0, 0)};
    const uint64_t asks[] = {ROW(CALLER, 0, 0, 0, 0), ROW(SIGNED, 0, 0, 0, 0),
                             ROW(SIGNERS, 0, 0, 0, 1)};
    const uint64_t sets[] = {ROW(STC, 0, 0, 0, 0), ROW(REFUSE, 0, 0, 0, 0)};
    TOUCHING(VIEW, writes, TOUCHES "change the state");
    TOUCHING(VIEW, emits, TOUCHES "emit events");
    TOUCHING(VIEW, asks, TOUCHES "ask who signed");
    TOUCHING(VIEW, sets, TOUCHES "set deploy constants");
}
Test(V511, views_that_look)
{
    const row rows[] = {
        {"V511",
         "a view that looks",
         {ROW(LOAD, 0, 0, 0, T_INT), ROW(NOW, 0, 0, 0, 0), ROW(SILENT, 0, 0, 0, 0), RET0},
         0,
         NULL}};
    CHECK(rows, VIEW);
}

Test(V512, actions)
{
    const uint64_t sets[] = {ROW(STC, 0, 0, 0, 0), ROW(REFUSE, 0, 0, 0, 0)};
    const row rows[] = {
        {"V512",
         "all of an action",
         {ROW(STORE, 0, 0, 0, T_INT), ROW(GO, 0, 0, 0, 1), ROW(EMIT, 0, 0, 0, 0),
          ROW(HISTORY, 0, 0, 0, 0), ROW(CALLER, 0, 0, 0, 0), ROW(SIGNED, 0, 1, 0, 0),
          ROW(SIGNERS, 0, 0, 0, 1), ROW(GRANT, 0, 0, 0, 1), ROW(REVOKE, 0, 0, 0, 1),
          ROW(NOW, 0, 0, 0, 0), ROW(SILENT, 0, 0, 0, 0), RET0},
         0,
         NULL}};
    TOUCHING(ACTION, sets, TOUCHES "set deploy constants");
    CHECK(rows, ACTION);
}

Test(V513, migrate)
{
    const uint64_t asks[] = {ROW(CALLER, 0, 0, 0, 0), ROW(RECEIVE, 0, 0, 0, W_POT),
                             ROW(SIGNED, 0, 0, 0, 0)};
    const row rows[] = {{"V513",
                         "all of migrate",
                         {ROW(STC, 0, 0, 0, 0), ROW(LOAD, 0, 0, 0, W_MAP),
                          ROW(STORE, 0, 0, 0, T_INT), ROW(EMIT, 0, 0, 0, 0), RET0},
                         0,
                         NULL}};
    TOUCHING(MIGRATE, asks, TOUCHES "ask who signed");
    CHECK(rows, MIGRATE);
}

/* The entry `after` runs the tested function, whatever its kind; the action the empty one. */
static void run_by(maker *k, wide *w, uint8_t kind, uint64_t does)
{
    k->m.code[k->functions[F_TESTED].code_first] = does;
    w->entries[E_ACTION].function = F_DEPLOY;
    w->entries[E_ACTION].members.count = 0;
    k->functions[F_TESTED].argument_slots = 0;
    w->entries[E_AFTER].function = F_TESTED;
    w->entries[E_AFTER].kind = kind;
    if (kind == TW_ENTRY_RAISED || kind == TW_ENTRY_CLEARED || kind == TW_ENTRY_SILENT) {
        w->entries[E_AFTER].of = 0;
    }
    if (kind == TW_ENTRY_RAISED || kind == TW_ENTRY_CLEARED) w->entries[E_AFTER].delay = TW_NONE;
    if (kind == TW_ENTRY_FALLS) w->entries[E_AFTER].of = W_POT;
}

Test(V514, rules_without_a_sender)
{
    for (uint8_t kind = TW_ENTRY_RAISED; kind <= TW_ENTRY_FALLS; kind++) {
        const uint64_t does[] = {ROW(CALLER, 0, 0, 0, 0), ROW(REFUSE, 0, 0, 0, 0),
                                 ROW(EMIT, 0, 0, 0, 0), ROW(STORE, 0, 0, 0, T_INT)};
        const char *const sentences[] = {"after: its code must not ask who signed",
                                         "after: its code must not set deploy constants"};
        for (size_t i = 0; i < 4; i++) {
            const uint64_t code[] = {RET0, RET0};
            wide *w = NULL;
            maker *k = of_code(code, 2, ACTION, &w);
            run_by(k, w, kind, does[i]);
            if (i < 2) {
                rules_refused(k, sentences[i]);
            } else {
                rules_taken(k);
            }
        }
    }
}

Test(V515, fields_of_the_version_before)
{
    const uint64_t code[] = {ROW(LOAD, 0, 0, 0, W_MAP), RET0};
    wide *w = NULL;
    maker *k = of_code(code, 2, ACTION, &w);
    w->fields[W_MAP].old = true;
    rules_refused(k, TOUCHES "look at fields of the version before");
    rules_taken(of_code(code, 2, MIGRATE, &w));
}

REFUSED(V516, condition_that_reads, "alarm: its code must not read the state",
        m->code[0] = ROW(LOAD, 0, 0, 0, T_INT);
        m->invariant_count = 0)
REFUSED(V516, condition_that_asks_for_alarms, "alarm: its code must not read the state",
        m->code[0] = ROW(ALARM, 0, 0, 0, 0);
        m->invariant_count = 0)
REFUSED(V516, condition_that_asks_the_time, "alarm: its code must not look at the clock",
        m->code[0] = ROW(NOW, 0, 0, 0, 0);
        m->invariant_count = 0)
REFUSED(V516, clear_that_reads, "alarm: its code must not read the state",
        m->code[2] = ROW(PHASE, 0, 0, 0, 0);
        k->functions[F_SUM].argument_slots = 0; k->alarms[0].clear = F_SUM)
TAKEN(V516, condition_on_readings, m->code[0] = ROW(HOLDS, 0, 0, 0, 0); m->invariant_count = 0)

REFUSED(V517, invariant_of_time, "holds: its code must not look at the clock",
        m->code[0] = ROW(INPHASE, 0, 0, 0, 0);
        m->alarm_count = 0)
REFUSED(V517, invariant_of_readings, "holds: its code must not look at readings",
        m->code[0] = ROW(SILENT, 0, 0, 0, 0);
        m->alarm_count = 0)
REFUSED(V517, invariant_that_writes, "holds: its code must not change the state",
        m->code[0] = ROW(GO, 0, 0, 0, 0);
        m->alarm_count = 0)
TAKEN(V517, invariant_of_state, m->code[0] = ROW(LOAD, 0, 0, 0, T_BOOL); m->alarm_count = 0)

/* A loop around one instruction, in the tested action. */
static void loop(maker *k, int32_t times, uint64_t does)
{
    const uint64_t code[] = {IMM(LOOP, 8, 9, times), does, END0, RET0, RET0};
    tw_module *m = &k->m;
    uint64_t *all = TW_NEW_ARRAY(k->arena, uint64_t, 9);
    cr_assert_not_null(all);
    memcpy(all, m->code, 4 * sizeof *all);
    memcpy(all + 4, code, sizeof code);
    m->code = all;
    m->code_count = 9;
    k->functions[F_TESTED].code_count = 4;
    k->functions[F_DEPLOY].code_first = 8;
}

LIMIT(V520, events, TW_EVENTS_MAX, "entry tested: up to 1025 events, the limit is 1024",
      loop(k, n, ROW(EMIT, 0, 0, 0, 0)))
LIMIT(V520, history_entries, TW_EVENTS_MAX, "entry tested: up to 1025 events, the limit is 1024",
      loop(k, n, ROW(HISTORY, 0, 0, 0, 0)))
/* A transfer takes 80 bytes; the limit is that of 1,024 entries of things' histories. */
LIMIT(V521, transfers, 57254,
      "entry tested: events and transfers of up to 4580400 bytes, the limit "
      "is 4580352",
      loop(k, n, ROW(PAY, 0, 0, 1, W_POT)))

/* Each of the six numbers that an entry declares. */
#define BOUND(name, change)                                                                        \
    Test(V530, name)                                                                               \
    {                                                                                              \
        wide *w = NULL;                                                                            \
        maker *k = rules_new(&w);                                                                  \
        cr_assert_eq(wide_facts(k), TW_OK, "%s", k->err.text);                                     \
        tw_bounds *b = &w->entries[E_ACTION].bounds;                                               \
        b->change;                                                                                 \
        rules_refused(k, "entry tested: declares another worst case than its code has: ");         \
    }
BOUND(gas_above, gas++)
BOUND(gas_below, gas--)
BOUND(reads, reads--)
BOUND(writes, writes++)
BOUND(event_bytes, event_bytes++)
BOUND(events, events++)
BOUND(slots, slots--)
TAKEN(V530, as_computed, cr_expect_eq(w->entries[E_ACTION].bounds.gas, 0))

/* In the deploy entry alone a check may refuse. */
TAKEN(V462, the_last_check, m->code[m->code_count - 1] = ROW(REFUSE, 0, 0, 0, 0);
      m->entry_count = E_AFTER)
REFUSED(V462, one_more_check,
        "function deploy, instruction 0 (REFUSE): names something that is not",
        m->code[m->code_count - 1] = ROW(REFUSE, 0, 0, 0, 1))
