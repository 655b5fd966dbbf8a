/* test_upgrade -- another module in the place of a contract's: what stays, what goes, who must
 * consent and when, and every reason to refuse. Modules are made by hand from a plan each, so that
 * a test says what differs between two versions. */
#include "tests/unit/builder_fixture.h"
#include "tests/unit/ledger_fixture.h"
#include "vm/isa/value.h"

enum { T_INT, T_TEXT, T_ACCOUNT, T_COIN, T_PART, T_PARTS, T_MACHINE, T_OPTIONAL };
enum { CONDITION_ON, CONDITION_OFF };
enum { EVERY = 10 * MINUTE, LEVEL = 100, DELAY = DAY, SLOT = 40 };

/* How a version differs from the first: zeros are the first version itself. */
typedef struct plan {
    uint32_t version; /* 0: 1 */
    const char *name; /* NULL: "Demo" */
    bool migrate;     /* has a MIGRATE entry */
    bool old;         /* which declares the first version's state */
    bool closed;      /* no upgrade clause */
    bool delayed;     /* a day between consent and upgrade */
    bool turned;      /* the phases stand in the other order */
    bool lean;        /* var `gone` and map `lost` are not there */
    bool other_old;   /* its old state is not the stored one's */
    bool more;        /* var `more` = 10 * count */
    bool unset;       /* which migrate leaves unset */
    bool traps;       /* migrate traps */
    bool no_phase_b;
    bool no_purse;
    bool no_keeper;
    bool small_keeper;
    bool guest; /* a role more */
    bool guest_granted;
    bool no_coin;
    bool euro; /* a currency more */
    bool gold; /* a token more */
    const char *gold_name;
    bool no_machines;
    bool machines_first; /* the registries stand in the other order */
    bool narrow;         /* param `limit` only up to 5 */
    bool no_alarm;
    bool keep;  /* another window */
    bool wide;  /* keepers send readings too */
    bool watch; /* one sensor, whose silence is waited for; a purse that falls to somebody */
    int64_t level;
} plan;

static void plan_types(builder *b, const plan *p)
{
    const uint16_t parts = p->machines_first ? 1 : 0;
    const part part_parts[] = {{"serial", T_INT}, {NULL, 0}};
    const part machine[] = {{"serial", T_INT}, {"fitted", T_PARTS}, {NULL, 0}};
    const part note[] = {{"n", T_INT}, {NULL, 0}};
    build_type(b, (tw_type){.kind = TW_KIND_INT, .quantity = 1});
    build_type(b, (tw_type){.kind = TW_KIND_TEXT, .max = 8});
    build_type(b, (tw_type){.kind = TW_KIND_ACCOUNT});
    build_type(b, (tw_type){.kind = p->no_coin ? TW_KIND_HASH : TW_KIND_MONEY});
    build_record(b, "Part", part_parts);
    build_type(b, (tw_type){.kind = TW_KIND_THINGS, .of = T_INT, .home = parts, .max = 3});
    build_record(b, "Machine", machine);
    build_type(b, (tw_type){.kind = TW_KIND_OPTIONAL, .of = T_INT});
    b->m.histories[b->m.history_count++] = (tw_notice){"Note", build_members(b, note)};
}

static void plan_declarations(builder *b, const plan *p)
{
    tw_module *m = &b->m;
    static uint8_t five[8] = {0, 0, 0, 0, 0, 0, 0, 5};
    const uint8_t both = TW_ROLE_GRANTED | TW_ROLE_REVOKED;
    m->roles[m->role_count++] = (tw_role){"owner", 1, 1, 0};
    if (!p->no_keeper) {
        m->roles[m->role_count++] = (tw_role){"keeper", p->small_keeper ? 2 : 3, 2, both};
    }
    m->roles[m->role_count++] = (tw_role){"sensor", p->watch ? 1 : 2, 0, both};
    if (p->guest || p->guest_granted) {
        m->roles[m->role_count++] = (tw_role){"guest", 2, 0, p->guest_granted ? both : 0};
    }
    if (p->gold) m->monies[m->money_count++] = (tw_money){"GOLD", TW_MONEY_TOKEN, 0, 50};
    if (!p->no_coin) m->monies[m->money_count++] = (tw_money){"COIN", TW_MONEY_TOKEN, 2, 1000};
    if (p->euro) m->monies[m->money_count++] = (tw_money){"EUR", TW_MONEY_CURRENCY, 2, 0};
    if (p->gold) m->types[T_COIN].of = 1;
    m->params[m->param_count++] =
        (tw_param){"limit", T_INT, true, 0, p->narrow ? 5 : 100, tw_bytes_of(five, 8)};
    m->deployed_count = 3; /* EVERY, level, DELAY */
    if (!p->no_purse && !p->no_coin) {
        m->purses[m->purse_count++] = (tw_purse){.name = "till", .role = TW_NONE};
        m->purses[0].money = p->gold ? 1 : 0;
    }
    if (p->turned && !p->no_phase_b) (void)build_phase(b, "B");
    (void)build_phase(b, "A");
    if (!p->turned && !p->no_phase_b) (void)build_phase(b, "B");
    if (!p->no_phase_b) {
        m->arrows[m->arrow_count++] = (tw_arrow){0, 1};
        m->arrows[m->arrow_count++] = (tw_arrow){1, 0};
    }
    m->upgrade = p->closed ? (tw_upgrade){TW_NONE, 0, TW_NONE}
                           : (tw_upgrade){1, 2, p->delayed ? 2 : TW_NONE};
}

enum { PARTS, MACHINES, COUNT, SCORES, FIELDS_END };

static void plan_fields(builder *b, const plan *p)
{
    if (p->machines_first) build_registry(b, "machines", T_INT, T_MACHINE, 4);
    build_registry(b, "parts", T_INT, T_PART, 4);
    if (!p->machines_first) {
        build_registry(b, p->no_machines ? "engines" : "machines", T_INT, T_MACHINE, 4);
    }
    build_var(b, "count", T_INT, false);
    build_map(b, "scores", T_TEXT, T_INT, 4);
    if (!p->lean) {
        build_var(b, "gone", T_INT, false);
        build_map(b, "lost", T_INT, T_INT, 4);
    }
    if (p->more) build_var(b, "more", T_INT, false);
    if (!p->old) return;
    /* the first version's, once more */
    const uint16_t first = b->m.field_count;
    build_registry(b, "parts", T_INT, T_PART, 4);
    build_registry(b, "machines", T_INT, T_MACHINE, 4);
    build_var(b, "count", T_INT, true);
    build_map(b, "scores", T_TEXT, T_INT, p->other_old ? 5 : 4);
    build_var(b, "gone", T_INT, true);
    build_map(b, "lost", T_INT, T_INT, 4);
    for (uint16_t i = first; i < b->m.field_count; i++) b->m.fields[i].old = true;
}

static void plan_readings(builder *b, const plan *p)
{
    tw_module *m = &b->m;
    const uint64_t on[] = {tw_insn_make30(TW_OP_LDI, 0, 0, 1), tw_insn_make(TW_OP_RET, 0, 0, 0, 0)};
    const uint64_t off[] = {tw_insn_make30(TW_OP_LDI, 0, 0, 0),
                            tw_insn_make(TW_OP_RET, 0, 0, 0, 0)};
    (void)build_function(b, "on", 0, 1, on, 2);
    (void)build_function(b, "off", 0, 1, off, 2);
    if (p->no_keeper) return;
    m->readings[m->reading_count++] = (tw_reading){.name = "level",
                                                   .field = "level",
                                                   .type = T_INT,
                                                   .role = 2,
                                                   .per_device = !p->watch,
                                                   .low = -1000,
                                                   .high = 1000,
                                                   .rate_count = 1,
                                                   .rate_ms = 1000,
                                                   .keep = p->keep ? 20 : 200,
                                                   .age_max_ms = HOUR,
                                                   .gap_ms = HOUR};
    if (p->wide) {
        m->readings[1] = m->readings[0];
        m->readings[1].name = "mood";
        m->readings[1].role = 1;
        m->reading_count++;
    }
    m->stamps[m->stamp_count++] = (tw_stamp){0, TW_STAMP_ABOVE, 1, TW_NONE};
    if (p->no_alarm) return;
    m->alarms[m->alarm_count++] = (tw_alarm){"hot", CONDITION_ON, CONDITION_OFF, 1};
}

/* The deploy constants: in DEPLOY and, for an upgrade, in MIGRATE. */
static uint32_t constants(const plan *p, uint64_t *code)
{
    const int64_t level = p->level != 0 ? p->level : LEVEL;
    code[0] = tw_insn_make30(TW_OP_LDI, 0, 0, EVERY);
    code[1] = tw_insn_make(TW_OP_STC, 0, 0, 0, 0);
    code[2] = tw_insn_make30(TW_OP_LDI, 0, 0, (int32_t)level);
    code[3] = tw_insn_make(TW_OP_STC, 0, 0, 0, 1);
    code[4] = tw_insn_make30(TW_OP_LDI, 0, 0, DELAY);
    code[5] = tw_insn_make(TW_OP_STC, 0, 0, 0, 2);
    return 6;
}

static void plan_first_entries(builder *b, const plan *p)
{
    uint64_t deploy[20] = {0};
    uint64_t migrate[20] = {0};
    uint32_t n = constants(p, deploy);
    deploy[n++] = tw_insn_make(TW_OP_ZERO, 1, 0, 0, 1);
    deploy[n++] = tw_insn_make(TW_OP_STORE, 1, 0, 0, COUNT);
    if (!p->lean) deploy[n++] = tw_insn_make(TW_OP_STORE, 1, 0, 0, FIELDS_END);
    const uint16_t more = p->lean ? FIELDS_END : FIELDS_END + 2;
    if (p->more) deploy[n] = tw_insn_make(TW_OP_STORE, 1, 0, 0, more);
    build_entry(b, TW_ENTRY_DEPLOY, "deploy", NULL, TW_NONE, 0, deploy);
    if (!p->migrate) return;
    n = constants(p, migrate);
    if (p->more && !p->unset) {
        migrate[n++] = tw_insn_make(TW_OP_LOAD, 1, 0, 0, p->old ? more + 3u : COUNT);
        migrate[n++] = tw_insn_make30(TW_OP_LDI, 2, 0, 10);
        migrate[n++] = tw_insn_make(TW_OP_MUL, 1, 1, 2, 0);
        migrate[n++] = tw_insn_make(TW_OP_STORE, 1, 0, 0, more);
    }
    migrate[n++] = tw_insn_make30(TW_OP_LDI, 1, 0, 77);
    migrate[n++] = tw_insn_make(TW_OP_HISTORY, 1, 0, 0, 0);
    if (p->traps) migrate[n] = tw_insn_make(TW_OP_TRAP, 0, 0, 0, TW_TRAP_OVERFLOW);
    build_entry(b, TW_ENTRY_MIGRATE, "migrate", NULL, TW_NONE, 0, migrate);
}

static void plan_actions(builder *b, const plan *p)
{
    const part number[] = {{"n", T_INT}, {NULL, 0}};
    const part pair[] = {{"k", T_TEXT}, {"v", T_INT}, {NULL, 0}};
    const part who_[] = {{"a", T_ACCOUNT}, {NULL, 0}};
    const uint32_t parts = p->machines_first ? 1 : 0;
    const uint32_t machines = p->machines_first ? 0 : 1;
    const uint64_t add[] = {
        tw_insn_make(TW_OP_LOAD, 1, 0, 0, COUNT), tw_insn_make(TW_OP_ADD, 1, 1, 0, 0),
        tw_insn_make(TW_OP_STORE, 1, 0, 0, COUNT), tw_insn_make(TW_OP_HISTORY, 1, 0, 0, 0), 0};
    const uint64_t put[] = {tw_insn_make(TW_OP_STORE, 2, 0, 0, SCORES), 0};
    const uint64_t lose[] = {tw_insn_make(TW_OP_STORE, 0, 0, 0, FIELDS_END + 1), 0};
    const uint64_t mint[] = {tw_insn_make(TW_OP_MINTIN, 0, 0, 0, 0), 0};
    const uint64_t go[] = {tw_insn_make(TW_OP_GO, 0, 0, 0, 1), 0};
    const uint64_t make[] = {/* a part and a machine n of the sender, one attached to the other */
                             tw_insn_make(TW_OP_CALLER, SLOT, 0, 0, 0),
                             tw_insn_make(TW_OP_MOV, 1, 0, 0, 0),
                             tw_insn_make(TW_OP_CREATE, 0, SLOT, 0, parts),
                             tw_insn_make(TW_OP_CREATE, 1, SLOT, 0, machines),
                             tw_insn_make(TW_OP_ATTACH, 0, 0, 0, 64 * machines + 1),
                             0};
    const uint64_t hire[] = {tw_insn_make(TW_OP_GRANT, 0, 0, 0, 2), 0};
    const uint64_t fire[] = {tw_insn_make(TW_OP_REVOKE, 0, 0, 0, 2), 0};
    const uint64_t grow[] = {tw_insn_make(TW_OP_DETACH, 0, 0, 0, parts), 0};
    build_entry(b, TW_ENTRY_ACTION, "add", number, TW_NONE, 0, add);
    build_entry(b, TW_ENTRY_ACTION, "put", pair, TW_NONE, 0, put);
    if (!p->lean) build_entry(b, TW_ENTRY_ACTION, "lose", number, TW_NONE, 0, lose);
    if (b->m.purse_count > 0) build_entry(b, TW_ENTRY_ACTION, "mint", number, TW_NONE, 0, mint);
    if (!p->no_phase_b) build_entry(b, TW_ENTRY_ACTION, "go", NULL, TW_NONE, 0, go);
    build_entry(b, TW_ENTRY_ACTION, "make", number, TW_NONE, 0, make);
    build_entry(b, TW_ENTRY_ACTION, "part", number, TW_NONE, 0, grow);
    if (p->no_keeper) return;
    build_entry(b, TW_ENTRY_ACTION, "hire", who_, TW_NONE, 0, hire);
    build_entry(b, TW_ENTRY_ACTION, "fire", who_, TW_NONE, 0, fire);
}

static void plan_views(builder *b, const plan *p)
{
    const part number[] = {{"n", T_INT}, {NULL, 0}};
    const part key[] = {{"k", T_TEXT}, {NULL, 0}};
    const part who_[] = {{"a", T_ACCOUNT}, {NULL, 0}};
    const uint32_t parts = p->machines_first ? 1 : 0;
    const uint32_t count_stat = TW_STAT_COUNT << 10;
    const uint64_t count[] = {tw_insn_make(TW_OP_LOAD, SLOT, 0, 0, COUNT), 0};
    const uint64_t more[] = {
        tw_insn_make(TW_OP_LOAD, SLOT, 0, 0, p->lean ? FIELDS_END : FIELDS_END + 2), 0};
    const uint64_t score[] = {tw_insn_make(TW_OP_LOAD, SLOT, 0, 0, SCORES), 0};
    const uint64_t size[] = {tw_insn_make(TW_OP_SIZE, SLOT, 0, 0, SCORES), 0};
    const uint64_t limit[] = {tw_insn_make(TW_OP_PARAM, SLOT, 0, 0, 0), 0};
    const uint64_t owner[] = {tw_insn_make(TW_OP_OWNER, SLOT, 0, 0, parts), 0};
    const uint64_t held[] = {tw_insn_make30(TW_OP_LDI, 8, 0, MINUTE),
                             tw_insn_make(TW_OP_HOLDS, SLOT, 8, 0, 0), 0};
    const uint64_t seen[] = {tw_insn_make30(TW_OP_LDI, 8, 0, HOUR),
                             tw_insn_make(TW_OP_STAT, SLOT, 8, 0, count_stat), 0};
    const uint64_t till[] = {tw_insn_make(TW_OP_PURSE, SLOT, 0, 0, 0), 0};
    build_entry(b, TW_ENTRY_VIEW, "count", NULL, T_INT, SLOT, count);
    if (p->more) build_entry(b, TW_ENTRY_VIEW, "more", NULL, T_INT, SLOT, more);
    build_entry(b, TW_ENTRY_VIEW, "score", key, T_INT, SLOT, score);
    build_entry(b, TW_ENTRY_VIEW, "size", NULL, T_INT, SLOT, size);
    build_entry(b, TW_ENTRY_VIEW, "limit", NULL, T_INT, SLOT, limit);
    build_entry(b, TW_ENTRY_VIEW, "owner", number, T_ACCOUNT, SLOT, owner);
    if (b->m.purse_count > 0) build_entry(b, TW_ENTRY_VIEW, "till", NULL, T_INT, SLOT, till);
    if (p->no_keeper || p->watch) return;
    build_entry(b, TW_ENTRY_VIEW, "held", who_, T_INT, SLOT, held);
    build_entry(b, TW_ENTRY_VIEW, "seen", who_, T_INT, SLOT + 1, seen);
}

/* What the clock and the alarm start: each notes its number in the history. */
static void plan_rules(builder *b, const plan *p)
{
    const uint64_t note[] = {tw_insn_make30(TW_OP_LDI, 0, 0, 1),
                             tw_insn_make(TW_OP_HISTORY, 0, 0, 0, 0), 0};
    uint16_t e = build_entry(b, TW_ENTRY_EVERY, "every", NULL, TW_NONE, 0, note);
    b->m.entries[e].delay = 0;
    e = build_entry(b, TW_ENTRY_AFTER, "after", NULL, TW_NONE, 0, note);
    b->m.entries[e].delay = 2;
    if (p->watch) {
        b->m.entries[e].phases = 2; /* in B */
        e = build_entry(b, TW_ENTRY_SILENT, "silent", NULL, TW_NONE, 0, note);
        b->m.entries[e].delay = 2;
        b->m.entries[e].of = 0;
        e = build_entry(b, TW_ENTRY_FALLS, "falls", NULL, TW_NONE, 0, note);
        b->m.entries[e].delay = 2;
        b->m.entries[e].of = 0;
    }
    if (b->m.alarm_count == 0 || p->no_phase_b || p->watch) return;
    e = build_entry(b, TW_ENTRY_RAISED, "raised", NULL, TW_NONE, 0, note);
    b->m.entries[e].of = 0;
    b->m.entries[e].phases = p->turned ? 1 : 2; /* in B */
}

static tw_bytes made(rig *r, const plan *p)
{
    builder *b = build_new(p->name != NULL ? p->name : "Demo", p->version != 0 ? p->version : 1);
    plan_fields(b, p);
    plan_types(b, p);
    plan_declarations(b, p);
    plan_readings(b, p);
    plan_first_entries(b, p);
    plan_actions(b, p);
    plan_views(b, p);
    plan_rules(b, p);
    tw_bytes bytes = build_bytes(b);
    tw_writer w = tw_writer_new(TW_MODULE_SIZE_MAX);
    if (p->gold_name != NULL) { /* only now: it may be one that is refused */
        b->m.monies[0].name = p->gold_name;
        cr_assert_eq(tw_module_encode(&b->m, &w), TW_OK);
        bytes = tw_writer_bytes(&w);
    }
    const tw_bytes copy = tw_bytes_of(tw_arena_copy(r->arena, bytes.data, bytes.size), bytes.size);
    tw_writer_free(&w);
    build_free(b);
    return copy;
}

/* ---- a contract of it ---- */

static rig *demo(const plan *first)
{
    rig *r = rig_new();
    const who sender = OWNER;
    uint8_t nine[8] = {0, 0, 0, 0, 0, 0, 0, 9};
    tw_tx_param limit = {0, tw_bytes_of(nine, 8)};
    crew c;
    tw_tx tx = deploy_of(r, &c);
    tx.module = made(r, first);
    tx.params = &limit;
    tx.param_count = 1;
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, &sender, 1), TW_OK, "%s", tw_status_text(r->receipt.run.status));
    r->contract = r->receipt.run.contract;
    r->grant = 1;
    (void)commit(r);
    return r;
}

static tw_status call_number(rig *r, int64_t time, const char *entry, int64_t number)
{
    uint8_t bytes[8];
    tw_store_u64(bytes, (uint64_t)number);
    return call(r, time, OWNER, entry, tw_bytes_of(bytes, sizeof bytes));
}

/* In a block of its own, by so many keepers; what it used never passes the bound. */
static tw_status upgrade_by(rig *r, int64_t time, const plan *p, uint8_t keepers)
{
    who signers[3] = {KEEPER_3};
    tw_tx tx = {.kind = TW_TX_UPGRADE, .contract = r->contract, .module = made(r, p)};
    two_keepers(r, &signers[1], &signers[2]);
    uint64_t bound = 0;
    tx.signer_count = keepers; /* for the bound */
    tw_writer w = tw_writer_new(TW_TX_SIZE_MAX);
    tw_secret secrets[3];
    tw_hash id;
    for (uint8_t i = 0; i < keepers; i++) {
        tx.signers[i] = r->accounts[signers[i]];
        secrets[i] = r->secrets[signers[i]];
    }
    cr_assert_eq(tw_tx_encode(&tx, secrets, &w, &id), TW_OK);
    cr_assert_eq(tw_ledger_gas_bound(r->ledger, &tx, w.size, &bound, &r->err), TW_OK);
    tw_writer_free(&w);
    begin(r, time);
    tx.gas_limit = bound - 1;
    cr_assert_eq(add(r, &tx, signers, keepers), TW_REFUSED_GAS_LIMIT);
    tx.gas_limit = bound;
    const tw_status status = run(r, &tx, signers, keepers);
    cr_assert_leq(r->receipt.run.gas, bound);
    (void)commit(r);
    return status;
}

static tw_status upgrade(rig *r, int64_t time, const plan *p)
{
    return upgrade_by(r, time, p, 2);
}

static tw_outcome view(rig *r, const char *name, tw_bytes arguments)
{
    tw_outcome outcome;
    const uint16_t entry = tw_module_entry(look(r)->code->module, TW_ENTRY_VIEW, name);
    cr_assert_neq(entry, TW_NONE, "%s", name);
    cr_assert_eq(tw_ledger_view(r->ledger, &r->contract, NULL, entry, arguments,
                                tw_ledger_head(r->ledger)->time, &outcome, &r->err),
                 TW_OK, "%s", r->err.text);
    return outcome;
}

static int64_t number(rig *r, const char *name, tw_bytes arguments)
{
    const tw_outcome outcome = view(r, name, arguments);
    cr_assert_eq(outcome.status, TW_OK, "%s: %s", name, tw_status_text(outcome.status));
    cr_assert_eq(outcome.fields.size, 8);
    return (int64_t)tw_load_u64(outcome.fields.data);
}

static int64_t plain(rig *r, const char *name)
{
    return number(r, name, (tw_bytes){0});
}

static int64_t of_device(rig *r, const char *name, who device)
{
    return number(r, name, tw_bytes_of(r->accounts[device].bytes, 32));
}

static uint32_t version(rig *r)
{
    return look(r)->code->module->version;
}

static const char *phase(rig *r)
{
    const tw_contract *c = look(r);
    return c->code->module->phases.items[c->control.phase];
}

/* How many keys of the state begin so. */
static uint32_t keys_of(rig *r, const tw_key *prefix)
{
    uint32_t count = 0;
    tw_key from = *prefix;
    tw_bytes key, value;
    bool found = true;
    for (;; count++) {
        cr_assert_eq(tw_overlay_next(look(r)->overlay, tw_key_bytes(prefix), tw_key_bytes(&from),
                                     &key, &value, &found),
                     TW_OK);
        if (!found) return count;
        from.size = 0;
        tw_key_raw(&from, key.data, key.size);
        tw_key_u8(&from, 0);
    }
}

static uint32_t field_keys(rig *r)
{
    const tw_key prefix = tw_key_of(TW_SPACE_FIELD, &r->contract);
    return keys_of(r, &prefix);
}

static const plan first = {0};
static const plan second = {
    .version = 2, .migrate = true, .old = true, .lean = true, .more = true, .turned = true};

/* ---- what stays ---- */

Test(upgrade, state_stays)
{
    rig *r = demo(&first);
    cr_assert_eq(call_number(r, start_time, "add", 7), TW_OK);
    cr_assert_eq(call(r, start_time, OWNER, "put", tw_bytes_of("\0\1a\0\0\0\0\0\0\0\5", 11)),
                 TW_OK);
    cr_assert_eq(call(r, start_time, OWNER, "put", tw_bytes_of("\0\1b\0\0\0\0\0\0\0\6", 11)),
                 TW_OK);
    for (int i = 0; i < 3; i++) cr_assert_eq(call_number(r, start_time, "lose", i), TW_OK);
    cr_assert_eq(call_number(r, start_time, "mint", 70), TW_OK);
    cr_assert_eq(call_number(r, start_time + 1, "make", 3), TW_OK);
    cr_assert_eq(call(r, start_time + 2, OWNER, "go", (tw_bytes){0}), TW_OK);
    const tw_hash head = look(r)->control.history_head;
    const uint32_t before = field_keys(r);
    cr_assert_eq(upgrade(r, start_time + 3, &second), TW_OK);
    cr_assert_eq(version(r), 2);
    cr_assert_str_eq(phase(r), "B");
    cr_assert_eq(look(r)->control.phase_since, start_time + 2);
    cr_assert_eq(plain(r, "count"), 7);
    cr_assert_eq(plain(r, "more"), 70);
    cr_assert_eq(plain(r, "size"), 2);
    cr_assert_eq(number(r, "score", tw_bytes_of("\0\1b", 3)), 6);
    cr_assert_eq(plain(r, "till"), 70);
    cr_assert_eq(plain(r, "limit"), 9, "a param that was set keeps its value");
    cr_assert_eq(look(r)->control.history_count, 2, "one more, of the migration");
    const tw_block block = newest(r);
    tw_reader reader = tw_reader_of(block.receipts[0].run.notices);
    tw_notice_view entry;
    cr_assert(tw_notice_read(&reader, &entry));
    cr_assert(tw_hash_equal(&entry.before, &head));
    /* gone and lost went with a value, a count and three keys; more came */
    cr_assert_eq(field_keys(r), before - 5 + 1);
    cr_assert_eq(call_number(r, start_time + 4, "add", 1), TW_OK);
    cr_assert_eq(plain(r, "count"), 8);
    rig_free(r);
}

Test(upgrade, again_and_again)
{
    rig *r = demo(&first);
    for (uint32_t i = 2; i < 6; i++) {
        const plan next = {.version = i, .migrate = true, .turned = i % 2 == 0};
        cr_assert_eq(call_number(r, start_time + i, "add", 1), TW_OK);
        cr_assert_eq(upgrade(r, start_time + i, &next), TW_OK, "%s", r->err.text);
        cr_assert_eq(version(r), i);
        cr_assert_str_eq(phase(r), "A");
    }
    cr_assert_eq(plain(r, "count"), 4);
    rig_free(r);
}

Test(upgrade, things_stay_with_their_holders)
{
    const plan other = {.version = 2, .migrate = true, .machines_first = true};
    rig *r = demo(&first);
    uint8_t three[8] = {0, 0, 0, 0, 0, 0, 0, 3};
    cr_assert_eq(call_number(r, start_time, "make", 3), TW_OK);
    cr_assert_eq(upgrade(r, start_time + 1, &other), TW_OK);
    const tw_outcome outcome = view(r, "owner", tw_bytes_of(three, 8));
    cr_assert_eq(outcome.status, TW_OK);
    cr_assert_arr_eq(outcome.fields.data, r->accounts[OWNER].bytes, 32);
    cr_assert_eq(call_number(r, start_time + 2, "part", 3), TW_OK, "and can be taken off");
    cr_assert_eq(call_number(r, start_time + 3, "part", 3), TW_TRAP_NO_KEY);
    rig_free(r);
}

/* ---- who and when ---- */

Test(upgrade, needs_its_signers)
{
    rig *r = demo(&first);
    cr_assert_eq(upgrade_by(r, start_time, &second, 1), TW_TRAP_NOT_SIGNED);
    cr_assert_eq(version(r), 1);
    cr_assert_eq(upgrade_by(r, start_time, &second, 3), TW_OK, "one more does not matter");
    const plan closed = {
        .version = 3, .migrate = true, .turned = true, .lean = true, .more = true, .closed = true};
    const plan late = {.version = 4, .migrate = true};
    cr_assert_eq(upgrade(r, start_time, &closed), TW_OK);
    cr_assert_eq(upgrade(r, start_time, &late), TW_TX_NO_UPGRADE);
    r->contract.bytes[0] ^= 1;
    cr_assert_eq(upgrade(r, start_time, &late), TW_TX_NO_CONTRACT);
    rig_free(r);
}

Test(upgrade, waits_after_consent)
{
    const plan delayed = {.delayed = true};
    const plan other = {.version = 3, .migrate = true};
    rig *r = demo(&delayed);
    tw_hash module;
    int64_t since = 0;
    bool found = false;
    cr_assert_eq(upgrade(r, start_time + 5, &second), TW_OK);
    cr_assert_eq(version(r), 1, "consent is all it was");
    cr_assert_eq(r->receipt.run.entry, TW_NONE);
    cr_assert_eq(tw_ledger_consent(r->ledger, &r->contract, &module, &since, &found), TW_OK);
    const tw_bytes bytes = made(r, &second);
    const tw_hash hash = tw_module_hash(bytes);
    cr_assert(found && since == start_time + 5 && tw_hash_equal(&module, &hash));
    cr_assert_eq(upgrade(r, start_time + DAY + 4, &second), TW_TX_TOO_EARLY);
    cr_assert_eq(version(r), 1);
    cr_assert_eq(upgrade(r, start_time + DAY + 4, &other), TW_OK, "another consent replaces it");
    cr_assert_eq(upgrade(r, start_time + DAY + 5, &second), TW_OK, "and this one begins again");
    cr_assert_eq(version(r), 1);
    cr_assert_eq(upgrade(r, start_time + 2 * DAY + 4, &second), TW_TX_TOO_EARLY);
    cr_assert_eq(upgrade(r, start_time + 2 * DAY + 5, &second), TW_OK);
    cr_assert_eq(version(r), 2);
    cr_assert_eq(tw_ledger_consent(r->ledger, &r->contract, &module, &since, &found), TW_OK);
    cr_assert(!found, "it was used");
    rig_free(r);
}

/* ---- refusals ---- */

typedef struct misfit {
    plan plan;
    const char *says;
} misfit;

#define NEXT .version = 2, .migrate = true

static const misfit misfits[] = {
    {{.version = 2, .migrate = true, .name = "Other"}, "the module is Other"},
    {{.version = 1, .migrate = true}, "give it a higher one"},
    {{.version = 2}, "says nothing of upgrades"},
    {{NEXT, .no_keeper = true, .closed = true}, "role keeper must stay"},
    {{NEXT, .small_keeper = true}, "may not have less"},
    {{NEXT, .guest = true}, "role guest is new"},
    {{NEXT, .no_coin = true}, "COIN must stay"},
    {{NEXT, .euro = true}, "currency EUR is new"},
    {{NEXT, .no_phase_b = true}, "phase B"},
    {{NEXT, .no_purse = true}, "purse till holds money"},
    {{NEXT, .more = true}, "var more is new"},
    {{NEXT, .old = true, .other_old = true}, "other state"},
    {{NEXT, .no_machines = true}, "machines and parts"},
    {{NEXT, .narrow = true}, "param limit"},
};

Test(upgrade, a_module_that_does_not_fit)
{
    rig *r = demo(&first);
    cr_assert_eq(call_number(r, start_time, "mint", 1), TW_OK);
    cr_assert_eq(call(r, start_time, OWNER, "go", (tw_bytes){0}), TW_OK);
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        const misfit *m = &misfits[i];
        const tw_bytes module = made(r, &m->plan);
        tw_err err = {.status = TW_OK};
        cr_assert_eq(tw_ledger_upgrade_fits(r->ledger, &r->contract, module, &err),
                     TW_REFUSED_ARGUMENT, "%s", m->says);
        cr_assert_not_null(strstr(err.text, m->says), "%s, not: %s", m->says, err.text);
        cr_assert_eq(upgrade(r, start_time, &m->plan), TW_TX_BAD_UPGRADE, "%s", m->says);
        cr_assert_eq(version(r), 1);
    }
    const tw_bytes good = made(r, &second);
    cr_assert_eq(tw_ledger_upgrade_fits(r->ledger, &r->contract, good, &r->err), TW_OK);
    rig_free(r);
}

Test(upgrade, an_empty_purse_may_go_and_a_token_come)
{
    const plan next = {NEXT, .gold = true, .guest_granted = true};
    const plan last = {
        .version = 3, .migrate = true, .gold = true, .guest_granted = true, .no_purse = true};
    rig *r = demo(&first);
    tw_asset asset;
    bool found = false;
    cr_assert_eq(upgrade(r, start_time, &next), TW_OK);
    const tw_contract *c = look(r);
    cr_assert_eq(tw_bank_asset(c->overlay, &c->assets[0], &asset, &found), TW_OK);
    cr_assert(found && asset.supply == 0 && strcmp(asset.name, "GOLD") == 0);
    cr_assert_eq(call_number(r, start_time, "mint", 5), TW_OK, "COIN is the second money now");
    cr_assert_eq(plain(r, "till"), 5);
    cr_assert_eq(upgrade(r, start_time, &last), TW_TX_BAD_UPGRADE);
    rig_free(r);
    r = demo(&first);
    const plan without = {NEXT, .no_purse = true};
    cr_assert_eq(upgrade(r, start_time, &without), TW_OK);
    rig_free(r);
}

/* An asset's record has room for TW_NAME_SIZE_MAX bytes of a name, a module for more. */
Test(upgrade, a_token_of_a_long_name)
{
    char name[TW_NAME_SIZE_MAX + 2] = {0};
    memset(name, 'G', TW_NAME_SIZE_MAX + 1);
    const plan next = {NEXT, .gold = true, .guest_granted = true, .gold_name = name};
    rig *r = demo(&first);
    tw_asset asset;
    bool found = false;
    cr_assert_eq(upgrade(r, start_time, &next), TW_TX_BAD_MODULE);
    cr_assert_eq(version(r), 1);
    cr_assert_eq(look(r)->code->module->money_count, 1);
    name[TW_NAME_SIZE_MAX] = '\0';
    cr_assert_eq(upgrade(r, start_time, &next), TW_OK);
    const tw_contract *c = look(r);
    cr_assert_eq(tw_bank_asset(c->overlay, &c->assets[0], &asset, &found), TW_OK);
    cr_assert(found && strcmp(asset.name, name) == 0);
    rig_free(r);
}

Test(upgrade, all_or_nothing)
{
    const plan traps = {NEXT, .traps = true, .lean = true, .old = true};
    const plan unset = {NEXT, .more = true, .unset = true, .old = true};
    rig *r = demo(&first);
    cr_assert_eq(call_number(r, start_time, "lose", 1), TW_OK);
    cr_assert_eq(call_number(r, start_time, "add", 1), TW_OK);
    const tw_control before = look(r)->control;
    const uint32_t keys = field_keys(r);
    cr_assert_eq(upgrade(r, start_time + 1, &traps), TW_TRAP_OVERFLOW);
    cr_assert_eq(upgrade(r, start_time + 1, &unset), TW_TX_BAD_UPGRADE, "a var without a value");
    cr_assert_eq(version(r), 1);
    cr_assert_eq(field_keys(r), keys);
    const tw_control after = look(r)->control;
    cr_assert(tw_hash_equal(&after.history_head, &before.history_head));
    const tw_block block = wait_until(r, start_time + EVERY);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1, "its timer is still there");
    rig_free(r);
}

Test(upgrade, a_module_that_is_none)
{
    rig *r = demo(&first);
    who signers[2];
    tw_tx tx = {.kind = TW_TX_UPGRADE, .contract = r->contract, .module = text("nonsense")};
    two_keepers(r, &signers[0], &signers[1]);
    begin(r, start_time);
    cr_assert_eq(run(r, &tx, signers, 2), TW_TX_BAD_MODULE);
    (void)commit(r);
    cr_assert_eq(version(r), 1);
    rig_free(r);
}

/* ---- the clock ---- */

Test(upgrade, timers_start_anew)
{
    rig *r = demo(&first);
    const int64_t at = start_time + 25 * MINUTE;
    begin(r, at); /* its second period is over and run now */
    (void)commit(r);
    cr_assert_eq(upgrade(r, at, &second), TW_OK);
    tw_block block = wait_until(r, start_time + 30 * MINUTE - 1);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 0);
    block = wait_until(r, start_time + 30 * MINUTE);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 1, "periods count from the deploy");
    cr_assert_str_eq(look(r)->code->module->entries[block.receipts[0].run.entry].name, "every");
    block = wait_until(r, start_time + DAY);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_TIMER), 2, "after: since the phase began");
    const tw_key timers = tw_key_start(TW_SPACE_TIMER);
    cr_assert_eq(keys_of(r, &timers), 1, "every alone; nothing of the old version is left");
    rig_free(r);
}

/* ---- devices ---- */

static bool has_run(rig *r, const tw_block *block, const char *name)
{
    for (uint32_t i = 0; i < block->receipt_count; i++) {
        if (block->receipts[i].kind != TW_RECEIPT_TIMER) continue;
        const uint16_t entry = block->receipts[i].run.entry;
        if (strcmp(look(r)->code->module->entries[entry].name, name) == 0) return true;
    }
    return false;
}

/* A silence goes on, a purse with money in it waits anew, an empty one and `after` of a phase that
 * does not hold don't wait. What was due already waits for the next millisecond. */
Test(upgrade, silence_and_purses_wait)
{
    const plan before = {.watch = true};
    const plan after = {.version = 2, .migrate = true, .watch = true};
    const int64_t at = start_time + 5 * MINUTE;
    const tw_key timers = tw_key_start(TW_SPACE_TIMER);
    for (int funded = 0; funded <= 1; funded++) {
        rig *r = demo(&before);
        if (funded == 1) cr_assert_eq(call_number(r, start_time, "mint", 70), TW_OK);
        cr_assert_eq(keys_of(r, &timers), 2 + (uint32_t)funded);
        cr_assert_eq(upgrade(r, at, &after), TW_OK);
        cr_assert_eq(keys_of(r, &timers), 2 + (uint32_t)funded);
        tw_block block = wait_until(r, start_time + DAY - 1);
        cr_expect_not(has_run(r, &block, "silent"));
        block = wait_until(r, start_time + DAY);
        cr_expect(has_run(r, &block, "silent"), "since the grant");
        cr_expect_not(has_run(r, &block, "falls"));
        block = wait_until(r, at + DAY);
        cr_expect_eq(has_run(r, &block, "falls"), funded == 1, "since the upgrade");
        cr_expect_not(has_run(r, &block, "after"));
        rig_free(r);
    }
}

static tw_status send(rig *r, int64_t time, who device, int64_t value, uint64_t grant,
                      uint64_t sequence)
{
    tw_pack_item item = {0, time, value};
    tw_pack pack = pack_of(r, &item, 1);
    pack.device = r->accounts[device];
    pack.grant = grant;
    pack.sequence = sequence;
    begin(r, time);
    const tw_status status = carry(r, &pack, device);
    (void)commit(r);
    return status;
}

Test(upgrade, readings_as_before_keep_windows_and_stamps)
{
    rig *r = demo(&first);
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(send(r, start_time + i * MINUTE, SENSOR_1, LEVEL + 1, 1, (uint64_t)i), TW_OK);
    }
    cr_assert_eq(of_device(r, "held", SENSOR_1), 1);
    cr_assert_eq(upgrade(r, start_time + 3 * MINUTE, &second), TW_OK);
    cr_assert_eq(of_device(r, "seen", SENSOR_1), 3);
    cr_assert_eq(of_device(r, "held", SENSOR_1), 1);
    const plan higher = {.version = 3,
                         .migrate = true,
                         .turned = true,
                         .lean = true,
                         .more = true,
                         .level = LEVEL + 5};
    cr_assert_eq(upgrade(r, start_time + 3 * MINUTE, &higher), TW_OK);
    cr_assert_eq(of_device(r, "seen", SENSOR_1), 3);
    cr_assert_eq(of_device(r, "held", SENSOR_1), 0, "another level, another run");
    cr_assert_eq(send(r, start_time + 4 * MINUTE, SENSOR_1, 0, 1, 3), TW_PACK_REPLAYED);
    cr_assert_eq(send(r, start_time + 4 * MINUTE, SENSOR_1, 0, 1, 4), TW_OK);
    rig_free(r);
}

Test(upgrade, other_readings_begin_again)
{
    const plan keep = {NEXT, .keep = true};
    rig *r = demo(&first);
    cr_assert_eq(send(r, start_time + MINUTE, SENSOR_1, LEVEL + 1, 1, 1), TW_OK);
    cr_assert_eq(upgrade(r, start_time + 2 * MINUTE, &keep), TW_OK);
    const tw_key windows = tw_key_of(TW_SPACE_WINDOW, &r->contract);
    cr_assert_eq(keys_of(r, &windows), 0);
    cr_assert_eq(of_device(r, "seen", SENSOR_1), 0);
    cr_assert_eq(of_device(r, "held", SENSOR_1), 0);
    cr_assert_eq(send(r, start_time + 3 * MINUTE, SENSOR_1, 1, 1, 1), TW_PACK_REPLAYED);
    cr_assert_eq(send(r, start_time + 3 * MINUTE, SENSOR_1, 1, 1, 2), TW_OK, "the grant stays");
    cr_assert_eq(of_device(r, "seen", SENSOR_1), 1);
    cr_assert_eq(call(r, start_time + 4 * MINUTE, OWNER, "fire",
                      tw_bytes_of(r->accounts[SENSOR_1].bytes, 32)),
                 TW_OK);
    const tw_key devices = tw_key_of(TW_SPACE_DEVICE, &r->contract);
    cr_assert_eq(keys_of(r, &devices), 0);
    rig_free(r);
}

Test(upgrade, a_role_that_reads_now_has_devices)
{
    const plan wide = {NEXT, .wide = true};
    const plan back = {.version = 3, .migrate = true};
    rig *r = demo(&first);
    const tw_key devices = tw_key_of(TW_SPACE_DEVICE, &r->contract);
    cr_assert_eq(keys_of(r, &devices), 1);
    cr_assert_eq(send(r, start_time + MINUTE, KEEPER_1, 5, 2, 1), TW_PACK_NOT_MEMBER);
    cr_assert_eq(upgrade(r, start_time + 2 * MINUTE, &wide), TW_OK);
    cr_assert_eq(keys_of(r, &devices), 4);
    uint32_t good = 0;
    for (uint64_t grant = 2; grant <= 4; grant++) {
        good += send(r, start_time + 3 * MINUTE, KEEPER_1, 5, grant, 1) == TW_OK;
    }
    cr_assert_eq(good, 1, "each has a grant of its own");
    cr_assert_eq(upgrade(r, start_time + 4 * MINUTE, &back), TW_OK);
    cr_assert_eq(keys_of(r, &devices), 1, "and loses it with the reading");
    rig_free(r);
}

Test(upgrade, a_pending_edge_finds_its_handler)
{
    rig *r = demo(&first); /* its handler runs in B only */
    const plan none = {.version = 2, .migrate = true, .no_alarm = true};
    cr_assert_eq(send(r, start_time + MINUTE, SENSOR_1, 5, 1, 1), TW_OK);
    cr_assert_eq(look(r)->control.alarms[0].edge, TW_EDGE_RAISED);
    cr_assert_eq(upgrade(r, start_time + 2 * MINUTE, &second), TW_OK);
    cr_assert(look(r)->control.alarms[0].up);
    cr_assert_eq(look(r)->control.alarms[0].edge, TW_EDGE_RAISED);
    cr_assert_eq(call(r, start_time + 3 * MINUTE, OWNER, "go", (tw_bytes){0}), TW_OK);
    rig_free(r);
    r = demo(&first);
    cr_assert_eq(send(r, start_time + MINUTE, SENSOR_1, 5, 1, 1), TW_OK);
    cr_assert_eq(call(r, start_time + MINUTE, OWNER, "go", (tw_bytes){0}), TW_OK);
    const tw_key pending = tw_key_start(TW_SPACE_PENDING);
    cr_assert_eq(keys_of(r, &pending), 1);
    const tw_block block = wait_until(r, start_time + MINUTE);
    cr_assert_eq(receipts_of(&block, TW_RECEIPT_HANDLER), 1);
    cr_assert_eq(upgrade(r, start_time + 2 * MINUTE, &none), TW_OK);
    cr_assert_eq(keys_of(r, &pending), 0);
    rig_free(r);
}

/* ---- afterwards ---- */

Test(upgrade, receipts_keep_their_words)
{
    rig *r = demo(&first);
    const tw_code *code = NULL;
    cr_assert_eq(call_number(r, start_time + 1, "add", 1), TW_OK);
    cr_assert_eq(upgrade(r, start_time + 2, &second), TW_OK);
    const uint64_t height = tw_ledger_head(r->ledger)->height;
    cr_assert_eq(call_number(r, start_time + 3, "add", 1), TW_OK);
    for (uint64_t i = 1; i <= height + 1; i++) {
        cr_assert_eq(tw_ledger_code_then(r->ledger, &r->contract, i, 0, &code, &r->err), TW_OK);
        cr_assert_eq(code->module->version, i < height ? 1 : 2);
    }
    rig_free(r);
}

Test(upgrade, replayed_from_the_blocks)
{
    rig *r = demo(&first);
    rig *copy = rig_new();
    cr_assert_eq(call_number(r, start_time + 1, "make", 1), TW_OK);
    cr_assert_eq(send(r, start_time + MINUTE, SENSOR_1, LEVEL + 1, 1, 1), TW_OK);
    cr_assert_eq(upgrade(r, start_time + MINUTE, &second), TW_OK);
    const plan keep = {
        .version = 3, .migrate = true, .lean = true, .more = true, .turned = true, .keep = true};
    cr_assert_eq(upgrade(r, start_time + 2 * MINUTE, &keep), TW_OK);
    cr_assert_eq(send(r, start_time + 3 * MINUTE, SENSOR_1, 1, 1, 2), TW_OK);
    for (uint64_t i = 1; i <= tw_ledger_head(r->ledger)->height; i++) {
        tw_block block;
        cr_assert_eq(tw_ledger_block(r->ledger, i, r->arena, &block, &r->err), TW_OK);
        cr_assert_eq(tw_ledger_replay_block(copy->ledger, &block, &r->err), TW_OK, "%s",
                     r->err.text);
    }
    cr_assert(tw_hash_equal(&tw_ledger_head(copy->ledger)->hash, &tw_ledger_head(r->ledger)->hash));
    rig_free(copy);
    rig_free(r);
}
