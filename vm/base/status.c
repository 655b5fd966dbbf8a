/* status -- the tables of status.def as text. A linear search is enough: it runs once a report. */
#include "vm/base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

typedef struct status_row {
    tw_status status;
    const char *name;
    const char *text;
} status_row;

static const status_row rows[] = {
#define STATUS(number, name, text) {TW_##name, #name, text},
#include "vm/base/status.def"
#undef STATUS
};

/* The public header spells the table out. */
#define STATUS(number, name, text) static_assert(TW_##name == (number), text);
#include "vm/base/status.def"
#undef STATUS

static const status_row *find(tw_status status)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status) return &rows[i];
    }
    return NULL;
}

const char *tw_status_text(tw_status status)
{
    const status_row *row = find(status);
    return row != NULL ? row->text : "unknown status";
}

const char *tw_status_name(tw_status status)
{
    const status_row *row = find(status);
    return row != NULL ? row->name : "UNKNOWN";
}

void tw_status_trap_name(tw_status status, char ret_name[24])
{
    const char *text = tw_status_text(status);
    const char *colon = strchr(text, ':');
    const size_t size = colon != NULL && colon - text < 23 ? (size_t)(colon - text) : 0;
    memcpy(ret_name, text, size);
    ret_name[size] = '\0';
}

tw_status tw_err_set(tw_err *err, tw_status status, const char *format, ...)
{
    if (err == NULL) return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return status;
}
