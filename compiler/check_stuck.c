/* check_stuck -- no stuck money: in each phase that can hold, each purse that may hold money then
 * has a way out (LANGUAGE.md section 7).
 *
 * Called by check.c when all of a contract is known and nothing else is wrong with it. Afterwards
 * contract->flow says what may be where, for a later version that takes this one's place.
 *
 * First: what may be where. `held[P]` are the purses that may hold money while P holds. It grows
 * from nothing in the start phase (or from what the older version may hold) until no entry adds to
 * it: each is walked from each phase in which it runs. `receives`, `mint` and `pay ... to p` fill,
 * `pay rest of p` empties a purse of one amount, `go` moves, branches join, loops run until nothing
 * is new. A condition or invariant that says p == 0 takes p away, as it undoes what does not obey.
 *
 * Second: what has a way out. `safe[P]` grows, so that no way out leads round in a ring:
 *   - a purse that falls to somebody;
 *   - an `after` or `every` of P, without `needs` or `fail`, whose every path takes all the money
 * of p out of the contract, or leaves it in purses that are safe in the phase then reached. An
 *     `after` runs once for each time P is entered, so when it stays in P nothing may fill p there;
 *   - p is `per r`, and an action that a member of r can call alone, with conditions that time
 *     makes true, does on every path `pay rest of p[caller] to caller`.
 * A timer's turn must come: no other timer of P may take the money where it is not safe, or leave P
 * (or enter it again) before an `after` is due. No way counts that an invariant would undo: one
 * that says a purse is empty in the phase reached, or that it holds a fixed amount. Traps, and what
 * people may do again and again, are not looked at.
 *
 * Both parts only ever add to sets, of at most 256 purses in 64 phases, and a budget of steps ends
 * them on the largest sources: such a contract is refused.
 */
#include "compiler/check.h"
#include "compiler/walk.h"

#include <stdio.h>
#include <string.h>

enum {
    WORDS = TW_PURSES_MAX / 64,
    STAYS = TW_PHASES_MAX, /* a place of its own: still in the phase in which the run began */
    PLACES = TW_PHASES_MAX + 1,
    STEPS_MAX = 2000000,
};

typedef struct purses {
    uint64_t bits[WORDS];
} purses;

/* Where a run may be, and which purses may hold money there. */
typedef struct ways {
    uint64_t phases;
    bool stays;
    purses held[PLACES];
} ways;

struct twc_flow {
    uint64_t phases; /* that can hold */
    purses held[TW_PHASES_MAX];
};

typedef struct stuck {
    twc_check *c;
    struct twc_flow *flow;
    purses empty[TW_PHASES_MAX];  /* what invariants say is empty in a phase */
    purses wanted[TW_PHASES_MAX]; /* ... is not empty */
    purses refill[TW_PHASES_MAX]; /* what an entry may fill that leaves the phase as it is */
    purses safe[TW_PHASES_MAX];
    uint64_t failing[TW_NAMES_MAX / 64 + 1]; /* fn, by index: it may fail */
    uint32_t steps;
    /* of the walk */
    uint32_t from;            /* the phase that STAYS stands for */
    bool tracks;              /* only the money that is there at the start, not what is added */
    const twc_decl *withdraw; /* `pay rest of p[caller] to caller` empties it */
    ways ended;               /* the runs that are over */
    ways *skipped;            /* those that go to the end of the loop's body */
} stuck;

/* ------------------------------------------------------------------ sets */

static purses one(const twc_decl *purse)
{
    purses set = {{0}};
    set.bits[purse->index / 64 % WORDS] = (uint64_t)1 << purse->index % 64;
    return set;
}

static purses all_of(bool yes)
{
    purses set;
    memset(&set, yes ? 0xFF : 0, sizeof set);
    return set;
}

static purses both(purses a, purses b) /* a or b */
{
    for (int i = 0; i < WORDS; i++) a.bits[i] |= b.bits[i];
    return a;
}

static purses common(purses a, purses b) /* a and b */
{
    for (int i = 0; i < WORDS; i++) a.bits[i] &= b.bits[i];
    return a;
}

static purses without(purses a, purses b)
{
    for (int i = 0; i < WORDS; i++) a.bits[i] &= ~b.bits[i];
    return a;
}

static bool is_none(purses a)
{
    uint64_t any = 0;
    for (int i = 0; i < WORDS; i++) any |= a.bits[i];
    return any == 0;
}

static bool is_in(const purses *set, const twc_decl *purse)
{
    return (set->bits[purse->index / 64 % WORDS] >> purse->index % 64 & 1) != 0;
}

static bool is_place(const ways *w, uint32_t place)
{
    return place == STAYS ? w->stays : (w->phases >> place & 1) != 0;
}

static void add_place(ways *w, uint32_t place, purses held)
{
    if (place == STAYS) w->stays = true;
    if (place != STAYS) w->phases |= (uint64_t)1 << place;
    w->held[place] = both(w->held[place], held);
}

static void join(ways *to, const ways *from)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        if (is_place(from, i)) add_place(to, i, from->held[i]);
    }
}

static uint32_t phase_of(const stuck *s, uint32_t place)
{
    return place == STAYS ? s->from : place;
}

/* ------------------------------------------------------------------ what a condition says */

static bool is_phase(const twc_expr *e)
{
    return e->kind == TWC_E_NAME && e->u.name.decl->kind == TWC_D_BUILTIN_VALUE &&
           e->u.name.decl->index == TWC_V_PHASE;
}

/* Whether a condition about the phase alone holds in it: 0, 1, or -1 for another condition. */
static int decides(const twc_expr *e, uint32_t phase)
{
    if (e->constant) return e->value != 0;
    if (e->kind == TWC_E_BINARY && (e->u.binary.op == TWC_OP_EQ || e->u.binary.op == TWC_OP_NE)) {
        const twc_expr *left = e->u.binary.left;
        const twc_expr *right = e->u.binary.right;
        const twc_expr *named = is_phase(left) ? right : left;
        if (!(is_phase(left) || is_phase(right)) || !named->constant) return -1;
        return (named->value == phase) == (e->u.binary.op == TWC_OP_EQ);
    }
    if (e->kind != TWC_E_IN || !is_phase(e->u.in.value) || e->u.in.set->kind != TWC_E_LIST) {
        return -1;
    }
    bool found = false;
    for (const twc_expr *x = e->u.in.set->u.list.first; x != NULL; x = x->next) {
        if (!x->constant) return -1;
        found = found || x->value == phase;
    }
    return found != e->u.in.negated;
}

/* A sum of what purses hold: all of its purses. */
static bool add_amounts(const twc_expr *e, purses *ret_set, uint32_t *ret_count)
{
    const twc_decl *purse = e->kind == TWC_E_NAME ? twc_check_purse_of(e) : NULL;
    if (e->kind == TWC_E_CALL && e->u.call.callee == TWC_CALL_BUILTIN &&
        e->u.call.builtin == TWC_B_SUM) {
        purse = e->u.call.decl;
    }
    if (purse != NULL) {
        *ret_set = both(*ret_set, one(purse));
        *ret_count += 1;
        return true;
    }
    return e->kind == TWC_E_BINARY && e->u.binary.op == TWC_OP_ADD &&
           add_amounts(e->u.binary.left, ret_set, ret_count) &&
           add_amounts(e->u.binary.right, ret_set, ret_count);
}

/* `op` with its sides exchanged, or denied. */
static twc_operator turned(twc_operator op, bool denied)
{
    static const twc_operator mirror[] = {
        [TWC_OP_EQ] = TWC_OP_EQ, [TWC_OP_NE] = TWC_OP_NE, [TWC_OP_LT] = TWC_OP_GT,
        [TWC_OP_LE] = TWC_OP_GE, [TWC_OP_GT] = TWC_OP_LT, [TWC_OP_GE] = TWC_OP_LE,
    };
    static const twc_operator denial[] = {
        [TWC_OP_EQ] = TWC_OP_NE, [TWC_OP_NE] = TWC_OP_EQ, [TWC_OP_LT] = TWC_OP_GE,
        [TWC_OP_LE] = TWC_OP_GT, [TWC_OP_GT] = TWC_OP_LE, [TWC_OP_GE] = TWC_OP_LT,
    };
    return denied ? denial[op] : mirror[op];
}

/* The purses that a comparison, or its denial, says are empty; or the one that it says is not. */
static purses compared(const twc_expr *e, bool truth, bool wanted)
{
    purses set = {{0}};
    uint32_t count = 0;
    twc_operator op = e->u.binary.op;
    const twc_expr *other = e->u.binary.right;
    if (!add_amounts(e->u.binary.left, &set, &count)) {
        set = all_of(false);
        count = 0;
        if (!add_amounts(e->u.binary.right, &set, &count)) return all_of(false);
        other = e->u.binary.left;
        op = turned(op, false);
    }
    if (!truth) op = turned(op, true);
    const int64_t k = other->value;
    bool says = false;
    if (wanted) {
        const bool known = other->constant;
        const bool above = op == TWC_OP_GT && (!known || k >= 0);
        const bool equal = (op == TWC_OP_EQ || op == TWC_OP_GE) && (!known || k > 0);
        says = count == 1 && other->fixed && (above || equal);
    } else if (other->constant) {
        says = ((op == TWC_OP_EQ || op == TWC_OP_LE) && k <= 0) || (op == TWC_OP_LT && k <= 1);
    }
    return says ? set : all_of(false);
}

/* The purses of which `e`, when it is `truth` in `phase`, says that they are empty (or wanted); all
 * of them when it can't be so in this phase. */
static purses says(stuck *s, const twc_expr *e, bool truth, uint32_t phase, bool wanted)
{
    const int known = decides(e, phase);
    s->steps++;
    if (known >= 0) return all_of((known != 0) != truth);
    if (e->kind == TWC_E_NOT) return says(s, e->u.one, !truth, phase, wanted);
    if (e->kind == TWC_E_IF) {
        const purses yes = both(says(s, e->u.choose.condition, true, phase, wanted),
                                says(s, e->u.choose.then, truth, phase, wanted));
        const purses no = both(says(s, e->u.choose.condition, false, phase, wanted),
                               says(s, e->u.choose.other, truth, phase, wanted));
        return common(yes, no);
    }
    if (e->kind != TWC_E_BINARY) return all_of(false);
    const twc_operator op = e->u.binary.op;
    if (op >= TWC_OP_EQ && op <= TWC_OP_GE) return compared(e, truth, wanted);
    if (op != TWC_OP_AND && op != TWC_OP_OR && op != TWC_OP_IMPLIES) return all_of(false);
    const bool left_truth = op == TWC_OP_IMPLIES ? !truth : truth;
    const purses left = says(s, e->u.binary.left, left_truth, phase, wanted);
    const purses right = says(s, e->u.binary.right, truth, phase, wanted);
    return (op == TWC_OP_AND) == truth ? both(left, right) : common(left, right);
}

static void learn(stuck *s, ways *at, const twc_expr *condition, bool truth)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        if (!is_place(at, i)) continue;
        at->held[i] = without(at->held[i], says(s, condition, truth, phase_of(s, i), false));
    }
}

/* ------------------------------------------------------------------ what statements do */

static void walk_block(stuck *s, const twc_block *block, ways *at);

static bool is_caller(const twc_expr *e)
{
    return e->kind == TWC_E_NAME && e->u.name.decl != NULL &&
           e->u.name.decl->kind == TWC_D_BUILTIN_VALUE && e->u.name.decl->index == TWC_V_CALLER;
}

/* Takes out all that the purse holds, as far as the walk is concerned. */
static bool empties(const stuck *s, const twc_stmt *stmt, const twc_decl *purse)
{
    if (!stmt->u.money.rest) return false;
    if (purse->u.purse.per_role == NULL) return true;
    return purse == s->withdraw && is_caller(stmt->u.money.from->u.index.index) &&
           is_caller(stmt->u.money.to);
}

static void walk_money(stuck *s, const twc_stmt *stmt, ways *at)
{
    const twc_expr *to = stmt->u.money.to;
    const twc_decl *source =
        stmt->kind == TWC_S_PAY ? twc_check_purse_of(stmt->u.money.from) : NULL;
    const twc_decl *payee = to != NULL ? twc_check_purse_of(to) : NULL;
    if (stmt->kind == TWC_S_MINT && s->tracks) return;
    for (uint32_t i = 0; i < PLACES; i++) {
        if (!is_place(at, i)) continue;
        if (source != NULL && !is_in(&at->held[i], source)) continue; /* there is nothing to pay */
        if (source != NULL && empties(s, stmt, source)) {
            at->held[i] = without(at->held[i], one(source));
        }
        if (payee != NULL) at->held[i] = both(at->held[i], one(payee));
    }
}

static void walk_go(const twc_stmt *stmt, ways *at)
{
    ways after = {0};
    for (uint32_t i = 0; i < PLACES; i++) {
        if (is_place(at, i)) add_place(&after, stmt->u.go.phase->index, at->held[i]);
    }
    *at = after;
}

static void walk_arms(stuck *s, const twc_arm *arms, bool exhaustive, ways *at)
{
    ways after = {0};
    for (; arms != NULL; arms = arms->next) {
        ways arm = *at;
        s->steps++;
        if (arms->condition != NULL) {
            learn(s, &arm, arms->condition, true);
            learn(s, at, arms->condition, false);
        }
        walk_block(s, &arms->body, &arm);
        join(&after, &arm);
        exhaustive |= arms->next == NULL && arms->condition == NULL && arms->name == NULL &&
                      arms->binder == NULL;
    }
    if (!exhaustive) join(&after, at);
    *at = after;
}

/* One round, or none where none may run; then more until nothing is new. */
static void walk_loop(stuck *s, const twc_block *body, bool sure, ways *at)
{
    ways *outer = s->skipped;
    bool grew = true;
    while (grew && s->steps < STEPS_MAX) {
        const ways before = *at;
        ways round = *at;
        ways skipped = {0};
        s->skipped = &skipped;
        walk_block(s, body, &round);
        if (sure) *at = (ways){0};
        join(at, &round);
        join(at, &skipped);
        grew = sure || memcmp(&before, at, sizeof before) != 0;
        sure = false;
    }
    s->skipped = outer;
}

static void walk_stmt(stuck *s, const twc_stmt *stmt, ways *at)
{
    const twc_stmt_kind kind = stmt->kind;
    if (kind == TWC_S_PAY || kind == TWC_S_MINT) walk_money(s, stmt, at);
    if (kind == TWC_S_GO) walk_go(stmt, at);
    if (kind == TWC_S_IF) walk_arms(s, stmt->u.branch.arms, false, at);
    if (kind == TWC_S_MATCH) walk_arms(s, stmt->u.match.arms, true, at);
    if (kind == TWC_S_FOR) walk_loop(s, &stmt->u.loop.body, false, at);
    if (kind == TWC_S_REPEAT) walk_loop(s, &stmt->u.repeat.body, true, at);
    if (kind == TWC_S_NEEDS) learn(s, at, stmt->u.needs.condition, true);
    if (kind == TWC_S_STOP) join(&s->ended, at);
    if (kind == TWC_S_SKIP && s->skipped != NULL) join(s->skipped, at);
    if (kind == TWC_S_STOP || kind == TWC_S_SKIP || kind == TWC_S_FAIL) *at = (ways){0};
}

static void walk_block(stuck *s, const twc_block *block, ways *at)
{
    for (const twc_stmt *stmt = block->first; stmt != NULL; stmt = stmt->next) {
        if (++s->steps > STEPS_MAX) return;
        walk_stmt(s, stmt, at);
    }
}

/* Runs the entry from `at`: s->ended is how it may end. */
static void walk_entry(stuck *s, const twc_entry *entry, ways *at)
{
    memset(&s->ended, 0, sizeof s->ended);
    s->steps++;
    s->skipped = NULL;
    for (const twc_stmt *needs = entry->needs; needs != NULL; needs = needs->next) {
        learn(s, at, needs->u.needs.condition, true);
    }
    if (entry->into != NULL && !s->tracks) {
        const purses filled = one(twc_check_purse_of(entry->into));
        for (uint32_t i = 0; i < PLACES; i++) {
            if (is_place(at, i)) add_place(at, i, filled);
        }
    }
    walk_block(s, &entry->body, at);
    join(&s->ended, at);
}

/* Runs it in one phase, with these purses filled. */
static void walk_from(stuck *s, const twc_entry *entry, uint32_t phase, purses held, bool tracks)
{
    ways at = {.stays = true};
    at.held[STAYS] = held;
    s->from = phase;
    s->tracks = tracks;
    walk_entry(s, entry, &at);
    s->tracks = false;
}

/* ------------------------------------------------------------------ what may be where */

static bool is_entry(const twc_decl *d)
{
    return d->kind >= TWC_D_RAISED && d->kind <= TWC_D_ACTION && !d->broken;
}

/* Adds how an entry may end; gives the phases about which it said something new. */
static uint64_t add_ended(stuck *s)
{
    uint64_t news = 0;
    for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
        if (!is_place(&s->ended, p)) continue;
        const purses held = without(s->ended.held[p], s->empty[p]);
        const bool reached = (s->flow->phases >> p & 1) != 0;
        if (reached && is_none(without(held, s->flow->held[p]))) continue;
        s->flow->phases |= (uint64_t)1 << p;
        s->flow->held[p] = both(s->flow->held[p], held);
        news |= (uint64_t)1 << p;
    }
    return news;
}

static void follow(stuck *s)
{
    uint64_t news = s->flow->phases;
    while (news != 0 && s->steps < STEPS_MAX) {
        const uint64_t fresh = news;
        news = 0;
        for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
            if (!is_entry(d) || (d->u.entry->phases & fresh) == 0) continue;
            ways at = {.phases = d->u.entry->phases & s->flow->phases};
            for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
                if (is_place(&at, p)) at.held[p] = s->flow->held[p];
            }
            walk_entry(s, d->u.entry, &at);
            news |= add_ended(s);
        }
    }
}

static void read_invariants(stuck *s)
{
    const twc_contract *contract = s->c->contract;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        for (uint32_t p = 0; d->kind == TWC_D_INVARIANT && p < contract->phase_count; p++) {
            const twc_expr *rule = d->u.value.value;
            s->empty[p] = both(s->empty[p], says(s, rule, true, p, false));
            s->wanted[p] = both(s->wanted[p], says(s, rule, true, p, true));
        }
    }
}

/* ------------------------------------------------------------------ an older version */

static const twc_decl *find_member(const twc_contract *contract, twc_decl_kind kind,
                                   const twc_word *word)
{
    const twc_decl *d = kind == TWC_D_PHASE ? contract->phases : contract->members;
    while (d != NULL && (d->kind != kind || d->word != word)) {
        d = kind == TWC_D_PHASE ? d->next_same : d->next;
    }
    return d;
}

/* What the older version may hold, by name; all it has where that is not known. */
static void take_over(stuck *s, const twc_contract *old)
{
    const twc_contract *contract = s->c->contract;
    const struct twc_flow *flow = old != NULL ? old->flow : NULL;
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        const twc_decl *phase = flow != NULL ? find_member(old, TWC_D_PHASE, p->word) : NULL;
        if (flow != NULL && (phase == NULL || (flow->phases >> phase->index & 1) == 0)) continue;
        purses held = all_of(old == NULL);
        for (const twc_decl *d = contract->members; d != NULL && old != NULL; d = d->next) {
            const twc_decl *purse =
                d->kind == TWC_D_PURSE ? find_member(old, TWC_D_PURSE, d->word) : NULL;
            if (purse == NULL) continue;
            if (flow == NULL || is_in(&flow->held[phase->index], purse)) held = both(held, one(d));
        }
        s->flow->phases |= (uint64_t)1 << p->index;
        s->flow->held[p->index] = both(s->flow->held[p->index], without(held, s->empty[p->index]));
    }
}

static void start(stuck *s)
{
    const twc_contract *contract = s->c->contract;
    s->flow->phases = 1;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_MIGRATE) continue;
        const twc_contract *old = s->c->program->contracts;
        for (; old != NULL; old = old->next) {
            if (old->word == contract->word && old != contract && old->version == d->index) break;
        }
        take_over(s, old);
    }
}

/* ------------------------------------------------------------------ ways out */

typedef struct failure {
    const stuck *s;
    bool found;
} failure;

static void note_failing_call(void *data, const twc_expr *e)
{
    failure *f = data;
    if (e->kind != TWC_E_CALL || e->u.call.callee != TWC_CALL_FN) return;
    const uint32_t fn = e->u.call.decl->index;
    f->found |= (f->s->failing[fn / 64] >> fn % 64 & 1) != 0;
}

static void note_failing(void *data, const twc_stmt *stmt)
{
    failure *f = data;
    f->found |= stmt->kind == TWC_S_NEEDS || stmt->kind == TWC_S_FAIL;
}

/* It has `needs` or `fail`, or calls a fn that has. */
static bool may_fail(const stuck *s, const twc_block *body)
{
    failure f = {.s = s};
    const twc_visit visit = {.expr = note_failing_call, .stmt = note_failing, .data = &f};
    twc_walk_block(&visit, body);
    return f.found;
}

/* A fn only calls those before it. */
static void find_failing(stuck *s)
{
    for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_FN || !may_fail(s, &d->u.entry->body)) continue;
        s->failing[d->index / 64] |= (uint64_t)1 << d->index % 64;
    }
}

static void note_fill(void *data, const twc_stmt *stmt)
{
    purses *filled = data;
    const bool moves = stmt->kind == TWC_S_PAY || stmt->kind == TWC_S_MINT;
    const twc_decl *to = moves ? twc_check_purse_of(stmt->u.money.to) : NULL;
    if (to != NULL) *filled = both(*filled, one(to));
}

static void find_refills(stuck *s)
{
    for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
        if (!is_entry(d)) continue;
        purses filled = {{0}};
        const twc_visit visit = {.stmt = note_fill, .data = &filled};
        twc_walk_block(&visit, &d->u.entry->body);
        if (d->u.entry->into != NULL) {
            filled = both(filled, one(twc_check_purse_of(d->u.entry->into)));
        }
        for (uint32_t p = 0; p < TW_PHASES_MAX && !is_none(filled); p++) {
            if ((d->u.entry->phases & s->flow->phases) >> p & 1) {
                walk_from(s, d->u.entry, p, s->flow->held[p], false);
                if (s->ended.stays) s->refill[p] = both(s->refill[p], filled);
            }
        }
    }
}

static void note_touch(void *data, const twc_stmt *stmt)
{
    const bool burns = stmt->kind == TWC_S_BURN;
    purses *touched = data;
    note_fill(data, stmt);
    const twc_decl *from =
        burns || stmt->kind == TWC_S_PAY ? twc_check_purse_of(stmt->u.money.from) : NULL;
    if (from != NULL) *touched = both(*touched, one(from));
}

/* No invariant undoes the run just walked: what is to be empty then is so, and what is to hold
 * money did before and is left alone. */
static bool is_allowed(const stuck *s, const twc_entry *entry)
{
    purses touched = {{0}};
    const twc_visit visit = {.stmt = note_touch, .data = &touched};
    twc_walk_block(&visit, &entry->body);
    for (uint32_t i = 0; i < PLACES; i++) {
        if (!is_place(&s->ended, i)) continue;
        const uint32_t p = phase_of(s, i);
        if (!is_none(common(s->ended.held[i], s->empty[p]))) return false;
        if (!is_none(common(s->wanted[p], touched))) return false;
        if (!is_none(without(s->wanted[p], s->wanted[s->from]))) return false;
        if (s->withdraw != NULL && is_in(&s->empty[p], s->withdraw)) return false;
    }
    return true;
}

/* The entry takes the purse's money out of the contract, or to where it is safe. */
static bool is_way(stuck *s, const twc_decl *entry, uint32_t phase, const twc_decl *purse)
{
    bool ends = false;
    walk_from(s, entry->u.entry, phase, one(purse), true);
    for (uint32_t i = 0; i < PLACES; i++) {
        if (!is_place(&s->ended, i)) continue;
        ends = true;
        if (!is_none(without(s->ended.held[i], s->safe[phase_of(s, i)]))) return false;
        if (s->withdraw != NULL && is_in(&s->ended.held[i], s->withdraw)) return false;
        const bool once = i == STAYS && entry->kind == TWC_D_AFTER;
        if (once && is_in(&s->refill[phase], purse)) return false;
    }
    return ends;
}

/* ------------------------------------------------------------------ who may withdraw */

/* The same until somebody changes it: literals, params, stored times. */
static bool is_still(const twc_expr *e)
{
    if (e->fixed) return true;
    if (e->kind == TWC_E_CONVERT && e->u.convert.conversion == TWC_CONV_UNWRAP) {
        return is_still(e->u.convert.value);
    }
    if (e->kind == TWC_E_BINARY) {
        const twc_operator op = e->u.binary.op;
        const bool plain = op == TWC_OP_ADD || op == TWC_OP_SUB || op == TWC_OP_OTHERWISE;
        return plain && is_still(e->u.binary.left) && is_still(e->u.binary.right);
    }
    const twc_type *type = e->type->kind == TWC_TYPE_OPTIONAL ? e->type->element : e->type;
    if (!twc_type_is(type, TW_DIM_TIME) && !twc_type_is(type, TW_DIM_DURATION)) return false;
    const twc_decl *root = twc_walk_root(e);
    return root != NULL &&
           (root->kind == TWC_D_VAR || root->kind == TWC_D_MAP || root->kind == TWC_D_REGISTRY);
}

/* Grows with the time alone. */
static bool is_growing(const twc_expr *e)
{
    if (e->kind == TWC_E_NAME && e->u.name.decl->kind == TWC_D_BUILTIN_VALUE) {
        return e->u.name.decl->index == TWC_V_NOW; /* time_in_phase may begin anew */
    }
    if (e->kind != TWC_E_BINARY) return false;
    const twc_expr *left = e->u.binary.left;
    const twc_expr *right = e->u.binary.right;
    if (e->u.binary.op == TWC_OP_SUB) return is_growing(left) && is_still(right);
    return e->u.binary.op == TWC_OP_ADD &&
           ((is_growing(left) && is_still(right)) || (is_still(left) && is_growing(right)));
}

/* Time makes it true, and it stays so. */
static bool comes_true(const twc_expr *e)
{
    if (e->constant) return e->value != 0;
    if (e->kind != TWC_E_BINARY) return false;
    const twc_expr *left = e->u.binary.left;
    const twc_expr *right = e->u.binary.right;
    switch ((int)e->u.binary.op) {
    case TWC_OP_AND: return comes_true(left) && comes_true(right);
    case TWC_OP_OR: return comes_true(left) || comes_true(right);
    case TWC_OP_GT:
    case TWC_OP_GE: return is_growing(left) && is_still(right);
    case TWC_OP_LT:
    case TWC_OP_LE: return is_still(left) && is_growing(right);
    }
    return false;
}

static bool names_role(const twc_type_name *type)
{
    for (; type != NULL; type = type->element) {
        const twc_decl *decl = type->word != NULL ? type->word->global : NULL;
        if (decl != NULL && decl->kind == TWC_D_ROLE) return true;
    }
    return false;
}

/* An action that any member of the role can call alone, sooner or later. */
static bool is_open_to(const stuck *s, const twc_decl *decl, const twc_decl *role)
{
    const twc_entry *entry = decl->u.entry;
    bool may = false;
    if (decl->kind != TWC_D_ACTION || entry->with != NULL || entry->signed_count > 0 ||
        entry->receives != NULL || may_fail(s, &entry->body)) {
        return false;
    }
    for (const twc_who *who = entry->by; who != NULL; who = who->next) {
        may |= who->anyone || who->role == role;
    }
    for (const twc_decl *p = entry->params; p != NULL; p = p->next) {
        if (names_role(p->type_name)) return false; /* there may be no such member */
    }
    for (const twc_stmt *needs = entry->needs; needs != NULL; needs = needs->next) {
        if (!comes_true(needs->u.needs.condition)) return false;
    }
    return may;
}

/* ------------------------------------------------------------------ what is safe */

static bool is_timer(const twc_decl *d)
{
    return d->kind == TWC_D_AFTER || d->kind == TWC_D_EVERY;
}

/* No timer of the phase but this one takes the purse's money to where it is not safe, or ends the
 * phase before this one is due; phases in `also` are as good as this one. */
static bool is_left_alone(stuck *s, const twc_decl *entry, const twc_decl *purse, uint32_t phase,
                          uint64_t also)
{
    for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
        if (d == entry || !is_timer(d) || (d->u.entry->phases >> phase & 1) == 0) continue;
        walk_from(s, d->u.entry, phase, one(purse), true);
        for (uint32_t i = 0; i < PLACES; i++) {
            if (!is_place(&s->ended, i)) continue;
            const uint32_t p = phase_of(s, i);
            const bool same = i == STAYS || (also >> p & 1) != 0;
            purses fine = both(s->safe[p], s->empty[p]); /* there it would be undone */
            if (same) fine = both(fine, one(purse));
            if (!is_none(without(s->ended.held[i], fine))) return false;
        }
    }
    return true;
}

/* Those of the phases in which the purse falls, or in which the entry is a way out for it. */
static uint64_t direct(stuck *s, const twc_decl *entry, const twc_decl *purse)
{
    uint64_t phases = 0;
    for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
        const uint64_t bit = (uint64_t)1 << p;
        const purses held = s->flow->held[p];
        if (!is_in(&held, purse) || is_in(&s->safe[p], purse)) continue;
        if (entry == NULL) {
            if (!is_in(&s->wanted[p], purse)) phases |= bit;
        } else if ((entry->u.entry->phases & s->flow->phases & bit) != 0) {
            walk_from(s, entry->u.entry, p, held, false);
            if (is_allowed(s, entry->u.entry) && is_way(s, entry, p, purse)) phases |= bit;
        }
    }
    return phases;
}

/* Adds the phases in which this is a sure way out: whatever other timers do, its turn comes. What
 * is due again and again may follow the money through its phases, an `after` stays in one; members
 * choose their moment. */
static bool look(stuck *s, const twc_decl *entry, const twc_decl *purse)
{
    const bool action = entry != NULL && entry->kind == TWC_D_ACTION;
    const bool follows = entry == NULL || entry->kind == TWC_D_EVERY;
    s->withdraw = action ? purse : NULL;
    uint64_t phases = direct(s, entry, purse);
    s->withdraw = NULL;
    for (bool fell = !action; fell && s->steps < STEPS_MAX;) {
        fell = false;
        for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
            if ((phases >> p & 1) == 0) continue;
            if (is_left_alone(s, entry, purse, p, follows ? phases : 0)) continue;
            phases &= ~((uint64_t)1 << p);
            fell = true;
        }
    }
    for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
        if (phases >> p & 1) s->safe[p] = both(s->safe[p], one(purse));
    }
    return phases != 0;
}

/* Whether the entry may be a way out for the purse at all. */
static bool is_candidate(const stuck *s, const twc_decl *entry, const twc_decl *purse)
{
    const twc_decl *role = purse->u.purse.per_role;
    if (is_timer(entry)) return !may_fail(s, &entry->u.entry->body);
    return entry->kind == TWC_D_ACTION && role != NULL && is_open_to(s, entry, role);
}

static void find_ways(stuck *s)
{
    const twc_decl *members = s->c->contract->members;
    for (bool grew = true; grew && s->steps < STEPS_MAX;) {
        grew = false;
        for (const twc_decl *purse = members; purse != NULL; purse = purse->next) {
            if (purse->kind != TWC_D_PURSE) continue;
            if (purse->u.purse.falls_role != NULL) grew |= look(s, NULL, purse);
            for (const twc_decl *d = members; d != NULL; d = d->next) {
                if (is_candidate(s, d, purse)) grew |= look(s, d, purse);
            }
        }
    }
}

/* ------------------------------------------------------------------ what is said */

/* Somebody to pay, for an example. */
static const char *payee_of(const twc_contract *contract)
{
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_ROLE && d->u.role.max == 1 && !d->u.role.revoked) return d->word->text;
    }
    return "owner";
}

static const char *help_for(stuck *s, const twc_decl *purse, const twc_decl *phase)
{
    char text[400];
    const char *name = purse->word->text;
    const char *in = phase->word != NULL ? " in " : "";
    const char *where = phase->word != NULL ? phase->word->text : "";
    const char *payee = payee_of(s->c->contract);
    const twc_decl *role = purse->u.purse.per_role;
    if (role != NULL) {
        snprintf(text, sizeof text,
                 "let each %s take it: `action withdraw() by %s%s%s { pay rest of %s[caller] to "
                 "caller }`",
                 role->word->text, role->word->text, in, where, name);
    } else if (phase->word == NULL) {
        snprintf(text, sizeof text,
                 "let it go to somebody at last: `purse %s : %s falls to %s "
                 "after 90 days`",
                 name, purse->u.purse.money->text, payee);
    } else {
        const bool last = phase->u.phase.arrows == 0;
        snprintf(text, sizeof text, "%s `after 30 days in %s { pay rest of %s to %s%s }`",
                 last ? "pay it out before `go`, or write" : "say what happens when nobody acts:",
                 where, name, payee, last ? "" : " go ...");
    }
    const char *copy = tw_arena_copy(s->c->arena, text, strlen(text));
    return copy != NULL ? copy : "";
}

/* A timer of the phase that is no way out, or NULL. */
static const twc_decl *weak_timer(const stuck *s, const twc_decl *phase)
{
    for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
        const bool timer = d->kind == TWC_D_AFTER;
        if (timer && (d->u.entry->phases >> phase->index & 1) != 0) return d;
    }
    return NULL;
}

/* The first phase in which it may get stuck, or NULL. */
static const twc_decl *stuck_in(const stuck *s, const twc_decl *purse)
{
    const twc_decl *phase = s->c->contract->phases;
    for (; phase != NULL; phase = phase->next_same) {
        const uint32_t p = phase->index;
        if (is_in(&s->flow->held[p], purse) && !is_in(&s->safe[p], purse)) return phase;
    }
    return NULL;
}

static void report(stuck *s, const twc_decl *purse, const twc_decl *phase)
{
    twc_diag *diag =
        twc_diag_add(s->c->diags, TWC_DIAG_STUCK, purse->name_span,
                     "money in `%s` can get stuck%s%s: nothing is sure to pay it out\n%s",
                     purse->word->text, phase->word != NULL ? " in phase " : "",
                     phase->word != NULL ? phase->word->text : "", help_for(s, purse, phase));
    const twc_decl *timer = weak_timer(s, phase);
    if (timer == NULL) return;
    twc_diag_second(diag, timer->u.entry->delay->span, "this is not a sure way out");
}

/* The purse is stuck even if all others were not: it is not their consequence. */
static bool is_root(stuck *s, const twc_decl *purse)
{
    purses safe[TW_PHASES_MAX];
    memcpy(safe, s->safe, sizeof safe);
    for (uint32_t p = 0; p < TW_PHASES_MAX; p++) {
        const purses held =
            is_in(&safe[p], purse) ? all_of(true) : without(all_of(true), one(purse));
        s->safe[p] = held;
    }
    find_ways(s);
    const bool root = stuck_in(s, purse) != NULL;
    memcpy(s->safe, safe, sizeof safe);
    return root;
}

static void report_all(stuck *s)
{
    const twc_decl *first = NULL;
    bool reported = false;
    for (const twc_decl *d = s->c->contract->members; d != NULL; d = d->next) {
        const twc_decl *phase = d->kind == TWC_D_PURSE ? stuck_in(s, d) : NULL;
        if (phase == NULL) continue;
        if (first == NULL) first = d;
        if (!is_root(s, d)) continue;
        report(s, d, phase);
        reported = true;
    }
    if (first != NULL && !reported) report(s, first, stuck_in(s, first)); /* a ring of them */
}

void twc_check_stuck(twc_check *c)
{
    bool any = false;
    for (const twc_decl *d = c->contract->members; d != NULL; d = d->next) {
        any |= d->kind == TWC_D_PURSE;
    }
    struct twc_flow *flow = any ? TW_NEW(c->arena, struct twc_flow) : NULL;
    stuck *s = flow != NULL ? TW_NEW(c->arena, stuck) : NULL;
    if (s == NULL) return;
    s->c = c;
    s->flow = flow;
    c->contract->flow = flow;
    read_invariants(s);
    start(s);
    follow(s);
    find_failing(s);
    find_refills(s);
    find_ways(s);
    if (s->steps >= STEPS_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, c->contract->name_span,
                       "the contract moves money in more ways than can be followed\nuse fewer "
                       "phases, purses and branches");
        return;
    }
    report_all(s);
}
