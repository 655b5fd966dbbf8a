/* test_witness -- proof files: what they show, and that no changed one passes: each byte of many
 * files, also where a forger mends the hash at the end; histories that lack, repeat or swap
 * entries. */
#include "tests/unit/ledger_fixture.h"
#include "vm/exec/field.h"
#include "vm/ledger/node.h"
#include "vm/ledger/witness.h"

#include <criterion/criterion.h>

enum { HEADER_AT = 5, ROOT_AT = HEADER_AT + TW_HEADER_SIZE - TW_HASH_SIZE, WORKS = 5, LOOKS = 3 };

static const char shop_source[] =
    "contract Shop version 1 {\n"
    "  role owner\n"
    "  asset Machine { serial: text(12), hours: int }\n"
    "  registry machines : Machine by serial max 8\n"
    "  map marks : text(12) -> int max 8\n"
    "  var level : int = 7\n"
    "  action make(serial: text(12)) by owner {\n"
    "    create Machine(serial: serial, hours: 0) in machines owned by caller\n"
    "  }\n"
    "  action mark(name: text(12)) by owner { marks[name] = 9 }\n"
    "  action work(serial: text(12)) by owner {\n"
    "    machines[serial].hours += 1\n"
    "    history Worked(hours: machines[serial].hours) of machines[serial]\n"
    "  }\n"
    "  action look() by owner { history Looked(level: level) level += 1 }\n"
    "}\n";

typedef struct shop {
    rig *r;
    tw_arena *arena;
    tw_writer file;
} shop;

static void act(rig *r, int64_t minute, const char *entry, const char *argument)
{
    uint8_t memory[40];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    if (argument[0] != '\0') tw_write_text(&w, argument);
    cr_assert_eq(call(r, start_time + minute * MINUTE, OWNER, entry, tw_writer_bytes(&w)), TW_OK);
}

/* Machines a and b; five works at a between others, two at b, three looks. */
static shop shop_new(void)
{
    const tw_genesis genesis = {.name = "test", .time = start_time};
    rig *r = rig_on(store_in_memory(), shop_source, &genesis);
    const tw_tx_role role = {&r->accounts[OWNER], 1};
    const who sender = OWNER;
    tw_tx_role roles[1] = {role};
    tw_tx tx = {.kind = TW_TX_DEPLOY, .module = r->module, .roles = roles, .role_count = 1};
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &sender, 1), TW_OK);
    r->contract = r->receipt.run.contract;
    (void)commit(r);
    act(r, 1, "make", "a");
    act(r, 1, "make", "b");
    act(r, 1, "mark", "zoe");
    for (int i = 0; i < WORKS; i++) {
        act(r, 2 + i, "work", "a");
        if (i < LOOKS) act(r, 2 + i, "look", "");
        if (i < 2) act(r, 2 + i, "work", "b");
    }
    return (shop){r, tw_arena_new(256 * MIB), tw_writer_new(64 * MIB)};
}

static void shop_free(shop *s)
{
    tw_writer_free(&s->file);
    tw_arena_free(s->arena);
    rig_free(s->r);
}

static const tw_field *field_named(const shop *s, const char *name)
{
    const tw_module *m = s->r->code->module;
    for (uint16_t i = 0; i < m->field_count; i++) {
        if (strcmp(m->fields[i].name, name) == 0) return &m->fields[i];
    }
    cr_assert(false, "no field is named %s", name);
    return NULL;
}

/* The state's key of a field, or of what a text leads to in it. */
static tw_key key_in(const shop *s, const char *field, const char *of)
{
    tw_key key = tw_key_of(TW_SPACE_FIELD, &s->r->contract);
    tw_key_u32(&key, field_named(s, field)->id);
    if (of != NULL) {
        tw_key_raw(&key, of, strlen(of));
        tw_key_u16(&key, 0);
    }
    return key;
}

static tw_witness prove(shop *s, const tw_key *key, bool code)
{
    tw_witness witness;
    cr_assert_eq(
        tw_ledger_prove(s->r->ledger, tw_key_bytes(key), code, s->arena, &witness, &s->r->err),
        TW_OK, "%s", s->r->err.text);
    return witness;
}

/* Of machine `serial`, or, with NULL, of the contract. */
static tw_witness prove_history(shop *s, const char *serial)
{
    tw_witness witness;
    uint8_t memory[20];
    tw_writer w = tw_writer_fixed(memory, sizeof memory);
    tw_history_of of = {.contract = s->r->contract, .thing = serial != NULL};
    if (serial != NULL) {
        tw_write_text(&w, serial);
        of.field = field_named(s, "machines")->id;
        of.key = tw_writer_bytes(&w);
        of.record = key_in(s, "machines", serial);
    }
    cr_assert_eq(tw_ledger_prove_history(s->r->ledger, &of, s->arena, &witness, &s->r->err), TW_OK,
                 "%s", s->r->err.text);
    return witness;
}

static tw_status check_all(const tw_witness *w, const tw_hash *root, const tw_hash *block,
                           const tw_module *m)
{
    tw_err err;
    TW_TRY(tw_witness_check(w, root, block, &err));
    return w->history ? tw_witness_check_history(w, m, &err) : TW_OK;
}

static tw_bytes encode(shop *s, const tw_witness *w)
{
    tw_writer_clear(&s->file);
    tw_witness_encode(w, &s->file);
    cr_assert(!s->file.bad);
    return tw_writer_bytes(&s->file);
}

/* Decodes to the same and holds against both. */
static void holds(shop *s, const tw_witness *witness)
{
    const tw_block_info *head = tw_ledger_head(s->r->ledger);
    const tw_module *m = s->r->code->module;
    const tw_bytes file = encode(s, witness);
    tw_witness again;
    cr_assert_eq(tw_witness_decode(file, s->arena, &again), TW_OK);
    cr_assert_eq(check_all(&again, &head->state_root, NULL, m), TW_OK);
    cr_assert_eq(check_all(&again, NULL, &head->hash, m), TW_OK);
    cr_assert_eq(check_all(&again, &head->state_root, &head->hash, m), TW_OK);
    cr_assert_neq(check_all(&again, &head->hash, NULL, m), TW_OK);
    cr_assert_neq(check_all(&again, NULL, &head->state_root, m), TW_OK);
    tw_writer w = tw_writer_new(64 * MIB);
    tw_witness_encode(&again, &w);
    cr_assert(tw_bytes_equal(tw_writer_bytes(&w), file));
    tw_writer_free(&w);
}

Test(witness, what_is_there)
{
    shop s = shop_new();
    const struct {
        const char *field, *of;
        size_t size; /* of the value; 0: absent */
    } cases[] = {{"level", NULL, 9},  {"marks", "zoe", 9}, {"marks", NULL, 5},
                 {"marks", "bob", 0}, {"marks", "", 0},    {"machines", NULL, 5},
                 {"machines", "c", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const tw_key key = key_in(&s, cases[i].field, cases[i].of);
        const tw_witness w = prove(&s, &key, true);
        cr_assert_eq(w.facts[0].found, cases[i].size > 0);
        cr_assert_eq(w.facts[0].value.size, cases[i].size);
        cr_assert_eq(w.fact_count, 3, "itself, the contract's record, the code");
        holds(&s, &w);
        const tw_witness bare = prove(&s, &key, false);
        cr_assert_eq(bare.fact_count, 2);
        holds(&s, &bare);
        tw_arena_clear(s.arena);
    }
    shop_free(&s);
}

Test(witness, the_code_inside)
{
    shop s = shop_new();
    const tw_key key = key_in(&s, "level", NULL);
    const tw_witness w = prove(&s, &key, true);
    tw_hash contract, code;
    tw_bytes module;
    cr_assert(tw_witness_contract(w.facts[0].key, &contract));
    cr_assert(tw_hash_equal(&contract, &s.r->contract));
    cr_assert(tw_witness_code(&w, &contract, &code));
    cr_assert(tw_witness_module(&w, &code, &module));
    cr_assert(tw_bytes_equal(module, s.r->module));
    const tw_hash hash = tw_module_hash(module);
    cr_assert(tw_hash_equal(&hash, &code));
    shop_free(&s);
}

/* Keys of every space, of contracts that are not there, and of no space at all. */
Test(witness, keys_of_all_kinds)
{
    shop s = shop_new();
    uint64_t seed = 11;
    for (int space = 0; space < 256; space++) {
        tw_key key = tw_key_start((tw_space)space);
        holds(&s, &(tw_witness[]){prove(&s, &key, true)}[0]);
        tw_key_raw(&key, s.r->contract.bytes, TW_HASH_SIZE);
        holds(&s, &(tw_witness[]){prove(&s, &key, true)}[0]);
        while (key.size < 100) tw_key_u8(&key, (uint8_t)random_next(&seed));
        holds(&s, &(tw_witness[]){prove(&s, &key, true)}[0]);
        tw_arena_clear(s.arena);
    }
    tw_witness w;
    cr_assert_eq(tw_ledger_prove(s.r->ledger, tw_bytes_of("", 0), true, s.arena, &w, &s.r->err),
                 TW_REFUSED_ARGUMENT);
    shop_free(&s);
}

/* ---- files that were changed ---- */

static void mend(uint8_t *file, size_t size)
{
    const tw_bytes whole = tw_bytes_of(file, size - TW_HASH_SIZE);
    const tw_hash hash = tw_hash_tagged("twvm/witness", &whole, 1);
    memcpy(file + size - TW_HASH_SIZE, hash.bytes, TW_HASH_SIZE);
}

/* Whether a file of these bytes passes. */
static bool passes(shop *s, const uint8_t *file, size_t size, const tw_hash *root,
                   const tw_hash *block)
{
    tw_witness w;
    const tw_mark mark = tw_arena_mark(s->arena);
    const bool good = tw_witness_decode(tw_bytes_of(file, size), s->arena, &w) == TW_OK &&
                      check_all(&w, root, block, s->r->code->module) == TW_OK;
    tw_arena_reset(s->arena, mark);
    return good;
}

/* Byte `at` stands in the key of the first fact, whose absence is shown, and the changed key is
 * absent too: one way to an empty place speaks for all keys that lead there. */
static bool says_truth(shop *s, const tw_witness *witness, const uint8_t *file, size_t at)
{
    const size_t key_at = HEADER_AT + TW_HEADER_SIZE + 2 + 2;
    const tw_witness_fact *fact = &witness->facts[0];
    tw_bytes value;
    bool found = true;
    if (fact->found || at < key_at || at >= key_at + fact->key.size) return false;
    cr_assert_eq(tw_store_get(s->r->store, TW_TABLE_STATE,
                              tw_bytes_of(file + key_at, fact->key.size), s->arena, &value, &found),
                 TW_OK);
    return !found;
}

/* Each byte changed by some bits: with the hash as it was none passes; with the hash mended the
 * block's hash lets none pass but what is true, and the root also what it says nothing of: the rest
 * of the header. */
static void change_each_byte(shop *s, const tw_witness *witness, uint64_t *seed)
{
    const tw_block_info head = *tw_ledger_head(s->r->ledger);
    const tw_bytes file = encode(s, witness);
    uint8_t *bad = (uint8_t *)tw_arena_copy(s->arena, file.data, file.size);
    const size_t size = file.size;
    for (size_t i = 0; i < size; i++) {
        const uint8_t was = bad[i];
        bad[i] ^= (uint8_t)(1 + random_below(seed, 255));
        cr_assert(!passes(s, bad, size, &head.state_root, NULL), "byte %zu", i);
        if (i >= size - TW_HASH_SIZE) {
            bad[i] = was;
            continue;
        }
        mend(bad, size);
        const bool header = i >= HEADER_AT + 1 && i < ROOT_AT;
        const bool by_block = passes(s, bad, size, NULL, &head.hash);
        const bool by_root = passes(s, bad, size, &head.state_root, NULL);
        if (by_block) cr_assert(says_truth(s, witness, bad, i), "byte %zu, mended", i);
        cr_assert_eq(by_root, header || by_block, "byte %zu, mended", i);
        bad[i] = was;
        mend(bad, size);
    }
    cr_assert(passes(s, bad, size, &head.state_root, &head.hash), "it is as it was");
    for (size_t i = 0; i < size; i += 1 + random_below(seed, 40)) {
        cr_assert(!passes(s, bad, i, NULL, &head.hash), "cut to %zu", i);
    }
}

Test(witness, no_changed_byte_passes)
{
    uint64_t seed = 20260123;
    shop s = shop_new();
    const tw_key keys[] = {key_in(&s, "level", NULL),
                           key_in(&s, "marks", "zoe"),
                           key_in(&s, "marks", "bob"),
                           key_in(&s, "machines", "a"),
                           tw_key_of(TW_SPACE_CONTROL, &s.r->contract),
                           tw_key_of(TW_SPACE_CONTRACT, &s.r->contract)};
    printf("# seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const tw_witness w = prove(&s, &keys[i], i == 0);
        change_each_byte(&s, &w, &seed);
        tw_arena_clear(s.arena);
    }
    for (int i = 0; i < 3; i++) {
        const tw_witness w = prove_history(&s, i == 0 ? "a" : (i == 1 ? "b" : NULL));
        change_each_byte(&s, &w, &seed);
        tw_arena_clear(s.arena);
    }
    shop_free(&s);
}

/* ---- histories ---- */

static tw_status judge(shop *s, const tw_witness *w, const tw_module *m)
{
    return check_all(w, NULL, &tw_ledger_head(s->r->ledger)->hash, m);
}

Test(witness, whole_histories)
{
    shop s = shop_new();
    const tw_module *m = s.r->code->module;
    const tw_witness a = prove_history(&s, "a");
    cr_assert_eq(a.entry_count, WORKS);
    holds(&s, &a);
    cr_assert_neq(judge(&s, &a, NULL), TW_OK, "a thing is known by the module");
    const tw_witness own = prove_history(&s, NULL);
    cr_assert_eq(own.entry_count, LOOKS);
    holds(&s, &own);
    cr_assert_eq(judge(&s, &own, NULL), TW_OK, "a contract is known by its key");
    act(s.r, 60, "make", "new");
    const tw_witness none = prove_history(&s, "new");
    cr_assert(none.history && none.entry_count == 0);
    cr_assert_eq(judge(&s, &none, m), TW_OK);
    shop_free(&s);
}

Test(witness, histories_that_lie)
{
    shop s = shop_new();
    const tw_module *m = s.r->code->module;
    tw_witness a = prove_history(&s, "a");
    const tw_witness b = prove_history(&s, "b");
    const tw_witness_entry last = a.entries[WORKS - 1];
    a.entry_count--;
    cr_assert_neq(judge(&s, &a, m), TW_OK, "the last one missing");
    a.entries++;
    cr_assert_neq(judge(&s, &a, m), TW_OK, "the first one missing");
    a.entries--;
    a.entry_count++;
    a.entries[WORKS - 1] = a.entries[WORKS - 2];
    cr_assert_neq(judge(&s, &a, m), TW_OK, "one twice");
    a.entries[WORKS - 2] = last;
    cr_assert_neq(judge(&s, &a, m), TW_OK, "two swapped");
    a.entries[WORKS - 2] = a.entries[WORKS - 1];
    a.entries[WORKS - 1] = b.entries[1];
    cr_assert_neq(judge(&s, &a, m), TW_OK, "another machine's");
    a.entries[WORKS - 1] = last;
    cr_assert_eq(judge(&s, &a, m), TW_OK);
    a.entries[0].code = 0;
    cr_assert_neq(judge(&s, &a, m), TW_OK, "a module that is none");
    a.entries = NULL;
    a.entry_count = 0;
    cr_assert_neq(judge(&s, &a, m), TW_OK, "all missing");
    shop_free(&s);
}

/* What a contract writes into a map is no record of a history, whatever it looks like. */
Test(witness, a_history_of_what_has_none)
{
    shop s = shop_new();
    const tw_module *m = s.r->code->module;
    const tw_key keys[] = {key_in(&s, "marks", "zoe"),
                           key_in(&s, "machines", NULL),
                           key_in(&s, "machines", "c"),
                           key_in(&s, "level", NULL),
                           tw_key_of(TW_SPACE_CONTRACT, &s.r->contract),
                           tw_key_start(TW_SPACE_CHAIN)};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        tw_witness w = prove(&s, &keys[i], true);
        cr_assert_eq(judge(&s, &w, m), TW_OK);
        w.history = true;
        cr_assert_neq(judge(&s, &w, m), TW_OK, "key %zu", i);
    }
    shop_free(&s);
}

/* At each height: the facts and the history as they were then. */
Test(witness, of_the_past)
{
    shop s = shop_new();
    tw_ledger *present = s.r->ledger;
    const uint64_t newest = tw_ledger_head(present)->height;
    const tw_key level = key_in(&s, "level", NULL);
    const tw_key machine = key_in(&s, "machines", "a");
    uint32_t looks = 0;
    for (uint64_t h = 1; h <= newest; h++) {
        cr_assert_eq(tw_ledger_open_past(present, h, &s.r->ledger, &s.r->err), TW_OK, "%s",
                     s.r->err.text);
        tw_witness w = prove(&s, &machine, true);
        cr_assert_eq(w.block.height, h);
        cr_assert_eq(w.facts[0].found, h >= 2);
        holds(&s, &w);
        w = prove(&s, &level, false);
        holds(&s, &w);
        const uint64_t value = tw_load_u64(w.facts[0].value.data + 1);
        w = prove_history(&s, NULL);
        holds(&s, &w);
        cr_assert_eq(w.entry_count + 7, value, "each look makes the level one more");
        cr_assert(w.entry_count == looks || w.entry_count == looks + 1);
        looks = w.entry_count;
        tw_writer_clear(&s.file);
        cr_assert_eq(tw_ledger_prove_ics23(s.r->ledger, tw_key_bytes(&machine), &s.file, &s.r->err),
                     TW_OK);
        tw_ledger_close(s.r->ledger);
        tw_arena_clear(s.arena);
    }
    cr_assert_eq(looks, LOOKS);
    s.r->ledger = present;
    shop_free(&s);
}

/* ICS-23 of the same fact is made too; its meaning is judged by tests/ics23. */
Test(witness, ics23)
{
    shop s = shop_new();
    const tw_key there = key_in(&s, "level", NULL);
    const tw_key absent = key_in(&s, "marks", "bob");
    tw_writer_clear(&s.file);
    cr_assert_eq(tw_ledger_prove_ics23(s.r->ledger, tw_key_bytes(&there), &s.file, &s.r->err),
                 TW_OK);
    cr_assert_eq(s.file.data[0], 0x0a, "an existence");
    tw_writer_clear(&s.file);
    cr_assert_eq(tw_ledger_prove_ics23(s.r->ledger, tw_key_bytes(&absent), &s.file, &s.r->err),
                 TW_OK);
    cr_assert_eq(s.file.data[0], 0x12, "an absence");
    shop_free(&s);
}
