/* walk -- visits the expressions and statements of a checked tree, each before what is in it.
 *
 * For the code generator and the checker's last look. Depth is bounded by what the parser allows.
 */
#ifndef TWC_WALK_H
#define TWC_WALK_H

#include "compiler/ast.h"

typedef struct twc_visit {
    void (*expr)(void *data, const twc_expr *expr); /* each may be NULL */
    void (*stmt)(void *data, const twc_stmt *stmt);
    void *data;
} twc_visit;

void twc_walk_expr(const twc_visit *visit, const twc_expr *expr);
void twc_walk_block(const twc_visit *visit, const twc_block *block);
void twc_walk_stmts(const twc_visit *visit, const twc_stmt *first);
/* Who may call, needs, receives; and the same with the body. */
void twc_walk_header(const twc_visit *visit, const twc_entry *entry);
void twc_walk_entry(const twc_visit *visit, const twc_entry *entry);
/* The declaration whose value the place is part of. */
const twc_decl *twc_walk_root(const twc_expr *place);
bool twc_walk_mentions(const twc_expr *expr, const twc_decl *decl);
/* Two levels or times that are fixed at deploy are written alike, so always have one value; both
 * NULL are the same too. */
bool twc_walk_same_fixed(const twc_expr *a, const twc_expr *b);

#endif
