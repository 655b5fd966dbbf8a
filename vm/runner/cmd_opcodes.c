/* cmd_opcodes -- `twvm opcodes`: the instruction set in print. */
#include "vm/runner/command.h"
#include "vm/runner/reference.h"

#include <stdio.h>

enum { TEXT_MAX = 1024 * 1024 };

tw_status tw_command_opcodes(tw_app *app)
{
    tw_writer w = tw_writer_new(TEXT_MAX);
    if (tw_args_has(&app->args, "markdown")) {
        tw_reference_markdown(&w);
    } else {
        tw_reference_table(&w);
    }
    const bool good = !w.bad;
    if (good) fwrite(w.data, 1, w.size, stdout);
    tw_writer_free(&w);
    return good ? TW_OK : TW_ERR_MEMORY;
}
