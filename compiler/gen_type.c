/* gen_type -- how many slots a type takes, and the types that a module lists.
 *
 * A module lists a type when something of its interface or state has it; a value inside of a
 * function needs only slots. The open table of layouts is looked up, never walked, by the address
 * of the interned type, so no address reaches the output.
 */
#include "compiler/gen.h"

#include <assert.h>
#include <string.h>

static uint32_t place_of(const twc_layout *layouts, uint32_t size, const twc_type *type)
{
    uint32_t at = (uint32_t)((uintptr_t)type / sizeof(void *) * 0x9E3779B1u) & (size - 1);
    while (layouts[at].type != NULL && layouts[at].type != type) at = (at + 1) & (size - 1);
    return at;
}

/* The layout of the type, empty when it is new. NULL without memory. */
static twc_layout *layout_of(twc_gen *g, const twc_type *type)
{
    if (2 * (g->layout_count + 1) > g->layouts_size) {
        const uint32_t size = g->layouts_size == 0 ? 64 : 2 * g->layouts_size;
        twc_layout *made = TW_NEW_ARRAY(g->arena, twc_layout, size);
        if (made == NULL) {
            g->diags->out_of_memory = true;
            g->failed = true;
            return NULL;
        }
        for (uint32_t i = 0; i < g->layouts_size; i++) {
            if (g->layouts[i].type == NULL) continue;
            made[place_of(made, size, g->layouts[i].type)] = g->layouts[i];
        }
        g->layouts = made;
        g->layouts_size = size;
    }
    return &g->layouts[place_of(g->layouts, g->layouts_size, type)];
}

static uint32_t saturate(uint64_t slots)
{
    return slots > TWC_SLOTS_MANY ? TWC_SLOTS_MANY : (uint32_t)slots;
}

uint32_t twc_gen_fields_slots(twc_gen *g, const twc_decl *fields)
{
    uint64_t slots = 0;
    for (; fields != NULL; fields = fields->next) slots += twc_gen_slots(g, fields->type);
    return saturate(slots);
}

static uint32_t compute_slots(twc_gen *g, const twc_type *type)
{
    switch (type->kind) {
    case TWC_TYPE_ERROR:
    case TWC_TYPE_NOTHING: return 0;
    case TWC_TYPE_NONE:
    case TWC_TYPE_BOOL:
    case TWC_TYPE_NUMBER:
    case TWC_TYPE_MONEY:
    case TWC_TYPE_PHASE:
    case TWC_TYPE_ENUM: return 1;
    case TWC_TYPE_TEXT:
    case TWC_TYPE_BYTES: return 1 + (type->max + 7) / 8;
    case TWC_TYPE_HASH:
    case TWC_TYPE_ACCOUNT:
    case TWC_TYPE_TWIN_ID: return 4;
    case TWC_TYPE_RECORD:
    case TWC_TYPE_ASSET: return twc_gen_fields_slots(g, type->decl->u.fields.fields);
    case TWC_TYPE_LIST:
        if (type->element->kind == TWC_TYPE_ASSET) { /* their keys */
            const twc_decl *home = type->element->decl->u.fields.home;
            return saturate(1 + (uint64_t)type->max * twc_gen_slots(g, home->u.store.key));
        }
        return saturate(1 + (uint64_t)type->max * twc_gen_slots(g, type->element));
    case TWC_TYPE_OPTIONAL: return saturate(1 + (uint64_t)twc_gen_slots(g, type->element));
    }
    return 0;
}

uint32_t twc_gen_slots(twc_gen *g, const twc_type *type)
{
    const twc_layout *known = layout_of(g, type);
    if (known == NULL) return 0;
    if (known->type != NULL) return known->slots;
    const uint32_t slots = compute_slots(g, type);
    twc_layout *layout = layout_of(g, type); /* the table may have moved */
    if (layout == NULL) return 0;
    *layout = (twc_layout){type, slots, TW_NONE};
    g->layout_count++;
    return slots;
}

uint32_t twc_gen_offset(twc_gen *g, const twc_type *record, const twc_decl *field)
{
    uint64_t slots = 0;
    const twc_decl *f = record->decl->u.fields.fields;
    for (; f != NULL && f != field; f = f->next) slots += twc_gen_slots(g, f->type);
    assert(f == field);
    return saturate(slots);
}

/* ------------------------------------------------------------------ types of the module */

uint16_t twc_gen_type_add(twc_gen *g, tw_type type)
{
    tw_module *m = g->m;
    const uint32_t count = m->type_count + 1u;
    twc_gen_over_limit(g, g->span, "too many different types in the contract", count, TW_TYPES_MAX);
    if (g->failed || !twc_gen_grow(g, &m->types, &g->types_size, count, sizeof *m->types)) return 0;
    if (type.name == NULL) type.name = "";
    m->types[m->type_count] = type;
    return m->type_count++;
}

tw_members twc_gen_members(twc_gen *g, const twc_decl *fields)
{
    tw_members members = {0};
    uint32_t count = 0;
    for (const twc_decl *f = fields; f != NULL; f = f->next) count++;
    if (fields != NULL) {
        twc_gen_over_limit(g, fields->span, "too many fields", count, TW_MEMBERS_MAX);
    }
    members.items = TW_NEW_ARRAY(g->arena, tw_member, count);
    if (members.items == NULL) g->diags->out_of_memory = g->failed = true;
    if (g->failed) return members;
    for (const twc_decl *f = fields; f != NULL; f = f->next) {
        members.items[members.count++] = (tw_member){f->word->text, twc_gen_type(g, f->type)};
    }
    return members;
}

static uint16_t enum_add(twc_gen *g, const char *name, const twc_decl *values, uint32_t count)
{
    tw_module *m = g->m;
    const uint32_t total = m->enum_count + 1u;
    twc_gen_over_limit(g, g->span, "too many enums in the contract", total, TW_NAMES_MAX);
    if (values != NULL) twc_gen_over_limit(g, values->span, "too many values", count, TW_NAMES_MAX);
    const char **items = TW_NEW_ARRAY(g->arena, const char *, count);
    if (items == NULL) g->diags->out_of_memory = g->failed = true;
    if (g->failed || !twc_gen_grow(g, &m->enums, &g->enums_size, total, sizeof *m->enums)) return 0;
    tw_names names = {.items = items};
    for (; values != NULL;
         values = values->kind == TWC_D_PHASE ? values->next_same : values->next) {
        items[names.count++] = values->word != NULL ? values->word->text : "";
    }
    m->enums[m->enum_count] = (tw_enum){.name = name, .values = names};
    return m->enum_count++;
}

static uint16_t of_enum(twc_gen *g, const char *name, const twc_decl *values, uint32_t count)
{
    const uint16_t number = enum_add(g, name, values, count);
    return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_ENUM, .of = number});
}

static uint16_t of_record(twc_gen *g, const twc_type *type)
{
    const tw_members members = twc_gen_members(g, type->decl->u.fields.fields);
    return twc_gen_type_add(
        g, (tw_type){.kind = TW_KIND_RECORD, .name = type->decl->word->text, .members = members});
}

static uint16_t of_things(twc_gen *g, const twc_type *type)
{
    const twc_decl *home = type->element->decl->u.fields.home;
    const uint16_t of = twc_gen_type(g, home->u.store.key);
    return twc_gen_type_add(
        g, (tw_type){
               .kind = TW_KIND_THINGS, .of = of, .home = (uint16_t)home->index, .max = type->max});
}

static uint16_t make_type(twc_gen *g, const twc_type *type)
{
    switch (type->kind) {
    case TWC_TYPE_BOOL: return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_BOOL});
    case TWC_TYPE_NUMBER:
        return twc_gen_type_add(
            g, (tw_type){.kind = TW_KIND_INT, .quantity = (uint8_t)type->dimension});
    case TWC_TYPE_TEXT:
        return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_TEXT, .max = type->max});
    case TWC_TYPE_BYTES:
        return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_BYTES, .max = type->max});
    case TWC_TYPE_HASH: return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_HASH});
    case TWC_TYPE_ACCOUNT: return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_ACCOUNT});
    case TWC_TYPE_TWIN_ID: return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_TWIN});
    case TWC_TYPE_PHASE: return of_enum(g, "phase", g->contract->phases, g->contract->phase_count);
    case TWC_TYPE_ENUM:
        return of_enum(g, type->decl->word->text, type->decl->u.fields.fields,
                       type->decl->u.fields.count);
    case TWC_TYPE_RECORD:
    case TWC_TYPE_ASSET: return of_record(g, type);
    case TWC_TYPE_LIST: {
        if (type->element->kind == TWC_TYPE_ASSET) return of_things(g, type);
        const uint16_t of = twc_gen_type(g, type->element);
        return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_LIST, .of = of, .max = type->max});
    }
    case TWC_TYPE_OPTIONAL: {
        const uint16_t of = twc_gen_type(g, type->element);
        return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_OPTIONAL, .of = of});
    }
    case TWC_TYPE_MONEY:
        return twc_gen_type_add(
            g, (tw_type){.kind = TW_KIND_MONEY, .of = (uint16_t)type->decl->index});
    case TWC_TYPE_ERROR:
    case TWC_TYPE_NOTHING:
    case TWC_TYPE_NONE: break;
    }
    twc_gen_unsupported(g, g->span, "a value without a type");
    return 0;
}

uint16_t twc_gen_type(twc_gen *g, const twc_type *type)
{
    const uint32_t slots = twc_gen_slots(g, type);
    const twc_layout *layout = layout_of(g, type);
    if (layout == NULL || g->failed) return 0;
    if (layout->index != TW_NONE) return layout->index;
    twc_gen_over_limit(g, g->span, "a value takes too many slots", slots, TW_FRAME_SLOTS_MAX);
    if (g->failed) return 0;
    const uint16_t index = make_type(g, type);
    twc_layout *made = layout_of(g, type);
    if (made != NULL && !g->failed) made->index = index;
    return index;
}

uint16_t twc_gen_type_find(twc_gen *g, const twc_type *type)
{
    const twc_layout *layout = layout_of(g, type);
    return layout != NULL && layout->type != NULL ? layout->index : TW_NONE;
}

void twc_gen_types_undo(twc_gen *g, uint16_t count)
{
    for (uint32_t i = 0; i < g->layouts_size; i++) {
        twc_layout *layout = &g->layouts[i];
        if (layout->index >= count) layout->index = TW_NONE;
    }
}
