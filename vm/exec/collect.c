/* collect -- instructions over maps, registries' keys and lists, and statistics across devices. */
#include "vm/exec/field.h"
#include "vm/exec/machine.h"

#include "vm/verify/cost.h"

tw_status tw_field_key_at(const tw_contract *c, uint32_t id, uint16_t key_type,
                          const int64_t *slots, tw_key *ret_key)
{
    tw_key key = tw_field_key(c, id);
    tw_writer w = tw_writer_fixed(key.data + key.size, TW_KEY_SIZE_MAX);
    TW_TRY(tw_key_encode(c->code->module, key_type, slots, &w));
    key.size += w.size;
    *ret_key = key;
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

tw_status tw_native_EXISTS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_REMOVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_SIZE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_NEXT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_TOP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_ITEM(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_PUT(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_PUSH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_DROP(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_FIND(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}

tw_status tw_native_ACROSS(tw_exec *x, int64_t *s, const tw_insn *i)
{
    (void)x;
    (void)s;
    (void)i;
    return TW_ERR_INTERNAL;
}
