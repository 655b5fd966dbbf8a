/* story -- what blocks say, item by item: events, history entries, money, alarm edges,
 * runs that failed.
 *
 * Called by `events`, `history`, `blocks` and `feed`, so that all tell it the same way and in the
 * same order: timers and handlers at the block's start, then each transaction with the edges of its
 * readings and the handlers that these caused.
 */
#ifndef TW_RUNNER_STORY_H
#define TW_RUNNER_STORY_H

#include "vm/runner/session.h"

#include <jansson.h>

typedef enum tw_story_kind {
    TW_STORY_EVENT = 1,
    TW_STORY_HISTORY = 2,
    TW_STORY_EDGE = 4,   /* an alarm went up or down */
    TW_STORY_FAILED = 8, /* a timer, a handler or a transaction that failed */
    TW_STORY_MONEY = 16, /* money that moved */
    TW_STORY_ALL = 31,
} tw_story_kind;

typedef struct tw_story_item {
    tw_story_kind kind;
    int64_t time; /* of the block; of the reading for an edge; as recorded for history */
    uint64_t height;
    const tw_hash *contract;
    const tw_module *module;
    const tw_run *run;    /* that it came from; for an edge the pack's */
    const char *name;     /* of the event, history kind, alarm, entry, or money */
    uint16_t index;       /* of the event, history kind or alarm */
    bool up;              /* EDGE */
    tw_notice_view entry; /* EVENT: its fields; HISTORY; MONEY */
} tw_story_item;

/* Anything but TW_OK ends the walk and is returned. */
typedef tw_status (*tw_story_visit)(void *context, const tw_story_item *item);

/* The items of a block that are of `kinds` (a sum) and of `contract` (NULL: any). */
TW_MUST_USE tw_status tw_story_walk(tw_session *session, const tw_block *block,
                                    const tw_hash *contract, uint32_t kinds, tw_story_visit visit,
                                    void *context);

/* The same of one receipt of the block. */
TW_MUST_USE tw_status tw_story_walk_receipt(tw_session *session, const tw_block *block,
                                            uint32_t number, uint32_t kinds, tw_story_visit visit,
                                            void *context);

/* The registry of the thing in whose history the item stands; NULL when it is none. */
const tw_field *tw_story_registry(const tw_story_item *item);

/* Appends what stands behind the name: "peak: 8 mm/s", "raised", "Overflow: ...". */
TW_MUST_USE tw_status tw_story_details(const tw_session *session, const tw_story_item *item,
                                       tw_writer *ret_text);
/* "event", "history", "alarm", "failed", "money"; static memory. */
const char *tw_story_word(tw_story_kind kind);
json_t *tw_story_json(tw_session *session, const tw_story_item *item);

#endif
