/* test_bytes -- reader and writer at their ends, UTF-8 against the grammar of RFC 3629, hex. */
#include "tests/unit/state_fixture.h"
#include "vm/base/bytes.h"

#include <criterion/criterion.h>

/* ---- reader ---- */

Test(bytes, what_is_written_is_read_back)
{
    tw_writer w = tw_writer_new(1000);
    tw_write_u8(&w, 0xFE);
    tw_write_u16(&w, 0x1234);
    tw_write_u32(&w, 0x89ABCDEF);
    tw_write_u64(&w, 0x0123456789ABCDEF);
    tw_write_i64(&w, INT64_MIN);
    tw_write_i64(&w, -1);
    tw_write_u8(&w, 1);
    tw_write_short(&w, text("short"));
    tw_write_long(&w, text(""));
    tw_write_text(&w, "text");
    cr_assert_not(w.bad);
    const uint8_t head[] = {0xFE, 0x12, 0x34, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23};
    cr_assert_eq(memcmp(w.data, head, sizeof head), 0, "integers are big-endian");
    tw_reader r = tw_reader_of(tw_writer_bytes(&w));
    cr_assert_eq(tw_read_u8(&r), 0xFE);
    cr_assert_eq(tw_read_u16(&r), 0x1234);
    cr_assert_eq(tw_read_u32(&r), 0x89ABCDEF);
    cr_assert_eq(tw_read_u64(&r), 0x0123456789ABCDEF);
    cr_assert_eq(tw_read_i64(&r), INT64_MIN);
    cr_assert_eq(tw_read_i64(&r), -1);
    cr_assert(tw_read_bool(&r));
    cr_assert(is_text(tw_read_short(&r, 5), "short"));
    cr_assert(is_text(tw_read_long(&r, 0), ""));
    cr_assert_not(tw_reader_done(&r), "there is more to read");
    cr_assert(is_text(tw_read_short(&r, 100), "text"));
    cr_assert(tw_reader_done(&r));
    tw_writer_free(&w);
}

/* Every kind of read, cut at every byte: bad, zeros from then on, nothing read past the end. The
 * copies have the exact size, so that AddressSanitizer sees a byte too many. */
Test(bytes, a_read_past_the_end_gives_zeros_and_latches)
{
    for (size_t size = 0; size < 8; size++) {
        uint8_t *data = tw_mem_new(size);
        memset(data, 0xFF, size);
        tw_reader r = tw_reader_of(tw_bytes_of(data, size));
        cr_assert_eq(tw_read_u64(&r), 0);
        cr_assert(r.bad);
        cr_assert_eq(tw_read_u8(&r), 0, "a bad reader gives nothing more, even what is there");
        cr_assert_eq(tw_reader_left(&r), 0);
        cr_assert_null(tw_read_raw(&r, 0));
        cr_assert_eq(tw_read_i64(&r), 0);
        cr_assert_eq(tw_read_u32(&r), 0);
        cr_assert_eq(tw_read_u16(&r), 0);
        cr_assert_not(tw_read_bool(&r));
        cr_assert_not(tw_reader_done(&r));
        uint8_t copy[4] = {1, 2, 3, 4};
        tw_read_copy(&r, copy, sizeof copy);
        cr_assert_eq(copy[0] + copy[1] + copy[2] + copy[3], 0);
        tw_mem_free(data);
    }
}

Test(bytes, an_empty_reader_without_memory)
{
    tw_reader r = tw_reader_of((tw_bytes){NULL, 0});
    cr_assert(tw_reader_done(&r));
    uint8_t none = 7;
    tw_read_copy(&r, &none, 0);
    cr_assert_eq(none, 7);
    (void)tw_read_raw(&r, 0);
    cr_assert_not(r.bad);
    (void)tw_read_raw(&r, SIZE_MAX);
    cr_assert(r.bad);
}

Test(bytes, a_bool_is_0_or_1)
{
    for (int value = 0; value < 256; value++) {
        const uint8_t byte = (uint8_t)value;
        tw_reader r = tw_reader_of(tw_bytes_of(&byte, 1));
        cr_assert_eq(tw_read_bool(&r), value == 1);
        cr_assert_eq(r.bad, value > 1);
    }
}

Test(bytes, sized_reads_refuse_sizes_over_the_limit_or_the_end)
{
    const uint8_t two[] = {0, 2, 'a', 'b'};
    tw_reader r = tw_reader_of(tw_bytes_of(two, sizeof two));
    cr_assert(is_text(tw_read_short(&r, 2), "ab"));
    r = tw_reader_of(tw_bytes_of(two, sizeof two));
    const tw_bytes over = tw_read_short(&r, 1);
    cr_assert(r.bad && over.data == NULL && over.size == 0);
    r = tw_reader_of(tw_bytes_of(two, 3));
    (void)tw_read_short(&r, 2);
    cr_assert(r.bad);
    const uint8_t huge[] = {0xFF, 0xFF, 0xFF, 0xFF, 'a'};
    r = tw_reader_of(tw_bytes_of(huge, sizeof huge));
    cr_assert_null(tw_read_long(&r, SIZE_MAX).data);
    cr_assert(r.bad);
}

/* ---- writer ---- */

Test(bytes, a_writer_stops_at_its_limit_and_latches)
{
    for (size_t limit = 0; limit < 40; limit++) {
        tw_writer w = tw_writer_new(limit);
        size_t written = 0;
        while (!w.bad) {
            tw_write_u16(&w, 0xBEEF);
            written += w.bad ? 0 : 2;
        }
        cr_assert_eq(written, limit / 2 * 2);
        cr_assert_eq(w.size, written);
        tw_write_raw(&w, "", 0);
        tw_write_u8(&w, 1);
        cr_assert(w.bad && w.size == written, "a bad writer stays as it is");
        cr_assert_not(w.starved, "a limit is no want of memory");
        tw_writer_clear(&w);
        cr_assert(!w.bad && w.size == 0);
        tw_writer_free(&w);
    }
}

Test(bytes, a_fixed_writer_stays_in_its_memory)
{
    uint8_t memory[6] = {9, 9, 9, 9, 9, 9};
    tw_writer w = tw_writer_fixed(memory, 4);
    tw_write_u32(&w, 1);
    cr_assert_not(w.bad);
    tw_write_u8(&w, 1);
    cr_assert(w.bad);
    cr_assert(memory[3] == 1 && memory[4] == 9 && memory[5] == 9);
    tw_writer_free(&w);
}

Test(bytes, a_short_holds_65535_bytes_and_no_more)
{
    uint8_t *data = tw_mem_new(UINT16_MAX + 1);
    tw_writer w = tw_writer_new(MIB);
    tw_write_short(&w, tw_bytes_of(data, UINT16_MAX));
    cr_assert(!w.bad && w.size == 2 + UINT16_MAX);
    tw_reader r = tw_reader_of(tw_writer_bytes(&w));
    cr_assert_eq(tw_read_short(&r, UINT16_MAX).size, UINT16_MAX);
    cr_assert(tw_reader_done(&r));
    tw_writer_clear(&w);
    tw_write_short(&w, tw_bytes_of(data, UINT16_MAX + 1));
    cr_assert(w.bad);
    tw_writer_free(&w);
    tw_mem_free(data);
}

Test(bytes, a_writer_grows_without_losing_a_byte)
{
    tw_writer w = tw_writer_new(MIB);
    for (uint32_t i = 0; i < 100000; i++) tw_write_u32(&w, i);
    cr_assert_not(w.bad);
    tw_reader r = tw_reader_of(tw_writer_bytes(&w));
    for (uint32_t i = 0; i < 100000; i++) cr_assert_eq(tw_read_u32(&r), i);
    cr_assert(tw_reader_done(&r));
    tw_writer_free(&w);
    cr_assert(w.data == NULL && w.size == 0);
}

/* ---- order ---- */

Test(bytes, order_is_that_of_bytes_and_a_prefix_comes_first)
{
    static const char *const ascending[] = {"",  "a",    "a\x01", "aa",  "ab",
                                            "b", "\x7F", "\x80",  "\xFF"};
    const size_t count = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            const int order = tw_bytes_compare(text(ascending[i]), text(ascending[k]));
            cr_assert_eq((order > 0) - (order < 0), (i > k) - (i < k));
            cr_assert_eq(tw_bytes_equal(text(ascending[i]), text(ascending[k])), i == k);
        }
    }
    cr_assert_eq(tw_bytes_compare((tw_bytes){NULL, 0}, (tw_bytes){NULL, 0}), 0);
    cr_assert(tw_bytes_equal((tw_bytes){NULL, 0}, text("")));
}

/* ---- UTF-8 ---- */

static bool tails(const uint8_t *s, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (s[i] < 0x80 || s[i] > 0xBF) return false;
    }
    return true;
}

static bool within(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

/* The grammar of RFC 3629, section 4, for one character of exactly `size` bytes. */
static bool is_character(const uint8_t *s, size_t size)
{
    if (size == 1) return s[0] < 0x80;
    if (size == 2) return within(s[0], 0xC2, 0xDF) && tails(s, 1, 2);
    if (size == 3) {
        const uint8_t low = s[0] == 0xE0 ? 0xA0 : 0x80;
        const uint8_t high = s[0] == 0xED ? 0x9F : 0xBF;
        return within(s[0], 0xE0, 0xEF) && within(s[1], low, high) && tails(s, 2, 3);
    }
    const uint8_t low = s[0] == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = s[0] == 0xF4 ? 0x8F : 0xBF;
    return size == 4 && within(s[0], 0xF0, 0xF4) && within(s[1], low, high) && tails(s, 2, 4);
}

static bool is_banned(uint32_t point)
{
    const bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
    const bool bidi = point == 0x061C || point == 0x200E || point == 0x200F ||
                      (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
    return control || bidi;
}

static size_t utf8_write(uint32_t point, uint8_t s[4])
{
    if (point < 0x80) {
        s[0] = (uint8_t)point;
        return 1;
    }
    const size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; point >>= 6) s[i] = (uint8_t)(0x80 | (point & 0x3F));
    s[0] = (uint8_t)((0xF00 >> size & 0xFF) | point);
    return size;
}

Test(bytes, every_code_point_is_judged_right)
{
    for (uint32_t point = 0; point < 0x110400; point++) {
        uint8_t s[4];
        const size_t size = utf8_write(point, s);
        const bool exists = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
        cr_assert_eq(tw_utf8_is_clean(tw_bytes_of(s, size)), exists && !is_banned(point), "U+%04X",
                     point);
    }
}

/* All sequences of two and three bytes that begin like a longer character, and four bytes with the
 * last two at each border: overlong forms, surrogates, stray and missing tails. */
Test(bytes, every_sequence_is_judged_by_the_grammar)
{
    static const uint8_t borders[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                      0xA0, 0xBF, 0xC0, 0xE0, 0xF0, 0xFF};
    const size_t count = sizeof borders;
    uint8_t s[4];
    for (uint32_t lead = 0xC0; lead < 0x100; lead++) {
        for (uint32_t second = 0; second < 256; second++) {
            s[0] = (uint8_t)lead;
            s[1] = (uint8_t)second;
            cr_assert_not(tw_utf8_is_clean(tw_bytes_of(s, 1)));
            if (lead != 0xC2) /* where the C1 controls are */
                cr_assert_eq(tw_utf8_is_clean(tw_bytes_of(s, 2)),
                             is_character(s, 2) && !(lead == 0xD8 && second == 0x9C));
            for (size_t i = 0; i < count * count; i++) {
                s[2] = borders[i / count];
                s[3] = borders[i % count];
                if (lead != 0xE2) /* where the bidirectional marks are */
                    cr_assert(!tw_utf8_is_clean(tw_bytes_of(s, 3)) || is_character(s, 3) ||
                              is_character(s, 2));
                if (lead >= 0xF0)
                    cr_assert_eq(tw_utf8_is_clean(tw_bytes_of(s, 4)), is_character(s, 4));
            }
        }
    }
}

Test(bytes, utf8_by_hand)
{
    static const struct {
        const char *text;
        bool clean;
    } cases[] = {
        {"", true},
        {"Motor 7, 85 \xC2\xB0"
         "C",
         true},
        {"\xF0\x9F\x94\xA7", true},
        {"\xC0\x80", false},         /* NUL, overlong */
        {"\xC1\xBF", false},         /* DEL, overlong */
        {"\xE0\x9F\xBF", false},     /* overlong */
        {"\xF0\x8F\xBF\xBF", false}, /* overlong */
        {"\xED\xA0\x80", false},     /* first surrogate */
        {"\xED\xBF\xBF", false},     /* last surrogate */
        {"\xF4\x90\x80\x80", false}, /* over U+10FFFF */
        {"\xF8\x88\x80\x80\x80", false},
        {"\xFF", false},
        {"\xFE", false},
        {"a\x80", false}, /* a tail without a lead */
        {"a\xE2\x82", false},
        {"line\nline", false},
        {"tab\t", false},
        {"\x7F", false},
        {"\xC2\x85", false}, /* next line, a C1 control */
        {"\xC2\xA0", true},  /* no-break space */
        {"a\xE2\x80\xAE"
         "b",
         false}, /* right-to-left override */
        {"a\xE2\x81\xA6"
         "b",
         false},                  /* left-to-right isolate */
        {"a\xE2\x80\x8F", false}, /* right-to-left mark */
        {"\xD8\x9C", false},      /* Arabic letter mark */
        {"\xE2\x80\xA9", true},   /* paragraph separator: no control character */
        {"\xEF\xBF\xBF", true},   /* U+FFFF is valid UTF-8 */
        {"\xD7\x90", true},       /* a Hebrew letter is no override */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert_eq(tw_utf8_is_clean(text(cases[i].text)), cases[i].clean, "case %zu", i);
    }
    cr_assert_not(tw_utf8_is_clean(tw_bytes_of("a\0b", 3)));
    cr_assert(tw_utf8_is_clean((tw_bytes){NULL, 0}));
}

/* ---- hex ---- */

Test(bytes, hex_there_and_back)
{
    uint8_t bytes[256];
    uint8_t again[256];
    char hex[513];
    for (int i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
    tw_hex_encode(bytes, sizeof bytes, hex);
    cr_assert_eq(strlen(hex), 512);
    cr_assert_eq(memcmp(hex, "000102", 6), 0);
    cr_assert_str_eq(hex + 506, "fdfeff");
    cr_assert(tw_hex_decode(hex, 512, again, 256));
    cr_assert_eq(memcmp(bytes, again, 256), 0);
    cr_assert(tw_hex_decode("AbCd", 4, again, 2));
    cr_assert(again[0] == 0xAB && again[1] == 0xCD);
    tw_hex_encode(bytes, 0, hex);
    cr_assert_str_eq(hex, "");
}

Test(bytes, hex_refuses_what_is_no_hex)
{
    uint8_t bytes[2];
    for (int c = 0; c < 256; c++) {
        const char two[2] = {'0', (char)c};
        const char swapped[2] = {(char)c, '0'};
        const bool digit =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        cr_assert_eq(tw_hex_decode(two, 2, bytes, 1), digit, "byte %d", c);
        cr_assert_eq(tw_hex_decode(swapped, 2, bytes, 1), digit, "byte %d", c);
    }
    cr_assert_not(tw_hex_decode("abc", 3, bytes, 2));
    cr_assert_not(tw_hex_decode("abc", 3, bytes, 1));
    cr_assert_not(tw_hex_decode("abcdef", 6, bytes, 2));
    cr_assert(tw_hex_decode("", 0, bytes, 0));
}

/* The clean texts are those whose characters are clean one by one, wherever they stand. */
static bool clean_by_characters(tw_bytes text)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t point = 0;
        const size_t size = tw_utf8_next(text, at, &point);
        if (size == 0 || !tw_utf8_is_clean(tw_bytes_of(text.data + at, size))) return false;
        at += size;
    }
    return true;
}

Test(bytes, utf8_clean_at_every_place)
{
    uint8_t text[40];
    for (size_t size = 1; size <= 24; size++) {
        for (size_t place = 0; place < size; place++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(text, '~', sizeof text);
                text[place] = (uint8_t)byte;
                text[size] = 0x80; /* behind the end: not looked at */
                const bool clean = tw_utf8_is_clean(tw_bytes_of(text, size));
                cr_assert_eq(clean, byte >= 0x20 && byte < 0x7F, "%u at %zu of %zu", byte, place,
                             size);
            }
        }
    }
}

Test(bytes, utf8_clean_of_mixed_texts)
{
    static const char *const parts[] = {
        "a",    " ",    "~",        "\xC3\xA4",     "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
        "\x1F", "\x7F", "\xC2\x85", "\xE2\x80\xAE", "\xE2\x82",     "\xD8\x9C"};
    const uint64_t seed = 20261122;
    uint64_t state = seed;
    for (int round = 0; round < 20000; round++) {
        char text[128] = {0};
        const size_t rare = round % 2 == 0 ? 6 : sizeof parts / sizeof parts[0];
        for (int i = 0; i < 20; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            const char *part = parts[(state >> 33) % (i % 7 == 3 ? rare : 6)];
            memcpy(text + strlen(text), part, strlen(part));
        }
        const tw_bytes bytes = tw_bytes_of(text, strlen(text));
        cr_assert_eq(tw_utf8_is_clean(bytes), clean_by_characters(bytes), "seed %llu, round %d",
                     (unsigned long long)seed, round);
    }
}
