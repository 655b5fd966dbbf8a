/* front -- see the header. The arena's limit is what bounds the memory of a compilation: a program
 * that needs more per byte than any sensible one gets an error that says so. */
#include "compiler/front.h"

#include "compiler/check.h"
#include "compiler/parse.h"

enum { ARENA_BASE = 4 * 1024 * 1024, ARENA_PER_BYTE = 96 };

/* File `index` of the text, parsed. */
static twc_program *parse_file(twc_front *front, uint32_t index)
{
    const twc_part *part = &front->source.parts[index];
    twc_source *view = TW_NEW(front->arena, twc_source);
    if (view == NULL) return NULL;
    *view = front->source;
    view->file = part->file;
    view->start = part->start;
    view->text.size = part->end;
    return twc_parse(view, front->arena, &front->words, &front->diags);
}

static void parse(twc_front *front)
{
    const twc_imports *imports = front->imports;
    if (imports == NULL) {
        front->program = twc_parse(&front->source, front->arena, &front->words, &front->diags);
        return;
    }
    twc_program *programs[TWC_FILES_MAX] = {NULL};
    programs[0] = parse_file(front, 0);
    const uint32_t errors = front->diags.error_count;
    for (uint32_t i = 1; i < imports->count; i++) {
        if (imports->found[i] == TWC_FOUND) programs[i] = parse_file(front, i);
    }
    twc_imports_link(imports, programs, front->arena, &front->diags);
    front->program = programs[0];
    if (front->program != NULL) front->program->unsound = front->diags.error_count > errors;
}

static twc_front *new_front(const char *file, tw_bytes source, const struct twc_files *files)
{
    twc_imports *imports = NULL;
    if (!twc_imports_read(file, source, files, &imports)) return NULL;
    const tw_bytes text = imports != NULL ? tw_writer_bytes(&imports->text) : source;
    tw_arena *arena = tw_arena_new(ARENA_BASE + ARENA_PER_BYTE * text.size);
    twc_front *front = arena != NULL ? TW_NEW(arena, twc_front) : NULL;
    if (front == NULL) {
        twc_imports_free(imports);
        tw_arena_free(arena);
        return NULL;
    }
    front->arena = arena;
    front->imports = imports;
    front->source = (twc_source){.file = file, .text = text};
    if (imports == NULL) return front;
    front->source.parts = imports->parts;
    front->source.part_count = imports->count;
    return front;
}

twc_front *twc_front_open(const char *file, tw_bytes source)
{
    return twc_front_open_with(file, source, NULL);
}

twc_front *twc_front_open_with(const char *file, tw_bytes source, const struct twc_files *files)
{
    const bool too_large = source.size > TWC_SOURCE_MAX;
    twc_front *front =
        new_front(file, tw_bytes_of(source.data, too_large ? 0 : source.size), files);
    if (front == NULL) return NULL;
    tw_arena *arena = front->arena;
    front->words.arena = arena;
    front->diags.arena = arena;
    front->diags.source = &front->source;
    const bool open = twc_source_open(&front->source, arena);
    if (too_large) {
        twc_diag_add(&front->diags, TWC_DIAG_SOURCE_TOO_LARGE, (twc_span){0, 0},
                     "a source file has at most 1 MiB");
    } else if (open) {
        parse(front);
    }
    if (front->program != NULL) {
        twc_check_program(front->program, arena, &front->words, &front->diags);
    }
    if (tw_arena_failed(arena)) {
        front->diags.lost = (twc_diag){.code = TWC_DIAG_TOO_LARGE};
        front->diags.lost.message = "the program needs more memory than a source of its size may";
        front->diags.first = &front->diags.lost; /* nothing else that was found is whole */
        front->diags.error_count = 1;
    }
    twc_diags_sort(&front->diags);
    return front;
}

void twc_front_free(twc_front *front)
{
    if (front == NULL) return;
    twc_imports_free(front->imports);
    tw_arena_free(front->arena); /* the front lives in it */
}
