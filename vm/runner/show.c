/* show -- see the header. This file prints; show_parse.c reads. Recursion is bounded: a type only
 * names types of lower index. */
#include "vm/runner/show.h"

#include "vm/base/arena.h"
#include "vm/base/quantities.h"
#include "vm/isa/disasm.h"
#include "vm/runner/money.h"

#include <stdio.h>
#include <string.h>

static void put(tw_writer *w, const char *text)
{
    tw_write_raw(w, text, strlen(text));
}

static void put_hex(tw_writer *w, const uint8_t *bytes, size_t size)
{
    char hex[3];
    for (size_t i = 0; i < size; i++) {
        tw_hex_encode(bytes + i, 1, hex);
        tw_write_raw(w, hex, 2);
    }
}

const char *tw_show_type(const tw_module *m, uint16_t type, char ret_text[TW_SHOW_NAME_MAX])
{
    tw_type_print(m, type, ret_text, TW_SHOW_NAME_MAX);
    return ret_text;
}

const char *tw_show_account(const tw_account *account, const tw_show_names *names,
                            char ret_text[TW_SHOW_NAME_MAX])
{
    if (names != NULL && names->name_of != NULL &&
        names->name_of(names->context, account, ret_text)) {
        return ret_text;
    }
    tw_hex_encode(account->bytes, 8, ret_text);
    snprintf(ret_text + 16, TW_SHOW_NAME_MAX - 16, "...");
    return ret_text;
}

/* ---- text ---- */

static tw_status show_text(const tw_type *t, tw_reader *r, tw_writer *out)
{
    const tw_bytes text = tw_read_short(r, t->max);
    if (t->kind == TW_KIND_BYTES) {
        put_hex(out, text.data, text.size);
        return TW_OK;
    }
    put(out, "\"");
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\') put(out, "\\");
        tw_write_u8(out, text.data[i]);
    }
    put(out, "\"");
    return TW_OK;
}

static tw_status show_many(const tw_module *m, const tw_members *members, tw_reader *r,
                           const tw_show_names *names, tw_writer *out)
{
    for (uint16_t i = 0; i < members->count; i++) {
        if (i > 0) put(out, ", ");
        put(out, members->items[i].name);
        put(out, ": ");
        TW_TRY(tw_show_value(m, members->items[i].type, r, names, out));
    }
    return TW_OK;
}

static tw_status show_list(const tw_module *m, const tw_type *t, tw_reader *r,
                           const tw_show_names *names, tw_writer *out)
{
    const uint16_t count = tw_read_u16(r);
    if (count > t->max) return TW_REFUSED_ENCODING;
    put(out, "[");
    for (uint16_t i = 0; i < count && !r->bad; i++) {
        if (i > 0) put(out, ", ");
        TW_TRY(tw_show_value(m, t->of, r, names, out));
    }
    put(out, "]");
    return TW_OK;
}

static tw_status show_plain(const tw_module *m, const tw_type *t, tw_reader *r, tw_writer *out)
{
    if (t->kind == TW_KIND_BOOL) {
        put(out, tw_read_bool(r) ? "yes" : "no");
    } else if (t->kind == TW_KIND_ENUM) {
        const uint16_t value = tw_read_u16(r);
        if (value >= m->enums[t->of].values.count) return TW_REFUSED_ENCODING;
        put(out, m->enums[t->of].values.items[value]);
    } else if (t->kind == TW_KIND_MONEY) {
        char text[TW_MONEY_TEXT_MAX];
        const tw_money *money = &m->monies[t->of];
        put(out, tw_money_print(tw_read_i64(r), money->decimals, money->name, text));
    } else {
        char text[TW_QUANTITY_TEXT_MAX];
        tw_quantity_print(tw_read_i64(r), (tw_dimension)t->quantity, text);
        put(out, text);
    }
    return TW_OK;
}

static tw_status show_32(const tw_type *t, tw_reader *r, const tw_show_names *names, tw_writer *out)
{
    char text[TW_SHOW_NAME_MAX];
    tw_account account;
    tw_read_copy(r, account.bytes, sizeof account.bytes);
    if (t->kind == TW_KIND_ACCOUNT) {
        put(out, tw_show_account(&account, names, text));
    } else {
        put_hex(out, account.bytes, sizeof account.bytes);
    }
    return TW_OK;
}

tw_status tw_show_value(const tw_module *m, uint16_t type, tw_reader *r, const tw_show_names *names,
                        tw_writer *ret_text)
{
    const tw_type *t = &m->types[type];
    tw_status status = TW_ERR_INTERNAL;
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL:
    case TW_KIND_INT:
    case TW_KIND_MONEY:
    case TW_KIND_ENUM: status = show_plain(m, t, r, ret_text); break;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: status = show_text(t, r, ret_text); break;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: status = show_32(t, r, names, ret_text); break;
    case TW_KIND_OPTIONAL:
        if (tw_read_bool(r)) return tw_show_value(m, t->of, r, names, ret_text);
        put(ret_text, "none");
        status = TW_OK;
        break;
    case TW_KIND_RECORD:
        put(ret_text, t->name);
        put(ret_text, "(");
        status = show_many(m, &t->members, r, names, ret_text);
        put(ret_text, ")");
        break;
    case TW_KIND_LIST:
    case TW_KIND_THINGS: status = show_list(m, t, r, names, ret_text); break;
    case TW_KIND_KINDS: break;
    }
    if (status != TW_OK) return status;
    return r->bad ? TW_REFUSED_ENCODING : TW_OK;
}

tw_status tw_show_members(const tw_module *m, const tw_members *members, tw_bytes fields,
                          const tw_show_names *names, tw_writer *ret_text)
{
    tw_reader r = tw_reader_of(fields);
    TW_TRY(show_many(m, members, &r, names, ret_text));
    return tw_reader_done(&r) ? TW_OK : TW_REFUSED_ENCODING;
}

/* ---- JSON ---- */

static json_t *json_hex(const uint8_t *bytes, size_t size)
{
    tw_writer w = tw_writer_new(2 * TW_TEXT_SIZE_MAX);
    put_hex(&w, bytes, size);
    json_t *text = w.bad ? NULL : json_stringn((const char *)w.data, w.size);
    tw_writer_free(&w);
    return text;
}

static json_t *json_int(const tw_type *t, tw_reader *r)
{
    const int64_t value = tw_read_i64(r);
    char text[TW_QUANTITY_TEXT_MAX];
    tw_quantity_print(value, (tw_dimension)t->quantity, text);
    if (t->quantity == TW_DIM_INT || t->quantity == TW_DIM_DEC) return json_string(text);
    char digits[24];
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    return json_pack("{s:s, s:s}", "value", digits, "text", text);
}

json_t *tw_show_money_json(const tw_money *money, int64_t amount)
{
    char digits[24], text[TW_MONEY_TEXT_MAX];
    snprintf(digits, sizeof digits, "%lld", (long long)amount);
    return json_pack("{s:s, s:s}", "value", digits, "text",
                     tw_money_print(amount, money->decimals, money->name, text));
}

static json_t *json_many(const tw_module *m, const tw_members *members, tw_reader *r)
{
    json_t *object = json_object();
    for (uint16_t i = 0; i < members->count; i++) {
        json_t *value = tw_show_json(m, members->items[i].type, r);
        if (value == NULL || json_object_set_new(object, members->items[i].name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *json_list(const tw_module *m, const tw_type *t, tw_reader *r)
{
    const uint16_t count = tw_read_u16(r);
    if (count > t->max) return NULL;
    json_t *list = json_array();
    for (uint16_t i = 0; i < count; i++) {
        json_t *value = tw_show_json(m, t->of, r);
        if (value == NULL || json_array_append_new(list, value) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *json_text(const tw_type *t, tw_reader *r)
{
    const tw_bytes text = tw_read_short(r, t->max);
    if (r->bad) return NULL;
    if (t->kind == TW_KIND_BYTES) return json_hex(text.data, text.size);
    return json_stringn((const char *)text.data, text.size);
}

json_t *tw_show_json(const tw_module *m, uint16_t type, tw_reader *r)
{
    const tw_type *t = &m->types[type];
    json_t *value = NULL;
    uint8_t bytes[32];
    uint16_t index = 0;
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: value = json_boolean(tw_read_bool(r)); break;
    case TW_KIND_INT: value = json_int(t, r); break;
    case TW_KIND_MONEY: value = tw_show_money_json(&m->monies[t->of], tw_read_i64(r)); break;
    case TW_KIND_ENUM:
        index = tw_read_u16(r);
        if (index < m->enums[t->of].values.count) {
            value = json_string(m->enums[t->of].values.items[index]);
        }
        break;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: value = json_text(t, r); break;
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN:
        tw_read_copy(r, bytes, sizeof bytes);
        value = json_hex(bytes, sizeof bytes);
        break;
    case TW_KIND_OPTIONAL: value = tw_read_bool(r) ? tw_show_json(m, t->of, r) : json_null(); break;
    case TW_KIND_RECORD: value = json_many(m, &t->members, r); break;
    case TW_KIND_LIST:
    case TW_KIND_THINGS: value = json_list(m, t, r); break;
    case TW_KIND_KINDS: break;
    }
    if (!r->bad) return value;
    json_decref(value);
    return NULL;
}

json_t *tw_show_members_json(const tw_module *m, const tw_members *members, tw_bytes fields)
{
    tw_reader r = tw_reader_of(fields);
    json_t *object = json_many(m, members, &r);
    if (tw_reader_done(&r)) return object;
    json_decref(object);
    return NULL;
}
