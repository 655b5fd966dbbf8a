/* readings -- the reference's statistics over windows, stamps and silence.
 *
 * Samples are copied out, sorted by insertion, and summed as wide integers. Which pages of a window
 * are looked at is part of the price, so the search is that of vm/exec/window.h: back from the
 * newest, 1, 128, 256, 512 ... numbers at a time, and then by halves. */
#include "tests/reference/machine.h"
#include "tests/reference/wide.h"

#include <string.h>

enum { SEEN_ROLE = 62, SEEN_DEVICE = 63 };

typedef struct window {
    uint16_t reading;
    bool own; /* paid by the entry: not per device */
    tw_account account;
    uint64_t first, total;
    uint64_t pages_met; /* bit p: page p */
} window;

typedef struct query {
    tw_stat stat;
    int64_t span, percent, from, end;
    bool open_end;
} query;

typedef struct tally {
    bool some;
    int64_t value;
    uint64_t samples, devices, pages;
} tally;

static bool is_spanless(tw_stat stat)
{
    return stat == TW_STAT_LAST || stat == TW_STAT_TIME_OF;
}

/* ---- windows ---- */

/* A look at a key. What the entry has paid for is counted once. */
static tw_status look(reference *r, uint16_t reading, bool own, int bit, const tw_key *key,
                      tw_bytes *ret_value, bool *ret_found)
{
    const uint64_t seen = r->pages_seen[reading] >> bit & 1;
    TW_TRY(ref_get(r, key, ret_value, ret_found));
    if (own && seen != 0) r->used.reads--;
    if (own) r->pages_seen[reading] |= (uint64_t)1 << bit;
    return TW_OK;
}

/* Whose readings: the account named, or the one member of the role. */
static tw_status device_of(reference *r, uint16_t reading, const int64_t *named,
                           tw_account *ret_account, bool *ret_found)
{
    const tw_reading *of = &r->m->readings[reading];
    uint32_t count = 0;
    *ret_found = true;
    if (of->per_device) {
        *ret_account = ref_account(named);
        return TW_OK;
    }
    TW_TRY(ref_role(r, of->role, &count, ret_account));
    if ((r->pages_seen[reading] >> SEEN_ROLE & 1) != 0) r->used.reads--;
    r->pages_seen[reading] |= (uint64_t)1 << SEEN_ROLE;
    *ret_found = count > 0;
    return TW_OK;
}

static tw_status device_record(reference *r, uint16_t reading, const tw_account *account,
                               const uint8_t **ret_record, bool *ret_found)
{
    tw_key key = tw_key_of(TW_SPACE_DEVICE, &r->c->id);
    tw_bytes value;
    tw_key_raw(&key, account->bytes, 32);
    TW_TRY(look(r, reading, !r->m->readings[reading].per_device, SEEN_DEVICE, &key, &value,
                ret_found));
    *ret_record = value.data;
    return TW_OK;
}

static tw_status open(reference *r, uint16_t reading, const tw_account *account, window *w)
{
    const uint64_t keep = r->m->readings[reading].keep;
    const uint8_t *record = NULL;
    bool found = false;
    *w = (window){
        .reading = reading, .own = !r->m->readings[reading].per_device, .account = *account};
    TW_TRY(device_record(r, reading, account, &record, &found));
    if (!found) return TW_OK;
    w->total = tw_load_u64(record + tw_device_reading(reading));
    w->first = w->total > keep ? w->total - keep : 0;
    return TW_OK;
}

static tw_status sample_at(reference *r, window *w, uint64_t number, tw_sample *ret_sample)
{
    const uint32_t pages = ref_pages(r->m->readings[w->reading].keep);
    const uint32_t page = (uint32_t)(number / REF_PAGE_SAMPLES % pages);
    const uint32_t reads = r->used.reads;
    tw_key key = tw_key_of(TW_SPACE_WINDOW, &r->c->id);
    tw_bytes value;
    bool there = false;
    tw_key_u8(&key, (uint8_t)w->reading);
    tw_key_raw(&key, w->account.bytes, 32);
    tw_key_u16(&key, (uint16_t)page);
    TW_TRY(look(r, w->reading, w->own, (int)page, &key, &value, &there));
    if (!there || value.size != REF_PAGE_SIZE) return TW_ERR_CORRUPT;
    if ((w->pages_met >> page & 1) != 0) r->used.reads = reads;
    w->pages_met |= (uint64_t)1 << page;
    const uint8_t *at = value.data + 1 + 16 * (number % REF_PAGE_SAMPLES);
    *ret_sample = (tw_sample){(int64_t)tw_load_u64(at), (int64_t)tw_load_u64(at + 8)};
    return TW_OK;
}

static tw_status is_past(reference *r, window *w, uint64_t number, int64_t time, bool open_end,
                         bool *ret_past)
{
    tw_sample sample;
    TW_TRY(sample_at(r, w, number, &sample));
    *ret_past = open_end ? sample.time >= time : sample.time > time;
    return TW_OK;
}

/* The first number whose time is past `time`; with `open_end`, at or past it. */
static tw_status search(reference *r, window *w, int64_t time, bool open_end, uint64_t *ret_number)
{
    uint64_t low = w->first;
    uint64_t high = w->total;
    uint64_t back = 1;
    bool past = true;
    while (past && low < high) {
        const uint64_t number = back < high - low ? high - back : low;
        TW_TRY(is_past(r, w, number, time, open_end, &past));
        if (past) high = number;
        if (!past) low = number + 1;
        back = back == 1 ? REF_PAGE_SAMPLES : back * 2;
    }
    while (low < high) {
        const uint64_t middle = (low + high) / 2;
        TW_TRY(is_past(r, w, middle, time, open_end, &past));
        if (past) high = middle;
        if (!past) low = middle + 1;
    }
    *ret_number = low;
    return TW_OK;
}

static uint64_t pages_of(const window *w)
{
    uint64_t count = 0;
    for (int p = 0; p < 64; p++) count += w->pages_met >> p & 1;
    return count;
}

/* Copies the samples of the span behind the `f->samples` that are there. Counts need none. */
static tw_status gather(reference *r, window *w, const query *q, tally *f)
{
    uint64_t first = 0;
    uint64_t end = 0;
    TW_TRY(search(r, w, q->from, q->open_end, &first));
    TW_TRY(search(r, w, q->end, q->open_end, &end));
    if (end <= first) return TW_OK;
    if (is_spanless(q->stat)) {
        f->samples = 1;
        return sample_at(r, w, end - 1, &r->samples[0]);
    }
    if (end - first > TW_SAMPLES_MAX - f->samples) return TW_TRAP_FULL;
    for (uint64_t n = first; n < end; n++, f->samples++) {
        if (q->stat == TW_STAT_COUNT || q->stat == TW_STAT_DEVICES) continue;
        TW_TRY(sample_at(r, w, n, &r->samples[f->samples]));
    }
    f->devices++;
    return TW_OK;
}

/* ---- statistics ---- */

static wide sum_of(const reference *r, uint64_t count)
{
    wide sum = wide_of(0);
    for (uint64_t n = 0; n < count; n++) sum = wide_add(sum, wide_of(r->samples[n].value));
    return sum;
}

static tw_status give(const wide *w, int64_t *ret_value)
{
    return wide_to_int(w, ret_value) ? TW_OK : TW_TRAP_OVERFLOW;
}

/* Ascending values. Insertion at wide gaps first keeps 16,384 samples bearable. */
static void sort(tw_sample *samples, uint64_t count)
{
    static const uint64_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        for (uint64_t n = gaps[g]; n < count; n++) {
            const tw_sample moved = samples[n];
            uint64_t k = n;
            for (; k >= gaps[g] && samples[k - gaps[g]].value > moved.value; k -= gaps[g]) {
                samples[k] = samples[k - gaps[g]];
            }
            samples[k] = moved;
        }
    }
}

static tw_status in_order(reference *r, const query *q, uint64_t count, int64_t *ret_value)
{
    tw_sample *samples = r->samples;
    const uint64_t middle = (count - 1) / 2;
    if (q->stat == TW_STAT_PERCENTILE) {
        const int64_t whole = 100000000;
        int64_t rank = 0;
        if (q->percent < 0 || q->percent > whole) return TW_TRAP_BAD_INDEX;
        const wide part = wide_multiply(wide_of(q->percent), wide_of((int64_t)count));
        const wide nearest = wide_divide(part, wide_of(whole), TW_ROUND_UP);
        TW_TRY(give(&nearest, &rank));
        sort(samples, count);
        *ret_value = samples[rank > 0 ? rank - 1 : 0].value;
        return TW_OK;
    }
    sort(samples, count);
    const int64_t median = samples[middle].value;
    *ret_value = median;
    if (q->stat == TW_STAT_MEDIAN) return TW_OK;
    for (uint64_t n = 0; n < count; n++) {
        const int64_t v = samples[n].value;
        samples[n].value = v < median ? median - v : v - median;
    }
    sort(samples, count);
    *ret_value = samples[middle].value;
    return TW_OK;
}

/* The whole number nearest to the square root of (sum of squares / count); half goes to even. */
static tw_status root_mean_square(const reference *r, uint64_t count, int64_t *ret_value)
{
    const wide n = wide_of((int64_t)count);
    wide squares = wide_of(0);
    for (uint64_t k = 0; k < count; k++) {
        const wide v = wide_of(r->samples[k].value);
        squares = wide_add(squares, wide_multiply(v, v));
    }
    const wide below = wide_root(wide_divide(squares, n, TW_ROUND_ZERO));
    const wide middle = wide_add(wide_add(below, below), wide_of(1)); /* twice the half way point */
    const wide there = wide_multiply(wide_multiply(middle, middle), n);
    const wide four = wide_multiply(squares, wide_of(4));
    const int against = wide_compare(&four, &there);
    const bool odd = (below.limbs[0] & 1) != 0;
    const wide up = wide_add(below, wide_of(1));
    return give(against > 0 || (against == 0 && odd) ? &up : &below, ret_value);
}

/* n * sum(t v) - sum(t) sum(v) over n * sum(t t) - sum(t)^2, times D. */
static tw_status slope(const reference *r, const query *q, uint64_t count, tally *f)
{
    const wide n = wide_of((int64_t)count);
    wide t = wide_of(0), v = t, tt = t, tv = t;
    for (uint64_t k = 0; k < count; k++) {
        const wide time = wide_of(r->samples[k].time);
        const wide value = wide_of(r->samples[k].value);
        if (r->samples[k].time - r->samples[0].time > (int64_t)1 << 46) return TW_TRAP_OVERFLOW;
        t = wide_add(t, time);
        v = wide_add(v, value);
        tt = wide_add(tt, wide_multiply(time, time));
        tv = wide_add(tv, wide_multiply(time, value));
    }
    const wide below = wide_subtract(wide_multiply(n, tt), wide_multiply(t, t));
    f->some = !wide_is_zero(&below);
    if (!f->some) return TW_OK;
    const wide above = wide_subtract(wide_multiply(n, tv), wide_multiply(t, v));
    const wide result =
        wide_divide(wide_multiply(above, wide_of(q->span)), below, TW_ROUND_HALF_EVEN);
    return give(&result, &f->value);
}

static void least_or_most(const reference *r, tw_stat stat, tally *f)
{
    f->value = r->samples[0].value;
    for (uint64_t n = 1; n < f->samples; n++) {
        const int64_t v = r->samples[n].value;
        if (stat == TW_STAT_MIN ? v < f->value : v > f->value) f->value = v;
    }
}

/* Over the f->samples that were gathered. */
static tw_status compute(reference *r, const query *q, tally *f)
{
    const bool counts = q->stat == TW_STAT_COUNT || q->stat == TW_STAT_DEVICES;
    wide sum;
    f->some = f->samples > 0 || counts;
    if (!f->some) return TW_OK;
    switch (q->stat) {
    case TW_STAT_LAST: f->value = r->samples[0].value; return TW_OK;
    case TW_STAT_TIME_OF: f->value = r->samples[0].time; return TW_OK;
    case TW_STAT_COUNT: f->value = (int64_t)f->samples; return TW_OK;
    case TW_STAT_DEVICES: f->value = (int64_t)f->devices; return TW_OK;
    case TW_STAT_SUM: sum = sum_of(r, f->samples); return give(&sum, &f->value);
    case TW_STAT_AVG:
        sum = wide_divide(sum_of(r, f->samples), wide_of((int64_t)f->samples), TW_ROUND_HALF_EVEN);
        return give(&sum, &f->value);
    case TW_STAT_MIN:
    case TW_STAT_MAX: least_or_most(r, q->stat, f); return TW_OK;
    case TW_STAT_MEDIAN:
    case TW_STAT_MAD:
    case TW_STAT_PERCENTILE: return in_order(r, q, f->samples, &f->value);
    case TW_STAT_RMS: return root_mean_square(r, f->samples, &f->value);
    case TW_STAT_SLOPE: return slope(r, q, f->samples, f);
    case TW_STAT_END: break;
    }
    return TW_ERR_INTERNAL;
}

/* ---- the charge ---- */

static uint64_t stat_gas(tw_stat stat, uint64_t samples)
{
    uint64_t eight = 0;
#define STATISTIC(number, name, word, shape, gas)                                                  \
    if ((int)stat == (number)) eight = (gas);
#include "vm/isa/statistics.def"
#undef STATISTIC
    if (samples == 0 || is_spanless(stat)) return TW_GAS_STAT;
    return TW_GAS_STAT + TW_GAS_STAT_SPAN + samples * eight / 8;
}

/* A look at a device's record, whether it is there or not. */
static uint64_t device_gas(const tw_module *m)
{
    return ref_read_gas(1, tw_device_size(m));
}

/* ---- instructions ---- */

static tw_status query_of(const reference *r, const ref_insn *i, const int64_t *s, query *q)
{
    *q = (query){.stat = (tw_stat)(i->x / 1024),
                 .from = INT64_MIN,
                 .end = r->call->end,
                 .open_end = r->call->open_end};
    if (is_spanless(q->stat)) return TW_OK;
    q->span = s[i->b];
    if (q->stat == TW_STAT_PERCENTILE) q->percent = s[i->b + 1];
    const wide from = wide_subtract(wide_of(q->end), wide_of(q->span));
    if (!wide_to_int(&from, &q->from)) return TW_TRAP_OVERFLOW;
    return q->span < 0 ? TW_TRAP_BAD_INDEX : TW_OK;
}

static tw_status finish(const ref_insn *i, int64_t *s, tw_status status, const tally *f)
{
    if (status != TW_OK) return status;
    s[i->a] = f->some ? 1 : 0;
    s[i->a + 1] = f->some ? f->value : 0;
    return TW_OK;
}

static tw_status stat(reference *r, const ref_insn *i, int64_t *s)
{
    const uint16_t reading = i->x % 1024;
    tw_account account;
    bool there = false;
    window w = {0};
    query q;
    tally f = {0};
    TW_TRY(device_of(r, reading, s + i->c, &account, &there));
    TW_TRY(open(r, reading, &account, &w));
    tw_status status = query_of(r, i, s, &q);
    r->totals.stats[q.stat]++;
    if (status == TW_OK) status = gather(r, &w, &q, &f);
    const uint64_t passed = f.samples;
    if (status == TW_OK) status = compute(r, &q, &f);
    r->used.gas += stat_gas(q.stat, passed) + (r->stat_of != reading ? TW_GAS_STAT_OPEN : 0);
    r->stat_of = reading;
    if (r->m->readings[reading].per_device) {
        const uint64_t pages = pages_of(&w);
        r->used.gas += device_gas(r->m) + ref_read_gas(pages, pages * REF_PAGE_SIZE);
    }
    return finish(i, s, status, &f);
}

static tw_status next_member(reference *r, uint16_t role, bool any, tw_account *account,
                             bool *ret_found)
{
    tw_key prefix = tw_key_of(TW_SPACE_MEMBER, &r->c->id);
    uint8_t from[TW_KEY_MAX + 1] = {0};
    tw_bytes key, value;
    tw_key_u8(&prefix, (uint8_t)role);
    memcpy(from, prefix.data, prefix.size);
    memcpy(from + prefix.size, account->bytes, 32);
    const size_t size = any ? prefix.size + 33 : prefix.size; /* a zero byte behind the key */
    TW_TRY(tw_overlay_next(r->c->overlay, tw_key_bytes(&prefix), tw_bytes_of(from, size), &key,
                           &value, ret_found));
    r->used.reads++; /* also the last look, which finds none */
    if (!*ret_found) return TW_OK;
    memcpy(account->bytes, key.data + prefix.size, 32);
    return TW_OK;
}

static tw_status gather_all(reference *r, uint16_t reading, const query *q, tally *f,
                            uint64_t *ret_members)
{
    tw_account account = {{0}};
    for (;;) {
        bool there = false;
        window w = {0};
        TW_TRY(next_member(r, r->m->readings[reading].role, *ret_members > 0, &account, &there));
        if (!there) return TW_OK;
        ++*ret_members;
        TW_TRY(open(r, reading, &account, &w));
        const tw_status status = gather(r, &w, q, f);
        f->pages += pages_of(&w);
        if (status != TW_OK) return status;
    }
}

static tw_status across(reference *r, const ref_insn *i, int64_t *s)
{
    uint64_t members = 0;
    query q;
    tally f = {0};
    tw_status status = query_of(r, i, s, &q);
    r->totals.across[q.stat]++;
    if (status == TW_OK) status = gather_all(r, i->x % 1024, &q, &f, &members);
    if (status == TW_OK) status = compute(r, &q, &f);
    r->used.gas += stat_gas(q.stat, f.samples) +
                   ref_read_gas(1 + f.pages, f.pages * REF_PAGE_SIZE) +
                   members * (ref_read_gas(1, 0) + TW_GAS_STAT + device_gas(r->m));
    return finish(i, s, status, &f);
}

/* A run of readings: from the first to the last of it at least as long as asked, and the last no
 * older than max_age. */
static tw_status holds(reference *r, const ref_insn *i, int64_t *s)
{
    const tw_stamp *stamp = &r->m->stamps[i->x];
    const int64_t asked = s[i->b];
    const uint8_t *record = NULL;
    tw_account account;
    bool there = false;
    TW_TRY(device_of(r, stamp->reading, s + i->c, &account, &there));
    if (there) TW_TRY(device_record(r, stamp->reading, &account, &record, &there));
    s[i->a] = 0;
    if (!there) return TW_OK;
    const uint8_t *at = record + tw_device_stamp(r->m, (uint16_t)i->x);
    const int64_t since = (int64_t)tw_load_u64(at);
    const int64_t last = (int64_t)tw_load_u64(at + 8);
    if (since == TW_NEVER) return TW_OK;
    const bool fresh = r->call->end - last <= r->m->readings[stamp->reading].age_max_ms;
    s[i->a] = fresh && last - since >= asked ? 1 : 0;
    return TW_OK;
}

/* No reading since the latest of: the last one, the grant, the deploy. */
static tw_status silent(reference *r, const ref_insn *i, int64_t *s)
{
    const uint16_t reading = (uint16_t)i->x;
    const int64_t asked = s[i->b];
    const uint8_t *record = NULL;
    tw_account account;
    bool there = false;
    int64_t since = r->c->deployed_at;
    TW_TRY(device_of(r, reading, s + i->c, &account, &there));
    if (there) TW_TRY(device_record(r, reading, &account, &record, &there));
    for (int part = 1; there && part <= 2; part++) {
        const int64_t time = (int64_t)tw_load_u64(record + tw_device_reading(reading) + 8 * part);
        if (time > since) since = time;
    }
    s[i->a] = r->call->end - since >= asked ? 1 : 0;
    return TW_OK;
}

tw_status ref_step_reading(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    *ret_mine = true;
    switch (i->op) {
    case TW_OP_STAT: return stat(r, i, s);
    case TW_OP_ACROSS: return across(r, i, s);
    case TW_OP_HOLDS: return holds(r, i, s);
    case TW_OP_SILENT: return silent(r, i, s);
    default: *ret_mine = false; return TW_OK;
    }
}
