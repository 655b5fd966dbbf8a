/* machine_fixture -- a contract from source text, deployed on a store in memory, for unit tests of
 * the code generator and the machine: no ledger, no signatures. Role r has accounts of its own,
 * whose bytes are all 16 * r + 1, 16 * r + 2 ... up to 4 of its max. */
#ifndef TW_TEST_MACHINE_FIXTURE_H
#define TW_TEST_MACHINE_FIXTURE_H

#include "compiler/twc.h"
#include "tests/unit/state_fixture.h"
#include "vm/exec/exec.h"
#include "vm/isa/value.h"
#include "vm/ledger/notices.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MACHINE_START = 1000000, MACHINE_SLOTS = 4096, MACHINE_MEMBERS = 4 };

typedef struct machine {
    twc_result *compiled;
    const twc_unit *unit;
    tw_store *store;
    tw_overlay *overlay;
    tw_arena *arena;
    tw_code *code;
    tw_exec *exec;
    tw_contract *contract;
    tw_outcome outcome; /* of the last run */
    tw_status status;   /* its status */
    int64_t now;
    int64_t slots[MACHINE_SLOTS]; /* result of the last view */
} machine;

static inline tw_account machine_account(uint8_t byte)
{
    tw_account account;
    memset(account.bytes, byte, sizeof account.bytes);
    return account;
}

static inline tw_account machine_member(uint16_t role, uint8_t number)
{
    return machine_account((uint8_t)(16 * role + number));
}

/* Runs entry `index` with argument slots, signed by `signers`. */
static inline tw_status machine_run(machine *m, uint16_t index, const tw_account *signers,
                                    uint16_t signer_count, const int64_t *arguments)
{
    const tw_entry *entry = &m->code->module->entries[index];
    const tw_call call = {.entry = index,
                          .now = m->now,
                          .end = m->now,
                          .signers = signers,
                          .signer_count = signer_count,
                          .arguments = arguments};
    cr_assert_eq(tw_exec_run(m->exec, m->contract, &call, &m->outcome), TW_OK);
    cr_assert_leq(m->outcome.gas, entry->bounds.gas, "%s: used %llu, bound %llu", entry->name,
                  (unsigned long long)m->outcome.gas, (unsigned long long)entry->bounds.gas);
    cr_assert_leq(m->outcome.writes, entry->bounds.writes, "%s", entry->name);
    cr_assert_leq(m->outcome.events + m->outcome.histories, entry->bounds.events, "%s",
                  entry->name);
    m->status = m->outcome.status;
    return m->status;
}

static inline uint16_t machine_entry(const machine *m, tw_entry_kind kind, const char *name)
{
    const uint16_t index = tw_module_entry(m->code->module, kind, name);
    cr_assert_neq(index, TW_NONE, "there is no entry %s", name != NULL ? name : "?");
    return index;
}

static inline tw_status machine_call(machine *m, const char *name, const tw_account *signers,
                                     uint16_t signer_count, const int64_t *arguments)
{
    return machine_run(m, machine_entry(m, TW_ENTRY_ACTION, name), signers, signer_count,
                       arguments);
}

/* An action by member 1 of role 0. */
static inline tw_status machine_act(machine *m, const char *name, const int64_t *arguments)
{
    const tw_account sender = machine_member(0, 1);
    return machine_call(m, name, &sender, 1, arguments);
}

/* The result stands in m->slots when the view ends well. */
static inline tw_status machine_view(machine *m, const char *name, const int64_t *arguments)
{
    const uint16_t index = machine_entry(m, TW_ENTRY_VIEW, name);
    if (machine_run(m, index, NULL, 0, arguments) != TW_OK) return m->status;
    tw_reader r = tw_reader_of(m->outcome.fields);
    const uint16_t type = m->code->module->entries[index].result;
    cr_assert_leq(m->code->module->types[type].slots, MACHINE_SLOTS);
    cr_assert_eq(tw_value_decode(m->code->module, type, &r, m->slots), TW_OK);
    cr_assert(tw_reader_done(&r));
    return TW_OK;
}

/* The params at their defaults, members for the roles, then the deploy entry. */
static inline void machine_deploy(machine *m)
{
    const tw_module *module = m->code->module;
    const tw_hash id = {{9}};
    cr_assert_eq(tw_contract_new(&id, m->code, m->overlay, m->arena, &m->contract), TW_OK);
    m->contract->deployer = machine_account(255);
    m->contract->deployed_at = m->now;
    m->contract->control.phase_since = m->now;
    for (uint16_t i = 0; i < module->param_count; i++) {
        tw_reader r = tw_reader_of(module->params[i].preset);
        cr_assert_eq(tw_value_decode(module, module->params[i].type, &r,
                                     m->contract->params + m->code->param_first[i]),
                     TW_OK);
    }
    const uint16_t entry = machine_entry(m, TW_ENTRY_DEPLOY, NULL);
    if (machine_run(m, entry, &m->contract->deployer, 1, NULL) != TW_OK) return;
    cr_assert_eq(tw_contract_save(m->contract), TW_OK);
    for (uint16_t r = 0; r < module->role_count; r++) {
        for (uint8_t n = 1; n <= MACHINE_MEMBERS && n <= module->roles[r].max; n++) {
            const tw_account member = machine_member(r, n);
            cr_assert_eq(tw_role_grant(m->contract, r, &member, m->now), TW_OK);
        }
    }
    cr_assert_eq(tw_timer_deploy(m->contract), TW_OK);
    cr_assert_eq(tw_contract_save_control(m->contract), TW_OK);
}

/* Compiles and deploys; m->status says how the deploy went. */
static inline machine *machine_new(const char *source)
{
    machine *m = tw_mem_new(sizeof *m);
    tw_err err = {.status = TW_OK};
    cr_assert_not_null(m);
    m->compiled = twc_compile("test.twc", source, strlen(source));
    cr_assert_not_null(m->compiled);
    cr_assert_eq(twc_result_error_count(m->compiled), 0, "%s",
                 twc_result_report(m->compiled, false));
    cr_assert_eq(twc_result_unit_count(m->compiled), 1);
    m->unit = twc_result_unit(m->compiled, 0);
    cr_assert_eq(tw_code_new(m->unit->module, NULL, &m->code, &err), TW_OK, "%s", err.text);
    m->store = store_in_memory();
    m->overlay = tw_overlay_new(m->store, 256 * MIB);
    m->arena = tw_arena_new(16 * MIB);
    m->exec = tw_exec_new();
    cr_assert(m->overlay != NULL && m->arena != NULL && m->exec != NULL);
    tw_overlay_clear(m->overlay, 1);
    m->now = MACHINE_START;
    machine_deploy(m);
    return m;
}

static inline void machine_free(machine *m)
{
    tw_exec_free(m->exec);
    tw_arena_free(m->arena);
    tw_overlay_free(m->overlay);
    tw_store_close(m->store);
    tw_code_free(m->code);
    twc_result_free(m->compiled);
    tw_mem_free(m);
}

/* The first notice of the last run; its fields. */
static inline tw_notice_view machine_notice(const machine *m)
{
    tw_reader r = tw_reader_of(m->outcome.notices);
    tw_notice_view notice;
    cr_assert(tw_notice_read(&r, &notice));
    return notice;
}

#endif
