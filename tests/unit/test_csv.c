/* test_csv -- tables as sensors and spreadsheets write them, and bytes that are none. */
#include "vm/base/arena.h"
#include "vm/runner/csv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static tw_csv *open_text(const char *text, tw_csv_options options)
{
    tw_csv *csv = NULL;
    tw_err err = {0};
    const tw_status status =
        tw_csv_open_bytes(tw_bytes_of(text, strlen(text)), &options, &csv, &err);
    cr_assert_eq(status, TW_OK, "%s", err.text);
    return csv;
}

static void expect_row(tw_csv *csv, uint64_t line, const char *const *cells, uint32_t count)
{
    bool row = false;
    tw_err err = {0};
    cr_assert_eq(tw_csv_next(csv, &row, &err), TW_OK, "%s", err.text);
    cr_assert(row);
    cr_assert_eq(tw_csv_line(csv), line, "line %llu", (unsigned long long)tw_csv_line(csv));
    cr_assert_eq(tw_csv_cell_count(csv), count);
    for (uint32_t i = 0; i < count; i++) {
        const tw_bytes cell = tw_csv_cell(csv, i);
        cr_assert_eq(cell.size, strlen(cells[i]), "cell %u", i);
        cr_assert(memcmp(cell.data, cells[i], cell.size) == 0, "cell %u", i);
    }
}

static void expect_end(tw_csv *csv)
{
    bool row = true;
    tw_err err = {0};
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(tw_csv_next(csv, &row, &err), TW_OK);
        cr_assert_not(row);
    }
    tw_csv_close(csv);
}

/* Opens and reads to the end; the text must be refused with `wanted` in the sentence. */
static void expect_refused(tw_bytes bytes, tw_csv_options options, const char *wanted)
{
    tw_csv *csv = NULL;
    tw_err err = {0};
    bool row = true;
    tw_status status = tw_csv_open_bytes(bytes, &options, &csv, &err);
    while (status == TW_OK && row) status = tw_csv_next(csv, &row, &err);
    cr_assert_eq(status, TW_REFUSED_ARGUMENT, "accepted");
    cr_assert_not_null(strstr(err.text, wanted), "%s", err.text);
    tw_csv_close(csv);
}

static void refused_text(const char *text, const char *wanted)
{
    expect_refused(tw_bytes_of(text, strlen(text)), (tw_csv_options){0}, wanted);
}

Test(csv, plain)
{
    tw_csv *csv = open_text("time,value\n1,2\n3,4\n", (tw_csv_options){0});
    cr_assert_eq(tw_csv_column_count(csv), 2);
    cr_assert_str_eq(tw_csv_column_name(csv, 1), "value");
    expect_row(csv, 2, (const char *[]){"1", "2"}, 2);
    expect_row(csv, 3, (const char *[]){"3", "4"}, 2);
    cr_assert_eq(tw_csv_row(csv), 2);
    expect_end(csv);
}

Test(csv, mark_crlf_and_no_last_line_end)
{
    tw_csv *csv = open_text("\xEF\xBB\xBFtime,value\r\n1,2\r\n\r\n3,4", (tw_csv_options){0});
    cr_assert_str_eq(tw_csv_column_name(csv, 0), "time");
    expect_row(csv, 2, (const char *[]){"1", "2"}, 2);
    expect_row(csv, 4, (const char *[]){"3", "4"}, 2);
    expect_end(csv);
}

Test(csv, separators_are_found)
{
    static const char *const texts[] = {"a;b;c\n1,5;2;3\n", "a\tb\tc\n1,5\t2\t3\n"};
    for (int i = 0; i < 2; i++) {
        tw_csv *csv = open_text(texts[i], (tw_csv_options){0});
        expect_row(csv, 2, (const char *[]){"1,5", "2", "3"}, 3);
        expect_end(csv);
    }
    tw_csv *csv = open_text("a,b;c\n1;2,3\n", (tw_csv_options){.separator = ';'});
    expect_row(csv, 2, (const char *[]){"1", "2,3"}, 2);
    expect_end(csv);
}

Test(csv, quotes)
{
    tw_csv *csv = open_text("\"a, b\",\"c \"\"d\"\"\",e\n\"1\n2\", \"3 ,4\"\"\n\"\",\"\"\"\",\n",
                            (tw_csv_options){0});
    cr_assert_str_eq(tw_csv_column_name(csv, 0), "a, b");
    cr_assert_str_eq(tw_csv_column_name(csv, 1), "c \"d\"");
    expect_row(csv, 2, (const char *[]){"1\n2", "\"3", "4\"\""}, 3);
    expect_row(csv, 4, (const char *[]){"", "\"", ""}, 3);
    expect_end(csv);
}

Test(csv, quote_that_reopens_keeps_the_line_whole)
{
    tw_csv *csv = open_text("a,b\n\"x\"\"y\nz\",1\n", (tw_csv_options){0});
    expect_row(csv, 2, (const char *[]){"x\"y\nz", "1"}, 2);
    expect_end(csv);
}

Test(csv, preamble_and_blank_header_lines)
{
    tw_csv *csv = open_text("Serial, \"12\n8/1/2019 to 8/31/2019\n\n\nTime,T\n1,2\n",
                            (tw_csv_options){.skip = 2});
    cr_assert_str_eq(tw_csv_column_name(csv, 1), "T");
    expect_row(csv, 6, (const char *[]){"1", "2"}, 2);
    expect_end(csv);
}

Test(csv, without_header)
{
    tw_csv *csv = open_text("5\t6\n7\t8\n", (tw_csv_options){.headless = true});
    uint32_t column = 9;
    cr_assert(tw_csv_column(csv, "2", &column, NULL));
    cr_assert_eq(column, 1);
    expect_row(csv, 1, (const char *[]){"5", "6"}, 2);
    cr_assert_eq(tw_csv_row(csv), 1);
    expect_row(csv, 2, (const char *[]){"7", "8"}, 2);
    cr_assert_eq(tw_csv_row(csv), 2);
    expect_end(csv);
}

Test(csv, short_and_long_rows)
{
    tw_csv *csv = open_text("a,b,c\n1\n1,2,3,4\n , \n", (tw_csv_options){0});
    expect_row(csv, 2, (const char *[]){"1"}, 1);
    cr_assert_eq(tw_csv_cell(csv, 2).size, 0);
    expect_row(csv, 3, (const char *[]){"1", "2", "3", "4"}, 4);
    expect_end(csv);
}

Test(csv, columns_by_name)
{
    tw_csv *csv = open_text(" Value ,value,Unit\n", (tw_csv_options){.name = "f.csv"});
    uint32_t column = 9;
    tw_err err = {0};
    cr_assert(tw_csv_column(csv, "value", &column, &err));
    cr_assert_eq(column, 1);
    cr_assert(tw_csv_column(csv, "UNIT", &column, &err));
    cr_assert_eq(column, 2);
    cr_assert_not(tw_csv_column(csv, "values", &column, &err));
    cr_assert_str_eq(err.text, "f.csv: there is no column \"values\"; there are: \"Value\", "
                               "\"value\", \"Unit\"");
    tw_csv_close(csv);
}

Test(csv, refused)
{
    refused_text("", "the file is empty");
    refused_text("\n\n  \n", "the file is empty");
    refused_text("\xEF\xBB\xBF", "the file is empty");
    refused_text("a,b\n1,\"2\n3,4\n", ":2: a quote is opened and never closed");
    refused_text("a,b\n1,\"2\"3\n", ":2: text stands behind a closing quote");
    refused_text("\xFF\xFEt\1", "UTF-16");
    expect_refused(tw_bytes_of("a\n1\0002\n", 6), (tw_csv_options){0}, ":2: a NUL byte");
    expect_refused(tw_bytes_of("a\n", 2), (tw_csv_options){.skip = 7}, "behind the lines skipped");
}

Test(csv, rows_up_to_a_mebibyte)
{
    const size_t size = TW_CSV_ROW_MAX + 8;
    char *text = tw_mem_new(size);
    memset(text, '7', size);
    memcpy(text, "a\n", 2);
    expect_refused(tw_bytes_of(text, size), (tw_csv_options){.name = "big.csv"},
                   "big.csv:2: the row is longer than 1 MiB");
    memcpy(text + 2 + TW_CSV_ROW_MAX, "\n1\n", 3);
    tw_csv *csv = NULL;
    tw_err err = {0};
    bool row = false;
    cr_assert_eq(tw_csv_open_bytes(tw_bytes_of(text, size - 3), &(tw_csv_options){0}, &csv, &err),
                 TW_OK);
    cr_assert_eq(tw_csv_next(csv, &row, &err), TW_OK);
    cr_assert_eq(tw_csv_cell(csv, 0).size, TW_CSV_ROW_MAX);
    char quote[TW_CSV_QUOTE_MAX];
    cr_assert_eq(strlen(tw_csv_quote(tw_csv_cell(csv, 0), quote)), 45);
    expect_row(csv, 3, (const char *[]){"1"}, 1);
    expect_end(csv);
    tw_mem_free(text);
}

Test(csv, cells_up_to_16384)
{
    char *text = tw_mem_new(TW_CSV_CELLS_MAX + 8);
    memset(text, ',', TW_CSV_CELLS_MAX + 8);
    memcpy(text, "a,b\n", 4);
    expect_refused(tw_bytes_of(text, TW_CSV_CELLS_MAX + 4), (tw_csv_options){0}, "16384 cells");
    tw_mem_free(text);
}

Test(csv, quotes_for_messages)
{
    char quote[TW_CSV_QUOTE_MAX];
    const char bad[] = "a\x1b[1m\xC3\xBC\xFF";
    cr_assert_str_eq(tw_csv_quote(tw_bytes_of(bad, sizeof bad - 1), quote), "\"a?[1m\xC3\xBC?\"");
    char wide[161];
    for (int i = 0; i < 40; i++) memcpy(wide + 4 * i, "\xF0\x9F\x8C\xA1", 4);
    cr_assert_eq(strlen(tw_csv_quote(tw_bytes_of(wide, 160), quote)), 162);
}

Test(csv, files)
{
    char path[] = "csv-XXXXXX";
    const int file = mkstemp(path);
    cr_assert(file >= 0);
    const char text[] = "t\r\n1\r\n";
    cr_assert_eq(write(file, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(file);
    tw_csv *csv = NULL;
    tw_err err = {0};
    cr_assert_eq(tw_csv_open(path, &(tw_csv_options){0}, &csv, &err), TW_OK);
    expect_row(csv, 2, (const char *[]){"1"}, 1);
    expect_end(csv);
    unlink(path);
    cr_assert_eq(tw_csv_open(path, &(tw_csv_options){0}, &csv, &err), TW_ERR_IO);
    cr_assert_not_null(strstr(err.text, "No such file"), "%s", err.text);
    cr_assert_eq(tw_csv_open(".", &(tw_csv_options){0}, &csv, &err), TW_ERR_IO);
    cr_assert_not_null(strstr(err.text, "directory"), "%s", err.text);
}
