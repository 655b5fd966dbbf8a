/* interface -- the table of bounds, and the interface of a contract as JSON.
 *
 * Both are read off the module, as a ledger or a client would, so they cannot say anything that the
 * module does not; only the documentation comes from the source. 64-bit numbers are strings in
 * JSON.
 */
#include "compiler/interface.h"

#include "compiler/diag.h"
#include "vm/isa/disasm.h"
#include "vm/verify/verify.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MAX_SIZE = 400, PACK_READINGS_MAX = 4096 };

static const char *const kinds[TW_ENTRY_KINDS] = {
    "",       "deploy", "action", "view",  "raised",  "cleared",
    "silent", "every",  "after",  "falls", "migrate",
};

static bool open_module(const twc_unit *unit, tw_arena *arena, tw_module **ret_module,
                        tw_facts **ret_facts)
{
    tw_err err;
    return tw_module_decode(unit->module, arena, ret_module, &err) == TW_OK &&
           tw_module_verify(*ret_module, arena, ret_facts, &err) == TW_OK;
}

/* ------------------------------------------------------------------ bounds */

/* 4,096 readings of the reading that costs most to take in. */
static uint64_t largest_pack(const tw_module *m, const tw_facts *facts)
{
    uint64_t most = 0;
    for (uint16_t i = 0; i < m->reading_count; i++) {
        if (facts->intake_gas[i] > most) most = facts->intake_gas[i];
    }
    return facts->pack.gas + PACK_READINGS_MAX * most;
}

static void put_grouped(tw_writer *w, uint64_t number, int width)
{
    char digits[24];
    char text[32];
    const int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    int size = 0;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) text[size++] = ',';
        text[size++] = digits[i];
    }
    text[size] = '\0';
    tw_print(w, "%*s", width, text);
}

static void put_row(tw_writer *w, const char *kind, const char *name, const tw_bounds *b)
{
    tw_print(w, "%-8s %-32s", kind, name);
    put_grouped(w, b->gas, 13);
    tw_print(w, " %7u %7u %11u %7u\n", b->reads, b->writes, b->event_bytes, b->slots);
}

static void bounds_text(const tw_module *m, const tw_facts *facts, tw_writer *w)
{
    tw_print(w, "%s version %u\n\n%-8s %-32s%13s %7s %7s %11s %7s\n", m->name, m->version, "kind",
             "entry", "gas", "reads", "writes", "event bytes", "slots");
    for (uint16_t i = 0; i < m->entry_count; i++) {
        put_row(w, kinds[m->entries[i].kind], m->entries[i].name, &facts->entries[i]);
    }
    if (m->reading_count == 0) return;
    tw_bounds pack = facts->pack;
    pack.gas = largest_pack(m, facts);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const uint8_t kind = m->entries[i].kind;
        const uint32_t slots = facts->entries[i].slots;
        const bool handler = kind == TW_ENTRY_RAISED || kind == TW_ENTRY_CLEARED;
        if (handler && slots > pack.slots) pack.slots = slots;
    }
    put_row(w, "pack", "largest: 4,096 readings, handlers", &pack);
    for (uint16_t i = 0; i < m->reading_count; i++) {
        tw_print(w, "%-8s %-32s", "reading", m->readings[i].name);
        put_grouped(w, facts->intake_gas[i], 13);
        tw_print(w, "\n");
    }
}

static void bounds_json(const tw_module *m, const tw_facts *facts, tw_writer *w)
{
    tw_print(w, "{\"contract\": \"%s\", \"version\": %u, \"entries\": [", m->name, m->version);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_bounds *b = &facts->entries[i];
        tw_print(w, "%s\n  {\"kind\": \"%s\", \"name\": ", i > 0 ? "," : "",
                 kinds[m->entries[i].kind]);
        twc_json_string(w, m->entries[i].name);
        tw_print(w,
                 ", \"gas\": \"%llu\", \"reads\": %u, \"writes\": %u, \"event_bytes\": %u, "
                 "\"slots\": %u}",
                 (unsigned long long)b->gas, b->reads, b->writes, b->event_bytes, b->slots);
    }
    tw_print(w, "\n], \"pack\": {\"gas\": \"%llu\", \"largest_gas\": \"%llu\", \"readings\": [",
             (unsigned long long)facts->pack.gas, (unsigned long long)largest_pack(m, facts));
    for (uint16_t i = 0; i < m->reading_count; i++) {
        tw_print(w, "%s{\"name\": \"%s\", \"gas\": \"%llu\"}", i > 0 ? ", " : "",
                 m->readings[i].name, (unsigned long long)facts->intake_gas[i]);
    }
    tw_print(w, "]}}");
}

bool twc_bounds_write(const twc_unit *unit, bool json, tw_arena *arena, tw_writer *w)
{
    const tw_mark mark = tw_arena_mark(arena);
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    const bool good = open_module(unit, arena, &m, &facts);
    if (good && json) bounds_json(m, facts, w);
    if (good && !json) bounds_text(m, facts, w);
    tw_arena_reset(arena, mark);
    return good && !w->bad;
}

/* ------------------------------------------------------------------ interface */

/* What is being written: lists of things, each an object that begins with its name. */
typedef struct abi {
    const tw_module *m;
    const twc_contract *contract;
    tw_writer *w;
    bool first; /* of its list */
} abi;

static void open_list(abi *a, const char *name)
{
    tw_print(a->w, ",\n\"%s\": [", name);
    a->first = true;
}

static void open_item(abi *a, const char *name)
{
    tw_print(a->w, "%s\n  {\"name\": ", a->first ? "" : ",");
    twc_json_string(a->w, name);
    a->first = false;
}

/* Ends the item, with what `///` says of it. TWC_D_LOCAL: it has no declaration of its own. */
static void close_item(abi *a, twc_decl_kind kind, const char *name)
{
    for (const twc_decl *d = a->contract->members; d != NULL; d = d->next) {
        if (d->kind != kind || d->doc == NULL || strcmp(d->word->text, name) != 0) continue;
        tw_print(a->w, ", \"doc\": ");
        twc_json_string(a->w, d->doc);
    }
    tw_print(a->w, "}");
}

static void put_type(abi *a, const char *name, uint16_t type)
{
    char text[LINE_MAX_SIZE];
    tw_type_print(a->m, type, text, sizeof text);
    tw_print(a->w, ", \"%s\": ", name);
    twc_json_string(a->w, text);
}

static void put_members(abi *a, const char *name, const tw_members *members)
{
    tw_print(a->w, ", \"%s\": [", name);
    for (uint16_t i = 0; i < members->count; i++) {
        tw_print(a->w, "%s{\"name\": \"%s\"", i > 0 ? ", " : "", members->items[i].name);
        put_type(a, "type", members->items[i].type);
        tw_print(a->w, "}");
    }
    tw_print(a->w, "]");
}

/* The names whose bit is set. */
static void put_names(abi *a, const char *name, const tw_names *names, uint64_t mask)
{
    const char *before = "";
    tw_print(a->w, ", \"%s\": [", name);
    for (uint16_t i = 0; i < names->count; i++) {
        if (i < 64 && (mask >> i & 1) == 0) continue;
        tw_print(a->w, "%s\"%s\"", before, names->items[i]);
        before = ", ";
    }
    tw_print(a->w, "]");
}

static void put_range(abi *a, int64_t low, int64_t high)
{
    tw_print(a->w, ", \"low\": \"%lld\", \"high\": \"%lld\"", (long long)low, (long long)high);
}

static void put_types(abi *a)
{
    const tw_module *m = a->m;
    uint64_t seen = 0; /* fewer than 64 dimensions */
    open_list(a, "records");
    for (uint16_t i = 0; i < m->type_count; i++) {
        if (m->types[i].kind != TW_KIND_RECORD) continue;
        open_item(a, m->types[i].name);
        put_members(a, "fields", &m->types[i].members);
        close_item(a, TWC_D_RECORD, m->types[i].name);
    }
    tw_print(a->w, "]");
    open_list(a, "enums");
    for (uint16_t i = 0; i < m->enum_count; i++) {
        open_item(a, m->enums[i].name);
        put_names(a, "values", &m->enums[i].values, UINT64_MAX);
        close_item(a, TWC_D_ENUM, m->enums[i].name);
    }
    tw_print(a->w, "]");
    open_list(a, "resolutions");
    for (uint16_t i = 0; i < m->type_count; i++) {
        const uint8_t dimension = m->types[i].quantity;
        if (dimension == TW_DIM_NONE || (seen >> dimension & 1) != 0) continue;
        seen |= (uint64_t)1 << dimension;
        open_item(a, tw_dim_name((tw_dimension)dimension));
        tw_print(a->w, ", \"resolution\": ");
        twc_json_string(a->w, tw_dim_resolution((tw_dimension)dimension));
        close_item(a, TWC_D_LOCAL, "");
    }
    tw_print(a->w, "]");
}

static void put_settings(abi *a)
{
    const tw_module *m = a->m;
    open_list(a, "roles");
    for (uint16_t i = 0; i < m->role_count; i++) {
        const uint8_t flags = m->roles[i].flags;
        open_item(a, m->roles[i].name);
        tw_print(a->w, ", \"max\": %u, \"granted\": %s, \"revoked\": %s", m->roles[i].max,
                 flags & TW_ROLE_GRANTED ? "true" : "false",
                 flags & TW_ROLE_REVOKED ? "true" : "false");
        close_item(a, TWC_D_ROLE, m->roles[i].name);
    }
    tw_print(a->w, "]");
    open_list(a, "params");
    for (uint16_t i = 0; i < m->param_count; i++) {
        const tw_param *p = &m->params[i];
        open_item(a, p->name);
        put_type(a, "type", p->type);
        if (m->types[p->type].kind == TW_KIND_INT || m->types[p->type].kind == TW_KIND_MONEY) {
            tw_print(a->w, ", \"default\": \"%lld\"", (long long)tw_load_u64(p->preset.data));
        }
        if (p->ranged) put_range(a, p->low, p->high);
        close_item(a, TWC_D_PARAM, p->name);
    }
    tw_print(a->w, "]");
}

static void put_money(abi *a)
{
    const tw_module *m = a->m;
    open_list(a, "monies");
    for (uint16_t i = 0; i < m->money_count; i++) {
        const tw_money *money = &m->monies[i];
        const bool token = money->kind == TW_MONEY_TOKEN;
        open_item(a, money->name);
        tw_print(a->w, ", \"kind\": \"%s\", \"decimals\": %u", token ? "token" : "currency",
                 money->decimals);
        if (token) tw_print(a->w, ", \"supply\": \"%lld\"", (long long)money->supply);
        close_item(a, token ? TWC_D_TOKEN : TWC_D_CURRENCY, money->name);
    }
    tw_print(a->w, "]");
    open_list(a, "purses");
    for (uint16_t i = 0; i < m->purse_count; i++) {
        const tw_purse *p = &m->purses[i];
        open_item(a, p->name);
        tw_print(a->w, ", \"money\": \"%s\"", m->monies[p->money].name);
        if (p->role != TW_NONE) tw_print(a->w, ", \"per\": \"%s\"", m->roles[p->role].name);
        close_item(a, TWC_D_PURSE, p->name);
    }
    tw_print(a->w, "]");
}

/* What anybody can read and prove: variables, maps and registries. */
static void put_state(abi *a)
{
    static const char *const words[TW_FIELD_KINDS] = {"", "var", "map", "registry"};
    static const twc_decl_kind declared[TW_FIELD_KINDS] = {TWC_D_LOCAL, TWC_D_VAR, TWC_D_MAP,
                                                           TWC_D_REGISTRY};
    open_list(a, "state");
    for (uint16_t i = 0; i < a->m->field_count; i++) {
        const tw_field *f = &a->m->fields[i];
        if (f->old) continue;
        open_item(a, f->name);
        tw_print(a->w, ", \"kind\": \"%s\"", words[f->kind]);
        if (f->key_type != TW_NONE) put_type(a, "key", f->key_type);
        put_type(a, "type", f->value_type);
        if (f->max > 0) tw_print(a->w, ", \"max\": %u", f->max);
        close_item(a, declared[f->kind], f->name);
    }
    tw_print(a->w, "]");
}

static void put_twin(abi *a)
{
    const tw_module *m = a->m;
    open_list(a, "readings");
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        open_item(a, r->name);
        tw_print(a->w, ", \"field\": ");
        twc_json_string(a->w, r->field);
        put_type(a, "type", r->type);
        put_range(a, r->low, r->high);
        tw_print(a->w,
                 ", \"role\": \"%s\", \"per_device\": %s, \"rate\": %u, \"rate_ms\": \"%lld\", "
                 "\"keep\": %u, "
                 "\"max_age_ms\": \"%lld\", \"gap_ms\": \"%lld\"",
                 m->roles[r->role].name, r->per_device ? "true" : "false", r->rate_count,
                 (long long)r->rate_ms, r->keep, (long long)r->age_max_ms, (long long)r->gap_ms);
        close_item(a, TWC_D_READING, r->name);
    }
    tw_print(a->w, "]");
    open_list(a, "alarms");
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        open_item(a, m->alarms[i].name);
        close_item(a, TWC_D_ALARM, m->alarms[i].name);
    }
    tw_print(a->w, "]");
    open_list(a, "phases");
    for (uint16_t i = 0; i < m->phases.count; i++) {
        uint64_t next = 0;
        for (uint16_t k = 0; k < m->arrow_count; k++) {
            if (m->arrows[k].from == i) next |= (uint64_t)1 << m->arrows[k].to;
        }
        open_item(a, m->phases.items[i]);
        put_names(a, "next", &m->phases, next);
        close_item(a, TWC_D_LOCAL, "");
    }
    tw_print(a->w, "]");
}

static void put_entries(abi *a, const char *list, tw_entry_kind kind, twc_decl_kind declared)
{
    open_list(a, list);
    for (uint16_t i = 0; i < a->m->entry_count; i++) {
        const tw_entry *e = &a->m->entries[i];
        if (e->kind != kind) continue;
        open_item(a, e->name);
        put_members(a, "arguments", &e->members);
        if (e->result != TW_NONE) put_type(a, "result", e->result);
        put_names(a, "phases", &a->m->phases, e->phases);
        tw_print(a->w, ", \"gas\": \"%llu\"", (unsigned long long)e->bounds.gas);
        close_item(a, declared, e->name);
    }
    tw_print(a->w, "]");
}

static void put_notices(abi *a, const char *list, twc_decl_kind kind, const tw_notice *items,
                        uint16_t count)
{
    open_list(a, list);
    for (uint16_t i = 0; i < count; i++) {
        open_item(a, items[i].name);
        put_members(a, "fields", &items[i].members);
        close_item(a, kind, items[i].name);
    }
    tw_print(a->w, "]");
}

static void put_abi(const twc_unit *unit, abi *a)
{
    char hex[2 * TW_HASH_SIZE + 1];
    const tw_module *m = a->m;
    const tw_hash hash = tw_module_hash(unit->module);
    tw_hex_encode(hash.bytes, sizeof hash.bytes, hex);
    tw_print(a->w,
             "{\"contract\": \"%s\",\n\"version\": %u,\n\"module\": \"%s\",\n\"twin\": ", m->name,
             m->version, hex);
    twc_json_string(a->w, m->twin);
    tw_print(a->w, ",\n\"doc\": ");
    twc_json_string(a->w, a->contract->doc != NULL ? a->contract->doc : "");
    put_settings(a);
    put_money(a);
    put_types(a);
    put_state(a);
    put_twin(a);
    put_entries(a, "actions", TW_ENTRY_ACTION, TWC_D_ACTION);
    put_entries(a, "views", TW_ENTRY_VIEW, TWC_D_VIEW);
    put_notices(a, "events", TWC_D_EVENT, m->events, m->event_count);
    put_notices(a, "errors", TWC_D_ERROR, m->errors, m->error_count);
    put_notices(a, "history", TWC_D_HISTORY, m->histories, m->history_count);
    tw_print(a->w, "}");
}

bool twc_abi_write(const twc_unit *unit, const twc_contract *contract, tw_arena *arena,
                   tw_writer *w)
{
    const tw_mark mark = tw_arena_mark(arena);
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    const bool good = open_module(unit, arena, &m, &facts);
    abi a = {.m = m, .contract = contract, .w = w};
    if (good) put_abi(unit, &a);
    tw_arena_reset(arena, mark);
    return good && !w->bad;
}
