/* gen_upgrade -- the upgrade clause, the older version's fields, and the entry MIGRATE.
 *
 * A contract that may be upgraded, or says how it comes from an older version, has a MIGRATE entry:
 * deploy constants, checks, first values of the vars that are new, the author's body, all
 * invariants. It runs once, in the place of the deploy that made the older version.
 */
#include "compiler/gen.h"

#include <string.h>

static const twc_decl *find(const twc_gen *g, twc_decl_kind kind)
{
    const twc_decl *decl = g->contract->members;
    while (decl != NULL && decl->kind != kind) decl = decl->next;
    return decl;
}

void twc_gen_upgrade(twc_gen *g)
{
    const twc_decl *decl = find(g, TWC_D_UPGRADE);
    tw_upgrade *upgrade = &g->m->upgrade;
    if (decl == NULL) return;
    *upgrade = (tw_upgrade){.delay = TW_NONE};
    upgrade->role = (uint16_t)decl->u.upgrade.role_decl->index;
    upgrade->count = (uint16_t)decl->u.upgrade.count;
    if (decl->u.upgrade.after == NULL) return;
    upgrade->delay = twc_gen_deployed(g, decl->u.upgrade.after);
    twc_gen_over_limit(g, decl->span, "too many deploy constants", upgrade->delay, TW_NONE - 1);
}

/* An older version without `migrate` has no other vars: the ledger looks. */
static bool is_new(const twc_gen *g, const twc_decl *var)
{
    const twc_contract *old = g->contract->old;
    const twc_decl *field = g->contract->old_fields;
    for (; field != NULL; field = field->next) {
        if (field->kind == TWC_D_VAR && strcmp(field->word->text + 4, var->word->text) == 0 &&
            twc_type_same_shape(field->type, var->type)) {
            return false;
        }
    }
    return old != NULL;
}

bool twc_gen_sets_first(const twc_gen *g, const twc_decl *var, bool migrates)
{
    return !migrates || is_new(g, var);
}

uint16_t twc_gen_migrate_entry(twc_gen *g, uint64_t phases)
{
    const twc_decl *decl = find(g, TWC_D_MIGRATE);
    const twc_decl *reason = decl != NULL ? decl : find(g, TWC_D_UPGRADE);
    if (reason == NULL || g->failed) return TW_NONE;
    const tw_entry entry = {.name = "migrate",
                            .kind = TW_ENTRY_MIGRATE,
                            .of = TW_NONE,
                            .delay = TW_NONE,
                            .phases = phases,
                            .result = TW_NONE};
    const uint16_t number = g->m->entry_count;
    twc_gen_entry_add(g, entry, reason->name_span);
    return number;
}
