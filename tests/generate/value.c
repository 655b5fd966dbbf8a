/* value -- numbers and values that are worth trying. See generate.h. */
#include "vm/isa/value.h"
#include "tests/generate/generate.h"
#include "vm/base/quantities.h"

#include <string.h>

tw_account generate_account(uint32_t index)
{
    tw_account account;
    memset(account.bytes, (int)(0x11 * (index + 1)), sizeof account.bytes);
    return account;
}

static int64_t power(dice *d)
{
    const int64_t value = (int64_t)((uint64_t)1 << dice_below(d, 63));
    return value + dice_between(d, -1, 1);
}

int64_t generate_number(dice *d)
{
    static const int64_t edges[] = {
        INT64_MAX,  INT64_MIN,  INT64_MAX - 1, INT64_MIN + 1,          INT32_MAX,
        INT32_MIN,  UINT32_MAX, 1000000000,    ((int64_t)1 << 52) - 1, (int64_t)1 << 52,
        3037000499, 3037000500, 3000000000,
    };
    const uint32_t roll = dice_below(d, 16);
    if (roll < 7) return dice_between(d, -2, 10);
    if (roll < 11) return dice_between(d, 0, 1000);
    if (roll < 13) return dice_percent(d, 50) ? power(d) : -power(d);
    if (roll < 14) return edges[dice_below(d, sizeof edges / sizeof edges[0])];
    const int64_t value = (int64_t)(dice_next(d) >> (1 + dice_below(d, 63)));
    return dice_percent(d, 50) ? value : -value;
}

static int64_t time_value(dice *d)
{
    const uint32_t roll = dice_below(d, 8);
    if (roll == 0) return ((int64_t)1 << TW_TIME_BITS) - 1;
    if (roll == 1) return 0;
    return roll < 5 ? dice_between(d, 0, 1000) : (int64_t)(dice_next(d) >> 23);
}

/* Letters, and now and then a character of two bytes. */
static void text_value(dice *d, const tw_type *t, int64_t *ret_slots)
{
    uint8_t bytes[TW_TEXT_SIZE_MAX + 1];
    uint32_t size = dice_percent(d, 20) ? t->max : dice_below(d, t->max + 1);
    if (size > 64 && dice_percent(d, 90)) size %= 64;
    for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)('a' + dice_below(d, 3));
    if (t->kind == TW_KIND_BYTES) {
        for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)(dice_next(d) >> dice_below(d, 60));
    } else if (size >= 2 && dice_percent(d, 20)) {
        memcpy(bytes + dice_below(d, size - 1), "\xc3\xa9", 2);
        if (!tw_utf8_is_clean(tw_bytes_of(bytes, size))) size = 0;
    }
    memset(ret_slots, 0, t->slots * sizeof *ret_slots);
    tw_slots_from_text(tw_bytes_of(bytes, size), ret_slots);
}

static void hash_value(dice *d, int64_t *ret_slots)
{
    if (dice_percent(d, 25)) return;
    for (int i = 0; i < 4; i++) ret_slots[i] = (int64_t)dice_next(d);
}

static void list_value(dice *d, const tw_module *m, const tw_type *t, int64_t *ret_slots)
{
    const uint32_t step = m->types[t->of].slots;
    ret_slots[0] = t->max > 8 ? dice_below(d, 8) : dice_below(d, t->max + 1);
    for (int64_t i = 0; i < ret_slots[0]; i++) {
        generate_value(d, m, t->of, ret_slots + 1 + i * step);
    }
}

void generate_value(dice *d, const tw_module *m, uint16_t type, int64_t *ret_slots)
{
    const tw_type *t = &m->types[type];
    tw_account account;
    memset(ret_slots, 0, t->slots * sizeof *ret_slots);
    switch ((tw_kind)t->kind) {
    case TW_KIND_BOOL: ret_slots[0] = dice_below(d, 2); break;
    case TW_KIND_INT:
        ret_slots[0] = t->quantity == TW_DIM_TIME ? time_value(d) : generate_number(d);
        break;
    case TW_KIND_MONEY: ret_slots[0] = dice_between(d, 0, 30); break;
    case TW_KIND_ENUM: ret_slots[0] = dice_below(d, m->enums[t->of].values.count); break;
    case TW_KIND_TEXT:
    case TW_KIND_BYTES: text_value(d, t, ret_slots); break;
    case TW_KIND_HASH:
    case TW_KIND_TWIN: hash_value(d, ret_slots); break;
    case TW_KIND_ACCOUNT:
        account = generate_account(dice_below(d, GENERATE_ACCOUNTS));
        tw_slots_from_bytes32(account.bytes, ret_slots);
        break;
    case TW_KIND_OPTIONAL:
        ret_slots[0] = dice_percent(d, 70);
        if (ret_slots[0] == 1) generate_value(d, m, t->of, ret_slots + 1);
        break;
    case TW_KIND_RECORD:
        for (uint16_t i = 0; i < t->members.count; i++) {
            generate_value(d, m, t->members.items[i].type, ret_slots);
            ret_slots += m->types[t->members.items[i].type].slots;
        }
        break;
    case TW_KIND_LIST: list_value(d, m, t, ret_slots); break;
    case TW_KIND_THINGS: break; /* nothing is attached to what is new */
    case TW_KIND_KINDS: break;
    }
}
