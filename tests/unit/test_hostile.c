/* test_hostile -- modules that no compiler would make but anybody may deploy: a compiled one whose
 * functions are written anew by hand, with its bounds computed again so that it could verify. */
#include "tests/unit/ledger_fixture.h"
#include "vm/isa/isa.h"
#include "vm/verify/verify.h"

#include <criterion/criterion.h>

static const who owner = OWNER;

static const char clock_source[] =
    "contract Clock version 1 {\n"
    "  role owner\n"
    "  role keeper max 3\n"
    "  role sensor\n"
    "  reading x : length from sensor field \"x\"\n"
    "    range 0 mm .. 1 m rate 1 per 1 s keep 60 max_age 1 min\n"
    "  alarm far raise when x above 500 mm for 2 min clear when x below 500 mm for 2 min\n"
    "  param pace : duration = 2 min in 1 min .. 1 day\n"
    "  phases One -> Two -> One\n"
    "  event Tick()\n"
    "  every pace { emit Tick() }\n"
    "  after 1 min in Two { emit Tick() }\n"
    "  on x silent for 2 min { emit Tick() }\n"
    "  action change() by keeper in One { go Two }\n"
    "  action back() by keeper in Two { go One }\n"
    "  action swap(old: account, new: account) by owner {\n"
    "    revoke sensor from old\n"
    "    grant sensor to new\n"
    "  }\n"
    "}\n";

typedef struct forge {
    rig *r;
    tw_module *m;
    uint16_t deploy; /* function of the deploy entry */
    tw_err err;
} forge;

static forge forge_new(void)
{
    const tw_genesis genesis = {.name = "forge", .time = start_time};
    forge f = {.r = rig_on(store_in_memory(), clock_source, &genesis)};
    cr_assert_eq(tw_module_decode(f.r->module, f.r->arena, &f.m, &f.err), TW_OK);
    f.deploy = f.m->entries[tw_module_entry(f.m, TW_ENTRY_DEPLOY, NULL)].function;
    return f;
}

/* The code of one function becomes `code`; the others keep theirs. */
static void rewrite(forge *f, uint16_t function, const uint64_t *code, uint32_t count)
{
    const uint32_t total = f->m->code_count + count;
    uint64_t *all = TW_NEW_ARRAY(f->r->arena, uint64_t, total);
    uint32_t at = 0;
    for (uint16_t i = 0; i < f->m->function_count; i++) {
        tw_function *fn = &f->m->functions[i];
        const uint64_t *from = i == function ? code : f->m->code + fn->code_first;
        if (i == function) fn->code_count = count;
        memcpy(all + at, from, fn->code_count * sizeof *all);
        fn->code_first = at;
        at += fn->code_count;
    }
    f->m->code = all;
    f->m->code_count = at;
}

static uint32_t add_constant(forge *f, int64_t value)
{
    int64_t *constants = TW_NEW_ARRAY(f->r->arena, int64_t, f->m->constant_count + 1u);
    memcpy(constants, f->m->constants, f->m->constant_count * sizeof *constants);
    constants[f->m->constant_count] = value;
    f->m->constants = constants;
    return f->m->constant_count++;
}

/* Bounds and bytes: what the rig deploys from now on. */
static tw_status finish(forge *f)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_facts_compute(f->m, f->r->arena, &facts, &f->err));
    for (uint16_t i = 0; i < f->m->entry_count; i++) f->m->entries[i].bounds = facts->entries[i];
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    cr_assert_eq(tw_module_encode(f->m, &w), TW_OK);
    f->r->module = tw_bytes_of(tw_arena_copy(f->r->arena, w.data, w.size), w.size);
    tw_writer_free(&w);
    return TW_OK;
}

static tw_status deploy_it(forge *f)
{
    crew c;
    tw_tx tx = deploy_of(f->r, &c);
    cr_assert_eq(finish(f), TW_OK, "%s", f->err.text);
    tx.module = f->r->module;
    begin(f->r, start_time);
    const tw_status status = run(f->r, &tx, &owner, 1);
    f->r->contract = f->r->receipt.run.contract;
    (void)commit(f->r);
    return status;
}

/* A deploy entry that gives every deploy constant the same value, after `first`. */
static void all_constants(forge *f, int64_t value, uint64_t first)
{
    uint64_t code[64];
    uint32_t count = 0;
    code[count++] = tw_insn_make(TW_OP_LDK, 0, 0, 0, add_constant(f, value));
    for (uint16_t i = 0; i < f->m->deployed_count; i++) {
        code[count++] = tw_insn_make(TW_OP_STC, 0, 0, 0, i);
    }
    if (first != 0) code[count++] = first;
    code[count++] = tw_insn_make(TW_OP_RET, 0, 0, 0, 0);
    f->m->functions[f->deploy].frame_slots = 8;
    rewrite(f, f->deploy, code, count);
}

Test(hostile, the_forge_makes_modules_that_run)
{
    forge f = forge_new();
    all_constants(&f, 2 * MINUTE, 0);
    cr_assert_eq(deploy_it(&f), TW_OK, "%s", tw_status_text(f.r->receipt.run.status));
    const tw_block block = wait_until(f.r, start_time + 2 * MINUTE);
    cr_assert_eq(events_of(&block, 0), 2);
    rig_free(f.r);
}

/* Whatever a deploy puts into the delays, none is added to a time before it was looked at. */
Test(hostile, delays_are_times)
{
    static const int64_t bad[] = {0, -1, INT64_MIN, INT64_MAX, (int64_t)1 << 52, MINUTE - 1};
    const uint64_t go = tw_insn_make(TW_OP_GO, 0, 0, 0, 1);
    const uint64_t grant = tw_insn_make(TW_OP_GRANT, 0, 0, 0, 2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const uint64_t firsts[] = {0, go, grant};
        for (int k = 0; k < 3; k++) {
            forge f = forge_new();
            all_constants(&f, bad[i], firsts[k]);
            cr_assert_eq(deploy_it(&f), TW_TRAP_BAD_VALUE, "%lld: %s", (long long)bad[i],
                         tw_status_name(f.r->receipt.run.status));
            rig_free(f.r);
        }
    }
}

/* The longest delay that is a time, from the last time there is. */
Test(hostile, the_longest_delay)
{
    forge f = forge_new();
    all_constants(&f, ((int64_t)1 << 52) - 1, tw_insn_make(TW_OP_GO, 0, 0, 0, 1));
    cr_assert_eq(deploy_it(&f), TW_OK);
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(tw_ledger_next_due(f.r->ledger, &due, &found), TW_OK);
    cr_assert(found && due == start_time + ((int64_t)1 << 52) - 1);
    begin(f.r, ((int64_t)1 << 52) - 1);
    (void)commit(f.r);
    cr_assert_eq(call(f.r, ((int64_t)1 << 52) - 1, KEEPER_1, "back", text("")), TW_OK);
    cr_assert_eq(call(f.r, ((int64_t)1 << 52) - 1, KEEPER_1, "change", text("")), TW_OK);
    rig_free(f.r);
}

/* A deploy entry that fills a role itself meets the first members of the transaction. */
Test(hostile, a_deploy_that_fills_its_own_roles)
{
    forge f = forge_new();
    all_constants(&f, 2 * MINUTE, tw_insn_make(TW_OP_GRANT, 0, 0, 0, 2));
    cr_assert_eq(deploy_it(&f), TW_TRAP_FULL);
    rig_free(f.r);
}

/* Without a device in its operands, a stamp or a silence is of the one member of a role: of a
 * reading per device it has no meaning, and would look into slots that nobody gave it. */
Test(hostile, stamps_and_silence_are_not_per_device)
{
    static const tw_op ops[] = {TW_OP_HOLDS, TW_OP_SILENT};
    for (int i = 0; i < 2; i++) {
        for (int per_device = 0; per_device <= 1; per_device++) {
            forge f = forge_new();
            uint16_t entries = 0;
            for (uint16_t k = 0; k < f.m->entry_count; k++) { /* without the silent timer */
                if (f.m->entries[k].kind == TW_ENTRY_SILENT) continue;
                f.m->entries[entries++] = f.m->entries[k];
            }
            f.m->entry_count = entries;
            f.m->readings[0].per_device = per_device == 1;
            const uint64_t code[] = {tw_insn_make(ops[i], 0, 0, 0, 0),
                                     tw_insn_make(TW_OP_RET, 0, 0, 0, 0)};
            for (uint16_t k = 0; k < f.m->function_count; k++) {
                const tw_function *fn = &f.m->functions[k];
                if (fn->result_slots == 1) rewrite(&f, k, code, 2);
            }
            cr_assert_eq(finish(&f), per_device == 1 ? TW_REFUSED_MODULE : TW_OK, "%s", f.err.text);
            rig_free(f.r);
        }
    }
}
