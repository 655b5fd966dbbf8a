/* times -- the ways in which people and data loggers write a time, as milliseconds of UTC.
 *
 * Called for `--time`, `--start`, the time column of `feed` and arguments of type time. No locale,
 * no zone tables, no clock: the same text is the same time everywhere. Fractions finer than a
 * millisecond are cut off, which keeps the order of times.
 */
#ifndef TW_RUNNER_TIMES_H
#define TW_RUNNER_TIMES_H

#include "vm/base/bytes.h"

typedef enum tw_time_format {
    TW_TIME_AUTO, /* all below that cannot be mistaken; D/M/Y is read as M/D/Y, numbers by size */
    TW_TIME_ISO,  /* 2026-01-31T12:00:00.250+01:00; also a space, slashes, no seconds, no time */
    TW_TIME_MDY,  /* 1/31/2026 1:05 PM */
    TW_TIME_DMY,  /* 31/1/2026 13:05, 31.1.2026 13:05 */
    TW_TIME_S,    /* seconds since 1970 with a fraction or without */
    TW_TIME_MS,   /* milliseconds since 1970 */
    TW_TIME_FORMATS
} tw_time_format;

enum { TW_TIME_TEXT_MAX = 48 };
#define TW_TIME_END ((int64_t)1 << 52) /* times are below this */

/* "auto", "iso", "mdy", "dmy", "s", "ms". */
bool tw_time_format_find(const char *name, tw_time_format *ret_format);

/* `zone` is added to a text that names none: "-05:00" is -5 h; 0 is UTC. On failure *ret_why says
 * what is wrong with the text, as the end of a sentence; static memory. */
bool tw_time_parse(tw_bytes text, tw_time_format format, int64_t zone, int64_t *ret_time,
                   const char **ret_why);

/* "Z", "+01:00", "-0500" as milliseconds east of UTC. */
bool tw_zone_parse(tw_bytes text, int64_t *ret_zone);

/* "5s", "10 min", "72 h": above 0. */
bool tw_duration_parse(tw_bytes text, int64_t *ret_duration);

/* "2026-01-01T00:00:00Z", with milliseconds when there are some. */
const char *tw_time_print(int64_t time, char ret_text[TW_TIME_TEXT_MAX]);

/* The clock of this computer. Only the runner has one. */
int64_t tw_time_now(void);

#endif
