/*
 * base/base64.h - base64url without padding, read strictly (RFC 4648 §5).
 *
 * Not libsodium's reader: that of 1.0.18 takes every byte from 0x80 on for a `_`, so one token
 * would have many forms; and it hides what it reads, at ten times the time, from nobody: whoever
 * sends a token knows it. Pure; any thread.
 */
#ifndef TALLYD_BASE_BASE64_H
#define TALLYD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/str.h"

/*
 * Only letters, digits, `-` and `_`, and no bit behind the last byte: every string of bytes has one
 * form, and everything else is refused.
 *
 *   bytes_max  room at `ret_bytes`; what needs more is refused
 *   returns    false: *ret_len is untouched, what `ret_bytes` holds means nothing
 */
MUST_USE bool base64url_decode(struct str text, unsigned char *ret_bytes, size_t bytes_max,
                               size_t *ret_len);

#endif
