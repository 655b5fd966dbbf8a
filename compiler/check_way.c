/* check_way -- a phase that is not meant to be the last, because arrows lead out of it, and out of
 * which nothing goes: no action, handler or timer that runs in it says `go`. A contract that gets
 * there stays there, whatever its arrows say. Run by check.c on a contract without errors.
 */
#include "compiler/check.h"
#include "compiler/walk.h"

static void note_go(void *data, const twc_stmt *stmt)
{
    if (stmt->kind == TWC_S_GO) *(bool *)data = true;
}

/* The phases in which something goes on. */
static uint64_t left(const twc_contract *contract)
{
    uint64_t phases = 0;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        const bool runs =
            d->kind == TWC_D_ACTION || (d->kind >= TWC_D_RAISED && d->kind <= TWC_D_AFTER);
        bool goes = false;
        const twc_visit visit = {.stmt = note_go, .data = &goes};
        if (runs) twc_walk_block(&visit, &d->u.entry->body);
        if (goes) phases |= d->u.entry->phases;
    }
    return phases;
}

void twc_check_ways(twc_check *c)
{
    const uint64_t phases = left(c->contract);
    for (const twc_decl *p = c->contract->phases; p != NULL; p = p->next_same) {
        if (p->word == NULL || p->u.phase.arrows == 0 || phases >> p->index & 1) continue;
        twc_check_fail(c, TWC_DIAG_NO_WAY_OUT, p->name_span,
                       "nothing goes out of phase %s, although arrows lead out of it\nadd an "
                       "action, handler or timer that runs in it and does `go`, or leave the "
                       "arrows out",
                       p->word->text);
        return;
    }
}
