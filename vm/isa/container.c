/* container -- see the header. */
#include "vm/isa/container.h"

#include <string.h>

enum { FORMAT = 1 };

static const char magic[4] = {'T', 'W', 'M', 'F'};
static const char bare[4] = {'T', 'W', 'V', 'M'};

void tw_container_write(tw_bytes module, tw_bytes debug, tw_writer *w)
{
    tw_write_raw(w, magic, sizeof magic);
    tw_write_u8(w, FORMAT);
    tw_write_long(w, module);
    tw_write_long(w, debug);
}

tw_status tw_container_read(tw_bytes file, tw_bytes *ret_module, tw_bytes *ret_debug, tw_err *err)
{
    tw_reader r = tw_reader_of(file);
    const uint8_t *start = tw_read_raw(&r, sizeof magic);
    if (start != NULL && memcmp(start, bare, sizeof bare) == 0) {
        *ret_module = file;
        *ret_debug = (tw_bytes){0};
        return TW_OK;
    }
    if (start == NULL || memcmp(start, magic, sizeof magic) != 0) {
        return tw_err_set(err, TW_REFUSED_ENCODING, "this is no compiled contract (.twm)");
    }
    const uint8_t format = tw_read_u8(&r);
    if (format != FORMAT) {
        return tw_err_set(err, TW_REFUSED_ENCODING,
                          "a compiled contract of format %u; this program reads format %d", format,
                          FORMAT);
    }
    const tw_bytes module = tw_read_long(&r, TW_MODULE_SIZE_MAX);
    const tw_bytes debug = tw_read_long(&r, TW_DEBUG_SIZE_MAX);
    if (!tw_reader_done(&r)) {
        return tw_err_set(err, TW_REFUSED_ENCODING, "the compiled contract is cut or damaged");
    }
    *ret_module = module;
    *ret_debug = debug;
    return TW_OK;
}

/* ------------------------------------------------------------------ debug map */

void tw_debug_encode(const tw_debug *debug, tw_writer *w)
{
    tw_write_u8(w, FORMAT);
    tw_write_u16(w, debug->function_count);
    for (uint16_t i = 0; i < debug->function_count; i++) {
        const tw_debug_function *f = &debug->functions[i];
        tw_write_u32(w, f->line_count);
        for (uint32_t k = 0; k < f->line_count; k++) {
            tw_write_u32(w, f->lines[k].pc);
            tw_write_u32(w, f->lines[k].line);
        }
        tw_write_u32(w, f->name_count);
        for (uint32_t k = 0; k < f->name_count; k++) {
            tw_write_text(w, f->names[k].name);
            tw_write_u16(w, f->names[k].type);
            tw_write_u16(w, f->names[k].slot);
            tw_write_u32(w, f->names[k].from);
            tw_write_u32(w, f->names[k].to);
        }
    }
}

static tw_status read_lines(tw_reader *r, uint32_t code_count, tw_arena *arena,
                            tw_debug_function *ret_function)
{
    const uint32_t count = tw_read_u32(r);
    if (r->bad || count > code_count || count > tw_reader_left(r) / 8) return TW_REFUSED_ENCODING;
    ret_function->lines = TW_NEW_ARRAY(arena, tw_debug_line, count);
    if (ret_function->lines == NULL) return TW_ERR_MEMORY;
    ret_function->line_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tw_debug_line *line = &ret_function->lines[i];
        line->pc = tw_read_u32(r);
        line->line = tw_read_u32(r);
        if (line->pc >= code_count || (i > 0 && line->pc <= line[-1].pc)) {
            return TW_REFUSED_ENCODING;
        }
    }
    return TW_OK;
}

static tw_status read_names(tw_reader *r, const tw_module *m, const tw_function *f, tw_arena *arena,
                            tw_debug_function *ret_function)
{
    const uint32_t count = tw_read_u32(r);
    const bool fits = count <= TW_DEBUG_NAMES_MAX && count <= tw_reader_left(r) / 14;
    if (r->bad || !fits) return TW_REFUSED_ENCODING;
    ret_function->names = TW_NEW_ARRAY(arena, tw_debug_name, count);
    if (ret_function->names == NULL) return TW_ERR_MEMORY;
    ret_function->name_count = count;
    for (uint32_t i = 0; i < count; i++) {
        tw_debug_name *name = &ret_function->names[i];
        const tw_bytes text = tw_read_short(r, TW_NAME_SIZE_MAX);
        name->type = tw_read_u16(r);
        name->slot = tw_read_u16(r);
        name->from = tw_read_u32(r);
        name->to = tw_read_u32(r);
        if (r->bad || !tw_utf8_is_clean(text) || name->slot >= f->frame_slots ||
            (name->type != TW_NONE && name->type >= m->type_count) || name->from > name->to ||
            name->to > f->code_count) {
            return TW_REFUSED_ENCODING;
        }
        const uint32_t slots = name->type == TW_NONE ? 1 : m->types[name->type].slots;
        if (name->slot + slots > f->frame_slots) return TW_REFUSED_ENCODING;
        name->name = tw_arena_copy(arena, text.data, text.size);
        if (name->name == NULL) return TW_ERR_MEMORY;
    }
    return TW_OK;
}

tw_status tw_debug_decode(tw_bytes bytes, const tw_module *m, tw_arena *arena, tw_debug **ret_debug)
{
    tw_debug *debug = TW_NEW(arena, tw_debug);
    if (debug == NULL) return TW_ERR_MEMORY;
    tw_reader r = tw_reader_of(bytes);
    *ret_debug = debug;
    if (bytes.size == 0) return TW_OK;
    const uint8_t format = tw_read_u8(&r);
    const uint16_t count = tw_read_u16(&r);
    if (r.bad || format != FORMAT || count != m->function_count) return TW_REFUSED_ENCODING;
    debug->functions = TW_NEW_ARRAY(arena, tw_debug_function, count);
    if (debug->functions == NULL) return TW_ERR_MEMORY;
    debug->function_count = count;
    for (uint16_t i = 0; i < count; i++) {
        const tw_function *f = &m->functions[i];
        TW_TRY(read_lines(&r, f->code_count, arena, &debug->functions[i]));
        TW_TRY(read_names(&r, m, f, arena, &debug->functions[i]));
    }
    return tw_reader_done(&r) ? TW_OK : TW_REFUSED_ENCODING;
}

uint32_t tw_debug_line_of(const tw_debug *debug, uint16_t function, uint32_t pc)
{
    if (debug == NULL || function >= debug->function_count) return 0;
    const tw_debug_function *f = &debug->functions[function];
    uint32_t at = 0; /* so many lines begin at the instruction or before it */
    for (uint32_t step = UINT32_C(1) << 31; step > 0; step /= 2) {
        if (step <= f->line_count - at && f->lines[at + step - 1].pc <= pc) at += step;
    }
    return at > 0 ? f->lines[at - 1].line : 0;
}
