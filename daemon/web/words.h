/*
 * web/words.h - what page, widget and pictures say to people, in every language there is.
 *
 * The texts lie in daemon/web/languages/, one file per language; the build makes `enum word` of the
 * keys (`refused-already` is WORD_REFUSED_ALREADY) and a constant table of each file. English is
 * the first and the one to fall back to. Pure; any thread.
 */
#ifndef TALLYD_WEB_WORDS_H
#define TALLYD_WEB_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "words_list.h"

/* The plural forms of CLDR. A text that counts nothing is in PLURAL_OTHER. */
enum plural {
    PLURAL_ZERO,
    PLURAL_ONE,
    PLURAL_TWO,
    PLURAL_FEW,
    PLURAL_MANY,
    PLURAL_OTHER,
    PLURAL_FORMS
};

/* Which whole numbers take which form: `plural-rule` of a language. */
enum plural_rule {
    PLURAL_RULE_ONE_OTHER,  /* 1 vote, 2 votes */
    PLURAL_RULE_EAST_SLAVIC /* 1 голос, 2 голоса, 5 голосов, 21 голос */
};

struct words {
    const char *tag; /* RFC 5646: "en" */
    enum plural_rule rule;
    const char *texts[WORDS_COUNT][PLURAL_FORMS]; /* NULL: a form that the language lacks */
};

extern const struct words *const words_all[]; /* English first */
extern const size_t words_all_count;
extern const char *const word_keys[WORDS_COUNT]; /* as in the files: "refused-already" */

/* The words in the language of this tag by lookup (RFC 4647: `ru-RU` finds `ru`), else English.
 * Never NULL. */
const struct words *words_find(struct str tag);

/* The words for a reader: by `wanted` (?lang=), else `accept` (Accept-Language), else those of
 * `otherwise` (the language of what is shown; empty: English). */
const struct words *words_choose(struct str wanted, struct str accept, struct str otherwise);

/* The text of a word that counts nothing. Static, NUL-terminated, with its placeholders. */
const char *words_text(const struct words *words, enum word word);

/* The text that goes with `n`; PLURAL_OTHER where the language has no form of its own. */
const char *words_plural(const struct words *words, enum word word, uint64_t n);

enum plural plural_of(enum plural_rule rule, uint64_t n);

/* 1234567 as the language groups it: 1,234,567. */
void words_number(const struct words *words, uint64_t n, struct buf *out);

/* Hundredths as the language writes them, without trailing zeros: 3.67, 4.5, 5. */
void words_hundredths(const struct words *words, uint64_t hundredths, struct buf *out);

/* What stands for {name} in a text; written as it is. */
struct word_value {
    const char *name; /* without its braces */
    struct str text;
};

/*
 * Writes a text with its placeholders filled in; one without a value is left empty.
 *
 *   escape  writes the pieces of the text itself (html_text(), …); NULL: as they are. Values are
 *           the caller's to escape
 */
void words_fill(const char *text, const struct word_value *values, size_t n,
                void (*escape)(struct buf *out, struct str piece), struct buf *out);

/* "{n} votes" with the grouped number, in its plural form. */
void words_count(const struct words *words, enum word word, uint64_t n, struct buf *out);

/* A moment in UTC, for people: "23 November 2026, 08:40 UTC". */
void words_moment(const struct words *words, int64_t at_ms, struct buf *out);

#endif
