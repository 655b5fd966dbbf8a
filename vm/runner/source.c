/* source -- see the header. */
#include "vm/runner/source.h"

#include "vm/isa/container.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SOURCE_SIZE_MAX = 1024 * 1024 };

/* The whole file behind what `w` holds; w->bad when it has more than fits. */
static tw_status append(const char *path, tw_writer *w, tw_err *err)
{
    uint8_t chunk[16 * 1024];
    errno = 0;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return tw_err_set(err, TW_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    size_t size = 0;
    while (!w->bad && (size = fread(chunk, 1, sizeof chunk, file)) > 0) {
        tw_write_raw(w, chunk, size);
    }
    const bool broken = ferror(file) != 0;
    const int reason = errno;
    fclose(file);
    if (!broken) return TW_OK;
    return tw_err_set(err, TW_ERR_IO, "%s: cannot be read: %s", path, strerror(reason));
}

tw_status tw_source_read(const char *path, size_t size_max, tw_arena *arena, tw_bytes *ret_bytes,
                         tw_err *err)
{
    tw_writer w = tw_writer_new(size_max + 1);
    tw_status status = append(path, &w, err);
    if (status == TW_OK && (w.bad || w.size > size_max)) {
        status = tw_err_set(err, TW_REFUSED_LIMIT, "%s: has more than %zu bytes", path, size_max);
    } else if (status == TW_OK) {
        *ret_bytes = tw_bytes_of(tw_arena_copy(arena, w.data, w.size), w.size);
        if (ret_bytes->data == NULL) status = TW_ERR_MEMORY;
    }
    tw_writer_free(&w);
    return status;
}

/* What a source imports, read as it is named. */
static bool read_import(void *data, const char *name, tw_writer *w)
{
    (void)data;
    tw_err err = {0};
    return append(name, w, &err) == TW_OK;
}

tw_status tw_source_compile(tw_app *app, const char *path, tw_arena *arena, twc_result **ret_result)
{
    tw_bytes text = {0};
    TW_TRY(tw_source_read(path, SOURCE_SIZE_MAX, arena, &text, &app->err));
    const twc_files files = {.read = read_import};
    twc_result *result = twc_compile_with(path, text.data, text.size, &files);
    if (result == NULL) return TW_ERR_MEMORY;
    const uint32_t errors = twc_result_error_count(result);
    if (errors > 0) {
        const bool plain = tw_args_has(&app->args, "no-color");
        const char *report = twc_result_report(result, app->terminal && !plain);
        if (report != NULL) fputs(report, stderr);
        twc_result_free(result);
        return tw_err_set(&app->err, TW_REFUSED_SOURCE, "%s: %u error%s; nothing was done", path,
                          errors, errors == 1 ? "" : "s");
    }
    *ret_result = result;
    return TW_OK;
}

static tw_status keep(tw_arena *arena, tw_bytes bytes, tw_bytes *ret_bytes)
{
    *ret_bytes = tw_bytes_of(tw_arena_copy(arena, bytes.data, bytes.size), bytes.size);
    return ret_bytes->data != NULL ? TW_OK : TW_ERR_MEMORY;
}

/* The newest version of the contract that is asked for; of the only one when none is. */
static tw_status choose(tw_app *app, const char *path, const twc_result *result,
                        const char *contract, const twc_unit **ret_unit)
{
    const uint32_t count = twc_result_unit_count(result);
    const twc_unit *found = NULL;
    char list[200] = "";
    size_t used = 0;
    bool several = false;
    for (uint32_t i = 0; i < count; i++) {
        const twc_unit *unit = twc_result_unit(result, i);
        if (unit->library || (contract != NULL && strcmp(unit->name, contract) != 0)) continue;
        several |= found != NULL && strcmp(found->name, unit->name) != 0;
        if (used + strlen(unit->name) + 3 < sizeof list) {
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used > 0 ? ", " : "",
                                     unit->name);
        }
        if (found == NULL || unit->version > found->version) found = unit;
    }
    *ret_unit = found;
    if (found != NULL && !several) return TW_OK;
    if (found != NULL) {
        return tw_app_fail(app, "%s: say which contract with --contract; there are: %s", path,
                           list);
    }
    if (contract != NULL) return tw_app_fail(app, "%s: has no contract %s", path, contract);
    return tw_app_fail(app, "%s: has no contract; a library is there to be imported", path);
}

tw_status tw_source_module(tw_app *app, const char *path, const char *contract, tw_arena *arena,
                           tw_bytes *ret_module, tw_bytes *ret_debug)
{
    const size_t size = strlen(path);
    if (size >= 4 && strcmp(path + size - 4, ".twm") == 0) {
        tw_bytes file;
        TW_TRY(tw_source_read(path, TW_CONTAINER_SIZE_MAX, arena, &file, &app->err));
        tw_err inner = {0};
        const tw_status status = tw_container_read(file, ret_module, ret_debug, &inner);
        if (status == TW_OK) return TW_OK;
        return tw_err_set(&app->err, status, "%s: is no compiled contract: %.400s", path,
                          inner.text);
    }
    twc_result *result = NULL;
    const twc_unit *unit = NULL;
    TW_TRY(tw_source_compile(app, path, arena, &result));
    tw_status status = choose(app, path, result, contract, &unit);
    if (status == TW_OK) status = keep(arena, unit->module, ret_module);
    if (status == TW_OK) status = keep(arena, unit->debug, ret_debug);
    twc_result_free(result);
    return status;
}
