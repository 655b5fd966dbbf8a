/* trial_script -- scripts of a fuzz test: what their tokens mean, running them, and writing them as
 * a test that an author can paste. See trial_fuzz.h for the tokens. */
#include "vm/runner/trial_fuzz.h"

#include "vm/base/quantities.h"

#include <stdio.h>
#include <string.h>

/* ---- tokens ---- */

const int64_t *tw_fuzz_skip(const tw_fuzz *f, uint16_t type, const int64_t *at)
{
    const tw_type *t = &f->m->types[type];
    const int64_t first = *at++;
    if (t->kind == TW_KIND_ACCOUNT) return at + 1;
    if (t->kind == TW_KIND_OPTIONAL) return first != 0 ? tw_fuzz_skip(f, t->of, at) : at;
    if (t->kind == TW_KIND_LIST) {
        for (int64_t i = 0; i < first; i++) at = tw_fuzz_skip(f, t->of, at);
    } else if (t->kind == TW_KIND_RECORD) {
        at--; /* a record has no token of its own */
        for (uint16_t i = 0; i < t->members.count; i++) {
            at = tw_fuzz_skip(f, t->members.items[i].type, at);
        }
    }
    return at;
}

static const tw_trial_account *account_of(const tw_fuzz *f, tw_fuzz_actor actor)
{
    if (actor.role != TWC_NO_ROLE) return tw_trial_member(f->trial, actor.role, actor.number);
    return tw_trial_named(f->trial, tw_fuzz_stranger(actor.number));
}

static tw_status encode(const tw_fuzz *f, uint16_t type, const int64_t **at, tw_writer *w);

static tw_status encode_part(const tw_fuzz *f, const tw_type *t, int64_t first, const int64_t **at,
                             tw_writer *w)
{
    if (t->kind == TW_KIND_OPTIONAL) {
        tw_write_u8(w, (uint8_t)first);
        return first != 0 ? encode(f, t->of, at, w) : TW_OK;
    }
    if (t->kind == TW_KIND_LIST) {
        tw_write_u16(w, (uint16_t)first);
        for (int64_t i = 0; i < first; i++) TW_TRY(encode(f, t->of, at, w));
        return TW_OK;
    }
    const tw_trial_account *account =
        account_of(f, (tw_fuzz_actor){(uint16_t)first, (uint32_t) * (*at)++});
    if (account == NULL) return TW_REFUSED_LIMIT;
    tw_write_raw(w, account->account.bytes, sizeof account->account.bytes);
    return TW_OK;
}

/* Appends the canonical bytes of the value. */
static tw_status encode(const tw_fuzz *f, uint16_t type, const int64_t **at, tw_writer *w)
{
    const tw_type *t = &f->m->types[type];
    if (t->kind == TW_KIND_RECORD) {
        for (uint16_t i = 0; i < t->members.count; i++) {
            TW_TRY(encode(f, t->members.items[i].type, at, w));
        }
        return TW_OK;
    }
    const int64_t first = *(*at)++;
    const char *text = NULL;
    tw_hash hash;
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: tw_write_u8(w, (uint8_t)first); return TW_OK;
    case TW_KIND_ENUM: tw_write_u16(w, (uint16_t)first); return TW_OK;
    case TW_KIND_MONEY: tw_write_i64(w, first); return TW_OK;
    case TW_KIND_INT:
        tw_write_i64(w, t->quantity == TW_DIM_TIME ? f->trial->now + first : first);
        return TW_OK;
    case TW_KIND_TEXT: tw_write_text(w, f->texts[first]); return TW_OK;
    case TW_KIND_HASH:
    case TW_KIND_TWIN:
        text = f->texts[first];
        hash = tw_sha256(text, strlen(text));
        tw_write_raw(w, hash.bytes, sizeof hash.bytes);
        return TW_OK;
    case TW_KIND_OPTIONAL:
    case TW_KIND_LIST:
    case TW_KIND_ACCOUNT: return encode_part(f, t, first, at, w);
    case TW_KIND_RECORD:
    case TW_KIND_BYTES: /* no action with one is drawn */
    case TW_KIND_THINGS:
    case TW_KIND_KINDS: break;
    }
    return TW_ERR_INTERNAL;
}

/* ---- running ---- */

static tw_status run_call(tw_fuzz *f, tw_fuzz_step *step)
{
    const uint16_t entry = f->plan->actions[step->action].entry;
    const tw_members *members = &f->m->entries[entry].members;
    const tw_trial_account *signers[TW_TX_SIGNERS_MAX];
    const int64_t *at = step->tokens;
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_status status = TW_OK;
    for (uint16_t i = 0; i < members->count && status == TW_OK; i++) {
        status = encode(f, members->items[i].type, &at, &w);
    }
    for (uint32_t i = 0; i < step->actor_count; i++) {
        signers[i] = account_of(f, step->actors[i]);
        if (signers[i] == NULL) status = TW_REFUSED_LIMIT;
    }
    if (status == TW_OK && w.bad) status = TW_ERR_MEMORY;
    if (status == TW_OK) {
        status = tw_trial_call(f->trial, signers, step->actor_count, entry, tw_writer_bytes(&w),
                               &step->outcome);
    }
    tw_writer_free(&w);
    return status;
}

const char *tw_fuzz_stranger(uint32_t number)
{
    return number == 1 ? "stranger 1" : "stranger 2";
}

static tw_status run_feed(tw_fuzz *f, tw_fuzz_step *step)
{
    twc_test_feed feeds[TW_FUZZ_READINGS_MAX];
    const tw_fuzz_actor actor = step->actors[0];
    const bool stranger = actor.role == TWC_NO_ROLE;
    const twc_test_actor device = {actor.role, stranger ? 1 : actor.number,
                                   stranger ? 1 : actor.number,
                                   stranger ? tw_fuzz_stranger(actor.number) : NULL};
    for (uint32_t i = 0; i < step->reading_count; i++) {
        feeds[i] = (twc_test_feed){.reading = step->readings[i].reading, .device = device};
        feeds[i].value = (twc_formula){.constant = true, .value = step->readings[i].value};
        feeds[i].period = (twc_formula){.constant = true, .value = step->period};
    }
    const twc_step whole = {.kind = TWC_STEP_FEED,
                            .text = "feed",
                            .feeds = feeds,
                            .feed_count = step->reading_count,
                            .duration = {.constant = true, .value = step->time}};
    return tw_trial_feed(f->trial, &whole, &step->outcome);
}

tw_status tw_fuzz_run(tw_fuzz *f, tw_fuzz_step *step)
{
    const tw_mark mark = tw_arena_mark(f->trial->arena);
    tw_status status = TW_ERR_INTERNAL;
    step->outcome = (tw_trial_outcome){TW_OK, 0};
    if (step->kind == TW_FUZZ_WAIT) status = tw_trial_wait(f->trial, step->time);
    if (step->kind == TW_FUZZ_CALL) status = run_call(f, step);
    if (step->kind == TW_FUZZ_FEED) status = run_feed(f, step);
    tw_arena_reset(f->trial->arena, mark);
    return status;
}

tw_status tw_fuzz_look(tw_fuzz *f, uint32_t *ret_broken)
{
    tw_trial_report *report = f->trial->report;
    const tw_mark mark = tw_arena_mark(f->trial->arena);
    *ret_broken = UINT32_MAX;
    for (uint32_t i = f->plan->start_count; i < f->test->step_count; i++) {
        TW_TRY(tw_trial_expect(f->trial, &f->test->steps[i]));
        tw_arena_reset(f->trial->arena, mark);
        if (report->passed) continue;
        report->passed = true; /* so far it is one of many runs */
        *ret_broken = i;
        return TW_OK;
    }
    return TW_OK;
}

/* ---- writing ---- */

static void put(tw_writer *w, const char *text)
{
    tw_write_raw(w, text, strlen(text));
}

static void put_quoted(tw_writer *w, const char *text)
{
    tw_write_u8(w, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') tw_write_u8(w, '\\');
        tw_write_u8(w, (uint8_t)*text);
    }
    tw_write_u8(w, '"');
}

static void put_quantity(tw_writer *w, int64_t value, uint8_t quantity)
{
    char text[TW_QUANTITY_TEXT_MAX];
    tw_quantity_print(value, (tw_dimension)quantity, text);
    put(w, text);
}

/* 10800001 ms is written as 3 h + 1 ms. */
static void put_duration(tw_writer *w, int64_t duration)
{
    static const int64_t parts[] = {86400000, 3600000, 60000, 1000, 1};
    bool first = true;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const int64_t part = duration / parts[i] * parts[i];
        if (part == 0) continue;
        if (!first) put(w, " + ");
        put_quantity(w, part, TW_DIM_DURATION);
        duration -= part;
        first = false;
    }
}

static void put_time(tw_writer *w, int64_t from_now)
{
    put(w, from_now < 0 ? "now - (" : from_now > 0 ? "now + " : "now");
    if (from_now != 0) put_duration(w, from_now < 0 ? -from_now : from_now);
    if (from_now < 0) put(w, ")");
}

static void put_actor(const tw_fuzz *f, tw_writer *w, tw_fuzz_actor actor)
{
    char text[TW_NAME_SIZE_MAX + 16];
    if (actor.role == TWC_NO_ROLE) {
        put(w, "account ");
        put_quoted(w, tw_fuzz_stranger(actor.number));
        return;
    }
    snprintf(text, sizeof text, "%s %u", f->m->roles[actor.role].name, actor.number);
    put(w, text);
}

static void put_value(const tw_fuzz *f, tw_writer *w, uint16_t type, const int64_t **at);

static void put_record(const tw_fuzz *f, tw_writer *w, const tw_type *t, const int64_t **at)
{
    put(w, t->name);
    put(w, "(");
    for (uint16_t i = 0; i < t->members.count; i++) {
        if (i > 0) put(w, ", ");
        put(w, t->members.items[i].name);
        put(w, ": ");
        put_value(f, w, t->members.items[i].type, at);
    }
    put(w, ")");
}

static void put_list(const tw_fuzz *f, tw_writer *w, const tw_type *t, int64_t count,
                     const int64_t **at)
{
    put(w, "[");
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) put(w, ", ");
        put_value(f, w, t->of, at);
    }
    put(w, "]");
}

static void put_money(const tw_fuzz *f, tw_writer *w, int64_t value, uint16_t money)
{
    char text[TW_QUANTITY_TEXT_MAX];
    tw_decimal_print(value, f->m->monies[money].decimals, text);
    put(w, text);
    put(w, " ");
    put(w, f->m->monies[money].name);
}

static void put_value(const tw_fuzz *f, tw_writer *w, uint16_t type, const int64_t **at)
{
    const tw_type *t = &f->m->types[type];
    if (t->kind == TW_KIND_RECORD) {
        put_record(f, w, t, at);
        return;
    }
    const int64_t first = *(*at)++;
    if (t->kind == TW_KIND_BOOL) put(w, first != 0 ? "yes" : "no");
    if (t->kind == TW_KIND_ENUM) put(w, f->m->enums[t->of].values.items[first]);
    if (t->kind == TW_KIND_MONEY) put_money(f, w, first, t->of);
    if (t->kind == TW_KIND_TEXT) put_quoted(w, f->texts[first]);
    if (t->kind == TW_KIND_LIST) put_list(f, w, t, first, at);
    if (t->kind == TW_KIND_ACCOUNT) {
        put_actor(f, w, (tw_fuzz_actor){(uint16_t)first, (uint32_t) * (*at)++});
    }
    if (t->kind == TW_KIND_HASH || t->kind == TW_KIND_TWIN) {
        put(w, t->kind == TW_KIND_HASH ? "hash(" : "twin_id(");
        put_quoted(w, f->texts[first]);
        put(w, ")");
    }
    if (t->kind == TW_KIND_INT && t->quantity == TW_DIM_TIME) {
        put_time(w, first);
    } else if (t->kind == TW_KIND_INT) {
        put_quantity(w, first, t->quantity);
    }
    if (t->kind == TW_KIND_OPTIONAL && first == 0) put(w, "none");
    if (t->kind == TW_KIND_OPTIONAL && first != 0) put_value(f, w, t->of, at);
}

static void put_call(const tw_fuzz *f, tw_writer *w, const tw_fuzz_step *step)
{
    const tw_entry *entry = &f->m->entries[f->plan->actions[step->action].entry];
    const int64_t *at = step->tokens;
    put(w, "as ");
    for (uint32_t i = 0; i < step->actor_count; i++) {
        if (i > 0) put(w, ", ");
        put_actor(f, w, step->actors[i]);
    }
    put(w, " call ");
    put(w, entry->name);
    put(w, "(");
    for (uint16_t i = 0; i < entry->members.count; i++) {
        if (i > 0) put(w, ", ");
        put_value(f, w, entry->members.items[i].type, &at);
    }
    put(w, ")");
}

static void put_feed(const tw_fuzz *f, tw_writer *w, const tw_fuzz_step *step)
{
    put(w, "feed ");
    for (uint32_t i = 0; i < step->reading_count; i++) {
        const tw_reading *reading = &f->m->readings[step->readings[i].reading];
        if (i > 0) put(w, " and ");
        put(w, reading->name);
        put(w, " of ");
        put_actor(f, w, step->actors[0]);
        put(w, " ");
        put_quantity(w, step->readings[i].value, f->m->types[reading->type].quantity);
        put(w, " every ");
        put_duration(w, step->period);
    }
    put(w, " for ");
    put_duration(w, step->time);
}

static void put_step(const tw_fuzz *f, tw_writer *w, const tw_fuzz_step *step)
{
    char name[128] = "";
    const bool failed = step->outcome.status != TW_OK;
    if (failed) {
        tw_trial_outcome_name(f->trial, &step->outcome, name);
        put(w, "  expect fail ");
        put(w, name);
        put(w, " { ");
    } else {
        put(w, "  ");
    }
    if (step->kind == TW_FUZZ_WAIT) {
        put(w, "advance ");
        put_duration(w, step->time);
    }
    if (step->kind == TW_FUZZ_CALL) put_call(f, w, step);
    if (step->kind == TW_FUZZ_FEED) put_feed(f, w, step);
    put(w, failed ? " }\n" : "\n");
}

void tw_fuzz_write(const tw_fuzz *f, uint64_t run, uint32_t broken, tw_writer *w)
{
    char text[48];
    const twc_step *steps = f->test->steps;
    snprintf(text, sizeof text, ", run %llu", (unsigned long long)run);
    tw_writer name = tw_writer_new(64 * 1024);
    put(&name, f->test->name);
    tw_write_raw(&name, text, strlen(text) + 1);
    put(w, "test ");
    put_quoted(w, name.bad ? "broken" : (const char *)name.data);
    tw_writer_free(&name);
    put(w, " {\n");
    for (uint32_t i = 0; i < f->plan->start_count; i++) {
        put(w, "  ");
        tw_write_raw(w, steps[i].source.data, steps[i].source.size);
        put(w, "\n");
    }
    for (uint32_t i = 0; i < f->step_count; i++) put_step(f, w, &f->steps[i]);
    put(w, "  ");
    tw_write_raw(w, steps[broken].source.data, steps[broken].source.size);
    put(w, "\n}\n");
}
