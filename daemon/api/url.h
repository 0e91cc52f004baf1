/*
 * api/url.h - a path and a query, percent-decoded once (RFC 3986 §2.1, §3.4).
 */
#ifndef TALLYD_API_URL_H
#define TALLYD_API_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/str.h"
#include "core/refusal.h"
#include "net/http1.h"

#define URL_SEGMENTS_MAX 6
#define URL_PARAMETERS_MAX 16

struct url_parameter {
    struct str name;
    struct str value;
};

/* A decoded address. Its strs point into `bytes`: do not copy the struct. */
struct url {
    bool too_deep; /* more than URL_SEGMENTS_MAX segments: no route has so many */
    size_t n_segments;
    struct str segments[URL_SEGMENTS_MAX]; /* "/v1/polls" is "v1", "polls"; "/p/" is "p", "" */
    size_t n_parameters;
    struct url_parameter parameters[URL_PARAMETERS_MAX];
    size_t used;
    char bytes[HTTP1_HEAD_BYTES_MAX]; /* decoding never makes longer */
};

/* false: a bad escape is 400, too many parameters 422; *reterr says so. */
MUST_USE bool url_read(const struct http1_request *request, struct url *ret_url,
                       struct refusal *reterr);

/* Whether a path as it was sent decodes to `path`: known from the head alone. */
bool url_path_is(struct str raw, const char *path);

/* The value of a parameter, or {NULL, 0}; one that is there and empty has a non-NULL `at`. */
struct str url_parameter(const struct url *url, const char *name);

/* Every parameter is one of `names` (space-separated), none stands twice: else 422. */
MUST_USE bool url_parameters_ok(const struct url *url, const char *names, struct refusal *reterr);

/* A whole number of least..most, or `otherwise` where the parameter is not given: else 422. */
MUST_USE bool url_number(const struct url *url, const char *name, uint64_t least, uint64_t most,
                         uint64_t otherwise, uint64_t *ret_n, struct refusal *reterr);

#endif
