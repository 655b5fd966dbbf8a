/* check -- contracts one after another: names, types, phases, constants, bodies, tests, and what
 * only shows when all is known (unused names, readings that nobody watches). */
#include "compiler/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ reporting */

twc_diag *twc_check_fail(twc_check *c, twc_code code, twc_span span, const char *format, ...)
{
    char text[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return twc_diag_add(c->diags, code, span, "%s", text);
}

void twc_check_help(twc_check *c, twc_diag *diag, const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    twc_diag_help(c->diags, diag, "%s", text);
}

void twc_check_unsupported(twc_check *c, twc_code code, twc_span span, const char *what)
{
    const uint64_t bit = (uint64_t)1 << ((uint32_t)code % 64);
    if ((c->unsupported & bit) == 0) {
        twc_check_fail(c, code, span, "%s is not supported by this version of the compiler yet",
                       what);
    }
    c->unsupported |= bit;
}

/* Changes that turn one name into the other, at most `most` + 1 (Levenshtein). */
static uint32_t distance(const twc_word *a, const twc_word *b)
{
    uint32_t row[TW_NAME_SIZE_MAX + 1];
    for (uint32_t j = 0; j <= b->size; j++) row[j] = j;
    for (uint32_t i = 1; i <= a->size; i++) {
        uint32_t corner = row[0];
        row[0] = i;
        for (uint32_t j = 1; j <= b->size; j++) {
            const uint32_t change = corner + ((a->text[i - 1] | 0x20) != (b->text[j - 1] | 0x20));
            const uint32_t less = row[j - 1] < row[j] ? row[j - 1] : row[j];
            corner = row[j];
            row[j] = change < less + 1 ? change : less + 1;
        }
    }
    return row[b->size];
}

static void consider(const twc_word *word, const twc_decl *decl, const twc_decl **best,
                     uint32_t *best_distance)
{
    if (decl->word == NULL || decl->bad || decl->word == word) return;
    const uint32_t changes = distance(word, decl->word);
    if (changes >= *best_distance) return;
    *best = decl;
    *best_distance = changes;
}

static const twc_decl *similar(const twc_check *c, const twc_word *word)
{
    const twc_decl *best = NULL;
    uint32_t changes = word->size <= 3 ? 2 : word->size <= 6 ? 3 : 4;
    uint32_t looked = 0;
    for (const twc_decl *d = c->contract->members; d != NULL && looked < 1000; d = d->next) {
        consider(word, d, &best, &changes);
        looked++;
        if (d->kind != TWC_D_ENUM) continue;
        for (const twc_decl *v = d->u.fields.fields; v != NULL; v = v->next) {
            consider(word, v, &best, &changes);
        }
    }
    for (const twc_decl *p = c->contract->phases; p != NULL; p = p->next_same) {
        consider(word, p, &best, &changes);
    }
    for (const twc_decl *l = c->locals; l != NULL && looked < 2000; l = l->next_same, looked++) {
        consider(word, l, &best, &changes);
    }
    return best;
}

void twc_check_undeclared(twc_check *c, twc_word *word, twc_span span, const char *what)
{
    twc_decl *muted = TW_NEW(c->arena, twc_decl);
    if (muted == NULL) {
        c->diags->out_of_memory = true;
    } else { /* said once: further uses are silent */
        *muted = (twc_decl){.kind = TWC_D_VAR, .bad = true, .used = true, .type = c->error};
        muted->word = word;
        muted->next_same = c->muted;
        c->muted = muted;
        word->global = muted;
    }
    if (c->contract->broken && c->diags->error_count > 0) return;
    if (tw_unit_find(tw_bytes_of(word->text, word->size)) != NULL) {
        const bool second_half = c->unit_end + 1 == span.start; /* of `mm/s` */
        c->unit_end = span.end;
        if (!second_half) {
            twc_check_fail(c, TWC_DIAG_UNIT_ALONE, span, "a unit needs a number before it");
        }
        return;
    }
    twc_diag *diag =
        twc_check_fail(c, TWC_DIAG_UNDECLARED, span, "there is no %s `%s`", what, word->text);
    if (c->diags->error_count > TWC_ERRORS_MAX) return;
    const twc_decl *best = similar(c, word);
    if (best != NULL) {
        twc_check_help(c, diag, "did you mean `%s`?", best->word->text);
        twc_diag_second(diag, best->name_span, "declared here");
    }
}

twc_decl *twc_check_find(twc_check *c, twc_word *word, twc_span span, twc_decl_kind kind,
                         const char *what)
{
    if (word == NULL) return NULL;
    twc_decl *decl = word->global;
    if (decl == NULL) {
        twc_check_undeclared(c, word, span, strchr(what, ' ') + 1);
        return NULL;
    }
    decl->used = true;
    if (decl->kind == kind && !(decl->bad && decl->kind == TWC_D_VAR)) return decl;
    if (!decl->bad) {
        twc_diag *diag =
            twc_check_fail(c, TWC_DIAG_WRONG_KIND, span, "`%s` is not %s", word->text, what);
        twc_diag_second(diag, decl->name_span, "declared here");
    }
    return NULL;
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
    if (!silent || condition->type == c->error || c->contract->broken) return;
    twc_diag *diag =
        twc_check_fail(c, TWC_DIAG_NO_READING, condition->span,
                       "the condition reads no reading, so it would never be looked at");
    twc_check_help(c, diag, "an alarm is evaluated after each accepted reading it depends on");
}

static void check_member(twc_check *c, twc_decl *decl)
{
    c->facts = NULL;
    if (decl->broken) return;
    switch (decl->kind) {
    case TWC_D_CHECK:
        c->can = TWC_CAN_PARAM;
        c->where = "a check";
        decl->u.value.value = twc_check_bool(c, decl->u.value.value, "a check");
        if (decl->u.value.value->constant && decl->u.value.value->value == 0) {
            twc_check_fail(c, TWC_DIAG_ALWAYS_TRAPS, decl->u.value.value->span,
                           "this is never true, so every deploy would be refused");
        }
        break;
    case TWC_D_INVARIANT:
        c->can = TWC_CAN_PARAM | TWC_CAN_VAR | TWC_CAN_PHASE;
        c->where = "an invariant";
        decl->u.value.value = twc_check_bool(c, decl->u.value.value, "an invariant");
        break;
    case TWC_D_ALARM: check_alarm(c, decl); break;
    case TWC_D_RAISED:
    case TWC_D_CLEARED:
    case TWC_D_SILENT:
    case TWC_D_EVERY:
    case TWC_D_AFTER:
    case TWC_D_ACTION:
    case TWC_D_VIEW:
    case TWC_D_FN: twc_check_entry(c, decl); break;
    case TWC_D_TEST:
    case TWC_D_CURRENCY:
    case TWC_D_TOKEN:
    case TWC_D_ROLE:
    case TWC_D_PARAM:
    case TWC_D_READING:
    case TWC_D_RECORD:
    case TWC_D_ASSET:
    case TWC_D_ENUM:
    case TWC_D_ENUM_VALUE:
    case TWC_D_VAR:
    case TWC_D_MAP:
    case TWC_D_REGISTRY:
    case TWC_D_PURSE:
    case TWC_D_PHASE:
    case TWC_D_EVENT:
    case TWC_D_ERROR:
    case TWC_D_HISTORY:
    case TWC_D_UPGRADE:
    case TWC_D_MIGRATE:
    case TWC_D_EXPORT:
    case TWC_D_FIELD:
    case TWC_D_LOCAL:
    case TWC_D_BUILTIN_VALUE: break;
    }
}

/* ------------------------------------------------------------------ warnings */

static bool should_be_used(const twc_decl *decl)
{
    static const twc_decl_kind kinds[] = {
        TWC_D_ROLE, TWC_D_PARAM, TWC_D_RECORD, TWC_D_ENUM,  TWC_D_VAR,
        TWC_D_FN,   TWC_D_EVENT, TWC_D_ERROR,  TWC_D_ALARM,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (decl->kind == kinds[i]) return true;
    }
    return false;
}

static void warn(twc_check *c)
{
    uint64_t watched_by_alarm = 0;
    const twc_contract *contract = c->contract;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_ALARM) watched_by_alarm |= d->u.alarm.readings;
    }
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->bad || d->word == NULL) continue;
        if (!d->used && should_be_used(d) && d->word->text[0] != '_') {
            twc_diag *diag =
                twc_check_fail(c, TWC_DIAG_UNUSED, d->name_span, "`%s` is not used", d->word->text);
            twc_check_help(c, diag, "remove it");
        }
        if (d->kind != TWC_D_READING) continue;
        if (watched_by_alarm >> (d->index % 64) & 1 && !d->u.reading.watched) {
            twc_diag *diag = twc_check_fail(
                c, TWC_DIAG_NOT_WATCHED, d->name_span,
                "an alarm relies on `%s`, but nothing happens when it falls silent", d->word->text);
            twc_check_help(c, diag, "add `on %s silent for 15 min { ... }`", d->word->text);
        }
        twc_decl *role = d->u.reading.role;
        if (role != NULL && !role->u.role.granted && !role->bad) {
            twc_diag *diag =
                twc_check_fail(c, TWC_DIAG_NOT_REPLACEABLE, role->name_span,
                               "the sensor `%s` can never be replaced", role->word->text);
            twc_check_help(c, diag, "add an action that does `revoke %s from` and `grant %s to`",
                           role->word->text, role->word->text);
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

static void check_contract(twc_check *c, twc_contract *contract)
{
    open_contract(c, contract);
    twc_check_declare(c);
    twc_check_types(c);
    twc_check_phases(c);
    twc_check_constants(c);
    for (twc_decl *d = contract->members; d != NULL; d = d->next) check_member(c, d);
    for (twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind == TWC_D_TEST && !d->broken) twc_check_test(c, d);
    }
    twc_check_histories(c);
    if (!contract->broken && c->unsupported == 0) warn(c);
    forget_names(c);
}

static void make_types(twc_check *c)
{
    c->error = twc_type_of(&c->types, TWC_TYPE_ERROR);
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

void twc_check_program(twc_program *program, tw_arena *arena, twc_words *words, twc_diags *diags)
{
    twc_check *c = TW_NEW(arena, twc_check);
    if (c == NULL) {
        diags->out_of_memory = true;
        return;
    }
    c->arena = arena;
    c->diags = diags;
    c->words = words;
    c->types.arena = arena;
    c->program = program;
    make_types(c);
    if (program->imports != NULL) {
        twc_check_unsupported(c, TWC_DIAG_NO_IMPORT, program->imports->span, "`import`");
    }
    for (twc_contract *k = program->contracts; k != NULL; k = k->next) {
        for (const twc_contract *other = program->contracts; other != k; other = other->next) {
            if (other->word != k->word || other->version != k->version || k->word == NULL) continue;
            twc_diag *diag = twc_check_fail(c, TWC_DIAG_DUPLICATE, k->name_span,
                                            "contract %s version %u is declared twice",
                                            k->word->text, k->version);
            twc_diag_second(diag, other->name_span, "first declared here");
            break;
        }
        if (diags->out_of_memory) return;
        check_contract(c, k);
    }
}
