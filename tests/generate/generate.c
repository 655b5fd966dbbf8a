/* generate -- see the header. */
#include "tests/generate/maker.h"

static tw_status bounds(tw_module *m, tw_arena *arena, tw_err *err)
{
    tw_facts *facts = NULL;
    TW_TRY(tw_facts_compute(m, arena, &facts, err));
    for (uint16_t i = 0; i < m->entry_count; i++) m->entries[i].bounds = facts->entries[i];
    return TW_OK;
}

tw_module *generate_module(uint64_t seed, tw_arena *arena, tw_err *err)
{
    maker *k = TW_NEW(arena, maker);
    if (k == NULL) return NULL;
    k->d.state = seed;
    k->arena = arena;
    k->m = TW_NEW(arena, tw_module);
    k->frame_wanted = dice_percent(&k->d, 90) ? 60 : FRAME_MAX;
    k->no_memory = k->m == NULL;
    if (!k->no_memory) make_declarations(k);
    if (k->no_memory || tw_module_derive(k->m, err) != TW_OK) return NULL;
    make_entries(k);
    if (k->no_memory || tw_module_derive(k->m, err) != TW_OK) return NULL;
    return bounds(k->m, arena, err) == TW_OK ? k->m : NULL;
}
