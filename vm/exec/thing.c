/* thing -- instructions that act on things: create, give, attach, detach, retire, their history,
 * and the registry's part of LOAD and STORE.
 *
 * A change takes the thing's record apart, alters the parts, and writes the whole anew. What is
 * attached is said twice, in the thing's record and in its holder's list: only ATTACH and DETACH
 * change either, and both at once. The verifier has proved that registries hold each other in no
 * cycle, so following holders ends.
 */
#include "vm/exec/thing.h"

#include "vm/exec/field.h"
#include "vm/exec/machine.h"
#include "vm/exec/notice.h"
#include "vm/isa/value.h"
#include "vm/verify/cost.h"

#include <assert.h>
#include <string.h>

enum { MEMBER_BITS = 6 }; /* of x of ATTACH and HELD: 64 * registry + member */

/* A thing on its way: where it stands and what it is. */
typedef struct place {
    const tw_field *registry;
    tw_key key;
    tw_thing thing;
} place;

tw_status tw_thing_parse(tw_bytes value, tw_thing *ret_thing)
{
    tw_thing t = {0};
    tw_reader r = tw_reader_of(value);
    const uint8_t tag = tw_read_u8(&r);
    t.flags = tw_read_u8(&r);
    tw_read_copy(&r, t.owner.bytes, sizeof t.owner.bytes);
    tw_read_copy(&r, t.maker.bytes, sizeof t.maker.bytes);
    t.histories = tw_read_u64(&r);
    tw_read_copy(&r, t.history_head.bytes, TW_HASH_SIZE);
    if ((t.flags & TW_THING_ATTACHED) != 0) {
        t.holder = tw_read_u32(&r);
        t.member = tw_read_u16(&r);
        t.key = tw_read_short(&r, TW_KEY_SIZE_MAX);
    }
    if (r.bad || tag != TW_STATE_TAG) return TW_ERR_CORRUPT;
    t.record = tw_bytes_of(value.data + r.at, value.size - r.at);
    *ret_thing = t;
    return TW_OK;
}

static void write_head(const tw_thing *t, tw_writer *w)
{
    tw_write_u8(w, TW_STATE_TAG);
    tw_write_u8(w, t->flags);
    tw_write_raw(w, t->owner.bytes, sizeof t->owner.bytes);
    tw_write_raw(w, t->maker.bytes, sizeof t->maker.bytes);
    tw_write_u64(w, t->histories);
    tw_write_raw(w, t->history_head.bytes, TW_HASH_SIZE);
    if ((t->flags & TW_THING_ATTACHED) == 0) return;
    tw_write_u32(w, t->holder);
    tw_write_u16(w, t->member);
    tw_write_short(w, t->key);
}

/* ---- places ---- */

static tw_key holder_key(const tw_contract *c, const tw_thing *thing)
{
    tw_key key = tw_field_key(c, thing->holder);
    tw_key_raw(&key, thing->key.data, thing->key.size);
    return key;
}

/* The thing under a key of the state. */
static tw_status fetch(tw_contract *c, const tw_key *key, tw_met *met, tw_thing *ret_thing,
                       bool *ret_found)
{
    tw_bytes value = {0};
    TW_TRY(tw_overlay_get(c->overlay, tw_key_bytes(key), &value, ret_found));
    met->values++;
    met->bytes += *ret_found ? value.size : 0;
    return *ret_found ? tw_thing_parse(value, ret_thing) : TW_OK;
}

/* The thing of a key in slots. Traps NoKey; BadValue for what is no key. */
static tw_status find(tw_exec *x, uint32_t registry, const int64_t *key, place *ret_place)
{
    const tw_field *f = &x->contract->code->module->fields[registry];
    tw_met met = {0};
    bool found = false;
    *ret_place = (place){.registry = f};
    TW_TRY(tw_field_key_at(x->contract, f->id, f->key_type, key, &ret_place->key));
    TW_TRY(fetch(x->contract, &ret_place->key, &met, &ret_place->thing, &found));
    x->gas += tw_cost_read(met.values, met.bytes);
    return found ? TW_OK : TW_TRAP_NO_KEY;
}

/* The same of one that may be acted on. Traps Retired. */
static tw_status find_alive(tw_exec *x, uint32_t registry, const int64_t *key, place *ret_place)
{
    TW_TRY(find(x, registry, key, ret_place));
    return (ret_place->thing.flags & TW_THING_RETIRED) != 0 ? TW_TRAP_RETIRED : TW_OK;
}

static tw_status find_free(tw_exec *x, uint32_t registry, const int64_t *key, place *ret_place)
{
    TW_TRY(find_alive(x, registry, key, ret_place));
    return (ret_place->thing.flags & TW_THING_ATTACHED) != 0 ? TW_TRAP_ATTACHED : TW_OK;
}

/* Writes the thing with the record in slots, or, without them, with the record it has. */
static tw_status save(tw_exec *x, const place *p, const int64_t *record)
{
    tw_writer *w = &x->value;
    tw_writer_clear(w);
    write_head(&p->thing, w);
    if (record == NULL) {
        tw_write_raw(w, p->thing.record.data, p->thing.record.size);
    } else {
        TW_TRY(tw_value_encode(x->contract->code->module, p->registry->value_type, record, w));
    }
    if (w->bad) return TW_ERR_MEMORY;
    x->gas += tw_cost_write(1, w->size);
    return tw_overlay_put(x->contract->overlay, tw_key_bytes(&p->key), tw_writer_bytes(w));
}

/* ---- records in slots ---- */

static const tw_members *members_of(const tw_exec *x, const tw_field *registry)
{
    return &x->contract->code->module->types[registry->value_type].members;
}

static tw_status decode(const tw_exec *x, const place *p, int64_t *ret_slots)
{
    tw_reader r = tw_reader_of(p->thing.record);
    const tw_module *m = x->contract->code->module;
    const bool good =
        tw_value_decode(m, p->registry->value_type, &r, ret_slots) == TW_OK && tw_reader_done(&r);
    return good ? TW_OK : TW_ERR_CORRUPT;
}

/* Where a member's slots stand in the record's. */
static uint32_t offset_of(const tw_exec *x, const tw_members *members, uint16_t member)
{
    uint32_t offset = 0;
    for (uint16_t i = 0; i < member; i++) {
        offset += x->contract->code->module->types[members->items[i].type].slots;
    }
    return offset;
}

static bool is_things(const tw_exec *x, const tw_members *members, uint16_t member)
{
    return x->contract->code->module->types[members->items[member].type].kind == TW_KIND_THINGS;
}

/* True when a list of things in the record has something in it. */
static bool holds_something(const tw_exec *x, const tw_field *registry, const int64_t *record)
{
    const tw_members *members = members_of(x, registry);
    for (uint16_t i = 0; i < members->count; i++) {
        if (is_things(x, members, i) && record[offset_of(x, members, i)] != 0) return true;
    }
    return false;
}

/* ---- loads and stores of a registry ---- */

tw_status tw_thing_load(tw_exec *x, uint32_t registry, const int64_t *key, int64_t *ret_value)
{
    place p;
    TW_TRY(find(x, registry, key, &p));
    return decode(x, &p, ret_value);
}

/* The key and the lists of things of a record are not what an assignment may change. */
static bool fixed_part_same(const tw_exec *x, const tw_field *registry, const int64_t *was,
                            const int64_t *is)
{
    const tw_members *members = members_of(x, registry);
    for (uint16_t i = 0; i < members->count; i++) {
        if (i != registry->key_member && !is_things(x, members, i)) continue;
        const uint32_t at = offset_of(x, members, i);
        const uint32_t slots = x->contract->code->module->types[members->items[i].type].slots;
        if (memcmp(was + at, is + at, slots * sizeof *is) != 0) return false;
    }
    return true;
}

tw_status tw_thing_store(tw_exec *x, uint32_t registry, const int64_t *key, const int64_t *value)
{
    place p;
    TW_TRY(find_alive(x, registry, key, &p));
    TW_TRY(decode(x, &p, x->scratch));
    if (!fixed_part_same(x, p.registry, x->scratch, value)) return TW_TRAP_BAD_VALUE;
    return save(x, &p, value);
}

/* ---- instructions ---- */

/* One more in the registry. */
static tw_status count_up(tw_exec *x, const tw_field *f)
{
    uint32_t count = 0;
    TW_TRY(tw_field_count(x->contract, f->id, &count));
    x->gas += tw_cost_read(1, TW_COUNT_SIZE);
    if (count >= f->max) return TW_TRAP_FULL;
    x->gas += tw_cost_write(1, TW_COUNT_SIZE);
    return tw_field_set_count(x->contract, f->id, count + 1);
}

tw_status tw_native_CREATE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_field *f = &x->contract->code->module->fields[i->x];
    const int64_t *record = s + i->a;
    const int64_t *key = record + offset_of(x, members_of(x, f), f->key_member);
    place p;
    assert(x->call->signer_count > 0); /* TW_EFFECT_SENDER: never in a timer */
    const tw_status there = find(x, (uint32_t)i->x, key, &p);
    if (there != TW_TRAP_NO_KEY) return there == TW_OK ? TW_TRAP_KEY_USED : there;
    if (holds_something(x, f, record)) return TW_TRAP_BAD_VALUE;
    TW_TRY(count_up(x, f));
    tw_slots_to_bytes32(s + i->b, p.thing.owner.bytes);
    p.thing.maker = x->call->signers[0];
    return save(x, &p, record);
}

tw_status tw_native_GIVE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    place p;
    TW_TRY(find_free(x, (uint32_t)i->x, s + i->a, &p));
    tw_slots_to_bytes32(s + i->b, p.thing.owner.bytes);
    return save(x, &p, NULL);
}

tw_status tw_native_ATTACH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = x->contract->code->module;
    const uint32_t holders = (uint32_t)i->x >> MEMBER_BITS;
    const uint16_t member = i->x & ((1 << MEMBER_BITS) - 1);
    const tw_members *members = members_of(x, &m->fields[holders]);
    const tw_type *list = &m->types[members->items[member].type];
    const uint32_t step = m->types[list->of].slots;
    place p;
    place holder;
    TW_TRY(find_free(x, list->home, s + i->a, &p));
    TW_TRY(find_alive(x, holders, s + i->b, &holder));
    TW_TRY(decode(x, &holder, x->scratch));
    int64_t *slots = x->scratch + offset_of(x, members, member);
    if (slots[0] >= list->max) return TW_TRAP_FULL;
    memcpy(slots + 1 + slots[0] * step, s + i->a, step * sizeof *slots);
    slots[0]++;
    const size_t prefix = tw_field_key(x->contract, holder.registry->id).size;
    p.thing.flags |= TW_THING_ATTACHED;
    p.thing.owner = (tw_account){{0}};
    p.thing.holder = holder.registry->id;
    p.thing.member = member;
    p.thing.key = tw_bytes_of(holder.key.data + prefix, holder.key.size - prefix);
    TW_TRY(save(x, &p, NULL));
    return save(x, &holder, x->scratch);
}

tw_status tw_thing_owner(tw_contract *c, const tw_thing *thing, tw_met *met, tw_account *ret_owner)
{
    tw_thing at = *thing;
    for (uint16_t i = 0; (at.flags & TW_THING_ATTACHED) != 0; i++) {
        const tw_key key = holder_key(c, &at);
        bool found = false;
        if (i == c->code->module->field_count) return TW_ERR_CORRUPT;
        TW_TRY(fetch(c, &key, met, &at, &found));
        if (!found) return TW_ERR_CORRUPT;
    }
    *ret_owner = at.owner;
    return TW_OK;
}

/* The registry of this version that has the id. */
static tw_status registry_of(const tw_exec *x, uint32_t id, const tw_field **ret_registry)
{
    const tw_module *m = x->contract->code->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        *ret_registry = &m->fields[i];
        if (m->fields[i].id == id && !m->fields[i].old) return TW_OK;
    }
    return TW_ERR_CORRUPT;
}

/* Takes the key out of a list of keys, whose others keep their order. */
static tw_status take_out(int64_t *list, uint32_t step, const int64_t *key)
{
    const size_t size = step * sizeof *list;
    for (int64_t k = 0; k < list[0]; k++) {
        int64_t *at = list + 1 + k * step;
        if (memcmp(at, key, size) != 0) continue;
        memmove(at, at + step, (size_t)(list[0] - 1 - k) * size);
        memset(list + 1 + (list[0] - 1) * step, 0, size);
        list[0]--;
        return TW_OK;
    }
    return TW_ERR_CORRUPT; /* the thing said it was here */
}

tw_status tw_native_DETACH(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = x->contract->code->module;
    place p;
    place holder = {0};
    tw_met met = {0};
    bool found = false;
    tw_account owner;
    TW_TRY(find_alive(x, (uint32_t)i->x, s + i->a, &p));
    if ((p.thing.flags & TW_THING_ATTACHED) == 0) return TW_TRAP_NO_KEY;
    holder.key = holder_key(x->contract, &p.thing);
    TW_TRY(registry_of(x, p.thing.holder, &holder.registry));
    TW_TRY(fetch(x->contract, &holder.key, &met, &holder.thing, &found));
    if (!found) return TW_ERR_CORRUPT;
    TW_TRY(tw_thing_owner(x->contract, &holder.thing, &met, &owner));
    x->gas += tw_cost_read(met.values, met.bytes);
    TW_TRY(decode(x, &holder, x->scratch));
    const tw_members *members = members_of(x, holder.registry);
    if (p.thing.member >= members->count) return TW_ERR_CORRUPT;
    const tw_type *list = &m->types[members->items[p.thing.member].type];
    if (list->kind != TW_KIND_THINGS || list->home != i->x) return TW_ERR_CORRUPT;
    TW_TRY(take_out(x->scratch + offset_of(x, members, p.thing.member), m->types[list->of].slots,
                    s + i->a));
    TW_TRY(save(x, &holder, x->scratch));
    p.thing.flags &= (uint8_t)~TW_THING_ATTACHED;
    p.thing.owner = owner;
    return save(x, &p, NULL);
}

tw_status tw_native_RETIRE(tw_exec *x, int64_t *s, const tw_insn *i)
{
    place p;
    TW_TRY(find_free(x, (uint32_t)i->x, s + i->a, &p));
    TW_TRY(decode(x, &p, x->scratch));
    if (holds_something(x, p.registry, x->scratch)) return TW_TRAP_ATTACHED;
    p.thing.flags |= TW_THING_RETIRED;
    return save(x, &p, NULL);
}

tw_status tw_native_OWNER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    place p;
    tw_met met = {0};
    tw_account owner;
    TW_TRY(find(x, (uint32_t)i->x, s + i->b, &p));
    TW_TRY(tw_thing_owner(x->contract, &p.thing, &met, &owner));
    x->gas += tw_cost_read(met.values, met.bytes);
    tw_slots_from_bytes32(owner.bytes, s + i->a);
    return TW_OK;
}

tw_status tw_native_MAKER(tw_exec *x, int64_t *s, const tw_insn *i)
{
    place p;
    TW_TRY(find(x, (uint32_t)i->x, s + i->b, &p));
    tw_slots_from_bytes32(p.thing.maker.bytes, s + i->a);
    return TW_OK;
}

tw_status tw_native_HELD(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = x->contract->code->module;
    const tw_field *holders = &m->fields[i->x >> MEMBER_BITS];
    const uint16_t member = i->x & ((1 << MEMBER_BITS) - 1);
    const tw_type *list = &m->types[members_of(x, holders)->items[member].type];
    place p;
    tw_key wanted;
    TW_TRY(tw_field_key_at(x->contract, holders->id, holders->key_type, s + i->b, &wanted));
    TW_TRY(find(x, list->home, s + i->a, &p));
    if ((p.thing.flags & TW_THING_ATTACHED) == 0) return TW_TRAP_NO_KEY;
    const tw_key holder = holder_key(x->contract, &p.thing);
    const bool there =
        p.thing.member == member && tw_bytes_equal(tw_key_bytes(&holder), tw_key_bytes(&wanted));
    return there ? TW_OK : TW_TRAP_NO_KEY;
}

tw_status tw_native_LOG(tw_exec *x, int64_t *s, const tw_insn *i)
{
    const tw_module *m = x->contract->code->module;
    uint8_t key[TW_KEY_SIZE_MAX + 2];
    tw_writer w = tw_writer_fixed(key, sizeof key);
    place p;
    TW_TRY(find_alive(x, (uint32_t)i->x, s + i->b, &p));
    TW_TRY(tw_value_encode(m, p.registry->key_type, s + i->b, &w));
    tw_writer_clear(&x->value);
    x->gas += m->histories[i->c].members.slots * TW_GAS_SLOT;
    TW_TRY(tw_members_encode(m, &m->histories[i->c].members, s + i->a, &x->value));
    assert(!w.bad);
    if (x->value.bad) return TW_ERR_MEMORY;
    tw_notice_view entry = {.kind = TW_NOTICE_THING_HISTORY,
                            .index = i->c,
                            .registry = (uint16_t)i->x,
                            .key = tw_writer_bytes(&w),
                            .number = p.thing.histories,
                            .time = x->call->now,
                            .transaction = x->call->transaction,
                            .before = p.thing.history_head,
                            .fields = tw_writer_bytes(&x->value)};
    if (x->call->signer_count > 0) entry.caller = x->call->signers[0];
    tw_notice_write_history(&x->notices, &entry, &p.thing.history_head);
    const uint64_t bytes = TW_THING_HISTORY_SIZE + w.size + x->value.size;
    x->gas += tw_cost_notice(bytes) + tw_cost_hash(bytes);
    p.thing.histories++;
    x->histories++;
    if (x->notices.bad) return TW_ERR_MEMORY;
    return save(x, &p, NULL);
}

tw_status tw_native_LOGGED(tw_exec *x, int64_t *s, const tw_insn *i)
{
    place p;
    TW_TRY(find(x, (uint32_t)i->x, s + i->b, &p));
    s[i->a] = (int64_t)p.thing.histories;
    return TW_OK;
}
