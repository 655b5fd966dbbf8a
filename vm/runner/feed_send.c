/* feed_send -- packs of rows, signed by the device, one a block. See feed.h.
 *
 * A block has the time of the newest reading so far, so a pack is sent before it spans more than
 * the smallest max_age of its readings: else its first ones would be too old. On a simulated clock
 * a timer that is due between two readings gets a block of its own, before the later one.
 */
#include "vm/runner/feed.h"

#include "vm/exec/device.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { BAR_WIDTH = 24, BAR_MS = 100, STUCK_MAX = 4096 };

uint64_t feed_clock_ns(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the bar ---- */

static void draw(feeder *f, bool last)
{
    char rows[TW_GROUPED_MAX], rate[TW_GROUPED_MAX], bar[BAR_WIDTH + 1];
    const int64_t now = tw_time_now();
    if (!f->app->terminal || (!last && now - f->drawn < BAR_MS)) return;
    if (last) {
        if (f->drawn != 0) fputs("\r\033[K", stderr);
        return;
    }
    f->drawn = now;
    const uint64_t done = f->rows;
    const uint64_t elapsed = (feed_clock_ns() - f->start_ns) / 1000000;
    tw_grouped(elapsed > 0 ? f->sent * 1000 / elapsed : 0, rate);
    tw_grouped(done, rows);
    if (f->rows_total == 0) {
        fprintf(stderr, "\r%s rows, %s readings/s\033[K", rows, rate);
        return;
    }
    const uint64_t filled = done * BAR_WIDTH / f->rows_total;
    for (uint64_t i = 0; i < BAR_WIDTH; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    const uint64_t left = done > 0 ? elapsed * (f->rows_total - done) / done / 1000 : 0;
    fprintf(stderr, "\r[%s] %3llu %%  %s rows  %s readings/s  %llu s left\033[K", bar,
            (unsigned long long)(done * 100 / f->rows_total), rows, rate, (unsigned long long)left);
}

/* ---- timers ---- */

static tw_status look_for_due(feeder *f)
{
    if (!f->session->simulated) return TW_OK;
    return tw_ledger_next_due(f->session->ledger, &f->due, &f->has_due);
}

static tw_status timer_block(feeder *f)
{
    tw_block_info info;
    tw_ledger *ledger = f->session->ledger;
    const int64_t head = tw_ledger_head(ledger)->time;
    TW_TRY(tw_block_begin(ledger, f->due > head ? f->due : head, &f->app->err));
    TW_TRY(tw_block_commit(ledger, &info, &f->app->err));
    TW_TRY(feed_tell_block(f, &info, NULL));
    return look_for_due(f);
}

/* ---- packs ---- */

static tw_status device_numbers(feeder *f, const feed_lane *lane, tw_pack *pack)
{
    tw_contract *contract = NULL;
    const uint8_t *record = NULL;
    bool found = false;
    tw_arena *arena = f->session->arena;
    const tw_mark mark = tw_arena_mark(arena);
    TW_TRY(tw_ledger_contract(f->session->ledger, &lane->contract, arena, &contract, &f->app->err));
    TW_TRY(tw_device_get(contract, &lane->key->account, &record, &found));
    if (found) {
        pack->grant = tw_load_u64(record + TW_DEVICE_GRANT);
        pack->sequence = tw_load_u64(record + TW_DEVICE_SEQUENCE) + 1;
    }
    tw_arena_reset(arena, mark);
    if (found) return TW_OK;
    return tw_app_fail(f->app, "%s is no device of %s any more: its role was revoked",
                       lane->key->name, lane->label);
}

static tw_status sign_pack(feeder *f, feed_lane *lane, const tw_secret *secret)
{
    tw_pack pack = {
        .contract = lane->contract, .device = lane->key->account, .items = lane->pack.items};
    TW_TRY(device_numbers(f, lane, &pack));
    for (uint32_t i = 0; i < lane->rows.map_count; i++) {
        const char *field = lane->rows.maps[i].reading->field;
        pack.fields[i] = tw_bytes_of(field, strlen(field));
    }
    pack.field_count = (uint8_t)lane->rows.map_count;
    pack.item_count = (uint16_t)lane->pack.count;
    tw_writer_clear(&f->bytes);
    return tw_pack_encode(&pack, tw_ledger_chain(f->session->ledger), secret, &f->bytes);
}

/* The signed pack as a transaction of the carrier. */
static tw_status carry_pack(feeder *f, const tw_named_key *carrier, const tw_secret *secret)
{
    tw_tx tx = {.kind = TW_TX_PACK, .signer_count = 1};
    tw_hash id;
    tx.pack = tw_writer_bytes(&f->bytes);
    tx.chain = *tw_ledger_chain(f->session->ledger);
    tx.signers[0] = carrier->account;
    TW_TRY(tw_ledger_nonce(f->session->ledger, &carrier->account, &tx.nonce));
    /* its size does not depend on the limit: body, payload, one signature */
    const size_t size = 1 + 1 + 32 + 1 + 32 + 8 + 8 + 4 + tx.pack.size + 64;
    TW_TRY(tw_ledger_gas_bound(f->session->ledger, &tx, size, &tx.gas_limit, &f->app->err));
    TW_TRY(tw_session_can_pay(f->session, &tx, &f->app->err));
    tw_writer_clear(&f->transaction);
    return tw_tx_encode(&tx, secret, &f->transaction, &id);
}

static tw_status make_transaction(feeder *f, feed_lane *lane)
{
    tw_secret secret;
    const tw_named_key *carrier = f->carrier != NULL ? f->carrier : lane->key;
    TW_TRY(tw_keyring_secret(f->session->keyring, lane->key, &secret, &f->app->err));
    tw_status status = sign_pack(f, lane, &secret);
    if (status == TW_OK && carrier != lane->key) {
        status = tw_keyring_secret(f->session->keyring, carrier, &secret, &f->app->err);
    }
    if (status == TW_OK) status = carry_pack(f, carrier, &secret);
    OPENSSL_cleanse(&secret, sizeof secret);
    return status;
}

static int64_t block_time(const feeder *f)
{
    if (!f->session->simulated) return tw_session_now(f->session);
    const int64_t head = tw_ledger_head(f->session->ledger)->time;
    return f->newest > head ? f->newest : head;
}

static tw_status refuse_pack(const feeder *f, const feed_lane *lane, tw_status status)
{
    const feed_pack *p = &lane->pack;
    return tw_app_fail(f->app, "%s:%llu to %llu: the pack is refused: %s", lane->rows.path,
                       (unsigned long long)p->lines[0], (unsigned long long)p->lines[p->count - 1],
                       tw_status_text(status));
}

/* The lane's pack as one block. */
static tw_status flush(feeder *f, feed_lane *lane)
{
    tw_receipt receipt;
    tw_block_info info;
    tw_ledger *ledger = f->session->ledger;
    if (lane->pack.count == 0) return TW_OK;
    const uint64_t start = feed_clock_ns();
    const tw_status made = make_transaction(f, lane);
    f->sign_ns += feed_clock_ns() - start;
    TW_TRY(made);
    TW_TRY(tw_block_begin(ledger, block_time(f), &f->app->err));
    const tw_status added =
        tw_block_add(ledger, tw_writer_bytes(&f->transaction), &receipt, &f->app->err);
    if (added != TW_OK) {
        tw_block_abort(ledger);
        return added;
    }
    const tw_status outcome = receipt.run.status;
    f->fees += receipt.fee;
    TW_TRY(tw_block_commit(ledger, &info, &f->app->err));
    TW_TRY(feed_tell_block(f, &info, lane));
    if (outcome != TW_OK) return refuse_pack(f, lane, outcome);
    lane->pack.count = 0;
    return look_for_due(f);
}

/* All packs that wait; with `time` 0 or above only those that a block at `time` would find too
 * old. */
static tw_status flush_lanes(feeder *f, int64_t time, bool *ret_any)
{
    *ret_any = false;
    for (uint32_t i = 0; i < f->lane_count; i++) {
        feed_lane *lane = &f->lanes[i];
        if (lane->pack.count == 0) continue;
        if (time >= 0 && time - lane->pack_first <= lane->span_max) continue;
        *ret_any = true;
        TW_TRY(flush(f, lane));
    }
    return TW_OK;
}

/* Timers that are due before this reading, or with it, go first. */
static tw_status timers_until(feeder *f, int64_t time)
{
    for (uint32_t i = 0; f->has_due && f->due <= time && i < STUCK_MAX; i++) {
        bool any = false;
        TW_TRY(flush_lanes(f, -1, &any)); /* readings may have moved the timer */
        if (any) continue;
        const int64_t before = f->due;
        TW_TRY(timer_block(f));
        if (f->due > before) i = 0;
        draw(f, false);
    }
    return TW_OK;
}

tw_status feed_send_row(feeder *f, feed_lane *lane, const feed_row *row)
{
    bool any = false;
    feed_pack *p = &lane->pack;
    f->rows++;
    lane->tally.rows++;
    if (row->count == 0) return TW_OK;
    TW_TRY(timers_until(f, row->time));
    TW_TRY(flush_lanes(f, row->time > f->newest ? row->time : f->newest, &any));
    if (p->count + row->count > lane->pack_max) TW_TRY(flush(f, lane));
    const bool in_order = row->time >= lane->newest;
    /* a reading behind its time is refused anyway: the pack goes on as if it were not there */
    if (p->count == 0) lane->pack_first = in_order ? row->time : lane->newest;
    for (uint32_t i = 0; i < row->count; i++) {
        p->items[p->count] = (tw_pack_item){(uint8_t)row->maps[i], row->time, row->values[i]};
        p->lines[p->count++] = row->line;
    }
    f->sent += row->count;
    lane->tally.sent += row->count;
    if (in_order) lane->newest = row->time;
    if (row->time > f->newest) f->newest = row->time;
    draw(f, false);
    return TW_OK;
}

tw_status feed_send_rest(feeder *f)
{
    bool any = false;
    const tw_status status = flush_lanes(f, -1, &any);
    draw(f, true);
    return status;
}

/* What a block has room for. */
static tw_status limit_pack(feeder *f, feed_lane *lane)
{
    tw_contract *contract = NULL;
    TW_TRY(tw_ledger_contract(f->session->ledger, &lane->contract, f->session->arena, &contract,
                              &f->app->err));
    const tw_facts *facts = contract->code->facts;
    uint64_t reading = 1;
    for (uint32_t i = 0; i < lane->rows.map_count; i++) {
        const uint64_t gas = facts->intake_gas[lane->rows.maps[i].index];
        const uint64_t bytes = 17 * (uint64_t)TW_GAS_TX_BYTE; /* of a reading in a pack */
        if (gas + bytes > reading) reading = gas + bytes;
    }
    const uint64_t whole = tw_ledger_genesis(f->session->ledger)->block_gas_max;
    const uint64_t base =
        facts->pack.gas + TW_GAS_TX + TW_GAS_SIGNATURE + 8192 * (uint64_t)TW_GAS_TX_BYTE;
    const uint64_t room = whole > base ? (whole - base) / reading : 0;
    if (room < lane->rows.map_count) {
        return tw_app_fail(f->app, "a block has no room for a pack of %s", lane->label);
    }
    if (room < lane->pack_max) lane->pack_max = (uint32_t)room;
    if (lane->pack_max < lane->rows.map_count) lane->pack_max = lane->rows.map_count;
    return TW_OK;
}

tw_status feed_send_start(feeder *f, uint32_t pack_max)
{
    for (uint32_t i = 0; i < f->lane_count; i++) {
        feed_lane *lane = &f->lanes[i];
        lane->pack_max = pack_max;
        lane->newest = -1;
        lane->span_max = INT64_MAX;
        for (uint32_t k = 0; k < lane->rows.map_count; k++) {
            const int64_t age = lane->rows.maps[k].reading->age_max_ms;
            if (age < lane->span_max) lane->span_max = age;
        }
        TW_TRY(limit_pack(f, lane));
    }
    f->newest = -1;
    return look_for_due(f);
}
