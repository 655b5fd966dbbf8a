/* disasm -- see the header. Nothing here trusts the code: every index is looked at before it is
 * used, so a module that does not verify can be read too. */
#include "vm/isa/disasm.h"

#include "vm/base/quantities.h"
#include "vm/isa/operands.h"
#include "vm/isa/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 400 };

static void put(tw_writer *w, const char *format, ...) TW_PRINTF(2, 3);
static void put(tw_writer *w, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) tw_write_raw(w, text, (size_t)size < sizeof text ? (size_t)size : TEXT_MAX - 1);
}

static const char *effect_text(uint16_t effect)
{
    if (effect == TW_EFFECT_READS_STATE) return "reads";
    if (effect == TW_EFFECT_WRITES_STATE) return "writes";
    if (effect == TW_EFFECT_CLOCK) return "clock";
    if (effect == TW_EFFECT_SENDER) return "sender";
    if (effect == TW_EFFECT_READINGS) return "readings";
    if (effect == TW_EFFECT_EMITS) return "emits";
    if (effect == (TW_EFFECT_WRITES_STATE | TW_EFFECT_SENDER)) return "as sender";
    return effect == TW_EFFECT_DEPLOYS ? "deploys" : "";
}

void tw_disasm_opcodes(tw_writer *w)
{
    for (uint32_t number = 0; number < 256; number++) {
        const tw_op_row *row = tw_op_find((uint8_t)number);
        if (row->name == NULL) continue;
        put(w, "%02X %-8s %-13s %3u %s %-9s %s\n", number, row->name, row->operands, row->gas,
            row->ends_run ? "end" : "   ", effect_text(row->effects), row->text);
    }
}

/* ------------------------------------------------------------------ types and values */

static void append(char *text, size_t size, const char *more)
{
    const size_t used = strlen(text);
    if (used < size) snprintf(text + used, size - used, "%s", more);
}

void tw_type_print(const tw_module *m, uint16_t type, char *ret_text, size_t size)
{
    static const char *const words[TW_KIND_KINDS] = {
        [TW_KIND_BOOL] = "bool",     [TW_KIND_TEXT] = "text",         [TW_KIND_BYTES] = "bytes",
        [TW_KIND_HASH] = "hash",     [TW_KIND_ACCOUNT] = "account",   [TW_KIND_TWIN] = "twin_id",
        [TW_KIND_LIST] = "list of ", [TW_KIND_THINGS] = "things of ",
    };
    ret_text[0] = '\0';
    if (type >= m->type_count) return;
    const tw_type *t = &m->types[type];
    char number[24];
    const bool named = t->kind < TW_KIND_KINDS && words[t->kind] != NULL;
    if (named) append(ret_text, size, words[t->kind]);
    if (t->kind == TW_KIND_INT) append(ret_text, size, tw_dim_name((tw_dimension)t->quantity));
    if (t->kind == TW_KIND_ENUM) append(ret_text, size, m->enums[t->of].name);
    if (t->kind == TW_KIND_MONEY) append(ret_text, size, m->monies[t->of].name);
    if (t->kind == TW_KIND_RECORD) append(ret_text, size, t->name[0] != '\0' ? t->name : "record");
    if (t->kind == TW_KIND_TEXT || t->kind == TW_KIND_BYTES) {
        snprintf(number, sizeof number, "(%u)", t->max);
        append(ret_text, size, number);
    }
    if (t->kind == TW_KIND_THINGS) append(ret_text, size, m->fields[t->home].name);
    char inner[TEXT_MAX / 2] = "";
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST) {
        tw_type_print(m, t->of, inner, sizeof inner);
        append(ret_text, size, inner);
    }
    snprintf(number, sizeof number, " max %u", t->max);
    if (t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS) append(ret_text, size, number);
    if (t->kind == TW_KIND_OPTIONAL) append(ret_text, size, "?");
}

static const char *type_text(const tw_module *m, uint16_t type, char text[TEXT_MAX / 2])
{
    tw_type_print(m, type, text, TEXT_MAX / 2);
    return text;
}

static void put_int(const tw_module *m, uint16_t type, int64_t value, tw_writer *w)
{
    char text[TW_QUANTITY_TEXT_MAX];
    const bool known = type < m->type_count && m->types[type].kind == TW_KIND_INT;
    tw_quantity_print(value, known ? (tw_dimension)m->types[type].quantity : TW_DIM_INT, text);
    put(w, "%s", text);
}

static void put_members(const tw_module *m, const tw_members *members, tw_writer *w)
{
    char text[TEXT_MAX / 2];
    for (uint16_t i = 0; i < members->count; i++) {
        put(w, "%s%s: %s", i > 0 ? ", " : "", members->items[i].name,
            type_text(m, members->items[i].type, text));
    }
}

/* ------------------------------------------------------------------ declarations */

static void put_params(const tw_module *m, tw_writer *w)
{
    char text[TEXT_MAX / 2];
    for (uint16_t i = 0; i < m->param_count; i++) {
        const tw_param *p = &m->params[i];
        const bool number =
            p->type < m->type_count && m->types[p->type].kind == TW_KIND_INT && p->preset.size == 8;
        put(w, "param %u %s: %s", i, p->name, type_text(m, p->type, text));
        if (number) put(w, " = ");
        if (number) put_int(m, p->type, (int64_t)tw_load_u64(p->preset.data), w);
        if (p->ranged) {
            put(w, " in ");
            put_int(m, p->type, p->low, w);
            put(w, " .. ");
            put_int(m, p->type, p->high, w);
        }
        put(w, "\n");
    }
}

static void put_fields(const tw_module *m, tw_writer *w)
{
    static const char *const kinds[TW_FIELD_KINDS] = {"?", "var", "map", "registry"};
    char text[TEXT_MAX / 2];
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        put(w, "%s%s %u %s: ", f->old ? "old " : "", kinds[f->kind < TW_FIELD_KINDS ? f->kind : 0],
            i, f->name);
        if (f->key_type != TW_NONE) put(w, "%s -> ", type_text(m, f->key_type, text));
        put(w, "%s", type_text(m, f->value_type, text));
        if (f->key_type != TW_NONE) put(w, " max %u", f->max);
        put(w, "\n");
    }
}

static void put_money(const tw_module *m, tw_writer *w)
{
    for (uint16_t i = 0; i < m->money_count; i++) {
        const tw_money *money = &m->monies[i];
        const bool token = money->kind == TW_MONEY_TOKEN;
        put(w, "%s %u %s decimals %u", token ? "token" : "currency", i, money->name,
            money->decimals);
        if (token) put(w, " supply %lld", (long long)money->supply);
        put(w, "\n");
    }
    for (uint16_t i = 0; i < m->purse_count; i++) {
        const tw_purse *p = &m->purses[i];
        put(w, "purse %u %s: %s", i, p->name, m->monies[p->money].name);
        if (p->role != TW_NONE) put(w, " per %s", m->roles[p->role].name);
        put(w, "\n");
    }
}

static void put_state(const tw_module *m, tw_writer *w)
{
    for (uint16_t i = 0; i < m->type_count; i++) {
        if (m->types[i].kind != TW_KIND_RECORD || m->types[i].name[0] == '\0') continue;
        put(w, "record %s(", m->types[i].name);
        put_members(m, &m->types[i].members, w);
        put(w, ")\n");
    }
    for (uint16_t i = 0; i < m->enum_count; i++) {
        put(w, "enum %s:", m->enums[i].name);
        for (uint16_t k = 0; k < m->enums[i].values.count; k++) {
            put(w, " %s", m->enums[i].values.items[k]);
        }
        put(w, "\n");
    }
    put_fields(m, w);
    put_money(m, w);
    for (uint16_t i = 0; i < m->phases.count; i++) {
        put(w, "phase %u %s ->", i, m->phases.items[i]);
        for (uint16_t k = 0; k < m->arrow_count; k++) {
            const tw_arrow *a = &m->arrows[k];
            if (a->from == i && a->to < m->phases.count) put(w, " %s", m->phases.items[a->to]);
        }
        put(w, "\n");
    }
}

static const char *reading_name(const tw_module *m, uint32_t reading)
{
    return reading < m->reading_count ? m->readings[reading].name : "?";
}

static void put_duration(int64_t ms, tw_writer *w)
{
    char text[TW_QUANTITY_TEXT_MAX];
    tw_quantity_print(ms, TW_DIM_DURATION, text);
    put(w, "%s", text);
}

static void put_twin(const tw_module *m, tw_writer *w)
{
    static const char *const kinds[] = {"?", "above", "below", "within"};
    char text[TEXT_MAX / 2];
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        put(w, "reading %u %s: %s field \"%s\" range ", i, r->name, type_text(m, r->type, text),
            r->field);
        put_int(m, r->type, r->low, w);
        put(w, " .. ");
        put_int(m, r->type, r->high, w);
        put(w, " rate %u per ", r->rate_count);
        put_duration(r->rate_ms, w);
        put(w, " keep %u max_age ", r->keep);
        put_duration(r->age_max_ms, w);
        put(w, " gap ");
        put_duration(r->gap_ms, w);
        put(w, "%s\n", r->per_device ? " per device" : "");
    }
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        const tw_stamp *s = &m->stamps[i];
        put(w, "stamp %u %s %s deployed %u", i, reading_name(m, s->reading),
            kinds[s->kind < TW_STAMP_KINDS ? s->kind : 0], s->low);
        if (s->high != TW_NONE) put(w, " .. %u", s->high);
        put(w, "\n");
    }
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        const tw_alarm *a = &m->alarms[i];
        put(w, "alarm %u %s raise %u clear %u reads", i, a->name, a->raise, a->clear);
        for (uint16_t k = 0; k < m->reading_count; k++) {
            if (a->readings >> k & 1) put(w, " %s", m->readings[k].name);
        }
        put(w, "\n");
    }
}

static void put_notices(const tw_module *m, const char *what, const tw_notice *items,
                        uint16_t count, tw_writer *w)
{
    for (uint16_t i = 0; i < count; i++) {
        put(w, "%s %u %s(", what, i, items[i].name);
        put_members(m, &items[i].members, w);
        put(w, ")\n");
    }
}

static void put_entries(const tw_module *m, tw_writer *w)
{
    static const char *const kinds[TW_ENTRY_KINDS] = {
        "?",      "deploy", "action", "view",  "raised",  "cleared",
        "silent", "every",  "after",  "falls", "migrate",
    };
    char text[TEXT_MAX / 2];
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        put(w, "entry %u %s \"%s\"(", i, kinds[e->kind < TW_ENTRY_KINDS ? e->kind : 0], e->name);
        put_members(m, &e->members, w);
        put(w, ")");
        if (e->result != TW_NONE) put(w, " -> %s", type_text(m, e->result, text));
        put(w, " function %u", e->function);
        if (e->delay != TW_NONE) put(w, " delay deployed %u", e->delay);
        put(w, " in");
        for (uint16_t p = 0; p < m->phases.count; p++) {
            if (e->phases >> p & 1) put(w, " %s", m->phases.items[p]);
        }
        put(w, "\n    bound: gas %llu reads %u writes %u event bytes %u slots %u\n",
            (unsigned long long)e->bounds.gas, e->bounds.reads, e->bounds.writes,
            e->bounds.event_bytes, e->bounds.slots);
    }
}

static void put_declarations(const tw_module *m, tw_writer *w)
{
    put(w, "contract %s version %u\n", m->name, m->version);
    if (m->twin[0] != '\0') put(w, "twin \"%s\"\n", m->twin);
    for (uint16_t i = 0; i < m->role_count; i++) {
        put(w, "role %u %s max %u", i, m->roles[i].name, m->roles[i].max);
        if (m->roles[i].least > 0) put(w, " least %u", m->roles[i].least);
        put(w, "%s%s\n", m->roles[i].flags & TW_ROLE_GRANTED ? " granted" : "",
            m->roles[i].flags & TW_ROLE_REVOKED ? " revoked" : "");
    }
    put_params(m, w);
    put_state(m, w);
    put_twin(m, w);
    put_notices(m, "event", m->events, m->event_count, w);
    put_notices(m, "error", m->errors, m->error_count, w);
    put_notices(m, "history", m->histories, m->history_count, w);
    for (uint16_t i = 0; i < m->invariant_count; i++) {
        put(w, "invariant %u %s function %u\n", i, m->invariants[i].name,
            m->invariants[i].function);
    }
    for (uint16_t i = 0; i < m->check_count; i++) put(w, "check %u %s\n", i, m->checks[i].name);
    put(w, "deploy constants %u\n", m->deployed_count);
    if (m->upgrade.role < m->role_count) {
        put(w, "upgrade by %u of %s", m->upgrade.count, m->roles[m->upgrade.role].name);
        if (m->upgrade.delay != TW_NONE) put(w, " delay deployed %u", m->upgrade.delay);
        put(w, "\n");
    }
    put_entries(m, w);
}

/* ------------------------------------------------------------------ code */

/* What x names, by the list that the shape says. */
static const char *name_of(const tw_module *m, tw_shape shape, uint32_t x)
{
#define NAMED(list, count) (x < m->count ? m->list[x].name : NULL)
    switch ((int)tw_shape_find(shape)->x) {
    case TW_INDEX_FIELD: return NAMED(fields, field_count);
    case TW_INDEX_PARAM: return NAMED(params, param_count);
    case TW_INDEX_PHASE: return x < m->phases.count ? m->phases.items[x] : NULL;
    case TW_INDEX_ROLE: return NAMED(roles, role_count);
    case TW_INDEX_READING: return NAMED(readings, reading_count);
    case TW_INDEX_ALARM: return NAMED(alarms, alarm_count);
    case TW_INDEX_EVENT: return NAMED(events, event_count);
    case TW_INDEX_HISTORY: return NAMED(histories, history_count);
    case TW_INDEX_ERROR: return NAMED(errors, error_count);
    case TW_INDEX_INVARIANT: return NAMED(invariants, invariant_count);
    case TW_INDEX_CHECK: return NAMED(checks, check_count);
    case TW_INDEX_FUNCTION: return NAMED(functions, function_count);
    default: return NULL;
    }
#undef NAMED
}

static void put_constant(const tw_module *m, uint32_t index, tw_writer *w)
{
    if (index < m->constant_count) {
        put(w, " #%lld", (long long)m->constants[index]);
    } else {
        put(w, " constant %u", index);
    }
}

/* What x and c of an instruction of operands.def name. */
static void put_operands(const tw_module *m, uint64_t insn, tw_writer *w)
{
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    const uint32_t x = tw_insn_x(insn);
    char text[TEXT_MAX / 2];
    if (!tw_operands_exist(m, insn)) {
        put(w, " x%u c%u", x, tw_insn_c(insn));
        return;
    }
    const tw_field *f = tw_operands_field(m, insn);
    const tw_purse *p = tw_operands_purse(m, insn);
    if (f != NULL) put(w, " %s", f->name);
    if (o->x == TW_NAMED_MEMBER || o->x == TW_NAMED_HOLDING) {
        put(w, ".%s", m->types[f->value_type].members.items[x % 64].name);
    }
    if (p != NULL) put(w, " %s", p->name);
    if (o->x == TW_NAMED_PURSES) put(w, " to %s", m->purses[x % 256].name);
    if (o->x == TW_NAMED_MONEY || o->x == TW_NAMED_TOKEN) put(w, " %s", m->monies[x].name);
    if (o->x == TW_NAMED_LISTS) put(w, " %s", type_text(m, (uint16_t)x, text));
    if (o->c == TW_PART_KIND) put(w, " %s", m->histories[tw_insn_c(insn)].name);
    if (o->c == TW_PART_TYPE) put(w, " %s", type_text(m, tw_insn_c(insn), text));
}

static void put_special(const tw_module *m, tw_shape shape, uint64_t insn, tw_writer *w)
{
    static const char *const rounds[] = {"half-even", "down", "up", "zero"};
    const uint32_t x = tw_insn_x(insn);
    char text[TEXT_MAX / 2];
    char trap[24];
    if (shape == TW_SHAPE_DST_B_C_ROUND || shape == TW_SHAPE_DST_B_ROUND) {
        put_constant(m, x >> 2, w);
        put(w, " %s", rounds[x & 3]);
    } else if (shape == TW_SHAPE_DST_CONST || shape == TW_SHAPE_DSTN_CONST) {
        put_constant(m, x, w);
        if (shape == TW_SHAPE_DSTN_CONST) put(w, " .. x%u", tw_insn_c(insn));
    } else if (shape == TW_SHAPE_STAT) {
        const char *word = tw_stat_word(x >> 10);
        put(w, " %s %s", word != NULL ? word : "?", reading_name(m, x & 1023));
    } else if (shape == TW_SHAPE_STATUS) {
        tw_status_trap_name((tw_status)x, trap);
        put(w, " %s", trap);
    } else if (shape == TW_SHAPE_DST4_B_TYPE) {
        put(w, " %s", type_text(m, (uint16_t)x, text));
    } else if (shape == TW_SHAPE_DSTN || shape == TW_SHAPE_DSTN_BN || shape == TW_SHAPE_DST_BN_CN) {
        put(w, " x%u", x);
    } else if (shape == TW_SHAPE_DST_DEPLOYED || shape == TW_SHAPE_A_DEPLOYED) {
        put(w, " deployed %u", x);
    } else if (shape == TW_SHAPE_DST_B_STAMP) {
        put(w, " stamp %u", x);
    } else if (shape == TW_SHAPE_STATE) {
        put_operands(m, insn, w);
    }
}

typedef struct fields {
    bool a, b, c;
} fields;

static bool is_slots(const tw_module *m, tw_part part, uint64_t insn)
{
    if (part == TW_PART_NONE || part == TW_PART_KIND || part == TW_PART_TYPE) return false;
    return !tw_operands_exist(m, insn) || tw_operands_slots(m, part, insn) > 0;
}

static bool names_device(const tw_module *m, tw_shape shape, uint32_t x)
{
    uint32_t reading = x & 1023;
    if (shape == TW_SHAPE_DST_B_STAMP) reading = x < m->stamp_count ? m->stamps[x].reading : x;
    if (shape == TW_SHAPE_DST_B_READING) reading = x;
    return reading < m->reading_count && m->readings[reading].per_device;
}

/* Which of a, b, c are slots. A field without a key and a statistic without arguments use fewer. */
static fields slots_used(const tw_module *m, const tw_op_row *row, uint64_t insn)
{
    const uint32_t x = tw_insn_x(insn);
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    if (o != NULL) {
        return (fields){is_slots(m, o->a, insn), is_slots(m, o->b, insn), is_slots(m, o->c, insn)};
    }
    const tw_shape_row *shape = tw_shape_find(row->shape);
    fields used = {.a = shape->a != TW_USE_NONE,
                   .b = shape->b != TW_USE_NONE && shape->b != TW_USE_IMM,
                   .c = shape->c != TW_USE_NONE && shape->c != TW_USE_IMM};
    if (row->shape == TW_SHAPE_FIELD) {
        used.b = x < m->field_count && m->fields[x].key_type != TW_NONE;
    }
    if (row->shape == TW_SHAPE_STAT) {
        used.b = x >> 10 != TW_STAT_LAST && x >> 10 != TW_STAT_TIME_OF;
    }
    if (shape->c == TW_USE_SIZED) {
        used.c = tw_insn_op(insn) != TW_OP_ACROSS && names_device(m, row->shape, x);
    }
    return used;
}

typedef struct listing {
    const tw_module *m;
    const tw_debug *debug;
    uint16_t number;
    const tw_function *f;
    uint32_t *labels; /* per pc: number of the label from 1, or 0 */
    tw_writer *w;
} listing;

static void put_slot(const listing *l, uint32_t slot, uint32_t pc)
{
    put(l->w, " s%u", slot);
    if (l->debug == NULL || l->number >= l->debug->function_count) return;
    const tw_debug_function *names = &l->debug->functions[l->number];
    for (uint32_t i = 0; i < names->name_count; i++) {
        const tw_debug_name *n = &names->names[i];
        const uint32_t count = n->type < l->m->type_count ? l->m->types[n->type].slots : 1;
        if (slot < n->slot || slot >= n->slot + count || pc < n->from || pc >= n->to) continue;
        put(l->w, ":%s", n->name);
        if (slot > n->slot) put(l->w, "+%u", slot - n->slot);
        return;
    }
}

static void put_insn(const listing *l, uint32_t pc)
{
    const uint64_t insn = l->m->code[l->f->code_first + pc];
    const tw_op_row *row = tw_op_find(tw_insn_op(insn));
    tw_writer *w = l->w;
    if (row->name == NULL) {
        put(w, "unknown %016llx\n", (unsigned long long)insn);
        return;
    }
    const fields used = slots_used(l->m, row, insn);
    put(w, "%-8s", row->name);
    if (used.a) put_slot(l, tw_insn_a(insn), pc);
    if (used.b) put_slot(l, tw_insn_b(insn), pc);
    if (used.c) put_slot(l, tw_insn_c(insn), pc);
    if (row->shape == TW_SHAPE_A_IMM_JUMP) put(w, " #%d", (int)tw_insn_imm26(insn));
    const bool imm30 = row->shape == TW_SHAPE_DST_B_IMM || row->shape == TW_SHAPE_DST_IMM ||
                       row->shape == TW_SHAPE_LOOP;
    if (imm30) put(w, " #%d", (int)tw_insn_imm30(insn));
    put_special(l->m, row->shape, insn, w);
    if (tw_shape_is_jump(row->shape)) {
        const uint64_t target = (uint64_t)pc + 1 + tw_insn_x(insn);
        if (target < l->f->code_count) {
            put(w, " -> L%u", l->labels[target]);
        } else {
            put(w, " -> out");
        }
    }
    const char *name = name_of(l->m, row->shape, tw_insn_x(insn));
    if (name != NULL) put(w, " %s", name);
    put(w, "\n");
}

static void number_labels(listing *l)
{
    for (uint32_t pc = 0; pc < l->f->code_count; pc++) {
        const uint64_t insn = l->m->code[l->f->code_first + pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        const uint64_t target = (uint64_t)pc + 1 + tw_insn_x(insn);
        if (row->name != NULL && tw_shape_is_jump(row->shape) && target < l->f->code_count) {
            l->labels[target] = 1;
        }
    }
    uint32_t count = 0;
    for (uint32_t pc = 0; pc < l->f->code_count; pc++) {
        if (l->labels[pc] != 0) l->labels[pc] = ++count;
    }
}

static void put_function(listing *l)
{
    uint32_t line = 0;
    number_labels(l);
    put(l->w, "\nfunction %u %s: arguments %u results %u frame %u\n", l->number, l->f->name,
        l->f->argument_slots, l->f->result_slots, l->f->frame_slots);
    for (uint32_t pc = 0; pc < l->f->code_count; pc++) {
        const uint32_t now = tw_debug_line_of(l->debug, l->number, pc);
        if (now != line) put(l->w, "  ; line %u\n", now);
        line = now;
        if (l->labels[pc] != 0) put(l->w, "L%u:\n", l->labels[pc]);
        put(l->w, "%6u  ", pc);
        put_insn(l, pc);
    }
}

tw_status tw_disasm(const tw_module *m, const tw_debug *debug, tw_arena *arena, tw_writer *w)
{
    put_declarations(m, w);
    for (uint16_t i = 0; i < m->function_count; i++) {
        const tw_mark mark = tw_arena_mark(arena);
        listing l = {.m = m, .debug = debug, .number = i, .f = &m->functions[i], .w = w};
        l.labels = TW_NEW_ARRAY(arena, uint32_t, l.f->code_count);
        if (l.labels == NULL) return TW_ERR_MEMORY;
        put_function(&l);
        tw_arena_reset(arena, mark);
    }
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}
