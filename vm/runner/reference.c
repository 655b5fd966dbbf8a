/* reference -- see the header. What an instruction's operands are is said in the words of the text
 * form: `twvm asm` takes them in this order. */
#include "vm/runner/reference.h"

#include "vm/isa/listing.h"
#include "vm/isa/operands.h"

#include <stdio.h>
#include <string.h>

enum { OPERANDS_MAX = 120, NUMBERS = 256 };

static const struct {
    uint16_t bit;
    const char *word;
} effects[] = {
    {TW_EFFECT_READS_STATE, "reads"}, {TW_EFFECT_WRITES_STATE, "writes"},
    {TW_EFFECT_CLOCK, "clock"},       {TW_EFFECT_SENDER, "sender"},
    {TW_EFFECT_READINGS, "readings"}, {TW_EFFECT_EMITS, "emits"},
    {TW_EFFECT_DEPLOYS, "deploys"},
};

static void append(char *text, size_t size, const char *before, const char *more)
{
    const size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used > 0 ? before : "", more);
}

static const char *effects_of(uint16_t bits, char text[OPERANDS_MAX])
{
    text[0] = '\0';
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        if (bits & effects[i].bit) append(text, OPERANDS_MAX, ", ", effects[i].word);
    }
    return text;
}

void tw_reference_table(tw_writer *w)
{
    char text[OPERANDS_MAX];
    for (uint32_t number = 0; number < NUMBERS; number++) {
        const tw_op_row *row = tw_op_find((uint8_t)number);
        if (row->name == NULL) continue;
        tw_print(w, "%02X %-8s %-13s %3u %s %-9s %s\n", number, row->name, row->operands, row->gas,
                 row->ends_run ? "end" : "   ", effects_of(row->effects, text), row->text);
    }
}

/* ------------------------------------------------------------------ operands */

static void slot(char *text, char field, tw_use use)
{
    char part[16];
    switch (use) {
    case TW_USE_NONE:
    case TW_USE_IMM: return;
    case TW_USE_S1: snprintf(part, sizeof part, "%c", field); break;
    case TW_USE_S4: snprintf(part, sizeof part, "%c[4]", field); break;
    case TW_USE_S5: snprintf(part, sizeof part, "%c[5]", field); break;
    case TW_USE_SX: snprintf(part, sizeof part, "%c[x]", field); break;
    case TW_USE_SC: snprintf(part, sizeof part, "%c[c]", field); break;
    case TW_USE_RESULTS:
    case TW_USE_SIZED: snprintf(part, sizeof part, "%c[…]", field); break;
    }
    append(text, OPERANDS_MAX, " ", part);
}

static void state_slot(char *text, char field, tw_part part)
{
    if (part == TW_PART_KIND) append(text, OPERANDS_MAX, " ", "history");
    if (part == TW_PART_TYPE) append(text, OPERANDS_MAX, " ", "type");
    if (part == TW_PART_NONE || part == TW_PART_KIND || part == TW_PART_TYPE) return;
    slot(text, field,
         part == TW_PART_ONE       ? TW_USE_S1
         : part == TW_PART_ACCOUNT ? TW_USE_S4
                                   : TW_USE_SIZED);
}

static const char *list_word(tw_list list)
{
    static const char *const words[] = {
#define LIST(name, items, count, word) word,
#define WORDS(name, word) word,
#include "vm/isa/listing.def"
    };
    return words[list];
}

static void names(char *text, tw_list first, tw_list second, uint32_t divisor)
{
    append(text, OPERANDS_MAX, " ", list_word(first));
    if (divisor > 1) append(text, OPERANDS_MAX, " ", list_word(second));
}

static void named_by_index(char *text, tw_index index)
{
    switch ((int)index) {
#define INDEX(name, first, div, second)                                                            \
    case TW_INDEX_##name:                                                                          \
        names(text, TW_LIST_##first, TW_LIST_##second, (div));                                     \
        break;
#include "vm/isa/listing.def"
    default: break;
    }
}

static void named_by_state(char *text, tw_named named)
{
    switch (named) {
#define NAMED(name, first, div, second)                                                            \
    case TW_NAMED_##name:                                                                          \
        names(text, TW_LIST_##first, TW_LIST_##second, (div));                                     \
        break;
#include "vm/isa/listing.def"
    }
}

static const char *operands_of(uint8_t op, const tw_op_row *row, char text[OPERANDS_MAX])
{
    const tw_shape_row *shape = tw_shape_find(row->shape);
    const tw_operands *o = tw_operands_find(op);
    text[0] = '\0';
    if (o != NULL) {
        const bool number = o->c == TW_PART_KIND || o->c == TW_PART_TYPE;
        state_slot(text, 'a', o->a);
        state_slot(text, 'b', o->b);
        if (!number) state_slot(text, 'c', o->c);
        named_by_state(text, o->x);
        if (number) state_slot(text, 'c', o->c);
        return text;
    }
    slot(text, 'a', shape->a);
    slot(text, 'b', shape->b);
    slot(text, 'c', shape->c);
    const bool imm26 = shape->b == TW_USE_IMM;
    const bool imm30 = !imm26 && shape->c == TW_USE_IMM && shape->x == TW_INDEX_FREE;
    if (imm26) append(text, OPERANDS_MAX, " ", "#imm26");
    if (imm30) append(text, OPERANDS_MAX, " ", "#imm30");
    if (tw_shape_is_jump(row->shape)) append(text, OPERANDS_MAX, " ", "-> label");
    const bool count = shape->x == TW_INDEX_FREE && !imm30 && !tw_shape_is_jump(row->shape);
    if (count) append(text, OPERANDS_MAX, " ", "x");
    named_by_index(text, shape->x);
    if (shape->x == TW_INDEX_CONSTANTS) append(text, OPERANDS_MAX, " ", "c");
    return text;
}

/* ------------------------------------------------------------------ Markdown */

static void instructions(tw_writer *w)
{
    char operands[OPERANDS_MAX];
    char effect[OPERANDS_MAX];
    tw_print(w, "| no. | name | operands | gas | effects | run | meaning |\n"
                "|---|---|---|---:|---|---|---|\n");
    for (uint32_t number = 0; number < NUMBERS; number++) {
        const tw_op_row *row = tw_op_find((uint8_t)number);
        if (row->name == NULL) continue;
        tw_print(w, "| %02X | `%s` | %s | %u | %s | %s | %s |\n", number, row->name,
                 operands_of((uint8_t)number, row, operands), row->gas,
                 effects_of(row->effects, effect), row->ends_run ? "ends" : "", row->text);
    }
}

void tw_reference_markdown(tw_writer *w)
{
    tw_print(w, "Semantics id %d, gas schedule id %d.\n\n", TW_SEMANTICS, TW_GAS_SCHEDULE);
    instructions(w);
    tw_print(w, "\nStatistics of `STAT` and `ACROSS` (arguments stand from slot b on):\n\n"
                "| no. | word | arguments | gas of 8 samples |\n|---|---|---|---:|\n");
#define NO_SPAN "none"
#define SPAN "span"
#define SPAN_Q "span, percentile in 10^-6 %"
#define STATISTIC(number, name, word, shape, gas)                                                  \
    tw_print(w, "| %d | `%s` | %s | %d |\n", number, word, shape, gas);
#include "vm/isa/statistics.def"
#undef STATISTIC
    tw_print(w, "\nGas that hangs on sizes:\n\n| name | gas | of what |\n|---|---:|---|\n");
#define GAS(name, units, text) tw_print(w, "| %s | %d | %s |\n", #name, units, text);
#include "vm/isa/gas.def"
#undef GAS
}
