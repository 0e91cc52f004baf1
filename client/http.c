/*
 * http.c - requests to the daemon over one connection that is kept for the whole run.
 *
 * Threads: main.
 */
#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "http_own.h"

#define ANSWER_BYTES_MAX (64U << 20)
#define CONNECT_MS_MAX 10000L

bool http_body_add(struct buf *body, const char *bytes, size_t len)
{
    if (len > ANSWER_BYTES_MAX - body->len)
        return false;
    buf_add(body, bytes, len);
    return buf_ok(body);
}

static size_t body_take(char *bytes, size_t size, size_t count, void *context)
{
    /* Size is always 1; another number than count: libcurl ends the transfer. */
    return http_body_add(context, bytes, count) ? size * count : 0;
}

bool http_settle(const struct http *http, CURL *curl, char error[CURL_ERROR_SIZE])
{
    const char *socket = http->settings.place.socket;

    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS_MAX) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "tally/" TALLYD_VERSION) == CURLE_OK &&
           (!socket || (curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket) == CURLE_OK &&
                        curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK));
}

struct http *http_new(const struct http_settings *settings, struct why *reterr_why)
{
    AUTO(http) http = calloc(1, sizeof *http);
    const char *url = settings->place.url;
    bool tls = url && strncmp(url, "https:", 6) == 0;

    if (!http)
        return why_set(reterr_why, "no memory");
    http->settings = *settings;
    /* Starting TLS reads certificates and seeds keys: time that plain HTTP need not spend. */
    if (curl_global_init(tls ? CURL_GLOBAL_DEFAULT : CURL_GLOBAL_NOTHING) != CURLE_OK)
        return why_set(reterr_why, "libcurl does not start");
    http->curl = curl_easy_init();
    if (!http->curl)
        return why_set(reterr_why, "no memory");
    if (!http_settle(http, http->curl, http->error) ||
        curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, body_take) != CURLE_OK)
        return why_set(reterr_why, "this libcurl cannot be used with %s",
                       url ? url : settings->place.socket);
    return TAKE(http);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    if (http->multi)
        (void)curl_multi_cleanup(http->multi);
    if (http->curl)
        curl_easy_cleanup(http->curl);
    curl_global_cleanup();
    free(http);
}

bool http_field_add(struct curl_slist **list, const char *name, const char *value)
{
    AUTO_BUF field = { 0 };
    struct curl_slist *more;

    buf_format(&field, "%s%s", name, value);
    buf_char(&field, '\0');
    more = buf_ok(&field) ? curl_slist_append(*list, field.bytes) : NULL;
    if (!more)
        return false;
    *list = more;
    return true;
}

bool http_fields_add(struct curl_slist **list, const struct http *http,
                     const struct http_request *request)
{
    const struct http_settings *settings = &http->settings;

    return http_field_add(list, "Accept:", " application/json") &&
           (!settings->language[0] ||
            http_field_add(list, "Accept-Language: ", settings->language)) &&
           (!settings->token || http_field_add(list, "Authorization: Bearer ", settings->token)) &&
           (!request->body.at || http_field_add(list, "Content-Type: ", request->type)) &&
           (!request->only_create || http_field_add(list, "If-None-Match: ", "*"));
}

bool http_url_add(struct buf *out, const struct http *http, struct str path)
{
    struct str url =
        http->settings.place.url ? str_of(http->settings.place.url) : STR("http://localhost");

    while (url.len > 0 && url.at[url.len - 1] == '/')
        url.len--;
    buf_str_add(out, url);
    buf_str_add(out, path);
    buf_char(out, '\0');
    return buf_ok(out);
}

bool http_prepare(CURL *curl, const struct http_request *request, const char *url,
                  const struct curl_slist *fields)
{
    long most_ms = (long)(request->most_ms > 0 ? request->most_ms : HTTP_MOST_MS);
    curl_off_t len = (curl_off_t)request->body.len;

    /* HTTPGET comes first: it undoes what the last request set for its body. */
    return curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, most_ms) == CURLE_OK &&
           (!request->body.at ||
            (curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, len) == CURLE_OK &&
             curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.at) == CURLE_OK)) &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
}

enum http_result http_result_of(CURLcode code)
{
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_COULDNT_RESOLVE_PROXY)
        return HTTP_UNREACHABLE;
    if (code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
        code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE || code == CURLE_SEND_FAIL_REWIND)
        return HTTP_NO_ANSWER;
    return HTTP_FAILED;
}

void http_answer_read(CURL *curl, struct http_answer *answer)
{
    long status = 0;
    curl_off_t retry_after = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
    answer->status = (unsigned)status;
    answer->retry_after_s = retry_after;
}

void http_tell(const struct http *http, CURL *curl, CURLcode code, const char *error,
               struct why *reterr_why)
{
    const struct place *place = &http->settings.place;
    const char *where = place->url ? place->url : place->socket;
    bool unreachable = http_result_of(code) == HTTP_UNREACHABLE;
    long number = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    if (unreachable && place->socket && number != 0)
        why_set(reterr_why, "no tallyd at %s: %s", where, strerror((int)number));
    else
        why_set(reterr_why, "%s %s: %s", unreachable ? "no tallyd at" : "no answer from", where,
                error[0] ? error : curl_easy_strerror(code));
}

static enum http_result perform(struct http *http, struct http_answer *ret_answer,
                                struct why *reterr_why)
{
    CURLcode code;

    http->error[0] = '\0';
    code = curl_easy_perform(http->curl);
    if (code != CURLE_OK) {
        http_tell(http, http->curl, code, http->error, reterr_why);
        return http_result_of(code);
    }
    http_answer_read(http->curl, ret_answer);
    return HTTP_ANSWERED;
}

enum http_result http_send(struct http *http, const struct http_request *request,
                           struct http_answer *ret_answer, struct why *reterr_why)
{
    AUTO_BUF url = { 0 };
    struct curl_slist *fields = NULL;
    enum http_result result = HTTP_FAILED;

    buf_clear(&ret_answer->body);
    /* Bodies are small here: no round trip before them. */
    if (http_url_add(&url, http, request->path) && http_fields_add(&fields, http, request) &&
        http_field_add(&fields, "Expect:", "") &&
        http_prepare(http->curl, request, url.bytes, fields) &&
        curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &ret_answer->body) == CURLE_OK)
        result = perform(http, ret_answer, reterr_why);
    else
        why_set(reterr_why, "no memory");
    curl_slist_free_all(fields);
    return result;
}

void http_encode(struct buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
            strchr("-._~", *c))
            buf_char(out, *c);
        else
            buf_format(out, "%%%02X", (unsigned)(unsigned char)*c);
    }
}
