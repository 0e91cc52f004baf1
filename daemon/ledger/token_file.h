/*
 * ledger/token_file.h - the lines of the keys file that hold the keys of tokens.
 *
 * Beside the key of the voter hashes, a line each:
 *
 *   token KID HEX64 CREATED_S LONGEST_S [RETIRED_S]
 *
 * The one without RETIRED_S signs. LONGEST_S is the longest lifetime that it may ever have given a
 * token: raised in the file before a longer one is given, never lowered, so that after RETIRED_S +
 * LONGEST_S no token of that key is left, whatever token_lifetime says by then. Only then the line
 * goes. All other lines are kept as they are.
 *
 * Pure but for the chance in token_fresh_make(); any thread.
 */
#ifndef TALLYD_LEDGER_TOKEN_FILE_H
#define TALLYD_LEDGER_TOKEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"

#define TOKEN_LINE_WORD "token "
#define TOKEN_KID_BYTES_MAX 64 /* visible ASCII but for " and \ */
#define TOKEN_SECRET_BYTES_MIN 32
#define TOKEN_KEYS_MAX 256 /* own ones, and as many of the site's */
/* Behind the last token's end: the leeway of its check, and a clock that was set a little. */
#define TOKEN_KEY_GRACE_S 3600

struct token_line {
    struct str kid; /* this and `hex` point into the text */
    struct str hex;
    unsigned char secret[TOKEN_SECRET_BYTES_MIN];
    int64_t created_s;
    int64_t longest_s;
    bool retired;
    int64_t retired_s;
};

void token_line_wipe(struct token_line *line);
/* Wiped when it goes out of scope. */
#define AUTO_TOKEN_LINE __attribute__((cleanup(token_line_wipe))) struct token_line

/* Whether a key may have this name. */
bool token_kid_ok(struct str kid);

/* Reads what stands behind TOKEN_LINE_WORD, without the newline. *ret_line is written in any case.
 */
MUST_USE bool token_line_parse(struct str rest, struct token_line *ret_line);

/* No token of that key is left. */
bool token_line_is_dead(const struct token_line *line, int64_t now_s);

/* A key to be: chance comes in from outside. */
struct token_fresh {
    char kid[9]; /* 48 bits in base64url, and a NUL */
    unsigned char secret[TOKEN_SECRET_BYTES_MIN];
};
void token_fresh_make(struct token_fresh *ret_fresh); /* random; wipe it with sodium_memzero() */

enum token_file {
    TOKEN_FILE_SAME,    /* the text is as it should be; *out is what it was */
    TOKEN_FILE_CHANGED, /* *out is to take its place */
    TOKEN_FILE_BROKEN   /* *reterr_why */
};

/*
 * The keys file's text as it should be at start and at a reload: a key signs (else `fresh` does),
 * for at least `longest_s`; keys whose last token has run out are gone. Pure.
 *
 *   out  empty; gets room for all of it at once, so that no copy of a secret stays behind
 */
MUST_USE enum token_file token_file_tend(struct str text, const struct token_fresh *fresh,
                                         int64_t longest_s, int64_t now_s, struct buf *out,
                                         struct why *reterr_why);

/* The same with `fresh` signing from now on, and the key that did so far retired. */
MUST_USE enum token_file token_file_rotate(struct str text, const struct token_fresh *fresh,
                                           int64_t longest_s, int64_t now_s, struct buf *out,
                                           struct why *reterr_why);

#endif
