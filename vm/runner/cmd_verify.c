/* cmd_verify -- `twvm verify`: checks a proof file against a state root or the hash of a block, and
 * says what it shows, in the contract's words where its code is at hand. Opens no ledger.
 *
 * The code is known by its hash in the contract's record, which the file proves; it comes from the
 * file or from --module. Without it values are hex.
 */
#include "vm/exec/thing.h"
#include "vm/isa/value.h"
#include "vm/ledger/notices.h"
#include "vm/ledger/witness.h"
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/source.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { MEMORY_MAX = 2047 * 1024 * 1024, TEXT_MAX = 1024 * 1024, HEX_MAX = 8192 };

typedef struct view {
    tw_app *app;
    tw_arena *arena;
    tw_witness w;
    const tw_module *module; /* of the contract of the first fact; NULL: not at hand */
    bool checked;            /* all of the block's header, by --block */
    tw_show_names names;     /* nobody's */
    int64_t from, to;
    json_t *object; /* NULL: text */
    tw_writer text;
} view;

/* ---- saying ---- */

/* One line of what is shown; takes the value. */
static void say(view *v, const char *name, json_t *value)
{
    if (v->object != NULL) {
        json_object_set_new(v->object, name, value);
        return;
    }
    const json_t *text = json_is_object(value) ? json_object_get(value, "text") : NULL;
    const char *plain = json_string_value(text != NULL ? text : value);
    printf("  %-9s ", name);
    if (plain != NULL) {
        puts(plain);
    } else {
        json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
        putchar('\n');
    }
    json_decref(value);
}

static json_t *hex_of(view *v, tw_bytes bytes)
{
    char *hex = tw_arena_get(v->arena, 2 * bytes.size + 1);
    if (hex == NULL) return NULL;
    tw_hex_encode(bytes.data, bytes.size, hex);
    return json_string(hex);
}

static void say_hex(view *v, const char *name, tw_bytes bytes)
{
    say(v, name, hex_of(v, bytes));
}

/* A value of the module: text for people, both forms in JSON. */
static tw_status say_value(view *v, const char *name, uint16_t type, tw_bytes bytes)
{
    tw_reader r = tw_reader_of(bytes);
    if (v->object != NULL) {
        json_t *value = tw_show_json(v->module, type, &r);
        if (value == NULL || !tw_reader_done(&r)) return TW_REFUSED_ENCODING;
        json_object_set_new(v->object, name, value);
        return TW_OK;
    }
    tw_writer_clear(&v->text);
    TW_TRY(tw_show_value(v->module, type, &r, &v->names, &v->text));
    if (!tw_reader_done(&r) || v->text.bad) return TW_REFUSED_ENCODING;
    printf("  %-9s %.*s\n", name, (int)v->text.size, (const char *)v->text.data);
    return TW_OK;
}

/* ---- keys ---- */

/* What stands in a key of a space, one letter each: a account, s asset, c contract, h hash, r role
 * u8, d reading u8, p page u16, e entry u16, l alarm u16, t time u64, H height u64, n receipt u32,
 * f field u32 and its key, x text. */
static const struct {
    tw_space space;
    const char *name;
    const char *parts;
} spaces[] = {
    {TW_SPACE_CHAIN, "chain", "x"},       {TW_SPACE_NONCE, "nonce", "a"},
    {TW_SPACE_BALANCE, "balance", "sa"},  {TW_SPACE_ASSET, "asset", "s"},
    {TW_SPACE_CONTRACT, "contract", "c"}, {TW_SPACE_CONTROL, "phase", "c"},
    {TW_SPACE_ROLE, "role", "cr"},        {TW_SPACE_MEMBER, "member", "cra"},
    {TW_SPACE_DEVICE, "device", "ca"},    {TW_SPACE_WINDOW, "window", "cdap"},
    {TW_SPACE_FIELD, "field", "cf"},      {TW_SPACE_CODE, "code", "h"},
    {TW_SPACE_TIMER, "timer", "tce"},     {TW_SPACE_PENDING, "pending", "tcl"},
    {TW_SPACE_CONSENT, "consent", "c"},   {TW_SPACE_PAST, "past", "cHn"},
    {TW_SPACE_FUEL, "fuel", "c"},
};

static const tw_field *field_of(const view *v, uint32_t id)
{
    for (uint16_t i = 0; v->module != NULL && i < v->module->field_count; i++) {
        const tw_field *f = &v->module->fields[i];
        if (f->id == id && !f->old) return f;
    }
    return NULL;
}

static const tw_purse *purse_of(const view *v, uint32_t id)
{
    for (uint16_t i = 0; v->module != NULL && i < v->module->purse_count; i++) {
        if (v->module->purses[i].id == id) return &v->module->purses[i];
    }
    return NULL;
}

static tw_status say_field_key(view *v, const tw_field *f, tw_bytes key)
{
    int64_t slots[TW_KEY_SIZE_MAX] = {0};
    tw_reader r = tw_reader_of(key);
    if (f->key_type == TW_NONE || v->module->types[f->key_type].slots > TW_KEY_SIZE_MAX) {
        return TW_REFUSED_ENCODING;
    }
    TW_TRY(tw_key_decode(v->module, f->key_type, &r, slots));
    if (!tw_reader_done(&r)) return TW_REFUSED_ENCODING;
    tw_writer w = tw_writer_new(TEXT_MAX);
    tw_status status = tw_value_encode(v->module, f->key_type, slots, &w);
    if (status == TW_OK) status = say_value(v, "of", f->key_type, tw_writer_bytes(&w));
    tw_writer_free(&w);
    return status;
}

/* The field or purse, and the key in it. */
static void say_field(view *v, tw_reader *r)
{
    char number[16];
    const uint32_t id = tw_read_u32(r);
    const size_t size = tw_reader_left(r);
    const tw_bytes key = tw_bytes_of(tw_read_raw(r, size), size);
    const tw_field *f = field_of(v, id);
    const tw_purse *p = f == NULL ? purse_of(v, id) : NULL;
    snprintf(number, sizeof number, "%08x", id);
    say(v, p != NULL ? "purse" : "name",
        json_string(f != NULL ? f->name : (p != NULL ? p->name : number)));
    if (size == 0) return;
    if (f == NULL || say_field_key(v, f, key) != TW_OK) say_hex(v, "of", key);
}

/* A number that names something of the module. */
static void say_index(view *v, char part, uint32_t index)
{
    const tw_module *m = v->module;
    const char *name = NULL;
    if (m != NULL && part == 'r' && index < m->role_count) name = m->roles[index].name;
    if (m != NULL && part == 'd' && index < m->reading_count) name = m->readings[index].name;
    if (m != NULL && part == 'e' && index < m->entry_count) name = m->entries[index].name;
    if (m != NULL && part == 'l' && index < m->alarm_count) name = m->alarms[index].name;
    const char *word = part == 'r'   ? "role"
                       : part == 'd' ? "reading"
                       : part == 'e' ? "entry"
                                     : "alarm";
    say(v, word, name != NULL ? json_string(name) : tw_json_u64(index));
}

static void say_part(view *v, char part, tw_reader *r)
{
    const size_t left = tw_reader_left(r);
    switch (part) {
    case 'a': say_hex(v, "account", tw_bytes_of(tw_read_raw(r, 32), 32)); return;
    case 's': say_hex(v, "asset", tw_bytes_of(tw_read_raw(r, 32), 32)); return;
    case 'c': say_hex(v, "contract", tw_bytes_of(tw_read_raw(r, 32), 32)); return;
    case 'h': say_hex(v, "hash", tw_bytes_of(tw_read_raw(r, 32), 32)); return;
    case 'x': say_hex(v, "name", tw_bytes_of(tw_read_raw(r, left), left)); return;
    case 'r':
    case 'd': say_index(v, part, tw_read_u8(r)); return;
    case 'e':
    case 'l': say_index(v, part, tw_read_u16(r)); return;
    case 'p': say(v, "page", tw_json_u64(tw_read_u16(r))); return;
    case 'n': say(v, "receipt", tw_json_u64(tw_read_u32(r))); return;
    case 'H': say(v, "at_block", tw_json_u64(tw_read_u64(r))); return;
    case 't': say(v, "due", tw_json_time(tw_read_i64(r))); return;
    default: say_field(v, r); return;
    }
}

/* How many bytes the letters take at least. */
static size_t parts_size(const char *parts)
{
    size_t size = 0;
    for (; *parts != '\0'; parts++) {
        if (strchr("asch", *parts) != NULL) size += 32;
        if (strchr("rd", *parts) != NULL) size += 1;
        if (strchr("elp", *parts) != NULL) size += 2;
        if (strchr("nf", *parts) != NULL) size += 4;
        if (strchr("tH", *parts) != NULL) size += 8;
    }
    return size;
}

static void say_key(view *v, tw_bytes key)
{
    tw_reader r = tw_reader_of(key);
    const uint8_t space = tw_read_u8(&r);
    say_hex(v, "key", key);
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        const char *parts = spaces[i].parts;
        if ((uint8_t)spaces[i].space != space || tw_reader_left(&r) < parts_size(parts)) continue;
        say(v, "space", json_string(spaces[i].name));
        for (; *parts != '\0'; parts++) say_part(v, *parts, &r);
    }
}

/* ---- values ---- */

static tw_status say_thing(view *v, const tw_field *f, tw_bytes value)
{
    tw_thing thing;
    TW_TRY(tw_thing_parse(value, &thing));
    const bool attached = (thing.flags & TW_THING_ATTACHED) != 0;
    if (!attached) say_hex(v, "owner", tw_bytes_of(thing.owner.bytes, 32));
    say_hex(v, "maker", tw_bytes_of(thing.maker.bytes, 32));
    say(v, "attached", json_boolean(attached));
    say(v, "retired", json_boolean((thing.flags & TW_THING_RETIRED) != 0));
    say(v, "entries", tw_json_u64(thing.histories));
    return say_value(v, "value", f->value_type, thing.record);
}

static json_t *amount_json(const char *name, uint8_t decimals, uint64_t amount)
{
    const tw_money money = {.name = name, .decimals = decimals};
    return tw_show_money_json(&money, (int64_t)amount);
}

static tw_status say_in_field(view *v, tw_bytes key, tw_reader *r)
{
    const uint32_t id = tw_load_u32(key.data + 1 + TW_HASH_SIZE);
    const bool keyed = key.size > 1 + TW_HASH_SIZE + 4;
    const tw_field *f = field_of(v, id);
    const tw_purse *p = purse_of(v, id);
    const tw_bytes value = tw_bytes_of(r->data + 1, r->size - 1);
    if (f != NULL && f->kind == TW_FIELD_REGISTRY && keyed) {
        return say_thing(v, f, tw_bytes_of(r->data, r->size));
    }
    if (f != NULL && f->kind == (keyed ? TW_FIELD_MAP : TW_FIELD_VAR)) {
        return say_value(v, "value", f->value_type, value);
    }
    if (f != NULL && !keyed && value.size == 4) {
        say(v, "keys", tw_json_u64(tw_read_u32(r)));
    } else if (f == NULL && p != NULL && value.size == 8) {
        const tw_money *money = &v->module->monies[p->money];
        say(v, "amount", amount_json(money->name, money->decimals, tw_read_u64(r)));
    }
    return TW_OK;
}

/* Of an asset's record: its name as a C string in the arena; NULL when it is none. */
static const char *read_asset(view *v, tw_bytes value, uint8_t *ret_decimals, uint64_t *ret_supply)
{
    tw_reader r = tw_reader_of(value);
    (void)tw_read_u8(&r);
    *ret_decimals = tw_read_u8(&r);
    *ret_supply = tw_read_u64(&r);
    (void)tw_read_raw(&r, TW_HASH_SIZE);
    const tw_bytes name = tw_read_short(&r, TW_NAME_SIZE_MAX);
    if (!tw_reader_done(&r) || *ret_decimals > TW_DECIMALS_MAX || !tw_utf8_is_clean(name)) {
        return NULL;
    }
    return tw_arena_copy(v->arena, name.data, name.size);
}

static void say_balance(view *v, tw_bytes key, tw_reader *r)
{
    tw_hash id;
    uint8_t decimals = 0;
    uint64_t supply = 0;
    memcpy(id.bytes, key.data + 1, TW_HASH_SIZE);
    const tw_key asset = tw_key_of(TW_SPACE_ASSET, &id);
    const tw_witness_fact *fact = tw_witness_find(&v->w, tw_key_bytes(&asset));
    const char *name =
        fact != NULL && fact->found ? read_asset(v, fact->value, &decimals, &supply) : NULL;
    const uint64_t amount = tw_read_u64(r);
    say(v, "amount", name != NULL ? amount_json(name, decimals, amount) : tw_json_u64(amount));
}

static void say_asset(view *v, tw_bytes value)
{
    uint8_t decimals = 0;
    uint64_t supply = 0;
    const char *name = read_asset(v, value, &decimals, &supply);
    if (name != NULL) say(v, "supply", amount_json(name, decimals, supply));
}

static void say_control(view *v, tw_reader *r)
{
    const uint16_t phase = tw_read_u16(r);
    const int64_t since = tw_read_i64(r);
    (void)tw_read_u64(r);
    const uint64_t entries = tw_read_u64(r);
    if (r->bad) return;
    const bool known = v->module != NULL && phase < v->module->phases.count;
    say(v, "value", known ? json_string(v->module->phases.items[phase]) : tw_json_u64(phase));
    say(v, "since", tw_json_time(since));
    say(v, "entries", tw_json_u64(entries));
}

static void say_contract(view *v, tw_reader *r)
{
    const uint8_t *code = tw_read_raw(r, TW_HASH_SIZE);
    const uint8_t *deployer = tw_read_raw(r, 32);
    const int64_t deployed = tw_read_i64(r);
    if (r->bad) return;
    say_hex(v, "code", tw_bytes_of(code, TW_HASH_SIZE));
    say_hex(v, "deployer", tw_bytes_of(deployer, 32));
    say(v, "deployed", tw_json_time(deployed));
}

/* What the bytes mean, where that is known. */
static tw_status say_meaning(view *v, const tw_witness_fact *fact)
{
    tw_reader r = tw_reader_of(fact->value);
    const uint8_t space = fact->key.data[0];
    (void)tw_read_u8(&r); /* tag */
    if (space == TW_SPACE_FIELD && fact->key.size >= 1 + TW_HASH_SIZE + 4) {
        return say_in_field(v, fact->key, &r);
    }
    if (space == TW_SPACE_BALANCE && fact->key.size > 1 + TW_HASH_SIZE && fact->value.size == 9) {
        say_balance(v, fact->key, &r);
    } else if (space == TW_SPACE_FUEL && fact->value.size == 9) {
        say(v, "amount", tw_json_u64(tw_read_u64(&r)));
    } else if (space == TW_SPACE_ASSET) {
        say_asset(v, fact->value);
    } else if (space == TW_SPACE_CONTROL) {
        say_control(v, &r);
    } else if (space == TW_SPACE_CONTRACT) {
        say_contract(v, &r);
    } else if (space == TW_SPACE_NONCE && fact->value.size == 9) {
        say(v, "next", tw_json_u64(tw_read_u64(&r)));
    } else if (space == TW_SPACE_MEMBER && fact->value.size == 9) {
        say(v, "since", tw_json_time(tw_read_i64(&r)));
    }
    return TW_OK;
}

static tw_status say_fact(view *v)
{
    const tw_witness_fact *fact = &v->w.facts[0];
    say_key(v, fact->key);
    say(v, "found", json_boolean(fact->found));
    if (!fact->found) return TW_OK;
    if (v->object != NULL || fact->value.size <= HEX_MAX) say_hex(v, "bytes", fact->value);
    return say_meaning(v, fact);
}

/* ---- the module ---- */

static tw_status given_module(view *v, const char *path, tw_bytes *ret_module)
{
    tw_bytes debug;
    const char *name = tw_args_get(&v->app->args, "contract", NULL);
    return tw_source_module(v->app, path, name, v->arena, ret_module, &debug);
}

static tw_status decode_module(view *v, tw_bytes bytes, const tw_module **ret_module)
{
    tw_module *m = NULL;
    tw_err inner = {0};
    const tw_status status = tw_module_decode(bytes, v->arena, &m, &inner);
    if (tw_status_is_host_failure(status)) return status;
    if (status != TW_OK) return tw_app_fail(v->app, "the contract's code: %.300s", inner.text);
    *ret_module = m;
    return TW_OK;
}

/* From the file or --module; its hash is the one in the contract's record. */
static tw_status find_module(view *v)
{
    tw_hash contract, code;
    tw_bytes bytes;
    const char *path = tw_args_get(&v->app->args, "module", NULL);
    const bool known = tw_witness_contract(v->w.facts[0].key, &contract) &&
                       tw_witness_code(&v->w, &contract, &code);
    if (path == NULL) {
        if (!known || !tw_witness_module(&v->w, &code, &bytes)) return TW_OK;
        return decode_module(v, bytes, &v->module);
    }
    TW_TRY(given_module(v, path, &bytes));
    const tw_hash own = tw_module_hash(bytes);
    if (!known || !tw_hash_equal(&own, &code)) {
        return tw_app_fail(v->app, "%.200s: is not the code of the contract that is proved", path);
    }
    return decode_module(v, bytes, &v->module);
}

/* ---- history ---- */

static bool kind_wanted(const view *v, const char *name)
{
    for (uint32_t i = 0;; i++) {
        const char *wanted = tw_args_each(&v->app->args, "kind", i);
        if (wanted == NULL) return i == 0;
        if (strcmp(wanted, name) == 0) return true;
    }
}

static json_t *entry_json(const tw_module *m, const tw_notice_view *n, const char *name)
{
    const tw_hash hash = tw_notice_hash(n);
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "time", tw_json_time(n->time), "name",
                     name, "number", tw_json_u64(n->number), "caller",
                     tw_json_hex(n->caller.bytes, 32), "transaction",
                     tw_json_hex(n->transaction.bytes, TW_HASH_SIZE), "hash",
                     tw_json_hex(hash.bytes, TW_HASH_SIZE), "fields",
                     tw_show_members_json(m, &m->histories[n->index].members, n->fields));
}

static tw_status say_entry(view *v, const tw_module *m, const tw_notice_view *n, json_t *list)
{
    char time[TW_TIME_TEXT_MAX], caller[TW_SHOW_NAME_MAX];
    if (n->index >= m->history_count) return TW_REFUSED_ENCODING;
    const char *name = m->histories[n->index].name;
    if (n->time < v->from || n->time >= v->to || !kind_wanted(v, name)) return TW_OK;
    if (list != NULL) {
        json_t *value = entry_json(m, n, name);
        return value != NULL && json_array_append_new(list, value) == 0 ? TW_OK
                                                                        : TW_REFUSED_ENCODING;
    }
    tw_writer_clear(&v->text);
    TW_TRY(tw_show_members(m, &m->histories[n->index].members, n->fields, &v->names, &v->text));
    const char *who = tw_show_account(&n->caller, &v->names, caller);
    printf("  %-24s  %s  by %s  %.*s\n", tw_time_print(n->time, time), name, who, (int)v->text.size,
           v->text.size > 0 ? (const char *)v->text.data : "");
    return TW_OK;
}

/* Each entry in the words of its version. */
static tw_status say_entries(view *v, json_t *list)
{
    const tw_module **modules = TW_NEW_ARRAY(v->arena, const tw_module *, v->w.fact_count);
    if (modules == NULL) return TW_ERR_MEMORY;
    for (uint32_t i = 0; i < v->w.entry_count; i++) {
        const tw_witness_entry *entry = &v->w.entries[i];
        tw_notice_view notice;
        tw_reader r = tw_reader_of(entry->bytes);
        const tw_module **m = &modules[entry->code];
        const tw_bytes value = v->w.facts[entry->code].value;
        if (*m == NULL) TW_TRY(decode_module(v, tw_bytes_of(value.data + 1, value.size - 1), m));
        if (!tw_notice_read(&r, &notice)) return TW_ERR_INTERNAL;
        TW_TRY(say_entry(v, *m, &notice, list));
    }
    return TW_OK;
}

static tw_status say_history(view *v)
{
    json_t *list = v->object != NULL ? json_array() : NULL;
    if (list == NULL) {
        printf("  history   all %u entries, none missing, added or changed\n", v->w.entry_count);
    }
    const tw_status status = say_entries(v, list);
    if (list != NULL) json_object_set_new(v->object, "history", list);
    if (status != TW_REFUSED_ENCODING) return status;
    return tw_app_fail(v->app, "an entry of the history is none of the version it names");
}

/* ---- the command ---- */

static void say_block(view *v)
{
    const tw_block_info *b = &v->w.block;
    char time[TW_TIME_TEXT_MAX];
    if (v->object == NULL) puts(v->checked ? "the proof holds" : "the proof holds for this root");
    say(v, "height", tw_json_u64(b->height));
    say(v, "time",
        v->object != NULL ? tw_json_time(b->time) : json_string(tw_time_print(b->time, time)));
    say(v, "block", tw_json_hex(b->hash.bytes, TW_HASH_SIZE));
    say(v, "root", tw_json_hex(b->state_root.bytes, TW_HASH_SIZE));
    if (v->object != NULL) {
        json_object_set_new(v->object, "block_checked", json_boolean(v->checked));
    } else if (!v->checked) {
        puts("  note      height, time and block are what the maker of the file says; --block "
             "checks them");
    }
    if (v->module != NULL) say(v, "module", json_string(v->module->name));
}

static tw_status hash_option(view *v, const char *name, tw_hash *hash, const tw_hash **ret_hash)
{
    const char *text = tw_args_get(&v->app->args, name, NULL);
    *ret_hash = text != NULL ? hash : NULL;
    if (text == NULL || tw_hex_decode(text, strlen(text), hash->bytes, TW_HASH_SIZE)) return TW_OK;
    return tw_app_usage(v->app, "--%s: \"%.80s\" is not 64 hex digits", name, text);
}

static tw_status time_option(view *v, const char *name, int64_t *ret_time)
{
    const char *text = tw_args_get(&v->app->args, name, NULL);
    const char *why = NULL;
    if (text == NULL ||
        tw_time_parse(tw_bytes_of(text, strlen(text)), TW_TIME_AUTO, 0, ret_time, &why)) {
        return TW_OK;
    }
    return tw_app_usage(v->app, "--%s: \"%.60s\" %s", name, text, why);
}

/* The file taken apart and held against what is given. */
static tw_status check(view *v)
{
    tw_hash root_hash, block_hash;
    const tw_hash *root, *block;
    tw_bytes file;
    const char *path = v->app->args.words[0];
    TW_TRY(hash_option(v, "root", &root_hash, &root));
    TW_TRY(hash_option(v, "block", &block_hash, &block));
    TW_TRY(time_option(v, "from", &v->from));
    TW_TRY(time_option(v, "to", &v->to));
    if (root == NULL && block == NULL) {
        return tw_app_usage(v->app, "a proof is checked against --root HEX or --block HASH");
    }
    v->checked = block != NULL;
    TW_TRY(tw_source_read(path, TW_WITNESS_SIZE_MAX, v->arena, &file, &v->app->err));
    const tw_status status = tw_witness_decode(file, v->arena, &v->w);
    if (status != TW_OK && !tw_status_is_host_failure(status)) {
        return tw_app_fail(v->app, "%.200s: is no proof that twvm made, or is damaged", path);
    }
    TW_TRY(status);
    TW_TRY(tw_witness_check(&v->w, root, block, &v->app->err));
    TW_TRY(find_module(v));
    return v->w.history ? tw_witness_check_history(&v->w, v->module, &v->app->err) : TW_OK;
}

static tw_status show(view *v)
{
    if (v->app->json) v->object = json_pack("{s:b}", "holds", 1);
    say_block(v);
    tw_status status = say_fact(v);
    if (status == TW_REFUSED_ENCODING || status == TW_ERR_CORRUPT) {
        status = tw_app_fail(v->app, "the proof holds, but the value is none of its type");
    }
    if (status == TW_OK && v->w.history) status = say_history(v);
    if (status == TW_OK && v->object != NULL) return tw_app_print_json(v->object);
    json_decref(v->object);
    return status;
}

tw_status tw_command_verify(tw_app *app)
{
    view v = {.app = app, .arena = tw_arena_new(MEMORY_MAX), .to = TW_TIME_END};
    if (v.arena == NULL) return TW_ERR_MEMORY;
    v.names.now = -1;
    v.text = tw_writer_new(TEXT_MAX);
    tw_status status = check(&v);
    if (status == TW_OK) status = show(&v);
    tw_writer_free(&v.text);
    tw_arena_free(v.arena);
    return status;
}
