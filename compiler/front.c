/* front -- see the header. The arena's limit is what bounds the memory of a compilation: a program
 * that needs more per byte than any sensible one gets an error that says so. */
#include "compiler/front.h"

#include "compiler/check.h"
#include "compiler/parse.h"

enum { ARENA_BASE = 4 * 1024 * 1024, ARENA_PER_BYTE = 96 };

static void run(twc_front *front)
{
    if (!twc_source_open(&front->source, front->arena)) {
        front->diags.out_of_memory = true;
        return;
    }
    front->program = twc_parse(&front->source, front->arena, &front->words, &front->diags);
    if (front->program == NULL) return;
    twc_check_program(front->program, front->arena, &front->words, &front->diags);
}

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
    if (too_large) {
        (void)twc_source_open(&front->source, arena);
        twc_diag_add(&front->diags, TWC_DIAG_SOURCE_TOO_LARGE, (twc_span){0, 0},
                     "a source file has at most 1 MiB");
    } else {
        run(front);
    }
    if (front->diags.out_of_memory) {
        /* nothing else that was found is whole */
        front->diags.first = NULL;
        front->diags.error_count = 0;
        front->diags.lost = (twc_diag){.code = TWC_DIAG_TOO_LARGE};
        front->diags.lost.message = "the program needs more memory than a source of its size may";
        front->diags.first = &front->diags.lost;
        front->diags.error_count = 1;
    }
    twc_diags_sort(&front->diags);
    return front;
}

void twc_front_free(twc_front *front)
{
    if (front != NULL) tw_arena_free(front->arena);
}
