/* module -- one description of the format, walked in four directions.
 *
 * A `codec` reads or writes bytes or a text; each part of the module is listed once, so encoder and
 * decoder, disassembler and assembler cannot disagree. What the reader accepts is then checked for
 * meaning by the functions `check_*`, each of which names the place it refuses.
 */
#include "vm/isa/module.h"

#include "vm/isa/listing.h"

#include <assert.h>
#include <string.h>

/* The longest: an enum of TW_NAMES_MAX values, each with the longest name that decoding takes. */
enum { TYPE_TEXT_MAX = 8 + TW_NAMES_MAX * (4 * TW_NAME_SIZE_MAX + 2) };

typedef struct codec {
    tw_reader *r; /* one of the three is not NULL */
    tw_writer *w;
    tw_text *text; /* of `listing`, in one direction or the other */
    tw_listing *listing;
    tw_arena *arena;
    char *names; /* where the next one is put; zeroed room for all that the bytes can hold */
    bool no_memory;
} codec;

/* Each part: to the text, to the bytes, or from the bytes. Labels are for texts. */
#define NUMBER(name, type, sign)                                                                   \
    static inline void name(codec *c, const char *label, type *value)                              \
    {                                                                                              \
        const uint32_t bits = 8 * sizeof *value;                                                   \
        if (c->r != NULL)                                                                          \
            *value = tw_read_##name(c->r);                                                         \
        else if (c->w != NULL)                                                                     \
            tw_write_##name(c->w, *value);                                                         \
        else                                                                                       \
            *value = (type)tw_text_number(c->text, label, (uint64_t)*value, bits, sign);           \
    }
NUMBER(u8, uint8_t, false)
NUMBER(u16, uint16_t, false)
NUMBER(u32, uint32_t, false)
NUMBER(u64, uint64_t, false)
NUMBER(i64, int64_t, true)

static void quantity(codec *c, const char *label, int64_t *value, tw_dimension dimension)
{
    if (c->text != NULL) *value = tw_text_quantity(c->text, label, *value, dimension);
    if (c->text == NULL) i64(c, label, value);
}

/* A number of something that has a name; `absent`: what it is where the label is left out, -1 where
 * it never is. */
static void ref(codec *c, const char *label, uint16_t *value, tw_list list, int32_t absent)
{
    if (c->text == NULL) u16(c, label, value);
    if (c->text == NULL) return;
    *value = (uint16_t)tw_text_ref(c->text, label, list, *value, UINT16_MAX, absent);
}

static void kind(codec *c, const char *label, uint8_t *value, tw_list list)
{
    if (c->text == NULL) u8(c, label, value);
    if (c->text == NULL) return;
    *value = (uint8_t)tw_text_ref(c->text, label, list, *value, UINT8_MAX, label != NULL ? 0 : -1);
}

static void set(codec *c, const char *label, uint64_t *value, tw_list list)
{
    if (c->text != NULL) *value = tw_text_set(c->text, label, list, *value);
    if (c->text == NULL) u64(c, label, value);
}

static void flag(codec *c, const char *label, bool *value)
{
    if (c->text != NULL) *value = tw_text_flag(c->text, label, *value);
    if (c->r != NULL) *value = tw_read_bool(c->r);
    if (c->w != NULL) tw_write_u8(c->w, *value);
}

static void bytes(codec *c, const char *label, tw_bytes *value)
{
    if (c->text != NULL) *value = tw_text_bytes(c->text, label, *value);
    if (c->r != NULL) *value = tw_read_short(c->r, UINT16_MAX);
    if (c->w != NULL) tw_write_short(c->w, *value);
}

static void name(codec *c, const char *label, const char **value)
{
    if (c->text != NULL) *value = tw_text_name(c->text, label, *value);
    if (c->w != NULL) tw_write_text(c->w, *value);
    if (c->r == NULL) return;
    const tw_bytes text = tw_read_short(c->r, 4 * TW_NAME_SIZE_MAX);
    if (!tw_utf8_is_clean(text)) c->r->bad = true;
    *value = ""; /* also when the bytes are at their end */
    if (text.size == 0) return;
    *value = memcpy(c->names, text.data, text.size);
    c->names += text.size + 1; /* less than what it took of the bytes */
}

/* Whether a list goes on with item i. Its u16 count stands before it, and is refused over `max` or
 * when more items are announced than bytes are left. An empty list is not NULL: it may be copied
 * from. `word` is for texts. */
static bool more(codec *c, const char *word, void **items, uint16_t *count, uint32_t max,
                 size_t size, uint16_t i)
{
    if (c->text != NULL) return tw_text_more(c->text, word, items, count, max, size, i);
    if (i > 0) return i < *count;
    u16(c, NULL, count);
    if (c->w != NULL) return *count > 0;
    if (*count > max || *count > tw_reader_left(c->r)) {
        c->r->bad = true;
        *count = 0;
    }
    *items = tw_arena_array(c->arena, *count, size);
    if (*items == NULL) {
        c->no_memory = true;
        *count = 0;
    }
    return *count > 0;
}

#define LIST(c, word, items, count, max)                                                           \
    for (uint16_t i = 0;                                                                           \
         more((c), (word), (void **)&(items), &(count), (max), sizeof *(items), i); i++)

/* Only texts are laid out in lines. */
static void line(codec *c, const char *indent)
{
    if (c->text != NULL) tw_text_line(c->text, indent);
}

static tw_dimension dimension_of(const codec *c, const tw_module *m, uint16_t type)
{
    const bool number =
        c->text != NULL && type < m->type_count && m->types[type].kind == TW_KIND_INT;
    return number ? (tw_dimension)m->types[type].quantity : TW_DIM_NONE;
}

static void members(codec *c, tw_members *list)
{
    LIST(c, NULL, list->items, list->count, TW_MEMBERS_MAX)
    {
        name(c, NULL, &list->items[i].name);
        ref(c, NULL, &list->items[i].type, TW_LIST_TYPE, -1);
    }
}

static void names(codec *c, const char *word, tw_names *list, uint32_t max)
{
    LIST(c, word, list->items, list->count, max) name(c, NULL, &list->items[i]);
}

static void monies(codec *c, tw_module *m)
{
    LIST(c, "money", m->monies, m->money_count, TW_MONIES_MAX)
    {
        name(c, NULL, &m->monies[i].name);
        kind(c, NULL, &m->monies[i].kind, TW_LIST_MONEY_KIND);
        u8(c, "decimals", &m->monies[i].decimals);
        i64(c, "supply", &m->monies[i].supply);
    }
}

static void types(codec *c, tw_module *m)
{
    LIST(c, "type", m->types, m->type_count, TW_TYPES_MAX)
    {
        tw_type *t = &m->types[i];
        kind(c, NULL, &t->kind, TW_LIST_KIND);
        kind(c, "quantity", &t->quantity, TW_LIST_QUANTITY);
        const bool inner =
            t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS;
        const tw_list of = t->kind == TW_KIND_ENUM    ? TW_LIST_ENUM
                           : t->kind == TW_KIND_MONEY ? TW_LIST_MONEY
                           : inner                    ? TW_LIST_TYPE
                                                      : TW_LIST_NUMBER;
        ref(c, "of", &t->of, of, of == TW_LIST_NUMBER ? 0 : -1);
        u32(c, "max", &t->max);
        if (t->kind == TW_KIND_THINGS) ref(c, "home", &t->home, TW_LIST_FIELD, -1);
        if (t->name == NULL) t->name = "";
        if (t->kind == TW_KIND_RECORD) {
            name(c, NULL, &t->name);
            members(c, &t->members);
        }
        if (c->text != NULL && c->text->w == NULL) tw_listing_type(c->listing, m, i);
    }
}

static void declarations(codec *c, tw_module *m)
{
    LIST(c, "enum", m->enums, m->enum_count, TW_NAMES_MAX)
    {
        name(c, NULL, &m->enums[i].name);
        names(c, NULL, &m->enums[i].values, TW_NAMES_MAX);
    }
    LIST(c, "role", m->roles, m->role_count, TW_ROLES_MAX)
    {
        name(c, NULL, &m->roles[i].name);
        u32(c, "max", &m->roles[i].max);
        u32(c, "least", &m->roles[i].least);
        u8(c, "flags", &m->roles[i].flags);
    }
    LIST(c, "param", m->params, m->param_count, TW_PARAMS_MAX)
    {
        tw_param *p = &m->params[i];
        name(c, NULL, &p->name);
        ref(c, NULL, &p->type, TW_LIST_TYPE, -1);
        flag(c, "ranged", &p->ranged);
        const tw_dimension dimension = dimension_of(c, m, p->type);
        quantity(c, "low", &p->low, dimension);
        quantity(c, "high", &p->high, dimension);
        bytes(c, "preset", &p->preset);
        if (c->text != NULL && p->preset.size == 8) {
            tw_text_note(c->text, "preset", (int64_t)tw_load_u64(p->preset.data), dimension);
        }
    }
    line(c, "");
    u16(c, "deploy_constants", &m->deployed_count);
    LIST(c, "field", m->fields, m->field_count, TW_FIELDS_MAX)
    {
        tw_field *f = &m->fields[i];
        name(c, NULL, &f->name);
        kind(c, NULL, &f->kind, TW_LIST_FIELD_KIND);
        flag(c, "old", &f->old);
        ref(c, "key", &f->key_type, TW_LIST_TYPE, TW_NONE);
        ref(c, "value", &f->value_type, TW_LIST_TYPE, -1);
        ref(c, "key_member", &f->key_member, TW_LIST_NUMBER, TW_NONE);
        u32(c, "max", &f->max);
    }
    LIST(c, "purse", m->purses, m->purse_count, TW_PURSES_MAX)
    {
        name(c, NULL, &m->purses[i].name);
        ref(c, "of", &m->purses[i].money, TW_LIST_MONEY, -1);
        ref(c, "per", &m->purses[i].role, TW_LIST_ROLE, TW_NONE);
    }
    names(c, "phase", &m->phases, TW_PHASES_MAX);
    LIST(c, "arrow", m->arrows, m->arrow_count, TW_PHASES_MAX * TW_PHASES_MAX)
    {
        ref(c, NULL, &m->arrows[i].from, TW_LIST_PHASE, -1);
        ref(c, "to", &m->arrows[i].to, TW_LIST_PHASE, -1);
    }
}

static void twin(codec *c, tw_module *m)
{
    LIST(c, "reading", m->readings, m->reading_count, TW_READINGS_MAX)
    {
        tw_reading *r = &m->readings[i];
        name(c, NULL, &r->name);
        name(c, "field", &r->field);
        ref(c, "type", &r->type, TW_LIST_TYPE, -1);
        ref(c, "role", &r->role, TW_LIST_ROLE, -1);
        flag(c, "per_device", &r->per_device);
        const tw_dimension dimension = dimension_of(c, m, r->type);
        quantity(c, "low", &r->low, dimension);
        quantity(c, "high", &r->high, dimension);
        u16(c, "rate", &r->rate_count);
        quantity(c, "per", &r->rate_ms, TW_DIM_DURATION);
        u16(c, "keep", &r->keep);
        quantity(c, "max_age", &r->age_max_ms, TW_DIM_DURATION);
        quantity(c, "gap", &r->gap_ms, TW_DIM_DURATION);
    }
    LIST(c, "stamp", m->stamps, m->stamp_count, TW_STAMPS_MAX)
    {
        ref(c, NULL, &m->stamps[i].reading, TW_LIST_READING, -1);
        kind(c, NULL, &m->stamps[i].kind, TW_LIST_STAMP_KIND);
        ref(c, "low", &m->stamps[i].low, TW_LIST_DEPLOYED, TW_NONE);
        ref(c, "high", &m->stamps[i].high, TW_LIST_DEPLOYED, TW_NONE);
    }
    LIST(c, "alarm", m->alarms, m->alarm_count, TW_ALARMS_MAX)
    {
        name(c, NULL, &m->alarms[i].name);
        ref(c, "raise", &m->alarms[i].raise, TW_LIST_FUNCTION, -1);
        ref(c, "clear", &m->alarms[i].clear, TW_LIST_FUNCTION, -1);
        set(c, "reads", &m->alarms[i].readings, TW_LIST_READING);
    }
}

static void notices(codec *c, const char *word, tw_notice **items, uint16_t *count)
{
    LIST(c, word, *items, *count, TW_NAMES_MAX)
    {
        name(c, NULL, &(*items)[i].name);
        members(c, &(*items)[i].members);
    }
}

static void rules(codec *c, const char *word, tw_rule **items, uint16_t *count)
{
    LIST(c, word, *items, *count, TW_NAMES_MAX)
    {
        name(c, NULL, &(*items)[i].name);
        ref(c, "by", &(*items)[i].function, TW_LIST_FUNCTION, TW_NONE);
    }
}

/* Functions carry their code; in memory it is one array, in the order of the functions. */
static void code_of(codec *c, tw_module *m, tw_function *f)
{
    if (c->text != NULL) {
        tw_listing_code(c->listing, m, f, (uint16_t)(f - m->functions));
        return;
    }
    u32(c, NULL, &f->code_count);
    if (c->r != NULL) {
        if (f->code_count > TW_FUNCTION_CODE_MAX || f->code_count > tw_reader_left(c->r) / 8) {
            c->r->bad = true;
            f->code_count = 0;
        }
        f->code_first = m->code_count;
        m->code_count += f->code_count;
        tw_read_numbers(c->r, f->code_count, 8, (int64_t *)m->code + f->code_first);
        return;
    }
    for (uint32_t i = 0; i < f->code_count; i++) u64(c, NULL, &m->code[f->code_first + i]);
}

static void functions(codec *c, tw_module *m)
{
    LIST(c, "constant", m->constants, m->constant_count, TW_CONSTANTS_MAX)
    {
        i64(c, NULL, &m->constants[i]);
    }
    if (c->r != NULL) {
        /* no more instructions than bytes are left */
        m->code = tw_arena_array(c->arena, tw_reader_left(c->r) / 8 + 1, sizeof *m->code);
        c->no_memory = c->no_memory || m->code == NULL;
        if (m->code == NULL) return;
    }
    LIST(c, "function", m->functions, m->function_count, TW_FUNCTIONS_MAX)
    {
        tw_function *f = &m->functions[i];
        name(c, NULL, &f->name);
        u16(c, "arguments", &f->argument_slots);
        u16(c, "results", &f->result_slots);
        u16(c, "frame", &f->frame_slots);
        code_of(c, m, f);
    }
}

/* What an entry is of, by its kind. */
static tw_list entry_of(uint8_t entry_kind)
{
    if (entry_kind == TW_ENTRY_RAISED || entry_kind == TW_ENTRY_CLEARED) return TW_LIST_ALARM;
    if (entry_kind == TW_ENTRY_SILENT) return TW_LIST_READING;
    return entry_kind == TW_ENTRY_FALLS ? TW_LIST_PURSE : TW_LIST_NUMBER;
}

static void entries(codec *c, tw_module *m)
{
    LIST(c, "entry", m->entries, m->entry_count, TW_ENTRIES_MAX)
    {
        tw_entry *e = &m->entries[i];
        name(c, NULL, &e->name);
        kind(c, NULL, &e->kind, TW_LIST_ENTRY_KIND);
        ref(c, "function", &e->function, TW_LIST_FUNCTION, -1);
        ref(c, "of", &e->of, entry_of(e->kind), TW_NONE);
        ref(c, "delay", &e->delay, TW_LIST_DEPLOYED, TW_NONE);
        set(c, "in", &e->phases, TW_LIST_PHASE);
        members(c, &e->members);
        ref(c, "result", &e->result, TW_LIST_TYPE, TW_NONE);
        line(c, "   ");
        u64(c, "gas", &e->bounds.gas);
        u32(c, "reads", &e->bounds.reads);
        u32(c, "writes", &e->bounds.writes);
        u32(c, "event_bytes", &e->bounds.event_bytes);
        u32(c, "events", &e->bounds.events);
        u32(c, "slots", &e->bounds.slots);
    }
}

static void walk(codec *c, tw_module *m)
{
    name(c, NULL, &m->name);
    u32(c, "version", &m->version);
    name(c, "twin", &m->twin);
    monies(c, m);
    types(c, m);
    declarations(c, m);
    twin(c, m);
    notices(c, "event", &m->events, &m->event_count);
    notices(c, "error", &m->errors, &m->error_count);
    notices(c, "history", &m->histories, &m->history_count);
    rules(c, "invariant", &m->invariants, &m->invariant_count);
    rules(c, "check", &m->checks, &m->check_count);
    functions(c, m);
    entries(c, m);
    line(c, "");
    ref(c, "upgrade", &m->upgrade.role, TW_LIST_ROLE, TW_NONE);
    u16(c, "count", &m->upgrade.count);
    ref(c, "delay", &m->upgrade.delay, TW_LIST_DEPLOYED, TW_NONE);
    line(c, "");
}

void tw_listing_module(tw_listing *l, tw_module *m)
{
    codec c = {.text = &l->text, .listing = l};
    walk(&c, m);
}

static const char magic[4] = {'T', 'W', 'V', 'M'};

tw_status tw_module_encode(const tw_module *m, tw_writer *w)
{
    tw_write_raw(w, magic, sizeof magic);
    tw_write_u8(w, TW_MODULE_FORMAT);
    tw_write_u8(w, TW_SEMANTICS);
    codec c = {.w = w};
    tw_module copy = *m; /* the walk in writing mode stores nothing, but takes plain pointers */
    walk(&c, &copy);
    return w->bad ? TW_REFUSED_LIMIT : TW_OK;
}

/* ---- identity of state ---- */

/* What it takes for the bytes of one version to be read by another: kinds, sizes, and the names of
 * members and values. The types it is made of come before it and have their hash already. */
static tw_hash describe_type(const tw_module *m, const tw_type *t)
{
    uint8_t memory[TYPE_TEXT_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_u8(&w, t->kind);
    tw_write_u8(&w, t->quantity);
    tw_write_u32(&w, t->max);
    if (t->kind == TW_KIND_MONEY) tw_write_text(&w, m->monies[t->of].name);
    if (t->kind == TW_KIND_THINGS) tw_write_text(&w, m->fields[t->home].name);
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS) {
        tw_write_raw(&w, m->types[t->of].description.bytes, TW_HASH_SIZE);
    }
    for (uint16_t i = 0; i < t->members.count; i++) {
        tw_write_text(&w, t->members.items[i].name);
        tw_write_raw(&w, m->types[t->members.items[i].type].description.bytes, TW_HASH_SIZE);
    }
    assert(!w.bad);
    return tw_sha256(w.data, w.size);
}

/* The same of each type of an enum, whose names may be long: made once. */
static void enum_describe(tw_enum *e)
{
    uint8_t memory[TYPE_TEXT_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    const uint8_t head[6] = {TW_KIND_ENUM}; /* kind, quantity, max */
    tw_write_raw(&w, head, sizeof head);
    for (uint16_t i = 0; i < e->values.count; i++) tw_write_text(&w, e->values.items[i]);
    e->description = tw_sha256(w.data, w.size);
}

static void describe_field(const tw_module *m, tw_field *f)
{
    uint8_t memory[TYPE_TEXT_MAX];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_write_text(&w, f->name);
    tw_write_u8(&w, f->kind);
    tw_write_u32(&w, f->max);
    tw_write_u16(&w, f->key_member);
    if (f->key_type != TW_NONE) {
        tw_write_raw(&w, m->types[f->key_type].description.bytes, TW_HASH_SIZE);
    }
    tw_write_raw(&w, m->types[f->value_type].description.bytes, TW_HASH_SIZE);
    f->description = tw_sha256(w.data, w.size);
    f->id = tw_load_u32(f->description.bytes);
}

static void purse_derive(const tw_module *m, tw_purse *p)
{
    const char *role = p->role != TW_NONE ? m->roles[p->role].name : "";
    const char *money = m->monies[p->money].name;
    const tw_bytes parts[] = {tw_bytes_of("purse", 6), tw_bytes_of(p->name, strlen(p->name) + 1),
                              tw_bytes_of(money, strlen(money) + 1),
                              tw_bytes_of(role, strlen(role) + 1)};
    p->id = tw_load_u32(tw_hash_tagged("twvm/purse", parts, 4).bytes);
}

/* The registry of the things in the list that is member `index` of a thing of `f`, or NULL. */
static tw_field *home_of(tw_module *m, const tw_field *f, uint16_t index)
{
    const tw_type *t = &m->types[m->types[f->value_type].members.items[index].type];
    return t->kind == TW_KIND_THINGS ? &m->fields[t->home] : NULL;
}

/* Finds for each registry how many holders a thing may have above it: from those that are held by
 * none downwards, each after all of its holders, so that a cycle is what stays left over. */
static tw_status holders_derive(tw_module *m, tw_err *err)
{
    uint32_t above[TW_FIELDS_MAX]; /* lists that hold things of the field, not yet done */
    uint16_t ready[TW_FIELDS_MAX];
    uint32_t ready_count = 0;
    memset(above, 0, m->field_count * sizeof *above);
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_members *members = &m->types[m->fields[i].value_type].members;
        for (uint16_t k = 0; k < members->count; k++) {
            const tw_field *home = home_of(m, &m->fields[i], k);
            if (home != NULL) above[home - m->fields]++;
        }
    }
    for (uint16_t i = 0; i < m->field_count; i++) {
        m->fields[i].holders = 0;
        if (above[i] == 0) ready[ready_count++] = i;
    }
    for (uint32_t done = 0; done < ready_count; done++) {
        const tw_field *f = &m->fields[ready[done]];
        const tw_members *members = &m->types[f->value_type].members;
        for (uint16_t k = 0; k < members->count; k++) {
            tw_field *home = home_of(m, f, k);
            if (home == NULL) continue;
            if (home->holders <= f->holders) home->holders = (uint16_t)(f->holders + 1);
            if (--above[home - m->fields] == 0) ready[ready_count++] = (uint16_t)(home - m->fields);
        }
    }
    for (uint16_t i = 0; i < m->field_count; i++) {
        if (above[i] == 0) continue;
        return tw_err_set(err, TW_REFUSED_MODULE,
                          "registry %s: its things hold each other in a ring", m->fields[i].name);
    }
    return TW_OK;
}

static tw_status state_derive(tw_module *m, tw_err *err)
{
    m->thing_size_max = 0;
    for (uint16_t i = 0; i < m->field_count; i++) {
        tw_field *f = &m->fields[i];
        if (f->value_type >= m->type_count ||
            (f->key_type != TW_NONE && f->key_type >= m->type_count)) {
            return tw_err_set(err, TW_REFUSED_MODULE, "field %s: its type is not there", f->name);
        }
        describe_field(m, f);
        const uint32_t size = m->types[f->value_type].size_max;
        if (f->kind == TW_FIELD_REGISTRY && size > m->thing_size_max) m->thing_size_max = size;
    }
    TW_TRY(holders_derive(m, err));
    for (uint16_t i = 0; i < m->purse_count; i++) {
        tw_purse *p = &m->purses[i];
        if (p->money >= m->money_count || (p->role != TW_NONE && p->role >= m->role_count)) {
            return tw_err_set(err, TW_REFUSED_MODULE, "purse %s: its money or role is not there",
                              p->name);
        }
        purse_derive(m, p);
    }
    return TW_OK;
}

tw_hash tw_module_schema(const tw_module *m, bool old)
{
    tw_hash sorted[TW_FIELDS_MAX];
    uint32_t count = 0;
    for (uint16_t i = 0; i < m->field_count; i++) {
        if (m->fields[i].old != old) continue;
        uint32_t at = count++;
        for (; at > 0 &&
               memcmp(sorted[at - 1].bytes, m->fields[i].description.bytes, TW_HASH_SIZE) > 0;
             at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = m->fields[i].description;
    }
    return tw_sha256(sorted, count * sizeof *sorted);
}

/* ---- derived sizes ---- */

static tw_status members_derive(const tw_module *m, tw_members *list, uint32_t type_end,
                                const char *where, tw_err *err)
{
    uint64_t slots = 0;
    uint64_t size = 0;
    for (uint16_t i = 0; i < list->count; i++) {
        if (list->items[i].type >= type_end) {
            return tw_err_set(err, TW_REFUSED_MODULE, "%s: field %u has no earlier type", where, i);
        }
        slots += m->types[list->items[i].type].slots;
        size += m->types[list->items[i].type].size_max;
    }
    if (slots > TW_FRAME_SLOTS_MAX) {
        return tw_err_set(err, TW_REFUSED_MODULE, "%s: takes %llu slots, at most %d fit a frame",
                          where, (unsigned long long)slots, TW_FRAME_SLOTS_MAX);
    }
    list->slots = (uint32_t)slots;
    list->size_max = (uint32_t)size;
    return TW_OK;
}

static tw_status type_sizes(tw_module *m, uint16_t index, uint64_t *ret_slots, uint64_t *ret_size,
                            tw_err *err)
{
    tw_type *t = &m->types[index];
    const tw_type *of = t->of < index ? &m->types[t->of] : NULL;
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: *ret_slots = 1, *ret_size = 1; break;
    case TW_KIND_INT:
    case TW_KIND_MONEY: *ret_slots = 1, *ret_size = 8; break;
    case TW_KIND_ENUM: *ret_slots = 1, *ret_size = 2; break;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: *ret_slots = 1 + ((uint64_t)t->max + 7) / 8, *ret_size = 2 + t->max; break;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: *ret_slots = 4, *ret_size = 32; break;
    case TW_KIND_OPTIONAL:
    case TW_KIND_LIST:
    case TW_KIND_THINGS:
        if (of == NULL) {
            return tw_err_set(err, TW_REFUSED_MODULE, "type %u: is of a type that comes later",
                              index);
        }
        *ret_slots = 1 + of->slots * (t->kind != TW_KIND_OPTIONAL ? (uint64_t)t->max : 1);
        *ret_size = t->kind != TW_KIND_OPTIONAL ? 2 + of->size_max * (uint64_t)t->max
                                                : 1 + (uint64_t)of->size_max;
        break;
    case TW_KIND_RECORD:
        TW_TRY(members_derive(m, &t->members, index, t->name, err));
        *ret_slots = t->members.slots, *ret_size = t->members.size_max;
        break;
    case TW_KIND_KINDS:
        return tw_err_set(err, TW_REFUSED_MODULE, "type %u: unknown kind %u", index, t->kind);
    }
    return TW_OK;
}

static tw_status type_check(const tw_module *m, uint16_t index, tw_err *err)
{
    const tw_type *t = &m->types[index];
    const bool sized = t->kind == TW_KIND_TEXT || t->kind == TW_KIND_BYTES;
    const bool list = t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS;
    const bool has_of =
        list || t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_ENUM || t->kind == TW_KIND_MONEY;
    const uint32_t max = sized ? TW_TEXT_SIZE_MAX : list ? TW_LIST_MAX : 0;
    const bool ok = t->kind >= TW_KIND_BOOL && t->kind < TW_KIND_KINDS && t->max <= max &&
                    (t->max > 0) == (sized || list) && (has_of || t->of == 0) &&
                    (t->kind == TW_KIND_INT) == (t->quantity != TW_DIM_NONE) &&
                    t->quantity < TW_DIM_COUNT &&
                    (t->kind != TW_KIND_ENUM || t->of < m->enum_count) &&
                    (t->kind != TW_KIND_MONEY || t->of < m->money_count) &&
                    (t->kind == TW_KIND_THINGS ? t->home < m->field_count : t->home == 0) &&
                    (t->kind != TW_KIND_RECORD || t->members.count > 0);
    if (ok) return TW_OK;
    return tw_err_set(err, TW_REFUSED_MODULE, "type %u: its parts do not make a type", index);
}

/* Encoding and decoding recurse as deep as types stand inside each other. */
static void type_inside(tw_type *t, const tw_type *part)
{
    if (part->depth >= t->depth) t->depth = part->depth + 1;
    t->has_things = t->has_things || part->has_things;
}

static void type_derive(const tw_module *m, tw_type *t)
{
    t->depth = 1;
    t->has_things = t->kind == TW_KIND_THINGS;
    if (t->kind == TW_KIND_OPTIONAL || t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS) {
        type_inside(t, &m->types[t->of]);
    }
    for (uint16_t i = 0; i < t->members.count; i++) {
        type_inside(t, &m->types[t->members.items[i].type]);
    }
    t->description = t->kind == TW_KIND_ENUM ? m->enums[t->of].description : describe_type(m, t);
}

/* What the costs of instructions depend on. Indexes are looked at first: they are proved later. */
static void counts_derive(tw_module *m)
{
    m->timer_count = 0;
    memset(m->by_role, 0, sizeof m->by_role);
    for (uint16_t i = 0; i < m->purse_count; i++) {
        m->purses[i].timers = 0;
        if (m->purses[i].role != TW_NONE) m->by_role[m->purses[i].role].purses++;
    }
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const tw_reading *r = &m->readings[i];
        if (r->role < m->role_count) m->by_role[r->role].pages += tw_window_pages(r->keep);
    }
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        m->timer_count += tw_entry_is_timer(e);
        if (e->kind == TW_ENTRY_FALLS && e->of < m->purse_count) m->purses[e->of].timers++;
        if (e->kind != TW_ENTRY_SILENT || e->of >= m->reading_count) continue;
        const uint16_t role = m->readings[e->of].role;
        if (role < m->role_count) m->by_role[role].silent_timers++;
    }
}

static tw_status notices_derive(tw_module *m, tw_notice *items, uint16_t count, tw_err *err)
{
    for (uint16_t i = 0; i < count; i++) {
        tw_members *list = &items[i].members;
        TW_TRY(members_derive(m, list, m->type_count, items[i].name, err));
        if (list->size_max > TW_EVENT_SIZE_MAX) {
            return tw_err_set(err, TW_REFUSED_MODULE, "%s: up to %u bytes, the limit is %d",
                              items[i].name, list->size_max, TW_EVENT_SIZE_MAX);
        }
    }
    return TW_OK;
}

tw_status tw_module_derive(tw_module *m, tw_err *err)
{
    for (uint16_t i = 0; i < m->enum_count; i++) enum_describe(&m->enums[i]);
    for (uint16_t i = 0; i < m->type_count; i++) {
        TW_TRY(type_check(m, i, err));
        uint64_t slots = 0;
        uint64_t size = 0;
        TW_TRY(type_sizes(m, i, &slots, &size, err));
        if (slots > TW_FRAME_SLOTS_MAX || size > UINT16_MAX) {
            return tw_err_set(err, TW_REFUSED_MODULE,
                              "type %u: takes %llu slots and %llu bytes, the limits are %d and %d",
                              i, (unsigned long long)slots, (unsigned long long)size,
                              TW_FRAME_SLOTS_MAX, UINT16_MAX);
        }
        m->types[i].slots = (uint32_t)slots;
        m->types[i].size_max = (uint32_t)size;
        type_derive(m, &m->types[i]);
        if (m->types[i].depth > TW_TYPE_DEPTH_MAX) {
            return tw_err_set(err, TW_REFUSED_MODULE,
                              "type %u: more than %d types inside each other", i,
                              TW_TYPE_DEPTH_MAX);
        }
    }
    TW_TRY(notices_derive(m, m->events, m->event_count, err));
    TW_TRY(notices_derive(m, m->errors, m->error_count, err));
    TW_TRY(notices_derive(m, m->histories, m->history_count, err));
    for (uint16_t i = 0; i < m->entry_count; i++) {
        TW_TRY(members_derive(m, &m->entries[i].members, m->type_count, m->entries[i].name, err));
    }
    TW_TRY(state_derive(m, err));
    counts_derive(m);
    return TW_OK;
}

tw_status tw_module_decode(tw_bytes source, tw_arena *arena, tw_module **ret_module, tw_err *err)
{
    if (source.size > TW_MODULE_SIZE_MAX) {
        return tw_err_set(err, TW_REFUSED_MODULE, "the module has %zu bytes, the limit is %d",
                          source.size, TW_MODULE_SIZE_MAX);
    }
    tw_reader r = tw_reader_of(source);
    const uint8_t *start = tw_read_raw(&r, sizeof magic);
    if (start == NULL || memcmp(start, magic, sizeof magic) != 0) {
        return tw_err_set(err, TW_REFUSED_MODULE, "this is no module: it does not start with TWVM");
    }
    const uint8_t format = tw_read_u8(&r);
    const uint8_t semantics = tw_read_u8(&r);
    if (format != TW_MODULE_FORMAT || semantics != TW_SEMANTICS) {
        return tw_err_set(err, TW_REFUSED_MODULE,
                          "module format %u, semantics %u; this machine runs %d and %d", format,
                          semantics, TW_MODULE_FORMAT, TW_SEMANTICS);
    }
    tw_module *m = TW_NEW(arena, tw_module);
    codec c = {.r = &r, .arena = arena, .names = TW_NEW_ARRAY(arena, char, source.size)};
    c.no_memory = m == NULL || c.names == NULL;
    if (!c.no_memory) walk(&c, m);
    if (c.no_memory) return tw_err_set(err, TW_ERR_MEMORY, "no memory for the module");
    if (!tw_reader_done(&r)) {
        return tw_err_set(err, TW_REFUSED_MODULE, "damaged or not canonical near byte %zu", r.at);
    }
    TW_TRY(tw_module_derive(m, err));
    *ret_module = m;
    return TW_OK;
}

tw_hash tw_module_hash(tw_bytes source)
{
    return tw_sha256(source.data, source.size);
}

uint16_t tw_module_entry(const tw_module *m, tw_entry_kind kind, const char *wanted)
{
    for (uint16_t i = 0; i < m->entry_count; i++) {
        const tw_entry *e = &m->entries[i];
        if (e->kind == kind && (wanted == NULL || strcmp(e->name, wanted) == 0)) return i;
    }
    return TW_NONE;
}
