/*
 * api/request_log.c - a line for each request, where somebody wants them.
 *
 * Threads: the loop of the exchange.
 */
#include "api/request_log.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/log.h"

#define METHOD_BYTES_MAX 8
#define FIELDS_MAX 8

static const char known[] =
    "lang wait version ids limit after kind state sort min_votes prefix theme width of step all "
    "format maxwidth maxheight";

struct request_line {
    char method[METHOD_BYTES_MAX];
    const char *role;
    char address[INET6_ADDRSTRLEN]; /* "": it is not to be written */
    struct buf target;
};

void request_log_target(struct str path, struct str query, struct buf *out)
{
    char before = '?';
    struct str one;

    buf_str_add(out, path);
    while (str_next(&query, '&', &one)) {
        struct str name = { one.at, str_find(one, '=') };

        buf_char(out, before);
        before = '&';
        buf_str_add(out, str_is_one_of(name, known) ? one : STR("..."));
    }
}

static void line_free(struct request_line *line)
{
    buf_free(&line->target);
    free(line);
}

static void ended(void *context, const struct exchange_end *end)
{
    struct request_line *line = context;
    struct log_field fields[FIELDS_MAX] = {
        { .name = "method", .text = str_of(line->method) },
        { .name = "status", .number = end->status },
        { .name = "bytes", .number = end->bytes },
        { .name = "ms", .number = end->took_ms > 0 ? (uint64_t)end->took_ms : 0 },
        { .name = "role", .text = str_of(line->role) },
    };
    size_t n = 5;

    if (end->cut)
        fields[n++] = (struct log_field){ .name = "cut", .text = STR("yes") };
    if (line->address[0])
        fields[n++] = (struct log_field){ .name = "address", .text = str_of(line->address) };
    fields[n++] = (struct log_field){ .name = "path", .text = buf_str(&line->target) };
    log_fields(LOG_INFO, "request", fields, n);
    line_free(line);
}

struct request_line *request_log_begin(const struct call *call)
{
    const struct http1_request *request = call->request;
    struct request_line *line;

    if (!call->loop->rules->log_requests || !log_takes(LOG_INFO))
        return NULL;
    line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->role = role_word(ROLE_PUBLIC);
    memcpy(line->method, request->method_name.at,
           request->method_name.len < METHOD_BYTES_MAX ? request->method_name.len
                                                       : METHOD_BYTES_MAX - 1);
    request_log_target(request->path, request->query, &line->target);
    if (!buf_ok(&line->target) || !exchange_on_end(call->exchange, ended, line)) {
        line_free(line);
        return NULL;
    }
    return line;
}

void request_log_caller(struct request_line *line, const struct caller *caller)
{
    if (!line)
        return;
    line->role = role_word(caller->role);
    if (caller->has_address && log_takes(LOG_DEBUG) &&
        !inet_ntop(caller->address.v6 ? AF_INET6 : AF_INET, caller->address.bytes, line->address,
                   sizeof line->address))
        line->address[0] = '\0';
}

void request_log_refused(unsigned status, const char *detail)
{
    const struct log_field fields[] = { { .name = "status", .number = status },
                                        { .name = "detail", .text = str_of(detail) } };

    log_fields(LOG_INFO, "request", fields, sizeof fields / sizeof fields[0]);
}
