/* stat -- statistics over the span of a window, in exact integers, rounded once.
 *
 * Values lie within 2^52 of 0 (the reading's range) and a statistic covers at most 2^14 readings,
 * so sums and sums of squares fit 128 bits: only a result can overflow. Of a damaged page they
 * wrap. Samples are passed over in runs, those of a page, with one short loop a statistic.
 */
#include "vm/exec/window.h"

#include "vm/base/samples.h"
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
    tw_uint128 sum;   /* of the values; of their squares for RMS */
    int64_t low, high;
    int64_t *values; /* for order statistics: each of them, and room for as many */
} tally;

static bool is_sum(tw_stat stat)
{
    return stat == TW_STAT_SUM || stat == TW_STAT_AVG || stat == TW_STAT_RMS;
}

/* The samples of a run. */
static void note(tally *t, const uint8_t *run, uint64_t count)
{
    if (t->stat == TW_STAT_MIN || t->stat == TW_STAT_MAX) {
        if (t->count == 0) t->low = t->high = tw_sample_value(run, 0);
        tw_samples_range(run, count, &t->low, &t->high);
    } else if (t->stat == TW_STAT_RMS) {
        t->sum += tw_samples_squares(run, count);
    } else if (is_sum(t->stat)) {
        t->sum += tw_wide(tw_samples_sum(run, count));
    } else {
        tw_samples_values(run, count, t->values + t->count);
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

/* The sum of the samples from `at` to `to`, one by one. */
static tw_status add_up(const tally *t, tw_window *w, uint64_t at, uint64_t to, tw_uint128 *ret_sum)
{
    for (*ret_sum = 0; at < to; at++) {
        const uint8_t *sample = NULL;
        TW_TRY(tw_window_find(w, at, &sample));
        const int64_t value = tw_sample_value(sample, 0);
        *ret_sum += t->stat == TW_STAT_RMS ? tw_wide(value) * tw_wide(value) : tw_wide(value);
    }
    return TW_OK;
}

/* Brings the sum of an earlier span to this one by what came and what went, unless to begin anew is
 * less work. Samples that went since are still in their pages while the window begins in the same
 * one: there is a page more than is kept. */
static tw_status slide_to(tally *t, tw_slide *slide, const span *s)
{
    const uint64_t first = slide->first;
    const uint64_t end = slide->end;
    tw_uint128 less = 0;
    slide->end = 0; /* nothing is known if this fails */
    if (end > 0 && end <= s->end && first <= s->first && tw_window_reaches(s->window, first) &&
        2 * (s->first - first + s->end - end) < count_of(s)) {
        TW_TRY(add_up(t, s->window, end, s->end, &t->sum));
        TW_TRY(add_up(t, s->window, first, s->first, &less));
        t->sum += slide->sum - less;
        t->count = count_of(s);
    } else {
        TW_TRY(take_in(t, s));
    }
    slide->first = s->first;
    slide->end = s->end;
    slide->sum = t->sum;
    return TW_OK;
}

/* Of the sum: the average, or itself. */
static tw_status average(const tally *t, int64_t *ret_value)
{
    const tw_int128 parts = t->stat == TW_STAT_AVG ? (tw_int128)t->count : 1;
    const bool fits = tw_div_round((tw_int128)t->sum, parts, TW_ROUND_HALF_EVEN, ret_value);
    return fits ? TW_OK : TW_TRAP_OVERFLOW;
}

static tw_status order_statistic(const tally *t, const tw_stat_query *query, int64_t *ret_value)
{
    if (query->stat == TW_STAT_PERCENTILE) {
        const bool ok = tw_percentile(t->values, t->count, query->percent, ret_value);
        return ok ? TW_OK : TW_TRAP_BAD_INDEX;
    }
    const bool is_mad = query->stat == TW_STAT_MAD;
    *ret_value = (is_mad ? tw_median_deviation : tw_median)(t->values, t->count);
    return TW_OK;
}

/* 2,200 years: with at most 2^12 readings below 2^53 apart, the sums below stay under 2^125. */
static const uint64_t span_max_ms = (uint64_t)1 << 46;

/* Least-squares slope per ms times D. Times and values are taken relative to the first reading,
 * which changes no slope and keeps the sums small. */
static tw_status slope(const span *s, int64_t duration, bool *ret_some, int64_t *ret_value)
{
    tw_sample oldest;
    tw_sample newest;
    TW_TRY(tw_window_at(s->window, s->first, &oldest));
    tw_moments sums = {.time = oldest.time, .value = oldest.value};
    uint64_t run_count = 0;
    for (uint64_t n = s->first; n < s->end; n += run_count) {
        const uint8_t *run = NULL;
        TW_TRY(tw_window_run(s->window, n, s->end, &run, &run_count));
        tw_samples_moments(run, run_count, &sums);
    }
    TW_TRY(tw_window_at(s->window, s->end - 1, &newest)); /* times never go back */
    if ((uint64_t)newest.time - (uint64_t)oldest.time > span_max_ms) return TW_TRAP_OVERFLOW;
    const bool ok = tw_moments_slope(&sums, count_of(s), duration, ret_some, ret_value);
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
    case TW_STAT_SUM:
    case TW_STAT_AVG: return average(t, ret_value);
    case TW_STAT_MIN: *ret_value = t->low; return TW_OK;
    case TW_STAT_MAX: *ret_value = t->high; return TW_OK;
    case TW_STAT_RMS: *ret_value = tw_root_mean(t->sum, t->count); return TW_OK;
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

/* What the window remembers of such a statistic, or has now begun to. */
static tw_slide *slide_of(tw_window *w, const tw_stat_query *query, int64_t from)
{
    const uint64_t mixed = ((uint64_t)query->span + query->stat) * UINT64_C(0x9e3779b97f4a7c15);
    tw_slide *slide = &w->slides[mixed >> (64 - TW_SLIDE_BITS)];
    const bool same = slide->end > 0 && slide->span == query->span && slide->stat == query->stat &&
                      slide->open_end == query->open_end && slide->from <= from;
    if (!same) *slide = (tw_slide){.span = query->span, .stat = query->stat};
    slide->open_end = query->open_end;
    slide->from = from;
    return slide;
}

tw_status tw_window_stat(tw_window *window, const tw_stat_query *query, int64_t *scratch,
                         bool *ret_some, int64_t *ret_value, uint64_t *ret_samples)
{
    span s = {.window = window};
    tally t = {.stat = query->stat, .values = scratch};
    int64_t from = 0;
    TW_TRY(span_start(query, &from));
    tw_slide *slide = slide_of(window, query, from);
    TW_TRY(
        tw_window_span(window, slide->first, from, query->end, query->open_end, &s.first, &s.end));
    *ret_samples = is_spanless(query->stat) ? 0 : count_of(&s);
    *ret_value = 0;
    *ret_some = s.first < s.end || query->stat == TW_STAT_COUNT;
    if (s.first == s.end) return TW_OK;
    if (is_spanless(query->stat)) return newest(&s, query->stat, ret_value);
    if (query->stat != TW_STAT_SLOPE) {
        TW_TRY(is_sum(query->stat) ? slide_to(&t, slide, &s) : take_in(&t, &s));
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
        TW_TRY(tw_window_span(&window, 0, from, query->end, query->open_end, &s.first, &s.end));
        const tw_status status = take_in(&t, &s);
        met->pages += tw_window_met(&window);
        met->samples = t.count;
        if (status != TW_OK) return status;
    }
    *ret_value = 0;
    *ret_some = t.count > 0 || t.stat == TW_STAT_COUNT || t.stat == TW_STAT_DEVICES;
    return *ret_some ? result(&t, query, ret_value) : TW_OK;
}
