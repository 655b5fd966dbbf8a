/* test_check -- values and types of constants, explicit conversions, narrowing, windows, and what
 * else the code generator relies on. Wrong programs are in tests/lang/errors. */
#include "tests/unit/twc_fixture.h"

enum { SOURCE_MAX = 4096 };

static const twc_decl *member_of(const twc_front *front, twc_decl_kind kind)
{
    const twc_decl *decl = front->program->contracts->members;
    while (decl != NULL && decl->kind != kind) decl = decl->next;
    cr_assert_not_null(decl);
    return decl;
}

static const twc_decl *named(const twc_front *front, const char *name)
{
    const twc_decl *decl = front->program->contracts->members;
    while (decl != NULL && (decl->word == NULL || strcmp(decl->word->text, name) != 0)) {
        decl = decl->next;
    }
    cr_assert_not_null(decl, "%s", name);
    return decl;
}

static void expect_good(const twc_front *front)
{
    const twc_diag *first = front->diags.first;
    cr_assert_eq(front->diags.error_count, 0, "%s", first != NULL ? first->message : "");
}

/* ------------------------------------------------------------------ constants */

typedef struct constant_row {
    const char *type, *expr;
    int64_t value;
} constant_row;

static const constant_row constants[] = {
    {"int", "7 / 2", 3},
    {"int", "-7 / 2", -3},
    {"int", "-7 mod 3", -1},
    {"int", "7 mod -3", 1},
    {"int", "round_down(-7 / 2)", -4},
    {"int", "round_up(7 / 2)", 4},
    {"int", "floor(-0.5)", -1},
    {"int", "ceil(-0.5)", 0},
    {"int", "whole(-1.9)", -1},
    {"int", "whole(5 h / 1 h)", 5},
    {"int", "min(3, -4)", -4},
    {"int", "max(3, -4)", 3},
    {"int", "abs(-4)", 4},
    {"int", "- -4", 4},
    {"dec", "3", 3000000000},
    {"dec", "-3", -3000000000},
    {"dec", "0.5 + 1", 1500000000},
    {"dec", "1 + 0.5", 1500000000},
    {"dec", "2 * 0.25", 500000000},
    {"dec", "0.1 * 0.1", 10000000},
    {"dec", "1.0 / 3", 333333333},
    {"dec", "1 / 3.0", 333333333},
    {"dec", "2.0 / 3", 666666667},
    {"dec", "0.000000001 * 0.5", 0}, /* half to even */
    {"dec", "0.000000003 * 0.5", 2}, /* 1.5 to 2 */
    {"dec", "round_up(0.000000001 * 0.5)", 1},
    {"dec", "round_down(-0.000000001 * 0.5)", -1},
    {"dec", "3 kg / 2 kg", 1500000000},
    {"dec", "7.1 mm/s / 1 mm/s", 7100000000},
    {"dec", "50 % / 20 %", 2500000000},
    {"percent", "0.5 % * 4", 2000000},
    {"percent", "4 * 0.5 %", 2000000},
    {"percent", "1 % / 4", 250000},
    {"percent", "1 % - 2 %", -1000000},
    {"mass", "2 * 1.5 kg", 3000000},
    {"mass", "1.5 kg * 0.5", 750000},
    {"mass", "12.5 % of 8 kg", 1000000},
    {"mass", "8 kg * 12.5 %", 1000000},
    {"mass", "1 mg / 2", 0},
    {"mass", "3 mg / 2", 2},
    {"mass", "round_down(50 % of 3 mg)", 1},
    {"temperature", "20 °C + 500 mK", 293650},
    {"temperature", "500 mK + 20 °C", 293650},
    {"temperature", "20 °C - 1 K", 292150},
    {"temp_diff", "20 °C - 0 °C", 20000},
    {"temp_diff", "- (20 °C - 0 °C)", -20000},
    {"energy", "750 W * 2 h", 5400000000},
    {"energy", "2 h * 750 W", 5400000000},
    {"power", "1.5 kWh / 2 h", 750000},
    {"duration", "1.5 kWh / 750 W", 7200000},
    {"length", "2 mm/s * 3 s", 6000},
    {"velocity", "6 mm / 3 s", 2000},
    {"volume", "10 m3/h * 30 min", 5000000000},
    {"volume_flow", "5 m3 / 30 min", 10000000},
    {"power", "2 kN * 3 m/s", 6000000},
    {"power", "230 V * 2 A", 460000},
    {"current", "460 W / 230 V", 2000000},
    {"duration", "1 week - 6 days", 86400000},
    {"bool", "1 < 2 and 2 kg >= 2000 g", 1},
    {"bool", "1 == 2 implies no", 1},
    {"bool", "not (1.5 == 1.50)", 0},
};

Test(check, constants_are_exact)
{
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        const constant_row *row = &constants[i];
        char source[SOURCE_MAX];
        snprintf(source, sizeof source, "contract T version 1 { var v : %s = %s }", row->type,
                 row->expr);
        twc_front *front = front_of(source);
        expect_good(front);
        const twc_expr *value = named(front, "v")->u.value.value;
        cr_assert(value->constant && value->fixed, "%s", row->expr);
        cr_assert_eq(value->value, row->value, "%s = %lld", row->expr, (long long)value->value);
        cr_assert_eq(value->type, named(front, "v")->type);
        twc_front_free(front);
    }
}

/* Every pair of dimensions: an operator is accepted when and only when the tables say so. */
Test(check, operators_agree_with_the_tables)
{
    for (int a = 1; a < TW_DIM_COUNT; a++) {
        for (int b = 1; b < TW_DIM_COUNT; b++) {
            const tw_dimension left = (tw_dimension)a;
            const tw_dimension right = (tw_dimension)b;
            char source[SOURCE_MAX];
            snprintf(
                source, sizeof source,
                "contract T version 1 { fn f(a: %s, b: %s) -> bool { let c = a + b return c == "
                "c } }",
                tw_dim_name(left), tw_dim_name(right));
            twc_front *front = front_of(source);
            const bool point_left = tw_dim_is_point(left) && tw_dim_difference(left) == right;
            const bool point_right = tw_dim_is_point(right) && tw_dim_difference(right) == left;
            const bool same = left == right && !tw_dim_is_point(left);
            cr_assert_eq(front->diags.error_count == 0, same || point_left || point_right,
                         "%s + %s", tw_dim_name(left), tw_dim_name(right));
            twc_front_free(front);
            snprintf(source, sizeof source,
                     "contract T version 1 { fn f(a: %s, b: %s) -> bool { return a < b } }",
                     tw_dim_name(left), tw_dim_name(right));
            front = front_of(source);
            cr_assert_eq(front->diags.error_count == 0, left == right, "%s < %s", tw_dim_name(left),
                         tw_dim_name(right));
            twc_front_free(front);
        }
    }
}

/* ------------------------------------------------------------------ the tree of a contract */

static const char guard[] =
    "contract T version 1 {\n"
    "  role owner\n role sensor\n role helper\n"
    "  param level : velocity = 7 mm/s in 1 mm/s .. 9 mm/s\n"
    "  param hold : duration = 2 min in 1 min .. 5 min\n"
    "  reading vib : velocity from sensor field \"v\"\n"
    "    range 0 mm/s .. 100 mm/s rate 1 per 1 s keep 300 max_age 1 min\n"
    "  alarm bad raise when vib above level for hold clear when vib below level - 1 mm/s\n"
    "  record Job { began: time, note: text(20)?, rate: dec, left: time? }\n"
    "  var job : Job?\n var tag : text(40) = \"x\" var who : account?\n"
    "  phases A -> B -> A\n"
    "  event E(a: time?, b: text(40))\n"
    "  on bad raised in A { go B }\n"
    "  on vib silent for hold { go_on() }\n"
    "  action f(note: text(20)) by owner, sensor with helper in B\n"
    "    needs vib above level for hold\n"
    "    needs job is some\n"
    "  {\n"
    "    job.left = now\n"
    "    tag = note\n"
    "    who = helper\n"
    "    emit E(b: note, a: job.began)\n"
    "    job = Job(note: note, began: now, left: none, rate: 2)\n"
    "    tag = \"ab\"\n"
    "    go A\n"
    "    revoke helper from caller grant sensor to caller\n"
    "  }\n"
    "  every 5 min { if (count(vib over 5 min) > 3) { stop } }\n"
    "}\n";

static twc_front *open_guard(void)
{
    static char source[sizeof guard];
    memcpy(source, guard, sizeof guard);
    char *bad = strstr(source, "go_on()");
    memcpy(bad, "stop   ", 7);
    return front_of(source);
}

static const twc_stmt *stmt_at(const twc_front *front, int index)
{
    const twc_stmt *stmt = named(front, "f")->u.entry->body.first;
    while (index-- > 0 && stmt != NULL) stmt = stmt->next;
    cr_assert_not_null(stmt);
    return stmt;
}

static bool converts(const twc_expr *expr, twc_conversion how)
{
    return expr->kind == TWC_E_CONVERT && expr->u.convert.conversion == how;
}

Test(check, conversions_are_nodes)
{
    twc_front *front = open_guard();
    expect_good(front);
    const twc_stmt *left = stmt_at(front, 0); /* job.left = now */
    cr_assert(converts(left->u.assign.value, TWC_CONV_SOME));
    cr_assert_eq(left->u.assign.place->kind, TWC_E_FIELD);
    cr_assert(converts(left->u.assign.place->u.field.object, TWC_CONV_UNWRAP), "job is known");
    const twc_stmt *tag = stmt_at(front, 1); /* tag = note */
    cr_assert(converts(tag->u.assign.value, TWC_CONV_SIZE));
    cr_assert_eq(tag->u.assign.value->type->max, 40);
    const twc_stmt *who = stmt_at(front, 2); /* who = helper, which may be revoked */
    cr_assert(converts(who->u.assign.value, TWC_CONV_HOLDER));
    cr_assert_eq(who->u.assign.value->type->kind, TWC_TYPE_OPTIONAL);
    const twc_arg *arg = stmt_at(front, 3)->u.notice.args; /* emit E(b: note, a: job.began) */
    cr_assert_str_eq(arg->field->word->text, "a", "arguments stand in the order of the fields");
    cr_assert(converts(arg->value, TWC_CONV_SOME));
    cr_assert(converts(arg->next->value, TWC_CONV_SIZE));
    cr_assert_null(arg->next->next);
    twc_front_free(front);
}

Test(check, records_are_made_in_order_with_literals_converted_in_place)
{
    twc_front *front = open_guard();
    const twc_expr *made = stmt_at(front, 4)->u.assign.value; /* job = Job(...) */
    cr_assert(converts(made, TWC_CONV_SOME));
    made = made->u.convert.value;
    cr_assert_eq(made->u.call.callee, TWC_CALL_RECORD);
    const twc_arg *arg = made->u.call.args;
    const char *const names[] = {"began", "note", "rate", "left"};
    for (int i = 0; i < 4; i++, arg = arg->next) {
        cr_assert_str_eq(arg->field->word->text, names[i]);
        cr_assert_eq(arg->value->type, arg->field->type);
    }
    cr_assert_null(arg);
    const twc_expr *rate = made->u.call.args->next->next->value;
    cr_assert(rate->constant && rate->value == 2000000000, "an int literal is a dec");
    const twc_expr *text = stmt_at(front, 5)->u.assign.value; /* tag = "ab" */
    cr_assert(text->kind == TWC_E_TEXT && text->type->max == 40);
    twc_front_free(front);
}

Test(check, entries_know_phases_callers_and_stamps)
{
    twc_front *front = open_guard();
    const twc_contract *contract = front->program->contracts;
    const twc_entry *action = named(front, "f")->u.entry;
    cr_assert_eq(contract->phase_count, 2);
    cr_assert_eq(contract->live_phases, 3);
    cr_assert_eq(action->phases, 2);
    cr_assert_eq(action->by->role, named(front, "owner"));
    cr_assert_eq(action->by->next->role, named(front, "sensor"));
    cr_assert_eq(action->with->role, named(front, "helper"));
    cr_assert(named(front, "sensor")->u.role.granted && !named(front, "sensor")->u.role.revoked);
    cr_assert(named(front, "helper")->u.role.revoked);
    cr_assert_eq(member_of(front, TWC_D_EVERY)->u.entry->phases, 3);
    cr_assert_eq(member_of(front, TWC_D_RAISED)->u.entry->subject, named(front, "bad"));
    cr_assert_eq(named(front, "bad")->u.alarm.readings, 1);
    cr_assert_eq(contract->stamp_count, 2, "the same condition twice is one stamp");
    cr_assert_eq(action->needs->u.needs.condition->u.hold.stamp, 0);
    cr_assert_eq(named(front, "bad")->u.alarm.raise->u.hold.stamp, 0);
    cr_assert_eq(named(front, "bad")->u.alarm.clear->u.hold.stamp, 1);
    twc_front_free(front);
}

Test(check, history_kinds_hold_all_their_uses)
{
    twc_front *front =
        front_of("contract T version 1 { role r var a : hash? var n : text(9) = \"\"\n"
                 "action f() by r { history H(x: \"abc\", y: hash(\"1\")) }\n"
                 "action g() by r { history H(y: a, x: n) n = \"q\" a = none } }");
    expect_good(front);
    const twc_decl *kind = front->program->contracts->histories;
    cr_assert_eq(kind->u.fields.count, 2);
    cr_assert_eq(kind->u.fields.fields->type->max, 9);
    cr_assert_eq(kind->u.fields.fields->next->type->kind, TWC_TYPE_OPTIONAL);
    const twc_decl *f = named(front, "f");
    for (const twc_decl *d = f; d != NULL; d = d->next_same) {
        const twc_arg *arg = d->u.entry->body.first->u.notice.args;
        cr_assert_str_eq(arg->field->word->text, "x");
        cr_assert_eq(arg->value->type, kind->u.fields.fields->type);
        cr_assert_eq(arg->next->value->type, kind->u.fields.fields->next->type);
    }
    twc_front_free(front);
}

Test(check, no_expression_of_a_good_contract_lacks_its_type)
{
    size_t size = 0;
    char *data = read_source("contracts/pump_guard.twc", &size);
    twc_front *front = twc_front_open("t.twc", tw_bytes_of(data, size));
    expect_good(front);
    cr_assert_eq(front->diags.warning_count, 0);
    const twc_contract *contract = front->program->contracts;
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        cr_assert_not_null(d->type);
        cr_assert(!d->bad && !d->broken);
    }
    cr_assert_eq(contract->phase_count, 4);
    cr_assert_eq(contract->history_count, 2);
    cr_assert_eq(contract->stamp_count, 4);
    cr_assert_eq(contract->live_phases, 7, "Retired is final");
    twc_front_free(front);
    tw_mem_free(data);
}

/* ------------------------------------------------------------------ limits and reports */

static uint32_t code_of(const char *source)
{
    uint32_t code = 0;
    (void)errors_in(source, strlen(source), &code);
    return code;
}

Test(check, a_window_is_refused_one_reading_above_what_it_keeps)
{
    const char *format =
        "contract T version 1 { role s reading v : int from s field \"f\" range 0 .. 9 "
        "rate 2 per 10 s keep %d max_age 1 min\n view n() -> int { return count(v over "
        "%d s) } }";
    char source[SOURCE_MAX];
    snprintf(source, sizeof source, format, 12, 60);
    cr_assert_eq(code_of(source), 0);
    snprintf(source, sizeof source, format, 12, 61);
    cr_assert_eq(code_of(source), TWC_DIAG_WINDOW_TOO_LONG,
                 "a part of a period may hold a whole rate");
    snprintf(source, sizeof source, format, 11, 60);
    cr_assert_eq(code_of(source), TWC_DIAG_WINDOW_TOO_LONG);
}

Test(check, limits_hold_at_their_value_and_not_above)
{
    static const struct {
        const char *unit;
        uint32_t max;
    } rows[] = {{"role r%u\n", TW_ROLES_MAX},
                {"param p%u : int = 1 in 0 .. 2\n", TW_PARAMS_MAX},
                {"var v%u : int = 0\n", TW_FIELDS_MAX},
                {"event e%u()\n", TW_NAMES_MAX},
                {"check 1 < 2 // %u\n", TW_NAMES_MAX}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint32_t extra = 0; extra < 2; extra++) {
            static char source[128 * 1024];
            size_t size = (size_t)snprintf(source, sizeof source, "contract T version 1 {\n");
            for (uint32_t n = 0; n < rows[i].max + extra; n++) {
                size += (size_t)snprintf(source + size, 64, rows[i].unit, n);
            }
            snprintf(source + size, 8, "}");
            cr_assert_eq(code_of(source), extra == 0 ? 0 : TWC_DIAG_OVER_LIMIT, "%s", rows[i].unit);
        }
    }
}

Test(check, errors_are_sorted_and_at_most_fifty_and_one)
{
    static char source[64 * 1024];
    size_t size = (size_t)snprintf(source, sizeof source, "contract T version 1 {\n");
    for (int i = 0; i < 200; i++) {
        size += (size_t)snprintf(source + size, 64, "var v%d : int = yes\n", i);
    }
    snprintf(source + size, 8, "}");
    twc_front *front = front_of(source);
    cr_assert_eq(front->diags.error_count, TWC_ERRORS_MAX + 1);
    uint32_t line = 1;
    const twc_diag *d = front->diags.first;
    for (; d->next != NULL; d = d->next) {
        const twc_place place = twc_source_place(&front->source, d->span);
        cr_assert_gt(place.line, line);
        line = place.line;
    }
    cr_assert_eq(d->code, TWC_DIAG_TOO_MANY_ERRORS);
    twc_front_free(front);
}

Test(check, the_underline_stands_under_the_place_after_tabs_and_wide_letters)
{
    twc_front *front = front_of("contract T version 1 {\n\t/* */ }");
    twc_front_free(front);
    front = front_of(
        "contract T version 1 {\n\tvar a : text(9) = \"\xC3\xA9\xE6\xBC\xA2\" var b : int = yes }");
    cr_assert_eq(front->diags.error_count, 1);
    const twc_place place = twc_source_place(&front->source, front->diags.first->span);
    cr_assert_eq(place.line, 2);
    cr_assert_eq(place.column, 39);
    tw_writer w = tw_writer_new(10000);
    twc_diag_render(&front->source, front->diags.first, false, &w);
    tw_write_u8(&w, 0);
    cr_assert_str_eq((const char *)w.data,
                     "t.twc:2:39: error[E0202]: the first value must be int, but this is bool\n"
                     "    2 | \tvar a : text(9) = \"\xC3\xA9\xE6\xBC\xA2\" var b : int = yes }\n"
                     "      | \t                                      ^~~\n");
    tw_writer_free(&w);
    twc_front_free(front);
}

Test(check, every_code_is_explained_with_an_example)
{
    uint32_t count = 0;
    for (uint32_t number = 0; number < 1000; number++) {
        const char *title = NULL;
        const char *text = NULL;
        bool is_warning = false;
        if (!twc_diag_explain(number, &title, &text, &is_warning)) continue;
        count++;
        cr_assert_gt(strlen(title), 5);
        cr_assert_gt(strlen(text), 20);
        cr_assert_eq(is_warning, number / 100 == 8);
        const bool has_example = strstr(text, "Wrong:") != NULL && strstr(text, "Right:") != NULL;
        const bool needs_none = number == TWC_DIAG_TOO_MANY_ERRORS || number >= 900;
        cr_assert(has_example || needs_none, "E%04u", number);
    }
    cr_assert_gt(count, 70);
}

/* What the arena or the table of types can't hold is an error, never a half-checked program. */
Test(check, too_many_types_and_too_little_memory_are_errors)
{
    static char source[512 * 1024];
    for (uint32_t each = 16; each <= 17; each++) { /* with 250 functions: 4,000 and 4,250 types */
        size_t size = (size_t)snprintf(source, sizeof source, "contract T version 1 {\n");
        for (uint32_t i = 0; i < 250; i++) {
            size += (size_t)snprintf(source + size, 64, "fn _f%u(", i);
            for (uint32_t p = 0; p < each; p++) {
                size += (size_t)snprintf(source + size, 64, "%s_%u: %s(%u)", p > 0 ? ", " : "", p,
                                         i % 2 == 0 ? "text" : "bytes", i / 2 * each + p + 1);
            }
            size += (size_t)snprintf(source + size, 64, ") -> int { return 1 }\n");
        }
        snprintf(source + size, 8, "}");
        cr_assert_eq(code_of(source), each == 16 ? 0 : TWC_DIAG_OVER_LIMIT);
    }
    size_t size = (size_t)snprintf(source, sizeof source, "contract T version 1 {\ncheck 1 in [");
    while (size < sizeof source - 8) size += (size_t)snprintf(source + size, 8, "1,");
    snprintf(source + size, 8, "1] }");
    cr_assert_eq(code_of(source), TWC_DIAG_TOO_LARGE);
}
