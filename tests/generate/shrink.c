/* shrink -- see the header. */
#include "tests/generate/shrink.h"

#include "vm/verify/verify.h"

#include <string.h>

typedef struct shrinker {
    tw_module *m;
    shrink_fails fails;
    void *context;
    tw_arena *arena;
    tw_bytes best;
} shrinker;

static bool encode(shrinker *s, tw_bytes *ret_bytes)
{
    tw_facts *facts = NULL;
    tw_err err;
    if (tw_facts_compute(s->m, s->arena, &facts, &err) != TW_OK) return false;
    for (uint16_t i = 0; i < s->m->entry_count; i++) s->m->entries[i].bounds = facts->entries[i];
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    const bool good = tw_module_encode(s->m, &w) == TW_OK;
    const char *copy = tw_arena_copy(s->arena, w.data, w.size);
    *ret_bytes = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    return good && copy != NULL;
}

/* Keeps what stands in the module if it fails; true then. */
static bool keeps(shrinker *s)
{
    tw_bytes bytes;
    if (!encode(s, &bytes) || !s->fails(s->context, bytes)) return false;
    s->best = bytes;
    return true;
}

/* The END of the LOOP at pc, or pc itself of anything else. */
static uint32_t partner(const tw_function *f, const uint64_t *code, uint32_t pc)
{
    uint32_t depth = 0;
    if (tw_insn_op(code[pc]) != TW_OP_LOOP) return pc;
    for (uint32_t i = pc; i < f->code_count; i++) {
        depth += tw_insn_op(code[i]) == TW_OP_LOOP;
        if (tw_insn_op(code[i]) == TW_OP_END && --depth == 0) return i;
    }
    return pc;
}

static bool take_out(shrinker *s, const tw_function *f, uint32_t pc)
{
    const uint64_t nothing = tw_insn_make(TW_OP_MOV, 0, 0, 0, 0);
    uint64_t *code = s->m->code + f->code_first;
    const uint64_t was = code[pc];
    const uint32_t end = partner(f, code, pc);
    const uint64_t end_was = code[end];
    if (was == nothing || tw_insn_op(was) == TW_OP_END || f->frame_slots == 0) return false;
    code[pc] = nothing;
    code[end] = nothing;
    if (keeps(s)) return true;
    code[end] = end_was;
    code[pc] = was;
    return false;
}

tw_bytes shrink_module(tw_bytes module, shrink_fails fails, void *context, tw_arena *arena)
{
    shrinker s = {.fails = fails, .context = context, .arena = arena, .best = module};
    tw_err err;
    bool changed = tw_module_decode(module, arena, &s.m, &err) == TW_OK;
    while (changed) {
        changed = false;
        for (uint16_t i = 0; i < s.m->function_count; i++) {
            const tw_function *f = &s.m->functions[i];
            for (uint32_t pc = f->code_count - 1; pc-- > 0;) changed |= take_out(&s, f, pc);
        }
    }
    return s.best;
}
