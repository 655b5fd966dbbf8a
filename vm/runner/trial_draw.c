/* trial_draw -- what a fuzz test draws: who, which action, with what, when, and readings.
 *
 * Half of everything is drawn where contracts break: the ends of ranges, the contract's own numbers
 * and one resolution beside them, the actions of the phase at hand, those who are meant to call,
 * values that were used before. The other half is uniform. */
#include "vm/runner/trial_fuzz.h"

#include "vm/base/math.h"
#include "vm/base/quantities.h"

#include <assert.h>
#include <string.h>

enum { LIST_COUNT_MAX = 4, FEED_ROUNDS_MAX = 300 };

static const int64_t day_ms = 86400000;
static const int64_t duration_max = (int64_t)1 << 42;

/* ---- numbers at random ---- */

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(tw_fuzz *f)
{
    f->random += 0x9E3779B97F4A7C15u;
    uint64_t z = f->random;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Uniform below `count`, which is not 0: the bias of the product is below 2^-32 of what is drawn
 * here. */
static uint64_t below(tw_fuzz *f, uint64_t count)
{
    assert(count > 0);
    return (uint64_t)((tw_uint128)next(f) * count >> 64);
}

static bool one_in(tw_fuzz *f, uint64_t count)
{
    return below(f, count) == 0;
}

/* From low to high, both included. */
static int64_t between(tw_fuzz *f, int64_t low, int64_t high)
{
    const uint64_t span = (uint64_t)high - (uint64_t)low;
    if (span == UINT64_MAX) return (int64_t)next(f);
    return (int64_t)((uint64_t)low + below(f, span + 1));
}

static int64_t add(int64_t a, int64_t b)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? INT64_MIN + 1 : INT64_MAX;
    return sum;
}

/* ---- numbers of a kind ---- */

static bool is_edge(const twc_edge *edge, uint8_t quantity, uint16_t money)
{
    return edge->quantity == quantity && (quantity != 0 || edge->money == money);
}

/* One of the contract's numbers of this kind, or one beside it; 0, 1 and the largest. */
static int64_t draw_edge(tw_fuzz *f, uint8_t quantity, uint16_t money)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < f->plan->edge_count; i++) {
        count += is_edge(&f->plan->edges[i], quantity, money);
    }
    uint64_t chosen = below(f, 3 * (uint64_t)count + 3);
    if (chosen >= 3 * (uint64_t)count) {
        chosen -= 3 * (uint64_t)count;
        return chosen == 2 ? INT64_MAX : (int64_t)chosen;
    }
    uint32_t at = 0;
    for (uint32_t i = (uint32_t)(chosen / 3);; at++) {
        if (is_edge(&f->plan->edges[at], quantity, money) && i-- == 0) break;
    }
    return add(f->plan->edges[at].value, (int64_t)(chosen % 3) - 1);
}

/* What numbers of this kind are like where the contract names none. */
static int64_t usual(const tw_fuzz *f, uint8_t quantity, uint16_t money)
{
    const tw_unit *unit = tw_dim_unit((tw_dimension)quantity);
    int64_t one = 1;
    if (quantity == TW_DIM_DEC) one = TW_DEC_SCALE;
    if (unit != NULL) one = unit->multiplier;
    for (uint32_t i = 0; quantity == 0 && i < f->m->monies[money].decimals && i < 15; i++)
        one *= 10;
    return one < INT64_MAX / 1000 ? 100 * one : INT64_MAX;
}

static int64_t draw_number(tw_fuzz *f, uint8_t quantity, uint16_t money)
{
    if (one_in(f, 2)) return draw_edge(f, quantity, money);
    int64_t low = 0;
    int64_t high = usual(f, quantity, money);
    bool any = false;
    for (uint32_t i = 0; i < f->plan->edge_count; i++) {
        const twc_edge *edge = &f->plan->edges[i];
        if (!is_edge(edge, quantity, money)) continue;
        if (!any) high = 1;
        any = true;
        if (edge->value < low) low = edge->value;
        if (edge->value > high) high = edge->value;
    }
    if (any) high = add(high, high);
    const int64_t value = between(f, low, high);
    return one_in(f, 16) ? -value : value;
}

/* A length of time above 0. */
static int64_t draw_duration(tw_fuzz *f)
{
    int64_t duration = between(f, 1, f->longest);
    if (f->duration_count > 0 && !one_in(f, 3)) {
        duration = f->durations[below(f, f->duration_count)] + between(f, -1, 1);
    }
    /* a timer that runs each minute would make a year take long: seldom */
    if (f->every > 0 && duration / f->every > 100 && !one_in(f, 32)) {
        duration = duration % (20 * f->every);
    }
    return duration < 1 ? 1 : duration;
}

static int64_t draw_time(tw_fuzz *f)
{
    int64_t from_now = one_in(f, 4) ? between(f, -1, 1) : draw_duration(f);
    if (one_in(f, 4)) from_now = -from_now;
    const int64_t end = (int64_t)1 << TW_TIME_BITS;
    if (from_now < -f->trial->now || from_now >= end - f->trial->now) return 0;
    return from_now;
}

/* ---- accounts ---- */

static uint32_t accounts_of(const tw_fuzz *f, uint16_t role)
{
    const uint32_t max = f->m->roles[role].max;
    return max < TW_TRIAL_MEMBERS_MAX ? max : TW_TRIAL_MEMBERS_MAX;
}

/* Who holds a role of one now; false when nobody does, or somebody whom no test would name. */
static bool holder_of(const tw_fuzz *f, uint16_t role, tw_fuzz_actor *ret_actor)
{
    tw_trial *t = f->trial;
    tw_contract *contract = NULL;
    uint32_t count = 0;
    tw_account holder;
    const tw_mark mark = tw_arena_mark(t->arena);
    const bool known =
        tw_ledger_contract(t->ledger, &t->contract, t->arena, &contract, t->err) == TW_OK &&
        tw_role_read(contract, role, &count, &holder) == TW_OK && count == 1;
    tw_arena_reset(t->arena, mark);
    for (uint32_t r = 0; known && r <= f->m->role_count; r++) {
        const bool stranger = r == f->m->role_count;
        const uint32_t most = stranger ? TW_FUZZ_STRANGERS : accounts_of(f, (uint16_t)r);
        for (uint32_t k = 1; k <= most; k++) {
            const tw_trial_account *account = stranger ? tw_trial_named(t, tw_fuzz_stranger(k))
                                                       : tw_trial_member(t, (uint16_t)r, k);
            if (account == NULL || !tw_account_equal(&account->account, &holder)) continue;
            *ret_actor = (tw_fuzz_actor){stranger ? TWC_NO_ROLE : (uint16_t)r, k};
            return true;
        }
    }
    return false;
}

static tw_fuzz_actor draw_member(tw_fuzz *f, uint16_t role)
{
    tw_fuzz_actor holder;
    const tw_role *r = &f->m->roles[role];
    const bool moves = r->max == 1 && r->flags != 0;
    if (moves && !one_in(f, 4) && holder_of(f, role, &holder)) return holder;
    return (tw_fuzz_actor){role, 1 + (uint32_t)below(f, accounts_of(f, role))};
}

/* A role, then one of its accounts; or a stranger. */
static tw_fuzz_actor draw_anyone(tw_fuzz *f)
{
    const uint64_t role = below(f, (uint64_t)f->m->role_count + 1);
    if (role < f->m->role_count) return draw_member(f, (uint16_t)role);
    return (tw_fuzz_actor){TWC_NO_ROLE, 1 + (uint32_t)below(f, TW_FUZZ_STRANGERS)};
}

/* A member of one of the roles of the set, which is not empty. */
static tw_fuzz_actor draw_of(tw_fuzz *f, uint64_t roles)
{
    uint64_t chosen = below(f, (uint64_t)__builtin_popcountll(roles));
    for (; chosen > 0; chosen--) roles &= roles - 1;
    return draw_member(f, (uint16_t)__builtin_ctzll(roles));
}

static void add_actor(tw_fuzz_step *step, tw_fuzz_actor actor)
{
    for (uint32_t i = 0; i < step->actor_count; i++) {
        const tw_fuzz_actor *a = &step->actors[i];
        if (a->role == actor.role && a->number == actor.number) return;
    }
    if (step->actor_count < TW_TX_SIGNERS_MAX) step->actors[step->actor_count++] = actor;
}

/* Half the time those who are meant to sign, else whoever. */
static void draw_signers(tw_fuzz *f, const twc_fuzz_action *action, tw_fuzz_step *step)
{
    const bool meant = !one_in(f, 4);
    if (meant && action->callers != 0) {
        add_actor(step, draw_of(f, action->callers));
    } else if (meant && action->quorum_role != TWC_NO_ROLE) {
        add_actor(step, draw_member(f, action->quorum_role));
    } else {
        add_actor(step, draw_anyone(f));
    }
    if (one_in(f, 8)) add_actor(step, draw_anyone(f));
    for (uint16_t role = 0; role < f->m->role_count; role++) {
        if ((action->others >> role & 1) != 0 && !one_in(f, 4)) {
            add_actor(step, draw_member(f, role));
        }
    }
    if (action->quorum_role == TWC_NO_ROLE || one_in(f, 4)) return;
    const uint32_t there = accounts_of(f, action->quorum_role);
    const uint32_t first = (uint32_t)below(f, there);
    const uint32_t count = action->quorum - (one_in(f, 4) ? 1 : 0);
    for (uint32_t i = 0; i < count && i < there; i++) {
        add_actor(step, (tw_fuzz_actor){action->quorum_role, 1 + (first + i) % there});
    }
}

/* ---- arguments ---- */

/* The tokens of a call while they are made. */
typedef struct tokens {
    int64_t items[TW_FUZZ_TOKENS_MAX];
    uint32_t count;
    bool full;
} tokens;

static void push(tokens *to, int64_t token)
{
    if (to->count == TW_FUZZ_TOKENS_MAX) {
        to->full = true;
        return;
    }
    to->items[to->count++] = token;
}

static int64_t draw_text(tw_fuzz *f, const tw_type *t)
{
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < f->text_count; i++) {
        fitting += t->kind != TW_KIND_TEXT || strlen(f->texts[i]) <= t->max;
    }
    uint64_t chosen = below(f, fitting); /* the empty text always fits */
    for (uint32_t i = 0;; i++) {
        const bool fits = t->kind != TW_KIND_TEXT || strlen(f->texts[i]) <= t->max;
        if (fits && chosen-- == 0) return i;
    }
}

static void draw_value(tw_fuzz *f, uint16_t type, uint16_t role, tokens *to);

static void draw_list(tw_fuzz *f, const tw_type *t, tokens *to)
{
    const uint32_t most = t->max < LIST_COUNT_MAX ? t->max : LIST_COUNT_MAX;
    const int64_t count = between(f, 0, most);
    push(to, count);
    for (int64_t i = 0; i < count; i++) draw_value(f, t->of, TWC_NO_ROLE, to);
}

static void draw_account(tw_fuzz *f, uint16_t role, tokens *to)
{
    tw_fuzz_actor actor = draw_anyone(f);
    if (role != TWC_NO_ROLE && !one_in(f, 4)) actor = draw_member(f, role);
    push(to, actor.role);
    push(to, actor.number);
}

static void draw_value(tw_fuzz *f, uint16_t type, uint16_t role, tokens *to)
{
    const tw_type *t = &f->m->types[type];
    bool some = false;
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: push(to, (int64_t)below(f, 2)); return;
    case TW_KIND_ENUM: push(to, (int64_t)below(f, f->m->enums[t->of].values.count)); return;
    case TW_KIND_MONEY: push(to, draw_number(f, 0, t->of)); return;
    case TW_KIND_INT:
        push(to, t->quantity == TW_DIM_TIME ? draw_time(f) : draw_number(f, t->quantity, 0));
        return;
    case TW_KIND_TEXT:
    case TW_KIND_HASH:
    case TW_KIND_TWIN: push(to, draw_text(f, t)); return;
    case TW_KIND_ACCOUNT: draw_account(f, role, to); return;
    case TW_KIND_OPTIONAL:
        some = !one_in(f, 3) && t->of < type;
        push(to, some);
        if (some) draw_value(f, t->of, role, to);
        return;
    case TW_KIND_LIST: draw_list(f, t, to); return;
    case TW_KIND_RECORD:
        for (uint16_t i = 0; i < t->members.count; i++) {
            draw_value(f, t->members.items[i].type, TWC_NO_ROLE, to);
        }
        return;
    case TW_KIND_BYTES:
    case TW_KIND_THINGS:
    case TW_KIND_KINDS: to->full = true; return;
    }
}

/* A value of this type that an earlier call of the run had: keys and amounts are met again. */
static bool reuse(tw_fuzz *f, uint16_t type, tokens *to)
{
    const int64_t *found = NULL;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < f->step_count; i++) {
        const tw_fuzz_step *step = &f->steps[i];
        if (step->kind != TW_FUZZ_CALL) continue;
        const tw_members *members = &f->m->entries[f->plan->actions[step->action].entry].members;
        const int64_t *at = step->tokens;
        for (uint16_t k = 0; k < members->count; k++) {
            if (members->items[k].type == type && one_in(f, ++seen)) found = at;
            at = tw_fuzz_skip(f, members->items[k].type, at);
        }
    }
    if (found == NULL) return false;
    const int64_t *end = tw_fuzz_skip(f, type, found);
    while (found < end) push(to, *found++);
    return true;
}

static tw_status draw_arguments(tw_fuzz *f, const twc_fuzz_action *action, tw_fuzz_step *step)
{
    const tw_members *members = &f->m->entries[action->entry].members;
    const tw_mark mark = tw_arena_mark(f->trial->arena);
    tokens *to = TW_NEW(f->trial->arena, tokens);
    if (to == NULL) return TW_ERR_MEMORY;
    for (uint16_t i = 0; i < members->count; i++) {
        const uint16_t type = members->items[i].type;
        if (one_in(f, 4) && reuse(f, type, to)) continue;
        draw_value(f, type, action->roles[i], to);
    }
    step->token_count = to->count;
    step->tokens = TW_NEW_ARRAY(f->arena, int64_t, to->count + 1);
    if (step->tokens == NULL) return TW_ERR_MEMORY;
    memcpy(step->tokens, to->items, to->count * sizeof *to->items);
    const bool full = to->full;
    tw_arena_reset(f->trial->arena, mark);
    return full ? TW_REFUSED_LIMIT : TW_OK;
}

/* ---- steps ---- */

static tw_fuzz_step *new_step(tw_fuzz *f, tw_fuzz_kind kind)
{
    assert(f->step_count < f->step_max);
    tw_fuzz_step *step = &f->steps[f->step_count];
    *step = (tw_fuzz_step){.kind = kind};
    return step;
}

static tw_status phase_of(const tw_fuzz *f, uint16_t *ret_phase)
{
    tw_trial *t = f->trial;
    tw_contract *contract = NULL;
    const tw_mark mark = tw_arena_mark(t->arena);
    TW_TRY(tw_ledger_contract(t->ledger, &t->contract, t->arena, &contract, t->err));
    *ret_phase = contract->control.phase;
    tw_arena_reset(t->arena, mark);
    return TW_OK;
}

/* Half the time one that runs in this phase. */
static tw_status draw_action(tw_fuzz *f, uint32_t *ret_action, bool *ret_found)
{
    uint16_t phase = 0;
    const bool here = one_in(f, 2);
    uint64_t seen = 0;
    if (here) TW_TRY(phase_of(f, &phase));
    for (uint32_t i = 0; i < f->plan->action_count; i++) {
        const tw_entry *entry = &f->m->entries[f->plan->actions[i].entry];
        if (f->unwritable[i] || f->left_out[i] || (here && (entry->phases >> phase & 1) == 0))
            continue;
        if (one_in(f, ++seen)) *ret_action = i;
    }
    *ret_found = seen > 0;
    return TW_OK;
}

/* Half of the runs do without some of the actions: one that ends everything would end most runs
 * early, and one that fails most of the time takes the place of others. */
void tw_fuzz_begin(tw_fuzz *f)
{
    const bool some = one_in(f, 2);
    for (uint32_t i = 0; i < f->plan->action_count; i++) f->left_out[i] = some && one_in(f, 4);
}

/* One of the levels that conditions compare this reading with, or one beside it; or a number of the
 * contract. */
static int64_t draw_level(tw_fuzz *f, uint16_t reading)
{
    const tw_reading *r = &f->m->readings[reading];
    int64_t level = one_in(f, 2) ? r->low : r->high;
    uint64_t seen = 2;
    for (uint16_t i = 0; i < f->m->stamp_count; i++) {
        const tw_stamp *s = &f->m->stamps[i];
        if (s->reading != reading) continue;
        if (!one_in(f, ++seen)) level = add(f->levels[s->low], between(f, -1, 1));
        if (s->high != TW_NONE && one_in(f, 2)) level = add(f->levels[s->high], between(f, -1, 1));
    }
    if (one_in(f, 3)) level = draw_edge(f, f->m->types[r->type].quantity, 0);
    return level < r->low ? r->low : level > r->high ? r->high : level;
}

/* How often and how long: one reading, or as long as some duration of the contract. */
static void draw_rhythm(tw_fuzz *f, const tw_reading *r, tw_fuzz_step *step)
{
    const int64_t least = (r->rate_ms + r->rate_count - 1) / r->rate_count;
    step->period = least;
    step->time = least;
    if (one_in(f, 2)) return;
    int64_t most = r->gap_ms < r->age_max_ms ? r->gap_ms : r->age_max_ms;
    if (most < least) most = least;
    const int64_t whole = draw_duration(f);
    const int64_t rounds = one_in(f, 16) ? between(f, 12, FEED_ROUNDS_MAX) : between(f, 2, 8);
    step->period = whole / rounds < least ? least : whole / rounds > most ? most : whole / rounds;
    const int64_t count = whole / step->period + 1;
    const int64_t enough = one_in(f, 8) ? FEED_ROUNDS_MAX : 2 * rounds; /* all of it, or a part */
    step->time = (count < enough ? count : enough) * step->period;
}

static void draw_feed(tw_fuzz *f)
{
    tw_fuzz_step *step = new_step(f, TW_FUZZ_FEED);
    const uint16_t first = (uint16_t)below(f, f->m->reading_count);
    const tw_reading *r = &f->m->readings[first];
    const bool others = one_in(f, 2);
    step->actors[0] = one_in(f, 16) ? draw_anyone(f) : draw_member(f, r->role);
    step->actor_count = 1;
    draw_rhythm(f, r, step);
    for (uint16_t i = 0; i < f->m->reading_count; i++) {
        const tw_reading *other = &f->m->readings[i];
        const bool together = others && other->role == r->role && !one_in(f, 4);
        if ((i != first && !together) || step->reading_count == TW_FUZZ_READINGS_MAX) continue;
        const int64_t value = one_in(f, 2) ? draw_level(f, i) : between(f, other->low, other->high);
        step->readings[step->reading_count++] = (tw_fuzz_reading){i, value};
    }
    if (step->reading_count == 0) step->readings[step->reading_count++].reading = first;
    f->step_count++;
}

static void draw_wait(tw_fuzz *f, int64_t time)
{
    new_step(f, TW_FUZZ_WAIT)->time = time;
    f->step_count++;
}

tw_status tw_fuzz_draw(tw_fuzz *f)
{
    uint32_t action = 0;
    bool found = false;
    if (f->m->reading_count > 0 && (one_in(f, 4) || f->plan->action_count == 0)) {
        draw_feed(f);
        return TW_OK;
    }
    const bool pause = one_in(f, 2);
    TW_TRY(draw_action(f, &action, &found));
    if (pause || !found) draw_wait(f, draw_duration(f));
    if (!found) return TW_OK;
    tw_fuzz_step *step = new_step(f, TW_FUZZ_CALL);
    step->action = action;
    draw_signers(f, &f->plan->actions[action], step);
    const tw_status status = draw_arguments(f, &f->plan->actions[action], step);
    if (status == TW_REFUSED_LIMIT) return TW_OK; /* arguments too large to be drawn: no call */
    if (status == TW_OK) f->step_count++;
    return status;
}

/* ---- what is drawn from ---- */

static void add_text(tw_fuzz *f, const char *text)
{
    for (uint32_t i = 0; i < f->text_count; i++) {
        if (strcmp(f->texts[i], text) == 0) return;
    }
    if (f->text_count < TW_FUZZ_TEXTS_MAX) f->texts[f->text_count++] = text;
}

/* Whether a test can write values of the type. */
static bool is_writable(const tw_module *m, uint16_t type)
{
    const tw_type *t = &m->types[type];
    if (t->kind == TW_KIND_BYTES || t->kind == TW_KIND_THINGS) return false;
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST) return is_writable(m, t->of);
    for (uint16_t i = 0; t->kind == TW_KIND_RECORD && i < t->members.count; i++) {
        if (!is_writable(m, t->members.items[i].type)) return false;
    }
    return true;
}

static void prepare_times(tw_fuzz *f)
{
    f->longest = day_ms;
    for (uint32_t i = 0; i < f->plan->edge_count; i++) {
        const twc_edge *edge = &f->plan->edges[i];
        if (edge->quantity != TW_DIM_DURATION || edge->value < 1 || edge->value > duration_max) {
            continue;
        }
        if (f->duration_count == TW_FUZZ_DURATIONS_MAX) break;
        f->durations[f->duration_count++] = edge->value;
        if (edge->value > f->longest / 2) f->longest = 2 * edge->value;
    }
    for (uint16_t i = 0; i < f->m->entry_count; i++) {
        const tw_entry *e = &f->m->entries[i];
        if (e->kind != TW_ENTRY_EVERY) continue;
        const int64_t period = f->levels[e->delay];
        if (f->every == 0 || period < f->every) f->every = period;
    }
}

/* All accounts that may be drawn, with their money: nobody comes in later. */
static tw_status prepare_accounts(tw_fuzz *f)
{
    for (uint16_t role = 0; role < f->m->role_count; role++) {
        for (uint32_t k = 1; k <= accounts_of(f, role); k++) {
            if (tw_trial_member(f->trial, role, k) == NULL) return TW_REFUSED_LIMIT;
        }
    }
    for (uint32_t k = 1; k <= TW_FUZZ_STRANGERS; k++) {
        if (tw_trial_named(f->trial, tw_fuzz_stranger(k)) == NULL) return TW_REFUSED_LIMIT;
    }
    return tw_trial_endow(f->trial);
}

tw_status tw_fuzz_prepare(tw_fuzz *f)
{
    tw_trial *t = f->trial;
    tw_contract *contract = NULL;
    TW_TRY(prepare_accounts(f));
    TW_TRY(tw_ledger_contract(t->ledger, &t->contract, t->arena, &contract, t->err));
    f->levels = TW_NEW_ARRAY(t->arena, int64_t, f->m->deployed_count + 1u);
    f->unwritable = TW_NEW_ARRAY(t->arena, bool, f->plan->action_count + 1);
    f->left_out = TW_NEW_ARRAY(t->arena, bool, f->plan->action_count + 1);
    if (f->levels == NULL || f->unwritable == NULL || f->left_out == NULL) return TW_ERR_MEMORY;
    memcpy(f->levels, contract->deployed, f->m->deployed_count * sizeof *f->levels);
    static const char *const plain[] = {"", "a", "b", "c"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) add_text(f, plain[i]);
    for (uint32_t i = 0; i < f->plan->text_count; i++) add_text(f, f->plan->texts[i]);
    for (uint32_t i = 0; i < f->plan->action_count; i++) {
        const tw_members *members = &f->m->entries[f->plan->actions[i].entry].members;
        for (uint16_t k = 0; k < members->count; k++) {
            if (!is_writable(f->m, members->items[k].type)) f->unwritable[i] = true;
        }
    }
    prepare_times(f);
    return TW_OK;
}
