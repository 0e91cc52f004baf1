/*
 * api/origin.h - whose page a browser asks for: cross-origin answers, preflights, forged requests.
 *
 * A browser names the page's origin in Origin (RFC 6454 §7) whenever a page sends something or
 * wants to read an answer; programs send none. Origins are compared by scheme, host (in any case)
 * and port, where http's 80 and https's 443 may be left out. `null`, a broken field and two fields
 * are foreign.
 *
 * The own origin is that of public_url. Without it, it is an Origin whose host and port equal the
 * request's Host, and that can be fooled: a page of evil.example, whose name was made to point at
 * our address meanwhile (DNS rebinding), sends evil.example in both, passes for one of our own
 * pages and votes from its reader's address. This is what public_url is for.
 *
 * Pure; any thread. A struct origins is written by nobody after origins_new().
 */
#ifndef TALLYD_API_ORIGIN_H
#define TALLYD_API_ORIGIN_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/why.h"
#include "net/http1.h"

#define ORIGINS_MAX 256
#define PREFLIGHT_MAX_AGE_S 86400

struct origins; /* opaque: the own one and those that the configuration allows */

/*
 *   public_url  http or https, any path; empty: not configured
 *   allowed     the `origins` key: SCHEME://HOST[:PORT], separated by spaces; may be empty
 *   returns     NULL: *reterr_why names the text that is none
 */
MUST_USE struct origins *origins_new(struct str public_url, struct str allowed,
                                     struct why *reterr_why);
void origins_free(struct origins *origins);
AUTO_FREE(origins);

enum origin {
    ORIGIN_ABSENT, /* no browser's page, or a plain navigation */
    ORIGIN_OWN,
    ORIGIN_ALLOWED, /* in `origins` */
    ORIGIN_FOREIGN
};

enum origin origin_of(const struct origins *origins, const struct http1_request *request);

/*
 * Takes apart the URL of a page of ours: the origin is the own one, and the path begins with that
 * of public_url, if it has one.
 *
 *   ret_base  where all our pages are, without a slash at its end: https://example.org/polls
 *   ret_rest  what follows, from a slash on: /p/us-goals?lang=ru; both point into url or origins
 *   returns   false: it is somebody else's, or no URL
 */
MUST_USE bool origin_own_url(const struct origins *origins, const struct http1_request *request,
                             struct str url, struct str *ret_base, struct str *ret_rest);

/*
 * Whether this request may go on as far as browsers are concerned: false is 403. Always true for
 * GET, HEAD and OPTIONS; else false for a foreign Origin, and where the browser says that it was
 * sent from another site (`Sec-Fetch-Site: cross-site`) without an own or allowed Origin.
 *
 *   ret_detail  false only: a static sentence for the 403
 */
MUST_USE bool origin_may_change(const struct origins *origins, const struct http1_request *request,
                                const char **ret_detail);

/* Who may read an answer from a page's script. */
enum origin_readers {
    READERS_ALL,  /* public: the same for everybody, and GET or HEAD */
    READERS_KNOWN /* it depends on the caller, or on POST, PUT, PATCH, DELETE */
};

/* The request's Origin where it is the own one or an allowed one, else empty: what has to be kept
 * for origin_write_fields(). Points into the request. */
struct str origin_known(const struct origins *origins, const struct http1_request *request);

/*
 * Writes the header fields by which a browser lets a page's script read the answer, each ended by
 * CRLF: Access-Control-Allow-Origin (`*`, the Origin itself, or none), Expose-Headers, and Vary
 * with Origin where the answer depends on it.
 *
 *   known  of origin_known()
 *   vary   what else the answer varies by, or NULL
 */
void origin_write_fields(struct str known, enum origin_readers readers, const char *vary,
                         struct buf *out);

/* A question of a browser (Fetch standard, CORS-preflight), and not OPTIONS as anybody sends it. */
bool origin_is_preflight(const struct http1_request *request);

/*
 * Writes the fields of the 204 for a preflight. For a foreign Origin they lack
 * Access-Control-Allow-Origin, which is a browser's no.
 *
 *   methods  those of the route, as in Allow: "GET, HEAD, POST"
 */
void origin_write_preflight(const struct origins *origins, const struct http1_request *request,
                            struct str methods, struct buf *out);

#endif
