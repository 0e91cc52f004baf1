/*
 * net/http1.h - bytes in, request or error out: a strict HTTP/1.1 request parser (RFC 9112).
 *
 * No I/O, no allocation, no state between calls but what the caller holds. What is accepted:
 * CRLF only; at most one empty line before a request; HTTP/1.0 and 1.1; method tokens; origin-form
 * targets of visible ASCII, absolute-form with http or https whose authority takes the place of
 * Host (§3.2.2), OPTIONS *; token header names without space before the colon, no line folding;
 * exactly one Host in 1.1 (at most one in 1.0); at most one Content-Length of digits; chunked as
 * the only transfer coding, never beside Content-Length, and in 1.1 only; no tab in the values of
 * Content-Length, Transfer-Encoding and Connection, but before them. All else is an error, and the
 * connection closes. Any thread.
 */
#ifndef TALLYD_NET_HTTP1_H
#define TALLYD_NET_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define HTTP1_HEAD_BYTES_MAX (8 * 1024)
#define HTTP1_FIELDS_MAX 64

enum http1_method {
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_PATCH,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER /* a well-formed method that is none of these (TRACE, CONNECT, …): 501 */
};

struct http1_field {
    struct str name;  /* as it was sent; compare without case */
    struct str value; /* without the white space around it */
};

enum http1_body { BODY_NONE, BODY_LENGTH, BODY_CHUNKED };

struct http1_request {
    enum http1_method method;
    struct str method_name;
    struct str path;  /* starts with '/' (or is "*" with OPTIONS); still percent-encoded */
    struct str query; /* behind '?', still encoded; {NULL, 0} where there is no '?' */
    struct str host;  /* of an absolute target, else of Host; may be empty */
    unsigned minor;   /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;  /* by version and Connection (RFC 9112 §9.3) */
    bool expect_continue;
    enum http1_body body;
    uint64_t content_length; /* BODY_LENGTH only */
    size_t n_fields;
    struct http1_field fields[HTTP1_FIELDS_MAX];
};

enum http1_result {
    HTTP1_DONE,           /* a whole head; *ret_used bytes are eaten */
    HTTP1_MORE,           /* a good beginning; needs more bytes */
    HTTP1_MALFORMED,      /* 400 */
    HTTP1_URI_TOO_LONG,   /* 414: the head's limit is reached within the request line */
    HTTP1_HEAD_TOO_LARGE, /* 431: the head is over HTTP1_HEAD_BYTES_MAX, or has too many fields */
    HTTP1_BAD_EXPECT      /* 417 has no place in the contract: answered 400; an unknown Expect */
};

/*
 * Reads one request head from the start of `bytes`.
 *
 *   bytes        what has arrived; every str in *ret_request points into it
 *   ret_request  written on DONE only
 *   ret_used     DONE: bytes of the head with its empty line (and one leading CRLF, if any)
 *   reterr_what  errors only: one static sentence that names what is wrong
 */
enum http1_result http1_head(struct str bytes, struct http1_request *ret_request, size_t *ret_used,
                             const char **reterr_what);

/* The value of the first field of this name, or {NULL, 0}. An empty value has a non-NULL `at`. */
struct str http1_field(const struct http1_request *request, struct str name);
/* How many fields have this name. */
size_t http1_field_count(const struct http1_request *request, struct str name);

/* Reads a chunked body (RFC 9112 §7.1) piece by piece. Zeroed is at the start. */
struct http1_chunked {
    int state;         /* private: net/http1_chunked.c */
    uint64_t left;     /* of this chunk */
    size_t line_bytes; /* of the size line or trailer section so far */
};

enum http1_chunk_result {
    CHUNK_DATA, /* *ret_data is the next piece of the body, inside `bytes`; never empty */
    CHUNK_MORE, /* all of `bytes` is eaten; needs more */
    CHUNK_DONE, /* the body and its trailer section end here */
    CHUNK_BAD   /* 400, and the connection closes */
};

/* Eats from the start of `bytes`: *ret_used says how much. Extensions and trailers are checked by
 * the grammar, limited (4 KiB a line, 8 KiB of trailers), and dropped. */
enum http1_chunk_result http1_chunked(struct http1_chunked *chunked, struct str bytes,
                                      size_t *ret_used, struct str *ret_data);

#endif
