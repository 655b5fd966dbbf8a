/* fuzz_receipt -- any bytes as receipts one after another: each that decodes must encode to the
 * same bytes, and its events, history entries and transfers can be read to their end. */
#include "tests/fuzz/check.h"
#include "vm/ledger/receipt.h"

enum { MEMORY_MAX = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void notices(tw_bytes bytes)
{
    tw_reader r = tw_reader_of(bytes);
    tw_notice_view notice;
    size_t read = 0;
    while (tw_notice_read(&r, &notice)) {
        tw_hash hash;
        tw_writer w = tw_writer_new(UINT16_MAX * 2);
        if (notice.kind == TW_NOTICE_EVENT) {
            tw_notice_write_event(&w, notice.index, notice.fields);
        } else if (notice.kind == TW_NOTICE_MONEY) {
            tw_notice_write_money(&w, &notice);
        } else {
            tw_notice_write_history(&w, &notice, &hash);
            const tw_hash again = tw_notice_hash(&notice);
            check(tw_hash_equal(&hash, &again));
        }
        check(tw_bytes_equal(tw_writer_bytes(&w), notice.whole));
        read += notice.whole.size;
        tw_writer_free(&w);
    }
    check(read <= bytes.size && (r.bad || read == bytes.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tw_arena *arena = tw_arena_new(MEMORY_MAX);
    tw_reader r = tw_reader_of(tw_bytes_of(data, size));
    tw_receipt receipt;
    check(arena != NULL);
    size_t start = 0;
    while (tw_reader_left(&r) > 0 && tw_receipt_decode(&r, arena, &receipt) == TW_OK) {
        tw_writer w = tw_writer_new(MEMORY_MAX);
        tw_receipt_encode(&receipt, &w);
        check(tw_bytes_equal(tw_writer_bytes(&w), tw_bytes_of(data + start, r.at - start)));
        tw_writer_free(&w);
        notices(receipt.run.notices);
        for (uint16_t i = 0; i < receipt.handler_count; i++) notices(receipt.handlers[i].notices);
        start = r.at;
        tw_arena_clear(arena);
    }
    tw_arena_free(arena);
    return 0;
}
