/* cmd_disasm -- `twvm disasm`: a contract's machine code in words, with what the verifier proved.
 *
 * One line an instruction: place, name, fields by their shape, the thing an index names, and, where
 * the debug map knows it, the source line. All from the tables of vm/isa.
 */
#include "vm/isa/container.h"
#include "vm/isa/quantities.h"
#include "vm/runner/source.h"

#include "vm/exec/code.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MEMORY_MAX = 64 * 1024 * 1024 };

static const char *name_at(const tw_module *m, tw_shape shape, uint32_t x)
{
    switch (shape) {
    case TW_SHAPE_CALL: return x < m->function_count ? m->functions[x].name : "";
    case TW_SHAPE_FIELD: return x < m->field_count ? m->fields[x].name : "";
    case TW_SHAPE_DST_PARAM: return x < m->param_count ? m->params[x].name : "";
    case TW_SHAPE_PHASE: return x < m->phases.count ? m->phases.items[x] : "";
    case TW_SHAPE_DST_B4_ROLE:
    case TW_SHAPE_DST_ROLE:
    case TW_SHAPE_B4_ROLE:
    case TW_SHAPE_DST5_ROLE: return x < m->role_count ? m->roles[x].name : "";
    case TW_SHAPE_STAT: return x % 1024 < m->reading_count ? m->readings[x % 1024].name : "";
    case TW_SHAPE_DST_B_STAMP:
        return x < m->stamp_count ? m->readings[m->stamps[x].reading].name : "";
    case TW_SHAPE_DST_B_READING: return x < m->reading_count ? m->readings[x].name : "";
    case TW_SHAPE_DST_ALARM: return x < m->alarm_count ? m->alarms[x].name : "";
    case TW_SHAPE_A_EVENT: return x < m->event_count ? m->events[x].name : "";
    case TW_SHAPE_A_HISTORY: return x < m->history_count ? m->histories[x].name : "";
    case TW_SHAPE_A_ERROR: return x < m->error_count ? m->errors[x].name : "";
    case TW_SHAPE_INVARIANT: return x < m->invariant_count ? m->invariants[x].name : "";
    case TW_SHAPE_CHECK: return x < m->check_count ? m->checks[x].name : "";
    case TW_SHAPE_STATUS: return tw_status_name((tw_status)x);
    case TW_SHAPE_NONE:
    case TW_SHAPE_RET_A:
    case TW_SHAPE_JUMP:
    case TW_SHAPE_A_JUMP:
    case TW_SHAPE_A_B_JUMP:
    case TW_SHAPE_A_IMM_JUMP:
    case TW_SHAPE_LOOP:
    case TW_SHAPE_DST:
    case TW_SHAPE_DST_B:
    case TW_SHAPE_DST_B_C:
    case TW_SHAPE_DST_B_IMM:
    case TW_SHAPE_DST_B_C_ROUND:
    case TW_SHAPE_DST_B_ROUND:
    case TW_SHAPE_DST_IMM:
    case TW_SHAPE_DST_CONST:
    case TW_SHAPE_DSTN:
    case TW_SHAPE_DSTN_BN:
    case TW_SHAPE_DSTN_CONST:
    case TW_SHAPE_DST_BN_CN:
    case TW_SHAPE_DST4:
    case TW_SHAPE_DST_DEPLOYED:
    case TW_SHAPE_A_DEPLOYED:
    case TW_SHAPE_DST_B4:
    case TW_SHAPE_DST4_B_TYPE: break;
    }
    return "";
}

static int64_t constant(const tw_module *m, uint32_t index)
{
    return index < m->constant_count ? m->constants[index] : 0;
}

/* Shapes whose x is a constant, a distance, or two things in one. */
static bool print_special(const tw_module *m, uint64_t insn, tw_shape shape, uint32_t pc)
{
    static const char *const rounding[] = {"half even", "down", "up", "zero"};
    const uint32_t a = tw_insn_a(insn), b = tw_insn_b(insn), c = tw_insn_c(insn);
    const uint32_t x = tw_insn_x(insn);
    const int32_t imm30 = tw_insn_imm30(insn), imm26 = tw_insn_imm26(insn);
    switch ((int)shape) {
    case TW_SHAPE_JUMP: printf("-> %u", pc + 1 + x); return true;
    case TW_SHAPE_A_JUMP: printf("s%u -> %u", a, pc + 1 + x); return true;
    case TW_SHAPE_A_B_JUMP: printf("s%u, s%u -> %u", a, b, pc + 1 + x); return true;
    case TW_SHAPE_A_IMM_JUMP: printf("s%u, %d -> %u", a, imm26, pc + 1 + x); return true;
    case TW_SHAPE_LOOP: printf("s%u up to s%u, at most %d", a, b, imm30); return true;
    case TW_SHAPE_DST_IMM: printf("s%u, %d", a, imm30); return true;
    case TW_SHAPE_DST_B_IMM: printf("s%u, s%u, %d", a, b, imm30); return true;
    case TW_SHAPE_DST_CONST: printf("s%u, %" PRId64, a, constant(m, x)); return true;
    case TW_SHAPE_DSTN_CONST: printf("s%u.., constants %u.. x %u", a, x, c); return true;
    case TW_SHAPE_DST_B_C_ROUND:
        printf("s%u, s%u, s%u, %" PRId64 " (%s)", a, b, c, constant(m, x / 4), rounding[x % 4]);
        return true;
    case TW_SHAPE_DST_B_ROUND:
        printf("s%u, s%u, %" PRId64 " (%s)", a, b, constant(m, x / 4), rounding[x % 4]);
        return true;
    case TW_SHAPE_STAT: {
        const char *word = tw_stat_word(x / 1024);
        printf("s%u, %s s%u, s%u", a, word != NULL ? word : "?", b, c);
        return true;
    }
    default: return false;
    }
}

static void print_operands(const tw_module *m, uint64_t insn, tw_shape shape, uint32_t pc)
{
    const uint32_t a = tw_insn_a(insn), b = tw_insn_b(insn), c = tw_insn_c(insn);
    const uint32_t x = tw_insn_x(insn);
    if (print_special(m, insn, shape, pc)) return;
    switch ((int)shape) {
    case TW_SHAPE_NONE: return;
    case TW_SHAPE_RET_A:
    case TW_SHAPE_DST:
    case TW_SHAPE_DST4: printf("s%u", a); return;
    case TW_SHAPE_DST_B:
    case TW_SHAPE_DST_B4: printf("s%u, s%u", a, b); return;
    case TW_SHAPE_DST_B_C: printf("s%u, s%u, s%u", a, b, c); return;
    case TW_SHAPE_DST_BN_CN: printf("s%u, s%u, s%u, x %u", a, b, c, x); return;
    case TW_SHAPE_DSTN_BN: printf("s%u, s%u, x %u", a, b, x); return;
    case TW_SHAPE_PHASE:
    case TW_SHAPE_INVARIANT:
    case TW_SHAPE_CHECK:
    case TW_SHAPE_STATUS: printf("%u", x); return;
    case TW_SHAPE_DST_B_STAMP:
    case TW_SHAPE_DST_B_READING:
    case TW_SHAPE_DST4_B_TYPE:
    case TW_SHAPE_DST_B4_ROLE:
    case TW_SHAPE_FIELD: printf("s%u, s%u, %u", a, b, x); return;
    case TW_SHAPE_B4_ROLE: printf("s%u, %u", b, x); return;
    default: printf("s%u, %u", a, x); return;
    }
}

static void print_function(const tw_module *m, const tw_debug *debug, uint16_t index)
{
    const tw_function *f = &m->functions[index];
    uint32_t line = 0;
    printf("\nfunction %u %s: %u argument slots, %u result slots, frame of %u\n", index, f->name,
           f->argument_slots, f->result_slots, f->frame_slots);
    for (uint32_t pc = 0; pc < f->code_count; pc++) {
        const uint64_t insn = m->code[f->code_first + pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        const char *name = name_at(m, row->shape, tw_insn_x(insn));
        const uint32_t here = tw_debug_line_of(debug, index, pc);
        printf("  %5u  %-8s ", pc, row->name != NULL ? row->name : "?");
        print_operands(m, insn, row->shape, pc);
        if (name[0] != '\0') printf("  ; %s", name);
        if (here != 0 && here != line) printf("  // line %u", here);
        if (here != 0) line = here;
        putchar('\n');
    }
}

static void print_entries(const tw_module *m)
{
    static const char *const kinds[TW_ENTRY_KINDS] = {
        [TW_ENTRY_DEPLOY] = "deploy", [TW_ENTRY_ACTION] = "action",   [TW_ENTRY_VIEW] = "view",
        [TW_ENTRY_RAISED] = "raised", [TW_ENTRY_CLEARED] = "cleared", [TW_ENTRY_SILENT] = "silent",
        [TW_ENTRY_EVERY] = "every",   [TW_ENTRY_AFTER] = "after"};
    printf("\n%-8s %-24s %8s %14s %7s %7s %12s %7s\n", "entry", "", "function", "gas", "reads",
           "writes", "event bytes", "slots");
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        char gas[TW_GROUPED_MAX];
        printf("%-8s %-24s %8u %14s %7u %7u %12u %7u\n", kinds[e->kind], e->name, e->function,
               tw_grouped(e->bounds.gas, gas), e->bounds.reads, e->bounds.writes,
               e->bounds.event_bytes, e->bounds.slots);
    }
}

static void print_declarations(const tw_module *m)
{
    char type[TW_SHOW_NAME_MAX], low[TW_QUANTITY_TEXT_MAX], high[TW_QUANTITY_TEXT_MAX];
    for (uint16_t i = 0; i < m->role_count; i++) {
        printf("role     %s max %u\n", m->roles[i].name, m->roles[i].max);
    }
    for (uint16_t i = 0; i < m->param_count; i++) {
        printf("param    %s : %s\n", m->params[i].name, tw_show_type(m, m->params[i].type, type));
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        const tw_dimension dimension = (tw_dimension)m->types[r->type].quantity;
        tw_quantity_print(r->low, dimension, low);
        tw_quantity_print(r->high, dimension, high);
        printf("reading  %s : %s field \"%s\" range %s .. %s keep %u\n", r->name,
               tw_show_type(m, r->type, type), r->field, low, high, r->keep);
    }
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        printf("alarm    %s raise function %u clear function %u\n", m->alarms[i].name,
               m->alarms[i].raise, m->alarms[i].clear);
    }
    for (uint16_t i = 0; i < m->field_count; i++) {
        printf("var      %s : %s\n", m->fields[i].name,
               tw_show_type(m, m->fields[i].value_type, type));
    }
    for (uint16_t i = 0; i < m->phases.count && m->phases.items[i][0] != '\0'; i++) {
        printf("phase    %s\n", m->phases.items[i]);
    }
}

static tw_status print_module(tw_app *app, tw_bytes bytes, tw_bytes map, tw_arena *arena)
{
    tw_code *code = NULL;
    tw_debug *debug = NULL;
    char hash[65];
    TW_TRY(tw_code_new(bytes, &code, &app->err));
    const tw_module *m = code->module;
    if (tw_debug_decode(map, m, arena, &debug) != TW_OK) debug = NULL;
    tw_hex_encode(code->hash.bytes, TW_HASH_SIZE, hash);
    printf("contract %s version %u%s%s\n%zu bytes, hash %s\n\n", m->name, m->version,
           m->twin[0] != '\0' ? " for " : "", m->twin, bytes.size, hash);
    print_declarations(m);
    print_entries(m);
    for (uint16_t i = 0; i < m->function_count; i++) print_function(m, debug, i);
    tw_code_free(code);
    return TW_OK;
}

tw_status tw_command_disasm(tw_app *app)
{
    tw_bytes module, debug;
    tw_arena *arena = tw_arena_new(FILE_MEMORY_MAX);
    if (arena == NULL) return TW_ERR_MEMORY;
    tw_status status = tw_source_module(
        app, app->args.words[0], tw_args_get(&app->args, "contract", NULL), arena, &module, &debug);
    if (status == TW_OK) status = print_module(app, module, debug, arena);
    tw_arena_free(arena);
    return status;
}
