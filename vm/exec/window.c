/* window -- pages, spans, push. See the header. */
#include "vm/exec/window.h"

#include "vm/base/samples.h"

#include <assert.h>

enum { NEAR = 4 };

static_assert(TW_KEEP_MAX / TW_PAGE_SAMPLES + 2 == 34, "tw_window.pages holds the most pages");

tw_status tw_window_open(tw_contract *c, uint16_t reading, const tw_account *account,
                         tw_window *ret_window)
{
    ret_window->contract = c; /* member by member: the pages are many */
    ret_window->reading = reading;
    ret_window->account = *account;
    ret_window->total = 0;
    ret_window->first = 0;
    ret_window->priced = true;
    ret_window->met = 0;
    for (int i = 0; i < 1 << TW_SLIDE_BITS; i++) ret_window->slides[i].end = 0;
    const uint8_t *record = NULL;
    bool found = false;
    TW_TRY(tw_device_get(c, account, &record, &found));
    if (!found) return TW_OK;
    const uint64_t keep = c->code->module->readings[reading].keep;
    ret_window->total = tw_load_u64(record + tw_device_reading(reading));
    ret_window->first = ret_window->total > keep ? ret_window->total - keep : 0;
    return TW_OK;
}

void tw_window_push(tw_window *w, const uint8_t *page)
{
    const uint64_t keep = w->contract->code->module->readings[w->reading].keep;
    const uint64_t first = w->total >= keep ? w->total + 1 - keep : 0;
    if (first / TW_PAGE_SAMPLES != w->first / TW_PAGE_SAMPLES) w->met = 0; /* other places */
    const uint64_t index = w->total++ / TW_PAGE_SAMPLES - first / TW_PAGE_SAMPLES;
    w->first = first;
    w->pages[index] = page;
    w->met |= (uint64_t)1 << index;
}

static uint32_t page_of(const tw_contract *c, uint16_t reading, uint64_t number)
{
    const uint32_t pages = tw_window_pages(c->code->module->readings[reading].keep);
    return (uint32_t)(number / TW_PAGE_SAMPLES % pages);
}

tw_status tw_window_fetch(tw_window *w, uint64_t number, uint64_t index)
{
    const uint32_t page = page_of(w->contract, w->reading, number);
    const tw_key key = tw_window_key(&w->contract->id, w->reading, &w->account, page);
    tw_bytes value;
    bool found = false;
    TW_TRY(tw_overlay_get(w->contract->overlay, tw_key_bytes(&key), &value, &found));
    if (!found || value.size != TW_PAGE_SIZE) return TW_ERR_CORRUPT;
    w->pages[index] = value.data;
    w->met |= (uint64_t)1 << index;
    return TW_OK;
}

tw_status tw_window_run(tw_window *w, uint64_t number, uint64_t end, const uint8_t **ret_bytes,
                        uint64_t *ret_count)
{
    assert(tw_window_reaches(w, number) && number < end && end <= w->total);
    const uint64_t place = number % TW_PAGE_SAMPLES;
    TW_TRY(tw_window_find(w, number, ret_bytes));
    *ret_count = end - number < TW_PAGE_SAMPLES - place ? end - number : TW_PAGE_SAMPLES - place;
    return TW_OK;
}

tw_status tw_window_at(tw_window *w, uint64_t number, tw_sample *ret_sample)
{
    const uint8_t *at = NULL;
    assert(tw_window_reaches(w, number) && number < w->total);
    TW_TRY(tw_window_find(w, number, &at));
    ret_sample->time = (int64_t)tw_load_u64(at);
    ret_sample->value = (int64_t)tw_load_u64(at + 8);
    return TW_OK;
}

uint32_t tw_window_met(const tw_window *w)
{
    return (uint32_t)__builtin_popcountll(w->met);
}

/* The first running number whose sample is after; spans mostly end with the newest samples, so it
 * goes back from these. All below `low` are before, those from `high` on after. */
static tw_status search(tw_window *w, uint64_t near, int64_t time, bool or_equal,
                        uint64_t *ret_number)
{
    uint64_t low = near > w->first ? near : w->first;
    uint64_t high = w->total;
    uint64_t step = 1;
    near = near > 0 ? low + NEAR : 0; /* up to here one by one */
    while (low < high) {
        const bool far = high - low > step; /* before the first sample that is not after */
        uint64_t number = step == 0 ? low + (high - low) / 2 : far ? high - step : low;
        if (low < near) number = low;
        const uint8_t *at = NULL;
        TW_TRY(tw_window_find(w, number, &at));
        const int64_t met = tw_sample_time(at, 0);
        const bool after = met > time || (or_equal && met == time);
        if (after) {
            high = number;
        } else {
            low = number + 1;
        }
        if (number >= near) step = !after ? 0 : step == 1 ? TW_PAGE_SAMPLES : 2 * step;
    }
    *ret_number = low;
    return TW_OK;
}

tw_status tw_window_span(tw_window *w, uint64_t near, int64_t from, int64_t to, bool open_end,
                         uint64_t *ret_first, uint64_t *ret_end)
{
    TW_TRY(search(w, 0, to, open_end, ret_end));
    TW_TRY(search(w, w->priced ? 0 : near, from, open_end, ret_first));
    if (*ret_end < *ret_first) *ret_end = *ret_first;
    return TW_OK;
}

tw_status tw_window_page(tw_contract *c, uint16_t reading, const tw_account *account,
                         uint64_t total, uint8_t **ret_page)
{
    const tw_key key = tw_window_key(&c->id, reading, account, page_of(c, reading, total));
    size_t size = 0;
    bool found = false;
    TW_TRY(tw_overlay_edit(c->overlay, tw_key_bytes(&key), ret_page, &size, &found));
    if (found) return size == TW_PAGE_SIZE ? TW_OK : TW_ERR_CORRUPT;
    TW_TRY(tw_overlay_resize(c->overlay, tw_key_bytes(&key), TW_PAGE_SIZE, ret_page));
    (*ret_page)[0] = TW_STATE_TAG;
    return TW_OK;
}
