/* writing -- a finished block on its way to the disk: at once, or by a thread of its own while the
 * next block is executed.
 *
 * That thread waits for the disk as long as it works, so it is none of the crew's: they go on with
 * signatures. A crew of one, which does the job in settle where the host gives no thread.
 *
 * Called by block.c, and by all that looks at the store or at the commit. Until the write is done
 * and settled, the commit belongs to the thread that writes; the overlay of the block stays as it
 * is and lies under that of the next one, which so reads what the store may not show yet. A block
 * counts as written when it was settled; if its write failed, the head goes back to the block
 * before, and a block that was open on it is gone.
 */
#include "vm/ledger/node.h"

#include <assert.h>
#include <string.h>

static void write_now(void *context)
{
    tw_ledger *l = context;
    tw_writing *w = &l->writing;
    const uint64_t start = tw_node_clock(l);
    w->err = (tw_err){0};
    w->status = tw_commit_write(l->commit, tw_bytes_of(w->header, sizeof w->header),
                                !l->options.no_sync, &w->err);
    if (w->status == TW_OK) tw_node_forget(l);
    w->spent_ns = tw_node_clock(l) - start;
}

tw_status tw_node_write(tw_ledger *l, const tw_block_info *info, bool later, tw_err *err)
{
    tw_writing *w = &l->writing;
    assert(!w->pending);
    tw_node_header(info, w->header);
    w->job = (tw_job){.run = write_now, .context = l};
    w->before = l->head;
    w->pending = true;
    w->given = later && l->clerk != NULL && tw_store_is_shared(l->store);
    l->head = *info;
    if (!w->given) {
        write_now(l);
        return tw_ledger_settle(l, err);
    }
    tw_overlay *finished = l->overlay;
    l->overlay = l->spare;
    l->spare = finished;
    tw_crew_give(l->clerk, &w->job, true);
    return TW_OK;
}

void tw_node_wait(tw_ledger *l)
{
    if (l->writing.pending && l->writing.given) tw_crew_wait(l->clerk, &l->writing.job);
}

tw_status tw_ledger_settle(tw_ledger *l, tw_err *err)
{
    tw_writing *w = &l->writing;
    if (!w->pending) return TW_OK;
    tw_node_wait(l);
    w->pending = false;
    l->times.commit_ns += w->spent_ns;
    if (w->status == TW_OK) return TW_OK;
    l->head = w->before;
    tw_block_abort(l);
    return tw_err_set(err, w->status, "%s", w->err.text);
}
