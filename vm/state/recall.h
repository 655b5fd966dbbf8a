/* recall -- what was read or written lately, in memory that does not grow: bytes under a key.
 *
 * Used by the tree for its nodes and by the store for values of the state, where a look-up in
 * RocksDB costs ten to fifty times what one here does. It only remembers: a row that was put may be
 * gone at any time, and whoever asks reads it from the store again. So nothing may depend on what
 * it has. For one thread at a time.
 */
#ifndef TW_STATE_RECALL_H
#define TW_STATE_RECALL_H

#include "vm/base/bytes.h"
#include "vm/base/status.h"

typedef struct tw_recall tw_recall;

/* At most `size` bytes, which are touched as they fill. NULL without memory, and when `size` is too
 * small to be of use. */
tw_recall *tw_recall_new(size_t size);
void tw_recall_free(tw_recall *recall); /* NULL is allowed */

/* The value under a key, borrowed until the next call that changes something; false when it is not
 * remembered. Such a row stays longer than those that nobody asks for. */
bool tw_recall_get(tw_recall *recall, tw_bytes key, tw_bytes *ret_value);

/* Room for a value of `size` bytes under a key (1 to 65535 bytes), in place of the one there was:
 * the caller fills it at once. NULL: there is none, and the key has no value now. */
uint8_t *tw_recall_put(tw_recall *recall, tw_bytes key, size_t size);

void tw_recall_drop(tw_recall *recall, tw_bytes key);

#endif
