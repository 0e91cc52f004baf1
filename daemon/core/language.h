/*
 * core/language.h - texts in several languages, and which one a reader gets.
 *
 * Language tags as in RFC 5646 (compared without case); choice by RFC 4647 §3.4, lookup.
 */
#ifndef TALLYD_CORE_LANGUAGE_H
#define TALLYD_CORE_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define TEXT_LANGUAGES_MAX 32
#define TITLE_BYTES_MAX 2000
#define LABEL_BYTES_MAX 1000

struct text_in {
    char *language; /* a tag as it was given, or NULL for a text that names no language */
    char *value;    /* UTF-8 without controls, NUL-terminated */
};

/* A title or label: one string, or up to 32 languages in the order they were given. Owned by the
 * poll; immutable once the poll is published. */
struct text {
    size_t n; /* 1..TEXT_LANGUAGES_MAX; 0: absent */
    struct text_in *in;
};

void text_clear(struct text *text);
bool text_eq(const struct text *a, const struct text *b);

/* The value in `language` (NULL or unknown: looked up by RFC 4647, else the first). Never NULL
 * where n > 0; lives as long as the text. */
const char *text_value(const struct text *text, const char *language);

/* A well-formed language tag of at most 35 bytes (letters and digits, 1..8, joined by '-'). */
bool language_tag_ok(struct str tag);

/*
 * Chooses one of `n` tags for a reader.
 *
 *   tags      the languages on offer, the default first; NULL entries never match
 *   wanted    value of ?lang=, or empty
 *   accept    value of Accept-Language (RFC 9110 §12.5.4) with q-values, or empty; what does not
 *             parse in it is passed over; q=0 excludes
 *   returns   an index below n: the lookup of `wanted`, else of the best range in `accept`, else 0
 */
size_t language_choose(const char *const *tags, size_t n, struct str wanted, struct str accept);

#endif
