/*
 * base/utf8.h - UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * Pure; any thread.
 */
#ifndef TALLYD_BASE_UTF8_H
#define TALLYD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The length in bytes (1..4) of the character at `s`, with *ret_char its code point (may be NULL),
 * or 0 where no well-formed character starts. */
size_t utf8_char(struct str s, uint32_t *ret_char);

bool utf8_valid(struct str s);

/* A control character: C0, DEL or C1 (Unicode category Cc). */
bool utf8_is_control(uint32_t character);

/* Well-formed, and no control character in it: what the contract calls text. */
bool utf8_is_text(struct str s);

#endif
