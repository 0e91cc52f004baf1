/*
 * source.h - a file that is read from its begin to its end, byte by byte, with the line it is at.
 *
 * It holds a piece of the file, whatever the file's size.
 */
#ifndef TALLY_TAKEOVER_SOURCE_H
#define TALLY_TAKEOVER_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "fault.h"

#define SOURCE_AHEAD_MAX 16
#define SOURCE_END (-1)

/* The fields are source.c's; others read name and line. */
struct source {
    const char *name; /* as the user gave it; kept */
    uint64_t line;    /* the one the next byte stands in, from 1 */
    int fd;           /* -1: the bytes are all there */
    char *bytes;      /* owned */
    size_t at;
    size_t len;
    bool ended;
    int error; /* errno of a read that failed, which looks like the end until source_ok() is asked
                */
};

/*
 * Opens a file, and looks whether its first bytes are of a kind that is no text at all.
 *
 *   returns  NULL, with the fault: it cannot be read, or is packed, binary or UTF-16
 */
MUST_USE struct source *source_open(const char *name, struct fault *reterr_fault);

/* The same for bytes in memory, which are copied; NULL: no memory. */
MUST_USE struct source *source_of_bytes(const char *name, struct str bytes);

void source_free(struct source *source);
AUTO_FREE(source);

/* The byte that was taken last, or SOURCE_END: there is none. */
static inline int source_before(const struct source *source)
{
    return source->at > 0 ? (unsigned char)source->bytes[source->at - 1] : SOURCE_END;
}

/* The byte that is `n` bytes ahead (less than SOURCE_AHEAD_MAX), or SOURCE_END. */
int source_ahead(struct source *source, size_t n);

static inline int source_peek(struct source *source)
{
    if (source->at < source->len)
        return (unsigned char)source->bytes[source->at];
    return source_ahead(source, 0);
}

/* Takes the next byte, or gives SOURCE_END. */
static inline int source_next(struct source *source)
{
    int c = source_peek(source);

    if (c == SOURCE_END)
        return c;
    source->at++;
    source->line += c == '\n';
    return c;
}

/* Takes what is in hand of the bytes up to the next one of `stops`, which stays. */
void source_skip_until(struct source *source, const bool stops[256]);

/* Was all read that there is? false, with the fault: the file or its disk failed. */
bool source_ok(const struct source *source, struct fault *reterr_fault);

/* fault_set() with FILE:LINE: in front, of the byte that comes next, or of `line`. */
#define source_fault(source, fault, how, format, ...)                                              \
    source_fault_at(source, (source)->line, fault, how, format, ##__VA_ARGS__)
#define source_fault_at(source, number, fault, how, format, ...)                                   \
    fault_set(fault, how, "%s:%llu: " format, (source)->name, (unsigned long long)(number),        \
              ##__VA_ARGS__)

#endif
