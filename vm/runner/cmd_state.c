/* cmd_state -- `twvm state`: everything a contract holds, in its own words.
 *
 * Read from the committed state: the contract's records, its roles, fields and devices. Text and
 * JSON say the same.
 */
#include "vm/exec/device.h"
#include "vm/exec/field.h"
#include "vm/exec/thing.h"
#include "vm/isa/value.h"
#include "vm/runner/command.h"
#include "vm/runner/money.h"
#include "vm/runner/money_parts.h"
#include "vm/runner/times.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024 * 1024, MEMBERS_SHOWN_MAX = 16, PAIRS_SHOWN_MAX = 16, WAITING_MAX = 200 };

typedef struct view {
    tw_app *app;
    tw_session *session;
    tw_contract *contract;
    const tw_module *module;
    json_t *object; /* NULL: text */
    json_t *list;   /* of purses; NULL: text */
    tw_writer text; /* of a value */
    tw_writer key;  /* of a map, as a value */
} view;

/* The text in the writer, ended. */
static const char *end_text(view *v)
{
    tw_write_u8(&v->text, 0);
    return v->text.bad ? "?" : (const char *)v->text.data;
}

static void show_head(view *v)
{
    const tw_module *m = v->module;
    const tw_contract *c = v->contract;
    char id[65], deployer[TW_SHOW_NAME_MAX], time[TW_TIME_TEXT_MAX], label[TW_CONTRACT_NAME_MAX];
    tw_hex_encode(c->id.bytes, TW_HASH_SIZE, id);
    tw_session_label(v->session, &c->id, label);
    const char *phase = m->phases.items[c->control.phase];
    if (v->object != NULL) {
        json_object_set_new(v->object, "name", json_string(label));
        json_object_set_new(v->object, "id", json_string(id));
        json_object_set_new(v->object, "contract", json_string(m->name));
        json_object_set_new(v->object, "version", json_integer(m->version));
        json_object_set_new(v->object, "twin", json_string(m->twin));
        json_object_set_new(v->object, "deployed", tw_json_time(c->deployed_at));
        json_object_set_new(v->object, "phase", json_string(phase));
        json_object_set_new(v->object, "since", tw_json_time(c->control.phase_since));
        return;
    }
    printf("%s: %s version %u%s%s\n", label, m->name, m->version, m->twin[0] != '\0' ? " for " : "",
           m->twin);
    printf("  id        %s\n", id);
    printf("  deployed  %s by %s\n", tw_time_print(c->deployed_at, time),
           tw_show_account(&c->deployer, &v->session->names, deployer));
    if (phase[0] != '\0') {
        printf("  phase     %s since %s\n", phase, tw_time_print(c->control.phase_since, time));
    }
}

static void show_alarms(view *v)
{
    json_t *list = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->alarm_count; i++) {
        const tw_alarm_state *a = &v->contract->control.alarms[i];
        const char *name = v->module->alarms[i].name;
        const char *pending = a->edge == TW_EDGE_RAISED    ? "raised"
                              : a->edge == TW_EDGE_CLEARED ? "cleared"
                                                           : NULL;
        const bool waits = tw_ledger_edge_waits(v->contract, i);
        if (list != NULL) {
            json_object_set_new(
                list, name,
                json_pack("{s:b, s:s?, s:b}", "up", a->up, "pending", pending, "waits", waits));
            continue;
        }
        printf("  alarm     %s is %s%s%s%s%s\n", name, a->up ? "up" : "down",
               pending != NULL ? ", its edge '" : "", pending != NULL ? pending : "",
               pending != NULL ? "' waits for its handler" : "",
               waits ? ", and that for fuel or a pack" : "");
    }
    if (list != NULL) json_object_set_new(v->object, "alarms", list);
}

/* ---- roles ---- */

static tw_status show_role(view *v, uint16_t role, json_t *list)
{
    tw_key prefix = tw_key_of(TW_SPACE_MEMBER, &v->contract->id);
    tw_key_u8(&prefix, (uint8_t)role);
    tw_key from = prefix;
    json_t *members = list != NULL ? json_array() : NULL;
    if (list == NULL) printf("  role      %s:", v->module->roles[role].name);
    bool found = true;
    uint32_t count = 0;
    while (found) {
        tw_bytes key, value;
        TW_TRY(tw_overlay_next(v->contract->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from),
                               &key, &value, &found));
        if (!found || key.size != prefix.size + 32) break;
        tw_account account;
        char name[TW_SHOW_NAME_MAX];
        memcpy(account.bytes, key.data + prefix.size, sizeof account.bytes);
        if (members != NULL) {
            json_array_append_new(members, tw_json_hex(account.bytes, 32));
        } else if (count < MEMBERS_SHOWN_MAX) {
            printf(" %s", tw_show_account(&account, &v->session->names, name));
        }
        count++;
        from = prefix;
        tw_key_raw(&from, account.bytes, sizeof account.bytes);
        tw_key_u8(&from, 0);
    }
    if (members != NULL) {
        json_object_set_new(list, v->module->roles[role].name, members);
    } else if (count > MEMBERS_SHOWN_MAX) {
        printf(" and %u more\n", count - MEMBERS_SHOWN_MAX);
    } else {
        puts(count == 0 ? " nobody" : "");
    }
    return TW_OK;
}

static tw_status show_roles(view *v)
{
    json_t *list = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->role_count; i++) TW_TRY(show_role(v, i, list));
    if (list != NULL) json_object_set_new(v->object, "roles", list);
    return TW_OK;
}

/* ---- values ---- */

static tw_status show_value(view *v, const char *word, const char *name, uint16_t type,
                            tw_bytes bytes, json_t *list)
{
    tw_reader r = tw_reader_of(bytes);
    if (list != NULL) {
        json_t *value = tw_show_json(v->module, type, &r);
        return value != NULL && json_object_set_new(list, name, value) == 0 ? TW_OK
                                                                            : TW_ERR_CORRUPT;
    }
    tw_writer_clear(&v->text);
    TW_TRY(tw_show_value(v->module, type, &r, &v->session->names, &v->text));
    printf("  %-9s %s = %s\n", word, name, end_text(v));
    return TW_OK;
}

static tw_status show_params(view *v)
{
    json_t *list = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->param_count; i++) {
        const tw_param *p = &v->module->params[i];
        tw_writer w = tw_writer_new(TEXT_MAX);
        tw_status status = tw_value_encode(
            v->module, p->type, v->contract->params + v->contract->code->param_first[i], &w);
        if (status == TW_OK) {
            status = show_value(v, "param", p->name, p->type, tw_writer_bytes(&w), list);
        }
        tw_writer_free(&w);
        TW_TRY(status);
    }
    if (list != NULL) json_object_set_new(v->object, "params", list);
    return TW_OK;
}

static tw_status show_fields(view *v)
{
    json_t *list = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->field_count; i++) {
        const tw_field *f = &v->module->fields[i];
        if (f->kind != TW_FIELD_VAR || f->old) continue;
        tw_key key = tw_key_of(TW_SPACE_FIELD, &v->contract->id);
        tw_key_u32(&key, f->id);
        tw_bytes value;
        bool found = false;
        TW_TRY(tw_overlay_get(v->contract->overlay, tw_key_bytes(&key), &value, &found));
        if (!found || value.size < 1) continue;
        TW_TRY(show_value(v, "var", f->name, f->value_type,
                          tw_bytes_of(value.data + 1, value.size - 1), list));
    }
    if (list != NULL) json_object_set_new(v->object, "vars", list);
    return TW_OK;
}

/* ---- maps and registries ---- */

/* A key as its value form, in v->key. */
static tw_status decode_key(view *v, uint16_t type, tw_bytes bytes)
{
    int64_t slots[TW_KEY_SIZE_MAX] = {0};
    tw_reader r = tw_reader_of(bytes);
    if (v->module->types[type].slots > TW_KEY_SIZE_MAX) return TW_ERR_CORRUPT;
    if (tw_key_decode(v->module, type, &r, slots) != TW_OK || !tw_reader_done(&r)) {
        return TW_ERR_CORRUPT;
    }
    tw_writer_clear(&v->key);
    TW_TRY(tw_value_encode(v->module, type, slots, &v->key));
    return v->key.bad ? TW_ERR_MEMORY : TW_OK;
}

/* What stands behind the tag, or behind the head of a thing. */
static tw_status value_of(const tw_field *f, tw_bytes stored, tw_bytes *ret_value)
{
    tw_thing thing;
    if (stored.size < 1) return TW_ERR_CORRUPT;
    *ret_value = tw_bytes_of(stored.data + 1, stored.size - 1);
    if (f->kind != TW_FIELD_REGISTRY) return TW_OK;
    TW_TRY(tw_thing_parse(stored, &thing));
    *ret_value = thing.record;
    return TW_OK;
}

/* Where a thing is attached: the registry of its holder, the list, the key as a value in v->key. */
static tw_status holder_of(view *v, const tw_thing *thing, const tw_field **ret_registry,
                           const char **ret_list)
{
    const tw_module *m = v->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        const tw_field *f = &m->fields[i];
        if (f->id != thing->holder || f->old || f->kind != TW_FIELD_REGISTRY) continue;
        const tw_members *members = &m->types[f->value_type].members;
        if (thing->member >= members->count) return TW_ERR_CORRUPT;
        *ret_registry = f;
        *ret_list = members->items[thing->member].name;
        return decode_key(v, f->key_type, thing->key);
    }
    return TW_ERR_CORRUPT;
}

static tw_status thing_json(view *v, const tw_thing *thing, const tw_account *owner, json_t *pair)
{
    const tw_field *f = NULL;
    const char *list = NULL;
    json_object_set_new(pair, "owner", tw_json_hex(owner->bytes, sizeof owner->bytes));
    json_object_set_new(pair, "maker", tw_json_hex(thing->maker.bytes, sizeof owner->bytes));
    json_object_set_new(pair, "retired", json_boolean((thing->flags & TW_THING_RETIRED) != 0));
    json_object_set_new(pair, "history",
                        json_pack("{s:o, s:o}", "count", tw_json_u64(thing->histories), "head",
                                  tw_json_hex(thing->history_head.bytes, TW_HASH_SIZE)));
    if ((thing->flags & TW_THING_ATTACHED) == 0) return TW_OK;
    TW_TRY(holder_of(v, thing, &f, &list));
    tw_reader r = tw_reader_of(tw_writer_bytes(&v->key));
    json_object_set_new(pair, "attached",
                        json_pack("{s:s, s:o, s:s}", "registry", f->name, "key",
                                  tw_show_json(v->module, f->key_type, &r), "list", list));
    return TW_OK;
}

/* "owned by alice, made by bob, attached to machines["M-1"].fitted, history of 3" */
static tw_status print_thing(view *v, const tw_thing *thing, const tw_account *owner)
{
    const tw_show_names *names = &v->session->names;
    char owner_name[TW_SHOW_NAME_MAX], maker[TW_SHOW_NAME_MAX], count[TW_GROUPED_MAX];
    const tw_field *f = NULL;
    const char *list = NULL;
    printf("              owned by %s, made by %s", tw_show_account(owner, names, owner_name),
           tw_show_account(&thing->maker, names, maker));
    if ((thing->flags & TW_THING_RETIRED) != 0) printf(", retired");
    if ((thing->flags & TW_THING_ATTACHED) != 0) {
        TW_TRY(holder_of(v, thing, &f, &list));
        tw_reader r = tw_reader_of(tw_writer_bytes(&v->key));
        tw_writer_clear(&v->text);
        TW_TRY(tw_show_value(v->module, f->key_type, &r, names, &v->text));
        printf(", attached to %s[%s].%s", f->name, end_text(v), list);
    }
    if (thing->histories > 0) printf(", history of %s", tw_grouped(thing->histories, count));
    putchar('\n');
    return TW_OK;
}

/* What a thing is beside its record. */
static tw_status show_thing(view *v, tw_bytes stored, json_t *pair)
{
    tw_thing thing;
    tw_met met = {0};
    tw_account owner;
    TW_TRY(tw_thing_parse(stored, &thing));
    TW_TRY(tw_thing_owner(v->contract, &thing, &met, &owner));
    return pair != NULL ? thing_json(v, &thing, &owner, pair) : print_thing(v, &thing, &owner);
}

static tw_status show_pair(view *v, const tw_field *f, tw_bytes key, tw_bytes stored, json_t *list)
{
    tw_bytes value;
    TW_TRY(decode_key(v, f->key_type, key));
    TW_TRY(value_of(f, stored, &value));
    tw_reader keys = tw_reader_of(tw_writer_bytes(&v->key));
    tw_reader values = tw_reader_of(value);
    if (list != NULL) {
        json_t *pair = json_pack("{s:o, s:o}", "key", tw_show_json(v->module, f->key_type, &keys),
                                 "value", tw_show_json(v->module, f->value_type, &values));
        if (json_array_append_new(list, pair) != 0) return TW_ERR_CORRUPT;
        return f->kind == TW_FIELD_REGISTRY ? show_thing(v, stored, pair) : TW_OK;
    }
    const tw_show_names *names = &v->session->names;
    tw_writer_clear(&v->text);
    TW_TRY(tw_show_value(v->module, f->key_type, &keys, names, &v->text));
    tw_write_raw(&v->text, " = ", 3);
    TW_TRY(tw_show_value(v->module, f->value_type, &values, names, &v->text));
    printf("            %s\n", end_text(v));
    return f->kind == TW_FIELD_REGISTRY ? show_thing(v, stored, NULL) : TW_OK;
}

static tw_status show_pairs(view *v, const tw_field *f, uint32_t count, json_t *list)
{
    tw_key prefix = tw_key_of(TW_SPACE_FIELD, &v->contract->id);
    tw_key_u32(&prefix, f->id);
    tw_key from = prefix;
    tw_key_u8(&from, 0); /* behind the count */
    for (uint32_t i = 0; i < count && (list != NULL || i < PAIRS_SHOWN_MAX); i++) {
        tw_bytes key, value;
        bool found = false;
        TW_TRY(tw_overlay_next(v->contract->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from),
                               &key, &value, &found));
        if (!found || key.size > TW_KEY_MAX - 1) return TW_ERR_CORRUPT;
        from.size = 0;
        tw_key_raw(&from, key.data, key.size);
        tw_key_u8(&from, 0);
        TW_TRY(show_pair(v, f, tw_bytes_of(key.data + prefix.size, key.size - prefix.size), value,
                         list));
    }
    if (list == NULL && count > PAIRS_SHOWN_MAX) {
        printf("            and %u more; --json shows all\n", count - PAIRS_SHOWN_MAX);
    }
    return TW_OK;
}

static tw_status show_maps(view *v, tw_field_kind kind, const char *word, const char *words)
{
    json_t *all = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->field_count; i++) {
        const tw_field *f = &v->module->fields[i];
        uint32_t count = 0;
        if (f->kind != kind || f->old) continue;
        TW_TRY(tw_field_count(v->contract, f->id, &count));
        json_t *list = all != NULL ? json_array() : NULL;
        if (list != NULL) {
            json_object_set_new(all, f->name, list);
        } else {
            printf("  %-9s %s: %u of at most %u\n", word, f->name, count, f->max);
        }
        TW_TRY(show_pairs(v, f, count, list));
    }
    if (all != NULL) json_object_set_new(v->object, words, all);
    return TW_OK;
}

/* ---- purses ---- */

static tw_status show_amount(void *context, const tw_contract *c, const tw_purse *p,
                             const tw_account *member, int64_t amount)
{
    view *v = context;
    const tw_money *money = &c->code->module->monies[p->money];
    char text[TW_MONEY_TEXT_MAX], name[TW_SHOW_NAME_MAX];
    if (v->list == NULL) {
        tw_money_print(amount, money->decimals, money->name, text);
        if (member == NULL) printf("  purse     %s = %s\n", p->name, text);
        if (member != NULL) {
            printf("  purse     %s of %s = %s\n", p->name,
                   tw_show_account(member, &v->session->names, name), text);
        }
        return TW_OK;
    }
    json_t *value = tw_show_money_json(money, amount);
    if (member == NULL)
        return json_object_set_new(v->list, p->name, value) == 0 ? TW_OK : TW_ERR_MEMORY;
    json_t *members = json_object_get(v->list, p->name);
    return json_array_append_new(members,
                                 json_pack("{s:o, s:o}", "member",
                                           tw_json_hex(member->bytes, sizeof member->bytes),
                                           "amount", value)) == 0
               ? TW_OK
               : TW_ERR_MEMORY;
}

/* One that holds nothing is shown too: an author looks for it. */
static tw_status show_purses(view *v)
{
    v->list = v->object != NULL ? json_object() : NULL;
    for (uint16_t i = 0; i < v->module->purse_count; i++) {
        const tw_purse *p = &v->module->purses[i];
        const tw_key key = tw_purse_key(&v->contract->id, p, NULL);
        int64_t total = 0;
        TW_TRY(tw_bank_amount(v->contract->overlay, &key, &total));
        if (p->role != TW_NONE && v->list != NULL) {
            json_object_set_new(v->list, p->name, json_array());
        }
        if (total == 0 && (p->role == TW_NONE || v->list == NULL)) {
            TW_TRY(show_amount(v, v->contract, p, NULL, 0));
        }
        TW_TRY(tw_money_purse(v->contract, p, show_amount, v));
    }
    if (v->list != NULL) json_object_set_new(v->object, "purses", v->list);
    return TW_OK;
}

/* ---- devices ---- */

static json_t *device_json(const tw_module *m, const uint8_t *record, const char *account)
{
    json_t *readings = json_object();
    json_t *refused = json_object();
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const uint64_t accepted = tw_load_u64(record + tw_device_reading(i));
        if (accepted == 0) continue;
        json_object_set_new(
            readings, m->readings[i].name,
            json_pack("{s:o, s:o}", "accepted", tw_json_u64(accepted), "last",
                      tw_json_time((int64_t)tw_load_u64(record + tw_device_reading(i) + 8))));
    }
    for (int i = 1; i < TW_REFUSAL_COUNT; i++) {
        const uint64_t count = tw_load_u64(record + TW_DEVICE_REFUSED + 8 * i);
        if (count > 0) {
            json_object_set_new(refused, tw_refusal_text((tw_refusal)i), tw_json_u64(count));
        }
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "account", account, "sequence",
                     tw_json_u64(tw_load_u64(record + TW_DEVICE_SEQUENCE)), "readings", readings,
                     "refused", refused);
}

static void print_device(const tw_module *m, const uint8_t *record, const char *name)
{
    char count[TW_GROUPED_MAX], time[TW_TIME_TEXT_MAX];
    printf("  device    %s: %s packs\n", name,
           tw_grouped(tw_load_u64(record + TW_DEVICE_SEQUENCE), count));
    for (uint16_t i = 0; i < m->reading_count; i++) {
        const uint64_t accepted = tw_load_u64(record + tw_device_reading(i));
        if (accepted == 0) continue;
        printf("            %s: %s readings in, the last at %s\n", m->readings[i].name,
               tw_grouped(accepted, count),
               tw_time_print((int64_t)tw_load_u64(record + tw_device_reading(i) + 8), time));
    }
    for (int i = 1; i < TW_REFUSAL_COUNT; i++) {
        const uint64_t refused = tw_load_u64(record + TW_DEVICE_REFUSED + 8 * i);
        if (refused == 0) continue;
        printf("            refused, %s: %s\n", tw_refusal_text((tw_refusal)i),
               tw_grouped(refused, count));
    }
}

static tw_status show_devices(view *v)
{
    const tw_key prefix = tw_key_of(TW_SPACE_DEVICE, &v->contract->id);
    tw_key from = prefix;
    json_t *list = v->object != NULL ? json_array() : NULL;
    bool found = true;
    while (found) {
        tw_bytes key, value;
        tw_account account;
        char name[TW_SHOW_NAME_MAX];
        TW_TRY(tw_overlay_next(v->contract->overlay, tw_key_bytes(&prefix), tw_key_bytes(&from),
                               &key, &value, &found));
        if (!found || key.size != prefix.size + 32) break;
        if (value.size != tw_device_size(v->module)) return TW_ERR_CORRUPT;
        memcpy(account.bytes, key.data + prefix.size, sizeof account.bytes);
        if (list != NULL) {
            char hex[65];
            tw_hex_encode(account.bytes, 32, hex);
            json_array_append_new(list, device_json(v->module, value.data, hex));
        } else {
            print_device(v->module, value.data,
                         tw_show_account(&account, &v->session->names, name));
        }
        from = prefix;
        tw_key_raw(&from, account.bytes, sizeof account.bytes);
        tw_key_u8(&from, 0);
    }
    if (list != NULL) json_object_set_new(v->object, "devices", list);
    return TW_OK;
}

/* ---- fuel, timers and history ---- */

static tw_status show_fuel(view *v)
{
    const tw_genesis_asset *asset = tw_money_fee_asset(v->session);
    int64_t fuel = 0;
    char text[TW_MONEY_TEXT_MAX];
    if (asset == NULL) return TW_OK;
    TW_TRY(tw_ledger_fuel(v->session->ledger, &v->contract->id, &fuel));
    if (v->object != NULL) {
        json_object_set_new(v->object, "fuel", tw_money_fee_json(v->session, fuel));
        return TW_OK;
    }
    printf("  fuel      %s\n", tw_money_print(fuel, asset->decimals, asset->name, text));
    return TW_OK;
}

/* "waits for fuel, a run may cost 0.03 EUR"; "" when it does not wait. */
static tw_status waiting_text(const view *v, uint16_t entry, char ret_text[WAITING_MAX])
{
    tw_ledger *ledger = v->session->ledger;
    const tw_genesis_asset *asset = tw_money_fee_asset(v->session);
    char text[TW_MONEY_TEXT_MAX];
    int64_t fee = 0;
    bool waits = false;
    ret_text[0] = '\0';
    TW_TRY(tw_ledger_timer_waits(ledger, v->contract, entry, &waits));
    if (!waits || asset == NULL) return TW_OK;
    if (!tw_ledger_fee(ledger, v->contract->code->facts->entries[entry].gas, &fee)) {
        fee = INT64_MAX;
    }
    snprintf(ret_text, WAITING_MAX, ", waits for fuel: a run may cost %s",
             tw_money_print(fee, asset->decimals, asset->name, text));
    return TW_OK;
}

static tw_status show_timers(view *v)
{
    json_t *list = v->object != NULL ? json_array() : NULL;
    for (uint16_t i = 0; i < v->module->entry_count; i++) {
        const tw_entry *e = &v->module->entries[i];
        const tw_timer_state *timer = &v->contract->control.timers[i];
        int64_t due = timer->due;
        char time[TW_TIME_TEXT_MAX], waiting[WAITING_MAX];
        if (due == TW_NEVER) continue;
        if (e->kind == TW_ENTRY_SILENT) TW_TRY(tw_timer_silent_due(v->contract, i, &due));
        if (due == TW_NEVER) continue;
        TW_TRY(waiting_text(v, i, waiting));
        if (list != NULL) {
            json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:b}", "name", e->name, "due",
                                                  tw_json_time(due), "failed", timer->attempts,
                                                  "waits", waiting[0] != '\0'));
            continue;
        }
        printf("  timer     %s is due at %s%s%s\n", e->name, tw_time_print(due, time),
               timer->attempts > 0 ? ", after it failed" : "", waiting);
    }
    if (list != NULL) json_object_set_new(v->object, "timers", list);
    return TW_OK;
}

static void show_history(view *v)
{
    char head[65], count[TW_GROUPED_MAX];
    const tw_control *c = &v->contract->control;
    tw_hex_encode(c->history_head.bytes, TW_HASH_SIZE, head);
    if (v->object != NULL) {
        json_object_set_new(
            v->object, "history",
            json_pack("{s:o, s:s}", "count", tw_json_u64(c->history_count), "head", head));
    } else if (c->history_count > 0) {
        printf("  history   %s entries, head %.16s...\n", tw_grouped(c->history_count, count),
               head);
    }
}

/* Another module that is to follow. */
static tw_status show_consent(view *v)
{
    tw_hash module;
    int64_t since = 0;
    bool found = false;
    char hex[2 * TW_HASH_SIZE + 1], time[TW_TIME_TEXT_MAX];
    TW_TRY(tw_ledger_consent(v->session->ledger, &v->contract->id, &module, &since, &found));
    if (!found) return TW_OK;
    tw_hex_encode(module.bytes, TW_HASH_SIZE, hex);
    if (v->object != NULL) {
        json_object_set_new(v->object, "consent",
                            json_pack("{s:s, s:o}", "module", hex, "since", tw_json_time(since)));
        return TW_OK;
    }
    printf("  upgrade   consent to the module %.16s... since %s\n", hex,
           tw_time_print(since, time));
    return TW_OK;
}

static tw_status show_all(view *v)
{
    show_head(v);
    show_alarms(v);
    TW_TRY(show_roles(v));
    TW_TRY(show_params(v));
    TW_TRY(show_fields(v));
    TW_TRY(show_maps(v, TW_FIELD_MAP, "map", "maps"));
    TW_TRY(show_maps(v, TW_FIELD_REGISTRY, "registry", "registries"));
    TW_TRY(show_purses(v));
    TW_TRY(show_devices(v));
    TW_TRY(show_fuel(v));
    TW_TRY(show_timers(v));
    show_history(v);
    return show_consent(v);
}

tw_status tw_command_state(tw_app *app)
{
    TW_TRY(tw_app_open_at(app));
    tw_session *s = app->session;
    tw_hash id;
    view v = {.app = app, .session = s};
    TW_TRY(tw_session_find(s, app->args.words[0], &id, &app->err));
    TW_TRY(tw_ledger_contract(s->ledger, &id, s->arena, &v.contract, &app->err));
    v.module = v.contract->code->module;
    v.text = tw_writer_new(TEXT_MAX);
    v.key = tw_writer_new(TEXT_MAX);
    if (app->json) v.object = json_object();
    tw_status status = show_all(&v);
    tw_writer_free(&v.text);
    tw_writer_free(&v.key);
    if (status == TW_OK && app->json) {
        status = tw_app_answer(app, v.object);
    } else {
        json_decref(v.object);
    }
    return status;
}
