/* test_stat -- windows and statistics against a plain array: every statistic, both kinds of spans,
 * rings that have gone round, ties and the ends of the range. Each check computes another way than
 * vm/exec/stat.c does: wide sums, a merge sort, definitions instead of algorithms. */
#include "tests/unit/state_fixture.h"
#include "vm/base/math.h"
#include "vm/exec/window.h"

#include <criterion/criterion.h>

enum { PUSHED_MAX = 12000, PERCENT = 1000000 };

static const int64_t edge = (int64_t)1 << 52;

/* One device with one reading, and all that was ever pushed. */
typedef struct bench {
    tw_store *store;
    tw_overlay *overlay;
    tw_reading reading;
    tw_module module;
    tw_code code;
    tw_contract contract;
    tw_account device;
    tw_sample all[PUSHED_MAX];
    uint64_t total;
    int64_t scratch[2 * TW_KEEP_MAX];
    int64_t sorted[TW_KEEP_MAX];
} bench;

static bench *bench_new(void)
{
    bench *b = tw_mem_new(sizeof *b);
    cr_assert_not_null(b);
    b->store = store_in_memory();
    b->overlay = tw_overlay_new(b->store, 256 * MIB);
    cr_assert_not_null(b->overlay);
    memset(b->device.bytes, 7, sizeof b->device.bytes);
    return b;
}

static void bench_free(bench *b)
{
    tw_overlay_free(b->overlay);
    tw_store_close(b->store);
    tw_mem_free(b);
}

/* An empty window: as after the grant of the device. */
static void start(bench *b, uint16_t keep)
{
    tw_overlay_clear(b->overlay, 1);
    b->total = 0;
    b->reading = (tw_reading){.name = "r", .field = "r", .keep = keep};
    b->module = (tw_module){.readings = &b->reading, .reading_count = 1};
    b->code = (tw_code){.module = &b->module};
    b->contract = (tw_contract){.code = &b->code, .overlay = b->overlay};
    const tw_key key = tw_device_key(&b->contract.id, &b->device);
    uint8_t *record = NULL;
    cr_assert_eq(
        tw_overlay_resize(b->overlay, tw_key_bytes(&key), tw_device_size(&b->module), &record),
        TW_OK);
}

/* The page where it stands. */
static const uint8_t *push(bench *b, int64_t time, int64_t value)
{
    const tw_sample sample = {time, value};
    const tw_key key = tw_device_key(&b->contract.id, &b->device);
    uint8_t *record = NULL;
    size_t size = 0;
    bool found = false;
    cr_assert(b->total < PUSHED_MAX);
    uint8_t *page = NULL;
    cr_assert_eq(tw_window_page(&b->contract, 0, &b->device, b->total, &page), TW_OK);
    tw_window_put(page, b->total, sample);
    cr_assert_eq(tw_overlay_edit(b->overlay, tw_key_bytes(&key), &record, &size, &found), TW_OK);
    b->all[b->total++] = sample;
    tw_store_u64(record + tw_device_reading(0), b->total);
    tw_store_u64(record + tw_device_reading(0) + 8, (uint64_t)time);
    return page;
}

static tw_window open_window(bench *b)
{
    tw_window window;
    cr_assert_eq(tw_window_open(&b->contract, 0, &b->device, &window), TW_OK);
    return window;
}

/* ---- the oracle ---- */

typedef struct part {
    const tw_sample *samples;
    uint64_t count;
} part;

static bool in_span(int64_t time, int64_t from, int64_t to, bool open_end)
{
    return open_end ? time >= from && time < to : time > from && time <= to;
}

/* What of the last `keep` lies in the span; times ascend, so it is one piece. */
static part choose(const bench *b, int64_t from, int64_t to, bool open_end)
{
    const uint64_t keep = b->reading.keep;
    part p = {b->all, 0};
    for (uint64_t i = b->total > keep ? b->total - keep : 0; i < b->total; i++) {
        if (!in_span(b->all[i].time, from, to, open_end)) continue;
        if (p.count++ == 0) p.samples = &b->all[i];
    }
    return p;
}

static void merge_sort(int64_t *values, int64_t *other, uint64_t count)
{
    for (uint64_t width = 1; width < count; width *= 2) {
        for (uint64_t at = 0; at < count; at += 2 * width) {
            const uint64_t middle = at + width < count ? at + width : count;
            const uint64_t end = at + 2 * width < count ? at + 2 * width : count;
            uint64_t a = at;
            uint64_t b = middle;
            for (uint64_t i = at; i < end; i++) {
                const bool left = a < middle && (b == end || values[a] <= values[b]);
                other[i] = left ? values[a++] : values[b++];
            }
        }
        memcpy(values, other, count * sizeof *values);
    }
}

static void sort_part(bench *b, part p)
{
    for (uint64_t i = 0; i < p.count; i++) b->sorted[i] = p.samples[i].value;
    merge_sort(b->sorted, b->scratch, p.count);
}

static tw_int128 sum_of(part p)
{
    tw_int128 sum = 0;
    for (uint64_t i = 0; i < p.count; i++) sum += p.samples[i].value;
    return sum;
}

/* `value` is numerator / denominator rounded half to even. */
static bool is_rounded(tw_int128 numerator, tw_int128 denominator, int64_t value)
{
    const tw_int128 twice = 2 * (numerator - value * denominator);
    if (twice == denominator || twice == -denominator) return value % 2 == 0;
    return twice < denominator && twice > -denominator;
}

/* `value` is the square root of S / n rounded half to even. */
static bool is_root(part p, int64_t value)
{
    tw_uint128 squares = 0;
    for (uint64_t i = 0; i < p.count; i++) {
        squares += (tw_uint128)((tw_int128)p.samples[i].value * p.samples[i].value);
    }
    const tw_uint128 root = (tw_uint128)value;
    const tw_uint128 above = (2 * root + 1) * (2 * root + 1) * p.count;
    const tw_uint128 below = root == 0 ? 0 : (2 * root - 1) * (2 * root - 1) * p.count;
    const tw_uint128 s = 4 * squares;
    if (value < 0) return false;
    if (s == above || (s == below && root > 0)) return value % 2 == 0;
    return s < above && s >= below;
}

typedef struct wide {
    uint32_t limbs[8]; /* the lowest first */
} wide;

static wide product(tw_uint128 a, tw_uint128 b)
{
    wide p = {{0}};
    for (int i = 0; i < 4; i++) {
        uint64_t carry = 0;
        for (int k = 0; k < 4; k++) {
            const uint64_t x = (uint32_t)(a >> 32 * i);
            const uint64_t y = (uint32_t)(b >> 32 * k);
            carry += p.limbs[i + k] + x * y;
            p.limbs[i + k] = (uint32_t)carry;
            carry >>= 32;
        }
        p.limbs[i + 4] = (uint32_t)carry;
    }
    return p;
}

static int compare(const wide *a, const wide *b)
{
    for (int i = 8; i-- > 0;) {
        if (a->limbs[i] != b->limbs[i]) return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

static tw_uint128 size_of(tw_int128 value)
{
    return value < 0 ? -(tw_uint128)value : (tw_uint128)value;
}

typedef struct fraction {
    tw_int128 above, below; /* of the least-squares slope */
} fraction;

/* Times relative to the newest reading; any origin gives the same fraction. */
static fraction slope_of(part p)
{
    tw_int128 t1 = 0;
    tw_int128 v1 = 0;
    tw_int128 tt = 0;
    tw_int128 tv = 0;
    for (uint64_t i = 0; i < p.count; i++) {
        const tw_int128 t = p.samples[i].time - p.samples[p.count - 1].time;
        const tw_int128 v = p.samples[i].value;
        t1 += t;
        v1 += v;
        tt += t * t;
        tv += t * v;
    }
    const tw_int128 n = (tw_int128)p.count;
    return (fraction){n * tv - t1 * v1, n * tt - t1 * t1};
}

/* `value` is above / below * span rounded half to even: 2 |above| span lies within
 * (2 |value| - 1) below and (2 |value| + 1) below. */
static bool is_slope(fraction f, int64_t span, int64_t value)
{
    const tw_uint128 size = size_of(value);
    const wide exact = product(2 * size_of(f.above), (tw_uint128)span);
    const wide high = product(2 * size + 1, (tw_uint128)f.below);
    const wide low = product(size == 0 ? 0 : 2 * size - 1, (tw_uint128)f.below);
    if (value != 0 && (value < 0) != (f.above < 0)) return false;
    const int over = compare(&exact, &high);
    const int under = compare(&exact, &low);
    if (over == 0 || (under == 0 && size > 0)) return value % 2 == 0;
    return over < 0 && under >= 0;
}

static bool slope_fits(fraction f, int64_t span)
{
    /* the tie at 2^63 - 1/2 goes up to the even 2^63, which only a negative result may be */
    const tw_uint128 limit = f.above < 0 ? ((tw_uint128)1 << 64) + 1 : ((tw_uint128)1 << 64) - 1;
    const wide exact = product(2 * size_of(f.above), (tw_uint128)span);
    const wide border = product(limit, (tw_uint128)f.below);
    const int order = compare(&exact, &border);
    return order < 0 || (order == 0 && f.above < 0);
}

/* ---- one query against the oracle ---- */

typedef struct answer {
    tw_status status;
    bool some;
    int64_t value;
} answer;

static answer ask(bench *b, const tw_stat_query *query)
{
    tw_window window = open_window(b);
    answer a = {TW_OK, false, 4711};
    uint64_t samples = 0;
    a.status = tw_window_stat(&window, query, b->scratch, &a.some, &a.value, &samples);
    return a;
}

static answer simply(bench *b, tw_stat stat, int64_t end, int64_t span)
{
    const tw_stat_query query = {.stat = stat, .span = span, .end = end};
    return ask(b, &query);
}

static bool fits(tw_int128 value)
{
    return value >= INT64_MIN && value <= INT64_MAX;
}

static int64_t extreme_of(part p, bool largest)
{
    int64_t best = p.samples[0].value;
    for (uint64_t i = 1; i < p.count; i++) {
        const int64_t value = p.samples[i].value;
        if (largest ? value > best : value < best) best = value;
    }
    return best;
}

static int64_t median_of(bench *b, part p)
{
    sort_part(b, p);
    return b->sorted[(p.count - 1) / 2];
}

static int64_t mad_of(bench *b, part p)
{
    const int64_t median = median_of(b, p);
    for (uint64_t i = 0; i < p.count; i++) {
        const int64_t value = p.samples[i].value;
        b->sorted[i] = value > median ? value - median : median - value;
    }
    merge_sort(b->sorted, b->scratch, p.count);
    return b->sorted[(p.count - 1) / 2];
}

/* The smallest value that at least `percent` of the readings do not exceed. */
static int64_t percentile_of(bench *b, part p, int64_t percent)
{
    sort_part(b, p);
    uint64_t rank = 1;
    while ((tw_int128)rank * 100 * PERCENT < (tw_int128)percent * (int64_t)p.count) rank++;
    return b->sorted[rank - 1];
}

/* An answer that is a number, over at least one reading. */
static bool is_right(bench *b, const tw_stat_query *q, part p, answer a)
{
    const tw_int128 count = (tw_int128)p.count;
    const fraction f = slope_of(p);
    switch (q->stat) {
    case TW_STAT_LAST: return a.value == p.samples[p.count - 1].value;
    case TW_STAT_TIME_OF: return a.value == p.samples[p.count - 1].time;
    case TW_STAT_COUNT: return a.value == (int64_t)p.count;
    case TW_STAT_SUM:
        if (!fits(sum_of(p))) return a.status == TW_TRAP_OVERFLOW;
        return a.status == TW_OK && a.value == sum_of(p);
    case TW_STAT_AVG: return is_rounded(sum_of(p), count, a.value);
    case TW_STAT_MIN: return a.value == extreme_of(p, false);
    case TW_STAT_MAX: return a.value == extreme_of(p, true);
    case TW_STAT_MEDIAN: return a.value == median_of(b, p);
    case TW_STAT_MAD: return a.value == mad_of(b, p);
    case TW_STAT_PERCENTILE: return a.value == percentile_of(b, p, q->percent);
    case TW_STAT_RMS: return is_root(p, a.value);
    case TW_STAT_SLOPE:
        if (f.below == 0) return a.status == TW_OK && !a.some && a.value == 0;
        if (!slope_fits(f, q->span)) return a.status == TW_TRAP_OVERFLOW;
        return a.status == TW_OK && a.some && is_slope(f, q->span, a.value);
    case TW_STAT_DEVICES:
    case TW_STAT_END: break;
    }
    return false;
}

static void check(bench *b, const tw_stat_query *q, uint64_t seed)
{
    const bool spanless = q->stat == TW_STAT_LAST || q->stat == TW_STAT_TIME_OF;
    const part p = choose(b, spanless ? INT64_MIN : q->end - q->span, q->end, q->open_end);
    const answer a = ask(b, q);
    const bool may_fail = q->stat == TW_STAT_SUM || q->stat == TW_STAT_SLOPE;
    cr_assert(a.status == TW_OK || may_fail, "seed %llu: %s gave %s", (unsigned long long)seed,
              tw_stat_word(q->stat), tw_status_name(a.status));
    if (p.count == 0) {
        cr_assert(a.value == 0 && a.some == (q->stat == TW_STAT_COUNT), "seed %llu: %s of nothing",
                  (unsigned long long)seed, tw_stat_word(q->stat));
        return;
    }
    if (!may_fail) cr_assert(a.some);
    cr_assert(is_right(b, q, p, a), "seed %llu: %s over %llu readings gave %lld, %s",
              (unsigned long long)seed, tw_stat_word(q->stat), (unsigned long long)p.count,
              (long long)a.value, tw_status_name(a.status));
}

/* ---- random windows ---- */

static int64_t any_value(uint64_t *seed, unsigned style)
{
    const int64_t any = (int64_t)(random_next(seed) >> 11) - edge; /* -2^52 .. 2^52 - 1 */
    switch (style) {
    case 0: return (int64_t)random_below(seed, 7) - 3; /* many equal ones */
    case 1: return any;
    case 2: return random_next(seed) % 2 == 0 ? edge : -edge;
    case 3: return edge - (int64_t)random_below(seed, 3);
    case 4: return -(int64_t)random_below(seed, 100000);
    default: return (int64_t)random_below(seed, 100000000);
    }
}

static uint16_t any_keep(uint64_t *seed)
{
    static const uint16_t borders[] = {1, 2, 3, 126, 127, 128, 129, 255, 256, 257, 384};
    const size_t choice = random_below(seed, 16);
    if (choice < sizeof borders / sizeof borders[0]) return borders[choice];
    return (uint16_t)(1 + random_below(seed, 300));
}

static int64_t fill(bench *b, uint64_t *seed, size_t count)
{
    const unsigned style = (unsigned)random_below(seed, 6);
    const size_t step = (size_t)1 << random_below(seed, 21);
    int64_t time = (int64_t)random_below(seed, (size_t)1 << 45);
    for (size_t i = 0; i < count; i++) {
        if (random_below(seed, 4) != 0) time += (int64_t)random_below(seed, step);
        push(b, time, any_value(seed, style));
    }
    return time;
}

/* Ends and spans that fall on readings, between them, before the first and after the last. */
static tw_stat_query any_query(const bench *b, uint64_t *seed)
{
    const tw_sample *samples = b->all;
    const int64_t end =
        samples[random_below(seed, b->total)].time + (int64_t)random_below(seed, 3) - 1;
    const int64_t from =
        samples[random_below(seed, b->total)].time + (int64_t)random_below(seed, 3) - 1;
    tw_stat_query q = {.stat = (tw_stat)random_below(seed, TW_STAT_DEVICES), .end = end};
    q.span = random_below(seed, 8) == 0 ? edge : end > from ? end - from : from - end;
    q.open_end = random_next(seed) % 2 == 0;
    q.percent = (int64_t)random_below(seed, 100 * PERCENT + 1);
    if (random_below(seed, 4) == 0) q.percent = (int64_t)random_below(seed, 101) * PERCENT;
    return q;
}

Test(stat, random_windows_agree_with_the_plain_array)
{
    bench *b = bench_new();
    uint64_t seed = 5;
    for (int round = 0; round < 2500; round++) {
        const uint64_t at = seed;
        const uint16_t keep = any_keep(&seed);
        start(b, keep);
        (void)fill(b, &seed, 1 + random_below(&seed, 3u * keep));
        for (int i = 0; i < 12; i++) {
            const tw_stat_query q = any_query(b, &seed);
            check(b, &q, at);
        }
    }
    bench_free(b);
}

Test(stat, the_largest_windows_agree_with_the_plain_array)
{
    bench *b = bench_new();
    uint64_t seed = 6;
    for (int round = 0; round < 12; round++) {
        const uint64_t at = seed;
        start(b, (uint16_t)(TW_KEEP_MAX - random_below(&seed, 130) * (round % 2 == 0)));
        const int64_t newest = fill(b, &seed, TW_KEEP_MAX + random_below(&seed, 7000));
        for (uint32_t stat = 0; stat < TW_STAT_DEVICES; stat++) {
            const tw_stat_query all = {
                .stat = (tw_stat)stat, .span = edge, .end = newest, .percent = 37 * PERCENT};
            check(b, &all, at);
            tw_stat_query some = any_query(b, &seed);
            some.stat = (tw_stat)stat;
            check(b, &some, at);
        }
    }
    bench_free(b);
}

/* ---- windows ---- */

/* After each push all kept readings are there, in order, and the one before them is gone. */
Test(stat, a_window_keeps_the_last_readings)
{
    static const uint16_t keeps[] = {1, 2, 127, 128, 129, 256, 300};
    bench *b = bench_new();
    for (size_t k = 0; k < sizeof keeps / sizeof keeps[0]; k++) {
        const uint64_t keep = keeps[k];
        start(b, keeps[k]);
        for (uint64_t n = 0; n < 3 * keep + 130; n++) {
            push(b, (int64_t)(1000 + n), (int64_t)(n * n));
            tw_window window = open_window(b);
            cr_assert_eq(window.total, n + 1);
            cr_assert_eq(window.first, n + 1 > keep ? n + 1 - keep : 0);
            for (uint64_t i = window.first; i < window.total; i += i + 9 < n ? 7 : 1) {
                tw_sample sample;
                cr_assert_eq(tw_window_at(&window, i, &sample), TW_OK);
                cr_assert_eq(sample.time, (int64_t)(1000 + i), "reading %llu of %llu, keep %llu",
                             (unsigned long long)i, (unsigned long long)n,
                             (unsigned long long)keep);
                cr_assert_eq(sample.value, (int64_t)(i * i));
            }
        }
    }
    bench_free(b);
}

/* Every pair of borders over readings with equal times and gaps, both kinds of spans. */
Test(stat, a_span_takes_its_end_and_leaves_its_start_or_the_other_way)
{
    static const int64_t times[] = {10, 10, 11, 13, 13, 13, 14, 20, 20};
    const uint64_t count = sizeof times / sizeof times[0];
    bench *b = bench_new();
    for (uint16_t keep = 1; keep <= count; keep++) {
        start(b, keep);
        for (uint64_t i = 0; i < count; i++) push(b, times[i], (int64_t)i);
        tw_window window = open_window(b);
        for (int64_t from = 8; from <= 22; from++) {
            for (int64_t to = from; to <= 22; to++) {
                for (int open = 0; open <= 1; open++) {
                    uint64_t first = 0;
                    uint64_t end = 0;
                    const part p = choose(b, from, to, open == 1);
                    cr_assert_eq(tw_window_span(&window, 0, from, to, open == 1, &first, &end),
                                 TW_OK);
                    cr_assert_eq(end - first, p.count, "keep %d, %lld to %lld", keep,
                                 (long long)from, (long long)to);
                    if (p.count > 0) cr_assert_eq(first, (uint64_t)(p.samples - b->all));
                }
            }
        }
    }
    bench_free(b);
}

/* One of few spans, so that what is remembered of each is of use, mostly at the newest reading. */
static void follow(bench *b, tw_window *window, uint64_t *seed, int64_t time)
{
    static const int64_t spans[] = {0, 1, 40, 1000, 2500, 30000, 1000000};
    static const tw_stat stats[] = {TW_STAT_SUM, TW_STAT_AVG,   TW_STAT_RMS,
                                    TW_STAT_MAX, TW_STAT_COUNT, TW_STAT_LAST};
    const bool early = random_below(seed, 8) == 0;
    const tw_stat_query q = {.stat = stats[random_below(seed, 6)],
                             .span = spans[random_below(seed, 7)],
                             .end = time + 5 - (int64_t)random_below(seed, early ? 3000 : 10),
                             .open_end = random_below(seed, 4) == 0};
    const answer fresh = ask(b, &q);
    bool some = false;
    int64_t value = 4711;
    uint64_t samples = 0;
    const tw_status status = tw_window_stat(window, &q, b->scratch, &some, &value, &samples);
    cr_assert_eq(status, fresh.status);
    cr_assert(some == fresh.some && value == fresh.value,
              "keep %d, reading %llu, statistic %d over %lld: %lld instead of %lld",
              b->reading.keep, (unsigned long long)b->total, q.stat, (long long)q.span,
              (long long)value, (long long)fresh.value);
}

/* A window that is open while readings come says what one says that is opened for each question. */
Test(stat, a_window_is_followed_as_readings_come)
{
    static const uint16_t keeps[] = {1, 2, 64, 127, 128, 129, 300, 1000, 4096};
    bench *b = bench_new();
    uint64_t seed = 20;
    for (size_t k = 0; k < sizeof keeps / sizeof keeps[0]; k++) {
        start(b, keeps[k]);
        tw_window window = open_window(b);
        window.priced = false;
        int64_t time = 1000;
        for (int i = 0; i < 3000 + 2 * keeps[k]; i++) {
            const int64_t step = random_below(&seed, 50) == 0 ? 2000 : 20;
            time += (int64_t)random_below(&seed, (size_t)step);
            const int64_t value = (int64_t)random_below(&seed, (size_t)1 << 53) - edge;
            tw_window_push(&window, push(b, time, value));
            const bool quiet = i / 100 % 3 == 0; /* what is remembered grows old */
            for (int n = 0; n < 2 && !quiet; n++) follow(b, &window, &seed, time);
        }
    }
    bench_free(b);
}

/* Neighbouring periods of `every` share no reading and lose none. */
Test(stat, periods_share_nothing_and_lose_nothing)
{
    bench *b = bench_new();
    uint64_t seed = 7;
    start(b, 500);
    int64_t time = 1000;
    for (int i = 0; i < 500; i++) push(b, time += (int64_t)random_below(&seed, 40), i);
    int64_t counted = 0;
    for (int64_t end = 1000; end < time + 200; end += 100) {
        const tw_stat_query q = {.stat = TW_STAT_COUNT, .span = 100, .end = end, .open_end = true};
        counted += ask(b, &q).value;
    }
    cr_assert_eq(counted, 500);
    bench_free(b);
}

Test(stat, nothing_of_nothing)
{
    bench *b = bench_new();
    start(b, 100);
    for (int with_readings = 0; with_readings <= 1; with_readings++) {
        for (uint32_t stat = 0; stat < TW_STAT_DEVICES; stat++) {
            const answer a = simply(b, (tw_stat)stat, 5000, 1000);
            cr_assert_eq(a.status, TW_OK);
            cr_assert_eq(a.some, stat == TW_STAT_COUNT);
            cr_assert_eq(a.value, 0);
        }
        push(b, 9000, 1); /* later than the end of the span */
    }
    memset(b->device.bytes, 9, sizeof b->device.bytes); /* an account that is no device */
    const answer count = simply(b, TW_STAT_COUNT, 10000, 10000);
    cr_assert(count.status == TW_OK && count.some && count.value == 0);
    cr_assert_not(simply(b, TW_STAT_LAST, 10000, 10000).some);
    bench_free(b);
}

/* ---- by hand ---- */

static void give(bench *b, const int64_t *values, size_t count)
{
    start(b, TW_KEEP_MAX);
    for (size_t i = 0; i < count; i++) push(b, (int64_t)i, values[i]);
}

static int64_t over_all(bench *b, tw_stat stat)
{
    const answer a = simply(b, stat, edge, edge + 1);
    cr_assert(a.status == TW_OK && a.some, "%s: %s", tw_stat_word(stat), tw_status_name(a.status));
    return a.value;
}

#define GIVE(b, ...)                                                                               \
    give((b), (const int64_t[]){__VA_ARGS__},                                                      \
         sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

Test(stat, averages_round_half_to_even)
{
    bench *b = bench_new();
    GIVE(b, 1, 2);
    cr_assert_eq(over_all(b, TW_STAT_AVG), 2);
    GIVE(b, 2, 3);
    cr_assert_eq(over_all(b, TW_STAT_AVG), 2);
    GIVE(b, -1, -2);
    cr_assert_eq(over_all(b, TW_STAT_AVG), -2);
    GIVE(b, -1, 0);
    cr_assert_eq(over_all(b, TW_STAT_AVG), 0);
    GIVE(b, 1, 1, 2);
    cr_assert_eq(over_all(b, TW_STAT_AVG), 1);
    bench_free(b);
}

Test(stat, the_rms_rounds_half_to_even)
{
    bench *b = bench_new();
    GIVE(b, 1, 2, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* 25 / 16: root 1.25 */
    cr_assert_eq(over_all(b, TW_STAT_RMS), 1);
    GIVE(b, 1, 2, 2, 0); /* 9 / 4: root 1.5 */
    cr_assert_eq(over_all(b, TW_STAT_RMS), 2);
    GIVE(b, 5, 0, 0, 0); /* 25 / 4: root 2.5 */
    cr_assert_eq(over_all(b, TW_STAT_RMS), 2);
    GIVE(b, 7, 0, 0, 0); /* root 3.5 */
    cr_assert_eq(over_all(b, TW_STAT_RMS), 4);
    GIVE(b, -3, -3, 3);
    cr_assert_eq(over_all(b, TW_STAT_RMS), 3);
    GIVE(b, 0, 0);
    cr_assert_eq(over_all(b, TW_STAT_RMS), 0);
    bench_free(b);
}

Test(stat, order_statistics_take_the_lower_middle)
{
    bench *b = bench_new();
    GIVE(b, 4, 1, 3, 2);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), 2);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 1); /* from 2: 2 1 1 0 */
    GIVE(b, 10);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), 10);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 0);
    GIVE(b, -5, 5, 0);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), 0);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 5);
    GIVE(b, -edge, -edge, edge, edge);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), -edge);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 0);
    bench_free(b);
}

static answer percentile(bench *b, int64_t percent)
{
    const tw_stat_query q = {
        .stat = TW_STAT_PERCENTILE, .span = edge, .end = edge - 1, .percent = percent};
    return ask(b, &q);
}

Test(stat, percentiles_are_by_nearest_rank)
{
    bench *b = bench_new();
    GIVE(b, 50, 15, 40, 20, 35);
    cr_assert_eq(percentile(b, 0).value, 15);
    cr_assert_eq(percentile(b, 1).value, 15);
    cr_assert_eq(percentile(b, 20 * PERCENT).value, 15);
    cr_assert_eq(percentile(b, 20 * PERCENT + 1).value, 20);
    cr_assert_eq(percentile(b, 30 * PERCENT).value, 20);
    cr_assert_eq(percentile(b, 40 * PERCENT).value, 20);
    cr_assert_eq(percentile(b, 50 * PERCENT).value, 35);
    cr_assert_eq(percentile(b, 100 * PERCENT - 1).value, 50);
    cr_assert_eq(percentile(b, 100 * PERCENT).value, 50);
    cr_assert_eq(percentile(b, 100 * PERCENT + 1).status, TW_TRAP_BAD_INDEX);
    cr_assert_eq(percentile(b, -1).status, TW_TRAP_BAD_INDEX);
    cr_assert_eq(percentile(b, INT64_MIN).status, TW_TRAP_BAD_INDEX);
    cr_assert_eq(percentile(b, INT64_MAX).status, TW_TRAP_BAD_INDEX);
    bench_free(b);
}

/* A slope per ms times D: what the line gains over D. */
static answer slope(bench *b, int64_t span)
{
    const tw_stat_query q = {.stat = TW_STAT_SLOPE, .span = span, .end = span - 1};
    return ask(b, &q);
}

Test(stat, slopes_by_hand)
{
    bench *b = bench_new();
    GIVE(b, 0, 7, 14, 21); /* 7 a ms */
    cr_assert_eq(slope(b, 1000).value, 7000);
    GIVE(b, 21, 14, 7, 0);
    cr_assert_eq(slope(b, 1000).value, -7000);
    GIVE(b, 5, 5, 5);
    cr_assert(slope(b, 1000).some && slope(b, 1000).value == 0);
    GIVE(b, 5);
    cr_assert_not(slope(b, 1000).some);
    start(b, 10);
    push(b, 3, 1);
    push(b, 3, 9);
    cr_assert_not(slope(b, 1000).some, "one time is no line");
    push(b, 4, 9); /* the first two count as their mean */
    cr_assert_eq(slope(b, 1000).value, 4000);
    bench_free(b);
}

/* Two readings d apart that differ by v: the slope over D is v D / d, a tie when d = 2 D v'. */
Test(stat, slopes_round_half_to_even)
{
    static const struct {
        int64_t gain, apart, span, result;
    } cases[] = {
        {1, 2, 3, 2},     {-1, 2, 3, -2}, {1, 2, 5, 2},  {-1, 2, 5, -2}, {3, 2, 3, 4},
        {-3, 2, 3, -4},   {1, 4, 6, 2},   {1, 8, 12, 2}, {1, 6, 9, 2},   {1, 20, 30, 2},
        {1, 200, 300, 2}, {5, 2, 3, 8},   {1, 3, 4, 1},  {2, 3, 4, 3},   {-2, 3, 4, -3},
    };
    bench *b = bench_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start(b, 10);
        push(b, 0, 1000);
        push(b, cases[i].apart, 1000 + cases[i].gain);
        const tw_stat_query q = {
            .stat = TW_STAT_SLOPE, .span = cases[i].span, .end = cases[i].span - 1};
        const answer a = ask(b, &q);
        cr_assert(a.some && a.value == cases[i].result, "case %zu: %lld", i, (long long)a.value);
    }
    bench_free(b);
}

/* ---- extremes ---- */

static void give_many(bench *b, uint64_t count, int64_t even, int64_t odd)
{
    start(b, TW_KEEP_MAX);
    for (uint64_t i = 0; i < count; i++) push(b, (int64_t)i, i % 2 == 0 ? even : odd);
}

Test(stat, a_window_full_of_extremes)
{
    bench *b = bench_new();
    give_many(b, TW_KEEP_MAX, edge, edge); /* the sum is 2^64, all else is 2^52 */
    cr_assert_eq(simply(b, TW_STAT_SUM, edge, edge + 1).status, TW_TRAP_OVERFLOW);
    cr_assert_eq(over_all(b, TW_STAT_AVG), edge, "an average fits when its sum does not");
    cr_assert_eq(over_all(b, TW_STAT_RMS), edge);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), edge);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 0);
    give_many(b, TW_KEEP_MAX, -edge, -edge);
    cr_assert_eq(simply(b, TW_STAT_SUM, edge, edge + 1).status, TW_TRAP_OVERFLOW);
    cr_assert_eq(over_all(b, TW_STAT_AVG), -edge);
    cr_assert_eq(over_all(b, TW_STAT_RMS), edge);
    give_many(b, TW_KEEP_MAX, -edge, edge);
    cr_assert_eq(over_all(b, TW_STAT_SUM), 0);
    cr_assert_eq(over_all(b, TW_STAT_AVG), 0);
    cr_assert_eq(over_all(b, TW_STAT_RMS), edge);
    cr_assert_eq(over_all(b, TW_STAT_MEDIAN), -edge);
    cr_assert_eq(over_all(b, TW_STAT_MAD), 0);
    bench_free(b);
}

/* The sum is what counts, not the way to it. */
Test(stat, a_sum_fits_or_not_whatever_the_order)
{
    bench *b = bench_new();
    start(b, TW_KEEP_MAX);
    for (int64_t i = 0; i < 2048; i++) push(b, i, edge); /* 2^63: one too many */
    cr_assert_eq(simply(b, TW_STAT_SUM, edge, edge + 1).status, TW_TRAP_OVERFLOW);
    push(b, 5000, -1);
    cr_assert_eq(over_all(b, TW_STAT_SUM), INT64_MAX);
    push(b, 5001, 1);
    cr_assert_eq(simply(b, TW_STAT_SUM, edge, edge + 1).status, TW_TRAP_OVERFLOW);
    start(b, TW_KEEP_MAX);
    for (int64_t i = 0; i < 2048; i++) push(b, i, -edge);
    cr_assert_eq(over_all(b, TW_STAT_SUM), INT64_MIN);
    push(b, 5000, -1);
    cr_assert_eq(simply(b, TW_STAT_SUM, edge, edge + 1).status, TW_TRAP_OVERFLOW);
    bench_free(b);
}

Test(stat, slopes_at_the_ends_of_the_range)
{
    bench *b = bench_new();
    start(b, TW_KEEP_MAX);
    push(b, 0, -edge);
    push(b, 1, edge); /* 2^53 a ms */
    cr_assert_eq(slope(b, 1023).value, 1023 * 2 * edge);
    cr_assert_eq(slope(b, 1024).status, TW_TRAP_OVERFLOW); /* 2^63 */
    cr_assert_eq(slope(b, edge).status, TW_TRAP_OVERFLOW);
    start(b, TW_KEEP_MAX);
    push(b, 0, edge);
    push(b, 1, -edge);
    cr_assert_eq(slope(b, 1024).value, INT64_MIN);
    cr_assert_eq(slope(b, 1025).status, TW_TRAP_OVERFLOW);
    start(b, TW_KEEP_MAX); /* 4,095 ms * 2^41 apart: over 2^46 from the first to the last */
    for (int64_t i = 0; i < TW_KEEP_MAX; i++) push(b, i << 41, i % 2 == 0 ? edge : -edge);
    cr_assert_eq(slope(b, edge).status, TW_TRAP_OVERFLOW);
    start(b, TW_KEEP_MAX);
    for (int64_t i = 0; i < TW_KEEP_MAX; i++) push(b, i << 34, i < 2048 ? -edge : edge);
    const tw_stat_query q = {.stat = TW_STAT_SLOPE, .span = edge, .end = edge - 1};
    check(b, &q, 0);
    bench_free(b);
}

Test(stat, spans_that_no_time_can_have)
{
    bench *b = bench_new();
    GIVE(b, 1, 2, 3);
    cr_assert_eq(simply(b, TW_STAT_COUNT, -2, INT64_MAX).status, TW_TRAP_OVERFLOW);
    cr_assert_eq(simply(b, TW_STAT_COUNT, INT64_MIN, 1).status, TW_TRAP_OVERFLOW);
    cr_assert_eq(simply(b, TW_STAT_COUNT, 5, -1).status, TW_TRAP_BAD_INDEX);
    cr_assert_eq(simply(b, TW_STAT_COUNT, 5, INT64_MIN).status, TW_TRAP_OVERFLOW);
    cr_assert_eq(simply(b, TW_STAT_COUNT, 5, 0).value, 0);
    cr_assert_eq(simply(b, TW_STAT_COUNT, 5, INT64_MAX).value, 3);
    cr_assert_eq(simply(b, TW_STAT_COUNT, INT64_MAX, INT64_MAX).value, 2, "0 is not after 0");
    cr_assert(simply(b, TW_STAT_LAST, INT64_MAX, INT64_MIN).some, "the newest has no span");
    cr_assert_not(simply(b, TW_STAT_LAST, -1, 0).some);
    bench_free(b);
}

/* ---- all members ---- */

enum { DEVICES = 4 };
static_assert(DEVICES * TW_KEEP_MAX == TW_SAMPLES_MAX, "four full windows are the limit");

/* Member `number` of role 0, with `count` readings 1, 2, 3 ... at these times; the devices before
 * it stay as they are. */
static void join(bench *b, uint8_t number, int64_t count)
{
    const uint8_t tag[1] = {TW_STATE_TAG};
    uint8_t *record = NULL;
    memset(b->device.bytes, number, sizeof b->device.bytes);
    tw_key key = tw_key_of(TW_SPACE_MEMBER, &b->contract.id);
    tw_key_u8(&key, 0);
    tw_key_raw(&key, b->device.bytes, sizeof b->device.bytes);
    cr_assert_eq(tw_overlay_put(b->overlay, tw_key_bytes(&key), tw_bytes_of(tag, 1)), TW_OK);
    key = tw_device_key(&b->contract.id, &b->device);
    cr_assert_eq(
        tw_overlay_resize(b->overlay, tw_key_bytes(&key), tw_device_size(&b->module), &record),
        TW_OK);
    b->total = 0;
    for (int64_t i = 1; i <= count; i++) push(b, i, i);
}

static tw_status across(bench *b, tw_stat stat, int64_t *ret_value, uint64_t *ret_samples)
{
    const tw_stat_query query = {.stat = stat, .span = PUSHED_MAX, .end = PUSHED_MAX};
    int64_t *scratch = tw_mem_new(2 * TW_SAMPLES_MAX * sizeof *scratch);
    tw_across_met met;
    bool some = false;
    cr_assert_not_null(scratch);
    const tw_status status =
        tw_window_across(&b->contract, 0, &query, scratch, &some, ret_value, &met);
    *ret_samples = met.samples;
    tw_mem_free(scratch);
    return status;
}

/* What order statistics need room for, and the others keep to. */
Test(stat, as_many_readings_as_a_statistic_covers_and_one_more)
{
    const tw_stat stats[] = {TW_STAT_COUNT, TW_STAT_SUM, TW_STAT_MEDIAN, TW_STAT_MAD};
    const int64_t sum = (int64_t)TW_KEEP_MAX * (TW_KEEP_MAX + 1) / 2 * DEVICES;
    const int64_t right[] = {TW_SAMPLES_MAX, sum, TW_KEEP_MAX / 2, TW_KEEP_MAX / 4};
    bench *b = bench_new();
    start(b, TW_KEEP_MAX);
    for (uint8_t i = 1; i <= DEVICES; i++) join(b, i, TW_KEEP_MAX);
    for (int extra = 0; extra <= 1; extra++) {
        if (extra == 1) join(b, DEVICES + 1, 1);
        for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++) {
            int64_t value = 0;
            uint64_t samples = 0;
            const tw_status status = across(b, stats[i], &value, &samples);
            cr_expect_eq(status, extra == 0 ? TW_OK : TW_TRAP_FULL, "%zu", i);
            cr_expect_eq(samples, TW_SAMPLES_MAX, "%zu", i);
            if (extra == 0) cr_expect_eq(value, right[i], "%zu: %lld", i, (long long)value);
        }
    }
    bench_free(b);
}

/* ---- a store that has lost a page ---- */

/* Wherever it is: the answer is the right one, from what was not lost, or TW_ERR_CORRUPT. */
Test(stat, a_page_that_is_gone)
{
    const tw_stat stats[] = {TW_STAT_SUM, TW_STAT_RMS, TW_STAT_MAX, TW_STAT_MEDIAN, TW_STAT_SLOPE};
    const int64_t count = 4000;
    bench *b = bench_new();
    for (size_t i = 0; i < sizeof stats / sizeof stats[0]; i++) {
        uint32_t corrupt[2] = {0};
        for (uint32_t page = 0; page < tw_window_pages(TW_KEEP_MAX); page++) {
            start(b, TW_KEEP_MAX);
            for (int64_t k = 0; k < count; k++) push(b, k, k);
            tw_stat_query query = {.stat = stats[i], .span = 3000, .end = 3000};
            answer sound[2];
            sound[0] = ask(b, &query);
            query.end = 3600;
            sound[1] = ask(b, &query);
            const tw_key key = tw_window_key(&b->contract.id, 0, &b->device, page);
            cr_assert_eq(tw_overlay_delete(b->overlay, tw_key_bytes(&key)), TW_OK);
            tw_window window = open_window(b); /* one for both: the second goes on from the first */
            for (int turn = 0; turn < 2; turn++) {
                answer a = {TW_OK, false, 0};
                uint64_t samples = 0;
                query.end = turn == 0 ? 3000 : 3600;
                a.status = tw_window_stat(&window, &query, b->scratch, &a.some, &a.value, &samples);
                corrupt[turn] += a.status == TW_ERR_CORRUPT;
                if (a.status == TW_ERR_CORRUPT) continue;
                cr_assert(a.status == sound[turn].status && a.value == sound[turn].value);
            }
        }
        cr_expect_geq(corrupt[0], 23, "a span of 3000 has at least 23 whole pages");
        cr_expect_geq(corrupt[1], 23);
    }
    bench_free(b);
}

/* Times that go back can't be in a window that the machine wrote: an empty span, not a long one. */
Test(stat, a_span_that_ends_before_it_begins)
{
    bench *b = bench_new();
    start(b, 8);
    for (int64_t i = 0; i < 8; i++) push(b, i, i);
    tw_window window = open_window(b);
    uint64_t first = 0;
    uint64_t end = 0;
    cr_assert_eq(tw_window_span(&window, 0, 6, 2, false, &first, &end), TW_OK);
    cr_expect_eq(first, end);
    bench_free(b);
}

/* Times that go back, in the page that a sum has gone on from: the span begins or ends before the
 * one that was remembered, and the sum is made anew. */
Test(stat, a_sum_whose_span_has_gone_back)
{
    enum { COUNT = 100 };
    for (int turn = 0; turn < 2; turn++) {
        bench *b = bench_new();
        uint8_t *page = NULL;
        answer a = {TW_OK, false, 0};
        uint64_t samples = 0;
        tw_stat_query query = {.stat = TW_STAT_SUM, .span = 60, .end = 90};
        start(b, COUNT);
        for (int64_t i = 0; i < COUNT; i++) page = (uint8_t *)(uintptr_t)push(b, i, 1);
        tw_window window = open_window(b);
        cr_assert_eq(tw_window_stat(&window, &query, b->scratch, &a.some, &a.value, &samples),
                     TW_OK);
        cr_assert_eq(a.value, 60);
        /* the last ones are later now, or the first ones are */
        for (int64_t i = 0; i < COUNT; i++) {
            const int64_t time = turn == 0 ? (i < 80 ? i : 1000) : (i < 10 ? i : 89);
            tw_window_put(page, (uint64_t)i, (tw_sample){time, 1});
        }
        query.end = turn == 0 ? 95 : 96;
        cr_assert_eq(tw_window_stat(&window, &query, b->scratch, &a.some, &a.value, &samples),
                     TW_OK);
        cr_expect_eq((uint64_t)a.value, samples, "turn %d: each of them is 1", turn);
        bench_free(b);
    }
}

/* A window that is followed, from one page to the next: what left the span stood on a page that is
 * gone, and that the search for the new span has not been on. */
Test(stat, a_page_that_is_gone_behind_the_span)
{
    enum { KEEP = 900, SPAN = 636, FIRST = 1018, SECOND = 1028, GONE = 2 };
    bench *b = bench_new();
    for (int gone = 0; gone < 2; gone++) {
        tw_stat_query query = {.stat = TW_STAT_SUM, .span = SPAN, .end = FIRST - 1};
        answer a = {TW_OK, false, 0};
        uint64_t samples = 0;
        start(b, KEEP);
        for (int64_t i = 0; i < FIRST; i++) push(b, i, 1);
        tw_window window = open_window(b);
        cr_assert_eq(tw_window_stat(&window, &query, b->scratch, &a.some, &a.value, &samples),
                     TW_OK);
        for (int64_t i = FIRST; i < SECOND; i++) tw_window_push(&window, push(b, i, 1));
        const tw_key key = tw_window_key(&b->contract.id, 0, &b->device, GONE);
        if (gone == 1) {
            cr_assert_eq(tw_overlay_delete(b->overlay, tw_key_bytes(&key)), TW_OK);
        }
        query.end = SECOND - 1;
        cr_expect_eq(tw_window_stat(&window, &query, b->scratch, &a.some, &a.value, &samples),
                     gone == 1 ? TW_ERR_CORRUPT : TW_OK);
        if (gone == 0) cr_expect_eq(a.value, SPAN);
    }
    bench_free(b);
}
