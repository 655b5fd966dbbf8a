/* value -- see the header. Recursion is bounded: types only name types with a lower index. */
#include "vm/isa/value.h"

#include "vm/base/quantities.h"

#include <assert.h>
#include <string.h>

void tw_slots_from_bytes32(const uint8_t bytes[32], int64_t ret_slots[4])
{
    for (int i = 0; i < 4; i++) ret_slots[i] = (int64_t)tw_load_u64(bytes + 8 * i);
}

void tw_slots_to_bytes32(const int64_t slots[4], uint8_t ret_bytes[32])
{
    for (int i = 0; i < 4; i++) tw_store_u64(ret_bytes + 8 * i, (uint64_t)slots[i]);
}

void tw_slots_from_text(tw_bytes text, int64_t *ret_slots)
{
    ret_slots[0] = (int64_t)text.size;
    const size_t whole = text.size / 8;
    for (size_t i = 0; i < whole; i++) ret_slots[1 + i] = (int64_t)tw_load_u64(text.data + 8 * i);
    for (size_t i = 8 * whole; i < text.size; i++) {
        const uint64_t byte = (uint64_t)text.data[i] << (56 - 8 * (i % 8));
        ret_slots[1 + i / 8] = (int64_t)((uint64_t)ret_slots[1 + i / 8] | byte);
    }
}

/* Bools, enums and times are no larger than their last one, and not below 0; other numbers have no
 * limit but the slot's. */
static bool scalars_fit(const tw_module *m, const tw_type *t, const int64_t *slots, uint64_t count)
{
    uint64_t last = t->quantity == TW_DIM_TIME ? ((uint64_t)1 << TW_TIME_BITS) - 1 : UINT64_MAX;
    if (t->kind == TW_KIND_BOOL) last = 1;
    if (t->kind == TW_KIND_ENUM) last = m->enums[t->of].values.count - 1u;
    for (uint64_t i = 0; i < count; i++) {
        if ((uint64_t)slots[i] > last) return false;
    }
    return true;
}

static bool all_zero(const int64_t *slots, size_t count)
{
    int64_t any = 0; /* all of them, as no look at one waits for another */
    for (size_t i = 0; i < count; i++) any |= slots[i];
    return any == 0;
}

/* The bytes of a text or bytes value, or false when size or padding are wrong. */
static bool text_bytes(const tw_type *t, const int64_t *slots, uint8_t *ret_bytes)
{
    const uint64_t size = (uint64_t)slots[0];
    if (size > t->max) return false;
    const uint32_t used = 1 + ((uint32_t)size + 7) / 8;
    for (uint32_t i = 1; i < used; i++) tw_store_u64(ret_bytes + 8 * i - 8, (uint64_t)slots[i]);
    for (uint64_t i = size; i < 8 * (used - 1); i++) {
        if (ret_bytes[i] != 0) return false;
    }
    if (!all_zero(slots + used, t->slots - used)) return false;
    return t->kind == TW_KIND_BYTES || tw_utf8_is_clean(tw_bytes_of(ret_bytes, size));
}

static tw_status text_encode(const tw_type *t, const int64_t *slots, tw_writer *w)
{
    uint8_t text[TW_TEXT_SIZE_MAX + 8];
    if (!text_bytes(t, slots, text)) return TW_TRAP_BAD_VALUE;
    tw_write_short(w, tw_bytes_of(text, (size_t)slots[0]));
    return TW_OK;
}

/* Bytes of a number; 0 of what is none. */
static size_t scalar_width(const tw_type *t)
{
    if (t->kind == TW_KIND_INT || t->kind == TW_KIND_MONEY) return 8;
    return t->kind == TW_KIND_BOOL ? 1 : t->kind == TW_KIND_ENUM ? 2 : 0;
}

static tw_status scalars_encode(const tw_module *m, const tw_type *t, const int64_t *slots,
                                uint64_t count, tw_writer *w)
{
    if (!scalars_fit(m, t, slots, count)) return TW_TRAP_BAD_VALUE;
    tw_write_numbers(w, slots, count, scalar_width(t));
    return TW_OK;
}

static tw_status optional_encode(const tw_module *m, const tw_type *t, const int64_t *slots,
                                 tw_writer *w)
{
    if (slots[0] != 0 && slots[0] != 1) return TW_TRAP_BAD_VALUE;
    tw_write_u8(w, (uint8_t)slots[0]);
    if (slots[0] == 1) return tw_value_encode(m, t->of, slots + 1, w);
    return all_zero(slots + 1, t->slots - 1) ? TW_OK : TW_TRAP_BAD_VALUE;
}

static tw_status list_encode(const tw_module *m, const tw_type *t, const int64_t *slots,
                             tw_writer *w)
{
    const uint64_t count = (uint64_t)slots[0];
    const tw_type *of = &m->types[t->of];
    if (count > t->max) return TW_TRAP_BAD_VALUE;
    tw_write_u16(w, (uint16_t)count);
    if (scalar_width(of) > 0) TW_TRY(scalars_encode(m, of, slots + 1, count, w));
    for (uint64_t i = 0; i < count && scalar_width(of) == 0; i++) {
        TW_TRY(tw_value_encode(m, t->of, slots + 1 + i * of->slots, w));
    }
    const uint64_t used = 1 + count * of->slots;
    return all_zero(slots + used, t->slots - used) ? TW_OK : TW_TRAP_BAD_VALUE;
}

/* A number of which every slot is one: most values are. */
static bool is_any_number(const tw_type *t)
{
    return t->kind == TW_KIND_INT && t->quantity != TW_DIM_TIME;
}

tw_status tw_value_encode(const tw_module *m, uint16_t type, const int64_t *slots, tw_writer *w)
{
    assert(type < m->type_count);
    const tw_type *t = &m->types[type];
    if (is_any_number(t)) {
        tw_write_i64(w, slots[0]);
        return TW_OK;
    }
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL:
    case TW_KIND_INT:
    case TW_KIND_MONEY:
    case TW_KIND_ENUM: return scalars_encode(m, t, slots, 1, w);
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: return text_encode(t, slots, w);
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: tw_write_numbers(w, slots, 4, 8); return TW_OK;
    case TW_KIND_OPTIONAL: return optional_encode(m, t, slots, w);
    case TW_KIND_RECORD: return tw_members_encode(m, &t->members, slots, w);
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return list_encode(m, t, slots, w);
    case TW_KIND_KINDS: break;
    }
    return TW_ERR_INTERNAL;
}

tw_status tw_members_encode(const tw_module *m, const tw_members *members, const int64_t *slots,
                            tw_writer *w)
{
    for (uint16_t i = 0; i < members->count; i++) {
        TW_TRY(tw_value_encode(m, members->items[i].type, slots, w));
        slots += m->types[members->items[i].type].slots;
    }
    return TW_OK;
}

static tw_status scalars_decode(const tw_module *m, const tw_type *t, tw_reader *r, uint64_t count,
                                int64_t *ret_slots)
{
    tw_read_numbers(r, count, scalar_width(t), ret_slots);
    return !r->bad && scalars_fit(m, t, ret_slots, count) ? TW_OK : TW_REFUSED_ENCODING;
}

/* Into slots that are zero: they are zeroed once, however deep the types are. */
static tw_status decode(const tw_module *m, uint16_t type, tw_reader *r, int64_t *ret_slots);

static tw_status list_decode(const tw_module *m, const tw_type *t, tw_reader *r, int64_t *ret_slots)
{
    const tw_type *of = &m->types[t->of];
    ret_slots[0] = tw_read_u16(r);
    if (ret_slots[0] > t->max) return TW_REFUSED_ENCODING;
    if (scalar_width(of) > 0)
        return scalars_decode(m, of, r, (uint64_t)ret_slots[0], ret_slots + 1);
    for (int64_t i = 0; i < ret_slots[0]; i++) {
        TW_TRY(decode(m, t->of, r, ret_slots + 1 + i * of->slots));
    }
    return TW_OK;
}

static tw_status members_decode(const tw_module *m, const tw_members *members, tw_reader *r,
                                int64_t *ret_slots)
{
    for (uint16_t i = 0; i < members->count; i++) {
        TW_TRY(decode(m, members->items[i].type, r, ret_slots));
        ret_slots += m->types[members->items[i].type].slots;
    }
    return TW_OK;
}

static tw_status decode(const tw_module *m, uint16_t type, tw_reader *r, int64_t *ret_slots)
{
    assert(type < m->type_count);
    const tw_type *t = &m->types[type];
    tw_bytes text;
    if (is_any_number(t)) {
        ret_slots[0] = tw_read_i64(r);
        return r->bad ? TW_REFUSED_ENCODING : TW_OK;
    }
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL:
    case TW_KIND_INT:
    case TW_KIND_MONEY:
    case TW_KIND_ENUM: return scalars_decode(m, t, r, 1, ret_slots);
    case TW_KIND_TEXT:
    case TW_KIND_BYTES:
        text = tw_read_short(r, t->max);
        if (r->bad || (t->kind == TW_KIND_TEXT && !tw_utf8_is_clean(text)))
            return TW_REFUSED_ENCODING;
        tw_slots_from_text(text, ret_slots);
        return TW_OK;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN:
        tw_read_numbers(r, 4, 8, ret_slots);
        return r->bad ? TW_REFUSED_ENCODING : TW_OK;
    case TW_KIND_OPTIONAL:
        ret_slots[0] = tw_read_bool(r);
        if (r->bad) return TW_REFUSED_ENCODING;
        return ret_slots[0] == 1 ? decode(m, t->of, r, ret_slots + 1) : TW_OK;
    case TW_KIND_RECORD: return members_decode(m, &t->members, r, ret_slots);
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return list_decode(m, t, r, ret_slots);
    case TW_KIND_KINDS: break;
    }
    return TW_ERR_INTERNAL;
}

tw_status tw_value_decode(const tw_module *m, uint16_t type, tw_reader *r, int64_t *ret_slots)
{
    const uint32_t slots = m->types[type].slots;
    if (slots > 1) memset(ret_slots, 0, slots * sizeof *ret_slots);
    return decode(m, type, r, ret_slots);
}

tw_status tw_members_decode(const tw_module *m, const tw_members *members, tw_reader *r,
                            int64_t *ret_slots)
{
    memset(ret_slots, 0, members->slots * sizeof *ret_slots);
    return members_decode(m, members, r, ret_slots);
}

/* ---- keys ---- */

static const uint64_t sign = (uint64_t)1 << 63;

static tw_status key_text_encode(const tw_type *t, const int64_t *slots, tw_writer *w)
{
    uint8_t text[TW_TEXT_SIZE_MAX + 8];
    if (!text_bytes(t, slots, text)) return TW_TRAP_BAD_VALUE;
    for (int64_t i = 0; i < slots[0]; i++) {
        tw_write_u8(w, text[i]);
        if (text[i] == 0) tw_write_u8(w, 0xFF);
    }
    tw_write_u16(w, 0);
    return TW_OK;
}

static tw_status key_list_encode(const tw_module *m, const tw_type *t, const int64_t *slots,
                                 tw_writer *w)
{
    const uint64_t count = (uint64_t)slots[0];
    const uint32_t step = m->types[t->of].slots;
    if (count > t->max) return TW_TRAP_BAD_VALUE;
    for (uint64_t i = 0; i < count; i++) {
        tw_write_u8(w, 1);
        TW_TRY(tw_key_encode(m, t->of, slots + 1 + i * step, w));
    }
    tw_write_u8(w, 0);
    const uint64_t used = 1 + count * step;
    return all_zero(slots + used, t->slots - used) ? TW_OK : TW_TRAP_BAD_VALUE;
}

static tw_status key_parts_encode(const tw_module *m, const tw_type *t, const int64_t *slots,
                                  tw_writer *w)
{
    for (uint16_t i = 0; i < t->members.count; i++) {
        TW_TRY(tw_key_encode(m, t->members.items[i].type, slots, w));
        slots += m->types[t->members.items[i].type].slots;
    }
    return TW_OK;
}

tw_status tw_key_encode(const tw_module *m, uint16_t type, const int64_t *slots, tw_writer *w)
{
    const tw_type *t = &m->types[type];
    switch ((tw_kind)t->kind) {
    case TW_KIND_INT:
    case TW_KIND_MONEY:
        if (!scalars_fit(m, t, slots, 1)) return TW_TRAP_BAD_VALUE;
        tw_write_u64(w, (uint64_t)slots[0] ^ sign);
        break;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: TW_TRY(key_text_encode(t, slots, w)); break;
    case TW_KIND_OPTIONAL:
        if (slots[0] != 1) return tw_value_encode(m, type, slots, w);
        tw_write_u8(w, 1);
        return tw_key_encode(m, t->of, slots + 1, w);
    case TW_KIND_RECORD: return key_parts_encode(m, t, slots, w);
    case TW_KIND_LIST:
    case TW_KIND_THINGS: TW_TRY(key_list_encode(m, t, slots, w)); break;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: tw_write_numbers(w, slots, 4, 8); break;
    case TW_KIND_BOOL:
    case TW_KIND_ENUM: TW_TRY(tw_value_encode(m, type, slots, w)); break;
    case TW_KIND_KINDS: return TW_ERR_INTERNAL;
    }
    return w->bad ? TW_TRAP_BAD_VALUE : TW_OK;
}

static tw_status key_text_decode(const tw_type *t, tw_reader *r, int64_t *ret_slots)
{
    uint8_t text[TW_TEXT_SIZE_MAX];
    uint32_t size = 0;
    for (;;) {
        const uint8_t byte = tw_read_u8(r);
        const uint8_t escape = byte == 0 ? tw_read_u8(r) : 0xFF;
        if (r->bad || (escape != 0 && escape != 0xFF)) return TW_REFUSED_ENCODING;
        if (escape == 0) break;
        if (size == t->max) return TW_REFUSED_ENCODING;
        text[size++] = byte;
    }
    const tw_bytes bytes = tw_bytes_of(text, size);
    if (t->kind == TW_KIND_TEXT && !tw_utf8_is_clean(bytes)) return TW_REFUSED_ENCODING;
    tw_slots_from_text(bytes, ret_slots);
    return TW_OK;
}

static tw_status key_list_decode(const tw_module *m, const tw_type *t, tw_reader *r,
                                 int64_t *ret_slots)
{
    while (tw_read_bool(r)) {
        if (ret_slots[0] == t->max) return TW_REFUSED_ENCODING;
        int64_t *at = ret_slots + 1 + (size_t)ret_slots[0] * m->types[t->of].slots;
        TW_TRY(tw_key_decode(m, t->of, r, at));
        ret_slots[0]++;
    }
    return r->bad ? TW_REFUSED_ENCODING : TW_OK;
}

static tw_status key_parts_decode(const tw_module *m, const tw_type *t, tw_reader *r,
                                  int64_t *ret_slots)
{
    for (uint16_t i = 0; i < t->members.count; i++) {
        TW_TRY(tw_key_decode(m, t->members.items[i].type, r, ret_slots));
        ret_slots += m->types[t->members.items[i].type].slots;
    }
    return TW_OK;
}

tw_status tw_key_decode(const tw_module *m, uint16_t type, tw_reader *r, int64_t *ret_slots)
{
    const tw_type *t = &m->types[type];
    memset(ret_slots, 0, t->slots * sizeof *ret_slots);
    switch ((tw_kind)t->kind) {
    case TW_KIND_INT:
    case TW_KIND_MONEY:
        ret_slots[0] = (int64_t)(tw_read_u64(r) ^ sign);
        return r->bad || !scalars_fit(m, t, ret_slots, 1) ? TW_REFUSED_ENCODING : TW_OK;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: return key_text_decode(t, r, ret_slots);
    case TW_KIND_OPTIONAL:
        ret_slots[0] = tw_read_bool(r);
        if (r->bad) return TW_REFUSED_ENCODING;
        return ret_slots[0] == 1 ? tw_key_decode(m, t->of, r, ret_slots + 1) : TW_OK;
    case TW_KIND_RECORD: return key_parts_decode(m, t, r, ret_slots);
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return key_list_decode(m, t, r, ret_slots);
    case TW_KIND_BOOL:
    case TW_KIND_ENUM:
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: return tw_value_decode(m, type, r, ret_slots);
    case TW_KIND_KINDS: break;
    }
    return TW_ERR_INTERNAL;
}

uint64_t tw_key_size_max(const tw_module *m, uint16_t type)
{
    const tw_type *t = &m->types[type];
    uint64_t size = 0;
    switch ((tw_kind)t->kind) {
    case TW_KIND_TEXT: return 2 + (uint64_t)t->max; /* clean text has no 0 */
    case TW_KIND_BYTES: return 2 + 2 * (uint64_t)t->max;
    case TW_KIND_OPTIONAL: return 1 + tw_key_size_max(m, t->of);
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return 1 + t->max * (1 + tw_key_size_max(m, t->of));
    case TW_KIND_RECORD:
        for (uint16_t i = 0; i < t->members.count; i++) {
            size += tw_key_size_max(m, t->members.items[i].type);
        }
        return size;
    case TW_KIND_BOOL:
    case TW_KIND_INT:
    case TW_KIND_MONEY:
    case TW_KIND_ENUM:
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: return t->size_max;
    case TW_KIND_KINDS: break;
    }
    return UINT32_MAX;
}
