/*
 * ledger/token_keys.h - the keys that sign voter tokens: tallyd's own, and the site's.
 *
 * The own ones lie in the keys file beside the key of the voter hashes (ledger/token_file.h): one
 * signs, those that did before are accepted until their last token has run out.
 *
 * The site's lie in site_key_file, a line `KID SECRET` each, the secret in base64url; empty lines
 * and those that start with # are comments.
 *
 * A struct token_keys is built once, then never changed: rotating and reloading make a new one, and
 * who still holds the old one goes on with it. Its memory is wiped when freed.
 */
#ifndef TALLYD_LEDGER_TOKEN_KEYS_H
#define TALLYD_LEDGER_TOKEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "base/why.h"

#define TOKEN_SECRET_BYTES_MAX 512

struct token_keys; /* opaque: ledger/token_inside.h */

/*
 * Both files by their text. Pure.
 *
 *   own_text   of the keys file; lines of other words are skipped
 *   site_text  of site_key_file; {NULL, 0}: none is configured
 *   now_s      own keys whose last token has run out by then are left out
 *   returns    NULL: *reterr_why names the line, never a secret
 */
MUST_USE struct token_keys *token_keys_new(struct str own_text, struct str site_text, int64_t now_s,
                                           struct why *reterr_why);
/* One more reference; returns `keys`. Any thread that holds one. */
struct token_keys *token_keys_ref(struct token_keys *keys);
/* One reference less; the last one frees. Any thread. */
void token_keys_free(struct token_keys *keys);
AUTO_FREE(token_keys);

/* The longest lifetime that token_sign() gives, or 0 when no key signs. */
int64_t token_keys_longest_s(const struct token_keys *keys);

/* Where the keys lie. The strings are the caller's. */
struct token_files {
    const char *keys_path; /* made by keys_open() before */
    const char *site_path; /* NULL: none is configured */
    int64_t longest_s;     /* token_lifetime */
    bool may_write; /* false: a credential; what it lacks stays lacking, and it is not tended */
};

/* Reads both files, and writes the keys file first where it has to be tended. At start and reload.
 *   returns  NULL: *reterr_why */
MUST_USE struct token_keys *token_keys_open(const struct token_files *files, int64_t now_s,
                                            struct why *reterr_why);

/*
 * A new key signs from now on; it is on disk before this returns. One at a time.
 *
 *   files    may_write: else refused
 *   returns  NULL: *reterr_why; go on with the keys there were
 */
MUST_USE struct token_keys *token_keys_rotate(const struct token_files *files, int64_t now_s,
                                              struct why *reterr_why);

#endif
