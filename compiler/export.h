/* export -- descriptions in other people's standards, of what the contract declares. For twc.c. */
#ifndef TWC_EXPORT_H
#define TWC_EXPORT_H

#include "compiler/ast.h"

/* The `number`-th export of a checked contract, from 0; NULL behind the last. */
const twc_decl *twc_export_at(const twc_contract *contract, uint32_t number);
/* Appends the description: a DTDL interface of version 3, or how the records of SenML are named and
 * scaled. JSON, without a newline at its end. */
void twc_export_write(const twc_contract *contract, const twc_decl *decl, tw_writer *w);

#endif
