/* test_show -- numbers with units, values of every type as text and JSON, and back again. */
#include "vm/base/quantities.h"
#include "vm/isa/value.h"
#include "vm/runner/money.h"
#include "vm/runner/number.h"
#include "vm/runner/show.h"

#include <criterion/criterion.h>
#include <string.h>

static tw_bytes text_of(const char *text)
{
    return tw_bytes_of(text, strlen(text));
}

/* ---- money ---- */

static void money_is(const char *text, uint8_t decimals, int64_t wanted, const char *shown)
{
    int64_t amount = 77;
    tw_err err = {0};
    char back[TW_MONEY_TEXT_MAX];
    cr_assert_eq(tw_money_parse(text_of(text), decimals, "EUR", &amount, &err), TW_OK, "%s",
                 err.text);
    cr_assert_eq(amount, wanted, "%s is %lld", text, (long long)amount);
    cr_assert_str_eq(tw_money_print(amount, decimals, "EUR", back), shown);
    cr_assert_eq(tw_money_parse(text_of(back), decimals, "EUR", &amount, &err), TW_OK);
    cr_assert_eq(amount, wanted, "what is shown is read as the same");
}

Test(money_text, exact_both_ways)
{
    money_is("12_375.00 EUR", 2, 1237500, "12_375.00 EUR");
    money_is("12375", 2, 1237500, "12_375.00 EUR");
    money_is("0", 2, 0, "0.00 EUR");
    money_is(".5", 2, 50, "0.50 EUR");
    money_is("-0.05EUR", 2, -5, "-0.05 EUR");
    money_is("7 EUR", 0, 7, "7 EUR");
    money_is("7.000", 0, 7, "7 EUR");
    money_is("999999", 0, 999999, "999_999 EUR");
    money_is("1000000", 0, 1000000, "1_000_000 EUR");
    money_is("92233720368547758.07", 2, INT64_MAX, "92_233_720_368_547_758.07 EUR");
    money_is("9.223372036854775807", 18, INT64_MAX, "9.223372036854775807 EUR");
}

Test(money_text, what_is_no_amount_is_refused)
{
    static const char *const texts[] = {
        "",      "EUR",       "-",        "1.005", "5 USD",
        "1__0",  "_1",        "1_",       "1.2.3", "1e3",
        "1,000", "1 000 EUR", "5 EURO",   "--5",   "92233720368547758.08",
        "+1",    "5 EUR ",    "1_000_.0", "0x10"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t amount = 77;
        tw_err err = {0};
        cr_expect_eq(tw_money_parse(text_of(texts[i]), 2, "EUR", &amount, &err),
                     TW_REFUSED_ARGUMENT, "\"%s\" is taken as %lld", texts[i], (long long)amount);
        cr_expect_eq(amount, 77);
        cr_expect_not_null(strstr(err.text, "1.25 EUR"), "%s: %s", texts[i], err.text);
    }
}

/* ---- numbers ---- */

static void number_is(const char *text, tw_dimension dimension, const char *unit, bool round,
                      int64_t wanted)
{
    int64_t value = 0;
    tw_err err = {0};
    const tw_unit *column = unit == NULL ? NULL : tw_unit_find(text_of(unit));
    const tw_number_style style = {.round = round, .comma = strchr(text, ',') != NULL};
    cr_assert_eq(tw_number_read(text_of(text), dimension, column, style, &value, &err), TW_OK, "%s",
                 err.text);
    cr_assert_eq(value, wanted, "%s is %lld", text, (long long)value);
}

static void number_refused(const char *text, tw_dimension dimension, const char *unit, bool round,
                           const char *wanted)
{
    int64_t value = 77;
    tw_err err = {0};
    const tw_unit *column = unit == NULL ? NULL : tw_unit_find(text_of(unit));
    cr_assert_eq(tw_number_read(text_of(text), dimension, column, (tw_number_style){.round = round},
                                &value, &err),
                 TW_REFUSED_ARGUMENT, "%s is taken as %lld", text, (long long)value);
    cr_assert_eq(value, 77);
    cr_assert_not_null(strstr(err.text, wanted), "%s: %s", text, err.text);
}

Test(number, exact)
{
    number_is("7.1", TW_DIM_VELOCITY, "mm/s", false, 7100);
    number_is("7.1 mm/s", TW_DIM_VELOCITY, NULL, false, 7100);
    number_is("7.1mm/s", TW_DIM_VELOCITY, NULL, false, 7100);
    number_is("0.0071 m/s", TW_DIM_VELOCITY, "mm/s", false, 7100);
    number_is("-40", TW_DIM_TEMPERATURE, "°C", false, 233150);
    number_is("85 °C", TW_DIM_TEMPERATURE, NULL, false, 358150);
    number_is("21,5", TW_DIM_TEMPERATURE, "°C", false, 294650);
    number_is("1_000", TW_DIM_INT, NULL, false, 1000);
    number_is("+0.5", TW_DIM_DEC, NULL, false, 500000000);
    number_is(".5", TW_DIM_DEC, NULL, false, 500000000);
    number_is("5.", TW_DIM_DEC, NULL, false, 5000000000);
    number_is("1.5e3", TW_DIM_INT, NULL, false, 1500);
    number_is("1.5E-3", TW_DIM_DEC, NULL, false, 1500000);
    number_is("0e99", TW_DIM_INT, NULL, false, 0);
    number_is("1.000000000000000000000000000000000000000000", TW_DIM_INT, NULL, false, 1);
    number_is("0000000000000000000000000000000000000000001", TW_DIM_INT, NULL, false, 1);
    number_is("9223372036854775807", TW_DIM_INT, NULL, false, INT64_MAX);
    number_is("-9223372036854775807", TW_DIM_INT, NULL, false, -INT64_MAX);
}

Test(number, one_rounding_half_to_even)
{
    number_is("73.96732207", TW_DIM_TEMPERATURE, "°C", true, 347117);
    number_is("74.93588199999998", TW_DIM_TEMPERATURE, "°C", true, 348086);
    number_is("0.5", TW_DIM_INT, NULL, true, 0);
    number_is("1.5", TW_DIM_INT, NULL, true, 2);
    number_is("2.5", TW_DIM_INT, NULL, true, 2);
    number_is("2.5000000000000000000001", TW_DIM_INT, NULL, true, 3);
    number_is("-2.5", TW_DIM_INT, NULL, true, -2);
    number_is("-3.5", TW_DIM_INT, NULL, true, -4);
    number_is("1e-60", TW_DIM_INT, NULL, true, 0);
    number_is("-0.0006", TW_DIM_TEMPERATURE, "°C", true, 273149);
}

Test(number, refused)
{
    static const char *const nothing[] = {"abc", "-", "+", ".", "--1", "NaN", "inf", "0x10", "e5"};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        number_refused(nothing[i], TW_DIM_INT, NULL, true, "is no number");
    }
    number_refused("", TW_DIM_INT, NULL, false, "empty");
    number_refused("1 2", TW_DIM_INT, NULL, false, "is no number");
    number_refused("1.2.3", TW_DIM_DEC, NULL, false, "is no number");
    number_refused("1__0", TW_DIM_INT, NULL, false, "is no number");
    number_refused("21,5", TW_DIM_TEMPERATURE, "°C", false, "is no number with one of the units");
    number_refused("73.96732207", TW_DIM_TEMPERATURE, "°C", false, "finer than the resolution");
    number_refused("1e-60", TW_DIM_INT, NULL, false, "finer than the resolution");
    number_refused("7.1", TW_DIM_VELOCITY, NULL, false, "has no unit; a velocity is written in");
    number_refused("7.1 °C", TW_DIM_VELOCITY, NULL, false, "is a temperature; a velocity is");
    number_refused("85 °F", TW_DIM_TEMPERATURE, NULL, false, "write it in °C");
    number_refused("5 s", TW_DIM_INT, NULL, false, "is a duration; a int is wanted, without");
    number_refused("9223372036854775808", TW_DIM_INT, NULL, false, "does not fit");
    number_refused("9e30", TW_DIM_INT, NULL, false, "does not fit");
    number_refused("1e99", TW_DIM_ENERGY, "MWh", false, "does not fit");
    number_refused("1e100", TW_DIM_INT, NULL, false, "exponent");
    number_refused("12345678901234567890123456", TW_DIM_INT, NULL, true, "25 digits");
    number_refused("9223372036854775807", TW_DIM_TEMPERATURE, "°C", false, "does not fit");
}

/* ---- values ---- */

static const char *values[] = {"Good", "Bad"};
static tw_enum enums[] = {{.name = "Grade", .values = {values, 2}}};

enum {
    BOOL,
    INT,
    VELOCITY,
    TIME,
    DURATION,
    GRADE,
    TEXT,
    BYTES,
    HASH,
    ACCOUNT,
    TWIN,
    MAYBE,
    ORDER,
    MAYBE_ORDER,
    LIST,
    COUNT
};

static tw_member order_members[] = {{"peak", VELOCITY}, {"eta", MAYBE}};
static tw_member all_members[] = {{"eta", TIME}, {"grade", GRADE}};

static tw_module *module_new(void)
{
    tw_type *types = tw_mem_new(COUNT * sizeof *types);
    tw_module *m = tw_mem_new(sizeof *m);
    types[BOOL] = (tw_type){.kind = TW_KIND_BOOL, .of = TW_NONE};
    types[INT] = (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_INT, .of = TW_NONE};
    types[VELOCITY] = (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_VELOCITY, .of = TW_NONE};
    types[TIME] = (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_TIME, .of = TW_NONE};
    types[DURATION] = (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_DURATION, .of = TW_NONE};
    types[GRADE] = (tw_type){.kind = TW_KIND_ENUM, .of = 0};
    types[TEXT] = (tw_type){.kind = TW_KIND_TEXT, .max = 12, .of = TW_NONE};
    types[BYTES] = (tw_type){.kind = TW_KIND_BYTES, .max = 2, .of = TW_NONE};
    types[HASH] = (tw_type){.kind = TW_KIND_HASH, .of = TW_NONE};
    types[ACCOUNT] = (tw_type){.kind = TW_KIND_ACCOUNT, .of = TW_NONE};
    types[TWIN] = (tw_type){.kind = TW_KIND_TWIN, .of = TW_NONE};
    types[MAYBE] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = TIME};
    types[ORDER] = (tw_type){.kind = TW_KIND_RECORD,
                             .name = "Order",
                             .members = {order_members, 2, 0, 0},
                             .of = TW_NONE};
    types[MAYBE_ORDER] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = ORDER};
    types[LIST] = (tw_type){.kind = TW_KIND_LIST, .of = INT, .max = 2};
    m->types = types;
    m->type_count = COUNT;
    m->enums = enums;
    m->enum_count = 1;
    return m;
}

static void module_free(tw_module *m)
{
    tw_mem_free(m->types);
    tw_mem_free(m);
}

static bool name_of(void *context, const tw_account *account, char ret_name[TW_SHOW_NAME_MAX])
{
    (void)context;
    if (account->bytes[0] != 0xAB) return false;
    snprintf(ret_name, TW_SHOW_NAME_MAX, "pump1");
    return true;
}

static bool account_of(void *context, const char *name, tw_account *ret_account)
{
    (void)context;
    memset(ret_account, 0xAB, sizeof *ret_account);
    return strcmp(name, "pump1") == 0;
}

static const tw_show_names names = {NULL, name_of, account_of, 1767225600000};

/* Parses, shows, compares; the JSON must be `json`. */
static void value_is(const tw_module *m, uint16_t type, const char *text, const char *shown,
                     const char *json)
{
    tw_writer w = tw_writer_new(4096);
    tw_writer out = tw_writer_new(4096);
    tw_err err = {0};
    cr_assert_eq(tw_show_parse(m, type, text, &names, &w, &err), TW_OK, "%s", err.text);
    tw_reader r = tw_reader_of(tw_writer_bytes(&w));
    cr_assert_eq(tw_show_value(m, type, &r, &names, &out), TW_OK);
    cr_assert(tw_reader_done(&r));
    tw_write_u8(&out, 0);
    cr_assert_str_eq((const char *)out.data, shown);
    r = tw_reader_of(tw_writer_bytes(&w));
    json_t *value = tw_show_json(m, type, &r);
    cr_assert_not_null(value);
    char *dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    cr_assert_str_eq(dumped, json);
    json_decref(value);
    tw_mem_free(dumped);
    /* no shorter bytes are a value */
    for (size_t size = 0; size < w.size; size++) {
        tw_writer_clear(&out);
        r = tw_reader_of(tw_bytes_of(w.data, size));
        cr_assert_eq(tw_show_value(m, type, &r, &names, &out), TW_REFUSED_ENCODING);
        r = tw_reader_of(tw_bytes_of(w.data, size));
        cr_assert_null(tw_show_json(m, type, &r));
    }
    tw_writer_free(&w);
    tw_writer_free(&out);
}

static void value_refused(const tw_module *m, uint16_t type, const char *text, const char *wanted)
{
    tw_writer w = tw_writer_new(4096);
    tw_err err = {0};
    cr_assert_eq(tw_show_parse(m, type, text, &names, &w, &err), TW_REFUSED_ARGUMENT, "%s", text);
    cr_assert_not_null(strstr(err.text, wanted), "%s: %s", text, err.text);
    tw_writer_free(&w);
}

#define HEX_AB "abababababababababababababababababababababababababababababababab"
#define HEX_01 "0101010101010101010101010101010101010101010101010101010101010101"

Test(show, there_and_back)
{
    tw_module *m = module_new();
    value_is(m, BOOL, "yes", "yes", "true");
    value_is(m, BOOL, "false", "no", "false");
    value_is(m, INT, "-42", "-42", "\"-42\"");
    value_is(m, VELOCITY, "7.1 mm/s", "7.1 mm/s", "{\"value\":\"7100\",\"text\":\"7.1 mm/s\"}");
    value_is(m, TIME, "2026-01-01 00:00", "2026-01-01T00:00:00Z",
             "{\"value\":\"1767225600000\",\"text\":\"2026-01-01T00:00:00Z\"}");
    value_is(m, TIME, "now + 72 h", "2026-01-04T00:00:00Z",
             "{\"value\":\"1767484800000\",\"text\":\"2026-01-04T00:00:00Z\"}");
    value_is(m, TIME, "now-1h", "2025-12-31T23:00:00Z",
             "{\"value\":\"1767222000000\",\"text\":\"2025-12-31T23:00:00Z\"}");
    value_is(m, DURATION, "600 s", "10 min", "{\"value\":\"600000\",\"text\":\"10 min\"}");
    value_is(m, GRADE, "Bad", "Bad", "\"Bad\"");
    value_is(m, TEXT, "a \"b\" \\", "\"a \\\"b\\\" \\\\\"", "\"a \\\"b\\\" \\\\\"");
    value_is(m, TEXT, "", "\"\"", "\"\"");
    value_is(m, BYTES, "00fF", "00ff", "\"00ff\"");
    value_is(m, HASH, HEX_01, HEX_01, "\"" HEX_01 "\"");
    value_is(m, ACCOUNT, "pump1", "pump1", "\"" HEX_AB "\"");
    value_is(m, ACCOUNT, HEX_01, "0101010101010101...", "\"" HEX_01 "\"");
    value_is(m, MAYBE, "none", "none", "null");
    value_is(m, MAYBE, "2026-01-01", "2026-01-01T00:00:00Z",
             "{\"value\":\"1767225600000\",\"text\":\"2026-01-01T00:00:00Z\"}");
    value_is(m, MAYBE_ORDER, "{\"eta\": null, \"peak\": \"8 mm/s\"}",
             "Order(peak: 8 mm/s, eta: none)",
             "{\"peak\":{\"value\":\"8000\",\"text\":\"8 mm/s\"},\"eta\":null}");
    value_is(m, LIST, "[\"1\", \"-2\"]", "[1, -2]", "[\"1\",\"-2\"]");
    module_free(m);
}

Test(show, hashes_of_texts)
{
    tw_module *m = module_new();
    tw_writer a = tw_writer_new(64), b = tw_writer_new(64);
    const tw_hash wanted = tw_sha256("r1", 2);
    cr_assert_eq(tw_show_parse(m, HASH, "hash(r1)", &names, &a, NULL), TW_OK);
    cr_assert_eq(tw_show_parse(m, HASH, "hash(\"r1\")", &names, &b, NULL), TW_OK);
    cr_assert(a.size == 32 && memcmp(a.data, wanted.bytes, 32) == 0);
    cr_assert(tw_bytes_equal(tw_writer_bytes(&a), tw_writer_bytes(&b)));
    tw_writer_free(&a);
    tw_writer_free(&b);
    module_free(m);
}

Test(show, refused)
{
    tw_module *m = module_new();
    value_refused(m, BOOL, "1", "neither yes nor no");
    value_refused(m, VELOCITY, "7.1", "has no unit");
    value_refused(m, TIME, "now + 5", "now + 72 h");
    value_refused(m, TIME, "now or never", "now + 72 h");
    value_refused(m, TIME, "tomorrow", "is no time");
    value_refused(m, GRADE, "good", "is no value of Grade, which begins with Good");
    value_refused(m, TEXT, "thirteen char", "has 13 bytes; at most 12 fit");
    value_refused(m, TEXT, "\x1b[1m", "is not UTF-8 without control characters");
    value_refused(m, BYTES, "abc", "is not at most 2 bytes in hex");
    value_refused(m, BYTES, "aabbcc", "is not at most 2 bytes in hex");
    value_refused(m, HASH, "r1", "hash(text)");
    value_refused(m, TWIN, "dtmi:x;1", "twin_id(uri)");
    value_refused(m, ACCOUNT, "pump2", "neither the name of a key nor 64 hex digits");
    value_refused(m, ORDER, "Order(peak: 8 mm/s)", "is written in JSON");
    value_refused(m, ORDER, "[]", "is a record");
    value_refused(m, ORDER, "{\"peak\": \"8 mm/s\"}", "lacks its field eta");
    value_refused(m, ORDER, "{\"peak\": \"8 mm/s\", \"eta\": null, \"x\": \"\"}", "only 2 fields");
    value_refused(m, ORDER, "{\"peak\": 8, \"eta\": null}", "stands in quotes");
    value_refused(m, ORDER, "{\"peak\": \"8 mm/s\", \"eta\": null} x", "is written in JSON");
    value_refused(m, LIST, "[\"1\",\"2\",\"3\"]", "a list of at most 2 values");
    module_free(m);
}

static void arguments(const tw_module *m, const char *const *texts, uint32_t count,
                      const char *wanted, const char *problem)
{
    const tw_members members = {all_members, 2, 0, 0};
    tw_writer w = tw_writer_new(4096), out = tw_writer_new(4096);
    tw_err err = {0};
    const tw_status status =
        tw_show_parse_members(m, &members, "accept", texts, count, &names, &w, &err);
    if (problem != NULL) {
        cr_assert_eq(status, TW_REFUSED_ARGUMENT);
        cr_assert_not_null(strstr(err.text, problem), "%s", err.text);
    } else {
        cr_assert_eq(status, TW_OK, "%s", err.text);
        cr_assert_eq(tw_show_members(m, &members, tw_writer_bytes(&w), &names, &out), TW_OK);
        tw_write_u8(&out, 0);
        cr_assert_str_eq((const char *)out.data, wanted);
        json_t *json = tw_show_members_json(m, &members, tw_writer_bytes(&w));
        cr_assert_eq(json_object_size(json), 2);
        json_decref(json);
        tw_write_u8(&w, 0);
        cr_assert_null(tw_show_members_json(m, &members, tw_writer_bytes(&w)));
    }
    tw_writer_free(&w);
    tw_writer_free(&out);
}

Test(show, arguments)
{
    tw_module *m = module_new();
    const char *shown = "eta: 2026-01-02T00:00:00Z, grade: Bad";
    arguments(m, (const char *[]){"grade=Bad", "eta=now + 24 h"}, 2, shown, NULL);
    arguments(m, (const char *[]){"2026-01-02", "Bad"}, 2, shown, NULL);
    arguments(m, (const char *[]){"eta=now"}, 1, NULL,
              "an argument is missing; accept takes: eta=<time>, grade=<Grade>");
    arguments(m, (const char *[]){"eta=now", "eta=now"}, 2, NULL, "an argument is missing");
    arguments(m, (const char *[]){"eta=now", "gade=Bad"}, 2, NULL, "names nothing that it takes");
    arguments(m, (const char *[]){"now", "Bad", "x"}, 3, NULL, "too many arguments");
    arguments(m, (const char *[]){"eta=soon", "grade=Bad"}, 2, NULL, "eta: \"soon\" is no time");
    module_free(m);
}

Test(show, types)
{
    tw_module *m = module_new();
    static const char *const wanted[COUNT] = {"bool",     "int",     "velocity",         "time",
                                              "duration", "Grade",   "text(12)",         "bytes(2)",
                                              "hash",     "account", "twin_id",          "time?",
                                              "Order",    "Order?",  "list of int max 2"};
    char text[TW_SHOW_NAME_MAX];
    for (uint16_t i = 0; i < COUNT; i++) {
        cr_assert_str_eq(tw_show_type(m, i, text), wanted[i]);
    }
    module_free(m);
}
