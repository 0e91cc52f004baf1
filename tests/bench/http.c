/*
 * bench/http.c - votes and reads over HTTP/1.1, keep-alive.
 *
 * Threads: any; pure but for the memory they take.
 */
#include "bench/http.h"

#include <string.h>

#define HEAD_BYTES_MAX 16384U
#define BODY_BYTES_MAX (1U << 20)
#define STATUS_LINE_LEN 13U /* "HTTP/1.1 201 " */
#define SHOWN_BYTES 160     /* of a wrong body, in the message */

/* The head of `arrived` with the line end of its last field, without the empty line. */
static bool head_find(struct str arrived, struct str *ret_head)
{
    const char *end = memmem(arrived.at, arrived.len, "\r\n\r\n", 4);

    if (!end)
        return false;
    *ret_head = (struct str){ arrived.at, (size_t)(end - arrived.at) + 2 };
    return true;
}

static bool status_read(struct str head, unsigned *ret_status)
{
    uint64_t status;

    if (head.len < STATUS_LINE_LEN || memcmp(head.at, "HTTP/1.1 ", 9) != 0 || head.at[12] != ' ')
        return false;
    if (!str_uint64((struct str){ head.at + 9, 3 }, 999, &status))
        return false;
    *ret_status = (unsigned)status;
    return true;
}

/* Exactly one Content-Length; a reply without one (chunked, or until close) is not ours. */
static bool length_read(struct str head, size_t *ret_len)
{
    struct str line;
    uint64_t len = 0;
    unsigned found = 0;

    while (str_next(&head, '\n', &line)) {
        size_t colon = str_find(line, ':');
        struct str value;

        if (!str_eq_nocase((struct str){ line.at, colon }, STR("Content-Length")))
            continue;
        if (colon == line.len || line.at[line.len - 1] != '\r')
            return false;
        value = (struct str){ line.at + colon + 1, line.len - colon - 2 };
        if (!str_uint64(str_trim(value), BODY_BYTES_MAX, &len))
            return false;
        found++;
    }
    *ret_len = (size_t)len;
    return found == 1;
}

/* The number behind the first `"seq":`. */
static bool seq_read(struct str body, uint64_t *ret_seq)
{
    const char *at = memmem(body.at, body.len, "\"seq\":", 6);
    struct str rest;
    size_t digits = 0;

    if (!at)
        return false;
    rest = str_from(body, (size_t)(at - body.at) + 6);
    while (digits < rest.len && rest.at[digits] >= '0' && rest.at[digits] <= '9')
        digits++;
    return str_uint64((struct str){ rest.at, digits }, UINT64_MAX, ret_seq);
}

static bool vote_body_right(struct str body, uint64_t *ret_seq)
{
    return memmem(body.at, body.len, "\"result\":\"counted\"", 18) && seq_read(body, ret_seq);
}

static enum reply_state body_check(const struct protocol *protocol, unsigned status,
                                   struct str body, struct reply *reply, struct why *reterr_why)
{
    int shown = body.len > SHOWN_BYTES ? SHOWN_BYTES : (int)body.len;

    if (status != protocol->status) {
        why_set(reterr_why, "status %u in place of %u: %.*s", status, protocol->status, shown,
                body.at);
        return REPLY_WRONG;
    }
    if (protocol->marks > 0) {
        if (vote_body_right(body, &reply->mark))
            return REPLY_RIGHT;
        why_set(reterr_why, "a vote that is not counted: %.*s", shown, body.at);
        return REPLY_WRONG;
    }
    if (str_eq(body, buf_str(&protocol->body)))
        return REPLY_RIGHT;
    why_set(reterr_why, "a body of %zu bytes that is not the expected one of %zu: %.*s", body.len,
            protocol->body.len, shown, body.at);
    return REPLY_WRONG;
}

static enum reply_state http_read(const struct protocol *protocol, struct str arrived,
                                  struct reply *ret_reply, struct why *reterr_why)
{
    struct str head;
    unsigned status;
    size_t body_len;

    if (!head_find(arrived, &head)) {
        if (arrived.len <= HEAD_BYTES_MAX)
            return REPLY_PART;
        why_set(reterr_why, "a head of more than %u bytes", HEAD_BYTES_MAX);
        return REPLY_BROKEN;
    }
    if (!status_read(head, &status) || !length_read(head, &body_len)) {
        why_set(reterr_why, "a head without a status line or a Content-Length: %.*s",
                head.len > SHOWN_BYTES ? SHOWN_BYTES : (int)head.len, head.at);
        return REPLY_BROKEN;
    }
    if (arrived.len - head.len - 2 < body_len)
        return REPLY_PART;
    *ret_reply = (struct reply){ .len = head.len + 2 + body_len };
    return body_check(protocol, status, (struct str){ head.at + head.len + 2, body_len }, ret_reply,
                      reterr_why);
}

struct protocol http_vote(const char *poll, const char *voters, unsigned options, bool forwarded,
                          struct tokens *tokens)
{
    struct protocol vote = { .options = options, .marks = 1, .status = 201, .read = http_read };
    struct buf *bytes = &vote.request.bytes;
    const char *how = tokens ? "token" : "voter";
    size_t voter_len = tokens ? tokens_each(tokens) : strlen(voters) + VOTER_DIGITS;
    size_t body_len = strlen("{\"option\":1,\"voter\":\"\"}") + voter_len;

    buf_format(bytes, "POST /v1/polls/%s/votes HTTP/1.1\r\nHost: localhost\r\n", poll);
    if (forwarded) {
        buf_text(bytes, "X-Forwarded-For: 198.51.100.1");
        vote.request.client_at = bytes->len;
        buf_text(bytes, "00\r\n");
    }
    buf_format(bytes,
               "Content-Type: application/json\r\n"
               "Content-Length: %zu\r\n\r\n"
               "{\"option\":",
               body_len);
    vote.request.option_at = bytes->len;
    buf_format(bytes, "1,\"%s\":\"%s", how, tokens ? "" : voters);
    vote.request.voter_at = bytes->len;
    buf_format(bytes, "%0*d\"}", (int)(tokens ? voter_len : VOTER_DIGITS), 0);
    vote.request.has_holes = true;
    vote.request.tokens = tokens;
    return vote;
}

struct protocol http_get(const char *path, struct buf body)
{
    struct protocol get = { .options = 1, .status = 200, .body = body, .read = http_read };

    buf_format(&get.request.bytes, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return get;
}
