/*
 * bench/audience/tongues.c - what is said to tallyd and to Redis, and where a message ends.
 *
 * Pure.
 */
#include <string.h>

#include "bench/audience/audience.h"

/* A block of server-sent events ends with an empty line; chunks' heads and ends stand between them.
 * Only tallies are events: what a stream begins with, and comments, are not. */
static size_t sse_message(struct str arrived, struct str *ret_event)
{
    static const char begins[] = "event: tally\n";
    const char *end = memmem(arrived.at, arrived.len, "\n\n", 2);
    const char *event;

    *ret_event = (struct str){ NULL, 0 };
    if (!end)
        return 0;
    end += 2;
    event = memmem(arrived.at, (size_t)(end - arrived.at), begins, sizeof begins - 1);
    if (event)
        *ret_event = (struct str){ event, (size_t)(end - event) };
    return (size_t)(end - arrived.at);
}

struct tongue tongue_tallyd(const char *poll)
{
    static const char body[] = "{\"option\":1,\"voter\":\"0000000000\"}";
    struct tongue tongue = { .said = "HTTP/1.1 201 ", .message = sse_message };

    buf_format(&tongue.subscribe,
               "GET /v1/events?ids=%s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n"
               "\r\n",
               poll);
    buf_format(&tongue.publish,
               "POST /v1/polls/%s/votes HTTP/1.1\r\nHost: localhost\r\n"
               "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               poll, sizeof body - 1, body);
    tongue.number_at = tongue.publish.len - NUMBER_DIGITS - 2;
    return tongue;
}

/* A RESP array of three: `message`, the channel and what is said, or, at first, `subscribe`, the
 * channel and a number. */
static size_t resp_message(struct str arrived, struct str *ret_event)
{
    const char *end = arrived.at + arrived.len;
    const char *at = arrived.at;

    *ret_event = (struct str){ NULL, 0 };
    for (int part = 0; part <= 3; part++) {
        const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
        uint64_t len;

        if (!line)
            return 0;
        if (part > 0 && *at == '$') {
            if (!str_uint64((struct str){ at + 1, (size_t)(line - at - 1) }, 1U << 20, &len) ||
                (uint64_t)(end - line) < len + 4)
                return 0;
            line += 2 + len;
        }
        at = line + 2;
    }
    *ret_event = (struct str){ arrived.at, (size_t)(at - arrived.at) };
    return ret_event->len;
}

struct tongue tongue_redis(const char *channel, struct str payload)
{
    struct tongue tongue = { .said = ":", .message = resp_message };

    buf_format(&tongue.subscribe, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n", strlen(channel),
               channel);
    buf_format(&tongue.publish, "*3\r\n$7\r\nPUBLISH\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(channel),
               channel, payload.len);
    buf_str_add(&tongue.publish, payload);
    buf_text(&tongue.publish, "\r\n");
    return tongue;
}
