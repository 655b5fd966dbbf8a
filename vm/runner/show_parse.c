/* show_parse -- text of the command line to canonical values of a module's types; see show.h. */
#include "vm/base/quantities.h"
#include "vm/isa/value.h"
#include "vm/runner/csv.h"
#include "vm/runner/money.h"
#include "vm/runner/number.h"
#include "vm/runner/show.h"
#include "vm/runner/times.h"

#include <string.h>

static tw_status parse_json(const tw_module *m, uint16_t type, json_t *value,
                            const tw_show_names *names, tw_writer *w, tw_err *err);

static tw_bytes bytes_of(const char *text)
{
    return tw_bytes_of(text, strlen(text));
}

static tw_status refuse(tw_err *err, const char *text, const char *wanted)
{
    char quote[TW_CSV_QUOTE_MAX];
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s %s", tw_csv_quote(bytes_of(text), quote),
                      wanted);
}

/* "now", "now + 72 h", or a time as it is usually written. */
static tw_status parse_time(const char *text, const tw_show_names *names, tw_writer *w, tw_err *err)
{
    int64_t time = 0;
    if (strncmp(text, "now", 3) == 0 && names != NULL && names->now >= 0) {
        const char *rest = text + 3;
        int64_t add = 0;
        while (*rest == ' ') rest++;
        const char sign = *rest;
        if (sign == '+' || sign == '-') {
            do {
                rest++;
            } while (*rest == ' ');
            if (!tw_duration_parse(bytes_of(rest), &add)) {
                return refuse(err, text, "is no time; write \"now + 72 h\", for example");
            }
        } else if (sign != '\0') {
            return refuse(err, text, "is no time; write \"now + 72 h\", for example");
        }
        time = sign == '-' ? names->now - add : names->now + add;
        if (time < 0 || time >= TW_TIME_END) return refuse(err, text, "is out of range");
    } else {
        const char *why = NULL;
        if (!tw_time_parse(bytes_of(text), TW_TIME_AUTO, 0, &time, &why)) {
            return refuse(err, text, why);
        }
    }
    tw_write_i64(w, time);
    return TW_OK;
}

static tw_status parse_int(const tw_type *t, const char *text, const tw_show_names *names,
                           tw_writer *w, tw_err *err)
{
    int64_t value = 0;
    if (t->quantity == TW_DIM_TIME) return parse_time(text, names, w, err);
    TW_TRY(tw_number_read(bytes_of(text), (tw_dimension)t->quantity, NULL, (tw_number_style){0},
                          &value, err));
    tw_write_i64(w, value);
    return TW_OK;
}

static tw_status parse_money(const tw_money *money, const char *text, tw_writer *w, tw_err *err)
{
    int64_t amount = 0;
    TW_TRY(tw_money_parse(bytes_of(text), money->decimals, money->name, &amount, err));
    tw_write_i64(w, amount);
    return TW_OK;
}

static tw_status parse_bool(const char *text, tw_writer *w, tw_err *err)
{
    const bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0) {
        return refuse(err, text, "is neither yes nor no");
    }
    tw_write_u8(w, yes);
    return TW_OK;
}

static tw_status parse_enum(const tw_enum *e, const char *text, tw_writer *w, tw_err *err)
{
    for (uint16_t i = 0; i < e->values.count; i++) {
        if (strcmp(e->values.items[i], text) != 0) continue;
        tw_write_u16(w, i);
        return TW_OK;
    }
    char quote[TW_CSV_QUOTE_MAX];
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is no value of %s, which begins with %s",
                      tw_csv_quote(bytes_of(text), quote), e->name,
                      e->values.count > 0 ? e->values.items[0] : "nothing");
}

static tw_status parse_text(const tw_type *t, const char *text, tw_writer *w, tw_err *err)
{
    const size_t size = strlen(text);
    char quote[TW_CSV_QUOTE_MAX];
    if (t->kind == TW_KIND_BYTES) {
        uint8_t bytes[TW_TEXT_SIZE_MAX];
        if (size % 2 != 0 || size / 2 > t->max || !tw_hex_decode(text, size, bytes, size / 2)) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is not at most %u bytes in hex",
                              tw_csv_quote(bytes_of(text), quote), t->max);
        }
        tw_write_short(w, tw_bytes_of(bytes, size / 2));
        return TW_OK;
    }
    if (size > t->max) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s has %zu bytes; at most %u fit",
                          tw_csv_quote(bytes_of(text), quote), size, t->max);
    }
    if (!tw_utf8_is_clean(bytes_of(text))) {
        return refuse(err, text, "is not UTF-8 without control characters");
    }
    tw_write_short(w, bytes_of(text));
    return TW_OK;
}

/* The x of `name(x)` or `name("x")`, else empty and false. */
static bool call_form(const char *text, const char *name, tw_bytes *ret_inner)
{
    const size_t size = strlen(name);
    if (strncmp(text, name, size) != 0 || text[size] != '(') return false;
    tw_bytes inner = bytes_of(text + size + 1);
    if (inner.size == 0 || inner.data[inner.size - 1] != ')') return false;
    inner.size--;
    if (inner.size >= 2 && inner.data[0] == '"' && inner.data[inner.size - 1] == '"') {
        inner = tw_bytes_of(inner.data + 1, inner.size - 2);
    }
    *ret_inner = inner;
    return true;
}

static tw_status parse_32(const tw_type *t, const char *text, const tw_show_names *names,
                          tw_writer *w, tw_err *err)
{
    uint8_t bytes[32];
    tw_account account;
    tw_bytes inner;
    if (t->kind == TW_KIND_ACCOUNT && names != NULL && names->account_of != NULL &&
        names->account_of(names->context, text, &account)) {
        tw_write_raw(w, account.bytes, sizeof account.bytes);
        return TW_OK;
    }
    const char *form = t->kind == TW_KIND_HASH ? "hash" : "twin_id";
    if (t->kind != TW_KIND_ACCOUNT && call_form(text, form, &inner)) {
        const tw_hash hash = tw_sha256(inner.data, inner.size);
        tw_write_raw(w, hash.bytes, TW_HASH_SIZE);
        return TW_OK;
    }
    if (tw_hex_decode(text, strlen(text), bytes, sizeof bytes)) {
        tw_write_raw(w, bytes, sizeof bytes);
        return TW_OK;
    }
    if (t->kind == TW_KIND_ACCOUNT) {
        return refuse(err, text,
                      "is neither the name of a key nor 64 hex digits; twvm -d DIR key list "
                      "shows the keys, key new NAME makes one");
    }
    return refuse(err, text,
                  t->kind == TW_KIND_HASH
                      ? "is no hash; write 64 hex digits, or hash(text) for the hash of a text"
                      : "is no twin; write 64 hex digits, or twin_id(uri)");
}

static tw_status parse_from_json(const tw_module *m, uint16_t type, const char *text,
                                 const tw_show_names *names, tw_writer *w, tw_err *err)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        char name[TW_SHOW_NAME_MAX];
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "a %s is written in JSON, {\"field\": \"value\"} or [\"value\"]: %s",
                          tw_show_type(m, type, name), error.text);
    }
    const tw_status status = parse_json(m, type, value, names, w, err);
    json_decref(value);
    return status;
}

tw_status tw_show_parse(const tw_module *m, uint16_t type, const char *text,
                        const tw_show_names *names, tw_writer *w, tw_err *err)
{
    const tw_type *t = &m->types[type];
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: return parse_bool(text, w, err);
    case TW_KIND_INT: return parse_int(t, text, names, w, err);
    case TW_KIND_MONEY: return parse_money(&m->monies[t->of], text, w, err);
    case TW_KIND_ENUM: return parse_enum(&m->enums[t->of], text, w, err);
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: return parse_text(t, text, w, err);
    case TW_KIND_HASH:
    case TW_KIND_ACCOUNT:
    case TW_KIND_TWIN: return parse_32(t, text, names, w, err);
    case TW_KIND_OPTIONAL:
        tw_write_u8(w, strcmp(text, "none") != 0);
        return strcmp(text, "none") == 0 ? TW_OK : tw_show_parse(m, t->of, text, names, w, err);
    case TW_KIND_RECORD:
    case TW_KIND_LIST:
    case TW_KIND_THINGS: return parse_from_json(m, type, text, names, w, err);
    case TW_KIND_KINDS: break;
    }
    return TW_ERR_INTERNAL;
}

/* ---- JSON for what has parts ---- */

static tw_status parse_record(const tw_module *m, const tw_type *t, json_t *value,
                              const tw_show_names *names, tw_writer *w, tw_err *err)
{
    if (!json_is_object(value)) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s is a record; write {\"%s\": ...}", t->name,
                          t->members.count > 0 ? t->members.items[0].name : "");
    }
    for (uint16_t i = 0; i < t->members.count; i++) {
        json_t *member = json_object_get(value, t->members.items[i].name);
        if (member == NULL) {
            return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s lacks its field %s", t->name,
                              t->members.items[i].name);
        }
        TW_TRY(parse_json(m, t->members.items[i].type, member, names, w, err));
    }
    if (json_object_size(value) != t->members.count) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s has only %u fields", t->name,
                          t->members.count);
    }
    return TW_OK;
}

static tw_status parse_list(const tw_module *m, const tw_type *t, json_t *value,
                            const tw_show_names *names, tw_writer *w, tw_err *err)
{
    if (!json_is_array(value) || json_array_size(value) > t->max) {
        return tw_err_set(err, TW_REFUSED_ARGUMENT, "a list of at most %u values is wanted",
                          t->max);
    }
    tw_write_u16(w, (uint16_t)json_array_size(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        TW_TRY(parse_json(m, t->of, json_array_get(value, i), names, w, err));
    }
    return TW_OK;
}

static tw_status parse_json(const tw_module *m, uint16_t type, json_t *value,
                            const tw_show_names *names, tw_writer *w, tw_err *err)
{
    const tw_type *t = &m->types[type];
    if (t->kind == TW_KIND_OPTIONAL) {
        tw_write_u8(w, !json_is_null(value));
        return json_is_null(value) ? TW_OK : parse_json(m, t->of, value, names, w, err);
    }
    if (t->kind == TW_KIND_RECORD) return parse_record(m, t, value, names, w, err);
    if (t->kind == TW_KIND_LIST) return parse_list(m, t, value, names, w, err);
    if (json_is_boolean(value)) {
        return tw_show_parse(m, type, json_is_true(value) ? "yes" : "no", names, w, err);
    }
    if (!json_is_string(value)) {
        char name[TW_SHOW_NAME_MAX];
        return tw_err_set(err, TW_REFUSED_ARGUMENT,
                          "a %s stands in quotes in JSON, so that no digit of it is lost",
                          tw_show_type(m, type, name));
    }
    return tw_show_parse(m, type, json_string_value(value), names, w, err);
}

/* ---- arguments ---- */

/* The text for a member: the one that names it, or the one at its place. */
static const char *find_argument(const tw_members *members, uint16_t index,
                                 const char *const *texts, uint32_t count, bool named)
{
    const char *name = members->items[index].name;
    const size_t size = strlen(name);
    if (!named) return index < count ? texts[index] : NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (strncmp(texts[i], name, size) == 0 && texts[i][size] == '=') return texts[i] + size + 1;
    }
    return NULL;
}

static bool names_member(const tw_members *members, const char *text)
{
    for (uint16_t i = 0; i < members->count; i++) {
        const size_t size = strlen(members->items[i].name);
        if (strncmp(text, members->items[i].name, size) == 0 && text[size] == '=') return true;
    }
    return false;
}

static tw_status list_wanted(const tw_module *m, const tw_members *members, const char *what,
                             const char *problem, tw_err *err)
{
    char list[360] = "nothing";
    tw_writer w = tw_writer_fixed(list, sizeof list - 1);
    for (uint16_t i = 0; i < members->count; i++) {
        char type[TW_SHOW_NAME_MAX];
        const char *parts[] = {i > 0 ? ", " : "", members->items[i].name, "=<",
                               tw_show_type(m, members->items[i].type, type), ">"};
        for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++) {
            tw_write_raw(&w, parts[k], strlen(parts[k]));
        }
    }
    if (w.size > 0) list[w.size] = '\0';
    return tw_err_set(err, TW_REFUSED_ARGUMENT, "%s; %s takes: %s", problem, what, list);
}

tw_status tw_show_parse_members(const tw_module *m, const tw_members *members, const char *what,
                                const char *const *texts, uint32_t count,
                                const tw_show_names *names, tw_writer *w, tw_err *err)
{
    uint32_t named = 0;
    for (uint32_t i = 0; i < count; i++) named += names_member(members, texts[i]);
    if (named != 0 && named != count) {
        return list_wanted(m, members, what, "an argument names nothing that it takes", err);
    }
    if (count != members->count) {
        return list_wanted(m, members, what,
                           count < members->count ? "an argument is missing" : "too many arguments",
                           err);
    }
    for (uint16_t i = 0; i < members->count; i++) {
        const char *text = find_argument(members, i, texts, count, named > 0);
        if (text == NULL) return list_wanted(m, members, what, "an argument is missing", err);
        tw_err inner = {0};
        const tw_status status = tw_show_parse(m, members->items[i].type, text, names, w, &inner);
        if (status != TW_OK) {
            return tw_err_set(err, status, "%s: %.400s", members->items[i].name, inner.text);
        }
    }
    return w->bad ? TW_ERR_MEMORY : TW_OK;
}
