/*
 * base/buf.h - bytes that are being written: JSON, header fields, log lines.
 *
 * A failed allocation is remembered, further writes do nothing, and buf_ok() says so at the end:
 * writers need no check a line. Zero-initialised (`struct buf out = { 0 };` or AUTO_BUF) is empty.
 * One thread at a time.
 */
#ifndef TALLYD_BASE_BUF_H
#define TALLYD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct buf {
    char *bytes; /* owned; not NUL-terminated */
    size_t len;
    size_t room;
    bool failed; /* some write found no memory; what is there is incomplete */
};

void buf_clear(struct buf *buf); /* empty again and well again; the memory is kept */
void buf_free(struct buf *buf);  /* gives the memory back; the struct itself is the caller's */

static inline bool buf_ok(const struct buf *buf)
{
    return !buf->failed;
}

/* What is written from an incomplete `part` is incomplete too. */
static inline void buf_heed(struct buf *buf, const struct buf *part)
{
    buf->failed |= part->failed;
}

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){ buf->bytes, buf->len };
}

/* Room for `more` bytes behind the end, to write into, or NULL (remembered). Add what was written
 * to `len`. */
MUST_USE char *buf_reserve(struct buf *buf, size_t more);

/* The short ones are inline: replies and tallies are made of many literals, whose lengths the
 * compiler then knows. */
static inline void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *at;

    if (len == 0)
        return;
    at =
        len <= buf->room - buf->len && !buf->failed ? buf->bytes + buf->len : buf_reserve(buf, len);
    if (!at)
        return;
    memcpy(at, bytes, len);
    buf->len += len;
}

static inline void buf_str_add(struct buf *buf, struct str s)
{
    buf_add(buf, s.at, s.len);
}

static inline void buf_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

static inline void buf_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_uint(struct buf *buf, uint64_t n);
void buf_int(struct buf *buf, int64_t n);
void buf_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * A JSON string with its quotes (RFC 8259 §7): `"`, `\` and controls escaped, `<`, `>`, `&`,
 * U+2028 and U+2029 too (as \u003c …), so that it may stand inside a <script>.
 *
 *   s   UTF-8, checked before
 */
void buf_json_string(struct buf *buf, struct str s);

/* A time as RFC 3339 in UTC with whole seconds, fractions cut off: 2026-11-23T08:40:12Z. */
void buf_time(struct buf *buf, int64_t at_ms);

static inline void buf_autofree(struct buf *buf)
{
    buf_free(buf);
}

#define AUTO_BUF __attribute__((cleanup(buf_autofree))) struct buf

#endif
