/* plan -- see the header. A formula's view takes what only the runner knows (accounts, counts of
 * events, gas) as arguments and gives one value, or a record: { ok } or { ok, left, right } for an
 * expectation, the arguments for a call. */
#include "compiler/plan.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE_MAX = 240,
    INPUTS_MAX = TW_MEMBERS_MAX,
    PART_CODE_MAX = 8192, /* instructions of formulas in one module */
};

typedef enum formula_kind { VALUE, CONDITION, ARGUMENTS } formula_kind;

/* The inputs of the formula that is being made, each once. */
typedef struct inputs {
    twc_gen *g;
    twc_gen_input items[INPUTS_MAX];
    uint32_t count;
} inputs;

static void *get(twc_gen *g, size_t count, size_t size)
{
    void *memory = tw_arena_array(g->arena, count, size);
    if (memory == NULL) g->diags->out_of_memory = g->failed = true;
    return memory;
}

static const char *copy_text(twc_gen *g, tw_bytes text)
{
    const char *copy = tw_arena_copy(g->arena, text.data, text.size);
    if (copy == NULL) g->diags->out_of_memory = g->failed = true;
    return copy != NULL ? copy : "";
}

/* ------------------------------------------------------------------ inputs */

static bool same_input(const twc_input *a, const twc_input *b)
{
    return a->kind == b->kind && a->index == b->index && a->number == b->number &&
           (a->kind != TWC_INPUT_ACCOUNT || strcmp(a->name, b->name) == 0);
}

static void add_input(inputs *in, twc_input input, twc_span span)
{
    for (uint32_t i = 0; i < in->count; i++) {
        if (same_input(&in->items[i].input, &input)) return;
    }
    if (in->count == INPUTS_MAX) {
        twc_gen_over_limit(in->g, span, "different accounts, counts and gas in one expectation",
                           INPUTS_MAX + 1, INPUTS_MAX);
        return;
    }
    in->items[in->count++].input = input;
}

static void note_call(inputs *in, const twc_expr *expr)
{
    if (expr->u.call.callee != TWC_CALL_BUILTIN) return;
    const twc_decl *decl = expr->u.call.decl;
    const twc_builtin which = expr->u.call.builtin;
    if (which == TWC_B_EVENTS) {
        add_input(in, (twc_input){TWC_INPUT_EVENTS, (uint16_t)decl->index, 0, NULL}, expr->span);
    } else if (which == TWC_B_GAS || which == TWC_B_BOUND) {
        const twc_input_kind kind = which == TWC_B_GAS ? TWC_INPUT_GAS : TWC_INPUT_BOUND;
        add_input(in, (twc_input){kind, decl->u.entry->number, 0, NULL}, expr->span);
    } else if (which == TWC_B_GAIN || which == TWC_B_MINTED) {
        const twc_input_kind kind = which == TWC_B_GAIN ? TWC_INPUT_ENDOWED : TWC_INPUT_MINTED;
        add_input(in, (twc_input){kind, (uint16_t)decl->index, 0, NULL}, expr->span);
    } else if (which == TWC_B_COUNT && expr->u.call.args == NULL) {
        add_input(in, (twc_input){TWC_INPUT_HISTORY, 0, 0, NULL}, expr->span);
    }
}

static void note_input(void *data, const twc_expr *expr)
{
    inputs *in = data;
    if (expr->kind == TWC_E_CALL) note_call(in, expr);
    if (expr->kind != TWC_E_ACTOR) return;
    const twc_actor *actor = expr->u.actor;
    twc_input input = {.kind = TWC_INPUT_ACCOUNT};
    if (actor->role != NULL) {
        input.kind = TWC_INPUT_MEMBER;
        input.index = (uint16_t)actor->role->index;
        input.number = actor->first > 0 ? actor->first : 1;
    } else {
        input.name = copy_text(in->g, actor->account);
    }
    add_input(in, input, expr->span);
}

static bool is_account(twc_input_kind kind)
{
    return kind == TWC_INPUT_MEMBER || kind == TWC_INPUT_ACCOUNT;
}

/* The arguments of the view, and their slots at the start of its frame. */
static tw_members input_members(twc_gen *g, inputs *in)
{
    tw_members members = {.items = get(g, in->count, sizeof(tw_member))};
    if (g->failed) return members;
    const uint16_t number =
        twc_gen_type_add(g, (tw_type){.kind = TW_KIND_INT, .quantity = TW_DIM_INT});
    const uint16_t account = twc_gen_type_add(g, (tw_type){.kind = TW_KIND_ACCOUNT});
    for (uint32_t i = 0; i < in->count; i++) {
        const bool wide = is_account(in->items[i].input.kind);
        in->items[i].slot = twc_gen_slots_take(g, wide ? 4 : 1);
        members.items[members.count++] = (tw_member){"input", wide ? account : number};
    }
    g->argument_slots = g->top;
    return members;
}

/* ------------------------------------------------------------------ formulas */

static bool is_comparison(const twc_expr *expr)
{
    if (expr->kind != TWC_E_BINARY) return false;
    const bool compares = twc_gen_is_comparison(expr->u.binary.op);
    const twc_type_kind left = compares ? expr->u.binary.left->type->kind : TWC_TYPE_NONE;
    const twc_type_kind right = compares ? expr->u.binary.right->type->kind : TWC_TYPE_NONE;
    return compares && left != TWC_TYPE_NONE && right != TWC_TYPE_NONE;
}

static const char *comparison_text(const twc_expr *expr)
{
    if (!is_comparison(expr)) return NULL;
    const twc_operator op = expr->u.binary.op;
    return op == TWC_OP_EQ   ? "=="
           : op == TWC_OP_NE ? "!="
           : op == TWC_OP_LT ? "<"
           : op == TWC_OP_LE ? "<="
           : op == TWC_OP_GT ? ">"
                             : ">=";
}

static uint16_t record_type(twc_gen *g, const tw_member *members, uint16_t count)
{
    tw_member *items = get(g, count, sizeof *items);
    if (g->failed) return 0;
    memcpy(items, members, count * sizeof *items);
    const tw_members list = {.items = items, .count = count};
    return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_RECORD, .members = list});
}

/* { ok, left, right } or { ok } from slot r on. */
static uint16_t gen_condition(twc_gen *g, const twc_expr *expr)
{
    const uint32_t ok = twc_gen_slots_take(g, 1);
    const uint16_t boolean = twc_gen_type(g, expr->type);
    if (!is_comparison(expr)) {
        twc_gen_into(g, expr, ok);
        g->result_slots = 1;
        twc_emit_last(g, TW_OP_RET, ok, 0);
        const tw_member only = {"ok", boolean};
        return record_type(g, &only, 1);
    }
    const twc_expr *left = expr->u.binary.left;
    const twc_expr *right = expr->u.binary.right;
    const uint32_t a = twc_gen_slots_take(g, twc_gen_slots(g, left->type));
    const uint32_t b = twc_gen_slots_take(g, twc_gen_slots(g, right->type));
    twc_label end = twc_label_new();
    g->result_slots = g->top - ok;
    twc_gen_into(g, left, a);
    twc_gen_into(g, right, b);
    twc_gen_compare(g, expr->u.binary.op, left->type, a, right->type, b, false, &end);
    twc_emit_constant(g, ok, 1); /* 0 before: the frame starts so */
    twc_label_place(g, &end);
    twc_emit_last(g, TW_OP_RET, ok, 0);
    const tw_member members[3] = {{"ok", boolean},
                                  {"left", twc_gen_type(g, left->type)},
                                  {"right", twc_gen_type(g, right->type)}};
    return record_type(g, members, 3);
}

static uint16_t gen_arguments(twc_gen *g, const twc_expr *call)
{
    const twc_decl *params = call->u.call.decl->u.entry->params;
    const tw_members members = twc_gen_members(g, params);
    if (g->failed) return 0;
    const uint32_t slots = twc_gen_fields_slots(g, params);
    const uint32_t at = twc_gen_slots_take(g, slots);
    g->result_slots = slots;
    twc_gen_args(g, call->u.call.args, at);
    twc_emit_last(g, TW_OP_RET, at, 0);
    return twc_gen_type_add(g, (tw_type){.kind = TW_KIND_RECORD, .members = members});
}

static uint16_t gen_value(twc_gen *g, const twc_expr *expr)
{
    g->result_slots = twc_gen_slots(g, expr->type);
    const uint32_t at = twc_gen_value(g, expr);
    twc_emit_last(g, TW_OP_RET, at, 0);
    return twc_gen_type(g, expr->type);
}

static twc_input *copy_inputs(twc_gen *g, const inputs *in)
{
    twc_input *items = get(g, in->count, sizeof *items);
    for (uint32_t i = 0; i < in->count && !g->failed; i++) items[i] = in->items[i].input;
    return items;
}

/* Closes the module of the formulas so far; the next ones stand behind the contract again. */
static void close_part(twc_gen *g)
{
    tw_bytes module;
    if (g->failed || !twc_gen_encode(g, &module)) return;
    twc_gen_undo(g, g->tests);
    if (!twc_gen_grow(g, &g->parts, &g->parts_size, g->part_count + 1, sizeof *g->parts)) return;
    g->parts[g->part_count++] = module;
}

static bool part_is_full(const twc_gen *g)
{
    if (g->m->entry_count == g->tests.entries) return false;
    return g->m->entry_count == TW_ENTRIES_MAX || g->m->function_count == TW_FUNCTIONS_MAX ||
           g->m->code_count - g->tests.code > PART_CODE_MAX;
}

static void make_view(twc_gen *g, const twc_expr *expr, formula_kind kind, twc_formula *ret_formula)
{
    inputs in = {.g = g};
    char text[32];
    const twc_visit visit = {.expr = note_input, .data = &in};
    const int size = snprintf(text, sizeof text, "test %u", (unsigned)g->m->entry_count);
    const char *name = copy_text(g, tw_bytes_of(text, (size_t)size));
    twc_walk_expr(&visit, expr);
    if (part_is_full(g)) close_part(g);
    if (g->failed) return;
    twc_gen_start(g, name, expr->span);
    tw_entry entry = {.name = name,
                      .kind = TW_ENTRY_VIEW,
                      .of = TW_NONE,
                      .delay = TW_NONE,
                      .phases = g->m->entries[0].phases};
    entry.members = input_members(g, &in);
    g->inputs = in.items;
    g->input_count = in.count;
    twc_gen_homes(g, expr, NULL);
    entry.result = kind == CONDITION   ? gen_condition(g, expr)
                   : kind == ARGUMENTS ? gen_arguments(g, expr)
                                       : gen_value(g, expr);
    g->inputs = NULL;
    g->input_count = 0;
    entry.function = twc_gen_end(g);
    ret_formula->part = (uint16_t)g->part_count;
    ret_formula->entry = g->m->entry_count;
    twc_gen_entry_add(g, entry, expr->span);
    ret_formula->inputs = copy_inputs(g, &in);
    ret_formula->input_count = (uint16_t)in.count;
}

static twc_formula formula(twc_gen *g, const twc_expr *expr, formula_kind kind)
{
    twc_formula f = {.entry = TWC_NO_ENTRY};
    if (g->failed) return f;
    if (kind == VALUE && expr->constant) {
        f.constant = true;
        f.value = expr->value;
    } else if (kind != ARGUMENTS || expr->u.call.args != NULL) {
        make_view(g, expr, kind, &f);
    }
    return f;
}

/* ------------------------------------------------------------------ steps */

static twc_test_actor actor_of(twc_gen *g, const twc_actor *actor)
{
    if (actor->role == NULL) {
        return (twc_test_actor){TWC_NO_ROLE, 1, 1, copy_text(g, actor->account)};
    }
    const uint32_t first = actor->first > 0 ? actor->first : 1;
    const uint32_t last = actor->last > first ? actor->last : first;
    return (twc_test_actor){(uint16_t)actor->role->index, first, last, NULL};
}

static void feed_step(twc_gen *g, const twc_tstmt *stmt, twc_step *step)
{
    static const twc_feed_fault fault_of[] = {
        [TWC_FAULT_NONE] = TWC_FEED_WHOLE,  [TWC_FAULT_DROP] = TWC_FEED_DROP,
        [TWC_FAULT_DELAY] = TWC_FEED_DELAY, [TWC_FAULT_FREEZE] = TWC_FEED_FREEZE,
        [TWC_FAULT_DRIFT] = TWC_FEED_DRIFT, [TWC_FAULT_REPLAY] = TWC_FEED_REPLAY_ATTACK,
    };
    uint32_t count = 0;
    for (const twc_feed *f = stmt->u.feed.feeds; f != NULL; f = f->next) count++;
    twc_test_feed *feeds = get(g, count, sizeof *feeds);
    step->kind = TWC_STEP_FEED;
    step->feeds = feeds;
    for (const twc_feed *f = stmt->u.feed.feeds; f != NULL && !g->failed; f = f->next) {
        twc_test_feed *feed = &feeds[step->feed_count++];
        feed->reading = (uint16_t)f->reading->index;
        feed->device = (twc_test_actor){(uint16_t)f->reading->u.reading.role->index, 1, 1, NULL};
        if (f->of != NULL) feed->device = actor_of(g, f->of);
        feed->value = formula(g, f->value, VALUE);
        feed->period = formula(g, f->period, VALUE);
        feed->fault = fault_of[f->fault];
        feed->drop_every = f->drop_every;
        if (f->amount != NULL) feed->amount = formula(g, f->amount, VALUE);
        if (f->per != NULL) feed->per = formula(g, f->per, VALUE);
    }
    step->duration = formula(g, stmt->u.feed.duration, VALUE);
}

static void call_step(twc_gen *g, const twc_tstmt *stmt, twc_step *step)
{
    uint32_t count = 0;
    for (const twc_actor *a = stmt->u.call.actors; a != NULL; a = a->next) count++;
    twc_test_actor *actors = get(g, count, sizeof *actors);
    step->kind = TWC_STEP_CALL;
    step->actors = actors;
    for (const twc_actor *a = stmt->u.call.actors; a != NULL && !g->failed; a = a->next) {
        actors[step->actor_count++] = actor_of(g, a);
    }
    step->entry = stmt->u.call.call->u.call.decl->u.entry->number;
    step->arguments = formula(g, stmt->u.call.call, ARGUMENTS);
}

static const twc_step *steps_of(twc_gen *g, const twc_tstmt *first, uint32_t *ret_count);

static void fail_step(twc_gen *g, const twc_tstmt *stmt, twc_step *step)
{
    const twc_decl *error = stmt->u.fail.error;
    step->kind = TWC_STEP_EXPECT_FAIL;
    step->fail = error == NULL                    ? stmt->u.fail.trap
                 : error->kind == TWC_D_INVARIANT ? TW_FAIL_INVARIANT
                                                  : TW_FAIL_ERROR;
    step->fail_index = error != NULL ? (uint16_t)error->index : 0;
    step->fail_name = stmt->u.fail.word->text;
    step->steps = steps_of(g, stmt->u.fail.body, &step->step_count);
}

static void make_step(twc_gen *g, const twc_tstmt *stmt, twc_step *step)
{
    twc_span span = stmt->span;
    if (stmt->kind == TWC_T_EXPECT_FAIL) span.end = stmt->u.fail.span.end;
    step->line = twc_source_line(g->source, span.start) + 1;
    step->text = twc_gen_text(g, span, TEXT_SIZE_MAX);
    step->source =
        tw_bytes_of(g->source->text.data + stmt->span.start, stmt->span.end - stmt->span.start);
    step->entry = TWC_NO_ENTRY;
    switch (stmt->kind) {
    case TWC_T_FEED: feed_step(g, stmt, step); break;
    case TWC_T_REPLAY:
        step->kind = TWC_STEP_REPLAY;
        step->path = copy_text(g, stmt->u.replay);
        break;
    case TWC_T_ADVANCE:
        step->kind = TWC_STEP_ADVANCE;
        step->duration = formula(g, stmt->u.advance, VALUE);
        break;
    case TWC_T_CALL: call_step(g, stmt, step); break;
    case TWC_T_EXPECT:
        step->kind = TWC_STEP_EXPECT;
        step->comparison = comparison_text(stmt->u.expect);
        step->condition = formula(g, stmt->u.expect, CONDITION);
        break;
    case TWC_T_EXPECT_FAIL: fail_step(g, stmt, step); break;
    }
}

static const twc_step *steps_of(twc_gen *g, const twc_tstmt *first, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (const twc_tstmt *s = first; s != NULL; s = s->next) count++;
    twc_step *steps = get(g, count, sizeof *steps);
    *ret_count = count;
    for (const twc_tstmt *s = first; s != NULL && !g->failed; s = s->next) {
        make_step(g, s, steps++);
    }
    return g->failed ? NULL : steps - count;
}

/* Its modules; the first one even when it has no formula, for its names. */
static void plan_test(twc_gen *g, const twc_decl *d, twc_test *test)
{
    g->tests = twc_gen_mark_now(g);
    g->parts = NULL;
    g->part_count = g->parts_size = 0;
    test->name = copy_text(g, d->u.test.name);
    test->line = twc_source_line(g->source, d->span.start) + 1;
    test->steps = steps_of(g, d->u.test.body, &test->step_count);
    if (d->u.test.fuzz && !g->failed) test->fuzz = twc_plan_fuzz(g, d);
    close_part(g);
    test->modules = g->parts;
    test->module_count = g->part_count;
}

bool twc_plan_tests(twc_gen *g, const twc_test **ret_tests, uint32_t *ret_count)
{
    uint32_t count = 0;
    for (const twc_decl *d = g->contract->members; d != NULL; d = d->next) {
        count += d->kind == TWC_D_TEST;
    }
    twc_test *tests = get(g, count, sizeof *tests);
    uint32_t index = 0;
    for (const twc_decl *d = g->contract->members; d != NULL && !g->failed; d = d->next) {
        if (d->kind != TWC_D_TEST) continue;
        plan_test(g, d, &tests[index++]);
    }
    *ret_tests = tests;
    *ret_count = count;
    return !g->failed;
}
