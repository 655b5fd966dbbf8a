/* things -- the reference's instructions on things, over records as vm/exec/thing.h lays them out:
 *
 *     tag 1 | flags 1 | owner 32 | maker 32 | history count 8 | history head 32
 *     | if attached: id of the holder's registry 4, member 2, u16 size, key | the asset's record
 *
 * A thing is taken apart whole into slots and parts of its own and written anew from them. */
#include "tests/reference/machine.h"

#include <string.h>

enum { HEAD_SIZE = 106, MEMBERS = 64 };

typedef struct thing {
    const tw_field *registry;
    tw_key key; /* of the state */
    uint8_t flags;
    uint8_t owner[32], maker[32];
    uint64_t histories;
    uint8_t head[32];
    uint32_t holder;
    uint16_t member;
    uint16_t key_size; /* of the holder's key */
    uint8_t holder_key[TW_KEY_SIZE_MAX];
    int64_t record[TW_FRAME_SLOTS_MAX];
} thing;

static bool is_attached(const thing *t)
{
    return (t->flags & 1) != 0;
}

/* ---- records ---- */

static tw_status parse(const reference *r, tw_bytes value, thing *t)
{
    const uint8_t *at = value.data;
    size_t head = HEAD_SIZE;
    if (value.size < HEAD_SIZE) return TW_ERR_CORRUPT;
    t->flags = at[1];
    memcpy(t->owner, at + 2, 32);
    memcpy(t->maker, at + 34, 32);
    t->histories = tw_load_u64(at + 66);
    memcpy(t->head, at + 74, 32);
    if (is_attached(t)) {
        t->holder = tw_load_u32(at + 106);
        t->member = (uint16_t)(at[110] << 8 | at[111]);
        t->key_size = (uint16_t)(at[112] << 8 | at[113]);
        memcpy(t->holder_key, at + 114, t->key_size);
        head += 8 + (size_t)t->key_size;
    }
    return ref_decode(r, t->registry->value_type, tw_bytes_of(at + head, value.size - head),
                      t->record);
}

/* The thing under t->key of t->registry. */
static tw_status fetch(reference *r, thing *t)
{
    tw_bytes value;
    bool found = false;
    TW_TRY(ref_get_charged(r, &t->key, &value, &found));
    return found ? parse(r, value, t) : TW_TRAP_NO_KEY;
}

static tw_status find(reference *r, const tw_field *f, const int64_t *key, thing *t)
{
    t->registry = f;
    TW_TRY(ref_key_in(r, f, key, &t->key));
    return fetch(r, t);
}

static tw_status find_alive(reference *r, const tw_field *f, const int64_t *key, thing *t)
{
    TW_TRY(find(r, f, key, t));
    return (t->flags & 2) != 0 ? TW_TRAP_RETIRED : TW_OK;
}

static tw_status find_free(reference *r, const tw_field *f, const int64_t *key, thing *t)
{
    TW_TRY(find_alive(r, f, key, t));
    return is_attached(t) ? TW_TRAP_ATTACHED : TW_OK;
}

static tw_status save(reference *r, const thing *t)
{
    tw_writer *w = &r->value;
    tw_writer_clear(w);
    tw_write_u8(w, TW_STATE_TAG);
    tw_write_u8(w, t->flags);
    tw_write_raw(w, t->owner, 32);
    tw_write_raw(w, t->maker, 32);
    tw_write_u64(w, t->histories);
    tw_write_raw(w, t->head, 32);
    if (is_attached(t)) {
        tw_write_u32(w, t->holder);
        tw_write_u16(w, t->member);
        tw_write_short(w, tw_bytes_of(t->holder_key, t->key_size));
    }
    TW_TRY(tw_value_encode(r->m, t->registry->value_type, t->record, w));
    r->used.gas += ref_write_gas(1, w->size);
    return ref_put(r, &t->key, tw_writer_bytes(w));
}

static thing *thing_new(reference *r)
{
    return TW_NEW(r->copies, thing);
}

/* ---- registries ---- */

tw_status ref_thing_load(reference *r, const tw_field *f, const int64_t *key, int64_t *ret_value)
{
    const tw_mark mark = tw_arena_mark(r->copies);
    thing *t = thing_new(r);
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(find(r, f, key, t));
    memcpy(ret_value, t->record, r->m->types[f->value_type].slots * sizeof *ret_value);
    tw_arena_reset(r->copies, mark);
    return TW_OK;
}

tw_status ref_thing_store(reference *r, const tw_field *f, const int64_t *key, const int64_t *value)
{
    const tw_mark mark = tw_arena_mark(r->copies);
    thing *t = thing_new(r);
    const tw_members *members = &r->m->types[f->value_type].members;
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(find_alive(r, f, key, t));
    for (uint16_t i = 0; i < members->count; i++) {
        const tw_type *type = &r->m->types[members->items[i].type];
        const uint32_t at = ref_member_at(r->m, f, i);
        if (i != f->key_member && type->kind != TW_KIND_THINGS) continue;
        for (uint32_t k = 0; k < type->slots; k++) {
            if (t->record[at + k] != value[at + k]) return TW_TRAP_BAD_VALUE;
        }
    }
    memcpy(t->record, value, r->m->types[f->value_type].slots * sizeof *value);
    const tw_status status = save(r, t);
    tw_arena_reset(r->copies, mark);
    return status;
}

/* How many things are in the lists of the record; a count in slots may be anything but 0. */
static bool holds_something(const reference *r, const tw_field *f, const int64_t *record)
{
    const tw_members *members = &r->m->types[f->value_type].members;
    for (uint16_t i = 0; i < members->count; i++) {
        const bool things = r->m->types[members->items[i].type].kind == TW_KIND_THINGS;
        if (things && record[ref_member_at(r->m, f, i)] != 0) return true;
    }
    return false;
}

static tw_status create(reference *r, const ref_insn *i, const int64_t *s)
{
    const tw_field *f = &r->m->fields[i->x];
    thing *t = thing_new(r);
    if (t == NULL) return TW_ERR_MEMORY;
    const tw_status status = find(r, f, s + i->a + ref_member_at(r->m, f, f->key_member), t);
    if (status == TW_OK) return TW_TRAP_KEY_USED;
    if (status != TW_TRAP_NO_KEY) return status;
    if (holds_something(r, f, s + i->a)) return TW_TRAP_BAD_VALUE;
    TW_TRY(ref_count(r, f, true));
    const tw_account owner = ref_account(s + i->b);
    memcpy(t->owner, owner.bytes, 32);
    memcpy(t->maker, r->call->signers[0].bytes, 32);
    memcpy(t->record, s + i->a, r->m->types[f->value_type].slots * sizeof *s);
    return save(r, t);
}

/* ---- holders ---- */

/* The list of things that a member of a registry's record is. */
static const tw_type *list_of(const reference *r, const tw_field *holders, uint32_t member)
{
    return &r->m->types[r->m->types[holders->value_type].members.items[member].type];
}

static tw_status attach(reference *r, const ref_insn *i, const int64_t *s)
{
    const tw_field *holders = &r->m->fields[i->x / MEMBERS];
    const uint32_t member = i->x % MEMBERS;
    const tw_type *list = list_of(r, holders, member);
    const uint32_t step = r->m->types[list->of].slots;
    thing *t = thing_new(r);
    thing *holder = thing_new(r);
    if (t == NULL || holder == NULL) return TW_ERR_MEMORY;
    TW_TRY(find_free(r, &r->m->fields[list->home], s + i->a, t));
    TW_TRY(find_alive(r, holders, s + i->b, holder));
    int64_t *things = holder->record + ref_member_at(r->m, holders, member);
    if (things[0] >= list->max) return TW_TRAP_FULL;
    memcpy(things + 1 + things[0] * step, s + i->a, step * sizeof *s);
    things[0]++;
    const size_t prefix = ref_field_key(r, holders->id).size;
    t->flags |= 1;
    memset(t->owner, 0, 32);
    t->holder = holders->id;
    t->member = (uint16_t)member;
    t->key_size = (uint16_t)(holder->key.size - prefix);
    memcpy(t->holder_key, holder->key.data + prefix, t->key_size);
    TW_TRY(save(r, t));
    return save(r, holder);
}

/* Makes *ret_holder the thing that holds `t`. */
static tw_status holder_of(reference *r, const thing *t, thing *ret_holder)
{
    for (uint16_t k = 0; k < r->m->field_count; k++) {
        const tw_field *f = &r->m->fields[k];
        if (f->id != t->holder || f->old) continue;
        ret_holder->registry = f;
        ret_holder->key = ref_field_key(r, f->id);
        tw_key_raw(&ret_holder->key, t->holder_key, t->key_size);
        const tw_status status = fetch(r, ret_holder);
        return status == TW_TRAP_NO_KEY ? TW_ERR_CORRUPT : status;
    }
    return TW_ERR_CORRUPT;
}

/* The topmost holder's owner; `t` becomes that holder. */
static tw_status owner_of(reference *r, thing *t, uint8_t *ret_owner)
{
    while (is_attached(t)) {
        thing *holder = thing_new(r);
        if (holder == NULL) return TW_ERR_MEMORY;
        TW_TRY(holder_of(r, t, holder));
        t = holder;
    }
    memcpy(ret_owner, t->owner, 32);
    return TW_OK;
}

static tw_status detach(reference *r, const ref_insn *i, const int64_t *s)
{
    thing *t = thing_new(r);
    thing *holder = thing_new(r);
    if (t == NULL || holder == NULL) return TW_ERR_MEMORY;
    TW_TRY(find_alive(r, &r->m->fields[i->x], s + i->a, t));
    if (!is_attached(t)) return TW_TRAP_NO_KEY;
    TW_TRY(holder_of(r, t, holder));
    TW_TRY(owner_of(r, holder, t->owner));
    const tw_type *list = list_of(r, holder->registry, t->member);
    const uint32_t step = r->m->types[list->of].slots;
    int64_t *things = holder->record + ref_member_at(r->m, holder->registry, t->member);
    int64_t kept = 0;
    for (int64_t k = 0; k < things[0]; k++) {
        const int64_t *item = things + 1 + k * step;
        if (memcmp(item, s + i->a, step * sizeof *s) == 0) continue;
        memmove(things + 1 + kept++ * step, item, step * sizeof *s);
    }
    if (kept != things[0] - 1) return TW_ERR_CORRUPT; /* once, as it said */
    memset(things + 1 + kept * step, 0, step * sizeof *s);
    things[0] = kept;
    TW_TRY(save(r, holder));
    t->flags &= (uint8_t)~1;
    return save(r, t);
}

static tw_status held(reference *r, const ref_insn *i, const int64_t *s)
{
    const tw_field *holders = &r->m->fields[i->x / MEMBERS];
    const tw_type *list = list_of(r, holders, i->x % MEMBERS);
    thing *t = thing_new(r);
    tw_key wanted;
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(ref_key_in(r, holders, s + i->b, &wanted));
    TW_TRY(find(r, &r->m->fields[list->home], s + i->a, t));
    const size_t prefix = ref_field_key(r, holders->id).size;
    const bool there = is_attached(t) && t->holder == holders->id && t->member == i->x % MEMBERS &&
                       t->key_size == wanted.size - prefix &&
                       memcmp(t->holder_key, wanted.data + prefix, t->key_size) == 0;
    return there ? TW_OK : TW_TRAP_NO_KEY;
}

/* ---- one thing ---- */

static tw_status log_entry(reference *r, const ref_insn *i, const int64_t *s)
{
    static const uint8_t nobody[32] = {0};
    const tw_field *f = &r->m->fields[i->x];
    uint8_t key[TW_KEY_SIZE_MAX + 2];
    tw_writer k = tw_writer_fixed(key, sizeof key);
    thing *t = thing_new(r);
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(find_alive(r, f, s + i->b, t));
    TW_TRY(tw_value_encode(r->m, f->key_type, s + i->b, &k));
    tw_writer_clear(&r->value);
    r->used.gas += ref_looks_gas(r->m->histories[i->c].members.slots);
    TW_TRY(tw_members_encode(r->m, &r->m->histories[i->c].members, s + i->a, &r->value));
    tw_writer *w = &r->notices;
    const size_t start = w->size;
    tw_write_u8(w, TW_NOTICE_THING_HISTORY);
    tw_write_u16(w, (uint16_t)i->x);
    tw_write_short(w, tw_writer_bytes(&k));
    tw_write_u16(w, (uint16_t)i->c);
    tw_write_u64(w, t->histories);
    tw_write_i64(w, r->call->now);
    tw_write_raw(w, r->call->signer_count > 0 ? r->call->signers[0].bytes : nobody, 32);
    tw_write_raw(w, r->call->transaction.bytes, 32);
    tw_write_raw(w, t->head, 32);
    tw_write_short(w, tw_writer_bytes(&r->value));
    if (w->bad) return TW_ERR_MEMORY;
    const tw_bytes whole = tw_bytes_of(w->data + start, w->size - start);
    const tw_hash head = tw_hash_tagged("twvm/history", &whole, 1);
    memcpy(t->head, head.bytes, 32);
    r->used.gas += ref_notice_gas(whole.size) + ref_hash_gas(whole.size);
    t->histories++;
    r->histories++;
    return save(r, t);
}

static tw_status change(reference *r, const ref_insn *i, const int64_t *s)
{
    const tw_account owner = ref_account(s + i->b);
    thing *t = thing_new(r);
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(find_free(r, &r->m->fields[i->x], s + i->a, t));
    if (i->op == TW_OP_GIVE) {
        memcpy(t->owner, owner.bytes, 32);
    } else {
        if (holds_something(r, t->registry, t->record)) return TW_TRAP_ATTACHED;
        t->flags |= 2;
    }
    return save(r, t);
}

static tw_status tell(reference *r, const ref_insn *i, int64_t *s)
{
    uint8_t account[32];
    thing *t = thing_new(r);
    if (t == NULL) return TW_ERR_MEMORY;
    TW_TRY(find(r, &r->m->fields[i->x], s + i->b, t));
    if (i->op == TW_OP_LOGGED) {
        s[i->a] = (int64_t)t->histories;
        return TW_OK;
    }
    memcpy(account, t->maker, 32);
    if (i->op == TW_OP_OWNER) TW_TRY(owner_of(r, t, account));
    for (uint32_t k = 0; k < 4; k++) s[i->a + k] = (int64_t)tw_load_u64(account + 8 * k);
    return TW_OK;
}

static tw_status act(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    *ret_mine = true;
    switch (i->op) {
    case TW_OP_CREATE: return create(r, i, s);
    case TW_OP_GIVE:
    case TW_OP_RETIRE: return change(r, i, s);
    case TW_OP_ATTACH: return attach(r, i, s);
    case TW_OP_DETACH: return detach(r, i, s);
    case TW_OP_OWNER:
    case TW_OP_MAKER:
    case TW_OP_LOGGED: return tell(r, i, s);
    case TW_OP_HELD: return held(r, i, s);
    case TW_OP_LOG: return log_entry(r, i, s);
    default: *ret_mine = false; return TW_OK;
    }
}

tw_status ref_step_thing(reference *r, const ref_insn *i, int64_t *s, bool *ret_mine)
{
    const tw_mark mark = tw_arena_mark(r->copies);
    const tw_status status = act(r, i, s, ret_mine);
    tw_arena_reset(r->copies, mark);
    return status;
}
