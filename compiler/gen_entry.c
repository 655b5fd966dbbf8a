/* gen_entry -- the functions of a module: fn, alarm conditions, invariants, entries, deploy.
 *
 * An entry's function is what LANGUAGE says in its order: caller, other signers, arguments that
 * must be members, phase, needs, body, invariants. Invariants stand behind the end of the body, to
 * which `stop` jumps. A `stop` inside of a loop can't jump out, so then the body is a function of
 * its own that it can return from.
 */
#include "compiler/gen.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_SIZE = 120 };

/* ------------------------------------------------------------------ frames */

static void add_home(void *data, const twc_expr *expr)
{
    twc_gen *g = data;
    if (expr->kind != TWC_E_NAME || expr->u.name.decl == NULL) return;
    twc_decl *decl = expr->u.name.decl;
    if (decl->kind != TWC_D_VAR || decl->slot != UINT32_MAX) return;
    decl->slot = twc_gen_slots_take(g, twc_gen_slots(g, decl->type));
    twc_gen_local_open(g, decl->word->text, decl->type, decl->slot);
}

static void forget_homes(twc_gen *g)
{
    for (twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_VAR) d->slot = UINT32_MAX;
    }
    for (twc_decl *d = g->contract->old_fields; d != NULL; d = d->next) d->slot = UINT32_MAX;
}

void twc_gen_homes(twc_gen *g, const twc_expr *expr, const twc_block *block)
{
    const twc_visit visit = {.expr = add_home, .data = g};
    if (expr != NULL) twc_walk_expr(&visit, expr);
    if (block != NULL) twc_walk_block(&visit, block);
}

void twc_gen_start(twc_gen *g, const char *name, twc_span span)
{
    forget_homes(g);
    twc_gen_begin(g, name, span);
}

static void take_params(twc_gen *g, twc_decl *params)
{
    for (twc_decl *p = params; p != NULL; p = p->next) {
        p->slot = twc_gen_slots_take(g, twc_gen_slots(g, p->type));
        twc_gen_local_open(g, p->word->text, p->type, p->slot);
    }
    g->argument_slots = g->top;
}

static const char *name_of(twc_gen *g, const char *first, const char *second)
{
    char text[2 * NAME_MAX_SIZE + 2];
    snprintf(text, sizeof text, "%s %s", first, second);
    const char *name = tw_arena_copy(g->arena, text, strlen(text));
    if (name == NULL) g->diags->out_of_memory = g->failed = true;
    return name != NULL ? name : "";
}

/* ------------------------------------------------------------------ who may call */

/* The sender is one of these. */
static void callers(twc_gen *g, const twc_entry *entry)
{
    twc_label found = twc_label_new();
    for (const twc_who *who = entry->by; who != NULL; who = who->next) {
        if (who->anyone) return;
    }
    if (entry->by == NULL) return;
    const uint32_t mark = g->top;
    const uint32_t sender = twc_gen_slots_take(g, 4);
    const uint32_t is = twc_gen_slots_take(g, 1);
    twc_emit(g, TW_OP_CALLER, sender, 0, 0, 0);
    for (const twc_who *who = entry->by; who != NULL; who = who->next) {
        g->at = who->expr->span.start;
        if (who->role != NULL) {
            twc_emit(g, TW_OP_MEMBER, is, sender, 0, who->role->index);
        } else {
            const uint32_t before = g->top;
            twc_emit(g, TW_OP_EQN, is, sender, twc_gen_account(g, who->expr), 4);
            g->top = before;
        }
        twc_emit_jump(g, TW_OP_JNZ, is, 0, &found);
    }
    twc_emit_last(g, TW_OP_TRAP, 0, TW_TRAP_NOT_CALLER);
    twc_label_place(g, &found);
    g->top = mark;
}

/* At least `count` members of the role have signed. */
static void signers(twc_gen *g, const twc_decl *role, uint32_t count)
{
    const uint32_t mark = g->top;
    const uint32_t signed_by = twc_gen_slots_take(g, 1);
    twc_label enough = twc_label_new();
    twc_emit(g, TW_OP_SIGNERS, signed_by, 0, 0, role->index);
    twc_emit_jump_imm(g, TW_OP_JGEI, signed_by, count, &enough);
    twc_emit_last(g, TW_OP_TRAP, 0, TW_TRAP_NOT_SIGNED);
    twc_label_place(g, &enough);
    g->top = mark;
}

/* Each of these has signed too. */
static void others(twc_gen *g, const twc_entry *entry)
{
    for (const twc_who *who = entry->with; who != NULL; who = who->next) {
        g->at = who->expr->span.start;
        if (who->anyone) continue;
        if (who->role != NULL) {
            signers(g, who->role, 1);
            continue;
        }
        const uint32_t mark = g->top;
        const uint32_t has = twc_gen_slots_take(g, 1);
        twc_emit(g, TW_OP_SIGNED, has, twc_gen_account(g, who->expr), 0, 0);
        twc_gen_guard(g, has, TW_OP_TRAP, TW_TRAP_NOT_SIGNED);
        g->top = mark;
    }
    if (entry->signed_count > 0) signers(g, entry->signed_role, entry->signed_count);
}

static const twc_decl *role_named(const twc_gen *g, const twc_word *word)
{
    const twc_decl *d = g->contract->members;
    while (d != NULL && (d->kind != TWC_D_ROLE || d->word != word)) d = d->next;
    return d;
}

static void member(twc_gen *g, const twc_type *type, uint32_t at, const twc_decl *role,
                   uint32_t loops);

static void each_member(twc_gen *g, const twc_type *list, uint32_t at, const twc_decl *role,
                        uint32_t loops)
{
    const uint32_t round = twc_gen_slots_take(g, 1);
    const uint32_t item = twc_gen_slots_take(g, twc_gen_slots(g, list->element));
    twc_gen_over_limit(g, g->span, "lists inside each other", loops + 1, TW_LOOP_NEST_MAX);
    twc_emit_imm30(g, TW_OP_LOOP, round, at, list->max);
    twc_emit(g, TW_OP_ITEM, item, at, round, twc_gen_type(g, list));
    member(g, list->element, item, role, loops + 1);
    twc_emit(g, TW_OP_END, 0, 0, 0, 0);
}

/* Every account in the value holds the role. */
static void member(twc_gen *g, const twc_type *type, uint32_t at, const twc_decl *role,
                   uint32_t loops)
{
    const uint32_t mark = g->top;
    if (type->kind == TWC_TYPE_OPTIONAL) {
        twc_label none = twc_label_new();
        twc_emit_jump(g, TW_OP_JZ, at, 0, &none);
        member(g, type->element, at + 1, role, loops);
        twc_label_place(g, &none);
    } else if (type->kind == TWC_TYPE_LIST) {
        each_member(g, type, at, role, loops);
    } else {
        const uint32_t is = twc_gen_slots_take(g, 1);
        twc_emit(g, TW_OP_MEMBER, is, at, 0, role->index);
        twc_gen_guard(g, is, TW_OP_TRAP, TW_TRAP_NOT_MEMBER);
    }
    g->top = mark;
}

/* Arguments whose type is a role, or made of one. */
static void members(twc_gen *g, const twc_entry *entry)
{
    for (const twc_decl *p = entry->params; p != NULL; p = p->next) {
        const twc_type_name *name = p->type_name;
        while (name != NULL && name->element != NULL) name = name->element;
        const twc_decl *role = name != NULL ? role_named(g, name->word) : NULL;
        g->at = p->span.start;
        if (role != NULL) member(g, p->type, p->slot, role, 0);
    }
}

static uint64_t all_phases(const twc_gen *g)
{
    const uint32_t count = g->contract->phase_count;
    return count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

/* The phase that holds is one of the mask. */
static void in_phase(twc_gen *g, uint64_t mask)
{
    if (mask == all_phases(g)) return;
    const uint32_t before = g->top;
    const uint32_t phase = twc_gen_slots_take(g, 1);
    twc_label right = twc_label_new();
    twc_emit(g, TW_OP_PHASE, phase, 0, 0, 0);
    for (uint32_t p = 0; p < g->contract->phase_count; p++) {
        if (mask >> p & 1) twc_emit_jump_imm(g, TW_OP_JEQI, phase, p, &right);
    }
    twc_emit_last(g, TW_OP_TRAP, 0, TW_TRAP_WRONG_PHASE);
    twc_label_place(g, &right);
    g->top = before;
}

/* ------------------------------------------------------------------ invariants */

void twc_gen_invariants(twc_gen *g, const twc_touched *writes)
{
    uint32_t index = 0;
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_INVARIANT) continue;
        const twc_touched reads = twc_walk_reads(d->u.value.value);
        const uint32_t number = index++;
        if (writes != NULL && !twc_walk_meets(&reads, writes)) continue;
        const uint32_t mark = g->top;
        const uint32_t holds = twc_gen_slots_take(g, 1);
        g->at = d->span.start;
        twc_emit(g, TW_OP_CALL, holds, 0, 0, g->m->invariants[number].function);
        twc_gen_guard(g, holds, TW_OP_BREACH, number);
        g->top = mark;
    }
}

static bool any_invariant(twc_gen *g, const twc_touched *writes)
{
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_INVARIANT) continue;
        const twc_touched reads = twc_walk_reads(d->u.value.value);
        if (twc_walk_meets(&reads, writes)) return true;
    }
    return false;
}

/* ------------------------------------------------------------------ entries */

void twc_gen_entry_add(twc_gen *g, tw_entry entry, twc_span span)
{
    tw_module *m = g->m;
    const uint32_t count = m->entry_count + 1u;
    twc_gen_over_limit(g, span, "too many entries", count, TW_ENTRIES_MAX);
    if (g->failed || !twc_gen_grow(g, &m->entries, &g->entries_size, count, sizeof *m->entries)) {
        return;
    }
    m->entries[m->entry_count++] = entry;
}

/* The body as a function of its own, and the call of it. */
static uint16_t body_function(twc_gen *g, twc_decl *decl, const char *name)
{
    twc_entry *entry = decl->u.entry;
    twc_gen_start(g, name_of(g, name, "body"), decl->span);
    take_params(g, entry->params);
    twc_gen_homes(g, NULL, &entry->body);
    twc_gen_block(g, &entry->body);
    twc_emit_last(g, TW_OP_RET, 0, 0);
    return twc_gen_end(g);
}

static void call_body(twc_gen *g, uint16_t function)
{
    const uint32_t count = g->argument_slots;
    const uint32_t mark = g->top;
    const uint32_t base = twc_gen_slots_take(g, count);
    twc_emit_move(g, base, 0, count);
    twc_emit(g, TW_OP_CALL, base, 0, 0, function);
    g->top = mark;
}

static uint16_t entry_function(twc_gen *g, twc_decl *decl, const char *name)
{
    twc_entry *entry = decl->u.entry;
    const twc_touched writes = twc_walk_writes(entry);
    const bool guarded = any_invariant(g, &writes);
    const bool split = guarded && twc_walk_stops_in_loop(&entry->body);
    const uint16_t body = split ? body_function(g, decl, name) : 0;
    twc_label finish = twc_label_new();
    twc_gen_start(g, name, decl->span);
    take_params(g, entry->params);
    const twc_visit visit = {.expr = add_home, .data = g};
    twc_walk_header(&visit, entry);
    if (!split) twc_walk_block(&visit, &entry->body);
    if (decl->kind == TWC_D_ACTION) {
        callers(g, entry);
        others(g, entry);
        members(g, entry);
        g->at = entry->in != NULL ? entry->in->span.start : decl->name_span.start;
        in_phase(g, entry->phases);
    }
    twc_gen_needs(g, entry->needs);
    twc_gen_receives(g, entry);
    if (guarded && !split) g->finish = &finish;
    if (split) {
        call_body(g, body);
    } else {
        twc_gen_block(g, &entry->body);
    }
    twc_label_place(g, &finish);
    if (guarded) twc_gen_invariants(g, &writes);
    g->at = entry->body.span.end > 0 ? entry->body.span.end - 1 : g->at;
    twc_emit_last(g, TW_OP_RET, 0, 0);
    return twc_gen_end(g);
}

/* fn and view */
static uint16_t result_function(twc_gen *g, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    twc_gen_start(g, decl->word->text, decl->span);
    take_params(g, entry->params);
    g->result_slots = twc_gen_slots(g, entry->result);
    twc_gen_homes(g, NULL, &entry->body);
    if (decl->kind == TWC_D_VIEW) members(g, entry);
    twc_gen_block(g, &entry->body);
    return twc_gen_end(g);
}

static const char *entry_name(twc_gen *g, const twc_decl *decl)
{
    const twc_entry *entry = decl->u.entry;
    const char *delay =
        entry->delay != NULL ? twc_gen_text(g, entry->delay->span, NAME_MAX_SIZE) : "";
    if (decl->kind == TWC_D_RAISED) return name_of(g, entry->subject->word->text, "raised");
    if (decl->kind == TWC_D_CLEARED) return name_of(g, entry->subject->word->text, "cleared");
    if (decl->kind == TWC_D_EVERY) return name_of(g, "every", delay);
    if (decl->kind == TWC_D_AFTER) return name_of(g, "after", delay);
    if (decl->kind == TWC_D_SILENT) {
        return name_of(g, entry->subject->word->text, name_of(g, "silent for", delay));
    }
    return decl->word->text; /* action, view */
}

static void add_entry(twc_gen *g, twc_decl *decl, tw_entry_kind kind)
{
    twc_entry *entry = decl->u.entry;
    const bool view = kind == TW_ENTRY_VIEW;
    const char *name = entry_name(g, decl);
    entry->number = g->m->entry_count;
    tw_entry e = {.name = name,
                  .kind = (uint8_t)kind,
                  .of = TW_NONE,
                  .delay = TW_NONE,
                  .phases = view ? all_phases(g) : entry->phases,
                  .result = TW_NONE};
    if (kind == TW_ENTRY_RAISED || kind == TW_ENTRY_CLEARED || kind == TW_ENTRY_SILENT) {
        e.of = (uint16_t)entry->subject->index;
    }
    if (entry->delay != NULL) {
        e.delay = twc_gen_deployed(g, entry->delay);
        twc_gen_over_limit(g, decl->span, "too many deploy constants", e.delay, TW_NONE - 1);
    }
    g->span = decl->span;
    e.members = twc_gen_members(g, entry->params);
    if (view) e.result = twc_gen_type(g, entry->result);
    if (g->failed) return;
    e.function = view ? result_function(g, decl) : entry_function(g, decl, name);
    entry->function = e.function;
    twc_gen_entry_add(g, e, decl->span);
}

/* ------------------------------------------------------------------ deploy */

static void first_values(twc_gen *g, bool migrates)
{
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_VAR || !twc_gen_sets_first(g, d, migrates)) continue;
        const uint32_t mark = g->top;
        const uint32_t slots = twc_gen_slots(g, d->type);
        const uint32_t value = twc_gen_slots_take(g, slots);
        g->at = d->span.start;
        if (d->u.value.value != NULL) {
            twc_gen_into(g, d->u.value.value, value);
        } else {
            twc_emit_zero(g, value, slots);
        }
        twc_emit(g, TW_OP_STORE, value, 0, 0, d->index);
        g->top = mark;
    }
}

/* Deploy constants, checks, first values. */
static void establish(twc_gen *g, bool migrates)
{
    uint32_t check = 0;
    g->deployed_closed = true;
    for (uint16_t i = 0; i < g->m->deployed_count; i++) {
        const uint32_t mark = g->top;
        twc_emit(g, TW_OP_STC, twc_gen_value(g, g->deployed[i]), 0, 0, i);
        g->top = mark;
    }
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_CHECK) continue;
        twc_label holds = twc_label_new();
        twc_gen_branch(g, d->u.value.value, true, &holds);
        g->at = d->span.start;
        twc_emit_last(g, TW_OP_REFUSE, 0, check++);
        twc_label_place(g, &holds);
    }
    first_values(g, migrates);
}

static void deploy(twc_gen *g)
{
    twc_gen_start(g, "deploy", g->contract->name_span);
    establish(g, false);
    twc_gen_invariants(g, NULL);
    twc_emit_last(g, TW_OP_RET, 0, 0);
    g->m->entries[0].function = twc_gen_end(g);
}

/* After `deploy`, which closes the deploy constants. */
static void migrate(twc_gen *g, uint16_t entry)
{
    twc_decl *decl = g->contract->members;
    while (decl != NULL && decl->kind != TWC_D_MIGRATE) decl = decl->next;
    const uint16_t body = decl != NULL ? body_function(g, decl, "migrate") : 0;
    twc_gen_start(g, "migrate", g->contract->name_span);
    establish(g, true);
    if (decl != NULL) call_body(g, body);
    twc_gen_invariants(g, NULL);
    twc_emit_last(g, TW_OP_RET, 0, 0);
    g->m->entries[entry].function = twc_gen_end(g);
}

/* ------------------------------------------------------------------ all of them */

static uint16_t condition(twc_gen *g, const twc_expr *expr, const char *name, bool alarm)
{
    twc_gen_start(g, name, expr->span);
    g->result_slots = 1;
    g->condition = alarm;
    twc_gen_homes(g, expr, NULL);
    const uint32_t result = twc_gen_slots_take(g, 1); /* 0 from the start */
    twc_label end = twc_label_new();
    twc_gen_branch(g, expr, false, &end);
    twc_emit_constant(g, result, 1);
    twc_label_place(g, &end);
    twc_emit_last(g, TW_OP_RET, result, 0);
    return twc_gen_end(g);
}

static void rules(twc_gen *g)
{
    tw_module *m = g->m;
    for (twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind == TWC_D_FN) d->u.entry->function = result_function(g, d);
    }
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind == TWC_D_INVARIANT) {
            m->invariants[d->index].function = condition(g, d->u.value.value, d->word->text, false);
        }
        if (d->kind != TWC_D_ALARM) continue;
        tw_alarm *alarm = &m->alarms[d->index];
        alarm->raise = condition(g, d->u.alarm.raise, name_of(g, alarm->name, "raise"), true);
        alarm->clear = condition(g, d->u.alarm.clear, name_of(g, alarm->name, "clear"), true);
    }
}

static tw_entry_kind kind_of(twc_decl_kind kind)
{
    if (kind == TWC_D_ACTION) return TW_ENTRY_ACTION;
    if (kind == TWC_D_VIEW) return TW_ENTRY_VIEW;
    if (kind == TWC_D_RAISED) return TW_ENTRY_RAISED;
    if (kind == TWC_D_CLEARED) return TW_ENTRY_CLEARED;
    if (kind == TWC_D_SILENT) return TW_ENTRY_SILENT;
    if (kind == TWC_D_EVERY) return TW_ENTRY_EVERY;
    if (kind == TWC_D_AFTER) return TW_ENTRY_AFTER;
    return TW_ENTRY_KINDS;
}

bool twc_gen_has_entry(twc_decl_kind kind)
{
    return kind == TWC_D_FN || kind_of(kind) != TW_ENTRY_KINDS;
}

void twc_gen_functions(twc_gen *g)
{
    const tw_entry first = {.name = "deploy",
                            .kind = TW_ENTRY_DEPLOY,
                            .of = TW_NONE,
                            .delay = TW_NONE,
                            .phases = all_phases(g),
                            .result = TW_NONE};
    twc_gen_entry_add(g, first, g->contract->name_span);
    rules(g);
    for (twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        const tw_entry_kind kind = kind_of(d->kind);
        if (kind != TW_ENTRY_KINDS) add_entry(g, d, kind);
    }
    twc_gen_upgrade(g);
    const uint16_t upgraded = twc_gen_migrate_entry(g, all_phases(g));
    twc_gen_falls(g);
    if (!g->failed) deploy(g);
    if (!g->failed && upgraded != TW_NONE) migrate(g, upgraded);
}
