/*
 * api/cookies.h - the one cookie: who votes on tallyd's own page where no script runs.
 *
 * It holds an anonymous voter token, is sent back to /p/ alone (RFC 6265), and no script can read
 * it. Pure; any thread.
 */
#ifndef TALLYD_API_COOKIES_H
#define TALLYD_API_COOKIES_H

#include "api/rules.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/http1.h"

#define COOKIE_VOTER "tallyd_voter"

/* The value of the first cookie of this name, or {NULL, 0}. Points into the request. */
struct str cookie_find(const struct http1_request *request, struct str name);

/* Writes Set-Cookie with its CRLF: HttpOnly, SameSite=Lax, for the path of the pages, and Secure
 * where browsers reach us by https. */
void cookie_write(const struct rules *rules, struct str token, int64_t lifetime_s,
                  struct buf *fields);

#endif
