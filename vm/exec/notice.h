/* notice -- how events and history entries stand in an outcome and in a receipt.
 *
 *     event:   1 | u16 event | u16 size | fields
 *     history: 2 | u16 kind | u64 number from 0 | time 8 | caller 32 | transaction 32
 *                | hash of the entry before 32 | u16 size | fields
 *
 *     money:   3 | u8 tw_transfer | u16 money | u64 amount | place it came from | place it went to
 *     place:   u16 purse, TW_NONE for none | account 32: of the balance, or key of the purse, else
 *              zero
 *     history of a thing: 4 | u16 field of its registry | u16 size, key | u16 kind ... as in
 *              history; number and hash before are the thing's own
 *
 * The hash of a history entry is the tagged hash "twvm/history" of its bytes; it chains to the next
 * one.
 */
#ifndef TW_EXEC_NOTICE_H
#define TW_EXEC_NOTICE_H

#include "vm/base/bytes.h"
#include "vm/base/hash.h"
#include "vm/base/sign.h"

enum {
    TW_NOTICE_EVENT = 1,
    TW_NOTICE_HISTORY = 2,
    TW_NOTICE_MONEY = 3,
    TW_NOTICE_THING_HISTORY = 4,
};

typedef enum tw_transfer {
    TW_TRANSFER_RECEIVE = 1, /* balance to purse */
    TW_TRANSFER_PAY = 2,     /* purse to balance */
    TW_TRANSFER_SHIFT = 3,   /* purse to purse */
    TW_TRANSFER_MINT = 4,    /* to a balance or a purse */
    TW_TRANSFER_BURN = 5,    /* from a purse */
    TW_TRANSFER_KINDS
} tw_transfer;

enum { TW_MONEY_NOTICE_SIZE = 80 };

/* One end of a transfer: a purse (under a key), a balance, or, of mint and burn, neither. */
typedef struct tw_place {
    uint16_t purse; /* TW_NONE: the balance of `account` */
    tw_account account;
} tw_place;

typedef struct tw_notice_view {
    uint8_t kind;
    uint16_t index;    /* of the event, the history kind or the money in the module */
    uint16_t registry; /* history of a thing: field of its registry */
    tw_bytes key;      /* and its key, as a value is encoded */
    uint64_t number;
    int64_t time;
    tw_account caller; /* zero for timers and handlers */
    tw_hash transaction;
    tw_hash before;
    tw_bytes fields;
    uint8_t transfer; /* MONEY: tw_transfer */
    int64_t amount;   /* MONEY: more than 0 */
    tw_place from, to;
    tw_bytes whole;
} tw_notice_view;

void tw_notice_write_event(tw_writer *w, uint16_t event, tw_bytes fields);
/* Of the contract, or of a thing when `entry` has the kind TW_NOTICE_THING_HISTORY. Also gives the
 * entry's hash. */
void tw_notice_write_history(tw_writer *w, const tw_notice_view *entry, tw_hash *ret_hash);

/* Of a money notice: `index`, `transfer`, `amount`, `from`, `to`. */
void tw_notice_write_money(tw_writer *w, const tw_notice_view *moved);

#endif
