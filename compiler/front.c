/* front -- see the header. The arena's limit is what bounds the memory of a compilation: a program
 * that needs more per byte than any sensible one gets an error that says so. */
#include "compiler/front.h"

#include "compiler/check.h"
#include "compiler/parse.h"

enum { ARENA_BASE = 4 * 1024 * 1024, ARENA_PER_BYTE = 96 };

twc_front *twc_front_open(const char *file, tw_bytes source)
{
    const bool too_large = source.size > TWC_SOURCE_MAX;
    const size_t size = too_large ? 0 : source.size;
    tw_arena *arena = tw_arena_new(ARENA_BASE + ARENA_PER_BYTE * size);
    if (arena == NULL) return NULL;
    twc_front *front = TW_NEW(arena, twc_front);
    if (front == NULL) {
        tw_arena_free(arena);
        return NULL;
    }
    front->arena = arena;
    front->source = (twc_source){.file = file, .text = tw_bytes_of(source.data, size)};
    front->words.arena = arena;
    front->diags.arena = arena;
    front->diags.source = &front->source;
    const bool open = twc_source_open(&front->source, arena);
    if (too_large) {
        twc_diag_add(&front->diags, TWC_DIAG_SOURCE_TOO_LARGE, (twc_span){0, 0},
                     "a source file has at most 1 MiB");
    } else if (open) {
        front->program = twc_parse(&front->source, arena, &front->words, &front->diags);
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
    if (front != NULL) tw_arena_free(front->arena);
}
