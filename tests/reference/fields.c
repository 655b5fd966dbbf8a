/* fields -- the reference's instructions over vars, maps, the keys of registries, and lists. */
#include "tests/reference/machine.h"

#include <string.h>

static tw_bytes after_tag(tw_bytes value)
{
    return tw_bytes_of(value.data + 1, value.size - 1);
}

/* ---- vars and maps ---- */

static tw_status load(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x];
    tw_key key;
    tw_bytes value;
    bool found = false;
    if (f->kind == TW_FIELD_REGISTRY) return ref_thing_load(r, f, s + i->b, s + i->a);
    TW_TRY(ref_key_in(r, f, s + i->b, &key));
    TW_TRY(ref_get_charged(r, &key, &value, &found));
    return found ? ref_decode(r, f->value_type, after_tag(value), s + i->a) : TW_TRAP_NO_KEY;
}

static tw_status store(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x];
    tw_key key;
    tw_bytes before;
    bool found = false;
    if (f->kind == TW_FIELD_REGISTRY) return ref_thing_store(r, f, s + i->b, s + i->a);
    TW_TRY(ref_key_in(r, f, s + i->b, &key));
    tw_writer_clear(&r->value);
    tw_write_u8(&r->value, TW_STATE_TAG);
    TW_TRY(tw_value_encode(r->m, f->value_type, s + i->a, &r->value));
    if (f->kind == TW_FIELD_VAR) {
        r->used.gas += ref_read_gas(1, r->value.size); /* priced as a change; a var is not read */
    } else {
        TW_TRY(ref_get_charged(r, &key, &before, &found));
        if (!found) TW_TRY(ref_count(r, f, true));
    }
    r->used.gas += ref_write_gas(1, r->value.size);
    return ref_put(r, &key, tw_writer_bytes(&r->value));
}

static tw_status exists(reference *r, const ref_insn *i, int64_t *s)
{
    tw_key key;
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_key_in(r, &r->m->fields[i->x], s + i->b, &key));
    TW_TRY(ref_get_charged(r, &key, &value, &found));
    s[i->a] = found ? 1 : 0;
    return TW_OK;
}

static tw_status take_away(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x];
    tw_key key;
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_key_in(r, f, s + i->b, &key));
    TW_TRY(ref_get_charged(r, &key, &value, &found));
    if (!found) return TW_TRAP_NO_KEY;
    TW_TRY(ref_count(r, f, false));
    r->used.gas += ref_write_gas(1, 0);
    return ref_delete(r, &key);
}

static tw_status size(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_key key = ref_field_key(r, r->m->fields[i->x].id);
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_get(r, &key, &value, &found));
    s[i->a] = found ? tw_load_u32(value.data + 1) : 0;
    return TW_OK;
}

/* ---- in the order of the keys ---- */

/* The key of the field that comes after `*key`, and its value. */
static tw_status next_of(reference *r, const tw_field *f, tw_key *key, tw_bytes *ret_value,
                         bool *ret_found)
{
    const tw_key prefix = ref_field_key(r, f->id);
    uint8_t from[TW_KEY_MAX + 1] = {0};
    tw_bytes found;
    memcpy(from, key->data, key->size); /* and a zero byte behind it */
    r->used.reads++;
    TW_TRY(tw_overlay_next(r->c->overlay, tw_key_bytes(&prefix), tw_bytes_of(from, key->size + 1),
                           &found, ret_value, ret_found));
    r->used.gas += ref_read_gas(1, *ret_found ? ret_value->size : 0);
    if (!*ret_found) return TW_OK;
    memcpy(key->data, found.data, found.size);
    key->size = found.size;
    return TW_OK;
}

static tw_status next(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x];
    tw_key key = ref_field_key(r, f->id);
    const size_t prefix = key.size;
    tw_bytes value;
    bool found = false;
    if (s[i->b] != 0) TW_TRY(ref_key_in(r, f, s + i->a, &key));
    TW_TRY(next_of(r, f, &key, &value, &found));
    if (!found) return TW_TRAP_NO_KEY;
    tw_reader reader = tw_reader_of(tw_bytes_of(key.data + prefix, key.size - prefix));
    const tw_status status = tw_key_decode(r->m, f->key_type, &reader, s + i->a);
    return status == TW_OK && tw_reader_done(&reader) ? TW_OK : TW_ERR_CORRUPT;
}

/* All values one after another; each goes before the first of the list that has less. */
static tw_status top(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x / 64];
    const tw_type *list = &r->m->types[i->c];
    const uint32_t member = ref_member_at(r->m, f, i->x % 64);
    const uint32_t step = r->m->types[f->value_type].slots;
    int64_t *count = s + i->a;
    int64_t *items = count + 1;
    tw_key key = ref_field_key(r, f->id);
    memset(count, 0, list->slots * sizeof *s);
    for (;;) {
        tw_bytes value;
        bool found = false;
        TW_TRY(next_of(r, f, &key, &value, &found));
        r->used.gas += ref_slots_gas(list->slots);
        if (!found) return TW_OK;
        TW_TRY(ref_decode(r, f->value_type, after_tag(value), r->record));
        int64_t at = 0;
        while (at < *count && items[at * step + member] >= r->record[member]) at++;
        if (at == list->max) continue;
        if (*count < list->max) ++*count;
        for (int64_t k = *count - 1; k > at; k--) {
            memcpy(items + k * step, items + (k - 1) * step, step * sizeof *s);
        }
        memcpy(items + at * step, r->record, step * sizeof *s);
    }
}

tw_status ref_step_field(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    *ret_mine = true;
    switch (i->op) {
    case TW_OP_LOAD: return load(r, i, s);
    case TW_OP_STORE: return store(r, i, s);
    case TW_OP_EXISTS: return exists(r, i, s);
    case TW_OP_REMOVE: return take_away(r, i, s);
    case TW_OP_SIZE: return size(r, i, s);
    case TW_OP_NEXT: return next(r, i, s);
    case TW_OP_TOP: return top(r, i, s);
    default: *ret_mine = false; return TW_OK;
    }
}

/* ---- lists ---- */

/* The elements' slots are copied apart first: they may overlap those of the list. */
static void copy(reference *r, int64_t *to, const int64_t *from, uint32_t count)
{
    memcpy(r->record, from, count * sizeof *to);
    memcpy(to, r->record, count * sizeof *to);
}

static tw_status drop(int64_t *list, uint32_t step, int64_t index)
{
    for (int64_t k = (index + 1) * step; k < list[0] * step; k++) list[1 + k - step] = list[1 + k];
    for (int64_t k = (list[0] - 1) * step; k < list[0] * step; k++) list[1 + k] = 0;
    list[0]--;
    return TW_OK;
}

static int64_t find(const int64_t *list, uint32_t step, const int64_t *item)
{
    for (int64_t k = 0; k < list[0]; k++) {
        uint32_t same = 0;
        while (same < step && list[1 + k * step + same] == item[same]) same++;
        if (same == step) return 1;
    }
    return 0;
}

tw_status ref_step_list(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    *ret_mine = i->op == TW_OP_ITEM || i->op == TW_OP_PUT || i->op == TW_OP_PUSH ||
                i->op == TW_OP_DROP || i->op == TW_OP_FIND;
    if (!*ret_mine) return TW_OK;
    const tw_type *type = &r->m->types[i->x];
    const uint32_t step = r->m->types[type->of].slots;
    int64_t *list = s + (i->op == TW_OP_ITEM || i->op == TW_OP_FIND ? i->b : i->a);
    const int64_t index = s[i->op == TW_OP_DROP ? i->b : i->c];
    if (list[0] < 0 || list[0] > type->max) return TW_TRAP_BAD_INDEX;
    if (i->op == TW_OP_FIND) {
        const uint64_t count = (uint64_t)list[0];
        r->used.gas += count * TW_GAS_ELEMENT * (step == 1 ? 1 : step + 1);
        r->used.gas += ref_slots_gas(2 * count * step);
        s[i->a] = find(list, step, s + i->c);
        return TW_OK;
    }
    if (i->op == TW_OP_PUSH) {
        if (list[0] == type->max) return TW_TRAP_FULL;
        const int64_t count = list[0];
        copy(r, list + 1 + count * step, s + i->b, step);
        list[0] = count + 1;
        return TW_OK;
    }
    if (index < 0 || index >= list[0]) return TW_TRAP_BAD_INDEX;
    if (i->op == TW_OP_DROP) {
        r->used.gas += ref_moves_gas((uint64_t)list[0] * step);
        return drop(list, step, index);
    }
    int64_t *at = list + 1 + index * step;
    copy(r, i->op == TW_OP_ITEM ? s + i->a : at, i->op == TW_OP_ITEM ? at : s + i->b, step);
    return TW_OK;
}
