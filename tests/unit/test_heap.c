/* test_heap -- nothing is allocated while contract code runs: every call to the host's memory
 * during entries that have run before is counted, by the linker's --wrap. heap/ does so under the
 * tests of all contracts. */
#include "tests/heap/counting.h"
#include "tests/unit/machine_fixture.h"

#include <stdlib.h>

static const char source[] =
    "contract Heap version 1 {\n"
    "  role owner\n"
    "  record Part { id: int, name: text(20), marks: list of int max 4 }\n"
    "  map parts : int -> Part max 50\n"
    "  map counts : text(8) -> int max 50\n"
    "  var xs : list of int max 20 = []\n"
    "  var n : int = 0\n"
    "  event Seen(id: int, name: text(20))\n"
    "  error Odd(n: int)\n"
    "  invariant small: n < 1000000\n"
    "  fn twice(a: int) -> int { var t : int = 0 repeat 2 times { t += a } return t }\n"
    "  action put(k: int) by owner {\n"
    "    parts[k] = Part(id: k, name: \"part\", marks: [k, 2, 3])\n"
    "    counts[\"all\"] = twice(k)\n"
    "    emit Seen(id: k, name: parts[k].name)\n"
    "  }\n"
    "  action walk(k: int) by owner {\n"
    "    for each p in parts { p.id += k for each v in p.marks { n += v } }\n"
    "    for each c in counts { n += c }\n"
    "  }\n"
    "  action lists(k: int) by owner { xs = [k, 1] push 5 to xs xs[0] += 1 remove xs[1] }\n"
    "  action fail(k: int) by owner { n += k parts[k].id = 0 fail Odd(n) }\n"
    "  action trap(k: int) by owner { n += k n = n / (k - k) }\n"
    "  view total(k: int) -> int { var t : int = k for each p in parts { t += p.id } return t }\n"
    "}\n";

/* Every entry with `k`, counted, each by itself: the test library allocates too. */
static void run_all(machine *m, int64_t k)
{
    static const char *const actions[] = {"put", "walk", "lists", "fail", "trap"};
    const tw_account sender = machine_member(0, 1);
    for (size_t i = 0; i <= sizeof actions / sizeof actions[0]; i++) {
        const bool view = i == sizeof actions / sizeof actions[0];
        const tw_call call = {.entry = view ? machine_entry(m, TW_ENTRY_VIEW, "total")
                                            : machine_entry(m, TW_ENTRY_ACTION, actions[i]),
                              .now = m->now,
                              .end = m->now,
                              .signers = &sender,
                              .signer_count = view ? 0 : 1,
                              .arguments = &k};
        counting = true;
        const tw_status status = tw_exec_run(m->exec, m->contract, &call, &m->outcome);
        counting = false;
        cr_assert_eq(status, TW_OK);
    }
}

Test(heap, nothing_is_allocated_while_code_runs)
{
    machine *m = machine_new(source);
    for (int64_t k = 0; k < 8; k++) run_all(m, k);
    cr_assert_eq(m->outcome.status, TW_OK);
    calls = 0;
    for (int64_t k = 0; k < 8; k++) {
        tw_savepoint before;
        cr_assert_eq(tw_overlay_mark(m->overlay, &before), TW_OK);
        run_all(m, k);
        tw_overlay_undo(m->overlay, before);
    }
    cr_expect_eq(calls, 0, "%llu calls to the host's memory", (unsigned long long)calls);
    counting = true;
    tw_mem_free(tw_mem_new(1));
    counting = false;
    cr_expect_geq(calls, 1, "a call is not seen");
    machine_free(m);
}
