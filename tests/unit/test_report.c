/* test_report -- the page: what is in it, what is escaped, and that it stays small. */
#include "vm/base/arena.h"
#include "vm/runner/report.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE_MAX = 4 * 1024 * 1024 };

static const int64_t start = 1767225600000;

/* The page as text; the caller frees it with tw_mem_free. */
static char *page_of(tw_report *report, int64_t end)
{
    char path[] = "report-XXXXXX";
    tw_err err = {0};
    const int file = mkstemp(path);
    cr_assert(file >= 0);
    close(file);
    cr_assert_eq(tw_report_write(report, end, path, &err), TW_OK, "%s", err.text);
    char *text = tw_mem_new(PAGE_MAX);
    FILE *from = fopen(path, "rb");
    cr_assert_not_null(from);
    const size_t size = fread(text, 1, PAGE_MAX - 1, from);
    cr_assert(size > 0 && size < PAGE_MAX - 1);
    fclose(from);
    unlink(path);
    tw_report_free(report);
    return text;
}

static void has(const char *page, const char *wanted)
{
    cr_assert_not_null(strstr(page, wanted), "%s", wanted);
}

static void has_not(const char *page, const char *wanted)
{
    cr_assert_null(strstr(page, wanted), "%s", wanted);
}

Test(report, tells_what_it_was_given)
{
    tw_report *report = tw_report_new("PumpGuard");
    tw_report_fact(report, "readings", "3 taken in");
    const uint32_t series = tw_report_series(report, "vib", TW_DIM_VELOCITY, 60000);
    tw_report_limit(report, series, "above 7.1 mm/s", 7100);
    tw_report_phase(report, "Healthy", start);
    for (int64_t i = 0; i < 600; i++) {
        tw_report_point(report, series, start + i * 1000, 2000 + i * 10);
    }
    tw_report_alarm(report, "bearing_fault", start + 500000, true);
    tw_report_phase(report, "Requested", start + 500000);
    tw_report_event(report, start + 500000, "event", "MaintenanceRequested", "peak: 8 mm/s");
    tw_report_alarm(report, "bearing_fault", start + 560000, false);
    char *page = page_of(report, start + 600000);
    has(page, "<h1>PumpGuard</h1>");
    has(page, "3 taken in");
    has(page, "vib, mm/s");
    has(page, "above 7.1 mm/s");
    has(page, "MaintenanceRequested");
    has(page, "peak: 8 mm/s");
    has(page, "<td class=\"time\">2026-01-01T00:08:20Z</td>");
    has(page, "<td>1 min</td>"); /* the alarm lasted */
    has(page, "Requested</text>");
    has(page, "</html>");
    has_not(page, "src=");
    has_not(page, "href=");
    tw_mem_free(page);
}

Test(report, escapes_all_text)
{
    const char *bad = "<script>\"&'";
    tw_report *report = tw_report_new(bad);
    tw_report_fact(report, bad, bad);
    const uint32_t series = tw_report_series(report, bad, TW_DIM_INT, 1000);
    tw_report_point(report, series, start, 1);
    tw_report_limit(report, series, bad, 2);
    tw_report_alarm(report, bad, start, true);
    tw_report_phase(report, bad, start);
    tw_report_mark(report, bad, start, start + 1);
    tw_report_event(report, start, bad, bad, bad);
    char *page = page_of(report, start + 1);
    has(page, "&lt;script&gt;&quot;&amp;&#39;");
    has_not(page, "<script>");
    tw_mem_free(page);
}

Test(report, nothing_at_all)
{
    char *page = page_of(tw_report_new("Empty"), start);
    has(page, "The contract said nothing");
    has_not(page, "<svg");
    tw_mem_free(page);
}

Test(report, one_reading_and_flat_lines)
{
    tw_report *report = tw_report_new("One");
    const uint32_t one = tw_report_series(report, "one", TW_DIM_TEMPERATURE, 1000);
    tw_report_point(report, one, start, 273150);
    const uint32_t flat = tw_report_series(report, "flat", TW_DIM_ENERGY, 1000);
    for (int64_t i = 0; i < 100; i++) tw_report_point(report, flat, start + i * 1000, 0);
    const uint32_t wide = tw_report_series(report, "wide", TW_DIM_INT, 1000);
    tw_report_point(report, wide, start, -((int64_t)1 << 52));
    tw_report_point(report, wide, start + 1000, (int64_t)1 << 52);
    (void)tw_report_series(report, "none", TW_DIM_INT, 1000);
    char *page = page_of(report, start);
    has(page, "h.1");
    has(page, "flat, kWh");
    tw_mem_free(page);
}

Test(report, a_million_readings_make_a_small_page)
{
    tw_report *report = tw_report_new("Many");
    const uint32_t series = tw_report_series(report, "x", TW_DIM_INT, 5000);
    for (int64_t i = 0; i < 1000000; i++) {
        tw_report_point(report, series, start + i * 1000, i % 977 == 0 ? 1000 : i % 50);
    }
    char *page = page_of(report, start + 1000000000);
    cr_assert_lt(strlen(page), 300000);
    tw_mem_free(page);
}

Test(report, many_events_are_cut)
{
    tw_report *report = tw_report_new("Talk");
    const uint32_t series = tw_report_series(report, "x", TW_DIM_INT, 5000);
    tw_report_point(report, series, start, 1);
    for (int64_t i = 0; i < 2500; i++) {
        tw_report_event(report, start + i, "event", "Said", "again");
    }
    char *page = page_of(report, start + 2500);
    has(page, "and 500 more");
    tw_mem_free(page);
}

Test(report, refused_where_nothing_can_be_written)
{
    tw_report *report = tw_report_new("Lost");
    tw_err err = {0};
    cr_assert_eq(tw_report_write(report, start, "not/there/page.html", &err), TW_ERR_IO);
    has(err.text, "not/there/page.html: the report cannot be written");
    tw_report_free(report);
}
