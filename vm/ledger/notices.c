/* notices -- see the header. */
#include "vm/ledger/notices.h"

tw_hash tw_notice_hash(const tw_notice_view *history)
{
    return tw_hash_tagged("twvm/history", &history->whole, 1);
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
