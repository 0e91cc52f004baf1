/*
 * http.h - requests to the daemon over one connection that is kept for the whole run.
 */
#ifndef TALLY_HTTP_H
#define TALLY_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/why.h"
#include "options.h"

struct http; /* opaque: http.c */

struct http_settings {
    struct place place;
    const char *token;    /* or NULL; without line ends */
    const char *language; /* a tag, or "" */
};

struct http_request {
    const char *method;
    struct str path;  /* from the first slash on, encoded */
    struct str body;  /* {NULL, 0}: none */
    const char *type; /* of the body */
    bool only_create; /* If-None-Match: * */
    int64_t most_ms;  /* until the answer is complete; 0: HTTP_MOST_MS */
};

#define HTTP_MOST_MS 60000

struct http_answer {
    unsigned status;
    int64_t retry_after_s; /* 0: not said */
    struct buf body;
};

static inline void http_answer_autofree(struct http_answer *answer)
{
    buf_free(&answer->body);
}

#define AUTO_ANSWER __attribute__((cleanup(http_answer_autofree))) struct http_answer

enum http_result {
    HTTP_ANSWERED,
    HTTP_UNREACHABLE, /* nobody listens there */
    HTTP_NO_ANSWER,   /* it may have been done, or not */
    HTTP_FAILED,      /* no memory, a URL that libcurl cannot use, an endless answer */
};

/* Opens nothing yet. NULL: no memory, or a libcurl that cannot do it. */
MUST_USE struct http *http_new(const struct http_settings *settings, struct why *reterr_why);
void http_free(struct http *http);
AUTO_FREE(http);

/* Sends and waits for the answer, which is the caller's to free; what it held before is dropped.
 * The why tells what failed and where. */
MUST_USE enum http_result http_send(struct http *http, const struct http_request *request,
                                    struct http_answer *ret_answer, struct why *reterr_why);

/* Adds `text` as one segment of a path or one value of a query: what is not unreserved (RFC 3986
 * §2.3) is percent-encoded. */
void http_encode(struct buf *out, const char *text);

#endif
