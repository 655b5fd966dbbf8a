/* starve -- linked into a twvm of its own: the call to the host's memory whose number stands in
 * TWVM_STARVE_AT gives nothing; a file TWVM_STARVE_MARK is there at the end when it came.
 * starved.sh runs that program.
 */
#include "tests/fault/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("TWVM_STARVE_AT");
    (void)memory_fail(at != NULL ? strtoull(at, NULL, 10) : 0);
}

__attribute__((destructor)) static void end(void)
{
    const char *mark = getenv("TWVM_STARVE_MARK");
    if (!memory_failed() || mark == NULL) return;
    const int file = open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file >= 0) (void)close(file);
}
