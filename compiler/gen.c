/* gen -- see the header. The module is encoded, read back and verified like any other before it is
 * handed out, so what the compiler makes is what a ledger accepts. */
#include "compiler/gen.h"

#include "vm/isa/container.h"
#include "vm/verify/cost.h"
#include "vm/verify/verify.h"

#include <assert.h>
#include <string.h>

/* A ledger's default; an entry above it could not be called there. */
static const uint64_t gas_max = TW_ENTRY_GAS_MAX;

twc_gen *twc_gen_new(tw_arena *arena, const twc_source *source, twc_contract *contract,
                     twc_diags *diags)
{
    twc_gen *g = TW_NEW(arena, twc_gen);
    tw_module *m = TW_NEW(arena, tw_module);
    if (g == NULL || m == NULL) return NULL;
    g->arena = arena;
    g->source = source;
    g->contract = contract;
    g->diags = diags;
    g->m = m;
    m->upgrade = (tw_upgrade){.role = TW_NONE, .delay = TW_NONE};
    g->span = contract->name_span;
    return g;
}

bool twc_gen_contract(twc_gen *g)
{
    twc_gen_declarations(g);
    if (!g->failed) twc_gen_functions(g);
    return !g->failed;
}

/* ------------------------------------------------------------------ bytes */

static bool internal_error(twc_gen *g, const char *what, const tw_err *err)
{
    g->failed = true;
    if (err->status == TW_ERR_MEMORY) {
        g->diags->out_of_memory = true;
        return false;
    }
    twc_diag_add(g->diags, TWC_DIAG_INTERNAL, g->contract->name_span,
                 "the compiler made a module that is not good (%s): %s\n"
                 "this is a fault of the compiler: please report it with the source",
                 what, err->text);
    return false;
}

/* What costs most in a function: an instruction with what it calls, as often as the loops around
 * it run. */
typedef struct dearest {
    uint32_t insn, loop; /* the LOOP around it with the most rounds */
    uint64_t gas;        /* all of its runs */
    bool looped;
} dearest;

static uint64_t times(uint64_t gas, uint64_t count)
{
    return count != 0 && gas > UINT64_MAX / count ? UINT64_MAX : gas * count;
}

static dearest dearest_of(const twc_gen *g, const tw_facts *facts, const tw_function *f)
{
    dearest found = {.insn = f->code_first};
    uint32_t loops[TW_LOOP_NEST_MAX + 1] = {0};
    uint64_t rounds[TW_LOOP_NEST_MAX + 1] = {1};
    uint32_t depth = 0;
    for (uint32_t i = f->code_first; i < f->code_first + f->code_count; i++) {
        const uint64_t insn = g->m->code[i];
        const tw_op op = tw_insn_op(insn);
        uint64_t gas = tw_cost_insn(g->m, insn).gas;
        uint64_t runs = 1;
        uint32_t longest = depth > 0 ? 1 : 0;
        for (uint32_t d = 1; d <= depth; d++) {
            runs = times(runs, rounds[d]);
            if (rounds[d] > rounds[longest]) longest = d;
        }
        if (op == TW_OP_CALL) gas += facts->functions[tw_insn_x(insn)].worst.gas;
        if (times(gas, runs) > found.gas) {
            found = (dearest){i, loops[longest], times(gas, runs), depth > 0};
        }
        if (op == TW_OP_LOOP && depth < TW_LOOP_NEST_MAX) {
            loops[++depth] = i;
            rounds[depth] = (uint64_t)tw_insn_imm30(insn);
        } else if (op == TW_OP_END && depth > 0) {
            depth--;
        }
    }
    return found;
}

static void over_gas(twc_gen *g, const tw_facts *facts, const tw_entry *entry, uint64_t gas)
{
    const tw_module *m = g->m;
    dearest most = dearest_of(g, facts, &m->functions[entry->function]);
    /* a function calls only lower ones, so this ends */
    while (!most.looped && tw_insn_op(m->code[most.insn]) == TW_OP_CALL) {
        most = dearest_of(g, facts, &m->functions[tw_insn_x(m->code[most.insn])]);
    }
    const uint32_t at = g->lines[most.looped ? most.loop : most.insn];
    twc_diag_add(g->diags, TWC_DIAG_OVER_GAS, (twc_span){at, at + 1},
                 "`%s` may cost %llu gas, the limit is %llu; %s\n%s", entry->name,
                 (unsigned long long)gas, (unsigned long long)gas_max,
                 most.looped ? "what this loop repeats costs most" : "this part costs most",
                 most.looped ? "let it go over less: a smaller max, or fewer rounds"
                             : "do less in one run: shorter windows, fewer statistics");
    g->failed = true;
}

static bool bounds_fit(twc_gen *g, const tw_facts *facts)
{
    tw_module *m = g->m;
    for (uint16_t i = 0; i < m->entry_count; i++) {
        m->entries[i].bounds = facts->entries[i];
        if (facts->entries[i].gas <= gas_max) continue;
        over_gas(g, facts, &m->entries[i], facts->entries[i].gas);
    }
    return !g->failed;
}

/* What the module's own rules refuse although it checks: too many fields with one id, types too
 * deep. Said as it is found. */
static bool refuse(twc_gen *g, const tw_err *err)
{
    g->failed = true;
    if (err->status == TW_ERR_MEMORY) {
        g->diags->out_of_memory = true;
        return false;
    }
    twc_diag_add(g->diags, TWC_DIAG_OVER_MACHINE, g->contract->name_span, "%s", err->text);
    return false;
}

static bool look_again(twc_gen *g, tw_bytes bytes)
{
    tw_err err = {.status = TW_OK};
    tw_module *again = NULL;
    tw_facts *facts = NULL;
    const tw_mark mark = tw_arena_mark(g->arena);
    const char *what = "decode";
    tw_status status = tw_module_decode(bytes, g->arena, &again, &err);
    if (status == TW_OK) {
        what = "verify";
        status = tw_module_verify(again, g->arena, &facts, &err);
    }
    tw_arena_reset(g->arena, mark);
    return status == TW_OK ? true : internal_error(g, what, &err);
}

bool twc_gen_encode(twc_gen *g, tw_bytes *ret_module)
{
    tw_err err = {.status = TW_OK};
    tw_facts *facts = NULL;
    if (g->failed) return false;
    if (tw_module_derive(g->m, &err) != TW_OK) return refuse(g, &err);
    twc_gen_presets(g);
    if (g->failed) return false;
    if (tw_facts_compute(g->m, g->arena, &facts, &err) != TW_OK) return refuse(g, &err);
    if (!bounds_fit(g, facts)) return false;
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX + 1);
    const tw_status status = tw_module_encode(g->m, &w);
    const size_t size = w.size;
    const void *copy = w.bad ? NULL : tw_arena_copy(g->arena, w.data, w.size);
    const bool full = w.bad;
    tw_writer_free(&w);
    if (full || status != TW_OK) {
        twc_gen_over_limit(g, g->contract->name_span, "the module has too many bytes",
                           TW_MODULE_SIZE_MAX + 1, TW_MODULE_SIZE_MAX);
        return false;
    }
    if (copy == NULL) {
        g->diags->out_of_memory = g->failed = true;
        return false;
    }
    *ret_module = tw_bytes_of(copy, size);
    return look_again(g, *ret_module);
}

/* ------------------------------------------------------------------ debug map */

static bool function_lines(twc_gen *g, const tw_function *f, tw_debug_function *ret_function)
{
    tw_debug_line *lines = TW_NEW_ARRAY(g->arena, tw_debug_line, f->code_count);
    if (lines == NULL) return false;
    ret_function->lines = lines;
    uint32_t before = UINT32_MAX;
    for (uint32_t pc = 0; pc < f->code_count; pc++) {
        const uint32_t offset = g->lines[f->code_first + pc];
        if (offset == before) continue;
        before = offset;
        const uint32_t line = twc_source_line(g->source, offset) + 1;
        const uint32_t count = ret_function->line_count;
        if (count > 0 && lines[count - 1].line == line) continue;
        lines[ret_function->line_count++] = (tw_debug_line){pc, line};
    }
    return true;
}

static bool function_names(twc_gen *g, uint16_t number, uint32_t *at,
                           tw_debug_function *ret_function)
{
    const uint32_t first = *at;
    while (*at < g->local_count && g->locals[*at].function == number) (*at)++;
    tw_debug_name *names = TW_NEW_ARRAY(g->arena, tw_debug_name, *at - first);
    if (names == NULL) return false;
    ret_function->names = names;
    /* what is over the most that a map may say of a function has a number alone */
    for (uint32_t i = first; i < *at && i - first < TW_DEBUG_NAMES_MAX; i++) {
        const twc_local_name *local = &g->locals[i];
        names[ret_function->name_count++] =
            (tw_debug_name){.name = local->name,
                            .type = twc_gen_type_find(g, local->type),
                            .slot = (uint16_t)local->slot,
                            .from = local->from,
                            .to = local->to};
    }
    return true;
}

bool twc_gen_debug(twc_gen *g, tw_bytes *ret_debug)
{
    const tw_module *m = g->m;
    tw_debug debug = {.function_count = m->function_count};
    debug.functions = TW_NEW_ARRAY(g->arena, tw_debug_function, m->function_count);
    uint32_t local = 0;
    bool good = debug.functions != NULL;
    for (uint16_t i = 0; i < m->function_count && good; i++) {
        good = function_lines(g, &m->functions[i], &debug.functions[i]) &&
               function_names(g, i, &local, &debug.functions[i]);
    }
    tw_writer w = tw_writer_new(TW_DEBUG_SIZE_MAX);
    if (good) tw_debug_encode(&debug, &w);
    const void *copy = good && !w.bad ? tw_arena_copy(g->arena, w.data, w.size) : NULL;
    if (copy != NULL) *ret_debug = tw_bytes_of(copy, w.size);
    tw_writer_free(&w);
    if (copy == NULL) g->diags->out_of_memory = g->failed = true;
    return copy != NULL;
}

/* ------------------------------------------------------------------ undo */

twc_gen_mark twc_gen_mark_now(const twc_gen *g)
{
    const tw_module *m = g->m;
    return (twc_gen_mark){m->type_count,  m->enum_count, m->constant_count, m->function_count,
                          m->entry_count, m->code_count, g->local_count};
}

void twc_gen_undo(twc_gen *g, twc_gen_mark mark)
{
    tw_module *m = g->m;
    twc_gen_types_undo(g, mark.types);
    twc_gen_constants_undo(g, mark.constants);
    m->type_count = mark.types;
    m->enum_count = mark.enums;
    m->function_count = mark.functions;
    m->entry_count = mark.entries;
    m->code_count = mark.code;
    g->local_count = mark.locals;
}
