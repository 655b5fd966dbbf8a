/* check_stmt -- statements, blocks, and the entries they stand in. */
#include "compiler/check.h"

#include <assert.h>

/* ------------------------------------------------------------------ scopes */

void twc_check_local(twc_check *c, twc_decl *decl)
{
    twc_word *word = decl->word;
    if (word == NULL || decl->bad) return;
    const twc_decl *other = word->local != NULL ? word->local : word->global;
    /* a library's fn means the same in every contract, whatever the names there */
    const bool library = c->function != NULL && c->function->library;
    if (library && word->local == NULL) other = NULL;
    if (other != NULL && !(other->bad && other->name_span.end == 0)) {
        twc_check_fail_at(c, TWC_DIAG_SHADOWING, decl->name_span, other,
                          "`%s` is already the name of something here", word->text);
        if (word->local != NULL) return;
    } else if (twc_check_word_is(word, "now") || twc_check_word_is(word, "caller") ||
               twc_check_word_is(word, "phase") || twc_check_word_is(word, "time_in_phase") ||
               (c->migrating && twc_check_word_is(word, "old"))) {
        twc_check_fail(c, TWC_DIAG_RESERVED, decl->name_span,
                       "`%s` means something in every contract", word->text);
    }
    word->local = decl;
    decl->next_same = c->locals;
    c->locals = decl;
}

void twc_check_scope_end(twc_check *c, twc_decl *locals)
{
    while (c->locals != locals) {
        twc_decl *decl = c->locals;
        c->locals = decl->next_same;
        decl->word->local = NULL;
        if (decl->used || c->contract->broken) continue;
        twc_check_fail(c, TWC_DIAG_UNUSED, decl->name_span, "`%s` is not used\nremove it",
                       decl->word->text);
    }
}

/* ------------------------------------------------------------------ statements */

static void check_let(twc_check *c, twc_stmt *stmt)
{
    twc_decl *decl = stmt->u.let.decl;
    twc_expr *value = decl->u.value.value;
    decl->type = c->error;
    if (decl->type_name != NULL) {
        decl->type = twc_check_type(c, decl->type_name);
        value = twc_check_value(c, value, decl->type, "the value");
    } else {
        value = twc_check_expr(c, value, NULL);
        decl->type = value->type;
        if (value->type == c->none) {
            twc_check_fail(c, TWC_DIAG_UNKNOWN_TYPE, value->span,
                           "nothing says of what type this `none` is");
            decl->type = c->error;
        }
    }
    decl->u.value.value = value;
    twc_check_local(c, decl);
}

static void check_assign(twc_check *c, twc_stmt *stmt)
{
    twc_expr *place = twc_check_raw(c, stmt->u.assign.place, NULL);
    stmt->u.assign.place = place;
    if (!twc_check_change(c, place)) {
        stmt->u.assign.value = twc_check_expr(c, stmt->u.assign.value, place->type);
        return;
    }
    if (stmt->u.assign.op == TWC_OP_NONE) {
        stmt->u.assign.value = twc_check_value(c, stmt->u.assign.value, place->type, "the value");
        c->facts = twc_flow_forget(c, c->facts, place);
        return;
    }
    twc_expr *both = TW_NEW(c->arena, twc_expr);
    if (both == NULL) return;
    *both =
        (twc_expr){.kind = TWC_E_BINARY, .span = stmt->span, .mark = stmt->u.assign.value->span};
    both->u.binary.op = stmt->u.assign.op;
    both->u.binary.left = twc_check_narrow(c, place);
    both->u.binary.right = twc_check_expr(c, stmt->u.assign.value, NULL);
    stmt->u.assign.value = both->u.binary.right;
    both = twc_check_arith(c, both);
    c->facts = twc_flow_forget(c, c->facts, place);
    if (both->type == c->error) return;
    stmt->u.assign.combined = twc_check_convert(c, both, place->type);
    if (stmt->u.assign.combined == NULL) {
        twc_check_mismatch(c, stmt->u.assign.value->span, "the sum", place->type, both->type);
    }
}

/* What is known behind an if or match: what holds on each of the ways there. */
typedef struct ways {
    const twc_fact *facts;
    const twc_decl *gone;
    bool any;
} ways;

static void join(twc_check *c, ways *after)
{
    after->facts = after->any ? twc_flow_common(c, after->facts, c->facts) : c->facts;
    if (c->gone != NULL) after->gone = c->gone;
    after->any = true;
}

static bool check_if(twc_check *c, twc_stmt *stmt)
{
    const twc_fact *current = c->facts;
    ways after = {0};
    bool otherwise = false;
    for (twc_arm *arm = stmt->u.branch.arms; arm != NULL; arm = arm->next) {
        c->facts = current;
        c->gone = NULL;
        if (arm->condition != NULL) {
            arm->condition = twc_check_bool(c, arm->condition, "the condition");
            c->facts = twc_flow_learn(c, current, arm->condition, true);
            current = twc_flow_learn(c, current, arm->condition, false);
        }
        otherwise = arm->condition == NULL;
        if (twc_check_block(c, &arm->body)) join(c, &after);
    }
    if (!otherwise) {
        c->facts = current;
        c->gone = NULL;
        join(c, &after);
    }
    c->facts = after.facts;
    c->gone = after.gone;
    return after.any;
}

/* The number of the value that an arm names; -1 after an error. */
static int64_t arm_value(twc_check *c, twc_arm *arm, const twc_type *type)
{
    if (type->kind == TWC_TYPE_OPTIONAL) {
        if (arm->binder != NULL) return 1;
        if (arm->name->keyword == TWC_W_none) return 0;
    } else if (arm->name != NULL) {
        twc_decl *decl = arm->name->global;
        const bool phase = type == c->phase && decl != NULL && decl->kind == TWC_D_PHASE;
        const bool value = decl != NULL && decl->kind == TWC_D_ENUM_VALUE && decl->type == type;
        if (phase || value) {
            decl->used = true;
            return decl->index < TW_NAMES_MAX ? (int64_t)decl->index : -1; /* too many, as said */
        }
    }
    twc_check_fail(c, TWC_DIAG_MATCH_ARM, arm->span, "this is no value of %s",
                   twc_check_text(c, type));
    return -1;
}

/* Says which value has no arm. */
static void check_exhaustive(twc_check *c, const twc_stmt *stmt, const twc_type *type,
                             const uint64_t seen[TW_NAMES_MAX / 64])
{
    const twc_decl *value = type->kind == TWC_TYPE_ENUM ? type->decl->u.fields.fields
                            : type == c->phase          ? c->contract->phases
                                                        : NULL;
    const uint32_t count = type->kind == TWC_TYPE_ENUM ? type->decl->u.fields.count
                           : type == c->phase          ? c->contract->phase_count
                                                       : 2;
    for (uint32_t i = 0; i < count && i < TW_NAMES_MAX; i++) {
        if ((seen[i / 64] >> (i % 64) & 1) == 0) {
            const char *name = type->kind != TWC_TYPE_OPTIONAL ? value->word->text
                               : i == 0                        ? "none"
                                                               : "some x";
            twc_check_fail(c, TWC_DIAG_NOT_EXHAUSTIVE, stmt->u.match.value->span,
                           "the match does not say what happens for `%s`\nadd an arm `%s { ... }`",
                           name, name);
            return;
        }
        if (value != NULL) value = type == c->phase ? value->next_same : value->next;
    }
}

static bool check_match(twc_check *c, twc_stmt *stmt)
{
    twc_expr *value = twc_check_raw(c, stmt->u.match.value, NULL);
    const twc_type *type = value->type;
    uint64_t seen[TW_NAMES_MAX / 64] = {0};
    ways after = {0};
    bool good = type->kind == TWC_TYPE_OPTIONAL || type->kind == TWC_TYPE_ENUM || type == c->phase;
    stmt->u.match.value = value;
    if (!good && type != c->error) {
        twc_check_fail(c, TWC_DIAG_MATCH_ARM, value->span, "%s can't be matched",
                       twc_check_text(c, type));
    }
    const twc_fact *before = c->facts;
    for (twc_arm *arm = stmt->u.match.arms; arm != NULL; arm = arm->next) {
        twc_decl *locals = c->locals;
        c->facts = before;
        c->gone = NULL;
        const int64_t number = good ? arm_value(c, arm, type) : -1;
        arm->value = number;
        if (number < 0) {
            good = false;
        } else if (seen[number / 64] >> (number % 64) & 1) {
            twc_check_fail(c, TWC_DIAG_MATCH_ARM, arm->span, "there is an arm for this already");
        } else {
            seen[number / 64] |= (uint64_t)1 << (number % 64);
        }
        if (arm->binder != NULL) {
            arm->binder->type = good ? type->element : c->error;
            if (good) c->facts = twc_flow_add(c, before, value);
            twc_check_local(c, arm->binder);
        }
        if (number >= 0 && twc_check_block(c, &arm->body)) join(c, &after);
        twc_check_scope_end(c, locals);
    }
    if (good && !c->contract->broken) check_exhaustive(c, stmt, type, seen);
    c->facts = after.facts;
    c->gone = after.gone;
    return after.any || stmt->u.match.arms == NULL;
}

/* The event or error of this name, its arguments checked. */
static twc_decl *check_named(twc_check *c, twc_word *word, twc_span span, twc_decl_kind kind,
                             twc_arg **args)
{
    twc_decl *decl = twc_check_find(c, word, span, kind);
    if (decl == NULL || decl->bad) return decl;
    twc_check_args(c, args, decl->u.fields.fields, span, decl->word->text);
    return decl;
}

static void check_needs(twc_check *c, twc_stmt *stmt)
{
    twc_expr *condition = twc_check_bool(c, stmt->u.needs.condition, "what stands behind `needs`");
    stmt->u.needs.condition = condition;
    const twc_fact *before = c->facts;
    if (stmt->u.needs.error != NULL) {
        c->facts = twc_flow_learn(c, before, condition, false);
        stmt->u.needs.decl = check_named(c, stmt->u.needs.error, stmt->u.needs.error_span,
                                         TWC_D_ERROR, &stmt->u.needs.args);
    }
    c->facts = twc_flow_learn(c, before, condition, true);
}

static void check_notice(twc_check *c, twc_stmt *stmt)
{
    const bool event = stmt->kind == TWC_S_EMIT;
    if (event && !twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    stmt->u.notice.decl = check_named(c, stmt->u.notice.word, stmt->u.notice.span,
                                      event ? TWC_D_EVENT : TWC_D_ERROR, &stmt->u.notice.args);
}

static void check_go(twc_check *c, twc_stmt *stmt)
{
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    twc_decl *phase = twc_check_find(c, stmt->u.go.word, stmt->u.go.span, TWC_D_PHASE);
    stmt->u.go.phase = phase;
    if (phase == NULL || c->entry == NULL || c->contract->broken) return;
    const twc_decl *from = c->contract->phases;
    for (; from != NULL; from = from->next_same) {
        if ((c->entry->phases >> from->index & 1) == 0) continue;
        if (from->word == NULL || from->u.phase.arrows >> phase->index & 1) continue;
        twc_check_fail_at(c, TWC_DIAG_NO_ARROW, stmt->u.go.span, c->contract->phases,
                          "there is no arrow `%s -> %s`, and this can run in %s\n%s",
                          from->word->text, phase->word->text, from->word->text,
                          c->entry->in != NULL ? "add the arrow, or leave the phase out behind `in`"
                                               : "say behind `in` in which phases this runs");
        return;
    }
}

static void check_grant(twc_check *c, twc_stmt *stmt)
{
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    twc_decl *role = twc_check_find(c, stmt->u.grant.word, stmt->u.grant.span, TWC_D_ROLE);
    stmt->u.grant.role = role;
    stmt->u.grant.account = twc_check_value(c, stmt->u.grant.account, c->account, "the account");
    if (role != NULL) c->facts = twc_flow_forget_role(c, c->facts, role);
}

static void check_return(twc_check *c, twc_stmt *stmt)
{
    if (c->result != NULL) {
        stmt->u.value = twc_check_value(c, stmt->u.value, c->result, "the result");
        return;
    }
    twc_check_fail(c, TWC_DIAG_NOT_HERE, stmt->span, "%s returns nothing\n`stop` ends an entry",
                   c->where);
}

/* ------------------------------------------------------------------ history */

static twc_arg *argument_named(twc_arg *args, const twc_word *word)
{
    while (args != NULL && args->name != word) args = args->next;
    return args;
}

/* The first use of a kind declares its fields. */
static void declare_history(twc_check *c, twc_stmt *stmt)
{
    twc_decl *decl = TW_NEW(c->arena, twc_decl);
    if (decl == NULL) return;
    *decl = (twc_decl){.kind = TWC_D_HISTORY, .word = stmt->u.notice.word, .used = true};
    decl->name_span = stmt->u.notice.span;
    decl->contract = c->contract;
    decl->type = c->nothing;
    twc_decl **at = &decl->u.fields.fields;
    for (twc_arg *arg = stmt->u.notice.args; arg != NULL; arg = arg->next) {
        twc_decl *field = TW_NEW(c->arena, twc_decl);
        if (field == NULL) return;
        *field = (twc_decl){.kind = TWC_D_FIELD, .word = arg->name, .type = arg->value->type};
        field->name_span = arg->span;
        field->index = decl->u.fields.count++;
        *at = field;
        at = &field->next;
    }
    stmt->u.notice.word->history = decl;
    stmt->u.notice.decl = decl;
    if (c->contract->history_count >= TW_NAMES_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, decl->name_span,
                       "a contract has at most %d kinds of history", TW_NAMES_MAX);
        return;
    }
    decl->index = c->contract->history_count++;
    twc_decl **last = &c->contract->histories;
    while (*last != NULL) last = &(*last)->next_same;
    *last = decl;
}

/* A later use has the same fields; their types widen to hold both. */
static void match_history(twc_check *c, twc_stmt *stmt, twc_decl *decl)
{
    uint32_t count = 0;
    bool same = true;
    for (twc_arg *arg = stmt->u.notice.args; arg != NULL; arg = arg->next) count++;
    for (twc_decl *field = decl->u.fields.fields; field != NULL && same; field = field->next) {
        const twc_arg *arg = argument_named(stmt->u.notice.args, field->word);
        const twc_expr before = {.kind = TWC_E_ERROR, .type = field->type};
        const twc_type *type = arg != NULL ? twc_check_common(c, &before, arg->value) : NULL;
        if (type != NULL) field->type = type;
        same = type != NULL;
    }
    if (same && count == decl->u.fields.count) return;
    twc_check_fail_at(c, TWC_DIAG_HISTORY, stmt->u.notice.span, decl,
                      "history %s has other fields elsewhere\nall entries of a kind have the same "
                      "fields of the same types",
                      decl->word->text);
}

static void check_history(twc_check *c, twc_stmt *stmt)
{
    if (!twc_check_may(c, stmt->span, TWC_CAN_WRITE)) return;
    bool good = true;
    if (stmt->u.notice.of != NULL) {
        stmt->u.notice.of = twc_check_thing(c, stmt->u.notice.of, "`history` with `of`");
        good = stmt->u.notice.of->type != c->error;
    }
    uint32_t count = 0;
    for (twc_arg *arg = stmt->u.notice.args; arg != NULL; arg = arg->next, count++) {
        arg->value = twc_check_expr(c, arg->value, NULL);
        good &= arg->value->type != c->error;
        const char *wrong =
            arg->name == NULL || arg->over != NULL || arg->across != NULL || arg->by != NULL
                ? "a field of a history entry is written `name: value`"
            : count >= TW_MEMBERS_MAX                               ? "there are too many fields"
            : argument_named(stmt->u.notice.args, arg->name) != arg ? "this field is given twice"
            : arg->value->type == c->none ? "nothing says of what type this `none` is"
                                          : NULL;
        good &= wrong == NULL;
        if (wrong != NULL) twc_check_fail(c, TWC_DIAG_ARGUMENTS, arg->span, "%s", wrong);
        if (count >= TW_MEMBERS_MAX) break;
    }
    if (!good) return;
    stmt->u.notice.decl = stmt->u.notice.word->history;
    if (stmt->u.notice.decl == NULL) {
        declare_history(c, stmt);
    } else {
        match_history(c, stmt, stmt->u.notice.decl);
    }
    stmt->u.notice.next_history = c->histories;
    c->histories = stmt;
}

/* When all types are known: every use in the order and with the types of the kind. */
void twc_check_histories(twc_check *c)
{
    if (c->diags->error_count > 0) return;
    for (twc_stmt *stmt = c->histories; stmt != NULL; stmt = stmt->u.notice.next_history) {
        twc_arg *ordered = NULL;
        twc_arg **at = &ordered;
        for (twc_decl *f = stmt->u.notice.decl->u.fields.fields; f != NULL; f = f->next) {
            twc_arg *arg = argument_named(stmt->u.notice.args, f->word);
            twc_arg *copy = TW_NEW(c->arena, twc_arg);
            if (copy == NULL) return;
            assert(arg != NULL);
            *copy = *arg;
            copy->field = f;
            copy->next = NULL;
            copy->value = twc_check_convert(c, arg->value, f->type);
            assert(copy->value != NULL);
            *at = copy;
            at = &copy->next;
        }
        stmt->u.notice.args = ordered;
    }
}

/* ------------------------------------------------------------------ all statements */

/* False when it never gets to its end. */
static bool check_stmt(twc_check *c, twc_stmt *stmt)
{
    const twc_stmt_kind kind = stmt->kind;
    if (c->gone != NULL && kind != TWC_S_SKIP && kind != TWC_S_STOP) {
        twc_check_fail_at(c, TWC_DIAG_AFTER_REMOVE, stmt->span, c->gone,
                          "`%s` has left its collection: its round ends here\nmove this before "
                          "that statement, or into another branch",
                          c->gone->word->text);
        c->gone = NULL;
    }
    if (kind == TWC_S_IF) return check_if(c, stmt);
    if (kind == TWC_S_FOR) return twc_check_for(c, stmt);
    if (kind == TWC_S_REPEAT) return twc_check_repeat(c, stmt);
    if (kind == TWC_S_MATCH) return check_match(c, stmt);
    if (kind == TWC_S_LET) check_let(c, stmt);
    if (kind == TWC_S_ASSIGN) check_assign(c, stmt);
    if (kind == TWC_S_NEEDS) check_needs(c, stmt);
    if (kind == TWC_S_EMIT || kind == TWC_S_FAIL) check_notice(c, stmt);
    if (kind == TWC_S_HISTORY) check_history(c, stmt);
    if (kind == TWC_S_GO) check_go(c, stmt);
    if (kind == TWC_S_GRANT || kind == TWC_S_REVOKE) check_grant(c, stmt);
    if (kind == TWC_S_PAY || kind == TWC_S_MINT || kind == TWC_S_BURN) twc_check_move(c, stmt);
    if (kind == TWC_S_RETURN) check_return(c, stmt);
    if (kind == TWC_S_PUSH) twc_check_push(c, stmt);
    if (kind == TWC_S_REMOVE) twc_check_remove(c, stmt);
    if (kind == TWC_S_SKIP) twc_check_skip(c, stmt);
    if (kind == TWC_S_CREATE) twc_check_create(c, stmt);
    if (kind >= TWC_S_GIVE && kind <= TWC_S_RETIRE) twc_check_verb(c, stmt);
    if (kind == TWC_S_STOP && c->result != NULL) {
        twc_check_fail(c, TWC_DIAG_NOT_HERE, stmt->span, "%s ends with `return`", c->where);
    }
    return kind != TWC_S_FAIL && kind != TWC_S_RETURN && kind != TWC_S_STOP && kind != TWC_S_SKIP;
}

bool twc_check_block(twc_check *c, twc_block *block)
{
    twc_decl *locals = c->locals;
    bool completes = true;
    bool said = false;
    for (twc_stmt *stmt = block->first; stmt != NULL; stmt = stmt->next) {
        if (!completes && !said) {
            twc_check_fail(c, TWC_DIAG_NEVER_RUNS, stmt->span, "this can never run");
            said = true;
        }
        completes &= check_stmt(c, stmt);
    }
    twc_check_scope_end(c, locals);
    block->completes = completes;
    return completes;
}

/* ------------------------------------------------------------------ entries */

static uint64_t phase_mask(twc_check *c, twc_entry *entry)
{
    uint64_t mask = 0;
    if (entry->in == NULL) return c->contract->live_phases;
    for (twc_phase_name *name = entry->in; name != NULL; name = name->next) {
        twc_decl *phase = twc_check_find(c, name->word, name->span, TWC_D_PHASE);
        name->phase = phase;
        if (phase == NULL) continue;
        const uint64_t bit = (uint64_t)1 << phase->index;
        if (mask & bit) {
            twc_check_fail(c, TWC_DIAG_DUPLICATE, name->span, "phase %s is named twice",
                           phase->word->text);
        }
        mask |= bit;
    }
    return mask;
}

static void check_whos(twc_check *c, twc_who *who)
{
    for (; who != NULL; who = who->next) {
        const twc_word *word = who->expr->kind == TWC_E_NAME ? who->expr->u.name.word : NULL;
        twc_decl *decl = word != NULL && word->local == NULL ? word->global : NULL;
        if (word != NULL && word->keyword == TWC_W_anyone) {
            who->anyone = true;
        } else if (decl != NULL && decl->kind == TWC_D_ROLE) {
            decl->used = true;
            who->role = decl;
        } else if (word != NULL && decl == NULL && word->local == NULL) {
            twc_check_undeclared(c, who->expr->u.name.word, who->expr->span, "role");
        } else {
            who->expr = twc_check_value(c, who->expr, c->account, "who may call");
        }
    }
}

static void check_callers(twc_check *c, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    check_whos(c, entry->by);
    check_whos(c, entry->with);
    if (entry->signed_count > 0) {
        twc_decl *role = twc_check_find(c, entry->signed_word, entry->signed_span, TWC_D_ROLE);
        entry->signed_role = role;
        if (role != NULL && !role->bad && role->u.role.max < entry->signed_count) {
            twc_check_fail_at(c, TWC_DIAG_OVER_LIMIT, entry->signed_span, role,
                              "role %s never has %u members", role->word->text,
                              entry->signed_count);
        }
    } else if (entry->by == NULL) {
        twc_check_fail(c, TWC_DIAG_NO_CALLER, decl->name_span,
                       "the action does not say who may call it\nwrite `by role`, or `by anyone`");
    }
}

/* Handlers of one alarm's edge: at most one for a phase. */
static void check_alarm_handler(twc_check *c, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    twc_decl *alarm = twc_check_find(c, entry->subject_word, entry->subject_span, TWC_D_ALARM);
    entry->subject = alarm;
    if (alarm == NULL || alarm->bad) return;
    uint64_t *taken =
        decl->kind == TWC_D_RAISED ? &alarm->u.alarm.raised_in : &alarm->u.alarm.cleared_in;
    const uint64_t both = *taken & entry->phases;
    *taken |= entry->phases;
    if (both == 0) return;
    const twc_decl *phase = c->contract->phases;
    while (phase != NULL && (both >> phase->index & 1) == 0) phase = phase->next_same;
    twc_check_fail(c, TWC_DIAG_DUPLICATE, decl->u.entry->subject_span,
                   "%s has a second handler for this%s%s", alarm->word->text,
                   phase != NULL && phase->word != NULL ? " in phase " : "",
                   phase != NULL && phase->word != NULL ? phase->word->text : "");
}

static void check_delay(twc_check *c, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    const char *what = decl->kind == TWC_D_EVERY ? "the time behind `every`" : "the time";
    entry->delay = twc_check_fixed(c, entry->delay, c->duration, what);
    int64_t low = 0;
    int64_t high = 0;
    const int64_t least = decl->kind == TWC_D_EVERY ? 60000 : 1;
    if (entry->delay->type == c->error || !twc_check_interval(entry->delay, &low, &high) ||
        low >= least) {
        return;
    }
    twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, entry->delay->span, "%s must be %s", what,
                   decl->kind == TWC_D_EVERY ? "at least 1 min" : "more than 0");
}

/* `on x silent`: the timer is about one device. */
static void check_silence(twc_check *c, const twc_entry *entry)
{
    twc_decl *reading = entry->subject;
    if (reading == NULL) return;
    reading->u.reading.watched = true;
    if (!reading->u.reading.per_device || reading->bad) return;
    twc_check_fail_at(c, TWC_DIAG_DEVICE, entry->subject_span, reading,
                      "each device falls silent by itself\nlook at them in an `every`: `%s of k "
                      "silent for 15 min`",
                      reading->word->text);
}

static void set_context(twc_check *c, const twc_decl *decl)
{
    c->can = TWC_CAN_READ | TWC_CAN_WRITE;
    c->result = NULL;
    c->where = "a timer or handler";
    if (decl->kind == TWC_D_ACTION) {
        c->can |= TWC_CAN_CALLER;
        c->where = "an action";
    } else if (decl->kind == TWC_D_VIEW) {
        c->can = TWC_CAN_READ;
        c->where = "a view";
        c->result = decl->u.entry->result;
    } else if (decl->kind == TWC_D_MIGRATE) {
        c->can &= ~(uint32_t)(TWC_CAN_READING | TWC_CAN_ALARM);
        c->where = "`migrate`";
    } else if (decl->kind == TWC_D_FN) {
        c->can = TWC_CAN_PARAM;
        c->where = "a fn";
        c->result = decl->u.entry->result;
    }
}

void twc_check_entry(twc_check *c, twc_decl *decl)
{
    twc_entry *entry = decl->u.entry;
    twc_decl *locals = c->locals;
    set_context(c, decl);
    c->entry = entry;
    c->function = decl->kind == TWC_D_FN ? decl : NULL;
    c->facts = NULL;
    entry->phases = decl->kind == TWC_D_MIGRATE ? UINT64_MAX : phase_mask(c, entry);
    for (twc_decl *param = entry->params; param != NULL; param = param->next) {
        twc_check_local(c, param);
    }
    if (decl->kind == TWC_D_RAISED || decl->kind == TWC_D_CLEARED) check_alarm_handler(c, decl);
    if (decl->kind == TWC_D_SILENT) {
        const twc_expr subject = {
            .kind = TWC_E_NAME, .span = entry->subject_span, .u.name.word = entry->subject_word};
        entry->subject = entry->subject_word != NULL ? twc_check_reading(c, &subject, true) : NULL;
        check_silence(c, entry);
    }
    if (entry->delay != NULL) check_delay(c, decl);
    if (decl->kind == TWC_D_ACTION) check_callers(c, decl);
    for (twc_stmt *needs = entry->needs; needs != NULL; needs = needs->next) check_needs(c, needs);
    twc_check_receives(c, entry);
    const bool completes = twc_check_block(c, &entry->body);
    if (completes && c->result != NULL && !decl->bad && !c->contract->broken) {
        const twc_span end = {entry->body.span.end - 1, entry->body.span.end};
        twc_check_fail(c, TWC_DIAG_NO_RETURN, end,
                       "`%s` can end here without a result\nend every path with `return`",
                       decl->word->text);
    }
    twc_check_scope_end(c, locals);
    c->entry = NULL;
    c->function = NULL;
    c->result = NULL;
    c->facts = NULL;
}
