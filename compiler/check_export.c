/* check_export -- what `export dtdl "id" from N` and `export senml ...` describe can be described.
 *
 * For check.c. N is an asset, a record, a reading, or a role, which stands for the device: all
 * readings that come from it. Afterwards id, names, depth and size are such that export.c writes
 * nothing that the standard refuses.
 */
#include "compiler/check.h"

#include <string.h>

enum { INTERFACE_ID_MAX = 128, SCHEMA_DEPTH_MAX = 5, ELEMENTS_MAX = 2000 };

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* SenML: letters, digits and signs, no sign first. DTDL, also a segment of an id: letters, digits
 * and inner underscores, a letter first. */
static bool is_name(tw_bytes name, bool senml)
{
    for (size_t i = 0; i < name.size; i++) {
        const uint8_t c = name.data[i];
        const bool sign = i > 0 && (senml ? c != 0 && strchr("-:./_", c) != NULL : c == '_');
        if (!is_letter(c) && !sign && (!is_digit(c) || (i == 0 && !senml))) return false;
    }
    return name.size > 0 && (senml || name.data[name.size - 1] != '_');
}

/* The bytes up to `end`, which is skipped; `text` becomes what follows. */
static tw_bytes cut(tw_bytes *text, char end)
{
    size_t size = 0;
    while (size < text->size && text->data[size] != (uint8_t)end) size++;
    const tw_bytes part = tw_bytes_of(text->data, size);
    const size_t used = size < text->size ? size + 1 : size;
    *text = tw_bytes_of(text->data + used, text->size - used);
    return part;
}

static bool is_version_part(tw_bytes text, size_t digits_max)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.data[i])) return false;
    }
    return text.size > 0 && text.size <= digits_max && text.data[0] != '0';
}

static bool begins(tw_bytes id, const char *prefix)
{
    const size_t size = strlen(prefix);
    return id.size > size && memcmp(id.data, prefix, size) == 0;
}

/* "dtmi:" segment { ":" segment } ";" version, which may have a minor part; of an interface. */
static bool is_dtmi(tw_bytes id)
{
    if (id.size > INTERFACE_ID_MAX) return false;
    tw_bytes version = id;
    tw_bytes path = cut(&version, ';');
    const tw_bytes major = cut(&version, '.');
    const bool minor = major.data + major.size < id.data + id.size;
    if (!is_version_part(major, 9) || (minor && !is_version_part(version, 6))) return false;
    if (!begins(path, "dtmi:")) return false;
    (void)cut(&path, ':');
    const uint8_t *last = path.data + path.size - 1;
    while (path.size > 0) {
        if (!is_name(cut(&path, ':'), false)) return false;
    }
    return *last != ':';
}

static void check_id(twc_check *c, const twc_decl *decl)
{
    const tw_bytes id = decl->u.describe.id;
    const twc_span span = decl->u.describe.id_span;
    if (id.size == 0) {
        twc_check_fail(c, TWC_DIAG_EXPORT_ID, span, "the id is empty");
    } else if (decl->u.describe.senml) {
        const uint8_t last = id.data[id.size - 1];
        if (is_name(id, true) && !is_letter(last) && !is_digit(last)) return;
        twc_check_fail(c, TWC_DIAG_EXPORT_ID, span,
                       "this can't be the base name of SenML records\nwrite letters, digits and "
                       "`- : . / _`, one of these signs last: the names of the fields follow "
                       "right behind it, as in \"urn:dev:plant:pump7:\"");
    } else if (begins(id, "dtmi:dtdl:") || begins(id, "dtmi:standard:")) {
        twc_check_fail(c, TWC_DIAG_EXPORT_ID, span,
                       "ids that begin with `dtmi:dtdl:` or `dtmi:standard:` belong to DTDL");
    } else if (!is_dtmi(id)) {
        twc_check_fail(
            c, TWC_DIAG_EXPORT_ID, span,
            "this is no id of a DTDL interface\nwrite \"dtmi:com:example:Pump;1\": names "
            "of letters, digits and inner underscores, a letter first, then the "
            "version; at most %d characters",
            INTERFACE_ID_MAX);
    }
}

/* ------------------------------------------------------------------ what is described */

static void check_name(twc_check *c, const twc_decl *decl, tw_bytes name, const twc_decl *at)
{
    const bool senml = decl->u.describe.senml;
    if (is_name(name, senml)) return;
    twc_check_fail_at(c, TWC_DIAG_EXPORT_NAME, decl->u.describe.span, at,
                      "`%.*s` is no name in %s\n%s", (int)name.size, (const char *)name.data,
                      senml ? "SenML" : "DTDL",
                      senml ? "letters, digits and `- : . / _` make one, a letter or digit first"
                            : "letters, digits and underscores make one, a letter first and no "
                              "underscore last");
}

static void check_fields(twc_check *c, const twc_decl *decl, const twc_decl *fields, uint32_t level,
                         uint32_t *count);

/* SenML has no values that are made of values, so only DTDL looks inside. */
static void check_value(twc_check *c, const twc_decl *decl, const twc_decl *field, uint32_t level,
                        uint32_t *count)
{
    const twc_type *type = field->type;
    for (; type->element != NULL; type = type->element) {
        if (type->kind == TWC_TYPE_LIST) level++;
    }
    const bool named = type->kind == TWC_TYPE_RECORD || type->kind == TWC_TYPE_ENUM;
    level += named;
    if (level <= SCHEMA_DEPTH_MAX) {
        if (named) check_fields(c, decl, type->decl->u.fields.fields, level, count);
        return;
    }
    if (*count > ELEMENTS_MAX) return;
    *count = ELEMENTS_MAX + 1;
    twc_check_fail_at(c, TWC_DIAG_EXPORT_NAME, decl->u.describe.span, field,
                      "`%s` holds lists and records more than %d deep, which DTDL can't describe",
                      field->word->text, SCHEMA_DEPTH_MAX);
}

static void check_fields(twc_check *c, const twc_decl *decl, const twc_decl *fields, uint32_t level,
                         uint32_t *count)
{
    for (const twc_decl *f = fields; f != NULL && *count <= ELEMENTS_MAX; f = f->next) {
        if (f->word == NULL || f->type == NULL) continue;
        check_name(c, decl, tw_bytes_of(f->word->text, f->word->size), f);
        if (++*count > ELEMENTS_MAX) {
            twc_check_fail(c, TWC_DIAG_OVER_LIMIT, decl->u.describe.span,
                           "a description has at most %d fields, those of records in it counted",
                           ELEMENTS_MAX);
        } else if (!decl->u.describe.senml && f->kind == TWC_D_FIELD) {
            check_value(c, decl, f, level, count);
        }
    }
}

static void check_readings(twc_check *c, const twc_decl *decl, const twc_decl *of)
{
    uint32_t count = 0;
    for (const twc_decl *r = c->contract->members; r != NULL; r = r->next) {
        if (r->kind != TWC_D_READING || r->bad || (r != of && r->u.reading.role != of)) continue;
        check_name(c, decl, r->u.reading.field, r);
        count++;
    }
    if (count > 0 || of->bad || c->contract->broken) return;
    twc_check_fail_at(c, TWC_DIAG_EXPORT_NAME, decl->u.describe.span, of,
                      "no reading comes from `%s`, so there is nothing to describe",
                      of->word->text);
}

void twc_check_export(twc_check *c, twc_decl *decl)
{
    twc_word *word = decl->u.describe.word;
    twc_decl *of = word->global;
    uint32_t count = 0;
    check_id(c, decl);
    if (of == NULL) {
        twc_check_undeclared(c, word, decl->u.describe.span, "name");
        return;
    }
    of->used = true;
    decl->u.describe.of = of;
    for (const twc_decl *d = c->contract->members; d != decl; d = d->next) {
        if (d->kind != TWC_D_EXPORT || d->u.describe.senml != decl->u.describe.senml) continue;
        if (d->broken || d->u.describe.word != word) continue;
        twc_check_fail(c, TWC_DIAG_DUPLICATE, decl->u.describe.span,
                       "`%s` is described in this way already", word->text);
        return;
    }
    if (of->kind == TWC_D_ASSET || of->kind == TWC_D_RECORD) {
        if (!of->bad) check_fields(c, decl, of->u.fields.fields, 0, &count);
    } else if (of->kind == TWC_D_ROLE || of->kind == TWC_D_READING) {
        check_readings(c, decl, of);
    } else if (!of->bad) {
        twc_check_fail_at(c, TWC_DIAG_WRONG_KIND, decl->u.describe.span, of,
                          "`%s` can't be described\nname an asset, a record, a reading, or a role "
                          "from which readings come",
                          word->text);
    }
}
