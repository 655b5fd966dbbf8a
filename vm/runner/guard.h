/* guard -- memory for secrets: keys and passphrases while a command works with them.
 *
 * It comes from OpenSSL's secure heap, which is kept out of core dumps and, where this process may
 * lock memory, out of swap space; where it may not, secrets are handled all the same. What is given
 * back is wiped. Copies on the stack are wiped by those who make them (OPENSSL_cleanse).
 */
#ifndef TW_RUNNER_GUARD_H
#define TW_RUNNER_GUARD_H

#include <stddef.h>

/* `size` zeroed bytes; NULL without memory. All that a process holds at once is 64 KiB: a size that
 * every usual limit of locked memory allows. */
void *tw_guard_new(size_t size);
void tw_guard_free(void *memory, size_t size); /* NULL is allowed */

#endif
