/* test_module -- the one byte string of a module: what is written is read back the same, and
 * nothing else is read. Every cut, every changed byte, every count over its limit. Compiled files
 * and debug maps likewise. */
#include "tests/unit/wide_fixture.h"

#include "vm/base/quantities.h"
#include "vm/isa/disasm.h"
#include "vm/isa/value.h"

#include <stdio.h>

static maker *made(void)
{
    const uint64_t code[] = {tw_insn_make(TW_OP_LOAD, 8, 0, 0, T_RECORD),
                             tw_insn_make(TW_OP_LDKN, 0, 0, 3, 1),
                             tw_insn_make30(TW_OP_LDI, 7, 0, -5),
                             tw_insn_make(TW_OP_HASH, 12, 9, 0, T_TEXT),
                             tw_insn_make(TW_OP_STAT, 16, 0, 0, TW_STAT_MEDIAN << 10),
                             tw_insn_make(TW_OP_JZ, 16, 0, 0, 1),
                             tw_insn_make(TW_OP_TRAP, 0, 0, 0, TW_TRAP_NO_KEY),
                             tw_insn_make(TW_OP_RET, 0, 0, 0, 0)};
    maker *k = maker_new(code, 8, false);
    cr_assert_eq(maker_facts(k), TW_OK, "%s", k->err.text);
    return k;
}

static tw_status decode(tw_bytes bytes, tw_arena *arena, tw_module **ret_module)
{
    tw_err err = {.status = TW_OK};
    const tw_status status = tw_module_decode(bytes, arena, ret_module, &err);
    if (status != TW_OK) cr_expect_neq(err.text[0], '\0', "refused without a word");
    return status;
}

Test(module, what_is_written_is_read)
{
    maker *k = made();
    const tw_bytes bytes = maker_bytes(k);
    tw_module *m = NULL;
    cr_assert_eq(decode(bytes, k->arena, &m), TW_OK);
    tw_writer again = tw_writer_new(TW_MODULE_SIZE_MAX);
    cr_assert_eq(tw_module_encode(m, &again), TW_OK);
    cr_expect(tw_bytes_equal(bytes, tw_writer_bytes(&again)));
    tw_writer_free(&again);
    cr_expect_str_eq(m->name, "Made");
    cr_expect_eq(m->types[T_RECORD].slots, 1 + 3);
    cr_expect_eq(m->types[T_LIST].slots, 1 + 3);
    cr_expect_eq(m->types[T_LIST].size_max, 2 + 24);
    cr_expect_eq(m->types[T_TEXT].size_max, 2 + 12);
    cr_expect_eq(m->fields[1].id, tw_load_u32(m->fields[1].description.bytes));
    cr_expect_neq(m->fields[1].id, m->fields[0].id);
    cr_expect_eq(m->code_count, k->m.code_count);
    cr_expect_arr_eq(m->code, k->m.code, m->code_count * sizeof *m->code);
    cr_expect_eq(m->readings[0].low, -1000);
    cr_expect_eq(m->entries[E_VIEW].bounds.gas, k->entries[E_VIEW].bounds.gas);
    cr_expect_eq(tw_module_entry(m, TW_ENTRY_VIEW, "tested"), E_VIEW);
    cr_expect_eq(tw_module_entry(m, TW_ENTRY_VIEW, "other"), TW_NONE);
    cr_expect_eq(tw_module_entry(m, TW_ENTRY_AFTER, NULL), E_AFTER);
    maker_free(k);
}

Test(module, no_cut_is_read)
{
    maker *k = made();
    const tw_bytes bytes = maker_bytes(k);
    for (size_t size = 0; size < bytes.size; size++) {
        const tw_mark mark = tw_arena_mark(k->arena);
        tw_module *m = NULL;
        /* a copy of exactly this size, so that the sanitizer sees a read beyond it */
        uint8_t *cut = tw_mem_new(size + 1);
        memcpy(cut, bytes.data, size);
        cr_expect_eq(decode(tw_bytes_of(cut, size), k->arena, &m), TW_REFUSED_MODULE, "%zu", size);
        tw_mem_free(cut);
        tw_arena_reset(k->arena, mark);
    }
    uint8_t *longer = tw_arena_get(k->arena, bytes.size + 1);
    tw_module *m = NULL;
    cr_assert_not_null(longer);
    memcpy(longer, bytes.data, bytes.size);
    cr_expect_eq(decode(tw_bytes_of(longer, bytes.size + 1), k->arena, &m), TW_REFUSED_MODULE);
    maker_free(k);
}

/* Whatever byte is changed to whatever value: it is refused, or it is another module's one byte
 * string. Printing it never goes wrong. */
Test(module, changed_bytes_are_refused_or_mean_something)
{
    maker *k = made();
    const tw_bytes bytes = maker_bytes(k);
    uint8_t *changed = tw_arena_get(k->arena, bytes.size);
    tw_writer again = tw_writer_new(TW_MODULE_SIZE_MAX);
    tw_writer text = tw_writer_new(1024 * 1024);
    uint32_t taken = 0;
    cr_assert_not_null(changed);
    for (size_t at = 0; at < bytes.size; at++) {
        for (uint32_t bit = 0; bit < 8; bit++) {
            const tw_mark mark = tw_arena_mark(k->arena);
            tw_module *m = NULL;
            memcpy(changed, bytes.data, bytes.size);
            changed[at] ^= (uint8_t)(1u << bit);
            if (decode(tw_bytes_of(changed, bytes.size), k->arena, &m) == TW_OK) {
                tw_writer_clear(&again);
                cr_assert_eq(tw_module_encode(m, &again), TW_OK);
                cr_expect(tw_bytes_equal(tw_writer_bytes(&again), tw_bytes_of(changed, bytes.size)),
                          "byte %zu has another spelling", at);
                tw_writer_clear(&text);
                cr_expect_eq(tw_disasm(m, NULL, k->arena, &text), TW_OK);
                tw_facts *facts = NULL;
                tw_err err;
                const tw_status status = tw_module_verify(m, k->arena, &facts, &err);
                cr_expect(status == TW_OK || status == TW_REFUSED_MODULE);
                taken++;
            }
            tw_arena_reset(k->arena, mark);
        }
    }
    cr_expect_gt(taken, 0);
    tw_writer_free(&again);
    tw_writer_free(&text);
    maker_free(k);
}

static tw_status decode_changed(maker *k, const char *name, uint32_t size)
{
    tw_module *m = NULL;
    char *text = tw_arena_get(k->arena, size + 1);
    cr_assert_not_null(text);
    memset(text, 'x', size);
    if (name == NULL) k->m.name = text;
    if (name != NULL) k->m.name = name;
    return decode(maker_bytes(k), k->arena, &m);
}

Test(module, names_are_clean_text)
{
    maker *k = made();
    cr_expect_eq(decode_changed(k, NULL, 4 * TW_NAME_SIZE_MAX), TW_OK);
    cr_expect_eq(decode_changed(k, NULL, 4 * TW_NAME_SIZE_MAX + 1), TW_REFUSED_MODULE);
    cr_expect_eq(decode_changed(k, "a\nb", 0), TW_REFUSED_MODULE);
    cr_expect_eq(decode_changed(k, "a\xFF", 0), TW_REFUSED_MODULE);
    cr_expect_eq(decode_changed(k, "\xE2\x80\xAEgnp", 0), TW_REFUSED_MODULE);
    maker_free(k);
}

/* ------------------------------------------------------------------ values */

static uint32_t below(uint64_t *seed, uint32_t limit)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    return (uint32_t)((z ^ (z >> 31)) % limit);
}

Test(module, values_are_read_as_they_are_written)
{
    maker *k = made();
    const int64_t slots[] = {77, 3, 0x6162630000000000, 0};
    int64_t back[4] = {9, 9, 9, 9};
    tw_writer w = tw_writer_new(1000);
    cr_assert_eq(tw_value_encode(&k->m, T_RECORD, slots, &w), TW_OK);
    cr_expect_arr_eq(w.data, "\0\0\0\0\0\0\0\x4D\0\3abc", 13);
    tw_reader r = tw_reader_of(tw_writer_bytes(&w));
    cr_assert_eq(tw_value_decode(&k->m, T_RECORD, &r, back), TW_OK);
    cr_expect(tw_reader_done(&r));
    cr_expect_arr_eq(back, slots, sizeof slots);
    for (size_t size = 0; size < w.size; size++) {
        r = tw_reader_of(tw_bytes_of(w.data, size));
        cr_expect_eq(tw_value_decode(&k->m, T_RECORD, &r, back), TW_REFUSED_ENCODING, "%zu", size);
    }
    tw_writer_free(&w);
    const struct {
        uint16_t type;
        const char *bytes;
        size_t size;
    } bad[] = {
        {T_BOOL, "\2", 1},         {T_ENUM, "\0\3", 2},     {T_TEXT, "\0\15aaaaaaaaaaaaa", 15},
        {T_TEXT, "\0\1\xFF", 3},   {T_TEXT, "\0\1\n", 3},   {T_OPTIONAL, "\2", 1},
        {T_LIST, "\0\4", 2},       {T_LIST, "\0\1\0\0", 4}, {T_HASH, "abc", 3},
        {T_OPTIONAL, "\1\0\0", 3},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t room[16];
        r = tw_reader_of(tw_bytes_of(bad[i].bytes, bad[i].size));
        cr_expect_eq(tw_value_decode(&k->m, bad[i].type, &r, room), TW_REFUSED_ENCODING, "%zu", i);
    }
    maker_free(k);
}

/* The order of key bytes is the order of the values. */
Test(module, keys_keep_the_order)
{
    maker *k = made();
    const int64_t numbers[] = {INT64_MIN, -5, -1, 0, 1, 5, INT64_MAX};
    const char *const words[] = {"", "a", "aa", "ab", "b"};
    tw_writer before = tw_writer_new(300);
    tw_writer now = tw_writer_new(300);
    for (size_t i = 0; i < 7; i++) {
        tw_writer_clear(&now);
        cr_assert_eq(tw_key_encode(&k->m, T_INT, &numbers[i], &now), TW_OK);
        if (i > 0) cr_expect_lt(memcmp(before.data, now.data, 8), 0);
        tw_writer_clear(&before);
        tw_write_raw(&before, now.data, now.size);
    }
    tw_writer_clear(&before);
    for (size_t i = 0; i < 5; i++) {
        int64_t slots[3] = {0};
        tw_slots_from_text(tw_bytes_of(words[i], strlen(words[i])), slots);
        tw_writer_clear(&now);
        cr_assert_eq(tw_key_encode(&k->m, T_TEXT, slots, &now), TW_OK);
        if (i > 0)
            cr_expect_lt(tw_bytes_compare(tw_writer_bytes(&before), tw_writer_bytes(&now)), 0);
        tw_writer_clear(&before);
        tw_write_raw(&before, now.data, now.size);
    }
    tw_writer_free(&before);
    tw_writer_free(&now);
    maker_free(k);
}

/* Some value of the type, often an extreme one; with texts that begin one another. */
static void any_value(const tw_module *m, uint16_t type, uint64_t *seed, int64_t *slots)
{
    static const int64_t numbers[] = {INT64_MIN, -256, -1, 0, 1, 255, INT64_MAX};
    const tw_type *t = &m->types[type];
    const uint32_t pick = below(seed, 7);
    memset(slots, 0, t->slots * sizeof *slots);
    if (t->kind == TW_KIND_BOOL) slots[0] = pick % 2;
    if (t->kind == TW_KIND_INT || t->kind == TW_KIND_MONEY) slots[0] = numbers[pick];
    if (t->kind == TW_KIND_ENUM) slots[0] = pick % 3;
    if (t->kind == TW_KIND_TEXT) {
        tw_slots_from_text(tw_bytes_of("aabbbab", pick), slots);
    }
    if (t->kind == TW_KIND_BYTES) {
        tw_slots_from_text(tw_bytes_of("\0\0\1\xFF\0\1", pick % 7), slots);
    }
    if (t->kind == TW_KIND_HASH || t->kind == TW_KIND_ACCOUNT) {
        for (int i = 0; i < 4; i++) slots[i] = numbers[below(seed, 7)];
    }
    if (t->kind == TW_KIND_OPTIONAL && pick > 1) {
        slots[0] = 1;
        any_value(m, t->of, seed, slots + 1);
    }
    if (t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS) {
        slots[0] = pick % (t->max + 1);
        for (int64_t i = 0; i < slots[0]; i++) {
            any_value(m, t->of, seed, slots + 1 + i * m->types[t->of].slots);
        }
    }
    for (uint16_t i = 0; i < t->members.count; i++) {
        any_value(m, t->members.items[i].type, seed, slots);
        slots += m->types[t->members.items[i].type].slots;
    }
}

/* As the language orders values: numbers by size, text by bytes and a prefix first, none before
 * some, records and lists by the first part that differs. */
static int order(const tw_module *m, uint16_t type, const int64_t *a, const int64_t *b)
{
    const tw_type *t = &m->types[type];
    const uint32_t step = t->of < type ? m->types[t->of].slots : 0;
    int way = 0;
    if (t->kind == TW_KIND_RECORD) {
        for (uint16_t i = 0; i < t->members.count && way == 0; i++) {
            way = order(m, t->members.items[i].type, a, b);
            a += m->types[t->members.items[i].type].slots;
            b += m->types[t->members.items[i].type].slots;
        }
        return way;
    }
    if (t->kind == TW_KIND_LIST || t->kind == TW_KIND_THINGS || t->kind == TW_KIND_OPTIONAL) {
        for (int64_t i = 0; i < a[0] && i < b[0] && way == 0; i++) {
            way = order(m, t->of, a + 1 + i * step, b + 1 + i * step);
        }
        return way != 0 ? way : (a[0] > b[0]) - (a[0] < b[0]);
    }
    if (t->kind == TW_KIND_TEXT || t->kind == TW_KIND_BYTES) {
        uint8_t left[32];
        uint8_t right[32];
        for (uint32_t i = 0; i + 1 < t->slots; i++) {
            tw_store_u64(left + 8 * i, (uint64_t)a[1 + i]);
            tw_store_u64(right + 8 * i, (uint64_t)b[1 + i]);
        }
        way = tw_bytes_compare(tw_bytes_of(left, (size_t)a[0]), tw_bytes_of(right, (size_t)b[0]));
        return (way > 0) - (way < 0);
    }
    for (uint32_t i = 0; i < t->slots && way == 0; i++) {
        const bool less = t->slots > 1 ? (uint64_t)a[i] < (uint64_t)b[i] : a[i] < b[i];
        way = a[i] == b[i] ? 0 : less ? -1 : 1;
    }
    return way;
}

static void check_key(const tw_module *m, uint16_t type, const int64_t *slots, const tw_writer *w)
{
    int64_t back[32];
    tw_reader r = tw_reader_of(tw_writer_bytes(w));
    cr_assert_leq(w->size, tw_key_size_max(m, type), "type %u", type);
    cr_assert_eq(tw_key_decode(m, type, &r, back), TW_OK, "type %u", type);
    cr_assert(tw_reader_done(&r));
    cr_assert_arr_eq(back, slots, m->types[type].slots * sizeof *slots);
    for (size_t size = 0; size < w->size; size++) {
        r = tw_reader_of(tw_bytes_of(w->data, size));
        cr_assert_eq(tw_key_decode(m, type, &r, back), TW_REFUSED_ENCODING, "type %u", type);
    }
}

/* Keys of all types: read back as they were, in the order of the values, none the start of another.
 */
Test(module, keys_of_every_type)
{
    uint64_t seed = 7;
    maker *k = made();
    (void)wide_of(k);
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK, "%s", k->err.text);
    for (uint16_t type = 0; type < W_TYPES; type++) {
        int64_t before[32] = {0};
        tw_writer last = tw_writer_new(1000);
        cr_assert_leq(k->m.types[type].slots, 32);
        for (int i = 0; i < 300; i++) {
            int64_t slots[32];
            tw_writer w = tw_writer_new(1000);
            any_value(&k->m, type, &seed, slots);
            cr_assert_eq(tw_key_encode(&k->m, type, slots, &w), TW_OK, "type %u", type);
            check_key(&k->m, type, slots, &w);
            if (i > 0) {
                const int way = tw_bytes_compare(tw_writer_bytes(&last), tw_writer_bytes(&w));
                cr_assert_eq((way > 0) - (way < 0), order(&k->m, type, before, slots), "type %u",
                             type);
            }
            memcpy(before, slots, sizeof before);
            tw_writer_free(&last);
            last = w;
        }
        tw_writer_free(&last);
    }
    maker_free(k);
}

Test(module, keys_that_are_none)
{
    static const struct {
        uint16_t type;
        const char *bytes;
        size_t size;
    } bad[] = {
        {T_BOOL, "\2", 1},
        {T_ENUM, "\0\3", 2},
        {T_TEXT, "a", 1},
        {T_TEXT, "a\0", 2},
        {T_TEXT, "a\0\1", 3},
        {T_TEXT, "a\0\xFF\0\0", 5},
        {T_TEXT, "\xFF\0\0", 3},
        {T_OPTIONAL, "\2", 1},
        {W_BYTES, "1234567\0\0", 9},
        {T_TEXT, "aaaaaaaaaaaaa\0\0", 15},
        {T_INT, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8}, /* a time before the first */
        {T_INT, "\x80\0\0", 3},
        {W_PAIRS,
         "\1\x80\0\0\0\0\0\0\1\0\0\1\x80\0\0\0\0\0\0\1\0\0"
         "\1\x80\0\0\0\0\0\0\1\0\0\0",
         34}, /* three, of at most two */
    };
    maker *k = made();
    (void)wide_of(k);
    k->types[T_INT].quantity = TW_DIM_TIME;
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t room[16];
        tw_reader r = tw_reader_of(tw_bytes_of(bad[i].bytes, bad[i].size));
        cr_expect_eq(tw_key_decode(&k->m, bad[i].type, &r, room), TW_REFUSED_ENCODING, "%zu", i);
    }
    maker_free(k);
}

/* Slots that hold no value of the type: the code may have left anything in them. */
Test(module, slots_that_are_no_value)
{
    static const struct {
        uint16_t type;
        int64_t slots[8];
    } bad[] = {
        {T_BOOL, {2}},
        {T_BOOL, {-1}},
        {T_INT, {-1}},
        {T_INT, {(int64_t)1 << TW_TIME_BITS}},
        {T_ENUM, {3}},
        {T_TEXT, {13, 0, 0}},
        {T_TEXT, {-1, 0, 0}},
        {T_TEXT, {1, 0x6100000000000001, 0}},
        {T_TEXT, {1, 0x6100000000000000, 1}},
        {T_TEXT, {1, (int64_t)0xFF00000000000000, 0}},
        {T_OPTIONAL, {2, 0}},
        {T_OPTIONAL, {0, 1}},
        {T_OPTIONAL, {1, -1}},
        {T_RECORD, {0, 13, 0, 0}},
        {T_LIST, {4, 0, 0, 0}},
        {T_LIST, {-1, 0, 0, 0}},
        {T_LIST, {1, -1, 0, 0}},
        {T_LIST, {1, 0, 1, 0}},
        {W_PAIRS, {1, 0, 13, 0, 0, 0, 0, 0}},
        {W_FITTED, {1, 1, (int64_t)0xFF00000000000000, 0, 0, 0, 0}},
        {W_BYTES, {7, 0}},
    };
    maker *k = made();
    uint8_t memory[200];
    (void)wide_of(k);
    k->types[T_INT].quantity = TW_DIM_TIME;
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t slots[16] = {0};
        memcpy(slots, bad[i].slots, sizeof bad[i].slots);
        tw_writer w = tw_writer_fixed(memory, sizeof memory);
        cr_expect_eq(tw_value_encode(&k->m, bad[i].type, slots, &w), TW_TRAP_BAD_VALUE, "%zu", i);
        w = tw_writer_fixed(memory, sizeof memory);
        cr_expect_eq(tw_key_encode(&k->m, bad[i].type, slots, &w), TW_TRAP_BAD_VALUE, "%zu", i);
    }
    const int64_t number[1] = {5};
    tw_writer small = tw_writer_fixed(memory, 7);
    cr_expect_eq(tw_key_encode(&k->m, T_INT, number, &small), TW_TRAP_BAD_VALUE, "no room");
    maker_free(k);
}

/* ------------------------------------------------------------------ text */

#define ROW(op, a, b, c, x) tw_insn_make(TW_OP_##op, (a), (b), (c), (x))

/* Instructions over state say what they name, and only the slots that they use. */
Test(module, state_as_text)
{
    const struct {
        uint64_t insn;
        const char *text;
    } rows[] = {
        {ROW(LOAD, 8, 0, 0, W_MAP), "LOAD     s8 s0 map\n"},
        {ROW(LOAD, 8, 0, 0, T_INT), "LOAD     s8 n\n"},
        {ROW(REMOVE, 0, 3, 0, W_MAP), "REMOVE   s3 map\n"},
        {ROW(SIZE, 4, 0, 0, W_PARTS), "SIZE     s4 parts\n"},
        {ROW(TOP, 8, 0, W_PAIRS, W_MAP * 64), "TOP      s8 map a \"list of Pair max 2\"\n"},
        {ROW(FIND, 8, 9, 13, T_LIST), "FIND     s8 s9 s13 \"list of int max 3\"\n"},
        {ROW(ITEM, 8, 9, 13, W_FITTED), "ITEM     s8 s9 s13 \"things of parts max 2\"\n"},
        {ROW(ATTACH, 8, 9, 0, W_MACHINES * 64 + 2), "ATTACH   s8 s9 machines fitted\n"},
        {ROW(LOG, 8, 9, 0, W_PARTS), "LOG      s8 s9 parts History\n"},
        {ROW(PAY, 8, 0, 9, W_POT), "PAY      s8 - s9 pot\n"},
        {ROW(SHIFT, 8, 9, 0, W_STAKES * 256 + W_POT), "SHIFT    s8 s9 stakes pot\n"},
        {ROW(MINT, 8, 9, 0, W_TOKEN), "MINT     s8 s9 TOK\n"},
        {ROW(PURSE, 8, 0, 0, 99), "PURSE    s8 s0 99\n"},
        {ROW(STAT, 8, 9, 10, TW_STAT_MAX << 10 | W_FLOW), "STAT     s8 s9 s10 max flow\n"},
        {ROW(ACROSS, 8, 9, 0, TW_STAT_DEVICES << 10 | W_FLOW), "ACROSS   s8 s9 devices flow\n"},
        {ROW(HOLDS, 8, 9, 10, W_STAMP), "HOLDS    s8 s9 s10 1\n"},
        {ROW(HOLDS, 8, 9, 0, 0), "HOLDS    s8 s9 0\n"},
        {ROW(SILENT, 8, 9, 10, W_FLOW), "SILENT   s8 s9 s10 flow\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        maker *k = maker_new(&rows[i].insn, 1, true);
        tw_writer w = tw_writer_new(1024 * 1024);
        (void)wide_of(k);
        cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
        cr_assert_eq(tw_disasm(&k->m, NULL, k->arena, &w), TW_OK);
        tw_write_u8(&w, 0);
        cr_expect(strstr((const char *)w.data, rows[i].text) != NULL, "%s in %s", rows[i].text,
                  strstr((const char *)w.data, "function 2"));
        tw_writer_free(&w);
        maker_free(k);
    }
}

Test(module, declarations_of_state_as_text)
{
    const uint64_t code[] = {ROW(RET, 0, 0, 0, 0)};
    static const char *const lines[] = {
        "field map map key int value Pair max 4  ; field 8\n",
        "field machines registry key text(12) value Machine key_member 0 max 2  ; field 11\n",
        "money EUR currency decimals 2  ; money 0\n",
        "money TOK token decimals 6 supply 1000000  ; money 1\n",
        "purse pot of EUR  ; purse 0\n",
        "purse stakes of EUR per guard  ; purse 1\n",
        " per_device ",
        "upgrade guard count 2 delay d1\n",
        " fitted \"things of parts max 2\" }  ; type ",
    };
    maker *k = maker_new(code, 1, true);
    tw_writer w = tw_writer_new(1024 * 1024);
    (void)wide_of(k);
    k->m.upgrade = (tw_upgrade){1, 2, 1};
    cr_assert_eq(tw_module_derive(&k->m, &k->err), TW_OK);
    cr_assert_eq(tw_disasm(&k->m, NULL, k->arena, &w), TW_OK);
    tw_write_u8(&w, 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect(strstr((const char *)w.data, lines[i]) != NULL, "%s", lines[i]);
    }
    tw_writer_free(&w);
    maker_free(k);
}

/* ------------------------------------------------------------------ compiled files */

static tw_bytes debug_of(maker *k, tw_writer *w)
{
    tw_debug_line lines[] = {{0, 5}, {3, 9}};
    tw_debug_name names[] = {{"n", T_INT, 8, 0, 8}, {"far", TW_NONE, FRAME - 1, 2, 2}};
    tw_debug_function functions[FUNCTION_COUNT] = {{0}};
    functions[F_TESTED] = (tw_debug_function){lines, names, 2, 2};
    const tw_debug debug = {functions, FUNCTION_COUNT};
    (void)k;
    tw_debug_encode(&debug, w);
    return tw_writer_bytes(w);
}

Test(module, compiled_files)
{
    maker *k = made();
    tw_writer map = tw_writer_new(10000);
    tw_writer file = tw_writer_new(TW_CONTAINER_SIZE_MAX);
    const tw_bytes bytes = maker_bytes(k);
    const tw_bytes debug = debug_of(k, &map);
    tw_container_write(bytes, debug, &file);
    tw_bytes module = {0};
    tw_bytes found = {0};
    tw_err err;
    cr_assert_eq(tw_container_read(tw_writer_bytes(&file), &module, &found, &err), TW_OK);
    cr_expect(tw_bytes_equal(module, bytes));
    cr_expect(tw_bytes_equal(found, debug));
    for (size_t size = 0; size < file.size; size++) {
        cr_expect_eq(tw_container_read(tw_bytes_of(file.data, size), &module, &found, &err),
                     TW_REFUSED_ENCODING);
    }
    for (size_t at = 0; at < 5; at++) { /* what it is, and its format */
        file.data[at] ^= 1;
        cr_expect_eq(tw_container_read(tw_writer_bytes(&file), &module, &found, &err),
                     TW_REFUSED_ENCODING);
        file.data[at] ^= 1;
    }
    tw_write_u8(&file, 0);
    cr_expect_eq(tw_container_read(tw_writer_bytes(&file), &module, &found, &err),
                 TW_REFUSED_ENCODING);
    cr_expect_eq(tw_container_read(bytes, &module, &found, &err), TW_OK);
    cr_expect(tw_bytes_equal(module, bytes));
    cr_expect_eq(found.size, 0);
    tw_writer_free(&map);
    tw_writer_free(&file);
    maker_free(k);
}

/* A byte more; a name beyond the frame; lines that go back or stay. */
static void refused_maps(maker *k, tw_writer *map)
{
    tw_debug *debug = NULL;
    tw_write_u8(map, 0);
    cr_expect_eq(tw_debug_decode(tw_writer_bytes(map), &k->m, k->arena, &debug),
                 TW_REFUSED_ENCODING);
    const uint16_t types[] = {T_HASH, T_INT, T_INT};
    const uint32_t second[] = {3, 0, 2};
    for (size_t i = 0; i < 3; i++) {
        tw_debug_line lines[] = {{2, 5}, {second[i], 9}};
        tw_debug_name name = {"n", types[i], FRAME - 1, 0, 8};
        tw_debug_function functions[FUNCTION_COUNT] = {{0}};
        functions[F_TESTED] = (tw_debug_function){lines, &name, 2, 1};
        const tw_debug wrong = {functions, FUNCTION_COUNT};
        tw_writer_clear(map);
        tw_debug_encode(&wrong, map);
        cr_expect_eq(tw_debug_decode(tw_writer_bytes(map), &k->m, k->arena, &debug),
                     TW_REFUSED_ENCODING, "%zu", i);
    }
}

/* Of a long function: each line is found, and names beyond the most are refused. */
static void long_map(maker *k, tw_writer *map)
{
    enum { LONG_MAP = 70 };
    tw_debug *debug = NULL;
    tw_debug_name names[TW_DEBUG_NAMES_MAX + 1];
    tw_debug_function functions[FUNCTION_COUNT] = {{0}};
    const tw_debug whole = {functions, FUNCTION_COUNT};
    for (uint32_t i = 0; i <= TW_DEBUG_NAMES_MAX; i++) {
        names[i] = (tw_debug_name){"n", T_INT, 0, 0, 1};
    }
    for (uint32_t more = 0; more < 2; more++) {
        functions[F_TESTED] = (tw_debug_function){NULL, names, 0, TW_DEBUG_NAMES_MAX + more};
        tw_writer_clear(map);
        tw_debug_encode(&whole, map);
        cr_expect_eq(tw_debug_decode(tw_writer_bytes(map), &k->m, k->arena, &debug),
                     more == 0 ? TW_OK : TW_REFUSED_ENCODING);
    }
    tw_debug_line lines[LONG_MAP];
    functions[F_TESTED] = (tw_debug_function){lines, NULL, 0, 0};
    for (uint32_t i = 0; i < LONG_MAP; i++) lines[i] = (tw_debug_line){2 + 3 * i, 100 + i};
    for (uint32_t count = 0; count <= LONG_MAP; count++) {
        functions[F_TESTED].line_count = count;
        for (uint32_t pc = 0; pc < 3 * LONG_MAP + 5; pc++) {
            const uint32_t at = pc < 2 ? 0 : (pc - 2) / 3 + 1;
            const uint32_t met = at < count ? at : count;
            cr_expect_eq(tw_debug_line_of(&whole, F_TESTED, pc), met > 0 ? 99 + met : 0);
        }
    }
}

/* Bytes can't say it; a module that is made in memory can. */
Test(module, a_home_is_only_of_things)
{
    maker *k = made();
    k->types[T_INT].home = 1;
    cr_expect_eq(tw_module_derive(&k->m, &k->err), TW_REFUSED_MODULE);
    cr_expect_str_eq(k->err.text, "type 1: its parts do not make a type");
    maker_free(k);
}

Test(module, debug_maps)
{
    maker *k = made();
    tw_writer map = tw_writer_new(10000);
    const tw_bytes bytes = debug_of(k, &map);
    tw_debug *debug = NULL;
    cr_assert_eq(tw_debug_decode(bytes, &k->m, k->arena, &debug), TW_OK);
    cr_expect_eq(tw_debug_line_of(debug, F_TESTED, 0), 5);
    cr_expect_eq(tw_debug_line_of(debug, F_TESTED, 2), 5);
    cr_expect_eq(tw_debug_line_of(debug, F_TESTED, 7), 9);
    cr_expect_eq(tw_debug_line_of(debug, F_SUM, 0), 0);
    cr_expect_eq(tw_debug_line_of(debug, 99, 0), 0);
    cr_expect_eq(tw_debug_line_of(NULL, 0, 0), 0);
    cr_expect_str_eq(debug->functions[F_TESTED].names[0].name, "n");
    tw_writer text = tw_writer_new(1024 * 1024);
    cr_expect_eq(tw_disasm(&k->m, debug, k->arena, &text), TW_OK);
    tw_write_u8(&text, 0);
    cr_expect(strstr((const char *)text.data, "s8:n") != NULL);
    cr_expect(strstr((const char *)text.data, "; line 9") != NULL);
    tw_writer_free(&text);
    for (size_t size = 1; size < bytes.size; size++) {
        cr_expect_eq(tw_debug_decode(tw_bytes_of(bytes.data, size), &k->m, k->arena, &debug),
                     TW_REFUSED_ENCODING);
    }
    for (size_t at = 0; at < bytes.size; at++) {
        uint8_t *changed = tw_arena_get(k->arena, bytes.size);
        memcpy(changed, bytes.data, bytes.size);
        changed[at] ^= 0x80;
        const tw_status status =
            tw_debug_decode(tw_bytes_of(changed, bytes.size), &k->m, k->arena, &debug);
        cr_expect(status == TW_OK || status == TW_REFUSED_ENCODING);
        if (status != TW_OK) continue;
        tw_writer out = tw_writer_new(1024 * 1024);
        cr_expect_eq(tw_disasm(&k->m, debug, k->arena, &out), TW_OK);
        tw_writer_free(&out);
    }
    cr_expect_eq(tw_debug_decode((tw_bytes){0}, &k->m, k->arena, &debug), TW_OK);
    cr_expect_eq(debug->function_count, 0);
    refused_maps(k, &map);
    tw_writer_free(&map);
    map = tw_writer_new(100000);
    long_map(k, &map);
    tw_writer_free(&map);
    maker_free(k);
}
