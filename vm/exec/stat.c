/* stat -- statistics over the span of a window, in exact integers, rounded once.
 *
 * Values lie within 2^52 of 0 (the reading's range) and a statistic covers at most 2^14 readings,
 * so sums and sums of squares fit 128 bits: only a result can overflow. Samples are passed over in
 * runs, those of a page, with one short loop a statistic.
 */
#include "vm/exec/window.h"

#include "vm/base/math.h"
#include "vm/base/select.h"

#include <assert.h>
#include <string.h>

typedef struct span {
    tw_window *window;
    uint64_t first, end;
} span;

static uint64_t count_of(const span *s)
{
    return s->end - s->first;
}

/* What is known of the samples that were taken in: of one window or of several. Only what the
 * statistic asks for is kept up to date. */
typedef struct tally {
    tw_stat stat;
    uint64_t count;
    uint64_t devices; /* windows with a sample in the span */
    tw_int128 sum;
    tw_uint128 squares;
    int64_t low, high;
    int64_t *values; /* for order statistics: each of them, and room for as many */
} tally;

static bool is_ordered(tw_stat stat)
{
    return stat == TW_STAT_MEDIAN || stat == TW_STAT_MAD || stat == TW_STAT_PERCENTILE;
}

static int64_t value_at(const uint8_t *run, uint64_t place)
{
    return (int64_t)tw_load_u64(run + 16 * place + 8);
}

/* The samples of a run; a sum of one run's values fits 64 bits. */
static void note(tally *t, const uint8_t *run, uint64_t count)
{
    if (t->stat == TW_STAT_MIN || t->stat == TW_STAT_MAX) {
        if (t->count == 0) t->low = t->high = value_at(run, 0);
        for (uint64_t i = 0; i < count; i++) {
            const int64_t value = value_at(run, i);
            t->low = value < t->low ? value : t->low;
            t->high = value > t->high ? value : t->high;
        }
    } else if (t->stat == TW_STAT_RMS) {
        tw_int128 squares = 0;
        for (uint64_t i = 0; i < count; i++) {
            const int64_t value = value_at(run, i);
            squares += (tw_int128)value * value;
        }
        t->squares += (tw_uint128)squares;
    } else if (is_ordered(t->stat)) {
        for (uint64_t i = 0; i < count; i++) t->values[t->count + i] = value_at(run, i);
    } else {
        int64_t sum = 0;
        for (uint64_t i = 0; i < count; i++) sum += value_at(run, i);
        t->sum += sum;
    }
    t->count += count;
}

static tw_status take_in(tally *t, const span *s)
{
    if (s->first == s->end) return TW_OK;
    if (count_of(s) > TW_SAMPLES_MAX - t->count) return TW_TRAP_FULL;
    t->devices++;
    if (t->stat == TW_STAT_COUNT || t->stat == TW_STAT_DEVICES) {
        t->count += count_of(s);
        return TW_OK;
    }
    uint64_t count = 0;
    for (uint64_t n = s->first; n < s->end; n += count) {
        const uint8_t *run = NULL;
        TW_TRY(tw_window_run(s->window, n, s->end, &run, &count));
        note(t, run, count);
    }
    return TW_OK;
}

/* The sum over `parts`, rounded half to even: an average, or with 1 the sum itself. */
static tw_status average(const tally *t, tw_int128 parts, int64_t *ret_value)
{
    const bool ok = tw_div_round(t->sum, parts, TW_ROUND_HALF_EVEN, ret_value);
    return ok ? TW_OK : TW_TRAP_OVERFLOW;
}

static tw_status order_statistic(const tally *t, const tw_stat_query *query, int64_t *ret_value)
{
    const uint64_t count = t->count;
    int64_t *values = t->values;
    if (query->stat == TW_STAT_PERCENTILE) {
        const int64_t whole = 100000000; /* 100 % in 10^-6 % */
        if (query->percent < 0 || query->percent > whole) return TW_TRAP_BAD_INDEX;
        /* nearest rank: the smallest rank with rank / count >= percent, at least 1 */
        int64_t rank = 0;
        const tw_int128 product = (tw_int128)query->percent * (int64_t)count;
        if (!tw_div_round(product, whole, TW_ROUND_UP, &rank)) return TW_TRAP_OVERFLOW;
        *ret_value = tw_select(values, count, rank > 0 ? (uint64_t)rank - 1 : 0);
        return TW_OK;
    }
    const uint64_t middle = (count - 1) / 2; /* the lower one of an even count */
    const bool is_mad = query->stat == TW_STAT_MAD;
    if (is_mad) memcpy(values + count, values, count * sizeof *values);
    const int64_t median = tw_select(values, count, middle);
    *ret_value = median;
    if (!is_mad) return TW_OK;
    for (uint64_t i = 0; i < count; i++) {
        const int64_t value = values[count + i];
        values[i] = value > median ? value - median : median - value;
    }
    *ret_value = tw_select(values, count, middle);
    return TW_OK;
}

/* 2,200 years: with at most 2^12 readings below 2^53 apart, the sums below stay under 2^125. */
static const int64_t span_max_ms = (int64_t)1 << 46;

typedef struct moments {
    tw_sample origin;
    tw_int128 t, v, tt, tv; /* sums of times, values, and their products */
} moments;

static void add_run(moments *sums, const uint8_t *run, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        const int64_t t = (int64_t)tw_load_u64(run + 16 * i) - sums->origin.time;
        const int64_t v = value_at(run, i) - sums->origin.value;
        sums->t += t;
        sums->v += v;
        sums->tt += (tw_int128)t * t;
        sums->tv += (tw_int128)t * v;
    }
}

/* Least-squares slope per ms times D. Times and values are taken relative to the first reading,
 * which changes no slope and keeps the sums small. */
static tw_status slope(const span *s, int64_t duration, bool *ret_some, int64_t *ret_value)
{
    moments sums = {.t = 0};
    tw_sample newest;
    TW_TRY(tw_window_at(s->window, s->first, &sums.origin));
    uint64_t run_count = 0;
    for (uint64_t n = s->first; n < s->end; n += run_count) {
        const uint8_t *run = NULL;
        TW_TRY(tw_window_run(s->window, n, s->end, &run, &run_count));
        add_run(&sums, run, run_count);
    }
    TW_TRY(tw_window_at(s->window, s->end - 1, &newest)); /* times never go back */
    if (newest.time - sums.origin.time > span_max_ms) return TW_TRAP_OVERFLOW;
    const tw_int128 count = (tw_int128)count_of(s);
    const tw_int128 denominator = count * sums.tt - sums.t * sums.t;
    *ret_some = denominator > 0; /* 0: fewer than two distinct times */
    if (!*ret_some) return TW_OK;
    const bool ok = tw_scale(count * sums.tv - sums.t * sums.v, duration, denominator, ret_value);
    return ok ? TW_OK : TW_TRAP_OVERFLOW;
}

static tw_status newest(const span *s, tw_stat stat, int64_t *ret_value)
{
    tw_sample sample;
    TW_TRY(tw_window_at(s->window, s->end - 1, &sample));
    *ret_value = stat == TW_STAT_LAST ? sample.value : sample.time;
    return TW_OK;
}

static tw_status result(const tally *t, const tw_stat_query *query, int64_t *ret_value)
{
    switch (query->stat) {
    case TW_STAT_COUNT: *ret_value = (int64_t)t->count; return TW_OK;
    case TW_STAT_DEVICES: *ret_value = (int64_t)t->devices; return TW_OK;
    case TW_STAT_SUM: return average(t, 1, ret_value);
    case TW_STAT_AVG: return average(t, (tw_int128)t->count, ret_value);
    case TW_STAT_MIN: *ret_value = t->low; return TW_OK;
    case TW_STAT_MAX: *ret_value = t->high; return TW_OK;
    case TW_STAT_RMS: *ret_value = tw_root_mean(t->squares, t->count); return TW_OK;
    case TW_STAT_MEDIAN:
    case TW_STAT_MAD:
    case TW_STAT_PERCENTILE: return order_statistic(t, query, ret_value);
    case TW_STAT_LAST: /* of one window, and not of its samples alone */
    case TW_STAT_TIME_OF:
    case TW_STAT_SLOPE:
    case TW_STAT_END: break;
    }
    return TW_ERR_INTERNAL;
}

static bool is_spanless(tw_stat stat)
{
    return stat == TW_STAT_LAST || stat == TW_STAT_TIME_OF;
}

/* Where the span begins. Traps Overflow; BadIndex for a span below 0. */
static tw_status span_start(const tw_stat_query *query, int64_t *ret_from)
{
    *ret_from = INT64_MIN;
    if (is_spanless(query->stat)) return TW_OK;
    if (__builtin_sub_overflow(query->end, query->span, ret_from)) return TW_TRAP_OVERFLOW;
    return query->span < 0 ? TW_TRAP_BAD_INDEX : TW_OK;
}

tw_status tw_window_stat(tw_window *window, const tw_stat_query *query, int64_t *scratch,
                         bool *ret_some, int64_t *ret_value, uint64_t *ret_samples)
{
    span s = {.window = window};
    tally t = {.stat = query->stat, .values = scratch};
    int64_t from = 0;
    TW_TRY(span_start(query, &from));
    TW_TRY(tw_window_span(window, from, query->end, query->open_end, &s.first, &s.end));
    *ret_samples = is_spanless(query->stat) ? 0 : count_of(&s);
    *ret_value = 0;
    *ret_some = s.first < s.end || query->stat == TW_STAT_COUNT;
    if (s.first == s.end) return TW_OK;
    if (is_spanless(query->stat)) return newest(&s, query->stat, ret_value);
    if (query->stat != TW_STAT_SLOPE) {
        TW_TRY(take_in(&t, &s));
        return result(&t, query, ret_value);
    }
    TW_TRY(slope(&s, query->span, ret_some, ret_value));
    if (!*ret_some) *ret_value = 0;
    return TW_OK;
}

tw_status tw_window_across(tw_contract *c, uint16_t reading, const tw_stat_query *query,
                           int64_t *scratch, bool *ret_some, int64_t *ret_value, tw_across_met *met)
{
    const uint16_t role = c->code->module->readings[reading].role;
    tally t = {.stat = query->stat, .values = scratch};
    int64_t from = 0;
    tw_account member;
    bool found = false;
    *met = (tw_across_met){0};
    TW_TRY(span_start(query, &from));
    for (;;) {
        const tw_account *after = met->devices > 0 ? &member : NULL;
        TW_TRY(tw_role_next(c, role, after, &member, &found));
        if (!found) break;
        tw_window window;
        span s = {.window = &window};
        met->devices++;
        TW_TRY(tw_window_open(c, reading, &member, &window));
        TW_TRY(tw_window_span(&window, from, query->end, query->open_end, &s.first, &s.end));
        const tw_status status = take_in(&t, &s);
        met->pages += tw_window_met(&window);
        met->samples = t.count;
        if (status != TW_OK) return status;
    }
    *ret_value = 0;
    *ret_some = t.count > 0 || t.stat == TW_STAT_COUNT || t.stat == TW_STAT_DEVICES;
    return *ret_some ? result(&t, query, ret_value) : TW_OK;
}
