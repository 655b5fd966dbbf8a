/* twc -- the library's public face over front and diag. */
#include "compiler/twc.h"

#include "compiler/explain.h"
#include "compiler/export.h"
#include "compiler/format.h"
#include "compiler/front.h"
#include "compiler/interface.h"
#include "compiler/unit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { REPORT_SIZE_MAX = 4 * 1024 * 1024 };

struct twc_result {
    twc_front *front;
    uint32_t message_count;
    tw_writer text, json;
    tw_arena *code; /* of the units; NULL when it only checked */
    twc_unit *compiled;
    uint32_t unit_count;
};

static void count_messages(twc_result *result)
{
    result->message_count = 0;
    for (const twc_diag *d = result->front->diags.first; d != NULL; d = d->next) {
        result->message_count++;
    }
}

twc_result *twc_check_with(const char *file_name, const void *source, size_t size,
                           const twc_files *files)
{
    twc_front *front = twc_front_open_with(file_name, tw_bytes_of(source, size), files);
    twc_result *result = front != NULL ? tw_mem_new(sizeof *result) : NULL;
    if (result == NULL) {
        twc_front_free(front);
        return NULL;
    }
    result->front = front;
    result->text = tw_writer_new(REPORT_SIZE_MAX);
    result->json = tw_writer_new(REPORT_SIZE_MAX);
    count_messages(result);
    return result;
}

twc_result *twc_check(const char *file_name, const void *source, size_t size)
{
    return twc_check_with(file_name, source, size, NULL);
}

void twc_result_free(twc_result *result)
{
    if (result == NULL) return;
    tw_writer_free(&result->text);
    tw_writer_free(&result->json);
    tw_arena_free(result->code);
    twc_front_free(result->front);
    tw_mem_free(result);
}

twc_result *twc_compile(const char *file_name, const void *source, size_t size)
{
    return twc_compile_with(file_name, source, size, NULL);
}

twc_result *twc_compile_with(const char *file_name, const void *source, size_t size,
                             const twc_files *files)
{
    twc_result *result = twc_check_with(file_name, source, size, files);
    if (result == NULL || result->front->diags.error_count > 0) return result;
    result->code = tw_arena_new(TWC_CODE_MEMORY_MAX);
    if (result->code == NULL) {
        twc_result_free(result);
        return NULL;
    }
    if (!twc_units_make(result->front, result->code, &result->compiled, &result->unit_count)) {
        if (result->front->diags.error_count == 0) { /* nothing is wrong but the memory */
            twc_result_free(result);
            return NULL;
        }
        twc_diags_sort(&result->front->diags);
        count_messages(result);
    }
    return result;
}

uint32_t twc_result_unit_count(const twc_result *result)
{
    return result->unit_count;
}

const twc_unit *twc_result_unit(const twc_result *result, uint32_t index)
{
    assert(index < result->unit_count);
    return &result->compiled[index];
}

uint32_t twc_result_error_count(const twc_result *result)
{
    return result->front->diags.error_count;
}

uint32_t twc_result_message_count(const twc_result *result)
{
    return result->message_count;
}

twc_message twc_result_message(const twc_result *result, uint32_t index)
{
    const twc_diag *diag = result->front->diags.first;
    for (uint32_t i = 0; i < index; i++) diag = diag->next;
    const twc_place place = twc_source_place(&result->front->source, diag->span);
    return (twc_message){
        .file = twc_source_file(&result->front->source, diag->span.start),
        .line = place.line,
        .column = place.column,
        .end_line = place.end_line,
        .end_column = place.end_column,
        .is_warning = diag->is_warning,
        .code = (uint32_t)diag->code,
        .text = diag->message,
        .help = diag->help,
    };
}

static const char *text_end(tw_writer *w, bool good)
{
    tw_write_raw(w, "\n", 2); /* with the NUL */
    return good && !w->bad ? (const char *)w->data : NULL;
}

const char *twc_result_bounds(twc_result *result, uint32_t index, bool json)
{
    tw_writer *w = json ? &result->json : &result->text;
    tw_writer_clear(w);
    return text_end(w, twc_bounds_write(twc_result_unit(result, index), json, result->code, w));
}

const char *twc_result_abi(twc_result *result, uint32_t index)
{
    tw_writer *w = &result->json;
    const twc_contract *contract = result->front->program->contracts;
    for (uint32_t i = 0; i < index; i++) contract = contract->next;
    tw_writer_clear(w);
    return text_end(w, twc_abi_write(twc_result_unit(result, index), contract, result->code, w));
}

const char *twc_result_report(twc_result *result, bool color)
{
    tw_writer *w = &result->text;
    tw_writer_clear(w);
    for (const twc_diag *d = result->front->diags.first; d != NULL; d = d->next) {
        twc_diag_render(&result->front->source, d, color, w);
    }
    tw_write_u8(w, 0);
    return w->bad ? NULL : (const char *)w->data;
}

const char *twc_result_json(twc_result *result)
{
    tw_writer *w = &result->json;
    tw_writer_clear(w);
    tw_write_raw(w, "[", 1);
    for (const twc_diag *d = result->front->diags.first; d != NULL; d = d->next) {
        tw_write_raw(w, "\n  ", 3);
        twc_diag_json(&result->front->source, d, w);
        if (d->next != NULL) tw_write_raw(w, ",", 1);
    }
    const char *end = result->message_count > 0 ? "\n]\n" : "]\n";
    tw_write_raw(w, end, strlen(end) + 1);
    return w->bad ? NULL : (const char *)w->data;
}

const char *twc_result_explain(twc_result *result, uint32_t index, twc_explain_form form)
{
    tw_writer *w = &result->text;
    const twc_contract *contract = result->front->program->contracts;
    for (uint32_t i = 0; i < index; i++) contract = contract->next;
    tw_writer_clear(w);
    if (form == TWC_EXPLAIN_SVG) {
        twc_explain_svg(contract, w);
    } else if (form == TWC_EXPLAIN_DOT) {
        twc_explain_dot(contract, w);
    } else if (!twc_explain_write(&result->front->source, contract,
                                  twc_result_unit(result, index)->module, w)) {
        return NULL;
    }
    tw_write_u8(w, 0);
    return w->bad ? NULL : (const char *)w->data;
}

bool twc_result_export(twc_result *result, uint32_t index, uint32_t number,
                       char ret_name[TWC_EXPORT_NAME_MAX], const char **ret_text)
{
    tw_writer *w = &result->json;
    const twc_contract *contract = result->front->program->contracts;
    for (uint32_t i = 0; i < index; i++) contract = contract->next;
    const twc_decl *decl = twc_export_at(contract, number);
    if (decl == NULL) return false;
    snprintf(ret_name, TWC_EXPORT_NAME_MAX, "%s.%s.%s.json", contract->word->text,
             decl->u.describe.word->text, decl->u.describe.senml ? "senml" : "dtdl");
    tw_writer_clear(w);
    twc_export_write(contract, decl, w);
    *ret_text = text_end(w, true);
    return *ret_text != NULL;
}

const char *twc_result_format(twc_result *result)
{
    tw_writer *w = &result->text;
    tw_writer_clear(w);
    if (result->front->diags.error_count > 0) return NULL;
    twc_source own = result->front->source; /* without what it imports */
    if (own.part_count > 0) own.text.size = own.parts[0].end;
    if (!twc_format_write(&own, &result->front->words, w)) return NULL;
    tw_write_u8(w, 0);
    return w->bad ? NULL : (const char *)w->data;
}

bool twc_explain(const char *code, const char **ret_title, const char **ret_text)
{
    uint32_t number = 0;
    const size_t size = strlen(code);
    if (size < 2 || size > 5 || (code[0] != 'E' && code[0] != 'W')) return false;
    for (size_t i = 1; i < size; i++) {
        if (code[i] < '0' || code[i] > '9') return false;
        number = number * 10 + (uint32_t)(code[i] - '0');
    }
    bool is_warning = false;
    return twc_diag_explain(number, ret_title, ret_text, &is_warning) &&
           is_warning == (code[0] == 'W');
}
