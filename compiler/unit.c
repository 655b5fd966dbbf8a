/* unit -- see the header. */
#include "compiler/unit.h"

#include "compiler/gen.h"
#include "compiler/plan.h"

static bool make_unit(twc_front *front, tw_arena *arena, twc_contract *contract, twc_unit *ret_unit)
{
    twc_gen *g = twc_gen_new(arena, &front->source, contract, &front->diags);
    if (g == NULL) {
        front->diags.out_of_memory = true;
        return false;
    }
    ret_unit->name = contract->word->text;
    ret_unit->version = contract->version;
    ret_unit->library = contract->library;
    ret_unit->line = twc_source_line(&front->source, contract->name_span.start) + 1;
    return twc_gen_contract(g) && twc_gen_encode(g, &ret_unit->module) &&
           twc_gen_debug(g, &ret_unit->debug) &&
           twc_plan_tests(g, &ret_unit->tests, &ret_unit->test_count);
}

bool twc_units_make(twc_front *front, tw_arena *arena, twc_unit **ret_units, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (const twc_contract *c = front->program->contracts; c != NULL; c = c->next) count++;
    twc_unit *units = TW_NEW_ARRAY(arena, twc_unit, count);
    bool good = units != NULL;
    if (!good) front->diags.out_of_memory = true;
    uint32_t index = 0;
    for (twc_contract *c = front->program->contracts; c != NULL && good; c = c->next) {
        good = make_unit(front, arena, c, &units[index++]);
    }
    if (!good) return false;
    *ret_units = units;
    *ret_count = count;
    return true;
}
