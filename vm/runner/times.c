/* times -- see the header. A cursor over the text; each part says what it expected. */
#include "vm/runner/times.h"

#include "vm/base/quantities.h"

#include <string.h>
#include <time.h>

static const int64_t ms_second = 1000, ms_minute = 60000, ms_hour = 3600000, ms_day = 86400000;

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

typedef struct parts {
    uint32_t year, month, day, hour, minute, second, ms;
    bool has_zone;
    int64_t zone;
} parts;

static bool here(const cursor *c, char wanted)
{
    return c->at < c->end && *c->at == (uint8_t)wanted;
}

static bool take(cursor *c, char wanted)
{
    if (!here(c, wanted)) return false;
    c->at++;
    return true;
}

static bool digit_here(const cursor *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static void skip_blanks(cursor *c)
{
    while (here(c, ' ')) c->at++;
}

/* A number of count_min to count_max digits. */
static bool number(cursor *c, uint32_t count_min, uint32_t count_max, uint32_t *ret_number)
{
    uint32_t value = 0;
    uint32_t count = 0;
    for (; count < count_max && digit_here(c); count++) value = value * 10 + (*c->at++ - '0');
    *ret_number = value;
    return count >= count_min && !digit_here(c);
}

bool tw_time_format_find(const char *name, tw_time_format *ret_format)
{
    static const char *const names[TW_TIME_FORMATS] = {"auto", "iso", "mdy", "dmy", "s", "ms"};
    for (int i = 0; i < TW_TIME_FORMATS; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *ret_format = (tw_time_format)i;
        return true;
    }
    return false;
}

/* ---- days ---- */

/* Days from 1970-01-01 to a date of the Gregorian calendar, year from 1970 on (Howard Hinnant). */
static int64_t days_from_date(uint32_t year, uint32_t month, uint32_t day)
{
    const int64_t shifted_year = (int64_t)year - (month <= 2);
    const int64_t era = shifted_year / 400;
    const int64_t year_of_era = shifted_year - era * 400;
    const int64_t shifted_month = month > 2 ? month - 3 : month + 9;
    const int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static uint32_t days_in_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (uint32_t)(month == 2 && leap);
}

static bool finish(const parts *p, int64_t zone, int64_t *ret_time, const char **ret_why)
{
    *ret_why = "has no such month";
    if (p->month < 1 || p->month > 12) return false;
    *ret_why = "has no such day";
    if (p->day < 1 || p->day > days_in_month(p->year, p->month)) return false;
    *ret_why = "has no such time of day";
    if (p->hour > 23 || p->minute > 59 || p->second > 59) return false;
    *ret_why = "lies before 1970";
    if (p->year < 1970) return false;
    const int64_t time = days_from_date(p->year, p->month, p->day) * ms_day + p->hour * ms_hour +
                         p->minute * ms_minute + p->second * ms_second + p->ms -
                         (p->has_zone ? p->zone : zone);
    if (time < 0) return false;
    *ret_time = time;
    return true;
}

/* ---- parts of a day ---- */

/* [+-]hh, [+-]hhmm, [+-]hh:mm or Z. */
static bool zone_part(cursor *c, int64_t *ret_zone)
{
    *ret_zone = 0;
    if (take(c, 'Z') || take(c, 'z')) return true;
    const bool west = here(c, '-');
    if (!take(c, '-') && !take(c, '+')) return false;
    uint32_t digits[4] = {0};
    uint32_t count = 0;
    while (count < 4 && digit_here(c)) {
        digits[count++] = (uint32_t)(*c->at++ - '0');
        if (count == 2) take(c, ':');
    }
    if (count != 2 && count != 4) return false;
    const int64_t hours = digits[0] * 10 + digits[1];
    const int64_t minutes = digits[2] * 10 + digits[3];
    if (hours > 15 || minutes > 59) return false;
    *ret_zone = (hours * ms_hour + minutes * ms_minute) * (west ? -1 : 1);
    return true;
}

/* AM or PM behind a clock of twelve hours. */
static bool half_day_part(cursor *c, parts *p)
{
    if (c->end - c->at < 2) return true;
    const uint8_t a = c->at[0] | 0x20;
    const uint8_t m = c->at[1] | 0x20;
    if ((a != 'a' && a != 'p') || m != 'm') return true;
    c->at += 2;
    if (p->hour < 1 || p->hour > 12) return false;
    p->hour = p->hour % 12 + (a == 'p' ? 12 : 0);
    return true;
}

/* h:mm[:ss[.fff]] [AM|PM] [zone], all of the rest. */
static bool clock_part(cursor *c, parts *p)
{
    if (!number(c, 1, 2, &p->hour) || !take(c, ':') || !number(c, 2, 2, &p->minute)) return false;
    if (take(c, ':') && !number(c, 2, 2, &p->second)) return false;
    if (take(c, '.') || take(c, ',')) {
        if (!digit_here(c)) return false;
        for (uint32_t scale = 100; digit_here(c); scale /= 10) {
            p->ms += scale * (uint32_t)(*c->at++ - '0');
        }
    }
    skip_blanks(c);
    if (!half_day_part(c, p)) return false;
    skip_blanks(c);
    if (c->at < c->end) {
        p->has_zone = true;
        if (!zone_part(c, &p->zone)) return false;
    }
    return c->at == c->end;
}

/* A date alone, or a date, T or blanks, and a clock. */
static bool rest_of_day(cursor *c, parts *p)
{
    if (c->at == c->end) return true;
    if (!take(c, 'T') && !take(c, 't')) {
        if (!here(c, ' ')) return false;
        skip_blanks(c);
    }
    return clock_part(c, p);
}

static bool parse_iso(cursor c, parts *p)
{
    if (!number(&c, 4, 4, &p->year)) return false;
    const char separator = here(&c, '/') ? '/' : '-';
    return take(&c, separator) && number(&c, 1, 2, &p->month) && take(&c, separator) &&
           number(&c, 1, 2, &p->day) && rest_of_day(&c, p);
}

static bool parse_parts(cursor c, char separator, bool month_first, parts *p)
{
    uint32_t *first = month_first ? &p->month : &p->day;
    uint32_t *second = month_first ? &p->day : &p->month;
    if (!number(&c, 1, 2, first) || !take(&c, separator) || !number(&c, 1, 2, second)) return false;
    if (!take(&c, separator) || !number(&c, 4, 4, &p->year)) return false;
    take(&c, ','); /* "1/31/2026, 1:05 PM" */
    return rest_of_day(&c, p);
}

/* ---- numbers ---- */

/* Seconds or milliseconds since 1970, cut to milliseconds. */
static bool parse_number(cursor c, bool seconds, int64_t *ret_time)
{
    int64_t value = 0;
    if (!digit_here(&c)) return false;
    while (digit_here(&c)) {
        if (value > TW_TIME_END / 10) return false;
        value = value * 10 + (*c.at++ - '0');
    }
    if (seconds) {
        if (value >= TW_TIME_END / ms_second) return false;
        value *= ms_second;
    }
    if (take(&c, '.')) {
        for (int64_t scale = seconds ? 100 : 0; digit_here(&c); scale /= 10) {
            value += scale * (*c.at++ - '0');
        }
    }
    if (c.at != c.end || value >= TW_TIME_END) return false;
    *ret_time = value;
    return true;
}

/* The form the text must have: where its first separator is and which. */
static tw_time_format guess(cursor c, const char **ret_why)
{
    uint32_t digits = 0;
    for (; digit_here(&c); c.at++) digits++;
    if (digits == 4 && (here(&c, '-') || here(&c, '/'))) return TW_TIME_ISO;
    if (digits >= 1 && digits <= 2 && here(&c, '/')) return TW_TIME_MDY;
    if (digits >= 1 && digits <= 2 && here(&c, '.')) return TW_TIME_DMY;
    const bool ends = c.at == c.end || here(&c, '.');
    if (ends && digits >= 9 && digits <= 10) return TW_TIME_S;
    if (ends && digits >= 12 && digits <= 13) return TW_TIME_MS;
    *ret_why = ends && digits > 0 ? "is a number too small or too large to tell seconds from "
                                    "milliseconds; say which with --time-format s or ms"
                                  : "is no time as 2026-01-31T12:00:00Z, 2026-01-31 12:00:00, "
                                    "1/31/2026 1:05 PM, 31.1.2026 13:05 or seconds since 1970";
    return TW_TIME_AUTO;
}

bool tw_time_parse(tw_bytes text, tw_time_format format, int64_t zone, int64_t *ret_time,
                   const char **ret_why)
{
    cursor c = {text.data, text.data + text.size};
    parts p = {0};
    bool fine = false;
    skip_blanks(&c);
    while (c.end > c.at && c.end[-1] == ' ') c.end--;
    *ret_why = "is empty";
    if (c.at == c.end) return false;
    if (format == TW_TIME_AUTO) format = guess(c, ret_why);
    switch (format) {
    case TW_TIME_AUTO:
    case TW_TIME_FORMATS: return false;
    case TW_TIME_ISO:
        *ret_why = "is no time as 2026-01-31T12:00:00Z or 2026-01-31 12:00:00";
        fine = parse_iso(c, &p);
        break;
    case TW_TIME_MDY:
        *ret_why = "is no time as 1/31/2026 1:05 PM (month, day, year)";
        fine = parse_parts(c, '/', true, &p);
        break;
    case TW_TIME_DMY:
        *ret_why = "is no time as 31/1/2026 13:05 or 31.1.2026 13:05 (day, month, year)";
        fine = parse_parts(c, '/', false, &p);
        if (!fine) {
            p = (parts){0};
            fine = parse_parts(c, '.', false, &p);
        }
        break;
    case TW_TIME_S:
    case TW_TIME_MS:
        *ret_why = format == TW_TIME_S ? "is no number of seconds since 1970"
                                       : "is no number of milliseconds since 1970";
        return parse_number(c, format == TW_TIME_S, ret_time);
    }
    return fine && finish(&p, zone, ret_time, ret_why);
}

bool tw_zone_parse(tw_bytes text, int64_t *ret_zone)
{
    cursor c = {text.data, text.data + text.size};
    int64_t zone = 0;
    if (!zone_part(&c, &zone) || c.at != c.end) return false;
    *ret_zone = zone;
    return true;
}

bool tw_duration_parse(tw_bytes text, int64_t *ret_duration)
{
    int64_t value = 0;
    if (tw_quantity_parse(text, TW_DIM_DURATION, NULL, &value) != TW_OK) return false;
    if (value <= 0 || value >= TW_TIME_END) return false;
    *ret_duration = value;
    return true;
}

const char *tw_time_print(int64_t time, char ret_text[TW_TIME_TEXT_MAX])
{
    _Static_assert((int)TW_TIME_TEXT_MAX == (int)TW_QUANTITY_TEXT_MAX, "one buffer size");
    tw_quantity_print(time, TW_DIM_TIME, ret_text);
    return ret_text;
}

int64_t tw_time_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0) return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
