/* check_alarm -- conditions of an alarm that hold at the same time: it would go up and down with
 * every reading, for ever.
 *
 * Looked at where both conditions are one level over one reading, or levels joined by `and`, and
 * the levels are fixed at deploy. They can't hold together when some pair of them, over one
 * reading, excludes each other. That is an error only when it is so for every value that the params
 * may have; what also asks other things is left to the author.
 */
#include "compiler/check.h"

#include "vm/isa/module.h"

enum { LEVELS_MAX = 16 };

typedef struct level {
    const twc_decl *reading;
    int64_t low, high; /* the values for which it holds, at least: whatever the params are */
} level;

typedef struct levels {
    level items[LEVELS_MAX];
    uint32_t count;
    bool other; /* something else stands among them */
} levels;

static void add_level(levels *l, const twc_expr *hold)
{
    int64_t low[2] = {0, 0};
    int64_t high[2] = {0, 0};
    level *made = &l->items[l->count];
    const bool within = hold->u.hold.kind == TW_STAMP_WITHIN;
    if (l->count == LEVELS_MAX || hold->u.hold.decl == NULL || hold->u.hold.device != NULL ||
        !twc_check_interval(hold->u.hold.low, &low[0], &high[0]) ||
        (within && !twc_check_interval(hold->u.hold.high, &low[1], &high[1]))) {
        l->other = true;
        return;
    }
    /* above a: from the largest a on; below b: up to the least b */
    *made = (level){hold->u.hold.decl, INT64_MIN, INT64_MAX};
    if (hold->u.hold.kind == TW_STAMP_ABOVE)
        made->low = high[0] < INT64_MAX ? high[0] + 1 : high[0];
    if (hold->u.hold.kind == TW_STAMP_BELOW) made->high = low[0] > INT64_MIN ? low[0] - 1 : low[0];
    if (within) {
        made->low = high[0];
        made->high = low[1];
    }
    l->count++;
}

static void collect(levels *l, const twc_expr *condition)
{
    if (condition->kind == TWC_E_HOLD) {
        add_level(l, condition);
    } else if (condition->kind == TWC_E_BINARY && condition->u.binary.op == TWC_OP_AND) {
        collect(l, condition->u.binary.left);
        collect(l, condition->u.binary.right);
    } else {
        l->other = true;
    }
}

/* Some value of the reading fulfils both, whatever the params are. */
static bool meet(const level *a, const level *b)
{
    const int64_t low = a->low > b->low ? a->low : b->low;
    const int64_t high = a->high < b->high ? a->high : b->high;
    return low <= high;
}

void twc_check_alarm_apart(twc_check *c, const twc_decl *alarm)
{
    levels raise = {.count = 0};
    levels clear = {.count = 0};
    const level *over = NULL;
    if (c->diags->error_count > 0 || c->contract->broken) return; /* levels may be no numbers */
    collect(&raise, alarm->u.alarm.raise);
    collect(&clear, alarm->u.alarm.clear);
    if (raise.other || clear.other) return;
    for (uint32_t i = 0; i < raise.count; i++) {
        for (uint32_t k = 0; k < clear.count; k++) {
            if (raise.items[i].reading != clear.items[k].reading) continue;
            if (!meet(&raise.items[i], &clear.items[k])) return;
            over = &raise.items[i];
        }
    }
    if (over == NULL) return;
    twc_check_fail(c, TWC_DIAG_ALARM_OVERLAP, alarm->u.alarm.clear->span,
                   "`%s` can be raised and cleared by the same values of `%s`, so it would go up "
                   "and down with every reading\nlet it clear only where it is not raised, with a "
                   "gap between the levels",
                   alarm->word->text, over->reading->word->text);
}
