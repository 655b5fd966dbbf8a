/* window -- pages, spans, push. See the header. */
#include "vm/exec/window.h"

#include "vm/verify/cost.h"

#include <assert.h>

static_assert(TW_KEEP_MAX / TW_PAGE_SAMPLES + 2 == 34, "tw_window.pages holds the most pages");

tw_status tw_window_open(tw_contract *c, uint16_t reading, const tw_account *account,
                         tw_window *ret_window)
{
    *ret_window = (tw_window){.contract = c, .reading = reading, .account = *account};
    const uint8_t *record = NULL;
    bool found = false;
    TW_TRY(tw_device_get(c, account, &record, &found));
    if (!found) return TW_OK;
    const uint64_t keep = c->code->module->readings[reading].keep;
    ret_window->total = tw_load_u64(record + tw_device_reading(reading));
    ret_window->first = ret_window->total > keep ? ret_window->total - keep : 0;
    return TW_OK;
}

static uint32_t page_of(const tw_contract *c, uint16_t reading, uint64_t number)
{
    const uint32_t pages = tw_window_pages(c->code->module->readings[reading].keep);
    return (uint32_t)(number / TW_PAGE_SAMPLES % pages);
}

tw_status tw_window_at(tw_window *w, uint64_t number, tw_sample *ret_sample)
{
    assert(number >= w->first && number < w->total);
    const uint32_t page = page_of(w->contract, w->reading, number);
    if (w->pages[page] == NULL) {
        const tw_key key = tw_window_key(&w->contract->id, w->reading, &w->account, page);
        tw_bytes value;
        bool found = false;
        TW_TRY(tw_overlay_get(w->contract->overlay, tw_key_bytes(&key), &value, &found));
        if (!found || value.size != TW_PAGE_SIZE) return TW_ERR_CORRUPT;
        w->pages[page] = value.data;
    }
    const uint8_t *at = w->pages[page] + 1 + 16 * (number % TW_PAGE_SAMPLES);
    ret_sample->time = (int64_t)tw_load_u64(at);
    ret_sample->value = (int64_t)tw_load_u64(at + 8);
    return TW_OK;
}

uint32_t tw_window_met(const tw_window *w)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof w->pages / sizeof w->pages[0]; i++) count += w->pages[i] != NULL;
    return count;
}

/* The first running number whose time is > `time`, or >= `time` when `or_equal`. */
static tw_status bisect(tw_window *w, int64_t time, bool or_equal, uint64_t *ret_number)
{
    uint64_t low = w->first;
    uint64_t high = w->total;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        tw_sample sample;
        TW_TRY(tw_window_at(w, middle, &sample));
        if (sample.time > time || (or_equal && sample.time == time)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *ret_number = low;
    return TW_OK;
}

tw_status tw_window_span(tw_window *w, int64_t from, int64_t to, bool open_end, uint64_t *ret_first,
                         uint64_t *ret_end)
{
    TW_TRY(bisect(w, from, open_end, ret_first));
    TW_TRY(bisect(w, to, open_end, ret_end));
    if (*ret_end < *ret_first) *ret_end = *ret_first;
    return TW_OK;
}

tw_status tw_window_push(tw_contract *c, uint16_t reading, const tw_account *account,
                         uint64_t total, tw_sample sample)
{
    const tw_key key = tw_window_key(&c->id, reading, account, page_of(c, reading, total));
    uint8_t *page = NULL;
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(&key), &page, &size, &found));
    if (!found) {
        TW_TRY(tw_overlay_resize(c->overlay, tw_key_bytes(&key), TW_PAGE_SIZE, &page));
        page[0] = TW_STATE_TAG;
    } else if (size != TW_PAGE_SIZE) {
        return TW_ERR_CORRUPT;
    }
    uint8_t *at = page + 1 + 16 * (total % TW_PAGE_SAMPLES);
    tw_store_u64(at, (uint64_t)sample.time);
    tw_store_u64(at + 8, (uint64_t)sample.value);
    return TW_OK;
}
