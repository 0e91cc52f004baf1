/*
 * json.h - looks into a JSON text without copying it.
 *
 * A value is the piece of text that holds it. So a count beyond 2^53 keeps each of its digits, and
 * a definition is sent to the daemon exactly as its author wrote it. json_read() goes first; the
 * other functions take the value it gave, or pieces of that, or the empty piece, which stands for
 * what is not there. Nothing here allocates but json_text().
 */
#ifndef TALLY_JSON_H
#define TALLY_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 32

/*
 * Checks a whole text: one JSON value (RFC 8259), in UTF-8, at most JSON_DEPTH_MAX levels.
 *
 *   returns  false when it is anything else; *ret_value is the value without space around it
 */
MUST_USE bool json_read(struct str text, struct str *ret_value);

bool json_is_object(struct str value);
bool json_is_array(struct str value);
bool json_is_string(struct str value);
bool json_is_number(struct str value);
bool json_is(struct str value, const char *literal); /* "null", "true", "\"closed\"", … */

/* The member of that name, or the empty piece when `object` has none or is no object. A name that
 * is written with escapes is not found. */
struct str json_member(struct str object, const char *name);

/*
 * Walks the elements of an array, or the member values of an object.
 *
 *   struct str rest = json_inside(array), element;
 *   while (json_next(&rest, &element)) …
 */
struct str json_inside(struct str container);
bool json_next(struct str *rest, struct str *ret_element);

/* Adds the text that a string stands for, escapes resolved; adds nothing for other values. */
void json_text(struct buf *out, struct str value);

/* The number, for drawing only; 0 when it is none. */
double json_double(struct str value);

/* Adds the text without white space between its tokens. */
void json_compact(struct buf *out, struct str text);

/* Adds the text indented, a member a line; what a terminal might obey is written as an escape. */
void json_indent(struct buf *out, struct str text);

#endif
