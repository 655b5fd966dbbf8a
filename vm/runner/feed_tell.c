/* feed_tell -- what came of a feed: counters and the summary. See feed.h. */
#include "vm/runner/feed.h"

#include "vm/base/math.h"
#include "vm/exec/device.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

/* ---- one block ---- */

typedef struct noting {
    feeder *feeder;
    feed_lane *lane;
} noting;

static tw_status note_failure(const noting *n, const tw_story_item *item)
{
    tw_writer w = tw_writer_new(TEXT_MAX);
    feed_tally *t = &n->lane->tally;
    const tw_status status = tw_story_details(n->feeder->session, item, &w);
    t->failed++;
    snprintf(t->failure, sizeof t->failure, "%.30s: %.*s", item->name,
             (int)(w.size < 200 ? w.size : 200), w.size > 0 ? (const char *)w.data : "");
    tw_writer_free(&w);
    return status;
}

static tw_status note_item(void *context, const tw_story_item *item)
{
    const noting *n = context;
    feed_tally *t = &n->lane->tally;
    switch (item->kind) {
    case TW_STORY_EVENT: t->events[item->index]++; return TW_OK;
    case TW_STORY_HISTORY: t->histories[item->index]++; return TW_OK;
    case TW_STORY_EDGE: (item->up ? t->raised : t->cleared)[item->index]++; return TW_OK;
    case TW_STORY_FAILED: return note_failure(n, item);
    case TW_STORY_MONEY: return TW_OK; /* `events --money` tells it */
    case TW_STORY_ALL: break;
    }
    return TW_ERR_INTERNAL;
}

static void show_refused(const feeder *f, feed_lane *lane, const tw_refused *refused)
{
    const tw_pack_item *item = &lane->pack.items[refused->place];
    const feed_map *map = &lane->rows.maps[item->field];
    char value[TW_QUANTITY_TEXT_MAX], time[TW_TIME_TEXT_MAX];
    const char *wipe = f->app->terminal ? "\r\033[K" : "";
    if (!f->verbose && lane->tally.refused_shown >= FEED_REFUSED_SHOWN) {
        if (lane->tally.refused_shown++ == FEED_REFUSED_SHOWN) {
            fprintf(stderr, "%s... more readings are refused; --verbose names them all\n", wipe);
        }
        return;
    }
    lane->tally.refused_shown++;
    tw_quantity_print(item->value, map->dimension, value);
    fprintf(stderr, "%s%s:%" PRIu64 ": %s %s at %s is refused: %s\n", wipe, lane->rows.path,
            lane->pack.lines[refused->place], map->reading->name, value,
            tw_time_print(item->time, time), tw_refusal_text((tw_refusal)refused->reason));
}

/* The readings of a pack: taken in, or refused each with its reason. */
static void note_pack(const feeder *f, feed_lane *lane, const tw_intake *intake)
{
    for (uint32_t i = 0; i < intake->refused_count; i++) {
        const tw_refused *refused = &intake->refused[i];
        if (refused->place >= lane->pack.count || refused->reason >= TW_REFUSAL_COUNT) continue;
        lane->tally.refused[refused->reason]++;
        show_refused(f, lane, refused);
    }
    lane->tally.accepted += intake->accepted;
    lane->tally.packs++;
}

tw_status feed_tell_block(feeder *f, const tw_block_info *info, const feed_lane *sender)
{
    const uint64_t start = feed_clock_ns();
    tw_block block;
    tw_arena *arena = f->session->arena;
    const tw_mark mark = tw_arena_mark(arena);
    f->blocks++;
    TW_TRY(tw_ledger_block(f->session->ledger, info->height, arena, &block, &f->app->err));
    const tw_receipt *last =
        block.receipt_count > 0 ? &block.receipts[block.receipt_count - 1] : NULL;
    for (uint32_t i = 0; i < f->lane_count; i++) {
        feed_lane *lane = &f->lanes[i];
        noting n = {f, lane};
        if (lane == sender && last != NULL && last->has_intake) note_pack(f, lane, &last->intake);
        TW_TRY(tw_story_walk(f->session, &block, &lane->contract, TW_STORY_ALL, note_item, &n));
    }
    tw_arena_reset(arena, mark);
    f->tell_ns += feed_clock_ns() - start;
    return TW_OK;
}

void feed_tell_start(feeder *f)
{
    f->start_ns = feed_clock_ns();
    f->before = *tw_ledger_times_spent(f->session->ledger);
}

static uint64_t all_refused(const feed_tally *t)
{
    uint64_t sum = 0;
    for (int i = 1; i < TW_REFUSAL_COUNT; i++) sum += t->refused[i];
    return sum;
}

/* ---- the summary ---- */

static void print_count(const char *word, const char *name, uint64_t count)
{
    char text[TW_GROUPED_MAX];
    if (count > 0) printf("  %-10s %s: %s\n", word, name, tw_grouped(count, text));
}

static void print_times(const feeder *f, uint64_t elapsed)
{
    const tw_ledger_times *now = tw_ledger_times_spent(f->session->ledger);
    const struct {
        const char *name;
        uint64_t ns;
    } parts[] = {
        {"table", f->table_ns},
        {"signing", f->sign_ns},
        {"decode", now->decode_ns - f->before.decode_ns},
        {"signatures", now->signature_ns - f->before.signature_ns},
        {"execution", now->execution_ns - f->before.execution_ns},
        {"state and root", now->state_ns - f->before.state_ns},
        {"commit", now->commit_ns - f->before.commit_ns},
        {"reading back", f->tell_ns},
    };
    printf("in %" PRIu64 ".%03" PRIu64 " s:", elapsed / 1000000000, elapsed / 1000000 % 1000);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const uint64_t ms = parts[i].ns / 1000000;
        printf("%s %s %" PRIu64 ".%03" PRIu64, i > 0 ? "," : "", parts[i].name, ms / 1000,
               ms % 1000);
    }
    putchar('\n');
}

static void print_lane(const feed_lane *lane)
{
    const tw_module *m = lane->module;
    const feed_tally *t = &lane->tally;
    char a[TW_GROUPED_MAX], b[TW_GROUPED_MAX], c[TW_GROUPED_MAX], d[TW_GROUPED_MAX];
    printf("%s: %s rows, %s readings signed by %s: %s taken in, %s refused\n", lane->label,
           tw_grouped(t->rows, a), tw_grouped(t->sent, b), lane->key->name,
           tw_grouped(t->accepted, c), tw_grouped(all_refused(t), d));
    for (int i = 1; i < TW_REFUSAL_COUNT; i++) {
        print_count("refused", tw_refusal_text((tw_refusal)i), t->refused[i]);
    }
    print_count("left out", "rows not understood", lane->rows.bad);
    print_count("left out", "rows that are in already", t->already_in);
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        if (t->raised[i] + t->cleared[i] == 0) continue;
        printf("  alarm      %s: raised %s, cleared %s\n", m->alarms[i].name,
               tw_grouped(t->raised[i], a), tw_grouped(t->cleared[i], b));
    }
    for (uint16_t i = 0; i < m->event_count; i++) {
        print_count("event", m->events[i].name, t->events[i]);
    }
    for (uint16_t i = 0; i < m->history_count; i++) {
        print_count("history", m->histories[i].name, t->histories[i]);
    }
    if (t->failed == 0) return;
    printf("  failed     %s runs, the last: %s\n", tw_grouped(t->failed, a), t->failure);
}

static uint64_t per_second(const feeder *f, uint64_t elapsed)
{
    return elapsed > 0 ? (uint64_t)((tw_uint128)f->sent * 1000000000 / elapsed) : 0;
}

static void print_summary(const feeder *f, uint64_t elapsed)
{
    char a[TW_GROUPED_MAX], b[TW_GROUPED_MAX];
    for (uint32_t i = 0; i < f->lane_count; i++) print_lane(&f->lanes[i]);
    printf("%s blocks, %s readings/s ", tw_grouped(f->blocks, a),
           tw_grouped(per_second(f, elapsed), b));
    print_times(f, elapsed);
    const tw_genesis_asset *asset = tw_money_fee_asset(f->session);
    if (asset == NULL) return;
    char fees[TW_MONEY_TEXT_MAX];
    printf("fees of the packs: %s\n", tw_money_print(f->fees, asset->decimals, asset->name, fees));
}

static json_t *lane_json(const feed_lane *lane)
{
    const feed_tally *t = &lane->tally;
    const tw_module *m = lane->module;
    json_t *refused = json_object(), *alarms = json_object();
    json_t *events = json_object(), *histories = json_object();
    for (int i = 1; i < TW_REFUSAL_COUNT; i++) {
        if (t->refused[i] == 0) continue;
        json_object_set_new(refused, tw_refusal_text((tw_refusal)i), tw_json_u64(t->refused[i]));
    }
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        json_object_set_new(alarms, m->alarms[i].name,
                            json_pack("{s:o, s:o}", "raised", tw_json_u64(t->raised[i]), "cleared",
                                      tw_json_u64(t->cleared[i])));
    }
    for (uint16_t i = 0; i < m->event_count; i++) {
        json_object_set_new(events, m->events[i].name, tw_json_u64(t->events[i]));
    }
    for (uint16_t i = 0; i < m->history_count; i++) {
        json_object_set_new(histories, m->histories[i].name, tw_json_u64(t->histories[i]));
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "contract", lane->label, "device", lane->key->name, "rows",
                     tw_json_u64(t->rows), "readings", tw_json_u64(t->sent), "accepted",
                     tw_json_u64(t->accepted), "refused", refused, "rows_not_understood",
                     tw_json_u64(lane->rows.bad), "rows_already_in", tw_json_u64(t->already_in),
                     "packs", tw_json_u64(t->packs), "alarms", alarms, "events", events, "history",
                     histories, "failed_runs", tw_json_u64(t->failed));
}

static tw_status print_json(const feeder *f, uint64_t elapsed)
{
    const tw_ledger_times *now = tw_ledger_times_spent(f->session->ledger);
    json_t *list = json_array();
    for (uint32_t i = 0; i < f->lane_count; i++) {
        if (json_array_append_new(list, lane_json(&f->lanes[i])) != 0) return TW_ERR_MEMORY;
    }
    json_t *times = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "table",
                              tw_json_u64(f->table_ns), "signing", tw_json_u64(f->sign_ns),
                              "decode", tw_json_u64(now->decode_ns - f->before.decode_ns),
                              "signatures", tw_json_u64(now->signature_ns - f->before.signature_ns),
                              "execution", tw_json_u64(now->execution_ns - f->before.execution_ns),
                              "state", tw_json_u64(now->state_ns - f->before.state_ns), "commit",
                              tw_json_u64(now->commit_ns - f->before.commit_ns), "reading_back",
                              tw_json_u64(f->tell_ns), "all", tw_json_u64(elapsed));
    return tw_app_print_json(
        json_pack("{s:o, s:o, s:o, s:o*, s:o}", "devices", list, "blocks", tw_json_u64(f->blocks),
                  "readings_per_second", tw_json_u64(per_second(f, elapsed)), "fees",
                  tw_money_fee_json(f->session, f->fees), "nanoseconds", times));
}

tw_status feed_tell_end(feeder *f)
{
    const uint64_t elapsed = feed_clock_ns() - f->start_ns;
    if (f->app->json) return print_json(f, elapsed);
    print_summary(f, elapsed);
    return TW_OK;
}
