/* disasm -- see the header. What is written and read lies in module.c and listing.c; here are its
 * ends: the first line, the two times that a text is read, and the names of types. */
#include "vm/isa/disasm.h"

#include "vm/isa/listing.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 200, INSN_TEXT_MIN = 4 }; /* "END " */

/* ------------------------------------------------------------------ types */

bool tw_type_text(const tw_module *m, const tw_type *t, const char *inner, char *ret_text,
                  size_t size)
{
    static const char *const formats[TW_KIND_KINDS] = {
        [TW_KIND_BOOL] = "bool%s",
        [TW_KIND_TEXT] = "text%s(%u)",
        [TW_KIND_BYTES] = "bytes%s(%u)",
        [TW_KIND_HASH] = "hash%s",
        [TW_KIND_ACCOUNT] = "account%s",
        [TW_KIND_TWIN] = "twin_id%s",
        [TW_KIND_OPTIONAL] = "%s?",
        [TW_KIND_LIST] = "list of %s max %u",
        [TW_KIND_INT] = "%s",
        [TW_KIND_THINGS] = "things of %s max %u",
        [TW_KIND_ENUM] = "%s",
        [TW_KIND_MONEY] = "%s",
        [TW_KIND_RECORD] = "%s",
    };
    const char *word = "";
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST) word = inner;
    if (t->kind == TW_KIND_INT) word = tw_dim_name((tw_dimension)t->quantity);
    if (t->kind == TW_KIND_ENUM) word = t->of < m->enum_count ? m->enums[t->of].name : NULL;
    if (t->kind == TW_KIND_MONEY) word = t->of < m->money_count ? m->monies[t->of].name : NULL;
    if (t->kind == TW_KIND_THINGS) word = t->home < m->field_count ? m->fields[t->home].name : NULL;
    if (t->kind == TW_KIND_RECORD) word = t->name[0] != '\0' ? t->name : "record";
    if (word == NULL || t->kind >= TW_KIND_KINDS || formats[t->kind] == NULL) return false;
    const int written = snprintf(ret_text, size, formats[t->kind], word, t->max);
    return written > 0 && (size_t)written < size;
}

void tw_type_print(const tw_module *m, uint16_t type, char *ret_text, size_t size)
{
    char inner[TEXT_MAX] = "";
    ret_text[0] = '\0';
    if (type >= m->type_count) return;
    const tw_type *t = &m->types[type];
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST) {
        tw_type_print(m, t->of, inner, sizeof inner);
    }
    (void)tw_type_text(m, t, inner, ret_text, size);
}

/* ------------------------------------------------------------------ modules */

/* The first line, and the word before the contract's name. */
static bool header(tw_text *t)
{
    const uint64_t format = tw_text_number(t, "format", TW_MODULE_FORMAT, 32, false);
    const uint64_t semantics = tw_text_number(t, "semantics", TW_SEMANTICS, 32, false);
    tw_text_line(t, "");
    const bool contract = tw_text_flag(t, "contract", true);
    if (format == TW_MODULE_FORMAT && semantics == TW_SEMANTICS && contract) return true;
    tw_text_fail(t, "a module's text begins with: format %d semantics %d contract NAME",
                 TW_MODULE_FORMAT, TW_SEMANTICS);
    return false;
}

tw_status tw_disasm(const tw_module *m, const tw_debug *debug, tw_arena *arena, tw_writer *w)
{
    const tw_mark mark = tw_arena_mark(arena);
    tw_listing l = {.text = {.arena = arena, .w = w}, .m = m, .debug = debug};
    tw_module copy = *m;
    const bool begun = tw_listing_begin(&l);
    if (begun) (void)header(&l.text); /* written, it is the right one */
    if (begun) tw_listing_module(&l, &copy);
    tw_arena_reset(arena, mark);
    return w->bad || !begun || tw_arena_failed(arena) ? TW_ERR_MEMORY : TW_OK;
}

static tw_status read_text(tw_bytes text, const tw_module *known, tw_arena *arena,
                           tw_module **ret_module, tw_err *err)
{
    tw_listing l = {.m = known};
    tw_text *t = &l.text;
    tw_module *m = TW_NEW(arena, tw_module);
    *t = (tw_text){.arena = arena, .source = text, .line = 1, .err = err};
    if (m != NULL) m->code = TW_NEW_ARRAY(arena, uint64_t, text.size / INSN_TEXT_MIN + 1);
    if (m == NULL || m->code == NULL || !tw_listing_begin(&l)) {
        return tw_err_set(err, TW_ERR_MEMORY, "no memory for the module");
    }
    if (header(t)) tw_listing_module(&l, m);
    if (t->word.size > 0 || t->quoted) {
        tw_text_fail(t, "%.*s has no place here; the parts stand in the order of vm/isa/README.md",
                     t->word.size < 60 ? (int)t->word.size : 60, (const char *)t->word.data);
    }
    if (!t->bad && tw_arena_failed(arena)) tw_text_fail(t, "the text needs too much memory");
    *ret_module = m;
    return t->bad ? err->status : TW_OK;
}

/* What is meant is what decodes: the module is written, and read as from anybody. */
static tw_status write_module(const tw_module *m, tw_arena *arena, tw_bytes *ret_module,
                              tw_err *err)
{
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    tw_module *again = NULL;
    tw_status status = tw_module_encode(m, &w);
    const tw_bytes bytes = tw_bytes_of(tw_arena_copy(arena, w.data, w.size), w.size);
    tw_writer_free(&w);
    if (status != TW_OK) {
        return tw_err_set(err, status, "the module has more than %d bytes", TW_MODULE_SIZE_MAX);
    }
    if (bytes.data == NULL) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the module");
    TW_TRY(tw_module_decode(bytes, arena, &again, err));
    *ret_module = bytes;
    return TW_OK;
}

tw_status tw_asm(tw_bytes text, tw_arena *arena, tw_bytes *ret_module, tw_err *err)
{
    tw_module *first = NULL;
    tw_module *m = NULL;
    if (text.size > TW_ASM_SIZE_MAX) {
        return tw_err_set(err, TW_REFUSED_LIMIT, "the text has more than %d bytes",
                          TW_ASM_SIZE_MAX);
    }
    TW_TRY(read_text(text, NULL, arena, &first, err));
    TW_TRY(read_text(text, first, arena, &m, err));
    return write_module(m, arena, ret_module, err);
}
