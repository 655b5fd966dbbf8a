/* window -- the last `keep` readings of one device, in pages, and what is computed over them.
 *
 * A reading with the running number n (from 0) stands in page (n / 128) mod pages at place n mod
 * 128. Device times never go back in a window, so a span of time is found by bisection. All results
 * are exact integers. Used by the intake (push) and by the interpreter (STAT, HOLDS, SILENT).
 */
#ifndef TW_EXEC_WINDOW_H
#define TW_EXEC_WINDOW_H

#include "vm/base/math.h"
#include "vm/exec/device.h"
#include "vm/verify/cost.h"

typedef struct tw_sample {
    int64_t time;
    int64_t value;
} tw_sample;

/* A statistic as it was asked for last, so that the next one begins with it: where its samples
 * were, and the sum. */
typedef struct tw_slide {
    int64_t span;
    int64_t from; /* of the samples below `first` none is after */
    tw_stat stat;
    bool open_end;
    uint64_t first, end; /* running numbers; end 0: nothing is known */
    tw_uint128 sum;
} tw_slide;

enum { TW_SLIDE_BITS = 2 };

typedef struct tw_window {
    tw_contract *contract;
    uint16_t reading;
    tw_account account;
    uint64_t total;           /* accepted since the grant */
    uint64_t first;           /* oldest kept running number; first <= n < total are there */
    bool priced;              /* the pages that are looked at are charged one by one */
    uint64_t met;             /* bit i: pages[i] was fetched */
    const uint8_t *pages[34]; /* from that of `first` on; valid until the next mark or undo */
    tw_slide slides[1 << TW_SLIDE_BITS]; /* by span */
} tw_window;

/* Of the member `account`; empty when the account holds no sensor role. */
TW_MUST_USE tw_status tw_window_open(tw_contract *c, uint16_t reading, const tw_account *account,
                                     tw_window *ret_window);

TW_MUST_USE tw_status tw_window_at(tw_window *window, uint64_t number, tw_sample *ret_sample);

/* Whether sample `number`, which may be one that was kept until lately, is in a page of it. */
static inline bool tw_window_reaches(const tw_window *window, uint64_t number)
{
    return number / TW_PAGE_SAMPLES >= window->first / TW_PAGE_SAMPLES;
}

/* The page of a sample, by its place in the window: looked up, whether it was or not. */
TW_MUST_USE tw_status tw_window_fetch(tw_window *window, uint64_t number, uint64_t index);

/* The bytes of sample `number`, which the window reaches. */
TW_MUST_USE static inline tw_status tw_window_find(tw_window *window, uint64_t number,
                                                   const uint8_t **ret_bytes)
{
    const uint64_t index = number / TW_PAGE_SAMPLES - window->first / TW_PAGE_SAMPLES;
    if ((window->met >> index & 1) == 0) TW_TRY(tw_window_fetch(window, number, index));
    *ret_bytes = window->pages[index] + 1 + 16 * (number % TW_PAGE_SAMPLES);
    return TW_OK;
}

/* The samples from `number` on that stand in its page, below `end`: how many, and their bytes. */
TW_MUST_USE tw_status tw_window_run(tw_window *window, uint64_t number, uint64_t end,
                                    const uint8_t **ret_bytes, uint64_t *ret_count);

/* Running numbers of the readings with time in (from, to], or in [from, to) when `open_end`. Which
 * pages are looked at is part of the price: for either end first the newest reading, then the ones
 * 128, 256, 512 ... numbers before the last one looked at (at the least the oldest), until one lies
 * before the end that is sought; then by halves. No sample below number `near` is in the span;
 * where nothing is charged for pages, the search begins with it. */
TW_MUST_USE tw_status tw_window_span(tw_window *window, uint64_t near, int64_t from, int64_t to,
                                     bool open_end, uint64_t *ret_first, uint64_t *ret_end);

/* The page for reading number `total` of the device, to write there with tw_window_put: good for
 * all of the page's readings, until the next mark or undo. */
TW_MUST_USE tw_status tw_window_page(tw_contract *c, uint16_t reading, const tw_account *account,
                                     uint64_t total, uint8_t **ret_page);

static inline void tw_window_put(uint8_t *page, uint64_t total, tw_sample sample)
{
    uint8_t *at = page + 1 + 16 * (total % TW_PAGE_SAMPLES);
    tw_store_u64(at, (uint64_t)sample.time);
    tw_store_u64(at + 8, (uint64_t)sample.value);
}

/* A reading was put into `page` of the window that is open: it goes on from the newer ones. */
void tw_window_push(tw_window *window, const uint8_t *page);

/* How many of its pages were looked at. */
uint32_t tw_window_met(const tw_window *window);

/* A statistic. `scratch` holds twice TW_SAMPLES_MAX values. *ret_some false is `none`.
 * `samples` are those it passed over, for the charge. TW_TRAP_OVERFLOW when it does not fit. */
typedef struct tw_stat_query {
    tw_stat stat;
    int64_t span;    /* D; at least 0 */
    int64_t percent; /* of PERCENTILE, in 10^-6 %, 0..10^8 */
    int64_t end;
    bool open_end;
} tw_stat_query;

TW_MUST_USE tw_status tw_window_stat(tw_window *window, const tw_stat_query *query,
                                     int64_t *scratch, bool *ret_some, int64_t *ret_value,
                                     uint64_t *ret_samples);

/* What a statistic across devices met, for the charge. */
typedef struct tw_across_met {
    uint64_t devices;
    uint64_t pages;
    uint64_t samples;
} tw_across_met;

/* The same over the windows of all members of the reading's role, as if they were one. `met` is
 * filled in any case. Traps Full over TW_SAMPLES_MAX samples: what the declared rate and the span
 * allow is less, or the compiler refuses. */
TW_MUST_USE tw_status tw_window_across(tw_contract *c, uint16_t reading, const tw_stat_query *query,
                                       int64_t *scratch, bool *ret_some, int64_t *ret_value,
                                       tw_across_met *met);

#endif
