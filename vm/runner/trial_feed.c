/* trial_feed -- readings of a test: `feed` with what spoils it, and `replay "file.csv"`.
 *
 * At each instant at which readings are due the timers come first, then one block with a pack of
 * each device, in the order of the statement. What a fault does stands at its function; whatever it
 * does, the pack is signed as a device would sign it, and the ledger takes or refuses it. */
#include "vm/runner/trial_parts.h"

#include "vm/base/math.h"
#include "vm/runner/csv.h"
#include "vm/runner/number.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { FEEDS_MAX = 64, SAID_MAX = 4096, PATH_SIZE_MAX = 4096 };

/* A device that has readings due now: its pack, in the order of the statement. */
typedef struct device_pack {
    const tw_trial_account *device;
    tw_bytes fields[FEEDS_MAX];
    tw_pack_item items[FEEDS_MAX];
    uint32_t count;
    bool attack; /* send it a second time */
} device_pack;

typedef struct instant {
    device_pack *packs;
    uint32_t count;
    uint32_t max;
} instant;

/* ---- packs ---- */

static const tw_trial_account *device_of(tw_trial *t, const twc_test_actor *actor, uint32_t number)
{
    return actor->name != NULL ? tw_trial_named(t, actor->name)
                               : tw_trial_member(t, actor->role, number);
}

static tw_status pack_of(instant *at, const tw_trial_account *device, device_pack **ret_pack)
{
    if (device == NULL) return TW_REFUSED_LIMIT;
    for (uint32_t i = 0; i < at->count; i++) {
        *ret_pack = &at->packs[i];
        if (at->packs[i].device == device) return TW_OK;
    }
    if (at->count == at->max) return TW_REFUSED_LIMIT;
    *ret_pack = &at->packs[at->count++];
    (*ret_pack)->device = device;
    (*ret_pack)->count = 0;
    (*ret_pack)->attack = false;
    return TW_OK;
}

static tw_status put(tw_trial *t, instant *at, const tw_trial_account *device, uint16_t reading,
                     int64_t time, int64_t value, bool attack)
{
    const char *field = t->code->module->readings[reading].field;
    device_pack *p = NULL;
    TW_TRY(pack_of(at, device, &p));
    if (p->count == FEEDS_MAX) return TW_REFUSED_LIMIT;
    p->fields[p->count] = tw_bytes_of(field, strlen(field));
    p->items[p->count++] = (tw_pack_item){0, time, value};
    p->attack = p->attack || attack;
    return TW_OK;
}

/* Somebody who heard the pack sends it again: the ledger must not take it. */
static tw_status attack(tw_trial *t, tw_bytes pack, uint32_t line, const char *text)
{
    tw_trial_outcome outcome;
    tw_bytes transaction;
    TW_TRY(tw_trial_carry(t, pack, 0, &transaction));
    TW_TRY(tw_trial_block(t, &transaction, 1, &outcome));
    if (outcome.status == TW_OK) tw_trial_fail(t, line, "%s: a pack was taken in twice", text);
    return TW_OK;
}

static tw_status send_packs(tw_trial *t, const instant *at, const twc_step *step,
                            tw_trial_outcome *outcome)
{
    if (at->count == 0) return TW_OK;
    tw_bytes *packs = TW_NEW_ARRAY(t->arena, tw_bytes, at->count);
    tw_bytes *transactions = TW_NEW_ARRAY(t->arena, tw_bytes, at->count);
    if (packs == NULL || transactions == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < at->count; i++) {
        device_pack *p = &at->packs[i];
        TW_TRY(tw_trial_sign_pack(t, p->device, p->fields, p->items, p->count, &packs[i]));
        TW_TRY(tw_trial_carry(t, packs[i], i, &transactions[i]));
    }
    TW_TRY(tw_trial_block(t, transactions, at->count, outcome));
    for (uint32_t i = 0; i < at->count && outcome->status == TW_OK; i++) {
        if (at->packs[i].attack) TW_TRY(attack(t, packs[i], step->line, step->text));
    }
    return TW_OK;
}

static tw_status too_many(tw_trial *t, tw_status status, const char *text)
{
    if (status != TW_REFUSED_LIMIT || t->err->text[0] != '\0') return status;
    return tw_err_set(t->err, status, "%s: a test has at most %d accounts, a pack %d readings",
                      text, TW_TRIAL_ACCOUNTS_MAX, FEEDS_MAX);
}

/* ---- feed ---- */

typedef struct feed {
    const twc_test_feed *plan;
    int64_t value;
    int64_t period;
    int64_t amount, per;
    int64_t start;
    int64_t next;   /* time at which its next reading arrives */
    int64_t number; /* of that reading, from 1 */
} feed;

/* `drift v per D`: v more for each D since the start, rounded once. */
static tw_status drift(tw_trial *t, const feed *f, int64_t time, const twc_step *step,
                       int64_t *ret_value)
{
    int64_t more = 0;
    if (tw_muldiv(f->amount, time - f->start, f->per, TW_ROUND_HALF_EVEN, &more) &&
        !__builtin_add_overflow(f->value, more, ret_value)) {
        return TW_OK;
    }
    *ret_value = f->value;
    tw_trial_fail(t, step->line, "%s: the drift becomes too large", step->text);
    return TW_OK;
}

/* The place where it is kept what the device said last; NULL when there is no room. */
static tw_trial_said *said_of(tw_trial *t, const tw_trial_account *device, uint16_t reading)
{
    if (t->said == NULL) t->said = tw_mem_new(SAID_MAX * sizeof *t->said);
    if (t->said == NULL) return NULL;
    for (uint32_t i = 0; i < t->said_count; i++) {
        if (t->said[i].device == device && t->said[i].reading == reading) return &t->said[i];
    }
    if (t->said_count == SAID_MAX) return NULL;
    t->said[t->said_count].device = NULL;
    return &t->said[t->said_count];
}

/* `freeze`: what the device said last, whatever is measured; its first word is not frozen. */
static tw_status say(tw_trial *t, const feed *f, const tw_trial_account *device, int64_t *value)
{
    if (device == NULL) return TW_REFUSED_LIMIT;
    tw_trial_said *said = said_of(t, device, f->plan->reading);
    if (said == NULL) return TW_REFUSED_LIMIT;
    if (f->plan->fault == TWC_FEED_FREEZE && said->device != NULL) *value = said->value;
    if (said->device == NULL) t->said_count++;
    *said = (tw_trial_said){device, f->plan->reading, *value};
    return TW_OK;
}

/* The reading of this feed that arrives now, from each of its devices. */
static tw_status collect_one(tw_trial *t, feed *f, const twc_step *step, instant *at)
{
    const twc_test_actor *actor = &f->plan->device;
    const twc_feed_fault fault = f->plan->fault;
    const int64_t number = f->number++;
    const int64_t time = fault == TWC_FEED_DELAY ? t->now - f->amount : t->now;
    int64_t value = f->value;
    f->next += f->period;
    if (fault == TWC_FEED_DROP && number % f->plan->drop_every == 0) return TW_OK;
    if (fault == TWC_FEED_DRIFT) TW_TRY(drift(t, f, time, step, &value));
    for (uint32_t k = actor->first; k <= actor->last; k++) {
        const tw_trial_account *device = device_of(t, actor, k);
        int64_t said = value;
        TW_TRY(say(t, f, device, &said));
        TW_TRY(put(t, at, device, f->plan->reading, time, said, fault == TWC_FEED_REPLAY_ATTACK));
    }
    return TW_OK;
}

static tw_status collect(tw_trial *t, feed *feeds, uint32_t count, const twc_step *step,
                         instant *at)
{
    at->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (feeds[i].next == t->now) TW_TRY(collect_one(t, &feeds[i], step, at));
    }
    return TW_OK;
}

static int64_t next_instant(const feed *feeds, uint32_t count)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (feeds[i].next < next) next = feeds[i].next;
    }
    return next;
}

static tw_status run_feeds(tw_trial *t, feed *feeds, const twc_step *step, instant *at, int64_t end,
                           tw_trial_outcome *outcome)
{
    for (;;) {
        const int64_t next = next_instant(feeds, step->feed_count);
        if (next > end) break;
        const tw_mark mark = tw_arena_mark(t->arena);
        TW_TRY(tw_trial_advance(t, next));
        TW_TRY(collect(t, feeds, step->feed_count, step, at));
        TW_TRY(send_packs(t, at, step, outcome));
        tw_arena_reset(t->arena, mark);
        if (outcome->status != TW_OK || !t->report->passed) return TW_OK;
    }
    /* one past the end: a timer that is due at the end itself makes its block too */
    TW_TRY(tw_trial_advance(t, end + 1));
    t->now = end;
    return TW_OK;
}

/* A time that must be at least 1 ms and can be added to others. */
static tw_status read_time(tw_trial *t, const twc_step *step, const twc_formula *f,
                           const char *what, int64_t *ret_time, bool *ret_ok)
{
    TW_TRY(tw_trial_number(t, step, f, ret_time, ret_ok));
    if (!*ret_ok || (*ret_time >= 1 && *ret_time < (int64_t)1 << 50)) return TW_OK;
    tw_trial_fail(t, step->line, "%s: %s must be at least 1 ms", step->text, what);
    *ret_ok = false;
    return TW_OK;
}

static tw_status read_fault(tw_trial *t, const twc_step *step, feed *f, bool *ret_ok)
{
    if (f->plan->fault == TWC_FEED_DELAY) {
        return read_time(t, step, &f->plan->amount, "a delay", &f->amount, ret_ok);
    }
    if (f->plan->fault != TWC_FEED_DRIFT) return TW_OK;
    TW_TRY(tw_trial_number(t, step, &f->plan->amount, &f->amount, ret_ok));
    if (!*ret_ok) return TW_OK;
    return read_time(t, step, &f->plan->per, "the time of a drift", &f->per, ret_ok);
}

static tw_status read_feed(tw_trial *t, const twc_step *step, feed *f, bool *ret_ok)
{
    TW_TRY(tw_trial_number(t, step, &f->plan->value, &f->value, ret_ok));
    if (*ret_ok) TW_TRY(read_time(t, step, &f->plan->period, "a period", &f->period, ret_ok));
    if (*ret_ok) TW_TRY(read_fault(t, step, f, ret_ok));
    f->start = t->now;
    f->number = 1;
    f->next = t->now + f->period + (f->plan->fault == TWC_FEED_DELAY ? f->amount : 0);
    return TW_OK;
}

tw_status tw_trial_feed(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    feed feeds[FEEDS_MAX] = {{0}};
    int64_t duration = 0;
    uint32_t devices = 0;
    bool ok = true;
    if (step->feed_count > FEEDS_MAX) {
        return tw_err_set(t->err, TW_REFUSED_LIMIT, "%s: at most %d readings at a time", step->text,
                          FEEDS_MAX);
    }
    TW_TRY(read_time(t, step, &step->duration, "the time of a feed", &duration, &ok));
    for (uint32_t i = 0; i < step->feed_count && ok; i++) {
        feeds[i].plan = &step->feeds[i];
        TW_TRY(read_feed(t, step, &feeds[i], &ok));
        devices += step->feeds[i].device.last - step->feeds[i].device.first + 1;
    }
    if (!ok) return TW_OK;
    instant at = {TW_NEW_ARRAY(t->arena, device_pack, devices), 0, devices};
    if (at.packs == NULL) return TW_ERR_MEMORY;
    const tw_status status = run_feeds(t, feeds, step, &at, t->now + duration, outcome);
    return too_many(t, status, step->text);
}

/* ---- replay ---- */

/* A column of readings: `vib (mm/s)`, `flow 2 [L/min]`. */
typedef struct column {
    uint32_t index;
    uint16_t reading;
    const tw_unit *unit; /* NULL: the cells carry theirs */
    const tw_trial_account *device;
} column;

typedef struct table {
    tw_csv *csv;
    char path[PATH_SIZE_MAX];
    uint32_t time_index;
    column columns[FEEDS_MAX];
    uint32_t count;
    int64_t first; /* time in the file of its first row */
    int64_t start; /* time of the statement */
} table;

static tw_bytes trimmed(tw_bytes text)
{
    while (text.size > 0 && text.data[0] == ' ') text = tw_bytes_of(text.data + 1, text.size - 1);
    while (text.size > 0 && text.data[text.size - 1] == ' ') text.size--;
    return text;
}

static bool is_text(tw_bytes a, const char *b)
{
    return tw_bytes_equal(a, tw_bytes_of(b, strlen(b)));
}

/* Takes what stands in brackets at the end off the text. */
static tw_bytes take_unit(tw_bytes *text)
{
    const uint8_t last = text->size > 0 ? text->data[text->size - 1] : 0;
    const uint8_t open = last == ')' ? '(' : last == ']' ? '[' : 0;
    size_t at = text->size;
    if (open == 0) return (tw_bytes){NULL, 0};
    while (at > 0 && text->data[at - 1] != open) at--;
    if (at == 0) return (tw_bytes){NULL, 0};
    const tw_bytes unit = trimmed(tw_bytes_of(text->data + at, text->size - at - 1));
    *text = trimmed(tw_bytes_of(text->data, at - 1));
    return unit;
}

/* Takes a number at the end off the text; 0 when there is none. */
static uint32_t take_number(tw_bytes *text)
{
    size_t at = text->size;
    uint32_t number = 0;
    while (at > 0 && text->data[at - 1] >= '0' && text->data[at - 1] <= '9') at--;
    if (at == text->size || at == 0 || text->data[at - 1] != ' ' || text->size - at > 4) return 0;
    for (size_t i = at; i < text->size; i++) number = number * 10 + (text->data[i] - '0');
    *text = trimmed(tw_bytes_of(text->data, at));
    return number;
}

static uint16_t find_reading(const tw_module *m, tw_bytes name)
{
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (is_text(name, m->readings[i].name)) return i;
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (is_text(name, m->readings[i].field)) return i;
    }
    return TW_NONE;
}

static tw_status read_unit(tw_trial *t, const table *file, tw_bytes spelling,
                           const tw_reading *reading, const tw_unit **ret_unit)
{
    char units[TW_NUMBER_UNITS_MAX];
    const tw_dimension dimension = (tw_dimension)t->code->module->types[reading->type].quantity;
    *ret_unit = NULL;
    if (spelling.size == 0) return TW_OK;
    *ret_unit = tw_unit_find(spelling);
    if (*ret_unit != NULL && (*ret_unit)->dimension == dimension) return TW_OK;
    return tw_err_set(t->err, TW_REFUSED_ARGUMENT,
                      "%s: column %s: %.*s is no unit of %s; it has: %s", file->path, reading->name,
                      (int)spelling.size, (const char *)spelling.data, tw_dim_name(dimension),
                      tw_number_units(dimension, units));
}

/* Whether the column is one of readings, and of which. */
static tw_status read_column(tw_trial *t, table *file, uint32_t index)
{
    const tw_module *m = t->code->module;
    const char *header = tw_csv_column_name(file->csv, index);
    tw_bytes name = trimmed(tw_bytes_of(header, strlen(header)));
    const tw_bytes unit = take_unit(&name);
    uint16_t reading = find_reading(m, name);
    const uint32_t number = reading == TW_NONE ? take_number(&name) : 0;
    if (number > 0) reading = find_reading(m, name);
    if (reading == TW_NONE) return TW_OK;
    const tw_role *role = &m->roles[m->readings[reading].role];
    if (file->count == FEEDS_MAX || number > role->max || number > TW_TRIAL_MEMBERS_MAX) {
        return tw_err_set(t->err, TW_REFUSED_LIMIT,
                          "%s: column \"%.100s\": in a test role %s has at most %d members, a file "
                          "%d columns of readings",
                          file->path, header, role->name, TW_TRIAL_MEMBERS_MAX, FEEDS_MAX);
    }
    column *c = &file->columns[file->count++];
    *c = (column){.index = index, .reading = reading};
    c->device = tw_trial_member(t, m->readings[reading].role, number > 0 ? number : 1);
    if (c->device == NULL) return TW_REFUSED_LIMIT;
    return read_unit(t, file, unit, &m->readings[reading], &c->unit);
}

static tw_status read_header(tw_trial *t, table *file)
{
    char list[300] = "none";
    size_t used = 0;
    const tw_module *m = t->code->module;
    tw_err ignored = {.status = TW_OK};
    if (!tw_csv_column(file->csv, "time", &file->time_index, &ignored) &&
        !tw_csv_column(file->csv, "timestamp", &file->time_index, &ignored)) {
        return tw_err_set(t->err, TW_REFUSED_ARGUMENT,
                          "%s: has no column \"time\" that says when each row was measured",
                          file->path);
    }
    for (uint32_t i = 0; i < tw_csv_column_count(file->csv); i++) {
        if (i != file->time_index) TW_TRY(read_column(t, file, i));
    }
    if (file->count > 0) return TW_OK;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const char *name = m->readings[i].name;
        if (used + strlen(name) + 3 > sizeof list) break;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", name);
    }
    return tw_err_set(t->err, TW_REFUSED_ARGUMENT,
                      "%s: no column bears the name of a reading; the readings of %s are: %s",
                      file->path, m->name, list);
}

/* The row's time: the first row comes at once, the others as much later as in the file. */
static tw_status row_time(tw_trial *t, table *file, int64_t *ret_time)
{
    char quote[TW_CSV_QUOTE_MAX];
    const tw_bytes cell = tw_csv_cell(file->csv, file->time_index);
    const char *why = NULL;
    int64_t time = 0;
    const unsigned long long line = tw_csv_line(file->csv);
    if (!tw_time_parse(cell, TW_TIME_AUTO, 0, &time, &why)) {
        return tw_err_set(t->err, TW_REFUSED_ARGUMENT, "%s:%llu: \"%s\" %s", file->path, line,
                          tw_csv_quote(cell, quote), why);
    }
    if (file->first < 0) file->first = time;
    *ret_time = file->start + (time - file->first);
    if (*ret_time >= t->now && *ret_time < TW_TIME_END) return TW_OK;
    return tw_err_set(t->err, TW_REFUSED_ARGUMENT,
                      "%s:%llu: the time \"%s\" lies before that of the row above; sort the rows",
                      file->path, line, tw_csv_quote(cell, quote));
}

static tw_status row_packs(tw_trial *t, const table *file, instant *at)
{
    const tw_module *m = t->code->module;
    const tw_number_style style = {.round = false};
    at->count = 0;
    for (uint32_t i = 0; i < file->count; i++) {
        const column *c = &file->columns[i];
        const tw_bytes cell = tw_csv_cell(file->csv, c->index);
        const tw_reading *reading = &m->readings[c->reading];
        tw_err why = {.status = TW_OK};
        int64_t value = 0;
        if (cell.size == 0) continue;
        if (tw_number_read(cell, (tw_dimension)m->types[reading->type].quantity, c->unit, style,
                           &value, &why) != TW_OK) {
            return tw_err_set(t->err, TW_REFUSED_ARGUMENT, "%s:%llu: %s: %.300s", file->path,
                              (unsigned long long)tw_csv_line(file->csv), reading->name, why.text);
        }
        TW_TRY(put(t, at, c->device, c->reading, t->now, value, false));
    }
    return TW_OK;
}

static tw_status replay_rows(tw_trial *t, const twc_step *step, table *file, instant *at,
                             tw_trial_outcome *outcome)
{
    for (;;) {
        bool row = false;
        int64_t time = 0;
        const tw_mark mark = tw_arena_mark(t->arena);
        TW_TRY(tw_csv_next(file->csv, &row, t->err));
        if (!row) return TW_OK;
        TW_TRY(row_time(t, file, &time));
        TW_TRY(tw_trial_advance(t, time));
        TW_TRY(row_packs(t, file, at));
        TW_TRY(send_packs(t, at, step, outcome));
        tw_arena_reset(t->arena, mark);
        if (outcome->status != TW_OK) return TW_OK;
    }
}

/* The file's path: from the folder of the source on, unless it is a whole one. */
static bool path_of(const tw_trial *t, const char *name, char ret_path[PATH_SIZE_MAX])
{
    const char *source = t->options->path != NULL ? t->options->path : "";
    const char *slash = strrchr(source, '/');
    const int folder = slash != NULL && name[0] != '/' ? (int)(slash - source) + 1 : 0;
    const int size = snprintf(ret_path, PATH_SIZE_MAX, "%.*s%s", folder, source, name);
    return size > 0 && size < PATH_SIZE_MAX;
}

tw_status tw_trial_replay(tw_trial *t, const twc_step *step, tw_trial_outcome *outcome)
{
    const tw_csv_options options = {.separator = 0};
    instant at = {TW_NEW_ARRAY(t->arena, device_pack, FEEDS_MAX), 0, FEEDS_MAX};
    table *file = TW_NEW(t->arena, table);
    if (at.packs == NULL || file == NULL) return TW_ERR_MEMORY;
    file->first = -1;
    file->start = t->now;
    if (!path_of(t, step->path, file->path)) return TW_REFUSED_LIMIT;
    tw_status status = tw_csv_open(file->path, &options, &file->csv, t->err);
    if (status == TW_OK) status = read_header(t, file);
    if (status == TW_OK) status = replay_rows(t, step, file, &at, outcome);
    tw_csv_close(file->csv);
    if (status != TW_REFUSED_ARGUMENT && status != TW_ERR_IO) {
        return too_many(t, status, step->text);
    }
    /* a file that is not there or not understood fails this test; the others go on */
    tw_trial_fail(t, step->line, "%s: %s", step->text, t->err->text);
    t->err->text[0] = '\0';
    t->err->status = TW_OK;
    return TW_OK;
}
