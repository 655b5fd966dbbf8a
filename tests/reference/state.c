/* state -- what the reference does with the state: keys by their layout, reads that are counted and
 * charged, counts of maps, members of roles. Used by all its instructions. */
#include "tests/reference/machine.h"

#include <string.h>

tw_status ref_get(reference *r, const tw_key *key, tw_bytes *ret_value, bool *ret_found)
{
    *ret_value = tw_bytes_of(NULL, 0);
    r->used.reads++;
    return tw_overlay_get(r->c->overlay, tw_key_bytes(key), ret_value, ret_found);
}

tw_status ref_get_charged(reference *r, const tw_key *key, tw_bytes *ret_value, bool *ret_found)
{
    TW_TRY(ref_get(r, key, ret_value, ret_found));
    r->used.gas += ref_read_gas(1, *ret_found ? ret_value->size : 0);
    return TW_OK;
}

tw_status ref_put(reference *r, const tw_key *key, tw_bytes value)
{
    return tw_overlay_put(r->c->overlay, tw_key_bytes(key), value);
}

tw_status ref_delete(reference *r, const tw_key *key)
{
    return tw_overlay_delete(r->c->overlay, tw_key_bytes(key));
}

tw_key ref_field_key(const reference *r, uint32_t id)
{
    tw_key key = tw_key_of(TW_SPACE_FIELD, &r->c->id);
    tw_key_u32(&key, id);
    return key;
}

tw_status ref_key_in(const reference *r, const tw_field *f, const int64_t *slots, tw_key *ret_key)
{
    *ret_key = ref_field_key(r, f->id);
    if (f->kind == TW_FIELD_VAR) return TW_OK;
    tw_writer w = tw_writer_fixed(ret_key->data + ret_key->size, TW_KEY_SIZE_MAX);
    TW_TRY(tw_key_encode(r->m, f->key_type, slots, &w));
    ret_key->size += w.size;
    return TW_OK;
}

tw_status ref_is_member(reference *r, uint32_t role, const tw_account *account, bool *ret_member)
{
    tw_key key = tw_key_of(TW_SPACE_MEMBER, &r->c->id);
    tw_bytes value;
    tw_key_u8(&key, (uint8_t)role);
    tw_key_raw(&key, account->bytes, sizeof account->bytes);
    return ref_get(r, &key, &value, ret_member);
}

tw_status ref_role(reference *r, uint32_t role, uint32_t *ret_count, tw_account *ret_holder)
{
    tw_key key = tw_key_of(TW_SPACE_ROLE, &r->c->id);
    tw_bytes value;
    bool found = false;
    tw_key_u8(&key, (uint8_t)role);
    TW_TRY(ref_get(r, &key, &value, &found));
    *ret_count = found ? tw_load_u32(value.data + 1) : 0;
    *ret_holder = (tw_account){{0}};
    if (found && value.size == 1 + 4 + 32) memcpy(ret_holder->bytes, value.data + 5, 32);
    return TW_OK;
}

tw_status ref_count(reference *r, const tw_field *f, bool more)
{
    const tw_key key = ref_field_key(r, f->id);
    uint8_t bytes[REF_COUNT_SIZE] = {TW_STATE_TAG};
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_get(r, &key, &value, &found));
    const uint32_t count = found ? tw_load_u32(value.data + 1) : 0;
    r->used.gas += ref_read_gas(1, REF_COUNT_SIZE);
    if (more && count >= f->max) return TW_TRAP_FULL;
    const uint32_t after = more ? count + 1 : count - 1;
    r->used.gas += ref_write_gas(1, REF_COUNT_SIZE);
    if (after == 0) return ref_delete(r, &key);
    tw_store_u32(bytes + 1, after);
    return ref_put(r, &key, tw_bytes_of(bytes, sizeof bytes));
}

uint32_t ref_member_at(const tw_module *m, const tw_field *f, uint32_t member)
{
    uint32_t slots = 0;
    const tw_members *members = &m->types[f->value_type].members;
    for (uint32_t i = 0; i < member; i++) slots += m->types[members->items[i].type].slots;
    return slots;
}

tw_status ref_decode(const reference *r, uint16_t type, tw_bytes bytes, int64_t *ret_slots)
{
    tw_reader reader = tw_reader_of(bytes);
    const tw_status status = tw_value_decode(r->m, type, &reader, ret_slots);
    return status == TW_OK && tw_reader_done(&reader) ? TW_OK : TW_ERR_CORRUPT;
}

tw_account ref_account(const int64_t *slots)
{
    tw_account account;
    for (int i = 0; i < 4; i++) tw_store_u64(account.bytes + 8 * i, (uint64_t)slots[i]);
    return account;
}
