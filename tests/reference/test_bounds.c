/* test_bounds -- the bounds that the compiler declares are those that follow from the bytes of the
 * module alone, for every contract of contracts/, stdlib/ and the language tests that compile. And,
 * as both come from the same code: the worst gas of each function that has no loop, against the
 * most expensive of its paths as the reference's plan prices them. */
#include "compiler/twc.h"
#include "tests/reference/machine.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { SOURCE_MAX = 1024 * 1024, ARENA_MAX = 256 * 1024 * 1024 };

/* What was met. */
typedef struct tally {
    uint32_t entries;
    uint32_t priced;  /* functions without a loop */
    uint32_t exactly; /* of these, without an instruction that charges by what it meets */
} tally;

/* What the bytes say, with what they declare left out. */
static void same_from_bytes(const char *path, tw_bytes bytes, tally *met)
{
    tw_arena *arena = tw_arena_new(ARENA_MAX);
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    tw_err err = {.status = TW_OK};
    cr_assert_not_null(arena);
    cr_assert_eq(tw_module_decode(bytes, arena, &m, &err), TW_OK, "%s: %s", path, err.text);
    tw_bounds *declared = TW_NEW_ARRAY(arena, tw_bounds, m->entry_count);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        declared[i] = m->entries[i].bounds;
        m->entries[i].bounds = (tw_bounds){0};
    }
    cr_assert_eq(tw_facts_compute(m, arena, &facts, &err), TW_OK, "%s: %s", path, err.text);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_bounds *a = &declared[i];
        const tw_bounds *b = &facts->entries[i];
        const char *name = m->entries[i].name;
        cr_assert_eq(a->gas, b->gas, "%s, %s: gas", path, name);
        cr_assert_eq(a->reads, b->reads, "%s, %s: reads", path, name);
        cr_assert_eq(a->writes, b->writes, "%s, %s: writes", path, name);
        cr_assert_eq(a->event_bytes, b->event_bytes, "%s, %s: event bytes", path, name);
        cr_assert_eq(a->events, b->events, "%s, %s: events", path, name);
        cr_assert_eq(a->slots, b->slots, "%s, %s: slots", path, name);
    }
    met->entries += m->entry_count;
    tw_arena_free(arena);
}

/* ---- the gas of paths ---- */

/* The most expensive way to the end of a function, as the reference's plan prices its runs.
 * `worst` is of the functions before it; UINT64_MAX stands for one with a loop. */
static uint64_t path_gas(const tw_module *m, const ref_plan *plan, const tw_function *f,
                         const uint64_t *worst, uint64_t *from, bool *metered)
{
    from[f->code_count] = 0;
    for (uint32_t pc = f->code_count; pc-- > 0;) {
        const uint64_t insn = m->code[f->code_first + pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        const uint8_t op = tw_insn_op(insn);
        uint64_t next = from[pc + 1];
        if (op == TW_OP_LOOP) return UINT64_MAX;
        if (tw_op_leaves(op)) next = 0;
        if (tw_shape_is_jump(row->shape)) {
            const uint64_t there = from[pc + 1 + tw_insn_x(insn)];
            next = op == TW_OP_JMP || there > next ? there : next;
        }
        if (op == TW_OP_CALL) {
            if (worst[tw_insn_x(insn)] == UINT64_MAX) return UINT64_MAX;
            next += worst[tw_insn_x(insn)];
        }
        *metered = *metered || row->metered;
        from[pc] = plan->run_gas[f->code_first + pc] + next;
    }
    return from[0];
}

static void compare_paths(const char *path, const tw_code *code, tally *met)
{
    const tw_module *m = code->module;
    reference *r = reference_new();
    const ref_plan *plan = r != NULL ? ref_plan_of(r, code) : NULL;
    uint64_t *worst = tw_mem_new(m->function_count * sizeof *worst);
    bool *metered = tw_mem_new(m->function_count * sizeof *metered);
    uint64_t *from = tw_mem_new((m->code_count + 1) * sizeof *from);
    cr_assert(plan != NULL && worst != NULL && metered != NULL && from != NULL);
    for (uint16_t i = 0; i < m->function_count; i++) {
        const tw_function *f = &m->functions[i];
        const uint64_t bound = code->facts->functions[i].worst.gas;
        for (uint32_t pc = 0; pc < f->code_count; pc++) {
            const uint64_t insn = m->code[f->code_first + pc];
            if (tw_insn_op(insn) == TW_OP_CALL) metered[i] |= metered[tw_insn_x(insn)];
        }
        worst[i] = path_gas(m, plan, f, worst, from, &metered[i]);
        if (worst[i] == UINT64_MAX) continue;
        met->priced++;
        met->exactly += !metered[i];
        cr_expect_geq(bound, worst[i], "%s, %s: bound below a path", path, f->name);
        if (!metered[i]) cr_expect_eq(bound, worst[i], "%s, %s: gas of a path", path, f->name);
    }
    tw_mem_free(worst);
    tw_mem_free(metered);
    tw_mem_free(from);
    reference_free(r);
}

/* ---- files ---- */

/* What does not compile has no bounds, and counts as nothing. */
static void same_in_file(const char *path, char *source, bool all_compile, tally *met)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    const size_t size = fread(source, 1, SOURCE_MAX, file);
    fclose(file);
    twc_result *result = twc_compile(path, source, size);
    cr_assert_not_null(result);
    const bool good = twc_result_error_count(result) == 0;
    cr_assert(good || !all_compile, "%s", twc_result_report(result, false));
    for (uint32_t i = 0; good && i < twc_result_unit_count(result); i++) {
        const tw_bytes module = twc_result_unit(result, i)->module;
        tw_code *code = NULL;
        tw_err err = {.status = TW_OK};
        same_from_bytes(path, module, met);
        cr_assert_eq(tw_code_new(module, NULL, &code, &err), TW_OK, "%s: %s", path, err.text);
        compare_paths(path, code, met);
        tw_code_free(code);
    }
    twc_result_free(result);
}

static tally same_in_folder(const char *folder, bool all_compile)
{
    DIR *entries = opendir(folder);
    char *source = tw_mem_new(SOURCE_MAX);
    tally met = {0};
    cr_assert(entries != NULL && source != NULL, "%s", folder);
    for (const struct dirent *e = readdir(entries); e != NULL; e = readdir(entries)) {
        char path[4096];
        const char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".twc") != 0) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        same_in_file(path, source, all_compile, &met);
    }
    closedir(entries);
    tw_mem_free(source);
    return met;
}

Test(bounds, of_the_contracts)
{
    const tally met = same_in_folder(SOURCE_ROOT "/contracts", true);
    cr_assert_gt(met.entries, 100);
    cr_assert_gt(met.priced, 100);
    cr_assert_gt(met.exactly, 10);
}

Test(bounds, of_the_library)
{
    cr_assert_gt(same_in_folder(SOURCE_ROOT "/stdlib", true).entries, 0);
}

Test(bounds, of_the_language_tests)
{
    static const char *const folders[] = {"behaves", "errors", "fails", "ok"};
    tally all = {0};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char folder[4096];
        snprintf(folder, sizeof folder, SOURCE_ROOT "/tests/lang/%s", folders[i]);
        const tally met = same_in_folder(folder, false);
        all.entries += met.entries;
        all.priced += met.priced;
        all.exactly += met.exactly;
    }
    cr_assert_gt(all.entries, 200);
    cr_assert_gt(all.priced, 200);
    cr_assert_gt(all.exactly, 20);
}
