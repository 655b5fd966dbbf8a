/* check_reading -- statistics of readings and conditions over them.
 *
 * A reading `per device` has a window for each member of its role, so each use of it says whose is
 * meant: `of k`, or `across` the role. Every window is long enough for the longest time that is
 * asked of it, and a statistic covers at most TW_SAMPLES_MAX readings.
 */
#include "compiler/check.h"
#include "compiler/walk.h"

/* ------------------------------------------------------------------ readings */

twc_decl *twc_check_reading(twc_check *c, const twc_expr *expr, bool report)
{
    if (expr->kind == TWC_E_NAME && expr->u.name.word->local == NULL) {
        twc_decl *decl = expr->u.name.word->global;
        if (decl != NULL && decl->kind == TWC_D_READING) {
            decl->used = true;
            c->readings |= (uint64_t)1 << (decl->index % 64);
            return decl;
        }
        if (report && decl == NULL) {
            twc_check_undeclared(c, expr->u.name.word, expr->span, "reading");
            return NULL;
        }
        if (decl != NULL && decl->bad) return NULL;
    }
    if (report) {
        twc_check_fail(c, TWC_DIAG_NOT_A_READING, expr->span,
                       "this is not a reading\ncompare values with `>` and `<`");
    }
    return NULL;
}

/* The name in `x` and `x of k`. */
static const twc_expr *subject_of(const twc_expr *expr)
{
    return expr->kind == TWC_E_OF ? expr->u.of.left : expr;
}

/* `x of k`: the device, an account. A reading per device is never looked at without one, nor one
 * that is not with one; `across` (may be NULL) stands for all devices. False after an error. */
static bool check_device(twc_check *c, const twc_decl *reading, twc_expr *expr,
                         const twc_word *across, twc_expr **ret_device)
{
    const bool one = expr->kind == TWC_E_OF;
    const char *name = reading->word->text;
    *ret_device = NULL;
    if (!reading->u.reading.per_device && (one || across != NULL)) {
        twc_check_fail_at(c, TWC_DIAG_DEVICE, expr->span, reading,
                          "`%s` comes from one device\nleave out `%s`", name,
                          one ? "of" : "across");
        return false;
    }
    if (reading->u.reading.per_device && one == (across != NULL)) {
        twc_check_fail_at(
            c, TWC_DIAG_DEVICE, expr->span, reading,
            one ? "this is about one device or about all, not both\nleave out "
                  "`of` or `across`"
                : "each device has readings `%s` of its own\nsay whose: `%s of k`, or "
                  "in a statistic `%s across %s`",
            name, name, name, reading->u.reading.role_word->text);
        return false;
    }
    if (!one) return true;
    *ret_device = twc_check_value(c, expr->u.of.right, c->account, "the device");
    return (*ret_device)->type != c->error;
}

/* The device or the role that a statistic is about; false after an error. */
static bool check_source(twc_check *c, const twc_decl *reading, twc_expr *subject,
                         const twc_arg *arg, twc_statistic *s)
{
    if (!check_device(c, reading, subject, arg->across, &s->device)) return false;
    if (arg->across == NULL) return true;
    s->across = twc_check_find(c, arg->across, arg->span, TWC_D_ROLE);
    if (s->across == NULL || s->across->bad) return false;
    if (s->across == reading->u.reading.role) return true;
    twc_check_fail_at(c, TWC_DIAG_DEVICE, arg->span, reading,
                      "`%s` comes from role %s\nwrite `across %s`", reading->word->text,
                      reading->u.reading.role_word->text, reading->u.reading.role_word->text);
    return false;
}

/* The largest value of a fixed duration that is above 0; -1 after an error. */
static int64_t longest(twc_check *c, const twc_expr *span)
{
    int64_t low = 0;
    int64_t high = 0;
    if (span->type == c->error) return -1;
    const bool known = twc_check_interval(span, &low, &high);
    if (known && low > 0) return high;
    if (!known && c->contract->broken) return -1; /* the range may be what could not be read */
    twc_check_fail(c, known ? TWC_DIAG_NOT_POSITIVE : TWC_DIAG_NO_LIMIT, span->span,
                   "the time behind `over` %s",
                   known ? "must be more than 0"
                         : "has no largest value\ngive the param a range, as `in 1 min .. 15 min`");
    return -1;
}

/* What one look at all members may cover. */
static twc_expr *check_samples(twc_check *c, twc_expr *over, tw_int128 each, const twc_decl *across)
{
    const uint32_t devices = across != NULL ? across->u.role.max : 1;
    if (each * devices <= TW_SAMPLES_MAX) return over;
    return twc_check_refuse(
        c, over, TWC_DIAG_TOO_MANY_SAMPLES, over->span,
        "up to %lld readings of each of %u members of `%s` are %lld readings, the limit is %d\n"
        "shorten the time, lower the rate, or the max of the role",
        (long long)each, devices, across->word->text, (long long)(each * devices), TW_SAMPLES_MAX);
}

/* `over D`: of one window, or of those of all members. */
static twc_expr *check_span(twc_check *c, twc_expr *over, const twc_decl *reading,
                            const twc_decl *across)
{
    over = twc_check_fixed(c, over, c->duration, "the time behind `over`");
    const int64_t most = longest(c, over);
    const twc_expr *period = reading->u.reading.rate_period;
    if (most < 0 || reading->bad || !period->constant || period->value <= 0) return over;
    const int64_t periods = most / period->value + (most % period->value != 0);
    const tw_int128 needed = (tw_int128)periods * reading->u.reading.rate_count;
    if (needed <= reading->u.reading.keep) return check_samples(c, over, needed, across);
    char text[TW_QUANTITY_TEXT_MAX];
    tw_quantity_print(most, TW_DIM_DURATION, text);
    twc_check_fail_at(c, TWC_DIAG_WINDOW_TOO_LONG, over->span, reading,
                      "`%s` keeps %u readings, but up to %lld can arrive in %s\n%s",
                      reading->word->text, reading->u.reading.keep,
                      (long long)(needed > INT64_MAX ? INT64_MAX : (int64_t)needed), text,
                      needed > TW_KEEP_MAX ? "lower the rate or shorten the time: keep has a limit"
                                           : "let it keep as many, or shorten the time");
    return over;
}

/* The stamp of this predicate: one for each reading, kind and pair of levels. */
static void find_stamp(twc_check *c, twc_expr *expr)
{
    twc_stamp **at = &c->contract->stamps;
    for (; *at != NULL; at = &(*at)->next) {
        const twc_stamp *s = *at;
        if (s->reading == expr->u.hold.decl && s->kind == expr->u.hold.kind &&
            twc_walk_same_fixed(s->low, expr->u.hold.low) &&
            twc_walk_same_fixed(s->high, expr->u.hold.high)) {
            expr->u.hold.stamp = s->index;
            return;
        }
    }
    if (c->contract->stamp_count >= TW_STAMPS_MAX) {
        twc_check_fail(c, TWC_DIAG_OVER_LIMIT, expr->span,
                       "the contract has more than %d different conditions over readings",
                       TW_STAMPS_MAX);
        return;
    }
    twc_stamp *stamp = TW_NEW(c->arena, twc_stamp);
    if (stamp == NULL) return;
    *stamp = (twc_stamp){.reading = expr->u.hold.decl, .kind = expr->u.hold.kind};
    stamp->low = expr->u.hold.low;
    stamp->high = expr->u.hold.high;
    stamp->index = c->contract->stamp_count++;
    expr->u.hold.stamp = stamp->index;
    *at = stamp;
}

twc_expr *twc_check_hold(twc_check *c, twc_expr *expr)
{
    static const char *const words[] = {"", "the level behind `above`", "the level behind `below`",
                                        "a level behind `within`"};
    expr->type = c->boolean;
    twc_decl *reading = twc_check_reading(c, subject_of(expr->u.hold.reading), true);
    if (reading == NULL || reading->bad || reading->type == NULL || reading->type == c->error ||
        !twc_check_may(c, expr->span, TWC_CAN_READING) ||
        !check_device(c, reading, expr->u.hold.reading, NULL, &expr->u.hold.device)) {
        return twc_check_is_error(c, expr);
    }
    const char *what = words[expr->u.hold.kind];
    expr->u.hold.decl = reading;
    expr->u.hold.low = twc_check_fixed(c, expr->u.hold.low, reading->type, what);
    if (expr->u.hold.high != NULL) {
        expr->u.hold.high = twc_check_fixed(c, expr->u.hold.high, reading->type, what);
    }
    if (expr->u.hold.duration != NULL) {
        twc_expr *span = twc_check_fixed(c, expr->u.hold.duration, c->duration, "the time");
        expr->u.hold.duration = span;
        if (span->constant && span->value <= 0) {
            twc_check_fail(c, TWC_DIAG_NOT_POSITIVE, span->span, "the time must be more than 0");
        }
    }
    if (expr->u.hold.low->type == c->error ||
        (expr->u.hold.high != NULL && expr->u.hold.high->type == c->error)) {
        return expr;
    }
    find_stamp(c, expr);
    return expr;
}

twc_expr *twc_check_silent(twc_check *c, twc_expr *expr)
{
    twc_decl *reading = twc_check_reading(c, subject_of(expr->u.silent.reading), true);
    expr->type = c->boolean;
    if (reading == NULL || reading->bad || !twc_check_may(c, expr->span, TWC_CAN_READING) ||
        !check_device(c, reading, expr->u.silent.reading, NULL, &expr->u.silent.device)) {
        return twc_check_is_error(c, expr);
    }
    expr->u.silent.decl = reading;
    expr->u.silent.duration =
        twc_check_fixed(c, expr->u.silent.duration, c->duration, "the time behind `silent for`");
    return expr;
}

/* ------------------------------------------------------------------ statistics */

static bool find_stat(const twc_word *word, tw_stat *ret_stat)
{
    for (uint32_t i = 0; i < TW_STAT_END; i++) {
        const char *text = tw_stat_word(i);
        if (text != NULL && twc_check_word_is(word, text)) {
            *ret_stat = (tw_stat)i;
            return true;
        }
    }
    return false;
}

static const twc_type *stat_type(twc_check *c, tw_stat stat, const twc_type *type)
{
    if (stat == TW_STAT_COUNT || stat == TW_STAT_DEVICES) return c->integer;
    if (stat == TW_STAT_TIME_OF) return twc_type_optional(&c->types, c->time);
    const bool difference = stat == TW_STAT_MAD || stat == TW_STAT_SLOPE;
    const tw_dimension d = difference ? tw_dim_difference(type->dimension) : type->dimension;
    return twc_type_optional(&c->types, twc_type_number(&c->types, d));
}

/* The second argument of percentile; false after an error. */
static bool check_percentile(twc_check *c, twc_expr *expr, tw_stat stat, twc_statistic *s)
{
    twc_arg *second = expr->u.call.args->next;
    const bool wanted = stat == TW_STAT_PERCENTILE;
    if ((second != NULL) != wanted || (second != NULL && second->next != NULL)) {
        twc_check_fail(c, TWC_DIAG_ARGUMENTS, second != NULL ? second->span : expr->mark,
                       "the statistic takes %s",
                       wanted ? "a reading and a percent\nwrite `percentile(x over 1 h, 95 %)`"
                              : "one reading");
        return false;
    }
    if (second == NULL) return true;
    twc_expr *p = twc_check_value(c, second->value, c->percent, "the percentile");
    s->percentile = p;
    second->value = p;
    if (!p->constant || (p->value >= 0 && p->value <= TW_PERCENT_WHOLE)) return true;
    twc_check_fail(c, TWC_DIAG_OUT_OF_RANGE, p->span, "a percentile lies in 0 %% .. 100 %%");
    return false;
}

/* What the arguments say of it: `over`, `across`, a percent. False after an error. */
static bool check_parts(twc_check *c, twc_expr *expr, twc_statistic *s)
{
    const twc_arg *first = expr->u.call.args;
    const char *word = tw_stat_word(s->stat);
    const bool spanless = s->stat == TW_STAT_LAST || s->stat == TW_STAT_TIME_OF;
    if (!check_percentile(c, expr, s->stat, s)) return false;
    if (s->across != NULL ? spanless || s->stat == TW_STAT_SLOPE : s->stat == TW_STAT_DEVICES) {
        twc_check_fail(c, TWC_DIAG_DEVICE, first->span, "`%s` is about %s", word,
                       s->across == NULL
                           ? "all members of a role\nwrite `devices(x across role over 5 min)`"
                           : "the readings of one device\nwrite `x of k` instead of `x across r`");
        return false;
    }
    if (first->over != NULL && spanless) {
        twc_check_fail(c, TWC_DIAG_ARGUMENTS, first->over->span,
                       "`%s` is about the newest reading: leave out `over`", word);
        return false;
    }
    if (first->over == NULL && !spanless) {
        twc_check_fail(c, TWC_DIAG_ARGUMENTS, first->span,
                       "`%s` needs to know over which time\nwrite `%s(%s over 10 min)`", word, word,
                       s->reading->word->text);
        return false;
    }
    if (first->over != NULL) s->over = check_span(c, first->over, s->reading, s->across);
    return s->over == NULL || s->over->type != c->error;
}

static twc_expr *check_statistic(twc_check *c, twc_expr *expr, tw_stat stat, twc_decl *reading)
{
    const twc_arg *first = expr->u.call.args;
    if (!twc_check_may(c, expr->span, TWC_CAN_READING) || reading->bad ||
        reading->type == c->error) {
        return twc_check_is_error(c, expr);
    }
    const bool point = tw_dim_is_point(reading->type->dimension);
    if (point && (stat == TW_STAT_SUM || stat == TW_STAT_RMS)) {
        return twc_check_refuse(c, expr, TWC_DIAG_POINT_SUM, expr->mark, "points in %s have no %s",
                                tw_dim_name(reading->type->dimension), tw_stat_word(stat));
    }
    twc_statistic *s = TW_NEW(c->arena, twc_statistic);
    if (s == NULL) return twc_check_is_error(c, expr);
    *s = (twc_statistic){.stat = stat, .reading = reading};
    if (!check_source(c, reading, first->value, first, s) || !check_parts(c, expr, s)) {
        return twc_check_is_error(c, expr);
    }
    expr->u.call.callee = TWC_CALL_STATISTIC;
    expr->u.call.statistic = s;
    expr->u.call.decl = reading;
    expr->type = stat_type(c, stat, reading->type);
    return expr;
}

twc_expr *twc_check_statistic(twc_check *c, twc_expr *expr, bool only, bool *ret_is)
{
    tw_stat stat = TW_STAT_END;
    const twc_arg *first = expr->u.call.args;
    *ret_is = false;
    if (!find_stat(expr->u.call.function->u.name.word, &stat) || first == NULL) return expr;
    twc_decl *reading = twc_check_reading(c, subject_of(first->value), only);
    *ret_is = reading != NULL || only;
    if (reading != NULL) return check_statistic(c, expr, stat, reading);
    return only ? twc_check_is_error(c, expr) : expr;
}
