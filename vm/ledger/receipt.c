/* receipt -- see the header. */
#include "vm/ledger/receipt.h"

enum { PART_PACK = 1, PART_FEE = 2 };

static void write_run(const tw_run *run, tw_writer *w)
{
    tw_write_raw(w, run->contract.bytes, TW_HASH_SIZE);
    tw_write_u16(w, run->entry);
    tw_write_u16(w, (uint16_t)run->status);
    tw_write_u16(w, run->index);
    tw_write_short(w, run->fields);
    tw_write_u64(w, run->gas);
    tw_write_u32(w, run->writes);
    tw_write_long(w, run->notices);
}

static void write_intake(const tw_intake *intake, tw_writer *w)
{
    tw_write_u32(w, intake->accepted);
    tw_write_u16(w, (uint16_t)intake->refused_count);
    for (uint32_t i = 0; i < intake->refused_count; i++) {
        tw_write_u16(w, intake->refused[i].place);
        tw_write_u8(w, intake->refused[i].reason);
    }
    tw_write_u32(w, intake->edge_count); /* 4,096 readings may turn 64 alarms each */
    for (uint32_t i = 0; i < intake->edge_count; i++) {
        tw_write_u16(w, intake->edges[i].alarm);
        tw_write_u8(w, intake->edges[i].edge);
        tw_write_i64(w, intake->edges[i].time);
    }
}

void tw_receipt_encode(const tw_receipt *receipt, tw_writer *w)
{
    tw_write_u8(w, receipt->kind);
    tw_write_raw(w, receipt->transaction.bytes, TW_HASH_SIZE);
    write_run(&receipt->run, w);
    const bool paid = receipt->fee > 0;
    tw_write_u8(w, (uint8_t)((receipt->has_intake ? PART_PACK : 0) | (paid ? PART_FEE : 0)));
    if (receipt->has_intake) write_intake(&receipt->intake, w);
    if (paid) tw_write_i64(w, receipt->fee);
    tw_write_u16(w, receipt->handler_count);
    for (uint16_t i = 0; i < receipt->handler_count; i++) write_run(&receipt->handlers[i], w);
}

static void read_run(tw_reader *r, tw_run *run)
{
    tw_read_copy(r, run->contract.bytes, TW_HASH_SIZE);
    run->entry = tw_read_u16(r);
    run->status = (tw_status)tw_read_u16(r);
    run->index = tw_read_u16(r);
    run->fields = tw_read_short(r, UINT16_MAX);
    run->gas = tw_read_u64(r);
    run->writes = tw_read_u32(r);
    run->notices = tw_read_long(r, UINT32_MAX);
}

static tw_status read_intake(tw_reader *r, tw_arena *arena, tw_intake *intake)
{
    intake->accepted = tw_read_u32(r);
    intake->refused_count = tw_read_u16(r);
    if (tw_reader_left(r) < 3u * intake->refused_count) return TW_REFUSED_ENCODING;
    intake->refused = TW_NEW_ARRAY(arena, tw_refused, intake->refused_count);
    if (intake->refused == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < intake->refused_count; i++) {
        intake->refused[i].place = tw_read_u16(r);
        intake->refused[i].reason = tw_read_u8(r);
    }
    intake->edge_count = tw_read_u32(r);
    if (tw_reader_left(r) / 11 < intake->edge_count) return TW_REFUSED_ENCODING;
    intake->edges = TW_NEW_ARRAY(arena, tw_edge_note, intake->edge_count);
    if (intake->edges == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < intake->edge_count; i++) {
        intake->edges[i].alarm = tw_read_u16(r);
        intake->edges[i].edge = tw_read_u8(r);
        intake->edges[i].time = tw_read_i64(r);
    }
    return TW_OK;
}

tw_status tw_receipt_decode(tw_reader *r, tw_arena *arena, tw_receipt *ret_receipt)
{
    tw_receipt receipt = {.kind = tw_read_u8(r)};
    tw_read_copy(r, receipt.transaction.bytes, TW_HASH_SIZE);
    read_run(r, &receipt.run);
    const uint8_t parts = tw_read_u8(r);
    if (parts > (PART_PACK | PART_FEE)) return TW_REFUSED_ENCODING;
    receipt.has_intake = (parts & PART_PACK) != 0;
    if (receipt.has_intake) TW_TRY(read_intake(r, arena, &receipt.intake));
    if ((parts & PART_FEE) != 0) {
        receipt.fee = tw_read_i64(r);
        if (receipt.fee <= 0) return TW_REFUSED_ENCODING;
    }
    receipt.handler_count = tw_read_u16(r);
    if (receipt.handler_count > tw_reader_left(r)) return TW_REFUSED_ENCODING;
    receipt.handlers = TW_NEW_ARRAY(arena, tw_run, receipt.handler_count);
    if (receipt.handlers == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < receipt.handler_count; i++) read_run(r, &receipt.handlers[i]);
    if (r->bad) return TW_REFUSED_ENCODING;
    *ret_receipt = receipt;
    return TW_OK;
}
