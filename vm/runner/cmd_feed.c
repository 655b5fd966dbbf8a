/* cmd_feed -- `twvm feed`: a table of readings, signed with devices' keys, as blocks.
 *
 * The table is looked through before the first pack is sent, so that a slip in line 9,000 does not
 * leave half of it in the ledger. Whatever ends the work, each block is whole, and --resume goes on
 * behind the last reading that is in. Several devices of one table go side by side: at each step
 * the lane whose next reading is the oldest moves on.
 */
#include "vm/runner/feed.h"

#include <stdio.h>
#include <string.h>

enum { LANE_NAME_MAX = 256 };

/* ---- lanes ---- */

static tw_status open_lane(feeder *f, feed_lane *lane, const char *name, const char *as)
{
    tw_session *s = f->session;
    tw_app *app = f->app;
    lane->key = tw_keyring_find(s->keyring, as);
    if (lane->key == NULL) return tw_keyring_refuse(s->keyring, as, &app->err);
    TW_TRY(tw_keyring_unlock(s->keyring, lane->key, &app->err));
    TW_TRY(tw_session_find(s, name, &lane->contract, &app->err));
    tw_session_label(s, &lane->contract, lane->label);
    lane->module = tw_session_module(s, &lane->contract);
    if (lane->module == NULL) return tw_app_fail(app, "the code of %s cannot be read", name);
    return feed_rows_plan(app, lane->module, tw_ledger_genesis(s->ledger)->time, &lane->rows);
}

/* The values of the column in the table, each once, in their order. */
static tw_status find_values(feeder *f, const char *column_name,
                             char (*ret_values)[TW_KEY_NAME_MAX + 1], uint32_t *ret_count)
{
    tw_app *app = f->app;
    const char *path = app->args.words[1];
    tw_csv_options options;
    tw_csv *csv = NULL;
    uint32_t column = 0;
    bool row = true;
    *ret_count = 0;
    TW_TRY(feed_rows_table(app, &options));
    TW_TRY(tw_csv_open(path, &options, &csv, &app->err));
    tw_status status =
        tw_csv_column(csv, column_name, &column, &app->err) ? TW_OK : TW_REFUSED_ARGUMENT;
    while (status == TW_OK) {
        char value[TW_KEY_NAME_MAX + 1];
        status = tw_csv_next(csv, &row, &app->err);
        if (status != TW_OK || !row) break;
        const tw_bytes cell = tw_csv_cell(csv, column);
        snprintf(value, sizeof value, "%.*s", (int)(cell.size < 64 ? cell.size : 64),
                 (const char *)cell.data);
        bool known = false;
        for (uint32_t i = 0; i < *ret_count && !known; i++) {
            known = strcmp(ret_values[i], value) == 0;
        }
        if (known) continue;
        if (!tw_key_name_is_good(value)) {
            char quote[TW_CSV_QUOTE_MAX];
            status = tw_app_fail(app, "%s:%llu: column %.60s: %s cannot stand in a name", path,
                                 (unsigned long long)tw_csv_line(csv), column_name,
                                 tw_csv_quote(cell, quote));
        } else if (*ret_count == FEED_LANES_MAX) {
            status = tw_app_fail(app, "column %.60s has more than %d values", column_name,
                                 FEED_LANES_MAX);
        } else {
            snprintf(ret_values[(*ret_count)++], TW_KEY_NAME_MAX + 1, "%s", value);
        }
    }
    tw_csv_close(csv);
    return status;
}

/* "room-{}" with the value in place of {}. */
static tw_status fill_in(tw_app *app, const char *pattern, const char *value,
                         char ret_text[LANE_NAME_MAX])
{
    const char *hole = strstr(pattern, "{}");
    const size_t before = hole != NULL ? (size_t)(hole - pattern) : strlen(pattern);
    const size_t middle = hole != NULL ? strlen(value) : 0;
    const char *rest = hole != NULL ? hole + 2 : "";
    if (before + middle + strlen(rest) >= LANE_NAME_MAX) {
        return tw_app_usage(app, "%.60s...: the name is too long", pattern);
    }
    memcpy(ret_text, pattern, before);
    memcpy(ret_text + before, value, middle);
    memcpy(ret_text + before + middle, rest, strlen(rest) + 1);
    return TW_OK;
}

static tw_status open_lanes_by(feeder *f, const char *column, const char *as)
{
    const tw_args *args = &f->app->args;
    char values[FEED_LANES_MAX][TW_KEY_NAME_MAX + 1];
    uint32_t count = 0;
    if (strstr(as, "{}") == NULL) {
        return tw_app_usage(f->app, "with --by each device has its key: write {} in --as, for "
                                    "example 'mote-{}'");
    }
    if (strcmp(args->words[1], "-") == 0) {
        return tw_app_usage(f->app, "--by needs a file: standard input can be read only once");
    }
    TW_TRY(find_values(f, column, values, &count));
    if (count == 0) return tw_app_fail(f->app, "%s: has no rows", args->words[1]);
    f->lanes = tw_mem_new(count * sizeof *f->lanes);
    if (f->lanes == NULL) return TW_ERR_MEMORY;
    f->lane_count = count;
    for (uint32_t i = 0; i < count; i++) {
        char name[LANE_NAME_MAX], key[LANE_NAME_MAX];
        TW_TRY(fill_in(f->app, args->words[0], values[i], name));
        TW_TRY(fill_in(f->app, as, values[i], key));
        TW_TRY(open_lane(f, &f->lanes[i], name, key));
        TW_TRY(feed_rows_where(&f->lanes[i].rows, column, values[i]));
    }
    return TW_OK;
}

static tw_status find_carrier(feeder *f)
{
    tw_keyring *keyring = f->session->keyring;
    const char *name = tw_args_get(&f->app->args, "carrier", NULL);
    if (name == NULL) return TW_OK;
    f->carrier = tw_keyring_find(keyring, name);
    if (f->carrier == NULL) return tw_keyring_refuse(keyring, name, &f->app->err);
    return tw_keyring_unlock(keyring, f->carrier, &f->app->err);
}

static tw_status open_lanes(feeder *f)
{
    const tw_args *args = &f->app->args;
    const char *as = tw_args_get(args, "as", NULL);
    const char *by = tw_args_get(args, "by", NULL);
    if (as == NULL) return tw_app_usage(f->app, "say whose readings these are: --as KEY");
    TW_TRY(find_carrier(f));
    if (by != NULL) return open_lanes_by(f, by, as);
    f->lanes = tw_mem_new(sizeof *f->lanes);
    if (f->lanes == NULL) return TW_ERR_MEMORY;
    f->lane_count = 1;
    return open_lane(f, &f->lanes[0], args->words[0], as);
}

/* ---- looking through ---- */

typedef struct overview {
    uint64_t rows;
    int64_t first;
} overview;

/* Reads all rows once. Standard input cannot be read twice: nothing is known then. */
static tw_status look_through(feed_rows *rows, overview *ret_overview)
{
    feed_row row;
    bool found = true;
    *ret_overview = (overview){.first = -1};
    if (strcmp(rows->path, "-") == 0) return TW_OK;
    tw_status status = feed_rows_open(rows);
    while (status == TW_OK && found) {
        status = feed_rows_next(rows, &row, &found);
        if (status != TW_OK || !found) break;
        if (ret_overview->first < 0) ret_overview->first = row.time;
        ret_overview->rows++;
    }
    feed_rows_close(rows);
    if (status == TW_REFUSED_ARGUMENT) {
        const tw_err why = rows->app->err;
        const bool finer = strstr(why.text, "finer than") != NULL;
        return tw_app_fail(rows->app, "%.400s; nothing was sent%s", why.text,
                           finer ? " (--round rounds, half to even)" : "");
    }
    TW_TRY(status);
    if (ret_overview->rows > 0) return TW_OK;
    return tw_app_fail(rows->app, "%s: no row is wanted; nothing was sent", rows->path);
}

/* The newest reading of this device that is in, of those that are fed; -1 for none. */
static tw_status find_last(feeder *f, feed_lane *lane)
{
    tw_contract *contract = NULL;
    const uint8_t *record = NULL;
    bool found = false;
    lane->last_in = -1;
    TW_TRY(tw_ledger_contract(f->session->ledger, &lane->contract, f->session->arena, &contract,
                              &f->app->err));
    TW_TRY(tw_device_get(contract, &lane->key->account, &record, &found));
    if (!found) {
        return tw_app_fail(f->app,
                           "%s is in no role of %s that readings come from; twvm -d DIR "
                           "state %s shows who is",
                           lane->key->name, lane->label, lane->label);
    }
    for (uint32_t i = 0; i < lane->rows.map_count; i++) {
        const uint8_t *at = record + tw_device_reading(lane->rows.maps[i].index);
        const int64_t last = (int64_t)tw_load_u64(at + 8);
        if (tw_load_u64(at) > 0 && last > lane->last_in) lane->last_in = last;
    }
    return TW_OK;
}

static void note_clock(const feeder *f, const feed_lane *lane, const overview *seen)
{
    char a[TW_TIME_TEXT_MAX], b[TW_TIME_TEXT_MAX];
    const int64_t now = tw_session_now(f->session);
    if (seen->first < 0) return;
    if (lane->last_in >= seen->first && !f->resume) {
        fprintf(stderr, "note: readings up to %s are in already; --resume leaves those rows out\n",
                tw_time_print(lane->last_in, a));
    } else if (lane->last_in < seen->first && seen->first < now - lane->span_max) {
        fprintf(stderr,
                "note: the ledger stands at %s and the table begins at %s: such readings are too "
                "old; for recorded data begin with twvm init DIR --start %s\n",
                tw_time_print(now, a), tw_time_print(seen->first, b), b);
    }
}

/* ---- the work ---- */

/* The lane's next row that is not in already. */
static tw_status next_row(feeder *f, feed_lane *lane)
{
    const uint64_t start = feed_clock_ns();
    tw_status status = TW_OK;
    do {
        status = feed_rows_next(&lane->rows, &lane->next, &lane->has_next);
        if (status != TW_OK || !lane->has_next || !f->resume || lane->next.time > lane->last_in) {
            break;
        }
        lane->tally.already_in++;
        lane->tally.rows++;
        f->rows++;
    } while (true);
    f->table_ns += feed_clock_ns() - start;
    if (status != TW_OK) lane->has_next = false;
    return status;
}

static feed_lane *oldest_lane(feeder *f)
{
    feed_lane *best = NULL;
    for (uint32_t i = 0; i < f->lane_count; i++) {
        feed_lane *lane = &f->lanes[i];
        if (!lane->has_next) continue;
        if (best == NULL || lane->next.time < best->next.time) best = lane;
    }
    return best;
}

static tw_status send_all(feeder *f)
{
    tw_status status = TW_OK;
    for (uint32_t i = 0; i < f->lane_count && status == TW_OK; i++) {
        status = feed_rows_open(&f->lanes[i].rows);
        if (status == TW_OK) status = next_row(f, &f->lanes[i]);
    }
    feed_lane *lane = oldest_lane(f);
    while (status == TW_OK && lane != NULL) {
        status = feed_send_row(f, lane, &lane->next);
        if (status == TW_OK) status = next_row(f, lane);
        lane = oldest_lane(f);
    }
    /* what was read before a slip on standard input is sent: it was understood */
    const bool slip = status == TW_REFUSED_ARGUMENT && strcmp(f->lanes[0].rows.path, "-") == 0;
    if (status == TW_OK || slip) {
        const tw_status rest = feed_send_rest(f);
        if (rest != TW_OK) status = rest;
    }
    for (uint32_t i = 0; i < f->lane_count; i++) feed_rows_close(&f->lanes[i].rows);
    return status;
}

static tw_status feed(feeder *f)
{
    tw_app *app = f->app;
    uint64_t pack_max = 1000;
    overview seen[FEED_LANES_MAX];
    if (!tw_args_number(&app->args, "pack", 1, TW_PACK_READINGS_MAX, &pack_max, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    for (uint32_t i = 0; i < f->lane_count; i++) {
        TW_TRY(find_last(f, &f->lanes[i]));
        TW_TRY(look_through(&f->lanes[i].rows, &seen[i]));
        f->rows_total += seen[i].rows;
    }
    TW_TRY(feed_send_start(f, (uint32_t)pack_max));
    for (uint32_t i = 0; i < f->lane_count; i++) note_clock(f, &f->lanes[i], &seen[i]);
    feed_tell_start(f);
    const tw_status status = send_all(f);
    /* the summary also says how far a feed came that was stopped */
    const tw_err why = app->err;
    const tw_status told = feed_tell_end(f);
    if (status != TW_OK) app->err = why;
    return status != TW_OK ? status : told;
}

tw_status tw_command_feed(tw_app *app)
{
    TW_TRY(tw_app_open(app));
    feeder *f = tw_mem_new(sizeof *f);
    if (f == NULL) return TW_ERR_MEMORY;
    f->app = app;
    f->session = app->session;
    f->resume = tw_args_has(&app->args, "resume");
    f->verbose = tw_args_has(&app->args, "verbose");
    f->bytes = tw_writer_new(TW_TX_SIZE_MAX);
    f->transaction = tw_writer_new(TW_TX_SIZE_MAX);
    tw_status status = open_lanes(f);
    if (status == TW_OK) status = feed(f);
    tw_writer_free(&f->bytes);
    tw_writer_free(&f->transaction);
    tw_mem_free(f->lanes);
    tw_mem_free(f);
    return status;
}
