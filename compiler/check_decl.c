/* check_decl -- members of a contract: names, types, phases, constants. */
#include "compiler/check.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ names */

bool twc_check_word_is(const twc_word *word, const char *text)
{
    return strcmp(word->text, text) == 0;
}

bool twc_check_is_builtin(const twc_word *word)
{
    static const char *const names[] = {
        "bool", "text",   "bytes", "hash", "account", "twin_id", "list",  "none",          "some",
        "any",  "anyone", "rest",  "old",  "now",     "caller",  "phase", "time_in_phase",
#define BUILTIN(name, spelling, place) spelling,
#include "compiler/builtins.def"
#define STATISTIC(number, name, spelling, shape, gas) spelling,
#include "vm/isa/statistics.def"
#undef STATISTIC
#define DIMENSION(number, name, type, resolution, point) type,
#include "vm/base/quantities.def"
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (twc_check_word_is(word, names[i])) return true;
    }
    return false;
}

/* Gives the word its meaning in the contract. */
static void declare(twc_check *c, twc_decl *decl)
{
    twc_word *word = decl->word;
    if (word == NULL) return;
    if (word->global != NULL) {
        twc_check_fail_at(c, TWC_DIAG_DUPLICATE, decl->name_span, word->global,
                          "`%s` is declared twice", word->text);
        decl->bad = true;
        word->global->bad = true;
        return;
    }
    const bool money = decl->kind == TWC_D_CURRENCY || decl->kind == TWC_D_TOKEN;
    if (twc_check_is_builtin(word) ||
        (money && tw_unit_find(tw_bytes_of(word->text, word->size)) != NULL)) {
        twc_check_fail(c, TWC_DIAG_RESERVED, decl->name_span,
                       "`%s` means something in every contract", word->text);
    }
    word->global = decl;
}

typedef struct decl_row {
    const char *word;
    uint32_t most;
    const char *plural;
    bool mention;
} decl_row;

static const decl_row kinds[] = {
#define DECL(name, word, most, plural, mention) {word, most, plural, mention},
#include "compiler/decls.def"
};

const char *twc_check_kind(twc_decl_kind kind, bool *ret_mention)
{
    *ret_mention = kinds[kind].mention;
    return kinds[kind].word;
}

/* Kinds that stand in one list of the module are numbered together. */
static twc_decl_kind group_of(twc_decl_kind kind)
{
    if (kind == TWC_D_TOKEN) return TWC_D_CURRENCY;
    return kind == TWC_D_MAP || kind == TWC_D_REGISTRY ? TWC_D_VAR : kind;
}

static void number(twc_check *c, twc_decl *decl, twc_decl **last, uint32_t *counts)
{
    const twc_decl_kind group = group_of(decl->kind);
    const decl_row *row = &kinds[group];
    if (decl->kind != TWC_D_MIGRATE) decl->index = counts[group];
    counts[group]++;
    if (last[decl->kind] != NULL) last[decl->kind]->next_same = decl;
    last[decl->kind] = decl;
    if (row->most > 0 && counts[group] == row->most + 1) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, decl->name_span, "a contract has at most %u %s",
                       row->most, row->plural);
    }
}

static twc_decl *find_phase(twc_check *c, twc_phase_name *name, twc_decl **last)
{
    twc_decl *phase = name->word->global;
    if (phase != NULL && phase->kind == TWC_D_PHASE) return phase;
    phase = TW_NEW(c->arena, twc_decl);
    if (phase == NULL || c->contract->phase_count >= TW_PHASES_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, name->span, "a contract has at most %d phases",
                       TW_PHASES_MAX);
        return NULL;
    }
    *phase = (twc_decl){.kind = TWC_D_PHASE, .word = name->word, .span = name->span};
    phase->name_span = name->span;
    phase->contract = c->contract;
    phase->type = c->phase;
    phase->used = true;
    phase->index = c->contract->phase_count++;
    declare(c, phase);
    if (*last != NULL) (*last)->next_same = phase;
    if (*last == NULL) c->contract->phases = phase;
    *last = phase;
    return phase;
}

static void declare_phases(twc_check *c)
{
    twc_decl *last = NULL;
    for (twc_chain *chain = c->contract->phase_chains; chain != NULL; chain = chain->next) {
        for (twc_phase_name *name = chain->names; name != NULL; name = name->next) {
            if (name->word == NULL) return;
            const bool any = name->word->keyword == TWC_W_any;
            if (any && name == chain->names && c->contract->phase_count > 0) continue;
            if (any) {
                twc_check_fail(
                    c, TWC_DIAG_PHASES, name->span,
                    "`any` may only begin a chain, and not the first\nwrite `A -> B, any -> C`");
                continue;
            }
            name->phase = find_phase(c, name, &last);
            if (name->phase == NULL) return;
        }
    }
    if (c->contract->phases != NULL) return;
    twc_decl *only = TW_NEW(c->arena, twc_decl);
    if (only == NULL) return;
    *only = (twc_decl){.kind = TWC_D_PHASE, .type = c->phase, .used = true};
    only->contract = c->contract;
    c->contract->phases = only;
    c->contract->phase_count = 1;
}

void twc_check_declare(twc_check *c)
{
    twc_decl *last[TWC_D_COUNT] = {NULL};
    uint32_t counts[TWC_D_COUNT] = {0};
    for (twc_decl *decl = c->contract->members; decl != NULL; decl = decl->next) {
        decl->bad = decl->broken;
        number(c, decl, last, counts);
        declare(c, decl);
        decl->type = decl->bad ? c->error : c->nothing;
        if (decl->kind == TWC_D_RECORD) {
            decl->type = twc_type_named(&c->types, TWC_TYPE_RECORD, decl);
        } else if (decl->kind == TWC_D_ASSET) {
            decl->type = twc_type_named(&c->types, TWC_TYPE_ASSET, decl);
        } else if (decl->kind == TWC_D_ENUM) {
            decl->type = twc_type_named(&c->types, TWC_TYPE_ENUM, decl);
            for (twc_decl *v = decl->u.fields.fields; v != NULL; v = v->next) {
                v->type = decl->type;
                v->used = true;
                declare(c, v);
            }
        } else if (decl->kind == TWC_D_ALARM) {
            decl->type = c->boolean;
        } else if (decl->kind == TWC_D_CURRENCY || decl->kind == TWC_D_TOKEN) {
            decl->type = twc_type_named(&c->types, TWC_TYPE_MONEY, decl);
        }
    }
    declare_phases(c);
    const uint32_t entries = counts[TWC_D_ACTION] + counts[TWC_D_VIEW] + counts[TWC_D_RAISED] +
                             counts[TWC_D_CLEARED] + counts[TWC_D_SILENT] + counts[TWC_D_EVERY] +
                             counts[TWC_D_AFTER];
    if (entries >= TW_ENTRIES_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, c->contract->name_span,
                       "a contract has at most %d actions, views, handlers and timers",
                       TW_ENTRIES_MAX - 1);
    }
}

/* ------------------------------------------------------------------ types */

const twc_type *twc_check_type(twc_check *c, twc_type_name *name)
{
    const twc_type *type = NULL;
    twc_word *word = name->word;
    if (word == NULL) return c->error;
    const tw_dimension dimension = tw_dim_find(tw_bytes_of(word->text, word->size));
    if (name->element != NULL) {
        type = twc_type_list(&c->types, twc_check_type(c, name->element), name->max);
    } else if (name->sized) {
        const bool text = word->keyword == TWC_W_text;
        type = twc_type_sized(&c->types, text ? TWC_TYPE_TEXT : TWC_TYPE_BYTES, name->max);
    } else if (dimension != TW_DIM_NONE) {
        type = twc_type_number(&c->types, dimension);
    } else if (twc_check_word_is(word, "bool")) {
        type = c->boolean;
    } else if (twc_check_word_is(word, "hash")) {
        type = c->hash;
    } else if (twc_check_word_is(word, "account")) {
        type = c->account;
    } else if (twc_check_word_is(word, "twin_id")) {
        type = c->twin;
    } else if (word->global != NULL) {
        twc_decl *decl = word->global;
        const bool named = decl->kind == TWC_D_RECORD || decl->kind == TWC_D_ENUM ||
                           decl->kind == TWC_D_CURRENCY || decl->kind == TWC_D_TOKEN;
        decl->used = true;
        type = decl->bad                  ? c->error
               : decl->kind == TWC_D_ROLE ? c->account
               : named                    ? decl->type
                                          : NULL;
        if (type == NULL && decl->kind == TWC_D_ASSET) {
            twc_check_fail_at(c, TWC_DIAG_THING_AS_VALUE, name->span, decl,
                              "`%s` is a thing, never a value: nothing but a registry holds it\n"
                              "keep its key here; an asset may have a field `list of %s max n`",
                              word->text, word->text);
            type = c->error;
        } else if (type == NULL) {
            twc_check_fail_at(c, TWC_DIAG_NOT_A_TYPE, name->span, decl, "`%s` is not a type",
                              word->text);
            type = c->error;
        }
    } else {
        twc_check_undeclared(c, word, name->span, "type");
        type = c->error;
    }
    return name->optional ? twc_type_optional(&c->types, type) : type;
}

/* False when two bear one name. */
static bool check_fields(twc_check *c, twc_decl *fields, bool asset)
{
    bool distinct = true;
    for (twc_decl *f = fields; f != NULL; f = f->next) {
        f->type = asset ? twc_check_asset_field(c, f->type_name) : NULL;
        if (f->type == NULL) f->type = twc_check_type(c, f->type_name);
        for (const twc_decl *other = fields; other != f; other = other->next) {
            if (other->word != f->word || f->word == NULL) continue;
            twc_check_fail_at(c, TWC_DIAG_DUPLICATE, f->name_span, other, "`%s` is declared twice",
                              f->word->text);
            f->bad = true;
            distinct = false;
            break;
        }
    }
    return distinct;
}

/* A record may not hold itself. `level` also keeps the walk short. */
static bool is_finite(twc_check *c, const twc_type *type, const twc_decl *record, uint32_t level)
{
    while (type->kind == TWC_TYPE_OPTIONAL || type->kind == TWC_TYPE_LIST) type = type->element;
    if (type->kind != TWC_TYPE_RECORD || type->decl->bad) return true;
    if (type->decl == record || level > 16 || c->depth++ > 4096) return false;
    for (const twc_decl *f = type->decl->u.fields.fields; f != NULL; f = f->next) {
        if (f->type != NULL && !is_finite(c, f->type, record, level + 1)) return false;
    }
    return true;
}

static void check_finite(twc_check *c, twc_decl *record)
{
    for (const twc_decl *f = record->u.fields.fields; f != NULL; f = f->next) {
        c->depth = 0;
        if (f->type == NULL || is_finite(c, f->type, record, 0)) continue;
        twc_check_fail(c, TWC_DIAG_ENDLESS_TYPE, f->name_span,
                       "record %s holds itself here, or holds records too deep",
                       record->word->text);
        record->bad = true;
        return;
    }
}

void twc_check_types(twc_check *c)
{
    for (twc_decl *decl = c->contract->members; decl != NULL; decl = decl->next) {
        const twc_decl_kind kind = decl->kind;
        bool distinct = true;
        if (decl->broken) continue;
        if (kind == TWC_D_RECORD || kind == TWC_D_ASSET || kind == TWC_D_EVENT ||
            kind == TWC_D_ERROR) {
            distinct = check_fields(c, decl->u.fields.fields, kind == TWC_D_ASSET);
        } else if (kind == TWC_D_PARAM || kind == TWC_D_VAR || kind == TWC_D_READING) {
            decl->type = twc_check_type(c, decl->type_name);
        } else if (kind == TWC_D_PURSE) {
            twc_check_purse_type(c, decl);
        } else if (kind == TWC_D_MAP) {
            twc_check_map(c, decl);
        } else if (kind == TWC_D_ACTION || kind == TWC_D_VIEW || kind == TWC_D_FN) {
            twc_entry *entry = decl->u.entry;
            distinct = check_fields(c, entry->params, false);
            if (kind != TWC_D_ACTION) entry->result = twc_check_type(c, entry->result_name);
            for (twc_decl *p = entry->params; p != NULL; p = p->next) {
                p->used |= p->word->text[0] == '_';
            }
        }
        decl->bad |= !distinct;
    }
    for (twc_decl *decl = c->contract->members; decl != NULL; decl = decl->next) {
        if (decl->kind == TWC_D_RECORD && !decl->broken) check_finite(c, decl);
        if (decl->kind == TWC_D_REGISTRY && !decl->broken) twc_check_registry(c, decl);
    }
    twc_check_assets(c);
    for (twc_stmt *grant = c->contract->grants; grant != NULL; grant = grant->u.grant.next_grant) {
        twc_decl *role = grant->u.grant.word->global;
        if (role == NULL || role->kind != TWC_D_ROLE) continue;
        role->u.role.granted |= grant->kind == TWC_S_GRANT;
        role->u.role.revoked |= grant->kind == TWC_S_REVOKE;
    }
}

/* ------------------------------------------------------------------ phases */

static void add_arrow(twc_decl *from, const twc_decl *to)
{
    from->u.phase.arrows |= (uint64_t)1 << to->index;
}

void twc_check_phases(twc_check *c)
{
    twc_contract *contract = c->contract;
    for (const twc_chain *chain = contract->phase_chains; chain != NULL; chain = chain->next) {
        for (const twc_phase_name *n = chain->names; n->next != NULL; n = n->next) {
            const twc_decl *to = n->next->phase;
            if (to == NULL) continue;
            if (n->phase != NULL) add_arrow(n->phase, to);
            if (n->phase != NULL || n->word->keyword != TWC_W_any) continue;
            for (twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
                if (p != to) add_arrow(p, to);
            }
        }
    }
    uint64_t reached = 1;
    for (uint32_t round = 0; round < contract->phase_count; round++) {
        for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
            if (reached >> p->index & 1) reached |= p->u.phase.arrows;
        }
    }
    for (const twc_decl *p = contract->phases; p != NULL; p = p->next_same) {
        if (p->u.phase.arrows != 0 || p->word == NULL) {
            contract->live_phases |= (uint64_t)1 << p->index;
        }
        if (reached >> p->index & 1 || contract->broken) continue;
        twc_check_fail(c, TWC_DIAG_UNREACHABLE_PHASE, p->name_span,
                       "no way leads to phase %s\nthe first phase named is the start; add an arrow "
                       "to this one",
                       p->word->text);
    }
}

/* ------------------------------------------------------------------ constants */

/* The ends of a range; false after an error. */
static bool check_ends(twc_check *c, const twc_type *type, twc_expr **low, twc_expr **high)
{
    *low = twc_check_constant(c, *low, type, "the range");
    *high = twc_check_constant(c, *high, type, "the range");
    if (!(*low)->constant || !(*high)->constant) return false;
    if ((*low)->value <= (*high)->value) return true;
    twc_check_fail(c, TWC_DIAG_EMPTY_RANGE, (*low)->span,
                   "the range is empty: its start is above its end");
    return false;
}

static void check_param(twc_check *c, twc_decl *decl)
{
    c->can = 0;
    c->where = "a param's default";
    if (decl->type == c->error) return;
    twc_expr *value = twc_check_constant(c, decl->u.value.value, decl->type, "the default");
    decl->u.value.value = value;
    if (decl->u.value.low == NULL) return;
    if (!twc_type_is_numeric(decl->type)) {
        twc_check_fail(c, TWC_DIAG_OPERANDS, decl->u.value.low->span,
                       "only a param that is a number has a range");
        return;
    }
    const bool good = check_ends(c, decl->type, &decl->u.value.low, &decl->u.value.high);
    const twc_expr *low = decl->u.value.low;
    const twc_expr *high = decl->u.value.high;
    decl->bad |= low->type == c->error || high->type == c->error;
    if (!good || !value->constant) return;
    if (value->value >= low->value && value->value <= high->value) return;
    char text[TW_QUANTITY_TEXT_MAX];
    const bool above = value->value > high->value;
    twc_check_fail(c, TWC_DIAG_OUT_OF_RANGE, value->span, "the default lies %s the range: %s %s",
                   above ? "above" : "below", above ? "at most" : "at least",
                   twc_check_print(above ? high : low, text));
}

static twc_expr *positive(twc_check *c, twc_expr *expr, const char *what)
{
    if (expr == NULL) return NULL;
    expr = twc_check_constant(c, expr, c->duration, what);
    if (expr->constant && expr->value <= 0) {
        twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, expr->span, "%s must be more than 0", what);
    }
    return expr;
}

static void check_source(twc_check *c, twc_decl *decl)
{
    twc_decl *role =
        twc_check_find(c, decl->u.reading.role_word, decl->u.reading.role_span, TWC_D_ROLE);
    decl->u.reading.role = role;
    if (!decl->u.reading.per_device && role != NULL && !role->bad && role->u.role.max != 1) {
        twc_check_fail_at(c, TWC_DIAG_SOURCE, decl->u.reading.role_span, role,
                          "a reading without `per device` comes from a role of max 1\nwrite `per "
                          "device` behind the field: each member has a window then");
    }
    if (decl->index >= TW_READINGS_MAX) return; /* said, and the search stays short */
    for (twc_decl *other = c->contract->members; other != decl; other = other->next) {
        if (other->kind == TWC_D_READING && other->u.reading.role == role &&
            tw_bytes_equal(other->u.reading.field, decl->u.reading.field)) {
            twc_check_fail_at(c, TWC_DIAG_DUPLICATE, decl->name_span, other,
                              "two readings take the same field of one device");
            return;
        }
    }
}

/* What the windows of all devices keep. */
static void check_windows(twc_check *c)
{
    uint64_t kept = 0;
    for (const twc_decl *d = c->contract->members; d != NULL; d = d->next) {
        if (d->kind != TWC_D_READING || d->bad || d->u.reading.role == NULL) continue;
        kept += (uint64_t)d->u.reading.keep * d->u.reading.role->u.role.max;
        if (kept <= TW_WINDOWS_MAX) continue;
        twc_check_fail(c, TWC_DIAG_TOO_MANY_SAMPLES, d->name_span,
                       "the windows up to this one keep %llu readings, the limit is %d\n"
                       "let `%s` keep fewer, or lower the max of `%s`",
                       (unsigned long long)kept, TW_WINDOWS_MAX, d->word->text,
                       d->u.reading.role_word->text);
        return;
    }
}

static void check_reading_decl(twc_check *c, twc_decl *decl)
{
    c->can = 0;
    c->where = "the declaration of a reading";
    check_source(c, decl);
    decl->u.reading.rate_period = positive(c, decl->u.reading.rate_period, "the rate's period");
    decl->u.reading.max_age = positive(c, decl->u.reading.max_age, "max_age");
    decl->u.reading.gap = positive(c, decl->u.reading.gap, "gap");
    if (decl->type == c->error) return;
    if (decl->type->kind != TWC_TYPE_NUMBER || decl->type == c->time) {
        twc_check_fail(c, TWC_DIAG_TYPE_MISMATCH, decl->type_name->span,
                       "a reading is a number: a quantity, int, dec or percent");
        decl->type = c->error;
        decl->bad = true;
        return;
    }
    if (!check_ends(c, decl->type, &decl->u.reading.low, &decl->u.reading.high)) return;
    const int64_t most = (int64_t)1 << TW_RANGE_BITS;
    const twc_expr *low = decl->u.reading.low;
    const twc_expr *high = decl->u.reading.high;
    if (low->value >= -most && high->value <= most) return;
    twc_check_fail(c, TWC_DIAG_OUT_OF_RANGE, low->value < -most ? low->span : high->span,
                   "the range of a reading lies within 2^52 times the resolution, %s",
                   tw_dim_resolution(decl->type->dimension));
}

static void check_var(twc_check *c, twc_decl *decl)
{
    c->can = TWC_CAN_PARAM;
    c->where = "the first value of a var";
    if (decl->type == c->error) return;
    if (decl->u.value.value == NULL) {
        if (decl->type->kind == TWC_TYPE_OPTIONAL) return;
        twc_check_fail(
            c, TWC_DIAG_NO_VALUE, decl->name_span,
            "the var needs a first value\nwrite `= value`, or make it optional with `?`");
        decl->bad = true;
        return;
    }
    decl->u.value.value = twc_check_value(c, decl->u.value.value, decl->type, "the first value");
}

void twc_check_constants(twc_check *c)
{
    for (twc_decl *decl = c->contract->members; decl != NULL; decl = decl->next) {
        if (decl->broken) continue;
        if (decl->kind == TWC_D_PARAM) check_param(c, decl);
        if (decl->kind == TWC_D_READING) check_reading_decl(c, decl);
        if (decl->kind == TWC_D_TOKEN) twc_check_supply(c, decl);
        if (decl->kind == TWC_D_PURSE) twc_check_purse_falls(c, decl);
    }
    check_windows(c);
    for (twc_decl *decl = c->contract->members; decl != NULL; decl = decl->next) {
        if (decl->kind == TWC_D_VAR && !decl->broken) check_var(c, decl);
    }
}
