/* contract -- the two records of a contract. Integers big-endian, first byte TW_STATE_TAG.
 *
 *     contract: tag | code hash 32 | deployer 32 | deployed at 8 | params slot by slot 8 |
 *               constants 8 | assets of its monies 32
 *     control:  tag | phase 2 | since 8 | grants 8 | history count 8 | head 32 |
 *               per alarm: up 1, edge 1, attempts 1, time 8, due 8, indexed 8 |
 *               per timer entry: due 8, attempts 1
 */
#include "vm/exec/contract.h"

#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

tw_status tw_contract_new(const tw_hash *id, const tw_code *code, tw_overlay *overlay,
                          tw_arena *arena, tw_contract **ret_contract)
{
    const tw_module *m = code->module;
    tw_contract *c = TW_NEW(arena, tw_contract);
    if (c == NULL) return TW_ERR_MEMORY;
    c->id = *id;
    c->code = code;
    c->overlay = overlay;
    c->params = TW_NEW_ARRAY(arena, int64_t, code->param_slots);
    c->deployed = TW_NEW_ARRAY(arena, int64_t, m->deployed_count);
    c->assets = TW_NEW_ARRAY(arena, tw_hash, m->money_count);
    c->control.alarms = TW_NEW_ARRAY(arena, tw_alarm_state, m->alarm_count);
    c->control.timers = TW_NEW_ARRAY(arena, tw_timer_state, m->entry_count);
    c->control_bytes = TW_NEW_ARRAY(arena, uint8_t, tw_size_control(m));
    if (c->params == NULL || c->deployed == NULL || c->assets == NULL ||
        c->control.alarms == NULL || c->control.timers == NULL || c->control_bytes == NULL) {
        return TW_ERR_MEMORY;
    }
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        c->control.alarms[i] = (tw_alarm_state){.indexed = TW_NEVER};
    }
    for (uint16_t i = 0; i < m->entry_count; i++) c->control.timers[i].due = TW_NEVER;
    *ret_contract = c;
    return TW_OK;
}

tw_status tw_contract_find(tw_overlay *overlay, const tw_hash *id, tw_hash *ret_code,
                           bool *ret_found)
{
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, id);
    tw_bytes value;
    TW_TRY(tw_overlay_get(overlay, tw_key_bytes(&key), &value, ret_found));
    if (!*ret_found) return TW_OK;
    if (value.size < 1 + TW_HASH_SIZE) return TW_ERR_CORRUPT;
    memcpy(ret_code->bytes, value.data + 1, TW_HASH_SIZE);
    return TW_OK;
}

tw_status tw_contract_save(tw_contract *c)
{
    tw_writer w = tw_writer_new(TW_STORE_VALUE_MAX);
    tw_write_u8(&w, TW_STATE_TAG);
    tw_write_raw(&w, c->code->hash.bytes, TW_HASH_SIZE);
    tw_write_raw(&w, c->deployer.bytes, sizeof c->deployer.bytes);
    tw_write_i64(&w, c->deployed_at);
    for (uint32_t i = 0; i < c->code->param_slots; i++) tw_write_i64(&w, c->params[i]);
    for (uint16_t i = 0; i < c->code->module->deployed_count; i++) tw_write_i64(&w, c->deployed[i]);
    for (uint16_t i = 0; i < c->code->module->money_count; i++) {
        tw_write_raw(&w, c->assets[i].bytes, TW_HASH_SIZE);
    }
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, &c->id);
    const tw_status status =
        w.bad ? TW_ERR_MEMORY : tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_writer_bytes(&w));
    tw_writer_free(&w);
    return status;
}

tw_status tw_contract_load(tw_contract *c)
{
    const tw_key key = tw_key_of(TW_SPACE_CONTRACT, &c->id);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, &found));
    if (!found) return TW_ERR_CORRUPT;
    tw_reader r = tw_reader_of(value);
    (void)tw_read_raw(&r, 1 + TW_HASH_SIZE);
    tw_read_copy(&r, c->deployer.bytes, sizeof c->deployer.bytes);
    c->deployed_at = tw_read_i64(&r);
    for (uint32_t i = 0; i < c->code->param_slots; i++) c->params[i] = tw_read_i64(&r);
    for (uint16_t i = 0; i < c->code->module->deployed_count; i++) c->deployed[i] = tw_read_i64(&r);
    for (uint16_t i = 0; i < c->code->module->money_count; i++) {
        tw_read_copy(&r, c->assets[i].bytes, TW_HASH_SIZE);
    }
    if (!tw_reader_done(&r)) return TW_ERR_CORRUPT;
    return tw_contract_load_control(c);
}

static void remember_control(tw_contract *c, tw_bytes record)
{
    memcpy(c->control_bytes, record.data, record.size);
    c->control_size = record.size;
    c->control_changed = false;
}

tw_status tw_contract_load_control(tw_contract *c)
{
    const tw_module *m = c->code->module;
    tw_key key;
    tw_key_begin(&key, TW_SPACE_CONTROL, &c->id);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(&key), &value, &found));
    if (!found || value.size > tw_size_control(m)) return TW_ERR_CORRUPT;
    if (!c->control_changed &&
        tw_bytes_equal(value, (tw_bytes){c->control_bytes, c->control_size})) {
        return TW_OK;
    }
    tw_control *k = &c->control;
    tw_reader r = tw_reader_of(value);
    (void)tw_read_u8(&r);
    k->phase = tw_read_u16(&r);
    k->phase_since = tw_read_i64(&r);
    k->grants = tw_read_u64(&r);
    k->history_count = tw_read_u64(&r);
    tw_read_copy(&r, k->history_head.bytes, TW_HASH_SIZE);
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        tw_alarm_state *a = &k->alarms[i];
        a->up = tw_read_bool(&r);
        a->edge = tw_read_u8(&r);
        a->attempts = tw_read_u8(&r);
        a->time = tw_read_i64(&r);
        a->due = tw_read_i64(&r);
        a->indexed = tw_read_i64(&r);
    }
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (!tw_entry_is_timer(&m->entries[i])) continue;
        k->timers[i].due = tw_read_i64(&r);
        k->timers[i].attempts = tw_read_u8(&r);
    }
    if (!tw_reader_done(&r) || k->phase >= m->phases.count) return TW_ERR_CORRUPT;
    remember_control(c, value);
    return TW_OK;
}

tw_status tw_contract_save_control(tw_contract *c)
{
    const tw_module *m = c->code->module;
    const tw_control *k = &c->control;
    uint8_t memory[128 + 32 * TW_ALARMS_MAX + 16 * TW_ENTRIES_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&w, TW_STATE_TAG);
    tw_write_u16(&w, k->phase);
    tw_write_i64(&w, k->phase_since);
    tw_write_u64(&w, k->grants);
    tw_write_u64(&w, k->history_count);
    tw_write_raw(&w, k->history_head.bytes, TW_HASH_SIZE);
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        const tw_alarm_state *a = &k->alarms[i];
        tw_write_u8(&w, a->up);
        tw_write_u8(&w, a->edge);
        tw_write_u8(&w, a->attempts);
        tw_write_i64(&w, a->time);
        tw_write_i64(&w, a->due);
        tw_write_i64(&w, a->indexed);
    }
    for (uint16_t i = 0; i < m->entry_count; i++) {
        if (!tw_entry_is_timer(&m->entries[i])) continue;
        tw_write_i64(&w, k->timers[i].due);
        tw_write_u8(&w, k->timers[i].attempts);
    }
    assert(!w.bad && w.size <= tw_size_control(m));
    const tw_key key = tw_key_of(TW_SPACE_CONTROL, &c->id);
    TW_TRY(tw_overlay_put(c->overlay, tw_key_bytes(&key), tw_writer_bytes(&w)));
    remember_control(c, tw_writer_bytes(&w));
    return TW_OK;
}
