/* import -- see the header. Only the head of a file is looked at before the files are read: the
 * parser sees their imports again, with places for messages. */
#include "compiler/import.h"

#include "compiler/twc.h"

#include <stdio.h>
#include <string.h>

/* ------------------------------------------------------------------ names */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Names with `/` between them. */
static bool is_plain_path(const char *text, size_t size)
{
    bool begins = true;
    for (size_t i = 0; i < size; i++) {
        const bool slash = text[i] == '/';
        if (slash ? begins : !is_plain(text[i])) return false;
        begins = slash;
    }
    return !begins;
}

/* "std/x" as it is; "./x" as a file beside `from`. False when it is neither. */
static bool file_name(const char *from, tw_bytes path, char ret_name[TWC_PATH_MAX + 1])
{
    const char *text = (const char *)path.data;
    const char *slash = strrchr(from, '/');
    const size_t folder = slash != NULL ? (size_t)(slash - from) + 1 : 0;
    const bool beside = path.size > 2 && memcmp(text, "./", 2) == 0;
    const bool std = path.size > 4 && memcmp(text, "std/", 4) == 0;
    const size_t skip = beside ? 2 : 4;
    int size = 0;
    if ((!beside && !std) || path.size > TWC_PATH_MAX) return false;
    if (!is_plain_path(text + skip, path.size - skip)) return false;
    if (beside) {
        size = snprintf(ret_name, TWC_PATH_MAX + 1, "%.*s%.*s.twc", (int)folder, from,
                        (int)(path.size - 2), text + 2);
    } else {
        size = snprintf(ret_name, TWC_PATH_MAX + 1, "%.*s", (int)path.size, text);
    }
    return size > 0 && size <= TWC_PATH_MAX;
}

static uint32_t find(const twc_imports *imports, const char *name)
{
    uint32_t i = 0;
    while (i < imports->count && strcmp(imports->parts[i].file, name) != 0) i++;
    return i;
}

/* ------------------------------------------------------------------ the head of a file */

static void skip_blanks(tw_bytes text, uint32_t *at)
{
    const uint8_t *data = text.data;
    while (*at < text.size) {
        const uint8_t c = data[*at];
        if (c == '/' && *at + 1 < text.size && data[*at + 1] == '/') {
            while (*at < text.size && data[*at] != '\n') ++*at;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            ++*at;
        } else {
            return;
        }
    }
}

/* The path of the next `import "path"`; false when something else comes. */
static bool next_import(tw_bytes text, uint32_t *at, tw_bytes *ret_path)
{
    static const char word[] = "import";
    const size_t size = sizeof word - 1;
    skip_blanks(text, at);
    if (text.size - *at < size || memcmp(text.data + *at, word, size) != 0) return false;
    *at += (uint32_t)size;
    skip_blanks(text, at);
    if (*at >= text.size || text.data[*at] != '"') return false;
    const uint32_t start = ++*at;
    while (*at < text.size && text.data[*at] != '"' && text.data[*at] != '\n') ++*at;
    if (*at >= text.size || text.data[*at] != '"') return false;
    *ret_path = tw_bytes_of(text.data + start, *at - start);
    ++*at;
    return true;
}

/* ------------------------------------------------------------------ reading */

static twc_found read_module(const char *name, tw_writer *w)
{
    uint32_t count = 0;
    const twc_module_text *modules = twc_std_modules(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(modules[i].name, name) != 0) continue;
        tw_write_raw(w, modules[i].text, modules[i].size);
        return TWC_FOUND;
    }
    return TWC_NOT_FOUND;
}

/* A file more, read or not. */
static void add(twc_imports *imports, const char *name, bool std, const twc_files *files)
{
    const uint32_t index = imports->count++;
    tw_writer w = tw_writer_new(TWC_SOURCE_MAX);
    twc_found found = TWC_NOT_FOUND;
    if (std) {
        found = read_module(name, &w);
    } else if (files != NULL) {
        found = files->read(files->data, name, &w) ? TWC_FOUND : TWC_NOT_FOUND;
    }
    if (w.bad || w.size + imports->text.size >= TWC_SOURCE_MAX) found = TWC_FOUND_TOO_LARGE;
    snprintf(imports->names[index], sizeof imports->names[index], "%s", name);
    imports->found[index] = found;
    tw_write_raw(&imports->text, "\n", 1);
    const uint32_t start = (uint32_t)imports->text.size;
    if (found == TWC_FOUND) tw_write_raw(&imports->text, w.data, w.size);
    imports->parts[index] = (twc_part){imports->names[index], start, (uint32_t)imports->text.size};
    tw_writer_free(&w);
}

static void read_imports_of(twc_imports *imports, uint32_t index, const twc_files *files)
{
    uint32_t at = imports->parts[index].start;
    const uint32_t end = imports->parts[index].end;
    tw_bytes path;
    if (end - at >= 3 && memcmp(imports->text.data + at, "\xEF\xBB\xBF", 3) == 0) at += 3;
    while (next_import(tw_bytes_of(imports->text.data, end), &at, &path)) {
        char name[TWC_PATH_MAX + 1];
        const bool std = path.size > 0 && path.data[0] == 's';
        if (!file_name(imports->parts[index].file, path, name)) continue;
        if (find(imports, name) < imports->count) continue;
        if (imports->count == TWC_FILES_MAX) {
            imports->too_many = true;
            return;
        }
        add(imports, name, std, files);
    }
}

bool twc_imports_read(const char *file, tw_bytes source, const twc_files *files,
                      twc_imports **ret_imports)
{
    uint32_t at = source.size >= 3 && memcmp(source.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    tw_bytes path;
    *ret_imports = NULL;
    if (!next_import(source, &at, &path)) return true;
    twc_imports *imports = tw_mem_new(sizeof *imports);
    if (imports == NULL) return false;
    imports->text = tw_writer_new(2 * TWC_SOURCE_MAX);
    tw_write_raw(&imports->text, source.data, source.size);
    imports->parts[0] = (twc_part){file, 0, (uint32_t)source.size};
    imports->count = 1;
    for (uint32_t i = 0; i < imports->count && !imports->text.bad; i++) {
        read_imports_of(imports, i, files);
    }
    *ret_imports = imports;
    if (!imports->text.bad) return true;
    twc_imports_free(imports);
    *ret_imports = NULL;
    return false;
}

void twc_imports_free(twc_imports *imports)
{
    if (imports == NULL) return;
    tw_writer_free(&imports->text);
    tw_mem_free(imports);
}

/* ------------------------------------------------------------------ order */

typedef struct linker {
    const twc_imports *imports;
    twc_program **programs;
    twc_diags *diags;
    uint64_t open, done; /* files, by number */
} linker;

static void not_found(linker *l, const twc_import *import, const char *name)
{
    char list[400] = "";
    uint32_t count = 0;
    const twc_module_text *modules = twc_std_modules(&count);
    if (strncmp(name, "std/", 4) != 0) {
        twc_diag_add(l->diags, TWC_DIAG_NO_FILE, import->span,
                     "the file %s can't be read\nthe path counts from this file's folder", name);
        return;
    }
    for (uint32_t i = 0, used = 0; i < count && used < sizeof list; i++) {
        used += (uint32_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                                   modules[i].name);
    }
    twc_diag_add(l->diags, TWC_DIAG_NO_FILE, import->span,
                 "there is no library module %s\nthere are: %s", name, list);
}

/* The file that an import of file `from` means; `count` after an error. */
static uint32_t resolve(linker *l, const twc_import *import, uint32_t from)
{
    const twc_imports *imports = l->imports;
    char name[TWC_PATH_MAX + 1];
    if (!file_name(imports->parts[from].file, import->path, name)) {
        twc_diag_add(l->diags, TWC_DIAG_NO_FILE, import->span,
                     "this is no name of a module\nwrite \"std/name\", or \"./name\" for the file "
                     "name.twc beside this one");
        return imports->count;
    }
    const uint32_t to = find(imports, name);
    if (to == imports->count && imports->too_many) {
        twc_diag_add(l->diags, TWC_DIAG_OVER_LIMIT, import->span,
                     "there are more than %d files, with all that they import", TWC_FILES_MAX);
    } else if (to < imports->count && imports->found[to] == TWC_FOUND_TOO_LARGE) {
        twc_diag_add(l->diags, TWC_DIAG_SOURCE_TOO_LARGE, import->span,
                     "with this file the source has more than 1 MiB");
    } else if (to == imports->count || imports->found[to] != TWC_FOUND) {
        not_found(l, import, name);
    } else {
        return to;
    }
    return imports->count;
}

/* Depth first; a file stands in the list behind those that it imports. */
static void visit(linker *l, uint32_t from)
{
    twc_program *program = l->programs[from];
    uint64_t seen = 0;
    l->open |= (uint64_t)1 << from;
    for (twc_import *i = program != NULL ? program->imports : NULL; i != NULL; i = i->next) {
        if (i->path.size == 0 && l->diags->error_count > 0) continue;
        const uint32_t to = resolve(l, i, from);
        if (to == l->imports->count) continue;
        const uint64_t bit = (uint64_t)1 << to;
        if ((seen & bit) != 0) {
            twc_diag_add(l->diags, TWC_DIAG_DUPLICATE, i->span, "this is imported twice");
            continue;
        }
        seen |= bit;
        if ((l->open & bit) != 0) {
            twc_diag_add(l->diags, TWC_DIAG_IMPORT_CYCLE, i->span,
                         "%s is imported here, and imports this file itself\nmove what both need "
                         "into a third file",
                         l->imports->parts[to].file);
            continue;
        }
        if ((l->done & bit) == 0) visit(l, to);
        if (l->programs[to] == NULL) continue;
        i->program = l->programs[to];
        program->reach |= bit | i->program->reach;
    }
    l->open &= ~((uint64_t)1 << from);
    l->done |= (uint64_t)1 << from;
    if (from == 0 || program == NULL) return;
    program->number = from;
    l->programs[0]->files[l->programs[0]->file_count++] = program;
}

void twc_imports_link(const twc_imports *imports, twc_program **programs, tw_arena *arena,
                      twc_diags *diags)
{
    linker l = {.imports = imports, .programs = programs, .diags = diags};
    if (programs[0] == NULL) return;
    programs[0]->files = TW_NEW_ARRAY(arena, twc_program *, imports->count);
    if (programs[0]->files != NULL) visit(&l, 0);
}
