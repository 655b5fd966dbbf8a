/* export -- see the header. What is written follows the page: the checker (check_export.c) has seen
 * that id, names and depth are such as the standard allows. */
#include "compiler/export.h"

#include "compiler/diag.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE_MAX = 400, DOC_CHARACTERS_MAX = 500 };

typedef struct standard {
    const char *type, *unit;
    int64_t scale;
    const char *senml_unit;
    int64_t senml_scale;
    int64_t offset;
} standard;

static const standard standards[TW_DIM_COUNT] = {
#define STANDARD(name, type, unit, scale, senml_unit, senml_scale, offset)                         \
    [TW_DIM_##name] = {type, unit, scale, senml_unit, senml_scale, offset},
#include "compiler/standards.def"
};

typedef struct sheet {
    const twc_contract *contract;
    tw_writer *w;
    bool first; /* of its list */
} sheet;

static void put_string(sheet *s, const char *name, const char *text)
{
    tw_print(s->w, ", \"%s\": ", name);
    twc_json_string(s->w, text);
}

/* At most as many characters as both standards allow, whole ones, on one line. */
static void put_doc(sheet *s, const char *before, const char *doc, const char *after)
{
    char text[4 * DOC_CHARACTERS_MAX + 1];
    uint32_t count = 0;
    size_t size = 0;
    if (doc == NULL) return;
    for (; doc[size] != '\0'; size++) {
        count += ((uint8_t)doc[size] & 0xC0) != 0x80;
        if (count > DOC_CHARACTERS_MAX || size + 1 >= sizeof text) break;
        text[size] = doc[size] == '\n' ? ' ' : doc[size];
    }
    text[size] = '\0';
    tw_print(s->w, "%s\"description\": ", before);
    twc_json_string(s->w, text);
    tw_print(s->w, "%s", after);
}

static void next_item(sheet *s, const char *indent)
{
    tw_print(s->w, "%s\n%s", s->first ? "" : ",", indent);
    s->first = false;
}

/* The type of what may be none. */
static const twc_type *open_type(const twc_type *type)
{
    return type->kind == TWC_TYPE_OPTIONAL ? type->element : type;
}

/* How a value there comes from the contract's count, when it is not plainly the number. */
static void put_scale(sheet *s, tw_dimension dimension, const char *unit, int64_t scale)
{
    const tw_unit *shown = tw_dim_unit(dimension);
    const int64_t offset = standards[dimension].offset;
    if (shown == NULL) return;
    if (unit[0] == '\0') {
        tw_print(s->w, "No unit of the standard means this; in %s. ", shown->spelling);
    } else if (shown->multiplier != scale || shown->offset != offset) {
        tw_print(s->w, "Rescaled: the contract writes %s. ", shown->spelling);
    }
    tw_print(s->w, "Value = ");
    if (offset != 0) tw_print(s->w, "(");
    tw_print(s->w, "count of %s", tw_dim_resolution(dimension));
    if (offset != 0) tw_print(s->w, " - %lld)", (long long)offset);
    if (scale != 1) tw_print(s->w, " / %lld", (long long)scale);
    tw_print(s->w, ".");
}

/* ------------------------------------------------------------------ DTDL */

/* NULL: the value is made of values, or an enum. */
static const char *dtdl_primitive(const twc_type *type)
{
    static const char *const names[] = {
        [TWC_TYPE_BOOL] = "boolean",   [TWC_TYPE_NUMBER] = "double", [TWC_TYPE_MONEY] = "long",
        [TWC_TYPE_TEXT] = "string",    [TWC_TYPE_BYTES] = "string",  [TWC_TYPE_HASH] = "string",
        [TWC_TYPE_ACCOUNT] = "string", [TWC_TYPE_TWIN_ID] = "string"};
    if (twc_type_is(type, TW_DIM_INT)) return "long";
    if (twc_type_is(type, TW_DIM_TIME)) return "dateTime";
    return type->kind < sizeof names / sizeof names[0] ? names[type->kind] : NULL;
}

/* What the schema can't say. */
static void put_comment(sheet *s, const twc_type *type)
{
    const bool optional = type->kind == TWC_TYPE_OPTIONAL;
    type = open_type(type);
    const char *primitive = dtdl_primitive(type);
    const bool text = type->kind == TWC_TYPE_TEXT;
    const bool hex = primitive != NULL && strcmp(primitive, "string") == 0 && !text;
    const bool number = type->kind == TWC_TYPE_NUMBER && tw_dim_unit(type->dimension) != NULL;
    const bool money = type->kind == TWC_TYPE_MONEY;
    const bool list = type->kind == TWC_TYPE_LIST;
    if (!optional && !hex && !number && !money && !list && !text) return;
    tw_print(s->w, ", \"comment\": \"");
    if (optional) tw_print(s->w, "May be absent. ");
    if (text || list) tw_print(s->w, "At most %u %s.", type->max, text ? "bytes" : "elements");
    if (hex) tw_print(s->w, "In hex.");
    if (type->kind == TWC_TYPE_TWIN_ID) tw_print(s->w, " SHA-256 of the twin's URI.");
    if (money) {
        tw_print(s->w, "In the smallest unit of %s, which has %u decimals.", type->decl->word->text,
                 type->decl->u.money.decimals);
    }
    if (number) {
        const standard *row = &standards[type->dimension];
        put_scale(s, type->dimension, row->unit, row->scale);
    }
    tw_print(s->w, "\"");
}

static void put_typed(sheet *s, const char *what, const char *name, const twc_type *type);

/* "schema": of a value, to its end. The depth is limited by the checker. */
static void put_schema(sheet *s, const char *label, const twc_type *type)
{
    type = open_type(type);
    const char *primitive = dtdl_primitive(type);
    tw_print(s->w, ", \"%s\": ", label);
    if (primitive != NULL) {
        tw_print(s->w, "\"%s\"", primitive);
    } else if (type->kind == TWC_TYPE_LIST) {
        tw_print(s->w, "{\"@type\": \"Array\"");
        put_schema(s, "elementSchema", type->element);
        tw_print(s->w, "}");
    } else {
        const bool record = type->kind == TWC_TYPE_RECORD;
        const char *before = "";
        tw_print(s->w,
                 record ? "{\"@type\": \"Object\", \"fields\": ["
                        : "{\"@type\": \"Enum\", \"valueSchema\": \"integer\", \"enumValues\": [");
        for (const twc_decl *f = type->decl->u.fields.fields; f != NULL; f = f->next) {
            tw_print(s->w, "%s", before);
            before = ", ";
            if (record) {
                put_typed(s, "Field", f->word->text, f->type);
                tw_print(s->w, "}");
            } else {
                tw_print(s->w, "{\"name\": \"%s\", \"enumValue\": %u}", f->word->text, f->index);
            }
        }
        tw_print(s->w, "]}");
    }
}

/* An element of the interface, open at its end. */
static void put_typed(sheet *s, const char *what, const char *name, const twc_type *type)
{
    const twc_type *plain = open_type(type);
    const bool quantity =
        plain->kind == TWC_TYPE_NUMBER && standards[plain->dimension].type[0] != '\0';
    if (quantity) {
        tw_print(s->w, "{\"@type\": [\"%s\", \"%s\"], \"name\": ", what,
                 standards[plain->dimension].type);
    } else {
        tw_print(s->w, "{\"@type\": \"%s\", \"name\": ", what);
    }
    twc_json_string(s->w, name);
    put_schema(s, "schema", type);
    if (quantity) tw_print(s->w, ", \"unit\": \"%s\"", standards[plain->dimension].unit);
    put_comment(s, type);
}

/* A list of things points at them; at their interface, when the contract describes it too. */
static void put_relationship(sheet *s, const twc_decl *field)
{
    tw_print(s->w, "{\"@type\": \"Relationship\", \"name\": \"%s\", \"maxMultiplicity\": %u",
             field->word->text, field->type->max);
    const twc_decl *other = NULL;
    for (uint32_t i = 0; (other = twc_export_at(s->contract, i)) != NULL; i++) {
        if (other->u.describe.senml || other->u.describe.of != field->type->element->decl) continue;
        tw_print(s->w, ", \"target\": \"%.*s\"", (int)other->u.describe.id.size,
                 (const char *)other->u.describe.id.data);
    }
}

/* The bytes of a text literal with a NUL; device fields are short, and longer ones are cut. */
static const char *text_of(tw_bytes bytes, char ret_text[TEXT_SIZE_MAX])
{
    const size_t size = bytes.size < TEXT_SIZE_MAX ? bytes.size : TEXT_SIZE_MAX - 1;
    memcpy(ret_text, bytes.data, size);
    ret_text[size] = '\0';
    return ret_text;
}

static bool is_described(const twc_decl *reading, const twc_decl *of)
{
    return reading->kind == TWC_D_READING && (reading == of || reading->u.reading.role == of);
}

static void put_telemetry(sheet *s, const twc_decl *of)
{
    for (const twc_decl *r = s->contract->members; r != NULL; r = r->next) {
        char field[TEXT_SIZE_MAX];
        if (!is_described(r, of)) continue;
        next_item(s, "    ");
        put_typed(s, "Telemetry", text_of(r->u.reading.field, field), r->type);
        put_string(s, "displayName", r->word->text);
        put_doc(s, ", ", r->doc, "");
        tw_print(s->w, "}");
    }
}

static void put_dtdl(sheet *s, const twc_decl *decl)
{
    const twc_decl *of = decl->u.describe.of;
    tw_print(s->w,
             "{\n  \"@context\": [\"dtmi:dtdl:context;3\", "
             "\"dtmi:dtdl:extension:quantitativeTypes;1\"],\n  \"@id\": \"%.*s\",\n"
             "  \"@type\": \"Interface\",\n  \"displayName\": \"%s\",\n",
             (int)decl->u.describe.id.size, (const char *)decl->u.describe.id.data, of->word->text);
    put_doc(s, "  ", of->doc, ",\n");
    tw_print(s->w, "  \"comment\": \"Made by twc from %s version %u.\",\n  \"contents\": [",
             s->contract->word->text, s->contract->version);
    s->first = true;
    if (of->kind == TWC_D_ROLE || of->kind == TWC_D_READING) {
        put_telemetry(s, of);
    } else {
        for (const twc_decl *f = of->u.fields.fields; f != NULL; f = f->next) {
            const bool things =
                f->type->kind == TWC_TYPE_LIST && f->type->element->kind == TWC_TYPE_ASSET;
            next_item(s, "    ");
            if (things) {
                put_relationship(s, f);
            } else {
                put_typed(s, "Property", f->word->text, f->type);
            }
            put_doc(s, ", ", f->doc, "");
            tw_print(s->w, "}");
        }
    }
    tw_print(s->w, "\n  ]\n}");
}

/* ------------------------------------------------------------------ SenML */

/* The field of a SenML record that holds a value of the type; NULL: none can. */
static const char *senml_value(const twc_type *type)
{
    const char *primitive = dtdl_primitive(type);
    if (primitive == NULL) return type->kind == TWC_TYPE_ENUM ? "vs" : NULL;
    if (type->kind == TWC_TYPE_BOOL) return "vb";
    if (type->kind == TWC_TYPE_TEXT) return "vs";
    return strcmp(primitive, "string") == 0 ? "vd" : "v";
}

static void put_senml_item(sheet *s, const char *name, const twc_type *type, const char *reading)
{
    char text[TEXT_SIZE_MAX];
    const twc_type *plain = open_type(type);
    next_item(s, "    ");
    tw_print(s->w, "{\"n\": ");
    twc_json_string(s->w, name);
    tw_print(s->w, ", \"value\": \"%s\"", senml_value(plain));
    if (reading != NULL) put_string(s, "reading", reading);
    put_string(s, "type", twc_type_print(type, text, sizeof text));
    if (plain->kind == TWC_TYPE_MONEY) {
        tw_print(s->w, ", \"comment\": \"In the smallest unit, of %u decimals.\"",
                 plain->decl->u.money.decimals);
    } else if (plain->kind == TWC_TYPE_NUMBER) {
        const standard *row = &standards[plain->dimension];
        if (row->senml_unit[0] != '\0') put_string(s, "u", row->senml_unit);
        put_string(s, "resolution", tw_dim_resolution(plain->dimension));
        tw_print(s->w, ", \"offset\": \"%lld\", \"divisor\": \"%lld\"", (long long)row->offset,
                 (long long)row->senml_scale);
        if (tw_dim_unit(plain->dimension) != NULL) {
            tw_print(s->w, ", \"comment\": \"");
            put_scale(s, plain->dimension, row->senml_unit, row->senml_scale);
            tw_print(s->w, "\"");
        } else if (plain->dimension == TW_DIM_TIME) {
            tw_print(s->w, ", \"comment\": \"Seconds since 1970, UTC.\"");
        }
    }
    tw_print(s->w, "}");
}

/* The fields that a record of SenML can hold, or those that none can. */
static void put_senml_fields(sheet *s, const twc_decl *fields, bool omitted)
{
    for (const twc_decl *f = fields; f != NULL; f = f->next) {
        const twc_type *type = open_type(f->type);
        if ((senml_value(type) == NULL) != omitted) continue;
        if (omitted) {
            next_item(s, "    ");
            tw_print(s->w, "{\"name\": \"%s\", \"why\": \"SenML has no %s\"}", f->word->text,
                     type->kind == TWC_TYPE_LIST ? "lists" : "values made of values");
        } else {
            put_senml_item(s, f->word->text, f->type, NULL);
        }
    }
}

static void put_senml(sheet *s, const twc_decl *decl)
{
    const twc_decl *of = decl->u.describe.of;
    const bool readings = of->kind == TWC_D_ROLE || of->kind == TWC_D_READING;
    const twc_decl *fields = readings ? NULL : of->u.fields.fields;
    char field[TEXT_SIZE_MAX];
    tw_print(s->w,
             "{\n  \"standard\": \"SenML, RFC 8428\",\n  \"contract\": \"%s\",\n"
             "  \"version\": %u,\n  \"describes\": \"%s\",\n  \"bn\": \"",
             s->contract->word->text, s->contract->version, of->word->text);
    tw_write_raw(s->w, decl->u.describe.id.data, decl->u.describe.id.size);
    tw_print(s->w, "\",\n  \"records\": [");
    s->first = true;
    for (const twc_decl *r = s->contract->members; readings && r != NULL; r = r->next) {
        if (!is_described(r, of)) continue;
        put_senml_item(s, text_of(r->u.reading.field, field), r->type, r->word->text);
    }
    put_senml_fields(s, fields, false);
    tw_print(s->w, "\n  ],\n  \"omitted\": [");
    s->first = true;
    put_senml_fields(s, fields, true);
    tw_print(s->w, s->first ? "]\n}" : "\n  ]\n}");
}

/* ------------------------------------------------------------------ */

const twc_decl *twc_export_at(const twc_contract *contract, uint32_t number)
{
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_EXPORT && number-- == 0) return d;
    }
    return NULL;
}

void twc_export_write(const twc_contract *contract, const twc_decl *decl, tw_writer *w)
{
    sheet s = {.contract = contract, .w = w};
    if (decl->u.describe.senml) {
        put_senml(&s, decl);
    } else {
        put_dtdl(&s, decl);
    }
}
