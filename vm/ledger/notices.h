/* notices -- the events and history entries of a receipt, taken apart again.
 *
 * Called by whoever shows receipts or follows a contract's history; vm/exec/notice.h says how they
 * stand. Any bytes may be given: what is no notice ends the reading.
 */
#ifndef TW_LEDGER_NOTICES_H
#define TW_LEDGER_NOTICES_H

#include "vm/exec/notice.h"

/* The next notice; false at the end and when bad (reader->bad). */
bool tw_notice_read(tw_reader *r, tw_notice_view *ret_notice);

/* The hash of a history entry, which the next one names. */
tw_hash tw_notice_hash(const tw_notice_view *history);

#endif
