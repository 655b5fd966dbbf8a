/* feed -- from rows of a table to signed packs to blocks; shared by the files of `twvm feed`.
 *
 *     feed_rows.c   options and the table: which cell is which reading, and when
 *     feed_send.c   packs, signatures, blocks; blocks of timers on the way
 *     feed_tell.c   what came of it: counters and the summary
 *     cmd_feed.c    the command: lanes of devices, side by side through time
 */
#ifndef TW_RUNNER_FEED_H
#define TW_RUNNER_FEED_H

#include "vm/exec/device.h"
#include "vm/runner/command.h"
#include "vm/runner/csv.h"
#include "vm/runner/number.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

enum { FEED_MAPS_MAX = TW_PACK_FIELDS_MAX, FEED_WHERE_MAX = 16, FEED_REFUSED_SHOWN = 5 };

/* ---- rows ---- */

typedef struct feed_map {
    const tw_reading *reading;
    uint16_t index; /* of the reading */
    tw_dimension dimension;
    const tw_unit *unit; /* of the column; NULL: int, dec, or units in the cells */
    char column_name[256];
    uint32_t column;
} feed_map;

typedef enum feed_clock {
    FEED_CLOCK_COLUMN, /* times stand in a column */
    FEED_CLOCK_COUNT,  /* a column counts periods since the start */
    FEED_CLOCK_ROW,    /* rows count periods since the start */
} feed_clock;

typedef struct feed_where {
    char column_name[256];
    uint32_t column;
    char value[128];
} feed_where;

typedef struct feed_rows {
    tw_app *app;
    const char *path;
    const tw_module *module;
    tw_csv *csv;
    tw_csv_options csv_options;
    feed_map maps[FEED_MAPS_MAX];
    uint32_t map_count;
    feed_where where[FEED_WHERE_MAX];
    uint32_t where_count;
    feed_clock clock;
    char time_name[256];
    uint32_t time_column;
    tw_time_format time_format;
    int64_t zone, start, period;
    tw_number_style style;
    bool skip_bad;
    uint64_t limit;
    uint64_t taken; /* rows that are wanted, so far */
    uint64_t bad;   /* rows left out with skip_bad */
} feed_rows;

typedef struct feed_row {
    uint64_t line;
    int64_t time;
    uint32_t count; /* readings; cells may be empty */
    uint32_t maps[FEED_MAPS_MAX];
    int64_t values[FEED_MAPS_MAX];
} feed_row;

/* How the table is laid out, from the options. */
TW_MUST_USE tw_status feed_rows_table(tw_app *app, tw_csv_options *ret_options);

/* Reads the options; the file is not opened. `start` is what reading 0 has without --start. */
TW_MUST_USE tw_status feed_rows_plan(tw_app *app, const tw_module *m, int64_t start,
                                     feed_rows *rows);
/* Wants only rows whose cell in this column is `value`. */
TW_MUST_USE tw_status feed_rows_where(feed_rows *rows, const char *column, const char *value);
TW_MUST_USE tw_status feed_rows_open(feed_rows *rows);
void feed_rows_close(feed_rows *rows);
/* The next row that is wanted; a row that is not understood ends the work, or is counted and left
 * out with --skip-bad. */
TW_MUST_USE tw_status feed_rows_next(feed_rows *rows, feed_row *ret_row, bool *ret_found);

/* ---- lanes ---- */

/* What one device's readings came to. */
typedef struct feed_tally {
    uint64_t rows, sent, accepted, already_in, packs;
    uint64_t refused[TW_REFUSAL_COUNT];
    uint64_t refused_shown;
    uint64_t events[TW_NAMES_MAX], histories[TW_NAMES_MAX];
    uint64_t raised[TW_ALARMS_MAX], cleared[TW_ALARMS_MAX];
    uint64_t failed;   /* runs of timers and handlers */
    char failure[240]; /* the last of them */
} feed_tally;

/* A pack on its way, and where its readings come from. */
typedef struct feed_pack {
    tw_pack_item items[TW_PACK_READINGS_MAX];
    uint64_t lines[TW_PACK_READINGS_MAX];
    uint32_t count;
} feed_pack;

/* One device and the contract that it sends to. Lanes go side by side through time. */
typedef struct feed_lane {
    feed_rows rows;
    const tw_named_key *key;
    tw_hash contract;
    const tw_module *module;
    char label[TW_CONTRACT_NAME_MAX];
    feed_pack pack;
    uint32_t pack_max;
    int64_t span_max;   /* between the readings of a pack and its block */
    int64_t pack_first; /* time of its first reading in order */
    int64_t newest;     /* of this lane's readings so far */
    feed_row next;      /* the row that waits for its turn */
    bool has_next;
    int64_t last_in; /* newest reading that was in before; -1: none */
    feed_tally tally;
} feed_lane;

enum { FEED_LANES_MAX = 64 };

typedef struct feeder {
    tw_app *app;
    tw_session *session;
    feed_lane *lanes;
    uint32_t lane_count;
    const tw_named_key *carrier; /* who sends the packs and pays; NULL: each device its own */
    bool resume, verbose;
    int64_t newest; /* of all readings so far */
    bool has_due;
    int64_t due; /* of the next timer, as the head stands */
    tw_writer bytes, transaction;
    uint64_t rows_total; /* 0: not known */
    uint64_t rows, sent, blocks;
    int64_t fees;  /* paid for packs */
    int64_t drawn; /* when the bar was drawn */
    uint64_t start_ns, table_ns, sign_ns, tell_ns;
    tw_ledger_times before; /* the ledger's counters when it began */
} feeder;

/* ---- sending: feed_send.c ---- */

/* How large packs can be, and the first due timer. */
TW_MUST_USE tw_status feed_send_start(feeder *f, uint32_t pack_max);
TW_MUST_USE tw_status feed_send_row(feeder *f, feed_lane *lane, const feed_row *row);
TW_MUST_USE tw_status feed_send_rest(feeder *f);

/* ---- telling: feed_tell.c ---- */

/* Reads the block back and counts. `lane` sent the pack in it; NULL for a block of timers. */
TW_MUST_USE tw_status feed_tell_block(feeder *f, const tw_block_info *info, const feed_lane *lane);
void feed_tell_start(feeder *f);
/* The summary. */
TW_MUST_USE tw_status feed_tell_end(feeder *f);

uint64_t feed_clock_ns(void);

#endif
