/*
 * web/html.h - text into HTML: nothing that somebody wrote is ever markup.
 *
 * Attributes are always in double quotes, so that one escape does for both. Pure; any thread.
 */
#ifndef TALLYD_WEB_HTML_H
#define TALLYD_WEB_HTML_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "web/words.h"

/* Text or the value of an attribute: & < > " ' escaped (HTML standard, §13.3). */
void html_text(struct buf *out, struct str text);

/*
 * Somebody's text inside a <bdi>, so that its direction ends with it.
 *
 *   id        of the element, or NULL
 *   language  its tag, or NULL: not known
 */
void html_foreign(struct buf *out, const char *poll_id, const char *id_suffix, const char *language,
                  const char *text);

/* A word that counts nothing and has no placeholders. */
void html_word(struct buf *out, const struct words *words, enum word word);

/* A word with its values, which are HTML already. */
void html_fill(struct buf *out, const char *text, const struct word_value *values, size_t n);

/* "{n} votes" in its plural form. */
void html_count(struct buf *out, const struct words *words, enum word word, uint64_t n);

/* A word whose {moment} is a <time> that programs can read too. */
void html_moment(struct buf *out, const struct words *words, enum word word, int64_t at_ms);

/* ` name="value"`, escaped. */
void html_attribute(struct buf *out, const char *name, const char *value);

#endif
