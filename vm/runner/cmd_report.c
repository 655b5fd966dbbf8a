/* cmd_report -- `twvm report`: one HTML page about contracts, made by executing every block again.
 *
 * What a block does not say (which phase holds) is read from the second ledger while it grows, so
 * the page shows what anyone who replays the blocks would see, and says that every root agreed.
 */
#include "vm/exec/device.h"
#include "vm/runner/command.h"
#include "vm/runner/csv.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/report.h"
#include "vm/runner/story.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum {
    SECTIONS_MAX = 64,
    MEMORY_MAX = 1024 * 1024 * 1024,
    DETAILS_MAX = 64 * 1024,
    MARK_COLUMNS = 4,
};

/* One contract of the page. */
typedef struct section {
    tw_hash id;
    tw_report *report;
    bool begun; /* it has been deployed */
    uint16_t phase;
    uint32_t series[TW_READINGS_MAX];
    uint64_t accepted, refused;
    int64_t spent;   /* fuel of its timers and handlers */
    uint32_t waited; /* how often one had to wait for fuel */
} section;

typedef struct page {
    tw_app *app;
    tw_ledger *copy;
    tw_arena *arena;
    section sections[SECTIONS_MAX];
    uint32_t count;
    tw_writer line;
    uint64_t blocks;
} page;

/* ---- sections ---- */

static tw_status add_section(page *p, const tw_hash *id)
{
    char label[TW_CONTRACT_NAME_MAX];
    if (p->count == SECTIONS_MAX) {
        return tw_app_fail(p->app, "a page has at most %d contracts; name those you want",
                           SECTIONS_MAX);
    }
    section *s = &p->sections[p->count++];
    s->id = *id;
    s->report = tw_report_new(tw_session_label(p->app->session, id, label));
    return s->report != NULL ? TW_OK : TW_ERR_MEMORY;
}

static tw_status add_all(page *p)
{
    tw_hash id;
    bool found = false;
    TW_TRY(tw_ledger_next_contract(p->app->session->ledger, NULL, &id, &found));
    while (found) {
        TW_TRY(add_section(p, &id));
        const tw_hash last = id;
        TW_TRY(tw_ledger_next_contract(p->app->session->ledger, &last, &id, &found));
    }
    return p->count > 0 ? TW_OK : tw_app_fail(p->app, "the ledger has no contract yet");
}

static tw_status add_sections(page *p)
{
    const tw_args *args = &p->app->args;
    if (args->word_count == 0) return add_all(p);
    for (uint32_t i = 0; i < args->word_count; i++) {
        tw_hash id;
        TW_TRY(tw_session_find(p->app->session, args->words[i], &id, &p->app->err));
        TW_TRY(add_section(p, &id));
    }
    return TW_OK;
}

/* The levels that rules compare a reading with, each once. */
static void add_limits(section *s, const tw_contract *c, uint16_t reading)
{
    const tw_module *m = c->code->module;
    const tw_dimension dimension = (tw_dimension)m->types[m->readings[reading].type].quantity;
    for (uint16_t i = 0; i < m->stamp_count; i++) {
        const tw_stamp *stamp = &m->stamps[i];
        if (stamp->reading != reading) continue;
        for (int side = 0; side < (stamp->kind == TW_STAMP_WITHIN ? 2 : 1); side++) {
            char text[TW_QUANTITY_TEXT_MAX];
            const int64_t level = c->deployed[side == 0 ? stamp->low : stamp->high];
            tw_quantity_print(level, dimension, text);
            tw_report_limit(s->report, s->series[reading], text, level);
        }
    }
}

static void begin_section(section *s, const tw_contract *c)
{
    const tw_module *m = c->code->module;
    char hash[2 * TW_HASH_SIZE + 1];
    char version[TW_NAME_SIZE_MAX + 32];
    snprintf(version, sizeof version, "%.64s version %u", m->name, m->version);
    tw_report_fact(s->report, "contract", version);
    if (m->twin[0] != '\0') tw_report_fact(s->report, "twin", m->twin);
    tw_hex_encode(c->code->hash.bytes, TW_HASH_SIZE, hash);
    tw_report_fact(s->report, "module", hash);
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        s->series[i] = tw_report_series(s->report, r->name,
                                        (tw_dimension)m->types[r->type].quantity, r->gap_ms);
        add_limits(s, c, i);
    }
    s->begun = true;
    s->phase = c->control.phase;
    tw_report_phase(s->report, m->phases.items[s->phase], c->control.phase_since);
}

/* ---- blocks ---- */

static void add_readings(section *s, const tw_module *m, const tw_pack *pack,
                         const tw_intake *intake)
{
    uint32_t next = 0; /* refused places ascend */
    for (uint16_t i = 0; i < pack->item_count; i++) {
        if (next < intake->refused_count && intake->refused[next].place == i) {
            next++;
            continue;
        }
        const tw_bytes field = pack->fields[pack->items[i].field];
        for (uint16_t k = 0; k < m->reading_count; k++) {
            const char *name = m->readings[k].field;
            if (!tw_bytes_equal(field, tw_bytes_of(name, strlen(name)))) continue;
            tw_report_point(s->report, s->series[k], pack->items[i].time, pack->items[i].value);
        }
    }
    s->accepted += intake->accepted;
    s->refused += intake->refused_count;
}

static section *section_of(page *p, const tw_hash *id)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (tw_hash_equal(&p->sections[i].id, id)) return &p->sections[i];
    }
    return NULL;
}

static tw_status add_packs(page *p, const tw_block *block)
{
    const uint32_t before = block->receipt_count - block->transaction_count;
    for (uint32_t i = 0; i < block->transaction_count; i++) {
        const tw_receipt *receipt = &block->receipts[before + i];
        if (!receipt->has_intake) continue;
        section *s = section_of(p, &receipt->run.contract);
        const tw_module *m = tw_session_module_then(p->app->session, &receipt->run.contract,
                                                    block->info.height, before + i);
        if (s == NULL || m == NULL) continue;
        tw_tx tx;
        tw_pack pack;
        TW_TRY(tw_tx_decode(block->transactions[i], p->arena, &tx));
        TW_TRY(tw_pack_decode(tx.pack, tw_ledger_chain(p->copy), p->arena, &pack));
        add_readings(s, m, &pack, &receipt->intake);
    }
    return TW_OK;
}

static tw_status add_item(void *context, const tw_story_item *item)
{
    page *p = context;
    section *s = section_of(p, item->contract);
    if (s == NULL || !s->begun) return TW_OK;
    if (item->kind == TW_STORY_EDGE) {
        tw_report_alarm(s->report, item->name, item->time, item->up);
        return TW_OK;
    }
    tw_writer_clear(&p->line);
    TW_TRY(tw_story_details(p->app->session, item, &p->line));
    tw_write_u8(&p->line, 0);
    if (p->line.bad) return TW_ERR_MEMORY;
    tw_report_event(s->report, item->time, tw_story_word(item->kind), item->name,
                    (const char *)p->line.data);
    return TW_OK;
}

/* What the contracts' timers and edges took from their fuel. */
static void add_fuel(page *p, const tw_block *block)
{
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        const tw_receipt *receipt = &block->receipts[i];
        section *s = section_of(p, &receipt->run.contract);
        if (s == NULL || receipt->kind == TW_RECEIPT_TX) continue;
        s->spent += receipt->fee;
        s->waited += receipt->run.status == TW_TX_NO_FUEL;
    }
}

static tw_status look_at_contracts(page *p)
{
    for (uint32_t i = 0; i < p->count; i++) {
        section *s = &p->sections[i];
        tw_contract *c = NULL;
        tw_err none;
        const tw_status status = tw_ledger_contract(p->copy, &s->id, p->arena, &c, &none);
        if (status == TW_REFUSED_NOT_FOUND) continue; /* not deployed yet */
        TW_TRY(status);
        if (!s->begun) begin_section(s, c);
        if (c->control.phase == s->phase) continue;
        s->phase = c->control.phase;
        tw_report_phase(s->report, c->code->module->phases.items[s->phase], c->control.phase_since);
    }
    return TW_OK;
}

static tw_status add_block(page *p, uint64_t height)
{
    tw_block block;
    tw_arena_clear(p->arena);
    TW_TRY(tw_ledger_block(p->app->session->ledger, height, p->arena, &block, &p->app->err));
    TW_TRY(tw_ledger_replay_block(p->copy, &block, &p->app->err));
    TW_TRY(add_packs(p, &block));
    add_fuel(p, &block);
    TW_TRY(look_at_contracts(p));
    return tw_story_walk(p->app->session, &block, NULL, TW_STORY_ALL, add_item, p);
}

static tw_status add_blocks(page *p)
{
    const uint64_t newest = tw_ledger_head(p->app->session->ledger)->height;
    int64_t drawn = tw_time_now();
    for (uint64_t height = 1; height <= newest; height++) {
        TW_TRY(add_block(p, height));
        if (!p->app->terminal || tw_time_now() - drawn < 100) continue;
        drawn = tw_time_now();
        fprintf(stderr, "\rreport: block %llu of %llu", (unsigned long long)height,
                (unsigned long long)newest);
    }
    if (p->app->terminal) fputs("\r\033[K", stderr);
    p->blocks = newest;
    return TW_OK;
}

/* ---- marks: spans that somebody else knows of, to compare with ---- */

static tw_status mark_time(page *p, const tw_csv *csv, uint32_t column, int64_t *ret_time)
{
    const char *why = NULL;
    char quoted[TW_CSV_QUOTE_MAX];
    const tw_bytes cell = tw_csv_cell(csv, column);
    if (tw_time_parse(cell, TW_TIME_AUTO, 0, ret_time, &why)) return TW_OK;
    return tw_app_fail(p->app, "marks, line %llu: %s %s", (unsigned long long)tw_csv_line(csv),
                       tw_csv_quote(cell, quoted), why);
}

static tw_status add_mark(page *p, const tw_csv *csv, const uint32_t *columns)
{
    char name[TW_CONTRACT_NAME_MAX];
    char label[TW_CSV_QUOTE_MAX];
    int64_t from = 0;
    int64_t to = 0;
    tw_hash id;
    const tw_bytes contract = tw_csv_cell(csv, columns[0]);
    snprintf(name, sizeof name, "%.*s", (int)(contract.size < 90 ? contract.size : 90),
             (const char *)contract.data);
    TW_TRY(tw_session_find(p->app->session, name, &id, &p->app->err));
    TW_TRY(mark_time(p, csv, columns[2], &from));
    TW_TRY(mark_time(p, csv, columns[3], &to));
    section *s = section_of(p, &id);
    const tw_bytes text = tw_csv_cell(csv, columns[1]);
    snprintf(label, sizeof label, "%.*s", (int)(text.size < 160 ? text.size : 160),
             (const char *)text.data);
    if (s != NULL) tw_report_mark(s->report, label, from, to);
    return TW_OK;
}

static tw_status add_marks(page *p, const char *path)
{
    static const char *const names[MARK_COLUMNS] = {"contract", "label", "from", "to"};
    uint32_t columns[MARK_COLUMNS];
    tw_csv *csv = NULL;
    TW_TRY(tw_csv_open(path, &(tw_csv_options){0}, &csv, &p->app->err));
    tw_status status = TW_OK;
    for (int i = 0; i < MARK_COLUMNS && status == TW_OK; i++) {
        if (!tw_csv_column(csv, names[i], &columns[i], &p->app->err)) status = TW_REFUSED_ARGUMENT;
    }
    bool row = status == TW_OK;
    while (row && status == TW_OK) {
        status = tw_csv_next(csv, &row, &p->app->err);
        if (status == TW_OK && row) status = add_mark(p, csv, columns);
    }
    tw_csv_close(csv);
    return status;
}

/* ---- the whole ---- */

/* "1.20 EUR left, 0.34 EUR spent; 2 timers or edges had to wait for it" */
static tw_status add_fuel_fact(const page *p, const section *s)
{
    const tw_genesis_asset *asset = tw_money_fee_asset(p->app->session);
    char text[2 * TW_MONEY_TEXT_MAX + 80], left[TW_MONEY_TEXT_MAX], spent[TW_MONEY_TEXT_MAX];
    int64_t fuel = 0;
    if (asset == NULL) return TW_OK;
    TW_TRY(tw_ledger_fuel(p->copy, &s->id, &fuel));
    const int size = snprintf(text, sizeof text, "%s left, %s spent",
                              tw_money_print(fuel, asset->decimals, asset->name, left),
                              tw_money_print(s->spent, asset->decimals, asset->name, spent));
    if (s->waited > 0) {
        snprintf(text + size, sizeof text - (size_t)size, "; runs had to wait for it %u times",
                 s->waited);
    }
    tw_report_fact(s->report, "fuel", text);
    return TW_OK;
}

static tw_status add_totals(page *p)
{
    char text[160];
    char a[TW_GROUPED_MAX], b[TW_GROUPED_MAX];
    for (uint32_t i = 0; i < p->count; i++) {
        section *s = &p->sections[i];
        snprintf(text, sizeof text, "%s accepted, %s refused", tw_grouped(s->accepted, a),
                 tw_grouped(s->refused, b));
        tw_report_fact(s->report, "readings", text);
        snprintf(text, sizeof text,
                 "all %s blocks were executed again; every root and receipt agreed",
                 tw_grouped(p->blocks, a));
        tw_report_fact(s->report, "checked", text);
        TW_TRY(add_fuel_fact(p, s));
    }
    return TW_OK;
}

static tw_status write_report(page *p)
{
    tw_report *reports[SECTIONS_MAX];
    const char *path = tw_args_get(&p->app->args, "out", "report.html");
    const char *marks = tw_args_get(&p->app->args, "marks", NULL);
    TW_TRY(add_sections(p));
    TW_TRY(add_blocks(p));
    if (marks != NULL) TW_TRY(add_marks(p, marks));
    TW_TRY(add_totals(p));
    for (uint32_t i = 0; i < p->count; i++) reports[i] = p->sections[i].report;
    const int64_t end = tw_ledger_head(p->copy)->time;
    TW_TRY(
        tw_report_write_all(tw_args_get(&p->app->args, "title", "What the contracts saw and did"),
                            reports, p->count, end, path, &p->app->err));
    fprintf(stderr, "wrote %s\n", path);
    return TW_OK;
}

static tw_status open_copy(page *p, tw_store **ret_store)
{
    const tw_ledger_options options = {.no_sync = true};
    TW_TRY(tw_store_open_memory(MEMORY_MAX, ret_store));
    TW_TRY(tw_ledger_create(*ret_store, tw_ledger_genesis(p->app->session->ledger), &p->app->err));
    return tw_ledger_open(*ret_store, &options, &p->copy, &p->app->err);
}

tw_status tw_command_report(tw_app *app)
{
    tw_store *store = NULL;
    TW_TRY(tw_app_open(app));
    TW_TRY(tw_app_all_blocks(app, "report"));
    page *p = tw_mem_new(sizeof *p);
    if (p == NULL) return TW_ERR_MEMORY;
    p->app = app;
    p->line = tw_writer_new(DETAILS_MAX);
    p->arena = tw_arena_new(MEMORY_MAX);
    tw_status status = p->arena != NULL ? open_copy(p, &store) : TW_ERR_MEMORY;
    if (status == TW_OK) status = write_report(p);
    for (uint32_t i = 0; i < p->count; i++) tw_report_free(p->sections[i].report);
    tw_ledger_close(p->copy);
    tw_store_close(store);
    tw_writer_free(&p->line);
    tw_arena_free(p->arena);
    tw_mem_free(p);
    return status;
}
