/* type -- see the header. */
#include "compiler/type.h"

#include "compiler/ast.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const twc_type no_memory = {.kind = TWC_TYPE_ERROR};

static size_t bucket_of(const twc_type *type)
{
    uint64_t hash = (uint64_t)type->kind * 31 + (uint64_t)type->dimension;
    hash = hash * 0x9E3779B97F4A7C15u + type->max;
    hash = hash * 0x9E3779B97F4A7C15u + (type->decl != NULL ? type->decl->span.start : 0);
    if (type->element != NULL) hash = hash * 0x9E3779B97F4A7C15u + bucket_of(type->element);
    return (size_t)(hash >> 40) % TWC_TYPE_BUCKETS;
}

static const twc_type *intern(twc_types *types, twc_type wanted)
{
    const size_t bucket = bucket_of(&wanted);
    for (const twc_type *t = types->buckets[bucket]; t != NULL; t = t->next) {
        if (t->kind == wanted.kind && t->dimension == wanted.dimension && t->max == wanted.max &&
            t->decl == wanted.decl && t->element == wanted.element) {
            return t;
        }
    }
    /* the limit is the module's; it also keeps the chains short whatever the source */
    twc_type *type = types->count < TW_TYPES_MAX ? TW_NEW(types->arena, twc_type) : NULL;
    if (type == NULL) {
        types->full = true;
        return types->error != NULL ? types->error : &no_memory;
    }
    *type = wanted;
    type->next = types->buckets[bucket];
    types->buckets[bucket] = type;
    types->count++;
    return type;
}

const twc_type *twc_type_of(twc_types *types, twc_type_kind kind)
{
    return intern(types, (twc_type){.kind = kind});
}

const twc_type *twc_type_number(twc_types *types, tw_dimension dimension)
{
    return intern(types, (twc_type){.kind = TWC_TYPE_NUMBER, .dimension = dimension});
}

const twc_type *twc_type_sized(twc_types *types, twc_type_kind kind, uint32_t max)
{
    assert(kind == TWC_TYPE_TEXT || kind == TWC_TYPE_BYTES);
    return intern(types, (twc_type){.kind = kind, .max = max});
}

const twc_type *twc_type_named(twc_types *types, twc_type_kind kind, twc_decl *decl)
{
    return intern(types, (twc_type){.kind = kind, .decl = decl});
}

const twc_type *twc_type_list(twc_types *types, const twc_type *element, uint32_t max)
{
    if (element->kind == TWC_TYPE_ERROR) return element;
    return intern(types, (twc_type){.kind = TWC_TYPE_LIST, .element = element, .max = max});
}

const twc_type *twc_type_optional(twc_types *types, const twc_type *element)
{
    if (element->kind == TWC_TYPE_ERROR || element->kind == TWC_TYPE_OPTIONAL) return element;
    return intern(types, (twc_type){.kind = TWC_TYPE_OPTIONAL, .element = element});
}

bool twc_type_is(const twc_type *type, tw_dimension dimension)
{
    return type->kind == TWC_TYPE_NUMBER && type->dimension == dimension;
}

bool twc_type_is_numeric(const twc_type *type)
{
    return type->kind == TWC_TYPE_NUMBER || type->kind == TWC_TYPE_MONEY;
}

const char *twc_type_print(const twc_type *type, char *ret_text, size_t size)
{
    static const char *const names[] = {
#define TYPE_KIND(name, text) text,
#include "compiler/nodes.def"
    };
    char element[64];
    if (type->element != NULL) twc_type_print(type->element, element, sizeof element);
    if (type->kind == TWC_TYPE_OPTIONAL) {
        snprintf(ret_text, size, "%s?", element);
    } else if (type->kind == TWC_TYPE_LIST) {
        snprintf(ret_text, size, "list of %s max %u", element, type->max);
    } else if (type->kind == TWC_TYPE_TEXT || type->kind == TWC_TYPE_BYTES) {
        snprintf(ret_text, size, "%s(%u)", names[type->kind], type->max);
    } else if (type->kind == TWC_TYPE_NUMBER) {
        snprintf(ret_text, size, "%s", tw_dim_name(type->dimension));
    } else {
        const bool named = type->decl != NULL && type->decl->word != NULL;
        snprintf(ret_text, size, "%s", named ? type->decl->word->text : names[type->kind]);
    }
    return ret_text;
}

static bool same_values(const twc_decl *a, const twc_decl *b)
{
    const twc_decl *v = a->u.fields.fields;
    const twc_decl *w = b->u.fields.fields;
    while (v != NULL && w != NULL && v->word == w->word) {
        v = v->next;
        w = w->next;
    }
    return v == NULL && w == NULL;
}

bool twc_type_same_shape(const twc_type *a, const twc_type *b)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->dimension != b->dimension || a->max != b->max) return false;
    if (a->kind == TWC_TYPE_LIST || a->kind == TWC_TYPE_OPTIONAL) {
        return twc_type_same_shape(a->element, b->element);
    }
    if (a->kind == TWC_TYPE_ENUM) return same_values(a->decl, b->decl);
    if (a->kind != TWC_TYPE_RECORD) return false;
    const twc_decl *f = a->decl->u.fields.fields;
    const twc_decl *g = b->decl->u.fields.fields;
    while (f != NULL && g != NULL && f->word == g->word && twc_type_same_shape(f->type, g->type)) {
        f = f->next;
        g = g->next;
    }
    return f == NULL && g == NULL;
}
