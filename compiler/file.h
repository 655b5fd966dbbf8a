/* file -- reading and writing of whole files for the `twc` command. Messages go to stderr. */
#ifndef TWC_FILE_H
#define TWC_FILE_H

#include "vm/base/bytes.h"

/* The file's bytes, to be freed with tw_mem_free; NULL after a message. At most one byte more than
 * `size_max` is read, so that a file over the limit can be told. */
uint8_t *twc_file_read(const char *name, size_t size_max, size_t *ret_size);

/* Appends the file's bytes; quiet. False when it can't be read. */
bool twc_file_append(const char *name, tw_writer *w);

/* Writes a file that is there whole or not at all: a new one beside it takes its place. False after
 * a message. */
bool twc_file_write(const char *name, tw_bytes bytes);

#endif
