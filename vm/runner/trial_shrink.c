/* trial_shrink -- makes a script that breaks an expectation as short and simple as it can.
 *
 * First steps are left out, in ever smaller groups, then what is left is made simpler: shorter
 * times, fewer signers and readings, smaller numbers. Time is a step like any other, so what needs
 * it keeps it. A change is kept when the same expectation still breaks. Rounds go on until nothing
 * changes or the budget of steps is used up. */
#include "vm/runner/trial_fuzz.h"

#include <string.h>

/* The script at hand, and a copy that is changed. */
typedef struct shrink {
    tw_fuzz *f;
    uint32_t broken;
    tw_fuzz_step *kept; /* the best so far */
    uint32_t kept_count;
    bool changed;
} shrink;

/* Runs f->steps. When the same expectation breaks, what stands behind is cut off, and the script
 * becomes the best; else the best is taken back. */
static tw_status attempt(shrink *s, bool *ret_good)
{
    tw_fuzz *f = s->f;
    uint32_t broken = UINT32_MAX;
    *ret_good = false;
    if (f->budget >= f->step_count) {
        f->budget -= f->step_count;
        tw_writer_clear(&f->trial->report->text);
        TW_TRY(tw_trial_back(f->trial));
        for (uint32_t i = 0; i < f->step_count && broken == UINT32_MAX; i++) {
            TW_TRY(tw_fuzz_run(f, &f->steps[i]));
            TW_TRY(tw_fuzz_look(f, &broken));
            if (broken == s->broken) f->step_count = i + 1;
        }
    }
    *ret_good = broken == s->broken;
    if (*ret_good) {
        memcpy(s->kept, f->steps, f->step_count * sizeof *f->steps);
        s->kept_count = f->step_count;
        s->changed = true;
    } else {
        memcpy(f->steps, s->kept, s->kept_count * sizeof *f->steps);
        f->step_count = s->kept_count;
    }
    return TW_OK;
}

static void leave_out(tw_fuzz *f, uint32_t first, uint32_t count)
{
    const uint32_t behind = f->step_count - first - count;
    memmove(&f->steps[first], &f->steps[first + count], behind * sizeof *f->steps);
    f->step_count -= count;
}

/* What failed changed nothing but the clock's blocks. */
static tw_status leave_failed(shrink *s)
{
    tw_fuzz *f = s->f;
    uint32_t to = 0;
    bool good = false;
    for (uint32_t i = 0; i < f->step_count; i++) {
        if (f->steps[i].outcome.status == TW_OK) f->steps[to++] = f->steps[i];
    }
    if (to == f->step_count) return TW_OK;
    f->step_count = to;
    return attempt(s, &good);
}

static tw_status leave_groups(shrink *s)
{
    tw_fuzz *f = s->f;
    for (uint32_t size = f->step_count > 1 ? f->step_count / 2 : 1; size > 0; size /= 2) {
        for (uint32_t end = f->step_count; end >= size; end -= size) {
            bool good = false;
            if (end > f->step_count) end = f->step_count; /* it broke earlier: a shorter script */
            if (end < size) break;
            leave_out(f, end - size, size);
            TW_TRY(attempt(s, &good));
        }
    }
    return TW_OK;
}

/* ---- simpler steps ---- */

/* The smallest value at the place, not below `least`, with which it still breaks: 0 and 1 first,
 * then by halves. Places stand in f->steps or in tokens, which attempts do not move. */
static tw_status lower(shrink *s, int64_t *place, int64_t least)
{
    bool good = false;
    int64_t high = *place;
    int64_t low = least;
    if (high <= least) return TW_OK;
    *place = least;
    TW_TRY(attempt(s, &good));
    if (good) return TW_OK;
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        *place = middle;
        TW_TRY(attempt(s, &good));
        if (good) high = middle;
        if (!good) low = middle;
        *place = high;
    }
    *place = high;
    return TW_OK;
}

/* Also for numbers in tokens: a negative one is turned first. Tokens are shared with the best
 * script, so they are set back by hand. */
static tw_status lower_token(shrink *s, int64_t *token)
{
    bool good = false;
    const int64_t before = *token;
    if (before < 0 && before != INT64_MIN) {
        *token = -before;
        TW_TRY(attempt(s, &good));
        if (!good) *token = before;
    }
    return *token > 0 ? lower(s, token, 0) : TW_OK;
}

/* Replaces tokens of the step at `from` .. `to` by `fewer` (in a new place); kept when it still
 * breaks. */
static tw_status replace(shrink *s, uint32_t index, const int64_t *from, const int64_t *to,
                         const int64_t *fewer, uint32_t count, bool *ret_good)
{
    tw_fuzz_step *step = &s->f->steps[index];
    const uint32_t before = (uint32_t)(from - step->tokens);
    const uint32_t behind = (uint32_t)(step->tokens + step->token_count - to);
    int64_t *made = TW_NEW_ARRAY(s->f->arena, int64_t, before + count + behind + 1);
    if (made == NULL) return TW_ERR_MEMORY;
    memcpy(made, step->tokens, before * sizeof *made);
    memcpy(made + before, fewer, count * sizeof *made);
    memcpy(made + before + count, to, behind * sizeof *made);
    step->tokens = made;
    step->token_count = before + count + behind;
    return attempt(s, ret_good);
}

static tw_status simplify_value(shrink *s, uint32_t index, uint16_t type, uint32_t *at);

static tw_status simplify_list(shrink *s, uint32_t index, const tw_type *t, uint32_t *at)
{
    tw_fuzz *f = s->f;
    const uint32_t count_at = *at;
    bool good = true;
    while (good && f->steps[index].tokens[count_at] > 0) { /* its last element */
        const int64_t *tokens = f->steps[index].tokens;
        const int64_t count = tokens[count_at];
        const int64_t *last = tokens + count_at + 1;
        for (int64_t i = 0; i + 1 < count; i++) last = tw_fuzz_skip(f, t->of, last);
        const int64_t *end = tw_fuzz_skip(f, t->of, last);
        const uint32_t size = (uint32_t)(last - (tokens + count_at));
        int64_t *fewer = TW_NEW_ARRAY(f->arena, int64_t, size);
        if (fewer == NULL) return TW_ERR_MEMORY;
        memcpy(fewer, tokens + count_at, size * sizeof *fewer);
        fewer[0] = count - 1;
        TW_TRY(replace(s, index, tokens + count_at, end, fewer, size, &good));
    }
    const int64_t left = f->steps[index].tokens[count_at];
    *at = count_at + 1;
    for (int64_t i = 0; i < left; i++) TW_TRY(simplify_value(s, index, t->of, at));
    return TW_OK;
}

static tw_status simplify_optional(shrink *s, uint32_t index, const tw_type *t, uint32_t *at)
{
    const int64_t *tokens = s->f->steps[index].tokens;
    const int64_t none = 0;
    bool good = false;
    if (tokens[*at] != 0) {
        const int64_t *end = tw_fuzz_skip(s->f, t->of, tokens + *at + 1);
        TW_TRY(replace(s, index, tokens + *at, end, &none, 1, &good));
    }
    const bool some = s->f->steps[index].tokens[(*at)++] != 0;
    return some ? simplify_value(s, index, t->of, at) : TW_OK;
}

/* Makes the value that begins at token *at simpler; *at goes behind it. */
static tw_status simplify_value(shrink *s, uint32_t index, uint16_t type, uint32_t *at)
{
    const tw_type *t = &s->f->m->types[type];
    if (t->kind == TW_KIND_LIST) return simplify_list(s, index, t, at);
    if (t->kind == TW_KIND_OPTIONAL) return simplify_optional(s, index, t, at);
    if (t->kind == TW_KIND_RECORD) {
        for (uint16_t i = 0; i < t->members.count; i++) {
            TW_TRY(simplify_value(s, index, t->members.items[i].type, at));
        }
        return TW_OK;
    }
    const bool wide = t->kind == TW_KIND_ACCOUNT;
    if (!wide) TW_TRY(lower_token(s, &s->f->steps[index].tokens[*at]));
    *at += wide ? 2 : 1;
    return TW_OK;
}

static tw_status simplify_call(shrink *s, uint32_t index)
{
    tw_fuzz *f = s->f;
    const tw_fuzz_step *step = &f->steps[index];
    const tw_members *members = &f->m->entries[f->plan->actions[step->action].entry].members;
    uint32_t at = 0;
    for (uint32_t i = step->actor_count; i-- > 1;) {
        tw_fuzz_step *now = &f->steps[index];
        bool good = false;
        memmove(&now->actors[i], &now->actors[i + 1],
                (now->actor_count - i - 1) * sizeof now->actors[0]);
        now->actor_count--;
        TW_TRY(attempt(s, &good));
    }
    for (uint16_t i = 0; i < members->count && index < f->step_count; i++) {
        TW_TRY(simplify_value(s, index, members->items[i].type, &at));
    }
    return TW_OK;
}

static tw_status simplify_feed(shrink *s, uint32_t index)
{
    tw_fuzz *f = s->f;
    for (uint32_t i = f->steps[index].reading_count; i-- > 0;) {
        tw_fuzz_step *now = &f->steps[index];
        bool good = false;
        if (now->reading_count == 1) break;
        memmove(&now->readings[i], &now->readings[i + 1],
                (now->reading_count - i - 1) * sizeof now->readings[0]);
        now->reading_count--;
        TW_TRY(attempt(s, &good));
    }
    /* fewer readings, the period as it is */
    for (int64_t rounds = f->steps[index].time / f->steps[index].period; rounds > 1; rounds /= 2) {
        bool good = false;
        f->steps[index].time = rounds / 2 * f->steps[index].period;
        TW_TRY(attempt(s, &good));
        if (!good) break;
    }
    for (uint32_t i = 0; i < f->steps[index].reading_count; i++) {
        const int64_t least = f->m->readings[f->steps[index].readings[i].reading].low;
        TW_TRY(lower(s, &f->steps[index].readings[i].value, least < 0 ? 0 : least));
    }
    return TW_OK;
}

/* Two pauses one after the other as one. */
static tw_status join_waits(shrink *s)
{
    tw_fuzz *f = s->f;
    for (uint32_t i = 0; i + 1 < f->step_count; i++) {
        bool good = false;
        if (f->steps[i].kind != TW_FUZZ_WAIT || f->steps[i + 1].kind != TW_FUZZ_WAIT) continue;
        f->steps[i].time += f->steps[i + 1].time;
        leave_out(f, i + 1, 1);
        TW_TRY(attempt(s, &good));
    }
    return TW_OK;
}

static tw_status simplify(shrink *s)
{
    tw_fuzz *f = s->f;
    TW_TRY(join_waits(s));
    for (uint32_t i = 0; i < f->step_count; i++) {
        const tw_fuzz_kind kind = f->steps[i].kind;
        if (kind == TW_FUZZ_WAIT) TW_TRY(lower(s, &f->steps[i].time, 1));
        if (kind == TW_FUZZ_CALL) TW_TRY(simplify_call(s, i));
        if (kind == TW_FUZZ_FEED) TW_TRY(simplify_feed(s, i));
    }
    return TW_OK;
}

/* How simple the script is: rounds go on while this falls. */
static uint64_t weight(const tw_fuzz *f)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < f->step_count; i++) {
        const tw_fuzz_step *step = &f->steps[i];
        sum += 16 + step->actor_count + step->reading_count + step->token_count;
    }
    return sum;
}

tw_status tw_fuzz_shrink(tw_fuzz *f, uint32_t broken)
{
    shrink s = {.f = f, .broken = broken, .kept_count = f->step_count};
    uint64_t before = UINT64_MAX;
    s.kept = tw_mem_new((f->step_count + 1) * sizeof *s.kept);
    if (s.kept == NULL) return TW_ERR_MEMORY;
    memcpy(s.kept, f->steps, f->step_count * sizeof *f->steps);
    tw_status status = leave_failed(&s);
    while (status == TW_OK && f->step_count > 0 && weight(f) < before) {
        before = weight(f);
        status = leave_groups(&s);
        if (status == TW_OK) status = simplify(&s);
    }
    tw_mem_free(s.kept);
    return status;
}
