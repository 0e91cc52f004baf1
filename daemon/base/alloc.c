/*
 * base/alloc.c - memory for small fixed things that must be there.
 *
 * Threads: any.
 */
#include "base/alloc.h"

#include <stdlib.h>

#include "base/log.h"

void *must_alloc(size_t len)
{
    void *memory = calloc(1, len);

    if (!memory) {
        log_line(LOG_ERROR, "no memory for %zu bytes; ending, nothing acknowledged is lost", len);
        abort();
    }
    return memory;
}
