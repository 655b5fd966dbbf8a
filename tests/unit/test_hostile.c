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
            cr_assert(f.r->receipt.run.writes == 0 && f.r->receipt.run.notices.size == 0);
            rig_free(f.r);
        }
    }
}

/* `every` runs once a minute at most. */
Test(hostile, the_shortest_delay)
{
    forge f = forge_new();
    all_constants(&f, MINUTE, 0);
    cr_assert_eq(deploy_it(&f), TW_OK);
    rig_free(f.r);
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

/* ---- timers that cost others ---- */

static const char ending_source[] = "contract Ending version 1 {\n"
                                    "  role owner\n"
                                    "  role keeper max 3\n"
                                    "  role sensor\n"
                                    "  reading x : int from sensor field \"x\"\n"
                                    "    range 0 .. 100 rate 1 per 1 s keep 60 max_age 1 min\n"
                                    "  var gone : account? = none\n"
                                    "  on x silent for 1 min {\n"
                                    "    match gone {\n"
                                    "      none {}\n"
                                    "      some s {\n"
                                    "        grant sensor to s\n"
                                    "        revoke sensor from s\n"
                                    "      }\n"
                                    "    }\n"
                                    "  }\n"
                                    "  action end(s: account) by owner {\n"
                                    "    revoke sensor from s\n"
                                    "    gone = s\n"
                                    "  }\n"
                                    "  action poke() by owner {}\n"
                                    "}\n";

/* Without a device silence counts from the deploy, so it is due as soon as the device has gone: not
 * in the same block again, however often its own run lets one come and go. */
Test(hostile, a_silence_that_starts_itself_again)
{
    const tw_genesis genesis = {.name = "ending", .time = start_time};
    rig *r = rig_on(store_in_memory(), ending_source, &genesis);
    deploy(r);
    (void)wait_until(r, start_time + 2 * MINUTE);
    tw_tx end = call_of(r, "end", tw_bytes_of(r->accounts[SENSOR_1].bytes, 32));
    tw_tx poke = call_of(r, "poke", text(""));
    begin(r, start_time + 3 * MINUTE);
    cr_assert_eq(run(r, &end, &owner, 1), TW_OK);
    cr_assert_eq(run(r, &poke, &owner, 1), TW_OK, "no timer is due after the block's start");
    (void)commit(r);
    for (int64_t i = 1; i <= 3; i++) {
        const tw_block block = wait_until(r, start_time + 3 * MINUTE + i);
        cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1);
        cr_assert_eq(call(r, start_time + 3 * MINUTE + i, OWNER, "poke", text("")), TW_OK);
    }
    rig_free(r);
}

static const char never_source[] = "contract Never version 1 {\n"
                                   "  role owner\n"
                                   "  role keeper max 3\n"
                                   "  role sensor\n"
                                   "  phases One -> Two -> One\n"
                                   "  every 2 min {}\n"
                                   "  action on_() by owner in One { go Two }\n"
                                   "  action back() by owner in Two { go One }\n"
                                   "}\n";

/* A timer of a phase that does not hold runs nothing, but to file it anew is work too: that takes
 * from the block's budget, and the rest waits. */
Test(hostile, timers_that_never_run_take_from_the_budget)
{
    const tw_genesis forging = {.name = "forge", .time = start_time};
    forge f = {.r = rig_on(store_in_memory(), never_source, &forging)};
    cr_assert_eq(tw_module_decode(f.r->module, f.r->arena, &f.m, &f.err), TW_OK);
    const uint16_t every = tw_module_entry(f.m, TW_ENTRY_EVERY, NULL);
    f.m->entries[every].phases = 2;
    cr_assert_eq(finish(&f), TW_OK, "%s", f.err.text);
    const uint64_t gas = f.m->entries[every].bounds.gas;
    const tw_genesis genesis = {.name = "never", .time = start_time, .timer_gas_max = 3 * gas};
    rig *r = rig_on(store_in_memory(), never_source, &genesis);
    r->module = f.r->module;
    for (int i = 0; i < 7; i++) deploy(r);
    const int64_t now = start_time + 2 * MINUTE;
    for (int i = 0; i < 3; i++) {
        int64_t due = 0;
        bool found = false;
        cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
        cr_assert(found && due == now, "three in a block, of seven");
        cr_assert_eq(wait_until(r, now).receipt_count, 0);
    }
    int64_t due = 0;
    bool found = false;
    cr_assert_eq(tw_ledger_next_due(r->ledger, &due, &found), TW_OK);
    cr_assert(found && due == now + 2 * MINUTE);
    rig_free(r);
    rig_free(f.r);
}

static const char turning_source[] =
    "contract Turning version 1 {\n"
    "  role owner\n"
    "  role keeper max 3\n"
    "  role sensor\n"
    "  reading level : int from sensor field \"level\"\n"
    "    range 0 .. 100 rate 1 per 1 s keep 60 max_age 1 min\n"
    "  alarm early raise when level above 10 clear when level below 5\n"
    "  alarm late raise when level above 50 clear when level below 5\n"
    "  var broken : bool = yes\n"
    "  phases One -> Two -> One\n"
    "  error Broken()\n"
    "  event Early()\n"
    "  event Late()\n"
    "  on early raised in Two { emit Early() }\n"
    "  on late raised in One {\n"
    "    needs not broken else Broken()\n"
    "    emit Late()\n"
    "    go Two\n"
    "  }\n"
    "  action mend() by owner { broken = no }\n"
    "  action back() by owner in Two { go One }\n"
    "}\n";

/* A handler that turns the phase lets an older edge of its contract find its handler: it comes
 * next, in the same block, though the walk over the edges has passed its time. */
Test(hostile, an_edge_that_lies_behind)
{
    const tw_genesis genesis = {.name = "turning", .time = start_time};
    rig *r = rig_on(store_in_memory(), turning_source, &genesis);
    deploy(r);
    const tw_hash first = r->contract;
    deploy(r); /* a second one, with the same edges at other times */
    const tw_hash second = r->contract;
    r->contract = first;
    (void)feed(r, start_time + 1000, 20);
    (void)feed(r, start_time + 2000, 60);
    r->contract = second;
    r->sequence = 0;
    (void)feed(r, start_time + 3000, 20);
    (void)feed(r, start_time + 4000, 60);
    cr_assert_eq(call(r, start_time + 5000, OWNER, "mend", text("")), TW_OK);
    r->contract = first;
    cr_assert_eq(call(r, start_time + 5000, OWNER, "mend", text("")), TW_OK);
    const tw_block block = wait_until(r, start_time + 4000 + MINUTE);
    cr_assert_eq(block.receipt_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const tw_run *run = &block.receipts[i].run;
        cr_assert_eq(run->status, TW_OK);
        cr_assert_eq(tw_hash_equal(&run->contract, &first), i < 2, "receipt %u", i);
        cr_assert_eq(events_in(run->notices, i % 2 == 0 ? 1 : 0), 1, "receipt %u", i);
    }
    rig_free(r);
}
