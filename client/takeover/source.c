/*
 * source.c - a file that is read from its begin to its end, byte by byte, with the line it is at.
 *
 * Threads: main.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE_BYTES (256U << 10)

/* What people hand over that is no text, by its first bytes. */
static const struct {
    struct str begin;
    const char *is;
    const char *how;
} strangers[] = {
    { STR("\x1F\x8B"), "packed by gzip", "unpack it first: gunzip FILE" },
    { STR("BZh"), "packed by bzip2", "unpack it first: bunzip2 FILE" },
    { STR("\x28\xB5\x2F\xFD"), "packed by zstd", "unpack it first: unzstd FILE" },
    { STR("\xFD"
          "7zXZ"),
      "packed by xz", "unpack it first: unxz FILE" },
    { STR("PK\x03\x04"), "a ZIP file", "unpack it first: unzip FILE" },
    { STR("PGDMP"), "pg_dump's custom format", "make a plain one: pg_dump --format=plain" },
    { STR("SQLite format 3"), "a SQLite database", "give a dump of MySQL or PostgreSQL, or CSV" },
    { STR("<?xml"), "XML", "make it without --xml, or export the tables as CSV" },
    { STR("\xFF\xFE"), "UTF-16", "convert it: iconv -f UTF-16 -t UTF-8" },
    { STR("\xFE\xFF"), "UTF-16", "convert it: iconv -f UTF-16 -t UTF-8" },
};

static bool is_text(struct source *source, struct fault *reterr_fault)
{
    struct str begin;

    (void)source_ahead(source, SOURCE_AHEAD_MAX - 1);
    begin = (struct str){ source->bytes, source->len };
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        if (str_starts(begin, strangers[i].begin))
            return source_fault(source, reterr_fault, strangers[i].how,
                                "this is %s; a dump as text or a table as CSV was expected",
                                strangers[i].is);
    }
    if (str_starts(begin, STR("\xEF\xBB\xBF")))
        source->at = 3; /* a byte order mark is none of the text */
    return true;
}

static struct source *source_begin(const char *name)
{
    AUTO(source) source = calloc(1, sizeof *source);

    if (!source)
        return NULL;
    source->name = name;
    source->line = 1;
    source->fd = -1;
    source->bytes = malloc(PIECE_BYTES);
    return source->bytes ? TAKE(source) : NULL;
}

struct source *source_open(const char *name, struct fault *reterr_fault)
{
    AUTO(source) source = source_begin(name);
    struct stat there;

    if (!source) {
        (void)fault_memory(reterr_fault);
        return NULL;
    }
    source->fd = open(name, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0 || fstat(source->fd, &there) != 0) {
        (void)fault_failed(reterr_fault, "name a file that there is and that you may read",
                           "cannot open %s: %s", name, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(there.st_mode)) {
        (void)fault_set(reterr_fault, "write it to a file first, and name that",
                        "%s is no file, and it is read more than once", name);
        return NULL;
    }
    return is_text(source, reterr_fault) ? TAKE(source) : NULL;
}

struct source *source_of_bytes(const char *name, struct str bytes)
{
    AUTO(source) source = calloc(1, sizeof *source);

    if (!source)
        return NULL;
    source->name = name;
    source->line = 1;
    source->fd = -1;
    source->ended = true;
    source->bytes = malloc(bytes.len + 1);
    if (!source->bytes)
        return NULL;
    if (bytes.len > 0)
        memcpy(source->bytes, bytes.at, bytes.len);
    source->len = bytes.len;
    return TAKE(source);
}

void source_free(struct source *source)
{
    if (!source)
        return;
    if (source->fd >= 0)
        (void)close(source->fd);
    free(source->bytes);
    free(source);
}

static void fill(struct source *source)
{
    size_t kept = source->at > 0; /* the byte before */
    ssize_t got;

    memmove(source->bytes, source->bytes + source->at - kept, source->len - source->at + kept);
    source->len -= source->at - kept;
    source->at = kept;
    do {
        got = read(source->fd, source->bytes + source->len, PIECE_BYTES - source->len);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        source->error = errno;
    if (got <= 0)
        source->ended = true;
    else
        source->len += (size_t)got;
}

int source_ahead(struct source *source, size_t n)
{
    while (source->len - source->at <= n && !source->ended)
        fill(source);
    if (source->len - source->at <= n)
        return SOURCE_END;
    return (unsigned char)source->bytes[source->at + n];
}

void source_skip_until(struct source *source, const bool stops[256])
{
    while (source->at < source->len) {
        unsigned char c = (unsigned char)source->bytes[source->at];

        if (stops[c])
            return;
        source->line += c == '\n';
        source->at++;
    }
}

bool source_ok(const struct source *source, struct fault *reterr_fault)
{
    if (source->error == 0)
        return true;
    return fault_failed(reterr_fault, "look at the disk, and try again",
                        "cannot read all of %s: %s", source->name, strerror(source->error));
}
