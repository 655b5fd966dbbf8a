/* listing -- instructions as text: one walk over the parts of an instruction, in both directions.
 *
 * Operands stand in the order of the word: the slots of a, b and c, then what x says. A slot that
 * is there or not by what x names is left out, or `-` before another one, when it is not there. A
 * walk that writes also puts the instruction together again: whatever does not come out the same,
 * as it is no instruction or has bits where none belong, stands as a number behind WORD.
 */
#include "vm/isa/listing.h"

#include "vm/isa/operands.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MAX = 100, WORDS_MAX = 256, TRAPS = 100 };
enum { SLOT_BITS = 13, X_BITS = 17, X_MAX = 0x1FFFF, C_MAX = 0x1FFF, INDENT_MAX = 8 };

/* What x, or a part of it, is a number of. */
typedef struct naming {
    tw_list first;
    uint32_t divisor;
    tw_list second;
} naming;

static const naming of_index[] = {
#define INDEX(name, first, div, second)                                                            \
    [TW_INDEX_##name] = {TW_LIST_##first, (div), TW_LIST_##second},
#include "vm/isa/listing.def"
};
static const naming of_state[] = {
#define NAMED(name, first, div, second)                                                            \
    [TW_NAMED_##name] = {TW_LIST_##first, (div), TW_LIST_##second},
#include "vm/isa/listing.def"
};

/* Where a walk is. */
typedef struct place {
    tw_listing *l;
    tw_text *t;
    const tw_module *m; /* read or written, its declarations at least */
    const tw_function *f;
    uint16_t number;
    uint32_t pc;
    bool *targets;   /* writing: per pc, whether there are jumps to it */
    uint64_t *code;  /* reading: of the function so far */
    uint32_t unused; /* writing: slots left out so far */
} place;

/* ------------------------------------------------------------------ names */

static void list_copy(tw_text *t, tw_list list, const void *items, uint32_t count, size_t size)
{
    const char **names = tw_text_list_new(t, list, count);
    for (uint32_t i = 0; i < t->lists[list].count; i++) {
        memcpy(&names[i], (const uint8_t *)items + i * size, sizeof *names);
        if (strlen(names[i]) > TW_NAME_SIZE_MAX) names[i] = NULL; /* its number is shorter */
    }
}

void tw_listing_type(tw_listing *l, const tw_module *m, uint16_t type)
{
    char text[NAME_MAX];
    const tw_type *t = &m->types[type];
    if (l->m == NULL) return;
    assert(type < l->lists[TW_LIST_TYPE].count); /* read twice, it declares the same types */
    const char *inner = t->of < type ? l->lists[TW_LIST_TYPE].items[t->of] : NULL;
    if (!tw_type_text(l->m, t, inner, text, sizeof text)) return;
    tw_text_list_set(&l->text, TW_LIST_TYPE, type,
                     tw_arena_copy(l->text.arena, text, strlen(text)));
}

static void list_tables(tw_text *t)
{
    char trap[24];
    for (uint32_t list = TW_LIST_OP; list < TW_LISTS && !t->bad; list++) {
        (void)tw_text_list_new(t, list, WORDS_MAX);
    }
    if (t->bad) return;
#define WORD(list, number, word) t->lists[TW_LIST_##list].items[number] = (word);
#include "vm/isa/listing.def"
    for (uint32_t i = 0; i < WORDS_MAX; i++) {
        t->lists[TW_LIST_STATISTIC].items[i] = tw_stat_word(i);
        t->lists[TW_LIST_OP].items[i] = tw_op_find((uint8_t)i)->name;
        tw_status_trap_name((tw_status)i, trap);
        if (i < TRAPS && trap[0] != '\0') {
            t->lists[TW_LIST_TRAP].items[i] = tw_arena_copy(t->arena, trap, strlen(trap));
        }
    }
    for (uint32_t i = TW_DIM_NONE + 1; i < TW_DIM_COUNT; i++) {
        t->lists[TW_LIST_QUANTITY].items[i] = tw_dim_name((tw_dimension)i);
    }
}

bool tw_listing_begin(tw_listing *l)
{
    static const char *const words[] = {
#define LIST(name, items, count, word) word,
#define WORDS(name, word) word,
#include "vm/isa/listing.def"
    };
    const tw_module none = {0};
    const tw_module *m = l->m != NULL ? l->m : &none;
    tw_text *t = &l->text;
    t->lists = l->lists;
    t->list_count = TW_LISTS;
    for (uint32_t list = 0; list < TW_LISTS; list++) {
        l->lists[list].word = words[list];
        l->lists[list].open = l->m == NULL && list < TW_LIST_OP;
    }
    l->lists[TW_LIST_CONSTANT].prefix = 'k';
    l->lists[TW_LIST_DEPLOYED].prefix = 'd';
#define LIST(name, items, count, word)                                                             \
    list_copy(t, TW_LIST_##name, m->items, m->count, sizeof *m->items);
#include "vm/isa/listing.def"
    if (t->w != NULL) {
        l->lists[TW_LIST_CONSTANT].values = m->constants;
        l->lists[TW_LIST_CONSTANT].count = m->constant_count;
    }
    (void)tw_text_list_new(t, TW_LIST_TYPE, m->type_count);
    list_tables(t);
    const bool begun = tw_text_begin(t);
    for (uint16_t i = 0; begun && t->w != NULL && i < m->type_count; i++) tw_listing_type(l, m, i);
    return begun;
}

/* ------------------------------------------------------------------ slots */

static bool names_device(const tw_module *m, tw_shape shape, uint32_t x)
{
    uint32_t reading = x & 1023;
    if (shape == TW_SHAPE_DST_B_STAMP) reading = x < m->stamp_count ? m->stamps[x].reading : x;
    if (shape == TW_SHAPE_DST_B_READING) reading = x;
    return reading < m->reading_count && m->readings[reading].per_device;
}

/* Whether a slot of b or c, whose size hangs on what x names, is there. */
static bool is_there(const tw_module *m, const tw_op_row *row, uint64_t insn, bool in_c)
{
    const uint32_t x = tw_insn_x(insn);
    const tw_operands *o = tw_operands_find(tw_insn_op(insn));
    if (o != NULL) {
        return !tw_operands_exist(m, insn) || tw_operands_slots(m, in_c ? o->c : o->b, insn) > 0;
    }
    if (row->shape == TW_SHAPE_FIELD) {
        return x < m->field_count && m->fields[x].key_type != TW_NONE;
    }
    if (in_c) return tw_insn_op(insn) != TW_OP_ACROSS && names_device(m, row->shape, x);
    return row->shape != TW_SHAPE_STAT || (x >> 10 != TW_STAT_LAST && x >> 10 != TW_STAT_TIME_OF);
}

/* What the debug map calls a slot, or "". */
static const char *slot_name(const place *p, uint32_t slot, char *text, size_t size)
{
    text[0] = '\0';
    const tw_debug *debug = p->l->debug;
    if (debug == NULL || p->number >= debug->function_count) return text;
    const tw_debug_function *names = &debug->functions[p->number];
    for (uint32_t i = 0; i < names->name_count; i++) {
        const tw_debug_name *n = &names->names[i];
        const uint32_t count = n->type < p->m->type_count ? p->m->types[n->type].slots : 1;
        if (slot < n->slot || slot >= n->slot + count || p->pc < n->from || p->pc >= n->to) {
            continue;
        }
        snprintf(text, size, slot > n->slot ? "%s+%u" : "%s", n->name, slot - n->slot);
        break;
    }
    return text;
}

static uint32_t slot(place *p, uint32_t value, bool optional, bool there)
{
    char name[TW_NAME_SIZE_MAX + 12];
    tw_text *t = p->t;
    if (t->w == NULL) {
        if (optional && (tw_text_accept(t, "-") || !tw_text_is_prefixed(t, 's'))) return 0;
        return (uint32_t)tw_text_prefixed(t, 's', 0, SLOT_BITS, false, NULL);
    }
    p->unused += !there && value == 0;
    if (!there && value == 0) return 0;
    for (; p->unused > 0; p->unused--) tw_print(t->w, " -");
    slot_name(p, value, name, sizeof name);
    return (uint32_t)tw_text_prefixed(t, 's', value, SLOT_BITS, false, name);
}

/* ------------------------------------------------------------------ jumps */

/* The jumps that wait for a label get their distance; until then x leads to the one before. */
static void place_label(place *p)
{
    uint32_t waiting = tw_text_label_place(p->t);
    while (waiting > 0) {
        uint64_t *insn = &p->code[waiting - 1];
        const uint32_t before = tw_insn_x(*insn);
        *insn = (*insn & ~((uint64_t)X_MAX << 47)) | (uint64_t)(p->pc - waiting) << 47;
        waiting = before;
    }
}

/* Always forward: to a label that comes later, or so many instructions (+3) out of the function. */
static uint32_t jump(place *p, uint32_t x)
{
    tw_text *t = p->t;
    const uint64_t target = (uint64_t)p->pc + 1 + x;
    if (t->w != NULL) {
        const bool inside = target < p->f->code_count;
        tw_print(t->w, inside ? " -> L%u" : " -> +%u", inside ? (uint32_t)target : x);
        return x;
    }
    if (!tw_text_accept(t, "->")) tw_text_fail(t, "-> and a label belong here");
    return tw_text_is_prefixed(t, '+') ? (uint32_t)tw_text_prefixed(t, '+', 0, X_BITS, false, NULL)
                                       : tw_text_label_use(t, p->pc + 1);
}

/* ------------------------------------------------------------------ instructions */

/* A member of the record of a field. */
static uint32_t member(place *p, uint32_t field, uint32_t value)
{
    const char *names[TW_MEMBERS_MAX];
    tw_text_list list = {.word = "member", .items = names, .open = p->l->m == NULL};
    const uint16_t type = field < p->m->field_count ? p->m->fields[field].value_type : TW_NONE;
    if (type != TW_NONE && type < p->m->type_count) {
        const tw_members *members = &p->m->types[type].members;
        for (; list.count < members->count; list.count++) {
            names[list.count] = members->items[list.count].name;
        }
    }
    return tw_text_item_of(p->t, &list, value, TW_MEMBERS_MAX - 1);
}

static uint32_t named(place *p, const naming *n, uint32_t x)
{
    tw_text *t = p->t;
    const uint32_t max = X_MAX / n->divisor;
    const uint32_t first = tw_text_item(t, n->first, x / n->divisor, max);
    if (n->divisor == 1) return first;
    const uint32_t second = n->second == TW_LIST_MEMBER
                                ? member(p, first, x % n->divisor)
                                : tw_text_item(t, n->second, x % n->divisor, n->divisor - 1);
    return first * n->divisor + second;
}

/* The operands of an instruction; the instruction that they make. */
static uint64_t operands(place *p, const tw_op_row *row, uint8_t op, uint64_t insn)
{
    tw_text *t = p->t;
    const tw_shape_row *shape = tw_shape_find(row->shape);
    const tw_operands *o = tw_operands_find(op);
    const bool imm26 = shape->b == TW_USE_IMM;
    const bool imm30 = !imm26 && shape->c == TW_USE_IMM && shape->x == TW_INDEX_FREE;
    const bool counted = shape->x == TW_INDEX_CONSTANTS;
    const bool number = o != NULL && (o->c == TW_PART_KIND || o->c == TW_PART_TYPE);
    uint32_t parts[3] = {tw_insn_a(insn), tw_insn_b(insn), tw_insn_c(insn)};
    uint32_t x = tw_insn_x(insn);
    const tw_use uses[3] = {shape->a, shape->b, shape->c};
    p->unused = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const tw_part part = o == NULL ? TW_PART_ONE : i == 0 ? o->a : i == 1 ? o->b : o->c;
        const bool sized = i > 0 && uses[i] == TW_USE_SIZED;
        const bool there = !sized || (t->w != NULL && is_there(p->m, row, insn, i == 2));
        if (i == 2 && (number || counted)) continue;
        const bool none = uses[i] == TW_USE_NONE || uses[i] == TW_USE_IMM || part == TW_PART_NONE;
        parts[i] = none ? 0 : slot(p, parts[i], sized, there);
    }
    const int32_t imm = imm26 ? tw_insn_imm26(insn) : tw_insn_imm30(insn);
    const int32_t value =
        imm26 || imm30 ? (int32_t)tw_text_prefixed(t, '#', imm, imm26 ? 26 : 30, true, NULL) : 0;
    if (shape->x == TW_INDEX_STATE) {
        x = named(p, &of_state[o->x], x);
    } else if (tw_shape_is_jump(row->shape)) {
        x = jump(p, x);
    } else if (shape->x == TW_INDEX_FREE && !imm30) {
        x = (uint32_t)tw_text_prefixed(t, 'x', x, X_BITS, false, NULL);
    } else if (shape->x != TW_INDEX_FREE) {
        x = shape->x != TW_INDEX_NONE ? named(p, &of_index[shape->x], x) : 0;
    }
    if (counted) parts[2] = (uint32_t)tw_text_prefixed(t, 'x', parts[2], SLOT_BITS, false, NULL);
    if (number) {
        const tw_list list = o->c == TW_PART_KIND ? TW_LIST_HISTORY : TW_LIST_TYPE;
        parts[2] = tw_text_item(t, list, parts[2], C_MAX);
    }
    if (imm26) return tw_insn_make26((tw_op)op, parts[0], value, x);
    if (imm30) return tw_insn_make30((tw_op)op, parts[0], parts[1], value);
    return tw_insn_make((tw_op)op, parts[0], parts[1], parts[2], x);
}

static void write_insn(place *p, uint32_t depth)
{
    const uint64_t insn = p->m->code[p->f->code_first + p->pc];
    const uint8_t op = tw_insn_op(insn);
    const tw_op_row *row = tw_op_find(op);
    const int indent = depth < INDENT_MAX ? 2 * (int)depth : 2 * INDENT_MAX;
    if (p->targets[p->pc]) tw_print(p->t->w, "L%u:\n", p->pc);
    tw_print(p->t->w, "%6u  %*s", p->pc, indent, "");
    const size_t start = p->t->w->size;
    if (row->name != NULL) {
        tw_print(p->t->w, "%-8s", row->name);
        if (operands(p, row, op, insn) == insn) {
            tw_print(p->t->w, "\n");
            return;
        }
    }
    p->t->w->size = start;
    tw_print(p->t->w, "WORD     0x%016llx\n", (unsigned long long)insn);
}

static uint64_t read_insn(place *p)
{
    tw_text *t = p->t;
    uint64_t insn = 0;
    t->line_from = t->line;
    if (tw_text_is(t, "WORD")) {
        tw_text_next(t);
        insn = tw_text_number(t, NULL, 0, 64, false);
    } else {
        const uint8_t op = (uint8_t)tw_text_item(t, TW_LIST_OP, 0, UINT8_MAX);
        if (!t->bad) insn = operands(p, tw_op_find(op), op, 0);
    }
    t->line_from = 0;
    return insn;
}

/* ------------------------------------------------------------------ functions */

static bool find_targets(place *p)
{
    p->targets = TW_NEW_ARRAY(p->t->arena, bool, p->f->code_count);
    for (uint32_t pc = 0; p->targets != NULL && pc < p->f->code_count; pc++) {
        const uint64_t insn = p->m->code[p->f->code_first + pc];
        const tw_op_row *row = tw_op_find(tw_insn_op(insn));
        const uint64_t target = (uint64_t)pc + 1 + tw_insn_x(insn);
        const bool jumps = row->name != NULL && tw_shape_is_jump(row->shape);
        if (jumps && target < p->f->code_count) p->targets[target] = true;
    }
    return p->targets != NULL;
}

static void write_code(place *p)
{
    tw_text *t = p->t;
    uint32_t line = 0;
    uint32_t depth = 0;
    const tw_mark mark = tw_arena_mark(t->arena);
    if (!find_targets(p)) {
        t->w->bad = true;
        return;
    }
    tw_print(t->w, " {");
    tw_text_line(t, "");
    for (p->pc = 0; p->pc < p->f->code_count; p->pc++) {
        const uint8_t op = tw_insn_op(p->m->code[p->f->code_first + p->pc]);
        const uint32_t now = tw_debug_line_of(p->l->debug, p->number, p->pc);
        if (now != line) tw_print(t->w, "  ; line %u\n", now);
        line = now;
        depth -= op == TW_OP_END && depth > 0;
        write_insn(p, depth);
        depth += op == TW_OP_LOOP;
    }
    tw_print(t->w, "}\n\n");
    tw_arena_reset(t->arena, mark);
}

void tw_listing_code(tw_listing *l, tw_module *m, tw_function *f, uint16_t number)
{
    tw_text *t = &l->text;
    place p = {.l = l, .t = t, .m = m, .f = f, .number = number};
    if (t->w != NULL) {
        write_code(&p);
        return;
    }
    if (!tw_text_accept(t, "{")) tw_text_fail(t, "the instructions in { } belong here");
    f->code_first = m->code_count;
    p.code = m->code + f->code_first;
    while (!t->bad && !tw_text_accept(t, "}")) {
        if (tw_text_is_number(t)) tw_text_next(t); /* a pc, for people */
        if (tw_text_is_prefixed(t, 'L')) {
            place_label(&p);
            continue;
        }
        if (p.pc == TW_FUNCTION_CODE_MAX || m->code_count == TW_MODULE_SIZE_MAX / 8) {
            tw_text_fail(t, "a function has at most %d instructions, a module %d",
                         TW_FUNCTION_CODE_MAX, TW_MODULE_SIZE_MAX / 8);
        }
        const uint64_t insn = read_insn(&p);
        if (t->bad) break;
        p.code[p.pc++] = insn;
        m->code_count++;
    }
    tw_text_labels_end(t);
    f->code_count = p.pc;
}
