/* notice -- see the header. */
#include "vm/exec/notice.h"

void tw_notice_write_event(tw_writer *w, uint16_t event, tw_bytes fields)
{
    tw_write_u8(w, TW_NOTICE_EVENT);
    tw_write_u16(w, event);
    tw_write_short(w, fields);
}

tw_hash tw_notice_hash(const tw_notice_view *history)
{
    return tw_hash_tagged("twvm/history", &history->whole, 1);
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

static void read_place(tw_reader *r, tw_place *place)
{
    place->purse = tw_read_u16(r);
    tw_read_copy(r, place->account.bytes, sizeof place->account.bytes);
}

static void read_money(tw_reader *r, tw_notice_view *n)
{
    n->transfer = tw_read_u8(r);
    n->index = tw_read_u16(r);
    n->amount = tw_read_i64(r);
    read_place(r, &n->from);
    read_place(r, &n->to);
    if (n->transfer < TW_TRANSFER_RECEIVE || n->transfer >= TW_TRANSFER_KINDS || n->amount <= 0) {
        r->bad = true;
    }
}

static void read_entry(tw_reader *r, tw_notice_view *n)
{
    n->number = tw_read_u64(r);
    n->time = tw_read_i64(r);
    tw_read_copy(r, n->caller.bytes, sizeof n->caller.bytes);
    tw_read_copy(r, n->transaction.bytes, TW_HASH_SIZE);
    tw_read_copy(r, n->before.bytes, TW_HASH_SIZE);
}

static bool is_history(uint8_t kind)
{
    return kind == TW_NOTICE_HISTORY || kind == TW_NOTICE_THING_HISTORY;
}

bool tw_notice_read(tw_reader *r, tw_notice_view *ret_notice)
{
    if (tw_reader_left(r) == 0) return false;
    tw_notice_view n = {0};
    const uint8_t *start = r->data + r->at;
    n.kind = tw_read_u8(r);
    if (n.kind == TW_NOTICE_MONEY) {
        read_money(r, &n);
    } else if (n.kind == TW_NOTICE_EVENT || is_history(n.kind)) {
        if (n.kind == TW_NOTICE_THING_HISTORY) {
            n.registry = tw_read_u16(r);
            n.key = tw_read_short(r, UINT16_MAX);
        }
        n.index = tw_read_u16(r);
        if (is_history(n.kind)) read_entry(r, &n);
        n.fields = tw_read_short(r, UINT16_MAX);
    } else {
        r->bad = true;
    }
    if (r->bad) return false;
    n.whole = tw_bytes_of(start, (size_t)(r->data + r->at - start));
    *ret_notice = n;
    return true;
}
