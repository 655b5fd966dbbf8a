/* collect -- instructions over fields: vars, maps, the keys of registries; and over lists.
 *
 * A map's values stand in the state under their keys, whose bytes have the order of the keys, and
 * beside them how many there are. Going over them is NEXT again and again: each look goes from the
 * key in the slots, so the code may change the map on the way.
 */
#include "vm/exec/field.h"
#include "vm/exec/machine.h"

#include "vm/verify/cost.h"

#include <string.h>

/* ---- keys and counts ---- */

tw_status tw_field_key_at(const tw_contract *c, uint32_t id, uint16_t key_type,
                          const int64_t *slots, tw_key *ret_key)
{
    tw_field_begin(c, id, ret_key);
    tw_writer w = tw_writer_fixed(ret_key->data + ret_key->size, TW_KEY_SIZE_MAX);
    TW_TRY(tw_key_encode(c->code->module, key_type, slots, &w));
    ret_key->size += w.size;
    return TW_OK;
}

tw_status tw_field_count(const tw_contract *c, uint32_t id, uint32_t *ret_count)
{
    const tw_key key = tw_field_key(c, id);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, &found));
    if (found && value.size != TW_COUNT_SIZE) return TW_ERR_CORRUPT;
    *ret_count = found ? tw_load_u32(value.data + 1) : 0;
    return TW_OK;
}

tw_status tw_field_set_count(const tw_contract *c, uint32_t id, uint32_t count)
{
    const tw_key key = tw_field_key(c, id);
    uint8_t value[TW_COUNT_SIZE] = {TW_STATE_TAG};
    if (count == 0) return tw_overlay_delete(c->overlay, tw_key_bytes(&key));
    tw_store_u32(value + 1, count);
    return tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_bytes_of(value, sizeof value));
}

/* The key in slots; of a var, the empty one. */
static tw_status key_at(const tw_exec *x, const tw_field *f, const int64_t *slots, tw_key *ret_key)
{
    if (f->kind != TW_FIELD_VAR) {
        return tw_field_key_at(x->contract, f->id, f->key_type, slots, ret_key);
    }
    tw_field_begin(x->contract, f->id, ret_key);
    return TW_OK;
}

/* Where the value under the key in slots stands in the overlay. What an entry reads it mostly
 * writes soon after, so it finds the last ones without their key. */
static tw_status seek(tw_exec *x, uint32_t field, const int64_t *slots, tw_cell **ret_cell)
{
    const tw_field *f = &tw_exec_module(x)->fields[field];
    const uint32_t count =
        f->kind == TW_FIELD_VAR ? 0 : tw_exec_module(x)->types[f->key_type].slots;
    const uint64_t mixed =
        (field + (count > 0 ? (uint64_t)slots[0] : 0)) * UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t place = mixed >> (64 - TW_LOOK_BITS);
    tw_look *met = &x->looks[place];
    if (count <= TW_LOOK_SLOTS && (x->looks_known >> place & 1) != 0 && met->field == field &&
        memcmp(met->slots, slots, count * sizeof *slots) == 0) {
        *ret_cell = met->cell;
        return TW_OK;
    }
    tw_key key;
    TW_TRY(key_at(x, f, slots, &key));
    TW_TRY(tw_overlay_seek(x->contract->overlay, tw_key_bytes(&key), ret_cell));
    if (count > TW_LOOK_SLOTS) return TW_OK;
    x->looks_known |= UINT32_C(1) << place;
    met->field = field;
    met->cell = *ret_cell;
    memcpy(met->slots, slots, count * sizeof *slots);
    return TW_OK;
}

static tw_bytes look(tw_exec *x, const tw_cell *cell, bool *ret_found)
{
    const tw_bytes value = tw_cell_get(cell);
    *ret_found = value.data != NULL;
    x->gas += tw_cost_read(1, value.size);
    return value;
}

static tw_status decode(const tw_exec *x, const tw_field *f, tw_bytes value, int64_t *ret_slots)
{
    tw_reader r = tw_reader_of(value);
    (void)tw_read_u8(&r);
    const bool good = tw_value_decode(tw_exec_module(x), f->value_type, &r, ret_slots) == TW_OK &&
                      tw_reader_done(&r);
    return good ? TW_OK : TW_ERR_CORRUPT;
}

/* One key more or less. Traps Full. */
static tw_status count_change(tw_exec *x, const tw_field *f, bool more)
{
    uint32_t count = 0;
    TW_TRY(tw_field_count(x->contract, f->id, &count));
    x->gas += tw_cost_read(1, TW_COUNT_SIZE);
    if (more && count >= f->max) return TW_TRAP_FULL;
    if (!more && count == 0) return TW_ERR_CORRUPT;
    x->gas += tw_cost_write(1, TW_COUNT_SIZE);
    return tw_field_set_count(x->contract, f->id, more ? count + 1 : count - 1);
}

/* The first key of the field that comes after `after`, and its value. */
static tw_status next(tw_exec *x, const tw_field *f, const tw_key *after, tw_bytes *ret_key,
                      tw_bytes *ret_value, bool *ret_found)
{
    const tw_key prefix = tw_field_key(x->contract, f->id);
    uint8_t memory[TW_KEY_MAX + 1];
    const tw_bytes from = tw_key_after(tw_key_bytes(after), memory);
    TW_TRY(tw_overlay_next(x->contract->overlay, tw_key_bytes(&prefix), from, ret_key, ret_value,
                           ret_found));
    x->gas += tw_cost_read(1, *ret_found ? ret_value->size : 0);
    return TW_OK;
}

/* ---- fields ---- */

tw_status tw_native_LOAD(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_field *f = &tw_exec_module(x)->fields[i->x];
    tw_cell *cell = NULL;
    bool found = false;
    if (f->kind == TW_FIELD_REGISTRY) {
        return tw_thing_load(x, (uint32_t)i->x, s + i->b, s + i->a);
    }
    TW_TRY(seek(x, (uint32_t)i->x, s + i->b, &cell));
    const tw_bytes value = look(x, cell, &found);
    return found ? decode(x, f, value, s + i->a) : TW_TRAP_NO_KEY;
}

tw_status tw_native_STORE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_field *f = &tw_exec_module(x)->fields[i->x];
    tw_cell *cell = NULL;
    bool found = true;
    if (f->kind == TW_FIELD_REGISTRY) {
        return tw_thing_store(x, (uint32_t)i->x, s + i->b, s + i->a);
    }
    TW_TRY(seek(x, (uint32_t)i->x, s + i->b, &cell));
    tw_writer_clear(&x->value);
    tw_write_u8(&x->value, TW_STATE_TAG);
    TW_TRY(tw_value_encode(tw_exec_module(x), f->value_type, s + i->a, &x->value));
    if (x->value.bad) return TW_ERR_MEMORY;
    if (f->kind == TW_FIELD_MAP) {
        (void)look(x, cell, &found);
        if (!found) TW_TRY(count_change(x, f, true));
    } else {
        x->gas += tw_cost_read(1, x->value.size);
    }
    x->gas += tw_cost_write(1, x->value.size);
    return tw_cell_put(x->contract->overlay, cell, tw_writer_bytes(&x->value));
}

tw_status tw_native_EXISTS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    tw_cell *cell = NULL;
    bool found = false;
    TW_TRY(seek(x, (uint32_t)i->x, s + i->b, &cell));
    (void)look(x, cell, &found);
    s[i->a] = found;
    return TW_OK;
}

tw_status tw_native_REMOVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_field *f = &tw_exec_module(x)->fields[i->x];
    tw_cell *cell = NULL;
    bool found = false;
    TW_TRY(seek(x, (uint32_t)i->x, s + i->b, &cell));
    (void)look(x, cell, &found);
    if (!found) return TW_TRAP_NO_KEY;
    TW_TRY(count_change(x, f, false));
    x->gas += tw_cost_write(1, 0);
    return tw_cell_delete(x->contract->overlay, cell);
}

tw_status tw_native_SIZE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t count = 0;
    TW_TRY(tw_field_count(x->contract, tw_exec_module(x)->fields[i->x].id, &count));
    s[i->a] = count;
    return TW_OK;
}

tw_status tw_native_NEXT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_field *f = &tw_exec_module(x)->fields[i->x];
    const tw_key prefix = tw_field_key(x->contract, f->id);
    tw_key after = prefix;
    tw_bytes key;
    tw_bytes value;
    bool found = false;
    if (s[i->b] != 0) TW_TRY(key_at(x, f, s + i->a, &after));
    TW_TRY(next(x, f, &after, &key, &value, &found));
    if (!found) return TW_TRAP_NO_KEY;
    tw_reader r = tw_reader_of(tw_bytes_of(key.data + prefix.size, key.size - prefix.size));
    const bool good =
        tw_key_decode(tw_exec_module(x), f->key_type, &r, s + i->a) == TW_OK && tw_reader_done(&r);
    return good ? TW_OK : TW_ERR_CORRUPT;
}

/* Puts a record into the list of the largest so far, behind those that are as large. */
static void place(int64_t *list, const tw_type *type, uint32_t step, uint32_t member,
                  const int64_t *record)
{
    int64_t *items = list + 1;
    int64_t at = 0;
    for (int64_t end = list[0]; at < end;) {
        const int64_t middle = (at + end) / 2;
        const bool behind = items[middle * step + member] >= record[member];
        at = behind ? middle + 1 : at;
        end = behind ? end : middle;
    }
    if (at == type->max) return;
    if (list[0] < type->max) list[0]++;
    int64_t *to = items + at * step;
    memmove(to + step, to, (size_t)(list[0] - 1 - at) * step * sizeof *to);
    memcpy(to, record, step * sizeof *to);
}

tw_status tw_native_TOP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = tw_exec_module(x);
    const tw_field *f = &m->fields[i->x / 64];
    const tw_type *type = &m->types[i->c];
    const tw_members *members = &m->types[f->value_type].members;
    uint32_t member = 0;
    for (int32_t k = 0; k < i->x % 64; k++) member += m->types[members->items[k].type].slots;
    memset(s + i->a, 0, type->slots * sizeof *s);
    tw_key at = tw_field_key(x->contract, f->id);
    for (;;) {
        tw_bytes key;
        tw_bytes value;
        bool found = false;
        TW_TRY(next(x, f, &at, &key, &value, &found));
        x->gas += tw_cost_slots(type->slots);
        if (!found) return TW_OK;
        TW_TRY(decode(x, f, value, x->scratch));
        place(s + i->a, type, m->types[type->of].slots, member, x->scratch);
        memcpy(at.data, key.data, key.size);
        at.size = key.size;
    }
}

/* ---- lists ---- */

/* A count in the slots is what the code has put there. */
static bool count_fits(const int64_t *list, const tw_type *type)
{
    return list[0] >= 0 && list[0] <= type->max;
}

static bool index_fits(const int64_t *list, const tw_type *type, int64_t index)
{
    return count_fits(list, type) && index >= 0 && index < list[0];
}

/* One slot mostly. They may overlap. */
static void copy(int64_t *to, const int64_t *from, uint32_t step)
{
    if (step == 1) *to = *from;
    if (step != 1) memmove(to, from, step * sizeof *to);
}

static bool same(const int64_t *a, const int64_t *b, uint32_t step)
{
    uint32_t k = 1; /* the first ones are */
    while (k < step && a[k] == b[k]) k++;
    return k == step;
}

static const tw_type *list_type(const tw_exec *x, const tw_insn *i, uint32_t *ret_step)
{
    const tw_type *type = &tw_exec_module(x)->types[i->x];
    *ret_step = tw_exec_module(x)->types[type->of].slots;
    return type;
}

tw_status tw_native_ITEM(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t step = 0;
    const tw_type *type = list_type(x, i, &step);
    const int64_t *list = s + i->b;
    const int64_t index = s[i->c];
    if (!index_fits(list, type, index)) return TW_TRAP_BAD_INDEX;
    copy(s + i->a, list + 1 + index * step, step);
    return TW_OK;
}

tw_status tw_native_PUT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t step = 0;
    const tw_type *type = list_type(x, i, &step);
    int64_t *list = s + i->a;
    const int64_t index = s[i->c];
    if (!index_fits(list, type, index)) return TW_TRAP_BAD_INDEX;
    copy(list + 1 + index * step, s + i->b, step);
    return TW_OK;
}

tw_status tw_native_PUSH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t step = 0;
    const tw_type *type = list_type(x, i, &step);
    int64_t *list = s + i->a;
    const int64_t count = list[0];
    if (!count_fits(list, type)) return TW_TRAP_BAD_INDEX;
    if (count == type->max) return TW_TRAP_FULL;
    copy(list + 1 + count * step, s + i->b, step);
    list[0] = count + 1;
    return TW_OK;
}

tw_status tw_native_DROP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t step = 0;
    const tw_type *type = list_type(x, i, &step);
    int64_t *list = s + i->a;
    const int64_t index = s[i->b];
    if (!index_fits(list, type, index)) return TW_TRAP_BAD_INDEX;
    x->gas += (uint64_t)list[0] * step * TW_GAS_MOVED / 8;
    int64_t *at = list + 1 + index * step;
    const size_t after = (size_t)(list[0] - 1 - index);
    memmove(at, at + step, after * step * sizeof *s);
    memset(list + 1 + (list[0] - 1) * step, 0, step * sizeof *s);
    list[0]--;
    return TW_OK;
}

tw_status tw_native_FIND(tw_exec *x, int64_t *s, const tw_insn *i)
{
    uint32_t step = 0;
    const tw_type *type = list_type(x, i, &step);
    const int64_t *list = s + i->b;
    if (!count_fits(list, type)) return TW_TRAP_BAD_INDEX;
    x->gas += tw_cost_find((uint64_t)list[0], step);
    const int64_t *wanted = s + i->c;
    const int64_t *end = list + 1 + list[0] * step;
    const int64_t first = wanted[0];
    const int64_t *at = list + 1;
    while (at < end && (at[0] != first || !same(at, wanted, step))) at += step;
    s[i->a] = at < end;
    return TW_OK;
}
