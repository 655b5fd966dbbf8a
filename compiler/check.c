/* check -- contracts one after another: names, types, phases, constants, bodies, tests, and what
 * only shows when all is known (unused names, readings that nobody watches). */
#include "compiler/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ reporting */

static void report(twc_check *c, twc_code code, twc_span span, const twc_decl *decl,
                   const char *format, va_list arguments)
{
    char text[800];
    vsnprintf(text, sizeof text, format, arguments);
    twc_diag *diag = twc_diag_add(c->diags, code, span, "%s", text);
    if (decl != NULL && decl->name_span.end > 0) {
        twc_diag_second(diag, decl->name_span, "declared here");
    }
}

void twc_check_fail(twc_check *c, twc_code code, twc_span span, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(c, code, span, NULL, format, arguments);
    va_end(arguments);
}

void twc_check_fail_at(twc_check *c, twc_code code, twc_span span, const twc_decl *decl,
                       const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(c, code, span, decl, format, arguments);
    va_end(arguments);
}

twc_expr *twc_check_refuse(twc_check *c, twc_expr *expr, twc_code code, twc_span span,
                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(c, code, span, NULL, format, arguments);
    va_end(arguments);
    return twc_check_is_error(c, expr);
}

const char *twc_check_text(twc_check *c, const twc_type *type)
{
    char text[80];
    twc_type_print(type, text, sizeof text);
    const char *copy = tw_arena_copy(c->arena, text, strlen(text));
    return copy != NULL ? copy : "a type";
}

/* What the author may have meant: the nearest name among the first of the contract's. */
static const twc_decl *similar(const twc_check *c, const twc_word *word)
{
    const twc_decl *const lists[] = {c->contract->members, c->contract->phases, c->locals};
    const twc_decl *best = NULL;
    uint32_t least = word->size <= 3 ? 2 : word->size <= 6 ? 3 : 4;
    uint32_t looked = 0;
    for (int i = 0; i < 3; i++) {
        const twc_decl *next = NULL;
        for (const twc_decl *d = lists[i]; d != NULL && looked < 3000; d = next, looked++) {
            next = i == 0 ? d->next : d->next_same;
            if (d->word == NULL || d->bad || d->word == word) continue;
            const uint32_t changes = twc_word_distance(word->text, d->word->text);
            if (changes < least) best = d;
            if (changes < least) least = changes;
        }
    }
    return best;
}

void twc_check_undeclared(twc_check *c, twc_word *word, twc_span span, const char *what)
{
    twc_decl *muted = TW_NEW(c->arena, twc_decl);
    if (muted != NULL) { /* said once: further uses are silent */
        *muted = (twc_decl){.kind = TWC_D_VAR, .bad = true, .used = true, .type = c->error};
        muted->word = word;
        muted->next_same = c->muted;
        c->muted = muted;
        word->global = muted;
    }
    if (c->contract->broken && c->diags->error_count > 0) return;
    if (strncmp(word->text, "old.", 4) == 0 && !c->migrating) {
        twc_check_fail(c, TWC_DIAG_OLD_OUTSIDE, span, "`old` is there only in `migrate`");
        return;
    }
    if (tw_unit_find(tw_bytes_of(word->text, word->size)) != NULL) {
        const bool second_half = c->unit_end + 1 == span.start; /* of `mm/s` */
        c->unit_end = span.end;
        if (!second_half) {
            twc_check_fail(c, TWC_DIAG_UNIT_ALONE, span, "a unit needs a number before it");
        }
        return;
    }
    const twc_decl *best = c->diags->error_count < TWC_ERRORS_MAX ? similar(c, word) : NULL;
    twc_check_fail_at(c, TWC_DIAG_UNDECLARED, span, best, "there is no %s `%s`\n%s%s%s", what,
                      word->text, best != NULL ? "did you mean `" : "",
                      best != NULL ? best->word->text : "", best != NULL ? "`?" : "");
}

twc_decl *twc_check_find(twc_check *c, twc_word *word, twc_span span, twc_decl_kind kind)
{
    bool mention = false;
    const char *what = twc_check_kind(kind, &mention);
    twc_decl *decl = word != NULL ? word->global : NULL;
    if (decl == NULL) {
        if (word != NULL) twc_check_undeclared(c, word, span, what);
        return NULL;
    }
    decl->used = true;
    if (decl->kind == kind && !(decl->bad && decl->kind == TWC_D_VAR)) return decl;
    if (!decl->bad) {
        twc_check_fail_at(c, TWC_DIAG_WRONG_KIND, span, decl, "`%s` is no %s", word->text, what);
    }
    return NULL;
}

bool twc_check_may(twc_check *c, twc_span span, uint32_t can)
{
    static const char *const what[] = {"params",
                                       "the contract's state",
                                       "the phase",
                                       "readings",
                                       "alarms",
                                       "the clock",
                                       "`caller`",
                                       "roles",
                                       "what changes the contract",
                                       "what only tests know",
                                       "balances and supplies: they change without the contract"};
    if ((c->can & can) != 0) return true;
    uint32_t bit = 0;
    while ((can >> bit & 1) == 0) bit++;
    twc_check_fail(c, TWC_DIAG_NOT_HERE, span, "%s can't use %s", c->where, what[bit]);
    return false;
}

/* ------------------------------------------------------------------ conditions */

static void check_alarm(twc_check *c, twc_decl *decl)
{
    c->can = TWC_CAN_PARAM | TWC_CAN_READING;
    c->where = "an alarm";
    c->readings = 0;
    decl->u.alarm.raise = twc_check_bool(c, decl->u.alarm.raise, "the raise condition");
    const uint64_t raise = c->readings;
    c->readings = 0;
    decl->u.alarm.clear = twc_check_bool(c, decl->u.alarm.clear, "the clear condition");
    const uint64_t clear = c->readings;
    decl->u.alarm.readings = raise | clear;
    const twc_expr *condition = raise == 0 ? decl->u.alarm.raise : decl->u.alarm.clear;
    const bool silent = raise == 0 || clear == 0;
    if (!silent) twc_check_alarm_apart(c, decl);
    if (!silent || condition->type == c->error || c->contract->broken) return;
    twc_check_fail(c, TWC_DIAG_NO_READING, condition->span,
                   "the condition reads no reading, so it would never be looked at\nan alarm is "
                   "evaluated after each accepted reading it depends on");
}

static void check_member(twc_check *c, twc_decl *decl)
{
    const twc_decl_kind kind = decl->kind;
    c->facts = NULL;
    if (decl->broken) return;
    if (kind == TWC_D_CHECK || kind == TWC_D_INVARIANT) {
        const bool check = kind == TWC_D_CHECK;
        c->can = check ? TWC_CAN_PARAM : TWC_CAN_PARAM | TWC_CAN_VAR | TWC_CAN_PHASE;
        c->where = check ? "a check" : "an invariant";
        twc_expr *value = twc_check_bool(c, decl->u.value.value, c->where);
        decl->u.value.value = value;
        if (check && value->constant && value->value == 0) {
            twc_check_fail(c, TWC_DIAG_ALWAYS_TRAPS, value->span,
                           "this is never true, so every deploy would be refused");
        }
    } else if (kind == TWC_D_ALARM) {
        check_alarm(c, decl);
    } else if (kind >= TWC_D_RAISED && kind <= TWC_D_FN) {
        twc_check_entry(c, decl);
    } else if (kind == TWC_D_UPGRADE) {
        twc_check_upgrade(c, decl);
    } else if (kind == TWC_D_EXPORT) {
        twc_check_export(c, decl);
    } else if (kind == TWC_D_MIGRATE) {
        twc_check_migrate(c, decl);
    }
}

/* ------------------------------------------------------------------ warnings */

static void warn(twc_check *c)
{
    uint64_t watched_by_alarm = 0;
    const twc_contract *contract = c->contract;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_ALARM) watched_by_alarm |= d->u.alarm.readings;
    }
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->bad || d->word == NULL) continue;
        bool mention = false;
        (void)twc_check_kind(d->kind, &mention);
        if (!d->used && mention && d->word->text[0] != '_') {
            twc_check_fail(c, TWC_DIAG_UNUSED, d->name_span, "`%s` is not used\nremove it",
                           d->word->text);
        }
        if (d->kind != TWC_D_READING) continue;
        if (watched_by_alarm >> (d->index % 64) & 1 && !d->u.reading.watched &&
            !d->u.reading.per_device) {
            twc_check_fail(c, TWC_DIAG_NOT_WATCHED, d->name_span,
                           "an alarm relies on `%s`, but nothing happens when it falls silent\nadd "
                           "`on %s silent for 15 min { ... }`",
                           d->word->text, d->word->text);
        }
        twc_decl *role = d->u.reading.role;
        if (role != NULL && !role->u.role.granted && !role->bad) {
            twc_check_fail(c, TWC_DIAG_NOT_REPLACEABLE, role->name_span,
                           "the sensor `%s` can never be replaced\nadd an action that does `revoke "
                           "%s from` and `grant %s to`",
                           role->word->text, role->word->text, role->word->text);
        }
    }
}

/* ------------------------------------------------------------------ contracts */

static void forget_names(twc_check *c)
{
    for (twc_decl *d = c->contract->members; d != NULL; d = d->next) {
        if (d->word != NULL) d->word->global = NULL;
        if (d->kind != TWC_D_ENUM) continue;
        for (twc_decl *v = d->u.fields.fields; v != NULL; v = v->next) {
            if (v->word != NULL) v->word->global = NULL;
        }
    }
    for (twc_decl *p = c->contract->phases; p != NULL; p = p->next_same) {
        if (p->word != NULL) p->word->global = NULL;
    }
    for (twc_decl *h = c->contract->histories; h != NULL; h = h->next_same) {
        h->word->history = NULL;
    }
    for (twc_decl *m = c->muted; m != NULL; m = m->next_same) m->word->global = NULL;
}

static void open_contract(twc_check *c, twc_contract *contract)
{
    static const char *const names[] = {"now", "caller", "phase", "time_in_phase"};
    const twc_type *const types[] = {c->time, c->account, c->phase, c->duration};
    c->contract = contract;
    c->histories = NULL;
    c->muted = NULL;
    for (uint32_t i = 0; i < TWC_V_COUNT; i++) {
        c->values[i] = (twc_decl){.kind = TWC_D_BUILTIN_VALUE, .index = i, .type = types[i]};
        c->values[i].used = true;
        c->values[i].word = twc_word_of(c->words, names[i], strlen(names[i]));
    }
}

static void check_contract(twc_check *c, twc_contract *contract, const twc_program *program)
{
    const twc_program *file = NULL;
    if (contract->checked) return;
    contract->checked = true;
    contract->old = twc_check_older(c, contract, program, &file);
    if (contract->old != NULL) { /* of lower version, so this ends */
        c->used_files |= file->number > 0 ? (uint64_t)1 << file->number : 0;
        contract->old->superseded = true;
        check_contract(c, contract->old, file);
    }
    const uint32_t errors = c->diags->error_count;
    open_contract(c, contract);
    if (contract->library) twc_check_library(c);
    twc_check_bring(c, program);
    twc_check_declare(c);
    twc_check_types(c);
    twc_check_phases(c);
    twc_check_constants(c);
    twc_check_old(c);
    for (twc_decl *d = contract->members; d != NULL; d = d->next) check_member(c, d);
    for (twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_TEST && !d->broken) twc_check_test(c, d);
    }
    twc_check_histories(c);
    if (c->diags->error_count == errors && !contract->broken) {
        twc_check_stuck(c);
        const bool good = c->diags->error_count == errors; /* money first: one error for one slip */
        if (good && !contract->superseded) twc_check_ways(c);
    }
    if (!contract->broken && !contract->library && !contract->superseded) {
        warn(c);
    }
    forget_names(c);
}

static void make_types(twc_check *c)
{
    c->error = twc_type_of(&c->types, TWC_TYPE_ERROR);
    c->types.error = c->error;
    c->nothing = twc_type_of(&c->types, TWC_TYPE_NOTHING);
    c->none = twc_type_of(&c->types, TWC_TYPE_NONE);
    c->boolean = twc_type_of(&c->types, TWC_TYPE_BOOL);
    c->integer = twc_type_number(&c->types, TW_DIM_INT);
    c->dec = twc_type_number(&c->types, TW_DIM_DEC);
    c->percent = twc_type_number(&c->types, TW_DIM_PERCENT);
    c->duration = twc_type_number(&c->types, TW_DIM_DURATION);
    c->time = twc_type_number(&c->types, TW_DIM_TIME);
    c->account = twc_type_of(&c->types, TWC_TYPE_ACCOUNT);
    c->hash = twc_type_of(&c->types, TWC_TYPE_HASH);
    c->twin = twc_type_of(&c->types, TWC_TYPE_TWIN_ID);
    c->phase = twc_type_of(&c->types, TWC_TYPE_PHASE);
}

/* Each imported library by itself, behind those that it imports. */
static void check_imports(twc_check *c)
{
    const uint32_t errors = c->diags->error_count;
    twc_check_collect(c);
    for (uint32_t i = 0; i < c->program->file_count; i++) {
        const twc_program *file = c->program->files[i];
        for (twc_contract *k = file->contracts; k != NULL; k = k->next) {
            if (k->library && !tw_arena_failed(c->arena)) check_contract(c, k, file);
        }
    }
    c->used_files = 0;
    c->program->unsound |= c->diags->error_count > errors;
}

/* What a newer version migrates from is kept for its state: it gets no warnings. */
static void find_superseded(twc_check *c)
{
    uint32_t count = 0;
    twc_contract *k = c->program->contracts;
    for (; k != NULL && count < TW_NAMES_MAX; k = k->next, count++) {
        const twc_program *file = NULL;
        twc_contract *older = twc_check_older(c, k, c->program, &file);
        if (older != NULL) older->superseded = true;
    }
}

void twc_check_program(twc_program *program, tw_arena *arena, twc_words *words, twc_diags *diags)
{
    twc_check *c = TW_NEW(arena, twc_check);
    if (c == NULL) return;
    c->arena = arena;
    c->diags = diags;
    c->words = words;
    c->types.arena = arena;
    c->program = program;
    make_types(c);
    check_imports(c);
    if (program->unsound) return; /* names may be missing */
    find_superseded(c);
    uint32_t count = 0;
    for (twc_contract *k = program->contracts; k != NULL; k = k->next) {
        for (const twc_contract *other = program->contracts; other != k; other = other->next) {
            if (other->word != k->word || other->version != k->version || k->word == NULL) continue;
            twc_check_fail(c, TWC_DIAG_DUPLICATE, k->name_span,
                           "contract %s version %u is declared twice", k->word->text, k->version);
            break;
        }
        if (++count > TW_NAMES_MAX) {
            twc_check_fail(c, TWC_DIAG_OVER_LIMIT, k->name_span, "a file has at most %d contracts",
                           TW_NAMES_MAX);
        }
        if (tw_arena_failed(arena) || count > TW_NAMES_MAX) return;
        check_contract(c, k, program);
        if (c->types.full && diags->error_count == 0) {
            twc_check_fail(c, TWC_DIAG_OVER_LIMIT, k->name_span,
                           "a file has at most %d different types", TW_TYPES_MAX);
        }
    }
    twc_check_unused_imports(c);
}
