/* notice -- see the header. */
#include "vm/exec/notice.h"

void tw_notice_write_event(tw_writer *w, uint16_t event, tw_bytes fields)
{
    tw_write_u8(w, TW_NOTICE_EVENT);
    tw_write_u16(w, event);
    tw_write_short(w, fields);
}

void tw_notice_write_history(tw_writer *w, const tw_notice_view *entry, tw_hash *ret_hash)
{
    const size_t start = w->size;
    const bool of_thing = entry->kind == TW_NOTICE_THING_HISTORY;
    tw_write_u8(w, of_thing ? TW_NOTICE_THING_HISTORY : TW_NOTICE_HISTORY);
    if (of_thing) {
        tw_write_u16(w, entry->registry);
        tw_write_short(w, entry->key);
    }
    tw_write_u16(w, entry->index);
    tw_write_u64(w, entry->number);
    tw_write_i64(w, entry->time);
    tw_write_raw(w, entry->caller.bytes, sizeof entry->caller.bytes);
    tw_write_raw(w, entry->transaction.bytes, TW_HASH_SIZE);
    tw_write_raw(w, entry->before.bytes, TW_HASH_SIZE);
    tw_write_short(w, entry->fields);
    if (w->bad) return;
    const tw_bytes whole = tw_bytes_of(w->data + start, w->size - start);
    *ret_hash = tw_hash_tagged("twvm/history", &whole, 1);
}

static void write_place(tw_writer *w, const tw_place *place)
{
    tw_write_u16(w, place->purse);
    tw_write_raw(w, place->account.bytes, sizeof place->account.bytes);
}

void tw_notice_write_money(tw_writer *w, const tw_notice_view *moved)
{
    tw_write_u8(w, TW_NOTICE_MONEY);
    tw_write_u8(w, moved->transfer);
    tw_write_u16(w, moved->index);
    tw_write_i64(w, moved->amount);
    write_place(w, &moved->from);
    write_place(w, &moved->to);
}
