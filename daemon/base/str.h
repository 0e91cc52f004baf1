/*
 * base/str.h - a piece of somebody else's bytes: a pointer and a length, never a NUL.
 *
 * A struct str owns nothing; whoever hands one out says how long its bytes live. {NULL, 0} is the
 * empty one. All functions here are pure and may be called from any thread.
 */
#ifndef TALLYD_BASE_STR_H
#define TALLYD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"

struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })

/* The bytes of a NUL-terminated string; NULL gives the empty one. */
struct str str_of(const char *text);

bool str_eq(struct str a, struct str b);
/* ASCII letters alike; every other byte as it is (header names, RFC 9110 §5.1). */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
/* The offset of the first `c`, or `s.len`. */
size_t str_find(struct str s, char c);
/* What is left of `s` behind its first `n` bytes (n <= s.len). */
struct str str_from(struct str s, size_t n);
/* Without spaces and tabs on both ends (RFC 9110 §5.6.3, OWS). */
struct str str_trim(struct str s);

/*
 * Splits off what stands before the next `by`: *rest moves behind it.
 *
 *   returns  false at the end; "a,,b" gives "a", "", "b", and an empty *rest gives nothing
 */
bool str_next(struct str *rest, char by, struct str *ret_piece);

/* Whether it is one of `words`, which are separated by single spaces. */
bool str_is_one_of(struct str s, const char *words);

/* 0 to 15, or -1: it is none. */
int hex_digit(int c);

/*
 * Reads a decimal number: digits only, all of `s`, at most `max`.
 *
 *   returns  false when it is anything else (empty, signed, too large); *ret_n is untouched then
 */
MUST_USE bool str_uint64(struct str s, uint64_t max, uint64_t *ret_n);

/* A NUL-terminated copy to free(), or NULL when there is no memory. Bytes behind a NUL are kept. */
MUST_USE char *str_copy(struct str s);

#endif
