/* show -- values of a module's types as text and JSON for people, and the other way round.
 *
 * Called wherever the runner prints an event, an error, a result or a parameter, and wherever it
 * takes one from the command line. Values are canonical encodings (vm/isa/value.h). Texts carry
 * units, times are ISO 8601, accounts go by the names of their keys where these are known.
 *
 * JSON: int and dec are strings; quantities, money and times {"value": "7100", "text":
 * "7.1 mm/s"} with the value in the resolution of the type; hash, account, bytes lower-case hex;
 * none is null.
 */
#ifndef TW_RUNNER_SHOW_H
#define TW_RUNNER_SHOW_H

#include "vm/isa/module.h"

#include "vm/base/sign.h"

#include <jansson.h>

enum { TW_SHOW_NAME_MAX = 72 };

/* Names of accounts, both ways. Either function may be NULL. */
typedef struct tw_show_names {
    void *context;
    /* False when the account has no name. */
    bool (*name_of)(void *context, const tw_account *account, char ret_name[TW_SHOW_NAME_MAX]);
    bool (*account_of)(void *context, const char *name, tw_account *ret_account);
    int64_t now; /* for times written "now" or "now + 72 h"; below 0: not known */
} tw_show_names;

/* The type as an author writes it: "velocity", "text(12)", "Order?". */
const char *tw_show_type(const tw_module *m, uint16_t type, char ret_text[TW_SHOW_NAME_MAX]);

/* Appends one value as text. TW_REFUSED_ENCODING when the bytes are none of the type. */
TW_MUST_USE tw_status tw_show_value(const tw_module *m, uint16_t type, tw_reader *r,
                                    const tw_show_names *names, tw_writer *ret_text);
/* Appends "peak: 8 mm/s, at: 2026-01-01T00:10:00Z". */
TW_MUST_USE tw_status tw_show_members(const tw_module *m, const tw_members *members,
                                      tw_bytes fields, const tw_show_names *names,
                                      tw_writer *ret_text);

/* A new reference, or NULL when the bytes are none of the type. */
json_t *tw_show_json(const tw_module *m, uint16_t type, tw_reader *r);
json_t *tw_show_money_json(const tw_money *money, int64_t amount);
json_t *tw_show_members_json(const tw_module *m, const tw_members *members, tw_bytes fields);

/* The name of the account's key, or its first 8 bytes in hex. */
const char *tw_show_account(const tw_account *account, const tw_show_names *names,
                            char ret_text[TW_SHOW_NAME_MAX]);

/* Appends the canonical encoding of a text of this type. Records and lists are written in JSON.
 * TW_REFUSED_ARGUMENT with a sentence that says what is accepted. */
TW_MUST_USE tw_status tw_show_parse(const tw_module *m, uint16_t type, const char *text,
                                    const tw_show_names *names, tw_writer *w, tw_err *err);

/* Encodes `name=text` arguments, each member once, in any order; or texts alone, in the order of
 * the members. `what` names the action in errors. */
TW_MUST_USE tw_status tw_show_parse_members(const tw_module *m, const tw_members *members,
                                            const char *what, const char *const *texts,
                                            uint32_t count, const tw_show_names *names,
                                            tw_writer *w, tw_err *err);

#endif
