/* feed_rows -- the table of `twvm feed`: its options, and its rows as readings. See feed.h. */
#include "vm/runner/feed.h"

#include <stdio.h>
#include <string.h>

static tw_bytes bytes_of(const char *text)
{
    return tw_bytes_of(text, strlen(text));
}

/* ---- options ---- */

static const tw_reading *find_reading(const tw_module *m, const char *name, size_t size,
                                      uint16_t *ret_index)
{
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        const bool by_name = strlen(r->name) == size && strncmp(r->name, name, size) == 0;
        const bool by_field = strlen(r->field) == size && strncmp(r->field, name, size) == 0;
        if (!by_name && !by_field) continue;
        *ret_index = i;
        return r;
    }
    return NULL;
}

static tw_status refuse_reading(tw_app *app, const tw_module *m, const char *text)
{
    char list[300] = "none";
    size_t used = 0;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const char *name = m->readings[i].name;
        if (used + strlen(name) + 3 > sizeof list) break;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", name);
    }
    return tw_app_usage(app,
                        "--map %.60s: it is READING=COLUMN:UNIT, and the readings of %s are: "
                        "%s",
                        text, m->name, list);
}

/* COLUMN[:UNIT]: what follows the last colon is a unit if it is one; columns may have colons. */
static tw_status plan_column(tw_app *app, feed_map *map, const char *text)
{
    const char *colon = strrchr(text, ':');
    const char *why = NULL;
    const char *instead = NULL;
    char units[TW_NUMBER_UNITS_MAX];
    size_t size = strlen(text);
    if (colon != NULL && colon[1] != '\0') {
        const tw_bytes spelling = bytes_of(colon + 1);
        const tw_unit *unit = tw_unit_find(spelling);
        if (unit != NULL && unit->dimension != map->dimension) {
            return tw_app_usage(app, "--map: %s is a %s, in one of: %s; %s is a unit of %s",
                                map->reading->name, tw_dim_name(map->dimension),
                                tw_number_units(map->dimension, units), unit->spelling,
                                tw_dim_name(unit->dimension));
        }
        if (unit == NULL && tw_unit_refused(spelling, &why, &instead)) {
            return tw_app_usage(app, "--map: unit %s: %s; convert the column to %s", colon + 1, why,
                                instead);
        }
        map->unit = unit;
        if (unit != NULL) size = (size_t)(colon - text);
    }
    if (size == 0 || size >= sizeof map->column_name) {
        return tw_app_usage(app, "--map %.60s: names no column", text);
    }
    memcpy(map->column_name, text, size);
    return TW_OK;
}

static tw_status plan_maps(tw_app *app, feed_rows *rows)
{
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "map", i);
        if (text == NULL) break;
        const char *equals = strchr(text, '=');
        if (rows->map_count == FEED_MAPS_MAX) return tw_app_usage(app, "too many --map");
        feed_map *map = &rows->maps[rows->map_count];
        if (equals != NULL) {
            map->reading = find_reading(rows->module, text, (size_t)(equals - text), &map->index);
        }
        if (map->reading == NULL) return refuse_reading(app, rows->module, text);
        for (uint32_t k = 0; k < rows->map_count; k++) {
            if (rows->maps[k].index != map->index) continue;
            return tw_app_usage(app, "--map: %s has two columns", map->reading->name);
        }
        map->dimension = (tw_dimension)rows->module->types[map->reading->type].quantity;
        TW_TRY(plan_column(app, map, equals + 1));
        rows->map_count++;
    }
    if (rows->map_count > 0) return TW_OK;
    return tw_app_usage(app, "say which column is which reading: --map READING=COLUMN:UNIT");
}

tw_status feed_rows_where(feed_rows *rows, const char *column, const char *value)
{
    if (rows->where_count == FEED_WHERE_MAX) {
        return tw_app_usage(rows->app, "more than %d conditions on rows", FEED_WHERE_MAX);
    }
    feed_where *where = &rows->where[rows->where_count++];
    snprintf(where->column_name, sizeof where->column_name, "%s", column);
    snprintf(where->value, sizeof where->value, "%s", value);
    return TW_OK;
}

static tw_status plan_where(tw_app *app, feed_rows *rows)
{
    for (uint32_t i = 0;; i++) {
        const char *text = tw_args_each(&app->args, "where", i);
        if (text == NULL) return TW_OK;
        const char *equals = strchr(text, '=');
        if (equals == NULL || equals == text || equals - text > 255 || strlen(equals) > 127) {
            return tw_app_usage(app, "--where %.60s: it is COLUMN=VALUE", text);
        }
        char column[256];
        snprintf(column, sizeof column, "%.*s", (int)(equals - text), text);
        TW_TRY(feed_rows_where(rows, column, equals + 1));
    }
}

static tw_status plan_duration(tw_app *app, const char *option, const char *text,
                               int64_t *ret_value)
{
    if (tw_duration_parse(bytes_of(text), ret_value)) return TW_OK;
    return tw_app_usage(app, "%s %.60s: is no duration as 5s, '10 min', 72h", option, text);
}

/* --time COLUMN, --time COLUMN*5s, or --start and --period alone. */
static tw_status plan_clock(tw_app *app, feed_rows *rows)
{
    const char *text = tw_args_get(&app->args, "time", NULL);
    const char *start = tw_args_get(&app->args, "start", NULL);
    const char *period = tw_args_get(&app->args, "period", NULL);
    const char *why = NULL;
    if (start != NULL && !tw_time_parse(bytes_of(start), TW_TIME_AUTO, 0, &rows->start, &why)) {
        return tw_app_usage(app, "--start: \"%.60s\" %s", start, why);
    }
    if (text == NULL) {
        if (period == NULL) {
            return tw_app_usage(app, "say when readings were taken: --time COLUMN, or --start TIME "
                                     "--period 5s");
        }
        rows->clock = FEED_CLOCK_ROW;
        return plan_duration(app, "--period", period, &rows->period);
    }
    if (period != NULL) return tw_app_usage(app, "--period is for tables without --time");
    const char *star = strrchr(text, '*');
    size_t size = strlen(text);
    if (star != NULL && tw_duration_parse(bytes_of(star + 1), &rows->period)) {
        rows->clock = FEED_CLOCK_COUNT;
        size = (size_t)(star - text);
    } else if (start != NULL) {
        return tw_app_usage(app, "--start is for columns that count: --time COLUMN*5s");
    }
    if (size == 0 || size >= sizeof rows->time_name) {
        return tw_app_usage(app, "--time %.60s: names no column", text);
    }
    memcpy(rows->time_name, text, size);
    return TW_OK;
}

tw_status feed_rows_table(tw_app *app, tw_csv_options *ret_options)
{
    const char *separator = tw_args_get(&app->args, "sep", NULL);
    uint64_t skip = 0;
    *ret_options = (tw_csv_options){.headless = tw_args_has(&app->args, "no-header")};
    if (separator != NULL) {
        const bool tab = strcmp(separator, "tab") == 0 || strcmp(separator, "\\t") == 0;
        if (!tab && (strlen(separator) != 1 || separator[0] == '"')) {
            return tw_app_usage(app, "--sep takes one character, or tab");
        }
        ret_options->separator = tab ? '\t' : separator[0];
    }
    if (!tw_args_number(&app->args, "skip", 0, UINT32_MAX, &skip, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    ret_options->skip = (uint32_t)skip;
    return TW_OK;
}

static tw_status plan_rest(tw_app *app, feed_rows *rows)
{
    const char *format = tw_args_get(&app->args, "time-format", "auto");
    const char *zone = tw_args_get(&app->args, "zone", "Z");
    if (!tw_time_format_find(format, &rows->time_format)) {
        return tw_app_usage(app, "--time-format is auto, iso, mdy, dmy, s or ms");
    }
    if (!tw_zone_parse(bytes_of(zone), &rows->zone)) {
        return tw_app_usage(app, "--zone is written as -05:00, +0100 or Z");
    }
    if (!tw_args_number(&app->args, "limit", 1, UINT64_MAX, &rows->limit, &app->err)) {
        app->usage = true;
        return TW_REFUSED_ARGUMENT;
    }
    rows->style.round = tw_args_has(&app->args, "round");
    rows->style.comma = tw_args_has(&app->args, "decimal-comma");
    rows->skip_bad = tw_args_has(&app->args, "skip-bad");
    return TW_OK;
}

tw_status feed_rows_plan(tw_app *app, const tw_module *m, int64_t start, feed_rows *rows)
{
    *rows = (feed_rows){.app = app, .module = m, .start = start, .path = app->args.words[1]};
    TW_TRY(feed_rows_table(app, &rows->csv_options));
    TW_TRY(plan_rest(app, rows));
    TW_TRY(plan_maps(app, rows));
    TW_TRY(plan_where(app, rows));
    return plan_clock(app, rows);
}

/* ---- the table ---- */

tw_status feed_rows_open(feed_rows *rows)
{
    tw_err *err = &rows->app->err;
    TW_TRY(tw_csv_open(rows->path, &rows->csv_options, &rows->csv, err));
    rows->taken = 0;
    rows->bad = 0;
    if (rows->clock != FEED_CLOCK_ROW &&
        !tw_csv_column(rows->csv, rows->time_name, &rows->time_column, err)) {
        return TW_REFUSED_ARGUMENT;
    }
    for (uint32_t i = 0; i < rows->map_count; i++) {
        feed_map *map = &rows->maps[i];
        if (!tw_csv_column(rows->csv, map->column_name, &map->column, err)) {
            return TW_REFUSED_ARGUMENT;
        }
    }
    for (uint32_t i = 0; i < rows->where_count; i++) {
        feed_where *where = &rows->where[i];
        if (!tw_csv_column(rows->csv, where->column_name, &where->column, err)) {
            return TW_REFUSED_ARGUMENT;
        }
    }
    return TW_OK;
}

void feed_rows_close(feed_rows *rows)
{
    tw_csv_close(rows->csv);
    rows->csv = NULL;
}

static bool is_wanted(const feed_rows *rows)
{
    for (uint32_t i = 0; i < rows->where_count; i++) {
        const tw_bytes cell = tw_csv_cell(rows->csv, rows->where[i].column);
        if (!tw_bytes_equal(cell, bytes_of(rows->where[i].value))) return false;
    }
    return true;
}

static tw_status refuse_cell(const feed_rows *rows, const char *column, const char *text,
                             tw_err *err)
{
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s:%llu: column %.60s: %.380s", rows->path,
                      (unsigned long long)tw_csv_line(rows->csv), column, text);
}

static tw_status counted_time(const feed_rows *rows, tw_bytes cell, int64_t *ret_time, tw_err *err)
{
    tw_err inner = {0};
    int64_t count = 0;
    if (tw_number_read(cell, TW_DIM_INT, NULL, rows->style, &count, &inner) != TW_OK) {
        return refuse_cell(rows, rows->time_name, inner.text, err);
    }
    int64_t offset = 0;
    if (count < 0 || __builtin_mul_overflow(count, rows->period, &offset) ||
        offset >= TW_TIME_END - rows->start) {
        return refuse_cell(rows, rows->time_name, "the time is out of range", err);
    }
    *ret_time = rows->start + offset;
    return TW_OK;
}

static tw_status time_of_row(const feed_rows *rows, int64_t *ret_time, tw_err *err)
{
    const tw_bytes cell = tw_csv_cell(rows->csv, rows->time_column);
    char quote[TW_CSV_QUOTE_MAX], text[400];
    const char *why = NULL;
    switch (rows->clock) {
    case FEED_CLOCK_COUNT: return counted_time(rows, cell, ret_time, err);
    case FEED_CLOCK_ROW:
        if ((uint64_t)(TW_TIME_END - rows->start) / (uint64_t)rows->period <= rows->taken) {
            return refuse_cell(rows, "(time)", "the time is out of range", err);
        }
        *ret_time = rows->start + (int64_t)rows->taken * rows->period;
        return TW_OK;
    case FEED_CLOCK_COLUMN:
        if (tw_time_parse(cell, rows->time_format, rows->zone, ret_time, &why)) return TW_OK;
        snprintf(text, sizeof text, "%s %s", tw_csv_quote(cell, quote), why);
        return refuse_cell(rows, rows->time_name, text, err);
    }
    return TW_ERR_INTERNAL;
}

static tw_status parse_row(const feed_rows *rows, feed_row *row, tw_err *err)
{
    *row = (feed_row){.line = tw_csv_line(rows->csv)};
    TW_TRY(time_of_row(rows, &row->time, err));
    for (uint32_t i = 0; i < rows->map_count; i++) {
        const feed_map *map = &rows->maps[i];
        const tw_bytes cell = tw_csv_cell(rows->csv, map->column);
        tw_err inner = {0};
        if (map->column >= tw_csv_cell_count(rows->csv)) {
            return refuse_cell(rows, map->column_name, "the row ends before it", err);
        }
        if (cell.size == 0) continue; /* no reading */
        int64_t *value = &row->values[row->count];
        if (tw_number_read(cell, map->dimension, map->unit, rows->style, value, &inner) != TW_OK) {
            return refuse_cell(rows, map->column_name, inner.text, err);
        }
        row->maps[row->count++] = i;
    }
    return TW_OK;
}

tw_status feed_rows_next(feed_rows *rows, feed_row *ret_row, bool *ret_found)
{
    for (;;) {
        *ret_found = false;
        if (rows->limit > 0 && rows->taken == rows->limit) return TW_OK;
        TW_TRY(tw_csv_next(rows->csv, ret_found, &rows->app->err));
        if (!*ret_found) return TW_OK;
        if (!is_wanted(rows)) continue;
        rows->taken++;
        tw_err err = {0};
        const tw_status status = parse_row(rows, ret_row, &err);
        if (status == TW_OK) return TW_OK;
        if (!rows->skip_bad || status != TW_REFUSED_ARGUMENT) {
            rows->app->err = err;
            return status;
        }
        rows->bad++;
    }
}
