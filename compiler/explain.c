/* explain -- see the header. A statement is told by its kind: what moves money, things, roles and
 * the phase is said, what only computes is not. */
#include "compiler/explain.h"

#include "compiler/gen.h"
#include "vm/isa/module.h"

#include <stdio.h>
#include <string.h>

enum { DOC_SIZE_MAX = 600 };

typedef struct teller {
    const twc_source *source;
    const twc_contract *contract;
    tw_writer *w;
    uint32_t told; /* of the entry at hand: how many things it does so far */
} teller;

/* The author's words on one line, without comments. */
static void put_span(teller *t, twc_span span)
{
    const uint8_t *text = t->source->text.data;
    bool space = false;
    bool begun = false;
    for (uint32_t i = span.start; i < span.end && i < t->source->text.size; i++) {
        if (text[i] == '/' && i + 1 < span.end && text[i + 1] == '/') {
            while (i < span.end && text[i] != '\n') i++;
            space = true;
            continue;
        }
        if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
            space = true;
            continue;
        }
        if (space && begun) tw_write_u8(t->w, ' ');
        tw_write_u8(t->w, text[i]);
        space = false;
        begun = true;
    }
}

static void put_expr(teller *t, const twc_expr *expr)
{
    put_span(t, expr->span);
}

static void put_doc(teller *t, const char *doc, const char *indent)
{
    if (doc == NULL) return;
    tw_print(t->w, "%s", indent);
    for (uint32_t i = 0; doc[i] != '\0' && i < DOC_SIZE_MAX; i++) {
        tw_write_u8(t->w, (uint8_t)(doc[i] == '\n' ? ' ' : doc[i]));
    }
    tw_print(t->w, "\n");
}

static const twc_decl *next_of(const twc_decl *d, twc_decl_kind kind)
{
    while (d != NULL && d->kind != kind) d = d->next;
    return d;
}

#define EACH(d, contract, which)                                                                   \
    (const twc_decl *d = next_of((contract)->members, (which)); d != NULL;                         \
     d = next_of(d->next, (which)))

/* "a", "a and b", "a, b and c": what comes before item `index` of `count`. */
static const char *joint(uint32_t index, uint32_t count, const char *last)
{
    return index == 0 ? "" : index + 1 < count ? ", " : last;
}

static void put_phases(teller *t, uint64_t phases)
{
    const uint32_t count = (uint32_t)__builtin_popcountll(phases);
    uint32_t index = 0;
    for (const twc_decl *p = t->contract->phases; p != NULL; p = p->next_same) {
        if ((phases >> p->index & 1) == 0) continue;
        tw_print(t->w, "%s%s", joint(index++, count, " or "), p->word->text);
    }
}

static bool has_phases(const teller *t)
{
    return t->contract->phases != NULL && t->contract->phases->word != NULL;
}

/* ------------------------------------------------------------------ who and what */

static void tell_roles(teller *t)
{
    tw_print(t->w, "\nWho takes part\n");
    for
        EACH(d, t->contract, TWC_D_ROLE)
        {
            const uint32_t max = d->u.role.max;
            tw_print(t->w, "  %s: ", d->word->text);
            if (max == 1) {
                tw_print(t->w, "one account");
            } else {
                tw_print(t->w, "up to %u accounts", max);
            }
            tw_print(t->w, d->u.role.granted ? ", named at deploy or by the contract later"
                                             : ", named at deploy");
            tw_print(t->w, d->u.role.revoked ? "; the contract can take the role away.\n"
                                             : "; for good.\n");
        }
}

static void tell_money(teller *t)
{
    bool first = true;
    for (const twc_decl *d = t->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_CURRENCY && d->kind != TWC_D_TOKEN && d->kind != TWC_D_PURSE) continue;
        if (first) tw_print(t->w, "\nMoney\n");
        first = false;
        if (d->kind == TWC_D_CURRENCY) {
            tw_print(t->w, "  %s: money of the ledger with %u decimals, chosen at deploy.\n",
                     d->word->text, d->u.money.decimals);
        } else if (d->kind == TWC_D_TOKEN) {
            tw_print(t->w, "  %s: this contract's own money; there are never more than ",
                     d->word->text);
            put_expr(t, d->u.money.supply);
            tw_print(t->w, ".\n");
        } else {
            tw_print(t->w, "  %s: a purse in %s that the contract holds", d->word->text,
                     d->u.purse.money->text);
            if (d->u.purse.per != NULL) tw_print(t->w, ", one for each %s", d->u.purse.per->text);
            if (d->u.purse.falls_to != NULL) {
                tw_print(t->w, "; if nothing moves in it for ");
                put_expr(t, d->u.purse.falls_after);
                tw_print(t->w, ", it falls to ");
                put_expr(t, d->u.purse.falls_to);
            }
            tw_print(t->w, ".\n");
        }
    }
}

static void tell_params(teller *t)
{
    if (next_of(t->contract->members, TWC_D_PARAM) == NULL) return;
    tw_print(t->w, "\nWhat is fixed at deploy, for good\n");
    for
        EACH(d, t->contract, TWC_D_PARAM)
        {
            tw_print(t->w, "  %s: ", d->word->text);
            put_expr(t, d->u.value.value);
            tw_print(t->w, " unless said otherwise");
            if (d->u.value.low != NULL) {
                tw_print(t->w, "; from ");
                put_expr(t, d->u.value.low);
                tw_print(t->w, " to ");
                put_expr(t, d->u.value.high);
            }
            tw_print(t->w, ".\n");
            put_doc(t, d->doc, "    ");
        }
    for
        EACH(d, t->contract, TWC_D_CHECK)
        {
            tw_print(t->w, "  A deploy is refused unless ");
            put_expr(t, d->u.value.value);
            tw_print(t->w, ".\n");
        }
}

static void tell_reading(teller *t, const twc_decl *d)
{
    tw_print(t->w, "  %s: ", d->word->text);
    put_span(t, d->type_name->span);
    tw_print(t->w, ", the field \"%.*s\" signed by %s%s.\n", (int)d->u.reading.field.size,
             (const char *)d->u.reading.field.data, d->u.reading.per_device ? "each " : "the ",
             d->u.reading.role_word->text);
    tw_print(t->w, "    Counts only from ");
    put_expr(t, d->u.reading.low);
    tw_print(t->w, " to ");
    put_expr(t, d->u.reading.high);
    tw_print(t->w, ", at most %u per ", d->u.reading.rate_count);
    put_expr(t, d->u.reading.rate_period);
    tw_print(t->w, ", not older than ");
    put_expr(t, d->u.reading.max_age);
    tw_print(t->w, "; the last %u are kept.\n", d->u.reading.keep);
}

static void tell_twin(teller *t)
{
    if (next_of(t->contract->members, TWC_D_READING) != NULL) tw_print(t->w, "\nWhat it watches\n");
    for
        EACH(d, t->contract, TWC_D_READING) tell_reading(t, d);
    for
        EACH(d, t->contract, TWC_D_ALARM)
        {
            tw_print(t->w, "  The alarm %s is raised when ", d->word->text);
            put_expr(t, d->u.alarm.raise);
            tw_print(t->w, "; it is cleared when ");
            put_expr(t, d->u.alarm.clear);
            tw_print(t->w, ".\n");
            put_doc(t, d->doc, "    ");
        }
}

static void tell_things(teller *t)
{
    if (next_of(t->contract->members, TWC_D_REGISTRY) == NULL) return;
    tw_print(t->w, "\nThings it keeps\n");
    for
        EACH(d, t->contract, TWC_D_REGISTRY)
        {
            tw_print(t->w,
                     "  %s: up to %u of %s, known by their %s. None can be copied, lost or named "
                     "twice.\n",
                     d->word->text, d->u.store.max, d->u.store.asset->text, d->u.store.by->text);
        }
}

/* ------------------------------------------------------------------ what an entry does */

static void begin_deed(teller *t)
{
    tw_print(t->w, t->told == 0 ? "" : "; ");
    t->told++;
}

static void tell_deed(void *data, const twc_stmt *stmt)
{
    teller *t = data;
    switch (stmt->kind) {
    case TWC_S_PAY:
    case TWC_S_MINT:
    case TWC_S_BURN:
    case TWC_S_CREATE:
    case TWC_S_GIVE:
    case TWC_S_ATTACH:
    case TWC_S_DETACH:
    case TWC_S_RETIRE:
    case TWC_S_GRANT:
    case TWC_S_REVOKE:
        begin_deed(t);
        put_span(t, stmt->span);
        break;
    case TWC_S_GO:
        begin_deed(t);
        tw_print(t->w, "the phase becomes %s", stmt->u.go.word->text);
        break;
    case TWC_S_EMIT:
        begin_deed(t);
        tw_print(t->w, "says %s", stmt->u.notice.word->text);
        break;
    case TWC_S_HISTORY:
        begin_deed(t);
        tw_print(t->w, "writes %s into the history", stmt->u.notice.word->text);
        if (stmt->u.notice.of != NULL) {
            tw_print(t->w, " of ");
            put_expr(t, stmt->u.notice.of);
        }
        break;
    case TWC_S_NEEDS:
        begin_deed(t);
        tw_print(t->w, "stops with an error unless ");
        put_expr(t, stmt->u.needs.condition);
        break;
    case TWC_S_FAIL:
        begin_deed(t);
        tw_print(t->w, "or fails as %s", stmt->u.notice.word->text);
        break;
    case TWC_S_LET:
    case TWC_S_ASSIGN:
    case TWC_S_IF:
    case TWC_S_FOR:
    case TWC_S_REPEAT:
    case TWC_S_MATCH:
    case TWC_S_REMOVE:
    case TWC_S_PUSH:
    case TWC_S_STOP:
    case TWC_S_SKIP:
    case TWC_S_RETURN: break;
    }
}

static bool has_branch(const twc_block *block)
{
    for (const twc_stmt *s = block->first; s != NULL; s = s->next) {
        if (s->kind == TWC_S_IF || s->kind == TWC_S_MATCH || s->kind == TWC_S_FOR) return true;
    }
    return false;
}

static void tell_body(teller *t, const twc_entry *entry)
{
    const twc_visit visit = {.stmt = tell_deed, .data = t};
    t->told = 0;
    if (entry->body.first == NULL) return;
    tw_print(t->w, has_branch(&entry->body) ? "    Then, as the case may be: " : "    Then: ");
    twc_walk_block(&visit, &entry->body);
    tw_print(t->w, t->told == 0 ? "its records change.\n" : ".\n");
}

static void put_who(teller *t, const twc_who *who, const char *last)
{
    uint32_t count = 0;
    uint32_t index = 0;
    for (const twc_who *k = who; k != NULL; k = k->next) count++;
    for (; who != NULL; who = who->next) {
        tw_print(t->w, "%s", joint(index++, count, last));
        if (who->anyone) {
            tw_print(t->w, "Anyone");
        } else {
            put_expr(t, who->expr);
        }
    }
}

static void put_when(teller *t, const twc_entry *entry)
{
    if (!has_phases(t)) return;
    tw_print(t->w, " while the phase is ");
    put_phases(t, entry->phases);
}

static void tell_action(teller *t, const twc_decl *d)
{
    const twc_entry *entry = d->u.entry;
    tw_print(t->w, "  ");
    if (entry->by != NULL) put_who(t, entry->by, " or ");
    if (entry->by == NULL) tw_print(t->w, "Anyone");
    tw_print(t->w, " may call %s", d->word->text);
    put_when(t, entry);
    if (entry->with != NULL) {
        tw_print(t->w, ", signed also by ");
        put_who(t, entry->with, " and ");
    }
    if (entry->signed_count > 0) {
        tw_print(t->w, ", signed by at least %u of %s", entry->signed_count,
                 entry->signed_word->text);
    }
    tw_print(t->w, ".\n");
    put_doc(t, d->doc, "    ");
    for (const twc_stmt *needs = entry->needs; needs != NULL; needs = needs->next) {
        tw_print(t->w, "    Only if ");
        put_expr(t, needs->u.needs.condition);
        if (needs->u.needs.error != NULL) tw_print(t->w, " (else: %s)", needs->u.needs.error->text);
        tw_print(t->w, ".\n");
    }
    if (entry->receives != NULL) {
        tw_print(t->w, "    The caller pays ");
        put_expr(t, entry->receives);
        tw_print(t->w, " into ");
        put_expr(t, entry->into);
        tw_print(t->w, ".\n");
    }
    tell_body(t, entry);
}

static void tell_clock(teller *t, const twc_decl *d)
{
    const twc_entry *entry = d->u.entry;
    tw_print(t->w, "  ");
    if (d->kind == TWC_D_RAISED || d->kind == TWC_D_CLEARED) {
        tw_print(t->w, "When %s is %s", entry->subject->word->text,
                 d->kind == TWC_D_RAISED ? "raised" : "cleared");
        put_when(t, entry);
    } else if (d->kind == TWC_D_SILENT) {
        tw_print(t->w, "When no %s has come for ", entry->subject->word->text);
        put_expr(t, entry->delay);
        put_when(t, entry);
    } else if (d->kind == TWC_D_EVERY) {
        tw_print(t->w, "Every ");
        put_expr(t, entry->delay);
        put_when(t, entry);
    } else {
        tw_print(t->w, "If the phase is ");
        put_phases(t, entry->phases);
        tw_print(t->w, " for ");
        put_expr(t, entry->delay);
    }
    tw_print(t->w, ":\n");
    put_doc(t, d->doc, "    ");
    tell_body(t, entry);
}

static void tell_entries(teller *t)
{
    if (next_of(t->contract->members, TWC_D_ACTION) != NULL) tw_print(t->w, "\nWho may do what\n");
    for
        EACH(d, t->contract, TWC_D_ACTION) tell_action(t, d);
    bool first = true;
    for (const twc_decl *d = t->contract->members; d != NULL; d = d->next) {
        if (d->kind < TWC_D_RAISED || d->kind > TWC_D_AFTER) continue;
        if (first) tw_print(t->w, "\nWhat happens by itself\n");
        first = false;
        tell_clock(t, d);
    }
    if (first) return;
    tw_print(
        t->w,
        "  Where the ledger takes fees, timers and late handlers are paid from the contract's\n"
        "  fuel; anyone may fill it, and without it they wait.\n");
}

/* ------------------------------------------------------------------ the rest */

static void tell_phases(teller *t)
{
    uint64_t final = 0;
    if (!has_phases(t)) return;
    tw_print(t->w, "\nIts life\n  It begins as %s.\n", t->contract->phases->word->text);
    for (const twc_decl *p = t->contract->phases; p != NULL; p = p->next_same) {
        if (p->u.phase.arrows == 0) final |= (uint64_t)1 << p->index;
        if (p->u.phase.arrows == 0) continue;
        tw_print(t->w, "  From %s it may become ", p->word->text);
        put_phases(t, p->u.phase.arrows);
        tw_print(t->w, ".\n");
    }
    if (final == 0) return;
    tw_print(t->w, "  It ends as ");
    put_phases(t, final);
    tw_print(t->w, ".\n");
}

typedef struct taking {
    const twc_decl *purse;
    bool found;
} taking;

static void note_taking(void *data, const twc_stmt *stmt)
{
    taking *k = data;
    if (stmt->kind != TWC_S_PAY || !stmt->u.money.rest || stmt->u.money.from == NULL) return;
    const twc_expr *from = stmt->u.money.from;
    k->found = k->found || (from->kind == TWC_E_INDEX && from->u.index.store == k->purse);
}

/* The action with which a member takes out what is his. */
static const twc_decl *way_out(const teller *t, const twc_decl *purse)
{
    for
        EACH(d, t->contract, TWC_D_ACTION)
        {
            taking k = {purse, false};
            const twc_visit visit = {.stmt = note_taking, .data = &k};
            twc_walk_block(&visit, &d->u.entry->body);
            if (k.found) return d;
        }
    return NULL;
}

static void tell_idle_purse(teller *t, const twc_decl *d)
{
    const twc_decl *out = d->u.purse.per != NULL ? way_out(t, d) : NULL;
    if (out != NULL) {
        tw_print(t->w, "  What lies in %s is each %s's own, to be taken with %s.\n", d->word->text,
                 d->u.purse.per->text, out->word->text);
    }
    if (d->u.purse.falls_to == NULL) return;
    tw_print(t->w, "  What lies in %s falls to ", d->word->text);
    put_expr(t, d->u.purse.falls_to);
    tw_print(t->w, " once nothing has moved in it for ");
    put_expr(t, d->u.purse.falls_after);
    tw_print(t->w, ".\n");
}

/* Which timers end the wait, and whose the money is. */
static void tell_idle(teller *t)
{
    const bool timers = has_phases(t) && next_of(t->contract->members, TWC_D_AFTER) != NULL;
    if (!timers && next_of(t->contract->members, TWC_D_PURSE) == NULL) return;
    tw_print(t->w, "\nIf nobody acts\n");
    for
        EACH(d, t->contract, TWC_D_AFTER)
        {
            const twc_visit visit = {.stmt = tell_deed, .data = t};
            t->told = 0;
            tw_print(t->w, "  After ");
            put_expr(t, d->u.entry->delay);
            if (timers) tw_print(t->w, " as ");
            if (timers) put_phases(t, d->u.entry->phases);
            tw_print(t->w, ": ");
            twc_walk_block(&visit, &d->u.entry->body);
            tw_print(t->w, ".\n");
        }
    for
        EACH(d, t->contract, TWC_D_PURSE) tell_idle_purse(t, d);
}

static void tell_rules(teller *t)
{
    if (next_of(t->contract->members, TWC_D_INVARIANT) != NULL) {
        tw_print(t->w, "\nWhat always holds, or the call is undone\n");
    }
    for
        EACH(d, t->contract, TWC_D_INVARIANT)
        {
            tw_print(t->w, "  %s: ", d->word->text);
            put_expr(t, d->u.value.value);
            tw_print(t->w, ".\n");
        }
    const twc_decl *upgrade = next_of(t->contract->members, TWC_D_UPGRADE);
    tw_print(t->w, "\nCan it be changed?\n");
    if (upgrade == NULL) {
        tw_print(t->w, "  No. Nobody can change its rules.\n");
        return;
    }
    tw_print(t->w, "  %u of %s can put another version in its place", upgrade->u.upgrade.count,
             upgrade->u.upgrade.role->text);
    if (upgrade->u.upgrade.after != NULL) {
        tw_print(t->w, ", ");
        put_expr(t, upgrade->u.upgrade.after);
        tw_print(t->w, " after they said which");
    }
    tw_print(t->w, ".\n");
}

bool twc_explain_write(const twc_source *source, const twc_contract *contract, tw_bytes module,
                       tw_writer *w)
{
    teller t = {.source = source, .contract = contract, .w = w};
    char hex[2 * TW_HASH_SIZE + 1];
    const tw_hash hash = tw_module_hash(module);
    tw_hex_encode(hash.bytes, TW_HASH_SIZE, hex);
    tw_print(t.w, "%s, version %u\n", contract->word->text, contract->version);
    put_doc(&t, contract->doc, "");
    if (contract->twin.size > 0) {
        tw_print(t.w, "It speaks for the twin %.*s.\n", (int)contract->twin.size,
                 (const char *)contract->twin.data);
    }
    tw_print(t.w, "This is about the module %s.\n", hex);
    tell_roles(&t);
    tell_money(&t);
    tell_params(&t);
    tell_twin(&t);
    tell_things(&t);
    tell_phases(&t);
    tell_entries(&t);
    tell_idle(&t);
    tell_rules(&t);
    return !w->bad;
}
