/*
 * net/reply.c - what a reply looks like on the wire.
 *
 * Threads: the exchange's loop.
 */
#include "net/inside.h"

static const char *reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } rows[] = {
        { 200, "OK" },
        { 201, "Created" },
        { 204, "No Content" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 422, "Unprocessable Content" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].status == status)
            return rows[i].reason;
    }
    return "";
}

static void render_top(const struct loop *loop, const struct reply *reply, struct buf *out)
{
    buf_text(out, "HTTP/1.1 ");
    buf_uint(out, reply->status);
    buf_char(out, ' ');
    buf_text(out, reason(reply->status));
    buf_text(out, "\r\n");
    buf_text(out, loop->date);
    if (reply->content_type) {
        buf_text(out, "Content-Type: ");
        buf_text(out, reply->content_type);
        buf_text(out, "\r\n");
    }
}

static void render_bottom(const struct exchange *exchange, const struct reply *reply,
                          struct buf *out)
{
    buf_str_add(out, reply->fields);
    if (exchange->closes)
        buf_text(out, "Connection: close\r\n");
    else if (exchange->http10)
        buf_text(out, "Connection: keep-alive\r\n");
    buf_text(out, "\r\n");
}

void reply_render(const struct loop *loop, const struct exchange *exchange,
                  const struct reply *reply, struct buf *out)
{
    bool has_body = reply->status != 204 && reply->status != 304;
    size_t len = 0;

    for (size_t i = 0; i < reply->n_pieces; i++)
        len += reply->pieces[i].len;
    if (!buf_reserve(out, len + reply->fields.len + 256))
        return;
    render_top(loop, reply, out);
    if (has_body) {
        buf_text(out, "Content-Length: ");
        buf_uint(out, len);
        buf_text(out, "\r\n");
    }
    render_bottom(exchange, reply, out);
    for (size_t i = 0; has_body && !exchange->is_head && i < reply->n_pieces; i++)
        buf_str_add(out, reply->pieces[i]);
}

void reply_render_head(const struct loop *loop, const struct exchange *exchange,
                       const struct reply *head, struct buf *out)
{
    render_top(loop, head, out);
    if (!exchange->http10)
        buf_text(out, "Transfer-Encoding: chunked\r\n");
    render_bottom(exchange, head, out);
}
