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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_SIZE = 400, PACK_READINGS_MAX = 4096 };

static const char *const kinds[TW_ENTRY_KINDS] = {
    "", "deploy", "action", "view", "raised", "cleared", "silent", "every", "after",
};

static void put(tw_writer *w, const char *format, ...) TW_PRINTF(2, 3);
static void put(tw_writer *w, const char *format, ...)
{
    char text[LINE_MAX_SIZE];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0) tw_write_raw(w, text, strlen(text));
}

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
    put(w, "%*s", width, text);
}

static void put_row(tw_writer *w, const char *kind, const char *name, const tw_bounds *b)
{
    put(w, "%-8s %-32s", kind, name);
    put_grouped(w, b->gas, 13);
    put(w, " %7u %7u %11u %7u\n", b->reads, b->writes, b->event_bytes, b->slots);
}

static void bounds_text(const tw_module *m, const tw_facts *facts, tw_writer *w)
{
    put(w, "%s version %u\n\n%-8s %-32s%13s %7s %7s %11s %7s\n", m->name, m->version, "kind",
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
        put(w, "%-8s %-32s", "reading", m->readings[i].name);
        put_grouped(w, facts->intake_gas[i], 13);
        put(w, "\n");
    }
}

static void bounds_json(const tw_module *m, const tw_facts *facts, tw_writer *w)
{
    put(w, "{\"contract\": \"%s\", \"version\": %u, \"entries\": [", m->name, m->version);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_bounds *b = &facts->entries[i];
        put(w, "%s\n  {\"kind\": \"%s\", \"name\": ", i > 0 ? "," : "", kinds[m->entries[i].kind]);
        twc_json_string(w, m->entries[i].name);
        put(w,
            ", \"gas\": \"%llu\", \"reads\": %u, \"writes\": %u, \"event_bytes\": %u, "
            "\"slots\": %u}",
            (unsigned long long)b->gas, b->reads, b->writes, b->event_bytes, b->slots);
    }
    put(w, "\n], \"pack\": {\"gas\": \"%llu\", \"largest_gas\": \"%llu\", \"readings\": [",
        (unsigned long long)facts->pack.gas, (unsigned long long)largest_pack(m, facts));
    for (uint16_t i = 0; i < m->reading_count; i++) {
        put(w, "%s{\"name\": \"%s\", \"gas\": \"%llu\"}", i > 0 ? ", " : "", m->readings[i].name,
            (unsigned long long)facts->intake_gas[i]);
    }
    put(w, "]}}");
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

static void put_doc(tw_writer *w, const twc_contract *contract, twc_decl_kind kind,
                    const char *name)
{
    for (const twc_decl *d = contract->members; d != NULL; d = d->next) {
        if (d->kind != kind || d->doc == NULL || strcmp(d->word->text, name) != 0) continue;
        put(w, ", \"doc\": ");
        twc_json_string(w, d->doc);
        return;
    }
}

static void put_type(const tw_module *m, uint16_t type, tw_writer *w)
{
    char text[LINE_MAX_SIZE];
    tw_type_print(m, type, text, sizeof text);
    put(w, "\"type\": ");
    twc_json_string(w, text);
}

static void put_members(const tw_module *m, const tw_members *members, tw_writer *w)
{
    put(w, "[");
    for (uint16_t i = 0; i < members->count; i++) {
        put(w, "%s{\"name\": \"%s\", ", i > 0 ? ", " : "", members->items[i].name);
        put_type(m, members->items[i].type, w);
        put(w, "}");
    }
    put(w, "]");
}

static void put_names(tw_writer *w, const char *const *names, uint16_t count)
{
    put(w, "[");
    for (uint16_t i = 0; i < count; i++) put(w, "%s\"%s\"", i > 0 ? ", " : "", names[i]);
    put(w, "]");
}

static void put_types(const tw_module *m, tw_writer *w)
{
    const char *before = "";
    put(w, ",\n\"records\": [");
    for (uint16_t i = 0; i < m->type_count; i++) {
        if (m->types[i].kind != TW_KIND_RECORD) continue;
        put(w, "%s\n  {\"name\": \"%s\", \"fields\": ", before, m->types[i].name);
        put_members(m, &m->types[i].members, w);
        put(w, "}");
        before = ",";
    }
    put(w, "],\n\"enums\": [");
    for (uint16_t i = 0; i < m->enum_count; i++) {
        put(w, "%s\n  {\"name\": \"%s\", \"values\": ", i > 0 ? "," : "", m->enums[i].name);
        put_names(w, m->enums[i].values.items, m->enums[i].values.count);
        put(w, "}");
    }
    put(w, "],\n\"resolutions\": {");
    before = "";
    uint64_t seen = 0; /* fewer than 64 dimensions */
    for (uint16_t i = 0; i < m->type_count; i++) {
        const uint8_t dimension = m->types[i].quantity;
        if (m->types[i].kind != TW_KIND_INT || (seen >> dimension & 1) != 0) continue;
        seen |= (uint64_t)1 << dimension;
        put(w, "%s\"%s\": ", before, tw_dim_name((tw_dimension)dimension));
        twc_json_string(w, tw_dim_resolution((tw_dimension)dimension));
        before = ", ";
    }
    put(w, "}");
}

static void put_params(const tw_module *m, const twc_contract *contract, tw_writer *w)
{
    put(w, ",\n\"params\": [");
    for (uint16_t i = 0; i < m->param_count; i++) {
        const tw_param *p = &m->params[i];
        put(w, "%s\n  {\"name\": \"%s\", ", i > 0 ? "," : "", p->name);
        put_type(m, p->type, w);
        if (m->types[p->type].kind == TW_KIND_INT) {
            put(w, ", \"default\": \"%lld\"", (long long)tw_load_u64(p->preset.data));
        }
        if (p->ranged) {
            put(w, ", \"low\": \"%lld\", \"high\": \"%lld\"", (long long)p->low,
                (long long)p->high);
        }
        put_doc(w, contract, TWC_D_PARAM, p->name);
        put(w, "}");
    }
    put(w, "]");
}

static void put_twin(const tw_module *m, const twc_contract *contract, tw_writer *w)
{
    put(w, ",\n\"readings\": [");
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        put(w, "%s\n  {\"name\": \"%s\", \"field\": ", i > 0 ? "," : "", r->name);
        twc_json_string(w, r->field);
        put(w, ", ");
        put_type(m, r->type, w);
        put(w,
            ", \"role\": \"%s\", \"low\": \"%lld\", \"high\": \"%lld\", \"rate\": %u, "
            "\"rate_ms\": \"%lld\", \"keep\": %u, \"max_age_ms\": \"%lld\", \"gap_ms\": \"%lld\"",
            m->roles[r->role].name, (long long)r->low, (long long)r->high, r->rate_count,
            (long long)r->rate_ms, r->keep, (long long)r->age_max_ms, (long long)r->gap_ms);
        put_doc(w, contract, TWC_D_READING, r->name);
        put(w, "}");
    }
    put(w, "],\n\"alarms\": [");
    for (uint16_t i = 0; i < m->alarm_count; i++) {
        put(w, "%s\n  {\"name\": \"%s\"", i > 0 ? "," : "", m->alarms[i].name);
        put_doc(w, contract, TWC_D_ALARM, m->alarms[i].name);
        put(w, "}");
    }
    put(w, "],\n\"phases\": ");
    put_names(w, m->phases.items, m->phases.count);
    put(w, ",\n\"arrows\": [");
    for (uint16_t i = 0; i < m->arrow_count; i++) {
        put(w, "%s[\"%s\", \"%s\"]", i > 0 ? ", " : "", m->phases.items[m->arrows[i].from],
            m->phases.items[m->arrows[i].to]);
    }
    put(w, "]");
}

static void put_entries(const tw_module *m, const twc_contract *contract, tw_entry_kind kind,
                        tw_writer *w)
{
    const char *before = "";
    const twc_decl_kind declared = kind == TW_ENTRY_ACTION ? TWC_D_ACTION : TWC_D_VIEW;
    put(w, ",\n\"%ss\": [", kinds[kind]);
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind != kind) continue;
        put(w, "%s\n  {\"name\": \"%s\", \"arguments\": ", before, e->name);
        before = ",";
        put_members(m, &e->members, w);
        if (e->result != TW_NONE) {
            put(w, ", \"result\": {");
            put_type(m, e->result, w);
            put(w, "}");
        }
        put(w, ", \"phases\": [");
        const char *comma = "";
        for (uint16_t p = 0; p < m->phases.count; p++) {
            if ((e->phases >> p & 1) == 0) continue;
            put(w, "%s\"%s\"", comma, m->phases.items[p]);
            comma = ", ";
        }
        put(w, "], \"gas\": \"%llu\"", (unsigned long long)e->bounds.gas);
        put_doc(w, contract, declared, e->name);
        put(w, "}");
    }
    put(w, "]");
}

static void put_notices(const tw_module *m, const twc_contract *contract, twc_decl_kind kind,
                        const tw_notice *items, uint16_t count, tw_writer *w)
{
    const char *what = kind == TWC_D_EVENT ? "events" : kind == TWC_D_ERROR ? "errors" : "history";
    put(w, ",\n\"%s\": [", what);
    for (uint16_t i = 0; i < count; i++) {
        put(w, "%s\n  {\"name\": \"%s\", \"fields\": ", i > 0 ? "," : "", items[i].name);
        put_members(m, &items[i].members, w);
        put_doc(w, contract, kind, items[i].name);
        put(w, "}");
    }
    put(w, "]");
}

static void put_abi(const twc_unit *unit, const tw_module *m, const twc_contract *contract,
                    tw_writer *w)
{
    char hex[2 * TW_HASH_SIZE + 1];
    const tw_hash hash = tw_module_hash(unit->module);
    tw_hex_encode(hash.bytes, sizeof hash.bytes, hex);
    put(w, "{\"contract\": \"%s\",\n\"version\": %u,\n\"module\": \"%s\",\n\"twin\": ", m->name,
        m->version, hex);
    twc_json_string(w, m->twin);
    if (contract->doc != NULL) {
        put(w, ",\n\"doc\": ");
        twc_json_string(w, contract->doc);
    }
    put(w, ",\n\"roles\": [");
    for (uint16_t i = 0; i < m->role_count; i++) {
        put(w, "%s\n  {\"name\": \"%s\", \"max\": %u, \"granted\": %s, \"revoked\": %s",
            i > 0 ? "," : "", m->roles[i].name, m->roles[i].max,
            m->roles[i].flags & TW_ROLE_GRANTED ? "true" : "false",
            m->roles[i].flags & TW_ROLE_REVOKED ? "true" : "false");
        put_doc(w, contract, TWC_D_ROLE, m->roles[i].name);
        put(w, "}");
    }
    put(w, "]");
    put_params(m, contract, w);
    put_types(m, w);
    put_twin(m, contract, w);
    put_entries(m, contract, TW_ENTRY_ACTION, w);
    put_entries(m, contract, TW_ENTRY_VIEW, w);
    put_notices(m, contract, TWC_D_EVENT, m->events, m->event_count, w);
    put_notices(m, contract, TWC_D_ERROR, m->errors, m->error_count, w);
    put_notices(m, contract, TWC_D_HISTORY, m->histories, m->history_count, w);
    put(w, "}");
}

bool twc_abi_write(const twc_unit *unit, const twc_contract *contract, tw_arena *arena,
                   tw_writer *w)
{
    const tw_mark mark = tw_arena_mark(arena);
    tw_module *m = NULL;
    tw_facts *facts = NULL;
    const bool good = open_module(unit, arena, &m, &facts);
    if (good) put_abi(unit, m, contract, w);
    tw_arena_reset(arena, mark);
    return good && !w->bad;
}
