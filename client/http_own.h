/*
 * http_own.h - what http.c and flow.c share and nobody else sees.
 */
#ifndef TALLY_HTTP_OWN_H
#define TALLY_HTTP_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "http.h"

struct http {
    CURL *curl;
    CURLM *multi; /* flow.c's; NULL until it is needed */
    struct http_settings settings;
    char error[CURL_ERROR_SIZE];
};

/* What stays the same from request to request. */
bool http_settle(const struct http *http, CURL *curl, char error[CURL_ERROR_SIZE]);

/* Adds bytes of an answer; false: no memory, or more than anybody holds in memory. */
bool http_body_add(struct buf *body, const char *bytes, size_t len);

/* Adds the request's own header fields; false: no memory. */
bool http_fields_add(struct curl_slist **list, const struct http *http,
                     const struct http_request *request);
bool http_field_add(struct curl_slist **list, const char *name, const char *value);

/* Adds the whole URL with its NUL; false: no memory. */
bool http_url_add(struct buf *out, const struct http *http, struct str path);

/* Method, URL, fields and a body that is in memory. */
bool http_prepare(CURL *curl, const struct http_request *request, const char *url,
                  const struct curl_slist *fields);

enum http_result http_result_of(CURLcode code);

/* Reads the status and Retry-After of an answer that is complete. */
void http_answer_read(CURL *curl, struct http_answer *answer);

/* Says what failed, and where. */
void http_tell(const struct http *http, CURL *curl, CURLcode code, const char *error,
               struct why *reterr_why);

#endif
