/* test_module -- the one byte string of a module: what is written is read back the same, and
 * nothing else is read. Every cut, every changed byte, every count over its limit. Compiled files
 * and debug maps likewise. */
#include "tests/unit/module_fixture.h"

#include "vm/isa/disasm.h"
#include "vm/isa/value.h"

#include <stdio.h>

static const uint64_t only_ret[] = {0x01};

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

Test(module, lists_end_at_their_limits)
{
    for (uint16_t more = 0; more <= 1; more++) {
        maker *k = made();
        tw_module *m = NULL;
        k->m.constant_count = (uint16_t)(TW_CONSTANTS_MAX + more);
        k->m.constants = TW_NEW_ARRAY(k->arena, int64_t, k->m.constant_count);
        cr_expect_eq(decode(maker_bytes(k), k->arena, &m), more ? TW_REFUSED_MODULE : TW_OK);
        maker_free(k);
        k = made();
        k->m.role_count = (uint16_t)(TW_ROLES_MAX + more);
        k->m.roles = TW_NEW_ARRAY(k->arena, tw_role, k->m.role_count);
        for (uint16_t i = 0; i < k->m.role_count; i++) k->m.roles[i] = (tw_role){"r", 1, 0, 0};
        cr_expect_eq(decode(maker_bytes(k), k->arena, &m), more ? TW_REFUSED_MODULE : TW_OK);
        maker_free(k);
        k = made();
        k->m.event_count = (uint16_t)(TW_NAMES_MAX + more);
        k->m.events = TW_NEW_ARRAY(k->arena, tw_notice, k->m.event_count);
        for (uint16_t i = 0; i < k->m.event_count; i++) k->m.events[i].name = "e";
        cr_expect_eq(decode(maker_bytes(k), k->arena, &m), more ? TW_REFUSED_MODULE : TW_OK);
        maker_free(k);
    }
}

/* Types inside types: 32 levels, and no more slots than a frame has. */
Test(module, types_nest_and_grow_to_a_limit)
{
    for (uint16_t depth = TW_TYPE_DEPTH_MAX; depth <= TW_TYPE_DEPTH_MAX + 1; depth++) {
        maker *k = maker_new(only_ret, 1, false);
        tw_type *types = TW_NEW_ARRAY(k->arena, tw_type, 64);
        memcpy(types, k->types, sizeof k->types);
        for (uint16_t i = 0; i + 1 < depth; i++) { /* around T_INT, whose depth is 1 */
            const uint16_t of = i == 0 ? T_INT : (uint16_t)(T_EIGHT + i);
            types[T_EIGHT + 1 + i] = (tw_type){.kind = TW_KIND_OPTIONAL, .of = of, .name = ""};
        }
        k->m.types = types;
        k->m.type_count = (uint16_t)(T_EIGHT + depth);
        const tw_status wanted = depth == TW_TYPE_DEPTH_MAX ? TW_OK : TW_REFUSED_MODULE;
        cr_expect_eq(tw_module_derive(&k->m, &k->err), wanted, "%u: %s", depth, k->err.text);
        maker_free(k);
    }
    maker *k = maker_new(only_ret, 1, false);
    k->types[T_LIST].of = T_TEXT; /* 3 slots each */
    k->types[T_LIST].max = 2730;
    cr_expect_eq(tw_module_derive(&k->m, &k->err), TW_OK, "%s", k->err.text);
    k->types[T_LIST].max = 2731;
    cr_expect_eq(tw_module_derive(&k->m, &k->err), TW_REFUSED_MODULE);
    maker_free(k);
}

/* ------------------------------------------------------------------ values */

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
        cr_assert(tw_slots_from_text(tw_bytes_of(words[i], strlen(words[i])), 12, slots));
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
    tw_writer_free(&map);
    maker_free(k);
}
